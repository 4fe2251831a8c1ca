"""Probabilities to the one event that an operator is told."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from fusion.alarm_policy import AlarmPolicy
from fusion.questions import EVENTS, KINDRED
from fusion.score import Score
from fusion.types import Event, Level


class Verdict(NamedTuple):
    """What a question's answer asks of the operator."""

    event: Event
    level: Level | None
    """None: not worth a word."""
    probability: float
    """Of the event, with all explanations that are the same to the operator."""


def verdict(
    result: Score, policy: AlarmPolicy, *, forced: Event | None = None, said: Event | None = None
) -> Verdict:
    """The event that asks most of the operator; among equals the most probable.

    forced  the event whatever explains it: all but `nothing` is its probability
    said    what the incident was told as
    """
    by_event: dict[Event, float] = {}
    for name, probability in result.explanations:
        if name in EVENTS:
            by_event[EVENTS[name]] = by_event.get(EVENTS[name], 0.0) + probability
    for kin in KINDRED:
        whole = sum(by_event.get(event, 0.0) for event in kin)
        if whole > 0.0:
            shares = {event: by_event.get(event, 0.0) for event in kin}
            named = _named(shares, said, policy.deadband_nats)
            by_event = {e: p for e, p in by_event.items() if e not in kin} | {named: whole}
    if forced is not None:
        by_event = {forced: 1.0 - dict(result.explanations)["nothing"]}
    levels = {event: policy.level_above(event, p) for event, p in by_event.items()}
    event = max(by_event, key=lambda e: (levels[e] or 0, by_event[e]))
    return Verdict(event, levels[event], by_event[event])


def _named(kin: Mapping[Event, float], said: Event | None, most_nats: float) -> Event:
    """The most probable, or what was said, unless by more than a deadband less probable."""
    named = max(kin, key=kin.__getitem__)
    if said is None or said not in kin or kin[said] * math.exp(most_nats) < kin[named]:
        return named
    return said
