"""Nats to probabilities, with a table that adds up."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fusion.policy import ScoringPolicy
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
) -> Score:
    """Weigh detections, each with its pairing weight (1 where nothing is ambiguous).

    S_e = prior_e + sum_g w_g sum_d clip(nats * decay, -cap, +cap), p = softmax(S) with
    S_nothing = 0 (facts: fusion 2.1; the group weight 1/(1+(n-1) rho) is the optimum of the
    equal-correlation Gaussian case).
    """
    rows = [_prior(name, policy) for name in explanations]
    for name in explanations:
        rows.extend(_rows(name, detections, now_utc_ns, policy))
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


def _prior(explanation: str, policy: ScoringPolicy) -> Contribution:
    return Contribution(
        source="prior",
        kind="prior",
        explanation=explanation,
        nats=policy.priors_nats[explanation],
        age_s=0.0,
        capped=False,
        facts={},
    )


def _rows(
    explanation: str,
    detections: Iterable[tuple[Detection, float]],
    now_utc_ns: int,
    policy: ScoringPolicy,
) -> list[Contribution]:
    # One sensor's tests of one kind are one voice: of five dense regions only the strongest speaks.
    voices: dict[tuple[str, str], tuple[Detection, float]] = {}
    for detection, pairing in detections:
        nats = detection.nats.get(explanation, 0.0)
        voice = (detection.sensor_id, detection.kind)
        if nats != 0.0 and (voice not in voices or nats > voices[voice][0].nats[explanation]):
            voices[voice] = (detection, pairing)
    groups = Counter(_group(detection) for detection, _ in voices.values())
    rows = []
    for detection, pairing in voices.values():
        group = _group(detection)
        rho = policy.group_rho.get(group, 0.0)
        weight = pairing / (1.0 + (groups[group] - 1) * rho)
        age_s = max(0, now_utc_ns - detection.end_utc_ns) / SECOND_NS
        decay_s = policy.decay_s.get(detection.kind)
        raw = detection.nats[explanation] * (math.exp(-age_s / decay_s) if decay_s else 1.0)
        cap = policy.caps_nats[detection.kind]
        rows.append(
            Contribution(
                source=detection.sensor_id,
                kind=detection.kind,
                explanation=explanation,
                nats=weight * max(-cap, min(cap, raw)),
                age_s=round(age_s, 3),
                capped=abs(raw) > cap,
                facts=detection.facts,
            )
        )
    return rows


def _group(detection: Detection) -> str:
    return "fusion" if detection.sensor_id == "fusion" else detection.family.value
