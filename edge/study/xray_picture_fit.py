"""Fits how empty a display picture looks to drawn pictures of known truth.

`python -m edge.study.xray_picture_fit [FIRST] [COUNT]` prints the numbers that
`fusion.scans.composite_fitted` holds. Tuning seeds only.
"""

import sys
from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.kernel_cache import use_kernel_cache
from edge.study.packs import REPORT_SEED
from edge.study.xray_pictures import picture
from fusion.scans.composite_box import find_box
from fusion.scans.composite_clean import clean
from fusion.scans.composite_fitted import bent, curved
from fusion.scans.composite_terms import TERMS, inside_of, terms

Matrix = NDArray[np.float64]
RIDGE = 0.005
STEPS = 60


def looked_at(seeds: Iterable[int]) -> tuple[Matrix, Matrix]:
    """(pictures, terms) and (pictures,) 1 where empty, of those with a box."""
    rows, empty = [], []
    for seed in seeds:
        data, truth = picture(seed)
        grey = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), 0), np.uint8)
        cleaned = clean(grey)
        box = find_box(cleaned.dark, cleaned.noise)
        if box is not None:
            inside = inside_of(box, cleaned.noise)
            rows.append(curved(terms(box, inside, cleaned.noise)))
            empty.append(float(truth.empty))
    return np.array(rows), np.array(empty)


def fitted(rows: Matrix, empty: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """(means, spreads, weights): logistic regression by Newton's method.

    weights  (3 * terms + 1,): of the terms, of what they are above and below the usual, bias
    """
    means, spreads = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    parts = np.array(
        [[bent((x - m) / s) for x, m, s in zip(row, means, spreads, strict=True)] for row in rows]
    )
    flat = parts.transpose(0, 2, 1).reshape(len(rows), -1)
    design = np.column_stack([flat, np.ones(len(rows))])
    weights = np.zeros(design.shape[1])
    ridge = RIDGE * np.diag([1.0] * (len(weights) - 1) + [0.0])
    for _ in range(STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -30.0, 30.0)))
        curve = (design * (p * (1.0 - p) + 1e-6)[:, None]).T @ design / len(rows) + ridge
        step = np.linalg.solve(curve, design.T @ (empty - p) / len(rows) - ridge @ weights)
        weights += step * min(1.0, 2.0 / float(np.abs(step).max()))
    return means, spreads, weights


def written(means: Matrix, spreads: Matrix, weights: Matrix) -> str:
    """The rows of `composite_fitted.FITTED`, and its bias."""
    columns = (means, spreads, *weights[:-1].reshape(3, -1))
    lines = [
        f'    ("{name}", {", ".join(f"{value:.3f}" for value in values)}),'
        for name, *values in zip(TERMS, *columns, strict=True)
    ]
    return "\n".join([*lines, f"BIAS = {weights[-1]:.3f}"])


if __name__ == "__main__":
    use_kernel_cache()
    first, count = (int(given) for given in (*sys.argv[1:], "0", "600")[:2])
    if first + count > REPORT_SEED:
        sys.exit("these seeds are for reports")
    sys.stdout.write(written(*fitted(*looked_at(range(first, first + count)))) + "\n")
