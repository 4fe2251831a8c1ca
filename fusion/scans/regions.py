"""Places in a load that are denser, or more metal, than what is beside, above and below them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.xray import box_sums, components
from fusion.kernels.xray_load import place_terms, side_differences, side_ranks
from fusion.scans.beam import GROUPS, Beam
from fusion.scans.geometry import Geometry
from fusion.scans.load import Residue
from fusion.scans.metal import Signal, metal_signal
from fusion.scans.object_material import grown, object_material
from fusion.scans.policy import XrayPolicy
from fusion.scans.regions_fitted import WEIGHTS
from fusion.types import ScanRegion

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEAST_TESTED = 20  # places of one size: fewer say nothing of what is ordinary in this load
SAMPLED = 600  # places that say what is ordinary
SIGMA_AT_0 = 7.7  # where a box was as often a thing as not, of those that the score was set on
LINE = 5.0  # sigmas of what is just as far out as one load in ten without anything hidden in it
SLAB_BANDS = 5  # of its height: a partition shows in all but one of them


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A box that stands out."""

    sigma: float
    rows: slice
    columns: slice
    excess: float
    """Mean attenuation over what is around."""

    def extent_m(self, geometry: Geometry) -> tuple[float, float, float, float]:
        """From, to, bottom, top."""
        return (
            geometry.along_m(self.columns.start),
            geometry.along_m(self.columns.stop),
            geometry.height_m(self.rows.stop),
            geometry.height_m(self.rows.start),
        )


def find_regions(
    high: Residue,
    low: Residue | None,
    geometry: Geometry,
    beam: Beam,
    policy: XrayPolicy,
    *,
    cell_noise: float,
) -> tuple[ScanRegion, ...]:
    """Strongest first, at most `policy.max_regions`, none overlapping another."""
    signal = metal_signal(high, low, beam, cell_noise, policy)
    # What is too little to be told still makes others more ordinary.
    least = min(policy.region_faint_from, policy.region_sigma)
    found = _slabs(signal, geometry, policy, least)
    for size in policy.region_sizes:
        found += _boxes(signal, size, geometry, policy, least)
    kept: list[_Place] = []
    for place in sorted(found, key=lambda p: (-p.sigma, p.columns.start, p.rows.start)):
        from_m, to_m, _, _ = place.extent_m(geometry)
        if at_machine(from_m, to_m, geometry, policy):
            continue
        if not any(_overlap(place, other) for other in kept):
            kept.append(place)
            if len(kept) == policy.max_regions:
                break
    regions = [
        _region(place, (high, low), geometry, beam, policy, cell_noise=cell_noise)
        for place in _sober(kept, policy)
    ]
    return tuple(sorted(regions, key=lambda r: (-r.sigma, r.from_m, r.bottom_m)))


def _sober(places: list[_Place], policy: XrayPolicy) -> list[_Place]:
    """What is left to be told where many places stand out."""
    less = crowd_sigma([place.sigma for place in places], policy)
    told = [
        replace(place, sigma=round(min(place.sigma, policy.max_sigma) - less, 2))
        for place in places
    ]
    return [place for place in told if place.sigma >= policy.region_sigma]


def crowd_sigma(sigmas: Iterable[float], policy: XrayPolicy) -> float:
    """How much less each of a load's places says, as others stand out like it.

    Few families of goods have strong places, but those have several: each other strong one takes
    far more off than one that would hardly be told.
    """
    told = list(sigmas)
    faint, strong = (
        max(sum(sigma >= line for sigma in told) - 1, 0)
        for line in (policy.region_faint_from, policy.region_crowd_from)
    )
    return policy.region_faint_sigma * faint + policy.region_crowd_sigma * strong


def at_machine(from_m: float, to_m: float, geometry: Geometry, policy: XrayPolicy) -> bool:
    """Whether a place is where a reefer has its machine: the box may be one."""
    front = geometry.box_m[0] + policy.front_m
    return from_m < front and to_m < front + policy.machine_m


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """Boxes of one size that stand out at all, and what speaks for each."""

    places: NDArray[np.int64]
    """(n, 2) row and column of the middle, in cells of the signal."""
    half: tuple[int, int]
    """Half height and half length."""
    terms: Floats
    """(n, terms) of `place_terms`, and then those of the size and of how many sides are load."""
    excess: Floats
    """(n,) mean attenuation over its sides."""

    def place(self, index: int, sigma: float, pool: int) -> _Place:
        """One of them, in the picture's cells: `pool` to a cell of the signal."""
        row, column = self.places[index].tolist()
        half_y, half_x = self.half
        return _Place(
            sigma=sigma,
            rows=slice((row - half_y) * pool, (row + half_y + 1) * pool),
            columns=slice((column - half_x) * pool, (column + half_x + 1) * pool),
            excess=float(self.excess[index]),
        )


def tested_boxes(
    signal: Signal, size: tuple[float, float], geometry: Geometry, policy: XrayPolicy
) -> Tested | None:
    """Boxes of one height and length that are denser, or more metal, than all that is beside them.

    None: there is too little load to say what is ordinary in it.
    """
    tall_m, long_m = size
    half_y = max(round(tall_m / signal.cell_m(geometry.cell_y_m) / 2 - 0.5), 1)
    half_x = max(round(long_m / signal.cell_m(geometry.cell_x_m) / 2 - 0.5), 1)
    strip = max(round(policy.region_strip_m / signal.cell_m(geometry.cell_x_m) / 2 - 0.5), 1)
    places, found, inside = side_differences(
        signal.sums,
        (half_y, half_x, min(strip, half_y), min(strip, half_x)),
        1,
        max(min(half_y, half_x) // 2, 1),
        policy.region_load,
    )
    if len(places) < LEAST_TESTED:
        return None
    step = max(len(found) // SAMPLED, 1)
    some, some_inside = found[::step], inside[::step]
    floors = policy.region_floor, policy.region_floor_share, policy.region_metal_floor
    textures = _texture(some[:, 0, 0]), _texture(some[:, 0, 2]), _texture(some[:, 1, 0])
    ranks = side_ranks(found, inside[:, 0].copy(), textures, floors)
    # What is ordinary in this load: clutter has lumps of its own.
    least = ranks[::step, 0][ranks[::step, 6] > 0.0]
    if least.size < LEAST_TESTED:
        return None
    usual = (
        textures[0],
        _quantile(some_inside[:, 0], policy.region_ordinary),
        _quantile(some_inside[:, 1], 0.5),
        _texture(some_inside[:, 1]),
        _quantile(least, policy.region_ordinary),
    )
    strong = np.nonzero(ranks[:, 1] > policy.region_least_sigma)[0]
    terms = place_terms(ranks[strong], inside[strong], usual, floors)
    sides = ranks[strong, 6]
    shape = np.empty((len(strong), 4))
    shape[:, 0], shape[:, 1] = math.log(tall_m * long_m), math.log(long_m / tall_m)
    shape[:, 2], shape[:, 3] = sides == 4.0, sides == 2.0
    return Tested(
        places=places[strong],
        half=(half_y, half_x),
        terms=np.concatenate((terms, shape), axis=1),
        excess=ranks[strong, 7],
    )


def _boxes(
    signal: Signal,
    size: tuple[float, float],
    geometry: Geometry,
    policy: XrayPolicy,
    least_sigma: float,
) -> list[_Place]:
    """Boxes of one height and length by how likely each is a thing that does not belong."""
    tested = tested_boxes(signal, size, geometry, policy)
    if tested is None:
        return []
    nats = (tested.terms * WEIGHTS[:-1]).sum(axis=1) + WEIGHTS[-1]
    sigma = np.round(SIGMA_AT_0 + nats, 4)
    places: list[_Place] = []
    strong = np.nonzero(sigma >= least_sigma)[0]
    for index in strong[np.argsort(-sigma[strong], kind="stable")].tolist():
        if len(places) == policy.max_regions:
            break
        one = tested.place(index, float(sigma[index]), signal.pool)
        if not any(_overlap(one, other) for other in places):
            places.append(one)
    return places


def _slabs(
    signal: Signal, geometry: Geometry, policy: XrayPolicy, least_sigma: float
) -> list[_Place]:
    """Upright slabs from the deck to the roof: a partition, with what is behind it."""
    rows, columns = signal.high.shape
    edges = np.arange(SLAB_BANDS + 1) * rows // SLAB_BANDS
    if rows < SLAB_BANDS:
        return []
    bands = np.add.reduceat(signal.high, edges[:-1], axis=0) / np.diff(edges)[:, None]
    found: list[_Place] = []
    cell_m = signal.cell_m(geometry.cell_x_m)
    for long_m, line in policy.region_slabs:
        half = max(round(long_m / cell_m / 2 - 0.5), 1)
        strip = max(round(policy.slab_strip_m / cell_m / 2 - 0.5), 1)
        apart = half + strip + 2
        if columns < 4 * apart:
            continue
        inner, beside = _running(bands, half), _running(bands, strip)
        left = np.full(bands.shape, np.nan)
        right = left.copy()
        left[:, apart:] = inner[:, apart:] - beside[:, :-apart]
        right[:, :-apart] = inner[:, :-apart] - beside[:, apart:]
        over = np.minimum(left, right)
        floor = policy.slab_floor + policy.slab_floor_share * bands
        texture = np.array([_texture(np.stack(pair)) for pair in zip(left, right, strict=True)])
        each = np.where(np.isnan(over), -9.0, over / np.sqrt(texture[:, None] ** 2 + floor**2))
        # All but one band: the roof or the deck may hide one.
        sigma = np.round(LINE * np.sort(each, axis=0)[1] / line, 4)
        for column in np.argsort(-sigma, kind="stable")[: 2 * policy.max_regions].tolist():
            if sigma[column] < least_sigma:
                break
            one = _Place(
                sigma=float(sigma[column]),
                rows=slice(0, rows * signal.pool),
                columns=slice((column - half) * signal.pool, (column + half + 1) * signal.pool),
                excess=float(np.mean(over[:, column])),
            )
            if not any(_overlap(one, other) for other in found):
                found.append(one)
    return found


def _running(bands: Floats, half: int) -> Floats:
    """(bands, columns) mean over 2 * half + 1 columns; NaN at the ends."""
    sums = box_sums(bands)
    sums = sums[1:] - sums[:-1]
    means = np.full(bands.shape, np.nan)
    side = 2 * half + 1
    means[:, half : bands.shape[1] - half] = (sums[:, side:] - sums[:, :-side]) / side
    return means


def _overlap(one: _Place, other: _Place) -> bool:
    return all(
        this.start < that.stop and that.start < this.stop
        for this, that in ((one.rows, other.rows), (one.columns, other.columns))
    )


def _texture(differences: Floats) -> float:
    """Spread of ordinary differences between neighbours in this load, as the median tells it."""
    known = differences[~np.isnan(differences)]
    if known.size == 0:
        return 0.0
    middle = known.size // 2
    away = np.abs(known - np.partition(known, middle)[middle])
    return 1.4826 * float(np.partition(away, middle)[middle])


def _quantile(values: Floats, share: float) -> float:
    place = int(share * (values.size - 1))
    return float(np.partition(values, place)[place])


def _region(
    place: _Place,
    planes: tuple[Residue, Residue | None],
    geometry: Geometry,
    beam: Beam,
    policy: XrayPolicy,
    *,
    cell_noise: float,
) -> ScanRegion:
    """The place in metres, with what it is made of and how much more is there."""
    high = planes[0]
    part = _outlined(place, high, policy)
    rows, columns = np.nonzero(part.any(axis=1))[0], np.nonzero(part.any(axis=0))[0]
    steel = beam.areal_g_cm2[GROUPS.index("steel")]
    mean = float(high.values[part].sum()) / int(np.count_nonzero(part))
    around = grown(part, 4) & ~grown(part, 1) & high.load & ~high.built
    known = int(np.count_nonzero(around))
    excess = mean - float(high.values[around].sum()) / known if known >= 4 else place.excess
    areal = [float(np.interp(at, beam.at, steel)) for at in (mean - excess, mean)]
    excess_g_cm2 = areal[1] - areal[0]
    material, share = object_material(planes, part, geometry, beam, policy, cell_noise=cell_noise)
    area_m2 = int(np.count_nonzero(part)) * geometry.cell_m2
    return ScanRegion(
        from_m=round(geometry.along_m(int(columns[0])), 2),
        to_m=round(geometry.along_m(int(columns[-1]) + 1), 2),
        bottom_m=round(geometry.height_m(int(rows[-1]) + 1), 2),
        top_m=round(geometry.height_m(int(rows[0])), 2),
        excess_g_cm2=round(excess_g_cm2, 1),
        sigma=place.sigma,
        material=material,
        material_share=round(share, 2),
        mass_kg=round(10.0 * excess_g_cm2 * area_m2, 1) if excess_g_cm2 > 0.0 else None,
    )


def _outlined(place: _Place, high: Residue, policy: XrayPolicy) -> Flags:
    """The connected cells about a place that are nearer to it than to what is around.

    Where that is far less or more than the box, as in what stands out by its metal alone, it is
    the box.
    """
    shape = high.values.shape
    box = np.zeros(shape, np.bool_)
    box[place.rows, place.columns] = True
    if place.excess < policy.outline_attenuation:
        return box
    tall, long = (side.stop - side.start for side in (place.rows, place.columns))
    window = (
        slice(max(place.rows.start - tall, 0), min(place.rows.stop + tall, shape[0])),
        slice(max(place.columns.start - long, 0), min(place.columns.stop + long, shape[1])),
    )
    inside = np.sort(high.values[box], axis=None)
    line = float(inside[inside.size // 2]) - place.excess / 2
    labels, count = components(high.values[window] > line)
    if count == 0:
        return box
    sizes = np.bincount(labels[box[window]], minlength=count + 1)
    sizes[0] = 0
    part = np.zeros(shape, np.bool_)
    part[window] = labels == int(np.argmax(sizes))
    of, within = int(np.count_nonzero(box)), int(sizes.max())
    return part if 3 * within >= of and np.count_nonzero(part) <= 4 * of else box
