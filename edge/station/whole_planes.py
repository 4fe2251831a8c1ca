"""Whole scans kept at the station: what a message has no room for, an analyst can come and get.

Every scan is packed and written a moment after it was measured, on a thread of its own, and
forgotten after some more; those that an alert named are kept for as long as there is room. What
goes wrong here is logged and counted, and hurts no alert.
"""

import contextlib
import os
import shutil
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from pathlib import Path

import structlog

from edge import metrics
from edge.evidence.scans.planes import whole_file
from fusion.scan_record import ScanRecord
from fusion.types import Alert

LATER_S = 0.4  # after a scan was measured: its alert is on its way by then, and needs the cores
MAX_WAITING = 2  # scans in memory, 20 MB each; one comes in ten seconds at most
MAX_RECENT = 20  # files, 16 MB each: an alert may come minutes after the scan, by another sensor
PRUNE_EACH_S = 3_600.0  # what is too old goes though no scan comes
MAX_WANTED = 1_000  # names of which the file is yet to come
DAY_S = 86_400.0
SUFFIX = ".tif"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is kept."""

    max_bytes: int
    max_age_s: float
    keep_free_bytes: int
    """Of the disk, which the outbox needs."""


class WholePlanes:
    """`kept/SHA256.tif` of scans that alerts named, `recent/SHA256.tif` of the last few."""

    def __init__(self, folder: Path, limits: Limits, *, later_s: float = LATER_S) -> None:
        self._recent, self._kept = folder / "recent", folder / "kept"
        self._limits = limits
        self._later_s = later_s
        self._waiting: deque[tuple[float, ScanRecord, str]] = deque()
        self._named: deque[str] = deque()
        self._wanted: OrderedDict[str, None] = OrderedDict()
        self._changed = threading.Condition()
        self._ended = self._busy = self._refused = False
        self._prune_at_s = 0.0
        self._thread = threading.Thread(target=self._run, name="whole-planes", daemon=True)
        self._thread.start()

    def put(self, record: ScanRecord, name: str) -> None:
        """Keep this scan's pixels; any thread. The oldest that waits gives way."""
        with self._changed:
            self._waiting.append((time.monotonic() + self._later_s, record, name))
            if len(self._waiting) > MAX_WAITING:
                self._waiting.popleft()
                metrics.dropped("scans", "whole-planes-busy")
            self._changed.notify_all()

    def told(self, alert: Alert) -> None:
        """The alert has gone out with files; any thread."""
        names = [each.whole for each in alert.records if isinstance(each, ScanRecord)]
        with self._changed:
            self._named += [name for name in names if name]
            self._changed.notify_all()

    def wait(self, timeout_s: float) -> bool:
        """Whether everything was written within that time; what waits does not wait longer."""
        with self._changed:
            self._later_s, later_s = 0.0, self._later_s
            self._waiting = deque((0.0, record, name) for _, record, name in self._waiting)
            self._changed.notify_all()
            done = self._changed.wait_for(
                lambda: not (self._waiting or self._named or self._busy), timeout_s
            )
            self._later_s = later_s
            return done

    def close(self, timeout_s: float) -> None:
        """Write what waits, if that can be done within the time, and end."""
        self.wait(timeout_s)
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join(0.1)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                while not (self._ended or self._named or self._is_due() or self._may_prune()):
                    self._changed.wait(self._pause_s())
                if self._ended:
                    return
                self._busy = True
                named = self._named.popleft() if self._named else ""
                scan = self._waiting.popleft()[1:] if self._is_due() and not named else None
            try:
                if scan is not None:
                    self._write(*scan)
                elif named:
                    self._want(named)
                else:
                    with contextlib.suppress(OSError):
                        self._prune()
            # Whatever the disk does: the alerts have gone out, and the next scan is tried again.
            except Exception as error:  # noqa: BLE001
                self._refuse(repr(error))

    def _is_due(self) -> bool:
        return bool(self._waiting) and self._waiting[0][0] <= time.monotonic()

    def _may_prune(self) -> bool:
        return time.monotonic() >= self._prune_at_s

    def _pause_s(self) -> float:
        next_s = min([self._prune_at_s, *(due_s for due_s, *_ in self._waiting)])
        return max(next_s - time.monotonic(), 0.0)

    def _write(self, record: ScanRecord, name: str) -> None:
        if record.pixels is None or (self._kept / (name + SUFFIX)).exists():
            return
        wanted = name in self._wanted
        place = self._kept if wanted else self._recent
        place.mkdir(parents=True, exist_ok=True)
        data = whole_file(record, record.pixels, name)
        free = shutil.disk_usage(place).free
        if free - len(data) < self._limits.keep_free_bytes:
            self._prune()
            self._refuse(f"{free} bytes free")
            return
        part = place / f"{name}.part"
        try:
            part.write_bytes(data)
            part.replace(place / (name + SUFFIX))
        finally:
            part.unlink(missing_ok=True)
        self._refused = False
        self._wanted.pop(name, None)
        self._prune()

    def _want(self, name: str) -> None:
        """From among the recent ones to those that are kept, or as soon as it is written."""
        recent = self._recent / (name + SUFFIX)
        if recent.exists():
            self._kept.mkdir(parents=True, exist_ok=True)
            recent.replace(self._kept / recent.name)
            self._prune()
        elif not (self._kept / recent.name).exists():
            self._wanted[name] = None
            if len(self._wanted) > MAX_WANTED:
                self._wanted.popitem(last=False)

    def _prune(self) -> None:
        """The oldest go where there are too many, too much, or too old ones."""
        self._prune_at_s = time.monotonic() + PRUNE_EACH_S
        horizon_s = time.time() - self._limits.max_age_s
        recent = _oldest_first(self._recent)
        for number, (path, stat) in enumerate(recent, 1):
            if number <= len(recent) - MAX_RECENT or stat.st_mtime < horizon_s:
                path.unlink(missing_ok=True)
        kept = _oldest_first(self._kept)
        total = sum(stat.st_size for _, stat in kept)
        for path, stat in kept:
            if total <= self._limits.max_bytes and stat.st_mtime >= horizon_s:
                break
            path.unlink(missing_ok=True)
            total -= stat.st_size

    def _refuse(self, why: str) -> None:
        """Counted each time, logged once until it works again."""
        metrics.dropped("scans", "whole-planes-disk")
        if not self._refused:
            log.warning("whole scans cannot be kept", folder=str(self._kept.parent), cause=why)
        self._refused = True


def _oldest_first(folder: Path) -> list[tuple[Path, os.stat_result]]:
    found = []
    for path in folder.glob("*" + SUFFIX) if folder.is_dir() else ():
        with contextlib.suppress(OSError):
            found.append((path, path.stat()))
    return sorted(found, key=lambda one: (one[1].st_mtime_ns, one[0].name))
