"""What the logs of a spectroscopic portal count, second by second.

Every count is drawn: how many there are of each source and each part of the background, then
their energies, then the channels in which each detector's gain puts them.
"""

import math
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators import radiation_physics as physics
from simulators import spectra
from simulators.scenario import Scenario, Source, Vehicle
from simulators.spectra import Shape

SLICES = 10  # in a second
DEAD_TIME_S = 4e-6  # of a log's chain, not paralysable: 20 % are lost at 50,000 counted a second
PILE_UP_S = 0.5e-6  # closer together than this, two photons are one count
FIRST_SEED = 1000  # seeds are not negative, and there are seconds before the first
NEAR_M = 40.0
LOWEST_ROW_M, HIGHEST_ROW_M = 0.7, 3.3  # the lowest and the highest logs' middles
NOISE_SHARE, NOISE_S = 0.012, 30.0  # facts 5.2: 1-2 % of correlated noise
OWN_NOISE_SHARE = 0.004  # of each detector by itself
DETECTOR_SPREAD = 0.04  # logs differ in their counts
GAIN_SPREAD = 0.008  # after the last calibration
GAIN_PER_K = -0.0012  # what the device's own stabilisation leaves of sodium iodide's -0.3 %
SHADE_SPREAD = 0.15  # how much vehicles differ in what they shade most
LOW_ROWS_SHADE = 0.15  # the lowest logs look below the load floor, the highest above the load
NOISY_CPS, NOISY_TOP_KEV = 900.0, 60.0  # of a detector with a fault: electronic noise

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """Ten slices of 0.1 s."""

    counts: NDArray[np.uint32]
    """(slices, detectors, channels)"""
    live_s: Floats
    """(slices, detectors)"""
    neutrons: Counts
    """(slices,)"""


class SpectralScene:
    """The lane as the portal's detectors see it. Seconds must be asked for in order."""

    def __init__(
        self, scenario: Scenario, sensor_id: str, detectors: int, channels: int, top_kev: float
    ) -> None:
        place = scenario.sensor(sensor_id)
        self._scenario = scenario
        self._sensor_id = sensor_id
        self._seed = (scenario.seed, zlib.crc32(sensor_id.encode()), 42)
        # The option `portal` makes it the same device in every scenario that gives the same.
        portal = int(place.option("portal", str(scenario.seed)))
        random = np.random.default_rng((portal, *self._seed[1:]))
        self.vehicles = scenario.lane_vehicles(place.lane)
        self._reach_s = [vehicle.near_s(NEAR_M) for vehicle in self.vehicles]
        self._distance_m = float(place.option("panel_distance_m", "2.5"))
        self._gain_drift = float(place.option("gain_drift", "1"))
        self._level = float(place.option("background_cps", str(spectra.DRY_CPS)))
        self._channels = channels
        self._channel_kev = top_kev / channels
        self._sides, self._heights_m = detector_places(detectors)
        self._efficiency = random.normal(1.0, DETECTOR_SPREAD, detectors)
        self._gain = random.normal(1.0, GAIN_SPREAD, detectors)
        self._gain_per_k = GAIN_PER_K * random.uniform(0.5, 1.5, detectors)
        self._neutron_cps = random.uniform(2.0, 5.0)  # facts 5.1
        self._background = spectra.background()
        self._noise = np.zeros(detectors + 1)
        for source in (source for vehicle in self.vehicles for source in vehicle.sources):
            spectra.source_shape(source)  # kept: a tenth of a second each, and nobody waits yet

    def second(self, start_s: float) -> Second:
        """The second that begins then; before 0 no vehicle is anywhere near."""
        random = np.random.default_rng((*self._seed, round(start_s) + FIRST_SEED))
        middle_s = start_s + (np.arange(SLICES) + 0.5) / SLICES
        utc_s = self._scenario.start_utc_ns / 1e9 + start_s
        self._next_noise(random)
        shapes, rates, neutron_cps, metal_t = self._rates(middle_s, utc_s)
        rates *= self._fault_factors(start_s)
        counted = rates.sum(axis=1)
        live = 1.0 / (1.0 + counted * DEAD_TIME_S)
        numbers = random.poisson(rates * live[:, None, :] / SLICES)
        kev, where = self._drawn(shapes, numbers, random)
        kev, where = _piled_up(kev, where, counted, random)
        if self._active("panel-noisy", start_s):
            kev, where = self._noisy(kev, where, start_s, random)
        counts = self._channelled(kev, where, self._gain_at(utc_s), len(live))
        neutrons = random.poisson(neutron_cps / SLICES)
        neutrons += physics.bursts(metal_t, 1.0 / SLICES, random)
        return Second(counts=counts, live_s=live / SLICES, neutrons=neutrons)

    # --- rates -------------------------------------------------------------------------

    def _rates(self, middle_s: Floats, utc_s: float) -> tuple[list[Shape], Floats, Floats, Floats]:
        """Shapes, their true rates (slices, shapes, detectors), neutrons a second, metal beside."""
        detectors = len(self._sides)
        shapes = [part.shape for part in self._background]
        ground = np.repeat(self._ground(utc_s, middle_s[0])[None], SLICES, axis=0)
        sources: list[Floats] = []
        neutron_cps = np.full(SLICES, self._neutron_cps)
        metal_t = np.zeros(SLICES)
        for number, vehicle in enumerate(self.vehicles):
            from_s, to_s = self._reach_s[number]
            if middle_s[-1] < max(from_s, 0.0) or middle_s[0] > to_s:
                continue
            passed_m = vehicle.passed_m(middle_s)
            random = np.random.default_rng((*self._seed[:2], 7, number))
            ground *= 1.0 - self._shade(vehicle, passed_m, random)
            neutron_cps *= physics.neutron_share(vehicle, passed_m, self._distance_m)
            metal_t += physics.metal_t(vehicle, passed_m, self._distance_m)
            for source in vehicle.sources:
                shapes.append(spectra.source_shape(source))
                sources.append(self._of_source(source, shapes[-1], passed_m))
                neutron_cps += physics.neutron_cps(source, passed_m, self._distance_m)
        neutron_cps += metal_t * physics.METAL_CPS_PER_T
        if self._active("neutron-high", float(middle_s[0])):
            neutron_cps += 80.0
        added = np.array(sources).reshape(-1, SLICES, detectors).swapaxes(0, 1)
        rates = np.concatenate([ground, added], axis=1)
        return shapes, rates * self._efficiency, neutron_cps, metal_t

    def _ground(self, utc_s: float, at_s: float) -> Floats:
        """(parts, detectors) of the background, before any vehicle."""
        rain = physics.weather_factor(self._scenario.rain, float(at_s)) - 1.0
        shares = np.array(
            [rain if part.name == "rain" else part.share for part in self._background]
        )
        noise = 1.0 + self._noise[0] + self._noise[1:]
        level = self._level * physics.day_factor(utc_s) * noise
        return np.asarray(shares[:, None] * level[None, :])

    def _next_noise(self, random: np.random.Generator) -> None:
        """Correlated noise, of all detectors together and of each by itself, a second later."""
        keep = math.exp(-1.0 / NOISE_S)
        size = np.full(len(self._noise), OWN_NOISE_SHARE)
        size[0] = NOISE_SHARE
        kick = random.standard_normal(len(self._noise)) * size * math.sqrt(1.0 - keep * keep)
        self._noise = self._noise * keep + kick

    def _shade(self, vehicle: Vehicle, passed_m: Floats, random: np.random.Generator) -> Floats:
        """(slices, parts, detectors) of the background that the vehicle takes away."""
        along = physics.shadow(vehicle, passed_m, random)
        parts = np.array([part.shade for part in self._background])
        parts *= random.normal(1.0, SHADE_SPREAD, len(parts))
        low = (self._heights_m.mean() - self._heights_m) / max(float(np.ptp(self._heights_m)), 1.0)
        rows = 1.0 + 2.0 * LOW_ROWS_SHADE * low + 0.05 * self._sides * random.standard_normal()
        shade = along[:, None, None] * parts[None, :, None] * rows[None, None, :]
        return np.asarray(np.clip(shade, 0.0, 0.8))

    def _of_source(self, source: Source, shape: Shape, passed_m: Floats) -> Floats:
        """(slices, detectors) counts per second."""
        cps = np.empty((SLICES, len(self._sides)))
        for index, (side, height_m) in enumerate(zip(self._sides, self._heights_m, strict=True)):
            away_m = physics.panel_distance_m(source, self._distance_m, int(side), float(height_m))
            near = (spectra.REFERENCE_DISTANCE_M / away_m) ** 2
            cps[:, index] = near * physics.profile(source, passed_m, away_m)
        return cps * (shape.cps * source.activity_mbq)

    # --- faults ------------------------------------------------------------------------

    def _active(self, kind: str, at_s: float) -> bool:
        return self._scenario.active(self._sensor_id, kind, at_s + 0.5)

    def _parts(self, kind: str, at_s: float) -> list[int]:
        return [
            fault.part % len(self._sides)
            for fault in self._scenario.faults
            if fault.sensor_id == self._sensor_id
            and fault.kind == kind
            and fault.start_s <= at_s + 0.5 < fault.end_s
        ]

    def _fault_factors(self, at_s: float) -> Floats:
        """(detectors,)"""
        factors = np.ones(len(self._sides))
        factors[self._parts("panel-dead", at_s)] = 0.0
        for kind, factor in physics.FAULT_FACTOR.items():
            if self._active(kind, at_s):
                factors *= factor
        return factors

    def _noisy(
        self, kev: Floats, where: Counts, at_s: float, random: np.random.Generator
    ) -> tuple[Floats, Counts]:
        detectors = len(self._sides)
        for part in self._parts("panel-noisy", at_s):
            number = int(random.poisson(NOISY_CPS))
            slices = random.integers(0, SLICES, number)
            kev = np.concatenate([kev, random.uniform(spectra.LOWEST_KEV, NOISY_TOP_KEV, number)])
            where = np.concatenate([where, slices * detectors + part])
        return kev, where

    # --- counts ------------------------------------------------------------------------

    def _drawn(
        self, shapes: list[Shape], numbers: Counts, random: np.random.Generator
    ) -> tuple[Floats, Counts]:
        """(energy, slice and detector as one number) of every count."""
        kev, where = [], []
        cells = np.arange(numbers.shape[0] * numbers.shape[2])
        for index, shape in enumerate(shapes):
            of_each = numbers[:, index, :].ravel()
            total = int(of_each.sum())
            if total:
                kev.append(shape.draw_kev(total, random))
                where.append(np.repeat(cells, of_each))
        if not kev:
            return np.zeros(0), np.zeros(0, np.int64)
        return np.concatenate(kev), np.concatenate(where)

    def _gain_at(self, utc_s: float) -> Floats:
        """(detectors,) of what is measured over what is true."""
        warmth_k = physics.warmth_k(utc_s) * self._gain_drift
        return np.asarray(1.0 + (self._gain - 1.0) * self._gain_drift + self._gain_per_k * warmth_k)

    def _channelled(
        self, kev: Floats, where: Counts, gain: Floats, slices: int
    ) -> NDArray[np.uint32]:
        detectors = len(self._sides)
        channel = (kev * gain[where % detectors] / self._channel_kev).astype(np.int64)
        np.clip(channel, 0, self._channels - 1, out=channel)  # the last one holds the overflow
        size = slices * detectors * self._channels
        counts = np.bincount(where * self._channels + channel, minlength=size)
        return counts.astype(np.uint32).reshape(slices, detectors, self._channels)


def _piled_up(
    kev: Floats, where: Counts, counted: Floats, random: np.random.Generator
) -> tuple[Floats, Counts]:
    """Pairs of photons too close to be told apart become one count with both energies."""
    share = -np.expm1(-counted * PILE_UP_S)
    if float(share.max()) < 1e-3:
        return kev, where
    joined = random.random(len(kev)) < share.ravel()[where] / 2.0
    partner = random.integers(0, max(len(kev), 1), len(kev))
    return np.where(joined, kev + kev[partner], kev), where


def detector_places(detectors: int) -> tuple[Counts, Floats]:
    """(side -1 or 1, height in metres) of each: one pillar's from below, then the other's."""
    first = (detectors + 1) // 2
    sides = np.array([-1] * first + [1] * (detectors - first))
    heights_m = [
        LOWEST_ROW_M + (HIGHEST_ROW_M - LOWEST_ROW_M) * (row + 0.5) / count
        for count in (first, detectors - first)
        for row in range(count)
    ]
    return sides, np.array(heights_m)
