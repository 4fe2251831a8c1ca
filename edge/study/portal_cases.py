"""Kinds of traffic with known truth: what calibrations are fitted on and months are made of.

A stratum is traffic of one cause alone, with the rain, the stops and the close followers of the
whole (`simulators.traffic`). Rare causes get as many passes as common ones, and weights put them
back in proportion.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random

from edge.study.portal_chain import Judged, judged
from fusion.policy import Policy
from simulators import loads_radioactive as radioactive
from simulators.catalog import KINDS
from simulators.scenario import Cargo, Scenario, Source, Truth, Vehicle
from simulators.traffic import FIELD, Mix, any_threat, hour

LANE = "nb-01"
GAP_S = 18.0  # vacant between vehicles: longer than the k-sigma test's background takes to refresh
HOURS = 720  # of the month that the weather is taken from
CAB_M = 3.5  # from the front: where a driver sits
CAB_SHARE = 0.2  # 3.5 m of 18 m: who smuggles may have it beside the seat
PIG_M = 0.5  # length of a lead container

NOBODY = replace(FIELD, norm_share=0.0, patient_share=0.0, threat_share=0.0)
MIXES: Mapping[str, Mix] = {
    "clean": NOBODY,
    "norm": replace(NOBODY, norm_share=1.0, car_share=0.0),
    "patient": replace(NOBODY, patient_share=1.0),
    "threat": replace(NOBODY, threat_share=1.0),
    "threat in norm": replace(NOBODY, norm_share=1.0, car_share=0.0),
    "threat anywhere": replace(NOBODY, threat_share=1.0),
    "container": replace(NOBODY, threat_share=1.0),
}
"""Stratum to traffic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One vehicle that has passed a portal of the simulator."""

    stratum: str
    cause: str
    """Commodity, nuclide, or what shields which source."""
    explanation: str
    """The right one, or `"nothing"`."""
    judged: Judged


def cases(
    stratum: str, kind: str, seed: int, number: int, policy: Policy | None = None
) -> Iterator[Case]:
    """So many passes of a stratum at a portal of that kind, an hour a seed from `seed` on."""
    done = 0
    while done < number:
        scenario = scenario_of(stratum, kind, seed, number - done)
        for one in judged(scenario, f"{kind}-{LANE}", policy):
            yield Case(
                stratum=stratum,
                cause=cause_of(one.truth, one.vehicle),
                explanation=explanation_of(one.truth),
                judged=one,
            )
            done += 1
        seed += 1


def seeds_of(stratum: str, kind: str, seed: int, number: int) -> int:
    """How many seeds `cases` takes for so many passes."""
    done = seeds = 0
    while done < number:
        done += len(scenario_of(stratum, kind, seed + seeds, number - done).vehicles)
        seeds += 1
    return seeds


def scenario_of(stratum: str, kind: str, seed: int, most: int) -> Scenario:
    """An hour of the stratum's traffic with at most so many vehicles."""
    made = hour(seed, seed % HOURS, lane=LANE, mix=MIXES[stratum], gap_s=GAP_S, kinds=(kind,))
    made = first_of(made, most)
    change = CHANGES.get(stratum)
    if change is None:
        return made
    random = Random(f"{stratum}/{seed}")
    pairs = [
        change(random, vehicle, truth)
        for vehicle, truth in zip(made.vehicles, made.truth, strict=True)
    ]
    return replace(made, vehicles=tuple(v for v, _ in pairs), truth=tuple(t for _, t in pairs))


def first_of(made: Scenario, most: int) -> Scenario:
    """The scenario until so many vehicles have passed."""
    if len(made.vehicles) <= most:
        return made
    kept = made.vehicles[:most]
    ends_s = kept[-1].in_beam_s()[-1][1] + 20.0
    return replace(made, vehicles=kept, truth=made.truth[:most], duration_s=ends_s)


def version_of(kind: str) -> str:
    """Which simulator a figure rests on."""
    return KINDS[kind].version


def explanation_of(truth: Truth) -> str:
    """What the engine should say of it."""
    if truth.name in ("industrial", "special"):
        return "threat-source" if truth.detail == "bare" else "shielded-source"
    names = {
        "norm": "norm",
        "patient": "medical",
        "neutron": "threat-source",
        "container": "shielded-source",
    }
    return names.get(truth.name, "nothing")


def cause_of(truth: Truth, vehicle: Vehicle) -> str:
    """The commodity, the nuclide, or the source and its shield."""
    if truth.name == "norm":
        return truth.detail
    if truth.name == "patient":
        return truth.nuclides[0]
    if truth.name in ("industrial", "special"):
        return f"{truth.nuclides[0]} {truth.detail}"
    if truth.name == "neutron":
        return f"neutrons {truth.detail}"
    if truth.name == "container":
        return "container"
    return "scrap" if truth.detail == "scrap" else "car" if vehicle.length_m < 8.0 else "truck"


Change = Callable[[Random, Vehicle, Truth], tuple[Vehicle, Truth]]


def _hidden(random: Random, vehicle: Vehicle, truth: Truth) -> tuple[Vehicle, Truth]:
    """One of the threat set within the load that is there already."""
    threat = any_threat(random)
    from_m, to_m = vehicle.sources[0].from_m, vehicle.sources[0].to_m
    place_m = random.uniform(from_m, to_m)
    moved = tuple(replace(one, from_m=place_m, to_m=place_m) for one in threat.sources)
    carrying = replace(vehicle, sources=(*vehicle.sources, *moved))
    told = replace(
        truth,
        name=threat.name,
        events=threat.events,
        nuclides=threat.nuclides,
        detail=threat.detail,
    )
    return carrying, told


def _anywhere(random: Random, vehicle: Vehicle, truth: Truth) -> tuple[Vehicle, Truth]:
    """The same source in the cab as often as anywhere else along the vehicle."""
    if random.random() >= CAB_SHARE:
        return vehicle, truth
    place_m = random.uniform(0.5, CAB_M)
    moved = tuple(replace(one, from_m=place_m, to_m=place_m) for one in vehicle.sources)
    return replace(vehicle, sources=moved), truth


def _container(random: Random, vehicle: Vehicle, truth: Truth) -> tuple[Vehicle, Truth]:
    """Cs-137 in a lead pig that lets hardly anything out but stops what comes from beyond it."""
    load = radioactive.shielded_source(random)
    place_m = load.sources[0].from_m
    pig = Cargo(
        kind="object",
        material="lead",
        density_g_cm3=11.35,
        from_m=place_m - PIG_M / 2,
        to_m=place_m + PIG_M / 2,
        bottom_m=0.3,
        top_m=0.3 + random.uniform(0.4, 1.2),
        width_m=random.uniform(0.2, 0.5),
    )
    sources: tuple[Source, ...] = load.sources
    carrying = replace(vehicle, sources=sources, cargo=(*load.cargo, pig))
    told = replace(truth, name="container", nuclides=load.nuclides, detail="lead")
    return carrying, told


CHANGES: Mapping[str, Change] = {
    "threat in norm": _hidden,
    "threat anywhere": _anywhere,
    "container": _container,
}
