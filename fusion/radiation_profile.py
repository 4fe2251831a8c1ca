"""The gamma profile of one pass: a point, an extended load, a dip, or nothing.

The mean of each scan is the frozen background times one minus the vehicle's smooth shadow, plus
a source as it passes the panels. Likelihood ratios compare the best source with none; what the
source's spread over the panels tells is added once its place is known.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.radiation import CountModel, Fit, View
from fusion.kernels.radiation_places import (
    Bounds,
    Found,
    Panels,
    Places,
    Tried,
    best_source,
    possible_scores,
    source_panels,
    with_source,
)
from fusion.kernels.radiation_search import Search, refine_source
from fusion.kernels.radiation_vehicle import SUPPRESSION
from fusion.radiation_bins import Bins, Pass, binned
from fusion.radiation_clean import CleanFit
from fusion.radiation_on_load import OnLoad, point_on_load
from fusion.radiation_policy import RadiationPolicy
from fusion.radiation_source import Source, no_source

MIN_BINS = 8  # fewer than the unknowns of the fit cannot be told apart
GRID_M = 1.0  # well below the 3.8 m of a point's profile at 2.5 m; refined afterwards
MARGIN_M = 1.5  # a source may seem to lie before the bumper by the error of the speed
ALONG_FROM_M, ALONG_STEP_M = -MARGIN_M, GRID_M
MAX_WIDTH_M = 25.0  # the longest trailers
MOST_CPS = 1e9
EVEN_SHARE = 0.7  # slowest over fastest: where a vehicle brakes, a load's profile is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the pass shows."""

    sigma: float
    """sqrt(2 nats) of the better source; at most 0 where counts are missing everywhere."""
    point: Source
    extended: Source
    suppression: float
    """Fitted without a source."""
    dip_sigma: float
    dip_position_m: float
    dip_width_m: float
    dip_depth: float
    """Share of the background that is missing there beyond what is missing around it."""
    clean_counts: NDArray[np.float64] = field(compare=False, repr=False)
    """(scans,) of all panels: the background and its shadow beneath the better source."""
    fitted_counts: NDArray[np.float64] = field(compare=False, repr=False)
    """(scans,) the same with the better source; without one, equal to `clean_counts`."""
    on_load: OnLoad | None = None
    """A point upon the load that the pass shows, where it does."""
    along_sigma: tuple[float, ...] = ()
    """Of a point at each place from `ALONG_FROM_M` on, a metre apart: whoever knows a place from
    another sensor need not search all of them. Empty while the vehicle's length is not known."""


def profile_of(passage: Pass, policy: RadiationPolicy) -> Profile:
    """What the pass shows, whether its load is smooth or rough."""
    found = profile_if(passage, policy, lambda smooth: True)
    assert found is not None
    return found


def profile_if(
    passage: Pass, policy: RadiationPolicy, worth: Callable[[Profile], bool]
) -> Profile | None:
    """What the pass shows; None where what a smooth load lets it show is not worth more.

    Against a rough load the same source is as sure or less, and of the same place and form.
    """
    bins = binned(passage)
    smooth = ProfileFit(passage, policy, bins)
    found = smooth.profile()
    if not worth(found):
        return None
    if found.sigma < policy.rough_from_sigma:
        return found
    found = replace(found, on_load=smooth.on_load(found.extended))
    rough = ProfileFit(passage, _boxes(policy), bins).sigma()
    most = max(rough + policy.rough_sigma, policy.rough_from_sigma)
    if found.sigma <= most:
        return found
    share = (most / found.sigma) ** 2
    return replace(
        found,
        sigma=most,
        along_sigma=tuple(sigma * math.sqrt(share) for sigma in found.along_sigma),
        point=found.point.of_nats(found.point.nats * share),
        extended=found.extended.of_nats(found.extended.nats * share),
    )


@lru_cache(maxsize=8)
def _boxes(policy: RadiationPolicy) -> RadiationPolicy:
    return replace(policy, waves=policy.rough_waves, wave_share=policy.rough_wave_share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The better of the best point and the best load."""

    sigma: float
    point: Source
    extended: Source
    fit: Fit


class ProfileFit:
    """One pass against all profiles, with the loads of one policy."""

    def __init__(self, passage: Pass, policy: RadiationPolicy, bins: Bins | None = None) -> None:
        self._policy = policy
        bins = bins or binned(passage)
        self._panels, self._bin_of_scan, self._pool = bins.panels, bins.of_scan, bins.pool
        self._counts = np.ascontiguousarray(self._panels.sum(axis=1))
        self._view = View(bins.passed_m, passage.scan_s * bins.pool, passage.distance_m)
        self._length_m = passage.length_m
        # While it is still there, the vehicle goes on beyond what has been seen.
        seen_m = float(bins.passed_m[-1])
        length_m = passage.length_m or seen_m + 20.0
        total_cps = float(passage.background_cps.sum())
        self._background_cps = max(total_cps, 1.0)
        self._shares = passage.background_cps / self._background_cps
        background = np.full(len(self._counts), self._background_cps * self._view.bin_s)
        level_var = policy.level_sd**2 + 1.0 / (self._background_cps * passage.background_s)
        vehicles = CleanFit(self._counts, background, bins.passed_m, level_var, policy)
        convoy = passage.length_m is not None and length_m > policy.long_vehicle_m
        self._found_clean = vehicles.best(max(length_m, 1.0), convoy=convoy)
        self._clean, self._clean_fit = self._found_clean.model, self._found_clean.fit
        self._clean_nats = self._found_clean.nats
        self._model = with_source(self._clean, 0.0, MOST_CPS)
        self._end_m = self._length_m + MARGIN_M if self._length_m else seen_m + 8.0
        self._places = Places(
            at_m=np.arange(-MARGIN_M, max(self._end_m, 0.0) + GRID_M, GRID_M),
            widths_m=np.array(policy.widths_m),
            point_m=policy.point_width_m,
            least_m=-MARGIN_M,
            most_m=self._end_m if self._length_m else seen_m + 1.0,
            whole=bool(self._length_m),
        )
        self._scores = possible_scores(
            self._clean_fit, self._counts, self._clean, self._view, self._places
        )

    @property
    def best_score(self) -> float:
        """The highest score of any place, in standard deviations."""
        return float(self._scores.max())

    def sigma(self) -> float:
        """sqrt(2 nats) of the better source, as in `Profile`."""
        return self._best().sigma

    def profile(self) -> Profile:
        """The best point, the best load and the deepest dip."""
        best = self._best()
        dip = (
            self._dip() if self._length_m and best.sigma < self._policy.significant_sigma else None
        )
        return Profile(
            sigma=best.sigma,
            point=best.point,
            extended=best.extended,
            suppression=self._found_clean.suppression,
            dip_sigma=dip[0] if dip else 0.0,
            dip_position_m=dip[1] if dip else 0.0,
            dip_width_m=dip[2] if dip else 0.0,
            dip_depth=dip[3] if dip else 0.0,
            clean_counts=self._of_scans(self._beneath(best.fit)),
            fitted_counts=self._of_scans(best.fit.mean),
            along_sigma=self._along(),
        )

    def _along(self) -> tuple[float, ...]:
        if not self._length_m:
            return ()
        points = self._scores[0].tolist()  # where no source can be, none is
        return tuple(sigma if math.isfinite(sigma) else 0.0 for sigma in points)

    def on_load(self, load: Source) -> OnLoad | None:
        """A point upon the load, once one vehicle has gone by at an even speed."""
        if load.nats <= 0.0 or not self._length_m:
            return None
        if self._length_m > self._policy.long_vehicle_m:
            return None
        steps_m = np.diff(self._view.passed_m)
        if float(steps_m.min()) < EVEN_SHARE * float(steps_m.max()):
            return None
        return point_on_load(
            self._counts,
            self._found_clean,
            self._view,
            load,
            length_m=self._length_m,
            policy=self._policy,
        )

    def _best(self) -> Best:
        policy = self._policy
        found = (
            self._source(0.0, policy.point_width_m, points=True),
            self._source(policy.extended_width_m, MAX_WIDTH_M, points=False),
        )
        best, misfit, fit = max(found, key=lambda one: one[0].nats)
        # A misfit beyond Poisson would make any ratio look sure: quasi-likelihood.
        point, extended = (one.of_nats(one.nats / misfit) for one, _, _ in found)
        nats = best.nats / misfit
        sigma = math.sqrt(2.0 * nats) if nats > 0.0 else min(0.0, self.best_score)
        return Best(sigma=sigma, point=point, extended=extended, fit=fit)

    def _beneath(self, fit: Fit) -> NDArray[np.float64]:
        """Counts of the fitted background alone, with the vehicle's shadow."""
        clean = self._clean
        mean = clean.background + clean.design @ fit.values[: clean.design.shape[1]]
        return np.maximum(mean, 0.0)  # a strong source leaves the shadow beneath it open

    def _of_scans(self, bins: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(bins[self._bin_of_scan] / self._pool)

    def _source(
        self, least_width_m: float, most_width_m: float, *, points: bool
    ) -> tuple[Source, float, Fit]:
        """The best source of these widths, the misfit with it, and the fit."""
        found = Found(self._start(), np.empty(3))
        bounds = self._bounds(least_width_m, most_width_m, points=points)
        tried = Tried(self._places, self._scores, bounds)
        nats = best_source(self._counts, self._model, self._view, tried, found)
        if nats == -math.inf:
            return no_source(self._found_clean.suppression), 1.0, self._clean_fit
        peak_cps, gained, rates_cps = self._spread(self._model, found)
        position_m, width_m, _ = found.place.tolist()
        of_all_cps = max(float(rates_cps.sum()), 1e-9)
        source = Source(
            nats=max(0.0, nats - self._clean_nats) + gained,
            position_m=position_m,
            width_m=width_m,
            net_cps=peak_cps,
            suppression=float(found.fit.values[SUPPRESSION]),
            panel_share=tuple((rates_cps / of_all_cps).tolist()),
        )
        return source, self._misfit(found.fit), found.fit

    def _spread(self, model: CountModel, found: Found) -> tuple[float, float, NDArray[np.float64]]:
        """The source's peak rate, what the panels say beyond their sum, and the rate in each."""
        panels = Panels(
            shares=self._shares,
            level_sd=self._policy.panel_level_sd,
            shadow_sd=self._policy.panel_shadow_sd,
            spread=self._policy.panel_spread,
            rates_cps=np.empty(len(self._shares)),
        )
        peak_cps, gained = source_panels(self._panels, model, self._view, found, panels)
        return peak_cps, gained, panels.rates_cps

    def _start(self) -> Fit:
        """Without a source."""
        clean = self._clean_fit
        values = np.zeros(len(clean.values) + 1)
        values[:-1] = clean.values
        return Fit(values, clean.mean.copy())

    def _bounds(self, least_width_m: float, most_width_m: float, *, points: bool) -> Bounds:
        return Bounds(
            points=points,
            least_width_m=least_width_m,
            most_width_m=most_width_m,
            end_m=self._end_m,
            strong_sigma=2.0 * self._policy.significant_sigma,
        )

    def _misfit(self, fit: Fit) -> float:
        """Pearson's chi-square over the most that Poisson's own scatter explains, at least 1."""
        freedom = max(1, len(self._counts) - len(fit.values))
        most = freedom + self._policy.misfit_tolerance * math.sqrt(2.0 * freedom)
        return max(1.0, float(((self._counts - fit.mean) ** 2 / fit.mean).sum()) / most)

    def _dip(self) -> tuple[float, float, float, float]:
        """Sigma, place, width and depth of the deepest deficit within the vehicle."""
        assert self._length_m is not None
        places_m, widths_m = self._places.at_m, self._places.widths_m
        inside = (places_m > 0.5) & (places_m < self._length_m - 0.5)
        narrow = widths_m <= self._policy.point_width_m
        scores = np.where(narrow[:, None] & inside, self._scores, np.inf)
        width, place = np.unravel_index(int(scores.argmin()), scores.shape)
        if scores[width, place] > -0.7 * self._policy.dip_sigma:
            return 0.0, 0.0, 0.0, 0.0
        model = with_source(self._clean, -MOST_CPS, 0.0)
        fit = self._start()
        at_m, distance_m = float(places_m[place]), self._view.distance_m
        search = Search(
            np.array([at_m, widths_m[width], distance_m]),
            np.array([0.5, 1.0, 0.0]),
            np.array([-MARGIN_M, 0.0, distance_m]),
            np.array([max(self._end_m, at_m), self._policy.point_width_m, distance_m]),
            1,
        )
        nats = refine_source(self._counts, model, self._view, search, fit)
        sigma = math.sqrt(2.0 * max(0.0, nats - self._clean_nats) / self._misfit(fit))
        position_m, width_m, _ = search.place.tolist()
        peak_cps, _, _ = self._spread(model, Found(fit, search.place))
        return sigma, position_m, width_m, -peak_cps / self._background_cps
