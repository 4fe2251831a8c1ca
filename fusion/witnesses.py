"""Which sensors of a place saw nothing, and which could not have seen anything."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from fusion.types import SECOND_NS, Detection, Family, SensorSpec

ASK_NS = SECOND_NS  # who is up is asked once a second
BLIND_NS = 5 * SECOND_NS  # a longer step says that the clock was set, or that the machine stood
WARM_NS = 30 * SECOND_NS  # a ground sensor knows its quiet by then


class Hearing(Protocol):
    """What is asked of the senses."""

    def up(self, sensor_id: str) -> bool:
        """Whether what that sensor does not say means something."""
        ...


def others(
    sensors: Iterable[SensorSpec], place: str, detections: Sequence[Detection], hearing: Hearing
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sensors of the place that were up and saw nothing, and those that were down.

    A scanner has seen nothing only once it has scanned; what a cue is made of has spoken. That
    nothing was heard is no word.
    """
    detections = [d for d in detections if not d.kind.startswith("silence.")]
    heard = {d.sensor_id for d in detections}
    spoke = {d.sensor_id for d in detections if any(n > 0.0 for n in d.nats.values())}
    if "fusion" in spoke:
        spoke |= heard
    silent, down = [], []
    for sensor in sensors:
        name = sensor.sensor_id
        if place not in (sensor.place, *sensor.also):
            continue
        if not hearing.up(name):
            down.append(name)
        elif name not in spoke and (sensor.family is not Family.XRAY or name in heard):
            silent.append(name)
    return tuple(silent), tuple(down)


class Witnesses:
    """Which sensors have been up and in order for so long that their silence means something."""

    def __init__(self, sensors: Iterable[SensorSpec], hearing: Hearing) -> None:
        self._names = [spec.sensor_id for spec in sensors]
        self._hearing = hearing
        self._now_utc_ns = 0
        self._up_since: dict[str, int] = {}
        self._faults: dict[str, set[str]] = {}
        self._spoke_utc_ns: dict[str, int] = {}

    def tick(self, utc_ns: int) -> None:
        """Time has reached `utc_ns`: who is up now?"""
        step_ns = utc_ns - self._now_utc_ns
        if step_ns < ASK_NS:
            return
        if step_ns > BLIND_NS:
            self._up_since.clear()  # nobody listened meanwhile
        self._now_utc_ns = utc_ns
        for name in self._names:
            if self._hearing.up(name):
                self._up_since.setdefault(name, utc_ns)
            else:
                self._up_since.pop(name, None)

    def note(self, detection: Detection) -> None:
        """A sensor has said something: of its own condition, or of what it heard."""
        name = detection.sensor_id
        if detection.kind.startswith("health."):
            faults = self._faults.setdefault(name, set())
            if detection.facts.get("active") is True:
                faults.add(str(detection.facts.get("code")))
            else:
                faults.discard(str(detection.facts.get("code")))
        elif detection.kind == "seismic.event":
            spoke = self._spoke_utc_ns.get(name, 0)
            self._spoke_utc_ns[name] = max(spoke, detection.end_utc_ns)

    def is_well(self, sensor_id: str) -> bool:
        """Whether it is up and nothing is known to be wrong with it."""
        return self._hearing.up(sensor_id) and not self._faults.get(sensor_id)

    def quiet(self, sensor_id: str, since_utc_ns: int) -> bool:
        """Whether it has told of nothing since then though it could have, long warmed up."""
        up_since = self._up_since.get(sensor_id)
        return (
            up_since is not None
            and up_since + WARM_NS <= since_utc_ns
            and self._spoke_utc_ns.get(sensor_id, 0) < since_utc_ns
            and self.is_well(sensor_id)
        )
