"""How much a load weighs: the areal density of every cell times its area."""

import math

import numpy as np
from numpy.typing import NDArray

from fusion.scans.beam import Beam
from fusion.scans.geometry import Geometry
from fusion.scans.material import Materials, areal_g_cm2
from fusion.scans.policy import XrayPolicy

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

KG_PER_M2 = 10.0  # of 1 g/cm2


def load_areal(
    high: Floats, opaque: Flags, materials: Materials, beam: Beam, least: float
) -> Floats:
    """(rows, columns) g/cm2; an opaque cell has at least what its neighbours' loss allows."""
    seen = np.where(opaque, np.maximum(high, least), high)
    return areal_g_cm2(seen, materials.place, beam)


def load_kg(
    areal: Floats, near: Flags, opaque: Flags, geometry: Geometry, policy: XrayPolicy
) -> tuple[float, float]:
    """(mass, its standard deviation) of what stands in the box, in kg.

    near     (rows, columns) load and its surroundings: beyond, walls are only noise
    Materials, scattered light and the picture's scale are each unsure by some per cent; what
    stands in opaque cells may be any multiple of what is seen there.
    """
    weighed = float(np.sum(np.where(near, areal, 0.0))) * geometry.cell_m2 * KG_PER_M2
    dark = float(np.sum(np.where(opaque, areal, 0.0))) * geometry.cell_m2 * KG_PER_M2
    loose = policy.mass_floor_kg_m2 * int(np.count_nonzero(near)) * geometry.cell_m2
    sd = math.sqrt((policy.mass_share_sd * weighed) ** 2 + (0.5 * dark) ** 2 + loose**2)
    return max(round(weighed, 1), 0.0), round(max(sd, 1.0), 1)
