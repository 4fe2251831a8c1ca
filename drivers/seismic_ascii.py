"""Loggers that print their samples as text: rows of numbers to waveforms, dated as well as may be.

Three cases. A time column that tells each sample's time is believed: as UTC, or as the device's own
clock, dated by its earliest arrivals. Without one, or with one that is only of packets, samples are
counted, and the line through the earliest arrivals dates the count. Where no rate is configured it
is found the same way: by the time column, else by the pace of arrival.
"""

import math

import numpy as np
from numpy.typing import NDArray

from drivers.base import Driver, DriverKind, SensorConfig
from drivers.seismic_ascii_config import NOT_DATA, AsciiConfig, channel_of
from drivers.seismic_ascii_files import AsciiCapture
from drivers.seismic_ascii_time import SLACK, WRAP, Floats, TimeColumn, plain_rate, understand
from drivers.seismic_clock import JUMP_NS, ArrivalLine, Forward
from drivers.wire.ascii_counts import AsciiDecoder, Rows
from drivers.wire.malformed import Malformed
from fusion.types import MILLISECOND_NS, SECOND_NS, Origin, Sample, StatusSample, WaveformSample

PACKET_S = 0.1
HEAD_ROWS = 32  # which show what a time column is, where the rate is known
PACE_ROWS = 256  # which show the rate as well, where times are whole milliseconds
PACE_NS = 10 * SECOND_NS  # of arrivals: bursts of 0.1 s leave the rate uncertain by 0.3 %
MOST_ROWS = 50_000  # ten seconds at 5 kHz
USUAL_RATE_HZ = 100.0
RATE_SPREAD = 0.01  # of a rate that was configured or measured by arrival
LATE_NS = 250 * MILLISECOND_NS  # of counted samples: less is delay, more is a gap
INT32_MAX = 2**31 - 1
HEADROOM = 1000.0  # quiet ground to the strongest shock, where numbers have to be made whole
SMALL = 10.0  # whole numbers that never passed this may have been fractions all along


class AsciiDriver:
    """Rows of one logger to a `WaveformSample` for each channel and tenth of a second.

    `Malformed` of an intact row: `time`, it belongs to no time that the next row knows; `range`,
    more than an int32.
    """

    def __init__(self, config: SensorConfig, origin: Origin) -> None:
        assert isinstance(config, AsciiConfig)
        self._config = config
        self._origin = origin
        self._decoder = AsciiDecoder(len(config.column_names))
        self._limit_ns = round(config.clock_limit_s * SECOND_NS)
        self._columns = tuple(name.lower() for name in config.column_names)
        self._forward = Forward()
        self._head: list[Floats] = []
        """Rows that wait until they can be dated."""
        self._arrivals: list[tuple[int, int]] = []
        """(rows so far, arrival) of the head."""
        self._time: TimeColumn | None = None
        self._line: ArrivalLine | None = None
        """None: the time column is UTC."""
        self._rate_hz = 0.0
        self._scale = 0.0
        self._small = True
        self._base = 0.0
        """Of the time column: what nanoseconds are counted from."""
        self._last_ns = self._next_ns = 0
        """By the device's clock: of the newest row, and of the next that is counted."""
        self._odd: tuple[int, Floats] | None = None
        self._told_ns: int | None = None
        """By the device's clock: where what was told last ends; None after a start."""
        self._heard_ns = 0
        self._begun = self._jumped = False
        self._full = 0
        """Rows of a packet."""
        self._data: list[int] = []
        self._names: list[str] = []
        """Columns with samples, and their channels."""
        self._held: NDArray[np.int32] = np.zeros((0, 0), np.int32)
        self._held_ns: NDArray[np.int64] = np.zeros(0, np.int64)

    def feed(self, data: bytes, received_utc_ns: int) -> list[Sample | Malformed]:
        """Whole packets of what arrived; the first rows wait until they can be dated."""
        samples: list[Sample | Malformed] = []
        if not data:
            self._decoder.cut()
            if self._begun and self._time is None:
                self._restart(samples)  # nothing says how much was missed
            return samples
        for record in self._decoder.feed(data):
            if isinstance(record, Malformed):
                samples.append(record)
            elif not self._begun:
                self._wait(record, received_utc_ns, samples)
            else:
                self._take(record.values, received_utc_ns, samples)
        return samples

    # --- the start ---------------------------------------------------------------------

    def _restart(self, samples: list[Sample | Malformed]) -> None:
        self._flush(samples)
        self._begun, self._odd = False, None

    def _wait(self, rows: Rows, at_ns: int, samples: list[Sample | Malformed]) -> None:
        """Until enough has come; row by row, so that the split does not matter."""
        for number, row in enumerate(rows.values):
            if self._arrivals and at_ns - self._arrivals[-1][1] >= JUMP_NS:
                self._head, self._arrivals = [], []
            self._head.append(row)
            count = len(self._head)
            if self._arrivals and self._arrivals[-1][1] == at_ns:
                self._arrivals.pop()
            self._arrivals.append((count, at_ns))
            if self._is_enough(count):
                self._begin(at_ns, samples)
                self._take(rows.values[number + 1 :], at_ns, samples)
                return

    def _is_enough(self, count: int) -> bool:
        known = self._rate_hz or self._config.rate_hz
        if known:
            return count >= HEAD_ROWS
        if count == PACE_ROWS:
            self._columns = self._columns or guess(np.array(self._head), None)
            times = self._times(np.array(self._head))
            column = None if times is None else understand(times, None)
            if column is not None and column.steady:
                return True
        # Behind the newest arrival there may be more of the same burst.
        arrivals = self._arrivals
        waited_ns = arrivals[-2][1] - arrivals[0][1] if len(arrivals) > 1 else 0
        return count >= MOST_ROWS or (count > PACE_ROWS and waited_ns >= PACE_NS)

    def _begin(self, at_ns: int, samples: list[Sample | Malformed]) -> None:
        head = np.array(self._head)
        arrivals, self._head, self._arrivals = self._arrivals, [], []
        if not self._columns:
            self._columns = guess(head, self._config.rate_hz)
        times = self._times(head)
        known = self._rate_hz or self._config.rate_hz
        column = None if times is None else understand(times, known, index="index" in self._columns)
        self._time = column if column is not None and column.steady else None
        self._rate_hz = known or (self._time.rate_hz if self._time else _rate_of(arrivals))
        self._full = max(1, round(PACKET_S * self._rate_hz))
        period_ns = SECOND_NS / self._rate_hz
        data = [number for number, name in enumerate(self._columns) if name not in NOT_DATA]
        self._data = data
        self._names = [channel_of(self._columns[number]) for number in data]
        if not self._scale:
            self._scale = scale_of(head[:, data])
        self._held = np.zeros((0, len(data)), np.int32)
        self._held_ns = np.zeros(0, np.int64)
        self._line = None
        self._heard_ns, self._told_ns = at_ns, None
        self._begun = True
        if self._time is None:
            self._next_ns = 0
            self._line = ArrivalLine(1.0, jump_ns=LATE_NS, spread=RATE_SPREAD)
            self._line.anchor((round(count * period_ns), at) for count, at in arrivals)
        else:
            assert times is not None
            # Of the row that most others agree with, should the first be a damaged one.
            self._base = float(np.median(times - np.arange(len(times)) * self._unit_steps()))
            if self._time.utc:
                self._base = 0.0
            self._last_ns = self._device_ns(times[:1])[0] - round(period_ns)
            start_ns = round(float(np.median(times)) * self._time.unit_ns)
            if not self._time.utc or abs(at_ns - start_ns) > self._limit_ns + JUMP_NS:
                ends_ns = self._device_ns(times) + round(period_ns)
                self._line = ArrivalLine(1.0, jump_ns=JUMP_NS)
                self._line.anchor((int(ends_ns[count - 1]), at) for count, at in arrivals)
            self._settle(times)
        self._take(head, at_ns, samples)
        if self._jumped:
            self._jumped = False
            self._say(False, "the device's time is steady again", samples)

    def _settle(self, times: Floats) -> None:
        """Begin with the first row that the one behind it agrees with."""
        period_ns = SECOND_NS / self._rate_hz
        device_ns = self._device_ns(times)
        off = np.abs(np.diff(device_ns) - period_ns) <= SLACK * period_ns
        first = int(np.argmax(off))
        self._last_ns = int(device_ns[first]) - round(period_ns)

    def _unit_steps(self) -> float:
        assert self._time is not None
        return SECOND_NS / (self._rate_hz * self._time.unit_ns)

    def _times(self, rows: Floats) -> Floats | None:
        """The time column, if there is one."""
        for number, name in enumerate(self._columns):
            if name in ("time", "index"):
                return np.asarray(rows[:, number])
        return None

    def _device_ns(self, times: Floats) -> NDArray[np.int64]:
        assert self._time is not None
        return np.asarray(np.rint((times - self._base) * self._time.unit_ns)).astype(np.int64)

    # --- in order ----------------------------------------------------------------------

    def _take(self, rows: Floats, at_ns: int, samples: list[Sample | Malformed]) -> None:
        if not len(rows):
            return
        if self._time is None:
            self._count(rows, at_ns, samples)
            return
        times = self._times(rows)
        assert times is not None
        device_ns = self._device_ns(times)
        period_ns = SECOND_NS / self._rate_hz
        steps = np.diff(device_ns, prepend=self._last_ns)
        if self._odd is None and (np.abs(steps - period_ns) <= SLACK * period_ns).all():
            self._hold(rows, device_ns, at_ns, samples)
            return
        for number, row in enumerate(rows):
            odd = self._odd
            if not self._take_row(row, int(device_ns[number]), at_ns, samples):
                assert odd is not None
                self._restart(samples)
                self._wait(Rows(np.vstack([odd[1], rows[number:]])), at_ns, samples)
                return

    def _take_row(
        self, row: Floats, time_ns: int, at_ns: int, samples: list[Sample | Malformed]
    ) -> bool:
        """One row; False: the device's time has jumped, and all has to be dated anew."""
        odd, self._odd = self._odd, None
        if odd is not None and self._follows(odd[0], time_ns):
            step_ns = odd[0] - self._last_ns
            off_ns = step_ns - (at_ns - self._heard_ns)
            if self._line is None and abs(at_ns - odd[0]) <= self._limit_ns:
                off_ns = 0  # it is the right time, however long there was none
            if step_ns <= 0 or abs(off_ns) >= JUMP_NS:
                return self._wrapped(odd, step_ns, samples)
            self._flush(samples)
            self._hold(odd[1][None, :], np.array([odd[0]]), at_ns, samples)
        elif odd is not None:
            samples.append(_refused(odd[1]))
        if self._follows(self._last_ns, time_ns):
            self._hold(row[None, :], np.array([time_ns]), at_ns, samples)
        else:
            self._odd = (time_ns, row)
        return True

    def _follows(self, before_ns: int, time_ns: int) -> bool:
        period_ns = SECOND_NS / self._rate_hz
        return abs(time_ns - before_ns - period_ns) <= SLACK * period_ns

    def _wrapped(
        self, odd: tuple[int, Floats], step_ns: int, samples: list[Sample | Malformed]
    ) -> bool:
        """The time jumped; told, but for a counter of 32 bits that began again."""
        assert self._time is not None
        if abs(step_ns + WRAP * self._time.unit_ns) > JUMP_NS:
            self._jumped = True
            self._say(True, f"the time column jumped by {step_ns / SECOND_NS:+.3f} s", samples)
        return False

    def _count(self, rows: Floats, at_ns: int, samples: list[Sample | Malformed]) -> None:
        if at_ns - self._heard_ns >= JUMP_NS:
            self._restart(samples)
            self._wait(Rows(rows), at_ns, samples)
            return
        period_ns = SECOND_NS / self._rate_hz
        device_ns = self._next_ns + np.rint(np.arange(len(rows)) * period_ns).astype(np.int64)
        self._next_ns += round(len(rows) * period_ns)
        self._hold(rows, device_ns, at_ns, samples)

    # --- telling -----------------------------------------------------------------------

    def _hold(
        self,
        rows: Floats,
        device_ns: NDArray[np.int64],
        at_ns: int,
        samples: list[Sample | Malformed],
    ) -> None:
        """Rows that follow on each other: told as soon as a packet of them is full."""
        self._heard_ns = at_ns
        period_ns = round(SECOND_NS / self._rate_hz)
        if self._line is not None:
            # Of what came at once the last says most, but the first ends the second before.
            device_ns = device_ns + self._follow(self._line, int(device_ns[0]) + period_ns, at_ns)
            self._follow(self._line, int(device_ns[-1]) + period_ns, at_ns)
        self._last_ns = int(device_ns[-1])
        values = rows[:, self._data]
        if self._scale == 1.0 and self._small:
            self._small = bool(np.abs(values).max() <= SMALL)
            if self._small and (values != np.rint(values)).any():
                self._scale = scale_of(values)
        counts = np.rint(values * self._scale)
        fits = (np.abs(counts) <= INT32_MAX).all(axis=1)
        if not fits.all():
            samples += [Malformed("range", _words(row)) for row in rows[~fits]]
            counts = np.clip(counts, -INT32_MAX, INT32_MAX)
        self._held = np.concatenate([self._held, counts.astype(np.int32)])
        self._held_ns = np.concatenate([self._held_ns, device_ns])
        while len(self._held) >= self._full:
            self._tell(self._full, samples)

    def _flush(self, samples: list[Sample | Malformed]) -> None:
        if self._begun and len(self._held):
            self._tell(len(self._held), samples)

    def _tell(self, count: int, samples: list[Sample | Malformed]) -> None:
        start_ns = int(self._held_ns[0])
        counts, self._held = self._held[:count], self._held[count:]
        self._held_ns = self._held_ns[count:]
        duration_ns = round(count * SECOND_NS / self._rate_hz)
        gap_ns = self._gap_ns(start_ns)
        self._told_ns = start_ns + duration_ns
        if self._line is not None:
            start_ns = self._line.utc_ns(start_ns)
        missing = round(gap_ns * self._rate_hz / SECOND_NS)
        start_ns = self._forward.begin(start_ns, duration_ns)
        sensitivity = self._config.counts_per_m_s
        for column, name in enumerate(self._names):
            samples.append(
                WaveformSample(
                    sensor_id=self._config.id,
                    origin=self._origin,
                    start_utc_ns=start_ns,
                    rate_hz=self._rate_hz,
                    channel=name,
                    counts=counts[:, column].copy(),
                    counts_per_m_s=1.0 if sensitivity is None else sensitivity * self._scale,
                    missing=missing,
                    calibrated=sensitivity is not None,
                )
            )

    def _gap_ns(self, start_ns: int) -> int:
        """From what was told last to here: by the device's clock, after a start by UTC."""
        if self._told_ns is not None:
            gap_ns, least_ns = start_ns - self._told_ns, round(SLACK * SECOND_NS / self._rate_hz)
        elif self._forward.end_utc_ns:
            start_ns = start_ns if self._line is None else self._line.utc_ns(start_ns)
            gap_ns, least_ns = start_ns - self._forward.end_utc_ns, LATE_NS // 2
        else:
            return 0
        return gap_ns if gap_ns >= least_ns else 0

    def _follow(self, line: ArrivalLine, end_ns: int, at_ns: int) -> int:
        """Keep the line; returns the time that counted samples have lost, as their delay shows."""
        late_ns = line.hear(end_ns, at_ns)
        if not late_ns:
            return 0
        if self._time is not None or late_ns < 0:
            line.anchor([(end_ns, at_ns)])
            return 0
        self._next_ns += late_ns
        return late_ns

    def _say(self, active: bool, text: str, samples: list[Sample | Malformed]) -> None:
        samples.append(
            StatusSample(
                sensor_id=self._config.id,
                origin=self._origin,
                start_utc_ns=self._forward.start_utc_ns,
                code="clock",
                active=active,
                text=text,
            )
        )


def guess(head: Floats, rate_hz: float | None) -> tuple[str, ...]:
    """Columns of rows that nobody has described: a first one that runs on is the time."""
    count = head.shape[1]
    first_column = head[:, 0]
    since_1970 = any(1e9 * unit <= first_column[0] < 1e10 * unit for unit in (1, 1e3, 1e6, 1e9))
    runs_on = since_1970 and bool((np.diff(first_column) >= 0.0).all())
    has_time = count > 1 and (runs_on or understand(first_column, rate_hz) is not None)
    first = ("time",) if has_time else ()
    more = [f"EH{number}" for number in range(2, count - len(first) + 1)]
    return (*first, "counts", *more)


def scale_of(values: Floats) -> float:
    """What makes whole numbers of these without loss: a power of ten, 1 for whole ones."""
    most = float(np.abs(values).max())
    if most == 0.0:
        return 1.0
    highest = math.floor(math.log10(INT32_MAX / most))
    if (values == np.rint(values)).all():
        return 1.0 if highest >= 0 else 10.0**highest
    for digits in range(16):
        scaled = values * 10.0**digits
        if np.abs(scaled - np.rint(scaled)).max() <= 1e-6 * most * 10.0**digits:
            break
    return float(10.0 ** min(digits, math.floor(math.log10(INT32_MAX / (most * HEADROOM)))))


def _rate_of(arrivals: list[tuple[int, int]]) -> float:
    """By least squares through the ends of the bursts; the usual one where all came at once."""
    whole = arrivals[:-1]  # the last burst may not be over
    counts = np.array([count for count, _ in whole], float)
    seconds = np.array([at_ns - arrivals[0][1] for _, at_ns in whole], float) / SECOND_NS
    if len(whole) < 2 or seconds[-1] <= 0.0:
        return USUAL_RATE_HZ
    seconds -= seconds.mean()
    return plain_rate(float((seconds * counts).sum() / (seconds * seconds).sum()))


def _words(row: Floats) -> str:
    return ",".join(f"{value:.10g}" for value in row)


def _refused(row: Floats) -> Malformed:
    return Malformed("time", _words(row))


def _build(config: SensorConfig, origin: Origin) -> Driver:
    return AsciiDriver(config, origin)


ASCII = DriverKind("ascii-serial", AsciiConfig, _build, recordings=(AsciiCapture(),))
