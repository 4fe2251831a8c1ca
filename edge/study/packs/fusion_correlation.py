"""`fusion-correlation`: false alarms of correlated sensors at a nominal rate.

n sensors hear the same gusts. What each says is the log-likelihood ratio of its own Gaussian; the
line is where the sum should stand for the nominal rate if the weights were right. A sum that takes
correlated sensors for independent ones passes it many times as often (facts: fusion 2.1). The very
`fusion.score.score` adds up, without caps and decay, which would hide it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from edge.study.figures import Figure
from edge.study.intervals import proportion
from edge.study.packs import Settings
from fusion.groups import Correlation
from fusion.policy import Policy, ScoringPolicy
from fusion.score import score
from fusion.types import Detection, Family, Origin

DRAWS = 1_000_000
SENSORS, SHIFT, NOMINAL = 3, 1.5, 1e-3
RHOS = (0.0, 0.3, 0.5)
AT = 0.5  # the correlation that the project has set a goal for
WITHIN = 0.2
KIND, EXPLANATION = "seismic.event", "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One way to add up what correlated sensors say."""

    name: str
    assumed: float
    """The correlation that it takes them to have."""
    by_pairs: bool = False
    """It knows where they stand, as tracks over ground do."""


def measure(settings: Settings) -> list[Figure]:
    """Each rule at each correlation."""
    draws = settings.number or DRAWS
    figures = []
    for index, rho in enumerate(RHOS):
        said = drawn(np.random.default_rng([settings.crossing_seed, index]), draws, rho)
        rules = [Rule(name="as Garita weighs a family", assumed=rho)]
        rules.append(Rule(name="as it weighs known places", assumed=rho, by_pairs=True))
        rules.append(Rule(name="the naive sum", assumed=0.0))
        for rule in rules:
            settings.say(f"rho = {rho:g}, {rule.name}: {draws:,} draws")
            figures.append(_figure(said, rho, rule))
    return figures


def drawn(random: np.random.Generator, draws: int, rho: float) -> NDArray[np.float64]:
    """(draws, sensors) nats of each sensor where there is nothing but what all of them hear."""
    common = random.standard_normal((draws, 1))
    own = random.standard_normal((draws, SENSORS))
    heard = math.sqrt(rho) * common + math.sqrt(1.0 - rho) * own
    nats: NDArray[np.float64] = SHIFT * heard - SHIFT**2 / 2
    return nats


def false_alarms(said: NDArray[np.float64], rule: Rule) -> int:
    """How often the sum stands above the rule's own nominal line."""
    policy = _policy(rule.assumed)
    line = nominal_line(rule.assumed) + policy.priors_nats[EXPLANATION]
    correlation: Correlation | None = (lambda one, other: rule.assumed) if rule.by_pairs else None
    # No weight is more than 1: what speaks for it at its full weight bounds the sum.
    most = policy.priors_nats[EXPLANATION] + np.maximum(said, 0.0).sum(axis=1)
    return sum(
        score(_detections(row), (EXPLANATION,), 0, policy, correlation).nats[EXPLANATION] >= line
        for row in said[most >= line].tolist()
    )


def nominal_line(assumed: float) -> float:
    """Of the sum, were that the sensors' correlation: normal, its mean minus half its variance."""
    variance = SENSORS * SHIFT**2 / (1.0 + (SENSORS - 1) * assumed)
    return math.sqrt(variance) * NormalDist().inv_cdf(1.0 - NOMINAL) - variance / 2.0


def _figure(said: NDArray[np.float64], rho: float, rule: Rule) -> Figure:
    alarms = false_alarms(said, rule)
    low, high = (bound / NOMINAL for bound in proportion(alarms, len(said)))
    value = alarms / len(said) / NOMINAL
    has_goal = rho == AT and rule.assumed == rho
    return Figure(
        name=f"rho = {rho:g}: false alarms {rule.name}, times nominal",
        value=value,
        unit="",
        goal=f"{1 - WITHIN:g} to {1 + WITHIN:g}" if has_goal else "",
        reached=abs(value - 1.0) <= WITHIN if has_goal else None,
        how=f"{alarms} of {len(said):,} draws of {SENSORS} sensors, d' {SHIFT:g}, nominal "
        f"{NOMINAL:g}",
        interval=(low, high),
    )


def _policy(rho: float) -> ScoringPolicy:
    known = Policy().scoring
    family = Family.SEISMIC.value
    return replace(
        known,
        caps_nats={**known.caps_nats, KIND: math.inf},
        decay_s={},
        group_rho={**known.group_rho, family: rho},
    )


def _detections(row: Sequence[float]) -> list[tuple[Detection, float]]:
    return [
        (
            Detection(
                sensor_id=f"geo-{number}",
                family=Family.SEISMIC,
                origin=Origin.SIMULATOR,
                kind=KIND,
                start_utc_ns=0,
                end_utc_ns=0,
                facts={},
                nats={EXPLANATION: nats},
            ),
            1.0,
        )
        for number, nats in enumerate(row)
    ]
