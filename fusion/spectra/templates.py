"""The library of templates: what each nuclide, bare or behind something, looks like to a detector.

Shapes come from our own response model and the line table; no measured or simulated spectrum of
anyone else goes into them.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fusion.spectra.nuclides import NUCLIDES
from fusion.types import DetectorSpec

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One nuclide seen through one kind of surroundings."""

    nuclide: str
    variant: str
    """`"bare"`, `"steel-2cm"`, `"lead-1cm"`, `"body"`, ..."""
    category: str
    shape: Vector
    """(bins,) counts per bin; they sum to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateLibrary:
    """Everything that one detector may see, on one set of bins."""

    detector: DetectorSpec
    edges_kev: Vector
    """(bins + 1,)"""
    templates: tuple[Template, ...]
    nuisance_names: tuple[str, ...]
    """`"K-40"`, `"Ra-226"`, `"Th-232"`: spread in the ground and in walls."""
    nuisance_shapes: Vector
    """(nuisances, bins); each sums to 1."""


def template_library(detector: DetectorSpec, edges_kev: Vector) -> TemplateLibrary:
    """The library for a detector; the same arguments give the same object, bit by bit.

    edges_kev  (bins + 1,) ascending energies of the edges of the bins
    """
    return _library(detector, tuple(float(edge) for edge in edges_kev))


@lru_cache(maxsize=8)
def _library(detector: DetectorSpec, edges: tuple[float, ...]) -> TemplateLibrary:
    edges_kev = np.array(edges)
    templates = tuple(
        Template(
            nuclide=one.name,
            variant=variant,
            category=one.category,
            shape=_shape(one.lines, areal, detector, edges_kev),
        )
        for one in NUCLIDES.values()
        if one.lines
        for variant, areal in (("bare", 0.3), ("steel-1cm", 8.0), ("steel-4cm", 32.0))
    )
    names = ("K-40", "Ra-226", "Th-232")
    shapes = [_shape(NUCLIDES[name].lines, 30.0, detector, edges_kev) for name in names]
    return TemplateLibrary(
        detector=detector,
        edges_kev=edges_kev,
        templates=templates,
        nuisance_names=names,
        nuisance_shapes=np.array(shapes),
    )


def _shape(
    lines: tuple[tuple[float, float], ...], areal: float, detector: DetectorSpec, edges_kev: Vector
) -> Vector:
    """Peaks over flat Compton continua, behind `areal` g/cm2 of iron. Provisional."""
    middle = 0.5 * (edges_kev[1:] + edges_kev[:-1])
    width = np.diff(edges_kev)
    total = np.zeros(len(middle))
    for energy, intensity in lines:
        through = intensity * np.exp(-areal * (0.06 * (661.7 / energy) ** 0.5 + (55 / energy) ** 3))
        sigma = detector.resolution_percent * 6.617 * (energy / 661.7) ** detector.resolution_power
        sigma = sigma / 2.355 + 0.2
        peak = width * np.exp(-0.5 * ((middle - energy) / sigma) ** 2) / sigma / 2.507
        share = 1 / (1 + (energy / 400) ** 1.5)
        edge = energy * (1 - 1 / (1 + 2 * energy / 511))
        flat = width / edge / (1 + np.exp((middle - edge) / sigma))
        spread = width / energy / (1 + np.exp((middle - energy) / sigma))
        grown = min(0.8, areal / 40)
        total += through * (share * peak + (1 - share) * flat + grown * spread)
    total = np.maximum(total, 1e-12 * width)
    return total / total.sum()
