"""The head of a picture: level and headline in both languages, where and when, figures."""

from datetime import UTC, datetime
from functools import cache

import numpy as np
from numpy.typing import NDArray

from edge.evidence.canvas import (
    BLACK,
    BOLD,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    WHITE,
    Canvas,
    shortened,
    text_size,
)
from edge.evidence.telling import LANGUAGES, Telling
from edge.text import say, word
from fusion.types import SECOND_NS, Level

MARGIN = 8
LINES = (6, 24, 43, 58)  # two headlines, where and when, figures
LEVELS = {
    Level.LOG: (WHITE, BLACK),
    Level.ADVISORY: (SKY, BLACK),
    Level.WARNING: (ORANGE, BLACK),
    Level.CRITICAL: (RED, WHITE),
}
STRIPE = 6
"""Width of an exercise's border: a drill never looks like the real thing."""


def draw_heading(canvas: Canvas, telling: Telling, where: str, figures: str) -> None:
    """The first 75 rows."""
    width = canvas.width
    ground, ink = LEVELS[Level(telling.level)]
    levels = [word("level", str(telling.level), language) for language in LANGUAGES]
    chip = max(text_size(each, BOLD)[0] for each in levels) + 16
    canvas.fill(MARGIN, LINES[0] - 2, MARGIN + chip, LINES[1] + 17, ground)
    canvas.frame(MARGIN, LINES[0] - 2, MARGIN + chip, LINES[1] + 17, BLACK)
    room = width - 2 * MARGIN - chip - 8
    for y, level, headline in zip(LINES, levels, telling.headlines, strict=False):
        canvas.text(MARGIN + 8, y, level, ink, font=BOLD)
        canvas.text(MARGIN + chip + 8, y, shortened(headline, room, BOLD), BLACK, font=BOLD)
    canvas.text(MARGIN, LINES[2], shortened(where, width - 2 * MARGIN), BLACK)
    canvas.text(MARGIN, LINES[3], shortened(figures, width - 2 * MARGIN), BLACK)


def where_and_when(telling: Telling, begin_utc_ns: int, *more: str) -> str:
    """`mariposa  nb-01  rpm-nb-01  2026-11-21 18:03:11.2 UTC  #1760`."""
    alert, _, revision = telling.alert.partition("/")
    name = f"{alert[-8:]} r{revision}"  # the end of an id tells alerts of one minute apart
    seconds, rest = divmod(begin_utc_ns, SECOND_NS)
    at = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{rest * 10 // SECOND_NS} UTC"
    words = (telling.site, telling.place, telling.sensor, at, *more, name)
    return "   ".join(each for each in words if each)


def mark_exercise(canvas: Canvas, x: int, y: int) -> None:
    """A striped border, and a box with the word in both languages from (x, y) on."""
    width, height = canvas.width, canvas.height
    across, down = _stripes(width), _stripes(height)
    canvas.pixels[:3, across] = PURPLE
    canvas.pixels[height - STRIPE :, across] = PURPLE
    canvas.pixels[down, :3] = PURPLE
    canvas.pixels[down, width - 3 :] = PURPLE
    canvas.fill(x, y, width - 2 * STRIPE, y + 42, PURPLE)
    for row, language in enumerate(LANGUAGES):
        canvas.text(x + 10, y + 5 + 18 * row, _exercise(language), WHITE, font=BOLD)


@cache
def _stripes(length: int) -> NDArray[np.bool_]:
    return np.arange(length) % (4 * STRIPE) < 2 * STRIPE


def _exercise(language: str) -> str:
    return say("phrase", "exercise", language).strip(" []:·-—.")
