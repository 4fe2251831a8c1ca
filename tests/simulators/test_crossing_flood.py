"""In a flood something comes to every stretch within half a minute, each with its label."""

from simulators.catalog import KINDS
from simulators.crossing_days import is_threat
from simulators.crossing_flood import FIRST_S, STRETCHES, WITHIN_S, flood, stretches
from simulators.scripts import SCENARIOS


def test_something_comes_to_every_stretch_at_once():
    day = flood(3, 0)
    assert {row.place for row in day.truth} == {fence.zone for fence in stretches()}
    assert len(day.truth) == len(day.movers) == STRETCHES
    assert all(is_threat(row) for row in day.truth)
    assert all(FIRST_S <= row.start_s <= FIRST_S + WITHIN_S for row in day.truth)
    together_s = max(row.start_s for row in day.truth)
    assert sum(row.end_s > together_s for row in day.truth) > 0.9 * STRETCHES
    assert day == flood(3, 0) != flood(4, 0)


def test_a_flood_can_be_simulated_by_name_and_its_sensors_send():
    day = SCENARIOS["flood"](3, 1_790_000_000 * 10**9)
    assert len(day.sensors) == 3 * STRETCHES
    for place in (day.sensors[0], day.sensors[-1]):
        assert KINDS[place.kind].build(day, place.sensor_id).step(5_000)
