"""Which vehicle each scan of a scanner is of: probabilities, and what follows from them.

A scanner serves a lane, or several. The vehicles that their portals have counted and that may yet
be scanned are held against the latest scans (fusion.lane_order), by when they should have come,
how long they are, and who was before whom. A scan's evidence goes to its vehicle in the likeliest
pairing, as much of it as is sure; when another pairing turns out to be clearly better it moves.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from fusion.associate import Lane, Transit
from fusion.association_policy import AssociationPolicy
from fusion.evidence import number
from fusion.lane_order import Queue, likeliest, only, posteriors
from fusion.scan_timing import Crossing, ScanTiming
from fusion.types import SECOND_NS, Detection, Fact

MAX_SCANS = 16  # at forty an hour and a window of 2 min there are 2
LEARNED_FROM = 0.9  # one in ten may be wrong: medians bear that
SAME_SHARE = 0.02  # a pairing that has become so little surer is not told anew
HOUR_S = 3600.0
LEAST_STRAYS_PER_S = 1e-9
BETWEEN_M = 2.0  # two vehicles in one occupancy are at least so far apart
LENGTH_SLACK = 0.05  # of an occupancy's length, and a metre
NOBODY_KNOWS_WHEN = "clock-behind"
"""A note of a scan: it is of a backlog, and its time is that of its arrival."""


class Place(NamedTuple):
    """Where a scan's evidence can go."""

    transit: Transit
    seat: int


class Change(NamedTuple):
    """A transit that has to be weighed anew."""

    transit: Transit
    took_back: bool
    """It may hold less than it did: a part was told, or a scan was taken for its own."""


@dataclass(slots=True, eq=False)
class _Scan:
    """One scan, as it was told last."""

    number: int
    name: Fact
    detections: tuple[Detection, ...]
    place: Place | None = None
    sure: float = 1.0

    @property
    def start_utc_ns(self) -> int:
        return self.detections[0].start_utc_ns

    @property
    def is_timed(self) -> bool:
        notes = self.detections[0].facts.get("notes")
        return not (isinstance(notes, tuple) and NOBODY_KNOWS_WHEN in notes)

    @property
    def length_m(self) -> float:
        """0: not known, or not all of it."""
        facts = self.detections[0].facts
        whole = self.detections[0].final and facts.get("partial") is not True
        return number(facts, "length_m") if whole else 0.0


@dataclass(slots=True)
class _Vehicle:
    """A counted vehicle that may be scanned, or the second of two in one occupancy."""

    place: Place
    timing: ScanTiming
    joined: float
    """How likely it is that two vehicles are in its occupancy."""
    skips: float
    fits: list[float] = field(default_factory=list)

    @property
    def transit(self) -> Transit:
        return self.place.transit

    @property
    def behind_s(self) -> float:
        """How long after the occupancy's begin it came, as far as nothing else is known."""
        if not self.place.seat:
            return 0.0
        return 0.5 * self.transit.length_m / self.transit.speed_m_s

    @property
    def order(self) -> tuple[float, str, int, int]:
        """By when they should be scanned; the vehicles of one lane are in the portal's order."""
        start = self.transit.start_utc_ns + round(self.timing.usual_s * SECOND_NS)
        lane_id = self.transit.lane.lane_id
        return start, lane_id, self.transit.start_utc_ns, self.place.seat


class Pairing:
    """The scans of one scanner, and whose they are."""

    def __init__(self, lanes: Sequence[Lane], policy: AssociationPolicy) -> None:
        """`lanes`: at least one; a vehicle that no portal has counted is told in the first."""
        self.lanes = tuple(lanes)
        self._policy = policy
        self._scans: list[_Scan] = []
        self._timings = {
            lane.spec.lane_id: ScanTiming(lane.spec.scan_offset_s, policy) for lane in lanes
        }
        self._going_on: _Scan | None = None
        self._number = 0

    def take(self, detections: Sequence[Detection]) -> list[Change]:
        """What a scanner tells of one scan, or tells anew; its own transit comes last."""
        scan, was_part = self._known(detections)
        changes = self._pair()
        assert scan.place is not None
        transit, seat = scan.place
        transit.replace_scan(_seated(scan), seat, scan.sure)
        is_whole_now = was_part and detections[0].final
        took_back = any(one.took_back for one in changes if one.transit is transit)
        rest = [one for one in changes if one.transit is not transit]
        return [*rest, Change(transit, took_back or is_whole_now)]

    def heed(self) -> list[Change]:
        """A portal has counted a vehicle, or knows more of one."""
        return self._pair() if self._scans else []

    def settle(self, over: Iterable[Transit]) -> None:
        """Transits that can grow no more: what they teach, and their scans are nobody else's."""
        for transit in over:
            mine = [one for one in self._scans if one.place and one.place.transit is transit]
            timing = self._timings.get(transit.lane.lane_id)
            if timing is not None and transit.by_portal:
                timing.note(scanned=bool(mine))
            self._scans = [one for one in self._scans if one not in mine]

    def _known(self, detections: Sequence[Detection]) -> tuple[_Scan, bool]:
        """The scan that is told, and whether only a part of it was known."""
        name = detections[0].facts.get("scan_id")
        scan = self._going_on
        if scan is None or scan.name != name or scan not in self._scans:
            self._number += 1
            scan = _Scan(self._number, name, tuple(detections))
            self._scans.append(scan)
            del self._scans[:-MAX_SCANS]
        was_part = scan is self._going_on
        scan.detections = tuple(detections)
        self._going_on = None if detections[0].final else scan
        return scan, was_part

    # --- the likeliest pairing ---------------------------------------------------------

    def _pair(self) -> list[Change]:
        """Ask anew whose each scan is; the transits that hold other evidence now."""
        self._scans.sort(key=lambda scan: (scan.start_utc_ns, str(scan.name)))
        vehicles = self._vehicles()
        queue, pairs = self._best(vehicles)
        shares = posteriors(queue)
        placed: list[tuple[_Scan, Place | None, float]] = []
        for j, (scan, vehicle, row) in enumerate(zip(self._scans, pairs, shares, strict=True)):
            sure = row[-1 if vehicle is None else vehicle]
            if not scan.is_timed and vehicle is not None:
                # Nor does anybody know before whom it was.
                fits = [each.fits[j] for each in vehicles]
                sure = min(sure, fits[vehicle] / math.fsum(fits))
            placed.append((scan, None if vehicle is None else vehicles[vehicle].place, sure))
        changes = self._move(placed)
        self._learn()
        return changes

    def _best(self, vehicles: list[_Vehicle]) -> tuple[Queue, list[int | None]]:
        """The weights, and the pairing that is likeliest, or as it was where that is as good."""
        while True:
            queue = self._queue(vehicles)
            nats, pairs = likeliest(queue)
            too_long = self._too_long(vehicles, pairs)
            if too_long is None:
                break
            vehicle, scan = too_long
            vehicles[vehicle].fits[scan] = 0.0
        places = {vehicle.place: i for i, vehicle in enumerate(vehicles)}
        held = {
            i: places.get(scan.place)
            for i, scan in enumerate(self._scans)
            if scan.place is not None
        }
        nats_held, pairs_held = likeliest(only(queue, held))
        keeps = nats - nats_held < self._policy.pairing_deadband_nats
        return queue, pairs_held if keeps else pairs

    def _too_long(
        self, vehicles: Sequence[_Vehicle], pairs: Sequence[int | None]
    ) -> tuple[int, int] | None:
        """A second vehicle of an occupancy, and its scan, that has no room behind the first's."""
        scan_of = {vehicles[i].place: j for j, i in enumerate(pairs) if i is not None}
        for i, vehicle in enumerate(vehicles):
            second = scan_of.get(vehicle.place)
            first = scan_of.get(Place(vehicle.transit, 0))
            if not vehicle.place.seat or first is None or second is None:
                continue
            lengths_m = self._scans[first].length_m, self._scans[second].length_m
            room_m = (1.0 + LENGTH_SLACK) * vehicle.transit.length_m + 1.0
            if min(lengths_m) > 0.0 and sum(lengths_m) > room_m:
                return i, second
        return None

    def _queue(self, vehicles: Sequence[_Vehicle]) -> Queue:
        last_utc_ns = max((s.start_utc_ns for s in self._scans if s.is_timed), default=0)
        overtaking = [
            [
                self._policy.scan_overtaking_share
                if one.transit.lane.lane_id == other.transit.lane.lane_id
                else 1.0
                for other in vehicles
            ]
            for one in vehicles
        ]
        stray = max(self._policy.scan_strays_per_h / HOUR_S, LEAST_STRAYS_PER_S)
        return Queue(
            fits=[[vehicle.fits[j] for vehicle in vehicles] for j in range(len(self._scans))],
            strays=[stray] * len(self._scans),
            skips=[vehicle.skips for vehicle in vehicles],
            waits=[_waits(vehicle, last_utc_ns) for vehicle in vehicles],
            overtaking=overtaking,
        )

    # --- who may be in a scan ----------------------------------------------------------

    def _vehicles(self) -> list[_Vehicle]:
        """All that may be in one of the scans, in the order in which they should come."""
        mine = {(scan.place.transit, scan.place.seat) for scan in self._scans if scan.place}
        found = []
        for lane in self.lanes:
            timing = self._timings[lane.spec.lane_id]
            for transit in lane.transits:
                if not transit.by_portal or not self._in_time(transit):
                    continue
                joined = self._joined(transit)
                for seat in range(2 if joined > 0.0 else 1):
                    share = (1.0 - timing.skip_share) * (joined if seat else 1.0)
                    vehicle = _Vehicle(Place(transit, seat), timing, joined, 1.0 - share)
                    taken = (self._sensor_id, seat) in transit.scans
                    if taken and (transit, seat) not in mine:
                        continue  # by a scan from so long ago that it is settled
                    vehicle.fits = [self._fit(vehicle, scan) for scan in self._scans]
                    found.append(vehicle)
        return sorted(found, key=lambda vehicle: vehicle.order)

    @property
    def _sensor_id(self) -> str:
        return self._scans[0].detections[0].sensor_id

    def _in_time(self, transit: Transit) -> bool:
        """Whether any of the scans may be of it, or comes after it."""
        first_s, last_s = transit.lane.scan_offset_s
        begin_s = (self._scans[0].start_utc_ns - transit.start_utc_ns) / SECOND_NS
        end_s = (self._scans[-1].start_utc_ns - transit.start_utc_ns) / SECOND_NS
        return begin_s <= last_s + self._behind_most_s(transit) and end_s >= first_s

    @staticmethod
    def _behind_most_s(transit: Transit) -> float:
        return transit.length_m / transit.speed_m_s if transit.speed_m_s > 0.0 else 0.0

    def _joined(self, transit: Transit) -> float:
        """How likely it is that an occupancy is of two vehicles."""
        policy = self._policy
        if transit.length_m >= policy.joined_length_m:
            return policy.joined_share
        two_cars_m = 2.0 * policy.shortest_vehicle_m + BETWEEN_M
        return policy.joined_short_share if transit.length_m >= two_cars_m else 0.0

    def _fit(self, vehicle: _Vehicle, scan: _Scan) -> float:
        """Density of that vehicle's being scanned then, and looking like this."""
        transit, timing = vehicle.transit, vehicle.timing
        room_m = transit.length_m - self._policy.shortest_vehicle_m - BETWEEN_M
        both_fit = 1.0 if 0.0 < scan.length_m <= room_m else 0.0
        if scan.length_m <= 0.0 and transit.length_m >= self._policy.joined_length_m:
            both_fit = 1.0  # nobody knows
        offset_s = (scan.start_utc_ns - transit.start_utc_ns) / SECOND_NS
        if vehicle.place.seat:
            ahead_m = transit.length_m - scan.length_m
            behind_s = ahead_m / transit.speed_m_s if scan.length_m > 0.0 else vehicle.behind_s
            offset_s -= behind_s
            looks = both_fit
        else:
            ratio = timing.length_ratio(scan.length_m, transit.length_m)
            looks = (1.0 - vehicle.joined) * ratio + vehicle.joined * both_fit
        if scan.is_timed:
            density = timing.density(offset_s, transit.speed_m_s)
        else:  # it was made before it arrived, and after its vehicle came
            density = float(timing.window_s[0] <= offset_s) / max(timing.window_s[1], 1.0)
        return (1.0 - vehicle.skips) * density * looks

    # --- what follows ------------------------------------------------------------------

    def _move(self, placed: Iterable[tuple[_Scan, Place | None, float]]) -> list[Change]:
        """Put every scan's evidence where it belongs."""
        moved: list[_Scan] = []
        losers: list[Transit] = []
        changed: list[Transit] = []
        for scan, place, sure in placed:
            stays = scan.place is not None and not scan.place.transit.by_portal
            target = scan.place if place is None and stays else place
            if target is not None and target == scan.place:
                if abs(sure - scan.sure) >= SAME_SHARE or _crosses(sure, scan.sure, self._line):
                    scan.sure = sure
                    target.transit.scans[scan.detections[0].sensor_id, target.seat] = sure
                    changed.append(target.transit)
                continue
            if scan.place is not None:
                scan.place.transit.remove_scan((scan.detections[0].sensor_id, scan.place.seat))
                losers.append(scan.place.transit)
            scan.place, scan.sure = target, sure
            moved.append(scan)
        for scan in moved:
            if scan.place is None:
                scan.place = Place(self.lanes[0].open(scan.start_utc_ns), 0)
            scan.place.transit.replace_scan(_seated(scan), scan.place.seat, scan.sure)
            changed.append(scan.place.transit)
        return self._told(losers, changed)

    def _told(self, losers: Sequence[Transit], changed: Sequence[Transit]) -> list[Change]:
        for lane in self.lanes:
            # A vehicle that no portal had counted, and that one has counted after all.
            lane.transits = [
                one for one in lane.transits if one not in losers or one.by_portal or one.detections
            ]
        found = list(dict.fromkeys([*losers, *changed]))
        for transit in found:
            transit.ambiguous = any(sure < self._line for sure in transit.scans.values())
        return [Change(transit, transit in losers) for transit in found]

    @property
    def _line(self) -> float:
        return self._policy.sure_pairing

    def _learn(self) -> None:
        for scan in self._scans:
            lane_id = scan.place.transit.lane.lane_id if scan.place else ""
            for name, timing in self._timings.items():
                crossing = _crossing(scan) if name == lane_id else None
                if crossing is None:
                    timing.unlearn(scan.number)
                else:
                    timing.learn(scan.number, crossing)


def _crossing(scan: _Scan) -> Crossing | None:
    """What a scan teaches of the way to it; None: it is not sure enough whose it is, or when."""
    if scan.place is None or scan.place.seat or not scan.is_timed or scan.sure < LEARNED_FROM:
        return None
    transit = scan.place.transit
    if not transit.by_portal:
        return None
    both = min(scan.length_m, transit.length_m) > 0.0
    return Crossing(
        offset_s=(scan.start_utc_ns - transit.start_utc_ns) / SECOND_NS,
        speed_m_s=transit.speed_m_s,
        longer_m=scan.length_m - transit.length_m if both else None,
    )


def _waits(vehicle: _Vehicle, last_utc_ns: int) -> float:
    """How likely it is that its scan is yet to come."""
    since_s = (last_utc_ns - vehicle.transit.start_utc_ns) / SECOND_NS - vehicle.behind_s
    later = vehicle.timing.later(since_s, vehicle.transit.speed_m_s)
    return (1.0 - vehicle.skips) * later


def _crosses(now: float, before: float, line: float) -> bool:
    return (now < line) != (before < line)


def _seated(scan: _Scan) -> tuple[Detection, ...]:
    """A scan's detections; those of the second vehicle of two say where it begins."""
    place = scan.place
    if place is None or not place.seat or scan.length_m <= 0.0:
        return scan.detections
    behind_m = round(max(0.0, place.transit.length_m - scan.length_m), 2)
    return tuple(
        replace(d, facts={**d.facts, "behind_m": behind_m})
        if d.kind in ("xray.dense", "xray.scan")
        else d
        for d in scan.detections
    )
