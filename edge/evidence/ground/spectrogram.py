"""Which frequencies were heard when: dark is loud."""

import numpy as np
from numpy.typing import NDArray

from edge.evidence.axes import Upright, number, ticks
from edge.evidence.canvas import BLACK, GREY, HEAT, Canvas
from edge.evidence.ground.chart import LEFT, LEGEND, RIGHT, draw_gaps, draw_onset
from edge.evidence.ground.series import COLUMN_PIXELS, Floats, Series

TOP, BOTTOM = 258, 392
LOWEST_HZ = 1.5  # below are microseism and the drift of the instrument
LOUDEST_SHARE = 0.002  # of all cells may be louder than the darkest colour says
QUIET = 4.0  # the quiet itself stays white: of noise one cell in sixteen is above
STEPS_DB = (1.5, 2.0, 3.0, 4.0, 5.0, 6.0)
"""Between two colours; one of these, so that the quiet is just not coloured."""
RATIOS = (
    0.7079457843841379,
    0.6309573444801932,
    0.5011872336272722,
    0.3981071705534972,
    0.31622776601683794,
    0.251188643150958,
)
"""The same as factors of power, written out: no machine's own power function is asked."""


def draw_spectrogram(canvas: Canvas, series: Series) -> None:
    """Everything between TOP and BOTTOM."""
    scale = Upright(TOP, BOTTOM, 0.0, series.top_hz)
    draw_gaps(canvas, series, TOP, BOTTOM)
    cells = _by_rows(series, scale)
    heard = cells[~np.isnan(cells)]
    step = 0
    if heard.size:
        levels, step = _levels(cells, np.sort(heard))
        _paint(canvas, cells, levels)
    draw_onset(canvas, series.axis, TOP, BOTTOM)
    for value in ticks(0.0, series.top_hz, 5):
        row = scale.row(value)
        canvas.fill(LEFT - 4, row, LEFT, row + 1, GREY)
        canvas.text(LEFT - 8, row - 6, number(value), GREY, align=1.0)
    canvas.frame(LEFT, TOP, RIGHT, BOTTOM + 1, GREY)
    canvas.text(LEFT - 62, TOP - 6, "Hz", GREY)
    canvas.text(LEGEND, TOP, "spectrogram", BLACK)
    canvas.text(LEGEND, TOP + 13, "espectrograma", GREY)
    _colours(canvas, step)


def _by_rows(series: Series, scale: Upright) -> Floats:
    """(rows, columns) power in the middle of each row of pixels, highest frequency first."""
    rows = np.arange(TOP + 1, BOTTOM)
    hz = (BOTTOM - rows) * (series.top_hz / (scale.bottom - scale.top))
    place = np.fmin(hz / series.bin_hz, series.power.shape[1] - 1.001)
    below = place.astype(np.int64)
    part = place - below
    power = series.power.T
    cells: Floats = power[below] * (1.0 - part)[:, None] + power[below + 1] * part[:, None]
    cells[hz < LOWEST_HZ] = np.nan
    return cells


def _levels(cells: Floats, ranked: Floats) -> tuple[NDArray[np.int64], int]:
    """(rows, columns) 0 to the number of colours less one; and which of STEPS_DB divides them."""
    loudest = float(ranked[-1 - int(LOUDEST_SHARE * len(ranked))])
    quiet = QUIET * float(ranked[len(ranked) // 2])
    step = 0
    while step + 1 < len(RATIOS) and _lines(loudest, step)[-1] > quiet:
        step += 1
    levels = np.zeros(cells.shape, np.int64)
    for line in _lines(loudest, step):
        levels += cells >= line
    return levels, step


def _lines(loudest: float, step: int) -> list[float]:
    """From which power on a cell has each colour, falling."""
    lines = [loudest * RATIOS[step]]
    while len(lines) < len(HEAT) - 1:
        lines.append(lines[-1] * RATIOS[step])
    return lines


def _paint(canvas: Canvas, cells: Floats, levels: NDArray[np.int64]) -> None:
    wide = np.repeat(np.array(HEAT, np.uint8)[levels], COLUMN_PIXELS, axis=1)
    sheet = canvas.pixels[TOP + 1 : BOTTOM, LEFT : LEFT + wide.shape[1]]
    heard = np.repeat(~np.isnan(cells), COLUMN_PIXELS, axis=1)
    sheet[heard] = wide[heard]


def _colours(canvas: Canvas, step: int) -> None:
    """What the colours mean, the loudest on top."""
    for index, colour in enumerate(reversed(HEAT)):
        y = TOP + 32 + 10 * index
        canvas.fill(LEGEND, y, LEGEND + 22, y + 10, colour)
    bottom = TOP + 32 + 10 * len(HEAT)
    canvas.frame(LEGEND, TOP + 32, LEGEND + 22, bottom, GREY)
    canvas.text(LEGEND + 30, TOP + 30, "loud/fuerte", BLACK)
    canvas.text(LEGEND + 30, bottom - 12, "quiet/calma", BLACK)
    spread = number(STEPS_DB[step] * (len(HEAT) - 1))
    canvas.text(LEGEND + 30, (TOP + 32 + bottom) // 2 - 6, f"{spread} dB", GREY)
