"""What a nuclide would look like that no list has: one line, wherever it may be."""

import numpy as np
from numpy.typing import NDArray

from fusion.spectra.response import response_rows
from fusion.spectra.widths import fwhm_kev
from fusion.types import DetectorSpec

LOWEST_KEV, HIGHEST_KEV = 45.0, 2700.0
STEP = 0.8  # FWHM from one line to the next: between two, either sees nine tenths of a peak
MOST = 120  # a germanium detector's lines are too many to try each: beyond.py searches its peaks


def unlisted_lines(detector: DetectorSpec, edges_kev: NDArray[np.float64]) -> NDArray[np.float64]:
    """(lines, bins) responses to single lines all over the range; each sums to 1."""
    energies = [LOWEST_KEV]
    while energies[-1] < HIGHEST_KEV:
        width = fwhm_kev(detector, np.array([energies[-1]]))[0]
        energies.append(energies[-1] + STEP * float(width))
    if len(energies) > MOST:
        return np.empty((0, len(edges_kev) - 1))
    lines = np.array(energies)
    rows = response_rows(detector, lines, lines, edges_kev)
    rows += 1e-9
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))
