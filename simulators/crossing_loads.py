"""What is smuggled through the crossing, and the lawful cargo that it hides in.

Of a shielded source little gets out, and its shield is small: what leaks is near what a portal can
tell from its background, and what the scan shows of the shield could be a tool box.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from random import Random

import numpy as np

from simulators import loads
from simulators import loads_radioactive as radioactive
from simulators import radiation_physics as physics
from simulators.loads import Load
from simulators.scenario import Cargo, Source

PANEL_M = 2.5  # at which leaks are told, of one panel
LEAK_CPS = (50.0, 110.0)
"""Of a shielded source, of one panel that counts some 230 of background: half of them or fewer ring
at a portal alone."""
BARE_CPS = (400.0, 2500.0)  # 0.3 to 2 MBq of Cs-137 behind a wall: still small for a source
LEAD_G_CM2 = (12.0, 40.0)  # 1 to 3.5 cm, crossed twice: what a scan shows could be a tool box
STEEL_G_CM2 = (25.0, 70.0)  # 3 to 9 cm
STEEL_SHARE = 0.25
DENSE_G_CM2 = (200.0, 350.0)  # of a hidden object, across
HIDDEN = ("Cs-137", "Co-60", "Ir-192", "Se-75", "Eu-152")
LoadMaker = Callable[[Random], Load]


# --- lawful ------------------------------------------------------------------------------


def grain(random: Random) -> Load:
    """A mound of grain or sugar, homogeneous."""
    return _filled(random, "bulk", (0.45, 0.75), (1.0, 1.5), declared="10", detail="grain")


def drums(random: Random) -> Load:
    """Chemicals in steel drums."""
    return _filled(random, "drums", (0.3, 0.5), (0.9, 1.8), declared="29", detail="drums")


def light_goods(random: Random) -> Load:
    """Pallets with little on them."""
    return _filled(random, "pallets", (0.08, 0.2), (1.0, 2.2), declared="94", detail="light goods")


def _filled(
    random: Random,
    kind: str,
    density_g_cm3: tuple[float, float],
    top_m: tuple[float, float],
    *,
    declared: str,
    detail: str,
) -> Load:
    block = Cargo(
        kind=kind,
        material="organic",
        density_g_cm3=random.uniform(*density_g_cm3),
        from_m=random.uniform(4.8, 5.4),
        to_m=random.uniform(13.0, 17.2),
        top_m=random.uniform(*top_m),
    )
    return Load(name="clean", cargo=(block,), declared=declared, detail=detail)


LAWFUL: tuple[LoadMaker, ...] = (*loads.LAWFUL, grain, drums, light_goods)
LOW_CLUTTER: tuple[LoadMaker, ...] = (loads.produce, grain)
MEDIUM_CLUTTER: tuple[LoadMaker, ...] = (loads.pallets, drums, light_goods)


# --- radioactive -------------------------------------------------------------------------


def bare_source(random: Random) -> Load:
    """An industrial source without any shield, somewhere in the box."""
    nuclide = random.choice(radioactive.INDUSTRIAL)
    strength_cps = math.exp(random.uniform(*map(math.log, BARE_CPS)))
    made = radioactive.source(random, nuclide, strength_cps=strength_cps)
    return replace(made, name="bare-source", events=("RAD_THREAT",), detail=f"bare {nuclide}")


def shielded_source(random: Random) -> Load:
    """A source in lead or steel amid cargo of low or medium clutter, with a faint leak."""
    steel = random.random() < STEEL_SHARE
    g_cm2 = random.uniform(*(STEEL_G_CM2 if steel else LEAD_G_CM2))
    nuclide = random.choice(HIDDEN if g_cm2 < 25.0 else HIDDEN[:2])
    host = random.choice((*LOW_CLUTTER, *MEDIUM_CLUTTER))(random)
    lead_g_cm2, steel_g_cm2 = (0.0, g_cm2) if steel else (g_cm2, 0.0)
    place_m = _within(random, host)
    leak = _leaking(random, nuclide, place_m, lead_g_cm2=lead_g_cm2, steel_g_cm2=steel_g_cm2)
    wall = f"{g_cm2 / 7.85:.1f} cm of steel" if steel else f"{g_cm2 / 11.35:.1f} cm of lead"
    return replace(
        host,
        name="shielded-source",
        sources=(leak,),
        events=("SHIELDED_SOURCE", "RAD_THREAT", "CARGO_ANOMALY"),
        nuclides=(nuclide,),
        needs_scanner=True,
        detail=f"{nuclide} in {wall}; {host.detail}".rstrip("; "),
    )


def neutron_source(random: Random) -> Load:
    """Californium or americium with beryllium in a hydrogenous load, which thermalises it."""
    kind = random.choice(("Cf-252", "AmBe"))
    made = radioactive.neutron_source(
        random,
        kind,
        neutrons_per_s=random.uniform(15_000.0, 40_000.0),
        poly_g_cm2=random.uniform(3.8, 8.0),
    )
    host = random.choice((loads.produce, grain, drums))(random)
    return replace(made, name="neutron-source", cargo=host.cargo, declared=host.declared)


def masked_source(random: Random) -> Load:
    """A source within a load that is radioactive by nature: a point on a wide profile."""
    host = radioactive.any_norm(random)
    nuclide = random.choice(("Cs-137", "Co-60", "Ir-192", "Ba-133"))
    place_m = _within(random, host)
    leak = _leaking(random, nuclide, place_m, cps=(200.0, 600.0))
    return replace(
        host,
        name="masked-source",
        sources=(*host.sources, leak),
        events=("RAD_THREAT", "SHIELDED_SOURCE"),
        nuclides=(nuclide, *host.nuclides),
        detail=f"{nuclide} in {host.detail}",
    )


def split_source(random: Random) -> Load:
    """Two weaker sources at two places of the load."""
    nuclide = random.choice(("Cs-137", "Co-60", "Ir-192"))
    host = random.choice(LOW_CLUTTER)(random)
    front_m, rear_m = random.uniform(6.0, 8.5), random.uniform(11.5, 14.5)
    halves = tuple(
        _leaking(random, nuclide, place_m, cps=(150.0, 400.0)) for place_m in (front_m, rear_m)
    )
    return replace(
        host,
        name="split-source",
        sources=halves,
        events=("RAD_THREAT", "SHIELDED_SOURCE"),
        nuclides=(nuclide,),
        detail=f"{nuclide} at two places",
    )


def half_source(random: Random) -> Load:
    """One of two vehicles that share what would stand out in one."""
    made = bare_source(random)
    (whole,) = made.sources
    half = replace(
        whole, activity_mbq=whole.activity_mbq / 2, neutrons_per_s=whole.neutrons_per_s / 2
    )
    return replace(made, name="shared-source", sources=(half,), detail=f"half, {made.detail}")


def _leaking(
    random: Random,
    nuclide: str,
    place_m: float,
    *,
    lead_g_cm2: float = 0.0,
    steel_g_cm2: float = 0.0,
    cps: tuple[float, float] = LEAK_CPS,
) -> Source:
    """A point whose rate outside its shield is drawn: how strong it is inside follows."""
    unit = Source(
        nuclide=nuclide,
        activity_mbq=1.0,
        from_m=place_m,
        to_m=place_m,
        across_m=random.uniform(-0.6, 0.6),
        # On the load floor, where the scan shows its shield.
        height_m=random.uniform(1.5, 2.0)
        if lead_g_cm2 or steel_g_cm2
        else random.uniform(1.0, 2.6),
        profile_power=random.uniform(1.0, 1.5),
        shield_lead_g_cm2=lead_g_cm2,
        shield_steel_g_cm2=steel_g_cm2,
    )
    of_unit_cps = float(physics.gamma_cps(unit, np.array([place_m]), PANEL_M)[0])
    wanted_cps = math.exp(random.uniform(math.log(cps[0]), math.log(cps[1])))
    return replace(unit, activity_mbq=wanted_cps / of_unit_cps)


def _within(random: Random, host: Load) -> float:
    """A place inside the load, a metre off its ends."""
    return random.uniform(
        max(7.0, min(block.from_m for block in host.cargo) + 1.0),
        min(15.5, max(block.to_m for block in host.cargo) - 1.0),
    )


# --- cargo -------------------------------------------------------------------------------


def dense_object(random: Random) -> Load:
    """A safe, a weapons box or ingots within a load of low or medium clutter."""
    host = random.choice((*LOW_CLUTTER, *MEDIUM_CLUTTER))(random)
    place_m, half_m = _within(random, host), random.uniform(0.25, 0.5)
    material, density_g_cm3 = random.choice((("steel", 7.0), ("lead", 11.3)))
    bottom_m = random.uniform(0.2, 0.6)
    thing = Cargo(
        kind="object",
        material=material,
        density_g_cm3=density_g_cm3,
        from_m=place_m - half_m,
        to_m=place_m + half_m,
        bottom_m=bottom_m,
        top_m=bottom_m + random.uniform(0.4, 0.8),
        width_m=random.uniform(*DENSE_G_CM2) / density_g_cm3 / 100.0,
    )
    return replace(
        host,
        name="dense-object",
        cargo=(*host.cargo, thing),
        events=("CARGO_ANOMALY",),
        needs_scanner=True,
        detail=f"{material}; {host.detail}".rstrip("; "),
    )


def false_empty(random: Random) -> Load:
    """Goods at the front wall or the doors of a box that the papers call empty."""
    long_m = random.uniform(0.9, 2.2)
    from_m = 4.3 if random.random() < 0.6 else 17.6 - long_m
    block = Cargo(
        kind="pallets",
        material="organic",
        density_g_cm3=random.uniform(0.2, 0.4),
        from_m=from_m,
        to_m=from_m + long_m,
        top_m=random.uniform(0.9, 1.7),
        width_m=random.uniform(1.2, 2.0),
    )
    return Load(
        name="false-empty",
        cargo=(block,),
        declared="empty",
        events=("CARGO_MISMATCH",),
        needs_scanner=True,
    )


OF_LANES: dict[str, LoadMaker] = {
    "bare-source": bare_source,
    "shielded-source": shielded_source,
    "neutron-source": neutron_source,
    "masked-source": masked_source,
    "split-source": split_source,
    "dense-object": dense_object,
    "false-empty": false_empty,
}
"""Stratum to what makes its load."""
