"""One checkpoint, two brokers, two centres: one record, the same on both sides."""

import asyncio
import json
import sqlite3
import time
from dataclasses import replace

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge import metrics
from edge.cli import main as garita
from edge.config import load_config
from edge.delivery.broker import find_mosquitto
from edge.delivery.centre import Centre
from edge.delivery.centre_record import CentreRecord
from edge.delivery.centre_store import CentreStore
from edge.delivery.happenings import Document
from edge.delivery.rows import Row
from edge.delivery.sides import SideSettings
from edge.errors import ConfigError
from edge.protocol import topics
from edge.record.entries import decode
from edge.record.record import Record, RecordError
from edge.station import common_record
from edge.station.outlets import Outlets
from edge.station.together import Together, open_record
from edge.trust import keys
from fusion.policy import Policy
from fusion.types import SECOND_NS
from tests.edge.rehearsed import SENSORS
from tests.edge.station.test_gaps import packet

pytestmark = pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")

SITE = "mariposa"
SIDES = ("north", "south")
POLICY = Policy()
DAY_NS = 86_400 * SECOND_NS


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Says more often how far the record is."""
    monkeypatch.setattr(common_record, "EVERY_S", 0.5)


@pytest.fixture
def signers(tmp_path):
    now_utc_ns = time.time_ns()
    made = {
        owner: keys.make_signer(
            tmp_path / "keys" / f"{name}.pem",
            owner=owner,
            role=role,
            not_before_utc_ns=now_utc_ns - DAY_NS,
            not_after_utc_ns=now_utc_ns + DAY_NS,
        )
        for name, owner, role in (
            ("edge", f"edge/{SITE}", "edge"),
            ("north", "north", "centre"),
            ("south", "south", "centre"),
        )
    }
    keys.write_keyring(tmp_path / "keyring.json", [one.public for one in made.values()])
    return made


@pytest.fixture
def config(tmp_path, free_port, signers):
    written = {
        "site": {"id": SITE},
        "sides": {side: {"port": free_port(), "keeps_cursor": True} for side in SIDES},
        "lanes": [{"id": "nb-01", "direction": "northbound"}],
        "zones": [{"id": "fence", "side": "east"}],
        "sensors": SENSORS,
        "keys": {
            "signer": str(tmp_path / "keys/edge.pem"),
            "keyring": str(tmp_path / "keyring.json"),
        },
        "state_dir": str(tmp_path / "state"),
    }
    path = tmp_path / "site.yaml"
    path.write_text(json.dumps(written))
    return load_config(path)


def row(outbox, seq):
    message = {
        "schema": "garita.alert/1", "id": f"A{seq}", "revision": 1, "seq": seq,
        "epoch": outbox.epoch, "site": SITE, "lane": "nb-01", "zone": None,
        "direction": "northbound", "status": "Actual", "msg_type": "Alert",
        "event": "RAD_THREAT", "level": 4, "onset": "2026-11-21T18:03:11.200000Z",
        "updated": "2026-11-21T18:03:19.400000Z",
    }  # fmt: skip
    return Row(
        seq=seq, epoch=outbox.epoch, exercise=False,
        topic=topics.alert_topic(topics.ROOT, SITE, "nb-01"),
        payload=json.dumps(message).encode(), active_topic="", active_payload=b"",
        level=4, created_utc_ns=seq,
    )  # fmt: skip


class Checkpoint:
    """What a service runs of both sides, without sensors and engine."""

    def __init__(self, config, policy=POLICY):
        self.outlets = Outlets(config)
        self.outlets.open()
        self.outbox = self.outlets.outbox
        self.together = Together(config, policy, self.outlets, self.outbox, time.time_ns)

    def begin(self):
        self.together.take_commands(
            ask=lambda _asked, _trigger: [],
            active=lambda: {"A1", "A2"},
            look=lambda _alert: None,
        )
        self.together.begin(
            roots=[topics.ROOT], digests=("c" * 64, "p" * 64), first_seq=1, statuses=[]
        )
        will = Document(topic=topics.state_topic(topics.ROOT, SITE), payload=b"{}")
        self.outlets.connect(will, lambda: will)
        self.together.start()

    def commit(self, *seqs):
        self.together.commit([row(self.outbox, seq) for seq in seqs])
        self.outlets.wake()

    async def close(self):
        await asyncio.to_thread(self.together.close)
        await self.outlets.close()


@pytest.fixture
def centre(config, signers, tmp_path):
    started = {}

    def start(side):
        folder = tmp_path / side
        folder.mkdir(exist_ok=True)
        ring = keys.read_keyring(config.keys.keyring)
        settings = SideSettings(
            name=side, host="127.0.0.1", port=config.sides[side].address.port, tls=None
        )
        record = CentreRecord(side, folder, ring, signers[side])
        one = Centre(settings, folder / "centre.db", keyring=ring, record=record)
        one.start()
        started[side] = one, record
        return folder / f"record-{SITE}.db"

    def stop(side):
        one, record = started.pop(side)
        one.stop()
        record.close()

    start.stop = stop
    yield start
    for side in list(started):
        stop(side)


def entries(path):
    try:
        record = Record(path, site=SITE, now_utc_ns=time.time_ns, read_only=True)
    except RecordError:  # it is being made
        return []
    try:
        return record.entries()
    finally:
        record.close()


def says(config, side, *words, key=True):
    signed = ["--signing-key", str(config.keys.keyring.parent / f"keys/{side}.pem")] if key else []
    url = f"mqtt://127.0.0.1:{config.sides[side].address.port}"
    args = ["command", "--side", side, "--url", url, "--site", SITE, *signed, *words]
    return asyncio.to_thread(garita, args)


async def reached(condition, within_s=20.0):
    ends = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < ends
        await asyncio.sleep(0.02)


def test_two_centres_act_at_once_and_hold_one_history(config, centre, tmp_path, capfd):
    async def run():
        checkpoint = Checkpoint(config)
        checkpoint.begin()
        copies = [centre(side) for side in SIDES]
        checkpoint.commit(1, 2)
        own = tmp_path / "state" / "record.db"
        await reached(lambda: all(len(entries(path)) >= 3 for path in copies))
        came = await asyncio.gather(*(says(config, side, "ack", "A1") for side in SIDES))
        assert sorted(came) == [0, 1]  # the second is told that it is done already
        first, second = sorted(SIDES, key=lambda side: came[SIDES.index(side)])
        assert await says(config, first, "hand-over", "A1", "step=offered", f"to={second}") == 0
        assert await says(config, second, "hand-over", "A1", "step=accepted", f"to={second}") == 0
        assert await says(config, second, "adjudicate", "A1", "code=CONFIRMED_THREAT") == 0
        assert await says(config, "south", "ack", "A2", key=False) == 1
        await reached(lambda: all(entries(path) == entries(own) for path in copies))
        await reached(lambda: not any(unwitnessed(checkpoint).values()))
        await checkpoint.close()
        return [decode(data) for data in entries(own)]

    found = asyncio.run(run())
    kinds = [one.kind for one in found]
    assert kinds[:2] == ["start", "change"]  # what is agreed on from now on
    assert kinds.count("alert") == 2
    assert kinds.count("ack") == 1
    assert kinds[-2:] == ["count", "stop"]
    assert {"adjudicate", "hand-over"} <= set(kinds)
    signed = [one for one in found if one.kind in ("ack", "adjudicate", "hand-over")]
    assert all(one.key for one in signed)
    refused = [one.facts["why"] for one in found if one.kind == "refused"]
    assert "unsigned" in refused
    assert '"refusal":"already"' in capfd.readouterr().out


def test_a_centre_that_lost_its_database_asks_and_has_every_alert_again(
    config, centre, tmp_path, capfd
):
    path = tmp_path / "south" / "centre.db"

    async def run():
        checkpoint = Checkpoint(config)
        checkpoint.begin()
        centre("south")
        checkpoint.commit(*range(1, 101))
        await reached(lambda: checkpoint.outbox.depth("south") == 0)
        centre.stop("south")
        for part in ("", "-wal", "-shm"):
            path.with_name(f"centre.db{part}").unlink(missing_ok=True)
        centre("south")
        north = checkpoint.outbox.depth("north")
        assert await says(config, "south", "resend", "from=1", "epoch=other") == 1
        assert await says(config, "south", "resend", "from=1") == 0
        await reached(lambda: stored(path) == list(range(1, 101)))
        checkpoint.commit(101)
        await reached(lambda: stored(path) == list(range(1, 102)))
        assert checkpoint.outbox.depth("north") == north + 1
        await checkpoint.close()

    asyncio.run(run())
    assert '"again":100' in capfd.readouterr().out


def test_keys_that_end_soon_are_told_with_their_side(config, signers):
    async def run():
        checkpoint = Checkpoint(config)
        now_utc_ns = time.time_ns()
        checkpoint.together.take_metrics(now_utc_ns)
        checkpoint.begin()
        told = [one for one in checkpoint.outlets.troubles()[1] if " key " in one]
        health = checkpoint.outlets.health(now_utc_ns)
        await checkpoint.close()
        return told, health

    told, health = asyncio.run(run())
    sides = [one.split(" key ")[0] for one in told]
    assert sides == ["north: our", "north: centre", "south: our", "south: centre"]
    assert [one.text.count(" ends in two days or less") for one in health] == [2, 2]
    north = {"key": signers["north"].key_id, "owner": "north", "role": "centre"}
    left_s = metrics.REGISTRY.get_sample_value("garita_key_expires_seconds", north)
    assert left_s == pytest.approx(86_400, abs=60)


def test_a_command_that_was_taken_before_a_restart_is_not_taken_again(config, tmp_path):
    came, answers = [], []
    port = config.sides["north"].address.port

    def keep(client, _data, message):
        if message.topic.startswith(f"garita/v1/{SITE}/cmd/"):
            came.append(message)
        else:
            answers.append(message.payload)

    def spy():
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        client.on_message = keep
        client.connect("127.0.0.1", port)
        client.subscribe(f"garita/v1/{SITE}/#", qos=1)
        client.loop_start()
        return client

    async def run(act):
        checkpoint = Checkpoint(config)
        checkpoint.begin()
        client = await asyncio.to_thread(spy)
        await reached(lambda: checkpoint.outlets.status()[0].connected)
        await act(client)
        client.disconnect()
        client.loop_stop()
        await checkpoint.close()

    async def take(_client):
        assert await says(config, "north", "ack", "A1") == 0
        await reached(lambda: came)

    async def replay(client):
        answers.clear()
        client.publish(came[0].topic, came[0].payload, qos=1, properties=again(came[0]))
        await reached(lambda: any(b'"replayed"' in one for one in answers))

    asyncio.run(run(take))
    asyncio.run(run(replay))
    found = [decode(data) for data in entries(tmp_path / "state" / "record.db")]
    assert [one.kind for one in found].count("ack") == 1
    assert [one.facts["why"] for one in found if one.kind == "refused"] == ["replayed"]


def test_what_never_came_of_a_sensor_is_entered_and_counted_in_the_report(config, tmp_path):
    async def run():
        checkpoint = Checkpoint(config)
        checkpoint.begin()
        now_utc_ns = time.time_ns()
        sensor = config.sensors[-1].id
        checkpoint.together.seen(packet(now_utc_ns, sensor=sensor))
        checkpoint.together.seen(packet(now_utc_ns + SECOND_NS, missing=25, sensor=sensor))
        await checkpoint.close()
        return sensor

    sensor = asyncio.run(run())
    found = [decode(data) for data in entries(tmp_path / "state" / "record.db")]
    (one,) = [each for each in found if each.kind == "gap"]
    assert (one.facts["sensor"], one.facts["missing"]) == (sensor, 25)
    window = ["--from", "2000-01-01", "--to", "2100-01-01"]
    out = tmp_path / "report"
    assert garita(["report", *window, "--state", str(tmp_path / "state"), "--out", str(out)]) == 0
    tables = "".join(path.read_text() for path in out.rglob("*.csv"))
    (missing,) = [line for line in tables.splitlines() if sensor in line and ",missing," in line]
    assert ",25," in missing


def again(message):
    properties = Properties(PacketTypes.PUBLISH)
    for name in ("ResponseTopic", "CorrelationData", "UserProperty"):
        setattr(properties, name, getattr(message.properties, name))
    return properties


def stored(path):
    store = CentreStore(path)
    try:
        return [mark.seq for mark, _ in store.stored(SITE)]
    finally:
        store.close()


def unwitnessed(checkpoint):
    return checkpoint.together._record.unwitnessed_s(time.time_ns())


def test_alerts_that_a_crash_kept_from_the_record_are_entered_at_the_next_start(config, tmp_path):
    async def run(seqs, *, enters):
        checkpoint = Checkpoint(config)
        if enters:
            checkpoint.begin()
            checkpoint.commit(*seqs)
        else:  # killed between the two
            checkpoint.outbox.commit([row(checkpoint.outbox, seq) for seq in seqs])
        await checkpoint.close()

    asyncio.run(run([1, 2], enters=True))
    asyncio.run(run([3, 4], enters=False))
    asyncio.run(run([5], enters=True))
    found = [decode(data) for data in entries(tmp_path / "state" / "record.db")]
    assert [one.facts["seq"] for one in found if one.kind == "alert"] == [1, 2, 3, 4, 5]


def test_a_damaged_record_is_put_aside_and_alerts_go_on(config, tmp_path):
    record = open_record(config, time.time_ns)
    record.close()
    path = tmp_path / "state" / "record.db"
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO entry VALUES (7, x'00')")
    connection.close()
    again = open_record(config, time.time_ns)
    assert again.size == 0
    again.close()
    assert len(list(path.parent.glob("record.db.damaged-*"))) >= 1


def test_thresholds_that_one_side_changed_are_refused_and_the_attempt_is_entered(
    config, signers, tmp_path
):
    now_utc_ns = time.time_ns()
    officers = [
        keys.make_signer(
            tmp_path / "keys" / f"{owner}-officer.pem",
            owner=owner,
            role="officer",
            not_before_utc_ns=now_utc_ns - DAY_NS,
            not_after_utc_ns=now_utc_ns + DAY_NS,
        )
        for owner in SIDES
    ]
    ring = [*(one.public for one in signers.values()), *(one.public for one in officers)]
    keys.write_keyring(config.keys.keyring, ring)

    async def start(policy):
        checkpoint = Checkpoint.__new__(Checkpoint)
        try:
            checkpoint.__init__(config, policy)
            checkpoint.begin()
        finally:
            if hasattr(checkpoint, "together"):
                await checkpoint.close()
            else:
                await checkpoint.outlets.close()

    asyncio.run(start(POLICY))
    bolder = replace(POLICY, alarms=replace(POLICY.alarms, deadband_nats=3.0))
    with pytest.raises(ConfigError, match="garita change new"):
        asyncio.run(start(bolder))
    asyncio.run(start(POLICY))
    found = [decode(data) for data in entries(tmp_path / "state" / "record.db")]
    kinds = [one.kind for one in found if one.kind.startswith("change")]
    assert kinds == ["change", "change-refused"]  # adopted, then refused
    assert found[-1].kind == "stop"
