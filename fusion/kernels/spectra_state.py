"""What the spectroscopic stream keeps of each lane, and how it learns a background.

Kernels trust their callers. `fusion.kernels.spectra` says what is tested.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Singles = NDArray[np.float32]  # half the memory traffic of doubles; counts are far below 2^24
Integers = NDArray[np.int64]
Counts = NDArray[Any]  # uint16, uint32 or float32

SHAPES = 5  # background, its tilt, potassium, radium, thorium
LEAST_KNOWN = 6.0  # counts: a bin with this many is known to 40 %
NATURAL = 3  # of them have a column of their own beside the templates


class Layout(NamedTuple):
    """Where each detector's channels go."""

    segments: Integers
    """(lanes, detectors, segments, 3) first channel, one past the last, and how far they move."""
    used: Integers
    """(lanes, detectors) segments in use: one where a detector agrees with the grid."""
    bin_from: Integers
    """(lanes, bins + 1) first grid channel of each bin."""


class Background(NamedTuple):
    """What the vacant lane counts."""

    rate_cps: Matrix
    """(lanes, bins) of all detectors, running average."""
    seconds: Vector
    """(lanes,) measuring time that the average is worth; 0: nothing was learned."""
    unused_s: Vector
    """(lanes,) learned since the test last took the average over."""
    block: Counts
    """(lanes, detectors, channels) as measured, since the block was last taken."""
    block_live_s: Matrix
    """(lanes, detectors)"""


class ScoreTest(NamedTuple):
    """The score test; everything below `tilt` follows from the lane's background."""

    columns: Singles
    """(bins, templates + 3) shapes of the templates, then potassium, radium, thorium."""
    tilt: Singles
    """(bins,) logarithm of the energy, zero in the middle."""
    inverse_s: Singles
    """(lanes, bins) one over the background's rate, bounded where that is hardly known."""
    level: Singles
    """(lanes, bins) the background's rate times that: 1 where it is not bounded."""
    lift: Singles
    """(lanes, 5, templates) what of each template the five shapes already explain."""
    unit: Singles
    """(lanes, templates) one over the standard deviation that a second of background gives to a
    score; 0: not to be tested."""
    total_cps: Vector
    """(lanes,) background of all bins."""
    seconds: Vector
    """(lanes,) measuring time behind that background."""


class Ring(NamedTuple):
    """What is kept of the last slices."""

    scores: Singles
    """(lanes, slots, templates + 3) the last three are 0: rows as wide as the columns."""
    counts: Vector
    """(lanes, slots)"""
    live_s: Vector
    """(lanes, slots)"""
    real_s: Vector
    """(lanes, slots) 0: an empty slot."""
    at: Integers
    """(lanes,) slot of the latest slice."""


class Found(NamedTuple):
    """The best of each window; overwritten by each tick."""

    sigma: Matrix
    """(lanes, windows) 0 where nothing was tested."""
    template: Integers
    """(lanes, windows)"""
    binned: Singles
    """(lanes, bins) the latest slice."""


class Pace(NamedTuple):
    """How fast things are followed."""

    windows_s: Vector
    """(windows,) rising."""
    average_s: float
    """Time constant of the background."""
    refresh_s: float
    """The test takes the background over this often."""
    floor: float
    """Share of the mean bin's rate that no bin is taken to be below."""
    least_cps: float
    """Nor below this: where hardly any count is expected, one must not be a discovery."""


class State(NamedTuple):
    """Everything that goes on from tick to tick."""

    grid: Counts
    """(channels,) work space."""
    layout: Layout
    background: Background
    test: ScoreTest
    ring: Ring
    found: Found
    pace: Pace


@njit(cache=True, nogil=True)
def runs_onto(grid_kev: Vector, edges_kev: Matrix) -> tuple[Integers, Integers]:
    """Runs of channels that go to a grid of channels with one shift each, as `Layout` has them.

    grid_kev   (channels + 1,) rising
    edges_kev  (detectors, channels + 1)
    returns    (detectors, most runs, 3), zeros beyond those in use, and (detectors,) how many are

    A channel goes where its middle lies; those that lie outside at either end of a run do not.
    """
    detectors, channels = edges_kev.shape[0], grid_kev.shape[0] - 1
    runs = np.zeros((detectors, channels, 3), np.int64)
    used = np.zeros(detectors, np.int64)
    most = 1
    for detector in range(detectors):
        row, number, at, last = edges_kev[detector], -1, 0, 0
        held = False
        for channel in range(channels):
            middle = 0.5 * (row[channel + 1] + row[channel])
            while at > 0 and grid_kev[at - 1] >= middle:
                at -= 1
            while at <= channels and grid_kev[at] < middle:
                at += 1
            shift = at - 1 - channel
            if channel == 0 or shift != last:
                held = False
            last = shift
            if not (middle > grid_kev[0] and 0 <= at - 1 < channels):
                continue
            if not held:
                held = True
                number += 1
                runs[detector, number, 0], runs[detector, number, 2] = channel, shift
            runs[detector, number, 1] = channel + 1
        used[detector] = number + 1
        most = max(most, number + 1)
    return runs[:, :most].copy(), used


@njit(cache=True, nogil=True)
def solve_shapes(matrix: Matrix, right: Matrix) -> None:
    """Solve matrix x = right in place by Gauss-Jordan; `right` becomes x.

    matrix  (n, n) symmetric, positive; overwritten
    right   (n, columns)
    """
    n = matrix.shape[0]
    for i in range(n):
        pivot = 1.0 / matrix[i, i]
        matrix[i] *= pivot
        right[i] *= pivot
        for j in range(n):
            if j != i:
                factor = matrix[j, i]
                matrix[j] -= factor * matrix[i]
                right[j] -= factor * right[i]


@njit(cache=True, nogil=True)
def refresh_test(lane: int, background: Background, test: ScoreTest, pace: Pace) -> None:
    """Take the lane's running background over into its test: `ScoreTest` below `tilt`."""
    rate_cps = background.rate_cps[lane]
    bins, templates = rate_cps.shape[0], test.lift.shape[2]
    mean = 0.0
    for b in range(bins):
        mean += rate_cps[b]
    # A bin that has counted little is not known: weighed by what it happens to have counted, a
    # few low ones would speak louder than all others.
    known = LEAST_KNOWN / background.seconds[lane]
    least = max(pace.floor * mean / bins, known, pace.least_cps)
    gram = np.zeros((SHAPES, SHAPES))
    cross = np.zeros((SHAPES, templates))
    square = np.zeros(templates)
    shape = np.empty(SHAPES)
    total = 0.0
    for b in range(bins):
        rate = max(rate_cps[b], least)
        inverse = 1.0 / rate
        total += rate_cps[b]
        test.inverse_s[lane, b] = inverse
        # The shape is what was counted, or a bound would look like counts that are missing.
        test.level[lane, b] = rate_cps[b] * inverse
        shape[0] = rate_cps[b]
        shape[1] = rate_cps[b] * test.tilt[b]
        for n in range(NATURAL):
            shape[2 + n] = test.columns[b, templates + n]
        for i in range(SHAPES):
            weighted = shape[i] * inverse
            for j in range(SHAPES):
                gram[i, j] += weighted * shape[j]
            for t in range(templates):
                cross[i, t] += weighted * test.columns[b, t]
        for t in range(templates):
            square[t] += inverse * test.columns[b, t] * test.columns[b, t]
    bare = square.copy()
    for i in range(SHAPES):
        # A shape that is missing from the library, or a copy of another, explains nothing more.
        gram[i, i] = gram[i, i] * (1.0 + 1e-6) + 1e-12
    lift = cross.copy()
    solve_shapes(gram, lift)
    for t in range(templates):
        for i in range(SHAPES):
            square[t] -= cross[i, t] * lift[i, t]
            test.lift[lane, i, t] = lift[i, t]
        # What the five shapes explain almost wholly is no test of anything else.
        told = square[t] > 1e-3 * bare[t]
        test.unit[lane, t] = 1.0 / math.sqrt(square[t]) if told else 0.0
    test.total_cps[lane] = total
    test.seconds[lane] = background.seconds[lane]
    background.unused_s[lane] = 0.0


@njit(cache=True, nogil=True)
def learn(lane: int, binned: Singles, live_s: float, background: Background, pace: Pace) -> None:
    """Average a vacant slice into the lane's background.

    The first slices weigh by their time, which is what the time constant tends to.
    """
    if live_s <= 0.0:
        return
    known_s = background.seconds[lane]
    weight = max(1.0 - math.exp(-live_s / pace.average_s), live_s / (known_s + live_s))
    kept = 1.0 - weight
    rate_cps = background.rate_cps[lane]
    scale = weight / live_s
    for b in range(rate_cps.shape[0]):
        rate_cps[b] = kept * rate_cps[b] + scale * binned[b]
    variance = weight * weight / live_s
    if known_s > 0.0:
        variance += kept * kept / known_s
    background.seconds[lane] = 1.0 / variance
    background.unused_s[lane] += live_s
