"""The pages of a TIFF or BigTIFF file from its directories alone; nothing is decoded.

TIFF 6.0 (1992) sections 2, 8, 15 and 19; BigTIFF as libtiff has it: offsets of 8 bytes, directory
entries of 20.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from drivers.wire.image_header import (
    MAX_PAGES_BYTES,
    ImageHeader,
    Numbers,
    checked,
)

MAX_TIFF_PAGES = 16  # high, low, material, previews; more is not one scan
MAX_PIECES = 1 << 17  # strips or tiles: the largest picture in the smallest tiles of 16 x 16
MAX_TIFF_TAGS = 512  # baseline and private tags of the busiest exporter stay under 100

Order = Literal["<", ">"]
TIFF_MAGICS: Mapping[bytes, Order] = {b"II*\x00": "<", b"MM\x00*": ">"}
BIG_TIFF_MAGICS: Mapping[bytes, Order] = {b"II+\x00": "<", b"MM\x00+": ">"}

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
STRIP_OFFSETS, ORIENTATION, CHANNELS, STRIP_ROWS, STRIP_BYTES, PLANAR = 273, 274, 277, 278, 279, 284
PREDICTOR, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_BYTES = 317, 322, 323, 324, 325
SAMPLE_FORMAT = 339
_TAGS = {
    *(WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, STRIP_OFFSETS, ORIENTATION, CHANNELS),
    *(STRIP_ROWS, STRIP_BYTES, PLANAR, PREDICTOR, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS),
    *(TILE_BYTES, SAMPLE_FORMAT),
}
_TYPE_CODES = {1: "B", 3: "H", 4: "I", 16: "Q"}  # all that these tags may use

PLAIN, JPEG, ZSTD = 1, 7, 50_000
DEFLATES = (8, 32946)
COMPRESSIONS = {PLAIN: "none", 5: "LZW", JPEG: "JPEG", 8: "deflate", 32773: "PackBits"} | {
    32946: "deflate",
    ZSTD: "Zstandard",
}
_UNREAD = {2: "fax", 3: "fax", 4: "fax", 6: "old JPEG", 34712: "JPEG 2000", 34925: "LZMA"} | {
    34887: "LERC",
    50001: "WebP",
    50002: "JPEG XL",
}
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _INKS, _YCBCR = 0, 1, 2, 3, 5, 6
_NUMBERS: Mapping[int, Numbers] = {1: "unsigned", 2: "signed", 3: "float"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TiffPage:
    """One page: what it promises, and where its pieces lie."""

    header: ImageHeader
    order: Order
    tags: Mapping[int, tuple[int, ...]]

    def one(self, tag: int, default: int) -> int:
        """The first number of a tag."""
        return self.tags.get(tag, (default,))[0]


def read_tiff(data: bytes) -> list[TiffPage] | str:
    """All pages, or the reason against the file. struct.error where an offset lies past its end."""
    big = data[:4] in BIG_TIFF_MAGICS
    order = BIG_TIFF_MAGICS[data[:4]] if big else TIFF_MAGICS[data[:4]]
    links = struct.Struct(order + ("Q" if big else "I"))
    counts = struct.Struct(order + ("Q" if big else "H"))
    if big and struct.unpack_from(order + "HH", data, 4) != (8, 0):
        return "bad-header"
    (at,) = links.unpack_from(data, 8 if big else 4)
    pages: list[TiffPage] = []
    seen: set[int] = set()
    while at or not pages:
        if at in seen:
            return "bad-header: its pages go round in a circle"
        seen.add(at)
        (count,) = counts.unpack_from(data, at)
        if not 0 < count <= MAX_TIFF_TAGS:
            return "bad-header"
        tags = _tags(data, order, at + counts.size, count, big=big)
        page = _checked(tags, order, len(data))
        if isinstance(page, str):
            return page
        pages.append(page)
        together = sum(page.header.decoded_bytes for page in pages)
        if len(pages) > MAX_TIFF_PAGES or together > MAX_PAGES_BYTES:
            return f"too-large: {len(pages)} pages and {together >> 20} MB so far"
        (at,) = links.unpack_from(data, at + counts.size + (20 if big else 12) * count)
    return pages


def _tags(data: bytes, order: str, at: int, count: int, *, big: bool) -> dict[int, tuple[int, ...]]:
    """The numbers of the tags that matter; of a repeated one the first."""
    entry = struct.Struct(order + ("HHQ" if big else "HHI"))
    field = 8 if big else 4
    tags: dict[int, tuple[int, ...]] = {}
    for index in range(count):
        entry_at = at + (entry.size + field) * index
        tag, kind, length = entry.unpack_from(data, entry_at)
        if tag in tags or tag not in _TAGS or kind not in _TYPE_CODES:
            continue
        if not 1 <= length <= MAX_PIECES:
            continue
        layout = struct.Struct(f"{order}{length}{_TYPE_CODES[kind]}")
        value_at = entry_at + entry.size
        if layout.size > field:
            (value_at,) = struct.unpack_from(order + ("Q" if big else "I"), data, value_at)
        if value_at + layout.size > len(data):
            raise struct.error("past the end")
        tags[tag] = layout.unpack_from(data, value_at)
    return tags


def _checked(tags: dict[int, tuple[int, ...]], order: Order, file_bytes: int) -> TiffPage | str:
    def one(tag: int, default: int) -> int:
        return tags.get(tag, (default,))[0]

    offsets = tags.get(STRIP_OFFSETS) or tags.get(TILE_OFFSETS, ())
    sizes = tags.get(STRIP_BYTES) or tags.get(TILE_BYTES, ())
    if not offsets or len(offsets) != len(sizes) or WIDTH not in tags or HEIGHT not in tags:
        return "bad-header"
    if why := _unread(tags):
        return f"unsupported: {why}"
    compression, photometric = one(COMPRESSION, PLAIN), one(PHOTOMETRIC, _BLACK_IS_ZERO)
    header = ImageHeader(
        form="tiff",
        width=tags[WIDTH][0],
        height=tags[HEIGHT][0],
        bits=tags.get(BITS, (1,))[0],
        channels=3 if photometric == _PALETTE else one(CHANNELS, 1),
        numbers=_NUMBERS[one(SAMPLE_FORMAT, 1)],
        white_is_zero=photometric == _WHITE_IS_ZERO,
        turned=one(ORIENTATION, 1) in {5, 6, 7, 8},
    )
    found = checked(header, sum(sizes))
    if isinstance(found, str):
        return found
    if any(start + size > file_bytes for start, size in zip(offsets, sizes, strict=True)):
        return "truncated"
    stored = header.decoded_bytes // (3 if photometric == _PALETTE else 1)
    if compression == PLAIN and sum(sizes) < stored:
        return f"dimension-mismatch: {header.said} in {sum(sizes)} bytes"
    return TiffPage(header=found, order=order, tags=tags)


def _unread(tags: Mapping[int, tuple[int, ...]]) -> str:
    """What of a page nothing here can read; empty where all of it can be."""

    def one(tag: int, default: int) -> int:
        return tags.get(tag, (default,))[0]

    compression, photometric = one(COMPRESSION, PLAIN), one(PHOTOMETRIC, _BLACK_IS_ZERO)
    if compression not in COMPRESSIONS:
        name = _UNREAD.get(compression, "")
        return f"TIFF compression {compression} {name}".rstrip()
    if len(set(tags.get(BITS, (1,)))) > 1 or len(set(tags.get(SAMPLE_FORMAT, (1,)))) > 1:
        return "channels of several kinds"
    bits, numbers = one(BITS, 1), _NUMBERS.get(one(SAMPLE_FORMAT, 1))
    sizes = {"unsigned": {8, 16, 32}, "signed": {16, 32}, "float": {16, 32, 64}}
    if numbers is None or bits not in sizes[numbers]:
        return f"{bits} bits {numbers or 'of an unknown kind'}"
    inside = {_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB}
    if bits == 8 and (compression == JPEG or photometric in {_PALETTE, _INKS}):
        inside |= {_PALETTE, _INKS, _YCBCR}
    if photometric not in inside:
        return f"TIFF colours {photometric}"
    if compression == JPEG and bits != 8:
        return f"JPEG of {bits} bits in TIFF"
    return ""
