"""How strongly a ground sensor heard steps, slot by slot, for the way of who went past it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SLOT_NS = 1_600_000_000  # two or three steps of a walker
KEPT_SLOTS = 120  # three minutes: a creeper's 100 m


@dataclass(frozen=True, slots=True, eq=False)
class StepCurve:
    """Natural logarithms of mean squares, one of each for each slot."""

    first: int
    """Number of the first slot; slot n begins n * SLOT_NS after 1970."""
    steps: NDArray[np.float64]
    """(slots,) of what stands out of its neighbourhood."""
    rest: NDArray[np.float64]
    """(slots,) of what lies between; not a number where nothing is known."""

    @property
    def end(self) -> int:
        """The number after that of the last slot."""
        return self.first + len(self.steps)

    def then(self, later: "StepCurve") -> "StepCurve":
        """The same with what is known since; where both know, the later word counts."""
        first = max(min(self.first, later.first), later.end - KEPT_SLOTS)
        steps, rest = np.full((2, later.end - first), np.nan)
        for one in (self, later):
            begin, end = max(one.first, first), min(one.end, later.end)
            if begin >= end:  # a clock that was set back by minutes: nothing of it is later's time
                continue
            there = slice(begin - one.first, end - one.first)
            known = np.flatnonzero(~np.isnan(one.rest[there]))
            steps[begin - first + known] = one.steps[there][known]
            rest[begin - first + known] = one.rest[there][known]
        return StepCurve(first, steps, rest)

    def part(self, first: int, end: int) -> "StepCurve":
        """These slots of it; unknown ones where it has none."""
        empty = np.zeros(0)
        return self.then(StepCurve(end, empty, empty))._from(first)

    def _from(self, first: int) -> "StepCurve":
        ahead = np.full(max(self.first - first, 0), np.nan)
        skip = max(first - self.first, 0)
        return StepCurve(
            first,
            np.concatenate([ahead, self.steps[skip:]]),
            np.concatenate([ahead, self.rest[skip:]]),
        )
