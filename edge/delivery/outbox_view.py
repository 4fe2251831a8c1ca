"""The outbox's file as another process reads it: beside the running service, changing nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from edge.delivery import dead_letters, variants
from edge.delivery.outbox_file import BUSY_MS, SCHEMA_VERSION, OutboxError
from edge.delivery.rows import DeadLetter, Mark, Row, read_row

PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SideView:
    """How far one side is."""

    side: str
    waiting: int
    """Rows that it has not confirmed."""
    oldest_utc_ns: int | None
    """When the oldest of them was made."""
    cursor: Mark
    """What its centre last said it has stored; `ORIGIN` where it keeps none."""
    since_seq: int
    """Rows up to here were never meant for it."""
    dead: tuple[DeadLetter, ...]
    asked_again: frozenset[int]
    """Of these, rows that are going to be tried again."""


class OutboxView:
    """One consistent look at an outbox."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        (self._version,) = connection.execute("PRAGMA user_version").fetchone()
        if self._version > SCHEMA_VERSION:
            raise OutboxError(f"outbox {path}: written by a newer Garita; run that version")

    @property
    def last_seq(self) -> int:
        """The last number that was given."""
        query = "SELECT seq FROM sqlite_sequence WHERE name = 'row'"
        found = self._connection.execute(query).fetchone()
        return int(found[0]) if found else 0

    def sides(self) -> list[SideView]:
        """All that it delivers to, and those that it no longer does but has dead letters of."""
        marks = {
            name: (Mark(epoch=epoch, seq=seq), since)
            for name, epoch, seq, since in self._connection.execute(
                "SELECT name, cursor_epoch, cursor_seq, since_seq FROM side"
            )
        }
        dead = dead_letters.find_all(self._connection, None)
        return [
            self._side(name, *marks.get(name, (Mark(epoch="", seq=0), 0)), dead)
            for name in sorted({*marks, *(letter.side for letter in dead)})
        ]

    def configured(self) -> list[str]:
        """The sides that it delivers to."""
        found = self._connection.execute("SELECT name FROM side ORDER BY name")
        return [name for (name,) in found]

    def released(self, side: str, first: int, last: int) -> Iterator[Row]:
        """Rows of a range as a side gets them, oldest first; none that was not meant for it."""
        while first <= last:
            found = self._connection.execute(
                f"SELECT {variants.ROW_OF_SIDE} WHERE row.seq BETWEEN ? AND ?"  # noqa: S608 - constant
                " AND row.seq > (SELECT since_seq FROM side WHERE name = ?)"
                " ORDER BY row.seq LIMIT ?",
                (side, first, last, side, PAGE),
            ).fetchall()
            yield from map(read_row, found)
            first = last + 1 if len(found) < PAGE else found[-1][0] + 1

    def _side(self, name: str, cursor: Mark, since_seq: int, dead: list[DeadLetter]) -> SideView:
        waiting, oldest_utc_ns = self._connection.execute(
            "SELECT count(*), min(created_utc_ns) FROM owed LEFT JOIN row USING (seq)"
            " WHERE side = ?",
            (name,),
        ).fetchone()
        # A file that no Garita of today has opened yet has no such table.
        asked = dead_letters.to_retry(self._connection, name) if self._version >= 4 else []
        return SideView(
            side=name,
            waiting=waiting,
            oldest_utc_ns=oldest_utc_ns,
            cursor=cursor,
            since_seq=since_seq,
            dead=tuple(letter for letter in dead if letter.side == name),
            asked_again=frozenset(asked),
        )


@contextmanager
def looking(path: Path) -> Iterator[OutboxView]:
    """Open it for reading alone. OutboxError where that cannot be done."""
    if not path.exists():
        raise OutboxError(f"outbox {path}: there is none; name the folder of `state_dir`")
    try:
        with closing(_connect(path)) as connection:
            connection.execute("BEGIN")  # what is read belongs together
            yield OutboxView(connection, path)
    except sqlite3.Error as error:
        raise OutboxError(f"outbox {path}: cannot be read ({error})") from error


def _connect(path: Path) -> sqlite3.Connection:
    # On a medium that cannot be written there is no log beside it, and nobody writes.
    wal = path.with_name(f"{path.name}-wal").exists()
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        connection.execute("SELECT 1 FROM side").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        if wal:
            raise
        return sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)
    return connection
