"""Where the sets of a watched folder go once they were judged, and which were read before."""

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from drivers.wire import bundle

MAX_LEDGER = 20_000  # sets remembered: six weeks of the reference checkpoint's 480 a day
MAX_KEPT_SETS = 200  # of done and of quarantine each; with 19 MB a scan that is below 8 GB
MAX_PLACE_CHARACTERS = 80  # of a set's name; with the digest far below the 255 of file systems

Fingerprint = tuple[tuple[str, int, int], ...]
"""(name, bytes, modified ns) of each file of a set."""


class ScanFiling:
    """`done` and `quarantine` beside an inbox, and the ledger of what was understood.

    Filing is a rename, so it costs nothing and needs no room on the disk. Every method may
    raise OSError, which is then the fault of that one set.

    ledger  shared by the inboxes of one sensor; None: this one has its own
    leave   files stay where they are, for somebody else's archive: what was judged is only
            remembered, and what was of no use is copied to `quarantine`
    """

    def __init__(
        self, inbox: Path, work: Path, *, ledger: "Ledger | None" = None, leave: bool = False
    ) -> None:
        self._inbox = inbox
        self._leave = leave
        self._done, self._quarantine = work / "done", work / "quarantine"
        for directory in (self._done, self._quarantine):
            directory.mkdir(parents=True, exist_ok=True)
        self._ledger = ledger or Ledger(work / "ledger.json")

    def read_before(self, digest: str) -> Fingerprint | None:
        """As which files a set of this content was understood, or None."""
        return self._ledger.fingerprint(digest)

    def is_known(self, fingerprint: Fingerprint) -> bool:
        """Whether these very files were judged before and were left where they are."""
        return self._leave and self._ledger.is_known(fingerprint)

    def file_done(self, name: str, digest: str, fingerprint: Fingerprint, data: bytes) -> None:
        """Remember the set and file it; `data` is its bundle."""
        try:
            self._ledger.add(digest, fingerprint)
        finally:  # a full disk keeps the ledger from being written, but no rename
            if not self._leave:
                place = _fresh(self._done / _place(name, digest))
                self._move_in(place, fingerprint, data)
                _prune(self._done)

    def put_aside(
        self, name: str, digest: str, fingerprint: Fingerprint, data: bytes, reason: str
    ) -> None:
        """File the set as of no use, with the reason beside it."""
        place = _fresh(self._quarantine / _place(name, digest))
        self._move_in(place, fingerprint, data)
        self._say_why(place, reason)
        if self._leave:
            self._ledger.add(digest, fingerprint)

    def put_aside_unread(self, name: str, entries: Iterable[str], reason: str) -> None:
        """The same for what must not be opened: a rename follows no link."""
        entries = sorted(entries)
        stats = [(self._inbox / entry).lstat() for entry in entries]
        known = repr([(stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in stats])
        digest = hashlib.sha256(known.encode()).hexdigest()
        place = _fresh(self._quarantine / _place(name, digest))
        self._say_why(place, reason)
        for entry in () if self._leave else entries:
            (self._inbox / entry).replace(place / entry)

    def file_again(self, name: str, digest: str, fingerprint: Fingerprint, data: bytes) -> None:
        """File a set that is remembered; files that are filed already are deleted."""
        if self._leave:
            return
        place = self._done / _place(name, digest)
        if not all((place / file[0]).exists() for file in fingerprint):
            place.mkdir(exist_ok=True)
            self._move_in(place, fingerprint, data)
            _prune(self._done)
        for file in fingerprint:
            with contextlib.suppress(OSError):  # a share we may not delete from: it stays there
                if self._is_still(file):
                    (self._inbox / file[0]).unlink()

    def _move_in(self, place: Path, fingerprint: Fingerprint, data: bytes) -> None:
        left = set()
        for file in fingerprint:
            try:
                if not self._leave and self._is_still(file):
                    (self._inbox / file[0]).replace(place / file[0])
                    continue
            except OSError:  # gone, or a share that we may not rename in
                pass
            left.add(file[0])
        if left:  # what was judged is filed all the same, from the bytes that were read
            for name, content in _files_of(data):
                if name in left:
                    (place / name).write_bytes(content)

    def _is_still(self, file: tuple[str, int, int]) -> bool:
        # Another scan may have come under the same name; that one is not ours to move.
        name, size, modified_ns = file
        stat = (self._inbox / name).lstat()
        return (stat.st_size, stat.st_mtime_ns) == (size, modified_ns)

    def _say_why(self, place: Path, reason: str) -> None:
        (place / "reason.txt").write_text(reason + "\n", encoding="utf-8")
        _prune(self._quarantine)


class Ledger:
    """What has been read, by digest, oldest first; on disk, whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: dict[str, Fingerprint] = {}
        self._known: set[Fingerprint] = set()
        with contextlib.suppress(FileNotFoundError, ValueError, TypeError):  # none, or spoilt
            rows = json.loads(path.read_text(encoding="utf-8"))
            self._seen = {
                digest: tuple((name, size, modified) for name, size, modified in files)
                for digest, files in rows
            }
            self._known = set(self._seen.values())

    def fingerprint(self, digest: str) -> Fingerprint | None:
        """As which files a content was judged, or None."""
        return self._seen.get(digest)

    def is_known(self, fingerprint: Fingerprint) -> bool:
        """Whether files of these names, sizes and times were remembered."""
        return fingerprint in self._known

    def add(self, digest: str, fingerprint: Fingerprint) -> None:
        """Remember, on disk too."""
        self._seen[digest] = fingerprint
        self._known.add(fingerprint)
        while len(self._seen) > MAX_LEDGER:
            self._known.discard(self._seen.pop(next(iter(self._seen))))
        unfinished = self._path.with_suffix(".tmp")
        with unfinished.open("w", encoding="utf-8") as file:
            json.dump(list(self._seen.items()), file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path)


def _place(name: str, digest: str) -> str:
    """A folder's name for the set: readable, and safe whatever the set is called."""
    readable = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:MAX_PLACE_CHARACTERS].strip(".")
    return f"{readable}-{digest[:8]}"


def _fresh(place: Path) -> Path:
    shutil.rmtree(place, ignore_errors=True)  # the same content was filed before
    place.mkdir()
    return place


def _files_of(data: bytes) -> list[tuple[str, bytes]]:
    read = bundle.BundleDecoder().feed(data)
    return [file for one in read if isinstance(one, bundle.Bundle) for file in one.files]


def _prune(directory: Path) -> None:
    """Keep the latest sets only, so that the disk is never filled by them."""
    kept = sorted(directory.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in kept[MAX_KEPT_SETS:]:
        shutil.rmtree(path, ignore_errors=True)
