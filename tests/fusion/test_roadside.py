from dataclasses import replace

from fusion.associate import Lane
from fusion.policy import AssociationPolicy
from fusion.roadside import Roadside
from fusion.types import SECOND_NS, Detection, Family, SensorSpec
from tests.fusion.makers import CHECKPOINT, START_UTC_NS, detection, occupancy, steps

POLICY = AssociationPolicy()
BESIDE = SensorSpec(sensor_id="geo-9", family=Family.SEISMIC, place="fence", position_m=(60.0, 0.0))
FAR = SensorSpec(sensor_id="geo-1", family=Family.SEISMIC, place="fence", position_m=(400.0, 0.0))


def vehicle(at_s: float, *, start_s: float | None = None) -> Detection:
    facts = {"class": "vehicle", "classes": {"vehicle": 1.0}, "peak_um_s": 30.0}
    begin_s = at_s - 8.0 if start_s is None else start_s
    return detection("seismic.event", "geo-9", facts, start_s=begin_s, end_s=at_s)


def roadside() -> tuple[Roadside, Lane]:
    lane = Lane(CHECKPOINT.lanes[0], POLICY)
    return Roadside({"nb-01": lane}, POLICY), lane


def at(seconds: float) -> int:
    return START_UTC_NS + round(seconds * SECOND_NS)


def test_a_truck_that_the_portal_counts_a_moment_later_is_explained():
    beside, lane = roadside()
    assert beside.hold(vehicle(10.0), BESIDE)
    lane.occupancy(occupancy(14.0))
    assert beside.due(at(10.0 + POLICY.lane_wait_s)) == []


def test_a_vehicle_that_no_portal_counts_is_told_when_the_wait_is_over():
    beside, _ = roadside()
    heard = vehicle(10.0)
    beside.hold(heard, BESIDE)
    assert beside.due(at(10.0 + POLICY.lane_wait_s - 0.1)) == []
    assert beside.due(at(10.0 + POLICY.lane_wait_s)) == [(heard, BESIDE)]
    assert beside.due(at(100.0)) == [], "told once"


def test_an_event_that_is_told_again_is_held_once():
    beside, _ = roadside()
    for at_s in (10.0, 11.0, 12.0):
        beside.hold(vehicle(at_s, start_s=5.0), BESIDE)
    assert len(beside.due(at(100.0))) == 1


def test_out_of_earshot_and_on_foot_nobody_waits():
    beside, _ = roadside()
    assert not beside.hold(vehicle(10.0), FAR)
    assert not beside.hold(steps("geo-9", 10.0), BESIDE)


AT_LANE = SensorSpec(sensor_id="geo-9", family=Family.SEISMIC, place="nb-01", position_m=(8.0, 0.0))


def passes(beside: Roadside, lane: Lane, at_s: float, peak: float, *, counted: bool = True) -> list:
    """A vehicle that the lane's sensor hears; who of them is told."""
    heard = vehicle(at_s)
    if counted:
        lane.occupancy(occupancy(at_s - 4.0))
        lane.occupancy(occupancy(at_s - 4.0, at_s + 3.0))
    beside.hold(replace(heard, facts={**heard.facts, "peak_um_s": peak}), AT_LANE)
    told = beside.due(at(at_s + POLICY.lane_wait_s + 1.0))
    lane.over(at(at_s + 400.0))
    return told


def test_who_is_louder_than_the_lanes_own_is_not_explained_by_a_trucks_count():
    beside, lane = roadside()
    for number in range(12):
        assert passes(beside, lane, 1000.0 * number, 20.0 + number % 5) == []
    assert passes(beside, lane, 13_000.0, 30.0) == [], "a heavy truck"
    ((told, _),) = passes(beside, lane, 14_000.0, 66.0)
    assert told.facts["louder"] == 3.0
    assert len(passes(beside, lane, 15_000.0, 60.0)) == 1, "what is told teaches nothing"
    ((told, _),) = passes(beside, lane, 16_000.0, 66.0, counted=False)
    assert told.facts["louder"] == 3.0
    ((told, _),) = passes(beside, lane, 17_000.0, 22.0, counted=False)
    assert "louder" not in told.facts


def test_while_hardly_anybody_was_heard_nobody_is_loud():
    beside, lane = roadside()
    for number in range(2):
        assert passes(beside, lane, 1000.0 * number, 20.0) == []
    assert passes(beside, lane, 3_000.0, 100.0) == []


def test_a_lane_whose_trucks_differ_much_has_more_room():
    beside, lane = roadside()
    for number in range(20):
        assert passes(beside, lane, 1000.0 * number, 10.0 * 1.5 ** (number % 4)) == []
    assert passes(beside, lane, 30_000.0, 45.0) == []


def test_portals_out_of_earshot_explain_nothing():
    near = Lane(CHECKPOINT.lanes[0], POLICY)
    far = Lane(replace(CHECKPOINT.lanes[1], portal_m=(300.0, 0.0)), POLICY)
    beside = Roadside({"nb-01": near, "sb-01": far}, POLICY)
    beside.hold(vehicle(10.0), AT_LANE)
    far.occupancy(occupancy(10.0))
    assert len(beside.due(at(100.0))) == 1


def test_the_fewer_were_heard_the_louder_another_has_to_be():
    for known, is_told in ((3, False), (20, True)):
        beside, lane = roadside()
        for number in range(known):
            assert passes(beside, lane, 1000.0 * number, 20.0) == []
        assert bool(passes(beside, lane, 30_000.0, 45.0)) is is_told


def test_an_event_that_goes_on_is_one_vehicle_however_often_it_is_told():
    beside, lane = roadside()
    for number in range(6):
        heard = vehicle(20.0 + 20.0 * number, start_s=5.0)
        lane.occupancy(occupancy(15.0 + 20.0 * number))
        beside.hold(replace(heard, facts={**heard.facts, "peak_um_s": 20.0}), AT_LANE)
        assert beside.due(at(36.0 + 20.0 * number)) == []
    assert passes(beside, lane, 3_000.0, 100.0) == [], "nobody knows yet what is usual"


def test_trucks_that_are_taken_for_the_weather_say_how_loud_trucks_are():
    beside, lane = roadside()
    for number in range(12):
        at_s = 1000.0 * number
        heard = vehicle(at_s)
        facts = {**heard.facts, "class": "weather", "peak_um_s": 20.0 + number % 5}
        lane.occupancy(occupancy(at_s - 4.0))
        lane.occupancy(occupancy(at_s - 4.0, at_s + 3.0))
        assert beside.hold(replace(heard, facts=facts, final=True), AT_LANE) is False
        assert beside.due(at(at_s + POLICY.lane_wait_s + 1.0)) == []
        lane.over(at(at_s + 400.0))
    ((told, _),) = passes(beside, lane, 14_000.0, 66.0)
    assert told.facts["louder"] == 3.07, "66 over 21.5 of those twelve"


def queue(beside: Roadside, lane: Lane, start_s: float, peak: float, trucks: int) -> list:
    """A queue that the lane's sensor hears as one event; who of it is told."""
    heard = vehicle(start_s)
    for number in range(trucks):
        at_s = start_s + 20.0 * number
        lane.occupancy(occupancy(at_s))
        lane.occupancy(occupancy(at_s, at_s + 8.0))
        heard = vehicle(at_s + 10.0, start_s=start_s)
        heard = replace(heard, facts={**heard.facts, "peak_um_s": peak})
        beside.hold(heard, AT_LANE)
        lane.over(at(at_s + 10.0))
    assert len(lane.transits) < trucks, "the lane has forgotten the first of them"
    return beside.due(at(heard.end_utc_ns / SECOND_NS - START_UTC_NS / SECOND_NS + 16.0))


def test_two_queues_say_how_loud_each_of_their_trucks_is():
    beside, lane = roadside()
    assert queue(beside, lane, 0.0, 34.0, 8) == []
    assert queue(beside, lane, 1_000.0, 34.0, 8) == []
    ((told, _),) = passes(beside, lane, 3_000.0, 84.0)
    assert told.facts["louder"] == 3.54, "one of eight that are as loud as 34 has 23.8"
    assert queue(beside, lane, 4_000.0, 60.0, 8) == [], "the loudest of eight is no other"
