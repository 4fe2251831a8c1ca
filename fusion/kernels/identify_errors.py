"""Kernels for the ways in which the response to a source may differ from its template.

Callers check arguments; kernels trust them.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

ERRORS = 4  # gain, zero, resolution, scatter; then the waves
MOST_CHANGE = 1.0  # of the logarithm of a bin


class Axis(NamedTuple):
    """The bins of a library."""

    edges_kev: Vector
    """(bins + 1,)"""
    middle_kev: Vector
    width_kev: Vector
    sigma_kev: Vector
    """(bins,) standard deviation of a peak there."""
    waves: Matrix
    """(waves, bins) smooth errors of the efficiency."""


@njit(cache=True, nogil=True)
def slope_of(values: Vector, place: Vector, out: Vector) -> None:
    """Derivative (bins,) at unevenly spaced places, of the second order within, written to `out`.

    As `numpy.gradient`.
    """
    last = values.shape[0] - 1
    out[0] = (values[1] - values[0]) / (place[1] - place[0])
    out[last] = (values[last] - values[last - 1]) / (place[last] - place[last - 1])
    for i in range(1, last):
        before, after = place[i] - place[i - 1], place[i + 1] - place[i]
        both = before + after
        out[i] = (
            values[i + 1] * before / (after * both)
            - values[i - 1] * after / (before * both)
            + values[i] * (after - before) / (before * after)
        )


@njit(cache=True, nogil=True)
def template_errors(shape: Vector, axis: Axis, out: Matrix) -> None:
    """Changes per unit of each error of a template (bins,), written to (errors, bins).

    More scatter and errors of the efficiency leave the sum as it is.
    """
    bins = shape.shape[0]
    middle, width = axis.middle_kev, axis.width_kev
    density, slope = np.empty(bins), np.empty(bins)
    for i in range(bins):
        density[i] = shape[i] / width[i]
    slope_of(density, middle, slope)
    slope_of(slope, middle, out[2])
    density *= middle
    slope_of(density, middle, out[0])
    above = 0.0
    everything, whole = 0.0, 0.0
    for i in range(bins - 1, -1, -1):
        above += shape[i] / middle[i]
        out[0, i] *= -width[i]
        out[1, i] = -slope[i] * width[i]
        out[2, i] *= axis.sigma_kev[i] ** 2 * width[i]
        out[3, i] = above * width[i]
        everything += out[3, i]
        whole += shape[i]
    if whole <= 0.0 or everything <= 0.0:
        out[:, :] = 0.0  # nothing is there that could be wrong
        return
    for i in range(bins):
        out[3, i] = out[3, i] * (whole / everything) - shape[i]
    for k in range(axis.waves.shape[0]):
        mean = 0.0
        for i in range(bins):
            mean += shape[i] * axis.waves[k, i]
        mean /= whole
        for i in range(bins):
            out[ERRORS + k, i] = shape[i] * (axis.waves[k, i] - mean)


@njit(cache=True, nogil=True)
def all_template_errors(shapes: Matrix, axis: Axis) -> NDArray[np.float64]:
    """The same of templates (sources, bins); (sources, errors, bins)."""
    out = np.empty((shapes.shape[0], ERRORS + axis.waves.shape[0], shapes.shape[1]))
    for s in range(shapes.shape[0]):
        template_errors(shapes[s], axis, out[s])
    return out


@njit(cache=True, nogil=True)
def shifted(shape: Vector, axis: Axis, gain: float, zero_kev: float) -> Vector:
    """Counts (bins,) after the scale has moved by a share and by an energy; none is lost."""
    bins = shape.shape[0]
    total = np.zeros(bins + 1)
    for i in range(bins):
        total[i + 1] = total[i] + shape[i]
    out = np.empty(bins)
    before = now = 0.0
    k = 0
    for i in range(bins + 1):
        energy = (axis.edges_kev[i] - zero_kev) / (1.0 + gain)
        while k < bins and axis.edges_kev[k + 1] <= energy:
            k += 1
        if energy <= axis.edges_kev[0]:
            now = 0.0
        elif k >= bins:
            now = float(total[bins])
        else:
            part = (energy - axis.edges_kev[k]) / (axis.edges_kev[k + 1] - axis.edges_kev[k])
            now = float(total[k] + part * shape[k])
        if i > 0:
            out[i - 1] = now - before
        before = now
    return out


@njit(cache=True, nogil=True)
def moved_template(shape: Vector, axis: Axis, errors: Vector) -> Vector:
    """A template with its errors applied in full, not to the first order.

    What is never negative stays so: the scale moves the spectrum itself, the others multiply it.
    """
    bins = shape.shape[0]
    whole = 0.0
    for i in range(bins):
        whole += shape[i]
    if whole <= 0.0:
        return np.zeros(bins)
    there = shifted(shape, axis, errors[0], errors[1])
    modes = np.empty((errors.shape[0], bins))
    template_errors(there, axis, modes)
    total = 0.0
    for i in range(bins):
        if there[i] <= 0.0:
            there[i] = 0.0
            continue
        change = 0.0
        for k in range(2, errors.shape[0]):
            change += errors[k] * modes[k, i]
        change /= there[i]
        there[i] *= math.exp(min(max(change, -MOST_CHANGE), MOST_CHANGE))
        total += there[i]
    if total <= 0.0:
        return np.zeros(bins)  # all of it is off the scale
    for i in range(bins):
        there[i] *= whole / total
    return there


@njit(cache=True, nogil=True)
def piled_up(counts: Vector, axis: Axis) -> Vector:
    """(bins,) products of the counts of every two bins, where the sum of their energies lies."""
    bins = counts.shape[0]
    out = np.zeros(bins)
    for i in range(bins):
        k = 0
        for j in range(bins):
            energy = axis.middle_kev[i] + axis.middle_kev[j]
            while k < bins and axis.edges_kev[k + 1] <= energy:
                k += 1
            if k == bins:
                break
            if energy >= axis.edges_kev[k]:
                out[k] += counts[i] * counts[j]
    return out
