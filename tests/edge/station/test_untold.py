"""A policy that keeps a direction back: nothing that one side's broker ever says gives it away."""

import asyncio
import json
import threading
import time
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge.config import load_config
from edge.delivery.broker import find_mosquitto
from edge.delivery.release import release_of
from edge.delivery.rows import Row
from edge.protocol import topics
from edge.protocol.contract import AlertMessage, ContributionMessage, InfoBlock
from edge.protocol.messages import encode
from edge.record.entries import decode
from edge.record.record import Record
from edge.sensors.sources import SourceStatus
from edge.station.announcer import Announcer
from edge.station.documents import Documents
from edge.station.glimpses import Glimpses
from edge.station.outlets import Outlets
from edge.station.together import Together
from edge.together.people import Author
from fusion.policy import Policy
from fusion.types import SECOND_NS, BackgroundSample, Origin, Radiation
from tests.edge.station.test_together import reached

pytestmark = pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")

SITE = "mariposa"
SENSORS = {"rpm-a": "nb-01", "rpm-b": "sb-01"}
TELLTALES = ("sb-01", "rpm-b", "southbound", "sur", "CARGO_MISMATCH")
"""What of the alert no message but the inventory may say on the south side's broker."""


@pytest.fixture
def config(tmp_path, free_port):
    rules = [
        {"name": "arms", "directions": ["southbound"], "fields": ["direction"]},
        {"name": "load", "directions": ["southbound"], "levels": [3], "all": True},
    ]
    written = {
        "site": {"id": SITE},
        "sides": {
            "north": {"port": free_port()},
            "south": {"port": free_port(), "release": rules},
        },
        "lanes": [
            {"id": "nb-01", "direction": "northbound"},
            {"id": "sb-01", "direction": "southbound"},
        ],
        "sensors": [
            {"id": name, "kind": "rpm-tsa", "lane": lane, "url": f"tcp://127.0.0.1:{n}"}
            for n, (name, lane) in enumerate(SENSORS.items(), 1)
        ],
        "state_dir": str(tmp_path / "state"),
    }
    path = tmp_path / "site.yaml"
    path.write_text(json.dumps(written))
    return load_config(path)


def row(outbox, seq, *, lane, direction, level=3):
    alert = AlertMessage(
        id=f"A{seq}", revision=1, seq=seq, epoch=outbox.epoch, site=SITE, lane=lane, zone=None,
        direction=direction, status="Actual", msg_type="Alert", event="CARGO_MISMATCH",
        level=level, probability=0.9, urgency="Expected", severity="Severe", certainty="Likely",
        onset="2026-11-21T18:03:11.200000Z", updated="2026-11-21T18:03:19.400000Z",
        explanations=[],
        contributions=[
            ContributionMessage(
                source="rpm-b", kind="gamma.profile", explanation="threat-source", nats=7.9,
                age_s=0.2, capped=False, facts={},
            )
        ],
        silent=["rpm-a"], down=[],
        info=[InfoBlock(language="es-MX", headline="Rumbo al sur", description="", instruction="")],
        evidence=[], config_digest="d", software="garita",
    )  # fmt: skip
    payload = encode(alert)
    return Row(
        seq=seq, epoch=outbox.epoch, exercise=False,
        topic=topics.alert_topic(topics.ROOT, SITE, lane), payload=payload,
        active_topic=topics.active_topic(topics.ROOT, SITE, lane, alert.id),
        active_payload=payload, level=level, created_utc_ns=seq,
        properties=(("trigger", "rpm-b@1"),),
    )  # fmt: skip


class Listener:
    """Everything that a side's broker says to one who may read all."""

    def __init__(self, port):
        self.said = []
        self._ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = lambda _client, _data, message: self.said.append(message)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(5.0)

    def topics(self):
        return {message.topic for message in self.said}

    def end(self):
        self._client.disconnect()
        self._client.loop_stop()


def text_of(message):
    properties = getattr(message.properties, "UserProperty", [])
    return f"{message.topic} {message.payload.decode()} {properties}"


def shown(sensor_id):
    return BackgroundSample(
        sensor_id=sensor_id, origin=Origin.SENSOR, start_utc_ns=SECOND_NS, duration_ms=5_000,
        radiation=Radiation.GAMMA, rate_cps=(512.0, 498.0), device_fault=False,
    )  # fmt: skip


def statuses():
    return [
        SourceStatus(
            sensor_id=name, origin=Origin.SENSOR, up=True, last_sample_utc_ns=time.time_ns()
        )
        for name in SENSORS
    ]


def test_no_message_tells_a_side_the_direction_that_is_kept_back(config):
    async def run():
        outlets = Outlets(config)
        outlets.open()
        outbox = outlets.outbox
        ears = {name: Listener(side.address.port) for name, side in config.sides.items()}
        together = Together(config, Policy(), outlets, outbox, time.time_ns)
        together.take_commands(
            ask=lambda _asked, _trigger: [], active=lambda: {"A1", "A2"}, look=lambda _id: None
        )
        together.begin(
            roots=[topics.ROOT], digests=("c" * 64, "p" * 64), first_seq=1, statuses=statuses()
        )
        documents = Documents(config, epoch=outbox.epoch, first_seq=1, started_utc_ns=1, digest="d")
        announcer = Announcer(
            site=SITE, roots=[topics.ROOT], documents=documents, outlets=outlets,
            statuses=statuses, now_utc_ns=time.time_ns,
        )  # fmt: skip
        announcer.connect()
        announcer.tell("ready")
        announcer.health()
        await reached(lambda: all(status.connected for status in outlets.status()))
        release = release_of(config)
        rows = [
            row(outbox, 1, lane="sb-01", direction="southbound"),
            row(outbox, 2, lane="sb-01", direction="southbound", level=2),
            row(outbox, 3, lane="nb-01", direction="northbound"),
        ]
        together.commit([release.released(one) for one in rows])
        outlets.wake()
        here = topics.alert_topic(topics.ROOT, SITE, "nb-01")
        await reached(lambda: all(here in one.topics() for one in ears.values()))
        live = {
            lane: topics.live_topic(topics.ROOT, SITE, lane, "gamma") for lane in SENSORS.values()
        }

        def looked(side, *lanes):
            """What is live may be dropped, and is looked at again and again."""
            glimpses = Glimpses(site=SITE, places=SENSORS, publish=outlets.publish_live)
            for name in SENSORS:
                glimpses.look(shown(name))
            return {live[lane] for lane in lanes} <= ears[side].topics()

        await reached(lambda: looked("north", "nb-01", "sb-01"))
        await reached(lambda: looked("south", "nb-01"))
        answer_to(together, "A1", place="sb-01")
        await asyncio.to_thread(together.close)
        await outlets.close()
        for one in ears.values():
            one.end()
        return ears

    ears = asyncio.run(run())
    inventory = {
        topics.birth_topic(topics.ROOT, SITE),
        topics.health_topic(topics.ROOT, SITE, "sb-01"),
    }
    others = [one for one in ears["south"].said if one.topic not in inventory]
    said = [text_of(one) for one in others if "nb-01" not in one.topic]
    assert sum("/alert " in text for text in said) == 2
    assert not [(word, text) for text in said for word in TELLTALES if word in text and not (
        word == "CARGO_MISMATCH" and '"level":2' in text  # only rule `load` keeps that back
    )]  # fmt: skip
    assert any("southbound" in text_of(one) for one in ears["north"].said)
    (health,) = (one for one in ears["south"].said if "sb-01/health" in one.topic)
    (sensor,) = json.loads(health.payload)["sensors"]
    assert (sensor["up"], sensor["last_sample_age_s"]) == (True, None)
    check_record(config.state_dir / "record.db")


def answer_to(together, alert, *, place):
    """A centre's answer to an alert whose place the engine knows."""
    from edge.record.entries import Draft  # noqa: PLC0415

    together._record.enter(
        Draft(kind="ack", by=Author(side="north").by, place=place, facts={"alert": alert})
    )


def check_record(path: Path):
    record = Record(path, site=SITE, now_utc_ns=time.time_ns, read_only=True)
    entries = [decode(data) for data in record.entries()]
    record.close()
    alerts = [one for one in entries if one.kind == "alert"]
    told = [(one.place, one.facts["event"], one.facts["direction"]) for one in alerts]
    assert told == [
        ("", "WITHHELD", None),
        ("", "CARGO_MISMATCH", None),
        ("nb-01", "CARGO_MISMATCH", "northbound"),
    ]
    assert [set(one.facts["digests"]) for one in alerts] == [
        {"south"}, {"south"}, {"north", "south"},
    ]  # fmt: skip
    (answer,) = (one for one in entries if one.kind == "ack")
    assert answer.place == ""
