"""UTC for devices that count but do not know the time: the line through their earliest arrivals.

What a device counts steadily (its samples, its milliseconds) arrives with a delay that varies:
buffers, bursts, a busy machine. The earliest of each second are the least delayed, and a line
through those follows the device's own clock.
"""

from collections import deque
from collections.abc import Iterable

from fusion.types import MILLISECOND_NS, SECOND_NS

WINDOW_NS = SECOND_NS  # longer than the bursts of serial servers and USB adapters
POINTS = 32  # half a minute: 1 ms of scatter gives a slope to some 5 ppm
FIT_POINTS = 8  # fewer say more of the scatter than of the slope
SPREAD = 300e-6  # crystals are within 100 ppm, ceramic resonators within 5,000
OFF_WINDOWS = 3  # in a row: a busy machine or a slow network holds up one or two
MAX_PACE = 0.98
"""Of the time that samples last: how slowly told times may run until they are right again."""


class ArrivalLine:
    """Count to UTC. Counts are whole, times are nanoseconds."""

    def __init__(self, tick_ns: float, *, jump_ns: float, spread: float = SPREAD) -> None:
        """`tick_ns` a count, known to within `spread`. Seconds whose least delays are `jump_ns` off
        are not followed but told."""
        self.tick_ns = tick_ns
        self._low_ns, self._high_ns = tick_ns * (1.0 - spread), tick_ns * (1.0 + spread)
        self._jump_ns = jump_ns
        self._at = (0, 0)
        """A point of the line: a count, and its UTC."""
        self._points: deque[tuple[int, int]] = deque(maxlen=POINTS)
        self._window_ns = 0
        """When the second that is collected now began."""
        self._earliest: tuple[int, int] | None = None
        self._least_ns = 0
        self._off_ns: list[int] = []
        """Least delays of the last seconds, while they are off."""

    def anchor(self, arrivals: Iterable[tuple[int, int]]) -> None:
        """Begin, with the least delayed of these (count, arrival)."""
        self._at = min(arrivals, key=lambda one: one[1] - one[0] * self.tick_ns)
        self._points.clear()
        self._earliest = None
        self._off_ns.clear()

    def utc_ns(self, count: int) -> int:
        """When the device reached that count."""
        at_count, at_ns = self._at
        return at_ns + round((count - at_count) * self.tick_ns)

    def hear(self, count: int, arrived_ns: int) -> int:
        """That count was reached before `arrived_ns`.

        Returns 0, or by how much the last `OFF_WINDOWS` seconds were all later (or all earlier,
        less than 0) than the line has it; the line stays as it was.
        """
        jumped_ns = 0
        if self._earliest is not None and arrived_ns - self._window_ns >= WINDOW_NS:
            jumped_ns = self._close()
        late_ns = arrived_ns - self.utc_ns(count)
        if self._earliest is None:
            self._window_ns = arrived_ns
        if self._earliest is None or late_ns < self._least_ns:
            self._earliest, self._least_ns = (count, arrived_ns), late_ns
        return jumped_ns

    def _close(self) -> int:
        assert self._earliest is not None
        point, self._earliest = self._earliest, None
        if abs(self._least_ns) >= self._jump_ns:
            if self._off_ns and (self._off_ns[0] < 0) != (self._least_ns < 0):
                self._off_ns.clear()
            self._off_ns.append(self._least_ns)
            if len(self._off_ns) < OFF_WINDOWS:
                return 0
            jumped_ns = min(self._off_ns, key=abs)
            self._off_ns.clear()
            return jumped_ns
        self._off_ns.clear()
        self._points.append(point)
        if self._least_ns < 0 and len(self._points) < FIT_POINTS:
            self._at = point  # what came first was late, as after a wait for the link
        if len(self._points) >= FIT_POINTS:
            self._fit()
        return 0

    def _fit(self) -> None:
        """Least squares, counted from the middle so that nothing is lost to rounding."""
        middle, middle_ns = self._points[len(self._points) // 2]
        xs = [count - middle for count, _ in self._points]
        ys = [utc_ns - middle_ns for _, utc_ns in self._points]
        x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
        square = sum((x - x_mean) ** 2 for x in xs)
        if square <= 0.0:
            return
        slope = sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)) / square
        self.tick_ns = min(max(slope, self._low_ns), self._high_ns)
        at_ns = y_mean + (xs[-1] - x_mean) * self.tick_ns
        self._at = (self._points[-1][0], middle_ns + round(at_ns))


class Forward:
    """Times that never run backwards, and only a little slower than they should."""

    def __init__(self) -> None:
        self.start_utc_ns = 0
        """Of what was told last."""
        self.end_utc_ns = 0

    def begin(self, start_utc_ns: int, duration_ns: int) -> int:
        """When something begins that lasts so long: then, or as soon as may be."""
        slow_ns = int((self.end_utc_ns - self.start_utc_ns) * MAX_PACE)
        self.start_utc_ns = max(start_utc_ns, self.start_utc_ns + slow_ns)
        self.end_utc_ns = self.start_utc_ns + duration_ns
        return self.start_utc_ns


def transfer_ns(size: int, baud: int) -> int:
    """How long so many bytes take on a serial line, ten bits each."""
    return size * 10 * SECOND_NS // baud


JUMP_NS = 5000 * MILLISECOND_NS
"""A device's time that is so far off its own course is another time (facts/seismic.md 1.2)."""
