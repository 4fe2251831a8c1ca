from dataclasses import replace

import pytest

from fusion.association_policy import AssociationPolicy
from fusion.fuser import Fuser
from fusion.meetings import Handovers, beside_m, lane_met, lanes_near
from fusion.policy import Policy
from fusion.tracks import Zone
from fusion.types import (
    SECOND_NS,
    Alert,
    Checkpoint,
    Detection,
    Event,
    Family,
    LaneSpec,
    SensorSpec,
    ZoneSpec,
)
from tests.fusion.makers import START_UTC_NS, heard, steps

POLICY = AssociationPolicy()
LANE = LaneSpec(lane_id="nb-01", direction="northbound", portal_m=(0.0, 0.0), heading_deg=0.0)
SPACING_M = 30.0
# Two fences end to end, from west to east.
PLACES = {
    **{f"west-{i}": (400.0 + SPACING_M * i, 0.0) for i in range(4)},
    **{f"east-{i}": (520.0 + SPACING_M * i, 0.0) for i in range(4)},
    **{f"far-{i}": (2_000.0 + SPACING_M * i, 0.0) for i in range(4)},
}


def spec(name: str, place_m: tuple[float, float]) -> SensorSpec:
    zone = name.partition("-")[0]
    return SensorSpec(sensor_id=name, family=Family.SEISMIC, place=zone, position_m=place_m)


SENSORS = tuple(spec(name, place) for name, place in PLACES.items())


class Ears:
    """All sensors are up; nobody walks."""

    def up(self, sensor_id: str) -> bool:
        return True

    def steps(self, sensor_id: str, end_utc_ns: int) -> None:
        return None


class Site:
    """Three fences: two of them end to end, and one far away."""

    def __init__(self) -> None:
        zones = tuple(ZoneSpec(zone_id=name) for name in ("west", "east", "far"))
        lanes = (replace(LANE, portal_m=(-500.0, 0.0)),)
        self.fuser = Fuser(
            Checkpoint(site="test", sensors=SENSORS, lanes=lanes, zones=zones), Policy(), Ears()
        )
        self.said: list[Alert] = []
        self.now_s = 0

    def until(self, at_s: float) -> None:
        while self.now_s < at_s:
            self.now_s += 1
            self.said += self.fuser.tick(START_UTC_NS + self.now_s * SECOND_NS, [])

    def hear(self, *found: Detection) -> None:
        for one in sorted(found, key=lambda d: d.end_utc_ns):
            self.until((one.end_utc_ns - START_UTC_NS) / SECOND_NS)
            self.said += self.fuser.take([one])
        self.until(self.now_s + 20.0)

    @property
    def vehicles(self) -> dict[str, list[Alert]]:
        """Alerts of vehicles, by their id."""
        found: dict[str, list[Alert]] = {}
        for alert in self.said:
            if alert.event is Event.VEHICLE_OFF_LANE:
                found.setdefault(alert.alert_id, []).append(alert)
        return found


def drives(names: list[str], at_s: float, speed_m_s: float) -> list[Detection]:
    """What these sensors hear of a vehicle that passes the first of them then."""
    found = []
    for name in names:
        way_m = abs(PLACES[name][0] - PLACES[names[0]][0])
        passed_s = at_s + way_m / speed_m_s
        found.append(
            heard(
                name,
                passed_s - 4.0,
                passed_s + 4.0,
                passed_s,
                name="vehicle",
                peak_um_s=40.0,
                width_s=1.0,
            )
        )
    return found


WEST, EAST = [f"west-{i}" for i in range(4)], [f"east-{i}" for i in range(4)]


def test_a_vehicle_along_two_fences_is_one_alert():
    site = Site()
    site.hear(*drives(WEST + EAST, 30.0, 10.0))
    ((_, alerts),) = site.vehicles.items()
    assert {alert.zone for alert in alerts} == {"west"}, "an alert stays where it began"
    assert alerts[-1].direction == "east"


def test_two_vehicles_that_go_their_own_ways_are_two():
    site = Site()
    site.hear(*drives(WEST, 30.0, 10.0), *drives(EAST[::-1], 30.0, 10.0))
    assert len(site.vehicles) == 2


def test_who_cannot_have_come_so_far_is_another():
    site = Site()
    site.hear(*drives(WEST, 30.0, 10.0), *drives([f"far-{i}" for i in range(4)], 45.0, 10.0))
    assert len(site.vehicles) == 2


def test_who_comes_long_after_is_another():
    site = Site()
    site.hear(*drives(WEST, 30.0, 10.0))
    site.hear(*drives(EAST, 130.0, 10.0))
    assert len(site.vehicles) == 2


def test_what_was_told_by_itself_stays_so():
    zones = {
        name: Zone(name, (one for one in SENSORS if one.place == name), POLICY)
        for name in ("west", "east")
    }
    handovers = Handovers(zones, POLICY)
    (west,) = zones["west"].add(drives(WEST, 30.0, 10.0)[3])
    (east,) = zones["east"].add(drives(EAST, 42.0, 10.0)[0])
    assert handovers.told_as(east, is_told=True) is east
    assert handovers.told_as(east, is_told=False) is west
    assert west.meets["zones"] == ("west", "east")
    assert [d.sensor_id for d in west.heard()] == ["west-3", "east-0"]


def test_who_turns_out_to_be_another_is_told_by_itself():
    zones = {
        name: Zone(name, (one for one in SENSORS if one.place == name), POLICY)
        for name in ("west", "east")
    }
    handovers = Handovers(zones, POLICY)
    (west,) = zones["west"].add(drives(WEST, 30.0, 10.0)[3])
    (east,) = zones["east"].add(drives(EAST, 42.0, 10.0)[0])
    assert handovers.told_as(east, is_told=False) is west
    zones["west"].tracks.clear()
    assert handovers.told_as(east, is_told=False) is east
    assert east.is_another
    assert west.heard() == [west.detections["west-3"]]


@pytest.mark.parametrize(
    ("place_m", "away_m"),
    [((12.0, 0.0), 12.0), ((-7.0, 55.0), 7.0), ((3.0, 64.0), 5.0), ((0.0, -100.0), 40.0)],
)
def test_a_lane_reaches_before_and_behind_its_portal(place_m, away_m):
    assert beside_m(place_m, LANE, 60.0) == pytest.approx(away_m)
    turned = replace(LANE, heading_deg=90.0)
    assert beside_m((place_m[1], -place_m[0]), turned, 60.0) == pytest.approx(away_m)


@pytest.mark.parametrize(
    ("places", "at"),
    [
        ([(20.0, 0.0), (120.0, 0.0)], "start"),
        ([(120.0, 0.0), (20.0, 0.0)], "end"),
        ([(20.0, 0.0), (25.0, 0.0)], "both"),
        ([(120.0, 0.0), (150.0, 0.0)], None),
    ],
)
def test_somebody_on_foot_at_a_lane_is_said_to_be_there(places, at):
    sensors = [
        SensorSpec(sensor_id=f"geo-{i}", family=Family.SEISMIC, place="fence", position_m=place)
        for i, place in enumerate(places)
    ]
    zone = Zone("fence", sensors, POLICY)
    for i in range(2):
        (track,) = zone.add(steps(f"geo-{i}", 10.0 + 20.0 * i))
    other = replace(LANE, lane_id="sb-01", portal_m=(900.0, 0.0))
    expected = {"near_lane": "nb-01", "near_lane_at": at} if at else {}
    assert lane_met(track, zone, [other, LANE], POLICY) == expected


def test_a_vehicle_at_a_lane_is_no_news():
    sensors = [SensorSpec(sensor_id="west-0", family=Family.SEISMIC, place="fence")]
    zone = Zone("fence", sensors, POLICY)
    (track,) = zone.add(drives(["west-0"], 30.0, 10.0)[0])
    assert lane_met(track, zone, [LANE], POLICY) == {}


def test_most_zones_have_no_lane_near_them():
    sensors = [SensorSpec(sensor_id="a", family=Family.SEISMIC, place="x", position_m=(90.0, 0.0))]
    far = [SensorSpec(sensor_id="b", family=Family.SEISMIC, place="y", position_m=(400.0, 0.0))]
    zones = {"x": Zone("x", sensors, POLICY), "y": Zone("y", far, POLICY)}
    assert lanes_near(zones, (LANE,), POLICY) == {"x": [LANE], "y": []}
