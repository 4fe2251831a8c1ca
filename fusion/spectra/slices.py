"""The spectra of one vehicle or event in order, bounded in number and size."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.spectra import add_channels
from fusion.spectra.policy import SpectraPolicy
from fusion.types import MILLISECOND_NS, SpectrumSample


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """All detectors over one interval, with what the score test made of it."""

    start_utc_ns: int
    end_utc_ns: int
    counts: NDArray[np.uint32]
    """(detectors, channels)"""
    live_s: NDArray[np.float64]
    """(detectors,)"""
    neutrons: int | None
    over_range: bool
    scores: NDArray[np.float32]
    """(templates,) 0 where there was no background to compare with."""
    variance: float
    """Of each score, where nothing is there."""

    @property
    def real_s(self) -> float:
        """Length."""
        return (self.end_utc_ns - self.start_utc_ns) / 1e9


def slice_of(sample: SpectrumSample, *, over_range: bool) -> Slice:
    """A sample that was not tested yet."""
    return Slice(
        start_utc_ns=sample.start_utc_ns,
        end_utc_ns=sample.start_utc_ns + max(1, sample.duration_ms) * MILLISECOND_NS,
        counts=sample.counts,
        live_s=np.array(sample.live_s, np.float64),
        neutrons=sample.neutron_counts,
        over_range=over_range,
        scores=np.zeros(0, np.float32),
        variance=0.0,
    )


def is_over_range(sample: SpectrumSample, policy: SpectraPolicy) -> bool:
    """Whether a detector is dead for too long, or counts more than it can."""
    real_s = sample.duration_ms / 1000
    if real_s <= 0.0:
        return False
    least_s = (1.0 - policy.dead_time) * real_s
    # A detector that is switched off has neither live time nor counts.
    counts = detector_sums(sample.counts)[0]
    if max(counts, default=0) >= policy.over_range_cps * real_s:
        return True
    if min(sample.live_s, default=least_s) >= least_s:
        return False
    return any(
        live_s < least_s and count > 0 for live_s, count in zip(sample.live_s, counts, strict=True)
    )


def detector_sums(counts: NDArray[np.uint32]) -> tuple[list[int], list[int]]:
    """Counts of each detector: of all channels, and of all but the first and the last.

    counts  (detectors, channels)
    """
    sums = np.empty((2, len(counts)), np.int64)
    add_channels(counts, sums)
    whole, inner = sums.tolist()
    return whole, inner


def merged(one: Slice, other: Slice) -> Slice:
    """Two slices as one; scores are linear in the counts."""
    scored = one.scores if len(one.scores) else other.scores
    if len(one.scores) and len(other.scores):
        scored = one.scores + other.scores
    neutrons = None
    if one.neutrons is not None or other.neutrons is not None:
        neutrons = (one.neutrons or 0) + (other.neutrons or 0)
    return Slice(
        start_utc_ns=one.start_utc_ns,
        end_utc_ns=other.end_utc_ns,
        counts=one.counts + other.counts,
        live_s=one.live_s + other.live_s,
        neutrons=neutrons,
        over_range=one.over_range or other.over_range,
        scores=scored,
        variance=one.variance + other.variance,
    )


def added(slices: Iterable[Slice]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Counts (detectors, channels) of all of them, and live times (detectors,).

    One after the other: `np.sum` of a list copies all of them into one array first.
    """
    each = iter(slices)
    first = next(each)
    counts, live_s = first.counts.astype(np.float64), first.live_s.copy()
    for one in each:
        counts += one.counts
        live_s += one.live_s
    return counts, live_s


def halved(slices: list[Slice]) -> list[Slice]:
    """Each two as one."""
    # Not the last when they are odd: it is the next one's partner.
    paired = len(slices) // 2 * 2
    return [merged(*slices[i : i + 2]) for i in range(0, paired, 2)] + slices[paired:]


def most_slices(policy: SpectraPolicy, one: Slice, share: float = 1.0) -> int:
    """How many like this one may be kept within a share of the bytes."""
    return min(policy.kept_slices, int(policy.kept_bytes * share) // max(one.counts.nbytes, 1))


class Slices:
    """Slices in order; where they grow too many, each two become one."""

    def __init__(self, policy: SpectraPolicy, first: Sequence[Slice] = ()) -> None:
        self._policy = policy
        self._slices: list[Slice] = []
        for one in first:
            self.add(one)

    def __len__(self) -> int:
        return len(self._slices)

    def __iter__(self) -> Iterator[Slice]:
        return iter(self._slices)

    def __getitem__(self, index: int) -> Slice:
        return self._slices[index]

    def add(self, one: Slice) -> None:
        """The next slice."""
        self._slices.append(one)
        if len(self._slices) > most_slices(self._policy, one):
            self._slices = halved(self._slices)

    def part(self, first: int, stop: int) -> list[Slice]:
        """Some of them."""
        return self._slices[first:stop]
