"""Loggers that print their samples as text: rows of numbers to waveforms, dated as well as may be.

Three cases. A time column that tells each sample's time is believed: as UTC, or as the device's own
clock, dated by its earliest arrivals. Without one, or with one that is only of packets, samples are
counted, and the line through the earliest arrivals dates the count. Where no rate is configured it
is found the same way: by the time column, else by the pace of arrival.
"""

import numpy as np
from numpy.typing import NDArray

from drivers.base import Driver, DriverKind, SensorConfig
from drivers.seismic_ascii_config import NOT_DATA, AsciiConfig, channel_of
from drivers.seismic_ascii_files import AsciiCapture
from drivers.seismic_ascii_packets import LATE_NS, AsciiPackets, words
from drivers.seismic_ascii_shape import guess, rate_of
from drivers.seismic_ascii_time import SLACK, WRAP, Floats, TimeColumn, understand
from drivers.seismic_clock import JUMP_NS, ArrivalLine
from drivers.wire.ascii_counts import AsciiDecoder, Rows
from drivers.wire.malformed import Malformed
from fusion.types import SECOND_NS, Origin, Sample

HEAD_ROWS = 32  # which show what a time column is, where the rate is known
PACE_ROWS = 256  # which show the rate as well, where times are whole milliseconds
PACE_NS = 10 * SECOND_NS  # of arrivals: bursts of 0.1 s leave the rate uncertain by 0.3 %
MOST_ROWS = 50_000  # ten seconds at 5 kHz
RATE_SPREAD = 0.01  # of a rate that was configured or measured by arrival
FOLLOWED = 8  # rows over which scattered times are evened out
NEAR = 3  # periods: a row further from its turn has a damaged time, or there is a gap


class AsciiDriver:
    """Rows of one logger to a `WaveformSample` for each channel and tenth of a second.

    `Malformed` of an intact row: `time`, it belongs to no time that the next row knows, or the one
    before it had that time already; `range`, more than an int32.
    """

    def __init__(self, config: SensorConfig, origin: Origin) -> None:
        assert isinstance(config, AsciiConfig)
        self._config = config
        self._origin = origin
        self._decoder = AsciiDecoder(len(config.column_names))
        self._limit_ns = round(config.clock_limit_s * SECOND_NS)
        self._columns = tuple(name.lower() for name in config.column_names)
        self._packets = AsciiPackets(config, origin)
        self._head: list[Floats] = []
        """Rows that wait until they can be dated."""
        self._arrivals: list[tuple[int, int]] = []
        """(rows so far, arrival) of the head."""
        self._time: TimeColumn | None = None
        self._line: ArrivalLine | None = None
        """None: the time column is UTC."""
        self._rate_hz = 0.0
        self._base = 0.0
        """Of the time column: what nanoseconds are counted from."""
        self._last_ns = self._next_ns = 0
        """By the device's clock: of the newest row, and of the next that is counted."""
        self._odd: tuple[int, Floats] | None = None
        self._heard_ns = 0
        self._begun = self._jumped = False
        self._data: list[int] = []
        """Columns with samples."""

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
        self._packets.flush(samples)
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
        self._rate_hz = known or (self._time.rate_hz if self._time else rate_of(arrivals))
        period_ns = SECOND_NS / self._rate_hz
        data = [number for number, name in enumerate(self._columns) if name not in NOT_DATA]
        self._data = data
        self._line = None
        self._heard_ns = at_ns
        self._begun = True
        if self._time is None:
            self._next_ns = 0
            self._line = ArrivalLine(1.0, jump_ns=LATE_NS, spread=RATE_SPREAD)
            self._line.anchor((round(count * period_ns), at) for count, at in arrivals)
        else:
            assert times is not None
            self._follow_column(self._time, times, arrivals)
        names = [channel_of(self._columns[number]) for number in data]
        self._packets.begin(names, head[:, data], self._rate_hz, self._line)
        if times is not None and self._time is None:
            self._compare_rate(times, samples)
        self._take(head, at_ns, samples)
        if self._jumped:
            self._jumped = False
            self._packets.say("clock", "the device's time is steady again", samples, active=False)

    def _follow_column(
        self, column: TimeColumn, times: Floats, arrivals: list[tuple[int, int]]
    ) -> None:
        """Begin with the first row that the one behind it agrees with."""
        period_ns = SECOND_NS / self._rate_hz
        steps = np.arange(len(times)) * (period_ns / column.unit_ns)
        # Of the row that most others agree with, should the first be a damaged one.
        self._base = 0.0 if column.utc else float(np.median(times - steps))
        device_ns = self._device_ns(times)
        start_ns = round(float(np.median(times)) * column.unit_ns)
        off_ns = arrivals[-1][1] - start_ns
        if not column.utc or abs(off_ns) > self._limit_ns + JUMP_NS:
            self._line = ArrivalLine(1.0, jump_ns=JUMP_NS)
            ends_ns = device_ns + round(period_ns)
            self._line.anchor((int(ends_ns[count - 1]), at) for count, at in arrivals)
        in_turn = np.abs(np.diff(device_ns) - period_ns) <= SLACK * period_ns
        self._last_ns = int(device_ns[int(np.argmax(in_turn))]) - round(period_ns)

    def _compare_rate(self, times: Floats, samples: list[Sample | Malformed]) -> None:
        """Say it where the time column does not fit a rate that was configured."""
        told = understand(times, None)
        if told is not None and told.steady and "index" not in self._columns:
            text = (
                f"the time column runs at about {told.rate_hz:g} Hz, configured are "
                f"{self._rate_hz:g}; it is not used"
            )
            self._packets.say("rate", text, samples, active=True)

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
        at = 0
        while at < len(rows):
            if self._odd is None and len(turns_ns := self._turns(device_ns[at:])):
                self._hold(rows[at : at + len(turns_ns)], turns_ns, at_ns, samples)
                at += len(turns_ns)
                continue
            odd = self._odd
            if not self._take_odd(rows[at], int(device_ns[at]), at_ns, samples):
                assert odd is not None
                self._restart(samples)
                self._wait(Rows(np.vstack([odd[1], rows[at:]])), at_ns, samples)
                return
            at += 1

    def _turns(self, device_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Times of the rows up to the first that is out of turn, their scatter evened out."""
        period_ns = round(SECOND_NS / self._rate_hz)
        slack_ns = int(SLACK * period_ns)
        turns_ns = []
        turn_ns = self._last_ns
        for time_ns in device_ns.tolist():
            off_ns = time_ns - turn_ns - period_ns
            if not -slack_ns <= off_ns <= slack_ns:
                break
            turn_ns += period_ns + off_ns // FOLLOWED
            turns_ns.append(turn_ns)
        return np.array(turns_ns, np.int64)

    def _take_odd(
        self, row: Floats, time_ns: int, at_ns: int, samples: list[Sample | Malformed]
    ) -> bool:
        """A row out of turn, or the one behind it; False: all has to be dated anew."""
        odd, self._odd = self._odd, None
        if odd is None:
            self._odd = (time_ns, row)
            return True
        period_ns = round(SECOND_NS / self._rate_hz)
        turn_ns = self._last_ns + period_ns
        off_ns = time_ns - turn_ns
        if abs(off_ns) <= period_ns // 4:
            samples.append(_refused(odd[1]))  # one too many: this one is in its turn
        elif abs(off_ns - period_ns) <= SLACK * period_ns and (
            abs(odd[0] - turn_ns) <= NEAR * period_ns
        ):
            self._hold(odd[1][None, :], np.array([turn_ns]), at_ns, samples)  # a late reading
        elif self._follows(odd[0], time_ns):
            step_ns = odd[0] - self._last_ns
            off_ns = step_ns - (at_ns - self._heard_ns)
            if self._line is None and abs(at_ns - odd[0]) <= self._limit_ns:
                off_ns = 0  # it is the right time, however long there was none
            if step_ns <= 0 or abs(off_ns) >= JUMP_NS:
                return self._wrapped(odd, step_ns, samples)
            self._packets.flush(samples)
            self._hold(odd[1][None, :], np.array([odd[0]]), at_ns, samples)
        else:
            samples.append(_refused(odd[1]))
        if len(turns_ns := self._turns(np.array([time_ns]))):
            self._hold(row[None, :], turns_ns, at_ns, samples)
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
            text = f"the time column jumped by {step_ns / SECOND_NS:+.3f} s"
            self._packets.say("clock", text, samples, active=True)
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

    def _hold(
        self,
        rows: Floats,
        device_ns: NDArray[np.int64],
        at_ns: int,
        samples: list[Sample | Malformed],
    ) -> None:
        """Rows in their turn, at these times of the device's clock."""
        self._heard_ns = at_ns
        period_ns = round(SECOND_NS / self._rate_hz)
        if self._line is not None:
            # Of what came at once the last says most, but the first ends the second before.
            device_ns = device_ns + self._follow(self._line, int(device_ns[0]) + period_ns, at_ns)
            self._follow(self._line, int(device_ns[-1]) + period_ns, at_ns)
        self._last_ns = int(device_ns[-1])
        self._packets.hold(rows[:, self._data], device_ns, samples)

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


def _refused(row: Floats) -> Malformed:
    return Malformed("time", words(row))


def _build(config: SensorConfig, origin: Origin) -> Driver:
    return AsciiDriver(config, origin)


ASCII = DriverKind("ascii-serial", AsciiConfig, _build, recordings=(AsciiCapture(),))
