"""How much an operator is asked to do: rates, floods, priorities, the loudest sources.

Pure sums over the times of alerts, so that the service's metrics and a study of simulated days
say the same. An alert rings once, when it is first told at level 2 or more; what comes again soon
after it was cleared, and what is told again unanswered, makes no second one here.
"""

from collections import Counter, deque
from dataclasses import dataclass

from fusion.handling_policy import HandlingPolicy
from fusion.types import SECOND_NS, Alert, Level, Phase

HOUR_S = 3600.0
FLOOD_ENDS_BELOW = 5  # in ten minutes; it begins at ten (ISA-18.2)
MAX_KNOWN = 2_000  # as many as the ledger remembers
MAX_RINGS = 100_000  # an hour of one every 36 ms: whatever rings so often is counted as that
MAX_SOURCES = 1_000
PRIORITIES = {Level.ADVISORY: "low", Level.WARNING: "medium", Level.CRITICAL: "high"}
"""Facts: fusion 2.3; 80, 15 and 5 % is the mix that a person can tell apart."""


@dataclass(slots=True)
class _Known:
    level: Level
    """As it was told last."""
    highest: Level
    """Since it rang; LOG: it has not."""


class Budget:
    """What was rung so far, and how that stands against what a person can answer."""

    def __init__(self, policy: HandlingPolicy) -> None:
        self._policy = policy
        self._rings: deque[int] = deque(maxlen=MAX_RINGS)
        """Of the last hour."""
        self._window: deque[int] = deque(maxlen=MAX_RINGS)
        """Of the last ten minutes."""
        self._known: dict[str, _Known] = {}
        self._sources: Counter[str] = Counter()
        self._mix: Counter[str] = Counter()
        self._first_utc_ns: int | None = None
        self._now_utc_ns = 0
        self._flood_since_utc_ns: int | None = None
        self._flood_ns = 0
        self.rung = self.realarms = self.floods = 0
        """Since the beginning."""

    def told(self, alert: Alert, now_utc_ns: int) -> None:
        """An alert was told."""
        self.advance(now_utc_ns)
        if alert.phase is Phase.CLEAR:
            return
        self.realarms += "realarm" in alert.facts
        known = self._known.pop(alert.alert_id, None)
        if known is None or alert.phase is Phase.NEW:
            known = _Known(Level.LOG, Level.LOG)
        if alert.level >= Level.ADVISORY > known.level:
            self._ring(alert, now_utc_ns)
        if alert.level >= Level.ADVISORY and alert.level > known.highest:
            self._mix[PRIORITIES[alert.level]] += 1
            if known.highest >= Level.ADVISORY:
                self._mix[PRIORITIES[known.highest]] -= 1
            known.highest = alert.level
        known.level = alert.level
        self._known[alert.alert_id] = known
        while len(self._known) > MAX_KNOWN:
            del self._known[next(iter(self._known))]

    def advance(self, now_utc_ns: int) -> None:
        """Time has reached this; earlier than before is passed over."""
        self._now_utc_ns = max(self._now_utc_ns, now_utc_ns)
        if self._first_utc_ns is None:
            self._first_utc_ns = self._now_utc_ns
        window_ns = round(self._policy.flood_window_s * SECOND_NS)
        while self._window and self._window[0] + window_ns <= self._now_utc_ns:
            left_utc_ns = self._window.popleft() + window_ns
            if len(self._window) < FLOOD_ENDS_BELOW * self._policy.operators:
                self._end_flood(left_utc_ns)
        while self._rings and self._rings[0] + HOUR_S * SECOND_NS <= self._now_utc_ns:
            self._rings.popleft()

    @property
    def per_hour(self) -> float:
        """Rings of the last hour for each operator."""
        return len(self._rings) / self._policy.operators

    @property
    def per_window(self) -> float:
        """Rings of the last ten minutes for each operator."""
        return len(self._window) / self._policy.operators

    @property
    def mean_per_hour(self) -> float:
        """Rings an hour for each operator since the beginning; 0 before there is any time."""
        lasted_ns = self._lasted_ns
        if not lasted_ns:
            return 0.0
        return self.rung / self._policy.operators / (lasted_ns / SECOND_NS / HOUR_S)

    @property
    def in_flood(self) -> bool:
        """Whether there have been too many, and are not few again."""
        return self._flood_since_utc_ns is not None

    @property
    def flood_share(self) -> float:
        """Share of the time since the beginning that was flood; below 0.01 is acceptable."""
        since = self._flood_since_utc_ns
        running_ns = 0 if since is None else self._now_utc_ns - since
        return (self._flood_ns + running_ns) / self._lasted_ns if self._lasted_ns else 0.0

    @property
    def mix(self) -> dict[str, float]:
        """Shares of low, medium and high among what rang; all 0 before anything has."""
        total = sum(self._mix.values())
        return {name: self._mix[name] / total if total else 0.0 for name in PRIORITIES.values()}

    def top_share(self, n: int = 10) -> float:
        """Share of all rings that the `n` loudest sources have."""
        loudest = sum(count for _, count in self._sources.most_common(n))
        return loudest / self.rung if self.rung else 0.0

    @property
    def _lasted_ns(self) -> int:
        return 0 if self._first_utc_ns is None else self._now_utc_ns - self._first_utc_ns

    def _ring(self, alert: Alert, now_utc_ns: int) -> None:
        self.rung += 1
        self._rings.append(now_utc_ns)
        self._window.append(now_utc_ns)
        source = str(alert.facts.get("source") or alert.lane or alert.zone or alert.site)
        if source in self._sources or len(self._sources) < MAX_SOURCES:
            self._sources[source] += 1
        begins = self._policy.flood_alerts * self._policy.operators
        if self._flood_since_utc_ns is None and len(self._window) >= begins:
            self._flood_since_utc_ns = now_utc_ns
            self.floods += 1

    def _end_flood(self, at_utc_ns: int) -> None:
        if self._flood_since_utc_ns is not None:
            self._flood_ns += at_utc_ns - self._flood_since_utc_ns
            self._flood_since_utc_ns = None
