"""What no test of the standard's neutron source can exceed, whatever it knows.

By Neyman and Pearson no test finds more at a given false-alarm probability than the likelihood
ratio itself: of a source of known strength somewhere along the truck, over a background that is
known exactly, with the vehicle's way known and no bursts at all.
"""

import numpy as np
from numpy.typing import NDArray

PASSES = 50_000
SPEED_M_S, DISTANCE_M = 2.2, 2.5
SECONDS = 11  # from a second before the front to the hold-in's end: 18 m and 3 s
PARTS = 5  # of a second, over which the profile is averaged
PLACES_M = (2.0, 16.0)  # where a source is put
TRIED = 57  # places that the ratio is averaged over, 0.25 m apart
Array = NDArray[np.float64]


def neutron_bound(
    seed: int, peak_cps: float, background_cps: tuple[float, float], false_alarms: float
) -> float:
    """The greatest share of passes with a source that can be told from those without.

    peak_cps        of the source right beside the portal
    background_cps  least and most; each portal has its own
    false_alarms    probability for a pass without a source

    The share beyond a ratio r is counted on passes with a source; without one it is the mean of
    1 / ratio over the same passes, as ratio = p(counts | source) / p(counts | none).
    """
    random = np.random.default_rng((seed, 8))
    background = random.uniform(*background_cps, PASSES)
    places = random.uniform(*PLACES_M, PASSES)
    mean = background[:, None] + peak_cps * _profile(places)
    counts = random.poisson(mean).astype(np.float64)
    ratio = np.zeros(PASSES)
    for profile in _profile(np.linspace(*PLACES_M, TRIED)):
        relative = np.log1p(peak_cps * profile / background[:, None])
        ratio += np.exp((counts * relative).sum(axis=1) - peak_cps * profile.sum()) / TRIED
    ranked = np.sort(ratio)[::-1]
    without = np.cumsum(1.0 / ranked) / PASSES
    return float(np.searchsorted(without, false_alarms) / PASSES)


def _profile(places_m: Array) -> Array:
    """(places, seconds) of a point (facts/radiation 5.1)."""
    since_s = np.arange(SECONDS)[:, None] - 1.0 + (np.arange(PARTS) + 0.5) / PARTS
    away_m = SPEED_M_S * since_s - places_m[:, None, None]
    return np.asarray(((DISTANCE_M**2 / (DISTANCE_M**2 + away_m**2)) ** 1.5).mean(axis=2))
