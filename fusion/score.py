"""Nats to probabilities, with a table that adds up."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fusion.groups import Correlation, shared_weights
from fusion.priors import Onset, prior
from fusion.scoring_policy import ScoringPolicy
from fusion.types import SECOND_NS, Contribution, Detection


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The competing explanations of one question."""

    explanations: tuple[tuple[str, float], ...]
    """(name, probability), most probable first, `nothing` among them; they add to 1."""
    nats: Mapping[str, float]
    """Prior plus contributions of each explanation, against `nothing`."""
    contributions: tuple[Contribution, ...]
    """Strongest first; those of one explanation, its prior among them, add to its nats."""

    @property
    def best(self) -> tuple[str, float]:
        """The most probable explanation other than `nothing`."""
        return next(pair for pair in self.explanations if pair[0] != "nothing")


def score(
    detections: Sequence[tuple[Detection, float]],
    explanations: Sequence[str],
    now_utc_ns: int,
    policy: ScoringPolicy,
    correlation: Correlation | None = None,
    *,
    at: Onset | None = None,
) -> Score:
    """Weigh detections, each with its pairing weight (1 where nothing is ambiguous).

    S_e = prior_e + sum_d w_d clip(nats * decay, -cap, +cap), p = softmax(S) with S_nothing = 0
    (facts: fusion 2.1). The weights of a group, what one family's sensors say, are those of n
    Gaussian sensors with that correlation matrix: R w = 1, which is w = 1/(1+(n-1) rho) where all
    are equal. Where correlations are known pair by pair, what speaks for an explanation and what
    speaks against it are weighed apart.

    Decay is additive so that the table adds up. Of something that comes and goes by chance the
    exact form is p <- pi + (p - pi) exp(-(a+b) dt) (facts: fusion 2.1). With the policy's constants
    one voice at its cap is never off by more than 0.12 in probability, and any number of them until
    their track is forgotten, 45 s after it was heard last, by no more than 1 - exp(-45/120) = 0.32.

    correlation  of two sensors of a family; where it is None, or says so, the policy's
    at           where and when the incident began, for the priors of lanes and hours
    """
    rows = [prior(name, at, policy) for name in explanations]
    for name in explanations:
        rows.extend(_rows(name, detections, now_utc_ns, policy, correlation))
    nats = {
        name: math.fsum(row.nats for row in rows if row.explanation == name)
        for name in explanations
    }
    top = max(0.0, *nats.values())
    weights = {"nothing": math.exp(-top)} | {n: math.exp(s - top) for n, s in nats.items()}
    total = math.fsum(weights.values())
    ranked = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))
    return Score(
        explanations=tuple((name, weight / total) for name, weight in ranked),
        nats=nats,
        contributions=tuple(sorted(rows, key=lambda r: (-abs(r.nats), r.source, r.kind))),
    )


def _rows(
    explanation: str,
    detections: Iterable[tuple[Detection, float]],
    now_utc_ns: int,
    policy: ScoringPolicy,
    correlation: Correlation | None,
) -> list[Contribution]:
    # One sensor's tests of one kind are one voice: of five dense regions only the strongest speaks.
    voices: dict[tuple[str, str], tuple[Detection, float]] = {}
    for detection, pairing in detections:
        if detection.nats.get(explanation, 0.0) == 0.0:
            continue
        voice = (detection.sensor_id, detection.kind)
        known = voices.get(voice)
        if known is None or _loud(detection, explanation) > _loud(known[0], explanation):
            voices[voice] = (detection, pairing)
    said = [_said(explanation, detection, now_utc_ns, policy) for detection, _ in voices.values()]
    weights = shared_weights([d for d, _ in voices.values()], said, policy, correlation)
    rows = []
    for (detection, pairing), nats, shared in zip(voices.values(), said, weights, strict=True):
        rows.append(
            Contribution(
                source=detection.sensor_id,
                kind=detection.kind,
                explanation=explanation,
                nats=pairing * shared * nats,
                age_s=round(max(0, now_utc_ns - detection.end_utc_ns) / SECOND_NS, 3),
                capped=abs(detection.nats[explanation]) > policy.caps_nats[detection.kind],
                facts=detection.facts,
            )
        )
    return rows


def _loud(detection: Detection, explanation: str) -> tuple[float, float]:
    """What it says for an explanation, and, where two say as much, for all of them."""
    return detection.nats[explanation], math.fsum(detection.nats.values())


def _said(explanation: str, detection: Detection, now_utc_ns: int, policy: ScoringPolicy) -> float:
    """What it says now: older words fade, and no one voice says more than its cap."""
    age_s = max(0, now_utc_ns - detection.end_utc_ns) / SECOND_NS
    decay_s = policy.decay_s.get(detection.kind)
    raw = detection.nats[explanation] * (math.exp(-age_s / decay_s) if decay_s else 1.0)
    cap = policy.caps_nats[detection.kind]
    return max(-cap, min(cap, raw))
