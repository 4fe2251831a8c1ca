"""How ground carries motion: Rayleigh waves, a geophone's response, wavelets, shaped noise.

Everything is built in the frequency domain, so attenuation, dispersion and the response of
the geophone are exact at every rate. Sources and figures: facts/seismic.md 3.2 and 3.3.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Complexes = NDArray[np.complexfloating[Any, Any]]

NEAREST_M = 1.0  # the far-field law means nothing closer than that
FARTHEST_M = 400.0  # beyond, a truck on loess is below the quietest background
WAVELET_S = 2.0  # a step's 0.65 s, its spread over 400 m and its echoes
LEAD_S = 0.05  # before the first motion, so that the band limit does not wrap around
RANGE_STEP = 1.08  # wavelets are shared within 8 % of range; their amplitude is not
PHASES = 4  # onsets are placed to a quarter of a sample


@dataclass(frozen=True, slots=True)
class Soil:
    """Velocity of the Rayleigh wave and the ground's quality factor."""

    rayleigh_m_s: float
    quality: float


SOILS = {
    "loam": Soil(138.0, 10.0),
    "loess": Soil(230.0, 15.0),
    "gravel": Soil(414.0, 30.0),
}
"""The three grounds of the table in facts/seismic.md 3.3."""


def attenuation(soil: Soil, frequency_hz: Floats, range_m: Floats) -> Floats:
    """Amplitude against 1 m: r^-1/2 exp(-pi f r / (Q V_R)), (ranges, frequencies).

    Geometrical spreading of a surface wave and anelastic loss, as in Burtin's model.
    """
    r = np.maximum(range_m, NEAREST_M)[:, None]
    loss = np.exp(-math.pi * frequency_hz * r / (soil.quality * soil.rayleigh_m_s))
    return np.asarray(loss / np.sqrt(r))


def geophone(frequency_hz: Floats, corner_hz: float, damping: float = 0.7) -> Complexes:
    """Response of a geophone to velocity, s^2/(s^2 + 2 h w0 s + w0^2), without its gain."""
    s = 2j * math.pi * frequency_hz
    w0 = 2.0 * math.pi * corner_hz
    return np.asarray(s * s / (s * s + 2.0 * damping * w0 * s + w0 * w0))


def anti_alias(frequency_hz: Floats, rate_hz: float) -> Floats:
    """Flat to 80 % of Nyquist, as a Shake, then a cosine down to nothing."""
    share = np.clip((frequency_hz / (0.5 * rate_hz) - 0.8) / 0.2, 0.0, 1.0)
    return np.asarray(0.5 * (1.0 + np.cos(math.pi * share)))


def _half_sine(frequency_hz: Floats, newtons: float, duration_s: float) -> Complexes:
    """Spectrum of a half-sine push."""
    x = 2.0 * frequency_hz * duration_s
    near_one = np.abs(x - 1.0) < 1e-6
    shape = np.cos(0.5 * math.pi * x) / np.where(near_one, 1.0, 1.0 - x * x)
    shape = np.where(near_one, math.pi / 4.0, shape)
    delay = np.exp(-1j * math.pi * frequency_hz * duration_s)
    return np.asarray(newtons * 2.0 * duration_s / math.pi * shape * delay)


def _hump(frequency_hz: Floats, newtons: float, at_s: float, width_s: float) -> Complexes:
    """Spectrum of a Gaussian push."""
    size = newtons * width_s * math.sqrt(2.0 * math.pi)
    shape = np.exp(-2.0 * (math.pi * width_s * frequency_hz) ** 2)
    return np.asarray(size * shape * np.exp(-2j * math.pi * frequency_hz * at_s))


WEIGHT_N = 78.0 * 9.81  # of the walker that the amplitude anchor stands for


def push(kind: str, frequency_hz: Floats) -> Complexes:
    """Force on the ground of one impact, by kind, for a mass of 78 kg.

    `step`: 1.1 body weights twice within 0.65 s, and the 15 ms heel-strike transient without
    which nothing is left above 10 Hz. `hoof`: shorter, a single hump, harder. `strike`: a
    pick or a shovel, 8 ms. Figures from facts/seismic.md 3.3, "Sources".
    """
    if kind == "strike":
        return _half_sine(frequency_hz, 0.6 * WEIGHT_N, 0.008)
    if kind == "hoof":
        heel = _half_sine(frequency_hz, 0.3 * WEIGHT_N, 0.012)
        return heel + _hump(frequency_hz, 0.5 * WEIGHT_N, 0.2, 0.08)
    heel = _half_sine(frequency_hz, 0.4 * WEIGHT_N, 0.015)
    first = _hump(frequency_hz, 1.1 * WEIGHT_N, 0.15, 0.08)
    return heel + first + _hump(frequency_hz, 1.1 * WEIGHT_N, 0.48, 0.08)


STEP_AT_10_M = {"loam": 19e-6, "loess": 16e-6, "gravel": 7.5e-6}
"""Peak of a walker's step in m/s, 10 m away (facts/seismic.md 3.3, table)."""

_ECHO_DELAY_S = (0.021, 0.038, 0.057, 0.083, 0.124, 0.170)
_ECHO_SIZE = (0.35, -0.28, 0.22, -0.16, 0.10, 0.06)
"""Scattering near the surface: what makes a 15 ms knock ring for a tenth of a second."""


class Wavelets:
    """What one impact does at a station, by kind and range; made when first needed."""

    def __init__(self, soil_name: str, rate_hz: int, corner_hz: float) -> None:
        self.soil = SOILS[soil_name]
        self._rate_hz = rate_hz
        self._samples = round(WAVELET_S * rate_hz)
        self._frequency_hz = np.fft.rfftfreq(self._samples, 1.0 / rate_hz)
        self._response = geophone(self._frequency_hz, corner_hz)
        self._response *= anti_alias(self._frequency_hz, rate_hz)
        self._made: dict[tuple[str, int], Floats] = {}
        self._scale = 1.0
        at_10_m = self._make("step", round(math.log(10.0) / math.log(RANGE_STEP)))
        self._scale = STEP_AT_10_M[soil_name] / float(np.abs(at_10_m[0, 0]).max())
        self._made.clear()

    def delay_s(self, range_m: float) -> float:
        """Travel time of the fastest, lowest frequencies, less the wavelet's lead."""
        return range_m / (self.soil.rayleigh_m_s * 1.4) - LEAD_S

    def get(self, kind: str, range_m: float) -> Floats:
        """Velocity in m/s, (2, PHASES, samples): vertical, and along the direction of travel."""
        near = max(range_m, NEAREST_M)
        step = round(math.log(near) / math.log(RANGE_STEP))
        made = self._made.get((kind, step))
        if made is None:
            made = self._made[kind, step] = self._make(kind, step)
        return np.asarray(made * math.sqrt(RANGE_STEP**step / near))

    def _make(self, kind: str, step: int) -> Floats:
        f = self._frequency_hz
        range_m = RANGE_STEP**step
        # Rayleigh displacement of a vertical point force grows with f^1/2, velocity with f^3/2.
        spectrum = push(kind, f) * (2j * math.pi * f) ** 1.5
        spectrum *= attenuation(self.soil, f, np.array([range_m]))[0] * self._response
        slow_s_per_m = 1.0 / (self.soil.rayleigh_m_s * (1.0 + 0.4 * np.exp(-f / 12.0)))
        slow_s_per_m -= 1.0 / (self.soil.rayleigh_m_s * 1.4)  # normal dispersion, low first
        spectrum *= np.exp(-2j * math.pi * f * (range_m * slow_s_per_m + LEAD_S))
        for delay_s, size in zip(_ECHO_DELAY_S, _ECHO_SIZE, strict=True):
            spectrum += size * spectrum * np.exp(-2j * math.pi * f * delay_s)
        phase = np.arange(PHASES)[:, None] / PHASES / self._rate_hz
        shifted = spectrum * np.exp(-2j * math.pi * f * phase)
        # The Rayleigh ellipse: horizontal 0.7 of vertical and a quarter turn apart.
        both = np.stack([shifted, 0.7j * shifted])
        return np.asarray(np.fft.irfft(both * self._scale * self._rate_hz, self._samples))


BACKGROUND_M_S = 126e-9
"""Quiet rms in 5-40 Hz, as measured on a Shake (facts/seismic.md 3.3)."""
SELF_NOISE_M_S = 2.8e-9  # rms in 80 Hz: 375 ohm coil and a 9 nV preamplifier


def band_density(shape: Floats, frequency_hz: Floats, rms_m_s: float) -> Floats:
    """The shape as (m/s)^2/Hz with that rms in 5 to 40 Hz."""
    band = (frequency_hz >= 5.0) & (frequency_hz <= 40.0)
    hz = float(frequency_hz[1] - frequency_hz[0])
    return np.asarray(shape * rms_m_s**2 / (float(shape[band].sum()) * hz))


def background_density(frequency_hz: Floats) -> Floats:
    """Power density of quiet ground: falling with frequency, with the sensor's own noise."""
    f = np.maximum(frequency_hz, 0.5)
    return band_density(1.0 / f, frequency_hz, BACKGROUND_M_S) + SELF_NOISE_M_S**2 / 80.0


def wind_density(frequency_hz: Floats, wind_m_s: float) -> Floats:
    """Power density under wind, before gusts: 2 dB a m/s, within the facts' 0.4 to 5 dB."""
    f = np.maximum(frequency_hz, 0.5)
    shape = 1.0 / (1.0 + (f / 8.0) ** 2) + 0.1 * np.exp(-(((f - 22.0) / 10.0) ** 2))
    return band_density(shape, frequency_hz, 30e-9 * 10.0 ** (2.0 * wind_m_s / 20.0))


def vehicle_shape(frequency_hz: Floats, engine_hz: float) -> Floats:
    """Relative power of a vehicle's rolling noise: body and axle hop 5-25 Hz, engine lines."""
    f = np.maximum(frequency_hz, 0.1)
    rolling = 1.0 / (1.0 + (5.0 / f) ** 6) / (1.0 + (f / 22.0) ** 6)
    hop = 1.5 / (1.0 + ((f - 12.0) / 2.0) ** 2)
    shape = rolling + hop
    for order in (0.5, 1.0, 1.5):
        line = np.argmin(np.abs(f - order * engine_hz))
        shape[line] += 4.0
    return np.asarray(shape)
