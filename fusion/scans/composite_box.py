"""The box in a display picture: its level top, dark deck and ends, by votes of every column."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fusion.scans.calibrate import Floats
from fusion.scans.composite_box_fitted import box_logit, sure_of
from fusion.scans.composite_box_terms import Looked, Places, box_terms
from fusion.scans.composite_edges import best_run, edges_of, skew_of, spread_about_0, straightened

PAD = 4  # air around the picture, so that a box that fills it has edges too
STRICT_RUN_COST = 0.8
MAX_TOPS = 11  # edges that are tried as the roof
RUN_COST = 0.4  # what a column must vote to lengthen a run
LEAST_ASPECT, MOST_ASPECT = 1.1, 16.0  # length to height of a box; pixels are not always square
ISO_ASPECTS = (2.1, 2.34, 4.2, 4.72)  # of 20 ft and of 40 or 45 ft boxes, length to height
ASPECT_PLAY, OTHER_ASPECT = 0.14, 0.7  # as a logarithm; what a deck elsewhere is worth
UNDER_DECK = 0.06  # of its height a box goes on below its deck: cross members, 0.16 m
LIKE_DECK = 0.65  # of the darkest line's darkness
APART = 0.1  # of a box's height: nearer, two outlines are one


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Edges in working pixels of the straightened picture."""

    left: int
    right: int
    top: int
    bottom: int
    """Below the deck."""
    straight: Floats
    """(rows, columns) `dark`, each column moved so that roofs are level."""
    skew: float
    """Radians by which it was turned."""
    top_vote: float
    """0 to 1: how much of the roof's edge is there."""
    deck_vote: float
    end_vote: float
    air_above: bool
    air_beside: bool
    terms: tuple[float, ...] = ()
    logit: float = 0.0
    """How much of a box it is."""
    sure: float = 0.0
    """0 to 1: that its edges are right to a tenth of its height."""

    @property
    def aspect(self) -> float:
        """Length to height."""
        return (self.right - self.left) / max(self.bottom - self.top, 1)


def find_box(dark: Floats, noise: float) -> Box | None:
    """The level-topped box with the best edges, or None where nothing can be one.

    dark   (rows, columns) 0 of air to 1
    noise  of one of its pixels

    The best of a picture without any box is found as well: `sure` says so.
    """
    boxes = candidates(dark, noise)
    if not boxes:
        return None
    best = max(boxes, key=lambda box: box.logit)
    others = [box.logit for box in boxes if _apart(box, best)]
    return replace(best, sure=round(sure_of(best.logit, max(others, default=-9.0)), 3))


def candidates(dark: Floats, noise: float) -> list[Box]:
    """Every outline that is tried."""
    padded = np.pad(dark, PAD, constant_values=0.0)
    skew = skew_of(padded)
    straight = straightened(padded, skew)
    edge = edges_of(straight, axis=0)
    looked = Looked.at(straight, PAD, noise, edge)
    found = []
    for top, left, right, vote in _tops(edge):
        box = _boxed(looked, top, (left, right), vote, skew)
        if box is not None:
            found.append(box)
    return found


def _apart(one: Box, other: Box) -> bool:
    away = max(abs(one.left - other.left), abs(one.right - other.right), abs(one.top - other.top))
    return away > APART * (other.bottom - other.top)


def _boxed(looked: Looked, top: int, ends: tuple[int, int], vote: float, skew: float) -> Box | None:
    straight = looked.straight
    bottom, deck_vote = _deck(straight, top, *ends)
    if bottom is None:
        return None
    left, right = looked.ends((top, bottom), ends)
    aspect = (right - left) / max(bottom - top, 1)
    if not LEAST_ASPECT <= aspect <= MOST_ASPECT:
        return None
    columns = straight.shape[1]
    places = Places(top=top, bottom=bottom, left=left, right=right, vote=vote, deck=deck_vote)
    terms, posts = box_terms(looked, places)
    return Box(
        left=left - PAD,
        right=right - PAD,
        top=top - PAD,
        bottom=bottom - PAD,
        straight=straight[PAD:-PAD, PAD:-PAD],
        skew=skew,
        top_vote=vote,
        deck_vote=deck_vote,
        end_vote=posts,
        air_above=top - PAD > 3,
        air_beside=left - PAD > 3 or right < columns - PAD - 3,
        terms=terms,
        logit=box_logit(terms),
    )


def _tops(edge: Floats) -> list[tuple[int, int, int, float]]:
    """(row, first column, one beyond the last, vote) of the long level edges, and of the
    picture's own top edge."""
    inner = edge[2 * PAD : -2 * PAD]
    strength = max(0.015, 3.0 * spread_about_0(inner)) if inner.size else 0.015
    votes = np.clip(edge / strength, -1.0, 1.0)
    votes[: 2 * PAD] = 0.0
    gains = votes - RUN_COST
    least = 0.1 * edge.shape[1] * (1 - RUN_COST)
    # No run has more than all that is gained in its row.
    worth = np.maximum(gains, 0.0).sum(axis=1) >= least
    runs = [best_run(row) if one else (0.0, 0, 0) for row, one in zip(gains, worth, strict=True)]
    # Below a box of the longest kind there is an eighth of its length.
    sums = np.array(
        [
            run[0] if len(runs) - row >= (run[2] - run[1]) / MOST_ASPECT else 0.0
            for row, run in enumerate(runs)
        ]
    )
    columns = edge.shape[1]
    found = [(PAD, PAD, columns - PAD, 0.4)]
    while len(found) < MAX_TOPS:
        row = int(np.argmax(sums))
        if sums[row] < least:
            break
        for cost in (RUN_COST, STRICT_RUN_COST):
            _, left, right = best_run(votes[row] - cost)
            if cost == STRICT_RUN_COST and found[-1][:3] == (row, left, right):
                continue
            vote = float(votes[row, left:right].sum()) / max(right - left, 1)
            found.append((row, left, right, vote))
        sums[max(row - 3, 0) : row + 4] = 0.0
    return found


def _deck(straight: Floats, top: int, left: int, right: int) -> tuple[int | None, float]:
    """(one beyond the deck's last row, how dark it is throughout)."""
    length = right - left
    last = straight.shape[0] - PAD
    near, far = top + int(length / MOST_ASPECT), min(top + int(length / LEAST_ASPECT) + 2, last)
    if near >= far:
        return None, 0.0
    skip = max(length // 300, 1)
    inner = slice(left + length // 20, max(right - length // 20, left + length // 20 + 1), skip)
    part = straight[near:far, inner]
    # Straightening leaves a row or two of play.
    lines = np.maximum(part, np.roll(part, 1, axis=0))
    place = part.shape[1] // 5
    lightest = np.partition(lines, place, axis=1)[:, place]
    lightest[0] = min(float(lightest[0]), float(lightest[1])) if lightest.size > 1 else 0.0
    most = float(lightest.max())
    if most < 0.05:
        return (last, 0.0) if far == last else (None, 0.0)
    peak = _upper_line(lightest, near - top, length)
    most = float(lightest[peak])
    reach = max((near + peak - top) // 8, 2)
    before = lightest[max(peak - reach, 0) : max(peak - reach // 3, 1)]
    dark = np.nonzero(lightest[peak:] < 0.75 * most)[0]
    thick = int(dark[0]) if dark.size else lightest.size - peak
    # A load that is dark from end to end goes on downwards; a deck and its chassis end.
    if before.size and float(before.min()) < 0.75 * most and thick <= 2 * reach:
        # A line by itself: what is dark below it is the chassis.
        after = lightest[peak : peak + max(reach // 3, 2)]
        deck = near + peak + int(np.nonzero(after >= 0.8 * most)[0][-1]) + 1
        return min(deck + round(UNDER_DECK * (deck - top)), last), most
    like = np.nonzero(lightest >= LIKE_DECK * most)[0]
    return near + int(like[-1]) + 1, most


def _upper_line(lightest: NDArray[np.float64], offset: int, length: int) -> int:
    """The darkest line, or the deck a little above it where that is the chassis.

    offset  rows from the roof to the first of these; `length` of the box
    """
    aspects = np.log(length / np.maximum(np.arange(lightest.size) + offset, 1))
    away = np.abs(aspects[:, None] - np.log(np.array(ISO_ASPECTS))[None, :]).min(axis=1)
    usual = away < ASPECT_PLAY
    peak = int(np.argmax(lightest * np.where(usual, 1.0, OTHER_ASPECT)))
    first = max(peak - max((offset + peak) // 5, 3), 0)
    lowest = float(lightest[peak])
    best = peak
    for row in range(peak - 1, first - 1, -1):
        lowest = min(lowest, float(lightest[row]))
        line = float(lightest[row])
        if usual[peak] and not usual[row]:
            continue  # no deck of any usual box: the top of a load
        if line >= 0.45 * float(lightest[peak]) and lowest <= 0.85 * line:
            local = lightest[max(row - 1, 0) : row + 2]
            if line >= float(local.max()):
                best = row
                break
    return best
