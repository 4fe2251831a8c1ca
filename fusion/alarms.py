"""The life of an alert: new, update, clear; deadband and delays.

A `Claim` is what the engine believes of one question about one incident right now. The book
turns a run of claims into as few alerts as tell the story (facts: fusion 2.3).
"""

from dataclasses import dataclass, field, replace

from fusion.alarm_policy import AlarmPolicy
from fusion.chatter import Ended, Memory, Raises, cause
from fusion.claim import (
    SPEED_GAP_S,
    WAY,
    Claim,
    alert_id,
    alike,
    count_of,
    is_faster,
    is_of_one,
    new_way,
    turned,
)
from fusion.types import SECOND_NS, Alert, Event, Level, Phase

__all__ = ["WAY", "AlarmBook", "Claim"]


@dataclass(slots=True, eq=False)
class _Thread:
    """One alert: the beliefs that are told as it, and its last word."""

    alert_id: str
    revision: int
    keys: dict[str, None] = field(default_factory=dict)
    """Of every belief that was told as it."""
    entries: list["_Entry"] = field(default_factory=list)
    """Those that have not ended, in the order they came."""
    last: Alert | None = None


@dataclass(slots=True, eq=False)
class _Entry:
    claim: Claim
    since_utc_ns: int
    thread: _Thread | None = None
    told: Alert | None = None
    told_claim: Claim | None = None
    said_utc_ns: int = 0
    """When it was told, by the book's clock."""
    gone_utc_ns: int | None = None
    less_utc_ns: int | None = None
    """Since when less is believed than was told."""
    ended: Ended | None = None
    """The alert that it goes on with."""
    goes_on: bool = False
    """With no new sound."""
    raises: Raises = field(default_factory=Raises)


class AlarmBook:
    """All alerts that are pending or active."""

    def __init__(self, policy: AlarmPolicy) -> None:
        self._policy = policy
        self._entries: dict[str, _Entry] = {}
        """By cause: a loose contact has one entry, however often it closes."""
        self._memory = Memory(policy)

    @property
    def active(self) -> list[Alert]:
        """The last word on every alert that was told and not cleared."""
        return [thread.last for thread in self._threads if thread.last is not None]

    @property
    def _threads(self) -> list[_Thread]:
        found = [entry.thread for entry in self._entries.values() if entry.thread is not None]
        return list(dict.fromkeys(found))

    def said(self, key: str) -> Event | None:
        """What an alert was last told as; None: nothing was."""
        entry = self._entries.get(cause(key))
        return entry.told.event if entry is not None and entry.told is not None else None

    def knows(self, key: str) -> bool:
        """Whether an alert of that key is active or waits to be told."""
        return cause(key) in self._entries

    def consider(self, claim: Claim, now_utc_ns: int) -> list[Alert]:
        """A new belief: tell it if it is news."""
        entry = self._entries.get(cause(claim.key))
        if entry is None:
            if claim.level is None:
                return []
            entry = self._open(claim, now_utc_ns)
        claim = entry.claim = self._steadied(claim, entry)
        if claim.level is None:
            if entry.told is None:
                del self._entries[cause(claim.key)]
                return []
            entry.gone_utc_ns = entry.gone_utc_ns or now_utc_ns
        else:
            if entry.gone_utc_ns is not None and entry.raises.latched:
                entry.raises.again(now_utc_ns, self._policy)  # without the latch it would ring
            entry.gone_utc_ns = None
        return self._tell(entry, now_utc_ns)

    def close(self, key: str, now_utc_ns: int) -> list[Alert]:
        """The incident is over: the alert is cleared after its off-delay."""
        entry = self._entries.get(cause(key))
        if entry is None:
            return []
        if entry.told is None:
            del self._entries[cause(key)]
            return []
        entry.gone_utc_ns = entry.gone_utc_ns or now_utc_ns
        return self._clear(entry, now_utc_ns)

    def take_back(self, key: str, now_utc_ns: int) -> list[Alert]:
        """What was told does not hold: nobody need wait for a truck that has not to be stopped."""
        entry = self._entries.pop(cause(key), None)
        if entry is None or entry.told is None or entry.told_claim is None:
            return []
        last = replace(entry.told_claim, facts={**entry.told_claim.facts, "taken_back": True})
        return self._end(entry, last, now_utc_ns, taken_back=True)

    def tick(self, now_utc_ns: int) -> list[Alert]:
        """Time passes: delays run out."""
        alerts = []
        for entry in list(self._entries.values()):
            alerts += self._tell(entry, now_utc_ns)
            alerts += self._clear(entry, now_utc_ns)
        return alerts

    def _open(self, claim: Claim, now_utc_ns: int) -> _Entry:
        ended, goes_on = self._memory.of(claim, now_utc_ns)
        entry = _Entry(claim, now_utc_ns, ended=ended, goes_on=goes_on)
        if ended is not None and goes_on:
            entry.raises = ended.raises
        self._entries[cause(claim.key)] = entry
        return entry

    def _steadied(self, claim: Claim, entry: _Entry) -> Claim:
        """A level that was told stands until the score is a deadband below its line."""
        old = entry.told_claim
        if old is None or old.level is None or claim.event is not old.event:
            return claim
        if (claim.level or 0) >= old.level:
            return claim
        held = self._policy.level_above(claim.event, claim.probability, self._policy.deadband_nats)
        return claim if (held or 0) < old.level else replace(claim, level=old.level)

    def _tell(self, entry: _Entry, now_utc_ns: int) -> list[Alert]:
        alerts = self._told(entry, now_utc_ns)
        if alerts:
            entry.said_utc_ns = now_utc_ns
        return alerts

    def _told(self, entry: _Entry, now_utc_ns: int) -> list[Alert]:
        claim, old = entry.claim, entry.told_claim
        rested = now_utc_ns - entry.said_utc_ns >= self._policy.update_gap_s * SECOND_NS
        if claim.level is None:
            way = new_way(claim, old) if rested else None
            return self._say(entry, Phase.UPDATE, way) if way is not None else []
        if old is None:
            delay_ns = self._policy.delay_ns(self._policy.on_delay_s, claim.kind, claim.event)
            if now_utc_ns - entry.since_utc_ns < delay_ns:
                return []
            entry.raises.again(now_utc_ns, self._policy)
            return self._say(entry, Phase.UPDATE if entry.goes_on else Phase.NEW, claim)
        if claim is old:
            return []
        holds = self._holds(entry, now_utc_ns)
        # Sensors may tell where it goes some time after the last event.
        changed = rested and turned(claim, old)
        if not changed and not self._is_news(claim, old, now_utc_ns, holds=holds):
            return []
        if holds:
            claim = replace(claim, level=max(claim.level, old.level or Level.LOG))
        return self._say(entry, Phase.UPDATE, claim)

    def _holds(self, entry: _Entry, now_utc_ns: int) -> bool:
        """Whether what was told stands although less is believed now.

        An operator hears one sound for one walker, who is louder at each sensor than between two.
        """
        claim, old = entry.claim, entry.told_claim
        assert old is not None
        less = (claim.level or 0) < (old.level or 0) or (
            claim.score_nats <= old.score_nats - self._policy.deadband_nats
        )
        if not less or not alike(claim.event, old.event):
            entry.less_utc_ns = None
            return False
        if entry.less_utc_ns is None:
            entry.less_utc_ns = now_utc_ns
        hold_ns = self._policy.delay_ns(self._policy.hold_s, claim.kind, claim.event)
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
        moved = moved or turned(claim, old)
        moved = moved or count_of(claim) > count_of(old)
        settled = now_utc_ns - old.updated_utc_ns >= SPEED_GAP_S * SECOND_NS
        moved = moved or (settled and is_faster(claim, old))
        return moved and elapsed_ns >= self._policy.update_gap_s * SECOND_NS

    def _clear(self, entry: _Entry, now_utc_ns: int) -> list[Alert]:
        if entry.gone_utc_ns is None or entry.told is None:
            return []
        claim, policy = entry.claim, self._policy
        delay_ns = policy.delay_ns(policy.off_delay_s, claim.kind, claim.event)
        if entry.raises.latched:
            delay_ns = max(delay_ns, round(policy.chatter_quiet_s * SECOND_NS))
        if now_utc_ns - entry.gone_utc_ns < delay_ns:
            return []
        del self._entries[cause(entry.claim.key)]
        # The last words stay as they were told: a clear ends them and does not rewrite them.
        last = entry.told_claim or entry.claim
        return self._end(entry, last, now_utc_ns)

    def _end(
        self, entry: _Entry, last: Claim, now_utc_ns: int, *, taken_back: bool = False
    ) -> list[Alert]:
        """The clear; an incident that rings again after it goes on counting.

        What is told with others ends with the last of them, and they are told until then.
        """
        thread = entry.thread
        assert thread is not None
        thread.entries.remove(entry)
        if thread.entries:
            stays = _loudest(thread)
            was_last = thread.last is entry.told
            return [self._word(stays, Phase.UPDATE, _told_of(stays))] if was_last else []
        alert = self._word(entry, Phase.CLEAR, last, now_utc_ns)
        raises = Raises() if taken_back else entry.raises
        raises.latched = False  # it has been quiet
        keys, mine = tuple(thread.keys), entry.claim.key
        for key in (*(one for one in keys if cause(one) != cause(mine)), mine):
            rang = raises if key == mine else Raises()
            self._memory.keep(
                Ended(key, alert.alert_id, alert.revision, now_utc_ns, taken_back, rang, keys)
            )
        return [alert]

    def _say(self, entry: _Entry, phase: Phase, claim: Claim) -> list[Alert]:
        """Tell it; beside something louder it is told once, and that again as the last word."""
        joins = entry.thread is None and self._thread_of(entry, claim)
        thread = entry.thread
        assert thread is not None
        others = [one for one in thread.entries if one is not entry]
        louder = max((_told_of(one).level or 0 for one in others), default=0)
        is_louder = louder > (claim.level or 0)
        if is_louder and entry.told is not None and thread.last is not entry.told:
            entry.told_claim = claim  # known, and nothing that changes what is told
            return []
        alerts = [self._word(entry, Phase.UPDATE if joins else phase, claim)]
        if is_louder:
            loudest = _loudest(thread)
            alerts.append(self._word(loudest, Phase.UPDATE, _told_of(loudest)))
        return alerts

    def _thread_of(self, entry: _Entry, claim: Claim) -> bool:
        """Join what is told of the same thing already, else begin; whether it has joined."""
        ended, key = entry.ended, claim.key
        name = ended.alert_id if ended else alert_id(claim)
        found = next((t for t in self._threads if t.alert_id == name or key in t.keys), None)
        if found is None and ended is None and claim.kind == "track":
            kin = (
                one.thread
                for one in self._entries.values()
                if one.thread is not None and is_of_one(claim, _told_of(one), self._policy)
            )
            found = next(kin, None)
        joins = found is not None
        if found is None:
            found = _Thread(name, ended.revision if ended else 0)
            found.keys = dict.fromkeys(ended.keys if ended else ())
        found.keys[key] = None
        found.entries.append(entry)
        entry.thread = found
        return joins

    def _word(
        self, entry: _Entry, phase: Phase, claim: Claim, now_utc_ns: int | None = None
    ) -> Alert:
        thread = entry.thread
        assert thread is not None
        told = thread.last
        full = claim.full
        if entry.claim is claim:
            entry.claim = full
        claim = full
        thread.revision += 1
        alert = Alert(
            alert_id=thread.alert_id,
            revision=thread.revision,
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
            facts={**claim.facts, **entry.raises.facts()},
            records=claim.records,
        )
        thread.last = alert
        entry.told, entry.told_claim = alert, claim
        return alert


def _told_of(entry: _Entry) -> Claim:
    assert entry.told_claim is not None
    return entry.told_claim


def _loudest(thread: _Thread) -> _Entry:
    """The one of the highest level; of equals the surest."""
    return max(thread.entries, key=lambda one: (_told_of(one).level or 0, _told_of(one).score_nats))
