"""How empty a display picture's box looks: a fit to drawn pictures of known truth.

The numbers are printed by `edge.study.xray_picture_fit`; the terms are those of
`composite_terms.TERMS`. A term is a share of the picture's range, of which what is twice as much
tells about as much everywhere: so its logarithm is weighed.
"""

import math

from fusion.scans.composite_terms import TERMS

FITTED: tuple[tuple[str, float, float, float, float, float], ...] = (
    ("median", -2.035, 1.270, -0.283, -0.355, -0.118),
    ("p90-p25", -2.301, 1.404, -0.406, -0.432, 0.150),
    ("p98-p25", -1.736, 1.315, 0.777, -0.161, 0.232),
    ("p25", -2.293, 1.194, -0.070, -0.383, -0.461),
    ("lower-upper", -2.809, 1.299, -0.715, -0.366, 0.354),
    ("down90", -2.787, 0.920, 0.083, -0.322, 0.231),
    ("down50", -3.610, 0.384, 0.400, -0.023, 0.193),
    ("down/along", 1.226, 0.564, 0.316, 0.064, -0.241),
    ("deck-median", 0.702, 0.345, 0.060, -0.073, -0.160),
    ("deck-p90", 0.476, 0.502, 0.374, -0.197, -0.209),
    ("ribs-same", 0.304, 0.315, 0.190, 0.112, 0.312),
    ("ribs", -3.514, 0.441, 0.617, -0.199, -0.134),
    ("over", -2.006, 1.456, -0.067, -0.143, 0.043),
    ("along90", -3.061, 0.773, 0.781, 0.116, -0.201),
    ("p75-p10", -2.405, 1.373, -0.629, -0.223, 0.230),
    ("noise", 0.014, 0.013, 0.186, -0.360, -0.252),
    ("p98-p5", -1.538, 1.287, 0.748, -0.196, 0.078),
    ("p90-p5", -2.047, 1.414, 0.029, -0.593, -0.086),
    ("p50-p5", -2.788, 1.146, 0.302, 0.069, 0.102),
    ("spot", -2.046, 1.269, -0.928, 0.014, 0.376),
    ("spot98", -2.655, 1.165, 0.089, 0.066, 0.513),
    ("column90-50", -3.224, 0.902, -0.200, -0.007, 0.017),
    ("column50-10", -3.050, 1.181, -0.354, 0.008, 0.137),
    ("down-up90", -2.566, 1.457, -0.069, -0.182, -0.305),
    ("down-up50", -2.945, 1.340, -0.165, -0.327, -0.119),
    ("down-up10", -3.587, 0.836, 0.072, -0.030, 0.000),
    ("level step", -2.358, 1.284, -0.724, -0.753, 0.017),
    ("stray50", -3.598, 0.468, -0.696, -0.329, 0.173),
    ("stray90", -2.917, 1.051, -0.233, -0.044, 0.075),
    ("stray98", -2.085, 1.302, -0.678, -0.427, 0.063),
    ("stray99/50", 2.260, 1.383, 0.061, 0.203, 0.393),
    ("low98", -2.286, 1.185, 0.444, 0.066, 0.293),
    ("floor", -2.582, 1.168, 0.193, -0.673, -0.281),
    ("floor95", -2.859, 1.054, -0.340, -0.852, -0.201),
    ("floor/usual", 1.434, 1.301, -0.130, -1.449, -0.516),
    ("stands", -2.904, 1.128, -0.143, -0.048, -0.118),
    ("stands/usual", 0.957, 1.224, -0.303, -0.058, -0.060),
    ("stands along", -3.164, 0.925, -0.161, 0.208, 0.005),
)
"""(term, its mean and spread over the tuning pictures, weights of `bent`)."""
BIAS = 0.820
LEAST = 0.02  # of the range: less is noise
STRAIGHT = {"ribs-same", "deck-median", "deck-p90", "down/along", "noise"}
RATIOS = {"stray99/50", "floor/usual", "stands/usual"}
MOST_SPREADS = 2.5  # no single term decides alone
USUAL_SPREADS = 0.5
DARKEST_WALLS, DARK_WEIGHT = 0.55, 25.0
MOST_LOGIT = 8.0
SURE = (-0.038, 0.733, 0.792, 0.030)
"""Weights of how far the logit is from 0, of the box, of their product, and of 1."""
MOST_AWAY = 6.0


def curved(terms: tuple[float, ...]) -> list[float]:
    """The terms as they are weighed."""
    return [_curved(name, term) for name, term in zip(TERMS, terms, strict=True)]


def _curved(name: str, term: float) -> float:
    if name in STRAIGHT:
        return round(min(max(term, -1.0), 2.0), 6)
    if name in RATIOS:
        return round(math.log1p(max(term, 0.0)), 6)
    # Rounded so that a last bit of another machine's logarithm changes nothing.
    return round(math.log(max(term, 0.0) + LEAST), 6)


def bent(away: float) -> tuple[float, float, float]:
    """A term in spreads from its mean, and how much it is above and below what is usual."""
    away = min(max(away, -MOST_SPREADS), MOST_SPREADS)
    return away, max(away - USUAL_SPREADS, 0.0), max(-away - USUAL_SPREADS, 0.0)


def empty_logit(terms: tuple[float, ...]) -> float:
    """Log-odds that a box with these terms is empty."""
    # Walls alone never take more than half of the range, whatever the curve.
    logit = BIAS - DARK_WEIGHT * max(terms[0] - DARKEST_WALLS, 0.0)
    for (_, mean, spread, *weights), term in zip(FITTED, curved(terms), strict=True):
        parts = bent((term - mean) / spread)
        logit += math.fsum(w * part for w, part in zip(weights, parts, strict=True))
    return round(min(max(logit, -MOST_LOGIT), MOST_LOGIT), 4)


def sure_of(logit: float, box_sure: float) -> float:
    """0.5 to 1: how often a picture with such a logit and box is told rightly.

    Fitted to pictures that the logit was not fitted to; one that shows no cargo is right in one
    half of all cases.
    """
    of_logit, of_box, of_both, constant = SURE
    away = min(abs(logit), MOST_AWAY)
    odds = of_logit * away + of_box * box_sure + of_both * away * box_sure + constant
    return max(1.0 / (1.0 + math.exp(-odds)), 0.5)
