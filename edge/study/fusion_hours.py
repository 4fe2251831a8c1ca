"""Hours of the crossing, simulated and perceived once and fused in every way, in processes.

A worker is given names and numbers only, makes its hour of them and returns what is light.
"""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from edge.config import Config, checkpoint_of, load_config
from edge.study.fusion_systems import GARITA, NAIVE, System, systems
from edge.study.fusion_told import Asked, Beliefs, Heard, Rung, heard, rungs
from edge.study.fusion_truth import Happening, Joiner, Kind, happenings
from edge.study.tapes import Tape, fused, perceived, rehearsed
from fusion.policy import Policy
from fusion.questions import EVENTS
from fusion.types import SECOND_NS, Checkpoint
from simulators.crossing_days import Options, hour
from simulators.scenario import Scenario

Asks = TypeVar("Asks")
Gives = TypeVar("Gives")
CONFIG = Path(__file__).parents[2] / "configs" / "crossing.yaml"
HEARD_OUT = (GARITA, NAIVE)
"""Systems whose beliefs are kept besides their alerts: every one of them costs time."""
ALWAYS = (NAIVE, "portals alone", "scanners alone")
"""Ways that every hour is fused in, because a goal rests on them."""
TUNING = 1_000_000
"""Seeds below it were trained or tuned on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One hour to be played."""

    day: str
    seed: int
    number: int
    options: Options
    ways: tuple[str, ...]
    """Names of systems; Garita is always among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What one system made of an hour."""

    rungs: tuple[Rung, ...]
    asked: tuple[Asked, ...]
    """The strongest belief of every question about every incident."""
    last: tuple[Asked, ...]
    """The last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """What remains of an hour."""

    order: Order
    duration_s: float
    passages: int
    """Vehicles through lanes."""
    found: tuple[Happening, ...]
    directions: Mapping[str, str]
    """Of lanes, zones and sensors by name."""
    first_evidence_s: Mapping[int, float]
    """By a threat's index, when the first detection came that spoke for it."""
    heard: tuple[Heard, ...]
    ways: Mapping[str, Way]
    took_s: float

    def going(self, direction: str) -> "Hour":
        """What of it goes one way, and what is felt everywhere."""
        return replace(
            self,
            found=tuple(one for one in self.found if not one.places or one.direction == direction),
            heard=tuple(one for one in self.heard if self._is(one.place, direction)),
            ways={
                name: Way(
                    rungs=tuple(one for one in way.rungs if self._is(one.place, direction)),
                    asked=tuple(one for one in way.asked if self._is(one.place, direction)),
                    last=tuple(one for one in way.last if self._is(one.place, direction)),
                )
                for name, way in self.ways.items()
            },
        )

    def _is(self, place: str, direction: str) -> bool:
        return self.directions.get(place) == direction


def played(orders: Sequence[Order], say: Callable[[str], None]) -> list[Hour]:
    """All hours, in the order they were asked for; a line when each is there."""

    def told(done: int, one: Hour) -> None:
        threats = sum(each.kind is Kind.THREAT for each in one.found)
        say(
            f"{one.order.day} {done} of {len(orders)}: {one.duration_s / 60:.0f} min, "
            f"{one.passages} vehicles, {threats} threats; took {one.took_s:.0f} s"
        )

    return in_workers(play, orders, told)


def in_workers(
    work: Callable[[Asks], Gives], asked: Sequence[Asks], told: Callable[[int, Gives], None]
) -> list[Gives]:
    """What a function of a module gives for each, in their order; `told` how many are done."""
    found: dict[int, Gives] = {}
    for index, one in _done(work, asked):
        found[index] = one
        told(len(found), one)
    return [found[index] for index in range(len(asked))]


def _done(work: Callable[[Asks], Gives], asked: Sequence[Asks]) -> Iterator[tuple[int, Gives]]:
    workers = min(len(asked), os.cpu_count() or 1)
    if workers <= 1:
        for index, one in enumerate(asked):
            yield index, work(one)
        return
    # Numba's threads and locks do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting = {pool.submit(work, one): index for index, one in enumerate(asked)}
        for done in as_completed(waiting):
            yield waiting[done], done.result()


def play(order: Order) -> Hour:
    """One hour: bytes, samples, detections, and what each system makes of them."""
    began = time.monotonic()
    scenario = hour(order.day, order.seed, order.number, order.options)
    config = load_config(CONFIG)
    tape, checkpoint = taped(scenario, config, Policy())
    directions = directions_of(config)
    found = happenings(scenario, directions)
    ways = {
        system.name: way_of(tape, checkpoint, scenario.start_utc_ns, system)
        for system in systems()
        if system.name in (GARITA, *order.ways)
    }
    said = heard(tape, checkpoint, Policy().scoring, scenario.start_utc_ns)
    return Hour(
        order=order,
        duration_s=scenario.duration_s,
        passages=len(scenario.vehicles),
        found=tuple(found),
        directions=directions,
        first_evidence_s=first_evidence_s(tape, checkpoint, found, scenario.start_utc_ns),
        heard=tuple(said),
        ways=ways,
        took_s=time.monotonic() - began,
    )


def taped(scenario: Scenario, config: Config, policy: Policy) -> tuple[Tape, Checkpoint]:
    """What the sensors of a scenario say, and the checkpoint they stand at."""
    checkpoint = checkpoint_of(config)
    tape, _ = perceived(rehearsed(scenario, config), checkpoint, policy)
    return tape, checkpoint


def directions_of(config: Config) -> dict[str, str]:
    """Of lanes as the configuration has them, of zones by the side of the border in their name."""
    directions = {lane.id: str(lane.direction or "") for lane in config.lanes}
    for zone in config.zones:
        for side, direction in (("north", "northbound"), ("south", "southbound")):
            if zone.id.startswith(side):
                directions[zone.id] = direction
    for spec in checkpoint_of(config).sensors:
        directions[spec.sensor_id] = directions.get(spec.place, "")
    return directions


def way_of(tape: Tape, checkpoint: Checkpoint, start_utc_ns: int, system: System) -> Way:
    """A tape as one system has it."""
    beliefs = Beliefs(start_utc_ns, {}, {})
    told = fused(
        tape,
        system.checkpoint(checkpoint),
        system.policy(Policy()),
        keep=system.keep,
        listen=beliefs if system.name in HEARD_OUT else None,
    )
    return Way(
        rungs=tuple(rungs(told, start_utc_ns)),
        asked=tuple(beliefs.strongest.values()),
        last=tuple(beliefs.last.values()),
    )


def first_evidence_s(
    tape: Tape, checkpoint: Checkpoint, found: Sequence[Happening], start_utc_ns: int
) -> dict[int, float]:
    """When the first detection came that spoke for what each threat is."""
    places = {spec.sensor_id: spec.place for spec in checkpoint.sensors}
    joiner = Joiner(found)
    first: dict[int, float] = {}
    for utc_ns, one in tape.detections():
        events = {EVENTS[n] for n, nats in one.nats.items() if nats > 0.0 and n in EVENTS}
        if not events:
            continue
        of_s = [(at - start_utc_ns) / SECOND_NS for at in (one.start_utc_ns, one.end_utc_ns)]
        happening = joiner.of(places[one.sensor_id], of_s[0], of_s[1], events)
        if happening is not None and any(happening.is_fit(event) for event in events):
            first.setdefault(happening.index, (utc_ns - start_utc_ns) / SECOND_NS)
    return first


def orders(
    day: str,
    seed: int,
    number: int,
    options: Options,
    ways: Sequence[str] = (),
    *,
    ways_of: int | None = None,
) -> list[Order]:
    """So many hours, each with a seed of its own.

    ways_of  only so many of them are fused in all ways, the others as Garita and the naive sum
             do, and portals and scanners alone; None: all
    """
    first = Order(day=day, seed=seed, number=0, options=options, ways=tuple(ways))
    return [
        replace(
            first,
            seed=seed + index,
            number=index % 24,
            ways=first.ways if ways_of is None or index < ways_of else ALWAYS,
        )
        for index in range(number)
    ]


def seeds_of(orders_: Sequence[Order]) -> str:
    """In words, for what figures rest on."""
    first, last = orders_[0].seed, orders_[-1].seed
    tuned = ", which are for tuning" if first < TUNING else ""
    return f"seeds {first:,}-{last:,}{tuned}"
