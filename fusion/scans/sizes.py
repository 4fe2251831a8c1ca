"""What kind of box it is, by its length and height, and how large a pixel is where nobody said."""

import math
from dataclasses import dataclass

ISO_LENGTH_M = {20: 6.058, 40: 12.192, 45: 13.716}  # ISO 668, outside
KINDS = (
    (20, 2.591, 0.27),
    (20, 2.896, 0.03),
    (40, 2.591, 0.27),
    (40, 2.896, 0.38),
    (45, 2.896, 0.05),
)
"""(feet, height of 8'6" or 9'6" in metres, share of the boxes at sea and on the road)."""
UNLIKE_SHARE = 0.08  # trailers and lorries' own boxes, of any length
ASPECTS = math.log(8.0 / 1.55)  # over which theirs are spread
USUAL_HEIGHT_M = 2.75
SQUARE_SHARE = 0.7  # of the pictures have square pixels; facts 3 has one of 9.5 by 8 mm
ASPECT_SPREADS = (0.05, 0.2)  # of square ones, by the edges' own play, and of the others
LENGTH_TOLERANCE = 0.06  # half way from 40 to 45 ft
SPEED_SPREAD = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What a box's outline says."""

    feet: int
    """20, 40 or 45; 0 where it is no ISO box."""
    height_m: float
    """Of such a box; 0 where it is none."""
    sure: float
    """That it is a box of so many feet, 0 to 1."""
    pitch_mm: tuple[float, float]
    """Along and across: what was told, else what the box says."""
    speed_error: float
    """Length of the box in the picture over the ISO length, less 1; 0 where nothing can be said."""


def size_of(
    length_px: float, height_px: float, pitch_mm: tuple[float, float], *, known: bool
) -> Size:
    """The likeliest box for an outline of so many pixels, its deck's beams included.

    known  somebody has said how large a pixel is; else the box itself says
    """
    if known:
        return _measured(length_px * pitch_mm[0] / 1000.0, pitch_mm)
    aspect = length_px / max(height_px, 1.0)
    weights = [
        share * _density(math.log(aspect * height_m / ISO_LENGTH_M[feet]))
        for feet, height_m, share in KINDS
    ]
    unlike = UNLIKE_SHARE / ASPECTS
    best = max(range(len(KINDS)), key=lambda kind: weights[kind])
    feet, height_m, _ = KINDS[best]
    total = math.fsum((*weights, unlike))
    same = math.fsum(w for w, kind in zip(weights, KINDS, strict=True) if kind[0] == feet)
    if weights[best] < unlike:
        pitch = 1000.0 * USUAL_HEIGHT_M / max(height_px, 1.0)
        return Size(
            feet=0,
            height_m=0.0,
            sure=round(unlike / total, 3),
            pitch_mm=(pitch, pitch),
            speed_error=0.0,
        )
    along = 1000.0 * ISO_LENGTH_M[feet] / length_px
    across = 1000.0 * height_m / max(height_px, 1.0)
    return Size(
        feet=feet,
        height_m=height_m,
        sure=round(same / total, 3),
        pitch_mm=(along, across),
        speed_error=0.0,
    )


def _measured(length_m: float, pitch_mm: tuple[float, float]) -> Size:
    feet = min(ISO_LENGTH_M, key=lambda one: abs(math.log(max(length_m, 0.1) / ISO_LENGTH_M[one])))
    error = length_m / ISO_LENGTH_M[feet] - 1.0
    if abs(error) > LENGTH_TOLERANCE:
        return Size(feet=0, height_m=0.0, sure=0.9, pitch_mm=pitch_mm, speed_error=0.0)
    # Towards half way to the next size it could as well be that, or a trailer.
    sure = 0.98 * _normal(0.5 * error / SPEED_SPREAD)
    return Size(
        feet=feet,
        height_m=0.0,
        sure=round(sure, 3),
        pitch_mm=pitch_mm,
        speed_error=round(error, 4),
    )


def _density(away: float) -> float:
    """Of the logarithm of a box's aspect about that of its kind."""
    shares = (SQUARE_SHARE, 1.0 - SQUARE_SHARE)
    return math.fsum(
        share * _normal(away / spread) / (math.sqrt(2.0 * math.pi) * spread)
        for share, spread in zip(shares, ASPECT_SPREADS, strict=True)
    )


def _normal(x: float) -> float:
    return math.exp(-0.5 * x * x)
