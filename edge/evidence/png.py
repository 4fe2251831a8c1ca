"""A picture of sixteen colours as PNG, the same bytes on every machine.

cv2 and zlib pack differently with every version, and the digest of the file is in the alert.
"""

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.png import deflate_runs, filtered_rows

SIGNATURE = b"\x89PNG\r\n\x1a\n"
BITS = 4
UP = 2  # each byte less the one above it: what goes on downwards becomes zeros

Colour = tuple[int, int, int]


def encode(pixels: NDArray[np.uint8], palette: Sequence[Colour]) -> bytes:
    """A PNG of (rows, columns) indices into at most sixteen colours. ValueError otherwise.

    PNG, third edition, sections 9.2 (filters) and 11.2 (chunks).
    """
    rows, columns = pixels.shape
    if columns % 2 or len(palette) > 1 << BITS or int(pixels.max(initial=0)) >= len(palette):
        raise ValueError("an even number of columns, and at most sixteen colours")
    raw = filtered_rows(pixels, UP).ravel()
    # The two bytes of RFC 1950: deflate with a window of 256 bytes, fastest.
    check = struct.pack(">I", zlib.adler32(raw.data))
    stream = b"\x08\x1d" + deflate_runs(raw).tobytes() + check
    header = struct.pack(">IIBBBBB", columns, rows, BITS, 3, 0, 0, 0)
    colours = b"".join(bytes(colour) for colour in palette)
    return SIGNATURE + b"".join(
        _chunk(kind, data)
        for kind, data in (
            (b"IHDR", header),
            (b"PLTE", colours),
            (b"IDAT", stream),
            (b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
