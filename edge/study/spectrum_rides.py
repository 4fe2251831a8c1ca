"""Records without occupancy marks: rides past sources, long dwells, hand-held measurements."""

import math

import numpy as np

from edge.study.spectrum_cases import Maker
from edge.study.spectrum_records import Random, Record, counts_of, pick
from edge.study.spectrum_scene import Emitter, Expected, Profile, Scene, Shelf, point
from edge.study.spectrum_sources import GROUND, INDUSTRIAL, MEDICAL, SNM, Known

NATURAL = frozenset(("K-40", "Ra-226", "Th-232", "Th-228"))
RIDE_S = 900.0
MOST = 4.0  # of what is usual: between granite walls, or on a bridge
RIDE_CPS = 400.0  # of a smaller crystal in a car


def _wander(random: Random, seconds: float, spread: float, scale_s: float) -> Profile:
    """exp of an Ornstein-Uhlenbeck walk: streets, bridges, walls."""
    step_s = 0.5
    steps = int(seconds / step_s) + 4
    keep = math.exp(-step_s / scale_s)
    noise = random.standard_normal(steps) * spread * math.sqrt(1.0 - keep**2)
    walk = np.zeros(steps)
    walk[0] = random.standard_normal() * spread
    for i in range(1, steps):
        walk[i] = keep * walk[i - 1] + noise[i]
    values = np.clip(np.exp(walk), 1 / MOST, MOST)

    def profile(now_s: float) -> float:
        return float(values[min(max(int(now_s / step_s), 0), steps - 1)])

    return profile


def _ride(random: Random, shelf: Shelf, seconds: float, harsh: float) -> Scene:
    scene = Scene(shelf=shelf, random=random, cps=RIDE_CPS, detectors=int(random.choice([1, 2, 4])))
    speed = float(random.uniform(0.5, 2.0))
    scene.level = _wander(random, seconds, 0.25 * harsh, 20.0 / speed)
    for stem in GROUND.values():
        walk = _wander(random, seconds, 0.8 * harsh, 15.0 / speed)
        shape = shelf[stem]
        # Three quarters of it is scattered in the ground, as the whole background is.
        mixed = 0.35 * shape + 0.65 * shelf.background
        mixed /= mixed.sum()
        scene.emitters.append(
            Emitter(
                shape=mixed,
                cps=0.12 * RIDE_CPS * harsh,
                profile=walk,
                shares=np.ones(scene.detectors),
            )
        )
    return scene


def _record(
    what: str, scene: Scene, slice_s: float, seconds: float, expected: list[Expected]
) -> Record:
    told = [scene.slice(i * slice_s, slice_s) for i in range(round(seconds / slice_s))]
    return Record(
        what=what,
        document=scene.document(told, "mobile"),
        expected=tuple(expected),
        seconds=seconds,
        watched=True,
        how=f"{slice_s:g} s slices, {scene.detectors} detectors",
    )


def _encounters(
    random: Random, scene: Scene, seconds: float, slice_s: float, factor: float
) -> list[Expected]:
    expected = []
    at_s = float(random.uniform(60.0, 150.0))
    while at_s < seconds - 60.0:
        group = (INDUSTRIAL, SNM, MEDICAL)[int(random.integers(3))]
        one = pick(random, group)
        lasts_s = float(random.uniform(3.0, 20.0)) * max(1.0, slice_s / 3.0)
        distance_m = float(random.uniform(2.0, 10.0))
        # Full width at half maximum of the profile with the cosine: 1.53 distances.
        speed = 1.53 * distance_m / lasts_s
        net = counts_of(random, 1000.0, 8000.0) * factor
        cps = net / (2.0 * distance_m / speed) / scene.detectors
        scene.add(one.stem, cps, point(at_s, speed, distance_m))
        expected.append(
            Expected(
                from_s=at_s - lasts_s,
                to_s=at_s + lasts_s,
                category=one.category,
                names=one.names,
                what=one.stem,
                net_counts=net,
            )
        )
        at_s += float(random.uniform(90.0, 200.0))
    return expected


def ride(random: Random, shelf: Shelf) -> Record:
    """A quarter of an hour in ordinary streets, with sources."""
    scene = _ride(random, shelf, RIDE_S, 1.0)
    expected = _encounters(random, scene, RIDE_S, 1.0, 1.0)
    return _record("ride", scene, 1.0, RIDE_S, expected)


def quiet_ride(random: Random, shelf: Shelf) -> Record:
    """The same without."""
    return _record("quiet ride", _ride(random, shelf, RIDE_S, 1.0), 1.0, RIDE_S, [])


def harsh_ride(random: Random, shelf: Shelf) -> Record:
    """Streets of granite and bridges: levels within a factor of four."""
    return _record("harsh ride", _ride(random, shelf, RIDE_S, 2.0), 1.0, RIDE_S, [])


def slow_ride(random: Random, shelf: Shelf) -> Record:
    """Slices of 5 or 10 seconds."""
    slice_s = float(random.choice([5.0, 10.0]))
    scene = _ride(random, shelf, 2 * RIDE_S, 0.7)
    expected = _encounters(random, scene, 2 * RIDE_S, slice_s, 2.0)
    return _record("slow ride", scene, slice_s, 2 * RIDE_S, expected)


def norm_stretch(random: Random, shelf: Shelf) -> Record:
    """A stretch rich in one natural nuclide: told as natural, or not at all."""
    scene = _ride(random, shelf, 600.0, 0.7)
    name = list(GROUND)[int(random.integers(3))]
    came_s, lasts_s = float(random.uniform(120.0, 400.0)), float(random.uniform(10.0, 40.0))

    def profile(now_s: float) -> float:
        return 0.5 * (math.tanh((now_s - came_s) / 3) - math.tanh((now_s - came_s - lasts_s) / 3))

    scene.add(GROUND[name], float(random.uniform(0.3, 1.0)) * RIDE_CPS, profile)
    expected = Expected(
        from_s=came_s - 5,
        to_s=came_s + lasts_s + 5,
        category="norm",
        names=NATURAL,
        what=name,
    )
    return _record("norm stretch", scene, 1.0, 600.0, [expected])


def _still(random: Random, shelf: Shelf, what: str, one: Known | None, marked: bool) -> Record:
    """One measurement of a minute or more."""
    seconds = float(random.uniform(60.0, 300.0))
    detectors = 1 if what.startswith("hand-held") else int(random.choice([1, 4]))
    scene = Scene(
        shelf=shelf,
        random=random,
        detectors=detectors,
        cps=float(random.uniform(100.0, 1717.0)),
        neutrons=None,
    )
    told = [scene.slice(-1000.0, 300.0, class_code="Background")] if marked else []
    expected = []
    if one is not None:
        net = counts_of(random, 5_000.0, 100_000.0)
        scene.add(one.stem, net / seconds / detectors, lambda now_s: 1.0)
        expected.append(
            Expected(
                from_s=0.0,
                to_s=seconds,
                category=one.category,
                names=one.names,
                what=one.stem,
                net_counts=net,
            )
        )
    slice_s = seconds if detectors == 1 else 2.0
    count = max(1, int(seconds / slice_s))
    told += [scene.slice(i * slice_s, slice_s) for i in range(count)]
    return Record(
        what=what,
        document=scene.document(told, "dwell"),
        expected=tuple(expected),
        seconds=seconds,
        how=f"{seconds:.0f} s, {'marked' if marked else 'no'} background, {count} slices",
    )


def hand_held(random: Random, shelf: Shelf) -> Record:
    """Foreground and background."""
    return _still(random, shelf, "hand-held", pick(random, [*INDUSTRIAL, *MEDICAL, *SNM]), True)


def hand_held_clean(random: Random, shelf: Shelf) -> Record:
    """The same with nothing."""
    return _still(random, shelf, "hand-held clean", None, True)


def dwell(random: Random, shelf: Shelf) -> Record:
    """Minutes of one source, its background unknown or known."""
    marked = random.uniform() < 0.5
    return _still(random, shelf, "dwell", pick(random, [*INDUSTRIAL, *MEDICAL, *SNM]), marked)


def dwell_clean(random: Random, shelf: Shelf) -> Record:
    """Minutes of nothing."""
    return _still(random, shelf, "dwell clean", None, bool(random.uniform() < 0.5))


RIDES: tuple[Maker, ...] = (
    ride,
    quiet_ride,
    harsh_ride,
    slow_ride,
    norm_stretch,
    hand_held,
    hand_held_clean,
    dwell,
    dwell_clean,
)
