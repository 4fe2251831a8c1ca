from dataclasses import replace

import pytest

from edge.study.ground_chain import PERSON, heard
from edge.study.ground_passes import clearness, pass_by
from simulators.scenario import Mover, Scenario, SensorPlace


def scene(name, *movers, seconds=70.0):
    return Scenario(
        name="ground",
        seed=3,
        start_utc_ns=1_763_740_800 * 10**9,
        duration_s=seconds,
        sensors=(
            SensorPlace(
                sensor_id=name,
                kind="shake-udp",
                zone=f"zone-{name}",
                options=(("channels", "EHZ"), ("site", "loam")),
            ),
        ),
        movers=movers,
        wind_m_s=1.0,
    )


WALKER = Mover(
    mover_id="walker",
    kind="person",
    zone="zone",
    start_s=30.0,
    start_m=(3.0, -28.0),
    end_m=(3.0, 28.0),
)


def told(one):
    """Without the times, which are the engine's ticks', and without the ids of places."""
    return [(each.at_s, each.alert.event, each.alert.probability) for each in one.alerts]


@pytest.fixture(scope="module")
def together():
    return heard([scene("geo-a", WALKER), scene("geo-b")])


def test_a_walker_close_by_rings_and_a_quiet_sensor_beside_does_not(together):
    walked, quiet = together
    assert {rung.alert.event for rung in walked.rung(PERSON)} <= PERSON
    assert walked.rung(PERSON)
    assert 30.0 < walked.rung(PERSON)[0].at_s < 80.0
    assert quiet.alerts == []
    assert any(event.facts["class"] == "person" for event in walked.detections)
    assert all(event.sensor_id == "geo-a" for event in walked.detections)


def test_scenes_that_are_played_together_do_not_hear_each_other(together):
    (alone,) = heard([scene("geo-a", WALKER)])
    assert told(alone) == told(together[0])


def test_an_alert_is_counted_once_however_often_it_is_told_again(together):
    rung = together[0].rung(PERSON)
    assert len({each.alert.alert_id for each in rung}) == len(rung)


def test_scenes_that_share_a_sensor_are_refused():
    with pytest.raises(ValueError, match="share"):
        heard([scene("geo-a"), scene("geo-a")])


def test_scenes_of_different_hours_are_refused():
    later = replace(scene("geo-b"), start_utc_ns=1_763_744_400 * 10**9)
    with pytest.raises(ValueError, match="hour"):
        heard([scene("geo-a"), later])


def test_steps_close_by_stand_out_and_far_steps_do_not():
    near = pass_by(4_000)
    walker = near.scenario.movers[0]
    shift_m = 300.0
    far = replace(
        walker,
        start_m=(walker.start_m[0] + shift_m, walker.start_m[1]),
        end_m=(walker.end_m[0] + shift_m, walker.end_m[1]),
    )
    only = replace(near.scenario, movers=(walker,), wind_m_s=0.5)
    assert clearness(only) > 3.0 * clearness(replace(only, movers=(far,)))
