"""What a session must note on disk, and its patience with a disk that refuses.

The link to a broker does not depend on our disk: what cannot be noted or read now is tried
again a little later, and the session goes on. What is never noted costs a message sent twice.
"""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from edge.delivery.outbox import Mark, Outbox, OutboxError

AGAIN_S = 2.0  # a disk that is full stays full for a while; the broker is not to blame

log = structlog.get_logger()


class Pause:
    """Keeps from asking a disk that has just refused."""

    def __init__(self, side: str, event: str) -> None:
        self._side = side
        self._event = event
        self._until_s = 0.0
        self._failing = False

    @property
    def over(self) -> bool:
        """The disk may be asked."""
        return time.monotonic() >= self._until_s

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Ask it; an OutboxError ends the attempt and is said once, until it works again."""
        try:
            yield
        except OutboxError as error:
            self._until_s = time.monotonic() + AGAIN_S
            if not self._failing:
                log.error(f"{self._event}, trying again", side=self._side, error=str(error))
            self._failing = True
        else:
            if self._failing:
                log.info("outbox works again", side=self._side)
            self._failing = False


class Books:
    """The notes of one session; what was written last stands."""

    def __init__(self, outbox: Outbox, side: str) -> None:
        self._outbox = outbox
        self._side = side
        self._pause = Pause(side, "delivery cannot be noted")
        self._burials: deque[tuple[int, str, str, bool]] = deque()
        self._cursor: Mark | None = None
        self._acked = self._acked_noted = 0
        self._active = self._active_noted = 0

    def bury(self, seq: int, reason: str, part: str, *, again: bool = True) -> None:
        """A row, or a part of it, will never be taken by this side.

        again  what was sent since still counts on it, and must be sent once more without
        """
        self._burials.append((seq, reason, part, again and part != "active"))

    def cursor(self, mark: Mark) -> None:
        """The side's centre has stored so much."""
        self._cursor = mark

    def acked(self, seq: int) -> None:
        """The side's broker has taken every row up to `seq`, or it is to be buried."""
        self._acked = seq

    def active(self, seq: int) -> None:
        """The side's broker holds every retained change up to `seq`."""
        self._active = seq

    def write(self) -> list[int]:
        """Note what is new; returns the rows from which on must be sent again."""
        buried: list[int] = []
        if not (self._pause.over and self._anything):
            return buried
        with self._pause.attempt():
            # Dead letters first: only they say what became of a row that is no longer owed.
            while self._burials:
                seq, reason, part, again = self._burials[0]
                if self._outbox.dead_letter(self._side, seq, reason, part=part) and again:
                    buried.append(seq)
                self._burials.popleft()
            if self._cursor is not None:
                self._outbox.store_cursor(self._side, self._cursor.seq, self._cursor.epoch)
                self._cursor = None
            if self._acked > self._acked_noted:
                self._outbox.mark_acked(self._side, self._acked)
                self._acked_noted = self._acked
            if self._active > self._active_noted:
                self._outbox.mark_active(self._side, self._active)
                self._active_noted = self._active
        return buried

    @property
    def _anything(self) -> bool:
        return (
            bool(self._burials)
            or self._cursor is not None
            or self._acked > self._acked_noted
            or self._active > self._active_noted
        )
