"""Kernels of what a container holds, on cells of the picture."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def seen_medians(
    values: NDArray[np.float64], seen: NDArray[np.bool_], least: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Lower median of what is seen in each row.

    values   (rows, columns)
    seen     (rows, columns) which of them count
    least    fewer than so many give 0
    returns  (rows,) medians and (rows,) how many were seen
    """
    rows, columns = values.shape
    medians = np.zeros(rows)
    counts = np.zeros(rows, np.int64)
    kept = np.empty(columns)
    for i in range(rows):
        found = 0
        for j in range(columns):
            if seen[i, j]:
                kept[found] = values[i, j]
                found += 1
        counts[i] = found
        if found >= least and found > 0:
            medians[i] = np.sort(kept[:found])[(found - 1) // 2]
    return medians, counts


@njit(cache=True, nogil=True)
def box_means(values: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """Mean over the square of 2 * half + 1 cells about each, cut off at the edges.

    values   (rows, columns)
    returns  (rows, columns); sums run down, then along, in order: the same bits everywhere
    """
    rows, columns = values.shape
    down = np.zeros((rows, columns))
    for i in range(rows):
        top, bottom = max(i - half, 0), min(i + half + 1, rows)
        for k in range(top, bottom):
            for j in range(columns):
                down[i, j] += values[k, j]
        for j in range(columns):
            down[i, j] /= bottom - top
    means = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            left, right = max(j - half, 0), min(j + half + 1, columns)
            total = 0.0
            for k in range(left, right):
                total += down[i, k]
            means[i, j] = total / (right - left)
    return means
