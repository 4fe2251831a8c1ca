"""The checkpoint "crossing": where its lanes, fences and sensors are, and an hour in the making.

Two halls 300 m apart, three northbound and three southbound lanes, each lane with a four-panel
portal; the first lane of each hall has a cargo scanner 30 m after it. A ground sensor stands 35 m
beside each hall, where somebody would drive who goes around the portals. Two lines of ground
sensors, 400 m from the nearest lane. `configs/crossing.yaml` has the same places.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from simulators.loads import Load
from simulators.movers import Mover
from simulators.scenario import (
    Fault,
    LanePlace,
    Rain,
    Scenario,
    SensorPlace,
    Truth,
    Vehicle,
    fault_truth,
)
from simulators.xray_cargo import hidden_m

SCANNER_AFTER_M = 30.0  # a truck that has left the portal may wait there, and another pass it
SITE = "dry-sand"
LANES = tuple(
    LanePlace(
        lane=f"{side}-{number + 1:02d}",
        portal_m=(east_m + step_m * number, 0.0),
        heading_deg=heading_deg,
        scanner_after_m=SCANNER_AFTER_M,
    )
    for side, east_m, step_m, heading_deg in (("nb", 0.0, 6.0, 0.0), ("sb", 312.0, -6.0, 180.0))
    for number in range(3)
)
NAMES = tuple(place.lane for place in LANES)
SCANNED = ("nb-01", "sb-01")
SHARING = {"nb-02": "nb-01", "sb-02": "sb-01"}
"""Lanes that may share the scanner of another."""
SPECTROSCOPIC = "nb-02"
HALLS = ("nb", "sb")


@dataclass(frozen=True, slots=True, kw_only=True)
class Detour:
    """The way beside a hall by which its portals can be avoided, past a ground sensor."""

    lane: str
    """The lane beside it."""
    east_m: float
    sensor_m: tuple[float, float]


DETOURS = {
    "nb": Detour(lane="nb-01", east_m=-40.0, sensor_m=(-35.0, 5.0)),
    "sb": Detour(lane="sb-01", east_m=352.0, sensor_m=(347.0, -5.0)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A line of ground sensors, from south to north."""

    zone: str
    prefix: str
    first_m: tuple[float, float]
    sensors: int = 4
    spacing_m: float = 15.0

    @property
    def places_m(self) -> tuple[tuple[float, float], ...]:
        """Of its sensors."""
        east_m, north_m = self.first_m
        return tuple((east_m, north_m + self.spacing_m * i) for i in range(self.sensors))

    @property
    def middle_m(self) -> tuple[float, float]:
        """Of the line."""
        return self.first_m[0], self.first_m[1] + self.spacing_m * (self.sensors - 1) / 2


FENCES = (
    Fence(zone="north-fence", prefix="geo-nf", first_m=(-400.0, 100.0)),
    Fence(zone="south-fence", prefix="geo-sf", first_m=(712.0, -145.0)),
)
ZONES = tuple(fence.zone for fence in FENCES)


def sensors(
    portal: int, *, spectroscopic: bool = False, shared: bool = False
) -> tuple[SensorPlace, ...]:
    """Every sensor of the checkpoint.

    portal         the seed of the portals themselves: the same devices in every hour
    spectroscopic  a portal that names nuclides stands in `SPECTROSCOPIC`, too
    shared         each scanner serves a second lane, as `SHARING` has it
    """
    device = (("portal", str(portal)),)
    places = [
        SensorPlace(
            sensor_id=f"rpm-{lane.lane}",
            kind="rpm-tsa",
            lane=lane.lane,
            place_m=lane.portal_m,
            options=device,
        )
        for lane in LANES
    ]
    places += [
        SensorPlace(
            sensor_id=f"xray-{lane.lane}",
            kind="xray-planes",
            lane=lane.lane,
            place_m=lane.place_m(SCANNER_AFTER_M),
            options=tuple(
                ("also_lanes", other)
                for other, owner in SHARING.items()
                if shared and owner == lane.lane
            ),
        )
        for lane in LANES
        if lane.lane in SCANNED
    ]
    places += [
        _geophone(f"geo-{detour.lane}", detour.sensor_m, lane=detour.lane)
        for detour in DETOURS.values()
    ]
    places += [place for fence in FENCES for place in fence_sensors(fence)]
    if spectroscopic:
        (lane,) = (lane for lane in LANES if lane.lane == SPECTROSCOPIC)
        places.append(
            SensorPlace(
                sensor_id=f"srpm-{lane.lane}",
                kind="rpm-n42",
                lane=lane.lane,
                place_m=lane.portal_m,
                options=device,
            )
        )
    return tuple(places)


def fence_sensors(fence: Fence) -> list[SensorPlace]:
    """The ground sensors of a fence."""
    return [
        _geophone(f"{fence.prefix}-{number:02d}", place_m, zone=fence.zone)
        for number, place_m in enumerate(fence.places_m, start=1)
    ]


def _geophone(
    sensor_id: str, place_m: tuple[float, float], *, lane: str = "", zone: str = ""
) -> SensorPlace:
    return SensorPlace(
        sensor_id=sensor_id,
        kind="shake-udp",
        lane=lane,
        zone=zone,
        place_m=place_m,
        options=(("channels", "EHZ"),),
    )


@dataclass(slots=True)
class Hour:
    """A stretch of a day in the making: what drives, walks and breaks, each with its label."""

    name: str
    seed: int
    start_utc_ns: int
    duration_s: float
    random: Random
    sensors: tuple[SensorPlace, ...] = ()
    lanes: tuple[LanePlace, ...] = LANES
    scanner_of: Mapping[str, str] = field(
        default_factory=lambda: dict(zip(SCANNED, SCANNED, strict=True))
    )
    """Lane to the lane whose scanner its trucks drive through."""
    scans_s: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """When each scanner is taken."""
    vehicles: list[Vehicle] = field(default_factory=list)
    movers: list[Mover] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    truth: list[Truth] = field(default_factory=list)

    def drive(self, vehicle: Vehicle, load: Load, detail: str = "") -> None:
        """A vehicle with its load passes a lane; `detail` is added to the load's."""
        self.vehicles.append(vehicle)
        details = [part for part in (load.detail, detail) if part]
        self.truth.append(
            Truth(
                name=load.name,
                subject=vehicle.vehicle_id,
                place=vehicle.lane,
                start_s=vehicle.at_portal_s,
                end_s=gone_s(vehicle),
                events=load.events,
                nuclides=load.nuclides,
                detail="; ".join(details),
                hidden_m=hidden_m(vehicle) if load.cargo else (),
            )
        )

    def scan(self, vehicle: Vehicle) -> None:
        """Its lane's scanner is taken while it drives through."""
        taken = self.scans_s.setdefault(self.scanner_of[vehicle.lane], [])
        taken.append((vehicle.reaches_s(SCANNER_AFTER_M), gone_s(vehicle)))
        taken.sort()

    def free_s(self, lane: str, from_s: float, lasts_s: float, gap_s: float) -> float:
        """When, from then on, the lane's scanner is free for so long, with a gap around it."""
        for begins_s, ends_s in self.scans_s.get(self.scanner_of[lane], ()):
            if begins_s < from_s + lasts_s + gap_s and ends_s + gap_s > from_s:
                from_s = ends_s + gap_s
        return from_s

    def move(self, mover: Mover, name: str, events: Sequence[str], detail: str = "") -> None:
        """Somebody or something shakes the ground."""
        named = replace(mover, mover_id=f"{mover.kind}-{len(self.movers) + 1:04d}")
        self.movers.append(named)
        self.truth.append(
            Truth(
                name=name,
                subject=named.mover_id,
                place=named.zone,
                start_s=named.start_s,
                end_s=named.end_s,
                events=tuple(events),
                detail=detail or named.kind,
            )
        )

    def fail(self, fault: Fault, place: str, events: Sequence[str], detail: str = "") -> None:
        """A sensor has a fault."""
        self.faults.append(fault)
        self.truth.append(fault_truth(fault, place, events, detail))

    def scenario(
        self,
        *,
        rain: Iterable[Rain] = (),
        wind_m_s: float = 2.0,
        site: str = SITE,
    ) -> Scenario:
        """The finished value; labels in order of time."""
        return Scenario(
            name=self.name,
            seed=self.seed,
            start_utc_ns=self.start_utc_ns,
            duration_s=self.duration_s,
            lanes=self.lanes,
            sensors=self.sensors,
            vehicles=tuple(self.vehicles),
            movers=tuple(self.movers),
            faults=tuple(self.faults),
            rain=tuple(rain),
            wind_m_s=wind_m_s,
            site=site,
            truth=tuple(sorted(self.truth, key=lambda row: (row.start_s, row.subject))),
        )


def gone_s(vehicle: Vehicle) -> float:
    """When its rear has left the portal's beam, or the scanner's where it is scanned."""
    if vehicle.scanned:
        return vehicle.reaches_s(SCANNER_AFTER_M + vehicle.length_m)
    return vehicle.in_beam_s()[-1][1]


def spread_s(random: Random, count: int, from_s: float, to_s: float, apart_s: float) -> list[float]:
    """So many times in order, anywhere between, no two closer than `apart_s`.

    Fewer where so many do not fit.
    """
    room_s = to_s - from_s
    count = min(count, max(0, 1 + math.floor(room_s / apart_s))) if room_s > 0.0 else 0
    free_s = room_s - apart_s * max(0, count - 1)
    drawn = sorted(random.uniform(0.0, free_s) for _ in range(count))
    return [from_s + at_s + apart_s * number for number, at_s in enumerate(drawn)]
