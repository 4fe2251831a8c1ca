"""Detections of simulated hours beside what was true: what evidence is calibrated on."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from edge.study.fusion_truth import Joiner, happenings
from fusion.evidence import ON_FOOT, nats_of
from fusion.evidence_calibration import EvidenceCalibration
from fusion.types import SECOND_NS, Detection, Fact
from simulators.crossing_days import THREATS
from simulators.movers import Mover
from simulators.scenario import Scenario

EVENT, DENSE, EMPTINESS = "seismic.event", "xray.dense", "xray.emptiness"
"""Whose words are fitted."""
NOBODY, SOMEBODY = "nothing", "somebody"
"""Somebody: on foot, alone or not."""
REACH_M: Mapping[str, float] = {
    "person": 30.0,
    "group": 35.0,
    "animal": 40.0,
    "vehicle": 120.0,
    "digging": 40.0,
    "aircraft": 600.0,
    "machinery": 100.0,
}
"""So near to a sensor it is what the sensor hears; weather and blasts are no class of their own
here, since while they last what a sensor hears may be anything."""
FAR = 2.0
"""Between its reach and so many times as far nobody can say whether it is heard."""
HIDES = frozenset({"dense-object", "shielded-source"})
"""Strata with something dense in the load."""
NOTHING: Mapping[str, Fact] = {}
"""Facts where a scanner found nothing to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing that a detector judged."""

    test: str
    truth: str
    """The right explanation, or `"nothing"`."""
    facts: Mapping[str, Fact]
    """Of its loudest word; empty where it said nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What sensors said in one simulated hour."""

    scenario: Scenario
    detections: tuple[Detection, ...]

    def seconds(self, utc_ns: int) -> float:
        """Since the scenario's start."""
        return (utc_ns - self.scenario.start_utc_ns) / SECOND_NS


# --- scanners ----------------------------------------------------------------------------


def scan_cases(heard: Heard) -> Iterator[Case]:
    """Each scanned vehicle: its strongest dense place, and its emptiness where papers say empty."""
    joiner = Joiner(happenings(heard.scenario, {}))
    lanes = {place.sensor_id: place.lane for place in heard.scenario.sensors}
    scans: dict[tuple[str, int], list[Detection]] = defaultdict(list)
    for one in heard.detections:
        if one.kind.startswith("xray.") and one.final:
            scans[one.sensor_id, one.start_utc_ns].append(one)
    for (sensor_id, start_utc_ns), found in sorted(scans.items()):
        at_s = heard.seconds(start_utc_ns)
        what = joiner.of(lanes[sensor_id], at_s, at_s, ())
        whole = [one for one in found if one.kind == "xray.scan"]
        if what is None or not what.is_vehicle or not whole or not whole[0].facts["length_m"]:
            continue
        yield dense_case(
            [one.facts for one in found if one.kind == DENSE], hides=what.name in HIDES
        )
        for one in found:
            if one.kind == EMPTINESS and one.facts["declared"] == "empty":
                truth = "not-empty" if what.name == "false-empty" else NOBODY
                yield Case(test=EMPTINESS, truth=truth, facts=one.facts)


def dense_case(places: Sequence[Mapping[str, Fact]], *, hides: bool) -> Case:
    """A scan by the strongest of its dense places."""
    strongest = max(places, key=_sigma, default=NOTHING)
    return Case(test=DENSE, truth="contraband-anomaly" if hides else NOBODY, facts=strongest)


def _sigma(facts: Mapping[str, Fact]) -> float:
    return float(str(facts["sigma"]))


# --- ground sensors ----------------------------------------------------------------------


def ground_cases(heard: Heard, known: EvidenceCalibration) -> Iterator[Case]:
    """Each event of each ground sensor that one class alone can have caused, or none.

    An event is told several times: the loudest word counts, as in a track. What is felt everywhere
    and is nobody's class, gusts and far blasts, is nothing.
    """
    for words, near in _events(heard):
        there = [name for name, away_m in near.items() if away_m <= REACH_M.get(name, 0.0)]
        doubtful = [name for name, away_m in near.items() if away_m <= FAR * REACH_M.get(name, 0.0)]
        classes = {SOMEBODY if name in ON_FOOT else name for name in there}
        if len(classes) > 1 or len(doubtful) > len(there):
            continue
        loud = max(words, key=lambda one: max(nats_of(one, of_others=known).values(), default=0.0))
        yield Case(test=EVENT, truth=min(classes, default=NOBODY), facts=loud.facts)


def somebody_nats(one: Detection, known: EvidenceCalibration) -> float:
    """Nats of anybody on foot, alone or not; 0 where nothing is said of it."""
    told = nats_of(one, of_others=known)
    both = [told[name] for name in ON_FOOT if name in told]
    return math.log(math.fsum(math.exp(nats) for nats in both)) if both else 0.0


def _events(heard: Heard) -> Iterator[tuple[list[Detection], Mapping[str, float]]]:
    """(words, class to metres at the nearest) of each."""
    words: dict[tuple[str, int], list[Detection]] = defaultdict(list)
    for one in heard.detections:
        if one.kind == EVENT:
            words[one.sensor_id, one.start_utc_ns].append(one)
    places = {place.sensor_id: place.place_m for place in heard.scenario.sensors}
    for (sensor_id, start_utc_ns), said in sorted(words.items()):
        from_s, to_s = heard.seconds(start_utc_ns), heard.seconds(max(d.end_utc_ns for d in said))
        near: dict[str, float] = {}
        for mover in heard.scenario.movers:
            away_m = away_of(mover, places[sensor_id], from_s, to_s)
            if away_m < near.get(mover.class_name, math.inf):
                near[mover.class_name] = away_m
        yield said, near


def away_of(mover: Mover, place_m: tuple[float, float], from_s: float, to_s: float) -> float:
    """How near it comes to a place in that time, metres, to a second; infinity: it is not there."""
    from_s, to_s = max(from_s, mover.start_s), min(to_s, mover.end_s)
    if from_s > to_s:
        return math.inf
    steps = max(1, math.ceil(to_s - from_s))
    times = (from_s + (to_s - from_s) * step / steps for step in range(steps + 1))
    found = (mover.place_m(at_s) for at_s in times)
    return min((math.dist(one, place_m) for one in found if one), default=math.inf)


def on_foot_times(scenario: Scenario, place: str) -> list[tuple[float, float]]:
    """When something that asks for an alarm was about at a lane or zone."""
    return [
        (row.start_s, row.end_s)
        for row in scenario.truth
        if row.place == place and (row.name in THREATS or row.name.endswith("-car"))
    ]
