"""Portable grey and colour maps (PGM, PPM): a few words of text, then pixels.

Netpbm's pgm(5) and ppm(5), P2, P3, P5 and P6; OpenCV leaves out the grey ones in text.
"""

import re
import warnings

import numpy as np
from numpy.typing import NDArray

from drivers.wire.image_header import ImageHeader, checked

PNM_MAGICS = {b"P2": (1, False), b"P3": (3, False), b"P5": (1, True), b"P6": (3, True)}
"""First bytes to (channels, whether pixels are bytes and not text)."""
MAX_TEXT_BYTES = 16 << 20  # of pixels in text: half a second of reading
_HEAD = re.compile(rb"P\d" + rb"(?:\s+(?:#[^\n]{0,200}\n\s*){0,20})(\d{1,9})" * 3 + rb"\s")


def read_pnm_header(data: bytes) -> ImageHeader | str:
    """The header, checked against the bytes that are there, or the reason against it."""
    found = _HEAD.match(data)
    if found is None:
        return "truncated" if len(data) < 16 else "bad-header"
    channels, binary = PNM_MAGICS[data[:2]]
    width, height, highest = (int(word) for word in found.groups())
    if not 0 < highest < 65_536:
        return f"bad-header: highest number {highest}"
    bits = 8 if highest < 256 else 16
    header = ImageHeader(form="pnm", width=width, height=height, bits=bits, channels=channels)
    there = len(data) - found.end()
    if binary:
        short = there < header.decoded_bytes
    else:
        if there > MAX_TEXT_BYTES:
            return "too-large: its pixels are text"
        short = there < 2 * width * height * channels - 1
    ok = checked(header, max(there, 1))
    return "truncated" if short and isinstance(ok, ImageHeader) else ok


def read_pnm(data: bytes) -> NDArray[np.uint8 | np.uint16] | None:
    """(rows, columns) or (rows, columns, channels); None where a number is missing or wrong."""
    header, found = read_pnm_header(data), _HEAD.match(data)
    if isinstance(header, str) or found is None:
        return None
    count = header.width * header.height * header.channels
    kind = np.dtype(np.uint8 if header.bits == 8 else np.uint16)
    if PNM_MAGICS[data[:2]][1]:
        flat = np.frombuffer(data, kind.newbyteorder(">"), count, found.end()).astype(kind)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)  # told where text is no number
            try:
                numbers = np.fromstring(data[found.end() :], np.int64, count, sep=" ")
            except (DeprecationWarning, ValueError):
                return None
        if len(numbers) < count or numbers.min() < 0 or numbers.max() > int(found[3]):
            return None
        flat = numbers.astype(kind)
    if header.bits == 8 and (highest := int(found[3])) < 255:
        flat = (flat.astype(np.uint16) * 255 // highest).astype(np.uint8)
    shape = (header.height, header.width, header.channels)
    return flat.reshape(shape[: 2 if header.channels == 1 else 3])
