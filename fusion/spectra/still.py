"""Whether a series of slices was one steady measurement: a dwell that was cut into slices."""

import math

import numpy as np

from fusion.spectra.slices import Slice, merged

STEADY = 0.05  # relative standard deviation beyond that of counts: nothing moved
FEWEST = 8
LONGEST_S = 3600.0
CHUNKS = 12  # means of so many parts are compared: a slow rise is no chance either


class Dwell:
    """Adds up the quiet slices of a series. Bounded."""

    def __init__(self) -> None:
        self.whole: Slice | None = None
        self._rates: list[tuple[float, float]] = []
        """(counts, live seconds) of parts, halved in number when they are many."""

    def add(self, one: Slice) -> None:
        """The next slice; nobody dwells for longer than an hour."""
        if self.whole is not None and self.whole.real_s > LONGEST_S:
            return
        self.whole = one if self.whole is None else merged(self.whole, one)
        self._rates.append((float(one.counts.sum()), float(one.live_s.sum())))
        if len(self._rates) >= 2 * CHUNKS * FEWEST:
            pairs = zip(self._rates[::2], self._rates[1::2], strict=False)
            self._rates = [(a + c, b + d) for (a, b), (c, d) in pairs]

    @property
    def is_steady(self) -> bool:
        """Whether nothing but chance has changed the rate."""
        if len(self._rates) < FEWEST:
            return False
        counts = np.array([counts for counts, _ in self._rates])
        live_s = np.array([seconds for _, seconds in self._rates])
        if counts.sum() <= 0.0 or live_s.min() <= 0.0:
            return False
        expected = live_s * (counts.sum() / live_s.sum())
        extra = float(((counts - expected) ** 2 - expected).mean())
        return math.sqrt(max(extra, 0.0)) < STEADY * float(expected.mean())
