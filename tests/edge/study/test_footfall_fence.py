import numpy as np
import pytest

from edge.study.bench_footfalls import figures, rang_s
from edge.study.bench_load import Cost
from edge.study.footfall_fence import RATE_HZ, Walk, fence, fourth_clear_s, walks

NOISE = np.random.default_rng(5).standard_normal(60 * RATE_HZ)


def steps(*at_s, size=8.0):
    motion = np.zeros(60 * RATE_HZ)
    for each in at_s:
        motion[round(each * RATE_HZ)] = size
        motion[round(each * RATE_HZ) + 10] = -0.9 * size  # its ringing
    return motion


def test_the_fourth_clear_footfall_in_a_row_is_found():
    assert fourth_clear_s(steps(21.0, 21.6, 22.2, 22.8, 23.4), NOISE, 20.0, 40.0) == 22.8


def test_footfalls_that_are_not_clear_do_not_count():
    assert fourth_clear_s(steps(21.0, 21.6, 22.2, 22.8, size=3.0), NOISE, 20.0, 40.0) is None


def test_a_pause_begins_the_row_anew():
    at = (21.0, 21.6, 22.2, 25.0, 25.6, 26.2, 26.8)
    assert fourth_clear_s(steps(*at), NOISE, 20.0, 40.0) == 26.8


def test_every_walker_has_a_fourth_footfall_or_none_while_it_walks():
    scenario = fence(3, 0, 160.0, stretches=1)
    found = walks(scenario)
    assert len(found) == len(scenario.movers) > 0
    heard = [walk for walk in found if walk.fourth_s is not None]
    assert heard
    assert all(walk.start_s <= walk.fourth_s <= walk.end_s + 2.0 for walk in heard)


def test_a_walk_has_rung_when_the_slower_side_has_heard():
    walk = Walk("stretch-01", 50.0, 90.0, 60.0)
    rows = {
        "north": [("stretch-01", int(40e9)), ("stretch-01", int(71.0e9)), ("stretch-02", 0)],
        "south": [("stretch-01", int(71.5e9)), ("stretch-01", int(80e9))],
    }
    assert rang_s(walk, rows, int(10e9)) == pytest.approx(61.5)
    found = {one.name: one for one in figures([walk], rows, int(10e9), Cost())}
    assert found["footfalls.both.p95"].value == pytest.approx(1.5)
    assert found["footfalls.told"].value == 1.0


def test_a_walk_that_one_side_never_heard_of_was_not_told():
    walk = Walk("stretch-01", 50.0, 90.0, 60.0)
    rows = {"north": [("stretch-01", int(60e9))], "south": []}
    assert rang_s(walk, rows, 0) is None
    found = {one.name: one for one in figures([walk], rows, 0, Cost())}
    assert found["footfalls.both.p95"].reached is False
    assert found["footfalls.told"].value == 0.0
