"""What a centre holds: alerts by (site, epoch, seq), each only after its predecessor and
its files."""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from edge.delivery.rows import ORIGIN, Mark

_TABLES = """
CREATE TABLE IF NOT EXISTS alert (
    number INTEGER PRIMARY KEY,      -- in the order of storing
    site TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    stored_utc_ns INTEGER NOT NULL,
    UNIQUE (site, epoch, seq)
);
CREATE TABLE IF NOT EXISTS cursor (
    site TEXT PRIMARY KEY,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL
);
-- Numbers that the edge said it will never send: (after_seq, seq) exclusive.
CREATE TABLE IF NOT EXISTS gap (
    site TEXT NOT NULL,
    epoch TEXT NOT NULL,
    after_seq INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (site, epoch, seq)
);
CREATE TABLE IF NOT EXISTS evidence (
    site TEXT NOT NULL,
    alert TEXT NOT NULL,             -- its id; n counts its files over all revisions
    n INTEGER NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (site, alert, n)
);
-- Who signed the payload of an alert: proof for as long as it is kept.
CREATE TABLE IF NOT EXISTS seal (
    site TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    key TEXT NOT NULL,
    signature TEXT NOT NULL,
    PRIMARY KEY (site, epoch, seq)
);
-- The last alert, by `number`, that a program has taken (see centre_forward).
CREATE TABLE IF NOT EXISTS forwarded (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER);
CREATE INDEX IF NOT EXISTS evidence_sha256 ON evidence (site, sha256);
CREATE TABLE IF NOT EXISTS wire (
    site TEXT PRIMARY KEY,
    stored INTEGER NOT NULL,
    duplicates INTEGER NOT NULL,
    ahead INTEGER NOT NULL
);
"""


class Verdict(StrEnum):
    """What became of an alert that arrived."""

    STORED = "stored"
    DUPLICATE = "duplicates"
    AHEAD = "ahead"
    """Its predecessor or one of its files is not here; it will come again, files and all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An alert as it came over the wire."""

    site: str
    mark: Mark
    after: Mark
    topic: str
    payload: bytes
    evidence: tuple[str, ...] = ()
    """Digests of the files that were sent before it."""
    key: str = ""
    signature: str = ""
    """Of the payload, in base64, by that key; empty where it came unsigned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFile:
    """A file of an alert as it came over the wire, its digest checked."""

    site: str
    alert_id: str
    n: int
    name: str
    media_type: str
    sha256: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """How often what arrived from a site."""

    stored: int
    duplicates: int
    ahead: int


class CentreStore:
    """A SQLite file of one centre; each used by one thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_TABLES)

    def store(self, arrivals: list[Arrival], files: Sequence[EvidenceFile] = ()) -> list[Verdict]:
        """Store what follows on what is here, in one transaction that is on disk on return."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany(
                "INSERT OR REPLACE INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (f.site, f.alert_id, f.n, f.name, f.media_type, f.sha256, f.payload)
                    for f in files
                ],
            )
            verdicts = [self._store(arrival) for arrival in arrivals]
            self._connection.execute("COMMIT")
        except BaseException:  # whatever ends it: no half transaction may stay open
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return verdicts

    def _store(self, arrival: Arrival) -> Verdict:
        site = arrival.site
        if self.holds(site, arrival.mark):
            verdict = Verdict.DUPLICATE
        elif not all(self.has_evidence(site, sha256) for sha256 in arrival.evidence):
            verdict = Verdict.AHEAD
        elif arrival.after == ORIGIN or self.holds(site, arrival.after):
            verdict = Verdict.STORED
            self._append(arrival)
        else:
            verdict = Verdict.AHEAD
        self._connection.execute(
            "INSERT INTO wire (site, stored, duplicates, ahead) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (site) DO UPDATE SET stored = stored + excluded.stored,"
            " duplicates = duplicates + excluded.duplicates, ahead = ahead + excluded.ahead",
            (site, *(int(verdict is each) for each in Verdict)),
        )
        return verdict

    def _append(self, arrival: Arrival) -> None:
        site, mark, after = arrival.site, arrival.mark, arrival.after
        late = self._fills_a_gap(arrival)
        self._connection.execute(
            "INSERT INTO alert (site, epoch, seq, topic, payload, stored_utc_ns)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (site, mark.epoch, mark.seq, arrival.topic, arrival.payload, time.time_ns()),
        )
        if arrival.signature:
            self._connection.execute(
                "INSERT OR REPLACE INTO seal VALUES (?, ?, ?, ?, ?)",
                (site, mark.epoch, mark.seq, arrival.key, arrival.signature),
            )
        if late:
            return
        if mark.seq > after.seq + 1:
            self._connection.execute(
                "INSERT OR IGNORE INTO gap VALUES (?, ?, ?, ?)",
                (site, mark.epoch, after.seq, mark.seq),
            )
        self._connection.execute(
            "INSERT OR REPLACE INTO cursor VALUES (?, ?, ?)", (site, mark.epoch, mark.seq)
        )

    def _fills_a_gap(self, arrival: Arrival) -> bool:
        """Whether it belongs before the cursor: a row given up once and sent after all.

        The first row of a rebuilt edge is no such row: its epoch is new here, and what
        follows it follows the cursor.
        """
        cursor = self.cursors().get(arrival.site, ORIGIN)
        if arrival.after == cursor:
            return False
        return (
            self._connection.execute(
                "SELECT 1 FROM gap WHERE site = ?1 AND after_seq < ?2 AND seq > ?2"
                " AND EXISTS (SELECT 1 FROM alert WHERE site = ?1 AND epoch = ?3)",
                (arrival.site, arrival.mark.seq, arrival.mark.epoch),
            ).fetchone()
            is not None
        )

    def holds(self, site: str, mark: Mark) -> bool:
        """Whether an alert is here."""
        return (
            self._connection.execute(
                "SELECT 1 FROM alert WHERE site = ? AND epoch = ? AND seq = ?",
                (site, mark.epoch, mark.seq),
            ).fetchone()
            is not None
        )

    def has_evidence(self, site: str, sha256: str) -> bool:
        """Whether a file is here."""
        query = "SELECT 1 FROM evidence WHERE site = ? AND sha256 = ?"
        return self._connection.execute(query, (site, sha256)).fetchone() is not None

    def evidence(self, site: str) -> list[EvidenceFile]:
        """Every file of a site, by alert and number."""
        found = self._connection.execute(
            "SELECT alert, n, name, media_type, sha256, payload FROM evidence WHERE site = ?"
            " ORDER BY alert, n",
            (site,),
        )
        return [
            EvidenceFile(
                site=site, alert_id=alert, n=n, name=name, media_type=kind, sha256=sha256,
                payload=payload,
            )
            for alert, n, name, kind, sha256, payload in found
        ]  # fmt: skip

    def cursors(self) -> dict[str, Mark]:
        """The last alert stored, of every site."""
        found = self._connection.execute("SELECT site, epoch, seq FROM cursor ORDER BY site")
        return {site: Mark(epoch=epoch, seq=seq) for site, epoch, seq in found}

    def stored(self, site: str) -> list[tuple[Mark, bytes]]:
        """Every alert of a site in the order of storing."""
        found = self._connection.execute(
            "SELECT epoch, seq, payload FROM alert WHERE site = ? ORDER BY number", (site,)
        )
        return [(Mark(epoch=epoch, seq=seq), payload) for epoch, seq, payload in found]

    def after(self, number: int, limit: int) -> list[tuple[int, Arrival]]:
        """The next alerts in the order of storing, by their number there."""
        found = self._connection.execute(
            "SELECT number, site, epoch, seq, topic, payload, coalesce(key, ''),"
            " coalesce(signature, '') FROM alert LEFT JOIN seal USING (site, epoch, seq)"
            " WHERE number > ? ORDER BY number LIMIT ?",
            (number, limit),
        )
        return [
            (
                n,
                Arrival(
                    site=site, mark=Mark(epoch=epoch, seq=seq), after=ORIGIN, topic=topic,
                    payload=payload, key=key, signature=signature,
                ),
            )
            for n, site, epoch, seq, topic, payload, key, signature in found
        ]  # fmt: skip

    def forwarded(self) -> int:
        """The number of the last alert that was forwarded; 0 before the first."""
        found = self._connection.execute("SELECT number FROM forwarded").fetchone()
        return int(found[0]) if found is not None else 0

    def set_forwarded(self, number: int) -> None:
        """All up to this number have been."""
        self._connection.execute("INSERT OR REPLACE INTO forwarded VALUES (1, ?)", (number,))

    def seal(self, site: str, mark: Mark) -> tuple[str, str]:
        """Key id and signature of an alert's payload; empty where it came unsigned."""
        found = self._connection.execute(
            "SELECT key, signature FROM seal WHERE site = ? AND epoch = ? AND seq = ?",
            (site, mark.epoch, mark.seq),
        ).fetchone()
        return found or ("", "")

    def gaps(self, site: str) -> list[int]:
        """Numbers that the edge said it will never send."""
        found = self._connection.execute(
            "SELECT after_seq, seq FROM gap WHERE site = ? ORDER BY seq", (site,)
        )
        missing = {seq for after, before in found for seq in range(after + 1, before)}
        return sorted(missing - {mark.seq for mark, _ in self.stored(site)})

    def wire(self, site: str) -> Wire:
        """How often what arrived from a site."""
        found = self._connection.execute(
            "SELECT stored, duplicates, ahead FROM wire WHERE site = ?", (site,)
        ).fetchone()
        stored, duplicates, ahead = found or (0, 0, 0)
        return Wire(stored=stored, duplicates=duplicates, ahead=ahead)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
