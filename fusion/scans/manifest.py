"""Whether a load looks like what the papers say: an inconsistency to ask about, no accusation."""

import math
import re
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
    steel: tuple[float, float]
    """Share of the same that is steel or denser."""
    homogeneity: tuple[float, float]
    """0 clutter ... 1 one bulk material."""


_ANY = (0.0, 1.0)
_NOT_BULK = (0.0, 0.4)  # pieces with shapes of their own, with gaps between them
# Chapter ranges of the Harmonized System (WCO, 2022) -> how such goods look when they are stowed.
# Density: stowage factors of trade handbooks (TIS), less where pallets leave gaps, within the 0.15
# to 1.2 g/cm3 of organic loads (facts 4). Metal: what the goods are made of (facts 2.2); glass,
# stone and salts lie beside aluminium. Texture: sacks and bulk are even, machines are not.
# Wide where a chapter holds many goods: papers are right far more often than wrong.
_GOODS: tuple[tuple[range, Goods], ...] = (
    (range(1, 6), Goods((0.25, 0.75), (0.0, 0.2), (0.0, 0.25), _ANY)),  # animals, meat, fish, dairy
    (range(6, 9), Goods((0.15, 0.55), (0.0, 0.2), (0.0, 0.25), _ANY)),  # plants, vegetables, fruit
    (
        range(9, 13),
        Goods((0.30, 0.95), (0.0, 0.2), (0.0, 0.25), (0.25, 1.0)),
    ),  # coffee, cereals, seeds
    (
        range(13, 17),
        Goods((0.25, 0.85), (0.0, 0.35), (0.0, 0.25), _ANY),
    ),  # oils, tinned meat and fish
    (range(17, 18), Goods((0.45, 0.95), (0.0, 0.35), (0.0, 0.25), (0.15, 1.0))),  # sugar
    (
        range(18, 22),
        Goods((0.20, 0.85), (0.0, 0.35), (0.0, 0.25), _ANY),
    ),  # cocoa, flour goods, tins
    (
        range(22, 23),
        Goods((0.30, 0.90), (0.0, 0.5), (0.0, 0.25), _ANY),
    ),  # drinks, in cans and bottles too
    (range(23, 25), Goods((0.15, 0.80), (0.0, 0.3), (0.0, 0.25), _ANY)),  # fodder, tobacco
    (
        range(25, 28),
        Goods((0.50, 2.60), (0.0, 0.8), (0.0, 0.35), (0.2, 1.0)),
    ),  # salt, stone, cement, fuels
    (
        range(28, 39),
        Goods((0.30, 1.40), (0.0, 0.6), (0.0, 0.35), _ANY),
    ),  # chemicals, in drums and sacks
    (range(39, 40), Goods((0.08, 0.60), (0.0, 0.3), (0.0, 0.25), _ANY)),  # plastics
    (
        range(40, 41),
        Goods((0.10, 0.60), (0.0, 0.7), (0.0, 0.5), _ANY),
    ),  # rubber; tyres have steel belts
    (range(41, 44), Goods((0.10, 0.50), (0.0, 0.2), (0.0, 0.25), _ANY)),  # hides, leather, furs
    (range(44, 47), Goods((0.25, 0.85), (0.0, 0.2), (0.0, 0.25), _ANY)),  # wood
    (range(47, 50), Goods((0.30, 0.95), (0.0, 0.2), (0.0, 0.25), _ANY)),  # pulp, paper
    (range(50, 64), Goods((0.08, 0.45), (0.0, 0.15), (0.0, 0.25), _ANY)),  # textiles, clothes
    (range(64, 68), Goods((0.06, 0.35), (0.0, 0.2), (0.0, 0.25), _ANY)),  # shoes, hats
    (
        range(68, 72),
        Goods((0.30, 1.90), (0.0, 0.8), (0.0, 0.35), _ANY),
    ),  # stone goods, ceramics, glass
    (range(72, 74), Goods((0.15, 2.60), (0.75, 1.0), (0.6, 1.0), (0.0, 0.9))),  # iron and steel
    (
        range(74, 82),
        Goods((0.15, 2.60), (0.75, 1.0), _ANY, (0.0, 0.9)),
    ),  # copper, aluminium, other metals
    (
        range(82, 85),
        Goods((0.08, 0.90), (0.6, 1.0), (0.3, 1.0), _NOT_BULK),
    ),  # tools, machines, engines
    (range(85, 86), Goods((0.06, 0.50), (0.35, 1.0), _ANY, (0.0, 0.5))),  # electrical appliances
    (
        range(86, 90),
        Goods((0.05, 0.40), (0.5, 1.0), (0.3, 1.0), _NOT_BULK),
    ),  # vehicles and their parts
    (range(90, 93), Goods((0.05, 0.50), (0.1, 1.0), _ANY, (0.0, 0.7))),  # instruments, clocks
    (range(93, 94), Goods((0.10, 0.90), (0.5, 1.0), _ANY, (0.0, 0.6))),  # arms and ammunition
    (range(94, 95), Goods((0.04, 0.35), (0.0, 0.75), (0.0, 0.5), (0.0, 0.5))),  # furniture, lamps
    (
        range(95, 98),
        Goods((0.04, 0.35), (0.0, 0.6), (0.0, 0.5), (0.0, 0.7)),
    ),  # toys, all sorts, art
)
_EMPTY_WORDS = frozenset(
    ("empty", "mt", "mty", "vacío", "vacio", "vacía", "vacia", "vazio", "vazia", "vide", "leer")
)
_LEADING = ("hs", "hts", "ncm", "tariff", "chapter", "capitulo", "capítulo", "code")


def plain_declared(declared: str) -> str:
    """What papers say in the words of the rest: `EMPTY`, an HS code's digits, or as it was.

    Spreadsheets lose the zero that codes of the first nine chapters begin with: codes have an even
    number of digits.
    """
    words = re.findall(r"[^\W\d_]+|[\d.]+", declared.lower())
    if any(word in _EMPTY_WORDS for word in words) and not any(w[0].isdigit() for w in words):
        return EMPTY if not {"not", "no", "non"} & set(words) else declared
    while words and words[0] in _LEADING:
        words = words[1:]
    digits = words[0].replace(".", "") if words else ""
    if not digits.isdigit() or not 3 <= len(digits) <= 10:
        return declared
    return "0" + digits if len(digits) % 2 else digits


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
    metal_sd = policy.papers_metal_sd
    found = [("density", _density(load_g_cm2, goods, policy))]
    told = sum(materials.get(name, 0.0) for name in ("organic", *METALS))
    if told >= policy.papers_told_share:
        shares = (("light-metal", "steel", "dense"), goods.metal), (("steel", "dense"), goods.steel)
        nats = [
            _beyond(sum(materials.get(name, 0.0) for name in names) / told, band, metal_sd)
            for names, band in shares
        ]
        found.append(("material", max(nats)))
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
