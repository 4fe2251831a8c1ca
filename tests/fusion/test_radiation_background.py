"""The background between vehicles: what it follows, and what it leaves out."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.radiation_background import RunningBackground
from fusion.radiation_policy import RadiationPolicy
from fusion.types import SECOND_NS, BackgroundSample, Origin, Radiation

POLICY = RadiationPolicy()


def report(at_s, total_cps):
    return BackgroundSample(
        sensor_id="rpm-1",
        origin=Origin.SENSOR,
        start_utc_ns=round(at_s * SECOND_NS),
        duration_ms=1000,
        radiation=Radiation.GAMMA,
        rate_cps=(total_cps / 4,) * 4,
        device_fault="",
    )


def after(totals_cps, *, sloped=True, every_s=5.0):
    """What is expected 10 s after the last report, in all panels, and the seconds it is worth."""
    running = RunningBackground(POLICY, POLICY.background_weight, sloped=sloped)
    for number, total_cps in enumerate(totals_cps):
        running.feed(report(number * every_s, total_cps))
    rates, seconds = running.at(round((len(totals_cps) * every_s + 5.0) * SECOND_NS))
    return float(rates.sum()), seconds


def in_rain(at_s, rise=0.2, lasts_s=600.0):
    """A shower that begins after ten minutes, and its half-life of half an hour."""
    since_s = at_s - 600.0
    if since_s <= 0.0:
        return 1000.0
    left = 0.5 ** (max(0.0, since_s - lasts_s) / 1800.0)
    return 1000.0 * (1.0 + rise * min(1.0, since_s / lasts_s) * left)


def test_rain_is_followed_as_it_rises_and_as_it_decays():
    for until_s, most in ((900.0, 0.01), (1150.0, 0.01), (2400.0, 0.002)):
        times_s = np.arange(0.0, until_s, 5.0)
        totals = [in_rain(at_s) for at_s in times_s]
        truth = in_rain(times_s[-1] + 10.0)
        level, _ = after(totals, sloped=False)
        sloped, _ = after(totals)
        assert abs(sloped / truth - 1.0) < most
        assert abs(sloped - truth) < 0.7 * abs(level - truth)


def test_where_nothing_changes_the_slope_costs_little():
    random = np.random.default_rng(1)
    errors = []
    for _ in range(200):
        totals = random.poisson(1000.0 * 5.0, 200) / 5.0
        errors.append([after(totals, sloped=sloped)[0] / 1000.0 - 1.0 for sloped in (False, True)])
    level, sloped = np.std(errors, axis=0)
    assert sloped < 1.35 * level
    assert sloped < 0.006


def test_what_lies_far_ahead_is_known_less():
    running = RunningBackground(POLICY, POLICY.background_weight, sloped=True)
    for number in range(100):
        running.feed(report(number * 5.0, 1000.0))
    seconds = [running.at(round((500.0 + ahead_s) * SECOND_NS))[1] for ahead_s in (5.0, 30.0, 60.0)]
    assert running.seconds > seconds[0] > seconds[1] > seconds[2] > 5.0


def test_a_strong_source_that_comes_near_is_no_background():
    totals = [1000.0] * 60 + [1000.0 * math.exp(step) for step in range(1, 5)]
    assert after(totals)[0] == pytest.approx(1000.0)


@given(
    totals=st.lists(st.floats(0.0, 1e6), min_size=1, max_size=60),
    gaps=st.floats(0.2, 4000.0),
)
def test_any_reports_give_rates_that_are_no_less_than_zero(totals, gaps):
    expected, seconds = after(totals, every_s=gaps)
    assert math.isfinite(expected)
    assert expected >= 0.0
    assert 0.0 < seconds < math.inf


@given(scale=st.floats(0.1, 100.0))
def test_the_unit_of_the_rates_does_not_matter(scale):
    totals = [1000.0 + 3.0 * number for number in range(50)]
    one, _ = after(totals)
    other, _ = after([scale * total for total in totals])
    # The prior weighs more where there are fewer counts.
    assert other == pytest.approx(scale * one, rel=0.01)


def test_a_report_is_worth_the_time_that_the_device_announces():
    running = RunningBackground(POLICY, POLICY.background_weight)
    running.feed(report(0.0, 1000.0))
    assert running.seconds == POLICY.background_report_s
    running.averaged_over(60.0)
    assert running.seconds == 60.0
    for number in range(1, 60):
        running.feed(report(5.0 * number, 1000.0))
    assert running.seconds == pytest.approx(19 * POLICY.background_report_s, rel=0.03)
