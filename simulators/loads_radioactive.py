"""Radioactive loads: goods that are so by nature, people after nuclear medicine, and sources.

How often each comes, and how strong it is, follows facts/radiation 3.1 and 5.4: a bare source
stands far above the background, a shielded one barely does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from simulators import radiation_physics as physics
from simulators.loads import Load, pallets, produce
from simulators.scenario import Cargo, Source

LEAD_AROUND_SOURCE_G_CM2 = 75.0  # 6.6 cm: lets through exp(-0.11 * 75) = 2.6e-4 at 662 keV

# --- by nature -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Commodity:
    """Goods with natural radioactivity; (least, most) of each quantity."""

    share: float
    """Of the alarms at a site in the United States (facts 3.1)."""
    bq_kg: Mapping[str, tuple[float, float]]
    """Typical activities: UNSCEAR 2000 annex B, IAEA Safety Reports Series 49."""
    tonnes: tuple[float, float]
    length_m: tuple[float, float]
    density_g_cm3: tuple[float, float]
    declared: str
    """HS chapter."""


COMMODITIES: Mapping[str, Commodity] = {
    "cat litter": Commodity(
        share=0.34,
        bq_kg={"K-40": (200.0, 500.0), "Ra-226": (20.0, 60.0), "Th-232": (25.0, 70.0)},
        tonnes=(9.0, 22.0),
        length_m=(8.0, 12.0),
        density_g_cm3=(0.6, 0.8),
        declared="25",
    ),
    "abrasives": Commodity(
        share=0.14,
        bq_kg={"K-40": (30.0, 150.0), "Ra-226": (100.0, 350.0), "Th-232": (100.0, 350.0)},
        tonnes=(5.0, 18.0),
        length_m=(4.0, 9.0),
        density_g_cm3=(1.0, 1.5),
        declared="68",
    ),
    "refractories": Commodity(
        share=0.08,
        bq_kg={"K-40": (50.0, 300.0), "Ra-226": (80.0, 250.0), "Th-232": (60.0, 250.0)},
        tonnes=(8.0, 20.0),
        length_m=(6.0, 11.0),
        density_g_cm3=(1.0, 1.4),
        declared="69",
    ),
    "mica": Commodity(
        share=0.05,
        bq_kg={"K-40": (2000.0, 3200.0), "Ra-226": (10.0, 40.0), "Th-232": (10.0, 40.0)},
        tonnes=(6.0, 20.0),
        length_m=(6.0, 11.0),
        density_g_cm3=(0.6, 0.9),
        declared="25",
    ),
    "potash": Commodity(
        share=0.05,
        bq_kg={"K-40": (9000.0, 16000.0), "Ra-226": (2.0, 15.0), "Th-232": (1.0, 10.0)},
        tonnes=(5.0, 20.0),
        length_m=(6.0, 11.0),
        density_g_cm3=(0.9, 1.1),
        declared="31",
    ),
    "granite": Commodity(
        share=0.04,
        bq_kg={"K-40": (900.0, 1300.0), "Ra-226": (40.0, 120.0), "Th-232": (50.0, 130.0)},
        tonnes=(8.0, 22.0),
        length_m=(6.0, 11.0),
        density_g_cm3=(1.2, 1.8),
        declared="68",
    ),
    "tile": Commodity(
        share=0.04,
        bq_kg={"K-40": (400.0, 900.0), "Ra-226": (50.0, 110.0), "Th-232": (40.0, 90.0)},
        tonnes=(10.0, 22.0),
        length_m=(7.0, 11.5),
        density_g_cm3=(0.9, 1.3),
        declared="69",
    ),
}


def norm(random: Random, commodity: str = "cat litter") -> Load:
    """Cat litter or other goods in bulk: radioactive everywhere, and lawful."""
    goods = COMMODITIES[commodity]
    tonnes = random.uniform(*goods.tonnes)
    length_m = random.uniform(*goods.length_m)
    density_g_cm3 = random.uniform(*goods.density_g_cm3)
    from_m = random.uniform(5.2, 17.3 - length_m)
    bulk = Cargo(
        kind="bulk",
        material="organic",
        density_g_cm3=density_g_cm3,
        from_m=from_m,
        to_m=from_m + length_m,
        top_m=min(2.2, tonnes / (density_g_cm3 * length_m * 2.2)),
    )
    sources = tuple(
        Source(
            nuclide=nuclide,
            activity_mbq=tonnes * random.uniform(*bq_kg) / 1000.0,
            from_m=from_m,
            to_m=from_m + length_m,
            height_m=1.2 + bulk.top_m / 2,
        )
        for nuclide, bq_kg in goods.bq_kg.items()
    )
    return Load(
        name="norm",
        cargo=(bulk,),
        sources=sources,
        declared=goods.declared,
        events=("RAD_INNOCENT",),
        nuclides=tuple(goods.bq_kg),
        detail=commodity,
    )


def any_norm(random: Random) -> Load:
    """A commodity as often as it alarms in the field."""
    names = list(COMMODITIES)
    return norm(random, random.choices(names, [COMMODITIES[name].share for name in names])[0])


# --- people ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Medicine:
    """A nuclide that is given to outpatients, and how it leaves them."""

    share: float
    """Of procedures: technetium as facts 3.1 says; the rest by rough practice."""
    dose_mbq: tuple[float, float]
    half_life_h: float
    leaves: float
    """The share that is excreted soon."""
    soon_h: float
    """Half-life of that share in the body."""
    later_h: float
    """And of the rest."""
    found_h: float
    """How long after the dose a portal finds it (facts 3.1)."""

    def activity_mbq(self, dose_mbq: float, after_h: float) -> float:
        """What of the dose is still in the body."""
        body = self.leaves * 0.5 ** (after_h / self.soon_h)
        body += (1.0 - self.leaves) * 0.5 ** (after_h / self.later_h)
        return float(dose_mbq * body * 0.5 ** (after_h / self.half_life_h))


DAY_H = 24.0
# Biological half-lives: ICRP 53 and 128, rounded to two compartments.
MEDICINES: Mapping[str, Medicine] = {
    name: Medicine(
        share=row[0],
        dose_mbq=(row[1], row[2]),
        half_life_h=row[3],
        leaves=row[4],
        soon_h=row[5],
        later_h=row[6],
        found_h=row[7],
    )
    for name, row in {
        "Tc-99m": (0.915, 200.0, 800.0, 6.007, 0.5, 10.0, 200.0, 3 * DAY_H),
        "F-18": (0.040, 200.0, 400.0, 1.829, 0.25, 2.0, 1000.0, 1 * DAY_H),
        "I-131": (0.012, 100.0, 5500.0, 192.5, 0.7, 10.0, 80 * DAY_H, 95 * DAY_H),
        "Tl-201": (0.012, 80.0, 150.0, 72.9, 0.0, 1.0, 10 * DAY_H, 51 * DAY_H),
        "I-123": (0.008, 10.0, 400.0, 13.22, 0.6, 12.0, 60 * DAY_H, 3 * DAY_H),
        "Ga-67": (0.003, 150.0, 300.0, 78.3, 0.25, 30.0, 25 * DAY_H, 51 * DAY_H),
        "In-111": (0.003, 20.0, 220.0, 67.3, 0.0, 1.0, 70 * DAY_H, 17 * DAY_H),
        "Lu-177": (0.007, 5500.0, 7400.0, 159.5, 0.75, 5.0, 20 * DAY_H, 60 * DAY_H),
    }.items()
}
FIRST_H = 2.0  # from the dose to the road
SEATS_M = ((2.0, -0.5), (2.0, 0.5))  # (from the front, across) of driver and passenger
SEAT_HEIGHT_M = 1.9  # in a truck's cab


def treated(random: Random, nuclide: str, after_h: float) -> Load:
    """Driver or passenger so long after a dose, on a truck with an ordinary load."""
    medicine = MEDICINES[nuclide]
    dose_mbq = random.uniform(*medicine.dose_mbq)
    place_m, across_m = random.choice(SEATS_M)
    body = Source(
        nuclide=nuclide,
        activity_mbq=medicine.activity_mbq(dose_mbq, after_h),
        from_m=place_m,
        to_m=place_m,
        in_body=True,
        across_m=across_m,
        height_m=SEAT_HEIGHT_M,
        profile_power=random.uniform(1.0, 1.5),
    )
    return replace(
        produce(random),
        name="patient",
        sources=(body,),
        events=("RAD_INNOCENT",),
        nuclides=(nuclide,),
        detail=f"{after_h / DAY_H:.1f} days after {dose_mbq:.0f} MBq",
    )


def patient(random: Random) -> Load:
    """Technetium, a day and a half after: enough to be named, not enough to hide anything."""
    return treated(random, "Tc-99m", random.uniform(32.0, 40.0))


def any_patient(random: Random) -> Load:
    """A procedure as often as it is done, and a time within which a portal finds it."""
    names = list(MEDICINES)
    nuclide = random.choices(names, [MEDICINES[name].share for name in names])[0]
    return treated(random, nuclide, random.uniform(FIRST_H, MEDICINES[nuclide].found_h))


# --- sources ---------------------------------------------------------------------------

SHIELDS: Mapping[str, tuple[float, float, float]] = {
    "bare": (0.0, 0.0, 0.0),
    "lead-1cm": (11.35, 0.0, 0.0),
    "lead-3cm": (34.0, 0.0, 0.0),
    "steel-2cm": (0.0, 15.7, 0.0),
    "steel-5cm": (0.0, 39.4, 0.0),
    "poly-8cm": (0.0, 0.0, 7.6),
}
"""g/cm2 of lead, steel and polyethylene."""
INDUSTRIAL = ("Cs-137", "Co-60", "Ba-133", "Ir-192", "Am-241", "Co-57", "Se-75", "Eu-152")
SPECIAL = ("U-235", "U-238", "Pu-239", "Np-237")
STRENGTH_CPS = (100.0, 400.0)  # of one PVT panel, right beside the source and outside its shield
# Neutrons per second and MBq: Cf-252 by its 3.1 % of fissions; the (alpha, n) sources and
# plutonium of 6 % Pu-240 by what their makers and the textbooks say (Knoll 2010, chapter 1).
NEUTRONS_PER_MBQ = {"Cf-252": 1.16e5, "AmBe": 59.0, "AmLi": 1.4, "Pu-239": 0.026}
PU_SELF_SHIELDING = 20.0  # a lump shows that much less of its gammas than of its neutrons


def source(
    random: Random, nuclide: str, *, shield: str = "bare", strength_cps: float | None = None
) -> Load:
    """A point source somewhere in the box, as strong as one panel counts it.

    strength_cps  behind its shield, at 2.5 m; None: from `STRENGTH_CPS`
    """
    place_m = random.uniform(6.0, 16.0)
    lead_g_cm2, steel_g_cm2, poly_g_cm2 = SHIELDS[shield]
    unit = Source(
        nuclide=nuclide,
        activity_mbq=1.0,
        from_m=place_m,
        to_m=place_m,
        across_m=random.uniform(-0.9, 0.9),
        height_m=random.uniform(0.9, 2.8),
        profile_power=random.uniform(1.0, 1.5),
        shield_lead_g_cm2=lead_g_cm2,
        shield_steel_g_cm2=steel_g_cm2,
        shield_poly_g_cm2=poly_g_cm2,
    )
    wanted_cps = random.uniform(*STRENGTH_CPS) if strength_cps is None else strength_cps
    of_unit_cps = float(physics.gamma_cps(unit, np.array([place_m]), 2.5)[0])
    activity_mbq = wanted_cps / of_unit_cps
    neutrons = NEUTRONS_PER_MBQ.get(nuclide, 0.0) * activity_mbq
    if nuclide == "Pu-239":
        neutrons *= PU_SELF_SHIELDING
    placed = replace(unit, activity_mbq=activity_mbq, neutrons_per_s=neutrons)
    return replace(
        random.choice((pallets, produce))(random),
        name="special" if nuclide in SPECIAL else "industrial",
        sources=(placed,),
        events=("RAD_THREAT", "SHIELDED_SOURCE"),
        nuclides=(nuclide,),
        detail=shield,
    )


def neutron_source(
    random: Random,
    kind: str = "Cf-252",
    *,
    neutrons_per_s: float = 20_000.0,
    poly_g_cm2: float = 3.8,
) -> Load:
    """Californium, or americium with beryllium or lithium, in polyethylene (facts 2)."""
    place_m = random.uniform(6.0, 16.0)
    nuclide = "Cf-252" if kind == "Cf-252" else "Am-241"
    placed = Source(
        nuclide=nuclide,
        activity_mbq=neutrons_per_s / NEUTRONS_PER_MBQ[kind],
        from_m=place_m,
        to_m=place_m,
        neutrons_per_s=neutrons_per_s,
        shield_poly_g_cm2=poly_g_cm2,
        # Americium's own photons are kept within a steel capsule and a little lead.
        shield_lead_g_cm2=0.0 if nuclide == "Cf-252" else 3.4,
        height_m=random.uniform(0.9, 2.8),
    )
    return replace(
        pallets(random),
        name="neutron",
        sources=(placed,),
        events=("RAD_THREAT",),
        nuclides=(nuclide,),
        detail=kind,
    )


def bare_source(random: Random) -> Load:
    """A Cs-137 source without any shield, somewhere in the box."""
    place_m = random.uniform(8.0, 14.0)
    placed = Source(
        nuclide="Cs-137",
        activity_mbq=random.uniform(1.0, 2.0),
        from_m=place_m,
        to_m=place_m,
        height_m=random.uniform(1.3, 2.3),
    )
    return replace(
        pallets(random),
        name="bare-source",
        sources=(placed,),
        events=("RAD_THREAT",),
        nuclides=("Cs-137",),
    )


def shielded_source(random: Random) -> Load:
    """A Cs-137 source in a lead pig within produce: little gets out, but the pig is dense."""
    place_m = random.uniform(8.5, 13.5)
    placed = Source(
        nuclide="Cs-137",
        activity_mbq=random.uniform(250.0, 280.0),
        from_m=place_m,
        to_m=place_m,
        shield_lead_g_cm2=LEAD_AROUND_SOURCE_G_CM2,
    )
    return replace(
        produce(random),
        name="shielded-source",
        sources=(placed,),
        events=("SHIELDED_SOURCE",),
        needs_scanner=True,
        nuclides=("Cs-137",),
    )
