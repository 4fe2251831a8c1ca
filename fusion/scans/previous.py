"""What has changed in a container since its last scan."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.xray import components
from fusion.scans.alike import Laid, laid_on
from fusion.scans.policy import XrayPolicy
from fusion.scans.signature import SQUARE_M, grid
from fusion.types import SECOND_NS, ScanFinding

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

CONTAINERS = 2_000  # a week of a busy lane
KG = 10.0 * SQUARE_M * SQUARE_M  # of 1 g/cm2 on a square


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How a load differs from the one that the same container had before."""

    since_s: float
    alike: float
    """0 another load ... 1 the very same."""
    added_kg: float
    removed_kg: float
    from_m: float
    to_m: float
    """Of the largest change, along the vehicle."""
    bottom_m: float
    top_m: float
    """Above the lowest row."""
    change_kg: float
    """Of the largest change: positive was added."""


@dataclass
class PreviousScans:
    """The last signature of each container, the oldest forgotten first. One for each engine."""

    _kept: dict[str, tuple[ScanFinding, NDArray[np.float32]]] = field(default_factory=dict)
    """Finding without its signature, and that as numbers."""

    def compare(self, finding: ScanFinding, policy: XrayPolicy) -> Change | None:
        """Hold a scan against the last of the same container, and keep it in its place."""
        if not finding.container or finding.partial or finding.interim:
            return None
        new = grid(finding.signature)
        if new is None:
            return None
        before = self._kept.pop(finding.container, None)
        # A tuple of numbers is ten times as large; what files are made of must be let go.
        light = replace(finding, record=None, signature=())
        self._kept[finding.container] = light, new.astype(np.float32)
        if len(self._kept) > CONTAINERS:
            del self._kept[next(iter(self._kept))]
        if before is None or before[0].scan_id == finding.scan_id:
            return None
        age_s = (finding.start_utc_ns - before[0].start_utc_ns) / SECOND_NS
        if not 0.0 < age_s <= policy.previous_within_s:
            return None
        return change(before[1].astype(np.float64), new, (before[0], finding), policy)


def change(
    old: Floats, new: Floats, scans: tuple[ScanFinding, ScanFinding], policy: XrayPolicy
) -> Change | None:
    """The difference of two scans of one container, or None where they cannot be compared.

    old, new  (rows, columns) of signatures
    scans     that these are of
    """
    before, now = scans
    laid = laid_on(old, new, policy)
    if laid is None:
        return None
    since_s = (now.start_utc_ns - before.start_utc_ns) / SECOND_NS
    nothing = Change(
        since_s=round(since_s, 1), alike=round(laid.alike, 3), added_kg=0.0, removed_kg=0.0,
        from_m=0.0, to_m=0.0, bottom_m=0.0, top_m=0.0, change_kg=0.0,
    )  # fmt: skip
    parts = _parts(laid, policy.change_other if _other(before, now) else 1.0, policy)
    if not parts:
        return nothing
    largest = max(parts, key=lambda part: round(abs(part[0]), 3))
    rows, columns = np.nonzero(largest[1])
    places = dict(now.geometry)
    front_m, deck_m = places.get("zone_from_m", 0.0), places.get("deck_m", 0.0)
    tall = new.shape[0]
    return replace(
        nothing,
        added_kg=round(sum(kg for kg, _ in parts if kg > 0.0), 1),
        removed_kg=round(-sum(kg for kg, _ in parts if kg < 0.0), 1),
        from_m=round(front_m + SQUARE_M * int(columns.min()), 2),
        to_m=round(front_m + SQUARE_M * (int(columns.max()) + 1), 2),
        bottom_m=round(deck_m + SQUARE_M * (tall - 1 - int(rows.max())), 2),
        top_m=round(deck_m + SQUARE_M * (tall - int(rows.min())), 2),
        change_kg=round(largest[0], 1),
    )


def _parts(laid: Laid, times: float, policy: XrayPolicy) -> list[tuple[float, Flags]]:
    """(kg, squares) of each connected change that is more than the two scans' own differences."""
    found = []
    for sign in (1.0, -1.0):
        labels, count = components(sign * laid.sigma > times * policy.change_sigma)
        for label in range(1, count + 1):
            there = labels == label
            # The blur and the lie of the squares spread a thing over its neighbours.
            kg = KG * float(np.sum(laid.more[_grown(there) & laid.known]))
            total = float(np.sum(sign * laid.sigma[there]))
            if sign * kg >= policy.change_kg and total >= times * policy.change_total_sigma:
                found.append((kg, there))
    return found


def _other(before: ScanFinding, now: ScanFinding) -> bool:
    """Whether another scanner, or one set otherwise, took the second scan."""
    pitches = (dict(scan.geometry) for scan in (before, now))
    first, second = ((one.get("pitch_x_mm"), one.get("pitch_y_mm")) for one in pitches)
    return before.sensor_id != now.sensor_id or first != second


def _grown(there: Flags) -> Flags:
    """The squares and those beside, above and below them."""
    grown = there.copy()
    grown[1:] |= there[:-1]
    grown[:-1] |= there[1:]
    grown[:, 1:] |= there[:, :-1]
    grown[:, :-1] |= there[:, 1:]
    return grown
