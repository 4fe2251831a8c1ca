"""What an alert says of one portal's pass, as its files tell it."""

from collections.abc import Mapping
from dataclasses import dataclass

from edge.text import headline, strip_exercise
from fusion.evidence import number
from fusion.pass_record import PassRecord
from fusion.types import Alert, Contribution, Fact

LANGUAGES = ("en-US", "es-MX")
"""A file goes to both countries, so it speaks to both, whatever a site's own languages."""
GAMMA = ("gamma.spectrum", "gamma.profile")
NEUTRON = ("neutron.counts",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The verdict on one pass, in words and figures."""

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
    gamma: Mapping[str, Fact]
    """Facts of the portal's gamma detection; empty where it contributes nothing."""
    neutron: Mapping[str, Fact]
    alarms: tuple[str, ...] = ()
    """What speaks for the verdict: `"Gamma"`, `"Isotope"`, `"Neutron"`, or else `"Other"`."""

    @property
    def sigma(self) -> float | None:
        """Of the gamma test."""
        return _known(self.gamma, "gamma_sigma")

    @property
    def neutron_sigma(self) -> float | None:
        """Of the neutron test."""
        own = _known(self.neutron, "neutron_sigma")
        return own if own is not None else _known(self.gamma, "neutron_sigma")

    @property
    def position_m(self) -> float | None:
        """Of the gamma source, behind the vehicle's front."""
        return _known(self.gamma, "position_m")

    @property
    def nuclides(self) -> tuple[tuple[str, float], ...]:
        """What was identified, with confidences."""
        told = self.gamma.get("nuclides")
        found = []
        for entry in told if isinstance(told, tuple) else ():
            if isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[0], str):
                found.append((entry[0], float(str(entry[1]))))
        return tuple(found)


def story_of(alert: Alert, record: PassRecord) -> Story:
    """The story of one of the alert's passes."""
    gamma = _voice(alert, record.sensor_id, GAMMA)
    neutron = _voice(alert, record.sensor_id, NEUTRON)
    return Story(
        site=alert.site,
        place=alert.lane or alert.zone or "site",
        sensor=record.sensor_id,
        exercise=alert.exercise,
        event=alert.event.value,
        level=int(alert.level),
        probability=alert.probability,
        headlines=tuple(strip_exercise(headline(alert, each)) for each in LANGUAGES),
        alert=f"{alert.alert_id}/{alert.revision}",
        updated_utc_ns=alert.updated_utc_ns,
        gamma={} if gamma is None else gamma.facts,
        neutron={} if neutron is None else neutron.facts,
        alarms=_alarms(gamma, neutron),
    )


def _voice(alert: Alert, sensor: str, kinds: tuple[str, ...]) -> Contribution | None:
    """What a test of the sensor adds to the explanation that the event is named after."""
    voices = [c for c in alert.contributions if c.source == sensor and c.kind in kinds]
    main = alert.facts.get("explanation")
    return next((c for c in voices if c.explanation == main), voices[0] if voices else None)


def _alarms(gamma: Contribution | None, neutron: Contribution | None) -> tuple[str, ...]:
    """What rings: whatever speaks for an explanation other than nothing."""
    found = []
    if gamma is not None and gamma.nats > 0.0:
        found.append("Isotope" if gamma.facts.get("nuclides") else "Gamma")
    if neutron is not None and neutron.nats > 0.0:
        found.append("Neutron")
    return tuple(found) or ("Other",)


def _known(facts: Mapping[str, Fact], name: str) -> float | None:
    return number(facts, name) if isinstance(facts.get(name), int | float) else None
