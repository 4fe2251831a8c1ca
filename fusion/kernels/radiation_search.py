"""The search for the best profile of one pass: a fit at a place, then coordinate steps."""

from typing import NamedTuple

import numpy as np
from numba import njit

from fusion.kernels.radiation import CountModel, Fit, Vector, View, fit_counts, source_profile


class Search(NamedTuple):
    """Where a source may be: (3,) middle, width and distance to the panel, in metres."""

    place: Vector
    """Start, overwritten by the best found."""
    step: Vector
    """First step; 0 keeps that coordinate."""
    least: Vector
    most: Vector
    halvings: int


@njit(cache=True, nogil=True)
def fit_source(counts: Vector, model: CountModel, view: View, place: Vector, fit: Fit) -> float:
    """Penalised log-likelihood with a source at `place`.

    The last column of `model.design` is work space for the profile: the last of `fit.values`
    is its amplitude in counts per second.
    """
    source_profile(view.passed_m, place[0], place[1], place[2], model.design[:, -1])
    for i in range(counts.shape[0]):
        model.design[i, -1] *= view.bin_s
    return fit_counts(counts, model, fit)


@njit(cache=True, nogil=True)
def refine_source(counts: Vector, model: CountModel, view: View, search: Search, fit: Fit) -> float:
    """Move `search.place` to the nearest maximum; steps are halved `search.halvings` times.

    returns  the log-likelihood there; `fit` and `search.place` hold the solution
    """
    best = fit_source(counts, model, view, search.place, fit)
    trial = np.empty(3)
    step = search.step.copy()
    trial_fit = Fit(fit.values.copy(), fit.mean.copy())
    for _ in range(search.halvings + 1):
        for axis in range(3):
            for sign in (-1.0, 1.0):
                moved = search.place[axis] + sign * step[axis]
                moved = min(max(moved, search.least[axis]), search.most[axis])
                if moved == search.place[axis]:
                    continue
                trial[:] = search.place
                trial[axis] = moved
                trial_fit.values[:] = fit.values
                likelihood = fit_source(counts, model, view, trial, trial_fit)
                if likelihood > best:
                    best = likelihood
                    search.place[:] = trial
                    fit.values[:] = trial_fit.values
                    fit.mean[:] = trial_fit.mean
        step *= 0.5
    return best
