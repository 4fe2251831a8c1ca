"""`ground-quiet`: hours in which nobody is on foot, and how often a person is told of.

An alert is false when it rings (advisory or more) as a person, a group or a drop-off. Hours with
animals are played beside and counted apart.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from edge.study.figures import Figure
from edge.study.ground_chain import ON_FOOT, RINGS, Heard, heard
from edge.study.ground_chart import Row, bars
from edge.study.ground_hours import QUIET, animal_hour, quiet_hour
from edge.study.ground_scenes import Scene, batches
from edge.study.intervals import events
from edge.study.packs import Settings
from simulators.seismic import KINDS

HOURS = 240
GOAL_A_DAY = 1.0
ANIMALS_SHARE = 10  # one hour with animals in so many
VERSION = KINDS[0].version


@dataclass(slots=True)
class Tally:
    """What was told in the hours of one condition."""

    hours: int = 0
    false: int = 0
    others: Counter[str] = field(default_factory=Counter)
    """Alerts of other kinds."""

    def take(self, said: Heard) -> list[float]:
        """An hour more; when in it somebody on foot was told of."""
        self.hours += 1
        rung = said.rung(ON_FOOT)
        self.false += len(rung)
        of_person = {one.alert.alert_id for one in rung}
        told = {one.alert.alert_id: str(one.alert.event) for one in said.alerts}
        ringing = {one.alert.alert_id for one in said.alerts if one.alert.level >= RINGS}
        self.others.update(told[name] for name in sorted(ringing - of_person))
        return [one.at_s for one in rung]

    def figure(self, name: str, how: str, goal_a_day: float | None = None) -> Figure:
        """Alerts a sensor and day, with the interval of a Poisson count."""
        days = self.hours / 24.0
        low, high = events(self.false)
        value = self.false / days
        others = ", ".join(f"{what} {count}" for what, count in self.others.most_common())
        return Figure(
            name=name,
            value=value,
            unit="a day",
            goal="" if goal_a_day is None else f"<= {goal_a_day:g}",
            reached=None if goal_a_day is None else value <= goal_a_day,
            how=f"{how}; {self.false} in {self.hours} h; other alerts: {others or 'none'}",
            interval=(low / days, high / days),
        )


def measure(settings: Settings) -> list[Figure]:
    """False person alerts a sensor and day, over all conditions, by condition and by site."""
    number = settings.number or HOURS
    all_of_them, animals = Tally(), Tally()
    by: dict[str, Tally] = defaultdict(Tally)
    conditions = tuple(QUIET)
    for seeds in batches(settings.seed, number):
        scenes = [quiet_hour(seed, conditions[seed % len(conditions)]) for seed in seeds]
        for scene, said in zip(scenes, _played(scenes), strict=True):
            at_s = all_of_them.take(said)
            by[scene.what].take(said)
            by[f"at {scene.site}"].take(said)
            _tell(settings, scene, said, at_s)
        settings.say(f"{all_of_them.hours} of {number} h, {all_of_them.false} false")
    first = settings.seed + number
    last = first + max(1, number // ANIMALS_SHARE)
    for seeds in batches(first, last - first):
        scenes = [animal_hour(seed) for seed in seeds]
        for scene, said in zip(scenes, _played(scenes), strict=True):
            _tell(settings, scene, said, animals.take(said))
    how = f"{VERSION}, seeds {settings.seed:,}-{first - 1:,}"
    if settings.pictures is not None:
        draw(settings, by)
    return [
        all_of_them.figure("false person alerts a sensor", how, GOAL_A_DAY),
        *(by[name].figure(f"in {name}", how) for name in conditions if name in by),
        *(by[name].figure(name, how) for name in sorted(by) if name.startswith("at ")),
        animals.figure(
            "with animals about, not counted", f"{VERSION}, seeds {first:,}-{last - 1:,}"
        ),
    ]


def _played(scenes: list[Scene]) -> list[Heard]:
    return heard([scene.scenario for scene in scenes])


def _tell(settings: Settings, scene: Scene, said: Heard, at_s: list[float]) -> None:
    if at_s:
        why = [one.alert.facts for one in said.rung(ON_FOOT)]
        cadence = ", ".join(f"{each.get('cadence_hz')} Hz" for each in why)
        at = ", ".join(f"{each:.0f} s" for each in at_s)
        settings.say(f"false {scene.words()}: at {at} ({cadence})")


def draw(settings: Settings, by: dict[str, Tally]) -> None:
    """A bar for each condition and site, in the folder of pictures."""
    assert settings.pictures is not None
    rows = []
    for name, one in by.items():
        low, high = (each * 24.0 / one.hours for each in events(one.false))
        words = f"{one.false} in {one.hours} h"
        rows.append(Row(name, one.false * 24.0 / one.hours, low, high, words))
    settings.pictures.mkdir(parents=True, exist_ok=True)
    picture = bars("False person alerts a sensor and day", rows, line=GOAL_A_DAY)
    (settings.pictures / "ground-quiet.png").write_bytes(picture)
