"""What a side must not learn beside the alerts: places whose live values it is not sent.

A rule about alerts would be worth little if the needles moved on that side's screen while the
vehicle stood there. Whether a rule will apply is not known before an alert is there, so a place is
reserved from a side as soon as one of its rules could be about an alert of that place, and keeps
back where it is or how it came about.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from edge.delivery.release import Rule, rule_of

if TYPE_CHECKING:
    from edge.config import Config

TELLING = frozenset(
    {
        "lane",
        "zone",
        "direction",
        "probability",
        "explanations",
        "contributions",
        "facts",
        "description",
    }
)
"""Fields that what a sensor measures just then would tell, or help to guess."""
LANE_DIRECTIONS = frozenset({"northbound", "southbound"})
NO_PLACE = "site"
"""Where sensors are that watch neither a lane nor a zone."""


def reserved_places(config: "Config") -> dict[str, frozenset[str]]:
    """By side, the places of which it gets no live values."""
    lanes = {lane.id: str(lane.direction) for lane in config.lanes}
    places: dict[str, str | None] = {**lanes, **dict.fromkeys(z.id for z in config.zones)}
    places[NO_PLACE] = None
    return {
        name: of_rules([rule_of(one) for one in side.release], places)
        for name, side in config.sides.items()
    }


def of_rules(rules: Iterable[Rule], places: Mapping[str, str | None]) -> frozenset[str]:
    """The places that these rules reserve. `places`: with a lane's direction."""
    telling = [rule for rule in rules if rule.everything or TELLING & set(rule.fields)]
    return frozenset(
        place
        for place, direction in places.items()
        if any(_could_be_about(rule, place, direction) for rule in telling)
    )


def _could_be_about(rule: Rule, place: str, direction: str | None) -> bool:
    if rule.places and place not in rule.places:
        return False
    if not rule.directions:
        return True
    # Over ground a track may go any way but those of lanes.
    return direction in rule.directions if direction else bool(rule.directions - LANE_DIRECTIONS)
