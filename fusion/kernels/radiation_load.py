"""A load that radiates itself, as columns of a pass's counts. Callers check arguments."""

import numpy as np
from numba import njit

from fusion.kernels.radiation import CountModel, Fit, Matrix, Vector, View, shadow_basis
from fusion.kernels.radiation_scores import held_precision, profile_scores


@njit(cache=True, nogil=True)
def seen_load(
    view: View, middle_m: float, width_m: float, unit_m: float, patterns: Matrix
) -> Matrix:
    """(bins, patterns) counts per unit rate of a load of `unit_m` with the same activity a metre.

    patterns  (cells, patterns) activity along the load

    A shadow's law with the panel's distance in the place of its reach is that of a load's rays.
    """
    cells = patterns.shape[0]
    first_m = middle_m - width_m / 2
    last_m = middle_m + width_m / 2
    step_m = (last_m - first_m) / cells
    edges_m = np.empty(cells + 1)
    for c in range(cells):
        edges_m[c] = c * step_m + first_m
    edges_m[cells] = last_m
    unit = np.full(view.passed_m.shape[0], -2.0 * view.distance_m / unit_m * view.bin_s)
    return shadow_basis(view.passed_m, unit, edges_m, patterns, view.distance_m)


@njit(cache=True, nogil=True)
def load_columns(
    view: View, middle_m: float, width_m: float, patterns: Matrix, end_step_m: float
) -> Matrix:
    """(bins, patterns + 2) counts per unit: the patterns, and the ends further out by a metre.

    patterns    (cells, patterns), the first of them an even load
    end_step_m  over which the change with an end is taken
    """
    size = patterns.shape[1]
    columns = np.empty((view.passed_m.shape[0], size + 2))
    columns[:, :size] = seen_load(view, middle_m, width_m, width_m, patterns)
    even = np.ones((patterns.shape[0], 1))
    for end in range(2):
        to_m = middle_m + (end - 0.5) * end_step_m
        longer = seen_load(view, to_m, width_m + end_step_m, width_m, even)
        for i in range(columns.shape[0]):
            columns[i, size + end] = (longer[i, 0] - columns[i, 0]) / end_step_m
    return columns


@njit(cache=True, nogil=True)
def with_load(model: CountModel, columns: Matrix, most_cps: float) -> CountModel:
    """The model with a load's columns, and a last one of nothing: a point, held at none.

    The load's own rate, the first of `columns`, is at least 0. None of these has a prior.
    """
    bins, first = model.design.shape
    size = first + columns.shape[1] + 1
    design = np.zeros((bins, size))
    design[:, :first] = model.design
    design[:, first : size - 1] = columns
    mean = np.zeros(size)
    precision = np.zeros(size)
    lower = np.full(size, -most_cps)
    upper = np.full(size, most_cps)
    mean[:first] = model.prior_mean
    precision[:first] = model.prior_precision
    lower[:first] = model.lower
    upper[:first] = model.upper
    lower[first] = 0.0
    lower[size - 1] = 0.0
    upper[size - 1] = 0.0
    return CountModel(model.background, design, mean, precision, lower, upper)


@njit(cache=True, nogil=True)
def point_scores(
    counts: Vector, model: CountModel, fit: Fit, view: View, places_m: Vector
) -> Vector:
    """`profile_scores` of a point at each place, over the fit of a model `with_load`.

    An unknown at its bound counts as known, for it cannot give way to a point.
    """
    size = model.design.shape[1] - 1
    precision = held_precision(fit, model, size)
    alone = CountModel(
        model.background,
        model.design[:, :size].copy(),
        model.prior_mean[:size],
        precision,
        model.lower[:size],
        model.upper[:size],
    )
    start = Fit(fit.values[:size].copy(), fit.mean)
    scores: Vector = profile_scores(start, counts, alone, view, (places_m, np.zeros(1)))[0]
    return scores
