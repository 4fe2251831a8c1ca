"""The lines of one scan, put in their places as they come."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.wire.image_headers import MAX_PIXELS, MAX_SIDE_PIXELS
from drivers.wire.sidecar import Sidecar
from drivers.wire.xray_lines import LineFrame
from drivers.xray_lines_past import Extent

MAX_COLUMNS = MAX_SIDE_PIXELS
LATE_LINES = 64  # facts 1.4: so much reordering is taken
LOOK_LINES = 16
BLOCK = 64  # columns that are told at once: 0.3 m of the vehicle at 5 mm
FASTER = 4  # than on the average before: a truck moves off, and lines were lost meanwhile
AGAIN, TOO_LONG = "scan-again", "scan-too-long"
"""Reasons against a line: it is of another scan of this number; there is no end to the scan."""
Plane = NDArray[np.uint16]


class _Stage:
    """A block of columns in the making, line by line."""

    __slots__ = ("first", "have", "left", "rows", "t_ns")

    def __init__(self, first: int, pixels: int, energies: int) -> None:
        self.first = first
        self.rows = np.zeros((energies, BLOCK, pixels), np.uint16)
        self.have = bytearray(energies * BLOCK)
        self.left = energies * BLOCK
        self.t_ns: int | None = None

    def place(self, frame: LineFrame, place: int) -> None:
        """Put a line in its place, which is free."""
        self.have[frame.energy * BLOCK + place] = 1
        self.left -= 1
        if self.t_ns is None or frame.t_ns < self.t_ns:
            self.t_ns = frame.t_ns
        self.rows[frame.energy, place] = np.frombuffer(frame.payload, "<u2")


@dataclass(frozen=True, slots=True)
class Block:
    """Columns that are done with."""

    first: int
    t_ns: int
    high: Plane
    """(rows, columns)"""
    low: Plane | None


class LineScan:
    """One scan in the making.

    number    as the frames have it
    energies  planes, until the begin frame says otherwise
    """

    def __init__(self, number: int, energies: int) -> None:
        self.number = number
        self.header: Sidecar | None = None
        self.total: int | None = None
        """Lines, once the end frame has come."""
        self.ahead_ns: int | None = None
        """How far the scanner's clock is ahead."""
        self.is_due = False
        """Whether the last line may have closed a block."""
        self.has_no_low = False
        """Whether the low plane was announced and none of it came."""
        self.told: set[str] = set()
        """Reasons against lines that were given."""
        self._energies = energies
        self._pixels = 0
        self._stages: dict[int, _Stage] = {}
        self._next = 0
        """The first block that is not closed."""
        self._highest = -1
        self._closing = False
        self._high: list[Plane] = []
        self._low: list[Plane] = []
        self._missing: list[int] = []
        self._hash = hashlib.sha256()
        self._times: tuple[int, int] | None = None

    @property
    def sidecar(self) -> Sidecar:
        """What the begin frame said, or nothing."""
        return self.header or Sidecar()

    @property
    def name(self) -> str:
        """What the scan is called."""
        return self.sidecar.scan_id or self.sidecar.container or str(self.number)

    @property
    def columns(self) -> int:
        """Of the whole scan, as far as is known; 0 where no line has come."""
        seen = self._highest + 1
        return max(seen, self.total or 0) if seen else 0

    @property
    def is_over(self) -> bool:
        """Whether the end frame has come and no line can come any more, however late."""
        if self.total is None or self.columns != self.total:
            return False
        late = self.total - LATE_LINES  # what is older was due before the end frame
        return all(
            self._last_missing(number, self.total) < late
            for number in range(max(late // BLOCK, self._next), -(-self.total // BLOCK))
        )

    @property
    def times_ns(self) -> tuple[int, int]:
        """When the first and the last line were taken, by the scanner's clock."""
        return self._times or (0, 0)

    @property
    def digest(self) -> str:
        """SHA-256 over the lines of each block, high then low, lost ones as zeros."""
        return self._hash.hexdigest()

    def at_utc_ns(self, t_ns: int) -> int:
        """A time of the scanner's clock, no later than it arrived."""
        return max(t_ns - (self.ahead_ns or 0), 0)

    def begin(self, sidecar: Sidecar, pixels: int, energies: int) -> str:
        """Take what the scan says of itself; a reason against its size, or `""`."""
        self.header = sidecar
        if energies not in {1, 2}:
            return "bad-header"
        if self._pixels and (pixels, energies) != (self._pixels, self._energies):
            return "dimension-mismatch"
        self._pixels, self._energies = pixels, energies
        return ""

    def end(self, total: int) -> str:
        """There are so many lines and no more; a reason against it, or `""`."""
        if total <= self._highest or total > MAX_COLUMNS or total * self._pixels > MAX_PIXELS:
            return "bad-line"
        self.total = total
        return ""

    def put(self, frame: LineFrame) -> str:
        """Take one line; a reason against it, or `""`."""
        if reason := self._reason(frame):
            return reason
        self._pixels = frame.n
        number, place = divmod(frame.line_no, BLOCK)
        if number < self._next:  # a duplicate, or so late that its place is told already
            return AGAIN if self.extent.is_of_another(frame) else ""
        stage = self._stages.get(number)
        if stage is None:
            stage = _Stage(number * BLOCK, self._pixels, self._energies)
            self._stages[number] = stage
        if stage.have[frame.energy * BLOCK + place]:
            return AGAIN if self.extent.is_of_another(frame) else ""
        stage.place(frame, place)
        # Whether a block with gaps is late is asked now and then: it tells nothing sooner.
        self.is_due = not stage.left or not frame.line_no % LOOK_LINES
        first_ns, last_ns = self._times or (frame.t_ns, frame.t_ns)
        self._times = min(first_ns, frame.t_ns), max(last_ns, frame.t_ns)
        self._highest = max(self._highest, frame.line_no)
        return ""

    def _reason(self, frame: LineFrame) -> str:
        """Why a line cannot be one of this scan, or `""`."""
        line_no, ahead = frame.line_no, frame.line_no - self._highest
        most = MAX_COLUMNS if self.total is None else self.total
        if frame.energy >= self._energies or line_no >= most:
            return TOO_LONG if self._has_no_end(ahead) else "bad-line"
        if self._pixels and frame.n != self._pixels:
            return "dimension-mismatch"
        if max(line_no + 1, self.total or 0) * frame.n > MAX_PIXELS:
            return TOO_LONG if self._has_no_end(ahead) else "too-large"
        return "bad-line" if ahead > LATE_LINES and self._is_leap(frame) else ""

    def _has_no_end(self, ahead: int) -> bool:
        """Whether a line beyond the most follows the ones that came; else its number is wrong."""
        return self.total is None and 0 <= ahead <= LATE_LINES < self._highest

    def _is_leap(self, frame: LineFrame) -> bool:
        """Whether the scanner would have had to become several times as fast for that line."""
        if self._times is None or self._highest < LATE_LINES or self._times[0] == self._times[1]:
            return False  # nobody knows how fast it is
        first_ns, last_ns = self._times
        due = (self._highest + 1) * (frame.t_ns - first_ns) / (last_ns - first_ns)
        return frame.line_no > FASTER * due + LATE_LINES

    @property
    def extent(self) -> Extent:
        """Of the lines that came."""
        return Extent(self._highest, *self.times_ns)

    def close(self) -> None:
        """No more lines will come."""
        self._closing = True

    def closed(self) -> Iterator[Block]:
        """The blocks, in order, in whose place nothing can come any more."""
        while self._is_closed():
            yield self._close()

    def _is_closed(self) -> bool:
        first = self._next * BLOCK
        if self._closing:
            return first < self.columns
        stage = self._stages.get(self._next)
        if stage is not None and not stage.left:
            return True
        late = self._highest - LATE_LINES
        return late > first and late > self._last_missing(self._next, first + BLOCK)

    def _last_missing(self, number: int, end: int) -> int:
        """The last column of a block, before `end`, that is not whole; -1: all are."""
        stage, first = self._stages.get(number), number * BLOCK
        places = min(end - first, BLOCK)
        if stage is None:
            return first + places - 1
        starts = (energy * BLOCK for energy in range(self._energies))
        last = max(stage.have.rfind(0, at, at + places) - at for at in starts)
        return first + last if last >= 0 else -1

    def _close(self) -> Block:
        first = self._next * BLOCK
        stage = self._stages.pop(self._next, None) or _Stage(first, self._pixels, self._energies)
        if first == 0 and self._energies == 2 and not any(stage.have[BLOCK:]) and any(stage.have):
            self._energies = 1  # whatever was said: a scanner whose low plane failed sees as well
            self.has_no_low = True
        self._next += 1
        width = min(self.columns - first, BLOCK) if self._closing else BLOCK
        rows = stage.rows[: self._energies, :width]
        if stage.left:
            have = np.frombuffer(stage.have, np.uint8).reshape(-1, BLOCK)[: self._energies, :width]
            gone = np.nonzero(have.min(axis=0) == 0)[0]
            rows[:, gone] = 0  # half a line, of one energy only, is none
            self._missing += (gone + first).tolist()
        self._hash.update(np.ascontiguousarray(rows).data)
        high, *low = (_turned(plane) for plane in rows)
        self._high.append(high)
        self._low += low
        t_ns = self.times_ns[0] if stage.t_ns is None else stage.t_ns
        return Block(first, t_ns, high, low[0] if low else None)

    def planes(self) -> tuple[Plane, Plane | None]:
        """(rows, columns) of all blocks together."""
        high = np.concatenate(self._high, axis=1)
        return high, np.concatenate(self._low, axis=1) if self._low else None

    def lost(self) -> tuple[tuple[int, int], ...]:
        """(first, one beyond the last) of the runs of columns that never came."""
        runs: list[tuple[int, int]] = []
        for column in self._missing:
            if runs and runs[-1][1] == column:
                runs[-1] = (runs[-1][0], column + 1)
            else:
                runs.append((column, column + 1))
        return tuple(runs)


def _turned(lines: Plane) -> Plane:
    """(pixels, lines) of (lines, pixels): OpenCV takes half of NumPy's time."""
    return np.asarray(cv2.transpose(lines), np.uint16)
