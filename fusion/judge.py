"""Incident + policy -> claims: which explanation, how probable, how much it asks of the operator.

What an incident is asked is in `fusion.questions`; what is told of the answers in `fusion.verdict`.
"""

import math
from collections.abc import Callable, Mapping, Sequence

from fusion.alarms import WAY, Claim
from fusion.associate import Transit
from fusion.pass_record import PassRecord
from fusion.policy import Policy
from fusion.priors import Onset
from fusion.questions import EVENTS, QUESTIONS, TRANSIT_QUESTIONS
from fusion.scan_record import ScanRecord
from fusion.score import Score, score
from fusion.screen import Screen
from fusion.tracks import Track
from fusion.types import (
    Checkpoint,
    Contribution,
    Detection,
    Event,
    Fact,
    Family,
    Origin,
    Record,
    SensorSpec,
)
from fusion.verdict import verdict
from fusion.witnesses import Hearing, others

TOLD_OF_TRACKS = (*WAY, "count")
TOLD_OF_TRANSITS = ("ambiguous", "taken_back")
MAX_CLIPS = 3  # stations: an operator looks at no more, and each costs the link two files
Known = Callable[[str], bool]
"""Of a claim's key: whether there is an alert of it."""
SHOWN_EXPLANATIONS = 3  # the table of reasons covers this many of the best explanations


class Judge:
    """Weighs incidents of one checkpoint."""

    def __init__(self, checkpoint: Checkpoint, policy: Policy, hearing: Hearing) -> None:
        self._checkpoint = checkpoint
        self._policy = policy
        self._hearing = hearing
        self._places = {one.sensor_id: one.position_m for one in checkpoint.sensors}
        self._correlations: dict[tuple[str, str], float | None] = {}
        """Of the pairs that were asked for; sensors stand where they stand."""
        self._screen = Screen(policy, self._correlation)
        self._toward = {zone.zone_id: zone.toward for zone in checkpoint.zones}

    def keys(self, incident: Transit | Track) -> list[str]:
        """The keys of all claims that an incident can lead to."""
        if isinstance(incident, Track):
            return [incident.key]
        return [f"{incident.key}/{question}" for question in TRANSIT_QUESTIONS]

    def transit(self, transit: Transit, known: Known | None = None) -> list[Claim]:
        """What a vehicle's passage amounts to, one claim for each question with evidence.

        known  claims of which nothing is worth a word are left out, but for these
        """
        rows = transit.weighed()
        onset = Onset(transit.lane.lane_id, transit.start_utc_ns)
        claims = []
        for question in self._to_ask(transit, rows, onset, known):
            names = QUESTIONS[question]
            if not any(name in d.nats for d, _ in rows for name in names):
                continue
            result = score(rows, names, transit.end_utc_ns, self._policy.scoring, at=onset)
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

    def _to_ask(
        self,
        transit: Transit,
        rows: Sequence[tuple[Detection, float]],
        onset: Onset,
        known: Known | None,
    ) -> Sequence[str]:
        """The questions whose answers can be told."""
        if known is None:
            return TRANSIT_QUESTIONS
        bits = self._screen.transit(transit, rows, onset)
        for detection, _ in rows:
            if detection.facts.get("over_range") is True:
                bits |= 1 << TRANSIT_QUESTIONS.index("radiation")
        key = transit.key
        return [
            question
            for number, question in enumerate(TRANSIT_QUESTIONS)
            if bits >> number & 1 or known(f"{key}/{question}")
        ]

    def may_tell(self, track: Track) -> bool:
        """Whether anything of what moves over the ground may be worth a word."""
        onset = Onset(track.zone_id, track.start_utc_ns)
        return self._screen.track(track, track.weighed(), onset)

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
                at=Onset(track.zone_id, track.start_utc_ns),
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
        event, level, probability = verdict(result, self._policy.alarms, forced=forced, said=said)
        mine = [name for name, _ in result.explanations if EVENTS.get(name) is event]
        main = mine[0] if mine else result.best[0]
        shown = {main} | {name for name, _ in result.explanations[:SHOWN_EXPLANATIONS]}
        lane = next((x for x in self._checkpoint.lanes if x.lane_id == place), None)
        silent, down = ((), ()) if kind == "device" else self._others(place, detections)
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

    def _others(
        self, place: str, detections: Sequence[Detection]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Sensors of the place that were up and saw nothing, and those that were down."""
        return others(self._checkpoint.sensors, place, detections, self._hearing)


def _strongest(result: Score, explanation: str) -> Contribution | None:
    """What says most for an explanation, of those that name it where there are any."""
    rows = [
        c
        for c in result.contributions
        if c.explanation == explanation and c.kind != "prior" and c.facts
    ]
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
