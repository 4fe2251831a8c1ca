"""What a ground station measures of simulated scenes, look by look, for `seismic_fit`.

Scenes are those of the packs, on tuning sites and on ground that chance has drawn; many of them
through a layer, a floor or a sensor that no site has, because what is fitted must hold where
nobody has measured.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random as Chance

import numpy as np
from numpy.typing import NDArray

from edge.study.ground_classes import CLASSES as SOURCES
from edge.study.ground_classes import source
from edge.study.ground_hours import QUIET, quiet_hour
from edge.study.ground_passes import pass_by
from edge.study.ground_scenes import AFTER_S, WARM_S, Ground, Scene
from fusion.seismic_bank import Bank
from fusion.seismic_features import CLASSES, TERMS
from fusion.seismic_policy import SeismicPolicy
from fusion.seismic_presets import PRESETS
from fusion.seismic_station import Station
from fusion.types import SECOND_NS, Family, Origin, SensorSpec, WaveformSample
from simulators.ground_scenes import draw
from simulators.ground_sensors import INSTRUMENTS
from simulators.ground_site import Site
from simulators.ground_sites import SITES
from simulators.scenario import Scenario
from simulators.seismic import GroundMotion

Floats = NDArray[np.float64]
Random = np.random.Generator

RATES_HZ = (50, 100, 100, 100, 200, 200, 250, 495, 500)
DRAWN, COLOURED, HUMMING, NOISY = 0.6, 0.3, 0.3, 0.3
"""Shares of the scenes that are on drawn ground, or disturbed so."""
GAITS = ("walking", "running", "walking", "running", "stealthy")
RHYTHMIC = ("pump", "runner", "train", "horse", "pump", "runner", "train")
"""What beats in time, and is easily taken one for another."""
RHYTHMIC_M = {"pump": (3.0, 120.0), "train": (50.0, 500.0), "horse": (2.0, 40.0)}
RHYTHMIC_WIND_M_S = (0.0, 9.0)
TROT_FROM_M_S = 2.5
RHYTHM_WEIGHT, TRAIN_WEIGHT = 0.3, 0.1
"""There are many of them, and a class has other kinds: what is unknown most."""
EARLY_S = 5.0  # of an event, every other look counts; later one a second
FADE_S = 1.5  # a source is still heard so long after its end
NEAR_M = 22.0  # a walker who is further off may not be what is heard
NOT_ON_FOOT = ("vehicle", "aircraft", "weather", "machinery", "unknown")
QUIET_S = 1200.0
GALE, ROAD = ("weather", "unknown"), ("vehicle", "weather")
NUISANCES = (*QUIET, "machinery", "trains", "all at once", "machinery", "trains", "all at once")
MAY_BE = {"wind": GALE, "gale": GALE, "road": ROAD, "lane": ROAD}
"""What is heard in a quiet hour; elsewhere anything not on foot."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The looks of one scene."""

    values: Floats
    """(looks, terms)"""
    allowed: NDArray[np.bool_]
    """(looks, classes) what each may truly be; one where it is certain."""
    weights: Floats
    """(looks,)"""


def motion_of(scenario: Scenario, random: Random) -> tuple[NDArray[np.int32], int]:
    """Counts of an instrument that chance has put there, and its rate in Hz."""
    rate_hz = int(random.choice(RATES_HZ))
    name = sorted(INSTRUMENTS)[int(random.integers(len(INSTRUMENTS)))]
    place = scenario.sensors[0]
    options = tuple(pair for pair in place.options if pair[0] not in {"instrument", "rate_hz"})
    if random.uniform() < DRAWN and not SITES[place.option("site", "loess")].indoors:
        site = drawn_site(random)
        SITES[site.name] = site
        options = (("site", site.name), *(pair for pair in options if pair[0] != "site"))
    place = replace(place, options=(*options, ("instrument", name)))
    ground = GroundMotion(replace(scenario, sensors=(place,)), place.sensor_id, rate_hz, "Z")
    seconds = [ground.next_second()[0] for _ in range(int(scenario.duration_s))]
    motion = np.concatenate(seconds)
    if random.uniform() < COLOURED:
        motion = _coloured(motion, rate_hz, random)
    if random.uniform() < HUMMING:
        motion = motion + _hum(len(motion), rate_hz, random)
    if random.uniform() < NOISY:
        motion = motion + 10.0 ** random.uniform(-7.5, -6.0) * random.standard_normal(len(motion))
    counts = INSTRUMENTS[name].counts(motion, random)
    return counts.clip(-(2**31), 2**31 - 1).astype(np.int32), rate_hz


def drawn_site(random: Random) -> Site:
    """Open ground as it may be anywhere: drawn within the ranges of facts/seismic.md 3.2 and 3.3.

    Stiffer ground rings longer and moves less under a step; noise is a share of the step.
    """

    def between(low: float, high: float) -> float:
        return float(random.uniform(low, high))

    def as_often(low: float, high: float) -> float:
        return math.exp(between(math.log(low), math.log(high)))

    velocity_m_s = as_often(90.0, 2500.0)
    quality = float(np.clip(velocity_m_s / 14.0 * random.lognormal(0.0, 0.35), 5.0, 200.0))
    step_m_s = 16e-6 * (230.0 / velocity_m_s) ** 0.95 * float(random.lognormal(0.0, 0.25))
    return Site(
        name="drawn",
        rayleigh_m_s=velocity_m_s,
        quality=quality,
        step_m_s=min(step_m_s, 25e-6),
        dispersion=between(-0.25, 0.75) if velocity_m_s < 400.0 else between(0.0, 0.3),
        scatter=between(0.5, 1.7),
        cut_hz=between(7.0, 14.0) if random.uniform() < 0.1 else 0.0,
        noise_m_s=step_m_s * as_often(0.003, 0.015),
        noise_slope=between(0.3, 1.5),
        noise_peaks=tuple(
            (between(3.0, 25.0), between(1.0, 4.0), between(1.0, 3.5))
            for _ in range(int(random.integers(0, 3)))
        ),
        noise_high_hz=as_often(18.0, 150.0),
        swing=between(1.5, 8.0),
        wander=between(0.1, 0.45),
        bumps_per_h=as_often(8.0, 120.0),
        mains_hz=float(random.choice((50.0, 60.0))),
        mains_m_s=as_often(4e-9, 80e-9),
        mains_harmonics=tuple(random.uniform(0.0, 1.0, int(random.integers(0, 4))).tolist()),
        wind_db=between(0.4, 5.0),
        gust_s=as_often(4.0, 15.0),
        gust_sigma=between(0.45, 0.77),
        rattles_per_min=as_often(1.0, 10.0) if random.uniform() < 0.5 else 0.0,
    )


def _coloured(motion: Floats, rate_hz: int, random: Random) -> Floats:
    """Through ground that tilts the spectrum and rings at up to two frequencies."""
    at_s = np.arange(rate_hz) / rate_hz
    response = np.zeros(rate_hz)
    response[0] = 1.0
    kind = random.uniform()
    if kind < 0.7:
        turn = np.exp(-2.0 * np.pi * random.uniform(8.0, 40.0) / rate_hz)
        low = (1.0 - turn) * turn ** np.arange(rate_hz)
        share = random.uniform(0.0, 0.5)
        response = low + share * (response - low) if kind < 0.35 else response - share * low
    for _ in range(int(random.integers(0, 3))):
        hz, quality = random.uniform(5.0, min(45.0, 0.4 * rate_hz)), random.uniform(2.0, 10.0)
        ringing = np.exp(-np.pi * hz / quality * at_s) * np.cos(2.0 * np.pi * hz * at_s)
        strength = random.uniform(0.5, 4.0) * 2.0 * np.pi * hz / quality / rate_hz
        response = response + strength * ringing
    passed = np.convolve(motion, response)[: len(motion)]
    return np.asarray(passed * np.sqrt(np.mean(motion**2) / (np.mean(passed**2) + 1e-40)))


def _hum(size: int, rate_hz: int, random: Random) -> Floats:
    """Mains and its harmonics."""
    mains_hz = float(random.choice((50.0, 60.0))) + random.normal(0.0, 0.02)
    size_m_s = 10.0 ** random.uniform(-8.0, -5.3)
    at_s, hum = np.arange(size) / rate_hz, np.zeros(size)
    for number in range(1, 5):
        if number * mains_hz < 0.6 * rate_hz:
            turns = number * mains_hz * at_s + random.uniform()
            hum += size_m_s * random.uniform() * np.sin(2.0 * np.pi * turns)
    return hum


def looks(counts: NDArray[np.int32], rate_hz: int) -> Iterator[tuple[float, float, list[float]]]:
    """Each look: when, how long after its event's start, in s, and the terms."""
    bank = Bank(float(rate_hz), PRESETS["footsteps"])
    station = Station(SensorSpec(sensor_id="s", family=Family.SEISMIC, place="z"), SeismicPolicy())
    column, done, size = bank.open(1.0), 0, max(1, rate_hz // 4)
    for at in range(0, len(counts), size):
        sample = WaveformSample(
            sensor_id="s",
            origin=Origin.SIMULATOR,
            start_utc_ns=round(at / rate_hz * SECOND_NS),
            rate_hz=float(rate_hz),
            channel="EHZ",
            counts=counts[at : at + size],
            counts_per_m_s=1.0,
            calibrated=False,
        )
        station.hear(sample)
        bank.put(column, sample.counts)
        bank.advance()
        for number in range(done, bank.bins(column)):
            end_s = (number + 1) * bank.bin_s
            station.look(bank, {"EHZ": column}, number, round(end_s * SECOND_NS))
            event = station.event
            if event is not None and event.terms_utc_ns == round(end_s * SECOND_NS):
                yield end_s, event.since_start_s(event.terms_utc_ns), event.terms
        done = bank.bins(column)


def scene_of(seed: int, kind: str) -> Scene:
    """A scene of one of `class`, `pass`, `quiet` and `rhythm`, for seeds of tuning."""
    if kind == "class":
        return source(seed, SOURCES[seed % len(SOURCES)])
    if kind == "pass":
        return pass_by(seed, GAITS[seed % len(GAITS)])
    if kind == "rhythm":
        return _rhythm(seed)
    scene = quiet_hour(seed, NUISANCES[seed % len(NUISANCES)])
    return replace(scene, scenario=replace(scene.scenario, duration_s=QUIET_S))


def _rhythm(seed: int) -> Scene:
    """A piston, a rail's joint, a trot or a run, in any wind."""
    ground = Ground.of(seed, 5)
    kind = RHYTHMIC[seed % len(RHYTHMIC)]
    ground.wind_m_s = ground.uniform(*RHYTHMIC_WIND_M_S)
    away_m = ground.log_uniform(*RHYTHMIC_M.get(kind, (1.0, 25.0)))
    chance = Chance(f"{seed}/{kind}")
    drawn = draw(kind, chance, at_s=WARM_S, closest_m=away_m, for_s=ground.uniform(20.0, 150.0))
    manner = "piston" if kind == "pump" else ""
    speed_m_s = drawn.speed_m_s
    if kind == "horse":
        speed_m_s = max(speed_m_s, TROT_FROM_M_S)
    mover = replace(drawn, zone=ground.zone, manner=manner, speed_m_s=speed_m_s)
    ground.movers.append(mover)
    return Scene(
        scenario=ground.scenario(mover.end_s + AFTER_S),
        seed=seed,
        site=ground.site,
        sensor=ground.sensor,
        what=mover.class_name,
        from_s=mover.start_s,
        to_s=mover.end_s,
        range_m=away_m,
        detail=kind,
    )


def rows(seed: int, kind: str) -> Rows:
    """What is measured of a scene, and what it may be."""
    scene = scene_of(seed, kind)
    counts, rate_hz = motion_of(scene.scenario, np.random.default_rng((seed, 99)))
    values, allowed, weights = [], [], []
    for end_s, since_s, terms in looks(counts, rate_hz):
        number = round(since_s * 5.0)
        if number % (2 if since_s <= EARLY_S else 5):
            continue
        may_be, weight = _may_be(scene, kind, end_s)
        values.append(terms)
        allowed.append([name in may_be for name in CLASSES])
        if kind == "rhythm":
            weight *= TRAIN_WEIGHT if may_be == ("unknown",) else RHYTHM_WEIGHT
        weights.append(weight)
    terms_of = np.array(values).reshape(len(values), len(TERMS))
    return Rows(terms_of, np.array(allowed, bool), np.array(weights))


def _may_be(scene: Scene, kind: str, at_s: float) -> tuple[tuple[str, ...], float]:
    """Classes that a look may truly be of, and how much it counts."""
    if kind == "quiet":
        return MAY_BE.get(scene.what, NOT_ON_FOOT), 0.5
    inside = scene.from_s + 0.3 <= at_s <= scene.to_s + FADE_S
    if kind in {"class", "rhythm"}:
        if inside:
            return (scene.what,), 1.0
        late = at_s > scene.to_s + FADE_S
        others = ("vehicle", "weather", "machinery", "unknown")
        return ((scene.what, *others), 0.1) if late else (others, 0.5)
    place = scene.scenario.movers[0].place_m(at_s)
    if place is not None and float(np.hypot(*place)) < NEAR_M:
        return ("person",), 1.0
    return (("person",) if inside else ()) + ("vehicle", "weather", "unknown"), 0.3
