"""Where a box begins and ends in a scan: its level top, its posts, its deck."""

import numpy as np
from numpy.typing import NDArray

from fusion.scans.calibrate import Calibration, Flags, Floats
from fusion.scans.policy import XrayPolicy

TOP_TOLERANCE_CELLS = 1  # a roof that sags or a picture a little askew
POST_ROWS = 64
MIN_STEP = 0.03  # of air, from before a post into it
PARTED_M, PARTED_ATTENUATION = 0.4, 0.5  # posts of two boxes: a third of their 14 g/cm2
GAP_CELLS = 3  # a mast or a dropped column does not end a box


def top_rows(taken: Flags) -> NDArray[np.int64]:
    """(columns,) the highest row with two taken cells in a row; the lowest where none."""
    both = taken[:-1] & taken[1:]
    tops = np.asarray(np.argmax(both, axis=0), np.int64)
    tops[~both.any(axis=0)] = taken.shape[0] - 1
    return tops


def longest_level_run(tops: NDArray[np.int64]) -> tuple[int, int, int]:
    """(start, stop, row) of the longest stretch whose top stays level; the highest of equals."""
    best = (0, 0, 0)
    counts = np.bincount(tops)
    sums = np.cumsum(np.pad(counts, (TOP_TOLERANCE_CELLS + 1, TOP_TOLERANCE_CELLS)))
    wide = 2 * TOP_TOLERANCE_CELLS + 1
    near = sums[wide:] - sums[:-wide]
    for level in np.nonzero(near)[0].tolist():
        if near[level] <= best[1] - best[0] - GAP_CELLS * near[level]:
            continue  # even without its gaps it is no longer
        columns = np.nonzero(np.abs(tops - level) <= TOP_TOLERANCE_CELLS)[0]
        breaks = np.nonzero(np.diff(columns) > GAP_CELLS + 1)[0]
        firsts = columns[np.concatenate([[0], breaks + 1])]
        lasts = columns[np.concatenate([breaks, [columns.size - 1]])]
        longest = int(np.argmax(lasts - firsts))
        start, end = int(firsts[longest]), int(lasts[longest]) + 1
        if end - start > best[1] - best[0]:
            best = (start, end, level)
    start, end, _ = best
    if end == start:
        return best
    # The level that most columns have: the tolerance lets its neighbours win ties.
    return start, end, int(np.argmax(np.bincount(tops[start:end])))


def deck_row(
    plane: NDArray[np.uint16],
    calibration: Calibration,
    columns: slice,
    *,
    top: int,
    cell: int,
    pitch_y_mm: float,
    policy: XrayPolicy,
    notes: list[str],
) -> int:
    """The first row of cells that the deck reaches into.

    The deck is the lowest line in its window that lets hardly anything through anywhere
    along the box: cargo may be as dark, but stands on it.
    """
    near, far = (top * cell + int(d * 1000.0 / pitch_y_mm) for d in policy.deck_window_m)
    rows = slice(min(near, plane.shape[0]), min(far, plane.shape[0]))
    thinned = np.arange(columns.start, min(columns.stop, plane.shape[1]), 2 * cell)
    clear = calibration.transmission(plane, rows, thinned)
    place = (9 * thinned.size) // 10
    lightest = np.partition(clear, place, axis=1)[:, place] if clear.size else np.ones(0)
    dark = np.nonzero((lightest < np.exp(-policy.deck_attenuation)) & (lightest > 0))[0]
    if dark.size == 0:
        notes.append("deck-assumed")
        return top + int(policy.standard_deck_m * 1000.0 / pitch_y_mm / cell)
    lowest = rows.start + int(dark[-1]) + 1
    # Up: a row of cells that the deck fills in part still shows what stands on it.
    return -int(-(lowest - policy.deck_margin_m * 1000.0 / pitch_y_mm) // cell)


def post_columns(
    plane: NDArray[np.uint16],
    calibration: Calibration,
    ends: tuple[int, int],
    rows: slice,
    cell: int,
) -> tuple[float, float]:
    """Where the end posts begin, outside, to a part of a pixel: half way down to their dark."""
    found = []
    for end, inward in zip(ends, (1, -1), strict=True):
        near = np.arange(end - 2 * cell * inward, end + 3 * cell * inward, inward)
        near = near[(near >= calibration.first_column) & (near < calibration.last_column)]
        near = near[calibration.pulse[near] > 0] if near.size else near
        first = min(rows.start, plane.shape[0] - 1)
        # Half a metre is enough of a post.
        part = slice(first, min(rows.stop, first + POST_ROWS, plane.shape[0]))
        alive = int(np.count_nonzero(calibration.gain[part] > 0))
        if near.size < 4 or not alive:
            found.append(float(end))
            continue
        clear = calibration.transmission(plane, part, near).sum(axis=0) / alive
        darkest = int(np.argmin(clear))
        before = clear[: darkest + 1]
        air = float(before.max())
        if air < MIN_STEP + float(clear[darkest]):
            found.append(float(end))
            continue
        half = (air + float(clear[darkest])) / 2
        place = int(np.nonzero(before > half)[0][-1])
        above, below = float(clear[place]), float(clear[min(place + 1, clear.size - 1)])
        part_of = (above - half) / (above - below) if above > below else 0.0
        # A pixel's middle is half a pixel from its edge.
        found.append(float(near[place]) + 0.5 + inward * part_of)
    return round(found[0], 2), round(max(found[1], found[0] + cell), 2)


def is_parted(zone: Floats, cell_x_m: float) -> bool:
    """Whether end posts stand in the middle: dark columns from roof to deck."""
    reach = max(round(PARTED_M / cell_x_m), 1)
    middle = zone.shape[1] // 2
    if zone.shape[1] < 12 * reach or zone.shape[0] < 8:
        return False
    place = zone.shape[0] // 4
    first = middle - 4 * reach
    through = np.partition(zone[:, first : middle + 4 * reach], place, axis=0)[place]
    strong = float(through[3 * reach : 5 * reach + 1].max())
    beside = np.concatenate([through[: 3 * reach], through[5 * reach + 1 :]])
    usual = float(np.partition(beside, beside.size // 2)[beside.size // 2])
    return strong > usual + PARTED_ATTENUATION
