"""What becomes of a message that the broker refuses: sent again later, or a dead letter.

"Not authorized" and "quota exceeded" say something of the side and not of the message: an
access rule that is wrong for an hour must cost no alert. So the message is held, and sent
again after ever longer pauses. Every other refusal (payload format invalid, topic name
invalid, packet too large, ...) will be the same next time: a dead letter at once.

A rule may also be about one topic, such as that of a single lane, and must then not hold up
the other lanes. So while a message is held, the rows of other topics still go out. When one
of them is taken, the held ones are sent once more, and what is refused now, after the broker
was seen to take our alerts, is a dead letter too. A quota is everybody's: it holds all rows.
"""

import math
from dataclasses import dataclass

NOT_AUTHORIZED = 0x87  # reason codes: MQTT 5, section 3.4.2.1
QUOTA_EXCEEDED = 0x97
FIRST_S = 2.0
LONGEST_S = 60.0  # an access rule that was put right is noticed within a minute
PROOF_S = 5.0
"""So long after an alert was taken do refusals of others count as theirs alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A message that the broker has just refused."""

    part: str
    """`"alert"` or `"active"`."""
    seq: int
    topic: str
    reason: int
    sent_s: float


class Hold:
    """The held messages of one connection. Times are seconds of any steady clock."""

    def __init__(self) -> None:
        self._alerts: set[int] = set()
        self._active: set[str] = set()
        self._topics: set[str] = set()
        self._proof_s = -math.inf
        self._due_s: float | None = None
        self._wait_s = FIRST_S
        self.all = False
        """Every row waits, whatever its topic."""

    @property
    def on(self) -> bool:
        """Something was refused that will be sent again."""
        return bool(self._alerts or self._active)

    @property
    def any_active(self) -> bool:
        """Among it a retained topic."""
        return bool(self._active)

    def keeps(self, topic: str) -> bool:
        """Rows of this topic wait, because one of them is held."""
        return topic in self._topics

    def refused(self, message: Refused, now_s: float) -> bool:
        """Take in a refusal; True where the message is held, False where it is final."""
        proven = 0.0 <= message.sent_s - self._proof_s <= PROOF_S
        if message.reason != QUOTA_EXCEEDED and (message.reason != NOT_AUTHORIZED or proven):
            self._settled(message.part, message.seq, message.topic)
            return False
        if message.part == "alert":
            self._alerts.add(message.seq)
            self._topics.add(message.topic)
        else:
            self._active.add(message.topic)
        self.all = self.all or message.reason == QUOTA_EXCEEDED
        if self._due_s is None:
            self._due_s = now_s + self._wait_s
            self._wait_s = min(2 * self._wait_s, LONGEST_S)
        return True

    def accepted(self, part: str, seq: int, topic: str, now_s: float) -> None:
        """The broker has taken a message."""
        self._settled(part, seq, topic)
        if part != "alert":
            return
        if not self.on:
            self._wait_s = FIRST_S
        elif not self.all and now_s - self._proof_s > PROOF_S:
            # What was sent until now may have been refused before the rule was put right.
            self._proof_s = self._due_s = now_s

    def due(self, now_s: float) -> bool:
        """Time to send the held messages again, once nothing of this pass is under way."""
        return self._due_s is not None and now_s >= self._due_s

    def begin_again(self) -> frozenset[str]:
        """Hold nothing from now on; returns the retained topics that were held."""
        active = frozenset(self._active)
        self._clear()
        return active

    def _settled(self, part: str, seq: int, topic: str) -> None:
        if not self.on:
            return
        if part == "alert":
            self._alerts.discard(seq)
        else:
            self._active.discard(topic)
        if not self.on and not self._topics:
            self._clear()

    def _clear(self) -> None:
        self._alerts.clear()
        self._active.clear()
        self._topics.clear()
        self._due_s = None
        self.all = False
