"""The life of an alert: new, update, clear; deadband and delays.

A `Claim` is what the engine believes of one question about one incident right now. The book
turns a run of claims into as few alerts as tell the story (facts: fusion 2.3).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fusion.alarm_policy import AlarmPolicy
from fusion.types import (
    MILLISECOND_NS,
    SECOND_NS,
    Alert,
    Contribution,
    Event,
    Fact,
    Level,
    Phase,
    Record,
)

MAX_REMEMBERED = 1_000  # an incident lives for minutes; a busy day has a few hundred alerts
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What is believed of one question about one incident, now."""

    key: str
    """Incident and question; alerts of one key are revisions of one alert."""
    kind: str
    """`"transit"`, `"track"` or `"device"`: whose delays apply."""
    event: Event
    level: Level | None
    """None: not worth a word."""
    probability: float
    score_nats: float
    site: str
    lane: str | None
    zone: str | None
    direction: str | None
    exercise: bool
    onset_utc_ns: int
    updated_utc_ns: int
    explanations: tuple[tuple[str, float], ...]
    contributions: tuple[Contribution, ...]
    silent: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    records: tuple[Record, ...] = field(default=(), compare=False, repr=False)
    of_part: bool = False
    """Of a scan that goes on: the whole, with its picture, is news whatever it says."""


@dataclass(slots=True)
class _Entry:
    claim: Claim
    since_utc_ns: int
    told: Alert | None = None
    told_claim: Claim | None = None
    said_utc_ns: int = 0
    """When it was told, by the book's clock."""
    gone_utc_ns: int | None = None
    less_utc_ns: int | None = None
    """Since when less is believed than was told."""


class AlarmBook:
    """All alerts that are pending or active."""

    def __init__(self, policy: AlarmPolicy) -> None:
        self._policy = policy
        self._entries: dict[str, _Entry] = {}
        self._revisions: dict[str, int] = {}

    @property
    def active(self) -> list[Alert]:
        """The last word on every alert that was told and not cleared."""
        return [entry.told for entry in self._entries.values() if entry.told is not None]

    def said(self, key: str) -> Event | None:
        """What an alert was last told as; None: nothing was."""
        entry = self._entries.get(key)
        return entry.told.event if entry is not None and entry.told is not None else None

    def consider(self, claim: Claim, now_utc_ns: int) -> list[Alert]:
        """A new belief: tell it if it is news."""
        entry = self._entries.get(claim.key)
        if entry is None:
            if claim.level is None:
                return []
            entry = self._entries[claim.key] = _Entry(claim, now_utc_ns)
        entry.claim = claim
        if claim.level is None:
            if entry.told is None:
                del self._entries[claim.key]
                return []
            entry.gone_utc_ns = entry.gone_utc_ns or now_utc_ns
        else:
            entry.gone_utc_ns = None
        return self._tell(entry, now_utc_ns)

    def close(self, key: str, now_utc_ns: int) -> list[Alert]:
        """The incident is over: the alert is cleared after its off-delay."""
        entry = self._entries.get(key)
        if entry is None:
            return []
        if entry.told is None:
            del self._entries[key]
            return []
        entry.gone_utc_ns = entry.gone_utc_ns or now_utc_ns
        return self._clear(entry, now_utc_ns)

    def take_back(self, key: str, now_utc_ns: int) -> list[Alert]:
        """What was told does not hold: nobody need wait for a truck that has not to be stopped."""
        entry = self._entries.pop(key, None)
        if entry is None or entry.told is None or entry.told_claim is None:
            return []
        self._remember(key, entry.told.revision + 1)
        last = replace(entry.told_claim, facts={**entry.told_claim.facts, "taken_back": True})
        return [self._say(entry, Phase.CLEAR, last, now_utc_ns)]

    def tick(self, now_utc_ns: int) -> list[Alert]:
        """Time passes: delays run out."""
        alerts = []
        for entry in list(self._entries.values()):
            alerts += self._tell(entry, now_utc_ns)
            alerts += self._clear(entry, now_utc_ns)
        return alerts

    def _tell(self, entry: _Entry, now_utc_ns: int) -> list[Alert]:
        alerts = self._told(entry, now_utc_ns)
        if alerts:
            entry.said_utc_ns = now_utc_ns
        return alerts

    def _told(self, entry: _Entry, now_utc_ns: int) -> list[Alert]:
        claim, old = entry.claim, entry.told_claim
        rested = now_utc_ns - entry.said_utc_ns >= self._policy.update_gap_s * SECOND_NS
        if claim.level is None:
            way = _new_way(claim, old) if rested else None
            return [self._say(entry, Phase.UPDATE, way)] if way is not None else []
        if old is None:
            delay_ns = self._policy.on_delay_s[claim.kind] * SECOND_NS
            if now_utc_ns - entry.since_utc_ns < delay_ns:
                return []
            return [self._say(entry, Phase.NEW, claim)]
        if claim is old:
            return []
        holds = self._holds(entry, now_utc_ns)
        # Sensors may tell where it goes some time after the last event.
        turned = rested and _turned(claim, old)
        if not turned and not self._is_news(claim, old, now_utc_ns, holds=holds):
            return []
        if holds:
            claim = replace(claim, level=max(claim.level, old.level or Level.LOG))
        return [self._say(entry, Phase.UPDATE, claim)]

    def _holds(self, entry: _Entry, now_utc_ns: int) -> bool:
        """Whether what was told stands although less is believed now.

        An operator hears one sound for one walker, who is louder at each sensor than between two.
        """
        claim, old = entry.claim, entry.told_claim
        assert old is not None
        less = (claim.level or 0) < (old.level or 0) or (
            claim.score_nats <= old.score_nats - self._policy.deadband_nats
        )
        if not less or not _alike(claim.event, old.event):
            entry.less_utc_ns = None
            return False
        if entry.less_utc_ns is None:
            entry.less_utc_ns = now_utc_ns
        hold_ns = self._policy.hold_s[claim.kind] * SECOND_NS
        if entry.gone_utc_ns is not None:  # its end is all that is left to be told
            return hold_ns > 0
        return now_utc_ns - entry.less_utc_ns < hold_ns

    def _is_news(self, claim: Claim, old: Claim, now_utc_ns: int, *, holds: bool) -> bool:
        if claim.event != old.event or (claim.level != old.level and not holds):
            return True
        if old.of_part and not claim.of_part:
            return True
        elapsed_ns = claim.updated_utc_ns - old.updated_utc_ns
        change_nats = abs(claim.score_nats - old.score_nats)
        moved = change_nats >= self._policy.deadband_nats and not holds
        # Where to look, and for how many: that is news though nobody is any surer.
        moved = moved or _turned(claim, old)
        moved = moved or _count(claim) > _count(old)
        settled = now_utc_ns - old.updated_utc_ns >= SPEED_GAP_S * SECOND_NS
        moved = moved or (settled and _is_faster(claim, old))
        return moved and elapsed_ns >= self._policy.update_gap_s * SECOND_NS

    def _clear(self, entry: _Entry, now_utc_ns: int) -> list[Alert]:
        if entry.gone_utc_ns is None or entry.told is None:
            return []
        delay_ns = self._policy.off_delay_s[entry.claim.kind] * SECOND_NS
        if now_utc_ns - entry.gone_utc_ns < delay_ns:
            return []
        del self._entries[entry.claim.key]
        self._remember(entry.claim.key, entry.told.revision + 1)
        # The last words stay as they were told: a clear ends them and does not rewrite them.
        last = entry.told_claim or entry.claim
        return [self._say(entry, Phase.CLEAR, last, now_utc_ns)]

    def _remember(self, key: str, revision: int) -> None:
        """An incident that rings again after it was cleared goes on counting."""
        self._revisions[key] = revision
        while len(self._revisions) > MAX_REMEMBERED:
            del self._revisions[next(iter(self._revisions))]

    def _say(
        self, entry: _Entry, phase: Phase, claim: Claim, now_utc_ns: int | None = None
    ) -> Alert:
        told = entry.told
        alert = Alert(
            alert_id=told.alert_id if told else alert_id(claim),
            revision=told.revision + 1 if told else self._revisions.get(claim.key, 0) + 1,
            phase=phase,
            event=claim.event,
            level=claim.level or Level.LOG,
            probability=claim.probability,
            site=claim.site,
            lane=claim.lane,
            zone=claim.zone,
            direction=claim.direction,
            exercise=claim.exercise or (told.exercise if told else False),
            onset_utc_ns=claim.onset_utc_ns,
            updated_utc_ns=max(claim.updated_utc_ns, now_utc_ns or 0),
            explanations=claim.explanations,
            contributions=claim.contributions,
            score_nats=claim.score_nats,
            silent=claim.silent,
            down=claim.down,
            facts=claim.facts,
            records=claim.records,
        )
        entry.told, entry.told_claim = alert, claim
        return alert


OTHER_SPEED = 1.2
SPEED_GAP_S = 10.0  # from one sensor to the next; until then an estimate still wanders
WAY = (
    "course",
    "direction",
    "speed_m_s",
    "speed_sd_m_s",
    "position_m",
    "position_sd_m",
    "place_m",
    "near",
    "turned",
)
"""What is told of a track's way, but for the place that it goes toward."""
ON_FOOT = frozenset((Event.PERSON, Event.GROUP, Event.DROP_OFF))


def _alike(one: Event, other: Event) -> bool:
    return one is other or (one in ON_FOOT and other in ON_FOOT)


def _new_way(claim: Claim, old: Claim | None) -> Claim | None:
    """What was told stands until it is cleared, and where it goes is news meanwhile."""
    if claim.kind != "track" or old is None or not _turned(claim, old):
        return None
    way = {name: claim.facts[name] for name in (*WAY, "toward") if name in claim.facts}
    return replace(
        old,
        direction=claim.direction,
        facts={**old.facts, **way},
        updated_utc_ns=max(old.updated_utc_ns, claim.updated_utc_ns),
    )


def _turned(claim: Claim, old: Claim) -> bool:
    """Whether it goes another way than was told."""
    return claim.direction is not None and claim.direction != old.direction


def _is_faster(claim: Claim, old: Claim) -> bool:
    """Whether it goes at clearly another speed than was told, or slower."""
    now, then = claim.facts.get("speed_m_s"), old.facts.get("speed_m_s")
    if claim.kind != "track" or not isinstance(now, float) or not isinstance(then, float):
        return False
    return max(now, then) > OTHER_SPEED * min(now, then)


def _count(claim: Claim) -> float:
    """How many there are, as far as is told."""
    count = claim.facts.get("count") if claim.kind == "track" else None
    return float(count) if isinstance(count, int | float) else 1.0


def alert_id(claim: Claim) -> str:
    """26 characters from content: 48 bits of onset in ms, then 80 bits of a SHA-256, as a ULID."""
    digest = hashlib.sha256(f"{claim.site}/{claim.key}".encode()).digest()
    time_ms = (claim.onset_utc_ns // MILLISECOND_NS) & ((1 << 48) - 1)
    value = (time_ms << 80) | int.from_bytes(digest[:10], "big")
    return "".join(CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))
