"""`spectra-quiet`: how often nothing at all is taken for a source.

Passes of two seconds are Poisson counts of a measured background, which the portal knows from a
finite time. Then what vehicles and weather do to it: 2-25 % of it shielded, its natural series up
or down by 20 % each, the energy scale off by up to 1 % since the background was measured. Detectors
other than that of the recording see the background that our own templates make.

A fast test of scores tells which passes could alarm at all; those are identified in full, and a
sample of the others too.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge.study.figures import Figure
from edge.study.packs import Settings
from edge.study.packs.spectra_2x4x16 import DETECTOR, FOLDER
from edge.study.packs.spectra_files import Bench, Measured, read, share
from edge.study.templates import DETECTORS
from fusion.spectra.binning import binned
from fusion.spectra.nuisance import ORDINARY

Vector = NDArray[np.float64]

PASS_S, KNOWN_S = 2.0, 300.0
PASSES = 30_000
OTHERS = {"LaBr3": DETECTORS["labr3"], "HPGe": DETECTORS["hpge"]}
FEWER = 30  # times fewer passes of these
OTHER_CPS = 400.0
NATURAL_SHARE = 0.8  # assumed: of a background's counts that are natural nuclides, not cosmic
SUPPRESSION, NATURE, GAIN = (0.02, 0.25), 0.2, 0.01
GAINS = 21
CLOSE_NATS = 5.0  # under the line: scores tell nats to about 3
PROBED = 50  # one in so many of the quiet ones is identified all the same


def measure(settings: Settings) -> list[Figure]:
    """Share of clean passes over the alarm line, for each kind of them."""
    background = read(settings.folder(FOLDER), "background.txt")["background"]
    passes = settings.number or PASSES
    bench = Bench(DETECTOR)
    figures = _figures("NaI", bench, _measured_rates(bench, background), passes, settings)
    for name, detector in OTHERS.items():
        other = Bench(detector)
        rates = _modelled_rates(other)
        figures += _figures(name, other, rates, max(1, passes // FEWER), settings)
    return figures


def _measured_rates(bench: Bench, background: Measured) -> Callable[[float], Vector]:
    """Counts per second and bin with the energy scale off by a factor."""

    def rates(factor: float) -> Vector:
        edges = background.edges_kev * factor
        return binned(background.counts, edges, bench.edges_kev) / background.live_s

    return rates


def _modelled_rates(bench: Bench) -> Callable[[float], Vector]:
    library = bench.identifier.library
    shape = np.array([ORDINARY[name] for name in library.nuisance_names]) @ library.nuisance_shapes
    edges = bench.edges_kev

    def rates(factor: float) -> Vector:
        return binned(shape, edges * factor, edges) * OTHER_CPS

    return rates


def _figures(
    name: str, bench: Bench, rates: Callable[[float], Vector], passes: int, settings: Settings
) -> list[Figure]:
    exact = rates(1.0)
    off = [rates(1.0 + step) for step in np.linspace(-GAIN, GAIN, GAINS)]
    figures = []
    for kind in ("as measured", "shielded, nature changed", "and energies off"):
        random = np.random.default_rng([settings.seed, len(name), len(kind)])
        alarms = probed = missed = 0
        for turn in range(passes):
            base = exact if kind != "and energies off" else off[int(random.integers(GAINS))]
            mean = base * PASS_S
            if kind != "as measured":
                mean = _changed(bench, mean, random)
            counts = random.poisson(mean).astype(np.float64)
            known = random.poisson(exact * KNOWN_S).astype(np.float64)
            seen = counts, PASS_S, known, KNOWN_S
            line = 0.5 * bench.policy.alarm_sigma**2
            if bench.identifier.promise(*seen) > line - CLOSE_NATS:
                alarms += bench.identifier.identify(*seen).category != "background"
            elif turn % PROBED == 0:
                probed += 1
                missed += bench.identifier.identify(*seen).category != "background"
        how = (
            f"{passes:,} passes of {PASS_S:g} s over {KNOWN_S:g} s of background, seed "
            f"{settings.seed:,}; of {probed} that the scores let go, {missed} would have alarmed"
        )
        settings.say(f"{name}, {kind}: {alarms} of {passes}")
        # No goal as a share: none is asked for.
        figure = share(f"alarms on clean passes, {name}, {kind}", alarms + missed, passes, how)
        figures.append(figure)
    return figures


def _changed(bench: Bench, mean: Vector, random: np.random.Generator) -> Vector:
    """What a vehicle and the weather make of it."""
    library = bench.identifier.library
    shares = np.array([ORDINARY[name] for name in library.nuisance_names]) * NATURAL_SHARE
    change = shares * random.uniform(-NATURE, NATURE, len(shares))
    changed = mean + float(mean.sum()) * (change @ library.nuisance_shapes)
    return np.maximum(changed, 0.0) * (1.0 - random.uniform(*SUPPRESSION))
