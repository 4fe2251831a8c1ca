"""Kernels of the identification of spectra. Callers check arguments; kernels trust them.

Counts of a spectrum are modelled as Poisson with the mean

    m = sum over parts of value * part

where a part is the measured background, a natural nuclide, a way in which these may be wrong, or
the response to a source. Values have Gaussian priors and bounds. Each bin has a weight: 1 for pure
Poisson counts, less where the model itself is not exact (quasi-likelihood), 0 where the detector
does not count.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fusion.kernels.identify_steps import add_information, bounded_step, columns_of, room_for

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

SMALLEST_MEAN = 1e-3  # counts per bin: keeps the logarithm finite where a fit explains nothing
SMALLEST_SHARE = 0.02  # of the level: a bin that a fit leaves empty must not outweigh all others
ENOUGH_NATS = 1e-3  # a step that gains less is the last: no threshold asks for a tenth


class Parts(NamedTuple):
    """What the mean is made of."""

    shapes: Matrix
    """(parts, bins) counts per unit of each part."""
    prior_mean: Vector
    """(parts,)"""
    prior_precision: Vector
    """(parts,); 0: no prior."""
    lower: Vector
    upper: Vector


class Spectrum(NamedTuple):
    """Measured counts and what each bin weighs."""

    counts: Vector
    """(bins,)"""
    weights: Vector
    """(bins,) 0 to 1."""
    level: Vector
    """(bins,) smoothed counts, a first guess of their mean."""


@njit(cache=True, nogil=True)
def rebin(counts: Vector, channel_edges: Vector, edges: Vector) -> Vector:
    """Counts in other bins, each channel's spread evenly over its width.

    counts         (channels,)
    channel_edges  (channels + 1,) rising
    edges          (bins + 1,) rising
    returns        (bins,); what lies outside of `edges` is left out
    """
    bins = edges.shape[0] - 1
    out = np.zeros(bins)
    b = 0
    for c in range(counts.shape[0]):
        low, high = channel_edges[c], channel_edges[c + 1]
        if high <= edges[0] or counts[c] == 0.0:
            continue
        if low >= edges[bins]:
            break
        while b < bins and edges[b + 1] <= low:
            b += 1
        density = counts[c] / (high - low)
        k = b
        while k < bins and edges[k] < high:
            out[k] += density * (min(high, edges[k + 1]) - max(low, edges[k]))
            k += 1
    return out


@njit(cache=True, nogil=True)
def smooth(values: Vector, reach: int) -> Vector:
    """Mean over `reach` bins to each side, fewer at the ends."""
    bins = values.shape[0]
    out = np.empty(bins)
    for i in range(bins):
        first, last = max(0, i - reach), min(bins, i + reach + 1)
        total = 0.0
        for k in range(first, last):
            total += values[k]
        out[i] = total / (last - first)
    return out


@njit(cache=True, nogil=True)
def expected_counts(shapes: Matrix, values: Vector, level: Vector, mean: Vector) -> None:
    """The mean of each bin, written to `mean`, never under the smallest of either kind."""
    mean[:] = 0.0
    for p in range(values.shape[0]):
        value = values[p]
        if value != 0.0:
            for i in range(mean.shape[0]):
                mean[i] += value * shapes[p, i]
    for i in range(mean.shape[0]):
        mean[i] = max(mean[i], SMALLEST_MEAN, SMALLEST_SHARE * level[i])


@njit(cache=True, nogil=True)
def log_likelihood(spectrum: Spectrum, parts: Parts, values: Vector, mean: Vector) -> float:
    """Penalised weighted log-likelihood relative to a perfect fit; means are written to `mean`."""
    expected_counts(parts.shapes, values, spectrum.level, mean)
    total = 0.0
    for i in range(mean.shape[0]):
        if spectrum.weights[i] > 0.0:
            count = spectrum.counts[i]
            term = count - mean[i]
            if count > 0.0:
                term += count * math.log(mean[i] / count)
            total += spectrum.weights[i] * term
    for p in range(values.shape[0]):
        off = values[p] - parts.prior_mean[p]
        total -= 0.5 * parts.prior_precision[p] * off * off
    return total


@njit(cache=True, nogil=True)
def spread(
    spectrum: Spectrum, parts: Parts, columns: Matrix, state: tuple[Vector, Vector], steps: int
) -> None:
    """Steps of expectation maximisation on the parts that cannot be negative.

    columns  of the shapes of `parts`
    state    values, changed, and mean, overwritten
    """
    values, mean = state
    size = values.shape[0]
    whole, seen = np.zeros(size), np.empty(size)
    for i in range(mean.shape[0]):
        weight, row = spectrum.weights[i], columns[i]
        for p in range(size):
            whole[p] += weight * row[p]
    for _ in range(steps):
        expected_counts(parts.shapes, values, spectrum.level, mean)
        seen[:] = 0.0
        for i in range(mean.shape[0]):
            weight, row = spectrum.weights[i] * spectrum.counts[i] / mean[i], columns[i]
            if weight > 0.0:
                for p in range(size):
                    seen[p] += weight * row[p]
        for p in range(size):
            if parts.lower[p] >= 0.0 and whole[p] > 0.0:
                moved = values[p] * seen[p] / whole[p]
                values[p] = min(max(moved, parts.lower[p]), parts.upper[p])


@njit(cache=True, nogil=True)
def scoring_step(
    spectrum: Spectrum,
    parts: Parts,
    columns: Matrix,
    state: tuple[Vector, Vector],
    work: tuple[Matrix, Vector],
) -> None:
    """The Fisher-scoring step from `state` = (values, mean), written to the second of `work`.

    columns  of the shapes of `parts`
    """
    values, mean = state
    information, step = work
    size, bins = parts.shapes.shape
    weights = np.zeros(columns.shape[0])
    excess = np.zeros(columns.shape[0])
    for i in range(bins):
        if spectrum.weights[i] > 0.0:
            weights[i] = spectrum.weights[i] / mean[i]
            excess[i] = weights[i] * spectrum.counts[i] - spectrum.weights[i]
    information[:, :] = 0.0
    slope = np.empty(size)
    down, up = np.empty(size), np.empty(size)
    for p in range(size):
        slope[p] = parts.prior_precision[p] * (parts.prior_mean[p] - values[p])
        information[p, p] = parts.prior_precision[p]
        down[p] = parts.lower[p] - values[p]
        up[p] = parts.upper[p] - values[p]
    add_information(columns, size, weights, excess, (information, slope))
    bounded_step((information, slope), (down, up), step)


@njit(cache=True, nogil=True)
def fit_columns(
    spectrum: Spectrum,
    parts: Parts,
    columns: Matrix,
    state: tuple[Vector, Vector],
    steps: tuple[int, int],
) -> float:
    """As `fit_parts`, with the columns of the shapes of `parts`; `state` is (values, mean)."""
    values, mean = state
    size = values.shape[0]
    information = np.empty((size, size))
    step = np.empty(size)
    trial = np.empty(size)
    trial_mean = np.empty(mean.shape[0])
    spreading_steps, most_steps = steps
    spread(spectrum, parts, columns, state, spreading_steps)
    best = log_likelihood(spectrum, parts, values, mean)
    for _ in range(most_steps):
        scoring_step(spectrum, parts, columns, (values, mean), (information, step))
        scale = 1.0
        gained = 0.0
        for _ in range(10):
            for p in range(size):
                moved = values[p] + scale * step[p]
                trial[p] = min(max(moved, parts.lower[p]), parts.upper[p])
            likelihood = log_likelihood(spectrum, parts, trial, trial_mean)
            if likelihood > best:
                gained = likelihood - best
                best = likelihood
                values[:] = trial
                mean[:] = trial_mean
                break
            scale *= 0.5
        if gained < ENOUGH_NATS:
            break
    return best


@njit(cache=True, nogil=True)
def fit_parts(
    spectrum: Spectrum, parts: Parts, values: Vector, mean: Vector, steps: tuple[int, int]
) -> float:
    """Greatest penalised log-likelihood within bounds, by Fisher scoring with step halving.

    values  start within the bounds; overwritten by the solution, `mean` by its counts
    steps   so many of expectation maximisation, which cannot overshoot, and at most so many others
    returns the log-likelihood relative to a perfect fit, <= 0
    """
    size, bins = parts.shapes.shape
    columns = np.empty((room_for(bins), size))
    columns_of(parts.shapes, columns)
    return fit_columns(spectrum, parts, columns, (values, mean), steps)


@njit(cache=True, nogil=True)
def fit_each(
    spectrum: Spectrum, parts: Parts, sources: Matrix, start: Matrix, steps: tuple[int, int]
) -> tuple[Vector, Matrix]:
    """One fit for each source, which takes the place of the last part.

    parts    its last shape is work space
    sources  (sources, bins) counts per unit
    start    (sources, parts) where each fit begins
    returns  (sources,) log-likelihoods and (sources, parts) values
    """
    number, bins = sources.shape
    size = start.shape[1]
    nats = np.empty(number)
    values = start.copy()
    mean = np.empty(bins)
    columns = np.empty((room_for(bins), size))
    columns_of(parts.shapes, columns)
    for s in range(number):
        parts.shapes[-1, :] = sources[s]
        for i in range(bins):
            columns[i, size - 1] = sources[s, i]
        nats[s] = fit_columns(spectrum, parts, columns, (values[s], mean), steps)
    return nats, values
