"""Walkers past a line of sensors, fifteen metres apart to the north, as their stations tell it."""

import itertools

import numpy as np
import pytest

from fusion import cues
from fusion.policy import AssociationPolicy
from fusion.tracks import Zone
from fusion.types import SECOND_NS, Family, SensorSpec
from fusion.walks import StepsHeard, curve
from tests.fusion.makers import START_UTC_NS, detection, heard, steps

POLICY = AssociationPolicy()
SPACING_M = 15.0


def zone(sensors: int = 5, step_m: tuple[float, float] = (0.0, SPACING_M), **more) -> Zone:
    specs = [
        SensorSpec(
            sensor_id=f"geo-{i + 1}",
            family=Family.SEISMIC,
            place="fence",
            position_m=(400.0 + step_m[0] * i, step_m[1] * i),
        )
        for i in range(sensors)
    ]
    return Zone("fence", specs, POLICY, **more)


def walk(zone_: Zone, *walkers, **more):
    """Stations tell every two seconds what has passed; returns all tracks there ever were.

    Each walker is a list of (sensor number, time of passage).
    """
    passages = [(at_s, sensor) for walker in walkers for sensor, at_s in walker]
    first_s = min(at_s for at_s, _ in passages) - 20.0
    last_s = max(at_s for at_s, _ in passages) + 20.0
    tracks = []
    told_s = first_s
    while told_s < last_s:
        told_s += 2.0
        for sensor in sorted({sensor for _, sensor in passages}):
            over = sorted(at_s for at_s, s in passages if s == sensor and at_s + 3.0 < told_s)
            for track in zone_.add(heard(f"geo-{sensor}", first_s, told_s, *over, **more)):
                track.motion = cues.motion(track, zone_)
                tracks += [track] if track not in tracks else []
    return [track for track in tracks if track in zone_.tracks and track.detections]


def at_speed(speed_m_s: float, order, from_s: float = 100.0):
    return [(sensor, from_s + i * SPACING_M / speed_m_s) for i, sensor in enumerate(order)]


def test_one_walker_past_five_sensors_is_one_track_with_direction_speed_and_place():
    (track,) = walk(zone(), at_speed(1.5, (1, 2, 3, 4, 5)))
    facts = track.motion.facts
    assert set(track.detections) == {f"geo-{i}" for i in range(1, 6)}
    assert facts["direction"] == "north"
    assert facts["speed_m_s"] == pytest.approx(1.5, rel=0.03)
    assert facts["speed_sd_m_s"] < 0.15
    since_s = (track.end_utc_ns - START_UTC_NS) / SECOND_NS - 140.0
    assert facts["position_m"] == pytest.approx(60.0 + 1.5 * since_s, abs=2.0)
    assert facts["place_m"] == pytest.approx((400.0, facts["position_m"]), abs=0.1)
    assert facts["position_sd_m"] < 5.0
    assert facts["sensors"] == tuple(f"geo-{i}" for i in range(1, 6))
    assert facts["count"] == 1
    assert facts["turned"] is False


@pytest.mark.parametrize(
    ("step_m", "order", "direction"),
    [
        ((0.0, 15.0), (3, 2, 1), "south"),
        ((15.0, 0.0), (1, 2, 3), "east"),
        ((-15.0, 0.0), (1, 2, 3), "west"),
        ((-10.6, 10.6), (1, 2, 3), "north-west"),
        ((10.6, -10.6), (3, 2, 1), "north-west"),
    ],
)
def test_the_direction_is_a_word_of_the_compass(step_m, order, direction):
    (track,) = walk(zone(3, step_m), at_speed(1.2, order))
    assert track.motion.facts["direction"] == direction


@pytest.mark.parametrize(
    ("speed_m_s", "name"), [(0.8, "person"), (3.8, "person"), (12.0, "vehicle"), (25.0, "vehicle")]
)
def test_creepers_runners_and_cars_have_their_speed(speed_m_s, name):
    sd_s = 0.1 if name == "vehicle" else 0.3
    width_s = 1.0 if name == "vehicle" else 4.0
    (track,) = walk(zone(3), at_speed(speed_m_s, (3, 2, 1)), name=name, sd_s=sd_s, width_s=width_s)
    assert track.motion.facts["direction"] == "south"
    assert track.motion.facts["speed_m_s"] == pytest.approx(speed_m_s, rel=0.1)


def test_walkers_at_different_times_are_two_tracks():
    tracks = walk(zone(), at_speed(1.4, (1, 2, 3, 4, 5)), at_speed(1.4, (1, 2, 3, 4, 5), 145.0))
    assert [track.motion.facts["direction"] for track in tracks] == ["north", "north"]
    assert len({track.key for track in tracks}) == 2


def test_walkers_at_different_places_are_two_tracks():
    tracks = walk(zone(), at_speed(1.4, (1, 2, 3)), at_speed(1.4, (5, 4), 101.0))
    assert sorted(track.motion.facts["direction"] for track in tracks) == ["north", "south"]


def test_who_go_in_file_are_one_track_with_a_count():
    file = [at_speed(1.4, (1, 2, 3), 100.0 + 9.0 * i) for i in range(3)]
    (track,) = walk(zone(3), *file)
    assert track.motion.facts["count"] == 3
    assert track.motion.facts["speed_m_s"] == pytest.approx(1.4, rel=0.05)


def test_a_stations_own_count_is_told():
    (track,) = walk(zone(3), at_speed(1.4, (1, 2, 3)), name="group", count=4)
    assert track.motion.facts["count"] == 4


def test_who_turns_round_is_one_track():
    there = at_speed(1.4, (1, 2, 3))
    back = at_speed(1.4, (3, 2, 1), there[-1][1] + 12.0)
    (track,) = walk(zone(), there + back)
    assert track.motion.facts["turned"] is True
    assert track.motion.facts["direction"] == "south"


def test_who_crosses_the_line_square_has_no_direction_along_it():
    (track,) = walk(zone(), [(i, 100.0 + 0.1 * (i % 2)) for i in range(1, 6)], width_s=20.0)
    facts = track.motion.facts
    assert facts["course"] == "across"
    assert "direction" not in facts
    assert "speed_m_s" not in facts


def test_two_who_meet_from_both_ends_are_two_as_soon_as_both_have_gone_on():
    ends = [(1, 100.0)], [(5, 101.0)]
    assert len(walk(zone(), *ends, width_s=3.0)) == 1, "one passage may be a gust"
    further = [[*ends[0], (2, 110.0)], [*ends[1], (4, 111.0)]]
    assert len(walk(zone(), *further, width_s=3.0)) == 2


def test_a_sensor_that_hears_nothing_is_passed_over():
    (track,) = walk(zone(), at_speed(1.4, (1,)) + at_speed(1.4, (3, 4), 121.4))
    assert track.motion.facts["speed_m_s"] == pytest.approx(1.4, rel=0.05)


def test_one_sensor_gives_no_direction():
    zone_ = zone()
    (track,) = zone_.add(heard("geo-1", 90.0, 110.0, 100.0))
    assert cues.motion(track, zone_) is None


def test_what_has_not_passed_yet_gives_no_order():
    zone_ = zone()
    zone_.add(heard("geo-1", 90.0, 110.0, 100.0))
    (track,) = zone_.add(heard("geo-2", 90.0, 110.0, 112.0, over=False))
    assert cues.motion(track, zone_) is None


def test_stations_that_tell_only_their_loudest_moment_give_an_order():
    zone_ = zone()
    for i in range(3):
        begun_s = 100.0 + 10.0 * i
        facts = {"class": "person", "classes": {"person": 0.9}, "peak_counts": 40.0, "peak_s": 5.0}
        (track,) = zone_.add(
            detection(
                "seismic.event",
                f"geo-{i + 1}",
                facts,
                start_s=begun_s,
                end_s=begun_s + 12.0,
                final=False,
            )
        )
    facts = cues.motion(track, zone_).facts
    assert facts["direction"] == "north"
    assert facts["speed_m_s"] == pytest.approx(1.5, rel=0.1)


def test_steps_a_minute_later_are_somebody_else():
    zone_ = zone()
    (first,) = zone_.add(steps("geo-1", 10.0))
    (second,) = zone_.add(steps("geo-1", 10.0 + POLICY.track_gap_s + 10.0))
    assert second is not first


def test_what_is_too_far_away_is_something_else():
    zone_ = zone(2, (0.0, 500.0))
    (first,) = zone_.add(steps("geo-1", 10.0))
    (second,) = zone_.add(steps("geo-2", 12.0))
    assert second is not first


def test_an_event_told_again_is_heard_once_at_its_best():
    zone_ = zone()
    zone_.add(heard("geo-1", 90.0, 100.0))
    (track,) = zone_.add(heard("geo-1", 90.0, 104.0, classes={"person": 0.6, "animal": 0.4}))
    assert len(track.detections) == 1
    assert track.detections["geo-1"].facts["classes"]["person"] == 0.9
    assert track.end_utc_ns == START_UTC_NS + 104 * SECOND_NS


def test_who_steps_out_of_a_vehicle_is_a_track_of_its_own():
    zone_ = zone()
    (car,) = zone_.add(heard("geo-2", 0.0, 10.0, name="vehicle"))
    (walker,) = zone_.add(steps("geo-2", 23.0))
    assert walker is not car
    assert zone_.add(steps("geo-3", 30.0)) == [walker]


def test_a_track_that_is_heard_no_more_is_over_and_forgotten():
    zone_ = zone()
    walk(zone_, at_speed(1.4, (1, 2, 3)))
    (track,) = zone_.tracks
    assert zone_.over(track.end_utc_ns + SECOND_NS) == []
    assert zone_.over(track.end_utc_ns + 46 * SECOND_NS) == [track]
    (other,) = zone_.add(heard("geo-1", 200.0, 220.0, 210.0))
    assert other is not track
    assert not other.incident.passes or len(other.incident.passes) == 1


def test_what_is_told_does_not_depend_on_who_is_told_first():
    said = []
    for order in itertools.permutations((1, 2, 3)):
        zone_ = zone(3)
        tracks = []
        for sensor in order:
            at_s = 100.0 + 10.0 * sensor
            tracks = zone_.add(heard(f"geo-{sensor}", 90.0, 150.0, at_s))
        said.append(cues.motion(tracks[0], zone_).facts)
    assert all(facts == said[0] for facts in said)


@pytest.mark.parametrize(("order", "direction"), [((1, 2, 3), "north"), ((3, 2, 1), "south")])
def test_sensors_that_tell_nothing_show_which_way_somebody_went(order, direction):
    passed_s = dict(at_speed(1.5, order, from_s=30.0))

    def steps_until(sensor_id, end_utc_ns):
        bins = round((end_utc_ns - START_UTC_NS) / SECOND_NS * 5)
        away_m = 1.5 * (np.arange(bins) / 5.0 - passed_s[int(sensor_id[-1])])
        energy = np.random.default_rng(int(sensor_id[-1])).gamma(8.0, 1.0 / 8.0, bins)
        energy[::3] += (200.0 / (1.0 + (away_m / 4.0) ** 2))[::3]
        return curve(StepsHeard(energy=energy, bin_s=0.2, end_utc_ns=end_utc_ns))

    fence = zone(3, steps=steps_until)
    middle_s = passed_s[2]
    (track,) = fence.add(heard("geo-2", middle_s - 4.0, middle_s))
    assert cues.motion(track, fence) is None, "who has passed one sensor may yet turn round"
    asked = [
        cues.motion(track, fence).facts["direction"]
        for after_s in range(5, 30)
        if fence.ask(START_UTC_NS + round((middle_s + after_s) * SECOND_NS))
        and cues.motion(track, fence) is not None
    ]
    assert set(asked) == {direction}
    assert len(asked) < 10, "once in two slots"
    track.motion = cues.motion(track, fence)
    assert not fence.ask(START_UTC_NS + round((middle_s + 35.0) * SECOND_NS)), "that is known"


def test_a_road_far_away_shows_no_direction():
    """Its vehicles are loud for a quarter of a minute; each sensor hears another one loudest."""
    blunt = {"name": "vehicle", "sd_s": 0.8}
    passed = [(3, 100.0), (2, 103.0), (1, 106.0)]
    (near,) = walk(zone(3), passed, width_s=2.0, **blunt)
    assert near.motion.facts["direction"] == "south"
    (far,) = walk(zone(3), passed, width_s=14.1, **blunt)
    assert far.motion.facts["course"] == "far-off"
    assert "direction" not in far.motion.facts
    assert far.motion.nats["vehicle"] < 0.0
