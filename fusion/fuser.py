"""Detections in, alerts out: what the sensors of a checkpoint say together.

The second half of the engine: detections are joined to incidents, weighed and told. It asks the
senses only whether a sensor is up, and what its ground sensors heard of steps.
"""

from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from fusion import cues
from fusion.associate import Lane, Transit
from fusion.claim import Claim
from fusion.counts import LaneCounts
from fusion.cues_blinded import Blindings
from fusion.desk import AlarmDesk, DeskState
from fusion.evidence import weigh
from fusion.handling_policy import CRITICAL_RADIATION
from fusion.judge import Judge
from fusion.meetings import Handovers, lane_met, lanes_near
from fusion.pairing import Change, Pairing
from fusion.policy import Policy
from fusion.roadside import Roadside
from fusion.scans.scanner import KIND as TEST_PIECE
from fusion.shelving import ShelfEntry
from fusion.step_curve import StepCurve
from fusion.tracks import Track, Zone
from fusion.types import (
    SECOND_NS,
    AckSample,
    Alert,
    Checkpoint,
    Detection,
    Family,
    LaneSpec,
    Level,
    SensorSpec,
    ShelveSample,
)

# A vehicle's times are right within seconds; what lies further apart than this cannot be paired.
BLIND_NS = 5 * SECOND_NS


class Hearing(Protocol):
    """What the fuser asks the senses."""

    def up(self, sensor_id: str) -> bool:
        """Whether what that sensor does not say means something."""
        ...

    def steps(self, sensor_id: str, end_utc_ns: int) -> StepCurve | None:
        """How strongly a ground sensor heard steps until then."""
        ...


class Fuser:
    """Fuses the detections of one checkpoint into alerts."""

    def __init__(self, checkpoint: Checkpoint, policy: Policy, hearing: Hearing) -> None:
        self._policy = policy
        self._hearing = hearing
        self._now_utc_ns = 0
        self._watching_since_utc_ns: int | None = None
        association = policy.association
        self._specs = {spec.sensor_id: spec for spec in checkpoint.sensors}
        self._lanes = {
            spec.lane_id: Lane(spec, association, has_scanner=_has_scanner(spec, checkpoint))
            for spec in checkpoint.lanes
        }
        self._pairings = {
            spec.sensor_id: Pairing([self._lanes[name] for name in lanes], association)
            for spec in checkpoint.sensors
            if spec.family is Family.XRAY
            and (lanes := [name for name in (spec.place, *spec.also) if name in self._lanes])
        }
        self._zones = {
            zone.zone_id: Zone(
                zone.zone_id,
                (sensor for sensor in checkpoint.sensors if sensor.place == zone.zone_id),
                association,
                hearing.steps,
            )
            for zone in checkpoint.zones
        }
        self._counts = {
            spec.lane_id: LaneCounts(spec.lane_id, checkpoint.sensors, policy.counts)
            for spec in checkpoint.lanes
        }
        self._counting = {
            name: [counts for counts in self._counts.values() if name in counts.sensor_ids]
            for name in self._specs
        }
        self._pairings_of = {
            lane_id: [pairing for pairing in self._pairings.values() if lane in pairing.lanes]
            for lane_id, lane in self._lanes.items()
        }
        self._blindings = Blindings()
        self._desk = AlarmDesk(policy, checkpoint.site)
        self._judge = Judge(checkpoint, policy, hearing)
        self._roadside = Roadside(self._lanes, association)
        self._handovers = Handovers(self._zones, association)
        self._lanes_near = lanes_near(self._zones, checkpoint.lanes, association)

    def take(self, detections: list[Detection]) -> list[Alert]:
        """Detections of any sensors, weighed; those that follow each other of one are together."""
        if len(detections) == 1:
            return self._take(detections, self._specs[detections[0].sensor_id])
        alerts: list[Alert] = []
        for sensor_id, found in groupby(detections, key=attrgetter("sensor_id")):
            alerts += self._take(list(found), self._specs[sensor_id])
        return alerts

    def tick(self, utc_ns: int, detections: list[Detection]) -> list[Alert]:
        """Time has reached `utc_ns`, later than before, and brought these detections."""
        if self._watching_since_utc_ns is None:
            self._watching_since_utc_ns = utc_ns
        elif utc_ns - self._now_utc_ns > BLIND_NS:
            # No portal can be blamed for a vehicle that came before or in between.
            self._watching_since_utc_ns = utc_ns
            self._roadside.forget()
        self._now_utc_ns = utc_ns
        self._judge.tick(utc_ns)
        alerts = self.take(detections)
        alerts += self._roadside_due()
        alerts += self._ask()
        alerts += self._desk.tick(utc_ns)
        return alerts + self._forget()

    def shelve(self, sample: ShelveSample) -> list[Alert]:
        """Somebody asks not to be rung for something."""
        return self._desk.shelve(sample, max(self._now_utc_ns, sample.start_utc_ns))

    def acknowledge(self, sample: AckSample) -> list[Alert]:
        """Somebody has answered an alert."""
        return self._desk.acknowledge(sample, max(self._now_utc_ns, sample.start_utc_ns))

    def take_entries(self) -> list[ShelfEntry]:
        """What has happened on the shelf since the last call."""
        return self._desk.take_entries()

    @property
    def desk(self) -> DeskState:
        """What the operator's desk looks like now."""
        return self._desk.state(self._now_utc_ns)

    @property
    def active(self) -> list[Alert]:
        """The last word on every alert that was told and not cleared."""
        return self._desk.active

    def _take(self, weighed: list[Detection], spec: SensorSpec) -> list[Alert]:
        alerts: list[Alert] = []
        if spec.family is Family.XRAY:
            scans = [d for d in weighed if d.kind.startswith("xray.") and d.kind != TEST_PIECE]
            alerts += self._take_scan(scans, spec) if scans else []
        for detection in weighed:
            self._judge.note(detection)
            for counts in self._counting[detection.sensor_id]:
                counts.hear(detection)
            if detection.kind.startswith("health."):
                alerts += self._take_health(detection, spec)
            elif detection.family is Family.RADIATION:
                alerts += self._take_portal(detection, spec)
            elif detection.family is Family.SEISMIC:
                alerts += self._take_motion(detection, spec)
        return alerts

    def _take_health(self, detection: Detection, spec: SensorSpec) -> list[Alert]:
        claim = self._judge.device(detection, spec)
        alerts = self._desk.consider(claim, self._now_utc_ns)
        if not detection.facts.get("active"):
            alerts += self._desk.close(claim.key, self._now_utc_ns)
        if self._blindings.note(detection, spec):
            # Silence is noticed late: whoever came meanwhile is there already.
            for lane_id in (spec.place, *spec.also):
                for transit in self._lanes[lane_id].transits if lane_id in self._lanes else ():
                    if self._blindings.before(lane_id, transit.start_utc_ns) is not None:
                        alerts += self._weigh_transit(transit)
        return alerts

    def _take_portal(self, detection: Detection, spec: SensorSpec) -> list[Alert]:
        lane = self._lanes.get(spec.place)
        if lane is None:
            return []
        if detection.kind != "portal.occupancy":
            return self._weigh_transit(lane.portal(detection))
        alerts = self._weigh_transit(lane.occupancy(detection))
        for gone in lane.take_absorbed():
            alerts += self._take_back(gone)
        for pairing in self._pairings_of[spec.place]:
            alerts += self._paired(pairing.heed(), pairing)
        return alerts

    def _take_scan(self, scans: list[Detection], spec: SensorSpec) -> list[Alert]:
        pairing = self._pairings.get(spec.sensor_id)
        return self._paired(pairing.take(scans), pairing) if pairing is not None else []

    def _paired(self, changes: list[Change], pairing: Pairing) -> list[Alert]:
        """Scans belong to vehicles now that they did not belong to, or are surer of it."""
        alerts: list[Alert] = []
        for transit, took_back in changes:
            if not transit.detections:  # it was somebody else's
                alerts += self._take_back(transit)
                continue
            scans = transit.of("xray.scan")
            if scans and not transit.by_portal and self._uncounted(pairing, scans[0]):
                transit.add(cues.bypass(scans[0]))
            alerts += self._weigh_transit(transit, is_whole_now=took_back)
        return alerts

    def _take_back(self, transit: Transit) -> list[Alert]:
        """All that was told of a vehicle that was another one."""
        return [
            alert
            for key in self._judge.keys(transit)
            for alert in self._desk.take_back(key, self._now_utc_ns)
        ]

    def _uncounted(self, pairing: Pairing, scan: Detection) -> bool:
        """Whether the portal of any lane that it may have come by should have counted it."""
        return all(self._could_have_been_counted(lane, scan) for lane in pairing.lanes)

    def _could_have_been_counted(self, lane: Lane, scan: Detection) -> bool:
        """Whether the portal should know the scanned vehicle, and still would."""
        window_ns = lane.spec.scan_offset_s[1] * SECOND_NS
        age_ns = self._now_utc_ns - scan.end_utc_ns
        notes = scan.facts.get("notes")
        if isinstance(notes, tuple) and "clock-behind" in notes:
            return False  # of a backlog: its time is that of its arrival
        return age_ns <= window_ns and self._watched(lane, scan.start_utc_ns - window_ns)

    def _watched(self, lane: Lane, since_utc_ns: float) -> bool:
        """Whether the lane has portals, all up, that have been listening since then."""
        portals = [
            self._hearing.up(spec.sensor_id)
            for spec in self._specs.values()
            if spec.place == lane.spec.lane_id and spec.family is Family.RADIATION
        ]
        began = self._watching_since_utc_ns
        return bool(portals) and all(portals) and began is not None and since_utc_ns > began

    def _take_motion(self, detection: Detection, spec: SensorSpec) -> list[Alert]:
        if self._roadside.hold(detection, spec):
            return []
        return self._track(detection, spec)

    def _track(self, detection: Detection, spec: SensorSpec) -> list[Alert]:
        zone = self._zones.get(spec.place)
        if zone is None:
            return []
        alerts: list[Alert] = []
        for track in zone.add(detection):
            alerts += self._tell(track, zone)
            if track.on_wheels:
                alerts += self._met(track, zone)
        return alerts

    def _met(self, vehicle: Track, zone: Zone) -> list[Alert]:
        """Whoever walked to where a vehicle starts now, or did not after all."""
        alerts: list[Alert] = []
        for track in [one for one in zone.tracks if one is not vehicle and one.detections]:
            found = cues.pick_up(track, zone, _others(track, zone), self._policy.association)
            if (found is None) != (track.pick_up is None):
                alerts += self._tell(track, zone)
        return alerts

    def _tell(self, track: Track, zone: Zone) -> list[Alert]:
        """What is known of a track now."""
        # What has been known of its way stays known while it is less clear.
        known = track.motion if track.incident.legs else None
        track.motion = cues.motion(track, zone) or known
        association = self._policy.association
        others = _others(track, zone)
        if others or track.drop_off is not None:
            track.drop_off = cues.drop_off(track, zone, others, association)
        track.pick_up = cues.pick_up(track, zone, others, association) if others else None
        track.meets = lane_met(track, zone, self._lanes_near[zone.zone_id], association)
        said = self._desk.said(track.key)
        first = self._handovers.told_as(track, is_told=said is not None)
        if first is not track:
            said = self._desk.said(first.key)
        track.blinded = self._blindings.of_track(track, zone, association)
        claim = self._judge.track(first, said, self._desk.knows)
        alerts = self._desk.consider(claim, self._now_utc_ns) if claim is not None else []
        if track.blinded is not None:
            claims = [claim] if claim is not None else []
            alerts += self._raised(track.blinded, track.zone_id, claims)
        return alerts

    def _ask(self) -> list[Alert]:
        """Steps that were heard after the last event may say which way somebody went."""
        alerts: list[Alert] = []
        for zone in self._zones.values():
            if not zone.tracks:
                continue
            for track in zone.ask(self._now_utc_ns):
                found = cues.motion(track, zone)
                if found is not None and "direction" in found.facts:
                    alerts += self._tell(track, zone)
        return alerts

    def _roadside_due(self) -> list[Alert]:
        """Vehicles that no portal has counted: around it, or off the lanes altogether."""
        alerts: list[Alert] = []
        for heard, spec in self._roadside.due(self._now_utc_ns):
            lane = self._lanes.get(spec.place)
            if lane is None:
                alerts += self._track(heard, spec)
                continue
            transit = lane.open_bypass(heard) if self._watched(lane, heard.start_utc_ns) else None
            if transit is not None:
                transit.add(heard)
                transit.add(cues.bypass(heard))
                alerts += self._weigh_transit(transit)
        return alerts

    def _weigh_transit(self, transit: Transit, *, is_whole_now: bool = False) -> list[Alert]:
        transit.drop(*cues.OF_TRANSIT)
        if transit.scans:
            for cue in cues.of_transit(transit, self._policy.association):
                transit.add(cue)
        blinded = self._blindings.of_transit(transit)
        if blinded is not None:
            transit.add(blinded)
        alerts: list[Alert] = []
        claims = self._judge.transit(transit, self._desk.knows)
        for claim in claims:
            alerts += self._desk.consider(claim, self._now_utc_ns)
        if blinded is not None:
            alerts += self._raised(blinded, transit.lane.lane_id, claims)
        return alerts + self._unbelieved(transit, claims) if is_whole_now else alerts

    def _unbelieved(self, transit: Transit, claims: list[Claim]) -> list[Alert]:
        """Take back what was told of a part of the scan and does not hold.

        What is within a deadband of its line holds, and a source only ends, after its off-delay:
        who stands beside the truck by then has had the time to look.
        """
        alarms = self._policy.alarms
        believed = {
            claim.key
            for claim in claims
            if alarms.level_above(claim.event, claim.probability, alarms.deadband_nats)
        }
        alerts: list[Alert] = []
        for key in self._judge.keys(transit):
            if key not in believed:
                is_source = self._desk.said(key) in CRITICAL_RADIATION
                end = self._desk.close if is_source else self._desk.take_back
                alerts += end(key, self._now_utc_ns)
        return alerts

    def _forget(self) -> list[Alert]:
        """Incidents that can grow no more are closed; their alerts clear after the off-delay."""
        alerts: list[Alert] = []
        over: list[Transit | Track] = []
        now_utc_ns = self._now_utc_ns
        for lane in self._lanes.values():
            if not lane.transits or not (done := lane.over(now_utc_ns)):
                continue
            over += done
            alerts += self._counted(lane, done)
            for pairing in self._pairings_of[lane.spec.lane_id]:
                pairing.settle(done)
        for zone in self._zones.values():
            if zone.tracks:
                over += zone.over(now_utc_ns)
        for incident in over:
            for key in self._judge.keys(incident):
                alerts += self._desk.close(key, self._now_utc_ns)
        return alerts

    def _raised(self, blinded: Detection, place: str, claims: list[Claim]) -> list[Alert]:
        """The alert of a sensor that was blinded for somebody, a level higher."""
        told = max((claim.level or Level.LOG for claim in claims), default=Level.LOG)
        episode = self._blindings.to_raise(blinded, place, told=told)
        if episode is None:
            return []
        claim = self._judge.device(episode.detection, episode.spec)
        level = Level(min(Level.CRITICAL, (claim.level or Level.LOG) + 1))
        return self._desk.consider(replace(claim, level=level), self._now_utc_ns)

    def _counted(self, lane: Lane, done: list[Transit]) -> list[Alert]:
        """Who of a lane's sensors has missed its vehicles, now that these are gone."""
        alerts: list[Alert] = []
        counts = self._counts[lane.spec.lane_id]
        for transit in done:
            up = [name for name in counts.sensor_ids if self._hearing.up(name)]
            for found, spec in counts.passed(transit, up):
                self._judge.note(found)  # the silence of who misses vehicles says nothing
                alerts += self._take_health(weigh(found), spec)
        return alerts


def _others(track: Track, zone: Zone) -> list[Track]:
    return [other for other in zone.tracks if other is not track and other.detections]


def _has_scanner(lane: LaneSpec, checkpoint: Checkpoint) -> bool:
    return any(
        lane.lane_id in (spec.place, *spec.also)
        for spec in checkpoint.sensors
        if spec.family is Family.XRAY
    )
