"""The samples of a clip: packets that go on without a break, joined."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fusion.types import SECOND_NS
from fusion.wave_record import WaveTrace


class Segment(NamedTuple):
    """Samples without a gap."""

    start_utc_ns: int
    counts: NDArray[np.int32]


def segments(
    trace: WaveTrace, begin_utc_ns: int, end_utc_ns: int, loose_ns: int = 0
) -> list[Segment]:
    """What lies from `begin` to before `end`, oldest first.

    A packet that is off its place by half a sample or more, and by more than `loose_ns`, begins a
    segment of its own, with its own time: a lost packet is a gap, and a clock that wanders is
    not smoothed.
    """
    found = []
    for start_utc_ns, counts in _joined(trace, loose_ns):
        first = _place(begin_utc_ns - start_utc_ns, trace.rate_hz)
        last = _place(end_utc_ns - start_utc_ns, trace.rate_hz)
        piece = counts[max(first, 0) : max(last, 0)]
        if len(piece):
            at_ns = round(max(first, 0) * SECOND_NS / trace.rate_hz)
            found.append(Segment(start_utc_ns + at_ns, piece))
    return found


def _joined(trace: WaveTrace, loose_ns: int) -> Iterator[Segment]:
    pieces: list[NDArray[np.int32]] = []
    start_utc_ns = size = 0
    for packet_utc_ns, counts in trace.packets:
        expected_ns = start_utc_ns + round(size * SECOND_NS / trace.rate_hz)
        off_ns = abs(packet_utc_ns - expected_ns)
        if pieces and 2 * off_ns * trace.rate_hz >= SECOND_NS and off_ns > loose_ns:
            yield Segment(start_utc_ns, np.concatenate(pieces))
            pieces, size = [], 0
        if not pieces:
            start_utc_ns = packet_utc_ns
        pieces.append(counts)
        size += len(counts)
    if pieces:
        yield Segment(start_utc_ns, np.concatenate(pieces))


def _place(after_ns: int, rate_hz: float) -> int:
    """The first sample that is not before so long after the first."""
    return -int(-after_ns * rate_hz // SECOND_NS)
