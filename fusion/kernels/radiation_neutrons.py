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


class Terms(NamedTuple):
    """Logarithms of what does not go by an interval's mean."""

    of: Vector
    """(MOST_COUNTS + 1,) of the whole numbers; the first is not used."""
    stop: float
    """That a burst ends, and that it goes on."""
    on: float


@njit(cache=True, nogil=True)
def terms_of(stop: float, most: int) -> Terms:
    """For counts up to `most`; more are cut at `MOST_COUNTS`."""
    size = min(most, MOST_COUNTS) + 1
    of = np.zeros(size)
    for k in range(1, size):
        of[k] = math.log(k)
    return Terms(of, math.log(stop), math.log(1.0 - stop))


@njit(cache=True, nogil=True)
def interval_nats(
    count: float, mean: float, log_alone: float, log_burst: float, terms: Terms
) -> float:
    """Log-probability of an interval's count: Poisson, with a burst on top in a share of cases.

    log_alone, log_burst  of the shares of cases without one and with one
    terms                 for counts up to this one at least

    P(k) = (1 - e) Pois(k) + e G(k), where G convolves a geometric burst of at least one count
    with Pois, by G(k) = (1 - s) G(k - 1) + s Pois(k - 1).
    """
    most = int(min(count, float(MOST_COUNTS)))
    # Logarithms: a mean far from the count would underflow.
    poisson_log = -mean
    if most == 0:
        return float(poisson_log + log_alone)
    log_mean = math.log(mean)
    burst_log = poisson_log + terms.stop
    poisson_log += log_mean - terms.of[1]
    for k in range(2, most + 1):
        longer = burst_log + terms.on
        starts = poisson_log + terms.stop
        larger = max(longer, starts)
        burst_log = larger + math.log1p(math.exp(min(longer, starts) - larger))
        poisson_log += log_mean - terms.of[k]
    alone = poisson_log + log_alone
    burst = burst_log + log_burst
    larger = max(alone, burst)
    return float(larger + math.log1p(math.exp(min(alone, burst) - larger)))


@njit(cache=True, nogil=True)
def most_nats(count: float, share: float, terms: Terms) -> float:
    """No mean makes this count more probable, not even a burst at its likeliest.

    A little more than that, for the sums that it is compared with are rounded.
    """
    most = int(min(count, float(MOST_COUNTS)))
    poisson_log = -float(most)
    for k in range(1, most + 1):
        poisson_log += terms.of[most] - terms.of[k]
    return math.log((1.0 - share) * math.exp(poisson_log) + share) + 1e-6


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
    # Whatever is the same for all sources is taken once: thousands are tried.
    terms = terms_of(model.burst_stop, int(min(counts.max(), float(MOST_COUNTS))))
    log_alone = np.empty(intervals)
    log_burst = np.empty(intervals)
    for i in range(intervals):
        log_alone[i] = math.log(1.0 - model.burst_share[i])
        log_burst[i] = math.log(model.burst_share[i])
    most_left = np.zeros(intervals + 1)
    for i in range(intervals - 1, -1, -1):
        most_left[i] = most_left[i + 1] + most_nats(counts[i], model.burst_share[i], terms)
    for g in range(model.levels.shape[0]):
        level = model.levels[g]
        alone = model.level_nats[g]
        for i in range(intervals):
            mean = level * model.background[i]
            alone += interval_nats(counts[i], mean, log_alone[i], log_burst[i], terms)
        nothing = max(nothing, alone)
        for p in range(profiles.shape[0]):
            for a in range(amplitudes.shape[0]):
                nats = model.level_nats[g]
                for i in range(intervals):
                    if nats + most_left[i] < found:
                        nats = -np.inf  # whatever the others say, it will not be the best
                        break
                    mean = level * model.background[i] + amplitudes[a] * profiles[p, i]
                    nats += interval_nats(counts[i], mean, log_alone[i], log_burst[i], terms)
                if nats > found:
                    found = nats
                    best[0] = p
                    best[1] = amplitudes[a]
    return max(0.0, found - nothing)
