"""`ground-walkers`: somebody on foot passes one ground sensor, in wind, with traffic about.

A pass counts as told when an alert that rings (advisory or more) as somebody on foot goes out
between the start of the way, 45 m before the nearest point, and a few seconds after its end: a
person, a group or a drop-off, as `ground-quiet` counts the same three as false. How many were
told as a drop-off stands beside: a car passed on the road just before. Whoever is told as an
animal or anything else is missed.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from edge.study.figures import Figure, percentile, plain
from edge.study.ground_chain import ON_FOOT, Heard, Rung, heard
from edge.study.ground_chart import Row, bars
from edge.study.ground_passes import clearness, pass_by
from edge.study.ground_scenes import AFTER_S, Scene, batches, paved_sites
from edge.study.intervals import proportion
from edge.study.packs import Settings
from edge.study.packs.spectra_files import share
from simulators.seismic import KINDS

NUMBER = 1_000
PAVED, BUSY = "walking on pavement", "walking beside a busy road"
BESIDE = {"running": 5, "stealthy": 5, PAVED: 10, BUSY: 10}
"""One in so many passes more of each of these, told without a goal."""
GOAL = 0.95
HEARD = 3.0
"""Steps that are not so many times the noise's rms, eight in a row, nobody could hear."""
RANGES_M = (5.0, 10.0, 15.0, 20.0)
VERSION = KINDS[0].version


@dataclass(frozen=True, slots=True)
class Passed:
    """One pass, and what was said of it."""

    scene: Scene
    rung: Rung | None
    """None: nobody on foot was told of."""
    clear: float
    """Of a pass that was missed, how far its steps stood out of the noise."""

    @property
    def told(self) -> bool:
        """Whether it was."""
        return self.rung is not None


def measure(settings: Settings) -> list[Figure]:
    """Share of passes told, by gait; of walkers also by site, sensor and range."""
    number = settings.number or NUMBER
    walking = list(run(settings, "walking", settings.seed, number))
    how = f"{VERSION}, seeds {settings.seed:,}-{settings.seed + number - 1:,}"
    late = [one.rung.at_s - one.scene.nearest_s for one in walking if one.rung is not None]
    groups = grouped(walking)
    called = Counter(str(one.rung.alert.event) for one in walking if one.rung is not None)
    named = "".join(f", {name} {count}" for name, count in called.most_common())
    figures = [
        share("walkers told", sum(one.told for one in walking), number, f"{how}{named}", GOAL),
        *(share(f"walkers, {name}", sum(hits), len(hits), "") for name, hits in groups.items()),
        _heard("walkers told of those that could be heard", walking),
        plain("alert after the nearest moment, median", percentile(late, 0.5), "s", how),
        plain("the same, p95", percentile(late, 0.95), "s", how),
    ]
    first = settings.seed + number
    for gait, every in BESIDE.items():
        passes = max(1, number // every)
        done = list(run(settings, gait, first, passes))
        how = f"{VERSION}, seeds {first:,}-{first + passes - 1:,}"
        figures.append(share(f"{gait}, told", sum(one.told for one in done), passes, how))
        figures.append(_heard(f"{gait}, told of those that could be heard", done))
        groups[gait] = [one.told for one in done]
        first += passes
    if settings.pictures is not None:
        settings.pictures.mkdir(parents=True, exist_ok=True)
        (settings.pictures / "ground-walkers.png").write_bytes(chart(groups))
    return figures


def run(settings: Settings, gait: str, seed: int, number: int) -> Iterator[Passed]:
    """Passes of one gait; misses are said as they come."""
    missed = 0
    for seeds in batches(seed, number):
        scenes = [_scene(each, gait) for each in seeds]
        for scene, said in zip(scenes, heard([one.scenario for one in scenes]), strict=True):
            found = first_rung(scene, said)
            one = Passed(scene, found, math.inf if found else clearness(scene.scenario))
            if not one.told:
                missed += 1
                settings.say(f"missed {scene.words()}, {one.clear:.1f} x noise: {_said(said)}")
            yield one
        settings.say(f"{gait}: {seeds.stop - seed:,} of {number:,}, {missed} missed")


def _scene(seed: int, gait: str) -> Scene:
    if gait == PAVED:
        return pass_by(seed, "walking", paved_sites(seed))
    return pass_by(seed, "walking", busy=True) if gait == BUSY else pass_by(seed, gait)


def first_rung(scene: Scene, said: Heard) -> Rung | None:
    """The first alert for somebody on foot that went out while the walker was about."""
    end_s = scene.to_s + AFTER_S
    mine = [one for one in said.rung(ON_FOOT) if scene.from_s <= one.at_s <= end_s]
    return min(mine, key=lambda one: one.at_s, default=None)


def _heard(name: str, done: list[Passed]) -> Figure:
    could = [one for one in done if one.clear >= HEARD]
    how = f"the others' steps, eight in a row, were never {HEARD:g} times the noise"
    if not could:
        return plain(name, 0.0, "", how)
    return share(name, sum(one.told for one in could), len(could), how)


def grouped(done: list[Passed]) -> dict[str, list[bool]]:
    """Whether told, by site, by sensor and by range."""
    groups: dict[str, list[bool]] = defaultdict(list)
    for one in done:
        band = next(to for to in RANGES_M if one.scene.range_m <= to)
        for name in (f"to {band:2.0f} m", f"at {one.scene.site}", one.scene.sensor.name):
            groups[name].append(one.told)
    return {name: groups[name] for name in sorted(groups)}


def chart(groups: dict[str, list[bool]]) -> bytes:
    """As a picture."""
    rows = [
        Row(
            name,
            sum(hits) / len(hits),
            *proportion(sum(hits), len(hits)),
            f"{sum(hits)} of {len(hits)}",
        )
        for name, hits in groups.items()
    ]
    return bars("Passes within 20 m that were told", rows, line=GOAL, most=1.0)


def _said(said: Heard) -> str:
    alerts = sorted({f"{one.alert.event} {one.alert.level:d}" for one in said.alerts})
    classes = [f"{one.facts['class']} {one.facts['cadence_hz']} Hz" for one in said.detections]
    return f"{', '.join(alerts) or 'no alert'}; events: {', '.join(classes) or 'none'}"
