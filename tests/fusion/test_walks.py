"""Curves of steps: what stands out of a rumble, slot by slot, and what is put together of them."""

import numpy as np
import pytest

from fusion.step_curve import KEPT_SLOTS, SLOT_NS, StepCurve
from fusion.walks import StepsHeard, curve, way

START_NS = 1_000 * SLOT_NS


def heard(seconds, *, seed=1, knocks=30.0, rumble=1.0):
    bins = round(seconds * 5)
    energy = rumble * np.random.default_rng(seed).gamma(8.0, 1.0 / 8.0, bins)
    energy[::3] += knocks
    return StepsHeard(energy=energy, bin_s=0.2, end_utc_ns=START_NS + bins * 200_000_000)


def test_a_curve_has_whole_slots_and_no_gain():
    one = curve(heard(40.5))
    assert (one.first, one.end) == (1000, 1025)
    louder = curve(heard(40.5, knocks=30e9, rumble=1e9))
    assert louder.steps - one.steps == pytest.approx(np.log(1e9), rel=1e-9)
    assert one.steps.mean() - one.rest.mean() > 2.0
    faint = curve(heard(40.5, knocks=0.0))
    assert faint.steps.mean() - faint.rest.mean() < 0.5, "noise is no step"


def test_what_a_channel_has_not_heard_is_not_known():
    silent = heard(40.0)
    silent.energy[:100] = 0.0
    one = curve(silent)
    assert np.isnan(one.rest[:12]).all()
    assert np.isfinite(one.rest[13:]).all()
    silent.energy[:] = 0.0
    assert curve(silent) is None


def test_later_words_count_and_gaps_stay():
    def made(first, values):
        return StepCurve(first, np.array(values, float), np.array(values, float))

    told = made(10, [1, 2, 3]).then(made(12, [7, 8])).then(made(16, [9]))
    assert told.first == 10
    assert np.array_equal(told.steps, [1, 2, 7, 8, np.nan, np.nan, 9], equal_nan=True)
    assert np.array_equal(told.part(9, 13).steps, [np.nan, 1, 2, 7], equal_nan=True)
    assert np.array_equal(told.part(15, 19).rest, [np.nan, 9, np.nan, np.nan], equal_nan=True)
    long = made(0, np.zeros(KEPT_SLOTS)).then(made(KEPT_SLOTS, [1.0, 1.0]))
    assert (long.first, long.end) == (2, KEPT_SLOTS + 2)


def test_one_sensor_shows_no_way():
    known = curve(heard(60.0))
    assert way({"geo-1": known}, {"geo-1": 0.0, "geo-2": 15.0}, 1000, 1030) is None


def test_a_clock_that_was_set_back_leaves_what_is_said_since():
    values = np.arange(5.0)
    ahead, back = StepCurve(900, values, values), StepCurve(100, values, values)
    told = ahead.then(back)
    assert (told.first, told.end) == (100, 105)
    assert np.array_equal(told.steps, values)
    assert np.isnan(ahead.part(100, 105).rest).all(), "what begins later knows nothing yet"


def test_a_slot_that_is_heard_in_part_takes_nothing_from_what_was_known():
    values = np.arange(5.0)
    begun = np.array([np.nan, 7.0, 8.0])
    told = StepCurve(10, values, values).then(StepCurve(13, begun, begun))
    assert np.array_equal(told.rest, [0.0, 1.0, 2.0, 3.0, 7.0, 8.0])
