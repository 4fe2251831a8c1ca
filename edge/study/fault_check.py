"""Whether the promise was kept, from what lies on disk alone.

It uses nothing of outbox, publisher or centre: their files are read with SQL, the producer's ledger
as text, and what went over the wire as a bystander at each broker has noted it.
"""

import hashlib
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

Key = tuple[str, int]
"""(epoch, seq)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one centre holds beside what was committed, and what its broker carried."""

    committed: int
    stored: int
    lost: int
    """Committed, and not here."""
    changed: int
    """Here with other bytes."""
    foreign: int
    """Here, and never committed."""
    out_of_order: int
    """Stored after one with a higher number."""
    twice: int
    """Stored more than once."""
    gaps: int
    """Numbers that the centre was told it would never get."""
    files_lost: int
    wire: int
    """Alerts that the bystander saw."""
    wire_again: int
    """Of them, ones whose (site, epoch, seq) it had seen before."""
    wire_differing: int
    """Of these, ones with other bytes than before: no duplicates by their name."""

    @property
    def kept(self) -> bool:
        """Whether nothing is wrong."""
        wrong = (self.lost, self.changed, self.foreign, self.out_of_order, self.twice, self.gaps)
        return self.committed > 0 and not any((*wrong, self.files_lost, self.wire_differing))


@dataclass(slots=True)
class Bystander:
    """Notes what a broker carried: `(epoch, seq)` and a digest, each time."""

    seen: list[tuple[Key, str]] = field(default_factory=list)

    def note(self, epoch: str, seq: int, payload: bytes) -> None:
        """One alert went by."""
        self.seen.append(((epoch, seq), digest(payload)))


def digest(payload: bytes) -> str:
    """As the producer's ledger has it."""
    return hashlib.sha256(payload).hexdigest()[:16]


def truth_of(ledger: Path, outbox: Path) -> dict[Key, str]:
    """Digests of everything that was committed.

    What the producer was told is committed is; of what a kill left open the outbox says whether it
    was. What only the ledger has was lost by the outbox, and is lost here. ValueError where one
    number was committed with two payloads, or the outbox has what nobody meant to commit.
    """
    truth: dict[Key, str] = {}
    intended: set[tuple[Key, str]] = set()
    for line in ledger.read_text("utf-8").splitlines():
        what, epoch, number, hashed = line.split()
        key = (epoch, int(number))
        intended.add((key, hashed))
        if what == "c" and truth.setdefault(key, hashed) != hashed:
            raise ValueError(f"{key} was committed twice, with different payloads")
    with closing(sqlite3.connect(outbox)) as connection:
        for epoch, seq, payload in connection.execute("SELECT epoch, seq, payload FROM row"):
            key, hashed = (str(epoch), int(seq)), digest(payload)
            if (key, hashed) not in intended:
                raise ValueError(f"{key} is in the outbox, and nobody meant to commit it")
            if truth.setdefault(key, hashed) != hashed:
                raise ValueError(f"{key} is in the outbox with another payload than was committed")
    return truth


def files_of(outbox: Path) -> set[str]:
    """Digests of the files that belong to what is kept."""
    with closing(sqlite3.connect(outbox)) as connection:
        return {str(one) for (one,) in connection.execute("SELECT sha256 FROM attachment")}


def check(centre: Path, truth: dict[Key, str], files: set[str], bystander: Bystander) -> Found:
    """Compare a centre's file with the truth."""
    with closing(sqlite3.connect(centre)) as connection:
        rows = [
            ((str(epoch), int(seq)), digest(payload))
            for epoch, seq, payload in connection.execute(
                "SELECT epoch, seq, payload FROM alert ORDER BY number"
            )
        ]
        (gaps,) = connection.execute("SELECT count(*) FROM gap").fetchone()
        held = {str(one) for (one,) in connection.execute("SELECT sha256 FROM evidence")}
    stored = dict(rows)
    numbers = [seq for (_, seq), _ in rows]
    times = Counter(key for key, _ in rows)
    first: dict[Key, str] = {}
    again = differing = 0
    for key, hashed in bystander.seen:
        if key in first:
            again += 1
            differing += hashed != first[key]
        else:
            first[key] = hashed
    return Found(
        committed=len(truth),
        stored=len(rows),
        lost=sum(key not in stored for key in truth),
        changed=sum(stored[key] != hashed for key, hashed in truth.items() if key in stored),
        foreign=sum(key not in truth for key in stored),
        out_of_order=sum(after <= before for before, after in pairwise(numbers)),
        twice=sum(count - 1 for count in times.values()),
        gaps=int(gaps),
        files_lost=len(files - held),
        wire=len(bystander.seen),
        wire_again=again,
        wire_differing=differing,
    )
