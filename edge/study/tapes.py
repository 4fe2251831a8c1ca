"""Simulated days on tape: simulate once, perceive once, fuse as often as there are questions.

    samples = rehearsed(scenario, config)            # bytes, drivers, measured scans
    tape = perceived(samples, checkpoint, policy)    # every detection, and when
    told = fused(tape, checkpoint, other_policy)     # alerts

An hour of a busy checkpoint takes a minute to simulate, half a minute to perceive, and seconds to
fuse. Fused with the policy it was perceived with, a tape gives the very alerts of the engine; with
another policy, what the sensors heard of steps is asked at the times that the first one asked.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from edge.config import Config
from edge.study.rehearsal import Rehearsal
from fusion.claim import Claim
from fusion.desk import AlarmDesk
from fusion.engine import LONGEST_STEP_NS
from fusion.fuser import Fuser, Hearing
from fusion.policy import Policy
from fusion.senses import Senses
from fusion.step_curve import StepCurve
from fusion.types import Alert, Checkpoint, Detection, Sample, ScanFinding
from fusion.xray import XrayPolicy
from simulators.scenario import Scenario


class Fed(NamedTuple):
    """One sample, or None for a tick, and the engine's time."""

    utc_ns: int
    sample: Sample | None


class Told(NamedTuple):
    """An alert, and the engine's time when it was told."""

    utc_ns: int
    alert: Alert


@dataclass(frozen=True, slots=True)
class Moment:
    """What one feed or tick brought."""

    utc_ns: int
    is_tick: bool
    detections: tuple[Detection, ...]
    down: frozenset[str]
    """Sensors that were not up."""


@dataclass(slots=True)
class Tape:
    """All that the senses of a checkpoint said in a day, in order."""

    moments: list[Moment] = field(default_factory=list)
    curves: dict[str, list[tuple[int, StepCurve | None]]] = field(default_factory=dict)
    """By ground sensor: (until when, what it had heard of steps), as it was asked."""

    def detections(self) -> Iterable[tuple[int, Detection]]:
        """(engine's time, detection) of all."""
        return ((moment.utc_ns, found) for moment in self.moments for found in moment.detections)


Spoil = Callable[[int, Sample], Iterable[Sample]]
"""(engine's time, sample) -> what arrives of it: for sensors that are dead, stuck or skewed."""


def rehearsed(
    scenario: Scenario, config: Config, xray: XrayPolicy | None = None, *, duration_s: float = 0.0
) -> list[Fed]:
    """Every sample of the configuration's sensors, in the order in which the engine gets them.

    duration_s  of the scenario; 0 for all of it
    """
    fed: list[Fed] = []

    def deliver(sensor_id: str, samples: list[Sample], utc_ns: int, trigger: str) -> None:
        del sensor_id, trigger
        fed.extend(Fed(utc_ns, _light(sample)) for sample in samples)

    rehearsal = Rehearsal(
        scenario,
        config.sensors,
        record=lambda sensor_id, data, utc_ns: None,
        deliver=deliver,
        tick=lambda: fed.append(Fed(rehearsal.now_utc_ns(), None)),
        xray=xray or XrayPolicy(),
    )
    rehearsal.play(duration_s or scenario.duration_s)
    return fed


def perceived(
    samples: Iterable[Fed], checkpoint: Checkpoint, policy: Policy, spoil: Spoil | None = None
) -> tuple[Tape, list[Told]]:
    """What the senses make of the samples, and the engine's own alerts."""
    senses = _Taping(checkpoint, policy)
    fuser = Fuser(checkpoint, policy, senses)
    told: list[Told] = []
    now_utc_ns = 0
    for utc_ns, sample in samples:
        if sample is None:
            if now_utc_ns and utc_ns - now_utc_ns > LONGEST_STEP_NS:
                senses.pass_over(utc_ns - now_utc_ns - LONGEST_STEP_NS)
            now_utc_ns = utc_ns
            found = senses.tick(utc_ns)
            senses.note(utc_ns, found, is_tick=True)
            told += [Told(utc_ns, alert) for alert in fuser.tick(utc_ns, found)]
            continue
        for arrived in [sample] if spoil is None else spoil(utc_ns, sample):
            found = senses.feed(arrived)
            if found:
                senses.note(now_utc_ns, found, is_tick=False)
                told += [Told(now_utc_ns, alert) for alert in fuser.take(found)]
    return senses.tape, told


def fused(
    tape: Tape,
    checkpoint: Checkpoint,
    policy: Policy,
    keep: Callable[[Detection], bool] | None = None,
    listen: Callable[[int, Claim], None] | None = None,
) -> list[Told]:
    """The alerts that a tape gives with this policy.

    keep    which detections are heard at all; sensors that `checkpoint` does not have are not
    listen  takes the engine's time and each belief, also those that no alert is made of
    """
    known = {spec.sensor_id for spec in checkpoint.sensors}
    player = _Playing(tape)
    fuser = Fuser(checkpoint, policy, player)
    if listen is not None:
        fuser = _Overheard(checkpoint, policy, player, listen)
    told: list[Told] = []
    for moment in tape.moments:
        player.down = moment.down
        found = [d for d in moment.detections if d.sensor_id in known and (not keep or keep(d))]
        if moment.is_tick:
            alerts = fuser.tick(moment.utc_ns, found)
        else:
            alerts = fuser.take(found) if found else []
        told += [Told(moment.utc_ns, alert) for alert in alerts]
    return told


class _Taping(Senses):
    """Senses that keep what they say and what they are asked."""

    def __init__(self, checkpoint: Checkpoint, policy: Policy) -> None:
        super().__init__(checkpoint, policy)
        self.tape = Tape()
        self._names = [spec.sensor_id for spec in checkpoint.sensors]
        self._down: frozenset[str] = frozenset()

    def note(self, utc_ns: int, found: Sequence[Detection], *, is_tick: bool) -> None:
        """Keep what one feed or tick brought."""
        down = frozenset(name for name in self._names if not self.up(name))
        self._down = self._down if self._down == down else down  # one object for a quiet hour
        light = tuple(replace(d, record=None) if d.record is not None else d for d in found)
        self.tape.moments.append(Moment(utc_ns, is_tick, light, self._down))

    def steps(self, sensor_id: str, end_utc_ns: int) -> StepCurve | None:
        """As of any senses; kept."""
        curve = super().steps(sensor_id, end_utc_ns)
        self.tape.curves.setdefault(sensor_id, []).append((end_utc_ns, curve))
        return curve


class _Playing:
    """What the senses said when they were asked."""

    def __init__(self, tape: Tape) -> None:
        self.down: frozenset[str] = frozenset()
        self._asked = tape.curves
        self._next = dict.fromkeys(tape.curves, 0)
        self._ends = {name: _by_end(rows) for name, rows in tape.curves.items()}

    def up(self, sensor_id: str) -> bool:
        """Whether it was up then."""
        return sensor_id not in self.down

    def steps(self, sensor_id: str, end_utc_ns: int) -> StepCurve | None:
        """What was told: of the same question in its turn, else of the last one until then."""
        rows = self._asked.get(sensor_id, [])
        turn = self._next.get(sensor_id, 0)
        if turn < len(rows) and rows[turn][0] == end_utc_ns:
            self._next[sensor_id] = turn + 1
            return rows[turn][1]
        ends = self._ends.get(sensor_id, [])
        at = bisect_right(ends, end_utc_ns, key=lambda i: rows[i][0])
        return rows[ends[at - 1]][1] if at else None


class _Overheard(Fuser):
    """Whose beliefs are handed on before the book decides which are told."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        policy: Policy,
        hearing: Hearing,
        listen: Callable[[int, Claim], None],
    ) -> None:
        super().__init__(checkpoint, policy, hearing)
        self._desk = _OpenDesk(policy, checkpoint.site, listen)


class _OpenDesk(AlarmDesk):
    """Every belief that it considers is handed on."""

    def __init__(self, policy: Policy, site: str, listen: Callable[[int, Claim], None]) -> None:
        super().__init__(policy, site)
        self._listen = listen

    def knows(self, key: str) -> bool:
        """Whoever listens wants every belief in full, so none is left out as worth no word."""
        return True

    def consider(self, claim: Claim, now_utc_ns: int) -> list[Alert]:
        """As of any desk."""
        self._listen(now_utc_ns, claim)
        return super().consider(claim, now_utc_ns)


def _by_end(rows: Sequence[tuple[int, StepCurve | None]]) -> list[int]:
    """Numbers of the questions, those of the earliest end first."""
    return sorted(range(len(rows)), key=lambda number: (rows[number][0], number))


def _light(sample: Sample) -> Sample:
    """Without the pictures that files of evidence would be made of."""
    if isinstance(sample, ScanFinding) and sample.record is not None:
        return replace(sample, record=None)
    return sample
