"""What was told against what was so, in log-odds, with the interval of each bin."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edge.evidence.canvas import BLUE, BOLD, GREY, LIGHT, ORANGE, PALE, Canvas
from edge.study.reliability import LEAST_SHARE, Reliability

SIDE, MARGIN, FOOT, STEP = 360, 70, 60, 2
LIMIT = 8.0
"""Nats to either side: from one in 3,000 to 3,000 in one."""
MARK = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One set of probabilities."""

    title: str
    held: Reliability


def reliability_panels(rows: Sequence[Sequence[Panel]]) -> bytes:
    """A row of panels for each detector, such as before and after a fit, as PNG."""
    columns = max((len(row) for row in rows), default=1)
    sheet = Canvas(MARGIN + (SIDE + MARGIN) * columns, (SIDE + MARGIN + FOOT) * max(len(rows), 1))
    for down, row in enumerate(rows):
        for across, panel in enumerate(row):
            left = MARGIN + across * (SIDE + MARGIN)
            _panel(sheet, panel, left, MARGIN + down * (SIDE + MARGIN + FOOT))
    return sheet.png()


def _panel(sheet: Canvas, panel: Panel, left: int, top: int) -> None:
    held = panel.held
    sheet.text(left, top - 50, panel.title, font=BOLD)
    words = f"log loss {held.log_loss:.3f}, ECE {held.error:.3f} (floor {held.floor:.3f})"
    sheet.text(left, top - 26, words, GREY)
    for nats in range(-int(LIMIT), int(LIMIT) + 1, STEP):
        x, y = left + _along(nats), top + SIDE - _along(nats)
        sheet.fill(left, y, left + SIDE, y + 1, PALE)
        sheet.fill(x, top, x + 1, top + SIDE, PALE)
        if nats % (2 * STEP) == 0:
            sheet.text(x, top + SIDE + 8, f"{nats:+d}", GREY, align=0.5)
            sheet.text(left - 8, y - 7, f"{nats:+d}", GREY, align=1.0)
    for step in range(SIDE):
        x, y = left + step, top + SIDE - step
        sheet.fill(x, y, x + 1, y + 1, LIGHT)
    for number, one in enumerate(held.bins):
        low, high = one.interval
        x = left + _along(_log_odds(one.predicted))
        up, y, down = (top + SIDE - _along(_log_odds(share)) for share in (high, one.observed, low))
        sheet.fill(x, up, x + 2, max(down, up + 1), ORANGE)
        sheet.fill(x - MARK + 1, y - MARK + 1, x + MARK + 1, y + MARK + 1, BLUE)
        # Neighbours in the corner below are close: one has its words above, the next below.
        sheet.text(x + 8, y + (2 if number % 2 else -14), f"{one.hits}/{one.of}", GREY)
    foot = "log-odds told, and so; beside: how many were so"
    sheet.text(left + SIDE // 2, top + SIDE + 30, foot, align=0.5)


def _along(nats: float) -> int:
    return round(SIDE * (max(-LIMIT, min(LIMIT, nats)) + LIMIT) / (2.0 * LIMIT))


def _log_odds(share: float) -> float:
    share = min(1.0 - LEAST_SHARE, max(LEAST_SHARE, share))
    return math.log(share) - math.log1p(-share)
