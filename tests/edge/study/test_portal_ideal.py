"""The likelihood ratio that bounds every test of gross counts: its laws, and that it bounds."""

import math

import numpy as np
import pytest

from edge.study.portal_ideal import _log_mean, _shade, _wander, likelihood_ratio
from edge.study.portal_passes import (
    LENGTH_M,
    NOISE_S,
    SCAN_S,
    World,
    k_sigma,
    matched,
    shipped_sigma,
    study_pass,
)
from fusion.radiation_policy import RadiationPolicy
from simulators import radiation_physics as physics
from simulators.scenario import Vehicle

POLICY = RadiationPolicy()
PASSES = range(700_000, 700_120)
NET_CPS = 150.0


def test_the_shadow_is_the_simulators():
    """Mean and covariance against those of vehicles that are drawn as the passes draw them."""
    random = np.random.default_rng(1)
    passed_m = np.arange(0.0, LENGTH_M, 1.5)
    drawn = np.array(
        [
            physics.shadow(
                Vehicle(
                    vehicle_id="study",
                    lane="study",
                    at_portal_s=0.0,
                    length_m=LENGTH_M,
                    suppression=0.1,
                    box_m=(float(random.uniform(2.5, 4.5)), 17.5),
                ),
                passed_m,
                random,
            )
            / 0.1
            for _ in range(4000)
        ]
    )
    mean, covariance = _shade(passed_m)
    assert drawn.mean(axis=0) == pytest.approx(mean, abs=0.01)
    assert np.cov(drawn.T) == pytest.approx(covariance, abs=0.002)


def test_the_background_wanders_from_the_latest_report_on():
    """Where that alone counts, the variance is the one of a difference of two of its levels."""
    share = World().noise_share
    found = np.diag(_wander(50, 1.0))
    since_s = (np.arange(50) + 1) * SCAN_S
    assert found == pytest.approx(2.0 * share**2 * (1.0 - np.exp(-since_s / NOISE_S)))
    everything = _wander(50, POLICY.background_weight)
    assert np.linalg.eigvalsh(everything).min() > -1e-12
    assert 0.0 < np.diag(everything).max() < 2.0 * share**2


def test_the_mean_of_large_ratios_is_taken_in_logarithms():
    assert _log_mean(np.log([1.0, 3.0])) == pytest.approx(math.log(2.0))
    assert _log_mean(np.array([2000.0, 0.0])) == pytest.approx(2000.0 - math.log(2.0))


def test_it_says_more_of_a_stronger_source():
    found = [
        likelihood_ratio(study_pass(World(), POLICY, 700_000, net_cps), POLICY)
        for net_cps in (0.0, 200.0, 400.0)
    ]
    assert found == sorted(found)
    assert found[0] < 1.0
    assert found[2] > 5.0


def test_no_other_test_tells_passes_with_a_source_better():
    without = [study_pass(World(), POLICY, seed, 0.0) for seed in PASSES]
    with_it = [study_pass(World(), POLICY, seed + 1000, NET_CPS) for seed in PASSES]

    def right(statistic):
        """How often a pass with a source is above one without."""
        clean = np.array([statistic(one, POLICY) for one in without])
        found = np.array([statistic(one, POLICY) for one in with_it])
        return float((found[:, None] > clean).mean())

    best = right(likelihood_ratio)
    assert best > 0.85
    for other in (k_sigma, matched, shipped_sigma):
        assert right(other) < best
