"""Dead letters: told each once, a burst in one line of the log, and tried again where asked."""

import sqlite3
import time
from collections.abc import Callable, Sequence

import structlog

from edge.delivery.retention import Buried
from edge.delivery.rows import DeadLetter, read_dead_letter

BURST_S = 10.0  # a broker that refuses everything writes six lines a minute, not thousands

AT_ONCE = 256  # tried again in one go; the rest follows

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


def ask_retry(connection: sqlite3.Connection, side: str, seq: int | None) -> tuple[int, int]:
    """Have a side's dead letters tried again, all or those of one row.

    Returns how many rows these are, and how many others are no longer kept.
    """
    wanted = "FROM dead WHERE side = ?1 AND (?2 IS NULL OR seq = ?2)"
    kept = "seq IN (SELECT seq FROM row)"
    connection.execute(
        f"INSERT OR IGNORE INTO retry SELECT DISTINCT side, seq {wanted} AND {kept}",
        (side, seq),
    )
    asked, gone = (
        connection.execute(
            f"SELECT count(DISTINCT seq) {wanted} AND {condition}",
            (side, seq),
        ).fetchone()[0]
        for condition in (kept, f"NOT {kept}")
    )
    return int(asked), int(gone)


def to_retry(connection: sqlite3.Connection, side: str) -> list[int]:
    """Rows that are to be tried again, oldest first."""
    found = connection.execute(
        "SELECT seq FROM retry WHERE side = ? ORDER BY seq LIMIT ?", (side, AT_ONCE)
    )
    return [seq for (seq,) in found]


def retried(connection: sqlite3.Connection, side: str, seq: int, refusal: str) -> None:
    """A row was tried again; refused, its letter stays and says so."""
    connection.execute("DELETE FROM retry WHERE side = ? AND seq = ?", (side, seq))
    if refusal:
        connection.execute(
            "UPDATE dead SET reason = ? WHERE side = ? AND seq = ? AND part = 'alert'",
            (refusal, side, seq),
        )
    else:
        connection.execute(
            "DELETE FROM dead WHERE side = ? AND seq = ? AND part = 'alert'", (side, seq)
        )
