"""Blows in an envelope of ground motion, and the chain of alike ones that a walker leaves."""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

# Places in the array that `describe` fills.
(
    RATE,  # blows a second
    SPREAD,  # standard deviation / mean of the intervals between them; 0 for fewer than three
    HEIGHTS,  # standard deviation of the logarithms of their heights
    DEPTH,  # ln (height / valley beside), mean
    WIDTH_S,  # at half height, mean
    CHAIN,  # alike blows at a steady pace, up to the last one
    CHAIN_NATS,  # how much better a walker explains them than chance
    CHAIN_HZ,  # their pace; 0 without a chain
    CHAIN_DEPTH,
    CHAIN_HEIGHTS,
    CHAIN_AGE_S,  # since the last blow
    CHAIN_JITTER,  # by how much an interval differs from the last but one, against their mean
    CHAIN_LOADS,  # by how much the logarithm of a height differs from that of the last but one
    CHAIN_LIMP,  # difference of every other interval from those between, against their mean
    CHAIN_VALLEY,  # ln (valley between / quiet level), mean
) = range(15)
FEATURES = 15

MOST = 64
APART_S = 0.16  # two feet of a trotting horse
TURN = 0.5  # of the logarithm: what goes down and up by less is one blow
LEAST_FLOORS = 1.5  # of the quiet level: a lower peak is none
LOWEST_FLOORS = 0.5  # valleys are not counted deeper: that would be chance
STRONG_SHARE = 0.3  # of the upper quartile of heights: below are echoes and noise in between
WIDEST_S = 0.5

STEP_S = (0.24, 1.2)
"""Between two steps of a runner, of one who creeps (facts/seismic.md 3.1 and 3.3)."""
PACE_SIGMA = 0.12
"""Of ln(interval / interval before): a walker's is 0.03 to 0.08, and the envelope adds to it."""
HEIGHT_SIGMA = 0.45  # of ln(height / height before): left and right differ, ground and load, too
CLEAR_MIDDLE, CLEAR_MOST = 0.6, 2.0
"""ln(height / valley) at which a pair of blows says nothing, and beyond which no more."""
PACE_NATS = 1.2  # of a pair at exactly the pace before
WORST_PACE_NATS, WORST_HEIGHT_NATS = 5.0, 3.0
LONGEST_CHAIN = 24
GIVE_UP_NATS = 3.0  # so much below its best, a chain is not followed further back


class Envelope(NamedTuple):
    """What blows are looked for in."""

    values: Floats
    """(frames,) smoothed |velocity|"""
    frame_hz: float
    floor: float
    """The quiet level of the same envelope, > 0."""


class Peak(NamedTuple):
    """One peak, and the valley before it."""

    place: int
    height: float
    valley: float


class Blows(NamedTuple):
    """Places in the envelope, heights, and the valley before each (and after the last)."""

    places: Floats
    """(MOST,)"""
    heights: Floats
    """(MOST,)"""
    valleys: Floats
    """(MOST + 1,)"""


@njit(cache=True, nogil=True, error_model="numpy")
def describe(envelope: Envelope, out: Floats, marks: Floats) -> int:
    """Find the blows in an envelope and describe them.

    out       (FEATURES,) filled here
    marks     (MOST,) filled with the blows' places in frames
    returns   how many there are
    """
    out[:] = 0.0
    blows = Blows(marks, np.empty(MOST), np.empty(MOST + 1))
    count = _keep_strong(_find(envelope, blows), blows)
    out[RATE] = count * envelope.frame_hz / envelope.values.shape[0]
    if count == 0:
        return 0
    _shape(envelope, count, blows, out)
    out[CHAIN_AGE_S] = (envelope.values.shape[0] - 1 - marks[count - 1]) / envelope.frame_hz
    _chain(envelope, count, blows, out)
    _evenness(envelope, count, blows, out)
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _find(envelope: Envelope, blows: Blows) -> int:
    """Peaks between valleys that are lower by a factor exp(TURN)."""
    values, frame_hz, floor = envelope
    turn, least, lowest = math.exp(TURN), LEAST_FLOORS * floor, LOWEST_FLOORS * floor
    apart = max(1, int(APART_S * frame_hz))
    count, place = 0, -1
    high, low = 0.0, max(values[0], lowest)
    for i in range(values.shape[0]):
        here = max(values[i], lowest)
        if place < 0:
            if here < low:
                low = here
            elif here > turn * low and here > least:
                high, place = here, i
        elif here > high:
            high, place = here, i
        elif here * turn < high:
            count = _add(count, Peak(place, high, low), apart, blows)
            high, low, place = 0.0, here, -1
    last = values[values.shape[0] - 1]
    if place >= 0 and last < high:  # the last one is still falling
        count = _add(count, Peak(place, high, low), apart, blows)
        low = max(last, lowest)
    blows.valleys[count] = low
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _add(count: int, peak: Peak, apart: int, blows: Blows) -> int:
    places, heights, valleys = blows
    if count > 0 and peak.place - places[count - 1] < apart:
        if peak.height > heights[count - 1]:
            places[count - 1], heights[count - 1] = peak.place, peak.height
        return count
    if count == MOST:
        return count
    places[count], heights[count], valleys[count] = peak
    return count + 1


@njit(cache=True, nogil=True, error_model="numpy")
def _keep_strong(count: int, blows: Blows) -> int:
    """Drop what is far below the others; the valleys beside become one."""
    if count == 0:
        return 0
    places, heights, valleys = blows
    least = STRONG_SHARE * np.sort(heights[:count])[(3 * count) // 4]
    kept, low = 0, valleys[0]
    for k in range(count):
        low = min(low, valleys[k])
        if heights[k] >= least:
            places[kept], heights[kept], valleys[kept] = places[k], heights[k], low
            kept += 1
            low = valleys[k + 1]
    valleys[kept] = min(low, valleys[count])
    return kept


@njit(cache=True, nogil=True, error_model="numpy")
def _shape(envelope: Envelope, count: int, blows: Blows, out: Floats) -> None:
    """Depth and width of the blows, and how alike they are."""
    values, frame_hz, floor = envelope
    places, heights, valleys = blows
    widest = int(WIDEST_S * frame_hz)
    depth = width = 0.0
    for k in range(count):
        valley = max(valleys[k], valleys[k + 1], LOWEST_FLOORS * floor)
        depth += math.log(max(heights[k] / valley, 1.0))
        half = 0.5 * heights[k]
        first = last = int(places[k])
        while first > 0 and values[first - 1] > half and places[k] - first < widest:
            first -= 1
        while last < values.shape[0] - 1 and values[last + 1] > half and last - places[k] < widest:
            last += 1
        width += (last - first + 1) / frame_hz
    out[DEPTH] = depth / count
    out[WIDTH_S] = width / count
    out[HEIGHTS] = np.log(heights[:count]).std()
    if count >= 3:
        between = places[1:count] - places[: count - 1]
        out[SPREAD] = between.std() / between.mean()


@njit(cache=True, nogil=True, error_model="numpy")
def _chain(envelope: Envelope, count: int, blows: Blows, out: Floats) -> None:
    """Follow the blows back from the last one for as long as they are like a walker's.

    Each further blow adds nats: for being clear of the quiet between, for keeping the pace, for
    being as high; the chain is cut where the sum was highest.
    """
    _, frame_hz, floor = envelope
    places, heights, valleys = blows
    nats = best = deep = gap_before = height = height_2 = 0.0
    out[CHAIN] = 1.0
    for back in range(1, min(count, LONGEST_CHAIN)):
        k = count - back  # the later one of the pair
        gap = (places[k] - places[k - 1]) / frame_hz
        if not STEP_S[0] <= gap <= STEP_S[1]:
            return
        valley = max(valleys[k], LOWEST_FLOORS * floor)
        clear = math.log(max(min(heights[k], heights[k - 1]) / valley, 1.0))
        other = math.log(heights[k] / heights[k - 1])
        nats += min(clear, CLEAR_MOST) - CLEAR_MIDDLE
        nats -= min(0.5 * (other / HEIGHT_SIGMA) ** 2, WORST_HEIGHT_NATS)
        if back == 1:
            gap_before = gap
            height = math.log(heights[k])
            height_2 = height * height
        else:
            pace = math.log(gap / gap_before)
            nats += PACE_NATS - min(0.5 * (pace / PACE_SIGMA) ** 2, WORST_PACE_NATS)
            gap_before = 0.5 * (gap + gap_before)
        if nats < best - GIVE_UP_NATS:
            return
        deep += clear
        height += math.log(heights[k - 1])
        height_2 += math.log(heights[k - 1]) ** 2
        if nats > best:
            best = nats
            out[CHAIN] = back + 1.0
            out[CHAIN_NATS] = nats
            out[CHAIN_HZ] = back * frame_hz / (places[count - 1] - places[k - 1])
            out[CHAIN_DEPTH] = deep / back
            mean = height / (back + 1.0)
            out[CHAIN_HEIGHTS] = math.sqrt(max(height_2 / (back + 1.0) - mean * mean, 0.0))


@njit(cache=True, nogil=True, error_model="numpy")
def _evenness(envelope: Envelope, count: int, blows: Blows, out: Floats) -> None:
    """How even the blows of the chain are: each is held against the last but one.

    So left is compared with left, and a piston's stroke with its stroke. Legs vary by 2 to 5 %
    from step to step and never tread equally hard (facts/seismic.md 3.1); what an engine or the
    joint of a rail does comes again and again as it was, and a train rumbles between.
    """
    values, frame_hz, floor = envelope
    places, heights, valleys = blows
    chain = int(out[CHAIN])
    if chain < 3:
        return
    first = count - chain
    at_s = np.empty(chain)
    for k in range(chain):
        at_s[k] = (places[first + k] + _within(values, int(places[first + k]))) / frame_hz
    pace_s = (at_s[chain - 1] - at_s[0]) / (chain - 1)
    out[CHAIN_HZ] = 1.0 / pace_s
    valley = 0.0
    for k in range(1, chain):
        valley += math.log(max(valleys[first + k], LOWEST_FLOORS * floor) / floor)
    out[CHAIN_VALLEY] = valley / (chain - 1)
    loads = 0.0
    for k in range(2, chain):
        loads += math.log(heights[first + k] / heights[first + k - 2]) ** 2
    # Of two that vary by themselves the difference varies by the root of two more.
    out[CHAIN_LOADS] = math.sqrt(0.5 * loads / (chain - 2))
    if chain < 4:
        return
    jitter = odd = even = 0.0
    for k in range(1, chain):
        gap_s = at_s[k] - at_s[k - 1]
        if k % 2:
            odd += gap_s / (chain // 2)
        else:
            even += gap_s / ((chain - 1) // 2)
        if k >= 3:
            jitter += (gap_s - (at_s[k - 2] - at_s[k - 3])) ** 2
    out[CHAIN_JITTER] = math.sqrt(0.5 * jitter / (chain - 3)) / pace_s
    out[CHAIN_LIMP] = abs(odd - even) / pace_s


@njit(cache=True, nogil=True, error_model="numpy")
def _within(values: Floats, place: int) -> float:
    """Where the top of a peak lies between its frames, by a parabola, -0.5 to 0.5."""
    if place <= 0 or place >= values.shape[0] - 1:
        return 0.0
    below, at, above = values[place - 1], values[place], values[place + 1]
    bend = below - 2.0 * at + above
    if bend >= 0.0:
        return 0.0
    return float(max(-0.5, min(0.5, 0.5 * (below - above) / bend)))
