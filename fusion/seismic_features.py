"""What a window of ground motion looks like, and which class that speaks for.

Each class has a few terms of evidence in nats, each a saturating function of one feature, so
that a verdict can be read: "kurtosis 11, cadence 1.9 Hz, ..." (facts/seismic.md 3.1 and 3.2).
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

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


class Features(NamedTuple):
    """One window, and what is known of the event it belongs to."""

    level: float
    """rms over the quiet floor."""
    rms_um_s: float
    kurtosis: float
    """Of the band-passed velocity; 3 for noise, more for knocks, 1.5 for one tone."""
    impulse: float
    """The same within half seconds: 3 for noise that swells, 4 to 10 for steps."""
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
        rms_um_s=values[window.RMS],
        kurtosis=values[window.KURTOSIS],
        impulse=values[window.IMPULSE],
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
    knocks = lean(math.log(max(f.impulse, 1.0)), math.log(4.8), 0.3)
    some_knocks = lean(f.impulse, 3.45, 0.25)
    smooth = -lean(f.impulse, 3.3, 0.3)
    bursts = lean(math.log(max(f.kurtosis, 1.0)), math.log(14.0), 0.4)
    rhythm = lean(f.cadence, 0.5, 0.2)
    # Where traffic never stops it is the floor; but no wind shakes ground by 4 um/s.
    loud = max(lean(f.level, 6.5, 2.0), lean(f.rms_um_s, 4.0, 2.0))
    faint = 2.0 * max(-lean(f.level, 3.5, 1.0), 0.0)  # gusts can have a weak rhythm
    per_s = f.steps / max(min(window_s, f.duration_s), 1.0)
    several = lean(per_s / max(f.cadence_hz, 1.3), 1.4, 0.25)
    even = -lean(f.step_spread, 0.3, 0.15)
    pause = -lean(f.half, -0.05, 0.2)  # a walker's ground is still between two steps
    enough = lean(f.steps, 3.5, 1.0)
    rolling = lean(f.bands[1] + f.bands[2], 0.6, 0.15)
    sharp = lean(f.bands[2] + f.bands[3], 0.58, 0.15)
    tremor = 8.0 * max(lean(f.bands[0], 0.3, 0.15), 0.0)  # thunder, earthquakes, far traffic
    lasting = lean(f.duration_s, 8.0, 3.0)
    long = lean(f.duration_s, 9.0, 3.0)  # the first steps of a walk are bursts, too
    tone = -lean(f.impulse, 2.12, 0.12)
    swelling = lean(math.log(f.swell), 1.0, 0.5)
    # What everything on feet has in common; a tremor can have rhythm too, but is low.
    steps = rhythm + sharp + enough - 3.0 * max(-sharp, 0.0)
    return {
        "person": steps + 1.5 * knocks + pause + 0.5 * even - several - 3.0 * max(-rhythm, 0.0),
        "group": steps
        - faint
        - 3.0 * max(-lean(f.steps, 7.0, 2.0), 0.0)
        + some_knocks
        - max(knocks, 0.0)
        + several
        - even
        - abs(f.half + 0.1),
        "animal": steps - faint + some_knocks + several + 1.5 * lean(f.half, 0.2, 0.2) + 0.5 * even,
        "vehicle": 1.5 * smooth
        + rolling
        + 2.0 * loud
        + lasting
        + 0.5 * swelling
        - 3.0 * max(tone, 0.0)
        - tremor,
        "digging": 2.5 * bursts
        - faint
        + knocks
        + sharp
        - 1.5 * rhythm
        - even
        - 3.0 * max(-sharp, 0.0)
        + 2.5 * long
        - 4.0 * max(-long, 0.0)
        + lean(f.steps, 2.0, 1.5),
        "aircraft": 3.0 * tone + lasting + 2.0 * swelling + loud - tremor,
        "weather": smooth - 1.5 * loud - lean(f.cadence, 0.4, 0.2),
        "machinery": 3.0 * tone + loud - 2.0 * swelling + lean(f.duration_s, 12.0, 6.0) - tremor,
        "unknown": 0.0,
    }


def shares(nats: Mapping[str, float]) -> dict[str, float]:
    """Softmax: shares that sum to 1, in the order of `CLASSES`."""
    top = max(nats.values())
    weights = [math.exp(nats[name] - top) for name in CLASSES]
    total = sum(weights)
    return {name: weight / total for name, weight in zip(CLASSES, weights, strict=True)}
