"""Strokes drawn row by row of the whole sheet, beside the kernels."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fusion.kernels.canvas import draw_columns, draw_steps

HEIGHT, WIDTH = 20, 30
rows = st.integers(-5, HEIGHT + 5)


def naive_columns(pixels, x, first, last, colour):
    every = np.arange(HEIGHT)[:, None]
    sheet = pixels[:, x : x + len(first)]
    first, last = first[: sheet.shape[1]], last[: sheet.shape[1]]
    sheet[(every >= first) & (every <= last)] = colour


def naive_steps(pixels, x, heights, pen):
    colour, thick, dashed = pen
    if not len(heights):
        return
    before = np.concatenate((heights[:1], heights[:-1]))
    first, last = np.minimum(heights, before), np.maximum(heights, before)
    grown = thick - 1
    first, last = first - grown // 2, last + (grown + 1) // 2
    if dashed:
        gap = np.arange(len(heights)) % 9 >= 5
        last = np.where(gap, first - 1, last)
    naive_columns(pixels, x, first, last, colour)


def sheet():
    return np.zeros((HEIGHT, WIDTH), np.uint8)


@given(st.integers(0, WIDTH), st.lists(st.tuples(rows, rows), max_size=40))
def test_strokes_are_all_between_their_ends(x, ends):
    first, last = (np.array([each[side] for each in ends], np.int64) for side in (0, 1))
    found, expected = sheet(), sheet()
    draw_columns(found, x, first, last, 3)
    naive_columns(expected, x, first, last, 3)
    assert np.array_equal(found, expected)


@given(st.integers(0, WIDTH), st.lists(rows, max_size=40), st.integers(1, 4), st.booleans())
def test_steps_go_through_every_height(x, heights, thick, dashed):
    found, expected = sheet(), sheet()
    draw_steps(found, x, np.array(heights, np.int64), (5, thick, dashed))
    naive_steps(expected, x, np.array(heights, np.int64), (5, thick, dashed))
    assert np.array_equal(found, expected)
