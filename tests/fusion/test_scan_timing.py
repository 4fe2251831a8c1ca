import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fusion.association_policy import AssociationPolicy
from fusion.scan_timing import (
    MOST_KEPT,
    Crossing,
    ScanTiming,
    student_density,
    student_later,
)

POLICY = AssociationPolicy()
WINDOW_S = (5.0, 65.0)


def timing(*offsets_s: float, speed_m_s: float = 0.0) -> ScanTiming:
    made = ScanTiming(WINDOW_S, POLICY)
    for number, offset_s in enumerate(offsets_s):
        made.learn(number, Crossing(offset_s=offset_s, speed_m_s=speed_m_s))
    return made


def integral(made: ScanTiming, speed_m_s: float = 0.0) -> float:
    step_s = 0.05
    ends = round((WINDOW_S[1] - WINDOW_S[0]) / step_s)
    return step_s * math.fsum(
        made.density(WINDOW_S[0] + (i + 0.5) * step_s, speed_m_s) for i in range(ends)
    )


def test_while_nothing_is_known_any_time_in_the_window_is_as_likely():
    made = timing()
    assert made.expected() is None
    assert made.density(6.0) == made.density(64.0) == pytest.approx(1.0 / 60.0)
    assert made.density(4.9) == made.density(65.1) == 0.0
    assert made.later(35.0) == pytest.approx(0.5)
    assert made.later(0.0) == 1.0


def test_what_comes_often_is_expected_and_a_stop_for_a_chat_moves_nothing():
    made = timing(*[12.0, 11.5, 12.5, 12.0, 55.0, 12.2, 11.8] * 3)
    mean_s, sd_s = made.expected()
    assert mean_s == pytest.approx(12.0, abs=0.3)
    assert sd_s < 1.5
    assert made.density(12.0) > 50.0 * made.density(40.0) > 0.0


def test_a_lane_is_never_known_better_than_its_clocks():
    made = timing(*[12.0] * MOST_KEPT)
    assert made.expected()[1] == POLICY.scan_spread_floor_s


@given(offsets=st.lists(st.floats(20.0, 50.0), max_size=8))
def test_densities_add_to_one(offsets):
    assert integral(timing(*offsets)) == pytest.approx(1.0, abs=0.001)


@given(offsets=st.lists(st.floats(5.0, 65.0), max_size=8), at=st.floats(5.0, 64.0))
def test_the_later_the_fewer_are_still_to_come(offsets, at):
    made = timing(*offsets)
    assert 1.0 >= made.later(at) >= made.later(at + 1.0) >= 0.0
    assert made.later(65.0) == 0.0


def test_who_rolls_on_as_measured_is_expected_by_the_way():
    made = ScanTiming(WINDOW_S, POLICY)
    for number in range(12):
        speed_m_s = 1.0 + 0.25 * (number % 6)
        made.learn(number, Crossing(offset_s=25.0 / speed_m_s, speed_m_s=speed_m_s))
    slow, fast = made.expected(1.0), made.expected(2.5)
    assert slow[0] == pytest.approx(25.0, rel=0.05)
    assert fast[0] == pytest.approx(10.0, rel=0.05)
    assert made.expected(0.0)[1] > slow[1], "without a speed only the usual time is known"


def test_only_the_latest_are_remembered_and_what_was_wrong_is_forgotten():
    made = timing(*[12.0] * 10, *[40.0] * MOST_KEPT)
    assert made.usual_s == 40.0
    made = timing(12.0, 12.0, 50.0)
    made.unlearn(2)
    assert made.usual_s == 12.0
    made.unlearn(0)
    made.unlearn(1)
    assert made.usual_s == WINDOW_S[0]


def test_one_length_speaks_for_one_vehicle_and_two_for_two():
    made = timing()
    assert made.length_ratio(18.0, 17.5) > 4.0
    assert made.length_ratio(5.0, 17.5) < 0.25
    assert made.length_ratio(0.0, 17.5) == made.length_ratio(18.0, 0.0) == 1.0


def test_a_scanner_that_shows_the_box_alone_is_known_by_how_much_is_missing():
    made = ScanTiming(WINDOW_S, POLICY)
    assert made.length_ratio(12.0, 16.5) < 1.0
    for number in range(6):
        made.learn(number, Crossing(offset_s=12.0, longer_m=-4.5))
    assert made.length_ratio(12.0, 16.5) > 4.0


def test_a_lane_where_all_are_scanned_has_few_that_skip_it():
    made = timing()
    assert made.skip_share == pytest.approx(POLICY.scan_skip_share)
    for _ in range(200):
        made.note(scanned=True)
    assert made.skip_share == pytest.approx(0.02, abs=0.01)
    for _ in range(400):
        made.note(scanned=False)
    assert made.skip_share == pytest.approx(0.9, abs=0.01), "never given up for good"


@given(off=st.floats(-50.0, 50.0))
def test_the_spread_is_a_t_distribution_with_four_degrees_of_freedom(off):
    assert student_density(off) == pytest.approx(stats.t.pdf(off, 4), rel=1e-9)
    assert student_later(off) == pytest.approx(stats.t.sf(off, 4), abs=1e-12)
