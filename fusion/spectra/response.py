"""What a detector makes of photons of one energy.

A small Monte Carlo with a seed gives, for a grid of energies, how much of a photon stays in the
crystal; what lies between is mixed, since both the Compton continuum and what is above it are kept
on scales that move with the energy. The peaks are then blurred by the detector's resolution.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.response import (
    ELECTRON_KEV,
    LOSS_BINS,
    MULTIPLE_BINS,
    SINGLE_BINS,
    Beam,
    deposits,
)
from fusion.kernels.response_bins import Boxes, add_boxes
from fusion.spectra.matter import attenuation_per_cm, matter
from fusion.spectra.steady import steady
from fusion.types import DetectorSpec

Vector = NDArray[np.float64]

FIRST_KEV, LAST_KEV, ENERGIES = 12.0, 8000.0, 56
PHOTONS = 20_000
SEED = 20_260_101

# Global physics parameters; templates.py says what they were tuned on.
HOUSING_CM = 0.02
"""Aluminium in front of the crystal: the can, and the portal's cover as aluminium."""
NOISE_KEV = {"HPGe": 1.0, "CZT": 3.0}
"""Full width at half maximum of the electronics; elsewhere light decides."""
COMPTON_LIGHT = {"NaI": 0.977, "CsI": 0.98}
"""Light of one Compton electron over that of a full absorption of the same energy, which is shared
by several slower electrons: iodides are not proportional."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Response:
    """Of one crystal, before its resolution."""

    energies_kev: Vector
    """(energies,) ascending."""
    spread: Vector
    """(energies, LOSS_BINS) share of photons on the crystal, by energy that stays in it."""
    peaks: Vector
    """(energies, 4): all energy stays; one, two annihilation photons leave; a K X-ray leaves."""
    xray_kev: float


def energy_grid(edge_kev: float = 0.0) -> Vector:
    """(energies,) with a point just on each side of a K edge."""
    grid = np.geomspace(FIRST_KEV, LAST_KEV, ENERGIES)
    if edge_kev > FIRST_KEV:
        grid = np.sort(np.append(grid, (edge_kev * 0.9995, edge_kev * 1.0005)))
    return steady(grid)


@lru_cache(maxsize=16)
def crystal_response(material: str, depth_cm: float, width_cm: float, height_cm: float) -> Response:
    """The Monte Carlo for one crystal, photons falling on its face."""
    inside = matter(material)
    energies = energy_grid(inside.edge_kev)
    size = np.array([depth_cm, width_cm, height_cm])
    spread = np.zeros((len(energies), LOSS_BINS))
    peaks = np.zeros((len(energies), 4))
    for row, energy in enumerate(energies):
        state = np.array([SEED + row * 1_000_003], dtype=np.uint64)
        found = deposits(state, inside, size, Beam(float(energy), PHOTONS))
        spread[row], peaks[row] = found.spread, found.peaks
    return Response(
        energies_kev=energies, spread=spread, peaks=peaks, xray_kev=float(inside.xray_kev)
    )


def between(grid_kev: Vector, energies_kev: Vector, values: Vector) -> Vector:
    """(n, columns) rows of `values` (energies, columns) mixed for `energies_kev`, in ln E."""
    at = steady(np.interp(np.log(energies_kev), np.log(grid_kev), np.arange(len(grid_kev))))
    low = np.minimum(at.astype(np.int64), len(grid_kev) - 2)
    part = (at - low)[:, None]
    return np.asarray(values[low] * (1 - part) + values[low + 1] * part, dtype=np.float64)


def loss_edges(energies_kev: Vector) -> Vector:
    """(n, LOSS_BINS + 1) energies lost at the edges of the bins of `kernels.response.loss_bin`."""
    edge = energies_kev * (1 - 1 / (1 + 2 * energies_kev / ELECTRON_KEV))
    single = np.linspace(0, 1, SINGLE_BINS + 1)[None, :] * edge[:, None]
    more = np.linspace(0, 1, MULTIPLE_BINS + 1)[None, 1:]
    return np.hstack([single, edge[:, None] + more * (energies_kev - edge)[:, None]])


def sigma_kev(detector: DetectorSpec, energies_kev: Vector) -> Vector:
    """Standard deviation of a peak: the power law of the spec, and the electronics' noise."""
    width = (
        detector.resolution_percent
        / 100
        * 661.7
        * (np.maximum(energies_kev, 1.0) / 661.7) ** detector.resolution_power
    )
    noise = NOISE_KEV.get(detector.material, 0.0)
    return steady(np.hypot(width, noise) / 2.354820045)


def response_rows(
    detector: DetectorSpec, low_kev: Vector, high_kev: Vector, edges_kev: Vector
) -> Vector:
    """(photon groups, bins) counts per photon on the detector's face.

    low_kev, high_kev  (groups,) photons are even between the two; equal for a line
    edges_kev          (bins + 1,)
    """
    crystal = crystal_response(
        detector.material, detector.depth_cm, detector.width_cm, detector.height_cm
    )
    light = COMPTON_LIGHT.get(detector.material, 1.0)
    middle = np.sqrt(low_kev * high_kev)
    half = 0.5 * (high_kev - low_kev)
    through = steady(np.exp(-attenuation_per_cm("aluminium", middle) * HOUSING_CM))
    spread = between(crystal.energies_kev, middle, crystal.spread) * through[:, None]
    peaks = between(crystal.energies_kev, middle, crystal.peaks) * through[:, None]
    at = middle[:, None] - np.array([0.0, ELECTRON_KEV, 2 * ELECTRON_KEV, crystal.xray_kev])
    boxes = loss_edges(middle) * light
    boxes[:, SINGLE_BINS:] += np.linspace(0, 1, MULTIPLE_BINS + 1) * (middle * (1 - light))[:, None]
    low = np.hstack([at - half[:, None], boxes[:, :-1]])
    high = np.hstack([at + half[:, None], boxes[:, 1:]])
    mass = np.hstack([np.where(at > 0, peaks, 0.0), spread])
    sigma = sigma_kev(detector, 0.5 * (low + high))
    out = np.zeros((len(middle), len(edges_kev) - 1))
    add_boxes(Boxes(low, high, mass, sigma), edges_kev, out)
    return out
