"""Streaming kernels of one ground-motion channel.

`advance` takes packets of any length and gives the same numbers however the stream is cut.
All that it remembers of a channel is one flat float64 array, because each array that Python
hands over costs a call 0.3 us; `views` names its parts, the names below are places in them.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

# --- setup: constants of one channel, (SETUP_SIZE,) -------------------------------------
(
    STA_SAMPLES,
    LTA_SAMPLES,
    ON,  # trigger above this STA/LTA
    OFF,
    FRAME_SAMPLES,
    BIN_FRAMES,
    SETTLE_SAMPLES,
    SCALE,  # m/s per count
    FLOOR_WARM_BINS,
    FLOOR_RISE,  # share of a step up that the floor follows in one bin
    FLOOR_FALL,
) = range(11)
SETUP_SIZE = 11

# --- state: scalars, then two numbers for each filter section ----------------------------
(
    OFFSET,  # integer counts taken off every sample, so that filters start at rest
    LAST,  # the last sample after that
    SAMPLES,  # seen so far, lost ones included
    SETTLE,  # samples still to let pass after a gap
    STA,
    LTA,
    RATIO,
    TRIGGERED,
    RATIO_PEAK,  # since the caller last cleared it
    MOTION_PEAK,  # of band-passed velocity, since the caller last cleared it
    ON_COUNT,  # samples above the trigger, since the caller last cleared it
    FRAME_SUM,
    FRAME_FILLED,
    FRAMES,  # written so far
    BIN_FILLED,
    BINS,  # written so far
    HELD,  # the last frame, which stands in for what is lost
    FLOOR,  # natural logarithm of the quiet mean square, (m/s)^2
    FILLING,  # first of the fields of the bin that is being filled
) = range(19)

# --- rings -------------------------------------------------------------------------------
FRAME_RING = 1024  # 20 s of 20 ms means of |velocity|
SUM_2, SUM_4, PEAK, BAND_0 = 0, 1, 2, 3
BANDS = 4
BIN_FIELDS = BAND_0 + BANDS
BIN_RING = 64  # 32 s of half-second sums
STATE_SCALARS = FILLING + BIN_FIELDS
PASS_SECTIONS = 4  # biquads of the band-pass that steps are looked for in
BAND_SECTIONS = 2  # biquads of each band's filter
SECTIONS = PASS_SECTIONS + BANDS * BAND_SECTIONS
SECTION_FIELDS = 5  # b0 b1 b2 a1 a2
STATE_SIZE = STATE_SCALARS + 2 * SECTIONS
_STATE_AT = SETUP_SIZE + SECTIONS * SECTION_FIELDS
_FRAMES_AT = _STATE_AT + STATE_SIZE
_BINS_AT = _FRAMES_AT + FRAME_RING
MEMORY_SIZE = _BINS_AT + BIN_RING * BIN_FIELDS


class Motion(NamedTuple):
    """Named views of a channel's memory."""

    setup: Floats
    """(SETUP_SIZE,)"""
    sections: Floats
    """(SECTIONS, SECTION_FIELDS) biquads: the band-pass, then those of each band."""
    state: Floats
    """(STATE_SIZE,) zeros at first."""
    frames: Floats
    """(FRAME_RING,) mean of |band-passed velocity| in m/s over FRAME_SAMPLES."""
    bins: Floats
    """(BIN_RING, BIN_FIELDS) sums over BIN_FRAMES frames: squares, fourth powers and peak of
    the band-passed velocity, squares of each band's."""


@njit(cache=True, nogil=True, error_model="numpy")
def views(memory: Floats) -> Motion:
    """The parts of a channel's memory, (MEMORY_SIZE,)."""
    return Motion(
        memory[:SETUP_SIZE],
        memory[SETUP_SIZE:_STATE_AT].reshape((SECTIONS, SECTION_FIELDS)),
        memory[_STATE_AT:_FRAMES_AT],
        memory[_FRAMES_AT:_BINS_AT],
        memory[_BINS_AT:MEMORY_SIZE].reshape((BIN_RING, BIN_FIELDS)),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def advance(counts: NDArray[np.int32], memory: Floats) -> None:
    """Take consecutive samples of a channel, (samples,) raw counts.

    Recursive STA/LTA of the band-passed square as obspy.signal.trigger.recursive_sta_lta
    (Withers et al. 1998, BSSA 88:95), its first sample left out and the ratio 0 until one
    LTA has passed; trigger on above ON, off below OFF.
    """
    motion = views(memory)
    setup, sections, state = motion.setup, motion.sections, motion.state
    short, long = 1.0 / setup[STA_SAMPLES], 1.0 / setup[LTA_SAMPLES]
    scale = setup[SCALE]
    if state[SAMPLES] == 0.0 and counts.shape[0] > 0:
        state[OFFSET] = float(counts[0])
    for i in range(counts.shape[0]):
        raw = float(counts[i]) - state[OFFSET]
        state[LAST] = raw
        x = raw
        for s in range(PASS_SECTIONS):
            z = STATE_SCALARS + 2 * s
            y = sections[s, 0] * x + state[z]
            state[z] = sections[s, 1] * x - sections[s, 3] * y + state[z + 1]
            state[z + 1] = sections[s, 2] * x - sections[s, 4] * y
            x = y
        v = x * scale
        for b in range(BANDS):
            w = raw
            for s in range(
                PASS_SECTIONS + b * BAND_SECTIONS, PASS_SECTIONS + (b + 1) * BAND_SECTIONS
            ):
                z = STATE_SCALARS + 2 * s
                y = sections[s, 0] * w + state[z]
                state[z] = sections[s, 1] * w - sections[s, 3] * y + state[z + 1]
                state[z + 1] = sections[s, 2] * w - sections[s, 4] * y
                w = y
            w *= scale
            state[FILLING + BAND_0 + b] += w * w
        state[SAMPLES] += 1.0
        if state[SETTLE] > 0.0:  # after a gap the filters ring; what they say is not motion
            state[SETTLE] -= 1.0
            v = state[HELD]
        elif state[SAMPLES] > 1.0:
            square = x * x
            state[STA] += short * (square - state[STA])
            state[LTA] += long * (square - state[LTA])
            _trigger(setup, state)
        _collect(v, motion)


@njit(cache=True, nogil=True, error_model="numpy")
def _trigger(setup: Floats, state: Floats) -> None:
    ratio = 0.0
    if state[SAMPLES] > setup[LTA_SAMPLES] and state[LTA] > 0.0:
        ratio = state[STA] / state[LTA]
    state[RATIO] = ratio
    state[RATIO_PEAK] = max(state[RATIO_PEAK], ratio)
    if ratio > setup[ON]:
        state[TRIGGERED] = 1.0
    elif ratio < setup[OFF]:
        state[TRIGGERED] = 0.0
    state[ON_COUNT] += state[TRIGGERED]


@njit(cache=True, nogil=True, error_model="numpy")
def _collect(v: float, motion: Motion) -> None:
    setup, _, state, frames, bins = motion
    size = abs(v)
    square = v * v
    state[FILLING + SUM_2] += square
    state[FILLING + SUM_4] += square * square
    state[FILLING + PEAK] = max(state[FILLING + PEAK], size)
    state[MOTION_PEAK] = max(state[MOTION_PEAK], size)
    state[FRAME_SUM] += size
    state[FRAME_FILLED] += 1.0
    if state[FRAME_FILLED] < setup[FRAME_SAMPLES]:
        return
    state[HELD] = state[FRAME_SUM] / state[FRAME_FILLED]
    frames[int(state[FRAMES]) % FRAME_RING] = state[HELD]
    state[FRAMES] += 1.0
    state[FRAME_SUM] = 0.0
    state[FRAME_FILLED] = 0.0
    state[BIN_FILLED] += 1.0
    if state[BIN_FILLED] == setup[BIN_FRAMES]:
        state[BIN_FILLED] = 0.0
        samples = setup[BIN_FRAMES] * setup[FRAME_SAMPLES]
        _follow_floor(state[FILLING + SUM_2] / samples, setup, state)
        bins[int(state[BINS]) % BIN_RING, :] = state[FILLING : FILLING + BIN_FIELDS]
        state[FILLING : FILLING + BIN_FIELDS] = 0.0
        state[BINS] += 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def _follow_floor(mean_square: float, setup: Floats, state: Floats) -> None:
    """The quiet level: a plain mean at first, then quick to fall and slow to rise.

    A rise counts for at most a factor e, so that a loud minute does not become the quiet.
    """
    level = math.log(max(mean_square, 1e-30))
    count = state[BINS] + 1.0
    step = level - state[FLOOR]
    if count <= setup[FLOOR_WARM_BINS]:
        state[FLOOR] += step / count
    elif step > 0.0:
        state[FLOOR] += setup[FLOOR_RISE] * min(step, 1.0)
    else:
        state[FLOOR] += setup[FLOOR_FALL] * step


@njit(cache=True, nogil=True, error_model="numpy")
def skip(missing: int, next_count: int, memory: Floats) -> None:
    """Let `missing` lost samples pass before one of `next_count` counts.

    Motion goes on at the level it had, STA/LTA stands still, and what follows begins where
    the last sample was: a step of the ground's slow drift is no knock.
    """
    motion = views(memory)
    setup, state = motion.setup, motion.state
    state[OFFSET] = float(next_count) - state[LAST]
    state[SETTLE] = setup[SETTLE_SAMPLES]
    state[SAMPLES] += float(missing)
    for _ in range(missing):
        _collect(state[HELD], motion)


@njit(cache=True, nogil=True, error_model="numpy")
def level(window_bins: int, memory: Floats) -> float:
    """Root mean square over the last whole bins, in units of the floor; 0 before there is one."""
    motion = views(memory)
    setup, state, bins = motion.setup, motion.state, motion.bins
    last = int(state[BINS])
    taken = min(window_bins, last)
    if taken == 0:
        return 0.0
    total = 0.0
    for back in range(1, taken + 1):
        total += bins[(last - back) % BIN_RING, SUM_2]
    mean_square = total / (taken * setup[BIN_FRAMES] * setup[FRAME_SAMPLES])
    return math.sqrt(mean_square / math.exp(state[FLOOR]))
