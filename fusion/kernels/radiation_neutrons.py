"""A moving neutron source in counts that also hold bursts. Callers check arguments."""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from fusion.kernels.radiation import Matrix, Vector

MOST_COUNTS = 400  # of one interval: beyond, a burst is as unlikely as anything


class NeutronModel(NamedTuple):
    """What neutron counts are made of, beside a source."""

    background: Vector
    """(intervals,) expected counts, > 0."""
    levels: Vector
    """(levels,) factors of the background that a load may cause."""
    level_nats: Vector
    """(levels,) log of each one's prior, 0 for the likeliest."""
    burst_share: Vector
    """(intervals,) probability of a burst within each."""
    burst_stop: float
    """A burst's counts are geometric with this probability of ending."""


@njit(cache=True, nogil=True)
def interval_nats(count: float, mean: float, share: float, stop: float) -> float:
    """Log-probability of an interval's count: Poisson, with a burst on top in `share` of cases.

    P(k) = (1 - e) Pois(k) + e G(k), where G convolves a geometric burst of at least one count
    with Pois, by G(k) = (1 - s) G(k - 1) + s Pois(k - 1).
    """
    most = int(min(count, float(MOST_COUNTS)))
    # Logarithms: a mean far from the count would underflow.
    poisson_log = -mean
    burst_log = -np.inf
    log_mean = math.log(mean)
    log_stop = math.log(stop)
    log_on = math.log(1.0 - stop)
    for k in range(1, most + 1):
        longer = burst_log + log_on
        starts = poisson_log + log_stop
        larger = max(longer, starts)
        burst_log = larger + math.log1p(math.exp(min(longer, starts) - larger))
        poisson_log += log_mean - math.log(k)
    alone = poisson_log + math.log(1.0 - share)
    burst = burst_log + math.log(share)
    larger = max(alone, burst)
    return larger + math.log1p(math.exp(min(alone, burst) - larger))


@njit(cache=True, nogil=True)
def neutron_search(
    counts: Vector, model: NeutronModel, profiles: Matrix, amplitudes: Vector, best: Vector
) -> float:
    """Log-likelihood ratio of the best source over none.

    counts      (intervals,)
    profiles    (places, intervals) counts per unit of amplitude
    amplitudes  (amplitudes,) that are tried, > 0
    best        (2,) overwritten by the place's number and the amplitude
    returns     nats, >= 0
    """
    intervals = counts.shape[0]
    nothing = -np.inf
    found = -np.inf
    best[:] = 0.0
    stop = model.burst_stop
    for g in range(model.levels.shape[0]):
        level = model.levels[g]
        alone = model.level_nats[g]
        for i in range(intervals):
            mean = level * model.background[i]
            alone += interval_nats(counts[i], mean, model.burst_share[i], stop)
        nothing = max(nothing, alone)
        for p in range(profiles.shape[0]):
            for a in range(amplitudes.shape[0]):
                nats = model.level_nats[g]
                for i in range(intervals):
                    mean = level * model.background[i] + amplitudes[a] * profiles[p, i]
                    nats += interval_nats(counts[i], mean, model.burst_share[i], stop)
                if nats > found:
                    found = nats
                    best[0] = p
                    best[1] = amplitudes[a]
    return max(0.0, found - nothing)
