"""Line by line through driver, scorer and engine: told early, and in the end as from a file."""

from dataclasses import replace

import numpy as np
import pytest

from drivers.catalog import KINDS as DRIVERS
from edge.sensors.scans import Measuring
from fusion.engine import Engine
from fusion.policy import Policy
from fusion.scans.stream import LineScorer
from fusion.types import (
    SECOND_NS,
    Checkpoint,
    Family,
    LaneSpec,
    Origin,
    ScanFinding,
    ScanSample,
    SensorSpec,
)
from fusion.xray import XrayPolicy, analyse
from simulators.catalog import KINDS as SIMULATORS
from simulators.scenario import Cargo, Fault, LanePlace, Scenario, SensorPlace, Vehicle

POLICY = XrayPolicy()
START_NS = 1_795_000_000 * SECOND_NS
BULK = Cargo(kind="bulk", material="organic", density_g_cm3=0.35, from_m=4.4, to_m=15.5, top_m=1.9)
BLOCK = Cargo(
    kind="object",
    material="lead",
    density_g_cm3=11.3,
    from_m=6.0,
    to_m=6.6,
    bottom_m=0.6,
    top_m=1.2,
    width_m=0.1,
)


def scenario(*faults, pitch="10"):
    """One truck with a block of lead in bulk goods, through a scanner of lines."""
    truck = Vehicle(
        vehicle_id="t",
        lane="l",
        at_portal_s=1.0,
        length_m=16.5,
        box_m=(4.0, 16.2),
        speed_m_s=2.0,
        cargo=(BULK, BLOCK),
        declared="25",
    )
    return Scenario(
        name="lines",
        seed=3,
        start_utc_ns=START_NS,
        duration_s=30.0,
        lanes=(LanePlace(lane="l", portal_m=(0.0, 0.0), heading_deg=0.0, scanner_after_m=4.0),),
        sensors=(
            SensorPlace(
                sensor_id="x",
                kind="xray-lines",
                lane="l",
                options=(("rows", "400"), ("pitch_mm", pitch)),
            ),
        ),
        vehicles=(truck,),
        faults=tuple(replace(fault, sensor_id="x") for fault in faults),
    )


def arrivals(day, seconds=30):
    simulator = SIMULATORS["xray-lines"].build(day, "x")
    for tenth in range(1, 10 * seconds + 1):
        if data := simulator.step(100):
            yield START_NS + tenth * SECOND_NS // 10, data


def played(day, seconds=30):
    """(samples, findings with their arrival) of a day."""
    row = DRIVERS["xray-lines"]
    driver = row.build(row.config(id="x", lane="l", url="tcp://h:1"), Origin.SIMULATOR)
    measure = Measuring(POLICY)
    samples, findings = [], []
    for at_ns, data in arrivals(day, seconds):
        read = driver.feed(data, at_ns)
        samples += [one for one in read if isinstance(one, ScanSample)]
        findings += [
            (at_ns, one) for one in measure(lambda read=read: read) if isinstance(one, ScanFinding)
        ]
    return samples, findings


@pytest.fixture(scope="module")
def usual():
    return played(scenario())


def test_the_finding_of_the_whole_is_that_of_the_same_planes_from_a_file(usual):
    samples, findings = usual
    assert len(samples) == 1
    _, last = findings[-1]
    assert replace(last, record=None) == replace(analyse(samples[0], POLICY), record=None)
    assert (last.interim, last.partial) == (False, False)


def test_what_is_dense_is_told_before_the_vehicle_has_left(usual):
    _, findings = usual
    early = [(at_ns, one) for at_ns, one in findings if one.interim]
    assert early
    assert early[0][0] < findings[-1][0] - 2 * SECOND_NS
    places = [(region.from_m + region.to_m) / 2 for region in early[-1][1].regions]
    assert any(abs(place - 6.3) < 0.3 for place in places)
    assert not any(one.empty or one.partial for _, one in early)


def test_the_same_bytes_give_the_same_findings_however_they_are_split(usual):
    day = scenario()
    row = DRIVERS["xray-lines"]
    driver = row.build(row.config(id="x", lane="l", url="tcp://h:1"), Origin.SIMULATOR)
    measure, findings = Measuring(POLICY), []
    for at_ns, data in arrivals(day):
        for at in range(0, len(data), 7001):
            piece = data[at : at + 7001]
            found = measure(lambda piece=piece, at_ns=at_ns: driver.feed(piece, at_ns))
            findings += [one for one in found if isinstance(one, ScanFinding)]
    assert findings == [one for _, one in usual[1]]


@pytest.mark.parametrize("fault", ["reorder", "duplicate", "cut", "garbage"])
def test_a_bad_link_changes_nothing(usual, fault):
    samples, findings = played(scenario(Fault(sensor_id="", kind=fault, start_s=4.0, end_s=9.0)))
    assert np.array_equal(samples[0].high, usual[0][0].high)
    assert samples[0].digests == usual[0][0].digests
    assert findings[-1][1] == usual[1][-1][1]


def test_lost_lines_are_marked_and_cost_little(usual):
    loss = Fault(sensor_id="", kind="loss", start_s=4.0, end_s=9.0, size=0.02)
    samples, findings = played(scenario(loss))
    assert 2 <= len(samples[0].lost_columns) <= 60
    assert samples[0].partial is False
    last = findings[-1][1]
    assert last.mass_kg == pytest.approx(usual[1][-1][1].mass_kg, rel=0.02)
    assert last.regions


def test_a_scan_that_stops_is_partial_and_never_clear():
    stall = Fault(sensor_id="", kind="stall", start_s=7.0, end_s=30.0)
    samples, findings = played(scenario(stall))
    assert samples[0].partial
    last = findings[-1][1]
    assert (last.partial, last.interim, last.empty) == (True, False, False)
    assert last.empty_nats <= 0.0


def fused(findings):
    site = Checkpoint(
        site="s",
        sensors=(SensorSpec(sensor_id="x", family=Family.XRAY, place="l", silent_after_ms=0),),
        lanes=(LaneSpec(lane_id="l", direction="northbound"),),
    )
    engine, alerts = Engine(site, Policy()), []
    for at_ns, finding in findings:
        alerts += engine.tick(at_ns)
        alerts += engine.feed(finding)
    for tenth in range(1, 40):
        alerts += engine.tick(findings[-1][0] + tenth * SECOND_NS // 10)
    (transit,) = engine._fuser._lanes["l"].transits
    return alerts, engine.take_detections(), transit


def test_the_engine_tells_one_vehicle_of_a_scan_told_in_parts(usual):
    alerts, detections, transit = fused(usual[1])
    assert alerts
    assert len({alert.onset_utc_ns for alert in alerts}) == 1
    assert alerts[0].updated_utc_ns < usual[1][-1][0]
    early = [one for one in detections if not one.final]
    assert {one.kind for one in early} >= {"xray.scan", "xray.dense"}
    assert not {"xray.emptiness", "xray.mismatch"} & {one.kind for one in early}
    # What counts in the end is what the whole scan says, each once.
    _, _, whole = fused(usual[1][-1:])
    assert transit.detections == whole.detections


def test_lines_whose_beginning_was_missed_are_left_to_the_whole():
    scorer = LineScorer(POLICY, lambda *_: pytest.fail("nothing to look at"))
    row = DRIVERS["xray-lines"]
    driver = row.build(row.config(id="x", lane="l", url="tcp://h:1"), Origin.SIMULATOR)
    for at_ns, data in arrivals(scenario(pitch="20")):
        for one in driver.feed(data, at_ns):
            if hasattr(one, "first_column") and one.first_column:
                assert scorer.lines(one, None) is None


def test_a_scanner_that_is_started_anew_between_two_trucks_loses_neither():
    """Both scans have the number 1, and the second truck is another one."""
    starts = [Fault(sensor_id="", kind="restart", start_s=at_s, end_s=at_s) for at_s in (0.1, 20.0)]
    day = scenario(*starts, pitch="20")
    again = replace(day.vehicles[0], vehicle_id="u", at_portal_s=25.0)
    samples, findings = played(replace(day, vehicles=(*day.vehicles, again)), 60)
    assert [one.partial for one in samples] == [False, False]
    assert [one.scan_id for one in samples] == ["x-t", "x-u"]
    last = [one for _, one in findings if not one.interim]
    assert all(one.regions for one in last)
    assert last[1].start_utc_ns > last[0].start_utc_ns + 20 * SECOND_NS
