"""One source of each class beside one ground sensor, on open ground in light wind."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from edge.study.ground_scenes import AFTER_S, FAST, WARM_S, Ground, Scene, pick
from simulators.ground_scenes import draw

KINDS: Mapping[str, tuple[str, ...]] = {
    "person": ("person", "person", "runner", "stealth"),
    "group": ("group",),
    "animal": ("horse", "cattle"),
    "vehicle": ("car", "truck", "tracked"),
    "digging": ("digging",),
    "aircraft": ("helicopter", "ultralight"),
    "weather": ("wind", "rain", "thunder"),
    "machinery": ("pump", "generator", "mains"),
    "unknown": ("quake", "blast", "knocks", "train"),
}
CLASSES = tuple(KINDS)
NEAR_M: Mapping[str, tuple[float, float]] = {
    "person": (1.0, 20.0),
    "runner": (1.0, 30.0),
    "stealth": (1.0, 10.0),
    "group": (1.0, 30.0),
    "horse": (2.0, 40.0),
    "cattle": (2.0, 40.0),
    "car": (5.0, 80.0),
    "truck": (8.0, 150.0),
    "tracked": (8.0, 150.0),
    "digging": (2.0, 25.0),
    "helicopter": (10.0, 300.0),
    "ultralight": (5.0, 150.0),
    "train": (50.0, 400.0),
    "pump": (3.0, 60.0),
    "generator": (3.0, 60.0),
    "mains": (3.0, 40.0),
    "knocks": (3.0, 40.0),
}
"""Nearest distance, where there is one: most can be heard there."""
WIND_M_S = (0.0, 4.0)
FOR_S = (40.0, 120.0)  # of what stays


def source(seed: int, name: str) -> Scene:
    """A source of the class `name`; its kind, manner and place are drawn."""
    ground = Ground.of(seed, 4)
    kind = pick(ground.random, KINDS[name])
    if kind == "ultralight":  # what a sensor cannot carry it is not asked for
        ground.sensor = pick(ground.random, FAST)
    ground.wind_m_s = ground.uniform(*WIND_M_S)
    nearest_m = ground.log_uniform(*NEAR_M[kind]) if kind in NEAR_M else 0.0
    drawn = draw(
        kind,
        Random(f"{seed}/{kind}"),
        at_s=WARM_S,
        closest_m=nearest_m,
        for_s=ground.uniform(*FOR_S),
    )
    mover = replace(drawn, mover_id=kind, zone=ground.zone)
    ground.movers.append(mover)
    return Scene(
        scenario=ground.scenario(mover.end_s + AFTER_S),
        seed=seed,
        site=ground.site,
        sensor=ground.sensor,
        what=name,
        from_s=mover.start_s,
        to_s=mover.end_s,
        range_m=nearest_m,
        detail=f"{kind}, {nearest_m:.0f} m, {mover.count} of {mover.mass_kg:.0f} kg, "
        f"{mover.speed_m_s:.1f} m/s, {mover.manner or 'no manner'}, size {mover.size:.2g}",
    )
