"""What a detection says for each explanation, in nats against `nothing`.

Each function is one test's calibration. The numbers are a first, hand-set calibration from the
physics in the docstrings; they are monotone in what was measured and bounded by the caps of the
policy. A negative value speaks against an explanation.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from fusion.types import Detection, Fact

MISSED_SOURCE_NATS = -2.3  # ln(1 - Pd) at Pd 0.9: a source worth finding would have shown
CAB_SHARE_NATS = -1.6  # ln(3.5 m / 18 m): a threat is in the cab as often as anywhere else
NOT_CAB_NATS = -6.0  # patients ride in the cab
EXCESS_NATS = 14.0  # that there is radiation at all; beyond, only the shape tells more
SHAPE_NATS = 8.0  # a profile's shape alone never says more than this
SPECTRUM_NATS = 12.0  # nor does a spectrum's: templates are a model
POINT_NORM_SHARE = 0.25  # a pallet of stone is a point as well, and its spectrum says more
WEAK_GAMMA_NATS = 8.0  # an excess below the alarm line never says more than this
SHIELD_NATS = -2.0  # who shields a source shields it well: a clear excess is rather a bare one
PLACES_NATS = 2.3  # ln 10: a profile is the best of ten places and forms that are independent
GAMMA_SEEN = 4.0  # one clean pass in a thousand comes that far
SIGMA_SEEN = 3.5  # below this an excess of neutrons is not worth a name


def number(facts: Mapping[str, Fact], name: str, default: float = 0.0) -> float:
    """A numeric fact, or `default` where it is missing or no number."""
    value = facts.get(name, default)
    return float(value) if isinstance(value, int | float) else default


def gamma_profile(facts: Mapping[str, Fact]) -> dict[str, float]:
    """A point source, an extended load, or neither.

    `point_nats` and `extended_nats` are log-likelihood ratios of the best profile of each form;
    their difference is the evidence of the shape, the larger one that of the excess itself.
    """
    sigma = number(facts, "gamma_sigma")
    point, extended = number(facts, "point_nats"), number(facts, "extended_nats")
    excess = min(EXCESS_NATS, max(point, extended) - PLACES_NATS)
    if sigma < GAMMA_SEEN:
        # A leak below the alarm line still counts where the scanner shows what hides the rest.
        weak = min(max(0.0, point - PLACES_NATS), WEAK_GAMMA_NATS) if sigma > 0.0 else 0.0
        return {
            "norm": MISSED_SOURCE_NATS,
            "medical": MISSED_SOURCE_NATS,
            "threat-source": MISSED_SOURCE_NATS,
            "shielded-source": weak,
        }
    shape = max(-SHAPE_NATS, min(SHAPE_NATS, point - extended))
    in_cab = facts.get("cab") is True
    as_point = excess + min(0.0, shape)
    return {
        "norm": excess - max(0.0, shape),
        "medical": as_point + (0.0 if in_cab else NOT_CAB_NATS),
        "threat-source": as_point + (CAB_SHARE_NATS if in_cab else 0.0),
        "shielded-source": as_point + SHIELD_NATS,
    }


def gamma_spectrum(facts: Mapping[str, Fact]) -> dict[str, float]:
    """What the spectrum is, by category; the excess itself and the place as for a profile.

    `category_nats` are log-likelihood ratios against background. Their largest is the excess; how
    far each of the others lies under it is the evidence of the spectrum. Without them the profile
    alone speaks.
    """
    categories = facts.get("category_nats")
    # Where nobody has marked a vehicle no other test looks at its neutrons.
    unmarked = facts.get("monitored") is True or facts.get("static") is True
    neutrons = neutron_counts(facts) if unmarked else {}
    if not isinstance(categories, Mapping) or not categories:
        found = gamma_profile(facts)
        return {name: nats + neutrons.get(name, 0.0) for name, nats in found.items()}
    excess = min(EXCESS_NATS, 0.5 * number(facts, "gamma_sigma") ** 2)
    highest = max(number(categories, name) for name in categories)

    def said(*names: str) -> float:
        most = max(number(categories, name, highest - SPECTRUM_NATS) for name in names)
        return max(-SPECTRUM_NATS, most - highest)

    point, extended = number(facts, "point_nats"), number(facts, "extended_nats")
    shape = max(-SHAPE_NATS, min(SHAPE_NATS, point - extended))
    place = 0.0
    if "position_m" in facts:
        place = CAB_SHARE_NATS if facts.get("cab") is True else NOT_CAB_NATS
    source = excess + said("industrial", "snm", "unknown")
    return {
        "norm": excess + said("norm") - POINT_NORM_SHARE * max(0.0, shape),
        "medical": excess + said("medical") + (place if place == NOT_CAB_NATS else 0.0),
        "threat-source": source
        + (place if place == CAB_SHARE_NATS else 0.0)
        + neutrons.get("threat-source", 0.0),
        "shielded-source": source + SHIELD_NATS + neutrons.get("shielded-source", 0.0),
    }


def gamma_dip(facts: Mapping[str, Fact]) -> dict[str, float]:
    """A place where the vehicle shields the background more than its neighbourhood does."""
    sigma = number(facts, "dip_sigma")
    return {"shielded-source": 0.5 * max(0.0, sigma - 2.0)}


def neutron_counts(facts: Mapping[str, Fact]) -> dict[str, float]:
    """Neutrons have no lawful everyday source: neither NORM nor patients emit them."""
    sigma = number(facts, "neutron_sigma")
    if sigma < SIGMA_SEEN:
        return {}
    nats = 0.5 * sigma * sigma - 2.0
    return {"threat-source": nats, "shielded-source": nats}


def seismic_event(facts: Mapping[str, Fact]) -> dict[str, float]:
    """Class shares of one sensor against an even spread over some twenty kinds of noise."""
    classes = facts.get("classes")
    if not isinstance(classes, Mapping):
        return {}
    return {
        name: math.log((number(classes, name) + 0.01) / 0.05)
        for name in sorted(classes)
        if name != "unknown"
    }


def xray_emptiness(facts: Mapping[str, Fact]) -> dict[str, float]:
    """Declared empty and not empty is an inconsistency; a load that was declared is none."""
    if facts.get("declared") != "empty":
        return {}
    return {"not-empty": -number(facts, "empty_nats")}


def xray_dense(facts: Mapping[str, Fact]) -> dict[str, float]:
    """A dense block stands out: more so in a homogeneous load than in clutter."""
    sigma = number(facts, "sigma")
    clutter = 1.0 - number(facts, "homogeneity")
    contrast = 0.8 * max(0.0, sigma - 4.0) * (1.0 - 0.6 * clutter)
    dense = facts.get("material") in ("dense", "steel")
    return {
        "contraband-anomaly": contrast if dense else 0.7 * contrast,
        "shielded-source": min(3.0, contrast) if dense else 0.0,
    }


def xray_unpenetrated(facts: Mapping[str, Fact]) -> dict[str, float]:
    """Where the scanner sees nothing, nobody can say what is there."""
    return {"unpenetrated": 25.0 * (number(facts, "share") - 0.05)}


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
    """A steady order of several sensors at the speed that the class moves at."""
    speed = number(facts, "speed_m_s")
    if 0.4 <= speed <= 3.0:
        return {"person": 1.0, "group": 1.0, "animal": 0.5, "weather": -2.0, "machinery": -3.0}
    return {"vehicle": 1.0, "person": -1.0, "group": -1.0, "weather": -2.0, "machinery": -3.0}


def health_tamper(facts: Mapping[str, Fact]) -> dict[str, float]:
    """The device's own tamper contact: there is no better witness."""
    return {"tamper": 10.0 if facts.get("active") is True else 0.0}


def health_fault(facts: Mapping[str, Fact]) -> dict[str, float]:
    """The device's own word, or input that no healthy device sends."""
    return {"fault": 10.0 if facts.get("active") is True else 0.0}


def health_silent(facts: Mapping[str, Fact]) -> dict[str, float]:
    """Nothing arrived for longer than this kind of sensor ever waits."""
    return {"silent": 10.0 if facts.get("active") is True else 0.0}


CALIBRATIONS: Mapping[str, Callable[[Mapping[str, Fact]], dict[str, float]]] = {
    "gamma.profile": gamma_profile,
    "gamma.spectrum": gamma_spectrum,
    "gamma.dip": gamma_dip,
    "neutron.counts": neutron_counts,
    "seismic.event": seismic_event,
    "xray.emptiness": xray_emptiness,
    "xray.dense": xray_dense,
    "xray.unpenetrated": xray_unpenetrated,
    "fusion.shielding": fusion_shielding,
    "fusion.bulk-norm": fusion_bulk_norm,
    "fusion.bypass": fusion_bypass,
    "fusion.drop-off": fusion_drop_off,
    "track.motion": track_motion,
    "health.tamper": health_tamper,
    "health.fault": health_fault,
    "health.silent": health_silent,
}


def nats_of(detection: Detection) -> dict[str, float]:
    """Nats of a detection for each explanation it speaks for; empty where it speaks for none."""
    calibration = CALIBRATIONS.get(detection.kind)
    return {} if calibration is None else calibration(detection.facts)


def weigh(detection: Detection) -> Detection:
    """The same detection with its nats filled in."""
    return replace(detection, nats=nats_of(detection))
