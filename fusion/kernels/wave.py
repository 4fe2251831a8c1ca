"""Ground motion as it is drawn: filtered, by columns of a picture, and its spectrum over time.

Callers check arguments.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fusion.kernels.seismic_spectrum import transform

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@njit(cache=True, nogil=True)
def decimated(counts: NDArray[np.int32], taps: Floats, factor: int, base: int) -> Floats:
    """One sample in `factor`, low-passed, less `base`.

    counts   (samples,); beyond its ends the first and the last stand
    taps     (odd,) of a symmetrical low-pass, sum 1
    base     taken off as an integer: what a 32-bit converter adds is large
    returns  (ceil(samples / factor),)
    """
    size = counts.shape[0]
    half = taps.shape[0] // 2
    kept = np.zeros((size + factor - 1) // factor)
    for i in range(kept.shape[0]):
        total = 0.0
        for j in range(taps.shape[0]):
            at = min(max(i * factor + j - half, 0), size - 1)
            total += taps[j] * float(np.int64(counts[at]) - base)
        kept[i] = total
    return kept


@njit(cache=True, nogil=True)
def band_passed(samples: Floats, sections: Floats, gain: float) -> Floats:
    """A cascade of (1 - z^-2) / (1 + a1 z^-1 + a2 z^-2), at rest before the first sample.

    sections  (sections, 2) a1 and a2
    """
    out: Floats = samples - samples[0]
    for s in range(sections.shape[0]):
        a1, a2 = sections[s, 0], sections[s, 1]
        x1 = x2 = y1 = y2 = 0.0
        for i in range(out.shape[0]):
            x = out[i]
            y = x - x2 - a1 * y1 - a2 * y2
            x2, x1, y2, y1 = x1, x, y1, y
            out[i] = y
    for i in range(out.shape[0]):
        out[i] *= gain
    return out


@njit(cache=True, nogil=True)
def extremes(samples: Floats, first: Places, last: Places, lowest: Floats, highest: Floats) -> None:
    """The least and the most of each column, and of the sample before it, so that strokes join.

    first, last      (columns,) its first sample and one past its last; an empty column is left
    lowest, highest  (columns,) filled here
    """
    for c in range(first.shape[0]):
        if last[c] <= first[c]:
            continue
        low = high = samples[max(first[c] - 1, 0)]
        for i in range(first[c], last[c]):
            low, high = min(low, samples[i]), max(high, samples[i])
        lowest[c], highest[c] = low, high


@njit(cache=True, nogil=True)
def mean_sizes(samples: Floats, first: Places, last: Places, means: Floats) -> None:
    """Mean |sample| from `first` to before `last` of each column; an empty column is left."""
    for c in range(first.shape[0]):
        if last[c] > first[c]:
            total = 0.0
            for i in range(first[c], last[c]):
                total += abs(samples[i])
            means[c] = total / (last[c] - first[c])


@njit(cache=True, nogil=True)
def powers(samples: Floats, first: Places, power: Floats) -> None:
    """Power of the Hann window that begins at `first` of each column; the mean is taken off.

    first  (columns,) a column whose window is not wholly among the samples is left
    power  (columns, size / 2) filled here; `size` is a power of two

    Two windows are the real and the imaginary part of one transform, and told apart by the
    symmetry of each (Press et al., Numerical Recipes, section 12.3).
    """
    half = power.shape[1]
    size = 2 * half
    hann = np.empty(size)
    for i in range(size):
        hann[i] = 0.5 - 0.5 * math.cos(2.0 * math.pi * (i + 0.5) / size)
    real, imag = np.empty(size), np.empty(size)
    c = 0
    while c < first.shape[0]:
        if first[c] < 0 or first[c] + size > samples.shape[0]:
            c += 1
            continue
        both = c + 1 < first.shape[0] and first[c + 1] + size <= samples.shape[0]
        one = samples[first[c] : first[c] + size]
        other = samples[first[c + 1] : first[c + 1] + size] if both else one
        one_mean, other_mean = one.mean(), other.mean()
        for i in range(size):
            real[i] = hann[i] * (one[i] - one_mean)
            imag[i] = hann[i] * (other[i] - other_mean)
        transform(real, imag)
        for k in range(half):
            m = (size - k) % size
            a, b = real[k] + real[m], imag[k] - imag[m]
            power[c, k] = 0.25 * (a * a + b * b)
            if both:
                a, b = imag[k] + imag[m], real[m] - real[k]
                power[c + 1, k] = 0.25 * (a * a + b * b)
        c += 2 if both else 1
