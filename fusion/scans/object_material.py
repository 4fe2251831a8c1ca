"""What a thing within a load is made of, once the goods around it are taken off in both planes."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.xray_cells import square_means
from fusion.scans.beam import GROUPS, LAYERS_G_CM2, Beam
from fusion.scans.geometry import Geometry
from fusion.scans.load import Residue
from fusion.scans.material import UNRESOLVED
from fusion.scans.policy import XrayPolicy

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

ACROSS_M = 2.3  # inside a container
SOLID_G_CM3 = (1.0, 2.7, 7.86, 11.35)  # of the groups: a thing is no thinner than that
MOST_DEPTH_SHARE = 0.4  # of the box across: what is looked for is no deeper
AROUND_CELLS = (2, 4)  # from the thing: the nearest two cells are blurred with it
LEAST_AROUND = 4  # cells
CORE_SHARE = 0.5  # of the way from the goods around to the thing's own level
TOGETHER_CELLS = 6  # goods differ by pieces, not by cells
GOODS_SPREAD = 0.35  # of the spread between cells, that of the goods where the thing stands
OWN_LIGHT = 0.35  # of what a cell shows: with less, scattered light decides
CLOSED = 8.3  # attenuation over the walls: 2e-4 of the light, two quanta a pixel
RATIO = 1.18  # of the planes' attenuation by goods, facts 2.2


@dataclass(frozen=True, slots=True)
class _Seen:
    """A thing and the goods around it, in the high plane and in the low one."""

    inside: tuple[float, float]
    around: tuple[float, float]
    stray_inside: float
    """What an error of the scattered light, as a share of the light around, would add to the low
    plane over the high one."""
    stray_around: float
    variance: float
    """Of the difference by quanta and by what the goods' own differences leave."""
    high_spread: float
    """Of the goods' attenuation from place to place."""
    size_m: float
    """Of the thing's side."""


def object_material(
    planes: tuple[Residue, Residue | None],
    part: Flags,
    geometry: Geometry,
    beam: Beam,
    policy: XrayPolicy,
    *,
    cell_noise: float,
) -> tuple[str, float]:
    """(group, how sure) of what is there besides the goods; `("", 0)` where too little is.

    planes  high and low
    part    (rows, columns) cells of the thing

    How sure is the share of the likeliest group. `UNRESOLVED` where another group's layer, in the
    place of what goods it displaces, would take as much in the low plane to within two standard
    deviations. What lets next to nothing through is dense if it is too small for anything lighter,
    else `UNRESOLVED`, with 0. The uncertainty has quanta, the goods' own differences, how much of
    them gives way, the scattered light and the planes' calibration in it.
    """
    high, low = planes
    if low is None or not part.any():
        return "", 0.0
    opaque = high.opaque | low.opaque
    seen = None
    if 2 * np.count_nonzero(part & opaque) <= np.count_nonzero(part):
        seen = _seen((high, low), part, geometry, beam, policy, cell_noise=cell_noise)
    if seen is not None:
        more = seen.inside[0] - seen.around[0]
        if np.interp(more, beam.at, beam.areal_g_cm2[2]) < policy.min_material_g_cm2:
            return "", 0.0
        name, share, shown = _group(seen, beam, policy)
        if shown:
            return name, share
    if _least_g_cm3(high, part, opaque, geometry, beam) > SOLID_G_CM3[1]:
        return "dense", policy.opaque_material_share
    return UNRESOLVED, 0.0


def _group(seen: _Seen, beam: Beam, policy: XrayPolicy) -> tuple[str, float, bool]:
    """(group or `UNRESOLVED`, share of the likeliest, whether the low plane can show so much)."""
    due, sd = np.array([_due(seen, group, beam, policy) for group in range(len(GROUPS))]).T
    due = np.minimum.accumulate(due)  # thin layers have no order
    apart = (seen.inside[1] - due) / sd
    beyond = float(apart[-1])
    # Plastics lie a little beyond the first curve, and heavier elements than lead beyond the last.
    apart[0], apart[-1] = min(apart[0], 0.0), max(apart[-1], 0.0)
    odds = np.exp(-0.5 * np.minimum(apart**2, 700.0)) / sd
    best = int(np.argmax(np.round(odds, 9)))
    share = round(float(odds[best] / odds.sum()), 4)
    away = np.round(np.abs(apart), 4)
    alone = np.delete(away, best).min() > policy.material_apart_sigma
    fits = away[best] < policy.material_fit_sigma and beyond > -policy.material_fit_sigma
    shown = max(due[best], seen.inside[1]) < CLOSED
    return (GROUPS[best] if alone and fits else UNRESOLVED), share, shown


def _due(seen: _Seen, group: int, beam: Beam, policy: XrayPolicy) -> tuple[float, float]:
    """(attenuation in the low plane, standard deviation) if the thing were of that group.

    It gives way to the goods by its depth, which is that of a solid piece at least and its side at
    most. What the goods around take in the low plane beside organic ones they take there as well.
    """
    goods = float(np.interp(seen.around[0], beam.at, beam.areal_g_cm2[0]))
    other = seen.around[1] - float(np.interp(seen.around[0], beam.at, beam.low[0]))
    areal = beam.areal_g_cm2[group]
    own = np.interp(seen.inside[0], beam.at, areal) - np.interp(seen.around[0], beam.at, areal)
    solid = min(float(own) / SOLID_G_CM3[group] / 100.0 / ACROSS_M, MOST_DEPTH_SHARE)
    deep = max(solid, min(seen.size_m / ACROSS_M, MOST_DEPTH_SHARE))
    ends = []
    for gone in (0.0, MOST_DEPTH_SHARE):
        in_high, in_low = beam.behind(goods * (1.0 - gone), group)
        layer = np.interp(seen.inside[0], in_high, LAYERS_G_CM2)
        ends.append(float(np.interp(layer, LAYERS_G_CM2, in_low)) + (1.0 - gone) * other)
    slope = (ends[1] - ends[0]) / MOST_DEPTH_SHARE
    gone = solid + policy.hollow_share * (deep - solid)
    less = policy.material_scatter_sd * (seen.stray_inside - (1.0 - gone) * seen.stray_around)
    over = seen.inside[0] - (1.0 - gone) * seen.around[0]
    variance = (
        (policy.hollow_share_sd * (deep - solid) * slope) ** 2
        + (slope * seen.high_spread / max(seen.around[0], 0.1)) ** 2
        + less**2
        + (policy.material_sd * over) ** 2
        + seen.variance
    )
    return ends[0] + slope * gone, math.sqrt(variance)


def _least_g_cm3(
    high: Residue, part: Flags, opaque: Flags, geometry: Geometry, beam: Beam
) -> float:
    """Density at least, if it is no deeper than its longer side."""
    around = grown(part, AROUND_CELLS[1]) & ~grown(part, AROUND_CELLS[0]) & ~opaque
    if np.count_nonzero(around) < LEAST_AROUND:
        return 0.0
    rows, columns = (np.nonzero(part.any(axis=axis))[0] for axis in (1, 0))
    # The blur adds half a cell at either end.
    side_m = max(
        (int(rows[-1]) - int(rows[0])) * geometry.cell_y_m,
        (int(columns[-1]) - int(columns[0])) * geometry.cell_x_m,
        geometry.cell_x_m,
    )
    steel = beam.areal_g_cm2[GROUPS.index("steel")]
    own = float(np.interp(CLOSED - _mean(high.values, around), beam.at, steel))
    return own / (100.0 * side_m)


def _seen(
    planes: tuple[Residue, Residue],
    part: Flags,
    geometry: Geometry,
    beam: Beam,
    policy: XrayPolicy,
    *,
    cell_noise: float,
) -> _Seen | None:
    """Means over the thing and over the goods around it; None where either cannot be measured."""
    half = max(round(policy.material_scatter_m / geometry.cell_x_m), 1)
    window = _window(part, half + AROUND_CELLS[1])
    (high, high_stray, high_own), (low, low_stray, low_own) = (
        _unscattered(plane, window, half, policy) for plane in planes
    )
    judged = high_own & low_own & ~(planes[0].opaque | planes[1].opaque)[window]
    here = part[window]
    around = grown(here, AROUND_CELLS[1]) & ~grown(here, AROUND_CELLS[0])
    around &= planes[0].load[window] & judged
    if 2 * np.count_nonzero(here & judged) < np.count_nonzero(here):
        return None
    if np.count_nonzero(around) < LEAST_AROUND:
        return None
    inside = _core(high, here, judged, _mean(high, around))
    within = _mean(high, inside), _mean(low, inside)
    beside = _mean(high, around), _mean(low, around)
    # An error of the scattered light moves both planes, by the light around over a cell's own.
    stray = low_stray - RATIO * high_stray
    metal = low - np.interp(high, beam.at, beam.low[0])
    variance = 0.0
    for mean, where in ((within, inside), (beside, around)):
        of = int(np.count_nonzero(where))
        quanta = cell_noise**2 * (RATIO**2 * math.exp(mean[0]) + math.exp(mean[1]))
        pieces = max(float(np.var(metal[where])) - quanta, 0.0)
        variance += quanta / of + pieces / max(of / TOGETHER_CELLS, 2.0)
    return _Seen(
        inside=within,
        around=beside,
        stray_inside=_mean(stray, inside),
        stray_around=_mean(stray, around),
        variance=variance,
        high_spread=GOODS_SPREAD * min(float(np.std(high[around])), 0.3 * beside[0]),
        size_m=math.sqrt(int(np.count_nonzero(part)) * geometry.cell_m2),
    )


def _core(high: Floats, here: Flags, judged: Flags, beside: float) -> Flags:
    """Cells of the thing itself: off its blurred rim, and not of goods within the outline."""
    inside = ~grown(~here, 1) & judged
    inside = inside if inside.any() else here & judged
    # Means over 3 x 3, and far from the line in an even thing: noise chooses no cell.
    smooth = np.round(square_means(high, 1), 6)
    known = np.sort(smooth[inside])
    line = beside + CORE_SHARE * (float(known[int(0.9 * (known.size - 1))]) - beside)
    core = inside & (smooth >= line)
    return core if core.any() else inside


def _mean(values: Floats, where: Flags) -> float:
    return float(values[where].sum()) / int(np.count_nonzero(where))


def _unscattered(
    plane: Residue, window: tuple[slice, slice], half: int, policy: XrayPolicy
) -> tuple[Floats, Floats, Flags]:
    """(attenuation, light around over the cell's own, whether there is enough of its own) of a
    window, with the light that comes from farther than the square that is taken off everywhere.

    That square twice is a round spot of the same reach as the blur of scattered light.
    """
    taken, near = plane.values[window], plane.stray[window]
    own = np.exp(-taken)
    wide = square_means(np.minimum(near * own, 1.0), half) / own
    rest = 1.0 + policy.scatter_usual * (near - wide)
    enough = rest > OWN_LIGHT
    rest = np.maximum(rest, OWN_LIGHT)
    return taken - np.log(rest), wide / rest, enough


def _window(part: Flags, margin: int) -> tuple[slice, slice]:
    """The part's bounds and so many cells around them."""
    sides = []
    for axis in (1, 0):
        there = np.nonzero(part.any(axis=axis))[0]
        sides.append(slice(max(int(there[0]) - margin, 0), int(there[-1]) + 1 + margin))
    return sides[0], sides[1]


def grown(part: Flags, by: int) -> Flags:
    """The part and all that is within `by` cells up, down, left or right of it."""
    found = part.copy()
    for _ in range(by):
        before = found.copy()
        found[1:] |= before[:-1]
        found[:-1] |= before[1:]
        found[:, 1:] |= before[:, :-1]
        found[:, :-1] |= before[:, 1:]
    return found
