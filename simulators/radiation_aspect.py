"""A portal with an Aspect monitor: what a station hears that reads it at a sensible rate.

Counts are drawn for every 200 ms, whether they are read or not, and added up in the registers.
"""

import itertools
import math
import zlib
from collections import deque

import numpy as np

from drivers.wire import aspect, modbus
from drivers.wire.aspect import Channel, ChannelStatus, Inputs, Outputs
from drivers.wire.aspect_poll import BUSY_AFTER, AspectResponder
from simulators import radiation_physics as physics
from simulators.base import SimulatorKind
from simulators.scenario import Scenario, Vehicle

TICK_MS = 200  # facts 1.2: from one reading of an occupied lane to the next
IDLE_TICKS = 5  # facts 1.2: a vacant lane is read every 1 to 5 s
N_SIGMA = 7.0  # facts 2, field practice
NEUTRON_SIGMA = 5.0
HIGH_SHARE, LOW_SHARE = 1.5, 0.5  # of the usual background: the device's own fault limits
AVERAGE_S = 20.0  # of the device's running background
FAULT_FACTOR = {"gamma-high": 2.2, "gamma-low": 0.1}
FAULT_INPUTS = {
    "tamper": Inputs.OPEN,
    "power": Inputs.POWER_FAIL,
    "battery": Inputs.LOW_BATTERY,
    "error": Inputs.ERROR,
}
NOISE_SHARE, NOISE_S = 0.012, 30.0  # facts 5.2: 1-2 % of correlated noise
NEAR_M = 40.0  # beyond, even a source that saturates the panels adds less than 1 % of background
AXLES = 5
DESCRIPTION = aspect.Description(signature=0x4153, registers=121, monitor_id=1)


class AspectSimulator:
    """One portal of the scenario. `step` moves it; its bytes do not depend on the step."""

    def __init__(self, scenario: Scenario, sensor_id: str) -> None:
        place = scenario.sensor(sensor_id)
        # A stable hash: Python's own differs from run to run.
        self._seed = (scenario.seed, zlib.crc32(sensor_id.encode()))
        self._random = np.random.default_rng(self._seed)
        self._scenario = scenario
        self._sensor_id = sensor_id
        self._vehicles = [
            _Passing(vehicle, (*self._seed, number))
            for number, vehicle in enumerate(scenario.lane_vehicles(place.lane))
        ]
        self._distance_m = float(place.option("panel_distance_m", "2.5"))
        self._gamma_cps = float(self._random.uniform(4 * 212.0, 4 * 256.0))  # facts 5.2
        self._neutron_cps = float(self._random.uniform(2.0, 5.0))  # facts 5.1
        self._gamma, self._neutron = _Register(self._gamma_cps), _Register(self._neutron_cps)
        self._due_ms = self._tick = 0
        self._noise = 0.0
        self._transaction = modbus.FIRST_TRANSACTION
        self._busy = 0
        self._objects = self._speed_mm_s = self._mark = 0
        self._passing: str | None = None

    def step(self, dt_ms: int) -> bytes:
        """Let `dt_ms` of simulated time pass; return the answers that a station has read."""
        self._due_ms += dt_ms
        sent: list[bytes] = []
        while (self._tick + 1) * TICK_MS <= self._due_ms:
            self._tick += 1
            sent += self._one_tick()
        return b"".join(sent)

    def _one_tick(self) -> list[bytes]:
        inputs = self._measure()
        first = self._tick == 1
        if not first and not self._busy and self._tick % IDLE_TICKS:
            return []
        monitor = self._monitor(inputs)
        # As a station does (`AspectPoller`): fast while there is something, and a while longer.
        busy = monitor.occupied or monitor.alarming
        self._busy = BUSY_AFTER if busy else max(0, self._busy - 1)
        if self._active("silent"):
            return []
        frames = [self._frame(DESCRIPTION)] if first else []
        if self._active("garbage") and self._tick % IDLE_TICKS == 0:
            frames.append(self._random.integers(1, 256, 24).astype(np.uint8).tobytes())
        return [*frames, self._frame(monitor)]

    def _frame(self, record: aspect.Record) -> bytes:
        frame = aspect.encode(record)
        frame = self._transaction.to_bytes(2, "big") + frame[2:]
        self._transaction = modbus.next_transaction(self._transaction)
        return frame

    # --- the device --------------------------------------------------------------------

    def _measure(self) -> int:
        """Count for one tick, and see who is in the beam."""
        end_s = self._tick * TICK_MS / 1000
        gamma_cps, neutron_cps = self._rates(end_s - TICK_MS / 2000)
        inside = self._in_beam(end_s)
        self._gamma.count(int(self._random.poisson(gamma_cps * TICK_MS / 1000)), vacant=not inside)
        self._neutron.count(
            int(self._random.poisson(neutron_cps * TICK_MS / 1000)), vacant=not inside
        )
        name = inside.vehicle_id if inside else None
        inputs = 0
        if inside:
            inputs = int(Inputs.OCCUPANCY_0)
            speed_m_s = inside.speed_at(end_s)
            inputs |= Inputs.FORWARD if speed_m_s >= 0.0 else Inputs.BACKWARD
            if name != self._passing:
                self._objects = (self._objects + 1) & 0xFFFF
                self._mark = self._speed_mm_s = 0
            elif not self._speed_mm_s and end_s - inside.at_portal_s >= 1.0:
                # Measured once, when the second beam is broken.
                measured = abs(speed_m_s) * (1.0 + 0.02 * self._random.standard_normal())
                self._speed_mm_s, self._mark = max(1, round(1000 * measured)), AXLES
        self._passing = name
        for kind, bit in FAULT_INPUTS.items():
            if self._active(kind):
                inputs |= bit
        return inputs

    def _monitor(self, inputs: int) -> aspect.Monitor:
        occupied = bool(inputs & Inputs.OCCUPIED)
        gamma = self._gamma.channel(N_SIGMA, self._gamma_cps, occupied=occupied)
        neutron = self._neutron.channel(NEUTRON_SIGMA, self._neutron_cps, occupied=occupied)
        outputs = int(Outputs.BUSY if occupied else Outputs.ENTRY_GREEN)
        if (gamma.status | neutron.status) & ChannelStatus.ALARM:
            outputs |= Outputs.ALARM | Outputs.VIDEO
        return aspect.Monitor(
            elapsed=self._tick * TICK_MS,
            inputs=inputs,
            gamma=gamma,
            neutron=neutron,
            objects=self._objects,
            mark=self._mark,
            speed_mm_s=self._speed_mm_s,
            outputs=outputs,
        )

    def _in_beam(self, at_s: float) -> Vehicle | None:
        for passing in self._near(at_s):
            if any(from_s <= at_s < to_s for from_s, to_s in passing.spans_s):
                return passing.vehicle
        return None

    def _near(self, at_s: float) -> list["_Passing"]:
        while self._vehicles and self._vehicles[0].gone_s < at_s:
            del self._vehicles[0]
        near = itertools.takewhile(lambda one: one.comes_s <= at_s, self._vehicles)
        return [one for one in near if one.gone_s >= at_s]

    def _active(self, kind: str) -> bool:
        return self._scenario.active(self._sensor_id, kind, self._tick * TICK_MS / 1000)

    # --- physics -----------------------------------------------------------------------

    def _rates(self, middle_s: float) -> tuple[float, float]:
        """Counted gamma and neutron rates per second of all panels together."""
        at_s = np.array([middle_s])
        open_share, source_cps, neutron_cps = 1.0, 0.0, self._neutron_cps
        for passing in self._near(middle_s):
            passed_m = passing.vehicle.passed_m(at_s)
            # Its own chance, so that a vehicle is the same in every tick.
            random = np.random.default_rng(passing.seed)
            open_share *= 1.0 - float(physics.shadow(passing.vehicle, passed_m, random)[0])
            for source in passing.vehicle.sources:
                source_cps += 4 * float(physics.gamma_cps(source, passed_m, self._distance_m)[0])
                neutron_cps += float(physics.neutron_cps(source, passed_m, self._distance_m)[0])
        keep = math.exp(-TICK_MS / 1000 / NOISE_S)
        kick = NOISE_SHARE * math.sqrt(1.0 - keep * keep)
        self._noise = self._noise * keep + kick * float(self._random.standard_normal())
        level = physics.weather_factor(self._scenario.rain, middle_s) * (1.0 + self._noise)
        for kind, factor in FAULT_FACTOR.items():
            level *= factor if self._active(kind) else 1.0
        true_cps = np.array([(level * open_share * self._gamma_cps + source_cps) / 4])
        return 4 * float(physics.counted(true_cps)[0]), neutron_cps


class _Passing:
    """A vehicle, and when there is anything of it to see."""

    def __init__(self, vehicle: Vehicle, seed: tuple[int, ...]) -> None:
        self.vehicle = vehicle
        self.seed = seed
        self.spans_s = vehicle.in_beam_s()
        self.comes_s, self.gone_s = vehicle.near_s(NEAR_M)


class _Register:
    """One radiation as the device counts it."""

    def __init__(self, usual_cps: float) -> None:
        self._total = 0
        self._average_cps = usual_cps
        self._second: deque[int] = deque(maxlen=1000 // TICK_MS)

    def count(self, counts: int, *, vacant: bool) -> None:
        self._total = (self._total + counts) & 0xFFFFFFFF
        self._second.append(counts)
        if vacant:
            now_cps = counts * 1000 / TICK_MS
            self._average_cps += (now_cps - self._average_cps) * TICK_MS / 1000 / AVERAGE_S

    def channel(self, n_sigma: float, usual_cps: float, *, occupied: bool) -> Channel:
        window, average_cps = sum(self._second), self._average_cps
        status = int(ChannelStatus.READY)
        if occupied and window > average_cps + n_sigma * math.sqrt(average_cps + 1.0):
            status |= ChannelStatus.ALARM_1
        if not occupied and usual_cps > 100.0:  # a few neutrons a second are no fault
            if average_cps > HIGH_SHARE * usual_cps:
                status |= ChannelStatus.HIGH_COUNT
            if average_cps < LOW_SHARE * usual_cps:
                status |= ChannelStatus.LOW_COUNT
        return Channel(
            status=status, count=self._total, background=average_cps, variance=average_cps
        )


KINDS: tuple[SimulatorKind, ...] = (
    SimulatorKind(
        kind="rpm-aspect",
        build=AspectSimulator,
        version="aspect-portal/1",
        packets=modbus.split,
        responder=lambda: AspectResponder(DESCRIPTION),
    ),
)
