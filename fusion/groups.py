"""How much voices count beside others that may only say the same: correlated sensors."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

from fusion.scoring_policy import ScoringPolicy
from fusion.types import Detection

CHOICE_NATS, CHOICE_SHARE = 0.7, 3.0
"""What leaving out voices that say the same more quietly costs: so many times what they say, and
no more than so many nats. Were it free, whoever is loudest by chance would be believed alone."""

Correlation = Callable[[str, str], float | None]
"""Of two sensors; None where it is not known."""


def shared_weights(
    voices: Sequence[Detection],
    said: Sequence[float],
    policy: ScoringPolicy,
    correlation: Correlation | None,
) -> list[float]:
    """How much each voice counts beside those that may only say the same."""
    weights = [1.0] * len(voices)
    for group in sorted({group_of(voice) for voice in voices}):
        mine = [i for i, voice in enumerate(voices) if group_of(voice) == group]
        rhos = {
            (i, j): correlation_of(voices[i], voices[j], policy, correlation)
            for i, j in itertools.permutations(mine, 2)
        }
        if correlation is None:
            found = dict(zip(mine, _together(mine, rhos), strict=True))
        else:
            found = {}
            for side in (1.0, -1.0):
                found |= _agreed([i for i in mine if side * said[i] > 0.0], said, rhos)
        for i, weight in found.items():
            weights[i] = weight
    return weights


def group_of(detection: Detection) -> str:
    """With which it shares a trigger."""
    return "fusion" if detection.sensor_id == "fusion" else detection.family.value


def correlation_of(
    one: Detection, other: Detection, policy: ScoringPolicy, correlation: Correlation | None
) -> float:
    """Of two voices of a group: of their sensors where that is known, else of their kinds."""
    known = None if correlation is None else correlation(one.sensor_id, other.sensor_id)
    return policy.rho_of(group_of(one), one.kind, other.kind) if known is None else known


def _together(names: Sequence[int], rhos: Mapping[tuple[int, int], float]) -> list[float]:
    """R w = 1 of all of them, whatever they say."""
    known = set(rhos.values())
    if len(known) <= 1:
        return [1.0 / (1.0 + (len(names) - 1) * sum(known))] * len(names)
    return _solved(_eliminated(names, rhos), len(names))


def _agreed(
    same: Sequence[int], said: Sequence[float], rhos: Mapping[tuple[int, int], float]
) -> dict[int, float]:
    """Weights of voices that say the same, one more loudly than another.

    Who is further away hears less: where the louder say more without the quietest, these have no
    part. Who hears next to nothing takes next to nothing from what is heard near by.

    Nobody may take nothing at all: three sensors at 0.5 whose sum is never less than the loudest
    voice ring at 1.48 times the nominal rate at least, and best of all sets for nothing at 1.94. At
    this cost it is 1.16 (1.23 at 0.3, 1.05 at 0.7), and all voices of a side together 1.06, which
    takes most from who is near (d' 1.5, nominal 1e-3, 1,000,000 draws).
    """
    ranked = sorted(same, key=lambda i: (-abs(said[i]), i))
    best: dict[int, float] = {}
    most = 0.0
    quieter = math.fsum(abs(said[i]) for i in ranked)
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
        quieter = quieter - abs(said[ranked[count - 1]]) if count < len(ranked) else 0.0
        left = total - min(CHOICE_NATS, CHOICE_SHARE * quieter)
        if left > most:
            share = left / total
            best, most = {i: w * share for i, w in zip(ranked, weights, strict=False)}, left
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
