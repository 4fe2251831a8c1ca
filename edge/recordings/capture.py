"""Sensors into a recording, with or without the rest of the service behind them."""

import asyncio
from pathlib import Path

import msgspec
import structlog

from drivers.base import SensorUnavailable
from edge import metrics
from edge.clock import Clock
from edge.config import Config, checkpoint_of, config_digest, kind_of, load_policy
from edge.delivery.outbox_file import new_epoch
from edge.errors import ConfigError, Mistake
from edge.protocol.messages import SOFTWARE
from edge.recordings.files import Limits
from edge.recordings.format import SensorInfo, Session
from edge.recordings.recorder import NoRecorder, Record, Recorder
from edge.sensors.intake import kind_of as row_of
from edge.sensors.sources import Sources
from edge.station.numbering import union_of_languages
from edge.station.pipeline import TICK_S
from fusion.policy import Policy
from fusion.types import Origin, Sample

log = structlog.get_logger()


def open_recorder(
    config: Config,
    policy: Policy,
    *,
    origins: dict[str, Origin],
    epoch: str,
    first_seq: int,
    config_text: str,
) -> Record:
    """The recorder that the configuration asks for; one that keeps nothing where it asks none.

    ConfigError where the folder cannot be written.
    """
    if config.recording is None:
        return NoRecorder()
    session = Session(
        site=config.site.id,
        epoch=epoch,
        first_seq=first_seq,
        software=SOFTWARE,
        config_digest=config_digest(config),
        languages=union_of_languages(side.languages for side in config.sides.values()),
        checkpoint_json=msgspec.json.encode(checkpoint_of(config, origins)).decode(),
        policy_json=msgspec.json.encode(policy).decode(),
        sensors=tuple(
            SensorInfo(
                sensor_id=sensor.id,
                kind=kind_of(sensor),
                origin=origins[sensor.id].value,
                config_json=msgspec.json.encode(sensor).decode(),
            )
            for sensor in config.sensors
        ),
        config_text=config_text,
    )
    limits = Limits(
        max_gb=config.recording.max_gb,
        max_days=config.recording.max_days,
        keep_free_gb=config.recording.keep_free_gb,
    )
    try:
        return Recorder(
            config.recording.dir,
            session,
            limits,
            count_written=metrics.RECORDING_BYTES.inc,
            count_dropped=metrics.RECORDING_DROPPED_BYTES.inc,
        )
    except OSError as error:
        raise _not_writable(config.recording.dir, error) from error


def _not_writable(directory: Path, error: OSError) -> ConfigError:
    mistake = Mistake(
        line=None,
        key="recording.dir",
        value=str(directory),
        message=f"cannot be written ({error.strerror})",
        mend="create it for the user that Garita runs as, or name another folder",
    )
    return ConfigError("recording", [mistake])


def check_any_sensor(sources: Sources) -> None:
    """SensorUnavailable where not one sensor answered: then there is nothing to run for."""
    statuses = sources.status()
    if not any(status.up for status in statuses):
        told = "; ".join(f"{status.sensor_id}: {status.reason}" for status in statuses[:3])
        more = f" (and {len(statuses) - 3} more)" if len(statuses) > 3 else ""
        raise SensorUnavailable(f"no sensor answers: {told}{more}")


def heavy_sensors(config: Config) -> set[str]:
    """The sensors whose bytes are read in a worker."""
    return {sensor.id for sensor in config.sensors if row_of(sensor).heavy}


class Capture:
    """`garita record`: keeps what the sensors send; a replay does the rest."""

    def __init__(self, config: Config, *, config_text: str = "") -> None:
        self._config = config
        self._config_text = config_text
        self._record: Record = NoRecorder()
        self._heavy = heavy_sensors(config)
        self._clock = Clock()

    async def run(self) -> None:
        """Record until cancelled. SensorUnavailable, ConfigError before anything is kept."""
        policy = load_policy(self._config.policy)
        sources = Sources(
            self._config.sensors,
            now_utc_ns=self._clock.now_utc_ns,
            record=self._raw,
            deliver=self._deliver,
        )
        try:
            await sources.start()
            check_any_sensor(sources)
            self._record = open_recorder(
                self._config,
                policy,
                origins={status.sensor_id: status.origin for status in sources.status()},
                epoch=new_epoch(),
                first_seq=1,
                config_text=self._config_text,
            )
            log.info("ready", sensors=len(self._config.sensors))
            async with asyncio.TaskGroup() as group:
                group.create_task(sources.run())
                group.create_task(self._tick())
        finally:
            await sources.close()
            await asyncio.to_thread(self._record.close)

    def _raw(self, sensor_id: str, data: bytes, received_utc_ns: int) -> None:
        self._record.raw(sensor_id, data, received_utc_ns)

    def _deliver(
        self, sensor_id: str, samples: list[Sample], received_utc_ns: int, trigger: str
    ) -> None:
        # A replay feeds its engine where a service would have fed its own.
        if sensor_id in self._heavy:
            self._record.fed(sensor_id, self._clock.now_utc_ns())

    async def _tick(self) -> None:
        while True:
            self._record.tick(self._clock.now_utc_ns())
            await asyncio.sleep(TICK_S)
