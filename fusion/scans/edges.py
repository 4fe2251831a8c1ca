"""How sharp a picture is: the blur of an upright steel edge that stands before air."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fusion.scans.calibrate import Calibration, Floats

REACH_PX = 24  # on either side of where geometry has the post; a cell is 8
CLEAR = 0.8  # of air: what stands before the post must let light through, or it is no edge
LEAST_STEP = 0.03  # of air in one pixel: the steepest place of a post is 0.05 to 0.3
TEN_TO_NINETY = 2.5631  # standard deviations of a normal edge between its 10 and 90 %

BEFORE_PX, AFTER_PX = 7, 5  # of the steepest step that are fitted
SIGMAS_PX = 0.35 * 1.15 ** np.arange(18.0)  # 0.35 to 3.8
MIDDLES_PX = np.arange(-1.0, 1.01, 0.125)
SECOND_PX = np.concatenate([[40.0], np.arange(1.75, 5.01, 0.25)])  # 40: there is no second edge


def edge_spread_px(
    plane: NDArray[np.uint16], known: Calibration, rows: slice, posts: tuple[float, float]
) -> float | None:
    """10 to 90 % of the outer edges of the front and the rear post, in pixels; None: not seen.

    plane  (rows, columns) raw counts
    rows   from under the roof to above the deck
    posts  columns near the front post's first and the rear post's last pixel
    """
    widths = []
    alive = int(np.count_nonzero(known.gain[rows] > 0))
    for column, inward in ((posts[0], 1), (posts[1], -1)):
        first = max(int(column) - REACH_PX, known.first_column)
        last = min(int(column) + REACH_PX, known.last_column)
        columns = np.arange(first, last, dtype=np.int64)[::inward]
        columns = columns[known.pulse[columns] > 0]
        if columns.size < REACH_PX or not alive:
            continue
        width = edge_width(known.transmission(plane, rows, columns).sum(axis=0) / alive)
        if width is not None:
            widths.append(width)
    return sum(widths) / len(widths) if widths else None


def edge_width(profile: Floats) -> float | None:
    """10 to 90 % width in pixels of the first edge of a profile that begins in air.

    Two normal edges of the same blur are fitted to the profile's slope, for an end wall stands a
    few centimetres inside its posts; least squares over a grid, then a parabola over the blur.
    """
    slope = profile[:-1] - profile[1:]
    steep = np.nonzero(slope > max(LEAST_STEP, 0.5 * float(slope.max(initial=0.0))))[0]
    if steep.size == 0:
        return None
    top = int(steep[0])
    while top + 1 < slope.size and slope[top + 1] > slope[top]:
        top += 1
    if top < BEFORE_PX or top + AFTER_PX > slope.size:
        return None
    if float(profile[: top - 2].min()) < CLEAR:
        return None
    left_over = _left_over(slope[top - BEFORE_PX : top + AFTER_PX])
    best = int(np.argmin(left_over))
    place = float(best)
    if 0 < best < SIGMAS_PX.size - 1:
        before, here, after = (float(left_over[best + i]) for i in (-1, 0, 1))
        bend = before - 2.0 * here + after
        place += 0.5 * (before - after) / bend if bend > 0.0 else 0.0
    return TEN_TO_NINETY * float(SIGMAS_PX[0]) * math.exp(place * math.log(1.15))


def _left_over(slope: Floats) -> Floats:
    """(blurs,) least squares that remain of a slope, over all places of one or two edges."""
    edges = _edges()
    # Not by a matrix product, whose order of adding up goes by the processor.
    along_1 = (edges.first * slope[:, None, None, None]).sum(axis=0)
    along_2 = (edges.second * slope[:, None, None, None]).sum(axis=0)
    # Normal equations of two amplitudes, neither of which may be less than nothing.
    amount_1 = edges.inverse_11 * along_1 - edges.inverse_12 * along_2
    amount_2 = edges.inverse_22 * along_2 - edges.inverse_12 * along_1
    explained = amount_1 * along_1 + amount_2 * along_2
    explained[np.minimum(amount_1, amount_2) <= 0.0] = 0.0
    alone = along_1[:, :, 0] ** 2 * edges.alone
    most = np.maximum(explained.max(axis=(1, 2)), alone.max(axis=1))
    return np.asarray(float((slope**2).sum()) - most, np.float64)


@dataclass(frozen=True, slots=True)
class _Edges:
    """Slopes of both edges at (pixels, blurs, middles, 1 or seconds), and of their products."""

    first: Floats
    second: Floats
    inverse_11: Floats
    """(blurs, middles, seconds) of the inverse of the normal equations' matrix; so the next two."""
    inverse_12: Floats
    inverse_22: Floats
    alone: Floats
    """(blurs, middles) one over the first edge's product with itself."""


@cache
def _edges() -> _Edges:
    at = np.arange(-BEFORE_PX, AFTER_PX, dtype=np.float64)[:, None, None, None]
    sigma = SIGMAS_PX[:, None, None]
    middle = MIDDLES_PX[:, None]
    first = np.exp(-0.5 * ((at - middle) / sigma) ** 2) / sigma
    second = np.exp(-0.5 * ((at - middle - SECOND_PX) / sigma) ** 2) / sigma
    second[..., 0] = 1e-6  # so that "no second edge" divides by something
    gram_11 = (first * first).sum(axis=0) + 1e-12
    gram_12 = (first * second).sum(axis=0)
    gram_22 = (second * second).sum(axis=0) + 1e-9
    less = gram_11 * gram_22 - gram_12**2
    return _Edges(
        first, second, gram_22 / less, gram_12 / less, gram_11 / less, 1.0 / gram_11[:, :, 0]
    )
