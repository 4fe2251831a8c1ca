"""A record as it is carried away: a folder of plain text on a USB stick, or the record's own file.

The folder holds nothing but text: entries as JSON Lines, their hashes, signed notes, public keys.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from edge.record.merkle import HASH_BYTES
from edge.record.note import Checkpoint, NoteKey, read_checkpoint, read_note
from edge.record.record import RECORD_FILE, RecordError, origin_of
from edge.record.stick import README
from edge.record.witness import side_key, site_key
from edge.trust.keys import KeyFileError, Keyring, PublicKey, read_keyring, write_keyring

FILE_ENTRIES = 65_536
MAX_LINE_BYTES = 1_048_576  # an entry has some 400; a longer line is cut, and found
CHECKPOINT, KEYS, KEY_LINES, READ_ME = "checkpoint.txt", "keys.json", "keys.txt", "README.txt"
ENTRIES, HASHES, COSIGNATURES = "entries", "hashes", "cosignatures"
SIDES = ("north", "south")
_SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What somebody brings as the record of a site. Nothing of it is believed yet."""

    name: str
    notes: tuple[tuple[str, str], ...]
    """Signed checkpoints: where each stood, and its text."""
    lines: Callable[[], Iterator[bytes]]
    """The bytes of the entries, in their order."""
    hashes: Callable[[], Iterator[bytes]]
    """What is told of their hashes."""
    keyring: Keyring | None = None
    """Keys that came along."""
    ends_signed: bool = False
    """Whether nothing may stand behind the last checkpoint: so in what was exported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written."""

    site: str
    entries: int
    left_out: int
    """Entries that no checkpoint covers yet."""


def read_carried(path: Path) -> Carried:
    """A folder of an export, a record's file, the folder it is in, or a single signed note.

    ValueError where it is none of them; OSError, RecordError where it cannot be read.
    """
    if path.is_dir():
        inside = path / RECORD_FILE
        return _of_file(inside) if inside.is_file() else _of_folder(path)
    with path.open("rb") as file:
        start = file.read(len(_SQLITE))
    if start == _SQLITE:
        return _of_file(path)
    notes = ((path.name, _text(path)),)
    return Carried(name=str(path), notes=notes, lines=lambda: iter(()), hashes=lambda: iter(()))


def newest(notes: Iterable[tuple[str, str]]) -> tuple[str, Checkpoint] | None:
    """The text and the checkpoint that reaches farthest; what is no checkpoint is passed over."""
    found: list[tuple[int, str, Checkpoint]] = []
    for _, text in notes:
        try:
            checkpoint = read_checkpoint(read_note(text).text)
        except ValueError:
            continue
        found.append((checkpoint.size, text, checkpoint))
    if not found:
        return None
    _, text, checkpoint = max(found, key=lambda one: one[0])
    return text, checkpoint


def export(record: Path, out: Path, keyring: Keyring | None) -> Exported:
    """Write a record's signed part into an empty or new folder, and wait until it is there.

    ValueError where nothing was signed yet or the folder has something in it; OSError, RecordError.
    """
    if out.exists() and any(out.iterdir()):
        raise ValueError(f"{out} is not empty; name a new folder")
    carried = _of_file(record)
    site = _fact(record, "site")
    last = newest(carried.notes)
    if last is None:
        raise ValueError(f"{record}: no checkpoint of it was signed yet; is a signing key set?")
    text, checkpoint = last
    size = checkpoint.size
    _write_lines(out / ENTRIES, "jsonl", islice(carried.lines(), size))
    _write_lines(
        out / HASHES, "txt", (one.hex().encode() for one in islice(carried.hashes(), size))
    )
    _write(out / CHECKPOINT, text)
    for name, note in carried.notes:
        if name in SIDES:
            _write(out / COSIGNATURES / f"{name}.txt", note)
    if keyring is not None:
        write_keyring(out / KEYS, keyring.keys)
        _write(out / KEY_LINES, "".join(f"{one}\n" for one in note_keys(keyring, site)))
    _write(out / READ_ME, README.format(site=site, entries=size, origin=origin_of(site)))
    ((total,),) = _query(record, "SELECT count(*) FROM entry")
    return Exported(site=site, entries=size, left_out=total - size)


def note_keys(keyring: Keyring, site: str) -> list[NoteKey]:
    """The keys that sign a site's checkpoints, and those that cosign them."""
    made = (note_key(key, site) for key in keyring.keys)
    return [one for one in made if one is not None]


def note_key(key: PublicKey, site: str) -> NoteKey | None:
    """A key as one of notes of a site; None where it signs none."""
    if (key.owner, key.role) == (f"edge/{site}", "edge"):
        return site_key(site, key.raw)
    if key.owner in SIDES and key.role == "centre":
        return side_key(key.owner, key.raw)
    return None


def _of_folder(path: Path) -> Carried:
    if not (path / ENTRIES).is_dir():
        raise ValueError(f"{path} holds no record: neither {ENTRIES}/ nor {RECORD_FILE}")
    places = [path / CHECKPOINT, *sorted((path / COSIGNATURES).glob("*.txt"))]
    return Carried(
        name=str(path),
        notes=tuple((one.stem, _text(one)) for one in places if one.is_file()),
        lines=lambda: _lines(path / ENTRIES, ".jsonl"),
        hashes=lambda: map(_hash, _lines(path / HASHES, ".txt")),
        keyring=_keyring(path / KEYS),
        ends_signed=True,
    )


def _of_file(path: Path) -> Carried:
    notes = [("checkpoint", _fact(path, "checkpoint"))]
    notes += _query(path, "SELECT side, note FROM witness ORDER BY side")
    return Carried(
        name=str(path),
        notes=tuple((name, text) for name, text in notes if text),
        lines=lambda: _rows(path, "SELECT number, data FROM entry ORDER BY number"),
        hashes=lambda: _leaves(_rows(path, "SELECT number, data FROM hash ORDER BY number")),
    )


def _rows(path: Path, query: str) -> Iterator[bytes]:
    """The values of a table; where a number is left out, nothing, and the end."""
    with closing(_opened(path)) as connection:
        try:
            for place, (number, data) in enumerate(connection.execute(query)):
                if number != place:
                    yield b""
                    return
                yield bytes(data)
        except sqlite3.Error as error:
            raise RecordError(f"record {path}: {error}") from error


def _leaves(hashes: Iterator[bytes]) -> Iterator[bytes]:
    """Those of entries, among those of all complete subtrees."""
    for index, found in enumerate(hashes):
        yield found
        for _ in range((index ^ (index + 1)).bit_length() - 1):  # what this entry completed
            next(hashes, None)


def _fact(path: Path, name: str) -> str:
    found = _query(path, "SELECT value FROM fact WHERE name = ?", name)
    return str(found[0][0]) if found else ""


def _query(path: Path, query: str, *values: str) -> list[tuple[Any, ...]]:
    with closing(_opened(path)) as connection:
        try:
            return connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise RecordError(f"record {path}: {error}") from error


def _opened(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise FileNotFoundError(2, "No such file", str(path))
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        connection.execute("SELECT count(*) FROM fact").fetchone()
    except sqlite3.Error as error:
        raise RecordError(f"record {path}: {error}") from error
    return connection


def _lines(folder: Path, ending: str) -> Iterator[bytes]:
    for path in sorted(folder.glob(f"*{ending}")):
        with path.open("rb") as file:
            while line := file.readline(MAX_LINE_BYTES):
                yield line.removesuffix(b"\n")


def _hash(line: bytes) -> bytes:
    try:
        found = bytes.fromhex(line.decode("ascii"))
    except ValueError:
        return b""
    return found if len(found) == HASH_BYTES else b""


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(MAX_LINE_BYTES).decode("utf-8", errors="replace")


def _keyring(path: Path) -> Keyring | None:
    try:
        return read_keyring(path) if path.is_file() else None
    except KeyFileError as error:
        raise ValueError(str(error)) from error


def _write_lines(folder: Path, ending: str, lines: Iterator[bytes]) -> None:
    first = 0
    while batch := list(islice(lines, FILE_ENTRIES)):
        _write(folder / f"{first:012}.{ending}", b"".join(one + b"\n" for one in batch))
        first += len(batch)
    folder.mkdir(parents=True, exist_ok=True)


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())
