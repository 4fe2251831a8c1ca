"""Spectra of one sodium iodide log: of sources in their shields, and of the ground and the sky.

Each shape is followed photon by photon once (`spectra_photons`), smeared with the log's
resolution, and kept as quantiles: drawing a count's energy from it is one look-up.
"""

import math
import zlib
from dataclasses import dataclass
from functools import cache

import numpy as np

from simulators import spectra_photons as photons
from simulators.scenario import Source
from simulators.spectra_data import ELECTRON_KEV, Floats, lines_of

NUMBER = 32_000  # photons followed for each shape: 1.3 % of scatter in a bin as wide as a peak
GRID_KEV = 2.0
TOP_KEV = 3200.0
LOWEST_KEV = 28.0  # lower discriminator
QUANTILES = 8192
REFERENCE_DISTANCE_M = 2.5
FACE_M2 = photons.LOG_CM[1] * photons.LOG_CM[2] * 1e-4
RESOLUTION = 0.070  # full width at half maximum at 662 keV (facts/radiation 5.3)
RESOLUTION_POWER = 0.56
SURROUNDINGS_SHARE = 0.22  # of the photons come back once from the pillar and the road
BODY_G_CM2 = (10.0, 13.0)  # tissue between an organ and the portal, and behind a bulk's middle
WALL_STEEL_G_CM2 = 2.4  # 3 mm: a box's wall or a door
BULK_G_CM2 = 160.0  # 2.2 m of goods at 0.7 g/cm3
SPREAD_M = 2.0  # a source longer than this is a load that absorbs its own radiation


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What one log counts of one thing."""

    quantiles_kev: Floats
    """(QUANTILES + 1,) energies below which so many counts are, smeared with the resolution."""
    cps: float
    """Above the lower discriminator: of 1 MBq at 2.5 m, or of one unit of a background."""

    def draw_kev(self, number: int, random: np.random.Generator) -> Floats:
        """Energies of so many counts."""
        at = random.random(number) * QUANTILES
        low = at.astype(np.int64)
        start = self.quantiles_kev[low]
        return np.asarray(start + (self.quantiles_kev[low + 1] - start) * (at - low))


def source_shape(source: Source) -> Shape:
    """Of a source in its shields, its vehicle's wall and, where it is one, its body or load."""
    if source.to_m - source.from_m > SPREAD_M:
        return _shape(source.nuclide, "bulk", 0.0, 0.0, 0.0)
    about = "body" if source.in_body else "point"
    lead, steel, poly = (
        round(g_cm2, 1)
        for g_cm2 in (
            source.shield_lead_g_cm2,
            source.shield_steel_g_cm2,
            source.shield_poly_g_cm2,
        )
    )
    return _shape(source.nuclide, about, lead, steel, poly)


@cache
def _shape(nuclide: str, about: str, lead: float, steel: float, poly: float) -> Shape:
    name = f"{nuclide}/{about}/{lead}/{steel}/{poly}"
    random = np.random.default_rng(zlib.crc32(name.encode()))
    energies_kev, per_decay = lines_of(nuclide)
    if about == "bulk":
        beam = photons.source_beam(energies_kev, per_decay, NUMBER, random)
        beam = photons.out_of(beam, "soil", BULK_G_CM2, random)
    else:
        beam = photons.source_beam(energies_kev, per_decay, NUMBER, random)
    if about == "body":
        beam = photons.through(beam, "tissue", BODY_G_CM2[0], random)
    for material, g_cm2 in (("lead", lead), ("steel", steel), ("poly", poly)):
        if g_cm2 > 0.0:
            beam = photons.through(beam, material, g_cm2, random)
    beam = photons.through(beam, "steel", WALL_STEEL_G_CM2, random)
    sent_per_s = 1e6 * float(per_decay.sum()) * beam.weight
    arriving_per_s = sent_per_s * FACE_M2 / (4.0 * math.pi * REFERENCE_DISTANCE_M**2)
    return _measured(beam.energy_kev, arriving_per_s, random)


def _measured(energy_kev: Floats, arriving_per_s: float, random: np.random.Generator) -> Shape:
    """What the log makes of photons that arrive, those from the surroundings beside them."""
    energy_kev = energy_kev[:NUMBER]
    some = energy_kev[: int(len(energy_kev) * SURROUNDINGS_SHARE)]
    cosine = random.uniform(-1.0, -0.2, len(some))
    back = some / (1.0 + some / ELECTRON_KEV * (1.0 - cosine))
    left, weight = photons.deposits(np.concatenate([energy_kev, back]), random)
    per_photon = arriving_per_s / len(energy_kev)
    return _smeared(left, weight * per_photon)


def _smeared(left_kev: Floats, weight: Floats) -> Shape:
    bins = round(TOP_KEV / GRID_KEV)
    counts = np.bincount(
        np.clip(left_kev / GRID_KEV, 0, bins - 1).astype(np.int64), weights=weight, minlength=bins
    )
    seen = _smearing() @ counts
    below = np.concatenate([[0.0], np.cumsum(seen)])
    edges_kev = np.linspace(0.0, TOP_KEV, bins + 1)
    start = float(np.interp(LOWEST_KEV, edges_kev, below))
    cps = float(below[-1] - start)
    # The very last count of a million may be anywhere above: it would smear the whole last step.
    wanted = start + np.linspace(0.0, 1.0 - 1e-6, QUANTILES + 1) * cps
    # Quantiles need a rising sum; where nothing is counted a trace keeps it so.
    rising = below + np.arange(len(below)) * 1e-15 * max(below[-1], 1e-30)
    return Shape(quantiles_kev=np.interp(wanted, rising, edges_kev), cps=cps)


def width_kev(energy_kev: Floats) -> Floats:
    """Full width at half maximum of a peak."""
    return np.asarray(RESOLUTION * 661.7 * (energy_kev / 661.7) ** RESOLUTION_POWER)


def light_kev(energy_kev: Floats) -> Floats:
    """Where a deposit shows: sodium iodide gives more light for each keV at low energies
    (Knoll 2010, Radiation Detection and Measurement, figure 8.14)."""
    return np.asarray(energy_kev * (1.0 + 0.02 * np.exp(-energy_kev / 250.0)))


@cache
def _smearing() -> Floats:
    """(seen, left): where a count of each deposit is seen."""
    grid_kev = np.arange(GRID_KEV / 2, TOP_KEV, GRID_KEV, dtype=np.float64)
    sigma_kev = width_kev(grid_kev) / 2.3548
    away = (grid_kev[:, None] - light_kev(grid_kev)[None, :]) / sigma_kev[None, :]
    near = np.abs(away) < 6.0
    matrix = np.zeros(away.shape)
    matrix[near] = np.exp(-0.5 * away[near] ** 2)
    return np.asarray(matrix / matrix.sum(axis=0))


# --- background ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part of the background, and how deep vehicles shade it."""

    name: str
    shape: Shape
    share: float
    """Of a dry day's counts."""
    shade: float
    """Relative to the suppression of the whole."""


SOIL_G_CM2 = 45.0
# Shares of a dry background's counts, chosen so that it is that of a 2x4x16 log at Livermore
# (facts/radiation 5.2): 44 % below 200 keV, 9.4 % above 1 MeV.
GROUND_SHARES = {"K-40": 0.26, "Ra-226": 0.26, "Th-232": 0.38}
COSMIC_SHARE = 0.10
DIRECT_SHADE, SCATTERED_SHADE, COSMIC_SHADE = 1.25, 0.95, 0.1
DRY_CPS = 1717.0  # of one log (facts/radiation 5.2)
SKY_SHARE = 0.30  # of the ground's photons are scattered once more, in the air


@cache
def background() -> tuple[Component, ...]:
    """Ground (each chain's lines and its scatter apart), rain's daughters, and the sky.

    The share of rain is 0: it comes with the weather.
    """
    parts: list[Component] = []
    for nuclide, share in GROUND_SHARES.items():
        random = np.random.default_rng(zlib.crc32(f"ground/{nuclide}".encode()))
        beam = photons.source_beam(*lines_of(nuclide), 2 * NUMBER, random)
        beam = photons.out_of(beam, "soil", SOIL_G_CM2, random)
        direct = _measured(beam.energy_kev[beam.untouched], float(beam.untouched.mean()), random)
        in_air = beam.energy_kev[random.random(beam.energy_kev.size) < SKY_SHARE]
        again, _ = photons.scatter(in_air, random)
        rest = np.concatenate([beam.energy_kev[~beam.untouched], again])
        scattered = _measured(random.permutation(rest), len(rest) / beam.energy_kev.size, random)
        both = direct.cps + scattered.cps
        for name, shape, shade in (
            (f"{nuclide} lines", direct, DIRECT_SHADE),
            (f"{nuclide} scatter", scattered, SCATTERED_SHADE),
        ):
            parts.append(
                Component(name=name, shape=shape, share=share * shape.cps / both, shade=shade)
            )
    parts.append(Component(name="rain", shape=_rain(), share=0.0, shade=1.0))
    parts.append(Component(name="cosmic", shape=_cosmic(), share=COSMIC_SHARE, shade=COSMIC_SHADE))
    return tuple(parts)


def _rain() -> Shape:
    """Lead-214 and bismuth-214 on the road: radium's chain without what stays below."""
    random = np.random.default_rng(zlib.crc32(b"rain"))
    energies_kev, per_decay = lines_of("Ra-226")
    washed_out = (np.abs(energies_kev - 186.2) > 1.0) & (energies_kev > 52.0)
    beam = photons.source_beam(energies_kev[washed_out], per_decay[washed_out], NUMBER, random)
    beam = photons.out_of(beam, "soil", 12.0, random)
    return _measured(beam.energy_kev, 1.0, random)


def _cosmic() -> Shape:
    """Showers: a soft part with annihilation in it, and muons that overflow the scale."""
    random = np.random.default_rng(zlib.crc32(b"cosmic"))
    soft = random.exponential(330.0, NUMBER)
    hard = random.uniform(200.0, 2.0 * TOP_KEV, int(0.55 * NUMBER))
    annihilation = np.full(int(0.05 * NUMBER), 511.0)
    left = np.concatenate([soft, annihilation, hard])
    return _smeared(np.minimum(left, TOP_KEV - 1.0), np.ones(len(left)))
