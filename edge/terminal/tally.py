"""What was said against what was true: the summary at the end of a demo."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from edge.protocol.contract import AlertMessage
from edge.protocol.messages import utc_ns
from fusion.types import SECOND_NS, Level
from simulators.scenario import Truth

EARLY_S = 5.0
"""An alert's onset may lie before the label's start by as much: the approach is heard."""
LATE_S = 45.0
"""And after its end: silence is only noticed once a sensor has said nothing for a while."""
SETTLE_S = 5.0
"""A label is judged when it has been over for so long: a scan is complete at the truck's end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One label, and what was said of it."""

    truth: Truth
    said: tuple[str, ...]
    """Events of this label that were told at its place in its time."""


class Tally:
    """Counts alerts and holds them against the labels of what was simulated."""

    def __init__(self) -> None:
        self._alerts: dict[str, AlertMessage] = {}
        self._levels: dict[str, int] = {}

    def add(self, message: AlertMessage) -> None:
        """One revision of an alert; what it was called last is what it was."""
        self._alerts[message.id] = message
        self._levels[message.id] = max(self._levels.get(message.id, 0), message.level)

    @property
    def events(self) -> list[tuple[str, int, int]]:
        """(event, alerts, highest level), the most urgent first."""
        count = Counter(message.event for message in self._alerts.values())
        highest = dict.fromkeys(count, 0)
        for name, message in self._alerts.items():
            highest[message.event] = max(highest[message.event], self._levels[name])
        return sorted(
            ((event, n, highest[event]) for event, n in count.items()),
            key=lambda row: (-row[2], row[0]),
        )

    def verdicts(self, truths: Iterable[Truth], start_utc_ns: int, until_s: float) -> list[Verdict]:
        """Every label that calls for an alert and has been over for a moment at `until_s`."""
        return [
            Verdict(truth=truth, said=tuple(sorted(self._said(truth, start_utc_ns))))
            for truth in truths
            if truth.events and truth.end_s + SETTLE_S <= until_s
        ]

    def unexpected(self, truths: Iterable[Truth], start_utc_ns: int) -> list[AlertMessage]:
        """Alerts of level 3 or 4 that no label accounts for."""
        labels = list(truths)
        return [
            message
            for name, message in self._alerts.items()
            if self._levels[name] >= Level.WARNING
            and not any(self._fits(message, truth, start_utc_ns) for truth in labels)
        ]

    def _said(self, truth: Truth, start_utc_ns: int) -> set[str]:
        return {
            message.event
            for message in self._alerts.values()
            if self._fits(message, truth, start_utc_ns)
        }

    def _fits(self, message: AlertMessage, truth: Truth, start_utc_ns: int) -> bool:
        onset_s = (utc_ns(message.onset) - start_utc_ns) / SECOND_NS
        return (
            message.event in truth.events
            and truth.place in {message.lane, message.zone}
            and truth.start_s - EARLY_S <= onset_s <= truth.end_s + LATE_S
        )
