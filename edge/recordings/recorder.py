"""Keeps every raw byte, and the order in which drivers and engine were fed, as MCAP files.

One queue keeps one order: what was put in first stands first in the file, so a replay that
reads from the front feeds drivers and engine exactly as the live service did. A thread of its
own compresses and writes; the caller only appends to a deque.
"""

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import structlog

from edge.recordings.files import Limits, RecordingFiles
from edge.recordings.format import ASKED_TOPIC, FED_TOPIC, SENSOR_TOPIC, TICK_TOPIC, Session

POLL_S = 0.1  # waking the writer for each message would cost the event loop a switch each time

log = structlog.get_logger()


class Record(Protocol):
    """What sources and pipeline ask of a recorder. Called from one thread only."""

    def raw(self, sensor_id: str, data: bytes, received_utc_ns: int) -> None:
        """Keep what arrived; `b""`: the link was cut."""
        ...

    def tick(self, utc_ns: int) -> None:
        """The engine was told the time."""
        ...

    def fed(self, sensor_id: str, utc_ns: int) -> None:
        """What a worker made of the sensor's last bytes was fed to the engine."""
        ...

    def asked(self, what: bytes, utc_ns: int) -> None:
        """Somebody asked this of the engine; see `edge.recordings.asked`."""
        ...

    def close(self) -> None:
        """Write what waits and finish the file."""
        ...


class NoRecorder:
    """Keeps nothing."""

    def raw(self, sensor_id: str, data: bytes, received_utc_ns: int) -> None:
        """As `Record.raw`."""

    def tick(self, utc_ns: int) -> None:
        """As `Record.tick`."""

    def fed(self, sensor_id: str, utc_ns: int) -> None:
        """As `Record.fed`."""

    def asked(self, what: bytes, utc_ns: int) -> None:
        """As `Record.asked`."""

    def close(self) -> None:
        """As `Record.close`."""


class Recorder:
    """Keeps one session in files below `directory`. Never blocks and never raises on use.

    OSError when made: the directory cannot be written.
    """

    def __init__(
        self,
        directory: Path,
        session: Session,
        limits: Limits | None = None,
        *,
        count_written: Callable[[int], object] = lambda size: None,
        count_dropped: Callable[[int], object] = lambda size: None,
    ) -> None:
        self._limits = limits or Limits()
        self._count_written = count_written
        self._count_dropped = count_dropped
        self._files = RecordingFiles(directory, session, self._limits)
        self._queue: deque[tuple[str, int, int, bytes]] = deque()
        self._number = 0
        # Each is written by one thread alone, so no lock is needed.
        self._put_bytes = self._refused_bytes = 0
        self._taken_bytes = self._unwritten_bytes = 0
        self._refusing = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def raw(self, sensor_id: str, data: bytes, received_utc_ns: int) -> None:
        """Keep what arrived; `b""`: the link was cut."""
        self._put(SENSOR_TOPIC + sensor_id, received_utc_ns, data)

    def tick(self, utc_ns: int) -> None:
        """The engine was told the time."""
        self._put(TICK_TOPIC, utc_ns, b"")

    def fed(self, sensor_id: str, utc_ns: int) -> None:
        """What a worker made of the sensor's last bytes was fed to the engine."""
        self._put(FED_TOPIC, utc_ns, sensor_id.encode())

    def asked(self, what: bytes, utc_ns: int) -> None:
        """Somebody asked this of the engine."""
        self._put(ASKED_TOPIC, utc_ns, what)

    @property
    def queued_bytes(self) -> int:
        """What waits to be written."""
        return self._put_bytes - self._taken_bytes

    @property
    def dropped_bytes(self) -> int:
        """What could not be kept, because of a full queue or a full or broken disk."""
        return self._refused_bytes + self._unwritten_bytes

    def wait_for_room(self) -> None:
        """Wait until half of the queue is free: for who records faster than life."""
        while self._thread.is_alive() and 2 * self.queued_bytes > self._limits.queue_bytes:
            self._closing.wait(POLL_S)

    def close(self, timeout_s: float = 3.0) -> None:
        """Write what waits and finish the file; returns after `timeout_s` at the latest."""
        self._closing.set()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            log.warning("recording not finished in time", queued_bytes=self.queued_bytes)

    def _put(self, topic: str, utc_ns: int, data: bytes) -> None:
        number = self._number
        self._number += 1
        if self.queued_bytes + len(data) > self._limits.queue_bytes:
            self._refuse(len(data))
            return
        if self._refusing:
            self._refusing = False
            log.warning("recording queue has room again", dropped_bytes=self._refused_bytes)
        self._put_bytes += len(data)
        self._queue.append((topic, number, utc_ns, data))

    def _refuse(self, size: int) -> None:
        # The gap in the numbers says it to the reader; the log says it once to people.
        if not self._refusing:
            log.error("recording queue full, dropping", queued_bytes=self.queued_bytes)
        self._refusing = True
        self._refused_bytes += size
        self._count_dropped(size)

    def _run(self) -> None:
        while not self._closing.wait(POLL_S):
            self._write_waiting()
        self._write_waiting()
        self._files.close()

    def _write_waiting(self) -> None:
        while self._queue:
            topic, number, utc_ns, data = self._queue.popleft()
            if self._files.write(topic, number, utc_ns, data):
                self._count_written(len(data))
            else:
                self._unwritten_bytes += len(data)
                self._count_dropped(len(data))
            self._taken_bytes += len(data)
        self._files.keep_house()
