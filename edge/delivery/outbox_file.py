"""The outbox's file: its tables, how it is opened, and what can be wrong with it."""

import os
import sqlite3
import time
from pathlib import Path

SCHEMA_VERSION = 4
"""1 had no attachments, 2 no variants, 3 no retries: opening such a file adds their tables, and
nothing else is different."""

_TABLES = """
CREATE TABLE IF NOT EXISTS row (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    epoch TEXT NOT NULL,
    exercise INTEGER NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    active_topic TEXT NOT NULL,
    active_payload BLOB NOT NULL,
    level INTEGER NOT NULL,
    created_utc_ns INTEGER NOT NULL,
    properties TEXT NOT NULL
);
-- What a side has still to confirm, one line per side and row.
CREATE TABLE IF NOT EXISTS owed (
    side TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (side, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS side (
    name TEXT PRIMARY KEY,
    since_seq INTEGER NOT NULL,      -- rows up to here were never meant for it
    cursor_epoch TEXT NOT NULL,
    cursor_seq INTEGER NOT NULL,     -- what its centre last said it has stored
    active_seq INTEGER NOT NULL      -- its broker has every retained change up to here
);
CREATE TABLE IF NOT EXISTS dead (
    side TEXT NOT NULL,
    seq INTEGER NOT NULL,
    part TEXT NOT NULL,              -- 'alert', 'active', or 'evidence/' and the file's number
    epoch TEXT NOT NULL,
    topic TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_utc_ns INTEGER NOT NULL,
    PRIMARY KEY (side, seq, part)
);
CREATE INDEX IF NOT EXISTS dead_seq ON dead (seq);
-- Rows whose dead letters somebody wants to be tried again; the letters stay until that succeeds.
CREATE TABLE IF NOT EXISTS retry (
    side TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (side, seq)
) WITHOUT ROWID;
-- The last retained payload of each active topic; an empty one clears it.
CREATE TABLE IF NOT EXISTS active (
    topic TEXT PRIMARY KEY,
    payload BLOB NOT NULL,
    seq INTEGER NOT NULL,
    created_utc_ns INTEGER NOT NULL
);
-- Files that are sent before the row that names them, and go when it goes.
CREATE TABLE IF NOT EXISTS attachment (
    seq INTEGER NOT NULL,
    n INTEGER NOT NULL,
    topic TEXT NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (seq, n)
);
-- What a side gets in place of a row, where that is less than the whole; goes when the row goes.
CREATE TABLE IF NOT EXISTS variant (
    seq INTEGER NOT NULL,
    side TEXT NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    active_topic TEXT NOT NULL,
    active_payload BLOB NOT NULL,
    properties TEXT NOT NULL,
    withheld TEXT NOT NULL,          -- numbers of the files that it does not get, a JSON list
    rules TEXT NOT NULL,             -- names of the rules, a JSON list
    PRIMARY KEY (seq, side)
);
-- The same of the retained topics, by the topic of the whole; goes when that goes.
CREATE TABLE IF NOT EXISTS active_variant (
    topic TEXT NOT NULL,
    side TEXT NOT NULL,
    side_topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (topic, side)
);
CREATE TABLE IF NOT EXISTS epoch (
    first_seq INTEGER PRIMARY KEY,
    epoch TEXT NOT NULL
);
"""

WAL_PAGES = 100  # 400 kB: a short log keeps recovery after a power cut under a millisecond
BUSY_MS = 5000  # another process (`garita outbox`) may hold the write lock for one statement

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class OutboxError(Exception):
    """The outbox's file cannot be opened, read or written; the message says what to do.

    From `Outbox.commit` it means that nothing of the call was stored and that the same rows
    may be committed again.
    """


def new_epoch() -> str:
    """A new ULID: 48 bits of milliseconds, 80 of chance, in Crockford's base 32."""
    number = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(os.urandom(10))
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def connect(path: Path, synchronous: str) -> sqlite3.Connection:
    """One more connection to the file; the caller sees to it that one thread uses it at a time."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def open_checked(path: Path) -> sqlite3.Connection:
    """Open the outbox's file, made where there is none. OutboxError says why it cannot be used."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = connect(path, "FULL")
        try:
            _prepare(connection, path)
        except BaseException:  # whatever ends it: the file must not stay open
            connection.close()
            raise
    except (OSError, sqlite3.Error) as error:
        raise OutboxError(_explain(path, error)) from error
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise OutboxError(
            f"outbox {path}: written by a newer Garita (form {version}, this one reads "
            f"{SCHEMA_VERSION}); run that version, or name another state folder"
        )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(
        f"BEGIN IMMEDIATE;{_TABLES}PRAGMA user_version = {SCHEMA_VERSION};COMMIT"
    )


def _explain(path: Path, error: Exception) -> str:
    if isinstance(error, OSError | sqlite3.OperationalError):
        return (
            f"outbox {path}: cannot be opened ({error}); check the disk, "
            "that the state folder exists and that this user may write to it"
        )
    return (
        f"outbox {path}: damaged ({error}); alerts in it that no centre has stored may be lost. "
        "Keep the file for the engineer: move it and its -wal file away, then start again"
    )
