# ruff: noqa: PLR0917 - fixtures come by position
import contextlib
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import paho.mqtt.client as mqtt
import pytest

from edge.delivery import flow
from edge.delivery.centre import Centre, read_arrival
from edge.delivery.centre_store import CentreStore
from edge.delivery.happenings import Received
from edge.delivery.rows import ORIGIN, Mark
from edge.delivery.sides import SideSettings
from edge.protocol import topics
from edge.protocol.contract import CursorMessage, OpsStateMessage

SITE = "mariposa"
CURSOR = topics.cursor_topic(topics.ROOT, "north", SITE)
STATE = topics.ops_state_topic(topics.ROOT, "north")


@pytest.fixture
def centre(tmp_path):
    """Starts centres of the north side that share one store; every one is stopped."""
    made = []

    def start(port, store="centre.db"):
        settings = SideSettings(name="north", host="127.0.0.1", port=port)
        made.append(Centre(settings, tmp_path / store))
        made[-1].start()
        return made[-1]

    yield start
    for each in made:
        with contextlib.suppress(RuntimeError):
            each.stop()


@pytest.fixture
def held(tmp_path):
    """What the store of a centre holds now."""

    @contextlib.contextmanager
    def look(store="centre.db"):
        opened = CentreStore(tmp_path / store)
        yield opened
        opened.close()

    return look


def online(heard):
    said = [m.payload for m in heard.got if m.topic == STATE]
    return said and msgspec.json.decode(said[-1], type=OpsStateMessage).online


def cursors(heard):
    return [
        msgspec.json.decode(m.payload, type=CursorMessage) for m in heard.got if m.topic == CURSOR
    ]


def test_a_centre_says_what_it_stored_and_both_roots_share_one_sequence(
    outbox, publisher, mosquitto, listen, make_rows, until, centre, held, monkeypatch
):
    monkeypatch.setattr(flow, "STALL_S", 60.0)  # a slow disk is no reason to send twice
    broker = mosquitto()
    heard = listen(broker.port, "garita/v1/ops/#")
    centre(broker.port)
    until(lambda: online(heard))
    outbox.commit(make_rows(30))
    publisher(broker.port, cursor=True)
    until(lambda: outbox.depth("north") == 0)
    assert outbox.cursor("north") == Mark(epoch=outbox.epoch, seq=30)
    until(lambda: [each.seq for each in cursors(heard)][-1:] == [30])
    last = cursors(heard)[-1]
    assert (last.side, last.site, last.epoch) == ("north", SITE, outbox.epoch)
    seqs = [each.seq for each in cursors(heard)]
    assert seqs == sorted(seqs)
    with held() as store:
        rows = outbox.pending("north", 0, 100)
        assert store.stored(SITE) == [(Mark(epoch=r.epoch, seq=r.seq), r.payload) for r in rows]
        assert {row.exercise for row in rows} == {False, True}
        assert (store.wire(SITE).duplicates, store.wire(SITE).ahead) == (0, 0)


def test_what_came_while_the_centre_was_away_is_stored_when_it_returns(
    outbox, publisher, mosquitto, listen, make_rows, until, centre, held
):
    broker = mosquitto()
    heard = listen(broker.port, STATE)
    first = centre(broker.port)
    north = publisher(broker.port, cursor=True)
    outbox.commit(make_rows(5))
    north.wake()
    until(lambda: outbox.depth("north") == 0)
    first.stop()
    until(lambda: not online(heard))
    outbox.commit(make_rows(40))
    north.wake()
    until(lambda: north.status().in_flight == 0 and sum(north.status().pubacks.values()) >= 90)
    assert outbox.depth("north") == 40
    centre(broker.port)
    until(lambda: outbox.depth("north") == 0)
    with held() as store:
        assert [mark.seq for mark, _ in store.stored(SITE)] == list(range(1, 46))


def test_a_centre_that_lost_everything_is_served_again_from_what_is_kept(
    outbox, publisher, mosquitto, make_rows, until, centre, held
):
    broker = mosquitto()
    first = centre(broker.port, "one.db")
    north = publisher(broker.port, cursor=True)
    outbox.commit(make_rows(10))
    north.wake()
    until(lambda: outbox.depth("north") == 0)
    first.stop()
    centre(broker.port, "two.db")
    outbox.commit(make_rows(1))
    north.wake()
    until(lambda: outbox.cursor("north").seq == 11)
    with held("two.db") as store:
        assert [mark.seq for mark, _ in store.stored(SITE)] == list(range(1, 12))


def test_the_last_message_that_does_not_fit_is_answered_too(mosquitto, listen, centre, until):
    """However soon it comes after the one before: nothing else may ever come."""
    broker = mosquitto()
    heard = listen(broker.port, CURSOR)
    centre(broker.port)
    properties = mqtt.Properties(mqtt.PacketTypes.PUBLISH)
    properties.UserProperty = [("epoch", "E"), ("seq", "6"), ("after", "E/5")]
    alert_topic = topics.alert_topic(topics.ROOT, SITE, "nb-01")

    def send():
        heard.client.publish(alert_topic, b"{}", 1, properties=properties)

    until(lambda: (send(), heard.got)[1])  # the centre may not listen yet
    said = len(heard.got)
    send()
    until(lambda: len(heard.got) > said)


def test_a_row_that_the_broker_refuses_is_a_gap_both_ends_can_see(
    outbox, publisher, mosquitto, make_rows, until, centre, held, tmp_path
):
    rules = tmp_path / "acl"
    rules.write_text(
        "topic readwrite garita/v1/ops/#\n"
        f"topic readwrite garita/v1/{SITE}/nb-01/#\n"
        f"topic readwrite garita-exercise/v1/{SITE}/nb-01/#\n"
        "topic read garita/v1/+/+/alert\ntopic read garita-exercise/v1/+/+/alert\n"
    )
    broker = mosquitto(acl_file=rules)
    centre(broker.port)
    outbox.commit(make_rows(3))
    outbox.commit(make_rows(2, place="forbidden"))
    outbox.commit(make_rows(3))
    publisher(broker.port, cursor=True)
    until(lambda: outbox.depth("north") == 0)
    assert {d.seq for d in outbox.dead_letters("north")} == {4, 5}
    with held() as store:
        assert [mark.seq for mark, _ in store.stored(SITE)] == [1, 2, 3, 6, 7, 8]
        assert store.gaps(SITE) == [4, 5]


def test_a_broker_that_forgot_what_it_acknowledged_costs_nothing(
    outbox, publisher, mosquitto, listen, make_rows, until, centre, held
):
    """Killed before its first snapshot, with the centre away: all it took is gone."""
    broker = mosquitto(autosave_interval=1800)
    first = centre(broker.port)
    north = publisher(broker.port, cursor=True)
    outbox.commit(make_rows(5))
    north.wake()
    until(lambda: outbox.depth("north") == 0)
    first.stop()
    outbox.commit(make_rows(20))
    north.wake()
    until(lambda: north.status().in_flight == 0 and sum(north.status().pubacks.values()) >= 50)
    broker.kill()
    again = mosquitto(broker.port)
    centre(again.port)
    until(lambda: outbox.depth("north") == 0)
    with held() as store:
        assert [mark.seq for mark, _ in store.stored(SITE)] == list(range(1, 26))


def test_a_repeat_is_stored_once_and_answered(mosquitto, listen, until, centre, held):
    broker = mosquitto()
    heard = listen(broker.port, "garita/v1/ops/#")
    centre(broker.port)
    until(lambda: online(heard))
    for seq, after in [(1, "/0"), (2, "E/1"), (2, "E/1"), (9, "E/8"), (1, "/0"), (3, "E/2")]:
        send(heard.client, seq, after)
    until(lambda: cursors(heard) and cursors(heard)[-1].seq == 3)
    with held() as store:
        assert [mark.seq for mark, _ in store.stored(SITE)] == [1, 2, 3]
        wire = store.wire(SITE)
        assert (wire.stored, wire.duplicates, wire.ahead) == (3, 2, 1)


def send(client, seq, after):
    from paho.mqtt import client as mqtt  # noqa: PLC0415

    properties = mqtt.Properties(mqtt.PacketTypes.PUBLISH)
    properties.UserProperty = [("epoch", "E"), ("seq", str(seq)), ("after", after)]
    topic = topics.alert_topic(topics.ROOT, SITE, "nb-01")
    client.publish(topic, b"%d" % seq, 1, properties=properties)


@pytest.mark.parametrize(
    "properties",
    [
        (),
        (("seq", "1"),),
        (("seq", "x"), ("after", "/0")),
        (("seq", "-1"), ("after", "/0")),
        (("seq", "9" * 40), ("after", "/0")),
        (("seq", "1"), ("after", "nothing")),
    ],
)
def test_an_alert_that_cannot_be_placed_is_left_aside(properties):
    assert read_arrival(message(properties)) is None


def test_an_alert_is_placed_by_its_properties():
    arrival = read_arrival(message((("seq", "7"), ("epoch", "E"), ("after", "/0"))))
    assert (arrival.site, arrival.mark, arrival.after) == (SITE, Mark(epoch="E", seq=7), ORIGIN)


def message(properties):
    return Received(
        topic=topics.alert_topic(topics.ROOT, SITE, "nb-01"), payload=b"{}", retained=False, mid=1,
        qos=1, user_properties=properties, response_topic="", correlation=b"",
    )  # fmt: skip


def test_the_centre_runs_as_a_process_of_its_own(mosquitto, listen, until, tmp_path):
    broker = mosquitto()
    heard = listen(broker.port, "garita/v1/ops/#")
    process = subprocess.Popen(
        [sys.executable, "-m", "edge.delivery.centre", "--side", "north", "--url", broker.url,
         "--store", str(tmp_path / "c.db")],
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    try:
        until(lambda: online(heard))
        send(heard.client, 1, "/0")
        until(lambda: cursors(heard))
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    until(lambda: not online(heard))
