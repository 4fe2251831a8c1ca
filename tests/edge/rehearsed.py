"""A small checkpoint and a live day through the real pipeline, in simulated time."""

from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from edge.config import Config, checkpoint_of, config_digest, load_policy
from edge.delivery.outbox import Outbox
from edge.delivery.rows import Row
from edge.recordings.capture import heavy_sensors, open_recorder
from edge.station.committer import Committer
from edge.station.numbering import Numbering, union_of_languages
from edge.station.pipeline import Pipeline
from edge.study.rehearsal import Rehearsal
from fusion.engine import Engine
from fusion.types import SECOND_NS, Origin
from simulators.loads import pallets
from simulators.loads_radioactive import bare_source
from simulators.scenario import (
    Fault,
    LanePlace,
    Mover,
    Scenario,
    SensorPlace,
    Vehicle,
)

START_NS = 1_795_000_000 * SECOND_NS

SENSORS = (
    {"id": "rpm-1", "kind": "rpm-tsa", "lane": "nb-01", "url": "tcp://127.0.0.1:1"},
    {"id": "geo-1", "kind": "shake-udp", "zone": "fence", "url": "udp://127.0.0.1:2"},
    {"id": "geo-2", "kind": "shake-udp", "zone": "fence", "url": "udp://127.0.0.1:3"},
    {"id": "xray-1", "kind": "xray-planes", "lane": "nb-01", "url": "folder:scans"},
)


def small_config(directory: Path, **more) -> Config:
    return Config.model_validate(
        {
            "site": {"id": "mariposa"},
            "sides": {"north": {}, "south": {"languages": ["es-MX", "en-US"]}},
            "lanes": [{"id": "nb-01", "direction": "northbound"}],
            "zones": [{"id": "fence", "side": "east"}],
            "sensors": list(SENSORS),
            "recording": {"dir": str(directory / "recordings"), "keep_free_gb": 0},
            "state_dir": str(directory / "state"),
        }
        | more
    )


def small_scenario(seed: int = 1) -> Scenario:
    """A clean truck, a source, a tamper and a walker, all within a minute and a half."""
    lane = LanePlace(lane="nb-01", portal_m=(0.0, 0.0), heading_deg=0.0, scanner_after_m=20.0)
    random = Random(seed)
    trucks = [
        load.onto(Vehicle(vehicle_id=name, lane="nb-01", at_portal_s=at_s, scanned=scanned))
        for name, load, at_s, scanned in (
            ("clean", pallets(random), 10.0, True),
            ("hot", bare_source(random), 40.0, False),
        )
    ]
    picture = (("rows", "240"), ("pitch_mm", "16"))
    return Scenario(
        name="small",
        seed=seed,
        start_utc_ns=START_NS,
        duration_s=90.0,
        lanes=(lane,),
        sensors=(
            SensorPlace(sensor_id="rpm-1", kind="rpm-tsa", lane="nb-01"),
            SensorPlace(sensor_id="geo-1", kind="shake-udp", zone="fence", place_m=(200.0, 0.0)),
            SensorPlace(sensor_id="geo-2", kind="shake-udp", zone="fence", place_m=(200.0, 15.0)),
            SensorPlace(
                sensor_id="xray-1",
                kind="xray-planes",
                lane="nb-01",
                place_m=(0.0, 20.0),
                options=picture,
            ),
        ),
        vehicles=tuple(trucks),
        movers=(
            Mover(
                mover_id="walker",
                kind="person",
                zone="fence",
                start_s=30.0,
                start_m=(205.0, -10.0),
                end_m=(205.0, 30.0),
            ),
        ),
        faults=(Fault(sensor_id="rpm-1", kind="tamper", start_s=60.0, end_s=70.0),),
    )


def brief_scenario(start_utc_ns: int) -> Scenario:
    """The same checkpoint for a quarter of a minute: a fast truck that is scanned, a tamper."""
    small = small_scenario()
    truck = Vehicle(vehicle_id="fast", lane="nb-01", at_portal_s=1.0, speed_m_s=6.0, scanned=True)
    return replace(
        small,
        start_utc_ns=start_utc_ns,
        duration_s=15.0,
        vehicles=(bare_source(Random(1)).onto(truck),),
        movers=(),
        faults=(Fault(sensor_id="rpm-1", kind="tamper", start_s=3.0, end_s=8.0),),
    )


@dataclass
class LiveDay:
    rows: list[Row]
    recording: Path
    config: Config
    epoch: str


def live_day(
    directory: Path,
    *,
    duration_s: float = 90.0,
    origin: Origin = Origin.SENSOR,
    seed: int = 1,
    scenario: Scenario | None = None,
    **more: object,
) -> LiveDay:
    """What a live service would have committed and recorded; `more` goes to `small_config`."""
    config = small_config(directory, **more)
    policy = load_policy(None)
    config.state_dir.mkdir(parents=True)

    def now() -> int:
        return rehearsal.now_utc_ns()

    outbox = Outbox(config.state_dir / "outbox.db", list(config.sides))
    committer = Committer(outbox, wake=lambda: None, now_utc_ns=now)
    recorder = open_recorder(
        config,
        policy,
        origins={sensor.id: origin for sensor in config.sensors},
        epoch=outbox.epoch,
        first_seq=outbox.last_seq + 1,
        config_text="",
    )
    pipeline = Pipeline(
        engine=Engine(checkpoint_of(config), policy),
        numbering=Numbering(
            first_seq=outbox.last_seq + 1,
            epoch=outbox.epoch,
            config_digest=config_digest(config),
            languages=union_of_languages(side.languages for side in config.sides.values()),
        ),
        committer=committer,
        record=recorder,
        heavy=heavy_sensors(config),
        now_utc_ns=now,
    )
    rehearsal = Rehearsal(
        scenario or small_scenario(seed),
        config.sensors,
        record=recorder.raw,
        deliver=pipeline.deliver,
        tick=pipeline.tick,
        xray=policy.xray,
        origin=origin,
    )
    rehearsal.play(duration_s)
    assert committer.close(10.0) == 0
    recorder.close(10.0)
    rows = outbox.pending("north", 0, 10_000)
    epoch = outbox.epoch
    outbox.close()
    return LiveDay(rows, config.recording.dir, config, epoch)
