"""What goes missing of an accelerator's beam behind so many g/cm2 of something: look-up curves.

A free-streaming model: Kramers spectrum, 1 cm of iron filtration, a 3 cm energy-integrating
detector of CdWO4, NIST mass attenuation (facts 2.2 and the table in facts 4).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]

# NIST mass attenuation, cm2/g, at the energies of the first line.
_TABLE = """
MeV       0.2   0.5    1      1.5    2      3      4      5      6      8      10
H         .2429 .1729  .1263  .1027  .08769 .06921 .05806 .05049 .04498 .03746 .03254
C         .1229 .08715 .06361 .05179 .04442 .03562 .03047 .02708 .02469 .02154 .01959
O         .1237 .08729 .06372 .05185 .04459 .03597 .03100 .02777 .02552 .02263 .02089
Al        .1223 .08445 .06146 .05006 .04324 .03541 .03106 .02836 .02655 .02437 .02318
Fe        .1460 .08414 .05995 .04883 .04265 .03621 .03312 .03146 .03057 .02991 .02994
Pb        .9985 .1614  .07102 .05222 .04606 .04234 .04197 .04272 .04391 .04675 .04972
"""
_CM2_G = {
    line.split()[0]: np.array([float(number) for number in line.split()[1:]])
    for line in _TABLE.strip().splitlines()
}
# Shares by mass. Cellulose stands for wood, paper, food and grain; plastic lies beside it.
_PURE = {
    "organic": {"C": 0.444, "H": 0.062, "O": 0.494},
    "light-metal": {"Al": 1.0},
    "steel": {"Fe": 1.0},
    "dense": {"Pb": 1.0},
}
GROUPS = tuple(_PURE)
"""Material groups from light to heavy: in this order the low plane loses ever less for the same
loss in the high one, once the layer is thicker than some 5 g/cm2 (facts 2.2)."""

ENERGY_BINS = 24  # R changes by less than 0.001 against 200 bins
LOWEST_MEV = 0.2  # 1 cm of iron and the walls leave next to nothing below
FILTER_IRON_G_CM2 = 7.86
DETECTOR_G_CM2 = 3.0 * 7.9
WALLS_G_CM2 = 2.8  # of steel: two walls of 1.8 mm; a load's beam has come through them
STEPS = 201
MOST_ATTENUATION = 10.0
LAYERS_G_CM2 = np.concatenate([np.arange(0.0, 20.0, 1.0), np.arange(20.0, 500.0, 5.0)])


@dataclass(frozen=True, slots=True)
class Beam:
    """Curves over the attenuation in the high plane beyond the walls, `at`."""

    at: Curve
    """(STEPS,) 0 ... MOST_ATTENUATION."""
    areal_g_cm2: Curve
    """(groups, STEPS) of each group's matter that takes so much."""
    low: Curve
    """(groups, STEPS) what the same layer takes in the low plane."""


@lru_cache(maxsize=16)
def beam_of(energies_mev: tuple[float, float]) -> Beam:
    """The curves of a pair of end energies, high first; equal ones tell no material apart.

    Rounded, so that a last bit of another machine's logarithm changes nothing.
    """
    at = np.linspace(0.0, MOST_ATTENUATION, STEPS)
    areal, low = [], []
    for group in GROUPS:
        high_over, low_over = (_over_walls(group, end_mev) for end_mev in energies_mev)
        areal.append(np.interp(at, high_over, LAYERS_G_CM2))
        low.append(np.interp(at, high_over, low_over))
    return Beam(at, np.round(areal, 4), np.round(low, 6))


def _over_walls(group: str, end_mev: float) -> Curve:
    """(LAYERS,) attenuation of layers of a group behind a container's two walls."""
    # A label in place of a measured energy must not divide by nothing.
    end_mev = min(max(end_mev, 1.0), 20.0)
    edges = np.linspace(LOWEST_MEV, end_mev, ENERGY_BINS + 1)
    mev = (edges[:-1] + edges[1:]) / 2
    walls = np.exp(-(FILTER_IRON_G_CM2 + WALLS_G_CM2) * _attenuation("steel", mev))
    detector = (_attenuation("steel", mev) + _attenuation("dense", mev)) / 2
    weight = (1 - mev / end_mev) * walls * -np.expm1(-DETECTOR_G_CM2 * detector)
    through = np.exp(-np.outer(LAYERS_G_CM2, _attenuation(group, mev))) * weight
    share = through.sum(axis=1) / weight.sum()
    return np.asarray(-np.log(share), np.float64)


def _attenuation(group: str, mev: Curve) -> Curve:
    """cm2/g at each energy, log-log between the table's points."""
    total = np.zeros_like(mev)
    for element, share in _PURE[group].items():
        points = np.log(_CM2_G["MeV"]), np.log(_CM2_G[element])
        total += share * np.exp(np.interp(np.log(mev), *points))
    return total
