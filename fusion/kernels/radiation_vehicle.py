"""A clean vehicle's shadow on the counts of one pass, and its fit. Callers check arguments."""

from typing import NamedTuple

import numpy as np
from numba import njit

from fusion.kernels.radiation import CountModel, Fit, Matrix, Vector, fit_counts, shadow_basis

LEVEL, TREND, SUPPRESSION, CAB = range(4)  # columns of the design, before the waves


class Vehicle(NamedTuple):
    """What shields along the vehicle."""

    length_m: float
    cab_m: float
    """From its front."""
    at_middle: float
    """What an even load of one unit takes at the vehicle's middle, as a share."""
    reach_m: float
    """Half width of the ground that makes half of a panel's background."""
    waves: Matrix
    """(cells, waves) patterns of a load that varies."""
    gaps_m: Vector
    """(gaps,) middles of the gaps between vehicles that follow each other."""
    gap_m: float
    """How wide those are."""


class Priors(NamedTuple):
    """Precisions of the Gaussian priors, and what bounds the vehicle's shadow."""

    level: float
    trend: float
    suppression: float
    suppression_mean: float
    suppression_max: float
    gap: float


class Load(NamedTuple):
    """How much a shadow may vary along the vehicle."""

    waves: int
    """How many, each as a cosine and a sine."""
    wave_sd: float
    """1 sd of the first; the k-th has 1/k of it."""
    cab_mean: float
    """Of the cab's prior."""
    cab_precision: float


@njit(cache=True, nogil=True)
def covered(from_m: float, to_m: float, first_m: float, last_m: float) -> float:
    """Share of the cell between the first two places that lies between the others."""
    inside = min(to_m, last_m) - max(from_m, first_m)
    return float(min(max(inside / (to_m - from_m), 0.0), 1.0))


@njit(cache=True, nogil=True)
def vehicle_design(passed_m: Vector, background: Vector, vehicle: Vehicle) -> Matrix:
    """Change of the counts per unit of each unknown: level, trend, shadow, cab, waves, gaps.

    passed_m    (bins,) which place of the vehicle is at the portal
    background  (bins,) expected counts without a vehicle
    returns     (bins, 4 + waves + 2 gaps); of a gap, its own mass and all behind it
    """
    cells, waves = vehicle.waves.shape
    gaps = vehicle.gaps_m.shape[0]
    step_m = vehicle.length_m / cells
    edges_m = np.empty(cells + 1)
    for c in range(cells):
        edges_m[c] = c * step_m
    edges_m[cells] = vehicle.length_m
    masses = np.empty((cells, 2 + waves + 2 * gaps))
    for c in range(cells):
        from_m = edges_m[c]
        to_m = edges_m[c + 1]
        masses[c, 0] = 1.0 / vehicle.at_middle
        masses[c, 1] = covered(from_m, to_m, 0.0, vehicle.cab_m) / vehicle.at_middle
        for k in range(waves):
            masses[c, 2 + k] = vehicle.waves[c, k] / vehicle.at_middle
        for g in range(gaps):
            at_m = vehicle.gaps_m[g]
            half_m = vehicle.gap_m / 2
            between = covered(from_m, to_m, at_m - half_m, at_m + half_m)
            behind = covered(from_m, to_m, at_m, vehicle.length_m)
            masses[c, 2 + waves + 2 * g] = between / vehicle.at_middle
            masses[c, 3 + waves + 2 * g] = behind / vehicle.at_middle
    shadows = shadow_basis(passed_m, background, edges_m, masses, vehicle.reach_m)
    bins, patterns = shadows.shape
    design = np.empty((bins, 2 + patterns))
    step = 2.0 / (bins - 1) if bins > 1 else 0.0
    for i in range(bins):
        trend = i * step - 1.0 if i < bins - 1 or i == 0 else 1.0
        design[i, LEVEL] = background[i]
        design[i, TREND] = background[i] * trend
        for k in range(patterns):
            design[i, SUPPRESSION + k] = shadows[i, k]
    return design


@njit(cache=True, nogil=True)
def vehicle_model(
    passed_m: Vector, background: Vector, vehicle: Vehicle, priors: Priors
) -> CountModel:
    """The counts of a clean vehicle; `fit_vehicle` sets what goes by how deep its shadow is."""
    design = vehicle_design(passed_m, background, vehicle)
    size = design.shape[1]
    mean = np.zeros(size)
    precision = np.zeros(size)
    lower = np.full(size, -1.0)
    upper = np.full(size, 1.0)
    precision[LEVEL] = priors.level
    precision[TREND] = priors.trend
    mean[SUPPRESSION] = priors.suppression_mean
    precision[SUPPRESSION] = priors.suppression
    lower[SUPPRESSION] = 0.0
    upper[SUPPRESSION] = priors.suppression_max
    for gap in range(CAB + 1 + vehicle.waves.shape[1], size, 2):
        # What a gap gives back is no more than what the vehicles beside it take.
        precision[gap] = priors.gap
        lower[gap] = -priors.suppression_max
        upper[gap] = 0.0
        precision[gap + 1] = priors.suppression
    return CountModel(background, design, mean, precision, lower, upper)


@njit(cache=True, nogil=True)
def fit_vehicle(counts: Vector, model: CountModel, load: Load, fit: Fit) -> float:
    """The greatest log-likelihood with a load like this.

    counts   (bins,)
    model    its priors of the cab and of the waves are overwritten
    fit      start values, overwritten by the solution
    """
    model.prior_mean[CAB] = load.cab_mean
    model.prior_precision[CAB] = load.cab_precision
    for wave in range(load.waves):
        share = (wave + 1) / load.wave_sd
        model.prior_precision[CAB + 1 + 2 * wave] = share * share
        model.prior_precision[CAB + 2 + 2 * wave] = share * share
    return fit_counts(counts, model, fit)
