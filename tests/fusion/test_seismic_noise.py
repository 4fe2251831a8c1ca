import math

import pytest

from fusion.kernels.seismic_calm import GAIN, HOUR_NS, MOST
from tests.fusion.site_hours import Hours

SECOND_NS = 10**9
NOON_NS, NIGHT_NS = 12 * HOUR_NS, 2 * HOUR_NS


def learned(hours, start_ns, floor, level_of, seconds=1800):
    for second in range(seconds):
        hours.learn(start_ns + second * SECOND_NS, floor, level_of(second), 1.0)


def test_an_hour_that_was_not_heard_is_not_known():
    hours = Hours()
    learned(hours, NOON_NS, 4.0, lambda _: 1.0, seconds=500)
    assert hours.quietest(NOON_NS) == 0.0
    assert hours.raised(NOON_NS) == 1.0


def test_a_noisy_noon_is_judged_by_its_noon_and_the_night_by_the_night():
    hours = Hours()
    for day in range(3):
        learned(hours, day * 24 * HOUR_NS + NOON_NS, 9.0, lambda s: 1.0 + 1.2 * (s % 7 == 0))
        learned(hours, day * 24 * HOUR_NS + NIGHT_NS, 0.04, lambda s: 1.0 + 0.05 * (s % 2))
    assert hours.quietest(NOON_NS) == pytest.approx(4.5, rel=0.01)
    assert hours.quietest(NIGHT_NS) == pytest.approx(0.02, rel=0.01)
    assert hours.raised(NOON_NS) > 1.2
    assert hours.raised(NIGHT_NS) == 1.0


def test_nobody_teaches_a_station_to_hear_nothing():
    hours = Hours()
    learned(hours, NOON_NS, 1.0, lambda _: 1e6, seconds=3600)
    assert hours.raised(NOON_NS) == 1.0 + GAIN * MOST == 2.6
    assert math.isfinite(hours.quietest(NOON_NS))


def test_one_loud_day_changes_an_hour_only_slowly():
    hours = Hours()
    learned(hours, NOON_NS, 1.0, lambda _: 1.0, seconds=7200)
    learned(hours, 24 * HOUR_NS + NOON_NS, 100.0, lambda _: 1.0, seconds=720)
    assert hours.quietest(NOON_NS) < 1.2
