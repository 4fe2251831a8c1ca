"""What is in the box: what its picture takes beyond the walls, and where it takes all."""

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
    stray: Floats
    """(rows, columns) mean light around over the light of the cell: scattered light is a share
    of it."""
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
    values, opaque, stray = _unscattered(values, geometry, least_transmission, policy)
    walls = find_walls(values, geometry, policy)
    over = values - walls.values
    return Residue(
        values=over,
        load=over > policy.load_attenuation,
        opaque=opaque & ~walls.built,
        stray=stray,
        wall_known=walls.known,
        wall_sd=walls.sd,
        built=walls.built,
        rib_period_m=walls.period_m,
    )


def _unscattered(
    values: Floats, geometry: Geometry, least_transmission: float, policy: XrayPolicy
) -> tuple[Floats, Flags, Floats]:
    """(rows, columns) of the zone: attenuation without the usual scattered light, whether there is
    too little other light to judge, and the light around over the cell's own."""
    half = max(round(policy.scatter_reach_m / geometry.cell_x_m), 1)
    # Farther from the zone no light comes from.
    near, inside = [], []
    for side in (geometry.zone_rows, geometry.zone_columns):
        first = max(side.start - half, 0)
        near.append(slice(first, side.stop + half))
        inside.append(slice(side.start - first, side.stop - first))
    clear = np.exp(-values[tuple(near)])
    around, zone = square_means(clear, half)[tuple(inside)], clear[tuple(inside)]
    least = np.maximum(policy.scatter_share * around, least_transmission)
    own = np.maximum(zone - policy.scatter_usual * around, 0.3 * least_transmission)
    taken = np.asarray(np.round(-np.log(own), 6), np.float64)
    return taken, np.asarray(zone < least, np.bool_), np.asarray(around / own, np.float64)
