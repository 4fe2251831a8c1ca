"""Physics of a portal: what a source, a vehicle and the sky add to or take from its counts.

Places along a vehicle run from its front; `passed_m` is how far the front is beyond the beam,
so what lies at `q` from the front is at the portal when `passed_m` equals `q`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from simulators.scenario import Cargo, Rain, Source, Vehicle

Metres = NDArray[np.float64]
Share = NDArray[np.float64]

REFERENCE_DISTANCE_M = 2.5  # of the table below
THRESHOLD_SHARE = 0.7  # facts 5.4: interactions above a PVT panel's threshold
DEAD_TIME_S = 1e-6  # of a PVT panel's counting chain; 20 % are lost at 200,000 counted a second

NUCLIDES: dict[str, tuple[float, float, float]] = {
    # interactions/s per MBq in one 0.505 m2 panel at 2.5 m (facts 5.4), attenuation by lead in
    # cm2/g at the main line (NIST XCOM), share that leaves a patient's body or a vehicle's walls
    "Am-241": (1720.0, 5.0, 0.4),
    "Co-57": (4170.0, 3.2, 0.6),
    "Tc-99m": (3770.0, 2.4, 0.15),
    "Tl-201": (4910.0, 4.0, 0.1),
    "Ga-67": (3390.0, 1.3, 0.2),
    "In-111": (7250.0, 0.9, 0.2),
    "I-123": (3450.0, 1.9, 0.15),
    "Lu-177": (700.0, 1.0, 0.2),
    "I-131": (3260.0, 0.29, 0.3),
    "F-18": (5990.0, 0.157, 0.35),
    "Se-75": (6720.0, 0.6, 0.7),
    "Ba-133": (4960.0, 0.31, 0.7),
    "Ir-192": (6990.0, 0.35, 0.75),
    "Cs-137": (2480.0, 0.110, 0.8),
    "Co-60": (4610.0, 0.0588, 0.85),
    "Eu-152": (3690.0, 0.08, 0.8),
    "Ra-226": (4490.0, 0.07, 0.8),
    "Th-232": (4650.0, 0.05, 0.8),
    "K-40": (231.0, 0.0515, 0.85),
    # Not in facts 5.4: scaled from the nuclide with the nearest lines by photons per decay.
    "U-235": (3150.0, 1.25, 0.6),
    "Np-237": (1500.0, 0.39, 0.7),
    "Cf-252": (730.0, 0.071, 0.8),
    # A natural mix as in granite: 1,000 Bq/kg K-40, 60 Ra-226, 70 Th-232.
    "NORM": (731.0, 0.055, 0.85),
}

SPREAD_M = 2.0  # a source longer than this is a load that absorbs its own radiation
LOAD_ESCAPE = 0.08  # (1 - exp(-mt)) / mt of 220 g/cm2 of load at 0.055 cm2/g

NEUTRON_CPS_PER_N_S = 21.6 / 20_000 * 4.0  # facts 5.1: 21.6 cps of 20,000 n/s at 2 m, times m2

VIEW_M = 2.8  # half width of the stretch of ground that makes half of a panel's background
DENSE_MAX_M = 6.0  # a longer block is the load itself, part of the vehicle's suppression
LOAD_G_CM2 = 100.0  # of an ordinary load, which the vehicle's suppression counts already
DENSE_CM2_G = 0.06  # attenuation of the 1 MeV background, NIST XCOM, iron
HALF_FROM_THE_FAR_SIDE = 0.5  # the rest reaches a panel from behind it, past no vehicle
RAIN_HALF_LIFE_S = 1800.0  # facts 5.2: radon daughters on the ground


def gamma_cps(source: Source, passed_m: Metres, distance_m: float) -> Metres:
    """Counts per second of one panel. KeyError for a nuclide that is not in `NUCLIDES`.

    Point: S0 (d2 / (d2 + x2))^1.5, inverse square with the panel's cosine, facts 5.1; spread:
    its mean along the source.
    """
    rate, lead_cm2_g, escape = NUCLIDES[source.nuclide]
    length_m = source.to_m - source.from_m
    if length_m > SPREAD_M:
        escape = LOAD_ESCAPE
    peak = rate * source.activity_mbq * THRESHOLD_SHARE * escape
    peak *= (REFERENCE_DISTANCE_M / distance_m) ** 2
    peak *= math.exp(-lead_cm2_g * source.shield_lead_g_cm2)
    return peak * _profile(source, passed_m, distance_m)


def neutron_cps(source: Source, passed_m: Metres, distance_m: float) -> Metres:
    """Neutron counts per second of the whole portal; lead does not stop them."""
    peak = source.neutrons_per_s * NEUTRON_CPS_PER_N_S / distance_m**2
    return peak * _profile(source, passed_m, distance_m)


def _profile(source: Source, passed_m: Metres, distance_m: float) -> Metres:
    length_m = source.to_m - source.from_m
    if length_m <= 0.0:
        away_m = passed_m - source.from_m
        return np.asarray((distance_m**2 / (distance_m**2 + away_m**2)) ** 1.5)
    ahead = _covered(passed_m - source.from_m, distance_m)
    behind = _covered(passed_m - source.to_m, distance_m)
    return (ahead - behind) * 2.0 * distance_m / length_m


def _covered(along_m: Metres, distance_m: float) -> Share:
    """Share of the point profile's area up to `along_m`: -0.5 far before, 0.5 far behind."""
    return np.asarray(0.5 * along_m / np.sqrt(distance_m**2 + along_m**2))


def shadow(vehicle: Vehicle, passed_m: Metres, random: np.random.Generator) -> Share:
    """Share of the background that the vehicle shields, smooth along it (facts 5.1).

    The middle of a uniform vehicle shields `vehicle.suppression`; the cab shields less, the load
    varies by some 10 % along its length.
    """
    edges_m = np.linspace(0.0, vehicle.length_m, max(2, round(vehicle.length_m / 0.5)) + 1)
    middle_m = (edges_m[:-1] + edges_m[1:]) / 2
    mass = 1.0 + sum(
        0.12 / wave * math.sqrt(2.0) * np.cos(math.pi * wave * middle_m / vehicle.length_m + phase)
        for wave, phase in zip((1, 2, 3), random.uniform(0.0, 2.0 * math.pi, 3), strict=True)
    )
    if vehicle.length_m > vehicle.box_m[0] > 0.0:
        mass = np.where(middle_m < vehicle.box_m[0], mass * random.uniform(0.5, 0.9), mass)
    covered = _covered(passed_m[:, None] - edges_m[None, :], VIEW_M)
    at_middle = 2.0 * float(_covered(np.array([vehicle.length_m / 2]), VIEW_M)[0])
    smooth = (covered[:, :-1] - covered[:, 1:]) @ mass * (vehicle.suppression / at_middle)
    open_share = 1.0 - smooth
    for block in vehicle.cargo:
        open_share *= 1.0 - dense_shadow(block, passed_m)
    return np.asarray(1.0 - np.clip(open_share, 0.3, 1.0))


def dense_shadow(block: Cargo, passed_m: Metres) -> Share:
    """Share of the background that a short block of metal shields beyond its surroundings."""
    if block.material not in {"steel", "lead"} or block.to_m - block.from_m > DENSE_MAX_M:
        return np.zeros_like(passed_m)
    areal_g_cm2 = block.density_g_cm3 * block.width_m * 100.0 - LOAD_G_CM2
    stopped = 1.0 - math.exp(-DENSE_CM2_G * max(0.0, areal_g_cm2))
    height = min(1.0, (block.top_m - block.bottom_m) / 1.7)  # of the panel's 1.74 m
    covered = _covered(passed_m - block.from_m, 2.0) - _covered(passed_m - block.to_m, 2.0)
    return HALF_FROM_THE_FAR_SIDE * stopped * height * covered


def weather_factor(rains: tuple[Rain, ...], at_s: float) -> float:
    """The gamma background's rise in and after rain, relative to dry."""
    factor = 1.0
    for rain in rains:
        if at_s >= rain.end_s:
            factor += rain.rise * 0.5 ** ((at_s - rain.end_s) / RAIN_HALF_LIFE_S)
        elif at_s > rain.start_s:
            factor += rain.rise * (at_s - rain.start_s) / (rain.end_s - rain.start_s)
    return factor


def counted(true_cps: Metres) -> Metres:
    """What a panel counts of a true rate: non-paralysable dead time."""
    return true_cps / (1.0 + true_cps * DEAD_TIME_S)
