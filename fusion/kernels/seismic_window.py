"""What one window of ground motion is like: rhythm, steps, impulsiveness, bands."""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fusion.kernels import seismic_steps as steps
from fusion.kernels.seismic_feed import FRAMES_PER_BIN
from fusion.kernels.seismic_layout import (
    ABOVE,
    BAND_0,
    BANDS,
    FLOOR,
    PEAK,
    RATIO,
    SUM_2,
    SUM_4,
)

Floats = NDArray[np.floating[Any]]

# Places in the array that `describe` fills; those of the blows follow.
(
    RMS,
    KURTOSIS,
    IMPULSE,  # kurtosis within 0.6 s: a swelling noise has 3 here, steps still stand out
    ROUGHNESS,  # standard deviation / mean of the bins' rms
    SLOPE,  # ln(rms of the second half / rms of the first half)
    QUIET,  # share of the window that is as still as when nothing happens
    CADENCE_HZ,
    CADENCE,  # autocorrelation of the envelope at that cadence, -1 to 1
    HALF,  # the same at half that lag: a four-legged gait has a beat there, a walker a pause
    DOUBLE,  # and at twice that lag
    BEAT,  # share of one rhythm in what all bands do together, each against its own mean
    BEAT_HZ,
    STEPS_0,
) = range(13)
FEATURES = STEPS_0 + steps.FEATURES

# Places in the array that `glance` fills.
(
    NOW_RATIO,
    NOW_ABOVE,  # samples above the trigger
    NOW_PEAK,
    NOW_SQUARE,  # mean
    NOW_FLOOR,  # mean square
    NOW_LEVEL,  # rms over the floor of the newest bin
    NOW_LEVEL_1S,
    NOW_LEVEL_2S,
) = range(8)
GLANCE = 8

IMPULSE_BINS = 3
QUIET_FLOORS = 1.6
FLOOR_MEAN = 0.8  # mean of |x| of noise over its rms: sqrt(2 / pi)
RHYTHM_HZ = (0.67, 4.0)
"""Slowest and fastest repetition looked for: a cow's stride, a sprint."""
SHORTER_WINS = 1.15
BEAT_BINS = 40  # eight seconds: a walker holds a pace for longer
BEAT_TREND = 4  # bins to either side whose mean is taken off: what swells has no rhythm
BEAT_OFFSET = 0.3  # of a band's mean: quiet between steps is not to count for more than steps
BEAT_TURNS = (8, 20)  # rhythms in the window, 1 to 2.5 Hz; a run's comes back from 5 Hz less it
BEAT_FROM_BAND = 1  # far traffic is in the lowest
BAND_REST = 0.02  # of a band's energy is left when the quiet's is taken off


class Ring(NamedTuple):
    """What a bank keeps of one channel."""

    frames: NDArray[np.float32]
    """(FRAME_RING,) means of |band-passed velocity|."""
    bins: NDArray[np.float32]
    """(BIN_RING, FIELDS)"""
    bin_samples: float
    frame_hz: float


@njit(cache=True, nogil=True, error_model="numpy")
def glance(ring: Ring, last: int, floor_square: float, out: Floats) -> None:
    """The newest bin, number `last - 1`, and how loud the last 1, 5 and 10 bins are.

    floor_square  mean square under which the quiet level is not taken to be
    out           (GLANCE,) filled here
    """
    bins, samples = ring.bins, ring.bin_samples
    size = bins.shape[0]
    row = (last - 1) % size
    floor = max(float(bins[row, FLOOR]), floor_square, 1e-30)
    out[NOW_RATIO] = bins[row, RATIO]
    out[NOW_ABOVE] = bins[row, ABOVE]
    out[NOW_PEAK] = bins[row, PEAK]
    out[NOW_SQUARE] = bins[row, SUM_2] / samples
    out[NOW_FLOOR] = floor
    total = 0.0
    for back in range(1, min(10, last) + 1):
        total += bins[(last - back) % size, SUM_2]
        level = math.sqrt(total / (back * samples * floor))
        if back == 1:
            out[NOW_LEVEL] = level
        if back <= 5:
            out[NOW_LEVEL_1S] = level
        out[NOW_LEVEL_2S] = level


@njit(cache=True, nogil=True, error_model="numpy")
def bands(ring: Ring, last: int, window: int, quiet: Floats, out: Floats) -> None:
    """Energy of each band in the last `window` bins, less what `quiet` bins have, (BANDS,)."""
    bins = ring.bins
    size = bins.shape[0]
    for b in range(BANDS):
        total = 0.0
        for back in range(1, window + 1):
            total += bins[(last - back) % size, BAND_0 + b]
        out[b] = max(total - quiet[b] * window, BAND_REST * total)


@njit(cache=True, nogil=True, error_model="numpy")
def describe(ring: Ring, last: int, window: int, out: Floats, marks: Floats) -> int:
    """Describe the `window` bins before number `last`.

    out      (FEATURES,) filled here
    marks    (steps.MOST,) filled with the blows' places, in frames since the window began
    returns  how many blows there are
    """
    out[:] = 0.0
    envelope = _smooth(ring.frames, last * FRAMES_PER_BIN, window * FRAMES_PER_BIN)
    if not _moments(ring, last, window, out):
        return 0
    bins = ring.bins
    quiet = float(bins[(last - 1) % bins.shape[0], FLOOR])
    floor = FLOOR_MEAN * math.sqrt(max(quiet, 1e-30))
    still = 0.0
    for i in range(envelope.shape[0]):
        if envelope[i] < QUIET_FLOORS * floor:
            still += 1.0
    out[QUIET] = still / envelope.shape[0]
    _rhythm(envelope, ring.frame_hz, out)
    _beat(ring, last, out)
    blows = steps.Envelope(envelope, ring.frame_hz, floor)
    return steps.describe(blows, out[STEPS_0:], marks)


@njit(cache=True, nogil=True, error_model="numpy")
def blows(ring: Ring, last: int, window: int, out: Floats, marks: Floats) -> int:
    """The blows of the `window` bins before number `last`, as `describe` finds them.

    out      (steps.FEATURES,) filled here where there was any motion
    marks    (steps.MOST,) filled with their places, in frames since the window began
    returns  how many there are
    """
    bins = ring.bins
    size = bins.shape[0]
    square = 0.0
    for back in range(window, 0, -1):
        square += bins[(last - back) % size, SUM_2]
    if square <= 0.0:
        return 0
    envelope = _smooth(ring.frames, last * FRAMES_PER_BIN, window * FRAMES_PER_BIN)
    floor = FLOOR_MEAN * math.sqrt(max(float(bins[(last - 1) % size, FLOOR]), 1e-30))
    return steps.describe(steps.Envelope(envelope, ring.frame_hz, floor), out, marks)


@njit(cache=True, nogil=True, error_model="numpy")
def _moments(ring: Ring, last: int, window: int, out: Floats) -> bool:
    """Level, kurtosis and how they change; whether there was any motion."""
    bins, samples = ring.bins, ring.bin_samples
    size = bins.shape[0]
    square = fourth = squared = mean = spread = early = 0.0
    part = part_4 = kept_4 = 0.0
    for back in range(window, 0, -1):
        row = (last - back) % size
        square_here = float(bins[row, SUM_2])
        fourth_here = float(bins[row, SUM_4])
        square += square_here
        fourth += fourth_here
        mean += math.sqrt(square_here / samples) / window
        spread += square_here / samples / window
        if back > window // 2:
            early += square_here
        part += square_here
        part_4 += fourth_here
        if back % IMPULSE_BINS == 1:
            squared += part * part
            kept_4 += part_4
            part = part_4 = 0.0
    if square <= 0.0 or squared <= 0.0:
        return False
    total = window * samples
    out[RMS] = math.sqrt(square / total)
    out[KURTOSIS] = fourth / total / (square / total) ** 2
    out[IMPULSE] = kept_4 * samples * IMPULSE_BINS / squared
    out[ROUGHNESS] = math.sqrt(max(spread - mean * mean, 0.0)) / mean
    out[SLOPE] = 0.5 * math.log(max(square - early, 1e-30) / max(early, 1e-30))
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _beat(ring: Ring, last: int, out: Floats) -> None:
    """The strongest rhythm in the sum of the logarithms of the bands' energies, by bins.

    Each band is held against its own mean, so that rumble or hum in one of them drowns none of
    the others: steps are in all of them at once.
    """
    size = ring.bins.shape[0]
    count = min(BEAT_BINS, last)
    if count < BEAT_BINS // 2:
        return
    together = np.zeros(count)
    for b in range(BEAT_FROM_BAND, BANDS):
        mean = 0.0
        for i in range(count):
            mean += ring.bins[(last - count + i) % size, BAND_0 + b] / count
        if mean <= 0.0:
            continue
        for i in range(count):
            energy = float(ring.bins[(last - count + i) % size, BAND_0 + b])
            together[i] += math.log(energy / mean + BEAT_OFFSET)
    rhythm = np.empty(count)
    for i in range(count):
        first, end = max(0, i - BEAT_TREND), min(count, i + BEAT_TREND + 1)
        rhythm[i] = together[i] - together[first:end].mean()
    power = 0.0
    for i in range(count):
        power += rhythm[i] * rhythm[i]
    if power <= 0.0:
        return
    # Half turns as well: a pace may lie between.
    for half in range(2 * BEAT_TURNS[0], 2 * BEAT_TURNS[1] + 1):
        turn_re, turn_im = (
            math.cos(math.pi * half / BEAT_BINS),
            math.sin(math.pi * half / BEAT_BINS),
        )
        real = imag = at_im = 0.0
        at_re = 1.0
        for i in range(count):
            real += rhythm[i] * at_re
            imag += rhythm[i] * at_im
            at_re, at_im = at_re * turn_re - at_im * turn_im, at_re * turn_im + at_im * turn_re
        share = 2.0 * (real * real + imag * imag) / (count * power)
        if half == 2 * BEAT_TURNS[1]:
            share *= 0.5  # at half the bins' rate both are one
        if share > out[BEAT]:
            out[BEAT] = share
            out[BEAT_HZ] = half / (2.0 * BEAT_BINS) * ring.frame_hz / FRAMES_PER_BIN


@njit(cache=True, nogil=True, error_model="numpy")
def _smooth(frames: NDArray[np.float32], end: int, size: int) -> Floats:
    """The `size` frames before number `end`, weighted 1 2 3 2 1: a tenth of a second.

    A floor that rings at 5 Hz has ten peaks of |velocity| a second, and one step.
    """
    count = frames.shape[0]
    raw = np.empty(size)
    at = (end - size) % count
    for i in range(size):
        raw[i] = frames[at]
        at = at + 1 if at + 1 < count else 0
    smooth = np.empty(size)
    for i in range(size):
        far = raw[max(i - 2, 0)] + raw[min(i + 2, size - 1)]
        near = raw[max(i - 1, 0)] + raw[min(i + 1, size - 1)]
        smooth[i] = (far + 2.0 * near + 3.0 * raw[i]) / 9.0
    return smooth


@njit(cache=True, nogil=True, error_model="numpy")
def _rhythm(envelope: Floats, frame_hz: float, out: Floats) -> None:
    """The strongest repetition of the envelope, by autocorrelation.

    The square root of the envelope is used: one loud step must not drown the others.
    """
    size = envelope.shape[0]
    lags = min(int(frame_hz / RHYTHM_HZ[0]), size // 2)
    first = int(frame_hz / RHYTHM_HZ[1])
    if lags < first + 4:
        return
    root = np.sqrt(envelope)
    root -= root.mean()
    farthest = min(2 * lags, (3 * size) // 4)
    power = np.zeros(farthest + 1)
    turned = root[::-1].copy()
    # All lags of a sample together, so that they are worked on side by side.
    for i in range(size):
        before = turned[size - 1 - i :]
        for lag in range(min(i, farthest) + 1):
            power[lag] += root[i] * before[lag]
    for lag in range(farthest + 1):
        power[lag] = power[lag] * size / (size - lag)
    if power[0] <= 0.0:
        return
    power /= power[0]
    best = 0
    for lag in range(first, lags):
        peak = power[lag] >= power[lag - 1] and power[lag] > power[lag + 1]
        # A rhythm repeats at twice its lag as well: the shorter wins unless clearly weaker.
        if peak and (best == 0 or power[lag] > SHORTER_WINS * power[best]):
            best = lag
    if best == 0:
        return
    below, at, above = power[best - 1], power[best], power[best + 1]
    bend = below - 2.0 * at + above
    shift = 0.5 * (below - above) / bend if bend < 0.0 else 0.0
    out[CADENCE_HZ] = frame_hz / (best + shift)
    out[CADENCE] = min(at, 1.0)
    out[HALF] = max(power[best // 2], power[(best + 1) // 2])
    twice = 0.0
    for lag in range(2 * best - 2, min(2 * best + 3, farthest + 1)):
        twice = max(twice, power[lag])
    out[DOUBLE] = twice
