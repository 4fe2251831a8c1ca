"""Simulated traffic through the whole chain of one portal: its bytes, its driver, the engine.

Beside what the engine says of each vehicle stands the field's own test, fed with the same samples.
"""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from drivers.catalog import KINDS as DRIVERS
from drivers.wire.malformed import Malformed
from fusion.engine import Engine
from fusion.policy import Policy
from fusion.types import (
    SECOND_NS,
    Alert,
    BackgroundSample,
    Checkpoint,
    CountSample,
    Detection,
    Event,
    Family,
    LaneSpec,
    OccupancySample,
    Origin,
    Radiation,
    Sample,
    SensorSpec,
    SpectrumSample,
)
from simulators.catalog import KINDS as SIMULATORS
from simulators.scenario import Scenario, Truth, Vehicle
from simulators.traffic import STEP_MS

REFERRALS = frozenset((Event.RAD_THREAT, Event.SHIELDED_SOURCE, Event.RAD_OVERRANGE))
"""Alerts that send a vehicle to secondary inspection; RAD_INNOCENT lets it go."""
REFERRAL_LEVEL = 2  # advisory: the lowest level that rings
WINDOW_S = 1.0  # of the field's test, over a background frozen at the entry (facts/radiation 2)
BACKGROUND_S = 20.0  # behind it: facts/radiation 1.1, SG3 field 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One vehicle, what it carried, and what was said of it."""

    truth: Truth
    vehicle: Vehicle
    k_sigma: float
    """Highest second over the frozen background; minus infinity where nothing was counted."""
    alerts: tuple[Alert, ...]
    """Every revision of every alert."""
    detections: tuple[Detection, ...]
    """The final ones, with their nats."""

    @property
    def level(self) -> int:
        """The highest level of any alert that asks for secondary inspection; 0 without one."""
        levels = [int(one.level) for one in self.alerts if one.event in REFERRALS]
        return max(levels, default=0)

    @property
    def referred(self) -> bool:
        """Whether it was sent to secondary inspection, by however early a word."""
        return self.level >= REFERRAL_LEVEL

    @property
    def neutrons(self) -> bool:
        """Whether the neutron test has found a source, alone or beside one of gammas."""
        return any(one.facts.get("significant") is True for one in self.of("neutron.counts"))

    def of(self, kind: str) -> list[Detection]:
        """Its detections of one kind."""
        return [one for one in self.detections if one.kind == kind]


def judged(scenario: Scenario, sensor_id: str, policy: Policy | None = None) -> Iterator[Judged]:
    """Each vehicle of the scenario in turn. Vehicles that one occupancy joins share its fate."""
    chain = _Chain(scenario, sensor_id, policy or Policy())
    chain.play()
    for truth, vehicle in zip(scenario.truth, scenario.vehicles, strict=True):
        spans = vehicle.in_beam_s()
        from_ns = scenario.start_utc_ns + int(spans[0][0] * SECOND_NS)
        to_ns = scenario.start_utc_ns + int(spans[-1][1] * SECOND_NS)
        mine = [one for one in chain.occupancies if one.from_ns <= to_ns and one.to_ns >= from_ns]
        opened = {one.from_ns for one in mine}
        yield Judged(
            truth=truth,
            vehicle=vehicle,
            k_sigma=max((one.k_sigma for one in mine), default=-math.inf),
            alerts=tuple(one for one in chain.alerts if one.onset_utc_ns in opened),
            detections=tuple(one for one in chain.detections if one.start_utc_ns in opened),
        )


@dataclass(slots=True)
class _Occupancy:
    from_ns: int
    to_ns: int
    k_sigma: float = -math.inf


@dataclass(slots=True)
class KSigma:
    """The field's test on gross counts, fed with samples: (C - B) / sqrt(B) of the best second."""

    sigma: float = -math.inf
    """Of the occupancy so far."""
    _vacant: deque[tuple[float, float]] = field(default_factory=deque)
    """(counts, seconds)"""
    _frozen_cps: float | None = None
    _scans: deque[tuple[float, float]] = field(default_factory=deque)

    def feed(self, sample: Sample) -> None:
        """One sample of the portal."""
        match sample:
            case OccupancySample(opened=True):
                self._begin()
            case OccupancySample():
                self._frozen_cps = None
            case BackgroundSample(radiation=Radiation.GAMMA, device_fault=""):
                # The device's reports come every 5 s and are counts per second.
                self._vacate(5.0 * sum(sample.rate_cps), 5.0)
            case CountSample(radiation=Radiation.GAMMA):
                self._scan(float(sum(sample.counts)), sample.duration_ms / 1000)
            case SpectrumSample(role="background"):
                pass
            case SpectrumSample():
                counts, seconds = float(sample.counts.sum()), sample.duration_ms / 1000
                if sample.occupied:
                    self._scan(counts, seconds)
                else:
                    self._vacate(counts, seconds)

    def _begin(self) -> None:
        self.sigma = -math.inf
        self._scans.clear()
        seconds = sum(seconds for _, seconds in self._vacant)
        if seconds > 0.0:
            self._frozen_cps = sum(counts for counts, _ in self._vacant) / seconds

    def _vacate(self, counts: float, seconds: float) -> None:
        self._vacant.append((counts, seconds))
        while sum(s for _, s in self._vacant) - self._vacant[0][1] >= BACKGROUND_S - 1e-9:
            self._vacant.popleft()

    def _scan(self, counts: float, seconds: float) -> None:
        if self._frozen_cps is None:
            return
        self._scans.append((counts, seconds))
        while sum(s for _, s in self._scans) > WINDOW_S + 1e-9:
            self._scans.popleft()
        if sum(s for _, s in self._scans) >= WINDOW_S - 1e-9:
            expected = max(self._frozen_cps * WINDOW_S, 1.0)
            excess = (sum(c for c, _ in self._scans) - expected) / math.sqrt(expected)
            self.sigma = max(self.sigma, excess)


class _Chain:
    """One portal's hour."""

    def __init__(self, scenario: Scenario, sensor_id: str, policy: Policy) -> None:
        kind = scenario.sensor(sensor_id).kind
        lane = scenario.lanes[0].lane
        row = DRIVERS[kind]
        config = row.config(id=sensor_id, lane=lane, url="tcp://127.0.0.1:1")
        self._driver = row.build(config, Origin.SIMULATOR)
        self._simulator = SIMULATORS[kind].build(scenario, sensor_id)
        spec = SensorSpec(
            sensor_id=sensor_id,
            family=Family.RADIATION,
            place=lane,
            origin=Origin.SIMULATOR,
            panels=getattr(config, "panels", 4),
            panel_distance_m=getattr(config, "panel_distance_m", 2.5),
        )
        lanes = (LaneSpec(lane_id=lane, direction="northbound"),)
        self._engine = Engine(Checkpoint(site="study", sensors=(spec,), lanes=lanes), policy)
        self._scenario = scenario
        self._test = KSigma()
        self.alerts: list[Alert] = []
        self.detections: list[Detection] = []
        self.occupancies: list[_Occupancy] = []

    def play(self) -> None:
        """All of it, in steps of a gamma scan."""
        start_ns = self._scenario.start_utc_ns
        for elapsed_ms in range(STEP_MS, round(self._scenario.duration_s * 1000) + 1, STEP_MS):
            utc_ns = start_ns + elapsed_ms * 1_000_000
            if data := self._simulator.step(STEP_MS):
                for sample in self._driver.feed(data, utc_ns):
                    if not isinstance(sample, Malformed):
                        self._take(sample)
            self.alerts += self._engine.tick(utc_ns)
            self._note(self._engine.take_detections())

    def _take(self, sample: Sample) -> None:
        self._test.feed(sample)
        self.alerts += self._engine.feed(sample)
        self._note(self._engine.take_detections())

    def _note(self, detections: Sequence[Detection]) -> None:
        for one in detections:
            if one.kind == "portal.occupancy" and one.final:
                ended = _Occupancy(one.start_utc_ns, one.end_utc_ns, self._test.sigma)
                self.occupancies.append(ended)
            if one.final:
                self.detections.append(one)
