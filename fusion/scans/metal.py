"""How much less the low-energy plane loses than it would behind organic goods: metal's own mark."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.xray import box_sums
from fusion.scans.beam import Beam
from fusion.scans.load import Residue
from fusion.scans.policy import XrayPolicy

Floats = NDArray[np.float64]

POOLED_CELLS = 12_000  # cells of the zone from which four are taken as one: 0.1 m says enough
LEAST_VARIANCE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A box's inside, ready to be asked what stands out."""

    high: Floats
    """(rows, columns) attenuation over the walls, no more than can be measured."""
    sums: Floats
    """(4, rows + 1, columns + 1) integral images: load, its attenuation, weights, weighted metal
    signal."""
    pool: int
    """Cells along the side of one of these."""

    def cell_m(self, cell_m: float) -> float:
        """Side of one of these, from that of the picture's cells."""
        return self.pool * cell_m


def metal_signal(
    high: Residue, low: Residue | None, beam: Beam, cell_noise: float, policy: XrayPolicy
) -> Signal:
    """The signal and how far it can be trusted, cell by cell.

    The pulses alternate, so the low plane shows a place half a line later: at edges that would
    look like metal. How much later is taken from the load's own edges and put right; what is left
    there counts as noise.
    """
    pool = 2 if high.values.size > POOLED_CELLS else 1
    capped = np.minimum(_pooled(high.values, pool), policy.region_cap)
    load = _pooled((high.load & ~high.built).astype(np.float64), pool) > 0.5
    weight = np.full(capped.shape, 1.0 / LEAST_VARIANCE)
    metal = np.zeros(capped.shape)
    if low is not None:
        below = _pooled(low.values, pool)
        metal = np.interp(capped, beam.at, beam.low[0]) - below
        opaque = _pooled((high.opaque | low.opaque).astype(np.float64), pool) > 0.0
        slope = np.zeros(capped.shape)
        slope[:, 1:-1] = (capped[:, 2:] - capped[:, :-2]) / 2
        clear = load & ~opaque & (capped < policy.metal_attenuation)
        if clear.any():
            known = metal[clear]
            metal -= float(np.partition(known, known.size // 2)[known.size // 2])
            even = clear & (np.abs(slope) < policy.metal_slope)
            power = float(np.sum(slope[even] ** 2))
            metal -= float(np.sum((metal * slope)[even])) / max(power, 1e-9) * slope
        variance = _variance(capped, below, cell_noise / pool, beam)
        variance += (policy.metal_edge * _steepest(capped)) ** 2 + LEAST_VARIANCE
        weight = np.where(opaque, 1e-9, 1.0 / variance)
    parts = (load.astype(np.float64), capped * load, weight * load, weight * metal * load)
    return Signal(high=capped, sums=np.stack([box_sums(part) for part in parts]), pool=pool)


def _variance(high: Floats, low: Floats, noise: float, beam: Beam) -> Floats:
    """(rows, columns) of the metal signal by quanta: the beam has come through the walls too."""
    grow = np.round(np.exp(beam.at), 6)
    walls = 1.18  # exp of what two walls take
    high_part = np.interp(high, beam.at, grow)
    low_part = np.interp(low, beam.at, grow)
    return np.asarray(noise * noise * walls * (1.4 * high_part + low_part), np.float64)


def _steepest(values: Floats) -> Floats:
    """(rows, columns) the largest step to a neighbour."""
    steps = np.zeros(values.shape)
    along, down = np.abs(np.diff(values, axis=1)), np.abs(np.diff(values, axis=0))
    steps[:, 1:] = along
    np.maximum(steps[:, :-1], along, out=steps[:, :-1])
    np.maximum(steps[1:], down, out=steps[1:])
    np.maximum(steps[:-1], down, out=steps[:-1])
    return steps


def _pooled(values: Floats, pool: int) -> Floats:
    """Means of squares of `pool` cells; an odd row or column at the end is left out."""
    if pool == 1:
        return values
    rows, columns = (side // 2 * 2 for side in values.shape)
    part = values[:rows, :columns]
    return np.asarray(
        (part[::2, ::2] + part[1::2, ::2] + part[::2, 1::2] + part[1::2, 1::2]) / 4, np.float64
    )
