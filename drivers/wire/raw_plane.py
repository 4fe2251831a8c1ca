"""Picture planes without a format of their own: a short header, then pixels.

Where the numbers lie differs by maker, so the layout is declared. What the file's length says is
held against it before anything is allocated.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from drivers.wire.image_headers import MAX_PIXELS, MAX_SIDE_PIXELS, form_of
from drivers.wire.malformed import Malformed, malformed


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLayout:
    """Where a plane's size stands, and how its pixels lie."""

    header_bytes: int = 0
    """Before the first pixel."""
    width: int = 0
    """Pixels along the vehicle; 0: `width_at` says where the header has it."""
    height: int = 0
    """Pixels up and down; 0: `height_at`, or as many as the file holds."""
    bits: int = 16
    """Of a pixel: 8 or 16, where the header does not say."""
    width_at: int | None = None
    """Offset in the header."""
    height_at: int | None = None
    bits_at: int | None = None
    field_bytes: int = 4
    """Of each of these numbers, 1 to 8."""
    order: Literal["little", "big"] = "little"
    """Byte order of header and pixels."""
    column_major: bool = False
    """Line after line of the scanner, that is columns of the picture, and not row after row."""

    @property
    def is_declared(self) -> bool:
        """Whether there is anything in it by which a plane could be read."""
        return bool(self.width or self.height) or not (self.width_at is self.height_at is None)

    def fault(self) -> str:
        """What is wrong with the declaration, or an empty string."""
        places = (self.width_at, self.height_at, self.bits_at)
        beyond = max((at + self.field_bytes for at in places if at is not None), default=0)
        if beyond > self.header_bytes:
            return f"a number ends at byte {beyond}, beyond the header of {self.header_bytes}"
        return ""

    @property
    def said(self) -> str:
        """In words; `?` stands for what the header or the file's length tells."""
        size = f"{self.width or '?'} x {self.height or '?'}"
        bits = self.bits if self.bits_at is None else "?"
        return f"{size} of {bits} bits behind {self.header_bytes} bytes"

    @property
    def tells_size(self) -> bool:
        """Whether a file that is cut short can be told from a shorter one."""
        return bool(self.width or self.width_at is not None) and bool(
            self.height or self.height_at is not None
        )


def is_raw(data: bytes, layout: RawLayout | None) -> bool:
    """Whether a plane is to be read as declared, and not as a picture of a form of its own.

    Two bytes say that a file is a PGM or BMP, and pixels may well begin with them: where the length
    is as declared, that counts.
    """
    if layout is None:
        return False
    form = form_of(data)
    return not form or (form in {"pnm", "bmp"} and not isinstance(raw_size(data, layout), str))


def read_raw(data: bytes, layout: RawLayout) -> NDArray[np.uint8 | np.uint16] | Malformed:
    """(rows, columns) in the machine's order, of 8 or 16 bits.

    Malformed reasons: `truncated`, `dimension-mismatch` (more bytes than pixels), `bad-header` (a
    size of none), `too-large`, `unsupported` (another depth than 8 or 16).
    """
    size = raw_size(data, layout)
    if isinstance(size, str):
        return malformed(size, data)
    width, height, bits = size
    mark = "<" if layout.order == "little" else ">"
    flat = np.frombuffer(data, f"{mark}u{bits // 8}", offset=layout.header_bytes)
    native = np.dtype(np.uint8 if bits == 8 else np.uint16)
    if layout.column_major:
        return np.ascontiguousarray(flat.reshape(width, height).T, native)
    return np.ascontiguousarray(flat.reshape(height, width), native)


def raw_size(data: bytes, layout: RawLayout) -> tuple[int, int, int] | str:
    """(width, height, bits) that a file says and holds, or the reason against it."""

    def number(at: int | None, fixed: int) -> int:
        if at is None:
            return fixed
        return int.from_bytes(data[at : at + layout.field_bytes], layout.order)

    bits = number(layout.bits_at, layout.bits)
    width, height = number(layout.width_at, layout.width), number(layout.height_at, layout.height)
    if len(data) < layout.header_bytes:
        return "truncated"
    if bits not in {8, 16}:
        return "unsupported"
    pixels, odd = divmod(len(data) - layout.header_bytes, bits // 8)
    if not layout.tells_size:
        # One side is declared: the other is what the file holds, and that must be whole lines.
        other, odd_pixels = divmod(pixels, max(width, height, 1))
        width, height, odd = width or other, height or other, odd + odd_pixels
    if width < 1 or height < 1:
        return "bad-header"
    return _fault(width, height, pixels, odd) or (width, height, bits)


def _fault(width: int, height: int, pixels: int, odd: int) -> str:
    if max(width, height) > MAX_SIDE_PIXELS or width * height > MAX_PIXELS:
        return "too-large"
    if pixels < width * height:
        return "truncated"
    return "dimension-mismatch" if pixels > width * height or odd else ""
