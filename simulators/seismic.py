"""A Raspberry Shake in the ground of a scenario, on the wire as its datacast."""

import zlib

import numpy as np

from drivers.wire.datacast import ShakePacket, encode, split
from simulators.base import Simulator, SimulatorKind
from simulators.ground import Floats
from simulators.ground_clock import DeviceClock, Network
from simulators.ground_motion import GroundMotion as GroundMotion  # noqa: PLC0414 - of its kin
from simulators.ground_station import chance
from simulators.scenario import Scenario

COUNTS_PER_M_S = 3.9965e8
COUNTS_PER_M_S2 = 3.845e5
ACCELEROMETER_NOISE_COUNTS = 800.0  # rms of ENE in the quiet part of the R24FA capture
PACKET_MS = 250
RATES_HZ = (50, 100, 200)
NOISY_UM_S = 3.0  # of a loose cable or a machine that leans on the case
OFFSET_COUNTS = {"ENZ": 3_580_548.0, "ENE": -245_000.0, "ENN": -330_000.0}
"""Means of the R24FA capture; gravity is in the first."""
GROUND_VERSION = "ground-2"
"""Of the physics: every simulator that stands in this ground has it as its own version."""


class ShakeSimulator:
    """One station.

    Options: `channels` such as `EHZ,ENZ`, `rate_hz` of `RATES_HZ`, `site`, `corner_hz`,
    `damping`, `hum_um_s`; `loss` of its packets, `clock_offset_ms` and `clock_drift_ppm`.
    """

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
        self._noise = chance(scenario, f"noisy/{sensor_id}")
        self._stuck: dict[str, tuple[int, ...]] = {}
        self._network = Network(scenario, sensor_id)
        self._clock = DeviceClock(scenario, sensor_id)
        self._faulty = any(fault.sensor_id == sensor_id for fault in scenario.faults)
        self._offset = {
            channel: OFFSET_COUNTS.get(channel, float(zlib.crc32(sensor_id.encode()) % 40_000))
            for channel in self._channels
        }
        self._last: Floats = np.zeros(len(self._axes))
        self._counts: dict[str, list[int]] = {}
        # A model of 50 samples a second fills its packets half as often.
        self._packet_ms = max(PACKET_MS, 25_000 // self._rate_hz)
        self._due_ms = 0
        self._packets_sent = 0

    def step(self, dt_ms: int) -> bytes:
        """Let `dt_ms` pass; return the datagrams that were full by then, joined."""
        self._due_ms += dt_ms
        sent = []
        while (self._packets_sent + 1) * self._packet_ms <= self._due_ms:
            sent += self._packet(self._packets_sent)
            self._packets_sent += 1
        return b"".join(sent)

    def _packet(self, number: int) -> list[bytes]:
        per_second = 1000 // self._packet_ms
        in_second = number % per_second
        if in_second == 0:
            motion = self._motion.next_second()
            self._counts = self._digitise(motion + self._own_noise(number, motion.shape))
        per_packet = self._rate_hz // per_second
        at_ns = self._scenario.start_utc_ns + number * self._packet_ms * 1_000_000
        # A Shake stamps milliseconds.
        told_ns = self._clock.told_ns(at_ns) // 1_000_000 * 1_000_000
        samples = slice(in_second * per_packet, (in_second + 1) * per_packet)
        at_s = number * self._packet_ms / 1000.0
        counts = {channel: tuple(self._counts[channel][samples]) for channel in self._channels}
        if self._faulty and self._scenario.active(self._sensor_id, "stuck", at_s):
            counts = self._stuck = self._stuck or counts
        else:
            self._stuck = {}
        datagrams = [
            encode(ShakePacket(channel, told_ns, counts[channel])) for channel in self._channels
        ]
        return self._damage(datagrams, at_s)

    def _own_noise(self, number: int, shape: tuple[int, ...]) -> Floats | float:
        """White noise of a sensor that is shaken itself, m/s."""
        at_s = number * self._packet_ms / 1000.0
        for fault in self._scenario.faults if self._faulty else ():
            if (
                fault.sensor_id == self._sensor_id
                and fault.kind == "noisy"
                and fault.start_s <= at_s < fault.end_s
            ):
                size_m_s = (fault.size or NOISY_UM_S) * 1e-6
                return np.asarray(size_m_s * self._noise.standard_normal(shape))
        return 0.0

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
        if not self._faulty:
            return self._network.carry(datagrams, at_s)
        if self._scenario.active(self._sensor_id, "silent", at_s):
            self._network.drop()
            return []
        if self._scenario.active(self._sensor_id, "garbage", at_s):
            datagrams = [self._garble(datagram) for datagram in datagrams]
        return self._network.carry(datagrams, at_s)

    def _garble(self, datagram: bytes) -> bytes:
        """Of a hundred datagrams fifteen are cut short and fifteen are random bytes."""
        fate = self._network.random.random()
        if fate < 0.15:
            return datagram[: int(self._network.random.integers(1, len(datagram)))]
        if fate < 0.30:
            return b"#" + self._network.random.bytes(40)
        return datagram


def _build(scenario: Scenario, sensor_id: str) -> Simulator:
    return ShakeSimulator(scenario, sensor_id)


KINDS: tuple[SimulatorKind, ...] = (
    SimulatorKind("shake-udp", _build, version=GROUND_VERSION, packets=split),
)
