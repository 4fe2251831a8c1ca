"""What no test of the study's gross counts can do better, whatever it knows of shadows.

By Neyman and Pearson no test of a pass finds more sources at a given false-alarm probability, all
strengths and places together, than the likelihood ratio that is averaged over everything unknown
with the very laws that the passes are made by (`edge.study.portal_passes`): the load's waves and
its cab, the background's wander since it was averaged, how deep the shadow is. Only each panel's
own deviations are left out: they are not told by the sum.
"""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from edge.study.portal_passes import (
    DISTANCE_M,
    LENGTH_M,
    NOISE_S,
    REPORT_SCANS,
    REPORTS,
    SCAN_S,
    StudyPass,
    World,
)
from fusion.radiation_policy import RadiationPolicy
from simulators.radiation_physics import VIEW_M

Array = NDArray[np.float64]

CELLS = 36
WAVES = (1, 2, 3)
WAVE_SHARE = 0.12  # of the first wave; simulators.radiation_physics.shadow
CAB_M = (2.5, 4.5)  # where the box begins; edge.study.portal_passes
CAB_LIGHTER, CAB_LIGHTER_SD = 0.3, 0.4 / math.sqrt(12.0)  # a cab has 0.5 to 0.9 of the mass
DEPTHS = 10  # suppressions that the ratio is averaged over
PLACE_STEP_M = 0.5
STRENGTHS_CPS: Array = np.arange(60.0, 400.0, 20.0)


def likelihood_ratio(one: StudyPass, policy: RadiationPolicy) -> float:
    """Of a point somewhere over none, as the Gaussian standard deviations that it is worth."""
    seen = one.seen
    background_cps = float(seen.background_cps.sum())
    mean = background_cps * SCAN_S
    counts = seen.counts.sum(axis=1)
    shade, spread = _shade(seen.passed_m)
    places_m = np.arange(0.0, LENGTH_M + PLACE_STEP_M, PLACE_STEP_M)
    away = seen.passed_m[:, None] - places_m
    profiles = (DISTANCE_M**2 / (DISTANCE_M**2 + away**2)) ** 1.5 * SCAN_S
    level = _wander(len(counts), policy.background_weight)
    level = level + 1.0 / (background_cps * seen.background_s)
    nothing, source = [], []
    for depth in np.linspace(*World().suppression, DEPTHS):
        clean = mean * (1.0 - depth * shade)
        noise = np.diag(np.maximum(clean, 1.0)) + mean**2 * (level + depth**2 * spread)
        factor = np.linalg.cholesky(noise)
        white = np.linalg.solve(factor, np.column_stack((counts - clean, profiles)))
        residual, shapes = white[:, 0], white[:, 1:]
        alone = -0.5 * float(residual @ residual) - float(np.log(np.diag(factor)).sum())
        score, information = shapes.T @ residual, (shapes**2).sum(axis=0)
        gain = score[:, None] * STRENGTHS_CPS - 0.5 * information[:, None] * STRENGTHS_CPS**2
        nothing.append(alone)
        source.append(alone + _log_mean(gain))
    nats = _log_mean(np.array(source)) - _log_mean(np.array(nothing))
    return math.copysign(math.sqrt(2.0 * abs(nats)), nats)


def _log_mean(nats: Array) -> float:
    top = float(nats.max())
    return top + math.log(float(np.exp(nats - top).mean()))


def _shade(passed_m: Array) -> tuple[Array, Array]:
    """(scans,) mean shadow of a vehicle, 1 at its middle, and its (scans, scans) covariance."""
    edges_m = np.linspace(0.0, LENGTH_M, CELLS + 1)
    away_m = passed_m[:, None] - edges_m
    covered = 0.5 * away_m / np.sqrt(VIEW_M**2 + away_m**2)
    at_middle = (LENGTH_M / 2) / math.sqrt(VIEW_M**2 + (LENGTH_M / 2) ** 2)
    cells = (covered[:, :-1] - covered[:, 1:]) / at_middle
    mean, covariance = _mass()
    return cells @ mean, cells @ covariance @ cells.T


@cache
def _mass() -> tuple[Array, Array]:
    """(cells,) mean of the mass along the vehicle, and its (cells, cells) covariance."""
    at_m = (np.arange(CELLS) + 0.5) * LENGTH_M / CELLS
    apart = np.subtract.outer(at_m, at_m) / LENGTH_M
    waves = sum(((WAVE_SHARE / k) ** 2 * np.cos(math.pi * k * apart) for k in WAVES), apart * 0.0)
    least_m, most_m = CAB_M
    in_cab = np.clip((most_m - at_m) / (most_m - least_m), 0.0, 1.0)
    both = np.minimum.outer(in_cab, in_cab)  # the further one in it: so is the nearer
    # The cab's share is of the load's waves too: E[a b] of two cells, and their covariance.
    mean = 1.0 - CAB_LIGHTER * in_cab
    product = 1.0 - CAB_LIGHTER * np.add.outer(in_cab, in_cab)
    product += (CAB_LIGHTER**2 + CAB_LIGHTER_SD**2) * both
    return mean, np.asarray((1.0 + waves) * product - np.outer(mean, mean))


@cache
def _wander(scans: int, weight: float) -> Array:
    """(scans, scans) covariance of the background's level against its running average."""
    ages = np.arange(REPORTS, dtype=np.float64)
    weights = weight * (1.0 - weight) ** ages
    weights /= weights.sum()
    at_s = np.arange(scans, dtype=np.float64) * SCAN_S
    report_s = -SCAN_S - ages * REPORT_SCANS * SCAN_S

    def common(one_s: Array, other_s: Array) -> Array:
        apart_s = np.abs(np.subtract.outer(one_s, other_s))
        return np.asarray(World().noise_share ** 2 * np.exp(-apart_s / NOISE_S))

    shared = common(at_s, report_s) @ weights
    own = float(weights @ common(report_s, report_s) @ weights)
    return np.asarray(common(at_s, at_s) - shared[:, None] - shared + own)
