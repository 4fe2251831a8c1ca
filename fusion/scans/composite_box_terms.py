"""What an outline in a display picture has of a box, in terms of 0 to 1 and about."""

import math
from dataclasses import dataclass

import numpy as np

from fusion.scans.calibrate import Floats
from fusion.scans.composite_edges import edges_of, lower_median, running_mean

UPRIGHT_STEP = 0.06  # in darkness
BESIDE_POST = 0.12  # of the range, nearly from roof to deck: posts further out
AIR = 0.1  # of the range is air, with its noise and the display's unevenness
ISO_ASPECTS = (2.1, 2.34, 4.2, 4.72)  # of 20 ft and of 40 or 45 ft boxes, length to height

TERMS = (
    "roof",  # how much of its edge is there
    "at the top",  # the picture ends at the roof
    "deck",  # a dark line throughout
    "posts",  # dark from roof to deck at both ends
    "upright",  # one step from roof to deck at both ends
    "length",  # of the picture's
    "height",
    "stray",  # columns above the roof that are dark
    "onward",  # posts that go on above the roof
    "aspect",  # off what boxes have
    "rail",  # the roof's line darker than what is below it
    "inside",  # darker than what is beside
    "beside",  # air to the left and right
    "above",  # air above
    "below",  # lighter than the deck
    "noise",
    "walls",  # even part of the inside
    "bare roof and posts",
    "whole",  # roof, deck and posts
    "left out",  # upright edges beyond its ends, as large as its own
    "roof over usual",  # its step over those of the rows inside
    "deck over usual",
    "ends over usual",  # the lesser of the two, over those of the columns inside
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """An outline in the padded picture."""

    top: int
    bottom: int
    left: int
    right: int
    vote: float
    deck: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A straightened picture with the sums that make looking at many outlines cheap."""

    straight: Floats
    pad: int
    noise: float
    levels: Floats
    """(rows, columns + 1) summed steps downwards, from the left."""
    uprights: Floats
    """(rows + 1, columns) summed steps along the rows from the top."""
    sums: Floats
    """(rows + 1, columns + 1) of darkness."""
    air: Floats
    """(rows + 1, columns + 1) of pixels that are air."""

    @classmethod
    def at(cls, straight: Floats, pad: int, noise: float, edge: Floats) -> "Looked":
        """Sum up a padded picture.

        edge  (rows, columns) its steps downwards
        """
        steps = np.clip(edges_of(straight, axis=1), -0.25, 0.25)
        return cls(
            straight=straight,
            pad=pad,
            noise=noise,
            levels=np.cumsum(np.pad(np.clip(edge, -0.25, 0.25), ((0, 0), (1, 0))), axis=1),
            uprights=np.cumsum(np.pad(steps, ((1, 0), (0, 0))), axis=0),
            sums=_summed(straight),
            air=_summed((straight < AIR + min(noise, 0.1)).astype(np.float64)),
        )

    def mean(self, rows: tuple[int, int], columns: tuple[int, int]) -> float:
        """Darkness of a part of the picture proper; -1 where there is none of it."""
        return self._mean(self.sums, rows, columns)

    def air_share(self, rows: tuple[int, int], columns: tuple[int, int]) -> float:
        """Of a part of the picture proper; -1 where there is none of it."""
        return self._mean(self.air, rows, columns)

    def _mean(self, sums: Floats, rows: tuple[int, int], columns: tuple[int, int]) -> float:
        pad, (height, length) = self.pad, self.straight.shape
        y0, y1 = max(rows[0], pad), min(rows[1], height - pad)
        x0, x1 = max(columns[0], pad), min(columns[1], length - pad)
        if y1 - y0 < 2 or x1 - x0 < 2:
            return -1.0
        total = sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0]
        return float(total / ((y1 - y0) * (x1 - x0)))

    def steps(self, rows: tuple[int, int]) -> Floats:
        """(columns,) mean upright step between two rows."""
        first, beyond = rows[0] + 2, max(rows[1] - 2, rows[0] + 5)
        beyond = min(beyond, self.straight.shape[0])
        return np.asarray(
            (self.uprights[beyond] - self.uprights[first]) / max(beyond - first, 1), np.float64
        )

    def ends(self, rows: tuple[int, int], columns: tuple[int, int]) -> tuple[int, int]:
        """The posts' outer edges: steps from light to dark near the ends of the roof."""
        reach = max((rows[1] - rows[0]) // 4, 3)
        profile = self.steps(rows)
        found = []
        for column, sign in zip(columns, (1.0, -1.0), strict=True):
            first, last = max(column - reach, 0), min(column + reach + 1, profile.size)
            near = np.abs(np.arange(first, last) - column) / reach
            strength = sign * profile[first:last] - 0.02 * near
            place = first + int(np.argmax(strength))
            found.append(place if sign * profile[place] > 0.02 else column)
        return found[0], max(found[1], found[0] + 8)


def _summed(values: Floats) -> Floats:
    return np.asarray(
        np.cumsum(np.cumsum(np.pad(values, ((1, 0), (1, 0))), axis=0), axis=1), np.float64
    )


def box_terms(looked: Looked, at: Places) -> tuple[tuple[float, ...], float]:
    """(what `TERMS` names, how much of posts there is)."""
    rows, columns = (at.top, at.bottom), (at.left, at.right)
    height, length = at.bottom - at.top, at.right - at.left
    picture_rows = looked.straight.shape[0] - 2 * looked.pad
    picture_columns = looked.straight.shape[1] - 2 * looked.pad
    at_top = at.top - looked.pad <= 3
    stray, onward = (0.0, 0.0) if at_top else _above(looked, rows, columns)
    posts = _posts(looked.straight, rows, columns)
    upright = _upright(looked.straight, rows, columns)
    ends = max(posts, 0.9 * upright)
    middle = (at.top + height // 8, at.bottom - height // 6)
    inside = looked.mean(middle, (at.left + height // 6, at.right - height // 6))
    wide = max(height // 3, 4)
    beside = [(at.left - wide, at.left - 3), (at.right + 3, at.right + wide)]
    outer = [one for one in (looked.mean(middle, part) for part in beside) if one >= 0.0]
    airy = [one for one in (looked.air_share(middle, part) for part in beside) if one >= 0.0]
    above = looked.air_share((at.top - height // 5, at.top - 2), columns)
    rail = looked.mean((at.top, at.top + 3), columns)
    wall = looked.mean((at.top + 4, at.top + max(height // 10, 7)), columns)
    under = looked.mean((at.bottom + 2, at.bottom + max(height // 12, 5)), columns)
    deck = min(at.deck / 0.3, 1.0)
    roof = 0.6 if at_top and ends > 0.9 else max(at.vote, 0.0)
    aspect = math.log(length / max(height, 1))
    away = min(abs(aspect - math.log(one)) for one in ISO_ASPECTS)
    terms = (
        roof,
        float(at_top),
        deck,
        posts,
        upright,
        length / picture_columns,
        height / picture_rows,
        min(stray, 0.5),
        onward,
        min(away, 0.7),
        min(max(rail - wall, -0.5), 0.5),
        inside - sum(outer) / len(outer) if outer else 0.0,
        sum(airy) / len(airy) if airy else 0.5,
        above if above >= 0.0 else 0.5,
        min(max(at.deck - under, -0.5), 0.5) if under >= 0.0 else 0.2,
        min(looked.noise, 0.3),
        _even(looked, middle, (at.left + height // 6, at.right - height // 6)),
        roof * ends,
        roof * ends * deck,
        _left_out(looked, rows, columns),
        *_over_usual(looked, rows, columns),
    )
    return tuple(round(one, 5) for one in terms), ends


def _above(looked: Looked, rows: tuple[int, int], columns: tuple[int, int]) -> tuple[float, float]:
    """(share of the columns above the roof that are dark, how many posts go on above it)."""
    straight, pad = looked.straight, looked.pad
    top, height, (left, right) = rows[0], rows[1] - rows[0], columns
    above = straight[max(top - height // 4, pad) : max(top - 2, 0)]
    if above.shape[0] <= 2:
        return 0.0, 0.0
    # A load's top has the walls' posts beside it and above it.
    means = running_mean(above.sum(axis=0, keepdims=True) / above.shape[0], 5, 1)[0]
    below = straight[top + 2 : top + 2 + max(height // 4, 3)]
    below_means = running_mean(below.sum(axis=0, keepdims=True) / below.shape[0], 5, 1)[0]
    near = slice(max(left - height // 8, 0), right + height // 8)
    usual = lower_median(below_means[left:right])
    dark = means[near] > max(0.06, 2.0 * looked.noise, 0.6 * usual)
    stray, onward = float(np.count_nonzero(dark)) / dark.size, 0.0
    reach = max(height // 10, 2)
    for end in (slice(max(left - 2, 0), left + reach), slice(right - reach, right + 3)):
        most_above, most_below = float(means[end].max()), float(below_means[end].max())
        going_on = most_above > 0.03 and most_above > usual + 0.5 * (most_below - usual)
        onward += 0.5 if going_on else 0.0
    return stray, onward


def _posts(straight: Floats, rows: tuple[int, int], columns: tuple[int, int]) -> float:
    """0 to 1: whether at both ends something is dark from roof to deck that is not so between."""
    height = max(rows[1] - rows[0], 10)
    part = straight[rows[0] + height // 12 : rows[1] - height // 12]
    place = part.shape[0] // 4
    left, right = columns
    between = part[:, left + height // 6 : max(right - height // 6, left + height // 6 + 1)]
    between = between[:, :: max(between.shape[1] // 100, 1)]
    usual = lower_median(np.partition(between, place, axis=0)[place]) if between.size else 0.0
    reach = max(height // 10, 2)
    strong = []
    for end in (part[:, max(left - 2, 0) : left + reach], part[:, right - reach : right + 3]):
        most = float(np.partition(end, place, axis=0)[place].max()) if end.size else 0.0
        strong.append(most - max(usual, 0.0) if end.size else 0.0)
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


def _even(looked: Looked, rows: tuple[int, int], columns: tuple[int, int]) -> float:
    """0 to 1: how much of the inside is as its neighbours along the row are, as walls are."""
    part = looked.straight[rows[0] : rows[1] : 2, columns[0] : columns[1] : 2]
    if part.shape[0] < 2 or part.shape[1] < 4:
        return 0.0
    steps = np.abs(np.diff(part, axis=1))
    return float(np.count_nonzero(steps < 0.04)) / steps.size


def _left_out(looked: Looked, rows: tuple[int, int], columns: tuple[int, int]) -> float:
    """How strong the strongest upright edges beyond the ends are beside the box's own."""
    profile, reach = np.abs(looked.steps(rows)), 4
    left, right = columns
    own = sum(
        float(profile[max(end - reach, 0) : end + reach + 1].max(initial=0.0)) for end in columns
    )
    before, after = profile[: max(left - 2 * reach, 0)], profile[right + 2 * reach :]
    beyond = float(before.max(initial=0.0)) + float(after.max(initial=0.0))
    return min(beyond / max(own, 0.02), 2.0)


def _over_usual(
    looked: Looked, rows: tuple[int, int], columns: tuple[int, int]
) -> tuple[float, float, float]:
    """Logarithms of 1 and the steps of roof, deck and ends over those inside the outline.

    In noise, clouds and on pages each is but the largest of many.
    """
    (top, bottom), (left, right) = rows, columns
    height, side = bottom - top, (bottom - top) // 6
    sums = looked.levels
    along = (sums[:, right] - sums[:, left]) / max(right - left, 1)
    upright = looked.steps(rows)
    roof = float(along[max(top - 1, 0) : top + 2].max(initial=0.0))
    deck = float(along[bottom - max(height // 6, 3) : bottom].max(initial=0.0))
    front = float(upright[max(left - 3, 0) : left + 4].max(initial=0.0))
    rear = float((-upright[max(right - 4, 0) : right + 4]).max(initial=0.0))
    levels = _root_mean_square(along[top + height // 8 : bottom - side - 2])
    columns_inside = _root_mean_square(upright[left + side : right - side])
    return (
        math.log1p(roof / levels),
        math.log1p(deck / levels),
        math.log1p(min(front, rear) / columns_inside),
    )


def _root_mean_square(steps: Floats) -> float:
    return 0.002 + math.sqrt(float(np.square(steps).sum()) / max(steps.size, 1))
