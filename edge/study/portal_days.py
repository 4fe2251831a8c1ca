"""Days of traffic through one simulated portal: its wire bytes, its driver, its detector."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from drivers.radiation import TsaConfig, TsaDriver
from drivers.wire.malformed import Malformed
from fusion.radiation import RadiationDetector
from fusion.radiation_policy import RadiationPolicy
from fusion.types import SECOND_NS, Detection, Family, Origin, SensorSpec
from simulators.radiation import KINDS, PortalSimulator
from simulators.scenario import LanePlace, Rain, Scenario, SensorPlace, Source, Vehicle

START_NS = 1_763_740_800 * SECOND_NS
FIRST_S = 120.0  # the background is measured before the first vehicle comes
PASSES = 100  # of one scenario: more only slow the simulator down
VERSION = KINDS[0].version


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One vehicle, and what the detector said of it."""

    vehicle: Vehicle
    told: tuple[Detection, ...]

    def strongest(self, kind: str, fact: str) -> float:
        """The greatest value of a fact in all detections of a kind, interim ones too; else 0."""
        values = [one.facts.get(fact) for one in self.told if one.kind == kind]
        return max((float(v) for v in values if isinstance(v, int | float)), default=0.0)

    @property
    def has_neutrons(self) -> bool:
        """Whether the neutron test has said source, alone or beside a gamma source."""
        return any(
            one.kind == "neutron.counts" and one.facts["significant"] is True for one in self.told
        )


def traffic(seed: int, passes: int, sources: tuple[Source, ...] = ()) -> Scenario:
    """Trucks and cars as they come, with showers; all with the same sources."""
    random = np.random.default_rng((seed, 77))
    vehicles: list[Vehicle] = []
    at_s = FIRST_S
    for number in range(passes):
        truck = random.uniform() < 0.8
        length_m = float(random.uniform(12.0, 19.0) if truck else random.uniform(4.0, 6.0))
        speed_m_s = float(random.uniform(1.6, 4.0))
        vehicles.append(
            Vehicle(
                vehicle_id=f"{number}",
                lane="study",
                at_portal_s=at_s,
                length_m=length_m,
                speed_m_s=speed_m_s,
                suppression=float(random.uniform(0.02, 0.25 if truck else 0.08)),
                box_m=(float(random.uniform(2.5, 4.5)), length_m - 0.5) if truck else (0.0, 0.0),
                sources=sources,
            )
        )
        # A queue at rush hour, minutes apart at night.
        at_s += length_m / speed_m_s + 6.0 + float(random.exponential(10.0))
    rain: tuple[Rain, ...] = ()
    if random.uniform() < 0.4:
        start_s = float(random.uniform(0.0, at_s))
        end_s = start_s + float(random.uniform(600.0, 2400.0))
        rain = (Rain(start_s=start_s, end_s=end_s, rise=float(random.uniform(0.03, 0.2))),)
    return Scenario(
        name="study",
        seed=seed,
        start_utc_ns=START_NS + seed % 86_400 * SECOND_NS,
        duration_s=at_s + 10.0,
        lanes=(LanePlace(lane="study", portal_m=(0.0, 0.0), heading_deg=0.0),),
        sensors=(SensorPlace(sensor_id="rpm", kind="rpm-tsa", lane="study"),),
        vehicles=tuple(vehicles),
        rain=rain,
    )


def standard_passes(seed: int, passes: int, sources: Sequence[Source]) -> Scenario:
    """The same as `traffic` with every vehicle at the 2.2 m/s of the standards, an 18 m truck."""
    day = traffic(seed, passes)
    apart_s = 18.0 / 2.2 + 12.0
    vehicles = tuple(
        replace(
            one,
            length_m=18.0,
            speed_m_s=2.2,
            box_m=(4.0, 17.5),
            at_portal_s=FIRST_S + number * apart_s,
            sources=tuple(sources),
        )
        for number, one in enumerate(day.vehicles)
    )
    return replace(day, vehicles=vehicles, duration_s=FIRST_S + passes * apart_s + 10.0)


def crossings(scenario: Scenario, policy: RadiationPolicy) -> Iterator[Crossing]:
    """Each vehicle of the scenario in turn, through bytes, driver and detector."""
    simulator = PortalSimulator(scenario, "rpm")
    driver = TsaDriver(TsaConfig(id="rpm", lane="study", url="tcp://x:1"), Origin.SIMULATOR)
    spec = SensorSpec(sensor_id="rpm", family=Family.RADIATION, place="study")
    detector = RadiationDetector(spec, policy)
    told: list[Detection] = []
    waiting = list(scenario.vehicles)
    for elapsed_ms in range(200, round(scenario.duration_s * 1000) + 1, 200):
        data = simulator.step(200)
        if not data:
            continue
        received_ns = scenario.start_utc_ns + elapsed_ms * SECOND_NS // 1000
        for sample in driver.feed(data, received_ns):
            if isinstance(sample, Malformed):
                continue
            told += detector.feed(sample)
        if told and told[-1].kind == "portal.occupancy" and told[-1].final:
            yield Crossing(vehicle=waiting.pop(0), told=tuple(told))
            told = []
