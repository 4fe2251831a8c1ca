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
    setup, state = motion.setup, motion.state
    size = counts.shape[0]
    if size == 0:
        return
    if state[SAMPLES] == 0.0:
        state[OFFSET] = float(counts[0])
    raw = counts - state[OFFSET]
    state[LAST] = raw[size - 1]
    passed = _band_pass(raw, motion)
    # After a gap the filters ring; what they say is not motion.
    settling = int(min(state[SETTLE], float(size)))
    state[SETTLE] -= settling
    _follow_ratio(passed, settling, motion)
    state[SAMPLES] += size
    at = 0
    while at < size:
        end = min(size, at + _until_bin(setup, state))
        _fill_bands(raw[at:end], motion)
        _collect(passed[at:end], settling - at, motion)
        at = end


@njit(cache=True, nogil=True, error_model="numpy")
def _band_pass(raw: Floats, motion: Motion) -> Floats:
    """The band that steps are looked for in, (samples,) counts.

    Four sections written out: their state stays in registers, and while one waits for its
    own last value, the others work.
    """
    sections, state = motion.sections, motion.state
    a0, a1, a2, a3, a4 = _section(sections, 0)
    b0, b1, b2, b3, b4 = _section(sections, 1)
    c0, c1, c2, c3, c4 = _section(sections, 2)
    d0, d1, d2, d3, d4 = _section(sections, 3)
    z = state[STATE_SCALARS : STATE_SCALARS + 2 * PASS_SECTIONS]
    p, q, r, s, t, u, v, w = z[0], z[1], z[2], z[3], z[4], z[5], z[6], z[7]
    passed = np.empty(raw.shape[0])
    for i in range(raw.shape[0]):
        x = raw[i]
        y = a0 * x + p
        p = a1 * x - a3 * y + q
        q = a2 * x - a4 * y
        x = b0 * y + r
        r = b1 * y - b3 * x + s
        s = b2 * y - b4 * x
        y = c0 * x + t
        t = c1 * x - c3 * y + u
        u = c2 * x - c4 * y
        x = d0 * y + v
        v = d1 * y - d3 * x + w
        w = d2 * y - d4 * x
        passed[i] = x
    z[0], z[1], z[2], z[3], z[4], z[5], z[6], z[7] = p, q, r, s, t, u, v, w
    return passed


@njit(cache=True, nogil=True, error_model="numpy")
def _section(sections: Floats, s: int) -> tuple[float, float, float, float, float]:
    return sections[s, 0], sections[s, 1], sections[s, 2], sections[s, 3], sections[s, 4]


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_bands(raw: Floats, motion: Motion) -> None:
    """Add the squares of each band, two sections, to the bin that is being filled."""
    sections, state, scale = motion.sections, motion.state, motion.setup[SCALE]
    for b in range(BANDS):
        s = PASS_SECTIONS + b * BAND_SECTIONS
        a0, a1, a2, a3, a4 = _section(sections, s)
        b0, b1, b2, b3, b4 = _section(sections, s + 1)
        z = state[STATE_SCALARS + 2 * s : STATE_SCALARS + 2 * (s + BAND_SECTIONS)]
        p, q, r, t = z[0], z[1], z[2], z[3]
        energy = state[FILLING + BAND_0 + b]
        for i in range(raw.shape[0]):
            x = raw[i]
            y = a0 * x + p
            p = a1 * x - a3 * y + q
            q = a2 * x - a4 * y
            w = b0 * y + r
            r = b1 * y - b3 * w + t
            t = b2 * y - b4 * w
            w *= scale
            energy += w * w
        z[0], z[1], z[2], z[3] = p, q, r, t
        state[FILLING + BAND_0 + b] = energy


@njit(cache=True, nogil=True, error_model="numpy")
def _follow_ratio(passed: Floats, settling: int, motion: Motion) -> None:
    """STA/LTA and the trigger over what follows the `settling` first samples."""
    setup, state = motion.setup, motion.state
    short, long = 1.0 / setup[STA_SAMPLES], 1.0 / setup[LTA_SAMPLES]
    warm, on, off = setup[LTA_SAMPLES], setup[ON], setup[OFF]
    sta, lta, ratio, triggered = state[STA], state[LTA], state[RATIO], state[TRIGGERED]
    peak, above = state[RATIO_PEAK], state[ON_COUNT]
    samples = state[SAMPLES] + settling
    for i in range(settling, passed.shape[0]):
        samples += 1.0
        if samples == 1.0:
            continue
        square = passed[i] * passed[i]
        sta += short * (square - sta)
        lta += long * (square - lta)
        ratio = sta / lta if samples > warm and lta > 0.0 else 0.0
        peak = max(peak, ratio)
        if ratio > on:
            triggered = 1.0
        elif ratio < off:
            triggered = 0.0
        above += triggered
    state[STA], state[LTA], state[RATIO], state[TRIGGERED] = sta, lta, ratio, triggered
    state[RATIO_PEAK], state[ON_COUNT] = peak, above


@njit(cache=True, nogil=True, error_model="numpy")
def _until_bin(setup: Floats, state: Floats) -> int:
    """Samples that complete the bin that is being filled."""
    whole = setup[BIN_FRAMES] * setup[FRAME_SAMPLES]
    return int(whole - state[BIN_FILLED] * setup[FRAME_SAMPLES] - state[FRAME_FILLED])


@njit(cache=True, nogil=True, error_model="numpy")
def _collect(passed: Floats, settling: int, motion: Motion) -> None:
    """Add band-passed samples, in counts, to frames and bin; at most `_until_bin`.

    In the place of the `settling` first samples stands the level of the last frame.
    """
    setup, _, state, frames, bins = motion
    scale, per_frame = setup[SCALE], setup[FRAME_SAMPLES]
    square_sum, fourth_sum = state[FILLING + SUM_2], state[FILLING + SUM_4]
    peak, highest = state[FILLING + PEAK], state[MOTION_PEAK]
    held, frame_sum, filled = state[HELD], state[FRAME_SUM], state[FRAME_FILLED]
    for i in range(passed.shape[0]):
        size = held if i < settling else abs(passed[i] * scale)
        square = size * size
        square_sum += square
        fourth_sum += square * square
        peak, highest = max(peak, size), max(highest, size)
        frame_sum += size
        filled += 1.0
        if filled >= per_frame:
            held = frame_sum / filled
            frames[int(state[FRAMES]) % FRAME_RING] = held
            state[FRAMES] += 1.0
            state[BIN_FILLED] += 1.0
            frame_sum = filled = 0.0
    state[FILLING + SUM_2], state[FILLING + SUM_4] = square_sum, fourth_sum
    state[FILLING + PEAK], state[MOTION_PEAK] = peak, highest
    state[HELD], state[FRAME_SUM], state[FRAME_FILLED] = held, frame_sum, filled
    if state[BIN_FILLED] == setup[BIN_FRAMES]:
        state[BIN_FILLED] = 0.0
        _follow_floor(square_sum / (setup[BIN_FRAMES] * per_frame), setup, state)
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
    at = 0
    while at < missing:
        size = min(missing - at, _until_bin(setup, state))
        _collect(np.empty(size), size, motion)
        at += size


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
