"""What a dual-energy cargo scanner measures behind so many g/cm2 of something.

A free-streaming model: Kramers spectrum of a linear accelerator, 1 cm of iron filtration, a
3 cm energy-integrating detector, NIST mass attenuation (facts 2.2 and the table in facts 4).
"""

from collections.abc import Mapping
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# NIST mass attenuation, cm2/g (facts 4; 0.1 MeV from the same tables), at the energies of the
# first line.
_TABLE = """
MeV       0.1   0.2   0.5    1      1.5    2      3      4      5      6      8      10
H         .2944 .2429 .1729  .1263  .1027  .08769 .06921 .05806 .05049 .04498 .03746 .03254
C         .1514 .1229 .08715 .06361 .05179 .04442 .03562 .03047 .02708 .02469 .02154 .01959
O         .1551 .1237 .08729 .06372 .05185 .04459 .03597 .03100 .02777 .02552 .02263 .02089
aluminium .1704 .1223 .08445 .06146 .05006 .04324 .03541 .03106 .02836 .02655 .02437 .02318
steel     .3717 .1460 .08414 .05995 .04883 .04265 .03621 .03312 .03146 .03057 .02991 .02994
lead      5.549 .9985 .1614  .07102 .05222 .04606 .04234 .04197 .04272 .04391 .04675 .04972
"""
_CM2_G = {
    line.split()[0]: np.array([float(number) for number in line.split()[1:]])
    for line in _TABLE.strip().splitlines()
}
# Shares by mass. Cellulose stands for wood, paper, food and grain.
_MIXTURES = {
    "organic": {"C": 0.444, "H": 0.062, "O": 0.494},
    "polyethylene": {"C": 0.856, "H": 0.144},
    "water": {"H": 0.112, "O": 0.888},
}
MATERIALS = ("organic", "polyethylene", "water", "aluminium", "steel", "lead")

ENERGY_BINS = 24  # finer where there are more photons: R as with 200 equal ones within 0.001
LOWEST_MEV = 0.1  # 1 cm of iron leaves next to nothing below
FILTER_IRON_G_CM2 = 7.86
DETECTOR_G_CM2 = 3.0 * 7.9  # 3 cm of CdWO4
LUT_STEPS = 448  # g/cm2 on either axis: T is 1e-7 there, a thousandth of a quantum
CHUNK_PIXELS = 8192


def mass_attenuation(material: str, mev: NDArray[np.float64]) -> NDArray[np.float64]:
    """cm2/g at each energy, log-log between the table's points. KeyError: no such material."""
    parts = _MIXTURES.get(material) or {material: 1.0}
    total = np.zeros_like(mev)
    for part, share in parts.items():
        total += share * np.exp(np.interp(np.log(mev), np.log(_CM2_G["MeV"]), np.log(_CM2_G[part])))
    return total


@lru_cache(maxsize=8)
def spectrum(end_mev: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(energies in MeV, share of the detector's signal in air) of one accelerator energy."""
    edges = LOWEST_MEV + (end_mev - LOWEST_MEV) * np.linspace(0, 1, ENERGY_BINS + 1) ** 2
    mev = (edges[:-1] + edges[1:]) / 2
    photons = (1 - mev / end_mev) / mev * np.diff(edges)
    photons *= np.exp(-FILTER_IRON_G_CM2 * mass_attenuation("steel", mev))
    # CdWO4 lies between iron and lead in atomic number, and so does its attenuation.
    detector_cm2_g = (mass_attenuation("steel", mev) + mass_attenuation("lead", mev)) / 2
    signal = photons * mev * -np.expm1(-DETECTOR_G_CM2 * detector_cm2_g)
    return mev, signal / signal.sum()


def attenuation(areal_g_cm2: dict[str, NDArray[np.float64]], end_mev: float) -> NDArray[np.float64]:
    """-ln of the transmission behind the sum of these layers, exact over the spectrum."""
    mev, weight = spectrum(end_mev)
    shape = np.broadcast_shapes(*(layer.shape for layer in areal_g_cm2.values()))
    transmission = np.zeros(shape)
    for energy, share in zip(mev, weight, strict=True):
        depth = sum(
            layer * mass_attenuation(material, np.array([energy]))[0]
            for material, layer in areal_g_cm2.items()
        )
        transmission += share * np.exp(-depth)
    return -np.log(transmission)


@lru_cache(maxsize=4)
def _lut(end_mev: float) -> Floats:
    """(steel, organic) in whole g/cm2 -> -ln T."""
    steps = np.arange(LUT_STEPS, dtype=np.float64)
    layers = {"organic": steps[None, :], "steel": steps[:, None]}
    return attenuation(layers, end_mev).astype(np.float32)


def transmission(layers: Mapping[str, Floats], end_mev: float) -> Floats:
    """(rows, columns) transmission behind maps of areal density in g/cm2.

    Organic matter and steel come from a table; pixels with anything else are computed over the
    spectrum.
    """
    depth = cv2.remap(
        _lut(end_mev),
        layers["organic"],
        layers["steel"],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    clear = np.asarray(np.exp(-depth), np.float32)
    others = [layer for name, layer in layers.items() if name not in ("organic", "steel")]
    if others:
        at = np.flatnonzero(sum(others[1:], others[0]))
        there = {name: np.take(layer, at) for name, layer in layers.items()}
        clear.reshape(-1)[at] = _exact(there, end_mev)
    return clear


def _exact(areal_g_cm2: dict[str, Floats], end_mev: float) -> Floats:
    """(pixels,) transmission, summed over the spectrum in single precision."""
    mev, weight = spectrum(end_mev)
    cm2_g = {name: mass_attenuation(name, mev).astype(np.float32) for name in sorted(areal_g_cm2)}
    pixels = next(iter(areal_g_cm2.values())).size
    total = np.zeros(pixels, np.float32)
    for start in range(0, pixels, CHUNK_PIXELS):  # small enough for the cache
        part = slice(start, start + CHUNK_PIXELS)
        here = {name: layer[part] for name, layer in areal_g_cm2.items() if layer[part].any()}
        depth, one = np.empty_like(total[part]), np.empty_like(total[part])
        for i, share in enumerate(weight.astype(np.float32)):
            depth.fill(0.0)
            for name, layer in here.items():
                depth -= np.multiply(layer, cm2_g[name][i], out=one)
            np.exp(depth, out=depth)
            depth *= share
            total[part] += depth
    return total


def with_scatter(clear: Floats, share: float, pitch_mm: float) -> Floats:
    """The transmission with a pedestal of `share` of its mean within half a metre (facts 4)."""
    shape = (max(clear.shape[1] // 16, 1), max(clear.shape[0] // 16, 1))
    small = cv2.resize(clear, shape, interpolation=cv2.INTER_AREA)
    wide = cv2.GaussianBlur(small, (0, 0), max(500.0 / pitch_mm / 16, 0.5))
    pedestal = cv2.resize(wide, clear.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(clear + np.float32(share) * pedestal, np.float32)
