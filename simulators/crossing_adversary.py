"""Tricks of somebody who knows the sensors: decoys, a source in two trucks, jamming, good timing.

Each trick is a stratum of its own. Those at the lanes say which vehicles come, those at the fences
add what happens, as in `crossing_ground`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random

from simulators import loads_radioactive as radioactive
from simulators.crossing import DETOURS, HALLS, Fence, Hour
from simulators.crossing_ground import CROSSES_M, ON_FOOT, Scene, bypass
from simulators.crossing_loads import LoadMaker, bare_source, half_source, shielded_source
from simulators.crossing_nuisances import nuisance, on_road
from simulators.crossing_traffic import Wanted
from simulators.loads import Load
from simulators.movers import Mover
from simulators.scenario import Fault

SOON_S = 0.01  # takes the very next place in the lane
JAMMER_M = 3.0
BYPASS_TO_SENSOR_M = 130.0
BEHIND_S = (4.0, 10.0)
HEAVY_ROAD_M = 60.0
Plot = Callable[[Random, float], list[Wanted]]
"""The vehicles of a trick, from a time on."""


# --- at the lanes ------------------------------------------------------------------------


def shared_source(random: Random, at_s: float) -> list[Wanted]:
    """Half of it in each of two trucks, one close behind the other."""
    del random
    return [
        Wanted(at_s=at_s, make=half_source),
        Wanted(at_s=at_s + SOON_S, make=half_source, manner="close"),
    ]


def behind_norm(random: Random, at_s: float) -> list[Wanted]:
    """A source close behind a truck that is radioactive by nature, and lawful."""
    del random
    return [
        Wanted(at_s=at_s, make=radioactive.any_norm, detail="decoy"),
        Wanted(at_s=at_s + SOON_S, make=_named(bare_source, "behind-norm"), manner="close"),
    ]


def swapped(random: Random, at_s: float) -> list[Wanted]:
    """A shielded source that changes places with another truck before the scanner."""
    manner = random.choice(("waits", "overtakes"))
    return [Wanted(at_s=at_s, make=_named(shielded_source, "swapped-source"), manner=manner)]


def blinded(random: Random, at_s: float) -> list[Wanted]:
    """A source whose lane's portal fails just before it comes, and is well again soon after."""
    del random
    return [Wanted(at_s=at_s, make=_named(bare_source, "blinded-portal"))]


def _named(make: LoadMaker, name: str) -> LoadMaker:
    def renamed(random: Random) -> Load:
        load = make(random)
        events = (*load.events, "SENSOR_TAMPER") if name == "blinded-portal" else load.events
        return replace(load, name=name, events=events)

    return renamed


OF_LANES: Mapping[str, Plot] = {
    "shared-source": shared_source,
    "behind-norm": behind_norm,
    "swapped-source": swapped,
    "blinded-portal": blinded,
}


# --- around the portals ------------------------------------------------------------------

BYPASS = "bypass-with-truck"


def bypasses_with_truck(made: Hour, random: Random, count: int) -> None:
    """Around a hall's portals, past its ground sensor while a truck is in one of its beams."""
    trucks = [one for one in made.vehicles if one.length_m > 10.0 and one.at_portal_s > 130.0]
    for truck in random.sample(trucks, min(count, len(trucks))):
        (hall,) = (hall for hall in HALLS if truck.lane.startswith(hall))
        speed_m_s = random.uniform(4.0, 9.0)
        from_s, to_s = truck.in_beam_s()[0]
        at_s = (from_s + to_s) / 2 - BYPASS_TO_SENSOR_M / speed_m_s
        bypass(made, random, DETOURS[hall], at_s, name=BYPASS, speed_m_s=speed_m_s)


# --- at the fences -----------------------------------------------------------------------


def jammed(made: Hour, random: Random, fence: Fence, at_s: float) -> float:
    """An engine runs beside the sensor that somebody crosses the line at."""
    east_m, north_m = random.choice(fence.places_m)
    walker = _crosses(random, fence, at_s + random.uniform(20.0, 60.0), north_m)
    spot = (east_m + JAMMER_M, north_m)
    jammer = Mover(
        mover_id="",
        kind="generator",
        zone=fence.zone,
        start_s=at_s,
        start_m=spot,
        end_m=spot,
        lasts_s=walker.end_s + 20.0 - at_s,
        size=random.uniform(0.5, 2.0),
    )
    made.move(jammer, "jammer", ("SENSOR_FAULT", "SENSOR_TAMPER"))
    made.move(walker, "jammed-walk", ON_FOOT)
    return jammer.end_s


def with_truck(made: Hour, random: Random, fence: Fence, at_s: float) -> float:
    """Somebody is at the line just when a truck passes on a road 60 m off."""
    truck = on_road(random, fence, "truck", at_s, HEAVY_ROAD_M)
    made.move(truck, "road", ())
    north_m = random.uniform(fence.places_m[0][1], fence.places_m[-1][1])
    walker = _crosses(random, fence, at_s, north_m)
    middle_s = (truck.start_s + truck.end_s) / 2
    late_s = max(0.0, middle_s - (walker.start_s + walker.end_s) / 2)
    walker = replace(walker, start_s=walker.start_s + late_s)
    made.move(walker, "walk-with-truck", ON_FOOT)
    return max(truck.end_s, walker.end_s)


def behind_animal(made: Hour, random: Random, fence: Fence, at_s: float) -> float:
    """Somebody walks some metres behind a horse."""
    north_m = random.uniform(fence.places_m[0][1], fence.places_m[-1][1])
    walker = _crosses(random, fence, at_s + random.uniform(*BEHIND_S), north_m)
    horse = replace(
        walker, kind="horse", manner="walk", start_s=at_s, mass_kg=random.uniform(350.0, 550.0)
    )
    made.move(horse, "horse", ("ANIMAL",), "decoy")
    made.move(walker, "behind-animal", (*ON_FOOT, "ANIMAL"))
    return walker.end_s


def after_knocks(made: Hour, random: Random, fence: Fence, at_s: float) -> float:
    """Somebody knocks about until nobody listens any more; then another walks."""
    nuisance(made, random, fence, "knocks", at_s)
    north_m = random.uniform(fence.places_m[0][1], fence.places_m[-1][1])
    walker = _crosses(random, fence, at_s + random.uniform(20.0, 60.0), north_m)
    made.move(walker, "after-knocks", ON_FOOT)
    return walker.end_s


def cut_link(made: Hour, random: Random, fence: Fence, at_s: float) -> float:
    """Somebody crosses the line at a sensor whose link has just been cut."""
    number = random.randrange(fence.sensors)
    walker = _crosses(random, fence, at_s + random.uniform(3.0, 15.0), fence.places_m[number][1])
    cut = Fault(
        sensor_id=f"{fence.prefix}-{number + 1:02d}",
        kind="silent",
        start_s=at_s,
        end_s=walker.end_s + random.uniform(5.0, 30.0),
    )
    made.fail(cut, fence.zone, ("SENSOR_SILENT", "SENSOR_FAULT", "SENSOR_TAMPER"), detail="cut")
    made.move(walker, "cut-link", ON_FOOT)
    return cut.end_s


def _crosses(random: Random, fence: Fence, at_s: float, north_m: float) -> Mover:
    """One person over the line, there."""
    east_m, _ = fence.middle_m
    away_m = random.choice((-CROSSES_M, CROSSES_M))
    return Mover(
        mover_id="",
        kind="person",
        zone=fence.zone,
        start_s=at_s,
        start_m=(east_m - away_m, north_m),
        end_m=(east_m + away_m, north_m + random.uniform(-5.0, 5.0)),
        speed_m_s=random.uniform(1.0, 1.7),
        mass_kg=random.uniform(50.0, 100.0),
    )


OF_FENCES: Mapping[str, Scene] = {
    "jammed-walk": jammed,
    "walk-with-truck": with_truck,
    "behind-animal": behind_animal,
    "after-knocks": after_knocks,
    "cut-link": cut_link,
}
