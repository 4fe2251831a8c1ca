"""The bundled simulator in place of a sensor that did not answer at start."""

import asyncio
from dataclasses import replace

from drivers.base import SensorConfig
from edge.sensors.intake import kind_of
from simulators.base import Simulator
from simulators.catalog import KINDS
from simulators.scenario import Cargo, LanePlace, Scenario, SensorPlace, Vehicle

STEP_S = 0.05  # twenty times a second: finer than the fastest portal reports
# A loop that was stopped for longer does not make the simulator catch up in one go.
LONGEST_STEP_S = 5.0
TRAFFIC_EVERY_S = 120.0
TRAFFIC_FOR_S = 86_400.0


def quiet_day(seed: int, start_utc_ns: int) -> Scenario:
    """A scenario in which nothing calls for an alert; lanes are added by `with_sensor`."""
    return Scenario(name="stand-in", seed=seed, start_utc_ns=start_utc_ns, duration_s=TRAFFIC_FOR_S)


def with_sensor(scenario: Scenario, config: SensorConfig) -> Scenario:
    """The scenario with the sensor in it, and lawful trucks in its lane where that is new."""
    if all(place.sensor_id != config.id for place in scenario.sensors):
        place = SensorPlace(
            sensor_id=config.id,
            kind=kind_of(config).kind,
            place_m=config.position_m,
            lane=config.lane or "",
            zone=config.zone or "",
            options=_options(config),
        )
        scenario = replace(scenario, sensors=(*scenario.sensors, place))
    if config.lane and all(lane.lane != config.lane for lane in scenario.lanes):
        lane = LanePlace(lane=config.lane, portal_m=config.position_m, heading_deg=0.0)
        scenario = replace(
            scenario,
            lanes=(*scenario.lanes, lane),
            vehicles=(*scenario.vehicles, *_trucks(config.lane)),
        )
    return scenario


def _options(config: SensorConfig) -> tuple[tuple[str, str], ...]:
    """What the simulator has to be told to speak as the device is configured to."""
    options = []
    for key in config.simulator_keys:
        value = getattr(config, key)
        if value:
            text = ",".join(value) if isinstance(value, tuple) else f"{value:g}"
            options.append((key, text))
    return tuple(options)


def _trucks(lane: str) -> tuple[Vehicle, ...]:
    load = Cargo(
        kind="pallets", material="organic", density_g_cm3=0.25, from_m=5.0, to_m=16.5, top_m=1.8
    )
    return tuple(
        Vehicle(
            vehicle_id=f"{lane}-{number:04d}",
            lane=lane,
            at_portal_s=TRAFFIC_EVERY_S * (number + 0.5),
            cargo=(load,),
        )
        for number in range(int(TRAFFIC_FOR_S / TRAFFIC_EVERY_S))
    )


class StandIn:
    """A transport whose other end is a simulator, paced by the event loop's clock."""

    def __init__(self, config: SensorConfig, scenario: Scenario) -> None:
        row = KINDS[kind_of(config).kind]
        self._heavy = kind_of(config).heavy
        self._simulator: Simulator = row.build(scenario, config.id)
        self._packets = row.packets
        self._waiting: list[bytes] = []
        self._stepped_to_s = asyncio.get_running_loop().time()

    async def read(self) -> bytes:
        """As `Transport.read`; it is never cut."""
        while not self._waiting:
            await asyncio.sleep(STEP_S)
            self._waiting = await self._step()
        if self._heavy:  # one file set at a time
            return self._waiting.pop(0)
        data, self._waiting = b"".join(self._waiting), []
        return data

    async def _step(self) -> list[bytes]:
        passed_s = asyncio.get_running_loop().time() - self._stepped_to_s
        dt_ms = int(passed_s * 1000)
        self._stepped_to_s += dt_ms / 1000
        dt_ms = min(dt_ms, int(LONGEST_STEP_S * 1000))
        if self._heavy:  # drawing a scan takes a good part of a second
            return self._packets(await asyncio.to_thread(self._simulator.step, dt_ms))
        return self._packets(self._simulator.step(dt_ms))

    async def settle(self, reason: str) -> None:
        """Nothing is kept."""

    async def close(self) -> None:
        """Nothing is open."""
