"""Scores of a source's profile at many places, over one fit without it."""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from fusion.kernels.radiation import (
    CountModel,
    Fit,
    Matrix,
    Vector,
    View,
    factor_symmetric,
    solve_factored,
    source_profile,
)

KNOWN = 1e12  # precision of what is not free


class Known(NamedTuple):
    """A fit without a source, made ready for many profiles."""

    model: CountModel
    fit: Fit
    factor: Matrix
    """(unknowns, unknowns) Cholesky's factor of what counts and priors tell of the unknowns."""
    work: Matrix
    """(2, unknowns) room."""


@njit(cache=True, nogil=True)
def held_precision(fit: Fit, model: CountModel, size: int) -> Vector:
    """(size,) the priors' precision of the first unknowns; one at its bound counts as known."""
    precision = model.prior_precision[:size].copy()
    for k in range(size):
        if fit.values[k] <= model.lower[k] or fit.values[k] >= model.upper[k]:
            precision[k] = KNOWN
    return precision


@njit(cache=True, nogil=True)
def known_from(fit: Fit, model: CountModel, precision: Vector) -> Known:
    """`precision` takes the place of the model's priors'."""
    bins, size = model.design.shape
    information = np.zeros((size, size))
    for k in range(size):
        information[k, k] = precision[k]
        for j in range(k + 1):
            for i in range(bins):
                information[k, j] += model.design[i, k] * model.design[i, j] / fit.mean[i]
    factor_symmetric(information, size)
    return Known(model, fit, information, np.empty((2, size)))


@njit(cache=True, nogil=True)
def profile_score(profile: Vector, counts: Vector, known: Known) -> float:
    """Efficient score of one profile in standard deviations; negative where counts are missing.

    Rao's test: U = p'W(n - m), V = p'Wp - p'WN (N'WN + P)^-1 N'Wp with W = 1 / m (Cox and
    Hinkley 1974, section 9.3). At the penalised maximum N adds nothing to U.
    """
    bins, size = known.model.design.shape
    cross = known.work[0]
    solved = known.work[1]
    score = 0.0
    variance = 0.0
    cross[:] = 0.0
    for i in range(bins):
        mean = known.fit.mean[i]
        weighted = profile[i] / mean
        score += weighted * (counts[i] - mean)
        variance += weighted * profile[i]
        for k in range(size):
            cross[k] += weighted * known.model.design[i, k]
    solved[:] = cross
    solve_factored(known.factor, solved, size)
    for k in range(size):
        variance -= cross[k] * solved[k]
    return score / math.sqrt(variance) if variance > 1e-12 else 0.0


@njit(cache=True, nogil=True)
def profile_scores(
    fit: Fit, counts: Vector, model: CountModel, view: View, places_m: tuple[Vector, Vector]
) -> Matrix:
    """`profile_score` at each place and of each width.

    fit, model  without a source
    places_m    ((positions,), (widths,))
    returns     (widths, positions)
    """
    positions_m, widths_m = places_m
    scores = np.empty((widths_m.shape[0], positions_m.shape[0]))
    known = known_from(fit, model, model.prior_precision)
    profile = np.empty(counts.shape[0])
    for w in range(widths_m.shape[0]):
        for q in range(positions_m.shape[0]):
            source_profile(view.passed_m, positions_m[q], widths_m[w], view.distance_m, profile)
            scores[w, q] = profile_score(profile, counts, known)
    return scores
