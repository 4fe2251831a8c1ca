"""Planes on disk that wait for the other plane of their scan.

A sender that heard of success forgets its plane, so it must outlive the process and the power:
written beside, synchronised, renamed, and the folder synchronised as well.
"""

import contextlib
import os
import re
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from drivers.scan_filing import Ledger

MAX_BYTES = 1_000_000_000  # of them together: while scans are dealt with there are few
MAX_REFUSED = 20  # of which somebody may want to know why they were of no use
KEEP_FREE_BYTES = 500_000_000  # of the disk: alerts need some of it
SUFFIX, UNFINISHED = ".dcs", ".part"
LEDGER = "ledger.json"


@dataclass(frozen=True, slots=True)
class Held:
    """A plane on disk."""

    path: Path

    @property
    def name(self) -> str:
        """After the UID of its instance."""
        return self.path.stem.rpartition("~")[0] or self.path.stem

    def read(self) -> bytes:
        """The file. OSError: somebody else took it."""
        return self.path.read_bytes()


class Spool:
    """One receiver's planes. Methods may be called from any thread, one at a time for each plane.

    folder  where they are kept; None: one that goes when the receiver is closed, for who keeps
            nothing beyond the process
    """

    def __init__(self, folder: Path | None) -> None:
        self._made = None
        if folder is None:
            folder = self._made = Path(tempfile.mkdtemp(prefix="garita-dicos-"))
        self._folder, self._refused = folder, folder / "refused"
        self._ledger: Ledger | None = None

    def begin(self) -> list[Held]:
        """What was left when the process ended last, the oldest first. OSError: no such folder."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._ledger = Ledger(self._folder / LEDGER)
        for path in self._folder.glob(f"*{UNFINISHED}"):
            path.unlink()  # its sender has not heard of success
        return [Held(path) for path in _by_age(self._folder)]

    def knows(self, digest: str) -> bool:
        """Whether a file of this SHA-256 was dealt with, before a restart too."""
        return self._ledger is not None and self._ledger.fingerprint(digest) is not None

    def remember(self, digest: str) -> None:
        """It has been. OSError: that is not kept."""
        if self._ledger is not None:
            self._ledger.add(digest, ())

    def put(self, instance: str, file: bytes) -> Held:
        """Keep a plane; each time under a name of its own. OSError: it is not kept."""
        free = shutil.disk_usage(self._folder).free
        if free - len(file) < KEEP_FREE_BYTES:
            raise OSError(f"only {free >> 20} MB of the disk are free")
        kept = self._bytes()
        if kept + len(file) > MAX_BYTES:
            raise OSError(f"{kept >> 20} MB wait already")
        path = self._folder / f"{safe_name(instance)}~{secrets.token_hex(4)}{SUFFIX}"
        unfinished = path.with_suffix(UNFINISHED)
        try:
            with unfinished.open("wb") as opened:
                opened.write(file)
                opened.flush()
                os.fsync(opened.fileno())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        _synchronise(self._folder)
        return Held(path)

    def _bytes(self) -> int:
        total = 0
        for path in self._folder.glob(f"*{SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):  # dealt with meanwhile
                total += path.stat().st_size
        return total

    def drop(self, held: Held, reason: str) -> None:
        """It has been dealt with; what was of no use is kept for a while. Never raises."""
        with contextlib.suppress(OSError):
            if not reason:
                held.path.unlink()
                return
            self._refused.mkdir(exist_ok=True)
            held.path.replace(self._refused / f"{held.path.stem}-{safe_name(reason)}{SUFFIX}")
            for path in _by_age(self._refused)[:-MAX_REFUSED]:
                path.unlink()

    def end(self) -> None:
        """Forget what was only kept for as long as the receiver is open."""
        if self._made is not None:
            shutil.rmtree(self._made, ignore_errors=True)


def safe_name(text: str) -> str:
    """Of a file; a UID stays as it is."""
    return re.sub(r"[^A-Za-z0-9.-]", "_", text)[:64].lstrip(".") or "unknown"


def _by_age(folder: Path) -> list[Path]:
    found = []
    for path in folder.glob(f"*{SUFFIX}"):
        with contextlib.suppress(FileNotFoundError):  # dealt with meanwhile
            found.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(found)]


def _synchronise(folder: Path) -> None:
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(place)
    finally:
        os.close(place)
