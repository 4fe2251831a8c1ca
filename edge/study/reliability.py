"""How far probabilities hold: calibration error beside its floor, log loss, bins of log-odds.

A calibration error alone says nothing: a perfectly calibrated model shows one too, the greater the
fewer cases there are (facts: fusion 2.2). Where what is asked for is rare, log loss and bins of
log-odds see what shares cannot.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.study.intervals import proportion

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]

BINS = 10
DRAWS = 200
LEAST_SHARE = 1e-12  # a thing that was called impossible and came costs 28 nats, not infinity
LOG_ODDS_EDGES = tuple(float(edge) for edge in range(-8, 9, 2))
"""Nats: from one in 3,000 to 3,000 in one; beyond them one bin at either end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Cases that were told with nearly the same probability."""

    predicted: float
    """Mean of what was told."""
    hits: int
    """Of so many of them it was so."""
    of: int

    @property
    def observed(self) -> float:
        """Share of which it was so."""
        return self.hits / self.of

    @property
    def interval(self) -> tuple[float, float]:
        """Clopper-Pearson, 95 %."""
        return proportion(self.hits, self.of)

    @property
    def holds(self) -> bool:
        """Whether what was told lies within the interval of what was so."""
        low, high = self.interval
        return low <= self.predicted <= high


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """How far the probabilities of a set of cases hold."""

    error: float
    """Expected calibration error over ten bins of equal width."""
    floor: float
    """The same of a perfectly calibrated model with these predictions."""
    log_loss: float
    """Nats a case."""
    known_loss: float
    """Log loss of who knows nothing but how often it is so."""
    bins: tuple[Bin, ...]
    """By log-odds."""
    cases: int
    hits: int


def reliability_of(predicted: Floats, right: Truths) -> Reliability:
    """All of it.

    predicted  (cases,) probability that was told
    right      (cases,) whether it was so
    ValueError where there is no case, or a probability is none.
    """
    _check(predicted, right)
    error, floor, _ = reliability(predicted, right, BINS)
    hits = int(right.sum())
    base = np.full(len(right), hits / len(right))
    return Reliability(
        error=error,
        floor=floor,
        log_loss=log_loss(predicted, right),
        known_loss=log_loss(base, right),
        bins=log_odds_bins(predicted, right),
        cases=len(right),
        hits=hits,
    )


def log_loss(predicted: Floats, right: Truths, weight: Floats | None = None) -> float:
    """Mean of minus the log of what was told of what came, nats.

    weight  (cases,) what each case counts; None: all the same
    """
    told = np.where(right, predicted, 1.0 - predicted)
    losses = -np.log(np.maximum(told, LEAST_SHARE))
    return float(np.average(losses, weights=weight))


def log_odds_bins(
    predicted: Floats, right: Truths, edges: Sequence[float] = LOG_ODDS_EDGES
) -> tuple[Bin, ...]:
    """Cases by the log-odds they were told with, those bins that have any, the lowest first."""
    share = np.clip(predicted, LEAST_SHARE, 1.0 - LEAST_SHARE)
    of = np.digitize(np.log(share) - np.log1p(-share), np.asarray(edges))
    found = []
    for index in range(len(edges) + 1):
        mine = of == index
        if mine.any():
            mean = float(predicted[mine].mean())
            found.append(Bin(predicted=mean, hits=int(right[mine].sum()), of=int(mine.sum())))
    return tuple(found)


def reliability(
    predicted: Floats, right: Truths, bins: int
) -> tuple[float, float, list[tuple[float, float, int]]]:
    """Expected calibration error, its floor, and (mean predicted, share right, n) of each bin."""
    of = _of(predicted, bins)
    rows = []
    for index in range(bins):
        mine = of == index
        if mine.any():
            rows.append((float(predicted[mine].mean()), float(right[mine].mean()), int(mine.sum())))
    return _error(predicted, right, of, bins), error_floor(predicted, bins), rows


def calibration_error(predicted: Floats, right: Truths, bins: int = BINS) -> float:
    """Expected calibration error: mean gap between told and true, bins of equal width."""
    return _error(predicted, right, _of(predicted, bins), bins)


def error_floor(predicted: Floats, bins: int = BINS, draws: int = DRAWS) -> float:
    """Mean calibration error of a perfectly calibrated model with the same predictions.

    What each case comes to is drawn with the very probability that was told. With predictions
    spread evenly: 0.141 of 50 cases, 0.069 of 200, 0.032 of 1,000 and 0.014 of 5,000
    (facts: fusion 2.2).
    """
    of = _of(predicted, bins)
    random = np.random.default_rng(0)
    floors = [
        _error(predicted, random.uniform(size=len(predicted)) < predicted, of, bins)
        for _ in range(draws)
    ]
    return float(np.mean(floors))


def _check(predicted: Floats, right: Truths) -> None:
    if len(predicted) == 0 or predicted.shape != right.shape:
        raise ValueError(f"{predicted.shape} predictions of {right.shape} cases")
    if not ((predicted >= 0.0) & (predicted <= 1.0)).all():
        raise ValueError("a probability lies between 0 and 1")


def _of(predicted: Floats, bins: int) -> NDArray[np.int64]:
    return np.minimum((predicted * bins).astype(np.int64), bins - 1)


def _error(predicted: Floats, right: Truths, of: NDArray[np.int64], bins: int) -> float:
    apart = np.bincount(of, weights=right - predicted, minlength=bins)
    return float(np.abs(apart).sum() / len(predicted))
