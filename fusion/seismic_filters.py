"""The filters of ground motion: Butterworth band-passes, and the low-pass before decimation."""

import math

import numpy as np
from numpy.typing import NDArray

Sections = list[tuple[float, float]]


def butterworth_band(
    order: int, low_hz: float, high_hz: float, rate_hz: float
) -> tuple[Sections, float]:
    """Band-pass of `order` pole pairs: a1 and a2 of each section, and the gain of all.

    Each section is (1 - z^-2) / (1 + a1 z^-1 + a2 z^-2). Butterworth by the bilinear transform
    with warped corners, as scipy.signal.butter and obspy.signal.filter.bandpass design it;
    gain 1 at the geometric middle.
    """
    low = 2.0 * rate_hz * math.tan(math.pi * low_hz / rate_hz)
    high = 2.0 * rate_hz * math.tan(math.pi * high_hz / rate_hz)
    width, middle = high - low, math.sqrt(low * high)
    poles = []
    for k in range(order):
        turn = math.pi * (2 * k + order + 1) / (2 * order)
        half = 0.5 * width * complex(math.cos(turn), math.sin(turn))
        root = (half * half - middle * middle) ** 0.5
        poles += [half + root, half - root]
    digital = [(2.0 * rate_hz + pole) / (2.0 * rate_hz - pole) for pole in poles]
    upper = sorted((pole for pole in digital if pole.imag > 0.0), key=abs)
    # float32, as the kernel has them: the gain is that of the filter that runs.
    sections = [(float(np.float32(-2.0 * p.real)), float(np.float32(abs(p) ** 2))) for p in upper]
    turn = 2.0 * math.atan(middle / (2.0 * rate_hz))
    z = complex(math.cos(turn), math.sin(turn))
    gain = 1.0
    for a1, a2 in sections:
        gain *= abs((1.0 - z**-2) / (1.0 + a1 * z**-1 + a2 * z**-2))
    return sections, 1.0 / gain


def low_pass(factor: int) -> NDArray[np.float64]:
    """Taps of the low-pass before one sample in `factor` is kept; they sum to 1.

    A sinc cut at 0.45 of the kept rate under a Hamming window of twelve kept samples: half of
    it at 0.45, a thousandth from 0.6 on, which falls on 0.4 (90 Hz of 250 and more stay clean).
    """
    if factor == 1:
        return np.ones(1)
    half = 6 * factor
    cut = 0.45 / factor
    taps = [_tap(n, half, cut) for n in range(-half, half + 1)]
    total = math.fsum(taps)
    # Rounded, so that the last bit of a machine's cosine does not matter.
    return np.array([round(tap / total * 2.0**40) / 2.0**40 for tap in taps])


def _tap(n: int, half: int, cut: float) -> float:
    sinc = 2.0 * cut if n == 0 else math.sin(2.0 * math.pi * cut * n) / (math.pi * n)
    return sinc * (0.54 + 0.46 * math.cos(math.pi * n / half))
