"""The picture of a scan: what an operator sees of it at one glance, in both languages."""

from collections.abc import Mapping

import numpy as np

from edge.evidence.axes import number, ticks
from edge.evidence.canvas import (
    BLACK,
    BLUE,
    BOLD,
    GREY,
    RED,
    WHITE,
    Canvas,
    text_size,
)
from edge.evidence.heading import LINES, draw_heading, mark_exercise, where_and_when
from edge.evidence.scans.colours import MIST, YELLOW, palette
from edge.evidence.scans.legend import draw_legend
from edge.evidence.scans.reasons import draw_reasons, reasons_of
from edge.evidence.scans.sheet import MAX_WIDTH
from edge.evidence.scans.story import Region, ScanStory
from edge.evidence.telling import LANGUAGES, known
from edge.text import word
from fusion.scan_record import ScanRecord
from fusion.types import Fact

MARGIN = 20
WIDTH = MAX_WIDTH + 2 * MARGIN
AXIS = 94  # row of the axis above the sheet; its numbers stand over it
TOP = 102
LEGEND_ROWS = 30
EXERCISE_WIDTH = 210
HATCH_ROWS = 8
HALO = 2  # white around a box, so that it is seen on any colour


class _Place:
    """Metres of the vehicle to pixels of the sheet."""

    def __init__(self, record: ScanRecord, left: int, width: int, height: int) -> None:
        self._record = record
        self.left, self.right = left, left + width
        self.top, self.bottom = TOP, TOP + height
        self._along = width / max(record.columns, 1)
        self._down = height / max(record.rows, 1)

    def x(self, metres: float) -> int:
        """Of a place behind the vehicle's front; within the sheet."""
        column = self._record.front_column + 1000.0 * metres / self._record.pitch_x_mm
        return min(max(self.left + round(column * self._along), self.left), self.right)

    def y(self, metres: float) -> int:
        """Of a height; within the sheet."""
        row = self._record.bottom_row - 1000.0 * metres / self._record.pitch_y_mm
        return min(max(self.top + round(row * self._down), self.top), self.bottom)

    @property
    def span_m(self) -> tuple[float, float]:
        """Metres behind the front at the left and the right edge."""
        pitch_m = self._record.pitch_x_mm / 1000.0
        first = -self._record.front_column * pitch_m
        return first, first + self._record.columns * pitch_m

    @property
    def pixels_per_m(self) -> float:
        """Along."""
        return self._along * 1000.0 / self._record.pitch_x_mm


def scan_picture(record: ScanRecord, story: ScanStory) -> bytes:
    """A PNG, 1600 wide and as high as the scan and its words need."""
    sheet = record.sheet if record.sheet is not None else np.full((240, MAX_WIDTH), MIST, np.uint8)
    rows, columns = sheet.shape
    reasons = reasons_of(record, story, WIDTH - 2 * MARGIN)
    below = LEGEND_ROWS + reasons.height + 18
    canvas = Canvas(WIDTH, TOP + rows + below, palette())
    place = _Place(record, MARGIN + (MAX_WIDTH - columns) // 2, columns, rows)
    draw_heading(canvas, story, where_and_when(story, record.start_utc_ns, record.scan_id),
                 _figures(record, story))  # fmt: skip
    canvas.pixels[TOP : TOP + rows, place.left : place.right] = sheet
    _axis(canvas, place)
    _marks(canvas, place, story.facts)
    if record.partial:
        _end(canvas, place)
    for region in reversed(story.regions):  # the strongest one last, above the others
        _box(canvas, place, region)
    _gamma(canvas, place, story.gamma_m)
    _scale(canvas, place)
    draw_legend(canvas, MARGIN, place.bottom + 8, record, story.facts)
    draw_reasons(canvas, MARGIN, place.bottom + LEGEND_ROWS + 6, reasons)
    if story.exercise:
        mark_exercise(canvas, WIDTH - EXERCISE_WIDTH, 8)
    return canvas.png()


def _figures(record: ScanRecord, story: ScanStory) -> str:
    """What an image analyst asks for first."""
    facts, told = story.facts, []
    if container := facts.get("container"):
        told.append(str(container))
    if length := known(facts, "length_m"):
        told.append(f"{length:.1f} m")
        if emptiness := _emptiness(facts):
            told.append(emptiness)
        told.append(f"fill/llenado {100 * (known(facts, 'fill') or 0.0):.0f} %")
    mass, spread = known(facts, "mass_kg"), known(facts, "mass_sd_kg")
    if mass is not None:
        about = "" if spread is None else f" ± {spread / 1000:.1f}"
        what = "load seen/carga vista" if record.partial else "load/carga"
        told.append(f"{what} {mass / 1000:.1f}{about} t")
    if (opaque := known(facts, "unpenetrated")) is not None:
        told.append(f"not penetrated/sin penetrar {100 * opaque:.1f} %")
    declared = facts.get("declared")
    if isinstance(declared, str) and declared:
        told.append(f"declared/declarado: {_declared(declared)}")
    return "   ".join(told)


def _emptiness(facts: Mapping[str, Fact]) -> str:
    """Nothing where nobody knows: of a scan that broke off, of a box that cannot be seen."""
    if facts.get("empty") is True:
        return "EMPTY/VACÍO"
    certainties = facts.get("sure")
    sure = known(certainties, "empty") if isinstance(certainties, Mapping) else None
    is_known = sure is None or sure > 0.5
    return "LOADED/CON CARGA" if is_known and facts.get("partial") is not True else ""


def _declared(declared: str) -> str:
    if declared == "empty":
        return "/".join(word("declared", "empty", language) for language in LANGUAGES)
    return f"HS/SA {declared}" if declared.isdecimal() else declared


def _axis(canvas: Canvas, place: _Place) -> None:
    """Metres behind the front."""
    canvas.fill(place.left, AXIS, place.right, AXIS + 1, GREY)
    first, last = place.span_m
    for metres in ticks(first, last, max(round((place.right - place.left) / 75), 2)):
        x = place.x(metres)
        canvas.fill(x, AXIS, x + 1, AXIS + 6, GREY)
        canvas.text(x, AXIS - 14, number(metres), BLACK if metres == 0 else GREY, align=0.5)
    told = "m behind the front · m desde el frente"
    canvas.text(WIDTH - MARGIN, LINES[3], told, GREY, align=1.0)


def _marks(canvas: Canvas, place: _Place, facts: Mapping[str, Fact]) -> None:
    """Where box, roof and deck were found."""
    found = facts.get("geometry")
    geometry = found if isinstance(found, Mapping) else {}
    begin, end = known(geometry, "box_from_m"), known(geometry, "box_to_m")
    deck, roof = known(geometry, "deck_m"), known(geometry, "roof_m")
    boxed = begin is not None and end is not None and end > begin
    left, right = (
        (place.x(begin), place.x(end)) if boxed and begin is not None and end is not None
        else (place.left, place.right)
    )  # fmt: skip
    for height, name in ((roof, "roof/techo"), (deck, "deck/piso")):
        if height is None or not boxed:
            continue
        y = place.y(height)
        _dashed(canvas, left - 14, y, right - left + 28)
        label = text_size(name)[0] + 18
        x = left - label - 4 if left - label - 4 > place.left else right + 18
        _plate(canvas, x, y - 7, name, BLUE)
    if boxed and deck is not None and roof is not None:
        for x in (left, right):
            _dashed(canvas, x, place.y(roof) - 8, place.y(deck) - place.y(roof) + 16, down=True)


def _end(canvas: Canvas, place: _Place) -> None:
    """Where the scan broke off: the vehicle goes on, and nobody has seen that."""
    canvas.fill(place.right - 4, place.top, place.right, place.bottom, YELLOW)
    for row in range(place.top, place.bottom, 2 * HATCH_ROWS):
        canvas.fill(place.right - 4, row, place.right, min(row + HATCH_ROWS, place.bottom), BLACK)
    for line, words in enumerate(("not scanned beyond", "sin escanear desde aquí")):
        width, height = text_size(words, BOLD)
        x, y = place.right - width - 12, place.top + 6 + line * (height + 3)
        canvas.fill(x - 3, y - 1, x + width + 3, y + height + 2, YELLOW)
        canvas.text(x, y, words, BLACK, font=BOLD)


def _dashed(canvas: Canvas, x: int, y: int, length: int, *, down: bool = False) -> None:
    """Blue on white, to be seen on any colour."""
    x, y = min(max(x, 0), canvas.width - 2), min(max(y, 0), canvas.height - 2)
    canvas.dashes(x, y, length, WHITE, down=down, on=14, off=0)
    canvas.dashes(x, y, length, BLUE, down=down, on=9, off=5)


def _plate(canvas: Canvas, x: int, y: int, text: str, ink: int) -> None:
    """Words on white."""
    width, height = text_size(text)
    x = min(max(x, 0), canvas.width - width - 4)
    canvas.fill(x - 2, y, x + width + 3, y + height + 1, WHITE)
    canvas.text(x, y, text, ink)


def _box(canvas: Canvas, place: _Place, region: Region) -> None:
    """Red and thick where it rings; its number and its place on a plate at a corner."""
    colour, thick = (RED, 3) if region.rings else (BLACK, 2)
    left, right = place.x(region.from_m) - thick, place.x(region.to_m) + thick
    top, bottom = place.y(region.top_m) - thick, place.y(region.bottom_m) + thick
    for width, ink in ((thick + HALO, WHITE), (thick, colour)):
        out = width - thick
        for inner in range(width):
            canvas.frame(left - out + inner, top - out + inner, right + out - inner,
                         bottom + out - inner, ink)  # fmt: skip
    label = f" {region.number}  {region.position_m:.1f} m "
    width, height = text_size(label, BOLD)
    y = top - HALO - height - 4
    if y < place.top:
        y = min(bottom + HALO, canvas.height - height - 4)
    x = min(max((left + right - width) // 2, place.left), place.right - width)
    canvas.fill(x - 2, y - 2, x + width + 2, y + height + 3, WHITE)
    canvas.fill(x, y, x + width, y + height + 1, colour)
    canvas.text(x, y, label, WHITE, font=BOLD)


def _gamma(canvas: Canvas, place: _Place, gamma_m: float | None) -> None:
    """A wedge that points down to where the portal saw something."""
    if gamma_m is None:
        return
    x = place.x(gamma_m)
    for row in range(14):
        canvas.fill(x - 14 + row, TOP + row, x + 15 - row, TOP + row + 1, RED)
    label = f"gamma {gamma_m:.1f} m"
    _plate(canvas, x - text_size(label)[0] // 2, TOP + 16, label, RED)
    if place.bottom > TOP + 34:
        canvas.dashes(x, TOP + 34, place.bottom - TOP - 34, RED, down=True, on=3, off=6)


def _scale(canvas: Canvas, place: _Place) -> None:
    """One metre, or as many as can be seen, below the sheet's right end."""
    metres = next((m for m in (1, 2, 5, 10) if m * place.pixels_per_m >= 40), 10)
    length = round(metres * place.pixels_per_m)
    x, y = WIDTH - MARGIN - length, place.bottom + 22
    canvas.fill(x, y, x + length, y + 3, BLACK)
    for end in (x, x + length - 2):
        canvas.fill(end, y - 4, end + 2, y + 7, BLACK)
    canvas.text(x + length // 2, y - 16, f"{metres} m", BLACK, align=0.5)
