"""What an alert says of one portal's pass, as its files tell it."""

from collections.abc import Mapping
from dataclasses import dataclass

from edge.evidence.telling import LANGUAGES, Telling, common, known
from fusion.pass_record import PassRecord
from fusion.types import Alert, Contribution, Fact

__all__ = ["LANGUAGES", "Story", "story_of"]

GAMMA = ("gamma.spectrum", "gamma.profile")
NEUTRON = ("neutron.counts",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story(Telling):
    """The verdict on one pass, in words and figures."""

    gamma: Mapping[str, Fact]
    """Facts of the portal's gamma detection; empty where it contributes nothing."""
    neutron: Mapping[str, Fact]
    alarms: tuple[str, ...] = ()
    """What speaks for the verdict: `"Gamma"`, `"Isotope"`, `"Neutron"`, or else `"Other"`."""

    @property
    def sigma(self) -> float | None:
        """Of the gamma test."""
        return known(self.gamma, "gamma_sigma")

    @property
    def neutron_sigma(self) -> float | None:
        """Of the neutron test."""
        own = known(self.neutron, "neutron_sigma")
        return own if own is not None else known(self.gamma, "neutron_sigma")

    @property
    def position_m(self) -> float | None:
        """Of the gamma source, behind the vehicle's front."""
        return known(self.gamma, "position_m")

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
        **common(alert, record.sensor_id),
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
