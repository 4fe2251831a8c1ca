"""Rows and columns that measured something else than their neighbours."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MAX_INTERPOLATED_PX = 3  # facts 2.3: what is in a wider gap nobody knows
STRIPE_SIGMA = 8.0  # robust; rows differ for many reasons, of which most are the load's
BLOCKS = 8  # along a row: a stripe is in all of them, an edge of the load is not
MIN_STRIPE = 0.02  # of the signal; less is noise of the detector that a cell averages out
BROKEN_SHARE = 0.03  # between the front's air and the rear's: thrice what lamps drift in a scan
NOISY_TIMES = 4.0  # as much noise as the median row: such a row's cells were worth a sixteenth
LEAST_STEP = 0.003  # of air: a display picture has none at all where it is white
EVERY_COLUMN = 4  # is looked at
SMOOTH_ROWS = 31  # whose median is known to 2 % where rows differ by 10 %
STUCK_EVERY = 32  # columns: what a vehicle takes from a row is metres long
STUCK_FIRST_EVERY = 512  # and of these a few, a multiple of them
STUCK_SHARE = 0.01  # of a row's brightest pixel; noise alone makes some 4 % from end to end
SEEN_SHARE, SEEN_LENGTH = 0.7, 0.05  # of the light, and of the columns: roof rail, cab, wheels
SMOOTH_SHARE = 0.1  # the thinnest walls take 12 % (2 x 1.6 mm of steel)


def gaps(dead: Flags) -> NDArray[np.int64]:
    """(gaps, 2): first line and one beyond the last of each run of dead ones."""
    framed = np.zeros(dead.size + 2, np.bool_)
    framed[1:-1] = dead
    return np.flatnonzero(framed[1:] != framed[:-1]).reshape(-1, 2)


def noisy(roughness: Floats, air: float) -> Flags:
    """Rows whose steps from pixel to pixel in air are far larger than other rows'.

    roughness  (rows,) mean step in counts
    air        counts
    """
    typical = float(np.sort(roughness)[(roughness.size - 1) // 2])
    return np.asarray(roughness > NOISY_TIMES * max(typical, LEAST_STEP * air), np.bool_)


def stuck(plane: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Rows that tell one number all along, between rows in which a vehicle is seen.

    A converter that hangs looks like clear air from end to end, and would hide what is behind it.
    """
    # What is flat in every column looked at is flat in a few of them: most rows are not.
    few = np.ascontiguousarray(plane[:, ::STUCK_FIRST_EVERY].T)
    share = STUCK_SHARE / (1.0 - STUCK_SHARE) + 1e-9
    doubtful: NDArray[np.int64] = np.flatnonzero(_flat(few, share))
    doubtful = doubtful[_flat(plane[doubtful, ::STUCK_EVERY].T, STUCK_SHARE)]
    if doubtful.size == 0:
        return doubtful
    probe = plane[:, ::STUCK_EVERY]
    shaded = np.count_nonzero(probe < SEEN_SHARE * probe.max(axis=1)[:, None], axis=1)
    seen = np.flatnonzero(shaded >= max(SEEN_LENGTH * probe.shape[1], 2))
    if seen.size == 0:
        return np.empty(0, np.int64)
    inside: NDArray[np.int64] = doubtful[(doubtful >= seen[0]) & (doubtful < seen[-1])]
    return inside


def _flat(lines: NDArray[np.uint16], share: float) -> Flags:
    """(columns, rows) of counts -> (rows,) whose least and most are hardly apart."""
    most, least = lines.max(axis=0), lines.min(axis=0)
    return np.asarray(most - least <= share * most, np.bool_)


def broken(front: Floats, rear: Floats) -> Flags:
    """Rows that were another before the vehicle than behind it: a card that came or went.

    front, rear  (rows,) counts in the air before and behind
    """
    ratio = np.divide(rear, front, out=np.zeros_like(front), where=front > 0)
    usual = np.sort(ratio)[(ratio.size - 1) // 2]
    distance = np.abs(ratio - usual)
    limit = max(
        STRIPE_SIGMA * 1.4826 * float(np.sort(distance)[(ratio.size - 1) // 2]), BROKEN_SHARE
    )
    return np.asarray(distance > limit, np.bool_)


def is_smooth(level: Floats) -> bool:
    """Whether rows differ from their neighbours, but not parts of the picture from others.

    level  (rows,) counts in what may be air
    """
    count = level.size // SMOOTH_ROWS
    if count < 2:
        return True
    parts = np.sort(level[: count * SMOOTH_ROWS].reshape(count, SMOOTH_ROWS), axis=1)
    middles = np.sort(parts[:, SMOOTH_ROWS // 2])
    dimmest, brightest = middles[count // 20], middles[-1 - count // 20]
    return bool(dimmest > (1.0 - SMOOTH_SHARE) * brightest)


def even(plane: NDArray[np.uint16], dark: Floats, first: int, last: int) -> Floats:
    """(rows,) 1, or 0 for a stripe: a row that is off its neighbours all along the picture.

    For pictures without air beside the vehicle, in which no row's gain is measured. A row's
    gain is the same everywhere along it; what a row of the load adds is not.
    """
    gain = np.ones(plane.shape[0])
    block = (last - first) // (BLOCKS * EVERY_COLUMN)
    if block < 1 or plane.shape[0] < 5:
        return gain
    part = plane[:, first : first + BLOCKS * EVERY_COLUMN * block : EVERY_COLUMN]
    sums = part.reshape(plane.shape[0], BLOCKS, block).sum(axis=2, dtype=np.int64)
    level = sums / block - dark[:, None]
    usual = _beside(level)
    off = np.divide(level, usual, out=np.ones_like(level), where=usual > 1.0) - 1.0
    gain[(_stands_out(np.sort(off, axis=1)[:, BLOCKS // 2])) & _same_everywhere(off)] = 0.0
    return gain


def pulses(brightness: Floats, least: float) -> Floats:
    """(columns,) 1, or 0 for a missed pulse, where no air above shows their strength.

    brightness  (columns,) mean counts
    least       counts; where the neighbours have less, nothing is missed
    """
    before, after = np.roll(brightness, 1), np.roll(brightness, -1)
    missed = (brightness < 0.1 * np.minimum(before, after)) & (before > least)
    return np.where(missed, 0.0, 1.0)


def _beside(level: Floats) -> Floats:
    """(rows, blocks) median of each row with the two above and the two below it."""
    padded = np.pad(level, ((2, 2), (0, 0)), mode="edge")
    windows = np.stack([padded[i : i + level.shape[0]] for i in range(5)])
    return np.asarray(np.sort(windows, axis=0)[2], np.float64)


def _stands_out(off: Floats) -> Flags:
    spread = 1.4826 * float(np.sort(np.abs(off))[(off.size - 1) // 2])
    return np.asarray(np.abs(off) > max(STRIPE_SIGMA * spread, MIN_STRIPE), np.bool_)


def _same_everywhere(off: Floats) -> Flags:
    """All blocks of a row are off the same way, by more than half of what the middle one is."""
    middle = np.sort(off, axis=1)[:, BLOCKS // 2]
    return np.asarray((off * np.sign(middle)[:, None]).min(axis=1) > 0.5 * np.abs(middle), np.bool_)
