"""A small flood through simulators, senses and alarms: every stretch is told."""

from edge.study.flood_scene import FloodRun, flood_config, flood_run
from edge.study.packs.flood import figures
from fusion.policy import Policy
from simulators.crossing_flood import flood


def test_the_flood_has_a_checkpoint_of_its_sensors():
    day = flood(1, 0, number=4)
    config = flood_config(day)
    assert [sensor.id for sensor in config.sensors] == [place.sensor_id for place in day.sensors]
    assert [zone.id for zone in config.zones] == [f"stretch-{n:02d}" for n in range(1, 5)]


def test_who_comes_to_two_stretches_is_told_at_both():
    seen = flood_run(1_000_022, Policy(), tracks=2, lasts_s=90.0)
    assert seen.tracks == seen.reachable == 2
    assert 1 <= seen.rang <= 4


def test_the_pack_holds_the_worst_flood_to_its_goals():
    well = FloodRun(tracks=30, rang=9, reachable=30)
    rings, told = figures([well, FloodRun(tracks=30, rang=11, reachable=29)], "")
    assert (rings.value, rings.reached) == (11, False)
    assert (told.value, told.reached) == (29, False)
    assert all(figure.reached for figure in figures([well], ""))
