"""Shadows rougher than the simulator's: what shields in boxes and not in waves."""

import numpy as np
from numpy.typing import NDArray

from simulators.scenario import Vehicle

VIEW_M = 2.8  # half width of the stretch of ground that makes half of a panel's background
CELL_M = 0.25
MOST = 0.25  # facts/radiation 5.1: no vehicle shields more
Array = NDArray[np.float64]


def rough_shadow(vehicle: Vehicle, passed_m: Array, random: np.random.Generator) -> Array:
    """(scans,) share of the background that is shielded by a load with steps in it.

    One of: boxes of dense load, a low-boy with a machine on it, a tanker with its chassis before
    and behind, an empty flatbed between two loads. The deepest place shields
    `vehicle.suppression`.
    """
    cells = round(vehicle.length_m / CELL_M)
    at_m = (np.arange(cells) + 0.5) * vehicle.length_m / cells
    cab_m = vehicle.box_m[0]
    kind = random.integers(4)
    made = (_boxes, _low_boy, _tanker, _empty_bed)[kind](at_m, cab_m, vehicle.length_m, random)
    mass = np.where(at_m < cab_m, random.uniform(0.4, 0.9), made)
    edges_m = np.linspace(0.0, vehicle.length_m, cells + 1)
    away_m = passed_m[:, None] - edges_m
    covered = 0.5 * away_m / np.sqrt(VIEW_M**2 + away_m**2)
    shape = (covered[:, :-1] - covered[:, 1:]) @ mass
    return np.asarray(min(vehicle.suppression, MOST) * shape / max(float(shape.max()), 1e-9))


def _boxes(at_m: Array, cab_m: float, length_m: float, random: np.random.Generator) -> Array:
    """Two to five dense boxes on a light floor."""
    mass = np.full(len(at_m), 0.25)
    for _ in range(int(random.integers(2, 6))):
        from_m = float(random.uniform(cab_m, length_m - 1.0))
        to_m = from_m + float(random.uniform(1.0, 4.0))
        mass[(at_m >= from_m) & (at_m < to_m)] += random.uniform(0.3, 1.0)
    return mass


def _low_boy(at_m: Array, cab_m: float, length_m: float, random: np.random.Generator) -> Array:
    """A thin deck between the goose-neck and the axles, with one machine on it."""
    mass = np.full(len(at_m), 0.2)
    mass[at_m < cab_m + 2.5] = mass[at_m > length_m - 3.5] = 0.6
    middle_m = float(random.uniform(cab_m + 4.0, length_m - 5.0))
    mass[np.abs(at_m - middle_m) < random.uniform(1.0, 3.0)] = 1.2
    return mass


def _tanker(at_m: Array, cab_m: float, length_m: float, random: np.random.Generator) -> Array:
    """Full between its ends, with a gap behind the cab; one compartment may be empty."""
    mass = np.full(len(at_m), 1.0)
    mass[at_m < cab_m + random.uniform(0.5, 1.5)] = 0.15
    mass[at_m > length_m - random.uniform(0.3, 1.5)] = 0.15
    if random.uniform() < 0.5:
        from_m = float(random.uniform(cab_m + 1.5, length_m - 4.5))
        mass[(at_m >= from_m) & (at_m < from_m + random.uniform(2.0, 4.0))] = 0.35
    return mass


def _empty_bed(at_m: Array, cab_m: float, length_m: float, random: np.random.Generator) -> Array:
    """A load at the front, nothing in the middle, a load at the end."""
    mass = np.full(len(at_m), 1.0)
    from_m = float(random.uniform(cab_m + 2.0, length_m / 2))
    to_m = from_m + float(random.uniform(2.0, 6.0))
    mass[(at_m >= from_m) & (at_m < min(to_m, length_m - 1.5))] = 0.12
    return mass
