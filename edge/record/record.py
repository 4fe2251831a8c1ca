"""The common record of a site on disk: entries in order, and the hashes that prove them.

One SQLite file, beside the outbox and apart from it: an alert never waits for the record. What is
here is only ever added to. Adding does not wait for the disk, signing does: nothing is vouched for
that a power cut could take back, and alerts that it takes are still in the outbox.
"""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from edge.protocol.messages import rfc3339
from edge.record import merkle
from edge.record.entries import Draft, Entry, decode, encode
from edge.record.note import Checkpoint, Note, SignsAs, sign

RECORD_FILE = "record.db"  # in the state folder, beside the outbox
TIMEOUT_S = 5.0
FORMAT = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS entry (number INTEGER PRIMARY KEY, data BLOB NOT NULL);
-- Hashes of complete subtrees in the order in which they were completed: see merkle.place.
CREATE TABLE IF NOT EXISTS hash (number INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
-- The last word of each witness: a signed note with its cosignature.
CREATE TABLE IF NOT EXISTS witness (
    side TEXT PRIMARY KEY, size INTEGER NOT NULL, seen_utc_ns INTEGER NOT NULL, note TEXT NOT NULL
);
"""


class RecordError(Exception):
    """The record cannot be read or written; the message says which file, why and what to do."""


def origin_of(site: str) -> str:
    """What checkpoints of a site's record call it, and the name of the key that signs them."""
    return f"garita/{site}"


class Record:
    """A record; any thread may call."""

    def __init__(
        self, path: Path, *, site: str, now_utc_ns: Callable[[], int], read_only: bool = False
    ) -> None:
        """Open or make the file. RecordError where it is damaged or of another site."""
        self.path = path
        self.site = site
        self._now_utc_ns = now_utc_ns
        self._lock = threading.Lock()
        try:
            self._connection = _open(path, read_only=read_only)
            self._check_site(read_only=read_only)
            self.size = self._count()
            """How many entries there are."""
            self._peaks = self._find_peaks()
        except sqlite3.Error as error:
            raise RecordError(f"record {path}: {error}; it is kept as it is") from error

    # --- adding --------------------------------------------------------------------------

    def append(self, drafts: Sequence[Draft]) -> range:
        """Enter them in this order, all or none; their places. RecordError: nothing was entered."""
        with self._lock:
            time = rfc3339(self._now_utc_ns())
            entries = [
                encode(
                    Entry(
                        site=self.site,
                        index=index,
                        time=time,
                        kind=one.kind,
                        by=one.by,
                        key=one.key,
                        place=one.place,
                        facts=one.facts,
                    )
                )
                for index, one in enumerate(drafts, self.size)
            ]
            self._add(entries)
            return range(self.size - len(entries), self.size)

    def append_bytes(self, entries: Sequence[bytes]) -> None:
        """The same of entries that another wrote, as a copy has them; their places must fit.

        ValueError where one is no entry of this site at its place.
        """
        with self._lock:
            for index, data in enumerate(entries, self.size):
                one = decode(data)
                if (one.site, one.index) != (self.site, index) or encode(one) != data:
                    raise ValueError(f"it is not entry {index} of {self.site}")
            self._add(entries)

    def _add(self, entries: Sequence[bytes]) -> None:
        new: list[bytes] = []
        peaks, size = dict(self._peaks), self.size
        for data in entries:
            grown = merkle.completed(
                size, merkle.leaf_hash(data), lambda level, _index: peaks[level]
            )
            for level, index, found in grown:
                new.append(found)
                if not index & 1:  # its right brother will ask for it
                    peaks[level] = found
            size += 1
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany(
                    "INSERT INTO entry VALUES (?, ?)", enumerate(entries, self.size)
                )
                self._connection.executemany(
                    "INSERT INTO hash VALUES (?, ?)", enumerate(new, merkle.place(0, self.size))
                )
        except sqlite3.Error as error:
            raise RecordError(
                f"record {self.path}: not written ({error}); check the disk and its free space"
            ) from error
        self.size, self._peaks = size, peaks

    # --- telling -------------------------------------------------------------------------

    def entries(self, first: int = 0, limit: int = 1_000) -> list[bytes]:
        """Up to so many from there on, in order. RecordError."""
        with self._lock:
            found = self._rows(
                "SELECT data FROM entry WHERE number >= ? ORDER BY number LIMIT ?", (first, limit)
            )
        return [data for (data,) in found]

    def root(self, size: int | None = None) -> bytes:
        """Of the first so many entries; of all. ValueError: there are fewer."""
        with self._lock:
            return merkle.root(self._at_most(size), self.hash_at)

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """That an entry is at its place. ValueError: there is none."""
        with self._lock:
            return merkle.inclusion_proof(index, self._at_most(size), self.hash_at)

    def consistency_proof(self, old: int, size: int | None = None) -> list[bytes]:
        """That the record begins with what it was. ValueError: it never was so."""
        with self._lock:
            return merkle.consistency_proof(old, self._at_most(size), self.hash_at)

    def checkpoint(self) -> Checkpoint:
        """How far it is now."""
        with self._lock:
            size = self.size
            return Checkpoint(
                origin=origin_of(self.site), size=size, root=merkle.root(size, self.hash_at)
            )

    def signed_checkpoint(self, signer: SignsAs) -> Note:
        """The same as a signed note, once it and all of it is on disk. RecordError."""
        checkpoint = self.checkpoint()
        text = str(checkpoint)
        note = Note(text=text, signatures=(sign(text, origin_of(self.site), signer.private_key),))
        self._keep(
            "INSERT OR REPLACE INTO fact VALUES (?, ?)",
            [("signed", str(checkpoint.size)), ("checkpoint", str(note))],
        )
        return note

    # --- witnesses -----------------------------------------------------------------------

    def store_witness(self, side: str, size: int, seen_utc_ns: int, note: str) -> None:
        """A side has cosigned so far; on disk when it returns. RecordError."""
        self._keep(
            "INSERT OR REPLACE INTO witness VALUES (?, ?, ?, ?)", [(side, size, seen_utc_ns, note)]
        )

    def witnesses(self) -> dict[str, tuple[int, int, str]]:
        """Size, time and note of each side's last cosignature."""
        with self._lock:
            found = self._rows("SELECT side, size, seen_utc_ns, note FROM witness ORDER BY side")
        return {side: (size, seen, note) for side, size, seen, note in found}

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _at_most(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise ValueError(f"the record has {self.size} entries, not {size}")
        return size

    def hash_at(self, level: int, index: int) -> bytes:
        """Hash of a complete subtree. RecordError: it is not here. Guarded by who calls."""
        place = merkle.place(level, index)
        found = self._rows("SELECT data FROM hash WHERE number = ?", (place,))
        if not found:
            raise RecordError(f"record {self.path}: hash {level}/{index} is missing; it is damaged")
        (data,) = found[0]
        return bytes(data)

    def _keep(self, query: str, rows: Sequence[Sequence[object]]) -> None:
        """Return when it is on disk: a commit that waits takes all entries before it along."""
        with self._lock:
            try:
                self._connection.execute("PRAGMA synchronous = FULL")
                with self._connection:
                    self._connection.executemany(query, rows)
                self._connection.execute("PRAGMA synchronous = NORMAL")
            except sqlite3.Error as error:
                raise RecordError(f"record {self.path}: not written ({error})") from error

    def _find_peaks(self) -> dict[int, bytes]:
        """Of each level the last complete subtree that is the left one of a pair."""
        levels = (level for level in range(self.size.bit_length()) if self.size >> level & 1)
        return {level: self.hash_at(level, (self.size >> level) - 1) for level in levels}

    def _count(self) -> int:
        ((count, last),) = self._rows("SELECT count(*), coalesce(max(number), -1) FROM entry")
        ((hashes,),) = self._rows("SELECT count(*) FROM hash")
        fits = count == last + 1 and hashes == merkle.place(0, count)
        if not fits or count < self._signed:
            raise RecordError(
                f"record {self.path}: {count} entries up to {last}, {hashes} hashes, signed up "
                f"to {self._signed}; it is damaged "
                "and is kept as it is: take it away for who has to find out, and start anew"
            )
        return int(count)

    def _check_site(self, *, read_only: bool) -> None:
        if not read_only:
            with self._connection:
                self._connection.execute(
                    "INSERT OR IGNORE INTO fact VALUES ('site', ?), ('format', ?)",
                    (self.site, str(FORMAT)),
                )
        known = dict(self._rows("SELECT name, value FROM fact"))
        if (known.get("site"), known.get("format")) != (self.site, str(FORMAT)):
            raise RecordError(f"record {self.path}: it is of {known}, not of {self.site}")
        self._signed = int(known.get("signed", 0))

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise RecordError(f"record {self.path}: {error}") from error


def site_of(path: Path) -> str:
    """Whose record a file is. RecordError."""
    try:
        connection = _open(path, read_only=True)
        found = connection.execute("SELECT value FROM fact WHERE name = 'site'").fetchone()
        connection.close()
    except sqlite3.Error as error:
        raise RecordError(f"record {path}: {error}") from error
    if found is None:
        raise RecordError(f"record {path}: it is no record")
    return str(found[0])


def _open(path: Path, *, read_only: bool) -> sqlite3.Connection:
    if read_only:
        return sqlite3.connect(
            f"file:{path}?mode=ro", uri=True, timeout=TIMEOUT_S, check_same_thread=False
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=TIMEOUT_S, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.executescript(_TABLES)
    return connection
