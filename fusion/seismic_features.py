"""What an event of ground motion looks like, as terms, and which class each of them speaks for.

Every term is a number without units of motion, so that a station of unknown sensitivity is judged
like any other (facts/seismic.md 3.1 and 3.2). A term that a station cannot know is NaN: a sensor
at 100 Hz hears no rain, and what is not heard speaks for nothing.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.kernels import seismic_spectrum as spectrum
from fusion.kernels import seismic_steps as steps
from fusion.kernels import seismic_window as window
from fusion.kernels.seismic_weigh import weigh
from fusion.seismic_fitted import KNOTS, NATS

Floats = NDArray[np.floating[Any]]

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
WINDOW_TERMS = (
    "kurtosis",
    "impulse",
    "roughness",
    "slope",
    "cadence",
    "cadence_hz",
    "half_beat",
    "double_beat",
    "step_rate",
    "step_spread",
    "step_heights",
    "step_depth",
    "step_width",
    "chain",
    "chain_nats",
    "chain_hz",
    "chain_depth",
    "chain_heights",
    "chain_age",
    "stillness",
    "level",
    "band_1_5",
    "band_5_12",
    "band_12_25",
    "band_25_45",
    "band_45_90",
    "beats",
    "chain_share",
    "chain_jitter",
    "chain_loads",
    "chain_limp",
    "chain_valley",
    "beat",
    "beat_hz",
)
SPECTRUM_TERMS = (
    "tone",
    "tone_hz",
    "lines",
    "line_count",
    "comb",
    "centroid",
    "bandwidth",
    "flatness",
    "above_60_hz",
    "excess",
)
COURSE_TERMS = (
    "duration",
    "swell",
    "bell",
    "swing",
    "active",
    "attack",
    "rest",
    "since_peak",
    "crest",
    "best_chain",
    "mean_impulse",
    "mean_cadence",
    "mean_chain",
    "drift",
    "steady_tone",
    "mean_step_rate",
    "mean_jitter",
    "mean_loads",
    "steady_pace",
    "mean_beat",
)
TERMS = WINDOW_TERMS + SPECTRUM_TERMS + COURSE_TERMS
NOT_KNOWN = math.nan

COUNTED = 9  # more walkers than that nobody counts by their steps
RHYTHMIC = 0.25  # a weaker cadence has no frequency worth telling
BEATING = 0.3  # of noise one window in ten has so much
TONAL = 0.1
LEAST_JITTER, LEAST_LOADS = 0.004, 0.02  # what is more even than that, noise made so
BAND_TOPS_HZ = (0.0, 0.0, 15.0, 30.0, 80.0)
"""What the rate must carry for a band to say something."""


def ln(value: float) -> float:
    """Natural logarithm of what may be nought."""
    return math.log(max(value, 1e-12))


def window_terms(
    of: Sequence[float], window_s: float, level: float, bands: Sequence[float], top_hz: float
) -> list[float]:
    """Of the kernel's rows: `seismic_window.describe` and `bands`, in the order of WINDOW_TERMS."""
    blows = of[window.STEPS_0 :]
    chained = blows[steps.CHAIN] >= 3.0
    total = sum(bands[:4]) + 1e-30
    share = [band / total for band in bands]
    return [
        ln(of[window.KURTOSIS]),
        ln(of[window.IMPULSE]),
        of[window.ROUGHNESS],
        of[window.SLOPE],
        of[window.CADENCE],
        ln(of[window.CADENCE_HZ]) if of[window.CADENCE] > RHYTHMIC else NOT_KNOWN,
        of[window.HALF],
        of[window.DOUBLE],
        blows[steps.RATE],
        blows[steps.SPREAD] if blows[steps.SPREAD] > 0.0 else NOT_KNOWN,
        blows[steps.HEIGHTS] if blows[steps.HEIGHTS] > 0.0 else NOT_KNOWN,
        blows[steps.DEPTH],
        ln(blows[steps.WIDTH_S]) if blows[steps.RATE] > 0.0 else NOT_KNOWN,
        blows[steps.CHAIN],
        blows[steps.CHAIN_NATS],
        ln(blows[steps.CHAIN_HZ]) if chained else NOT_KNOWN,
        blows[steps.CHAIN_DEPTH],
        blows[steps.CHAIN_HEIGHTS] if chained else NOT_KNOWN,
        blows[steps.CHAIN_AGE_S],
        of[window.QUIET],
        ln(level),
        share[0],
        share[1],
        share[2] if top_hz > BAND_TOPS_HZ[2] else NOT_KNOWN,
        share[3] if top_hz > BAND_TOPS_HZ[3] else NOT_KNOWN,
        ln(share[4] + 1e-4) if top_hz >= BAND_TOPS_HZ[4] else NOT_KNOWN,
        *_gait(of, window_s),
        *evenness(blows),
        of[window.BEAT],
        ln(of[window.BEAT_HZ]) if of[window.BEAT] > BEATING else NOT_KNOWN,
    ]


def evenness(blows: Sequence[float]) -> tuple[float, float, float, float]:
    """How even the steps of the chain are, as `steps.describe` has it; not known of a few."""
    chain = blows[steps.CHAIN]
    return (
        math.log(blows[steps.CHAIN_JITTER] + LEAST_JITTER) if chain >= 4.0 else NOT_KNOWN,
        math.log(blows[steps.CHAIN_LOADS] + LEAST_LOADS) if chain >= 4.0 else NOT_KNOWN,
        blows[steps.CHAIN_LIMP] if chain >= 4.0 else NOT_KNOWN,
        blows[steps.CHAIN_VALLEY] if chain >= 3.0 else NOT_KNOWN,
    )


def _gait(of: Sequence[float], window_s: float) -> tuple[float, float]:
    """Blows to a repetition of the rhythm, and how many of the blows are in the chain.

    A walker has one and all; several walkers and four legs have more, and fewer.
    """
    rate, chain = of[window.STEPS_0 + steps.RATE], of[window.STEPS_0 + steps.CHAIN]
    rhythmic = of[window.CADENCE] > RHYTHMIC and rate > 0.0
    beats = ln(rate / of[window.CADENCE_HZ]) if rhythmic else NOT_KNOWN
    return beats, chain / max(rate * window_s, 1.0)


def spectrum_terms(of: Sequence[float] | None) -> list[float]:
    """Of `seismic_spectrum.lines`, in the order of SPECTRUM_TERMS; None: not looked at yet."""
    if of is None:
        return [NOT_KNOWN] * len(SPECTRUM_TERMS)
    return [
        of[spectrum.TONE],
        ln(of[spectrum.TONE_HZ]) if of[spectrum.TONE] > TONAL else NOT_KNOWN,
        of[spectrum.LINES],
        of[spectrum.LINE_COUNT],
        of[spectrum.COMB],
        ln(of[spectrum.CENTROID_HZ]) if of[spectrum.CENTROID_HZ] > 0.0 else NOT_KNOWN,
        of[spectrum.BANDWIDTH],
        of[spectrum.FLATNESS],
        of[spectrum.HIGH] if of[spectrum.HIGH] >= 0.0 else NOT_KNOWN,
        of[spectrum.EXCESS],
    ]


def nats_of(values: Sequence[float], out: Floats) -> None:
    """What each term speaks for, (terms, classes), by the fitted table."""
    weigh(np.array(values), KNOTS, NATS, out)
