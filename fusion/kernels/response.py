"""Kernels of the detector response: photons through matter, and boxes onto bins.

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


class Losses(NamedTuple):
    """Tallies per photon, added to by the kernels."""

    spread: Vector
    """(single + multiple) energy losses: first from 0 to the Compton edge, then to all of it."""
    peaks: Vector
    """(4,) see the kernels."""


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
def coefficient(matter: Matter, kind: int, energy_kev: float) -> float:
    """Coefficient in 1/cm, linear between the columns of the table."""
    at = (math.log(energy_kev) - matter.log_first) / matter.log_step
    last = matter.weak.shape[1] - 1
    at = min(max(at, 0.0), last - 1e-9)
    i = int(at)
    part = at - i
    return float(matter.weak[kind, i] * (1.0 - part) + matter.weak[kind, i + 1] * part)


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
def loss_bin(energy_kev: float, lost_kev: float, single: int, multiple: int) -> int:
    """Where a loss belongs: `single` bins up to the Compton edge, `multiple` from there to all.

    Both ends of both ranges move with the energy, so tables of neighbouring energies can be mixed.
    """
    edge = energy_kev * (1.0 - 1.0 / (1.0 + 2.0 * energy_kev / ELECTRON_KEV))
    if lost_kev < edge:
        return min(int(lost_kev / edge * single), single - 1)
    part = (lost_kev - edge) / (energy_kev - edge)
    return single + min(int(part * multiple), multiple - 1)


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
def deposits(
    state: State, matter: Matter, size: Vector, energy_kev: float, photons: int, single: int
) -> Losses:
    """What photons that enter the face x = 0 of a box leave in it, per photon.

    size      (3,) depth along the photons' way, width, height
    single    bins of `spread` up to the Compton edge; as many again are halved for the rest
    returns   `spread` of the energy that stays, in bins as `loss_bin` has them; `peaks`: all of it, all but one or but two
              annihilation photons, all but a K X-ray
    """
    multiple = single // 2
    spread, peaks = np.zeros(single + multiple), np.zeros(4)
    place, way = np.zeros(3), np.zeros(3)
    waiting = np.zeros((STACK, 7))
    for _ in range(photons):
        waiting[0, 0] = energy_kev
        waiting[0, 1] = 0.0
        waiting[0, 2] = uniform(state) * size[1]
        waiting[0, 3] = uniform(state) * size[2]
        waiting[0, 4], waiting[0, 5], waiting[0, 6] = 1.0, 0.0, 0.0
        left, out = 1, 0.0
        while left > 0:
            left -= 1
            energy = waiting[left, 0]
            place[:] = waiting[left, 1:4]
            way[:] = waiting[left, 4:7]
            while energy > LOWEST_KEV:
                photo = coefficient(matter, 0, energy)
                scatter = coefficient(matter, 1, energy)
                total = photo + scatter + coefficient(matter, 2, energy)
                run = -math.log(1.0 - uniform(state)) / total
                if run >= way_out(place, way, size):
                    out += energy
                    break
                for i in range(3):
                    place[i] += run * way[i]
                kind = uniform(state) * total
                if kind < photo:
                    if energy <= matter.edge_kev or uniform(state) >= matter.xray_share:
                        break
                    energy = matter.xray_kev
                    turn_anywhere(state, way)
                elif kind < photo + scatter:
                    energy, cosine = compton(state, energy)
                    turn(state, way, cosine)
                else:
                    turn_anywhere(state, way)
                    waiting[left, 0] = ELECTRON_KEV
                    waiting[left, 1:4] = place
                    waiting[left, 4:7] = -way
                    left += 1
                    energy = ELECTRON_KEV
        if out < 1e-9:
            peaks[0] += 1.0
        elif energy_kev - out < 1e-6 * energy_kev:
            continue  # it went through
        elif energy_kev > 2.0 * ELECTRON_KEV and abs(out - ELECTRON_KEV) < 1e-6:
            peaks[1] += 1.0
        elif energy_kev > 2.0 * ELECTRON_KEV and abs(out - 2.0 * ELECTRON_KEV) < 1e-6:
            peaks[2] += 1.0
        elif abs(out - matter.xray_kev) < 1e-9:
            peaks[3] += 1.0
        else:
            spread[loss_bin(energy_kev, energy_kev - out, single, multiple)] += 1.0
    for i in range(spread.shape[0]):
        spread[i] /= photons
    for i in range(4):
        peaks[i] /= photons
    return Losses(spread, peaks)


@njit(cache=True, nogil=True)
def escapes(
    state: State,
    matter: Matter,
    radii_cm: Vector,
    bulk: bool,
    energy_kev: float,
    photons: int,
    single: int,
) -> tuple[Matrix, Matrix]:
    """Photons that leave a sphere around their source, per photon, for several spheres at once.

    radii_cm  (spheres,) ascending. A history is the same in all of them up to the place where it
              first leaves, so one history in boundless matter serves them all.
    bulk      photons start anywhere in the last sphere, not in the middle; only the last counts
    returns   (spheres, single + single // 2) energy lost by those that were scattered, in bins as
              `loss_bin` has them, and (spheres, 3) those that come unscattered, annihilation
              photons and K X-rays that come unscattered
    """
    multiple = single // 2
    spheres = radii_cm.shape[0]
    spread, peaks = np.zeros((spheres, single + multiple)), np.zeros((spheres, 3))
    place, way = np.zeros(3), np.zeros(3)
    for _ in range(photons):
        turn_anywhere(state, way)
        place[:] = 0.0
        next_sphere = 0
        if bulk:
            next_sphere = spheres - 1
            far = radii_cm[next_sphere] * uniform(state) ** (1.0 / 3.0)
            for i in range(3):
                place[i] = far * way[i]
            turn_anywhere(state, way)
        energy, weight, fresh = energy_kev, 1.0, 0
        while energy > LOWEST_KEV:
            photo = coefficient(matter, 0, energy)
            scatter = coefficient(matter, 1, energy)
            total = photo + scatter + coefficient(matter, 2, energy)
            run = -math.log(1.0 - uniform(state)) / total
            square = 0.0
            for i in range(3):
                place[i] += run * way[i]
                square += place[i] * place[i]
            while next_sphere < spheres and square >= radii_cm[next_sphere] ** 2:
                if fresh >= 0:
                    peaks[next_sphere, fresh] += weight
                else:
                    at = loss_bin(energy_kev, energy_kev - energy, single, multiple)
                    spread[next_sphere, at] += weight
                next_sphere += 1
            if next_sphere == spheres:
                break
            kind = uniform(state) * total
            if kind < photo:
                if energy <= matter.edge_kev or uniform(state) >= matter.xray_share:
                    break
                energy, fresh = matter.xray_kev, 2
                turn_anywhere(state, way)
            elif kind < photo + scatter:
                energy, cosine = compton(state, energy)
                turn(state, way, cosine)
                fresh = -1
            else:
                energy, fresh = ELECTRON_KEV, 1
                weight *= 2.0
                turn_anywhere(state, way)
    return spread / photons, peaks / photons


@njit(cache=True, nogil=True)
def reflections(
    state: State, matter: Matter, energy_kev: float, photons: int, single: int
) -> tuple[Vector, Vector]:
    """Photons that come back from a half-space on which they fall from everywhere, per photon.

    returns   (single + single // 2,) energy lost, as in `escapes`; (1,) annihilation photons that
              come unscattered
    """
    multiple = single // 2
    spread, peaks = np.zeros(single + multiple), np.zeros(1)
    way = np.zeros(3)
    for _ in range(photons):
        turn_anywhere(state, way)
        way[2] = -math.sqrt(uniform(state))  # a flux through a plane: cosine-weighted
        flat = math.sqrt(way[0] * way[0] + way[1] * way[1])
        sine = math.sqrt(max(0.0, 1.0 - way[2] * way[2]))
        if flat > 0.0:
            way[0], way[1] = way[0] / flat * sine, way[1] / flat * sine
        depth, energy, weight, fresh = 0.0, energy_kev, 1.0, False
        while energy > LOWEST_KEV:
            photo = coefficient(matter, 0, energy)
            scatter = coefficient(matter, 1, energy)
            total = photo + scatter + coefficient(matter, 2, energy)
            depth -= -math.log(1.0 - uniform(state)) / total * way[2]
            if depth < 0.0:
                if fresh:
                    peaks[0] += weight
                else:
                    spread[loss_bin(energy_kev, energy_kev - energy, single, multiple)] += weight
                break
            kind = uniform(state) * total
            if kind < photo:
                break
            if kind < photo + scatter:
                energy, cosine = compton(state, energy)
                turn(state, way, cosine)
                fresh = False
            else:
                energy, fresh = ELECTRON_KEV, True
                weight *= 2.0
                turn_anywhere(state, way)
    return spread / photons, peaks / photons


@njit(cache=True, nogil=True)
def smeared(from_left: float, sigma: float) -> float:
    """Integral of the normal distribution function up to `from_left`, standard deviation sigma."""
    if sigma <= 0.0:
        return max(from_left, 0.0)
    z = from_left / sigma
    below = 0.5 * math.erfc(-z * 0.7071067811865476)
    return sigma * (z * below + 0.3989422804014327 * math.exp(-0.5 * z * z))


@njit(cache=True, nogil=True)
def add_box(low: float, high: float, mass: float, sigma: float, edges: Vector, out: Vector) -> None:
    """Add `mass`, even between `low` and `high` and then blurred by a Gaussian, to bins.

    edges  (bins + 1,) ascending; what falls outside is lost
    out    (bins,) added to
    """
    if mass <= 0.0:
        return
    width = high - low
    reach = 5.0 * sigma
    first = np.searchsorted(edges, low - reach) - 1
    bins = out.shape[0]
    before = 0.0
    started = False
    for i in range(max(first, 0), bins + 1):
        edge = edges[i]
        if edge <= low - reach:
            now = 0.0
        elif edge >= high + reach:
            now = 1.0
        elif width > 1e-3 * sigma and width > 1e-9:
            now = (smeared(edge - low, sigma) - smeared(edge - high, sigma)) / width
        elif sigma > 0.0:
            now = 0.5 * math.erfc((0.5 * (low + high) - edge) / sigma * 0.7071067811865476)
        else:
            now = 1.0 if edge > low else 0.0
        if started:
            out[i - 1] += mass * (now - before)
        before = now
        started = True
        if now >= 1.0:
            return


@njit(cache=True, nogil=True)
def add_rows(
    low: Matrix, high: Matrix, mass: Matrix, sigma: Matrix, edges: Vector, out: Matrix
) -> None:
    """`add_box` for every box of every row.

    low, high, mass, sigma  (rows, boxes)
    out                     (rows, bins) added to
    """
    for row in range(low.shape[0]):
        for box in range(low.shape[1]):
            add_box(low[row, box], high[row, box], mass[row, box], sigma[row, box], edges, out[row])
