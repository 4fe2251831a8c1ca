"""Confidence intervals of counted things."""

import math

Z_95 = 1.959963984540054  # two-sided 95 %


def proportion(hits: int, of: int) -> tuple[float, float]:
    """Clopper-Pearson 95 % interval of a proportion, exact and conservative.

    Clopper and Pearson 1934, Biometrika 26:404. ValueError unless 0 <= hits <= of.
    """
    if not 0 <= hits <= of:
        raise ValueError(f"{hits} hits of {of}")
    low = 0.0 if hits == 0 else _root(hits, of, 0.025, upper=False)
    high = 1.0 if hits == of else _root(hits, of, 0.025, upper=True)
    return low, high


def events(count: int) -> tuple[float, float]:
    """Exact 95 % interval of the mean of a Poisson count.

    Garwood 1936, Biometrika 28:437. ValueError where the count is less than 0.
    """
    if count < 0:
        raise ValueError(f"{count} events")
    highest = count + 10.0 * math.sqrt(count + 1.0) + 10.0  # far beyond any root
    low = 0.0 if count == 0 else _mean(count - 1, 0.975, highest)
    return low, _mean(count, 0.025, highest)


def _mean(count: int, share: float, highest: float) -> float:
    """The mean of which that share of Poisson counts is at most `count`, by bisection."""
    low, high = 0.0, highest
    for _ in range(80):
        middle = (low + high) / 2
        term, total = math.exp(-middle), 0.0
        for number in range(count + 1):
            total += term
            term *= middle / (number + 1)
        if total > share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _root(hits: int, of: int, tail: float, *, upper: bool) -> float:
    """Where the binomial tail at and beyond `hits` equals `tail`, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):  # each halves the interval: 2^-60
        middle = (low + high) / 2
        below = _at_most(hits if upper else hits - 1, of, middle)
        rising = below if upper else 1.0 - below
        if (rising > tail) == upper:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _at_most(hits: int, of: int, share: float) -> float:
    """P(X <= hits) of a binomial."""
    if share <= 0.0:
        return 1.0
    if share >= 1.0:
        return 1.0 if hits >= of else 0.0
    step = math.log(share) - math.log1p(-share)
    term = of * math.log1p(-share)  # ln P(X = 0)
    total = 0.0
    for count in range(hits + 1):
        total += math.exp(term)
        if count < of:
            term += math.log((of - count) / (count + 1)) + step
    return min(1.0, total)
