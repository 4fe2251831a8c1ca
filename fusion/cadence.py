"""A portal whose reports come at other times than they used to: half a second late, or its clock.

Portals put no time on what they send. One that is vacant reports every few seconds, to the clock of
its own controller, so a link that has become slower shows once, as one interval that is longer, and
every later report is as late. A report that was held up on its way shows twice, as a longer
interval and a shorter one, and is none. While a vehicle is there, its scans follow each other all
the time, and two seconds of them that are as late tell the same. Between the last report and a
vehicle's first scan nothing can be told. The same holds for a device with a clock that jumps.
"""

from collections import deque
from dataclasses import dataclass, field
from statistics import median

from fusion.types import (
    MILLISECOND_NS,
    SECOND_NS,
    BackgroundSample,
    CountSample,
    OccupancySample,
    Radiation,
    Sample,
    StatusSample,
)

CODE = "mistimed"
INTERVALS = 64  # whose middle is the usual one: five minutes
LEAST_INTERVALS = 6
STEP_NS = SECOND_NS // 4  # a vehicle at 3 m/s is 0.75 m further
STEADY_NS = SECOND_NS // 10
ODD_SHARE = 32  # one interval in so many may be off by more; who is polled keeps no such time
MOST_NS = 3 * SECOND_NS  # more is a report that is missing, of those that come every five seconds
TAKEN_INTERVALS = 120  # ten minutes: it has been told, and is how it is now
SCANS = 10  # two seconds; the first of a vehicle are sent at once, of the second before it came


@dataclass(slots=True)
class CadenceWatch:
    """Watches when the reports of one vacant portal come."""

    _usual: deque[int] = field(default_factory=lambda: deque(maxlen=INTERVALS))
    _last_utc_ns: int = 0
    """Of the report before; 0: something came in between."""
    _odd_ns: int | None = None
    """The interval before, where it was off and the next may make up for it."""
    _moved_ns: int = 0
    """By how much its reports come later than they used to."""
    _since: int = 0
    """Intervals since it moved."""
    _scanned_ns: int = 0
    """How long the scans of a vehicle took that came before the last one."""
    _first: int = SCANS
    """Scans that are still passed over."""
    _began_ns: int = 0
    """When the last of those began, less the time that those before it took."""
    _scans: list[int] = field(default_factory=list)
    """Of the last scans, by how much each began later than by that, while they do."""
    _told: bool = False

    def feed(self, sample: Sample) -> StatusSample | None:
        """What a sample says of when they come, where that has changed."""
        match sample:
            case OccupancySample():
                # After a vehicle it begins to count anew.
                self._last_utc_ns, self._odd_ns = 0, None
                self._scanned_ns, self._first = 0, SCANS
                self._scans.clear()
                return None
            case CountSample(radiation=Radiation.GAMMA):
                self._scan(sample)
            case BackgroundSample(radiation=Radiation.GAMMA):
                last_utc_ns, self._last_utc_ns = self._last_utc_ns, sample.start_utc_ns
                if last_utc_ns:
                    self._took(sample.start_utc_ns - last_utc_ns)
            case _:
                return None
        is_off = abs(self._moved_ns) > STEP_NS
        if is_off == self._told:
            return None
        self._told = is_off
        return StatusSample(
            sensor_id=sample.sensor_id,
            origin=sample.origin,
            start_utc_ns=sample.start_utc_ns,
            code=CODE,
            active=is_off,
            text=f"{self._moved_ns / SECOND_NS:+.2f} s" if is_off else "",
        )

    def _took(self, interval_ns: int) -> None:
        """An interval is over."""
        self._since += 1
        if self._since >= TAKEN_INTERVALS:
            self._moved_ns = 0
        if len(self._usual) < LEAST_INTERVALS:
            self._usual.append(interval_ns)
            return
        usual_ns = round(median(self._usual))
        odd_ns, self._odd_ns = self._odd_ns, None
        if abs(interval_ns - usual_ns) >= MOST_NS:
            self._moved_ns = 0  # what it was meanwhile nobody knows
        elif odd_ns is not None:
            self._follow(odd_ns, interval_ns, usual_ns)
        elif abs(interval_ns - usual_ns) > STEP_NS and self._is_steady(usual_ns):
            self._odd_ns = interval_ns
        else:
            self._usual.append(interval_ns)

    def _follow(self, odd_ns: int, interval_ns: int, usual_ns: int) -> None:
        """One that was off, and the next."""
        moved_ns = odd_ns + interval_ns - 2 * usual_ns
        if abs(moved_ns) <= STEP_NS:
            self._usual += odd_ns, interval_ns  # held up on its way
            return
        self._moved_ns += moved_ns
        self._since = 0
        if abs(self._moved_ns) >= MOST_NS:  # it reports at another rate
            self._usual.clear()
            self._moved_ns = 0

    def _scan(self, sample: CountSample) -> None:
        """One more scan of a vehicle."""
        at_ns = sample.start_utc_ns - self._scanned_ns
        self._scanned_ns += sample.duration_ms * MILLISECOND_NS
        if self._first > 0:
            self._first -= 1
            self._began_ns = at_ns
            return
        off_ns = at_ns - self._began_ns
        if abs(off_ns) <= STEP_NS or (self._scans and (off_ns > 0) != (self._scans[-1] > 0)):
            self._scans.clear()
            return
        self._scans.append(off_ns)
        if len(self._scans) == SCANS:
            moved_ns = round(median(self._scans))
            self._moved_ns += moved_ns
            self._began_ns += moved_ns
            self._scans.clear()
            self._since = 0

    def _is_steady(self, usual_ns: int) -> bool:
        """Whether it keeps time well enough to be held to it."""
        odd = sum(abs(one - usual_ns) > STEADY_NS for one in self._usual)
        return odd <= len(self._usual) // ODD_SHARE
