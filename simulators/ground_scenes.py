"""Short scenes on simulated ground: one thing passes a sensor, drawn within the facts' ranges.

For packs, fits and tests that need thousands of passes and no checkpoint around them.
"""

import math
from collections.abc import Sequence
from random import Random

import numpy as np

from simulators.ground import Floats
from simulators.ground_motion import GroundMotion
from simulators.movers import CLASSES, Mover
from simulators.scenario import Scenario, SensorPlace, Truth

START_UTC_NS = 1_763_740_000_000_000_000  # 2025-11-21 15:46:40 UTC, a morning at the site
EVENTS = {
    "person": ("PERSON",),
    "group": ("GROUP", "PERSON"),
    "animal": ("ANIMAL",),
    "vehicle": ("VEHICLE_OFF_LANE",),
    "digging": ("DIGGING",),
    "aircraft": ("AIRCRAFT_LOW",),
}
"""Event codes that are right for a class; of the others none is."""
KINDS = tuple(CLASSES)
STAYING = ("digging", "pump", "generator", "mains", "knocks", "wind", "rain", "thunder")
ONCE = ("quake", "blast")
SPEED_M_S = {
    "person": (0.9, 1.8),
    "runner": (2.5, 4.5),
    "stealth": (0.3, 0.9),
    "group": (0.9, 1.7),
    "animal": (0.8, 3.5),
    "horse": (1.1, 4.0),
    "cattle": (0.4, 1.1),
    "vehicle": (4.0, 16.0),
    "car": (4.0, 20.0),
    "truck": (3.0, 16.0),
    "tracked": (1.8, 6.0),
    "ultralight": (18.0, 30.0),
    "helicopter": (25.0, 65.0),
    "train": (10.0, 30.0),
}
MASS_KG = {
    "animal": (250.0, 600.0),
    "horse": (350.0, 600.0),
    "cattle": (250.0, 700.0),
    "vehicle": (1_500.0, 3_500.0),
    "car": (1_000.0, 2_800.0),
    "truck": (5_000.0, 36_000.0),
    "tracked": (6_000.0, 40_000.0),
}
REACH_M = {
    "car": 150.0,
    "vehicle": 150.0,
    "truck": 200.0,
    "tracked": 150.0,
    "ultralight": 700.0,
    "helicopter": 1500.0,
    "train": 700.0,
}
"""How far before and after the nearest point a pass is told; 30 m of what walks."""
NEAREST_M = {
    "car": (5.0, 60.0),
    "vehicle": (5.0, 60.0),
    "truck": (6.0, 100.0),
    "tracked": (6.0, 80.0),
    "digging": (3.0, 25.0),
    "ultralight": (10.0, 200.0),
    "helicopter": (20.0, 400.0),
    "train": (40.0, 400.0),
    "pump": (5.0, 80.0),
    "generator": (5.0, 100.0),
    "knocks": (3.0, 30.0),
}
"""Where the caller leaves it open; 1 to 20 m of what walks."""
COUNT = {"group": (2, 5), "cattle": (3, 10), "horse": (1, 2)}
SIZE = {
    "wind": (3.0, 11.0),  # m/s more
    "rain": (2.0, 40.0),  # mm/h
    "thunder": (1.0, 8.0),  # Pa, 2 km away
    "quake": (1.0, 60.0),  # um/s
    "blast": (1.0, 40.0),
    "mains": (0.3, 6.0),  # um/s more
    "pump": (0.6, 4.0),
    "generator": (0.6, 4.0),
    "knocks": (0.5, 2.5),
}


def draw(
    kind: str,
    random: Random,
    *,
    at_s: float,
    closest_m: float | None = None,
    place_m: tuple[float, float] = (0.0, 0.0),
    for_s: float = 60.0,
    name: str = "",
    zone: str = "zone",
) -> Mover:
    """One source of a kind, everything about it drawn.

    What moves starts at `at_s` and passes `place_m` at `closest_m`, heading anywhere; what stays
    is so far away for `for_s`. KeyError: no such kind.
    """
    CLASSES[kind]
    low_m, high_m = NEAREST_M.get(kind, (1.0, 20.0))
    nearest_m = random.uniform(low_m, high_m) if closest_m is None else closest_m
    heading = random.uniform(0.0, 2.0 * math.pi)
    east, north = math.sin(heading), math.cos(heading)
    nearest = (place_m[0] + nearest_m * north, place_m[1] - nearest_m * east)
    stays = kind in STAYING or kind in ONCE
    reach_m = 0.0 if stays else REACH_M.get(kind, 30.0)
    speed_m_s = random.uniform(*SPEED_M_S.get(kind, (1.0, 1.0)))
    if kind == "ultralight":
        height_m = random.uniform(40.0, 250.0)
    else:
        height_m = random.uniform(60.0, 400.0) if kind == "helicopter" else 0.0
    piston = kind == "pump" and random.random() < 0.4
    return Mover(
        mover_id=name or f"{kind}-{random.randrange(1_000_000):06d}",
        kind=kind,
        zone=zone,
        start_s=at_s,
        start_m=(nearest[0] - reach_m * east, nearest[1] - reach_m * north),
        end_m=(nearest[0] + reach_m * east, nearest[1] + reach_m * north),
        speed_m_s=speed_m_s,
        mass_kg=random.uniform(*MASS_KG.get(kind, (45.0, 110.0))),
        count=random.randint(*COUNT.get(kind, (1, 1))),
        lasts_s=for_s if stays else 0.0,
        manner="piston" if piston else "",
        size=_size(kind, random),
        height_m=height_m,
        length_m=_length_m(kind, random),
    )


def _size(kind: str, random: Random) -> float:
    low, high = SIZE.get(kind, (1.0, 1.0))
    return math.exp(random.uniform(math.log(low), math.log(high)))


def _length_m(kind: str, random: Random) -> float:
    if kind == "train":
        return random.uniform(150.0, 700.0)
    return random.uniform(7.0, 18.0) if kind == "truck" else 0.0


def truth_of(mover: Mover) -> Truth:
    """Its label: the class as the name, the kind as the detail."""
    return Truth(
        name=mover.class_name,
        subject=mover.mover_id,
        place=mover.zone,
        start_s=mover.start_s,
        end_s=mover.end_s,
        events=EVENTS.get(mover.class_name, ()),
        detail=mover.kind,
    )


def scene(
    movers: Sequence[Mover],
    *,
    seed: int,
    site: str = "",
    seconds: float = 60.0,
    sensors: Sequence[tuple[float, float]] = ((0.0, 0.0),),
    wind_m_s: float = 2.0,
    start_utc_ns: int = START_UTC_NS,
    kind: str = "shake-udp",
    options: tuple[tuple[str, str], ...] = (),
) -> Scenario:
    """A scenario of these movers with sensors `geo-1`, `geo-2`, ... at these places."""
    places = tuple(
        SensorPlace(
            sensor_id=f"geo-{number}", kind=kind, place_m=place_m, zone="zone", options=options
        )
        for number, place_m in enumerate(sensors, start=1)
    )
    return Scenario(
        name="ground",
        seed=seed,
        start_utc_ns=start_utc_ns,
        duration_s=seconds,
        sensors=places,
        movers=tuple(movers),
        wind_m_s=wind_m_s,
        site=site,
        truth=tuple(truth_of(mover) for mover in movers),
    )


def motion(scenario: Scenario, rate_hz: int, sensor_id: str = "geo-1", axes: str = "Z") -> Floats:
    """The whole scenario at one sensor, (axes, samples) in m/s."""
    station = GroundMotion(scenario, sensor_id, rate_hz, axes)
    seconds = math.ceil(scenario.duration_s)
    return np.concatenate([station.next_second() for _ in range(seconds)], axis=1)


PER_HOUR = {
    "car": 4.0,
    "truck": 1.0,
    "tracked": 0.05,
    "train": 0.25,
    "helicopter": 0.08,
    "pump": 0.5,
    "generator": 0.15,
    "knocks": 0.1,
    "wind": 0.25,
    "rain": 0.06,
    "thunder": 0.03,
    "quake": 0.03,
    "blast": 0.03,
    "mains": 0.1,
}
"""What comes by in an hour of a quiet place with a road, a railway and a farm at some distance."""
FAR_M = {"car": (30.0, 200.0), "truck": (40.0, 300.0), "train": (150.0, 900.0)}
LASTS_S = {"pump": 900.0, "generator": 2400.0, "wind": 2400.0, "rain": 1500.0, "mains": 1800.0}


def quiet(
    seed: int,
    *,
    site: str = "loess",
    seconds: float = 86_400.0,
    sensors: Sequence[tuple[float, float]] = ((0.0, 0.0),),
    start_utc_ns: int = START_UTC_NS,
    nuisances: bool = True,
    kind: str = "shake-udp",
    options: tuple[tuple[str, str], ...] = (),
) -> Scenario:
    """Hours in which nobody walks: wind, rain, machinery and traffic. Every person is false."""
    random = Random(f"quiet-ground/{seed}")
    movers: list[Mover] = []
    for what, per_hour in PER_HOUR.items() if nuisances else ():
        at_s = random.expovariate(per_hour / 3600.0)
        while at_s < seconds:
            low_m, high_m = FAR_M.get(what, NEAREST_M.get(what, (10.0, 100.0)))
            movers.append(
                draw(
                    what,
                    random,
                    at_s=at_s,
                    closest_m=random.uniform(low_m, high_m),
                    for_s=LASTS_S.get(what, 300.0) * random.uniform(0.4, 1.6),
                    name=f"{what}-{len(movers) + 1:04d}",
                )
            )
            at_s += random.expovariate(per_hour / 3600.0)
    return scene(
        movers,
        seed=seed,
        site=site,
        seconds=seconds,
        sensors=sensors,
        wind_m_s=random.uniform(0.5, 5.0),
        start_utc_ns=start_utc_ns,
        kind=kind,
        options=options,
    )
