"""The light barrier of a four-panel portal: which vehicles it takes for one occupancy, and when."""

import math
from dataclasses import dataclass

from simulators.scenario import Vehicle

TICK_MS = 200  # facts 1.1: one gamma scan
HOLD_IN_TICKS = 10  # as SG1 of the setup says


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupancy:
    """Vehicles so close together that the beam's hold-in joins them."""

    vehicles: tuple[Vehicle, ...]
    first_tick: int
    last_tick: int


def occupancies(vehicles: tuple[Vehicle, ...]) -> list[Occupancy]:
    """Those of a lane's passages, in order."""
    spans = [(*span, vehicle) for vehicle in vehicles for span in vehicle.in_beam_s()]
    found: list[Occupancy] = []
    for broken_s, clear_s, vehicle in sorted(spans, key=lambda span: span[0]):
        # At least its second tick: the setup block and the buffered second come before.
        first = max(1, math.ceil(broken_s * 1000 / TICK_MS))
        last = math.ceil(clear_s * 1000 / TICK_MS) + HOLD_IN_TICKS
        joined: tuple[Vehicle, ...] = (vehicle,)
        if found and first <= found[-1].last_tick:
            before = found.pop()
            joined, first = (*before.vehicles, vehicle), before.first_tick
            last = max(last, before.last_tick)
        found.append(Occupancy(vehicles=joined, first_tick=first, last_tick=last))
    return found
