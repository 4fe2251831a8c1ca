"""The box in a display picture: its level top, dark deck and ends, by votes of every column."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fusion.scans.calibrate import Floats
from fusion.scans.composite_edges import (
    best_run,
    edges_of,
    lower_median,
    running_mean,
    skew_of,
    spread_about_0,
    straightened,
)

PAD = 4  # air around the picture, so that a box that fills it has edges too
STRICT_RUN_COST = 0.8
BESIDE_POST = 0.12  # of the range, nearly from roof to deck
UPRIGHT_STEP, UPRIGHT_WORTH = 0.06, 0.9  # a step in darkness; beside posts that are seen
MAX_TOPS = 11  # edges that are tried as the roof
LEAST_SCORE = 2.9  # less, with air above it, is a car's outline or a tank's
LEAST_SCORE_CUT = 1.8  # a picture that was cut along a box has lost rails and posts
SURE_SCORE, SCORE_SPREAD = 3.2, 0.35  # even odds, and for e to 1
RUN_COST = 0.4  # what a column must vote to lengthen a run
LEAST_ASPECT, MOST_ASPECT = 1.55, 8.0  # length to height of a box, pixels not quite square
ISO_ASPECTS = (2.1, 2.34, 4.2, 4.72)  # of 20 ft and of 40 or 45 ft boxes, length to height
ASPECT_PLAY, OTHER_ASPECT = 0.14, 0.7  # as a logarithm; what a deck elsewhere is worth
UNDER_DECK = 0.06  # of its height a box goes on below its deck: cross members, 0.16 m
LIKE_DECK = 0.65  # of the darkest line's darkness


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
    sure: float = 0.0
    """0 to 1: that its edges are right to a tenth of its height."""

    @property
    def aspect(self) -> float:
        """Length to height."""
        return (self.right - self.left) / max(self.bottom - self.top, 1)


def find_box(dark: Floats, noise: float) -> Box | None:
    """The level-topped box with the best edges, or None where there is none.

    dark   (rows, columns) 0 of air to 1
    noise  of one of its pixels
    """
    padded = np.pad(dark, PAD, constant_values=0.0)
    skew = skew_of(padded)
    straight = straightened(padded, skew)
    best: tuple[float, Box] | None = None
    for top, left, right, vote in _tops(straight):
        box = _boxed(straight, top, (left, right), vote, skew)
        if box is None:
            continue
        score = _score(straight, box, noise)
        if best is None or score > best[0]:
            best = score, box
    if best is None:
        return None
    score, box = best
    if score < (LEAST_SCORE if box.air_above else LEAST_SCORE_CUT):
        return None
    return replace(box, sure=round(1.0 / (1.0 + math.exp((SURE_SCORE - score) / SCORE_SPREAD)), 3))


def _boxed(
    straight: Floats, top: int, ends: tuple[int, int], vote: float, skew: float
) -> Box | None:
    bottom, deck_vote = _deck(straight, top, *ends)
    if bottom is None:
        return None
    left, right = _ends(straight, (top, bottom), ends)
    posts = max(
        _posts(straight, (top, bottom), (left, right)),
        UPRIGHT_WORTH * _upright(straight, (top, bottom), (left, right)),
    )
    columns = straight.shape[1]
    box = Box(
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
    )
    return box if LEAST_ASPECT <= box.aspect <= MOST_ASPECT else None


def _score(straight: Floats, box: Box, noise: float) -> float:
    """How much of a box this is: its four edges, its size, and nothing above it."""
    height = box.bottom - box.top
    top, left, right = box.top + PAD, box.left + PAD, box.right + PAD
    above = straight[max(top - height // 4, PAD) : max(top - 2, 0)]
    stray, onward = 0.0, 0.0
    if above.shape[0] > 2:
        # A load's top has the walls' posts beside it and above it.
        means = running_mean(above.sum(axis=0, keepdims=True) / above.shape[0], 5, 1)[0]
        below = straight[top + 2 : top + 2 + max(height // 4, 3)]
        below_means = running_mean(below.sum(axis=0, keepdims=True) / below.shape[0], 5, 1)[0]
        near = slice(max(left - height // 8, 0), right + height // 8)
        usual = lower_median(below_means[left:right])
        dark = means[near] > max(0.06, 2.0 * noise, 0.6 * usual)
        stray = float(np.count_nonzero(dark)) / dark.size
        reach = max(height // 10, 2)
        for end in (slice(max(left - 2, 0), left + reach), slice(right - reach, right + 3)):
            most_above, most_below = float(means[end].max()), float(below_means[end].max())
            going_on = most_above > 0.03 and most_above > usual + 0.5 * (most_below - usual)
            onward += 0.5 if going_on else 0.0
    else:
        # Without air above, only posts on both sides tell a box from a lorry's outline.
        onward = 0.5 if box.end_vote < 0.9 else 0.0
    length = (right - left) / straight.shape[1]
    # The picture's own edge has no votes; posts on both sides up to it have.
    vote = 0.6 if not box.air_above and box.end_vote > 0.9 else max(box.top_vote, 0.0)
    return float(
        1.0 * vote
        + 1.2 * min(box.deck_vote / 0.3, 1.0)
        + 1.2 * box.end_vote
        + 1.0 * length
        - 3.0 * min(stray, 0.5)
        - 1.2 * onward
    )


def _tops(straight: Floats) -> list[tuple[int, int, int, float]]:
    """(row, first column, one beyond the last, vote) of the long level edges, and of the
    picture's own top edge."""
    edge = edges_of(straight, axis=0)
    inner = edge[2 * PAD : -2 * PAD]
    strength = max(0.015, 3.0 * spread_about_0(inner)) if inner.size else 0.015
    votes = np.clip(edge / strength, -1.0, 1.0)
    votes[: 2 * PAD] = 0.0
    runs = [best_run(row - RUN_COST) for row in votes]
    # Below a box of the longest kind there is an eighth of its length.
    sums = np.array(
        [
            run[0] if len(runs) - row >= (run[2] - run[1]) / MOST_ASPECT else 0.0
            for row, run in enumerate(runs)
        ]
    )
    columns = straight.shape[1]
    found = [(PAD, PAD, columns - PAD, 0.4)]
    while len(found) < MAX_TOPS:
        row = int(np.argmax(sums))
        if sums[row] < 0.1 * columns * (1 - RUN_COST):
            break
        for cost in (RUN_COST, STRICT_RUN_COST):
            _, left, right = best_run(votes[row] - cost)
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
    inner = slice(left + length // 20, max(right - length // 20, left + length // 20 + 1))
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


def _ends(straight: Floats, rows: tuple[int, int], columns: tuple[int, int]) -> tuple[int, int]:
    """The posts' outer edges: steps from light to dark near the ends of the roof."""
    top, bottom = rows
    reach = max((bottom - top) // 4, 3)
    edge = edges_of(straight[top + 2 : max(bottom - 2, top + 5)], axis=1)
    profile = np.clip(edge, -0.25, 0.25).sum(axis=0) / edge.shape[0]
    found = []
    for column, sign in zip(columns, (1.0, -1.0), strict=True):
        first, last = max(column - reach, 0), min(column + reach + 1, profile.size)
        near = np.abs(np.arange(first, last) - column) / reach
        strength = sign * profile[first:last] - 0.02 * near
        place = first + int(np.argmax(strength))
        found.append(place if sign * profile[place] > 0.02 else column)
    return found[0], max(found[1], found[0] + 8)


def _posts(straight: Floats, rows: tuple[int, int], columns: tuple[int, int]) -> float:
    """0 to 1: whether at both ends something is dark from roof to deck that is not so between."""
    height = max(rows[1] - rows[0], 10)
    part = straight[rows[0] + height // 12 : rows[1] - height // 12]
    place = part.shape[0] // 4
    through = np.partition(part, place, axis=0)[place]
    left, right = columns
    inner = through[left + height // 6 : max(right - height // 6, left + height // 6 + 1)]
    usual = lower_median(inner) if inner.size else 0.0
    reach = max(height // 10, 2)
    ends = (through[max(left - 2, 0) : left + reach], through[right - reach : right + 3])
    strong = [float(end.max()) - max(usual, 0.0) if end.size else 0.0 for end in ends]
    return sum(min(max(one / 0.08, 0.0), 1.0) for one in strong) / 2


def _upright(straight: Floats, rows: tuple[int, int], columns: tuple[int, int]) -> float:
    """0 to 1: how much of both ends is one upright edge, as it is of a box full to its walls."""
    height = rows[1] - rows[0]
    part = straight[rows[0] + height // 10 : rows[1] - height // 5]
    if part.shape[0] < 4:
        return 0.0
    beside = np.concatenate(
        [
            part[:, max(columns[0] - height, 0) : max(columns[0] - 3, 0)],
            part[:, columns[1] + 3 :][:, :height],
        ],
        axis=1,
    )
    if beside.size:
        # Posts further out: these are the ends of a load.
        place = part.shape[0] // 7
        if float(np.partition(beside, place, axis=0)[place].max()) > BESIDE_POST:
            return 0.0
    shares = []
    for column, inward in ((columns[0], 1), (columns[1] - 1, -1)):
        places = [column + inward * by for by in (-4, -3, -2, 2, 3, 4)]
        if min(places) < 0 or max(places) >= part.shape[1]:
            return 0.0
        outside, within = part[:, places[:3]].sum(axis=1), part[:, places[3:]].sum(axis=1)
        shares.append(float(np.count_nonzero(within - outside > 3 * UPRIGHT_STEP)) / len(part))
    return min(shares)
