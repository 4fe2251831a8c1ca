"""The last word on every alert: counts revisions, and tells again what nobody answered."""

from dataclasses import dataclass, replace

from fusion.handling_policy import HandlingPolicy
from fusion.types import SECOND_NS, Alert, Level, Phase

MAX_REMEMBERED = 2_000  # alerts that were cleared and may ring again, and the groups of floods


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
        told = replace(alert, revision=known + 1)
        if told.phase is Phase.CLEAR:
            self._lines.pop(name, None)
            self._remember(name, told.revision)
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

    def _remember(self, alert_id: str, revision: int) -> None:
        self._revisions[alert_id] = revision
        while len(self._revisions) > MAX_REMEMBERED:
            del self._revisions[next(iter(self._revisions))]
