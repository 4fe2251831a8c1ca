import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.study.reliability import (
    calibration_error,
    error_floor,
    log_loss,
    log_odds_bins,
    reliability,
    reliability_of,
)


@pytest.mark.parametrize(
    ("cases", "floor"), [(50, 0.141), (200, 0.069), (1_000, 0.032), (5_000, 0.014)]
)
def test_the_floor_is_that_of_the_facts(cases, floor):
    floors = [error_floor(np.random.default_rng(seed).uniform(size=cases)) for seed in range(8)]
    assert np.mean(floors) == pytest.approx(floor, abs=0.0015)


def test_a_calibrated_model_shows_no_more_than_the_floor():
    random = np.random.default_rng(3)
    predicted = random.uniform(size=4_000)
    error, floor, rows = reliability(predicted, random.uniform(size=4_000) < predicted, 10)
    assert error < 2.0 * floor
    assert len(rows) == 10
    assert sum(n for *_, n in rows) == 4_000
    wrong, _, _ = reliability(predicted, random.uniform(size=4_000) < predicted**3, 10)
    assert wrong > 5.0 * floor


def test_an_overconfident_model_shows_far_more():
    random = np.random.default_rng(3)
    predicted = random.choice([0.02, 0.98], size=2_000)
    right = random.uniform(size=2_000) < np.where(predicted > 0.5, 0.8, 0.2)
    error, floor, _ = reliability(predicted, right, 10)
    assert error == pytest.approx(0.18, abs=0.03)
    assert error > 5.0 * floor
    assert calibration_error(predicted, right) == error


def test_log_loss_by_hand():
    predicted, right = np.array([0.9, 0.2]), np.array([True, False])
    assert log_loss(predicted, right) == pytest.approx(-(math.log(0.9) + math.log(0.8)) / 2)
    assert log_loss(predicted, right, np.array([1.0, 0.0])) == pytest.approx(-math.log(0.9))
    assert log_loss(np.array([0.0]), np.array([True])) == pytest.approx(27.63, abs=0.01)


@given(st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans()), min_size=1, max_size=60))
def test_every_case_is_in_one_bin_of_log_odds(cases):
    predicted = np.array([share for share, _ in cases])
    right = np.array([was for _, was in cases])
    bins = log_odds_bins(predicted, right)
    assert sum(one.of for one in bins) == len(cases)
    assert sum(one.hits for one in bins) == right.sum()
    means = [one.predicted for one in bins]
    assert means == sorted(means)
    assert all(one.interval[0] <= one.observed <= one.interval[1] for one in bins)


def test_rare_things_have_bins_of_their_own():
    predicted = np.concatenate((np.full(9_000, 1e-4), np.full(1_000, 0.01)))
    right = np.zeros(10_000, np.bool_)
    right[[5, 9_100, 9_200]] = True
    rare, odd = log_odds_bins(predicted, right)
    assert (rare.hits, rare.of, odd.hits, odd.of) == (1, 9_000, 2, 1_000)
    assert rare.holds
    assert not odd.holds  # ten were promised


def test_who_knows_more_than_how_often_loses_less():
    random = np.random.default_rng(5)
    predicted = random.beta(0.3, 0.3, size=3_000)
    found = reliability_of(predicted, random.uniform(size=3_000) < predicted)
    assert found.log_loss < found.known_loss
    assert found.error < 2.0 * found.floor
    assert found.cases == 3_000


@pytest.mark.parametrize("predicted", [[], [1.5], [math.nan]])
def test_what_is_no_probability_is_refused(predicted):
    with pytest.raises(ValueError, match=r"predictions|between 0 and 1"):
        reliability_of(np.array(predicted), np.zeros(len(predicted), np.bool_))
