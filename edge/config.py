"""From a configuration file to what the rest of Garita works with.

The keys stand in `edge.settings.model`; names of it that others need can be had from here.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from drivers.base import SensorConfig
from edge.errors import ConfigError, Mistake
from edge.settings.checks import cross_check
from edge.settings.lines import read_yaml
from edge.settings.mend import mistakes_of
from edge.settings.model import (
    Config,
    Http,
    Inhibit,
    Keys,
    Lane,
    Language,
    Position,
    Recording,
    ReleaseRule,
    Side,
    SideName,
    Site,
    Tls,
    Zone,
)
from edge.settings.policy_file import load_policy
from fusion.types import Checkpoint, LaneSpec, Origin, SensorSpec, ZoneSpec

if TYPE_CHECKING:  # the engine brings Numba, which alone takes 0.3 s to import
    from fusion.policy import Policy

__all__ = [
    "Config",
    "Http",
    "Inhibit",
    "Keys",
    "Lane",
    "Language",
    "Position",
    "Recording",
    "ReleaseRule",
    "Side",
    "SideName",
    "Site",
    "Tls",
    "Zone",
    "checkpoint_of",
    "config_digest",
    "json_schema",
    "kind_of",
    "load_config",
    "load_policy",
]


def load_config(path: Path) -> Config:
    """Read a configuration. ConfigError carries every mistake in it, in order of lines."""
    document = read_yaml(path)
    if not isinstance(document.data, dict):
        message = "the file is empty" if document.data is None else "the file is no mapping"
        mend = "start with `site:`, `sides:` and `sensors:`, as configs/demo.yaml does"
        raise ConfigError(path, [Mistake(line=1, key="", value="", message=message, mend=mend)])
    mistakes = [*document.mistakes, *cross_check(document)]
    config = None
    try:
        base = path.resolve().parent
        config = Config.model_validate(document.data, context={"base": base})
    except ValidationError as error:
        told = {(mistake.line, mistake.key) for mistake in mistakes}
        shape = mistakes_of(error, document, json_schema())
        mistakes += [mistake for mistake in shape if (mistake.line, mistake.key) not in told]
    if config is None or mistakes:
        raise ConfigError(path, sorted(mistakes, key=lambda mistake: mistake.line or 0))
    return config


def kind_of(sensor: SensorConfig) -> str:
    """The sensor's kind, such as `rpm-tsa`."""
    return str(getattr(sensor, "kind"))  # noqa: B009 - every subclass has it, as its own literal


def checkpoint_of(config: Config, origins: Mapping[str, Origin] | None = None) -> Checkpoint:
    """The site as the engine sees it.

    origins  by sensor id, where the start has decided otherwise than the configuration:
             a sensor that its simulator stands in for, a replay
    """
    known = origins or {}
    return Checkpoint(
        site=config.site.id,
        sensors=tuple(
            _sensor_spec(sensor, known.get(sensor.id, Origin(sensor.origin)))
            for sensor in config.sensors
        ),
        lanes=tuple(_lane_spec(lane) for lane in config.lanes),
        zones=tuple(
            ZoneSpec(
                zone_id=zone.id,
                side=zone.side,
                toward={
                    str(word): {str(tag): text for tag, text in words.items()}
                    for word, words in zone.toward.items()
                },
            )
            for zone in config.zones
        ),
    )


def policy_digest(policy: "Policy") -> str:
    """SHA-256 in hex of every threshold."""
    text = json.dumps(asdict(policy), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def config_digest(config: Config) -> str:
    """SHA-256 in hex of everything that shapes an alert: places, sensors, languages, policy.

    Addresses, folders and credentials are left out, so that the same site gives the same
    digest on another machine, in a replay and after a secret was changed.
    ConfigError where the policy file cannot be read.
    """
    shaping = {
        "site": config.site.model_dump(mode="json"),
        "languages": {name: side.languages for name, side in config.sides.items()},
        "lanes": [lane.model_dump(mode="json") for lane in config.lanes],
        "zones": [zone.model_dump(mode="json") for zone in config.zones],
        "sensors": [_shaping(sensor) for sensor in config.sensors],
        "policy": asdict(load_policy(config.policy)),
    }
    if config.inhibits:
        shaping["inhibits"] = [one.model_dump(mode="json") for one in config.inhibits]
    text = json.dumps(shaping, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def json_schema() -> dict[str, Any]:
    """JSON Schema of a configuration file, for editors."""
    schema = Config.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Garita configuration"
    return schema


def _shaping(sensor: SensorConfig) -> dict[str, Any]:
    elsewhere = {"url", "timeout_s", "baud", "fallback", "origin"}
    return {key: value for key, value in asdict(sensor).items() if key not in elsewhere}


def _sensor_spec(sensor: SensorConfig, origin: Origin) -> SensorSpec:
    silent_s = sensor.silent_after_s
    if silent_s is None:
        silent_s = sensor.default_silent_after_s
    own = {
        key: getattr(sensor, key)
        for key in ("panels", "panel_distance_m", "preset")
        if hasattr(sensor, key)  # of one family only; the others keep what they do not use
    }
    own["also"] = tuple(getattr(sensor, "also_lanes", ()))
    if detector := getattr(sensor, "detector", None):
        own["detector"] = detector.spec()
    return SensorSpec(
        sensor_id=sensor.id,
        family=sensor.family,
        place=sensor.lane or sensor.zone or "",
        position_m=sensor.position_m,
        origin=origin,
        silent_after_ms=round(silent_s * 1000),
        **own,
    )


def _lane_spec(lane: Lane) -> LaneSpec:
    heading_deg = lane.heading_deg
    if heading_deg is None:
        heading_deg = 0.0 if lane.direction == "northbound" else 180.0
    return LaneSpec(
        lane_id=lane.id,
        direction=lane.direction,
        portal_m=lane.portal_m,
        heading_deg=heading_deg,
        scan_offset_s=lane.scan_offset_s,
    )
