"""Slow, obvious twins of the kernels that look for repeated and flat parts of a scan."""

import numpy as np
import pytest

from fusion.kernels.xray_seen import column_marks, come_again, flat_cells, row_marks, wide_runs

RANDOM = np.random.default_rng(5)
FEW = RANDOM.integers(0, 3, (12, 40)).astype(np.uint16)  # many lines alike by chance


def same(lines):
    return [[list(one) == list(other) for other in lines] for one in lines]


@pytest.mark.parametrize("rows", [[0], [1, 7], [0, 3, 4, 11]])
def test_columns_have_one_mark_where_they_are_the_same(rows):
    marks = column_marks(FEW, np.array(rows), 3, 37)
    assert (marks[:, None] == marks).tolist() == same(FEW[rows, 3:37].T)


@pytest.mark.parametrize("columns", [[0], [5, 6], [1, 2, 39]])
def test_rows_have_one_mark_where_they_are_the_same(columns):
    marks = row_marks(FEW, (2, 11), np.array(columns))
    assert (marks[:, None] == marks).tolist() == same(FEW[2:11][:, columns])


def test_the_order_of_counts_matters():
    plane = np.array([[1, 2], [2, 1]], np.uint16)
    assert len(set(row_marks(plane, (0, 2), np.array([0, 1])).tolist())) == 2


@pytest.mark.parametrize("kinds", [1, 5, 1000])
def test_what_comes_again_has_been_there_before(kinds):
    marks = RANDOM.integers(0, kinds, 60).astype(np.uint64) * np.uint64(1 << 40)
    before = [mark in marks[:place].tolist() for place, mark in enumerate(marks.tolist())]
    assert come_again(marks).tolist() == before
    assert come_again(marks[:0]).tolist() == []


@pytest.mark.parametrize(("side", "bridged"), [(8, 3), (4, 0), (1, 2)])
def test_wide_runs_reach_into_cells(side, bridged):
    lines = RANDOM.random(64 + side - 1) < 0.7
    wide = np.zeros(lines.size, bool)
    for start in range(lines.size):
        for beyond in range(start + bridged + 1, lines.size + 1):
            if lines[start:beyond].all():
                wide[start:beyond] = True
    cells = wide[: lines.size // side * side].reshape(-1, side).any(axis=1)
    assert wide_runs(lines, side, bridged).tolist() == cells.tolist()


@pytest.mark.parametrize("side", [4, 8])
def test_a_flat_cell_does_not_change_along(side):
    plane = RANDOM.integers(0, 2, (5 * side, 6 * side)).astype(np.uint16)
    plane[side : 2 * side, 2 * side : 3 * side] = 7
    plane[2 * side : 3 * side, 3 * side : 4 * side] = np.arange(side)[:, None]
    found = np.zeros((3, 4), np.bool_)
    flat_cells(plane, side, (1, 2), found)
    for i in range(3):
        for j in range(4):
            cell = plane[(1 + i) * side :, (2 + j) * side :]
            places = [0, 3 * side // 8, 2 * (3 * side // 8)]
            rows = [cell[row, places].tolist() for row in range(0, side, side // 4)]
            assert found[i, j] == all(len(set(row)) == 1 for row in rows)
    assert found[0, 0]
    assert found[1, 1]


def test_cells_of_few_pixels_are_never_flat():
    found = np.zeros((2, 2), np.bool_)
    flat_cells(np.zeros((4, 4), np.uint16), 2, (0, 0), found)
    assert not found.any()
