"""Strokes on a sheet of pixels. Callers check arguments."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Rows = NDArray[np.int64]

DASH, PERIOD = 5, 9  # columns


@njit(cache=True, nogil=True)
def draw_columns(pixels: Pixels, x: int, first: Rows, last: Rows, colour: int) -> None:
    """A vertical stroke in each column from x on, ends drawn; none where last < first.

    pixels       (rows, columns)
    first, last  (strokes,) rows; what lies outside of the sheet is not drawn
    """
    height, width = pixels.shape
    for i in range(min(first.shape[0], width - x)):
        for row in range(max(first[i], 0), min(last[i] + 1, height)):
            pixels[row, x + i] = colour


@njit(cache=True, nogil=True)
def draw_steps(pixels: Pixels, x: int, heights: Rows, pen: tuple[int, int, bool]) -> None:
    """A line through one row for each column from x on, upright where it jumps.

    pen  colour, thickness in rows, and whether the line is broken
    """
    height, width = pixels.shape
    colour, thick, dashed = pen
    above = (thick - 1) // 2
    below = thick // 2
    before = heights[0] if heights.shape[0] else 0
    for i in range(min(heights.shape[0], width - x)):
        at = heights[i]
        if not dashed or i % PERIOD < DASH:
            for row in range(
                max(min(at, before) - above, 0), min(max(at, before) + below + 1, height)
            ):
                pixels[row, x + i] = colour
        before = at
