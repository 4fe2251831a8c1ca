"""A vehicle without a source: what it does to the background of a portal.

The shadow is that of masses along the vehicle, each seen through the panel's reach: an even
load, a lighter cab, slow waves of density. Vehicles that the beam's hold-in has joined are told
apart by the gap between them.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.radiation import CountModel, Fit, fit_counts, shadow_basis
from fusion.radiation_policy import RadiationPolicy

LEVEL, TREND, SUPPRESSION, CAB = range(4)  # columns of the design, before the waves
MAX_CELLS = 96  # of mass: 1 m each for anything that a lane holds
GAP_M = 3.0  # between vehicles that hold-in joins: 2 s of 2.2 m/s at the most, a metre at the least
MAX_GAPS = 3  # a convoy of more stays longer than any shape can be trusted
GAP_NATS = 3.0  # a gap must explain more than the waves do


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """The best explanation without a source."""

    model: CountModel
    fit: Fit
    nats: float

    @property
    def suppression(self) -> float:
        """Share of the background that the vehicle shields at its middle."""
        return float(self.fit.values[SUPPRESSION])


class CleanFit:
    """Fits a clean vehicle, or several in a row, to the counts of one occupancy."""

    def __init__(
        self,
        counts: NDArray[np.float64],
        background: NDArray[np.float64],
        passed_m: NDArray[np.float64],
        level_var: float,
        policy: RadiationPolicy,
    ) -> None:
        self._counts = counts
        self._background = background
        self._passed_m = passed_m
        self._level_var = level_var
        self._policy = policy

    def best(self, length_m: float, *, convoy: bool) -> Clean:
        """One vehicle of `length_m`, or where `convoy` as many as the gaps in it tell."""
        gaps_m: list[float] = []
        best = self._fit(length_m, gaps_m)
        while convoy and len(gaps_m) < MAX_GAPS:
            places_m = np.arange(2.0, length_m - 2.0, 1.0).tolist()
            free_m = [at for at in places_m if all(abs(at - gap) > 2 * GAP_M for gap in gaps_m)]
            found = [(self._fit(length_m, [*gaps_m, at]), at) for at in free_m]
            if not found:
                break
            better, at_m = max(found, key=lambda one: one[0].nats)
            if better.nats < best.nats + GAP_NATS:
                break
            best = better
            gaps_m.append(at_m)
        return best

    def _fit(self, length_m: float, gaps_m: list[float]) -> Clean:
        policy = self._policy
        design = self._design(length_m, gaps_m)
        size = design.shape[1]
        mean, precision = np.zeros(size), np.empty(size)
        lower, upper = np.full(size, -1.0), np.full(size, 1.0)
        precision[LEVEL], precision[TREND] = 1.0 / self._level_var, 1.0 / policy.trend_sd**2
        mean[SUPPRESSION] = policy.suppression_mean
        precision[SUPPRESSION] = 1.0 / policy.suppression_sd**2
        lower[SUPPRESSION], upper[SUPPRESSION] = 0.0, policy.suppression_max
        model = CountModel(self._background, design, mean, precision, lower, upper)
        fit = Fit(mean.copy(), self._background.copy())
        waves = slice(CAB + 1, CAB + 1 + 2 * policy.waves)
        nats = 0.0
        # How much the shadow may vary along the vehicle goes by how deep it is.
        for _ in range(2):
            depth = float(fit.values[SUPPRESSION])
            wave_sd = policy.wave_floor + policy.wave_share * depth
            mean[CAB] = -policy.cab_lighter * depth
            precision[CAB] = 1.0 / (policy.wave_floor + policy.cab_lighter_sd * depth) ** 2
            precision[waves] = np.repeat((np.arange(1, policy.waves + 1) / wave_sd) ** 2, 2)
            for gap in range(waves.stop, size, 2):
                # What a gap gives back is no more than what the vehicles beside it take.
                precision[gap], lower[gap], upper[gap] = 1e-2, -policy.suppression_max, 0.0
                precision[gap + 1] = 1.0 / policy.suppression_sd**2
            nats = fit_counts(self._counts, model, fit)
        return Clean(model=model, fit=fit, nats=nats)

    def _design(self, length_m: float, gaps_m: list[float]) -> NDArray[np.float64]:
        reach_m = self._policy.shield_reach_m
        cells = min(MAX_CELLS, max(4, round(length_m)))
        edges_m = np.linspace(0.0, length_m, cells + 1)
        place = (np.arange(cells) + 0.5) / cells
        patterns = [np.ones(cells), _covered(edges_m, 0.0, min(self._policy.cab_m, length_m / 2))]
        for wave in range(1, self._policy.waves + 1):
            # Not NumPy's own functions, whose last bits go by the processor.
            turns = [math.pi * wave * at for at in place]
            patterns += [np.array([of(turn) for turn in turns]) for of in (math.cos, math.sin)]
        for gap_m in gaps_m:
            patterns.append(_covered(edges_m, gap_m - GAP_M / 2, gap_m + GAP_M / 2))
            patterns.append(_covered(edges_m, gap_m, length_m))
        half_m = length_m / 2
        at_middle = half_m / math.sqrt(reach_m**2 + half_m**2)
        masses = np.ascontiguousarray(np.column_stack(patterns) / at_middle)
        shadows = shadow_basis(self._passed_m, self._background, edges_m, masses, reach_m)
        trend = np.linspace(-1.0, 1.0, len(self._counts))
        return np.ascontiguousarray(
            np.column_stack((self._background, self._background * trend, shadows))
        )


def _covered(edges_m: NDArray[np.float64], from_m: float, to_m: float) -> NDArray[np.float64]:
    """Share of each cell between two places."""
    inside = np.minimum(edges_m[1:], to_m) - np.maximum(edges_m[:-1], from_m)
    return np.asarray(np.clip(inside / np.diff(edges_m), 0.0, 1.0))
