"""A vehicle without a source: what it does to the background of a portal.

The shadow is that of masses along the vehicle, each seen through the panel's reach: an even
load, a lighter cab, slow waves of density. Vehicles that the beam's hold-in has joined are told
apart by the gap between them.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.radiation import CountModel, Fit
from fusion.kernels.radiation_vehicle import (
    SUPPRESSION,
    Load,
    Priors,
    Vehicle,
    fit_vehicle,
    vehicle_model,
)
from fusion.radiation_policy import RadiationPolicy

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
        self._policy = policy
        self._priors = Priors(
            level=1.0 / level_var,
            trend=1.0 / policy.trend_sd**2,
            suppression=1.0 / policy.suppression_sd**2,
            suppression_mean=policy.suppression_mean,
            suppression_max=policy.suppression_max,
            gap=1e-2,
        )

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
        vehicle = self._vehicle(length_m, gaps_m)
        model = vehicle_model(self._passed_m, self._background, vehicle, self._priors)
        fit = Fit(model.prior_mean.copy(), self._background.copy())
        depth, nats = policy.suppression_mean, 0.0
        # How much the shadow may vary along the vehicle goes by how deep it is.
        for _ in range(2):
            wave_sd = policy.wave_floor + policy.wave_share * depth
            cab_sd = policy.wave_floor + policy.cab_lighter_sd * depth
            load = Load(policy.waves, wave_sd, -policy.cab_lighter * depth, 1.0 / cab_sd**2)
            nats = fit_vehicle(self._counts, model, load, fit)
            depth = float(fit.values[SUPPRESSION])
        return Clean(model=model, fit=fit, nats=nats)

    def _vehicle(self, length_m: float, gaps_m: list[float]) -> Vehicle:
        reach_m, half_m = self._policy.shield_reach_m, length_m / 2
        cells = min(MAX_CELLS, max(4, round(length_m)))
        return Vehicle(
            length_m=float(length_m),
            cab_m=min(self._policy.cab_m, half_m),
            at_middle=half_m / math.sqrt(reach_m**2 + half_m**2),
            reach_m=reach_m,
            waves=_waves(cells, self._policy.waves),
            gaps_m=np.array(gaps_m, np.float64),
            gap_m=GAP_M,
        )


@lru_cache(maxsize=2 * MAX_CELLS)
def _waves(cells: int, waves: int) -> NDArray[np.float64]:
    """(cells, 2 waves) cosine and sine of each wave; the caller does not change it."""
    place = ((np.arange(cells) + 0.5) / cells).tolist()
    patterns = np.empty((cells, 2 * waves))
    for wave in range(waves):
        # Not NumPy's own functions, whose last bits go by the processor.
        turns = [math.pi * (wave + 1) * at for at in place]
        patterns[:, 2 * wave] = [math.cos(turn) for turn in turns]
        patterns[:, 2 * wave + 1] = [math.sin(turn) for turn in turns]
    return patterns
