"""A sensor that goes blind just before somebody comes: moderate, capped, and never alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.cues_blinded import MAX_ARRIVALS, MAX_EPISODES, Blindings
from fusion.evidence_cues import BLINDED_NATS, fusion_blinded
from fusion.fuser import Fuser
from fusion.policy import Policy
from fusion.types import Event, Level
from tests.fusion.makers import CHECKPOINT, START_UTC_NS, detection, gamma, occupancy, steps

SPECS = {spec.sensor_id: spec for spec in CHECKPOINT.sensors}
SECOND = 10**9


def blind(sensor_id: str, at_s: float, kind: str = "health.tamper", *, active: bool = True):
    facts = {"active": active, "code": kind.removeprefix("health."), "text": ""}
    return detection(kind, sensor_id, facts, start_s=at_s, end_s=at_s)


def utc_ns(at_s: float) -> int:
    return START_UTC_NS + int(at_s * SECOND)


def blinded(*at_s: float, comes_s: float, sensor_id: str = "rpm-1", place: str = "nb-01"):
    known = Blindings()
    for one in at_s:
        known.note(blind(sensor_id, one), SPECS[sensor_id])
    return known.before(place, utc_ns(comes_s))


def test_a_portal_that_is_opened_just_before_a_vehicle_speaks_for_a_source_and_a_bypass():
    cue = blinded(100.0, comes_s=108.0)
    assert cue is not None
    assert cue.facts["sensor"] == "rpm-1"
    assert cue.facts["before_s"] == 8.0
    assert 0.5 < cue.nats["threat-source"] <= BLINDED_NATS
    assert cue.nats["bypass"] == cue.nats["threat-source"]
    assert cue.nats["person"] < cue.nats["bypass"]


@pytest.mark.parametrize("comes_s", [60.0, 94.0, 121.0, 500.0])
def test_long_before_or_after_it_is_a_fault_like_any_other(comes_s):
    assert blinded(100.0, comes_s=comes_s) is None


def test_another_lane_is_not_concerned():
    assert blinded(100.0, comes_s=108.0, place="sb-01") is None


def test_a_sensor_that_fails_all_the_time_says_nothing_when_it_fails_again():
    often = [1000.0 * number for number in range(12)]
    assert blinded(*often, comes_s=often[-1] + 5.0) is None
    assert blinded(often[-1], comes_s=often[-1] + 5.0) is not None


@pytest.mark.parametrize("kind", ["health.drift", "health.miscount", "health.test-piece"])
def test_what_takes_hours_to_be_told_blinds_nobody(kind):
    known = Blindings()
    known.note(blind("rpm-1", 100.0, kind), SPECS["rpm-1"])
    assert known.before("nb-01", utc_ns(105.0)) is None


def test_the_end_of_a_fault_is_none():
    known = Blindings()
    assert not known.note(blind("rpm-1", 100.0, active=False), SPECS["rpm-1"])


def test_memory_is_bounded():
    known = Blindings()
    for number in range(500):
        known.note(blind("rpm-1", float(number)), SPECS["rpm-1"])
        known._arrived("nb-01", utc_ns(number))
    assert len(known._episodes["rpm-1"]) == MAX_EPISODES
    assert len(known._arrivals["nb-01"]) == MAX_ARRIVALS


@given(chance=st.floats(1e-6, 1.0), more=st.floats(1.0, 100.0))
def test_the_likelier_by_chance_the_less_it_says(chance, more):
    seldom = fusion_blinded({"chance": chance}).get("bypass", 0.0)
    often = fusion_blinded({"chance": min(1.0, chance * more)}).get("bypass", 0.0)
    assert 0.0 <= often <= seldom <= BLINDED_NATS


class AllUp:
    def up(self, sensor_id):
        return True

    def steps(self, sensor_id, end_utc_ns):
        return None


def alerts_of(*moments):
    fuser = Fuser(CHECKPOINT, Policy(), AllUp())
    told = fuser.tick(utc_ns(0.0), [])
    for at_s, found in moments:
        told += fuser.tick(utc_ns(at_s), found)
    return told


def level_of(told, event):
    return max((alert.level for alert in told if alert.event is event), default=None)


def test_by_itself_it_rings_for_nothing_but_the_sensor():
    told = alerts_of(
        (100.0, [blind("rpm-1", 100.0)]),
        (108.0, [occupancy(108.0)]),
        (118.0, [occupancy(108.0, 116.0)]),
    )
    assert {alert.event for alert in told if alert.level > Level.LOG} == {Event.SENSOR_TAMPER}


def test_at_a_quiet_lane_the_sensors_alert_is_raised_by_a_level():
    before = alerts_of((100.0, [blind("rpm-1", 100.0, "health.fault")]))
    told = alerts_of(
        (100.0, [occupancy(100.0, 108.0)]),
        (3600.0, [blind("rpm-1", 3600.0, "health.fault")]),
        (3608.0, [occupancy(3608.0)]),
    )
    assert level_of(before, Event.SENSOR_FAULT) == Level.ADVISORY
    assert level_of(told, Event.SENSOR_FAULT) == Level.WARNING


def busy(until_s: float):
    for number in range(40):
        at_s = until_s - 40.0 * (40 - number)
        yield at_s, [occupancy(at_s)]
        yield at_s + 10.0, [occupancy(at_s, at_s + 8.0)]


def test_where_somebody_comes_every_minute_an_ordinary_fault_stays_what_it_is():
    told = alerts_of(
        *busy(2000.0),
        (2000.0, [blind("rpm-1", 2000.0, "health.fault")]),
        (2008.0, [occupancy(2008.0)]),
    )
    assert level_of(told, Event.SENSOR_FAULT) == Level.ADVISORY


def test_unless_the_vehicle_rings_as_well():
    weak = gamma(4.9, point=12.1, extended=7.0, start_s=2008.0, end_s=2016.0)
    told = alerts_of(
        *busy(2000.0),
        (2000.0, [blind("rpm-1", 2000.0, "health.fault")]),
        (2008.0, [occupancy(2008.0)]),
        (2018.0, [weak, occupancy(2008.0, 2016.0)]),
    )
    assert level_of(told, Event.RAD_THREAT) >= Level.ADVISORY
    assert level_of(told, Event.SENSOR_FAULT) == Level.WARNING


def test_a_weak_source_counts_for_more_behind_a_blinded_sensor():
    def most(*first):
        weak = gamma(4.7, point=11.0, extended=7.0, start_s=108.0, end_s=116.0)
        told = alerts_of(
            *first, (108.0, [occupancy(108.0)]), (118.0, [weak, occupancy(108.0, 116.0)])
        )
        sources = (Event.RAD_THREAT, Event.SHIELDED_SOURCE)
        return max((a.probability for a in told if a.event in sources), default=0.0)

    assert most((100.0, [blind("xray-1", 100.0, "health.silent")])) > most()


def test_a_silence_that_is_noticed_late_is_still_before_who_came_meanwhile():
    late = blind("xray-1", 3700.0, "health.silent")
    told = alerts_of(
        (200.0, [occupancy(200.0, 208.0)]),
        (3708.0, [occupancy(3708.0)]),
        (3715.0, [late]),
    )
    assert level_of(told, Event.SENSOR_SILENT) == Level.WARNING


def test_a_ground_sensor_beside_the_one_that_hears_somebody_counts():
    def most(*first):
        told = alerts_of(*first, (109.0, [steps("geo-1", 109.0, share=0.6)]))
        return max((a.probability for a in told if a.event is Event.PERSON), default=0.0)

    blinding = (100.0, [blind("geo-2", 100.0, "health.silent")])
    assert most(blinding) >= most()


def test_a_vehicle_that_only_the_scanner_saw_was_at_the_blinded_portal_before():
    scan = detection("xray.scan", "xray-1", {"homogeneity": 0.5}, start_s=150.0, end_s=158.0)
    fuser = Fuser(CHECKPOINT, Policy(), AllUp())
    fuser.tick(utc_ns(0.0), [])
    fuser.tick(utc_ns(100.0), [blind("rpm-1", 100.0)])
    fuser.tick(utc_ns(158.0), [scan])
    (transit,) = fuser._lanes["nb-01"].transits
    (cue,) = transit.of("fusion.blinded")
    assert cue.facts["before_s"] == 50.0


def test_a_fault_that_is_over_is_not_raised_for_who_comes_later():
    told = alerts_of(
        (200.0, [occupancy(200.0, 208.0)]),
        (3700.0, [blind("rpm-1", 3700.0, "health.fault")]),
        (3704.0, [blind("rpm-1", 3700.0, "health.fault", active=False)]),
        (3708.0, [occupancy(3708.0)]),
    )
    assert level_of(told, Event.SENSOR_FAULT) == Level.ADVISORY


def test_a_patient_who_raises_the_background_while_he_waits_has_blinded_no_portal():
    facts = {"active": True, "code": "gamma-high", "text": ""}
    high = detection("health.fault", "rpm-1", facts, start_s=100.0, end_s=100.0)
    assert not Blindings().note(high, SPECS["rpm-1"])
