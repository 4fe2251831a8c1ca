"""How much a load weighs: the areal density of every cell times its area."""

import math

import numpy as np
from numpy.typing import NDArray

from fusion.scans.beam import Beam
from fusion.scans.geometry import Geometry
from fusion.scans.load import Residue
from fusion.scans.material import Materials, areal_g_cm2
from fusion.scans.policy import XrayPolicy

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

KG_PER_M2 = 10.0  # of 1 g/cm2
CM2_G = 0.05  # facts 2.2, around 50 g/cm2 at 6 MV
MOST_SCATTERED = 0.3  # attenuation: beyond, a cell is as good as opaque
UNEVEN_STEPS = 12.0  # of a square ramp 24; twice that, for what varies within a cell besides
FINER_METAL = 1.2  # for each group beyond what is organic or not told
NO_METAL = 0.5
MOST_UNEVEN = 0.5  # attenuation: a sharper edge is no even change


def load_areal(
    high: Residue, materials: Materials, beam: Beam, least: float, scatter_share: float
) -> Floats:
    """(rows, columns) g/cm2; an opaque cell has at least what lets so little through.

    A cell's light is the mean over its pixels, of which the thinnest let through the most: where
    the load is uneven, its mean loss is greater than the loss of the mean, by half the variance
    within the cell. That is taken from the steps to the neighbours, and more of it where it is
    metal: scrap and pipes have pieces finer than a cell. `scatter_share`: of the mean
    around, scattered light beyond what has been taken off.
    """
    more = np.minimum(scatter_share * high.stray, MOST_SCATTERED)
    seen = high.values + np.where(high.values > 0.0, more, 0.0)
    seen = np.where(high.opaque, np.maximum(seen, least), seen)
    finer = 1.0 + FINER_METAL * np.maximum(materials.place - NO_METAL, 0.0)
    return areal_g_cm2(seen + finer * uneven(seen), materials.place, beam)


def uneven(values: Floats) -> Floats:
    """(rows, columns) half the variance within each cell, as if it changed evenly across it."""
    steps = np.zeros(values.shape)
    for axis in (0, 1):
        square = np.diff(values, axis=axis) ** 2
        first, last = [slice(None)] * 2, [slice(None)] * 2
        first[axis], last[axis] = slice(None, -1), slice(1, None)
        steps[tuple(first)] += square / 2
        steps[tuple(last)] += square / 2
    return np.asarray(np.minimum(steps / UNEVEN_STEPS, MOST_UNEVEN), np.float64)


def load_kg(
    areal: Floats, near: Flags, opaque: Flags, geometry: Geometry, policy: XrayPolicy
) -> tuple[float, float]:
    """(mass, its standard deviation) of what stands in the box, in kg.

    near     (rows, columns) load and its surroundings: beyond, walls are only noise
    Materials, scattered light and the picture's scale are each unsure by some per cent, pieces
    smaller than a cell by more than what their neighbours' steps say; what stands in opaque cells
    may be any multiple of what is seen there.
    """
    weighed = float(np.sum(np.where(near, areal, 0.0))) * geometry.cell_m2 * KG_PER_M2
    dark = float(np.sum(np.where(opaque, areal, 0.0))) * geometry.cell_m2 * KG_PER_M2
    loose = policy.mass_floor_kg_m2 * int(np.count_nonzero(near)) * geometry.cell_m2
    within = uneven(np.where(near, areal, 0.0) * CM2_G) / CM2_G
    coarse = float(np.sum(np.where(near, within, 0.0))) * geometry.cell_m2 * KG_PER_M2
    sd = math.sqrt(
        (policy.mass_share_sd * weighed) ** 2
        + (policy.mass_uneven_sd * coarse) ** 2
        + (0.5 * dark) ** 2
        + loose**2
    )
    return max(round(weighed, 1), 0.0), round(max(sd, 1.0), 1)
