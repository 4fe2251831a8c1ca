"""What is in the box: what its picture takes beyond the walls, and where it takes all."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.xray_cells import square_means
from fusion.scans.geometry import Geometry
from fusion.scans.policy import XrayPolicy
from fusion.scans.walls import find_walls

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Residue:
    """The box's inside without its walls."""

    values: Floats
    """(rows, columns) attenuation over the walls, low plane's own where asked for."""
    load: Flags
    """Cells that hold load."""
    opaque: Flags
    """Cells with too little signal to judge."""
    wall_known: bool
    """False where cargo hides the walls along most of the box."""
    wall_sd: Floats
    """(rows,) how far a cell of bare wall is from 0."""
    built: Flags
    """(rows, columns) where the box itself fills the picture."""
    rib_period_m: float
    """Of the walls; 0 where no ribs were seen."""


def residue(
    values: Floats, geometry: Geometry, least_transmission: float, policy: XrayPolicy
) -> Residue:
    """Take the walls off: their ribs are the same from roof to floor, a load is not.

    values              (rows, columns) attenuation of the whole picture's cells
    least_transmission  below it a cell is opaque, and also where its light may all be
                        scattered by what stands around it
    """
    zone = values[geometry.zone_rows, geometry.zone_columns]
    walls = find_walls(zone, geometry, policy)
    over = zone - walls.values
    opaque = _opaque(values, geometry, least_transmission, policy) & ~walls.built
    return Residue(
        values=over,
        load=over > policy.load_attenuation,
        opaque=opaque,
        wall_known=walls.known,
        wall_sd=walls.sd,
        built=walls.built,
        rib_period_m=walls.period_m,
    )


def _opaque(
    values: Floats, geometry: Geometry, least_transmission: float, policy: XrayPolicy
) -> Flags:
    """(rows, columns) of the zone: cells with too little light, or with none but scattered."""
    inside = geometry.zone_rows, geometry.zone_columns
    brightest, faintest = math.exp(-float(values.min())), math.exp(-float(values[inside].max()))
    if faintest >= max(policy.scatter_share * brightest, least_transmission):
        return np.zeros(values[inside].shape, np.bool_)  # no mean exceeds the brightest
    clear = np.exp(-values)
    half = max(round(policy.scatter_reach_m / geometry.cell_x_m), 1)
    scattered = policy.scatter_share * square_means(clear, half)
    return np.asarray((clear < np.maximum(scattered, least_transmission))[inside], np.bool_)
