"""Kernels of the detector response: photons through matter.

Callers check arguments; kernels trust them. Chance comes from splitmix64 (Steele, Lea & Flood
2014, OOPSLA, figure 13) on a state the caller gives, so the same call gives the same histories on
every machine. Lengths are cm, energies keV, coefficients 1/cm.

Photons lose energy by the photoelectric effect, Compton scattering off free electrons
(Klein-Nishina) and pair production; electrons stop where they are made. Left out: coherent
scattering and electron binding (below 40 keV a scattered photon is rare), and bremsstrahlung of
the secondary electrons (a few per cent above 2 MeV).
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
State = NDArray[np.uint64]

ELECTRON_KEV = 510.99895
LOWEST_KEV = 10.0  # below, a photon is absorbed where it is
STEP = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
SHIFT_1, SHIFT_2, SHIFT_3 = np.uint64(30), np.uint64(27), np.uint64(31)
SHIFT_11 = np.uint64(11)
UNIT = 1.0 / 9007199254740992.0  # 2^-53
SINGLE_BINS = 48  # of losses up to the Compton edge, and half as many from there to all
MULTIPLE_BINS = SINGLE_BINS // 2
LOSS_BINS = SINGLE_BINS + MULTIPLE_BINS
SCATTERED, ANNIHILATION, XRAY = -1, 1, 2
STACK = 8  # photons waiting: two of a pair, one X-ray, and room


class Matter(NamedTuple):
    """What photons run through."""

    log_first: float
    """ln keV of the first column of `weak`."""
    log_step: float
    weak: Matrix
    """(3, energies) photoelectric, Compton and pair coefficients in 1/cm."""
    xray_kev: float
    """Mean K X-ray; 0: none."""
    edge_kev: float
    xray_share: float
    """K X-rays per photoelectric absorption above the edge."""


class Coefficients(NamedTuple):
    """In 1/cm."""

    photo: float
    scatter: float
    total: float


class Beam(NamedTuple):
    """Photons of one energy."""

    energy_kev: float
    photons: int


class Losses(NamedTuple):
    """Tallies per photon."""

    spread: Vector
    """(LOSS_BINS,) energies lost on the way, in bins as `loss_bin` has them."""
    peaks: Vector
    """(4,) everything; everything but one, but two annihilation photons; but a K X-ray."""


@njit(cache=True, nogil=True)
def uniform(state: State) -> float:
    """The next number of splitmix64 in [0, 1); `state` (1,) moves on."""
    state[0] += STEP
    z = state[0]
    z = (z ^ (z >> SHIFT_1)) * MIX_1
    z = (z ^ (z >> SHIFT_2)) * MIX_2
    z = z ^ (z >> SHIFT_3)
    return float(z >> SHIFT_11) * UNIT


@njit(cache=True, nogil=True)
def coefficients(matter: Matter, energy_kev: float) -> Coefficients:
    """Of all three kinds in 1/cm, linear between the columns of the table."""
    at = (math.log(energy_kev) - matter.log_first) / matter.log_step
    at = min(max(at, 0.0), matter.weak.shape[1] - 1.000001)
    i = int(at)
    part = at - i
    weak = matter.weak
    photo = weak[0, i] + (weak[0, i + 1] - weak[0, i]) * part
    scatter = weak[1, i] + (weak[1, i + 1] - weak[1, i]) * part
    pair = weak[2, i] + (weak[2, i + 1] - weak[2, i]) * part
    return Coefficients(photo, scatter, photo + scatter + pair)


@njit(cache=True, nogil=True)
def compton(state: State, energy_kev: float) -> tuple[float, float]:
    """Energy and cosine of a photon after scattering off a free electron at rest.

    Kahn's rejection from the Klein-Nishina cross section (Kahn 1956, RM-1237-AEC).
    """
    alpha = energy_kev / ELECTRON_KEV
    while True:
        if uniform(state) <= (1.0 + 2.0 * alpha) / (9.0 + 2.0 * alpha):
            ratio = 1.0 + 2.0 * alpha * uniform(state)
            accepted = uniform(state) <= 4.0 * (1.0 / ratio - 1.0 / (ratio * ratio))
        else:
            ratio = (1.0 + 2.0 * alpha) / (1.0 + 2.0 * alpha * uniform(state))
            cosine = 1.0 - (ratio - 1.0) / alpha
            accepted = uniform(state) <= 0.5 * (cosine * cosine + 1.0 / ratio)
        if accepted:
            return energy_kev / ratio, 1.0 - (ratio - 1.0) / alpha


@njit(cache=True, nogil=True)
def turn(state: State, way: Vector, cosine: float) -> None:
    """Turn the unit vector `way` (3,) by an angle, around it at random."""
    sine = math.sqrt(max(0.0, 1.0 - cosine * cosine))
    around = 2.0 * math.pi * uniform(state)
    a, b = sine * math.cos(around), sine * math.sin(around)
    x, y, z = way[0], way[1], way[2]
    flat = math.sqrt(x * x + y * y)
    if flat < 1e-8:
        way[0], way[1], way[2] = a, b, z * cosine
    else:
        way[0] = x * cosine + (x * z * a - y * b) / flat
        way[1] = y * cosine + (y * z * a + x * b) / flat
        way[2] = z * cosine - flat * a


@njit(cache=True, nogil=True)
def turn_anywhere(state: State, way: Vector) -> None:
    """Overwrite `way` (3,) with a direction that is uniform on the sphere."""
    way[2] = 2.0 * uniform(state) - 1.0
    sine = math.sqrt(max(0.0, 1.0 - way[2] * way[2]))
    around = 2.0 * math.pi * uniform(state)
    way[0], way[1] = sine * math.cos(around), sine * math.sin(around)


@njit(cache=True, nogil=True)
def loss_bin(energy_kev: float, lost_kev: float) -> int:
    """Where a loss belongs: SINGLE_BINS up to the Compton edge, MULTIPLE_BINS from there to all.

    Both ends of both ranges move with the energy, so tables of neighbouring energies can be mixed.
    """
    edge = energy_kev * (1.0 - 1.0 / (1.0 + 2.0 * energy_kev / ELECTRON_KEV))
    if lost_kev < edge:
        return min(int(lost_kev / edge * SINGLE_BINS), SINGLE_BINS - 1)
    part = (lost_kev - edge) / (energy_kev - edge)
    return SINGLE_BINS + min(int(part * MULTIPLE_BINS), MULTIPLE_BINS - 1)


@njit(cache=True, nogil=True)
def meet(
    state: State, matter: Matter, weak: Coefficients, energy_kev: float, way: Vector
) -> tuple[float, int]:
    """What a photon becomes where it meets something, its direction `way` (3,) with it.

    returns  energy of what flies on (0: nothing), and what that is: SCATTERED, ANNIHILATION (one
             of two, the other flies the opposite way) or XRAY
    """
    kind = uniform(state) * weak.total
    if kind < weak.photo:
        if energy_kev <= matter.edge_kev or uniform(state) >= matter.xray_share:
            return 0.0, XRAY
        turn_anywhere(state, way)
        return matter.xray_kev, XRAY
    if kind < weak.photo + weak.scatter:
        energy, cosine = compton(state, energy_kev)
        turn(state, way, cosine)
        return energy, SCATTERED
    turn_anywhere(state, way)
    return ELECTRON_KEV, ANNIHILATION


@njit(cache=True, nogil=True)
def free_run(state: State, weak: Coefficients) -> float:
    """Length of a photon's way to where it meets something, in cm."""
    return -math.log(1.0 - uniform(state)) / weak.total


@njit(cache=True, nogil=True)
def way_out(place: Vector, way: Vector, size: Vector) -> float:
    """Distance from `place` along `way` to the wall of the box from (0, 0, 0) to `size`."""
    nearest = 1e30
    for i in range(3):
        if way[i] > 0.0:
            nearest = min(nearest, (size[i] - place[i]) / way[i])
        elif way[i] < 0.0:
            nearest = min(nearest, -place[i] / way[i])
    return nearest


@njit(cache=True, nogil=True)
def leaving(state: State, matter: Matter, size: Vector, waiting: Matrix) -> float:
    """Energy in keV that gets out of a box of one photon, the first row of `waiting`.

    size     (3,) of the box, which has a corner at (0, 0, 0)
    waiting  (STACK, 7) energy, place, way of photons that are still to be followed; overwritten
    """
    place, way = np.empty(3), np.empty(3)
    left, out = 1, 0.0
    while left > 0:
        left -= 1
        energy = waiting[left, 0]
        place[:] = waiting[left, 1:4]
        way[:] = waiting[left, 4:7]
        while energy > LOWEST_KEV:
            weak = coefficients(matter, energy)
            run = free_run(state, weak)
            if run >= way_out(place, way, size):
                out += energy
                break
            for i in range(3):
                place[i] += run * way[i]
            energy, what = meet(state, matter, weak, energy, way)
            if what == ANNIHILATION:
                waiting[left, 0] = ELECTRON_KEV
                waiting[left, 1:4] = place
                waiting[left, 4:7] = -way
                left += 1
    return out


@njit(cache=True, nogil=True)
def peak_of(matter: Matter, energy_kev: float, out_kev: float) -> int:
    """Which peak a photon belongs to that lost `out_kev` from the crystal; -1: to none."""
    if out_kev < 1e-9:
        return 0
    if energy_kev > 2.0 * ELECTRON_KEV:
        if abs(out_kev - ELECTRON_KEV) < 1e-6:
            return 1
        if abs(out_kev - 2.0 * ELECTRON_KEV) < 1e-6:
            return 2
    return 3 if abs(out_kev - matter.xray_kev) < 1e-9 else -1


@njit(cache=True, nogil=True)
def deposits(state: State, matter: Matter, size: Vector, beam: Beam) -> Losses:
    """What photons that enter the face x = 0 of a box leave in it, per photon.

    size     (3,) depth along the photons' way, width, height
    returns  energy left behind, and the peaks: all of it, all but what `Losses` names
    """
    spread, peaks = np.zeros(LOSS_BINS), np.zeros(4)
    waiting = np.zeros((STACK, 7))
    energy = beam.energy_kev
    for _ in range(beam.photons):
        waiting[0, 0] = energy
        waiting[0, 1] = 0.0
        waiting[0, 2] = uniform(state) * size[1]
        waiting[0, 3] = uniform(state) * size[2]
        waiting[0, 4], waiting[0, 5], waiting[0, 6] = 1.0, 0.0, 0.0
        out = leaving(state, matter, size, waiting)
        if energy - out < 1e-6 * energy:
            continue  # it went through
        peak = peak_of(matter, energy, out)
        if peak >= 0:
            peaks[peak] += 1.0
        else:
            spread[loss_bin(energy, energy - out)] += 1.0
    return Losses(spread / beam.photons, peaks / beam.photons)


@njit(cache=True, nogil=True)
def escapes(
    state: State, matter: Matter, radii_cm: Vector, bulk: bool, beam: Beam
) -> tuple[Matrix, Matrix]:
    """Photons that leave a sphere around their source, per photon, for several spheres at once.

    radii_cm  (spheres,) ascending. A history is the same in all of them up to the place where it
              first leaves, so one history in boundless matter serves them all.
    bulk      photons start anywhere in the last sphere, not in the middle; only the last counts
    returns   (spheres, LOSS_BINS) energy lost by those that were scattered, and (spheres, 3) those
              that come unscattered, annihilation photons and K X-rays that come unscattered
    """
    spheres = radii_cm.shape[0]
    spread, peaks = np.zeros((spheres, LOSS_BINS)), np.zeros((spheres, 3))
    place, way = np.zeros(3), np.zeros(3)
    for _ in range(beam.photons):
        turn_anywhere(state, way)
        place[:] = 0.0
        sphere = 0
        if bulk:
            sphere = spheres - 1
            far = radii_cm[sphere] * uniform(state) ** (1.0 / 3.0)
            for i in range(3):
                place[i] = far * way[i]
            turn_anywhere(state, way)
        energy, weight, what = beam.energy_kev, 1.0, 0
        while energy > LOWEST_KEV:
            weak = coefficients(matter, energy)
            run, square = free_run(state, weak), 0.0
            for i in range(3):
                place[i] += run * way[i]
                square += place[i] * place[i]
            while sphere < spheres and square >= radii_cm[sphere] * radii_cm[sphere]:
                if what != SCATTERED:
                    peaks[sphere, what] += weight
                else:
                    lost = beam.energy_kev - energy
                    spread[sphere, loss_bin(beam.energy_kev, lost)] += weight
                sphere += 1
            if sphere == spheres:
                break
            energy, what = meet(state, matter, weak, energy, way)
            if what == ANNIHILATION:
                weight *= 2.0
    return spread / beam.photons, peaks / beam.photons


@njit(cache=True, nogil=True)
def reflections(state: State, matter: Matter, beam: Beam) -> tuple[Vector, Vector]:
    """Photons that come back from a half-space on which they fall from everywhere, per photon.

    returns  (LOSS_BINS,) energy lost by those that were scattered, (3,) as in `escapes`
    """
    spread, peaks = np.zeros(LOSS_BINS), np.zeros(3)
    way = np.zeros(3)
    for _ in range(beam.photons):
        around = 2.0 * math.pi * uniform(state)
        way[2] = -math.sqrt(uniform(state))  # a flux through a plane: cosine-weighted
        sine = math.sqrt(1.0 - way[2] * way[2])
        way[0], way[1] = sine * math.cos(around), sine * math.sin(around)
        depth, energy, weight, what = 0.0, beam.energy_kev, 1.0, 0
        while energy > LOWEST_KEV:
            weak = coefficients(matter, energy)
            depth -= free_run(state, weak) * way[2]
            if depth < 0.0:
                if what != SCATTERED:
                    peaks[what] += weight
                else:
                    lost = beam.energy_kev - energy
                    spread[loss_bin(beam.energy_kev, lost)] += weight
                break
            energy, what = meet(state, matter, weak, energy, way)
            if what == ANNIHILATION:
                weight *= 2.0
    return spread / beam.photons, peaks / beam.photons
