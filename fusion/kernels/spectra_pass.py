"""Kernels of the slices of one vehicle: which of them show a source best, and where it lies.

Callers check arguments; kernels trust them.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fusion.kernels.radiation import source_profile

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


@njit(cache=True, nogil=True)
def highest_window(
    scores: Matrix, variances: Vector, usable: NDArray[np.bool_], lengths: NDArray[np.int64]
) -> tuple[int, int, int, float]:
    """First slice, length and column of the highest score over its deviation; and how high.

    scores     (slices, columns), variances (slices,) of every column
    usable     (slices,) slices that may be part of it
    lengths    of windows in slices; of equals the first wins, then the earliest
    returns    a height of 0 where there is none
    """
    slices, columns = scores.shape
    sums, spread = np.zeros((slices + 1, columns)), np.zeros(slices + 1)
    gaps = np.zeros(slices + 1, np.int64)
    for i in range(slices):
        sums[i + 1], spread[i + 1], gaps[i + 1] = sums[i], spread[i], gaps[i]
        if usable[i]:
            spread[i + 1] += variances[i]
            for c in range(columns):
                sums[i + 1, c] += scores[i, c]
        else:
            gaps[i + 1] += 1
    best_first = best_length = best_column = 0
    highest = 0.0
    for length in lengths:
        for first in range(slices - length + 1):
            variance = spread[first + length] - spread[first]
            if gaps[first + length] != gaps[first] or variance <= 0.0:
                continue
            deviation = math.sqrt(variance)
            for c in range(columns):
                height = (sums[first + length, c] - sums[first, c]) / deviation
                if height > highest:
                    best_first, best_length, best_column, highest = first, length, c, height
    return best_first, best_length, best_column, highest


@njit(cache=True, nogil=True)
def profiles(passed_m: Vector, places_m: Vector, distance_m: float) -> NDArray[np.float64]:
    """(places, slices) `source_profile` of a point at each place."""
    out = np.empty((places_m.shape[0], passed_m.shape[0]))
    for k in range(places_m.shape[0]):
        source_profile(passed_m, places_m[k], 0.0, distance_m, out[k])
    return out
