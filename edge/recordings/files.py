"""The files of a recording: rolled by size and hour, flushed, kept within limits."""

import shutil
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import structlog
from mcap.writer import CompressionType, Writer

from edge.recordings.format import (
    ASKED_TOPIC,
    FED_TOPIC,
    PROFILE,
    SENSOR_TOPIC,
    SESSION,
    TICK_TOPIC,
    Session,
    session_metadata,
)
from fusion.types import SECOND_NS

GIGABYTE = 1_000_000_000
HOUR_NS = 3600 * SECOND_NS
QUEUE_BYTES = 128 * 2**20  # six X-ray scans of 19 MB: more means that the disk has stopped
FLUSH_S = 0.8  # with the recorder's poll, a killed process loses less than a second
CHUNK_BYTES = 2**20
ROLL_BYTES = 512 * 2**20  # a file that still copies and opens with ease
GUARD_S = 5.0  # free space is looked at so often; 5 s of the reference load is below 2 MB

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is kept. 0 for `max_gb` and `max_days`: no such limit."""

    max_gb: float = 0.0
    max_days: float = 0.0
    keep_free_gb: float = 1.0
    """Recording stops below so much free disk, so that alerts can still be stored."""
    roll_bytes: int = ROLL_BYTES
    queue_bytes: int = QUEUE_BYTES


@dataclass(slots=True)
class _File:
    """The file being written."""

    path: Path
    stream: IO[bytes]
    writer: Writer
    hour: int
    channels: dict[str, int] = field(default_factory=dict)


class RecordingFiles:
    """Rolling, flushing, retention. Used by one thread alone."""

    def __init__(self, directory: Path, session: Session, limits: Limits) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._session = session
        self._limits = limits
        self._file: _File | None = None
        self._part = 0
        self._flushed_at = self._guarded_at = time.monotonic()
        self._stopped = False
        self._guard()

    def write(self, topic: str, number: int, utc_ns: int, data: bytes) -> bool:
        """One message; False where the disk does not take it, until there is room again."""
        if self._stopped:
            return False
        try:
            file = self._file_for(utc_ns)
            # The library keeps 32 bits; a session would need five months to wrap them.
            file.writer.add_message(
                file.channels[topic], utc_ns, data, utc_ns, sequence=number & 0xFFFFFFFF
            )
        except OSError as error:
            self._fail(error)
            return False
        return True

    def keep_house(self) -> None:
        """What is due: flush, look at the disk, delete what is too old."""
        now = time.monotonic()
        if now - self._flushed_at >= FLUSH_S:
            self._flushed_at = now
            self._flush()
        if now - self._guarded_at >= GUARD_S:
            self._guarded_at = now
            self._guard()

    def close(self) -> None:
        """Finish the file in hand."""
        file, self._file = self._file, None
        if file is None:
            return
        try:
            file.writer.finish()  # type: ignore[no-untyped-call]  # the library has no types here
            file.stream.close()
        except OSError as error:
            log.error("recording not finished", file=str(file.path), error=str(error))

    def _file_for(self, utc_ns: int) -> _File:
        file, hour = self._file, utc_ns // HOUR_NS
        if file is not None:
            if file.hour == hour and file.stream.tell() < self._limits.roll_bytes:
                return file
            self.close()
        # Before every new file, so that a service which restarts often keeps its limits too.
        self._retain()
        self._file = self._open(utc_ns, hour)
        return self._file

    def _open(self, utc_ns: int, hour: int) -> _File:
        session = self._session
        began = datetime.fromtimestamp(utc_ns // SECOND_NS, UTC).strftime("%Y%m%dT%H%M%SZ")
        name = f"{session.site}-{began}-{session.epoch[-8:].lower()}-{self._part:04d}.mcap"
        path = self._directory / name
        stream = path.open("xb")
        writer = Writer(stream, chunk_size=CHUNK_BYTES, compression=CompressionType.ZSTD)
        writer.start(profile=PROFILE, library=session.software)
        channels = {
            SENSOR_TOPIC + sensor.sensor_id: writer.register_channel(
                SENSOR_TOPIC + sensor.sensor_id,
                "raw",
                0,
                {"kind": sensor.kind, "origin": sensor.origin},
            )
            for sensor in session.sensors
        }
        for topic in (TICK_TOPIC, FED_TOPIC, ASKED_TOPIC):
            channels[topic] = writer.register_channel(topic, "text", 0)
        writer.add_metadata(SESSION, session_metadata(session, self._part, channels))
        if session.config_text:
            text = session.config_text.encode()
            writer.add_attachment(utc_ns, utc_ns, "config.yaml", "application/yaml", text)
        self._part += 1
        log.info("recording", file=str(path))
        return _File(path, stream, writer, hour, channels)

    def _flush(self) -> None:
        if self._file is None:
            return
        try:
            self._file.writer.flush()  # type: ignore[no-untyped-call]  # as above
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        log.error("recording stopped", directory=str(self._directory), error=str(error))
        self._stopped = True
        self.close()

    def _guard(self) -> None:
        free = shutil.disk_usage(self._directory).free
        if free < self._limits.keep_free_gb * GIGABYTE:
            if not self._stopped:
                log.error(
                    "recording stopped: too little free disk",
                    directory=str(self._directory),
                    free_gb=round(free / GIGABYTE, 2),
                    keep_free_gb=self._limits.keep_free_gb,
                )
            self._stopped = True
            self.close()
        # A tenth more, so that it does not stop and start at every look.
        elif self._stopped and free > 1.1 * self._limits.keep_free_gb * GIGABYTE:
            self._stopped = False

    def _retain(self) -> None:
        for path in expired(list(self._directory.glob("*.mcap")), self._limits, time.time()):
            log.info("old recording deleted", file=str(path))
            path.unlink(missing_ok=True)


def expired(paths: list[Path], limits: Limits, now_utc_s: float) -> list[Path]:
    """The files, oldest first, that age or total size put over the limits."""
    stats = sorted((path.stat().st_mtime, path, path.stat().st_size) for path in paths)
    total = sum(size for _, _, size in stats)
    old: list[Path] = []
    for modified_utc_s, path, size in stats:
        too_old = limits.max_days and now_utc_s - modified_utc_s > limits.max_days * 86_400
        too_much = limits.max_gb and total > limits.max_gb * GIGABYTE
        if too_old or too_much:
            old.append(path)
            total -= size
    return old
