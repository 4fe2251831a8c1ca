"""Peaks that no explanation has: what they say is that the source is in no list.

A germanium detector's lines are too many to try each as a nuclide of its own, and a source of
several unlisted lines is none of one line. So what the best explanation leaves is searched for
peaks of the width that is known.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.identify import Spectrum, smooth
from fusion.kernels.identify_rounds import MODELLED
from fusion.spectra.fits import Case, Fitted
from fusion.spectra.nuisance import Bins
from fusion.spectra.sharp import is_sharp
from fusion.spectra.steady import steady
from fusion.spectra.verdict import UNKNOWN, Hypothesis, IdentifyPolicy
from fusion.spectra.widths import fwhm_kev

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

LAWFUL = frozenset(("medical", "norm"))
LAWFUL_SIGMA = 3.5
"""A patient or a load with so high a peak beside it is as likely something else. Real ones at a
thousand counts came to 3.0 at most in 150 spectra; Sb-125 taken for iodine has 4.7 at 400."""
LINE_SIGMA = 6.0  # of a sharp peak: of 2,500 bins chance makes one such in 400,000 spectra
UNMEASURED_SIGMA = 12.0  # where no background was measured: a model of nature misses some lines
REACH = 2  # bins to each side: a whole sharp peak, its neighbours not yet
NEAR = 4  # bins: tails of a strong peak that was explained
MOVED = 0.012  # of its energy: so far the background's peaks may lie from where they were measured
EXPLAINED_ERROR = 0.5  # of a peak that is explained: what is left of it is no other
CONTINUUM_ERROR = 0.03  # of what is under the peaks: it is told by its surroundings
CONTINUUM_SHARE = 0.2  # its own variance, of the counts under a peak: from five times as many bins
LEAST_SHARE = 0.15  # of all peaks that are explained: any real source has faint lines unmodelled
MOST_PEAKS = 8
FAINTEST = 1e-3  # of a peak's height: further out it is nothing


class Beyond:
    """Searches what explanations leave, on the bins of one detector."""

    def __init__(self, bins: Bins, policy: IdentifyPolicy) -> None:
        self._policy = policy
        self._sharp = is_sharp(bins.detector)
        middle_kev = bins.middle_kev
        self._first = np.searchsorted(middle_kev, middle_kev * (1.0 - MOVED))
        self._stop = np.searchsorted(middle_kev, middle_kev * (1.0 + MOVED), side="right")
        self._filters = np.empty((0, 0)) if self._sharp else _filters(bins)
        self._squares = self._filters * self._filters

    def told(self, case: Case, quiet: Fitted, told: list[Hypothesis]) -> list[Hypothesis]:
        """The best explanation and with it what it leaves; none where nothing is left.

        quiet  the fit of what is there without a source
        """
        best = max(told, key=lambda one: one.nats)
        seen = best.nats - quiet.nats > 0.5 * self._policy.alarm_sigma**2
        if self._sharp:
            nothing = replace(
                best, nuclides=(), categories=(), nats=quiet.nats, net_counts=0.0, mean=quiet.mean
            )
            return self._with_peaks(case, best if seen else nothing, quiet)
        if not seen or best.mean is None or best.category not in LAWFUL or case.modelled > MODELLED:
            return []  # where errors of templates weigh so much, the misfit as a whole tells
        sigma = self._highest(case.spectrum, best.mean)
        if sigma <= LAWFUL_SIGMA - 0.5:
            return []
        nats = best.nats + 0.5 * (sigma**2 - LAWFUL_SIGMA**2)
        return [replace(best, nuclides=(UNKNOWN,), categories=(UNKNOWN,), nats=nats)]

    def _with_peaks(self, case: Case, base: Hypothesis, quiet: Fitted) -> list[Hypothesis]:
        if base.mean is None:
            return []
        spectrum, under = case.spectrum, case.scene.parts.shapes[0]
        measured = case.scene.background is not None
        known = np.maximum(quiet.mean - under, 0.0)
        if case.scene.background is not None:
            # As measured: a fit to peaks that have moved finds little of them.
            known = case.scene.parts.shapes[case.scene.background]
        total = np.append(0.0, np.cumsum(known))
        nature = total[self._stop] - total[self._first]
        peaks = peaks_beyond(spectrum, base.mean, under, nature, measured=measured)
        if not peaks.any():
            return []
        gained = spectrum.counts * steady(np.log1p(peaks / base.mean)) - peaks
        nats = base.nats + float((spectrum.weights * gained).sum()) - self._policy.unknown_nats
        return [
            replace(
                base,
                nuclides=(*base.nuclides, UNKNOWN),
                categories=(*base.categories, UNKNOWN),
                nats=nats,
                net_counts=base.net_counts + float(peaks.sum()),
                misfit=-2.0 * nats / case.freedom,
            )
        ]

    def _highest(self, spectrum: Spectrum, mean: Vector) -> float:
        """Of all peaks that `mean` does not have, in standard deviations."""
        inverse = spectrum.weights / np.maximum(mean, spectrum.level)
        excess = (self._filters * (inverse * (spectrum.counts - mean))).sum(axis=1)
        chance = np.sqrt((self._squares * inverse).sum(axis=1))
        return float((excess / np.maximum(chance, 1e-12)).max())


def peaks_beyond(
    spectrum: Spectrum, mean: Vector, under: Vector, nature: Vector, *, measured: bool
) -> Vector:
    """Counts (bins,) in sharp peaks that `mean` does not have; all 0 where there are none.

    mean    (bins,) of an explanation
    under   (bins,) its part without peaks
    nature  (bins,) counts of the background's own peaks that may lie there if the scale has moved
    """
    found = np.zeros(len(mean))
    expected = np.maximum(_sums(mean, REACH), 1e-3)
    counted = np.maximum(_sums(spectrum.counts, REACH), expected)
    excess = counted - expected
    above = np.maximum(mean - under, 0.0)
    variance = expected * (1.0 + CONTINUUM_SHARE) + (EXPLAINED_ERROR * _sums(above, NEAR)) ** 2
    variance += (EXPLAINED_ERROR * nature) ** 2
    variance += (CONTINUUM_ERROR * _sums(under, REACH)) ** 2
    # Few counts are far from a normal distribution: of them as Poisson's law has it.
    chance = 2.0 * (counted * steady(np.log(counted / expected)) - excess)
    sigma = np.sqrt(np.maximum(np.minimum(chance, excess**2 / np.maximum(variance, 1.0)), 0.0))
    sigma[spectrum.weights <= 0.0] = 0.0
    line = LINE_SIGMA if measured else UNMEASURED_SIGMA
    for _ in range(MOST_PEAKS):
        top = int(np.argmax(sigma))
        if sigma[top] < line:
            break
        near = slice(max(0, top - REACH), top + REACH + 1)
        found[near] = np.maximum(spectrum.counts - mean, 0.0)[near]
        sigma[max(0, top - 2 * REACH) : top + 2 * REACH + 1] = 0.0
    return found if found.sum() > LEAST_SHARE * float(above.sum()) else np.zeros(len(mean))


def _sums(values: Vector, reach: int) -> Vector:
    return smooth(np.ascontiguousarray(values), reach) * (2 * reach + 1)


def _filters(bins: Bins) -> Matrix:
    """(bins, bins) a peak in the middle of each bin."""
    sigma_kev = fwhm_kev(bins.detector, bins.middle_kev)[:, None] / 2.3548
    away = (bins.middle_kev - bins.middle_kev[:, None]) / sigma_kev
    peaks = steady(np.exp(-0.5 * away**2))
    return np.where(peaks > FAINTEST, peaks, 0.0) * np.diff(bins.edges_kev)
