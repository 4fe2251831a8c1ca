"""The picture of a pass: what an operator sees of it at one glance, in both languages."""

from datetime import UTC, datetime
from functools import cache

import numpy as np
from numpy.typing import NDArray

from edge.evidence.axes import number
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
from edge.evidence.profile_chart import draw_profile
from edge.evidence.spectrum_chart import SPECTRUM_HEIGHT, draw_spectrum
from edge.evidence.story import LANGUAGES, Story
from edge.text import say, word
from fusion.pass_record import PassRecord
from fusion.types import SECOND_NS, Level

WIDTH, HEIGHT = 800, 450
MARGIN = 8
LINES = (6, 24, 43, 58)  # two headlines, where and when, figures
LEVELS = {
    Level.LOG: (WHITE, BLACK),
    Level.ADVISORY: (SKY, BLACK),
    Level.WARNING: (ORANGE, BLACK),
    Level.CRITICAL: (RED, WHITE),
}
EXERCISE_BOX = (640, 330)
STRIPE = 6
"""Width of an exercise's border: a drill never looks like the real thing."""


def picture(record: PassRecord, story: Story) -> bytes:
    """A PNG of the pass: 800 x 450, and as much again where there is a spectrum."""
    spectra = record.spectra
    canvas = Canvas(WIDTH, HEIGHT + (SPECTRUM_HEIGHT if spectra is not None else 0))
    _head(canvas, record, story)
    draw_profile(canvas, record, story.position_m)
    if spectra is not None:
        draw_spectrum(canvas, HEIGHT, spectra, record.opened_utc_ns, story.nuclides)
    if story.exercise:
        _mark_exercise(canvas)
    return canvas.png()


def _head(canvas: Canvas, record: PassRecord, story: Story) -> None:
    ground, ink = LEVELS[Level(story.level)]
    levels = [word("level", str(story.level), language) for language in LANGUAGES]
    chip = max(text_size(each, BOLD)[0] for each in levels) + 16
    canvas.fill(MARGIN, LINES[0] - 2, MARGIN + chip, LINES[1] + 17, ground)
    canvas.frame(MARGIN, LINES[0] - 2, MARGIN + chip, LINES[1] + 17, BLACK)
    room = WIDTH - 2 * MARGIN - chip - 8
    for y, level, headline in zip(LINES, levels, story.headlines, strict=False):
        canvas.text(MARGIN + 8, y, level, ink, font=BOLD)
        canvas.text(MARGIN + chip + 8, y, shortened(headline, room, BOLD), BLACK, font=BOLD)
    canvas.text(MARGIN, LINES[2], shortened(_where(record, story), WIDTH - 2 * MARGIN), BLACK)
    canvas.text(MARGIN, LINES[3], shortened(_figures(record, story), WIDTH - 2 * MARGIN), BLACK)


def _where(record: PassRecord, story: Story) -> str:
    """`mariposa  nb-01  rpm-nb-01  2026-11-21 18:03:11.2 UTC  #1760`."""
    seconds, rest = divmod(record.opened_utc_ns, SECOND_NS)
    at = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{rest * 10 // SECOND_NS} UTC"
    counter = "" if record.counter is None else f"#{record.counter}"
    alert, _, revision = story.alert.partition("/")
    name = f"{alert[-8:]} r{revision}"  # the end of an id tells alerts of one minute apart
    words = (story.site, story.place, story.sensor, at, counter, name)
    return "   ".join(each for each in words if each)


def _figures(record: PassRecord, story: Story) -> str:
    """What a radiation officer asks for first."""
    told = []
    if story.sigma is not None:
        told.append(f"gamma {story.sigma:.1f} σ")
    if isinstance(net := story.gamma.get("net_cps"), int | float):
        told.append(f"{round(net):+,} cps")
    if isinstance(shadow := story.gamma.get("suppression"), int | float):
        told.append(f"shadow/sombra −{100 * shadow:.0f} %")
    if story.neutron_sigma is not None:
        told.append(f"neutr. {story.neutron_sigma:.1f} σ")
    told += [f"{name} {100 * confidence:.0f} %" for name, confidence in story.nuclides]
    if story.gamma.get("over_range") is True:
        told.append("OVER-RANGE/SATURADO")
    if story.position_m is not None and record.length_m:
        told.append(f"▼ {story.position_m:.1f} m / {number(round(record.length_m, 1))} m")
    if record.speed_m_s is not None:
        told.append(f"{record.speed_m_s:.1f} m/s")
    return "  ".join(told)


def _mark_exercise(canvas: Canvas) -> None:
    """A striped border and the word, in both languages."""
    width, height = canvas.width, canvas.height
    across, down = _stripes(width), _stripes(height)
    canvas.pixels[:3, across] = PURPLE
    canvas.pixels[height - STRIPE :, across] = PURPLE
    canvas.pixels[down, :3] = PURPLE
    canvas.pixels[down, width - 3 :] = PURPLE
    x, y = EXERCISE_BOX
    canvas.fill(x, y, width - 2 * STRIPE, y + 42, PURPLE)
    for row, language in enumerate(LANGUAGES):
        canvas.text(x + 10, y + 5 + 18 * row, _exercise(language), WHITE, font=BOLD)


@cache
def _stripes(length: int) -> NDArray[np.bool_]:
    return np.arange(length) % (4 * STRIPE) < 2 * STRIPE


def _exercise(language: str) -> str:
    return say("phrase", "exercise", language).strip(" []:·-—.")
