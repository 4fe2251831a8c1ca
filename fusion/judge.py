"""Incident + policy -> claims: which explanation, how probable, how much it asks of the operator.

Each incident is asked a few separate questions, so that a load of granite does not hide that a
container declared empty is full: about radiation, about the cargo, about the passage itself.
Explanations compete within a question.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

from fusion.alarms import WAY, Claim
from fusion.associate import Transit
from fusion.pass_record import PassRecord
from fusion.policy import Policy
from fusion.scan_record import ScanRecord
from fusion.score import Score, score
from fusion.tracks import Track
from fusion.types import (
    Checkpoint,
    Contribution,
    Detection,
    Event,
    Fact,
    Family,
    Level,
    Origin,
    Record,
    SensorSpec,
)

QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "radiation": ("norm", "medical", "legal-source", "threat-source", "shielded-source"),
    "cargo": ("contraband-anomaly", "not-empty", "not-as-declared", "unpenetrated"),
    "passage": ("bypass",),
    "motion": (
        "person",
        "group",
        "animal",
        "vehicle",
        "digging",
        "aircraft",
        "weather",
        "machinery",
        "drop-off",
    ),
}
TRANSIT_QUESTIONS = ("radiation", "cargo", "passage")
EVENTS: Mapping[str, Event] = {
    "norm": Event.RAD_INNOCENT,
    "medical": Event.RAD_INNOCENT,
    "legal-source": Event.RAD_INNOCENT,
    "threat-source": Event.RAD_THREAT,
    "shielded-source": Event.SHIELDED_SOURCE,
    "contraband-anomaly": Event.CARGO_ANOMALY,
    "not-empty": Event.CARGO_MISMATCH,
    "not-as-declared": Event.CARGO_MISMATCH,
    "unpenetrated": Event.CARGO_UNPENETRATED,
    "bypass": Event.PORTAL_BYPASS,
    "person": Event.PERSON,
    "group": Event.GROUP,
    "animal": Event.ANIMAL,
    "vehicle": Event.VEHICLE_OFF_LANE,
    "digging": Event.DIGGING,
    "aircraft": Event.AIRCRAFT_LOW,
    "drop-off": Event.DROP_OFF,
    "tamper": Event.SENSOR_TAMPER,
    "fault": Event.SENSOR_FAULT,
    "drift": Event.SENSOR_FAULT,
    "test-piece": Event.SENSOR_FAULT,
    "silent": Event.SENSOR_SILENT,
}
"""Explanations that are no event (weather, machinery) only take probability from the others."""

SOURCES = (Event.RAD_THREAT, Event.SHIELDED_SOURCE)
ON_FOOT = (Event.PERSON, Event.GROUP)
KINDRED = (SOURCES, ON_FOOT)
"""Events that are one to the operator: a source is a source, somebody is somebody. How it is
hidden, and how many walk, decides the name, not how sure we are of it."""
TOLD_OF_TRACKS = (*WAY, "count")
TOLD_OF_TRANSITS = ("ambiguous", "taken_back")
MAX_CLIPS = 3  # stations: an operator looks at no more, and each costs the link two files
SHOWN_EXPLANATIONS = 3  # the table of reasons covers this many of the best explanations


class Hearing(Protocol):
    """What the judge asks the senses."""

    def up(self, sensor_id: str) -> bool:
        """Whether what that sensor does not say means something."""
        ...


class Judge:
    """Weighs incidents of one checkpoint."""

    def __init__(self, checkpoint: Checkpoint, policy: Policy, hearing: Hearing) -> None:
        self._checkpoint = checkpoint
        self._policy = policy
        self._hearing = hearing
        self._places = {one.sensor_id: one.position_m for one in checkpoint.sensors}
        self._correlations: dict[tuple[str, str], float | None] = {}
        """Of the pairs that were asked for; sensors stand where they stand."""
        self._toward = {zone.zone_id: zone.toward for zone in checkpoint.zones}

    def keys(self, incident: Transit | Track) -> list[str]:
        """The keys of all claims that an incident can lead to."""
        if isinstance(incident, Track):
            return [incident.key]
        return [f"{incident.key}/{question}" for question in TRANSIT_QUESTIONS]

    def transit(self, transit: Transit) -> list[Claim]:
        """What a vehicle's passage amounts to, one claim for each question with evidence."""
        rows = transit.weighed()
        claims = []
        for question in TRANSIT_QUESTIONS:
            names = QUESTIONS[question]
            if not any(name in d.nats for d, _ in rows for name in names):
                continue
            result = score(rows, names, transit.end_utc_ns, self._policy.scoring)
            over_range = question == "radiation" and any(
                d.facts.get("over_range") is True for d in transit.gammas
            )
            claim = self._claim(
                key=f"{transit.key}/{question}",
                kind="transit",
                result=result,
                detections=[d for d, _ in rows],
                place=transit.lane.lane_id,
                forced=Event.RAD_OVERRANGE if over_range else None,
                more={name: True for name in TOLD_OF_TRANSITS if getattr(transit, name)},
                records=_records(rows, question),
            )
            claims.append(claim)
        return claims

    def track(self, track: Track, said: Event | None = None) -> Claim:
        """What moves over the ground; `said`: what it was told as."""
        rows = track.weighed()
        motion = track.motion.facts if track.motion is not None else {}
        direction = motion.get("direction")
        toward = self._toward.get(track.zone_id, {}).get(str(direction))
        return self._claim(
            key=track.key,
            kind="track",
            said=said,
            result=score(
                rows,
                QUESTIONS["motion"],
                track.end_utc_ns,
                self._policy.scoring,
                self._correlation,
            ),
            detections=[d for d, _ in rows],
            place=track.zone_id,
            updated_utc_ns=track.end_utc_ns,
            records=_clips(track),
            direction=direction if isinstance(direction, str) else None,
            more={name: motion[name] for name in TOLD_OF_TRACKS if name in motion}
            | ({"toward": toward} if toward else {}),
        )

    def _correlation(self, one: str, other: str) -> float | None:
        """Of two ground sensors, by how far apart they stand; None where that is not known."""
        pair = one, other
        if pair not in self._correlations:
            self._correlations[pair] = self._correlation_by_place(one, other)
        return self._correlations[pair]

    def _correlation_by_place(self, one: str, other: str) -> float | None:
        here, there = self._places.get(one), self._places.get(other)
        if here is None or there is None or here == there:
            return None
        near, far, reach_m = self._policy.scoring.ground_rho
        return far + (near - far) * math.exp(-math.dist(here, there) / reach_m)

    def device(self, detection: Detection, spec: SensorSpec) -> Claim:
        """A sensor's own condition."""
        name = detection.kind.removeprefix("health.")
        result = score([(detection, 1.0)], (name,), detection.end_utc_ns, self._policy.scoring)
        key = f"device/{spec.sensor_id}/{detection.facts['code']}/{detection.start_utc_ns}"
        return self._claim(
            key=key, kind="device", result=result, detections=[detection], place=spec.place
        )

    def _claim(
        self,
        *,
        key: str,
        kind: str,
        result: Score,
        detections: Sequence[Detection],
        place: str,
        updated_utc_ns: int = 0,
        direction: str | None = None,
        forced: Event | None = None,
        said: Event | None = None,
        more: Mapping[str, Fact] | None = None,
        records: tuple[Record, ...] = (),
    ) -> Claim:
        event, level, probability = self._verdict(result, forced, said)
        mine = [name for name, _ in result.explanations if EVENTS.get(name) is event]
        main = mine[0] if mine else result.best[0]
        shown = {main} | {name for name, _ in result.explanations[:SHOWN_EXPLANATIONS]}
        lane = next((x for x in self._checkpoint.lanes if x.lane_id == place), None)
        silent, down = self._others(place, detections) if kind != "device" else ((), ())
        strongest = _strongest(result, main)
        facts: dict[str, Fact] = {"explanation": main}
        if strongest is not None:
            facts |= {"source": strongest.source, **strongest.facts}
        facts |= more or {}
        return Claim(
            key=key,
            kind=kind,
            event=event,
            level=level,
            probability=probability,
            score_nats=result.nats[main],
            site=self._checkpoint.site,
            lane=place if lane is not None else None,
            zone=None if lane is not None else place,
            direction=lane.direction if lane is not None else direction,
            exercise=any(d.origin is not Origin.SENSOR for d in detections),
            onset_utc_ns=min(d.start_utc_ns for d in detections),
            # A track is heard of after its sensors have had their best words.
            updated_utc_ns=max(updated_utc_ns, *(d.end_utc_ns for d in detections)),
            explanations=result.explanations,
            contributions=tuple(c for c in result.contributions if c.explanation in shown),
            silent=silent,
            down=down,
            facts=facts,
            records=records,
            of_part=any(d.family is Family.XRAY and not d.final for d in detections),
        )

    def _verdict(
        self, result: Score, forced: Event | None, said: Event | None
    ) -> tuple[Event, Level | None, float]:
        """The event that asks most of the operator; among equals the most probable."""
        by_event: dict[Event, float] = {}
        for name, probability in result.explanations:
            if name in EVENTS:
                by_event[EVENTS[name]] = by_event.get(EVENTS[name], 0.0) + probability
        for kin in KINDRED:
            whole = sum(by_event.get(event, 0.0) for event in kin)
            if whole > 0.0:
                named = self._named({event: by_event.get(event, 0.0) for event in kin}, said)
                by_event = {e: p for e, p in by_event.items() if e not in kin} | {named: whole}
        if forced is not None:
            by_event = {forced: 1.0 - dict(result.explanations)["nothing"]}
        levels = {event: self._level(event, p) for event, p in by_event.items()}
        event = max(by_event, key=lambda e: (levels[e] or 0, by_event[e]))
        return event, levels[event], by_event[event]

    def _named(self, kin: Mapping[Event, float], said: Event | None) -> Event:
        """The most probable, or what was said, unless by more than a deadband less probable."""
        named = max(kin, key=kin.__getitem__)
        most_nats = self._policy.alarms.deadband_nats
        if said is None or said not in kin or kin[said] * math.exp(most_nats) < kin[named]:
            return named
        return said

    def _level(self, event: Event, probability: float) -> Level | None:
        lines = self._policy.alarms.level_lines[event]
        levels = (Level.CRITICAL, Level.WARNING, Level.ADVISORY)
        for level, line in zip(levels, reversed(lines), strict=True):
            if probability >= line:
                return level
        return Level.LOG if probability >= self._policy.alarms.log_line else None

    def _others(
        self, place: str, detections: Sequence[Detection]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Sensors of the place that were up and saw nothing, and those that were down.

        A scanner has seen nothing only once it has scanned; what a cue is made of has spoken.
        """
        heard = {d.sensor_id for d in detections}
        spoke = {d.sensor_id for d in detections if any(n > 0.0 for n in d.nats.values())}
        if "fusion" in spoke:
            spoke |= heard
        silent, down = [], []
        for sensor in self._checkpoint.sensors:
            name = sensor.sensor_id
            if sensor.place != place:
                continue
            if not self._hearing.up(name):
                down.append(name)
            elif name not in spoke and (sensor.family is not Family.XRAY or name in heard):
                silent.append(name)
        return tuple(silent), tuple(down)


def _strongest(result: Score, explanation: str) -> Contribution | None:
    """What says most for an explanation, of those that name it where there are any."""
    rows = [c for c in result.contributions if c.explanation == explanation and c.facts]
    named = [row for row in rows if row.facts.get("class") == explanation]
    return next(iter(named or rows), None)


def _records(rows: Sequence[tuple[Detection, float]], question: str) -> tuple[Record, ...]:
    """What each portal and scanner measured of the vehicle, in the order of the detections.

    What the portal measured is evidence of radiation, and of nothing else; a scan is that too
    where it has something to say of it.
    """
    radiation = question == "radiation"
    scans = not radiation or any(
        name in detection.nats
        for detection, _ in rows
        for name in QUESTIONS[question]
        if detection.kind.startswith(("xray.", "fusion."))
    )
    return tuple(
        detection.record
        for detection, _ in rows
        if (isinstance(detection.record, PassRecord) and radiation)
        or (isinstance(detection.record, ScanRecord) and scans)
    )


def _clips(track: Track) -> tuple[Record, ...]:
    """What was heard by the stations that say most, the strongest first.

    Of an event the last word, which has heard most of it.
    """
    strongest = sorted(
        track.detections,
        key=lambda name: (-max(track.detections[name].nats.values(), default=0.0), name),
    )
    records = [track.latest[name].record for name in strongest[:MAX_CLIPS]]
    return tuple(record for record in records if record is not None)
