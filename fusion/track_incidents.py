"""Chains of passages that are one incident: one thing that turned, or several that go together."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fusion.association_policy import AssociationPolicy
from fusion.track_chains import HURRY, SURE_NATS, Chain, Pass
from fusion.track_line import Line
from fusion.types import SECOND_NS

SURE_PASSES = 3  # of a chain that shows no direction


@dataclass(frozen=True, slots=True)
class Incident:
    """What is told as one."""

    legs: tuple[Chain, ...] = ()
    """One thing's way, from turn to turn."""
    followers: tuple[Chain, ...] = ()
    """Those who come behind it, the same way."""

    @property
    def passes(self) -> tuple[Pass, ...]:
        """All its passages."""
        return tuple(one for chain in self.legs + self.followers for one in chain.passes)

    @property
    def is_sure(self) -> bool:
        """Whether it is worth parting from what it was taken for: one passage may be a gust."""
        return any(
            leg.heading or (len(leg.passes) >= SURE_PASSES and leg.gain_nats >= SURE_NATS)
            for leg in self.legs
        )

    @property
    def leg(self) -> Chain | None:
        """The latest part of the way that says where it goes, or else the longest."""
        if not self.legs:
            return None
        return max(
            self.legs,
            key=lambda leg: (
                leg.heading != 0,
                leg.last.at_utc_ns if leg.heading else len(leg.passes),
            ),
        )


@dataclass(slots=True)
class _Group:
    legs: list[Chain]
    followers: list[Chain] = field(default_factory=list)


def incidents(chains: Sequence[Chain], line: Line, policy: AssociationPolicy) -> list[Incident]:
    """Chains by incident; who has only begun to follow somebody is left out."""
    found: list[_Group] = []
    for chain in chains:
        group = next(
            (g for g in found if _follows(([*g.legs, *g.followers])[-1], chain, policy)), None
        )
        if group is not None:
            if len(chain.passes) > 1:
                group.followers.append(chain)
            continue
        group = next((g for g in found if _goes_on(g.legs, chain, line, policy)), None)
        if group is not None:
            group.legs.append(chain)
        else:
            found.append(_Group([chain]))
    return [Incident(tuple(group.legs), tuple(group.followers)) for group in found]


def _follows(leader: Chain, chain: Chain, policy: AssociationPolicy) -> bool:
    """Whether it comes closely behind at every sensor that both have passed."""
    if leader.last.manner != chain.last.manner:
        return False
    if len(chain.passes) > 1 and leader.heading * chain.heading <= 0:
        return False
    times = {one.sensor_id: one.at_utc_ns for one in leader.passes}
    behind = [
        (one.at_utc_ns - times[one.sensor_id]) / SECOND_NS
        for one in chain.passes
        if one.sensor_id in times
    ]
    return bool(behind) and all(0.0 < s <= policy.file_gap_s for s in behind)


def _goes_on(legs: Sequence[Chain], chain: Chain, line: Line, policy: AssociationPolicy) -> bool:
    """Whether it is the same thing, which turned between two sensors or stood still there.

    Where somebody turns, two or three sensors are nearest to them at the same moment; and on the
    way back they pass the last sensors again.
    """
    first = chain.passes[0]
    if any(leg.last.manner != first.manner for leg in legs):
        return False
    headed = [leg for leg in legs if leg.heading]
    if not headed:
        return False
    leg = headed[-1]
    after_s = (first.at_utc_ns - leg.last.at_utc_ns) / SECOND_NS
    if not 0.0 < after_s <= policy.track_gap_s:
        return False
    if not chain.heading:  # is it there by then?
        places = [one.along_m for one in chain.passes]
        there_m = leg.along_m(first.at_utc_ns)
        if min(places) - line.spacing_m <= there_m <= max(places) + line.spacing_m:
            return True
    if chain.heading * leg.heading > 0 or line.between(leg.last.along_m, first.along_m):
        return False
    way_m = abs(first.along_m - leg.last.along_m)
    return way_m * abs(leg.state[1]) <= HURRY * after_s
