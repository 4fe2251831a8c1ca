"""What a cue of several sensors says for each explanation, in nats against `nothing`.

As in `fusion.evidence`, each function is one cue's calibration; the cues are in `fusion.cues`.
"""

import math
from collections.abc import Callable, Mapping

from fusion.radiation_evidence import number
from fusion.types import Fact


def fusion_shielding(facts: Mapping[str, Fact]) -> dict[str, float]:
    """Portal and scanner point at one place: by chance that is one in (length / tolerance).

    A peak at the very place of a dense block is what a shield lets through: neither minerals nor
    a driver are there. The block is then told as a shielded source and not a second time as an
    anomaly. A dip alone says only that the block is dense, which the scanner has said already.
    """
    nats = math.log(max(1.0, number(facts, "length_m", 18.0) / number(facts, "within_m", 3.0)))
    if facts.get("trace") == "gamma.dip":
        return {"shielded-source": nats}
    return {
        "shielded-source": nats + 2.0,
        "norm": -4.0,
        "medical": -4.0,
        "contraband-anomaly": -6.0,
    }


def fusion_bulk_norm(facts: Mapping[str, Fact]) -> dict[str, float]:
    """A homogeneous bulk load where the gamma profile is wide: minerals, not a hidden source."""
    homogeneity = number(facts, "homogeneity")
    return {"norm": 3.0 * homogeneity, "threat-source": -2.0 * homogeneity}


def fusion_bypass(facts: Mapping[str, Fact]) -> dict[str, float]:
    """A vehicle was there, the portal was up, and it counted nobody."""
    return {"bypass": 1.5 + number(facts, "vehicle_nats")}


def fusion_drop_off(facts: Mapping[str, Fact]) -> dict[str, float]:
    """Footsteps that start where and when a vehicle stopped.

    Whoever was dropped off is on foot, so what speaks for a walker speaks for this as well; were
    the two to compete for it, neither would reach its line.
    """
    return {
        "drop-off": 6.0 + max(0.0, number(facts, "on_foot_nats")),
        "person": -2.0,
        "group": -2.0,
    }


def track_motion(facts: Mapping[str, Fact]) -> dict[str, float]:
    """Sensors that were passed one after another, as something that moves passes them.

    Noise that rises and falls at several places does so in an order that fits one steady speed
    only by chance: for three sensors, which the field asks for (facts: seismic 2), about one time
    in four less often than for two. What crosses the line square shows no speed.
    """
    sensors = facts.get("sensors")
    more = 0.7 * (min(len(sensors), 4) - 2) if isinstance(sensors, tuple) else 0.0
    group = 1.0 if number(facts, "count", 1.0) >= 2.0 else 0.0
    nobody = {"weather": -2.0, "machinery": -3.0, "digging": -1.0}
    speed = number(facts, "speed_m_s")
    if facts.get("course") == "across":
        return {"person": 0.5, "group": 0.5 + group, "animal": 0.3, "vehicle": 0.5}
    if speed <= 3.0:
        walks = 1.0 + more
        return {"person": walks - group, "group": walks + group, "animal": 0.5 + more} | nobody
    if speed <= 7.0:  # a runner, a horse, or a car that looks for its way
        return {"person": 0.5 + more, "group": more, "animal": 0.5 + more, "vehicle": more} | nobody
    return {"vehicle": 1.0 + more, "person": -1.0, "group": -1.0} | nobody


CUES: Mapping[str, Callable[[Mapping[str, Fact]], dict[str, float]]] = {
    "fusion.shielding": fusion_shielding,
    "fusion.bulk-norm": fusion_bulk_norm,
    "fusion.bypass": fusion_bypass,
    "fusion.drop-off": fusion_drop_off,
    "track.motion": track_motion,
}
