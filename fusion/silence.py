"""Silence as evidence: what sensors that were up would have told, and have not.

A decision of nothing is worth ln((1 - Pd) / (1 - Pf)) nats (Chair-Varshney, facts: fusion 2.1).
Each function here is one kind of witness; its shares are in the scoring policy, with where they are
from. Who was down, out of order or could not have spoken yet is no witness, and nobody is asked
twice: that a portal counted nothing more is in the nats of its profile (`radiation_evidence`), and
that a block does not shade the background as it should is in the cue of shielding. A ground sensor
of a busy lane is silent during 31 of 72 passages, and as often between them (crossing, seed
500,004): it says nothing of a vehicle that is said to have gone by.

Rows are made anew at each weighing, so that it makes no difference who spoke first.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from fusion.associate import Transit
from fusion.radiation_evidence import number
from fusion.scoring_policy import ScoringPolicy
from fusion.tracks import Track
from fusion.types import SECOND_NS, Checkpoint, Detection, Fact, Family, Origin, SensorSpec
from fusion.witnesses import Witnesses

Row = tuple[Detection, float]
"""A detection and its pairing weight."""

SCAN, STEPS = "silence.scan", "silence.steps"
HIDDEN = ("contraband-anomaly", "shielded-source")
MOVERS = ("person", "group", "animal", "vehicle")
"""Who is heard by more than one sensor; whoever digs is not."""
SPOKE_BEFORE_NS = 5 * SECOND_NS  # an event that ended so shortly before may be of the same thing
MAX_KEPT = 512  # rows: of a flood of 30 tracks with 16 neighbours each


class _Kept(NamedTuple):
    """A row as it was made, and what somebody else had told, best and last."""

    told: Detection
    last: Detection | None
    row: Detection


def silent_nats(missed: float, quiet: float) -> float:
    """What silence is worth: never anything for the thing that was not heard.

    missed  1 - Pd, share of such things of which the sensor says nothing
    quiet   1 - Pf, share of times without one in which it says nothing
    """
    return min(0.0, math.log(missed / quiet))


def clear_scan(scan: Detection, policy: ScoringPolicy) -> dict[str, float]:
    """A whole scan in which nothing dense stands out; empty where that says nothing.

    How well a thing would have stood out depends on how even the load is, and it may be where the
    scanner did not see through.
    """
    facts = scan.facts
    looked = scan.final and facts.get("partial") is not True and not facts.get("notes")
    if not looked or facts.get("regions") or number(facts, "length_m") <= 0.0:
        return {}
    even = number(facts, "homogeneity")
    _, quiet, *missed = max(row for row in policy.clear_scan_shares if row[0] <= even)
    seen = max(0.0, 1.0 - number(facts, "unpenetrated"))
    found = {
        name: silent_nats(1.0 - (1.0 - share) * seen, quiet)
        for name, share in zip(HIDDEN, missed, strict=True)
    }
    return {name: nats for name, nats in found.items() if nats < 0.0}


def unheard_steps(
    away_m: float, heard_s: float, ratio: float, policy: ScoringPolicy
) -> tuple[float, float]:
    """Nats, and the share of movers that would have been told of by a sensor so far away.

    away_m   from the sensor that tells of it to the silent one
    heard_s  for how long it has been heard
    ratio    how loud it is there over what is heard else

    What fools one sensor is either of its own place or heard by all around it as anybody is.
    """
    shares = [
        missed
        for within_m, after_s, least_ratio, missed in policy.unheard_shares
        if away_m <= within_m and heard_s >= after_s and ratio >= least_ratio
    ]
    if not shares:
        return 0.0, 0.0
    missed = min(shares)
    quiet = policy.local_share + (1.0 - policy.local_share) * missed
    return silent_nats(missed, quiet), 1.0 - missed


class Silence:
    """What the silent sensors of one checkpoint say of its incidents."""

    def __init__(self, checkpoint: Checkpoint, policy: ScoringPolicy, witnesses: Witnesses) -> None:
        self._policy = policy
        self._witnesses = witnesses
        self._specs = {spec.sensor_id: spec for spec in checkpoint.sensors}
        self._beside = _beside(checkpoint.sensors, policy)
        self._kept: dict[tuple[str, str, str], _Kept] = {}

    def of_transit(self, transit: Transit, rows: Sequence[Row]) -> list[Row]:
        """What to weigh beside `rows`, the transit's own; nothing where nobody was silent."""
        found: list[Row] = []
        for scan, weight in rows:
            if scan.kind == "xray.scan" and self._witnesses.is_well(scan.sensor_id):
                found += [(row, weight) for row in self._clear_scan(transit, scan)]
        return found

    def of_track(self, track: Track, rows: Sequence[Row]) -> list[Row]:
        """The same of what moves over the ground."""
        told = {d.sensor_id: d for d, _ in rows if d.kind == "seismic.event" and _moves(d)}
        nearest: dict[str, tuple[float, str]] = {}
        for name in sorted(told):
            for away_m, silent in self._beside.get(name, ()):
                if silent not in track.detections:
                    nearest[silent] = min(nearest.get(silent, (math.inf, "")), (away_m, name))
        found: list[Row] = []
        for silent, (away_m, name) in sorted(nearest.items()):
            found += [(row, 1.0) for row in self._unheard_steps(track, silent, told[name], away_m)]
        return found

    def _clear_scan(self, transit: Transit, scan: Detection) -> list[Detection]:
        nats = clear_scan(scan, self._policy)
        if not nats:
            return []
        facts: dict[str, Fact] = {
            "homogeneity": scan.facts["homogeneity"],
            "unpenetrated": scan.facts["unpenetrated"],
        }
        return [self._row(transit.key, SCAN, scan.sensor_id, scan, nats=nats, facts=facts)]

    def _unheard_steps(
        self, track: Track, silent: str, told: Detection, away_m: float
    ) -> list[Detection]:
        if not self._is_witness(silent, told):
            return []
        last = track.latest.get(told.sensor_id, told)
        kept = self._kept.get((track.key, STEPS, silent))
        if kept is not None and kept.told is told and kept.last is last:
            return [kept.row]
        heard_s = (last.end_utc_ns - told.start_utc_ns) / SECOND_NS
        nats, would = unheard_steps(away_m, heard_s, number(told.facts, "ratio"), self._policy)
        if nats == 0.0:
            return []
        says = {name: nats for name in MOVERS if told.nats.get(name, 0.0) > 0.0}
        facts: dict[str, Fact] = {
            "of": told.sensor_id,
            "away_m": round(away_m, 1),
            "share": round(would, 3),
        }
        return [self._row(track.key, STEPS, silent, told, nats=says, facts=facts, last=last)]

    def _is_witness(self, silent: str, told: Detection) -> bool:
        """Whether it would have told of what another sensor tells, and has told of nothing.

        A simulated sensor is no witness against the real thing.
        """
        drill = told.origin is not Origin.SENSOR
        return (drill or self._specs[silent].origin is Origin.SENSOR) and self._witnesses.quiet(
            silent, told.start_utc_ns - SPOKE_BEFORE_NS
        )

    def _row(
        self,
        key: str,
        kind: str,
        sensor_id: str,
        told: Detection,
        *,
        nats: Mapping[str, float],
        facts: Mapping[str, Fact],
        last: Detection | None = None,
    ) -> Detection:
        """The row, the very same one as long as it says the same of the same."""
        name = (key, kind, sensor_id)
        kept = self._kept.get(name)
        if kept is not None and kept.told is told and kept.row.nats == nats:
            self._kept[name] = kept._replace(last=last)
            return kept.row
        row = Detection(
            sensor_id=sensor_id,
            family=self._specs[sensor_id].family,
            origin=told.origin,
            kind=kind,
            start_utc_ns=told.start_utc_ns,
            end_utc_ns=told.end_utc_ns,
            facts=facts,
            nats=nats,
        )
        self._kept[name] = _Kept(told, last, row)
        while len(self._kept) > MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        return row


def _moves(detection: Detection) -> bool:
    return any(detection.nats.get(name, 0.0) > 0.0 for name in MOVERS)


def _beside(
    sensors: Iterable[SensorSpec], policy: ScoringPolicy
) -> dict[str, list[tuple[float, str]]]:
    """Of each ground sensor those of its place within hearing, each with its distance."""
    reach_m = max((row[0] for row in policy.unheard_shares), default=0.0)
    ground = [spec for spec in sensors if spec.family is Family.SEISMIC]
    return {
        one.sensor_id: [
            (away_m, other.sensor_id)
            for other in ground
            if other is not one
            and other.place == one.place
            and 0.0 < (away_m := math.dist(one.position_m, other.position_m)) <= reach_m
        ]
        for one in ground
    }
