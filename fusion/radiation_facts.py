"""What a portal's tests are told as: the facts of its detections."""

import numpy as np
from numpy.typing import NDArray

from fusion.radiation_neutrons import NeutronTest
from fusion.radiation_pass import Passage
from fusion.radiation_policy import RadiationPolicy
from fusion.radiation_profile import Profile
from fusion.types import Fact


def is_over_range(counts: NDArray[np.int64], scan_s: float, policy: RadiationPolicy) -> bool:
    """Whether any panel counted too fast in any scan for shapes to be trusted."""
    return bool(counts.max() >= policy.over_range_cps * scan_s)


def gamma_facts(
    passage: Passage, profile: Profile | None, length_m: float | None, policy: RadiationPolicy
) -> dict[str, Fact]:
    """Of `gamma.profile`; `profile` is None after too few scans."""
    background = passage.gamma_background_cps
    counts = np.array(passage.counts or [(0,)], np.int64)
    facts: dict[str, Fact] = {
        "background_cps": None if background is None else round(float(background.sum()), 2),
        "over_range": is_over_range(counts, passage.scan_s, policy),
    }
    if profile is None:  # too few scans to tell anything but over-range
        category = "over-range" if facts["over_range"] else "background"
        return facts | {"gamma_sigma": 0.0, "extent": "none", "category": category}
    extent, category = "none", "background"
    source = max(profile.point, profile.extended, key=lambda form: form.nats)
    if profile.sigma >= policy.significant_sigma:
        is_point = source is profile.point
        extent, category = ("point", "unknown") if is_point else ("extended", "norm")
    if facts["over_range"]:
        category = "over-range"
    facts |= {
        "gamma_sigma": round(profile.sigma, 3),
        "extent": extent,
        "category": category,
        "width_m": round(source.width_m, 2),
        "position_m": round(source.position_m, 2),
        "net_cps": round(source.net_cps, 1),
        "suppression": round(source.suppression, 4),
        "point_nats": round(profile.point.nats, 3),
        "extended_nats": round(profile.extended.nats, 3),
        "cab": extent == "point" and source.position_m <= policy.cab_m,
        "panel_share": tuple(round(share, 3) for share in source.panel_share),
    }
    if profile.on_load and profile.sigma >= policy.significant_sigma:
        facts["point_on_load_nats"] = round(profile.on_load.nats, 3)
        facts["point_on_load_m"] = round(profile.on_load.position_m, 2)
    if profile.along_sigma:
        facts["along_sigma"] = tuple(round(sigma, 1) for sigma in profile.along_sigma)
    if length_m:
        facts["position"] = round(min(max(source.position_m / length_m, 0.0), 1.0), 3)
    return facts


def neutron_facts(test: NeutronTest, policy: RadiationPolicy) -> dict[str, Fact]:
    """Of `neutron.counts`; `neutron_sigma` is of neutrons alone, `significant` the verdict."""
    return {
        "neutron_sigma": round(test.sigma, 3),
        "beside_sigma": round(test.beside_sigma, 3),
        "joint_sigma": round(test.joint_sigma, 3),
        "significant": test.is_significant(policy),
        "counts": test.counts,
        "expected": round(test.expected, 3),
        "position_m": round(test.position_m, 2),
        "bursts": test.bursts,
    }
