"""How likely each explanation is before anything is measured: here, and at this hour."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from fusion.scoring_policy import HOURS, ScoringPolicy
from fusion.types import SECOND_NS, Contribution, Fact

LAWFUL = ("norm", "medical", "legal-source", "animal", "aircraft", "weather", "machinery")
"""What may be learned from what came by. How rare a threat has been says nothing of the next."""
HOUR_S = 3600
NO_FACTS: Mapping[str, Fact] = {}
MOST_OFFSET_NATS = 2.0  # of a learned rate: a lane of nothing but granite stays a lane


class Onset(NamedTuple):
    """Where and when an incident began."""

    place: str
    """Id of its lane or zone."""
    utc_ns: int


def prior_nats(name: str, at: Onset | None, policy: ScoringPolicy) -> float:
    """Nats of an explanation against `nothing` before anything is measured there and then.

    at  None: anywhere, at any time. KeyError: no such explanation.
    """
    base = policy.priors_nats[name]
    if at is None or not (policy.place_priors_nats or policy.hour_priors_nats):
        return base
    hour = hour_of(at.utc_ns, policy.site_utc_offset_h)
    return math.fsum((base, _of_place(name, at, policy), _of_hour(name, hour, policy)))


def prior(name: str, at: Onset | None, policy: ScoringPolicy) -> Contribution:
    """The prior as a row of the table; its facts name what was added to the base, and for what."""
    return Contribution(
        source="prior",
        kind="prior",
        explanation=name,
        nats=prior_nats(name, at, policy),
        age_s=0.0,
        capped=False,
        facts=_added(name, at, policy) if at is not None else NO_FACTS,
    )


def hour_of(utc_ns: int, utc_offset_h: float) -> int:
    """The hour of the site's day, 0 to 23."""
    return (utc_ns // SECOND_NS + round(utc_offset_h * HOUR_S)) // HOUR_S % HOURS


def rate_offset_nats(count: int, expected: float) -> float:
    """What a lane's or an hour's own count adds to the prior of an explanation.

    count     how often it was true there
    expected  how often it would have been at the rate of all lanes and hours

    ln of the posterior mean of a Poisson rate over the common one, with a Gamma prior that is worth
    one expected count: where little was seen little is learned. Bounded by MOST_OFFSET_NATS.
    ValueError: a count or an expectation below 0.
    """
    if count < 0 or expected < 0.0:
        raise ValueError(f"a count of {count} of {expected} expected")
    learned = math.log((count + 1.0) / (expected + 1.0))
    return max(-MOST_OFFSET_NATS, min(MOST_OFFSET_NATS, learned))


def _of_place(name: str, at: Onset, policy: ScoringPolicy) -> float:
    return policy.place_priors_nats.get(at.place, {}).get(name, 0.0)


def _of_hour(name: str, hour: int, policy: ScoringPolicy) -> float:
    by_hour = policy.hour_priors_nats.get(name)
    return 0.0 if by_hour is None else by_hour[hour]


def _added(name: str, at: Onset, policy: ScoringPolicy) -> Mapping[str, Fact]:
    facts: dict[str, Fact] = {}
    if place_nats := _of_place(name, at, policy):
        facts |= {"place": at.place, "place_nats": place_nats}
    hour = hour_of(at.utc_ns, policy.site_utc_offset_h)
    if hour_nats := _of_hour(name, hour, policy):
        facts |= {"hour": hour, "hour_nats": hour_nats}
    return {"base_nats": policy.priors_nats[name], **facts} if facts else NO_FACTS
