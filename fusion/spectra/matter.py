"""What photons run through: elements, materials and their coefficients.

Photoelectric coefficients are those of Elam, Ravel & Sieber 2002 (Radiation Physics and Chemistry
63:121, as in the public package xraydb 4.5.8), which agree with NIST XCOM within a few per cent;
Compton is Klein & Nishina 1929 per electron; pairs are Maximon 1968 (J. Res. NBS 72B:79), Born
approximation without screening. Coherent scattering hardly turns a photon and is left out.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.response import ELECTRON_KEV, Matter
from fusion.spectra.steady import steady

Vector = NDArray[np.float64]

AVOGADRO = 6.02214076e23
ELECTRON_RADIUS_CM = 2.8179403e-13
FINE_STRUCTURE = 1 / 137.035999

GRID_KEV = (10, 15, 20, 30, 40, 60, 80, 100, 150, 200, 300, 500, 800)
# Beyond the grid the photoelectric coefficient falls with this power (XCOM, lead, 0.8 to 2 MeV).
HIGH_POWER = 1.8
TABLE_FIRST_KEV, TABLE_LAST_KEV, TABLE_COLUMNS = 9.0, 10_000.0, 700


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One element."""

    charge: int
    mass: float
    photo_cm2_g: tuple[float, ...]
    """At `GRID_KEV`."""
    edge: tuple[float, float, float] | None = None
    """K edge in keV, photo_cm2_g just below and just above it; None: below 10 keV."""
    xray: tuple[float, float] = (0.0, 0.0)
    """Mean K X-ray in keV, and how many come per absorption above the edge."""


def _element(
    charge: int,
    mass: float,
    photo: str,
    edge: tuple[float, float, float] | None = None,
    yields: tuple[float, float, float] = (0.0, 0.0, 1.0),
) -> Element:
    """`yields`: mean K X-ray (keV), fluorescence yield, jump ratio of the edge."""
    kev, fluorescence, jump = yields
    return Element(
        charge=charge,
        mass=mass,
        photo_cm2_g=tuple(float(value) for value in photo.split()),
        edge=edge,
        xray=(kev, fluorescence * (1 - 1 / jump)),
    )


# fmt: off
ELEMENTS: Mapping[str, Element] = {
    "H": _element(1, 1.008, ".00272 .000674 .00025 6.17e-5 2.28e-5 5.65e-6 2.11e-6 9.82e-7 2.5e-7"
                  " 9.63e-8 2.64e-8 5.93e-9 1.86e-9"),
    "C": _element(6, 12.011, "2.08 .559 .218 .0571 .0219 .00567 .00217 .00103 .000271 .000106"
                  " 2.98e-5 6.84e-6 2.14e-6"),
    "N": _element(7, 14.007, "3.54 .967 .381 .101 .0391 .0102 .00392 .00187 .000492 .000194"
                  " 5.46e-5 1.26e-5 3.95e-6"),
    "O": _element(8, 15.999, "5.57 1.54 .612 .164 .0639 .0168 .0065 .00311 .000823 .000325"
                  " 9.19e-5 2.12e-5 6.67e-6"),
    "Na": _element(11, 22.990, "15 4.32 1.76 .485 .193 .0519 .0203 .00982 .00264 .00105 .0003"
                   " 6.99e-5 2.2e-5"),
    "Al": _element(13, 26.982, "25.6 7.52 3.1 .872 .35 .0956 .0378 .0184 .00499 .002 .000574"
                   " .000134 4.25e-5"),
    "Si": _element(14, 28.085, "33.1 9.85 4.09 1.16 .469 .129 .0512 .025 .00681 .00274 .000788"
                   " .000185 5.85e-5"),
    "Ca": _element(20, 40.078, "92.4 29.1 12.5 3.73 1.55 .443 .18 .0893 .025 .0102 .003 .000716"
                   " .000228"),
    "Fe": _element(26, 55.845, "169 56.2 25 7.76 3.32 .978 .406 .204 .0586 .0243 .00726 .00176"
                   " .000565"),
    "Zn": _element(30, 65.38, "231 80.2 36.4 11.6 5.03 1.51 .637 .324 .0941 .0395 .0119 .00292"
                   " .000941"),
    "Ge": _element(32, 72.63, "35.7 90.4 41.4 13.4 5.84 1.78 .752 .384 .112 .0473 .0144 .00354"
                   " .00114", (11.10, 26.7, 196), (10.0, .523, 7.39)),
    "Br": _element(35, 79.904, "47.2 111 51.8 17 7.5 2.32 .99 .509 .151 .0639 .0196 .00485"
                   " .00157", (13.47, 20.5, 145), (12.1, .598, 7.14)),
    "Cd": _element(48, 112.41, "122 40 17.9 36.9 17.2 5.64 2.5 1.32 .407 .177 .0561 .0144"
                   " .00475", (26.71, 7.95, 49.6), (23.6, .836, 6.28)),
    "Te": _element(52, 127.60, "147 48.9 22.1 7.08 20.1 6.69 3 1.59 .499 .219 .07 .0182 .00602",
                   (31.81, 6.01, 36.4), (28.0, .883, 6.09)),
    "I": _element(53, 126.90, "160 53.2 24 7.72 21.5 7.21 3.24 1.72 .542 .238 .0765 .0199 .0066",
                  (33.17, 5.83, 35.0), (29.2, .893, 6.04)),
    "Cs": _element(55, 132.91, "176 59.1 26.8 8.63 23.2 7.87 3.56 1.9 .602 .266 .0856 .0224"
                   " .00745", (35.98, 5.18, 30.7), (31.6, .912, 5.95)),
    "La": _element(57, 138.91, "194 65.3 29.7 9.62 25.2 8.57 3.89 2.09 .665 .295 .0955 .0251"
                   " .00838", (38.92, 4.63, 27.0), (34.2, .928, 5.86)),
    "Pb": _element(82, 207.2, "126 108 84 28.9 13.3 4.43 2.01 5.24 1.81 .846 .293 .0826 .0287",
                   (88.00, 1.55, 7.30), (76.7, .978, 4.73)),
    "U": _element(92, 238.03, "174 61.5 68.3 39.6 18.7 6.36 2.94 1.61 2.37 1.14 .405 .118 .0419",
                  (115.61, 1.09, 4.59), (100.4, .969, 4.24)),
}
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """A mixture of elements."""

    density_g_cm3: float
    weights: tuple[tuple[str, float], ...]
    """Shares of the mass."""
    emitter: str = ""
    """Element whose K X-rays matter: those of the others are taken as stopped on the spot."""


MATERIALS: Mapping[str, Material] = {
    "NaI": Material(density_g_cm3=3.67, weights=(("Na", 0.1534), ("I", 0.8466)), emitter="I"),
    "CsI": Material(density_g_cm3=4.51, weights=(("Cs", 0.5116), ("I", 0.4884)), emitter="Cs"),
    "LaBr3": Material(density_g_cm3=5.08, weights=(("La", 0.3669), ("Br", 0.6331)), emitter="La"),
    "HPGe": Material(density_g_cm3=5.323, weights=(("Ge", 1.0),), emitter="Ge"),
    "CZT": Material(
        density_g_cm3=5.78, weights=(("Cd", 0.43), ("Zn", 0.028), ("Te", 0.542)), emitter="Te"
    ),
    "PVT": Material(density_g_cm3=1.032, weights=(("H", 0.085), ("C", 0.915))),
    "aluminium": Material(density_g_cm3=2.70, weights=(("Al", 1.0),)),
    "steel": Material(density_g_cm3=7.87, weights=(("Fe", 1.0),)),
    "lead": Material(density_g_cm3=11.35, weights=(("Pb", 1.0),), emitter="Pb"),
    "uranium": Material(density_g_cm3=18.95, weights=(("U", 1.0),), emitter="U"),
    "water": Material(density_g_cm3=1.0, weights=(("H", 0.1119), ("O", 0.8881))),
    "air": Material(density_g_cm3=0.0012, weights=(("N", 0.765), ("O", 0.235))),
    "concrete": Material(
        density_g_cm3=2.3,
        weights=(
            ("H", 0.01), ("O", 0.53), ("Na", 0.016), ("Al", 0.034), ("Si", 0.337), ("Ca", 0.059),
            ("Fe", 0.014),
        ),
    ),
}  # fmt: skip


def photo_cm2_g(element: Element, energy_kev: Vector) -> Vector:
    """Photoelectric coefficient of an element, log-log between the points of its table."""
    points = [(float(kev), value) for kev, value in zip(GRID_KEV, element.photo_cm2_g, strict=True)]
    if element.edge is not None:
        at, below, above = element.edge
        points += [(at * 0.9999, below), (at * 1.0001, above)]
        points.sort()
    kev, value = np.log(np.array(points)).T
    inside = np.exp(np.interp(np.log(energy_kev), kev, value))
    beyond = np.maximum(energy_kev / GRID_KEV[-1], 1.0) ** -HIGH_POWER
    return steady(inside * beyond)


def klein_nishina_cm2(energy_kev: Vector) -> Vector:
    """Compton cross section of one free electron (Klein & Nishina 1929, integrated)."""
    a = energy_kev / ELECTRON_KEV
    grown = np.log1p(2 * a)
    first = (1 + a) / a**2 * (2 * (1 + a) / (1 + 2 * a) - grown / a)
    total = first + grown / (2 * a) - (1 + 3 * a) / (1 + 2 * a) ** 2
    return steady(2 * np.pi * ELECTRON_RADIUS_CM**2 * total)


def pair_cm2(energy_kev: Vector) -> Vector:
    """Pair production in the field of a nucleus, for a charge of one (Maximon 1968)."""
    k = np.maximum(energy_kev / ELECTRON_KEV, 2.0)
    e = (2 * k - 4) / (2 + k + 2 * np.sqrt(2 * k))
    near = (2 * np.pi / 3) * ((k - 2) / k) ** 3
    near *= 1 + e / 2 + 23 * e**2 / 40 + 11 * e**3 / 60 + 29 * e**4 / 960
    grown = np.log(2 * k)
    far = 28 / 9 * grown - 218 / 27
    far += (2 / k) ** 2 * (6 * grown - 7 / 2 + 2 / 3 * grown**3 - grown**2 - np.pi**2 / 3 * grown)
    far += (2 / k) ** 2 * (2 * 1.2020569 + np.pi**2 / 6)
    far -= (2 / k) ** 4 * (3 / 16 * grown + 1 / 8)
    share = steady(np.where(k < 4, near, np.maximum(far, 0.0)))
    return FINE_STRUCTURE * ELECTRON_RADIUS_CM**2 * share


def coefficients(name: str, energy_kev: Vector) -> Vector:
    """(3, energies) photoelectric, Compton and pair coefficients of a material, in 1/cm."""
    material = MATERIALS[name]
    total = np.zeros((3, len(energy_kev)))
    for symbol, share in material.weights:
        element = ELEMENTS[symbol]
        atoms = AVOGADRO / element.mass * share
        total[0] += share * photo_cm2_g(element, energy_kev)
        total[1] += atoms * element.charge * klein_nishina_cm2(energy_kev)
        total[2] += atoms * element.charge**2 * pair_cm2(energy_kev)
    return total * material.density_g_cm3


def attenuation_per_cm(name: str, energy_kev: Vector) -> Vector:
    """(energies,) of all three together."""
    return np.asarray(coefficients(name, energy_kev).sum(axis=0), dtype=np.float64)


@lru_cache(maxsize=32)
def matter(name: str) -> Matter:
    """A material as the kernels want it."""
    grid = steady(np.geomspace(TABLE_FIRST_KEV, TABLE_LAST_KEV, TABLE_COLUMNS))
    emitter = MATERIALS[name].emitter
    xray_kev = edge_kev = xray_share = 0.0
    if emitter:
        element = ELEMENTS[emitter]
        assert element.edge is not None
        xray_kev, per_absorption = element.xray
        edge_kev = element.edge[0]
        above = np.array([edge_kev * 1.01])
        parts = [share * photo_cm2_g(ELEMENTS[one], above)[0] for one, share in _weights(name)]
        mine = dict(zip([one for one, _ in _weights(name)], parts, strict=True))[emitter]
        xray_share = per_absorption * mine / sum(parts)
    return Matter(
        log_first=math.log(grid[0]),
        log_step=math.log(grid[1] / grid[0]),
        weak=coefficients(name, grid),
        xray_kev=float(xray_kev),
        edge_kev=float(edge_kev),
        xray_share=float(xray_share),
    )


def _weights(name: str) -> tuple[tuple[str, float], ...]:
    return MATERIALS[name].weights
