"""One spectrum fitted with what is there anyway and with sources."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.identify import Parts, Spectrum, fit_each, fit_parts
from fusion.kernels.identify_scores import Sources, screened, source_scores
from fusion.spectra.nuisance import FREE, Bins, Scene, moved, source_modes
from fusion.spectra.verdict import Hypothesis, IdentifyPolicy

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Places = NDArray[np.int64]

SCREEN_STEPS = (1, 4)  # of expectation maximisation, and others
FIRST_STEPS, NEXT_STEPS = (3, 12), (1, 12)
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
        shape = moved(self.shapes[0], errors, bins)
        modes = source_modes(shape[None], bins, policy)[0][0]
        before = np.zeros(len(errors)) if self.applied is None else self.applied
        return replace(self, shapes=np.vstack((shape[None], modes)), applied=before + errors)

    def limits(self) -> Matrix:
        """Prior mean and precision, lower and upper bound (4, 1 + modes)."""
        size = max(self.amplitude, 1e-6)
        sd = self.mode_sd * size
        middle = np.zeros(len(sd)) if self.applied is None else -self.applied * size
        out = np.zeros((4, len(self.shapes)))
        out[0, 1:], out[1, 1:] = middle, 1.0 / sd**2
        out[2, 1:] = np.minimum(middle - MODE_REACH * sd, 0.0)
        out[3, 0] = FREE
        out[3, 1:] = np.maximum(middle + MODE_REACH * sd, 0.0)
        return out


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

    def fit(
        self,
        parts: Parts,
        sources: tuple[Source, ...] = (),
        *,
        start: Vector | None = None,
        begun: Fitted | None = None,
        rounds: int = ROUNDS,
    ) -> Fitted:
        """The scene with sources, each with its modes.

        Errors are bound to the amplitudes that the round before has found, and large ones are
        applied to the source's shape: in the first order a peak that moves leaves less than
        nothing behind, and the fit sticks there.

        start  (parts,) from where, if somewhere better than usual is known
        begun  a round with these parts, to go on from
        """
        before, found = None, begun or self._first_round(parts, sources, start)
        for _ in range(1, rounds):
            if self._settled(before, found):
                break
            before, found = found, self._next_round(parts, found)
        return found

    def _first_round(
        self, parts: Parts, sources: tuple[Source, ...], start: Vector | None
    ) -> Fitted:
        values = [self.scene.start if start is None else start]
        for one in sources:
            values += [np.array([max(one.amplitude, 0.01)]), np.zeros(len(one.shapes) - 1)]
        steps = FIRST_STEPS if start is None else NEXT_STEPS
        return self._round(_with_sources(parts, sources), np.concatenate(values), sources, steps)

    def _round(
        self, parts: Parts, values: Vector, sources: tuple[Source, ...], steps: tuple[int, int]
    ) -> Fitted:
        # From where no bin is negative, so that every step can be judged.
        values = np.where(parts.lower < 0.0, 0.0, np.clip(values, parts.lower, parts.upper))
        mean = np.empty(len(self.spectrum.counts))
        nats = fit_parts(self.spectrum, parts, values, mean, steps)
        places: list[int] = []
        end = len(values)
        for one in reversed(sources):
            end -= len(one.shapes)
            places.insert(0, end)
        found = tuple(
            replace(one, amplitude=float(values[place]))
            for one, place in zip(sources, places, strict=True)
        )
        return Fitted(
            nats=nats,
            values=values,
            mean=mean,
            parts=parts,
            sources=found,
            places=tuple(places),
        )

    def _next_round(self, parts: Parts, before: Fitted) -> Fitted:
        sources = tuple(
            self._moved(one, before.values[place + 1 : place + len(one.shapes)])
            for one, place in zip(before.sources, before.places, strict=True)
        )
        grown = _with_sources(self.scene.followed(parts, before.values), sources)
        return self._round(grown, before.values, sources, NEXT_STEPS)

    def _settled(self, before: Fitted | None, after: Fitted) -> bool:
        """Whether another round would change anything."""
        if before is None:
            return not after.sources and self.scene.modes[0] == self.scene.modes[1]
        if self.modelled < MODELLED:
            return True
        for old, new, place in zip(before.sources, after.sources, after.places, strict=True):
            errors = after.values[place + 1 : place + len(new.shapes)]
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

    def scores(self, fitted: Fitted, sources: Sources, chosen: Places) -> Vector:
        """How much each of the chosen sources adds to a fit, in standard deviations."""
        free = (fitted.values > fitted.parts.lower) & (fitted.values < fitted.parts.upper)
        parts = Parts(*(np.ascontiguousarray(item[free]) for item in fitted.parts))
        state = fitted.values[free], fitted.mean, self._variance(fitted)
        return source_scores(self.spectrum, parts, state, (sources, chosen))

    def screen(self, fitted: Fitted, sources: Sources, chosen: Places) -> tuple[Vector, Matrix]:
        """About the nats that each of the chosen sources adds to a fit, and the values then."""
        state = fitted.values, fitted.mean, self._variance(fitted)
        return screened(self.spectrum, fitted.parts, state, (sources, chosen))

    def _variance(self, fitted: Fitted) -> Vector:
        # Where a source is strong the fit without it is no measure of the counts' variance.
        return np.maximum(fitted.mean, self.spectrum.level)

    def fit_alone(self, parts: Parts, shapes: Matrix, start: Matrix) -> tuple[Vector, Matrix]:
        """Log-likelihood and values of each source (sources, bins) alone, without modes.

        start  (sources, parts + 1) values, per count of the source
        """
        grown = Parts(
            np.vstack((parts.shapes, np.zeros(shapes.shape[1]))),
            np.append(parts.prior_mean, 0.0),
            np.append(parts.prior_precision, 0.0),
            np.append(parts.lower, 0.0),
            np.append(parts.upper, FREE),
        )
        start[:, -1] /= self.total
        start = np.clip(start, np.append(parts.lower, 1e-3), grown.upper)
        nats, values = fit_each(self.spectrum, grown, shapes * self.total, start, SCREEN_STEPS)
        return nats, values

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
            mean=fitted.mean,
        )


def _with_sources(parts: Parts, sources: tuple[Source, ...]) -> Parts:
    """The parts with sources and their modes."""
    if not sources:
        return parts
    limits = np.hstack((parts[1:], *(one.limits() for one in sources)))
    return Parts(np.vstack((parts.shapes, *(one.shapes for one in sources))), *limits)
