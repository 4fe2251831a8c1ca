"""Who crosses the ground of the crossing where nobody should: on foot, in vehicles, digging."""

import math
from collections.abc import Callable, Mapping
from random import Random

from simulators.crossing import Detour, Fence, Hour
from simulators.movers import Mover

AWAY_M = 30.0  # beyond a line's ends, where a walk along it begins
CROSSES_M = 35.0
ON_FOOT = ("PERSON", "GROUP")
Place = tuple[float, float]
Ends = tuple[Place, Place]
Scene = Callable[[Hour, Random, Fence, float], float]
"""Adds what happens at a fence from a time on; returns when it is over."""


# --- on foot -----------------------------------------------------------------------------


def walk(
    random: Random, fence: Fence, at_s: float, kind: str, speed_m_s: tuple[float, float]
) -> Mover:
    """Somebody along the line, some metres beside it, or over it between two sensors."""
    east_m, _ = fence.middle_m
    first_m, last_m = fence.places_m[0][1], fence.places_m[-1][1]
    if random.random() < 0.5:
        beside_m = east_m + random.choice((-1.0, 1.0)) * random.uniform(2.0, 6.0)
        ends = ((beside_m, first_m - AWAY_M), (beside_m, last_m + AWAY_M))
    else:
        north_m = random.uniform(first_m, last_m)
        slant_m = random.uniform(-8.0, 8.0)
        ends = ((east_m - CROSSES_M, north_m), (east_m + CROSSES_M, north_m + slant_m))
    if random.random() < 0.5:
        ends = ends[::-1]
    return Mover(
        mover_id="",
        kind=kind,
        zone=fence.zone,
        start_s=at_s,
        start_m=ends[0],
        end_m=ends[1],
        speed_m_s=random.uniform(*speed_m_s),
        mass_kg=random.uniform(50.0, 100.0),
        count=random.randint(2, 5) if kind == "group" else 1,
    )


def _on_foot(kind: str, speed_m_s: tuple[float, float]) -> Scene:
    def scene(hour: Hour, random: Random, fence: Fence, at_s: float) -> float:
        mover = walk(random, fence, at_s, kind, speed_m_s)
        hour.move(mover, kind, ("GROUP", "PERSON") if kind == "group" else ON_FOOT, _way(mover))
        return mover.end_s

    return scene


def _way(mover: Mover) -> str:
    """Where it goes, for the label's detail."""
    north_m = mover.end_m[1] - mover.start_m[1]
    if abs(north_m) < abs(mover.end_m[0] - mover.start_m[0]):
        return "across"
    return "northward" if north_m > 0.0 else "southward"


def digging(hour: Hour, random: Random, fence: Fence, at_s: float) -> float:
    """Somebody digs near a sensor for a minute or two."""
    east_m, north_m = random.choice(fence.places_m)
    spot = (east_m + random.choice((-1.0, 1.0)) * random.uniform(3.0, 10.0), north_m)
    mover = Mover(
        mover_id="",
        kind="digging",
        zone=fence.zone,
        start_s=at_s,
        start_m=spot,
        end_m=spot,
        lasts_s=random.uniform(60.0, 130.0),
    )
    hour.move(mover, "digging", ("DIGGING", "PERSON"))
    return mover.end_s


# --- vehicles ----------------------------------------------------------------------------


def off_lane(hour: Hour, random: Random, fence: Fence, at_s: float) -> float:
    """A vehicle where none should be, along the fence or over it."""
    mover = _vehicle(random, fence, at_s, _way_of_vehicle(random, fence))
    hour.move(mover, "vehicle", ("VEHICLE_OFF_LANE",))
    return mover.end_s


def drop_off(hour: Hour, random: Random, fence: Fence, at_s: float) -> float:
    """A car stops beside the line; somebody gets out and walks along it; the car leaves."""
    stop_m = _stop(random, fence)
    comes = _vehicle(random, fence, at_s, (_from(stop_m), stop_m), kind="car")
    hour.move(comes, "drop-off-car", ("VEHICLE_OFF_LANE", "DROP_OFF"), "comes")
    out_s = comes.end_s + random.uniform(4.0, 12.0)
    walker = _walker_at(random, fence, out_s, stop_m, away=True)
    hour.move(walker, "drop-off", ("DROP_OFF", *ON_FOOT), _way(walker))
    goes_s = out_s + random.uniform(5.0, 20.0)
    goes = _vehicle(random, fence, goes_s, (stop_m, _from(stop_m)), kind="car")
    hour.move(goes, "drop-off-car", ("VEHICLE_OFF_LANE", "DROP_OFF"), "goes")
    return max(walker.end_s, goes.end_s)


def pick_up(hour: Hour, random: Random, fence: Fence, at_s: float) -> float:
    """Somebody walks along the line to a car that has stopped there; the car leaves with them."""
    stop_m = _stop(random, fence)
    comes = _vehicle(random, fence, at_s, (_from(stop_m), stop_m), kind="car")
    hour.move(comes, "pick-up-car", ("VEHICLE_OFF_LANE", "DROP_OFF"), "comes")
    from_s = max(at_s, comes.end_s - random.uniform(-5.0, 20.0))
    walker = _walker_at(random, fence, from_s, stop_m, away=False)
    hour.move(walker, "pick-up", ("DROP_OFF", *ON_FOOT), _way(walker))
    goes_s = max(walker.end_s, comes.end_s) + random.uniform(3.0, 10.0)
    goes = _vehicle(random, fence, goes_s, (stop_m, _from(stop_m)), kind="car")
    hour.move(goes, "pick-up-car", ("VEHICLE_OFF_LANE", "DROP_OFF"), "goes")
    return goes.end_s


def bypass(
    hour: Hour,
    random: Random,
    detour: Detour,
    at_s: float,
    *,
    name: str = "portal-bypass",
    speed_m_s: float = 0.0,
) -> float:
    """A vehicle drives beside the hall, past no portal; 0: at any speed."""
    north = random.random() < 0.5
    ends = ((detour.east_m, -130.0), (detour.east_m, 130.0))
    mover = Mover(
        mover_id="",
        kind="car",
        zone=detour.lane,
        start_s=at_s,
        start_m=ends[0] if north else ends[1],
        end_m=ends[1] if north else ends[0],
        speed_m_s=speed_m_s or random.uniform(4.0, 9.0),
        mass_kg=random.uniform(1_500.0, 9_000.0),
    )
    hour.move(mover, name, ("PORTAL_BYPASS", "VEHICLE_OFF_LANE"))
    return mover.end_s


def _stop(random: Random, fence: Fence) -> Place:
    """Where a car stops: beside the line's southern half."""
    side = random.choice((-1.0, 1.0))
    near = random.choice(fence.places_m[: max(1, fence.sensors // 2)])
    return near[0] + side * random.uniform(5.0, 12.0), near[1] + random.uniform(-5.0, 5.0)


def _walker_at(random: Random, fence: Fence, at_s: float, stop_m: Place, *, away: bool) -> Mover:
    """From the car past the line's northern end, or from there to it."""
    side = math.copysign(random.uniform(2.0, 5.0), stop_m[0] - fence.middle_m[0])
    far_m = (fence.middle_m[0] + side, fence.places_m[-1][1] + random.uniform(5.0, 25.0))
    count = random.choice((1, 1, 2, 3))
    return Mover(
        mover_id="",
        kind="group" if count > 1 else "person",
        zone=fence.zone,
        start_s=at_s,
        start_m=stop_m if away else far_m,
        end_m=far_m if away else stop_m,
        speed_m_s=random.uniform(1.0, 1.7),
        mass_kg=random.uniform(50.0, 100.0),
        count=count,
    )


def _from(stop_m: Place) -> Place:
    """Where a car that stops there comes from, and goes back to."""
    return stop_m[0], stop_m[1] - 150.0


def _way_of_vehicle(random: Random, fence: Fence) -> Ends:
    east_m, middle_m = fence.middle_m
    if random.random() < 0.5:
        beside_m = east_m + random.choice((-1.0, 1.0)) * random.uniform(5.0, 20.0)
        return (beside_m, middle_m - 150.0), (beside_m, middle_m + 150.0)
    north_m = random.uniform(fence.places_m[0][1], fence.places_m[-1][1])
    return (east_m - 150.0, north_m), (east_m + 150.0, north_m + random.uniform(-30.0, 30.0))


def _vehicle(
    random: Random,
    fence: Fence,
    at_s: float,
    ends: Ends,
    kind: str = "vehicle",
) -> Mover:
    return Mover(
        mover_id="",
        kind=kind,
        zone=fence.zone,
        start_s=at_s,
        start_m=ends[0],
        end_m=ends[1],
        speed_m_s=random.uniform(5.0, 11.0),
        mass_kg=random.uniform(1_500.0, 3_500.0),
    )


OF_FENCES: Mapping[str, Scene] = {
    "person": _on_foot("person", (0.9, 1.8)),
    "group": _on_foot("group", (0.9, 1.6)),
    "runner": _on_foot("runner", (2.6, 4.0)),
    "stealth": _on_foot("stealth", (0.4, 0.9)),
    "drop-off": drop_off,
    "pick-up": pick_up,
    "digging": digging,
    "vehicle": off_lane,
}
"""Stratum to what adds it at a fence."""
