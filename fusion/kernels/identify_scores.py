"""Kernels that tell from one fit what each of very many sources would add to it.

Near a fit, the likelihood is a parabola: its slope and its curvature along each source, and what
these share with the parts of the fit, are enough. Callers check arguments; kernels trust them.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fusion.kernels.identify import Parts, Spectrum
from fusion.kernels.identify_steps import ROWS, add_information, bounded_step, columns_of, room_for
from fusion.kernels.radiation import solve_symmetric

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

LANE = 8  # parts whose sums go together
BLOCK = 64  # sources whose sums go together where all have counts in all bins
SCREEN_STEPS = 3  # a part that is stopped at its bound once may leave it in the next step


class Sources(NamedTuple):
    """Templates (sources, bins) without their zeros, of which those of sharp peaks are full."""

    first: NDArray[np.int64]
    """(sources + 1,) where the values of each begin."""
    bins: NDArray[np.int32]
    """(values,)"""
    counts: Vector
    """(values,)"""


Chosen = tuple[Sources, NDArray[np.int64]]
"""Templates, and which of them are asked for."""


@njit(cache=True, nogil=True)
def first_of_each(
    codes: NDArray[np.int64], any_number: int, order: NDArray[np.int64], most: tuple[int, int]
) -> NDArray[np.int64]:
    """The first of things in an order, of each kind no more than so many.

    codes       (things,) kind of each, in that order
    any_number  kind of which there may be as many as there are
    order       (things,) what each is
    most        so many in all, and of a kind
    """
    number, of_a_kind = most
    taken = np.zeros(codes.max() + 1, np.int64)
    chosen = np.empty(min(number, codes.shape[0]), np.int64)
    found = 0
    for k in range(codes.shape[0]):
        if found == chosen.shape[0]:
            break
        if taken[codes[k]] < of_a_kind or codes[k] == any_number:
            taken[codes[k]] += 1
            chosen[found] = order[k]
            found += 1
    return chosen[:found]


@njit(cache=True, nogil=True)
def highest_of(scores: Vector, number: int, line: float) -> NDArray[np.int64]:
    """Where the `number` highest scores are that are over a line; of equals the first."""
    best = np.empty(number, np.int64)
    found = 0
    for k in range(scores.shape[0]):
        if not scores[k] > line or (found == number and scores[k] <= scores[best[-1]]):
            continue
        place = min(found, number - 1)
        while place > 0 and scores[best[place - 1]] < scores[k]:
            best[place] = best[place - 1]
            place -= 1
        best[place] = k
        found = min(found + 1, number)
    return best[:found]


@njit(cache=True, nogil=True)
def part_sums(
    spectrum: Spectrum, parts: Parts, fitted: tuple[Vector, Vector, Vector]
) -> tuple[Vector, Matrix, Matrix, Vector, Vector]:
    """Slope and information of the parts; their columns times each bin's weight; excess, weight.

    fitted   (parts,) values, (bins,) counts of the fit and (bins,) variance of what was measured
    """
    values, mean, variances = fitted
    size, bins = parts.shapes.shape
    columns = np.empty((room_for(bins), size))
    columns_of(parts.shapes, columns)
    weights, excess = np.zeros(columns.shape[0]), np.zeros(columns.shape[0])
    for i in range(bins):
        weights[i] = spectrum.weights[i] / variances[i]
        excess[i] = weights[i] * (spectrum.counts[i] - mean[i])
    slope = np.empty(size)
    information = np.zeros((size, size))
    for p in range(size):
        slope[p] = parts.prior_precision[p] * (parts.prior_mean[p] - values[p])
        information[p, p] = parts.prior_precision[p]
    add_information(columns, size, weights, excess, (information, slope))
    for i in range(bins):
        for p in range(size):
            columns[i, p] *= weights[i]
    return slope, information, columns, excess, weights


@njit(cache=True, nogil=True)
def in_lanes(columns: Matrix, excess: Vector) -> NDArray[np.float64]:
    """Columns (bins, parts) and, after the parts, the excess: (lanes, bins, `LANE`)."""
    bins, size = columns.shape
    out = np.zeros((size // LANE + 1, bins, LANE))
    for i in range(bins):
        for p in range(size):
            out[p // LANE, i, p % LANE] = columns[i, p]
        out[size // LANE, i, size % LANE] = excess[i]
    return out


@njit(cache=True, nogil=True)
def shared_with(
    lanes: NDArray[np.float64], weights: Vector, sources: Sources, s: int, shared: Vector
) -> float:
    """Sums over the bins of one source times each column, to `shared`; its own information."""
    first, last = sources.first[s], sources.first[s + 1]
    for lane in range(lanes.shape[0]):
        rows = lanes[lane]
        # Eight sums in registers: in memory each would be read and written for every bin.
        a = b = c = d = e = f = g = h = 0.0
        for k in range(first, last):
            count, i = sources.counts[k], sources.bins[k]
            a += count * rows[i, 0]
            b += count * rows[i, 1]
            c += count * rows[i, 2]
            d += count * rows[i, 3]
            e += count * rows[i, 4]
            f += count * rows[i, 5]
            g += count * rows[i, 6]
            h += count * rows[i, 7]
        at = LANE * lane
        shared[at], shared[at + 1], shared[at + 2], shared[at + 3] = a, b, c, d
        shared[at + 4], shared[at + 5], shared[at + 6], shared[at + 7] = e, f, g, h
    information = 0.0
    for k in range(first, last):
        information += sources.counts[k] * sources.counts[k] * weights[sources.bins[k]]
    return information


@njit(cache=True, nogil=True)
def beyond_parts(
    spectrum: Spectrum, parts: Parts, fitted: tuple[Vector, Vector, Vector]
) -> tuple[Matrix, Vector, Vector]:
    """Columns whose sums over a source tell, squared, what of it the parts explain.

    parts    of the fit; those at a bound do not count
    fitted   as in `part_sums`
    returns  (bins and up to a multiple of `ROWS`, parts) columns, excess and weights
    """
    free = np.flatnonzero((fitted[0] > parts.lower) & (fitted[0] < parts.upper))
    loose = Parts(
        parts.shapes[free],
        parts.prior_mean[free],
        parts.prior_precision[free],
        parts.lower[free],
        parts.upper[free],
    )
    state = fitted[0][free], fitted[1], fitted[2]
    _, factor, columns, excess, weights = part_sums(spectrum, loose, state)
    size = factor.shape[0]
    for p in range(size):
        factor[p, p] *= 1.0 + 1e-9
    solve_symmetric(factor, np.zeros(size), size)
    # With the inverse of the Cholesky factor, what a source shares is the sum of squares.
    for i in range(columns.shape[0]):
        row = columns[i]
        for p in range(size):
            total = row[p]
            for q in range(p):
                total -= factor[p, q] * row[q]
            row[p] = total / factor[p, p] if factor[p, p] > 0.0 else 0.0
    return columns, excess, weights


@njit(cache=True, nogil=True)
def source_scores(
    spectrum: Spectrum, parts: Parts, fitted: tuple[Vector, Vector, Vector], chosen: Chosen
) -> Vector:
    """Efficient score in standard deviations of adding each source to a fit.

    parts    of the fit; those at a bound do not count
    fitted   as in `part_sums`
    returns  (sources,); negative where counts are missing

    Rao's test as in `fusion.kernels.radiation_scores.profile_scores`.
    """
    columns, excess, weights = beyond_parts(spectrum, parts, fitted)
    size = columns.shape[1]
    sources, which = chosen
    scores = np.zeros(which.shape[0])
    lanes = in_lanes(columns, excess)
    shared = np.empty(lanes.shape[0] * LANE)
    for s in range(which.shape[0]):
        information = shared_with(lanes, weights, sources, which[s], shared)
        left = information
        for p in range(size):
            left -= shared[p] * shared[p]
        # What the parts make up by themselves cannot add to them.
        if left > 1e-4 * information:
            scores[s] = shared[size] / math.sqrt(left)
    return scores


@njit(cache=True, nogil=True)
def in_blocks(shapes: Matrix) -> NDArray[np.float64]:
    """Templates (sources, bins) side by side: (blocks, bins, `BLOCK`), zeros where none are.

    The bins go up to a multiple of `ROWS`.
    """
    number, bins = shapes.shape
    out = np.zeros(((number + BLOCK - 1) // BLOCK, room_for(bins), BLOCK))
    for s in range(number):
        for i in range(bins):
            out[s // BLOCK, i, s % BLOCK] = shapes[s, i]
    return out


@njit(cache=True, nogil=True)
def shared_with_block(
    block: Matrix, columns: Matrix, excess: Vector, weights: Vector, sums: Matrix
) -> None:
    """Sums over the bins of `BLOCK` sources times each column, the excess and their own weight.

    block  (bins, `BLOCK`)
    sums   (parts + 2, `BLOCK`) overwritten; each a sum from the first bin to the last, as if its
           source were alone
    """
    size = columns.shape[1]
    sums[:] = 0.0
    for i in range(0, block.shape[0], ROWS):
        one, two, three, four = block[i], block[i + 1], block[i + 2], block[i + 3]
        for p in range(size + 1):
            row = sums[p]
            if p < size:
                a, b, c, d = columns[i, p], columns[i + 1, p], columns[i + 2, p], columns[i + 3, p]
            else:
                a, b, c, d = excess[i], excess[i + 1], excess[i + 2], excess[i + 3]
            for k in range(BLOCK):
                row[k] = (((row[k] + one[k] * a) + two[k] * b) + three[k] * c) + four[k] * d
        row = sums[size + 1]
        a, b, c, d = weights[i], weights[i + 1], weights[i + 2], weights[i + 3]
        for k in range(BLOCK):
            total = (row[k] + one[k] * one[k] * a) + two[k] * two[k] * b
            row[k] = (total + three[k] * three[k] * c) + four[k] * four[k] * d


@njit(cache=True, nogil=True)
def all_scores(
    spectrum: Spectrum,
    parts: Parts,
    fitted: tuple[Vector, Vector, Vector],
    blocks: NDArray[np.float64],
) -> Vector:
    """As `source_scores` of all templates, bit by bit, where they have counts in every bin.

    blocks   as `in_blocks` makes them
    returns  (blocks * `BLOCK`,)
    """
    columns, excess, weights = beyond_parts(spectrum, parts, fitted)
    size = columns.shape[1]
    scores = np.zeros(blocks.shape[0] * BLOCK)
    sums = np.empty((size + 2, BLOCK))
    for b in range(blocks.shape[0]):
        shared_with_block(blocks[b], columns, excess, weights, sums)
        for k in range(BLOCK):
            left = sums[size + 1, k]
            for p in range(size):
                left -= sums[p, k] * sums[p, k]
            if left > 1e-4 * sums[size + 1, k]:
                scores[b * BLOCK + k] = sums[size, k] / math.sqrt(left)
    return scores


@njit(cache=True, nogil=True)
def screened(
    spectrum: Spectrum, parts: Parts, fitted: tuple[Vector, Vector, Vector], chosen: Chosen
) -> tuple[Vector, Matrix]:
    """What each source would gain, were the likelihood a parabola all the way, within bounds.

    parts    of the fit, with their bounds
    fitted   as in `part_sums`
    returns  (sources,) nats gained and (sources, parts + 1) values, each source's own the last
    """
    slope_of_parts, information_of_parts, columns, excess, weights = part_sums(
        spectrum, parts, fitted
    )
    sources, which = chosen
    values = fitted[0]
    size, number = slope_of_parts.shape[0], which.shape[0]
    information = np.zeros((size + 1, size + 1))
    information[:size, :size] = information_of_parts
    slope, left = np.empty(size + 1), np.empty(size + 1)
    slope[:size] = slope_of_parts
    down, up = np.empty(size + 1), np.full(size + 1, np.inf)
    step, moved = np.empty(size + 1), np.empty(size + 1)
    lanes = in_lanes(columns, excess)
    shared = np.empty(lanes.shape[0] * LANE)
    nats = np.empty(number)
    found = np.empty((number, size + 1))
    for s in range(number):
        information[size, size] = shared_with(lanes, weights, sources, which[s], shared)
        information[size, :size] = shared[:size]
        slope[size] = shared[size]
        moved[:] = 0.0
        for _ in range(SCREEN_STEPS):
            for p in range(size + 1):
                total = slope[p]
                for q in range(p + 1):
                    total -= information[p, q] * moved[q]
                for q in range(p + 1, size + 1):
                    total -= information[q, p] * moved[q]
                left[p] = total
            for p in range(size):
                down[p] = parts.lower[p] - values[p] - moved[p]
                up[p] = parts.upper[p] - values[p] - moved[p]
            down[size] = -moved[size]
            bounded_step((information, left), (down, up), step)
            moved += step
        gain = 0.0
        for p in range(size + 1):
            curved = 0.0
            for q in range(p):
                curved += information[p, q] * moved[q]
            gain += moved[p] * (slope[p] - curved - 0.5 * information[p, p] * moved[p])
            found[s, p] = moved[p] + (values[p] if p < size else 0.0)
        nats[s] = gain
    return nats, found
