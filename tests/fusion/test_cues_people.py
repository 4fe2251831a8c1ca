"""Who gets out of a vehicle and who gets into one."""

import pytest

from fusion.association_policy import AssociationPolicy
from fusion.cues_people import drop_off, pick_up
from fusion.evidence_cues import fusion_pick_up
from fusion.fuser import Fuser
from fusion.policy import Policy
from fusion.tracks import Zone
from fusion.types import Event
from tests.fusion.makers import CHECKPOINT, START_UTC_NS, detection, steps

POLICY = AssociationPolicy()
SECOND = 10**9


def zone(*detections) -> Zone:
    made = Zone("fence", [s for s in CHECKPOINT.sensors if s.place == "fence"], POLICY)
    for one in detections:
        made.add(one)
    return made


def vehicle(sensor_id: str, at_s: float, lasts_s: float = 8.0, *, final: bool = True):
    facts = {"class": "vehicle", "classes": {"vehicle": 1.0}, "peak_um_s": 30.0}
    return detection(
        "seismic.event", sensor_id, facts, start_s=at_s - lasts_s, end_s=at_s, final=final
    )


def test_footsteps_where_a_vehicle_stopped_are_a_drop_off():
    zone_ = zone(vehicle("geo-2", 10.0))
    stopped = zone_.tracks[0]
    walking = zone(steps("geo-2", 30.0)).tracks[0]
    cue = drop_off(walking, zone_, [stopped], POLICY)
    assert cue is not None
    assert drop_off(zone(steps("geo-2", 90.0)).tracks[0], zone_, [stopped], POLICY) is None


def test_a_vehicle_that_drives_on_has_still_dropped_somebody_off():
    zone_ = zone(vehicle("geo-2", 10.0))
    (came,) = zone_.tracks
    walking = zone(steps("geo-2", 30.0)).tracks[0]
    walking.drop_off = drop_off(walking, zone_, [came], POLICY)
    assert walking.drop_off is not None
    gone = zone(vehicle("geo-2", 70.0, lasts_s=60.0)).tracks[0]
    assert drop_off(walking, zone_, [gone], POLICY) is walking.drop_off
    assert drop_off(walking, zone_, [], POLICY) is None, "there was no vehicle after all"


def test_steps_that_were_there_before_the_vehicle_were_not_dropped_off():
    zone_ = zone(steps("geo-2", 30.0, final=True))
    later = zone(vehicle("geo-2", 33.0, lasts_s=3.0)).tracks[0]
    assert drop_off(zone_.tracks[0], zone_, [later], POLICY) is None


def test_footsteps_that_end_where_a_vehicle_starts_are_a_pick_up():
    zone_ = zone(steps("geo-2", 30.0, final=True))
    walked = zone_.tracks[0]
    starts = zone(vehicle("geo-2", 45.0, lasts_s=10.0)).tracks[0]
    found = pick_up(walked, zone_, [starts], POLICY)
    assert found is not None
    assert found.nats["pick-up"] > 5.0
    assert found.nats["person"] < 0.0, "whoever gets in is on foot no more"


@pytest.mark.parametrize(
    "start_s",
    [10.0, 90.0],
    ids=["the vehicle came long before", "the vehicle comes long after"],
)
def test_a_vehicle_at_another_time_picks_nobody_up(start_s):
    zone_ = zone(steps("geo-2", 40.0, final=True))
    other = zone(vehicle("geo-2", start_s + 5.0, lasts_s=5.0)).tracks[0]
    assert pick_up(zone_.tracks[0], zone_, [other], POLICY) is None


def test_steps_that_go_on_beside_a_vehicle_were_not_picked_up():
    zone_ = zone(steps("geo-2", 30.0, final=True))
    starts = zone(vehicle("geo-2", 38.0, lasts_s=5.0)).tracks[0]
    assert pick_up(zone_.tracks[0], zone_, [starts], POLICY) is not None
    zone_.add(steps("geo-2", 60.0))
    assert pick_up(zone_.tracks[0], zone_, [starts], POLICY) is None


def test_a_vehicle_on_its_own_is_neither():
    zone_ = zone(vehicle("geo-1", 30.0))
    other = zone(vehicle("geo-1", 45.0)).tracks[0]
    assert pick_up(zone_.tracks[0], zone_, [other], POLICY) is None
    assert drop_off(zone_.tracks[0], zone_, [other], POLICY) is None


def test_the_sooner_the_vehicle_starts_the_more_it_says():
    said = [fusion_pick_up({"before_s": s, "on_foot_nats": 1.0})["pick-up"] for s in range(60)]
    assert said == sorted(said, reverse=True)


class AllUp:
    def up(self, sensor_id):
        return True

    def steps(self, sensor_id, end_utc_ns):
        return None


def test_a_vehicle_that_starts_makes_a_pick_up_of_somebody_who_walked_there():
    fuser = Fuser(CHECKPOINT, Policy(), AllUp())
    told = []
    for at_s, heard in (
        (30, [steps("geo-2", 30.0, share=0.97)]),
        (34, [steps("geo-2", 34.0, share=0.97, final=True)]),
        (50, [vehicle("geo-2", 50.0, lasts_s=10.0)]),
    ):
        told += fuser.tick(START_UTC_NS + at_s * SECOND, heard)
    (last,) = [a for a in told if a.event is Event.DROP_OFF][-1:]
    assert last.facts["explanation"] == "pick-up"
    assert last.level >= 2
