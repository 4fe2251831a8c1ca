"""DICOS files, written: elements in explicit VR, little endian (DICOM PS3.5 section 7)."""

import hashlib
import struct
from collections.abc import Mapping, Sequence

from drivers.wire.dicos import LONG, MAGIC, MAGIC_AT, VERSION
from drivers.wire.rfc3339 import format_utc_ns

IMPLEMENTATION_UID = "2.25.237842651380573140938250431187234910214"
"""Of Garita: a random UUID, as PS3.5 annex B.2 has it."""

ANY_PICTURE = "1.2.840.10008.5.1.4.1.1.7"  # secondary capture: GDCM unpacks no class of DICOS
_UNDEFINED = 0xFFFFFFFF
_ITEM = b"\xfe\xff\x00\xe0"
_BINARY = {"US": "H", "SS": "h", "UL": "I", "FL": "f", "FD": "d"}

Value = str | bytes | int | float | Sequence[str] | Sequence[float] | Sequence["Attributes"]
Attributes = Mapping[int, tuple[str, Value]]
"""Tag to (VR, value); the value of a sequence (SQ) is a list of such tables."""


def file_of(sop_class: str, attributes: Attributes, syntax: str) -> bytes:
    """A whole file of these attributes, of which the SOP Instance UID is one."""
    instance = str(attributes[0x00080018][1])
    return begin(sop_class, instance, syntax) + encode(attributes)


def encode(attributes: Attributes) -> bytes:
    """A data set: the elements in the order of their tags."""
    return b"".join(
        element(tag, kind, _bytes(kind, value)) for tag, (kind, value) in sorted(attributes.items())
    )


def grey(rows: int, columns: int, bits: int) -> Attributes:
    """What is said of the pixels of a grey picture without loss, high for much radiation."""
    return {
        0x00280002: ("US", 1),
        0x00280004: ("CS", "MONOCHROME2"),
        0x00280010: ("US", rows),
        0x00280011: ("US", columns),
        0x00280100: ("US", bits),
        0x00280101: ("US", bits),
        0x00280102: ("US", bits - 1),
        0x00280103: ("US", 0),
        0x00280301: ("CS", "NO"),
        0x00281040: ("CS", "LIN"),
        0x00281041: ("SS", 1),
        0x00281052: ("DS", "0"),
        0x00281053: ("DS", "1"),
        0x00281054: ("LO", "US"),
        0x00282110: ("CS", "00"),
    }


def uid_of(*parts: object) -> str:
    """A UID that follows from its parts: PS3.5 annex B.2, of a hash where a UUID may stand."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def day_and_clock(utc_ns: int) -> tuple[str, str]:
    """A time as DA and TM have it."""
    text = format_utc_ns(utc_ns)
    return text[:10].replace("-", ""), text[11:26].replace(":", "")


def _bytes(kind: str, value: Value) -> bytes:
    if isinstance(value, bytes):
        return value
    if kind == "SQ":
        assert not isinstance(value, str | int | float)
        return b"".join(_item(encode(one)) for one in value if isinstance(one, Mapping))
    values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    if kind in _BINARY:
        return struct.pack(f"<{len(values)}{_BINARY[kind]}", *values)
    return "\\".join(map(str, values)).encode()


def _item(data: bytes) -> bytes:
    return _ITEM + struct.pack("<I", len(data)) + data


def begin(sop_class: str, sop_instance: str, syntax: str) -> bytes:
    """What stands before the data set of a file: preamble, magic and file meta information.

    DICOS adds its version as (0002,0004), and the vendors' reader refuses a file without it.
    """
    elements = (
        element(0x00020001, "OB", b"\x00\x01"),
        element(0x00020002, "UI", sop_class.encode()),
        element(0x00020003, "UI", sop_instance.encode()),
        element(0x00020004, "CS", VERSION.encode()),
        element(0x00020010, "UI", syntax.encode()),
        element(0x00020012, "UI", IMPLEMENTATION_UID.encode()),
        element(0x00020013, "SH", b"GARITA"),
    )
    meta = b"".join(elements)
    return bytes(MAGIC_AT) + MAGIC + element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta


def element(tag: int, kind: str, value: bytes) -> bytes:
    """One element in explicit VR, little endian; the value is padded to an even length."""
    if len(value) % 2:
        value += b"\0" if kind in {"OB", "UI", "UN"} else b" "
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + kind.encode()
    if kind.encode() in LONG:
        return head + struct.pack("<HI", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def packed_file(
    syntax: str, shape: tuple[int, int, int], bits: tuple[int, int], pixels: bytes | memoryview
) -> bytes:
    """The least file that a decoder of packed pixels takes.

    shape   frames, rows, columns
    bits    allocated, stored
    pixels  as `Layout.pixels` has them
    """
    frames, rows, columns = shape
    head = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, _UNDEFINED)
    told: Attributes = {
        0x00080016: ("UI", ANY_PICTURE),
        0x00080018: ("UI", "1.2"),
        0x00280008: ("IS", str(frames)),
        **grey(rows, columns, bits[0]),
        0x00280101: ("US", bits[1]),
        0x00280102: ("US", bits[1] - 1),
    }
    return b"".join((file_of(ANY_PICTURE, told, syntax), head, pixels))
