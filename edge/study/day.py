"""What a replay needs, wherever it comes from: a recording or recorded device files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from drivers.base import SensorConfig
from edge.recordings.format import Event
from edge.study.played import Played
from fusion.policy import Policy
from fusion.types import Checkpoint, Origin


class ReplayError(Exception):
    """The inputs or settings cannot be replayed; the message says what would be accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySensor:
    """One sensor of a day."""

    config: SensorConfig
    recorded_origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One boot of the service, or the device files that are replayed together."""

    name: str
    checkpoint: Checkpoint
    policy: Policy
    sensors: tuple[ReplaySensor, ...]
    epoch: str
    first_seq: int
    config_digest: str
    languages: tuple[str, ...]
    events: Iterable[Event]
    """In the order of feeding."""
    played: Mapping[str, Played] = field(default_factory=dict)
    """Of the sensors whose scans are files that somebody has brought."""


def with_settings(config: SensorConfig, settings: list[tuple[str, str]]) -> SensorConfig:
    """The configuration with `key=value` settings that its kind has.

    ReplayError where a value does not fit the key.
    """
    values: dict[str, Any] = {each.name: getattr(config, each.name) for each in fields(config)}
    mine = [(key, value) for key, value in settings if key in values]
    if not mine:
        return config
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 - 0.1 s for every replay

    for key, value in mine:
        # A list is written `1,2,3`; everything else pydantic reads from its text.
        values[key] = value.split(",") if isinstance(values[key], tuple) else value
    try:
        return TypeAdapter(type(config)).validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"])) or ", ".join(name for name, _ in mine)
        raise ReplayError(f"--set {key}: {first['msg'].removeprefix('Value error, ')}") from None


def with_presets(checkpoint: Checkpoint, configs: Iterable[SensorConfig]) -> Checkpoint:
    """The checkpoint whose ground sensors listen for what their configurations now say."""
    presets = {config.id: getattr(config, "preset", None) for config in configs}
    return replace(
        checkpoint,
        sensors=tuple(
            replace(spec, preset=presets.get(spec.sensor_id) or spec.preset)
            for spec in checkpoint.sensors
        ),
    )


def check_settings(configs: Iterable[SensorConfig], settings: list[tuple[str, str]]) -> None:
    """ReplayError where no sensor has the key of a setting."""
    known = {each.name for config in configs for each in fields(config)}
    for key, _ in settings:
        if key not in known:
            raise ReplayError(f"--set {key}: no sensor has that key; there are {sorted(known)}")
