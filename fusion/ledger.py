"""The last word on every alert: counts revisions, and tells again what nobody answered."""

from dataclasses import dataclass, replace

from fusion.handling_policy import HandlingPolicy
from fusion.types import SECOND_NS, Alert, Level, Phase

MAX_REMEMBERED = 2_000  # alerts that were cleared and may ring again, and the groups of floods
CONFIRMED = "confirmed"
"""Fact of an alert that a person has seen to be what it says."""


@dataclass(slots=True)
class _Line:
    alert: Alert
    told_utc_ns: int
    since_utc_ns: int
    realarms: int = 0
    acknowledged: bool = False


class Ledger:
    """Every alert that was told and not cleared, as it was told last."""

    def __init__(self, policy: HandlingPolicy) -> None:
        self._policy = policy
        self._lines: dict[str, _Line] = {}
        self._revisions: dict[str, int] = {}
        """Of alerts that were cleared."""
        self._cleared: dict[str, Alert] = {}
        """As they were told last, without what was measured."""
        self._confirmed: dict[str, None] = {}

    @property
    def active(self) -> list[Alert]:
        """The last word on every alert that was told and not cleared."""
        return [line.alert for line in self._lines.values()]

    def last(self, alert_id: str) -> Alert | None:
        """The last word on one alert; None: it is not active."""
        line = self._lines.get(alert_id)
        return None if line is None else line.alert

    def tell(self, alert: Alert, now_utc_ns: int) -> Alert:
        """The alert as its next revision."""
        name, line = alert.alert_id, self._lines.get(alert.alert_id)
        known = line.alert.revision if line else self._revisions.pop(name, 0)
        self._cleared.pop(name, None)
        told = replace(alert, revision=known + 1)
        if name in self._confirmed:
            told = replace(told, facts={**told.facts, CONFIRMED: True})
        if told.phase is Phase.CLEAR:
            self._lines.pop(name, None)
            self._remember(told)
        elif line is None:
            self._lines[name] = _Line(told, now_utc_ns, since_utc_ns=now_utc_ns)
        else:
            # What changes is to be answered again, and what grows worse rings from the start.
            if told.level > line.alert.level:
                line.realarms = 0
            line.alert, line.told_utc_ns, line.acknowledged = told, now_utc_ns, False
        return told

    def acknowledge(self, alert_id: str) -> bool:
        """Somebody has answered: not told again before it changes. False: it is not active."""
        line = self._lines.get(alert_id)
        if line is not None:
            line.acknowledged = True
        return line is not None

    def confirm(self, alert_id: str, confirmed: bool, now_utc_ns: int) -> list[Alert]:
        """Somebody has seen what it was, or takes that back: told again where it is news.

        What is over stays over. The last two thousand that were cleared can still be confirmed.
        """
        line = self._lines.get(alert_id)
        last = line.alert if line is not None else self._cleared.get(alert_id)
        if last is None or confirmed == (alert_id in self._confirmed):
            return []
        facts = {name: fact for name, fact in last.facts.items() if name != CONFIRMED}
        self._confirmed.pop(alert_id, None)
        if confirmed:
            self._confirmed[alert_id] = None
            facts[CONFIRMED] = True
            while len(self._confirmed) > MAX_REMEMBERED:
                del self._confirmed[next(iter(self._confirmed))]
        told = replace(
            last,
            revision=last.revision + 1,
            phase=Phase.CLEAR if line is None else Phase.UPDATE,
            updated_utc_ns=max(last.updated_utc_ns, now_utc_ns),
            facts=facts,
        )
        if line is None:
            self._remember(told)
        else:
            line.alert, line.told_utc_ns = told, now_utc_ns
        return [told]

    def realarms(self, now_utc_ns: int) -> list[Alert]:
        """What nobody answered, told again."""
        return [
            self._again(line, now_utc_ns)
            for line in self._lines.values()
            if self._is_due(line, now_utc_ns)
        ]

    def stale(self, now_utc_ns: int) -> list[Alert]:
        """What has been active for longer than anybody should leave it."""
        limit_ns = self._policy.stale_h * 3600 * SECOND_NS
        return [
            line.alert for line in self._lines.values() if now_utc_ns - line.since_utc_ns > limit_ns
        ]

    def _is_due(self, line: _Line, now_utc_ns: int) -> bool:
        policy, level = self._policy, line.alert.level
        if level < Level.WARNING or line.acknowledged or line.realarms >= policy.realarm_times:
            return False
        critical = level is Level.CRITICAL
        wait_s = policy.realarm_critical_s if critical else policy.realarm_warning_s
        return now_utc_ns - line.told_utc_ns >= wait_s * SECOND_NS

    def _again(self, line: _Line, now_utc_ns: int) -> Alert:
        line.realarms += 1
        last = line.alert
        told = replace(
            last,
            revision=last.revision + 1,
            phase=Phase.UPDATE,
            updated_utc_ns=max(last.updated_utc_ns, now_utc_ns),
            facts={**last.facts, "realarm": line.realarms},
        )
        line.alert, line.told_utc_ns = told, now_utc_ns
        return told

    def _remember(self, told: Alert) -> None:
        self._revisions[told.alert_id] = told.revision
        self._cleared[told.alert_id] = replace(told, records=())
        while len(self._revisions) > MAX_REMEMBERED:
            oldest = next(iter(self._revisions))
            del self._revisions[oldest]
            self._cleared.pop(oldest, None)
