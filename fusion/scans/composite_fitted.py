"""How empty a display picture's box looks: a fit to drawn pictures of known truth.

The numbers are printed by `edge.study.xray_picture_fit`; the terms are those of
`composite_terms.TERMS`. A term is a share of the picture's range, of which what is twice as much
tells about as much everywhere: so its logarithm is weighed.
"""

import math

from fusion.scans.composite_terms import TERMS

FITTED: tuple[tuple[str, float, float, float, float, float], ...] = (
    ("median", -2.581, 1.170, -0.056, -0.583, -0.123),
    ("p90-p25", -2.016, 1.456, -0.361, -0.467, -0.075),
    ("p98-p25", -1.481, 1.273, -0.439, -0.650, -0.326),
    ("p25", -2.923, 1.014, -0.095, -0.359, 0.023),
    ("lower-upper", -2.587, 1.381, -0.752, -0.606, 0.068),
    ("down90", -2.941, 0.949, 0.534, 0.073, -0.126),
    ("down50", -3.696, 0.329, 0.187, 0.228, 0.121),
    ("down/along", 1.275, 0.582, 0.231, -0.104, -0.226),
    ("deck-median", 0.811, 0.314, 0.311, -0.007, -0.607),
    ("deck-p90", 0.458, 0.589, 0.786, -0.082, -0.316),
    ("ribs-same", 0.317, 0.336, 0.061, 0.322, -0.059),
    ("ribs", -3.644, 0.324, 0.015, 0.110, 0.125),
    ("over", -1.744, 1.325, 0.232, 0.267, -0.078),
    ("along90", -3.111, 0.884, 0.116, -0.497, -0.150),
    ("p75-p10", -2.157, 1.404, -0.487, -0.344, 0.001),
    ("noise", 0.009, 0.006, 0.011, 0.144, -0.196),
    ("p98-p5", -1.367, 1.244, -0.303, -0.420, -0.186),
    ("p90-p5", -1.855, 1.431, -0.134, -0.261, -0.022),
    ("p50-p5", -2.849, 1.015, 0.731, 0.484, -0.045),
    ("spot", -2.175, 1.312, -2.290, -1.179, 0.082),
    ("spot98", -2.684, 1.207, 0.133, -0.153, -0.216),
)
"""(term, its mean and spread over the tuning pictures, weights of `bent`)."""
BIAS = 0.823
LEAST = 0.02  # of the range: less is noise
STRAIGHT = {"ribs-same", "deck-median", "deck-p90", "down/along", "noise"}
MOST_SPREADS = 2.5  # no single term decides alone
USUAL_SPREADS = 0.5
MOST_LOGIT = 8.0


def curved(terms: tuple[float, ...]) -> list[float]:
    """The terms as they are weighed."""
    return [_curved(name, term) for name, term in zip(TERMS, terms, strict=True)]


def _curved(name: str, term: float) -> float:
    if name in STRAIGHT:
        return round(min(max(term, -1.0), 2.0), 6)
    # Rounded so that a last bit of another machine's logarithm changes nothing.
    return round(math.log(max(term, 0.0) + LEAST), 6)


def bent(away: float) -> tuple[float, float, float]:
    """A term in spreads from its mean, and how much it is above and below what is usual."""
    away = min(max(away, -MOST_SPREADS), MOST_SPREADS)
    return away, max(away - USUAL_SPREADS, 0.0), max(-away - USUAL_SPREADS, 0.0)


def empty_logit(terms: tuple[float, ...]) -> float:
    """Log-odds that a box with these terms is empty."""
    logit = BIAS
    for (_, mean, spread, *weights), term in zip(FITTED, curved(terms), strict=True):
        parts = bent((term - mean) / spread)
        logit += math.fsum(w * part for w, part in zip(weights, parts, strict=True))
    return round(min(max(logit, -MOST_LOGIT), MOST_LOGIT), 4)
