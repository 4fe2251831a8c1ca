"""What the first rows of a logger show."""

import numpy as np
import pytest

from drivers.seismic_ascii_shape import guess, scale_of


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([[1.0], [2047.0]], 1.0),
        ([[0.0]], 1.0),
        ([[0.5], [-0.25]], 100.0),
        ([[5e9]], 0.1),
        ([[1.2345678912345e-7]], 1e13),
    ],
)
def test_the_scale_of_numbers_is_a_power_of_ten(values, scale):
    assert scale_of(np.array(values)) == pytest.approx(scale)


def test_columns_that_nobody_described():
    rows = np.arange(100, dtype=float)
    assert guess(rows[:, None], None) == ("counts",)
    assert guess(np.stack([rows / 100, rows % 3], axis=1), None) == ("time", "counts")
    assert guess(np.stack([rows % 2, rows % 3], axis=1), None) == ("counts", "EH2")
