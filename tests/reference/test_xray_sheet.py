"""Smaller pictures of a plane, the slow way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.kernels.xray_sheet import binned_counts, coloured, light_levels


@given(st.integers(1, 23), st.integers(1, 29), st.integers(1, 6))
@settings(max_examples=25)
def test_bins_are_means(rows, columns, factor):
    plane = np.random.default_rng(rows).integers(0, 65_536, (rows, columns)).astype(np.uint16)
    found = binned_counts(plane, factor)
    for y in range(-(-rows // factor)):
        for x in range(-(-columns // factor)):
            part = plane[y * factor : (y + 1) * factor, x * factor : (x + 1) * factor]
            assert found[y, x] == (int(part.sum()) + part.size // 2) // part.size


@pytest.mark.parametrize(("down", "along"), [(4, 7), (12, 18), (25, 40)])
def test_levels_are_of_the_mean_of_what_is_alive(down, along):
    random = np.random.default_rng(2)
    plane = random.integers(0, 3000, (12, 18)).astype(np.uint16)
    dark, of_row = random.uniform(0, 50, 12), random.uniform(0.9, 1.1, 12)
    of_column = random.uniform(0.9, 1.1, 18)
    of_row[3] = of_column[5] = of_column[6] = 0.0
    rows = np.arange(down + 1) * 12 // down
    columns = np.arange(along + 1) * 18 // along
    level_of = (np.arange(4096) // 20).astype(np.uint8)
    found = light_levels(plane, (dark, of_row, of_column), (rows, columns), level_of, 255)
    corrected = (plane - dark[:, None]) * of_row[:, None] * of_column
    live = (of_row[:, None] * of_column) > 0
    for y in range(down):
        for x in range(along):
            part = np.s_[
                rows[y] : max(rows[y + 1], rows[y] + 1),
                columns[x] : max(columns[x + 1], columns[x] + 1),
            ]
            count = live[part].sum()
            mean = corrected[part][live[part]].sum() / count if count else None
            wanted = 255 if mean is None else level_of[int(np.clip(mean, 0, 4095))]
            assert abs(int(found[y, x]) - int(wanted)) <= (1 if count else 0)


def test_colours_are_looked_up_by_cell_and_level():
    random = np.random.default_rng(1)
    levels = random.integers(0, 256, (7, 9)).astype(np.uint8)
    groups = random.integers(0, 6, (3, 4)).astype(np.uint8)
    down, along = np.arange(7) * 3 // 7, np.arange(9) * 4 // 9
    colours = random.integers(0, 256, (6, 256)).astype(np.uint8)
    wanted = colours[groups[down][:, along], levels]
    assert (coloured(levels, groups, (down, along), colours) == wanted).all()
