"""What is asked of the engine: recorded as any input, logged, and answered."""

import pytest
from structlog.testing import capture_logs

from edge import metrics
from edge.config import checkpoint_of, config_digest, load_policy
from edge.delivery.outbox import Outbox
from edge.protocol.messages import decode_alert, rfc3339
from edge.recordings.asked import read_asked, write_asked
from edge.recordings.capture import open_recorder
from edge.recordings.format import What, read
from edge.station.committer import Committer
from edge.station.numbering import Numbering
from edge.station.pipeline import Pipeline
from edge.study.player import Player
from edge.study.replay import days
from fusion.engine import Engine
from fusion.types import SECOND_NS, AckSample, Origin, ShelveSample
from tests.edge.rehearsed import START_NS, small_config

LANGUAGES = ("en-US", "es-MX")
EPOCH = "01JC0000000000000000000000"


def asked(at_ns: int, until_ns: int, **scope: str) -> ShelveSample:
    return ShelveSample(
        sensor_id=scope.pop("sensor_id", ""),
        origin=Origin.SENSOR,
        start_utc_ns=at_ns,
        until_utc_ns=until_ns,
        by="north",
        reason="new cable",
        **scope,
    )


class Station:
    """A pipeline that records, with sensors that all stay silent."""

    def __init__(self, directory):
        self.config = small_config(directory)
        self.config.state_dir.mkdir(parents=True)
        self.now_utc_ns = START_NS
        policy = load_policy(None)
        origins = dict.fromkeys((sensor.id for sensor in self.config.sensors), Origin.SENSOR)
        self.outbox = Outbox(self.config.state_dir / "outbox.db", ["north", "south"])
        self.committer = Committer(self.outbox, wake=lambda: None, now_utc_ns=self._now)
        self.recorder = open_recorder(
            self.config, policy, origins=origins, epoch=EPOCH, first_seq=1, config_text=""
        )
        self.engine = Engine(checkpoint_of(self.config, origins), policy)
        self.pipeline = Pipeline(
            engine=self.engine,
            numbering=Numbering(
                first_seq=1,
                epoch=EPOCH,
                config_digest=config_digest(self.config),
                languages=LANGUAGES,
            ),
            committer=self.committer,
            record=self.recorder,
            heavy=set(),
            now_utc_ns=self._now,
        )

    def _now(self):
        return self.now_utc_ns

    def pass_s(self, seconds):
        for _ in range(round(10 * seconds)):
            self.now_utc_ns += SECOND_NS // 10
            self.pipeline.tick()

    def end(self):
        """The payload of every alert, in order."""
        assert self.committer.close(20.0) == 0
        self.recorder.close()
        payloads = [row.payload for row in self.outbox.pending("north", 0, 1000)]
        self.outbox.close()
        return payloads


@pytest.fixture
def station(tmp_path):
    return Station(tmp_path)


def test_a_replay_asks_the_same_at_the_same_place_and_gives_the_same_bytes(station, tmp_path):
    station.pipeline.tick()
    station.pipeline.ask(
        asked(station.now_utc_ns, START_NS + 40 * SECOND_NS, sensor_id="rpm-1"), "shelve"
    )
    station.pass_s(60.0)
    payloads = station.end()
    told = [decode_alert(payload) for payload in payloads]
    levels = [one.level for one in told if one.contributions[0].source == "rpm-1"]
    assert levels == [1, 2], "in the log while it was shelved, and rung when that had expired"
    (day,) = days([tmp_path / "recordings"])
    lines = list(Player(day, as_recorded=True).lines())
    assert [line.rstrip(b"\n") for line in lines] == payloads


def test_what_happens_on_the_shelf_is_logged_with_who_what_until_when_and_why(station):
    station.pipeline.tick()
    with capture_logs() as logs:
        station.pipeline.ask(
            asked(station.now_utc_ns, START_NS + 5 * SECOND_NS, place="nb-01"), "shelve"
        )
        station.pass_s(10.0)
        station.pipeline.ask(
            asked(station.now_utc_ns, station.now_utc_ns + SECOND_NS, event="RAD_THREAT"), "shelve"
        )
    station.end()
    said = [one for one in logs if "shel" in one["event"]]
    assert [one["event"] for one in said] == [
        "alerts shelved", "shelving expired", "shelving refused",
    ]  # fmt: skip
    assert said[0] | {"until": ""} == {
        "event": "alerts shelved",
        "log_level": "info",
        "code": "any",
        "sensor": "any",
        "place": "nb-01",
        "by": "north",
        "reason": "new cable",
        "until": "",
    }
    assert said[0]["until"] == rfc3339(START_NS + 5 * SECOND_NS)
    assert (said[2]["refusal"], said[2]["log_level"]) == ("source", "warning")


def test_the_metrics_tell_what_is_shelved_and_what_rings(station):
    station.pipeline.tick()
    station.pipeline.ask(
        asked(station.now_utc_ns, START_NS + 3600 * SECOND_NS, sensor_id="rpm-1"), "shelve"
    )
    station.pass_s(30.0)
    station.end()
    value = metrics.REGISTRY.get_sample_value
    assert value("garita_shelved_entries") == 1
    assert value("garita_operator_alerts_last_hour") == 2, "both ground sensors are silent"
    assert value("garita_operator_load_ratio") == pytest.approx(2 / 6)
    assert value("garita_alert_priority_ratio", {"priority": "low"}) == 1.0
    assert value("garita_flood") == 0


@pytest.mark.parametrize(
    "sample",
    [
        asked(START_NS, START_NS + SECOND_NS, place="nb-01", event="PERSON"),
        AckSample(
            sensor_id="", origin=Origin.SIMULATOR, start_utc_ns=1, alert_id="01JD", by="south"
        ),
    ],
)
def test_what_was_asked_is_read_from_a_recording_as_it_was(sample):
    assert read_asked(write_asked(sample)) == [sample]


@pytest.mark.parametrize("data", [b"", b"{}", b'{"kind":"shelve","asked":{}}', b"\xff"])
def test_what_cannot_be_read_costs_a_line_in_the_log(data):
    with capture_logs() as logs:
        assert read_asked(data) == []
    assert [one["event"] for one in logs] == ["what was asked cannot be read"]


def test_an_answer_is_recorded_as_well(station, tmp_path):
    station.pipeline.tick()
    station.pass_s(20.0)
    alert = station.engine.active[0]
    sample = AckSample(
        sensor_id="",
        origin=Origin.SENSOR,
        start_utc_ns=station.now_utc_ns,
        alert_id=alert.alert_id,
        by="north",
    )
    assert station.pipeline.ask(sample, "ack") == []
    station.end()
    (path,) = sorted((tmp_path / "recordings").glob("*.mcap"))
    (kept,) = [event for event in read(path) if event.what is What.ASKED]
    assert read_asked(kept.data) == [sample]
