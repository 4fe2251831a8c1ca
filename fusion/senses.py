"""Samples in, detections out: every sensor's own detectors, and its condition.

The first half of the engine. What several sensors say together is the fuser's.
"""

from collections.abc import Callable
from dataclasses import dataclass

from fusion import xray
from fusion.cadence import CadenceWatch
from fusion.evidence import weigh
from fusion.health import SensorHealth
from fusion.lag import LagWatch
from fusion.policy import Policy
from fusion.scans.previous import PreviousScans
from fusion.scans.scanner import ScannerWatch, is_test_piece
from fusion.seismic import SeismicField
from fusion.spectra.portal import Portal
from fusion.step_curve import StepCurve
from fusion.stuck import StuckWatch
from fusion.types import (
    Checkpoint,
    Detection,
    Family,
    Sample,
    ScanFinding,
    SensorSpec,
    StatusSample,
)


@dataclass(slots=True)
class _Channel:
    """One sensor's way to detections."""

    spec: SensorSpec
    health: SensorHealth
    stuck: StuckWatch
    lag: LagWatch
    cadence: CadenceWatch | None
    """Of a portal."""
    feed: Callable[[Sample], list[Detection]]
    tick: Callable[[int], list[Detection]] | None


class Senses:
    """The detectors of one checkpoint's sensors."""

    def __init__(self, checkpoint: Checkpoint, policy: Policy) -> None:
        self._policy = policy
        self._now_utc_ns = 0
        ground = [spec for spec in checkpoint.sensors if spec.family is Family.SEISMIC]
        self._ground = SeismicField(ground, policy.seismic)
        self._channels = {spec.sensor_id: self._channel(spec) for spec in checkpoint.sensors}
        self._previous = PreviousScans()
        self._scanners = {
            spec.sensor_id: ScannerWatch(spec, policy.scanner)
            for spec in checkpoint.sensors
            if spec.family is Family.XRAY
        }

    def feed(self, sample: Sample) -> list[Detection]:
        """One sample of any kind. A sensor that the checkpoint does not know is passed over."""
        channel = self._channels.get(sample.sensor_id)
        if channel is None:
            return []
        detections = channel.health.heard(sample, self._now_utc_ns)
        if not isinstance(sample, StatusSample):
            watched = (
                channel.stuck.feed(sample),
                channel.lag.feed(sample, self._now_utc_ns),
                channel.cadence.feed(sample) if channel.cadence else None,
            )
            for said in watched:
                if said is not None:
                    detections += channel.health.heard(said, self._now_utc_ns)
            detections += channel.feed(sample)
        return self._weighed(detections)

    def tick(self, utc_ns: int) -> list[Detection]:
        """Time has reached `utc_ns`, which is later than before."""
        self._now_utc_ns = utc_ns
        detections: list[Detection] = []
        for channel in self._channels.values():
            detections += channel.health.tick(utc_ns)
            if channel.tick is not None:
                detections += channel.tick(utc_ns)
        return self._weighed(detections + self._ground.tick(utc_ns))

    def pass_over(self, unheard_ns: int) -> None:
        """Nobody listened for that long: it counts for no silence."""
        for channel in self._channels.values():
            channel.health.pass_over(unheard_ns)

    def up(self, sensor_id: str) -> bool:
        """Whether what that sensor does not say means something. KeyError of an unknown one."""
        return self._channels[sensor_id].health.up

    def steps(self, sensor_id: str, end_utc_ns: int) -> StepCurve | None:
        """How strongly a ground sensor heard steps until then; None where it cannot say."""
        return self._ground.steps(sensor_id, end_utc_ns)

    def _weighed(self, detections: list[Detection]) -> list[Detection]:
        of_portals, of_others = self._policy.radiation_evidence, self._policy.evidence
        return [weigh(detection, of_portals, of_others) for detection in detections]

    def _channel(self, spec: SensorSpec) -> _Channel:
        health = SensorHealth(spec, self._policy.alarms)
        watches = StuckWatch(), LagWatch()
        if spec.family is Family.RADIATION:
            policy = self._policy
            portal = Portal(spec, policy.radiation, policy.spectra, policy.identify)
            return _Channel(spec, health, *watches, CadenceWatch(), portal.feed, portal.tick)
        if spec.family is Family.SEISMIC:
            # All stations are worked on together: what a sample brings may be of any of them.
            return _Channel(spec, health, *watches, None, self._ground.feed, None)
        return _Channel(spec, health, *watches, None, self._scanned, None)

    def _scanned(self, sample: Sample) -> list[Detection]:
        if not isinstance(sample, ScanFinding):
            return []
        finding, condition = self._scanners[sample.sensor_id].feed(sample)
        if is_test_piece(finding):
            return condition  # it is no vehicle
        return [*self._scan(finding), *condition]

    def _scan(self, sample: Sample) -> list[Detection]:
        if not isinstance(sample, ScanFinding):
            return []
        found = xray.detections(sample, self._policy.xray)
        change = self._previous.compare(sample, self._policy.xray)
        return found if change is None else [*found, xray.changed(sample, change)]
