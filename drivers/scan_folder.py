"""The files of a watched folder: take what is complete, remember it, file it away.

Nothing here waits: every method is one visit to the disk, made from one thread at a time.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from drivers.wire import bundle
from drivers.wire.malformed import Malformed, malformed
from drivers.xray_files import ScanSet

MAX_ENTRIES = 10_000  # a folder with more is no inbox; the rest is seen when these are gone
MAX_LEDGER = 20_000  # sets remembered: six weeks of the reference checkpoint's 480 a day
MAX_KEPT_SETS = 200  # of done and of quarantine each; with 19 MB a scan that is below 8 GB
STABLE_POLLS = 2  # facts/xray.md 1.4: sizes are stable over two polls
WORK_DIRECTORY = ".garita"  # inside the watched folder, so that filing a scan is one rename

Fingerprint = tuple[tuple[str, int, int], ...]
"""(name, bytes, modified ns) of each file of a set."""


@dataclass(frozen=True, slots=True)
class TakenSet:
    """A set whose copy is in the store, until it is settled."""

    name: str
    digest: str
    """SHA-256 over the digests of its files."""
    fingerprint: Fingerprint
    store: Path
    data: bytes
    """The bundle."""


@dataclass(slots=True)
class _Watched:
    fingerprint: Fingerprint
    polls: int
    """How many polls in a row have found it so."""


class ScanFolder:
    """One watched folder.

    inbox        the folder that the scanner writes to
    work         where the copies, what is done and what was refused go
    group        sorts file names into sets
    stale_polls  an incomplete set that has not changed for so many polls is handed over as it
                 is; the driver says what is missing
    refuse       is told of every set that is not worth reading

    OSError when made: `work` cannot be written.
    """

    def __init__(
        self,
        *,
        inbox: Path,
        work: Path,
        group: Callable[[Collection[str]], list[ScanSet]],
        stale_polls: int,
        refuse: Callable[[Malformed], None],
    ) -> None:
        self._inbox = inbox
        self._group = group
        self._stale_polls = stale_polls
        self._refuse = refuse
        self._store, self._done, self._quarantine = (
            work / name for name in ("store", "done", "quarantine")
        )
        shutil.rmtree(self._store, ignore_errors=True)  # copies that a crash has left
        for directory in (self._store, self._done, self._quarantine):
            directory.mkdir(parents=True, exist_ok=True)
        self._ledger = _Ledger(work / "ledger.json")
        self._watched: dict[str, _Watched] = {}

    def poll(self) -> TakenSet | None:
        """Look once; the next set that is ready, copied and hashed. OSError: folder lost."""
        found = self._look()
        for scan_set, fingerprint in found:
            watched = self._watched.get(scan_set.name)
            if watched is None or watched.fingerprint != fingerprint:
                watched = self._watched[scan_set.name] = _Watched(fingerprint, 0)
            watched.polls += 1
        names = {scan_set.name for scan_set, _ in found}
        self._watched = {name: one for name, one in self._watched.items() if name in names}
        for scan_set, fingerprint in found:
            needed = STABLE_POLLS if scan_set.complete else self._stale_polls
            if self._watched[scan_set.name].polls < needed:
                continue
            # Should its files stay, however that may be, it is looked at again only when changed.
            self._watched[scan_set.name].polls = -(2**62)
            taken = self._take(scan_set.name, fingerprint)
            if taken is not None:
                return taken
        return None

    def settle(self, taken: TakenSet, reason: str) -> None:
        """File the set as done, or as of no use for `reason`."""
        if reason:
            self._put_aside(taken.name, taken.digest, taken.store, reason)
        else:
            self._ledger.add(taken.digest, taken.fingerprint)
            _move(taken.store, self._done / f"{taken.name}-{taken.digest[:8]}")
            _prune(self._done)
        self._clear(taken.fingerprint)

    def _look(self) -> list[tuple[ScanSet, Fingerprint]]:
        stats: dict[str, tuple[str, int, int]] = {}
        with os.scandir(self._inbox) as entries:
            for entry in entries:
                if len(stats) == MAX_ENTRIES:
                    break
                if entry.name == WORK_DIRECTORY:
                    continue
                with contextlib.suppress(FileNotFoundError):  # renamed while we looked
                    # A link is not followed: it could name any file of this machine.
                    if entry.is_file(follow_symlinks=False):
                        stat = entry.stat(follow_symlinks=False)
                        stats[entry.name] = (entry.name, stat.st_size, stat.st_mtime_ns)
        # By age, so that scans are read in the order in which they were taken.
        found = [
            (scan_set, tuple(stats[name] for name in scan_set.names))
            for scan_set in self._group(sorted(stats))
        ]
        return sorted(found, key=lambda one: (max(file[2] for file in one[1]), one[0].name))

    def _take(self, name: str, fingerprint: Fingerprint) -> TakenSet | None:
        store = self._store / name
        try:
            contents = self._copy(fingerprint, store)
        except OSError:
            # Gone or unreadable in the meantime: looked at afresh when it has changed.
            shutil.rmtree(store, ignore_errors=True)
            return None
        if isinstance(contents, Malformed):
            self._refuse(contents)
            self._put_aside_unread(name, fingerprint, contents.reason)
            return None
        digests = sorted(hashlib.sha256(content).hexdigest() for content in contents.values())
        digest = hashlib.sha256("".join(digests).encode()).hexdigest()
        known = self._ledger.fingerprint(digest)
        if known is not None:
            if known != fingerprint:  # a second export; the same files again are only left over
                self._refuse(malformed("duplicate", _printable(name)))
                self._put_aside(name, digest, store, "duplicate")
            shutil.rmtree(store, ignore_errors=True)
            self._clear(fingerprint)
            return None
        return TakenSet(name, digest, fingerprint, store, bundle.encode(contents))

    def _copy(self, fingerprint: Fingerprint, store: Path) -> dict[str, bytes] | Malformed:
        names = _printable(", ".join(name for name, _, _ in fingerprint))
        if sum(size for _, size, _ in fingerprint) > bundle.MAX_BUNDLE_BYTES:
            return malformed("too-large", names)
        try:
            bundle.encode({name: b"" for name, _, _ in fingerprint})
        except ValueError:  # too many files, or names that a bundle cannot carry
            return malformed("bad-name", names)
        store.mkdir(parents=True, exist_ok=True)
        contents = {}
        for name, size, _ in fingerprint:
            with (self._inbox / name).open("rb") as file:
                contents[name] = file.read(size + 1)
            if len(contents[name]) != size:  # it grows again
                raise OSError(f"{name} has changed")
            (store / name).write_bytes(contents[name])
        return contents

    def _put_aside(self, name: str, digest: str, store: Path, reason: str) -> None:
        place = self._quarantine / f"{name}-{digest[:8]}"
        if store.exists():
            _move(store, place)
        self._say_why(place, reason)

    def _put_aside_unread(self, name: str, fingerprint: Fingerprint, reason: str) -> None:
        """Files that must not be read are only renamed."""
        place = self._quarantine / f"{name}-{fingerprint[0][2]}"
        self._say_why(place, reason)
        for file_name, _, _ in fingerprint:
            with contextlib.suppress(OSError):  # it stays where it is, and is not looked at again
                (self._inbox / file_name).replace(place / file_name)

    def _say_why(self, place: Path, reason: str) -> None:
        place.mkdir(exist_ok=True)
        (place / "reason.txt").write_text(reason + "\n", encoding="utf-8")
        _prune(self._quarantine)

    def _clear(self, fingerprint: Fingerprint) -> None:
        for name, size, modified_ns in fingerprint:
            path = self._inbox / name
            with contextlib.suppress(OSError):  # a share we may not delete from: it stays there
                stat = path.stat()
                # Another scan may have come under the same name; that one is not ours to delete.
                if (stat.st_size, stat.st_mtime_ns) == (size, modified_ns):
                    path.unlink()


class _Ledger:
    """What has been read, by digest, oldest first; on disk, whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: dict[str, Fingerprint] = {}
        with contextlib.suppress(FileNotFoundError, ValueError, TypeError):  # none, or spoilt
            rows = json.loads(path.read_text(encoding="utf-8"))
            self._seen = {
                digest: tuple((name, size, modified) for name, size, modified in files)
                for digest, files in rows
            }

    def fingerprint(self, digest: str) -> Fingerprint | None:
        return self._seen.get(digest)

    def add(self, digest: str, fingerprint: Fingerprint) -> None:
        self._seen[digest] = fingerprint
        while len(self._seen) > MAX_LEDGER:
            del self._seen[next(iter(self._seen))]
        unfinished = self._path.with_suffix(".tmp")
        with unfinished.open("w", encoding="utf-8") as file:
            json.dump(list(self._seen.items()), file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path)


def _printable(name: str) -> bytes:
    return name.encode("utf-8", "backslashreplace")


def _move(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)  # the same content was filed before
    source.replace(target)


def _prune(directory: Path) -> None:
    """Keep the latest sets only, so that the disk is never filled by them."""
    kept = sorted(directory.iterdir(), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in kept[MAX_KEPT_SETS:]:
        shutil.rmtree(path, ignore_errors=True)
