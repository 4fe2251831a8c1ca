"""What a display picture's box looks like inside, in terms that no display curve changes much."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.scans.calibrate import Floats
from fusion.scans.composite_box import Box

GRID = (20, 80)  # cells of 0.12 x 0.15 m in a 40 ft box
ROOF_SHARE, DECK_SHARE, END_SHARE = 0.08, 0.1, 0.1  # of the box's height: rails, deck, posts
LIGHTEST = 0.1  # of the cells: under the roof of all but the fullest box
MOST_WALL, USUAL_WALL = 0.4, 0.1  # of the range that walls take in any display
LITTLE = 0.005  # of the range, what is usual is never less
FINE_ROWS = 3  # bands in which the ribs are held against each other
RIB_PX = (3, 24)  # widths in working pixels between which a rib's contrast lies


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """The box's inside on a coarse grid."""

    cells: Floats
    """(rows, columns) darkness, 0 of air to 1."""
    wall: float
    """Of the lightest tenth: the walls alone, where any of them is seen."""
    excess: Floats
    """(rows, columns) over the wall."""
    step: float
    """Excess from which a cell holds load."""


def inside_of(box: Box, noise: float) -> Inside:
    """The box's inside without rails, deck and posts."""
    rows, columns = inner(box)
    part = box.straight[rows, columns]
    cells = _pooled(part, GRID)
    wall = _quantile(cells, LIGHTEST)
    if wall > MOST_WALL:
        wall = USUAL_WALL  # no wall is seen: a load hides all of them
    pixels = part.size / cells.size
    # As much again as the walls take, or what stands out of noise and uneven display.
    step = max(0.6 * max(wall, 0.0), 0.04, 5.0 * noise / np.sqrt(pixels))
    return Inside(cells=cells, wall=wall, excess=cells - wall, step=float(min(step, 0.2)))


def inner(box: Box) -> tuple[slice, slice]:
    """Rows and columns of the straightened picture that lie well inside the box."""
    height, length = box.bottom - box.top, box.right - box.left
    side = min(int(END_SHARE * height), length // 8)
    top = max(box.top + max(int(ROOF_SHARE * height), 2), 0)
    bottom = min(box.bottom - max(int(DECK_SHARE * height), 2), box.straight.shape[0])
    left, right = max(box.left + side, 0), min(box.right - side, box.straight.shape[1])
    return slice(top, max(bottom, top + 4)), slice(left, max(right, left + 8))


def terms(box: Box, inside: Inside, noise: float) -> tuple[float, ...]:
    """What emptiness is judged by; see `TERMS` for the names."""
    cells = inside.cells
    ordered = np.sort(cells.reshape(-1)).tolist()
    last = len(ordered) - 1
    p5, p10, p25, p50, p75, p90, p98 = (
        ordered[int(share * last)] for share in (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
    )
    rows = cells.shape[0]
    row_means = cells.sum(axis=1) / cells.shape[1]
    lower = float(row_means[rows // 2 :].sum() / (rows - rows // 2))
    third = max(rows // 3, 1)
    upper = float(row_means[:third].sum() / third)
    down = np.abs(np.diff(cells, axis=0))
    along = np.abs(np.diff(cells, axis=1))
    ribs, same = _ribs(box)
    deck = max(box.deck_vote, 0.05)
    return (
        p50,
        p90 - p25,
        p98 - p25,
        p25,
        lower - upper,
        _quantile(down, 0.9),
        _quantile(down, 0.5),
        float(down.sum()) / (float(along.sum()) + 1e-3),
        (deck - p50) / deck,
        (deck - p90) / deck,
        same,
        ribs,
        float(np.count_nonzero(inside.excess > inside.step)) / cells.size,
        _quantile(along, 0.9),
        p75 - p10,
        noise,
        p98 - p5,
        p90 - p5,
        p50 - p5,
        *_spots(cells),
        *_upright_terms(cells),
        *_floor_terms(cells),
    )


TERMS = (
    "median",
    "p90-p25",
    "p98-p25",
    "p25",
    "lower-upper",
    "down90",
    "down50",
    "down/along",
    "deck-median",
    "deck-p90",
    "ribs-same",
    "ribs",
    "over",
    "along90",
    "p75-p10",
    "noise",
    "p98-p5",
    "p90-p5",
    "p50-p5",
    "spot",
    "spot98",
    "column90-50",
    "column50-10",
    "down-up90",
    "down-up50",
    "down-up10",
    "level step",
    "stray50",
    "stray90",
    "stray98",
    "stray99/50",
    "low98",
    "floor",
    "floor95",
    "floor/usual",
    "stands",
    "stands/usual",
    "stands along",
)


def _spots(cells: Floats) -> tuple[float, float]:
    """(largest, 98th percentile) of what is darker than both its row and its column.

    Roof and floor seen aslant, and posts, are the same all along their row or column; a load that
    does not fill the box is not.
    """
    rows, columns = cells.shape
    row = np.sort(cells, axis=1)[:, columns // 2]
    over = cells - row[:, None]
    over -= np.sort(over, axis=0)[rows // 2][None, :]
    if rows < 4 or columns < 6:
        return 0.0, 0.0
    wide = (
        sum(over[y : rows - 2 + y, x : columns - 3 + x] for y in range(3) for x in range(4)) / 12.0
    )
    flat = np.sort(np.asarray(wide).reshape(-1))
    return float(flat[-1]), float(flat[int(0.98 * (flat.size - 1))])


def _upright_terms(cells: Floats) -> tuple[float, ...]:
    """How columns differ, their lower half from what is under the roof, and what strays from both.

    Walls are alike along the box and from floor to roof, whatever curve shows them.
    """
    rows = cells.shape[0]
    third, half, last = max(rows // 3, 2), rows // 2, max(rows - 1, rows // 2 + 1)
    along = np.sort(_middle(cells[rows // 4 :]))
    lower = cells[half:last].sum(axis=0) / (last - half)
    upper = cells[1:third].sum(axis=0) / (third - 1)
    levels = _middle(cells.T)
    stray = cells - levels[:, None]
    stray = stray - _middle(stray)[None, :]
    away = np.abs(stray)
    middle = _quantile(away, 0.5)
    low = (cells - levels[:, None])[rows * 2 // 3 :]
    p10, p50, p90 = (_quantile(along, share) for share in (0.1, 0.5, 0.9))
    return (
        p90 - p50,
        p50 - p10,
        *(_quantile(lower - upper, share) for share in (0.9, 0.5, 0.1)),
        float(np.abs(np.diff(levels)).max(initial=0.0)),
        middle,
        _quantile(away, 0.9),
        _quantile(away, 0.98),
        max(_quantile(stray, 0.99), 0.0) / (middle + LITTLE),
        _quantile(low, 0.98),
    )


def _floor_terms(cells: Floats) -> tuple[float, ...]:
    """What stands on the floor: a load of one thing is a few dark cells in their rows, from the
    lowest up; posts and machinery at the ends are passed over."""
    rows, columns = cells.shape
    stray = cells - _middle(cells.T)[:, None]
    height, half = max(rows // 5, 2), max(rows // 4, 3)
    if columns < 12 or rows < half + 2:
        return (0.0,) * 6
    floor = stray[rows - height :].sum(axis=0) / height
    floor = ((floor[1:] + floor[:-1]) / 2)[3:-3]
    lowest = stray[rows - half // 2 :].sum(axis=0) / (half // 2)
    over = stray[rows - half : rows - half // 2].sum(axis=0) / (half - half // 2)
    stands = np.minimum(lowest, over)
    stands = np.minimum(stands[1:], stands[:-1])[3:-3]
    most_floor, most = max(float(floor.max()), 0.0), max(float(stands.max()), 0.0)
    wide = np.count_nonzero(stands > 0.5 * max(most, 0.03)) / stands.size
    return (
        most_floor,
        _quantile(floor, 0.95),
        most_floor / (_quantile(np.abs(floor), 0.5) + LITTLE),
        most,
        most / (_quantile(np.abs(stands), 0.5) + LITTLE),
        wide,
    )


def _middle(values: Floats) -> Floats:
    """The lower median of each column."""
    place = (values.shape[0] - 1) // 2
    return np.asarray(np.partition(values, place, axis=0)[place], np.float64)


def _ribs(box: Box) -> tuple[float, float]:
    """(contrast of upright stripes, how alike they are below and under the roof)."""
    rows, columns = inner(box)
    part = box.straight[rows, columns]
    bands = np.array_split(np.arange(part.shape[0]), FINE_ROWS)
    profiles = [part[band].sum(axis=0) / max(band.size, 1) for band in bands]
    fine = [_band_passed(profile) for profile in profiles]
    spreads = [float(np.sqrt(np.mean(np.square(one)))) for one in fine]
    alike = []
    for one, other in ((0, 1), (0, 2), (1, 2)):
        product = float(np.mean(fine[one] * fine[other]))
        alike.append(product / max(spreads[one] * spreads[other], 1e-9))
    return spreads[0], min(alike)


def _band_passed(profile: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without what changes slower than a rib; clipped, so that one post decides nothing."""
    wide = min(RIB_PX[1], max(profile.size // 4, 3)) | 1
    sums = np.cumsum(np.pad(profile, (wide // 2 + 1, wide // 2), mode="edge"))
    fast = profile - (sums[wide:] - sums[:-wide]) / wide
    middle = np.sort(np.abs(fast))[fast.size // 2]
    return np.asarray(np.clip(fast, -4.0 * middle, 4.0 * middle), np.float64)


def _pooled(part: Floats, grid: tuple[int, int]) -> Floats:
    """Means over about equal cells, at most one a pixel."""
    rows, columns = (min(side, of) for side, of in zip(grid, part.shape, strict=True))
    row_at = np.arange(rows + 1) * part.shape[0] // rows
    column_at = np.arange(columns + 1) * part.shape[1] // columns
    sums = np.cumsum(np.cumsum(np.pad(part, ((1, 0), (1, 0))), axis=0), axis=1)
    corners = sums[np.ix_(row_at, column_at)]
    totals = corners[1:, 1:] - corners[:-1, 1:] - corners[1:, :-1] + corners[:-1, :-1]
    sizes = np.outer(np.diff(row_at), np.diff(column_at))
    return np.asarray(np.round(totals / sizes, 5), np.float64)


def _quantile(values: Floats, share: float) -> float:
    flat = values.reshape(-1)
    place = int(share * (flat.size - 1))
    return float(np.partition(flat, place)[place])
