"""The engine with its real detectors: portals, ground and scans of the simulators' own physics
stand in tests/edge/study; here are the rules that hold whatever the sensors say."""

import math
from dataclasses import replace

import numpy as np
import pytest

from fusion.alarms import AlarmBook
from fusion.associate import Lane
from fusion.engine import Engine
from fusion.evidence import weigh
from fusion.policy import AlarmPolicy, AssociationPolicy
from fusion.radiation import RadiationPolicy
from fusion.types import (
    SECOND_NS,
    Alert,
    BackgroundSample,
    CountSample,
    Event,
    Level,
    OccupancySample,
    Origin,
    Phase,
    Radiation,
    Sample,
    ScanFinding,
    ScanRegion,
    SpeedSample,
    StatusSample,
)
from tests.fusion.makers import CHECKPOINT, START_UTC_NS, dense, detection, heard, occupancy, steps
from tests.fusion.scan_records import pixels, scan_record
from tests.fusion.test_alarms import claim

SPEED_M_S = 2.5
LEAD_IN_S = RadiationPolicy().lead_in_s  # the scans that a portal has buffered from before
LENGTH_M = 18.0


def ns(seconds: float) -> int:
    return START_UTC_NS + round(seconds * SECOND_NS)


class Site:
    """An engine with a hand on its clock, and everything it has said."""

    def __init__(self) -> None:
        self.engine = Engine(CHECKPOINT)
        self.said: list[Alert] = []
        self.now_s = 0.0

    def feed(self, *samples: Sample) -> None:
        for sample in samples:
            self.said += self.engine.feed(sample)

    def until(self, seconds: float) -> None:
        while self.now_s < seconds:
            self.now_s = round(self.now_s + 0.1, 1)
            self.said += self.engine.tick(ns(self.now_s))

    def events(self) -> list[Event]:
        return [alert.event for alert in self.said]

    def last(self, event: Event) -> Alert:
        return [alert for alert in self.said if alert.event is event][-1]


def background(at_s: float, origin: Origin = Origin.SENSOR) -> list[Sample]:
    return [
        BackgroundSample(
            sensor_id="rpm-1",
            origin=origin,
            start_utc_ns=ns(at_s),
            duration_ms=5000,
            radiation=radiation,
            rate_cps=(rate,) * 4,
            device_fault="",
        )
        for radiation, rate in ((Radiation.NEUTRON, 1.0), (Radiation.GAMMA, 250.0))
    ]


def passage(
    site: Site,
    at_s: float,
    *,
    source_m: float | None,
    peak_cps: float = 3000.0,
    origin: Origin = Origin.SENSOR,
) -> None:
    """A truck of 18 m at 2.5 m/s, with a point source at `source_m` or without one.

    Its front breaks the beam at `at_s`; the scans begin a second earlier.
    """
    begin_s, end_s = at_s - LEAD_IN_S, at_s + LENGTH_M / SPEED_M_S
    random = np.random.default_rng(7)

    def sample(start_s: float, radiation: Radiation, duration_ms: int, mean: float) -> CountSample:
        counts = tuple(int(n) for n in random.poisson(mean, 4))
        return CountSample(
            sensor_id="rpm-1",
            origin=origin,
            start_utc_ns=ns(start_s),
            duration_ms=duration_ms,
            radiation=radiation,
            counts=counts,
            device_alarm=False,
        )

    def occupancy(start_s: float, *, opened: bool) -> OccupancySample:
        return OccupancySample(
            sensor_id="rpm-1",
            origin=origin,
            start_utc_ns=ns(start_s),
            opened=opened,
            counter=1,
            lead_in_ms=1000 if opened else 0,
        )

    site.feed(occupancy(begin_s, opened=True))
    for step in range(round((end_s - begin_s) / 0.2)):
        start_s = begin_s + 0.2 * step
        mean = 50.0 * 0.9
        if source_m is not None:
            off_m = SPEED_M_S * (start_s + 0.1 - at_s) - source_m
            mean += 0.2 * peak_cps * (2.5**2 / (2.5**2 + off_m**2)) ** 1.5
        if step % 5 == 0:
            speed = SpeedSample(
                sensor_id="rpm-1", origin=origin, start_utc_ns=ns(start_s), speed_m_s=SPEED_M_S
            )
            site.feed(sample(start_s, Radiation.NEUTRON, 1000, 1.0), speed)
        site.feed(sample(start_s, Radiation.GAMMA, 200, mean))
        site.until(start_s + 0.2)
    site.feed(occupancy(end_s, opened=False))


def scan(
    at_s: float, *, dense_m: float | None = None, declared: str = "08", empty: float = -15.0
) -> ScanFinding:
    regions = ()
    if dense_m is not None:
        regions = (
            ScanRegion(
                from_m=dense_m - 0.25,
                to_m=dense_m + 0.25,
                bottom_m=1.0,
                top_m=1.5,
                excess_g_cm2=80.0,
                sigma=20.0,
                material="dense",
            ),
        )
    return ScanFinding(
        sensor_id="xray-1",
        origin=Origin.SENSOR,
        start_utc_ns=ns(at_s),
        duration_ms=7000,
        scan_id=f"scan-{at_s}",
        length_m=LENGTH_M,
        declared=declared,
        container="",
        empty=empty > 0.0,
        empty_nats=empty,
        fill=0.7,
        homogeneity=0.8,
        unpenetrated=0.0,
        regions=regions,
        quality=(),
        notes=(),
    )


@pytest.fixture
def site() -> Site:
    made = Site()
    for at_s in (0.0, 5.0, 10.0):
        made.until(at_s + 0.1)
        made.feed(*background(at_s))
        # Signs of life of the ground sensors, whose silence is not the matter here.
    return made


def test_a_clean_truck_says_nothing(site):
    passage(site, 12.0, source_m=None)
    site.until(20.0)
    assert not [a for a in site.said if a.lane == "nb-01"]


def test_a_point_source_in_the_box_is_a_threat_while_the_truck_is_still_there(site):
    passage(site, 12.0, source_m=9.0)
    first = site.said[[a.event for a in site.said].index(Event.RAD_THREAT)]
    assert first.phase is Phase.NEW
    assert first.updated_utc_ns < ns(12.0 + LENGTH_M / SPEED_M_S)
    assert site.last(Event.RAD_THREAT).level >= Level.WARNING


def test_the_same_source_in_the_cab_is_a_patient_and_only_logged(site):
    passage(site, 12.0, source_m=2.0)
    assert site.last(Event.RAD_INNOCENT).level is Level.LOG
    assert Event.RAD_THREAT not in site.events()


def test_a_weak_peak_becomes_a_shielded_source_when_the_scan_shows_a_block_there(site):
    passage(site, 12.0, source_m=9.0, peak_cps=75.0)
    assert not [a for a in site.said if a.level >= Level.WARNING and a.lane == "nb-01"]
    site.feed(scan(20.0, dense_m=9.2))
    alert = site.last(Event.SHIELDED_SOURCE)
    assert alert.level >= Level.WARNING
    assert {c.kind for c in alert.contributions} >= {"gamma.profile", "xray.dense"}


def test_a_block_elsewhere_is_an_anomaly_and_no_shield(site):
    passage(site, 12.0, source_m=None)
    site.feed(scan(20.0, dense_m=14.0))
    assert site.events()[-1] is Event.CARGO_ANOMALY


def test_an_alert_of_the_load_carries_the_scan_and_one_of_radiation_where_it_speaks_of_it(site):
    record = scan_record(pixels(30, 100), sensor_id="xray-1")
    passage(site, 12.0, source_m=9.0, peak_cps=75.0)
    site.feed(replace(scan(20.0, dense_m=9.2), record=record))
    kinds = [type(each).__name__ for each in site.last(Event.SHIELDED_SOURCE).records]
    assert sorted(kinds) == ["PassRecord", "ScanRecord"]
    passage(site, 60.0, source_m=None)
    site.feed(replace(scan(68.0, dense_m=14.0), record=record))
    (carried,) = site.last(Event.CARGO_ANOMALY).records
    assert carried.facts["regions"][0]["from_m"] == pytest.approx(14.0, abs=1.0)
    assert all(d.record is None for d in site.engine.take_detections())


def test_declared_empty_and_full_is_a_mismatch(site):
    passage(site, 12.0, source_m=None)
    site.feed(scan(20.0, declared="empty"))
    assert site.events()[-1] is Event.CARGO_MISMATCH
    site.feed(scan(40.0, declared="empty", empty=9.0))
    assert site.events().count(Event.CARGO_MISMATCH) == 1


def test_any_simulated_evidence_makes_an_exercise(site):
    passage(site, 12.0, source_m=9.0, origin=Origin.SIMULATOR)
    assert site.last(Event.RAD_THREAT).exercise
    real = Site()
    real.until(0.1)
    real.feed(*background(0.0))
    passage(real, 5.0, source_m=9.0)
    assert not real.last(Event.RAD_THREAT).exercise


def test_silence_and_its_end_are_told(site):
    site.until(40.0)
    silent = [a for a in site.said if a.event is Event.SENSOR_SILENT and "rpm-1" in str(a.facts)]
    assert [a.phase for a in silent] == [Phase.NEW]
    site.feed(*background(40.0))
    assert site.said[-1].phase is Phase.CLEAR


def test_a_clock_that_is_set_forward_is_no_silence_of_anyone(site):
    site.feed(background(12.0)[0])
    site.until(12.0)
    said = len(site.said)
    site.now_s += 3600.0
    site.until(3612.4)
    site.feed(*background(3612.4))
    site.until(3613.0)
    assert not [a for a in site.said[said:] if a.event is Event.SENSOR_SILENT]


def test_who_stays_silent_after_the_clock_was_set_is_told_as_late_as_ever(site):
    site.until(16.0)
    site.now_s += 3600.0
    site.until(3620.0)
    assert not [a for a in site.said if "rpm-1" in str(a.facts)]
    site.until(3640.0)
    (silent,) = [a for a in site.said if "rpm-1" in str(a.facts)]
    assert silent.event is Event.SENSOR_SILENT


def test_a_silence_that_was_told_before_the_clock_was_set_is_cleared_once(site):
    site.until(40.0)
    site.now_s += 3600.0
    site.until(3641.0)
    site.feed(*background(3641.0))
    told = [a for a in site.said if a.event is Event.SENSOR_SILENT and "rpm-1" in str(a.facts)]
    assert [a.phase for a in told] == [Phase.NEW, Phase.CLEAR]
    assert told[0].alert_id == told[1].alert_id


def test_an_alert_outlives_a_clock_that_is_set_and_a_truck_after_it_is_seen_as_ever(site):
    passage(site, 12.0, source_m=9.0)
    site.now_s += 3600.0
    site.until(3700.0)
    passage(site, 3700.0, source_m=9.0)
    site.until(4700.0)
    threats = [a for a in site.said if a.event is Event.RAD_THREAT]
    by_id = {a.alert_id: [b.phase for b in threats if b.alert_id == a.alert_id] for a in threats}
    assert len(by_id) == 2
    for phases in by_id.values():
        assert (phases[0], phases.count(Phase.CLEAR)) == (Phase.NEW, 1)


def test_no_portal_is_blamed_for_what_nobody_listened_to(site):
    site.until(100.0)
    site.now_s += 3600.0
    site.until(3701.0)
    site.feed(*background(3701.0), scan(3702.0))
    assert Event.PORTAL_BYPASS not in site.events()


def test_a_passage_names_the_sensors_that_were_up_and_those_that_were_down(site):
    passage(site, 12.0, source_m=9.0)
    assert site.last(Event.RAD_THREAT).silent == (), "a scanner that has not scanned saw nothing"
    site.feed(
        StatusSample(
            sensor_id="xray-1",
            origin=Origin.SENSOR,
            start_utc_ns=ns(30.0),
            code="link",
            active=True,
        )
    )
    passage(site, 31.0, source_m=9.0)
    assert site.last(Event.RAD_THREAT).down == ("xray-1",)


def test_tamper_rings_and_is_cleared(site):
    for at_s, active in ((12.0, True), (14.0, False)):
        site.feed(
            StatusSample(
                sensor_id="rpm-1",
                origin=Origin.SENSOR,
                start_utc_ns=ns(at_s),
                code="tamper",
                active=active,
            )
        )
    site.until(16.0)
    told = [a for a in site.said if a.event is Event.SENSOR_TAMPER]
    assert [a.phase for a in told] == [Phase.NEW, Phase.CLEAR]
    assert told[0].level is Level.WARNING


def test_a_vehicle_in_the_scanner_that_the_portal_never_saw_is_a_bypass(site):
    site.until(100.0)
    site.feed(*background(99.0))
    site.feed(scan(101.0))
    assert Event.PORTAL_BYPASS in site.events()


def test_in_every_alert_the_reasons_add_up(site):
    passage(site, 12.0, source_m=9.0)
    site.feed(scan(20.0, dense_m=9.2))
    site.until(40.0)
    assert len(site.said) >= 4
    for alert in site.said:
        rows = [c for c in alert.contributions if c.explanation == alert.facts["explanation"]]
        assert abs(math.fsum(c.nats for c in rows) - alert.score_nats) < 1e-9
        assert math.isclose(math.fsum(p for _, p in alert.explanations), 1.0, abs_tol=1e-12)


def test_the_same_samples_give_the_same_alerts():
    def day() -> list[Alert]:
        site = Site()
        site.until(0.1)
        site.feed(*background(0.0))
        passage(site, 5.0, source_m=9.0)
        site.feed(scan(13.0, dense_m=9.2))
        site.until(200.0)
        return site.said

    assert day() == day()


def test_a_tick_that_goes_back_in_time_changes_nothing(site):
    said = len(site.said)
    assert site.engine.tick(ns(1.0)) == []
    assert len(site.said) == said


def test_a_sensor_that_nobody_configured_is_passed_over(site):
    (sample, _) = background(20.0)
    stranger = BackgroundSample(
        **{**{f: getattr(sample, f) for f in sample.__slots__}, "sensor_id": "x"}
    )
    assert site.engine.feed(stranger) == []


def test_a_portal_without_a_neutron_background_counts_no_excess():
    site = Site()
    site.until(0.1)
    site.feed(background(0.0)[1])  # gamma only: the neutron report is faulty, or has not come yet
    passage(site, 5.0, source_m=None)
    neutrons = [d for d in site.engine.take_detections() if d.kind == "neutron.counts"]
    assert neutrons[-1].facts["neutron_sigma"] == 0.0
    assert not [a for a in site.said if a.level >= Level.ADVISORY and a.lane == "nb-01"]


def test_more_vehicles_than_a_lane_can_hold_still_clear_their_alerts(site):
    for number in range(20):
        passage(site, 12.0 + 9.0 * number, source_m=9.0)
        site.feed(*background(site.now_s))
    site.until(site.now_s + 300.0)
    assert site.events().count(Event.RAD_THREAT) >= 20
    assert [a for a in site.engine.active if a.event is Event.RAD_THREAT] == []


def test_a_cue_that_does_not_hold_any_more_is_taken_back():
    lane = Lane(CHECKPOINT.lanes[0], AssociationPolicy())
    transit = lane.occupancy(occupancy(0.0))
    transit.add(replace(dense(11.0), sensor_id="fusion", kind="fusion.shielding"))
    transit.drop("fusion.shielding")
    assert transit.of("fusion.shielding") == []


def test_a_source_that_is_believed_no_more_ends_after_its_delay_and_not_at_once(site):
    passage(site, 12.0, source_m=9.0)
    fuser = site.engine._fuser
    (transit,) = fuser._lanes["nb-01"].transits
    (gamma,) = transit.of("gamma.profile")
    transit.add(replace(gamma, nats=dict.fromkeys(gamma.nats, -3.0)))
    told = fuser._weigh_transit(transit, is_whole_now=True)
    assert Phase.CLEAR not in {alert.phase for alert in told}
    source = site.last(Event.RAD_THREAT)
    site.until(site.now_s + 85.0)
    assert source.alert_id in {alert.alert_id for alert in site.engine.active}
    site.until(site.now_s + 10.0)
    assert source.alert_id not in {alert.alert_id for alert in site.engine.active}
    assert "taken_back" not in site.said[-1].facts


def test_a_scan_that_comes_long_after_the_truck_is_no_bypass(site):
    site.until(300.0)
    site.feed(scan(60.0))
    assert Event.PORTAL_BYPASS not in site.events()


def test_a_scan_of_which_nobody_knows_when_it_was_blames_no_portal(site):
    site.until(100.0)
    site.feed(*background(99.0))
    site.feed(replace(scan(101.0), notes=("clock-behind",)))
    assert Event.PORTAL_BYPASS not in site.events()


def test_an_incident_that_rings_again_goes_on_counting(site):
    book = AlarmBook(AlarmPolicy())
    book.consider(claim(3.0, 0.0), ns(0.0))
    book.close("transit/x", ns(0.0))
    (clear,) = book.tick(ns(200.0))
    (again,) = book.consider(claim(3.0, 201.0), ns(201.0))
    assert (again.alert_id, again.revision) == (clear.alert_id, clear.revision + 1)


def test_one_walker_past_three_sensors_is_one_alert_that_tells_the_way(site):
    for told_s in range(22, 80, 2):
        site.until(float(told_s))
        for i in range(3):
            over = [30.0 + 10.0 * i] if told_s > 34.0 + 10.0 * i else []
            one = heard(f"geo-{i + 1}", 20.0, float(told_s), *over)
            site.said += site.engine._fuser.take([weigh(one)])
    people = [alert for alert in site.said if alert.event is Event.PERSON]
    assert len({alert.alert_id for alert in people}) == 1
    assert [alert.revision for alert in people] == [1, 2]
    assert people[-1].direction == "north"
    assert people[-1].facts["speed_m_s"] == pytest.approx(1.5, rel=0.05)
    assert people[-1].level >= Level.WARNING


def test_footsteps_where_a_vehicle_stopped_ring_as_a_drop_off(site):
    def hear(one):
        site.said += site.engine._fuser.take([weigh(one)])

    facts = {"class": "vehicle", "classes": {"vehicle": 1.0}, "peak_um_s": 90.0}
    site.until(20.0)
    for name in ("geo-1", "geo-2"):
        hear(detection("seismic.event", name, facts, start_s=10.0, end_s=20.0))
    for name, at_s in (("geo-2", 36.0), ("geo-3", 44.0)):
        site.until(at_s)
        hear(steps(name, at_s, peak=5.0))
    site.until(50.0)
    assert Event.VEHICLE_OFF_LANE in site.events()
    assert site.last(Event.DROP_OFF).level >= Level.ADVISORY
