"""What shakes the crossing's ground and is nobody's business: beasts, a road, weather, engines.

All of it is labelled too, so that a false alarm can be joined to its cause; what is felt
everywhere has no place in its label.
"""

import math
from collections.abc import Mapping
from random import Random

from simulators.crossing import Fence, Hour
from simulators.ground_scenes import EVENTS, draw
from simulators.movers import Mover

ROAD_M = 150.0  # beyond a fence; nearer, no vehicle on it could be told from one off the road
EVERYWHERE = frozenset({"wind", "rain", "thunder", "quake", "blast", "train", "helicopter"})
PER_HOUR: Mapping[str, float] = {
    "car": 4.0,
    "truck": 1.0,
    "horse": 0.3,
    "cattle": 0.3,
    "animal": 0.5,
    "wind": 0.3,
    "rain": 0.08,
    "thunder": 0.05,
    "helicopter": 0.15,
    "train": 0.25,
    "pump": 0.4,
    "generator": 0.15,
    "knocks": 0.3,
    "quake": 0.03,
    "blast": 0.03,
}
"""Nuisances of one fence: a road and a farm nearby, a railway and a flight path far off."""
CLOSEST_M = {
    "helicopter": (200.0, 600.0),
    "train": (260.0, 900.0),
    "pump": (30.0, 90.0),
    "generator": (30.0, 100.0),
    "knocks": (10.0, 40.0),
    "horse": (5.0, 40.0),
    "cattle": (10.0, 50.0),
    "animal": (5.0, 40.0),
}
LASTS_S = {"wind": 400.0, "rain": 600.0, "thunder": 200.0, "pump": 400.0, "generator": 500.0}


def nuisances(
    hour: Hour, random: Random, fence: Fence, rate: float = 1.0, *, road_m: float = ROAD_M
) -> None:
    """What comes by that is nobody's business, `rate` times as often as usual."""
    for kind, per_hour in PER_HOUR.items():
        at_s = random.expovariate(max(rate, 1e-9) * per_hour / 3600.0)
        while at_s < hour.duration_s:
            nuisance(hour, random, fence, kind, at_s, road_m=road_m)
            at_s += random.expovariate(max(rate, 1e-9) * per_hour / 3600.0)


def nuisance(
    hour: Hour, random: Random, fence: Fence, kind: str, at_s: float, *, road_m: float = ROAD_M
) -> float:
    """One of them; returns when it is over."""
    if kind in ("car", "truck"):
        mover = on_road(random, fence, kind, at_s, road_m)
    else:
        low_m, high_m = CLOSEST_M.get(kind, (0.0, 0.0))
        mover = draw(
            kind,
            random,
            at_s=at_s,
            closest_m=random.uniform(low_m, high_m),
            place_m=fence.middle_m,
            for_s=LASTS_S.get(kind, 90.0) * random.uniform(0.5, 1.5),
            zone="" if kind in EVERYWHERE else fence.zone,
        )
    hour.move(mover, "road" if kind in ("car", "truck") else kind, _right(mover))
    return mover.end_s


def _right(mover: Mover) -> tuple[str, ...]:
    """Events that are right of it: none of what belongs there."""
    return EVENTS[mover.class_name] if mover.class_name in ("animal", "aircraft") else ()


def on_road(random: Random, fence: Fence, kind: str, at_s: float, away_m: float) -> Mover:
    """A car or a truck along a road so far beyond the fence."""
    road_m = fence.middle_m[0] + math.copysign(away_m, fence.middle_m[0])
    low_m, high_m = fence.middle_m[1] - 280.0, fence.middle_m[1] + 280.0
    ends = ((road_m, low_m), (road_m, high_m))
    if random.random() < 0.5:
        ends = ends[::-1]
    car = kind == "car"
    return Mover(
        mover_id="",
        kind=kind,
        zone=fence.zone,
        start_s=at_s,
        start_m=ends[0],
        end_m=ends[1],
        speed_m_s=random.uniform(9.0, 18.0) if car else random.uniform(8.0, 13.0),
        mass_kg=random.uniform(1_000.0, 2_800.0) if car else random.uniform(6_000.0, 32_000.0),
    )
