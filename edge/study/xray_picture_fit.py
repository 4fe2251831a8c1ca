"""Fits what is told of display pictures to drawn ones of known truth.

`python -m edge.study.xray_picture_fit box|empty [FIRST] [SCANS]` prints the numbers that
`fusion.scans.composite_box_fitted` and `fusion.scans.composite_fitted` hold: first those of the
box, then, with them in place, those of emptiness. Tuning seeds only.
"""

import sys
from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.wire.pseudo_colour import grey_of
from edge.kernel_cache import use_kernel_cache
from edge.study.packs import REPORT_SEED
from edge.study.xray_pictures import Box as Outline
from edge.study.xray_pictures_hard import WAYS, HardTruth, hard_picture
from edge.study.xray_pictures_other import other_picture
from fusion.scans import composite_box_fitted, composite_box_terms, composite_fitted
from fusion.scans.composite_box import Box, candidates, find_box
from fusion.scans.composite_clean import Clean, clean
from fusion.scans.composite_terms import TERMS, inside_of, terms

Matrix = NDArray[np.float64]
Bent = Callable[[float], tuple[float, float, float]]
STEPS = 60
NEAR, DOUBTFUL = 0.1, 0.2  # of a box's height: so far off its outline is right; is neither
BOX_RIDGE, EMPTY_RIDGE, SURE_RIDGE = 0.001, 0.002, 1e-4
OTHERS = 280  # pictures of something else
WRONG_BOX_WEIGHT = 0.15  # what is seen in a box that is none teaches little


def pictures(first: int, scans: int) -> Iterator[tuple[Clean, HardTruth | None]]:
    """Cleaned pictures and their truth; None: no cargo."""
    for seed in range(first, first + scans):
        for way in range(WAYS):
            data, truth = hard_picture(seed, way)
            yield clean(_decoded(data)), truth
    for seed in range(OTHERS):
        yield clean(_decoded(other_picture(seed)[0])), None


def _decoded(data: bytes) -> NDArray[np.uint8]:
    picture = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), -1), np.uint8)
    return grey_of(picture) if picture.ndim == 3 else picture


def _off(cleaned: Clean, box: Box, outlines: Sequence[Outline]) -> float:
    """Largest error of front, rear and roof in heights of the nearest true box."""
    found = (
        cleaned.left + cleaned.scale * box.left,
        cleaned.top + cleaned.scale * box.top,
        cleaned.left + cleaned.scale * box.right,
    )
    return min(
        (
            max(abs(one - true) for one, true in zip(found, outline[:3], strict=True))
            / (outline[3] - outline[1])
            for outline in outlines
        ),
        default=9.0,
    )


def fit_box(first: int, scans: int) -> str:
    """Which outlines are boxes, and how often the best of a picture is right."""
    rows, off, of = [], [], []
    for number, (cleaned, truth) in enumerate(pictures(first, scans)):
        for box in candidates(cleaned.dark, cleaned.noise):
            rows.append(box.terms)
            off.append(_off(cleaned, box, truth.boxes if truth else ()))
            of.append(number)
    away, numbers = np.array(off), np.array(of)
    weights = np.where((away > NEAR) & (away < DOUBTFUL), 0.3, 1.0)
    bent = composite_box_fitted.bent
    found = fitted(np.array(rows), (away <= NEAR).astype(float), weights, BOX_RIDGE, bent)
    logits = design(np.array(rows), found[0], found[1], bent) @ found[2]
    best = []
    for number in np.unique(numbers):
        mine = np.nonzero(numbers == number)[0]
        order = mine[np.argsort(-logits[mine])]
        lead = logits[order[0]] - (logits[order[1]] if order.size > 1 else -9.0)
        top = float(np.clip(logits[order[0]], -6.0, 6.0))
        best.append((top, float(np.clip(lead, 0.0, 6.0)), away[order[0]] <= NEAR))
    table = np.array(best)
    sure = regression(
        np.column_stack([table[:, :2], np.ones(len(table))]),
        table[:, 2],
        np.ones(len(table)),
        SURE_RIDGE,
    )
    return f"{written(composite_box_terms.TERMS, *found)}\nSURE = {_tuple(sure)}"


def fit_empty(first: int, scans: int) -> str:
    """How empty a box looks, and how often that is right; other pictures are a coin's throw."""
    rows, empty, weights, sure, cargo = [], [], [], [], []
    for cleaned, truth in pictures(first, scans):
        box = find_box(cleaned.dark, cleaned.noise)
        if box is None:
            continue
        inside = inside_of(box, cleaned.noise)
        rows.append(composite_fitted.curved(terms(box, inside, cleaned.noise)))
        empty.append(float(truth.empty) if truth else 0.0)
        near = truth is not None and _off(cleaned, box, truth.boxes) <= 1.5 * NEAR
        weights.append(1.0 if near else WRONG_BOX_WEIGHT)
        sure.append(box.sure)
        cargo.append(truth is not None)
    every, truths, weigh = np.array(rows), np.array(empty), np.array(weights)
    boxes, real, bent = np.array(sure), np.array(cargo), composite_fitted.bent
    found = fitted(every[real], truths[real], weigh[real], EMPTY_RIDGE, bent)
    logits = design(every, found[0], found[1], bent) @ found[2]
    # How often it is right is asked of pictures that were left out, half by half.
    half = np.arange(len(every)) // (2 * WAYS) % 2 == 0
    for one in (half, ~half):
        part = fitted(every[one & real], truths[one & real], weigh[one & real], EMPTY_RIDGE, bent)
        logits[~one & real] = design(every[~one & real], part[0], part[1], bent) @ part[2]
    right = (logits > 0.0) == (truths > 0.0)
    far = np.minimum(np.abs(logits), composite_fitted.MOST_AWAY)
    plain = np.column_stack([far, boxes, far * boxes, np.ones(len(far))])
    both = np.concatenate([plain[real], plain[~real], plain[~real]])
    told = np.concatenate([right[real], np.ones(np.sum(~real)), np.zeros(np.sum(~real))])
    share = np.concatenate([np.ones(np.sum(real)), np.full(2 * np.sum(~real), 0.5)])
    return f"{written(TERMS, *found)}\nSURE = {_tuple(regression(both, told, share, SURE_RIDGE))}"


def fitted(
    rows: Matrix, truth: Matrix, weights: Matrix, ridge: float, bent: Bent
) -> tuple[Matrix, Matrix, Matrix]:
    """(means, spreads, weights of the bent terms and of 1)."""
    means, spreads = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    return means, spreads, regression(design(rows, means, spreads, bent), truth, weights, ridge)


def design(rows: Matrix, means: Matrix, spreads: Matrix, bent: Bent) -> Matrix:
    """(rows, 3 * terms + 1): terms, what they are above and below the usual, 1."""
    parts = np.array(
        [[bent((x - m) / s) for x, m, s in zip(row, means, spreads, strict=True)] for row in rows]
    )
    flat = parts.transpose(0, 2, 1).reshape(len(rows), -1)
    return np.column_stack([flat, np.ones(len(rows))])


def regression(rows: Matrix, truth: Matrix, weights: Matrix, ridge: float) -> Matrix:
    """Logistic regression by Newton's method; the last column is 1."""
    found = np.zeros(rows.shape[1])
    kept = ridge * np.diag([1.0] * (len(found) - 1) + [0.0])
    for _ in range(STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(rows @ found, -30.0, 30.0)))
        curve = (rows * (weights * (p * (1.0 - p) + 1e-6))[:, None]).T @ rows / weights.sum() + kept
        slope = rows.T @ (weights * (truth - p)) / weights.sum() - kept @ found
        step = np.linalg.solve(curve, slope)
        found += step * min(1.0, 2.0 / float(np.abs(step).max()))
    return found


def written(names: Sequence[str], means: Matrix, spreads: Matrix, weights: Matrix) -> str:
    """The rows of `FITTED`, and the bias."""
    columns = (means, spreads, *weights[:-1].reshape(3, -1))
    lines = [
        f'    ("{name}", {", ".join(f"{value:.3f}" for value in values)}),'
        for name, *values in zip(names, *columns, strict=True)
    ]
    return "\n".join([*lines, f"BIAS = {weights[-1]:.3f}"])


def _tuple(values: Matrix) -> str:
    return f"({', '.join(f'{value:.3f}' for value in values)})"


if __name__ == "__main__":
    use_kernel_cache()
    what, first, scans = (*sys.argv[1:], *("empty", "1000", "300")[len(sys.argv) - 1 :])[:3]
    if int(first) + int(scans) > REPORT_SEED:
        sys.exit("these seeds are for reports")
    fit = fit_box if what == "box" else fit_empty
    sys.stdout.write(fit(int(first), int(scans)) + "\n")
