"""The files of a watched folder: see when a set is complete, and read it once.

Nothing here waits: every method is one visit to the disk, made from one thread at a time.
"""

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

from drivers.address import cause_of
from drivers.scan_filing import Fingerprint, ScanFiling
from drivers.wire import bundle
from drivers.wire.malformed import Malformed, malformed

MAX_ENTRIES = 10_000  # a folder with more is no inbox; the rest is seen when these are gone
STABLE_POLLS = 2  # facts/xray.md 1.4: sizes are stable over two polls
DOUBT_POLLS = 8  # most that a file which was once found short has to stand still after it grew
FEW_ENTRIES = 256  # a folder with no more is listed at every poll, which costs half a millisecond
LIST_POLLS = 25  # a fuller one when it changed, and so often: shares may keep its time for a second
WORK_DIRECTORY = ".garita"  # inside the watched folder, so that filing a scan is one rename
JUDGED = -(2**62)  # polls that a set begins with which is not to be read again as it is
FOREVER = JUDGED // 2  # no count of polls reaches from there to 0

THREADS_BYTES = 4 << 20  # making two threads costs as much as hashing 0.3 MB
# The directory entry may have been exchanged since it was looked at: a link is not followed,
# and a pipe that nobody writes to is not waited for.
OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FileSet(Protocol):
    """Files that belong together: a scan, or a document that is one file."""

    @property
    def name(self) -> str:
        """What the set is called."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Its files."""
        ...

    @property
    def complete(self) -> bool:
        """Whether all are there."""
        ...


@dataclass(frozen=True, slots=True)
class TakenSet:
    """A set that was read, until it is settled; its files stay in the inbox for so long."""

    name: str
    digest: str
    """SHA-256 over the digests of its files."""
    fingerprint: Fingerprint
    data: bytes
    """The bundle."""


class _ChangedError(OSError):
    """A file is not the one that was looked at."""


@dataclass(slots=True)
class _Watched:
    fingerprint: Fingerprint
    polls: int = 0
    """How many polls in a row have found it so."""
    failures: int = 0
    """How often it could not be read as it is."""
    told: bool = False
    """Whether that was said."""
    doubt: int = 0
    """So many polls more it must be found so, for it was short when it was looked into."""


class ScanFolder:
    """One watched folder.

    inbox        the folder that the scanner writes to
    work         where what is done and what was refused go
    group        sorts file names into sets
    stale_polls  an incomplete set that has not changed for so many polls is handed over as it
                 is; the driver says what is missing
    retry_polls  a set that could not be read is tried again after so many polls
    stable_polls a complete set is taken when so many polls in a row have found it so
    whole        tells of a file's name and content whether it is all there: a set of which one is
                 not is left for `short_polls` to grow on, one of which that cannot be told for
                 `steady_polls`; without it standing still is all there is to go by
    filing       where sets go and which were read before; else made for `inbox` and `work`
    refuse       is told of every set that is not worth reading (`too-large`, `bad-name`,
                 `duplicate`, `not-a-file`), and once of one that cannot be read for now
                 (`unreadable`) or not be filed (`not-filed`)

    OSError when made: `work` cannot be written.
    """

    def __init__(
        self,
        *,
        inbox: Path,
        work: Path,
        group: Callable[[Collection[str]], Sequence[FileSet]],
        stale_polls: int,
        retry_polls: int,
        refuse: Callable[[Malformed], None],
        stable_polls: int = STABLE_POLLS,
        whole: Callable[[str, bytes], bool | None] | None = None,
        steady_polls: int = STABLE_POLLS,
        short_polls: int = STABLE_POLLS,
        few_entries: int = FEW_ENTRIES,
        filing: ScanFiling | None = None,
    ) -> None:
        self._inbox = inbox
        self._group = group
        self._stale_polls = stale_polls
        self._retry_polls = retry_polls
        self._refuse = refuse
        self._stable_polls = stable_polls
        self._whole = whole
        self._steady_polls = steady_polls
        self._short_polls = short_polls
        self._few_entries = few_entries
        self._filing = filing or ScanFiling(inbox, work)
        self._fresh = False
        self._idle = False
        """Whether nothing is there that was not judged."""
        self._names: list[str] = []
        self._others: list[str] = []
        self._listed_ns = -1
        self._settled = False
        """Whether the folder was listed again after it changed last."""
        self._unlisted = 0
        """Polls since it was listed."""
        self._watched: dict[str, _Watched] = {}
        self._not_files: set[str] = set()

    @property
    def fresh(self) -> bool:
        """Whether a complete set was found as it is for the first time at the last poll."""
        return self._fresh

    def poll(self) -> TakenSet | None:
        """Look once; the next set that is ready, read and hashed. OSError: folder lost."""
        self._fresh = False
        self._list()
        if self._unlisted and self._idle:
            return None
        found, others = self._look()
        self._refuse_others(others)
        before, self._watched = self._watched, {}
        if self._unlisted:  # what was judged was not looked at
            self._watched = {name: one for name, one in before.items() if one.polls < FOREVER}
        for scan_set, fingerprint in found:
            watched = before.get(scan_set.name)
            if watched is None or watched.fingerprint != fingerprint:
                doubt = min(watched.doubt, DOUBT_POLLS) if watched is not None else 0
                watched = _Watched(fingerprint, doubt=doubt)
            watched.polls += 1
            self._fresh |= scan_set.complete and watched.polls == 1 and not watched.doubt
            self._watched[scan_set.name] = watched
        for scan_set, fingerprint in found:
            watched = self._watched[scan_set.name]
            needed = self._stable_polls + watched.doubt
            if not scan_set.complete:
                needed = self._stale_polls
            if watched.polls < needed:
                continue
            if self._filing.is_known(fingerprint):  # and its files are left where they are
                watched.polls = JUDGED
                continue
            taken = self._try(scan_set, watched, needed)
            if taken is not None:
                self._idle = False
                return taken
        self._idle = all(one.polls < FOREVER for one in self._watched.values())
        return None

    def _try(self, scan_set: FileSet, watched: _Watched, needed: int) -> TakenSet | None:
        """Read a set; None where it was refused, is short, or cannot be read now."""
        counted = watched.polls
        # Should its files stay, however that may be, it is looked at again only when changed.
        watched.polls = JUDGED
        try:
            contents = self._contents(scan_set.name, watched.fingerprint)
            if contents is None:
                return None
            if scan_set.complete and counted < self._wait(contents):
                watched.polls = counted
                watched.doubt = max(needed, 1)  # twice as long as this time
                return None
            return self._take(scan_set.name, watched.fingerprint, contents)
        except OSError as error:
            watched.polls = needed - self._retry_polls
            self._say_unreadable(scan_set.name, watched, error)
            return None

    def _wait(self, contents: dict[str, bytes]) -> int:
        """For how many polls these files have to stand still."""
        if self._whole is None:
            return 0
        told = [self._whole(name, content) for name, content in contents.items()]
        if False in told:
            return self._short_polls
        return self._steady_polls if None in told else 0

    def settle(self, taken: TakenSet, reason: str) -> None:
        """File the set as done, or as of no use for `reason`."""
        with self._filing_of(taken.name):
            if reason:
                self._filing.put_aside(
                    taken.name, taken.digest, taken.fingerprint, taken.data, reason
                )
            else:
                self._filing.file_done(taken.name, taken.digest, taken.fingerprint, taken.data)

    def _look(self) -> tuple[list[tuple[FileSet, Fingerprint]], list[str]]:
        """The sets with their files' sizes and times, and the names of what is no file."""
        judged = set()
        if self._unlisted:
            watched = (one for one in self._watched.values() if one.polls < FOREVER)
            judged = {name for one in watched for name in _names(one.fingerprint)}
        stats: dict[str, tuple[str, int, int]] = {}
        inbox = str(self._inbox)
        for name in self._names:
            if name not in judged:
                with contextlib.suppress(OSError):  # renamed while we looked, or that one spoilt
                    status = os.lstat(f"{inbox}/{name}")
                    if stat.S_ISREG(status.st_mode):
                        stats[name] = (name, status.st_size, status.st_mtime_ns)
        # By age, so that scans are read in the order in which they were taken.
        found = [
            (scan_set, tuple(stats[name] for name in scan_set.names))
            for scan_set in self._group(sorted(stats))
        ]
        found.sort(key=lambda one: (max(file[2] for file in one[1]), one[0].name))
        return found, self._others

    def _list(self) -> None:
        """See what is there, where that may have changed."""
        changed_ns = self._inbox.stat().st_mtime_ns
        # What comes within the same tick of the file system's clock leaves its time as it is: the
        # folder is listed once more after each change.
        full = len(self._names) > self._few_entries
        quiet = full and changed_ns == self._listed_ns and self._settled
        if quiet and self._unlisted < LIST_POLLS:
            self._unlisted += 1
            return
        self._settled = changed_ns == self._listed_ns
        self._listed_ns = changed_ns
        before, self._names, self._others = self._names, [], []
        with os.scandir(self._inbox) as entries:
            for entry in islice(entries, MAX_ENTRIES):
                if entry.name == WORK_DIRECTORY:
                    continue
                with contextlib.suppress(OSError):
                    # A link is not followed: it could name any file of this machine.
                    plain = entry.is_file(follow_symlinks=False)
                    (self._names if plain else self._others).append(entry.name)
        # Neither its time nor its names are others: what was judged in it is not looked at again.
        self._unlisted = 1 if quiet and self._names == before else 0

    def _refuse_others(self, others: list[str]) -> None:
        """Links, pipes and folders under the name of a plane: told once, and moved aside."""
        self._not_files &= set(others)  # where one could not be moved, that is not told again
        new = [name for name in others if name not in self._not_files]
        for name in (name for scan_set in self._group(new) for name in scan_set.names):
            self._not_files.add(name)
            self._refuse(malformed("not-a-file", _printable(name)))
            with self._filing_of(name):
                self._filing.put_aside_unread(name, [name], "not-a-file")

    def _contents(self, name: str, fingerprint: Fingerprint) -> dict[str, bytes] | None:
        """Read the set's files; None where it was refused. OSError: not now."""
        if refused := _fault(name, fingerprint):
            self._refuse(refused)
            with self._filing_of(name):
                self._filing.put_aside_unread(name, _names(fingerprint), refused.reason)
            return None
        return {file[0]: _read(self._inbox / file[0], file) for file in fingerprint}

    def _take(
        self, name: str, fingerprint: Fingerprint, contents: dict[str, bytes]
    ) -> TakenSet | None:
        """The set as it was read; None where it was read before. OSError: not now."""
        digests = _digests(list(contents.values()))
        digest = hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()
        known = self._filing.read_before(digest)
        if known is None:
            return TakenSet(name, digest, fingerprint, bundle.encode(contents, digests))
        if known == fingerprint:  # these very files: a crash kept them from being filed
            self._filing.file_again(name, digest, fingerprint, bundle.encode(contents))
            return None
        self._refuse(malformed("duplicate", _printable(name)))
        with self._filing_of(name):
            data = bundle.encode(contents)
            self._filing.put_aside(name, digest, fingerprint, data, "duplicate")
        return None

    def _say_unreadable(self, name: str, watched: _Watched, error: OSError) -> None:
        # A file that went or grew on while it was looked at is none to speak of, once.
        passing = isinstance(error, FileNotFoundError | _ChangedError)
        watched.failures += 1
        if not watched.told and (watched.failures > 1 or not passing):
            watched.told = True
            self._refuse(malformed("unreadable", _printable(f"{cause_of(error)}: {name}")))

    @contextlib.contextmanager
    def _filing_of(self, name: str) -> Iterator[None]:
        """What goes wrong in filing one set is told, and the others are read all the same."""
        try:
            yield
        except OSError as error:
            self._refuse(malformed("not-filed", _printable(f"{cause_of(error)}: {name}")))


def _fault(name: str, fingerprint: Fingerprint) -> Malformed | None:
    """Why a set must not be read."""
    names = _printable(", ".join(_names(fingerprint)))
    if sum(size for _, size, _ in fingerprint) > bundle.MAX_BUNDLE_BYTES:
        return malformed("too-large", names)
    if name in {".", ".."} or set(name) & {"/", "\\", "\0"}:
        return malformed("bad-name", names)
    try:
        bundle.encode(dict.fromkeys(_names(fingerprint), b""))
    except ValueError:  # too many files, or names that a bundle cannot carry
        return malformed("bad-name", names)
    return None


def _digests(contents: list[bytes]) -> list[str]:
    """SHA-256 of each; planes of 10 MB take 5 ms each, which is worth a second thread."""
    if sum(map(len, contents)) < THREADS_BYTES:
        return [hashlib.sha256(content).hexdigest() for content in contents]
    with ThreadPoolExecutor(2) as threads:
        return [done.hexdigest() for done in threads.map(hashlib.sha256, contents)]


def _names(fingerprint: Fingerprint) -> list[str]:
    return [name for name, _, _ in fingerprint]


def _read(path: Path, file: tuple[str, int, int]) -> bytes:
    """The very file that was looked at. OSError where it is not, or cannot be read."""
    name, size, modified_ns = file
    with open(os.open(path, OPEN_FLAGS), "rb") as opened:  # noqa: PTH123 - Path has no flags
        status = os.fstat(opened.fileno())
        known = (status.st_size, status.st_mtime_ns) == (size, modified_ns)
        if not stat.S_ISREG(status.st_mode) or not known:
            raise _ChangedError(f"{name} has changed")
        content = opened.read(size + 1)
    if len(content) != size:
        raise _ChangedError(f"{name} has changed")
    return content


def _printable(name: str) -> bytes:
    return name.encode("utf-8", "backslashreplace")
