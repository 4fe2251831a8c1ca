"""Which commands were taken of late, on disk: a restart does not let one be taken twice."""

import sqlite3
import threading
from pathlib import Path

import structlog

from edge.trust.keys import Refused

SEEN_FILE = "commands.db"  # in the state folder
BUSY_MS = 2_000
_TABLES = """
CREATE TABLE IF NOT EXISTS seen (
    digest BLOB PRIMARY KEY,         -- SHA-256 of what was signed
    taken_utc_ns INTEGER NOT NULL,
    issued_utc_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS forgotten (issued_utc_ns INTEGER NOT NULL);
"""

log = structlog.get_logger()

Note = tuple[bytes, int, int]
"""(digest, taken, issued)."""


class SeenNotes:
    """A small file; any thread may call."""

    def __init__(self, path: Path, *, forget_until_utc_ns: int) -> None:
        """Open or make it. OSError or sqlite3.Error where it can be neither.

        forget_until_utc_ns  where the file is damaged, nothing issued until then is to be taken:
                             it may have been before
        """
        self._path = path
        self._lock = threading.Lock()  # closing what another thread uses would crash SQLite
        try:
            self._connection = _open(path)
            self.seen: list[Note] = self._connection.execute(
                "SELECT digest, taken_utc_ns, issued_utc_ns FROM seen ORDER BY taken_utc_ns"
            ).fetchall()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            log.error("notes of commands damaged, begun anew", path=str(path), error=str(error))
            for part in ("", "-wal", "-shm"):
                path.with_name(path.name + part).unlink(missing_ok=True)
            self._connection = _open(path)
            self.seen = []
            self.forget([], forget_until_utc_ns)
        found = self._connection.execute("SELECT max(issued_utc_ns) FROM forgotten").fetchone()
        self.forgotten_utc_ns: int = found[0] or 0
        """What was issued until then may have been taken."""

    def add(self, note: Note, *, taken_before_utc_ns: int) -> None:
        """Note a command before it is carried out, and drop what is older. Refused where the disk
        does not take it: it could be taken twice."""
        try:
            with self._lock, self._connection as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(
                    "DELETE FROM seen WHERE taken_utc_ns < ?", (taken_before_utc_ns,)
                )
                connection.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", note)
        except sqlite3.Error as error:
            log.error("command not noted", path=str(self._path), error=str(error))
            raise Refused("not-recorded", "the disk takes no note of it") from error

    def forget(self, digests: list[bytes], issued_utc_ns: int) -> None:
        """Drop some before their time: nothing issued until then is to be taken any more."""
        with self._lock, self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("DELETE FROM seen WHERE digest = ?", [(one,) for one in digests])
            connection.execute("DELETE FROM forgotten WHERE issued_utc_ns < ?", (issued_utc_ns,))
            connection.execute("INSERT INTO forgotten VALUES (?)", (issued_utc_ns,))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # after a power cut a replay is as easy
        connection.executescript(_TABLES)
    except BaseException:  # whatever ends it: the file must not stay open
        connection.close()
        raise
    return connection
