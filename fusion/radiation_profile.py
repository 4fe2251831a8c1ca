"""The gamma profile of one pass: a point, an extended load, a dip, or nothing.

The mean of each scan is the frozen background times one minus the vehicle's smooth shadow, plus
a source as it passes the panels. Likelihood ratios compare the best source with none; what the
source's spread over the panels tells is added once its place is known.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.radiation import (
    CountModel,
    Fit,
    View,
    profile_scores,
    source_profile,
)
from fusion.kernels.radiation_panels import PanelModel, panel_gain
from fusion.kernels.radiation_search import Search, fit_source, refine_source
from fusion.radiation_bins import Pass, binned
from fusion.radiation_clean import LEVEL, SUPPRESSION, CleanFit
from fusion.radiation_on_load import OnLoad, point_on_load
from fusion.radiation_policy import RadiationPolicy
from fusion.radiation_source import Source, no_source

MIN_BINS = 8  # fewer than the unknowns of the fit cannot be told apart
GRID_M = 1.0  # well below the 3.8 m of a point's profile at 2.5 m; refined afterwards
MARGIN_M = 1.5  # a source may seem to lie before the bumper by the error of the speed
MAX_WIDTH_M = 25.0  # the longest trailers
MOST_CPS = 1e9
KNOWN = 1e12  # precision of what is not free
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


def profile_of(passage: Pass, policy: RadiationPolicy) -> Profile:
    """What the pass shows, whether its load is smooth or rough."""
    smooth = ProfileFit(passage, policy)
    found = smooth.profile()
    if found.sigma < policy.rough_from_sigma:
        return found
    found = replace(found, on_load=smooth.on_load(found.extended))
    boxes = replace(policy, waves=policy.rough_waves, wave_share=policy.rough_wave_share)
    rough = ProfileFit(passage, boxes).profile()
    most = max(rough.sigma + policy.rough_sigma, policy.rough_from_sigma)
    if found.sigma <= most:
        return found
    share = (most / found.sigma) ** 2
    return replace(
        found,
        sigma=most,
        point=replace(found.point, nats=found.point.nats * share),
        extended=replace(found.extended, nats=found.extended.nats * share),
    )


class ProfileFit:
    """One pass against all profiles, with the loads of one policy."""

    def __init__(self, passage: Pass, policy: RadiationPolicy) -> None:
        self._policy = policy
        self._panels, passed_m, self._bin_of_scan, pool = binned(passage)
        self._counts = np.ascontiguousarray(self._panels.sum(axis=1))
        self._pool = pool
        self._view = View(passed_m, passage.scan_s * pool, passage.distance_m)
        self._length_m = passage.length_m
        # While it is still there, the vehicle goes on beyond what has been seen.
        self._seen_m = float(passed_m[-1])
        length_m = passage.length_m or self._seen_m + 20.0
        self._background_cps = passage.background_cps
        total_cps = max(float(passage.background_cps.sum()), 1.0)
        background = np.full(len(self._counts), total_cps * self._view.bin_s)
        level_var = policy.level_sd**2 + 1.0 / (total_cps * passage.background_s)
        vehicles = CleanFit(self._counts, background, passed_m, level_var, policy)
        convoy = passage.length_m is not None and length_m > policy.long_vehicle_m
        self._found_clean = vehicles.best(max(length_m, 1.0), convoy=convoy)
        self._clean, self._clean_fit = self._found_clean.model, self._found_clean.fit
        self._clean_nats = self._found_clean.nats
        self._model, self._start = self._with_source(0.0, MOST_CPS)
        self._scores, self._places_m = self._score()

    @property
    def best_score(self) -> float:
        """The highest score of any place, in standard deviations."""
        return float(self._scores.max())

    def profile(self) -> Profile:
        """The best point, the best load and the deepest dip."""
        widths_m = np.array(self._policy.widths_m)
        is_point = widths_m <= self._policy.point_width_m
        found = (
            self._best(is_point, 0.0, self._policy.point_width_m),
            self._best(~is_point, self._policy.extended_width_m, MAX_WIDTH_M),
        )
        best, misfit, fit = max(found, key=lambda one: one[0].nats)
        # A misfit beyond Poisson would make any ratio look sure: quasi-likelihood.
        point, extended = (replace(one, nats=one.nats / misfit) for one, _, _ in found)
        nats = best.nats / misfit
        sigma = math.sqrt(2.0 * nats) if nats > 0.0 else min(0.0, self.best_score)
        dip = (
            self._dip(is_point)
            if self._length_m and sigma < self._policy.significant_sigma
            else None
        )
        return Profile(
            sigma=sigma,
            point=point,
            extended=extended,
            suppression=self._found_clean.suppression,
            dip_sigma=dip[0] if dip else 0.0,
            dip_position_m=dip[1] if dip else 0.0,
            dip_width_m=dip[2] if dip else 0.0,
            dip_depth=dip[3] if dip else 0.0,
            clean_counts=self._of_scans(self._beneath(fit)),
            fitted_counts=self._of_scans(fit.mean),
        )

    def on_load(self, load: Source) -> OnLoad | None:
        """A point upon the load, once one vehicle has gone by at an even speed."""
        steps_m = np.diff(self._view.passed_m)
        even = float(steps_m.min()) >= EVEN_SHARE * float(steps_m.max())
        if load.nats <= 0.0 or not even or not self._length_m:
            return None
        if self._length_m > self._policy.long_vehicle_m:
            return None
        return point_on_load(
            self._counts,
            self._found_clean,
            self._view,
            load,
            length_m=self._length_m,
            policy=self._policy,
        )

    def _beneath(self, fit: Fit) -> NDArray[np.float64]:
        """Counts of the fitted background alone, with the vehicle's shadow."""
        clean = self._clean
        mean = clean.background + clean.design @ fit.values[: clean.design.shape[1]]
        return np.maximum(mean, 0.0)  # a strong source leaves the shadow beneath it open

    def _of_scans(self, bins: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(bins[self._bin_of_scan] / self._pool)

    def _with_source(self, least_cps: float, most_cps: float) -> tuple[CountModel, Fit]:
        clean = self._clean
        model = CountModel(
            clean.background,
            np.ascontiguousarray(np.column_stack((clean.design, np.zeros(len(self._counts))))),
            np.append(clean.prior_mean, 0.0),
            np.append(clean.prior_precision, 0.0),
            np.append(clean.lower, least_cps),
            np.append(clean.upper, most_cps),
        )
        return model, Fit(np.append(self._clean_fit.values, 0.0), self._clean_fit.mean.copy())

    def _score(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Scores of (widths, places); places where a source cannot be are minus infinity."""
        widths_m = np.array(self._policy.widths_m)
        end_m = self._length_m + MARGIN_M if self._length_m else self._seen_m + 8.0
        places_m = np.arange(-MARGIN_M, max(end_m, 0.0) + GRID_M, GRID_M)
        # An unknown at its bound cannot give way to a source: as if it were known.
        clean, values = self._clean, self._clean_fit.values
        held = (values <= clean.lower) | (values >= clean.upper)
        clean = clean._replace(prior_precision=np.where(held, KNOWN, clean.prior_precision))
        scores = profile_scores(
            self._clean_fit, self._counts, clean, self._view, (places_m, widths_m)
        )
        half_m = np.where(widths_m > self._policy.point_width_m, widths_m / 2, 0.0)[:, None]
        if self._length_m:
            outside = (places_m - half_m < -MARGIN_M) | (places_m + half_m > end_m)
        else:
            outside = (places_m - half_m < -MARGIN_M) | (places_m - half_m > self._seen_m + 1.0)
        scores = np.where(outside, -np.inf, scores)
        return scores, places_m

    def _best(
        self, widths: NDArray[np.bool_], least_m: float, most_m: float
    ) -> tuple[Source, float, Fit]:
        """The best source of these widths, the misfit with it, and the fit."""
        found: tuple[float, Search, Fit] | None = None
        for width in np.flatnonzero(widths):
            place = int(self._scores[width].argmax())
            score = float(self._scores[width, place])
            if score <= 0.0:
                continue
            fit = Fit(self._start.values.copy(), self._start.mean.copy())
            search = self._search(self._places_m[place], self._policy.widths_m[width], score)
            search.least[1], search.most[1] = least_m, most_m
            nats = fit_source(self._counts, self._model, self._view, search.place, fit)
            if found is None or nats > found[0]:
                found = nats, search, fit
        if found is None:
            return no_source(self._found_clean.suppression), 1.0, self._clean_fit
        _, search, fit = found
        nats = refine_source(self._counts, self._model, self._view, search, fit)
        excess = max(0.0, nats - self._clean_nats)
        return self._source(excess, search, fit), self._misfit(fit), fit

    def _search(self, place_m: float, width_m: float, score: float) -> Search:
        distance_m = self._view.distance_m
        end_m = self._length_m + MARGIN_M if self._length_m else self._seen_m + 8.0
        # The panels are not seen alike from everywhere: 20 % of distance, for strong sources.
        strong = score > 2.0 * self._policy.significant_sigma
        return Search(
            np.array([place_m, width_m, distance_m]),
            np.array([0.5, 1.0, 0.1 * distance_m if strong else 0.0]),
            np.array([-MARGIN_M, 0.0, 0.8 * distance_m]),
            np.array([max(end_m, place_m), MAX_WIDTH_M, 1.2 * distance_m]),
            4 if strong else 1,
        )

    def _source(self, nats: float, search: Search, fit: Fit) -> Source:
        shape = np.empty(len(self._counts))
        position_m, width_m, distance_m = (float(value) for value in search.place)
        source_profile(self._view.passed_m, position_m, width_m, distance_m, shape)
        share = self._background_cps / max(float(self._background_cps.sum()), 1.0)
        rate_cps = max(0.0, float(fit.values[-1]))
        excess = np.zeros(len(share))
        if len(share) > 1 and rate_cps > 0.0:
            nats += self._panel_gain(fit, shape * self._view.bin_s, share, rate_cps, excess)
        net = np.maximum(rate_cps * share + excess, 0.0)
        return Source(
            nats=nats,
            position_m=position_m,
            width_m=width_m,
            net_cps=float(fit.values[-1] * shape.max()),
            suppression=float(fit.values[SUPPRESSION]),
            panel_share=tuple((net / max(float(net.sum()), 1e-9)).tolist()),
        )

    def _panel_gain(
        self,
        fit: Fit,
        profile: NDArray[np.float64],
        share: NDArray[np.float64],
        rate_cps: float,
        excess: NDArray[np.float64],
    ) -> float:
        """What the panels say beyond their sum; `excess` becomes each one's part beyond its share.

        The vehicle's shadow and the level are common to all panels up to a little.
        """
        policy = self._policy
        columns = self._clean.design[:, [LEVEL, SUPPRESSION]]
        sds = np.array([policy.panel_level_sd, policy.panel_shadow_sd])
        model = PanelModel(fit.mean, share, profile, np.ascontiguousarray(columns), 1.0 / sds**2)
        return panel_gain(self._panels, model, policy.panel_spread * rate_cps * share, excess)

    def _misfit(self, fit: Fit) -> float:
        """Pearson's chi-square over the most that Poisson's own scatter explains, at least 1."""
        freedom = max(1, len(self._counts) - len(fit.values))
        most = freedom + self._policy.misfit_tolerance * math.sqrt(2.0 * freedom)
        return max(1.0, float(((self._counts - fit.mean) ** 2 / fit.mean).sum()) / most)

    def _dip(self, narrow: NDArray[np.bool_]) -> tuple[float, float, float, float]:
        """Sigma, place, width and depth of the deepest deficit within the vehicle."""
        assert self._length_m is not None
        inside = (self._places_m > 0.5) & (self._places_m < self._length_m - 0.5)
        scores = np.where(narrow[:, None] & inside, self._scores, np.inf)
        width, place = np.unravel_index(int(scores.argmin()), scores.shape)
        if scores[width, place] > -0.7 * self._policy.dip_sigma:
            return 0.0, 0.0, 0.0, 0.0
        model, fit = self._with_source(-MOST_CPS, 0.0)
        search = self._search(float(self._places_m[place]), self._policy.widths_m[width], 0.0)
        search.most[1] = self._policy.point_width_m
        nats = refine_source(self._counts, model, self._view, search, fit)
        sigma = math.sqrt(2.0 * max(0.0, nats - self._clean_nats) / self._misfit(fit))
        position_m, width_m, distance_m = (float(value) for value in search.place)
        shape = np.empty(len(self._counts))
        source_profile(self._view.passed_m, position_m, width_m, distance_m, shape)
        background_cps = max(float(self._background_cps.sum()), 1.0)
        depth = -float(fit.values[-1]) * float(shape.max()) / background_cps
        return sigma, position_m, width_m, depth
