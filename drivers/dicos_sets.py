"""A scanner's folder of DICOS files: which of them make a scan, and whether they are whole.

File names say nothing: the headers do. Seeing that sizes hold still and filing are `scan_folder`'s.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from drivers.base import SensorUnavailable
from drivers.dicos_header import NEEDED, prepared
from drivers.dicos_instance import Instance, Key
from drivers.dicos_reading import begun
from drivers.wire.dicos import MAX_HEADER_BYTES
from drivers.wire.malformed import Malformed

SUFFIXES = (".dcs", ".dcm", ".dicos")
HEAD_BYTES = 64 << 10  # of a file, to begin with; the header of an image has 3 kB
OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

Planes = Literal["auto", "dual", "single"]


@dataclass(frozen=True, slots=True)
class DicosSet:
    """A file, or the two planes of one scan."""

    name: str
    names: tuple[str, ...]
    complete: bool
    """The other plane is there, where one is awaited, and no file is shorter than it says."""


@dataclass(frozen=True, slots=True)
class _Begun:
    size: int
    modified_ns: int
    instance: Instance | None
    """None: not to be read, or not yet."""
    least_bytes: int
    """What the file must have at least; more than it has while its header is not whole."""


class DicosSets:
    """Groups a folder's files; every header is read once, and again when its file changes.

    SensorUnavailable where pydicom is not installed: no scan is to be put aside for that.
    """

    def __init__(self, inbox: Path, planes: Planes, sensor_id: str = "") -> None:
        if not prepared():
            raise SensorUnavailable(f"{sensor_id}: {NEEDED}")
        self._inbox = inbox
        self._planes = planes
        self._known: dict[str, _Begun] = {}

    def __call__(self, names: Collection[str]) -> list[DicosSet]:
        """The scans among the files, in the order of their names."""
        found = [name for name in sorted(names) if is_scan(name)]
        before, self._known = self._known, {}
        for name in found:
            one = self._look(name, before.get(name))
            if one is not None:
                self._known[name] = one
        sets: list[DicosSet] = []
        waiting: dict[Key, str] = {}
        for name, one in self._known.items():
            whole = one.size >= one.least_bytes
            keys = one.instance.pair(self._planes) if one.instance else None
            if keys is None:
                sets.append(DicosSet(name, (name,), whole))
            elif (first := waiting.pop(keys[1], None)) is None:
                if waiting.setdefault(keys[0], name) != name:  # one of that scan waits already
                    sets.append(DicosSet(name, (name,), whole))
            else:
                known = self._known[first]
                both = whole and known.size >= known.least_bytes
                sets.append(DicosSet(first, (first, name), both))
        return sets + [DicosSet(name, (name,), False) for name in waiting.values()]

    def _look(self, name: str, known: _Begun | None) -> _Begun | None:
        """None: it went while we looked."""
        path = self._inbox / name
        try:
            status = path.lstat()
            if known and (known.size, known.modified_ns) == (status.st_size, status.st_mtime_ns):
                return known
            head = _head(path, HEAD_BYTES)
            read = begun(head)
            if _is_cut(read) and len(head) < min(status.st_size, MAX_HEADER_BYTES):
                read = begun(_head(path, MAX_HEADER_BYTES))
        except OSError:
            return None
        # Cut within its header: it is still being written, or will be found out by the driver.
        least_bytes = status.st_size + 1 if _is_cut(read) else 0
        instance = None
        if not isinstance(read, Malformed):
            instance, least_bytes = read
        return _Begun(status.st_size, status.st_mtime_ns, instance, least_bytes)


def is_scan(name: str) -> bool:
    """Whether a file is one; hidden files are those that a writer has not yet renamed."""
    return PurePath(name).suffix.lower() in SUFFIXES and not name.startswith((".", "~"))


def _is_cut(read: object) -> bool:
    return isinstance(read, Malformed) and read.reason == "truncated"


def _head(path: Path, size: int) -> bytes:
    with open(os.open(path, OPEN_FLAGS), "rb") as opened:  # noqa: PTH123 - Path has no flags
        return opened.read(size)
