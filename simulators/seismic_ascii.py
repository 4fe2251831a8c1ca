"""A geophone on a bare converter in the ground of a scenario, printed as lines of text."""

import numpy as np
from numpy.typing import NDArray

from drivers.wire.ascii_counts import encode, split
from simulators.base import Simulator, SimulatorKind
from simulators.ground_clock import DeviceClock
from simulators.ground_motion import FASTEST_HZ, SLOWEST_HZ, GroundMotion
from simulators.ground_sensors import instrument
from simulators.ground_station import chance
from simulators.scenario import Scenario
from simulators.seismic import GROUND_VERSION

TIMES = {"ms": 1_000_000, "us": 1000}
"""What `millis()` and `micros()` count, in nanoseconds."""
WRAP = 2**32  # where both begin again
AXES = "ZNE"
BOOT_DRIFT_PPM = 80.0  # of the ceramic resonator on a cheap board, at most
BOOTED_S = 600.0
CONVERTER_V = 3.3
DAMAGED_SHARE = 0.02  # of lines, while the line is bad


class AsciiSimulator:
    """One logger.

    Options: `columns` such as `time,counts`, `index,ehz,ehn` or `counts`; `rate_hz`, `time` `ms`
    or `us` since it was switched on, `separator`, `volts` `yes` for fractions instead of counts;
    `instrument` of `ground_sensors`, `clock_drift_ppm`; and what the ground may be told, of which
    `hum_um_s` is the mains that such boards pick up.
    """

    def __init__(self, scenario: Scenario, sensor_id: str) -> None:
        place = scenario.sensor(sensor_id)
        self._scenario = scenario
        self._sensor_id = sensor_id
        rate_hz = round(float(place.option("rate_hz", "250")))
        self._rate_hz = min(max(rate_hz, SLOWEST_HZ), FASTEST_HZ)
        self._columns = place.option("columns", "time,counts").lower().split(",")
        self._separator = place.option("separator", ",")
        self._unit_ns = TIMES[place.option("time", "ms")]
        self._instrument = instrument(place)
        self._volts = place.option("volts", "no") == "yes"
        axes = {_axis(name) for name in self._columns if name not in ("time", "index", "-")}
        if not axes:
            raise ValueError(f"{sensor_id}: no samples in the columns {self._columns}")
        self._axes = "".join(axis for axis in AXES if axis in axes)
        self._motion = GroundMotion(scenario, sensor_id, self._rate_hz, self._axes)
        self._random = chance(scenario, f"ascii/{sensor_id}")
        self._faults = chance(scenario, f"fault/{sensor_id}")
        self._clock = DeviceClock(scenario, sensor_id)
        own = chance(scenario, f"boot/{sensor_id}")
        self._booted_ns = round(own.uniform(10.0, BOOTED_S) * 1e9)
        self._drift = float(own.uniform(-BOOT_DRIFT_PPM, BOOT_DRIFT_PPM)) * 1e-6
        self._counts: NDArray[np.int64] = np.zeros((len(self._axes), 0), np.int64)
        self._due_ms = 0
        self._sent = 0

    def step(self, dt_ms: int) -> bytes:
        """Let `dt_ms` pass; return the lines of the samples that were taken by then."""
        self._due_ms += dt_ms
        due = self._due_ms * self._rate_hz // 1000
        lines = []
        while self._sent < due:
            lines.append(self._line(self._sent))
            self._sent += 1
        return b"".join(lines)

    def _line(self, number: int) -> bytes:
        in_second = number % self._rate_hz
        if in_second == 0:
            self._counts = self._instrument.counts(self._motion.next_second(), self._random)
        fields: list[object] = []
        for name in self._columns:
            if name == "time":
                fields.append(self._time(number))
            elif name in ("index", "-"):
                fields.append(number if name == "index" else 0)
            else:
                count = int(self._counts[self._axes.index(_axis(name)), in_second])
                fields.append(self._voltage(count) if self._volts else count)
        return self._damaged(encode(fields, self._separator), number / self._rate_hz)

    def _time(self, number: int) -> int:
        """What the board's counter says, which is a little fast or slow and wraps around."""
        elapsed_ns = number * 1_000_000_000 // self._rate_hz
        utc_ns = self._scenario.start_utc_ns + elapsed_ns
        wrong_ns = self._clock.told_ns(utc_ns) - utc_ns + round(self._drift * elapsed_ns)
        return (self._booted_ns + elapsed_ns + wrong_ns) // self._unit_ns % WRAP

    def _voltage(self, count: int) -> str:
        return f"{count * CONVERTER_V / (1 << self._instrument.bits):.7f}"

    def _damaged(self, line: bytes, at_s: float) -> bytes:
        """What the wire and the faults of the scenario leave of it."""
        scenario, name = self._scenario, self._sensor_id
        if scenario.active(name, "silent", at_s):
            return b""
        if scenario.active(name, "loss", at_s) and self._faults.random() < DAMAGED_SHARE:
            return b""
        if scenario.active(name, "garbage", at_s) and self._faults.random() < DAMAGED_SHARE:
            return line[: int(self._faults.integers(1, len(line)))] + self._faults.bytes(8)
        return line


def _axis(column: str) -> str:
    """Upright, where the name does not end in another."""
    axis = column[-1:].upper()
    return axis if axis in AXES and column != "counts" else AXES[0]


def _build(scenario: Scenario, sensor_id: str) -> Simulator:
    return AsciiSimulator(scenario, sensor_id)


KINDS: tuple[SimulatorKind, ...] = (
    SimulatorKind("ascii-serial", _build, version=GROUND_VERSION, packets=split),
)
