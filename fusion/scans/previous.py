"""What has changed in a container since its last scan."""

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.xray import components
from fusion.scans.policy import XrayPolicy
from fusion.scans.texture import SIGNATURE_M
from fusion.types import SECOND_NS, ScanFinding

Floats = NDArray[np.float64]

CONTAINERS = 2_000  # a week of a busy lane; some 8 MB
MOST_SHIFT = 4  # squares of 0.25 m: how far the box's front wall may have been missed


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

    _kept: dict[str, ScanFinding] = field(default_factory=dict)

    def compare(self, finding: ScanFinding, policy: XrayPolicy) -> Change | None:
        """Hold a scan against the last of the same container, and keep it in its place."""
        if not finding.container or not finding.signature or finding.partial or finding.interim:
            return None
        before = self._kept.pop(finding.container, None)
        # What files are made of would only be kept from being let go.
        self._kept[finding.container] = replace(finding, record=None)
        if len(self._kept) > CONTAINERS:
            del self._kept[next(iter(self._kept))]
        if before is None or before.scan_id == finding.scan_id:
            return None
        age_s = (finding.start_utc_ns - before.start_utc_ns) / SECOND_NS
        if not 0.0 < age_s <= policy.previous_within_s:
            return None
        return change(before, finding, policy)


def change(before: ScanFinding, now: ScanFinding, policy: XrayPolicy) -> Change | None:
    """The difference of two scans of one container, or None where they cannot be compared."""
    old, new = grid(before.signature), grid(now.signature)
    if old is None or new is None or abs(old.shape[1] - new.shape[1]) > MOST_SHIFT:
        return None
    rows = min(old.shape[0], new.shape[0])
    old, new = old[-rows:], new[-rows:]  # both stand on the deck
    shift = _shift(old, new)
    old = _aligned(old, shift, new.shape[1])
    seen = ~np.isnan(old)
    both = np.where(seen, old, new)
    more = new - both
    total = float(np.sum(both[seen]) + np.sum(new[seen]))
    alike = 1.0 - float(np.sum(np.abs(more[seen]))) / max(total, 1e-9) if total else 1.0
    kg = 10.0 * SIGNATURE_M * SIGNATURE_M
    mask = np.abs(more) > np.maximum(policy.change_g_cm2, policy.change_share * both)
    labels, count = components(mask)
    if count == 0:
        return Change(
            since_s=_since_s(before, now), alike=round(alike, 3), added_kg=0.0, removed_kg=0.0,
            from_m=0.0, to_m=0.0, bottom_m=0.0, top_m=0.0, change_kg=0.0,
        )  # fmt: skip
    sums = np.bincount(labels.reshape(-1), weights=more.reshape(-1), minlength=count + 1)[1:] * kg
    largest = int(np.argmax(np.round(np.abs(sums), 6)))
    part_rows, part_columns = np.nonzero(labels == largest + 1)
    places = dict(now.geometry)
    front_m, deck_m = places.get("zone_from_m", 0.0), places.get("deck_m", 0.0)
    changed = more[mask]
    return Change(
        since_s=_since_s(before, now),
        alike=round(alike, 3),
        added_kg=round(float(np.sum(changed[changed > 0])) * kg, 1),
        removed_kg=round(-float(np.sum(changed[changed < 0])) * kg, 1),
        from_m=round(front_m + SIGNATURE_M * int(part_columns.min()), 2),
        to_m=round(front_m + SIGNATURE_M * (int(part_columns.max()) + 1), 2),
        bottom_m=round(deck_m + SIGNATURE_M * (rows - 1 - int(part_rows.max())), 2),
        top_m=round(deck_m + SIGNATURE_M * (rows - int(part_rows.min())), 2),
        change_kg=round(float(sums[largest]), 1),
    )


def grid(signature: tuple[float, ...]) -> Floats | None:
    """(rows, columns) g/cm2 of a signature; None where it is none."""
    if not signature:
        return None
    columns = int(signature[0])
    numbers = np.array(signature[1:], np.float64)
    if columns < 1 or numbers.size == 0 or numbers.size % columns:
        return None
    return numbers.reshape(-1, columns)


def _shift(old: Floats, new: Floats) -> int:
    """By how many columns the old one has to move to lie best on the new one."""
    costs = []
    for shift in range(-MOST_SHIFT, MOST_SHIFT + 1):
        moved = _aligned(old, shift, new.shape[1])
        seen = ~np.isnan(moved)
        apart = float(np.sum(np.abs(moved - new)[seen])) / max(int(np.count_nonzero(seen)), 1)
        # Of equals the least shift.
        costs.append((round(apart, 6), abs(shift), shift))
    return min(costs)[2]


def _aligned(old: Floats, shift: int, columns: int) -> Floats:
    """(rows, columns) the old one moved by `shift` columns; NaN where it does not reach."""
    moved = np.full((old.shape[0], columns), math.nan)
    first, last = max(shift, 0), min(old.shape[1] + shift, columns)
    if last > first:
        moved[:, first:last] = old[:, first - shift : last - shift]
    return moved


def _since_s(before: ScanFinding, now: ScanFinding) -> float:
    return round((now.start_utc_ns - before.start_utc_ns) / SECOND_NS, 1)
