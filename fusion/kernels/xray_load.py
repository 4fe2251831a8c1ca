"""Kernels of what a container holds, on cells of the picture."""

# ruff: noqa: PLR0917 - kernels take no structures

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

NEAR_BINS = 1000


@njit(cache=True, nogil=True)
def near_medians(
    values: NDArray[np.float64], spread: float, least: int, down: bool
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Lower median of what is within `spread` of 0, in each row, or in each column.

    values   (rows, columns)
    spread   what is farther away does not count
    least    fewer than so many give 0
    down     of columns and not of rows
    returns  medians, to a 500th of the spread, and how many counted
    """
    count, across = values.shape
    if down:
        count, across = across, count
    medians = np.zeros(count)
    counts = np.zeros(count, np.int64)
    bins = np.empty(NEAR_BINS, np.int32)
    scale = NEAR_BINS / (2.0 * spread)
    for line in range(count):
        bins[:] = 0
        near = 0
        for place in range(across):
            value = values[place, line] if down else values[line, place]
            if -spread < value < spread:
                bins[min(int((value + spread) * scale), NEAR_BINS - 1)] += 1
                near += 1
        counts[line] = near
        if near < max(least, 1):
            continue
        left = (near - 1) // 2
        at = 0
        while bins[at] <= left:
            left -= bins[at]
            at += 1
        # Even within its bin: values lie there close together.
        within = (left + 0.5) / bins[at]
        medians[line] = (at + within) / scale - spread
    return medians, counts


@njit(cache=True, nogil=True)
def strongest_wave(
    values: NDArray[np.float64], known: NDArray[np.bool_], step: float, periods: NDArray[np.float64]
) -> int:
    """Index of the period with the most power in what is known of a line.

    values   (n,) equally far apart, by `step`
    periods  (m,) in the unit of `step`
    """
    count = periods.shape[0]
    cosine, sine = np.empty(count), np.empty(count)
    for k in range(count):
        turn = 2.0 * math.pi * step / periods[k]
        cosine[k], sine[k] = math.cos(turn), math.sin(turn)
    along, across = np.ones(count), np.zeros(count)
    real, imaginary = np.zeros(count), np.zeros(count)
    # All waves side by side: each turns on from place to place by itself.
    for i in range(values.shape[0]):
        value = values[i] if known[i] else 0.0
        for k in range(count):
            real[k] += value * along[k]
            imaginary[k] += value * across[k]
            before = along[k]
            along[k] = before * cosine[k] - across[k] * sine[k]
            across[k] = across[k] * cosine[k] + before * sine[k]
    best, most = 0, -1.0
    for k in range(count):
        power = real[k] * real[k] + imaginary[k] * imaginary[k]
        if power > most * (1.0 + 1e-9):
            best, most = k, power
    return best


@njit(cache=True, nogil=True)
def fitted_waves(
    values: NDArray[np.float64], known: NDArray[np.bool_], turn: float, harmonics: int, held: float
) -> NDArray[np.float64]:
    """Level and waves that fit best what is known of a line, carried on over all of it.

    values     (n,) equally far apart
    turn       radians of the first wave from one to the next
    harmonics  waves of 1, 2 ... times as many turns
    held       added to the diagonal of the normal equations: few values cannot give large waves
    returns    (n,)
    """
    size = 1 + 2 * harmonics
    n = values.shape[0]
    waves = np.ones((size, n))
    for k in range(1, harmonics + 1):
        for i in range(n):
            waves[2 * k - 1, i] = math.cos(k * turn * i)
            waves[2 * k, i] = math.sin(k * turn * i)
    system = np.zeros((size, size + 1))
    for i in range(n):
        if known[i]:
            for a in range(size):
                for b in range(size):
                    system[a, b] += waves[a, i] * waves[b, i]
                system[a, size] += waves[a, i] * values[i]
    for a in range(size):
        system[a, a] += held
    _solve(system)
    pattern = np.zeros(n)
    for a in range(size):
        for i in range(n):
            pattern[i] += system[a, size] / system[a, a] * waves[a, i]
    return pattern


@njit(cache=True, nogil=True)
def _solve(system: NDArray[np.float64]) -> None:
    """Make a system with its right side as last column diagonal: Gauss and Jordan.

    It is positive definite: no pivots are needed.
    """
    size = system.shape[0]
    for a in range(size):
        for row in range(size):
            if row != a:
                share = system[row, a] / system[a, a]
                for b in range(a, size + 1):
                    system[row, b] -= share * system[a, b]


@njit(cache=True, nogil=True)
def _among(
    below: float, curves: NDArray[np.float64], at: int, rest: float
) -> tuple[float, float, int]:
    """Place of a low plane's loss between the groups' curves, how far it is from the nearest line
    halfway between two of them, and the group that it is of."""
    between, nearest, lower = 0.0, 1e9, 0.0
    best = 0
    for k in range(curves.shape[0]):
        due = curves[k, at] + rest * (curves[k, at + 1] - curves[k, at])
        if k > 0:
            # Thin lead loses more in the low plane than plastic does: no order there.
            apart = max(lower - due, 1e-4)
            between += min(max((lower - below) / apart, 0.0), 1.0)
            line = (lower + min(due, lower)) / 2
            nearest = min(nearest, abs(below - line))
            if below < line:
                best = k
        lower = due if k == 0 else min(due, lower)
    return between, nearest, best


@njit(cache=True, nogil=True)
def told_materials(
    high: NDArray[np.float64],
    low: NDArray[np.float64],
    load: NDArray[np.bool_],
    opaque: NDArray[np.bool_],
    curves: NDArray[np.float64],
    noise: NDArray[np.float64],
    limits: tuple[float, float, float, float, float],
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Material group of every cell, from means over the 3 x 3 cells of load about it.

    high, low  (rows, columns) attenuation over the walls
    load       (rows, columns) cells that hold load
    opaque     (rows, columns) cells that cannot be judged
    curves     (groups, steps) loss in the low plane of each group at `step` apart in the high one
    noise      (steps,) standard deviation of one cell's low less its due, at the same steps
    limits     step of the curves; least and most attenuation that is told; spread of the planes'
               calibrations relative to it; sigmas from the line between two groups to be told
    returns    (rows, columns) place between the groups' curves, -1 where it is not told, and
               (rows, columns) 0 not told, 1 ... groups, one more where opaque
    """
    step, least, most, calibration_sd, sure_sigma = limits
    rows, columns = high.shape
    groups, steps = curves.shape
    place = np.full((rows, columns), -1.0)
    group = np.zeros((rows, columns), np.uint8)
    for i in range(rows):
        for j in range(columns):
            if opaque[i, j]:
                group[i, j] = groups + 1
                continue
            if not load[i, j]:
                continue
            of, high_sum, low_sum = 0, 0.0, 0.0
            for y in range(max(i - 1, 0), min(i + 2, rows)):
                for x in range(max(j - 1, 0), min(j + 2, columns)):
                    if load[y, x] and not opaque[y, x]:
                        of += 1
                        high_sum += high[y, x]
                        low_sum += low[y, x]
            mean, below = high_sum / of, low_sum / of
            if mean < least or mean >= most:
                continue
            at = min(int(mean / step), steps - 2)
            rest = mean / step - at
            sd = math.sqrt(
                (noise[at] + rest * (noise[at + 1] - noise[at])) ** 2 / of
                + (calibration_sd * mean) ** 2
            )
            between, nearest, best = _among(below, curves, at, rest)
            place[i, j] = between
            group[i, j] = best + 1 if nearest >= sure_sigma * sd else 0
    return place, group


@njit(cache=True, nogil=True)
def side_differences(
    sums: NDArray[np.float64],
    size: tuple[int, int, int, int],
    gap: int,
    stride: int,
    min_load: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """What a box of load has over the strips of load beside, above and below it.

    sums      (4, rows + 1, columns + 1) integral images, each with a leading row and column of
              zeros: load cells; their attenuation; their weights; weight times metal signal
    size      half height and half length of the box, half thickness of the strips above and
              below and of those beside
    gap       cells between the box and a strip
    stride    every so many cells along and down are tested
    min_load  share of box and strip that must be load
    returns   (n, 2) row and column of each box, (n, 3, 4) of attenuation, metal signal and
              the latter's variance; left, right, above, below; NaN where there is no load; and
              (n, 3) the same three of the box itself
    """
    half_y, half_x, strip_y, strip_x = size
    rows, columns = sums.shape[1] - 1, sums.shape[2] - 1
    most = (rows // stride + 1) * (columns // stride + 1)
    places = np.empty((most, 2), np.int64)
    found = np.empty((most, 3, 4))
    inside = np.empty((most, 3))
    count = 0
    inner = np.empty(4)
    strip = np.empty(4)
    for i in range(half_y, rows - half_y, stride):
        for j in range(half_x, columns - half_x, stride):
            if not _means(sums, i, j, half_y, half_x, min_load, inner):
                continue
            for side in range(4):
                beside = side < 2
                sign = 2 * (side % 2) - 1
                y = i if beside else i + sign * (half_y + strip_y + 1 + gap)
                x = j + sign * (half_x + strip_x + 1 + gap) if beside else j
                tall = half_y if beside else strip_y
                wide = strip_x if beside else half_x
                if _means(sums, y, x, tall, wide, min_load, strip):
                    found[count, 0, side] = inner[1] - strip[1]
                    found[count, 1, side] = inner[3] - strip[3]
                    found[count, 2, side] = 1.0 / inner[2] + 1.0 / strip[2]
                else:
                    found[count, :, side] = np.nan
            places[count, 0], places[count, 1] = i, j
            inside[count, 0], inside[count, 1], inside[count, 2] = (
                inner[1],
                inner[3],
                1.0 / inner[2],
            )
            count += 1
    return places[:count].copy(), found[:count].copy(), inside[:count].copy()


@njit(cache=True, nogil=True)
def _means(
    sums: NDArray[np.float64],
    i: int,
    j: int,
    half_y: int,
    half_x: int,
    min_load: float,
    out: NDArray[np.float64],
) -> bool:
    """Load, mean attenuation, weight and mean signal of a box; False: too little load in it."""
    top, bottom, left, right = i - half_y, i + half_y + 1, j - half_x, j + half_x + 1
    if top < 0 or left < 0 or bottom > sums.shape[1] - 1 or right > sums.shape[2] - 1:
        return False
    for k in range(4):
        plane = sums[k]
        out[k] = plane[bottom, right] - plane[top, right] - plane[bottom, left] + plane[top, left]
    if out[0] < min_load * (bottom - top) * (right - left):
        return False
    out[1] /= out[0]
    out[2] = max(out[2], 1e-9)
    out[3] /= out[2]
    return True


@njit(cache=True, nogil=True)
def side_ranks(
    found: NDArray[np.float64],
    levels: NDArray[np.float64],
    textures: tuple[float, float, float],
    floors: tuple[float, float, float],
) -> NDArray[np.float64]:
    """How far each box stands out from the two sides that it stands out from least.

    found     (n, 3, 4) of `side_differences`
    levels    (n,) attenuation of each box
    textures  spread of ordinary differences in this load: of attenuation along and up and down,
              and of metal signal
    floors    least such spread of attenuation, its share of the level, least of metal signal
    returns   (n, 8) sigmas over the least side and the next, by attenuation and metal signal
              together; the same two by attenuation alone, and by metal signal alone, below 0 where
              it is less; how many sides are load; mean attenuation over them. All 0 where fewer
              than two are.
    """
    n = found.shape[0]
    ranks = np.zeros((n, 8))
    both = np.empty(3)
    for k in range(n):
        floor = (floors[0] + floors[1] * levels[k]) ** 2
        sides, total = 0, 0.0
        for which in range(6):
            ranks[k, which] = 1e9
        for side in range(4):
            more, metal, variance = found[k, 0, side], found[k, 1, side], found[k, 2, side]
            if math.isnan(more):
                continue
            sides += 1
            total += more
            texture = textures[0] if side < 2 else textures[1]
            both[1] = more / math.sqrt(texture**2 + floor + variance)
            both[2] = metal / math.sqrt(textures[2] ** 2 + floors[2] ** 2 + variance)
            both[0] = math.sqrt(max(both[1], 0.0) ** 2 + max(both[2], 0.0) ** 2)
            for which in range(3):
                value = both[which]
                if value < ranks[k, 2 * which]:
                    ranks[k, 2 * which + 1] = ranks[k, 2 * which]
                    ranks[k, 2 * which] = value
                elif value < ranks[k, 2 * which + 1]:
                    ranks[k, 2 * which + 1] = value
        if sides < 2:
            ranks[k] = 0.0
        else:
            ranks[k, 6], ranks[k, 7] = sides, total / sides
    return ranks


@njit(cache=True, nogil=True)
def place_terms(
    ranks: NDArray[np.float64],
    inside: NDArray[np.float64],
    usual: tuple[float, float, float, float, float],
    floors: tuple[float, float, float],
) -> NDArray[np.float64]:
    """What speaks for each box being a thing that does not belong: the terms of a linear score.

    ranks    (n, 8) of `side_ranks`
    inside   (n, 3) attenuation, metal signal and the latter's variance of each box
    usual    of boxes of this size in this load: spread of differences along; attenuation that one
             in twenty reaches; middle of the metal signal and its spread; how far one in twenty
             stands out
    floors   as in `side_ranks`
    returns  (n, 20): thirteen, and what seven of them are beyond a bend
    """
    texture, dense, metal, metal_spread, ordinary = usual
    n = ranks.shape[0]
    terms = np.empty((n, 20))
    for k in range(n):
        level, signal, variance = inside[k]
        for which in range(6):
            terms[k, which] = math.log1p(min(max(ranks[k, which], 0.0), 60.0))
        terms[k, 6] = min(max(-ranks[k, 2], 0.0), 5.0)
        terms[k, 7] = min(max(-ranks[k, 4], 0.0), 5.0)
        spread = math.sqrt(texture**2 + (floors[0] + floors[1] * level) ** 2 + variance)
        terms[k, 8] = min(max((level - dense) / spread, -5.0), 8.0)
        spread = math.sqrt(metal_spread**2 + floors[2] ** 2 + variance)
        terms[k, 9] = min(max((signal - metal) / spread, -5.0), 8.0)
        terms[k, 10] = math.log(max(ordinary, 0.2))
        terms[k, 11] = math.log(texture / floors[0] + 0.3)
        terms[k, 12] = level
        terms[k, 13] = max(terms[k, 0] - 1.3, 0.0)
        terms[k, 14] = max(terms[k, 1] - 1.6, 0.0)
        terms[k, 15] = max(terms[k, 3] - 1.2, 0.0)
        terms[k, 16] = max(terms[k, 5] - 1.2, 0.0)
        terms[k, 17] = max(terms[k, 8], 0.0)
        terms[k, 18] = max(terms[k, 9] - 1.5, 0.0)
        terms[k, 19] = max(level - 5.0, 0.0)
    return terms
