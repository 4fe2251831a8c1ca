"""Faults of a portal's line, not of its panels: readings that repeat, lines that come late."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

LATE_S = 0.5
Counts = NDArray[np.int64]


class Stuck:
    """Counts as the controller sends them: while it is stuck the last ones of their kind again."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, Counts]] = {}

    def told(self, tag: str, counts: Counts, *, stuck: bool) -> tuple[str, Counts]:
        """(tag, counts) that go out; alarms and plain scans are of one kind."""
        kind = tag.replace("A", "S")
        if stuck and kind in self._kept:
            return self._kept[kind]
        self._kept[kind] = (tag, counts)
        return tag, counts


class Late:
    """Lines on a slow link: in order, each so much later than it was sent."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, bytes]] = deque()

    def send(self, data: bytes, at_ms: int, late_s: float) -> None:
        """Something is sent at a time."""
        due_ms = at_ms + round(1000 * late_s)
        if self._waiting:
            due_ms = max(due_ms, self._waiting[-1][0])
        self._waiting.append((due_ms, data))

    def arrived(self, until_ms: int) -> list[bytes]:
        """What comes out by then."""
        out = []
        while self._waiting and self._waiting[0][0] <= until_ms:
            out.append(self._waiting.popleft()[1])
        return out
