"""What is told of filtered ground motion: STA/LTA, moments, the envelope, the quiet's level."""

# ruff: noqa: PLR0917 - kernels take no structures

import numpy as np
from numba import njit

from fusion.kernels.intrinsics import fma
from fusion.kernels.seismic_feed import FRAMES_PER_BIN, LANES, Floats
from fusion.kernels.seismic_layout import (
    ABOVE,
    BAND_0,
    BAND_SCALE,
    BANDS,
    CHUNK,
    DEAD,
    FALL,
    FAR_CHUNK,
    FLOOR,
    FRAME_PART,
    GOES_ON,
    HEARD,
    HEARD_ENOUGH,
    HELD,
    LONG,
    LONG_SAMPLES,
    LOWEST,
    LTA,
    MOST,
    NOUGHT,
    ON,
    ONE,
    PEAK,
    QUIET,
    QUIET_BINS,
    RATIO,
    RISE,
    SCALE,
    SHORT,
    STA,
    STOOD_IN,
    SUM_2,
    SUM_4,
    TWO,
    WARM_BINS,
)


@njit(cache=True, nogil=True, error_model="numpy")
def ratio(passed: Floats, setup: Floats, state: Floats, fields: Floats) -> None:
    """STA/LTA alone, as `tell` has it among other things."""
    short, long, on = setup[SHORT], setup[LONG], setup[ON]
    for chunk in range(0, passed.shape[0], FAR_CHUNK * LANES):
        x = passed[chunk : chunk + FAR_CHUNK * LANES]
        for i in range(LANES):
            sta, lta = state[STA * LANES + i], state[LTA * LANES + i]
            top, above = fields[RATIO * LANES + i], fields[ABOVE * LANES + i]
            low = fields[LOWEST * LANES + i]
            for u in range(FAR_CHUNK):
                square = x[u * LANES + i] * x[u * LANES + i]
                sta = fma(short, square - sta, sta)
                lta = fma(long, square - lta, lta)
                ratio = sta / lta  # not a number where nothing has moved: no comparison holds
                top = ratio if ratio > top else top
                low = ratio if ratio < low else low
                above = above + ONE if ratio > on else above
            state[STA * LANES + i], state[LTA * LANES + i] = sta, lta
            fields[RATIO * LANES + i], fields[ABOVE * LANES + i] = top, above
            fields[LOWEST * LANES + i] = low


@njit(cache=True, nogil=True, error_model="numpy")
def tell(passed: Floats, setup: Floats, state: Floats, total: Floats, fields: Floats) -> None:
    """STA/LTA, peak, second and fourth moments of the velocity, and sums of its size.

    In `passed`, the sum since a sample's frame began takes the sample's place; `total` (LANES,)
    takes it from turn to turn.
    Recursive STA/LTA of the square, as obspy.signal.trigger.recursive_sta_lta; Withers et al.
    1998, BSSA 88:95.
    """
    short, long, on = setup[SHORT], setup[LONG], setup[ON]
    for chunk in range(0, passed.shape[0], CHUNK * LANES):
        x = passed[chunk : chunk + CHUNK * LANES]
        goes_on = setup[GOES_ON + chunk // LANES :]
        for i in range(LANES):
            sta, lta = state[STA * LANES + i], state[LTA * LANES + i]
            top, above = fields[RATIO * LANES + i], fields[ABOVE * LANES + i]
            low, peak = fields[LOWEST * LANES + i], fields[PEAK * LANES + i]
            second, fourth = fields[SUM_2 * LANES + i], fields[SUM_4 * LANES + i]
            scale, sizes = state[SCALE * LANES + i], total[i]
            for u in range(CHUNK):
                size = abs(x[u * LANES + i]) * scale
                sizes = fma(sizes, goes_on[u], size)
                x[u * LANES + i] = sizes
                peak = size if size > peak else peak
                square = size * size
                second += square
                fourth = fma(square, square, fourth)
                sta = fma(short, square - sta, sta)
                lta = fma(long, square - lta, lta)
                ratio = sta / lta  # not a number where nothing has moved: no comparison holds
                top = ratio if ratio > top else top
                low = ratio if ratio < low else low
                above = above + ONE if ratio > on else above
            state[STA * LANES + i], state[LTA * LANES + i] = sta, lta
            fields[RATIO * LANES + i], fields[ABOVE * LANES + i] = top, above
            fields[LOWEST * LANES + i], fields[PEAK * LANES + i] = low, peak
            fields[SUM_2 * LANES + i], fields[SUM_4 * LANES + i] = second, fourth
            total[i] = sizes


@njit(cache=True, nogil=True, error_model="numpy")
def tell_real(
    passed: Floats, weights: Floats, setup: Floats, state: Floats, total: Floats, fields: Floats
) -> None:
    """The same where some samples are not real.

    STA and LTA stand still for those; for the size the last frame's level stands.
    """
    short, long, on = setup[SHORT], setup[LONG], setup[ON]
    for at in range(0, passed.shape[0], LANES):
        x, weight = passed[at : at + LANES], weights[at : at + LANES]
        goes_on = setup[GOES_ON + at // LANES]
        for i in range(LANES):
            real = weight[i] > NOUGHT
            size = abs(x[i]) * state[SCALE * LANES + i]
            square = size * size
            sta, lta = state[STA * LANES + i], state[LTA * LANES + i]
            sta = fma(short, square - sta, sta) if real else sta
            lta = fma(long, square - lta, lta) if real else lta
            state[STA * LANES + i], state[LTA * LANES + i] = sta, lta
            ratio = sta / lta if real else NOUGHT
            top, low = fields[RATIO * LANES + i], fields[LOWEST * LANES + i]
            fields[RATIO * LANES + i] = ratio if ratio > top else top
            fields[LOWEST * LANES + i] = ratio if real and ratio < low else low
            fields[ABOVE * LANES + i] += ONE if ratio > on else NOUGHT
            sizes = total[i]
            held, peak = state[HELD * LANES + i], fields[PEAK * LANES + i]
            # Where a frame begins, the one before it is whole.
            held = held if goes_on > NOUGHT or at == 0 else sizes * setup[FRAME_PART]
            state[HELD * LANES + i] = held
            size = size if real else held
            square = size * size
            total[i] = x[i] = fma(sizes, goes_on, size)
            fields[STOOD_IN * LANES + i] += NOUGHT if real else ONE
            fields[PEAK * LANES + i] = size if size > peak else peak
            fields[SUM_2 * LANES + i] += square
            fields[SUM_4 * LANES + i] = fma(square, square, fields[SUM_4 * LANES + i])


@njit(cache=True, nogil=True, error_model="numpy")
def frame_means(sums: Floats, part: np.float32, means: Floats) -> None:
    """The sums at the end of each frame, divided by its samples: `part` of them is one."""
    lanes, frame_size = means.shape[0] // FRAMES_PER_BIN, sums.shape[0] // FRAMES_PER_BIN
    for frame in range(FRAMES_PER_BIN):
        last = sums[(frame + 1) * frame_size - lanes : (frame + 1) * frame_size]
        mine = means[frame * lanes : (frame + 1) * lanes]
        # As many as there are, not LANES: what is known beforehand is not made a vector of.
        for i in range(last.shape[0]):
            mine[i] = last[i] * part


@njit(cache=True, nogil=True, error_model="numpy")
def close(size: np.float32, setup: Floats, state: Floats, means: Floats, fields: Floats) -> None:
    """End a bin: the warm-up's mask, the floor, the scale of the bands.

    The floor is the mean at first, then quick to fall and slow to rise. It moves by
    2 (m - f) / (m + f), which is ln(m / f) where they are near: a loud minute does not become
    the quiet. A bin that is not all real leaves it alone.
    """
    long, warm_bins, rise, fall = setup[LONG_SAMPLES], setup[WARM_BINS], setup[RISE], setup[FALL]
    for i in range(LANES):
        state[HELD * LANES + i] = means[(FRAMES_PER_BIN - 1) * LANES + i]
        lost, heard = fields[STOOD_IN * LANES + i], state[HEARD * LANES + i]
        state[HEARD * LANES + i] = min(heard + size - lost, HEARD_ENOUGH)
        warm = heard >= long
        top, low = fields[RATIO * LANES + i], fields[LOWEST * LANES + i]
        still = top == NOUGHT and lost < size
        fields[RATIO * LANES + i] = top if warm else NOUGHT
        fields[ABOVE * LANES + i] = fields[ABOVE * LANES + i] if warm else NOUGHT
        fields[LOWEST * LANES + i] = low if warm and not still else NOUGHT
        second = min(fields[SUM_2 * LANES + i], MOST)
        fields[SUM_2 * LANES + i] = second
        fields[SUM_4 * LANES + i] = min(fields[SUM_4 * LANES + i], MOST)
        level, quiet = second / size, state[QUIET * LANES + i]
        bins = state[QUIET_BINS * LANES + i] + ONE
        step = TWO * (level - quiet) / max(level + quiet, DEAD)
        early, falls = step / bins, fall * step
        moves = rise * min(step, ONE) if step > NOUGHT else falls
        moves = early if bins <= warm_bins else moves
        moved = level if quiet < DEAD else quiet * (ONE + moves)
        whole = lost == NOUGHT
        quiet = moved if whole else quiet
        state[QUIET_BINS * LANES + i] = min(bins, HEARD_ENOUGH) if whole else bins - ONE
        state[QUIET * LANES + i] = fields[FLOOR * LANES + i] = quiet
        for band in range(BANDS):
            energy = fields[(BAND_0 + band) * LANES + i] * state[(BAND_SCALE + band) * LANES + i]
            fields[(BAND_0 + band) * LANES + i] = min(energy, MOST)
