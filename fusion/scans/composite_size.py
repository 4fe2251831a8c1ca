"""How long a display picture's box is, by the ribs of its walls.

A 45 ft box 9'6" high has the aspect of a 40 ft box 8'6" high, and pixels need not be square. The
corrugation of steel walls has one period on all of them (0.278 m, facts 4), so that a box has a
number of ribs that no resampling changes.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fusion.scans.composite_box import Box
from fusion.scans.composite_terms import inner
from fusion.scans.sizes import ISO_LENGTH_M, USUAL_HEIGHT_M, Size

RIB_PERIOD_M = 0.278
HEIGHT_M = 2.896  # of nearly all boxes of 45 ft
RIBS = {feet: length / RIB_PERIOD_M for feet, length in ISO_LENGTH_M.items()}
PLAY = 0.03  # of the number: posts, doors and the edges' own errors
LEAST_PX = 2.6  # from rib to rib
BANDS = 6  # of the inside: where load hides the ribs in some, others show them
CLEAR, SURE_FOR, SURE_AGAINST = 2.0, 0.9, 0.85
"""Power of the best number over the next; how sure a length is that ribs are for or against."""
LEAST_POWER = 7.0  # over what is usual; noise has 5
STRONGEST = 0.5  # of the strongest stripes there are: others are no ribs
MOST_ASPECT_20 = 3.1  # length to height: every second stripe of a 40 ft box is one of a 20 ft box
TRANSFORMED = 8192  # pixels, with nothing beyond the profile's own: finer than a tenth of a rib


def by_ribs(size: Size, box: Box, length_px: float, height_px: float) -> Size:
    """The size with what the ribs say of it; unchanged where none are seen.

    length_px, height_px  of the box in the picture's own pixels
    """
    powers = rib_powers(box)
    if not powers:
        return size
    short = 20 if length_px < MOST_ASPECT_20 * height_px else 40
    powers[short] = max(powers.get(20, 0.0), powers.get(40, 0.0))
    if short == 20:
        powers.pop(40, None)
    else:
        powers.pop(20, None)
    long = powers.get(45, 0.0)
    best, other = (45, short) if long > powers[short] else (short, 45)
    if powers.get(best, 0.0) < max(CLEAR * powers.get(other, 0.0), LEAST_POWER):
        return size
    if best == size.feet:
        return replace(size, sure=max(size.sure, SURE_FOR))
    height_m = HEIGHT_M if best == 45 else size.height_m or USUAL_HEIGHT_M
    return Size(
        feet=best,
        height_m=height_m,
        sure=SURE_AGAINST,
        pitch_mm=(1000.0 * ISO_LENGTH_M[best] / length_px, 1000.0 * height_m / max(height_px, 1.0)),
        speed_error=0.0,
    )


def rib_powers(box: Box) -> dict[int, float]:
    """Power of the stripes that boxes of so many feet have, over what is usual; may be nothing."""
    rows, columns = inner(box)
    part = box.straight[rows, columns]
    length = box.right - box.left
    fit = {feet: count for feet, count in RIBS.items() if length / count >= LEAST_PX}
    if part.shape[0] < 2 * BANDS or 45 not in fit:
        return {}
    counts = np.arange(TRANSFORMED // 2 + 1) * (length / TRANSFORMED)
    seen = (counts > 0.8 * min(fit.values())) & (counts < 2.25 * max(fit.values()))
    power = np.zeros(counts.size)
    for band in np.array_split(np.arange(part.shape[0]), BANDS):
        power += _spectrum(part[band].sum(axis=0) / band.size)
    ordered = np.sort(power[seen])
    usual = max(float(ordered[ordered.size // 2]), 1e-12)
    most, found = float(ordered[-1]) / usual, {}
    for feet, count in fit.items():
        near = [np.abs(counts - times * count) <= PLAY * times * count for times in (1, 2)]
        found[feet] = max(float(power[one & seen].max(initial=0.0)) for one in near) / usual
    return found if max(found.values()) >= STRONGEST * most else {}


def _spectrum(profile: NDArray[np.float64]) -> NDArray[np.float64]:
    """Power at every frequency, as a share of all that varies fast; one post decides nothing."""
    fast = np.diff(profile)
    limit = 4.0 * float(np.sort(np.abs(fast))[fast.size // 2])
    fast = np.clip(fast, -limit, limit) * np.hanning(fast.size)
    power = np.square(np.abs(np.fft.rfft(fast[:TRANSFORMED], TRANSFORMED)))
    return np.asarray(power / max(float(np.square(fast).sum()), 1e-12), np.float64)
