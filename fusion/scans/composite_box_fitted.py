"""How much of a box an outline in a display picture is: a fit to outlines of drawn pictures.

The numbers are printed by `edge.study.xray_picture_fit`; the terms are those of
`composite_box_terms.TERMS`. Wrong outlines of cargo pictures and all outlines of pictures that show
no cargo were what to tell it from.
"""

import math

FITTED: tuple[tuple[str, float, float, float, float, float], ...] = (
    ("roof", 0.899, 0.172, 0.746, 0.470, 0.716),
    ("at the top", 0.118, 0.322, -0.312, -0.225, 0.000),
    ("deck", 0.840, 0.342, 0.335, 0.000, -0.238),
    ("posts", 0.603, 0.391, 0.743, 0.618, 0.709),
    ("upright", 0.346, 0.441, -0.072, 0.928, 0.680),
    ("length", 0.686, 0.308, 0.326, 0.560, -0.326),
    ("height", 0.530, 0.321, 1.739, 0.698, -0.056),
    ("stray", 0.183, 0.224, 0.108, 0.583, 0.348),
    ("onward", 0.243, 0.385, -1.145, 0.274, 0.166),
    ("aspect", 0.293, 0.258, -0.657, -0.049, -0.170),
    ("rail", 0.056, 0.239, 0.085, 0.640, 0.968),
    ("inside", 0.110, 0.218, -0.181, 0.408, 0.118),
    ("beside", 0.633, 0.348, 0.079, 0.145, -0.279),
    ("above", 0.565, 0.350, -0.076, -0.274, -1.039),
    ("below", 0.285, 0.169, 0.418, 0.109, 0.479),
    ("noise", 0.014, 0.012, 0.829, -0.567, -0.316),
    ("walls", 0.795, 0.216, 0.673, 1.312, 0.376),
    ("bare roof and posts", 0.589, 0.358, 0.702, 0.656, 0.338),
    ("whole", 0.519, 0.393, -0.029, 0.296, 0.256),
    ("left out", 0.728, 0.714, -1.353, -0.729, -0.645),
)
"""(term, its mean and spread over the tuning outlines, weights of `bent`)."""
BIAS = -4.914
MOST_SPREADS = 3.0  # no single term decides alone
USUAL_SPREADS = 0.5
SURE = (0.920, 0.066, -0.179)
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
