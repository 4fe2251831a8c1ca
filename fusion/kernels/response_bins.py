"""Kernels that put what a detector makes of photons into the bins of a spectrum.

Callers check arguments; kernels trust them.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

SHARPEST_KEV = 1e-9  # below, a blur is none: dividing by it would overflow


class Boxes(NamedTuple):
    """Counts that are even between two energies and then blurred by a Gaussian."""

    low_kev: Matrix
    """(rows, boxes)"""
    high_kev: Matrix
    mass: Matrix
    sigma_kev: Matrix


@njit(cache=True, nogil=True)
def smeared(from_left: float, sigma: float) -> float:
    """Integral of the normal distribution function up to `from_left`, standard deviation sigma."""
    if sigma < SHARPEST_KEV:
        return max(from_left, 0.0)
    z = from_left / sigma
    below = 0.5 * math.erfc(-z * 0.7071067811865476)
    return sigma * (z * below + 0.3989422804014327 * math.exp(-0.5 * z * z))


@njit(cache=True, nogil=True)
def below(edge_kev: float, low_kev: float, high_kev: float, sigma_kev: float) -> float:
    """Share of a blurred box that lies below an energy."""
    width = high_kev - low_kev
    if width > 1e-3 * sigma_kev and width > SHARPEST_KEV:
        left = smeared(edge_kev - low_kev, sigma_kev) - smeared(edge_kev - high_kev, sigma_kev)
        return left / width
    if sigma_kev >= SHARPEST_KEV:
        middle = 0.5 * (low_kev + high_kev)
        return 0.5 * math.erfc((middle - edge_kev) / sigma_kev * 0.7071067811865476)
    return 1.0 if edge_kev > low_kev else 0.0


@njit(cache=True, nogil=True)
def add_boxes(boxes: Boxes, edges_kev: Vector, out: Matrix) -> None:
    """Add every box of every row to the bins of its row; what falls outside them is lost.

    edges_kev  (bins + 1,) ascending
    out        (rows, bins) added to
    """
    bins = out.shape[1]
    for row in range(out.shape[0]):
        for box in range(boxes.mass.shape[1]):
            mass = boxes.mass[row, box]
            if mass <= 0.0:
                continue
            low, high = boxes.low_kev[row, box], boxes.high_kev[row, box]
            sigma = boxes.sigma_kev[row, box]
            first = int(np.searchsorted(edges_kev, low - 5.0 * sigma)) - 1
            first = max(first, 0)
            before = 0.0
            if edges_kev[first] > low - 5.0 * sigma:
                before = below(edges_kev[first], low, high, sigma)
            for i in range(first + 1, bins + 1):
                if before >= 1.0:
                    break
                now = 1.0
                if edges_kev[i] < high + 5.0 * sigma:
                    now = below(edges_kev[i], low, high, sigma)
                out[row, i - 1] += mass * (now - before)
                before = now


@njit(cache=True, nogil=True)
def weighted_rows(weights: Vector, rows: Matrix, which: NDArray[np.int64]) -> Vector:
    """Sum (columns,) of some rows times their weights, in this order on every processor.

    weights  (number,)
    rows     (rows, columns)
    which    (number,) row of each weight
    """
    out = np.zeros(rows.shape[1])
    for k in range(which.shape[0]):
        if weights[k] != 0.0:
            row = rows[which[k]]
            for i in range(out.shape[0]):
                out[i] += weights[k] * row[i]
    return out
