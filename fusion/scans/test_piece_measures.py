"""What a part of the test piece shows: levels, noise, and what of it is seen."""

import math

import numpy as np
from numpy.typing import NDArray

from fusion.scans.calibrate import Calibration, Floats

APART_PX = 3  # neighbours share noise where a picture was smoothed
LEAST = 0.05  # of the needed signal: less, or negative, is as good as nothing


def finest(sizes: tuple[float, ...], share: list[float]) -> float:
    """The smallest size that, with all larger ones, has what it needs; between two by logarithm.

    share  of the needed signal at each size, smallest size first
    """
    share = [max(one, LEAST) for one in share]
    if share[-1] < 1.0:
        return sizes[-1] / share[-1]
    for i in range(len(sizes) - 1, 0, -1):
        if share[i - 1] < 1.0:
            part = math.log(share[i]) / math.log(share[i] / share[i - 1])
            return math.exp(math.log(sizes[i]) + part * math.log(sizes[i - 1] / sizes[i]))
    return sizes[0]


def filled(clear: Floats, known: Calibration, columns: NDArray[np.int64]) -> Floats:
    """Dead rows and missed lines with their neighbours' values, in place."""
    for lines, alive in ((clear, known.gain > 0), (clear.T, known.pulse[columns] > 0)):
        good = np.flatnonzero(alive)
        if good.size:
            for line in np.flatnonzero(~alive).tolist():
                place = min(int(np.searchsorted(good, line)), good.size - 1)
                lines[line] = (lines[good[place]] + lines[good[max(place - 1, 0)]]) / 2.0
    return clear


def to_edge(outward: Floats) -> float:
    """How far beyond the third pixel of a profile, steel before air, half the light is passed."""
    half = (float(outward[0]) + 1.0) / 2.0
    above = np.flatnonzero(outward > half)
    if above.size == 0 or above[0] == 0:
        return 0.0
    i = int(above[0])
    part = (half - float(outward[i - 1])) / (float(outward[i]) - float(outward[i - 1]))
    return i - 1 + part - 2.5


def mean_of(values: Floats, at: tuple[slice, slice]) -> float:
    """Of a part; 0 where that is outside."""
    part = values[at]
    return float(part.sum()) / part.size if part.size else 0.0


def sigmas(around: Floats, on: Floats, noise: float) -> float:
    """By how much less comes through than around it, in standard deviations of that."""
    if around.size == 0 or on.size == 0:
        return 0.0
    less = float(around.sum()) / around.size - float(on.sum()) / on.size
    return less / max(noise * math.sqrt(1.0 / on.size + 1.0 / around.size), 1e-12)


def noise_of(part: Floats) -> float:
    """Of one pixel, from differences three rows apart, which no slope or blurred edge adds to."""
    if part.shape[0] <= APART_PX or part.shape[1] == 0:
        return 1.0
    return spread_of((part[APART_PX:] - part[:-APART_PX]).reshape(-1)) / math.sqrt(2.0)


def spread_of(values: Floats) -> float:
    """Standard deviation as the median distance gives it; of next to nothing it is large."""
    if values.size < 4:
        return 1.0
    middle = np.sort(values)[values.size // 2]
    return 1.4826 * float(np.sort(np.abs(values - middle))[values.size // 2])
