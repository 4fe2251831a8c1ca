from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.scenario import Vehicle

TRUCK = Vehicle(vehicle_id="t", lane="nb-01", at_portal_s=10.0, speed_m_s=2.0, length_m=18.0)
LEGS = st.lists(st.tuples(st.floats(0.5, 20.0), st.sampled_from([-1.0, 0.0, 0.5, 3.0])), max_size=4)


def with_legs(legs):
    at_s, speeds = 0.0, [(0.0, 2.0)]
    for lasts_s, speed_m_s in legs:
        at_s += lasts_s
        speeds.append((at_s, speed_m_s))
    return replace(TRUCK, speeds=(*speeds, (at_s + 1.0, 1.5)))


def test_at_constant_speed_it_is_where_speed_and_time_say():
    assert TRUCK.passed_m(np.array([8.0, 10.0, 15.0])).tolist() == [-4.0, 0.0, 10.0]
    assert TRUCK.in_beam_s() == ((10.0, 19.0),)
    assert TRUCK.reaches_s(20.0) == 20.0
    assert TRUCK.near_s(40.0) == (-10.0, 39.0)


def test_one_leg_is_constant_speed():
    same = replace(TRUCK, speeds=((0.0, 2.0),))
    at_s = np.linspace(0.0, 60.0, 121)
    assert same.passed_m(at_s) == pytest.approx(TRUCK.passed_m(at_s))
    assert same.in_beam_s() == TRUCK.in_beam_s()
    assert same.speed_at(3.0) == same.speed_at(30.0) == 2.0


def test_a_stop_and_a_step_back_are_in_one_occupancy():
    odd = replace(TRUCK, speeds=((0.0, 2.0), (4.0, 0.0), (6.0, -1.0), (8.0, 2.0)))
    assert odd.passed_m(np.array([15.0, 16.0, 18.0, 19.0])).tolist() == [8.0, 8.0, 6.0, 8.0]
    assert odd.in_beam_s() == ((10.0, 24.0),)
    assert odd.speed_at(17.0) == -1.0


def test_who_backs_out_breaks_the_beam_twice():
    shy = replace(TRUCK, speeds=((0.0, 2.0), (1.0, -1.0), (4.0, 2.0)))
    assert shy.in_beam_s() == ((10.0, 13.0), (14.5, 23.5))
    assert shy.reaches_s(0.0) == 14.5


@given(LEGS)
def test_it_breaks_the_beam_exactly_while_a_part_of_it_is_there(legs):
    vehicle = with_legs(legs)
    at_s = np.arange(0.0, 150.0, 0.173)
    passed_m = vehicle.passed_m(at_s)
    clear = (np.abs(passed_m) > 1e-6) & (np.abs(passed_m - vehicle.length_m) > 1e-6)
    inside = (passed_m > 0.0) & (passed_m < vehicle.length_m)
    spans_s = np.array(vehicle.in_beam_s()).reshape(-1, 2)
    told = ((spans_s[:, :1] <= at_s) & (at_s <= spans_s[:, 1:])).any(axis=0)
    assert (told == inside)[clear].all()
