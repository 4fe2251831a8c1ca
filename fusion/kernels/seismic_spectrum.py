"""Spectrum of the last seconds of a channel, and the lines in it."""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

# Places in the array that `lines` fills.
(
    TONE,  # share of the power in the strongest line
    TONE_HZ,
    LINES,  # share of the power in all lines
    LINE_COUNT,
    COMB,  # share of the power in lines at multiples of COMB_HZ, two at least
    COMB_HZ,
    CENTROID_HZ,
    BANDWIDTH,  # standard deviation over centroid
    FLATNESS,  # ln (geometric / arithmetic mean), 0 for white noise
    HIGH,  # share from HIGH_HZ up; -1 where the rate does not carry it
    EXCESS,  # ln (power / the background's)
) = range(11)
FEATURES = 11

LOWEST_HZ = 4.0  # below are microseism, wind on the case, and the corner of a small geophone
HIGH_HZ = 60.0  # rain: onset 60 to 80 Hz (facts/seismic.md 3.2)
HIGH_FROM_TOP_HZ = 80.0
NEAR_HZ = 4.0  # to either side: what a line must stand out of
STANDS_OUT = 10.0
"""Power over the median of its surroundings, from which a peak is a line: of noise, three windows
averaged, one spectrum in ten has such a peak."""
LEAST_SHARE = 0.003  # a fainter line says nothing of what the event is
SLOWEST_COMB_HZ = 40.0
BACKGROUND_TWICE = 2.0
"""So many times the quiet spectrum is taken off: what is always there, mains hum above all, is
not what happened."""


class Reach(NamedTuple):
    """The part of a spectrum that is looked at."""

    first: int
    last: int
    hz: float
    """Between neighbours."""


@njit(cache=True, nogil=True, error_model="numpy")
def transform(real: Floats, imag: Floats) -> None:
    """Discrete Fourier transform in place; the size is a power of two.

    Cooley and Tukey 1965, Math. Comput. 19:297, by halves. Written out because what is published
    must not depend on which library of transforms a machine has.
    """
    size = real.shape[0]
    j = 0
    for i in range(1, size):
        bit = size >> 1
        while j & bit:
            j ^= bit
            bit >>= 1
        j |= bit
        if i < j:
            real[i], real[j] = real[j], real[i]
            imag[i], imag[j] = imag[j], imag[i]
    span = 2
    while span <= size:
        half = span // 2
        for k in range(half):
            turn = -2.0 * math.pi * k / span
            c, s = math.cos(turn), math.sin(turn)
            for i in range(k, size, span):
                m = i + half
                re = c * real[m] - s * imag[m]
                im = c * imag[m] + s * real[m]
                real[m], imag[m] = real[i] - re, imag[i] - im
                real[i] += re
                imag[i] += im
        span *= 2


@njit(cache=True, nogil=True, error_model="numpy")
def power_of(samples: Floats, size: int) -> Floats:
    """Mean power of half-overlapping Hann windows of `size` samples, (size // 2,).

    Welch 1967, IEEE Trans. Audio Electroacoust. 15:70; each window's mean is taken off.
    `samples` has `size` or a multiple of it; `size` is a power of two.
    """
    power = np.zeros(size // 2)
    windows = max(1, 2 * (samples.shape[0] // size) - 1)
    real, imag, hann = np.empty(size), np.empty(size), np.empty(size)
    for i in range(size):
        hann[i] = 0.5 - 0.5 * math.cos(2.0 * math.pi * (i + 0.5) / size)
    for w in range(windows):
        at = w * (size // 2)
        mean = samples[at : at + size].mean()
        for i in range(size):
            real[i] = hann[i] * (samples[at + i] - mean)
            imag[i] = 0.0
        transform(real, imag)
        for k in range(size // 2):
            power[k] += (real[k] * real[k] + imag[k] * imag[k]) / windows
    return power


@njit(cache=True, nogil=True, error_model="numpy")
def lines(power: Floats, background: Floats, hz: float, top_hz: float, out: Floats) -> None:
    """What is in the spectrum beyond the background, from LOWEST_HZ to `top_hz`.

    power       (bins,) of the last seconds, `hz` apart
    background  (bins,) of the same channel while nothing happened; zeros where unknown
    out         (FEATURES,) filled here; zeros where there is nothing beyond the background
    """
    out[:] = 0.0
    out[HIGH] = -1.0 if top_hz < HIGH_FROM_TOP_HZ else 0.0
    reach = Reach(math.ceil(LOWEST_HZ / hz), min(int(top_hz / hz), power.shape[0] - 2), hz)
    if reach.last < reach.first + 8:
        return
    excess = np.zeros(power.shape[0])
    total = whole = quiet = 0.0
    for k in range(reach.first, reach.last + 1):
        excess[k] = max(power[k] - BACKGROUND_TWICE * background[k], 0.0)
        total += excess[k]
        whole += power[k]
        quiet += background[k]
    if whole > 0.0 and quiet > 0.0:
        out[EXCESS] = math.log(whole / quiet)
    if total <= 0.0:
        return
    _shape(excess, total, reach, out)
    held = _peaks(power, excess, total, reach, out)
    _comb(held, reach, out)


@njit(cache=True, nogil=True, error_model="numpy")
def _shape(excess: Floats, total: float, reach: Reach, out: Floats) -> None:
    """Middle, width, flatness and the share of high frequencies."""
    first, last, hz = reach
    count = last - first + 1
    mean = second = high = logs = 0.0
    for k in range(first, last + 1):
        share = excess[k] / total
        mean += share * k * hz
        second += share * (k * hz) ** 2
        if k * hz >= HIGH_HZ:
            high += share
        logs += math.log(share * count + 1e-4)
    out[CENTROID_HZ] = mean
    out[BANDWIDTH] = math.sqrt(max(second - mean * mean, 0.0)) / mean
    out[FLATNESS] = logs / count
    if out[HIGH] >= 0.0:
        out[HIGH] = high


@njit(cache=True, nogil=True, error_model="numpy")
def _peaks(power: Floats, excess: Floats, total: float, reach: Reach, out: Floats) -> Floats:
    """Lines of the spectrum; what share of the power each holds, (bins,)."""
    first, last, hz = reach
    held = np.zeros(power.shape[0])
    near = max(int(NEAR_HZ / hz), 4)
    strongest = 0.0
    for k in range(first, last + 1):
        here = power[k]
        if here < power[k - 1] or here <= power[k + 1] or excess[k] < LEAST_SHARE * total:
            continue
        around = np.median(power[max(k - near, 1) : min(k + near, last) + 1])
        if here < STANDS_OUT * around:
            continue
        held[k] = (excess[k - 1] + excess[k] + excess[k + 1]) / total
        out[LINES] += held[k]
        out[LINE_COUNT] += 1.0
        if held[k] > strongest:
            strongest = held[k]
            bend = power[k - 1] - 2.0 * here + power[k + 1]
            shift = 0.5 * (power[k - 1] - power[k + 1]) / bend if bend < 0.0 else 0.0
            out[TONE_HZ] = (k + shift) * hz
    out[TONE] = strongest
    return held


@njit(cache=True, nogil=True, error_model="numpy")
def _comb(held: Floats, reach: Reach, out: Floats) -> None:
    """Lines at multiples of one of them: blades, track shoes, cylinders."""
    first, last, hz = reach
    for base in range(first, min(last, int(SLOWEST_COMB_HZ / hz)) + 1):
        if held[base] <= 0.0:
            continue
        together, teeth = held[base], 1
        for n in range(2, last // base + 1):
            aside = max(1, n // 2)
            top = 0.0
            for k in range(n * base - aside, min(n * base + aside, last) + 1):
                top = max(top, held[k])
            if top > 0.0:
                teeth += 1
                together += top
        if teeth >= 2 and together > out[COMB]:
            out[COMB] = together
            out[COMB_HZ] = base * hz
