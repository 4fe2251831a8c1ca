import asyncio
import sqlite3
import threading

import msgspec
import pytest
from structlog.testing import capture_logs

from edge.config import checkpoint_of, load_policy
from edge.delivery.outbox import Outbox
from edge.delivery.outbox_file import OutboxError
from edge.delivery.rows import Attachment, Row
from edge.recordings.recorder import NoRecorder
from edge.station import committer as committer_module
from edge.station.committer import Committer, Waiting
from edge.station.numbering import Numbering, union_of_languages
from edge.station.pipeline import Pipeline
from fusion.engine import Engine
from fusion.types import SECOND_NS, Origin, StatusSample
from tests.edge.rehearsed import START_NS, live_day, small_config


class Noted(NoRecorder):
    """A recorder in memory: what it was told, in order."""

    def __init__(self):
        self.notes = []

    def tick(self, utc_ns):
        self.notes.append(("tick", utc_ns))

    def fed(self, sensor_id, utc_ns):
        self.notes.append(("fed", sensor_id, utc_ns))


class SlowDisk:
    """An outbox whose disk refuses for a while."""

    def __init__(self, outbox, refusals):
        self.outbox, self.refusals = outbox, refusals

    def commit(self, rows):
        if self.refusals:
            self.refusals -= 1
            raise OutboxError("disk full")
        self.outbox.commit(rows)


class StuckDisk:
    """An outbox whose disk refuses until it works."""

    def __init__(self, outbox):
        self.outbox, self.refused, self.works = outbox, 0, threading.Event()

    def commit(self, rows):
        if not self.works.is_set():
            self.refused += 1
            raise OutboxError("disk full")
        self.outbox.commit(rows)


class Clock:
    def __init__(self):
        self.utc_ns = START_NS

    def __call__(self):
        return self.utc_ns


@pytest.fixture
def outbox(tmp_path):
    box = Outbox(tmp_path / "outbox.db", ["north", "south"])
    yield box
    box.close()


def tamper(at_ns, *, active=True, origin=Origin.SENSOR):
    return StatusSample(
        sensor_id="rpm-1", origin=origin, start_utc_ns=at_ns, code="tamper", active=active
    )


def pipeline_into(committer, tmp_path, clock, *, record=None, engine=None, epoch="01JC"):
    config = small_config(tmp_path)
    return Pipeline(
        engine=engine or Engine(checkpoint_of(config), load_policy(None)),
        numbering=Numbering(
            first_seq=1, epoch=epoch, config_digest="ab" * 32, languages=("en-US", "es-MX")
        ),
        committer=committer,
        record=record or NoRecorder(),
        heavy={"xray-1"},
        now_utc_ns=clock,
    )


def run_tamper(pipeline, clock, *, seconds=20, origin=Origin.SENSOR):
    pipeline.tick()
    pipeline.deliver("rpm-1", [tamper(clock(), origin=origin)], clock(), "rpm-1@42")
    for _ in range(10 * seconds):
        clock.utc_ns += SECOND_NS // 10
        pipeline.tick()


def test_an_alert_is_on_disk_for_both_sides_with_topics_and_trigger(tmp_path, outbox):
    clock, woken = Clock(), []
    committer = Committer(outbox, wake=lambda: woken.append(1), now_utc_ns=clock)
    run_tamper(pipeline_into(committer, tmp_path, clock), clock)
    assert committer.close(20.0) == 0
    north, south = outbox.pending("north", 0, 10), outbox.pending("south", 0, 10)
    assert north == south
    row = north[0]
    message = msgspec.json.decode(row.payload)
    assert (message["event"], message["seq"], message["status"]) == ("SENSOR_TAMPER", 1, "Actual")
    assert row.topic == "garita/v1/mariposa/nb-01/alert"
    assert row.active_topic == f"garita/v1/mariposa/nb-01/active/{message['id']}"
    assert row.active_payload == row.payload
    assert dict(row.properties).keys() == {"trigger", "received_utc_ns"}
    assert woken


def test_an_alert_of_a_simulator_goes_below_the_exercise_root_only(tmp_path, outbox):
    clock = Clock()
    committer = Committer(outbox, wake=lambda: None, now_utc_ns=clock)
    run_tamper(pipeline_into(committer, tmp_path, clock), clock, origin=Origin.SIMULATOR)
    committer.close(20.0)
    (row, *_) = outbox.pending("north", 0, 10)
    assert row.exercise
    assert row.topic.startswith("garita-exercise/v1/")
    assert msgspec.json.decode(row.payload)["status"] == "Exercise"


def test_a_refusing_disk_stops_neither_the_loop_nor_the_order(tmp_path, outbox, until):
    clock = Clock()
    disk = StuckDisk(outbox)
    committer = Committer(disk, wake=lambda: None, now_utc_ns=clock)
    pipeline = pipeline_into(committer, tmp_path, clock)
    run_tamper(pipeline, clock)
    pipeline.deliver("rpm-1", [tamper(clock(), active=False)], clock(), "rpm-1@50")
    run_tamper(pipeline, clock)
    until(lambda: disk.refused >= 3)
    disk.works.set()  # only now: the loop never waits for the disk
    assert committer.close(20.0) == 0
    assert committer.stuck_s == 0.0
    seqs = [row.seq for row in outbox.pending("north", 0, 100)]
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) >= 2


def test_who_waits_for_alerts_to_be_stored_waits_for_the_disk(outbox, until):
    disk = StuckDisk(outbox)
    committer = Committer(disk, wake=lambda: None, now_utc_ns=Clock())

    async def check():
        await committer.stored()  # nothing yet
        committer.put([Waiting(row(1), START_NS)])
        storing = asyncio.create_task(committer.stored())
        until(lambda: disk.refused >= 1)
        assert not (await asyncio.wait([storing], timeout=0.05))[0]
        disk.works.set()
        await asyncio.wait_for(storing, 20.0)
        assert [one.seq for one in outbox.pending("north", 0, 10)] == [1]

    with capture_logs():
        asyncio.run(check())
    assert committer.close(20.0) == 0


def test_what_the_disk_never_took_is_told_at_the_end(tmp_path, outbox):
    clock = Clock()
    committer = Committer(SlowDisk(outbox, 10**9), wake=lambda: None, now_utc_ns=clock)
    run_tamper(pipeline_into(committer, tmp_path, clock), clock)
    assert committer.stuck_s > 0 or not committer.full
    assert committer.close(3.0) >= 1


def test_a_mistake_in_storing_is_not_tried_for_ever(tmp_path, outbox):
    class Broken(SlowDisk):
        def commit(self, rows):
            self.refusals += 1
            raise sqlite3.IntegrityError("UNIQUE constraint failed: row.seq")

    clock, disk = Clock(), Broken(outbox, 0)
    committer = Committer(disk, wake=lambda: None, now_utc_ns=clock)
    pipeline = pipeline_into(committer, tmp_path, clock)
    pipeline.tick()
    with capture_logs() as logs:
        committer.put([Waiting(row(1), START_NS)])
        assert committer.close(20.0) == 1
    assert disk.refusals == 1
    assert [entry["event"] for entry in logs] == ["alerts cannot be stored, the service ends"]
    with pytest.raises(RuntimeError, match="UNIQUE constraint failed"):
        pipeline.tick()


def test_what_waits_together_is_committed_together(outbox):
    sizes = []

    class Counting(SlowDisk):
        def commit(self, rows):
            super().commit(rows)
            sizes.append(len(rows))

    disk = Counting(outbox, refusals=1)
    committer = Committer(disk, wake=lambda: None, now_utc_ns=Clock())
    for seq in range(1, 51):
        committer.put([Waiting(row(seq), START_NS)])
    committer.close(20.0)
    assert sum(sizes) == 50
    assert len(sizes) < 50
    assert [one.seq for one in outbox.pending("south", 0, 100)] == list(range(1, 51))


def row(seq):
    return Row(
        seq=seq,
        epoch="01JC",
        exercise=False,
        topic="garita/v1/mariposa/nb-01/alert",
        payload=b"{}",
        active_topic="garita/v1/mariposa/nb-01/active/X",
        active_payload=b"{}",
        level=2,
        created_utc_ns=START_NS,
    )


def test_the_recording_notes_ticks_and_when_a_workers_findings_were_fed(tmp_path, outbox):
    clock, record = Clock(), Noted()
    committer = Committer(outbox, wake=lambda: None, now_utc_ns=clock)
    pipeline = pipeline_into(committer, tmp_path, clock, record=record)
    pipeline.tick()
    pipeline.deliver("rpm-1", [], clock(), "rpm-1@1")
    clock.utc_ns += 5
    pipeline.deliver("xray-1", [], START_NS, "xray-1@1")
    committer.close(20.0)
    assert record.notes == [("tick", START_NS), ("fed", "xray-1", START_NS + 5)]


class BrokenEngine(Engine):
    """A detector with a mistake in it."""

    def feed(self, sample):
        if sample.code == "mistake":
            raise ZeroDivisionError("in a detector")
        return super().feed(sample)


def test_a_mistake_in_a_detector_costs_one_sample(tmp_path, outbox):
    clock = Clock()
    committer = Committer(outbox, wake=lambda: None, now_utc_ns=clock)
    engine = BrokenEngine(checkpoint_of(small_config(tmp_path)), load_policy(None))
    pipeline = pipeline_into(committer, tmp_path, clock, engine=engine)
    bad = StatusSample(
        sensor_id="rpm-1",
        origin=Origin.SENSOR,
        start_utc_ns=clock(),
        code="mistake",
        active=True,
    )
    with capture_logs() as logs:
        pipeline.deliver("rpm-1", [bad], clock(), "rpm-1@1")
    assert [entry["event"] for entry in logs] == ["sample cannot be weighed"]
    run_tamper(pipeline, clock)
    committer.close(20.0)
    assert outbox.pending("north", 0, 10)


class InstantLoop(asyncio.SelectorEventLoop):
    """A loop whose time jumps to what it would wait for."""

    def __init__(self):
        super().__init__()
        self.now_s = 0.0
        select = self._selector.select

        def jump(timeout_s=None):
            self.now_s += timeout_s or 0.0
            return select(0)

        self._selector.select = jump

    def time(self):
        return self.now_s


async def ticks_within(pipeline, seconds):
    task = asyncio.create_task(pipeline.run())
    await asyncio.sleep(seconds)
    task.cancel()


def test_the_clock_ticks_ten_times_a_second(tmp_path, outbox):
    record = Noted()
    committer = Committer(outbox, wake=lambda: None, now_utc_ns=Clock())
    pipeline = pipeline_into(committer, tmp_path, Clock(), record=record)
    with asyncio.Runner(loop_factory=InstantLoop) as runner:
        runner.run(ticks_within(pipeline, 0.55))
    committer.close(20.0)
    assert len(record.notes) == 6


def test_each_language_of_either_side_is_in_an_alert_once():
    assert union_of_languages([("en-US", "es-MX"), ("es-MX",)]) == ("en-US", "es-MX")


def test_a_live_day_is_numbered_without_gaps_and_tells_what_happened(tmp_path):
    day = live_day(tmp_path)
    assert [one.seq for one in day.rows] == list(range(1, len(day.rows) + 1))
    events = {msgspec.json.decode(one.payload)["event"] for one in day.rows}
    assert {"PERSON", "SENSOR_TAMPER"} <= events
    assert any(event.startswith("RAD_") for event in events)


def test_files_that_wait_for_the_disk_are_bounded_by_their_bytes(outbox, monkeypatch, until):
    monkeypatch.setattr(committer_module, "MAX_WAITING_BYTES", 1000)
    disk = SlowDisk(outbox, refusals=3)
    committer = Committer(disk, wake=lambda: None, now_utc_ns=lambda: START_NS)
    file = Attachment(n=1, topic="t", name="n", media_type="m", sha256="s", payload=bytes(2000))
    row = Row(
        seq=1, epoch="E", exercise=True, topic="t", payload=b"p", active_topic="",
        active_payload=b"", level=2, created_utc_ns=START_NS, attachments=(file,),
    )  # fmt: skip
    committer.put([Waiting(row, START_NS)])
    assert committer.full
    until(lambda: not committer.full)
    assert len(outbox.attachments("north", 1)) == 1
    assert committer.close(20.0) == 0
