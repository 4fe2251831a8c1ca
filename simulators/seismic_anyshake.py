"""An AnyShake Explorer in the ground of a scenario, on a serial line in any version's frames."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from drivers.wire.anyshake import OLD_SAMPLES, AnyShakePacket, Layout, encode
from drivers.wire.anyshake_stream import split
from simulators.base import Simulator, SimulatorKind
from simulators.ground import Floats
from simulators.ground_clock import DeviceClock
from simulators.ground_motion import GroundMotion
from simulators.ground_sensors import instrument
from simulators.ground_station import chance
from simulators.scenario import Scenario
from simulators.seismic import GROUND_VERSION

RATES_HZ = (50, 100, 200, 250)
AXES = "ZEN"  # in the order of channels 1 to 3
INTERVAL_MS = 100
COUNTS_PER_M_S2 = 16_384 / 9.81  # a 16-bit accelerometer of 2 g
ACCELEROMETER_NOISE_COUNTS = 12.0
BOOT_DRIFT_PPM = 30.0  # of a crystal without temperature compensation, at most
BOOTED_S = 600.0  # since when it is up, at most
DAMAGED_SHARE = 0.1  # of frames, while the line is bad


class AnyShakeSimulator:
    """One device.

    Options: `version` 1, 2 or 3, `rate_hz` of `RATES_HZ`, `channels` 3 or 6 (with accelerometers,
    version 3 only), `gnss` `yes` or `no`; `clock_offset_ms` and `clock_drift_ppm` of its clock,
    which without GNSS counts from when it was switched on. What the ground may be told as well.
    """

    def __init__(self, scenario: Scenario, sensor_id: str) -> None:
        place = scenario.sensor(sensor_id)
        self._scenario = scenario
        self._sensor_id = sensor_id
        self._version = int(place.option("version", "3"))
        self._rate_hz = int(place.option("rate_hz", "100"))
        self._channels = int(place.option("channels", "3"))
        self._gnss = place.option("gnss", "yes") == "yes"
        if self._rate_hz not in RATES_HZ or self._version not in (1, 2, 3):
            raise ValueError(
                f"{sensor_id}: version {self._version} at {self._rate_hz} Hz cannot be simulated; "
                f"versions 1, 2 and 3 at {', '.join(map(str, RATES_HZ))} Hz can"
            )
        if self._channels != 3 and (self._channels, self._version) != (6, 3):
            raise ValueError(f"{sensor_id}: 3 channels, or 6 of version 3, not {self._channels}")
        sizes = (4, 4, 4, 2, 2, 2, 0, 0) if self._channels == 6 else (4, 4, 4, 0, 0, 0, 0, 0)
        self._layout = Layout(INTERVAL_MS, self._rate_hz, self._gnss, sizes)
        self._instrument = instrument(place)
        self._motion = GroundMotion(scenario, sensor_id, self._rate_hz, AXES)
        self._random = chance(scenario, f"anyshake/{sensor_id}")
        self._faults = chance(scenario, f"fault/{sensor_id}")
        self._clock = DeviceClock(scenario, sensor_id)
        own = chance(scenario, f"boot/{sensor_id}")
        self._booted_ns = round(own.uniform(10.0, BOOTED_S) * 1e9)
        self._drift = float(own.uniform(-BOOT_DRIFT_PPM, BOOT_DRIFT_PPM)) * 1e-6
        self._device_id = zlib.crc32(sensor_id.encode()) & 0x7FFFFFFF
        self._last: Floats = np.zeros(len(AXES))
        self._counts: NDArray[np.int64] = np.zeros((self._channels, 0), np.int64)
        self._samples = self._layout.samples if self._version == 3 else OLD_SAMPLES
        self._packet_ms = 1000 * self._samples // self._rate_hz
        self._due_ms = 0
        self._sent = 0

    def step(self, dt_ms: int) -> bytes:
        """Let `dt_ms` pass; return the frames that were full by then."""
        self._due_ms += dt_ms
        sent = []
        while (self._sent + 1) * self._packet_ms <= self._due_ms:
            sent.append(self._damaged(self._frame(self._sent), self._sent * self._packet_ms / 1e3))
            self._sent += 1
        return b"".join(sent)

    def _frame(self, number: int) -> bytes:
        in_second = number % (1000 // self._packet_ms)
        if in_second == 0:
            self._counts = self._digitise(self._motion.next_second())
        samples = slice(in_second * self._samples, (in_second + 1) * self._samples)
        time_ms = self._time_ms(number * self._packet_ms)
        return encode(
            AnyShakePacket(
                version=self._version,
                counts=self._counts[:, samples].astype(np.int32),
                time_ms=0 if self._version == 1 else time_ms,
                config=self._layout.word | 0x1F if self._version == 3 else 0,
                variable=self._variable(time_ms),
            )
        )

    def _time_ms(self, elapsed_ms: int) -> int:
        """What its clock says: UTC, or since it was switched on."""
        utc_ns = self._scenario.start_utc_ns + elapsed_ms * 1_000_000
        if self._gnss:
            return self._clock.told_ns(utc_ns) // 1_000_000
        wrong_ns = self._clock.told_ns(utc_ns) - utc_ns + round(self._drift * elapsed_ms * 1e6)
        return (self._booted_ns + elapsed_ms * 1_000_000 + wrong_ns) // 1_000_000

    def _variable(self, time_ms: int) -> bytes:
        number = time_ms // 1000 % (4 if self._version == 2 else 10)
        if number == 0:
            flag = (1 << 31) if self._version == 2 and self._gnss else 0
            return (self._device_id | flag).to_bytes(4, "little")
        values = (31.88, -112.82, 427.0, 24.5)
        return struct.pack("<f", values[number - 1]) if number <= len(values) else bytes(4)

    def _digitise(self, motion: Floats) -> NDArray[np.int64]:
        """Velocity, and acceleration as its difference, in whole counts."""
        counts = self._instrument.counts(motion, self._random)
        if self._channels == 3:
            return counts
        before = np.concatenate([self._last[:, None], motion[:, :-1]], axis=1)
        self._last = motion[:, -1].copy()
        values = (motion - before) * (self._rate_hz * COUNTS_PER_M_S2)
        values += ACCELEROMETER_NOISE_COUNTS * self._random.standard_normal(values.shape)
        values[0] += 9.81 * COUNTS_PER_M_S2
        clipped = np.clip(np.rint(values), -(2**15), 2**15 - 1).astype(np.int64)
        return np.concatenate([counts, clipped])

    def _damaged(self, frame: bytes, at_s: float) -> bytes:
        """What the line and the faults of the scenario leave of it."""
        scenario, name = self._scenario, self._sensor_id
        if scenario.active(name, "silent", at_s):
            return b""
        if scenario.active(name, "loss", at_s) and self._faults.random() < DAMAGED_SHARE:
            return b""
        if scenario.active(name, "garbage", at_s):
            fate = self._faults.random()
            if fate < DAMAGED_SHARE:
                return frame[: int(self._faults.integers(1, len(frame)))]
            if fate < 2 * DAMAGED_SHARE:
                damaged = bytearray(frame)
                for at in self._faults.integers(0, len(frame), 4).tolist():
                    damaged[at] ^= int(self._faults.integers(1, 256))
                return bytes(damaged)
        return frame


def _build(scenario: Scenario, sensor_id: str) -> Simulator:
    return AnyShakeSimulator(scenario, sensor_id)


KINDS: tuple[SimulatorKind, ...] = (
    SimulatorKind("anyshake-serial", _build, version=GROUND_VERSION, packets=split),
)
