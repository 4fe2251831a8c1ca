"""The picture of a scan without any words: light and material at the size it is shown in."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.evidence.canvas import GREY
from edge.evidence.scans.colours import (
    AIR_COUNTS,
    DUSK,
    LEVELS,
    MIST,
    OPAQUE,
    ORGANIC,
    VIOLET,
    colour_of,
    levels_of_counts,
    levels_of_grey,
)
from fusion.kernels.xray_sheet import coloured, light_levels
from fusion.scan_record import ScanPixels, ScanRecord

MAX_WIDTH, MAX_HEIGHT = 1560, 640
NONE = 255
"""Level of a place where nothing was measured."""
AROUND = 5  # cells: 20 cm, as wide as an edge is blurred
HATCH, LINE = 8, 3  # pixels from line to line, and of one


def sheet_of(record: ScanRecord, pixels: ScanPixels) -> NDArray[np.uint8]:
    """(rows, columns) of colours; as wide as `MAX_WIDTH` or as high as `MAX_HEIGHT`.

    A millimetre is as long across as along.
    """
    rows, columns = edges_of(record)
    levels = _levels(pixels, rows, columns)
    groups = _smoothed(pixels.groups)
    down = np.minimum(rows[:-1] // pixels.cell_px, groups.shape[0] - 1)
    along = np.minimum(columns[:-1] // pixels.cell_px, groups.shape[1] - 1)
    sheet = coloured(levels, groups, (down, along), _colours())
    if (groups == OPAQUE).any():
        y, x = np.nonzero(sheet == DUSK)
        struck = (x + y) % HATCH < LINE
        sheet[y[struck], x[struck]] = VIOLET
    lost = np.zeros(record.columns, np.bool_)
    for first, last in record.lost_columns:
        lost[first:last] = True
    gone = lost[columns[:-1]]
    if gone.any():
        sheet[:, gone] = MIST
        back = np.arange(sheet.shape[1]) - np.arange(sheet.shape[0])[:, None]
        sheet[gone & (back % HATCH < 2)] = GREY
    return sheet


@cache
def _colours() -> NDArray[np.uint8]:
    """(groups, 256) of each group and level."""
    found = np.full((OPAQUE + 1, 256), MIST, np.uint8)
    for group in range(OPAQUE):
        found[group, :LEVELS] = colour_of(group, 0) + np.arange(LEVELS)
    found[OPAQUE, :LEVELS] = DUSK
    return found


def edges_of(record: ScanRecord) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows and the columns of the scan at which each place of the sheet begins, and the end."""
    width_mm, height_mm = record.columns * record.pitch_x_mm, record.rows * record.pitch_y_mm
    scale_mm = max(width_mm / MAX_WIDTH, height_mm / MAX_HEIGHT)
    across = max(round(width_mm / scale_mm), 1)
    down = max(round(height_mm / scale_mm), 1)
    return (
        np.arange(down + 1, dtype=np.int64) * record.rows // down,
        np.arange(across + 1, dtype=np.int64) * record.columns // across,
    )


def _smoothed(groups: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What most of the told cells around each are; what is opaque stays so.

    The planes are never quite in one place, so the edges of goods look like another material. A
    cell of which nothing is told takes part where most around it are told.
    """
    told = np.arange(ORGANIC, OPAQUE)
    count = [
        cv2.boxFilter((groups == group).astype(np.uint8), -1, (AROUND, AROUND), normalize=False)
        for group in told
    ]
    most = told[np.argmax(count, axis=0)].astype(np.uint8)
    inside = (groups >= ORGANIC) | (np.sum(count, axis=0) > AROUND**2 // 2)
    return np.where(inside & (groups < OPAQUE), most, groups)


def _levels(
    pixels: ScanPixels, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.uint8]:
    if pixels.high is None:
        assert pixels.composite is not None
        plane = pixels.composite.astype(np.uint16)
        even = np.zeros(plane.shape[0]), np.ones(plane.shape[0]), np.ones(plane.shape[1])
        return light_levels(plane, even, (rows, columns), levels_of_grey(), NONE)
    to_air = AIR_COUNTS / max(pixels.air_counts, 1.0)
    factors = (pixels.dark, to_air * _inverse(pixels.gain), _inverse(pixels.pulse))
    return light_levels(pixels.high, factors, (rows, columns), levels_of_counts(), NONE)


def _inverse(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / value, 0 where the value is."""
    return np.divide(1.0, values, out=np.zeros_like(values), where=values > 0.0)
