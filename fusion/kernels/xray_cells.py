"""Kernels on the pixels and cells of a scan that every step of its analysis uses."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def clear_share(
    plane: NDArray[np.uint16],
    first_row: int,
    levels: NDArray[np.float64],
    columns: NDArray[np.int64],
    pulse: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Transmission of a part of a plane, pixel by pixel.

    plane      (all rows, all columns) raw counts
    first_row  of the part
    levels     (2, rows) of each row of the part: dark, and clear air over it, 0 where dead
    columns    (columns,) which of all columns
    pulse      (all columns,) strength, 0 where missed
    returns    (rows, columns); 0 where the row is dead or the pulse was missed
    """
    rows = levels.shape[1]
    clear = np.zeros((rows, columns.shape[0]))
    for i in range(rows):
        dark, due = levels[0, i], levels[1, i]
        for j in range(columns.shape[0]):
            expected = due * pulse[columns[j]]
            if expected > 0.0:
                clear[i, j] = (np.float64(plane[first_row + i, columns[j]]) - dark) / expected
    return clear


@njit(cache=True, nogil=True)
def between_curves(
    values: NDArray[np.float64],
    place: NDArray[np.float64],
    curves: NDArray[np.float64],
    step: float,
) -> NDArray[np.float64]:
    """Values read off a sheaf of curves, on straight lines between their points and each other.

    values   (rows, columns) where on the curves; below 0 the first curve's first piece goes on
    place    (rows, columns) 0 on the first curve, 1 on the second ...
    curves   (curves, points) at 0, step, 2 * step ...; beyond the end the last point stands
    returns  (rows, columns)
    """
    found = np.empty(values.shape)
    last = curves.shape[1] - 1
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            along = values[i, j] / step
            if along < 0.0:
                found[i, j] = along * (curves[0, 1] - curves[0, 0])
                continue
            point = min(int(along), last - 1)
            rest = min(along - point, 1.0)
            curve = min(max(int(place[i, j]), 0), curves.shape[0] - 2)
            share = min(max(place[i, j] - curve, 0.0), 1.0)
            low = curves[curve, point] + rest * (curves[curve, point + 1] - curves[curve, point])
            curve += 1
            high = curves[curve, point] + rest * (curves[curve, point + 1] - curves[curve, point])
            found[i, j] = low + share * (high - low)
    return found


@njit(cache=True, nogil=True)
def square_means(values: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """Mean over the square of 2 * half + 1 cells about each, cut off at the edges.

    Running sums along and then down, in order: the time does not depend on the square, and the
    bits do not depend on the machine.
    """
    rows, columns = values.shape
    along = np.empty((rows, columns))
    run = np.empty(columns + 1)
    for i in range(rows):
        run[0] = 0.0
        for j in range(columns):
            run[j + 1] = run[j] + values[i, j]
        for j in range(columns):
            left, right = max(j - half, 0), min(j + half + 1, columns)
            along[i, j] = (run[right] - run[left]) / (right - left)
    means = np.empty((rows, columns))
    total = np.zeros(columns)
    count = 0
    for i in range(min(half, rows)):
        total += along[i]
        count += 1
    for i in range(rows):
        if i + half < rows:
            total += along[i + half]
            count += 1
        if i - half - 1 >= 0:
            total -= along[i - half - 1]
            count -= 1
        for j in range(columns):
            means[i, j] = total[j] / count
    return means


@njit(cache=True, nogil=True)
def lag_products(values: NDArray[np.float64], first: int, beyond: int) -> NDArray[np.float64]:
    """Sums of each value times the one so many places on, for lags from `first` to `beyond` - 1."""
    products = np.zeros(beyond - first)
    for lag in range(first, beyond):
        total = 0.0
        for i in range(lag, values.shape[0]):
            total += values[i] * values[i - lag]
        products[lag - first] = total
    return products
