"""Neutrons beside what the scanner shows of the load: hydrogen takes them, metal makes some.

Water, paper and plastics slow neutrons down and swallow them: a load of them leaves less of the
background, and less of a source within it, so that a weak excess there is more than it seems. Steel
and lead make neutrons of cosmic rays, the ship effect, so that an excess over scrap is less
(facts/radiation 3.1: light cargo lowers neutron counts, metal raises them).
"""

import math
from collections.abc import Mapping

from fusion.associate import Transit
from fusion.association_policy import AssociationPolicy
from fusion.cue import cue
from fusion.evidence import number
from fusion.types import Detection, Fact, Family

HYDROGEN_SHARE, HYDROGEN_T = 0.25, 10.0
"""Of the neutron background, at most, and the tonnes of organic load that take 1 - 1/e of that."""
METAL_SHARE, METAL_T = 0.10, 10.0
"""What metal adds to it in the same way; policy `neutron_level_sd` has both for want of a scan."""
LEAST_SIGMA = 2.0  # below it there is no excess of which more or less could be thought
LEAST_CHANGE = 0.01  # of the background, which nobody knows better


def hydrogenous(transit: Transit, policy: AssociationPolicy) -> Detection | None:
    """An excess of neutrons, held against what this load leaves of their background."""
    scans = [d for d in transit.of("xray.scan") if d.final and d.facts.get("partial") is not True]
    tests = [
        d
        for d in transit.of("neutron.counts")
        if number(d.facts, "neutron_sigma") >= LEAST_SIGMA and number(d.facts, "expected") > 0.0
    ]
    if len(scans) != 1 or not tests:  # of two vehicles in one occupancy nobody knows whose
        return None
    share = background_share(scans[0].facts)
    test = max(tests, key=lambda d: number(d.facts, "neutron_sigma"))
    block = _block_at(transit, number(test.facts, "position_m"), policy)
    if abs(1.0 - share) < LEAST_CHANGE and block is None:
        return None
    sigma, expected = number(test.facts, "neutron_sigma"), number(test.facts, "expected")
    facts: dict[str, Fact] = {
        "neutron_sigma": round(sigma, 3),
        "corrected_sigma": round(corrected(sigma, expected, share), 3),
        "background_share": round(share, 3),
        "metal": share > 1.0,
        "at_block": block is not None,
        "position_m": round(number(test.facts, "position_m"), 2),
    }
    if share > 1.0:
        facts["mass_t"] = round(_tonnes(scans[0].facts, ("steel", "dense")), 1)
    members = [test, scans[0]] if block is None else [test, scans[0], block]
    return cue("fusion.hydrogenous", members, facts, Family.RADIATION)


def background_share(scan: Mapping[str, Fact]) -> float:
    """What a load leaves of the neutron background, more than 1 for metal."""
    organic_t, metal_t = _tonnes(scan, ("organic",)), _tonnes(scan, ("steel", "dense"))
    taken = HYDROGEN_SHARE * -math.expm1(-organic_t / HYDROGEN_T)
    made = METAL_SHARE * -math.expm1(-metal_t / METAL_T)
    return 1.0 - taken + made


def corrected(sigma: float, expected: float, share: float) -> float:
    """The excess in standard deviations of the background that the load leaves.

    sigma     over `expected` counts
    expected  counts of the background without a load, > 0
    share     of them that the load leaves, > 0
    """
    excess = sigma * math.sqrt(expected) + expected * (1.0 - share)
    return excess / math.sqrt(expected * share)


def _tonnes(scan: Mapping[str, Fact], groups: tuple[str, ...]) -> float:
    materials = scan.get("materials")
    if not isinstance(materials, Mapping):
        return 0.0
    share = math.fsum(number(materials, group) for group in groups)
    return max(0.0, number(scan, "mass_kg")) / 1000.0 * min(1.0, share)


def _block_at(transit: Transit, place_m: float, policy: AssociationPolicy) -> Detection | None:
    """A block of hydrogenous stuff where the neutrons are: what somebody put around a source."""
    blocks = [
        d
        for d in transit.of("xray.dense")
        if d.facts.get("material") == "organic"
        and "position_m" in d.facts
        and abs(number(d.facts, "position_m") + number(d.facts, "behind_m") - place_m)
        <= policy.place_tolerance_m
    ]
    return max(blocks, key=lambda d: number(d.facts, "sigma"), default=None)
