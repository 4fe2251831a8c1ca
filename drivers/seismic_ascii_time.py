"""What a column of times means: seconds, milliseconds or finer, since 1970 or since whenever."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.types import SECOND_NS

Floats = NDArray[np.float64]

UNITS_NS = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0}
EPOCH = (1e9, 1e10)
"""Seconds since 1970 from the year 2001 to 2286; in finer units so much more."""
RATES_HZ = (10.0, 6000.0)
"""Of ground sensors; less than a factor of 1,000, so that only one unit fits."""
FIT = 1.5  # a column whose pace is further from the known rate says something else
EVEN = 0.51
"""Of a sample: steps further from one are no times of samples, or scatter so much that rows had
better be counted. Whole milliseconds at 750 Hz are off by a half."""
STEADY_SHARE = 0.85  # of steps; a row that is damaged spoils two of thirty
NEAR_LINE = 3.0  # samples: more is a gap, or times of packets
LAG = 512  # samples: whole milliseconds are then good to 0.1 % at 500 Hz
SLACK = 0.75  # of a sample: times in whole milliseconds are off by up to half of one at 500 Hz
WRAP = 2.0**32  # where counters of milliseconds and microseconds begin again


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeColumn:
    """A column that has been understood."""

    unit_ns: float
    """Of one; of an index the time of a sample."""
    utc: bool
    """Whether it counts from 1970."""
    steady: bool
    """Whether it tells the time of each sample; else only that of some packet or poll."""
    rate_hz: float


def understand(times: Floats, rate_hz: float | None, *, index: bool = False) -> TimeColumn | None:
    """The column whose first values these are; None where it does not run on.

    `rate_hz` where it is known; `index` where the column is known to number the samples.
    """
    if len(times) < 2:
        return None
    column = _column(times, rate_hz, LAG, index=index)
    if column is None or not column.steady:
        # Over half of them even times that many samples share say how fast they are.
        column = _column(times, rate_hz, len(times), index=index)
    return column


def _column(times: Floats, rate_hz: float | None, lag: int, *, index: bool) -> TimeColumn | None:
    """`understand`, by differences over so many samples: a gap spoils those across it."""
    # Where the time moves on: in a column of packets the first row of each.
    moved = np.flatnonzero(np.diff(times, prepend=-math.inf))
    lag = max(1, min(len(moved) // 2, lag))
    if len(moved) < 2:
        return None
    moving = times[moved]
    pace = float(np.median((moving[lag:] - moving[:-lag]) / (moved[lag:] - moved[:-lag])))
    if pace <= 0.0:
        return None
    pace = _refined(times, pace)
    middle = float(np.median(times))
    candidates = []
    for name, unit_ns in UNITS_NS.items():
        fit = _fit(SECOND_NS / (pace * unit_ns), rate_hz)
        scale = SECOND_NS / unit_ns
        since_1970 = EPOCH[0] * scale <= middle < EPOCH[1] * scale
        if fit < math.inf and not index:
            # A counter may look like a time of some other unit, but then its pace does not fit.
            candidates.append((fit - since_1970, name, unit_ns, since_1970))
    if rate_hz is not None and (index or abs(pace - 1.0) < 1e-6):
        candidates.append((abs(math.log(pace)), "index", SECOND_NS / rate_hz, False))
    if not candidates:
        return None
    _, _, unit_ns, since_1970 = min(candidates)
    found_hz = rate_hz or plain_rate(SECOND_NS / (pace * unit_ns))
    steps = np.diff(times) * unit_ns * found_hz / SECOND_NS
    return TimeColumn(
        unit_ns=unit_ns,
        utc=since_1970,
        steady=bool(np.mean(np.abs(steps - 1.0) <= EVEN) >= STEADY_SHARE),
        rate_hz=found_hz,
    )


def _refined(times: Floats, pace: float) -> float:
    """By least squares, where the times stay so near a line that no gap is among them."""
    rows = np.arange(len(times)) - (len(times) - 1) / 2.0
    slope = float((rows * (times - times.mean())).sum() / (rows * rows).sum())
    off = times - slope * rows
    return slope if slope > 0.0 and float(np.ptp(off)) <= NEAR_LINE * pace else pace


def plain_rate(rate_hz: float) -> float:
    """A measured rate, whole where it is as good as whole: 250 for 249.93."""
    whole = float(round(rate_hz))
    return whole if whole and abs(rate_hz - whole) <= 0.002 * rate_hz else round(rate_hz, 2)


def _fit(found_hz: float, rate_hz: float | None) -> float:
    """How far a unit is from making sense, in the logarithm of the rate; infinite: it does not."""
    if rate_hz is None:
        return 0.0 if RATES_HZ[0] <= found_hz <= RATES_HZ[1] else math.inf
    off = abs(math.log(found_hz / rate_hz))
    return off if off <= math.log(FIT) else math.inf
