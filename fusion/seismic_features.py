"""What a window of ground motion looks like, and which class that speaks for.

Each class has a few terms of evidence in nats, each a saturating function of one feature, so
that a verdict can be read: "kurtosis 11, cadence 1.9 Hz, ..." (facts/seismic.md 3.1 and 3.2).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from fusion.kernels import seismic_window as window

CLASSES = (
    "person",
    "group",
    "animal",
    "vehicle",
    "digging",
    "aircraft",
    "weather",
    "machinery",
    "unknown",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """One window, and what is known of the event it belongs to."""

    level: float
    """rms over the quiet floor."""
    kurtosis: float
    """Of the band-passed velocity; 3 for noise, more for knocks, 1.5 for one tone."""
    roughness: float
    cadence_hz: float
    cadence: float
    half: float
    steps: int
    new_steps: int
    step_spread: float
    step_heights: float
    slope: float
    bands: tuple[float, ...]
    duration_s: float = 0.0
    swell: float = 1.0
    """Loudest over quietest second of the event so far."""


def features_of(values: list[float], level: float, duration_s: float, swell: float) -> Features:
    """From the kernel's row of numbers."""
    return Features(
        level=level,
        kurtosis=values[window.KURTOSIS],
        roughness=values[window.ROUGHNESS],
        cadence_hz=values[window.CADENCE_HZ],
        cadence=values[window.CADENCE],
        half=values[window.HALF],
        steps=int(values[window.STEPS]),
        new_steps=int(values[window.NEW_STEPS]),
        step_spread=values[window.STEP_SPREAD],
        step_heights=values[window.STEP_HEIGHTS],
        slope=values[window.SLOPE],
        bands=tuple(values[window.SHARE_0 :]),
        duration_s=duration_s,
        swell=swell,
    )


def lean(value: float, middle: float, width: float) -> float:
    """-1 well below the middle, 0 at it, +1 a width or more above it."""
    return max(-1.0, min(1.0, (value - middle) / width))


def evidence(f: Features, window_s: float) -> dict[str, float]:
    """Nats of one window for each class against `unknown`, which has none."""
    knocks = lean(math.log(max(f.kurtosis, 1.0)), math.log(5.5), 0.35)
    smooth = -lean(f.kurtosis, 4.6, 1.2)
    rhythm = lean(f.cadence, 0.5, 0.2)
    stands_out = lean(f.level, 2.0, 0.7)
    per_s = f.steps / window_s
    several = lean(per_s, 2.5, 0.5)
    even = -lean(f.step_spread, 0.3, 0.15)
    pause = -lean(f.half, -0.05, 0.2)  # a walker's ground is still between two steps
    enough = lean(f.steps, 3.5, 1.0)
    rolling = lean(f.bands[1] + f.bands[2], 0.6, 0.15)
    sharp = lean(f.bands[2] + f.bands[3], 0.75, 0.15)
    lasting = lean(f.duration_s, 6.0, 3.0)
    tone = -lean(f.kurtosis, 2.4, 0.2)
    swelling = lean(math.log(f.swell), 1.0, 0.5)
    return {
        "person": 1.5 * knocks + 1.5 * rhythm + pause + enough + 0.5 * even - several + sharp,
        "group": several
        + 1.2 * lean(f.cadence, 0.3, 0.2)
        + sharp
        + stands_out
        + lean(f.kurtosis, 3.5, 0.4)
        + min(pause, 0.0)
        - max(knocks, 0.0)
        - max(even, 0.0),
        "animal": 1.2 * lean(f.half, 0.2, 0.2)
        + several
        + rhythm
        + sharp
        + lean(f.kurtosis, 3.5, 0.4)
        + 0.5 * even,
        "vehicle": 1.5 * smooth
        + rolling
        + stands_out
        + lasting
        - max(tone, 0.0)
        + 0.5 * swelling
        + min(0.0, stands_out),
        "digging": 1.5 * lean(math.log(max(f.kurtosis, 1.0)), math.log(9.0), 0.4)
        - 1.5 * rhythm
        - even
        + 1.5 * lean(f.duration_s, 10.0, 4.0)
        + sharp
        + lean(f.steps, 2.0, 1.5)
        - max(several, 0.0),
        "aircraft": 2.0 * tone + lasting + swelling + stands_out,
        "weather": smooth - 1.5 * lean(f.level, 3.5, 1.0) + 0.5 - lean(f.cadence, 0.4, 0.2),
        "machinery": 2.0 * tone - swelling + lean(f.duration_s, 20.0, 10.0),
        "unknown": 0.0,
    }


def shares(nats: Mapping[str, float]) -> dict[str, float]:
    """Softmax: shares that sum to 1, in the order of `CLASSES`."""
    top = max(nats.values())
    weights = [math.exp(nats[name] - top) for name in CLASSES]
    total = sum(weights)
    return {name: weight / total for name, weight in zip(CLASSES, weights, strict=True)}
