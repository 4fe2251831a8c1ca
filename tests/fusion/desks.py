"""A desk with a hand on its clock, and everything that it has told."""

from dataclasses import replace

from fusion.alarms import Claim
from fusion.desk import AlarmDesk
from fusion.handling_policy import HandlingPolicy
from fusion.policy import Policy
from fusion.types import Alert, Event, Level, Origin, Phase, ShelveSample
from tests.fusion.test_alarms import claim, ns


def walker(
    number: int,
    at_s: float,
    *,
    level: Level | None = Level.ADVISORY,
    event: Event = Event.PERSON,
    zone: str = "east",
    nats: float = 1.0,
) -> Claim:
    """What is believed of one of many that walk."""
    return replace(
        claim(nats, at_s, kind="track", key=f"track/{number}", event=event, source=f"geo-{number}"),
        level=level,
        lane=None,
        zone=zone,
        direction=None,
    )


def asked(
    at_s: float, until_s: float, *, event: str = "", place: str = "", sensor_id: str = ""
) -> ShelveSample:
    """Somebody asks not to be rung."""
    return ShelveSample(
        sensor_id=sensor_id,
        origin=Origin.SENSOR,
        start_utc_ns=ns(at_s),
        until_utc_ns=ns(until_s),
        by="north",
        reason="fence works",
        event=event,
        place=place,
    )


class Desk:
    """An `AlarmDesk` and what it told, each with the second in which it was."""

    def __init__(self, handling: HandlingPolicy | None = None) -> None:
        self.desk = AlarmDesk(Policy(handling=handling or HandlingPolicy()), "test")
        self.told: list[tuple[float, Alert]] = []

    def believe(self, at_s: float, *claims: Claim) -> list[Alert]:
        alerts = [alert for one in claims for alert in self.desk.consider(one, ns(at_s))]
        return self._keep(at_s, alerts)

    def close(self, at_s: float, *numbers: int) -> list[Alert]:
        alerts = [a for n in numbers for a in self.desk.close(f"track/{n}", ns(at_s))]
        return self._keep(at_s, alerts)

    def shelve(self, at_s: float, sample: ShelveSample) -> list[Alert]:
        return self._keep(at_s, self.desk.shelve(sample, ns(at_s)))

    def tick(self, at_s: float) -> list[Alert]:
        return self._keep(at_s, self.desk.tick(ns(at_s)))

    def until(self, start_s: float, end_s: float) -> list[Alert]:
        return [a for at_s in range(int(start_s), int(end_s) + 1) for a in self.tick(float(at_s))]

    def _keep(self, at_s: float, alerts: list[Alert]) -> list[Alert]:
        self.told += [(at_s, alert) for alert in alerts]
        return alerts

    @property
    def alerts(self) -> list[Alert]:
        return [alert for _, alert in self.told]

    def rings(self) -> dict[str, float]:
        """Alerts that an operator saw, to when first."""
        seen: dict[str, float] = {}
        for at_s, alert in self.told:
            if alert.level >= Level.ADVISORY and alert.phase is not Phase.CLEAR:
                seen.setdefault(alert.alert_id, at_s)
        return seen
