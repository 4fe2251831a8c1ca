"""The outbox's connections to its file, and which of their errors pass by themselves.

One writer at a time, guarded by a lock; readers take connections of their own, so a slow
side never waits for the other.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.delivery.outbox_file import OutboxError, connect, open_checked

PASSING = {
    sqlite3.SQLITE_FULL: "disk full",
    sqlite3.SQLITE_IOERR: "disk fails",
    sqlite3.SQLITE_READONLY: "not writable",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_PERM: "not permitted",
    sqlite3.SQLITE_BUSY: "held by another process",
    sqlite3.SQLITE_LOCKED: "held by another thread",
    sqlite3.SQLITE_PROTOCOL: "held by another process",
    sqlite3.SQLITE_NOMEM: "out of memory",
}
"""What may be different next time, in words. All else is a mistake in Garita or a damaged file:
trying again changes nothing, so it ends the service, and a restart says what is wrong."""


class Connections:
    """To one outbox file."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. OutboxError where that cannot be done."""
        self._path = path
        self.lock = threading.Lock()
        """Held while something is written."""
        self.trouble = ""
        """Why the last writing failed, in two words; `""` once one succeeds."""
        # A lock of its own: who reads must not wait for the disk that a commit waits for.
        self._pool_lock = threading.Lock()
        self._readers: list[sqlite3.Connection] = []
        self._closed = False
        self.alerts = open_checked(path)
        # Bookkeeping need not wait for the disk; SQLite keeps the order of what was written.
        self.notes = connect(path, "NORMAL")

    def close(self) -> None:
        """Close the file; further calls raise OutboxError."""
        with self.lock, self._pool_lock:
            self._closed = True
            for connection in [*self._readers, self.notes, self.alerts]:
                connection.close()
            self._readers.clear()

    @contextmanager
    def writing(self, connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
        """A transaction of its own."""
        with self.lock, self.transaction(connection):
            yield connection

    @contextmanager
    def transaction(self, connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
        """The same, for who holds the lock. OutboxError where another attempt may succeed."""
        if self._closed:
            raise OutboxError(f"outbox {self._path}: closed")
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:  # whatever ends it: no half transaction may stay open
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            why = passing(error)
            if not why:
                raise
            self.trouble = why
            raise OutboxError(
                f"outbox {self._path}: not written ({error}); check the disk and its free space"
            ) from error
        self.trouble = ""

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for one query at a time; at most as many as ask at once."""
        with self._pool_lock:
            if self._closed:
                raise OutboxError(f"outbox {self._path}: closed")
            connection = self._readers.pop() if self._readers else None
        try:
            if connection is None:
                connection = connect(self._path, "NORMAL")
            yield connection
        except sqlite3.Error as error:
            if not passing(error):
                raise
            raise OutboxError(f"outbox {self._path}: not read ({error})") from error
        finally:
            if connection is not None:
                with self._pool_lock:
                    if self._closed:
                        connection.close()
                    else:
                        self._readers.append(connection)


def passing(error: sqlite3.Error) -> str:
    """Why another attempt may succeed, `""` where it cannot."""
    # Errors of the Python module itself carry no code: they are mistakes.
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE)
    return PASSING.get(code & 0xFF, "")  # the upper bytes only tell the kind more precisely
