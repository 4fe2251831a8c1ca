"""A Raspberry Shake in the ground of a scenario, on the wire as its datacast."""

import math
import zlib

import numpy as np

from drivers.wire.datacast import ShakePacket, encode, split
from simulators.base import Simulator, SimulatorKind
from simulators.ground import (
    FARTHEST_M,
    PHASES,
    WAVELET_S,
    Floats,
    Wavelets,
    anti_alias,
    attenuation,
    background_density,
    band_density,
    geophone,
    vehicle_shape,
    wind_density,
)
from simulators.ground_sources import ENGINE_HZ, Impact, chance, impacts, traffic
from simulators.scenario import Scenario

COUNTS_PER_M_S = 3.9965e8
COUNTS_PER_M_S2 = 3.845e5
ACCELEROMETER_NOISE_COUNTS = 800.0  # rms of ENE in the quiet part of the R24FA capture
PACKET_MS = 250
TRUCK_AT_10_M = 12e-6
"""rms in m/s of a 15 t truck at 2.2 m/s: 10 m from a flat road, PPV some 0.04 mm/s."""
MAINS_HZ, MAINS_M_S = 60.0, 12e-9
GUST_S = 6.0  # gusts live 4 to 20 s, sigma/mean 0.5 to 0.9 (facts/seismic.md 3.2)
GUST_LOG_SIGMA = 0.6
RATES_HZ = (100, 200)
OFFSET_COUNTS = {"ENZ": 3_580_548.0, "ENE": -245_000.0, "ENN": -330_000.0}
"""Means of the R24FA capture; gravity is in the first."""


class GroundMotion:
    """Velocity of the ground at a station, second after second, as its geophones have it."""

    def __init__(self, scenario: Scenario, sensor_id: str, rate_hz: int, axes: str) -> None:
        place = scenario.sensor(sensor_id)
        soil = place.option("soil", "loess")
        corner_hz = float(place.option("corner_hz", "4.5"))
        self._place_m = place.place_m
        self._rate_hz = rate_hz
        self._axes = axes
        self._random = chance(scenario, f"ground/{sensor_id}")
        self._wavelets = Wavelets(soil, rate_hz, corner_hz)
        self._traffic = traffic(scenario)
        self._impacts = self._arrivals(scenario)
        self._next_impact = 0
        self._second = 0
        self._gust = 0.0
        self._tail = np.zeros((len(axes), rate_hz // 2))
        self._ringing = np.zeros((len(axes), round((1.0 + WAVELET_S) * rate_hz) + 1))

        f = np.fft.rfftfreq(rate_hz, 1.0 / rate_hz)
        self._frequency_hz = f
        self._window = np.sin(math.pi * (np.arange(rate_hz) + 0.5) / rate_hz)
        self._response = np.abs(geophone(f, corner_hz)) * anti_alias(f, rate_hz)
        self._quiet = background_density(f)
        self._wind = wind_density(f, scenario.wind_m_s)
        at_10_m = attenuation(self._wavelets.soil, f, np.array([10.0]))[0]
        self._rolling = np.stack(
            [band_density(vehicle_shape(f, hz), f, TRUCK_AT_10_M) / at_10_m**2 for hz in ENGINE_HZ]
        )
        turns = MAINS_HZ * np.arange(rate_hz) / rate_hz
        # At 100 Hz mains is above Nyquist and the station's own filter takes it away.
        self._mains = MAINS_M_S * (rate_hz > 2 * MAINS_HZ) * np.sin(2.0 * math.pi * turns)

    def _arrivals(self, scenario: Scenario) -> list[tuple[float, float, Impact]]:
        """(arrival in s, range in m, impact), in order of arrival; what is too far is left out."""
        arrivals = []
        for mover in scenario.movers:
            for impact in impacts(scenario, mover):
                range_m = math.dist(impact.place_m, self._place_m)
                if range_m <= FARTHEST_M:
                    arrivals.append(
                        (impact.at_s + self._wavelets.delay_s(range_m), range_m, impact)
                    )
        return sorted(arrivals, key=lambda arrival: arrival[0])

    def next_second(self) -> Floats:
        """Velocity in m/s of the second that follows, (axes, samples)."""
        second = self._second
        self._second += 1
        motion = self._noise(second)
        while self._next_impact < len(self._impacts):
            arrival_s, range_m, impact = self._impacts[self._next_impact]
            if arrival_s >= second + 1:
                break
            self._next_impact += 1
            self._strike(max(arrival_s - second, 0.0), range_m, impact)
        motion += self._ringing[:, : self._rate_hz]
        self._ringing[:, : -self._rate_hz] = self._ringing[:, self._rate_hz :]
        self._ringing[:, -self._rate_hz :] = 0.0
        return motion

    def _strike(self, after_s: float, range_m: float, impact: Impact) -> None:
        quarters = math.floor(after_s * self._rate_hz * PHASES)
        first, phase = divmod(quarters, PHASES)
        wavelet = self._wavelets.get(impact.kind, range_m)[:, phase] * impact.size
        samples = slice(first, first + wavelet.shape[1])
        east = (self._place_m[0] - impact.place_m[0]) / max(range_m, 1e-9)
        north = (self._place_m[1] - impact.place_m[1]) / max(range_m, 1e-9)
        for row, axis in zip(self._ringing, self._axes, strict=True):
            if axis == "Z":
                row[samples] += wavelet[0]
            else:
                row[samples] += wavelet[1] * (north if axis == "N" else east)

    def _noise(self, second: int) -> Floats:
        """Shaped noise: two half-overlapping frames whose windows' powers add to one."""
        rate, axes = self._rate_hz, len(self._axes)
        normal = self._random.standard_normal((2, axes, 2, rate // 2 + 1))
        density = np.stack([self._density(second + 0.5 * half) for half in (1, 2)])
        size = 0.5 * rate * np.sqrt(density) * self._response
        frames = np.fft.irfft((normal[:, :, 0] + 1j * normal[:, :, 1]) * size[:, None], rate)
        frames *= self._window
        half = rate // 2
        motion = np.empty((axes, rate))
        motion[:, :half] = self._tail + frames[0, :, :half]
        motion[:, half:] = frames[0, :, half:] + frames[1, :, :half]
        self._tail = frames[1, :, half:]
        return np.asarray(motion + self._mains)

    def _density(self, at_s: float) -> Floats:
        keep = math.exp(-0.5 / GUST_S)
        self._gust = keep * self._gust + math.sqrt(1.0 - keep**2) * self._random.standard_normal()
        gust = math.exp(2.0 * (GUST_LOG_SIGMA * self._gust - 0.5 * GUST_LOG_SIGMA**2))
        density = self._quiet + gust * self._wind
        range_m, power, engine = self._traffic.heard(at_s, self._place_m)
        near = range_m < FARTHEST_M
        if near.any():
            carried = attenuation(self._wavelets.soil, self._frequency_hz, range_m[near]) ** 2
            carried *= power[near][:, None]
            for kind, rolling in enumerate(self._rolling):
                density = density + rolling * carried[engine[near] == kind].sum(axis=0)
        return density


class ShakeSimulator:
    """One station: `channels` such as `EHZ,ENZ`, `rate_hz` 100 or 200, `soil`, `corner_hz`."""

    def __init__(self, scenario: Scenario, sensor_id: str) -> None:
        place = scenario.sensor(sensor_id)
        self._scenario = scenario
        self._sensor_id = sensor_id
        self._rate_hz = int(place.option("rate_hz", "100"))
        if self._rate_hz not in RATES_HZ:
            raise ValueError(f"{sensor_id}: rate_hz is {self._rate_hz}, use one of {RATES_HZ}")
        self._channels = tuple(place.option("channels", "EHZ").split(","))
        for channel in self._channels:
            if channel[:2] not in ("EH", "SH", "EN") or channel[2:] not in ("Z", "N", "E"):
                raise ValueError(f"{sensor_id}: cannot simulate the channel {channel!r}")
        self._axes = "".join(sorted({channel[2] for channel in self._channels}))
        self._motion = GroundMotion(scenario, sensor_id, self._rate_hz, self._axes)
        self._random = chance(scenario, f"shake/{sensor_id}")
        self._faults = chance(scenario, f"fault/{sensor_id}")
        self._offset = {
            channel: OFFSET_COUNTS.get(channel, float(zlib.crc32(sensor_id.encode()) % 40_000))
            for channel in self._channels
        }
        self._last: Floats = np.zeros(len(self._axes))
        self._counts: dict[str, list[int]] = {}
        # A Shake stamps milliseconds.
        self._start_ns = scenario.start_utc_ns // 1_000_000 * 1_000_000
        self._due_ms = 0
        self._packets_sent = 0
        self._delayed: list[bytes] = []

    def step(self, dt_ms: int) -> bytes:
        """Let `dt_ms` pass; return the datagrams that were full by then, joined."""
        self._due_ms += dt_ms
        sent = []
        while (self._packets_sent + 1) * PACKET_MS <= self._due_ms:
            sent += self._quarter(self._packets_sent)
            self._packets_sent += 1
        return b"".join(sent)

    def _quarter(self, number: int) -> list[bytes]:
        in_second = number % 4
        if in_second == 0:
            self._counts = self._digitise(self._motion.next_second())
        per_packet = self._rate_hz // 4
        start_ns = self._start_ns + number * PACKET_MS * 1_000_000
        samples = slice(in_second * per_packet, (in_second + 1) * per_packet)
        datagrams = [
            encode(ShakePacket(channel, start_ns, tuple(self._counts[channel][samples])))
            for channel in self._channels
        ]
        return self._damage(datagrams, number * PACKET_MS / 1000.0)

    def _digitise(self, motion: Floats) -> dict[str, list[int]]:
        """Velocity, and acceleration as its difference, in whole counts."""
        before = np.concatenate([self._last[:, None], motion[:, :-1]], axis=1)
        self._last = motion[:, -1].copy()
        counts = {}
        for channel in self._channels:
            axis = self._axes.index(channel[2])
            if channel[1] == "N":
                values = (motion[axis] - before[axis]) * (self._rate_hz * COUNTS_PER_M_S2)
                values += ACCELEROMETER_NOISE_COUNTS * self._random.standard_normal(self._rate_hz)
            else:
                values = motion[axis] * COUNTS_PER_M_S
            values = np.rint(values + self._offset[channel])
            counts[channel] = np.clip(values, -(2**31), 2**31 - 1).astype(np.int64).tolist()
        return counts

    def _damage(self, datagrams: list[bytes], at_s: float) -> list[bytes]:
        """What the network and the faults of the scenario leave of them."""
        delayed, self._delayed = self._delayed, []
        if self._scenario.active(self._sensor_id, "silent", at_s):
            return []
        if self._scenario.active(self._sensor_id, "loss", at_s):
            datagrams = self._lose(datagrams)
        if self._scenario.active(self._sensor_id, "garbage", at_s):
            datagrams = [self._garble(datagram) for datagram in datagrams]
        return datagrams + delayed

    def _lose(self, datagrams: list[bytes]) -> list[bytes]:
        """Of a hundred datagrams ten are lost, four come twice, four come a packet late."""
        kept = []
        for datagram in datagrams:
            fate = self._faults.random()
            if fate < 0.82:
                kept.append(datagram)
            elif fate < 0.86:
                kept += [datagram, datagram]
            elif fate < 0.90:
                self._delayed.append(datagram)
        return kept

    def _garble(self, datagram: bytes) -> bytes:
        """Of a hundred datagrams fifteen are cut short and fifteen are random bytes."""
        fate = self._faults.random()
        if fate < 0.15:
            return datagram[: int(self._faults.integers(1, len(datagram)))]
        if fate < 0.30:
            return b"#" + self._faults.bytes(40)
        return datagram


def _build(scenario: Scenario, sensor_id: str) -> Simulator:
    return ShakeSimulator(scenario, sensor_id)


KINDS: tuple[SimulatorKind, ...] = (
    SimulatorKind("shake-udp", _build, version="ground-1", packets=split),
)
