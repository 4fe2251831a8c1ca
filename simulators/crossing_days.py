"""The days of the crossing: each hour of each has a seed of its own and can be played alone.

    for number in range(40):
        day = hour("busy-day", seed=7, number=number, options=Options(threats_per_hour=10.0))

`Truth.name` is the stratum. `is_threat` tells labels of what must be found from those of lawful
traffic, beasts and weather; the two cars of a drop-off or a pick-up belong to its walker's label.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from simulators import crossing_adversary
from simulators.crossing import (
    DETOURS,
    FENCES,
    HALLS,
    NAMES,
    SHARING,
    SITE,
    Fence,
    Hour,
    sensors,
    spread_s,
)
from simulators.crossing_ground import OF_FENCES, Scene, bypass
from simulators.crossing_loads import OF_LANES
from simulators.crossing_nuisances import ROAD_M, nuisances
from simulators.crossing_traffic import BUSY, NIGHT, TAIL_S, WARM_UP_S, Flow, fill_lane, one_of
from simulators.crossing_trouble import TROUBLES, blind_some, in_turn
from simulators.scenario import Rain, Scenario, Truth
from simulators.traffic import HOUR_S, MONDAY_UTC_NS, count_of

BYPASS = "portal-bypass"
PLOTS: Mapping[str, crossing_adversary.Plot] = {
    **{name: one_of(make) for name, make in OF_LANES.items()},
    **crossing_adversary.OF_LANES,
}
"""Stratum to the vehicles that come for it."""
SCENES: Mapping[str, Scene] = {**OF_FENCES, **crossing_adversary.OF_FENCES}
"""Stratum to what happens at a fence."""
THREATS = frozenset({*PLOTS, *SCENES, BYPASS, crossing_adversary.BYPASS})
"""Strata that must be found."""
ACCOMPLICES = frozenset({"drop-off-car", "pick-up-car", "jammer"})
"""Strata of which an alert is right, but that are counted with another."""
FAULTS = frozenset(
    {trouble.kind for kinds in TROUBLES.values() for trouble in kinds} | {"gamma-low"}
)
"""Strata of sensors that fail; each must be told as a fault."""
ON_LANES = (
    "bare-source",
    "shielded-source",
    "shielded-source",
    "dense-object",
    "false-empty",
    BYPASS,
)
AT_FENCES = ("person", "group", "drop-off", "pick-up", "digging", "vehicle")
LANE_APART_S = 45.0
FENCE_APART_S = 60.0  # from the end of one thing at a fence to the next that is asked for
GROUND_WARM_UP_S = 60.0
LONGEST_S = 300.0  # who sneaks along a fence is on the way for so long
NEEDS_SCANNER = frozenset({"shielded-source", "dense-object", "false-empty", "swapped-source"})
BLINDED_SHARE = 0.25  # of a troubled day's threats in lanes


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What may be asked of a day beyond its seed."""

    duration_s: float = HOUR_S
    threats_per_hour: float | None = None
    """Of all strata together; None: as usual for the day."""
    road_m: float = ROAD_M
    """From each fence to the road beyond it."""
    nuisance_rate: float | None = None
    """Of what shakes the fences, against `crossing_nuisances.PER_HOUR`; None: the day's own."""
    gap_s: float | None = None
    """Lanes are vacant for so long between vehicles; None: by chance, at the day's rate."""
    spectroscopic: bool = False
    """A portal that names nuclides stands in lane nb-02, too: 110 s of a core an hour."""
    shared_scanners: bool = False
    """Lanes nb-02 and sb-02 share the scanners of nb-01 and sb-01; a configuration says so by
    `also_lanes`."""
    site: str = SITE
    """Ground of all sensors, one of `ground_sites.SITES`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What is usual on a day."""

    flow: Flow | None
    """Of each lane; None: the lanes are closed."""
    threats_per_hour: float
    strata: tuple[str, ...]
    """Of its threats; one that is named twice comes twice as often."""
    nuisance_rate: float = 1.0
    trouble: bool = False
    """Sensors fail, one after the other."""


def hour(
    name: str,
    seed: int,
    number: int = 0,
    options: Options = Options(),
    *,
    start_utc_ns: int | None = None,
) -> Scenario:
    """Hour `number` of the day of that name. KeyError: no such day.

    start_utc_ns  None: its hour of the month that begins on `MONDAY_UTC_NS`
    """
    day = DAYS[name]
    random = Random(f"{name}/{seed}/{number}")
    start_utc_ns = (
        MONDAY_UTC_NS + round(number * HOUR_S) * 10**9 if start_utc_ns is None else start_utc_ns
    )
    made = Hour(
        name=name,
        seed=seed * 100_000 + number,
        start_utc_ns=start_utc_ns,
        duration_s=options.duration_s,
        random=random,
        sensors=sensors(seed, spectroscopic=options.spectroscopic, shared=options.shared_scanners),
    )
    if options.shared_scanners:
        made.scanner_of = {**made.scanner_of, **SHARING}
    wind_m_s = random.uniform(0.5, 5.0)
    _plan(made, day, options)
    rains = [
        Rain(start_s=mover.start_s, end_s=mover.end_s, rise=random.uniform(0.02, 0.1))
        for mover in made.movers
        if mover.kind == "rain"
    ]
    return made.scenario(rain=rains, wind_m_s=wind_m_s, site=options.site)


def is_threat(truth: Truth) -> bool:
    """Whether a good system tells it at level 3 or above."""
    return truth.name in THREATS


def is_fault(truth: Truth) -> bool:
    """Whether it is a sensor that fails."""
    return truth.name in FAULTS


def _plan(made: Hour, day: Day, options: Options) -> None:
    rate = day.threats_per_hour if options.threats_per_hour is None else options.threats_per_hour
    random = made.random
    wanted = count_of(random, rate * made.duration_s / HOUR_S)
    strata = [random.choice(day.strata) for _ in range(wanted)] if day.strata else []
    for number, fence in enumerate(FENCES):
        share = day.nuisance_rate if options.nuisance_rate is None else options.nuisance_rate
        nuisances(made, random, fence, share, road_m=options.road_m)
        of_fence = [one for one in strata if one in SCENES][number :: len(FENCES)]
        _at_fence(made, random, fence, of_fence)
    _around(made, random, strata.count(BYPASS))
    if day.flow is not None:
        _in_lanes(made, day.flow, [one for one in strata if one in PLOTS], options.gap_s)
    crossing_adversary.bypasses_with_truck(made, random, strata.count(crossing_adversary.BYPASS))
    blind_some(made, frozenset({"blinded-portal"}), 1.0)
    if day.trouble:
        in_turn(made)
        blind_some(made, THREATS, BLINDED_SHARE)


def _at_fence(made: Hour, random: Random, fence: Fence, strata: Sequence[str]) -> None:
    """What must come to a fence, one thing after the other."""
    to_s = made.duration_s - LONGEST_S
    times_s = spread_s(random, len(strata), GROUND_WARM_UP_S, to_s, FENCE_APART_S)
    free_s = 0.0
    for stratum, at_s in zip(strata, times_s, strict=False):
        begin_s = max(at_s, free_s)
        if begin_s <= to_s:
            free_s = SCENES[stratum](made, random, fence, begin_s) + FENCE_APART_S


def _around(made: Hour, random: Random, count: int) -> None:
    """Vehicles that go around the portals of either hall."""
    times_s = spread_s(random, count, WARM_UP_S + 30.0, made.duration_s - 90.0, LANE_APART_S)
    for at_s in times_s:
        bypass(made, random, DETOURS[random.choice(HALLS)], at_s)


def _in_lanes(made: Hour, flow: Flow, strata: Sequence[str], gap_s: float | None = None) -> None:
    """Fill all lanes; each of the strata goes to one that can tell it."""
    random = made.random
    scanned = tuple(made.scanner_of)
    asked: dict[str, list[str]] = {lane: [] for lane in NAMES}
    for stratum in strata:
        asked[random.choice(scanned if stratum in NEEDS_SCANNER else NAMES)].append(stratum)
    to_s = made.duration_s - TAIL_S - 90.0
    for lane, names in asked.items():
        times_s = spread_s(random, len(names), WARM_UP_S, to_s, LANE_APART_S)
        wanted = [
            one
            for stratum, at_s in zip(names, times_s, strict=False)
            for one in PLOTS[stratum](random, at_s)
        ]
        fill_lane(made, lane, flow, wanted, gap_s=gap_s)


DAYS: Mapping[str, Day] = {
    "quiet-day": Day(flow=NIGHT, threats_per_hour=0.0, strata=()),
    "busy-day": Day(flow=BUSY, threats_per_hour=4.0, strata=(*ON_LANES, *AT_FENCES)),
    "smuggling": Day(
        flow=BUSY,
        threats_per_hour=16.0,
        strata=(
            "bare-source",
            "shielded-source",
            "shielded-source",
            "shielded-source",
            "neutron-source",
            "masked-source",
            "split-source",
            "dense-object",
            "false-empty",
        ),
        nuisance_rate=0.5,
    ),
    "sensor-trouble": Day(
        flow=BUSY, threats_per_hour=12.0, strata=(*ON_LANES, *AT_FENCES), trouble=True
    ),
    "adversary": Day(
        flow=BUSY,
        threats_per_hour=16.0,
        strata=(
            *crossing_adversary.OF_LANES,
            *crossing_adversary.OF_FENCES,
            crossing_adversary.BYPASS,
            "shielded-source",
            "split-source",
            "masked-source",
        ),
    ),
    "footpaths": Day(
        flow=None, threats_per_hour=24.0, strata=(*OF_FENCES, "person", "group"), nuisance_rate=2.5
    ),
}
"""By name. Rates are of threats an hour at the whole checkpoint."""


def of_seed(name: str) -> Callable[[int, int], Scenario]:
    """The day as a script: (seed, start_utc_ns) -> its first hour."""

    def script(seed: int, start_utc_ns: int) -> Scenario:
        return hour(name, seed, start_utc_ns=start_utc_ns)

    return script
