"""Recorded text of numbers: a column or several, with times or without."""

import re
from collections.abc import Iterator

import numpy as np

from drivers.base import SensorConfig
from drivers.seismic_ascii_config import NOT_DATA, AsciiConfig
from drivers.seismic_ascii_time import Floats, TimeColumn, understand
from drivers.seismic_clock import JUMP_NS
from drivers.wire.ascii_counts import AsciiDecoder, Rows
from fusion.types import SECOND_NS

START_UTC_NS = 946_684_800 * SECOND_NS
"""2000-01-01T00:00:00Z: where files begin that do not say when."""
USUAL_RATE_HZ = 100.0  # where neither the file nor the configuration says
CHUNK_S = 0.25
SINGLE_LINES = 400
HEAD_BYTES = 2**19  # some 20,000 lines: times that are only of packets show there what they are
_HEADING = re.compile(rb"[ \t\"]*(time|index)[ \t\"]*[,;\t ]", re.IGNORECASE)


class AsciiCapture:
    """Lines of numbers, as a logger printed them or another program wrote them."""

    name = "ascii-counts"

    def recognise(self, file_name: str, head: bytes) -> bool:
        """Whether there is a heading that begins with `time` or `index`: numbers alone say
        nothing of what they are, and are read with `--kind ascii-serial`."""
        first, _, rest = head.partition(b"\n")
        if not _HEADING.match(first.lstrip(b"\xef\xbb\xbf#% ")):
            return False
        lines = rest.split(b"\n")[:8]
        rows = AsciiDecoder().feed(b"\n".join(lines[:-1]) + b"\n")
        return bool(rows) and all(isinstance(one, Rows) for one in rows)

    def chunks(
        self, data: bytes, file_name: str = "", config: SensorConfig | None = None
    ) -> Iterator[tuple[int, bytes]]:
        """A quarter of a second of lines each, at the time of the last one.

        By a time column in UTC; else from `START_UTC_NS` on, by a column of other times, else by
        the configured rate, else at `USUAL_RATE_HZ`.
        """
        mine = config if isinstance(config, AsciiConfig) else None
        columns = tuple(name.lower() for name in mine.column_names) if mine else ()
        rate_hz = mine.rate_hz if mine else None
        decoder = AsciiDecoder(len(columns))
        head = _values(decoder, _lines(data[:HEAD_BYTES]))
        dates = _Dates(head, columns, rate_hz)
        decoder = AsciiDecoder(len(columns))
        for piece in _pieces(data, max(1, round(CHUNK_S * dates.rate_hz))):
            yield dates.utc_ns(_values(decoder, piece)), piece


def _lines(data: bytes) -> bytes:
    """Whole lines of it; all of it where it has no line end."""
    end = data.rfind(b"\n") + 1
    return data[:end] if end else data + b"\n"


def _pieces(data: bytes, lines: int) -> Iterator[bytes]:
    """So many lines at a time; the last line ends as the others do."""
    if not data.endswith(b"\n"):
        data += b"\n"
    at = given = 0
    while at < len(data):
        end = at
        # One by one until they are dated, so that the first are dated as well as all others.
        given += 1
        for _ in range(lines if given > SINGLE_LINES else 1):
            end = data.find(b"\n", end) + 1
            if end >= len(data) or not end:
                end = len(data)
                break
        yield data[at:end]
        at = end


def _values(decoder: AsciiDecoder, data: bytes) -> Floats:
    rows = [one.values for one in decoder.feed(data) if isinstance(one, Rows)]
    return np.concatenate(rows) if rows else np.zeros((0, 0))


class _Dates:
    """When the lines of a file were written, piece after piece."""

    def __init__(self, head: Floats, columns: tuple[str, ...], rate_hz: float | None) -> None:
        self._column = 0
        self._time: TimeColumn | None = None
        if len(head) > 1 and (columns or head.shape[1] > 1):
            known = [number for number, name in enumerate(columns) if name in NOT_DATA[:2]]
            if known or not columns:
                self._column = known[0] if known else 0
                times = head[:, self._column]
                self._time = understand(times, rate_hz, index="index" in columns)
        self.rate_hz = rate_hz or (self._time.rate_hz if self._time else USUAL_RATE_HZ)
        self._period_ns = SECOND_NS / self.rate_hz
        self._from_ns = START_UTC_NS
        if self._time is not None:
            first = float(head[0, self._column])
            if self._time.steady:
                steps = np.arange(min(8, len(head))) * self._period_ns / self._time.unit_ns
                first = float(np.median(head[: len(steps), self._column] - steps))
            self._base = 0.0 if self._time.utc else first
            if self._time.utc:
                self._from_ns = round(first * self._time.unit_ns)
        self._utc_ns = 0
        self._rows = 0

    def utc_ns(self, rows: Floats) -> int:
        """The end of a piece with these rows; never earlier than the one before."""
        self._rows += len(rows)
        counted_ns = self._from_ns + round(self._rows * self._period_ns)
        if self._time is not None and len(rows):
            newest = rows[-8:, self._column]
            ends = (newest - self._base) * self._time.unit_ns
            ends += np.arange(len(newest), 0, -1) * self._period_ns
            told_ns = START_UTC_NS * (not self._time.utc) + round(float(np.median(ends)))
            if told_ns < counted_ns - JUMP_NS:  # a counter that began again, or a clock set back
                self._base -= (counted_ns - told_ns) / self._time.unit_ns
                told_ns = counted_ns
            # Times of packets only say that there was a gap; times of samples are believed.
            if self._time.steady or abs(told_ns - counted_ns) >= JUMP_NS:
                self._from_ns += told_ns - counted_ns
                counted_ns = told_ns
        self._utc_ns = max(self._utc_ns, counted_ns)
        return self._utc_ns
