"""One way in which a portal's clean spectra differ from its background, learned from themselves.

Vehicles shield a background more at some energies than at others, by an amount that differs from
one to the next. The direction in which standardised residuals of clean spectra vary most is
followed (Oja 1982, Journal of Mathematical Biology 15:267) and handed to the identification as one
more nuisance, beside the tilt that is assumed of any portal.
"""

import math

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.identify import smooth

Vector = NDArray[np.float64]

LEAST_COUNTS = 400.0  # of an expectation: fewer have no shape
LEAST_SEEN = 30  # spectra, before a mode is told
MEMORY = 400.0  # spectra: the mode follows slower changes of the traffic
CLIP_SIGMA = 4.0  # of one bin's residual: a source that went unseen must not teach its lines
REACH = 6  # bins to each side of the smoothing: a shadow is smooth, a line is not
LEAST_EXCESS = 0.5  # of chance's variance, that the mode must explain beyond it


class ShapeMode:
    """Running mode of one portal; deterministic in the order of what it is given."""

    def __init__(self) -> None:
        self._direction: Vector | None = None
        self._expected: Vector | None = None
        self._variance = 0.0
        self._chance = 0.0
        self._seen = 0

    def update(self, clean_counts: Vector, expected: Vector, ratio: float = 0.0) -> None:
        """Learn from counts (bins,) without a source, where (bins,) were expected.

        ratio  of their live time to that of the background behind the expectation, which has
               chance of its own

        What differs in level only teaches nothing: the amplitude of the background is free.
        """
        total = float(expected.sum())
        if total < LEAST_COUNTS or float(clean_counts.sum()) <= 0.0:
            return
        level = expected * (float(clean_counts.sum()) / total)
        root = np.sqrt(np.maximum(level, 1.0))
        residual = np.clip((clean_counts - level) / root, -CLIP_SIGMA, CLIP_SIGMA)
        # Only what a longer count would make grow: the share of the level, not the sigmas.
        residual = smooth(residual, REACH) / math.sqrt(total)
        unit = np.sqrt(np.maximum(expected, 0.0) / total)
        residual -= unit * _dot(unit, residual)
        if self._direction is None or len(self._direction) != len(residual):
            size = _size(residual)
            if size <= 0.0:
                return
            self._direction, self._variance, self._chance = residual / size, 0.0, 0.0
            self._seen = 0
        self._seen += 1
        rate = max(1.0 / self._seen, 1.0 / MEMORY)
        along = _dot(self._direction, residual)
        self._variance += rate * (along**2 - self._variance)
        chance = _chance(self._direction) * (1.0 + ratio) / total
        self._chance += rate * (chance - self._chance)
        # Oja's rule, the step by what has been seen; bounded, so that one vehicle turns it little.
        scale = max(self._variance, self._chance, 1e-12)
        step = min(rate * abs(along) / scale * _size(residual), 0.5)
        towards = residual * math.copysign(1.0, along)
        towards -= self._direction * _dot(self._direction, towards)
        size = _size(towards)
        if size > 0.0:
            turned = self._direction + towards * (step / size)
            self._direction = turned / _size(turned)
        self._expected = np.asarray(expected / total, dtype=np.float64)

    @property
    def mode(self) -> Vector | None:
        """(bins,) one standard deviation of it, per count of background; sums to about 0.

        None until enough was seen, and while it explains no more than chance would.
        """
        if self._seen < LEAST_SEEN or self._direction is None or self._expected is None:
            return None
        excess = self._variance - self._chance
        if excess < LEAST_EXCESS * self._chance:
            return None
        change = self._direction * np.sqrt(self._expected) * math.sqrt(excess)
        return np.asarray(change - self._expected * change.sum(), dtype=np.float64)


def _dot(one: Vector, other: Vector) -> float:
    """Not by the linear algebra library, whose last bits differ from processor to processor."""
    return float((one * other).sum())


def _size(values: Vector) -> float:
    return math.sqrt(_dot(values, values))


def _chance(direction: Vector) -> float:
    """Variance along a direction of smoothed residuals that are nothing but counting."""
    spread = smooth(direction, REACH)
    return _dot(spread, spread)
