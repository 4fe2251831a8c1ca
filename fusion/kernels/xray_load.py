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
    count, other = values.shape[0], values.shape[1]
    if down:
        count, other = other, count
    medians = np.zeros(count)
    counts = np.zeros(count, np.int64)
    bins = np.zeros((count, NEAR_BINS), np.int32)
    scale = NEAR_BINS / (2.0 * spread)
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            value = values[i, j]
            if -spread < value < spread:
                line = j if down else i
                bins[line, min(int((value + spread) * scale), NEAR_BINS - 1)] += 1
                counts[line] += 1
    for line in range(count):
        if counts[line] < least or counts[line] == 0:
            continue
        left = (counts[line] - 1) // 2
        place = 0
        while bins[line, place] <= left:
            left -= bins[line, place]
            place += 1
        # Even within its bin: values lie there close together.
        within = (left + 0.5) / bins[line, place]
        medians[line] = (place + within) / scale - spread
    return medians, counts


@njit(cache=True, nogil=True)
def strongest_wave(
    values: NDArray[np.float64], known: NDArray[np.bool_], step: float, periods: NDArray[np.float64]
) -> int:
    """Index of the period with the most power in what is known of a line.

    values   (n,) equally far apart, by `step`
    periods  (m,) in the unit of `step`
    """
    best, most = 0, -1.0
    for index in range(periods.shape[0]):
        turn = 2.0 * math.pi * step / periods[index]
        cosine, sine = math.cos(turn), math.sin(turn)
        along, across, real, imaginary = 1.0, 0.0, 0.0, 0.0
        for i in range(values.shape[0]):
            if known[i]:
                real += values[i] * along
                imaginary += values[i] * across
            along, across = along * cosine - across * sine, across * cosine + along * sine
        power = real * real + imaginary * imaginary
        if power > most * (1.0 + 1e-9):
            best, most = index, power
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
            between, nearest, lower = 0.0, 1e9, 0.0
            best = 0
            for k in range(groups):
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
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """What a box of load has over the strips of load beside, above and below it.

    sums      (4, rows + 1, columns + 1) integral images, each with a leading row and column of
              zeros: load cells; their attenuation; their weights; weight times metal signal
    size      half height and half length of the box, half thickness of the strips above and
              below and of those beside
    gap       cells between the box and a strip
    stride    every so many cells along and down are tested
    min_load  share of box and strip that must be load
    returns   (n, 2) row and column of each box, and (n, 3, 4) of attenuation, metal signal and
              the latter's variance; left, right, above, below; NaN where there is no load
    """
    half_y, half_x, strip_y, strip_x = size
    rows, columns = sums.shape[1] - 1, sums.shape[2] - 1
    most = (rows // stride + 1) * (columns // stride + 1)
    places = np.empty((most, 2), np.int64)
    found = np.empty((most, 3, 4))
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
            count += 1
    return places[:count].copy(), found[:count].copy()


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
def least_sides(
    found: NDArray[np.float64],
    levels: NDArray[np.float64],
    textures: tuple[float, float],
    floors: tuple[float, float, float],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far each box stands out from the side that it stands out from least.

    found     (n, 3, 4) of `side_differences`
    levels    (n,) attenuation at each box
    textures  spread of ordinary differences of attenuation and of metal signal
    floors    least such spread of attenuation, its share of the level, least of metal signal
    returns   (n,) sigmas, -1 where fewer than three sides are load; and (n,) mean of what it has
              more than its sides
    """
    n = found.shape[0]
    least, excess = np.full(n, -1.0), np.zeros(n)
    for k in range(n):
        spread = textures[0] ** 2 + (floors[0] + floors[1] * levels[k]) ** 2
        metal_spread = textures[1] ** 2 + floors[2] ** 2
        sides, total, lowest = 0, 0.0, 1e9
        for side in range(4):
            more = found[k, 0, side]
            if math.isnan(more):
                continue
            sides += 1
            total += more
            metal, variance = found[k, 1, side], found[k, 2, side]
            power = 0.0
            if more > 0.0:
                power += more * more / (spread + variance)
            if metal > 0.0:
                power += metal * metal / (metal_spread + variance)
            lowest = min(lowest, power)
        if sides >= 3:
            least[k] = math.sqrt(lowest)
            excess[k] = total / sides
    return least, excess
