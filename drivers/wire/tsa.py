"""TSA / Rapiscan portal controllers (VM250, TM850, PM700): comma-separated ASCII lines.

A measurement line is a tag and four values, counts padded to six digits, ended by CRLF (LF is
taken too). There is no quoting, no checksum, no sequence number and no time on the wire.

What the sources leave open, and what is done here:
(a) which of fields 1 and 2 (master pillar), 3 and 4 (slave pillar) is the upper panel: fields
    keep the order of the wire, the driver's configuration says which is which;
(b) whether GH and GL repeat every 5 s like GB: nothing depends on it;
(c) when setup lines come: they are taken at any time;
(d) how often SP comes, and that its field 1 may be zero: kept as sent, the driver guards;
(e) fields 3 and 4 of GX and field 4 of SP, zero in every sample seen: kept, not read;
(f) how the device decides on a neutron alarm (alpha, Zmax): only its verdict is taken;
(g) the list of tags is not complete: a line with an unknown tag is kept raw.
"""

import re
from dataclasses import dataclass

from drivers.wire.malformed import Malformed, malformed

MAX_LINE_BYTES = 128  # the longest line of the table has 35; unknown tags get room, noise does not
# Line adapters that double the line end make one blank line of each; a run of them is no portal.
MAX_BLANK_LINES = 16
MAX_COUNT = 999_999  # six digits are all the field holds
METRES_PER_FOOT = 0.3048
M_S_PER_MPH = 0.44704

BACKGROUND_TAGS = frozenset({"GB", "GH", "GL", "NB", "NH", "NL"})
SCAN_TAGS = frozenset({"GS", "GA", "NS", "NA"})

SETUP_FIELDS: dict[str, tuple[str, ...]] = {
    "SG1": (
        "gamma_high_fault_cps",
        "gamma_low_fault_cps",
        "gamma_intervals",
        "occupancy_hold_in",
        "gamma_n_sigma",
        "gamma_placeholder",
    ),
    "SG2": (
        "detectors_online",
        "gamma_master_lower_discriminator",
        "gamma_master_upper_discriminator",
        "relay_output",
        "algorithm",
        "software",
    ),
    "SG3": (
        "gamma_slave_lower_discriminator",
        "gamma_slave_upper_discriminator",
        "gamma_background_s",
        "gamma_background_sigma",
        "firmware",
    ),
    "SN1": (
        "neutron_high_fault_cps",
        "neutron_max_intervals",
        "neutron_alpha",
        "neutron_z_max",
        "neutron_sequential_intervals",
        "neutron_background_s",
    ),
    "SN2": (
        "neutron_master_lower_discriminator",
        "neutron_master_upper_discriminator",
        "neutron_slave_lower_discriminator",
        "neutron_slave_upper_discriminator",
        "neutron_placeholder",
    ),
}
"""Names of the fields of each setup line, in the order of the wire."""


@dataclass(frozen=True, slots=True)
class CountsLine:
    """Counts of the four panels: backgrounds per second, gamma scans per 200 ms, neutron per s."""

    tag: str
    """GB GH GL NB NH NL while vacant, GS GA NS NA while occupied."""
    counts: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class SpeedLine:
    """SP: the vehicle's speed in three units."""

    seconds_per_foot: float
    mph: float
    km_h: float
    reserved: int = 0


@dataclass(frozen=True, slots=True)
class EndLine:
    """GX: the occupancy has ended."""

    counter: int
    """Occupancies since midnight or power-up."""
    neutron_background_milli_cps: int
    reserved: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class TamperLine:
    """TT (set) or TC (cleared). Nobody has said what the four values mean."""

    active: bool
    values: tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class SetupLine:
    """SG1 SG2 SG3 SN1 SN2: part of the device's settings, as text."""

    tag: str
    fields: tuple[str, ...]
    """One value for each name in `SETUP_FIELDS[tag]`."""


@dataclass(frozen=True, slots=True)
class UnknownLine:
    """A line of the right shape with a tag that no source names."""

    tag: str
    text: str


Record = CountsLine | SpeedLine | EndLine | TamperLine | SetupLine | UnknownLine

_COUNT_TAGS = {tag.encode(): tag for tag in BACKGROUND_TAGS | SCAN_TAGS}
_SETUP_TAGS = {tag.encode(): tag for tag in SETUP_FIELDS}
_DECIMAL = re.compile(rb"[0-9]{1,6}(\.[0-9]{1,6})?")
_SETTING = re.compile(rb"[0-9A-Za-z.]{1,16}")
_UNKNOWN = re.compile(rb"[A-Z][A-Z0-9]{1,3}(,[\x20-\x7e]*)?")
_TAIL = re.compile(rb"[0-9A-Z.,]{0,40}")  # what joining in the middle of a line can leave of it


class TsaDecoder:
    """Bytes in, records out, for any split of the stream. Never raises on data.

    A line that goes on past the limit is told when it crosses it, once, for its end may never
    come; so is a run of blank lines (`blank-lines`).
    """

    def __init__(self) -> None:
        self._line = bytearray()
        self._joined = False
        self._told = False
        self._blanks = 0

    def feed(self, data: bytes) -> list[Record | Malformed]:
        """The records that `data` completes; the rest is kept for the next call."""
        *ended, rest = data.split(b"\n")
        records: list[Record | Malformed] = []
        for piece in ended:
            self._extend(piece, records)
            if not self._told:
                self._end_line(records)
            self._joined = True
            self._told = False
            self._line.clear()
        self._extend(rest, records)
        return records

    def cut(self) -> None:
        """The link was cut: drop the line half read; the next may start in its middle."""
        self._line.clear()
        self._joined = self._told = False
        self._blanks = 0

    def _end_line(self, records: list[Record | Malformed]) -> None:
        line = bytes(self._line).removesuffix(b"\r")
        if not line:
            self._blanks += 1
            if self._blanks == MAX_BLANK_LINES:
                records.append(Malformed("blank-lines", ""))
            return
        self._blanks = 0
        record = parse_line(line)
        # Who joins in the middle of a line gets its end first: that is no fault.
        if self._joined or not _is_tail(line, record):
            records.append(record)

    def _extend(self, piece: bytes, records: list[Record | Malformed]) -> None:
        if self._told:  # the rest of a line of which all is said
            return
        # The CR and one byte over the limit are kept: enough to know that it was crossed.
        self._line += piece[: MAX_LINE_BYTES + 2 - len(self._line)]
        if len(self._line) > MAX_LINE_BYTES + self._line.endswith(b"\r", MAX_LINE_BYTES):
            records.append(malformed("line-too-long", bytes(self._line)))
            self._told = True
            self._blanks = 0


def _is_tail(line: bytes, record: Record | Malformed) -> bool:
    return isinstance(record, Malformed | UnknownLine) and _TAIL.fullmatch(line) is not None


def parse_line(line: bytes) -> Record | Malformed:
    """One line without its end. `Malformed` reasons: line-too-long, not-a-line, bad-fields."""
    if len(line) > MAX_LINE_BYTES:
        return malformed("line-too-long", line)
    tag, *fields = line.split(b",")
    record: Record | None
    if (name := _COUNT_TAGS.get(tag)) is not None:
        counts = _integers(fields)
        record = None if counts is None else CountsLine(name, counts)
    elif tag in _SETUP_TAGS:
        record = _setup(_SETUP_TAGS[tag], fields)
    elif tag == b"SP":
        record = _speed(fields)
    elif tag == b"GX":
        record = _end(fields)
    elif tag in {b"TT", b"TC"}:
        record = _tamper(tag, fields)
    elif _UNKNOWN.fullmatch(line):
        record = UnknownLine(tag.decode(), line.decode())
    else:
        return malformed("not-a-line", line)
    return malformed("bad-fields", line) if record is None else record


def _integers(fields: list[bytes]) -> tuple[int, int, int, int] | None:
    if len(fields) != 4:
        return None
    for field in fields:
        # isdigit() of bytes is ASCII only; int() alone would take "+1", " 1" and "1_0".
        if not field.isdigit() or len(field) > 6:
            return None
    return int(fields[0]), int(fields[1]), int(fields[2]), int(fields[3])


def _speed(fields: list[bytes]) -> SpeedLine | None:
    if len(fields) != 4 or not fields[3].isdigit() or len(fields[3]) > 6:
        return None
    if not all(_DECIMAL.fullmatch(field) for field in fields[:3]):
        return None
    return SpeedLine(float(fields[0]), float(fields[1]), float(fields[2]), int(fields[3]))


def _end(fields: list[bytes]) -> EndLine | None:
    values = _integers(fields)
    return None if values is None else EndLine(values[0], values[1], values[2:])


def _tamper(tag: bytes, fields: list[bytes]) -> TamperLine | None:
    if len(fields) != 4 or not all(_SETTING.fullmatch(field) for field in fields):
        return None
    first, second, third, fourth = (field.decode() for field in fields)
    return TamperLine(tag == b"TT", (first, second, third, fourth))


def _setup(tag: str, fields: list[bytes]) -> SetupLine | None:
    if len(fields) != len(SETUP_FIELDS[tag]):
        return None
    if not all(_SETTING.fullmatch(field) for field in fields):
        return None
    return SetupLine(tag, tuple(field.decode() for field in fields))


def speed_line(speed_m_s: float) -> SpeedLine:
    """The SP record of a speed > 0, each unit held to what its field can carry."""
    return SpeedLine(
        seconds_per_foot=min(METRES_PER_FOOT / speed_m_s, 9.9999),
        mph=min(speed_m_s / M_S_PER_MPH, 99.0),
        km_h=min(speed_m_s * 3.6, 999.0),
    )


def encode(record: Record) -> bytes:
    """The line with its CRLF. Counts beyond six digits stay at the highest, as a counter does."""
    match record:
        case CountsLine(tag=tag, counts=counts):
            text = f"{tag},{_padded(counts)}"
        case SpeedLine():
            text = (
                f"SP,{record.seconds_per_foot:06.4f},{record.mph:06.3f},"
                f"{record.km_h:06.2f},{_padded((record.reserved,))}"
            )
        case EndLine():
            values = (record.counter, record.neutron_background_milli_cps, *record.reserved)
            text = f"GX,{_padded(values)}"
        case TamperLine():
            text = ",".join(("TT" if record.active else "TC", *record.values))
        case SetupLine():
            text = ",".join((record.tag, *record.fields))
        case UnknownLine():
            text = record.text
    return text.encode("ascii") + b"\r\n"


def _padded(values: tuple[int, ...]) -> str:
    return ",".join(f"{min(value, MAX_COUNT):06d}" for value in values)
