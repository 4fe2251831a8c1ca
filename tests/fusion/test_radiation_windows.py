"""Shapes of a PVT portal's windows: what is natural, and what is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.radiation_windows import EDGES_KEV, NATURAL, has_windows, in_windows, judge

GROUND = np.array([0.44, 0.27, 0.15, 0.10, 0.04])
BACKGROUND_S, LIVE_S, CPS = 200.0, 2.0, 1000.0
# Am-241 at 60 keV, Cs-137 below its Compton edge of 478 keV, Co-60 below 1,118 keV.
SOURCES = {
    "soft, as Am-241": np.array([0.97, 0.03, 0.0, 0.0, 0.0]),
    "middle, as Cs-137": np.array([0.47, 0.48, 0.05, 0.0, 0.0]),
    "hard, as Co-60": np.array([0.22, 0.28, 0.29, 0.21, 0.0]),
}


def a_pass(random, net, shape, suppression):
    background = random.poisson(CPS * BACKGROUND_S * GROUND).astype(float)
    mean = CPS * LIVE_S * (1.0 - suppression) * GROUND + net * shape
    return judge(random.poisson(mean).astype(float), LIVE_S, background, BACKGROUND_S)


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_of_one_nuclide_is_not_norm_like_under_any_shadow(name):
    random = np.random.default_rng(1)
    net = 4000.0 if name.startswith("hard") else 1500.0
    found = [
        a_pass(random, net, SOURCES[name], suppression).verdict
        for suppression in np.linspace(0.0, 0.25, 200)
    ]
    assert found.count("not-norm-like") >= 190


@pytest.mark.parametrize("net", [500.0, 2000.0, 10_000.0, 100_000.0])
def test_any_mixture_of_natural_minerals_is_norm_like(net):
    random = np.random.default_rng(2)
    for _ in range(300):
        shape = random.dirichlet(np.ones(3)) @ NATURAL
        found = a_pass(random, net, shape, float(random.uniform(0.0, 0.25)))
        assert found.verdict in ({"norm-like", "unclear"} if net < 1500.0 else {"norm-like"})


def test_a_clean_vehicle_is_never_not_norm_like():
    random = np.random.default_rng(3)
    for _ in range(3000):
        found = a_pass(random, 0.0, GROUND, float(random.uniform(0.0, 0.25)))
        assert found.verdict != "not-norm-like"


def test_windows_are_for_plastic_and_for_few_channels():
    assert has_windows("PVT", 1024)
    assert has_windows("", 8)
    assert not has_windows("NaI", 1024)
    assert not has_windows("", 1)


def test_channels_are_shared_between_windows():
    edges_kev = np.linspace(0.0, 3000.0, 1025)
    found = in_windows(np.full(1024, 10, np.uint32), edges_kev)
    assert found == pytest.approx(np.diff(EDGES_KEV) / 3000.0 * 10_240)


counts = st.lists(st.integers(0, 10**7), min_size=5, max_size=5)


@given(counts=counts, background=counts, live_s=st.floats(0.0, 1e3), bg_s=st.floats(0.0, 1e4))
def test_any_counts_give_a_finite_answer(counts, background, live_s, bg_s):
    found = judge(np.array(counts, float), live_s, np.array(background, float), bg_s)
    assert np.isfinite([found.sigma, found.net_sigma, found.suppression]).all()
    assert 0.0 <= found.suppression <= 1.0
