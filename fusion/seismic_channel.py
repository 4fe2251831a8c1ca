"""One ground-motion channel: filters, streaming state, and the window that describes it."""

import math

import numpy as np
from numpy.typing import NDArray

from fusion.kernels import seismic as kernel
from fusion.kernels import seismic_window

FRAME_HZ = 50.0  # 20 ms: a footstep's envelope is some 100 ms long
BIN_FRAMES = 25
BINS_PER_SECOND = 2
BANDS_HZ = ((1.5, 5.0), (5.0, 12.0), (12.0, 25.0), (25.0, 45.0))
BAND_NAMES = ("1-5", "5-12", "12-25", "25-45")
"""Thunder and far traffic; a vehicle's body and axles; engines and steps; steps close by."""
HIGHEST_SHARE = 0.45  # of the rate: a corner at Nyquist has no filter
FLOOR_WARM_S = 10.0
FLOOR_RISE_S = 120.0  # longer than a truck's passage, shorter than the change of a day's wind
FLOOR_FALL_S = 20.0
SETTLE_S = 0.3  # the 5 Hz band-pass has forgotten a kink in the signal by then


def butterworth_band(order: int, low_hz: float, high_hz: float, rate_hz: float) -> kernel.Floats:
    """Band-pass of `order` pole pairs as biquads, (order, 5): b0 b1 b2 a1 a2.

    Butterworth by the bilinear transform with warped corners, as scipy.signal.butter and
    obspy.signal.filter.bandpass design it; gain 1 at the geometric middle.
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
    sections = np.array([[1.0, 0.0, -1.0, -2.0 * p.real, abs(p) ** 2] for p in upper])
    z = np.exp(2j * math.pi * _middle_hz(middle, rate_hz) / rate_hz)
    gain = 1.0
    for _, _, _, a1, a2 in sections:
        gain *= abs((1.0 - z**-2) / (1.0 + a1 * z**-1 + a2 * z**-2))
    sections[:, :3] *= gain ** (-1.0 / len(sections))
    return sections


def _middle_hz(middle: float, rate_hz: float) -> float:
    return rate_hz / math.pi * math.atan(middle / (2.0 * rate_hz))


class Channel:
    """Streaming state of one channel at one rate and sensitivity."""

    def __init__(
        self,
        *,
        rate_hz: float,
        counts_per_m_s: float,
        band_hz: tuple[float, float] = (5.0, 40.0),
        sta_s: float = 0.5,
        lta_s: float = 10.0,
        on: float = 4.0,
        off: float = 1.5,
    ) -> None:
        """`band_hz` is narrowed where the rate does not carry it."""
        self.rate_hz = rate_hz
        self.counts_per_m_s = counts_per_m_s
        self._memory = np.zeros(kernel.MEMORY_SIZE)
        self.motion = kernel.views(self._memory)
        self.state = self.motion.state
        self.motion.sections[:] = self._filters(band_hz)
        setup = self.motion.setup
        setup[kernel.STA_SAMPLES] = round(sta_s * rate_hz)
        setup[kernel.LTA_SAMPLES] = round(lta_s * rate_hz)
        setup[kernel.ON] = on
        setup[kernel.OFF] = off
        setup[kernel.FRAME_SAMPLES] = max(1, round(rate_hz / FRAME_HZ))
        setup[kernel.BIN_FRAMES] = BIN_FRAMES
        setup[kernel.SETTLE_SAMPLES] = round(SETTLE_S * rate_hz)
        setup[kernel.SCALE] = 1.0 / counts_per_m_s
        setup[kernel.FLOOR_WARM_BINS] = FLOOR_WARM_S * BINS_PER_SECOND
        setup[kernel.FLOOR_RISE] = 1.0 / (FLOOR_RISE_S * BINS_PER_SECOND)
        setup[kernel.FLOOR_FALL] = 1.0 / (FLOOR_FALL_S * BINS_PER_SECOND)

    def _filters(self, band_hz: tuple[float, float]) -> kernel.Floats:
        """The band-pass and the bands', as far as the rate carries them."""
        highest_hz = HIGHEST_SHARE * self.rate_hz
        wide = (band_hz[0], min(band_hz[1], highest_hz))
        sections = [butterworth_band(kernel.PASS_SECTIONS, *wide, self.rate_hz)]
        for low_hz, high_hz in BANDS_HZ:
            if low_hz < 0.8 * highest_hz:
                band = (low_hz, min(high_hz, highest_hz))
                sections.append(butterworth_band(kernel.BAND_SECTIONS, *band, self.rate_hz))
            else:  # nothing of this band is carried
                sections.append(np.zeros((kernel.BAND_SECTIONS, kernel.SECTION_FIELDS)))
        return np.concatenate(sections)

    def feed(self, counts: NDArray[np.int32]) -> None:
        """Take the samples that follow, (samples,) counts."""
        kernel.advance(counts, self._memory)

    def skip(self, missing: int, next_count: int) -> None:
        """Let lost samples pass; `next_count` is the first that follows."""
        kernel.skip(missing, next_count, self._memory)

    @property
    def seconds(self) -> float:
        """How long it has been fed."""
        return float(self.state[kernel.SAMPLES]) / self.rate_hz

    def take_peaks(self) -> tuple[float, float, bool]:
        """Since the last call: peak velocity in m/s, peak STA/LTA, whether it tripped."""
        state = self.state
        taken = (
            float(state[kernel.MOTION_PEAK]),
            float(state[kernel.RATIO_PEAK]),
            bool(state[kernel.ON_COUNT]),
        )
        state[kernel.MOTION_PEAK] = state[kernel.RATIO_PEAK] = state[kernel.ON_COUNT] = 0.0
        return taken

    def level(self, bins: int = 4) -> float:
        """rms of the last half-seconds over the quiet floor."""
        return float(kernel.level(bins, self._memory))

    def describe(self, window_s: float, slowest_hz: float, fastest_hz: float) -> list[float]:
        """The last window's features, in the order of the kernel's names."""
        bins = round(window_s * BINS_PER_SECOND)
        window = seismic_window.describe(bins, slowest_hz, fastest_hz, self.rate_hz, self._memory)
        return window.tolist()  # type: ignore[no-any-return]
