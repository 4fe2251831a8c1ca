"""The line below a scan that says what its colours and hatchings are, in both languages."""

from collections.abc import Mapping

import numpy as np

from edge.evidence.canvas import BLACK, GREY, Canvas, text_size
from edge.evidence.scans.colours import (
    DENSE,
    DUSK,
    LEVELS,
    LIGHT_METAL,
    MIST,
    ORGANIC,
    STEEL,
    UNTOLD,
    VIOLET,
    colour_of,
)
from edge.evidence.scans.sheet import HATCH, LINE
from edge.evidence.telling import LANGUAGES, known
from edge.text import word
from fusion.scan_record import ScanRecord
from fusion.types import Fact

SHOWN_LEVEL = round(0.5 * LEVELS)
UNTOLD_LEVEL = round(0.15 * LEVELS)  # load is told nothing of mostly where little comes through
MUCH_UNTOLD = 0.05  # of the load: less is seams between goods


def draw_legend(
    canvas: Canvas, x: int, y: int, record: ScanRecord, facts: Mapping[str, Fact]
) -> None:
    """What the colours say."""
    if "high" not in record.planes:
        canvas.text(x, y, "8-bit picture: no material, no mass · imagen de 8 bits: sin material "
                    "ni masa", GREY)  # fmt: skip
        x += 680
    elif "low" not in record.planes:
        canvas.text(x, y, "one energy: no material · una energía: sin material", GREY)
        x += 460
    else:
        for group, name in ((ORGANIC, "organic"), (LIGHT_METAL, "light-metal"), (STEEL, "steel"),
                            (DENSE, "dense")):  # fmt: skip
            canvas.fill(x, y, x + 24, y + 13, colour_of(group, SHOWN_LEVEL))
            canvas.frame(x, y, x + 24, y + 13, GREY)
            told = "/".join(word("material", name, language) for language in LANGUAGES)
            canvas.text(x + 30, y, told, BLACK)
            x += 30 + text_size(told)[0] + 24
        # There is no room for six entries, and lines that were lost matter more.
        if _unresolved(facts) >= MUCH_UNTOLD and not record.lost_columns:
            canvas.fill(x, y, x + 24, y + 13, colour_of(UNTOLD, UNTOLD_LEVEL))
            canvas.frame(x, y, x + 24, y + 13, GREY)
            canvas.text(x + 30, y, "not told/sin determinar", BLACK)
            x += 30 + text_size("not told/sin determinar")[0] + 24
    if record.sheet is not None and (record.sheet == DUSK).any():
        _hatched(canvas, x, y, (DUSK, VIOLET, LINE))
        told = "not penetrated/sin penetrar"
        canvas.text(x + 30, y, told, BLACK)
        x += 30 + text_size(told)[0] + 24
    if record.lost_columns:
        _hatched(canvas, x, y, (MIST, GREY, 2), back=True)
        canvas.text(x + 30, y, "lost lines/líneas perdidas", BLACK)
        x += 30 + text_size("lost lines/líneas perdidas")[0] + 24


def _unresolved(facts: Mapping[str, Fact]) -> float:
    """Share of the load whose material is not told."""
    shares = facts.get("materials")
    return (known(shares, "unresolved") or 0.0) if isinstance(shares, Mapping) else 0.0


def _hatched(
    canvas: Canvas, x: int, y: int, ink: tuple[int, int, int], *, back: bool = False
) -> None:
    ground, line, thick = ink
    rows, columns = np.arange(13)[:, None], np.arange(24)
    slope = columns - rows if back else columns + rows
    canvas.pixels[y : y + 13, x : x + 24] = np.where(slope % HATCH < thick, line, ground)
    canvas.frame(x, y, x + 24, y + 13, GREY)
