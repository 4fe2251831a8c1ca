"""How empty a display picture's box looks: a fit to drawn pictures of known truth.

The numbers are printed by `edge.study.xray_picture_fit`; the terms are those of
`composite_terms.TERMS`. A term is a share of the picture's range, of which what is twice as much
tells about as much everywhere: so its logarithm is weighed.
"""

import math

from fusion.scans.composite_terms import TERMS

FITTED: tuple[tuple[str, float, float, float, float, float], ...] = (
    ("median", -2.199, 1.123, -0.251, -0.649, -0.113),
    ("p90-p25", -2.111, 1.371, -0.327, -0.379, -0.178),
    ("p98-p25", -1.573, 1.232, -0.136, -0.491, -0.307),
    ("p25", -2.505, 1.064, -0.133, -0.745, -0.292),
    ("lower-upper", -2.702, 1.301, -0.843, -0.370, 0.243),
    ("down90", -2.939, 0.928, 0.117, 0.023, 0.007),
    ("down50", -3.692, 0.340, 0.085, -0.143, 0.032),
    ("down/along", 1.292, 0.561, 0.455, 0.037, 0.070),
    ("deck-median", 0.758, 0.302, -0.093, -0.119, -0.283),
    ("deck-p90", 0.461, 0.561, -0.003, -0.088, -0.219),
    ("ribs-same", 0.330, 0.327, 0.035, 0.197, -0.130),
    ("ribs", -3.663, 0.287, -0.079, -0.044, 0.037),
    ("over", -1.709, 1.362, -0.047, -0.077, -0.204),
    ("along90", -3.169, 0.843, 0.299, -0.089, -0.103),
    ("p75-p10", -2.241, 1.323, -0.653, -0.309, -0.176),
    ("noise", 0.009, 0.006, 0.253, -0.061, -0.180),
    ("p98-p5", -1.439, 1.204, -0.275, -0.445, -0.279),
    ("p90-p5", -1.924, 1.352, -0.424, -0.363, -0.151),
    ("p50-p5", -2.782, 0.999, 0.247, -0.284, -0.212),
    ("spot", -2.224, 1.270, -2.053, -0.831, 0.096),
    ("spot98", -2.736, 1.152, -0.033, 0.051, -0.099),
)
"""(term, its mean and spread over the tuning pictures, weights of `bent`)."""
BIAS = 0.894
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
