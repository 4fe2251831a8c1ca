"""What rolls: cars, trucks, tracked vehicles and trains, as noise shaped by how far they are."""

import math
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.ground import Floats, attenuation
from simulators.ground_noise import band_density
from simulators.ground_station import BLOCK_S, Station, chance
from simulators.movers import Mover
from simulators.scenario import Scenario, Vehicle

TRUCK_AT_10_M = 12e-6
"""rms in m/s of a 15 t truck at 2.2 m/s: 10 m from a flat road, PPV some 0.04 mm/s."""
TRAIN_AT_10_M = 150e-6
"""rms in m/s of a train at 20 m/s; freight at 25 m is felt at 0.5 to 1 mm/s peak."""
APPROACH_M = 300.0  # a lane's vehicles are heard so far before and after its portal
FADE_M = 100.0
AXLES = (0.08, 0.3, 0.36, 0.86, 0.95)  # where along its length a vehicle presses
NEAR_M = 40.0  # further away it is one point
WAGON_M = 15.0
HIGHEST_HZ = 160.0  # nothing of what rolls is felt above
FRAME_S = 1.0
SHAPES_KEPT = 64  # spectra of vehicles; more than are heard at once
IDLE = 0.15  # m/s: an engine that stands shakes as if it crept
USUAL_M = {"vehicle": 4.5, "car": 4.5, "truck": 16.0, "tracked": 7.0, "train": 300.0}


@dataclass(frozen=True, slots=True)
class Roller:
    """One vehicle on its line."""

    from_s: float
    to_s: float
    base_s: float
    """When its front is at `base_m`."""
    base_m: tuple[float, float]
    heading: tuple[float, float]
    """East and north of one metre along its way."""
    speed_m_s: float
    length_m: float
    power: float
    """(rms 10 m away)^2 against that of a 15 t truck, at 1 m/s."""
    shape: int
    """Which of the spectra it has."""
    fades: bool = False
    vehicle: Vehicle | None = None
    """Of a lane, where it may stop."""
    train: bool = False

    def along_m(self, times_s: Floats) -> Floats:
        """How far its front is beyond `base_m`."""
        if self.vehicle is not None and self.vehicle.speeds:
            return self.vehicle.passed_m(np.asarray(times_s, dtype=np.float64))
        return np.asarray((times_s - self.base_s) * self.speed_m_s)

    def points(self) -> NDArray[np.float64]:
        """Where it presses, in metres behind its front."""
        if self.train:
            wagons = max(round(self.length_m / WAGON_M), 2)
            return np.linspace(0.0, self.length_m, min(wagons, 24))
        return np.array(AXLES) * self.length_m


def rollers(scenario: Scenario) -> list[Roller]:
    """The lanes' vehicles, heard `APPROACH_M` either way, and those that cross ground."""
    found = [_on_lane(scenario, vehicle) for vehicle in scenario.vehicles]
    kinds = ("vehicle", "car", "truck", "tracked", "train")
    found += [_on_ground(scenario, mover) for mover in scenario.movers if mover.kind in kinds]
    return sorted(found, key=lambda roller: roller.from_s)


def _on_lane(scenario: Scenario, vehicle: Vehicle) -> Roller:
    lane = scenario.lane(vehicle.lane)
    angle = math.radians(lane.heading_deg)
    if vehicle.speeds:
        from_s, to_s = vehicle.near_s(APPROACH_M)
    else:
        reach_s = APPROACH_M / vehicle.speed_m_s
        from_s, to_s = vehicle.at_portal_s - reach_s, vehicle.at_portal_s + reach_s
    return Roller(
        from_s=from_s,
        to_s=to_s,
        base_s=vehicle.at_portal_s,
        base_m=lane.portal_m,
        heading=(math.sin(angle), math.cos(angle)),
        speed_m_s=vehicle.speed_m_s,
        length_m=vehicle.length_m,
        power=_power(vehicle.mass_kg),
        shape=zlib.crc32(vehicle.vehicle_id.encode()),
        fades=True,
        vehicle=vehicle,
    )


def _on_ground(scenario: Scenario, mover: Mover) -> Roller:
    reach_m = max(math.dist(mover.start_m, mover.end_m), 1e-9)
    train = mover.kind == "train"
    length_m = mover.length_m or USUAL_M[mover.kind]
    speed_m_s = reach_m / max(mover.end_s - mover.start_s, 1e-9)
    own = float(chance(scenario, f"{mover.mover_id}/road").lognormal(0.0, 0.3))
    power = _power(mover.mass_kg) * (own * mover.size) ** 2
    if train:
        power = (TRAIN_AT_10_M / TRUCK_AT_10_M * mover.size) ** 2 / 20.0**2
    return Roller(
        from_s=mover.start_s,
        to_s=mover.end_s + (length_m / speed_m_s if train else 0.0),
        base_s=mover.start_s,
        base_m=mover.start_m,
        heading=(
            (mover.end_m[0] - mover.start_m[0]) / reach_m,
            (mover.end_m[1] - mover.start_m[1]) / reach_m,
        ),
        speed_m_s=speed_m_s,
        length_m=length_m,
        power=power,
        shape=zlib.crc32(mover.mover_id.encode()),
        train=train,
        fades=mover.kind != "vehicle",
    )


def _power(mass_kg: float) -> float:
    """Rolling noise grows with weight, and its amplitude with speed."""
    return mass_kg / 15_000.0 / 2.2**2


def vehicle_shape(frequency_hz: Floats, random: np.random.Generator) -> Floats:
    """Relative power of a vehicle's rolling noise: body and axle hop 5-25 Hz, engine lines."""
    f = np.maximum(frequency_hz, 0.1)
    hop_hz, body_hz = random.uniform(9.0, 17.0), random.uniform(3.5, 6.0)
    # Most is below 25 Hz; on some roads tyres reach further, to 50 Hz.
    high_hz = random.choice((20.0, 24.0, 30.0, 50.0))
    shape = 1.0 / (1.0 + (body_hz / f) ** 6) / (1.0 + (f / high_hz) ** 6)
    shape += random.uniform(0.7, 2.0) / (1.0 + ((f - hop_hz) / random.uniform(1.5, 3.0)) ** 2)
    engine_hz = random.uniform(18.0, 27.0)  # 1,100 to 1,600 rpm
    for order in (0.5, 1.0, 1.5, 2.0):
        line = int(np.argmin(np.abs(f - order * engine_hz)))
        shape[line] += random.uniform(1.0, 5.0)
    return np.asarray(shape)


def train_shape(frequency_hz: Floats, random: np.random.Generator) -> Floats:
    """Relative power of a train: low and broad, sleepers and bogies as humps."""
    f = np.maximum(frequency_hz, 0.1)
    shape = 1.0 / (1.0 + (2.0 / f) ** 4) / (1.0 + (f / random.uniform(10.0, 18.0)) ** 4)
    for low_hz, high_hz in ((3.0, 6.0), (6.0, 11.0), (14.0, 30.0)):
        hz = random.uniform(low_hz, high_hz)
        shape += random.uniform(0.3, 1.5) / (1.0 + ((f - hz) / (0.1 * hz)) ** 2)
    return np.asarray(shape)


class Rolling:
    """Frames of a second, half over each other, each with the density of that moment."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._random = station.chance("rolling")
        self._rollers = rollers(station.scenario)
        self._longest_s = max((one.to_s - one.from_s for one in self._rollers), default=0.0)
        self._starts_s = np.array([one.from_s for one in self._rollers])
        self._samples = round(FRAME_S * station.rate_hz)
        f = station.frequencies(FRAME_S)
        self._frequency_hz = f[f <= HIGHEST_HZ]
        response = np.abs(station.response(self._frequency_hz))
        to_bin = math.sqrt(0.25 * self._samples * station.rate_hz)
        self._to_bin = response * to_bin * station.coupling * station.site.yields
        self._window = np.sin(math.pi * (np.arange(self._samples) + 0.5) / self._samples)
        self._at_10_m = attenuation(station.site, self._frequency_hz, np.array([10.0]))[0] ** 2
        self._shapes: dict[int, Floats] = {}

    def add(self, motion: Floats, start_s: int) -> None:
        """The frames that begin within the block."""
        times_s = start_s + 0.5 * FRAME_S * (np.arange(2 * BLOCK_S) + 1.0)
        first = int(np.searchsorted(self._starts_s, start_s - self._longest_s))
        last = int(np.searchsorted(self._starts_s, start_s + BLOCK_S + FRAME_S))
        near = [one for one in self._rollers[first:last] if one.to_s >= start_s]
        if not near:
            return
        density = np.zeros((times_s.size, self._frequency_hz.size))
        for one in near:
            density += self._density(one, times_s)
        axes = len(self._station.axes)
        shape = (times_s.size, axes, self._frequency_hz.size, 2)
        normal = self._random.standard_normal(shape).view(np.complex128)[..., 0]
        size = np.sqrt(density) * self._to_bin
        spectrum = np.zeros((times_s.size, axes, self._samples // 2 + 1), dtype=np.complex128)
        spectrum[..., : self._frequency_hz.size] = normal * size[:, None]
        frames = np.fft.irfft(spectrum, self._samples) * self._window
        for number, frame in enumerate(frames):
            at = number * self._station.rate_hz // 2
            motion[:, at : at + self._samples] += frame

    def _density(self, one: Roller, times_s: Floats) -> Floats:
        """(times, frequencies) in (m/s)^2/Hz at the station."""
        along_m = one.along_m(times_s)
        x_m = one.base_m[0] + along_m * one.heading[0] - self._station.place_m[0]
        y_m = one.base_m[1] + along_m * one.heading[1] - self._station.place_m[1]
        back_m = one.points()
        if not one.train and np.hypot(x_m, y_m).min() > NEAR_M:
            back_m = back_m[:1]
        range_m = np.hypot(
            x_m[:, None] - back_m * one.heading[0], y_m[:, None] - back_m * one.heading[1]
        )
        speed_m_s = np.maximum(np.abs(np.gradient(along_m, times_s)), IDLE)
        size = one.power * speed_m_s**2 / back_m.size
        size = size * ((one.from_s <= times_s) & (times_s <= one.to_s))
        size = size * self._fade(one, times_s, along_m)
        loss = attenuation(self._station.site, self._frequency_hz, range_m.ravel()) ** 2
        loss = loss.reshape(*range_m.shape, -1).sum(axis=1)
        rolls = self._shape(one) / self._at_10_m
        return np.asarray(loss * size[:, None] * rolls)

    @staticmethod
    def _fade(one: Roller, times_s: Floats, along_m: Floats) -> Floats:
        """Where a way begins and ends it is not heard at once."""
        if one.vehicle is not None:
            return np.asarray(np.clip((APPROACH_M - np.abs(along_m)) / FADE_M, 0.0, 1.0) ** 2)
        if not one.fades:
            return np.ones_like(times_s)
        inside_s = np.minimum(times_s - one.from_s, one.to_s - times_s)
        return np.asarray(np.clip(inside_s / 3.0, 0.0, 1.0) ** 2)

    def _shape(self, one: Roller) -> Floats:
        made = self._shapes.get(one.shape)
        if made is None:
            if len(self._shapes) >= SHAPES_KEPT:
                self._shapes.clear()
            made = self._shapes[one.shape] = self._make(one)
        return made

    def _make(self, one: Roller) -> Floats:
        random = np.random.default_rng(one.shape)
        f = self._frequency_hz
        shape = train_shape(f, random) if one.train else vehicle_shape(f, random)
        return band_density(shape, f, TRUCK_AT_10_M)
