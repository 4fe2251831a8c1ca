"""Which parts of a scan are no picture of their own: sent twice, frozen, saturated, painted over.

Noise of 1 % is what no two places of a real scan share, so that a few pixels tell.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.xray_seen import column_marks, come_again, flat_cells, row_marks, wide_runs
from fusion.scans.calibrate import Flags
from fusion.scans.stripes import MAX_INTERPOLATED_PX

Plane = NDArray[np.uint16]

ROW_PARTS, ROWS_LOOKED_AT = 2, 10  # of the box's height, and rows of each
COLUMN_PARTS, COLUMNS_LOOKED_AT = 2, 16  # of its length, and columns of each, side by side


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """All (rows, columns) of a zone of cells; a cell is at most in one of them."""

    saturated: Flags
    """Of one number, and as bright as air."""
    lines: Flags
    """Columns that have been there before, or do not change: in runs too wide to be bridged."""
    rows: Flags
    """The same of rows."""
    flat: Flags
    """Of one number along, and nothing else."""


def repeats(
    plane: Plane,
    live: tuple[Flags, Flags],
    cell: int,
    zone: tuple[slice, slice],
    clear: Flags,
) -> Repeats:
    """Look for them in a zone.

    live   (all rows,) that are alive and (all columns,) that have a pulse
    cell   pixels along a cell's side
    zone   rows and columns, in cells
    clear  (rows, columns) of the zone that are as bright as air
    """
    rows, columns = zone
    flat, along, down = (np.zeros(clear.shape, np.bool_) for _ in range(3))
    pixels = _pixels(rows, cell), _pixels(columns, cell)
    alive, fired = live[0][slice(*pixels[0])], live[1][slice(*pixels[1])]
    flat_cells(plane, cell, (rows.start, columns.start), flat)
    for part, looked_at in _row_parts(rows, cell):
        again = come_again(column_marks(plane, looked_at, *pixels[1]))
        along[part] |= wide_runs(again & fired, cell, MAX_INTERPOLATED_PX)
    for part, looked_at in _column_parts(columns, cell, live[1], flat):
        again = come_again(row_marks(plane, pixels[0], looked_at))
        down[:, part] |= wide_runs(again & alive, cell, MAX_INTERPOLATED_PX)[:, None]
    full = flat & clear
    frozen = along.all(axis=0) & ~full
    lines = (along & ~flat) | (flat & frozen)
    return Repeats(
        saturated=full,
        lines=lines,
        rows=down & ~flat & ~lines,
        flat=flat & ~full & ~lines,
    )


def _pixels(cells: slice, side: int) -> tuple[int, int]:
    return cells.start * side, cells.stop * side


def _row_parts(cells: slice, side: int) -> Iterator[tuple[slice, NDArray[np.int64]]]:
    """(rows of cells within the zone, some rows of pixels) for each part of its height."""
    for part in _parts(cells.stop - cells.start, ROW_PARTS):
        first, last = (cells.start + part.start) * side, (cells.start + part.stop) * side - 1
        yield part, np.linspace(first, last, ROWS_LOOKED_AT).astype(np.int64)


def _column_parts(
    cells: slice, side: int, live: Flags, flat: Flags
) -> Iterator[tuple[slice, NDArray[np.int64]]]:
    """(columns of cells within the zone, some columns of pixels) for each part of its length.

    In columns without a pulse, or of one number, all rows look alike.
    """
    whole = np.repeat(2 * np.count_nonzero(flat, axis=0) < flat.shape[0], side)
    useful = live[slice(*_pixels(cells, side))] & whole
    for part in _parts(cells.stop - cells.start, COLUMN_PARTS):
        some = np.flatnonzero(useful[slice(*_pixels(part, side))])
        if some.size >= COLUMNS_LOOKED_AT:
            first = (some.size - COLUMNS_LOOKED_AT) // 2
            start = (cells.start + part.start) * side
            yield part, start + some[first : first + COLUMNS_LOOKED_AT]


def _parts(cells: int, count: int) -> Iterator[slice]:
    """A fault need not reach from end to end."""
    for number in range(count):
        part = slice(number * cells // count, (number + 1) * cells // count)
        if part.stop > part.start:
            yield part
