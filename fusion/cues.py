"""What no single sensor can say: each cue a small named function.

A cue is a `Detection` of the source `fusion`; like any other it speaks in nats.
"""

import math
from collections.abc import Sequence

from fusion.associate import Transit
from fusion.association_policy import AssociationPolicy
from fusion.evidence import nats_of, number, weigh
from fusion.track_motion import motion_facts
from fusion.tracks import Track, Zone
from fusion.types import SECOND_NS, Detection, Fact, Family, Origin

FUSION = "fusion"
WEAK_GAMMA_NATS = 3.0  # 2.4 sigma: a leak this weak only counts at the very place of a dense block
NO_SHIELD = ("organic", "light-metal")
"""What is told of neither is dense, or so dense that it cannot be told."""
BULK_HOMOGENEITY = 0.6  # above this a load is one material, not a mixture
STEADY_M_S, STEADY_SENSORS = 4.0, 3
"""Who gets out of a vehicle makes it stop; one that passes three sensors at 15 km/h has not."""


def shielding(transit: Transit, policy: AssociationPolicy) -> Detection | None:
    """A gamma dip, or a weak gamma peak, at the place of a dense block in the scan."""
    blocks = [
        d
        for d in transit.of("xray.dense")
        # Of a vehicle that comes rear first the place is not known before its front is there.
        if d.facts.get("material") not in NO_SHIELD and "position_m" in d.facts
    ]
    traces = [
        (d, number(d.facts, "position_m"))
        for d in transit.of("gamma.dip")
        + [
            d
            for d in transit.gammas
            if number(d.facts, "point_nats") >= WEAK_GAMMA_NATS and d.facts.get("cab") is not True
        ]
    ]
    pairs = [
        (abs(place_m - number(block.facts, "position_m")), block, trace, place_m)
        for block in blocks
        for trace, place_m in traces
    ]
    if not pairs:
        return None
    apart_m, block, trace, place_m = min(pairs, key=lambda pair: pair[0])
    if apart_m > policy.place_tolerance_m:
        return None
    facts: dict[str, Fact] = {
        "position_m": round(number(block.facts, "position_m"), 2),
        "gamma_position_m": round(place_m, 2),
        "apart_m": round(apart_m, 2),
        "within_m": 2.0 * policy.place_tolerance_m,
        "length_m": transit.length_m or 18.0,
        "trace": trace.kind,
    }
    return _cue("fusion.shielding", [block, trace], facts, Family.RADIATION)


def bulk_norm(transit: Transit) -> Detection | None:
    """A wide gamma profile over a homogeneous bulk load: release."""
    scans = transit.of("xray.scan")
    wide = [
        d
        for d in transit.gammas
        # A spectrum that names anything but minerals is not explained by a load of them.
        if d.facts.get("extent") == "extended"
        and (d.kind == "gamma.profile" or d.facts.get("category") in ("norm", "background"))
    ]
    if not scans or not wide or transit.of("xray.dense"):
        return None
    homogeneity = number(scans[0].facts, "homogeneity")
    if homogeneity < BULK_HOMOGENEITY:
        return None
    facts: dict[str, Fact] = {
        "homogeneity": round(homogeneity, 3),
        "width_m": round(number(wide[0].facts, "width_m"), 2),
    }
    return _cue("fusion.bulk-norm", [scans[0], wide[0]], facts, Family.RADIATION)


def bypass(vehicle: Detection) -> Detection:
    """A vehicle at the lane with no occupancy of the portal."""
    nats = nats_of(vehicle).get("vehicle", 0.0) if vehicle.kind == "seismic.event" else 3.0
    facts: dict[str, Fact] = {
        "seen_by": vehicle.sensor_id,
        "vehicle_nats": nats,
        "kind": vehicle.kind,
    }
    return _cue("fusion.bypass", [vehicle], facts, Family.SEISMIC)


def motion(track: Track, zone: Zone) -> Detection | None:
    """Where it goes and how fast, from the times at which it passed the sensors."""
    facts = motion_facts(track, zone)
    if facts is None:
        return None
    members = [track.detections[name] for name in sorted(track.detections)]
    return _cue("track.motion", members, facts, Family.SEISMIC)


def drop_off(
    track: Track, zone: Zone, vehicles: Sequence[Track], policy: AssociationPolicy
) -> Detection | None:
    """Footsteps that start where a vehicle was last heard, soon after it."""
    first = min(track.detections.values(), key=lambda d: (d.start_utc_ns, d.sensor_id))
    if first.facts.get("class") not in ("person", "group"):
        return None
    here = zone.places[first.sensor_id]
    for vehicle in vehicles:
        if _drove_by(vehicle):
            continue
        last = max(vehicle.detections.values(), key=lambda d: (d.end_utc_ns, d.sensor_id))
        gap_s = (first.start_utc_ns - last.end_utc_ns) / SECOND_NS
        near = math.dist(here, zone.places[last.sensor_id]) <= policy.stop_distance_m
        if last.facts.get("class") == "vehicle" and near and 0.0 <= gap_s <= policy.track_gap_s:
            nats = nats_of(first)
            facts: dict[str, Fact] = {
                "after_s": round(gap_s, 1),
                "sensor": last.sensor_id,
                "on_foot_nats": max(nats.get("person", 0.0), nats.get("group", 0.0)),
            }
            return _cue("fusion.drop-off", [first, last], facts, Family.SEISMIC)
    return None


def _drove_by(vehicle: Track) -> bool:
    """Whether it went past at one speed, or all sensors heard it pass at once on a road nearby."""
    motion = vehicle.motion.facts if vehicle.motion is not None else {}
    sensors = motion.get("sensors")
    steady = motion.get("course") == "across" or number(motion, "speed_m_s") >= STEADY_M_S
    return steady and isinstance(sensors, tuple) and len(sensors) >= STEADY_SENSORS


def _cue(
    kind: str, members: Sequence[Detection], facts: dict[str, Fact], family: Family
) -> Detection:
    origins = {member.origin for member in members}
    return weigh(
        Detection(
            sensor_id=FUSION,
            family=family,
            origin=next(iter(sorted(origins - {Origin.SENSOR})), Origin.SENSOR),
            kind=kind,
            start_utc_ns=min(member.start_utc_ns for member in members),
            end_utc_ns=max(member.end_utc_ns for member in members),
            facts=facts,
        )
    )
