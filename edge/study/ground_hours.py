"""Hours in which nobody is on foot: wind, rain, thunder, machinery, lawful traffic, trains.

Animals walk, too, and are a condition of their own that no figure with a goal counts.
"""

from collections.abc import Callable, Mapping

from edge.study.ground_scenes import Ground, Scene, all_sites
from simulators.ground_sites import SITES

HOUR_S = 3600.0
LULL_M_S, WIND_M_S, GALE_M_S = (0.0, 2.0), (2.0, 8.0), (8.0, 16.0)


def _calm(ground: Ground) -> None:
    ground.wind_m_s = ground.uniform(*LULL_M_S)


def _wind(ground: Ground) -> None:
    ground.wind_m_s = ground.uniform(*WIND_M_S)


def _gale(ground: Ground) -> None:
    ground.wind_m_s = ground.uniform(*GALE_M_S)


def _rain(ground: Ground) -> None:
    ground.wind_m_s = ground.uniform(*WIND_M_S)
    at_s = ground.uniform(0.0, 600.0)
    while at_s < HOUR_S:
        lasts_s = ground.log_uniform(120.0, 2400.0)
        ground.put("rain", at_s, ground.spot(0.0), lasts_s=lasts_s, size=ground.log_uniform(1, 40))
        at_s += lasts_s + ground.log_uniform(120.0, 1800.0)


def _thunder(ground: Ground) -> None:
    _rain(ground)
    at_s = ground.uniform(0.0, 120.0)
    while at_s < HOUR_S:
        lasts_s, pascal = ground.uniform(5.0, 30.0), ground.log_uniform(0.5, 10.0)
        ground.put("thunder", at_s, ground.spot(0.0), lasts_s=lasts_s, size=pascal)
        at_s += 30.0 + float(ground.random.exponential(180.0))


def _machinery(ground: Ground) -> None:
    """One or two machines, switched on and off."""
    ground.wind_m_s = ground.uniform(*LULL_M_S)
    for _ in range(int(ground.random.integers(1, 3))):
        kind = ("pump", "generator", "mains")[int(ground.random.integers(3))]
        manner = "piston" if kind == "pump" and ground.random.uniform() < 0.5 else ""
        where = ground.spot(ground.log_uniform(10.0, 120.0))
        at_s = ground.uniform(0.0, 600.0)
        while at_s < HOUR_S:
            lasts_s = ground.log_uniform(30.0, 1800.0)
            ground.put(kind, at_s, where, lasts_s=lasts_s, manner=manner)
            at_s += lasts_s + ground.log_uniform(20.0, 600.0)


def _road(ground: Ground) -> None:
    """A busy road beside."""
    ground.wind_m_s = ground.uniform(*LULL_M_S)
    ground.road(ground.log_uniform(20.0, 300.0), ground.log_uniform(15.0, 180.0), HOUR_S)


def _lane(ground: Ground) -> None:
    """Trucks creep through a lane of the checkpoint, and some stand with their engines on."""
    ground.wind_m_s = ground.uniform(*WIND_M_S)
    way = ground.line(ground.log_uniform(30.0, 200.0), 150.0, 150.0)
    at_s = ground.uniform(0.0, 60.0)
    while at_s < HOUR_S:
        ground.put(
            "truck",
            at_s,
            way,
            speed_m_s=ground.uniform(1.6, 4.0),
            mass_kg=ground.uniform(8e3, 3.5e4),
        )
        at_s += ground.uniform(50.0, 120.0)


def _trains(ground: Ground) -> None:
    ground.wind_m_s = ground.uniform(*WIND_M_S)
    ground.road(ground.log_uniform(80.0, 400.0), 180.0, HOUR_S)
    way = ground.line(ground.log_uniform(60.0, 500.0), 900.0, 900.0)
    at_s = ground.uniform(0.0, 900.0)
    while at_s < HOUR_S:
        ground.put(
            "train",
            at_s,
            way if ground.random.uniform() < 0.5 else (way[1], way[0]),
            speed_m_s=ground.uniform(8.0, 30.0),
            length_m=ground.uniform(100.0, 900.0),
        )
        at_s += ground.uniform(400.0, 1500.0)


def _all_at_once(ground: Ground) -> None:
    _trains(ground)
    _machinery(ground)
    _rain(ground)


def _animals(ground: Ground) -> None:
    """Horses and cattle graze and wander by."""
    ground.wind_m_s = ground.uniform(*WIND_M_S)
    at_s = ground.uniform(30.0, 200.0)
    while at_s < HOUR_S - 200.0:
        herd = int(ground.random.integers(1, 5))
        mover = ground.put(
            ("horse", "cattle")[int(ground.random.integers(2))],
            at_s,
            ground.line(ground.uniform(2.0, 60.0), 60.0, 60.0),
            speed_m_s=ground.uniform(0.8, 3.0),
            mass_kg=ground.uniform(250.0, 600.0),
            count=herd,
        )
        at_s = mover.end_s + ground.uniform(60.0, 600.0)


QUIET: Mapping[str, Callable[[Ground], None]] = {
    "calm": _calm,
    "wind": _wind,
    "gale": _gale,
    "rain": _rain,
    "thunder": _thunder,
    "machinery": _machinery,
    "road": _road,
    "lane": _lane,
    "trains": _trains,
    "all at once": _all_at_once,
}
"""Every condition makes as many of the hours."""
OUTDOORS = frozenset(("gale", "rain", "thunder", "road", "lane", "trains", "all at once"))
"""Told of open ground only: floors are inside."""


def quiet_hour(seed: int, condition: str) -> Scene:
    """An hour of one of `QUIET`."""
    fit = all_sites(seed)
    if condition in OUTDOORS:
        fit = tuple(name for name in fit if not SITES[name].indoors)
    ground = Ground.of(seed, 2, fit)
    QUIET[condition](ground)
    return _scene(ground, condition)


def animal_hour(seed: int) -> Scene:
    """An hour with animals about."""
    ground = Ground.of(seed, 3)
    _animals(ground)
    return _scene(ground, "animals")


def _scene(ground: Ground, what: str) -> Scene:
    return Scene(
        scenario=ground.scenario(HOUR_S),
        seed=ground.seed,
        site=ground.site,
        sensor=ground.sensor,
        what=what,
        to_s=HOUR_S,
        detail="; ".join(sorted({mover.kind for mover in ground.movers})),
    )
