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

from fusion.kernels.radiation import solve_symmetric

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

SMALLEST_MEAN = 1e-3  # counts per bin: keeps the logarithm finite where a fit explains nothing
SMALLEST_SHARE = 0.02  # of the level: a bin that a fit leaves empty must not outweigh all others
SPREADING_STEPS = 3  # of expectation maximisation, which cannot overshoot, before the first step
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
def spread(spectrum: Spectrum, parts: Parts, values: Vector, mean: Vector) -> None:
    """One step of expectation maximisation on the parts that cannot be negative."""
    expected_counts(parts.shapes, values, spectrum.level, mean)
    for p in range(values.shape[0]):
        if parts.lower[p] < 0.0:
            continue
        seen = 0.0
        whole = 0.0
        for i in range(mean.shape[0]):
            weighted = spectrum.weights[i] * parts.shapes[p, i]
            seen += weighted * spectrum.counts[i] / mean[i]
            whole += weighted
        if whole > 0.0:
            moved = values[p] * seen / whole
            values[p] = min(max(moved, parts.lower[p]), parts.upper[p])


@njit(cache=True, nogil=True)
def scoring_step(  # noqa: PLR0912 - loops over parts, each with its case
    spectrum: Spectrum, parts: Parts, state: tuple[Vector, Vector], work: tuple[Matrix, Vector]
) -> None:
    """The Fisher-scoring step from `state` = (values, mean), written to the second of `work`.

    It ends within the bounds: parts that would cross theirs are stopped there, and the others
    find their step anew.
    """
    values, mean = state
    information, step = work
    size = values.shape[0]
    information[:, :] = 0.0
    slope = np.empty(size)
    row = np.empty(size)  # next to each other in memory, so that sums go by vectors
    for p in range(size):
        slope[p] = parts.prior_precision[p] * (parts.prior_mean[p] - values[p])
        information[p, p] = parts.prior_precision[p]
    for i in range(mean.shape[0]):
        if spectrum.weights[i] <= 0.0:
            continue
        weight = spectrum.weights[i] / mean[i]
        excess = weight * spectrum.counts[i] - spectrum.weights[i]
        for p in range(size):
            row[p] = parts.shapes[p, i]
        for p in range(size):
            shape = row[p]
            if shape == 0.0:
                continue
            slope[p] += shape * excess
            scaled = shape * weight
            for q in range(p + 1):
                information[p, q] += scaled * row[q]
    matrix = np.empty((size, size))
    stopped = np.zeros(size, np.bool_)
    rest = np.zeros(size)  # of the way to the bound where a part is stopped
    for _ in range(size):
        for p in range(size):
            step[p] = 0.0 if stopped[p] else slope[p]
            for q in range(p + 1):
                matrix[p, q] = 0.0 if stopped[p] or stopped[q] else information[p, q]
            # Two parts of one shape: any share will do.
            matrix[p, p] = 1.0 if stopped[p] else information[p, p] * (1.0 + 1e-9)
        for p in range(size):
            if stopped[p]:
                for q in range(size):
                    if not stopped[q]:
                        step[q] -= information[max(p, q), min(p, q)] * rest[p]
        solve_symmetric(matrix, step, size)
        crossed = False
        for p in range(size):
            if stopped[p]:
                step[p] = rest[p]
            elif values[p] + step[p] < parts.lower[p]:
                rest[p] = parts.lower[p] - values[p]
                stopped[p] = crossed = True
            elif values[p] + step[p] > parts.upper[p]:
                rest[p] = parts.upper[p] - values[p]
                stopped[p] = crossed = True
        if not crossed:
            break


@njit(cache=True, nogil=True)
def fit_parts(
    spectrum: Spectrum, parts: Parts, values: Vector, mean: Vector, most_steps: int
) -> float:
    """Greatest penalised log-likelihood within bounds, by Fisher scoring with step halving.

    values  start within the bounds; overwritten by the solution, `mean` by its counts
    returns the log-likelihood relative to a perfect fit, <= 0
    """
    size = values.shape[0]
    information = np.empty((size, size))
    step = np.empty(size)
    trial = np.empty(size)
    trial_mean = np.empty(mean.shape[0])
    for _ in range(SPREADING_STEPS):
        spread(spectrum, parts, values, mean)
    best = log_likelihood(spectrum, parts, values, mean)
    for _ in range(most_steps):
        scoring_step(spectrum, parts, (values, mean), (information, step))
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
def fit_each(
    spectrum: Spectrum, parts: Parts, sources: Matrix, start: Vector, most_steps: int
) -> tuple[Vector, Matrix]:
    """One fit for each source, which takes the place of the last part.

    parts    its last shape is work space
    sources  (sources, bins) counts per unit
    start    (parts,) where each fit begins
    returns  (sources,) log-likelihoods and (sources, parts) values
    """
    number, bins = sources.shape
    nats = np.empty(number)
    values = np.empty((number, start.shape[0]))
    mean = np.empty(bins)
    for s in range(number):
        parts.shapes[-1, :] = sources[s]
        values[s] = start
        nats[s] = fit_parts(spectrum, parts, values[s], mean, most_steps)
    return nats, values


@njit(cache=True, nogil=True)
def source_scores(
    spectrum: Spectrum, parts: Parts, fitted: tuple[Vector, Vector], sources: Matrix
) -> Vector:
    """Efficient score in standard deviations of adding each source to a fit.

    parts    of the fit, those at a bound left out
    fitted   (bins,) its counts and (bins,) the variance of what was measured
    sources  (sources, bins)
    returns  (sources,); negative where counts are missing

    Rao's test as in `fusion.kernels.radiation.profile_scores`.
    """
    mean, variances = fitted
    size, bins = parts.shapes.shape
    number = sources.shape[0]
    scores = np.zeros(number)
    information = np.zeros((size, size))
    row = np.empty(size)
    for i in range(bins):
        weight = spectrum.weights[i] / variances[i]
        for p in range(size):
            row[p] = parts.shapes[p, i]
        for p in range(size):
            scaled = weight * row[p]
            for q in range(p + 1):
                information[p, q] += scaled * row[q]
    for p in range(size):
        information[p, p] = (information[p, p] + parts.prior_precision[p]) * (1.0 + 1e-9)
    work = np.empty((size, size))
    cross = np.empty(size)
    solved = np.empty(size)
    for s in range(number):
        score = 0.0
        variance = 0.0
        cross[:] = 0.0
        for i in range(bins):
            weighted = sources[s, i] * spectrum.weights[i] / variances[i]
            score += weighted * (spectrum.counts[i] - mean[i])
            variance += weighted * sources[s, i]
            for p in range(size):
                cross[p] += weighted * parts.shapes[p, i]
        work[:, :] = information
        solved[:] = cross
        solve_symmetric(work, solved, size)
        left = variance
        for p in range(size):
            left -= cross[p] * solved[p]
        # What the parts make up by themselves cannot add to them.
        scores[s] = score / math.sqrt(left) if left > 1e-4 * variance else 0.0
    return scores
