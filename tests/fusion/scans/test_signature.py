from types import SimpleNamespace

import numpy as np
import pytest

from fusion.scans.signature import SQUARE_M, grid, signature

GEOMETRY = SimpleNamespace(cell_x_m=0.07, cell_y_m=0.064)


def test_squares_hold_the_means_of_their_part_of_the_box():
    areal = np.zeros((40, 100))
    areal[30:35, 50:60] = 80.0  # 0.7 x 0.32 m
    told = signature(areal, np.zeros(areal.shape, bool), GEOMETRY)
    squares = grid(told)
    assert squares.shape == (20, 56)
    assert squares.sum() * SQUARE_M**2 == pytest.approx(80.0 * 0.7 * 0.32, rel=0.01)
    bottom, left = (40 - 35) * 0.064 / SQUARE_M, 50 * 0.07 / SQUARE_M
    rows, columns = np.nonzero(squares > 40.0)
    assert 20 - 1 - rows.max() == pytest.approx(bottom, abs=0.6)
    assert columns.min() == pytest.approx(left, abs=0.6)


def test_what_lets_nothing_through_is_told_below_zero_and_a_box_of_no_size_not_at_all():
    areal = np.full((16, 16), 150.0)
    opaque = np.zeros(areal.shape, bool)
    opaque[:, :8] = True
    squares = grid(signature(areal, opaque, GEOMETRY))
    assert (squares[:, 0] == -150.0).all() and (squares[:, -1] == 150.0).all()
    assert signature(areal[:1, :1], opaque[:1, :1], GEOMETRY) == ()
    assert grid(()) is None and grid((3.0, 1.0)) is None
