"""Tracks that meet a lane, and vehicles that go on from one zone to the next.

A zone follows what moves along its own sensors. Whoever is on foot where vehicles are meant to be
is said to be there; a vehicle that two zones hear, one after the other or both at once, is one
vehicle as long as it can have come from the one to the other and both say that it goes there.
"""

import math
from collections.abc import Mapping, Sequence

from fusion.association_policy import AssociationPolicy
from fusion.evidence import number
from fusion.tracks import ON_FOOT, Track, Zone
from fusion.types import SECOND_NS, Detection, Fact, LaneSpec

Place = tuple[float, float]


def lanes_near(
    zones: Mapping[str, Zone], lanes: Sequence[LaneSpec], policy: AssociationPolicy
) -> dict[str, list[LaneSpec]]:
    """By zone the lanes that somebody in it may be at: most zones have none."""
    reach_m = policy.lane_meet_m + policy.walker_hearing_m
    return {
        name: [
            lane
            for lane in lanes
            if any(
                beside_m(place, lane, policy.lane_half_m) <= reach_m
                for place in zone.places.values()
            )
        ]
        for name, zone in zones.items()
    }


def lane_met(
    track: Track, zone: Zone, lanes: Sequence[LaneSpec], policy: AssociationPolicy
) -> dict[str, Fact]:
    """Which lane somebody on foot starts or ends at; nothing where there is none within reach."""
    if not lanes:
        return {}
    first, last = ends(track)
    if last.facts.get("class") not in ON_FOOT:
        return {}
    here, there = zone.places[first.sensor_id], _now_at(track, zone, last)
    found = []
    for lane in lanes:
        from_m, to_m = (beside_m(place, lane, policy.lane_half_m) for place in (here, there))
        if min(from_m, to_m) <= policy.lane_meet_m:
            found.append((min(from_m, to_m), lane.lane_id, from_m, to_m))
    if not found:
        return {}
    _, lane_id, from_m, to_m = min(found)
    starts, stops = from_m <= policy.lane_meet_m, to_m <= policy.lane_meet_m
    at = "both" if starts and stops else "start" if starts else "end"
    return {"near_lane": lane_id, "near_lane_at": at}


def beside_m(place: Place, lane: LaneSpec, half_m: float) -> float:
    """How far a place is from the lane, so many metres before and behind its portal."""
    heading = math.radians(lane.heading_deg)
    east, north = place[0] - lane.portal_m[0], place[1] - lane.portal_m[1]
    along = east * math.sin(heading) + north * math.cos(heading)
    across = east * math.cos(heading) - north * math.sin(heading)
    return math.hypot(across, max(abs(along) - half_m, 0.0))


class Handovers:
    """Vehicles that more than one zone has heard."""

    def __init__(self, zones: Mapping[str, Zone], policy: AssociationPolicy) -> None:
        self._zones = zones
        self._policy = policy

    def told_as(self, track: Track, *, is_told: bool) -> Track:
        """The track that a track is told as: itself, or the first that heard the same vehicle.

        is_told  whether there is an alert of its own, which it then keeps
        """
        if track.earlier is not None and not self._is_one(track.earlier, track):
            track.earlier.later, track.earlier = None, None
            track.is_another = True
        if track.earlier is None and not is_told and not track.is_another:
            self._link(track)
        first = track
        while first.earlier is not None:
            first = first.earlier
        if first.later is not None:
            first.end_utc_ns = max(first.end_utc_ns, track.end_utc_ns)
            first.motion = track.motion or first.motion
            first.meets = {**first.meets, "zones": _zones(first)}
        return first

    def _link(self, track: Track) -> None:
        """Find the vehicle that it goes on with."""
        if not track.on_wheels:
            return
        found = [
            (self._apart_m(other, track), other.zone_id, other.start_utc_ns, other)
            for zone in self._zones.values()
            if zone.zone_id != track.zone_id
            for other in zone.tracks
            if other.later is None and other.detections and self._is_one(other, track)
        ]
        if found:
            track.earlier = min(found, key=lambda row: row[:3])[3]
            track.earlier.later = track

    def _is_one(self, before: Track, track: Track) -> bool:
        """Whether the one can go on as the other."""
        zone = self._zones[before.zone_id]
        if before not in zone.tracks or not (before.on_wheels and track.on_wheels):
            return False  # where one is not heard as a vehicle any more, nobody knows
        if before.start_utc_ns > track.start_utc_ns or before.earlier is track:
            return False
        gap_s = (track.start_utc_ns - before.heard_utc_ns) / SECOND_NS
        if gap_s > self._policy.track_gap_s:
            return False
        speed_m_s, hearing_m = self._policy.track_speed_m_s, self._policy.vehicle_hearing_m
        if self._apart_m(before, track) > hearing_m + speed_m_s * max(gap_s, 0.0):
            return False
        return _agree(self._course(before), self._course(track))

    def _apart_m(self, before: Track, track: Track) -> float:
        """From the sensor that heard the one last to that which heard the other first."""
        here = self._zones[before.zone_id].places[ends(before)[1].sensor_id]
        return math.dist(here, self._zones[track.zone_id].places[ends(track)[0].sensor_id])

    def _course(self, track: Track) -> tuple[Place, float] | None:
        """Where it goes, as a vector of length 1, and how fast; None where nobody knows."""
        leg = track.incident.leg
        if leg is None or not leg.heading:
            return None
        line = self._zones[track.zone_id].line
        (east, north), (east_on, north_on) = line.place_m(0.0), line.place_m(float(leg.heading))
        return (east_on - east, north_on - north), 1.0 / abs(leg.state[1])


def _zones(first: Track) -> tuple[str, ...]:
    """Those that have heard a vehicle, the first foremost."""
    found, track = [first.zone_id], first.later
    while track is not None:
        found.append(track.zone_id)
        track = track.later
    return tuple(found)


def ends(track: Track) -> tuple[Detection, Detection]:
    """What was heard of it first, and last."""
    words = [track.detections[name] for name in sorted(track.detections)]
    return min(words, key=lambda d: d.start_utc_ns), max(words, key=lambda d: d.end_utc_ns)


def _now_at(track: Track, zone: Zone, last: Detection) -> Place:
    """Where somebody is, as far as is known."""
    place = track.motion.facts.get("place_m") if track.motion is not None else None
    if isinstance(place, Sequence) and not isinstance(place, str) and len(place) == 2:
        east, north = place
        return number({"m": east}, "m"), number({"m": north}, "m")
    return zone.places[last.sensor_id]


def _agree(one: tuple[Place, float] | None, other: tuple[Place, float] | None) -> bool:
    """Whether two courses can be one vehicle's: within a right angle, and a factor of two."""
    if one is None or other is None:
        return True
    (here, fast), (there, faster) = one, other
    forward = here[0] * there[0] + here[1] * there[1] > 0.0
    return forward and max(fast, faster) <= 2.0 * min(fast, faster)
