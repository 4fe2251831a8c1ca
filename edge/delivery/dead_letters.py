"""Telling of dead letters: each once, and a burst of them in one line of the log."""

import sqlite3
import time
from collections.abc import Callable, Sequence

import structlog

from edge.delivery.retention import Buried
from edge.delivery.rows import DeadLetter, read_dead_letter

BURST_S = 10.0  # a broker that refuses everything writes six lines a minute, not thousands

_COLUMNS = "side, seq, part, epoch, topic, reason, created_utc_ns"

log = structlog.get_logger()


class Bursts:
    """Writes the log; not for several threads at once."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._said_s: dict[tuple[str, str], float] = {}
        self._unsaid: dict[tuple[str, str], int] = {}

    def tell(self, letters: Sequence[DeadLetter]) -> None:
        """One line for each side and reason that had none lately; `count` includes the others."""
        now_s = self._now_s()
        first: dict[tuple[str, str], DeadLetter] = {}
        for letter in letters:
            kind = (letter.side, letter.reason)
            self._unsaid[kind] = self._unsaid.get(kind, 0) + 1
            first.setdefault(kind, letter)
        for kind, letter in first.items():
            if now_s - self._said_s.get(kind, -BURST_S) < BURST_S:
                continue
            self._said_s[kind] = now_s
            log.error(
                "alert not deliverable",
                side=letter.side,
                seq=letter.seq,
                topic=letter.topic,
                part=letter.part,
                reason=letter.reason,
                count=self._unsaid.pop(kind),
            )
        self._forget(now_s)

    def _forget(self, now_s: float) -> None:
        # A reason may hold figures, so there is no end to how many there are.
        old = [kind for kind, said_s in self._said_s.items() if now_s - said_s > 60 * BURST_S]
        for kind in old:
            del self._said_s[kind]
            self._unsaid.pop(kind, None)


def find(connection: sqlite3.Connection, buried: Sequence[Buried]) -> list[DeadLetter]:
    """These dead letters, as far as they are still kept."""
    found = (
        connection.execute(
            f"SELECT {_COLUMNS} FROM dead"  # noqa: S608 - constant
            " WHERE side = ? AND seq = ? AND part = ?",
            each,
        ).fetchone()
        for each in buried
    )
    return [read_dead_letter(values) for values in found if values is not None]


def find_all(connection: sqlite3.Connection, side: str | None) -> list[DeadLetter]:
    """Those of a side, or all, oldest first."""
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM dead"  # noqa: S608 - constant
        " WHERE side = ? OR ? IS NULL ORDER BY seq, side, part",
        (side, side),
    ).fetchall()
    return [read_dead_letter(values) for values in found]
