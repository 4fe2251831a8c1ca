"""A source within a load that radiates itself."""

from dataclasses import replace

import numpy as np
import pytest

from fusion.radiation_bins import Pass
from fusion.radiation_facts import gamma_facts
from fusion.radiation_neutrons import Neutrons
from fusion.radiation_pass import Passage
from fusion.radiation_policy import RadiationPolicy
from fusion.radiation_profile import profile_of

POLICY = RadiationPolicy()
SCAN_S, SPEED_M_S, DISTANCE_M, LENGTH_M = 0.2, 2.2, 2.5, 18.0
PASSED_M = (np.arange(57) - 5.0) * SCAN_S * SPEED_M_S


def of_load(from_m, to_m, rate_cps, uneven=0.0):
    """(scans,) counts per second of a load whose activity has one wave along it."""
    at_m = np.linspace(from_m, to_m, 201)
    activity = 1.0 + uneven * np.cos(2.0 * np.pi * (at_m - from_m) / (to_m - from_m))
    seen = (DISTANCE_M**2 / (DISTANCE_M**2 + (PASSED_M[:, None] - at_m) ** 2)) ** 1.5 @ activity
    return rate_cps * seen / seen.max()


def of_point(at_m, rate_cps):
    return rate_cps * (DISTANCE_M**2 / (DISTANCE_M**2 + (PASSED_M - at_m) ** 2)) ** 1.5


HIDDEN_CPS = of_load(5.5, 15.5, 1_000.0) + of_point(10.5, 1_200.0)


def seen(source_cps, seed=0):
    """A truck that shields a tenth, with such a source in all panels together."""
    away_m = np.maximum(np.maximum(-PASSED_M, PASSED_M - LENGTH_M), 0.0)
    clean_cps = 1_000.0 * (1.0 - 0.1 / (1.0 + (away_m / 1.5) ** 2))
    rate_cps = np.repeat((clean_cps + source_cps)[:, None] / 4, 4, axis=1)
    counts = np.random.default_rng(seed).poisson(rate_cps * SCAN_S).astype(np.float64)
    return Pass(
        counts=counts,
        passed_m=PASSED_M,
        scan_s=SCAN_S,
        background_cps=np.full(4, 250.0),
        background_s=90.0,
        length_m=LENGTH_M,
        distance_m=DISTANCE_M,
    )


def test_a_source_within_minerals_is_told_where_it_is():
    for seed in range(10):
        found = profile_of(seen(HIDDEN_CPS, seed), POLICY)
        assert found.on_load is not None
        assert found.on_load.nats > 8.0
        assert found.on_load.position_m == pytest.approx(10.5, abs=1.0)


@pytest.mark.parametrize("uneven", [0.0, 0.1, -0.1])
@pytest.mark.parametrize("ends_m", [(6.0, 15.0), (5.5, 11.0), (7.0, 12.0)])
def test_minerals_alone_show_no_point_though_they_lie_unevenly(uneven, ends_m):
    for seed in range(5):
        found = profile_of(seen(of_load(*ends_m, 1_500.0, uneven), seed), POLICY)
        assert found.on_load is not None
        assert found.on_load.nats < 6.0


def test_where_a_vehicle_is_not_known_or_brakes_nothing_is_said_of_points_upon_loads():
    there = replace(seen(HIDDEN_CPS), length_m=None)
    convoy = replace(seen(HIDDEN_CPS), length_m=POLICY.long_vehicle_m + 1.0)
    braked = replace(seen(HIDDEN_CPS), passed_m=PASSED_M * np.linspace(0.6, 1.4, len(PASSED_M)))
    for passage in (there, convoy, braked):
        assert profile_of(passage, POLICY).on_load is None


def test_a_point_upon_a_load_is_told_with_its_place():
    found = profile_of(seen(HIDDEN_CPS), POLICY)
    passage = Passage(
        opened_utc_ns=0,
        last_utc_ns=0,
        gamma_background_cps=np.full(4, 250.0),
        gamma_background_s=90.0,
        neutrons=Neutrons(background_cps=3.0, background_s=90.0),
        lead_in_s=1.0,
    )
    facts = gamma_facts(passage, found, LENGTH_M, POLICY)
    assert facts["point_on_load_nats"] == pytest.approx(found.on_load.nats, abs=1e-3)
    assert facts["point_on_load_m"] == pytest.approx(10.5, abs=1.0)
    clean = profile_of(seen(np.zeros(len(PASSED_M))), POLICY)
    assert "point_on_load_nats" not in gamma_facts(passage, clean, LENGTH_M, POLICY)
