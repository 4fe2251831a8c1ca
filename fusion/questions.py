"""What an incident is asked, and which event each explanation is to the operator.

Each incident is asked a few separate questions, so that a load of granite does not hide that a
container declared empty is full: about radiation, about the cargo, about the passage itself.
Explanations compete within a question.
"""

from collections.abc import Mapping

from fusion.types import Event

QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "radiation": ("norm", "medical", "legal-source", "threat-source", "shielded-source"),
    "cargo": ("contraband-anomaly", "not-empty", "not-as-declared", "unpenetrated"),
    "passage": ("bypass",),
    "motion": (
        "person",
        "group",
        "animal",
        "vehicle",
        "digging",
        "aircraft",
        "weather",
        "machinery",
        "drop-off",
        "pick-up",
    ),
}
TRANSIT_QUESTIONS = ("radiation", "cargo", "passage")
EVENTS: Mapping[str, Event] = {
    "norm": Event.RAD_INNOCENT,
    "medical": Event.RAD_INNOCENT,
    "legal-source": Event.RAD_INNOCENT,
    "threat-source": Event.RAD_THREAT,
    "shielded-source": Event.SHIELDED_SOURCE,
    "contraband-anomaly": Event.CARGO_ANOMALY,
    "not-empty": Event.CARGO_MISMATCH,
    "not-as-declared": Event.CARGO_MISMATCH,
    "unpenetrated": Event.CARGO_UNPENETRATED,
    "bypass": Event.PORTAL_BYPASS,
    "person": Event.PERSON,
    "group": Event.GROUP,
    "animal": Event.ANIMAL,
    "vehicle": Event.VEHICLE_OFF_LANE,
    "digging": Event.DIGGING,
    "aircraft": Event.AIRCRAFT_LOW,
    "drop-off": Event.DROP_OFF,
    "pick-up": Event.DROP_OFF,
    "tamper": Event.SENSOR_TAMPER,
    "fault": Event.SENSOR_FAULT,
    "drift": Event.SENSOR_FAULT,
    "test-piece": Event.SENSOR_FAULT,
    "miscount": Event.SENSOR_FAULT,
    "silent": Event.SENSOR_SILENT,
}
"""Explanations that are no event (weather, machinery) only take probability from the others."""

SOURCES = (Event.RAD_THREAT, Event.SHIELDED_SOURCE)
ON_FOOT = (Event.PERSON, Event.GROUP)
KINDRED = (SOURCES, ON_FOOT)
"""Events that are one to the operator: a source is a source, somebody is somebody. How it is
hidden, and how many walk, decides the name, not how sure we are of it."""
