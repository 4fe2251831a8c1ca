"""Who gets out of a vehicle, and who gets into one: footsteps beside where a vehicle stopped."""

import math
from collections.abc import Iterator, Sequence

from fusion.association_policy import AssociationPolicy
from fusion.cue import cue
from fusion.evidence import number
from fusion.tracks import Track, Zone
from fusion.types import SECOND_NS, Detection, Fact, Family

ON_FOOT = ("person", "group")
STEADY_M_S, STEADY_SENSORS = 4.0, 3
"""Who gets out of a vehicle makes it stop; one that passes three sensors at 15 km/h has not."""
TOGETHER_S = 8.0
"""A vehicle that starts is heard over the last steps towards it, and both end late."""


def drop_off(
    track: Track, zone: Zone, vehicles: Sequence[Track], policy: AssociationPolicy
) -> Detection | None:
    """Footsteps that start where a vehicle was last heard, soon after it or as it comes to rest.

    That it is heard again, for it drives on, makes the drop-off none the less.
    """
    first = min(track.detections.values(), key=lambda d: (d.start_utc_ns, d.sensor_id))
    if first.facts.get("class") not in ON_FOOT:
        return None
    for vehicle in _stopping(vehicles):
        last = max(vehicle.detections.values(), key=lambda d: (d.end_utc_ns, d.sensor_id))
        gap_s = (first.start_utc_ns - last.end_utc_ns) / SECOND_NS
        came_before = vehicle.start_utc_ns < first.start_utc_ns
        soon = came_before and -TOGETHER_S <= gap_s <= policy.track_gap_s
        if _is_vehicle_at(last, first, zone, policy) and soon:
            facts = {"after_s": round(max(0.0, gap_s), 1), **_facts(first, last)}
            return cue("fusion.drop-off", [first, last], facts, Family.SEISMIC)
    return _still(track, first, vehicles)


def _still(track: Track, first: Detection, vehicles: Sequence[Track]) -> Detection | None:
    """What was told of the same first steps and a vehicle that has not driven by since."""
    known = track.drop_off
    if known is None or known.start_utc_ns > first.start_utc_ns:
        return None
    heard = {name for vehicle in _stopping(vehicles) for name in vehicle.detections}
    return known if known.facts.get("sensor") in heard else None


def pick_up(
    track: Track, zone: Zone, vehicles: Sequence[Track], policy: AssociationPolicy
) -> Detection | None:
    """Footsteps that end where a vehicle starts, just before it or with it.

    While steps go on they have not ended: asked afresh each time that either is heard of. One
    whose own steps started there has got out, and one that is heard after the vehicle has not got
    in.
    """
    words = [track.latest.get(name, found) for name, found in sorted(track.detections.items())]
    last = max(words, key=lambda d: (d.end_utc_ns, d.sensor_id))
    if last.facts.get("class") not in ON_FOOT:
        return None
    for vehicle in _stopping(vehicles):
        first = min(vehicle.detections.values(), key=lambda d: (d.start_utc_ns, d.sensor_id))
        gap_s = (first.start_utc_ns - last.end_utc_ns) / SECOND_NS
        leaves_later = vehicle.end_utc_ns >= last.end_utc_ns
        soon = -TOGETHER_S <= gap_s <= policy.track_gap_s
        if _is_vehicle_at(first, last, zone, policy) and leaves_later and soon:
            facts = {"before_s": round(max(0.0, gap_s), 1), **_facts(last, first)}
            return cue("fusion.pick-up", [last, first], facts, Family.SEISMIC)
    return None


def _stopping(vehicles: Sequence[Track]) -> Iterator[Track]:
    return (vehicle for vehicle in vehicles if not _drove_by(vehicle))


def _is_vehicle_at(
    vehicle: Detection, steps: Detection, zone: Zone, policy: AssociationPolicy
) -> bool:
    apart_m = math.dist(zone.places[vehicle.sensor_id], zone.places[steps.sensor_id])
    return vehicle.facts.get("class") == "vehicle" and apart_m <= policy.stop_distance_m


def _facts(steps: Detection, vehicle: Detection) -> dict[str, Fact]:
    on_foot = max(steps.nats.get(name, 0.0) for name in ON_FOOT)
    return {"sensor": vehicle.sensor_id, "on_foot_nats": round(on_foot, 3)}


def _drove_by(vehicle: Track) -> bool:
    """Whether it went past at one speed, or all sensors heard it pass at once on a road nearby."""
    motion = vehicle.motion.facts if vehicle.motion is not None else {}
    sensors = motion.get("sensors")
    steady = motion.get("course") == "across" or number(motion, "speed_m_s") >= STEADY_M_S
    return steady and isinstance(sensors, tuple) and len(sensors) >= STEADY_SENSORS
