"""What each measured term of an event speaks for, by a fitted table."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


@njit(cache=True, nogil=True, error_model="numpy")
def weigh(values: Floats, knots: Floats, nats: Floats, out: Floats) -> None:
    """Nats of every term for every class.

    values  (terms,) NaN where not known, which speaks for nothing
    knots   (terms, knots) rising; beyond the first and the last a term says no more than there
    nats    (terms, knots, classes) at the knots; between them along a straight line
    out     (terms, classes) filled here

    An additive model (Hastie and Tibshirani 1986, Stat. Sci. 1:297) with straight pieces: its
    verdict is a sum, so that it can be read.
    """
    last = knots.shape[1] - 1
    for t in range(values.shape[0]):
        value = values[t]
        if not np.isfinite(value):
            for c in range(out.shape[1]):
                out[t, c] = 0.0
            continue
        value = min(max(value, knots[t, 0]), knots[t, last])
        k = 0
        while k < last - 1 and value > knots[t, k + 1]:
            k += 1
        width = knots[t, k + 1] - knots[t, k]
        share = (value - knots[t, k]) / width if width > 0.0 else 0.0
        for c in range(out.shape[1]):
            out[t, c] = (1.0 - share) * nats[t, k, c] + share * nats[t, k + 1, c]


@njit(cache=True, nogil=True, error_model="numpy")
def gather(fresh: Floats, keep: float, mean: Floats, totals: Floats) -> None:
    """Let the mean of what was said follow what is said now by a share of `keep`.

    fresh, mean  (terms, classes)
    totals       (classes,) filled with the sums of the mean's terms
    """
    totals[:] = 0.0
    for t in range(fresh.shape[0]):
        for c in range(fresh.shape[1]):
            mean[t, c] += keep * (fresh[t, c] - mean[t, c])
            totals[c] += mean[t, c]
