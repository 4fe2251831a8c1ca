"""Whether a load looks like what the papers say: an inconsistency to ask about, no accusation."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from fusion.scans.policy import XrayPolicy

EMPTY = "empty"
METALS = ("light-metal", "steel", "dense")
LIKELY_DEPTH_M = 2.2  # what a load can fill across a container, between its walls


@dataclass(frozen=True, slots=True)
class Goods:
    """How loads of some HS chapters look from the side."""

    density_g_cm3: tuple[float, float]
    """Of the load with its gaps and packing, over the whole depth of the box; nine in ten."""
    metal: tuple[float, float]
    """Share of what could be told that is metal of any kind."""
    homogeneity: tuple[float, float]
    """0 clutter ... 1 one bulk material."""


_ANY = (0.0, 1.0)
# Chapter ranges of the Harmonized System (WCO, 2022) -> what such goods weigh when they are
# stowed: bulk densities of trade handbooks (TIS stowage factors), less where pallets leave gaps.
# Bands are wide on purpose: a chapter holds many goods, and papers are right far more often.
_GOODS: tuple[tuple[range, Goods], ...] = (
    (range(1, 6), Goods((0.15, 0.85), (0.0, 0.25), _ANY)),  # animals, meat, fish, dairy
    (range(6, 9), Goods((0.10, 0.65), (0.0, 0.2), (0.1, 1.0))),  # plants, vegetables, fruit
    (range(9, 13), Goods((0.30, 0.95), (0.0, 0.2), (0.15, 1.0))),  # coffee, cereals, seeds
    (range(13, 25), Goods((0.20, 1.10), (0.0, 0.4), _ANY)),  # oils, food, drinks, tobacco
    (range(25, 28), Goods((0.45, 2.60), (0.0, 0.8), (0.2, 1.0))),  # salt, stone, ores, fuels
    (range(28, 39), Goods((0.20, 1.60), (0.0, 0.6), _ANY)),  # chemicals, in drums and sacks
    (range(39, 41), Goods((0.06, 0.75), (0.0, 0.35), _ANY)),  # plastics, rubber, tyres
    (range(41, 44), Goods((0.08, 0.60), (0.0, 0.25), _ANY)),  # hides, leather
    (range(44, 50), Goods((0.15, 0.95), (0.0, 0.2), _ANY)),  # wood, pulp, paper
    (range(50, 68), Goods((0.05, 0.55), (0.0, 0.2), _ANY)),  # textiles, clothes, shoes
    (range(68, 72), Goods((0.25, 1.90), (0.0, 0.7), _ANY)),  # stone, ceramics, glass
    (range(72, 82), Goods((0.15, 2.60), (0.45, 1.0), (0.0, 0.95))),  # iron, steel, other metals
    (range(82, 86), Goods((0.08, 1.30), (0.2, 1.0), (0.0, 0.75))),  # tools, machines, appliances
    (range(86, 90), Goods((0.05, 0.80), (0.25, 1.0), (0.0, 0.6))),  # vehicles and their parts
    (range(90, 93), Goods((0.05, 0.60), _ANY, (0.0, 0.9))),  # instruments, clocks
    (range(94, 98), Goods((0.04, 0.40), (0.0, 0.6), (0.0, 0.9))),  # furniture, toys, art
)


def goods_of(declared: str) -> Goods | None:
    """What the papers' HS code makes one expect, by its first two digits; None: no chapter."""
    digits = "".join(c for c in declared if c.isdigit())
    if len(digits) < 2 or not declared[:1].isdigit():
        return None
    chapter = int(digits[:2])
    return next((goods for chapters, goods in _GOODS if chapter in chapters), None)


def mismatches(
    declared: str,
    *,
    empty_nats: float,
    load_g_cm2: float,
    materials: Mapping[str, float],
    homogeneity: float,
    policy: XrayPolicy,
) -> tuple[tuple[str, float], ...]:
    """(what does not go with the papers, nats for that), strongest first; none below 0.

    load_g_cm2  mean areal density where load is seen
    """
    if declared == EMPTY:
        return (("declared-empty", round(-empty_nats, 3)),) if empty_nats < 0.0 else ()
    goods = goods_of(declared)
    if goods is None:
        return ()
    if empty_nats > 0.0:
        return (("nothing-seen", round(empty_nats, 3)),)
    found = [("density", _density(load_g_cm2, goods, policy))]
    told = sum(materials.get(name, 0.0) for name in ("organic", *METALS))
    if told >= policy.papers_told_share:
        metal = sum(materials.get(name, 0.0) for name in METALS) / told
        found.append(("material", _beyond(metal, goods.metal, policy.papers_metal_sd)))
    found.append(("texture", _beyond(homogeneity, goods.homogeneity, policy.papers_texture_sd)))
    rows = [(name, min(nats, policy.papers_most_nats)) for name, nats in found if nats > 0.0]
    return tuple((name, round(nats, 3)) for name, nats in sorted(rows, key=lambda row: -row[1]))


def _density(load_g_cm2: float, goods: Goods, policy: XrayPolicy) -> float:
    """Nats by how far the density is beyond the band, in factors."""
    density = max(load_g_cm2 / (100.0 * LIKELY_DEPTH_M), 1e-3)
    low, high = (math.log(bound) for bound in goods.density_g_cm3)
    return _beyond(math.log(density), (low, high), policy.papers_density_sd)


def _beyond(value: float, band: tuple[float, float], sd: float) -> float:
    """Half the square of the standard deviations beyond the band: 0 within it."""
    beyond = max(band[0] - value, value - band[1], 0.0) / sd
    return 0.5 * beyond * beyond
