"""Neutrons of one pass: a source that goes by, told from the bursts of metal cargo.

Cosmic rays make neutrons in metal in bursts within a millisecond, the ship effect: not Poisson in
bins of 0.1 to 1 s (facts/radiation 3.1). A source raises its neighbourhood as well, as the
profile at the vehicle's speed says. Both are in the likelihood, on the device's own time scale.
"""

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.radiation_neutrons import NeutronModel, neutron_search
from fusion.radiation_policy import RadiationPolicy

MIN_NEUTRON_CPS = 1.0  # a portal sees 1 to 5 (facts/radiation 5.1)
MAX_INTERVALS = 120  # a vehicle that stays is judged by its last two minutes
WINDOW_S = 3.0  # holds the whole of a point's profile at 2.2 m/s (facts/radiation 3.1, 8)
PLACE_STEP_M = 1.0
BESIDE_M = np.array([-0.7, 0.0, 0.7])  # about the gammas' place, known to some 0.3 m
PARTS = 5  # of an interval, over which the profile is averaged
AMPLITUDES = 2.0 ** (-0.5 * np.arange(9))  # of the strongest interval: down to a sixteenth
LEVELS = np.array([0.7, 0.85, 1.0, 1.15, 1.3])


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """One report of the neutron counters."""

    end_utc_ns: int
    seconds: float
    counts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A point source that the gammas of the pass show."""

    position_m: float
    nats: float
    net_cps: float = math.inf
    """Peak rate of its gammas; where it is not known they may be any source's."""
    load_nats: float = 0.0
    """Of the best extended load in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeutronTest:
    """What the neutrons of a pass say."""

    sigma: float
    """Of a source that went by, by neutrons alone; negative where counts are missing."""
    counts: int
    expected: float
    """In the best window."""
    position_m: float
    bursts: int
    """Intervals too full for their neighbours: the ship effect."""
    beside_sigma: float = 0.0
    """By neutrons alone at the one place where the gammas show a point; 0 without one."""
    joint_sigma: float = 0.0
    """Of one source at that place in gammas and neutrons together."""
    like_fission: bool = False
    """Whether those gammas are as few as come with that many neutrons, and no load's."""

    def is_significant(self, policy: RadiationPolicy) -> bool:
        """Whether there is a neutron source: by neutrons alone, or a gamma source that shows
        neutrons at its own place, where a search of all places need not be allowed for.

        Patients and minerals are gamma sources too, and some happen to go by with a few neutrons
        more: their gammas are a hundred times as many as those of a neutron source.
        """
        line = policy.neutron_fission_sigma if self.like_fission else policy.neutron_beside_sigma
        told_twice = self.beside_sigma >= line and self.joint_sigma >= policy.neutron_joint_sigma
        return told_twice or self.sigma >= policy.neutron_sigma


@dataclass(slots=True, kw_only=True)
class Neutrons:
    """The intervals of one pass, in order."""

    background_cps: float | None
    background_s: float
    intervals: deque[Interval] = field(default_factory=lambda: deque(maxlen=MAX_INTERVALS))
    excess: float = 0.0
    """Standard deviations of the last window over the background: a cheap first look."""

    def add(self, interval: Interval) -> None:
        """One report."""
        self.intervals.append(interval)
        counts, seconds = 0, 0.0
        for one in reversed(self.intervals):
            if seconds + one.seconds > WINDOW_S + 0.01 and seconds > 0.0:
                break
            counts += one.counts
            seconds += one.seconds
        expected = self._rate_cps() * seconds
        self.excess = (counts - expected) / math.sqrt(expected)

    def parts_utc_ns(self) -> NDArray[np.int64]:
        """(intervals, parts) times in the middle of each part of each interval."""
        ends = np.array([one.end_utc_ns for one in self.intervals], np.int64)
        lengths = np.array([one.seconds for one in self.intervals])
        back = (np.arange(PARTS)[::-1] + 0.5) / PARTS
        return np.asarray(ends[:, None] - np.rint(lengths[:, None] * back * 1e9).astype(np.int64))

    def test(
        self,
        passed_m: NDArray[np.float64],
        distance_m: float,
        policy: RadiationPolicy,
        beside: Beside | None = None,
    ) -> NeutronTest:
        """The best source, and what there is at the gammas' place; `passed_m` belongs to
        `parts_utc_ns`."""
        seconds = np.array([one.seconds for one in self.intervals])
        counts = np.array([one.counts for one in self.intervals], np.float64)
        background = self._rate_cps() * seconds
        if self.background_cps is None or not len(counts):
            # What is not known is not zero: without a background there is no excess over it.
            return NeutronTest(
                sigma=0.0,
                counts=int(counts.sum()),
                expected=float(background.sum()),
                position_m=0.0,
                bursts=0,
            )
        model = self._model(background, seconds, policy)
        places_m = np.arange(float(passed_m.min()) - 1.0, float(passed_m.max()) + 1.0, PLACE_STEP_M)
        places_m = places_m[:: max(1, len(places_m) // 60)]  # a long convoy's grid is coarser
        profiles = _profiles(passed_m, places_m, distance_m, seconds)
        amplitudes = np.asarray(max(float((counts / seconds).max()), 1.0) * AMPLITUDES, np.float64)
        best = np.zeros(2)
        nats = neutron_search(counts, model, profiles, amplitudes, best)
        place = int(best[0])
        sigma = math.sqrt(2.0 * nats) if nats > 0.0 else min(0.0, self._missing(counts))
        source = best[1] * profiles[place]
        expected = background + source if sigma >= policy.neutron_sigma else background
        near = profiles[place] >= 0.3 * profiles[place].max()
        beside_nats, like_fission = 0.0, False
        if beside is not None:
            near_m = beside.position_m + BESIDE_M
            there = _profiles(passed_m, near_m, distance_m, seconds)
            beside_nats = neutron_search(counts, model, there, amplitudes, best)
            like_fission = _like_fission(beside, float(best[1]), policy)
        return NeutronTest(
            sigma=sigma,
            counts=int(counts[near].sum()),
            expected=float(background[near].sum()),
            position_m=float(places_m[place]),
            bursts=int((counts > expected + 5.0 * np.sqrt(expected) + 2.0).sum()),
            beside_sigma=math.sqrt(2.0 * beside_nats),
            joint_sigma=math.sqrt(2.0 * (beside_nats + beside.nats)) if beside else 0.0,
            like_fission=like_fission,
        )

    def _model(
        self,
        background: NDArray[np.float64],
        seconds: NDArray[np.float64],
        policy: RadiationPolicy,
    ) -> NeutronModel:
        known = 1.0 / max(self._rate_cps() * self.background_s, 1.0)
        level_var = policy.neutron_level_sd**2 + known
        return NeutronModel(
            background,
            LEVELS,
            -0.5 * (LEVELS - 1.0) ** 2 / level_var,
            # Not NumPy's own function, whose last bits go by the processor.
            np.array([-math.expm1(-policy.neutron_bursts_per_s * one) for one in seconds]),
            policy.neutron_burst_stop,
        )

    def _missing(self, counts: NDArray[np.float64]) -> float:
        expected = self._rate_cps() * sum(one.seconds for one in self.intervals)
        return float(counts.sum() - expected) / math.sqrt(expected)

    def _rate_cps(self) -> float:
        # Reports are in whole counts, so a panel's few tenths may read 0.
        return max(self.background_cps or 0.0, MIN_NEUTRON_CPS)


def _like_fission(beside: Beside, neutron_cps: float, policy: RadiationPolicy) -> bool:
    """Whether the gammas of a place can be those of the neutron source that is there."""
    few = beside.net_cps <= policy.fission_gammas_per_neutron * neutron_cps
    return few and beside.load_nats - beside.nats <= policy.fission_shape_nats


def _profiles(
    passed_m: NDArray[np.float64],
    places_m: NDArray[np.float64],
    distance_m: float,
    seconds: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(places, intervals) counts of a source of one count per second at its peak."""
    away = passed_m[None, :, :] - places_m[:, None, None]
    share = distance_m**2 / (distance_m**2 + away**2)
    return np.asarray((share * np.sqrt(share)).mean(axis=2) * seconds, np.float64)
