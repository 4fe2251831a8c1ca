"""A four-panel portal with a TSA controller: the physics of each pass and the device's habits."""

import math
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.wire import tsa
from simulators import radiation_physics as physics
from simulators.base import SimulatorKind
from simulators.scenario import Scenario, Vehicle

TICK_MS = 200  # facts 1.1: one gamma scan
BACKGROUND_TICKS = 25  # facts 1.1: a pair every 5 s
RESUME_TICKS = 10  # facts 1.1: background resumes about 2 s after GX
BUFFERED_TICKS = 5
HOLD_IN_TICKS = 10  # as SG1 below says
SPEED_TICKS = 5.5  # facts 1.1: SP about every 1.1 s
N_SIGMA = 7.0  # as SG1 below says
HIGH_FAULT_CPS, LOW_FAULT_CPS, NEUTRON_HIGH_FAULT_CPS = 450, 68, 50
FAULT_FACTOR = {"gamma-high": 2.2, "gamma-low": 0.1}
NOISE_SHARE, NOISE_S = 0.012, 30.0  # facts 5.2: 1-2 % of correlated noise
DIURNAL_SHARE = 0.025  # facts 5.2
NEAR_M = 40.0  # beyond, even a source that saturates the panels adds less than 1 % of background

SETUP = (
    b"SG1,000450,000068,05,10,07.0,P\r\n"
    b"SG2,1111,0.069,0.455,01,1010,A\r\n"
    b"SG3,0.069,0.455,020,000,1.10.1\r\n"
    b"SN1,000050,05,0047,1200,02,120\r\n"
    b"SN2,0.504,5.040,0.504,5.040,PP\r\n"
)  # facts 1.1, sample setup block

Ticks = NDArray[np.int64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Occupancy:
    """Vehicles so close together that the beam's hold-in joins them."""

    vehicles: tuple[Vehicle, ...]
    first_tick: int
    last_tick: int


class PortalSimulator:
    """One portal of the scenario. `step` moves it; its bytes do not depend on the step."""

    def __init__(self, scenario: Scenario, sensor_id: str) -> None:
        place = scenario.sensor(sensor_id)
        # A stable hash: Python's own differs from run to run.
        self._seed = (scenario.seed, zlib.crc32(sensor_id.encode()))
        self._random = np.random.default_rng(self._seed)
        self._scenario = scenario
        self._vehicles = scenario.lane_vehicles(place.lane)
        self._occupancies = _occupancies(self._vehicles)
        self._faults = tuple(fault for fault in scenario.faults if fault.sensor_id == sensor_id)
        self._distance_m = float(place.option("panel_distance_m", "2.5"))
        self._panel_cps = self._random.uniform(212.0, 256.0, 4)  # facts 5.2
        self._neutron_cps = self._random.uniform(2.0, 5.0) / 4  # of one panel; facts 5.1
        self._due_ms = 0
        self._tick = 0
        self._noise = 0.0
        self._noise_tick = 0
        self._next_background_tick = BUFFERED_TICKS
        self._tampered = False
        self._counter = 0
        self._gamma_background = float(self._panel_cps.sum())
        self._neutron_background = 4 * self._neutron_cps
        self._pass_gamma: Counts = np.zeros((0, 4), np.int64)
        self._pass_neutron: Counts = np.zeros((0, 4), np.int64)

    def step(self, dt_ms: int) -> bytes:
        """Let `dt_ms` of simulated time pass; return what the portal sent."""
        self._due_ms += dt_ms
        lines: list[bytes] = []
        while (self._tick + 1) * TICK_MS <= self._due_ms:
            self._tick += 1
            sent = self._one_tick()
            if not self._fault("silent"):
                lines += sent
        return b"".join(lines)

    def _one_tick(self) -> list[bytes]:
        lines = [SETUP] if self._tick == 1 else []
        if self._faults:
            lines += self._fault_lines()
        while self._occupancies and self._tick > self._occupancies[0].last_tick:
            del self._occupancies[0]
        if self._occupancies and self._tick >= self._occupancies[0].first_tick:
            return lines + self._occupied(self._occupancies[0])
        if self._tick >= self._next_background_tick:
            self._next_background_tick += BACKGROUND_TICKS
            lines += self._background()
        return lines

    # --- vacant ------------------------------------------------------------------------

    def _background(self) -> list[bytes]:
        window = np.array([self._tick])
        gamma_cps, neutron_cps = self._rates(window)
        seconds = BACKGROUND_TICKS * TICK_MS / 1000
        gamma = np.rint(self._random.poisson(gamma_cps[0] * seconds) / seconds).astype(int)
        neutron = np.rint(self._random.poisson(neutron_cps[0] * seconds) / seconds).astype(int)
        # The device's own averages: 20 s of gamma, 120 s of neutrons, as SG3 and SN1 say.
        self._neutron_background += (float(neutron.sum()) - self._neutron_background) * 5 / 120
        gamma_tag = "GB"
        if gamma.max() > HIGH_FAULT_CPS:
            gamma_tag = "GH"
        elif gamma.min() < LOW_FAULT_CPS:
            gamma_tag = "GL"
        else:
            self._gamma_background += (float(gamma.sum()) - self._gamma_background) * 5 / 20
        neutron_tag = "NH" if neutron.sum() > NEUTRON_HIGH_FAULT_CPS else "NB"
        return [_counts(neutron_tag, neutron), _counts(gamma_tag, gamma)]

    # --- occupied ----------------------------------------------------------------------

    def _occupied(self, occupancy: _Occupancy) -> list[bytes]:
        since = self._tick - occupancy.first_tick
        lines = []
        if since == 0:
            self._begin(occupancy)
            lines.append(self._neutron_scan(since))
            lines += [self._gamma_scan(before) for before in range(BUFFERED_TICKS)]
        elif since % 5 == 0:
            lines.append(self._neutron_scan(since))
        lines.append(self._gamma_scan(since + BUFFERED_TICKS))
        if int(since / SPEED_TICKS) != int((since - 1) / SPEED_TICKS):
            lines += self._speed(occupancy)
        if self._tick == occupancy.last_tick:
            lines.append(self._end())
        return lines

    def _begin(self, occupancy: _Occupancy) -> None:
        ticks = np.arange(occupancy.first_tick - BUFFERED_TICKS, occupancy.last_tick + 1)
        gamma_cps, neutron_cps = self._rates(ticks)
        self._pass_gamma = self._random.poisson(gamma_cps * TICK_MS / 1000)
        self._pass_neutron = self._random.poisson(neutron_cps * TICK_MS / 1000)

    def _gamma_scan(self, index: int) -> bytes:
        # Facts 2, field practice: 5 scans against the background frozen at the entry.
        window = float(self._pass_gamma[max(0, index - 4) : index + 1].sum())
        limit = self._gamma_background + N_SIGMA * math.sqrt(self._gamma_background)
        return _counts("GA" if window > limit else "GS", self._pass_gamma[index])

    def _neutron_scan(self, since: int) -> bytes:
        counts = self._pass_neutron[since + 1 : since + 1 + BUFFERED_TICKS].sum(axis=0)
        # The device's own rule is not published (facts 1.1 f): here 5 sigma of one second.
        limit = self._neutron_background + 5.0 * math.sqrt(self._neutron_background + 1.0)
        return _counts("NA" if counts.sum() > limit else "NS", counts)

    def _speed(self, occupancy: _Occupancy) -> list[bytes]:
        at_s = self._tick * TICK_MS / 1000
        for vehicle in occupancy.vehicles:
            in_beam_s = vehicle.length_m / vehicle.speed_m_s
            if vehicle.at_portal_s <= at_s <= vehicle.at_portal_s + in_beam_s:
                measured = vehicle.speed_m_s * (1.0 + 0.02 * self._random.standard_normal())
                return [tsa.encode(tsa.speed_line(measured))]
        return []

    def _end(self) -> bytes:
        self._counter += 1
        self._next_background_tick = self._tick + RESUME_TICKS
        return tsa.encode(tsa.EndLine(self._counter, round(self._neutron_background * 1000)))

    # --- physics -----------------------------------------------------------------------

    def _rates(self, ticks: Ticks) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Counted (ticks, 4) gamma and neutron rates per second in each tick."""
        middle_s = (ticks.astype(np.float64) - 0.5) * (TICK_MS / 1000)
        open_share = np.ones(len(ticks))
        source_cps = np.zeros((len(ticks), 4))
        neutron_cps = np.zeros(len(ticks))
        for number, vehicle in enumerate(self._vehicles):
            passed_m = (middle_s - vehicle.at_portal_s) * vehicle.speed_m_s
            if passed_m[-1] < -NEAR_M or passed_m[0] > vehicle.length_m + NEAR_M:
                continue
            # Its own chance, so that a vehicle is the same wherever time is cut.
            random = np.random.default_rng((*self._seed, number))
            open_share *= 1.0 - physics.shadow(vehicle, passed_m, random)
            share = 1.0 + random.uniform(-0.15, 0.15, 4)  # not in the very middle of the lane
            for source in vehicle.sources:
                rate = physics.gamma_cps(source, passed_m, self._distance_m)
                source_cps += rate[:, None] * share
                neutron_cps += physics.neutron_cps(source, passed_m, self._distance_m)
        level = self._level(float(middle_s[0])) * self._noise_of(ticks) * open_share
        gamma = (level[:, None] * self._panel_cps + source_cps) * self._fault_factor()
        neutron = np.repeat((neutron_cps / 4 + self._neutron_cps)[:, None], 4, axis=1)
        return physics.counted(gamma), neutron

    def _level(self, at_s: float) -> float:
        day = (self._scenario.start_utc_ns / 1e9 + at_s) / 86_400.0
        diurnal = 1.0 + DIURNAL_SHARE * math.sin(2.0 * math.pi * day)
        return diurnal * physics.weather_factor(self._scenario.rain, at_s)

    def _noise_of(self, ticks: Ticks) -> NDArray[np.float64]:
        """1 plus an Ornstein-Uhlenbeck process, exact for any distance between ticks."""
        noise = np.empty(len(ticks))
        for index, tick in enumerate(ticks.tolist()):
            passed_s = max(0, tick - self._noise_tick) * TICK_MS / 1000
            keep = math.exp(-passed_s / NOISE_S)
            kick = NOISE_SHARE * math.sqrt(1.0 - keep * keep)
            self._noise = self._noise * keep + kick * self._random.standard_normal()
            self._noise_tick = max(tick, self._noise_tick)
            noise[index] = 1.0 + self._noise
        return noise

    # --- faults ------------------------------------------------------------------------

    def _fault(self, kind: str) -> bool:
        at_s = self._tick * TICK_MS / 1000
        return any(
            fault.kind == kind and fault.start_s <= at_s < fault.end_s for fault in self._faults
        )

    def _fault_factor(self) -> float:
        return math.prod(factor for kind, factor in FAULT_FACTOR.items() if self._fault(kind))

    def _fault_lines(self) -> list[bytes]:
        lines = []
        if self._fault("tamper") != self._tampered:
            self._tampered = not self._tampered
            value = "000000" if self._tampered else "111111"  # as seen, facts 1.1
            lines.append(tsa.encode(tsa.TamperLine(self._tampered, (value,) * 4)))
        if self._fault("garbage") and self._tick % 5 == 0:
            noise = self._random.integers(0, 256, 24).astype(np.uint8).tobytes()
            lines.append(noise.replace(b"\n", b"\0") + b"\r\n")
        return lines


def _occupancies(vehicles: tuple[Vehicle, ...]) -> list[_Occupancy]:
    found: list[_Occupancy] = []
    for vehicle in vehicles:
        clear_s = vehicle.at_portal_s + vehicle.length_m / vehicle.speed_m_s
        # At least its second tick: the setup block and the buffered second come before.
        first = max(1, math.ceil(vehicle.at_portal_s * 1000 / TICK_MS))
        last = math.ceil(clear_s * 1000 / TICK_MS) + HOLD_IN_TICKS
        joined: tuple[Vehicle, ...] = (vehicle,)
        if found and first <= found[-1].last_tick:
            before = found.pop()
            joined, first = (*before.vehicles, vehicle), before.first_tick
            last = max(last, before.last_tick)
        found.append(_Occupancy(vehicles=joined, first_tick=first, last_tick=last))
    return found


def _counts(tag: str, counts: NDArray[np.int64]) -> bytes:
    first, second, third, fourth = counts.tolist()
    return tsa.encode(tsa.CountsLine(tag, (first, second, third, fourth)))


KINDS: tuple[SimulatorKind, ...] = (
    SimulatorKind(kind="rpm-tsa", build=PortalSimulator, version="tsa-portal/1"),
)
