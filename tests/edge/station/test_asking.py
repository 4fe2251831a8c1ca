"""What is asked of the engine: recorded as any input, logged, and answered."""

import base64

import msgspec
import pytest
from structlog.testing import capture_logs

from edge import metrics
from edge.config import checkpoint_of, config_digest, load_policy
from edge.delivery.hooks import Command
from edge.delivery.outbox import Outbox
from edge.protocol.commands import GoneMessage
from edge.protocol.messages import decode_alert, rfc3339
from edge.record.entries import Draft
from edge.record.record import RecordError
from edge.recordings.asked import read_asked, write_asked
from edge.recordings.capture import open_recorder
from edge.recordings.format import What, read
from edge.station.asking import Asking
from edge.station.committer import Committer
from edge.station.numbering import Numbering
from edge.station.pipeline import Pipeline
from edge.station.resending import Coming
from edge.study.player import Player
from edge.study.replay import days
from edge.together.cases import replay
from edge.together.chunks import MAX_CHUNK_BYTES
from edge.together.handling import OFFER_S
from edge.together.people import Author, Refusal
from edge.together.refusals import BURST_S
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


# --- what two centres ask, recorded ----------------------------------------------------


class Desk:
    """Both centres at the engine of a station, with everything that an asking may have."""

    def __init__(self, station):
        self.station, self.record, self.answers, self.resent = station, [], [], []
        engine = station.engine
        self.kept = [f"entry {number}".encode() * 30 for number in range(3_000)]
        self.distrust = None
        self.asking = Asking(
            site="mariposa",
            places=["nb-01", "fence"],
            sensors=["rpm-1"],
            ask=station.pipeline.ask,
            active=lambda: {alert.alert_id for alert in engine.active},
            answer=lambda command, payload: self.answers.append(payload),
            now_utc_ns=lambda: station.now_utc_ns,
            vouch=self._vouch,
            record=self.record.append,
            look=lambda name: next((one for one in engine.active if one.alert_id == name), None),
            entries=lambda first, to: iter(self.kept[first:to]),
            resend=self._resend,
        )

    def _resend(self, side, message):
        self.resent.append((side, message.from_))
        gone = GoneMessage(from_=message.from_, to=message.from_)
        return Coming(count=7, gone=gone) if side == "south" else Refusal(why="gone", text="")

    def _vouch(self, command):
        return self.distrust or Author(side=command.side, key=f"{command.side}-1")

    def says(self, side, verb, payload, root="garita/v1"):
        self.asking.take(
            Command(
                side=side,
                topic=f"{root}/mariposa/cmd/{verb}",
                payload=payload if isinstance(payload, bytes) else msgspec.json.encode(payload),
                response_topic="garita/v1/mariposa/answer/1",
                correlation=b"1",
                user_properties=(),
            )
        )
        answer = msgspec.json.decode(self.answers[-1])
        return answer.get("refusal", answer) or answer

    def silent_sensor(self):
        self.station.pipeline.tick()
        self.station.pass_s(20.0)
        return next(a for a in self.station.engine.active if a.contributions[0].source == "rpm-1")


@pytest.fixture
def desk(station):
    made = Desk(station)
    yield made
    station.end()


def test_what_two_centres_do_is_recorded_with_side_and_key_and_answered_with_how_it_stands(desk):
    alert = desk.silent_sensor()
    asked = {"alert": alert.alert_id}
    assert desk.says("north", "ack", asked)["state"]["owner"] == "north"
    assert desk.says("south", "ack", asked) == "already"
    refused = msgspec.json.decode(desk.answers[-1])
    assert (refused["accepted"], refused["state"]["stage"]) == (False, "acknowledged")
    desk.says("south", "dispatch", asked)
    desk.says("south", "assist", {"what": "officers"})
    answer = desk.says("north", "adjudicate", asked | {"code": "SENSOR_FAULT"})
    assert [step["by"] for step in answer["state"]["steps"]] == ["north", "south", "north"]
    assert [(one.kind, one.by, one.key, one.place) for one in desk.record] == [
        ("ack", "north", "north-1", "nb-01"),
        ("refused", "south", "south-1", ""),
        ("dispatch", "south", "south-1", "nb-01"),
        ("assist", "south", "south-1", ""),
        ("adjudicate", "north", "north-1", "nb-01"),
    ]
    assert replay(desk.record) == desk.asking.handling


def test_who_dispatches_has_answered_and_a_replay_knows(station, tmp_path):
    desk = Desk(station)
    alert = desk.silent_sensor()
    desk.says("south", "dispatch", {"alert": alert.alert_id})
    station.end()
    (path,) = (tmp_path / "recordings").glob("*.mcap")
    (kept,) = [event for event in read(path) if event.what is What.ASKED]
    (sample,) = read_asked(kept.data)
    assert (sample.alert_id, sample.by) == (alert.alert_id, "south")


def test_what_is_cleared_can_still_be_adjudicated(desk, monkeypatch):
    alert = desk.silent_sensor()
    desk.asking.tick()
    monkeypatch.setattr(type(desk.station.engine), "active", [])
    answer = desk.says("north", "adjudicate", {"alert": alert.alert_id, "code": "EXERCISE"})
    assert answer["state"]["stage"] == "adjudicated"
    assert desk.says("north", "adjudicate", {"alert": "01JD9", "code": "EXERCISE"}) == "unknown"


def test_what_a_person_confirmed_is_told_to_both_sides_as_observed(station, tmp_path):
    desk = Desk(station)
    alert = desk.silent_sensor()
    asked = {"alert": alert.alert_id}
    desk.says("south", "adjudicate", asked | {"code": "CONFIRMED_THREAT"})
    desk.says("north", "adjudicate", asked | {"code": "CONFIRMED_THREAT", "confirm": "search"})
    desk.says("north", "adjudicate", asked | {"code": "UNRESOLVED"})
    station.committer.close(20.0)
    rows = {side: station.outbox.pending(side, 0, 100) for side in ("north", "south")}
    payloads = [row.payload for row in rows["north"]]
    assert [row.payload for row in rows["south"]] == payloads
    mine = [one for one in map(decode_alert, payloads) if one.id == alert.alert_id]
    assert [(one.revision, one.msg_type, one.certainty) for one in mine] == [
        (1, "Alert", mine[0].certainty),
        (2, "Update", "Observed"),
        (3, "Update", mine[0].certainty),
    ]
    assert mine[0].certainty in ("Likely", "Possible")
    station.recorder.close()
    station.outbox.close()
    (day,) = days([tmp_path / "recordings"])
    lines = list(Player(day, as_recorded=True).lines())
    assert [line.rstrip(b"\n") for line in lines] == payloads


def test_nobody_answers_what_is_real_as_a_drill(desk):
    alert = desk.silent_sensor()
    asked = {"alert": alert.alert_id}
    assert desk.says("north", "dispatch", asked, root="garita-exercise/v1") == "unknown"
    assert desk.says("north", "dispatch", asked)["accepted"]
    assert desk.says("north", "on-scene", asked, root="garita-exercise/v1") == "unknown"


def test_an_offer_expires_by_itself_and_goes_to_no_third_side(desk, station):
    asked = {"alert": desk.silent_sensor().alert_id, "step": "offered"}
    assert desk.says("north", "hand-over", asked | {"to": "east"}) == "unknown"
    offer = desk.says("north", "hand-over", asked | {"to": "south"})["state"]["hand_over"]
    assert offer["until"] == rfc3339(station.now_utc_ns + OFFER_S * SECOND_NS)
    station.now_utc_ns += OFFER_S * SECOND_NS
    desk.asking.tick()
    assert (desk.record[-1].by, desk.record[-1].facts["step"]) == ("edge", "expired")


def test_shelving_and_its_end_are_recorded_with_the_key(desk, station):
    desk.silent_sensor()
    until = rfc3339(station.now_utc_ns + 60 * SECOND_NS)
    asked = {"until": until, "reason": "new cable", "place": "nb-01"}
    desk.says("north", "shelve", asked)
    desk.says("south", "unshelve", {"place": "nb-01"})
    desk.says("south", "shelve", asked)
    shelf = desk.station.engine
    station.now_utc_ns += 61 * SECOND_NS
    shelf.tick(station.now_utc_ns)
    desk.asking.shelved(shelf.take_entries())
    assert [(one.kind, one.by, one.key) for one in desk.record] == [
        ("shelve", "north", "north-1"),
        ("unshelve", "south", "south-1"),
        ("shelve", "south", "south-1"),
        ("shelf-expired", "edge", ""),
    ]
    assert desk.record[0].facts == {
        "event": "", "sensor": "", "place": "nb-01", "until": until, "reason": "new cable",
    }  # fmt: skip


@pytest.mark.parametrize("until", ["9999-12-31T23:59:59Z", "2028-01-01T00:00:00+14:00"])
def test_what_no_number_of_nanoseconds_holds_is_too_long(desk, until):
    asked = {"until": until, "reason": "for ever", "place": "nb-01"}
    assert desk.says("north", "shelve", asked) == "too-long"


def test_garbage_by_the_thousand_is_a_few_entries_and_every_one_is_answered(desk, station):
    with capture_logs() as logs:
        for _ in range(1_000):
            assert desk.says("north", "ack", b"\xff") == "unreadable"
        station.now_utc_ns += BURST_S * SECOND_NS
        desk.asking.tick()
        station.now_utc_ns += BURST_S * SECOND_NS
        desk.asking.tick()
    assert [one.facts["count"] for one in desk.record] == [1, 999]
    assert {one.kind for one in desk.record} == {"refused"}
    assert (len(desk.answers), len(logs)) == (1_000, 1)


def test_what_nobody_vouches_for_changes_nothing(desk):
    alert = desk.silent_sensor()
    desk.distrust = Refusal(why="unsigned", text="no signature")
    before = desk.asking.handling
    for verb in ("ack", "dispatch", "resend", "record", "shelve"):
        assert desk.says("south", verb, {"alert": alert.alert_id}) == "unsigned"
    assert (desk.asking.handling, desk.resent) == (before, [])
    assert [(one.facts["why"], one.key) for one in desk.record] == [("unsigned", "")]


def test_entries_of_the_record_come_in_messages_that_a_broker_takes(desk):
    got = []
    while len(got) < len(desk.kept):
        desk.says("south", "record", {"from": len(got), "to": len(desk.kept)})
        assert len(desk.answers[-1]) <= MAX_CHUNK_BYTES
        answer = msgspec.json.decode(desk.answers[-1])
        assert (answer["schema"], answer["from"]) == ("garita.record/1", len(got))
        got += [base64.b64decode(one) for one in answer["entries"]]
    assert got == desk.kept
    assert len(desk.answers) < 6
    assert desk.says("south", "record", {"from": len(got), "to": len(got) + 1}) == "unknown"


def test_a_side_asks_for_its_alerts_again(desk):
    answer = desk.says("south", "resend", {"from": 1041})
    assert (answer["accepted"], answer["again"]) == (True, 7)
    assert answer["gone"] == {"from": 1041, "to": 1041}
    assert desk.says("north", "resend", {"from": 2}) == "gone"
    assert desk.resent == [("south", 1041), ("north", 2)]


def test_what_cannot_be_recorded_does_not_happen_and_is_told(desk):
    alert = desk.silent_sensor()

    def full(draft: Draft):
        raise RecordError("disk full")

    desk.asking._record = full
    with capture_logs() as logs:
        assert desk.says("north", "ack", {"alert": alert.alert_id}) == "not-recorded"
        assert desk.says("north", "ack", {"alert": "01JD9"}) == "unknown"
    assert [one["event"] for one in logs][:2] == ["command not carried out", "command refused"]
    assert logs[-1]["event"] == "entry lost"
    assert desk.asking.handling.cases == {}
