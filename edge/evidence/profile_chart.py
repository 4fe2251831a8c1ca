"""The counts of a pass over time and along the vehicle, panel by panel, with what was fitted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.evidence.axes import Level, Upright, number, ticks
from edge.evidence.canvas import (
    BLACK,
    BLUE,
    GREY,
    LIGHT,
    ORANGE,
    PALE,
    PURPLE,
    RED,
    SAND,
    Canvas,
)
from fusion.pass_record import PassRecord
from fusion.types import SECOND_NS

LEFT, RIGHT = 70, 612
VEHICLE_TOP, VEHICLE_BOTTOM = 92, 104
TOP, BOTTOM = 110, 278
PANELS_TOP, PANEL_GAP = 290, 4
PANELS_BOTTOM = 366
NEUTRON_TOP, NEUTRON_BOTTOM = 376, 404
AXIS_LABEL = 424
LEGEND = 628
WIDEST_SLOT = 3  # pixels a scan at least; more scans than fit are drawn in groups
LOW_BEGINS_AT_ZERO = 2.2  # a source that doubles the counts needs no magnified axis
MAX_PANELS = 8  # rows that can be told apart


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curves:
    """The pass as it is drawn, in counts a second; every array is (columns,)."""

    total: NDArray[np.float64]
    panels: NDArray[np.float64]
    """(columns, panels)"""
    clean: NDArray[np.float64] | None
    fitted: NDArray[np.float64] | None
    alarm: NDArray[np.float64] | None


def draw_profile(canvas: Canvas, record: PassRecord, position_m: float | None) -> None:
    """Everything between the headline and the lower edge of the first 450 rows."""
    axis = _time_axis(record)
    curves = _curves(record, axis)
    _legend(canvas, record, curves)
    if curves is None:
        canvas.text(
            (LEFT + RIGHT) // 2, 190, "no gamma scans · sin lecturas gamma", GREY, align=0.5
        )
    else:
        _vehicle(canvas, record, axis, position_m)
        _sum(canvas, record, curves, axis)
        _panels(canvas, record, curves)
    _neutrons(canvas, record, axis)
    _time(canvas, axis)


def _time_axis(record: PassRecord) -> Level:
    """Seconds since the vehicle came."""
    starts = [0.0]
    ends = [1.0]
    if len(record.starts_utc_ns):
        starts.append(_seconds(record, int(record.starts_utc_ns[0])))
        ends.append(_seconds(record, int(record.starts_utc_ns[-1])) + record.scan_s)
    if len(record.neutron_starts_utc_ns):
        last = _seconds(record, int(record.neutron_starts_utc_ns[-1]))
        starts.append(_seconds(record, int(record.neutron_starts_utc_ns[0])))
        ends.append(last + float(record.neutron_s[-1]))
    return Level(LEFT, RIGHT, min(starts), max(ends))


def _seconds(record: PassRecord, utc_ns: int) -> float:
    return (utc_ns - record.opened_utc_ns) / SECOND_NS


def _curves(record: PassRecord, axis: Level) -> _Curves | None:
    scans = len(record.starts_utc_ns)
    if not scans:
        return None
    group = max(1, -(-scans * WIDEST_SLOT // axis.width))
    first = np.arange(0, scans, group)
    sizes = np.diff(np.append(first, scans)).astype(np.float64)
    seconds = sizes * record.scan_s
    starts_s = (record.starts_utc_ns[first] - record.opened_utc_ns) / SECOND_NS
    # Which group each column of pixels shows: the last that began before its middle.
    shown = np.searchsorted(starts_s, axis.middles(), side="right") - 1
    shown = np.clip(shown, 0, len(first) - 1)

    def rates(counts: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        if counts is None or len(counts) != scans:
            return None
        sums = np.add.reduceat(counts.astype(np.float64), first, axis=0)
        result: NDArray[np.float64] = (sums.T / seconds).T[shown]
        return result

    panels = rates(record.gamma_counts.astype(np.float64))
    total = rates(record.gamma_counts.sum(axis=1).astype(np.float64))
    assert panels is not None
    assert total is not None
    return _Curves(
        total=total,
        panels=panels,
        clean=rates(record.clean_counts),
        fitted=rates(record.fitted_counts),
        alarm=rates(record.alarm_counts),
    )


def _background_cps(record: PassRecord) -> float | None:
    background = record.gamma_background_cps
    return None if background is None else float(sum(float(each) for each in background))


def _sum(canvas: Canvas, record: PassRecord, curves: _Curves, axis: Level) -> None:
    known = [curves.total, curves.clean, curves.fitted, curves.alarm]
    background = _background_cps(record)
    most = max(float(each.max()) for each in known if each is not None)
    least = min(float(each.min()) for each in known if each is not None)
    if background is not None:
        most, least = max(most, background), min(least, background)
    most = max(most, 1.0) * 1.06
    low = 0.0 if most >= LOW_BEGINS_AT_ZERO * least else least - 0.12 * (most - least)
    scale = Upright(TOP, BOTTOM, max(low, 0.0), most)
    for value in ticks(scale.low, scale.high, 5):
        row = scale.row(value)
        canvas.fill(LEFT, row, RIGHT, row + 1, PALE)
        canvas.text(LEFT - 6, row - 6, number(value), GREY, align=1.0)
    if curves.clean is not None and curves.fitted is not None:
        fitted, clean = scale.rows(curves.fitted), scale.rows(curves.clean)
        canvas.columns(LEFT, fitted, clean - 1, SAND)  # only what is above it: rows run down
    if background is not None:
        canvas.dashes(LEFT, scale.row(background), axis.width, GREY, on=2, off=3)
    if curves.clean is not None:
        canvas.steps(LEFT, scale.rows(curves.clean), BLUE, thick=2)
    if curves.alarm is not None:
        canvas.steps(LEFT, scale.rows(curves.alarm), RED, thick=2, dashed=True)
    if curves.fitted is not None:
        canvas.steps(LEFT, scale.rows(curves.fitted), ORANGE, thick=3)
    canvas.steps(LEFT, scale.rows(curves.total), BLACK)
    canvas.frame(LEFT, TOP, RIGHT, BOTTOM + 1, GREY)
    canvas.text(LEFT + 6, TOP + 4, "gamma cps", GREY)


def _vehicle(canvas: Canvas, record: PassRecord, axis: Level, position_m: float | None) -> None:
    """The vehicle as a bar with its metres, and where the source is."""
    seconds = _middles_s(record)
    length_m = record.length_m or float(max(record.passed_m.max(), 0.0))
    front, rear = _when(seconds, record.passed_m, 0.0), _when(seconds, record.passed_m, length_m)
    begin = LEFT if front is None else max(axis.column(front), LEFT)
    end = RIGHT if rear is None else min(axis.column(rear), RIGHT)
    canvas.fill(begin, VEHICLE_TOP, end, VEHICLE_BOTTOM, LIGHT)
    for metres in ticks(0.0, max(length_m, 1.0), 9):
        at = _when(seconds, record.passed_m, metres)
        if at is not None and LEFT <= axis.column(at) <= RIGHT:
            column = axis.column(at)
            canvas.fill(column, VEHICLE_TOP, column + 1, VEHICLE_BOTTOM + 3, GREY)
            canvas.text(column, VEHICLE_TOP - 15, number(metres), GREY, align=0.5)
    canvas.text(RIGHT + 6, VEHICLE_TOP - 15, "m", GREY)
    at = None if position_m is None else _when(seconds, record.passed_m, position_m)
    if at is not None:
        column = min(max(axis.column(at), LEFT + 6), RIGHT - 6)
        for row in range(9):  # a wedge that points down into the curve
            canvas.fill(
                column - 8 + row,
                VEHICLE_TOP + 2 + row,
                column + 9 - row,
                VEHICLE_TOP + 3 + row,
                RED,
            )


def _middles_s(record: PassRecord) -> NDArray[np.float64]:
    seconds: NDArray[np.float64] = (
        record.starts_utc_ns - record.opened_utc_ns
    ) / SECOND_NS + record.scan_s / 2
    return seconds


def _when(
    seconds: NDArray[np.float64], passed_m: NDArray[np.float64], metres: float
) -> float | None:
    """When that place of the vehicle was first at the portal; None where it never was.

    A vehicle may stand still or go back: the first time counts.
    """
    if len(passed_m) < 2 or metres < passed_m[0]:
        step_m = float(passed_m[1] - passed_m[0]) if len(passed_m) > 1 else 0.0
        if step_m <= 0.0:
            return None
        back = float(passed_m[0] - metres) / step_m
        return float(seconds[0] - back * (seconds[1] - seconds[0]))
    after = np.flatnonzero(passed_m >= metres)
    if not len(after):
        return None
    index = int(after[0])
    if index == 0:
        return float(seconds[0])
    step_m = float(passed_m[index] - passed_m[index - 1])
    share = (metres - float(passed_m[index - 1])) / step_m if step_m > 0.0 else 0.0
    return float(seconds[index - 1] + share * (seconds[index] - seconds[index - 1]))


def _panels(canvas: Canvas, record: PassRecord, curves: _Curves) -> None:
    """A row for each panel, all on one scale from nothing to the highest."""
    shown = min(curves.panels.shape[1], MAX_PANELS)
    height = (PANELS_BOTTOM - PANELS_TOP + PANEL_GAP) // shown - PANEL_GAP
    most = max(float(curves.panels[:, :shown].max()), 1.0)
    for panel in range(shown):
        top = PANELS_TOP + panel * (height + PANEL_GAP)
        scale = Upright(top, top + height, 0.0, most)
        rows = scale.rows(curves.panels[:, panel])
        canvas.columns(LEFT, rows, np.full(len(rows), top + height), LIGHT)
        if record.gamma_background_cps is not None:
            row = scale.row(float(record.gamma_background_cps[panel]))
            canvas.columns(LEFT, rows, np.full(len(rows), row), ORANGE)
            canvas.dashes(LEFT, row, RIGHT - LEFT, GREY, on=2, off=3)
        canvas.steps(LEFT, rows, BLACK)
        canvas.text(LEFT - 6, top + height // 2 - 6, f"panel {panel + 1}", BLACK, align=1.0)
    canvas.text(RIGHT + 6, PANELS_TOP - 4, f"max {number(round(most))} cps", GREY)


def _neutrons(canvas: Canvas, record: PassRecord, axis: Level) -> None:
    """Bars of counts, and what the background lets expect."""
    canvas.text(LEFT - 6, (NEUTRON_TOP + NEUTRON_BOTTOM) // 2 - 6, "neutr.", PURPLE, align=1.0)
    canvas.fill(LEFT, NEUTRON_BOTTOM, RIGHT, NEUTRON_BOTTOM + 1, GREY)
    counts = record.neutron_counts
    if not len(counts):
        canvas.text(LEFT + 6, NEUTRON_TOP + 8, "no neutrons counted · sin neutrones", GREY)
        return
    most = max(int(counts.max()), 1)
    scale = Upright(NEUTRON_TOP, NEUTRON_BOTTOM, 0.0, float(most))
    for start, seconds, count in zip(
        record.neutron_starts_utc_ns, record.neutron_s, counts, strict=True
    ):
        at_s = _seconds(record, int(start))
        left, right = axis.column(at_s), axis.column(at_s + float(seconds))
        canvas.fill(
            max(left, LEFT),
            scale.row(int(count)),
            min(max(right - 1, left + 1), RIGHT),
            NEUTRON_BOTTOM,
            PURPLE,
        )
    background = record.neutron_background_cps
    if background is not None:
        row = scale.row(min(background * float(record.neutron_s[0]), float(most)))
        canvas.dashes(LEFT, row, RIGHT - LEFT, GREY, on=2, off=3)
    canvas.text(RIGHT + 6, NEUTRON_TOP - 2, f"max {most}", GREY)


def _time(canvas: Canvas, axis: Level) -> None:
    for value in ticks(axis.low, axis.high, 11):
        column = axis.column(value)
        canvas.fill(column, NEUTRON_BOTTOM, column + 1, NEUTRON_BOTTOM + 4, GREY)
        canvas.text(column, NEUTRON_BOTTOM + 6, number(value), GREY, align=0.5)
    canvas.text(RIGHT + 6, NEUTRON_BOTTOM + 6, "s", GREY)
    canvas.text(
        (LEFT + RIGHT) // 2,
        AXIS_LABEL + 3,
        "seconds since entry · segundos desde la entrada",
        GREY,
        align=0.5,
    )


def _legend(canvas: Canvas, record: PassRecord, curves: _Curves | None) -> None:
    y = TOP + 2
    if curves is None:
        return
    rows = [(BLACK, 1, 0, "sum of panels", "suma de paneles", True)]
    rows += [
        (ORANGE, 3, 0, "fitted source", "fuente ajustada", curves.fitted is not None),
        (RED, 2, 4, "alarm line", "línea de alarma", curves.alarm is not None),
        (BLUE, 2, 0, "vehicle shadow", "sombra vehículo", curves.clean is not None),
        (GREY, 1, 3, "background", "fondo", record.gamma_background_cps is not None),
    ]
    for colour, thick, gap, english, spanish, there in rows:
        if not there:
            continue
        for row in range(thick):
            canvas.dashes(
                LEGEND, y + 6 + row - thick // 2, 26, colour, on=5 if gap else 26, off=gap
            )
        canvas.text(LEGEND + 32, y, english, BLACK)
        canvas.text(LEGEND + 32, y + 13, spanish, GREY)
        y += 33
