"""A box's contents in one go: walls off, then emptiness, mass, materials, texture, dense places."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.xray_cells import square_means
from fusion.scans.beam import beam_of
from fusion.scans.cells import Cells
from fusion.scans.emptiness import Left, empty_nats, parts_left
from fusion.scans.geometry import Geometry
from fusion.scans.load import Residue, residue
from fusion.scans.manifest import mismatches
from fusion.scans.mass import load_areal, load_kg
from fusion.scans.material import Materials, find_materials, load_shares
from fusion.scans.policy import XrayPolicy
from fusion.scans.regions import find_regions
from fusion.scans.signature import signature
from fusion.scans.texture import homogeneity, periodicity_m
from fusion.types import ScanFinding, ScanRegion

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

USUAL_NOISE = 0.01  # of a pixel in air, where it could not be measured (facts 3)
CORRELATED = 1.5  # neighbouring pixels share noise (facts 3: 0.6 along, 0.28 across)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What stands in the box."""

    high: Residue
    low: Residue | None
    areal_g_cm2: Floats
    """(rows, columns) of the zone, over the walls."""
    materials: Materials
    left: list[Left]
    """What stands out of the walls, heaviest first."""
    mass_kg: float
    mass_sd_kg: float
    regions: tuple[ScanRegion, ...]
    blind: float
    """Share of the box in which nothing was measured: rows or lines that failed side by side."""

    @property
    def groups(self) -> NDArray[np.uint8]:
        """(rows, columns) of the zone: material group as a `ScanRecord` has it."""
        return self.materials.group


def find_contents(
    cells: Cells,
    geometry: Geometry,
    energies_mev: tuple[float, float],
    policy: XrayPolicy,
) -> Contents:
    """Everything that is measured inside the box."""
    least = policy.opaque_transmission
    high = residue(cells.high, geometry, least, policy)
    low = None if cells.low is None else residue(cells.low, geometry, least, policy)
    usable = cells.usable[geometry.zone_rows, geometry.zone_columns]
    beam = beam_of(energies_mev)
    opaque = high.opaque if low is None else high.opaque | low.opaque
    cell_noise = cell_noise_of(cells)
    materials = find_materials(
        high.values,
        None if low is None else low.values,
        high.load,
        opaque,
        beam=beam,
        cell_noise=cell_noise,
        policy=policy,
    )
    areal = load_areal(high, materials, beam, -math.log(least), policy.mass_scatter)
    sd_g_cm2 = high.wall_sd * float(beam.areal_g_cm2[0][1] / beam.at[1])
    near = square_means(high.load.astype(np.float64), 2) > 1e-6
    mass_kg, mass_sd_kg = load_kg(areal, near, high.opaque, geometry, policy)
    if not usable.all():  # what only looks like a picture is no load and hides none
        areal = np.where(usable, areal, 0.0)
        high = replace(high, load=high.load & usable, opaque=high.opaque & usable)
    return Contents(
        high=high,
        low=low,
        areal_g_cm2=areal,
        materials=materials,
        left=parts_left(areal, sd_g_cm2, geometry, policy),
        mass_kg=mass_kg,
        mass_sd_kg=mass_sd_kg,
        regions=find_regions(high, low, geometry, beam, policy, cell_noise=cell_noise),
        blind=1.0 - int(np.count_nonzero(usable)) / usable.size,
    )


def cell_noise_of(cells: Cells) -> float:
    """Of a cell in air, relative to its light."""
    noise = cells.calibration.air_noise or USUAL_NOISE
    return CORRELATED * noise / cells.cell_px


def with_contents(
    finding: ScanFinding,
    found: Contents,
    geometry: Geometry,
    policy: XrayPolicy,
    between: tuple[float, float] = (-math.inf, math.inf),
) -> ScanFinding:
    """The finding with what the box holds.

    between  nats for empty at least and at most: less than all of the box may have been seen
    """
    high, areal = found.high, found.areal_g_cm2
    loaded = int(np.count_nonzero(high.load))
    nats = min(max(empty_nats(found.left, policy), between[0]), between[1])
    if finding.partial or finding.interim or found.blind > policy.most_blind_share:
        nats = min(nats, 0.0)  # what has not been seen is not known to be clear
    measured = replace(
        finding,
        length_m=round(geometry.length_m, 2),
        empty=nats > 0.0,
        empty_nats=round(nats, 3),
        fill=round(loaded / high.load.size, 4),
        homogeneity=round(homogeneity(high.values, high.load, high.opaque, policy), 3),
        unpenetrated=round(int(np.count_nonzero(high.opaque)) / high.load.size, 4),
        geometry=_places(found, geometry),
    )
    sure = (
        ("empty", _chance(abs(nats))),
        # Walls that are hidden are guessed.
        ("fill", 0.95 if high.wall_known else 0.7),
        ("geometry", geometry.sure),
        ("container", geometry.sure_ft),
    )
    shares = load_shares(found.materials, high.load) if found.low is not None else ()
    return replace(
        measured,
        sure=(*finding.sure, *sure),
        mismatches=mismatches(
            finding.declared,
            empty_nats=nats,
            load_g_cm2=float(np.sum(areal[high.load])) / max(loaded, 1),
            materials=dict(shares),
            homogeneity=measured.homogeneity,
            policy=policy,
        ),
        regions=found.regions,
        mass_kg=found.mass_kg,
        mass_sd_kg=found.mass_sd_kg,
        materials=shares,
        periodicity_m=periodicity_m(areal, high.load, geometry, policy),
        signature=signature(areal, high.opaque | high.built, geometry),
    )


def _places(found: Contents, geometry: Geometry) -> tuple[tuple[str, float], ...]:
    """Name and place of what an operator looks for, metres unless the name says otherwise."""
    columns = np.nonzero(found.high.opaque)[1]
    middle = columns.sum() / columns.size + 0.5 if columns.size else found.high.load.shape[1] / 2
    heaviest = found.left[0] if found.left else None
    places = {
        "box_from_m": geometry.box_m[0],
        "box_to_m": geometry.box_m[1],
        "deck_m": geometry.deck_m,
        "roof_m": geometry.roof_m,
        "zone_from_m": geometry.along_m(0),
        "opaque_m": geometry.along_m(float(middle)),
        "container_ft": float(geometry.container_ft),
        "boxes": float(geometry.boxes),
        "pitch_x_mm": geometry.pitch_mm[0],
        "pitch_y_mm": geometry.pitch_mm[1],
    }
    if geometry.speed_error is not None:
        places["speed_error"] = geometry.speed_error
    if heaviest is not None:
        places |= {"heaviest_kg": heaviest.mass_kg, "heaviest_m": geometry.along_m(heaviest.along)}
    return tuple((name, round(value, 3)) for name, value in places.items())


def _chance(nats: float) -> float:
    """Probability of what has these nats, before anything else is known."""
    return round(1.0 / (1.0 + math.exp(-nats)), 3)
