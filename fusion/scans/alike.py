"""One scan of a load laid on another: moved, stretched and dimmed until they lie best."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.scans.policy import XrayPolicy
from fusion.scans.signature import LEAST

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MOST_SHIFT = 8  # squares: how far the box's front wall may have been missed
MOST_RISE = 2  # squares up and down
STRETCH = 16  # squares along that are moved together: speeds change over metres
FINE = np.arange(-8, 9) / 8.0  # parts of a square
STILL_SHARE = 0.003  # of the difference for each eighth: where nothing tells, nothing moves
LEAST_G_CM2 = 5.0  # of goods that say how the two pictures' levels compare
LEVELS = 3
MOST_GAIN = 1.5
MIRRORED_SHARE = 0.97  # of the difference: goods that look the same from behind are not turned
END_SQUARES = 2
ROOF_SQUARES = 1
LEAST_GOODS = 12  # squares of a row that say what differs along all of it
FAR_SHARE = 0.02  # of the difference for each square: a row left out must not pay


@dataclass(frozen=True, slots=True)
class Laid:
    """What the second scan has more than the first, square by square of the second."""

    more: Floats
    """(rows, columns) g/cm2; 0 where one of them says nothing."""
    sigma: Floats
    """(rows, columns) how much of that no shift by half a square explains, over its noise."""
    known: Flags
    alike: float
    """0 another load ... 1 the very same."""


def laid_on(old: Floats, new: Floats, policy: XrayPolicy) -> Laid | None:
    """The old one laid on the new one; None where the boxes are not of one size.

    old, new  (rows, columns) g/cm2, at least so much where below 0; the lowest row is at the deck
    """
    if abs(old.shape[1] - new.shape[1]) > MOST_SHIFT:
        return None
    seen = _shown(new)
    # A gantry may have gone the other way, so that the rear came first.
    ways = old, old[:, ::-1]
    places = [_place(_shown(way), seen) for way in ways]
    which = int(places[1][0] < MIRRORED_SHARE * places[0][0])
    at = places[which][1:]
    moved = _fitted(_moved(_shown(ways[which]), *at, new.shape), seen)
    moved *= _gain(moved, seen)
    known = _inner(~(np.isnan(moved) | np.isnan(seen)))
    if not known.any():
        return None
    seen = np.where(known, seen, 0.0)
    moved = np.where(known, moved, 0.0)
    # Along a whole row only the roof's, the deck's and the scattered light's traces differ.
    goods = known & (np.minimum(seen, moved) > LEAST_G_CM2)
    moved = moved + _row_medians(seen - moved, goods)
    more = np.where(known, seen - moved, 0.0)
    # Of what lets nothing through it is known only that it is at least so much.
    shut_new, shut_old = new < 0.0, _moved(ways[which], *at, new.shape) < 0.0
    signs = np.sign(more)
    wrong = (shut_new & (signs < 0)) | (shut_old & (signs > 0)) | (shut_new & shut_old)
    beyond = _beyond(moved, seen, policy)
    back = -_beyond(seen, moved, policy)
    sigma = np.where(np.abs(back) > np.abs(beyond), back, beyond)
    sigma[wrong | ~known | (np.sign(sigma) != signs)] = 0.0
    more[wrong] = 0.0
    usual = np.abs(sigma[known & ~wrong])
    if usual.size:
        # Of two loads that differ everywhere nothing stands out.
        sigma = sigma / max(1.0, float(np.quantile(usual, 0.9)) / 1.645)
    total = float(np.sum(seen[known]) + np.sum(moved[known]))
    apart = np.abs(_outside(moved, seen)[known & ~wrong])
    alike = 1.0 - 2.0 * float(np.sum(apart)) / total if total > 0.0 else 1.0
    return Laid(more, np.asarray(np.round(sigma, 4), np.float64), known, max(alike, 0.0))


def _shown(told: Floats) -> Floats:
    """(rows, columns) at least so much, NaN where the box itself fills the picture."""
    return np.where(told == -LEAST, np.nan, np.abs(told))


def _row_medians(more: Floats, goods: Flags) -> Floats:
    """(rows, columns) lower median of each row over its goods, 0 elsewhere."""
    counts = goods.sum(axis=1)
    ordered = np.sort(np.where(goods, more, math.inf), axis=1)
    middle = np.take_along_axis(ordered, (np.maximum(counts, 1) - 1)[:, None] // 2, axis=1)
    return np.where(goods & (counts >= LEAST_GOODS)[:, None], middle, 0.0)


def _beyond(moved: Floats, seen: Floats, policy: XrayPolicy) -> Floats:
    """(rows, columns) standard deviations by which one is beyond what shifts of the other show."""
    least, most = _reach(moved)
    sd = np.sqrt(
        policy.change_floor_g_cm2**2
        + (policy.change_share_sd * moved) ** 2
        + (policy.change_edge_sd * (most - least)) ** 2
    )
    return np.asarray((seen - np.clip(seen, least, most)) / sd, np.float64)


def _outside(moved: Floats, seen: Floats) -> Floats:
    return seen - np.clip(seen, *_reach(moved))


def _inner(known: Flags) -> Flags:
    """What both show, off the ends and the roof: posts, rails and castings come and go there."""
    inner = known.copy()
    rows, columns = np.nonzero(known.any(axis=1))[0], np.nonzero(known.any(axis=0))[0]
    if rows.size:
        inner[: rows[0] + ROOF_SQUARES] = False
        inner[:, : columns[0] + END_SQUARES] = False
        inner[:, columns[-1] + 1 - END_SQUARES :] = False
    return inner


def _place(old: Floats, new: Floats) -> tuple[float, int, int]:
    """(mean difference, squares up, squares along) where the old one lies best.

    Nothing stands beyond the ends: a load that was moved out of the box differs there.
    """
    room = np.pad(new, ((0, 0), (MOST_SHIFT, MOST_SHIFT)))
    wide = np.pad(old, ((0, 0), (2 * MOST_SHIFT, 2 * MOST_SHIFT)))
    best = (math.inf, 0, 0, 0)
    for rise in range(-MOST_RISE, MOST_RISE + 1):
        for shift in range(-MOST_SHIFT, MOST_SHIFT + 1):
            apart = np.abs(_moved(wide, rise, shift - MOST_SHIFT, room.shape) - room)
            known = ~np.isnan(apart)
            of = max(int(np.count_nonzero(known)), 1)
            cost = round(float(apart[known].sum()) / of, 6)
            far = abs(shift) + abs(rise)
            best = min(best, (cost * (1.0 + FAR_SHARE * far), far, rise, shift))
    return best[0], best[2], best[3]


def _moved(old: Floats, rise: int, shift: int, shape: tuple[int, ...]) -> Floats:
    """(rows, columns) the old one up by `rise`, on by `shift`; NaN where it does not reach."""
    moved = np.full(shape, np.nan)
    # Both stand on the deck: their lowest rows belong together.
    down = shape[0] - old.shape[0] - rise
    top, bottom = max(down, 0), min(old.shape[0] + down, shape[0])
    first, last = max(shift, 0), min(old.shape[1] + shift, shape[1])
    if last > first and bottom > top:
        moved[top:bottom, first:last] = old[
            top - down : bottom - down, first - shift : last - shift
        ]
    return moved


def _fitted(old: Floats, new: Floats) -> Floats:
    """The old one moved by parts of a square: all of it up or down, each stretch along."""
    rise = _best(np.stack([_part_moved(old.T, part).T for part in FINE]), new)
    old = _part_moved(old.T, float(FINE[rise])).T
    ways = np.stack([_part_moved(old, part) for part in FINE])
    columns = new.shape[1]
    middles = np.arange(STRETCH // 2, max(columns - STRETCH // 4, STRETCH // 2 + 1), STRETCH // 2)
    shifts = []
    for middle in middles.tolist():
        part = slice(max(middle - STRETCH // 2, 0), middle + STRETCH // 2)
        shifts.append(float(FINE[_best(ways[:, :, part], new[:, part])]))
    smooth = np.array(shifts)
    if smooth.size >= 3:
        smooth[1:-1] = np.median([smooth[:-2], smooth[1:-1], smooth[2:]], axis=0)
    each = np.interp(np.arange(columns), middles, smooth)
    index = np.clip((each - FINE[0]) / (FINE[1] - FINE[0]), 0.0, FINE.size - 1.0)
    low = np.minimum(index.astype(np.int64), FINE.size - 2)
    rest = index - low
    at = np.arange(columns)
    # A column between two of the ways lies between them.
    return np.asarray(
        ((1.0 - rest)[:, None] * ways[low, :, at] + rest[:, None] * ways[low + 1, :, at]).T,
        np.float64,
    )


def _best(ways: Floats, new: Floats) -> int:
    """Which of the ways differs least."""
    apart = np.abs(ways - new)
    costs = np.nansum(apart, axis=(1, 2)) / np.maximum((~np.isnan(apart)).sum(axis=(1, 2)), 1)
    still = 1.0 + STILL_SHARE * np.abs(np.arange(FINE.size) - FINE.size // 2)
    return int(np.argmin(np.round(costs * still, 6)))


def _part_moved(old: Floats, part: float) -> Floats:
    """(rows, columns) on by a part of a column; an unseen neighbour leaves the column as it is."""
    beside = np.empty_like(old)
    if part >= 0.0:
        beside[:, 1:], beside[:, 0] = old[:, :-1], old[:, 0]
    else:
        beside[:, :-1], beside[:, -1] = old[:, 1:], old[:, -1]
    beside = np.where(np.isnan(beside), old, beside)
    return np.asarray((1.0 - abs(part)) * old + abs(part) * beside, np.float64)


def _gain(old: Floats, new: Floats) -> Floats:
    """(rows, columns) what the old levels are multiplied by: another beam reads goods otherwise."""
    there = ~(np.isnan(old) | np.isnan(new))
    there &= np.where(there, np.minimum(old, new), 0.0) > LEAST_G_CM2
    if np.count_nonzero(there) < 20 * LEVELS:
        return np.ones(old.shape)
    level, ratio = old[there], new[there] / old[there]
    order = np.argsort(level, kind="stable")
    parts = np.array_split(order, LEVELS)
    at = [float(np.median(level[part])) for part in parts]
    gains = [min(max(float(np.median(ratio[part])), 1 / MOST_GAIN), MOST_GAIN) for part in parts]
    return np.asarray(np.interp(np.where(np.isnan(old), 0.0, old), at, gains), np.float64)


def _reach(old: Floats) -> tuple[Floats, Floats]:
    """(least, most) that each square could show if the goods lay half a square elsewhere."""
    least, most = old.copy(), old.copy()
    for axis in (0, 1):
        for part in (-0.5, 0.5):
            beside = _part_moved(old.T, part).T if axis == 0 else _part_moved(old, part)
            least, most = np.minimum(least, beside), np.maximum(most, beside)
    return least, most
