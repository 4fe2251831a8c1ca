"""What one window of ground motion is like: rhythm, steps, impulsiveness, bands."""

# ruff: noqa: PLR0917 - kernels take no structures

import math

import numpy as np
from numba import njit

from fusion.kernels.seismic import (
    BAND_0,
    BANDS,
    BIN_RING,
    FLOOR,
    FRAME_RING,
    SUM_2,
    SUM_4,
)
from fusion.kernels.seismic_feed import FRAMES_PER_BIN, Floats

# Places in the array that `describe` returns.
(
    RMS,
    KURTOSIS,
    IMPULSE,  # kurtosis within half seconds: a swelling noise has 3 here, steps still stand out
    ROUGHNESS,  # standard deviation / mean of the bins' rms
    CADENCE_HZ,
    CADENCE,  # autocorrelation of the envelope at that cadence, -1 to 1
    HALF,  # the same at half that lag: a four-legged gait has a beat there, a walker a pause
    STEPS,  # peaks of the envelope in the window
    NEW_STEPS,  # of them in the last second
    STEP_SPREAD,  # standard deviation / mean of the intervals between them
    STEP_HEIGHTS,  # standard deviation / mean of their heights
    SLOPE,  # ln(rms of the second half / rms of the first half)
    SHARE_0,
) = range(13)
FEATURES = SHARE_0 + BANDS
MAX_STEPS = 64
SHORTER_WINS = 1.15
GROUP = 2  # bins
STEP_APART_S = 0.16  # two feet of a trotting horse


@njit(cache=True, nogil=True, error_model="numpy")
def describe(
    last_bin: int,
    window_bins: int,
    slowest_hz: float,
    fastest_hz: float,
    bin_samples: int,
    bin_s: float,
    frames: Floats,
    bins: Floats,
) -> Floats:
    """Describe the window of whole bins that ends with `last_bin`, (FEATURES,).

    frames  (FRAME_RING,) of one column, um/s
    bins    (BIN_RING, FIELDS)
    The window must have been filled; at most BIN_RING bins and FRAME_RING frames. Impulse and
    roughness are of halves of a second: pairs of bins and more have a step in them, or none.
    """
    out = np.zeros(FEATURES)
    groups = max(window_bins // GROUP, 1)
    square = fourth = squared = mean = spread = early = 0.0
    for group in range(groups):
        part = 0.0
        for back in range(group * GROUP, (group + 1) * GROUP):
            row = bins[(last_bin - back) % BIN_RING]
            part += row[SUM_2]
            fourth += row[SUM_4]
            for b in range(BANDS):
                out[SHARE_0 + b] += row[BAND_0 + b]
        square += part
        squared += part * part
        rms = math.sqrt(part / (GROUP * bin_samples))
        mean += rms / groups
        spread += rms * rms / groups
        if group >= groups // 2:
            early += part
    total = groups * GROUP * bin_samples
    if square <= 0.0:
        return out
    out[RMS] = math.sqrt(square / total)
    out[KURTOSIS] = fourth / total / (square / total) ** 2
    out[IMPULSE] = fourth * GROUP * bin_samples / squared
    out[ROUGHNESS] = math.sqrt(max(spread - mean * mean, 0.0)) / mean
    late = max(square - early, 1e-30)
    out[SLOPE] = 0.5 * math.log(late / max(early, 1e-30))
    bands = max(out[SHARE_0 : SHARE_0 + BANDS].sum(), 1e-300)
    out[SHARE_0 : SHARE_0 + BANDS] /= bands
    frame_hz = 0.5 * FRAMES_PER_BIN / bin_s
    envelope = _envelope(last_bin, window_bins, frames)
    _rhythm(envelope, frame_hz, slowest_hz, fastest_hz, out)
    floor = bins[last_bin % BIN_RING, FLOOR]
    _count_steps(envelope, frame_hz, 2.5 * math.sqrt(floor), out)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _envelope(last_bin: int, window_bins: int, frames: Floats) -> Floats:
    """Means of pairs of the frames of the window."""
    end = (last_bin + 1) * FRAMES_PER_BIN
    pairs = window_bins * FRAMES_PER_BIN // 2
    envelope = np.empty(pairs)
    for i in range(pairs):
        at = end - 2 * (pairs - i)
        envelope[i] = 0.5 * (frames[at % FRAME_RING] + frames[(at + 1) % FRAME_RING])
    return envelope


@njit(cache=True, nogil=True, error_model="numpy")
def _rhythm(
    envelope: Floats, frame_hz: float, slowest_hz: float, fastest_hz: float, out: Floats
) -> None:
    """The strongest repetition of the envelope between two cadences, by autocorrelation.

    The square root of the envelope is used: one loud step must not drown the others.
    """
    size = envelope.shape[0]
    lags = min(int(frame_hz / slowest_hz) + 2, size - 1)
    root = np.sqrt(envelope)
    root -= root.mean()
    power = np.zeros(lags + 1)
    for i in range(size):
        for lag in range(min(lags, i) + 1):
            power[lag] += root[i] * root[i - lag]
    if power[0] <= 0.0:
        return
    for lag in range(1, lags + 1):
        power[lag] *= size / (size - lag) / power[0]
    power[0] = 1.0
    first = max(math.ceil(frame_hz / fastest_hz), 1)
    best = 0
    for lag in range(first, lags):
        peak = power[lag] >= power[lag - 1] and power[lag] >= power[lag + 1]
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


@njit(cache=True, nogil=True, error_model="numpy")
def _count_steps(envelope: Floats, frame_hz: float, least: float, out: Floats) -> None:
    """Count the peaks that stand out of the window and out of the quiet."""
    size = envelope.shape[0]
    threshold = max(least, 1.2 * envelope.mean())
    apart = STEP_APART_S * frame_hz
    places = np.empty(MAX_STEPS)
    heights = np.empty(MAX_STEPS)
    count = 0
    for i in range(1, size - 1):
        here = envelope[i]
        if here < threshold or here < envelope[i - 1] or here <= envelope[i + 1]:
            continue
        if count > 0 and i - places[count - 1] < apart:
            if here > heights[count - 1]:
                places[count - 1], heights[count - 1] = i, here
        elif count < MAX_STEPS:
            places[count], heights[count] = i, here
            count += 1
    out[STEPS] = count
    for k in range(count):
        if places[k] >= size - 1 - frame_hz:
            out[NEW_STEPS] += 1.0
    if count >= 3:
        between = places[1:count] - places[: count - 1]
        out[STEP_SPREAD] = between.std() / between.mean()
        out[STEP_HEIGHTS] = heights[:count].std() / heights[:count].mean()
