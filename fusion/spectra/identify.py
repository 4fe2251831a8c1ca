"""Which source a spectrum shows: Poisson likelihood ratios over a family of templates.

The model is the background, its amplitude free, natural nuclides and one way in which a vehicle
changes a background's shape, and a source out of the library. The best templates are fitted again
with all the ways in which a template may be wrong, so that a long measurement of one nuclide does
not look like two.
"""

import math

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.identify import Spectrum, smooth
from fusion.spectra.fits import Case, Fitted, Source
from fusion.spectra.nuisance import Bins, Scene, measured_scene, source_modes, unmeasured_scene
from fusion.spectra.sharp import is_sharp, only_peaks, sharp_scene
from fusion.spectra.templates import TemplateLibrary
from fusion.spectra.unlisted import unlisted_lines
from fusion.spectra.verdict import LISTED, UNKNOWN, Hypothesis, IdentifyPolicy, Verdict, judge

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

BESIDE = 2  # so many of the best explanations are tried with a second source
SECONDS = 4  # so many second sources are fitted, the best by their scores
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
        self._policy = policy
        self._bins = Bins(detector=library.detector, edges_kev=library.edges_kev)
        self._sharp = is_sharp(library.detector)
        self._names = [one.nuclide for one in library.templates]
        self._categories = [one.category for one in library.templates]
        shapes = np.array([one.shape for one in library.templates])
        naturals = library.nuisance_shapes
        lines = unlisted_lines(self._bins)
        self._names += [UNKNOWN] * len(lines)
        self._categories += [UNKNOWN] * len(lines)
        shapes = np.vstack((shapes, lines))
        if self._sharp:
            shapes, naturals = only_peaks(shapes), only_peaks(naturals)
        self._shapes = np.ascontiguousarray(shapes)
        self._naturals = library.nuisance_names, naturals
        self._prices = self._price()

    def identify(
        self,
        counts: Vector,
        live_s: float,
        background_counts: Vector | None,
        background_live_s: float,
    ) -> Verdict:
        """As the function of this name."""
        counts = np.ascontiguousarray(counts, dtype=np.float64)
        background, ratio = None, 0.0
        if background_counts is not None:
            ratio = live_s / background_live_s
            background = np.ascontiguousarray(background_counts, dtype=np.float64) * ratio
        case = Case(self._spectrum(counts, background, ratio), self._scene(counts, background))
        quiet = case.fit(case.scene.parts)
        singles = self._singles(case, quiet)
        load = case.fit(case.scene.with_load())
        told = [case.hypothesis(one) for one in singles]
        told += self._natural_load(case, load)
        told += [
            case.hypothesis(pair, price=self._policy.second_nats)
            for one in singles[:BESIDE]
            for pair in self._pairs(case, one)
        ]
        return judge(told, quiet.nats, self._policy)

    def _price(self) -> Vector:
        """Nats that each template must gain: for being one of many, and for being rare."""
        policy = self._policy
        prices = np.array([math.log(self._names.count(name)) for name in self._names])
        for k, (name, category) in enumerate(zip(self._names, self._categories, strict=True)):
            if category != "norm":
                prices[k] += policy.source_nats
            if name == UNKNOWN:
                prices[k] += policy.unknown_nats
            elif name not in LISTED:
                prices[k] += policy.rare_nats
        return prices

    def _scene(self, counts: Vector, background: Vector | None) -> Scene:
        if self._sharp:
            return sharp_scene(counts, background, self._naturals, self._policy)
        if background is None:
            return unmeasured_scene(counts, self._bins, self._naturals)
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
        weights[: _threshold(seen)] = 0.0
        return Spectrum(counts, weights, level)

    def _singles(self, case: Case, quiet: Fitted) -> list[Fitted]:
        """One source each, the best templates refined; best first."""
        scores = case.scores(quiet, self._shapes)
        likely = np.sort(np.argsort(-scores, kind="stable")[: self._policy.screened])
        nats, amplitudes = case.screen(case.scene.parts, self._shapes[likely])
        best = np.argsort(-(nats - self._prices[likely]), kind="stable")[: self._policy.refined]
        sources = self._sources(case, likely[best], amplitudes[best])
        found = [case.fit(case.scene.parts, (source,)) for source in sources]
        return sorted(found, key=lambda one: one.sources[0].price - one.nats)

    def _sources(self, case: Case, chosen: NDArray[np.intp], amplitudes: Vector) -> list[Source]:
        modes, mode_sd = source_modes(self._shapes[chosen], self._bins, self._policy)
        return [
            Source(
                name=self._names[k],
                category=self._categories[k],
                price=float(self._prices[k]),
                shapes=np.vstack((self._shapes[k][None], modes[rank])) * case.total,
                mode_sd=mode_sd,
                amplitude=float(amplitudes[rank]),
            )
            for rank, k in enumerate(chosen.tolist())
        ]

    def _pairs(self, case: Case, single: Fitted) -> list[Fitted]:
        """A source with each of the second ones that add most to it."""
        first = single.sources[0]
        scores = case.scores(single, self._shapes)
        scores[[name == first.name for name in self._names]] = 0.0
        order = np.argsort(-scores, kind="stable")[:SECONDS]
        chosen = order[scores[order] > math.sqrt(2.0 * self._policy.second_nats)]
        if len(chosen) == 0:
            return []
        guesses = np.full(len(chosen), 0.2 * first.amplitude)
        return [
            case.fit(case.scene.parts, (first, second))
            for second in self._sources(case, chosen, guesses)
        ]

    def _natural_load(self, case: Case, load: Fitted) -> list[Hypothesis]:
        """A load of natural nuclides, with the strongest source beside it if there is one."""
        names = case.scene.natural_names
        shares = np.maximum(load.values[case.scene.natural], 0.0)
        there = [k for k in range(len(names)) if shares[k] > SHARE * max(shares.sum(), 1e-9)]
        more = tuple((names[k], "norm") for k in there)
        if not there:
            return []
        price = self._policy.load_nats * len(there)
        told = [case.hypothesis(load, more, price)]
        scores = case.scores(load, self._shapes)
        order = np.argsort(-scores, kind="stable")[:SECONDS]
        chosen = order[scores[order] > math.sqrt(2.0 * self._policy.second_nats)]
        if len(chosen):
            price += self._policy.second_nats
            sources = self._sources(case, chosen, np.full(len(chosen), 0.1))
            parts = case.scene.with_load()
            told += [case.hypothesis(case.fit(parts, (one,)), more, price) for one in sources]
        return told


def _threshold(seen: Vector) -> int:
    """The first bin that lies wholly over the detector's threshold."""
    level = smooth(seen, 2)
    for first in range(len(seen) // 3):
        ahead = level[first + 4 : first + 10].mean()
        if seen[first] > 0.3 * ahead > 0.0:
            return first + 1 if first > 0 else 0
    return 0
