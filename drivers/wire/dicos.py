"""DICOS files (NEMA IIC 1, which is DICOM with groups of its own): what lies where.

`layout` walks a file within fixed limits, whatever its lengths claim, so that a library is only
given headers that end. Nothing is decoded. DICOM PS3.5 section 7 (elements, VRs, sequences) and
annex A (transfer syntaxes), PS3.10 section 7 (files).
"""

import struct
import zlib
from dataclasses import dataclass

from drivers.wire.image_headers import MAX_PIXELS
from drivers.wire.malformed import Malformed, malformed

MAGIC_AT, MAGIC = 128, b"DICM"
MAX_FILE_BYTES = 120 << 20  # within a bundle; the largest dual-energy scan has 128 MB in two files
MAX_HEADER_BYTES = 8 << 20  # before the pixels; a detector's calibration takes some hundred kB
MAX_ELEMENTS = 4096  # with those of sequences; a DICOS image has about 80
MAX_DEPTH = 8  # sequences within sequences; DICOS needs 4
MAX_FRAGMENTS = 4096  # of packed pixels; writers cut 64 kB pieces: 64 MB has 1,024
MAX_INFLATED = MAX_HEADER_BYTES + 2 * 2 * MAX_PIXELS  # two planes of 16 bits
MAX_DEFLATE = 100  # to one: pictures with noise in them stay below 10, flat ones at 1032
MIN_INFLATED = 1 << 20  # a short file of any ratio costs nothing
MAX_CHARACTER_SET = 128  # bytes; readers look each of its values up before all else
VERSION = "V03"

DX_PRESENTATION = "1.2.840.10008.5.1.4.1.1.501.2.1"
DX_PROCESSING = "1.2.840.10008.5.1.4.1.1.501.2.2"
DICOM_DX_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"
"""Of DICOM itself, in which some scanners for cargo write."""
TDR = "1.2.840.10008.5.1.4.1.1.501.3"
SOP_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.501.1": "DICOSCTImageStorage",
    DX_PRESENTATION: "DICOSDigitalXRayImageStorageForPresentation",
    DX_PROCESSING: "DICOSDigitalXRayImageStorageForProcessing",
    TDR: "DICOSThreatDetectionReportStorage",
    "1.2.840.10008.5.1.4.1.1.501.4": "DICOS2DAITStorage",
    "1.2.840.10008.5.1.4.1.1.501.5": "DICOS3DAITStorage",
    "1.2.840.10008.5.1.4.1.1.501.6": "DICOSQuadrupoleResonanceStorage",
}
"""Every storage class of the standard, by its UID."""
_ROOT = "1.2.840.10008.5.1.4.1.1.501"
PARTS = {
    uid: f"DICOSPart{uid.removeprefix(_ROOT).replace('.', '_')}"
    for uid in (
        *(f"{whole}.{part}" for whole in SOP_CLASSES for part in (1, 2, 3)),
        *(f"{_ROOT}.{whole}.{part}" for whole in (7, 8) for part in (1, 2, 3, 4)),
    )
}
"""What the vendors' toolkit proposes beside them: a station that rejects one is not sent to."""

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
PACKED = {
    "1.2.840.10008.1.2.4.57": "JPEG lossless, process 14",
    JPEG_LOSSLESS: "JPEG lossless, first-order prediction",
    "1.2.840.10008.1.2.4.80": "JPEG-LS lossless",
    "1.2.840.10008.1.2.5": "RLE lossless",
}
"""The transfer syntaxes whose pixels a decoder unpacks. What loses is not measured on."""
PLAIN = (IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN)

_PLAIN_META = b"\x02\x00\x10\x00UI" + bytes((len(EXPLICIT) + 1, 0)) + EXPLICIT.encode() + b"\0"
_PIXELS = 0x7FE00010
_CHARACTER_SET = 0x00080005
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the parts of a file lie."""

    syntax: str
    """Its transfer syntax."""
    header: bytes
    """The file as it is before its pixels, never deflated."""
    body: bytes
    """The file, of which the two below are places."""
    pixels_at: int
    """Where the pixels' bytes begin; of packed ones, their first item."""
    pixels_bytes: int
    """As told; of packed ones, as walked through."""
    big_endian: bool
    packed: bool

    @property
    def pixels(self) -> memoryview:
        """The pixels' bytes, packed or not."""
        return memoryview(self.body)[self.pixels_at : self.pixels_at + self.pixels_bytes]


def is_dicos(head: bytes) -> bool:
    """Whether a file that begins so is DICOM at all."""
    return head[MAGIC_AT : MAGIC_AT + 4] == MAGIC


def layout(data: bytes, *, whole: bool = True) -> Layout | Malformed:
    """Walk a whole file; without `whole`, its beginning, in which the pixels may be missing.

    Malformed reasons: `bad-header` (none of DICOM's, or too deep or too many elements to be
    believed), `truncated`, `unsupported` (transfer syntax), `too-large`, `missing-pixels`.
    """
    if len(data) > MAX_FILE_BYTES:
        return malformed("too-large", data[MAGIC_AT:])
    if not is_dicos(data):
        return malformed("bad-header" if len(data) >= MAGIC_AT + 4 else "truncated", data)
    try:
        return _layout(data, whole=whole)
    except struct.error:  # a length that leads past the end
        return malformed("truncated", data[MAGIC_AT:])
    except _BadError as error:
        return malformed(error.reason, data[MAGIC_AT:])


def is_whole(data: bytes) -> bool | None:
    """Whether a file is all there; None: it is none of which that could be told."""
    laid = layout(data)
    if isinstance(laid, Layout):
        return True
    return False if laid.reason == "truncated" else None


class _BadError(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _layout(data: bytes, *, whole: bool) -> Layout:
    syntax, at = _meta(data)
    if syntax not in PLAIN and syntax not in PACKED:
        raise _BadError("unsupported")
    start, body = at, data
    if syntax == DEFLATED:
        body = data[:at] + _inflated(data[at:])
    walk = _Walk(body, explicit=syntax != IMPLICIT, big_endian=syntax == BIG_ENDIAN)
    tag, length, at, element_at = walk.to_pixels(start)
    if tag != _PIXELS:
        raise _BadError("missing-pixels")
    packed = syntax in PACKED
    if packed != (length == _UNDEFINED):
        raise _BadError("bad-header")
    size = length
    if packed:
        size = walk.fragments(at) - at if whole else 0
    if whole and at + size > len(body):
        raise _BadError("truncated")
    header = body[:element_at]
    if syntax == DEFLATED:
        # The very same elements as an ordinary file, for who reads them next.
        header = data[:MAGIC_AT] + MAGIC + _PLAIN_META + body[start:element_at]
    return Layout(
        syntax=syntax,
        header=header,
        body=body,
        pixels_at=at,
        pixels_bytes=size,
        big_endian=walk.big_endian,
        packed=packed,
    )


def _meta(data: bytes) -> tuple[str, int]:
    """(transfer syntax, where the data set begins)."""
    walk = _Walk(data, explicit=True, big_endian=False)
    at, syntax = MAGIC_AT + 4, ""
    while data[at : at + 2] == b"\x02\x00":
        tag, length, value_at = walk.element(at)
        if length == _UNDEFINED or value_at + length > min(len(data), MAX_HEADER_BYTES):
            raise _BadError("truncated" if value_at + length > len(data) else "bad-header")
        at = value_at + length
        if tag == 0x00020010:
            syntax = data[value_at:at].decode("ascii", "replace").rstrip("\0 ")
    if not syntax:
        raise _BadError("bad-header")
    return syntax, at


def _inflated(data: bytes) -> bytes:
    """Unpacked, and never more than a scan has."""
    reader = zlib.decompressobj(-15)
    most = min(max(MIN_INFLATED, MAX_DEFLATE * len(data)), MAX_INFLATED)
    try:
        inflated = reader.decompress(data, most)
    except zlib.error:
        raise _BadError("bad-header") from None
    if not reader.eof:
        raise _BadError("too-large" if len(inflated) >= most else "truncated")
    return inflated


class _Walk:
    """From element to element; every step is counted. struct.error past the end."""

    def __init__(self, data: bytes, *, explicit: bool, big_endian: bool) -> None:
        self._data = data
        self._explicit = explicit
        self.big_endian = big_endian
        order = ">" if big_endian else "<"
        self._tag = struct.Struct(order + "HH")
        self._u16, self._u32 = struct.Struct(order + "H"), struct.Struct(order + "I")
        self._left = MAX_ELEMENTS

    def to_pixels(self, at: int) -> tuple[int, int, int, int]:
        """(tag, length, place of the value, place of the element) of the pixels, or of the end."""
        while at < len(self._data):
            element_at = at
            tag, length, at = self.element(at)
            if tag == _PIXELS:
                return tag, length, at, element_at
            at = self._beyond(at, length, depth=0)
            if at > MAX_HEADER_BYTES:
                raise _BadError("too-large" if at <= len(self._data) else "truncated")
        return 0, 0, at, at

    def element(self, at: int) -> tuple[int, int, int]:
        """(tag, length, place of the value)."""
        self._left -= 1
        if self._left < 0:
            raise _BadError("bad-header")
        group, number = self._tag.unpack_from(self._data, at)
        tag = group << 16 | number
        length, at = self._length(at, bare=group == 0xFFFE or not self._explicit)
        if tag == _CHARACTER_SET and length > MAX_CHARACTER_SET:
            raise _BadError("bad-header")
        return tag, length, at

    def _length(self, at: int, *, bare: bool) -> tuple[int, int]:
        """(length, place of the value) of the element at `at`."""
        if bare:
            return self._u32.unpack_from(self._data, at + 4)[0], at + 8
        kind = self._data[at + 4 : at + 6]
        if kind in _SHORT:
            return self._u16.unpack_from(self._data, at + 6)[0], at + 8
        if kind not in LONG:
            raise _BadError("bad-header" if len(kind) == 2 else "truncated")
        return self._u32.unpack_from(self._data, at + 8)[0], at + 12

    def fragments(self, at: int) -> int:
        """Where packed pixels end that begin with the item at `at`."""
        for _ in range(MAX_FRAGMENTS):
            group, number, length = struct.unpack_from("<HHI", self._data, at)
            at += 8
            if group << 16 | number == _SEQUENCE_END:
                return at
            if group << 16 | number != _ITEM or length == _UNDEFINED:
                raise _BadError("bad-header")
            at += length
        raise _BadError("bad-header")

    def _beyond(self, at: int, length: int, depth: int) -> int:
        """Where the next element begins: a sequence of no told length is walked through."""
        if length != _UNDEFINED:
            return at + length
        if depth >= MAX_DEPTH:
            raise _BadError("bad-header")
        while True:
            tag, length, at = self.element(at)
            if tag == _SEQUENCE_END:
                return at
            if tag != _ITEM:
                raise _BadError("bad-header")
            at = at + length if length != _UNDEFINED else self._beyond_item(at, depth)

    def _beyond_item(self, at: int, depth: int) -> int:
        while True:
            tag, length, at = self.element(at)
            if tag == _ITEM_END:
                return at
            at = self._beyond(at, length, depth + 1)
