"""A container without its load: walls with ribs, as they are seen between and above the cargo.

Along the vehicle the walls are a pattern that repeats with the ribs, the same from roof to floor;
from roof to floor they differ by what the fan beam, the rails and the detector rows make of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.xray_load import near_medians
from fusion.scans.geometry import Geometry
from fusion.scans.policy import XrayPolicy

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

PERIODS = 60  # tried between the shortest and the longest rib
HARMONICS = 2  # cells of 30 to 60 mm carry no more of a rib of 280 mm


@dataclass(frozen=True, slots=True, kw_only=True)
class Walls:
    """What the walls alone would show."""

    values: Floats
    """(rows, columns) of the zone, attenuation."""
    known: bool
    """False where cargo hides them nearly everywhere."""
    sd: float
    """How far a cell of bare wall is from that."""
    period_m: float
    """Of the ribs; 0 where none were seen."""


def find_walls(zone: Floats, geometry: Geometry, policy: XrayPolicy) -> Walls:
    """(rows, columns) attenuation inside the box -> its walls.

    Where cargo hides a column from roof to floor, its ribs are those of the columns beside it
    carried on with their period and phase.
    """
    if geometry.box_m[1] == 0.0:  # no box, no walls
        return Walls(values=np.zeros(zone.shape), known=True, sd=policy.wall_sd, period_m=0.0)
    level = _level(zone, policy)
    if level is None:
        prior = np.full(zone.shape, policy.wall_prior)
        return Walls(values=prior, known=False, sd=policy.wall_prior_sd, period_m=0.0)
    over = zone - level
    least = max(3, zone.shape[0] // 12)
    columns, counts = near_medians(over, policy.wall_spread, least, True)
    ribs, period_m = _ribs(columns, counts >= least, geometry, policy)
    # A thin load from roof to floor must not pass for a wall: ribs are no deeper than ribs.
    low, high = ribs - policy.rib_depth, ribs + policy.rib_depth
    columns = np.where(counts >= least, np.clip(columns, low, high), ribs)
    over = over - columns[None, :]
    # Half as far as before: the ribs are off now.
    least = max(8, zone.shape[1] // 40)
    rows, counts = near_medians(over, policy.wall_spread / 2, least, False)
    rows = _carried(rows, counts >= least)
    over = over - rows[:, None]
    seen = np.abs(over) < policy.wall_spread / 2
    values = level + columns[None, :] + rows[:, None]
    near = np.abs(over[seen])
    sd = 1.4826 * float(np.partition(near, near.size // 2)[near.size // 2]) if near.size else 0.0
    return Walls(values=values, known=True, sd=max(sd, policy.wall_sd), period_m=period_m)


def _level(zone: Floats, policy: XrayPolicy) -> float | None:
    """The walls' own attenuation: the least that many cells agree on, or None: hidden."""
    low, high = policy.wall_attenuation
    plain = zone[(zone > low) & (zone < high)]
    if plain.size < policy.least_wall_share * zone.size:
        return None
    # Goods add to it: the commonest of the lowest is bare wall.
    place = plain.size // 4 if plain.size < 0.5 * zone.size else plain.size // 2
    return float(np.partition(plain, place)[place])


def _ribs(
    columns: Floats, bare: Flags, geometry: Geometry, policy: XrayPolicy
) -> tuple[Floats, float]:
    """((columns,) what repeats along the walls, its period in metres or 0)."""
    shortest, longest = policy.rib_period_m
    along = np.arange(columns.size) * geometry.cell_x_m
    x, y = along[bare], columns[bare]
    if y.size < 16 or (x[-1] - x[0]) < 4 * longest:
        return np.zeros(columns.size), 0.0
    periods = np.linspace(shortest, longest, PERIODS)
    usable = periods[periods > 2.2 * geometry.cell_x_m]
    if usable.size == 0:
        return np.zeros(columns.size), 0.0
    turns = 2.0 * np.pi * x[None, :] / usable[:, None]
    power = (np.cos(turns) @ y) ** 2 + (np.sin(turns) @ y) ** 2
    period_m = float(usable[int(np.argmax(np.round(power, 9)))])
    waves = [np.ones(columns.size)]
    for harmonic in range(1, HARMONICS + 1):
        if period_m / harmonic > 2.2 * geometry.cell_x_m:
            turn = 2.0 * np.pi * harmonic * along / period_m
            waves += [np.cos(turn), np.sin(turn)]
    basis = np.stack(waves)
    seen = basis[:, bare]
    # A little is held back, so that few columns cannot give large waves.
    ridge = seen @ seen.T + 2.0 * np.eye(len(waves))
    pattern = np.round(np.linalg.solve(ridge, seen @ y), 9) @ basis
    explained = 1.0 - float(np.sum((y - pattern[bare]) ** 2)) / max(float(np.sum(y**2)), 1e-12)
    if explained < policy.rib_share:
        return np.zeros(columns.size), 0.0
    return np.asarray(np.round(pattern, 6), np.float64), period_m


def _carried(rows: Floats, known: Flags) -> Floats:
    """Rows that show no wall take the value of those above and below, on a straight line."""
    if not known.any():
        return np.zeros(rows.size)
    at = np.nonzero(known)[0]
    return np.asarray(np.interp(np.arange(rows.size), at, rows[at]), np.float64)
