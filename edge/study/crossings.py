"""Simulated traffic from portals to a scanner, as times and lengths alone.

No physics of sensors: what a portal and a scanner tell of when a vehicle came and how long it is,
with their errors, from a seed. Made for measuring which scans are paired with which vehicles.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

VERSION = "crossings/1"
SCANNER_M = 25.0  # from the portal's beam to the scanner's
TRUCK_M, CAR_M, CAR_SHARE = (15.0, 22.0), (3.8, 5.5), 0.2
SPEED_M_S = (1.4, 3.0)
SPEED_ERROR, LENGTH_ERROR_M = 0.02, 0.4  # of a portal: TSA speed records, 0.2 s at 2 m/s
SCAN_ERROR_M = 0.3
START_ERROR_S = 0.2
ROLL_ERROR = 0.12  # a driver's speed from portal to scanner, over that in the portal
UNMEASURED_SHARE = 0.1  # vehicles without a speed, and scans that were cut off
HOLD_IN_S = 2.0  # what follows sooner is held as one occupancy
LONGEST_S = 80.0  # nobody stands for longer on the way
CLEAR_S = 1.5  # the scanner's tunnel is clear again
TOLD_S = 4.0  # from the end of a scan to its findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """How the vehicles of a stream behave."""

    per_h: float = 45.0
    """In each lane."""
    lanes: int = 1
    close_share: float = 0.0
    """Vehicles that follow the one before within 2 to 4 s."""
    skip_share: float = 0.0
    overtaking_share: float = 0.0
    """Vehicles that are scanned before the one that was ahead of them in the lane."""
    stop_share: float = 0.02
    """Drivers who stop on the way for up to a minute."""
    stray_share: float = 0.01
    """Scans of a vehicle that no portal has counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupancy:
    """What a portal tells."""

    number: int
    lane: int
    start_s: float
    end_s: float
    length_m: float
    """0: not measured."""
    speed_m_s: float
    vehicles: tuple[int, ...]
    """Who was in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What the scanner tells."""

    start_s: float
    end_s: float
    length_m: float
    """0: not known."""
    vehicle: int
    """Who was in it; -1: somebody whom no portal has counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vehicle:
    number: int
    lane: int
    at_s: float
    length_m: float
    speed_m_s: float
    scan_s: float

    @property
    def clear_s(self) -> float:
        return self.at_s + self.length_m / self.speed_m_s


def stream(seed: int, mix: Mix, vehicles: int) -> tuple[list[Occupancy], list[Scanned]]:
    """So many vehicles, as the portals and the scanner tell of them; each in order of time."""
    random = Random(seed)
    everyone: list[_Vehicle] = []
    for lane in range(mix.lanes):
        everyone += _lane(random, mix, lane, vehicles // mix.lanes, len(everyone))
    occupancies = [
        occupancy
        for lane in range(mix.lanes)
        for occupancy in _held([one for one in everyone if one.lane == lane], random)
    ]
    occupancies.sort(key=lambda one: one.start_s)
    numbered = [replace(one, number=i) for i, one in enumerate(occupancies)]
    return numbered, _scans(random, mix, everyone)


def _lane(random: Random, mix: Mix, lane: int, vehicles: int, first: int) -> list[_Vehicle]:
    found: list[_Vehicle] = []
    ready_s = 0.0
    for number in range(first, first + vehicles):
        gap_s = random.expovariate(mix.per_h / 3600.0) if vehicles else 0.0
        if found and random.random() < mix.close_share:
            gap_s = random.uniform(2.0, 4.0)
        at_s = ready_s + max(gap_s, 2.0)
        length_m = random.uniform(*(CAR_M if random.random() < CAR_SHARE else TRUCK_M))
        speed_m_s = random.uniform(*SPEED_M_S)
        rolls_m_s = speed_m_s * random.gauss(1.0, ROLL_ERROR)
        scan_s = at_s + SCANNER_M / max(rolls_m_s, 0.7)
        if random.random() < mix.stop_share:
            scan_s += random.uniform(5.0, 60.0)
        one = _Vehicle(
            number=number,
            lane=lane,
            at_s=at_s,
            length_m=length_m,
            speed_m_s=speed_m_s,
            scan_s=scan_s,
        )
        found.append(one)
        ready_s = one.clear_s
    return _in_file(random, mix, found)


def _in_file(random: Random, mix: Mix, vehicles: list[_Vehicle]) -> list[_Vehicle]:
    """Nobody is scanned before who was ahead, but for those who overtake."""
    ordered: list[_Vehicle] = []
    for one in vehicles:
        ahead_s = ordered[-1].scan_s if ordered else 0.0
        if ordered and random.random() < mix.overtaking_share:
            before = ordered.pop()
            # Who was ahead stands beside the lane until the other is past.
            scan_s = max(one.scan_s, ordered[-1].scan_s + 0.1 if ordered else 0.0)
            last_s = max(before.scan_s, scan_s + 0.1)
            if last_s < before.at_s + LONGEST_S:
                ordered += [replace(one, scan_s=scan_s), replace(before, scan_s=last_s)]
                continue
            ordered.append(before)
        ordered.append(replace(one, scan_s=max(one.scan_s, ahead_s + 0.1)))
    return ordered


def _held(vehicles: list[_Vehicle], random: Random) -> Iterator[Occupancy]:
    """What the beam makes of a lane's vehicles."""
    vehicles = sorted(vehicles, key=lambda one: one.at_s)
    groups: list[list[_Vehicle]] = [[one] for one in vehicles[:1]]
    for before, one in pairwise(vehicles):
        if one.at_s - before.clear_s <= HOLD_IN_S:
            groups[-1].append(one)
        else:
            groups.append([one])
    for group in groups:
        first, last = group[0], group[-1]
        speed_m_s = first.speed_m_s * random.gauss(1.0, SPEED_ERROR)
        length_m = speed_m_s * (last.clear_s - first.at_s) + random.gauss(0.0, LENGTH_ERROR_M)
        known = random.random() >= UNMEASURED_SHARE
        yield Occupancy(
            number=0,
            lane=first.lane,
            start_s=first.at_s + random.uniform(0.0, START_ERROR_S),
            end_s=last.clear_s,
            length_m=max(1.0, length_m) if known else 0.0,
            speed_m_s=speed_m_s if known else 0.0,
            vehicles=tuple(one.number for one in group),
        )


def _scans(random: Random, mix: Mix, everyone: list[_Vehicle]) -> list[Scanned]:
    """One after another, as the tunnel is clear."""
    found: list[Scanned] = []
    free_s = 0.0
    for one in sorted(everyone, key=lambda one: (one.scan_s, one.number)):
        stray = random.random() < mix.stray_share
        if stray:
            other = replace(one, number=-1, scan_s=one.scan_s + random.uniform(-60.0, 60.0))
            if other.scan_s > free_s:
                found.append(_scan(random, other, other.scan_s))
                free_s = found[-1].end_s + CLEAR_S
        if random.random() < mix.skip_share:
            continue
        found.append(_scan(random, one, max(one.scan_s, free_s)))
        free_s = found[-1].end_s + CLEAR_S
    return sorted(found, key=lambda scan: scan.start_s)


def _scan(random: Random, one: _Vehicle, start_s: float) -> Scanned:
    length_m = one.length_m + random.gauss(0.0, SCAN_ERROR_M)
    return Scanned(
        start_s=start_s + random.uniform(0.0, START_ERROR_S),
        end_s=start_s + one.length_m / one.speed_m_s,
        length_m=0.0 if random.random() < UNMEASURED_SHARE else max(1.0, length_m),
        vehicle=one.number,
    )
