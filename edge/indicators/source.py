"""Where a report's entries come from: the record itself, a copy of it, or a file of lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.indicators.page import Origin
from edge.indicators.reading import Reading
from edge.record import merkle
from edge.record.entries import Entry, decode
from edge.record.record import Record, RecordError, site_of

CHUNK = 1_000
MAX_LINE_BYTES = 1 << 20  # an entry has a few hundred bytes; the longest are counts of many lanes
_SQLITE = b"SQLite format 3\x00"


class SourceError(Exception):
    """A file of entries cannot be used; says which, where in it, why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Everything that was read, and what it was."""

    reading: Reading
    origin: Origin


def read(path: Path) -> Source:
    """The entries of a record or of JSON Lines, whichever the file is. SourceError, OSError.

    The root hash is of the bytes that are counted, not what the file says of itself.
    """
    with path.open("rb") as file:
        recorded = file.read(len(_SQLITE)) == _SQLITE
    tree, first = merkle.Tree(), None
    entries: list[Entry] = []
    site = ""
    for line, data in enumerate(_of_record(path) if recorded else _of_lines(path), 1):
        try:
            entry = decode(data)
        except ValueError as error:
            raise SourceError(
                f"{path}: line {line} is no entry ({error}); export the record again"
            ) from error
        if entry.site != (site := site or entry.site):
            raise SourceError(f"{path}: line {line} is of {entry.site}, the first of {site}")
        first = entry.index if first is None else first
        tree.append(merkle.leaf_hash(data))
        entries.append(entry)
    try:
        reading = Reading(entries)
    except ValueError as error:
        raise SourceError(f"{path}: {error}; export the record again") from error
    whole = [*range(len(entries))] == [*reading.entries]
    root = tree.root().hex() if entries and whole else ""
    return Source(reading=reading, origin=Origin(first=first or 0, size=len(entries), root=root))


def _of_record(path: Path) -> Iterator[bytes]:
    try:
        record = Record(path, site=site_of(path), now_utc_ns=lambda: 0, read_only=True)
    except RecordError as error:
        raise SourceError(str(error)) from error
    try:
        at = 0
        while chunk := record.entries(at, CHUNK):
            yield from chunk
            at += len(chunk)
    except RecordError as error:
        raise SourceError(str(error)) from error
    finally:
        record.close()


def _of_lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(MAX_LINE_BYTES + 1), b""), 1):
            if len(line) > MAX_LINE_BYTES:
                raise SourceError(f"{path}: line {number} is longer than any entry")
            if data := line.rstrip(b"\r\n"):
                yield data
