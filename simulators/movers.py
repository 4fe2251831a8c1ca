"""Who or what shakes the ground of a scenario: people, beasts, engines and weather."""

import math
from dataclasses import dataclass

CLASSES = {
    "person": "person",
    "runner": "person",
    "stealth": "person",
    "group": "group",
    "animal": "animal",
    "horse": "animal",
    "cattle": "animal",
    "vehicle": "vehicle",
    "car": "vehicle",
    "truck": "vehicle",
    "tracked": "vehicle",
    "digging": "digging",
    "ultralight": "aircraft",
    "helicopter": "aircraft",
    "rain": "weather",
    "thunder": "weather",
    "wind": "weather",
    "generator": "machinery",
    "mains": "machinery",
    "pump": "machinery",
    "blast": "unknown",
    "knocks": "unknown",
    "quake": "unknown",
    "train": "unknown",
}
"""What a ground sensor should call each kind."""

WALKING = ("person", "runner", "stealth", "group")
RUN_FROM_M_S = 2.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """Somebody or something that crosses ground in a straight line, or stays and shakes it."""

    mover_id: str
    kind: str
    """One of `CLASSES`."""
    zone: str
    start_s: float
    start_m: tuple[float, float]
    end_m: tuple[float, float]
    speed_m_s: float = 1.4
    mass_kg: float = 78.0
    """Of each person or animal; of the whole vehicle."""
    count: int = 1
    lasts_s: float = 0.0
    """More than 0: it takes so long from start to end, whatever the speed."""
    manner: str = ""
    """`"stealth"`; of horses `"walk"` or `"trot"`; of digging `"pick"` or `"shovel"`; of pumps
    `"piston"`. Empty: as the speed has it, or by chance."""
    shoes: str = ""
    """`"hard"`, `"boots"`, `"soft"` or `"bare"`; empty: by chance."""
    size: float = 1.0
    """Its amplitude against the usual; of wind m/s above the scenario's, of rain mm/h, of
    thunder Pa, of a quake or blast um/s at the place of the sensors."""
    frequency_hz: float = 0.0
    """Of a rotor's blades or an engine's shaft; 0: by chance."""
    height_m: float = 0.0
    """Above ground, of an aircraft."""
    length_m: float = 0.0
    """Of a vehicle or a train; 0: as usual for its kind."""

    @property
    def end_s(self) -> float:
        """When it arrives, or is over."""
        if self.lasts_s > 0.0:
            return self.start_s + self.lasts_s
        return self.start_s + math.dist(self.start_m, self.end_m) / self.speed_m_s

    @property
    def class_name(self) -> str:
        """What a ground sensor should call it."""
        if self.kind in WALKING:
            return "group" if self.count > 1 else "person"
        return CLASSES[self.kind]

    def place_m(self, at_s: float) -> tuple[float, float] | None:
        """Where it is, or None before it starts and after it has arrived."""
        if not self.start_s <= at_s <= self.end_s:
            return None
        share = (at_s - self.start_s) / max(self.end_s - self.start_s, 1e-9)
        return (
            self.start_m[0] + share * (self.end_m[0] - self.start_m[0]),
            self.start_m[1] + share * (self.end_m[1] - self.start_m[1]),
        )
