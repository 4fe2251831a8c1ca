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
    signal: Curve
    """(2, ENERGY_BINS) share of the signal behind the walls, in the high plane and the low one."""
    organic_cm2_g: Curve
    """(2, ENERGY_BINS) mass attenuation of organic goods."""
    through: Curve
    """(2, groups, LAYERS_G_CM2, ENERGY_BINS) what each layer of a group lets through."""

    def behind(self, organic_g_cm2: float, group: int) -> Curve:
        """(2, LAYERS_G_CM2) what so much organic goods and each layer of a group take together,
        in the high plane and in the low one."""
        left = self.signal * np.exp(-organic_g_cm2 * self.organic_cm2_g)
        passed = (self.through[:, group] * left[:, None, :]).sum(axis=2)
        return np.asarray(-np.log(np.maximum(passed, 1e-30)), np.float64)


@lru_cache(maxsize=16)
def beam_of(energies_mev: tuple[float, float]) -> Beam:
    """The curves of a pair of end energies, high first; equal ones tell no material apart.

    Rounded, so that a last bit of another machine's logarithm changes nothing.
    """
    at = np.linspace(0.0, MOST_ATTENUATION, STEPS)
    parts = [_behind_walls(end_mev) for end_mev in energies_mev]
    signal, through = (np.stack([part[which] for part in parts]) for which in (1, 2))
    over = -np.log((through * signal[:, None, None, :]).sum(axis=3))
    areal = [np.interp(at, over[0, group], LAYERS_G_CM2) for group in range(len(GROUPS))]
    low = [np.interp(at, over[0, group], over[1, group]) for group in range(len(GROUPS))]
    organic = np.stack([_attenuation(GROUPS[0], part[0]) for part in parts])
    return Beam(at, np.round(areal, 4), np.round(low, 6), signal, organic, through)


def _behind_walls(end_mev: float) -> tuple[Curve, Curve, Curve]:
    """(energies, share of the signal behind a container's two walls, (groups, LAYERS, bins) what
    layers let through)."""
    # A label in place of a measured energy must not divide by nothing.
    end_mev = min(max(end_mev, 1.0), 20.0)
    edges = np.linspace(LOWEST_MEV, end_mev, ENERGY_BINS + 1)
    mev = (edges[:-1] + edges[1:]) / 2
    walls = np.exp(-(FILTER_IRON_G_CM2 + WALLS_G_CM2) * _attenuation("steel", mev))
    detector = (_attenuation("steel", mev) + _attenuation("dense", mev)) / 2
    weight = (1 - mev / end_mev) * walls * -np.expm1(-DETECTOR_G_CM2 * detector)
    through = [np.exp(-np.outer(LAYERS_G_CM2, _attenuation(group, mev))) for group in GROUPS]
    return mev, weight / weight.sum(), np.stack(through)


def _attenuation(group: str, mev: Curve) -> Curve:
    """cm2/g at each energy, log-log between the table's points."""
    total = np.zeros_like(mev)
    for element, share in _PURE[group].items():
        points = np.log(_CM2_G["MeV"]), np.log(_CM2_G[element])
        total += share * np.exp(np.interp(np.log(mev), *points))
    return total
