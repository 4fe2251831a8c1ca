"""An hour at a fence of ground sensors: people to be told, and everything else that shakes it."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from simulators.ground_scenes import draw, truth_of
from simulators.movers import Mover
from simulators.scenario import Scenario, SensorPlace

ZONE = "fence"
SITE = "dry-sand"
SPACING_M = 15.0
SENSORS = 5
MIDDLE_M = (0.0, 30.0)
"""Of the line, which runs north from the origin; the road is east of it, the railway far west."""
FIRST_S, APART_S = 40.0, 135.0


def fence(seed: int, start_utc_ns: int, duration_s: float = 3600.0) -> Scenario:
    """Five sensors in a line: somebody or something comes by every two minutes or so.

    Walkers along and across it, a group, a runner, one who sneaks, beasts, vehicles, digging
    and aircraft; between them wind, rain, thunder, a pump, a train and knocks.
    """
    random = Random(f"fence/{seed}")
    movers: list[Mover] = []
    for number, make in enumerate(_PROGRAMME):
        at_s = FIRST_S + APART_S * number + random.uniform(0.0, 25.0)
        if at_s < duration_s:
            movers.append(replace(make(random, at_s), mover_id=f"{number + 1:02d}"))
    named = [replace(mover, mover_id=f"{mover.kind}-{mover.mover_id}") for mover in movers]
    return Scenario(
        name="fence",
        seed=seed,
        start_utc_ns=start_utc_ns,
        duration_s=duration_s,
        sensors=tuple(
            SensorPlace(
                sensor_id=f"geo-fn-{number + 1:02d}",
                kind="shake-udp",
                zone=ZONE,
                place_m=(0.0, SPACING_M * number),
                options=(("channels", "EHZ,EHN,EHE" if number == 2 else "EHZ"),),
            )
            for number in range(SENSORS)
        ),
        movers=tuple(named),
        wind_m_s=2.5,
        site=SITE,
        truth=tuple(truth_of(mover) for mover in named),
    )


Make = Callable[[Random, float], Mover]


def _along(kind: str, speed_m_s: float, count: int = 1, *, south: bool = False) -> Make:
    """Past all five sensors, some metres beside the line."""

    def make(random: Random, at_s: float) -> Mover:
        beside_m = random.uniform(2.0, 6.0)
        ends = ((beside_m, -30.0), (beside_m, SPACING_M * (SENSORS - 1) + 30.0))
        return Mover(
            mover_id="",
            kind=kind,
            zone=ZONE,
            start_s=at_s,
            start_m=ends[1] if south else ends[0],
            end_m=ends[0] if south else ends[1],
            speed_m_s=speed_m_s * random.uniform(0.9, 1.1),
            mass_kg=random.uniform(50.0, 100.0),
            count=count,
        )

    return make


def _across(kind: str, speed_m_s: float, count: int = 1) -> Make:
    """Over the line, between two of its sensors."""

    def make(random: Random, at_s: float) -> Mover:
        y_m = random.uniform(5.0, 55.0)
        return Mover(
            mover_id="",
            kind=kind,
            zone=ZONE,
            start_s=at_s,
            start_m=(-35.0, y_m),
            end_m=(35.0, y_m + random.uniform(-8.0, 8.0)),
            speed_m_s=speed_m_s * random.uniform(0.9, 1.1),
            mass_kg=random.uniform(50.0, 100.0),
            count=count,
        )

    return make


def _any(kind: str, closest_m: float, for_s: float = 70.0, size: float = 0.0) -> Make:
    """Whatever is drawn of a kind, so far from the middle of the line."""

    def make(random: Random, at_s: float) -> Mover:
        mover = draw(
            kind, random, at_s=at_s, closest_m=closest_m, place_m=MIDDLE_M, for_s=for_s, zone=ZONE
        )
        return replace(mover, size=size) if size else mover

    return make


def _road(kind: str, mass_kg: float, speed_m_s: float) -> Make:
    """Along the road, 60 m east of the line."""

    def make(random: Random, at_s: float) -> Mover:
        return Mover(
            mover_id="",
            kind=kind,
            zone=ZONE,
            start_s=at_s,
            start_m=(60.0, -250.0),
            end_m=(60.0, 310.0),
            speed_m_s=speed_m_s * random.uniform(0.8, 1.2),
            mass_kg=mass_kg,
        )

    return make


_PROGRAMME: tuple[Make, ...] = (
    _along("person", 1.4),
    _road("car", 1_600.0, 14.0),
    _across("person", 1.3),
    _any("wind", 0.0, 100.0, 7.0),
    _along("group", 1.2, 4),
    _road("truck", 18_000.0, 11.0),
    _any("knocks", 12.0, 60.0),
    _along("person", 1.5, south=True),
    _any("horse", 10.0),
    _any("pump", 35.0, 110.0, 2.0),
    _along("runner", 3.2),
    _any("thunder", 0.0, 80.0, 4.0),
    _any("cattle", 18.0),
    _across("stealth", 0.6),
    _any("helicopter", 120.0),
    _any("train", 260.0),
    _any("digging", 9.0, 90.0),
    _any("rain", 0.0, 110.0, 20.0),
    _road("tracked", 20_000.0, 6.5),
    _across("group", 1.3, 3),
    _any("quake", 0.0, 30.0, 12.0),
    _any("generator", 45.0, 110.0, 2.0),
    _any("ultralight", 40.0),
    _along("person", 1.1),
    _any("blast", 0.0, 30.0, 10.0),
    _road("car", 2_200.0, 18.0),
)
