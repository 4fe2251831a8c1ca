"""Nats to probabilities, with a table that adds up."""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fusion.policy import ScoringPolicy
from fusion.types import SECOND_NS, Contribution, Detection

Correlation = Callable[[str, str], float | None]
"""Of two sensors; None where it is not known."""


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
) -> Score:
    """Weigh detections, each with its pairing weight (1 where nothing is ambiguous).

    S_e = prior_e + sum_d w_d clip(nats * decay, -cap, +cap), p = softmax(S) with S_nothing = 0
    (facts: fusion 2.1). The weights of a group, what one family's sensors say, are those of n
    Gaussian sensors with that correlation matrix: R w = 1, which is w = 1/(1+(n-1) rho) where all
    are equal. Where correlations are known pair by pair, what speaks for an explanation and what
    speaks against it are weighed apart.

    correlation  of two sensors of a family; where it is None, or says so, the policy's
    """
    rows = [_prior(name, policy) for name in explanations]
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
    weights = _weights([d for d, _ in voices.values()], said, policy, correlation)
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


def _weights(
    voices: Sequence[Detection],
    said: Sequence[float],
    policy: ScoringPolicy,
    correlation: Correlation | None,
) -> list[float]:
    """How much each voice counts beside those that may only say the same."""
    weights = [1.0] * len(voices)
    for group in sorted({_group(voice) for voice in voices}):
        mine = [i for i, voice in enumerate(voices) if _group(voice) == group]
        rho = policy.group_rho.get(group, 0.0)
        if correlation is None:
            for i in mine:
                weights[i] = 1.0 / (1.0 + (len(mine) - 1) * rho)
            continue
        rhos = _rhos(voices, mine, rho, correlation)
        for side in (1.0, -1.0):
            same = [i for i in mine if side * said[i] > 0.0]
            for i, weight in _agreed(same, said, rhos).items():
                weights[i] = weight
    return weights


def _rhos(
    voices: Sequence[Detection], mine: Sequence[int], rho: float, correlation: Correlation
) -> dict[tuple[int, int], float]:
    """Of each pair, both ways round."""
    of_pairs = {}
    for i, j in itertools.combinations(mine, 2):
        known = correlation(voices[i].sensor_id, voices[j].sensor_id)
        of_pairs[i, j] = of_pairs[j, i] = rho if known is None else known
    return of_pairs


def _agreed(
    same: Sequence[int], said: Sequence[float], rhos: Mapping[tuple[int, int], float]
) -> dict[int, float]:
    """Weights of voices that say the same, one more loudly than another.

    Who is further away hears less and takes nothing from what is heard near by: voices whose part
    would make the sum smaller have none.
    """
    ranked = sorted(same, key=lambda i: (-abs(said[i]), i))
    best: dict[int, float] = {}
    most = 0.0
    rows: list[tuple[list[float], float]] = []
    known: set[float] = set()
    for count in range(1, len(ranked) + 1):
        known |= {rhos[ranked[count - 1], other] for other in ranked[: count - 1]}
        if len(known) <= 1:
            weights = [1.0 / (1.0 + (count - 1) * sum(known))] * count
        else:
            rows = rows or _eliminated(ranked, rhos)
            weights = _solved(rows, count)
        total = math.fsum(abs(said[i]) * w for i, w in zip(ranked, weights, strict=False))
        if total > most:
            best, most = dict(zip(ranked, weights, strict=False)), total
    return dict.fromkeys(ranked, 0.0) | best


def _eliminated(
    names: Sequence[int], of_pairs: Mapping[tuple[int, int], float]
) -> list[tuple[list[float], float]]:
    """R w = 1 with nothing left under the diagonal; R has ones on its diagonal.

    Of each row what stands from the diagonal on, and the right-hand side. The first rows and
    columns are those that the first names alone would have.
    """
    n = len(names)
    left = [[1.0 if i == j else of_pairs[i, j] for j in names] + [1.0] for i in names]
    rows = []
    for k in range(n):
        row = left[k]
        rows.append((row[:-1], row[-1]))
        for i in range(k + 1, n):
            factor = left[i][0] / row[0]
            left[i] = [a - factor * b for a, b in zip(left[i][1:], row[1:], strict=True)]
    return rows


def _solved(rows: Sequence[tuple[list[float], float]], count: int) -> list[float]:
    """w of the first `count` names alone, none less than 0."""
    found = [0.0] * count
    for k in reversed(range(count)):
        row, right = rows[k]
        rest = math.fsum(row[j - k] * found[j] for j in range(k + 1, count))
        found[k] = (right - rest) / row[0]
    return [max(weight, 0.0) for weight in found]


def _group(detection: Detection) -> str:
    return "fusion" if detection.sensor_id == "fusion" else detection.family.value
