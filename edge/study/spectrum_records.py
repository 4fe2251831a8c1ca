"""Records of portals with known truth: passes of every kind, marked as devices mark them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from drivers.wire import n42
from edge.study.spectrum_scene import Expected, Profile, Scene, Shelf, point, seconds_of, spread
from edge.study.spectrum_sources import Known

Random = np.random.Generator
MARKED_S = 60.0
BACKGROUNDS = ("marked", "vacant before", "vacant after", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A document and what is in it."""

    what: str
    document: n42.Document
    expected: tuple[Expected, ...]
    seconds: float
    watched: bool = False
    """Without occupancy marks: false detections are counted by the hour."""
    how: str = ""


@dataclass(slots=True, kw_only=True)
class Lane:
    """One portal, its vehicle and its record's habits; drawn at random unless given."""

    random: Random
    shelf: Shelf
    slice_s: float
    detectors: int
    background: str
    speed_m_s: float
    length_m: float
    suppression: float
    scene: Scene = field(init=False)
    shares: np.ndarray[tuple[int], np.dtype[np.float64]] = field(init=False)
    came_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.scene = Scene(shelf=self.shelf, random=self.random, detectors=self.detectors)
        self.shares = self.random.uniform(0.35, 1.0, self.detectors)
        self.came_s = {"vacant before": 40.0, "marked": 3.0}.get(self.background, 0.0)
        self.scene.level = self.shadow()

    @property
    def stay_s(self) -> float:
        """How long the beam is broken."""
        return self.length_m / self.speed_m_s

    @property
    def end_s(self) -> float:
        """When the vehicle has left."""
        return self.came_s + self.stay_s

    def at_s(self, place: float) -> float:
        """When a place, 0 to 1 along the vehicle, is between the detectors."""
        return self.came_s + place * self.stay_s

    def shadow(self) -> Profile:
        """What the vehicle leaves of the background."""
        came, end, speed = self.came_s, self.came_s + self.stay_s, self.speed_m_s
        deep, phase = self.suppression, float(self.random.uniform(0.0, 6.28))
        ramp_s = 2.0 / speed

        def level(now_s: float) -> float:
            inside = 0.5 * (math.tanh((now_s - came) / ramp_s) - math.tanh((now_s - end) / ramp_s))
            wave = 1.0 + 0.2 * math.sin(phase + 1.7 * speed * (now_s - came) / 3.0)
            return 1.0 - deep * inside * wave

        return level

    def put(self, one: Known, net: float, place: float, width_m: float = 0.0) -> None:
        """A source that gives so many counts in all detectors during the whole pass."""
        make = spread if width_m > 0.0 else point
        args = (width_m,) if width_m > 0.0 else ()
        profile = make(self.at_s(place), self.speed_m_s, *args)
        seconds = seconds_of(profile, self.came_s, self.end_s)
        cps = net / (seconds * float(self.shares.sum()))
        self.scene.add(one.stem, cps, profile, self.shares)

    def measurements(self) -> list[n42.Measurement]:
        """The record in order."""
        scene, told = self.scene, []
        if self.background == "marked":
            told.append(scene.slice(-MARKED_S - 5, MARKED_S, class_code="Background"))
        spans = [(self.came_s, self.end_s)]
        after_s = 30.0 if self.background == "vacant after" else 3.0
        if self.background == "none":
            after_s = 0.0
        slices = round((self.end_s + after_s) / self.slice_s)
        for number in range(slices):
            at_s = number * self.slice_s
            occupied = any(from_s <= at_s < to_s for from_s, to_s in spans)
            told.append(
                scene.slice(
                    at_s, self.slice_s, occupied=occupied, speed_m_s=self._speed(occupied, number)
                )
            )
        return told

    def _speed(self, occupied: bool, number: int) -> float | None:
        return round(self.speed_m_s, 2) if occupied and number % 5 == 0 else None

    def record(self, what: str, expected: Sequence[Expected]) -> Record:
        """The whole as a record."""
        how = (
            f"{self.slice_s:g} s, {self.detectors} detectors, {self.background}, "
            f"{self.speed_m_s:.1f} m/s, {self.length_m:.0f} m, shadow {self.suppression:.2f}"
        )
        return Record(
            what=what,
            document=self.scene.document(self.measurements(), "portal"),
            expected=tuple(expected),
            seconds=self.end_s + 3.0,
            how=how,
        )

    def expected(
        self, what: str, category: str, names: frozenset[str], net: float = 0.0, **more: bool
    ) -> Expected:
        """Something expected within this pass."""
        return Expected(
            from_s=self.came_s,
            to_s=self.end_s,
            category=category,
            names=names,
            what=what,
            net_counts=net,
            over_range=more.get("over_range", False),
            neutrons=more.get("neutrons", False),
        )


def lane(random: Random, shelf: Shelf, **given: float | str) -> Lane:
    """A portal as they are."""
    truck = random.uniform() < 0.7
    detectors = int(given.get("detectors", random.choice([1, 2, 4, 8])))
    return Lane(
        random=random,
        shelf=shelf,
        slice_s=float(given.get("slice_s", random.choice([0.1, 0.2, 1.0]))),
        detectors=detectors,
        background=str(
            given.get("background", random.choice(BACKGROUNDS, p=[0.45, 0.35, 0.1, 0.1]))
        ),
        speed_m_s=float(given.get("speed_m_s", random.uniform(1.2, 3.0))),
        length_m=float(random.uniform(12.0, 19.0) if truck else random.uniform(4.5, 6.0)),
        suppression=float(random.uniform(0.02, 0.25 if truck else 0.08)),
    )


def counts_of(random: Random, low: float = 1000.0, high: float = 10_000.0) -> float:
    """Net counts, as many in each octave."""
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def pick(random: Random, known: Sequence[Known]) -> Known:
    """One of them."""
    return known[int(random.integers(len(known)))]
