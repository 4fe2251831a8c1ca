"""Slow, obvious twins of the kernels on pixels and cells of a scan."""

import numpy as np
import pytest

from fusion.kernels.xray_cells import (
    between_curves,
    clear_share,
    lag_products,
    square_means,
)


def test_clear_share_is_counts_over_the_dark_over_what_is_due():
    random = np.random.default_rng(1)
    plane = random.integers(0, 65_536, (9, 14)).astype(np.uint16)
    levels = np.stack((random.random(4) * 200, random.random(4) * 60_000))
    levels[1, 2] = 0.0
    pulse = random.random(14)
    pulse[5] = 0.0
    columns = np.array([1, 5, 6, 13])
    clear = clear_share(plane, 3, levels, columns, pulse)
    for i in range(4):
        for j, column in enumerate(columns):
            due = levels[1, i] * pulse[column]
            expected = (plane[3 + i, column] - levels[0, i]) / due if due > 0 else 0.0
            assert clear[i, j] == expected


@pytest.mark.parametrize("half", [0, 1, 3, 40])
def test_square_means_are_means_of_what_is_in_the_picture(half):
    values = np.random.default_rng(half).random((7, 12))
    means = square_means(values, half)
    for i in range(7):
        for j in range(12):
            near = values[max(i - half, 0) : i + half + 1, max(j - half, 0) : j + half + 1]
            assert means[i, j] == pytest.approx(near.mean())


def test_between_curves_is_interpolation_both_ways():
    random = np.random.default_rng(3)
    curves = random.random((4, 11)).cumsum(axis=1)
    values, place = random.uniform(-1.0, 6.0, (8, 9)), random.uniform(-0.5, 3.5, (8, 9))
    found = between_curves(values, place, curves, 0.5)
    at = np.arange(11) * 0.5
    for i in range(8):
        for j in range(9):
            layers = [float(np.interp(values[i, j], at, curve)) for curve in curves]
            expected = float(np.interp(place[i, j], np.arange(4), layers))
            if values[i, j] < 0:
                expected = values[i, j] / 0.5 * (curves[0, 1] - curves[0, 0])
            assert found[i, j] == pytest.approx(expected)


def test_lag_products_are_sums_of_products():
    values = np.random.default_rng(5).random(40)
    expected = [values[lag:] @ values[: 40 - lag] for lag in range(3, 9)]
    assert lag_products(values, 3, 9) == pytest.approx(expected)
