"""Slow, obvious twins of the kernels that find a scan's own references."""

import numpy as np
import pytest

from fusion.kernels.xray_references import (
    air_run,
    band_sums,
    clear_rows,
    median_step,
    row_levels,
    survey,
)


def noise(seed, rows=21, columns=34, top=65_536):
    return np.random.default_rng(seed).integers(0, top, (rows, columns)).astype(np.uint16)


@pytest.mark.parametrize("seed", range(3))
def test_survey_is_sums_and_a_quantile_of_the_rows_looked_at(seed):
    plane = noise(seed)
    plane[0, ::4] = 65_535
    sums, top = survey(plane, 5, 4)
    probe = plane[::5]
    assert np.array_equal(sums, probe.sum(axis=0, dtype=np.int64))
    looked_at = np.sort(probe[:, ::4].reshape(-1))
    assert top == looked_at[looked_at.size - 1 - looked_at.size // 50]


def air_run_twin(plane, places, row_step, clear, missed):
    first, most, way = places
    states = []
    for column in range(first, first + way * most, way):
        seen = plane[::row_step, column].astype(int)
        if np.count_nonzero(seen <= clear) <= seen.size // 20:
            states.append(1)
        elif seen.max() < missed:
            states.append(0)
        else:
            break
    return np.array(states, np.uint8)


@pytest.mark.parametrize("way", [1, -1])
def test_the_run_of_air_ends_at_the_vehicle_and_not_at_a_missed_pulse(way):
    plane = noise(1, 60, 30) // 20 + np.uint16(50_000)
    plane[30:, 10:20] = 9000
    plane[:, [4, 25]] = 300
    plane[7] = 0
    clear = np.full(30, 45_000)
    first = 0 if way == 1 else 29
    states = air_run(plane, (first, 15, way), 2, clear, 25_000)
    assert np.array_equal(states, air_run_twin(plane, (first, 15, way), 2, clear, 25_000))
    assert states.tolist() == [1] * 4 + [0] + [1] * 5


@pytest.mark.parametrize("seed", range(3))
def test_row_levels_are_sums_over_the_columns_in_use(seed):
    plane = noise(seed)
    use = (np.random.default_rng(seed).random(17) < 0.8).astype(np.uint8)
    sums, steps = row_levels(plane, 6, use)
    for row in range(plane.shape[0]):
        line = plane[row, 6:23].astype(int)
        pairs = [i for i in range(16) if use[i] and use[i + 1]]
        assert sums[row] == line[use == 1].sum()
        assert steps[row] == sum(abs(line[i + 1] - line[i]) for i in pairs)


def test_row_levels_of_no_columns_are_nothing():
    sums, steps = row_levels(noise(0), 0, np.zeros(0, np.uint8))
    assert not sums.any()
    assert not steps.any()


def test_clear_rows_end_where_more_than_one_column_in_twenty_is_dim():
    plane = np.full((9, 80), 50_000, np.uint16)
    plane[3, :4] = 100  # one of 20 looked at
    plane[6, :20] = 100
    clear = np.full(9, 40_000)
    assert clear_rows(plane, (0, 80, 4), clear) == 6
    clear[6] = -1
    assert clear_rows(plane, (0, 80, 4), clear) == 9
    assert clear_rows(plane, (0, 80, 4), clear[:2]) == 2


@pytest.mark.parametrize("seed", range(3))
def test_band_sums_are_sums_of_groups_of_rows(seed):
    plane = noise(seed)
    group = np.random.default_rng(seed).integers(-1, 3, 15)
    expected = [plane[:15][group == g].sum(axis=0, dtype=np.int64) for g in range(3)]
    assert np.array_equal(band_sums(plane, group, 3), expected)


@pytest.mark.parametrize("rows", [2, 3, 12])
def test_median_step_is_the_lower_median_of_differences(rows):
    plane = noise(rows)
    steps = np.sort(np.abs(np.diff(plane[:rows, 3:30:4].astype(int), axis=0)).reshape(-1))
    assert median_step(plane, rows, (3, 30, 4)) == steps[(steps.size - 1) // 2]
