"""A DICOS file: what it says of itself, whether its pixels may be read, and its pictures.

pydicom reads the header, which `wire.dicos` has found to end.
"""

import hashlib
import math
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from drivers.dicos_header import NEEDED, Header, installed
from drivers.dicos_instance import Instance, instance_of
from drivers.dicos_unpacking import unpacked
from drivers.wire import dicos
from drivers.wire.image_headers import MAX_PIXELS, MAX_RATIO, MAX_SIDE_PIXELS
from drivers.wire.malformed import Malformed, malformed

MAX_FRAMES = 2  # high and low
HASHED_EVERY = 61  # bytes: of every row of any picture some

Plane = NDArray[np.generic]


def described(data: bytes, utc_offset_min: int = 0) -> tuple[Instance, dicos.Layout] | Malformed:
    """Read the header of a file. The pixels are only measured, not decoded.

    Malformed reasons: those of `wire.dicos.layout`; `needs-library`; `bad-header`,
    `unsupported` (no picture of Garita's: of persons, signed, in colour, of three frames),
    `too-large`, `dimension-mismatch` (more pixels than the file's bytes can hold).
    """
    laid = dicos.layout(data)
    if isinstance(laid, Malformed):
        return laid
    found = _said(laid, utc_offset_min)
    if isinstance(found, Malformed):
        return found
    if reason := _fault(found, laid):
        return malformed(reason, f"{found.shape} {found.bits} {laid.syntax}".encode())
    return found, laid


def begun(head: bytes, utc_offset_min: int = 0) -> tuple[Instance, int] | Malformed:
    """What the beginning of a file says of itself, and how many bytes it must have at least."""
    laid = dicos.layout(head, whole=False)
    if isinstance(laid, Malformed):
        return laid
    found = _said(laid, utc_offset_min)
    if isinstance(found, Malformed):
        return found
    return found, laid.pixels_at + laid.pixels_bytes


def _said(laid: dicos.Layout, utc_offset_min: int) -> Instance | Malformed:
    if not installed():
        return malformed("needs-library", NEEDED.encode())
    try:
        found = instance_of(Header(laid.header), utc_offset_min)
    # pydicom converts values as they are asked for, and has an error of its own for each kind.
    except Exception as error:  # noqa: BLE001 - as said
        return malformed("bad-header", repr(error).encode("ascii", "replace"))
    if isinstance(found, str):
        return malformed(found, laid.header[dicos.MAGIC_AT :][:64])
    return found


def pictures(instance: Instance, laid: dicos.Layout) -> Sequence[Plane] | Malformed:
    """The frames, (rows, columns) each, of 8 or 16 bits as they are stored.

    Malformed reasons: `unreadable`, with GDCM's words; `reader-ended`, the pixels crashed it or
    took it longer than so many may; `needs-library`.
    """
    kind = np.dtype(np.uint16 if instance.bits[0] == 16 else np.uint8)
    if laid.packed:
        plain = unpacked(instance, laid)
        if isinstance(plain, Malformed):
            return plain
        values = np.frombuffer(plain, kind.newbyteorder("<"))
    else:
        stored = kind.newbyteorder(">" if laid.big_endian else "<")
        values = np.frombuffer(laid.pixels, stored, math.prod(instance.shape))
    return list(values.astype(kind, copy=False).reshape(instance.shape))


def _fault(one: Instance, laid: dicos.Layout) -> str:
    """Why its pixels must not be read, or an empty string."""
    frames, rows, columns = one.shape
    allocated, stored = one.bits
    if one.object_type in {"PERSON", "ANIMAL"} or not 0 < frames <= MAX_FRAMES:
        return "unsupported"  # Garita looks at cargo: nobody's body is measured or kept
    if allocated not in {8, 16} or not allocated // 2 <= stored <= allocated:
        return "unsupported"
    if rows < 1 or columns < 1 or not one.instance:
        return "bad-header"
    if max(rows, columns) > MAX_SIDE_PIXELS or rows * columns > MAX_PIXELS:
        return "too-large"
    needed = frames * rows * columns * allocated // 8
    if needed > laid.pixels_bytes * (MAX_RATIO if laid.packed else 1):
        return "dimension-mismatch"
    return ""


def fingerprint_of(laid: dicos.Layout) -> bytes:
    """Of the pixels as they lie in the file, whatever the header: a checksum of all and a hash of
    some. Hashing all would hold up the alert, and nobody gains by sending one scan for another."""
    pixels = laid.pixels
    some = hashlib.sha256(pixels[::HASHED_EVERY].tobytes())
    some.update(zlib.crc32(pixels).to_bytes(4, "big"))
    return some.digest()
