"""How ground carries motion: Rayleigh waves, floors that ring, a geophone's response, wavelets.

Everything is built in the frequency domain, so attenuation, dispersion and the response of
the geophone are exact at every rate. Sources and figures: facts/seismic.md 3.2 and 3.3.
"""

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.ground_pushes import push
from simulators.ground_site import Site

Floats = NDArray[np.floating[Any]]
Complexes = NDArray[np.complexfloating[Any, Any]]

NEAREST_M = 1.0  # the far-field law means nothing closer than that
FARTHEST_M = 400.0  # beyond, a truck on loess is below the quietest background
SPREAD_S = 1.1  # nor further than slow waves come so much after the fast ones
WAVELET_S = 2.0  # a step's 0.65 s, its spread over 400 m and its echoes
LEAD_S = 0.05  # before the first motion, so that the band limit does not wrap around
RANGE_STEP = 1.08  # wavelets are shared within 8 % of range; their amplitude is not
REFERENCE_HZ = 200  # the rate at which a site's steps have the peak that it states
VARIANTS = 8  # patterns of echoes; a station has one
FLOOR_SPREADING = 0.35  # a floor holds its waves together better than open ground


def attenuation(site: Site, frequency_hz: Floats, range_m: Floats) -> Floats:
    """Amplitude against 1 m: r^-1/2 exp(-pi f r / (Q V_R)), (ranges, frequencies).

    Geometrical spreading of a surface wave and anelastic loss, as in Burtin's model.
    """
    r = np.maximum(range_m, NEAREST_M)[:, None]
    loss = np.exp(-math.pi * frequency_hz * r / (site.quality * site.rayleigh_m_s))
    return np.asarray(loss * r ** (-FLOOR_SPREADING if site.indoors else -0.5))


def geophone(frequency_hz: Floats, corner_hz: float, damping: float = 0.7) -> Complexes:
    """Response of a geophone to velocity, s^2/(s^2 + 2 h w0 s + w0^2), without its gain."""
    s = 2j * math.pi * frequency_hz
    w0 = 2.0 * math.pi * corner_hz
    return np.asarray(s * s / (s * s + 2.0 * damping * w0 * s + w0 * w0))


def anti_alias(frequency_hz: Floats, rate_hz: float, flat_share: float = 0.8) -> Floats:
    """Flat to 80 % of Nyquist, as a Shake, then a cosine down to nothing; over 1: no filter."""
    if flat_share >= 1.0:
        return np.ones_like(frequency_hz)
    share = np.clip((frequency_hz / (0.5 * rate_hz) - flat_share) / (1.0 - flat_share), 0.0, 1.0)
    return np.asarray(0.5 * (1.0 + np.cos(math.pi * share)))


def transfer(site: Site, frequency_hz: Floats) -> Complexes:
    """Velocity per force near its point, up to a factor of the site.

    Ground: Rayleigh displacement of a vertical point force grows with f^1/2, velocity with
    f^3/2, less what the first decimetres take (Anderson & Hough 1984, BSSA 74:1969); stiff over
    soft answers less below `cut_hz`. Floor: its modes, each 1 at its own
    frequency before its gain, and a little that comes straight.
    """
    f = frequency_hz
    if not site.modes:
        near = (2j * math.pi * f) ** 1.5
        if site.cut_hz > 0.0:
            near = near * (f**4 / (f**4 + site.cut_hz**4))
        return np.asarray(near * np.exp(-math.pi * site.kappa_s * f))
    ringing: Complexes = 0.15 * np.sqrt(f / 25.0).astype(np.complex128)
    for hz, damping, gain in site.modes:
        ringing += gain * 2j * damping * f * hz / (hz * hz - f * f + 2j * damping * f * hz)
    return ringing


ECHOES = 40
ECHO_S = 0.07  # in which they fade, at a scatter of 1
ECHO_SHARE = 0.3  # of the direct wave, each of the first ones


def echoes(site: Site, frequency_hz: Floats, variant: int) -> Complexes:
    """Scattering near the surface: what makes a 15 ms knock ring for a quarter of a second."""
    random = np.random.default_rng(variant)
    delay_s = random.uniform(0.012, 5.0 * ECHO_S * site.scatter, ECHOES)
    size = ECHO_SHARE * np.exp(-delay_s / (ECHO_S * site.scatter)) * random.normal(0.0, 1.0, ECHOES)
    size *= 1.0 + 0.5 * site.scatter
    arrivals = np.ones(frequency_hz.size, dtype=np.complex128)
    for late_s, share in zip(delay_s, size, strict=True):
        arrivals += share * np.exp(-2j * math.pi * frequency_hz * late_s)
    return arrivals


class Wavelets:
    """What one impact does at a station, by kind and range; made when first needed."""

    def __init__(
        self,
        site: Site,
        rate_hz: int,
        corner_hz: float,
        *,
        damping: float = 0.7,
        flat_share: float = 0.8,
        variant: int = 0,
        horizontal: bool = True,
        scale: float | None = None,
    ) -> None:
        self.site = site
        self.phases = 4 if rate_hz < 400 else 1
        """Onsets are placed to such a share of a sample."""
        self._rate_hz = rate_hz
        self._horizontal = horizontal
        self._samples = round(WAVELET_S * rate_hz)
        self._frequency_hz = np.fft.rfftfreq(self._samples, 1.0 / rate_hz)
        f = self._frequency_hz
        self._response = geophone(f, corner_hz, damping) * anti_alias(f, rate_hz, flat_share)
        self._response *= transfer(self.site, f) * echoes(self.site, f, variant)
        self._made: dict[tuple[str, int], Floats] = {}
        self._peaks: dict[tuple[str, int], float] = {}
        fastest = 1.0 + max(self.site.dispersion, 0.0)
        self._fast_m_s = self.site.rayleigh_m_s * fastest
        spread_s_per_m = abs(self.site.dispersion) / self._fast_m_s
        self.farthest_m = min(FARTHEST_M, SPREAD_S / max(spread_s_per_m, 1e-9))
        """Nothing is felt from beyond."""
        self._scale = _scale(site) if scale is None else scale

    def delay_s(self, range_m: float) -> float:
        """Travel time of the fastest frequencies, less the wavelet's lead."""
        return range_m / self._fast_m_s - LEAD_S

    def get(self, kind: str, range_m: float) -> Floats:
        """Velocity in m/s, (axes, phases, samples): vertical, and along the way it travels."""
        near = max(range_m, NEAREST_M)
        step = round(math.log(near) / math.log(RANGE_STEP))
        made = self._made.get((kind, step))
        if made is None:
            made = self._made[kind, step] = self._make(kind, step)
        return np.asarray(made * math.sqrt(RANGE_STEP**step / near))

    def peak(self, kind: str, range_m: float) -> float:
        """Largest vertical velocity in m/s."""
        return float(np.abs(self.get(kind, range_m)[0, 0]).max())

    def _make(self, kind: str, step: int) -> Floats:
        f = self._frequency_hz
        site = self.site
        range_m = RANGE_STEP**step
        spectrum = push(kind, f) * attenuation(site, f, np.array([range_m]))[0] * self._response
        slow_s_per_m = 1.0 / (site.rayleigh_m_s * (1.0 + site.dispersion * np.exp(-f / 12.0)))
        slow_s_per_m -= 1.0 / self._fast_m_s  # normal dispersion, low first; over roads high first
        spectrum *= np.exp(-2j * math.pi * f * (range_m * slow_s_per_m + LEAD_S))
        phase = np.arange(self.phases)[:, None] / self.phases / self._rate_hz
        shifted = spectrum * np.exp(-2j * math.pi * f * phase)
        # The Rayleigh ellipse: horizontal 0.7 of vertical and a quarter turn apart.
        both = np.stack([shifted, 0.7j * shifted]) if self._horizontal else shifted[None]
        return np.asarray(np.fft.irfft(both * self._scale * self._rate_hz, self._samples))


@functools.lru_cache(maxsize=64)
def _scale(site: Site) -> float:
    """Of a site's wavelets, so that a step has the peak that the site states, 10 m away."""
    plain = Wavelets(site, REFERENCE_HZ, 4.5, horizontal=False, scale=1.0)
    return site.step_m_s / plain.peak("walk-15", 10.0)


@functools.lru_cache(maxsize=12)  # at 200 samples a second each fills some 10 MB in an hour
def wavelets_of(
    site: Site,
    rate_hz: int,
    *,
    corner_hz: float,
    damping: float,
    flat_share: float,
    variant: int,
    horizontal: bool,
) -> Wavelets:
    """Wavelets shared between the scenes of one process."""
    return Wavelets(
        site,
        rate_hz,
        corner_hz,
        damping=damping,
        flat_share=flat_share,
        variant=variant,
        horizontal=horizontal,
    )
