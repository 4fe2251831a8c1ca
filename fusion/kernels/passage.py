"""When a sensor was passed, from the rise and fall of what it heard.

Who passes at offset d with speed v is at range r(t) = sqrt(d^2 + v^2 (t - t0)^2), and ground
carries the energy exp(-2 k r) / r of a surface wave (facts/seismic.md 3.3). Its logarithm,
c - ln x - a x with x = sqrt(1 + ((t - t0) / w)^2), is even about t0 whatever the gain, the ground,
the offset and the speed: the time of closest approach needs none of them.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

WIDTHS = 7
NARROWEST_S = 0.3  # a car at 20 m/s, 6 m beside the sensor
WIDER = 1.9  # seven widths reach 14 s: a walker at 1 m/s, 14 m beside it
OVER_FLOOR = 2.0  # what is less than so many times the floor over it says nothing
NEAR_NATS = 3.0
"""The curve counts where it is within so many nats of its top. High frequencies are lost first, so
further away it falls less steeply, and a walk that is heard longer on one side would lean."""
POINTS = 80  # values of a fit; neighbours are smoothed over nine bins anyway
COARSE = 2  # every so many of them are tried for the width
FIELDS = 5
AT, DEVIATION, BEFORE, AFTER, WIDTH = range(FIELDS)


@njit(cache=True, nogil=True)
def smooth(energy: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Means under a raised cosine of `2 * reach + 1` bins, at the ends of those there are.

    energy   (bins,) mean square of the motion
    returns  (bins,) the same, even about any moment that `energy` is even about
    """
    bins = energy.shape[0]
    smoothed = np.zeros(bins)
    weights = np.zeros(reach + 1)
    for k in range(reach + 1):
        weights[k] = 1.0 + math.cos(math.pi * k / (reach + 1))
    for i in range(bins):
        total = 0.0
        whole = 0.0
        for j in range(max(0, i - reach), min(bins, i + reach + 1)):
            weight = weights[abs(j - i)]
            total += weight * energy[j]
            whole += weight
        smoothed[i] = total / whole
    return smoothed


@njit(cache=True, nogil=True)
def knocks(
    energy: NDArray[np.float64],
    reach: int,
    share: float,
    over: NDArray[np.float64],
    between: NDArray[np.float64],
) -> None:
    """What stands out of each bin's neighbourhood: steps, and not the rumble between them.

    energy   (bins,) mean square of the motion
    reach    bins on either side that are the neighbourhood
    share    of its bins, the quietest first: the last of them is what lies between two steps
    over     (bins,) takes the energy less that, at least 0
    between  (bins,) takes what lies between
    """
    bins = energy.shape[0]
    around = np.zeros(2 * reach + 2)  # sorted; a bin comes in and a bin goes as it moves on
    size = 0
    for i in range(min(reach, bins)):
        size = _put(around, size, energy[i])
    for i in range(bins):
        if i + reach < bins:
            size = _put(around, size, energy[i + reach])
        if i - reach - 1 >= 0:
            size = _take(around, size, energy[i - reach - 1])
        between[i] = around[int(share * (size - 1))]
        over[i] = max(energy[i] - between[i], 0.0)


@njit(cache=True, nogil=True)
def _put(around: NDArray[np.float64], size: int, value: float) -> int:
    """One more of `size` sorted values; returns how many there are."""
    at = size
    while at > 0 and around[at - 1] > value:
        around[at] = around[at - 1]
        at -= 1
    around[at] = value
    return size + 1


@njit(cache=True, nogil=True)
def _take(around: NDArray[np.float64], size: int, value: float) -> int:
    """One of them less."""
    at = 0
    while at < size - 1 and around[at] != value:
        at += 1
    for i in range(at, size - 1):
        around[i] = around[i + 1]
    return size - 1


@njit(cache=True, nogil=True)
def summits(
    smoothed: NDArray[np.float64], least: float, factor: float, edges: NDArray[np.int64]
) -> int:
    """Cut a curve in the valleys between its summits.

    smoothed  (bins,) > 0
    least     a summit is at least so high
    factor    and so many times higher than the valleys on both sides of it, or than the start
              and the end of the curve
    edges     (most + 1,) takes the first bin of each piece, and after the last piece its end
    returns   how many pieces there are, at most as many as `edges` has room for
    """
    bins = smoothed.shape[0]
    pieces = 0
    edges[0] = 0
    valley = top = 0
    rising = True
    for i in range(bins):
        if rising:
            if smoothed[i] > smoothed[top]:
                top = i
            high = smoothed[top] >= least and smoothed[top] >= factor * smoothed[i]
            if high and pieces + 1 < edges.shape[0]:
                pieces += 1  # this summit is behind us: its piece ends in the next valley
                edges[pieces] = bins
                rising = False
                valley = i
        else:
            if smoothed[i] < smoothed[valley]:
                valley = i
            if smoothed[i] >= factor * smoothed[valley] and smoothed[i] >= least:
                edges[pieces] = valley
                rising = True
                top = i
    if rising and pieces + 1 < edges.shape[0]:
        pieces += 1  # still rising, or never much of a summit
        edges[pieces] = bins
    return pieces


@njit(cache=True, nogil=True)
def fit(  # noqa: PLR0917 - a kernel takes no structures
    smoothed: NDArray[np.float64],
    floors: NDArray[np.float64],
    first: int,
    last: int,
    bin_s: float,
    apart: float,
    found: NDArray[np.float64],
) -> None:
    """Fit one passage within bins `first` to `last`.

    smoothed  (bins,) mean square of the motion
    floors    (bins,) mean square of the quiet ground, > 0
    apart     bins from one independent value to the next
    found     (FIELDS,) takes: AT in bins, its DEVIATION (posterior mean and deviation for an even
              prior over the bins and a quarter of them on either side), how many nats the curve is
              under its top at the first bin (BEFORE) and at the last (AFTER; 0 where the top is
              not between them), its WIDTH w in seconds
    """
    stride = max(1, (last - first) // POINTS)
    points = (last - first + stride - 1) // stride
    height = np.zeros(points)
    weight = np.zeros(points)
    weights = _heights(smoothed, floors, first, last, stride, height, weight)
    # Times are tried at the points and a quarter of them beyond, on a table of distances.
    before = points // 4
    tried = points + 2 * before
    x, log_x = np.zeros(tried + points), np.zeros(tried + points)
    left = np.full(tried, math.inf)
    narrowest = NARROWEST_S / (bin_s * stride)
    best, width = math.inf, narrowest
    for k in range(WIDTHS):
        wide = narrowest * WIDER**k
        _distances(wide, x, log_x)
        for at in range(0, points, COARSE):
            misfit, _ = _misfit(height, weight, at, x, log_x)
            if misfit < best:
                best, width = misfit, wide
    steep, least = 0.0, math.inf
    for scale in (1.0 / WIDER, 1.0, WIDER):
        _distances(width * scale, x, log_x)
        for i in range(tried):
            misfit, slope = _misfit(height, weight, i - before, x, log_x)
            left[i] = min(left[i], misfit)
            if misfit < least:
                least, steep = misfit, slope
    # The scatter about the curve, of values of which every `apart` is a new one.
    share = max(apart / stride, 1.0)
    variance = max(best / share / max(weights / share - 4.0, 1.0), 1e-4)
    mean, spread = _posterior(left, least, 2.0 * variance * share)
    found[AT] = first + 0.5 + (mean - before) * stride
    found[DEVIATION] = math.sqrt(spread) * stride
    width *= stride
    found[WIDTH] = width * bin_s
    found[BEFORE] = _drop(first - found[AT], width, steep) if found[AT] > first else 0.0
    found[AFTER] = _drop(last - found[AT], width, steep) if found[AT] < last else 0.0


@njit(cache=True, nogil=True)
def _heights(  # noqa: PLR0917 - a kernel takes no structures
    smoothed: NDArray[np.float64],
    floors: NDArray[np.float64],
    first: int,
    last: int,
    stride: int,
    height: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> float:
    """Logarithms over the floor of every `stride`th bin, and how much each counts.

    Returns the sum of the weights.
    """
    top = 0.0
    for i in range(first, last):
        top = max(top, smoothed[i] - floors[i])
    weights = 0.0
    for i in range(first, last, stride):
        over = smoothed[i] - floors[i]
        if over <= OVER_FLOOR * floors[i]:
            continue
        at = (i - first) // stride
        height[at] = math.log(over)
        share = over / smoothed[i]  # noise of the whole is noise of the part over the floor
        far = math.log(top / over) / NEAR_NATS
        weight[at] = share * share / (1.0 + far * far * far * far)
        weights += weight[at]
    return weights


@njit(cache=True, nogil=True)
def _distances(width: float, x: NDArray[np.float64], log_x: NDArray[np.float64]) -> None:
    """Ranges over the closest one, so many points before or after it, and their logarithms."""
    for i in range(x.shape[0]):
        x[i] = math.sqrt(1.0 + (i / width) ** 2)
        log_x[i] = math.log(x[i])


@njit(cache=True, nogil=True)
def _misfit(
    height: NDArray[np.float64],
    weight: NDArray[np.float64],
    at: int,
    x: NDArray[np.float64],
    log_x: NDArray[np.float64],
) -> tuple[float, float]:
    """Weighted squares that the best curve about point `at` leaves there, and its a >= 0."""
    w0 = w1 = w2 = y0 = y1 = y2 = 0.0
    for i in range(height.shape[0]):
        w = weight[i]
        away = abs(i - at)
        wx = w * x[away]
        y = height[i] + log_x[away]
        w0 += w
        w1 += wx
        w2 += wx * x[away]
        y0 += w * y
        y1 += wx * y
        y2 += w * y * y
    if w0 <= 0.0:
        return math.inf, 0.0
    xx = w2 - w1 * w1 / w0
    xy = y1 - w1 * y0 / w0
    yy = max(y2 - y0 * y0 / w0, 0.0)
    if xx <= 1e-12 or xy >= 0.0:
        return yy, 0.0
    return max(yy - xy * xy / xx, 0.0), -xy / xx


@njit(cache=True, nogil=True)
def _posterior(
    left: NDArray[np.float64], least: float, twice_variance: float
) -> tuple[float, float]:
    """Mean and variance of the time in points; width and a follow the time."""
    total = mean = square = 0.0
    for i in range(left.shape[0]):
        chance = math.exp(-(left[i] - least) / twice_variance) if least < math.inf else 1.0
        total += chance
        mean += chance * i
        square += chance * i * i
    mean /= total
    return mean, max(square / total - mean * mean, 0.0) + 1.0 / 12.0


@njit(cache=True, nogil=True)
def _drop(away: float, width: float, steep: float) -> float:
    """How many nats the curve is under its top, so far away from it."""
    x = math.sqrt(1.0 + (away / width) ** 2)
    return math.log(x) + steep * (x - 1.0)
