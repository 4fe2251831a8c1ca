import numpy as np
import pytest

from edge.study.fitting import excess_line, kinds, monotone
from edge.study.portal_fit import fit_gross_look
from fusion.radiation_calibration import RadiationCalibration


def test_the_line_is_the_likelihood_ratio_of_what_it_was_fitted_on():
    random = np.random.default_rng(1)
    nothing = random.exponential(1.0, 4_000)
    seen = random.exponential(2.0, 3_200)  # density ratio: 0.5 exp(0.5 x)
    missed = random.exponential(1.0, 800)
    slope, offset, floor = excess_line(nothing, np.concatenate((seen, missed)))
    for x in (3.0, 6.0):
        true = np.log(0.2 + 0.8 * 0.5 * np.exp(0.5 * x))
        assert np.logaddexp(floor, slope * x - offset + np.log(1 - np.exp(floor))) == (
            pytest.approx(true, abs=0.4)
        )


def test_an_excess_is_never_worth_more_than_it_is():
    slope, offset, floor = excess_line(np.linspace(0, 3, 500), np.linspace(15, 20, 500))
    assert slope <= 1.0
    assert slope * 2.0 - offset < 0.0 < slope * 16.0 - offset
    assert floor < -3.0


def test_kinds_recovers_what_tells_them_apart():
    random = np.random.default_rng(2)
    truth = random.integers(0, 2, 4_000)
    shape = random.normal(np.where(truth == 0, -1.0, 1.0), 1.0)
    own = np.column_stack((np.ones_like(shape), shape))
    found, _ = kinds(own, np.zeros((4_000, 2, 0)), truth, 2, 0.0)
    assert found[1, 1] - found[0, 1] == pytest.approx(2.0, rel=0.1)  # 2 mu / sigma^2


def test_a_common_feature_has_one_coefficient():
    random = np.random.default_rng(4)
    truth = random.integers(0, 2, 4_000)
    lag = random.exponential(1.0, (4_000, 2, 1))
    lag[np.arange(4_000), truth] = random.exponential(0.5, (4_000, 1))
    _, common = kinds(np.ones((4_000, 1)), -lag, truth, 2, 0.0)
    assert common.shape == (1,)
    assert common[0] == pytest.approx(1.0, rel=0.15)  # densities exp(-x) and 2 exp(-2 x)


def test_doubt_bounds_what_perfect_separation_would_claim():
    own = np.array([[1.0, -1.0]] * 100 + [[1.0, 1.0]] * 100)
    truth = np.array([0] * 100 + [1] * 100)
    found, _ = kinds(own, np.zeros((200, 2, 0)), truth, 2, 0.01)
    apart = (found[1] - found[0]) @ np.array([1.0, 1.0])
    assert apart == pytest.approx(np.log(0.995 / 0.005), rel=0.1)


def test_what_a_point_is_worth_in_gross_counts_follows_where_points_begin():
    def facts(point_nats, extended_nats):
        return {"point_nats": point_nats, "extended_nats": extended_nats, "category_nats": {}}

    clean = [("nothing", facts(1.0, 1.5))] * 60
    even, like_a_load, like_a_point = facts(18.0, 18.0), facts(10.0, 40.0), facts(40.0, 10.0)
    points_even = [("norm", like_a_load)] * 20 + [("threat-source", even), ("medical", even)] * 20
    loads_even = [("norm", even)] * 20 + [
        ("threat-source", like_a_point),
        ("medical", like_a_point),
    ] * 20
    known = RadiationCalibration()
    for_points = fit_gross_look(known, clean + points_even).spectrum_gross_point
    for_loads = fit_gross_look(known, clean + loads_even).spectrum_gross_point
    assert for_points > for_loads


def gaussians(cases, apart, share, seed=6):
    """One measured value; its log-likelihood ratio is `apart * x - apart**2 / 2`."""
    random = np.random.default_rng(seed)
    right = random.uniform(size=cases) < share
    return random.normal(apart * right, 1.0)[:, None], right


@pytest.mark.parametrize("share", [0.5, 0.05])
def test_a_line_is_the_likelihood_ratio_however_often_it_was_so(share):
    measured, right = gaussians(40_000, 1.5, share)
    slopes, offset = monotone(measured, right, 0.0)
    assert slopes[0] == pytest.approx(1.5, rel=0.05)
    assert offset == pytest.approx(1.125, abs=0.06)


def test_what_would_speak_against_what_it_stands_for_is_left_out():
    measured, right = gaussians(4_000, 1.5, 0.5)
    slopes, offset = monotone(np.column_stack((measured, -measured)), right, 0.0)
    alone, same = monotone(measured, right, 0.0)
    assert slopes[1] >= 0.0
    slopes, offset = monotone(-measured, right, 0.0)
    assert slopes.tolist() == [0.0]
    assert offset == pytest.approx(0.0, abs=0.05)
    assert alone[0] > 1.0
    assert same > 1.0


def test_a_line_between_what_never_meets_is_no_surer_than_its_doubt():
    measured = np.array([[0.0]] * 50 + [[10.0]] * 50)
    slopes, offset = monotone(measured, np.arange(100) >= 50, 0.01)
    assert 10.0 * slopes[0] - offset < np.log(99.0)
    assert -offset > -np.log(99.0)
