"""What is in the box: residue over the walls, emptiness, fill, homogeneity."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.xray import box_sums, components, local_texture
from fusion.scans.calibrate import Flags, Floats
from fusion.scans.geometry import Geometry
from fusion.scans.policy import XrayPolicy

# Attenuation in the 6 MV plane behind 5, 20, 80 and 160 g/cm2 (facts 2.2's model): beam
# hardening makes each further g/cm2 count for less.
AREAL_G_CM2 = (0.0, 5.0, 20.0, 80.0, 160.0, 320.0)
ORGANIC_ATTENUATION = (0.0, 0.272, 1.022, 3.50, 6.30, 11.2)
STEEL_ATTENUATION = (0.0, 0.254, 0.964, 3.41, 6.32, 11.8)

TEXTURE_HALF_CELLS = 2  # 5 x 5 cells: 0.2 to 0.3 m, larger than a carton's seam


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


def residue(
    values: Floats, geometry: Geometry, least_transmission: float, policy: XrayPolicy
) -> Residue:
    """Take the walls off: their ribs are the same from roof to floor, a load is not.

    values              (rows, columns) attenuation of the whole picture's cells
    least_transmission  below it a cell is opaque, and also where its light may all be
                        scattered by what stands around it
    """
    zone = values[geometry.zone_rows, geometry.zone_columns]
    template, known = _wall(zone, geometry, policy)
    over = zone - template[None, :]
    clear = np.exp(-values)
    half = max(round(policy.scatter_reach_m / geometry.cell_x_m), 1)
    scattered = policy.scatter_share * local_mean(clear, half)
    opaque = clear < np.maximum(scattered, least_transmission)
    return Residue(
        values=over,
        load=over > policy.load_attenuation,
        opaque=opaque[geometry.zone_rows, geometry.zone_columns],
        wall_known=known,
    )


def local_mean(values: Floats, half: int) -> Floats:
    """(rows, columns) mean over the square of 2 * half + 1 cells about each, cut at the edges."""
    sums = box_sums(values)
    rows, columns = (np.arange(side) for side in values.shape)
    top, bottom = np.maximum(rows - half, 0), np.minimum(rows + half + 1, rows.size)
    left, right = np.maximum(columns - half, 0), np.minimum(columns + half + 1, columns.size)
    total = (
        sums[bottom][:, right] - sums[top][:, right] - sums[bottom][:, left] + sums[top][:, left]
    )
    return np.asarray(total / np.outer(bottom - top, right - left), np.float64)


def _wall(zone: Floats, geometry: Geometry, policy: XrayPolicy) -> tuple[Floats, bool]:
    """(columns,) the walls' attenuation as seen under the roof, and whether it could be seen."""
    if geometry.box_m[1] == 0.0:
        return np.zeros(zone.shape[1]), True  # no box, no walls
    count = min(max(round(policy.wall_rows_m / geometry.cell_y_m), 2), zone.shape[0])
    under_roof = zone[:count].sum(axis=0) / count
    low, high = policy.wall_attenuation
    plain = (under_roof > low) & (under_roof < high)
    if 5 * np.count_nonzero(plain) < plain.size:
        return np.full(zone.shape[1], policy.wall_prior), False
    middle = np.sort(under_roof[plain])[np.count_nonzero(plain) // 2]
    return np.where(plain, under_roof, middle), True


def organic_kg(values: Floats, geometry: Geometry) -> float:
    """Mass behind these cells if it were all organic; steel of the same mass looks alike."""
    areal = np.interp(values, ORGANIC_ATTENUATION, AREAL_G_CM2)
    return float(areal.sum()) * geometry.cell_m2 * 10.0  # 1 g/cm2 is 10 kg/m2


def heaviest_part_kg(found: Residue, geometry: Geometry) -> float:
    """Mass of the heaviest connected part of the load."""
    labels, count = components(found.load)
    if count == 0:
        return 0.0
    areal = np.interp(found.values, ORGANIC_ATTENUATION, AREAL_G_CM2)
    sums = np.bincount(labels.reshape(-1), weights=areal.reshape(-1), minlength=count + 1)[1:]
    return float(sums.max()) * geometry.cell_m2 * 10.0


def empty_nats(mass_kg: float, policy: XrayPolicy) -> float:
    """ln p(mass | empty) - ln p(mass | loaded) for the heaviest part's mass.

    Empty: ln(1 + mass / m0) is half-normal. Loaded: the same quantity is even up to the
    payload, but for a small share of loads as light as an empty's residue.
    """
    x = math.log1p(mass_kg / policy.empty_mass_kg)
    limit = math.log1p(policy.heaviest_kg / policy.empty_mass_kg)
    spread = policy.empty_spread
    if_empty = math.log(math.sqrt(2.0 / math.pi) / spread) - 0.5 * (x / spread) ** 2
    heavier = 1.0 / (1.0 + math.exp(-(x - 2.0) / 0.25))  # residue ends near e**2 m0
    density = policy.light_load_share + (1.0 - policy.light_load_share) * heavier / limit
    return min(max(if_empty - math.log(density), -policy.max_empty_nats), policy.max_empty_nats)


def homogeneity(found: Residue, policy: XrayPolicy) -> float:
    """0 (clutter) to 1 (one bulk material); 0 where there is too little load to say."""
    capped = np.where(found.opaque, _cap(found), found.values)
    distance, means = local_texture(capped, found.load, TEXTURE_HALF_CELLS)
    if distance.size < 25:
        return 0.0
    texture = _quantile(distance, 0.8)
    spread = (_quantile(means, 0.9) - _quantile(means, 0.1)) / _quantile(means, 0.5)
    # Load that is nowhere thicker than a neighbourhood is gaps and edges.
    solid = min(1.0, 2.0 * distance.size / int(np.count_nonzero(found.load)))
    clutter = (texture / policy.texture_scale) ** 2 + (spread / policy.spread_scale) ** 2
    return solid / (1.0 + clutter)


def _cap(found: Residue) -> float:
    """The least that an opaque cell takes: its own value is noise."""
    return float(found.values[found.opaque].min()) if found.opaque.any() else 0.0


def _quantile(values: NDArray[np.float64], share: float) -> float:
    place = int(share * (values.size - 1))
    return float(np.partition(values, place)[place])
