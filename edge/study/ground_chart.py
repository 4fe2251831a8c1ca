"""Pictures of the ground studies: rates with their intervals, and who is taken for whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge.evidence.canvas import BLACK, BLUE, BOLD, GREY, LIGHT, ORANGE, PALE, SKY, WHITE, Canvas

WIDTH, LEFT, RIGHT, TOP, ROW = 900, 220, 150, 60, 26
CELL_X, CELL_Y = 84, 44


@dataclass(frozen=True, slots=True)
class Row:
    """One bar."""

    name: str
    value: float
    low: float
    high: float
    """95 % interval."""
    words: str


def bars(title: str, rows: Sequence[Row], *, line: float, most: float | None = None) -> bytes:
    """A bar and its interval for each row, the goal as a broken line, as PNG."""
    top = most or max([line * 1.5, *(row.high for row in rows)])
    sheet = Canvas(WIDTH, TOP + ROW * len(rows) + 40)
    sheet.text(20, 16, title, font=BOLD)
    span = WIDTH - LEFT - RIGHT

    def across(value: float) -> int:
        return LEFT + round(span * min(value / top, 1.0))

    for number, row in enumerate(rows):
        y = TOP + number * ROW
        sheet.text(LEFT - 10, y + 4, row.name, align=1.0)
        sheet.fill(LEFT, y + 4, max(across(row.value), LEFT + 1), y + ROW - 6, SKY)
        sheet.fill(across(row.low), y + ROW // 2 - 1, across(row.high) + 1, y + ROW // 2, BLUE)
        sheet.text(WIDTH - RIGHT + 10, y + 4, row.words, GREY)
    bottom = TOP + ROW * len(rows)
    sheet.fill(LEFT - 1, TOP - 4, LEFT, bottom, BLACK)
    sheet.dashes(across(line), TOP - 4, bottom - TOP + 4, ORANGE, down=True)
    sheet.text(across(line), bottom + 8, f"{line:g}", ORANGE, align=0.5)
    return sheet.png()


def confusion(
    title: str, names: Sequence[str], told: Mapping[tuple[str, str], int], foot: str
) -> bytes:
    """How many of each class (row) were called what (column), as PNG; the diagonal is right."""
    left, top = 120, 90
    sheet = Canvas(left + CELL_X * len(names) + 90, top + CELL_Y * len(names) + 50)
    sheet.text(20, 16, title, font=BOLD)
    sheet.text(left + CELL_X * len(names) // 2, 46, "called", GREY, align=0.5)
    for row, truth in enumerate(names):
        y = top + row * CELL_Y
        total = sum(told.get((truth, name), 0) for name in names)
        sheet.text(left - 10, y + CELL_Y // 2 - 7, truth, align=1.0)
        for column, name in enumerate(names):
            x = left + column * CELL_X
            if row == 0:
                sheet.text(x + CELL_X // 2, top - 20, name, align=0.5)
            count = told.get((truth, name), 0)
            share = count / total if total else 0.0
            colour = _shade(share, right=truth == name) if count else WHITE
            sheet.fill(x, y, x + CELL_X, y + CELL_Y, colour)
            sheet.frame(x, y, x + CELL_X, y + CELL_Y, LIGHT)
            ink = WHITE if colour == BLUE else BLACK
            if count:
                sheet.text(x + CELL_X // 2, y + CELL_Y // 2 - 7, f"{count}", ink, align=0.5)
        right = told.get((truth, truth), 0) / total if total else 0.0
        x = left + CELL_X * len(names) + 10
        sheet.text(x, y + CELL_Y // 2 - 7, f"{right:.0%}" if total else "-", GREY)
    sheet.text(left, top + CELL_Y * len(names) + 16, foot, GREY)
    return sheet.png()


def _shade(share: float, *, right: bool) -> int:
    if right:
        return BLUE if share >= 0.5 else SKY
    return ORANGE if share >= 0.05 else PALE
