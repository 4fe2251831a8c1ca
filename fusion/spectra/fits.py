"""One spectrum fitted with what is there anyway and with sources."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.identify import Parts, Spectrum, fit_each, fit_parts, source_scores
from fusion.spectra.nuisance import FREE, Scene
from fusion.spectra.verdict import Hypothesis

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

SCREEN_STEPS = 8
REFINE_STEPS = 12
ROUNDS = 2  # the modes' priors go by the source's amplitude, which the second round knows
MODE_REACH = 2.5  # standard deviations: what is further off is another source


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source in a fit: its template and the ways it may be wrong."""

    name: str
    category: str
    price: float
    """Nats that it must gain to be worth as much as a likelier one."""
    shapes: Matrix
    """(1 + modes, bins) in units of all counts."""
    mode_sd: Vector
    """(modes,) per unit of the source."""
    amplitude: float

    def added_to(self, parts: Parts) -> Parts:
        """The parts with this source and its modes."""
        sd = self.mode_sd * max(self.amplitude, 1e-6)
        reach = MODE_REACH * sd
        return Parts(
            np.ascontiguousarray(np.vstack((parts.shapes, self.shapes))),
            np.append(parts.prior_mean, np.zeros(len(self.shapes))),
            np.append(np.append(parts.prior_precision, 0.0), 1.0 / sd**2),
            np.append(np.append(parts.lower, 0.0), -reach),
            np.append(np.append(parts.upper, FREE), reach),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A fit of a scene with sources."""

    nats: float
    values: Vector
    mean: Vector
    parts: Parts
    sources: tuple[Source, ...]
    """With their fitted amplitudes."""
    places: tuple[int, ...]
    """Which part each source is."""


class Case:
    """One spectrum and what is there without a source, fitted with different sources."""

    def __init__(self, spectrum: Spectrum, scene: Scene) -> None:
        self.spectrum = spectrum
        self.scene = scene
        self.total = max(float(spectrum.counts.sum()), 1.0)
        self.freedom = max(1.0, float((spectrum.weights > 0.0).sum()) - 2.0)

    def fit(self, parts: Parts, sources: tuple[Source, ...] = (), rounds: int = ROUNDS) -> Fitted:
        """The scene with sources, each with its modes."""
        base = len(parts.shapes)
        sizes = [len(one.shapes) for one in sources]
        places = [base + sum(sizes[:k]) for k in range(len(sizes))]
        values = np.clip(self.scene.start, parts.lower, parts.upper)
        mean = np.empty(len(self.spectrum.counts))
        nats, grown = 0.0, parts
        for turn in range(rounds if sources else 1):
            grown = parts
            for source in sources:
                grown = source.added_to(grown)
            if turn == 0:
                values = np.append(values, np.zeros(len(grown.shapes) - base))
                values[places] = [max(one.amplitude, 0.01) for one in sources]
            # From where no bin is negative, so that every step can be judged.
            values = np.where(grown.lower < 0.0, 0.0, np.clip(values, grown.lower, grown.upper))
            nats = fit_parts(self.spectrum, grown, values, mean, REFINE_STEPS)
            sources = tuple(
                replace(one, amplitude=float(values[place]))
                for one, place in zip(sources, places, strict=True)
            )
        return Fitted(
            nats=nats,
            values=values,
            mean=mean,
            parts=grown,
            sources=sources,
            places=tuple(places),
        )

    def scores(self, fitted: Fitted, shapes: Matrix) -> Vector:
        """How much each further source (sources, bins) adds to a fit, in standard deviations."""
        free = (fitted.values > fitted.parts.lower) & (fitted.values < fitted.parts.upper)
        parts = Parts(*(np.ascontiguousarray(item[free]) for item in fitted.parts))
        # Where a source is strong the fit without it is no measure of the counts' variance.
        variance = np.maximum(fitted.mean, self.spectrum.level)
        return source_scores(self.spectrum, parts, (fitted.mean, variance), shapes * self.total)

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

    def hypothesis(
        self,
        fitted: Fitted,
        more: tuple[tuple[str, str], ...] = (),
        price: float = 0.0,
    ) -> Hypothesis:
        """A fit as an explanation; `more` are (name, category) of parts of the scene itself."""
        background = self.scene.background
        first, names = self.scene.natural.start, self.scene.natural_names
        named = [(float(one.amplitude), one.name, one.category) for one in fitted.sources]
        named += [
            (float(fitted.values[first + names.index(name)]), name, category)
            for name, category in more
        ]
        named.sort(key=lambda item: -item[0])
        return Hypothesis(
            nuclides=tuple(name for _, name, _ in named),
            categories=tuple(category for _, _, category in named),
            nats=fitted.nats - price - sum(one.price for one in fitted.sources),
            net_counts=sum(amount for amount, _, _ in named) * self.total,
            suppression=0.0 if background is None else 1.0 - float(fitted.values[background]),
            misfit=-2.0 * fitted.nats / self.freedom,
        )
