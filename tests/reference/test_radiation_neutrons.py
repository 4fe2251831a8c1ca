"""Slow, obvious NumPy twins of the neutron kernels."""

import math

import numpy as np
import pytest

from fusion.kernels.radiation_neutrons import (
    NeutronModel,
    interval_nats,
    most_nats,
    neutron_search,
    terms_of,
)


def poisson(count, mean):
    return math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))


def naive_interval(count, mean, share, stop):
    """Every size that a burst may have, one by one."""
    bursts = (
        stop * (1 - stop) ** (size - 1) * poisson(count - size, mean)
        for size in range(1, count + 1)
    )
    return math.log((1 - share) * poisson(count, mean) + share * sum(bursts))


def nats_of(count, mean, share, stop):
    terms = terms_of(stop, int(count))
    return interval_nats(count, mean, math.log(1 - share), math.log(share), terms)


def naive_search(counts, model, profiles, amplitudes):
    def nats(mean, level):
        return model.level_nats[level] + sum(
            naive_interval(int(counts[i]), mean[i], model.burst_share[i], model.burst_stop)
            for i in range(len(counts))
        )

    means = [level * model.background for level in model.levels]
    nothing = max(nats(mean, level) for level, mean in enumerate(means))
    found = {
        (place, float(amplitude)): max(
            nats(mean + amplitude * profiles[place], level) for level, mean in enumerate(means)
        )
        for place in range(len(profiles))
        for amplitude in amplitudes
    }
    best = max(found, key=found.__getitem__)
    return max(0.0, found[best] - nothing), best


@pytest.mark.parametrize("mean", [0.3, 4.0, 60.0])
@pytest.mark.parametrize("count", [0, 1, 7, 40, 150])
@pytest.mark.parametrize("share", [0.0001, 0.01, 0.5])
def test_an_interval_is_poisson_with_now_and_then_a_burst(count, mean, share):
    expected = naive_interval(count, mean, share, 0.25)
    assert nats_of(float(count), mean, share, 0.25) == pytest.approx(expected)


@pytest.mark.parametrize("count", [0.0, 5.0, 399.0, 1e6])
@pytest.mark.parametrize("mean", [1.0, 700.0, 1e6])
def test_counts_and_means_far_apart_stay_finite(count, mean):
    assert math.isfinite(nats_of(count, mean, 0.01, 0.25))


@pytest.mark.parametrize("count", [0.0, 1.0, 7.0, 40.0, 600.0])
@pytest.mark.parametrize("share", [0.0001, 0.01, 0.5])
def test_no_mean_makes_a_count_more_probable_than_the_most(count, share):
    most = most_nats(count, share, terms_of(0.25, int(count)))
    means = np.geomspace(1e-3, 1e3, 200)
    found = max(nats_of(count, mean, share, 0.25) for mean in means)
    assert found < most < found + 5.0


@pytest.mark.parametrize("seed", range(4))
def test_the_search_finds_the_likeliest_source(seed):
    random = np.random.default_rng(seed)
    away_m = np.arange(10) * 2.2 - 11.0
    profiles = np.array([(6.25 / (6.25 + (away_m - at) ** 2)) ** 1.5 for at in (-4.0, 0.0, 5.0)])
    model = NeutronModel(
        np.full(10, 3.0),
        np.array([0.8, 1.0, 1.2]),
        np.array([-2.0, 0.0, -2.0]),
        np.full(10, 0.01),
        0.25,
    )
    amplitudes = np.array([2.0, 6.0, 18.0])
    counts = random.poisson(3.0 + 12.0 * profiles[1]).astype(np.float64)
    best = np.zeros(2)
    nats = neutron_search(counts, model, profiles, amplitudes, best)
    expected_nats, (place, amplitude) = naive_search(counts, model, profiles, amplitudes)
    assert nats == pytest.approx(expected_nats)
    assert best.tolist() == [place, amplitude]
