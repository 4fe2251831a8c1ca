"""The line stream of an X-ray scanner: one frame for each line of each energy, over TCP.

Garita's own protocol, for detector arrays whose makers speak none that is public (facts 1.1). A
small program beside the maker's library sends it; `encode` is what it needs. All numbers are
little-endian:

    offset  bytes  field
    0       4      magic C5 58 4C 31
    4       4      length of all that follows: 28 and the payload
    8       8      scan_id, another for every scan of a session
    16      4      line_no, from 0 at the first line of a scan
    20      8      t_ns, UTC in nanoseconds when the line was taken
    28      1      energy: 0 the high, 1 the low plane
    29      1      flags: 1 begin, 2 end, 4 alive; 0 a line
    30      2      n, pixels of a line
    32      4      CRC-32 (zlib's) of bytes 4 to 31 and of the payload
    36             payload: n counts of 16 bits

A begin frame says what is known of the scan: `n` pixels a line, `energy` planes (1 or 2), and as
payload the JSON of a sidecar (see `sidecar`), which may be empty. An end frame has how many lines
the scan has as `line_no` and no payload. An alive frame has no payload; a scanner that has no line
to send sends one every second, so that a hung link is told from an idle scanner. In the place of a
scan it may have a session: any number but 0, another each time the scanner is started. One whose
scan numbers begin anew then sends it before its first scan; without it, lines that have the
numbers of lines that came, but were taken seconds later, are those of another scan. A line that is
sent again after a cut keeps its time, and so does the begin frame.
"""

import struct
import zlib
from dataclasses import dataclass

from drivers.wire.malformed import TEXT_BYTES, Malformed, malformed

MAGIC = b"\xc5XL1"
MAX_LINE_PIXELS = 16_384  # facts 1.4; the tallest array has some 1,400
MAX_SIDECAR_BYTES = 16 << 10  # identity, papers and pitch; a manifest has no place in a stream
BEGIN, END, ALIVE = 1, 2, 4

_HEAD = struct.Struct("<4sIQIqBBHI")
BARE_BYTES = _HEAD.size  # of a frame without payload: end or alive
_BEHIND_LENGTH = _HEAD.size - 8
_CRC_AT = _HEAD.size - 4
MAX_FRAME_BYTES = _HEAD.size + 2 * MAX_LINE_PIXELS


@dataclass(slots=True)
class LineFrame:
    """One frame. Not frozen: forty thousand come in a second."""

    scan_id: int
    line_no: int
    t_ns: int
    energy: int
    n: int
    flags: int = 0
    payload: bytes | memoryview = b""


def encode(frame: LineFrame) -> bytes:
    """The frame's bytes. struct.error where a number does not fit its field."""
    payload = frame.payload
    head = bytearray(
        _HEAD.pack(
            MAGIC,
            _BEHIND_LENGTH + len(payload),
            frame.scan_id,
            frame.line_no,
            frame.t_ns,
            frame.energy,
            frame.flags,
            frame.n,
            0,
        )
    )
    crc = zlib.crc32(payload, zlib.crc32(memoryview(head)[4:_CRC_AT]))
    struct.pack_into("<I", head, _CRC_AT, crc)
    return bytes(head) + bytes(payload)


def split(data: bytes) -> list[bytes]:
    """Whole frames apart; what is no frame is left out."""
    pieces = []
    at = data.find(MAGIC)
    while at >= 0:
        size = _size(data, at)
        step = 1
        if size and at + size <= len(data) and _is_right(memoryview(data)[at : at + size]):
            pieces.append(data[at : at + size])
            step = size
        at = data.find(MAGIC, at + step)
    return pieces


class LineDecoder:
    """Bytes in, frames out, for any split of the byte stream.

    Keeps less than one frame. After damage it goes on at the next magic, also where that lies
    within what a damaged head claimed for itself. A run of noise or of bad frames is told once.
    Malformed reasons: `noise`, `bad-header`, `bad-checksum`, `truncated`.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._need = 0
        self._noise = bytearray()
        self._told = False

    def feed(self, data: bytes) -> list[LineFrame | Malformed]:
        """Every frame that `data` completes, and what was wrong between them.

        The payloads are views of what came, so that a line is copied once, to its place.
        """
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._need:
                return []
            data = bytes(self._buffer)
            self._buffer.clear()
        found: list[LineFrame | Malformed] = []
        view = memoryview(data)
        at, end = 0, len(data)
        unpack, crc32, head_bytes = _HEAD.unpack_from, zlib.crc32, _HEAD.size
        while at < end:
            if end - at < head_bytes:
                if self._rest(data, at, found):
                    break
                at = self._noise_from(data, at, found)
                continue
            magic, length, scan_id, line_no, t_ns, energy, flags, n, crc = unpack(data, at)
            if magic != MAGIC:
                at = self._noise_from(data, at, found)
                continue
            if not _is_plausible(length, n, flags):
                at = self._bad("bad-header", data, at, found)
                continue
            stop = at + 8 + length
            if stop > end:
                self._need = 8 + length
                self._buffer += view[at:]
                break
            payload = view[at + head_bytes : stop]
            if crc32(payload, crc32(view[at + 4 : at + _CRC_AT])) != crc:
                at = self._bad("bad-checksum", data, at, found)
                continue
            if self._noise:
                self._end_noise(found)
            self._told = False
            found.append(LineFrame(scan_id, line_no, t_ns, energy, n, flags, payload))
            at = stop
        return found

    def cut(self) -> list[LineFrame | Malformed]:
        """The link was cut: forget the frame half read, and say so."""
        found: list[LineFrame | Malformed] = []
        self._end_noise(found)
        if self._buffer:
            found.append(malformed("truncated", bytes(self._buffer[: _HEAD.size])))
        self._buffer.clear()
        self._told = False
        return found

    def _rest(self, data: bytes, at: int, found: list[LineFrame | Malformed]) -> bool:
        """Whether what is left may be the beginning of a frame; then it is kept."""
        known = min(len(data) - at, len(MAGIC))
        if data[at : at + known] != MAGIC[:known]:
            return False
        # A magic half read is looked at again with every byte: the next may unmake it.
        self._need = _HEAD.size if known == len(MAGIC) else known + 1
        self._buffer += memoryview(data)[at:]
        return True

    def _noise_from(self, data: bytes, at: int, found: list[LineFrame | Malformed]) -> int:
        """Where the next magic, or the start of one at the very end, begins."""
        start = data.find(MAGIC, at + 1)
        if start < 0:
            start = len(data)
            for count in range(min(len(MAGIC) - 1, len(data) - at - 1), 0, -1):
                if data.endswith(MAGIC[:count]):
                    start = len(data) - count
                    break
        self._noise += data[at : min(start, at + TEXT_BYTES - len(self._noise))]
        if len(self._noise) >= TEXT_BYTES:
            self._end_noise(found, keep=True)
        return start

    def _end_noise(self, found: list[LineFrame | Malformed], *, keep: bool = False) -> None:
        if self._noise and not self._told:
            found.append(malformed("noise", bytes(self._noise)))
            self._told = True
        if not keep:
            self._noise.clear()

    def _bad(self, reason: str, data: bytes, at: int, found: list[LineFrame | Malformed]) -> int:
        """Tell of a frame that is none; only its magic is done with."""
        self._end_noise(found)
        if not self._told:
            found.append(malformed(reason, data[at : at + _HEAD.size]))
        self._told = True
        return self._noise_from(data, at, found)


def _is_plausible(length: int, n: int, flags: int) -> bool:
    """Whether a head's numbers go together; only then its length is believed."""
    payload = length - _BEHIND_LENGTH
    if flags == 0:
        return 0 < n <= MAX_LINE_PIXELS and payload == 2 * n
    if flags == BEGIN:
        return 0 < n <= MAX_LINE_PIXELS and 0 <= payload <= MAX_SIDECAR_BYTES
    return flags in {END, ALIVE} and payload == 0


def _size(data: bytes, at: int) -> int:
    """Bytes of the frame that begins here; 0 where none can."""
    if len(data) - at < _HEAD.size:
        return 0
    _, length, _, _, _, _, flags, n, _ = _HEAD.unpack_from(data, at)
    return 8 + int(length) if _is_plausible(length, n, flags) else 0


def _is_right(frame: memoryview) -> bool:
    (crc,) = struct.unpack_from("<I", frame, _CRC_AT)
    return zlib.crc32(frame[_HEAD.size :], zlib.crc32(frame[4:_CRC_AT])) == int(crc)
