"""Places in a load that are denser than what surrounds them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.xray import components, surround_contrast
from fusion.scans.beam import GROUPS, Beam
from fusion.scans.calibrate import Flags, Floats
from fusion.scans.geometry import Geometry
from fusion.scans.load import Residue
from fusion.scans.material import odds_of
from fusion.scans.policy import XrayPolicy
from fusion.types import ScanRegion


@dataclass(frozen=True, slots=True)
class _Peaks:
    """At each place the scale that stands out most."""

    sigma: Floats
    """(rows, columns), NaN nowhere: 0 where nothing was tested."""
    around: Floats
    """Mean attenuation of the surroundings at that scale."""
    half: Floats
    """Half side of the box in cells at that scale."""


def find_regions(
    high: Residue, low: Residue | None, geometry: Geometry, beam: Beam, policy: XrayPolicy
) -> tuple[ScanRegion, ...]:
    """Strongest first, at most `policy.max_regions`, none overlapping another."""
    peaks = _peaks(high, geometry, policy)
    sigma = peaks.sigma.copy()
    regions: list[ScanRegion] = []
    while len(regions) < policy.max_regions:
        place = int(np.argmax(sigma))
        row, column = divmod(place, sigma.shape[1])
        if sigma[row, column] < policy.region_sigma:
            break
        extent = _extent(high.values, row, column, peaks)
        region = _region(
            high, low, geometry, policy, beam=beam, extent=extent, peaks=peaks, peak=(row, column)
        )
        if region is not None:
            regions.append(region)
        _, rows, columns = extent
        half = int(peaks.half[row, column]) + 1
        sigma[
            max(min(rows.start, row) - half, 0) : max(rows.stop, row) + half,
            max(min(columns.start, column) - half, 0) : max(columns.stop, column) + half,
        ] = 0.0
    return tuple(sorted(regions, key=lambda r: (-r.sigma, r.from_m, r.bottom_m)))


def _peaks(high: Residue, geometry: Geometry, policy: XrayPolicy) -> _Peaks:
    shape = high.values.shape
    best, around_best, half_best = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    cell_m = (geometry.cell_x_m + geometry.cell_y_m) / 2
    for scale_m in policy.region_scales_m:
        inner = max(round(scale_m / cell_m / 2 - 0.5), 1)
        # Beyond the guard an object as large as the box no longer darkens its surroundings.
        halves = (inner, 2 * inner + 1, 3 * inner + 3)
        contrast, around = surround_contrast(high.values, high.load, halves, policy.min_load_around)
        tested = contrast[~np.isnan(contrast)]
        if tested.size == 0:
            continue
        floor = policy.contrast_floor + policy.contrast_relative * around
        spread = np.sqrt(_texture(tested) ** 2 + floor**2)
        sigma = np.nan_to_num(contrast / spread)
        better = sigma > best
        best[better], around_best[better] = sigma[better], around[better]
        half_best[better] = inner
    return _Peaks(best, around_best, half_best)


def _texture(contrast: Floats) -> float:
    """Spread of the contrasts of ordinary places in this load, at one scale.

    The upper quantile is there for clutter, whose contrasts have a long tail that the median
    distance does not see; one object fills too little of a load to reach it.
    """
    ordered = np.sort(contrast)
    middle = ordered[ordered.size // 2]
    distance = np.sort(np.abs(contrast - middle))[contrast.size // 2]
    upper = ordered[int(0.92 * (ordered.size - 1))]
    return max(1.4826 * float(distance), float(upper) / 1.4, 0.0)


def _extent(values: Floats, row: int, column: int, peaks: _Peaks) -> tuple[Flags, slice, slice]:
    """The part about a peak that is nearer to it than to its surroundings, and its box."""
    half = int(peaks.half[row, column])
    reach = 2 * half + 1
    window = (
        slice(max(row - reach, 0), row + reach + 1),
        slice(max(column - reach, 0), column + reach + 1),
    )
    core = values[max(row - half, 0) : row + half + 1, max(column - half, 0) : column + half + 1]
    around = float(peaks.around[row, column])
    threshold = (float(np.sort(core.reshape(-1))[core.size // 2]) + around) / 2
    labels, _ = components(values[window] > max(threshold, around))
    y, x = row - window[0].start, column - window[1].start
    label = int(labels[y, x]) or _commonest(labels)
    part = np.zeros(values.shape, np.bool_)
    part[window] = (labels == label) & (labels > 0)
    if not part.any():
        part[row, column] = True
    rows, columns = np.nonzero(part.any(axis=1))[0], np.nonzero(part.any(axis=0))[0]
    return part, slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _commonest(labels: NDArray[np.int32]) -> int:
    counts = np.bincount(labels.reshape(-1))
    return int(np.argmax(counts[1:])) + 1 if counts.size > 1 else 0


def _region(
    high: Residue,
    low: Residue | None,
    geometry: Geometry,
    policy: XrayPolicy,
    *,
    beam: Beam,
    extent: tuple[Flags, slice, slice],
    peaks: _Peaks,
    peak: tuple[int, int],
) -> ScanRegion | None:
    """The region in metres and g/cm2, or None where it is too little to be told."""
    part, rows, columns = extent
    around = float(peaks.around[peak])
    mean = float(high.values[part].sum()) / np.count_nonzero(part)
    steel = np.interp((around, mean), beam.at, beam.areal_g_cm2[2])
    excess_g_cm2 = float(steel[1] - steel[0])
    if excess_g_cm2 < policy.min_excess_g_cm2:
        return None
    material, share = _material(high, low, part, beam, policy)
    area_m2 = int(np.count_nonzero(part)) * geometry.cell_m2
    return ScanRegion(
        from_m=round(geometry.along_m(columns.start), 2),
        to_m=round(geometry.along_m(columns.stop), 2),
        bottom_m=round(geometry.height_m(rows.stop), 2),
        top_m=round(geometry.height_m(rows.start), 2),
        excess_g_cm2=round(excess_g_cm2, 1),
        sigma=round(min(float(peaks.sigma[peak]), policy.max_sigma), 2),
        material=material,
        material_share=round(share, 2),
        mass_kg=round(10.0 * excess_g_cm2 * area_m2, 1),
    )


def _material(
    high: Residue, low: Residue | None, part: Flags, beam: Beam, policy: XrayPolicy
) -> tuple[str, float]:
    """(group, how sure) of the excess over the surroundings; `("", 0)` where it is not told."""
    if low is None:
        return "", 0.0
    opaque = high.opaque | low.opaque
    if 2 * np.count_nonzero(part & opaque) > np.count_nonzero(part):
        return "dense", policy.opaque_material_share
    ring = _grown(part, 4) & ~_grown(part, 2) & high.load & ~opaque
    inside = _shrunk(part) & ~opaque
    inside = inside if inside.any() else part & ~opaque
    if np.count_nonzero(ring) < 4:
        return "", 0.0
    high_in, high_ring, low_in, low_ring = (
        float(values[where].sum()) / np.count_nonzero(where)
        for values in (high.values, low.values)
        for where in (inside, ring)
    )
    more_high, more_low = high_in - high_ring, low_in - low_ring
    if np.interp(more_high, beam.at, beam.areal_g_cm2[2]) < policy.min_material_g_cm2:
        return "", 0.0
    # What more of each group would take in the low plane, at this depth of the beam.
    due = [np.interp(high_in, beam.at, c) - np.interp(high_ring, beam.at, c) for c in beam.low]
    share = odds_of(
        np.array(more_low), [np.array(each) for each in due], policy.material_sd * high_in
    )
    best = int(np.argmax(share))
    return GROUPS[best], float(share[best])


def _grown(part: Flags, by: int) -> Flags:
    """The part and all that is within `by` cells up, down, left or right of it."""
    grown = part.copy()
    for _ in range(by):
        before = grown.copy()
        grown[1:] |= before[:-1]
        grown[:-1] |= before[1:]
        grown[:, 1:] |= before[:, :-1]
        grown[:, :-1] |= before[:, 1:]
    return grown


def _shrunk(part: Flags) -> Flags:
    """The part without its outermost cells, which the picture's blur mixes."""
    return ~_grown(~part, 1)
