"""Kernels that make smaller pictures of a scan's planes."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def binned_counts(plane: NDArray[np.uint16], factor: int) -> NDArray[np.uint16]:
    """The mean of each square of pixels, rounded; at the edges of those that are left.

    plane    (rows, columns)
    factor   side of a square
    returns  (rows / factor, columns / factor), both rounded up
    """
    rows, columns = plane.shape
    found = np.empty((-(-rows // factor), -(-columns // factor)), np.uint16)
    sums = np.empty(found.shape[1], np.int64)
    for y in range(found.shape[0]):
        sums[:] = 0
        last = min((y + 1) * factor, rows)
        for row in range(y * factor, last):
            for x in range(found.shape[1]):
                for column in range(x * factor, min((x + 1) * factor, columns)):
                    sums[x] += plane[row, column]
        for x in range(found.shape[1]):
            count = (last - y * factor) * (min((x + 1) * factor, columns) - x * factor)
            found[y, x] = (sums[x] + count // 2) // count
    return found


@njit(cache=True, nogil=True)
def light_levels(
    plane: NDArray[np.uint16],
    offsets: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    edges: tuple[NDArray[np.int64], NDArray[np.int64]],
    level_of: NDArray[np.uint8],
    none: int,
) -> NDArray[np.uint8]:
    """How much light came through at each place of a smaller or larger picture.

    plane     (rows, columns) raw counts
    offsets   (rows,) dark counts, (rows,) factor of a row, 0 where it is dead, (columns,) factor
              of a column, 0 where it was lost: corrected = (raw - dark) * factor * factor
    edges     (down + 1,) rows and (along + 1,) columns at which each place begins; a place takes
              one pixel at least
    level_of  level of each corrected count, the last one of all above
    none      level of a place without a live pixel
    returns   (down, along)
    """
    dark, of_row, of_column = offsets
    rows, columns = edges
    down, along = rows.shape[0] - 1, columns.shape[0] - 1
    levels = np.empty((down, along), np.uint8)
    sums = np.empty(along, np.float64)
    live = np.empty(along, np.int64)
    most = level_of.shape[0] - 1
    for y in range(down):
        sums[:] = 0.0
        live[:] = 0
        for row in range(rows[y], max(rows[y + 1], rows[y] + 1)):
            factor, zero = of_row[row], dark[row]
            if factor == 0.0:
                continue
            for x in range(along):
                for column in range(columns[x], max(columns[x + 1], columns[x] + 1)):
                    if of_column[column] != 0.0:
                        sums[x] += (plane[row, column] - zero) * factor * of_column[column]
                        live[x] += 1
        for x in range(along):
            if live[x] == 0:
                levels[y, x] = none
            else:
                mean = sums[x] / live[x]
                levels[y, x] = level_of[int(min(max(mean, 0.0), float(most)))]
    return levels
