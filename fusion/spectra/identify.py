"""Which source a spectrum shows: Poisson likelihood ratios over a family of templates.

The model is the background, its amplitude free, natural nuclides and one way in which a vehicle
changes a background's shape, and a source out of the library. The best templates are fitted again
with all the ways in which a template may be wrong, so that a long measurement of one nuclide does
not look like two.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.identify import Parts, Spectrum, fit_each, fit_parts, smooth, source_scores
from fusion.spectra.nuisance import (
    FREE,
    Bins,
    Scene,
    measured_scene,
    source_modes,
    unmeasured_scene,
)
from fusion.spectra.templates import TemplateLibrary
from fusion.spectra.verdict import Hypothesis, IdentifyPolicy, Verdict, judge

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

SCREEN_STEPS = 8
REFINE_STEPS = 12
ROUNDS = 2  # the modes' priors go by the source's amplitude, which the second round knows
SECONDS = 5  # so many second sources are fitted, the best by their scores


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """A source in a fit: its template and the ways it may be wrong, as parts."""

    name: str
    category: str
    template: int
    shapes: Matrix
    """(1 + modes, bins) in units of all counts."""
    amplitude: float
    mode_sd: Vector

    def parts(self) -> tuple[Matrix, Vector, Vector, Vector]:
        """Shapes, standard deviations (0: free), lower and upper bounds."""
        sd = self.mode_sd * max(self.amplitude, 1e-6)
        lower, upper = np.append(0.0, -2.5 * sd), np.append(FREE, 2.5 * sd)
        return self.shapes, np.append(0.0, sd), lower, upper


class Identifier:
    """A library made ready, to be asked again and again."""

    def __init__(self, library: TemplateLibrary, policy: IdentifyPolicy) -> None:
        self._policy = policy
        self._bins = Bins(detector=library.detector, edges_kev=library.edges_kev)
        self._names = [one.nuclide for one in library.templates]
        self._categories = [one.category for one in library.templates]
        self._shapes = np.ascontiguousarray([one.shape for one in library.templates])
        self._natural = np.array([one.category == "norm" for one in library.templates])
        self._naturals = library.nuisance_names, library.nuisance_shapes
        variants = {name: self._names.count(name) for name in dict.fromkeys(self._names)}
        self._prior = np.array([-math.log(variants[name]) for name in self._names])
        self._prior[~self._natural] -= policy.source_nats

    def identify(
        self,
        counts: Vector,
        live_s: float,
        background_counts: Vector | None,
        background_live_s: float,
    ) -> Verdict:
        """As the function of this name."""
        counts = np.ascontiguousarray(counts, dtype=np.float64)
        if background_counts is None:
            scene = unmeasured_scene(counts, self._bins, self._naturals)
            background, ratio = None, 0.0
        else:
            ratio = live_s / background_live_s
            background = np.ascontiguousarray(background_counts, dtype=np.float64) * ratio
            scene = measured_scene(background, self._bins, self._naturals, self._policy)
        spectrum = Spectrum(counts, self._weights(counts, background, ratio))
        case = _Case(spectrum, scene, max(float(counts.sum()), 1.0))
        quiet = case.fit_scene(scene.without_natural())
        mixed = self._natural_mix(case)
        singles, sources = self._singles(case)
        pairs = [
            pair
            for source, single in zip(sources[:2], singles[:2], strict=True)
            for pair in self._pairs(case, source, single)
        ]
        return judge([*singles, *mixed, *pairs], quiet.nats, self._policy)

    def _weights(self, counts: Vector, background: Vector | None, ratio: float) -> Vector:
        """By each bin's variance beyond that of counts; 0 under the detector's threshold."""
        level = np.maximum(smooth(counts, 2), 1.0)
        extra = self._policy.model_error**2 * level
        seen = counts
        if background is not None:
            extra += ratio * background / level
            seen = counts + background
        weights = 1.0 / (1.0 + extra)
        weights[: _threshold(seen)] = 0.0
        return np.asarray(weights)

    def _natural_mix(self, case: "_Case") -> list[Hypothesis]:
        """Natural nuclides in any shares."""
        names = case.scene.natural_names
        one = case.fit_scene(case.scene.parts)
        shares = one.values[case.scene.natural]
        there = [k for k in range(len(names)) if shares[k] > 0.1 * max(shares.sum(), 1e-9)]
        if len(there) < 2:
            return []
        told = one.as_hypothesis(
            tuple(names[k] for k in there), ("norm",) * len(there), price=2.0 * len(there)
        )
        return [told]

    def _singles(self, case: "_Case") -> tuple[list[Hypothesis], list[_Source]]:
        """One source each, the best templates refined; best first."""
        nats = np.empty(len(self._names))
        amplitudes = np.empty(len(self._names))
        for chosen, parts in (
            (~self._natural, case.scene.parts),
            (self._natural, case.scene.without_natural()),
        ):
            nats[chosen], amplitudes[chosen] = case.screen(parts, self._shapes[chosen])
        nats += self._prior
        order = np.argsort(-nats, kind="stable")[: self._policy.refined]
        modes, mode_sd = source_modes(self._shapes[order], self._bins, self._policy)
        found: list[tuple[Hypothesis, _Source]] = []
        for rank, index in enumerate(order):
            template = int(index)
            source = _Source(
                name=self._names[template],
                category=self._categories[template],
                template=template,
                shapes=np.vstack((self._shapes[template][None], modes[rank])) * case.total,
                amplitude=float(amplitudes[template]),
                mode_sd=mode_sd,
            )
            natural = bool(self._natural[template])
            parts = case.scene.without_natural() if natural else case.scene.parts
            fitted, source = case.refine(parts, source)
            one = fitted.as_hypothesis(
                (source.name,), (source.category,), price=-float(self._prior[template])
            )
            found.append((one, source))
        # What was not refined keeps the gain of the best as its handicap: it cannot win.
        found.sort(key=lambda pair: -pair[0].nats)
        return [one for one, _ in found], [source for _, source in found]

    def _pairs(self, case: "_Case", first: _Source, single: Hypothesis) -> list[Hypothesis]:
        """The first source with each of the best second ones."""
        fitted = case.fit_scene(case.scene.parts, (first,))
        scores = case.scores(fitted, first, self._shapes)
        scores[[name == first.name for name in self._names]] = 0.0
        needed = math.sqrt(2.0 * self._policy.second_nats)
        order = [int(k) for k in np.argsort(-scores, kind="stable")[:SECONDS]]
        chosen = [k for k in order if scores[k] > needed]
        if not chosen:
            return []
        modes, mode_sd = source_modes(self._shapes[chosen], self._bins, self._policy)
        pairs = []
        for rank, template in enumerate(chosen):
            second = _Source(
                name=self._names[template],
                category=self._categories[template],
                template=template,
                shapes=np.vstack((self._shapes[template][None], modes[rank])) * case.total,
                amplitude=0.1 * first.amplitude,
                mode_sd=mode_sd,
            )
            fitted = case.fit_scene(case.scene.parts, (first, second))
            price = -float(self._prior[first.template]) + self._policy.second_nats
            pairs.append(
                fitted.as_hypothesis(
                    (first.name, second.name), (first.category, second.category), price=price
                )
            )
        return pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fitted:
    """A fit of a scene with sources."""

    nats: float
    values: Vector
    mean: Vector
    parts: Parts
    scene: Scene
    first_source: int
    total: float
    freedom: float

    def as_hypothesis(
        self, nuclides: tuple[str, ...], categories: tuple[str, ...], *, price: float
    ) -> Hypothesis:
        """Named, its price taken off."""
        background = self.scene.background
        net = self.values[self.scene.natural].sum() + self.values[self.first_source :].sum()
        return Hypothesis(
            nuclides=nuclides,
            categories=categories,
            nats=self.nats - price,
            net_counts=float(net) * self.total,
            suppression=0.0 if background is None else 1.0 - float(self.values[background]),
            misfit=-2.0 * self.nats / self.freedom,
        )


class _Case:
    """One spectrum and its scene, fitted with different sources."""

    def __init__(self, spectrum: Spectrum, scene: Scene, total: float) -> None:
        self.spectrum = spectrum
        self.scene = scene
        self.total = total
        self._freedom = max(1.0, float((spectrum.weights > 0.0).sum()) - 2.0)

    def fit_scene(self, parts: Parts, sources: tuple[_Source, ...] = ()) -> _Fitted:
        """The scene with sources, each with its modes."""
        first = len(parts.shapes)
        values = np.clip(self.scene.start, parts.lower, parts.upper)
        for source in sources:
            shapes, sd, lower, upper = source.parts()
            precision = np.where(sd > 0.0, 1.0 / np.maximum(sd, 1e-12) ** 2, 0.0)
            parts = Parts(
                np.ascontiguousarray(np.vstack((parts.shapes, shapes))),
                np.append(parts.prior_mean, np.zeros(len(shapes))),
                np.append(parts.prior_precision, precision),
                np.append(parts.lower, lower),
                np.append(parts.upper, upper),
            )
            values = np.append(values, np.zeros(len(shapes)))
            values[-len(shapes)] = max(source.amplitude, 0.01)
        mean = np.empty(len(self.spectrum.counts))
        nats = fit_parts(self.spectrum, parts, values, mean, REFINE_STEPS)
        return _Fitted(
            nats=nats,
            values=values,
            mean=mean,
            parts=parts,
            scene=self.scene,
            first_source=first,
            total=self.total,
            freedom=self._freedom,
        )

    def screen(self, parts: Parts, shapes: Matrix) -> tuple[Vector, Vector]:
        """Log-likelihood and amplitude of each source alone, without modes."""
        grown = Parts(
            np.vstack((parts.shapes, np.zeros(shapes.shape[1]))),
            np.append(parts.prior_mean, 0.0),
            np.append(parts.prior_precision, 0.0),
            np.append(parts.lower, 0.0),
            np.append(parts.upper, FREE),
        )
        start = np.append(np.clip(self.scene.start, parts.lower, parts.upper), 0.3)
        nats, values = fit_each(self.spectrum, grown, shapes * self.total, start, SCREEN_STEPS)
        return nats, values[:, -1]

    def refine(self, parts: Parts, source: _Source) -> tuple[_Fitted, _Source]:
        """One source with its modes, and the source as fitted."""
        for _ in range(ROUNDS):
            fitted = self.fit_scene(parts, (source,))
            source = _Source(
                name=source.name,
                category=source.category,
                template=source.template,
                shapes=source.shapes,
                amplitude=float(fitted.values[fitted.first_source]),
                mode_sd=source.mode_sd,
            )
        return fitted, source

    def scores(self, fitted: _Fitted, first: _Source, shapes: Matrix) -> Vector:
        """How much each further source would add to a fit, in standard deviations."""
        free = (fitted.values > fitted.parts.lower) & (fitted.values < fitted.parts.upper)
        parts = Parts(*(np.ascontiguousarray(item[free]) for item in fitted.parts))
        return source_scores(self.spectrum, parts, fitted.mean, shapes * self.total)


def _threshold(seen: Vector) -> int:
    """The first bin that lies wholly over the detector's threshold."""
    level = smooth(seen, 2)
    for first in range(len(seen) // 3):
        ahead = level[first + 4 : first + 10].mean()
        if seen[first] > 0.3 * ahead or ahead <= 0.0:
            return first + 1 if first > 0 else 0
    return 0
