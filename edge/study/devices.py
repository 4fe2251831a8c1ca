"""Recorded device files as a day: recognised, given a checkpoint, merged by time."""

import hashlib
import heapq
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from typing import Any

import msgspec

from drivers.base import SensorConfig
from drivers.catalog import KINDS
from edge.config import Config, checkpoint_of, config_digest, kind_of, load_policy
from edge.recordings.format import Event, What
from edge.study.day import Day, ReplayError, ReplaySensor, with_presets, with_settings
from edge.study.device_files import Chunk, DeviceFiles
from edge.text import LANGUAGES
from fusion.engine import LONGEST_STEP_NS
from fusion.policy import Policy
from fusion.types import (
    MILLISECOND_NS,
    SECOND_NS,
    Checkpoint,
    Family,
    LaneSpec,
    Origin,
    SensorSpec,
    ZoneSpec,
)

SITE = "replay"
EPOCH = "0" * 26
"""There was no boot, so it is no ULID of any time."""
TICK_NS = 500 * MILLISECOND_NS  # half of the shortest on-delay; five times fewer than live
TAIL_NS = 600 * SECOND_NS  # every incident closes within ten minutes of its last sample
LEAD_NS = 60 * SECOND_NS
# A silence counts only as far as it was listened to: the engine takes one second a tick for that.
QUIET_TICK_NS = LONGEST_STEP_NS
# Where ground sensors stand is not known: out of earshot, so that no lane's traffic explains them.
UNKNOWN_M = (100_000.0, 0.0)
QUIET_NS = 86_400 * SECOND_NS  # the longest `silent_after_s`


def day(found: list[DeviceFiles], config: Config | None, settings: list[tuple[str, str]]) -> Day:
    """The files as one day, in the checkpoint of `config` or in one that is made up.

    ReplayError where the configuration has no sensor for a file.
    """
    made = _made_up(found) if config is None else _from_config(found, config)
    made = [(files, with_settings(sensor, settings)) for files, sensor in made]
    asked = {
        sensor.id: round((sensor.silent_after_s or 0.0) * 1000)
        for _, sensor in made
        if any(key == "silent_after_s" for key, _ in settings)
    }
    if config is None:
        checkpoint, policy = _checkpoint([sensor for _, sensor in made]), Policy()
        digest = _digest(checkpoint, policy)
    else:
        sensors = tuple(
            # As below: the end of a file is no silence, nor is a sensor that has no file.
            replace(spec, silent_after_ms=asked.get(spec.sensor_id, 0))
            for spec in checkpoint_of(config).sensors
        )
        checkpoint = replace(checkpoint_of(config), sensors=sensors)
        policy, digest = load_policy(config.policy), config_digest(config)
    return Day(
        name=", ".join(sensor.id for _, sensor in made),
        checkpoint=with_presets(checkpoint, [sensor for _, sensor in made]),
        policy=policy,
        # Nothing in a device file says that a sensor wrote it, so it never rings as real.
        sensors=tuple(
            ReplaySensor(config=sensor, recorded_origin=Origin.REPLAY) for _, sensor in made
        ),
        epoch=EPOCH,
        first_seq=1,
        config_digest=digest,
        languages=tuple(LANGUAGES),
        events=with_ticks(_merged(made)),
        played={sensor.id: files.played for files, sensor in made if files.played is not None},
    )


def with_ticks(events: Iterable[Event]) -> Iterator[Event]:
    """The events with the ticks that a live service would have made around them.

    A silence of hours gets few ticks but for its first ten minutes and its last one, and after
    a day none: longer than that no sensor may be silent untold.
    """
    now = -1
    for event in events:
        if now < 0:
            now = event.utc_ns
            yield _tick(now)
        if event.utc_ns - now > TAIL_NS + LEAD_NS:
            lead_utc_ns = event.utc_ns - LEAD_NS
            now = yield from _ticks(now, now + TAIL_NS)
            now = yield from _ticks(now, min(now + QUIET_NS, lead_utc_ns), QUIET_TICK_NS)
            now = max(now, lead_utc_ns - QUIET_TICK_NS)
        now = yield from _ticks(now, event.utc_ns)
        yield event
    if now >= 0:
        yield from _ticks(now, now + TAIL_NS)


def _ticks(
    after_utc_ns: int, until_utc_ns: int, step_ns: int = TICK_NS
) -> Generator[Event, None, int]:
    """Ticks up to `until_utc_ns`; returns the time of the last."""
    now = after_utc_ns
    while now + step_ns <= until_utc_ns:
        now += step_ns
        yield _tick(now)
    return now


def _tick(utc_ns: int) -> Event:
    return Event(What.TICK, utc_ns, 0, "", b"")


def _merged(made: list[tuple[DeviceFiles, SensorConfig]]) -> Iterator[Event]:
    streams = [
        _stream(files.chunks(sensor), sensor.id, heavy=KINDS[files.kind].heavy)
        for files, sensor in made
    ]
    # Ties keep the order of the sensors, so the same files give the same order every time.
    for events in heapq.merge(*streams, key=lambda events: events[0].utc_ns):
        yield from events


def _stream(chunks: Iterator[Chunk], sensor_id: str, *, heavy: bool) -> Iterator[list[Event]]:
    for utc_ns, data in chunks:
        raw = Event(What.RAW, utc_ns, 0, sensor_id, data)
        yield [raw, Event(What.FED, utc_ns, 0, sensor_id, b"")] if heavy else [raw]


def _made_up(found: list[DeviceFiles]) -> list[tuple[DeviceFiles, SensorConfig]]:
    """A place for each: `rpm-nb-01` and `xray-nb-01` share lane `nb-01`, `geo-ef-01` and -02 zone
    `ef`. A portal and a scanner without such names share a lane where there is one of each.
    """
    kinds = Counter(files.sensor_id for files in found)
    named = Counter((place_of(files), KINDS[files.kind].config.family) for files in found)
    families = Counter(KINDS[files.kind].config.family for files in found)
    one_lane = families[Family.RADIATION] <= 1 and families[Family.XRAY] <= 1
    shared = {place for place, _ in named if len([one for one in named if one[0] == place]) > 1}
    made: list[tuple[DeviceFiles, SensorConfig]] = []
    for files in found:
        kind = KINDS[files.kind].config
        place = place_of(files)
        seismic = kind.family is Family.SEISMIC
        if not seismic and place not in shared and one_lane:
            place = "lane-1"
        told: dict[str, Any] = dict(files.settings)
        sensor_id = files.sensor_id
        if kinds[sensor_id] > 1:  # pictures and DICOS of one folder: each has its own reader
            sensor_id = f"{sensor_id[:16]}-{files.kind}"
        sensor = kind(
            id=sensor_id,
            url="folder:.",
            lane=None if seismic else place,
            zone=place if seismic else None,
            **told,
        )
        made.append((files, sensor))
    return made


def place_of(files: DeviceFiles) -> str:
    """What a device's name says of its place: all behind the first hyphen, without a number for
    ground sensors, of which several watch one zone; the whole name where there is no hyphen."""
    _, hyphen, place = files.sensor_id.partition("-")
    if not hyphen:
        return files.sensor_id
    if KINDS[files.kind].config.family is Family.SEISMIC:
        place = place.rstrip("0123456789").rstrip("-") or "zone-1"
    return place


def _from_config(
    found: list[DeviceFiles], config: Config
) -> list[tuple[DeviceFiles, SensorConfig]]:
    """Each file goes to the sensor it is named after, else to the first free one of its kind."""
    free = {sensor.id: sensor for sensor in config.sensors}
    named = {
        files.sensor_id: free.pop(files.sensor_id)
        for files in found
        if files.sensor_id in free and kind_of(free[files.sensor_id]) == files.kind
    }
    made = []
    for files in found:
        sensor = named.get(files.sensor_id)
        if sensor is None:
            rest = [sensor for sensor in free.values() if kind_of(sensor) == files.kind]
            if not rest:
                raise ReplayError(
                    f"{files.paths[0]}: the configuration has no free sensor of kind {files.kind}"
                )
            sensor = free.pop(rest[0].id)
        made.append((files, sensor))
    return made


def _checkpoint(sensors: list[SensorConfig]) -> Checkpoint:
    specs = [
        SensorSpec(
            sensor_id=sensor.id,
            family=sensor.family,
            place=sensor.lane or sensor.zone or "",
            position_m=UNKNOWN_M if sensor.zone else (0.0, 0.0),
            # A file that ends is no sensor that falls silent; `--set silent_after_s=5` asks for it.
            silent_after_ms=round((sensor.silent_after_s or 0.0) * 1000),
            panel_distance_m=getattr(sensor, "panel_distance_m", 2.5),
        )
        for sensor in sensors
    ]
    lanes = sorted({sensor.lane for sensor in sensors if sensor.lane})
    zones = sorted({sensor.zone for sensor in sensors if sensor.zone})
    return Checkpoint(
        site=SITE,
        sensors=tuple(specs),
        lanes=tuple(LaneSpec(lane_id=lane, direction="northbound") for lane in lanes),
        zones=tuple(ZoneSpec(zone_id=zone) for zone in zones),
    )


def _digest(checkpoint: Checkpoint, policy: Policy) -> str:
    return hashlib.sha256(msgspec.json.encode([checkpoint, policy])).hexdigest()
