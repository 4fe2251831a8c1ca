"""The pixels of TIFF pages that OpenCV does not read, or reads wrongly.

Those are Zstandard (which Garita's own evidence uses), channels one after the other, grey with
alpha, and floating point of 16 bits. Plain, deflate and Zstandard, predictors 2 and 3, strips and
tiles: TIFF 6.0 sections 14 and 15, Adobe's Technical Note 3 for predictor 3.
"""

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from drivers.wire.tiff_headers import (
    BITS,
    CHANNELS,
    COMPRESSION,
    DEFLATES,
    HEIGHT,
    PLAIN,
    PLANAR,
    PREDICTOR,
    STRIP_BYTES,
    STRIP_OFFSETS,
    STRIP_ROWS,
    TILE_BYTES,
    TILE_HEIGHT,
    TILE_OFFSETS,
    TILE_WIDTH,
    WIDTH,
    ZSTD,
    TiffPage,
)

_SEPARATE, _DIFFERENCES, _FLOAT_DIFFERENCES = 2, 2, 3
MAX_PIECES = 16_384  # each costs 10 us
MIN_TILE_PIXELS = 1 << 20  # tiles are 256 x 256 as a rule, whatever the size of the picture
_KINDS = {"unsigned": "u", "signed": "i", "float": "f"}


def is_ours(page: TiffPage) -> bool:
    """Whether the page is to be read here and not by OpenCV."""
    separate = page.one(PLANAR, 1) == _SEPARATE and page.one(CHANNELS, 1) > 1
    half = page.header.numbers == "float" and page.one(BITS, 1) == 16
    return page.one(COMPRESSION, PLAIN) == ZSTD or page.header.channels == 2 or separate or half


def read_pixels(data: bytes, page: TiffPage) -> NDArray[Any] | None:
    """(rows, columns) or (rows, columns, channels) in the machine's order.

    None where a piece is spoilt, or packed in a way that is not read here. What a piece unpacks to
    is bounded by the size that was checked.
    """
    rows, columns, channels = page.tags[HEIGHT][0], page.tags[WIDTH][0], page.one(CHANNELS, 1)
    kind = np.dtype(f"{_KINDS[page.header.numbers]}{page.one(BITS, 1) // 8}")
    try:
        piece_rows, piece_columns, places = _grid(page, rows, columns)
    except ValueError:  # pieces of no size, or of a size that nobody has
        return None
    separate = page.one(PLANAR, 1) == _SEPARATE
    depth = 1 if separate else channels
    pieces = list(_pieces(page))
    layers = channels if separate else 1
    if len(pieces) != len(places) * layers or len(pieces) > MAX_PIECES:
        return None
    picture = np.zeros((rows, columns, channels), kind)
    for number, (start, size) in enumerate(pieces):
        top, left = places[number % len(places)]
        # A strip ends with the picture, a tile is always whole.
        held = piece_rows if TILE_OFFSETS in page.tags else min(piece_rows, rows - top)
        shape = held, piece_columns, depth
        block = _unpacked(data[start : start + size], page, kind, shape)
        if block is None:
            return None
        layer = slice(number // len(places), number // len(places) + 1) if separate else slice(None)
        target = picture[top : top + held, left : left + piece_columns, layer]
        target[...] = block[: target.shape[0], : target.shape[1]]
    return picture[:, :, 0] if channels == 1 else picture


def _grid(page: TiffPage, rows: int, columns: int) -> tuple[int, int, list[tuple[int, int]]]:
    """Rows and columns of a piece, and where each lies."""
    if TILE_OFFSETS in page.tags and STRIP_OFFSETS not in page.tags:
        down, along = page.one(TILE_HEIGHT, 0), page.one(TILE_WIDTH, 0)
    else:
        down, along = min(page.one(STRIP_ROWS, rows), rows), columns
    if down < 1 or along < 1:
        raise ValueError("pieces of no size")
    if down * along > max(4 * rows * columns, MIN_TILE_PIXELS):
        raise ValueError("a piece is much larger than the picture")
    places = [(top, left) for top in range(0, rows, down) for left in range(0, columns, along)]
    return down, along, places


def _pieces(page: TiffPage) -> Iterator[tuple[int, int]]:
    offsets = page.tags.get(STRIP_OFFSETS) or page.tags[TILE_OFFSETS]
    sizes = page.tags.get(STRIP_BYTES) or page.tags[TILE_BYTES]
    return zip(offsets, sizes, strict=True)


def _unpacked(
    packed: bytes, page: TiffPage, kind: np.dtype[Any], shape: tuple[int, int, int]
) -> NDArray[Any] | None:
    """One piece; None where it is spoilt or not of this size."""
    size = int(np.prod(shape)) * kind.itemsize
    compression, predictor = page.one(COMPRESSION, PLAIN), page.one(PREDICTOR, 1)
    try:
        if compression == ZSTD:
            # The frame's own word for its size is not trusted: no more than `size` is made.
            plain = zstandard.ZstdDecompressor().stream_reader(packed).read(size)
        elif compression in DEFLATES:
            plain = zlib.decompressobj().decompress(packed, size)
        elif compression == PLAIN:
            plain = packed[:size]
        else:
            return None
    except (zlib.error, zstandard.ZstdError):
        return None
    if len(plain) < size:
        return None
    if predictor == _FLOAT_DIFFERENCES:
        return _from_float_differences(plain[:size], kind, shape)
    block = np.frombuffer(plain, kind.newbyteorder(page.order), size // kind.itemsize)
    native = block.reshape(shape).astype(kind)
    if predictor == _DIFFERENCES:
        if kind.kind == "f":
            return None
        np.cumsum(native, axis=1, dtype=kind, out=native)
    return native


def _from_float_differences(
    plain: bytes, kind: np.dtype[Any], shape: tuple[int, int, int]
) -> NDArray[Any]:
    """Bytes of a row stand by their weight, the highest of all numbers first, as differences."""
    rows, columns, depth = shape
    planes = np.frombuffer(plain, np.uint8).reshape(rows, -1, depth).copy()
    np.cumsum(planes, axis=1, dtype=np.uint8, out=planes)
    words = planes.reshape(rows, kind.itemsize, columns * depth).transpose(0, 2, 1)
    found = np.ascontiguousarray(words).view(kind.newbyteorder(">"))
    return found.reshape(shape).astype(kind)
