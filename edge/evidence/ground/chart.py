"""The motion of the ground over time, and its envelope with the footfalls."""

import numpy as np

from edge.evidence.axes import Level, Upright, number, ticks
from edge.evidence.canvas import BLACK, BLUE, GREY, LIGHT, PALE, RED, SKY, Canvas
from edge.evidence.ground.series import Series, largest
from edge.evidence.ground.story import WaveStory

LEFT, RIGHT, LEGEND = 70, 612, 628
MOTION_TOP, MOTION_BOTTOM = 84, 170
ENVELOPE_TOP, ENVELOPE_BOTTOM = 182, 246
WEDGE = (1, 3, 5, 3, 1)
"""Rows of the mark of a footfall, column by column."""
FOOTFALLS, BLOWS = ("footfalls", "pisadas"), ("blows", "golpes")
EARLIEST_S = -0.5  # what was marked before is not of this event
THOUSAND = 10_000  # from here on thousands are told as `k`


def draw_motion(canvas: Canvas, series: Series) -> None:
    """Strokes from the least to the most of each column of pixels."""
    most = largest(series.highest, series.lowest) or 1.0
    scale = Upright(MOTION_TOP, MOTION_BOTTOM, -1.05 * most, 1.05 * most)
    _box(canvas, series, scale, [x for x in ticks(-most, most, 5) if abs(x) < 1.01 * most])
    heard = ~np.isnan(series.highest)
    first = np.where(heard, scale.rows(np.where(heard, series.highest, 0.0)), 1)
    last = np.where(heard, scale.rows(np.where(heard, series.lowest, 0.0)), 0)
    canvas.columns(LEFT, first, last, BLUE)
    canvas.frame(LEFT, MOTION_TOP, RIGHT, MOTION_BOTTOM + 1, GREY)
    low_hz, high_hz = series.band_hz
    _legend(canvas, MOTION_TOP, "ground motion", "movimiento del suelo")
    unit = "counts/cuentas" if series.unit == "counts" else series.unit
    canvas.text(LEGEND, MOTION_TOP + 29, f"{number(low_hz)}–{number(round(high_hz))} Hz", GREY)
    canvas.text(LEGEND, MOTION_TOP + 44, f"max {short(most)}", BLACK)
    canvas.text(LEGEND, MOTION_TOP + 57, unit, BLACK)
    if not heard.all():
        canvas.fill(LEGEND, MOTION_BOTTOM - 9, LEGEND + 10, MOTION_BOTTOM + 1, LIGHT)
        canvas.text(LEGEND + 16, MOTION_BOTTOM - 10, "no data/sin datos", GREY)


def draw_envelope(canvas: Canvas, series: Series, story: WaveStory) -> None:
    """How loud it is, and a wedge over each footfall."""
    most = largest(series.envelope) or 1.0
    scale = Upright(ENVELOPE_TOP + max(WEDGE) + 3, ENVELOPE_BOTTOM, 0.0, 1.05 * most)
    frame = Upright(ENVELOPE_TOP, ENVELOPE_BOTTOM, scale.low, scale.high)
    _box(canvas, series, scale, [x for x in ticks(0.0, most, 3) if x < 1.01 * most], frame)
    heard = ~np.isnan(series.envelope)
    first = np.where(heard, scale.rows(np.where(heard, series.envelope, 0.0)), 1)
    last = np.where(heard, ENVELOPE_BOTTOM, 0)
    canvas.columns(LEFT, first, last, SKY)
    canvas.columns(LEFT, first, np.where(heard, first, 0), BLUE)
    shown = [s for s in story.footfalls_s if EARLIEST_S <= s < series.axis.high]
    _wedges(canvas, [series.axis.column(seconds) for seconds in shown], ENVELOPE_TOP + 1)
    canvas.frame(LEFT, ENVELOPE_TOP, RIGHT, ENVELOPE_BOTTOM + 1, GREY)
    _legend(canvas, ENVELOPE_TOP, "envelope", "envolvente")
    if shown:
        english, spanish = BLOWS if story.name == "digging" else FOOTFALLS
        _wedges(canvas, [LEGEND + 4], ENVELOPE_TOP + 40)
        canvas.text(LEGEND + 14, ENVELOPE_TOP + 36, f"{len(shown)} {english}", RED)
        canvas.text(LEGEND + 14, ENVELOPE_TOP + 49, spanish, GREY)


def draw_time(canvas: Canvas, axis: Level, top: int) -> None:
    """Seconds under the lowest chart, and what they count from."""
    for value in ticks(axis.low, axis.high, 11):
        column = axis.column(value)
        canvas.fill(column, top, column + 1, top + 4, GREY)
        canvas.text(column, top + 6, number(value).replace("-", "−"), GREY, align=0.5)
    canvas.text(RIGHT + 16, top + 6, "s", GREY)
    label = "seconds since it began · segundos desde el inicio"
    canvas.text((LEFT + RIGHT) // 2, top + 20, label, GREY, align=0.5)


def draw_gaps(canvas: Canvas, series: Series, top: int, bottom: int) -> None:
    """Grey where nothing was received."""
    silent = np.isnan(series.highest)
    canvas.columns(LEFT, np.where(silent, top, 1), np.where(silent, bottom, 0), LIGHT)


def draw_onset(canvas: Canvas, axis: Level, top: int, bottom: int) -> None:
    """A broken line where the event began."""
    column = axis.column(0.0)
    if LEFT < column < RIGHT:
        canvas.dashes(column, top, bottom - top, GREY, down=True, on=3, off=3)


def short(value: float) -> str:
    """`0.42`, `34`, `1,200`, `52k`."""
    if abs(value) >= THOUSAND:
        return f"{round(value / 1000):,}k".replace("-", "−")
    if abs(value) >= 100:
        return f"{round(value):,}".replace("-", "−")
    return f"{value:.3g}".replace("-", "−")


def _box(
    canvas: Canvas,
    series: Series,
    scale: Upright,
    values: list[float],
    frame: Upright | None = None,
) -> None:
    box = frame or scale
    draw_gaps(canvas, series, box.top, box.bottom)
    for value in values:
        row = scale.row(value)
        canvas.fill(LEFT, row, RIGHT, row + 1, PALE)
        canvas.text(LEFT - 6, row - 6, short(value), GREY, align=1.0)
    draw_onset(canvas, series.axis, box.top, box.bottom)


def _legend(canvas: Canvas, top: int, english: str, spanish: str) -> None:
    canvas.text(LEGEND, top, english, BLACK)
    canvas.text(LEGEND, top + 13, spanish, GREY)


def _wedges(canvas: Canvas, columns: list[int], top: int) -> None:
    """Small marks that point down at columns."""
    rows = np.zeros(canvas.width, np.int64)
    for offset, depth in enumerate(WEDGE, start=-(len(WEDGE) // 2)):
        at = np.array(columns, np.int64) + offset
        rows[at] = np.maximum(rows[at], depth)
    canvas.columns(0, np.full(canvas.width, top), top + rows - 1, RED)
