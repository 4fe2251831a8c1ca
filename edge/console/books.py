"""What is on disk of a checkpoint, read beside the service that writes it.

The outbox holds every alert as one side gets it, the record how both sides handled them. Both are
SQLite in write-ahead mode: reading never holds up the service, and what it committed is here
whether or not a broker is.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.delivery import variants
from edge.delivery.rows import Row, read_row
from edge.record.entries import Entry, decode

ROWS_AT_ONCE = 500
BUSY_S = 1.0


class BooksError(Exception):
    """A file cannot be read now; the message says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOfAlert:
    """A file of evidence: where its bytes lie."""

    seq: int
    n: int
    name: str
    media_type: str
    sha256: str
    size_bytes: int


class OutboxBook:
    """The outbox as one side sees it. One thread."""

    def __init__(self, path: Path, side: str) -> None:
        """Nothing is opened before it is there: the service makes it."""
        self._side = side
        self._file = _ReadOnly(path)

    def changed(self) -> bool:
        """Whether anything was written since the last time; costs microseconds."""
        return self._file.changed()

    def rows(self, after_seq: int, limit: int = ROWS_AT_ONCE) -> list[Row]:
        """What the side was meant to get after a sequence number, in order. BooksError."""
        found = self._file.all(
            f"SELECT {variants.ROW_OF_SIDE} WHERE row.seq > ? ORDER BY row.seq LIMIT ?",
            (self._side, after_seq, limit),
        )
        return [read_row(values) for values in found]

    def row(self, seq: int) -> Row | None:
        """One of them, while it is kept. BooksError."""
        found = self.rows(seq - 1, 1)
        return found[0] if found and found[0].seq == seq else None

    def stored(self) -> dict[str, tuple[int, int]]:
        """By side: up to which number its centre has stored, and how many wait. BooksError."""
        found = self._file.all(
            "SELECT name, cursor_seq, (SELECT count(*) FROM owed WHERE owed.side = side.name),"
            " (SELECT min(seq) FROM owed WHERE owed.side = side.name),"
            " (SELECT coalesce(max(seq), 0) FROM row) FROM side"
        )
        return {
            name: (max(cursor, last if first is None else first - 1), waiting)
            for name, cursor, waiting, first, last in found
        }

    def files(self, sha256: str) -> list[FileOfAlert]:
        """Where a file with that digest is, of those that the side may have. BooksError."""
        found = self._file.all(
            "SELECT seq, n, name, media_type, sha256, length(payload) FROM attachment AS a"
            " WHERE sha256 = ? AND NOT EXISTS (SELECT 1 FROM variant AS v,"
            " json_each(v.withheld) AS each WHERE v.seq = a.seq AND v.side = ?"
            " AND each.value = a.n) ORDER BY seq DESC LIMIT 1",
            (sha256, self._side),
        )
        return [
            FileOfAlert(seq=seq, n=n, name=name, media_type=kind, sha256=digest, size_bytes=size)
            for seq, n, name, kind, digest, size in found
        ]

    def part(self, file: FileOfAlert, first: int, length: int) -> bytes:
        """Bytes of a file. BooksError."""
        found = self._file.all(
            "SELECT substr(payload, ?, ?) FROM attachment WHERE seq = ? AND n = ?",
            (first + 1, length, file.seq, file.n),
        )
        if not found:
            raise BooksError(f"file {file.sha256} is not kept any more")
        return bytes(found[0][0])

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class RecordBook:
    """The common record, read on from where it was left. One thread."""

    def __init__(self, path: Path) -> None:
        """Nothing is opened before it is there."""
        self._file = _ReadOnly(path)

    def changed(self) -> bool:
        """Whether anything was written since the last time."""
        return self._file.changed()

    def entries(self, first: int) -> Iterator[Entry]:
        """All from there on, in order. BooksError."""
        while True:
            found = self._file.all(
                "SELECT data FROM entry WHERE number >= ? ORDER BY number LIMIT ?",
                (first, ROWS_AT_ONCE),
            )
            for (data,) in found:
                yield decode(data)
            if len(found) < ROWS_AT_ONCE:
                return
            first += len(found)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _ReadOnly:
    """A file that another process writes; opened when it is there, again when it was replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: tuple[sqlite3.Connection, int] | None = None
        self._version: tuple[int, int] | None = None

    def changed(self) -> bool:
        """Whether it is another version than the last time this was asked."""
        try:
            connection, inode = self._connection()
            (version,) = connection.execute("PRAGMA data_version").fetchone()
        except (BooksError, sqlite3.Error):
            return False
        seen, self._version = self._version, (inode, version)
        return self._version != seen

    def all(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Every row of a query. BooksError."""
        connection, _ = self._connection()
        try:
            return connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise BooksError(f"{self._path}: {error}") from error

    def close(self) -> None:
        if self._open is not None:
            self._open[0].close()
        self._open = None

    def _connection(self) -> tuple[sqlite3.Connection, int]:
        try:
            inode = self._path.stat().st_ino
        except OSError as error:
            self.close()
            raise BooksError(f"{self._path}: not there ({error.strerror})") from error
        if self._open is not None and self._open[1] != inode:
            self.close()
        if self._open is None:
            try:
                connection = sqlite3.connect(
                    f"file:{self._path}?mode=ro",
                    uri=True,
                    isolation_level=None,
                    check_same_thread=False,
                    timeout=BUSY_S,
                )
                connection.execute("PRAGMA query_only = 1")
            except sqlite3.Error as error:
                raise BooksError(f"{self._path}: {error}") from error
            self._open = connection, inode
        return self._open
