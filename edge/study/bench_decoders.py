"""Hostile bytes through every decoder: no exception, bounded memory, one record to recover."""

import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

import cv2
import numpy as np

from drivers.wire.aspect import AspectDecoder
from drivers.wire.bundle import BundleDecoder
from drivers.wire.bundle import encode as encode_bundle
from drivers.wire.datacast import DatacastDecoder
from drivers.wire.image_headers import read_header
from drivers.wire.malformed import Malformed
from drivers.wire.sidecar import Sidecar, encode_json, encode_xml, parse_sidecar
from drivers.wire.tsa import TsaDecoder
from edge.study.bench_mutations import CASES, mutate
from edge.study.figures import Figure, Options, at_least, at_most, plain
from simulators.catalog import KINDS
from simulators.scripts import demo

TOTAL_BYTES = 1_000_000
CHUNK_BYTES = 1024  # of noise before the clean records that show how much it cost
CLEAN_RECORDS = 8
FREE_LISTS_BYTES = 524_288  # what CPython keeps of small tuples and objects for the next of a size
MUTATED = {"tsa": b"\n", "aspect": b""}  # given single cases too; what ends their records
LOOK_EVERY = 50  # a snapshot of all memory costs milliseconds


@dataclass(frozen=True, slots=True)
class Codec:
    """One wire format under attack."""

    name: str
    make: Callable[[], TsaDecoder | AspectDecoder | DatacastDecoder | BundleDecoder]
    records: tuple[bytes, ...]
    """Clean records, one each."""
    limit_bytes: int
    """The most that the decoder may hold; see the limits in its module."""


def run(options: Options) -> list[Figure]:
    """Figures of every decoder. Random bytes, mutated records and clean ones take turns."""
    figures = []
    for codec in codecs(options.seed):
        options.say(f"decoder {codec.name}: {TOTAL_BYTES:,} bytes")
        figures += attack(codec, Random(options.seed))
        if codec.name in MUTATED:
            options.say(f"decoder {codec.name}: {CASES:,} mutated records")
            ending = MUTATED[codec.name]
            figures += mutate(codec.name, codec.make, codec.records, Random(options.seed), ending)
    for name, read, samples in readers(options.seed):
        options.say(f"reader {name}: {TOTAL_BYTES:,} bytes")
        figures += attack_reader(name, read, samples, Random(options.seed))
    return figures


def codecs(seed: int) -> list[Codec]:
    """Every codec with clean records of its simulator."""
    lines = _simulated("rpm-nb-02", seed, 20_000).splitlines(keepends=True)
    frames = KINDS["rpm-aspect"].packets(_simulated("rpm-nb-02", seed, 60_000, "rpm-aspect"))
    packets = KINDS["shake-udp"].packets(_simulated("geo-ef-01", seed, 10_000))
    # Longer than the longest header that a damaged length can announce, as real scans are.
    bundles = [encode_bundle({"a.json": b"{}", "a.png": bytes(4096 + i)}) for i in range(20)]
    return [
        Codec("tsa", TsaDecoder, tuple(lines), FREE_LISTS_BYTES + 4096),
        Codec("aspect", AspectDecoder, tuple(frames), FREE_LISTS_BYTES + 4096),
        Codec("datacast", DatacastDecoder, tuple(packets), FREE_LISTS_BYTES + 65_536),
        # A header that passes its checksum may announce 128 MiB; random bytes never do.
        Codec("bundle", BundleDecoder, tuple(bundles), FREE_LISTS_BYTES + 1_000_000),
    ]


def readers(seed: int) -> list[tuple[str, Callable[[bytes], object], tuple[bytes, ...]]]:
    """What reads a whole file: picture headers and sidecars, with real ones to mutate."""
    picture = np.random.default_rng(seed).integers(0, 65_535, (20, 30), dtype=np.uint16)
    pictures = tuple(
        cv2.imencode(ending, picture if ending != ".jpg" else (picture >> 8).astype(np.uint8))[
            1
        ].tobytes()
        for ending in (".png", ".tiff", ".jpg")
    )
    sidecar = Sidecar(scan_id="scan-1", declared="empty")
    return [
        ("picture-header", read_header, pictures),
        ("sidecar", parse_sidecar, (encode_json(sidecar), encode_xml(sidecar))),
    ]


def attack_reader(
    name: str, read: Callable[[bytes], object], samples: tuple[bytes, ...], random: Random
) -> list[Figure]:
    """Whole files, mutated, cut or made up; a reader answers or says why not."""
    raised = refused = files = fed = 0
    slowest_s = 0.0
    while fed < TOTAL_BYTES:
        data = bytearray(random.choice(samples))
        for _ in range(random.randrange(12)):
            data[random.randrange(len(data))] = random.randrange(256)
        cut = bytes(data[: random.randrange(len(data))]) if random.random() < 0.2 else bytes(data)
        hostile = random.randbytes(256) if random.random() < 0.1 else cut
        began = time.perf_counter()
        try:
            refused += isinstance(read(hostile), Malformed)
        except Exception:  # noqa: BLE001 - the very thing that is counted here
            raised += 1
        slowest_s = max(slowest_s, time.perf_counter() - began)
        files += 1
        fed += len(hostile)
    how = f"{fed:,} bytes in {files:,} mutated, cut or random files, seeded"
    return [
        at_least(f"{name}.bytes", fed, TOTAL_BYTES, "B", how),
        at_most(f"{name}.exceptions", raised, 0, "", how),
        at_most(f"{name}.slowest", slowest_s * 1e3, 1000, "ms", "one file"),
        plain(f"{name}.refused", refused, "", "each with its reason"),
    ]


def attack(codec: Codec, random: Random) -> list[Figure]:
    """Feed hostile bytes; after each piece clean records show what was lost."""
    decoder = codec.make()
    raised = fed = worst_lost = malformed = 0
    held = 0
    tracemalloc.start()
    began = time.perf_counter()
    for pieces, noise in enumerate(_noise(codec, random)):
        clean = random.choices(codec.records, k=CLEAN_RECORDS)
        try:
            out = decoder.feed(noise)
            back = decoder.feed(b"".join(clean))
        except Exception:  # noqa: BLE001 - the very thing that is counted here
            raised += 1
            decoder = codec.make()
            continue
        fed += len(noise)
        malformed += sum(isinstance(record, Malformed) for record in out)
        good = sum(not isinstance(record, Malformed) for record in back)
        worst_lost = max(worst_lost, CLEAN_RECORDS - good)
        del out, back
        if pieces % LOOK_EVERY == 0:
            held = max(held, _held_bytes())
    seconds = time.perf_counter() - began
    tracemalloc.stop()
    how = f"{fed:,} random or mutated bytes in pieces, seeded, clean records between"
    return [
        at_least(f"{codec.name}.bytes", fed, TOTAL_BYTES, "B", how),
        at_most(f"{codec.name}.exceptions", raised, 0, "", how),
        at_most(
            f"{codec.name}.held_bytes", held, codec.limit_bytes, "B", "by tracemalloc, at most"
        ),
        at_most(f"{codec.name}.records_lost", worst_lost, 1, "", "worst case, after any piece"),
        plain(f"{codec.name}.malformed", malformed, "", "told, each with its reason"),
        plain(f"{codec.name}.seconds", seconds, "s", "with tracemalloc on"),
    ]


def _held_bytes() -> int:
    """What the codecs' own lines have allocated and not yet let go."""
    ours = tracemalloc.Filter(inclusive=True, filename_pattern="*/drivers/wire/*")
    snapshot = tracemalloc.take_snapshot().filter_traces([ours])
    return sum(trace.size for trace in snapshot.traces)


def _noise(codec: Codec, random: Random) -> Iterator[bytes]:
    """Random bytes, mutated records, cut records and endless lines, `TOTAL_BYTES` in all."""
    given = 0
    while given < TOTAL_BYTES:
        form = random.randrange(4)
        whole = bytearray(b"".join(random.choices(codec.records, k=6)))
        if form == 0:
            piece = random.randbytes(CHUNK_BYTES)
        elif form == 1:
            for _ in range(random.randrange(1, 12)):
                whole[random.randrange(len(whole))] = random.randrange(256)
            piece = bytes(whole)
        elif form == 2:
            start = random.randrange(len(whole))
            piece = bytes(whole[start : start + random.randrange(1, CHUNK_BYTES)])
        else:
            piece = bytes([random.randrange(32, 127)]) * CHUNK_BYTES
        given += len(piece)
        yield piece


def _simulated(sensor_id: str, seed: int, duration_ms: int, kind: str = "") -> bytes:
    scenario = demo(seed, 1_790_000_000_000_000_000)
    return (
        KINDS[kind or scenario.sensor(sensor_id).kind].build(scenario, sensor_id).step(duration_ms)
    )
