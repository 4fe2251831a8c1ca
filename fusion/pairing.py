"""Which vehicle each scan of a scanner is of: probabilities, and what follows from them.

A scanner serves a lane, or several. The vehicles that their portals have counted and that may yet
be scanned are held against the latest scans (fusion.lane_order), by when they should have come,
how long they are, and who was before whom. A scan's evidence goes to its vehicle in the likeliest
pairing, as much of it as is sure; when another pairing turns out to be clearly better it moves.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from fusion.associate import Lane, Transit
from fusion.association_policy import AssociationPolicy
from fusion.evidence import number
from fusion.lane_order import Trellis
from fusion.scan_queue import Place, Seen, Vehicle, in_time, queue_of, stretches, vehicles_of
from fusion.scan_timing import Crossing, ScanTiming
from fusion.types import SECOND_NS, Detection, Fact

MAX_SCANS = 8  # at forty an hour and a window of 2 min there are 2
MAX_VEHICLES = 12  # that no scan is of yet: a queue of 200 m. Both together cost 0.2 s at most
LEARNED_FROM = 0.9  # one in ten may be wrong: medians bear that
SAME_SHARE = 0.02  # a pairing that has become so little surer is not told anew
LENGTH_SLACK = 0.05  # of an occupancy's length, and a metre
NOBODY_KNOWS_WHEN = "clock-behind"
"""A note of a scan: it is of a backlog, and its time is that of its arrival."""


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
        """When its vehicle drove in."""
        return self.detections[0].start_utc_ns

    @property
    def seen(self) -> Seen:
        """What of it tells whose it is."""
        first = self.detections[0]
        notes = first.facts.get("notes")
        whole = first.final and first.facts.get("partial") is not True
        return Seen(
            start_utc_ns=first.start_utc_ns,
            end_utc_ns=first.end_utc_ns,
            length_m=number(first.facts, "length_m") if whole else 0.0,
            is_timed=not (isinstance(notes, tuple) and NOBODY_KNOWS_WHEN in notes),
        )


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
        self._settled: object = None
        """All that was known when asking whose the scans are has changed nothing."""

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
        seen = [scan.seen for scan in self._scans]
        before = self._all_known(seen)
        if before == self._settled:
            return []
        vehicles = self._vehicles(seen)
        trellis, pairs = self._best(vehicles, seen)
        placed: list[tuple[_Scan, Place | None, float]] = []
        for j, row in enumerate(trellis.posteriors()):
            vehicle = pairs[j]
            sure = row[-1 if vehicle is None else vehicle]
            if not seen[j].is_timed and vehicle is not None:
                # Nor does anybody know before whom it was.
                fits = [each.fits[j] for each in vehicles]
                sure = min(sure, fits[vehicle] / math.fsum(fits))
            place = None if vehicle is None else vehicles[vehicle].place
            placed.append((self._scans[j], place, sure))
        changes = self._move(placed)
        self._learn(seen)
        still = not changes and self._all_known(seen) == before
        self._settled = before if still else None
        return changes

    def _all_known(self, seen: Sequence[Seen]) -> object:
        """All that a pairing depends on: as long as it stays, so does the pairing.

        Most vehicles that come into a portal are not yet in time for any scan.
        """
        sensor_id = self._scans[0].detections[0].sensor_id
        scans = [
            (scan.number, scan.place, scan.sure, scan.place and _measured(scan.place.transit))
            for scan in self._scans
        ]
        vehicles = [
            (
                transit,
                _measured(transit),
                (sensor_id, 0) in transit.scans,
                (sensor_id, 1) in transit.scans,
            )
            for lane in self.lanes
            for transit in lane.transits
            if transit.by_portal and in_time(transit, seen)
        ]
        return seen, scans, vehicles, [timing.changes for timing in self._timings.values()]

    def _vehicles(self, seen: Sequence[Seen]) -> list[Vehicle]:
        """All that may be in one of the scans, in the order in which they should come."""
        sensor_id = self._scans[0].detections[0].sensor_id
        mine = {scan.place for scan in self._scans}
        found = [
            vehicle
            for lane in self.lanes
            for vehicle in vehicles_of(lane, self._timings[lane.spec.lane_id], seen, self._policy)
            # Those that a scan from so long ago is of that it is forgotten are settled.
            if vehicle.place in mine
            or (sensor_id, vehicle.place.seat) not in vehicle.place.transit.scans
        ]
        found.sort(key=lambda vehicle: vehicle.order)
        free = [vehicle for vehicle in found if vehicle.place not in mine]
        gone = {vehicle.place for vehicle in free[:-MAX_VEHICLES]}
        return [vehicle for vehicle in found if vehicle.place not in gone]

    def _best(
        self, vehicles: list[Vehicle], seen: Sequence[Seen]
    ) -> tuple[Trellis, list[int | None]]:
        """The weights, and the pairing that is likeliest, or as it was where that is as good."""
        while True:
            trellis = Trellis(queue_of(vehicles, seen, self._policy))
            nats, pairs = trellis.likeliest()
            too_long = _too_long(vehicles, seen, pairs)
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
        nats_held, pairs_held = trellis.likeliest(held)
        keeps = nats - nats_held < self._policy.pairing_deadband_nats
        return trellis, pairs_held if keeps else pairs

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

    def _learn(self, seen: Sequence[Seen]) -> None:
        for scan, one, busy in zip(self._scans, seen, stretches(seen), strict=True):
            lane_id = scan.place.transit.lane.lane_id if scan.place else ""
            teaches = one.is_timed and busy is None and scan.sure >= LEARNED_FROM
            for name, timing in self._timings.items():
                crossing = _crossing(scan.place, one) if teaches and name == lane_id else None
                if crossing is None:
                    timing.unlearn(scan.number)
                else:
                    timing.learn(scan.number, crossing)


def _too_long(
    vehicles: Sequence[Vehicle], seen: Sequence[Seen], pairs: Sequence[int | None]
) -> tuple[int, int] | None:
    """A second vehicle of an occupancy, and its scan, that has no room behind the first's."""
    scan_of = {vehicles[i].place: j for j, i in enumerate(pairs) if i is not None}
    for i, vehicle in enumerate(vehicles):
        second = scan_of.get(vehicle.place)
        first = scan_of.get(Place(vehicle.place.transit, 0))
        if not vehicle.place.seat or first is None or second is None:
            continue
        lengths_m = seen[first].length_m, seen[second].length_m
        room_m = (1.0 + LENGTH_SLACK) * vehicle.place.transit.length_m + 1.0
        if min(lengths_m) > 0.0 and sum(lengths_m) > room_m:
            return i, second
    return None


def _crossing(place: Place | None, seen: Seen) -> Crossing | None:
    """What a pairing teaches of the way to the scanner; None: nothing."""
    if place is None or place.seat or not place.transit.by_portal:
        return None
    transit = place.transit
    both = min(seen.length_m, transit.length_m) > 0.0
    return Crossing(
        offset_s=(seen.start_utc_ns - transit.entered_utc_ns) / SECOND_NS,
        speed_m_s=transit.speed_m_s,
        longer_m=seen.length_m - transit.length_m if both else None,
    )


def _measured(transit: Transit) -> tuple[int, float, float]:
    """What of a vehicle tells which scan may be of it."""
    return transit.entered_utc_ns, transit.length_m, transit.speed_m_s


def _crosses(now: float, before: float, line: float) -> bool:
    return (now < line) != (before < line)


def _seated(scan: _Scan) -> tuple[Detection, ...]:
    """A scan's detections; those of the second vehicle of two say where it begins."""
    place, length_m = scan.place, scan.seen.length_m
    if place is None or not place.seat or length_m <= 0.0:
        return scan.detections
    behind_m = round(max(0.0, place.transit.length_m - length_m), 2)
    return tuple(
        replace(d, facts={**d.facts, "behind_m": behind_m})
        if d.kind in ("xray.dense", "xray.scan")
        else d
        for d in scan.detections
    )
