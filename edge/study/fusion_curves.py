"""Every way at every threshold: how many threats it misses for how many nuisances.

Sensors alone ring for what one of them says; any-of rings when any does, 2-of-3 when a second one
of the same thing does. To those two the labels tell which sensors heard the same thing, and of one
thing that is nobody's business each way rings once: both are kinder than a field is.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from edge.study.fusion_hours import Hour
from edge.study.fusion_measures import HOUR_S
from edge.study.fusion_told import THREATS, Heard
from edge.study.fusion_truth import Happening, Joiner, Kind
from fusion.questions import EVENTS, QUESTIONS
from fusion.types import Event, Family

APART_S = 30.0  # what rings again within it is one alert, for an operator who stands there
OF_FAMILIES: Mapping[Family, frozenset[Event]] = {
    Family.RADIATION: frozenset({Event.RAD_THREAT, Event.SHIELDED_SOURCE}),
    Family.XRAY: frozenset({Event.CARGO_ANOMALY, Event.CARGO_MISMATCH, Event.SHIELDED_SOURCE}),
    Family.SEISMIC: frozenset(
        {
            Event.PERSON,
            Event.GROUP,
            Event.DROP_OFF,
            Event.DIGGING,
            Event.VEHICLE_OFF_LANE,
            Event.PORTAL_BYPASS,
            Event.AIRCRAFT_LOW,
        }
    ),
}
"""What each family can be rung for."""


class Scored(NamedTuple):
    """Something that a way could ring for, and how surely."""

    source: str
    place: str
    first_s: float
    last_s: float
    told_s: float
    score: float
    events: frozenset[Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Scores of one way over some hours."""

    name: str
    hours: float
    lawful: int
    """Lawful things that there were to ring for."""
    threats: tuple[float, ...]
    """The highest score of each threat, -inf where it was never heard; in order."""
    nuisances: tuple[float, ...]
    """The highest score of each lawful thing that was heard; in order."""

    def detection(self, line: float) -> float:
        """Share of threats with at least that score."""
        return _above(self.threats, line) / len(self.threats) if self.threats else 0.0

    def rung_for(self, line: float) -> int:
        """Lawful things with at least that score."""
        return _above(self.nuisances, line)

    @property
    def most(self) -> float:
        """The share of threats that it can find at all."""
        return self.detection(-math.inf if not self.threats else -1e300)

    def line_for(self, detection: float) -> float:
        """The highest threshold at which it finds at least that share."""
        wanted = math.ceil(detection * len(self.threats) - 1e-9)
        return self.threats[-wanted] if wanted > 0 else math.inf


def _above(ranked: Sequence[float], line: float) -> int:
    return len(ranked) - bisect_left(ranked, line)


def curve(
    name: str,
    hours: Sequence[Hour],
    scored: Callable[[Hour], Iterable[Scored]],
    asked: Callable[[Happening], bool] = lambda one: True,
    *,
    voices: int = 1,
) -> Curve:
    """Of one way.

    asked   which threats count; others are neither found nor a nuisance
    voices  so many sources must have said so: the score is that of the last of them
    """
    threats: list[float] = []
    nuisances: list[float] = []
    for one in hours:
        by_thing = _by_thing(one, scored(one))
        for happening in one.found:
            said = _score(by_thing.pop(str(happening.index), ()), voices)
            if happening.kind is Kind.THREAT and asked(happening):
                threats.append(said)
            elif happening.kind is Kind.LAWFUL and said > -math.inf:
                nuisances.append(said)
        rest = (_score(found, voices) for found in by_thing.values())
        nuisances += [said for said in rest if said > -math.inf]
    return Curve(
        name=name,
        hours=sum(one.duration_s for one in hours) / HOUR_S,
        lawful=sum(each.kind is Kind.LAWFUL for one in hours for each in one.found),
        threats=tuple(sorted(threats)),
        nuisances=tuple(sorted(nuisances)),
    )


def _by_thing(hour: Hour, scored: Iterable[Scored]) -> dict[str, list[Scored]]:
    """By the index of what it is of; what is of nothing by place and time."""
    joiner = Joiner(hour.found)
    by_thing: dict[str, list[Scored]] = {}
    loose: list[Scored] = []
    for one in scored:
        of = joiner.of(one.place, one.first_s, one.last_s, sorted(one.events))
        if of is None:
            loose.append(one)
        elif of.kind is Kind.LAWFUL or any(of.is_fit(event) for event in one.events):
            by_thing.setdefault(str(of.index), []).append(one)
    loose.sort(key=lambda one: (one.place, one.first_s))
    for place, rows in groupby(loose, key=lambda one: one.place):
        until_s, number = -math.inf, 0
        for one in rows:
            number += one.first_s > until_s + APART_S
            until_s = max(until_s, one.last_s)
            by_thing.setdefault(f"{place}/{number}", []).append(one)
    return by_thing


def _score(found: Iterable[Scored], voices: int) -> float:
    """Of the source that is the last of so many, the loudest first."""
    loudest: dict[str, float] = {}
    for one in found:
        loudest[one.source] = max(loudest.get(one.source, -math.inf), one.score)
    ranked = sorted(loudest.values(), reverse=True)
    return ranked[voices - 1] if len(ranked) >= voices else -math.inf


def of_sensors(
    families: Iterable[Family], score: Callable[[Heard], float]
) -> Callable[[Hour], Iterable[Scored]]:
    """What sensors of these families said, each by itself."""
    mine = frozenset(families)

    def scored(hour: Hour) -> Iterable[Scored]:
        return (
            Scored(
                one.sensor,
                one.place,
                one.first_s,
                one.last_s,
                one.told_s,
                score(one),
                OF_FAMILIES[one.family],
            )
            for one in hour.heard
            if one.family in mine and score(one) > -math.inf
        )

    return scored


def of_beliefs(
    way: str, events: frozenset[Event] | None = None
) -> Callable[[Hour], Iterable[Scored]]:
    """What a way of fusing believed of every incident, told or not.

    events  only questions that one of them would answer; None: all
    """
    of_questions = {
        question: frozenset(EVENTS[name] for name in names if name in THREATS)
        for question, names in QUESTIONS.items()
    }

    def scored(hour: Hour) -> Iterable[Scored]:
        for one in hour.ways[way].asked:
            mine = of_questions[one.question]
            if events is None or mine & events:
                yield Scored(
                    one.question,
                    one.place,
                    one.first_s,
                    one.last_s,
                    one.told_s,
                    one.odds_nats,
                    mine,
                )

    return scored


def odds(one: Heard) -> float:
    """By what the sensor's calibrated tests say."""
    return one.odds_nats


def measure(one: Heard) -> float:
    """By what the field thresholds: sigma, contrast, loudness."""
    return one.measure
