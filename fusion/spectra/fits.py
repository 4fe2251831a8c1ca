"""One spectrum fitted with what is there anyway and with sources."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.identify import Parts, Spectrum, fit_each, fit_parts, source_scores
from fusion.spectra.nuisance import FREE, Bins, Scene, moved, source_modes
from fusion.spectra.verdict import Hypothesis, IdentifyPolicy

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

SCREEN_STEPS = 8
REFINE_STEPS = 12
ROUNDS = 3  # the modes' priors go by amplitudes, which the second round knows; then they are moved
LARGE = 0.5  # standard deviations: errors of a source that are worth more than the first order
SETTLED = 0.02  # relative change of an amplitude, under which another round changes nothing
MODELLED = 0.35  # of the variance from errors of templates: counts are many, and errors show
LEAST_AMPLITUDE = 1e-3  # of a source whose errors mean anything
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
    applied: Vector | None = None
    """(modes,) errors that `shapes` have in them already, per unit of the source."""

    def moved(self, errors: Vector, bins: Bins, policy: IdentifyPolicy) -> "Source":
        """The same with errors (modes,) per unit applied to its shape."""
        whole = float(self.shapes[0].sum())
        shape = moved(self.shapes[0] / whole, errors, bins, policy) * whole
        modes = source_modes(shape[None], bins, policy)[0][0]
        before = np.zeros(len(errors)) if self.applied is None else self.applied
        return replace(self, shapes=np.vstack((shape[None], modes)), applied=before + errors)

    def added_to(self, parts: Parts) -> Parts:
        """The parts with this source and its modes."""
        size = max(self.amplitude, 1e-6)
        sd = self.mode_sd * size
        reach = MODE_REACH * sd
        middle = np.zeros(len(sd)) if self.applied is None else -self.applied * size
        return Parts(
            np.ascontiguousarray(np.vstack((parts.shapes, self.shapes))),
            np.append(np.append(parts.prior_mean, 0.0), middle),
            np.append(np.append(parts.prior_precision, 0.0), 1.0 / sd**2),
            np.append(np.append(parts.lower, 0.0), np.minimum(middle - reach, 0.0)),
            np.append(np.append(parts.upper, FREE), np.maximum(middle + reach, 0.0)),
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

    def __init__(
        self, spectrum: Spectrum, scene: Scene, bins: Bins, policy: IdentifyPolicy
    ) -> None:
        self.spectrum = spectrum
        self.scene = scene
        self.total = max(float(spectrum.counts.sum()), 1.0)
        self.freedom = max(1.0, float((spectrum.weights > 0.0).sum()) - 2.0)
        self._bins = bins
        self._policy = policy
        seen = np.where(spectrum.weights > 0.0, spectrum.counts, 0.0)
        whole = max(float(seen.sum()), 1.0)
        self.modelled = 1.0 - float((seen * spectrum.weights).sum()) / whole
        """Share of the variance that errors of templates make, and not counts."""

    def fit(self, parts: Parts, sources: tuple[Source, ...] = ()) -> Fitted:
        """The scene with sources, each with its modes.

        Errors are bound to the amplitudes that the round before has found, and large ones are
        applied to the source's shape: in the first order a peak that moves leaves less than
        nothing behind, and the fit sticks there.
        """
        base = len(parts.shapes)
        sizes = [len(one.shapes) for one in sources]
        places = [base + sum(sizes[:k]) for k in range(len(sizes))]
        values = np.append(
            np.clip(self.scene.start, parts.lower, parts.upper), np.zeros(sum(sizes))
        )
        values[places] = [max(one.amplitude, 0.01) for one in sources]
        mean = np.empty(len(self.spectrum.counts))
        nats, grown = 0.0, parts
        for turn in range(ROUNDS):
            grown = parts if turn == 0 else self.scene.followed(parts, values)
            for source in sources:
                grown = source.added_to(grown)
            # From where no bin is negative, so that every step can be judged.
            values = np.where(grown.lower < 0.0, 0.0, np.clip(values, grown.lower, grown.upper))
            nats = fit_parts(self.spectrum, grown, values, mean, REFINE_STEPS)
            before = sources
            sources = tuple(
                replace(one, amplitude=float(values[place]))
                for one, place in zip(sources, places, strict=True)
            )
            if turn == ROUNDS - 1 or self._settled(before, sources, values, turn):
                break
            sources = tuple(
                self._moved(one, values[place + 1 : place + size])
                for one, place, size in zip(sources, places, sizes, strict=True)
            )
        return Fitted(
            nats=nats,
            values=values,
            mean=mean,
            parts=grown,
            sources=sources,
            places=tuple(places),
        )

    def _settled(
        self, before: tuple[Source, ...], after: tuple[Source, ...], values: Vector, turn: int
    ) -> bool:
        """Whether another round would change anything."""
        if not after:
            return turn > 0 or self.scene.modes[0] == self.scene.modes[1]
        if turn == 0 or self.modelled < MODELLED:
            return turn > 0
        base = len(values) - sum(len(one.shapes) for one in after)
        for old, new in zip(before, after, strict=True):
            errors = values[base + 1 : base + len(new.shapes)]
            base += len(new.shapes)
            if abs(new.amplitude - old.amplitude) > SETTLED * max(new.amplitude, SETTLED):
                return False
            if np.any(np.abs(errors) > LARGE * new.mode_sd * max(new.amplitude, 1e-6)):
                return False
        return True

    def _moved(self, source: Source, values: Vector) -> Source:
        """The source with its errors applied, where they are large and known."""
        if self.modelled < MODELLED or source.amplitude < LEAST_AMPLITUDE:
            return source
        before = 0.0 if source.applied is None else source.applied
        reach = MODE_REACH * source.mode_sd
        errors = np.clip(values / source.amplitude, -reach - before, reach - before)
        if np.all(np.abs(errors) < LARGE * source.mode_sd):
            return source
        return source.moved(errors, self._bins, self._policy)

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
