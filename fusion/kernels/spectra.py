"""Kernels of the spectroscopic stream. Callers check arguments; kernels trust them.

One call is one tick of any number of lanes: the spectra of each lane's detectors are added on one
grid of channels and binned, and every bin's counts are projected on a matrix of templates. The
test is the efficient score of the mean

    m = level * (1 + slope * tilt) * background + potassium + radium + thorium + source

against no source. Background, its tilt and the three natural series are projected out, so what
rain, a shadow or the ground does to them adds nothing to a score (facts/radiation 5.5).
A score is linear in the counts: windows are sums of what was kept of each slice.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fusion.kernels.spectra_state import (
    Counts,
    Found,
    Integers,
    Matrix,
    Ring,
    ScoreTest,
    Singles,
    State,
    Vector,
    learn,
    refresh_test,
)


@njit(cache=True, nogil=True)
def add_detectors(counts: Counts, segments: Integers, used: Integers, grid: Counts) -> None:
    """Add the detectors' spectra on one grid, in whole channels, written to `grid`.

    counts    (detectors, channels)
    segments  (detectors, segments, 3), used (detectors,), as in `Layout`
    grid      (channels,) overwritten

    A calibration that differs by a per cent moves a hundred channels together, so this stays a
    few vector additions. Each channel goes to the nearest of the grid: counts stay Poisson.
    """
    grid[:] = 0
    for detector in range(counts.shape[0]):
        row = counts[detector]
        for segment in range(used[detector]):
            first = segments[detector, segment, 0]
            length = segments[detector, segment, 1] - first
            target = grid[first + segments[detector, segment, 2] :]
            source = row[first:]
            for i in range(length):
                target[i] += source[i]


@njit(cache=True, nogil=True)
def add_channels(counts: Counts, sums: Integers) -> None:
    """Counts of each detector, of all channels and without the first and the last of them.

    counts  (detectors, channels)
    sums    (2, detectors) overwritten; where there are no more than two channels, both are alike
    """
    channels = counts.shape[1]
    for detector in range(counts.shape[0]):
        row = counts[detector]
        total = np.int64(0)
        for channel in range(channels):
            total += np.int64(row[channel])
        sums[0, detector] = sums[1, detector] = total
        if channels > 2:
            sums[1, detector] -= np.int64(row[0]) + np.int64(row[channels - 1])


@njit(cache=True, nogil=True)
def bin_grid(grid: Counts, bin_from: Integers, binned: Singles) -> None:
    """Sums of the grid's channels from each of `bin_from` (bins + 1,) to the next.

    grid  (channels,) becomes its own running sum, of which bins are differences: one addition a
          channel, where a loop for each of many short bins would cost four
    """
    running = grid[0] - grid[0]
    for channel in range(grid.shape[0]):
        running += grid[channel]
        grid[channel] = running
    # Wrapping around cancels in the difference.
    below = grid[bin_from[0] - 1] if bin_from[0] > 0 else grid[0] - grid[0]
    for b in range(binned.shape[0]):
        upto = grid[bin_from[b + 1] - 1]
        binned[b] = upto - below
        below = upto


@njit(cache=True, nogil=True)
def project(lane: int, binned: Singles, test: ScoreTest, scores: Singles) -> float:
    """Scores of one slice, written to the first of `scores` (templates + 3,).

    binned   (bins,) counts, bins a multiple of four
    returns  the slice's counts

    Rao 1948, Proc. Cambridge Phil. Soc. 44:50, with the nuisances projected out (Cox & Hinkley
    1974, section 9.3): T' W c - C' X' W c, W the inverse of the background, X the five shapes.
    """
    columns, tilt, inverse_s = test.columns, test.tilt, test.inverse_s[lane]
    level = test.level[lane]
    lift, unit = test.lift[lane], test.unit[lane]
    templates, width = lift.shape[1], columns.shape[1]
    sums = np.zeros(width, np.float32)
    counts = np.float32(0.0)
    levelled = np.float32(0.0)
    tilted = np.float32(0.0)
    # Four bins a time: the sums wait for each other, so fewer rounds are faster.
    for b in range(0, binned.shape[0] - 3, 4):
        c0, c1, c2, c3 = binned[b], binned[b + 1], binned[b + 2], binned[b + 3]
        if c0 + c1 + c2 + c3 == 0.0:  # most bins of a good resolution
            continue
        counts += (c0 + c1) + (c2 + c3)
        l0, l1, l2, l3 = (
            c0 * level[b],
            c1 * level[b + 1],
            c2 * level[b + 2],
            c3 * level[b + 3],
        )
        levelled += (l0 + l1) + (l2 + l3)
        tilted += (l0 * tilt[b] + l1 * tilt[b + 1]) + (l2 * tilt[b + 2] + l3 * tilt[b + 3])
        c0 *= inverse_s[b]
        c1 *= inverse_s[b + 1]
        c2 *= inverse_s[b + 2]
        c3 *= inverse_s[b + 3]
        for t in range(width):
            first = c0 * columns[b, t] + c1 * columns[b + 1, t]
            sums[t] += first + (c2 * columns[b + 2, t] + c3 * columns[b + 3, t])
    potassium, radium, thorium = sums[templates], sums[templates + 1], sums[templates + 2]
    for t in range(templates):
        explained = lift[0, t] * levelled + lift[1, t] * tilted + lift[2, t] * potassium
        explained += lift[3, t] * radium + lift[4, t] * thorium
        scores[t] = (sums[t] - explained) * unit[t]
    return float(counts)


@njit(cache=True, nogil=True)
def window_sigmas(lane: int, ring: Ring, test: ScoreTest, windows_s: Vector, found: Found) -> None:
    """Best score of each window that ends with the latest slice, in standard deviations.

    found  the lane's `sigma` and `template` are overwritten

    The variance is the background's, scaled up where more is counted than that, plus the
    background's own from the time it was measured for.
    """
    slots, width = ring.scores.shape[1], ring.scores.shape[2]
    total = np.zeros(width, np.float32)
    counts = live_s = real_s = 0.0
    slot = ring.at[lane]
    window = 0
    sigma, template = found.sigma[lane], found.template[lane]
    sigma[:] = 0.0
    template[:] = -1
    for _ in range(slots):
        slice_s = ring.real_s[lane, slot]
        if slice_s <= 0.0:
            return
        for t in range(width):
            total[t] += ring.scores[lane, slot, t]
        counts += ring.counts[lane, slot]
        live_s += ring.live_s[lane, slot]
        real_s += slice_s
        while real_s + 0.5 * slice_s > windows_s[window]:
            best, highest = -1, np.float32(0.0)
            for t in range(width):
                if total[t] > highest:
                    best, highest = t, total[t]
            expected = test.total_cps[lane] * live_s
            if expected > 0.0:  # or there is nothing to compare with: a background of no counts yet
                variance = live_s * max(1.0, counts / expected)
                variance *= 1.0 + live_s / test.seconds[lane]
                sigma[window] = highest / math.sqrt(variance)
                template[window] = best
            window += 1
            if window == windows_s.shape[0]:
                return
        slot = slot - 1 if slot > 0 else slots - 1


@njit(cache=True, nogil=True)
def stream_tick(
    counts: Counts, live_s: Matrix, real_s: float, vacant: NDArray[np.bool_], state: State
) -> None:
    """One slice of every lane: added, binned, tested, and learned where the lane is vacant.

    counts   (lanes, detectors, channels)
    live_s   (lanes, detectors) of this slice
    real_s   its length
    vacant   (lanes,) whether to learn it as background, after it has been tested
    """
    grid, layout, background, test, ring, found, pace = state
    detectors = counts.shape[1]
    for lane in range(counts.shape[0]):
        add_detectors(counts[lane], layout.segments[lane], layout.used[lane], grid)
        binned = found.binned[lane]
        bin_grid(grid, layout.bin_from[lane], binned)
        mean_s = 0.0
        for d in range(detectors):
            mean_s += live_s[lane, d] / detectors
        slot = ring.at[lane] + 1
        if slot == ring.scores.shape[1]:
            slot = 0
        ring.at[lane] = slot
        found.sigma[lane] = 0.0
        found.template[lane] = -1
        if test.seconds[lane] > 0.0:
            ring.counts[lane, slot] = project(lane, binned, test, ring.scores[lane, slot])
            ring.live_s[lane, slot] = mean_s
            ring.real_s[lane, slot] = real_s
            window_sigmas(lane, ring, test, pace.windows_s, found)
        else:
            ring.real_s[lane, slot] = 0.0
        if vacant[lane]:
            for d in range(detectors):
                kept, row = background.block[lane, d], counts[lane, d]
                for channel in range(row.shape[0]):
                    kept[channel] += row[channel]
                background.block_live_s[lane, d] += live_s[lane, d]
            learn(lane, binned, mean_s, background, pace)
            if background.unused_s[lane] >= pace.refresh_s or test.seconds[lane] <= 0.0:
                refresh_test(lane, background, test, pace)
