"""The spectrum that the verdict rests on, over the background, with the nuclides' lines.

Energies stand on a square-root axis, on which a scintillator's peaks are all about as wide, and
counts on another, which shows a small peak beside a large one and needs no logarithm.
"""

import numpy as np
from numpy.typing import NDArray

from edge.evidence.axes import Upright, number, round_step, ticks
from edge.evidence.canvas import BLACK, BLUE, GREY, LIGHT, PALE, RED, Canvas
from edge.evidence.profile_chart import LEFT, LEGEND
from fusion.pass_record import SpectraRecord
from fusion.spectra.nuclides import NUCLIDES
from fusion.types import SECOND_NS

SPECTRUM_HEIGHT = 290
RIGHT = 612
TOP, BOTTOM = 34, 240
BINS = 271  # two pixels each; as fine as 3 % of 662 keV
LOWEST_KEV, HIGHEST_KEV = 20.0, 3000.0
MARKS_KEV = (50, 100, 200, 300, 500, 700, 1000, 1500, 2000, 2600)
MAX_LINES = 5  # of each nuclide, the strongest that stand apart
NEAR_KEV = 12.0  # lines closer than this are one to the eye
FAINT = 0.12  # of the nuclide's strongest line


def draw_spectrum(
    canvas: Canvas,
    top: int,
    spectra: SpectraRecord,
    opened_utc_ns: int,
    nuclides: tuple[tuple[str, float], ...],
) -> None:
    """Everything in the `SPECTRUM_HEIGHT` rows below `top`."""
    first, last = spectra.window
    begin_s, end_s = _window_s(spectra, opened_utc_ns)
    title = f"gamma spectrum · espectro gamma   {begin_s:.1f} – {end_s:.1f} s   "
    title += f"{len(spectra.detectors)} × {spectra.detector_type or 'det.'}"
    canvas.fill(8, top, canvas.width - 8, top + 1, LIGHT)
    canvas.text(LEFT, top + 12, title, BLACK)
    if last <= first or not spectra.edges_kev.size:
        canvas.text(LEFT, top + 60, "no energies known · energías desconocidas", GREY)
        return
    edges_kev = _bin_edges(spectra)
    seconds = float(sum(float(each) for each in spectra.live_s[first:last].mean(axis=1)))
    counts = spectra.counts[first:last].sum(axis=0, dtype=np.int64).astype(np.float64)
    rates = _binned(counts, spectra.edges_kev, edges_kev) / max(seconds, 1e-9)
    background = None
    if spectra.background_counts is not None and spectra.background_live_s > 0.0:
        background = _binned(spectra.background_counts, spectra.edges_kev, edges_kev)
        background = background / spectra.background_live_s
    most = max(float(rates.max()), 0.0 if background is None else float(background.max()), 1e-9)
    scale = Upright(top + TOP, top + BOTTOM, 0.0, float(np.sqrt(most * 1.15)))
    _axes(canvas, top, scale, edges_kev)
    # Bins in the middle of their two columns: rows for each column of pixels.
    rows = np.repeat(scale.rows(np.sqrt(rates)), 2)
    if background is not None:
        below = np.repeat(scale.rows(np.sqrt(background)), 2)
        canvas.columns(LEFT, below, np.full(len(below), top + BOTTOM - 1), LIGHT)
        canvas.steps(LEFT, below, GREY)
    canvas.steps(LEFT, rows, BLUE, thick=2)
    canvas.frame(LEFT, top + TOP, RIGHT, top + BOTTOM + 1, GREY)
    canvas.text(LEFT + 6, top + TOP + 4, "gamma cps, √", GREY)
    _lines(canvas, top, edges_kev, nuclides)
    _legend(canvas, top + TOP + 2, nuclides, background=background is not None)


def _window_s(spectra: SpectraRecord, opened_utc_ns: int) -> tuple[float, float]:
    first, last = spectra.window
    if last <= first:
        return 0.0, 0.0
    begin_ns, end_ns = int(spectra.starts_utc_ns[first]), int(spectra.starts_utc_ns[last - 1])
    end_s = (end_ns - opened_utc_ns) / SECOND_NS + float(spectra.real_s[last - 1])
    return (begin_ns - opened_utc_ns) / SECOND_NS, end_s


def _bin_edges(spectra: SpectraRecord) -> NDArray[np.float64]:
    """(BINS + 1,) keV, evenly spread by their square root over what the detectors cover."""
    highest = min(max(float(spectra.edges_kev[:, -1].max()), 4 * LOWEST_KEV), HIGHEST_KEV)
    lowest = min(max(float(spectra.edges_kev[:, 0].min()), LOWEST_KEV), highest / 2)
    roots = np.linspace(np.sqrt(lowest), np.sqrt(highest), BINS + 1)
    edges: NDArray[np.float64] = roots * roots
    return edges


def _binned(
    counts: NDArray[np.float64],
    channel_edges_kev: NDArray[np.float32],
    edges_kev: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(BINS,) of all detectors: a channel that lies in two bins is shared by its width."""
    total = np.zeros(len(edges_kev) - 1)
    for of_detector, edges in zip(counts, channel_edges_kev, strict=True):
        below = np.concatenate((np.zeros(1), np.cumsum(of_detector)))
        total += np.diff(np.interp(edges_kev, edges.astype(np.float64), below))
    return total


def _column(energy_kev: float, edges_kev: NDArray[np.float64]) -> int:
    low, high = float(np.sqrt(edges_kev[0])), float(np.sqrt(edges_kev[-1]))
    return LEFT + round((float(np.sqrt(energy_kev)) - low) / (high - low) * (RIGHT - LEFT))


def _axes(canvas: Canvas, top: int, scale: Upright, edges_kev: NDArray[np.float64]) -> None:
    highest = scale.high * scale.high
    # The lowest stretch of a square root is long, and would be left without a number.
    values = [*ticks(0.0, highest, 4), round_step(highest / 20, 1)]
    taken: list[int] = []
    for value in values:
        row = scale.row(float(np.sqrt(value)))
        if all(abs(row - other) >= 14 for other in taken):
            taken.append(row)
            canvas.fill(LEFT, row, RIGHT, row + 1, PALE)
            canvas.text(LEFT - 6, row - 6, number(value), GREY, align=1.0)
    for energy in MARKS_KEV:
        if edges_kev[0] < energy < edges_kev[-1]:
            column = _column(energy, edges_kev)
            canvas.fill(column, top + BOTTOM, column + 1, top + BOTTOM + 5, GREY)
            canvas.text(column, top + BOTTOM + 8, number(energy), GREY, align=0.5)
    canvas.text(RIGHT + 6, top + BOTTOM + 8, "keV", GREY)


def _lines(
    canvas: Canvas,
    top: int,
    edges_kev: NDArray[np.float64],
    nuclides: tuple[tuple[str, float], ...],
) -> None:
    """Each nuclide's main lines, its energy beside; a second nuclide's stand a step lower."""
    taken: list[tuple[int, int]] = []
    for index, (name, _) in enumerate(nuclides[:2]):
        for energy in main_lines(name):
            if not edges_kev[0] < energy < edges_kev[-1]:
                continue
            column = _column(energy, edges_kev)
            canvas.dashes(column, top + TOP, BOTTOM - TOP, RED, down=True, on=4, off=3 + 3 * index)
            row = top + TOP + 3 + 14 * index
            while any(abs(column - x) < 44 and abs(row - y) < 14 for x, y in taken):
                row += 14
            taken.append((column, row))
            canvas.text(column + 3, row, f"{energy:.0f}", RED)


def main_lines(nuclide: str) -> list[float]:
    """Energies in keV of a nuclide's strongest lines, rising; none for a name we do not know."""
    known = NUCLIDES.get(nuclide)
    if known is None:
        return []
    by_strength = sorted(known.lines, key=lambda line: (-line[1], line[0]))
    seen = [line for line in by_strength if line[0] >= 1.5 * LOWEST_KEV]
    kept: list[float] = []
    for energy, percent in seen:
        apart = all(abs(energy - other) >= NEAR_KEV for other in kept)
        if apart and percent >= FAINT * seen[0][1]:
            kept.append(energy)
    return sorted(kept[:MAX_LINES])


def _legend(
    canvas: Canvas, y: int, nuclides: tuple[tuple[str, float], ...], *, background: bool
) -> None:
    canvas.fill(LEGEND, y + 6, LEGEND + 26, y + 8, BLUE)
    canvas.text(LEGEND + 32, y, "this vehicle", BLACK)
    canvas.text(LEGEND + 32, y + 13, "este vehículo", GREY)
    y += 33
    if background:
        canvas.fill(LEGEND, y + 1, LEGEND + 26, y + 13, LIGHT)
        canvas.fill(LEGEND, y + 1, LEGEND + 26, y + 2, GREY)
        canvas.text(LEGEND + 32, y, "background", BLACK)
        canvas.text(LEGEND + 32, y + 13, "fondo", GREY)
        y += 33
    for index, (name, confidence) in enumerate(nuclides[:2]):
        canvas.dashes(LEGEND + 13, y, 24, RED, down=True, on=4, off=3 + 3 * index)
        canvas.text(LEGEND + 32, y, name, RED)
        canvas.text(LEGEND + 32, y + 13, f"{100 * confidence:.0f} %", GREY)
        y += 33
