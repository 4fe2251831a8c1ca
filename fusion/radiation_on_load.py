"""A point source upon a load that radiates itself: what is not as even as the load.

A portal rings for minerals every day, and who hides a source may hide it within them. The load is
fitted with ends that may lie elsewhere and an activity that varies slowly along it; a point must
explain what neither does.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.radiation import (
    CountModel,
    Fit,
    View,
    fit_counts,
    profile_scores,
    shadow_basis,
)
from fusion.kernels.radiation_search import Search, refine_source
from fusion.radiation_clean import Clean
from fusion.radiation_policy import RadiationPolicy
from fusion.radiation_source import Source

CELLS = 24  # of the load: 0.5 m of the usual 11
GRID_M = 0.5
END_STEP_M = 0.25  # over which the change with a load's end is taken
BEYOND_M = 1.0  # a load's ends are no better known
LEAST_SCORE = 1.0  # sigma; less is no point
LEAST_CPS = 10.0  # of a load, for the size of its waves
MOST_CPS = 1e9
KNOWN = 1e12  # precision of what is not free
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnLoad:
    """The best point upon a load."""

    nats: float = 0.0
    """Log-likelihood ratio of the load with the point against the load alone, >= 0."""
    position_m: float = 0.0


def point_on_load(
    counts: Array,
    clean: Clean,
    view: View,
    load: Source,
    *,
    length_m: float,
    policy: RadiationPolicy,
) -> OnLoad:
    """The best point upon `load` within a vehicle of `length_m`.

    counts  (bins,)
    clean   the vehicle without any source
    """
    model, fit, nats = _load_alone(counts, clean, view, load, policy)
    alone = _without_point(model, fit)
    # Beyond the load a point is no part of it, but what a patient's misfit leaves elsewhere.
    half_m = load.width_m / 2 + BEYOND_M
    first_m, last_m = load.position_m - half_m, min(load.position_m + half_m, length_m)
    places_m = np.arange(max(first_m, 0.0), max(last_m, 0.0) + GRID_M, GRID_M)
    start = Fit(fit.values[:-1].copy(), fit.mean)
    scores = profile_scores(start, counts, alone, view, (places_m, np.zeros(1)))[0]
    best = int(scores.argmax())
    if scores[best] < LEAST_SCORE:
        return OnLoad()
    model.upper[-1] = MOST_CPS
    distance_m = view.distance_m
    search = Search(
        np.array([places_m[best], 0.0, distance_m]),
        np.array([GRID_M, 0.0, 0.0]),
        np.array([places_m[0], 0.0, distance_m]),
        np.array([places_m[-1], 0.0, distance_m]),
        1,
    )
    with_point = refine_source(counts, model, view, search, fit)
    gain = (with_point - nats) / _misfit(counts, fit, policy)
    return OnLoad(nats=max(0.0, gain), position_m=float(search.place[0]))


def _load_alone(
    counts: Array, clean: Clean, view: View, load: Source, policy: RadiationPolicy
) -> tuple[CountModel, Fit, float]:
    """The vehicle and its load, with a last column for a point that is held at none."""
    vehicle, start = clean.model, clean.fit.values
    columns = _columns(view, load, policy.load_waves)
    first = len(start)
    size = first + columns.shape[1] + 1
    added = size - first
    design = np.column_stack((vehicle.design, columns, np.zeros(len(counts))))
    precision = np.append(vehicle.prior_precision, np.zeros(added))
    lower = np.append(vehicle.lower, np.full(added, -MOST_CPS))
    upper = np.append(vehicle.upper, np.full(added, MOST_CPS))
    lower[first] = lower[-1] = upper[-1] = 0.0
    model = CountModel(
        vehicle.background,
        np.ascontiguousarray(design),
        np.append(vehicle.prior_mean, np.zeros(added)),
        precision,
        lower,
        upper,
    )
    values = np.append(start, np.zeros(added))
    values[first] = load.net_cps * view.bin_s / max(float(columns[:, 0].max()), 1e-9)
    fit = Fit(values, np.empty(len(counts)))
    waves = np.arange(1, policy.load_waves + 1)
    nats = 0.0
    # How much a load may vary along the vehicle goes by how strong it is.
    for _ in range(2):
        rate_cps = max(float(fit.values[first]), LEAST_CPS)
        ends = first + 1 + len(waves)
        precision[first + 1 : ends] = (waves / (policy.load_wave_share * rate_cps)) ** 2
        precision[ends : ends + 2] = 1.0 / (policy.load_end_sd_m * rate_cps) ** 2
        nats = fit_counts(counts, model, fit)
    return model, fit, nats


def _columns(view: View, load: Source, waves: int) -> Array:
    """(bins, 1 + waves + 2) counts per unit: the load, its waves, and its ends further out."""
    place = (np.arange(CELLS) + 0.5) / CELLS
    # Not NumPy's cosine, whose last bits go by the processor.
    patterns = [[math.cos(math.pi * wave * at) for at in place] for wave in range(waves + 1)]
    even = _seen(view, load.position_m, load.width_m, load.width_m, np.column_stack(patterns))
    longer_m = load.width_m + END_STEP_M
    ends = [
        _seen(view, load.position_m + side, longer_m, load.width_m, np.ones((CELLS, 1)))[:, 0]
        for side in (-END_STEP_M / 2, END_STEP_M / 2)
    ]
    return np.column_stack((even, *((end - even[:, 0]) / END_STEP_M for end in ends)))


def _seen(view: View, middle_m: float, width_m: float, unit_m: float, masses: Array) -> Array:
    """(bins, patterns) counts per unit rate of a load of `unit_m` with the same activity a metre.

    A shadow's law with the panel's distance in the place of its reach is that of a load's rays.
    """
    edges_m = np.linspace(middle_m - width_m / 2, middle_m + width_m / 2, CELLS + 1)
    each = -2.0 * view.distance_m / unit_m * view.bin_s
    unit = np.full(len(view.passed_m), each)
    masses = np.ascontiguousarray(masses)
    return np.asarray(shadow_basis(view.passed_m, unit, edges_m, masses, view.distance_m))


def _without_point(model: CountModel, fit: Fit) -> CountModel:
    """The same without its last column; an unknown at its bound cannot give way to a point."""
    held = (fit.values <= model.lower) | (fit.values >= model.upper)
    precision = np.where(held, KNOWN, model.prior_precision)
    return CountModel(
        model.background,
        np.ascontiguousarray(model.design[:, :-1]),
        model.prior_mean[:-1],
        precision[:-1],
        model.lower[:-1],
        model.upper[:-1],
    )


def _misfit(counts: Array, fit: Fit, policy: RadiationPolicy) -> float:
    """Pearson's chi-square over the most that Poisson's own scatter explains, at least 1."""
    freedom = max(1, len(counts) - len(fit.values))
    most = freedom + policy.misfit_tolerance * math.sqrt(2.0 * freedom)
    return max(1.0, float(((counts - fit.mean) ** 2 / fit.mean).sum()) / most)
