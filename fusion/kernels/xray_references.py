"""Kernels that find a scan's own references: light, dark and air. Whole numbers throughout."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

LEVELS = 65_536


@njit(cache=True, nogil=True)
def survey(
    plane: NDArray[np.uint16], row_step: int, column_step: int
) -> tuple[NDArray[np.int64], int]:
    """A quick look at a plane: its brightness along the vehicle, and its brightest part.

    plane        (rows, columns) raw counts
    row_step     every so many rows are looked at
    column_step  every so many columns of these for the quantile
    returns      (columns,) sums over the rows looked at; the counts that one pixel in 50 of
                 those looked at exceeds
    """
    rows, columns = plane.shape
    counts = np.zeros(LEVELS, np.int32)
    line = np.zeros(columns, np.uint32)
    seen = 0
    for row in range(0, rows, row_step):
        for column in range(columns):
            line[column] += np.uint32(plane[row, column])
        for column in range(0, columns, column_step):
            counts[plane[row, column]] += 1
            seen += 1
    return line.astype(np.int64), _counted(counts, seen // 50)


@njit(cache=True, nogil=True)
def _counted(counts: NDArray[np.int32], above: int) -> int:
    """The greatest level that more than `above` of the counted are at or above."""
    for level in range(counts.shape[0] - 1, -1, -1):
        above -= counts[level]
        if above < 0:
            return level
    return 0


@njit(cache=True, nogil=True)
def air_run(
    plane: NDArray[np.uint16],
    places: tuple[int, int, int],
    row_step: int,
    clear: NDArray[np.int64],
    missed: int,
) -> NDArray[np.uint8]:
    """How far clear air reaches from one end of the picture.

    places    first column, how many at most, and 1 or -1 for the way along
    row_step  every so many rows are looked at
    clear     (rows looked at,) counts above are air; one row in 20 may be dead, in the road,
              or behind a mast
    missed    a column that is nowhere as bright had no pulse, and ends nothing
    returns   (columns of the run,) 1 air, 0 missed, in the order of the way
    """
    first, most, way = places
    states = np.zeros(most, np.uint8)
    looked_at = clear.shape[0]
    for place in range(most):
        column = first + way * place
        dim, brightest = 0, 0
        for row in range(looked_at):
            value = plane[row * row_step, column]
            dim += int(value <= clear[row])
            brightest = max(brightest, int(value))
        if dim <= looked_at // 20:
            states[place] = 1
        elif brightest >= missed:
            return states[:place].copy()
    return states


@njit(cache=True, nogil=True)
def row_levels(
    plane: NDArray[np.uint16], first: int, use: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sums along each row over some columns, and of the steps from each column to the next.

    plane    (rows, columns) raw counts
    first    column that `use` begins with
    use      (n,) 1 for columns that count, 0 for those that do not
    returns  (rows,) sums of counts, (rows,) sums of absolute steps between neighbours in use
    """
    rows, count = plane.shape[0], use.shape[0]
    sums, steps = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    # 32 bits hold 65,535 columns of 65,535 counts, and go four times as fast as 64.
    pair = np.zeros(count, np.int32)
    for place in range(count - 1):
        pair[place] = use[place] * use[place + 1]
    for row in range(rows):
        line = plane[row, first : first + count]
        total, rough = np.uint32(0), np.uint32(0)
        for place in range(count):
            total += np.uint32(line[place]) * np.uint32(use[place])
        for place in range(count - 1):
            step = np.int32(line[place + 1]) - np.int32(line[place])
            rough += np.uint32(abs(step) * pair[place])
        sums[row], steps[row] = total, rough
    return sums, steps


@njit(cache=True, nogil=True)
def clear_rows(
    plane: NDArray[np.uint16],
    columns: tuple[int, int, int],
    clear: NDArray[np.int64],
) -> int:
    """Rows of clear air from the top of the picture down.

    columns  first, one beyond the last, and step of the columns looked at
    clear    (rows at most,) counts above are air; one column in 20 may be less
    """
    first, beyond, step = columns
    looked_at = (beyond - first + step - 1) // step
    rows = len(clear)
    for row in range(rows):
        dim = 0
        for column in range(first, beyond, step):
            dim += int(plane[row, column] <= clear[row])
        if dim > looked_at // 20:
            return row
    return rows


@njit(cache=True, nogil=True)
def band_sums(
    plane: NDArray[np.uint16], group: NDArray[np.int64], groups: int
) -> NDArray[np.int64]:
    """Sums down each column over groups of rows.

    plane    (rows, columns) raw counts
    group    (n,) of each of the first n rows; negative leaves the row out
    returns  (groups, columns)
    """
    columns = plane.shape[1]
    lines = np.zeros((groups, columns), np.uint32)
    for row in range(group.shape[0]):
        if group[row] >= 0:
            line = lines[group[row]]
            for column in range(columns):
                line[column] += np.uint32(plane[row, column])
    return lines.astype(np.int64)


@njit(cache=True, nogil=True)
def median_step(plane: NDArray[np.uint16], rows: int, columns: tuple[int, int, int]) -> int:
    """The lower median of the absolute steps down the columns, from each row to the next.

    rows     from the top that are looked at
    columns  first, one beyond the last, and step of the columns looked at
    """
    first, beyond, step = columns
    counts = np.zeros(LEVELS, np.int32)
    seen = 0
    for row in range(rows - 1):
        for column in range(first, beyond, step):
            counts[abs(np.int64(plane[row + 1, column]) - np.int64(plane[row, column]))] += 1
            seen += 1
    return _counted(counts, seen // 2)
