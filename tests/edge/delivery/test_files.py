# ruff: noqa: PLR0917 - fixtures come by position
"""Files go out before their alert, again with it, and never hold it up."""

import hashlib
import os
import signal
import sqlite3
from dataclasses import replace

import pytest

from edge.delivery.centre import Centre
from edge.delivery.centre_store import Arrival, CentreStore, Verdict
from edge.delivery.outbox import Outbox
from edge.delivery.retention import Limits
from edge.delivery.rows import ORIGIN, Attachment, Mark
from edge.delivery.sides import SideSettings
from edge.protocol import topics

SITE = "mariposa"


def file_of(row, n, payload):
    root = topics.root(row.exercise)
    return Attachment(
        n=n,
        topic=topics.evidence_topic(root, SITE, f"A{row.seq}", n),
        name=f"pass-{n}.n42",
        media_type="application/xml",
        sha256=hashlib.sha256(payload).hexdigest(),
        payload=payload,
    )


def with_files(row, *payloads):
    files = tuple(file_of(row, n, payload) for n, payload in enumerate(payloads, start=1))
    return replace(row, attachments=files)


def parts(got):
    return [message.topic.split("/", 3)[-1] for message in got if "/active/" not in message.topic]


def test_files_come_before_their_alert_with_what_tells_them(
    mosquitto, outbox, make_rows, publisher, listen, until
):
    broker = mosquitto()
    heard = listen(broker.port)
    publisher(broker.port)
    outbox.commit([with_files(row, b"one", b"two") for row in make_rows(1)])
    publisher(broker.port, side="south").wake()
    until(lambda: heard.numbers() == [1, 1])
    first = next(m for m in heard.got if "/evidence/" in m.topic)
    properties = dict(first.properties.UserProperty)
    told = parts(heard.got)
    # Both sides send to this one broker, in turns of their own: two sequences, mixed.
    assert list(dict.fromkeys(told)) == ["evidence/A1/1", "evidence/A1/2", "nb-01/alert"]
    assert [told.count(name) for name in dict.fromkeys(told)] == [2, 2, 2]
    assert properties["sha256"] == hashlib.sha256(first.payload).hexdigest()
    assert (properties["name"], properties["media_type"]) == ("pass-1.n42", "application/xml")
    assert (properties["seq"], properties["epoch"]) == ("1", outbox.epoch)
    assert first.qos == 1
    assert not first.retain


def test_a_file_that_is_too_large_is_a_dead_letter_and_its_alert_arrives(
    mosquitto, outbox, make_rows, publisher, listen, until
):
    broker = mosquitto(max_packet_size=20_000)
    heard = listen(broker.port)
    outbox.commit([with_files(row, bytes(30_000), b"small") for row in make_rows(2)])
    publisher(broker.port)
    until(lambda: outbox.depth("north") == 0)
    until(lambda: heard.numbers() == [1, 2])
    assert [m.payload for m in heard.got if "/evidence/" in m.topic] == [b"small"] * 2
    assert [(d.part, d.topic.split("/", 3)[-1]) for d in outbox.dead_letters("north")] == [
        ("evidence/1", "evidence/A1/1"),
        ("evidence/1", "evidence/A2/1"),
    ]
    assert outbox.depth("south") == 2


RULES = """\
topic readwrite garita/v1/+/+/alert
topic readwrite garita/v1/+/+/active/#
topic readwrite garita-exercise/v1/+/+/alert
topic readwrite garita-exercise/v1/+/+/active/#
topic readwrite garita/v1/ops/#
"""


@pytest.fixture
def running():
    made = []

    def start(what):
        what.start()
        made.append(what)
        return what

    yield start
    for each in made:
        each.stop()


def test_a_side_whose_rules_forbid_evidence_still_gets_and_stores_every_alert(
    mosquitto, outbox, make_rows, publisher, running, until, tmp_path
):
    rules = tmp_path / "rules"
    rules.write_text(RULES)
    broker = mosquitto(acl_file=rules)
    running(Centre(SideSettings(name="north", host="127.0.0.1", port=broker.port), tmp_path / "c"))
    outbox.commit([with_files(row, b"one") for row in make_rows(3)])
    publisher(broker.port, cursor=True)
    until(lambda: outbox.depth("north") == 0)
    assert [letter.part for letter in outbox.dead_letters("north")] == ["evidence/1"] * 3
    store = CentreStore(tmp_path / "c")
    assert [mark.seq for mark, _ in store.stored(SITE)] == [1, 2, 3]
    assert store.gaps(SITE) == []
    store.close()


def test_a_centre_stores_no_alert_before_its_files(tmp_path):
    store = CentreStore(tmp_path / "c")
    arrival = Arrival(
        site=SITE, mark=Mark(epoch="E", seq=1), after=ORIGIN, topic="t", payload=b"p",
        evidence=("ab",),
    )  # fmt: skip
    assert store.store([arrival]) == [Verdict.AHEAD]
    assert store.stored(SITE) == []
    store.close()


def test_files_that_a_broker_refuses_with_their_alert_come_once_it_takes_both(
    mosquitto, outbox, make_rows, publisher, listen, until, tmp_path, attempts
):
    rules = tmp_path / "rules"
    rules.write_text("topic read #\n")
    broker = mosquitto(acl_file=rules)
    outbox.commit([with_files(row, b"one") for row in make_rows(1)])
    heard = listen(broker.port)
    side = publisher(broker.port)
    until(lambda: side.status().refusal)
    with attempts.held_back(side):
        rules.write_text("topic readwrite #\n")
        os.kill(broker.pid, signal.SIGHUP)
    until(lambda: heard.numbers() == [1])
    assert [m.payload for m in heard.got if "/evidence/" in m.topic] == [b"one"]
    assert outbox.dead_letters() == []


def test_a_row_takes_its_files_with_it_and_they_count_as_bytes(tmp_path, make_rows):
    box = Outbox(tmp_path / "small.db", ["north"], limits=Limits(max_bytes=5000))
    box.commit([with_files(make_rows(1, box=box)[0], bytes(4000))])
    assert len(box.attachments("north", 1)) == 1
    box.commit([with_files(make_rows(1, box=box)[0], bytes(4000))])
    assert box.attachments("north", 1) == []
    assert [letter.seq for letter in box.dead_letters()] == [1]
    assert len(box.attachments("north", 2)) == 1
    box.close()


def test_an_outbox_of_before_there_were_files_is_opened_and_goes_on(tmp_path, make_rows):
    path = tmp_path / "old.db"
    box = Outbox(path, ["north"])
    box.commit(make_rows(2, box=box))
    box.close()
    with sqlite3.connect(path) as old:
        old.execute("DROP TABLE attachment")
        old.execute("PRAGMA user_version = 1")
    again = Outbox(path, ["north"])
    assert [row.seq for row in again.pending("north", 0, 10)] == [1, 2]
    again.commit([with_files(row, b"one") for row in make_rows(1, box=again)])
    assert [each.payload for each in again.attachments("north", 3)] == [b"one"]
    again.close()
