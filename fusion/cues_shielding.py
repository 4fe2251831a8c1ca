"""Shielding: what the portal counts at the very place where the scanner shows a dense block.

A portal alone must search all of a vehicle, so it rings for what is rare at the best of many
places. Where the scanner has named the place there is nothing to search: a leak of 3 sigma says
there what 5 sigma say of a place that nobody knew. Of several blocks and portals the best pair
speaks, and pays for having been chosen.
"""

import math
from collections.abc import Iterable, Mapping

from fusion.associate import Transit
from fusion.association_policy import AssociationPolicy
from fusion.cue import cue
from fusion.evidence import number
from fusion.radiation_profile import ALONG_FROM_M, ALONG_STEP_M
from fusion.types import Detection, Fact, Family

NO_SHIELD = ("organic", "light-metal")
"""What is told of neither is dense, or so dense that it cannot be told."""
PROFILE_M = 5.0
"""Two points so far apart along the vehicle look alike by a third to a panel at 2.5 m: each has the
profile (1 + (x / 2.5 m)^2)^-1.5 (facts/radiation 5.1), and two profiles overlap twice as far."""
DENSE_CM2_G = 0.06  # attenuation of the 1 MeV background in metal, NIST XCOM
FAR_SIDE_SHARE = 0.5  # of a panel's background comes past no vehicle
PANEL_M = 1.7  # the panel's height, and the ground that it sees to either side of a block: 2 m
SEEN_M = 2.0
POINT_M = 2.95  # integral of a point's squared profile along the vehicle, for its counting time
FREE = 1.4  # what a shadow of unknown form adds to the error of a point
USUAL_M_S = 2.2
LEAST_DIP_SIGMA = 2.0


def shielding(transit: Transit, policy: AssociationPolicy) -> Detection | None:
    """A gamma dip, a leak or weak peak, or neutrons at the place of a dense block in the scan."""
    blocks = list(_blocks(transit))
    traces = [*transit.gammas, *transit.of("neutron.counts"), *transit.of("gamma.dip")]
    choices = max(1, len(blocks) * max(1, len(transit.gammas)))
    best: Detection | None = None
    for block in blocks:
        for trace in traces:
            found = _pair(block, trace, transit, policy, choices)
            if found is not None and (best is None or _says(found) > _says(best)):
                best = found
    return best


def _says(found: Detection) -> float:
    return found.nats.get("shielded-source", 0.0)


def _blocks(transit: Transit) -> Iterable[Detection]:
    """What may be a shield: dense, or so dense that nothing gets through."""
    for block in transit.of("xray.dense") + transit.of("xray.unpenetrated"):
        # Of a vehicle that comes rear first the place is not known before its front is there.
        if block.facts.get("material") not in NO_SHIELD and "position_m" in block.facts:
            yield block


def _pair(
    block: Detection,
    trace: Detection,
    transit: Transit,
    policy: AssociationPolicy,
    choices: int,
) -> Detection | None:
    # Of the second of two vehicles in one occupancy the front is not the portal's.
    place_m = number(block.facts, "position_m") + number(block.facts, "behind_m")
    if trace.kind == "neutron.counts":
        measured = _neutrons_at(trace.facts, place_m)
    elif trace.kind == "gamma.dip":
        measured = _dip_at(trace.facts, place_m)
    elif trace.facts.get("cab") is True:
        return None  # the driver is no shield's business
    else:
        measured = _gammas_at(trace.facts, place_m)
    if measured is None:
        return None
    gammas = (trace, *transit.gammas)
    known = next((one.facts for one in gammas if "background_cps" in one.facts), {})
    dip_sigma = expected_dip_sigma(block.facts, known, transit.speed_m_s)
    facts: dict[str, Fact] = {
        "position_m": round(place_m, 2),
        "trace": trace.kind,
        "opaque": block.kind == "xray.unpenetrated",
        **measured,
        "expected_dip_sigma": round(dip_sigma, 2),
        "block_nats": round(block.nats.get("contraband-anomaly", 0.0), 3),
        "blocks": choices,
    }
    peak_m = trace.facts.get("position_m")
    if isinstance(peak_m, int | float) and abs(peak_m - place_m) <= policy.place_tolerance_m:
        facts["gamma_position_m"] = round(float(peak_m), 2)
        facts["apart_m"] = round(abs(peak_m - place_m), 2)
    found = cue("fusion.shielding", [block, trace], facts, Family.RADIATION)
    return found if _says(found) > 0.0 else None


def _gammas_at(facts: Mapping[str, Fact], place_m: float) -> dict[str, Fact] | None:
    """How many standard deviations a point at the place has, and how far it lies under the best.

    A load of minerals, or a source elsewhere, explains its own counts better than a point here.
    """
    best_nats = max(number(facts, "point_nats"), number(facts, "extended_nats"))
    sigma = sigma_at(facts, place_m)
    if sigma is None:
        return None
    point_nats = 0.5 * max(0.0, sigma) ** 2
    told: dict[str, Fact] = {
        "at_sigma": round(sigma, 2),
        "behind_nats": round(max(0.0, best_nats - point_nats), 2),
        "best_nats": round(best_nats, 2),
        "point_over_nats": round(number(facts, "point_nats") - number(facts, "extended_nats"), 2),
    }
    upon_m = facts.get("point_on_load_m")
    if isinstance(upon_m, int | float):
        told["on_load_nats"] = round(
            number(facts, "point_on_load_nats") * likeness(upon_m - place_m) ** 2, 2
        )
    return told


def _neutrons_at(facts: Mapping[str, Fact], place_m: float) -> dict[str, Fact] | None:
    peak_m = facts.get("position_m")
    if not isinstance(peak_m, int | float):
        return None
    sigma = number(facts, "neutron_sigma")
    at_sigma = sigma * likeness(peak_m - place_m)
    return {
        "at_sigma": round(at_sigma, 2),
        "behind_nats": round(0.5 * (max(0.0, sigma) ** 2 - max(0.0, at_sigma) ** 2), 2),
        "best_nats": round(0.5 * max(0.0, sigma) ** 2, 2),
    }


def _dip_at(facts: Mapping[str, Fact], place_m: float) -> dict[str, Fact] | None:
    peak_m = facts.get("position_m")
    if not isinstance(peak_m, int | float):
        return None
    sigma = number(facts, "dip_sigma") * likeness(peak_m - place_m)
    if sigma < LEAST_DIP_SIGMA:
        return None
    return {"at_sigma": round(-sigma, 2), "depth": number(facts, "depth")}


def sigma_at(facts: Mapping[str, Fact], place_m: float) -> float | None:
    """A point's standard deviations at a place, less than 0 where counts are missing.

    Between the places that the portal tells, by a straight line; of a vehicle that is still
    there only the best point is known, and what it would look like from the place.
    """
    along = facts.get("along_sigma")
    if isinstance(along, tuple) and along:
        steps = (place_m - ALONG_FROM_M) / ALONG_STEP_M
        first = math.floor(steps)
        if not 0 <= first < len(along) - 1:
            return None
        here, there = along[first], along[first + 1]
        if isinstance(here, int | float) and isinstance(there, int | float):
            return here + (steps - first) * (there - here)
    peak_m = facts.get("position_m")
    if not isinstance(peak_m, int | float):
        return None
    return math.sqrt(2.0 * max(0.0, number(facts, "point_nats"))) * likeness(peak_m - place_m)


def likeness(apart_m: float) -> float:
    """How much of a point's significance is left at a place so far from it, 1 to 0."""
    return float((1.0 + (apart_m / PROFILE_M) ** 2) ** -1.5)


def expected_dip_sigma(
    block: Mapping[str, Fact], gamma: Mapping[str, Fact], speed_m_s: float
) -> float:
    """How deep a dip the block alone would make, in the portal's standard deviations.

    The share of the background that comes through the block, by its areal density over the load
    around it (exp(-mu x), NIST XCOM), its height over the panel's and its length over the ground
    that the panel sees. A pig of half a metre takes 2 %, half a standard deviation; what is not
    missing there has leaked.
    """
    background_cps = number(gamma, "background_cps")
    if background_cps <= 0.0:
        return 0.0
    half_m = 0.5 * max(0.0, number(block, "to_m") - number(block, "from_m"))
    height_m = max(0.0, number(block, "top_m") - number(block, "bottom_m"))
    stopped = -math.expm1(-DENSE_CM2_G * max(0.0, number(block, "excess_g_cm2")))
    along = half_m / math.hypot(SEEN_M, half_m)
    share = FAR_SIDE_SHARE * stopped * min(1.0, height_m / PANEL_M) * along
    seconds = POINT_M / (speed_m_s if speed_m_s > 0.0 else USUAL_M_S)
    return share * math.sqrt(background_cps * seconds) / FREE
