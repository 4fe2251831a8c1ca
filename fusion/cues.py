"""What no single sensor can say: each cue a small named function.

A cue is a `Detection` of the source `fusion`; like any other it speaks in nats.
"""

from collections.abc import Iterator

from fusion.associate import Transit
from fusion.association_policy import AssociationPolicy
from fusion.cue import FUSION, cue
from fusion.cues_neutrons import hydrogenous
from fusion.cues_people import drop_off, pick_up
from fusion.cues_shielding import shielding
from fusion.evidence import number
from fusion.track_motion import motion_facts
from fusion.tracks import Track, Zone
from fusion.types import Detection, Fact, Family

__all__ = [
    "FUSION",
    "bulk_norm",
    "bypass",
    "drop_off",
    "hydrogenous",
    "motion",
    "of_transit",
    "pick_up",
    "shielding",
]

BULK_HOMOGENEITY = 0.6  # above this a load is one material, not a mixture


def of_transit(transit: Transit, policy: AssociationPolicy) -> Iterator[Detection]:
    """What a vehicle's portals and scanners say together now, each cue that there is."""
    if not transit.scans:
        return  # each of them is of a scan
    found_cues = shielding(transit, policy), bulk_norm(transit), hydrogenous(transit, policy)
    for found in found_cues:
        if found is not None:
            yield found


OF_TRANSIT = ("fusion.shielding", "fusion.bulk-norm", "fusion.hydrogenous", "fusion.blinded")
"""Asked afresh each time: what held for an interim finding may not hold for the final one."""


def bulk_norm(transit: Transit) -> Detection | None:
    """A wide gamma profile over a homogeneous bulk load: release.

    Not with anything dense or dark in it, not with neutrons, which minerals do not emit, and the
    less the more a point shows upon the load. Who broke the scan off has not shown all of it.
    """
    scans = [d for d in transit.of("xray.scan") if d.final and d.facts.get("partial") is not True]
    wide = [
        d
        for d in transit.gammas
        # A spectrum that names anything but minerals is not explained by a load of them.
        if d.facts.get("extent") == "extended"
        and (d.kind == "gamma.profile" or d.facts.get("category") in ("norm", "background"))
    ]
    hides = transit.of("xray.dense") + transit.of("xray.unpenetrated")
    emits = any(d.facts.get("significant") is True for d in transit.of("neutron.counts"))
    if not scans or not wide or hides or emits:
        return None
    homogeneity = number(scans[0].facts, "homogeneity")
    if homogeneity < BULK_HOMOGENEITY:
        return None
    facts: dict[str, Fact] = {
        "homogeneity": round(homogeneity, 3),
        "width_m": round(number(wide[0].facts, "width_m"), 2),
        "on_load_nats": round(max(number(d.facts, "point_on_load_nats") for d in wide), 2),
    }
    return cue("fusion.bulk-norm", [scans[0], wide[0]], facts, Family.RADIATION)


def bypass(vehicle: Detection) -> Detection:
    """A vehicle at the lane with no occupancy of the portal."""
    nats = vehicle.nats.get("vehicle", 0.0) if vehicle.kind == "seismic.event" else 3.0
    facts: dict[str, Fact] = {
        "seen_by": vehicle.sensor_id,
        "vehicle_nats": nats,
        "kind": vehicle.kind,
    }
    if "louder" in vehicle.facts:  # than what the lane's own vehicles are there
        facts["louder"] = vehicle.facts["louder"]
    return cue("fusion.bypass", [vehicle], facts, Family.SEISMIC)


def motion(track: Track, zone: Zone) -> Detection | None:
    """Where it goes and how fast, from the times at which it passed the sensors."""
    facts = motion_facts(track, zone)
    if facts is None:
        return None
    members = [track.detections[name] for name in sorted(track.detections)]
    return cue("track.motion", members, facts, Family.SEISMIC)
