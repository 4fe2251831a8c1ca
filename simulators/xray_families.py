"""Cargo by HS chapter: how dense, how high, which texture, made of what.

Thresholds are fitted on the tuning families alone; figures are reported on the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulators.xray_box import ACROSS_M, Box
from simulators.xray_cars import cars
from simulators.xray_clutter import appliances, engines, household, machines, pipes, scrap
from simulators.xray_patterns import (
    Area,
    Pattern,
    cartons,
    cylinders,
    mound,
    packs,
    pallets,
    sacks,
    tyres,
)
from simulators.xray_scene import Random, Scene, Span

HEAVIEST_KG = 25_500.0  # payload of a container on the road


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One kind of load."""

    chapter: str
    """Of the Harmonized System, two digits."""
    clutter: str
    """What it is built to be; each case's truth has what it measured."""
    density_g_cm3: Span
    """Of the stowed volume, the gaps at the sides and between the pieces included."""
    height: Span
    """Share of the box's inside height that it is stacked to."""
    fill: Span
    """Share of the box's length."""
    pattern: Pattern
    period_m: Span = (0.0, 0.0)
    """Along the vehicle, the texture's; (0, 0) without one."""
    material: str = "organic"
    second: str = "steel"
    second_share: float = 0.0
    """By mass, of the second material; where the pattern says which parts are of it, of those."""


_TUNING: Mapping[str, Family] = {
    "grain": Family(
        chapter="10",
        clutter="low",
        density_g_cm3=(0.6, 0.75),
        height=(0.4, 0.6),
        fill=(0.9, 1.0),
        pattern=mound(),
    ),
    "sugar-bags": Family(
        chapter="17",
        clutter="low",
        density_g_cm3=(0.5, 0.65),
        height=(0.4, 0.6),
        fill=(0.7, 1.0),
        pattern=sacks(0.75, 0.15),
        period_m=(0.7, 0.8),
    ),
    "fruit-cartons": Family(
        chapter="08",
        clutter="low",
        density_g_cm3=(0.22, 0.36),
        height=(0.75, 0.92),
        fill=(0.8, 1.0),
        pattern=cartons(0.4, 0.26, spread=0.06),
        period_m=(0.36, 0.44),
    ),
    "mixed-pallets": Family(
        chapter="39",
        clutter="medium",
        density_g_cm3=(0.12, 0.32),
        height=(0.6, 0.95),
        fill=(0.6, 1.0),
        pattern=pallets(),
        period_m=(1.2, 1.3),
    ),
    "chemical-drums": Family(
        chapter="29",
        clutter="medium",
        density_g_cm3=(0.35, 0.55),
        height=(0.37, 0.75),
        fill=(0.6, 1.0),
        pattern=cylinders(0.585, 0.88, rows=4),
        period_m=(0.58, 0.59),
        second_share=0.1,
    ),
    "tyres": Family(
        chapter="40",
        clutter="medium",
        density_g_cm3=(0.13, 0.2),
        height=(0.85, 0.97),
        fill=(0.85, 1.0),
        pattern=tyres(),
        second_share=0.15,
    ),
    "paper-rolls": Family(
        chapter="48",
        clutter="medium",
        density_g_cm3=(0.35, 0.48),
        height=(0.5, 0.95),
        fill=(0.6, 0.95),
        pattern=cylinders(1.12, 1.2, rows=2, hollow=0.1),
        period_m=(1.12, 1.13),
    ),
    "steel-scrap": Family(
        chapter="72",
        clutter="high",
        density_g_cm3=(0.2, 0.42),
        height=(0.3, 0.5),
        fill=(0.7, 1.0),
        pattern=scrap((0.08, 0.6), per_m2=22.0),
        material="steel",
    ),
    "machinery": Family(
        chapter="84",
        clutter="high",
        density_g_cm3=(0.07, 0.15),
        height=(0.6, 0.9),
        fill=(0.5, 1.0),
        pattern=machines((1.2, 3.0)),
        second_share=1.0,
    ),
    "household": Family(
        chapter="94",
        clutter="high",
        density_g_cm3=(0.1, 0.2),
        height=(0.8, 0.97),
        fill=(0.6, 1.0),
        pattern=household(),
        second_share=1.0,
    ),
}
_REPORT: Mapping[str, Family] = {
    "cement-bags": Family(
        chapter="25",
        clutter="low",
        density_g_cm3=(0.6, 0.75),
        height=(0.35, 0.5),
        fill=(0.7, 1.0),
        pattern=sacks(0.6, 0.11, 0.04),
        period_m=(0.57, 0.63),
    ),
    "frozen-meat": Family(
        chapter="02",
        clutter="low",
        density_g_cm3=(0.32, 0.45),
        height=(0.7, 0.9),
        fill=(0.85, 1.0),
        pattern=cartons(0.55, 0.16, spread=0.05, deep=6, aligned=False),
        period_m=(0.5, 0.6),
    ),
    "polymer-bags": Family(
        chapter="31",
        clutter="low",
        density_g_cm3=(0.42, 0.52),
        height=(0.5, 0.75),
        fill=(0.8, 1.0),
        pattern=sacks(0.95, 0.19, 0.03),
        period_m=(0.9, 1.0),
    ),
    "beverages": Family(
        chapter="22",
        clutter="medium",
        density_g_cm3=(0.35, 0.5),
        height=(0.45, 0.7),
        fill=(0.6, 0.95),
        pattern=pallets(
            carton_m=(0.4, 0.31), spread=0.04, density_spread=0.05, fill=(0.85, 1.0), liquid=True
        ),
        period_m=(1.2, 1.3),
        material="water",
    ),
    "liquid-totes": Family(
        chapter="34",
        clutter="medium",
        density_g_cm3=(0.4, 0.55),
        height=(0.5, 0.52),
        fill=(0.5, 0.95),
        pattern=pallets(
            pallet_m=1.0, carton_m=(1.0, 1.16), spread=0.02, density_spread=0.08, fill=(0.9, 1.0)
        ),
        period_m=(1.0, 1.1),
        material="water",
    ),
    "sawn-timber": Family(
        chapter="44",
        clutter="medium",
        density_g_cm3=(0.32, 0.45),
        height=(0.7, 0.95),
        fill=(0.8, 1.0),
        pattern=packs((3.9, 0.7), 0.05),
    ),
    "appliances": Family(
        chapter="85",
        clutter="medium",
        density_g_cm3=(0.11, 0.17),
        height=(0.85, 0.95),
        fill=(0.7, 1.0),
        pattern=appliances(),
        period_m=(0.62, 0.75),
        second_share=1.0,
    ),
    "aluminium-scrap": Family(
        chapter="76",
        clutter="high",
        density_g_cm3=(0.2, 0.4),
        height=(0.5, 0.8),
        fill=(0.7, 1.0),
        pattern=scrap((0.06, 0.45), per_m2=28.0, weight_spread=0.5),
        material="aluminium",
        second_share=0.05,
    ),
    "used-cars": Family(
        chapter="87",
        clutter="high",
        density_g_cm3=(0.055, 0.075),
        height=(0.62, 0.62),
        fill=(0.75, 1.0),
        pattern=cars(),
        second_share=1.0,
    ),
    "engines": Family(
        chapter="84",
        clutter="high",
        density_g_cm3=(0.1, 0.2),
        height=(0.4, 0.85),
        fill=(0.5, 0.9),
        pattern=engines(),
        period_m=(0.65, 1.2),
        second_share=1.0,
    ),
    "pipes": Family(
        chapter="73",
        clutter="high",
        density_g_cm3=(0.15, 0.3),
        height=(0.3, 0.6),
        fill=(0.7, 1.0),
        pattern=pipes(),
        material="steel",
    ),
}
TUNING_FAMILIES: tuple[str, ...] = tuple(_TUNING)
"""What thresholds may be fitted on."""
REPORT_FAMILIES: tuple[str, ...] = tuple(_REPORT)
"""What figures are made of; disjoint from the others, with every level of clutter in both."""
FAMILIES: Mapping[str, Family] = {**_TUNING, **_REPORT}


def stow(scene: Scene, box: Box, family: Family, along_m: Span, random: Random) -> float:
    """Load the box between these places; returns the mass in kg."""
    density = float(random.uniform(*family.density_g_cm3))
    height_m = float(random.uniform(*family.height)) * box.inside_m
    length_m = along_m[1] - along_m[0]
    # A heavy load is stacked less high: no more than the payload's share of this stretch.
    payload_kg = HEAVIEST_KG * min(length_m / 10.0, 1.0)
    height_m = min(height_m, payload_kg / (density * 1000.0 * length_m * ACROSS_M))
    at = scene.box(along_m, (box.deck_m, box.deck_m + height_m))
    area = Area(at[0].stop - at[0].start, at[1].stop - at[1].start, scene.pitch_m)
    if area.height < 4 or area.length < 4:
        return 0.0
    stowed = family.pattern(area, random)
    there = float(stowed.thick.sum(dtype=np.float64))
    mass_kg = density * 1000.0 * height_m * length_m * ACROSS_M
    # Gaps and uneven tops are part of the stowed volume, whose mean density is the family's.
    areal = stowed.thick * np.float32(mass_kg / 10.0 / max(there, 1e-6) / scene.pitch_m**2)
    second = family.second_share * areal
    if stowed.metal is not None:
        second *= stowed.metal
    if family.second_share:
        scene.paint(family.second, at, second)
        areal = areal - second
    scene.paint(family.material, at, areal)
    return mass_kg
