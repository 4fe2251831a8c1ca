"""`portal-neutrons`: the standard's neutron source, and metal cargo that only seems to be one."""

import math
from dataclasses import replace

import numpy as np

from edge.study.figures import Figure, no_alarms
from edge.study.intervals import proportion
from edge.study.packs import Settings
from edge.study.portal_bound import PASSES as BOUND_PASSES
from edge.study.portal_bound import neutron_bound
from edge.study.portal_cases import cases, seeds_of
from edge.study.portal_days import (
    PASSES,
    VERSION,
    Crossing,
    crossings,
    standard_passes,
    traffic,
)
from fusion.evidence import nats_of
from fusion.policy import Policy
from fusion.radiation_policy import RadiationPolicy
from fusion.types import Event
from simulators import radiation_physics as physics
from simulators.scenario import Cargo, Scenario, Source

TRIALS = 60  # facts/radiation 2: the field asks for 59 of them
METAL_PASSES = 3_000
KIND = "rpm-tsa"
MANY = 12  # times the trials, for an interval worth having
SOURCE_MBQ = 0.17  # of Cf-252 that emits 20,000 n/s
NEUTRONS_PER_S = 20_000.0
BACKGROUND_CPS = (2.0, 5.0)  # of the simulated portals, facts/radiation 5.1
FALSE_ALARMS = 1e-5  # a pass, of the bound


def measure(settings: Settings) -> list[Figure]:
    """Found in 60 passes, in more of them, and told of metal cargo without a source."""
    policy = RadiationPolicy()
    number = settings.number or METAL_PASSES
    settings.say(f"{TRIALS * MANY} passes with Cf-252")
    found = [
        one
        for trial in range(MANY)
        for one in crossings(_with_source(settings.seed + trial), policy)
    ]
    figures = _detected(found[:TRIALS], policy, settings.seed, "")
    figures += [
        replace(one, goal="", reached=None)
        for one in _detected(found, policy, settings.seed, ", more passes")
    ]
    figures.append(_bound(settings.seed))
    alone = alarms = passes = 0
    strongest = 0.0
    seed = settings.seed
    while passes < number:
        for one in crossings(_with_metal(seed, min(PASSES, number - passes)), policy):
            sigma = one.strongest("neutron.counts", "neutron_sigma")
            strongest = max(strongest, sigma)
            alone += sigma >= policy.neutron_sigma
            alarms += one.has_neutrons
            passes += 1
        seed += 1
        settings.say(f"{passes:,} of {number:,} passes with metal cargo")
    how = (
        f"{passes:,} passes with 5 to 24 t of metal on {VERSION}, seeds {settings.seed:,}-"
        f"{seed - 1:,}; strongest {strongest:.2f} of {policy.neutron_sigma:g} sigma"
    )
    ships = [
        no_alarms("alarms on ship-effect bursts", alarms, passes, f"any neutron alarm, {how}"),
        no_alarms("alarms on ship-effect bursts, neutrons alone", alone, passes, how),
    ]
    return [*figures, *ships, *_innocent(settings, number // 3, policy)]


def _innocent(settings: Settings, passes: int, policy: RadiationPolicy) -> list[Figure]:
    """Gamma sources that are no neutron source, and happen to go by with a few neutrons."""
    settings.say(f"{passes:,} patients, {passes:,} loads of minerals within metal")
    patients = cases("patient", KIND, settings.seed, passes)
    told = sum(one.judged.neutrons for one in patients)
    last = settings.seed + seeds_of("patient", KIND, settings.seed, passes) - 1
    figures = [_told("patients told as neutrons", told, passes, settings.seed, last)]
    told = done = 0
    seed = settings.seed
    while done < passes:
        day = _with_minerals(seed, min(PASSES, passes - done))
        found = list(crossings(day, policy))
        told += sum(one.has_neutrons for one in found)
        done += len(found)
        seed += 1
    name = "minerals within metal told as neutrons"
    return [*figures, _told(name, told, passes, settings.seed, seed - 1)]


def _told(name: str, told: int, passes: int, first: int, last: int) -> Figure:
    return Figure(
        name=name,
        value=told / passes,
        unit="",
        goal="",
        reached=None,
        how=f"{told} of {passes:,} passes on {VERSION}, seeds {first:,}-{last:,}",
        interval=proportion(told, passes),
    )


def _bound(seed: int) -> Figure:
    peak_cps = NEUTRONS_PER_S * physics.NEUTRON_CPS_PER_N_S / 2.5**2
    share = neutron_bound(seed, peak_cps, BACKGROUND_CPS, FALSE_ALARMS)
    low, high = proportion(round(share * BOUND_PASSES), BOUND_PASSES)
    return Figure(
        name="most that any test of these neutrons alone can find",
        value=share,
        unit="",
        goal="",
        reached=None,
        how=f"likelihood ratio itself at {FALSE_ALARMS:g} a pass: strength, background and way "
        f"known, no bursts; {BOUND_PASSES:,} passes, seed {seed:,}; all of {TRIALS} by chance "
        f"in {share**TRIALS:.1%} of trials",
        interval=(low, high),
    )


def _detected(found: list[Crossing], policy: RadiationPolicy, seed: int, more: str) -> list[Figure]:
    """By neutrons alone, by neutrons and gammas at one place, and by all that is said."""
    alone = sum(
        one.strongest("neutron.counts", "neutron_sigma") >= policy.neutron_sigma for one in found
    )
    joint = sum(one.has_neutrons for one in found)
    both = sum(_threat(one) >= _advisory_line() for one in found)
    how = f"20,000 n/s Cf-252 at 2.5 m, 2.2 m/s, on {VERSION}, seeds from {seed:,}"
    rows = (
        (f"Cf-252 found by neutrons alone{more}", alone, "the test's own line"),
        (f"Cf-252 told as neutrons{more}", joint, "alone, or beside its own gammas"),
        (f"Cf-252 told as a threat{more}", both, "with its own gammas, advisory or higher"),
    )
    return [
        Figure(
            name=name,
            value=float(hits),
            unit=f"of {len(found)}",
            goal=f"{len(found)}",
            reached=hits == len(found),
            how=f"{how}: {line}",
            interval=tuple(share * len(found) for share in proportion(hits, len(found))),  # type: ignore[arg-type]
        )
        for name, hits, line in rows
    ]


def _threat(one: Crossing) -> float:
    """Probability of a threat source among all explanations, from the portal's last words."""
    policy = Policy()
    names = ("norm", "medical", "threat-source", "shielded-source")
    score = {name: policy.scoring.priors_nats[name] for name in names}
    for detection in one.told:
        if detection.final:
            cap = policy.scoring.caps_nats.get(detection.kind, math.inf)
            for name, nats in nats_of(detection).items():
                if name in score:
                    score[name] += min(cap, nats)
    total = 1.0 + sum(math.exp(nats) for nats in score.values())
    return (math.exp(score["threat-source"]) + math.exp(score["shielded-source"])) / total


def _advisory_line() -> float:
    return Policy().alarms.level_lines[Event.RAD_THREAT][0]


def _with_source(seed: int) -> Scenario:
    day = standard_passes(seed, TRIALS, ())
    random = np.random.default_rng((seed, 5))
    vehicles = []
    for vehicle in day.vehicles:
        place_m = float(random.uniform(2.0, 16.0))
        source = Source(
            nuclide="Cf-252",
            activity_mbq=SOURCE_MBQ,
            from_m=place_m,
            to_m=place_m,
            neutrons_per_s=NEUTRONS_PER_S,
        )
        vehicles.append(replace(vehicle, sources=(source,)))
    return replace(day, vehicles=tuple(vehicles))


def _with_metal(seed: int, passes: int) -> Scenario:
    """Scrap, coils, machines: 5 to 24 t, spread or in one piece."""
    day = traffic(seed, passes)
    random = np.random.default_rng((seed, 6))
    vehicles = []
    for vehicle in day.vehicles:
        from_m, to_m = (4.5, vehicle.length_m - 0.5) if vehicle.length_m > 8.0 else (1.0, 3.5)
        length_m = float(random.uniform(0.3, 1.0)) * (to_m - from_m)
        start_m = float(random.uniform(from_m, to_m - length_m))
        mass_t = float(random.uniform(5.0, 24.0))
        block = Cargo(
            kind="scrap",
            material="steel",
            density_g_cm3=mass_t / (length_m * 1.2 * 2.2),
            from_m=start_m,
            to_m=start_m + length_m,
            top_m=1.2,
        )
        vehicles.append(replace(vehicle, cargo=(block,)))
    return replace(day, vehicles=tuple(vehicles))


def _with_minerals(seed: int, passes: int) -> Scenario:
    """The same with something natural in all of the metal, weak or strong."""
    day = _with_metal(seed, passes)
    random = np.random.default_rng((seed, 9))
    vehicles = []
    for vehicle in day.vehicles:
        block = vehicle.cargo[0]
        # What is long absorbs most of its own radiation: both come to some 100 to 10,000 cps.
        short = block.to_m - block.from_m < physics.SPREAD_M
        least_mbq, most_mbq = (0.3, 8.0) if short else (2.0, 100.0)
        activity_mbq = math.exp(random.uniform(math.log(least_mbq), math.log(most_mbq)))
        ore = Source(
            nuclide="NORM",
            activity_mbq=activity_mbq,
            from_m=block.from_m,
            to_m=block.to_m,
        )
        vehicles.append(replace(vehicle, sources=(ore,)))
    return replace(day, vehicles=tuple(vehicles))
