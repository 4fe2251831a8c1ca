"""Evidence of one incident: what its voices say, faded, capped and weighted, and what that makes.

The fast twin of `fusion.score` and `fusion.groups`, for what is fed and nothing told of: numbers,
and no table of reasons. An incident's detections are rows of one table:

    END       ns from the incident's own beginning to the end of the detection
    PAIRING   weight of its part in the incident, 0 to 1
    VOICE     number of its (sensor, kind); of each only the strongest detection speaks
    GROUP     number of what shares a trigger with it
    CAP       nats, the most that its kind says either way
    DECAY     s in which what its kind says falls to 1/e; 0: it does not
    TOTAL     nats, of all explanations: of two as strong the one that says more speaks
    NATS ...  nats against `nothing`, one for each explanation; 0: it says nothing of it

S_e = prior_e + sum_v pairing_v w_v clip(nats_v exp(-age_v / decay_v), -cap_v, cap_v), and within
each question p = softmax(S) with S_nothing = 0 (facts: fusion 2.1).
"""

# ruff: noqa: PLR0917 - kernels take no structures

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

(END, PAIRING, VOICE, GROUP, CAP, DECAY, TOTAL, NATS) = range(8)
NS = 1e9
CHOICE_NATS, CHOICE_SHARE = 0.7, 3.0  # as in `fusion.groups`
SPARE = 1e-9  # of a probability: what rounding makes of a line is decided by the slow twin


@njit(cache=True, nogil=True)
def weigh(rows: Floats, rhos: Floats, apart: bool, now_ns: float, weighed: Floats) -> None:
    """What each row adds to each explanation.

    rows     (detections, NATS + explanations) as in the module's docstring
    rhos     (detections, detections) correlation of each two of a group
    apart    whether what speaks for an explanation and what speaks against it are weighed apart,
             and of each side all, or as many of the strongest as make the sum more at a cost
    now_ns   from the incident's beginning
    weighed  (detections, explanations) takes nats; 0 of those that do not speak
    """
    count = rows.shape[0]
    speaks = np.empty(count, np.int64)
    said = np.empty(count)
    weights = np.empty(count)
    for explanation in range(rows.shape[1] - NATS):
        column = NATS + explanation
        voices = _choose(rows, column, speaks)
        for i in range(count):
            weighed[i, explanation] = 0.0
        if voices == 0:
            continue
        for i in range(count):
            said[i] = _said(rows[speaks[i]], column, now_ns) if speaks[i] >= 0 else 0.0
            weights[i] = 1.0
        if voices > 1:
            _share(rows, rhos, apart, speaks, said, weights)
        for i in range(count):
            if speaks[i] >= 0:
                row = speaks[i]
                weighed[row, explanation] = rows[row, PAIRING] * weights[i] * said[i]


@njit(cache=True, nogil=True)
def believe(weighed: Floats, priors: Floats, questions: Ints, sums: Floats) -> None:
    """Scores and probabilities of the explanations.

    weighed    (detections, explanations) nats
    priors     (explanations,) nats
    questions  (explanations,) number of the question in which each competes, with `nothing` at 0;
               those of one question stand together
    sums       (3, explanations) takes scores in nats, probabilities, and the probability of
               `nothing` in the question of each
    """
    scores, shares, nothing = sums[0], sums[1], sums[2]
    for e in range(priors.shape[0]):
        scores[e] = priors[e]
        for i in range(weighed.shape[0]):
            scores[e] += weighed[i, e]
    first = 0
    while first < priors.shape[0]:
        last, top = first, 0.0
        while last < priors.shape[0] and questions[last] == questions[first]:
            top = max(top, scores[last])
            last += 1
        rest = math.exp(-top)
        total = rest
        for e in range(first, last):
            shares[e] = math.exp(scores[e] - top)
            total += shares[e]
        for e in range(first, last):
            shares[e] /= total
            nothing[e] = rest / total
        first = last


@njit(cache=True, nogil=True)
def worth(shares: Floats, questions: Ints, kin: Ints, lines: Floats) -> int:
    """The questions of which anything is worth a word, as bits: 1 << question.

    shares     (explanations,) probabilities
    questions  (explanations,) numbers below 63
    kin        (explanations,) number of the event that each is told as, kindred events alike
    lines      (explanations,) probability of its event from which it is told
    """
    bits = 0
    for e in range(shares.shape[0]):
        together = 0.0
        for other in range(shares.shape[0]):
            if kin[other] == kin[e] and questions[other] == questions[e]:
                together += shares[other]
        if together >= lines[e] - SPARE:
            bits |= 1 << questions[e]
    return bits


@njit(cache=True, nogil=True)
def screen(
    rows: Floats,
    rhos: Floats,
    apart: bool,
    now_ns: float,
    priors: Floats,
    questions: Ints,
    kin: Ints,
    lines: Floats,
    weighed: Floats,
    sums: Floats,
) -> int:
    """All of the above at once, with `sums` as of `believe`."""
    weigh(rows, rhos, apart, now_ns, weighed)
    believe(weighed, priors, questions, sums)
    return worth(sums[1], questions, kin, lines)


@njit(cache=True, nogil=True)
def take(
    reports: Floats,
    cells: Ints,
    slots: Ints,
    tables: Floats,
    rhos: Floats,
    used: Ints,
    latest_ns: Floats,
    priors: Floats,
    questions: Ints,
    weighed: Floats,
    shares: Floats,
) -> None:
    """Many cells' reports in their order: each takes its place, and its cell is weighed anew.

    reports    (reports, NATS + explanations) rows
    cells      (reports,) whose cell each is
    slots      (reports,) its row there; what stood there is replaced
    tables     (cells, slots, NATS + explanations) rows of all cells
    rhos       (cells, slots, slots) correlations, as of `weigh`
    used       (cells,) how many rows each cell has
    latest_ns  (cells,) END of the latest report of each, which is its time; is kept
    priors, questions  (explanations,) as of `believe`
    weighed    (slots, explanations) is overwritten
    shares     (reports, explanations) takes the probabilities after each report
    """
    sums = np.empty((3, priors.shape[0]))
    for k in range(reports.shape[0]):
        cell = cells[k]
        tables[cell, slots[k]] = reports[k]
        used[cell] = max(used[cell], slots[k] + 1)
        latest_ns[cell] = max(latest_ns[cell], reports[k, END])
        rows = tables[cell, : used[cell]]
        mine = weighed[: used[cell]]
        weigh(rows, rhos[cell], False, latest_ns[cell], mine)
        believe(mine, priors, questions, sums)
        shares[k] = sums[1]


@njit(cache=True, nogil=True)
def _choose(rows: Floats, column: int, speaks: Ints) -> int:
    """At the first row of each voice that says anything, its strongest; -1 elsewhere.

    How many voices say anything.
    """
    voices = 0
    for i in range(rows.shape[0]):
        speaks[i] = -1
        if rows[i, column] == 0.0:
            continue
        speaks[i] = i
        voices += 1
        for first in range(i):
            if speaks[first] >= 0 and rows[first, VOICE] == rows[i, VOICE]:
                best = speaks[first]
                louder = rows[i, column] > rows[best, column]
                alike = rows[i, column] == rows[best, column]
                if louder or (alike and rows[i, TOTAL] > rows[best, TOTAL]):
                    speaks[first] = i
                speaks[i] = -1
                voices -= 1
                break
    return voices


@njit(cache=True, nogil=True)
def _said(row: Floats, column: int, now_ns: float) -> float:
    """What it says now: older words fade, and no one voice says more than its cap."""
    nats = float(row[column])
    if row[DECAY] > 0.0:
        nats *= math.exp(-(max(0.0, now_ns - row[END]) / NS) / row[DECAY])
    return max(-float(row[CAP]), min(float(row[CAP]), nats))


@njit(cache=True, nogil=True)
def _share(
    rows: Floats, rhos: Floats, apart: bool, speaks: Ints, said: Floats, weights: Floats
) -> None:
    """Group by group, and side by side where they are weighed apart."""
    count = rows.shape[0]
    ranked = np.empty(count, np.int64)
    done = np.zeros(count, np.bool_)
    for i in range(count):
        if done[i] or speaks[i] < 0 or (apart and said[i] == 0.0):
            continue
        side, same = math.copysign(1.0, said[i]), 0  # a product of two tiny ones would be 0
        for j in range(i, count):
            mine = speaks[j] >= 0 and rows[j, GROUP] == rows[i, GROUP]
            if not mine or (apart and said[j] * side <= 0.0):
                continue
            done[j] = True
            at = same  # the loudest first, of those as loud the first
            while apart and at > 0 and abs(said[ranked[at - 1]]) < abs(said[j]):
                ranked[at] = ranked[at - 1]
                at -= 1
            ranked[at] = j
            same += 1
        _agree(ranked[:same], rhos, apart, said, weights)


@njit(cache=True, nogil=True)
def _agree(ranked: Ints, rhos: Floats, apart: bool, said: Floats, weights: Floats) -> None:
    """R w = 1: of all; apart, of as many of the first as make the sum most, at a cost."""
    count = ranked.shape[0]
    left = np.empty((count, count + 1))
    for a in range(count):
        for b in range(count):
            left[a, b] = rhos[ranked[a], ranked[b]]
        left[a, a] = left[a, count] = 1.0
        weights[ranked[a]] = 0.0
    alike = _alike(left)
    _eliminate(left, alike)
    found = np.empty(count)
    most = quieter = 0.0
    for k in range(count):
        quieter += abs(said[ranked[k]])
    for voices in range(1 if apart else count, count + 1):
        if voices <= alike:
            for k in range(voices):
                found[k] = 1.0 / (1.0 + (voices - 1) * left[0, 1])
        else:
            _solve(left, voices, found)
        total = 0.0
        for k in range(voices):
            total += abs(said[ranked[k]]) * found[k]
        quieter = quieter - abs(said[ranked[voices - 1]]) if voices < count else 0.0
        rest = total - min(CHOICE_NATS, CHOICE_SHARE * quieter)
        if rest > most or not apart:
            most = rest
            share = rest / total if voices < count else 1.0
            for k in range(count):
                weights[ranked[k]] = found[k] * share if k < voices else 0.0


@njit(cache=True, nogil=True)
def _alike(left: Floats) -> int:
    """So many of the first have one correlation, any two of them."""
    for a in range(2, left.shape[0]):
        for b in range(a):
            if left[a, b] != left[0, 1]:
                return a
    return int(left.shape[0])


@njit(cache=True, nogil=True)
def _eliminate(left: Floats, alike: int) -> None:
    """Leave nothing under the diagonal, unless all are alike. The first row stays as it is."""
    count = left.shape[0]
    if alike == count:
        return
    for k in range(count):
        for i in range(k + 1, count):
            factor = left[i, k] / left[k, k]
            for j in range(k + 1, count + 1):
                left[i, j] -= factor * left[k, j]


@njit(cache=True, nogil=True)
def _solve(left: Floats, voices: int, found: Floats) -> None:
    """w of the first so many alone, none less than 0."""
    last = left.shape[1] - 1
    for k in range(voices - 1, -1, -1):
        rest = left[k, last]
        for j in range(k + 1, voices):
            rest -= left[k, j] * found[j]
        found[k] = rest / left[k, k]
    for k in range(voices):
        found[k] = max(found[k], 0.0)
