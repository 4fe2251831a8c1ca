"""How empty a display picture's box looks: a fit to drawn pictures of known truth.

The numbers are printed by `edge.study.xray_picture_fit`; the terms are those of
`composite_terms.TERMS`. A term is a share of the picture's range, of which what is twice as much
tells about as much everywhere: so its logarithm is weighed.
"""

import math

from fusion.scans.composite_terms import TERMS

FITTED: tuple[tuple[str, float, float, float, float, float], ...] = (
    ("median", -2.037, 1.271, -0.299, -0.322, -0.085),
    ("p90-p25", -2.277, 1.409, -0.429, -0.453, 0.165),
    ("p98-p25", -1.709, 1.310, 0.768, -0.164, 0.260),
    ("p25", -2.312, 1.190, -0.055, -0.301, -0.444),
    ("lower-upper", -2.793, 1.306, -0.746, -0.377, 0.409),
    ("down90", -2.779, 0.921, 0.081, -0.345, 0.198),
    ("down50", -3.610, 0.385, 0.370, 0.008, 0.216),
    ("down/along", 1.232, 0.561, 0.353, -0.085, -0.241),
    ("deck-median", 0.703, 0.343, 0.059, -0.068, -0.099),
    ("deck-p90", 0.475, 0.502, 0.383, -0.219, -0.287),
    ("ribs-same", 0.304, 0.313, 0.228, 0.089, 0.311),
    ("ribs", -3.513, 0.442, 0.656, -0.254, -0.208),
    ("over", -2.001, 1.448, -0.008, -0.165, 0.007),
    ("along90", -3.054, 0.775, 0.853, 0.109, -0.234),
    ("p75-p10", -2.393, 1.380, -0.596, -0.221, 0.203),
    ("noise", 0.014, 0.013, 0.169, -0.349, -0.254),
    ("p98-p5", -1.517, 1.283, 0.682, -0.203, 0.155),
    ("p90-p5", -2.029, 1.416, -0.036, -0.609, -0.045),
    ("p50-p5", -2.775, 1.158, 0.200, 0.010, 0.127),
    ("spot", -2.030, 1.271, -0.858, -0.038, 0.486),
    ("spot98", -2.640, 1.171, 0.030, 0.048, 0.501),
    ("column90-50", -3.215, 0.913, -0.220, 0.003, 0.052),
    ("column50-10", -3.041, 1.193, -0.364, -0.042, 0.134),
    ("down-up90", -2.550, 1.463, -0.076, -0.194, -0.286),
    ("down-up50", -2.928, 1.348, -0.163, -0.325, -0.115),
    ("down-up10", -3.582, 0.842, 0.066, -0.029, 0.000),
    ("level step", -2.339, 1.284, -0.582, -0.671, 0.003),
    ("stray50", -3.598, 0.469, -0.725, -0.308, 0.187),
    ("stray90", -2.907, 1.056, -0.258, -0.050, 0.074),
    ("stray98", -2.068, 1.305, -0.649, -0.419, 0.031),
    ("stray99/50", 2.279, 1.389, 0.083, 0.152, 0.313),
    ("low98", -2.278, 1.186, 0.434, 0.073, 0.293),
    ("floor", -2.576, 1.169, 0.181, -0.682, -0.290),
    ("floor95", -2.856, 1.054, -0.319, -0.863, -0.238),
    ("floor/usual", 1.440, 1.302, -0.206, -1.509, -0.511),
    ("stands", -2.903, 1.128, -0.054, -0.049, -0.224),
    ("stands/usual", 0.958, 1.225, -0.149, -0.131, -0.088),
    ("stands along", -3.164, 0.925, -0.251, 0.226, 0.011),
)
"""(term, its mean and spread over the tuning pictures, weights of `bent`)."""
BIAS = 0.833
LEAST = 0.02  # of the range: less is noise
STRAIGHT = {"ribs-same", "deck-median", "deck-p90", "down/along", "noise"}
RATIOS = {"stray99/50", "floor/usual", "stands/usual"}
MOST_SPREADS = 2.5  # no single term decides alone
USUAL_SPREADS = 0.5
DARKEST_WALLS, DARK_WEIGHT = 0.55, 25.0
MOST_LOGIT = 8.0
SURE = (-0.045, 0.636, 0.821, 0.109)
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
