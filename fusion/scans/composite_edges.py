"""Level and upright edges of a display picture, and the turn that makes them level."""

import numpy as np
from numpy.typing import NDArray

from fusion.scans.calibrate import Floats

SKEW_STEPS = 13  # a quarter of a degree each
SKEW_STEP = 0.0044  # radians
SKEW_BLOCKS = 16


def edges_of(dark: Floats, axis: int) -> Floats:
    """(rows, columns) what the three lines from here on are darker than the three before."""
    count = dark.shape[axis]
    padded = np.pad(dark, [(3, 3) if i == axis else (0, 0) for i in (0, 1)])

    def lines(by: int) -> Floats:
        first = 3 + by
        return padded[first : first + count] if axis == 0 else padded[:, first : first + count]

    rise = lines(0) + lines(1) + lines(2)
    rise -= lines(-1)
    rise -= lines(-2)
    rise -= lines(-3)
    rise /= 3.0
    other = 1 - axis
    # Along the edge noise is evened out.
    return np.asarray(running_mean(rise, 9, other), np.float64)


def running_mean(values: Floats, width: int, axis: int) -> Floats:
    """Means of `width` values, an odd number, along an axis; ends go on as they are."""
    half = width // 2
    padding = [(half + 1, half) if i == axis else (0, 0) for i in (0, 1)]
    sums = np.cumsum(np.pad(values, padding, mode="edge"), axis=axis)
    if axis == 0:
        return np.asarray((sums[width:] - sums[:-width]) / width, np.float64)
    return np.asarray((sums[:, width:] - sums[:, :-width]) / width, np.float64)


def skew_of(dark: Floats) -> float:
    """Radians of the turn that makes level edges sharpest, by the profiles of blocks of columns."""
    blocks = np.array_split(np.arange(dark.shape[1]), SKEW_BLOCKS)
    profiles = np.stack([dark[:, block].sum(axis=1) / block.size for block in blocks], axis=1)
    middles = np.array([block[0] + block.size / 2 for block in blocks]) - dark.shape[1] / 2
    best, best_sharpness = 0.0, -1.0
    for step in sorted(range(-(SKEW_STEPS // 2), SKEW_STEPS // 2 + 1), key=abs):
        turn = step * SKEW_STEP
        shifts = np.round(middles * turn).astype(np.int64)
        total = np.zeros(dark.shape[0])
        for block, shift in enumerate(shifts.tolist()):
            total += np.roll(profiles[:, block], -shift)
        inner = total[abs(int(shifts.min())) : total.size - abs(int(shifts.max()))]
        sharpness = float(np.square(np.diff(inner)).sum())
        if sharpness > 1.05 * best_sharpness:
            best, best_sharpness = turn, sharpness
    return best


def straightened(dark: Floats, skew: float) -> Floats:
    """Each column moved by whole rows so that what is turned by `skew` radians is level."""
    if skew == 0.0:
        return dark
    columns = np.arange(dark.shape[1])
    shifts = np.round((columns - dark.shape[1] / 2) * skew).astype(np.int64)
    rows = np.arange(dark.shape[0])[:, None] + shifts[None, :]
    inside = (rows >= 0) & (rows < dark.shape[0])
    moved = np.take_along_axis(dark, np.clip(rows, 0, dark.shape[0] - 1), axis=0)
    return np.asarray(np.where(inside, moved, 0.0), np.float64)


def best_run(gains: NDArray[np.float64]) -> tuple[float, int, int]:
    """(sum, start, stop) of the stretch with the largest sum (Kadane)."""
    sums = np.concatenate([[0.0], np.cumsum(gains)])
    lowest = np.minimum.accumulate(sums)
    stop = int(np.argmax(sums - lowest))
    start = int(np.nonzero(sums[: stop + 1] == lowest[stop])[0][-1])
    return float(sums[stop] - sums[start]), start, stop


def lower_median(values: Floats) -> float:
    """The lower median."""
    place = (values.size - 1) // 2
    return float(np.partition(values, place)[place])


def spread_about_0(values: Floats) -> float:
    """Robust spread about 0."""
    near = np.abs(values[::3, ::3]).reshape(-1)
    return 1.4826 * float(np.partition(near, near.size // 2)[near.size // 2])
