"""What alerts are of: labels of a simulated day joined to what was told, by place and time.

A vehicle is before the portal and before the scanner at its own times; whatever began, or had its
strongest evidence end, while it stood there is of it. Where several things were there, it is of
the one that it fits. Nothing here knows how the engine joins what sensors say.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from fusion.types import Event
from simulators.crossing_days import ACCOMPLICES, is_threat
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
MEANT_S = 2.0  # by which two sensors' times for one vehicle may differ
CLOSE_S = 5.0  # a portal holds on for so long after the beam has cleared
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

    @property
    def is_of_threat(self) -> bool:
        """Whether it comes as often as threats do: one, or who brings or takes somebody."""
        return self.kind is Kind.THREAT or self.name in ACCOMPLICES

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
        there = [
            *self._vehicles(place, first_s, last_s, asked),
            *self._others(place, first_s, last_s, asked),
        ]
        ranked = [(_rank(one, away_s, asked), one) for one, away_s in there]
        return min(ranked, key=lambda pair: pair[0])[1] if ranked else None

    def _vehicles(
        self, place: str, first_s: float, last_s: float, asked: Sequence[Event]
    ) -> list[tuple[Happening, float]]:
        """Those that may be meant: the nearest, and those that one beam took for the same.

        Where one is before the portal and another before the scanner, only when it began tells
        which of them it is of.
        """
        mine = [] if _is_of_device(asked) else self._of_places.get(place, [])
        mine = [one for one in mine if one.is_vehicle]
        began = [(one, _began_s(one, first_s)) for one in mine]
        near = [(one, away_s) for one, away_s in began if away_s is not None]
        nearest_s = min((away_s for _, away_s in near), default=0.0)
        meant = [(one, away_s) for one, away_s in near if away_s <= nearest_s + MEANT_S]
        ends_s = [to_s for one, _ in meant for _, to_s in one.spans_s]
        behind = (one for one in mine if _follows(one, ends_s, last_s))
        return meant + [(one, MEANT_S) for one in behind if one not in [x for x, _ in meant]]

    def _others(
        self, place: str, first_s: float, last_s: float, asked: Sequence[Event]
    ) -> list[tuple[Happening, float]]:
        of_device = _is_of_device(asked)
        found = []
        for one in (*self._of_places.get(place, ()), *self._everywhere):
            if one.is_vehicle or (of_device and not one.events & DEVICE):
                continue
            if one.kind is Kind.FAULT and not of_device:
                continue
            before_s, after_s = SLACK_S[one.kind]
            found += [
                (one, min(abs(first_s - from_s), abs(last_s - to_s)))
                for from_s, to_s in one.spans_s
                if first_s <= to_s + after_s and last_s >= from_s - before_s
            ]
        return found


def _is_of_device(asked: Sequence[Event]) -> bool:
    return bool(asked) and all(event in DEVICE for event in asked)


def _rank(
    one: Happening, away_s: float, asked: Sequence[Event]
) -> tuple[bool, bool, bool, bool, float, int]:
    fits = any(one.is_fit(event) for event in asked)
    ours = fits and one.kind is not Kind.LAWFUL
    asked_for = fits and one.kind is Kind.THREAT
    return not fits, not ours, not asked_for, not one.places, away_s, one.index


def _began_s(one: Happening, first_s: float) -> float | None:
    """How far from the nearest time at which it came before a sensor; None: it was not there."""
    before_s, after_s = LANE_SLACK_S
    away_s = (
        abs(first_s - from_s)
        for from_s, to_s in one.spans_s
        if from_s - before_s <= first_s <= to_s + after_s
    )
    return min(away_s, default=None)


def _follows(one: Happening, ends_s: Sequence[float], last_s: float) -> bool:
    """Whether it came so closely after another that a beam sees one vehicle, and it ended then."""
    before_s, after_s = LANE_SLACK_S
    return any(
        from_s - before_s <= last_s <= to_s + after_s
        and any(-0.5 <= from_s - end_s <= CLOSE_S for end_s in ends_s)
        for from_s, to_s in one.spans_s
    )
