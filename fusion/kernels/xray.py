"""Kernels of the X-ray analysis. Whole numbers where it counts: the same bits everywhere."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def pooled_counts(
    plane: NDArray[np.uint16],
    dark_q8: NDArray[np.uint32],
    gain_q12: NDArray[np.uint32],
    pulse_q12: NDArray[np.int64],
    cell: int,
) -> NDArray[np.float64]:
    """Sums of dark-corrected, gain-corrected counts over square cells, in 2**-24 counts.

    plane      (rows, columns) raw counts
    dark_q8    (rows,) dark level in 1/256 counts
    gain_q12   (rows,) correction factor times 4096, below 2; 0 leaves the row out
    pulse_q12  (columns,) correction factor times 4096; 0 leaves the column out
    cell       side of a cell; 8 rows of 65,535 counts times 2 just fill 32 bits
    returns    (rows // cell, columns // cell) whole numbers; divide by the cell's live pixels for
               a mean

    Counts are averaged before the logarithm and not after: at 2 quanta a pixel the mean of
    logarithms is off by 30 %, the logarithm of the mean by nothing.
    """
    cells_y, cells_x = plane.shape[0] // cell, plane.shape[1] // cell
    columns = cells_x * cell
    sums = np.empty((cells_y, cells_x))
    line = np.zeros(columns, np.uint32)
    # Floats hold whole numbers up to 2**53 as they are, and are multiplied four at a time.
    lit, pulse = np.zeros(columns), pulse_q12[:columns].astype(np.float64)
    for i in range(cells_y):
        line[:] = 0
        dark_q20 = np.int64(0)
        for row in range(i * cell, (i + 1) * cell):
            gain = gain_q12[row]
            if gain == 0:
                continue
            dark_q20 += np.int64(gain) * np.int64(dark_q8[row])
            counts = plane[row]
            for column in range(columns):
                line[column] += np.uint32(counts[column]) * gain
        dark = np.float64(dark_q20 >> 8)
        for column in range(columns):
            lit[column] = (np.float64(line[column]) - dark) * pulse[column]
        for j in range(cells_x):
            total = 0.0
            for column in range(j * cell, (j + 1) * cell):
                total += lit[column]
            sums[i, j] = total
    return sums


@njit(cache=True, nogil=True)
def components(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """Connected parts (up, down, left, right) of a mask.

    mask     (rows, columns)
    returns  (rows, columns) 0 outside, else 1 ... count in the order of each part's first
             cell row by row; and the count
    """
    rows, columns = mask.shape
    labels = np.zeros((rows, columns), np.int32)
    stack = np.empty(rows * columns, np.int64)
    count = 0
    for start in range(rows * columns):
        if not mask[start // columns, start % columns] or labels[start // columns, start % columns]:
            continue
        count += 1
        labels[start // columns, start % columns] = count
        stack[0] = start
        depth = 1
        while depth > 0:
            depth -= 1
            row, column = stack[depth] // columns, stack[depth] % columns
            for step in range(4):
                y = row + (step == 0) - (step == 1)
                x = column + (step == 2) - (step == 3)
                if 0 <= y < rows and 0 <= x < columns and mask[y, x] and labels[y, x] == 0:
                    labels[y, x] = count
                    stack[depth] = y * columns + x
                    depth += 1
    return labels, count


@njit(cache=True, nogil=True)
def box_sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Integral image with a leading row and column of zeros, summed row by row in order.

    values   (rows, columns)
    returns  (rows + 1, columns + 1): the sum of a box is a - b - c + d of its corners
    """
    rows, columns = values.shape
    sums = np.zeros((rows + 1, columns + 1))
    for i in range(rows):
        run = 0.0
        for j in range(columns):
            run += values[i, j]
            sums[i + 1, j + 1] = sums[i, j + 1] + run
    return sums


@njit(cache=True, nogil=True)
def _box(sums: NDArray[np.float64], i: int, j: int, half: int) -> float:
    """Sum over the box about (i, j), cut off at the picture's edges."""
    top, bottom = max(i - half, 0), min(i + half + 1, sums.shape[0] - 1)
    left, right = max(j - half, 0), min(j + half + 1, sums.shape[1] - 1)
    return float(sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left])


@njit(cache=True, nogil=True)
def local_texture(
    values: NDArray[np.float64], load: NDArray[np.bool_], half: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far each inner load cell is from the mean of the load about it, relative to that.

    values   (rows, columns) attenuation over the walls
    load     (rows, columns) cells that hold load
    half     half side of the neighbourhood in cells
    returns  (n,) relative distance and (n,) local mean of the cells whose whole
             neighbourhood is load, row by row
    """
    rows, columns = values.shape
    weight = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            weight[i, j] = 1.0 if load[i, j] else 0.0
    counts, sums = box_sums(weight), box_sums(values)
    size = float((2 * half + 1) ** 2)
    distance = np.empty(rows * columns)
    means = np.empty(rows * columns)
    found = 0
    for i in range(half, rows - half):
        for j in range(half, columns - half):
            if _box(counts, i, j, half) == size:
                mean = _box(sums, i, j, half) / size
                distance[found] = abs(values[i, j] - mean) / mean
                means[found] = mean
                found += 1
    return distance[:found].copy(), means[:found].copy()
