"""The scans of one passage, pooled so that none of its places counts twice."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MAX_BINS = 160  # a parked vehicle's scans are pooled: it costs no more than an 18 m truck at 1 m/s
# A vehicle that creeps or stands is no better known for it: the background's own wander does not
# average out. Scans within 0.5 m/s worth of way count as one, a stop as 40 of them (8 s).
STANDING_M_S = 0.5
STANDING_BINS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """The gamma scans of one passage."""

    counts: NDArray[np.float64]
    """(scans, panels)"""
    passed_m: NDArray[np.float64]
    """(scans,) which place of the vehicle was at the portal in the middle of each scan."""
    scan_s: float
    background_cps: NDArray[np.float64]
    """(panels,) frozen when the vehicle came."""
    background_s: float
    """Measuring time behind it."""
    length_m: float | None
    """None while the vehicle is still there."""
    distance_m: float


class Bins(NamedTuple):
    """The scans as they are fitted."""

    panels: NDArray[np.float64]
    """(bins, panels) counts of one scan's time, or of `pool` of them."""
    passed_m: NDArray[np.float64]
    """(bins,)"""
    of_scan: NDArray[np.int64]
    """(scans,) the bin of each."""
    pool: int


def binned(passage: Pass) -> Bins:
    """The scans; pooled where the vehicle hardly moves, or where there are many."""
    scans = len(passage.counts)
    most = -(-scans // STANDING_BINS)
    step_m = STANDING_M_S * passage.scan_s
    firsts, first_m = [0], float(passage.passed_m[0])
    # Bins begin where the vehicle has moved on, or a standing one for long enough.
    for scan, at_m in enumerate(passage.passed_m.tolist()):
        if scan and (abs(at_m - first_m) >= step_m or scan - firsts[-1] >= most):
            firsts.append(scan)
            first_m = at_m
    if len(firsts) == scans <= MAX_BINS:  # as of any vehicle that just drives by
        counts = np.ascontiguousarray(passage.counts)
        return Bins(counts, np.ascontiguousarray(passage.passed_m), np.arange(scans), 1)
    sizes = np.diff([*firsts, scans])
    counts = np.add.reduceat(passage.counts, firsts, axis=0) / sizes[:, None]
    passed_m = np.add.reduceat(passage.passed_m, firsts) / sizes
    pool = -(-len(firsts) // MAX_BINS)
    whole = len(firsts) // pool * pool
    if pool > 1:
        counts = counts[:whole].reshape(-1, pool, counts.shape[1]).sum(axis=1)
        passed_m = passed_m[:whole].reshape(-1, pool).sum(axis=1) / pool
    bins = np.minimum(np.repeat(np.arange(len(firsts)), sizes) // pool, len(counts) - 1)
    return Bins(np.ascontiguousarray(counts), np.ascontiguousarray(passed_m), bins, pool)
