"""Slow, obvious twins of the kernels that look for a source within a pass."""

import numpy as np
import pytest

from fusion.kernels.radiation import CountModel, Fit, View, fit_counts, source_profile
from fusion.kernels.radiation_load import (
    load_columns,
    point_scores,
    seen_load,
    with_load,
)
from fusion.kernels.radiation_places import (
    Bounds,
    Found,
    Panels,
    Places,
    Tried,
    best_source,
    possible_scores,
    search_from,
    source_panels,
    with_source,
)
from fusion.kernels.radiation_scores import known_from, profile_score, profile_scores
from fusion.kernels.radiation_search import fit_source
from fusion.kernels.radiation_vehicle import (
    CAB,
    SUPPRESSION,
    Load,
    Priors,
    Vehicle,
    covered,
    fit_vehicle,
    vehicle_design,
    vehicle_model,
)

PASSED_M = np.linspace(-2.6, 22.0, 57)
VIEW = View(PASSED_M, 0.2, 2.5)
LENGTH_M = 18.0
PLACES_M = np.arange(-1.5, 20.5, 1.0)
WIDTHS_M = np.array([0.0, 3.5, 8.0])
PRIORS = Priors(
    level=1 / 0.02**2,
    trend=1 / 0.007**2,
    suppression=1 / 0.1**2,
    suppression_mean=0.12,
    suppression_max=0.35,
    gap=0.01,
)


def vehicle(gaps_m=(), waves=3):
    place = (np.arange(18) + 0.5) / 18
    patterns = [of(np.pi * k * place) for k in range(1, waves + 1) for of in (np.cos, np.sin)]
    return Vehicle(
        length_m=LENGTH_M,
        cab_m=3.5,
        at_middle=9.0 / np.hypot(2.5, 9.0),
        reach_m=2.5,
        waves=np.ascontiguousarray(np.column_stack(patterns)),
        gaps_m=np.array(gaps_m, np.float64),
        gap_m=3.0,
    )


def background(cps=936.0):
    return np.full(len(PASSED_M), cps * VIEW.bin_s)


def clean(counts):
    model = vehicle_model(PASSED_M, background(), vehicle(), PRIORS)
    fit = Fit(model.prior_mean.copy(), background())
    nats = fit_vehicle(counts, model, Load(3, 0.02, -0.03, 1 / 0.01**2), fit)
    return model, fit, nats


def pass_counts(seed, net_cps=0.0, middle_m=11.0, width_m=0.0):
    mean = background() + vehicle_design(PASSED_M, background(), vehicle())[:, SUPPRESSION] * 0.12
    mean = mean + net_cps * VIEW.bin_s * profile(middle_m, width_m)
    return np.random.default_rng(seed).poisson(mean).astype(np.float64)


def profile(middle_m, width_m):
    at_m = middle_m + ((np.arange(2000) + 0.5) / 2000 - 0.5) * width_m
    away_m = PASSED_M[:, None] - at_m
    return ((6.25 / (6.25 + away_m**2)) ** 1.5).mean(axis=1)


def places(*, whole=True):
    return Places(PLACES_M, WIDTHS_M, 3.5, -1.5, 19.5 if whole else 12.0, whole)


def naive_design(gaps_m):
    edges_m = np.linspace(0.0, LENGTH_M, 19)

    def share(from_m, to_m):
        inside = np.minimum(edges_m[1:], to_m) - np.maximum(edges_m[:-1], from_m)
        return np.clip(inside / np.diff(edges_m), 0.0, 1.0)

    masses = [np.ones(18), share(0.0, 3.5), *vehicle().waves.T]
    for gap_m in gaps_m:
        masses += [share(gap_m - 1.5, gap_m + 1.5), share(gap_m, LENGTH_M)]
    away_m = PASSED_M[:, None] - edges_m
    seen = -np.diff(0.5 * away_m / np.hypot(away_m, 2.5), axis=1)
    shadows = -background()[:, None] * (seen @ np.column_stack(masses)) / vehicle().at_middle
    trend = np.linspace(-1.0, 1.0, len(PASSED_M))
    return np.column_stack((background(), background() * trend, shadows))


@pytest.mark.parametrize("gaps_m", [(), (9.0,), (5.0, 12.5)])
def test_a_vehicle_is_the_shadow_of_its_masses(gaps_m):
    found = vehicle_design(PASSED_M, background(), vehicle(gaps_m))
    assert found == pytest.approx(naive_design(gaps_m))


@pytest.mark.parametrize(("from_m", "to_m", "share"), [(0, 1, 0), (2, 3, 0.5), (3, 4, 1)])
def test_a_cell_is_covered_by_its_share(from_m, to_m, share):
    assert covered(from_m, to_m, 2.5, 9.0) == share


def test_a_vehicle_has_the_priors_of_its_parts():
    model = vehicle_model(PASSED_M, background(), vehicle((9.0,)), PRIORS)
    gap = CAB + 1 + 6
    assert model.design.shape[1] == gap + 2
    assert model.prior_mean.tolist() == [0, 0, 0.12] + [0] * (gap - 1)
    assert (model.lower[SUPPRESSION], model.upper[SUPPRESSION]) == (0.0, 0.35)
    assert (model.lower[gap], model.upper[gap]) == (-0.35, 0.0)
    assert (model.prior_precision[gap], model.prior_precision[gap + 1]) == (0.01, 1 / 0.1**2)


def test_a_load_varies_as_much_as_it_may():
    counts = pass_counts(1)
    model, fit, nats = clean(counts)
    assert (model.prior_mean[CAB], model.prior_precision[CAB]) == (-0.03, 1 / 0.01**2)
    expected = np.repeat((np.arange(1, 4) / 0.02) ** 2, 2)
    assert model.prior_precision[CAB + 1 :] == pytest.approx(expected)
    again = Fit(np.zeros(len(fit.values)), np.empty(len(counts)))
    again.values[SUPPRESSION] = 0.1
    assert fit_counts(counts, model, again) == pytest.approx(nats, abs=1e-3)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("net_cps", [0.0, 900.0])
def test_scores_are_those_of_each_place_where_a_source_can_be(whole, net_cps):
    counts = pass_counts(2, net_cps)
    model, fit, _ = clean(counts)
    found = possible_scores(fit, counts, model, VIEW, places(whole=whole))
    held = (fit.values <= model.lower) | (fit.values >= model.upper)
    known = model._replace(prior_precision=np.where(held, 1e12, model.prior_precision))
    every = profile_scores(fit, counts, known, VIEW, (PLACES_M, WIDTHS_M))
    half_m = np.array([0.0, 0.0, 4.0])[:, None]
    reaches_m = PLACES_M + half_m if whole else PLACES_M - half_m
    outside = (PLACES_M - half_m < -1.5) | (reaches_m > (19.5 if whole else 12.0))
    assert found == pytest.approx(np.where(outside, -np.inf, every))


def test_one_score_is_that_of_all_its_place_has():
    counts = pass_counts(3, 300.0)
    model, fit, _ = clean(counts)
    known = known_from(fit, model, model.prior_precision)
    every = profile_scores(fit, counts, model, VIEW, (PLACES_M, WIDTHS_M))
    shape = np.empty(len(counts))
    source_profile(PASSED_M, PLACES_M[7], WIDTHS_M[2], 2.5, shape)
    assert profile_score(shape, counts, known) == every[2, 7]


def test_a_model_with_a_source_has_one_unknown_more():
    model = vehicle_model(PASSED_M, background(), vehicle(), PRIORS)
    more = with_source(model, -5.0, 7.0)
    assert np.array_equal(more.design[:, :-1], model.design)
    for mine, theirs in zip(more[2:], model[2:], strict=True):
        assert np.array_equal(mine[:-1], theirs)
    assert not more.design[:, -1].any()
    assert [each[-1] for each in more[2:]] == [0.0, 0.0, -5.0, 7.0]


@pytest.mark.parametrize("strong", [True, False])
def test_only_a_strong_source_is_sought_beyond_its_panel_distance(strong):
    bounds = Bounds(True, 0.0, 3.5, 19.5, 10.0)
    search = search_from(np.array([21.0, 0.0, 2.5]), 11.0 if strong else 9.0, bounds, -1.5)
    assert search.step.tolist() == [0.5, 1.0, 0.25 if strong else 0.0]
    assert search.least.tolist() == [-1.5, 0.0, 2.0]
    assert search.most.tolist() == [21.0, 3.5, 3.0]
    assert search.halvings == (4 if strong else 1)


def found_in(counts, *, points):
    model, fit, _ = clean(counts)
    scores = possible_scores(fit, counts, model, VIEW, places())
    bounds = Bounds(True, 0.0, 3.5, 19.5, 10.4) if points else Bounds(False, 6.0, 25.0, 19.5, 10.4)
    found = Found(Fit(np.append(fit.values, 0.0), fit.mean.copy()), np.zeros(3))
    more = with_source(model, 0.0, 1e9)
    nats = best_source(counts, more, VIEW, Tried(places(), scores, bounds), found)
    return nats, more, found


@pytest.mark.parametrize(("middle_m", "width_m"), [(6.3, 0.0), (11.2, 8.0)])
def test_the_best_source_is_as_good_as_any_of_a_grid(middle_m, width_m):
    counts = pass_counts(4, 1500.0, middle_m, width_m)
    points = width_m == 0.0
    nats, model, found = found_in(counts, points=points)
    start = Fit(model.prior_mean.copy(), background())
    grid = [
        fit_source(counts, model, VIEW, np.array([at, width, 2.5]), Fit(*map(np.copy, start)))
        for at in np.arange(4.0, 14.0, 0.5)
        for width in ((0.0, 2.0) if points else (6.0, 8.0, 10.0))
    ]
    assert nats >= max(grid) - 0.05
    assert found.place[0] == pytest.approx(middle_m, abs=0.7)
    assert found.fit.values[-1] == pytest.approx(1500.0, rel=0.2)


def test_where_no_place_has_more_than_expected_nothing_is_found():
    model, fit, _ = clean(pass_counts(4))
    scores = np.full((len(WIDTHS_M), len(PLACES_M)), -0.1)
    tried = Tried(places(), scores, Bounds(True, 0.0, 3.5, 19.5, 10.4))
    found = Found(Fit(np.append(fit.values, 0.0), fit.mean.copy()), np.zeros(3))
    nats = best_source(pass_counts(4), with_source(model, 0.0, 1e9), VIEW, tried, found)
    assert nats == -np.inf
    assert not found.place.any()


def test_panels_see_a_source_as_they_counted_it():
    counts = pass_counts(5, 2000.0)
    _, model, found = found_in(counts, points=True)
    shares = np.array([0.25, 0.75])
    mean = found.fit.mean - found.fit.values[-1] * VIEW.bin_s * profile(*found.place[:2])
    source = counts - mean
    each = np.column_stack([mean * 0.25 + 0.6 * source, mean * 0.75 + 0.4 * source])
    panels = Panels(shares, 0.002, 0.02, 1.0, np.empty(2))
    peak_cps, gained = source_panels(each, model, VIEW, found, panels)
    assert peak_cps == pytest.approx(found.fit.values[-1], rel=0.02)
    assert panels.rates_cps / panels.rates_cps.sum() == pytest.approx([0.6, 0.4], abs=0.06)
    assert gained > 10.0


def test_one_panel_says_no_more_than_the_sum():
    counts = pass_counts(5, 2000.0)
    _, model, found = found_in(counts, points=True)
    panels = Panels(np.ones(1), 0.002, 0.02, 1.0, np.empty(1))
    _, gained = source_panels(counts[:, None], model, VIEW, found, panels)
    assert gained == 0.0
    assert panels.rates_cps[0] == found.fit.values[-1]


def test_a_load_is_the_mean_of_its_points():
    patterns = np.column_stack([np.ones(24), np.linspace(-1.0, 1.0, 24)])
    found = seen_load(VIEW, 9.0, 6.0, 6.0, patterns)
    at_m = 6.0 + (np.arange(2400) + 0.5) / 400
    seen = (6.25 / (6.25 + (PASSED_M[:, None] - at_m) ** 2)) ** 1.5 * VIEW.bin_s / 2400
    assert found == pytest.approx(seen @ np.repeat(patterns, 100, axis=0), abs=1e-5)


def test_the_ends_of_a_load_are_what_a_metre_more_would_add():
    patterns = np.ones((24, 1))
    columns = load_columns(VIEW, 9.0, 6.0, patterns, 0.25)
    even = seen_load(VIEW, 9.0, 6.0, 6.0, patterns)[:, 0]
    front = (seen_load(VIEW, 8.875, 6.25, 6.0, patterns)[:, 0] - even) / 0.25
    rear = (seen_load(VIEW, 9.125, 6.25, 6.0, patterns)[:, 0] - even) / 0.25
    assert columns == pytest.approx(np.column_stack([even, front, rear]))


def test_a_load_has_a_rate_its_shape_and_a_point_that_is_held():
    model = vehicle_model(PASSED_M, background(), vehicle(), PRIORS)
    columns = np.random.default_rng(1).uniform(size=(57, 4))
    more = with_load(model, columns, 1e9)
    nothing = np.zeros((57, 1))
    assert np.array_equal(more.design, np.hstack([model.design, columns, nothing]))
    assert more.lower[-5:].tolist() == [0.0, -1e9, -1e9, -1e9, 0.0]
    assert more.upper[-5:].tolist() == [1e9, 1e9, 1e9, 1e9, 0.0]
    assert not more.prior_precision[-5:].any()


def test_scores_upon_a_load_are_those_over_the_model_without_the_point():
    counts = pass_counts(6, 900.0, 9.0, 6.0)
    model, clean_values, _ = clean(counts)
    more = with_load(model, load_columns(VIEW, 9.0, 6.0, np.ones((24, 1)), 0.25), 1e9)
    more.prior_precision[-3:-1] = 1e-4
    fit = Fit(np.append(clean_values.values, np.zeros(4)), np.empty(57))
    fit.values[-4] = 900.0
    fit_counts(counts, more, fit)
    values = fit.values[:-1]
    held = (values <= more.lower[:-1]) | (values >= more.upper[:-1])
    alone = CountModel(
        more.background,
        np.ascontiguousarray(more.design[:, :-1]),
        more.prior_mean[:-1],
        np.where(held, 1e12, more.prior_precision[:-1]),
        more.lower[:-1],
        more.upper[:-1],
    )
    start = Fit(values.copy(), fit.mean)
    expected = profile_scores(start, counts, alone, VIEW, (PLACES_M, np.zeros(1)))[0]
    assert point_scores(counts, more, fit, VIEW, PLACES_M) == pytest.approx(expected)
