"""The AnyShake stream cut into frames: whatever is lost, put in or made up between them."""

import re
from bisect import insort
from typing import NamedTuple

from drivers.wire.anyshake import (
    HEADERS,
    KNOWN_AFTER,
    AnyShakePacket,
    frame_bytes,
    parse_frame,
)
from drivers.wire.malformed import TEXT_BYTES, Malformed, malformed

LOCK_FRAMES = 3  # of one version in a row: nothing else is looked for from then on
MAX_OPEN = 32  # headers inside damage whose frames are not complete: noise makes one or two
TELL_BYTES = 4096  # of no frame: told before its end comes, which a wrong baud rate never has


class _Open(NamedTuple):
    """A header whose frame has not come to its end."""

    end: int
    start: int
    version: int


def _pattern(headers: bytes) -> re.Pattern[bytes]:
    return re.compile(headers, re.DOTALL)


_PATTERNS = {version: _pattern(re.escape(header)) for version, header in HEADERS.items()}
_ANY = _pattern(b"|".join(map(re.escape, HEADERS.values())))


class AnyShakeDecoder:
    """Bytes in, packets out, for any split of the byte stream.

    Every header is followed up until its frame is complete. Of frames that overlap, the one that
    ends first wins: a false header, whatever length it announces, holds up nothing. Bytes that
    belong to no frame are told once per run. Keeps `MAX_FRAME_BYTES` at most.
    """

    def __init__(self, version: int = 0) -> None:
        """`version` 0 finds it: after `LOCK_FRAMES` only that one is looked for."""
        self._fixed = version
        self._buffer = bytearray()
        self._open: list[_Open] = []
        self._text = b""
        self._reason = ""
        """Why the first frame in the run was none."""
        self.cut()

    def cut(self) -> None:
        """The link was cut: forget the frame that was half read, and which version it was."""
        self._buffer.clear()
        self._open.clear()
        self._headers = _PATTERNS[self._fixed] if self._fixed else _ANY
        self._scan = 0
        """Where in the buffer headers are looked for next."""
        self._streak = (0, 0)
        """Version of the last frame, and how many of it came in a row."""
        self._begin_run(0)

    def feed(self, data: bytes) -> list[AnyShakePacket | Malformed]:
        """Read what arrived."""
        self._buffer += data
        records: list[AnyShakePacket | Malformed] = []
        while self._step(records):
            pass
        self._drop()
        return records

    def _step(self, records: list[AnyShakePacket | Malformed]) -> bool:
        """What happens next in the stream: a header's length is known, or a frame ends."""
        size = len(self._buffer)
        ends = self._open[0].end if self._open else size
        header = self._next_header(min(ends, size))
        start = header.start() if header else self._scan
        front = min([start, *(one.start for one in self._open)]) if self._open else start
        if not self._told and self._skipped + front - self._run >= TELL_BYTES:
            self._tell(front, records)
            self._headers = _PATTERNS[self._fixed] if self._fixed else _ANY
            return True
        if header:
            version = _version_at(self._buffer, start)
            if start + KNOWN_AFTER[version] <= min(ends, size):
                self._scan = start + 1
                self._follow(start, version)
                return True
        if self._open and ends <= size:
            self._end(self._open.pop(0), records)
            return True
        return False

    def _next_header(self, limit: int) -> re.Match[bytes] | None:
        if not self._told and not self._open:
            # Where a run is told does not depend on what would be found behind that place.
            limit = min(limit, max(self._scan, self._run - self._skipped + TELL_BYTES) + 1)
        header = self._headers.search(self._buffer, self._scan, limit)
        if header is None:
            self._scan = max(self._scan, limit - 1)
        return header

    def _follow(self, start: int, version: int) -> None:
        head = bytes(self._buffer[start : start + KNOWN_AFTER[version]])
        size = frame_bytes(head, version)
        if isinstance(size, str):
            self._reason = self._reason or size
        elif len(self._open) < MAX_OPEN:
            insort(self._open, _Open(start + size, start, version))

    def _end(self, frame: _Open, records: list[AnyShakePacket | Malformed]) -> None:
        found = parse_frame(bytes(self._buffer[frame.start : frame.end]), frame.version)
        if isinstance(found, str):
            self._reason = self._reason or found
            return
        if not self._told and self._skipped + frame.start > self._run:
            self._tell(frame.start, records)
        records.append(found)
        self._scan = frame.end
        self._open = [one for one in self._open if one.start >= frame.end]
        self._begin_run(frame.end)
        version, count = self._streak
        self._streak = (frame.version, count + 1 if version == frame.version else 1)
        if self._streak[1] >= LOCK_FRAMES:
            self._headers = _PATTERNS[frame.version]

    def _begin_run(self, at: int) -> None:
        self._run = at
        """Where in the buffer what belongs to no frame begins, so far."""
        self._skipped = 0
        """How many bytes of it have been dropped."""
        self._text = b""
        self._reason = ""
        self._told = False

    def _tell(self, end: int, records: list[AnyShakePacket | Malformed]) -> None:
        text = self._text + self._buffer[self._run : min(end, self._run + TEXT_BYTES)]
        records.append(malformed(self._reason or "noise", text))
        self._told = True

    def _drop(self) -> None:
        """Forget what no frame can begin in any more."""
        at = min([self._scan, *(one.start for one in self._open)])
        if not at:
            return
        if at > self._run:
            room = TEXT_BYTES - len(self._text)
            self._text += self._buffer[self._run : min(at, self._run + room)]
            self._skipped += at - self._run
        del self._buffer[:at]
        self._scan -= at
        self._run = max(self._run - at, 0)
        self._open = [_Open(end - at, start - at, version) for end, start, version in self._open]


def _known(data: bytes | bytearray, at: int, version: int) -> bool:
    return at + KNOWN_AFTER[version] <= len(data)


def _version_at(data: bytes | bytearray, at: int) -> int:
    head = data[at : at + 2]
    return next((version for version, header in HEADERS.items() if header == head), 0)


def split(data: bytes) -> list[bytes]:
    """Cut an undamaged stream into its frames; what is behind the last whole one is last."""
    frames = []
    at = 0
    while at < len(data):
        version = _version_at(data, at)
        head = data[at : at + KNOWN_AFTER[3]]
        size = frame_bytes(head, version) if version and _known(data, at, version) else ""
        end = at + size if isinstance(size, int) else len(data)
        frames.append(data[at:end])
        at = end
    return frames
