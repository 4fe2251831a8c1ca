"""A flood of tracks through senses and alarms: how often it rings, and whether anything is lost."""

from collections.abc import Iterable
from dataclasses import dataclass

from edge.config import Config, checkpoint_of
from edge.study.tapes import Told, perceived, rehearsed
from fusion.policy import Policy
from fusion.types import SECOND_NS, Alert, Level
from simulators.crossing_days import is_threat
from simulators.crossing_flood import FIRST_S, STRETCHES, flood
from simulators.scenario import Scenario
from simulators.traffic import MONDAY_UTC_NS

FIRST_PORT = 19_001
UPSET_S = 600.0
"""The first ten minutes after an upset (facts: fusion 2.3)."""
LASTS_S = 300.0


@dataclass(frozen=True, slots=True)
class FloodRun:
    """What an operator saw of one flood."""

    tracks: int
    """Stretches to which something came."""
    rang: int
    """Alerts of level 2 or above that were raised in the ten minutes: what calls the operator."""
    reachable: int
    """Stretches of which there is an alert, by itself or as a member of a group."""


def flood_config(scenario: Scenario) -> Config:
    """A checkpoint with the scenario's ground sensors."""
    zones = dict.fromkeys(place.zone for place in scenario.sensors)
    return Config.model_validate(
        {
            "site": {"id": "long-fence"},
            "sides": {"north": {}, "south": {}},
            "zones": [{"id": zone} for zone in zones],
            "sensors": [
                {
                    "id": place.sensor_id,
                    "kind": place.kind,
                    "zone": place.zone,
                    "url": f"udp://127.0.0.1:{FIRST_PORT + number}",
                    "position_m": list(place.place_m),
                }
                for number, place in enumerate(scenario.sensors)
            ],
        }
    )


def flood_run(
    seed: int, policy: Policy, *, tracks: int = STRETCHES, lasts_s: float = LASTS_S
) -> FloodRun:
    """One flood, simulated and told.

    lasts_s  how long is played after its begin; everybody is away after four minutes
    """
    scenario = flood(seed, MONDAY_UTC_NS, FIRST_S + lasts_s, number=tracks)
    config = flood_config(scenario)
    _, told = perceived(rehearsed(scenario, config), checkpoint_of(config), policy)
    return seen(scenario, told)


def seen(scenario: Scenario, told: Iterable[Told]) -> FloodRun:
    """What an operator had of it within ten minutes of its begin."""
    until_ns = scenario.start_utc_ns + round((FIRST_S + UPSET_S) * SECOND_NS)
    alerts = [one.alert for one in told if one.utc_ns <= until_ns]
    ringing = {alert.alert_id for alert in alerts if alert.level >= Level.ADVISORY}
    places = {place for alert in alerts for place in _places(alert)}
    came = [row.place for row in scenario.truth if is_threat(row)]
    return FloodRun(
        tracks=len(came), rang=len(ringing), reachable=sum(place in places for place in came)
    )


def _places(alert: Alert) -> tuple[str, ...]:
    return tuple(place for place in (alert.lane, alert.zone) if place)
