"""The alerts that may be handled: those that are active, and those that were of late.

An alert is cleared long before anybody knows what it was.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from edge.together.people import About
from fusion.types import Alert

MAX_SEEN = 2_000  # cleared ones, the last; as many as the engine remembers by their ids


@dataclass(frozen=True, slots=True)
class _Sight:
    about: About
    drill: bool | None


class Seen:
    """What is known of each, as it was when it was last active."""

    def __init__(
        self, active: Callable[[], Collection[str]], look: Callable[[str], Alert | None]
    ) -> None:
        """`active` gives the ids of what is active, `look` one of them."""
        self._active = active
        self._look = look
        self._sights: dict[str, _Sight] = {}

    def look(self) -> None:
        """See what is active now."""
        active = self._active()
        for alert_id in sorted(active):
            alert = self._look(alert_id)
            self._sights.pop(alert_id, None)
            self._sights[alert_id] = _Sight(
                About() if alert is None else _about(alert),
                None if alert is None else alert.exercise,
            )
        while len(self._sights) > MAX_SEEN + len(active):
            del self._sights[next(iter(self._sights))]

    def of(self, alert_id: str) -> About | None:
        """One of them; None where there is none."""
        sight = self._sights.get(alert_id)
        return None if sight is None else sight.about

    def belongs(self, alert_id: str, *, drill: bool) -> bool:
        """Whether it is a drill where drills are asked about; True where nobody can tell."""
        sight = self._sights.get(alert_id)
        return sight is None or sight.drill is None or sight.drill is drill

    def is_active(self, alert_id: str) -> bool:
        """Whether it is active now."""
        return alert_id in self._active()


def _about(alert: Alert) -> About:
    return About(revision=alert.revision, place=alert.lane or alert.zone or "")
