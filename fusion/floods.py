"""In a flood the operator hears of groups, and every member is still an alert.

Nobody reads the eleventh alert within ten minutes. So a few ring each for itself; what comes then
is told in the log and is a member of one group alert, which says how many, where, how bad and
which. Nothing is dropped: a member is made, stored and sent as any alert, and names its group.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fusion.claim import content_id
from fusion.handling_policy import HandlingPolicy
from fusion.types import SECOND_NS, Alert, Event, Fact, Level, Phase

MAX_MEMBERS = 256
"""Ids that a group names: 7 kB in a message. What is active or has not been named yet stays."""
EVERYTHING = ("", "")
"""The group of the whole site, when there is no room for one more."""
FAMILIES: Mapping[str, frozenset[Event]] = {
    "device": frozenset((Event.SENSOR_TAMPER, Event.SENSOR_FAULT, Event.SENSOR_SILENT)),
    "radiation": frozenset(
        (Event.RAD_THREAT, Event.RAD_INNOCENT, Event.RAD_OVERRANGE, Event.SHIELDED_SOURCE)
    ),
    "transit": frozenset(
        (
            Event.CARGO_ANOMALY,
            Event.CARGO_MISMATCH,
            Event.CARGO_UNPENETRATED,
            Event.PORTAL_BYPASS,
        )
    ),
}
"""What is told together; everything else moves over ground."""


def family_of(event: Event) -> str:
    """`"device"`, `"radiation"`, `"transit"` or `"ground"`."""
    return next((name for name, events in FAMILIES.items() if event in events), "ground")


@dataclass(slots=True)
class Group:
    """Alerts that are told as one."""

    group_id: str
    key: tuple[str, str]
    """Place and family; both empty: of the whole site."""
    exercise: bool
    opened_utc_ns: int
    worst: Alert
    """The strongest of its active members; the last one while there is none."""
    active: dict[str, Alert] = field(default_factory=dict)
    """Its members as they are by themselves."""
    named: dict[str, bool] = field(default_factory=dict)
    """Every member's id, in order, and whether it has been told."""
    places: dict[str, None] = field(default_factory=dict)
    size: int = 0
    changed: bool = True
    wider: bool = True
    """It has come to a place that has not been told yet."""
    left_utc_ns: int = 0
    told_utc_ns: int | None = None
    told_level: Level = Level.LOG

    def take(self, member: Alert) -> None:
        """A member is there, or is otherwise than before."""
        name = member.alert_id
        self.changed = self.changed or self.active.get(name) != member
        self.active[name] = member
        if name not in self.named:
            self.size += 1
            self.named[name] = False
        place = member.lane or member.zone or ""
        self.wider = self.wider or place not in self.places
        self.places.setdefault(place, None)
        self.worst = max(self.active.values(), key=_strength)

    def lose(self, alert_id: str, now_utc_ns: int) -> None:
        """A member has ended, or is told for itself."""
        del self.active[alert_id]
        self.changed, self.left_utc_ns = True, now_utc_ns
        if self.active:
            self.worst = max(self.active.values(), key=_strength)

    def alert(self, phase: Phase, now_utc_ns: int) -> Alert:
        """The group as an alert: the table of its strongest member, and who else is in it."""
        worst, shown = self.worst, list(self.active.values()) or [self.worst]
        facts: dict[str, Fact] = {
            **{name: fact for name, fact in worst.facts.items() if name not in OF_ONE},
            "group_size": self.size,
            "group_active": len(self.active),
            "places": tuple(self.places),
            "strongest": worst.alert_id,
            "members": tuple(self.named),
        }
        # A group has one place for as long as it lives, for its place is part of its topic.
        of_place = self.key[0] != ""
        self.told_utc_ns, self.told_level, self.changed = now_utc_ns, worst.level, False
        self.wider = False
        self._forget()
        return replace(
            worst,
            alert_id=self.group_id,
            phase=phase,
            lane=worst.lane if of_place else None,
            zone=worst.zone if of_place else None,
            exercise=self.exercise,
            direction=worst.direction if len({one.direction for one in shown}) == 1 else None,
            onset_utc_ns=min(one.onset_utc_ns for one in shown),
            updated_utc_ns=max(worst.updated_utc_ns, now_utc_ns),
            facts=facts,
            records=(),
        )

    @property
    def unnamed(self) -> int:
        """Members whose id has not been told yet."""
        return sum(not told for told in self.named.values())

    def _forget(self) -> None:
        """All have been told now; at the limit those that ended first are named no more."""
        self.named = dict.fromkeys(self.named, True)
        for name in [name for name in self.named if name not in self.active]:
            if len(self.named) <= MAX_MEMBERS:
                return
            del self.named[name]


@dataclass(slots=True)
class _Flood:
    """The rings of drills and those of the real thing are counted apart."""

    rings: deque[tuple[int, tuple[str, str]]] = field(default_factory=deque)
    """When something rang within the window, and of which place and family it was."""
    groups: dict[tuple[str, str], Group] = field(default_factory=dict)


class FloodGuard:
    """Decides what rings for itself, and keeps the groups of what does not."""

    def __init__(self, policy: HandlingPolicy, site: str) -> None:
        self._policy = policy
        self._site = site
        self._floods = {exercise: _Flood() for exercise in (False, True)}
        self._limit = policy.flood_alerts * policy.operators

    @property
    def groups(self) -> list[Group]:
        """Those that are open."""
        return [group for flood in self._floods.values() for group in flood.groups.values()]

    def admit(self, alert: Alert, now_utc_ns: int) -> str:
        """Let an alert that has not rung yet ring for itself, `""`, or name its group."""
        flood = self._floods[alert.exercise]
        self._look_back(flood, now_utc_ns)
        if self.rings_for_itself(alert) or self._has_room(flood, alert):
            flood.rings.append((now_utc_ns, _key(alert)))
            return ""
        group = self._group(flood, alert, now_utc_ns)
        group.take(alert)
        return group.group_id

    def _has_room(self, flood: _Flood, alert: Alert) -> bool:
        """Whether a ring is left for one more; a first of its kind and place is no flood yet."""
        rung, singles = len(flood.rings), self._policy.flood_singles * self._policy.operators
        key = _key(alert)
        if rung < singles:
            return True
        is_first = key not in flood.groups and all(other != key for _, other in flood.rings)
        return is_first and rung < self._limit - 1

    def rings_for_itself(self, alert: Alert) -> bool:
        """Whether it is never one of many."""
        return alert.level >= self._policy.never_folded.get(alert.event, Level.CRITICAL)

    def stays(self, group_id: str, alert: Alert) -> bool:
        """Take over how a member is now; False: it belongs there no more."""
        group = self._known(group_id)
        # What turns out to be a drill cannot stay among the real, nor the other way round.
        if group is None or group.exercise != alert.exercise or self.rings_for_itself(alert):
            return False
        group.take(alert)
        return True

    def leave(self, group_id: str, alert_id: str, now_utc_ns: int) -> None:
        """A member has ended, or rings for itself from now on."""
        group = self._known(group_id)
        if group is not None and alert_id in group.active:
            group.lose(alert_id, now_utc_ns)

    def due(self, now_utc_ns: int) -> list[Alert]:
        """Groups that have news, and those that are over."""
        alerts: list[Alert] = []
        for flood in self._floods.values():
            for group in list(flood.groups.values()):
                phase = self._news(group, now_utc_ns)
                if phase is not None:
                    alerts.append(group.alert(phase, now_utc_ns))
                if phase is Phase.CLEAR:
                    del flood.groups[group.key]
        return alerts

    def _group(self, flood: _Flood, alert: Alert, now_utc_ns: int) -> Group:
        key = _key(alert)
        if key not in flood.groups and len(flood.rings) >= self._limit - 1:
            key = EVERYTHING
        if key not in flood.groups:
            flood.rings.append((now_utc_ns, key))
            content = f"{self._site}/group/{'/'.join(key)}/{alert.exercise}/{now_utc_ns}"
            name = content_id(content, now_utc_ns)
            flood.groups[key] = Group(name, key, alert.exercise, now_utc_ns, alert)
        return flood.groups[key]

    def _news(self, group: Group, now_utc_ns: int) -> Phase | None:
        policy, told_utc_ns = self._policy, group.told_utc_ns
        if told_utc_ns is None:
            return Phase.NEW
        if self._is_over(group, now_utc_ns):
            return Phase.CLEAR
        if not group.changed:
            return None
        waited = now_utc_ns - told_utc_ns >= policy.group_update_s * SECOND_NS
        worse = bool(group.active) and group.worst.level > group.told_level
        crowded = group.unnamed >= MAX_MEMBERS // 2
        return Phase.UPDATE if waited or worse or crowded or group.wider else None

    def _is_over(self, group: Group, now_utc_ns: int) -> bool:
        policy = self._policy
        quiet_ns = policy.group_off_s * SECOND_NS
        window_ns = policy.flood_window_s * SECOND_NS
        return (
            not group.active
            and now_utc_ns - group.left_utc_ns >= quiet_ns
            and now_utc_ns - group.opened_utc_ns >= window_ns
        )

    def _known(self, group_id: str) -> Group | None:
        return next((one for one in self.groups if one.group_id == group_id), None)

    def _look_back(self, flood: _Flood, now_utc_ns: int) -> None:
        window_ns = self._policy.flood_window_s * SECOND_NS
        while flood.rings and now_utc_ns - flood.rings[0][0] >= window_ns:
            flood.rings.popleft()


OF_ONE = ("reopened", "chattering")
"""What is told of a member and is not true of its group."""


def _key(alert: Alert) -> tuple[str, str]:
    return alert.lane or alert.zone or "", family_of(alert.event)


def _strength(alert: Alert) -> tuple[int, float, str]:
    return int(alert.level), alert.score_nats, alert.alert_id
