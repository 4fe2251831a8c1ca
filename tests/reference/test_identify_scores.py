"""Slow, obvious NumPy twins of the kernels that screen sources."""

import numpy as np
import pytest

from fusion.kernels.identify import Parts, Spectrum, smooth
from fusion.kernels.identify_scores import (
    BLOCK,
    LANE,
    Sources,
    all_scores,
    beyond_parts,
    first_of_each,
    highest_of,
    in_blocks,
    in_lanes,
    part_sums,
    screened,
    shared_with,
    shared_with_block,
    source_scores,
)

BINS = 40
FITTED = np.array([1.0, 0.05])


@pytest.fixture
def case():
    rng = np.random.default_rng(5)
    place = np.arange(BINS)
    falling = 60.0 * np.exp(-place / 15.0)
    peak = 80.0 * np.exp(-0.5 * ((place - 22) / 2.0) ** 2)
    tilt = falling * (place / BINS - 0.5)
    counts = rng.poisson(falling + 0.7 * peak).astype(float)
    weights = np.where(place < 2, 0.0, 1.0 / (1.0 + 0.01 * counts))
    parts = Parts(
        np.array([falling, tilt]),
        np.array([1.0, 0.0]),
        np.array([4.0, 100.0]),
        np.array([0.0, -0.3]),
        np.array([2.0, 0.3]),
    )
    spectrum = Spectrum(counts, weights, smooth(counts, 2))
    mean = np.maximum(FITTED @ parts.shapes, 0.02 * spectrum.level)
    return spectrum, parts, (FITTED, mean, np.maximum(mean, spectrum.level))


@pytest.fixture
def shapes(case):
    place = np.arange(BINS)
    peak = np.exp(-0.5 * ((place - 22) / 2.0) ** 2)
    return np.array([peak, np.where(peak > 0.1, np.roll(peak, 9), 0.0), case[1].shapes[0] / 60.0])


def without_zeros(shapes):
    rows, bins = np.nonzero(shapes)
    first = np.searchsorted(rows, np.arange(len(shapes) + 1))
    return Sources(first.astype(np.int64), bins.astype(np.int32), shapes[rows, bins])


def naive_sums(spectrum, parts, fitted):
    values, mean, variance = fitted
    weights = spectrum.weights / variance
    slope = parts.shapes @ (weights * (spectrum.counts - mean))
    slope += parts.prior_precision * (parts.prior_mean - values)
    information = (parts.shapes * weights) @ parts.shapes.T + np.diag(parts.prior_precision)
    return slope, information, weights


def test_sums_of_the_parts(case):
    spectrum, parts, fitted = case
    slope, information, columns, excess, weights = part_sums(spectrum, parts, fitted)
    naive_slope, naive_information, naive_weights = naive_sums(spectrum, parts, fitted)
    assert slope == pytest.approx(naive_slope)
    assert np.tril(information) == pytest.approx(np.tril(naive_information))
    assert weights == pytest.approx(naive_weights)
    assert columns == pytest.approx((parts.shapes * naive_weights).T)
    assert excess == pytest.approx(naive_weights * (spectrum.counts - fitted[1]))


def test_sums_of_a_source_with_eleven_columns(shapes):
    rng = np.random.default_rng(2)
    columns, excess, weights = rng.normal(size=(BINS, 11)), rng.normal(size=BINS), np.ones(BINS)
    lanes = in_lanes(columns, excess)
    assert lanes.shape == (2, BINS, LANE)
    shared = np.empty(2 * LANE)
    sources = without_zeros(shapes)
    for s, shape in enumerate(shapes):
        assert shared_with(lanes, weights, sources, s, shared) == pytest.approx(shape @ shape)
        assert shared[:12] == pytest.approx([*(shape @ columns), shape @ excess])
        assert not shared[12:].any()


def test_the_score_of_a_source(case, shapes):
    spectrum, parts, fitted = case
    _, information, weights = naive_sums(spectrum, parts, fitted)
    expected = []
    for source in shapes:
        cross = parts.shapes @ (weights * source)
        left = (weights * source**2).sum() - cross @ np.linalg.inv(information) @ cross
        expected.append((source * weights) @ (spectrum.counts - fitted[1]) / np.sqrt(left))
    order = np.array([2, 0, 1])
    scores = source_scores(spectrum, parts, fitted, (without_zeros(shapes), order))
    assert scores == pytest.approx(np.array(expected)[order], rel=1e-5)


def test_what_a_parabola_says_that_a_source_would_gain(case, shapes):
    spectrum, parts, fitted = case
    slope, information, weights = naive_sums(spectrum, parts, fitted)
    nats, found = screened(spectrum, parts, fitted, (without_zeros(shapes), np.arange(3)))
    for s, source in enumerate(shapes):
        both = np.vstack((parts.shapes, source))
        whole = (both * weights) @ both.T
        whole[:2, :2] = information
        steep = np.append(slope, (source * weights) @ (spectrum.counts - fitted[1]))
        down = np.append(parts.lower - fitted[0], 0.0)
        up = np.append(parts.upper - fitted[0], np.inf)
        step = np.zeros(3)
        for _ in range(20_000):
            for p in range(3):
                left = steep[p] - whole[p] @ step + whole[p, p] * step[p]
                step[p] = np.clip(left / whole[p, p], down[p], up[p])
        assert nats[s] == pytest.approx(steep @ step - 0.5 * step @ whole @ step, rel=1e-4)
        assert found[s] == pytest.approx(step + np.append(fitted[0], 0.0), abs=2e-3)


def test_parts_at_a_bound_do_not_count(case, shapes):
    spectrum, parts, fitted = case
    chosen = without_zeros(shapes), np.arange(3)
    bound = parts._replace(upper=np.array([2.0, FITTED[1]]))
    alone = Parts(*(item[:1].copy() for item in parts))
    scores = source_scores(spectrum, bound, fitted, chosen)
    state = FITTED[:1], *fitted[1:]
    assert np.array_equal(scores, source_scores(spectrum, alone, state, chosen))
    assert not np.array_equal(scores, source_scores(spectrum, parts, fitted, chosen))


def test_the_first_of_each_kind():
    codes, order = np.array([4, 4, 1, 4, 0, 0, 0, 1]), np.arange(10, 18)
    assert first_of_each(codes, -1, order, (9, 2)).tolist() == [10, 11, 12, 14, 15, 17]
    assert first_of_each(codes, 0, order, (9, 1)).tolist() == [10, 12, 14, 15, 16]
    assert first_of_each(codes, 0, order, (3, 1)).tolist() == [10, 12, 14]


def test_columns_beyond_the_parts(case, shapes):
    spectrum, parts, fitted = case
    _, information, weights = naive_sums(spectrum, parts, fitted)
    columns, excess, weighed = beyond_parts(spectrum, parts, fitted)
    cross = parts.shapes @ (weights * shapes[0])
    explained = cross @ np.linalg.inv(information) @ cross
    assert ((shapes[0] @ columns) ** 2).sum() == pytest.approx(explained, rel=1e-5)
    assert excess == pytest.approx(weights * (spectrum.counts - fitted[1]))
    assert weighed == pytest.approx(weights)


def test_templates_side_by_side():
    rng = np.random.default_rng(4)
    shapes = rng.uniform(0.1, 1.0, (BLOCK + 3, 38))
    blocks = in_blocks(shapes)
    assert blocks.shape == (2, 40, BLOCK)
    rows = blocks.transpose(0, 2, 1).reshape(2 * BLOCK, 40)
    assert np.array_equal(rows[: BLOCK + 3, :38], shapes)
    assert not rows[BLOCK + 3 :].any()
    assert not rows[:, 38:].any()
    columns, excess, weights = rng.normal(size=(40, 5)), rng.normal(size=40), rng.uniform(size=40)
    sums = np.full((7, BLOCK), 9.0)
    shared_with_block(blocks[0], columns, excess, weights, sums)
    assert np.allclose(sums[:5].T, rows[:BLOCK] @ columns)
    assert sums[5] == pytest.approx(rows[:BLOCK] @ excess)
    assert sums[6] == pytest.approx(rows[:BLOCK] ** 2 @ weights)


def test_the_scores_of_all_templates_are_those_of_each(case):
    spectrum, parts, fitted = case
    shapes = np.random.default_rng(6).uniform(0.01, 1.0, (BLOCK + 5, BINS))
    each = source_scores(spectrum, parts, fitted, (without_zeros(shapes), np.arange(BLOCK + 5)))
    scores = all_scores(spectrum, parts, fitted, in_blocks(shapes))
    assert np.array_equal(scores[: BLOCK + 5], each)
    assert not scores[BLOCK + 5 :].any()


def test_the_highest_scores():
    rng = np.random.default_rng(3)
    for _ in range(200):
        scores = rng.integers(0, 9, rng.integers(1, 12)).astype(float)
        order = np.argsort(-scores, kind="stable")[:4]
        assert highest_of(scores, 4, 3.0).tolist() == order[scores[order] > 3.0].tolist()
