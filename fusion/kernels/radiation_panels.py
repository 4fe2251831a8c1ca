"""How a source is spread over the panels of a portal, once its place is known."""

from typing import NamedTuple

import numpy as np
from numba import njit

from fusion.kernels.radiation import Matrix, Vector, factor_symmetric, solve_factored


class PanelModel(NamedTuple):
    """What may differ from panel to panel beside the source."""

    fitted: Vector
    """(bins,) counts of all panels together, with the source."""
    shares: Vector
    """(panels,) of the background; they add to 1."""
    profile: Vector
    """(bins,) counts per unit of source rate."""
    nuisances: Matrix
    """(bins, unknowns) change of all panels' counts per unit, such as level and shadow."""
    precision: Vector
    """(unknowns,) of their Gaussian priors about 0, > 0."""


@njit(cache=True, nogil=True)
def panel_gain(counts: Matrix, model: PanelModel, spread_cps: Vector, excess: Vector) -> float:
    """Log-likelihood gained by letting each panel have its own share of the source.

    counts      (bins, panels)
    spread_cps  (panels,) 1 sd of a panel's source rate about its share of the background
    excess      (panels,) overwritten by the most probable difference from that share
    returns     nats, >= 0

    For each panel with the residual r about its share m of the fit, nuisances N of precision P
    and W = 1 / m: U = p'W r - p'W N (N'W N + P)^-1 N'W r, V likewise of p and p; the gain is
    U2 / (V + 1 / sd2) / 2 (Cox and Hinkley 1974, section 9.3, with a Gaussian prior).
    """
    bins, panels = counts.shape
    size = model.nuisances.shape[1]
    information = np.empty((size, size))
    cross = np.empty(size)
    solved = np.empty(size)
    gain = 0.0
    for p in range(panels):
        excess[p] = 0.0
        share = model.shares[p]
        if spread_cps[p] <= 0.0 or share <= 0.0:
            continue
        score = 0.0
        variance = 0.0
        information[:, :] = 0.0
        cross[:] = 0.0
        solved[:] = 0.0
        for k in range(size):
            information[k, k] = model.precision[k]
        for i in range(bins):
            mean = max(share * model.fitted[i], 1e-3)
            residual = (counts[i, p] - mean) / mean
            score += model.profile[i] * residual
            variance += model.profile[i] * model.profile[i] / mean
            for k in range(size):
                slope = share * model.nuisances[i, k]
                cross[k] += slope * model.profile[i] / mean
                solved[k] += slope * residual
                for j in range(k + 1):
                    information[k, j] += slope * share * model.nuisances[i, j] / mean
        lost = solved.copy()
        factor_symmetric(information, size)
        solve_factored(information, lost, size)
        solved[:] = cross
        solve_factored(information, solved, size)
        for k in range(size):
            score -= cross[k] * lost[k]
            variance -= cross[k] * solved[k]
        precision = max(variance, 0.0) + 1.0 / (spread_cps[p] * spread_cps[p])
        excess[p] = score / precision
        gain += 0.5 * score * score / precision
    return gain
