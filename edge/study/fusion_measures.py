"""What hours of alerts amount to: detection, alarms an hour, precision, time to alert, causes."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from edge.study.fusion_hours import Hour
from edge.study.fusion_told import DEVICES, Rung
from edge.study.fusion_truth import Happening, Joiner, Kind
from edge.study.intervals import proportion
from fusion.types import Event

HOUR_S = 3600.0
WARNING, ADVISORY = 3, 2
NOBODY = "nothing was there"


class Ring(NamedTuple):
    """An alert when it first was so loud."""

    event: Event
    why: str
    of: Happening | None

    @property
    def is_nuisance(self) -> bool:
        """Whether it was of nothing that anybody need know of, or called what it is not."""
        return self.of is None or self.of.kind is Kind.LAWFUL or not self.of.is_fit(self.event)

    @property
    def cause(self) -> str:
        """What was there, and what it was called."""
        name = NOBODY if self.of is None else self.of.name
        why = f" ({self.why})" if self.of is None or self.event in DEVICES else ""
        return f"{name} told as {self.event}{why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One alert: how loud it was and what it was of."""

    level: int
    """The highest, by itself: floods are not folded here, neither for what is found nor for what
    rings, since threats come more often in a pack than on any day."""
    rings: Mapping[int, Ring]
    """By level, up to its highest: what it was of when it first was as loud as that."""
    probability: float
    """At its highest level."""
    fits: bool
    """Whether its event, at its highest level, was right of what it was of then."""
    direction: str
    is_group: bool

    def is_nuisance(self, level: int) -> bool:
        """Whether it rang at that level for nothing that anybody need know of."""
        return not self.is_group and level in self.rings and self.rings[level].is_nuisance


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One threat: whether, how loudly and when it was told."""

    of: Happening
    level: int
    """The highest at which it was told as what it is; 0: not at all."""
    any_level: int
    """The same, told as whatever."""
    told_s: float | None
    """At level 3, or at the highest that there was."""
    since_evidence_s: float | None
    since_start_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Hours of one system."""

    hours: float
    outcomes: tuple[Outcome, ...]
    verdicts: tuple[Verdict, ...]

    def going(self, direction: str) -> "Tally":
        """Only what goes one way."""
        return Tally(
            hours=self.hours,
            outcomes=tuple(one for one in self.outcomes if one.of.direction == direction),
            verdicts=tuple(one for one in self.verdicts if one.direction == direction),
        )

    def found(
        self, level: int, which: Callable[[Happening], bool] = lambda one: True
    ) -> tuple[int, int]:
        """(told at that level or above, of so many) of the threats that are asked for."""
        mine = [one for one in self.outcomes if which(one.of)]
        return sum(one.level >= level for one in mine), len(mine)

    def rings(self, level: int) -> int:
        """Alerts of that level or above, were none folded into a group."""
        return sum(one.level >= level and not one.is_group for one in self.verdicts)

    def precise(self, level: int) -> tuple[int, int]:
        """(of something that had to be told, all) alerts of that level or above."""
        loud = [one for one in self.verdicts if one.level >= level and not one.is_group]
        return sum(not one.is_nuisance(level) for one in loud), len(loud)

    def of_threats(self, level: int) -> int:
        """Alerts of that level or above that were of a threat, or its accomplice, and said so."""
        loud = [one for one in self.verdicts if level in one.rings and not one.is_group]
        of = [one.rings[level].of for one in loud if not one.is_nuisance(level)]
        return sum(one is not None and one.is_of_threat for one in of)

    def nuisances(self, level: int) -> Counter[str]:
        """Alerts of that level or above by their cause, where it was a lawful one."""
        return Counter(one.rings[level].cause for one in self.verdicts if one.is_nuisance(level))

    def waits_s(self) -> tuple[list[float], list[float]]:
        """Of what was told at level 3: seconds since the first evidence, and since it began."""
        told = [one for one in self.outcomes if one.level >= WARNING]
        return (
            [one.since_evidence_s for one in told if one.since_evidence_s is not None],
            [one.since_start_s for one in told if one.since_start_s is not None],
        )

    @property
    def threats(self) -> tuple[str, ...]:
        """Strata that there were, by name."""
        return tuple(sorted({one.of.name for one in self.outcomes}))

    @property
    def events(self) -> tuple[Event, ...]:
        """Events that threats are counted under."""
        return tuple(sorted({one.of.event for one in self.outcomes if one.of.event is not None}))


def tally(hours: Sequence[Hour], way: str) -> Tally:
    """What one system made of all hours that it was given."""
    outcomes: list[Outcome] = []
    verdicts: list[Verdict] = []
    mine = [one for one in hours if way in one.ways]
    for one in mine:
        judged, told = _judged(one, one.ways[way].rungs)
        outcomes += judged
        verdicts += told
    return Tally(
        hours=sum(one.duration_s for one in mine) / HOUR_S,
        outcomes=tuple(outcomes),
        verdicts=tuple(verdicts),
    )


def found_by(found: Sequence[Happening], told: Iterable[Rung]) -> dict[int, int]:
    """The level at which each threat was told as what it is, by its index."""
    joiner = Joiner(found)
    levels: dict[int, int] = {}
    for rung in told:
        of = None if rung.is_group else _of(joiner, rung)
        if of is not None and of.kind is Kind.THREAT and of.is_fit(rung.event):
            levels[of.index] = max(levels.get(of.index, 0), rung.own_level)
    return levels


def _judged(hour: Hour, rungs: Iterable[Rung]) -> tuple[list[Outcome], list[Verdict]]:
    joiner = Joiner(hour.found)
    by_alert: dict[str, list[tuple[Rung, Happening | None]]] = {}
    for rung in rungs:
        of = None if rung.is_group else _of(joiner, rung)
        by_alert.setdefault(rung.alert_id, []).append((rung, of))
    told: dict[int, list[Rung]] = {}
    for revisions in by_alert.values():
        for rung, of in revisions:
            if of is not None and of.kind is Kind.THREAT:
                told.setdefault(of.index, []).append(rung)
    outcomes = [
        _outcome(hour, one, told.get(one.index, []))
        for one in hour.found
        if one.kind is Kind.THREAT
    ]
    return outcomes, [_verdict(revisions, hour.directions) for revisions in by_alert.values()]


def _of(joiner: Joiner, rung: Rung) -> Happening | None:
    return joiner.of(rung.place, rung.first_s, rung.last_s, (rung.event,))


def _verdict(
    revisions: Sequence[tuple[Rung, Happening | None]], directions: Mapping[str, str]
) -> Verdict:
    """What goes on after it rang may be of something else: the ring is judged."""
    rings: dict[int, Ring] = {}
    for rung, of in revisions:
        for level in range(1, rung.own_level + 1):
            rings.setdefault(level, Ring(rung.event, rung.why, of))
    loudest, of = max(revisions, key=lambda pair: (pair[0].own_level, pair[0].probability))
    return Verdict(
        level=loudest.own_level,
        rings=rings,
        probability=loudest.probability,
        fits=of is not None and of.kind is not Kind.LAWFUL and of.is_fit(loudest.event),
        direction=directions.get(loudest.place, ""),
        is_group=loudest.is_group,
    )


def _outcome(hour: Hour, one: Happening, rungs: Sequence[Rung]) -> Outcome:
    right = [rung for rung in rungs if one.is_fit(rung.event)]
    level = max((rung.own_level for rung in right), default=0)
    loud = [rung.told_s for rung in right if rung.own_level >= min(level, WARNING)]
    told_s = min(loud, default=None)
    first_s = hour.first_evidence_s.get(one.index)
    return Outcome(
        of=one,
        level=level,
        any_level=max((rung.own_level for rung in rungs), default=0),
        told_s=told_s,
        since_evidence_s=None if told_s is None or first_s is None else told_s - first_s,
        since_start_s=None if told_s is None else told_s - one.spans_s[0][0],
    )


def share(hits: int, of: int) -> tuple[float, tuple[float, float]]:
    """A proportion with its 95 % interval; of nothing, nothing is known."""
    return (hits / of, proportion(hits, of)) if of else (0.0, (0.0, 1.0))
