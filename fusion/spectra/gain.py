"""Gain: how far a detector's energy scale has drifted, from lines that are always there."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fusion.spectra.policy import SpectraPolicy
from fusion.spectra.steady import steady
from fusion.spectra.widths import fwhm_kev
from fusion.types import DetectorSpec

LINES_KEV = (1460.8, 2614.5, 609.3)
"""Potassium first: it stands alone. Then thorium, and radium of rain (facts/radiation 5.3)."""
STEPS = 40  # places that are tried each side of the line
REACH = 4.0  # the filter ends so many standard deviations from its middle


def find_peak(
    counts: NDArray[np.float64],
    edges_kev: NDArray[np.float64],
    line_kev: float,
    fwhm: float,
    *,
    search: float,
) -> tuple[float, float]:
    """Energy of the peak nearest to a line's place, and its significance.

    counts     (channels,), edges_kev (channels + 1,)
    fwhm       of the peak in keV
    search     share of the energy that is searched on each side

    Second-difference filter: the convolution with the negative second derivative of a Gaussian,
    blind to a continuum that is straight (Mariscotti 1967, Nucl. Instrum. Meth. 50:309).
    """
    sd = fwhm / 2.3548
    reach_kev = max(search * line_kev, 2.0 * sd)
    low, high = np.searchsorted(edges_kev, line_kev + np.array([-1, 1]) * (reach_kev + REACH * sd))
    low, high = max(int(low) - 1, 0), min(int(high) + 1, len(counts))
    if high - low < 5 or edges_kev[high] < line_kev + sd:
        return line_kev, 0.0
    middle = 0.5 * (edges_kev[low:high] + edges_kev[low + 1 : high + 1])
    places = line_kev + np.linspace(-reach_kev, reach_kev, 2 * STEPS + 1)
    away = ((middle - places[:, None]) / sd) ** 2
    weights = np.where(away < REACH**2, (1.0 - away) * steady(np.exp(-0.5 * away)), 0.0)
    weights *= np.diff(edges_kev[low : high + 1])
    weights -= weights.mean(axis=1, keepdims=True)
    response = (weights * counts[low:high]).sum(axis=1)
    noise = np.sqrt(np.maximum((weights**2 * counts[low:high]).sum(axis=1), 1e-9))
    best = int(np.argmax(response / noise))
    if not 0 < best < len(places) - 1:
        return line_kev, 0.0
    left, top, right = response[best - 1 : best + 2]
    bend = left - 2.0 * top + right
    move = 0.5 * (left - right) / bend if bend < 0.0 else 0.0
    energy = places[best] + min(max(move, -1.0), 1.0) * (places[1] - places[0])
    return float(energy), float(response[best] / noise[best])


@lru_cache(maxsize=64)
def _fwhm_kev(detector: DetectorSpec, line_kev: float) -> float:
    return float(fwhm_kev(detector, np.array([line_kev]))[0])


class Seen(NamedTuple):
    """A line that shows."""

    factor: float
    """That brings it to its place."""
    error: float
    """Standard deviation of the factor."""


def measured_gain(
    counts: NDArray[np.float64],
    edges_kev: NDArray[np.float64],
    detector: DetectorSpec,
    policy: SpectraPolicy,
) -> Seen | None:
    """The first line that shows; None where none does."""
    for line_kev in LINES_KEV:
        fwhm = _fwhm_kev(detector, line_kev)
        found_kev, sigma = find_peak(counts, edges_kev, line_kev, fwhm, search=policy.gain_search)
        if sigma >= policy.gain_sigma:
            return Seen(line_kev / found_kev, fwhm / 2.3548 / sigma / line_kev)
    return None


class GainFollower:
    """The factor on one detector's energies; moves slowly and within limits."""

    def __init__(self, policy: SpectraPolicy) -> None:
        self._policy = policy
        self._looked = False
        self.factor = 1.0

    def follow(
        self, counts: NDArray[np.float64], edges_kev: NDArray[np.float64], detector: DetectorSpec
    ) -> bool:
        """Look at a background in the device's own calibration; whether the factor has moved."""
        policy = self._policy
        seen = measured_gain(counts, edges_kev * self.factor, detector, policy)
        if seen is None:
            return False
        # As far as the peak is clearer than the drift is large (Kalman 1960, J. Basic Eng. 82:35).
        # Nobody knows how far it had drifted before it was looked at first.
        drift, most = policy.gain_drift, policy.gain_step
        if not self._looked:
            drift, most = policy.gain_unknown, policy.gain_search
        self._looked = True
        belief = drift**2 / (drift**2 + seen.error**2)
        step = belief * (seen.factor - 1.0)
        if abs(step) < policy.gain_deadband:
            return False
        factor = self.factor * (1.0 + min(max(step, -most), most))
        limited = min(max(factor, 1.0 - policy.gain_limit), 1.0 + policy.gain_limit)
        moved = limited != self.factor
        self.factor = limited
        return moved
