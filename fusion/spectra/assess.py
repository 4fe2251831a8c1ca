"""What the slices of one vehicle or event show: which of them, which detectors, which nuclide."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from fusion.spectra.instrument import Instrument
from fusion.spectra.policy import SpectraPolicy
from fusion.spectra.slices import Slice, added
from fusion.spectra.verdict import BACKGROUND, IdentifyPolicy, Verdict
from fusion.spectra.verdicts import Verdicts
from fusion.spectra.window import Window, best_detectors, best_window
from fusion.types import Fact

SURE_NET = 4.0  # sigma of gross counts from which detectors are told apart by them
MOST_NAMED = 2  # in the words; the facts have them all
NATURAL_NATS = 3.0  # twenty times as likely as any other source
FEWEST_SLICES = 6  # of which the quietest third could be a background

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Slices as one: the background that something is compared with, or what is compared."""

    counts: Matrix
    """(detectors, channels)"""
    live_s: Vector
    """(detectors,)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The result; without a verdict nothing was worth an identification."""

    verdict: Verdict | None
    window: tuple[int, int]
    """First and one past the last slice that it rests on."""
    score_sigma: float
    """Best of the score test in any window."""
    over_range: bool
    detectors: tuple[int, ...]
    identify: IdentifyPolicy
    """By which the verdict was made."""
    column: int | None = None
    """Of the scores that showed the window; None where gross counts or nothing did."""


def assess(
    slices: Sequence[Slice],
    instrument: Instrument,
    reference: Reference | None,
    policy: SpectraPolicy,
    *,
    gross_sigma: float = 0.0,
    verdicts: Verdicts | None = None,
) -> Assessment:
    """Look for the best window, and identify what is in it.

    gross_sigma  what the test of gross counts found; a load of minerals has no score, for the
                 natural series are projected out of it
    verdicts     of this vehicle, so far
    """
    verdicts = verdicts or Verdicts()
    usable = np.array([not one.over_range for one in slices], np.bool_)
    over_range = not bool(usable.all())
    found: list[tuple[tuple[int, int], tuple[int, ...], Verdict, int | None]] = []
    spectral = _by_score(slices, usable, policy)
    sigma = spectral.sigma if spectral else 0.0
    windows: list[tuple[int, int, int | None]] = []
    if spectral and (sigma >= policy.look_sigma or over_range):
        windows.append((spectral.first, spectral.stop, spectral.column))
    if gross_sigma >= policy.look_sigma or over_range or spectral is None:
        gross = _by_counts(slices, usable, reference)
        if gross and gross not in [(first, stop) for first, stop, _ in windows]:
            windows.append((*gross, None))
    if not windows and reference is None and usable.any():
        # Nothing to compare with, not even slices among each other: one measurement.
        windows.append((0, len(slices), None))
    for first, stop, column in windows:
        chosen = [one for one in slices[first:stop] if not one.over_range]
        total = _total(chosen)
        which = _which(total, reference, instrument, column)
        verdict = _identify(total, which, instrument, reference, verdicts)
        found.append(((first, stop), which, verdict, column))
    if not found:
        return Assessment(
            verdict=None,
            window=(spectral.first, spectral.stop) if spectral else (0, len(slices)),
            score_sigma=sigma,
            over_range=over_range,
            detectors=tuple(range(len(instrument.names))),
            identify=instrument.identifier.policy,
        )
    window, which, verdict, column = max(found, key=lambda one: _rank(one[2], policy))
    return Assessment(
        verdict=verdict,
        window=window,
        score_sigma=sigma,
        over_range=over_range,
        detectors=which,
        identify=instrument.identifier.policy,
        column=column,
    )


def _rank(verdict: Verdict, policy: SpectraPolicy) -> tuple[bool, float]:
    """A source that is not natural comes before any load of minerals around it."""
    told = verdict.sigma >= policy.significant_sigma
    return told and verdict.category not in ("background", "norm"), verdict.sigma


def _by_score(
    slices: Sequence[Slice], usable: NDArray[np.bool_], policy: SpectraPolicy
) -> Window | None:
    columns = max((len(one.scores) for one in slices), default=0)
    if columns == 0:
        return None
    scores = np.zeros((len(slices), columns))
    for i, one in enumerate(slices):
        scores[i, : len(one.scores)] = one.scores
    variances = np.array([one.variance for one in slices])
    usable = usable & (variances > 0.0)
    usual_s = median([one.real_s for one in slices])
    longest = max(1, math.ceil(policy.usual_window_s / max(usual_s, 1e-3)))
    return best_window(scores, variances, usable, longest)


def _by_counts(
    slices: Sequence[Slice], usable: NDArray[np.bool_], reference: Reference | None
) -> tuple[int, int] | None:
    """The window with the clearest excess of gross counts, of any length."""
    counts = np.array([float(one.counts.sum()) for one in slices])
    if reference is None:
        expected = np.full(len(slices), float(np.median(counts)))
    else:
        rates = reference.counts.sum(axis=1) / np.maximum(reference.live_s, 1e-9)
        expected = np.array([float(rates @ one.live_s) for one in slices])
    net = (counts - expected)[:, None]
    best = best_window(net, np.maximum(counts, expected), usable, len(slices))
    return (best.first, best.stop) if best else None


def _total(chosen: Sequence[Slice]) -> Reference:
    counts, _ = added(chosen)
    return Reference(counts=counts, live_s=np.sum([one.live_s for one in chosen], axis=0))


def _which(
    total: Reference, reference: Reference | None, instrument: Instrument, column: int | None
) -> tuple[int, ...]:
    """The detectors nearest to the source, where scores or gross counts tell.

    column  of the template that shows best, None where it was found by gross counts
    """
    counts = total.counts.sum(axis=1)
    everyone = tuple(range(len(counts)))
    if reference is None or len(counts) == 1:
        return everyone
    rates = reference.counts.sum(axis=1) / np.maximum(reference.live_s, 1e-9)
    expected = rates * total.live_s
    net, variance = counts - expected, np.maximum(expected, counts)
    if column is not None:
        net = instrument.stream.detector_scores(0, total.counts, column)
    if net.sum() < SURE_NET * math.sqrt(max(float(variance.sum()), 1.0)) and column is None:
        return everyone
    return tuple(int(i) for i in best_detectors(net, variance))


def _identify(
    total: Reference,
    which: tuple[int, ...],
    instrument: Instrument,
    reference: Reference | None,
    verdicts: Verdicts,
) -> Verdict:
    seen = instrument.binned(total.counts, which)
    rows = list(which)
    total_s = float(total.live_s[rows].mean())
    background, background_s = None, 0.0
    if reference is not None:
        background, background_s = background_for(rows, total.live_s, instrument, reference)
    return verdicts.of(
        instrument.identifier,
        (seen, total_s),
        (background, background_s),
        instrument.shape_mode,
    )


def background_for(
    rows: list[int], live_s: Vector, instrument: Instrument, reference: Reference
) -> tuple[Vector, float]:
    """Background (bins,) of some detectors, weighed as their live times are, and its live time."""
    known_s = float(reference.live_s[rows].mean())
    factor = live_s[rows] / np.maximum(reference.live_s[rows], 1e-9)
    factor *= known_s / max(float(live_s[rows].mean()), 1e-9)
    scaled = reference.counts.copy()
    scaled[rows] *= factor[:, None]
    return instrument.binned(scaled, rows), known_s


def quietest(slices: Sequence[Slice], share: float = 1 / 3) -> Reference | None:
    """The share of the slices with the lowest rates as background; None of too few."""
    if len(slices) < FEWEST_SLICES:
        return None
    rates = [float(one.counts.sum()) / max(float(one.live_s.sum()), 1e-9) for one in slices]
    chosen = [slices[int(i)] for i in np.argsort(rates, kind="stable")[: int(len(slices) * share)]]
    return sum_of(chosen)


def sum_of(slices: Sequence[Slice]) -> Reference:
    """Slices as a background."""
    counts, live_s = added(slices)
    return Reference(counts=counts, live_s=live_s)


def spectral_facts(found: Assessment, significant_sigma: float) -> dict[str, Fact]:
    """Category, nuclides and what they rest on."""
    verdict = found.verdict
    facts: dict[str, Fact] = {
        "gamma_sigma": round(max(found.score_sigma, 0.0), 3),
        "category": "background",
        "nuclides": (),
        "over_range": found.over_range,
        "category_nats": {},
        "detectors": len(found.detectors),
    }
    if verdict is not None:
        facts["gamma_sigma"] = round(_honest(verdict, found.identify), 3)
        facts["suppression"] = round(verdict.suppression, 4)
        facts["net_counts"] = round(verdict.net_counts, 1)
        if verdict.sigma >= significant_sigma and verdict.category != "background":
            facts["category"] = verdict.category
            facts["nuclides"] = tuple(
                (name, round(confidence, 3)) for name, confidence in verdict.nuclides
            )
            facts["nuclide"] = " + ".join(name for name, _ in verdict.nuclides[:MOST_NAMED])
            facts["confidence"] = round(verdict.confidence, 3)
            facts["category_nats"] = {
                name: round(nats, 2) for name, nats in sorted(verdict.nats.items())
            }
    if found.over_range:
        facts["category"] = "over-range"
    return facts


def _honest(verdict: Verdict, policy: IdentifyPolicy) -> float:
    """Sigma, where no background was measured in units of the line that holds there.

    A model of ordinary nature misses any real one by more than chance: a detector's background
    alone came to 8 or 9, and is background up to `unmeasured_norm_sigma`.
    """
    if verdict.category == BACKGROUND and verdict.sigma >= policy.alarm_sigma:
        return verdict.sigma * policy.alarm_sigma / policy.unmeasured_norm_sigma
    return max(verdict.sigma, 0.0)


def category_of_counts(facts: Mapping[str, Fact], found: Assessment) -> str:
    """Category of an excess of counts that no template explains better than the background.

    Spread over a load it is stone with the mixture of the ground; a point is that only where the
    spectrum says so.
    """
    nats = dict(found.verdict.nats) if found.verdict is not None else {}
    others = [nats[name] for name in sorted(nats) if name != "norm"]
    natural = bool(others) and nats.get("norm", 0.0) - max(others) >= NATURAL_NATS
    return "norm" if natural or facts.get("extent") == "extended" else "unknown"
