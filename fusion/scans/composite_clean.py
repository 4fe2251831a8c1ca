"""Display pictures made comparable: frame and text left out, polarity, air and black found."""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fusion.scans.calibrate import Flags, Floats

Grey = NDArray[np.uint8]

WORK_COLUMNS = 1200  # ribs of a 40 ft box are then 10 to 25 pixels apart; finer tells no more
FLAT_LEVELS = 2  # grey values within which JPEG leaves a band that was drawn
EDGE_LEVELS = 12  # a frame ends with a step; air around a vehicle does not
MAX_BANDS = 4  # black line, white band, grey band: nobody frames more often
RINGING_PX = 2
BAND_SHARE = 0.55  # of a line of a frame has its colour; text and tools the rest
BAND_END = 0.85  # of that share is left in the last lines: frames end at once
MOST_LINE_PX, LINE_LEVELS = 4, 30  # of a line about the picture, within a frame or without
FRAME_SHARE = 0.3  # of the picture, from either side
STROKE_PX = 9  # the thickest stroke of burnt-in letters, in working pixels
LETTER_PX = (3, 60)
STROKE_LEVELS = 40  # over its surroundings
POLARITY = (4.2, 5.8, -4.3)  # fitted to 480 drawn pictures, each both ways
USUALLY = 1.0  # nats: few systems show air dark
EXTREME = (60, 200)  # ink is darker or brighter


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """A display picture at working scale, bright where the beam was not weakened."""

    grey: Grey
    """(rows, columns) without its frame."""
    dark: Floats
    """(rows, columns) 0 where it is as bright as air, 1 where it is as dark as anything."""
    marks: Flags
    """Burnt-in letters and lines; what lies below them is guessed from beside them."""
    scale: int
    """Pixels of the picture in one of these."""
    left: int
    """Columns of the picture before the first, in its own pixels."""
    top: int
    inverted: bool
    air: float
    """Grey value."""
    black: float
    noise: float
    """Of `dark`, per working pixel."""
    framed: float
    """Share of the picture that was frame."""


def clean(picture: Grey) -> Clean:
    """Leave out what a workstation or a clerk has added, and find the picture's own scale."""
    scale = max(1, -(-picture.shape[1] // WORK_COLUMNS))
    small = _shrunk(picture, scale)
    marks = _letters(small)
    bands = _bands(small)
    within = _within(small.shape, bands, ())
    inverted = _is_inverted(_filled(small[within], marks[within]))
    if inverted:
        small = np.asarray(255 - small, np.uint8)
    air, black = _levels(_filled(small[within], marks[within]))
    levels = {side: 255 - level if inverted else level for side, _, level in bands}
    outside = [level for level in levels.values() if level >= air - 4]
    if outside and not _has_own_air(small[within], air):
        air = float(min(outside))
        frame = [side for side, level in levels.items() if level < air - 4]
    else:
        frame = list(levels)
    within = _within(small.shape, bands, frame)
    grey, marks = small[within], marks[within]
    grey = _filled(grey, marks)
    spread = max(air - black, 1.0)
    dark = np.clip((air - grey.astype(np.float64)) / spread, -0.2, 1.0)
    steps = np.abs(np.diff(grey.astype(np.int16), axis=1))
    noise = 1.05 * float(np.mean(np.minimum(steps, 12))) / 1.128 / spread
    rows, columns = within
    return Clean(
        grey=np.ascontiguousarray(grey),
        dark=dark,
        marks=marks,
        scale=scale,
        left=columns.start * scale,
        top=rows.start * scale,
        inverted=inverted,
        air=air,
        black=black,
        noise=noise,
        framed=1.0 - grey.size / small.size if frame else 0.0,
    )


def _shrunk(picture: Grey, scale: int) -> Grey:
    """Means over squares of whole pixels, in whole numbers: the same on every machine."""
    if scale == 1:
        return picture
    rows, columns = (side // scale * scale for side in picture.shape)
    part = picture[:rows, :columns]
    lines = part[::scale].astype(np.uint16)  # 257 lines of 255 fit
    for line in range(1, scale):
        lines += part[line::scale]
    sums = lines[:, ::scale].astype(np.uint32)
    for column in range(1, scale):
        sums += lines[:, column::scale]
    return np.asarray((sums + scale * scale // 2) // (scale * scale), np.uint8)


def _letters(grey: Grey) -> Flags:
    """Thin strokes of ink that stand in a row as letters do."""
    kernel = np.ones((STROKE_PX, STROKE_PX), np.uint8)
    marks = np.zeros(grey.shape, np.bool_)
    for bright in (False, True):
        way = cv2.MORPH_TOPHAT if bright else cv2.MORPH_BLACKHAT
        over = cv2.morphologyEx(grey, way, kernel)
        ink = grey > EXTREME[1] if bright else grey < EXTREME[0]
        marks |= _rows_of_letters(((over > STROKE_LEVELS) & ink).astype(np.uint8))
    grown = cv2.dilate(marks.astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.asarray(grown > 0, np.bool_)


def _rows_of_letters(strokes: NDArray[np.uint8]) -> Flags:
    if not strokes.any():
        return np.asarray(strokes, np.bool_)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(strokes, connectivity=8)
    width, height, area = stats[:, 2], stats[:, 3], stats[:, 4]
    least, most = LETTER_PX
    letter = (height >= least) & (height <= most) & (width <= most) & (area >= 4)
    letter &= (area < 0.85 * width * height) | (width <= 3)
    letter[0] = False
    found = np.asarray(letter[labels], np.bool_)
    if not found.any():
        return found
    tall = int(np.sort(height[letter])[np.count_nonzero(letter) // 2])
    joined = cv2.dilate(found.astype(np.uint8), np.ones((1, 2 * tall + 1), np.uint8))
    _, groups, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    members = np.zeros(len(boxes), np.int64)
    first = np.nonzero(letter)[0]
    places = stats[first, 0] + stats[first, 2] // 2, stats[first, 1] + stats[first, 3] // 2
    np.add.at(members, groups[places[1], places[0]], 1)
    # Cross members below a floor stand in a row too, all along the picture.
    text = (members >= 4) & (boxes[:, 2] > 2 * boxes[:, 3]) & (boxes[:, 3] <= 2 * most)
    text &= boxes[:, 2] < 0.6 * strokes.shape[1]
    text[0] = False
    return np.asarray(found & text[groups], np.bool_)


Band = tuple[int, int, int]
"""(side, lines, grey value); sides are top, bottom, left, right."""


def _bands(grey: Grey) -> list[Band]:
    """Flat bands about the picture, from the outermost in: frames, or air."""
    sides = [0, grey.shape[0], 0, grey.shape[1]]
    found: list[Band] = []
    for _ in range(MAX_BANDS):
        before = len(found)
        for side in range(4):
            part = grey[sides[0] : sides[1], sides[2] : sides[3]]
            # Seen from the side that is looked at, as rows from the top.
            turned = (part, part[::-1], part.T, part.T[::-1])[side]
            lines = _flat_band(turned[: max(int(FRAME_SHARE * turned.shape[0]), 1)])
            if lines:
                middle = np.sort(turned[lines // 2])[turned.shape[1] // 2]
                found.append((side, lines, int(middle)))
                sides[side] += -lines if side % 2 else lines
        if len(found) == before:
            break
    line = (
        _line_about(grey[sides[0] : sides[1], sides[2] : sides[3]])
        if min(sides[1] - sides[0], sides[3] - sides[2]) > 8 * MOST_LINE_PX
        else 0
    )
    if line:
        found += [(side, line, 0) for side in range(4)]
    return found


def _within(shape: tuple[int, ...], bands: list[Band], frame: Iterable[int]) -> tuple[slice, slice]:
    """Rows and columns within the bands; behind a frame JPEG leaves a mixture, left out too."""
    cut = [sum(lines for side, lines, _ in bands if side == one) for one in range(4)]
    for side in frame:
        cut[side] += RINGING_PX
    return slice(cut[0], max(shape[0] - cut[1], cut[0] + 1)), slice(
        cut[2], max(shape[1] - cut[3], cut[2] + 1)
    )


def _has_own_air(grey: Grey, air: float) -> bool:
    """Whether the picture's rim is air, so that what lies about it is a frame."""
    rim = [grey[:3], grey[-3:], grey[:, :3].T, grey[:, -3:].T]
    like = [np.count_nonzero(np.abs(one - np.float64(air)) <= 8) / one.size for one in rim]
    # The lowest rows are wheels and road; the box alone has rails and posts all about.
    return bool(like[0] > 0.6 or (like[2] > 0.6 and like[3] > 0.6))


def _flat_band(lines: Grey) -> int:
    """How many lines from the first on are one flat colour with a step at the end.

    Text, tools and a ruler's ticks may stand in the band; in its first lines there are none.
    """
    count = lines.shape[1]
    if len(lines) < 2:
        return 0
    low, middle, high = _spread_of(lines[:2])
    if bool((high - low > FLAT_LEVELS).any()) or abs(int(middle[1] - middle[0])) > FLAT_LEVELS:
        return 0
    level = np.int16(middle[0])
    like = np.abs(lines.astype(np.int16) - level) <= 3 * FLAT_LEVELS
    shares = like.sum(axis=1) / count
    ends = np.nonzero(shares < BAND_SHARE)[0]
    band = int(ends[0]) if ends.size else 0
    if band < 2 or band + 4 >= len(lines):
        return 0
    usual = float(np.sort(shares[:band])[band // 2])
    if float(shares[max(band - 4, 0) : band].min()) < BAND_END * usual:
        return 0  # what comes in bit by bit is a roof askew
    beyond = lines[band + 2 : band + 5].astype(np.int16)
    # Air goes on between what begins there; beyond a frame there is none of its colour.
    near = np.abs(beyond - level) <= EDGE_LEVELS
    return band if 4 * np.count_nonzero(near) < near.size else 0


def _spread_of(lines: Grey) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(tenth, median, ninth tenth) of each line."""
    count = lines.shape[1]
    places = (count // 10, count // 2, count - 1 - count // 10)
    ordered = np.partition(lines, places, axis=1).astype(np.int64)
    return ordered[:, places[0]], ordered[:, places[1]], ordered[:, places[2]]


def _line_about(part: Grey) -> int:
    """Lines of a thin frame that goes all the way round; 0: there is none."""
    found = []
    for turned in (part, part[::-1], part.T, part.T[::-1]):
        low, middle, high = _spread_of(turned[: MOST_LINE_PX + 3])
        flat = (high - low <= 3 * FLAT_LEVELS) & (np.abs(middle - middle[0]) <= LINE_LEVELS)
        lines = int(np.argmin(flat)) if not flat.all() else 0
        beyond = middle[min(lines + 1, len(middle) - 1)]
        if not 1 <= lines <= MOST_LINE_PX or abs(int(beyond - middle[0])) <= LINE_LEVELS:
            return 0
        found.append((lines, int(middle[0])))
    levels = [level for _, level in found]
    return max(lines for lines, _ in found) if max(levels) - min(levels) <= LINE_LEVELS else 0


def _filled(grey: Grey, marks: Flags) -> Grey:
    """The picture with its letters replaced by the median of what surrounds them."""
    if not marks.any():
        return grey
    side = min(4 * STROKE_PX + 1, 31)
    wide = cv2.medianBlur(grey, side)
    return np.where(marks, wide, grey).astype(np.uint8)


def _is_inverted(grey: Grey) -> bool:
    """Whether air is dark: load lies below, and air is the evenest large part of a picture."""
    low, high = _quantiles(grey, (0.01, 0.99))
    spread = max(high - low, 1.0)
    rows = grey.shape[0]
    upper = _mean(grey[: max(rows // 4, 1)])
    lower = _mean(grey[rows // 2 :])
    gravity = (upper - lower) / spread
    bright = np.count_nonzero(grey > high - 0.25 * spread) / grey.size
    black = np.count_nonzero(grey < low + 0.25 * spread) / grey.size
    # What stands about a vehicle is air; of a box alone rails and posts, less than air is within.
    rim = max(rows // 40, 1)
    around = np.concatenate(
        [grey[:rim].reshape(-1), grey[-rim:].reshape(-1), grey[:, :rim].reshape(-1)]
    )
    inside = grey[rows // 5 : -rows // 5 or None]
    rails = (_mean(inside) - _mean(around)) / spread
    low_load, even, rim_of_air = POLARITY
    return bool(low_load * gravity + even * (bright - black) + rim_of_air * rails + USUALLY < 0.0)


def _levels(grey: Grey) -> tuple[float, float]:
    """(air, black): the brightest value that many pixels share, and the darkest there is."""
    counts = np.bincount(grey.reshape(-1), minlength=256)
    sums = np.cumsum(np.pad(counts, (5, 4)))
    near = sums[9:] - sums[:-9]
    shared = np.nonzero(near >= 0.02 * grey.size)[0]
    top = int(shared[-1]) if shared.size else 255
    window = near[max(top - 12, 0) : top + 1]
    air = max(top - 12, 0) + int(np.argmax(window))
    black = _quantiles(grey, (0.003,))[0]
    return float(air), float(min(black, air - 8))


def _quantiles(grey: Grey, shares: tuple[float, ...]) -> tuple[float, ...]:
    sums = np.cumsum(np.bincount(grey.reshape(-1), minlength=256))
    return tuple(float(np.searchsorted(sums, share * grey.size)) for share in shares)


def _mean(grey: Grey) -> float:
    return float(grey.sum(dtype=np.int64)) / grey.size
