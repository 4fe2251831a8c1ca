"""What every file of evidence says of its alert, whatever was measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.text import headline, strip_exercise
from fusion.types import Alert, Fact

LANGUAGES = ("en-US", "es-MX")
"""A file goes to both countries, so it speaks to both, whatever a site's own languages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """The verdict, in words."""

    site: str
    place: str
    sensor: str
    exercise: bool
    event: str
    level: int
    probability: float
    headlines: tuple[str, ...]
    """One for each of `LANGUAGES`."""
    alert: str
    """Its id and revision."""
    updated_utc_ns: int


def common(alert: Alert, sensor: str) -> dict[str, Any]:
    """The fields of a `Telling` about one of the alert's sensors."""
    return {
        "site": alert.site,
        "place": alert.lane or alert.zone or "site",
        "sensor": sensor,
        "exercise": alert.exercise,
        "event": alert.event.value,
        "level": int(alert.level),
        "probability": alert.probability,
        "headlines": tuple(strip_exercise(headline(alert, each)) for each in LANGUAGES),
        "alert": f"{alert.alert_id}/{alert.revision}",
        "updated_utc_ns": alert.updated_utc_ns,
    }


def known(facts: Mapping[str, Fact], name: str) -> float | None:
    """A number among facts; None where it is not told."""
    value = facts.get(name)
    return float(value) if isinstance(value, int | float) else None
