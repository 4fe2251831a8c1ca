"""What the first rows of a logger show: which columns they have, how large the numbers are, and how
fast they come."""

import math

import numpy as np

from drivers.seismic_ascii_time import Floats, plain_rate, understand
from fusion.types import SECOND_NS

USUAL_RATE_HZ = 100.0
INT32_MAX = 2**31 - 1
HEADROOM = 1000.0  # quiet ground to the strongest shock, where numbers have to be made whole


def guess(head: Floats, rate_hz: float | None) -> tuple[str, ...]:
    """Columns of rows that nobody has described: a first one that runs on is the time."""
    count = head.shape[1]
    first_column = head[:, 0]
    since_1970 = any(1e9 * unit <= first_column[0] < 1e10 * unit for unit in (1, 1e3, 1e6, 1e9))
    runs_on = since_1970 and bool((np.diff(first_column) >= 0.0).all())
    has_time = count > 1 and (runs_on or understand(first_column, rate_hz) is not None)
    first = ("time",) if has_time else ()
    more = [f"EH{number}" for number in range(2, count - len(first) + 1)]
    return (*first, "counts", *more)


def scale_of(values: Floats) -> float:
    """What makes whole numbers of these without loss: a power of ten, 1 for whole ones."""
    most = float(np.abs(values).max())
    if most == 0.0:
        return 1.0
    highest = math.floor(math.log10(INT32_MAX / most))
    if (values == np.rint(values)).all():
        return 1.0 if highest >= 0 else 10.0**highest
    for digits in range(16):
        scaled = values * 10.0**digits
        if np.abs(scaled - np.rint(scaled)).max() <= 1e-6 * most * 10.0**digits:
            break
    return float(10.0 ** min(digits, math.floor(math.log10(INT32_MAX / (most * HEADROOM)))))


def rate_of(arrivals: list[tuple[int, int]]) -> float:
    """By least squares through the ends of the bursts; the usual one where all came at once."""
    whole = arrivals[:-1]  # the last burst may not be over
    counts = np.array([count for count, _ in whole], float)
    seconds = np.array([at_ns - arrivals[0][1] for _, at_ns in whole], float) / SECOND_NS
    if len(whole) < 2 or seconds[-1] <= 0.0:
        return USUAL_RATE_HZ
    seconds -= seconds.mean()
    return plain_rate(float((seconds * counts).sum() / (seconds * seconds).sum()))
