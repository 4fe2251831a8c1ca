from collections import Counter

import pytest

from edge.study.calibration_cases import (
    DENSE,
    EMPTINESS,
    EVENT,
    NOBODY,
    SOMEBODY,
    Heard,
    away_of,
    ground_cases,
    scan_cases,
)
from fusion.evidence_calibration import EvidenceCalibration
from fusion.types import SECOND_NS, Detection, Family, Origin
from simulators.crossing import SCANNER_AFTER_M
from simulators.crossing_days import Options, hour
from simulators.movers import Mover

KNOWN = EvidenceCalibration()


def found(sensor_id, kind, start_utc_ns, seconds=5.0, **facts):
    family = Family.SEISMIC if kind == EVENT else Family.XRAY
    return Detection(
        sensor_id=sensor_id,
        family=family,
        origin=Origin.SIMULATOR,
        kind=kind,
        start_utc_ns=start_utc_ns,
        end_utc_ns=start_utc_ns + round(seconds * SECOND_NS),
        facts=facts,
    )


@pytest.fixture(scope="module")
def lanes():
    return hour("smuggling", 5, 0, Options(gap_s=8.0, threats_per_hour=90.0, duration_s=1200.0))


def test_each_scan_is_of_the_vehicle_in_the_scanner(lanes):
    truth = {row.subject: row.name for row in lanes.truth}
    scanned = sorted(
        (one for one in lanes.vehicles if one.scanned and one.lane == "nb-01"),
        key=lambda one: one.reaches_s(SCANNER_AFTER_M),  # some overtake others
    )
    said = []
    for number, vehicle in enumerate(scanned):
        start = lanes.start_utc_ns + round(vehicle.reaches_s(SCANNER_AFTER_M) * SECOND_NS)
        said.append(found("xray-nb-01", "xray.scan", start, length_m=18.0))
        declared = {"declared": vehicle.declared, "empty_nats": float(number)}
        said.append(found("xray-nb-01", EMPTINESS, start, **declared))
        for sigma in (5.5, 6.5):
            said.append(found("xray-nb-01", DENSE, start, sigma=sigma + number, material="steel"))
    cases = list(scan_cases(Heard(scenario=lanes, detections=tuple(said))))
    dense = [case for case in cases if case.test == DENSE]
    hides = ("dense-object", "shielded-source")
    assert [case.truth != NOBODY for case in dense] == [
        truth[vehicle.vehicle_id] in hides for vehicle in scanned
    ]
    assert [case.facts["sigma"] for case in dense] == [6.5 + n for n in range(len(scanned))]
    empties = [one for one in scanned if one.declared == "empty"]
    assert len(empties) > 2
    told = [case for case in cases if case.test == EMPTINESS]
    assert [case.truth == "not-empty" for case in told] == [
        truth[vehicle.vehicle_id] == "false-empty" for vehicle in empties
    ]


def test_a_scan_in_which_nothing_was_seen_counts_as_one_that_says_nothing(lanes):
    vehicle = next(one for one in lanes.vehicles if one.scanned and one.lane == "sb-01")
    start = lanes.start_utc_ns + round(vehicle.reaches_s(SCANNER_AFTER_M) * SECOND_NS)
    blind = found("xray-sb-01", "xray.scan", start, length_m=0.0)
    seen = found("xray-sb-01", "xray.scan", start, length_m=18.0)
    assert not list(scan_cases(Heard(scenario=lanes, detections=(blind,))))
    (case,) = scan_cases(Heard(scenario=lanes, detections=(seen,)))
    assert case.facts == {}


def test_a_mover_is_as_near_as_it_comes_while_it_is_there():
    mover = Mover(
        mover_id="m",
        kind="person",
        zone="north-fence",
        start_s=100.0,
        start_m=(0.0, -50.0),
        end_m=(0.0, 50.0),
        speed_m_s=1.0,
    )
    assert away_of(mover, (7.0, 0.0), 0.0, 1_000.0) == pytest.approx(7.0, abs=0.1)
    assert away_of(mover, (7.0, 0.0), 100.0, 110.0) == pytest.approx(40.6, abs=0.1)
    assert away_of(mover, (7.0, 0.0), 300.0, 400.0) == float("inf")


def test_events_are_of_whoever_alone_is_near():
    scenario = hour("footpaths", 11, 0, Options(duration_s=3600.0))
    said = []
    for sensor in [place for place in scenario.sensors if place.zone]:
        for at_s in range(0, 3600, 20):
            start = scenario.start_utc_ns + at_s * SECOND_NS
            shares = {"person": 0.1, "vehicle": 0.5}
            said.append(found(sensor.sensor_id, EVENT, start, classes=shares, sure=False))
            louder = {"person": 0.1, "vehicle": 0.6}
            said.append(found(sensor.sensor_id, EVENT, start, classes=louder, sure=False))
    cases = list(ground_cases(Heard(scenario=scenario, detections=tuple(said)), KNOWN))
    counts = Counter(case.truth for case in cases)
    assert counts[NOBODY] > counts[SOMEBODY] > 10
    assert counts["vehicle"] > 0
    assert len(cases) < len(said) / 2  # where two are about, nobody can say which it was
    assert all(case.facts["classes"]["vehicle"] == 0.6 for case in cases)
