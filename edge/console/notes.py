"""What people write down about alerts: kept on this side, while the common record has its digest.

The other side sees that there is a note, and can be shown later that it was not changed. A salt
keeps short notes from being guessed from their digests.
"""

import hashlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import structlog
from msgspec import Meta

NOTES_FILE = "notes.jsonl"
MAX_TEXT = 2_000
MAX_LINE_BYTES = 16_384

log = structlog.get_logger()


class NotesError(Exception):
    """A note cannot be kept now; the message says why."""


class Note(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One note as it is kept, `garita.note-text/1`; these bytes are what the digest is of."""

    schema: Literal["garita.note-text/1"] = "garita.note-text/1"
    alert: str
    time: str
    """RFC 3339."""
    login: str
    role: str
    text: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
    salt: str


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A note and its digest."""

    sha256: str
    note: Note


class Notes:
    """A file of notes, a line each. One process writes it, on one thread."""

    def __init__(self, path: Path) -> None:
        """Read what is there; lines that are none are told and passed over."""
        self._path = path
        self._known: dict[str, list[Kept]] = {}
        for line in self._lines():
            try:
                self._take(msgspec.json.decode(line, type=Note), line)
            except msgspec.DecodeError as error:
                log.warning("note not readable", file=str(path), error=str(error)[:100])

    def of(self, alert: str) -> list[Kept]:
        """What was written about an alert, in order."""
        return list(self._known.get(alert, ()))

    def keep(self, *, alert: str, time: str, login: str, role: str, text: str) -> Kept:
        """Write it down, on the disk when this returns. NotesError."""
        note = Note(
            alert=alert, time=time, login=login, role=role, text=text, salt=secrets.token_hex(16)
        )
        line = msgspec.json.encode(note)
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                # A line that a power cut left half written must not swallow this one.
                lead = b"" if self._ends_whole() else b"\n"
                os.write(descriptor, lead + line + b"\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise NotesError(f"{self._path}: {error.strerror}") from error
        return self._take(note, line)

    def _take(self, note: Note, line: bytes) -> Kept:
        kept = Kept(sha256=hashlib.sha256(line).hexdigest(), note=note)
        self._known.setdefault(note.alert, []).append(kept)
        return kept

    def _lines(self) -> Iterable[bytes]:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return []
        return [line for line in data.split(b"\n") if 0 < len(line) <= MAX_LINE_BYTES]

    def _ends_whole(self) -> bool:
        with self._path.open("rb") as file:
            if file.seek(0, os.SEEK_END) == 0:
                return True
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
