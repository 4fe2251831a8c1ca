"""The hours of the crossing's days: the same each time, labelled whole, at the rates they state."""

from collections import Counter
from itertools import pairwise

import pytest

from fusion.types import Event
from simulators.catalog import KINDS
from simulators.crossing import LANES, SCANNED, SCANNER_AFTER_M, ZONES, gone_s
from simulators.crossing_days import (
    ACCOMPLICES,
    DAYS,
    FAULTS,
    THREATS,
    Options,
    hour,
    is_fault,
    is_threat,
)
from simulators.scripts import SCENARIOS

EVENTS = {event.value for event in Event}
PLACES = {"", *ZONES, *(place.lane for place in LANES)}
LANE_DAYS = [name for name, day in DAYS.items() if day.flow is not None]


@pytest.mark.parametrize("name", DAYS)
def test_an_hour_is_the_same_every_time_and_another_seed_or_hour_is_not(name):
    assert hour(name, 3, 2) == hour(name, 3, 2)
    assert hour(name, 3, 2).truth != hour(name, 4, 2).truth
    assert hour(name, 3, 2).truth != hour(name, 3, 3).truth
    assert hour(name, 3, 2).start_utc_ns - hour(name, 3, 1).start_utc_ns == 3600 * 10**9


@pytest.mark.parametrize("name", DAYS)
def test_every_vehicle_mover_and_fault_has_one_label_with_codes_of_the_contract(name):
    for number in range(4):
        day = hour(name, 11, number)
        subjects = Counter(row.subject for row in day.truth)
        things = [one.vehicle_id for one in day.vehicles] + [one.mover_id for one in day.movers]
        assert len(set(things)) == len(things)
        assert Counter(things) + Counter(fault.sensor_id for fault in day.faults) == subjects
        assert {row.place for row in day.truth} <= PLACES
        assert {code for row in day.truth for code in row.events} <= EVENTS
        assert all(row.start_s < row.end_s for row in day.truth)
        assert all(row.events for row in day.truth if is_threat(row) or row.name in ACCOMPLICES)


@pytest.mark.parametrize("name", DAYS)
def test_what_must_be_found_is_over_before_the_hour_is(name):
    for number in range(10):
        day = hour(name, 12, number)
        assert all(row.end_s <= day.duration_s for row in day.truth if is_threat(row))
        assert all(row.start_s >= 50.0 for row in day.truth if is_threat(row))


@pytest.mark.parametrize("name", [name for name, day in DAYS.items() if day.threats_per_hour])
@pytest.mark.parametrize("asked", [None, 8.0])
def test_threats_come_at_the_stated_rate(name, asked):
    hours = [hour(name, 13, number, Options(threats_per_hour=asked)) for number in range(60)]
    # Two trucks share one source, and are one threat.
    rate = sum(
        0.5 if row.name == "shared-source" else 1.0
        for day in hours
        for row in day.truth
        if is_threat(row)
    ) / len(hours)
    wanted = asked or DAYS[name].threats_per_hour
    # Poisson over sixty hours, less what no room was left for at an hour's end.
    assert wanted * 0.85 - 3 * (wanted / 60) ** 0.5 < rate < wanted + 3 * (wanted / 60) ** 0.5


@pytest.mark.parametrize("name", [name for name, day in DAYS.items() if day.threats_per_hour])
def test_every_stratum_of_a_day_comes(name):
    names = {row.name for number in range(60) for row in hour(name, 14, number).truth}
    assert set(DAYS[name].strata) == names & THREATS


@pytest.mark.parametrize("name", LANE_DAYS)
def test_lanes_flow_at_their_rate(name):
    flow = DAYS[name].flow
    hours = [hour(name, 15, number, Options(threats_per_hour=0.0)) for number in range(10)]
    per_lane = sum(len(day.vehicles) for day in hours) / len(hours) / len(LANES)
    assert per_lane == pytest.approx(flow.mix.per_hour, rel=0.2)


def test_a_quiet_day_has_nothing_that_must_be_found():
    rows = [row for number in range(20) for row in hour("quiet-day", 16, number).truth]
    assert not any(is_threat(row) for row in rows)
    assert {"clean", "car", "road", "norm", "patient", "animal", "wind"} <= {r.name for r in rows}


def test_no_two_vehicles_are_in_a_beam_at_once_and_some_change_places_before_the_scanner():
    overtaken = told = skipped = close = 0
    for number in range(12):
        day = hour("busy-day", 17, number)
        told += sum("overtakes" in row.detail for row in day.truth)
        for lane in LANES:
            passages = day.lane_vehicles(lane.lane)
            for before, after in pairwise(passages):
                gap_s = after.at_portal_s - before.in_beam_s()[-1][1]
                assert gap_s > 0.5
                close += gap_s < 4.0
            scans = sorted(
                (one.reaches_s(SCANNER_AFTER_M), gone_s(one), one.vehicle_id)
                for one in passages
                if one.scanned
            )
            for before, after in pairwise(scans):
                assert before[1] < after[0]
                overtaken += before[2] > after[2]
            trucks = [one for one in passages if one.length_m > 10.0]
            skipped += sum(not one.scanned for one in trucks) if lane.lane in SCANNED else 0
    assert overtaken > 5
    assert overtaken == told
    assert skipped > 20
    assert close > 50


def test_two_lanes_that_share_a_scanner_are_never_in_it_at_once():
    mixed = 0
    for number in range(6):
        day = hour("busy-day", 24, number, Options(shared_scanners=True))
        for lanes in (("nb-01", "nb-02"), ("sb-01", "sb-02")):
            scans = sorted(
                (one.reaches_s(SCANNER_AFTER_M), gone_s(one), one.lane)
                for one in day.vehicles
                if one.scanned and one.lane in lanes
            )
            assert all(before[1] < after[0] for before, after in pairwise(scans))
            mixed += sum(before[2] != after[2] for before, after in pairwise(scans))
    assert mixed > 50
    usual = hour("busy-day", 24, 0)
    assert {one.lane for one in usual.vehicles if one.scanned} == set(SCANNED)


def test_a_shared_scanner_scans_the_trucks_of_both_lanes():
    day = hour("busy-day", 25, 0, Options(shared_scanners=True, duration_s=400.0))
    simulator = KINDS["xray-planes"].build(day, "xray-nb-01")
    scans = KINDS["xray-planes"].packets(simulator.step(400_000))
    wanted = [one for one in day.vehicles if one.scanned and one.lane in ("nb-01", "nb-02")]
    assert {one.lane for one in wanted} == {"nb-01", "nb-02"}
    assert len(scans) == len(wanted)


def test_scans_start_within_the_time_that_the_configuration_gives_them():
    offsets_s = [
        one.reaches_s(SCANNER_AFTER_M) - one.at_portal_s
        for number in range(12)
        for one in hour("busy-day", 18, number).vehicles
        if one.scanned
    ]
    assert min(offsets_s) > 4.0
    assert sum(offset_s > 90.0 for offset_s in offsets_s) / len(offsets_s) < 0.01


def test_a_drop_off_begins_where_its_car_stopped():
    for number in range(20):
        day = hour("footpaths", 19, number)
        by_id = {mover.mover_id: mover for mover in day.movers}
        for row in (row for row in day.truth if row.name == "drop-off"):
            walker = by_id[row.subject]
            cars = [m for m in day.movers if m.kind == "car" and m.end_m == walker.start_m]
            assert [0.0 < walker.start_s - car.end_s < 15.0 for car in cars] == [True]


def test_a_portal_bypass_passes_near_the_ground_sensor_of_its_hall():
    day = hour("busy-day", 20, 0, Options(threats_per_hour=40.0))
    ways = [mover for mover in day.movers if mover.zone not in ("", *ZONES)]
    assert ways
    for mover in ways:
        sensor = day.sensor(f"geo-{mover.zone}")
        assert abs(mover.start_m[0] - sensor.place_m[0]) == 5.0


def test_on_a_day_of_trouble_sensors_fail_in_turn_and_some_just_before_a_threat():
    kinds, blinded = Counter(), 0
    for number in range(20):
        day = hour("sensor-trouble", 22, number)
        faults = [row for row in day.truth if is_fault(row)]
        assert len(faults) == len(day.faults)
        kinds.update(row.name for row in faults)
        vehicles = {one.vehicle_id: one for one in day.vehicles}
        threats = [
            vehicles[row.subject] for row in day.truth if row.subject in vehicles and is_threat(row)
        ]
        for row in (row for row in faults if row.detail == "blinded"):
            blinded += 1
            assert any(
                row.subject == f"rpm-{one.lane}"
                and row.start_s < one.at_portal_s < one.in_beam_s()[-1][1] < row.end_s
                for one in threats
            )
        turns = sorted((row.start_s, row.end_s) for row in faults if row.detail != "blinded")
        assert all(before[1] < after[0] for before, after in pairwise(turns))
    assert blinded > 10
    assert set(kinds) == FAULTS


def test_tricks_are_as_their_names_say():
    rows = {name: [] for name in THREATS}
    for number in range(30):
        day = hour("adversary", 23, number)
        vehicles = {one.vehicle_id: one for one in day.vehicles}
        names = {row.subject: row.name for row in day.truth}
        for row in filter(is_threat, day.truth):
            rows[row.name].append(row)
            if row.name == "behind-norm":
                lane = day.lane_vehicles(row.place)
                before = lane[lane.index(vehicles[row.subject]) - 1]
                assert names[before.vehicle_id] == "norm"
                assert 0.5 < vehicles[row.subject].at_portal_s - before.in_beam_s()[-1][1] < 8.0
            if row.name == "blinded-portal":
                assert day.active(f"rpm-{row.place}", "silent", row.start_s) or day.active(
                    f"rpm-{row.place}", "gamma-low", row.start_s
                )
    assert {"overtakes", "is overtaken"} == {
        row.detail.rpartition("; ")[2] for row in rows["swapped-source"]
    }
    assert len(rows["shared-source"]) > 20


@pytest.mark.parametrize("name", DAYS)
def test_every_sensor_of_an_hour_sends(name):
    day = SCENARIOS[name](21, 1_790_000_000 * 10**9)
    assert day.start_utc_ns == 1_790_000_000 * 10**9
    for place in day.sensors:
        simulator = KINDS[place.kind].build(day, place.sensor_id)
        scans_s = [gone_s(one) for one in day.lane_vehicles(place.lane) if one.scanned]
        if place.kind != "xray-planes":
            assert simulator.step(60_000)
        elif scans_s:
            assert simulator.step(round(min(scans_s) * 1000) + 2_000)
