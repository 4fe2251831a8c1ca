"""Fits what speaks for a dense place to drawn loads with a thing in them and without.

`python -m edge.study.xray_regions_fit [FIRST] [COUNT]` prints the numbers that
`fusion.scans.regions_fitted` holds. Tuning seeds and families only.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge.kernel_cache import use_kernel_cache
from edge.study.packs import REPORT_SEED
from edge.study.packs.xray_dense import options_of
from edge.study.xray_runs import families, sample
from fusion.scans.beam import beam_of
from fusion.scans.cells import cells_of
from fusion.scans.contents import cell_noise_of, find_contents
from fusion.scans.geometry import find_geometry
from fusion.scans.metal import metal_signal
from fusion.scans.policy import XrayPolicy
from fusion.scans.regions import at_machine, tested_boxes
from simulators.xray_cases import CaseOptions, Extent, case

Matrix = NDArray[np.float64]
FIRST, COUNT = 20_000, 1_500
EASY = ("low", "medium")
LEAST_SHARED = 0.15  # of the area of box and thing together: less is beside it
CLUTTERED = 480  # of the seeds also draw cargo that is built cluttered
BENDS = ((0, 13), (1, 14), (3, 15), (5, 16), (8, 17), (9, 18))
"""Terms, and what they are beyond a bend."""
NEVER_LESS = (0, 1, 2, 3, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18)
"""Denser or more metal never speaks against a thing."""
BEST, WORST, ANY = 2, 12, 30  # boxes at a thing; boxes of a clean load each time, and at first
ROUNDS, STEPS = 6, 20
RIDGE = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes:
    """All boxes of a scan that stand out."""

    extent_m: Matrix
    """(n, 4) from, to, bottom, top."""
    terms: Matrix
    """(n, terms)."""

    def shared(self, thing: Extent) -> Matrix:
        """(n,) intersection of each box with a thing, over their union."""
        from_m, to_m, bottom_m, top_m = self.extent_m.T
        long_m = np.minimum(to_m, thing.to_m) - np.maximum(from_m, thing.from_m)
        tall_m = np.minimum(top_m, thing.top_m) - np.maximum(bottom_m, thing.bottom_m)
        both = np.clip(long_m, 0.0, None) * np.clip(tall_m, 0.0, None)
        own = (thing.to_m - thing.from_m) * (thing.top_m - thing.bottom_m)
        return np.asarray(both / ((to_m - from_m) * (top_m - bottom_m) + own - both), np.float64)


def boxes(seed: int, options: CaseOptions, policy: XrayPolicy) -> tuple[Boxes, str, Extent | None]:
    """Of one scan, with its clutter and the thing that counts, if any."""
    drawn = case(seed, replace(options, families=families(seed)))
    scan = sample(drawn)
    assert scan.high is not None
    cells = cells_of(scan.high, scan.low, policy, ())
    geometry = None
    if cells is not None:
        pitch_mm = (scan.pitch_x_mm, scan.pitch_y_mm)
        geometry = find_geometry(cells, scan.high, pitch_mm, policy, pitch_known=True)
    if cells is None or geometry is None:
        raise ValueError(f"seed {seed} shows no vehicle")
    found = find_contents(cells, geometry, scan.energies_mev, policy)
    beam = beam_of(scan.energies_mev)
    signal = metal_signal(found.high, found.low, beam, cell_noise_of(cells), policy)
    extents, terms = [np.zeros((0, 4))], []
    for size in policy.region_sizes:
        tested = tested_boxes(signal, size, geometry, policy)
        if tested is None:
            continue
        places = [tested.place(index, 0.0, signal.pool) for index in range(len(tested.places))]
        where = np.array([place.extent_m(geometry) for place in places]).reshape(-1, 4)
        inside = np.array(
            [not at_machine(from_m, to_m, geometry, policy) for from_m, to_m, *_ in where.tolist()],
            np.bool_,
        )
        extents.append(where[inside])
        terms.append(tested.terms[inside])
    thing = drawn.truth.threats[0] if drawn.truth.threats else None
    return (
        Boxes(extent_m=np.concatenate(extents), terms=np.concatenate(terms)),
        drawn.truth.clutter,
        thing.extent if thing is not None and thing.adds > 0.0 else None,
    )


def looked_at(seeds: Sequence[int], policy: XrayPolicy) -> Iterator[tuple[Matrix, Matrix]]:
    """Of each load of low or medium clutter: terms of the boxes at its thing, and without it."""
    for seed in seeds:
        options = options_of(seed)
        late = seed - seeds[0] >= CLUTTERED
        if options.threat == "compartment" or (late and options.clutter not in EASY):
            continue
        clean, clutter, _ = boxes(seed, replace(options, threat=""), policy)
        hidden, _, thing = boxes(seed, options, policy)
        counts = thing is not None and clutter in EASY
        at = hidden.shared(thing) > LEAST_SHARED if thing and counts else slice(0)
        yield _parted(hidden.terms[at]), _parted(clean.terms)


def _parted(terms: Matrix) -> Matrix:
    """Terms up to their bend and beyond it, so that each weight is a slope."""
    parted = terms.copy()
    for whole, beyond in BENDS:
        parted[:, whole] -= parted[:, beyond]
    return parted


def fitted(loads: Sequence[tuple[Matrix, Matrix]]) -> Matrix:
    """(terms + 1,) weights and offset: logistic regression of the boxes that matter.

    Those are, at each thing, the ones that say most for it, and of each clean load the ones that
    say most: they are looked for anew with each round's weights, and the latter kept.
    """
    every = np.concatenate([part[::7] for load in loads for part in load])
    means, spreads = every.mean(axis=0), np.maximum(every.std(axis=0), 0.1)
    both = [tuple((part - means) / spreads for part in load) for load in loads]
    weights = np.zeros(len(means) + 1)
    weights[0], weights[1] = 1.0, 0.5
    random = np.random.default_rng(1)
    without = [random.permutation(clean)[:ANY] for _, clean in both]
    for _ in range(ROUNDS):
        at = [part[np.argsort(-(part @ weights[:-1]))[:BEST]] for part, _ in both]
        without += [part[np.argsort(-(part @ weights[:-1]))[:WORST]] for _, part in both]
        rows = np.concatenate([*at, *without])
        truth = np.arange(len(rows)) < sum(len(part) for part in at)
        weights = _rising(np.column_stack([rows, np.ones(len(rows))]), truth.astype(np.float64))
    slopes = weights[:-1] / spreads
    offset = weights[-1] - slopes @ means
    for whole, beyond in BENDS:
        slopes[beyond] -= slopes[whole]
    return np.append(slopes, offset)


def _rising(rows: Matrix, truth: Matrix) -> Matrix:
    """Logistic regression without the terms that would say less where they must say more."""
    kept = np.ones(rows.shape[1], np.bool_)
    while True:
        values = np.zeros(rows.shape[1])
        values[kept] = _logistic(rows[:, kept], truth)
        falling = [which for which in NEVER_LESS if values[which] < 0.0]
        if not falling:
            return values
        kept[falling] = False


def _logistic(rows: Matrix, truth: Matrix) -> Matrix:
    """By Newton's method with halved steps and a ridge that leaves the offset free."""
    ridge = np.append(np.full(rows.shape[1] - 1, RIDGE), 1e-3)
    values = np.zeros(rows.shape[1])

    def loss(at: Matrix) -> float:
        score = rows @ at
        fit = np.logaddexp(0.0, score) - truth * score
        return float(fit.sum() + 0.5 * (ridge * at) @ at)

    for _ in range(STEPS):
        share = 1.0 / (1.0 + np.exp(-np.clip(rows @ values, -30.0, 30.0)))
        curve = (rows * (share * (1.0 - share))[:, None]).T @ rows + np.diag(ridge)
        step = np.linalg.solve(curve, rows.T @ (share - truth) + ridge * values)
        before = loss(values)
        while loss(values - step) > before and np.abs(step).max() > 1e-6:
            step = step / 2
        values = values - step
        if before - loss(values) < 1e-3:
            break
    return values


def main(arguments: Sequence[str]) -> None:
    """Print the fit to these seeds."""
    use_kernel_cache()
    first, count = (*map(int, arguments), *(FIRST, COUNT)[len(arguments) :])
    if first + count > REPORT_SEED:
        sys.exit("seeds for reports are not for fitting")
    loads = list(looked_at(range(first, first + count), XrayPolicy()))
    words = ", ".join(f"{value:.4f}" for value in fitted(loads))
    sys.stdout.write(f"# {len(loads)} loads, seeds {first:,}-{first + count - 1:,}\n{words}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
