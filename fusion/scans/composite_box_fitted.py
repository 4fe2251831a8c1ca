"""How much of a box an outline in a display picture is: a fit to outlines of drawn pictures.

The numbers are printed by `edge.study.xray_picture_fit`; the terms are those of
`composite_box_terms.TERMS`. Wrong outlines of cargo pictures and all outlines of pictures that show
no cargo were what to tell it from.
"""

import math

FITTED: tuple[tuple[str, float, float, float, float, float], ...] = (
    ("roof", 0.899, 0.172, 0.708, 0.303, 0.652),
    ("at the top", 0.118, 0.322, -0.205, -0.148, 0.000),
    ("deck", 0.841, 0.342, 0.131, 0.000, -0.173),
    ("posts", 0.603, 0.391, 0.359, 0.333, 0.263),
    ("upright", 0.346, 0.441, -0.214, 0.614, 0.401),
    ("length", 0.686, 0.308, 0.379, 0.340, -0.420),
    ("height", 0.530, 0.321, 1.604, 0.757, -0.013),
    ("stray", 0.183, 0.224, 0.117, 0.486, 0.283),
    ("onward", 0.243, 0.385, -1.060, 0.070, 0.132),
    ("aspect", 0.293, 0.258, -0.619, 0.086, 0.053),
    ("rail", 0.056, 0.239, 0.129, 0.669, 0.868),
    ("inside", 0.110, 0.218, -0.099, 0.158, 0.160),
    ("beside", 0.634, 0.348, 0.183, 0.268, -0.183),
    ("above", 0.565, 0.350, -0.023, -0.192, -0.910),
    ("below", 0.285, 0.169, 0.524, 0.069, 0.651),
    ("noise", 0.014, 0.012, 0.474, -0.728, -0.567),
    ("walls", 0.795, 0.216, 0.055, 0.331, 0.140),
    ("bare roof and posts", 0.589, 0.358, 0.566, 0.602, 0.275),
    ("whole", 0.519, 0.393, -0.107, 0.246, 0.201),
    ("left out", 0.727, 0.714, -1.125, -0.500, -0.371),
    ("roof over usual", 1.895, 1.178, 0.147, -0.419, -0.317),
    ("deck over usual", 1.606, 1.447, 0.386, 0.748, 0.191),
    ("ends over usual", 1.698, 1.056, 1.504, -1.049, -0.554),
)
"""(term, its mean and spread over the tuning outlines, weights of `bent`)."""
BIAS = -4.442
MOST_SPREADS = 3.0  # no single term decides alone
USUAL_SPREADS = 0.5
SURE = (0.957, 0.069, -0.307)
"""Weights of the best outline's logit, of its lead over the next other one, and of 1."""
MOST_LOGIT = 6.0


def bent(away: float) -> tuple[float, float, float]:
    """A term in spreads from its mean, and how much it is above and below what is usual."""
    away = min(max(away, -MOST_SPREADS), MOST_SPREADS)
    return away, max(away - USUAL_SPREADS, 0.0), max(-away - USUAL_SPREADS, 0.0)


def box_logit(terms: tuple[float, ...]) -> float:
    """Log-odds that an outline with these terms is a box, right to a tenth of its height."""
    logit = BIAS
    for (_, mean, spread, *weights), term in zip(FITTED, terms, strict=True):
        parts = bent((term - mean) / spread)
        logit += math.fsum(w * part for w, part in zip(weights, parts, strict=True))
    return round(logit, 4)


def sure_of(best: float, other: float) -> float:
    """0 to 1: that the best outline is right.

    other  logit of the best outline elsewhere
    """
    of_best, of_lead, constant = SURE
    lead = min(max(best - other, 0.0), MOST_LOGIT)
    logit = of_best * min(max(best, -MOST_LOGIT), MOST_LOGIT) + of_lead * lead + constant
    return 1.0 / (1.0 + math.exp(-logit))
