"""What a side's publisher hands to others: commands, counts, and calls when something happens."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

REFUSED_IN_A_ROW = 3  # alerts in a row, each for its own sake: that is no longer chance

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A message that is sent now or not at all."""

    topic: str
    payload: bytes
    retain: bool
    expiry_s: int
    correlation: bytes = b""
    """What an answer carries of the command that it answers."""
    waited_for: bool = False
    """An answer: it is small, so it goes out even while the line is full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What a centre asks."""

    side: str
    topic: str
    payload: bytes
    response_topic: str
    correlation: bytes
    user_properties: tuple[tuple[str, str], ...]
    retained: bool = False
    """It was there before we came."""
    reply: Callable[[bytes], object] | None = None
    """Where the answer goes of what did not come by a broker."""


@dataclass(kw_only=True)
class Hooks:
    """What others want to know; called by the side's thread, so they must be quick.

    One that raises is logged and costs nothing else.
    """

    puback: Callable[[str, int], None] = lambda side, reason: None
    """(side, reason code) of every acknowledgement."""
    connected: Callable[[str, bool], None] = lambda side, up: None
    delivered: Callable[[str, float], None] = lambda side, seconds: None
    """(side, seconds) from an alert sent to its acknowledgement."""
    command: Callable[[Command], None] = lambda command: None


def safely(call: Callable[..., None], *values: object) -> None:
    """Call somebody else's code from a side's thread."""
    try:
        call(*values)
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not cost the side its alerts
        # One line: rendering a traceback for every acknowledgement would hold the side up.
        log.error("hook failed", error=repr(error))


@dataclass(kw_only=True)
class Tally:
    """What a publisher counts over all its connections; written by its thread alone."""

    pubacks: dict[int, int] = field(default_factory=dict)
    acked_s: deque[float] = field(default_factory=lambda: deque(maxlen=10_000))
    dropped_live: int = 0
    in_flight: int = 0
    stored_seq: int = 0
    refusal: str = ""
    """Why the broker takes no alert of ours, such as `not authorized (135)`; `""` while it does."""
    refused_in_a_row: int = 0

    def refused(self, reason: int, text: str, *, held: bool) -> bool:
        """An alert was refused; True where the side is taken to refuse our alerts from now on."""
        self.refused_in_a_row += 1
        # What is held speaks of the side. A single message that is not to its taste does not.
        if self.refusal or not (held or self.refused_in_a_row >= REFUSED_IN_A_ROW):
            return False
        self.refusal = f"{text.lower()} ({reason})"
        return True

    def accepted(self) -> bool:
        """An alert was taken; True where the side refused our alerts until now."""
        refused, self.refusal, self.refused_in_a_row = bool(self.refusal), "", 0
        return refused
