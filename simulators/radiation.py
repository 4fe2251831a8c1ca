"""A four-panel portal with a TSA controller: the physics of each pass and the device's habits."""

import math
import zlib

import numpy as np
from numpy.typing import NDArray

from drivers.wire import tsa
from simulators import radiation_aspect, radiation_n42
from simulators import radiation_physics as physics
from simulators.base import SimulatorKind
from simulators.portal_beam import TICK_MS, Occupancy, occupancies
from simulators.portal_faults import LATE_S, Late, Stuck
from simulators.scenario import Scenario, Source

BACKGROUND_TICKS = 25  # facts 1.1: a pair every 5 s
RESUME_TICKS = 10  # facts 1.1: background resumes about 2 s after GX
BUFFERED_TICKS = 5
SPEED_TICKS = 5.5  # facts 1.1: SP about every 1.1 s
SLOWEST_M_S = 0.1
N_SIGMA = 7.0  # as SG1 below says
HIGH_FAULT_CPS, LOW_FAULT_CPS, NEUTRON_HIGH_FAULT_CPS = 450, 68, 50
NEUTRON_FAULT_CPS = 80.0
NOISY_FACTOR, NOISY_SHARE = 3.0, 0.15  # of a panel with a loose contact, and how often
NOISE_SHARE, NOISE_S = 0.012, 30.0  # facts 5.2: 1-2 % of correlated noise
OWN_NOISE_SHARE = 0.004  # of each panel by itself
LIGHT_PER_K = (-0.004, -0.001)  # counts above threshold by the light yield's drift, facts 5.2
SIDES = (-1, -1, 1, 1)  # facts 1.1 (a): 1 and 2 are on the master pillar, 3 and 4 on the slave
HEIGHTS_M = (1.0, 2.9, 1.0, 2.9)  # the middles of panels 1.74 m high, one above the other
SHADE_OF_ROW = np.array([1.15, 0.85, 1.15, 0.85])  # the upper panels look over the load
SHADE_SPREAD = 0.06  # sites, sides and vehicles differ (facts 5.1)
PANEL_SPREAD = 0.05  # of efficiency
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
Rates = NDArray[np.float64]


class PortalSimulator:
    """One portal of the scenario. `step` moves it; its bytes do not depend on the step.

    Options of its place: `panel_distance_m` (2.5), `background_cps` (of all panels; 212 to 256 of
    each where it is not given), `noise_share` (0.012), `portal` (a seed: the same device in every
    scenario that gives the same).
    """

    def __init__(self, scenario: Scenario, sensor_id: str) -> None:
        place = scenario.sensor(sensor_id)
        # A stable hash: Python's own differs from run to run.
        self._seed = (scenario.seed, zlib.crc32(sensor_id.encode()))
        self._random = np.random.default_rng(self._seed)
        self._scenario = scenario
        self._vehicles = scenario.lane_vehicles(place.lane)
        self._reach_s = [vehicle.near_s(NEAR_M) for vehicle in self._vehicles]
        self._occupancies = occupancies(self._vehicles)
        self._faults = tuple(fault for fault in scenario.faults if fault.sensor_id == sensor_id)
        self._distance_m = float(place.option("panel_distance_m", "2.5"))
        own = self._random
        if portal := place.option("portal", ""):
            own = np.random.default_rng((int(portal), self._seed[1]))
        self._panel_cps = own.uniform(212.0, 256.0, 4)  # facts 5.2
        if given := place.option("background_cps", ""):
            self._panel_cps *= float(given) / self._panel_cps.sum()
        self._neutron_cps = own.uniform(2.0, 5.0) / 4  # of one panel; facts 5.1
        self._light_per_k = own.uniform(*LIGHT_PER_K, 4)
        self._efficiency = own.normal(1.0, PANEL_SPREAD, 4)
        self._shade = SHADE_OF_ROW * own.normal(1.0, SHADE_SPREAD)
        self._noise_size = np.full(5, OWN_NOISE_SHARE)
        self._noise_size[0] = float(place.option("noise_share", str(NOISE_SHARE)))
        self._link = Late()
        self._stuck = Stuck()
        self._due_ms = 0
        self._tick = 0
        self._noise = np.zeros(5)
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
        while (self._tick + 1) * TICK_MS <= self._due_ms:
            self._tick += 1
            sent = b"".join(self._one_tick())
            if sent and not self._fault("silent"):
                self._link.send(sent, self._tick * TICK_MS, self._late_s())
        return b"".join(self._link.arrived(self._due_ms))

    def _one_tick(self) -> list[bytes]:
        lines = [SETUP] if self._tick == 1 else []
        if self._faults:
            lines += self._fault_lines()
        while self._occupancies and self._tick > self._occupancies[0].last_tick:
            del self._occupancies[0]
        begins = bool(self._occupancies) and self._tick == self._occupancies[0].first_tick
        if begins and self._fault("beam-blind"):  # it never learns of this vehicle
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
        gamma_cps, neutron_cps, _ = self._rates(window)
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
        return [self._counts(neutron_tag, neutron), self._counts(gamma_tag, gamma)]

    # --- occupied ----------------------------------------------------------------------

    def _occupied(self, occupancy: Occupancy) -> list[bytes]:
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

    def _begin(self, occupancy: Occupancy) -> None:
        ticks = np.arange(occupancy.first_tick - BUFFERED_TICKS, occupancy.last_tick + 1)
        gamma_cps, neutron_cps, metal_t = self._rates(ticks)
        self._pass_gamma = self._random.poisson(gamma_cps * TICK_MS / 1000)
        self._pass_neutron = self._random.poisson(neutron_cps * TICK_MS / 1000)
        # A burst lights up whichever tubes it reaches.
        for index, counts in enumerate(physics.bursts(metal_t, TICK_MS / 1000, self._random)):
            if counts:
                self._pass_neutron[index] += self._random.multinomial(counts, (0.25,) * 4)

    def _gamma_scan(self, index: int) -> bytes:
        # Facts 2, field practice: 5 scans against the background frozen at the entry.
        window = float(self._pass_gamma[max(0, index - 4) : index + 1].sum())
        limit = self._gamma_background + N_SIGMA * math.sqrt(self._gamma_background)
        return self._counts("GA" if window > limit else "GS", self._pass_gamma[index])

    def _neutron_scan(self, since: int) -> bytes:
        counts = self._pass_neutron[since + 1 : since + 1 + BUFFERED_TICKS].sum(axis=0)
        # The device's own rule is not published (facts 1.1 f): here 5 sigma of one second.
        limit = self._neutron_background + 5.0 * math.sqrt(self._neutron_background + 1.0)
        return self._counts("NA" if counts.sum() > limit else "NS", counts)

    def _speed(self, occupancy: Occupancy) -> list[bytes]:
        at_s = self._tick * TICK_MS / 1000
        for vehicle in occupancy.vehicles:
            if any(from_s <= at_s <= to_s for from_s, to_s in vehicle.in_beam_s()):
                speed_m_s = abs(vehicle.speed_at(at_s))
                if speed_m_s < SLOWEST_M_S:  # it stands: there is nothing to measure
                    return []
                measured = speed_m_s * (1.0 + 0.02 * self._random.standard_normal())
                return [tsa.encode(tsa.speed_line(measured))]
        return []

    def _end(self) -> bytes:
        self._counter += 1
        self._next_background_tick = self._tick + RESUME_TICKS
        return tsa.encode(tsa.EndLine(self._counter, round(self._neutron_background * 1000)))

    # --- physics -----------------------------------------------------------------------

    def _rates(self, ticks: Ticks) -> tuple[Rates, Rates, Rates]:
        """Counted (ticks, 4) gamma and neutron rates per second, and (ticks,) t of metal beside."""
        middle_s = (ticks.astype(np.float64) - 0.5) * (TICK_MS / 1000)
        open_share = np.ones((len(ticks), 4))
        source_cps = np.zeros((len(ticks), 4))
        neutron_cps = np.full(len(ticks), 4 * self._neutron_cps)
        metal_t = np.zeros(len(ticks))
        for number, vehicle in enumerate(self._vehicles):
            near_from_s, near_to_s = self._reach_s[number]
            if middle_s[-1] < near_from_s or middle_s[0] > near_to_s:
                continue
            passed_m = vehicle.passed_m(middle_s)
            # Its own chance, so that a vehicle is the same wherever time is cut.
            random = np.random.default_rng((*self._seed, number))
            shadow = physics.shadow(vehicle, passed_m, random)
            shade = self._shade * random.normal(1.0, SHADE_SPREAD, 4)
            open_share *= 1.0 - np.clip(shadow[:, None] * shade, 0.0, 0.7)
            share = 1.0 + random.uniform(-0.15, 0.15, 4)  # not in the very middle of the lane
            neutron_cps *= physics.neutron_share(vehicle, passed_m, self._distance_m)
            metal_t += physics.metal_t(vehicle, passed_m, self._distance_m)
            for source in vehicle.sources:
                source_cps += self._of_source(source, passed_m) * share
                neutron_cps += physics.neutron_cps(source, passed_m, self._distance_m)
        level = self._level(float(middle_s[0])) * self._noise_of(ticks) * open_share
        gamma = (level * self._panel_cps + source_cps) * self._fault_factors(len(ticks))
        neutron_cps += metal_t * physics.METAL_CPS_PER_T
        if self._fault("neutron-high"):
            neutron_cps += NEUTRON_FAULT_CPS
        neutron = np.repeat(neutron_cps[:, None] / 4, 4, axis=1)
        return physics.counted(gamma), neutron, metal_t

    def _of_source(self, source: Source, passed_m: Rates) -> Rates:
        """(ticks, 4) counts per second."""
        columns = []
        for panel, (side, height_m) in enumerate(zip(SIDES, HEIGHTS_M, strict=True)):
            away_m = physics.panel_distance_m(source, self._distance_m, side, height_m)
            columns.append(physics.gamma_cps(source, passed_m, away_m) * self._efficiency[panel])
        return np.stack(columns, axis=1)

    def _level(self, at_s: float) -> Rates:
        """(4,) relative to a dry day's mean."""
        utc_s = self._scenario.start_utc_ns / 1e9 + at_s
        level = physics.day_factor(utc_s) * physics.weather_factor(self._scenario.rain, at_s)
        return np.asarray(level * (1.0 + self._light_per_k * physics.warmth_k(utc_s)))

    def _noise_of(self, ticks: Ticks) -> Rates:
        """(ticks, 4) 1 plus Ornstein-Uhlenbeck noise of all panels together and of each, exact
        for any distance between ticks."""
        noise = np.empty((len(ticks), 5))
        for index, tick in enumerate(ticks.tolist()):
            passed_s = max(0, tick - self._noise_tick) * TICK_MS / 1000
            keep = math.exp(-passed_s / NOISE_S)
            kick = self._noise_size * math.sqrt(1.0 - keep * keep)
            self._noise = self._noise * keep + kick * self._random.standard_normal(5)
            self._noise_tick = max(tick, self._noise_tick)
            noise[index] = self._noise
        return np.asarray(1.0 + noise[:, :1] + noise[:, 1:])

    # --- faults ------------------------------------------------------------------------

    def _fault(self, kind: str) -> bool:
        at_s = self._tick * TICK_MS / 1000
        return any(
            fault.kind == kind and fault.start_s <= at_s < fault.end_s for fault in self._faults
        )

    def _late_s(self) -> float:
        at_s = self._tick * TICK_MS / 1000
        late = (
            fault.size or LATE_S
            for fault in self._faults
            if fault.kind == "late" and fault.start_s <= at_s < fault.end_s
        )
        return max(late, default=0.0)

    def _counts(self, tag: str, counts: NDArray[np.int64]) -> bytes:
        tag, counts = self._stuck.told(tag, counts, stuck=self._fault("stuck"))
        return _counts(tag, counts)

    def _fault_factors(self, ticks: int) -> Rates:
        """(ticks, 4) what faults make of the counts."""
        factors = np.ones((ticks, 4))
        if not self._faults:
            return factors
        for kind, factor in physics.FAULT_FACTOR.items():
            if self._fault(kind):
                factors *= factor
        at_s = self._tick * TICK_MS / 1000
        for fault in self._faults:
            if not fault.start_s <= at_s < fault.end_s:
                continue
            if fault.kind == "panel-dead":
                factors[:, fault.part % 4] = 0.0
            elif fault.kind == "panel-noisy":
                noisy = self._random.random(ticks) < NOISY_SHARE
                factors[noisy, fault.part % 4] *= NOISY_FACTOR
        return factors

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


def _counts(tag: str, counts: NDArray[np.int64]) -> bytes:
    first, second, third, fourth = counts.tolist()
    return tsa.encode(tsa.CountsLine(tag, (first, second, third, fourth)))


KINDS: tuple[SimulatorKind, ...] = (
    SimulatorKind(kind="rpm-tsa", build=PortalSimulator, version="tsa-portal/2"),
    *radiation_aspect.KINDS,
    *radiation_n42.KINDS,
)
