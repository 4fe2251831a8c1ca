"""What is believed of one question about one incident, and what of that is news."""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from fusion.alarm_policy import AlarmPolicy
from fusion.types import MILLISECOND_NS, SECOND_NS, Contribution, Event, Fact, Level, Record

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
OTHER_SPEED = 1.2
SPEED_GAP_S = 10.0  # from one sensor to the next; until then an estimate still wanders
WAY = (
    "course",
    "direction",
    "speed_m_s",
    "speed_sd_m_s",
    "position_m",
    "position_sd_m",
    "place_m",
    "near",
    "turned",
)
"""What is told of a track's way, but for the place that it goes toward."""
ON_FOOT = frozenset((Event.PERSON, Event.GROUP, Event.DROP_OFF))
OF_PEOPLE = ON_FOOT | {Event.DIGGING, Event.VEHICLE_OFF_LANE}
"""What people do on the ground: who drives up gets out, and who walks up digs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What is believed of one question about one incident, now."""

    key: str
    """Incident and question; alerts of one key are revisions of one alert."""
    kind: str
    """`"transit"`, `"track"` or `"device"`: whose delays apply."""
    event: Event
    level: Level | None
    """None: not worth a word."""
    probability: float
    score_nats: float
    site: str
    lane: str | None
    zone: str | None
    direction: str | None
    exercise: bool
    onset_utc_ns: int
    updated_utc_ns: int
    explanations: tuple[tuple[str, float], ...]
    contributions: tuple[Contribution, ...]
    silent: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    records: tuple[Record, ...] = field(default=(), compare=False, repr=False)
    place_m: tuple[float, float] | None = field(default=None, compare=False)
    """Of the sensor that says most of it."""
    of_part: bool = False
    """Of a scan that goes on: the whole, with its picture, is news whatever it says."""
    in_full: "Callable[[], Claim] | None" = field(default=None, compare=False, repr=False)
    """Makes what only a reader needs, its contributions, who was silent or down and the records, as
    they were at that time. None: it has them. Most beliefs are told to nobody."""

    @property
    def full(self) -> "Claim":
        """With all that a reader needs."""
        return self if self.in_full is None else replace(self.in_full(), level=self.level)


def alike(one: Event, other: Event) -> bool:
    """Whether two events are one to the operator: somebody is somebody."""
    return one is other or (one in ON_FOOT and other in ON_FOOT)


def is_of_one(claim: Claim, told: Claim, policy: AlarmPolicy) -> bool:
    """Whether it is of the same thing on the ground as another that was told.

    What two sensors hear begin at once and side by side is one thing, whatever each takes it for.
    Who gets out of a vehicle, or digs, is with it for a minute; two who walk are two.
    """
    here, there = claim.place_m, told.place_m
    apart_s = abs(claim.onset_utc_ns - told.onset_utc_ns) / SECOND_NS
    if apart_s > policy.one_scene_s or here is None or there is None:
        return False
    place = claim.zone, claim.exercise, claim.kind
    if place != (told.zone, told.exercise, "track") or not {claim.event, told.event} <= OF_PEOPLE:
        return False
    if math.dist(here, there) > policy.one_scene_m:
        return False
    together = claim.event is Event.DIGGING or not alike(claim.event, told.event)
    return together or apart_s <= policy.one_onset_s


def new_way(claim: Claim, old: Claim | None) -> Claim | None:
    """What was told stands until it is cleared, and where it goes is news meanwhile."""
    if claim.kind != "track" or old is None or not turned(claim, old):
        return None
    way = {name: claim.facts[name] for name in (*WAY, "toward") if name in claim.facts}
    return replace(
        old,
        direction=claim.direction,
        facts={**old.facts, **way},
        updated_utc_ns=max(old.updated_utc_ns, claim.updated_utc_ns),
    )


def turned(claim: Claim, old: Claim) -> bool:
    """Whether it goes another way than was told."""
    return claim.direction is not None and claim.direction != old.direction


def is_faster(claim: Claim, old: Claim) -> bool:
    """Whether it goes at clearly another speed than was told, or slower."""
    now, then = claim.facts.get("speed_m_s"), old.facts.get("speed_m_s")
    if claim.kind != "track" or not isinstance(now, float) or not isinstance(then, float):
        return False
    return max(now, then) > OTHER_SPEED * min(now, then)


def count_of(claim: Claim) -> float:
    """How many there are, as far as is told."""
    count = claim.facts.get("count") if claim.kind == "track" else None
    return float(count) if isinstance(count, int | float) else 1.0


def alert_id(claim: Claim) -> str:
    """The id of an incident's alert: the same in every replay."""
    return content_id(f"{claim.site}/{claim.key}", claim.onset_utc_ns)


def content_id(content: str, utc_ns: int) -> str:
    """26 characters: 48 bits of the time in ms, then 80 bits of a SHA-256, written as a ULID."""
    digest = hashlib.sha256(content.encode()).digest()
    time_ms = (utc_ns // MILLISECOND_NS) & ((1 << 48) - 1)
    value = (time_ms << 80) | int.from_bytes(digest[:10], "big")
    return "".join(CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))
