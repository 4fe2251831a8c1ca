"""Fits of few parameters to passes of known truth; small, exact and the same on every machine."""

import math

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Truths = NDArray[np.bool_]

STEPS = 200  # of Newton and of expectation; both settle within 40
INNER_STEPS = 25  # each starts where the last one ended
RIDGE = 1e-4  # keeps a feature that tells nothing at 0


class TooLittle(Exception):  # noqa: N818 - named for what a caller can do
    """There are too few passes of a kind to fit anything on; says which."""

    def __init__(self, message: str, have: int | None = None, needed: int | None = None) -> None:
        """have, needed: how many there are and must be, where one number would mend it."""
        super().__init__(message)
        self.have, self.needed = have, needed


def excess_line(nothing: Vector, source: Vector) -> tuple[float, float, float]:
    """(slope, offset, log of the share missed) of the log-likelihood ratio of an excess.

    nothing  (passes,) the excess of clean passes, >= 0
    source   (passes,) of passes with a source

    ln p(x | source) / p(x | nothing) = ln(q + (1 - q) exp(slope x - offset)): a share q of the
    sources shows nothing at all. By expectation and maximisation (Dempster, Laird and Rubin 1977);
    0 < slope <= 1, since an excess is no more than the likelihood ratio that it is.
    """
    missed = 0.1
    slope, offset = 0.5, 3.0
    x = np.concatenate((nothing, source))
    y = np.concatenate((np.zeros(len(nothing)), np.ones(len(source))))
    for _ in range(STEPS):
        seen = (1.0 - missed) * np.exp(np.minimum(slope * source - offset, 50.0))
        share = seen / (missed + seen)
        missed = float(min(0.5, max(1.0 / (len(source) + 2), 1.0 - share.mean())))
        weight = np.concatenate((np.full(len(nothing), 1.0 / len(nothing)), share / share.sum()))
        before = slope, offset
        slope, offset = _logistic(x, y, weight, slope, offset)
        if abs(slope - before[0]) + abs(offset - before[1]) < 1e-9:
            break
    return slope, offset, math.log(missed)


def _logistic(
    x: Vector, y: Vector, weight: Vector, slope: float, offset: float
) -> tuple[float, float]:
    """Weighted logistic regression by Newton's method, the slope within bounds."""
    for _ in range(INNER_STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(slope * x - offset, -50.0, 50.0)))
        away = weight * (y - p)
        curve = weight * p * (1.0 - p)
        gradient = np.array([away @ x - RIDGE * 0.01 * slope, -away.sum()])
        hessian = np.array(
            [[curve @ (x * x), -(curve @ x)], [-(curve @ x), curve.sum()]]
        ) + RIDGE * 0.01 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        step *= min(1.0, 1.0 / max(float(np.abs(step).max()), 1e-12))
        wanted = slope + float(step[0])
        bound = min(1.0, max(0.05, wanted))
        if bound != wanted:  # at its bound only the offset is free
            moved = float(gradient[1] / hessian[1, 1])
            moved = max(-1.0, min(1.0, moved))
            done = abs(bound - slope) + abs(moved) < 1e-10
            slope, offset = bound, offset + moved
        else:
            done = float(np.abs(step).max()) < 1e-10
            slope, offset = wanted, offset + float(step[1])
        if done:
            break
    return slope, offset


def monotone(features: Matrix, right: Truths, doubt: float) -> tuple[Vector, float]:
    """(slopes, offset) of `slopes @ features - offset`, a log-likelihood ratio; no slope below 0.

    features  (cases, features) what was measured
    right     (cases,) whether it was so
    doubt     share of cases that do not go by the book: no line is ever surer than that

    Logistic regression by Newton's method (Platt 1999) with his smoothed targets, both classes
    weighing the same: how often it was so does not matter. A feature that would speak against what
    it stands for is left out.
    """
    used = list(range(features.shape[1]))
    while True:
        values = _balanced(features[:, used], right, doubt)
        slopes = values[:-1]
        if not used or slopes.min() >= 0.0:
            break
        del used[int(slopes.argmin())]
    found = np.zeros(features.shape[1])
    found[used] = slopes
    return found, float(-values[-1])


def _balanced(features: Matrix, right: Truths, doubt: float) -> Vector:
    """Coefficients, the constant last."""
    many, few = int(right.sum()), int((~right).sum())
    weight = np.where(right, 0.5 / many, 0.5 / few)
    most, least = (many + 1.0) / (many + 2.0), 1.0 / (few + 2.0)
    target = np.where(right, min(most, 1.0 - doubt), max(least, doubt))
    design = np.column_stack((features, np.ones(len(right))))
    ridge = RIDGE * np.eye(design.shape[1])
    ridge[-1, -1] = 1e-9  # where the line begins is free
    values = np.zeros(design.shape[1])
    for _ in range(STEPS):
        share = 1.0 / (1.0 + np.exp(-np.clip(design @ values, -50.0, 50.0)))
        gradient = design.T @ (weight * (target - share)) - ridge @ values
        hessian = (design * (weight * share * (1.0 - share))[:, None]).T @ design + ridge
        step = np.linalg.solve(hessian, gradient)
        values = values + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if float(np.abs(step).max()) < 1e-10:
            break
    return values


def kinds(
    own: Matrix, common: Matrix, truth: NDArray[np.int64], classes: int, doubt: float
) -> tuple[Matrix, Vector]:
    """Linear scores that tell classes apart: coefficients (classes, features), and common ones.

    own     (passes, features) with a coefficient of its own for each class
    common  (passes, classes, shared) features of each class, all with the same coefficients
    truth   (passes,) which class each is of; all classes weigh the same
    doubt   share of passes that do not go by the book: no score is ever surer than that

    Multinomial logistic regression by Newton's method with a weak ridge.
    """
    passes, features = own.shape
    size = classes * features + common.shape[2]
    counts = np.bincount(truth, minlength=classes)
    weight = 1.0 / (classes * counts[truth])
    target = np.full((passes, classes), doubt / classes)
    target[np.arange(passes), truth] += 1.0 - doubt
    # (passes, classes, parameters): score = design @ parameters
    design = np.zeros((passes, classes, size))
    for one in range(classes):
        design[:, one, one * features : (one + 1) * features] = own
    design[:, :, classes * features :] = common
    values = np.zeros(size)
    for _ in range(STEPS):
        score = design @ values
        score -= score.max(axis=1, keepdims=True)
        share = np.exp(score)
        share /= share.sum(axis=1, keepdims=True)
        away = weight[:, None] * (target - share)
        gradient = np.einsum("pc,pcs->s", away, design) - RIDGE * values
        mean = np.einsum("pc,pcs->ps", share, design)
        spread = np.einsum("pc,pcs,pct->st", weight[:, None] * share, design, design)
        hessian = spread - (weight[:, None] * mean).T @ mean + RIDGE * np.eye(size)
        step = np.linalg.solve(hessian, gradient)
        values = values + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if float(np.abs(step).max()) < 1e-9:
            break
    own_values, common_values = np.split(values, [classes * features])
    return own_values.reshape(classes, features), common_values
