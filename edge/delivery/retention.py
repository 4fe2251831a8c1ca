"""What the outbox keeps, for how long, and what becomes of rows that no side will take.

Rows that every side has are kept for a while, so that a centre restored from a backup can
be served again. A row that a side still wants is given up only when the file is full, and
then it says so: as a dead letter, in a metric and in the log.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from edge.delivery.rows import EVIDENCE, Row

SECOND_NS = 1_000_000_000
TOMBSTONE_NS = 3600 * SECOND_NS
"""A broker may forget that a retained topic was cleared: Mosquitto's snapshot is taken every
1,800 s by default. Clearing is repeated at every connection for twice as long."""
TIDY_NS = 60 * SECOND_NS  # how often age is looked at; bytes are looked at on every commit
PIECE = 500  # rows given up at a time, so that a commit never waits long for tidying
MAX_DEAD = 10_000  # entries of some 100 bytes; more than a person will ever look at
MAX_EPOCHS = 1000  # boots; a cursor older than a thousand boots is treated as a stranger's

_SIZE = (
    "length(payload) + length(active_payload) + (SELECT"
    " coalesce(sum(length(attachment.payload)), 0) FROM attachment WHERE attachment.seq = row.seq)"
    " + (SELECT coalesce(sum(length(v.payload) + length(v.active_payload)), 0)"
    " FROM variant AS v WHERE v.seq = row.seq)"
)

Buried = tuple[str, int, str]
"""(side, seq, part) of a new dead letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much the outbox may hold."""

    keep_done_s: float = 24 * 3600
    """How long rows are kept that every side has: a centre's nightly backup reaches back so far."""
    max_bytes: int = 256 * 1024 * 1024
    """Payloads in all: some 50,000 alerts, or 3,000 passes with their files; weeks of a busy
    checkpoint with both sides away."""


def register_sides(connection: sqlite3.Connection, sides: Sequence[str]) -> list[Buried]:
    """Let a new side begin with the next row; say of a side that is gone what it did not get."""
    known = {name for (name,) in connection.execute("SELECT name FROM side")}
    (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence").fetchone()
    for name in sides:
        if name not in known:
            connection.execute("INSERT INTO side VALUES (?, ?, '', 0, 0)", (name, last))
    buried: list[Buried] = []
    for name in sorted(known.difference(sides)):
        owed = connection.execute("SELECT seq FROM owed WHERE side = ?", (name,)).fetchall()
        for (seq,) in owed:
            bury(connection, name, seq, "the side is no longer configured", "alert")
            buried.append((name, seq, "alert"))
        connection.execute("DELETE FROM side WHERE name = ?", (name,))
    return buried


def bury(connection: sqlite3.Connection, side: str, seq: int, reason: str, part: str) -> bool:
    """Write one dead letter; the side is no longer owed the row. False where it was there."""
    cursor = connection.execute(
        "INSERT OR IGNORE INTO dead SELECT ?1, row.seq, ?2, epoch, coalesce(attachment.topic,"
        " CASE ?2 WHEN 'active' THEN active_topic ELSE row.topic END), ?3, created_utc_ns"
        " FROM row LEFT JOIN attachment ON attachment.seq = row.seq"
        " AND ?2 = ?5 || '/' || attachment.n WHERE row.seq = ?4",
        (side, part, reason, seq, EVIDENCE),
    )
    if part == "alert":
        connection.execute("DELETE FROM owed WHERE side = ? AND seq = ?", (side, seq))
    return cursor.rowcount > 0


class Keeper:
    """Forgets what is no longer wanted; belongs to the outbox's writer and its lock."""

    def __init__(self, connection: sqlite3.Connection, limits: Limits) -> None:
        self._connection = connection
        self._limits = limits
        self._tidied_utc_ns = 0
        (self._bytes,) = connection.execute(
            "SELECT (SELECT coalesce(sum(length(payload) + length(active_payload)), 0) FROM row)"
            " + (SELECT coalesce(sum(length(payload)), 0) FROM attachment)"
            " + (SELECT coalesce(sum(length(payload) + length(active_payload)), 0) FROM variant)"
        ).fetchone()

    def keep(self, new: Sequence[Row]) -> list[Buried]:
        """After a commit: forget what is too old or too much. Returns new dead letters."""
        self._bytes += sum(row.size for row in new)
        now_utc_ns = new[-1].created_utc_ns
        # A clock that was set back must not stop the tidying for as long as it was ahead.
        tidy_due = abs(now_utc_ns - self._tidied_utc_ns) >= TIDY_NS
        if not tidy_due and self._bytes <= self._limits.max_bytes:
            return []
        before = self._bytes
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            if tidy_due:
                self._forget_old(now_utc_ns)
            buried = self._shrink(new[0].seq) if self._bytes > self._limits.max_bytes else []
            self._connection.execute("COMMIT")
        except BaseException:  # whatever ends it: no half transaction may stay open
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._bytes = before
            raise
        self._tidied_utc_ns = now_utc_ns if tidy_due else self._tidied_utc_ns
        return buried

    def _forget_old(self, now_utc_ns: int) -> None:
        before = now_utc_ns - int(self._limits.keep_done_s * SECOND_NS)
        self._delete(
            "created_utc_ns < ? AND seq NOT IN (SELECT seq FROM owed)"
            " AND seq NOT IN (SELECT seq FROM dead)",
            (before,),
        )
        self._connection.execute(
            "DELETE FROM active WHERE payload = x'' AND created_utc_ns < ?"
            " AND seq <= (SELECT min(active_seq) FROM side)",
            (now_utc_ns - TOMBSTONE_NS,),
        )
        self._connection.execute(
            "DELETE FROM active_variant WHERE topic NOT IN (SELECT topic FROM active)"
        )
        self._connection.execute(
            "DELETE FROM dead WHERE rowid NOT IN"
            " (SELECT rowid FROM dead ORDER BY seq DESC LIMIT ?)",
            (MAX_DEAD,),
        )
        self._connection.execute(
            "DELETE FROM epoch WHERE first_seq NOT IN"
            " (SELECT first_seq FROM epoch ORDER BY first_seq DESC LIMIT ?)",
            (MAX_EPOCHS,),
        )

    def _shrink(self, first_new_seq: int) -> list[Buried]:
        """Settled rows go first, then those kept for dead letters, then the oldest owed ones.

        What was just committed is never given up by its own commit.
        """
        for condition in (
            "seq NOT IN (SELECT seq FROM owed) AND seq NOT IN (SELECT seq FROM dead)",
            "seq NOT IN (SELECT seq FROM owed)",
        ):
            while self._bytes > self._limits.max_bytes:
                if not self._delete(f"{condition} AND seq < ?", (first_new_seq,)):
                    break
        if self._bytes <= self._limits.max_bytes:
            return []
        owed = self._connection.execute(
            "SELECT side, seq FROM owed WHERE seq IN"
            " (SELECT seq FROM row WHERE seq < ? ORDER BY seq LIMIT ?) ORDER BY seq, side",
            (first_new_seq, PIECE),
        ).fetchall()
        reason = f"the outbox is full ({self._limits.max_bytes} bytes)"
        for side, seq in owed:
            bury(self._connection, side, seq, reason, "alert")
        self._delete("seq NOT IN (SELECT seq FROM owed) AND seq < ?", (first_new_seq,))
        return [(side, seq, "alert") for side, seq in owed]

    def _delete(self, condition: str, values: tuple[int, ...]) -> int:
        found = self._connection.execute(
            f"SELECT seq, {_SIZE} FROM row WHERE {condition} ORDER BY seq LIMIT ?",  # noqa: S608 - constant
            (*values, PIECE),
        ).fetchall()
        for table in ("row", "attachment", "variant"):
            self._connection.executemany(
                f"DELETE FROM {table} WHERE seq = ?",  # noqa: S608 - constant
                [(seq,) for seq, _ in found],
            )
        self._bytes -= sum(size for _, size in found)
        return len(found)
