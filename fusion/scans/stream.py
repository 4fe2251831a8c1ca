"""A scan that is judged while its lines come: what stands out is told before the vehicle has left.

Every so many lines the stretch that has come is analysed as a scan that broke off. What it shows
of dense places and of places that nothing penetrates holds already, once two looks in a row have
found a box that begins at the same place: before, a tractor is judged as if it were load. Whether
the load is all there, light or empty does not hold, and is left to the end. The whole scan is
analysed as any other once it is there, so that its finding is bit by bit that of the same planes
out of a file.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from fusion.scans.calibrate import ScanMemory
from fusion.scans.policy import XrayPolicy
from fusion.types import ScanFinding, ScanLines, ScanSample

Analyse = Callable[[ScanSample, XrayPolicy, ScanMemory | None], ScanFinding]

FIRST_COLUMNS = 512  # a tractor, at 5 to 10 mm
SAME_M = 0.15  # an end wall is found within a cell or two
GROWTH = 1.4
"""From one look to the next: all looks at a scan together then cost at most three and a half times
what the last one costs, however long the scan is."""


@dataclass(slots=True)
class LineScorer:
    """The scans of one scanner, each in the making."""

    policy: XrayPolicy
    analyse: Analyse
    _blocks: list[ScanLines] = field(default_factory=list)
    _columns: int = 0
    _due: int = FIRST_COLUMNS
    _box_from_m: float | None = None
    """Where the last look has found the box to begin."""

    def lines(self, block: ScanLines, memory: ScanMemory) -> ScanFinding | None:
        """Take more lines; a finding of the stretch so far, where a look is due and shows
        something that will not go away with the rest."""
        if block.first_column == 0 or not self._follows(block):
            self.forget()
        if block.first_column != self._columns:
            return None  # its beginning is not known: the whole scan will tell
        self._blocks.append(block)
        self._columns += block.high.shape[1]
        if self._columns < self._due:
            return None
        self._due = int(self._columns * GROWTH)
        # What a stretch shows of the scanner is less than what the scan will.
        known = ScanMemory(dict(memory.references))
        finding = self.analyse(self._stretch(), self.policy, known)
        if not self._has_box(finding):
            return None
        if not (finding.regions or finding.unpenetrated >= self.policy.notable_unpenetrated):
            return None
        return replace(finding, interim=True, partial=False)

    def whole(self, scan: ScanSample, memory: ScanMemory) -> ScanFinding:
        """The finding of a scan that is over, line by line or from a file."""
        self.forget()
        return self.analyse(scan, self.policy, memory)

    def forget(self) -> None:
        """Begin anew."""
        self._blocks.clear()
        self._columns, self._due, self._box_from_m = 0, FIRST_COLUMNS, None

    def _has_box(self, finding: ScanFinding) -> bool:
        """Whether a box was found, beginning where the look before has found it to."""
        places = dict(finding.geometry)
        found_m = places.get("box_from_m", 0.0)
        is_box = places.get("box_to_m", 0.0) > found_m
        seen_m, self._box_from_m = self._box_from_m, found_m if is_box else None
        return is_box and seen_m is not None and abs(found_m - seen_m) <= SAME_M

    def _follows(self, block: ScanLines) -> bool:
        return not self._blocks or self._blocks[-1].scan_id == block.scan_id

    def _stretch(self) -> ScanSample:
        """What has come, as a scan that broke off."""
        first = self._blocks[0]
        lows = [block.low for block in self._blocks if block.low is not None]
        passed_ns = self._blocks[-1].start_utc_ns - first.start_utc_ns
        return ScanSample(
            sensor_id=first.sensor_id,
            origin=first.origin,
            start_utc_ns=first.start_utc_ns,
            duration_ms=max(passed_ns, 0) // 1_000_000,
            scan_id=first.scan_id,
            high=np.concatenate([block.high for block in self._blocks], axis=1),
            low=np.concatenate(lows, axis=1) if len(lows) == len(self._blocks) else None,
            composite=None,
            pitch_x_mm=first.pitch_x_mm,
            pitch_y_mm=first.pitch_y_mm,
            energies_mev=first.energies_mev,
            declared="",
            container="",
            digests=(),
            partial=True,
        )
