"""What clears and comes again is the same alert going on; what does so often chatters.

Chattering is three or more alarms of one source within 60 s, fleeting is one that is gone before
anybody looks (ISA-18.2; facts: fusion 2.3). Neither is hidden: what comes again is the next
revision of the same alert, with no new sound, and what chatters is told once as chattering, with a
count, and stays until it has been quiet.
"""

from collections import deque
from dataclasses import dataclass, field

from fusion.alarm_policy import AlarmPolicy
from fusion.claim import Claim
from fusion.types import SECOND_NS, Fact

MAX_REMEMBERED = 1_000  # an incident lives for minutes; a busy day has a few hundred alerts


def cause(key: str) -> str:
    """What stays the same when it comes again: of a device its sensor and code, not the time."""
    return key.rpartition("/")[0] if key.startswith("device/") else key


@dataclass(slots=True)
class Raises:
    """How often one source has rung."""

    recent: deque[int] = field(default_factory=deque)
    """When, within the window."""
    total: int = 0
    latched: bool = False
    """It chatters: it stays until it has been quiet."""

    def again(self, now_utc_ns: int, policy: AlarmPolicy) -> None:
        """It has rung, or would have."""
        window_ns = policy.chatter_window_s * SECOND_NS
        self.total += 1
        self.recent.append(now_utc_ns)
        while now_utc_ns - self.recent[0] > window_ns:
            self.recent.popleft()
        self.latched = self.latched or len(self.recent) >= policy.chatter_alarms

    def facts(self) -> dict[str, Fact]:
        """What is told of it beside the alert."""
        told: dict[str, Fact] = {"reopened": self.total - 1} if self.total > 1 else {}
        return told | ({"chattering": self.total} if self.latched else {})


@dataclass(frozen=True, slots=True)
class Ended:
    """An alert that was cleared, for when it comes again."""

    key: str
    alert_id: str
    revision: int
    utc_ns: int
    taken_back: bool
    """What was told did not hold: should it hold after all, it is told anew."""
    raises: Raises
    keys: tuple[str, ...] = ()
    """Of all that was told as it."""


class Memory:
    """What was cleared last of each cause, bounded."""

    def __init__(self, policy: AlarmPolicy) -> None:
        self._policy = policy
        self._ended: dict[str, Ended] = {}

    def keep(self, ended: Ended) -> None:
        """An alert was cleared; the oldest of all is forgotten at the limit."""
        name = cause(ended.key)
        self._ended.pop(name, None)
        self._ended[name] = ended
        while len(self._ended) > MAX_REMEMBERED:
            del self._ended[next(iter(self._ended))]

    def of(self, claim: Claim, now_utc_ns: int) -> tuple[Ended | None, bool]:
        """The alert that a claim goes on with, and whether it goes on without a new sound."""
        ended = self._ended.get(cause(claim.key))
        if ended is None:
            return None, False
        soon = now_utc_ns - ended.utc_ns <= self._policy.reopen_s * SECOND_NS
        goes_on = soon and not ended.taken_back
        # One incident has one id however late it rings again; two faults of a device have two.
        return (ended if goes_on or ended.key == claim.key else None), goes_on
