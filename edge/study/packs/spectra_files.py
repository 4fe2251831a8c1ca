"""Spectra with known truth, read from files, and what every spectra pack does with them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.spectrum_reader import SpectrumReader
from drivers.wire import n42
from edge.study.figures import Figure
from edge.study.intervals import proportion
from edge.study.packs import PackError
from fusion.spectra.binning import bin_edges, binned
from fusion.spectra.identify import Identifier
from fusion.spectra.templates import template_library
from fusion.spectra.verdict import IdentifyPolicy, Verdict
from fusion.types import DetectorSpec

Vector = NDArray[np.float64]

CONFIDENCES = (0.0, 0.5, 0.8, 0.95, 0.99)
"""Lower ends of the classes in which confidence is held against truth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All detectors of one file."""

    counts: NDArray[np.float64]
    """(detectors, channels)"""
    edges_kev: NDArray[np.float64]
    """(detectors, channels + 1)"""
    live_s: float
    """Mean of the detectors."""


class Bench:
    """One detector's library, ready to be asked."""

    def __init__(self, detector: DetectorSpec) -> None:
        self.edges_kev = bin_edges(detector)
        self.policy = IdentifyPolicy()
        self.identifier = Identifier(template_library(detector, self.edges_kev), self.policy)

    def binned(self, measured: Measured) -> Vector:
        """(bins,) of all detectors together."""
        return binned(measured.counts, measured.edges_kev, self.edges_kev)

    def ask(
        self, counts: Vector, live_s: float, background: tuple[Vector, float] | None
    ) -> Verdict:
        """The verdict on counts (bins,)."""
        known, known_s = background if background else (None, 0.0)
        return self.identifier.identify(counts, live_s, known, known_s)


def read(folder: Path, pattern: str) -> dict[str, Measured]:
    """Stem to spectrum of every file that fits the pattern. PackError where one cannot be read."""
    reader = SpectrumReader()
    try:
        return {path.stem: _read(reader, path) for path in sorted(folder.glob(pattern))}
    finally:
        reader.close()


def _read(reader: SpectrumReader, path: Path) -> Measured:
    document = reader.read(path.read_bytes(), path.suffix)
    if not isinstance(document, n42.Document):
        raise PackError(f"{path.name}: {document.reason}")
    spectra = [one for item in document.measurements for one in item.spectra]
    if not spectra:
        raise PackError(f"{path.name}: no spectrum in it")
    return Measured(
        counts=np.array([one.counts for one in spectra], np.float64),
        edges_kev=np.array([one.calibration.edges(len(one.counts)) for one in spectra], np.float64),
        live_s=float(np.mean([one.live_s for one in spectra])),
    )


def reliability(name: str, told: Iterable[tuple[float, bool]], how: str) -> list[Figure]:
    """How often what was said with a confidence was right, for each class of confidence."""
    pairs = list(told)
    figures = []
    for low, high in zip(CONFIDENCES, (*CONFIDENCES[1:], math.inf), strict=True):
        right = [ok for confidence, ok in pairs if low <= confidence < high]
        if right:
            figures.append(
                share(f"{name} right at confidence {low:g}+", sum(right), len(right), how)
            )
    return figures


def share(name: str, hits: int, of: int, how: str, goal: float | None = None) -> Figure:
    """A counted share with its interval."""
    return Figure(
        name=name,
        value=hits / of,
        unit="",
        goal="" if goal is None else f">= {goal:g}",
        reached=None if goal is None else hits / of >= goal,
        how=f"{how}; {hits:,} of {of:,}",
        interval=proportion(hits, of),
    )
