"""Which slices and which detectors of a pass show a source best."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.spectra_pass import highest_window

EVERY_LENGTH = 16  # windows up to so many slices are tried in every length, longer ones each 1.2
GROWTH = 1.2


class Window(NamedTuple):
    """The best window of a pass."""

    first: int
    stop: int
    """One past its last slice."""
    column: int
    """Which of the scores is highest there."""
    sigma: float


def best_window(
    scores: NDArray[np.floating],
    variances: NDArray[np.float64],
    usable: NDArray[np.bool_],
    longest: int,
) -> Window | None:
    """The contiguous slices with the highest score over its deviation; None where all are empty.

    scores     (slices, columns) expected 0 where there is nothing
    variances  (slices,) of every column
    usable     (slices,) slices that may be part of it
    longest    window in slices
    """
    lengths = np.array(_lengths(min(longest, len(variances))), np.int64)
    rows = np.ascontiguousarray(scores, np.float64)
    first, length, column, sigma = highest_window(rows, variances, usable, lengths)
    return Window(first, first + length, column, sigma) if sigma > 0.0 else None


def _lengths(longest: int) -> list[int]:
    lengths = list(range(1, min(longest, EVERY_LENGTH) + 1))
    while lengths and lengths[-1] < longest:
        lengths.append(min(longest, round(lengths[-1] * GROWTH)))
    return lengths


def best_detectors(net: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.intp]:
    """The detectors that together show a source best, in their order; all where none shows it.

    net       (detectors,) counts or scores, expected 0 without a source
    variance  (detectors,) of each

    Sorted by their ratio, the best set is one of its beginnings.
    """
    variance = np.maximum(variance, 1e-9)
    order = np.argsort(-net / variance, kind="stable")
    heights = np.cumsum(net[order]) / np.sqrt(np.cumsum(variance[order]))
    if heights.max() <= 0.0:
        return np.arange(len(net))
    return np.sort(order[: int(np.argmax(heights)) + 1])
