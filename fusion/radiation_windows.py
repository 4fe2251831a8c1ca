"""Energy windows of a PVT portal: natural mixture or not, and never a nuclide.

Plastic shows no peaks, but the shares of a few wide windows tell hard from soft radiation. A
vehicle's shadow scales the background and a load of minerals adds potassium, radium and thorium;
what neither explains is not natural (facts/radiation 3 and 5.5). Only the shape is judged: how
much there is, the profile over the pass says.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EDGES_KEV = (60.0, 200.0, 450.0, 800.0, 1300.0, 2900.0)
"""Of five windows. Compton edges of 662 and 1,333 keV are at 478 and 1,118 keV."""
FEW_CHANNELS = 32  # more and it is a spectrometer
MOST_STEPS = 200
SHAPE_SD = 0.05  # relative: gain, load and scatter change a window's share (facts/radiation 5.5)
NOT_NORM_SIGMA = 4.0
MIN_NET_SIGMA = 4.0  # a shape needs something that has one
Array = NDArray[np.float64]

NATURAL = np.array(
    [
        # Rough shares of our own reckoning, for want of measured ones: 5 % of each is allowed.
        # K-40, Ra-226 and Th-232 with their scatter, in plastic: falling with their Compton
        # edges at 1,243, 1,541 and 2,382 keV; the shares of the five windows above.
        [0.36, 0.25, 0.19, 0.15, 0.05],
        [0.46, 0.27, 0.14, 0.09, 0.04],
        [0.43, 0.26, 0.14, 0.09, 0.08],
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """What the shape of a pass says."""

    verdict: str
    """`"norm-like"`, `"not-norm-like"`, or `"unclear"` where too little is there to tell."""
    sigma: float
    """Of what the background and natural minerals leave unexplained."""
    net_sigma: float
    """Of all that is not background, whatever its shape."""
    suppression: float


def has_windows(detector_type: str, channels: int) -> bool:
    """Whether a record's spectra are to be judged by windows and not by nuclides."""
    return detector_type == "PVT" or 2 <= channels <= FEW_CHANNELS


def in_windows(counts: NDArray[np.generic], edges_kev: NDArray[np.generic]) -> Array:
    """Counts (channels,) summed into the windows; a channel across an edge is split evenly.

    edges_kev  (channels + 1,), rising
    returns    (windows,); what lies outside all of them is left out
    """
    edges = np.asarray(edges_kev, np.float64)
    running = np.concatenate(([0.0], np.cumsum(np.asarray(counts, np.float64))))
    return np.asarray(np.diff(np.interp(EDGES_KEV, edges, running)))


def judge(
    counts: Array,
    live_s: float,
    background: Array,
    background_s: float,
    natural: Array = NATURAL,
) -> Windows:
    """What a pass's windows say against the learned background; its suppression is free.

    counts      (windows,) of the part of the pass around the source
    background  (windows,) learned while the lane was vacant
    natural     (mixtures, windows) shares of what lawful minerals look like
    """
    counts = np.asarray(counts, np.float64)
    expected = np.asarray(background, np.float64) * (live_s / max(background_s, 1e-9))
    # Windows where neither has ever seen anything tell nothing.
    used = (counts + background) > 0.0
    if used.sum() < 2 or live_s <= 0.0 or expected.sum() <= 0.0:
        return Windows(verdict="unclear", sigma=0.0, net_sigma=0.0, suppression=0.0)
    counts, expected, shapes = counts[used], expected[used], natural[:, used]
    ratio = live_s / max(background_s, 1e-9)
    net_level = float(counts.sum() - expected.sum())
    net_sigma = net_level / math.sqrt(float(counts.sum() + ratio * expected.sum()) + 1.0)
    level, mean = _natural_fit(counts, expected, shapes)
    variance = mean + ratio * level * level * expected
    # Only what was added may have another shape; the background's own ratios were learned.
    variance = variance + (SHAPE_SD * np.maximum(mean - level * expected, 0.0)) ** 2
    variance = variance + (SHAPE_SD / 5.0 * expected) ** 2
    free = max(1, len(counts) - 2)
    sigma = _gaussian(float(((counts - mean) ** 2 / np.maximum(variance, 1.0)).sum()), free)
    verdict = "unclear"
    if sigma >= NOT_NORM_SIGMA:
        verdict = "not-norm-like"
    elif net_sigma >= MIN_NET_SIGMA:
        verdict = "norm-like"
    return Windows(
        verdict=verdict,
        sigma=sigma,
        net_sigma=net_sigma,
        suppression=min(max(1.0 - level, 0.0), 1.0),
    )


def _natural_fit(counts: Array, expected: Array, shapes: Array) -> tuple[float, Array]:
    """Level of the background, and the mean of the likeliest natural explanation.

    Expectation maximisation for a Poisson sum of shapes with amplitudes >= 0 (Shepp and Vardi
    1982, IEEE Transactions on Medical Imaging 1:113).
    """
    columns = np.vstack((expected, shapes * counts.sum()))
    amplitudes = np.array([1.0, *([0.05] * len(shapes))])
    sums = np.maximum(columns.sum(axis=1), 1e-9)
    mean = amplitudes @ columns
    for _ in range(MOST_STEPS):
        amplitudes = amplitudes * (columns @ (counts / np.maximum(mean, 1e-9))) / sums
        # A vehicle shields; more of the background's own shape is the minerals'.
        amplitudes[0] = min(amplitudes[0], 1.05)
        mean = amplitudes @ columns
    return float(amplitudes[0]), mean


def _gaussian(chi_square: float, freedom: int) -> float:
    """Standard deviations of a Gaussian as improbable as this chi-square.

    Wilson and Hilferty 1931, Proceedings of the National Academy of Sciences 17:684.
    """
    spread = 2.0 / (9.0 * freedom)
    root = math.pow(chi_square / freedom, 1.0 / 3.0)
    return max(0.0, (root - (1.0 - spread)) / math.sqrt(spread))
