"""Detectors whose peaks are sharp: only the peaks count, over the continuum beside them.

A germanium detector's peaks stand over whatever made the continuum. So the continuum is taken
from the spectrum itself, templates are stripped of theirs, and what is left is fitted as any other
spectrum.
"""

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.identify import Parts, smooth
from fusion.kernels.identify_rounds import FREE
from fusion.spectra.binning import SHARPEST_PERCENT
from fusion.spectra.nuisance import Scene
from fusion.spectra.verdict import IdentifyPolicy
from fusion.types import DetectorSpec

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

BESIDE = 10  # bins to each side that tell the continuum: six widths of a peak
TURNS = 4
STRIPS = 30  # of a template: until what is left is as wide as `BESIDE`
OUTSIDE = 2.5  # standard deviations over the continuum: a peak
CONTINUUM_SD = 0.02
FAINTEST = 3e-4  # of the highest bin of a template: what is less is chance in its simulation


def is_sharp(detector: DetectorSpec) -> bool:
    """Whether peaks can be told from the continuum by themselves."""
    return detector.resolution_percent < SHARPEST_PERCENT


def continuum(counts: Vector) -> Vector:
    """(bins,) mean of the surroundings, peaks left out."""
    level = smooth(counts, BESIDE)
    for _ in range(TURNS):
        outside = counts > level + OUTSIDE * np.sqrt(np.maximum(level, 1.0))
        kept = np.where(outside, 0.0, 1.0)
        level = smooth(counts * kept, BESIDE) / np.maximum(smooth(kept, BESIDE), 0.1)
    return np.asarray(level)


def only_peaks(shapes: Matrix) -> Matrix:
    """Templates (templates, bins) without their continua."""
    stripped = []
    for shape in shapes:
        under = shape
        for _ in range(STRIPS):
            under = np.minimum(under, smooth(under, 4))
        peaks = np.maximum(shape - 1.02 * under, 0.0)
        stripped.append(np.where(peaks > FAINTEST * peaks.max(), peaks, 0.0))
    return np.ascontiguousarray(stripped)


def sharp_scene(
    counts: Vector,
    background: Vector | None,
    naturals: tuple[tuple[str, ...], Matrix],
    anywhere: Matrix,
    policy: IdentifyPolicy,
) -> Scene:
    """The continuum under the peaks, and the peaks of the background or of nature.

    anywhere  (shapes, bins) of natural nuclides behind more and less, where none was measured
    """
    names, shapes = naturals
    under = continuum(counts)
    total = max(float(counts.sum()), 1.0)
    if background is None:
        known = list(anywhere * total)
    else:
        peaks = np.maximum(background - continuum(background), 0.0)
        known = [peaks]
    stack = np.vstack((under, *known, shapes * total))
    size = len(stack)
    natural = slice(1 + len(known), size)
    mean, precision = np.zeros(size), np.zeros(size)
    mean[0], precision[0] = 1.0, 1.0 / CONTINUUM_SD**2
    if background is not None:
        mean[1], precision[1] = 1.0, 1.0 / policy.suppression_sd**2
    precision[natural] = 1.0 / policy.norm_sd**2
    start = np.maximum(mean, 1e-3)
    return Scene(
        parts=Parts(
            np.ascontiguousarray(stack), mean, precision, np.zeros(size), np.full(size, FREE)
        ),
        start=start,
        natural=natural,
        natural_names=names,
        background=None if background is None else 1,
    )
