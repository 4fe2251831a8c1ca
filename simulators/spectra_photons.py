"""Photons followed one by one through shields, loads, bodies, soil and a sodium iodide log.

A Monte Carlo in arrays: all photons take a step together. It has photoelectric absorption with
the X-rays of iodine and lead, Compton scattering after Klein and Nishina, and pairs. Everything
is seeded: the same call gives the same spectrum.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from simulators.spectra_data import ELECTRON_KEV, Floats, attenuation, compton

Random = np.random.Generator
Flags = NDArray[np.bool_]

LOG_CM = (5.08, 10.16, 40.64)
"""Depth, width and height of a 2x4x16 inch log (facts/radiation 5.1)."""
NAI_G_CM3 = 3.67
LOWEST_KEV = 12.0  # a photon with less is as good as absorbed
IODINE_EDGE_KEV, IODINE_XRAY_KEV, IODINE_XRAY_SHARE = 33.17, 28.6, 0.73
LEAD_EDGE_KEV, LEAD_XRAYS_KEV, LEAD_XRAY_SHARE = 88.0, (74.0, 85.0), 0.76
GENERATIONS = 40  # no photon scatters so often before it falls below the lowest energy
LAYER_MFP = 1.0  # a shield is crossed in layers, and each layer's survivors made many again
SLANT = 0.35  # of the direction in which photons meet the log: vehicles come from afar


GRID = 8192
GRID_KEV = (10.0, 3500.0)  # a row every 0.07 %: the nearest is near enough


@cache
def _chances(material: str) -> tuple[Floats, Floats, Floats]:
    """(g/cm2 to the next interaction in the mean, share of Compton, of Compton or pairs), by row
    of the grid of energies."""
    energy_kev = np.geomspace(*GRID_KEV, GRID)
    total = attenuation(material, energy_kev)
    scattered = np.minimum(compton(material, energy_kev), 0.999 * total)
    # Above threshold what is neither Compton nor the photoelectric tail is pairs.
    at_1_mev = np.interp(1000.0, energy_kev, total - scattered)
    photo = np.where(
        energy_kev < 1000.0, total - scattered, at_1_mev * (1000.0 / energy_kev) ** 1.6
    )
    pairs = np.clip(total - scattered - photo, 0.0, None)
    pairs[energy_kev < 2.0 * ELECTRON_KEV] = 0.0
    return 1.0 / total, scattered / total, (scattered + pairs) / total


def _rows(energy_kev: Floats) -> NDArray[np.int64]:
    """Of the grid."""
    low, high = np.log(GRID_KEV)
    row = (np.log(energy_kev) - low) * ((GRID - 1) / (high - low)) + 0.5
    return np.asarray(np.clip(row, 0, GRID - 1), np.int64)


def total_cm2_g(material: str, energy_kev: Floats) -> Floats:
    """Attenuation by the grid."""
    return np.asarray(1.0 / _chances(material)[0][_rows(energy_kev)])


@cache
def _angles() -> tuple[Floats, Floats]:
    """(ln keV, cosines of 129 quantiles of the Klein-Nishina angle), to be drawn from."""
    logs = np.linspace(np.log(10.0), np.log(3500.0), 64)
    cosine = np.linspace(-1.0, 1.0, 2001)
    quantiles = np.empty((len(logs), 129))
    for row, energy_kev in enumerate(np.exp(logs)):
        ratio = 1.0 / (1.0 + energy_kev / ELECTRON_KEV * (1.0 - cosine))
        density = ratio**2 * (ratio + 1.0 / ratio - 1.0 + cosine**2)
        share = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
        quantiles[row] = np.interp(np.linspace(0.0, 1.0, 129), share / share[-1], cosine)
    return logs, quantiles


def scatter(energy_kev: Floats, random: Random) -> tuple[Floats, Floats]:
    """(energy afterwards, cosine of the angle) of one Compton scattering each."""
    logs, quantiles = _angles()
    row = (np.log(energy_kev) - logs[0]) / (logs[1] - logs[0])
    row = np.clip(row, 0.0, len(logs) - 1.001)
    column = random.random(energy_kev.size) * 127.999
    i, j = row.astype(np.int64), column.astype(np.int64)
    a, b = row - i, column - j
    low = quantiles[i, j] * (1 - b) + quantiles[i, j + 1] * b
    high = quantiles[i + 1, j] * (1 - b) + quantiles[i + 1, j + 1] * b
    cosine = low * (1 - a) + high * a
    return energy_kev / (1.0 + energy_kev / ELECTRON_KEV * (1.0 - cosine)), cosine


# --- slabs -----------------------------------------------------------------------------


@dataclass(slots=True)
class Beam:
    """Photons on their way, and how many each stands for."""

    energy_kev: Floats
    cosine: Floats
    """Of the angle to the way out; 1 straight ahead."""
    untouched: Flags
    """Whether it still has the energy it was sent with."""
    weight: float
    """Photons that came so far, per photon sent."""


def source_beam(energies_kev: Floats, photons: Floats, number: int, random: Random) -> Beam:
    """`number` photons of a point source, straight ahead; `weight` 1 a photon sent."""
    chosen = random.choice(len(energies_kev), number, p=photons / photons.sum())
    return Beam(energies_kev[chosen], np.ones(number), np.ones(number, bool), 1.0)


def through(beam: Beam, material: str, g_cm2: float, random: Random) -> Beam:
    """The beam behind a slab: what got through, scattered or not."""
    mfp = g_cm2 * float(total_cm2_g(material, np.array([np.median(beam.energy_kev)]))[0])
    layers = max(1, round(mfp / LAYER_MFP))
    for _ in range(min(layers, 60)):
        depth = np.zeros(beam.energy_kev.size)
        beam = _cross(beam, depth, material, g_cm2 / min(layers, 60), random)
    return beam


def out_of(beam: Beam, material: str, g_cm2: float, random: Random) -> Beam:
    """What leaves one face of a slab that sends the beam's photons from everywhere in it, any
    way; 1 is all that would leave this face of a slab that absorbs nothing."""
    number = beam.energy_kev.size
    anyhow = replace(beam, cosine=random.uniform(-1.0, 1.0, number))
    out = _cross(anyhow, random.uniform(0.0, g_cm2, number), material, g_cm2, random)
    out.weight *= 2.0
    return out


def _cross(beam: Beam, depth: Floats, material: str, g_cm2: float, random: Random) -> Beam:
    """Follow photons from `depth` until each is absorbed or has left by either face."""
    number = beam.energy_kev.size
    energy, cosine, fresh = beam.energy_kev.copy(), beam.cosine.copy(), beam.untouched.copy()
    outs: list[tuple[Floats, Floats, Flags]] = []
    mean_free, comptons, elses = _chances(material)
    for _ in range(GENERATIONS):
        if not energy.size:
            break
        at = _rows(energy)
        depth = depth + cosine * random.exponential(1.0, energy.size) * mean_free[at]
        left = depth >= g_cm2
        outs.append((energy[left], cosine[left], fresh[left]))
        inside = (depth > 0.0) & ~left
        energy, cosine, depth, at = energy[inside], cosine[inside], depth[inside], at[inside]
        kind = random.random(energy.size)
        is_compton = kind < comptons[at]
        pair = ~is_compton & (kind < elses[at])
        after, turned = scatter(energy, random)
        flat = np.sqrt(np.clip((1.0 - cosine**2) * (1.0 - turned**2), 0.0, None))
        bent = cosine * turned + flat * np.cos(2.0 * np.pi * random.random(energy.size))
        anyhow = random.uniform(-1.0, 1.0, energy.size)
        glow = np.zeros(energy.size, bool)
        if material == "lead":
            glow = ~is_compton & ~pair & (energy > LEAD_EDGE_KEV)
            glow &= random.random(energy.size) < LEAD_XRAY_SHARE
        energy = np.where(is_compton, after, np.where(pair, ELECTRON_KEV, 0.0))
        energy[glow] = np.where(random.random(int(glow.sum())) < 0.8, *LEAD_XRAYS_KEV)
        cosine = np.where(is_compton, bent, anyhow)
        goes_on = energy > LOWEST_KEV
        energy, cosine, depth = energy[goes_on], cosine[goes_on], depth[goes_on]
        fresh = np.zeros(energy.size, bool)
    energy = np.concatenate([one for one, _, _ in outs])
    cosine = np.concatenate([one for _, one, _ in outs])
    fresh = np.concatenate([one for _, _, one in outs])
    weight = beam.weight * energy.size / number
    if not energy.size:  # nothing got through: what is left is nothing
        return Beam(np.full(number, 100.0), np.ones(number), np.zeros(number, bool), 0.0)
    again = random.integers(0, energy.size, number)
    return Beam(energy[again], cosine[again], fresh[again], weight)


# --- the log ---------------------------------------------------------------------------


def deposits(energy_kev: Floats, random: Random) -> tuple[Floats, Floats]:
    """(keV left in the log, weight) of photons that meet its face; the weights' mean is the
    share of photons that leave anything.

    The first interaction is forced, so that no photon is lost; the rest is chance.
    """
    number = energy_kev.size
    size = np.array(LOG_CM)
    place = random.random((number, 3)) * size
    place[:, 0] = 0.0
    way = np.empty((number, 3))
    way[:, 1:] = random.normal(0.0, SLANT, (number, 2))
    way[:, 0] = 1.0
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    per_cm = total_cm2_g("NaI", energy_kev) * NAI_G_CM3
    inside_cm = _to_the_wall(place, way, size)
    weight = -np.expm1(-per_cm * inside_cm)
    first_cm = -np.log1p(-random.random(number) * weight) / per_cm
    place += way * first_cm[:, None]
    return _left(energy_kev, place, way, random), weight


def _to_the_wall(place: Floats, way: Floats, size: Floats) -> Floats:
    safe = np.where(np.abs(way) < 1e-12, 1e-12, way)
    ahead = np.where(safe > 0.0, (size - place) / safe, -place / safe)
    return np.asarray(ahead.min(axis=1))


def _left(energy: Floats, place: Floats, way: Floats, random: Random) -> Floats:
    """What photons that interact here and now leave in the log, with all that follows."""
    left = np.zeros(energy.size)
    of = np.arange(energy.size)
    size = np.array(LOG_CM)
    mean_free, comptons, elses = _chances("NaI")
    for _ in range(GENERATIONS):
        if not energy.size:
            break
        at = _rows(energy)
        kind = random.random(energy.size)
        is_compton = kind < comptons[at]
        pair = ~is_compton & (kind < elses[at])
        after, turned = scatter(energy, random)
        glow = ~is_compton & ~pair & (energy > IODINE_EDGE_KEV)
        glow &= random.random(energy.size) < IODINE_XRAY_SHARE
        onward = np.where(is_compton, after, np.where(pair, ELECTRON_KEV, 0.0))
        onward[glow] = IODINE_XRAY_KEV
        taken = energy - np.where(pair, 2.0 * ELECTRON_KEV, onward)
        np.add.at(left, of, taken)
        way_on = _any_way(energy.size, random)
        way_on[is_compton] = _bent(way[is_compton], turned[is_compton], random)
        # Of a pair's two photons the second flies the other way.
        energy = np.concatenate([onward, onward[pair]])
        way = np.concatenate([way_on, -way_on[pair]])
        place = np.concatenate([place, place[pair]])
        of = np.concatenate([of, of[pair]])
        goes_on = energy > LOWEST_KEV
        np.add.at(left, of[~goes_on], energy[~goes_on])
        energy, way, place, of = energy[goes_on], way[goes_on], place[goes_on], of[goes_on]
        step_cm = random.exponential(1.0, energy.size) * mean_free[_rows(energy)] / NAI_G_CM3
        place = place + way * step_cm[:, None]
        stays = ((place > 0.0) & (place < size)).all(axis=1)
        energy, way, place, of = energy[stays], way[stays], place[stays], of[stays]
    return left


def _any_way(number: int, random: Random) -> Floats:
    way = random.standard_normal((number, 3))
    return np.asarray(way / np.linalg.norm(way, axis=1, keepdims=True))


def _bent(way: Floats, cosine: Floats, random: Random) -> Floats:
    """Directions at an angle to `way`, in any plane."""
    side = np.cross(way, _any_way(len(way), random))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    sine = np.sqrt(np.clip(1.0 - cosine**2, 0.0, None))
    return np.asarray(way * cosine[:, None] + side * sine[:, None])
