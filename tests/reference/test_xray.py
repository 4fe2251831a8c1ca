"""Slow, obvious twins of the X-ray kernels."""

import numpy as np
import pytest

from fusion.kernels.xray import (
    box_sums,
    components,
    local_texture,
    pooled_counts,
)


def pooled_twin(plane, dark_q8, gain_q12, pulse_q12, cell):
    rows, columns = (side // cell for side in plane.shape)
    sums = np.zeros((rows, columns), np.int64)
    for i in range(rows):
        for j in range(columns):
            for column in range(j * cell, (j + 1) * cell):
                block = slice(i * cell, (i + 1) * cell)
                gain = gain_q12[block].astype(object)
                light = int((plane[block, column].astype(object) * gain).sum())
                dark = int((dark_q8[block].astype(object) * gain).sum()) >> 8
                sums[i, j] += (light - dark) * int(pulse_q12[column])
    return sums


def components_twin(mask):
    """Paint every cell with the least index that any of its neighbours has, until it settles."""
    names = np.where(mask, np.arange(1, mask.size + 1).reshape(mask.shape), 0)
    while True:
        padded = np.pad(np.where(mask, names, mask.size + 1), 1, constant_values=mask.size + 1)
        neighbours = [padded[1:-1, 1:-1], padded[:-2, 1:-1], padded[2:, 1:-1]]
        neighbours += [padded[1:-1, :-2], padded[1:-1, 2:]]
        settled = np.where(mask, np.min(neighbours, axis=0), 0)
        if (settled == names).all():
            break
        names = settled
    distinct = np.unique(names[mask])
    return np.where(mask, np.searchsorted(distinct, names) + 1, 0), distinct.size


def around(shape, row, column, half):
    return (
        slice(max(row - half, 0), min(row + half + 1, shape[0])),
        slice(max(column - half, 0), min(column + half + 1, shape[1])),
    )


@pytest.mark.parametrize("seed", range(4))
def test_pooled_counts_are_the_sums_of_corrected_pixels(seed):
    random = np.random.default_rng(seed)
    plane = random.integers(0, 65_536, (27, 43)).astype(np.uint16)
    dark = random.integers(0, 64_000, 27).astype(np.uint32)
    gain = random.integers(2100, 7800, 27).astype(np.uint32)
    gain[random.integers(0, 27, 4)] = 0
    pulse = random.integers(2048, 8192, 43)
    pulse[random.integers(0, 43, 4)] = 0
    expected = pooled_twin(plane, dark, gain, pulse, 8)
    assert np.array_equal(pooled_counts(plane, dark, gain, pulse, 8), expected)


def test_pooled_counts_hold_the_brightest_picture():
    plane = np.full((8, 8), 65_535, np.uint16)
    gain = np.full(8, 8191, np.uint32)
    pulse = np.full(8, 8192)
    sums = pooled_counts(plane, np.zeros(8, np.uint32), gain, pulse, 8)
    assert sums[0, 0] == 64 * 65_535 * 8191 * 8192


@pytest.mark.parametrize("share", [0.0, 0.3, 0.55, 0.8, 1.0])
def test_components_are_those_of_the_painter(share):
    mask = np.random.default_rng(5).random((23, 31)) < share
    labels, count = components(mask)
    twin, twin_count = components_twin(mask)
    assert count == twin_count
    assert np.array_equal(labels, twin)


def test_box_sums_are_cumulative_sums():
    values = np.random.default_rng(6).random((9, 14))
    expected = np.pad(values.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    assert box_sums(values) == pytest.approx(expected)


def test_local_texture_is_the_distance_from_the_local_mean():
    random = np.random.default_rng(9)
    values, load = random.random((14, 17)) + 1.0, random.random((14, 17)) < 0.98
    distance, means = local_texture(values, load, 2)
    expected = []
    for row in range(2, 12):
        for column in range(2, 15):
            box = around(values.shape, row, column, 2)
            if load[box].all():
                expected.append(
                    (abs(values[row, column] / values[box].mean() - 1), values[box].mean())
                )
    assert distance == pytest.approx([pair[0] for pair in expected])
    assert means == pytest.approx([pair[1] for pair in expected])
