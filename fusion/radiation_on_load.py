"""A point source upon a load that radiates itself: what is not as even as the load.

A portal rings for minerals every day, and who hides a source may hide it within them. The load is
fitted with ends that may lie elsewhere and an activity that varies slowly along it; a point must
explain what neither does.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.radiation import CountModel, Fit, View, fit_counts
from fusion.kernels.radiation_load import load_columns, point_scores, with_load
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
    # Beyond the load a point is no part of it, but what a patient's misfit leaves elsewhere.
    half_m = load.width_m / 2 + BEYOND_M
    first_m, last_m = load.position_m - half_m, min(load.position_m + half_m, length_m)
    places_m = np.arange(max(first_m, 0.0), max(last_m, 0.0) + GRID_M, GRID_M)
    scores = point_scores(counts, model, fit, view, places_m)
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
    start = clean.fit.values
    patterns = _patterns(policy.load_waves)
    columns = load_columns(view, load.position_m, load.width_m, patterns, END_STEP_M)
    first = len(start)
    model = with_load(clean.model, columns, MOST_CPS)
    precision = model.prior_precision
    values = np.zeros(len(precision))
    values[:first] = start
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


@lru_cache(maxsize=8)
def _patterns(waves: int) -> Array:
    """(cells, 1 + waves) an even load, and its waves; the caller does not change it."""
    place = ((np.arange(CELLS) + 0.5) / CELLS).tolist()
    # Not NumPy's cosine, whose last bits go by the processor.
    waved = [[math.cos(math.pi * wave * at) for at in place] for wave in range(waves + 1)]
    return np.ascontiguousarray(np.column_stack(waved))


def _misfit(counts: Array, fit: Fit, policy: RadiationPolicy) -> float:
    """Pearson's chi-square over the most that Poisson's own scatter explains, at least 1."""
    freedom = max(1, len(counts) - len(fit.values))
    most = freedom + policy.misfit_tolerance * math.sqrt(2.0 * freedom)
    return max(1.0, float(((counts - fit.mean) ** 2 / fit.mean).sum()) / most)
