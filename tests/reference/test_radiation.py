"""Slow, obvious NumPy twins of the radiation kernels."""

import numpy as np
import pytest

from fusion.kernels.radiation import (
    CountModel,
    Fit,
    View,
    factor_symmetric,
    fit_counts,
    log_likelihood,
    scoring_step,
    shadow_basis,
    solve_factored,
    solve_symmetric,
    source_profile,
)
from fusion.kernels.radiation_panels import PanelModel, panel_gain
from fusion.kernels.radiation_scores import profile_scores
from fusion.kernels.radiation_search import Search, fit_source, refine_source

PASSED_M = np.linspace(-2.6, 22.0, 57)
BIN_S = 0.2
VIEW = View(PASSED_M, BIN_S, 2.5)


def naive_profile(passed_m, middle_m, width_m, distance_m):
    places_m = middle_m + (np.arange(4000) + 0.5) / 4000 * width_m - width_m / 2
    away_m = passed_m[:, None] - places_m
    return ((distance_m**2 / (distance_m**2 + away_m**2)) ** 1.5).mean(axis=1)


def naive_basis(passed_m, background, length_m, reach_m, waves):
    def covered(along_m):
        return along_m / (2 * np.hypot(along_m, reach_m))

    shadow = covered(passed_m) - covered(passed_m - length_m)
    place = np.clip(passed_m / length_m, 0, 1)
    shapes = [shadow * np.cos(k * np.pi * place) for k in range(waves + 1)]
    columns = [np.ones(len(passed_m)), np.linspace(-1, 1, len(passed_m))]
    return np.column_stack(columns + [-shape for shape in shapes]) * background[:, None]


def naive_shadow(passed_m, background, edges_m, masses, reach_m):
    def covered(along_m):
        return along_m / (2 * np.hypot(along_m, reach_m))

    seen = covered(passed_m[:, None] - edges_m[:-1]) - covered(passed_m[:, None] - edges_m[1:])
    return -background[:, None] * (seen @ masses)


def naive_panels(counts, model, spread_cps):
    """Each panel by itself, as a Gaussian with its nuisances in the covariance."""
    gain, excess = 0.0, []
    for panel, share in enumerate(model.shares):
        mean = share * model.fitted
        nuisances = share * model.nuisances
        noise = np.diag(mean) + nuisances @ np.diag(1 / model.precision) @ nuisances.T
        weight = np.linalg.inv(noise)
        score = model.profile @ weight @ (counts[:, panel] - mean)
        precision = model.profile @ weight @ model.profile + 1 / spread_cps[panel] ** 2
        gain += score**2 / precision / 2
        excess.append(score / precision)
    return gain, excess


def naive_likelihood(counts, model, values):
    mean = np.maximum(model.background + model.design @ values, 1e-3)
    penalty = 0.5 * (model.prior_precision * (values - model.prior_mean) ** 2).sum()
    return (counts * np.log(mean) - mean).sum() - penalty


def naive_step(counts, model, values):
    mean = model.background + model.design @ values
    pull = model.prior_precision * (model.prior_mean - values)
    slope = model.design.T @ (counts / mean - 1) + pull
    weighted = model.design / mean[:, None]
    information = model.design.T @ weighted + np.diag(model.prior_precision)
    free = ~((values <= model.lower) & (slope < 0) | (values >= model.upper) & (slope > 0))
    step = np.zeros(len(values))
    step[free] = np.linalg.solve(information[np.ix_(free, free)], slope[free])
    return step


def naive_fit(counts, model, values):
    """Fisher scoring with small steps, for long."""
    for _ in range(400):
        step = 0.3 * naive_step(counts, model, values)
        values = np.clip(values + step, model.lower, model.upper)
    return values


def naive_scores(fit, counts, model, places_m):
    positions_m, widths_m = places_m
    weight = np.diag(1 / fit.mean)
    n = model.design
    inverse = np.linalg.inv(n.T @ weight @ n + np.diag(model.prior_precision))
    scores = np.empty((len(widths_m), len(positions_m)))
    for i, width_m in enumerate(widths_m):
        for j, position_m in enumerate(positions_m):
            p = naive_profile(PASSED_M, position_m, width_m, 2.5)
            variance = p @ weight @ p - p @ weight @ n @ inverse @ n.T @ weight @ p
            scores[i, j] = p @ weight @ (counts - fit.mean) / np.sqrt(variance)
    return scores


def clean_model(columns=0):
    background = np.full(len(PASSED_M), 936 * BIN_S)
    basis = naive_basis(PASSED_M, background, 18.0, 2.5, 4)
    design = np.column_stack([basis, *[np.zeros(len(PASSED_M))] * columns])
    size = design.shape[1]
    mean, precision = np.zeros(size), np.full(size, 1 / 0.02**2)
    mean[2], precision[2] = 0.1, 1 / 0.1**2
    lower, upper = np.full(size, -1.0), np.full(size, 1.0)
    lower[2], upper[2] = 0.0, 0.35
    if columns:
        precision[-1], lower[-1], upper[-1] = 0.0, 0.0, 1e9
    return CountModel(background, np.ascontiguousarray(design), mean, precision, lower, upper)


def pass_counts(seed, net_cps=0.0, suppression=0.12, middle_m=11.0, width_m=0.0):
    random = np.random.default_rng(seed)
    model = clean_model()
    mean = model.background + model.design[:, 2] * suppression
    mean = mean + net_cps * BIN_S * naive_profile(PASSED_M, middle_m, width_m, 2.5)
    return random.poisson(mean).astype(np.float64)


def clean_fit(counts):
    model = clean_model()
    fit = Fit(model.prior_mean.copy(), model.background.copy())
    return model, fit, fit_counts(counts, model, fit)


@pytest.mark.parametrize("width_m", [0.0, 0.5, 3.5, 12.0])
@pytest.mark.parametrize("middle_m", [-1.0, 11.0])
def test_the_profile_is_the_mean_of_points(middle_m, width_m):
    out = np.empty(len(PASSED_M))
    source_profile(PASSED_M, middle_m, width_m, 2.5, out)
    assert out == pytest.approx(naive_profile(PASSED_M, middle_m, width_m, 2.5), abs=1e-6)


@pytest.mark.parametrize("length_m", [4.5, 18.0])
def test_a_shadow_is_the_sum_of_what_each_cell_covers(length_m):
    background = np.linspace(180.0, 190.0, len(PASSED_M))
    edges_m = np.linspace(0.0, length_m, 8)
    masses = np.random.default_rng(1).uniform(-1.0, 1.0, (7, 4))
    basis = shadow_basis(PASSED_M, background, edges_m, masses, 2.5)
    assert basis == pytest.approx(naive_shadow(PASSED_M, background, edges_m, masses, 2.5))


def test_an_even_mass_is_the_whole_shadow():
    ones = np.ones((9, 1))
    basis = shadow_basis(PASSED_M, np.ones(len(PASSED_M)), np.linspace(0, 18, 10), ones, 2.5)
    model = naive_basis(PASSED_M, np.ones(len(PASSED_M)), 18.0, 2.5, 0)
    assert basis[:, 0] == pytest.approx(model[:, 2])


@pytest.mark.parametrize("seed", range(4))
def test_panels_gain_what_a_gaussian_with_these_nuisances_says(seed):
    random = np.random.default_rng(seed)
    fitted = random.uniform(150.0, 250.0, len(PASSED_M))
    shares = random.dirichlet(np.full(5, 20.0))
    nuisances = np.column_stack([fitted, -fitted * naive_profile(PASSED_M, 9.0, 15.0, 2.5)])
    profile = BIN_S * naive_profile(PASSED_M, 11.0, 0.0, 2.5)
    model = PanelModel(fitted, shares, profile, nuisances, np.array([1e4, 1e3]))
    counts = random.poisson(fitted[:, None] * shares).astype(np.float64)
    spread_cps, excess = np.full(5, 40.0), np.empty(5)
    gain = panel_gain(counts, model, spread_cps, excess)
    expected_gain, expected_excess = naive_panels(counts, model, spread_cps)
    assert gain == pytest.approx(expected_gain)
    assert excess == pytest.approx(expected_excess)


def test_a_panel_without_background_or_spread_gains_nothing():
    model = PanelModel(
        np.full(57, 200.0), np.array([0.0, 1.0]), np.ones(57), np.ones((57, 1)), np.ones(1)
    )
    excess = np.full(2, 9.0)
    assert panel_gain(np.full((57, 2), 5.0), model, np.array([3.0, 0.0]), excess) == 0.0
    assert excess.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("size", [1, 3, 8])
def test_symmetric_equations_are_solved(size):
    random = np.random.default_rng(size)
    half = random.normal(size=(size, size + 2))
    matrix, vector = half @ half.T, random.normal(size=size)
    solution = vector.copy()
    solve_symmetric(matrix.copy(), solution, size)
    assert solution == pytest.approx(np.linalg.solve(matrix, vector))


@pytest.mark.parametrize("size", [1, 3, 8])
def test_a_factor_is_choleskys(size):
    half = np.random.default_rng(size).normal(size=(size, size + 2))
    matrix = half @ half.T
    factor = matrix.copy()
    factor_symmetric(factor, size)
    assert np.tril(factor) == pytest.approx(np.linalg.cholesky(matrix))
    solution = np.arange(1.0, size + 1)
    solve_factored(factor, solution, size)
    assert matrix @ solution == pytest.approx(np.arange(1.0, size + 1))


def test_a_direction_without_information_stays_at_zero():
    solution = np.array([2.0, 5.0])
    solve_symmetric(np.array([[4.0, 0.0], [0.0, 0.0]]), solution, 2)
    assert solution.tolist() == [0.5, 0.0]


def test_the_likelihood_and_its_step_are_those_of_the_formula():
    counts, model = pass_counts(1), clean_model()
    values = np.linspace(0.01, 0.05, model.design.shape[1])
    mean = np.empty(len(counts))
    found = log_likelihood(counts, model, values, mean)
    assert found == pytest.approx(naive_likelihood(counts, model, values))
    size = len(values)
    step = np.empty(size)
    scoring_step(counts, model, Fit(values, mean), np.empty((size, size)), step)
    assert step == pytest.approx(naive_step(counts, model, values), rel=1e-6)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("net_cps", [0.0, 900.0])
def test_the_fit_finds_the_maximum_also_at_a_bound(seed, net_cps):
    # A strong source drives the suppression to its lower bound of zero.
    counts = pass_counts(seed, net_cps)
    model, fit, nats = clean_fit(counts)
    values = naive_fit(counts, model, model.prior_mean.copy())
    assert nats == pytest.approx(naive_likelihood(counts, model, values), abs=1e-3)
    assert fit.values == pytest.approx(values, abs=2e-3)


@pytest.mark.parametrize("net_cps", [0.0, 200.0])
def test_the_scores_are_raos(net_cps):
    counts = pass_counts(3, net_cps)
    model, fit, _ = clean_fit(counts)
    places_m = (np.arange(0.0, 18.0, 3.0), np.array([0.0, 3.5, 11.0]))
    found = profile_scores(fit, counts, model, VIEW, places_m)
    assert found == pytest.approx(naive_scores(fit, counts, model, places_m), rel=1e-4, abs=1e-4)


def test_a_score_of_a_clean_pass_is_a_standard_normal_one():
    places_m = (np.array([9.0]), np.array([0.0]))
    scores = []
    for seed in range(100):
        counts = pass_counts(seed)
        model, fit, _ = clean_fit(counts)
        scores.append(profile_scores(fit, counts, model, VIEW, places_m)[0, 0])
    # The prior allows more than these passes use: the score is a little narrow, never wide.
    assert abs(np.mean(scores)) < 0.3
    assert 0.4 < np.std(scores) < 1.1


def test_a_fitted_source_is_as_strong_as_it_was_made():
    counts = pass_counts(5, net_cps=2000.0)
    model = clean_model(columns=1)
    fit = Fit(model.prior_mean.copy(), model.background.copy())
    nats = fit_source(counts, model, VIEW, np.array([11.0, 0.0, 2.5]), fit)
    assert fit.values[-1] == pytest.approx(2000.0, rel=0.1)
    model.design[:, -1] = naive_profile(PASSED_M, 11.0, 0.0, 2.5) * BIN_S
    assert nats == pytest.approx(naive_likelihood(counts, model, fit.values))


def test_the_search_finds_place_and_width_as_well_as_a_fine_grid():
    counts = pass_counts(6, net_cps=1500.0, middle_m=9.3, width_m=8.0)
    model = clean_model(columns=1)

    def fitted(place):
        fit = Fit(model.prior_mean.copy(), model.background.copy())
        return fit_source(counts, model, VIEW, place, fit)

    grid = [
        (fitted(np.array([middle_m, width_m, 2.5])), middle_m, width_m)
        for middle_m in np.arange(8.3, 11.0, 0.5)
        for width_m in np.arange(6.0, 10.0, 1.0)
    ]
    place = np.array([10.0, 8.5, 2.5])
    search = Search(
        place,
        np.array([0.5, 1.0, 0.0]),
        np.array([0.0, 6.0, 2.5]),
        np.array([18.0, 20.0, 2.5]),
        3,
    )
    fit = Fit(model.prior_mean.copy(), model.background.copy())
    nats = refine_source(counts, model, VIEW, search, fit)
    best, middle_m, width_m = max(grid)
    assert nats >= best - 0.05
    assert place[:2] == pytest.approx([middle_m, width_m], abs=0.5)
    assert place[:2] == pytest.approx([9.3, 8.0], abs=0.6)
