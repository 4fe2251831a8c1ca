"""Scans that come to their vehicles: what is told, and in which lane."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from fusion.fuser import Fuser
from fusion.policy import Policy
from fusion.types import (
    SECOND_NS,
    Alert,
    Checkpoint,
    Detection,
    Event,
    Fact,
    Family,
    LaneSpec,
    Phase,
    SensorSpec,
)
from tests.fusion.makers import START_UTC_NS, detection, occupancy

LANES = ("nb-01", "nb-02")
# Where every second load has something dense in it, a scan of one is told though it is not sure
# whose it is.
SCORING = Policy().scoring
PRIORS = {**SCORING.priors_nats, "contraband-anomaly": 0.0}
POLICY = Policy(scoring=replace(SCORING, priors_nats=PRIORS))


class Ears:
    """All sensors are up; nobody walks."""

    def up(self, sensor_id: str) -> bool:
        return True

    def steps(self, sensor_id: str, end_utc_ns: int) -> None:
        return None


class Site:
    """Two lanes, each with a portal, and one scanner behind both."""

    def __init__(self, lanes: int = 1) -> None:
        names = LANES[:lanes]
        portals = [
            SensorSpec(sensor_id=f"rpm-{name}", family=Family.RADIATION, place=name)
            for name in names
        ]
        scanner = SensorSpec(sensor_id="xray-1", family=Family.XRAY, place=names[0], also=names[1:])
        self.fuser = Fuser(
            Checkpoint(
                site="test",
                lanes=tuple(
                    LaneSpec(lane_id=name, direction="northbound", scan_offset_s=(5.0, 60.0))
                    for name in names
                ),
                sensors=(*portals, scanner),
            ),
            POLICY,
            Ears(),
        )
        self.said: list[Alert] = []
        self.now_s = 200
        self.until(300.0)

    def until(self, seconds: float) -> None:
        while self.now_s < seconds:
            self.now_s += 1
            self.said += self.fuser.tick(START_UTC_NS + self.now_s * SECOND_NS, [])

    def take(self, *found: Detection) -> None:
        self.said += self.fuser.take(list(found))

    def drives(self, at_s: float, length_m: float = 0.0, lane: str = "nb-01") -> None:
        speed_m_s = 2.0
        self.take(replace(occupancy(at_s), sensor_id=f"rpm-{lane}"))
        left = occupancy(at_s, at_s + (length_m or 16.0) / speed_m_s)
        told: dict[str, Fact] = {"length_m": None, "speed_m_s": None}
        if length_m:
            told = {"length_m": length_m, "speed_m_s": speed_m_s}
        self.take(replace(left, sensor_id=f"rpm-{lane}", facts={**left.facts, **told}))

    def scans(
        self, at_s: float, length_m: float = 0.0, *, dense: bool = False, final: bool = True
    ) -> None:
        self.until(at_s + 9.0)
        whole: Mapping[str, Fact] = {
            "scan_id": f"scan-{at_s}",
            "length_m": length_m,
            "notes": (),
            "homogeneity": 0.2,
            "unpenetrated": 0.0,
            "fill": 0.5,
        }
        times = {"start_s": at_s, "end_s": at_s + 8.0, "final": final}
        found = [detection("xray.scan", "xray-1", whole, **times)]
        if dense:
            facts = {"position_m": 9.0, "sigma": 16.0, "material": "dense", "homogeneity": 0.9}
            found.append(detection("xray.dense", "xray-1", facts, **times))
        self.take(*found)

    def habit(self, offset_s: float) -> None:
        """Six vehicles that nobody has anything to say of."""
        for number in range(6):
            self.drives(300.0 + 30.0 * number)
            self.scans(300.0 + 30.0 * number + offset_s)
        self.until(700.0)

    def events(self, event: Event) -> list[Alert]:
        return [alert for alert in self.said if alert.event is event]


def test_what_a_scan_shows_is_told_of_its_vehicle_and_moves_with_it():
    site = Site()
    site.habit(10.0)
    site.drives(1000.0)
    site.drives(1006.0)
    site.scans(1015.5, dense=True)
    (first,) = site.events(Event.CARGO_ANOMALY)
    assert first.onset_utc_ns == START_UTC_NS + 1006 * SECOND_NS
    site.scans(1016.5)
    told = site.events(Event.CARGO_ANOMALY)[1:]
    moved = [alert for alert in told if alert.alert_id != first.alert_id]
    gone = [alert for alert in told if alert.alert_id == first.alert_id]
    assert [alert.onset_utc_ns for alert in moved] == [START_UTC_NS + 1000 * SECOND_NS]
    assert [alert.phase for alert in gone] == [Phase.CLEAR]
    assert gone[0].facts["taken_back"] is True


def test_of_a_scan_that_may_be_another_vehicles_only_as_much_counts_as_is_sure():
    sure, unsure = Site(), Site()
    for site in (sure, unsure):
        site.habit(10.0)
        site.drives(1000.0)
    unsure.drives(1002.0)
    for site in (sure, unsure):
        site.scans(1012.0, dense=True)
    rows = [
        next(
            c
            for alert in site.events(Event.CARGO_ANOMALY)
            for c in alert.contributions
            if c.kind == "xray.dense" and c.explanation == "contraband-anomaly"
        )
        for site in (sure, unsure)
    ]
    assert 0.5 * rows[0].nats < rows[1].nats < 0.8 * rows[0].nats
    assert "ambiguous" not in sure.events(Event.CARGO_ANOMALY)[-1].facts
    assert unsure.events(Event.CARGO_ANOMALY)[-1].facts["ambiguous"] is True


def test_two_vehicles_held_as_one_occupancy_are_no_bypass():
    site = Site()
    site.habit(10.0)
    site.drives(1000.0, 39.0)
    site.scans(1010.0, 17.0)
    site.scans(1021.0, 18.0)
    assert not site.events(Event.PORTAL_BYPASS)


def test_a_car_that_hides_behind_a_truck_is_one():
    site = Site()
    site.habit(10.0)
    site.drives(1000.0, 18.0)
    site.scans(1010.0, 18.0)
    assert not site.events(Event.PORTAL_BYPASS)
    site.scans(1020.0, 4.5)
    (bypass,) = site.events(Event.PORTAL_BYPASS)
    assert bypass.phase is Phase.NEW


def test_a_bypass_is_taken_back_when_the_portal_tells_of_the_vehicle_after_all():
    site = Site()
    site.scans(1010.0, 17.0)
    assert [alert.phase for alert in site.events(Event.PORTAL_BYPASS)] == [Phase.NEW]
    site.drives(1000.0, 17.0)
    assert site.events(Event.PORTAL_BYPASS)[-1].phase is Phase.CLEAR


@pytest.mark.parametrize("lane", LANES)
def test_what_a_shared_scanner_shows_is_told_in_the_lane_of_the_vehicle(lane):
    site = Site(2)
    site.drives(1000.0, 18.0, lane=lane)
    site.scans(1010.0, 18.0, dense=True)
    (alert,) = site.events(Event.CARGO_ANOMALY)
    assert alert.lane == lane


def test_a_vehicle_that_no_portal_of_a_shared_scanner_has_counted_is_told_in_its_first_lane():
    site = Site(2)
    site.scans(1010.0, 18.0)
    (alert,) = site.events(Event.PORTAL_BYPASS)
    assert alert.lane == LANES[0]
