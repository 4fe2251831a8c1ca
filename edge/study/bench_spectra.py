"""The spectroscopic stream against adding up the same numbers once, in turn within one run."""

import time
from collections.abc import Callable
from functools import partial

import numpy as np
from numba import njit
from numpy.typing import NDArray

from edge.study.figures import Figure, Options, at_most, plain
from fusion.spectra.binning import bin_edges
from fusion.spectra.detector import detector_of
from fusion.spectra.identify import Identifier
from fusion.spectra.policy import SpectraPolicy
from fusion.spectra.stream import Stream
from fusion.spectra.templates import template_library
from fusion.spectra.verdict import IdentifyPolicy
from fusion.types import DetectorSpec

LANES, DETECTORS, CHANNELS = 16, 8, 1024
SLICE_S = 0.2
TICKS = 300  # a minute, so that averages, refreshes and blocks have their share
ROUNDS = 7
CPS = 1_700.0  # of one 2 x 4 x 16 inch log (facts/radiation 5.2)
MOST_MS = {"NaI": 20.0, "LaBr3": 50.0, "HPGe": 200.0}
SOURCES = 12
GAINS = (1.0, 1.004, 0.997, 1.008, 0.992, 1.001, 1.012, 0.989)
"""No two tubes are alike: seven of eight detectors are moved onto the grid of the first."""


def run(options: Options) -> list[Figure]:
    """One tick of all lanes, and what the engine does: one lane at a time."""
    random = np.random.default_rng(options.seed)
    energies = np.linspace(20.0, 3000.0, CHANNELS)
    rate = np.exp(-energies / 400.0) + 0.05
    rate *= CPS * SLICE_S / rate.sum()
    counts = random.poisson(rate, (LANES, DETECTORS, CHANNELS)).astype(np.uint32)
    figures = []
    numpy_us = _best_us(counts.sum)
    lane_sums = njit(_lane_sums)
    sums = np.zeros(LANES, np.uint64)
    loop_us = _best_us(lambda: lane_sums(counts, sums))
    singles = counts.astype(np.float32)
    single_sums = np.zeros(LANES, np.float32)
    single_us = _best_us(lambda: lane_sums(singles, single_sums))
    for name, vacant in (("vacant", True), ("occupied", False)):
        options.say(f"spectra: {name} lanes")
        tick_us = _tick_us(counts, vacant=vacant)
        how = (
            f"{LANES} lanes x {DETECTORS} detectors x {CHANNELS:,} channels (uint32), mean of "
            f"{TICKS} ticks, {name}: added over gains, binned, 29 templates, windows of 0.5-4 s"
            + (", background and each detector's own spectrum learned" if vacant else "")
        )
        figures += [
            at_most(f"spectra.tick.{name}", tick_us / numpy_us, 5, "x numpy array.sum()", how),
            plain(f"spectra.tick.{name}.time", tick_us, "us", how),
            plain(
                f"spectra.tick.{name}.loop",
                tick_us / loop_us,
                "x plain Numba loop",
                "for each lane over its uint32 counts, which is vectorised",
            ),
            plain(
                f"spectra.tick.{name}.float-loop",
                tick_us / single_us,
                "x plain Numba loop",
                "for each lane over the same counts as float32, one addition after the other",
            ),
        ]
    figures += [
        plain("spectra.sum.numpy", numpy_us, "us", "array.sum() of the same uint32 array"),
        plain("spectra.sum.loop", loop_us, "us", "plain Numba loop, a sum for each lane"),
        plain(
            "spectra.slice",
            _tick_us(counts[:1], vacant=True),
            "us",
            "one lane in a call, as the engine does it",
        ),
    ]
    return figures + _identified(options)


def _identified(options: Options) -> list[Figure]:
    """One spectrum identified: usual crystals, a pass and minutes, a background and none."""
    figures = []
    for material, most_ms in MOST_MS.items():
        options.say(f"spectra: identify, {material}")
        spec = detector_of(np.zeros(CHANNELS), np.linspace(0.0, 3000.0, CHANNELS + 1), material)
        library = template_library(spec, bin_edges(spec))
        identifier = Identifier(library, IdentifyPolicy())
        random = np.random.default_rng(options.seed)
        nature = library.nuisance_shapes.mean(axis=0) * CPS
        spent_ms = []
        for place in range(0, len(library.templates), len(library.templates) // SOURCES):
            shape = library.templates[place].shape
            for live_s, known_s in ((2.0, 300.0), (120.0, 300.0), (120.0, 0.0)):
                counts = random.poisson((nature + 0.3 * CPS * shape) * live_s).astype(np.float64)
                known = random.poisson(nature * 300.0).astype(np.float64) if known_s else None
                ask = partial(identifier.identify, counts, live_s, known, known_s)
                spent_ms.append(_spent_ms(ask))
        how = (
            f"median of {len(spent_ms)} spectra of 2 and 120 s, {len(library.templates):,} "
            f"templates on {len(nature):,} bins; longest {max(spent_ms):.0f} ms; CPU time"
        )
        name = f"spectra.identify.{material}"
        figures.append(at_most(name, float(np.median(spent_ms)), most_ms, "ms", how))
    return figures


def _spent_ms(work: Callable[[], object]) -> float:
    """CPU time, the better of two calls."""
    best = float("inf")
    for _ in range(2):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best * 1e3


def _tick_us(counts: NDArray[np.uint32], *, vacant: bool) -> float:
    """Mean time of a tick, the best of the rounds; blocks are taken as often as a portal does."""
    lanes = len(counts)
    policy = SpectraPolicy()
    edges_kev = np.linspace(0.0, 3000.0, CHANNELS + 1) * np.array(GAINS)[:, None]
    stream = Stream(
        lanes=lanes,
        edges_kev=edges_kev,
        detector=DetectorSpec(),
        policy=policy,
        windows_s=policy.windows_s,
        slice_s=SLICE_S,
    )
    live_s = np.full((lanes, DETECTORS), SLICE_S)
    for _ in range(50):  # every lane has a background and full windows
        stream.tick(counts, live_s, SLICE_S, np.ones(lanes, np.bool_))
    learned = np.full(lanes, vacant)
    every = round(policy.block_s / SLICE_S)
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for tick in range(TICKS):
            stream.tick(counts, live_s, SLICE_S, learned)
            lane = tick % every
            if vacant and lane < lanes:
                stream.take_block(lane)
        best = min(best, time.perf_counter() - began)
    return best / TICKS * 1e6


def _best_us(work: Callable[[], object]) -> float:
    work()
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(TICKS):
            work()
        best = min(best, time.perf_counter() - began)
    return best / TICKS * 1e6


def _lane_sums(counts: NDArray[np.generic], sums: NDArray[np.generic]) -> None:
    for lane in range(counts.shape[0]):
        row = counts[lane].ravel()
        total = sums[lane] - sums[lane]
        for i in range(row.shape[0]):
            total += row[i]
        sums[lane] = total
