"""Passes of the study that portals are compared on (facts/radiation 5.6), in great number.

A truck of 18 m at 2.2 m/s, panels 2.5 m from the lane's middle, 1,000 cps of background in 200 ms
scans, a shadow of 2 to 25 % that the simulator's own physics modulates along the vehicle. The
detector knows no more than in the field: a background averaged over the last minute, which has
wandered since, speed records of 2 %, a beam that was broken somewhere within a scan.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.study.portal_shadows import rough_shadow
from fusion.radiation_bins import Pass
from fusion.radiation_policy import RadiationPolicy
from fusion.radiation_profile import Profile, profile_of
from simulators import radiation_physics as physics
from simulators.scenario import Vehicle

LENGTH_M, SPEED_M_S, DISTANCE_M, SCAN_S = 18.0, 2.2, 2.5, 0.2
BACKGROUND_CPS = 1_000.0
LEAD_IN, HOLD_IN = 5, 10  # scans; facts/radiation 1.1
REPORT_SCANS, REPORTS = 25, 20  # a background every 5 s; older ones than 100 s weigh nothing
NOISE_S = 30.0  # facts/radiation 5.2: correlated noise


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is true of all passes of one study."""

    suppression: tuple[float, float] = (0.02, 0.25)
    noise_share: float = 0.012
    """1 sd of the background's slow wander (facts/radiation 5.2: 1 to 2 %)."""
    law: float = 1.5
    """Of a point's profile: 1.5 with the panel's cosine, 1 without (facts/radiation 5.1)."""
    off_middle_m: float = 0.0
    """Of the source, to either pillar."""
    panel_shadow: float = 0.1
    """1 sd by which one panel's shadow differs from the others', relative to it."""
    background_known: bool = False
    """As in the published study: exactly, and the way of the vehicle as well."""
    width_m: float = 0.0
    """Of the source; 0 is a point."""
    rough: bool = False
    """Loads in boxes with steps between them, in the place of smooth waves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPass:
    """One pass as the detector gets it, and what is true of it."""

    seen: Pass
    place_m: float
    suppression: float


def study_pass(world: World, policy: RadiationPolicy, seed: int, net_cps: float) -> StudyPass:
    """The pass of that seed; `net_cps` is the source's peak rate in all panels together."""
    random = np.random.default_rng(seed)
    vehicle = Vehicle(
        vehicle_id="study",
        lane="study",
        at_portal_s=0.0,
        length_m=LENGTH_M,
        speed_m_s=SPEED_M_S,
        suppression=float(random.uniform(*world.suppression)),
        box_m=(float(random.uniform(2.5, 4.5)), 17.5),
    )
    scans = LEAD_IN + math.ceil(LENGTH_M / SPEED_M_S / SCAN_S) + 1 + HOLD_IN
    entered = LEAD_IN - 0.5 + float(random.uniform())  # in scans: the beam breaks within one
    passed_m = (np.arange(scans, dtype=np.float64) - entered) * SCAN_S * SPEED_M_S
    shadow = (rough_shadow if world.rough else physics.shadow)(vehicle, passed_m, random)
    panels_cps = BACKGROUND_CPS * random.dirichlet(np.full(4, 200.0))
    wander = _wander(random, REPORTS * REPORT_SCANS + scans) * world.noise_share
    background_cps, background_s = _background(world, policy, random, panels_cps, wander)
    place_m = float(random.uniform(1.0, LENGTH_M - 1.0))
    source_cps = net_cps * _source(world, passed_m - place_m, random)
    own_shadow = shadow[:, None] * (1.0 + world.panel_shadow * random.standard_normal(4))
    level = 1.0 + wander[-scans:, None]
    rate_cps = level * (1.0 - own_shadow) * panels_cps + source_cps
    measured = SPEED_M_S * (1.0 + 0.02 * float(np.median(random.standard_normal(7))))
    # The way of the beam's middle scan, as fusion.radiation_pass reckons it.
    along_m = (np.arange(scans) - LEAD_IN) * SCAN_S * measured
    length_m = (scans - LEAD_IN - HOLD_IN - 1.0) * SCAN_S * measured
    seen = Pass(
        counts=random.poisson(rate_cps * SCAN_S).astype(np.float64),
        passed_m=np.asarray(passed_m if world.background_known else along_m, np.float64),
        scan_s=SCAN_S,
        background_cps=background_cps,
        background_s=background_s,
        length_m=LENGTH_M if world.background_known else length_m,
        distance_m=DISTANCE_M,
    )
    return StudyPass(seen=seen, place_m=place_m, suppression=vehicle.suppression)


def shipped_sigma(one: StudyPass, policy: RadiationPolicy) -> float:
    """What the portal detector says of the whole pass."""
    return shipped(one, policy).sigma


def shipped(one: StudyPass, policy: RadiationPolicy) -> Profile:
    """All that the portal detector says of the whole pass."""
    return profile_of(one.seen, policy)


def k_sigma(one: StudyPass, _policy: RadiationPolicy) -> float:
    """The field's test: the best second over the frozen background (facts/radiation 2)."""
    counts = one.seen.counts.sum(axis=1)
    background = float(one.seen.background_cps.sum())
    seconds = np.convolve(counts, np.ones(5), "valid")
    return float((seconds.max() - background) / math.sqrt(background))


def matched(one: StudyPass, _policy: RadiationPolicy) -> float:
    """A point's profile at the best place over the frozen background: the bound where nothing is
    shielded (facts/radiation 5.6)."""
    seen = one.seen
    mean = float(seen.background_cps.sum()) * SCAN_S
    places_m = np.arange(-1.0, LENGTH_M + 1.0, 0.25)
    away = seen.passed_m[:, None] - places_m
    profile = (DISTANCE_M**2 / (DISTANCE_M**2 + away**2)) ** 1.5
    score = (seen.counts.sum(axis=1) - mean) @ profile
    return float((score / np.sqrt(mean * (profile**2).sum(axis=0))).max())


Statistic = Callable[[StudyPass, RadiationPolicy], float]


def statistics(
    statistic: Statistic,
    world: World,
    seeds: range,
    net_cps: float,
    say: Callable[[str], None] | None = None,
) -> Iterator[float]:
    """The statistic of each pass; progress is said every 10,000."""
    policy = RadiationPolicy()
    for number, seed in enumerate(seeds):
        if say and number and number % 10_000 == 0:
            say(f"{number:,} of {len(seeds):,} passes")
        yield statistic(study_pass(world, policy, seed, net_cps), policy)


def _wander(random: np.random.Generator, scans: int) -> NDArray[np.float64]:
    """An Ornstein-Uhlenbeck process of unit variance."""
    keep = math.exp(-SCAN_S / NOISE_S)
    kicks = random.standard_normal(scans) * math.sqrt(1.0 - keep * keep)
    value = random.standard_normal()
    found = np.empty(scans)
    for index, kick in enumerate(kicks.tolist()):
        value = value * keep + kick
        found[index] = value
    return found


def _background(
    world: World,
    policy: RadiationPolicy,
    random: np.random.Generator,
    panels_cps: NDArray[np.float64],
    wander: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float]:
    """The running average that was frozen when the vehicle came, and the seconds it is worth."""
    if world.background_known:
        return panels_cps, 1e9
    weight = policy.background_weight
    ages = np.arange(REPORTS)
    weights = weight * (1.0 - weight) ** ages
    weights /= weights.sum()
    level = 1.0 + wander[(REPORTS - 1 - ages) * REPORT_SCANS]
    seconds = policy.background_report_s / float((weights**2).sum())
    mean = panels_cps * float(weights @ level)
    return random.poisson(mean * seconds) / seconds, seconds


def _source(
    world: World, away_m: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.float64]:
    """(scans, 4) rate relative to the peak of all panels; uneven over them by up to 15 %."""
    uneven = 1.0 + random.uniform(-0.15, 0.15, 4)
    aside_m = world.off_middle_m if random.uniform() < 0.5 else -world.off_middle_m
    parts = away_m[:, None, None] - np.linspace(-0.5, 0.5, 33 if world.width_m else 1) * (
        world.width_m
    )
    profiles = []
    for pillar_m in (DISTANCE_M - aside_m, DISTANCE_M + aside_m):
        seen = (pillar_m**2 / (pillar_m**2 + parts**2)) ** world.law / pillar_m**2
        profiles += [seen.mean(axis=-1)[:, 0]] * 2
    rate = np.column_stack(profiles) * uneven
    # The peak of the profile itself: a scan may straddle it.
    peak = sum((uneven[:2] / (DISTANCE_M - aside_m) ** 2).tolist())
    peak += sum((uneven[2:] / (DISTANCE_M + aside_m) ** 2).tolist())
    if world.width_m:
        peak = float(rate.sum(axis=1).max())
    return np.asarray(rate / peak)
