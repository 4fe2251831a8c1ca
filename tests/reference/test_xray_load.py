"""Slow, obvious twins of the kernels of a scan's load."""

import numpy as np
import pytest

from fusion.kernels.xray import box_sums
from fusion.kernels.xray_load import (
    NEAR_BINS,
    fitted_waves,
    near_medians,
    place_terms,
    side_differences,
    side_ranks,
    strongest_wave,
    told_materials,
)
from fusion.scans.beam import beam_of


@pytest.mark.parametrize("down", [False, True])
def test_near_medians_are_medians_of_what_is_near(down):
    random = np.random.default_rng(2)
    values = random.normal(0.0, 0.06, (17, 40))
    values[3] = 5.0
    medians, counts = near_medians(values, 0.1, 3, down)
    for line, lane in enumerate(values.T if down else values):
        near = np.sort(lane[np.abs(lane) < 0.1])
        assert counts[line] == near.size
        expected = near[(near.size - 1) // 2] if near.size >= 3 else 0.0
        assert medians[line] == pytest.approx(expected, abs=0.2 / NEAR_BINS)


def test_the_strongest_wave_is_the_one_that_is_there():
    random = np.random.default_rng(4)
    periods = np.linspace(0.18, 0.42, 60)
    along = np.arange(190) * 0.064
    values = 0.02 * np.sin(2 * np.pi * along / periods[23]) + random.normal(0.0, 0.003, 190)
    known = random.random(190) < 0.6
    turns = 2 * np.pi * along[None, :] / periods[:, None]
    power = [np.sum((values * np.exp(1j * turn))[known]) for turn in turns]
    assert strongest_wave(values, known, 0.064, periods) == np.argmax(np.abs(power)) == 23


def test_fitted_waves_are_the_least_squares_ones():
    random = np.random.default_rng(5)
    values, known = random.normal(0.0, 1.0, 60), random.random(60) < 0.7
    turns = 0.7 * np.arange(60)
    rows = [np.ones(60), np.cos(turns), np.sin(turns), np.cos(2 * turns), np.sin(2 * turns)]
    basis = np.stack(rows)
    seen = basis[:, known]
    weights = np.linalg.solve(seen @ seen.T + 2.0 * np.eye(5), seen @ values[known])
    assert fitted_waves(values, known, 0.7, 2, 2.0) == pytest.approx(weights @ basis)


def test_told_materials_are_those_of_the_next_curve():
    random = np.random.default_rng(6)
    beam = beam_of((6.0, 4.0))
    shape = (13, 19)
    high = random.uniform(0.1, 5.5, shape)
    truth = random.integers(0, 4, shape)
    low = np.zeros(shape)
    for k in range(4):
        low[truth == k] = np.interp(high[truth == k], beam.at, beam.low[k])
    low += random.normal(0.0, 0.01, shape)
    load, opaque = random.random(shape) < 0.8, random.random(shape) < 0.1
    noise = 0.002 * np.exp(beam.at / 2)
    step, least, most, calibration_sd, sure = limits = (0.05, 0.3, 4.6, 0.003, 0.5)
    place, group = told_materials(high, low, load, opaque, beam.low, noise, limits)
    assert beam.at[1] == pytest.approx(step)
    for i, j in np.ndindex(shape):
        if opaque[i, j] or not load[i, j]:
            assert (place[i, j], group[i, j]) == (-1.0, 5 if opaque[i, j] else 0)
            continue
        near = np.zeros(shape, bool)
        near[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2] = True
        near &= load & ~opaque
        mean, below = high[near].mean(), low[near].mean()
        if not least <= mean < most:
            assert (place[i, j], group[i, j]) == (-1.0, 0)
            continue
        due = np.minimum.accumulate([np.interp(mean, beam.at, curve) for curve in beam.low])
        lines = (due[:-1] + due[1:]) / 2
        sd = np.hypot(np.interp(mean, beam.at, noise) / np.sqrt(near.sum()), calibration_sd * mean)
        apart = np.maximum(due[:-1] - due[1:], 1e-4)
        assert place[i, j] == pytest.approx(np.clip((due[:-1] - below) / apart, 0, 1).sum())
        sure_enough = np.abs(below - lines).min() >= sure * sd
        assert group[i, j] == ((below < lines).sum() + 1 if sure_enough else 0)


def mean_of(parts, rows, columns, min_load):
    """(attenuation, signal, variance) of a box; None where it leaves the picture or the load."""
    height, width = parts[0].shape
    if rows.start < 0 or columns.start < 0 or rows.stop > height or columns.stop > width:
        return None
    load, high, weight, signal = (float(part[rows, columns].sum()) for part in parts)
    if load < min_load * (rows.stop - rows.start) * (columns.stop - columns.start):
        return None
    return high / load, signal / weight, 1.0 / weight


def around(middle, half):
    return slice(middle - half, middle + half + 1)


@pytest.mark.parametrize("size", [(1, 1, 1, 1), (2, 1, 1, 1)])
def test_side_differences_are_box_means_less_strip_means(size):
    random = np.random.default_rng(8)
    load = (random.random((13, 17)) < 0.93).astype(float)
    high, weight = random.uniform(1.0, 2.0, load.shape), random.uniform(10.0, 20.0, load.shape)
    metal = random.normal(0.0, 0.1, load.shape)
    parts = [load, high * load, weight * load, weight * metal * load]
    sums = np.stack([box_sums(part) for part in parts])
    places, found, inside = side_differences(sums, size, 1, 2, 0.8)
    tall, long, strip_y, strip_x = size
    expected, boxes = {}, []
    for i in range(tall, 13 - tall, 2):
        for j in range(long, 17 - long, 2):
            inner = mean_of(parts, around(i, tall), around(j, long), 0.8)
            if inner is None:
                continue
            apart_y, apart_x = tall + strip_y + 2, long + strip_x + 2
            sides = (
                (around(i, tall), around(j - apart_x, strip_x)),
                (around(i, tall), around(j + apart_x, strip_x)),
                (around(i - apart_y, strip_y), around(j, long)),
                (around(i + apart_y, strip_y), around(j, long)),
            )
            rows = np.full((3, 4), np.nan)
            for side, (down, along) in enumerate(sides):
                if (strip := mean_of(parts, down, along, 0.8)) is not None:
                    rows[:, side] = inner[0] - strip[0], inner[1] - strip[1], inner[2] + strip[2]
            expected[i, j] = rows
            boxes.append(inner)
    assert [tuple(place) for place in places.tolist()] == list(expected)
    assert found == pytest.approx(np.array(list(expected.values())), nan_ok=True)
    assert inside == pytest.approx(np.array(boxes))


FLOORS = (0.03, 0.01, 0.004)


def test_side_ranks_are_of_the_two_sides_that_it_stands_out_from_least():
    random = np.random.default_rng(9)
    found = random.normal(0.2, 0.3, (40, 3, 4))
    found[:, 2] = random.uniform(0.001, 0.01, (40, 4))
    found[3, :, 1] = found[4, :, :2] = found[5, :, 1:] = np.nan
    levels = random.uniform(1.0, 5.0, 40)
    ranks = side_ranks(found, levels, (0.1, 0.2, 0.02), FLOORS)
    for k in range(40):
        known = np.nonzero(~np.isnan(found[k, 0]))[0]
        if known.size < 2:
            assert not ranks[k].any()
            continue
        more, metal, variance = found[k][:, known]
        texture = np.where(known < 2, 0.1, 0.2)
        dense = more / np.sqrt(texture**2 + (0.03 + 0.01 * levels[k]) ** 2 + variance)
        heavy = metal / np.sqrt(0.02**2 + 0.004**2 + variance)
        both = np.hypot(np.maximum(dense, 0), np.maximum(heavy, 0))
        least = [np.sort(each)[:2] for each in (both, dense, heavy)]
        assert ranks[k, :6] == pytest.approx(np.concatenate(least))
        assert ranks[k, 6:] == pytest.approx([known.size, more.mean()])


def test_place_terms_say_how_far_and_against_what():
    random = np.random.default_rng(10)
    ranks, inside = random.normal(2.0, 3.0, (30, 8)), random.uniform(0.1, 7.0, (30, 3))
    usual = (0.2, 3.0, 0.5, 0.3, 0.9)
    terms = place_terms(ranks, inside, usual, FLOORS)
    for k in range(30):
        level, signal, variance = inside[k]
        assert terms[k, :6] == pytest.approx(np.log1p(np.clip(ranks[k, :6], 0, 60)))
        assert terms[k, 6:8] == pytest.approx(np.clip(-ranks[k, [2, 4]], 0, 5))
        spread = np.sqrt(0.2**2 + (0.03 + 0.01 * level) ** 2 + variance)
        assert terms[k, 8] == pytest.approx(np.clip((level - 3.0) / spread, -5, 8))
        spread = np.sqrt(0.3**2 + 0.004**2 + variance)
        assert terms[k, 9] == pytest.approx(np.clip((signal - 0.5) / spread, -5, 8))
        assert terms[k, 10:13] == pytest.approx([np.log(0.9), np.log(0.2 / 0.03 + 0.3), level])
        bends = (1.3, 1.6, 1.2, 1.2, 0.0, 1.5, 5.0)
        bent = terms[k, [0, 1, 3, 5, 8, 9, 12]] - bends
        assert terms[k, 13:] == pytest.approx(np.maximum(bent, 0))
