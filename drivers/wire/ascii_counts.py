"""Lines of numbers, as most home-made loggers print them: `123`, `1042;-17`, `12.5, 0.00123`.

Separators are comma, semicolon, tab or spaces; a semicolon allows decimal commas. Times of ISO 8601
read as seconds since 1970, those without a day as seconds since midnight. Lines of words before the
first numbers are a heading, lines that begin with `#`, `%` or `//` are remarks: neither is told.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from drivers.wire.malformed import TEXT_BYTES, Malformed, malformed
from drivers.wire.rfc3339 import parse_utc_ns

MAX_LINE_BYTES = 512  # sixteen numbers of 17 digits and their separators; more is noise
MAX_COLUMNS = 16
HEADING_LINES = 64  # of words before the first numbers

_rows = msgspec.json.Decoder(list[list[float]]).decode
_NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_MARK = b"\xef\xbb\xbf"
"""Of UTF-8, which some programs put before all else."""
_ISO = re.compile(
    rb"(?:(\d{4}[-/]\d\d[-/]\d\d)[T ])?(\d\d:\d\d:\d\d(?:\.\d{1,12})?)"
    rb" ?(Z|z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_BLANKS = re.compile(rb"[ \t]+")
_EDGES = re.compile(rb"^[ \t]+|[ \t]+$", re.MULTILINE)
_FIELDS = re.compile(rb"[ \t]*,[ \t]*|[ \t]+")


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Consecutive lines of as many numbers each."""

    values: NDArray[np.float64]
    """(lines, columns)"""


class AsciiDecoder:
    """Bytes in, rows out. How lines are gathered into `Rows` depends on the split; they do not."""

    def __init__(self, columns: int = 0) -> None:
        """`columns` numbers a line; 0: as many as the first line of numbers has."""
        self._columns = columns
        self._rest = b""
        self._too_long = False
        self._heading = HEADING_LINES
        self._begun = False

    def feed(self, data: bytes) -> list[Rows | Malformed]:
        """Read what arrived."""
        records: list[Rows | Malformed] = []
        end = data.rfind(b"\n") + 1
        if end:
            block = self._rest + data[:end]
            self._take(block if self._begun else block.removeprefix(_MARK), records)
            self._rest, self._begun = b"", True
        if not self._too_long:
            self._rest += data[end:]
            if len(self._rest) > MAX_LINE_BYTES:
                records.append(malformed("too-long", self._rest))
                self._too_long, self._rest = True, b""
        return records

    def cut(self) -> None:
        """The link was cut: forget the line that was half read."""
        self._rest, self._too_long = b"", False

    def _take(self, block: bytes, records: list[Rows | Malformed]) -> None:
        if self._too_long:  # its tail
            self._too_long = False
            block = block[block.index(b"\n") + 1 :]
        if not block:
            return
        if (values := _all_rows(block, self._columns)) is not None:
            self._heading = 0
            records.append(Rows(values))
            return
        rows: list[tuple[float, ...]] = []
        for line in block.split(b"\n")[:-1]:
            if len(line) > MAX_LINE_BYTES:
                parsed: tuple[float, ...] | str = "too-long"
            else:
                parsed = parse_line(line)
            if isinstance(parsed, tuple):
                if not parsed:
                    continue
                self._columns = self._columns or len(parsed)
                if len(parsed) == self._columns:
                    self._heading = 0
                    rows.append(parsed)
                    continue
                parsed = "columns"
            if self._heading and parsed == "number":
                self._heading -= 1
                continue
            if rows:
                records.append(Rows(np.array(rows)))
                rows = []
            records.append(malformed(parsed, line[:TEXT_BYTES]))
        if rows:
            records.append(Rows(np.array(rows)))


def _all_rows(block: bytes, columns: int) -> NDArray[np.float64] | None:
    """All lines at once, as JSON; None where one of them is anything but plain numbers."""
    if not columns or len(block) > MAX_LINE_BYTES * (block.count(b"\n") or 1):
        return None
    if b"[" in block or b"]" in block or b":" in block:
        return None
    text = block.replace(b"\r", b"")[:-1]
    if b";" in text:
        text = text.replace(b",", b".").replace(b";", b",")
    elif b"," not in text and (b" " in text or b"\t" in text):
        text = _BLANKS.sub(b",", _EDGES.sub(b"", text))
    try:
        rows = _rows(b"[[" + text.replace(b"\n", b"],[") + b"]]")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if set(map(len, rows)) != {columns}:
        return None
    values = np.array(rows)
    return values if np.isfinite(values).all() else None


def parse_line(line: bytes) -> tuple[float, ...] | str:
    """The numbers of one line, none of an empty one or a remark; or why it is none."""
    text = line.strip().replace(b'"', b"")
    if not text or text.startswith((b"#", b"%", b"//")):
        return ()
    if b":" in text:
        text = _ISO.sub(_seconds, text)
    if b";" in text:
        text = text.replace(b",", b".").replace(b";", b",")
    fields = _FIELDS.split(text.rstrip(b", \t"))
    if len(fields) > MAX_COLUMNS:
        return "columns"
    if not all(map(_NUMBER.fullmatch, fields)):
        return "number"
    values = tuple(map(float, fields))
    return values if all(abs(value) < np.inf for value in values) else "number"


def _seconds(match: re.Match[bytes]) -> bytes:
    """A time as seconds since 1970 with nine decimals; as it was where there is no such time.

    Without a day it is taken for that of 1970's first: it counts from midnight.
    """
    day, clock, zone = (part.decode() if part else "" for part in match.groups())
    day = day.replace("/", "-") or "1970-01-01"
    if zone and zone not in "Zz" and ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    try:
        utc_ns = parse_utc_ns(f"{day}T{clock}{zone or 'Z'}")
    except ValueError:
        return match[0]
    return b"%d.%09d" % divmod(utc_ns, 1_000_000_000)


def encode(values: Iterable[object], separator: str = ",") -> bytes:
    """One line, as a microcontroller's `println` ends it."""
    return (separator.join(map(str, values)) + "\r\n").encode("ascii")


def split(data: bytes) -> list[bytes]:
    """A stream cut into its lines."""
    return data.splitlines(keepends=True)
