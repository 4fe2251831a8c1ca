"""Incident + policy -> claims: which explanation, how probable, how much it asks of the operator.

What an incident is asked is in `fusion.questions`; what is told of the answers in `fusion.verdict`.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from fusion.alarms import WAY, Claim
from fusion.associate import Transit
from fusion.cells import Cell, Rows
from fusion.matter import NOTHING_MEASURED, Matter, clips_of, main_of, records_of, strongest_of
from fusion.policy import Policy
from fusion.priors import Onset
from fusion.questions import QUESTIONS, TRANSIT_QUESTIONS
from fusion.score import Score, score
from fusion.screen import Screen
from fusion.silence import Silence
from fusion.tracks import Track
from fusion.types import (
    Checkpoint,
    Detection,
    Event,
    Fact,
    Family,
    Origin,
    SensorSpec,
)
from fusion.verdict import Verdict, verdict
from fusion.witnesses import Hearing, Witnesses, others

TOLD_OF_TRACKS = (*WAY, "count")
TOLD_OF_TRANSITS = ("ambiguous", "taken_back")
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
        self._lanes = {lane.lane_id: lane for lane in checkpoint.lanes}
        self._sensors_of = _by_place(checkpoint.sensors)
        self._screen = Screen(policy, self._correlation)
        self._witnesses = Witnesses(checkpoint.sensors, hearing)
        self._silence = Silence(checkpoint, policy.scoring, self._witnesses)
        self._toward = {zone.zone_id: zone.toward for zone in checkpoint.zones}

    def tick(self, utc_ns: int) -> None:
        """Time has reached `utc_ns`."""
        self._witnesses.tick(utc_ns)

    def note(self, detection: Detection) -> None:
        """A sensor has said something, whosever it is."""
        self._witnesses.note(detection)

    def keys(self, incident: Transit | Track) -> list[str]:
        """The keys of all claims that an incident can lead to."""
        if isinstance(incident, Track):
            return [incident.key]
        key = incident.key
        return [f"{key}/{question}" for question in TRANSIT_QUESTIONS]

    def transit(self, transit: Transit, known: Known | None = None) -> list[Claim]:
        """What a vehicle's passage amounts to, one claim for each question with evidence.

        known  claims of which nothing is worth a word are left out, but for these, and what only a
               reader needs of a claim is not made yet; None: all claims, in full
        """
        own = transit.weighed()
        rows = own + self._silence.of_transit(transit, own)
        onset = Onset(transit.lane.lane_id, transit.start_utc_ns)
        claims = []
        for question in self._to_ask(transit, rows, onset, known):
            names = QUESTIONS[question]
            if not any(name in d.nats for d, _ in own for name in names):
                continue
            over_range = question == "radiation" and any(
                d.facts.get("over_range") is True for d in transit.gammas
            )
            matter = Matter(
                key=f"{transit.key}/{question}",
                kind="transit",
                place=transit.lane.lane_id,
                question=question,
                names=names,
                rows=rows,
                detections=[d for d, _ in own],
                now_utc_ns=transit.end_utc_ns,
                at=onset,
                forced=Event.RAD_OVERRANGE if over_range else None,
                more={name: True for name in TOLD_OF_TRANSITS if getattr(transit, name)},
                records=partial(records_of, own, question),
            )
            claims.append(self._believed(matter, None if known is None else transit.cell))
        return claims

    def _to_ask(
        self,
        transit: Transit,
        rows: Rows,
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
        return [
            question
            for number, (question, key) in enumerate(
                zip(TRANSIT_QUESTIONS, self.keys(transit), strict=True)
            )
            if bits >> number & 1 or known(key)
        ]

    def track(
        self, track: Track, said: Event | None = None, known: Known | None = None
    ) -> Claim | None:
        """What moves over the ground; None: nothing of it is worth a word.

        said   what it was told as
        known  as of `transit`; None: the claim, in full
        """
        own = track.weighed()
        onset = Onset(track.zone_id, track.start_utc_ns)
        if known is not None and self._screen.is_faint(track, own, onset) and not known(track.key):
            return None  # silence speaks for nothing
        rows = own + self._silence.of_track(track, own)
        if known is not None and not (self._screen.track(track, rows, onset) or known(track.key)):
            return None
        motion = track.motion.facts if track.motion is not None else {}
        direction = motion.get("direction")
        toward = self._toward.get(track.zone_id, {}).get(str(direction))
        matter = Matter(
            key=track.key,
            kind="track",
            place=track.zone_id,
            question="motion",
            names=QUESTIONS["motion"],
            rows=rows,
            detections=[d for d, _ in own],
            now_utc_ns=track.end_utc_ns,
            updated_utc_ns=track.end_utc_ns,
            at=onset,
            correlation=self._correlation,
            said=said,
            direction=direction if isinstance(direction, str) else None,
            more={name: motion[name] for name in TOLD_OF_TRACKS if name in motion}
            | ({"toward": toward} if toward else {})
            | dict(track.meets),
            records=partial(clips_of, dict(track.detections), dict(track.latest)),
        )
        return self._believed(matter, None if known is None else track.cell)

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
        matter = Matter(
            key=f"device/{spec.sensor_id}/{detection.facts['code']}/{detection.start_utc_ns}",
            kind="device",
            place=spec.place,
            question="",
            names=(detection.kind.removeprefix("health."),),
            rows=[(detection, 1.0)],
            detections=[detection],
            now_utc_ns=detection.end_utc_ns,
        )
        return self._in_full(matter, frozenset())

    def _believed(self, matter: Matter, cell: Cell | None) -> Claim:
        """In full; or from its evidence as it was weighed last, and in full when it is told."""
        down = frozenset(
            spec.sensor_id
            for spec in self._sensors_of[matter.place]
            if not self._hearing.up(spec.sensor_id)
        )
        if cell is None:
            return self._in_full(matter, down)
        result = cell.score(matter.question)
        found = verdict(result, self._policy.alarms, forced=matter.forced, said=matter.said)
        main = main_of(result, found.event)
        strongest = cell.strongest(main, NOTHING_MEASURED)
        if strongest is None:  # all that it says has been weighed away
            return self._in_full(matter, down)
        facts = {"source": strongest.sensor_id, **strongest.facts}
        claim = self._claim(matter, result, found, facts)
        return replace(claim, in_full=partial(self._in_full, matter, down))

    def _in_full(self, matter: Matter, down: frozenset[str]) -> Claim:
        """With its table of reasons. `down`: sensors of the place that were."""
        result = score(
            matter.rows,
            matter.names,
            matter.now_utc_ns,
            self._policy.scoring,
            matter.correlation,
            at=matter.at,
        )
        found = verdict(result, self._policy.alarms, forced=matter.forced, said=matter.said)
        main = main_of(result, found.event)
        shown = {main} | {name for name, _ in result.explanations[:SHOWN_EXPLANATIONS]}
        strongest = strongest_of(result, main)
        facts = {"source": strongest.source, **strongest.facts} if strongest is not None else {}
        silent: tuple[str, ...] = ()
        failed: tuple[str, ...] = ()
        if matter.kind != "device":
            sensors = self._sensors_of[matter.place]
            silent, failed = others(sensors, matter.place, matter.detections, _Then(down))
        return replace(
            self._claim(matter, result, found, facts),
            contributions=tuple(c for c in result.contributions if c.explanation in shown),
            silent=silent,
            down=failed,
            records=matter.records(),
        )

    def _claim(
        self, matter: Matter, result: Score, found: Verdict, strongest: Mapping[str, Fact]
    ) -> Claim:
        """What decides whether it is told. `strongest`: the facts of what says most."""
        detections = matter.detections
        main = main_of(result, found.event)
        lane = self._lanes.get(matter.place)
        return Claim(
            key=matter.key,
            kind=matter.kind,
            event=found.event,
            level=found.level,
            probability=found.probability,
            score_nats=result.nats[main],
            site=self._checkpoint.site,
            lane=matter.place if lane is not None else None,
            zone=None if lane is not None else matter.place,
            direction=lane.direction if lane is not None else matter.direction,
            exercise=any(d.origin is not Origin.SENSOR for d in detections),
            onset_utc_ns=min(d.start_utc_ns for d in detections),
            # A track is heard of after its sensors have had their best words.
            updated_utc_ns=max(matter.updated_utc_ns, *(d.end_utc_ns for d in detections)),
            explanations=result.explanations,
            contributions=(),
            facts={"explanation": main, **strongest, **matter.more},
            place_m=self._places.get(
                str(strongest.get("source")), self._places.get(detections[0].sensor_id)
            ),
            of_part=any(d.family is Family.XRAY and not d.final for d in detections),
        )


def _by_place(sensors: Iterable[SensorSpec]) -> Mapping[str, Sequence[SensorSpec]]:
    found: defaultdict[str, list[SensorSpec]] = defaultdict(list)
    for spec in sensors:
        for place in dict.fromkeys((spec.place, *spec.also)):
            found[place].append(spec)
    return found


class _Then(NamedTuple):
    """Who was up at that time."""

    down: frozenset[str]

    def up(self, sensor_id: str) -> bool:
        return sensor_id not in self.down
