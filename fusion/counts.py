"""Counts that disagree: a sensor that misses the vehicles which the others see.

A blinded beam, a deaf geophone or a stuck counter is silent about nothing else: its data flow on.
Each vehicle of a lane is asked once, when all have had their time, who of the sensors that were up
has seen it. How many were missed in the last hour is held against how many chance would let a
healthy sensor miss (a sum of unequal coins, exactly), and told as a fault of the sensor, or of the
one that they all disagree with, or of the lane where nobody can know. Bounded; asks no clock.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fusion.associate import Transit
from fusion.counts_policy import CountsPolicy
from fusion.types import SECOND_NS, Detection, Fact, Family, Origin, SensorSpec

KIND = "health.miscount"
MAX_PASSES = 48  # an hour of a busy lane
MAX_HEARD = 64  # vehicles' events of a lane's ground sensors that are waited with
NEAR_NS = 15 * SECOND_NS  # a truck is heard before it reaches the portal and after it has left
HARD = (Family.RADIATION, Family.XRAY)
"""Who sees a vehicle and nothing else."""
MOST_JUMP = 20  # a counter that leaps further was set anew
LEAST_MISSED = 3
LEAST_ASKED, MOST_MISSED = 8, 0.95  # vehicles until a ground sensor's habit is known
DOUBT = 0.05  # a third sensor that misses as many so seldom by chance sides with the one


@dataclass(frozen=True, slots=True)
class Pass:
    """One vehicle, and who has seen it; who was not up is not in it."""

    utc_ns: int
    saw: Mapping[str, bool]
    origin: Origin


@dataclass(slots=True)
class Watched:
    """One sensor of a lane."""

    spec: SensorSpec
    since_utc_ns: int | None = None
    """From when on it is told as wrong."""
    counter: int | None = None
    steps: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=MAX_PASSES))
    """(when, vehicles that its own counter has moved on by) of each occupancy."""


class LaneCounts:
    """Who of a lane's sensors sees its vehicles."""

    def __init__(self, lane_id: str, sensors: Sequence[SensorSpec], policy: CountsPolicy) -> None:
        self._policy = policy
        self._watched = {
            spec.sensor_id: Watched(spec) for spec in sensors if lane_id in (spec.place, *spec.also)
        }
        self._lane = Watched(SensorSpec(sensor_id=lane_id, family=Family.RADIATION, place=lane_id))
        self._passes: deque[Pass] = deque(maxlen=MAX_PASSES)
        self._heard: deque[tuple[str, int, int]] = deque(maxlen=MAX_HEARD)

    @property
    def sensor_ids(self) -> tuple[str, ...]:
        """The sensors that are asked."""
        return tuple(self._watched)

    def hear(self, detection: Detection) -> None:
        """A ground sensor of the lane hears something, or a portal's own counter moves on."""
        mine = self._watched.get(detection.sensor_id)
        if mine is None:
            return
        if detection.facts.get("class") == "vehicle":
            self._hear(detection)
        elif detection.kind == "portal.occupancy" and detection.final:
            self._count(mine, detection)
        elif detection.kind.startswith("health."):
            mine.counter = None  # what was not heard was not counted

    def passed(self, transit: Transit, up: Sequence[str]) -> list[tuple[Detection, SensorSpec]]:
        """A vehicle that nobody can see any more; `up`: the sensors that were. What is told now."""
        seen = {key[0] for key in transit.detections if key[0] in self._watched}
        seen |= self._heard_near(transit)
        if not seen:
            return []
        saw = {name: name in seen for name in self._watched if name in up or name in seen}
        origins = {d.origin for d in transit.detections.values()} - {Origin.SENSOR}
        origin = next(iter(sorted(origins)), Origin.SENSOR)
        self._passes.append(Pass(transit.end_utc_ns, saw, origin))
        return self._told(transit.end_utc_ns, origin)

    def _hear(self, detection: Detection) -> None:
        row = detection.sensor_id, detection.start_utc_ns, detection.end_utc_ns
        if self._heard and self._heard[-1][:2] == row[:2]:
            self._heard.pop()  # the same event, told again
        self._heard.append(row)

    def _heard_near(self, transit: Transit) -> set[str]:
        first, last = transit.start_utc_ns - NEAR_NS, transit.end_utc_ns + NEAR_NS
        return {name for name, from_ns, to_ns in self._heard if from_ns <= last and to_ns >= first}

    def _count(self, mine: Watched, detection: Detection) -> None:
        counter = detection.facts.get("counter")
        if not isinstance(counter, int):
            return
        if mine.counter is not None and 0 <= counter - mine.counter <= MOST_JUMP:
            mine.steps.append((detection.end_utc_ns, counter - mine.counter))
        mine.counter = counter

    def _told(self, now_utc_ns: int, origin: Origin) -> list[tuple[Detection, SensorSpec]]:
        since_ns = now_utc_ns - int(self._policy.window_s * SECOND_NS)
        recent = [one for one in self._passes if one.utc_ns >= since_ns]
        wrong = {name: missed for name in self._watched if (missed := self._misses(name, recent))}
        for name, mine in self._watched.items():
            if name not in wrong and (of_counter := self._miscounted(mine, since_ns)):
                wrong[name] = of_counter
        blamed = self._blamed(wrong, recent)
        found: list[tuple[Detection, SensorSpec]] = []
        for mine in (*self._watched.values(), self._lane):
            missed = blamed.get(mine.spec.sensor_id)
            if missed is not None and mine.since_utc_ns is None:
                mine.since_utc_ns = now_utc_ns
                found.append((self._detection(mine, now_utc_ns, origin, missed), mine.spec))
            elif missed is None and mine.since_utc_ns is not None and self._is_well(mine, recent):
                found.append((self._detection(mine, now_utc_ns, origin, None), mine.spec))
                mine.since_utc_ns = None
        return found

    def _misses(self, name: str, recent: Sequence[Pass]) -> tuple[int, int] | None:
        """(seen, of so many) where a sensor misses more than chance would let it."""
        family = self._watched[name].spec.family
        share = max(self._policy.miss_share[family.value], self._habit(name, family, recent))
        shares, seen = [], 0
        for one in recent:
            others = [other for other, saw in one.saw.items() if saw and other != name]
            if name not in one.saw or not others:
                continue
            hard = any(self._watched[other].spec.family in HARD for other in others)
            shares.append(share if hard else max(share, self._policy.heard_only_share))
            seen += one.saw[name]
        missed = len(shares) - seen
        # A lane whose scanner is not in use, or whose geophone is too far off, has none.
        never = seen == 0 and family is not Family.RADIATION
        if never or missed < LEAST_MISSED or tail(shares, missed) >= self._policy.told_below:
            return None
        return seen, len(shares)

    def _habit(self, name: str, family: Family, recent: Sequence[Pass]) -> float:
        """The share of vehicles that a ground sensor is known to miss, at the most.

        Of those until the last that it heard: what it has missed since is the question. 35 m from
        a lane it heard 5 to 7 of an hour's 45 simulated vehicles, for an hour on end.
        """
        if family in HARD:
            return 0.0
        asked = [one.saw[name] for one in recent if name in one.saw]
        while asked and not asked[-1]:
            asked.pop()
        if len(asked) < LEAST_ASKED:
            return MOST_MISSED
        share = (asked.count(False) + 1.0) / (len(asked) + 2.0)
        sd = math.sqrt(share * (1.0 - share) / (len(asked) + 2.0))
        return min(MOST_MISSED, share + 2.0 * sd)

    def _miscounted(self, mine: Watched, since_ns: int) -> tuple[int, int] | None:
        """(told, counted) where a portal's own counter knows of vehicles that nobody told."""
        steps = [by for utc_ns, by in mine.steps if utc_ns >= since_ns]
        told, counted = len(steps), sum(steps)
        off = sum(abs(by - 1) for by in steps)
        share = self._policy.miss_share["counter"]
        if off < LEAST_MISSED or tail([share] * max(told, counted), off) >= self._policy.told_below:
            return None
        return told, counted

    def _blamed(
        self, wrong: Mapping[str, tuple[int, int]], recent: Sequence[Pass]
    ) -> dict[str, tuple[int, int]]:
        """Whom all others disagree with, or the lane where only two can be heard."""
        blamed: dict[str, tuple[int, int]] = {}
        for name, missed in wrong.items():
            witnesses = self._witnesses(name, recent)
            if len(witnesses) != 1:
                blamed[name] = missed
                continue
            (witness,) = witnesses
            if witness != name and self._is_doubted(witness, name, recent):
                blamed[witness] = missed  # what it counts nobody else has seen
            elif witness == name or self._watched[witness].spec.family is Family.XRAY:
                blamed[name] = missed  # a picture of a vehicle is a vehicle
            else:
                blamed[self._lane.spec.sensor_id] = missed
        return blamed

    def _is_doubted(self, witness: str, name: str, recent: Sequence[Pass]) -> bool:
        """Whether a third sensor, which sees vehicles at times, saw hardly any of those either."""
        for third, watched in self._watched.items():
            if third in (witness, name) or not any(one.saw.get(third) for one in recent):
                continue
            asked = [one.saw[third] for one in recent if third in one.saw and not one.saw.get(name)]
            share = self._policy.miss_share[watched.spec.family.value]
            if tail([share] * len(asked), asked.count(False)) < DOUBT:
                return True
        return False

    def _witnesses(self, name: str, recent: Sequence[Pass]) -> set[str]:
        """Who has seen what it missed; itself, where only its own counter says so."""
        missed = [one.saw for one in recent if one.saw.get(name) is False]
        others = {other for saw in missed for other, seen in saw.items() if seen}
        return others or {name}

    def _is_well(self, mine: Watched, recent: Sequence[Pass]) -> bool:
        """Whether it has seen all of the last vehicles; of a lane, whether all have."""
        name = mine.spec.sensor_id
        asked = [one.saw for one in recent if name in one.saw or mine is self._lane]
        last = asked[-self._policy.clear_from :]
        agree = all(saw.get(name, all(saw.values())) for saw in last)
        counted = all(by == 1 for _, by in list(mine.steps)[-self._policy.clear_from :])
        return len(last) == self._policy.clear_from and agree and counted

    def _detection(
        self, mine: Watched, now_utc_ns: int, origin: Origin, missed: tuple[int, int] | None
    ) -> Detection:
        began = mine.since_utc_ns or now_utc_ns
        facts: dict[str, Fact] = {"active": missed is not None, "code": "miscount"}
        if missed is not None:
            minutes = self._policy.window_s / 60.0
            facts |= {"own": missed[0], "expected": missed[1], "window_min": minutes}
        else:
            facts |= {"duration_s": round((now_utc_ns - began) / SECOND_NS, 1)}
        return Detection(
            sensor_id=mine.spec.sensor_id,
            family=mine.spec.family,
            origin=origin,
            kind=KIND,
            start_utc_ns=began,
            end_utc_ns=max(began, now_utc_ns),
            facts=facts,
            final=missed is None,
        )


def tail(shares: Sequence[float], at_least: int) -> float:
    """The probability that of coins with these shares so many or more fall that way, exactly."""
    chances = [1.0]
    for share in shares:
        stays = [chance * (1.0 - share) for chance in chances] + [0.0]
        falls = [0.0] + [chance * share for chance in chances]
        chances = [one + other for one, other in zip(stays, falls, strict=True)]
    return min(1.0, sum(chances[at_least:]))
