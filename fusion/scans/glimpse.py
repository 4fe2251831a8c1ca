"""What the lines that have come show for certain, put together from look to look.

A look goes over a window of the newest cells. What it shows of dense places and of what nothing
penetrates holds whatever comes behind it, once all that is beside it has been seen, in a box that
two looks in a row have found to begin at the same place: before, a tractor is judged as if it were
load. Whether a load is all there, light or empty does not hold, and is left to the end.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from fusion.scans.beam import beam_of
from fusion.scans.contents import cell_noise_of
from fusion.scans.geometry import Geometry, find_geometry
from fusion.scans.load import Residue, residue
from fusion.scans.policy import XrayPolicy
from fusion.scans.regions import at_machine, crowd_sigma, find_regions
from fusion.scans.stretch import Window
from fusion.scans.texture import homogeneity
from fusion.types import ScanRegion

SAME_M = 0.15  # an end wall is found within a cell or two
SAME_CELLS = 2
BESIDE_M = 0.6  # what is beside a place belongs to its judgement
LONGEST_BOX_M = 13.716  # 45 ft: no more than that is there to be penetrated
OPEN_M = 10.0  # of a vehicle without a level top: it has no box
TRACTOR_M = 4.0  # of such a vehicle, where engine and axles are
SURER_SIGMA = 1.5  # over `region_sigma`, so that little is taken back in the end
GROWN_SIGMA = 2.0  # stronger by so much is news
GROWN_SHARE = 0.05


@dataclass(slots=True)
class Glimpse:
    """One scan so far. Metres count in the order of coming from the vehicle's first column."""

    policy: XrayPolicy
    rear_first: bool
    front_m: float | None = None
    """Of the vehicle, from the scan's first line."""
    seen_m: float = 0.0
    """Of the vehicle."""
    box_from_m: float | None = None
    """Of a box that is certain."""
    deck_m: float = 0.0
    roof_m: float = 0.0
    homogeneity: float = 0.0
    _regions: list[ScanRegion] = field(default_factory=list)
    _box: tuple[float, int] | None = None
    """From, and row of its roof, as the last look has found it."""
    _counted_m: float = 0.0
    _cells: int = 0
    _load: int = 0
    _opaque: int = 0
    _opaque_m: float = 0.0
    """Sum over the opaque cells of their place."""
    _opaque_m2: float = 0.0
    _told: tuple[bool, tuple[ScanRegion, ...], float] = (False, (), 0.0)

    @property
    def fill(self) -> float:
        """Share of the box seen so far that holds load."""
        return self._load / self._cells if self._cells else 0.0

    @property
    def unpenetrated(self) -> float:
        """Share of the box that nothing penetrates, and if all of the longest box's rest were
        clear: what comes can only add to it."""
        height_m = self.roof_m - self.deck_m
        return self._opaque_m2 / (LONGEST_BOX_M * height_m) if height_m > 0.0 else 0.0

    @property
    def opaque_m(self) -> float:
        """Middle of what nothing penetrates."""
        return self._opaque_m / self._opaque if self._opaque else 0.0

    @property
    def regions(self) -> tuple[ScanRegion, ...]:
        """Strongest first; where many stand out each is more ordinary, as in a whole scan."""
        less = crowd_sigma((one.sigma for one in self._regions), self.policy)
        told = [replace(one, sigma=round(one.sigma - less, 2)) for one in self._regions]
        least = self.policy.region_sigma + SURER_SIGMA
        sure = [one for one in told if one.sigma >= least]
        sure.sort(key=lambda one: (-one.sigma, one.from_m, one.bottom_m))
        return tuple(sure[: self.policy.max_regions])

    def look(self, window: Window) -> bool:
        """Take a window in; whether there is news."""
        geometry = find_geometry(window.cells, window.plane, window.pitch_mm, self.policy)
        if geometry is None:
            return False
        begins_m = window.from_m + geometry.front * geometry.cell_x_m
        if self.front_m is None:
            self.front_m = begins_m
        self.seen_m = window.to_m - self.front_m
        offset_m = begins_m - self.front_m
        if not self._is_certain(geometry, offset_m):
            return False
        cells, least = window.cells, self.policy.opaque_transmission
        high = residue(cells.high, geometry, least, self.policy)
        low = None if cells.low is None else residue(cells.low, geometry, least, self.policy)
        self.homogeneity = homogeneity(high.values, high.load, high.opaque, self.policy)
        self._count(high, geometry, offset_m)
        beam, noise = beam_of(window.energies_mev), cell_noise_of(cells)
        for region in find_regions(high, low, geometry, beam, self.policy, cell_noise=noise):
            self._keep(region, geometry, offset_m)
        return self._is_news()

    def _is_certain(self, geometry: Geometry, offset_m: float) -> bool:
        """Whether it is known where load can be."""
        last, self._box = self._box, None
        if geometry.box_m[1] <= geometry.box_m[0]:
            return self.box_from_m is None and self.seen_m >= OPEN_M
        top = round(geometry.roof_m / geometry.cell_y_m)
        from_m = round(offset_m + geometry.box_m[0], 3)
        goes_on = last is not None and abs(top - last[1]) <= SAME_CELLS
        if geometry.box_m[0] <= SAME_M and offset_m > 0.0 and last is not None and goes_on:
            from_m = last[0]  # it fills the window from its first column
        self._box = from_m, top
        if last is None or not goes_on or abs(from_m - last[0]) > SAME_M:
            return False
        self.box_from_m, self.deck_m, self.roof_m = from_m, geometry.deck_m, geometry.roof_m
        return True

    def _count(self, found: Residue, geometry: Geometry, offset_m: float) -> None:
        """Add the columns that are new and have all their surroundings."""
        places = (
            offset_m + geometry.along_m(0.5) + geometry.cell_x_m * np.arange(found.load.shape[1])
        )
        settled_m = self.seen_m - BESIDE_M
        new = (places > self._counted_m) & (places <= settled_m)
        self._counted_m = max(self._counted_m, settled_m)
        opaque = np.count_nonzero(found.opaque[:, new], axis=0)
        count = int(opaque.sum())
        self._cells += int(np.count_nonzero(new)) * found.load.shape[0]
        self._load += int(np.count_nonzero(found.load[:, new]))
        self._opaque += count
        self._opaque_m2 += count * geometry.cell_m2
        self._opaque_m += float((places[new] * opaque).sum())

    def _keep(self, region: ScanRegion, geometry: Geometry, offset_m: float) -> None:
        """Keep a place that has been seen with all that is beside it, at its strongest."""
        box_from_m, box_to_m = geometry.box_m
        around_m = box_from_m + box_to_m
        has_box = box_to_m > box_from_m
        if (
            self.rear_first
            and has_box
            and at_machine(around_m - region.to_m, around_m - region.from_m, geometry, self.policy)
        ):
            return
        moved = replace(
            region,
            from_m=round(region.from_m + offset_m, 3),
            to_m=round(region.to_m + offset_m, 3),
        )
        ahead_m, behind_m = BESIDE_M, 0.0
        if self.box_from_m is None:
            ahead_m, behind_m = (TRACTOR_M, 0.0) if self.rear_first else (BESIDE_M, TRACTOR_M)
        if moved.to_m > self.seen_m - ahead_m or moved.from_m < behind_m:
            return
        near = [one for one in self._regions if _overlap(one, moved)]
        if any(one.sigma >= moved.sigma for one in near):
            return
        self._regions = [one for one in self._regions if one not in near] + [moved]

    def _is_news(self) -> bool:
        """Whether more is certain than was told; then it counts as told."""
        has_box, regions, share = self._told
        now = self.regions
        more = [
            one
            for one in now
            if not any(
                _overlap(one, other) and one.sigma < other.sigma + GROWN_SIGMA for other in regions
            )
        ]
        notable = self.unpenetrated >= self.policy.notable_unpenetrated
        darker = notable and self.unpenetrated >= share + GROWN_SHARE
        first = self.box_from_m is not None and not has_box
        if not (first or more or darker):
            return False
        self._told = (
            self.box_from_m is not None,
            now if more else regions,
            self.unpenetrated if notable else share,
        )
        return True


def _overlap(one: ScanRegion, other: ScanRegion) -> bool:
    return (
        one.from_m < other.to_m
        and other.from_m < one.to_m
        and one.bottom_m < other.top_m
        and other.bottom_m < one.top_m
    )
