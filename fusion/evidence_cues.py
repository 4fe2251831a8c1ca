"""What a cue of several sensors says for each explanation, in nats against `nothing`.

As in `fusion.evidence`, each function is one cue's calibration; the cues are in `fusion.cues`.
"""

import math
from collections.abc import Callable, Mapping

from fusion.radiation_evidence import number
from fusion.radiation_fitted import NEUTRON_OFFSET
from fusion.types import Fact

LEAK_SD = 1.2  # of a point's sigma at a place where nothing leaks: the shadow's form is not known
LEAK_MOST_SIGMA = 8.0
"""A source that somebody shields leaks anything from nothing to this; more rings by itself."""
MOST_SIGMA = 12.0  # no one is surer
FILLED_SHARE, FILLED_MOST_SIGMA = 0.5, 2.0
"""How much of the dip that a block should make counts as leaked where it is missing: half, for
what a load shields beside the block is not known, and never more than this."""
FREE_NATS, FREE_SHARE = 1.5, 0.05
"""By how much the best of all places and lengths beats the right one by chance, and by a profile
whose law is right to no more than this share."""
ON_LOAD_NATS = 4.0  # of a point upon minerals at a known place; 6.5 at an unknown one
SAID_OF_BLOCKS = 3.0  # what `xray_dense` may say of a source by itself
STRONG_FROM_NATS, STRONG_WIDTH_NATS, OPAQUE_FROM_NATS = 24.0, 16.0, 8.0
"""From 7 sigma on a portal sees more and more of an excess's own form, and is believed in it:
loads of minerals are dark and dense in places, and are strong at all of them."""
POINT_FLOOR_NATS, PLACE_NATS = 6.0, 2.4
"""A point is one where it explains by so much more than a load; then its place is worth the log of
how much longer a vehicle is than the two measurements differ by, 18 m over 1.6 m."""
HEARD_NATS = 1.5  # of a leak, 2.7 sigma, from where all that the scanner says of the block counts
DIP_NATS, LEAST_DIP = 1.5, 0.3
POINT_HELD_NATS = 3.25  # a point upon a load, by its likelihood ratio, from which none is released
AT_BLOCK_NATS, HYDROGENOUS_NATS = 1.8, 3.0  # ln of 18 m over two tolerances; the most it may say
BLINDS_SHARE, BLINDED_NATS = 0.01, 2.0
"""Of those who smuggle, who blind a sensor first; and the most that it may say. Set by hand."""
LOUD_FROM, LOUD_SLOPE, LOUD_MOST_NATS = 1.25, 6.5, 5.5  # of a vehicle beside a lane. By hand
SOMEBODY_NATS = 1.5  # of somebody on foot, from where on there is one to be picked up
PICK_UP_S = 45.0  # from the last step to when no vehicle that starts has waited for it
SURE_FROM, SURE_WIDTH = 2.0, 4.0
"""From where on a shield takes the place of minerals and patients."""
INSTEAD_FROM = 5.0
"""And of another thing in the load: once the shield is told itself, the block is not told twice."""


def fusion_shielding(facts: Mapping[str, Fact]) -> dict[str, float]:
    """A leak, or a dip, at the place of a dense block: one place that two sensors name.

    A leak is worth how much likelier its sigma is of sources that leak anything up to 8 sigma than
    of a shadow that scatters by 1.2, as at that one place nothing was searched. As far as some
    other place or a load explains the counts better it is not from there. That the block is dense
    counts beyond what a scanner may say of sources alone, as far as the leak itself says. A weak
    peak at a block is neither minerals nor a driver, and the block is then told once, as a shield.
    A dip alone says only that the block is dense, which the scanner has said already.
    """
    if facts.get("trace") == "gamma.dip":
        return {"shielded-source": dip_nats(facts)}
    # Heavy bulk is dark in the middle, where minerals are strongest too.
    begins = OPAQUE_FROM_NATS if facts.get("opaque") is True else STRONG_FROM_NATS
    strong = _share((number(facts, "best_nats") - begins) / STRONG_WIDTH_NATS)
    if facts.get("trace") == "neutron.counts":
        nats = neutrons_at_nats(facts)
    else:
        nats = max(leak_nats(facts), number(facts, "on_load_nats") - ON_LOAD_NATS)
    nats -= math.log(max(1.0, number(facts, "blocks", 1.0)))
    nats = (1.0 - strong) * nats + strong * min(nats, _of_strong(facts))
    if nats <= 0.0:
        return {}
    block = max(0.0, number(facts, "block_nats") - SAID_OF_BLOCKS)
    nats += (1.0 - strong) * block * min(1.0, nats / HEARD_NATS)
    sure = (1.0 - strong) * _share((nats - SURE_FROM) / SURE_WIDTH)
    return {
        "shielded-source": nats,
        "norm": -4.0 * sure,
        "medical": -4.0 * sure,
        "contraband-anomaly": -6.0 * (1.0 - strong) * _share(nats - INSTEAD_FROM),
    }


def _of_strong(facts: Mapping[str, Fact]) -> float:
    """What the place of a strong excess says: only that, and only of a point."""
    if facts.get("opaque") is True:
        return 0.0
    floor = POINT_FLOOR_NATS + FREE_SHARE * number(facts, "best_nats")
    upon = number(facts, "on_load_nats") / POINT_HELD_NATS - 1.0
    return PLACE_NATS * _share(max(number(facts, "point_over_nats") / floor, upon))


def neutrons_at_nats(facts: Mapping[str, Fact]) -> float:
    """What neutrons are worth more at a block than at the best of all places, where they were."""
    said = max(0.0, number(facts, "best_nats") - NEUTRON_OFFSET)
    here = number(facts, "best_nats") - number(facts, "behind_nats")
    return max(0.0, here - NEUTRON_OFFSET + AT_BLOCK_NATS) - said


def leak_nats(facts: Mapping[str, Fact]) -> float:
    """ln of how much likelier what was counted at the block is of a leak than of none."""
    filled = FILLED_SHARE * max(0.0, number(facts, "expected_dip_sigma"))
    sigma = number(facts, "at_sigma") + min(FILLED_MOST_SIGMA, filled)
    sigma = max(-MOST_SIGMA, min(MOST_SIGMA, sigma))
    leaks = math.log((_below(sigma) - _below(sigma - LEAK_MOST_SIGMA)) / LEAK_MOST_SIGMA)
    none = -0.5 * (sigma / LEAK_SD) ** 2 - math.log(LEAK_SD * math.sqrt(2.0 * math.pi))
    free = FREE_NATS + FREE_SHARE * number(facts, "best_nats")
    return leaks - none - max(0.0, number(facts, "behind_nats") - free)


def dip_nats(facts: Mapping[str, Fact]) -> float:
    """How well a dip is explained by the block there, or by one up to twice as dense.

    A dip of depth z where one of e is expected is exp(z e - e^2 / 2) times likelier than without
    the block; a scanner that sees little of a block's middle says less than there is.
    """
    depth = max(0.0, -number(facts, "at_sigma"))
    expected = max(0.0, number(facts, "expected_dip_sigma"))
    expected = min(max(expected, depth), 2.0 * expected + LEAST_DIP)
    return max(0.0, min(DIP_NATS, depth * expected - 0.5 * expected**2))


def _share(value: float) -> float:
    return max(0.0, min(1.0, value))


def _below(sigma: float) -> float:
    return 0.5 * math.erfc(-sigma / math.sqrt(2.0))


def fusion_bulk_norm(facts: Mapping[str, Fact]) -> dict[str, float]:
    """A homogeneous bulk load where the gamma profile is wide: minerals, not a hidden source.

    The more a point shows upon the load the less is released: at half of what rings by itself
    (`on_load_offset`), none.
    """
    even = number(facts, "homogeneity")
    even *= max(0.0, 1.0 - number(facts, "on_load_nats") / POINT_HELD_NATS)
    if even <= 0.0:
        return {}
    return {"norm": 3.0 * even, "threat-source": -2.0 * even, "shielded-source": -2.0 * even}


def fusion_bypass(facts: Mapping[str, Fact]) -> dict[str, float]:
    """A vehicle was there, the portal was up, and it counted nobody, or nobody who is so loud.

    Of 13 simulated trucks in lanes the loudest was 1.6 times the usual one, of four vehicles around
    the portal the faintest 2.6 times: log-normal with 0.25 the former, anywhere the latter. That
    would be worth some 6 nats at 2.6 times; a lane's usual truck is known from few, so less.
    """
    louder = math.log(max(1.0, number(facts, "louder", 1.0) / LOUD_FROM))
    loud = min(LOUD_MOST_NATS, LOUD_SLOPE * louder)
    return {"bypass": 1.5 + number(facts, "vehicle_nats") + loud}


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


def fusion_pick_up(facts: Mapping[str, Fact]) -> dict[str, float]:
    """Footsteps that end where and when a vehicle starts: as of a drop-off, the other way round.

    Whoever walks past a road is as near to a vehicle now and then: the sooner it starts after the
    last step, the less likely that is by chance.
    """
    soon = _share(1.0 - number(facts, "before_s") / PICK_UP_S)
    on_foot = max(0.0, number(facts, "on_foot_nats"))
    return {
        "pick-up": (4.0 + 2.0 * soon) * _share(on_foot / SOMEBODY_NATS) + on_foot,
        "person": -2.0,
        "group": -2.0,
    }


def fusion_blinded(facts: Mapping[str, Fact]) -> dict[str, float]:
    """A sensor of the place went blind within seconds before somebody came.

    Of those who have something to hide some blind a sensor first; by chance it comes as often as
    this sensor fails, times the seconds that are looked at. One that fails every half hour says
    nothing. It never rings by itself: every prior that it speaks for is far below.
    """
    chance = number(facts, "chance", 1.0)
    nats = max(0.0, min(BLINDED_NATS, math.log(BLINDS_SHARE / max(chance, 1e-6))))
    if nats <= 0.0:
        return {}
    lane = dict.fromkeys(("threat-source", "shielded-source", "bypass"), nats)
    # Priors of people on foot are high, and what fools one sensor may well shake the next.
    return lane | dict.fromkeys(("person", "group", "drop-off", "pick-up"), 0.5 * nats)


def fusion_hydrogenous(facts: Mapping[str, Fact]) -> dict[str, float]:
    """What an excess of neutrons is worth over the background that this load leaves, and was not.

    As `neutron_counts` says it: half the square of the significance, less what the best of ten
    places costs. At a block of hydrogenous stuff there was less to search.
    """
    offset = NEUTRON_OFFSET - (AT_BLOCK_NATS if facts.get("at_block") is True else 0.0)
    said = max(0.0, 0.5 * number(facts, "neutron_sigma") ** 2 - NEUTRON_OFFSET)
    now = max(0.0, 0.5 * max(0.0, number(facts, "corrected_sigma")) ** 2 - offset)
    nats = max(-HYDROGENOUS_NATS, min(HYDROGENOUS_NATS, now - said))
    return {"threat-source": nats, "shielded-source": nats} if nats else {}


FAR_OFF_NATS = -2.0  # 7 of 7 simulated vehicles on a road, none of 11 beside the sensors


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
    if facts.get("course") == "far-off":
        # A road is no ground that nobody is meant to cross.
        return {"vehicle": FAR_OFF_NATS}
    if facts.get("course") == "across":
        return {"person": 0.5, "group": 0.5 + group, "animal": 0.3, "vehicle": 0.5}
    if speed <= 3.0:
        walks = 1.0 + more
        return {"person": walks - group, "group": walks + group, "animal": 0.5 + more} | nobody
    if speed <= 7.0:  # a runner, a horse, or a car that looks for its way
        return {"person": 0.5 + more, "group": more, "animal": 0.5 + more, "vehicle": more} | nobody
    return {"vehicle": 1.0 + more, "person": -1.0, "group": -1.0} | nobody


def health_miscount(facts: Mapping[str, Fact]) -> dict[str, float]:
    """Counts that chance alone would let differ so once in a month."""
    return {"miscount": 10.0 if facts.get("active") is True else 0.0}


CUES: Mapping[str, Callable[[Mapping[str, Fact]], dict[str, float]]] = {
    "fusion.shielding": fusion_shielding,
    "fusion.bulk-norm": fusion_bulk_norm,
    "fusion.bypass": fusion_bypass,
    "fusion.drop-off": fusion_drop_off,
    "fusion.pick-up": fusion_pick_up,
    "fusion.hydrogenous": fusion_hydrogenous,
    "fusion.blinded": fusion_blinded,
    "track.motion": track_motion,
    "health.miscount": health_miscount,
}
