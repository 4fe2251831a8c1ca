"""The days that Garita can simulate, by name.

Each script places sensors, vehicles, walkers and faults, and writes the truth beside. The
configs of the same names describe the same places to the service.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from simulators import crossing_days, loads
from simulators import loads_radioactive as radioactive
from simulators.crossing_flood import flood
from simulators.loads import Load
from simulators.scenario import (
    Fault,
    LanePlace,
    Mover,
    Scenario,
    SensorPlace,
    Truth,
    Vehicle,
    fault_truth,
)
from simulators.scripts_ground import fence
from simulators.traffic import hour
from simulators.xray_cargo import hidden_m

TRUCK_M = 18.0
SPEED_M_S = 2.5  # 9 km/h; the standards test at 8
SCANNER_AFTER_M = 20.0
SPECTROSCOPIC = ("nb-01", "nb-02", "sb-01", "sb-02")  # lanes of the reference with such portals
TRAFFIC_KINDS = ("rpm-tsa", "rpm-n42", "rpm-aspect")
RARE_SHARE = 0.12  # of the trucks on a simulated day: far more than in the field, so that it shows


@dataclass(frozen=True, slots=True)
class _Places:
    """Where everything stands."""

    lanes: tuple[LanePlace, ...]
    sensors: tuple[SensorPlace, ...]


@dataclass(slots=True)
class _Day:
    """A scenario in the making."""

    random: Random
    vehicles: list[Vehicle] = field(default_factory=list)
    movers: list[Mover] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    truth: list[Truth] = field(default_factory=list)

    def truck(
        self, lane: str, at_s: float, load: Load, *, scanned: bool, speed_m_s: float = SPEED_M_S
    ) -> None:
        name = f"{lane}-{len(self.vehicles) + 1:04d}"
        vehicle = load.onto(
            Vehicle(
                vehicle_id=name,
                lane=lane,
                at_portal_s=at_s,
                speed_m_s=speed_m_s,
                length_m=TRUCK_M,
                suppression=self.random.uniform(0.05, 0.2),
                scanned=scanned,
                container=_container(self.random),
            )
        )
        self.vehicles.append(vehicle)
        gone_s = at_s + (TRUCK_M + (SCANNER_AFTER_M if scanned else 0.0)) / speed_m_s
        self.truth.append(
            Truth(
                name=load.name,
                subject=name,
                place=lane,
                start_s=at_s,
                end_s=gone_s,
                events=load.events,
                nuclides=load.nuclides,
                detail=load.detail,
                hidden_m=hidden_m(vehicle),
            )
        )

    def mover(self, mover: Mover, events: Sequence[str]) -> None:
        self.movers.append(mover)
        self.truth.append(
            Truth(
                name=mover.class_name,
                subject=mover.mover_id,
                place=mover.zone,
                start_s=mover.start_s,
                end_s=mover.end_s,
                events=tuple(events),
            )
        )

    def scenario(
        self, name: str, seed: int, start_utc_ns: int, duration_s: float, places: _Places
    ) -> Scenario:
        return Scenario(
            name=name,
            seed=seed,
            start_utc_ns=start_utc_ns,
            duration_s=duration_s,
            lanes=places.lanes,
            sensors=places.sensors,
            vehicles=tuple(self.vehicles),
            movers=tuple(self.movers),
            faults=tuple(self.faults),
            truth=tuple(self.truth),
        )

    def fault(self, fault: Fault, place: str, events: Sequence[str]) -> None:
        self.faults.append(fault)
        self.truth.append(fault_truth(fault, place, events))


def demo(seed: int, start_utc_ns: int, duration_s: float = 900.0) -> Scenario:
    """Everything a newcomer should see, within the first minute; then ordinary traffic."""
    random = Random(f"demo/{seed}")
    day = _Day(random)
    north_1, north_2, south_1, south_2 = "nb-01", "nb-02", "sb-01", "sb-02"
    day.truck(north_1, 2.0, loads.pallets(random), scanned=True)
    day.truck(north_2, 3.0, radioactive.bare_source(random), scanned=False)
    day.truck(south_1, 4.0, loads.false_empty(random), scanned=True)
    day.truck(south_2, 5.0, loads.produce(random), scanned=False)
    day.truck(north_1, 17.0, radioactive.shielded_source(random), scanned=True)
    day.truck(north_2, 18.0, radioactive.patient(random), scanned=False)
    day.truck(south_1, 19.0, loads.dense_object(random), scanned=True)
    day.truck(south_2, 21.0, loads.machinery(random), scanned=False)
    day.truck(north_1, 33.0, loads.machinery(random), scanned=True)
    day.truck(south_1, 34.0, radioactive.norm(random, "granite"), scanned=True)
    day.truck(north_2, 36.0, radioactive.norm(random, "potash"), scanned=False)
    day.fault(
        Fault(sensor_id="rpm-sb-02", kind="tamper", start_s=1.6, end_s=30.0),
        south_2,
        ["SENSOR_TAMPER"],
    )
    day.fault(
        Fault(sensor_id="geo-wd-03", kind="silent", start_s=40.0, end_s=90.0),
        "west-desert",
        ["SENSOR_SILENT"],
    )
    day.mover(_walker("walker-1", 12.0), ["PERSON"])
    day.mover(_off_lane("pickup-1", 14.0), ["VEHICLE_OFF_LANE"])
    _traffic(
        day,
        (north_1, north_2, south_1, south_2),
        from_s=55.0,
        to_s=duration_s,
        scanned=(north_1, south_1),
    )
    return day.scenario("demo", seed, start_utc_ns, duration_s, _demo_places())


def reference(
    seed: int, start_utc_ns: int, duration_s: float = 600.0, *, rare_share: float = RARE_SHARE
) -> Scenario:
    """The load that every speed claim names: the design's section 9, families that exist.

    `rare_share` of the trucks carry what gives an alert; 1 makes alerts flow for a measurement.
    """
    random = Random(f"reference/{seed}")
    day = _Day(random)
    lanes = tuple(f"nb-{i:02d}" for i in range(1, 6)) + tuple(f"sb-{i:02d}" for i in range(1, 6))
    # 450 transits an hour in 10 lanes are one in 80 s; 20 scans an hour one truck in 180 s.
    for i, lane in enumerate(lanes):
        at_s = 5.0 + 8.0 * i
        last_scan_s = -180.0
        while at_s < duration_s - 40.0:
            scanned = lane in ("nb-01", "sb-01") and at_s - last_scan_s >= 160.0
            last_scan_s = at_s if scanned else last_scan_s
            load = _any_load(random, scanned=scanned, rare_share=rare_share)
            day.truck(lane, at_s, load, scanned=scanned)
            at_s += 80.0 * random.uniform(0.9, 1.1)
    at_s = 30.0
    while at_s < duration_s - 60.0:
        day.mover(_walker(f"walker-{int(at_s)}", at_s, zone="fence", x_m=505.0), ["PERSON"])
        at_s += 300.0
    return day.scenario("reference", seed, start_utc_ns, duration_s, _reference_places(lanes))


def quiet(seed: int, start_utc_ns: int, duration_s: float = 3600.0) -> Scenario:
    """The demo's checkpoint with lawful traffic only: what comes out is a false alarm."""
    random = Random(f"quiet/{seed}")
    day = _Day(random)
    at_s = {lane: 5.0 + 7.0 * i for i, lane in enumerate(("nb-01", "nb-02", "sb-01", "sb-02"))}
    for lane, first_s in at_s.items():
        now_s = first_s
        while now_s < duration_s - 40.0:
            load = random.choice(loads.LAWFUL)(random)
            day.truck(lane, now_s, load, scanned=lane in ("nb-01", "sb-01"))
            now_s += 80.0 * random.uniform(0.9, 1.1)
    return day.scenario("quiet", seed, start_utc_ns, duration_s, _demo_places())


def traffic(seed: int, start_utc_ns: int) -> Scenario:
    """An hour of the month that `simulators.traffic` makes, from eight on its first morning.

    Field rates and quirks, with a portal of each kind in the one lane: a neighbour of the seed is
    another month. What calls for an alert is rare in it.
    """
    return replace(hour(seed, 8, kinds=TRAFFIC_KINDS), start_utc_ns=start_utc_ns)


SCENARIOS: dict[str, Callable[[int, int], Scenario]] = {
    "demo": demo,
    "reference": reference,
    "quiet": quiet,
    "traffic": traffic,
    "fence": fence,
    "flood": flood,
    **{name: crossing_days.of_seed(name) for name in crossing_days.DAYS},
}
"""Name to script: (seed, start_utc_ns) -> Scenario."""


def _walker(name: str, start_s: float, zone: str = "east-fence", x_m: float = 406.0) -> Mover:
    return Mover(
        mover_id=name,
        kind="person",
        zone=zone,
        start_s=start_s,
        start_m=(x_m, -6.0),
        end_m=(x_m, 50.0),
    )


def _off_lane(name: str, start_s: float) -> Mover:
    return Mover(
        mover_id=name,
        kind="vehicle",
        zone="west-desert",
        start_s=start_s,
        start_m=(-425.0, -90.0),
        end_m=(-425.0, 150.0),
        speed_m_s=9.0,
        mass_kg=2_500.0,
    )


def _any_load(random: Random, *, scanned: bool, rare_share: float = RARE_SHARE) -> Load:
    """Mostly lawful; a few nuisances and, so that alerts flow, a few of what must be found."""
    rare = [radioactive.norm, radioactive.patient, radioactive.bare_source]
    if scanned:
        rare += [radioactive.shielded_source, loads.false_empty, loads.dense_object]
    kinds = rare if random.random() < rare_share else list(loads.LAWFUL)
    return random.choice(kinds)(random)


def _traffic(
    day: _Day, lanes: Sequence[str], *, from_s: float, to_s: float, scanned: Sequence[str]
) -> None:
    """A truck a minute and lane, as a busy crossing has."""
    for i, lane in enumerate(lanes):
        at_s = from_s + 6.0 * i
        while at_s < to_s - 40.0:
            has_scanner = lane in scanned
            load = _any_load(day.random, scanned=has_scanner)
            day.truck(lane, at_s, load, scanned=has_scanner)
            at_s += 60.0 * day.random.uniform(0.8, 1.2)


def _container(random: Random) -> str:
    """An owner code and serial without its check digit; the scanner's sidecar adds that."""
    return f"GRTU{random.randrange(1_000_000):06d}"


def _demo_places() -> _Places:
    lanes = (
        LanePlace(lane="nb-01", portal_m=(0.0, 0.0), heading_deg=0.0, scanner_after_m=20.0),
        LanePlace(lane="nb-02", portal_m=(6.0, 0.0), heading_deg=0.0),
        LanePlace(lane="sb-01", portal_m=(14.0, 0.0), heading_deg=180.0, scanner_after_m=20.0),
        LanePlace(lane="sb-02", portal_m=(20.0, 0.0), heading_deg=180.0),
    )
    sensors = [
        SensorPlace(
            sensor_id=f"rpm-{place.lane}", kind="rpm-tsa", lane=place.lane, place_m=place.portal_m
        )
        for place in lanes
    ]
    sensors += [
        SensorPlace(
            sensor_id=f"xray-{place.lane}",
            kind="xray-planes",
            lane=place.lane,
            place_m=place.place_m(20.0),
        )
        for place in (lanes[0], lanes[2])
    ]
    spectroscopic = SensorPlace(
        sensor_id="srpm-nb-02", kind="rpm-n42", lane="nb-02", place_m=lanes[1].portal_m
    )
    for zone, prefix, x_m, step_m in (
        ("east-fence", "geo-ef", 400.0, 15.0),
        ("west-desert", "geo-wd", -400.0, 30.0),
    ):
        sensors += [
            SensorPlace(
                sensor_id=f"{prefix}-{i + 1:02d}",
                kind="shake-udp",
                zone=zone,
                place_m=(x_m, step_m * i),
                options=(("channels", "EHZ"),),
            )
            for i in range(3)
        ]
    # Last, so that the others keep their ports.
    return _Places(lanes, (*sensors, spectroscopic))


def _reference_places(names: Sequence[str]) -> _Places:
    lanes = tuple(
        LanePlace(
            lane=name,
            portal_m=(6.0 * i, 0.0),
            heading_deg=0.0 if name.startswith("nb") else 180.0,
            scanner_after_m=SCANNER_AFTER_M,
        )
        for i, name in enumerate(names)
    )
    sensors = [
        SensorPlace(
            sensor_id=f"rpm-{place.lane}", kind="rpm-tsa", lane=place.lane, place_m=place.portal_m
        )
        for place in lanes
    ]
    sensors += [
        SensorPlace(
            sensor_id=f"srpm-{place.lane}",
            kind="rpm-n42",
            lane=place.lane,
            place_m=place.portal_m,
        )
        for place in lanes
        if place.lane in SPECTROSCOPIC
    ]
    sensors += [
        SensorPlace(
            sensor_id=f"geo-{i + 1:02d}",
            kind="shake-udp",
            zone="fence",
            place_m=(500.0, 15.0 * i),
            options=(("channels", "EHZ,EHN,EHE,SHZ"), ("rate_hz", "200")),
        )
        for i in range(16)
    ]
    sensors += [
        SensorPlace(
            sensor_id=f"xray-{name}",
            kind="xray-planes",
            lane=name,
            options=(("rows", "1200"), ("pitch_mm", "4.5"), ("format", "tiff")),
        )
        for name in ("nb-01", "sb-01")
    ]
    return _Places(lanes, tuple(sensors))
