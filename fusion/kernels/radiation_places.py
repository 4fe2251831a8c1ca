"""Where along a vehicle a source may be, and what it is there. Callers check arguments."""

from typing import NamedTuple

import numpy as np
from numba import njit

from fusion.kernels.radiation import (
    CountModel,
    Fit,
    Matrix,
    Vector,
    View,
    source_profile,
)
from fusion.kernels.radiation_panels import PanelModel, panel_gain
from fusion.kernels.radiation_scores import held_precision, known_from, profile_score
from fusion.kernels.radiation_search import Search, fit_source, refine_source
from fusion.kernels.radiation_vehicle import LEVEL, SUPPRESSION


class Places(NamedTuple):
    """Places and widths that are tried, and where a source can be."""

    at_m: Vector
    """(places,) rising; behind the vehicle's front, as all of these."""
    widths_m: Vector
    """(widths,) 0 for a point."""
    point_m: float
    """Up to this width a source is a point, which lies where its middle is."""
    least_m: float
    """Where no source begins before."""
    most_m: float
    whole: bool
    """Whether sources end by `most_m`, for the vehicle's end is known, or only begin by it."""


class Bounds(NamedTuple):
    """Which sources are meant, and how the search from the best of the places goes on."""

    points: bool
    least_width_m: float
    most_width_m: float
    end_m: float
    """No source's middle is beyond."""
    strong_sigma: float
    """Of a score above this the distance to the panel is searched as well, and all more finely."""


class Tried(NamedTuple):
    """Where and how to look for the best source."""

    places: Places
    scores: Matrix
    """(widths, places) of `possible_scores`."""
    bounds: Bounds


class Found(NamedTuple):
    """A source."""

    fit: Fit
    """With its rate as the last unknown."""
    place: Vector
    """(3,) middle, width and distance to the panel, in metres."""


class Panels(NamedTuple):
    """How a source may be spread over the panels."""

    shares: Vector
    """(panels,) of the background; they add to 1."""
    level_sd: float
    """Relative 1 sd of a panel's own level, and of the vehicle's shadow on it."""
    shadow_sd: float
    spread: float
    """1 sd of a panel's share of the source, relative to its share of the background."""
    rates_cps: Vector
    """(panels,) of the source in each, at least 0."""


@njit(cache=True, nogil=True)
def possible_scores(
    fit: Fit, counts: Vector, model: CountModel, view: View, places: Places
) -> Matrix:
    """`profile_score` at each place and of each width.

    fit, model  without a source; an unknown at its bound counts as known, for it cannot give way
    returns     (widths, places); minus infinity where no source can be
    """
    scores = np.empty((places.widths_m.shape[0], places.at_m.shape[0]))
    precision = held_precision(fit, model, len(model.prior_precision))
    known = known_from(fit, model, precision)
    profile = np.empty(counts.shape[0])
    for w in range(places.widths_m.shape[0]):
        width_m = places.widths_m[w]
        half_m = 0.5 * width_m if width_m > places.point_m else 0.0
        for q in range(places.at_m.shape[0]):
            first_m = places.at_m[q] - half_m
            last_m = places.at_m[q] + half_m if places.whole else first_m
            if first_m < places.least_m or last_m > places.most_m:
                scores[w, q] = -np.inf
                continue
            source_profile(view.passed_m, places.at_m[q], width_m, view.distance_m, profile)
            scores[w, q] = profile_score(profile, counts, known)
    return scores


@njit(cache=True, nogil=True)
def with_source(model: CountModel, least_cps: float, most_cps: float) -> CountModel:
    """The model with one more unknown, a source's rate; its column of the design is work space."""
    bins, size = model.design.shape
    design = np.zeros((bins, size + 1))
    design[:, :size] = model.design
    mean = np.zeros(size + 1)
    precision = np.zeros(size + 1)
    lower = np.full(size + 1, least_cps)
    upper = np.full(size + 1, most_cps)
    mean[:size] = model.prior_mean
    precision[:size] = model.prior_precision
    lower[:size] = model.lower
    upper[:size] = model.upper
    return CountModel(model.background, design, mean, precision, lower, upper)


@njit(cache=True, nogil=True)
def search_from(place: Vector, score: float, bounds: Bounds, least_m: float) -> Search:
    """From a middle, a width and a distance to the panel; a source begins after `least_m`."""
    distance_m = place[2]
    # The panels are not seen alike from everywhere: 20 % of distance, for strong sources.
    strong = score > bounds.strong_sigma
    return Search(
        place.copy(),
        np.array([0.5, 1.0, 0.1 * distance_m if strong else 0.0]),
        np.array([least_m, bounds.least_width_m, 0.8 * distance_m]),
        np.array([max(bounds.end_m, place[0]), bounds.most_width_m, 1.2 * distance_m]),
        4 if strong else 1,
    )


@njit(cache=True, nogil=True)
def best_source(counts: Vector, model: CountModel, view: View, tried: Tried, found: Found) -> float:
    """The best point, or the best of the wider sources: the best place of each width, refined.

    model    `with_source`
    found    a fit without a source to start from; both overwritten by the solution
    returns  the log-likelihood, or minus infinity where no place has a score above 0, and
             nothing is overwritten
    """
    places, scores, bounds = tried
    best = -np.inf
    best_score = 0.0
    place = np.empty(3)
    start = found.fit.values.copy()
    trial = Fit(found.fit.values.copy(), found.fit.mean.copy())
    for w in range(places.widths_m.shape[0]):
        if (places.widths_m[w] <= places.point_m) != bounds.points:
            continue
        q = scores[w].argmax()
        if scores[w, q] <= 0.0:
            continue
        place[0] = places.at_m[q]
        place[1] = places.widths_m[w]
        place[2] = view.distance_m
        trial.values[:] = start
        nats = fit_source(counts, model, view, place, trial)
        if nats > best:
            best = nats
            best_score = scores[w, q]
            found.place[:] = place
            found.fit.values[:] = trial.values
            found.fit.mean[:] = trial.mean
    if best == -np.inf:
        return best
    search = search_from(found.place, best_score, bounds, places.least_m)
    best = refine_source(counts, model, view, search, found.fit)
    found.place[:] = search.place
    return best


@njit(cache=True, nogil=True)
def source_panels(
    counts: Matrix, model: CountModel, view: View, found: Found, panels: Panels
) -> tuple[float, float]:
    """What the panels say of a source beyond their sum.

    counts   (bins, panels)
    model    `with_source`
    panels   the rates are overwritten
    returns  the source's peak rate in all of them, and nats gained
    """
    bins = counts.shape[0]
    profile = np.empty(bins)
    place, fit, shares = found.place, found.fit, panels.shares
    source_profile(view.passed_m, place[0], place[1], place[2], profile)
    peak_cps = fit.values[-1] * profile.max()
    rate_cps = max(0.0, fit.values[-1])
    excess = np.zeros(shares.shape[0])
    gained = 0.0
    if shares.shape[0] > 1 and rate_cps > 0.0:
        nuisances = np.empty((bins, 2))
        for i in range(bins):
            profile[i] *= view.bin_s
            nuisances[i, 0] = model.design[i, LEVEL]
            nuisances[i, 1] = model.design[i, SUPPRESSION]
        precision = np.array(
            [
                1.0 / (panels.level_sd * panels.level_sd),
                1.0 / (panels.shadow_sd * panels.shadow_sd),
            ]
        )
        each = PanelModel(fit.mean, shares, profile, nuisances, precision)
        gained = panel_gain(counts, each, panels.spread * rate_cps * shares, excess)
    for p in range(shares.shape[0]):
        panels.rates_cps[p] = max(rate_cps * shares[p] + excess[p], 0.0)
    return peak_cps, gained
