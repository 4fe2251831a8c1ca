"""A sheet of pixels in sixteen colours, and what can be drawn on it: whole numbers only.

Nothing is smoothed, so a picture is the same on every machine. Places are (x, y) from the upper
left corner; a box holds its first pixel and not its last.
"""

from functools import cache, lru_cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from edge.evidence.png import Colour, encode
from fusion.kernels.canvas import draw_columns, draw_steps

WHITE, BLACK, GREY, LIGHT, PALE, BLUE, SKY, RED, ORANGE, SAND, GREEN, PURPLE = range(12)
PALETTE: tuple[Colour, ...] = (
    (255, 255, 255),
    (0, 0, 0),
    (110, 110, 110),
    (190, 190, 190),
    (232, 232, 232),
    # Okabe & Ito, told apart by the colour-blind: jfly.uni-koeln.de/color
    (0, 114, 178),
    (86, 180, 233),
    (200, 60, 0),
    (230, 159, 0),
    (252, 226, 170),
    (0, 158, 115),
    (150, 60, 120),
)
CREAM, AMBER, RUST, MAROON = range(12, 16)
WAVE_PALETTE: tuple[Colour, ...] = (
    *PALETTE,
    (254, 242, 208),
    (236, 186, 70),
    (160, 35, 15),
    (90, 15, 25),
)
"""The same, with what a spectrogram needs beside."""
HEAT = (WHITE, CREAM, SAND, AMBER, ORANGE, RED, RUST, MAROON, BLACK)
"""From quiet to loud, each darker than the one before."""
SMALL, BOLD = "small", "bold"
UNKNOWN = "?"

Glyphs = dict[str, NDArray[np.bool_]]


@cache
def glyphs(font: str) -> Glyphs:
    """The letters of a font, (rows, columns) each, all of one size."""
    text = resources.files(__package__).joinpath(f"glyphs-{font}.txt").read_text("utf-8")
    found: Glyphs = {}
    width = {SMALL: 8, BOLD: 9}[font]
    for line in text.splitlines():
        if not line.startswith("#"):
            code, *rows = line.split()
            bits = [[int(row, 16) >> (width - 1 - x) & 1 for x in range(width)] for row in rows]
            found[chr(int(code, 16))] = np.array(bits, np.bool_)
    return found


def text_size(text: str, font: str = SMALL) -> tuple[int, int]:
    """Width and height of a line of text in pixels."""
    rows, columns = glyphs(font)[UNKNOWN].shape
    return columns * len(text), rows


def shortened(text: str, width: int, font: str = SMALL) -> str:
    """The text, cut with an ellipsis where it would be wider."""
    most = width // text_size("x", font)[0]
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


@lru_cache(maxsize=512)
def _dots(text: str, font: str) -> NDArray[np.bool_] | None:
    """(rows, columns) of a line; None of nothing. Legends and numbers of axes come again."""
    letters = glyphs(font)
    known = [letters.get(letter, letters[UNKNOWN]) for letter in text]
    return np.concatenate(known, axis=1) if known else None


@lru_cache(maxsize=64)
def _dashes(length: int, on: int, off: int) -> NDArray[np.bool_]:
    return np.arange(length) % (on + off) < on


class Canvas:
    """A white sheet."""

    def __init__(self, width: int, height: int, palette: tuple[Colour, ...] = PALETTE) -> None:
        self.width, self.height = width, height
        self._palette = palette
        self.pixels = np.zeros((height, width), np.uint8)

    def png(self) -> bytes:
        """The sheet as a file."""
        return encode(self.pixels, self._palette)

    def fill(self, x: int, y: int, to_x: int, to_y: int, colour: int) -> None:
        """A box; what lies outside of the sheet is not drawn."""
        self.pixels[max(y, 0) : max(to_y, 0), max(x, 0) : max(to_x, 0)] = colour

    def frame(self, x: int, y: int, to_x: int, to_y: int, colour: int) -> None:
        """The edge of a box, one pixel wide."""
        self.fill(x, y, to_x, y + 1, colour)
        self.fill(x, to_y - 1, to_x, to_y, colour)
        self.fill(x, y, x + 1, to_y, colour)
        self.fill(to_x - 1, y, to_x, to_y, colour)

    def dashes(
        self,
        x: int,
        y: int,
        length: int,
        colour: int,
        *,
        down: bool = False,
        on: int = 5,
        off: int = 4,
    ) -> None:
        """A broken line to the right, or down."""
        line = self.pixels[y : y + length, x] if down else self.pixels[y, x : x + length]
        line[_dashes(len(line), on, off)] = colour

    def text(
        self,
        x: int,
        y: int,
        text: str,
        colour: int = BLACK,
        *,
        font: str = SMALL,
        align: float = 0.0,
    ) -> None:
        """A line of text; `align` is 0 where it begins at x, 1 where it ends there, 0.5 between."""
        dots = _dots(text, font)
        if dots is None:
            return
        height, width = dots.shape
        x = min(max(x - int(width * align), 0), max(self.width - width, 0))
        sheet = self.pixels[y : y + height, x : x + width]
        if sheet.shape != dots.shape:
            dots = dots[: sheet.shape[0], : sheet.shape[1]]
        sheet[dots] = colour

    def columns(
        self, x: int, first: NDArray[np.int64], last: NDArray[np.int64], colour: int
    ) -> None:
        """A vertical stroke in each column from x on, ends drawn; none where last < first."""
        draw_columns(self.pixels, x, first, last, colour)

    def steps(
        self,
        x: int,
        heights: NDArray[np.int64],
        colour: int,
        *,
        thick: int = 1,
        dashed: bool = False,
    ) -> None:
        """A line through one row for each column from x on, upright where it jumps."""
        draw_steps(self.pixels, x, heights, (colour, thick, dashed))
