"""Grey pictures of 8 or 16 bits as a TIFF of several pages, packed with Zstandard.

TIFF 6.0 (1992); compression 50000 is libtiff's Zstandard, which tifffile with imagecodecs reads
too. Rows are told as differences (predictor 2, section 14), each strip is packed by itself.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import zstandard
from numpy.typing import NDArray

Grey = NDArray[np.uint16] | NDArray[np.uint8]

ZSTD, PREDICTOR, BLACK_IS_ZERO, UNSIGNED, PER_CENTIMETRE = 50_000, 2, 1, 1, 3
SHORT, LONG, ASCII, RATIONAL = 3, 4, 2, 5
LEVEL = 1  # counts are noise in their lower bits: level 9 saves 1 % more in ten times the time
STRIP_BYTES = 1 << 18  # a reader can take a part; each has some 20 bytes of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One picture."""

    counts: Grey
    """(rows, columns)"""
    description: str
    """ASCII."""
    pitch_mm: tuple[float, float]
    """Of a pixel along and across."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A picture that is packed, and has no place in a file yet."""

    page: Page
    strips: tuple[bytes, ...]
    strip_rows: int

    @property
    def size(self) -> int:
        """Of the strips in bytes."""
        return sum(map(len, self.strips))


def packed(page: Page) -> Packed:
    """The page's strips."""
    rows, columns = page.counts.shape
    strip_rows = max(1, STRIP_BYTES // max(columns * page.counts.itemsize, 1))
    compressor = zstandard.ZstdCompressor(level=LEVEL)
    strips = tuple(
        compressor.compress(_differences(page.counts[row : row + strip_rows]).tobytes())
        for row in range(0, rows, strip_rows)
    )
    return Packed(page, strips, strip_rows)


def tiff(pages: Sequence[Packed], software: str) -> bytes:
    """The pages as one file, little-endian."""
    parts: list[bytes] = [b"II*\0\0\0\0\0"]
    at = len(parts[0])
    linked_from = 4
    links: list[tuple[int, int]] = []
    for one in pages:
        offsets = []
        for strip in one.strips:
            offsets.append(at)
            parts.append(strip)
            at += len(strip)
        if at % 2:
            parts.append(b"\0")
            at += 1
        links.append((linked_from, at))
        tags = _tags(one, offsets, software)
        directory = _directory(tags, at)
        linked_from = at + 2 + 12 * len(tags)
        parts.append(directory)
        at += len(directory)
    whole = bytearray(b"".join(parts))
    for place, target in links:
        struct.pack_into("<I", whole, place, target)
    return bytes(whole)


def _differences(counts: Grey) -> Grey:
    """Each row's first pixel, then what each adds to the one before it, modulo the word."""
    found = np.empty(counts.shape, counts.dtype.newbyteorder("<"))
    found[:, :1] = counts[:, :1]
    np.subtract(counts[:, 1:], counts[:, :-1], out=found[:, 1:])
    return found


Tags = Mapping[int, tuple[int, int, bytes]]


def _tags(one: Packed, offsets: Sequence[int], software: str) -> Tags:
    """Number to type, count and value, in the order of their numbers."""
    page = one.page
    rows, columns = page.counts.shape
    along_mm, across_mm = page.pitch_mm

    def short(value: int) -> tuple[int, int, bytes]:
        return SHORT, 1, struct.pack("<H", value)

    def long(*values: int) -> tuple[int, int, bytes]:
        return LONG, len(values), struct.pack(f"<{len(values)}I", *values)

    def text(value: str) -> tuple[int, int, bytes]:
        data = value.encode("ascii") + b"\0"
        return ASCII, len(data), data

    def per_cm(pitch_mm: float) -> tuple[int, int, bytes]:
        return RATIONAL, 1, struct.pack("<II", 10_000_000, max(round(pitch_mm * 1_000_000), 1))

    return {
        254: long(0),
        256: long(columns),
        257: long(rows),
        258: short(8 * page.counts.itemsize),
        259: short(ZSTD),
        262: short(BLACK_IS_ZERO),
        270: text(page.description),
        273: long(*offsets),
        277: short(1),
        278: long(one.strip_rows),
        279: long(*map(len, one.strips)),
        282: per_cm(along_mm),
        283: per_cm(across_mm),
        284: short(1),
        296: short(PER_CENTIMETRE),
        305: text(software),
        317: short(PREDICTOR),
        339: short(UNSIGNED),
    }


def _directory(tags: Tags, at: int) -> bytes:
    """The directory that begins at `at`, the values that do not fit into it behind it."""
    entries, values = [], b""
    behind = at + 2 + 12 * len(tags) + 4
    for number, (kind, count, value) in tags.items():
        if len(value) <= 4:
            told = value.ljust(4, b"\0")
        else:
            told = struct.pack("<I", behind + len(values))
            values += value + b"\0" * (len(value) % 2)
        entries.append(struct.pack("<HHI", number, kind, count) + told)
    return struct.pack("<H", len(tags)) + b"".join(entries) + b"\0\0\0\0" + values
