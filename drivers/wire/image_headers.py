"""Size, depth and channels of TIFF, PNG and JPEG pictures from their headers alone.

Nothing is decoded and nothing is allocated for the picture, so that a lying header is
refused before it costs memory. TIFF 6.0 (1992) sections 2 and 8; PNG (ISO 15948) sections 5
and 11; JPEG (ITU T.81) annex B.
"""

import struct
import zlib
from dataclasses import dataclass

from drivers.wire.malformed import Malformed, malformed

MAX_SIDE_PIXELS = 16_384  # 80 m at 5 mm: the longest road train leaves room
MAX_PIXELS = 32 << 20  # the tallest scanner (1400 rows) times the longest side; 64 MB a plane
MAX_PAGES_BYTES = 2 * 2 * MAX_PIXELS  # of all pages of one file together
MAX_RATIO = 2048  # deflate ends at 1032, LZW at 1340, flat JPEG at some 400 to one; more lies
MAX_TIFF_PAGES = 16  # high, low, material, previews; more is not one scan
MAX_TIFF_TAGS = 512  # baseline and private tags of the busiest exporter stay under 100
MAX_PNG_CHUNKS = 65_536  # writers cut the data in 8 KiB pieces: 64 MB has 8,192
MAX_JPEG_SEGMENTS = 512  # an ICC profile has at most 255 segments

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"
TIFF_MAGICS = {b"II*\x00": "<", b"MM\x00*": ">"}
BIG_TIFF_MAGICS = (b"II+\x00", b"MM\x00+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHeader:
    """What a picture's header promises, checked against the bytes that are there."""

    form: str
    """`"tiff"`, `"png"` or `"jpeg"`."""
    width: int
    height: int
    bits: int
    """Of one channel: 8 or 16."""
    channels: int
    """1 grey, 3 colour, 4 colour with alpha."""

    @property
    def decoded_bytes(self) -> int:
        """What the decoded picture takes."""
        return self.width * self.height * self.channels * self.bits // 8


def form_of(head: bytes) -> str:
    """`"tiff"`, `"png"`, `"jpeg"`, or an empty string where the first bytes are of neither."""
    if head[:4] in TIFF_MAGICS:
        return "tiff"
    if head.startswith(PNG_MAGIC):
        return "png"
    return "jpeg" if head.startswith(JPEG_MAGIC) else ""


def read_header(data: bytes) -> ImageHeader | Malformed:
    """Read and check a whole file's header.

    Malformed reasons: `bad-header`, `truncated`, `unsupported`, `too-large`,
    `dimension-mismatch` (more pixels than the file's bytes can hold), `bad-checksum` (PNG).
    """
    readers = {"tiff": _tiff, "png": _png, "jpeg": _jpeg}
    if data[:4] in BIG_TIFF_MAGICS:
        return malformed("unsupported", data)
    reader = readers.get(form_of(data))
    if reader is None:
        return malformed("bad-header" if data else "truncated", data)
    try:
        result = reader(data)
    except (struct.error, IndexError):
        # The readers walk offsets that the file gives: past its end there is nothing.
        return malformed("truncated", data)
    return malformed(result, data) if isinstance(result, str) else result


def read_pages(data: bytes) -> list[ImageHeader] | Malformed:
    """Read and check the headers of all pages of a TIFF file, reasons as of `read_header`.

    Together they may take no more than two planes of `MAX_PIXELS`. Other forms have one page.
    """
    if form_of(data) != "tiff":
        found = read_header(data)
        return found if isinstance(found, Malformed) else [found]
    try:
        pages = _tiff_pages(data, TIFF_MAGICS[data[:4]])
    except (struct.error, IndexError):
        return malformed("truncated", data)
    return malformed(pages, data) if isinstance(pages, str) else pages


def _tiff_pages(data: bytes, order: str) -> list[ImageHeader] | str:
    pages: list[ImageHeader] = []
    seen: set[int] = set()
    (at,) = struct.unpack_from(order + "I", data, 4)
    while at or not pages:
        if at in seen:
            return "bad-header"  # the chain of pages bites its own tail
        seen.add(at)
        page = _tiff_page(data, order, at)
        if isinstance(page, str):
            return page
        pages.append(page)
        together = sum(page.decoded_bytes for page in pages)
        if len(pages) > MAX_TIFF_PAGES or together > MAX_PAGES_BYTES:
            return "too-large"
        (count,) = struct.unpack_from(order + "H", data, at)
        (at,) = struct.unpack_from(order + "I", data, at + 2 + 12 * count)
    return pages


def _checked(header: ImageHeader, pixel_bytes: int) -> ImageHeader | str:
    """The header, or the reason against it; `pixel_bytes` are the file's own."""
    if header.width < 1 or header.height < 1:
        return "bad-header"
    if max(header.width, header.height) > MAX_SIDE_PIXELS:
        return "too-large"
    if header.width * header.height > MAX_PIXELS:
        return "too-large"
    if header.bits not in {8, 16} or header.channels not in {1, 3, 4}:
        return "unsupported"
    if header.decoded_bytes > MAX_RATIO * pixel_bytes:
        return "dimension-mismatch"
    return header


# --- TIFF ------------------------------------------------------------------------------

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIP_OFFSETS, _CHANNELS, _STRIP_BYTES, _PLANAR = 273, 277, 279, 284
_TILE_OFFSETS, _TILE_BYTES, _SAMPLE_FORMAT = 324, 325, 339
_TYPE_CODES = {1: "B", 3: "H", 4: "I"}  # BYTE, SHORT, LONG: all that these tags may use
_NO_COMPRESSION = 1
_COMPRESSIONS = {_NO_COMPRESSION, 5, 8, 32773, 32946}  # none, LZW, deflate, PackBits, deflate


def _tiff(data: bytes) -> ImageHeader | str:
    order = TIFF_MAGICS[data[:4]]
    (at,) = struct.unpack_from(order + "I", data, 4)
    return _tiff_page(data, order, at)


def _tiff_page(data: bytes, order: str, at: int) -> ImageHeader | str:
    (count,) = struct.unpack_from(order + "H", data, at)
    if not 0 < count <= MAX_TIFF_TAGS:
        return "bad-header"
    tags: dict[int, tuple[int, ...]] = {}
    for index in range(count):
        tag, kind, length = struct.unpack_from(order + "HHI", data, at + 2 + 12 * index)
        if tag in tags or kind not in _TYPE_CODES or length < 1:
            continue  # not one of ours, or a repeat, of which the first counts
        if length > MAX_SIDE_PIXELS:  # more strips or tiles than the tallest picture has rows
            continue
        value_at = at + 2 + 12 * index + 8
        layout = struct.Struct(f"{order}{length}{_TYPE_CODES[kind]}")
        if layout.size > 4:
            (value_at,) = struct.unpack_from(order + "I", data, value_at)
        if tag in _TIFF_TAGS:
            tags[tag] = layout.unpack_from(data, value_at)
    return _tiff_checked(tags, len(data))


_TIFF_TAGS = {
    *(_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _STRIP_OFFSETS, _CHANNELS),
    *(_STRIP_BYTES, _PLANAR, _TILE_OFFSETS, _TILE_BYTES, _SAMPLE_FORMAT),
}


def _tiff_checked(tags: dict[int, tuple[int, ...]], file_bytes: int) -> ImageHeader | str:
    def one(tag: int, default: int) -> int:
        return tags.get(tag, (default,))[0]

    offsets = tags.get(_STRIP_OFFSETS) or tags.get(_TILE_OFFSETS, ())
    sizes = tags.get(_STRIP_BYTES) or tags.get(_TILE_BYTES, ())
    if not offsets or len(offsets) != len(sizes) or _WIDTH not in tags or _HEIGHT not in tags:
        return "bad-header"
    bits = tags.get(_BITS, (1,))
    compression = one(_COMPRESSION, _NO_COMPRESSION)
    plain = one(_SAMPLE_FORMAT, 1) == 1 and one(_PLANAR, 1) == 1 and len(set(bits)) == 1
    if not plain or compression not in _COMPRESSIONS or one(_PHOTOMETRIC, 1) not in {1, 2}:
        return "unsupported"
    header = ImageHeader(
        form="tiff",
        width=tags[_WIDTH][0],
        height=tags[_HEIGHT][0],
        bits=bits[0],
        channels=one(_CHANNELS, 1),
    )
    checked = _checked(header, sum(sizes))
    if isinstance(checked, str):
        return checked
    if any(start + size > file_bytes for start, size in zip(offsets, sizes, strict=True)):
        return "truncated"
    if compression == _NO_COMPRESSION and sum(sizes) < header.decoded_bytes:
        return "dimension-mismatch"
    return checked


# --- PNG -------------------------------------------------------------------------------

_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 6: 4}  # grey, colour, a palette of colours, with alpha


def _png(data: bytes) -> ImageHeader | str:
    length, name = struct.unpack_from(">I4s", data, 8)
    if length != 13 or name != b"IHDR":
        return "bad-header"
    width, height, bits, colour, _, _, _ = struct.unpack_from(">IIBBBBB", data, 16)
    (crc,) = struct.unpack_from(">I", data, 29)
    if zlib.crc32(data[12:29]) != crc:
        return "bad-header"
    if colour not in _PNG_CHANNELS:
        return "unsupported"
    packed = _png_data_bytes(data)
    if isinstance(packed, str):
        return packed
    return _checked(
        ImageHeader(
            form="png", width=width, height=height, bits=bits, channels=_PNG_CHANNELS[colour]
        ),
        packed,
    )


def _png_data_bytes(data: bytes) -> int | str:
    """How many bytes of packed pixels the chunks behind the header hold."""
    at, packed = 33, 0
    for _ in range(MAX_PNG_CHUNKS):
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            return "truncated"
        (crc,) = struct.unpack_from(">I", data, end - 4)
        # A decoder goes on after a spoilt chunk, and the rest of the picture is wrong.
        if zlib.crc32(memoryview(data)[at + 4 : end - 4]) != crc:
            return "bad-checksum"
        at = end
        packed += length if name == b"IDAT" else 0
        if name == b"IEND":
            return packed
    return "bad-header"


# --- JPEG ------------------------------------------------------------------------------

_SOF = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive; the others are rare or lossless
_OTHER_SOF = {0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)}
_ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
_SOS, _EOI = 0xDA, 0xD9


def _jpeg(data: bytes) -> ImageHeader | str:
    header: ImageHeader | None = None
    at = 2
    for _ in range(MAX_JPEG_SEGMENTS):
        while data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1  # fill bytes
        marker = data[at + 1]
        if data[at] != 0xFF or marker in _OTHER_SOF or marker == _EOI:
            return "unsupported" if marker in _OTHER_SOF else "bad-header"
        at += 2
        if marker in _ALONE:
            continue
        (length,) = struct.unpack_from(">H", data, at)
        if length < 2:
            return "bad-header"
        if marker in _SOF:
            bits, height, width, channels = struct.unpack_from(">BHHB", data, at + 2)
            header = ImageHeader(
                form="jpeg", width=width, height=height, bits=bits, channels=channels
            )
        at += length
        if marker == _SOS:
            if header is None:
                return "bad-header"
            # A cut file has no end marker; some writers pad behind it.
            return _checked(header, len(data)) if data.rfind(b"\xff\xd9") >= at else "truncated"
    return "bad-header"
