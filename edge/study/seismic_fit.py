"""`python -m edge.study.seismic_fit OUT.py`: what each term of ground motion speaks for.

A multinomial logistic model that is a sum of one saturating function of each term, straight
between knots (Hastie and Tibshirani 1986, Stat. Sci. 1:297). A look whose class is not certain
counts for all that it may be (expectation and maximisation in one step). By Adam (Kingma and Ba
2015), on seeds below 1,000,000 only; half an hour on one core.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.kernel_cache import use_kernel_cache
from edge.study.seismic_rows import Rows, rows
from fusion.seismic_features import CLASSES, TERMS

Floats = NDArray[np.floating]

KNOTS = 6
ITERATIONS = 1500
BATCH = 8192
RATE = 0.05
RIDGE, SMOOTH = 2e-4, 2e-4
CAPS = {
    **dict.fromkeys(("band_1_5", "band_5_12", "band_12_25", "band_25_45", "band_45_90"), 0.8),
    **dict.fromkeys(("centroid", "bandwidth", "flatness", "tone_hz"), 0.8),
    **dict.fromkeys(("level", "excess"), 0.5),
    **dict.fromkeys(("duration", "swell", "bell", "swing", "active", "attack"), 1.2),
    **dict.fromkeys(("rest", "since_peak", "crest"), 1.2),
    **dict.fromkeys(("cadence", "step_rate", "step_spread", "best_chain", "mean_chain"), 2.5),
    **dict.fromkeys(("chain", "chain_nats", "chain_hz", "chain_depth"), 2.5),
    **dict.fromkeys(("chain_heights", "chain_age", "chain_share"), 2.5),
    **dict.fromkeys(("chain_jitter", "chain_loads", "mean_jitter", "mean_loads"), 2.5),
    **dict.fromkeys(("steady_pace", "beat", "mean_beat"), 2.5),
}
"""Most nats of a term, USUAL_CAP for the others: what the ground does to a spectrum differs from
site to site, what legs do does not."""
USUAL_CAP = 1.5
ALIKE: frozenset[str] = frozenset(
    (
        *(name for name, cap in CAPS.items() if cap <= 1.2 and name != "crest"),
        *("tone", "lines", "line_count", "comb", "above_60_hz", "drift", "steady_tone"),
        *("chain_age", "slope", "cadence_hz"),
    )
)
"""Terms that say nothing of how many walk: one person and several have the same nats there."""
PRIOR_NATS = {"vehicle": 0.4}
"""What is usual: none of the scenes has as many of them as roads have, and no fewer are missed."""
PLAN = (
    ("class", 600_000, 1800),
    ("pass", 620_000, 1200),
    ("quiet", 630_000, 200),
    ("rhythm", 640_000, 1050),
)


def gathered(plan: Sequence[tuple[str, int, int]]) -> Rows:
    """All looks of these scenes: (kind, first seed, how many) of each."""
    found = []
    for kind, first, number in plan:
        for seed in range(first, first + number):
            one = rows(seed, kind)
            if len(one.values):
                # A long scene says more, but not in proportion.
                share = one.weights / np.sqrt(len(one.weights))
                found.append(Rows(one.values, one.allowed, share))
            if (seed - first) % 100 == 0:
                sys.stderr.write(f"{kind}: {seed - first} of {number}\n")
    return Rows(
        np.concatenate([one.values for one in found]),
        np.concatenate([one.allowed for one in found]),
        np.concatenate([one.weights for one in found]),
    )


def balanced(told: Rows) -> Rows:
    """The same with as much weight of looks that are certain for each class: none is the usual."""
    weights, certain = told.weights.copy(), told.allowed.sum(axis=1) == 1
    whole = weights[certain].sum() / len(CLASSES)
    for column in told.allowed.T:
        mine = certain & column
        weights[mine] *= whole / max(weights[mine].sum(), 1e-12)
    return Rows(told.values, told.allowed, weights)


def knots_of(values: Floats) -> Floats:
    """(terms, KNOTS) between the 2nd and the 98th hundredth: quantiles half, half even."""
    knots = np.zeros((values.shape[1], KNOTS))
    for term, column in enumerate(values.T):
        known = column[np.isfinite(column)]
        spread = np.quantile(known, np.linspace(0.02, 0.98, KNOTS)) if len(known) else np.zeros(1)
        low, high = spread[0], max(spread[-1], spread[0] + 1e-3)
        knots[term] = 0.6 * spread + 0.4 * np.linspace(low, high, KNOTS)
        knots[term] += 1e-6 * np.arange(KNOTS)
    return knots


def basis(values: Floats, knots: Floats) -> NDArray[np.float32]:
    """(looks, terms * KNOTS) shares of the two knots beside each value; none where not known."""
    table = np.zeros((len(values), knots.size), np.float32)
    look = np.arange(len(values))
    for term, row in enumerate(knots):
        column = values[:, term]
        known = np.isfinite(column)
        inside = np.clip(np.where(known, column, 0.0), row[0], row[-1])
        at = np.clip(np.searchsorted(row, inside) - 1, 0, KNOTS - 2)
        share = (inside - row[at]) / (row[at + 1] - row[at])
        table[look, term * KNOTS + at] = known * (1.0 - share)
        table[look, term * KNOTS + at + 1] = known * share
    return table


def fitted(table: NDArray[np.float32], told: Rows, seed: int = 0) -> tuple[Floats, Floats]:
    """Nats (terms * KNOTS, classes) and the bias (classes,)."""
    random = np.random.default_rng(seed)
    shape = (table.shape[1], len(CLASSES))
    caps = np.repeat([CAPS.get(name, USUAL_CAP) for name in TERMS], KNOTS)[:, None]
    alike = np.repeat([name in ALIKE for name in TERMS], KNOTS)
    nats, bias = np.zeros(shape), np.zeros(shape[1])
    weights = told.weights / told.weights.mean()
    first, second = ([np.zeros_like(one), np.zeros_like(one)] for one in (nats, bias))
    for number in range(1, ITERATIONS + 1):
        batch = random.choice(len(table), min(BATCH, len(table)), replace=False)
        error = _error(table[batch] @ nats + bias, told.allowed[batch]) * weights[batch, None]
        slopes = [table[batch].T @ error / len(batch) + RIDGE * nats, error.mean(axis=0)]
        slopes[0] += SMOOTH * _bend(nats)
        step = RATE * (1.0 if number < 0.6 * ITERATIONS else 0.3)
        for value, slope, moments in zip((nats, bias), slopes, (first, second), strict=True):
            moments[0][...] += 0.1 * (slope - moments[0])
            moments[1][...] += 0.001 * (slope * slope - moments[1])
            mean = moments[0] / (1.0 - 0.9**number)
            value[...] -= step * mean / (np.sqrt(moments[1] / (1.0 - 0.999**number)) + 1e-8)
        np.clip(nats, -caps, caps, out=nats)
        nats -= nats.mean(axis=1, keepdims=True)
        nats[alike, :2] = nats[alike, :2].mean(axis=1, keepdims=True)
    bias += [PRIOR_NATS.get(name, 0.0) for name in CLASSES]
    return nats, bias - bias.mean()


def _error(scores: Floats, allowed: NDArray[np.bool_]) -> Floats:
    """Softmax less the same among what is allowed."""
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    meant = shares * allowed
    meant /= np.maximum(meant.sum(axis=1, keepdims=True), 1e-12)
    return np.asarray(shares - meant)


def _bend(nats: Floats) -> Floats:
    """Slope of the squares of the steps from knot to knot."""
    steps = np.diff(nats.reshape(-1, KNOTS, nats.shape[1]), axis=1)
    bend = np.zeros((len(steps), KNOTS, nats.shape[1]))
    bend[:, 1:] += steps
    bend[:, :-1] -= steps
    return bend.reshape(nats.shape)


def source_of(knots: Floats, nats: Floats, bias: Floats) -> str:
    """The module `fusion.seismic_fitted`."""
    seeds = [f"{kind} {first:,}-{first + number - 1:,}" for kind, first, number in PLAN]
    lines = [
        '"""What each term speaks for, as written by `python -m edge.study.seismic_fit`.',
        "",
        "Nats of a sum of straight pieces between the knots of each term, fitted to simulated",
        "scenes on the tuning sites and on drawn ground, of many instruments and rates, and to",
        "nothing that was recorded. Seeds by kind of scene:",
        f"{'; '.join(seeds)}.",
        '"""',
        "",
        "import numpy as np",
        "",
        f"SHAPE = ({len(TERMS)}, {KNOTS}, {len(CLASSES)})",
        '"""(terms, knots, classes), in the orders of `seismic_features`."""',
        "",
        "# Of each term a line of knots, then a line of hundredths of a nat for each knot.",
        '_TABLE = """',
    ]
    for name, row, part in zip(TERMS, knots, nats.reshape(-1, KNOTS, len(CLASSES)), strict=True):
        lines.append(f"{name}: " + " ".join(f"{value:.4g}" for value in row))
        lines += [" ".join(str(round(100.0 * float(value))) for value in each) for each in part]
    lines += [
        '"""',
        "",
        '_ROWS = [line.partition(": ")[2] or line for line in _TABLE.strip().splitlines()]',
        "_NUMBERS = [[float(number) for number in row.split()] for row in _ROWS]",
        "_EACH = SHAPE[1] + 1",
        "KNOTS = np.array(_NUMBERS[::_EACH])",
        '"""(terms, knots)"""',
        "_HUNDREDTHS = [row for n, row in enumerate(_NUMBERS) if n % _EACH]",
        "NATS = np.array(_HUNDREDTHS).reshape(SHAPE) / 100.0",
        '"""(terms, knots, classes)"""',
        f"BIAS = np.array(({', '.join(f'{value:.2f}' for value in bias)}))",
        '"""(classes,)"""',
    ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Gather, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="file to write")
    parser.add_argument("--share", type=float, default=1.0, help="of the planned scenes")
    options = parser.parse_args(arguments)
    use_kernel_cache()
    plan = [(kind, first, max(9, int(n * options.share))) for kind, first, n in PLAN]
    told = balanced(gathered(plan))
    knots = knots_of(told.values)
    options.out.write_text(source_of(knots, *fitted(basis(told.values, knots), told)))


if __name__ == "__main__":
    main()
