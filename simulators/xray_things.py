"""The things that are hidden in vehicles, and what little lies in boxes that ought to be empty."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from simulators.xray_box import ACROSS_M, Box
from simulators.xray_cars import draw_car
from simulators.xray_patterns import Area
from simulators.xray_scene import (
    ALUMINIUM_G_CM3,
    LEAD_G_CM3,
    STEEL_G_CM3,
    Floats,
    Random,
    Scene,
)

G_CM3 = {
    "organic": 0.9,
    "polyethylene": 0.94,
    "water": 1.0,
    "aluminium": ALUMINIUM_G_CM3,
    "steel": STEEL_G_CM3,
    "lead": LEAD_G_CM3,
}


class Extent(NamedTuple):
    """A box in a scan, in true metres."""

    from_m: float
    to_m: float
    """Behind the vehicle's front."""
    bottom_m: float
    top_m: float
    """Above the road."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for; empty or 0: from the seed."""

    material: str = ""
    mass_kg: float = 0.0
    place: str = ""
    strength: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A thing before it has a place: its sizes, and how it is drawn at one."""

    length_m: float
    height_m: float
    depth_m: float
    """Along the beam: so much of a load gives way to it."""
    material: str
    paint: Callable[[Scene, float, float], None]
    """On a canvas, with its left edge and its lower edge at these places."""
    mass_kg: float = 0.0
    """What it must weigh in the end; 0: what it is drawn with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where things can be hidden."""

    scene: Scene
    box: Box
    load_m: Extent
    """Where the load is; without one, the box's inside."""
    load: Mapping[str, Floats]
    """Maps of the load alone, as large as the scene; empty without one."""
    engine: bool
    """The picture shows a tractor."""


def _cuboid(
    material: str, sizes_m: tuple[float, float, float], g_cm3: float, mass_kg: float = 0.0
) -> Thing:
    long, high, deep = sizes_m

    def paint(canvas: Scene, from_m: float, bottom_m: float) -> None:
        canvas.add(
            material, (from_m, from_m + long), (bottom_m, bottom_m + high), g_cm3 * deep * 100.0
        )

    return Thing(
        length_m=long,
        height_m=high,
        depth_m=deep,
        material=material,
        paint=paint,
        mass_kg=mass_kg,
    )


def _small(around: Surroundings, wanted: Wanted, place: str, random: Random) -> Thing:
    """A litre or a kilogram and a half: a parcel or a bottle."""
    del around
    material = wanted.material or str(random.choice(["organic", "organic", "water", "aluminium"]))
    mass_kg = wanted.mass_kg or 1.5
    g_cm3 = G_CM3[material] * float(random.uniform(0.9, 1.2)) if material != "water" else 1.0
    litres = mass_kg / g_cm3
    flat = float(random.uniform(0.45, 1.0)) if place == "floor" else float(random.uniform(0.3, 0.7))
    side_m = (litres / 1000.0) ** (1 / 3)
    long_m = side_m * float(random.uniform(1.0, 1.8))
    deep_m = side_m * flat
    high_m = litres / 1000.0 / (long_m * deep_m)
    return _cuboid(material, (long_m, high_m, deep_m), g_cm3, mass_kg)


def _light(around: Surroundings, wanted: Wanted, place: str, random: Random) -> Thing:
    """Some boxes or one crate on the floor."""
    del place
    material = wanted.material or str(random.choice(["organic", "organic", "organic", "steel"]))
    mass_kg = wanted.mass_kg or float(np.exp(random.uniform(math.log(50), math.log(500))))
    g_cm3 = float(random.uniform(0.2, 0.7)) if material == "organic" else 0.4 * G_CM3[material]
    litres = mass_kg / g_cm3
    deep_m = min((litres / 1000.0) ** (1 / 3) * float(random.uniform(0.7, 1.3)), ACROSS_M)
    side_m2 = litres / 1000.0 / deep_m
    high_m = min(math.sqrt(side_m2) * float(random.uniform(0.6, 1.3)), around.box.inside_m - 0.1)
    return _cuboid(material, (side_m2 / high_m, high_m, deep_m), g_cm3, mass_kg)


def _block(around: Surroundings, wanted: Wanted, place: str, random: Random) -> Thing:
    """A dense block: so thick that it takes 40 to 80 g/cm2."""
    del around, place
    material = wanted.material or str(random.choice(["steel", "steel", "lead"]))
    g_cm3 = G_CM3[material]
    if wanted.mass_kg:
        side_m = (wanted.mass_kg / g_cm3 / 1000.0) ** (1 / 3)
        return _cuboid(material, (side_m, side_m, side_m), g_cm3, wanted.mass_kg)
    deep_m = min(float(random.uniform(40.0, 80.0)) / g_cm3 / 100.0, 0.9)
    return _cuboid(
        material, (float(random.uniform(0.3, 0.7)), float(random.uniform(0.3, 0.7)), deep_m), g_cm3
    )


def _steel_box(around: Surroundings, wanted: Wanted, place: str, random: Random) -> Thing:
    """A safe: plates of 8 to 20 mm, something in it."""
    del around, place
    long, high, deep = (float(size) for size in random.uniform(0.3, 0.7, 3))
    plate = float(random.uniform(0.008, 0.02))
    content = float(random.uniform(0.2, 0.8))

    def paint(canvas: Scene, from_m: float, bottom_m: float) -> None:
        along, height = (from_m, from_m + long), (bottom_m, bottom_m + high)
        canvas.add("steel", along, height, 2 * plate * 100.0 * STEEL_G_CM3)
        edge = (deep - 2 * plate) * 100.0 * STEEL_G_CM3
        canvas.add("steel", along, (bottom_m, bottom_m + plate), edge)
        canvas.add("steel", along, (bottom_m + high - plate, bottom_m + high), edge)
        inner = (bottom_m + plate, bottom_m + high - plate)
        canvas.add("steel", (from_m, from_m + plate), inner, edge)
        canvas.add("steel", (from_m + long - plate, from_m + long), inner, edge)
        inside = (from_m + plate, from_m + long - plate)
        filled = (inner[0], inner[0] + 0.8 * (inner[1] - inner[0]))
        canvas.add("organic", inside, filled, content * deep * 90.0)

    return Thing(
        length_m=long,
        height_m=high,
        depth_m=deep,
        material="steel",
        paint=paint,
        mass_kg=wanted.mass_kg,
    )


def _tubes(around: Surroundings, wanted: Wanted, place: str, random: Random) -> Thing:
    """One to four steel tubes lying along the vehicle, or aslant."""
    del around, place
    count = int(random.integers(1, 5))
    long = float(random.uniform(0.6, 1.5))
    radius = float(random.uniform(0.025, 0.08))
    hollow = 1.0 - float(random.uniform(0.005, 0.012)) / radius
    rise = float(random.uniform(-0.25, 0.25)) * long
    high = 2 * radius * count * 1.1 + abs(rise)

    def paint(canvas: Scene, from_m: float, bottom_m: float) -> None:
        strips = np.linspace(-1.0, 1.0, 13)
        for tube in range(count):
            start = bottom_m + 2.2 * radius * tube + radius + max(-rise, 0.0)
            for low, up in pairwise(strips):
                offset = (low + up) / 2
                wall = math.sqrt(1 - offset**2) - math.sqrt(max(hollow**2 - offset**2, 0.0))
                bottom, top = start + low * radius, start + up * radius
                corners = [
                    (from_m, bottom),
                    (from_m, top),
                    (from_m + long, top + rise),
                    (from_m + long, bottom + rise),
                ]
                canvas.polygon("steel", corners, 2 * radius * 100.0 * wall * STEEL_G_CM3)

    return Thing(
        length_m=long,
        height_m=high,
        depth_m=2 * radius,
        material="steel",
        paint=paint,
        mass_kg=wanted.mass_kg,
    )


def _bricks(around: Surroundings, wanted: Wanted, place: str, random: Random) -> Thing:
    """Bricks of 1 to 1.5 kg, one beside the other: flat in a wall, edge-on in a floor."""
    del around
    each_kg = float(random.uniform(1.0, 1.5))
    count = (
        max(1, round(wanted.mass_kg / each_kg)) if wanted.mass_kg else int(random.integers(1, 13))
    )
    g_cm3 = float(random.uniform(0.85, 1.15))
    long, wide = 0.2, 0.13
    thick = each_kg / 1000.0 / g_cm3 / (long * wide)
    sizes = {"floor": (long, thick, wide), "roof": (long, thick, wide)}.get(
        place, (long, wide, thick)
    )
    tiers = 1 if place in ("floor", "roof") or count < 4 else int(random.integers(1, 4))
    if place == "reefer":
        tiers = -(-count // 2)
    columns = -(-count // tiers)
    gap = 0.008

    def paint(canvas: Scene, from_m: float, bottom_m: float) -> None:
        for i in range(count):
            left = from_m + (i % columns) * (sizes[0] + gap)
            low = bottom_m + (i // columns) * (sizes[1] + gap)
            canvas.add(
                "organic", (left, left + sizes[0]), (low, low + sizes[1]), g_cm3 * sizes[2] * 100.0
            )

    return Thing(
        length_m=columns * (sizes[0] + gap) - gap,
        height_m=tiers * (sizes[1] + gap) - gap,
        depth_m=sizes[2],
        material="organic",
        paint=paint,
        mass_kg=wanted.mass_kg or count * each_kg,
    )


def _lead_pig(around: Surroundings, wanted: Wanted, place: str, random: Random) -> Thing:
    """A cylinder of lead, standing, with a bore for what it shields."""
    del around, place
    radius = float(random.uniform(0.08, 0.18))
    high = float(random.uniform(0.2, 0.4))
    bore = float(random.uniform(0.25, 0.6))

    def paint(canvas: Scene, from_m: float, bottom_m: float) -> None:
        strips = np.linspace(-1.0, 1.0, 17)
        floor = 0.2 * high
        for low, up in pairwise(strips):
            offset = (low + up) / 2
            whole = math.sqrt(1 - offset**2)
            wall = whole - math.sqrt(max(bore**2 - offset**2, 0.0))
            along = (from_m + (1 + low) * radius, from_m + (1 + up) * radius)
            areal = 2 * radius * 100.0 * LEAD_G_CM3
            canvas.add("lead", along, (bottom_m, bottom_m + floor), areal * whole)
            canvas.add("lead", along, (bottom_m + high - floor, bottom_m + high), areal * whole)
            canvas.add("lead", along, (bottom_m + floor, bottom_m + high - floor), areal * wall)

    return Thing(
        length_m=2 * radius,
        height_m=high,
        depth_m=2 * radius,
        material="lead",
        paint=paint,
        mass_kg=wanted.mass_kg,
    )


def _compartment(around: Surroundings, wanted: Wanted, place: str, random: Random) -> Thing:
    """A false front wall or a raised floor with goods behind it."""
    box = around.box
    goods = float(random.uniform(0.25, 0.8))
    false_wall = place != "floor"
    if false_wall:
        long, high, share = (
            float(random.uniform(0.25, 0.6)),
            box.inside_m,
            float(random.uniform(0.5, 1)),
        )
    else:
        long, high, share = float(random.uniform(2.0, 6.0)), float(random.uniform(0.07, 0.14)), 0.9

    def paint(canvas: Scene, from_m: float, bottom_m: float) -> None:
        plate = 0.004
        if false_wall:
            canvas.add(
                "steel",
                (from_m + long - 0.02, from_m + long),
                (bottom_m, bottom_m + high),
                plate / 0.02 * ACROSS_M * 100.0 * STEEL_G_CM3,
            )
            canvas.add(
                "organic",
                (from_m, from_m + long - 0.02),
                (bottom_m, bottom_m + share * high),
                goods * ACROSS_M * 100.0,
            )
            return
        along = (from_m, from_m + long)
        canvas.add(
            "steel",
            along,
            (bottom_m + high - 0.015, bottom_m + high),
            plate / 0.015 * ACROSS_M * 100.0 * STEEL_G_CM3,
        )
        inner = (bottom_m, bottom_m + high - 0.015)
        canvas.add("organic", along, inner, share * goods * ACROSS_M * 100.0)

    return Thing(
        length_m=long,
        height_m=high,
        depth_m=ACROSS_M,
        material="organic",
        paint=paint,
        mass_kg=wanted.mass_kg,
    )


def _car(around: Surroundings, wanted: Wanted, place: str, random: Random) -> Thing:
    """A whole car within the load."""
    del around, place
    long, high = float(random.uniform(3.7, 4.5)), 1.55
    own = int(random.integers(2**31))

    def paint(canvas: Scene, from_m: float, bottom_m: float) -> None:
        at = canvas.window((from_m, from_m + long), (bottom_m, bottom_m + high))
        area = Area(at[0].stop - at[0].start, at[1].stop - at[1].start, canvas.pitch_m)
        thick, metal = area.blank(), area.blank()
        place_px = (0.0, float(area.height), float(area.length) - 1.0)
        draw_car(thick, metal, area, place_px, np.random.default_rng(own))
        canvas.paint("steel", at, metal)
        canvas.paint("organic", at, np.maximum(thick - metal, 0))

    return Thing(
        length_m=long,
        height_m=high,
        depth_m=1.7,
        material="steel",
        paint=paint,
        mass_kg=wanted.mass_kg or float(random.uniform(950.0, 1500.0)),
    )


THINGS: Mapping[str, Callable[[Surroundings, Wanted, str, Random], Thing]] = {
    "small": _small,
    "light": _light,
    "block": _block,
    "steel-box": _steel_box,
    "tube": _tubes,
    "bricks": _bricks,
    "lead-pig": _lead_pig,
    "compartment": _compartment,
    "car": _car,
}
