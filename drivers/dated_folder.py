"""Folders by day, `terminal/yyyymm/yyyymmdd`, as customs collect the pictures of many scanners.

Only the latest days of each terminal are watched: what lies in older ones is an archive of
thousands of files, and nobody waits for it.
"""

import os
import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from drivers.scan_folder import WORK_DIRECTORY, ScanFolder, TakenSet

MAX_TERMINALS = 64  # a country has so many; each costs two looks at its folders a poll
MAX_NAMES = 4096  # months of a terminal or days of a month, whatever else lies there
FIND_POLLS = 50  # a share may keep a folder's time for a second
_MONTH, _DAY = re.compile(r"\d{6}"), re.compile(r"\d{8}")


class DatedFolders:
    """The latest days below a folder, each an inbox of its own.

    root  may hold terminals, or be one
    days  how many of the latest of each terminal are watched
    make  opens one of them

    OSError when made: the folder is not there.
    """

    def __init__(self, root: Path, days: int, make: Callable[[Path], ScanFolder]) -> None:
        self._root = root
        self._days = days
        self._make = make
        self._folders: dict[Path, ScanFolder] = {}
        self._taken: ScanFolder | None = None
        self._seen: dict[Path, int] = {}
        """Folders that hold others, and when they changed."""
        self._polls = 0
        self._find()

    @property
    def fresh(self) -> bool:
        """As of `ScanFolder`, in any of the days."""
        return any(folder.fresh for folder in self._folders.values())

    def poll(self) -> TakenSet | None:
        """As `ScanFolder.poll`, of all days; the day after the last one that had something is
        first, so that none waits for another."""
        self._polls += 1
        if self._polls >= FIND_POLLS or self._has_changed():
            self._find()
        order = list(self._folders.items())
        for day, folder in order:
            try:
                taken = folder.poll()
            except FileNotFoundError:  # that day was cleared away
                self._polls = FIND_POLLS
                continue
            if taken is not None:
                del self._folders[day]
                self._folders[day] = self._taken = folder
                return taken
        return None

    def settle(self, taken: TakenSet, reason: str) -> None:
        """File the set that was read last."""
        if self._taken is not None:
            self._taken.settle(taken, reason)

    def _has_changed(self) -> bool:
        return any(_changed_ns(path) != seen for path, seen in self._seen.items())

    def _find(self) -> None:
        self._polls = 0
        self._root.stat()  # a share that is gone is lost, and not an empty one
        self._seen = {self._root: _changed_ns(self._root)}
        terminals = [self._root, *islice(_below(self._root), MAX_TERMINALS)]
        days = [day for terminal in terminals for day in self._latest(terminal)]
        self._folders = {day: self._folders.get(day) or self._make(day) for day in sorted(days)}

    def _latest(self, terminal: Path) -> list[Path]:
        """The last days of a terminal, newest first."""
        months = sorted(_below(terminal, _MONTH), reverse=True)
        if months and terminal != self._root:
            self._seen[terminal] = _changed_ns(terminal)
        found: list[Path] = []
        for month in months:
            self._seen[month] = _changed_ns(month)
            days = (day for day in _below(month, _DAY) if day.name.startswith(month.name))
            found += sorted(days, reverse=True)[: self._days - len(found)]
            if len(found) >= self._days:
                break
        return found


def _changed_ns(path: Path) -> int:
    try:
        return path.lstat().st_mtime_ns
    except OSError:
        return -1


def _below(path: Path, name: re.Pattern[str] | None = None) -> Iterator[Path]:
    """Folders in a folder whose whole name fits; links are not followed."""
    try:
        with os.scandir(path) as entries:
            for entry in islice(entries, MAX_NAMES):
                fits = entry.name != WORK_DIRECTORY if name is None else name.fullmatch(entry.name)
                if fits and entry.is_dir(follow_symlinks=False):
                    yield path / entry.name
    except OSError:  # went while we looked
        return
