"""Energy bins that follow a detector's resolution, and counts put into them."""

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.identify import rebin
from fusion.spectra.widths import fwhm_kev
from fusion.types import DetectorSpec

BINS_PER_FWHM = 2.5  # a peak's shape is kept; more only cost time
SHARP_BINS_PER_FWHM = 1.6  # of a germanium detector, whose peaks stand alone
SHARPEST_PERCENT = 1.0  # resolution at 661.7 keV of scintillators is worse than this
LOW_KEV = 24.0  # under the lines that any portal sees through its housing
HIGH_KEV = 3000.0  # over the highest natural line, 2614.5 keV


def bin_edges(
    detector: DetectorSpec,
    *,
    low_kev: float = LOW_KEV,
    high_kev: float = HIGH_KEV,
    per_fwhm: float | None = None,
) -> NDArray[np.float64]:
    """Edges (bins + 1,) of bins as wide as 1 / `per_fwhm` of a peak."""
    if per_fwhm is None:
        sharp = detector.resolution_percent < SHARPEST_PERCENT
        per_fwhm = SHARP_BINS_PER_FWHM if sharp else BINS_PER_FWHM
    # The number of bins up to an energy is the integral of their density.
    fine_kev = np.linspace(low_kev, high_kev, 8192)
    density = per_fwhm / fwhm_kev(detector, fine_kev)
    steps = 0.5 * (density[1:] + density[:-1]) * np.diff(fine_kev)
    number = np.concatenate(([0.0], np.cumsum(steps)))
    bins = max(8, round(float(number[-1])))
    return np.asarray(np.interp(np.linspace(0.0, number[-1], bins + 1), number, fine_kev))


def binned(
    counts: NDArray[np.generic], channel_edges_kev: NDArray[np.generic], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Counts (bins,) of the spectra (channels,) or (detectors, channels), summed over detectors.

    Each channel's counts are spread evenly over its width. ValueError where the edges do not fit.
    """
    rows = np.atleast_2d(np.asarray(counts, dtype=np.float64))
    calibrations = np.atleast_2d(np.asarray(channel_edges_kev, dtype=np.float64))
    if calibrations.shape != (len(rows), rows.shape[1] + 1):
        raise ValueError(f"{rows.shape} counts do not fit {calibrations.shape} edges")
    total = np.zeros(len(edges) - 1)
    for row, calibration in zip(rows, calibrations, strict=True):
        total += rebin(np.ascontiguousarray(row), np.ascontiguousarray(calibration), edges)
    return total
