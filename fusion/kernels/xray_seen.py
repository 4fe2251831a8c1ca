"""Kernels that tell what of a scan is a picture of its own, and not the same thing again."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

MIX = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: spreads every bit
SHIFT = np.uint64(29)


@njit(cache=True, nogil=True)
def column_marks(
    plane: NDArray[np.uint16], rows: NDArray[np.int64], first: int, beyond: int
) -> NDArray[np.uint64]:
    """A number for each column, the same where all counts looked at are the same.

    rows     (n,) which are looked at
    returns  (beyond - first,)
    """
    marks = np.zeros(beyond - first, np.uint64)
    for row in rows:
        line = plane[row, first:beyond]
        for place in range(marks.shape[0]):
            mark = (marks[place] ^ np.uint64(line[place])) * MIX
            marks[place] = mark ^ (mark >> SHIFT)
    return marks


@njit(cache=True, nogil=True)
def row_marks(
    plane: NDArray[np.uint16], rows: tuple[int, int], columns: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """A number for each row, the same where all counts looked at are the same.

    rows     first and one beyond the last
    columns  (n,) which are looked at
    returns  (rows,)
    """
    marks = np.zeros(rows[1] - rows[0], np.uint64)
    for place in range(marks.shape[0]):
        line = plane[rows[0] + place]
        mark = np.uint64(0)
        for column in columns:
            mark = (mark ^ np.uint64(line[column])) * MIX
            mark ^= mark >> SHIFT
        marks[place] = mark
    return marks


@njit(cache=True, nogil=True)
def come_again(marks: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """(n,) which have been there before, at any distance."""
    size = 4
    while size < 2 * marks.shape[0]:
        size *= 2
    places, all_bits = np.full(size, -1, np.int32), np.uint64(size - 1)
    again = np.zeros(marks.shape[0], np.bool_)
    for number in range(marks.shape[0]):
        place = np.int64(marks[number] & all_bits)
        while places[place] >= 0 and marks[places[place]] != marks[number]:
            place = (place + 1) & (size - 1)
        again[number] = places[place] >= 0
        if not again[number]:
            places[place] = number
    return again


@njit(cache=True, nogil=True)
def wide_runs(lines: NDArray[np.bool_], side: int, bridged: int) -> NDArray[np.bool_]:
    """Cells that a run of more than `bridged` lines reaches into.

    lines    (n,)
    side     lines of a cell
    returns  (n // side,)
    """
    cells = np.zeros(lines.shape[0] // side, np.bool_)
    start = 0
    for line in range(lines.shape[0] + 1):
        if line < lines.shape[0] and lines[line]:
            continue
        if line - start > bridged:
            for cell in range(start // side, min((line - 1) // side + 1, cells.shape[0])):
                cells[cell] = True
        start = line + 1
    return cells


@njit(cache=True, nogil=True)
def flat_cells(
    plane: NDArray[np.uint16], cell: int, first: tuple[int, int], found: NDArray[np.bool_]
) -> None:
    """Set which cells of a zone do not change along the vehicle, in any of four rows.

    first  row and column of the zone's first cell, in cells
    found  (rows, columns) of the zone

    Neighbours may be alike where a picture was made larger: places three eighths of a cell apart
    are held against each other. Noise alone makes eight such pairs alike where there are hardly
    any counts.
    """
    if cell < 4:
        return
    step, apart = cell // 4, (3 * cell) // 8
    for i in range(found.shape[0]):
        top = (first[0] + i) * cell
        for j in range(found.shape[1]):
            left = (first[1] + j) * cell
            flat = True
            for row in range(top, top + cell, step):
                number = plane[row, left]
                if plane[row, left + apart] != number or plane[row, left + 2 * apart] != number:
                    flat = False
                    break
            if flat:
                found[i, j] = True
