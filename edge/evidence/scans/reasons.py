"""What stands below a scan: what is missing of it, each box, what else speaks for the verdict."""

import textwrap
from dataclasses import dataclass

from edge.evidence.canvas import BLACK, BOLD, PURPLE, RED, WHITE, Canvas, shortened, text_size
from edge.evidence.scans.colours import YELLOW
from edge.evidence.scans.story import Region, ScanStory
from edge.evidence.telling import LANGUAGES, known
from edge.text import word
from fusion.scan_record import ScanRecord

LINE_ROWS = 18
INDENT = 26  # of words behind their mark
MAX_OTHERS = 3
MAX_LINES = 2  # of one reason
MAX_GAPS = 4  # that are told one by one
UNSEEN = (
    "cut-off",
    "lines-repeated",
    "rows-repeated",
    "rows-dark",
    "flat-parts",
    "saturated",
    "walls-unseen",
    "unmeasured",
    "few-counts",
    "upside-down",
    "air-dark",
)
"""Notes of a scan that did not show all of the box, as the catalogues have them."""
MAX_UNSEEN = 2  # reasons why a part of the box was not seen


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reason:
    lines: tuple[tuple[str, ...], ...]
    """Of each language, side by side."""
    region: Region | None

    @property
    def rows(self) -> int:
        return LINE_ROWS * max(map(len, self.lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """All of it, laid out."""

    warnings: tuple[str, ...]
    told: tuple[_Reason, ...]
    half: int
    """Width of one language in pixels."""

    @property
    def height(self) -> int:
        """In pixels."""
        return LINE_ROWS * len(self.warnings) + sum(one.rows for one in self.told)


def reasons_of(record: ScanRecord, story: ScanStory, width: int) -> Reasons:
    """What is to be said; English in the left half, Spanish in the right one."""
    half = width // 2
    told = [
        _Reason(lines=tuple(_lines(words + _mass(one), half) for words in one.words), region=one)
        for one in story.regions
    ]
    told += [
        _Reason(lines=tuple(_lines(words, half) for words in words_of), region=None)
        for words_of in story.others[:MAX_OTHERS]
    ]
    return Reasons(warnings=tuple(_warnings(record, story)), told=tuple(told), half=half)


def draw_reasons(canvas: Canvas, left: int, y: int, reasons: Reasons) -> None:
    """From `y` down."""
    for warning in reasons.warnings:
        canvas.fill(left - 4, y - 2, left + text_size(warning, BOLD)[0] + 4, y + 16, YELLOW)
        canvas.text(left, y, warning, BLACK, font=BOLD)
        y += LINE_ROWS
    for one in reasons.told:
        for number, lines in enumerate(one.lines):
            x = left + number * reasons.half
            _mark(canvas, x, y, one.region)
            for row, line in enumerate(lines):
                canvas.text(x + INDENT, y + 1 + row * LINE_ROWS, line, BLACK)
        y += one.rows


def _mark(canvas: Canvas, x: int, y: int, region: Region | None) -> None:
    if region is None:
        canvas.fill(x + 5, y + 5, x + 13, y + 11, PURPLE)
        return
    canvas.fill(x, y, x + 18, y + 15, RED if region.rings else BLACK)
    canvas.text(x + 9, y, str(region.number), WHITE, font=BOLD, align=0.5)


def _mass(region: Region) -> str:
    mass = known(region.facts, "mass_kg")
    return "" if mass is None else f", {mass:,.0f} kg"


def _lines(words: str, half: int) -> tuple[str, ...]:
    width = half - INDENT - 10
    made = textwrap.wrap(words, width // text_size("x")[0]) or [""]
    rest = " ".join(made[MAX_LINES - 1 :])
    return (*made[: MAX_LINES - 1], shortened(rest, width)) if rest else tuple(made)


def _warnings(record: ScanRecord, story: ScanStory) -> list[str]:
    """What must be known before anything in the picture is believed."""
    told = []
    if record.partial:
        end_m = _metres(record, record.columns)
        told.append(f"PARTIAL SCAN, ends at {end_m:.1f} m: what is missing is not clear · ESCANEO "
                    f"PARCIAL hasta {end_m:.1f} m: lo que falta no está despejado")  # fmt: skip
    if record.lost_columns:
        gaps = [
            f"{_metres(record, first):.1f}-{_metres(record, last):.1f}"
            for first, last in record.lost_columns[:MAX_GAPS]
        ]
        more = ", …" if len(record.lost_columns) > MAX_GAPS else ""
        where = f"{', '.join(gaps)}{more} m"
        told.append(f"LINES LOST at {where}: nothing was seen there · "
                    f"LÍNEAS PERDIDAS en {where}: ahí no se vio nada")  # fmt: skip
    if unseen := _unseen(story):
        english, spanish = unseen
        told.append(f"NOT ALL OF THE BOX WAS SEEN ({english}) · "
                    f"NO SE VIO TODA LA CAJA ({spanish})")  # fmt: skip
    if not known(story.facts, "length_m"):
        told.append("NO VEHICLE FOUND: nothing is cleared · "
                    "NO SE ENCONTRÓ VEHÍCULO: nada queda despejado")  # fmt: skip
    return told


def _unseen(story: ScanStory) -> tuple[str, ...]:
    """Why, in each language; nothing where all was seen."""
    notes = story.facts.get("notes")
    found = [note for note in UNSEEN if note in notes] if isinstance(notes, tuple) else []
    if not found:
        return ()
    told = found[:MAX_UNSEEN]
    return tuple(", ".join(word("unseen", note, one) for note in told) for one in LANGUAGES)


def _metres(record: ScanRecord, column: int) -> float:
    """Behind the vehicle's front."""
    return (column - record.front_column) * record.pitch_x_mm / 1000.0
