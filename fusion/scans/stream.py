"""A scan that is judged while its lines come: what stands out is told before the vehicle has left.

Lines are made into cells once, as they come, and looked at in a window of some ten metres: what a
line costs does not depend on how long the scan is. The whole scan is analysed as any other once it
is there, so that its finding is bit by bit that of the same planes out of a file.
"""

from collections.abc import Callable
from dataclasses import dataclass

from fusion.scans.calibrate import ScanMemory
from fusion.scans.glimpse import Glimpse
from fusion.scans.policy import XrayPolicy
from fusion.scans.stretch import Stretch
from fusion.types import MILLISECOND_NS, ScanFinding, ScanLines, ScanSample

Analyse = Callable[[ScanSample, XrayPolicy, ScanMemory | None], ScanFinding]


@dataclass(slots=True)
class _GoingOn:
    """The scan whose lines are coming."""

    first: ScanLines
    stretch: Stretch
    glimpse: Glimpse
    columns: int = 0


@dataclass(slots=True)
class LineScorer:
    """The scans of one scanner, one in the making at a time."""

    policy: XrayPolicy
    analyse: Analyse
    _scan: _GoingOn | None = None

    def lines(self, block: ScanLines, memory: ScanMemory) -> ScanFinding | None:
        """Take more lines; a finding of what is certain so far, where that is news."""
        scan = self._scan
        if block.first_column == 0:
            # What a part shows of the scanner is less than what the whole will.
            stretch = Stretch(self.policy, dict(memory.references))
            scan = _GoingOn(block, stretch, Glimpse(self.policy, block.rear_first))
            self._scan = scan
        if scan is None or block.first_column != scan.columns or not _same(block, scan.first):
            self.forget()  # its beginning is not known: the whole scan will tell
            return None
        if not block.pitch_known:
            return None  # nor is it how far along anything is: the box's length may say
        scan.columns += block.high.shape[1]
        if not scan.stretch.take(block) or not scan.glimpse.look(scan.stretch.window()):
            return None
        return _finding(scan, block)

    def whole(self, scan: ScanSample, memory: ScanMemory) -> ScanFinding:
        """The finding of a scan that is over, line by line or from a file."""
        self.forget()
        return self.analyse(scan, self.policy, memory)

    def forget(self) -> None:
        """Begin anew."""
        self._scan = None


def _same(block: ScanLines, first: ScanLines) -> bool:
    """Whether a block goes on with the scan, in the same form."""
    return (block.scan_id, block.high.shape[0], block.low is None) == (
        first.scan_id,
        first.high.shape[0],
        first.low is None,
    )


def _finding(scan: _GoingOn, newest: ScanLines) -> ScanFinding:
    """What is certain. Never that a box is empty: that is known when all of it was seen."""
    first, seen = scan.first, scan.glimpse
    places = {"seen_m": seen.seen_m, "opaque_m": seen.opaque_m}
    if seen.box_from_m is not None:
        places |= {"box_from_m": seen.box_from_m, "deck_m": seen.deck_m, "roof_m": seen.roof_m}
    return ScanFinding(
        sensor_id=first.sensor_id,
        origin=first.origin,
        start_utc_ns=first.start_utc_ns,
        duration_ms=max(newest.start_utc_ns - first.start_utc_ns, 0) // MILLISECOND_NS,
        scan_id=first.scan_id,
        length_m=round(seen.seen_m, 2),
        declared=first.declared,
        container=first.container,
        empty=False,
        empty_nats=0.0,
        fill=round(seen.fill, 4),
        homogeneity=round(seen.homogeneity, 3),
        unpenetrated=round(seen.unpenetrated, 4),
        regions=seen.regions,
        quality=(),
        notes=("rear-first",) if seen.rear_first else (),
        geometry=tuple((name, round(value, 3)) for name, value in places.items()),
        interim=True,
        rear_first=seen.rear_first,
    )
