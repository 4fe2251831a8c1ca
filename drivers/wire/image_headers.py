"""Size, depth and channels of a picture of any form from its header alone.

Nothing is decoded and nothing is allocated for the picture, so that a lying header is
refused before it costs memory. PNG (ISO 15948) sections 5 and 11; JPEG (ITU T.81) annex B with
the orientation of EXIF 2.3; BMP (BITMAPINFOHEADER); WebP (RFC 9649). TIFF: `tiff_headers`.
"""

import struct
import zlib

from drivers.wire.image_header import (
    MAX_PIXELS,
    MAX_RATIO,
    MAX_SIDE_PIXELS,
    ImageHeader,
    checked,
)
from drivers.wire.malformed import TEXT_BYTES, Malformed
from drivers.wire.pnm import PNM_MAGICS, read_pnm_header
from drivers.wire.tiff_headers import BIG_TIFF_MAGICS, TIFF_MAGICS, read_tiff

__all__ = ["MAX_PIXELS", "MAX_RATIO", "MAX_SIDE_PIXELS", "ImageHeader", "read_header"]

MAX_PNG_CHUNKS = 65_536  # writers cut the data in 8 KiB pieces: 64 MB has 8,192
MAX_JPEG_SEGMENTS = 512  # an ICC profile has at most 255 segments
MAX_JPEG_SCANS = 24  # a progressive picture has some 10; each costs a walk over all of it

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"
_BMP_BITS_AT = 28

OTHERS = (
    (0, b"GIF8", "a GIF picture"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (4, b"ftyp", "an AVIF, HEIC or video file"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
)
"""What is told of other forms: (offset, first bytes, name)."""


def form_of(head: bytes) -> str:
    """`"tiff"`, `"png"`, `"jpeg"`, `"bmp"`, `"webp"`, `"pnm"`, or an empty string where the first
    bytes are of none of them."""
    if head[:4] in TIFF_MAGICS or head[:4] in BIG_TIFF_MAGICS:
        return "tiff"
    if head.startswith(PNG_MAGIC):
        return "png"
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return "bmp"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:2] in PNM_MAGICS and head[2:3].isspace():
        return "pnm"
    return "jpeg" if head.startswith(JPEG_MAGIC) else ""


def other_form(head: bytes) -> str:
    """What a file is that is no picture of these; empty where nobody knows."""
    for at, magic, name in OTHERS:
        if head[at : at + len(magic)] == magic:
            return name
    return ""


def read_header(data: bytes) -> ImageHeader | Malformed:
    """Read and check a whole file's header, of its first page.

    Malformed reasons, their text says why: `bad-header`, `truncated`, `unsupported`, `too-large`,
    `dimension-mismatch` (more pixels than the file's bytes can hold), `bad-checksum` (PNG).
    """
    found = read_pages(data)
    return found if isinstance(found, Malformed) else found[0]


def read_pages(data: bytes) -> list[ImageHeader] | Malformed:
    """Read and check the headers of all pages of a TIFF file, reasons as of `read_header`.

    Together they may take no more than two planes of `MAX_PIXELS`. Other forms have one page.
    """
    form = form_of(data)
    readers = {"png": _png, "jpeg": _jpeg, "bmp": _bmp, "webp": _webp, "pnm": read_pnm_header}
    found: list[ImageHeader] | ImageHeader | str
    try:
        if form == "tiff":
            pages = read_tiff(data)
            found = pages if isinstance(pages, str) else [page.header for page in pages]
        elif form:
            found = readers[form](data)
        else:
            other = other_form(data)
            found = f"unsupported: {other}" if other else "bad-header" if data else "truncated"
    except (struct.error, IndexError, OverflowError):
        # The readers walk offsets that the file gives: past its end there is nothing.
        found = "truncated"
    if isinstance(found, str):
        reason, _, why = found.partition(": ")
        return Malformed(reason, why[:TEXT_BYTES])
    return found if isinstance(found, list) else [found]


# --- PNG -------------------------------------------------------------------------------

_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}  # grey, colour, palette, each with alpha
_PNG_PALETTE = 3


def _png(data: bytes) -> ImageHeader | str:
    length, name = struct.unpack_from(">I4s", data, 8)
    if length != 13 or name != b"IHDR":
        return "bad-header"
    width, height, bits, colour, _, _, _ = struct.unpack_from(">IIBBBBB", data, 16)
    (crc,) = struct.unpack_from(">I", data, 29)
    if zlib.crc32(data[12:29]) != crc:
        return "bad-header"
    if colour not in _PNG_CHANNELS:
        return f"unsupported: PNG of kind {colour}"
    if bits == 1 and colour != _PNG_PALETTE:
        return "unsupported: 1 bit a pixel"
    packed = _png_data_bytes(data)
    if isinstance(packed, str):
        return packed
    return checked(
        ImageHeader(
            form="png",
            width=width,
            height=height,
            bits=max(bits, 8),
            channels=_PNG_CHANNELS[colour],
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
_SOS, _EOI, _APP1 = 0xDA, 0xD9, 0xE1


def _jpeg(data: bytes) -> ImageHeader | str:
    header: ImageHeader | None = None
    turned = False
    at = 2
    for _ in range(MAX_JPEG_SEGMENTS):
        while data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1  # fill bytes
        marker = data[at + 1]
        if data[at] != 0xFF or marker in _OTHER_SOF or marker == _EOI:
            return (
                "unsupported: lossless or arithmetic JPEG" if marker in _OTHER_SOF else "bad-header"
            )
        at += 2
        if marker in _ALONE:
            continue
        (length,) = struct.unpack_from(">H", data, at)
        if length < 2:
            break
        if marker in _SOF:
            bits, height, width, channels = struct.unpack_from(">BHHB", data, at + 2)
            if bits != 8:
                return f"unsupported: JPEG of {bits} bits"
            header = ImageHeader(
                form="jpeg", width=width, height=height, bits=8, channels=channels, turned=turned
            )
        if marker == _APP1 and header is None:
            turned |= _exif_turns(data[at + 2 : at + length])
        at += length
        if marker == _SOS:
            if header is None:
                return "bad-header"
            if data.count(b"\xff\xda", at) >= MAX_JPEG_SCANS:
                return "too-large: a JPEG of very many scans"
            # A cut file has no end marker; some writers pad behind it.
            return checked(header, len(data)) if data.rfind(b"\xff\xd9") >= at else "truncated"
    return "bad-header"


def _exif_turns(segment: bytes) -> bool:
    """Whether an EXIF segment says that rows are columns. It is a small TIFF file of its own."""
    body = segment.removeprefix(b"Exif\0\0")
    order = TIFF_MAGICS.get(body[:4])
    if order is None or len(body) == len(segment):
        return False
    try:
        (at,) = struct.unpack_from(order + "I", body, 4)
        (count,) = struct.unpack_from(order + "H", body, at)
        for index in range(count):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", body, at + 2 + 12 * index)
            if (tag, kind) == (274, 3):
                return value in {5, 6, 7, 8}
    except struct.error:
        return False
    return False


# --- BMP, WebP -------------------------------------------------------------------------


def _bmp(data: bytes) -> ImageHeader | str:
    pixels_at, size, width, height = struct.unpack_from("<IIii", data, 10)
    bits, packed = struct.unpack_from("<HI", data, _BMP_BITS_AT)
    if size < 40 or packed not in {0, 3}:
        return f"unsupported: BMP of kind {size}, packing {packed}"
    if bits not in {8, 24, 32}:
        return f"unsupported: BMP of {bits} bits"
    header = ImageHeader(
        form="bmp", width=width, height=abs(height), bits=8, channels=1 if bits == 8 else bits // 8
    )
    found = checked(header, len(data))
    row_bytes = -(-width * bits // 32) * 4
    if isinstance(found, ImageHeader) and pixels_at + row_bytes * header.height > len(data):
        return "truncated"
    return found


def _webp(data: bytes) -> ImageHeader | str:
    (size,) = struct.unpack_from("<I", data, 4)
    if size + 8 > len(data):
        return "truncated"
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
        if data[20] & 2:
            return "unsupported: WebP that moves"
    elif kind == b"VP8L":
        (packed,) = struct.unpack_from("<I", data, 21)
        width, height = 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        return "bad-header"
    # A flat picture packs without any limit to speak of: only its size bounds it.
    pixels = width * height * 3
    return checked(ImageHeader(form="webp", width=width, height=height, bits=8, channels=3), pixels)
