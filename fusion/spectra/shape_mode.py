"""One way in which a portal's clean spectra differ from its background, learned from themselves.

Vehicles shield a background more at some energies than at others, by an amount that differs from
one to the next. The direction in which standardised residuals of clean spectra vary most is
followed (Oja 1982, Journal of Mathematical Biology 15:267) and handed to the identification as one
more nuisance, beside the tilt that is assumed of any portal.
"""

import math

import numpy as np
from numpy.typing import NDArray

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

    def update(self, clean_counts: Vector, expected: Vector) -> None:
        """Learn from counts (bins,) without a source, where (bins,) were expected.

        What differs in level only teaches nothing: the amplitude of the background is free.
        """
        total = float(expected.sum())
        if total < LEAST_COUNTS or float(clean_counts.sum()) <= 0.0:
            return
        level = expected * (float(clean_counts.sum()) / total)
        root = np.sqrt(np.maximum(level, 1.0))
        residual = np.clip((clean_counts - level) / root, -CLIP_SIGMA, CLIP_SIGMA)
        # Only what a longer count would make grow: the share of the level, not the sigmas.
        residual = _smooth(residual) / math.sqrt(total)
        unit = np.sqrt(np.maximum(expected, 0.0) / total)
        residual -= unit * float(unit @ residual)
        if self._direction is None or len(self._direction) != len(residual):
            size = float(np.linalg.norm(residual))
            if size <= 0.0:
                return
            self._direction, self._variance, self._chance = residual / size, 0.0, 0.0
            self._seen = 0
        self._seen += 1
        rate = max(1.0 / self._seen, 1.0 / MEMORY)
        along = float(self._direction @ residual)
        self._variance += rate * (along**2 - self._variance)
        self._chance += rate * (_chance(self._direction) / total - self._chance)
        # Oja's rule, the step by what has been seen; bounded, so that one vehicle turns it little.
        scale = max(self._variance, self._chance, 1e-12)
        step = min(rate * abs(along) / scale * float(np.linalg.norm(residual)), 0.5)
        towards = residual * math.copysign(1.0, along)
        towards -= self._direction * float(self._direction @ towards)
        size = float(np.linalg.norm(towards))
        if size > 0.0:
            turned = self._direction + towards * (step / size)
            self._direction = turned / float(np.linalg.norm(turned))
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


def _smooth(values: Vector) -> Vector:
    number = np.convolve(np.ones(len(values)), np.ones(2 * REACH + 1), mode="same")
    return np.asarray(np.convolve(values, np.ones(2 * REACH + 1), mode="same") / number)


def _chance(direction: Vector) -> float:
    """Variance along a direction of smoothed residuals that are nothing but counting."""
    return float((_smooth(direction) ** 2).sum())
