"""How photons get from a source to the portal: through what it is wrapped in, and off the ground.

A sphere of shielding around the source is traced by Monte Carlo for a grid of energies; lines come
through unscattered with the exact exponential, and what is scattered becomes a flux in groups of
energy. The lane reflects part of all of it: a half-space of concrete under an even flux.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.response import (
    ELECTRON_KEV,
    LOSS_BINS,
    Beam,
    escapes,
    reflections,
)
from fusion.kernels.response_bins import Boxes, add_boxes
from fusion.spectra.matter import attenuation_per_cm, matter
from fusion.spectra.response import between, energy_grid, loss_edges
from fusion.spectra.steady import steady

Vector = NDArray[np.float64]

GROUPS = 160
GROUP_EDGES_KEV: Vector = steady(np.geomspace(12.0, 8000.0, GROUPS + 1))
PHOTONS = 8_000
CAPSULE_CHARGE = 20.0
SEED = 20_260_202


@dataclass(frozen=True, slots=True, kw_only=True)
class Shield:
    """A sphere of something around a source."""

    name: str
    material: str
    thickness_cm: float
    bulk: bool = False
    """The source fills the sphere."""


SHIELDS = (
    Shield(name="capsule", material="steel", thickness_cm=0.03),
    Shield(name="steel-3mm", material="steel", thickness_cm=0.3),
    Shield(name="steel-1cm", material="steel", thickness_cm=1.0),
    Shield(name="steel-2cm", material="steel", thickness_cm=2.0),
    Shield(name="steel-4cm", material="steel", thickness_cm=4.0),
    Shield(name="steel-8cm", material="steel", thickness_cm=8.0),
    Shield(name="lead-2mm", material="lead", thickness_cm=0.2),
    Shield(name="lead-5mm", material="lead", thickness_cm=0.5),
    Shield(name="lead-1cm", material="lead", thickness_cm=1.0),
    Shield(name="lead-3cm", material="lead", thickness_cm=3.0),
    Shield(name="lead-6cm", material="lead", thickness_cm=6.0),
    Shield(name="water-4cm", material="water", thickness_cm=4.0),
    Shield(name="body", material="water", thickness_cm=10.0),
    Shield(name="water-20cm", material="water", thickness_cm=20.0),
)
BULK = Shield(name="bulk", material="concrete", thickness_cm=30.0, bulk=True)
"""Cargo, ground and walls that are active themselves."""
METAL = Shield(name="metal", material="uranium", thickness_cm=1.0, bulk=True)
"""A piece of heavy metal that shields itself and shines in its own X-rays; plutonium, thorium and
uranium are near enough for one."""

SURROUNDINGS = (("water", 4.0, 1.0, 0.47), ("water", 30.0, 0.1, 0.22), ("steel", 1.0, 0.4, 0.24))
"""Air, walls and the vehicle scatter as shells of (material, cm) would, times so much for soft and
times so much for hard photons."""
GROUND_SHARE = (0.0, 0.48)
"""Of the photons towards the portal that reach it again off the ground, soft and hard."""
SOFT_KEV, HARD_KEV = 200.0, 500.0  # between them, in ln E; what soft photons lose off the ground is
# too little to stand apart from the other scatter
GROUND_AROUND = 0.4
"""Of both where the ground itself shines: from everywhere, so less of it comes by a way round."""
AIR_CM = 250.0
"""Between source and portal (facts/radiation 5.1)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Passage:
    """What comes out of one sphere, per photon of each grid energy."""

    energies_kev: Vector
    spread: Vector
    """(energies, LOSS_BINS) scattered, by energy lost."""
    peaks: Vector
    """(energies, 3) unscattered; unscattered annihilation photons and K X-rays."""


@lru_cache(maxsize=32)
def passages(material: str, radii_cm: tuple[float, ...], bulk: bool = False) -> tuple[Passage, ...]:
    """One per radius; with `bulk` the source fills the last sphere, and only that one counts."""
    inside = matter(material)
    energies = energy_grid(inside.edge_kev)
    radii = np.array(radii_cm)
    spread = np.zeros((len(radii), len(energies), LOSS_BINS))
    peaks = np.zeros((len(radii), len(energies), 3))
    for row, energy in enumerate(energies):
        state = np.array([SEED + row * 1_000_003], dtype=np.uint64)
        spread[:, row], peaks[:, row] = escapes(
            state, inside, radii, bulk, Beam(float(energy), PHOTONS)
        )
    return tuple(
        Passage(energies_kev=energies, spread=one, peaks=two)
        for one, two in zip(spread, peaks, strict=True)
    )


@lru_cache(maxsize=1)
def ground() -> Passage:
    """What concrete gives back of a flux that falls on it from everywhere."""
    inside = matter("concrete")
    energies = energy_grid()
    spread, peaks = np.zeros((len(energies), LOSS_BINS)), np.zeros((len(energies), 3))
    for row, energy in enumerate(energies):
        state = np.array([SEED + row * 1_000_003], dtype=np.uint64)
        spread[row], peaks[row] = reflections(state, inside, Beam(float(energy), PHOTONS))
    return Passage(energies_kev=energies, spread=spread, peaks=peaks)


def groups_of(passage: Passage, energies_kev: Vector, xray_kev: float = 0.0) -> Vector:
    """(n, GROUPS) scattered photons, annihilation photons, K X-rays, per photon of each energy."""
    spread = between(passage.energies_kev, energies_kev, passage.spread)
    peaks = between(passage.energies_kev, energies_kev, passage.peaks)
    boxes = energies_kev[:, None] - loss_edges(energies_kev)[:, ::-1]
    made = np.repeat([[ELECTRON_KEV, max(xray_kev, 1.0)]], len(energies_kev), axis=0)
    low = np.hstack([made, boxes[:, :-1]])
    high = np.hstack([made, boxes[:, 1:]])
    mass = np.hstack([peaks[:, 1:], spread[:, ::-1]])
    out = np.zeros((len(energies_kev), GROUPS))
    add_boxes(Boxes(low, high, mass, np.zeros_like(low)), GROUP_EDGES_KEV, out)
    return out


def group_middles_kev() -> Vector:
    """(GROUPS,)"""
    return np.asarray(np.sqrt(GROUP_EDGES_KEV[1:] * GROUP_EDGES_KEV[:-1]), dtype=np.float64)


def radii_cm(material: str) -> tuple[float, ...]:
    """Every sphere of a material that is traced: one run of histories serves them all."""
    shells = {cm for what, cm, *_ in SURROUNDINGS if what == material}
    shells |= {one.thickness_cm for one in SHIELDS if one.material == material}
    return tuple(sorted(shells))


def unscattered(shield: Shield, energies_kev: Vector) -> Vector:
    """(n,) share that comes through untouched."""
    if shield.bulk:
        passage = passages(shield.material, (shield.thickness_cm,), bulk=True)[0]
        return between(passage.energies_kev, energies_kev, passage.peaks)[:, 0]
    optical = attenuation_per_cm(shield.material, energies_kev) * shield.thickness_cm
    return steady(np.exp(-optical))


def scattered(shield: Shield, energies_kev: Vector) -> Vector:
    """(n, GROUPS) photons that come out of a shield changed."""
    return _scattered(shield.material, shield.thickness_cm, energies_kev, bulk=shield.bulk)


def _scattered(material: str, thickness_cm: float, energies_kev: Vector, *, bulk: bool) -> Vector:
    radii = (thickness_cm,) if bulk else radii_cm(material)
    passage = passages(material, radii, bulk)[radii.index(thickness_cm)]
    return groups_of(passage, energies_kev, matter(material).xray_kev)


def surroundings(energies_kev: Vector) -> Vector:
    """(n, GROUPS) photons that reach the portal by a way round, per photon that comes straight."""
    hard = np.log(energies_kev / SOFT_KEV) / np.log(HARD_KEV / SOFT_KEV)
    hard = steady(np.clip(hard, 0.0, 1.0))[:, None]
    total = (GROUND_SHARE[0] * (1 - hard) + GROUND_SHARE[1] * hard) * groups_of(
        ground(), energies_kev
    )
    for material, thickness_cm, soft_share, hard_share in SURROUNDINGS:
        share = soft_share * (1 - hard) + hard_share * hard
        total += share * _scattered(material, thickness_cm, energies_kev, bulk=False)
    return np.asarray(total, dtype=np.float64)


def air(energies_kev: Vector) -> Vector:
    """(n,) share that comes through the air to the portal."""
    return steady(np.exp(-attenuation_per_cm("air", energies_kev) * AIR_CM))


def bremsstrahlung(betas: tuple[tuple[float, float], ...]) -> Vector:
    """(GROUPS,) photons per 100 decays where betas stop in their capsule.

    Kramers' thick target, 2 k Z (T / E - 1) with k Z T^2 = 3.5e-4 Z T^2 radiated (Evans 1955, The
    Atomic Nucleus, chapter 20), over the allowed shape of a beta spectrum without Fermi function.
    """
    middle, width = group_middles_kev(), np.diff(GROUP_EDGES_KEV)
    total = np.zeros(GROUPS)
    for most_kev, percent in betas:
        kinetic = (np.arange(200) + 0.5) / 200 * most_kev
        momentum = np.sqrt(kinetic * (kinetic + 2 * ELECTRON_KEV))
        share = momentum * (kinetic + ELECTRON_KEV) * (most_kev - kinetic) ** 2
        share *= percent / share.sum()
        slope = (np.maximum(kinetic / middle[:, None] - 1, 0.0) * share).sum(axis=1)
        total += 7e-7 * CAPSULE_CHARGE * slope * width
    return total


def fission(per_100_decays: float) -> Vector:
    """(GROUPS,) prompt gammas of fission and as many again of its products.

    Peelle & Maienschein 1971 (Physical Review C 3:373): per fission and MeV 26.8 exp(-2.30 E) from
    0.3 to 1 MeV and 8.0 exp(-1.10 E) above; even below 0.3 MeV.
    """
    mev = group_middles_kev() / 1000
    rate = np.where(mev < 1.0, 26.8 * np.exp(-2.30 * mev), 8.0 * np.exp(-1.10 * mev))
    rate = np.where(mev < 0.3, 26.8 * np.exp(-2.30 * 0.3) * np.minimum(1, mev / 0.1), rate)
    return 2 * per_100_decays * steady(rate) * np.diff(GROUP_EDGES_KEV) / 1000
