"""What remains of an hour that was fused: alerts, beliefs and detections, light enough to keep.

All times are seconds since the hour's start.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from edge.study.tapes import Tape, Told
from fusion.claim import Claim
from fusion.policy import ScoringPolicy
from fusion.questions import EVENTS, QUESTIONS
from fusion.score import score
from fusion.types import SECOND_NS, Alert, Checkpoint, Contribution, Detection, Event, Family, Phase

LAWFUL = frozenset({Event.RAD_INNOCENT, Event.ANIMAL, Event.CARGO_UNPENETRATED})
"""Events that ask for nobody's stop: what no X-ray passes through is no finding."""
THREATS = frozenset(
    name
    for names in QUESTIONS.values()
    for name in names
    if name in EVENTS and EVENTS[name] not in LAWFUL
)
"""Explanations that a threat would have."""
MEASURES = ("gamma_sigma", "neutron_sigma", "ratio")
DEVICES = frozenset({Event.SENSOR_TAMPER, Event.SENSOR_FAULT, Event.SENSOR_SILENT})


class Rung(NamedTuple):
    """One revision of an alert."""

    alert_id: str
    told_s: float
    place: str
    """Lane or zone; of a sensor's own condition the sensor."""
    event: Event
    level: int
    """As the operator hears it."""
    own_level: int
    """By itself, were there no flood and no shelf."""
    probability: float
    first_s: float
    last_s: float
    """When its strongest evidence ended."""
    is_group: bool
    """It stands for several alerts of a flood."""
    why: str
    """The code of a sensor's own condition, else the test that says most."""


class Asked(NamedTuple):
    """What was believed of one question about one incident, at one time."""

    key: str
    question: str
    place: str
    told_s: float
    event: Event
    first_s: float
    last_s: float
    explanations: tuple[tuple[str, float], ...]

    @property
    def odds_nats(self) -> float:
        """Of any threat against all else."""
        return log_odds(self.explanations)


class Heard(NamedTuple):
    """One detection as a sensor alone would have it."""

    sensor: str
    family: Family
    place: str
    told_s: float
    first_s: float
    last_s: float
    odds_nats: float
    """Of any threat, by this detection and the priors alone."""
    measure: float
    """What such a sensor is thresholded on in the field: sigma, contrast or loudness."""


@dataclass(slots=True)
class Beliefs:
    """Listens to a fused tape: the last and the strongest of every question."""

    start_utc_ns: int
    last: dict[str, Asked]
    strongest: dict[str, Asked]

    def __call__(self, utc_ns: int, claim: Claim) -> None:
        """Takes one belief."""
        if claim.kind == "device":
            return
        asked = asked_of(utc_ns, claim, self.start_utc_ns)
        self.last[claim.key] = asked
        known = self.strongest.get(claim.key)
        if known is None or asked.odds_nats > known.odds_nats:
            self.strongest[claim.key] = asked


def log_odds(explanations: Iterable[tuple[str, float]]) -> float:
    """Of any threat against all else, kept within 60 nats."""
    rows = list(explanations)
    threat = math.fsum(share for name, share in rows if name in THREATS)
    other = math.fsum(share for name, share in rows if name not in THREATS)
    return math.log(max(threat, 1e-26)) - math.log(max(other, 1e-26))


def asked_of(utc_ns: int, claim: Claim, start_utc_ns: int) -> Asked:
    """What remains of a belief."""
    names = {name for name, _ in claim.explanations}
    question = next((q for q, mine in QUESTIONS.items() if names & set(mine)), claim.kind)
    return Asked(
        key=claim.key,
        question=question,
        place=claim.lane or claim.zone or "",
        told_s=(utc_ns - start_utc_ns) / SECOND_NS,
        event=claim.event,
        first_s=(claim.onset_utc_ns - start_utc_ns) / SECOND_NS,
        last_s=_strongest_s(claim.updated_utc_ns, claim.contributions, start_utc_ns),
        explanations=claim.explanations,
    )


def rungs(told: Iterable[Told], start_utc_ns: int) -> list[Rung]:
    """Alerts, new and updated; that one is over rings nobody."""
    return [
        _rung((utc_ns - start_utc_ns) / SECOND_NS, alert, start_utc_ns)
        for utc_ns, alert in told
        if alert.phase is not Phase.CLEAR
    ]


def _rung(told_s: float, alert: Alert, start_utc_ns: int) -> Rung:
    main = next((c for c in alert.contributions if c.source != "prior"), None)
    source, kind = ("", "") if main is None else (main.source, main.kind)
    own = alert.facts.get("own_level")
    return Rung(
        alert_id=alert.alert_id,
        told_s=told_s,
        place=source if alert.event in DEVICES else alert.lane or alert.zone or "",
        event=alert.event,
        level=int(alert.level),
        own_level=max(int(alert.level), own if isinstance(own, int) else 0),
        probability=alert.probability,
        first_s=(alert.onset_utc_ns - start_utc_ns) / SECOND_NS,
        last_s=_strongest_s(alert.updated_utc_ns, alert.contributions, start_utc_ns),
        is_group="members" in alert.facts,
        why=str(alert.facts.get("code", kind)),
    )


def _strongest_s(
    updated_utc_ns: int, contributions: Sequence[Contribution], start_utc_ns: int
) -> float:
    """When the strongest of what sensors said ended; where nobody has asked, the last of all."""
    age_s = next((c.age_s for c in contributions if c.source not in ("prior", "fusion")), 0.0)
    return (updated_utc_ns - start_utc_ns) / SECOND_NS - age_s


def heard(
    tape: Tape, checkpoint: Checkpoint, policy: ScoringPolicy, start_utc_ns: int
) -> list[Heard]:
    """Every detection that a sensor alone could ring for, final or not."""
    places = {spec.sensor_id: spec.place for spec in checkpoint.sensors}
    return [
        _heard(detection, places[detection.sensor_id], utc_ns, policy, start_utc_ns)
        for utc_ns, detection in tape.detections()
        if not detection.kind.startswith("health.")
        and (_measure(detection) > 0.0 or THREATS & detection.nats.keys())
    ]


def _heard(
    detection: Detection, place: str, utc_ns: int, policy: ScoringPolicy, start_utc_ns: int
) -> Heard:
    return Heard(
        sensor=detection.sensor_id,
        family=detection.family,
        place=place,
        told_s=(utc_ns - start_utc_ns) / SECOND_NS,
        first_s=(detection.start_utc_ns - start_utc_ns) / SECOND_NS,
        last_s=(detection.end_utc_ns - start_utc_ns) / SECOND_NS,
        odds_nats=_odds_alone(detection, policy),
        measure=_measure(detection),
    )


def _odds_alone(detection: Detection, policy: ScoringPolicy) -> float:
    spoken = THREATS & detection.nats.keys()
    if not spoken:
        return -math.inf
    loudest = max(spoken, key=lambda name: (detection.nats[name], name))
    names = next(mine for mine in QUESTIONS.values() if loudest in mine)
    return log_odds(score([(detection, 1.0)], names, detection.end_utc_ns, policy).explanations)


def _measure(detection: Detection) -> float:
    """Sigma of a portal, loudness over the ground's usual; of scans what speaks for a threat."""
    if detection.family is Family.XRAY:
        return max((n for name, n in detection.nats.items() if name in THREATS), default=0.0)
    found = (detection.facts.get(name) for name in MEASURES)
    return max((float(one) for one in found if isinstance(one, int | float)), default=0.0)
