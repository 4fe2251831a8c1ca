"""The library of templates: what each nuclide, bare or behind something, looks like to a detector.

Shapes come from our own response model and the line table; no spectrum of anyone else is a template
or had a nuclide fitted to it. A handful of global parameters (COMPTON_LIGHT of the crystal,
SURROUNDINGS, GROUND_SHARE and GROUND_AROUND of the lane) were set so that one set of
values describes the unshielded spectra of nuclides outside the list of N42.38 (Mn-54, Cs-134,
Zn-65, Y-88, Na-22, Au-198, Cr-51, Sc-46, Eu-152, Lu-177, Co-58, Fe-59, Gd-153, Ho-166m, Ag-110m,
Bi-207, Sn-117m, Xe-133, Sm-153, Re-188, Yb-169) and the background in the simulated 2x4x16 inch set
of facts/radiation 6; so did its resolution of 7.5 % with the power 0.62.
HOUSING_CM is the exception: it was set after looking at I-123 and In-111 too, which are on the
list, so figures of these two are not independent of it. Which shields and forms
(metal, capsules, ages, enrichments) there are comes from what is traded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.response_bins import weighted_rows
from fusion.spectra.nuclides import NUCLIDES, RESOLVED_ONLY, SOURCES, Nuclide
from fusion.spectra.response import response_rows
from fusion.spectra.transport import (
    BULK,
    GROUND_AROUND,
    GROUP_EDGES_KEV,
    METAL,
    SHIELDS,
    Shield,
    air,
    bremsstrahlung,
    fission,
    group_middles_kev,
    scattered,
    surroundings,
    unscattered,
)
from fusion.spectra.unlisted import unlisted_lines
from fusion.types import DetectorSpec

Vector = NDArray[np.float64]

INSIDE: Mapping[str, tuple[tuple[Shield, ...], ...]] = {
    "norm": ((), (BULK,), (METAL,)),
    "snm": ((), (METAL,)),
    "aged": ((METAL,),),
    **dict.fromkeys(("leu", "near-natural", "reactor"), ((), (METAL,))),
}
"""By form or category, what the source itself may be besides a small thing. Aged plutonium that
does not stop its own americium's 59.5 keV cannot be told from americium."""
RESOLVED_PERCENT = 2.0  # resolution at 661.7 keV below which close lines come apart
FAINTEST = 1e-7  # a shield that lets less through leaves nothing to be named
FLOOR = 1e-4  # share of the counts that is even over all bins: pile-up, and what we do not know


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
    unlisted_shapes: Vector
    """(lines, bins) single lines all over the range; each sums to 1."""


def template_library(detector: DetectorSpec, edges_kev: Vector) -> TemplateLibrary:
    """The library for a detector; the same arguments give the same object, bit by bit.

    edges_kev  (bins + 1,) ascending energies of the edges of the bins
    """
    return _library(detector, tuple(float(edge) for edge in edges_kev))


class Shelf(Protocol):
    """Where libraries outlive the process; they are the same whether it has them or not."""

    def get(self, detector: DetectorSpec, edges: tuple[float, ...]) -> TemplateLibrary | None:
        """What was put; None: nothing was."""

    def put(self, library: TemplateLibrary) -> None:
        """Keep it, if possible."""


_shelves: list[Shelf] = []


def keep_on(shelf: Shelf | None) -> None:
    """Look there before a library is made, and put it there afterwards; None: nowhere."""
    _shelves[:] = [] if shelf is None else [shelf]


@lru_cache(maxsize=8)
def _library(detector: DetectorSpec, edges: tuple[float, ...]) -> TemplateLibrary:
    for shelf in _shelves:
        if (kept := shelf.get(detector, edges)) is not None:
            return kept
    library = _made(detector, edges)
    for shelf in _shelves:
        shelf.put(library)
    return library


def _made(detector: DetectorSpec, edges: tuple[float, ...]) -> TemplateLibrary:
    fine = detector.resolution_percent < RESOLVED_PERCENT
    sources = [one for one in SOURCES if fine or one.name not in RESOLVED_ONLY]
    view = View(detector, np.array(edges))
    names = ("K-40", "Ra-226", "Th-232")
    nuisances = np.array(
        [view.seen(NUCLIDES[name], (BULK,), around=GROUND_AROUND) for name in names]
    )
    return TemplateLibrary(
        detector=detector,
        edges_kev=view.edges_kev,
        templates=tuple(template for one in sources for template in _family(view, one)),
        nuisance_names=names,
        nuisance_shapes=nuisances / nuisances.sum(axis=1, keepdims=True),
        unlisted_shapes=unlisted_lines(detector, view.edges_kev),
    )


class View:
    """How one detector sees lines and groups of energy, worked out once for all sources."""

    def __init__(self, detector: DetectorSpec, edges_kev: Vector) -> None:
        lines = sorted({line for one in SOURCES for line, _ in one.lines})
        self.edges_kev = edges_kev
        self._row = {line: row for row, line in enumerate(lines)}
        self._lines_kev = np.array(lines)
        self._groups_kev = group_middles_kev()
        self._line_rows = response_rows(detector, self._lines_kev, self._lines_kev, edges_kev)
        self._group_rows = response_rows(
            detector, GROUP_EDGES_KEV[:-1], GROUP_EDGES_KEV[1:], edges_kev
        )
        self._line_round = surroundings(self._lines_kev)
        self._group_round = surroundings(self._groups_kev)
        self._line_air, self._group_air = air(self._lines_kev), air(self._groups_kev)
        self._shields = {
            one.name: (
                unscattered(one, self._lines_kev),
                scattered(one, self._lines_kev),
                unscattered(one, self._groups_kev),
                scattered(one, self._groups_kev),
            )
            for one in (*SHIELDS, BULK, METAL)
        }

    def seen(self, nuclide: Nuclide, shields: tuple[Shield, ...], around: float = 1.0) -> Vector:
        """(bins,) counts per photon that would fall on the face; the innermost shield first.

        around  how much of the surroundings' scatter
        """
        rows = np.array([self._row[line] for line, _ in nuclide.lines], np.int64)
        everywhere = np.arange(len(self._groups_kev))
        lines = np.array([percent for _, percent in nuclide.lines])
        groups = bremsstrahlung(nuclide.betas) + fission(nuclide.fissions)
        for shield in shields:
            line_through, line_groups, group_through, group_groups = self._shields[shield.name]
            groups = (
                groups * group_through
                + weighted_rows(groups, group_groups, everywhere)
                + weighted_rows(lines, line_groups, rows)
            )
            lines = lines * line_through[rows]
        lines, groups = lines * self._line_air[rows], groups * self._group_air
        groups = groups + around * (
            weighted_rows(lines, self._line_round, rows)
            + weighted_rows(groups, self._group_round, everywhere)
        )
        return weighted_rows(lines, self._line_rows, rows) + weighted_rows(
            groups, self._group_rows, everywhere
        )


def _family(view: View, nuclide: Nuclide) -> list[Template]:
    """The nuclide in each of its shapes, bare and behind every shield that lets it through."""
    found = []
    for inner in INSIDE.get(nuclide.form or nuclide.category, ((),)):
        start = "-".join([*([nuclide.form] if nuclide.form else []), *(one.name for one in inner)])
        bare = view.seen(nuclide, inner)
        found.append(_template(nuclide, start or "bare", bare))
        for shield in SHIELDS:
            counts = view.seen(nuclide, (*inner, shield))
            if counts.sum() > FAINTEST * bare.sum():
                title = f"{start}-{shield.name}" if start else shield.name
                found.append(_template(nuclide, title, counts))
    return found


def _template(nuclide: Nuclide, variant: str, counts: Vector) -> Template:
    # No bin is impossible: a likelihood must survive a stray count anywhere.
    floor = FLOOR * counts.sum() / len(counts)
    shape = counts + floor
    return Template(
        nuclide=nuclide.name,
        variant=variant,
        category=nuclide.category,
        shape=shape / shape.sum(),
    )
