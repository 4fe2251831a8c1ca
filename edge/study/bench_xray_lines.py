"""A stream of X-ray lines through codec, driver and scoring, as fast as one core takes it.

A line is one column of a scan in both energies: 1200 pixels of 16 bits each, 4.8 kB in two frames.
Scans of trucks come in pieces of 64 KiB, as TCP hands them over. What is counted is the processor
time of all threads together, on one core, so that a busy machine changes little; what stands beside
it is the same bytes taken apart by struct, zlib and NumPy alone, which puts no line in its place
and scores nothing. In each load stands a block of lead: how long after its last line it is told,
while the scan goes on.
"""

import math
import os
import random
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from drivers.wire.sidecar import Sidecar, encode_json
from drivers.wire.xray_lines import BARE_BYTES, BEGIN, END, LineFrame, encode
from drivers.xray_lines import XrayLinesConfig, XrayLinesDriver
from edge.evidence.scans.ready import ready
from edge.kernel_cache import use_kernel_cache
from edge.study.figures import Figure, Options, at_least, at_most, percentile, plain
from fusion.scans.calibrate import ScanMemory
from fusion.scans.stream import LineScorer
from fusion.types import Origin, ScanFinding, ScanLines, ScanSample
from fusion.xray import XrayPolicy, analyse
from simulators import loads
from simulators.scenario import Cargo, Vehicle
from simulators.xray import AIR_M, DARK_COLUMNS, planes

SCANS = 20
ROWS, COLUMNS, PITCH_MM = 1200, 4000, 4.6
VEHICLE_M = 17.6  # 3,826 columns, and air on both sides
LINES_PER_S = 20_000
VERDICT_MS = 50.0
PIECE_BYTES = 64 * 1024
AIR_LINES = 40  # of those behind every vehicle
LAST_LINES = 16  # that come in the last piece, as at a brisk 722 lines/s in 22 ms
START_NS = 1_795_000_000_000_000_000
LINE_NS = 1_385_000  # 13 km/h at 5 mm

BLOCK = Cargo(
    kind="object",
    material="lead",
    density_g_cm3=11.3,
    from_m=9.0,
    to_m=9.6,
    bottom_m=0.6,
    top_m=1.1,
    width_m=0.1,
)
BLOCK_END = DARK_COLUMNS + round((AIR_M + BLOCK.to_m) * 1000.0 / PITCH_MM)
"""Its last line."""
LINE_BYTES = 2 * (BARE_BYTES + 2 * ROWS)

Picture = NDArray[np.uint16]
Feed = Callable[[bytes, int], list[ScanFinding]]


@dataclass(slots=True)
class Tally:
    """What the scans came to."""

    lines: int = 0
    cpu_s: float = 0.0
    reference_s: float = 0.0
    interim: int = 0
    looks_s: float = 0.0
    """Processor time of what is done for them."""
    block_s: list[float] = field(default_factory=list)
    """From the block's last line, at 13 km/h, to its first finding."""
    verdict_ms: list[float] = field(default_factory=list)
    """From the last piece to the finding, by the clock."""
    verdict_cpu_ms: list[float] = field(default_factory=list)
    files_ms: list[float] = field(default_factory=list)
    """From the finding to its files, in processor time."""


def run(options: Options) -> list[Figure]:
    """Figures of `--times` scans."""
    use_kernel_cache()
    scans = options.times or SCANS
    with one_core():
        tally = played(options, scans)
    how = f"{scans} scans of {ROWS} x 2 pixels a line, {tally.lines:,} lines, one core"
    rate = tally.lines / tally.cpu_s
    reference = tally.lines / tally.reference_s
    return [
        at_least(
            "xray-lines.rate", rate, LINES_PER_S, "lines/s", f"{how}: codec, driver, scoring, files"
        ),
        plain("xray-lines.reference", reference, "lines/s", "struct, zlib.crc32, np.frombuffer"),
        plain("xray-lines.ratio", rate / reference, "x", "against that, which scores nothing"),
        at_most(
            "xray-lines.verdict_p95",
            percentile(tally.verdict_ms, 0.95),
            VERDICT_MS,
            "ms",
            f"from the last {LAST_LINES} lines and the end frame to the finding, by the clock, "
            f"{scans} scans",
        ),
        plain("xray-lines.verdict_p50", percentile(tally.verdict_ms, 0.5), "ms", "the same"),
        plain(
            "xray-lines.verdict_cpu",
            percentile(tally.verdict_cpu_ms, 0.5),
            "ms",
            "the same in processor time, median",
        ),
        plain(
            "xray-lines.files",
            percentile(tally.files_ms, 0.5),
            "ms",
            "from there to picture and TIFF",
        ),
        plain(
            "xray-lines.interim", tally.interim / scans, "", "findings told while a scan goes on"
        ),
        plain(
            "xray-lines.interim_told",
            len(tally.block_s) / scans,
            "",
            "share of scans in which the block of lead was told while they went on",
        ),
        plain(
            "xray-lines.interim_after",
            percentile(tally.block_s, 0.5) if tally.block_s else math.nan,
            "s",
            "from the block's last line to its finding, at 13 km/h, median",
        ),
        plain(
            "xray-lines.interim_share",
            tally.looks_s / tally.cpu_s,
            "",
            "of the processor time, for what is told while a scan goes on",
        ),
    ]


def played(options: Options, scans: int) -> Tally:
    """Play the scans, and the reference after each."""
    tally = Tally()
    shapes = [truck(options.seed + number) for number in range(3)]
    driver = XrayLinesDriver(
        XrayLinesConfig(id="xray-1", lane="lane-1", url="tcp://127.0.0.1:1"), Origin.SIMULATOR
    )
    scorer, memory = LineScorer(XrayPolicy(), analyse), ScanMemory()
    looks = [0.0]

    def feed(data: bytes, at_ns: int) -> list[ScanFinding]:
        """As `Measuring` does it, but for the files of a finding."""
        found: list[ScanFinding | None] = []
        for one in driver.feed(data, at_ns):
            if isinstance(one, ScanLines):
                began = time.process_time()
                found.append(scorer.lines(one, memory))
                looks[0] += time.process_time() - began
            elif isinstance(one, ScanSample):
                found.append(scorer.whole(one, memory))
        return [one for one in found if one is not None]

    for number in range(-1, scans):  # the first one warms up
        # Where the last look falls differs.
        high, low = (_and_air(plane, 37 * (number % 11)) for plane in shapes[number % len(shapes)])
        stream, last = frames(number + 2, high, low)
        one = Tally() if number < 0 else tally
        looks[0] = 0.0
        one.lines += high.shape[1]
        _play(feed, stream, last, START_NS + number * 60 * 10**9, one)
        began = time.process_time()
        reference(stream + last)
        one.reference_s += time.process_time() - began
        one.looks_s += looks[0]
        if number >= 0 and number % 5 == 4:
            options.say(f"xray-lines: {number + 1} of {scans} scans")
    return tally


def _and_air(plane: Picture, columns: int) -> Picture:
    """The scan with so many more lines of air behind the vehicle."""
    air = plane[:, -AIR_LINES:]
    return np.concatenate([plane, np.tile(air, -(-columns // AIR_LINES))[:, :columns]], axis=1)


def _play(feed: Feed, stream: bytes, last: bytes, at_ns: int, tally: Tally) -> None:
    pieces = [stream[at : at + PIECE_BYTES] for at in range(0, len(stream), PIECE_BYTES)]
    began = time.process_time()
    told = False
    for number, piece in enumerate(pieces):
        since = time.process_time()
        found = feed(piece, at_ns + number * LINE_NS)
        tally.interim += len(found)
        if not told and any(map(_has_block, found)):
            told = True
            behind = (number + 1) * PIECE_BYTES / LINE_BYTES - BLOCK_END
            tally.block_s.append(behind * LINE_NS / 1e9 + time.process_time() - since)
    ended = time.process_time()
    clock = time.perf_counter()
    found = feed(last, at_ns + len(pieces) * LINE_NS)
    tally.verdict_ms.append(1000 * (time.perf_counter() - clock))
    after = time.process_time()
    tally.verdict_cpu_ms.append(1000 * (after - ended))
    if not found or found[-1].interim or found[-1].partial:
        raise RuntimeError("a whole scan gave no finding of the whole")
    ready(found[-1], None)
    tally.files_ms.append(1000 * (time.process_time() - after))
    tally.cpu_s += time.process_time() - began


def _has_block(finding: ScanFinding) -> bool:
    middle_m = (BLOCK.from_m + BLOCK.to_m) / 2
    return any(one.from_m < middle_m < one.to_m for one in finding.regions)


def truck(seed: int) -> tuple[Picture, Picture]:
    """(high, low) of a loaded truck with the block in it."""
    load = loads.pallets(random.Random(seed))
    vehicle = load.onto(
        Vehicle(vehicle_id=f"v-{seed}", lane="lane-1", at_portal_s=0.0, length_m=VEHICLE_M)
    )
    vehicle = replace(vehicle, cargo=(*vehicle.cargo, BLOCK))
    draw = np.random.default_rng(seed)
    high, low = planes(vehicle, rows=ROWS, pitch_mm=PITCH_MM, random=draw)
    return high[:, :COLUMNS], low[:, :COLUMNS]


def frames(number: int, *both: Picture) -> tuple[bytes, bytes]:
    """The bytes of one scan: all but its last lines, and these with the end frame."""
    lines = [np.ascontiguousarray(plane.T, "<u2") for plane in both]
    columns, pixels = lines[0].shape
    sidecar = encode_json(Sidecar(scan_id=f"s-{number}", pitch_x_mm=PITCH_MM, pitch_y_mm=PITCH_MM))
    sent = [encode(LineFrame(number, 0, START_NS, len(lines), pixels, BEGIN, sidecar))]
    for column in range(columns):
        at_ns = START_NS + column * LINE_NS
        sent += [
            encode(LineFrame(number, column, at_ns, energy, pixels, 0, plane[column].tobytes()))
            for energy, plane in enumerate(lines)
        ]
    sent.append(encode(LineFrame(number, columns, START_NS + columns * LINE_NS, 0, 0, END)))
    cut = len(sent) - 1 - LAST_LINES * len(lines)
    return b"".join(sent[:cut]), b"".join(sent[cut:])


def reference(data: bytes) -> list[Picture]:
    """Every frame checked and seen as an array, the plain way."""
    found = []
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        head = struct.unpack_from("<QIqBBHI", data, at + 8)
        end = at + 8 + length
        if zlib.crc32(data[at + 36 : end], zlib.crc32(data[at + 4 : at + 32])) != head[-1]:
            raise RuntimeError("a frame of our own is spoilt")
        if head[4] == 0:
            found.append(np.frombuffer(data, "<u2", head[5], at + 36))
        at = end
    return found


@contextmanager
def one_core() -> Iterator[None]:
    """All threads of this process on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
