"""Physics of a portal: what a source, a vehicle and the sky add to or take from its counts.

Places along a vehicle run from its front; `passed_m` is how far the front is beyond the beam,
so what lies at `q` from the front is at the portal when `passed_m` equals `q`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from simulators.scenario import Cargo, Rain, Source, Vehicle
from simulators.spectra_data import attenuation, compton, lines_of

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
    "U-238": (900.0, 0.6, 0.5),
    "U-233": (14.0, 3.0, 0.6),
    "Pu-239": (20.0, 3.0, 0.4),
    "Np-237": (1500.0, 0.39, 0.7),
    "Cf-252": (730.0, 0.071, 0.8),
    # A natural mix as in granite: 1,000 Bq/kg K-40, 60 Ra-226, 70 Th-232.
    "NORM": (731.0, 0.055, 0.85),
}

BUILD_UP = 0.75  # of what Compton scattering takes from the beam; the rest falls below threshold
SPREAD_M = 2.0  # a source longer than this is a load that absorbs its own radiation
LOAD_ESCAPE = 0.08  # (1 - exp(-mt)) / mt of 220 g/cm2 of load at 0.055 cm2/g

NEUTRON_CPS_PER_N_S = 21.6 / 20_000 * 4.0  # facts 5.1: 21.6 cps of 20,000 n/s at 2 m, times m2
MODERATED_G_CM2 = 4.0
NEUTRON_POLY_G_CM2 = 9.0  # removal of fast neutrons in more of it, e-fold

VIEW_M = 2.8  # half width of the stretch of ground that makes half of a panel's background
DENSE_MAX_M = 6.0  # a longer block is the load itself, part of the vehicle's suppression
LOAD_G_CM2 = 100.0  # of an ordinary load, which the vehicle's suppression counts already
DENSE_CM2_G = 0.06  # attenuation of the 1 MeV background, NIST XCOM, iron
HALF_FROM_THE_FAR_SIDE = 0.5  # the rest reaches a panel from behind it, past no vehicle
RAIN_HALF_LIFE_S = 1800.0  # facts 5.2: radon daughters on the ground
DAY_S = 86_400.0
DIURNAL_SHARE = 0.025  # facts 5.2
WARMEST_DAY_SHARE = 14.5 / 24.0  # mid-afternoon
SWING_K = 8.0  # of the air, from the day's mean, in dry country

FAULT_FACTOR = {"gamma-high": 2.2, "gamma-low": 0.1}  # of the counts, while such a fault is on

METAL = frozenset({"steel", "lead"})
# Ship effect (facts 3.1): showers in metal make neutrons, most in bursts within a millisecond.
BURSTS_PER_S_T = 0.0015  # detected with at least one count, of metal right beside the portal
BURST_STOPS = 0.28  # geometric: 3.6 counts a burst in the mean, one in 30 with more than 10
METAL_CPS_PER_T = 0.02  # the part that comes one by one
ORGANIC_T = 10.0  # e-fold of what hydrogen takes from the neutron background
ORGANIC_SHARE = 0.25  # of the background, at most


def gamma_cps(source: Source, passed_m: Metres, distance_m: float) -> Metres:
    """Counts per second of one panel. KeyError for a nuclide that is not in `NUCLIDES`.

    Point: S0 (d2 / (d2 + x2))^p with the source's p, facts 5.1; spread: its mean along the source.
    """
    rate, lead_cm2_g, escape = NUCLIDES[source.nuclide]
    length_m = source.to_m - source.from_m
    if length_m > SPREAD_M:
        escape = LOAD_ESCAPE
    peak = rate * source.activity_mbq * THRESHOLD_SHARE * escape
    peak *= (REFERENCE_DISTANCE_M / distance_m) ** 2
    peak *= math.exp(-lead_cm2_g * source.shield_lead_g_cm2)
    peak *= _broad_beam(source.nuclide, "steel", source.shield_steel_g_cm2)
    peak *= _broad_beam(source.nuclide, "poly", source.shield_poly_g_cm2)
    return peak * profile(source, passed_m, distance_m)


def _broad_beam(nuclide: str, material: str, g_cm2: float) -> float:
    """Share of the photons that leave a shield, scattered ones too: linear build-up."""
    if g_cm2 <= 0.0:
        return 1.0
    energies_kev, photons = lines_of(nuclide)
    photons = np.where(energies_kev > 40.0, photons, 0.0)
    seen = BUILD_UP * compton(material, energies_kev) * g_cm2
    through = np.exp(-attenuation(material, energies_kev) * g_cm2) * (1.0 + seen)
    return float((photons * through).sum() / photons.sum())


def neutron_cps(source: Source, passed_m: Metres, distance_m: float) -> Metres:
    """Neutron counts per second of the whole portal; lead does not stop them."""
    peak = source.neutrons_per_s * NEUTRON_CPS_PER_N_S / distance_m**2
    # The standard's source is in 4 cm of polyethylene already (facts 2); more of it absorbs.
    peak *= math.exp(-max(0.0, source.shield_poly_g_cm2 - MODERATED_G_CM2) / NEUTRON_POLY_G_CM2)
    return peak * profile(source, passed_m, distance_m)


def panel_distance_m(source: Source, half_lane_m: float, side: int, height_m: float) -> float:
    """From the source to a panel's middle, when it is right beside it.

    half_lane_m  from the lane's middle to the panels
    side         -1 for the first pillar, 1 for the second
    height_m     of the panel's middle
    """
    across_m = half_lane_m - side * source.across_m
    if source.height_m is None:
        return across_m
    return math.hypot(across_m, height_m - source.height_m)


def profile(source: Source, passed_m: Metres, distance_m: float) -> Share:
    """A source's profile: 1 for a point right beside the panel, less for a longer one."""
    length_m = source.to_m - source.from_m
    power = source.profile_power
    if length_m <= 0.0:
        away_m = passed_m - source.from_m
        return np.asarray((distance_m**2 / (distance_m**2 + away_m**2)) ** power)
    ahead = _area(passed_m - source.from_m, distance_m, power)
    behind = _area(passed_m - source.to_m, distance_m, power)
    return np.asarray((ahead - behind) * distance_m / length_m)


def _area(along_m: Metres, distance_m: float, power: float) -> Share:
    """Integral of the point profile up to `along_m`, in distances."""
    ratio = along_m / distance_m
    flat = np.arctan(ratio)
    steep = ratio / np.sqrt(1.0 + ratio**2)
    # Both ends are exact; in between the powers differ little, and so do their areas.
    return np.asarray(flat + (steep - flat) * (power - 1.0) / 0.5)


def _covered(along_m: Metres, distance_m: float) -> Share:
    """Share of the cosine profile's area up to `along_m`: -0.5 far before, 0.5 far behind."""
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


def day_factor(at_utc_s: float) -> float:
    """The gamma background through the day, relative to its mean: radon in the air."""
    return 1.0 + DIURNAL_SHARE * math.sin(2.0 * math.pi * at_utc_s / DAY_S)


def warmth_k(at_utc_s: float) -> float:
    """Kelvin above the day's mean temperature."""
    share = at_utc_s / DAY_S - WARMEST_DAY_SHARE
    return SWING_K * math.cos(2.0 * math.pi * share)


def metal_t(vehicle: Vehicle, passed_m: Metres, distance_m: float) -> Metres:
    """Tonnes of metal load beside the portal, each block as far as it is there."""
    return _beside_t(vehicle, passed_m, distance_m, metal=True)


def neutron_share(vehicle: Vehicle, passed_m: Metres, distance_m: float) -> Share:
    """What hydrogen in the load leaves of the neutron background (facts 3.1)."""
    organic_t = _beside_t(vehicle, passed_m, distance_m, metal=False)
    return np.asarray(1.0 - ORGANIC_SHARE * -np.expm1(-organic_t / ORGANIC_T))


def _beside_t(vehicle: Vehicle, passed_m: Metres, distance_m: float, *, metal: bool) -> Metres:
    total = np.zeros_like(passed_m)
    for block in vehicle.cargo:
        if (block.material in METAL) == metal:
            covered = _covered(passed_m - block.from_m, distance_m)
            covered = covered - _covered(passed_m - block.to_m, distance_m)
            total += covered * mass_t(block)
    return total


def mass_t(block: Cargo) -> float:
    """Tonnes of a block of load."""
    volume_m3 = (block.to_m - block.from_m) * (block.top_m - block.bottom_m) * block.width_m
    return block.density_g_cm3 * volume_m3


def bursts(metal_beside_t: Metres, dt_s: float, random: np.random.Generator) -> NDArray[np.int64]:
    """Neutron counts of showers in each interval of `dt_s`."""
    showers = random.poisson(metal_beside_t * BURSTS_PER_S_T * dt_s)
    counts = np.zeros(len(showers), np.int64)
    for index in np.flatnonzero(showers):
        counts[index] = random.geometric(BURST_STOPS, int(showers[index])).sum()
    return counts
