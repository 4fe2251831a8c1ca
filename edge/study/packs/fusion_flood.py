"""`fusion-flood`: thirty tracks at once, through the fuser and the operator's desk.

Thirty zones of two ground sensors each; in all of them people walk by within the same minutes, each
heard by both of its sensors again and again. The detections are made by hand: what is measured is
what becomes of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from edge.study.figures import Figure, at_least, at_most, plain
from edge.study.packs import Settings
from fusion.fuser import Fuser
from fusion.policy import Policy
from fusion.step_curve import StepCurve
from fusion.types import (
    SECOND_NS,
    Alert,
    Checkpoint,
    Detection,
    Family,
    Level,
    Origin,
    Phase,
    SensorSpec,
    ZoneSpec,
)

TRACKS, SEEN = 30, 10
WINDOW_S, LASTS_S, TICK_S = 600, 120.0, 0.2
BEGIN_WITHIN_S = 60.0
TELLS_EACH_S = 4.0
WALKS = {"person": 3.4, "group": 1.0, "animal": -1.0, "weather": -3.5, "machinery": -3.5}
START_NS = 1_800_000_000 * SECOND_NS


class _Well:
    """Every sensor is up, and nobody hears single steps."""

    def up(self, sensor_id: str) -> bool:
        """It is."""
        return bool(sensor_id)

    def steps(self, sensor_id: str, end_utc_ns: int) -> StepCurve | None:
        """Not known."""
        return None


@dataclass(slots=True)
class Seen:
    """What came of it."""

    rung_s: list[float] = field(default_factory=list)
    """When the operator heard a new sound."""
    told: dict[str, Alert] = field(default_factory=dict)
    """Every alert, as it was told last before it cleared."""
    levels: dict[str, int] = field(default_factory=dict)
    """The highest at which each was heard."""
    most_active: int = 0

    @property
    def zones(self) -> set[str]:
        """Places of which at least one alert says that somebody is there, by itself."""
        return {
            alert.zone
            for alert in self.told.values()
            if alert.zone is not None and "members" not in alert.facts
        }

    @property
    def reachable(self) -> int:
        """Alerts that rang themselves, or are named by a group that did."""
        named = {
            name
            for alert in self.told.values()
            for name in _names(alert.facts.get("members"))
            if self.levels[alert.alert_id] >= Level.ADVISORY
        }
        return sum(
            self.levels[name] >= Level.ADVISORY or name in named
            for name, alert in self.told.items()
            if "members" not in alert.facts
        )


def measure(settings: Settings) -> list[Figure]:
    """What an operator hears of it, what is told, and what can be found."""
    seen = played(settings.crossing_seed)
    rings = most_within(seen.rung_s, WINDOW_S)
    alerts = sum("members" not in alert.facts for alert in seen.told.values())
    how = f"{TRACKS} tracks within {BEGIN_WITHIN_S:g} s, seed {settings.crossing_seed:,}"
    return [
        at_most("flood: alerts with a sound in 10 minutes", rings, SEEN, "", how),
        at_least("flood: tracks told", len(seen.zones), TRACKS, "", f"{alerts} alerts"),
        at_least(
            "flood: alerts that rang or that a group names",
            seen.reachable,
            alerts,
            "",
            f"of {alerts}",
        ),
        plain("flood: most active at once", seen.most_active, "", "on the topics that keep them"),
    ]


def most_within(times_s: Sequence[float], window_s: float) -> int:
    """The most of them within any such time."""
    return max((sum(at <= one < at + window_s for one in times_s) for at in times_s), default=0)


def played(seed: int) -> Seen:
    """Ten minutes of it."""
    fuser = Fuser(checkpoint(), Policy(), _Well())
    due = sorted(_walks(Random(seed)), key=lambda one: (one.end_utc_ns, one.sensor_id))
    seen = Seen()
    for step in range(round(2 * WINDOW_S / TICK_S)):
        now_s = step * TICK_S
        now_utc_ns = START_NS + round(now_s * SECOND_NS)
        now = []
        while due and due[0].end_utc_ns <= now_utc_ns:
            now.append(due.pop(0))
        for alert in fuser.tick(now_utc_ns, now):
            _note(seen, alert, now_s)
        seen.most_active = max(seen.most_active, len(fuser.active))
    return seen


def checkpoint() -> Checkpoint:
    """Thirty zones, far from each other."""
    return Checkpoint(
        site="flood",
        zones=tuple(ZoneSpec(zone_id=f"zone-{number:02d}") for number in range(TRACKS)),
        sensors=tuple(
            SensorSpec(
                sensor_id=f"geo-{number:02d}-{which}",
                family=Family.SEISMIC,
                place=f"zone-{number:02d}",
                position_m=(1_000.0 * number, 15.0 * which),
            )
            for number in range(TRACKS)
            for which in range(2)
        ),
    )


def _walks(random: Random) -> Iterator[Detection]:
    for number in range(TRACKS):
        began_s = 5.0 + random.uniform(0.0, BEGIN_WITHIN_S)
        for which in range(2):
            start_ns = START_NS + round((began_s + 10.0 * which) * SECOND_NS)
            for told in range(1, round(LASTS_S / TELLS_EACH_S)):
                yield Detection(
                    sensor_id=f"geo-{number:02d}-{which}",
                    family=Family.SEISMIC,
                    origin=Origin.SIMULATOR,
                    kind="seismic.event",
                    start_utc_ns=start_ns,
                    end_utc_ns=start_ns + round(told * TELLS_EACH_S * SECOND_NS),
                    facts={"class": "person", "cadence_hz": 1.8, "peak_um_s": 5.0},
                    final=False,
                    nats=WALKS,
                )


def _note(seen: Seen, alert: Alert, now_s: float) -> None:
    name = alert.alert_id
    before = seen.levels.get(name, 0)
    if alert.phase is not Phase.CLEAR:
        seen.told[name] = alert
        seen.levels[name] = max(before, int(alert.level))
        if before < Level.ADVISORY <= alert.level:
            seen.rung_s.append(now_s)


def _names(members: object) -> tuple[str, ...]:
    return tuple(str(one) for one in members) if isinstance(members, tuple) else ()
