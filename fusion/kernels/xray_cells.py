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
def cell_means(
    sums: NDArray[np.int64],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    one: float,
    least: float,
) -> NDArray[np.float64]:
    """Mean of the live pixels of each cell.

    sums     (rows, columns) whole sums of `pooled_counts`
    rows     (rows,) live rows in each row of cells; columns (columns,) likewise
    one      the sum of one clear pixel
    least    cells with less, or without any live pixel, get it
    """
    means = np.full(sums.shape, least)
    for i in range(sums.shape[0]):
        for j in range(sums.shape[1]):
            pixels = rows[i] * columns[j]
            if pixels > 0:
                means[i, j] = max(np.float64(sums[i, j]) / (one * np.float64(pixels)), least)
    return means


@njit(cache=True, nogil=True)
def on_curve(
    values: NDArray[np.float64], curve: NDArray[np.float64], step: float
) -> NDArray[np.float64]:
    """Values of a curve that is known at 0, step, 2 * step ..., on straight lines between.

    values   (rows, columns); beyond either end the curve's end stands
    returns  (rows, columns)
    """
    found = np.empty(values.shape)
    last = curve.shape[0] - 1
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            place = values[i, j] / step
            if place <= 0.0:
                found[i, j] = curve[0]
            elif place >= last:
                found[i, j] = curve[last]
            else:
                below = int(place)
                found[i, j] = curve[below] + (place - below) * (curve[below + 1] - curve[below])
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
