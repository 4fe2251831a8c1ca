"""Which source a spectrum shows: Poisson likelihood ratios over a family of templates.

The model is the background, its amplitude free, natural nuclides and one way in which a vehicle
changes a background's shape, and a source out of the library. The best templates are fitted again
with all the ways in which a template may be wrong, so that a long measurement of one nuclide does
not look like two.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.identify import Spectrum, smooth
from fusion.kernels.identify_scores import Sources, first_of_each, highest_of, in_blocks
from fusion.spectra.beyond import Beyond
from fusion.spectra.counted import taken_off, threshold_of
from fusion.spectra.fits import Candidates, Case, Fitted, Source
from fusion.spectra.nuisance import (
    Bins,
    Scene,
    cosmic_lines,
    measured_scene,
    unmeasured_scene,
    wrong_of,
)
from fusion.spectra.sharp import is_sharp, only_peaks, sharp_scene
from fusion.spectra.templates import TemplateLibrary
from fusion.spectra.verdict import (
    LISTED,
    MISTAKEN_PATIENTS,
    UNKNOWN,
    Hypothesis,
    IdentifyPolicy,
    Verdict,
    judge,
)

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Places = NDArray[np.int64]

BESIDE = 2  # so many of the best explanations are tried with a second source
SECONDS = 4  # so many second sources are fitted, the best by their scores
ANYWHERE = ("bare", "steel-1cm", "steel-4cm", "bulk")  # variants of nature around a portal
# (thorium's daughters, of Th-228, by themselves too: radon and radium carry them away from it)
MANY_COUNTS = 50_000.0  # with fewer no sum of two photons is seen
MODELLED = 5.0  # a slack from which on templates and not counts limit a fit
HOPEFUL = 0.5  # of what a second source must gain, that its first round must: the next add less
OWN_REACH = 2  # bins on each side of a line: nearly a full width of it
OWN_SHARE = 0.5  # of a line, that may be of the other source
OWN_SIGMA = 3.0
LEAST_PEAK = 0.25  # of the counts of a source where its strongest line is, if it has lines at all
SHARE = 0.1  # of a load of natural nuclides, from which one of them is named


def identify(
    counts: Vector,
    live_s: float,
    background_counts: Vector | None,
    background_live_s: float,
    library: TemplateLibrary,
    *,
    policy: IdentifyPolicy | None = None,
) -> Verdict:
    """What a spectrum shows, on the bins of the library.

    counts             (bins,) in `live_s` seconds
    background_counts  (bins,) in `background_live_s` seconds, or None where none was measured

    To ask often, keep an `Identifier`.
    """
    one = Identifier(library, policy or IdentifyPolicy())
    return one.identify(counts, live_s, background_counts, background_live_s)


class Identifier:
    """A library made ready, to be asked again and again."""

    def __init__(self, library: TemplateLibrary, policy: IdentifyPolicy) -> None:
        self.library = library
        self._policy = policy
        self._bins = Bins(detector=library.detector, edges_kev=library.edges_kev)
        self._sharp = is_sharp(library.detector)
        self._beyond = Beyond(self._bins, policy)
        self._wrong = wrong_of(self._bins, policy)
        self._names = [one.nuclide for one in library.templates]
        self._categories = [one.category for one in library.templates]
        shapes = np.array([one.shape for one in library.templates])
        naturals = library.nuisance_shapes
        lines = library.unlisted_shapes
        self._names += [UNKNOWN] * len(lines)
        self._categories += [UNKNOWN] * len(lines)
        shapes = np.vstack((shapes, lines))
        if self._sharp:
            shapes, naturals = only_peaks(shapes), only_peaks(naturals)
        self._shapes = np.ascontiguousarray(shapes)
        self._sources_at = _without_zeros(self._shapes)
        self._all = np.arange(len(self._shapes))
        self._blocks = None if self._sharp else in_blocks(self._shapes)
        self._naturals = library.nuisance_names, naturals
        self._prices = self._price()
        self._sources = [
            Source(*one)
            for one in zip(self._names, self._categories, self._prices.tolist(), strict=True)
        ]
        codes = {name: code for code, name in enumerate(dict.fromkeys(self._names))}
        self._codes = np.array([codes[name] for name in self._names])
        self._unknown = codes.get(UNKNOWN, -1)
        self._natural = np.array([category == "norm" for category in self._categories])
        natural = [
            one.nuclide in (*library.nuisance_names, "Th-228") and one.variant in ANYWHERE
            for one in library.templates
        ] + [False] * len(lines)
        self._anywhere = np.vstack((self._shapes[natural], cosmic_lines(self._bins)))

    @property
    def policy(self) -> IdentifyPolicy:
        """What it was made with."""
        return self._policy

    def identify(
        self,
        counts: Vector,
        live_s: float,
        background_counts: Vector | None,
        background_live_s: float,
        *,
        shape_mode: Vector | None = None,
    ) -> Verdict:
        """As the function of this name.

        shape_mode  (bins,) what `fusion.spectra.shape_mode` has learned of this background, if
                    anything
        """
        mode = None if self._sharp else shape_mode
        case = self._case(counts, live_s, background_counts, background_live_s, mode)
        quiet = case.without_source()
        if self._sharp and case.scene.background is None:
            peaks = np.maximum(quiet.mean - quiet.values[0] * case.scene.parts.shapes[0], 0.0)
            scene = case.scene.with_modes(peaks, self._bins, self._policy)
            case = Case(case.spectrum, scene, self._wrong)
            quiet = case.without_source()
        slack = self._slack(case)
        singles = self._singles(case, quiet, slack)
        told = [case.hypothesis(one) for one in singles]
        single = told[0]
        told += [
            one
            for one in self._natural_loads(case)
            if one.category == "norm" or (slack < MODELLED and self._worth(single, one, slack))
        ]
        told += [pair for one in singles[:BESIDE] for pair in self._pairs(case, one, slack)]
        told += self._unexplained(case, told, slack)
        told += self._beyond.told(case, quiet, told)
        return judge(told, quiet.nats, self._policy, measured=case.scene.background is not None)

    def promise(
        self,
        counts: Vector,
        live_s: float,
        background_counts: Vector | None,
        background_live_s: float,
    ) -> float:
        """About the nats that the best explanation gains, from scores alone: in a tenth of the time
        it tells that nothing is there."""
        case = self._case(counts, live_s, background_counts, background_live_s)
        quiet = case.without_source()
        scores = np.maximum(self._scores(case, quiet), 0.0)
        best = float(np.max(0.5 * scores**2 - self._prices))
        load = case.without_source(load=True)
        return max(best, load.nats - quiet.nats - self._policy.load_nats)

    def _case(
        self,
        counts: Vector,
        live_s: float,
        background_counts: Vector | None,
        background_live_s: float,
        shape_mode: Vector | None = None,
    ) -> Case:
        counts = np.ascontiguousarray(counts, dtype=np.float64)
        background, ratio = None, 0.0
        if background_counts is not None:
            ratio = live_s / background_live_s
            background = np.ascontiguousarray(background_counts, dtype=np.float64) * ratio
        spectrum = self._spectrum(counts, background, ratio)
        if background is not None and taken_off(counts, background):
            background = None
        scene = self._scene(counts, background)
        if shape_mode is not None:
            scene = scene.with_shape(shape_mode)
        return Case(spectrum, scene, self._wrong)

    def _price(self) -> Vector:
        """Nats that each template must gain: for being one of many, and for being rare."""
        policy = self._policy
        prices = np.array([math.log(self._names.count(name)) for name in self._names])
        for k, (name, category) in enumerate(zip(self._names, self._categories, strict=True)):
            if category != "norm" or name not in LISTED:
                prices[k] += policy.source_nats
            if name == UNKNOWN:
                prices[k] += policy.unknown_nats
            elif name not in LISTED:
                prices[k] += policy.rare_nats
            elif name in MISTAKEN_PATIENTS:
                prices[k] += policy.mistaken_patient_nats
        return prices

    def _scene(self, counts: Vector, background: Vector | None) -> Scene:
        scene = self._bare_scene(counts, background)
        if self._sharp or counts.sum() < MANY_COUNTS:
            return scene
        return scene.with_pile_up(counts, self._bins)

    def _bare_scene(self, counts: Vector, background: Vector | None) -> Scene:
        if self._sharp:
            return sharp_scene(counts, background, self._naturals, self._anywhere, self._policy)
        if background is None:
            return unmeasured_scene(counts, self._bins, self._naturals, self._policy)
        return measured_scene(background, self._bins, self._naturals, self._policy)

    def _spectrum(self, counts: Vector, background: Vector | None, ratio: float) -> Spectrum:
        """Counts with their weights: by each bin's variance beyond that of counts; 0 under the
        detector's threshold."""
        level = smooth(counts, 2)
        variance = np.maximum(level, 1.0)
        seen, source = counts, level
        if background is not None:
            known = smooth(background, 2)
            seen, source = counts + background, np.maximum(level - known, 0.0)
            variance += ratio * known + (self._policy.background_error * known) ** 2
        variance += (self._policy.model_error * source) ** 2
        weights = np.maximum(level, 1.0) / variance
        weights[: threshold_of(seen)] = 0.0
        return Spectrum(counts, weights, level)

    def _singles(self, case: Case, quiet: Fitted, slack: float) -> list[Fitted]:
        """One source each, the best templates refined; best first."""
        scores = self._scores(case, quiet)
        likely = np.sort(self._best_of_each(-scores, self._all, self._policy.screened, 4))
        nats, starts = case.screen(quiet, self._sources_at, likely)
        cost = self._prices[likely] - nats
        closest = np.sort(self._best_of_each(cost, likely, self._policy.fitted, 4))
        starts, likely = starts[closest], likely[closest]
        nats, values = case.fit_alone(self._shapes[likely], starts)
        cost = self._prices[likely] - nats
        # Where templates are less exact than counts, the modes decide: more are tried with them.
        many = 1 if slack < MODELLED else 2
        best = self._best_of_each(cost, likely, many * self._policy.refined, 2)
        found = case.begin(self._candidates(likely[best], values[best, -1]), values[best, :-1])
        found.sort(key=_cost)
        case.go_on(found[: many * self._policy.settled])
        found.sort(key=_cost)
        # Of the nuclide that it seems to be, every variant: what it leaves is then really left.
        name = found[0].sources[0].name
        tried = set(best.tolist())
        more = [
            k
            for k, one in enumerate(likely.tolist())
            if self._names[one] == name and k not in tried
        ]
        if more and name != UNKNOWN:
            others = case.begin(self._candidates(likely[more], values[more, -1]), values[more, :-1])
            case.go_on(others)
            found += others
        return sorted(found, key=_cost)

    def _scores(self, case: Case, fitted: Fitted) -> Vector:
        """How much each template adds to a fit, in standard deviations."""
        if self._blocks is None:
            return case.scores(fitted, self._sources_at, self._all)
        return case.all_scores(fitted, self._blocks)[: len(self._all)]

    def _best_of_each(self, cost: Vector, which: Places, number: int, variants: int) -> Places:
        """`number` of some templates of least cost, `variants` of a nuclide at most; best first.

        cost     (templates,) of each of `which`
        returns  their places in `which`
        """
        order = np.argsort(cost, kind="stable")
        return first_of_each(self._codes[which[order]], self._unknown, order, (number, variants))

    def _candidates(self, chosen: Places, amplitudes: Vector) -> Candidates:
        sources = [self._sources[k] for k in chosen.tolist()]
        return Candidates(sources, self._shapes[chosen], amplitudes)

    def _pairs(self, case: Case, single: Fitted, slack: float) -> list[Hypothesis]:
        """A source with each of the second ones that add most to it."""
        scores = self._scores(case, single)
        scores[self._codes == self._codes[self._names.index(single.sources[0].name)]] = 0.0
        chosen = self._seconds(scores)
        if len(chosen) == 0:
            return []
        guesses = np.full(len(chosen), 0.2 * single.amplitudes[0])
        told = []
        alone = case.hypothesis(single)
        least = self._policy.second_nats * (slack - 1.0)
        share = self._policy.second_share * (1.0 if slack < MODELLED else 2.0)
        start = np.tile(single.values[: len(case.scene.start)], (len(chosen), 1))
        pairs = case.begin(self._candidates(chosen, guesses), start, beside=single)
        pairs = [pair for pair in pairs if not pair.nats - single.nats < HOPEFUL * least]
        case.go_on(pairs)
        for pair in pairs:
            less, more = sorted(pair.amplitudes)
            both = case.hypothesis(pair, price=self._policy.second_nats)
            worth = less > share * more and self._worth(alone, both, slack)
            if worth and self._has_own_line(case, single, pair):
                told.append(both)
        return told

    def _has_own_line(self, case: Case, single: Fitted, pair: Fitted) -> bool:
        """Whether the strongest line of the second source is there and is not the first one's."""
        first, second = pair.amplitudes
        shapes = np.vstack((pair.shape(0), pair.shape(1)))
        peaks = shapes if self._sharp else only_peaks(shapes / case.total) * case.total
        peaks = peaks * np.array([[first], [second]])
        top = int(np.argmax(peaks[1]))
        near = slice(max(top - OWN_REACH, 0), top + OWN_REACH + 1)
        if peaks[1][top] < LEAST_PEAK * shapes[1][top] * second:
            return False  # nothing but a continuum, as any scatter of the first has
        if peaks[0][near].max() > OWN_SHARE * peaks[1][top]:
            return False
        counts, weights = case.spectrum.counts[near], case.spectrum.weights[near]
        mean = np.maximum(pair.mean[near] - second * shapes[1][near], 1e-3)
        excess = float((weights * (counts - mean)).sum())
        return excess > OWN_SIGMA * math.sqrt(float((weights * np.maximum(counts, mean)).sum()))

    def _worth(self, alone: Hypothesis, pair: Hypothesis, slack: float) -> bool:
        """Whether a second source is more than what is wrong with the template of the first."""
        policy = self._policy
        # Of what the slack allows, a share of `misfit_model` may be there without being seen.
        unexplained = max(alone.misfit - 1.0, (slack - 1.0) / policy.misfit_model - 0.1)
        return pair.nats - alone.nats > policy.second_nats * (slack - 1.0) and (
            alone.misfit - pair.misfit > policy.second_misfit * unexplained
        )

    def _slack(self, case: Case) -> float:
        """Misfit that may be expected even of what is right.

        Chance makes some; and where counts are many, errors of templates weigh more than chance.
        """
        chance = self._policy.misfit_sigma * math.sqrt(2.0 / case.freedom)
        return 1.0 + chance + self._policy.misfit_model * case.modelled

    def _unexplained(self, case: Case, told: list[Hypothesis], slack: float) -> list[Hypothesis]:
        """That it is none of all these, where not even the best of them fits."""
        best = max(told, key=lambda one: one.nats)
        if best.misfit <= slack:
            return []
        price = self._policy.source_nats + self._policy.unknown_nats
        nats = max(-0.5 * slack * case.freedom - price, best.nats - 3.0)
        return [replace(best, nuclides=(UNKNOWN,), categories=(UNKNOWN,), nats=nats)]

    def _natural_loads(self, case: Case) -> list[Hypothesis]:
        """A load of natural nuclides, with the strongest source beside it if there is one."""
        load = case.without_source(load=True)
        names = case.scene.natural_names
        shares = np.maximum(load.values[case.scene.natural], 0.0)
        there = [k for k in range(len(names)) if shares[k] > SHARE * max(shares.sum(), 1e-9)]
        more = tuple((names[k], "norm") for k in there)
        if not there:
            return []
        price = self._policy.load_nats * len(there)
        told = [case.hypothesis(load, more, price)]
        scores = self._scores(case, load)
        scores[self._natural] = 0.0
        chosen = self._seconds(scores)
        if len(chosen):
            price += self._policy.second_nats
            candidates = self._candidates(chosen, np.full(len(chosen), 0.1))
            both = case.begin(candidates, np.tile(load.values, (len(chosen), 1)), load=True)
            case.go_on(both)
            told += [case.hypothesis(one, more, price) for one in both]
        return told

    def _seconds(self, scores: Vector) -> Places:
        """Of the templates the few that add most to a fit, if that is enough."""
        return highest_of(scores, SECONDS, math.sqrt(2.0 * self._policy.second_nats))


def _without_zeros(shapes: Matrix) -> Sources:
    rows, bins = np.nonzero(shapes)
    first = np.searchsorted(rows, np.arange(len(shapes) + 1))
    return Sources(first.astype(np.int64), bins.astype(np.int32), shapes[rows, bins])


def _cost(one: Fitted) -> float:
    return one.sources[0].price - one.nats
