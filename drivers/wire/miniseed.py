"""miniSEED 2 and 3: records bare, as in files, or in SeedLink 4 frames, as on a link.

libmseed (through pymseed) reads and writes the records. What it is given is checked first: a
damaged header cannot make it reserve more memory than its own bytes can hold samples
(libmseed takes a header's count at its word). A frame is "SE", format and subformat, payload
length, sequence, length of the station's id, the id, one record (facts/seismic.md 1.4).
"""

import re
import struct
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from drivers.wire.malformed import TEXT_BYTES, Malformed, malformed

if TYPE_CHECKING:
    from pymseed import MS3Record

Values = NDArray[np.int32] | NDArray[np.float32] | NDArray[np.float64]

LONGEST_ON_LINKS_BYTES = 65_536  # servers send 512 bytes, some 4,096
LONGEST_IN_FILES_BYTES = 2**28  # a day of 500 Hz in one record of doubles has 346 MB, 200 Hz 138
MAX_UTC_NS = 2**63 - 1  # the year 2262
MAX_RATE_HZ = 1e6
HEAD_BYTES = 64  # what libmseed wants to see before it tells the length of a record 2
_HEAD_3 = struct.Struct("<33xBHI")  # lengths of id, extra headers and data of a record 3

_FRAME = struct.Struct("<2sccIQB")
_MAX_STATION_BYTES = 32
_FRAME_START = re.compile(rb"SE[23]")
_RECORD_START = re.compile(rb"MS\x03|[0-9 \x00]{6}[DRQM][ \x00]")  # of version 3, of version 2
_FRAME_AND_RECORD = re.compile(
    rb"SE[23][A-Z].{13}[A-Z0-9]{1,8}_[A-Z0-9]{1,8}(?:MS\x03|[0-9]{6}[DRQM] )", re.DOTALL
)
"""A frame within a frame: the outer one was cut. A record 2 has no checksum to tell it."""
_START_BYTES = 8  # of the longest of them
_BYTES_PER_SAMPLE = {1: 2.0, 3: 4.0, 4: 4.0, 5: 8.0, 10: 1.0, 11: 4.0 / 7.0}
"""The least a sample takes, by encoding: int16, int32, float32, float64, Steim 1 and 2."""
_LEAST_BYTES_PER_SAMPLE = 0.5
"""Of the old encodings (GEOSCOPE, CDSN, SRO, DWWSSN), which take two at least."""
_ENCODINGS = {"i": 3, "f": 4, "d": 5}
STEIM2 = 11
_WHOLE = frozenset({1, 3, 10, STEIM2})
"""Encodings of integers."""


class MiniSeedRecord(msgspec.Struct, frozen=True, gc=False):
    """Consecutive samples of one channel."""

    network: str
    station: str
    location: str
    channel: str
    """SEED code such as `EHZ`; whatever else the source is called where it has none."""
    start_utc_ns: int
    rate_hz: float
    count: int
    values: Values
    """(count,) int32, float32 or float64; where only heads are read, integers are left out."""
    offset: int
    """Where in all that was fed it began."""
    size: int
    """Its length in bytes, that of its frame included."""
    sequence: int | None = None
    """The server's number for it, in a frame."""


class MiniSeedDecoder:
    """Bytes in, records out, for any split; keeps one record at most. Never raises on data.

    Text, state of health and other records without samples are passed over. `framed`: records
    are in frames; a bare one is then what is left of a frame, and of no use.
    """

    def __init__(
        self,
        *,
        framed: bool = False,
        heads_only: bool = False,
        longest_bytes: int = LONGEST_ON_LINKS_BYTES,
    ) -> None:
        self._framed = framed
        self._starts = _FRAME_START if framed else _RECORD_START
        self._rest = b""
        self._offset = 0
        self._outside = b""
        self._heads_only = heads_only
        self._longest = longest_bytes
        self._reader = _library().MS3Record()
        self._wanted = 0

    def feed(self, data: bytes) -> list[MiniSeedRecord | Malformed]:
        """Read what arrived. Bytes that are no record are told once per run, when it ends."""
        if len(self._rest) + len(data) < self._wanted:
            self._rest += data
            return []
        buffer = self._rest + data if self._rest else data
        records: list[MiniSeedRecord | Malformed] = []
        at, self._wanted = 0, 0
        while at < len(buffer):
            size = self._size(buffer, at, last=False)
            if size < 0:
                self._wanted = -size - at
                break
            at += self._take(buffer, at, size, records)
        self._rest = buffer[at:]
        self._offset += at
        return records

    def end(self) -> list[MiniSeedRecord | Malformed]:
        """No more comes: what the rest holds."""
        records: list[MiniSeedRecord | Malformed] = []
        buffer, at = self._rest, 0
        while at < len(buffer):
            size = self._size(buffer, at, last=True)
            at += self._take(buffer, at, max(size, 0), records)
        self._end_run(records)
        self.cut()
        self._offset += len(buffer)
        return records

    def cut(self) -> None:
        """The link was cut: forget the record that was half read."""
        self._rest = self._outside = b""
        self._wanted = 0

    def _size(self, buffer: bytes, at: int, *, last: bool) -> int:
        """Length of the record at `at`; 0: there is none; below 0: minus the end of what it
        takes to tell."""
        if not self._starts.match(buffer, at):
            return 0 if len(buffer) - at >= _START_BYTES or last else -(at + _START_BYTES)
        if self._framed:
            size = _frame_size(buffer, at, self._longest)
        else:
            size = self._record_size(buffer, at, last=last)
        if size > self._longest:
            return 0
        if size > 0 and at + size > len(buffer):
            return -(at + size)
        return size

    def _record_size(self, buffer: bytes, at: int, *, last: bool) -> int:
        seen = len(buffer) - at
        if buffer.startswith(b"MS", at):
            if seen < _HEAD_3.size:
                return 0 if last else -(at + _HEAD_3.size)
            return int(_HEAD_3.size + sum(_HEAD_3.unpack_from(buffer, at)))
        if seen < HEAD_BYTES:
            return 0 if last else -(at + HEAD_BYTES)
        library = _library()
        # A record 2 that does not tell its length ends where the next begins: look that far.
        window = memoryview(buffer)[at : at + self._longest + HEAD_BYTES]
        size = int(
            library.clib.clibmseed.ms3_detect(
                library.clib.ffi.from_buffer(window),
                len(window),
                library.clib.ffi.new("uint8_t *"),
            )
        )
        if size == 0 and last:
            return seen
        if size == 0 and seen < self._longest:
            return -(len(buffer) + HEAD_BYTES)
        return max(size, 0)

    def _take(
        self, buffer: bytes, at: int, size: int, records: list[MiniSeedRecord | Malformed]
    ) -> int:
        """Read the record there, or pass over what is none; how many bytes that were."""
        if size:
            record = self._read(buffer, at, size)
            if isinstance(record, Malformed):
                self._end_run(records)
                records.append(record)
                # The head may have been noise that hides a record behind it.
                hides = record.reason in {"record", "cut-short"}
                return self._skip(buffer, at) if hides else size
            if record is not None:
                self._end_run(records)
                records.append(record)
            return size
        return self._skip(buffer, at)

    def _skip(self, buffer: bytes, at: int) -> int:
        found = self._starts.search(buffer, at + 1)
        # What could be the beginning of a start waits for more.
        end = found.start() if found else max(at + 1, len(buffer) - _START_BYTES + 1)
        if len(self._outside) < TEXT_BYTES:
            self._outside += buffer[at:end][:TEXT_BYTES]
        return end - at

    def _end_run(self, records: list[MiniSeedRecord | Malformed]) -> None:
        if self._outside.strip(b"\0 \r\n"):  # files are filled up with zeros or blanks
            records.append(malformed("outside", self._outside))
        self._outside = b""

    def _read(self, buffer: bytes, at: int, size: int) -> MiniSeedRecord | Malformed | None:
        sequence, start = None, at
        if self._framed:
            _, _, _, _, sequence, id_size = _FRAME.unpack_from(buffer, at)
            start = at + _FRAME.size + id_size
        data = buffer[start : at + size]
        if sequence is not None and _FRAME_AND_RECORD.search(data):
            return malformed("cut-short", data[:HEAD_BYTES])
        try:
            self._parse(data)
            read = self._judged(data)
            source = source_of(self._reader.sourceid)
        except (_library().MiniSEEDError, ValueError, OverflowError):
            return malformed("record", data[:HEAD_BYTES])
        if not isinstance(read, np.ndarray):
            return read
        reader = self._reader
        return MiniSeedRecord(
            *source,
            int(reader.starttime),
            float(reader.samprate),
            reader.samplecnt,
            read,
            self._offset + at,
            size,
            sequence,
        )

    def _judged(self, data: bytes) -> Values | Malformed | None:
        """The samples of the record that was parsed, if its head can be true; None: it has none."""
        reader = self._reader
        count, rate_hz = reader.samplecnt, float(reader.samprate)
        if reader.encoding == 0 or count <= 0 or not rate_hz > 0:
            return None
        least = _BYTES_PER_SAMPLE.get(reader.encoding, _LEAST_BYTES_PER_SAMPLE)
        if count * least > len(data) or rate_hz > MAX_RATE_HZ:
            return malformed("head", data[:HEAD_BYTES])
        if not 0 <= int(reader.starttime) <= MAX_UTC_NS - round(count / rate_hz * 1e9):
            return malformed("time", data[:HEAD_BYTES])
        if self._heads_only and reader.encoding in _WHOLE:
            return _NOTHING
        reader.unpack_data()
        values: Values = reader.np_datasamples.copy()
        if len(values) != count or values.dtype not in _TYPES:
            return malformed("samples", data[:HEAD_BYTES])
        return values

    def _parse(self, data: bytes) -> None:
        try:
            self._reader.parse_into(data)
        except _library().MiniSEEDError:
            if data.startswith(b"MS"):
                raise
            # A record 2 that does not tell its length ends where a head follows: its own will do.
            self._reader.parse_into(data + data[:HEAD_BYTES])


_NOTHING: NDArray[np.int32] = np.empty(0, np.int32)
_TYPES = (np.dtype(np.int32), np.dtype(np.float32), np.dtype(np.float64))


def begins_like_one(head: bytes) -> bool:
    """Whether a file that begins so holds miniSEED, with or without the volume headers of SEED."""
    return re.match(rb"MS\x03|[0-9 \x00]{6}[DRQMVAST][ *\x00]", head) is not None


@cache
def source_of(source_id: str) -> tuple[str, str, str, str]:
    """(network, station, location, channel) of an FDSN source identifier; of any other id the
    parts that are there, the last as the channel."""
    plain = source_id.removeprefix("FDSN:")
    parts = plain.split("_")
    if plain != source_id and len(parts) == 6:
        network, station, location = parts[:3]
        return network, station, location, "".join(parts[3:])
    return "", re.sub("[^A-Za-z0-9]+", "-", plain).strip("-"), "", ""


def frame(sequence: int, network: str, station: str, record: bytes) -> bytes:
    """A record as a SeedLink 4 server sends it."""
    name = f"{network}_{station}".encode("ascii")
    version = b"3" if record.startswith(b"MS") else b"2"
    return _FRAME.pack(b"SE", version, b"D", len(record), sequence, len(name)) + name + record


def _frame_size(buffer: bytes, at: int, longest: int) -> int:
    """Length of the frame at `at`; 0: it is none; below 0: minus the end of what it takes."""
    if len(buffer) - at < _FRAME.size:
        return -(at + _FRAME.size)
    _, _, kind, payload, _, name = _FRAME.unpack_from(buffer, at)
    # The subformat is a letter; ids are short. Random bytes that begin so rarely pass.
    if not (kind.isalpha() and 0 < name <= _MAX_STATION_BYTES):
        return 0
    if not _HEAD_3.size < payload <= longest:
        return 0
    return _FRAME.size + int(name) + int(payload)


def frames(data: bytes) -> Iterator[bytes]:
    """Whole frames, cut apart."""
    at = 0
    while at < len(data):
        size = _frame_size(data, at, LONGEST_IN_FILES_BYTES)
        if size <= 0:
            yield data[at:]
            return
        yield data[at : at + size]
        at += size


def encode(
    source: tuple[str, str, str, str],
    start_utc_ns: int,
    rate_hz: float,
    values: Values,
    *,
    version: int = 3,
    steim: bool = False,
    record_bytes: int = 4096,
) -> list[bytes]:
    """Samples as records: of SEED 2 with `record_bytes` each, or of 3 as long as they need.

    source  network, station, location, channel
    steim   compressed (Steim 2, integers of at most 30 bits) instead of plain
    """
    kind = {"i": "i", "f": "f"}[values.dtype.kind]
    kind = "d" if values.dtype.itemsize == 8 else kind
    network, station, location, channel = source
    channel = "_".join(channel) if len(channel) == 3 else f"__{channel}"
    writer: MS3Record = _library().MS3Record()
    writer.sourceid = f"FDSN:{network}_{station}_{location}_{channel}"
    writer.starttime = start_utc_ns
    writer.samprate = rate_hz
    writer.formatversion = version
    writer.encoding = STEIM2 if steim else _ENCODINGS[kind]
    writer.reclen = record_bytes
    return list(writer.generate(np.ascontiguousarray(values), kind))


@cache
def _library() -> Any:  # noqa: ANN401 - a module, and one that is not imported before it is used
    try:
        import pymseed  # noqa: PLC0415 - 45 ms for those who need it
    except ImportError as error:
        raise ImportError("miniSEED needs pymseed: pip install pymseed") from error
    return pymseed
