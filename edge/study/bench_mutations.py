"""Mutated records, one case each: what a decoder says of every one, and how long it takes."""

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Protocol

from drivers.wire.malformed import Malformed
from drivers.wire.tsa import UnknownLine
from edge.study.figures import Figure, at_least, at_most, plain

CASES = 100_000
GROWTH_BYTES = 8 * 2**20  # of the process, over all cases: what an allocator keeps for itself
SLOWEST_S = 1.0
CLEAN_RECORDS = 2


class Decoder(Protocol):
    """Any codec."""

    def feed(self, data: bytes) -> Sequence[object]:
        """The records that `data` completes."""
        ...


def mutate(
    name: str,
    make: Callable[[], Decoder],
    records: Sequence[bytes],
    random: Random,
    ending: bytes = b"",
) -> list[Figure]:
    """One mutated record after the other through one decoder, two clean ones behind each.

    A case is accounted for when it and the clean ones were read, or a reason was given. With
    the first of them, what was left open is decided; with the second, all is told. A line that
    has lost its `ending` is one with the next, and so is what is said of both.
    """
    decoder = make()
    decoder.feed(records[0])  # joined: what follows is not the rest of a record
    reasons: Counter[str] = Counter()
    read = raised = unaccounted = 0
    slowest_s = 0.0
    before = _resident_bytes()
    for _ in range(CASES):
        hostile = mutated(random.choice(records), random)
        clean = random.choices(records, k=CLEAN_RECORDS)
        began = time.perf_counter()
        try:
            out = [*decoder.feed(hostile), *decoder.feed(b"".join(clean))]
        except Exception:  # noqa: BLE001 - the very thing that is counted here
            raised += 1
            decoder = make()
            continue
        slowest_s = max(slowest_s, time.perf_counter() - began)
        bad = [reason for one in out if (reason := _reason(one))]
        reasons.update(bad)
        read += not bad
        own = bool(hostile.strip()) and hostile.endswith(ending)
        unaccounted += not bad and len(out) < CLEAN_RECORDS + own
    grown = _resident_bytes() - before
    how = f"{CASES:,} mutated records, seeded, clean ones behind each"
    return [
        at_least(f"{name}.mutated.cases", CASES, 100_000, "", how),
        at_most(f"{name}.mutated.exceptions", raised, 0, "", how),
        at_most(f"{name}.mutated.slowest", slowest_s * 1e3, SLOWEST_S * 1e3, "ms", "one case"),
        at_most(f"{name}.mutated.grown", grown, GROWTH_BYTES, "B", "resident memory, after all"),
        at_most(f"{name}.mutated.unaccounted", unaccounted, 0, "", "neither read nor a reason"),
        plain(f"{name}.mutated.read", read, "", "still a record of its protocol"),
        *(
            plain(f"{name}.mutated.{reason}", count, "", "told")
            for reason, count in sorted(reasons.items())
        ),
    ]


def _reason(one: object) -> str:
    if isinstance(one, UnknownLine):  # kept raw by the codec, told by the driver
        return "unknown-tag"
    return one.reason if isinstance(one, Malformed) else ""


def mutated(record: bytes, random: Random) -> bytes:
    """The record with bytes changed, put in, left out, repeated, or its end cut off."""
    data = bytearray(record)
    for _ in range(random.randrange(1, 5)):
        at = random.randrange(len(data) + 1)
        form = random.randrange(6)
        if form == 0:
            data[at : at + 1] = random.randbytes(1)
        elif form == 1:
            data[at:at] = random.randbytes(random.randrange(1, 9))
        elif form == 2:
            del data[at : at + random.randrange(1, 9)]
        elif form == 3:
            data[at:at] = data[at : at + random.randrange(1, 40)]
        elif form == 4:
            del data[at:]
        elif at < len(data):
            data[at] ^= 1 << random.randrange(8)
    return bytes(data)


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
