"""Something that was there for a while, and its neutrons."""

import math
from collections.abc import Iterable, Reversible
from dataclasses import dataclass, field
from typing import NamedTuple

from fusion.radiation_pass import excess_sigma
from fusion.spectra.assess import Assessment
from fusion.spectra.nuclides import NUCLIDES
from fusion.spectra.slices import Slice, Slices

NEUTRON_WINDOW_S = 10.0
LEAST_NEUTRON_CPS = 0.1  # no counter is without cosmic rays
CONTINUUM = 5.0  # so much clearer must a source be that shows no line
WITHOUT_LINES = frozenset(
    name for name, one in NUCLIDES.items() if sum(share for _, share in one.lines) < 0.1
)
"""Nuclides that emit next to no photons of their own: bremsstrahlung is all that is seen."""


NEUTRON_SOURCES = ("Cf-252", "Cm-244")
"""Their own lines hardly leave them: what is seen is a continuum too."""


def without_peaks(name: str) -> bool:
    """Whether a nuclide is known by its continuum alone."""
    return name in WITHOUT_LINES or name in NEUTRON_SOURCES


class NeutronRate(NamedTuple):
    """The neutron background."""

    cps: float
    seconds: float
    """Measuring time behind it."""


@dataclass(slots=True, kw_only=True)
class Event:
    """Slices that are louder than what is around them."""

    slices: Slices
    quiet_s: float = 0.0
    over: bool = False
    before: list[Slice] = field(default_factory=list)
    """Quiet slices before it."""
    after: Slices
    """Quiet slices since it was over."""
    neutrons: NeutronRate | None = None

    @property
    def neutron_sigma(self) -> float:
        """Of all its neutrons over the background."""
        counted = [one for one in self.slices if one.neutrons is not None]
        if self.neutrons is None or not counted:
            return 0.0
        counts = sum(one.neutrons or 0 for one in counted)
        seconds = math.fsum(one.real_s for one in counted)
        return max(0.0, excess_sigma(counts, seconds, *self.neutrons))


def neutron_rate(slices: Iterable[Slice], least_s: float) -> NeutronRate | None:
    """Of slices that are background; None of too few."""
    counted = [one for one in slices if one.neutrons is not None]
    seconds = math.fsum(one.real_s for one in counted)
    if seconds < least_s:
        return None
    counts = sum(one.neutrons or 0 for one in counted)
    return NeutronRate(max(counts / seconds, LEAST_NEUTRON_CPS), seconds)


def latest_neutrons(one: Slice, before: Reversible[Slice], background: NeutronRate | None) -> float:
    """Significance of the neutrons of a slice and the seconds before it."""
    if one.neutrons is None or background is None:
        return 0.0
    counts, seconds = one.neutrons, one.real_s
    for each in reversed(before):
        if seconds >= NEUTRON_WINDOW_S:
            break
        counts += each.neutrons or 0
        seconds += each.real_s
    return excess_sigma(counts, seconds, *background)


def is_source(found: Assessment, significant_sigma: float) -> bool:
    """Whether an event is worth telling: neither natural nor no more than a change of scatter."""
    if found.over_range:
        return True
    verdict = found.verdict
    if verdict is None or verdict.category in ("background", "norm"):
        return False
    # Scattered natural radiation looks like it: no street is the same as the one before.
    without_line = bool(verdict.nuclides) and verdict.nuclides[0][0] in WITHOUT_LINES
    return verdict.sigma >= significant_sigma * (CONTINUUM if without_line else 1.0)


def is_natural(found: Assessment, significant_sigma: float) -> bool:
    """Whether it is a stretch or a load of minerals: told as such, and rung by nobody."""
    verdict = found.verdict
    return verdict is not None and verdict.category == "norm" and verdict.sigma >= significant_sigma
