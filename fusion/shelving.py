"""What operators asked not to be rung for: for a while, with a reason, and never a source.

A shelved alert is made, stored and sent as any other; it is told in the log, and says who asked.
"""

from dataclasses import dataclass
from typing import Literal

from fusion.handling_policy import HandlingPolicy
from fusion.types import SECOND_NS, Alert, Fact, Origin, ShelveSample

HOUR_NS = 3600 * SECOND_NS

Refusal = Literal["", "no-reason", "no-scope", "source", "over", "too-long", "too-many", "unknown"]
"""Why something cannot be shelved: without a reason, of everything at once, of a source, until a
time that has passed, for too long, beside too many others; or not shelved, so not to be ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelving:
    """One thing that is shelved."""

    event: str
    sensor_id: str
    place: str
    """Empty: of any."""
    by: str
    reason: str
    since_utc_ns: int
    until_utc_ns: int
    standing: bool = False
    """By the configuration, so of drills and of the real thing alike."""
    exercise: bool = False
    """By somebody in a drill, so of alerts of drills; else of real ones."""

    @property
    def scope(self) -> tuple[str, str, str]:
        """What of."""
        return self.event, self.sensor_id, self.place

    @property
    def key(self) -> tuple[str, str, str, bool, bool]:
        """There is one of each at a time."""
        return *self.scope, self.standing, self.exercise

    def covers(self, alert: Alert) -> bool:
        """Whether the alert is of what was shelved; of a sensor: of that one alone."""
        if not self.standing and alert.exercise != self.exercise:
            return False
        if self.event and alert.event != self.event:
            return False
        if self.place and self.place not in (alert.lane, alert.zone):
            return False
        return not self.sensor_id or _speakers(alert) == {self.sensor_id}

    def fact(self) -> Fact:
        """What an alert says of it."""
        return {"by": self.by, "reason": self.reason, "until_utc_ns": self.until_utc_ns}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelfEntry:
    """What has happened on the shelf, for the log."""

    what: Literal["shelved", "ended", "expired", "refused"]
    shelving: Shelving
    refusal: Refusal = ""


class Shelf:
    """Everything that is shelved now."""

    def __init__(self, policy: HandlingPolicy) -> None:
        self._policy = policy
        self._kept: dict[tuple[str, str, str, bool, bool], Shelving] = {}

    @property
    def kept(self) -> list[Shelving]:
        """Oldest first."""
        return list(self._kept.values())

    def take(self, sample: ShelveSample) -> ShelfEntry:
        """Shelve what is asked for, or end it where its time is the time of asking."""
        asked = Shelving(
            event=sample.event,
            sensor_id=sample.sensor_id,
            place=sample.place,
            by=sample.by,
            reason=sample.reason,
            since_utc_ns=sample.start_utc_ns,
            until_utc_ns=sample.until_utc_ns,
            standing=sample.standing,
            exercise=sample.origin is not Origin.SENSOR,
        )
        if sample.until_utc_ns == sample.start_utc_ns:
            ended = self._kept.pop(asked.key, None)
            if ended is None:
                return ShelfEntry(what="refused", shelving=asked, refusal="unknown")
            return ShelfEntry(what="ended", shelving=asked)
        refusal = self._refusal(asked)
        if refusal:
            return ShelfEntry(what="refused", shelving=asked, refusal=refusal)
        self._kept.pop(asked.key, None)
        self._kept[asked.key] = asked
        return ShelfEntry(what="shelved", shelving=asked)

    def expire(self, now_utc_ns: int) -> list[ShelfEntry]:
        """What has been shelved for as long as was asked."""
        over = [one for one in self._kept.values() if one.until_utc_ns <= now_utc_ns]
        for one in over:
            del self._kept[one.key]
        return [ShelfEntry(what="expired", shelving=one) for one in over]

    def over(self, alert: Alert) -> Shelving | None:
        """What the alert is shelved by; None: it is told as it is."""
        policy = self._policy
        if alert.event in policy.never_shelved or alert.level > policy.shelve_max_level:
            return None
        return next((one for one in self._kept.values() if one.covers(alert)), None)

    def _refusal(self, asked: Shelving) -> Refusal:
        policy = self._policy
        longest_h = policy.inhibit_max_days * 24 if asked.standing else policy.shelve_max_h
        lasts_ns = asked.until_utc_ns - asked.since_utc_ns
        # A drill never takes the place of what is shelved in earnest.
        like = sum(one.exercise is asked.exercise for one in self._kept.values())
        checks: tuple[tuple[Refusal, bool], ...] = (
            ("no-reason", not asked.reason.strip()),
            ("no-scope", not any(asked.scope)),
            ("source", asked.event in policy.never_shelved),
            ("over", lasts_ns < 0),
            ("too-long", lasts_ns > longest_h * HOUR_NS),
            ("too-many", like >= policy.shelve_max_entries and asked.key not in self._kept),
        )
        return next((why for why, holds in checks if holds), "")


def _speakers(alert: Alert) -> set[str]:
    """The sensors that speak for what the alert says."""
    said = alert.facts.get("explanation")
    return {
        row.source
        for row in alert.contributions
        if row.source != "prior" and row.nats > 0.0 and row.explanation == said
    }
