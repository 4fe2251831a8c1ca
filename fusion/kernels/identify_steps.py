"""Kernels of one step of a fit of counts: what the bins say of the parts, and how far to go.

Callers check arguments; kernels trust them.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fusion.kernels.radiation import solve_symmetric

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

SWEEPS = 8  # over all parts, where bounds that were met too soon made a step worse than none
ROWS = 4  # bins that are added up together: sums in memory are touched less often


@njit(cache=True, nogil=True)
def room_for(bins: int) -> int:
    """Up to a multiple of `ROWS`."""
    return (bins + ROWS - 1) // ROWS * ROWS


@njit(cache=True, nogil=True)
def columns_of(shapes: Matrix, columns: Matrix) -> None:
    """Shapes (parts, bins) with the parts of a bin next to each other.

    columns  (bins and up to a multiple of `ROWS`, parts), zeros beyond
    """
    size, bins = shapes.shape
    for i in range(bins):
        for p in range(size):
            columns[i, p] = shapes[p, i]
    columns[bins:] = 0.0


@njit(cache=True, nogil=True)
def add_information(
    columns: Matrix, size: int, weights: Vector, excess: Vector, sums: tuple[Matrix, Vector]
) -> None:
    """Add each bin's part of the slope and of the information of `size` parts.

    columns  as `columns_of` makes them
    weights  (rows of columns,) of each bin over its variance
    excess   (rows of columns,) the same times what was counted over the mean
    sums     information, lower triangle; slope
    """
    information, slope = sums
    for i in range(0, columns.shape[0], ROWS):
        one, two, three, four = columns[i], columns[i + 1], columns[i + 2], columns[i + 3]
        for p in range(size):
            first, second, third, fourth = one[p], two[p], three[p], four[p]
            if first == 0.0 and second == 0.0 and third == 0.0 and fourth == 0.0:
                continue  # most of a part that is nothing but sharp peaks
            slope[p] += (first * excess[i] + second * excess[i + 1]) + (
                third * excess[i + 2] + fourth * excess[i + 3]
            )
            first *= weights[i]
            second *= weights[i + 1]
            third *= weights[i + 2]
            fourth *= weights[i + 3]
            row = information[p]
            for q in range(p + 1):
                row[q] += (first * one[q] + second * two[q]) + (third * three[q] + fourth * four[q])


@njit(cache=True, nogil=True)
def gain_of(sums: tuple[Matrix, Vector], step: Vector) -> float:
    """What a step gains on the parabola of information (lower triangle) and slope."""
    information, slope = sums
    gain = 0.0
    for p in range(step.shape[0]):
        gain += step[p] * (slope[p] - 0.5 * information[p, p] * step[p])
        for q in range(p):
            gain -= information[p, q] * step[p] * step[q]
    return gain


@njit(cache=True, nogil=True)
def sweep(sums: tuple[Matrix, Vector], room: tuple[Vector, Vector], step: Vector) -> None:
    """A step from nothing, one part after the other: none of them can lose."""
    information, slope = sums
    down, up = room
    step[:] = 0.0
    for _ in range(SWEEPS):
        for p in range(step.shape[0]):
            if information[p, p] <= 0.0:
                continue
            left = slope[p]
            for q in range(step.shape[0]):
                if q != p:
                    left -= information[max(p, q), min(p, q)] * step[q]
            step[p] = min(max(left / information[p, p], down[p]), up[p])


@njit(cache=True, nogil=True)
def bounded_step(sums: tuple[Matrix, Vector], room: tuple[Vector, Vector], step: Vector) -> None:
    """The step that information (lower triangle) and slope ask for, within bounds.

    sums  the slope is changed
    room  (parts,) how far each may go down, <= 0, and up, >= 0
    step  (parts,) written

    Parts that would cross their bound are stopped there, and the others find their step anew. None
    is let go again; where all of it would lose, each part by itself goes as far as it gains.
    """
    information, slope = sums
    down, up = room
    asked = slope.copy()
    size = step.shape[0]
    matrix = np.empty((size, size))
    vector = np.empty(size)
    free = np.empty(size, np.int64)
    number = 0
    for p in range(size):
        step[p] = 0.0
        # What is at its bound and would go on is left there (Bertsekas 1982, SIAM Journal on
        # Control and Optimization 20:221).
        if (down[p] < 0.0 or slope[p] > 0.0) and (up[p] > 0.0 or slope[p] < 0.0):
            free[number] = p
            number += 1
    while number > 0:
        for j in range(number):
            p = free[j]
            for k in range(j + 1):
                matrix[j, k] = information[p, free[k]]
            # Two parts of one shape: any share will do.
            matrix[j, j] *= 1.0 + 1e-9
            vector[j] = slope[p]
        solve_symmetric(matrix, vector, number)
        left = 0
        for j in range(number):
            p = free[j]
            if down[p] <= vector[j] <= up[p]:
                step[p] = vector[j]
                free[left] = p
                left += 1
            else:
                step[p] = down[p] if vector[j] < down[p] else up[p]
                for q in range(size):
                    slope[q] -= information[max(p, q), min(p, q)] * step[p]
        if left == number:
            break
        number = left
    if gain_of((information, asked), step) < 0.0:
        sweep((information, asked), room, step)
