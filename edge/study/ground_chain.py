"""Simulated ground through the whole chain: its sensors' bytes, their drivers, one engine.

Scenes that are played together do not hear each other: every one has zones of its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from drivers.base import Driver
from drivers.catalog import KINDS as DRIVERS
from drivers.wire.malformed import Malformed
from edge.kernel_cache import use_kernel_cache
from fusion.engine import Engine
from fusion.policy import Policy
from fusion.types import (
    MILLISECOND_NS,
    SECOND_NS,
    Alert,
    Checkpoint,
    Detection,
    Event,
    Family,
    Origin,
    Phase,
    SensorSpec,
    ZoneSpec,
)
from simulators.base import Simulator
from simulators.catalog import KINDS as SIMULATORS
from simulators.scenario import Scenario, SensorPlace

STEP_MS = 250  # a Shake's packet
TAIL_S = 20  # of ticks alone, so that what was heard last is told
RINGS = 2  # advisory: the lowest level that an operator hears
PERSON = frozenset((Event.PERSON, Event.GROUP))
ON_FOOT = PERSON | {Event.DROP_OFF}
"""Everything that says of somebody on foot; a false one counts whatever it is called."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A revision of an alert, and when it went out."""

    alert: Alert
    at_s: float
    """Since the scene's start."""


@dataclass(slots=True)
class Heard:
    """What the engine said of one scene."""

    scene: Scenario
    alerts: list[Rung] = field(default_factory=list)
    """Every revision, in order; `CLEAR` left out."""
    detections: list[Detection] = field(default_factory=list)
    """Those of events that have ended."""

    @property
    def zones(self) -> frozenset[str]:
        """Of the scene."""
        return frozenset(place.zone for place in self.scene.sensors)

    def rung(self, events: Iterable[Event]) -> list[Rung]:
        """The first revision of each alert that rings as one of these events."""
        wanted = frozenset(events)
        first: dict[str, Rung] = {}
        for one in self.alerts:
            if one.alert.event in wanted and one.alert.level >= RINGS:
                first.setdefault(one.alert.alert_id, one)
        return list(first.values())

    def since_start_s(self, utc_ns: int) -> float:
        """Seconds from the scene's start."""
        return (utc_ns - self.scene.start_utc_ns) / SECOND_NS


@dataclass(slots=True)
class _Wire:
    simulator: Simulator
    driver: Driver
    ends_ms: int


def heard(scenes: Sequence[Scenario], policy: Policy | None = None) -> list[Heard]:
    """What one engine says of all these scenes, which begin at the same time.

    ValueError where they do not, or where two have a sensor or a zone of the same name.
    """
    use_kernel_cache()
    start_ns = scenes[0].start_utc_ns
    all_heard = [Heard(scene) for scene in scenes]
    pairs = [(one, place) for one in all_heard for place in one.scene.sensors]
    by_zone = {zone: one for one in all_heard for zone in one.zones}
    by_sensor = {place.sensor_id: one for one, place in pairs}
    if len(by_sensor) < len(pairs) or len(by_zone) < sum(len(one.zones) for one in all_heard):
        raise ValueError("two scenes share a sensor or a zone")
    if any(scene.start_utc_ns != start_ns for scene in scenes):
        raise ValueError("the scenes are not of the same hour")
    engine = Engine(_checkpoint([place for _, place in pairs]), policy)
    wires = [_wire(one.scene, place) for one, place in pairs]
    end_ms = max(wire.ends_ms for wire in wires) + TAIL_S * 1000
    for elapsed_ms in range(STEP_MS, end_ms + 1, STEP_MS):
        utc_ns = start_ns + elapsed_ms * MILLISECOND_NS
        alerts: list[Alert] = []
        for wire in wires:
            if elapsed_ms > wire.ends_ms:
                continue
            for sample in wire.driver.feed(wire.simulator.step(STEP_MS), utc_ns):
                if not isinstance(sample, Malformed):
                    alerts += engine.feed(sample)
        alerts += engine.tick(utc_ns)
        for alert in alerts:
            if alert.zone is not None and alert.phase is not Phase.CLEAR:
                # Without what was heard, which would be kept for all the hours of a study.
                told = replace(alert, records=())
                by_zone[alert.zone].alerts.append(Rung(told, elapsed_ms / 1000.0))
        for detection in engine.take_detections():
            if detection.kind == "seismic.event" and detection.final:
                light = replace(detection, record=None)
                by_sensor[detection.sensor_id].detections.append(light)
    return all_heard


def _wire(scene: Scenario, place: SensorPlace) -> _Wire:
    row = DRIVERS[place.kind]
    chosen: dict[str, Any] = {
        "id": place.sensor_id,
        "zone": place.zone,
        "url": "",  # nobody listens: the bytes are handed over
    }
    if place.option("rate_hz", ""):
        chosen["rate_hz"] = float(place.option("rate_hz", ""))
    config = row.config(**chosen)
    return _Wire(
        SIMULATORS[place.kind].build(scene, place.sensor_id),
        row.build(config, Origin.SIMULATOR),
        round(scene.duration_s * 1000),
    )


def _checkpoint(places: Sequence[SensorPlace]) -> Checkpoint:
    """No lanes: what drives past is for the ground sensors alone to tell."""
    return Checkpoint(
        site="study",
        sensors=tuple(
            SensorSpec(
                sensor_id=place.sensor_id,
                family=Family.SEISMIC,
                place=place.zone,
                position_m=place.place_m,
                origin=Origin.SIMULATOR,
                silent_after_ms=0,  # the end of a scene is no silence
            )
            for place in places
        ),
        zones=tuple(ZoneSpec(zone_id=zone) for zone in sorted({place.zone for place in places})),
    )
