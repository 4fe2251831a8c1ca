"""What the tests of simulated ground put into it, and how they listen."""

import numpy as np

from simulators.ground_scenes import START_UTC_NS, motion, scene
from simulators.ground_sites import SITES
from simulators.movers import Mover

FLOORS = [name for name, site in SITES.items() if site.indoors]
OUTDOORS = [name for name, site in SITES.items() if not site.indoors]
NIGHT_UTC_NS = START_UTC_NS - 8 * 3600 * 10**9  # 0:46 at the site


def band(samples, rate_hz, low_hz, high_hz):
    spectrum = np.fft.rfft(samples)
    f = np.fft.rfftfreq(samples.size, 1.0 / rate_hz)
    spectrum[(f < low_hz) | (f > high_hz)] = 0.0
    return np.fft.irfft(spectrum, samples.size)


def rms(samples):
    return float(np.sqrt(np.mean(samples**2)))


def kurtosis(samples):
    centred = samples - samples.mean()
    return float((centred**4).mean() / (centred**2).mean() ** 2)


def at(kind, *, start_s=5.0, place_m=(10.0, 0.0), for_s=40.0, **keys):
    """Something that stays at a place."""
    return Mover(
        mover_id=f"{kind}-1",
        kind=kind,
        zone="zone",
        start_s=start_s,
        start_m=place_m,
        end_m=place_m,
        lasts_s=for_s,
        **keys,
    )


def passing(kind, *, start_s=5.0, closest_m=5.0, reach_m=20.0, **keys):
    """Something that comes by on a line."""
    return Mover(
        mover_id=f"{kind}-1",
        kind=kind,
        zone="zone",
        start_s=start_s,
        start_m=(-reach_m, closest_m),
        end_m=(reach_m, closest_m),
        **keys,
    )


def heard(*movers, seed=1, site="loess", seconds=60.0, rate_hz=200, wind_m_s=0.0, **keys):
    told = scene(movers, seed=seed, site=site, seconds=seconds, wind_m_s=wind_m_s, **keys)
    return motion(told, rate_hz)[0]


def spectrum_of(samples, rate_hz):
    power = np.abs(np.fft.rfft(samples * np.hanning(samples.size))) ** 2
    return np.fft.rfftfreq(samples.size, 1.0 / rate_hz), power
