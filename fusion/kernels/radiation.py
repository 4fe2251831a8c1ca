"""Kernels of the gamma profile test. Callers check arguments; kernels trust them.

Counts of one pass are modelled as Poisson with the mean

    m = background (1 + level + trend - vehicle shadow) + amplitude * profile

The shadow's size and shape and the background's level are nuisances with Gaussian priors, so
the test is a penalised likelihood ratio. Columns of `basis` are in counts.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

MAX_STEPS = 30  # Fisher scoring doubles its digits; 8 are usual, more means a flat likelihood
SMALLEST_MEAN = 1e-3  # counts per bin: keeps the logarithm finite where a fit shields everything


class CountModel(NamedTuple):
    """How the mean of the counts depends on unknowns, each with a prior and bounds."""

    background: Vector
    """(bins,) the fixed part of the mean."""
    design: Matrix
    """(bins, unknowns) change of the mean per unit of each unknown."""
    prior_mean: Vector
    """(unknowns,)"""
    prior_precision: Vector
    """(unknowns,); 0: no prior."""
    lower: Vector
    upper: Vector


class Fit(NamedTuple):
    """A start, overwritten by the solution."""

    values: Vector
    """(unknowns,)"""
    mean: Vector
    """(bins,) fitted counts."""


class View(NamedTuple):
    """How the pass was seen."""

    passed_m: Vector
    """(bins,) which place of the vehicle was at the portal."""
    bin_s: float
    distance_m: float
    """From the lane's middle to a panel, > 0."""


@njit(cache=True, nogil=True)
def source_profile(
    passed_m: Vector, middle_m: float, width_m: float, distance_m: float, out: Vector
) -> None:
    """Count rate of a source relative to a point at the same place, written to `out`.

    passed_m    (bins,) which place of the vehicle is at the portal
    middle_m    of the source, width_m its length along the vehicle (0: a point)
    distance_m  from the lane's middle to a panel, > 0

    S0 (d2 / (d2 + x2))^1.5, inverse square with the panel's cosine (facts/radiation 5.1); its
    mean over the width has the closed form d x / sqrt(d2 + x2).
    """
    square = distance_m * distance_m
    for i in range(passed_m.shape[0]):
        away = passed_m[i] - middle_m
        if width_m <= 0.0:
            share = square / (square + away * away)
            out[i] = share * math.sqrt(share)
        else:
            ahead = away + 0.5 * width_m
            behind = away - 0.5 * width_m
            out[i] = (
                distance_m
                / width_m
                * (
                    ahead / math.sqrt(square + ahead * ahead)
                    - behind / math.sqrt(square + behind * behind)
                )
            )


@njit(cache=True, nogil=True)
def shadow_basis(
    passed_m: Vector, background: Vector, edges_m: Vector, masses: Matrix, reach_m: float
) -> Matrix:
    """Counts that a clean vehicle takes from the background, per unit of each mass pattern.

    passed_m    (bins,) which place of the vehicle is at the portal
    background  (bins,) expected counts without a vehicle
    edges_m     (cells + 1,) rising places along the vehicle
    masses      (cells, patterns) what each cell shields
    reach_m     half width of the ground that makes half of a panel's background
    returns     (bins, patterns); negative where the mass is positive

    A panel's background comes from along the lane as (r2 / (r2 + x2))^1.5, whose integral is
    x / sqrt(r2 + x2) (facts/radiation 5.1, as a source's profile).
    """
    square = reach_m * reach_m
    cells, patterns = masses.shape
    basis = np.zeros((passed_m.shape[0], patterns))
    for i in range(passed_m.shape[0]):
        away = passed_m[i] - edges_m[0]
        ahead = 0.5 * away / math.sqrt(square + away * away)
        for c in range(cells):
            away = passed_m[i] - edges_m[c + 1]
            behind = 0.5 * away / math.sqrt(square + away * away)
            covered = background[i] * (ahead - behind)
            for k in range(patterns):
                basis[i, k] -= covered * masses[c, k]
            ahead = behind
    return basis


@njit(cache=True, nogil=True)
def solve_symmetric(matrix: Matrix, vector: Vector, size: int) -> None:
    """Solve in place by Cholesky; `vector` becomes the solution, `matrix` is destroyed.

    Plain loops: numba's own solver needs SciPy, and 8 unknowns need no LAPACK. A direction
    without information is left at zero.
    """
    factor_symmetric(matrix, size)
    solve_factored(matrix, vector, size)


@njit(cache=True, nogil=True)
def factor_symmetric(matrix: Matrix, size: int) -> None:
    """Cholesky's factor in place of the lower triangle."""
    for j in range(size):
        diagonal = matrix[j, j]
        for k in range(j):
            diagonal -= matrix[j, k] * matrix[j, k]
        diagonal = math.sqrt(diagonal) if diagonal > 1e-12 else 0.0
        matrix[j, j] = diagonal
        for i in range(j + 1, size):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            matrix[i, j] = total / diagonal if diagonal > 0.0 else 0.0


@njit(cache=True, nogil=True)
def solve_factored(factor: Matrix, vector: Vector, size: int) -> None:
    """`vector` becomes the solution, with what `factor_symmetric` left."""
    for i in range(size):
        total = vector[i]
        for k in range(i):
            total -= factor[i, k] * vector[k]
        vector[i] = total / factor[i, i] if factor[i, i] > 0.0 else 0.0
    for back in range(size):
        i = size - 1 - back
        total = vector[i]
        for k in range(i + 1, size):
            total -= factor[k, i] * vector[k]
        vector[i] = total / factor[i, i] if factor[i, i] > 0.0 else 0.0


@njit(cache=True, nogil=True)
def log_likelihood(counts: Vector, model: CountModel, values: Vector, mean: Vector) -> float:
    """Penalised Poisson log-likelihood without ln(n!); the bins' means are written to `mean`."""
    total = 0.0
    for i in range(counts.shape[0]):
        expected = model.background[i]
        for k in range(values.shape[0]):
            expected += model.design[i, k] * values[k]
        expected = max(expected, SMALLEST_MEAN)
        mean[i] = expected
        total += counts[i] * math.log(expected) - expected
    for k in range(values.shape[0]):
        off = values[k] - model.prior_mean[k]
        total -= 0.5 * model.prior_precision[k] * off * off
    return total


@njit(cache=True, nogil=True)
def scoring_step(
    counts: Vector, model: CountModel, fit: Fit, information: Matrix, step: Vector
) -> None:
    """The Fisher-scoring step from `fit`, written to `step`; `information` is work space."""
    size = step.shape[0]
    design = model.design
    information[:, :] = 0.0
    for k in range(size):
        step[k] = model.prior_precision[k] * (model.prior_mean[k] - fit.values[k])
        information[k, k] = model.prior_precision[k]
    # Four bins at a time: every sum keeps its order, and is read and written a quarter as often.
    whole = counts.shape[0] // 4 * 4
    for i in range(0, whole, 4):
        w0, w1, w2, w3 = (
            1.0 / fit.mean[i],
            1.0 / fit.mean[i + 1],
            1.0 / fit.mean[i + 2],
            1.0 / fit.mean[i + 3],
        )
        for k in range(size):
            d0, d1, d2, d3 = design[i, k], design[i + 1, k], design[i + 2, k], design[i + 3, k]
            step[k] = (
                step[k]
                + d0 * (counts[i] * w0 - 1.0)
                + d1 * (counts[i + 1] * w1 - 1.0)
                + d2 * (counts[i + 2] * w2 - 1.0)
                + d3 * (counts[i + 3] * w3 - 1.0)
            )
            d0, d1, d2, d3 = d0 * w0, d1 * w1, d2 * w2, d3 * w3
            for j in range(k + 1):
                information[k, j] = (
                    information[k, j]
                    + d0 * design[i, j]
                    + d1 * design[i + 1, j]
                    + d2 * design[i + 2, j]
                    + d3 * design[i + 3, j]
                )
    for i in range(whole, counts.shape[0]):
        weight = 1.0 / fit.mean[i]
        slope = counts[i] * weight - 1.0
        for k in range(size):
            step[k] += design[i, k] * slope
            scaled = design[i, k] * weight
            for j in range(k + 1):
                information[k, j] += scaled * design[i, j]
    for k in range(size):
        # At its bound and pushed outwards: it stays, and the others move without it.
        if (fit.values[k] <= model.lower[k] and step[k] < 0.0) or (
            fit.values[k] >= model.upper[k] and step[k] > 0.0
        ):
            for j in range(size):
                information[max(k, j), min(k, j)] = 0.0
            information[k, k] = 1.0
            step[k] = 0.0
    solve_symmetric(information, step, size)


@njit(cache=True, nogil=True)
def fit_counts(counts: Vector, model: CountModel, fit: Fit) -> float:
    """Greatest penalised log-likelihood within bounds, by Fisher scoring with step halving.

    counts  (bins,) measured
    fit     start values within the bounds; overwritten by the solution
    """
    bins, size = model.design.shape
    information = np.empty((size, size))
    step = np.empty(size)
    trial = np.empty(size)
    trial_mean = np.empty(bins)
    best = log_likelihood(counts, model, fit.values, fit.mean)
    for _ in range(MAX_STEPS):
        scoring_step(counts, model, fit, information, step)
        scale = 1.0
        gained = 0.0
        for _ in range(12):
            for k in range(size):
                moved = fit.values[k] + scale * step[k]
                trial[k] = min(max(moved, model.lower[k]), model.upper[k])
            likelihood = log_likelihood(counts, model, trial, trial_mean)
            if likelihood > best:
                gained = likelihood - best
                best = likelihood
                fit.values[:] = trial
                fit.mean[:] = trial_mean
                break
            scale *= 0.5
        if gained < 1e-5:  # nats; a thousandth of what any threshold asks
            break
    return best
