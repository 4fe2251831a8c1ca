"""What a load is made of, by how much more of it the low-energy plane loses than the high one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.xray_cells import between_curves
from fusion.kernels.xray_load import told_materials
from fusion.scans.beam import GROUPS, Beam
from fusion.scans.policy import XrayPolicy

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

UNRESOLVED = "unresolved"
OPAQUE_GROUP = len(GROUPS) + 1


@dataclass(frozen=True, slots=True)
class Materials:
    """Of every cell of the zone."""

    place: Floats
    """(rows, columns) between the groups' curves: 0 organic, 1 light metal, 2 steel, 3 lead."""
    group: NDArray[np.uint8]
    """(rows, columns) 0 not told, 1 organic, 2 light metal, 3 steel, 4 dense or unresolved, 5
    opaque."""


def find_materials(
    high: Floats,
    low: Floats | None,
    load: Flags,
    opaque: Flags,
    *,
    beam: Beam,
    cell_noise: float,
    policy: XrayPolicy,
) -> Materials:
    """Means over 3 x 3 cells of load, told where enough of it stands in a beam that gets through.

    high, low  (rows, columns) attenuation over the walls
    """
    if low is None:
        group = np.where(opaque, np.uint8(OPAQUE_GROUP), np.uint8(0))
        return Materials(np.full(high.shape, policy.usual_place), group)
    least = float(np.interp(policy.min_material_g_cm2, beam.areal_g_cm2[0], beam.at))
    limits = (
        float(beam.at[1]),
        least,
        policy.material_attenuation,
        policy.material_sd,
        policy.sure_material_sigma,
    )
    # Of the low plane's cell and of the high one's, each read at this depth of the beam.
    noise = np.round(cell_noise * np.sqrt(np.exp(beam.at) + np.exp(beam.low[0])), 9)
    place, group = told_materials(high, low, load, opaque, beam.low, noise, limits)
    return Materials(np.where(place < 0.0, policy.usual_place, place), group)


def areal_g_cm2(high: Floats, place: Floats, beam: Beam) -> Floats:
    """(rows, columns) areal density of what takes so much, by its place between the groups."""
    # Below zero is noise, which must not be cut off: it cancels in a sum.
    return between_curves(high, place, beam.areal_g_cm2, float(beam.at[1]))


def load_shares(found: Materials, load: Flags) -> tuple[tuple[str, float], ...]:
    """Shares of the load's area by group; what was not told or not sure is `unresolved`."""
    of = int(np.count_nonzero(load))
    if of == 0:
        return ()
    counts = np.bincount(found.group[load], minlength=OPAQUE_GROUP + 1)
    named = [(name, int(counts[index + 1])) for index, name in enumerate(GROUPS)]
    rest = of - sum(count for _, count in named)
    return tuple((name, round(count / of, 3)) for name, count in (*named, (UNRESOLVED, rest)))
