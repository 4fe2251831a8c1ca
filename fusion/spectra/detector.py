"""What kind of detector made a spectrum, where no configuration says it.

The width of the clearest peak tells the resolution, and the resolution the crystal: a filter of
the shape of a peak answers most where it is as wide as the peak itself.
"""

import math

import numpy as np
from numpy.typing import NDArray

from fusion.spectra.binning import bin_edges, binned
from fusion.types import DetectorSpec

Vector = NDArray[np.float64]

LADDER = (0.18, 0.24, 0.32, 0.45, 0.7, 1.0, 1.5, 2.0, 2.6, 3.0, 3.5, 4.2, 5.5, 6.2, 7.0, 8.0, 9.5)
"""Resolutions at 661.7 keV in percent; in steps that cost no more than 1 % of sensitivity."""
MATERIALS = (("HPGe", 0.6), ("CZT", 2.3), ("LaBr3", 4.8), ("NaI", 100.0))
"""Each up to which resolution, where the record names none."""
RANGES = {
    "HPGe": (0.1, 0.6),
    "CZT": (0.6, 4.0),
    "LaBr3": (2.3, 4.5),
    "NaI": (5.4, 10.0),
    "CsI": (5.4, 10.0),
}
USUAL = {"HPGe": 0.24, "CZT": 2.0, "LaBr3": 3.0, "NaI": 7.0, "CsI": 8.0}
POWER = {"HPGe": 0.5, "CZT": 0.5, "LaBr3": 0.5}
SIZES_CM = {
    "HPGe": (5.0, 8.5, 8.5),
    "CZT": (1.0, 2.0, 2.0),
    "LaBr3": (3.8, 3.8, 3.8),
    "NaI": (5.08, 10.16, 40.64),
    "CsI": (5.08, 10.16, 40.64),
}
"""Depth, width and height of usual crystals; portals of NaI, hand-held others."""
CLEAR_SIGMA = 8.0  # a peak that chance does not make; anything less says little of its width
MANY_CHANNELS = 8000  # only semiconductors need so many
COARSEST = 4.0  # channels to a peak: fewer do not tell its width
PER_FWHM = 4.0
TRUE_SIGMA = PER_FWHM / 2.3548  # of a peak of the assumed resolution, in bins
NARROW, WIDE = 1.2, 2.4  # bins; the filters' scales, on both sides of it
REACH = 12  # bins to each side: five scales of the wider one


def detector_of(
    counts: NDArray[np.generic], edges_kev: NDArray[np.generic], detector_type: str = ""
) -> DetectorSpec:
    """The detector behind the counts (channels,) or (detectors, channels), as far as they tell.

    edges_kev      (..., channels + 1)
    detector_type  as the record has it; `""` where it does not say
    """
    named = detector_type if detector_type in RANGES else ""
    low, high = RANGES[named] if named else (0.0, 100.0)
    if not named and np.shape(counts)[-1] > MANY_CHANNELS:
        high = RANGES["HPGe"][1]
    edges_kev = np.asarray(edges_kev, dtype=np.float64)
    channel_kev = float(edges_kev.max() - edges_kev.min()) / np.shape(counts)[-1]
    best, nearest = 0.0, math.log(1.3)
    for percent in LADDER:
        if not low <= percent <= high or percent * 6.617 < COARSEST * channel_kev:
            continue
        spec = _spec(named or _material(percent), percent)
        edges = bin_edges(spec, low_kev=45.0, per_fwhm=PER_FWHM)
        ratio = relative_width(binned(counts, edges_kev, edges))
        if ratio > 0.0 and abs(math.log(ratio)) < nearest:
            best, nearest = percent, abs(math.log(ratio))
    if best:
        return _spec(named or _material(best), best)
    named = named or ("HPGe" if high < 1.0 else "NaI")
    return _spec(named, USUAL[named])


def relative_width(counts: Vector) -> float:
    """Width of the clear peaks in (bins,) relative to `PER_FWHM` bins; 0 where none is clear.

    The second derivative of Gaussian smoothing answers to a peak of area S and width w with
    S / (w2 + s2)^1.5 at the scale s, whatever straight line is under it, so that two scales
    give the width (Lindeberg 1998, International Journal of Computer Vision 30:79).
    """
    narrow, clear = _curvature(counts, NARROW)
    wide, _ = _curvature(counts, WIDE)
    summit = (clear > CLEAR_SIGMA) & (clear >= 0.3 * clear.max())
    summit[1:-1] &= (narrow[1:-1] >= narrow[:-2]) & (narrow[1:-1] >= narrow[2:])
    summit[[0, -1]] = False
    summit &= wide > 0.0
    if not summit.any():
        return 0.0
    shrunk = (wide[summit] / narrow[summit]) ** (2.0 / 3.0)
    # Equal bins add a twelfth of their square.
    squared = (shrunk * WIDE**2 - NARROW**2) / np.maximum(1.0 - shrunk, 1e-3) - 1.0 / 12.0
    widths = np.sqrt(np.maximum(squared, 0.1)) / TRUE_SIGMA
    order = np.argsort(widths, kind="stable")
    weight = np.cumsum(clear[summit][order])
    return float(widths[order][np.searchsorted(weight, 0.5 * weight[-1])])


def _curvature(counts: Vector, scale: float) -> tuple[Vector, Vector]:
    """Minus the second derivative of the smoothed counts, and its size in standard deviations."""
    place = np.arange(-REACH, REACH + 1)
    smoothing = np.exp(-0.5 * (place / scale) ** 2) / (scale * math.sqrt(2.0 * math.pi))
    shape = (1.0 - (place / scale) ** 2) / scale**2 * smoothing
    shape -= shape.mean()
    total = np.convolve(counts, shape, mode="same")
    variance = np.convolve(counts, shape**2, mode="same")
    total[:REACH] = total[len(total) - REACH :] = 0.0
    return total, np.where(variance > 0.0, total / np.sqrt(np.maximum(variance, 1e-9)), 0.0)


def _material(percent: float) -> str:
    return next(name for name, most in MATERIALS if percent < most)


def _spec(material: str, percent: float) -> DetectorSpec:
    depth_cm, width_cm, height_cm = SIZES_CM[material]
    return DetectorSpec(
        material=material,
        depth_cm=depth_cm,
        width_cm=width_cm,
        height_cm=height_cm,
        resolution_percent=percent,
        resolution_power=POWER.get(material, 0.55),
    )
