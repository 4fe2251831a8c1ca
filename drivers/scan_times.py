"""What drivers of scanners have in common: when a scan was, and whether it was read before."""

from collections import OrderedDict

from drivers.wire.malformed import Malformed, malformed
from fusion.types import MILLISECOND_NS, SECOND_NS

REMEMBERED_SCANS = 4096  # four days at 40 scans an hour; 64 bytes each
BEHIND_NS = 2 * SECOND_NS  # no scanner is started faster, and no clock is put right by as much


class ScanTimes:
    """Times of one scanner's scans: by its own clock, but never after the arrival.

    The engine's time only goes forward, and vehicles of one time would be taken for one: a scan
    that is dated before the one before it, of a backlog or of a clock that was set back, gets the
    arrival's time, and no two scans the same.

    max_ahead_s  a scan that is dated later than this after its arrival gets the arrival's time
    """

    def __init__(self, max_ahead_s: float) -> None:
        self._max_ahead_s = max_ahead_s
        self._last_utc_ns = 0
        self._behind_s = 0.0

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be noted of the last scan: `clock-behind`, where nobody knows when it was."""
        return ("clock-behind",) if self._behind_s else ()

    def when(self, start: int | None, end: int | None, received_utc_ns: int) -> tuple[int, int]:
        """(start, duration in ms) of a scan whose own clock says `start` and `end`."""
        duration_ms = (end - start) // MILLISECOND_NS if start is not None and end else 0
        behind_ns = self._last_utc_ns - start if start is not None and received_utc_ns else 0
        self._behind_s = behind_ns / SECOND_NS if behind_ns > BEHIND_NS else 0.0
        if start is None or self._behind_s or self.ahead_s(start, received_utc_ns):
            start = max(received_utc_ns - duration_ms * MILLISECOND_NS, 0)
        elif received_utc_ns:
            start = min(start, received_utc_ns)
        if self._last_utc_ns:
            start = max(start, self._last_utc_ns + MILLISECOND_NS)
        self._last_utc_ns = start
        return start, duration_ms

    def ahead_s(self, start: int | None, received_utc_ns: int) -> float:
        """By how much the scan is dated after its arrival; 0 where that is drift."""
        if not received_utc_ns:  # a recorded picture of which nobody knows when it arrived
            return 0.0
        ahead_s = ((start or 0) - received_utc_ns) / SECOND_NS
        return ahead_s if ahead_s > self._max_ahead_s else 0.0

    def told(self, start: int | None, received_utc_ns: int, scan_id: str) -> list[Malformed]:
        """`clock-ahead` or `clock-behind`, where the scan `when` was asked for is dated so."""
        if ahead_s := self.ahead_s(start, received_utc_ns):
            text = f"dated {ahead_s:.1f} s after it arrived: {scan_id}"
            return [malformed("clock-ahead", text.encode())]
        if self._behind_s:
            text = f"dated {self._behind_s:.1f} s before the one before it: {scan_id}"
            return [malformed("clock-behind", text.encode())]
        return []


class Repeats:
    """The scans that were read before, by what their pictures are."""

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def is_repeat(self, key: bytes) -> bool:
        """Whether it was asked for before; from now on it was."""
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > REMEMBERED_SCANS:
            self._seen.popitem(last=False)
        return False
