"""What remains of an hour that was fused: alerts, beliefs and detections, light enough to keep.

All times are seconds since the hour's start.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from edge.study.tapes import Tape, Told
from fusion.claim import Claim
from fusion.policy import ScoringPolicy
from fusion.questions import EVENTS, QUESTIONS
from fusion.score import score
from fusion.types import SECOND_NS, Alert, Checkpoint, Contribution, Detection, Event, Phase

LAWFUL = frozenset({Event.RAD_INNOCENT, Event.ANIMAL, Event.CARGO_UNPENETRATED})
"""Events that ask for nobody's stop: what no X-ray passes through is no finding."""
THREATS = frozenset(
    name
    for names in QUESTIONS.values()
    for name in names
    if name in EVENTS and EVENTS[name] not in LAWFUL
)
"""Explanations that a threat would have."""
SIGMA = ("gamma_sigma", "neutron_sigma")
DEVICE = "sensor"


class Rung(NamedTuple):
    """One revision of an alert."""

    alert_id: str
    told_s: float
    place: str
    """Lane or zone; of a sensor's own condition the sensor."""
    event: Event
    level: int
    probability: float
    first_s: float
    last_s: float
    """When its strongest evidence ended."""
    fresh: bool
    """False: it only says that less is believed than before, or something beside it."""


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
    family: str
    place: str
    told_s: float
    first_s: float
    last_s: float
    odds_nats: float
    """Of any threat, by this detection and the priors alone."""
    measure: float
    """What such a sensor is thresholded on in the field: sigma, contrast or loudness."""
    events: tuple[Event, ...]
    """Of the threats that it speaks for."""


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
    found, last = [], dict[str, Alert]()
    for utc_ns, alert in told:
        if alert.phase is Phase.CLEAR:
            continue
        before = last.get(alert.alert_id)
        source = next((c.source for c in alert.contributions if c.source != "prior"), "")
        is_device = alert.event.value.startswith("SENSOR_")
        found.append(
            Rung(
                alert_id=alert.alert_id,
                told_s=(utc_ns - start_utc_ns) / SECOND_NS,
                place=source if is_device else alert.lane or alert.zone or "",
                event=alert.event,
                level=int(alert.level),
                probability=alert.probability,
                first_s=(alert.onset_utc_ns - start_utc_ns) / SECOND_NS,
                last_s=_strongest_s(alert.updated_utc_ns, alert.contributions, start_utc_ns),
                fresh=before is None or alert.level > before.level,
            )
        )
        last[alert.alert_id] = alert
    return found


def _strongest_s(
    updated_utc_ns: int, contributions: Sequence[Contribution], start_utc_ns: int
) -> float:
    """When the strongest of what sensors said ended."""
    age_s = next((c.age_s for c in contributions if c.source not in ("prior", "fusion")), 0.0)
    return (updated_utc_ns - start_utc_ns) / SECOND_NS - age_s


def heard(
    tape: Tape, checkpoint: Checkpoint, policy: ScoringPolicy, start_utc_ns: int
) -> list[Heard]:
    """Every detection that speaks for or against a threat, final or not."""
    places = {spec.sensor_id: spec.place for spec in checkpoint.sensors}
    return [
        _heard(detection, places[detection.sensor_id], utc_ns, policy, start_utc_ns)
        for utc_ns, detection in tape.detections()
        if any(nats > 0.0 for name, nats in detection.nats.items() if name in THREATS)
    ]


def _heard(
    detection: Detection, place: str, utc_ns: int, policy: ScoringPolicy, start_utc_ns: int
) -> Heard:
    loudest = max(THREATS & detection.nats.keys(), key=lambda name: (detection.nats[name], name))
    names = next(mine for mine in QUESTIONS.values() if loudest in mine)
    alone = score([(detection, 1.0)], names, detection.end_utc_ns, policy)
    events = {EVENTS[n] for n, nats in detection.nats.items() if n in THREATS and nats > 0.0}
    return Heard(
        sensor=detection.sensor_id,
        family=detection.family.value,
        place=place,
        told_s=(utc_ns - start_utc_ns) / SECOND_NS,
        first_s=(detection.start_utc_ns - start_utc_ns) / SECOND_NS,
        last_s=(detection.end_utc_ns - start_utc_ns) / SECOND_NS,
        odds_nats=log_odds(alone.explanations),
        measure=_measure(detection),
        events=tuple(sorted(events)),
    )


def _measure(detection: Detection) -> float:
    """Sigma of a portal, contrast of a scan's place, loudness on the ground; else its nats."""
    facts: Mapping[str, object] = detection.facts
    for name in (*SIGMA, "sigma", "ratio"):
        value = facts.get(name)
        if isinstance(value, int | float):
            return float(value)
    return max((n for name, n in detection.nats.items() if name in THREATS), default=0.0)
