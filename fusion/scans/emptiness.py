"""Whether a box is empty: what is left of its picture without the walls, by where it stands."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.xray import components
from fusion.scans.geometry import Geometry
from fusion.scans.policy import XrayPolicy

Floats = NDArray[np.float64]

PLACES = ("floor", "wall", "roof")


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A connected part of what is not wall."""

    place: str
    """Where its middle is: `"floor"`, `"wall"` or `"roof"`."""
    mass_kg: float
    peak_g_cm2: float
    """Highest mean over 2 x 2 cells."""
    along: float
    """Middle, in columns of the zone."""


def parts_left(
    areal: Floats, sd_g_cm2: Floats, geometry: Geometry, policy: XrayPolicy
) -> list[Left]:
    """Heaviest first, what stands out of the walls, with a threshold for each height.

    areal     (rows, columns) g/cm2 over the walls
    sd_g_cm2  (rows,) of bare wall
    """
    rows, columns = areal.shape
    where = place_of_rows(rows, geometry, policy)
    limits = np.array([policy.left_g_cm2[place] for place in PLACES])
    least = np.maximum(limits[where], policy.left_sigma * sd_g_cm2)
    labels, count = components(areal > least[:, None])
    if count == 0:
        return []
    flat = labels.reshape(-1)
    inside = np.flatnonzero(flat)
    names = flat[inside] - 1
    weights = areal.reshape(-1)[inside]
    mass = np.bincount(names, weights, count) * geometry.cell_m2 * 10.0
    size = np.bincount(names, minlength=count)
    middle_row = np.bincount(names, (inside // columns).astype(np.float64), count) / size
    middle_column = np.bincount(names, (inside % columns).astype(np.float64), count) / size
    peaks = np.zeros(count)
    np.maximum.at(peaks, names, _quads(areal).reshape(-1)[inside])
    order = np.argsort(-np.round(mass, 6), kind="stable")[: policy.max_parts]
    return [
        Left(
            place=PLACES[int(where[min(round(float(middle_row[i])), rows - 1)])],
            mass_kg=float(mass[i]),
            peak_g_cm2=float(peaks[i]),
            along=float(middle_column[i]) + 0.5,
        )
        for i in order.tolist()
    ]


def place_of_rows(rows: int, geometry: Geometry, policy: XrayPolicy) -> NDArray[np.int64]:
    """(rows,) index into `PLACES` of every row of the zone."""
    floor = max(round(policy.floor_zone_m / geometry.cell_y_m), 1)
    roof = max(round(policy.roof_zone_m / geometry.cell_y_m), 1)
    where = np.ones(rows, np.int64)
    where[:roof] = 2
    where[max(rows - floor, 0) :] = 0
    return where


def empty_nats(parts: list[Left], policy: XrayPolicy) -> float:
    """ln p(parts | empty) - ln p(parts | loaded), of the part that looks most like a load.

    Without any part it is what a clean box says; a logistic line in ln mass and ln peak, fitted
    on drawn empties and light loads, says how much each part speaks against it.
    """
    loaded = max((loaded_nats(part, policy) for part in parts), default=-policy.max_empty_nats)
    nats = min(-loaded, policy.clean_box_nats)
    return max(nats, -policy.max_empty_nats)


def loaded_nats(part: Left, policy: XrayPolicy) -> float:
    """How much one part speaks for a load."""
    offset, mass, peak = policy.left_nats[part.place]
    return offset + mass * math.log(part.mass_kg + 0.05) + peak * math.log(part.peak_g_cm2 + 0.5)


def _quads(areal: Floats) -> Floats:
    """(rows, columns) the highest mean of the up to four squares of 2 x 2 cells about each."""
    padded = np.pad(areal, 1, mode="edge")
    means = (padded[:-1, :-1] + padded[1:, :-1] + padded[:-1, 1:] + padded[1:, 1:]) / 4
    return np.asarray(
        np.maximum(
            np.maximum(means[:-1, :-1], means[1:, :-1]), np.maximum(means[:-1, 1:], means[1:, 1:])
        ),
        np.float64,
    )
