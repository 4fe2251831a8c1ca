"""One question about one incident: what is known of it, what says most, what was recorded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fusion.cells import Rows
from fusion.groups import Correlation
from fusion.pass_record import PassRecord
from fusion.priors import Onset
from fusion.questions import EVENTS, QUESTIONS
from fusion.scan_record import ScanRecord
from fusion.score import Score
from fusion.silence import SCAN, STEPS
from fusion.types import Contribution, Detection, Event, Fact, Record

NOTHING_MEASURED = frozenset(("prior", SCAN, STEPS))
"""Kinds of rows whose facts are none of the incident's."""
MAX_CLIPS = 3  # stations: an operator looks at no more, and each costs the link two files


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """One question about one incident, and all that is known of it now."""

    key: str
    kind: str
    place: str
    question: str
    names: Sequence[str]
    rows: Rows
    """Its detections, and what silent sensors say."""
    detections: Sequence[Detection]
    now_utc_ns: int
    updated_utc_ns: int = 0
    at: Onset | None = None
    correlation: Correlation | None = None
    forced: Event | None = None
    said: Event | None = None
    direction: str | None = None
    more: Mapping[str, Fact] = field(default_factory=dict)
    records: Callable[[], tuple[Record, ...]] = tuple


def main_of(result: Score, event: Event) -> str:
    """The most probable of the explanations that are told as an event."""
    mine = [name for name, _ in result.explanations if EVENTS.get(name) is event]
    return mine[0] if mine else result.best[0]


def strongest_of(result: Score, explanation: str) -> Contribution | None:
    """What says most for an explanation, of those that name it where there are any."""
    rows = [
        c
        for c in result.contributions
        if c.explanation == explanation and c.kind not in NOTHING_MEASURED and c.facts
    ]
    named = [row for row in rows if row.facts.get("class") == explanation]
    return next(iter(named or rows), None)


def records_of(rows: Rows, question: str) -> tuple[Record, ...]:
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


def clips_of(
    detections: Mapping[str, Detection], latest: Mapping[str, Detection]
) -> tuple[Record, ...]:
    """What was heard by the stations that say most, the strongest first.

    Of an event the last word, which has heard most of it.
    """
    strongest = sorted(
        detections, key=lambda name: (-max(detections[name].nats.values(), default=0.0), name)
    )
    records = [latest[name].record for name in strongest[:MAX_CLIPS]]
    return tuple(record for record in records if record is not None)
