"""Somebody on foot past sensors on a line: one speed, one offset, fitted to all of them at once.

At range r(t) = sqrt(d^2 + v^2 (t - t0)^2) a step's energy is G exp(-a (x - 1)) / x with x = r / d
(facts/seismic.md 3.3), whose gain G is each sensor's own, over what steps hide in. The passage of
place s along the line is at t0 + s / v. All is tried on a grid, so that there are no false summits
to get caught on, and what one sensor heard of others costs no more than it can explain.
"""

# ruff: noqa: PLR0917 - kernels take no structures

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WIDTHS = 6
NARROWEST_S, WIDEST_S = 0.6, 14.0  # a runner 2 m beside the sensor, a creeper 11 m beside it
STEEP = 0.7  # a: half a neper of energy per 7 m, 10 m beside the sensor
GAINS = 7
LEAST_GAIN, GAIN_STEP = -0.5, 1.1  # ln(G / usual rest): at closest, steps are so much louder
ODD_NATS_2 = 2.0  # squares of misfits far above this are something else's, and count no more
VARIANCE = 0.3  # of a slot's logarithm: 0.55, gaits and the rest's estimate
MOST_NATS = 30.0  # one sensor says no more than that
BEYOND_SLOTS = 3  # before and after the curve in which a passage may lie
SPEEDS = 22
SLOWEST_M_S, FASTEST_M_S = 0.6, 4.8
OFFSETS = 4
NEAREST_M, NEXT = 2.5, 1.8  # 2.5, 4.5, 8.1, 14.6 m
FINE = 16.0  # entries of the table for each nat
LOW, HIGH = -8.0, 12.0  # and where it begins and ends
(UP, DOWN, SLOWNESS, DEVIATION, AT) = range(5)
FIELDS = 5


@njit(cache=True, nogil=True)
def rises() -> Floats:
    """ln(1 + e^u) for u from LOW to HIGH: by how much steps lift a level above the rest."""
    table = np.zeros(int((HIGH - LOW) * FINE) + 2)
    for i in range(table.shape[0]):
        table[i] = math.log1p(math.exp(i / FINE + LOW))
    return table


@njit(cache=True, nogil=True)
def misfits(steps: Floats, rest: Floats, usual: float, slot_s: float, left: Floats) -> None:
    """How badly a passage at each half slot, of each width, explains one sensor's curve.

    steps  (slots,) ln of what was heard of steps; not a number: unknown
    rest   (slots,) ln of what they hide in
    usual  ln of the usual rest
    left   (2 * (slots + 2 * BEYOND_SLOTS), WIDTHS) takes nats, at the best gain; row i is a
           passage (i / 2 - BEYOND_SLOTS) slots after the start
    """
    slots, rows = steps.shape[0], left.shape[0]
    table = rises()
    shape = np.zeros(2 * slots + rows + 2)
    total, best, room = np.zeros((3, rows))
    ratio = math.log(WIDEST_S / NARROWEST_S) / (WIDTHS - 1)
    for width in range(WIDTHS):
        wide = NARROWEST_S * math.exp(ratio * width) / slot_s
        for j in range(shape.shape[0]):
            x = math.sqrt(1.0 + (0.5 * j / wide) ** 2)
            shape[j] = -STEEP * (x - 1.0) - math.log(x)
        best[:] = math.inf
        for gain in range(GAINS):
            top = usual + LEAST_GAIN + GAIN_STEP * gain
            total[:] = 0.0
            for i in range(slots):
                if not math.isnan(rest[i]):
                    middle = 2 * (i + BEYOND_SLOTS) + 1
                    _misfit(shape, table, top, rest[i], steps[i], middle, room, total)
            for row in range(rows):
                best[row] = min(best[row], total[row])
        for row in range(rows):
            left[row, width] = best[row] / (2.0 * VARIANCE)


@njit(cache=True, nogil=True, error_model="numpy")
def _misfit(
    shape: Floats,
    table: Floats,
    top: float,
    rest: float,
    steps: float,
    middle: int,
    room: Floats,
    total: Floats,
) -> None:
    """Add how badly passages explain one slot.

    shape   ln of the energy so many half slots from the passage, at its middle 0, and falling
    table   as of `rises`
    top     ln of the energy at the passage
    rest, steps  of the slot, as of `misfits`
    middle  the row of a passage in the middle of the slot
    room    (rows,) is overwritten
    total   (rows,) gets squares, bounded

    A passage before the slot and one as long after it explain it alike, and from some distance on
    none lifts it at all: each is worked out once.
    """
    rows, last = total.shape[0], table.shape[0] - 2
    heard, silent = 0, shape.shape[0]
    while heard < silent:
        half = (heard + silent) // 2
        if (top + shape[half] - rest - LOW) * FINE > 0.0:
            heard = half + 1
        else:
            silent = half
    begin, end = max(middle - heard + 1, 0), min(middle + heard, rows)
    if heard == 0:
        begin = end = middle
    above = steps - rest
    alone = _bounded(above)
    for row in range(begin):
        total[row] += alone
    for row in range(end, rows):
        total[row] += alone
    reach = max(middle - begin + 1, end - middle)
    for j in range(reach):
        over = top + shape[j] - rest
        place = (over - LOW) * FINE
        if place < last:
            k = np.int32(place)
            over = table[k] + (place - k) * (table[k + 1] - table[k])
        room[j] = above - over
    for j in range(reach):
        room[j] = _bounded(room[j])
    after = total[middle:end]
    for j in range(after.shape[0]):
        after[j] += room[j]
    for row in range(begin, middle):
        total[row] += room[middle - row]


@njit(cache=True, nogil=True, error_model="numpy")
def _bounded(misfit: float) -> float:
    """Its square; far above `ODD_NATS_2` no more than that."""
    square = misfit * misfit
    return square / (1.0 + square / ODD_NATS_2)


@njit(cache=True, nogil=True)
def line(left: NDArray[np.float64], places: Floats, slot_s: float, found: Floats) -> None:
    """Which way, and how fast, where all sensors' misfits are taken together.

    left    (sensors, rows, WIDTHS) as `misfits` has it, all from the same start
    places  (sensors,) metres along the line
    found   (FIELDS,) takes ln of what speaks for UP the line and for DOWN it; of the likelier:
            its SLOWNESS s/m, the DEVIATION of it, and AT which time place 0 was passed, seconds
            after the start
    """
    rows = left.shape[1]
    least = np.zeros(left.shape[0])
    for i in range(left.shape[0]):
        least[i] = left[i].min()
    nats = np.zeros(rows)
    best = np.full(2, math.inf)
    for turn in range(2):  # the best first, so that nothing overflows
        sums = np.zeros((2, 5))
        for way in range(2):
            for speed in range(SPEEDS):
                v = SLOWEST_M_S * (FASTEST_M_S / SLOWEST_M_S) ** (speed / (SPEEDS - 1))
                slowness = (1.0 if way == 0 else -1.0) / v
                for offset in range(OFFSETS):
                    width = _width(NEAREST_M * NEXT**offset / v)
                    _along(left, least, places, 2.0 * slowness / slot_s, width, nats)
                    if turn == 0:
                        best[way] = min(best[way], nats.min())
                        continue
                    for row in range(rows):
                        weight = math.exp(best[way] - nats[row])
                        sums[way, 0] += weight
                        sums[way, 1] += weight * slowness
                        sums[way, 2] += weight * slowness * slowness
                        sums[way, 3] += weight * row
        if turn == 1:
            up = math.log(sums[0, 0]) - best[0]
            down = math.log(sums[1, 0]) - best[1]
            way = 0 if up >= down else 1
            total = sums[way, 0]
            mean = sums[way, 1] / total
            found[UP], found[DOWN], found[SLOWNESS] = up, down, mean
            found[DEVIATION] = math.sqrt(max(sums[way, 2] / total - mean * mean, 0.0))
            found[AT] = (0.5 * sums[way, 3] / total - BEYOND_SLOTS) * slot_s


@njit(cache=True, nogil=True)
def _width(wide_s: float) -> int:
    """The nearest of the widths."""
    ratio = math.log(WIDEST_S / NARROWEST_S) / (WIDTHS - 1)
    nearest = math.floor(math.log(wide_s / NARROWEST_S) / ratio + 0.5)
    return min(max(nearest, 0), WIDTHS - 1)


@njit(cache=True, nogil=True)
def _along(
    left: NDArray[np.float64],
    least: Floats,
    places: Floats,
    rows_per_m: float,
    width: int,
    nats: Floats,
) -> None:
    """Of place 0 passed at each row: what speaks against it, over what each sensor's best has."""
    rows = nats.shape[0]
    nats[:] = 0.0
    for i in range(places.shape[0]):
        shift = places[i] * rows_per_m
        whole = math.floor(shift)
        part = shift - whole
        for row in range(rows):
            at = min(max(row + int(whole), 0), rows - 2)
            here = left[i, at, width] * (1.0 - part) + left[i, at + 1, width] * part
            nats[row] += min(here - least[i], MOST_NATS)
