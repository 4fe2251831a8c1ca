"""Which sensors of a place saw nothing, and which could not have seen anything."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from fusion.types import Detection, Family, SensorSpec


class Hearing(Protocol):
    """What is asked of the senses."""

    def up(self, sensor_id: str) -> bool:
        """Whether what that sensor does not say means something."""
        ...


def others(
    sensors: Iterable[SensorSpec], place: str, detections: Sequence[Detection], hearing: Hearing
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sensors of the place that were up and saw nothing, and those that were down.

    A scanner has seen nothing only once it has scanned; what a cue is made of has spoken.
    """
    heard = {d.sensor_id for d in detections}
    spoke = {d.sensor_id for d in detections if any(n > 0.0 for n in d.nats.values())}
    if "fusion" in spoke:
        spoke |= heard
    silent, down = [], []
    for sensor in sensors:
        name = sensor.sensor_id
        if sensor.place != place:
            continue
        if not hearing.up(name):
            down.append(name)
        elif name not in spoke and (sensor.family is not Family.XRAY or name in heard):
            silent.append(name)
    return tuple(silent), tuple(down)
