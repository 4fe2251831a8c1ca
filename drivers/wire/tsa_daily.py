"""Daily files of TSA portals: the wire's lines with the time at which they came.

The usual form is the wire line plus local time `HH-MM-SS.mmm`, sometimes followed by UTC in
the same form, without header or quotes. Some keep the bare wire lines. Another form has a
header `message,timestamp`, the message quoted, and ISO-8601 times. The usual name is
`<lane>_<YYYY-MM-DD>.csv`; a file holds one local day.

Days and times are plain arithmetic here: a codec asks no calendar and no clock.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_LINE_BYTES = 256  # a wire line of 128, quotes and two ISO-8601 times
DAY_MS = 86_400_000
MS_NS = 1_000_000

_CLOCK = r"([0-9]{2})-([0-9]{2})-([0-9]{2})\.([0-9]{3})"
_TRAILING = re.compile(rf"(?P<line>.*?)(?:,{_CLOCK})(?:,{_CLOCK})?$")
_ISO = re.compile(
    r'"?(?P<line>[^"]*)"?,"?(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?'
    r'(Z|[+-]\d\d:?\d\d)?"?$'
)
_HEADER = re.compile(r'"?message"?,"?timestamp"?$', re.IGNORECASE)
_NAME_DATE = re.compile(r"_(\d{4})-(\d\d)-(\d\d)\.[A-Za-z]+$")


@dataclass(frozen=True, slots=True)
class TimedLine:
    """One line of the file."""

    utc_ns: int
    line: bytes
    """As on the wire, without its end."""


def is_header(line: str) -> bool:
    """Whether the line is the header of the ISO form."""
    return _HEADER.match(line.strip()) is not None


def wire_part(line: str) -> str:
    """The line as it was on the wire, without times and quotes."""
    match = _ISO.match(line) or _TRAILING.match(line)
    return match["line"] if match else line


def day_of_name(file_name: str) -> int | None:
    """Days since 1970-01-01 of the date in `<lane>_<YYYY-MM-DD>.csv`, or None."""
    match = _NAME_DATE.search(file_name)
    if match is None:
        return None
    year, month, day = (int(part) for part in match.groups())
    return _days(year, month, day) if 1 <= month <= 12 and 1 <= day <= 31 else None


def read_daily(data: bytes, *, day: int, utc_offset_min: int) -> Iterator[TimedLine]:
    """The lines of a file in order, with times that never run backwards.

    day             the local date as days since 1970-01-01; the ISO form does not need it
    utc_offset_min  local time minus UTC, where a line does not tell it itself
    """
    clock = _DayClock(day, utc_offset_min)
    for raw in data.split(b"\n"):
        # Longer than any form is noise; its start is enough for the driver to say so.
        line = raw[:MAX_LINE_BYTES].removesuffix(b"\r").decode("latin-1")
        if not line.strip() or is_header(line):
            continue
        yield clock.read(line)


class _DayClock:
    """Times of the lines of one file."""

    def __init__(self, day: int, utc_offset_min: int) -> None:
        self._offset_ms = utc_offset_min * 60_000
        self._day_ms = day * DAY_MS
        self._local_ms = 0
        self._utc_ns = (self._day_ms - self._offset_ms) * MS_NS
        self._burst_left = 0

    def read(self, line: str) -> TimedLine:
        if match := _ISO.match(line):
            utc_ns = self._iso_ns(match)
        elif match := _TRAILING.match(line):
            utc_ns = self._trailing_ns(match)
        else:
            utc_ns = self._utc_ns + self._usual_step_ms(line) * MS_NS
        self._utc_ns = max(self._utc_ns, utc_ns)
        text = match["line"] if match else line
        return TimedLine(self._utc_ns, text.encode("latin-1"))

    def _iso_ns(self, match: re.Match[str]) -> int:
        _, year, month, day, hour, minute, second, fraction, zone = match.groups()
        offset_min = self._offset_ms // 60_000
        if zone:
            offset_min = 0 if zone == "Z" else int(zone[1:3]) * 60 + int(zone[-2:])
            offset_min = -offset_min if zone[0] == "-" else offset_min
        minutes = _days(int(year), int(month), int(day)) * 1440 + int(hour) * 60 + int(minute)
        seconds = (minutes - offset_min) * 60 + int(second)
        return seconds * 1_000_000_000 + int((fraction or "0").ljust(9, "0"))

    def _trailing_ns(self, match: re.Match[str]) -> int:
        _, *clocks = match.groups()
        local_ms = _clock_ms(clocks[:4])
        # Files are rolled at local midnight, yet a last line may come just after it.
        if local_ms < self._local_ms - DAY_MS // 2:
            self._day_ms += DAY_MS
        self._local_ms = local_ms
        offset_ms = self._offset_ms
        if clocks[4] is not None:
            # Both clocks say the offset themselves, in (-12 h, +12 h].
            offset_ms = (local_ms - _clock_ms(clocks[4:])) % DAY_MS
            offset_ms -= DAY_MS if offset_ms > DAY_MS // 2 else 0
        return (self._day_ms + local_ms - offset_ms) * MS_NS

    def _usual_step_ms(self, line: str) -> int:
        """Without times, the device's own cadence: facts 1.1, column Cadence.

        An occupancy begins with 6 gamma scans at one instant: 5 buffered and the live one.
        """
        tag = line[:2]
        if tag in {"GB", "GH", "GL"}:
            self._burst_left = 6
            return 5_000
        if tag not in {"GS", "GA"}:
            return 0
        self._burst_left -= 1
        return 0 if self._burst_left >= 0 else 200


def _clock_ms(parts: list[str]) -> int:
    hour, minute, second, millisecond = (int(part) for part in parts)
    return ((hour * 60 + minute) * 60 + second) * 1000 + millisecond


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the Gregorian calendar (Hinnant, days_from_civil)."""
    year -= month <= 2
    era = year // 400
    year_of_era = year - era * 400
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * 146_097 + day_of_era - 719_468
