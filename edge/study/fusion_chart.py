"""DET curves: misses against nuisances on axes of normal deviates, as PNG.

Martin and others 1997, "The DET curve in assessment of detection task performance", Eurospeech:
where scores are normal, the curve is a straight line.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from edge.evidence.canvas import (
    BLACK,
    BLUE,
    BOLD,
    GREEN,
    GREY,
    LIGHT,
    ORANGE,
    PALE,
    PURPLE,
    RED,
    SKY,
    Canvas,
)
from edge.study.fusion_curves import Curve

SIDE, LEFT, TOP, GAP, FOOT = 420, 78, 104, 90, 66
LEGEND = 20
COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, GREY, BLACK)
FEWEST, MOST = 0.001, 0.6  # of lawful things that ring
LOWEST, HIGHEST = 0.01, 0.97  # of threats that are missed
ACROSS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6)
UP = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95)
DEVIATE = NormalDist().inv_cdf


@dataclass(frozen=True, slots=True)
class Point:
    """Where a way is run: of alerts that it gives, not of a threshold on its scores."""

    words: str
    nuisance: float
    """Share of lawful things."""
    miss: float


@dataclass(frozen=True, slots=True)
class Panel:
    """One direction."""

    title: str
    curves: Sequence[Curve]
    """Each in the colour of its place."""
    points: Sequence[Point]
    """Of the first curve."""


def det_chart(title: str, rests: str, panels: Sequence[Panel]) -> bytes:
    """All panels side by side, and what the colours mean below; `rests`: on what it rests."""
    names = max((panel.curves for panel in panels), key=len)
    rows = (len(names) + 1) // 2
    width = LEFT + (SIDE + GAP) * len(panels)
    sheet = Canvas(width, TOP + SIDE + FOOT + LEGEND * rows + 16)
    sheet.text(20, 14, title, font=BOLD)
    sheet.text(20, 36, rests, GREY)
    for index, panel in enumerate(panels):
        _draw(sheet, LEFT + index * (SIDE + GAP), panel)
    for index, curve in enumerate(names):
        x = LEFT + (index % 2) * (width // 2)
        y = TOP + SIDE + FOOT + LEGEND * (index // 2)
        sheet.fill(x, y + 5, x + 24, y + 8 + (index == 0), COLOURS[index % len(COLOURS)])
        sheet.text(x + 32, y, curve.name)
    return sheet.png()


def _draw(sheet: Canvas, left: int, panel: Panel) -> None:
    threats = len(panel.curves[0].threats) if panel.curves else 0
    sheet.text(left, 62, f"{panel.title}: {threats} threats", font=BOLD)
    _axes(sheet, left, panel.curves[0] if panel.curves else None)
    for index, curve in reversed(list(enumerate(panel.curves))):
        if curve.threats and curve.lawful:
            heights = np.array([_row(_miss(curve, _share(x))) for x in range(SIDE)], np.int64)
            colour = COLOURS[index % len(COLOURS)]
            sheet.steps(left, heights, colour, thick=3 if index == 0 else 2)
    for number, point in enumerate(panel.points):
        x, y = left + _column(point.nuisance), _row(point.miss)
        sheet.fill(x - 4, y - 4, x + 5, y + 5, BLACK)
        sheet.text(x + 9, y - 18 - 16 * number, point.words, font=BOLD)


def _axes(sheet: Canvas, left: int, curve: Curve | None) -> None:
    for share in ACROSS:
        x = left + _column(share)
        sheet.fill(x, TOP, x + 1, TOP + SIDE, PALE)
        sheet.text(x, TOP + SIDE + 6, _percent(share), GREY, align=0.5)
        if curve is not None and curve.hours:
            an_hour = share * curve.lawful / curve.hours
            sheet.text(x, TOP + SIDE + 22, f"{an_hour:.2g}", GREY, align=0.5)
    for share in UP:
        y = _row(share)
        sheet.fill(left, y, left + SIDE, y + 1, PALE)
        sheet.text(left - 8, y - 7, _percent(share), GREY, align=1.0)
    sheet.frame(left, TOP, left + SIDE + 1, TOP + SIDE + 1, LIGHT)
    sheet.text(left - 8, TOP - 20, "missed", align=1.0)
    words = "lawful things that ring; below: an hour"
    sheet.text(left + SIDE // 2, TOP + SIDE + 40, words, align=0.5)


def _miss(curve: Curve, share: float) -> float:
    """Threats missed where no more than that share of lawful things may ring."""
    allowed = int(share * curve.lawful)
    if allowed >= len(curve.nuisances):
        return 1.0 - curve.most
    stops_at = curve.nuisances[-1 - allowed]
    found = len(curve.threats) - bisect_right(curve.threats, stops_at)
    return 1.0 - found / len(curve.threats)


def _share(x: int) -> float:
    low, high = DEVIATE(FEWEST), DEVIATE(MOST)
    return NormalDist().cdf(low + (high - low) * x / SIDE)


def _column(share: float) -> int:
    low, high = DEVIATE(FEWEST), DEVIATE(MOST)
    kept = min(max(share, FEWEST), MOST)
    return round(SIDE * (DEVIATE(kept) - low) / (high - low))


def _row(miss: float) -> int:
    low, high = DEVIATE(LOWEST), DEVIATE(HIGHEST)
    kept = min(max(miss, LOWEST), HIGHEST)
    return TOP + SIDE - round(SIDE * (DEVIATE(kept) - low) / (high - low))


def _percent(share: float) -> str:
    return f"{100 * share:g}%"
