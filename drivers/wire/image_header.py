"""What any picture's header promises, and the limits that it is held to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

MAX_SIDE_PIXELS = 16_384  # 80 m at 5 mm: the longest road train leaves room
MAX_PIXELS = 32 << 20  # the tallest scanner (1400 rows) times the longest side; 64 MB a plane
MAX_PAGES_BYTES = 2 * 2 * MAX_PIXELS  # of all pages of one file together
MAX_RATIO = 2048  # deflate ends at 1032, LZW at 1340, flat JPEG at some 400 to one; more lies

_COLOURS = ("no colour", "grey", "grey with alpha", "colour", "colour with alpha or inks")
Numbers = Literal["unsigned", "signed", "float"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHeader:
    """What a picture's header promises, checked against the bytes that are there."""

    form: str
    """`"tiff"`, `"png"`, `"jpeg"`, `"bmp"`, `"webp"` or `"pnm"`."""
    width: int
    height: int
    bits: int
    """Of one channel, decoded: 8, 16, 32 or 64."""
    channels: int
    """1 grey, 2 grey with alpha, 3 colour, 4 colour with alpha or four inks."""
    numbers: Numbers = "unsigned"
    white_is_zero: bool = False
    """Of a grey TIFF: the higher the number, the darker."""
    turned: bool = False
    """Rows and columns change places when it is shown as its EXIF or TIFF tag says."""

    @property
    def decoded_bytes(self) -> int:
        """What the decoded picture takes."""
        return self.width * self.height * self.channels * self.bits // 8

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the picture as it is shown."""
        return (self.width, self.height) if self.turned else (self.height, self.width)

    @property
    def said(self) -> str:
        """In words."""
        kind = "" if self.numbers == "unsigned" else f" {self.numbers}"
        colours = _COLOURS[min(self.channels, 4)]
        return f"{self.width} x {self.height}, {self.bits} bits{kind}, {colours}"


def checked(header: ImageHeader, pixel_bytes: int) -> ImageHeader | str:
    """The header, or the reason against it; `pixel_bytes` are the file's own."""
    if header.width < 1 or header.height < 1:
        return "bad-header"
    large = max(header.width, header.height) > MAX_SIDE_PIXELS
    if large or header.width * header.height > MAX_PIXELS:
        return f"too-large: {header.width} x {header.height} pixels"
    if header.decoded_bytes > MAX_PAGES_BYTES:
        return f"too-large: {header.said}"
    if header.bits not in {8, 16, 32, 64} or header.channels not in {1, 2, 3, 4}:
        return f"unsupported: {header.said}"
    if header.decoded_bytes > MAX_RATIO * pixel_bytes:
        return f"dimension-mismatch: {header.said} in {pixel_bytes} bytes"
    return header


def whole_pages(pages: Sequence[ImageHeader]) -> list[int]:
    """Which pages of a file are no previews: those are much smaller, wherever they stand."""
    wide, high = max(page.width for page in pages), max(page.height for page in pages)
    return [
        number
        for number, page in enumerate(pages)
        if 4 * page.width > 3 * wide or 4 * page.height > 3 * high
    ]
