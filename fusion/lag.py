"""A sensor whose clock jumps: what it sends comes earlier or later than it used to.

Its packets arrive some time after their last sample; the least of those lags within some seconds
is the link's own and stays what it is for hours. A jump of it is the clock's. Who catches up on a
backlog has another lag every second, and is no jump.

A scanner sends its scans one by one, each some time after its end. One that comes sooner after its
end than any before was not sent faster: its clock is ahead. One that comes later may have been held
up; several in a row that are late alike were not.
"""

from collections import deque
from dataclasses import dataclass, field
from statistics import median

from fusion.types import (
    MILLISECOND_NS,
    SECOND_NS,
    Sample,
    ScanFinding,
    StatusSample,
    WaveformSample,
)

CODE = "clock-step"
WINDOW_NS = 3 * SECOND_NS  # one that a jump begins in, then two: told within ten seconds
LEAST_PACKETS = 4  # of a window; packets of five seconds make longer ones
WINDOWS = 16  # whose middle is what the lag used to be
LEAST_WINDOWS = 4
STEP_NS = SECOND_NS // 4  # NTP keeps a station within 0.1 s; a walker is 0.35 m further
MOST_NS = 10 * SECOND_NS  # further off is a matter of the driver, which tells it by itself
STEADY_NS = SECOND_NS // 10
SLOWEST_HZ, FASTEST_HZ = 0.01, 100_000.0
TAKEN_WINDOWS = 200  # ten minutes: it has been told, and is how it is now
LEAST_SCANS = 8  # whose scatter says where the ninth can be: one false word in 10,000 starts
SCATTERS = 2  # further off than they are from each other, twice
LATE_SCANS = 3  # so many in a row
TAKEN_SCANS = 16  # and so many are how it is now


@dataclass(slots=True)
class LagWatch:
    """Watches the lag of one station or scanner."""

    _usual: deque[int] = field(default_factory=lambda: deque(maxlen=WINDOWS))
    _began_utc_ns: int = 0
    _least_ns: int = 0
    _packets: int = 0
    _off: list[int] = field(default_factory=list)
    """Lags of the windows that are off, while they last."""
    _told: bool = False

    def feed(self, sample: Sample, now_utc_ns: int) -> StatusSample | None:
        """What a packet that is there by now says of the clock, where that has changed."""
        if isinstance(sample, ScanFinding) and not sample.interim and now_utc_ns:
            lasts_ns = sample.duration_ms * MILLISECOND_NS
            return self._scanned(sample, now_utc_ns - sample.start_utc_ns - lasts_ns)
        if not isinstance(sample, WaveformSample) or not now_utc_ns:
            return None
        if not SLOWEST_HZ <= sample.rate_hz <= FASTEST_HZ:  # or no number at all
            return None
        lasts_ns = round(sample.counts.size * SECOND_NS / sample.rate_hz)
        lag_ns = now_utc_ns - sample.start_utc_ns - lasts_ns
        if self._packets == 0:
            self._began_utc_ns, self._least_ns = now_utc_ns, lag_ns
        self._least_ns = min(self._least_ns, lag_ns)
        self._packets += 1
        if now_utc_ns - self._began_utc_ns < WINDOW_NS or self._packets < LEAST_PACKETS:
            return None
        self._packets = 0
        return self._ended(sample, self._least_ns)

    def _ended(self, sample: WaveformSample, lag_ns: int) -> StatusSample | None:
        """A window is over."""
        usual_ns = round(median(self._usual)) if len(self._usual) >= LEAST_WINDOWS else lag_ns
        step_ns = lag_ns - usual_ns
        if not STEP_NS < abs(step_ns) < MOST_NS:
            self._off.clear()
            self._usual.append(lag_ns)
            return self._say(sample, active=False)
        steady = not self._off or abs(lag_ns - self._off[-1]) <= STEADY_NS
        self._off = [*self._off, lag_ns] if steady else [lag_ns]
        if len(self._off) >= TAKEN_WINDOWS:
            self._usual.clear()
            self._off.clear()
            return self._say(sample, active=False)
        if len(self._off) < 2:
            return None
        # Its clock ahead means that what it sends seems to come sooner.
        return self._say(sample, active=True, text=f"{-step_ns / SECOND_NS:+.2f} s")

    def _scanned(self, sample: ScanFinding, lag_ns: int) -> StatusSample | None:
        """A scan is there."""
        if len(self._usual) < LEAST_SCANS:
            self._usual.append(lag_ns)
            return None
        least_ns, most_ns = min(self._usual), max(self._usual)
        slack_ns = max(STEP_NS, SCATTERS * (most_ns - least_ns))
        early, late = lag_ns < least_ns - slack_ns, lag_ns > most_ns + slack_ns
        if not (early or late) or abs(lag_ns - least_ns) >= MOST_NS:
            self._off.clear()
            self._usual.append(lag_ns)
            return self._say(sample, active=False)
        steady = not self._off or abs(lag_ns - self._off[-1]) <= slack_ns
        self._off = [*self._off, lag_ns] if steady else [lag_ns]
        if len(self._off) >= TAKEN_SCANS:
            self._usual.clear()
            self._off.clear()
            return self._say(sample, active=False)
        if late and len(self._off) < LATE_SCANS:
            return None
        step_ns = round(median(self._usual)) - lag_ns
        return self._say(sample, active=True, text=f"{step_ns / SECOND_NS:+.2f} s")

    def _say(
        self, sample: WaveformSample | ScanFinding, *, active: bool, text: str = ""
    ) -> StatusSample | None:
        if active == self._told:
            return None
        self._told = active
        return StatusSample(
            sensor_id=sample.sensor_id,
            origin=sample.origin,
            start_utc_ns=sample.start_utc_ns,
            code=CODE,
            active=active,
            text=text,
        )
