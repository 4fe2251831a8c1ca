"""`ground-lines`: somebody goes along a line of ground sensors; which way, how fast, told how.

Walkers, runners and vehicles, 2 to 15 m beside sensors that stand 10 to 30 m apart, in wind, with a
road some way off, and with clocks that are up to 100 ms wrong. What an alert said last counts. A
passer-by who is told without a direction is not told right.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from edge.study.figures import Figure, at_most, percentile, plain
from edge.study.ground_chain import ON_FOOT, RINGS, Heard, heard
from edge.study.ground_scenes import AFTER_S, WARM_S, Ground, Scene, batches
from edge.study.intervals import Z_95
from edge.study.packs import Settings
from edge.study.packs.spectra_files import share
from fusion.types import Alert, Event
from simulators.scenario import SensorPlace
from simulators.seismic import KINDS

NUMBER = 1_000
RIGHT_GOAL, SPEED_GOAL = 0.98, 0.10
WHAT = 4  # keeps these scenes apart from those of other packs
SENSORS = 3
SPACING_M, BESIDE_M = (10.0, 30.0), (2.0, 15.0)
CLOCK_MS = 100.0
SPEEDS_M_S = {"walker": (0.8, 2.2), "runner": (2.5, 4.2), "vehicle": (5.0, 25.0)}
LEAD_M = {"walker": 45.0, "runner": 45.0, "vehicle": 200.0}
TURNS = ("walker", "walker", "runner", "vehicle")  # by seed
MASS_KG = {"walker": (45.0, 110.0), "runner": (50.0, 95.0), "vehicle": (900.0, 12_000.0)}
WIND_M_S = (1.0, 9.0)
ROAD_M = {"walker": (80.0, 400.0), "runner": (80.0, 400.0), "vehicle": (250.0, 400.0)}
"""Nearer vehicles are vehicles, too, and would be told instead."""
APART_S = (30.0, 180.0)
EVENTS = {
    "walker": ON_FOOT,
    "runner": ON_FOOT,
    "vehicle": frozenset((Event.VEHICLE_OFF_LANE,)),
}
VERSION = KINDS[0].version


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """One passage along the line, and what was said of it."""

    scene: Scene
    direction: str
    speed_m_s: float
    last: Alert | None
    """The last word of the alert that rang for it and says most."""
    alerts: int
    """That rang as what it was while it was about."""
    tracks: int
    """All alerts of its time, those of others and those that are only written down among them."""

    @property
    def right(self) -> bool:
        """Whether its direction was told."""
        return self.last is not None and self.last.direction == self.direction

    @property
    def wrong(self) -> bool:
        """Whether another one was."""
        return self.last is not None and self.last.direction not in {None, self.direction}

    @property
    def speed_error(self) -> float | None:
        """Relative; None where no speed was told."""
        told = self.last.facts.get("speed_m_s") if self.last is not None else None
        return abs(told / self.speed_m_s - 1.0) if isinstance(told, float) else None

    def words(self) -> str:
        """For a list of misses."""
        if self.last is None:
            return f"{self.scene.words()}: not told"
        facts = self.last.facts
        said = f"{self.last.direction} at {facts.get('speed_m_s')}, {facts.get('course')}"
        return f"{self.scene.words()}: {self.direction}, told {said}"


def measure(settings: Settings) -> list[Figure]:
    """Directions, speeds and alerts, of all and by what passed."""
    number = settings.number or NUMBER
    done: list[Passed] = []
    for seeds in batches(settings.seed, number):
        scenes = [along(seed) for seed in seeds]
        for scene, said in zip(scenes, heard([one[0].scenario for one in scenes]), strict=True):
            done.append(judged(*scene, said))
            if not done[-1].right or done[-1].alerts != 1:
                settings.say(done[-1].words() + f", {done[-1].alerts} alerts")
        settings.say(f"{len(done):,} of {number:,}")
    how = f"{VERSION}, a line of {SENSORS}, seeds {settings.seed:,}-{settings.seed + number - 1:,}"
    told = [one for one in done if one.last is not None]
    figures = [
        share("passages told", len(told), number, how),
        share("direction right, of those told", _count(told, "right"), len(told), how, RIGHT_GOAL),
        share("direction wrong, of those told", _count(told, "wrong"), len(told), how),
        *_speeds("speed error, median", told, how, SPEED_GOAL),
        share("told in one alert, of those told", _ones(told), len(told), how),
        _mean("alerts a passage, of those told", [one.alerts for one in told], how),
        _mean("alerts of any kind, and tracks, a passage", [one.tracks for one in told], how),
    ]
    for kind in SPEEDS_M_S:
        mine = [one for one in told if one.scene.what == kind]
        if mine:
            figures.append(share(f"{kind}: direction right", _count(mine, "right"), len(mine), ""))
            figures += _speeds(f"{kind}: speed error, median", mine, "", None)
            figures.append(share(f"{kind}: told in one alert", _ones(mine), len(mine), ""))
    return figures


def along(seed: int) -> tuple[Scene, str, float]:
    """A scene, the direction in it, and the speed."""
    kind = TURNS[seed % len(TURNS)]
    ground = Ground.of(seed, WHAT)
    ground.wind_m_s = ground.uniform(*WIND_M_S)
    spacing_m, beside_m = ground.uniform(*SPACING_M), ground.uniform(*BESIDE_M)
    speed_m_s = ground.uniform(*SPEEDS_M_S[kind])
    north = ground.random.uniform() < 0.5
    side_m = beside_m if ground.random.uniform() < 0.5 else -beside_m
    reach_m = 0.5 * (SENSORS - 1) * spacing_m
    ends = (side_m, -reach_m - LEAD_M[kind]), (side_m, reach_m + LEAD_M[kind])
    mover = ground.put(
        "car" if kind == "vehicle" else "person",
        WARM_S,
        ends if north else (ends[1], ends[0]),
        speed_m_s=speed_m_s,
        mass_kg=ground.uniform(*MASS_KG[kind]),
    )
    duration_s = mover.end_s + AFTER_S
    away_m, apart_s = ground.log_uniform(*ROAD_M[kind]), ground.log_uniform(*APART_S)
    ground.road(away_m, apart_s, duration_s)
    scenario = ground.scenario(duration_s)
    (first,) = scenario.sensors
    places = tuple(
        SensorPlace(
            sensor_id=f"{first.sensor_id}-{i + 1}",
            kind=first.kind,
            zone=first.zone,
            place_m=(0.0, i * spacing_m - reach_m),
            options=(
                *first.options,
                ("clock_offset_ms", f"{ground.uniform(-CLOCK_MS, CLOCK_MS):.0f}"),
            ),
        )
        for i in range(SENSORS)
    )
    scene = Scene(
        scenario=replace(scenario, sensors=places),
        seed=seed,
        site=ground.site,
        sensor=ground.sensor,
        what=kind,
        from_s=mover.start_s,
        to_s=mover.end_s,
        nearest_s=0.5 * (mover.start_s + mover.end_s),
        range_m=beside_m,
        detail=f"{speed_m_s:.1f} m/s, {beside_m:.0f} m beside {spacing_m:.0f} m",
    )
    return scene, "north" if north else "south", speed_m_s


def judged(scene: Scene, direction: str, speed_m_s: float, said: Heard) -> Passed:
    """What the alerts of its time make of a passage."""
    mine = [one.alert for one in said.alerts if scene.from_s <= one.at_s <= scene.to_s + AFTER_S]
    rang = [one for one in mine if one.level >= RINGS]
    right = [one for one in rang if one.event in EVENTS[scene.what]]
    return Passed(
        scene=scene,
        direction=direction,
        speed_m_s=speed_m_s,
        last=_plainest(right),
        alerts=len({one.alert_id for one in right}),
        tracks=len({one.alert_id for one in mine}),
    )


def _plainest(rang: Sequence[Alert]) -> Alert | None:
    """Of several alerts the one that has a direction; of several such the most probable."""
    last = {one.alert_id: one for one in rang}.values()
    return max(last, key=lambda one: (one.direction is not None, one.probability), default=None)


def _count(done: Sequence[Passed], name: str) -> int:
    return sum(bool(getattr(one, name)) for one in done)


def _ones(done: Sequence[Passed]) -> int:
    return sum(one.alerts == 1 for one in done)


def _speeds(name: str, done: Sequence[Passed], how: str, goal: float | None) -> Iterator[Figure]:
    errors = sorted(one.speed_error for one in done if one.speed_error is not None)
    if not errors:
        return
    # The median lies between two order statistics of a binomial with p = 1/2.
    half = 0.5 * Z_95 * math.sqrt(len(errors))
    low = errors[max(0, math.floor(0.5 * len(errors) - half))]
    high = errors[min(len(errors) - 1, math.ceil(0.5 * len(errors) + half))]
    median = percentile(errors, 0.5)
    one = plain(name, median, "", how) if goal is None else at_most(name, median, goal, "", how)
    yield replace(one, interval=(low, high))


def _mean(name: str, counts: Sequence[int], how: str) -> Figure:
    """With the interval of a mean of many."""
    n = max(len(counts), 1)
    mean = math.fsum(counts) / n
    sd = math.sqrt(math.fsum((count - mean) ** 2 for count in counts) / max(n - 1, 1))
    half = Z_95 * sd / math.sqrt(n)
    return replace(plain(name, mean, "", how), interval=(mean - half, mean + half))
