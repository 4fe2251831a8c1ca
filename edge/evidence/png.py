"""A picture of few colours as PNG, the same bytes on every machine.

cv2 and zlib pack differently with every version, and the digest of the file is in the alert.
"""

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.evidence.png_codes import deflate_coded
from fusion.kernels.png import deflate_runs, filtered_rows
from fusion.kernels.png_codes import sub_filtered

SIGNATURE = b"\x89PNG\r\n\x1a\n"
FEW, MANY = 4, 8
"""Bits of a pixel."""
SUB = 1  # each byte less the one before it: noise of a step or two becomes a few small numbers
UP = 2  # each byte less the one above it: what goes on downwards becomes zeros

Colour = tuple[int, int, int]


def encode(pixels: NDArray[np.uint8], palette: Sequence[Colour]) -> bytes:
    """A PNG of (rows, columns) indices into at most 256 colours. ValueError otherwise.

    Up to sixteen colours take half a byte, and need an even number of columns.
    PNG, third edition, sections 9.2 (filters) and 11.2 (chunks).
    """
    rows, columns = pixels.shape
    bits = FEW if len(palette) <= 1 << FEW else MANY
    if len(palette) > 1 << MANY or int(pixels.max(initial=0)) >= len(palette):
        raise ValueError(f"more colours than the palette's {len(palette)}")
    if bits == FEW and columns % 2:
        raise ValueError("sixteen colours need an even number of columns")
    raw = (filtered_rows(pixels, UP) if bits == FEW else sub_filtered(pixels, SUB)).ravel()
    packed = deflate_runs(raw).tobytes() if bits == FEW else deflate_coded(raw)
    check = struct.pack(">I", zlib.adler32(raw.data))
    # The two bytes of RFC 1950: deflate with a window of 256 bytes, fastest.
    stream = b"\x08\x1d" + packed + check
    header = struct.pack(">IIBBBBB", columns, rows, bits, 3, 0, 0, 0)
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
