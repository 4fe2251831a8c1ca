"""What alerts are of: labels of a simulated day joined to what was told, by place and time.

A vehicle is before the portal and before the scanner at its own times; whatever began, or had its
strongest evidence end, while it stood there is of it. Where several things were there, it is of
the one that it fits. Nothing here knows how the engine joins what sensors say.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from fusion.types import Event
from simulators.crossing_days import is_threat
from simulators.scenario import Scenario, Truth, Vehicle

LAWFUL = frozenset({Event.RAD_INNOCENT, Event.ANIMAL})
"""Right to be told, and never asked for."""
DEVICE = frozenset({Event.SENSOR_TAMPER, Event.SENSOR_FAULT, Event.SENSOR_SILENT})
KIN: tuple[frozenset[Event], ...] = (
    frozenset({Event.RAD_THREAT, Event.SHIELDED_SOURCE, Event.RAD_OVERRANGE}),
    frozenset({Event.PERSON, Event.GROUP, Event.DROP_OFF}),
    frozenset({Event.PORTAL_BYPASS, Event.VEHICLE_OFF_LANE}),
    DEVICE,
)
"""Events that send the same people to the same place: either is right where the other is."""


class Kind(Enum):
    """What a label asks for."""

    THREAT = "threat"
    RIGHT = "right"
    """Right to be told and not asked for: a helicopter, the car that lets somebody out."""
    FAULT = "fault"
    LAWFUL = "lawful"


SLACK_S: Mapping[Kind, tuple[float, float]] = {
    Kind.THREAT: (3.0, 40.0),
    Kind.RIGHT: (3.0, 40.0),
    Kind.FAULT: (3.0, 120.0),
    Kind.LAWFUL: (3.0, 40.0),
}
"""Before and after. Who went by is told until 30 s later; a fault shows when it has lasted."""
LANE_SLACK_S = (3.0, 3.0)  # of vehicles: a portal's lead-in, and what a scanner's clock is off by


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One label, and when it was before which kind of sensor."""

    index: int
    """Within its day."""
    name: str
    """The stratum."""
    subject: str
    places: tuple[str, ...]
    """Lane or zone, of a fault also the sensor; empty: felt everywhere."""
    direction: str
    kind: Kind
    events: frozenset[Event]
    """Of which one is right."""
    event: Event | None
    """Under which it is counted."""
    spans_s: tuple[tuple[float, float], ...]
    """Seconds since the day's start, in order."""
    is_vehicle: bool = False
    """Of a lane: it is there at its spans, and the next one soon after."""
    detail: str = ""

    def is_fit(self, event: Event) -> bool:
        """Whether that is right to be said of it."""
        return any(alike(event, mine) for mine in self.events)


COUNTED: Mapping[str, Event] = {
    "drop-off": Event.DROP_OFF,
    "pick-up": Event.DROP_OFF,
    "shielded-source": Event.SHIELDED_SOURCE,
}
"""Under which event strata are counted where their labels do not name it first."""


def alike(one: Event, other: Event) -> bool:
    """Whether two events send the same people to the same place."""
    return one is other or any(one in kin and other in kin for kin in KIN)


def happenings(scenario: Scenario, directions: Mapping[str, str]) -> list[Happening]:
    """Every label of a day.

    directions  of lanes and zones by name; where there is none, the happening has none
    """
    vehicles = {vehicle.vehicle_id: vehicle for vehicle in scenario.vehicles}
    known = {place.sensor_id for place in scenario.sensors}
    at: dict[str, tuple[str, ...]] = {}
    for sensor in scenario.sensors:
        place = sensor.lane or sensor.zone
        at[place] = (*at.get(place, ()), sensor.sensor_id)
    found = []
    for index, row in enumerate(scenario.truth):
        vehicle = vehicles.get(row.subject)
        codes = [Event(code) for code in row.events]
        events = frozenset(codes)
        places = (row.place,) if row.place else ()
        if row.subject in known:
            places = (row.subject, *places)
        elif events & DEVICE:  # who blinds a sensor is also told by the sensor
            places = (*at.get(row.place, ()), *places)
        found.append(
            Happening(
                index=index,
                name=row.name,
                subject=row.subject,
                places=places,
                direction=directions.get(row.place, ""),
                kind=_kind(row, events),
                events=events,
                event=COUNTED.get(row.name, codes[0] if codes else None),
                spans_s=_spans_s(scenario, row, vehicle),
                is_vehicle=vehicle is not None,
                detail=row.detail,
            )
        )
    return found


def _kind(row: Truth, events: frozenset[Event]) -> Kind:
    if is_threat(row):
        return Kind.THREAT
    asked = events - LAWFUL
    if asked and asked <= DEVICE:
        return Kind.FAULT
    return Kind.RIGHT if asked else Kind.LAWFUL


def _spans_s(
    scenario: Scenario, row: Truth, vehicle: Vehicle | None
) -> tuple[tuple[float, float], ...]:
    if vehicle is None:
        return ((row.start_s, row.end_s),)
    spans_s = list(vehicle.in_beam_s())
    if vehicle.scanned:
        after_m = scenario.lane(vehicle.lane).scanner_after_m
        ends_m = (after_m, after_m + vehicle.length_m)
        spans_s.append((vehicle.reaches_s(ends_m[0]), vehicle.reaches_s(ends_m[1])))
    return tuple(spans_s)


class Joiner:
    """The happenings of one day, asked for by place and time."""

    def __init__(self, found: Iterable[Happening]) -> None:
        self._everywhere: list[Happening] = []
        self._of_places: dict[str, list[Happening]] = {}
        for one in found:
            if not one.places:
                self._everywhere.append(one)
            for place in one.places:
                self._of_places.setdefault(place, []).append(one)

    def of(
        self, place: str, first_s: float, last_s: float, events: Iterable[Event]
    ) -> Happening | None:
        """What a thing is of that began at `first_s` and had its strongest evidence until `last_s`.

        One that fits any of the events, threats before what is lawful; else who was there, the
        nearest in time. None: nothing was there.
        """
        asked = tuple(events)
        of_device = bool(asked) and all(event in DEVICE for event in asked)
        ranked: list[tuple[tuple[bool, bool, bool, bool, float, int], Happening]] = []
        for one in (*self._of_places.get(place, ()), *self._everywhere):
            if (of_device and not one.events & DEVICE) or (
                one.kind is Kind.FAULT and not of_device
            ):
                continue
            away_s = _away_s(one, first_s, last_s)
            if away_s is None:
                continue
            fits = any(one.is_fit(event) for event in asked)
            ours = one.kind is not Kind.LAWFUL
            asked_for = fits and one.kind is Kind.THREAT
            rank = (not fits, not (fits and ours), not asked_for, not one.places, away_s, one.index)
            ranked.append((rank, one))
        return min(ranked, key=lambda pair: pair[0])[1] if ranked else None


def _away_s(one: Happening, first_s: float, last_s: float) -> float | None:
    """How far from its nearest span's beginning or end; None: not while it was there."""
    before_s, after_s = LANE_SLACK_S if one.is_vehicle else SLACK_S[one.kind]
    away_s: list[float] = []
    for from_s, to_s in one.spans_s:
        low_s, high_s = from_s - before_s, to_s + after_s
        if one.is_vehicle:  # between portal and scanner there are others
            there = low_s <= first_s <= high_s or low_s <= last_s <= high_s
        else:
            there = first_s <= high_s and last_s >= low_s
        if there:
            away_s.append(min(abs(first_s - from_s), abs(last_s - to_s)))
    return min(away_s, default=None)
