"""The filters of ground motion, over the lanes of a tile.

All of them are Butterworth band-passes, whose numerators are alike: (1 - z^-2) for each pole
pair. The first is taken once, for all filters, of the whole counts; each other is a difference of
what the pole pair before it remembers anyway. Each stage is a loop over lanes with some samples
written out in it: the lanes become one vector, and the state stays in registers for those samples.
"""

# ruff: noqa: PLR0917 - kernels take no structures

import numpy as np
from numba import njit

from fusion.kernels.intrinsics import fma
from fusion.kernels.seismic_feed import LANES, Block, Floats
from fusion.kernels.seismic_layout import BAND_0, BAND_SECTIONS, CHUNK, HISTORY, PASS_SECTIONS


@njit(cache=True, nogil=True, error_model="numpy")
def difference(counts: Block, first: int, raw: Floats) -> None:
    """x[n] - x[n-2]: what is constant goes before anything is rounded.

    counts  (samples * LANES,) with HISTORY samples or more before the bin, which begins at `first`
    raw     (bin samples * LANES,) filled here
    """
    now, before = counts[first:], counts[first - HISTORY * LANES :]
    for i in range(raw.shape[0]):
        # As int32 again: of int64, which Numba makes of it, a vector has but half as many.
        raw[i] = np.float32(np.int32(now[i] - before[i]))


@njit(cache=True, nogil=True, error_model="numpy")
def band_pass(values: Floats, setup: Floats, state: Floats) -> None:
    """Four pole pairs; what they let through takes the place of what they were given."""
    a1, a2, b1, b2 = setup[0], setup[1], setup[2], setup[3]
    c1, c2, d1, d2 = setup[4], setup[5], setup[6], setup[7]
    for chunk in range(0, values.shape[0], CHUNK * LANES):
        x = values[chunk : chunk + CHUNK * LANES]
        for i in range(LANES):
            a, a_1, b, b_1 = state[i], state[LANES + i], state[2 * LANES + i], state[3 * LANES + i]
            c, c_1 = state[4 * LANES + i], state[5 * LANES + i]
            d, d_1 = state[6 * LANES + i], state[7 * LANES + i]
            for u in range(CHUNK):
                a_2, b_2, c_2 = a_1, b_1, c_1
                a, a_1 = fma(a1, a, fma(a2, a_1, x[u * LANES + i])), a
                b, b_1 = fma(b1, b, fma(b2, b_1, a - a_2)), b
                c, c_1 = fma(c1, c, fma(c2, c_1, b - b_2)), c
                d, d_1 = fma(d1, d, fma(d2, d_1, c - c_2)), d
                x[u * LANES + i] = d
            state[i], state[LANES + i], state[2 * LANES + i], state[3 * LANES + i] = a, a_1, b, b_1
            state[4 * LANES + i], state[5 * LANES + i] = c, c_1
            state[6 * LANES + i], state[7 * LANES + i] = d, d_1


@njit(cache=True, nogil=True, error_model="numpy")
def band(raw: Floats, setup: Floats, index: int, state: Floats, fields: Floats) -> None:
    """Two pole pairs of a band's; the sum of squares is added to its field."""
    section = PASS_SECTIONS + index * BAND_SECTIONS
    a1, a2 = setup[2 * section], setup[2 * section + 1]
    b1, b2 = setup[2 * section + 2], setup[2 * section + 3]
    z = state[2 * section * LANES : (2 * section + 4) * LANES]
    total = fields[(BAND_0 + index) * LANES : (BAND_0 + index + 1) * LANES]
    for chunk in range(0, raw.shape[0], CHUNK * LANES):
        x = raw[chunk : chunk + CHUNK * LANES]
        for i in range(LANES):
            a, a_1, b, b_1 = z[i], z[LANES + i], z[2 * LANES + i], z[3 * LANES + i]
            energy = total[i]
            for u in range(CHUNK):
                a_2 = a_1
                a, a_1 = fma(a1, a, fma(a2, a_1, x[u * LANES + i])), a
                b, b_1 = fma(b1, b, fma(b2, b_1, a - a_2)), b
                energy = fma(b, b, energy)
            z[i], z[LANES + i], z[2 * LANES + i], z[3 * LANES + i] = a, a_1, b, b_1
            total[i] = energy


@njit(cache=True, nogil=True, error_model="numpy")
def band_real(
    raw: Floats, weights: Floats, setup: Floats, index: int, state: Floats, fields: Floats
) -> None:
    """The same of the samples that are real: of weight 1, not 0."""
    section = PASS_SECTIONS + index * BAND_SECTIONS
    a1, a2 = setup[2 * section], setup[2 * section + 1]
    b1, b2 = setup[2 * section + 2], setup[2 * section + 3]
    z = state[2 * section * LANES : (2 * section + 4) * LANES]
    total = fields[(BAND_0 + index) * LANES : (BAND_0 + index + 1) * LANES]
    for at in range(0, raw.shape[0], LANES):
        x, weight = raw[at : at + LANES], weights[at : at + LANES]
        for i in range(LANES):
            a, a_1, b, b_1 = z[i], z[LANES + i], z[2 * LANES + i], z[3 * LANES + i]
            a_2 = a_1
            a, a_1 = fma(a1, a, fma(a2, a_1, x[i])), a
            b, b_1 = fma(b1, b, fma(b2, b_1, a - a_2)), b
            z[i], z[LANES + i], z[2 * LANES + i], z[3 * LANES + i] = a, a_1, b, b_1
            total[i] = fma(b, b * weight[i], total[i])
