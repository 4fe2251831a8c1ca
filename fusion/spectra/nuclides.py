"""Nuclides that a portal may see: their lines, betas and what they are taken for.

F-18 stands for every positron emitter without a line of its own that a portal could tell (C-11,
Ga-68, Cu-64, Rb-82) and Sr-90 for every hard beta emitter without lines (Y-90, P-32): their spectra
are the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fusion.spectra import lines

RESOLVED_ONLY = frozenset({"Kr-85", "Lu-176", "Th-228"})
"""Only semiconductors tell them from F-18 (514 from 511 keV), shielded neptunium (307 from 312 keV)
and U-233 (whose U-232 has the same daughters); elsewhere they would only make the others unsure."""

# Maximum beta energies (keV) and betas per 100 decays, by title, where bremsstrahlung is seen.
_BETAS: Mapping[str, tuple[tuple[float, float], ...]] = {
    "Sr-90": ((546.0, 100.0), (2280.0, 100.0)),
    "Kr-85": ((687.0, 99.6),),
    "Re-188": ((2120.0, 71.0), (1965.0, 26.0)),
    "U-238": ((2269.0, 97.6), (199.0, 78.0)),
    "Ra-226": ((3270.0, 19.0), (1540.0, 18.0), (1162.0, 50.0), (1020.0, 17.0)),
    "Th-232": ((2252.0, 55.0), (1804.0, 18.0), (1158.0, 30.0)),
    "U-235/leu": ((2269.0, 361.0), (199.0, 289.0)),
    "U-235/near-natural": ((2269.0, 1464.0), (199.0, 1170.0)),
    "Th-228": ((2252.0, 55.0), (1804.0, 18.0)),
    "K-40": ((1311.0, 89.3),),
}
# Spontaneous fissions per 100 decays.
_FISSIONS: Mapping[str, float] = {"Cf-252": 3.09, "Cm-244": 1.37e-4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Nuclide:
    """A source, with the daughters that come with it."""

    name: str
    """Element and mass, such as `"Cs-137"`."""
    category: str
    """`"norm"`, `"medical"`, `"industrial"` or `"snm"`."""
    lines: tuple[tuple[float, float], ...]
    """(keV, photons per 100 decays), by energy."""
    form: str = ""
    """Which mixture of the same nuclide; empty for the usual one."""
    betas: tuple[tuple[float, float], ...] = ()
    """(maximum keV, betas per 100 decays)."""
    fissions: float = 0.0
    """Spontaneous, per 100 decays."""


def _read(category: str, table: str) -> list[Nuclide]:
    """`NAME energy:intensity ...`; a line that starts with a blank goes on with the one before."""
    found = []
    for entry in table.replace("\n  ", " ").splitlines():
        title, *pairs = entry.split()
        name, _, form = title.partition("/")
        found.append(
            Nuclide(
                name=name,
                category=category,
                lines=tuple((float(e), float(i)) for e, i in (one.split(":") for one in pairs)),
                form=form,
                betas=_BETAS.get(title, ()),
                fissions=_FISSIONS.get(name, 0.0),
            )
        )
    return found


SOURCES: tuple[Nuclide, ...] = tuple(
    nuclide
    for category, table in (
        ("norm", lines.NORM),
        ("medical", lines.MEDICAL),
        ("industrial", lines.INDUSTRIAL),
        ("snm", lines.SNM),
    )
    for nuclide in _read(category, table)
)
"""Every nuclide, with further forms of some."""

NUCLIDES: Mapping[str, Nuclide] = {one.name: one for one in SOURCES if not one.form}
