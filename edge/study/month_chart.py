"""Pictures of the portal studies: referrals by cause, and how far probabilities hold."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge.evidence.canvas import BLACK, BLUE, BOLD, GREY, LIGHT, ORANGE, PALE, Canvas

WIDTH, LEFT, RIGHT, TOP = 900, 190, 90, 96
ROW, THICK = 30, 11
SIDE, MARGIN = 420, 70


@dataclass(frozen=True, slots=True)
class Bar:
    """One cause."""

    cause: str
    field: float
    """Referrals a month by k-sigma."""
    ours: float


def month_chart(title: str, bars: Sequence[Bar], line: float) -> bytes:
    """Two bars a cause, as PNG."""
    sheet = Canvas(WIDTH, TOP + ROW * len(bars) + 30)
    sheet.text(20, 16, title, font=BOLD)
    most = max((max(bar.field, bar.ours) for bar in bars), default=1.0) or 1.0
    for x, colour, words in (
        (20, ORANGE, f"k-sigma at {line:.1f}, {sum(bar.field for bar in bars):,.1f} in all"),
        (400, BLUE, f"Garita, {sum(bar.ours for bar in bars):,.1f} in all"),
    ):
        sheet.fill(x, 50, x + 24, 50 + THICK, colour)
        sheet.text(x + 32, 47, words)
    span = WIDTH - LEFT - RIGHT
    for row, bar in enumerate(bars):
        y = TOP + row * ROW
        sheet.text(LEFT - 10, y + 4, bar.cause, align=1.0)
        for value, colour, below in ((bar.field, ORANGE, 0), (bar.ours, BLUE, THICK)):
            end = LEFT + max(1, round(span * value / most))
            sheet.fill(LEFT, y + below, end, y + below + THICK, colour)
            sheet.text(end + 6, y + below - 2, f"{value:,.2f}", GREY)
    sheet.fill(LEFT - 1, TOP - 6, LEFT, TOP + ROW * len(bars), BLACK)
    return sheet.png()


def reliability_chart(
    panels: Sequence[tuple[str, Sequence[tuple[float, float, int, float, float]]]],
) -> bytes:
    """Predicted against observed share: (predicted, observed, passes, low, high) each, as PNG."""
    sheet = Canvas(MARGIN + (SIDE + MARGIN) * len(panels), SIDE + 2 * MARGIN)
    for index, (title, rows) in enumerate(panels):
        left, top = MARGIN + index * (SIDE + MARGIN), MARGIN
        sheet.text(left, 20, title, font=BOLD)
        for tenth in range(11):
            x, y = left + SIDE * tenth // 10, top + SIDE - SIDE * tenth // 10
            sheet.fill(left, y, left + SIDE, y + 1, PALE)
            sheet.fill(x, top, x + 1, top + SIDE, PALE)
            if tenth % 2 == 0:
                sheet.text(x, top + SIDE + 8, f"{tenth / 10:g}", GREY, align=0.5)
                sheet.text(left - 8, y - 7, f"{tenth / 10:g}", GREY, align=1.0)
        for step in range(SIDE):
            sheet.fill(
                left + step, top + SIDE - step, left + step + 1, top + SIDE - step + 1, LIGHT
            )
        for predicted, observed, number, low, high in rows:
            x = left + round(SIDE * predicted)
            y, up, down = (top + SIDE - round(SIDE * at) for at in (observed, high, low))
            sheet.fill(x, up, x + 2, down, ORANGE)
            sheet.fill(x - 3, y - 3, x + 5, y + 5, BLUE)
            sheet.text(x + 8, y - 6, f"{number}", GREY)
        sheet.text(left + SIDE // 2, top + SIDE + 30, "predicted; beside: passes", align=0.5)
    return sheet.png()
