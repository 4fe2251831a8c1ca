"""A load on a coarse grid: what is kept of a scan to hold the container's next one against."""

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.xray import box_sums
from fusion.scans.geometry import Geometry

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SQUARE_M = 0.125  # 5 kg of steel in one add 32 g/cm2, and still 8 across the corner of four
MOST_SQUARES = 4_000  # a box of 20 x 3 m has 3,840
LEAST = 0.1
MOST_OPAQUE = 0.25  # of a square, before nothing is known of the rest


def signature(areal: Floats, opaque: Flags, geometry: Geometry) -> tuple[float, ...]:
    """(columns, then mean g/cm2 row by row from the top) of squares from front wall and deck.

    areal   (rows, columns) g/cm2 of the zone's cells
    opaque  (rows, columns) where it is at least that, as where the box itself fills the picture:
            such squares are told below 0
    returns empty where the zone holds no square, or far too many
    """
    tall_m, long_m = areal.shape[0] * geometry.cell_y_m, areal.shape[1] * geometry.cell_x_m
    rows, columns = int(tall_m / SQUARE_M), int(long_m / SQUARE_M)
    if rows < 1 or columns < 1 or rows * columns > MOST_SQUARES:
        return ()
    down = (tall_m - SQUARE_M * np.arange(rows, -1.0, -1.0)) / geometry.cell_y_m
    along = SQUARE_M * np.arange(columns + 1.0) / geometry.cell_x_m
    means = np.clip(_means(areal, down, along), 0.0, 999.0)
    dark = _means(opaque.astype(np.float64), down, along)
    told = np.where(dark > MOST_OPAQUE, -np.maximum(means, LEAST), means)
    return (float(columns), *np.round(told, 1).reshape(-1).tolist())


def grid(told: tuple[float, ...]) -> Floats | None:
    """(rows, columns) g/cm2 of a signature, below 0 at least so much; None where it is none."""
    if not told:
        return None
    columns = int(told[0])
    numbers = np.array(told[1:], np.float64)
    if columns < 1 or numbers.size == 0 or numbers.size % columns:
        return None
    return numbers.reshape(-1, columns)


def _means(values: Floats, *edges: NDArray[np.floating]) -> Floats:
    """Means of the boxes between edges down and edges along, parts of a cell by their share."""
    sums = box_sums(values)
    for each in edges:  # the second time of what the first has turned over
        at = np.clip(each, 0.0, sums.shape[0] - 1)
        whole = np.minimum(at.astype(np.int64), sums.shape[0] - 2)
        until = sums[whole] + (at - whole)[:, None] * (sums[whole + 1] - sums[whole])
        sums = (np.diff(until, axis=0) / np.diff(at)[:, None]).T
    return np.asarray(sums, np.float64)
