"""A container without its load: walls with ribs, as they are seen between and above the cargo.

Along the vehicle the walls are a pattern that repeats with the ribs, the same from roof to floor;
from roof to floor they differ by what the fan beam, the rails and the detector rows make of them.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.xray_load import fitted_waves, near_medians, strongest_wave
from fusion.scans.geometry import Geometry
from fusion.scans.policy import XrayPolicy

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

PERIODS = 60  # tried between the shortest and the longest rib
LEAST_CELLS = 2.2  # a wave of fewer is not seen as one
HELD = 2.0  # two columns' worth against waves that few columns call for
HARMONICS = 2  # cells of 30 to 60 mm carry no more of a rib of 280 mm


@dataclass(frozen=True, slots=True, kw_only=True)
class Walls:
    """What the walls alone would show."""

    values: Floats
    """(rows, columns) of the zone, attenuation."""
    known: bool
    """False where cargo hides them nearly everywhere."""
    sd: Floats
    """(rows,) how far a cell of bare wall is from that."""
    built: Flags
    """(rows, columns) where the box itself fills the picture: castings, two boxes' ends, a
    machine."""
    period_m: float
    """Of the ribs; 0 where none were seen."""


def find_walls(zone: Floats, geometry: Geometry, policy: XrayPolicy) -> Walls:
    """(rows, columns) attenuation inside the box -> its walls.

    Where cargo hides a column from roof to floor, its ribs are those of the columns beside it
    carried on with their period and phase.
    """
    if geometry.box_m[1] == 0.0:  # no box, no walls
        return _plain(zone, 0.0, policy.wall_sd, known=True)
    level = _level(zone, policy)
    if level is None:
        return _plain(zone, policy.wall_prior, policy.wall_prior_sd, known=False)
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
    rows, sd = rows.copy(), np.full(rows.size, policy.wall_sd)
    near = np.abs(over[np.abs(over) < policy.wall_spread / 2])
    if near.size:
        middle = float(np.partition(near, near.size // 2)[near.size // 2])
        sd[:] = np.maximum(sd, 1.4826 * middle)
    hidden = _edges(over, rows, sd, geometry, policy)
    built = _built(over, period_m, geometry, policy)
    values = level + columns[None, :] + rows[:, None]
    # Nothing can be told of what else is where the box itself fills the picture.
    unseen = hidden[:, None] | built[None, :]
    tall = max(-int(-policy.wall_edge_m // geometry.cell_y_m), 1)
    wide = max(-int(-policy.corner_m // geometry.cell_x_m), 1)
    unseen[:tall, :wide] = unseen[:tall, -wide:] = True  # castings
    values = np.where(unseen, zone, values)
    return Walls(values=values, known=True, sd=sd, built=unseen, period_m=period_m)


def _plain(zone: Floats, level: float, sd: float, *, known: bool) -> Walls:
    """Walls without any pattern."""
    return Walls(
        values=np.full(zone.shape, level),
        known=known,
        sd=np.full(zone.shape[0], sd),
        built=np.zeros(zone.shape, np.bool_),
        period_m=0.0,
    )


def _edges(over: Floats, rows: Floats, sd: Floats, geometry: Geometry, policy: XrayPolicy) -> Flags:
    """Add what roof, rails and floor leave in the outermost rows, from within outward.

    Where the row within shows bare wall, there is nothing but the box in the row beyond it.
    Returns (rows,) which of them show nothing but roof or deck.
    """
    hidden = np.zeros(rows.size, np.bool_)
    reach = max(-int(-policy.wall_edge_m // geometry.cell_y_m), 1)
    if over.shape[0] < 4 * reach:
        return hidden
    for edge, step in ((reach, -1), (over.shape[0] - 1 - reach, 1)):
        bare = np.abs(over[edge]) < policy.wall_spread / 2
        for row in range(edge + step, edge + step * (reach + 1), step):
            if np.count_nonzero(bare) < 8:
                break
            beyond = over[row, bare]
            middle = float(np.partition(beyond, beyond.size // 2)[beyond.size // 2])
            if middle > policy.wall_edge_most:  # deck or roof themselves
                hidden[row] = True
                break
            middle = max(middle, -policy.wall_spread)
            rest = np.abs(beyond - middle)
            spread = 1.4826 * float(np.partition(rest, rest.size // 2)[rest.size // 2])
            rows[row] += middle
            over[row] -= middle
            sd[row] = max(spread, float(sd[row]))
            bare &= np.abs(over[row]) < policy.wall_spread / 2 + 3.0 * sd[row]
    return hidden


def _built(over: Floats, period_m: float, geometry: Geometry, policy: XrayPolicy) -> Flags:
    """(columns,) the ends of two short boxes in the middle, and the machine of a reefer.

    A reefer has smooth walls: where most of them are seen and show no ribs, what stands at the
    front end is its machine.
    """
    built = np.zeros(over.shape[1], np.bool_)
    dark = over.min(axis=0) > policy.load_attenuation
    middle = (geometry.box_m[0] + geometry.box_m[1]) / 2
    along = geometry.along_m(0) + (np.arange(over.shape[1]) + 0.5) * geometry.cell_x_m
    if geometry.box_m[1] - geometry.box_m[0] > policy.two_boxes_m:
        ends = dark & (np.abs(along - middle) < policy.box_ends_m)
        if ends.any():
            at = np.nonzero(ends)[0]
            built[max(at[0] - 1, 0) : at[-1] + 2] = True
    seen = np.count_nonzero(np.abs(over) < policy.wall_spread / 2) > 0.3 * over.size
    if seen and period_m == 0.0:
        built |= along < geometry.box_m[0] + policy.machine_m
    return built


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
    seen = np.nonzero(bare)[0]
    none = np.zeros(columns.size), 0.0
    if seen.size < 16 or (seen[-1] - seen[0]) * geometry.cell_x_m < 4 * longest:
        return none
    periods = np.linspace(shortest, longest, PERIODS)
    periods = periods[periods > LEAST_CELLS * geometry.cell_x_m]
    if periods.size == 0:
        return none
    period_m = float(periods[strongest_wave(columns, bare, geometry.cell_x_m, periods)])
    harmonics = sum(
        period_m / wave > LEAST_CELLS * geometry.cell_x_m for wave in range(1, HARMONICS + 1)
    )
    turn = 2.0 * math.pi * geometry.cell_x_m / period_m
    pattern = fitted_waves(columns, bare, turn, harmonics, HELD)
    seen_part = columns[bare]
    rest = float(np.sum((seen_part - pattern[bare]) ** 2))
    if rest > (1.0 - policy.rib_share) * float(np.sum(seen_part**2)):
        return none
    return np.asarray(np.round(pattern, 6), np.float64), period_m


def _carried(rows: Floats, known: Flags) -> Floats:
    """Rows that show no wall take the value of those above and below, on a straight line."""
    if not known.any():
        return np.zeros(rows.size)
    at = np.nonzero(known)[0]
    return np.asarray(np.interp(np.arange(rows.size), at, rows[at]), np.float64)
