"""One spectrum fitted with what is there anyway and with sources."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.identify import Parts, Spectrum
from fusion.kernels.identify_rounds import (
    Frame,
    Held,
    Rounds,
    Wrong,
    first_rounds,
    fit_without_modes,
    go_on,
)
from fusion.kernels.identify_scores import Sources, all_scores, screened, source_scores
from fusion.spectra.nuisance import Scene
from fusion.spectra.verdict import Hypothesis

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Places = NDArray[np.int64]

SCREEN_STEPS = (1, 4)  # of expectation maximisation, and others
FIRST_STEPS, NEXT_STEPS = (3, 12), (1, 12)
ROUNDS = 3  # the modes' priors go by amplitudes, which the second round knows; then they are moved


class Source(NamedTuple):
    """A source that a spectrum may show."""

    name: str
    category: str
    price: float
    """Nats that it must gain to be worth as much as a likelier one."""


class Candidates(NamedTuple):
    """Sources of which each is to be fitted."""

    sources: list[Source]
    templates: Matrix
    """(sources, bins)"""
    amplitudes: Vector
    """(sources,) to begin with, in units of all counts."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """One fit of many that were begun together, as its latest round has left it."""

    frame: Frame
    rounds: Rounds
    at: int
    sources: tuple[Source, ...]

    @property
    def nats(self) -> float:
        """Penalised log-likelihood."""
        return float(self.rounds.nats[self.at])

    @property
    def values(self) -> Vector:
        """(parts,)"""
        values: Vector = self.rounds.values[self.at]
        return values

    @property
    def mean(self) -> Vector:
        """(bins,)"""
        mean: Vector = self.rounds.mean[self.at]
        return mean

    @property
    def parts(self) -> Parts:
        """Those of the scene, then each source and its modes."""
        return Parts(self.rounds.shapes[self.at], *self.rounds.limits[self.at])

    @property
    def amplitudes(self) -> list[float]:
        """Of the sources."""
        amplitudes: list[float] = self.rounds.amplitudes[self.at].tolist()
        return amplitudes

    def shape(self, source: int) -> Vector:
        """(bins,) of a source in units of all counts, with what of its errors is applied."""
        rows = 1 + self.rounds.applied.shape[2]
        place = len(self.frame.parts.shapes) + source * rows
        shape: Vector = self.rounds.shapes[self.at, place]
        return shape

    def held(self) -> Held:
        """Its sources, for fits with one more."""
        return Held(
            self.rounds.shapes[self.at, len(self.frame.parts.shapes) :],
            self.rounds.amplitudes[self.at],
            self.rounds.applied[self.at],
        )


class Case:
    """One spectrum and what is there without a source, fitted with different sources."""

    def __init__(self, spectrum: Spectrum, scene: Scene, wrong: Wrong) -> None:
        self.spectrum = spectrum
        self.scene = scene
        self.total = max(float(spectrum.counts.sum()), 1.0)
        self.freedom = max(1.0, float((spectrum.weights > 0.0).sum()) - 2.0)
        self._wrong = wrong
        seen = np.where(spectrum.weights > 0.0, spectrum.counts, 0.0)
        whole = max(float(seen.sum()), 1.0)
        self.modelled = 1.0 - float((seen * spectrum.weights).sum()) / whole
        """Share of the variance that errors of templates make, and not counts."""
        natural = scene.natural
        self._frame = Frame(
            spectrum=spectrum,
            parts=scene.parts,
            modes=scene.modes,
            with_background=(natural.start, natural.stop) if scene.background is None else (0, 0),
            amount=scene.amount,
            total=self.total,
            modelled=self.modelled,
        )
        self._load = self._frame._replace(parts=scene.with_load())
        nothing = np.empty((0, len(spectrum.counts)))
        self._none = Held(nothing, np.empty(0), np.empty((0, len(wrong.mode_sd))))

    def without_source(self, *, load: bool = False) -> Fitted:
        """The scene alone, or with a load of natural nuclides."""
        frame = self._load if load else self._frame
        none = self._none.shapes, self._none.amplitudes
        start = self.scene.start[None], FIRST_STEPS
        rounds = first_rounds(frame, self._wrong, self._none, none, start)
        fitted = Fitted(frame, rounds, 0, ())
        self.go_on([fitted])
        return fitted

    def begin(
        self,
        candidates: Candidates,
        start: Matrix,
        *,
        beside: Fitted | None = None,
        load: bool = False,
    ) -> list[Fitted]:
        """The first round of a fit of each candidate with its modes.

        start   (candidates, parts of the scene) where each begins
        beside  whose sources stay, as they are there
        """
        frame = self._load if load else self._frame
        held = self._none if beside is None else beside.held()
        earlier = () if beside is None else beside.sources
        sources = candidates.templates, candidates.amplitudes
        rounds = first_rounds(frame, self._wrong, held, sources, (start, NEXT_STEPS))
        return [
            Fitted(frame, rounds, at, (*earlier, one)) for at, one in enumerate(candidates.sources)
        ]

    def go_on(self, fits: list[Fitted]) -> None:
        """Further rounds of fits that were begun together, until nothing changes any more."""
        if fits:
            which = np.array([one.at for one in fits])
            how = ROUNDS, NEXT_STEPS
            go_on(fits[0].frame, self._wrong, fits[0].rounds, which, how)

    def scores(self, fitted: Fitted, sources: Sources, chosen: Places) -> Vector:
        """How much each of the chosen sources adds to a fit, in standard deviations."""
        return source_scores(self.spectrum, fitted.parts, self._state(fitted), (sources, chosen))

    def all_scores(self, fitted: Fitted, blocks: Matrix) -> Vector:
        """The same of all templates, as `fusion.kernels.identify_scores.in_blocks` has them."""
        return all_scores(self.spectrum, fitted.parts, self._state(fitted), blocks)

    def screen(self, fitted: Fitted, sources: Sources, chosen: Places) -> tuple[Vector, Matrix]:
        """About the nats that each of the chosen sources adds to a fit, and the values then."""
        return screened(self.spectrum, fitted.parts, self._state(fitted), (sources, chosen))

    def _state(self, fitted: Fitted) -> tuple[Vector, Vector, Vector]:
        # Where a source is strong the fit without it is no measure of the counts' variance.
        mean = fitted.mean
        return fitted.values, mean, np.maximum(mean, self.spectrum.level)

    def fit_alone(self, templates: Matrix, start: Matrix) -> tuple[Vector, Matrix]:
        """Log-likelihood and values of each template (sources, bins) alone, without modes.

        start  (sources, parts + 1) values, per count of the source
        """
        return fit_without_modes(self._frame, templates, start, SCREEN_STEPS)

    def hypothesis(
        self,
        fitted: Fitted,
        more: tuple[tuple[str, str], ...] = (),
        price: float = 0.0,
    ) -> Hypothesis:
        """A fit as an explanation; `more` are (name, category) of parts of the scene itself."""
        values, mean, nats = fitted.values, fitted.mean, fitted.nats
        named = [
            (amount, one.name, one.category)
            for amount, one in zip(fitted.amplitudes, fitted.sources, strict=True)
        ]
        if more:
            first, names = self.scene.natural.start, self.scene.natural_names
            named += [(float(values[first + names.index(name)]), name, kind) for name, kind in more]
        if len(named) > 1:
            named.sort(key=lambda item: -item[0])
        background = self.scene.background
        return Hypothesis(
            nuclides=tuple([name for _, name, _ in named]),
            categories=tuple([category for _, _, category in named]),
            nats=nats - price - sum([one.price for one in fitted.sources]),
            net_counts=sum([amount for amount, _, _ in named]) * self.total,
            suppression=0.0 if background is None else 1.0 - float(values[background]),
            misfit=-2.0 * nats / self.freedom,
            mean=mean,
        )
