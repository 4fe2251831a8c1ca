"""What the scans of one scanner say of the vehicles that may be in them, as weights.

Weights for `fusion.lane_order`: when each vehicle should have come, given that the tunnel takes one
at a time, how long it is in the portal and in the picture, and who was before whom.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fusion.associate import Lane, Transit
from fusion.association_policy import AssociationPolicy
from fusion.lane_order import Queue
from fusion.scan_timing import ScanTiming
from fusion.types import SECOND_NS

HOUR_S = 3600.0
LEAST_STRAYS_PER_S = 1e-9  # a weight of nothing would leave a scan without any vehicle
BETWEEN_M = 2.0  # two vehicles in one occupancy are at least so far apart
PAUSE_NS = 6 * SECOND_NS  # who waits before a tunnel drives in within this


class Place(NamedTuple):
    """Where a scan's evidence can go."""

    transit: Transit
    seat: int
    """1: the second vehicle of two in one occupancy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What of a scan tells whose it is."""

    start_utc_ns: int
    end_utc_ns: int
    length_m: float
    """0: not known, or not all of it was seen."""
    is_timed: bool
    """False: it is of a backlog, and its time is that of its arrival."""


@dataclass(slots=True)
class Vehicle:
    """A counted vehicle that may be scanned."""

    place: Place
    timing: ScanTiming
    joined: float
    """How likely it is that two vehicles are in its occupancy."""
    fits: list[float] = field(default_factory=list)
    """Of each scan: density of that vehicle's being scanned then, and looking like this."""

    @property
    def scanned(self) -> float:
        """How likely it is that it is there and does not drive past the scanner."""
        share = 1.0 - self.timing.skip_share
        return share * self.joined if self.place.seat else share

    @property
    def order(self) -> tuple[int, str, int, int]:
        """By when they should be scanned; those of one lane are in the portal's order."""
        start_utc_ns = self.place.transit.entered_utc_ns
        usual_utc_ns = start_utc_ns + round(self.timing.usual_s * SECOND_NS)
        return usual_utc_ns, self.place.transit.lane.lane_id, start_utc_ns, self.place.seat

    def since_s(self, utc_ns: int, length_m: float = 0.0) -> float:
        """Seconds from its coming into the beam; of a second vehicle of that length."""
        transit = self.place.transit
        since_s = (utc_ns - transit.entered_utc_ns) / SECOND_NS
        if not self.place.seat:
            return since_s
        ahead_m = transit.length_m - length_m if length_m > 0.0 else 0.5 * transit.length_m
        return since_s - ahead_m / transit.speed_m_s


def vehicles_of(
    lane: Lane, timing: ScanTiming, scans: Sequence[Seen], policy: AssociationPolicy
) -> list[Vehicle]:
    """All of a lane that its portal has counted and that may be in one of the scans.

    scans  at least one, in order of time
    """
    busy = stretches(scans)
    found = []
    for transit in lane.transits:
        if not transit.by_portal or not in_time(transit, scans):
            continue
        joined = _joined(transit, policy)
        for seat in range(2 if joined > 0.0 else 1):
            vehicle = Vehicle(Place(transit, seat), timing, joined)
            vehicle.fits = [
                _fit(vehicle, scan, since, policy) for scan, since in zip(scans, busy, strict=True)
            ]
            if not seat or any(vehicle.fits):
                found.append(vehicle)
    return found


def queue_of(
    vehicles: Sequence[Vehicle], scans: Sequence[Seen], policy: AssociationPolicy
) -> Queue:
    """The weights of all vehicles, in the order of their coming, and scans."""
    stray = max(policy.scan_strays_per_h / HOUR_S, LEAST_STRAYS_PER_S)
    last = max((i for i, scan in enumerate(scans) if scan.is_timed), default=0)
    since_utc_ns = _taken_since(scans, last)
    lanes = [vehicle.place.transit.lane.lane_id for vehicle in vehicles]
    return Queue(
        fits=[[vehicle.fits[j] for vehicle in vehicles] for j in range(len(scans))],
        strays=[stray] * len(scans),
        skips=[1.0 - vehicle.scanned for vehicle in vehicles],
        waits=[vehicle.scanned * _later(vehicle, since_utc_ns) for vehicle in vehicles],
        # Of two lanes it is told by their times alone who comes first.
        overtaking=[
            [policy.scan_overtaking_share if one == other else 1.0 for other in lanes]
            for one in lanes
        ],
    )


def stretches(scans: Sequence[Seen]) -> list[tuple[int, int] | None]:
    """For each scan: from when to when the tunnel was taken before it; None: it was free."""
    found: list[tuple[int, int] | None] = [None]
    for i in range(1, len(scans)):
        begun = _taken_since(scans, i)
        found.append((begun, scans[i - 1].end_utc_ns) if begun < scans[i].start_utc_ns else None)
    return found


def _taken_since(scans: Sequence[Seen], last: int) -> int:
    """Since when one scan has followed the other without a pause."""
    first = last
    while first > 0 and scans[first].start_utc_ns - scans[first - 1].end_utc_ns <= PAUSE_NS:
        first -= 1
    return scans[first].start_utc_ns


def _later(vehicle: Vehicle, utc_ns: int) -> float:
    return vehicle.timing.later(vehicle.since_s(utc_ns), vehicle.place.transit.speed_m_s)


def in_time(transit: Transit, scans: Sequence[Seen]) -> bool:
    """Whether any of the scans, in order of time, may be of it, or comes after it."""
    first_s, last_s = transit.lane.scan_offset_s
    begin_s = (scans[0].start_utc_ns - transit.entered_utc_ns) / SECOND_NS
    end_s = (scans[-1].start_utc_ns - transit.entered_utc_ns) / SECOND_NS
    through_s = transit.length_m / transit.speed_m_s if transit.speed_m_s > 0.0 else 0.0
    return begin_s <= last_s + through_s and end_s >= first_s


def _joined(transit: Transit, policy: AssociationPolicy) -> float:
    """How likely it is that an occupancy is of two vehicles."""
    if transit.length_m >= policy.joined_length_m:
        return policy.joined_share
    two_cars_m = 2.0 * policy.shortest_vehicle_m + BETWEEN_M
    return policy.joined_short_share if transit.length_m >= two_cars_m else 0.0


def _fit(
    vehicle: Vehicle, scan: Seen, busy: tuple[int, int] | None, policy: AssociationPolicy
) -> float:
    looks = _looks(vehicle, scan, policy)
    if looks <= 0.0:
        return 0.0
    timing, speed_m_s = vehicle.timing, vehicle.place.transit.speed_m_s
    since_s = vehicle.since_s(scan.start_utc_ns, scan.length_m)
    if not scan.is_timed:  # it was made before it arrived, and after its vehicle came
        first_s, last_s = timing.window_s
        return vehicle.scanned * looks * float(since_s >= first_s) / max(last_s - first_s, 1.0)
    taken_s = None
    if busy is not None:
        taken_s = tuple(vehicle.since_s(utc_ns, scan.length_m) for utc_ns in busy)
    return vehicle.scanned * looks * timing.density(since_s, speed_m_s, taken_s)


def _looks(vehicle: Vehicle, scan: Seen, policy: AssociationPolicy) -> float:
    """How much likelier the scan's length is of that vehicle than of any."""
    transit = vehicle.place.transit
    room_m = transit.length_m - policy.shortest_vehicle_m - BETWEEN_M
    if scan.length_m > 0.0:
        is_one_of_two = float(scan.length_m <= room_m)
    else:  # nobody knows
        is_one_of_two = float(transit.length_m >= policy.joined_length_m)
    if vehicle.place.seat:
        return is_one_of_two
    ratio = vehicle.timing.length_ratio(scan.length_m, transit.length_m)
    return (1.0 - vehicle.joined) * ratio + vehicle.joined * is_one_of_two
