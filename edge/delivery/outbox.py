"""The outbox: an alert is on disk before anyone tries to send it.

One line per side is owed until that side's centre says "stored up to seq N", or, for a side
that keeps no cursor, until its broker has acknowledged. Sequence numbers count per site
without gaps, across boots; an epoch is one boot.

Only commits of alerts wait for the disk: losing the newest bookkeeping at a power cut costs a
duplicate, never an alert. Which errors pass by themselves: `edge.delivery.connections`.
"""

import bisect
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import structlog

from edge.delivery import dead_letters, retention, variants
from edge.delivery.connections import Connections
from edge.delivery.outbox_file import OutboxError, new_epoch
from edge.delivery.retention import Buried, Limits
from edge.delivery.rows import (
    COLUMNS,
    EVIDENCE,
    ORIGIN,
    ActiveTopic,
    Attachment,
    DeadLetter,
    Mark,
    Row,
    read_row,
    row_values,
)

__all__ = [
    "ORIGIN",
    "ActiveTopic",
    "Attachment",
    "DeadLetter",
    "Limits",
    "Mark",
    "Outbox",
    "OutboxError",
    "Row",
]

log = structlog.get_logger()


class Outbox:
    """Alerts that are committed, and who has yet to confirm them."""

    def __init__(
        self,
        path: Path,
        sides: Sequence[str],
        *,
        limits: Limits | None = None,
        epoch: str | None = None,
        on_dead_letter: Callable[[DeadLetter], None] | None = None,
    ) -> None:
        """Open or make the file. OutboxError where it is damaged or cannot be written.

        on_dead_letter  told of every new dead letter, from whichever thread caused it
        """
        self.path = path
        self.sides = tuple(sides)
        self.epoch = epoch or new_epoch()
        self._limits = limits or Limits()
        self._on_dead_letter = on_dead_letter
        self._telling = threading.Lock()
        self._bursts = dead_letters.Bursts()
        self._owed_after: dict[str, int] = {}
        """By side, the cursor, once every row after it that the side may have is owed."""
        self._file = Connections(path)
        with self._file.writing(self._file.alerts) as connection:
            dead = retention.register_sides(connection, self.sides)
            row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name='row'").fetchone()
            self.last_seq: int = row[0] if row else 0
            self._epochs: list[tuple[int, str]] = connection.execute(
                "SELECT first_seq, epoch FROM epoch ORDER BY first_seq"
            ).fetchall()
        self._keeper = retention.Keeper(self._file.alerts, self._limits)
        self._tell(dead)

    # --- writing -----------------------------------------------------------------------

    def commit(self, rows: Sequence[Row]) -> None:
        """Put rows on disk, all or none, and wait until they are there.

        ValueError where the numbers do not follow `last_seq`. OutboxError where the disk is
        full or fails: nothing was stored, and the same rows may be tried again. Any other
        sqlite3.Error is not worth another attempt.
        """
        dead: list[Buried] = []
        with self._file.lock:
            expected = range(self.last_seq + 1, self.last_seq + 1 + len(rows))
            if [row.seq for row in rows] != list(expected):
                raise ValueError(f"the next sequence number is {self.last_seq + 1}")
            if not rows:
                return
            with self._file.transaction(self._file.alerts) as connection:
                self._insert(connection, rows)
            for row in rows:
                if not self._epochs or self._epochs[-1][1] != row.epoch:
                    self._epochs = [*self._epochs, (row.seq, row.epoch)]
            self.last_seq = rows[-1].seq
            try:
                dead = self._keeper.keep(rows)
            except sqlite3.Error as error:  # the rows are safe; tidying comes up again
                log.warning("outbox not tidied", path=str(self.path), error=str(error))
        self._tell(dead)

    def _insert(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
        known = self._epochs[-1][1] if self._epochs else None
        for row in rows:
            if row.epoch != known:
                connection.execute("INSERT INTO epoch VALUES (?, ?)", (row.seq, row.epoch))
                known = row.epoch
        connection.executemany(
            f"INSERT INTO row ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)",  # noqa: S608 - constant
            [row_values(row) for row in rows],
        )
        connection.executemany(
            "INSERT INTO attachment VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (row.seq, a.n, a.topic, a.name, a.media_type, a.sha256, a.payload)
                for row in rows
                for a in row.attachments
            ],
        )
        variants.insert(connection, rows)
        connection.executemany(
            "INSERT INTO owed VALUES (?, ?)",
            [(side, row.seq) for side in self.sides for row in rows],
        )
        connection.executemany(
            "INSERT OR REPLACE INTO active VALUES (?, ?, ?, ?)",
            [
                (row.active_topic, row.active_payload, row.seq, row.created_utc_ns)
                for row in rows
                if row.active_topic
            ],
        )

    def mark_acked(self, side: str, seq: int) -> None:
        """A side that keeps no cursor has taken every row up to `seq`."""
        with self._file.writing(self._file.notes) as connection:
            connection.execute("DELETE FROM owed WHERE side = ? AND seq <= ?", (side, seq))
            self._owed_after.pop(side, None)

    def mark_active(self, side: str, seq: int) -> None:
        """A side's broker holds every retained change up to `seq`."""
        with self._file.writing(self._file.notes) as connection:
            connection.execute(
                "UPDATE side SET active_seq = max(active_seq, ?) WHERE name = ?", (seq, side)
            )

    def store_cursor(self, side: str, seq: int, epoch: str = "") -> None:
        """A side's centre has stored every row up to `seq`, and nothing after it.

        A cursor that went back (a centre restored from a backup) owes the side the rows
        after it once more, as far as they are still kept.
        """
        with self._file.writing(self._file.notes) as connection:
            connection.execute(
                "UPDATE side SET cursor_epoch = ?, cursor_seq = ? WHERE name = ?",
                (epoch or self.epoch_of(seq), seq, side),
            )
            connection.execute("DELETE FROM owed WHERE side = ? AND seq <= ?", (side, seq))
            # Looking for what to owe again takes long behind a backlog.
            if seq < self._owed_after.get(side, self.last_seq + 1):
                connection.execute(
                    "INSERT OR IGNORE INTO owed SELECT side.name, row.seq FROM row, side"
                    " WHERE side.name = ? AND row.seq > ? AND row.seq > since_seq AND NOT EXISTS"
                    " (SELECT 1 FROM dead WHERE dead.side = side.name AND dead.seq = row.seq"
                    "  AND part = 'alert')",
                    (side, seq),
                )
        self._owed_after[side] = seq

    def dead_letter(self, side: str, seq: int, reason: str, *, part: str = "alert") -> bool:
        """A side refuses a row for good. True where that was not yet known."""
        with self._file.writing(self._file.notes) as connection:
            new = retention.bury(connection, side, seq, reason, part)
        self._tell([(side, seq, part)] if new else [])
        return new

    def take_retry(self, side: str, seq: int) -> Row | None:
        """A row that is tried again, with all its files; None where it is no longer kept."""
        with self._file.writing(self._file.notes) as connection:
            connection.execute(
                "DELETE FROM dead WHERE side = ? AND seq = ? AND part != 'alert'", (side, seq)
            )
            found = connection.execute(
                f"SELECT {variants.ROW_OF_SIDE} WHERE row.seq = ?",
                (side, seq),
            ).fetchone()
        return None if found is None else read_row(found)

    def retried(self, side: str, seq: int, refusal: str) -> None:
        """What came of it; without a refusal the row is no dead letter any more."""
        with self._file.writing(self._file.notes) as connection:
            dead_letters.retried(connection, side, seq, refusal)

    # --- reading -----------------------------------------------------------------------

    def retries(self, side: str) -> list[int]:
        """Rows whose dead letters are to be tried again, oldest first; not all at once."""
        with self._file.reading() as connection:
            return dead_letters.to_retry(connection, side)

    def pending(self, side: str, after_seq: int, limit: int) -> list[Row]:
        """Up to `limit` rows meant for a side after `after_seq`, oldest first, as it gets them."""
        with self._file.reading() as connection:
            found = connection.execute(
                f"SELECT {variants.ROW_OF_SIDE} WHERE row.seq > max(?,"  # noqa: S608 - constant
                " (SELECT since_seq FROM side WHERE name = ?)) AND NOT EXISTS"
                " (SELECT 1 FROM dead WHERE dead.side = ? AND dead.seq = row.seq"
                "  AND part = 'alert') ORDER BY row.seq LIMIT ?",
                (side, after_seq, side, side, limit),
            ).fetchall()
        return [read_row(values) for values in found]

    def whole(self, after_seq: int, limit: int) -> list[Row]:
        """Up to `limit` rows after `after_seq`, oldest first, whoever they are for."""
        with self._file.reading() as connection:
            found = connection.execute(
                f"SELECT {COLUMNS} FROM row WHERE seq > ? ORDER BY seq LIMIT ?",  # noqa: S608
                (after_seq, limit),
            ).fetchall()
            rows = [read_row(values) for values in found]
            return [replace(row, variants=variants.of_row(connection, row.seq)) for row in rows]

    def attachments(self, side: str, seq: int) -> list[Attachment]:
        """The files of a row that a side may have and has not refused, in their order."""
        with self._file.reading() as connection:
            found = connection.execute(
                "SELECT n, topic, name, media_type, sha256, payload FROM attachment"  # noqa: S608
                " WHERE seq = ? AND NOT EXISTS"
                " (SELECT 1 FROM dead WHERE dead.side = ? AND dead.seq = ?"
                f"  AND part = ? || '/' || n) AND NOT {variants.IS_WITHHELD} ORDER BY n",
                (seq, side, seq, EVIDENCE, seq, side),
            ).fetchall()
        return [
            Attachment(n=n, topic=topic, name=name, media_type=kind, sha256=sha256, payload=payload)
            for n, topic, name, kind, sha256, payload in found
        ]

    def predecessor(self, side: str, seq: int, floor: int) -> Mark | None:
        """The last row before `seq` and after `floor` that a side was not denied."""
        with self._file.reading() as connection:
            found = connection.execute(
                "SELECT epoch, seq FROM row WHERE seq < ? AND seq > ? AND NOT EXISTS"
                " (SELECT 1 FROM dead WHERE dead.side = ? AND dead.seq = row.seq"
                "  AND part = 'alert') ORDER BY seq DESC LIMIT 1",
                (seq, floor, side),
            ).fetchone()
        return Mark(epoch=found[0], seq=found[1]) if found else None

    def kept(self, side: str, first: int, last: int) -> tuple[int, int | None]:
        """How many rows of a range a side can be sent, and the number of the first of them."""
        with self._file.reading() as connection:
            count, lowest = connection.execute(
                "SELECT count(*), min(seq) FROM row WHERE seq BETWEEN ? AND ?"
                " AND seq > (SELECT since_seq FROM side WHERE name = ?) AND NOT EXISTS"
                " (SELECT 1 FROM dead WHERE dead.side = ? AND dead.seq = row.seq"
                "  AND part = 'alert')",
                (first, last, side, side),
            ).fetchone()
        return int(count), lowest

    def done_seq(self, side: str) -> int:
        """Every row up to here is settled for a side."""
        with self._file.reading() as connection:
            last_seq = self.last_seq  # before the query: a row committed since is then owed
            (first,) = connection.execute(
                "SELECT min(seq) FROM owed WHERE side = ?", (side,)
            ).fetchone()
        return last_seq if first is None else int(first) - 1

    def cursor(self, side: str) -> Mark:
        """What a side's centre last said it has stored."""
        with self._file.reading() as connection:
            epoch, seq = connection.execute(
                "SELECT cursor_epoch, cursor_seq FROM side WHERE name = ?", (side,)
            ).fetchone()
        return Mark(epoch=epoch, seq=seq)

    def active_topics(self, side: str | None = None) -> list[ActiveTopic]:
        """The last word on every retained topic, oldest first; empty payloads clear.

        side  as this side gets them; the whole without it
        """
        with self._file.reading() as connection:
            return variants.active_topics(connection, side)

    def depth(self, side: str) -> int:
        """Rows that a side has not confirmed."""
        with self._file.reading() as connection:
            (count,) = connection.execute(
                "SELECT count(*) FROM owed WHERE side = ?", (side,)
            ).fetchone()
        return int(count)

    def oldest_utc_ns(self, side: str) -> int | None:
        """When the oldest row that a side has not confirmed was made."""
        with self._file.reading() as connection:
            found = connection.execute(
                "SELECT created_utc_ns FROM row JOIN owed USING (seq) WHERE side = ?"
                " ORDER BY seq LIMIT 1",
                (side,),
            ).fetchone()
        return int(found[0]) if found else None

    def dead_letters(self, side: str | None = None) -> list[DeadLetter]:
        """What was refused or given up, oldest first."""
        with self._file.reading() as connection:
            return dead_letters.find_all(connection, side)

    def count_dead(self, side: str) -> int:
        """How many dead letters a side has."""
        with self._file.reading() as connection:
            (count,) = connection.execute(
                "SELECT count(*) FROM dead WHERE side = ?", (side,)
            ).fetchone()
        return int(count)

    def epoch_of(self, seq: int) -> str:
        """The boot that counted a number; `""` where it is not one of ours."""
        epochs = self._epochs
        at = bisect.bisect_right(epochs, seq, key=lambda entry: entry[0]) - 1
        return epochs[at][1] if at >= 0 and seq <= self.last_seq else ""

    def knows(self, mark: Mark) -> bool:
        """Whether a mark is one of this outbox's rows, kept or not, or the origin."""
        return mark == ORIGIN or (mark.epoch != "" and self.epoch_of(mark.seq) == mark.epoch)

    @property
    def trouble(self) -> str:
        """Why nothing can be written, such as `disk full`; `""` while it can."""
        return self._file.trouble

    def close(self) -> None:
        """Close the file; further calls raise OutboxError."""
        self._file.close()

    def _tell(self, buried: Sequence[Buried]) -> None:
        if not buried:
            return
        with self._file.reading() as connection:
            letters = dead_letters.find(connection, buried)
        with self._telling:
            self._bursts.tell(letters)
        if self._on_dead_letter is None:
            return
        for letter in letters:
            try:
                self._on_dead_letter(letter)
            except Exception as error:  # noqa: BLE001 - the rows are stored whatever it says
                log.error("hook failed", error=repr(error))
