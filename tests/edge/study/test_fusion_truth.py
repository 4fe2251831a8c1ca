"""Alerts joined to labels, on cases made by hand."""

import pytest

from edge.study.fusion_truth import Happening, Joiner, Kind, alike, happenings
from fusion.types import Event
from simulators.scenario import Fault, LanePlace, Scenario, SensorPlace, Truth, Vehicle


def thing(index, place, spans_s, events=(), kind=Kind.LAWFUL, *, is_vehicle=True, name="clean"):
    return Happening(
        index=index,
        name=name,
        subject=f"{place}-{index}",
        places=(place,) if place else (),
        direction="northbound",
        kind=kind,
        events=frozenset(events),
        event=next(iter(events), None),
        spans_s=spans_s,
        is_vehicle=is_vehicle,
    )


CLEAN = thing(0, "nb-01", ((10.0, 18.0), (25.0, 33.0)))
SOURCE = thing(1, "nb-01", ((40.0, 48.0), (55.0, 63.0)), (Event.RAD_THREAT,), Kind.THREAT)
AFTER = thing(2, "nb-01", ((50.0, 58.0),))
RAD = (Event.RAD_THREAT,)


def test_an_alert_is_of_the_vehicle_that_was_before_the_sensor():
    joiner = Joiner([CLEAN, SOURCE, AFTER])
    assert joiner.of("nb-01", 39.0, 48.0, RAD) is SOURCE
    assert joiner.of("nb-01", 10.0, 18.0, RAD) is CLEAN
    assert joiner.of("nb-01", 70.0, 75.0, RAD) is None
    assert joiner.of("nb-02", 40.0, 48.0, RAD) is None


def test_between_portal_and_scanner_there_are_others():
    joiner = Joiner([SOURCE, thing(3, "nb-01", ((51.5, 52.0),))])
    assert joiner.of("nb-01", 51.6, 51.8, (Event.CARGO_ANOMALY,)).index == 3


def test_when_it_began_tells_who_is_meant_where_two_are_there_at_once():
    follower = thing(4, "nb-01", ((54.0, 62.0),))
    joiner = Joiner([SOURCE, follower])
    assert joiner.of("nb-01", 52.9, 62.1, RAD) is SOURCE  # a doubt of 2 s is in its favour
    follower = thing(4, "nb-01", ((52.0, 60.0),))
    assert Joiner([SOURCE, follower]).of("nb-01", 51.2, 60.1, RAD) is follower


def test_of_two_vehicles_in_one_occupancy_the_one_that_fits_is_meant():
    first, second = (
        thing(0, "nb-01", ((10.0, 18.0),)),
        thing(1, "nb-01", ((19.0, 27.0),), (Event.SHIELDED_SOURCE,), Kind.THREAT),
    )
    joiner = Joiner([first, second])
    assert joiner.of("nb-01", 9.0, 27.5, RAD) is second
    assert joiner.of("nb-01", 9.0, 18.5, (Event.CARGO_MISMATCH,)) is first


def test_kin_send_the_same_people_to_the_same_place():
    assert alike(Event.PERSON, Event.GROUP)
    assert alike(Event.RAD_THREAT, Event.SHIELDED_SOURCE)
    assert not alike(Event.PERSON, Event.VEHICLE_OFF_LANE)
    walker = thing(0, "fence", ((5.0, 60.0),), (Event.PERSON,), Kind.THREAT, is_vehicle=False)
    wind = thing(1, "", ((0.0, 300.0),), is_vehicle=False, name="wind")
    joiner = Joiner([wind, walker])
    assert joiner.of("fence", 20.0, 22.0, (Event.GROUP,)) is walker
    assert joiner.of("fence", 150.0, 160.0, (Event.PERSON,)) is wind
    assert joiner.of("fence", 500.0, 510.0, (Event.PERSON,)) is None


def test_who_went_by_may_be_told_soon_after():
    walker = thing(0, "fence", ((5.0, 60.0),), (Event.PERSON,), Kind.THREAT, is_vehicle=False)
    assert Joiner([walker]).of("fence", 61.0, 90.0, (Event.PERSON,)) is walker


def test_a_sensors_own_condition_is_of_its_fault_and_of_nothing_that_passes():
    fault = thing(
        7, "rpm-nb-01", ((12.0, 90.0),), (Event.SENSOR_FAULT,), Kind.FAULT, is_vehicle=False
    )
    joiner = Joiner([CLEAN, fault])
    assert joiner.of("rpm-nb-01", 12.0, 12.0, (Event.SENSOR_SILENT,)) is fault
    assert joiner.of("nb-01", 12.0, 18.0, (Event.SENSOR_FAULT,)) is None
    assert joiner.of("nb-01", 12.0, 18.0, RAD) is CLEAN


@pytest.fixture(scope="module")
def day():
    truck = Vehicle(vehicle_id="truck", lane="nb-01", at_portal_s=10.0, speed_m_s=2.0)
    return Scenario(
        name="by hand",
        seed=1,
        start_utc_ns=0,
        duration_s=120.0,
        lanes=(LanePlace(lane="nb-01", portal_m=(0.0, 0.0), heading_deg=0.0),),
        sensors=(SensorPlace(sensor_id="rpm-nb-01", kind="rpm-tsa", lane="nb-01"),),
        vehicles=(truck,),
        faults=(Fault(sensor_id="rpm-nb-01", kind="silent", start_s=50.0, end_s=80.0),),
        truth=(
            Truth(
                name="bare-source",
                subject="truck",
                place="nb-01",
                start_s=10.0,
                end_s=31.5,
                events=("RAD_THREAT",),
            ),
            Truth(
                name="silent",
                subject="rpm-nb-01",
                place="nb-01",
                start_s=50.0,
                end_s=80.0,
                events=("SENSOR_SILENT",),
            ),
            Truth(
                name="helicopter",
                subject="helicopter-1",
                place="",
                start_s=0.0,
                end_s=60.0,
                events=("AIRCRAFT_LOW",),
            ),
            Truth(
                name="norm",
                subject="x",
                place="nb-01",
                start_s=0.0,
                end_s=5.0,
                events=("RAD_INNOCENT",),
            ),
        ),
    )


def test_a_vehicle_is_before_portal_and_scanner_at_its_own_times(day):
    source, fault, helicopter, norm = happenings(day, {"nb-01": "northbound"})
    assert source.spans_s == ((10.0, 19.0), (22.5, 31.5))
    assert source.direction == "northbound"
    assert source.event is Event.RAD_THREAT
    assert fault.places == ("rpm-nb-01", "nb-01")
    assert helicopter.places == ()
    kinds = [one.kind for one in (source, fault, helicopter, norm)]
    assert kinds == [Kind.THREAT, Kind.FAULT, Kind.RIGHT, Kind.LAWFUL]
