"""Scans that are over, and how another of the same number is told from more of one of them."""

from collections import OrderedDict
from dataclasses import dataclass, replace

from drivers.wire.malformed import Malformed, malformed
from drivers.wire.xray_lines import BEGIN, END, LineFrame
from fusion.types import SECOND_NS

REMEMBERED_SCANS = 256  # a scanner that connects again says the last scan once more, not older ones
RESTART_NS = 2 * SECOND_NS  # no scanner is started faster, and no clock is put right by as much
SET_BACK_NS = 3600 * SECOND_NS  # that of one that was started without knowing the time


@dataclass(frozen=True, slots=True)
class Extent:
    """Which lines came, and when they were taken by the scanner's clock."""

    highest: int = -1
    first_ns: int = 0
    last_ns: int = 0

    def is_of_another(self, frame: LineFrame) -> bool:
        """Whether a line that has the number of one of these cannot be that one."""
        late_ns, early_ns = frame.t_ns - self.last_ns, self.first_ns - frame.t_ns
        return frame.line_no <= self.highest and (late_ns > RESTART_NS or early_ns > SET_BACK_NS)


@dataclass(slots=True)
class _Past:
    """A scan that is over."""

    extent: Extent
    broken: bool
    """It may be sent again from its beginning."""
    told: bool = False
    """That more of it came."""


class PastScans:
    """The last scans of one scanner, and its session."""

    def __init__(self) -> None:
        self._over: OrderedDict[int, _Past] = OrderedDict()
        self._session = 0
        self._begun: LineFrame | None = None

    def remember(self, number: int, extent: Extent, *, broken: bool) -> None:
        """A scan is over."""
        self._over[number] = _Past(extent, broken)
        self._over.move_to_end(number)
        if len(self._over) > REMEMBERED_SCANS:
            self._over.popitem(last=False)

    def is_over(self, frame: LineFrame) -> bool:
        """Whether a frame is of one of them, and not of a new scan with its number."""
        past = self._over.get(frame.scan_id)
        if past is None:
            return False
        if frame.flags == BEGIN:
            return not past.broken
        return frame.flags == END or not past.extent.is_of_another(frame)

    def refuse(self, frame: LineFrame) -> list[Malformed]:
        """More of a scan that is over: told once, but its end said twice is no news."""
        past = self._over[frame.scan_id]
        if frame.flags == BEGIN:
            self.keep(frame)
        elif frame.flags != END and not past.told:
            past.told = True
            return [malformed("scan-ended", str(frame.scan_id).encode())]
        return []

    def keep(self, frame: LineFrame) -> None:
        """A begin frame of a number that was there before: a line will say whether it is new."""
        self._begun = replace(frame, payload=bytes(frame.payload))

    def begun(self, number: int) -> LineFrame | None:
        """The begin frame that was kept for a scan; once."""
        frame, self._begun = self._begun, None
        return frame if frame is not None and frame.scan_id == number else None

    def is_started_anew(self, session: int) -> bool:
        """Whether an alive frame says that the scanner was; then no scan is known any more."""
        anew = bool(session and self._session and session != self._session)
        self._session = session or self._session
        if anew:
            self._over.clear()
        return anew
