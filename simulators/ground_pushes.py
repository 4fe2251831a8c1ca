"""How feet, hooves, tools and thuds push on the ground: the spectrum of one impact's force.

Figures from facts/seismic.md 3.3, "Sources". Forces are in body weights of a 78 kg person.
"""

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Complexes = NDArray[np.complexfloating[Any, Any]]

WEIGHT_N = 78.0 * 9.81  # of the walker that the amplitude anchor stands for
SLAP_AFTER_S = 0.095  # the forefoot comes down after the heel
HEELS_MS = (6, 8, 10, 12, 15, 18, 22, 25)
"""How long a heel strikes: hard soles first, bare feet last."""


@dataclass(frozen=True, slots=True)
class Push:
    """A half-sine blow, and Gaussian humps of load."""

    blow: float
    """Its largest force, in body weights."""
    blow_s: float
    humps: tuple[tuple[float, float, float], ...] = ()
    """(force in body weights, when in s, standard deviation in s)."""
    slap: float = 0.0
    """Share of the blow with which the forefoot follows the heel."""


_PUSHES = {
    "stealth": Push(0.12, 0.030, ((0.95, 0.3, 0.15), (0.95, 0.8, 0.15))),
    "hoof": Push(0.45, 0.012, ((1.6, 0.2, 0.08),)),
    "trot": Push(0.7, 0.011, ((2.6, 0.11, 0.045),)),
    "cow": Push(0.35, 0.018, ((1.5, 0.25, 0.10),)),
    "pick": Push(0.6, 0.008),
    "spade": Push(0.35, 0.022, ((0.5, 0.15, 0.08),)),
    "heap": Push(0.16, 0.035),
    "knock": Push(0.5, 0.005),
    "slam": Push(0.5, 0.025),
    "thud": Push(0.4, 0.020),
    "rattle": Push(0.3, 0.007),
    "bump": Push(0.4, 0.014, ((0.6, 0.06, 0.03),)),
    "piston": Push(0.5, 0.016, ((0.4, 0.05, 0.025),)),
}


def _push(kind: str) -> Push:
    """`walk-15`: 1.1 body weights twice within 0.65 s, and the 15 ms heel-strike transient
    without which nothing is left above 10 Hz. `run-15`: 2.4 body weights for 0.2 s."""
    gait, _, heel_ms = kind.partition("-")
    if gait == "walk":
        heel_s = int(heel_ms) / 1000.0
        # A softer heel takes longer and strikes less hard.
        return Push(
            0.4 * math.sqrt(0.015 / heel_s), heel_s, ((1.1, 0.2, 0.11), (1.1, 0.53, 0.11)), 0.45
        )
    if gait == "run":
        heel_s = int(heel_ms) / 1000.0
        return Push(0.85 * math.sqrt(0.015 / heel_s), heel_s, ((2.4, 0.1, 0.05),))
    return _PUSHES[kind]


@functools.lru_cache(maxsize=256)
def _parsed(kind: str) -> Push:
    return _push(kind)


def push(kind: str, frequency_hz: Floats) -> Complexes:
    """Force on the ground of one impact in N s, by kind."""
    told = _parsed(kind)
    force = _half_sine(frequency_hz, told.blow * WEIGHT_N, told.blow_s)
    if told.slap > 0.0:
        late = np.exp(-2j * math.pi * frequency_hz * SLAP_AFTER_S)
        slap = _half_sine(frequency_hz, told.slap * told.blow * WEIGHT_N, 1.6 * told.blow_s)
        force = force + slap * late
    for weights, at_s, width_s in told.humps:
        force = force + _hump(frequency_hz, weights * WEIGHT_N, at_s, width_s)
    return force


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
