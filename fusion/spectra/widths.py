"""How wide a peak is."""

import math

import numpy as np
from numpy.typing import NDArray

from fusion.spectra.steady import steady
from fusion.types import DetectorSpec

FLOOR_KEV = {"HPGe": 1.1, "CZT": 2.5}
"""Width at zero energy from electronic noise; of scintillators it is in their power law."""


def fwhm_kev(detector: DetectorSpec, energy_kev: NDArray[np.float64]) -> NDArray[np.float64]:
    """Full width at half maximum of a full-energy peak.

    A power law through the resolution at 661.7 keV (facts/radiation 5.3) with the noise floor of
    semiconductors, which the resolution at 661.7 keV includes.
    """
    at_662_kev = detector.resolution_percent / 100.0 * 661.7
    floor_kev = min(FLOOR_KEV.get(detector.material, 0.0), 0.95 * at_662_kev)
    grown_kev = math.sqrt(at_662_kev**2 - floor_kev**2)
    widths = grown_kev * (np.maximum(energy_kev, 1.0) / 661.7) ** detector.resolution_power
    return steady(np.hypot(widths, floor_kev))
