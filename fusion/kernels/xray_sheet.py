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
    line = np.empty(columns, np.uint32)
    for y in range(found.shape[0]):
        line[:] = 0
        last = min((y + 1) * factor, rows)
        for row in range(y * factor, last):
            for column in range(columns):
                line[column] += plane[row, column]
        for x in range(found.shape[1]):
            beyond = min((x + 1) * factor, columns)
            count = (last - y * factor) * (beyond - x * factor)
            total = np.int64(0)
            for column in range(x * factor, beyond):
                total += line[column]
            found[y, x] = (total + count // 2) // count
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
    line = np.empty(plane.shape[1])
    most = float(level_of.shape[0] - 1)
    for y in range(down):
        line[:] = 0.0
        alive = 0
        for row in range(rows[y], max(rows[y + 1], rows[y] + 1)):
            factor, zero = of_row[row], dark[row]
            if factor != 0.0:
                alive += 1
                for column in range(line.shape[0]):
                    line[column] += (plane[row, column] - zero) * factor
        for x in range(along):
            total = 0.0
            live = 0
            for column in range(columns[x], max(columns[x + 1], columns[x] + 1)):
                total += line[column] * of_column[column]
                live += of_column[column] != 0.0
            if live * alive == 0:
                levels[y, x] = none
            else:
                levels[y, x] = level_of[int(min(max(total / (live * alive), 0.0), most))]
    return levels


@njit(cache=True, nogil=True)
def coloured(
    levels: NDArray[np.uint8],
    groups: NDArray[np.uint8],
    places: tuple[NDArray[np.int64], NDArray[np.int64]],
    colours: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    """The colour of each place by what it is made of and how much light came through.

    levels   (down, along)
    groups   (cells down, cells along)
    places   (down,) and (along,) the cell of each row and column of places
    colours  (groups, 256) of each group and level
    returns  (down, along)
    """
    rows, columns = places
    found = np.empty(levels.shape, np.uint8)
    for y in range(levels.shape[0]):
        for x in range(levels.shape[1]):
            found[y, x] = colours[groups[rows[y], columns[x]], levels[y, x]]
    return found
