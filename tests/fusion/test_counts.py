"""A sensor that misses what the others see is told, and nobody else."""

import math
import random
from dataclasses import replace

import pytest

from fusion.associate import Lane
from fusion.association_policy import AssociationPolicy
from fusion.counts import MAX_HEARD, MAX_PASSES, LaneCounts, tail
from fusion.counts_policy import CountsPolicy
from fusion.fuser import Fuser
from fusion.policy import Policy
from fusion.types import Event, Family, SensorSpec
from tests.fusion.makers import CHECKPOINT, START_UTC_NS, detection, occupancy

SENSORS = (
    SensorSpec(sensor_id="rpm-1", family=Family.RADIATION, place="nb-01"),
    SensorSpec(sensor_id="xray-1", family=Family.XRAY, place="nb-01"),
    SensorSpec(sensor_id="geo-9", family=Family.SEISMIC, place="nb-01"),
)
ALL = ("rpm-1", "xray-1", "geo-9")
GAP_S = 60.0


class Day:
    """Vehicles of one lane, each seen by some."""

    def __init__(self, *names: str) -> None:
        self.names = names or ALL
        sensors = [one for one in SENSORS if one.sensor_id in self.names]
        self.counts = LaneCounts("nb-01", sensors, CountsPolicy())
        self.at_s = 0.0

    def vehicle(self, *seen_by: str, counter: int | None = None, up=None):
        self.at_s += GAP_S
        lane = Lane(CHECKPOINT.lanes[0], AssociationPolicy())
        transit = lane.open(START_UTC_NS + int(self.at_s * 1e9))
        for name in seen_by:
            seen = seen_as(name, self.at_s, counter)
            self.counts.hear(seen)
            if name != "geo-9" or len(seen_by) == 1:
                transit.add(seen)
        return self.counts.passed(transit, self.names if up is None else up)

    def told(self, times: int, *seen_by: str, **more):
        return [one for _ in range(times) for one in self.vehicle(*seen_by, **more)]


def seen_as(name: str, at_s: float, counter: int | None):
    if name == "geo-9":
        facts = {"class": "vehicle", "classes": {"vehicle": 1.0}}
        return detection("seismic.event", name, facts, start_s=at_s - 4.0, end_s=at_s + 4.0)
    if name == "xray-1":
        return detection("xray.scan", name, {"homogeneity": 0.9}, start_s=at_s, end_s=at_s)
    passed = occupancy(at_s, at_s + 8.0)
    return replace(passed, facts={**passed.facts, "counter": counter})


def test_a_lane_whose_sensors_agree_tells_nothing():
    assert Day().told(60, *ALL) == []


@pytest.mark.parametrize("blind", ALL)
def test_a_sensor_that_stops_seeing_what_two_others_see_is_told_once(blind):
    day = Day()
    day.told(10, *ALL)
    told = day.told(45, *(name for name in ALL if name != blind))
    ((found, spec),) = told
    assert spec.sensor_id == blind
    assert found.facts["active"] is True
    assert found.facts["own"] < found.facts["expected"]


def test_a_blind_beam_is_told_within_a_few_scanned_vehicles():
    day = Day()
    day.told(3, *ALL)
    assert day.told(6, "xray-1", "geo-9")


def test_what_agrees_again_is_well_again():
    day = Day()
    day.told(5, *ALL)
    (began,) = day.told(8, "xray-1", "geo-9")
    ended = day.told(80, *ALL)[0]
    assert ended[0].facts["active"] is False
    assert ended[0].start_utc_ns == began[0].start_utc_ns, "it is the same fault"


def test_a_beam_that_counts_vehicles_nobody_else_sees_is_blamed_itself():
    day = Day()
    day.told(8, *ALL)
    told = day.told(40, "rpm-1")
    assert "rpm-1" in {spec.sensor_id for _, spec in told}


def test_of_two_that_disagree_nobody_knows_which_so_the_lane_is_told():
    day = Day("rpm-1", "geo-9")
    day.told(8, "rpm-1", "geo-9")
    told = day.told(40, "rpm-1")
    assert [spec.sensor_id for _, spec in told] == ["nb-01"]


def test_vehicles_that_only_the_ground_hears_accuse_no_portal():
    day = Day()
    for _ in range(12):
        assert day.vehicle(*ALL) == []
        assert day.told(2, "geo-9") == [], "a road runs nearby"


def test_a_sensor_that_was_down_has_missed_nothing():
    day = Day()
    day.told(5, *ALL)
    assert day.told(40, "xray-1", "geo-9", up=["xray-1", "geo-9"]) == []


def test_a_scanner_that_is_not_in_use_is_no_fault():
    assert Day().told(60, "rpm-1", "geo-9") == []


def test_a_counter_that_runs_ahead_of_what_was_told_is_a_fault_of_its_portal():
    day = Day()
    for counter in range(1, 6):
        assert day.vehicle(*ALL, counter=counter) == []
    told = [one for counter in (9, 13, 17) for one in day.vehicle(*ALL, counter=counter)]
    ((_, spec),) = told
    assert spec.sensor_id == "rpm-1"


def test_a_counter_that_is_set_to_nothing_at_midnight_is_no_fault():
    day = Day()
    for counter in (3998, 3999, 4000, 1, 2, 3, 4):
        assert day.vehicle(*ALL, counter=counter) == []


def test_what_a_lost_link_did_not_bring_is_no_fault_of_the_counter():
    day = Day()
    day.vehicle(*ALL, counter=1)
    for counter in (6, 12, 18):
        day.counts.hear(detection("health.silent", "rpm-1", {"active": True, "code": "silent"}))
        assert day.vehicle(*ALL, counter=counter) == []


def test_memory_is_bounded():
    day = Day()
    day.told(300, *ALL, counter=7)
    counts = day.counts
    assert len(counts._passes) <= MAX_PASSES
    assert len(counts._heard) <= MAX_HEARD
    assert all(len(one.steps) <= MAX_PASSES for one in counts._watched.values())


@pytest.mark.parametrize(("n", "share", "k"), [(10, 0.5, 8), (20, 0.1, 3), (5, 0.3, 0)])
def test_the_tail_of_equal_coins_is_the_binomials(n, share, k):
    exact = sum(math.comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(k, n + 1))
    assert tail([share] * n, k) == pytest.approx(exact)


def test_by_chance_alone_healthy_sensors_are_hardly_ever_told():
    false = 0
    for seed in range(40):
        chance, day = random.Random(seed), Day()
        for _ in range(60):
            shares = (("rpm-1", 0.97), ("xray-1", 0.5), ("geo-9", 0.6))
            seen = [name for name, share in shares if chance.random() < share]
            false += len(day.vehicle(*seen)) if seen else 0
    assert false <= 1, "of 2,400 vehicles"


class AllUp:
    def up(self, sensor_id):
        return True

    def steps(self, sensor_id, end_utc_ns):
        return None


def test_a_blind_beam_rings_as_a_fault_of_its_sensor():
    fuser = Fuser(CHECKPOINT, Policy(), AllUp())
    told = []
    for number in range(12):
        at_s = 100.0 * number
        at_ns = START_UTC_NS + int(at_s * 1e9)
        fuser.tick(at_ns, [])
        told += fuser.tick(at_ns + 10**9, [seen_as("xray-1", at_s, None)])
        for second in range(4, 100, 4):
            told += fuser.tick(at_ns + second * 10**9, [])
    faults = [alert for alert in told if alert.event is Event.SENSOR_FAULT]
    assert {alert.facts["source"] for alert in faults} == {"rpm-1"}
    assert faults[0].facts["explanation"] == "miscount"
    witnesses = fuser._judge._witnesses
    assert not witnesses.is_well("rpm-1"), "its silence says nothing"
    assert witnesses.is_well("xray-1")


@pytest.mark.parametrize("seed", range(6))
def test_a_ground_sensor_that_hears_one_vehicle_in_seven_is_never_told(seed):
    chance = random.Random(seed)
    day, told = Day("rpm-1", "geo-9"), []
    for _ in range(300):
        told += day.told(1, "rpm-1", *(["geo-9"] if chance.random() < 0.14 else []))
    assert told == []
