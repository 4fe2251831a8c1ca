"""Garita's own recordings as days: one per boot, its files in order."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog

from drivers.base import SensorConfig
from drivers.catalog import KINDS
from edge.recordings.format import Event, Session, read, read_session
from edge.station.numbering import union_of_languages
from edge.study.day import Day, ReplayError, ReplaySensor, with_presets, with_settings
from fusion.policy import Policy
from fusion.types import Checkpoint, Origin

if TYPE_CHECKING:
    from edge.config import Config

log = structlog.get_logger()


def days(
    paths: list[Path], config: "Config | None", settings: list[tuple[str, str]]
) -> Iterator[Day]:
    """The boots in the recordings, oldest first.

    With `config` its checkpoint, sensors and policy replace the recorded ones.
    RecordingDamaged where a file is no recording; ReplayError where a session's own
    description cannot be read by this version.
    """
    boots: dict[str, list[tuple[int, Path, Session]]] = {}
    for path in paths:
        session, part = read_session(path)
        boots.setdefault(session.epoch, []).append((part, path, session))
    for epoch in sorted(boots):  # an epoch is a ULID: its order is that of time
        parts = sorted(boots[epoch], key=lambda part: part[0])
        session = parts[0][2]
        files = [path for _, path, _ in parts]
        if config is None:
            yield _as_it_was(session, files, settings)
        else:
            yield _with_config(session, files, config, settings)


def _as_it_was(session: Session, files: list[Path], settings: list[tuple[str, str]]) -> Day:
    try:
        sensors = tuple(
            ReplaySensor(
                config=with_settings(_config_of(sensor.kind, sensor.config_json), settings),
                recorded_origin=Origin(sensor.origin),
            )
            for sensor in session.sensors
        )
        checkpoint = msgspec.json.decode(session.checkpoint_json, type=Checkpoint)
        return Day(
            name=session.epoch,
            checkpoint=with_presets(checkpoint, [sensor.config for sensor in sensors]),
            policy=msgspec.json.decode(session.policy_json, type=Policy),
            sensors=sensors,
            epoch=session.epoch,
            first_seq=session.first_seq,
            config_digest=session.config_digest,
            languages=session.languages,
            events=_events(files),
        )
    except (msgspec.MsgspecError, ValueError, KeyError) as error:
        raise ReplayError(
            f"{files[0]}: recorded by {session.software}, its description cannot be read here "
            f"({error}); give a configuration with --config"
        ) from error


def _with_config(
    session: Session, files: list[Path], config: "Config", settings: list[tuple[str, str]]
) -> Day:
    from edge.config import checkpoint_of, config_digest, load_policy  # noqa: PLC0415 - as in `replay`

    origins = {sensor.sensor_id: Origin(sensor.origin) for sensor in session.sensors}
    sensors = tuple(
        ReplaySensor(config=with_settings(sensor, settings), recorded_origin=origins[sensor.id])
        for sensor in config.sensors
        if sensor.id in origins
    )
    return Day(
        name=session.epoch,
        checkpoint=with_presets(checkpoint_of(config), [sensor.config for sensor in sensors]),
        policy=load_policy(config.policy),
        sensors=sensors,
        epoch=session.epoch,
        first_seq=session.first_seq,
        config_digest=config_digest(config),
        languages=union_of_languages(side.languages for side in config.sides.values()),
        events=_events(files),
    )


def _config_of(kind: str, text: str) -> SensorConfig:
    if kind not in KINDS:
        raise ValueError(f"no driver for the sensor kind {kind}")
    config: SensorConfig = msgspec.json.decode(text, type=KINDS[kind].config)
    return config


def _events(files: list[Path]) -> Iterator[Event]:
    expected = 0
    for path in files:
        for event in read(path):
            if event.number != expected:
                log.warning(
                    "recording has a gap, alerts may differ from the live ones",
                    file=str(path),
                    missing=event.number - expected,
                )
            expected = event.number + 1
            yield event
