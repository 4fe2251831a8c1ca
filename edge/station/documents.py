"""What the service says of itself: birth, state, and the health of each place."""

from collections.abc import Iterable, Mapping, Sequence

from drivers.base import SensorConfig
from edge.config import Config, kind_of
from edge.protocol import topics
from edge.protocol.messages import (
    SCHEMAS,
    SOFTWARE,
    BirthMessage,
    HealthMessage,
    LaneMessage,
    SensorHealth,
    SensorMessage,
    SideHealth,
    StateMessage,
    ZoneMessage,
    encode,
    rfc3339,
)
from edge.sensors.sources import SourceStatus
from fusion.types import SECOND_NS, Origin


def roots(origins: Iterable[Origin]) -> tuple[str, ...]:
    """Below which roots a site with sensors of these origins shows itself.

    A site of simulators alone must not appear among the real ones; a mixed one raises alerts
    below both.
    """
    found = set(origins)
    real = [topics.root(False)] if Origin.SENSOR in found else []
    return (*real, *([topics.root(True)] if found - {Origin.SENSOR} else []))


class Documents:
    """Writes the documents of one boot."""

    def __init__(
        self, config: Config, *, epoch: str, first_seq: int, started_utc_ns: int, digest: str
    ) -> None:
        self._config = config
        self._epoch = epoch
        self._first_seq = first_seq
        self._started_utc_ns = started_utc_ns
        self._digest = digest

    def birth(self, origins: Mapping[str, Origin]) -> bytes:
        """Lanes, sensors with their origin, schemas; sent at every boot."""
        config = self._config
        return encode(
            BirthMessage(
                site=config.site.id,
                names={str(tag): name for tag, name in config.site.names.items()},
                epoch=self._epoch,
                first_seq=self._first_seq,
                started=rfc3339(self._started_utc_ns),
                lanes=[LaneMessage(id=lane.id, direction=lane.direction) for lane in config.lanes],
                zones=[ZoneMessage(id=zone.id, side=zone.side) for zone in config.zones],
                sensors=[
                    SensorMessage(
                        id=sensor.id,
                        kind=kind_of(sensor),
                        family=sensor.family.value,
                        place=sensor.lane or sensor.zone or "site",
                        origin=origins[sensor.id].value,
                    )
                    for sensor in config.sensors
                ],
                schemas=list(SCHEMAS),
                config_digest=self._digest,
                software=SOFTWARE,
            )
        )

    def state(self, state: str, now_utc_ns: int) -> bytes:
        """`init`, `ready`, `disconnected`, or as the will `lost`."""
        return encode(
            StateMessage(
                site=self._config.site.id,
                epoch=self._epoch,
                state=state,  # type: ignore[arg-type]  # one of the four words above
                updated=rfc3339(now_utc_ns),
            )
        )

    def health(
        self,
        place: str,
        statuses: Iterable[SourceStatus],
        sides: Sequence[SideHealth],
        now_utc_ns: int,
        *,
        ages: bool = True,
    ) -> bytes:
        """How the sensors of a place and the delivery to both sides are.

        ages  whether to tell when a sensor last sent something: of a scanner, when a vehicle came
        """
        by_id = {status.sensor_id: status for status in statuses}
        here = self._sensors(place)
        return encode(
            HealthMessage(
                site=self._config.site.id,
                place=place,
                epoch=self._epoch,
                updated=rfc3339(now_utc_ns),
                sensors=[
                    SensorHealth(
                        id=sensor.id,
                        kind=kind_of(sensor),
                        family=sensor.family.value,
                        origin=by_id[sensor.id].origin.value,
                        up=not by_id[sensor.id].trouble(now_utc_ns),
                        last_sample_age_s=_age_s(by_id[sensor.id].last_sample_utc_ns, now_utc_ns)
                        if ages
                        else None,
                        malformed=sum(by_id[sensor.id].malformed.values()),
                        text=by_id[sensor.id].trouble(now_utc_ns),
                    )
                    for sensor in here
                ],
                sides=list(sides),
            )
        )

    def at(self, place: str, statuses: Iterable[SourceStatus]) -> list[SourceStatus]:
        """The sensors of a place."""
        ids = {sensor.id for sensor in self._sensors(place)}
        return [status for status in statuses if status.sensor_id in ids]

    def _sensors(self, place: str) -> list[SensorConfig]:
        return [one for one in self._config.sensors if (one.lane or one.zone or "site") == place]

    def places(self) -> list[str]:
        """Every lane and zone with a sensor, in order of mention."""
        return list(
            dict.fromkeys(sensor.lane or sensor.zone or "site" for sensor in self._config.sensors)
        )


def _age_s(utc_ns: int, now_utc_ns: int) -> float | None:
    return round(max(0, now_utc_ns - utc_ns) / SECOND_NS, 3) if utc_ns else None
