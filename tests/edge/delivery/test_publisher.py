# ruff: noqa: PLR0917 - fixtures come by position
"""Every trap that paho-mqtt 2.2 was seen to hold, and that our publisher is immune to it."""

import os
import signal
import socket
import threading
import time
from contextlib import closing, suppress

import paho.mqtt.client as mqtt
import pytest
from structlog.testing import capture_logs

from edge.delivery import books, hold
from edge.delivery.happenings import Document
from edge.delivery.link import Link
from edge.delivery.outbox import Outbox
from edge.delivery.publisher import Hooks
from edge.protocol import topics
from edge.protocol.contract import CursorMessage
from edge.protocol.messages import encode

SITE = "mariposa"
CURSOR = topics.cursor_topic(topics.ROOT, "north", SITE)
STATE = topics.state_topic(topics.ROOT, SITE)


def cursor(seq, epoch, side="north"):
    return encode(
        CursorMessage(
            side=side, site=SITE, seq=seq, epoch=epoch, updated="2026-11-21T00:00:00.000000Z"
        )
    )


def fill(folder):
    """Take what room there is."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as taken, suppress(OSError):
        while True:
            taken.write(bytes(4096))
    return filler


# --- the traps -------------------------------------------------------------------------


def test_alerts_made_before_the_first_connection_arrive_once_and_in_order(
    outbox, publisher, mosquitto, listen, make_rows, until
):
    """Paho: publish before connect returns "no connection", and queues all the same."""
    broker = mosquitto()
    outbox.commit(make_rows(50))
    heard = listen(broker.port)
    north = publisher(broker.port)
    until(lambda: outbox.depth("north") == 0)
    until(lambda: len(heard.numbers()) >= 50)
    assert heard.numbers() == list(range(1, 51))
    assert north.status().pubacks == {0: 100}


def test_a_refused_alert_becomes_a_dead_letter_and_holds_nothing_up(
    outbox, publisher, mosquitto, listen, make_rows, until, tmp_path
):
    """Paho: a refused publish looks published; only the reason code tells."""
    rules = tmp_path / "acl"
    rules.write_text(f"topic read #\ntopic readwrite garita/v1/{SITE}/nb-01/#\n")
    broker = mosquitto(acl_file=rules)
    outbox.commit([*make_rows(1)])
    outbox.commit([*make_rows(1)])
    outbox.commit([*make_rows(2)])  # number 3 goes to the exercise root, which is refused
    heard = listen(broker.port)
    counted = []
    north = publisher(broker.port, hooks=Hooks(puback=lambda side, code: counted.append(code)))
    until(lambda: outbox.depth("north") == 0 and len(outbox.dead_letters()) == 2)
    # Number 4 shows that the rule is about number 3 alone, which is then tried once more.
    until(lambda: len(heard.numbers()) >= 4)
    assert heard.numbers() == [1, 2, 4, 4]
    letters = outbox.dead_letters()
    assert {(d.side, d.seq, d.part) for d in letters} == {
        ("north", 3, "alert"),
        ("north", 3, "active"),
    }
    assert all("0x87" in d.reason and "authorized" in d.reason for d in letters)
    until(lambda: north.status().in_flight == 0)
    assert north.status().pubacks[0x87] == 4
    assert counted.count(0x87) == 4
    assert north.status().refusal == ""


def test_a_side_that_refuses_every_alert_is_named_and_loses_none(
    outbox, publisher, mosquitto, listen, make_rows, until, tmp_path, attempts
):
    """An access rule that is wrong for an hour."""
    rules = tmp_path / "acl"
    rules.write_text("topic read #\n")
    broker = mosquitto(acl_file=rules)
    outbox.commit(make_rows(30))
    heard = listen(broker.port)
    north = publisher(broker.port)
    until(lambda: north.status().refusal == "not authorized (135)")
    until(lambda: north.status().in_flight == 0)
    first = north.status().pubacks[0x87]
    until(lambda: north.status().pubacks[0x87] > first)  # tried again
    # Not in the middle of a try: what came after the change would then be taken, and sent again.
    with attempts.held_back(north):
        assert north.status().connected
        assert outbox.depth("north") == 30
        assert outbox.dead_letters() == []
        rules.write_text("topic readwrite #\n")
        os.kill(broker.pid, signal.SIGHUP)
    until(lambda: outbox.depth("north") == 0)
    until(lambda: set(heard.numbers()) == set(range(1, 31)))
    until(lambda: len({m.topic for m in heard.got if "/active/" in m.topic}) == 30)
    assert heard.numbers() == list(range(1, 31))
    assert north.status().refusal == ""
    assert outbox.dead_letters() == []


@pytest.mark.parametrize("cursor", [False, True])
def test_a_quota_holds_every_alert_until_it_is_over(
    outbox, publisher, fake_broker, make_rows, until, cursor, monkeypatch
):
    monkeypatch.setattr(hold, "FIRST_S", 0.1)
    broker = fake_broker(reason=0x97)
    outbox.commit(make_rows(3))
    north = publisher(broker.port, cursor=cursor)
    until(lambda: north.status().refusal == "quota exceeded (151)")
    until(lambda: north.status().pubacks[0x97] > 12)  # three rows of two messages, tried again
    assert (outbox.depth("north"), outbox.dead_letters()) == (3, [])
    broker.reason = 0
    until(lambda: north.status().refusal == "")
    if not cursor:
        until(lambda: outbox.depth("north") == 0)
    assert outbox.dead_letters() == []


def test_alerts_that_are_refused_for_their_own_sake_are_dead_letters_and_the_side_is_named(
    outbox, publisher, fake_broker, make_rows, until
):
    broker = fake_broker(reason=0x99)
    outbox.commit(make_rows(2))
    north = publisher(broker.port)
    until(lambda: len(outbox.dead_letters()) == 4)
    assert north.status().refusal == ""  # two may be chance
    outbox.commit(make_rows(1))
    north.wake()
    until(lambda: north.status().refusal == "payload format invalid (153)")
    until(lambda: len(outbox.dead_letters()) == 6)
    assert outbox.depth("north") == 0
    broker.reason = 0
    outbox.commit(make_rows(1))
    north.wake()
    until(lambda: outbox.depth("north") == 0 and north.status().refusal == "")


def test_a_full_disk_costs_no_connection_and_nothing_but_time(
    publisher, mosquitto, listen, make_rows, until, small_disk, monkeypatch
):
    monkeypatch.setattr(books, "AGAIN_S", 0.1)
    broker = mosquitto()
    ups = []
    hooks = Hooks(connected=lambda side, up: ups.append(up))
    with closing(Outbox(small_disk / "outbox.db", ["north"])) as box:
        heard = listen(broker.port)
        box.commit(make_rows(3, box=box))
        filler = fill(small_disk)
        with capture_logs() as logs:
            north = publisher(broker.port, box=box, hooks=hooks)
            until(lambda: len(heard.numbers()) == 3 and north.status().in_flight == 0)
            until(lambda: box.trouble == "disk full")
            began_s = time.monotonic()
            until(lambda: time.monotonic() - began_s > 0.5)  # several attempts
            assert ups == [True]
            assert box.depth("north") == 3
            filler.unlink()
            until(lambda: box.depth("north") == 0 and box.trouble == "")
            until(lambda: "outbox works again" in [entry["event"] for entry in logs])
        assert ups == [True]
        said = [entry["event"] for entry in logs]
        assert said.count("delivery cannot be noted, trying again") == 1
        assert said.count("outbox works again") == 1
        assert heard.numbers() == [1, 2, 3]
        north.stop()


def test_after_a_reconnect_no_more_is_open_than_the_window(
    outbox, publisher, fake_broker, make_rows, until
):
    """Paho: after a reconnect all 500 queued messages are sent at once."""
    broker = fake_broker(receive_maximum=10, answering=False)
    outbox.commit(make_rows(250))
    north = publisher(broker.port)
    until(lambda: broker.most_open == 10)
    broker.cut()
    until(lambda: len(broker.connections) == 2 and len(broker.connections[1]) == 10)
    assert north.status().in_flight == 10
    assert not any(dup for _, dup, _ in broker.connections[1])
    broker.answer()
    until(lambda: outbox.depth("north") == 0)
    assert broker.most_open == 10


def test_the_servers_receive_maximum_is_kept(outbox, publisher, fake_broker, make_rows, until):
    """Paho: ignores it and sends 20 where the server said 10."""
    broker = fake_broker(receive_maximum=10, answering=False)
    outbox.commit(make_rows(30))
    publisher(broker.port)
    until(lambda: broker.most_open == 10)
    for _ in range(5):
        before = len(broker.connections[0])
        broker.answer(1)
        until(lambda before=before: len(broker.connections[0]) == before + 1)
    assert broker.most_open == 10
    broker.answer()
    until(lambda: outbox.depth("north") == 0)
    assert broker.most_open == 10
    assert len(broker.connections) == 1


def test_a_receive_maximum_of_one_is_enough(outbox, publisher, fake_broker, make_rows, until):
    broker = fake_broker(receive_maximum=1)
    outbox.commit(make_rows(20))
    publisher(broker.port)
    until(lambda: outbox.depth("north") == 0)
    assert broker.most_open == 1


def test_a_hook_that_raises_costs_nothing(outbox, publisher, mosquitto, listen, make_rows, until):
    """Paho: its thread dies of an exception in a callback, and is_connected() stays true."""
    broker = mosquitto()
    heard = listen(broker.port)
    calls = []

    def fail(*values):
        calls.append(values)
        raise RuntimeError("a hook went wrong")

    hooks = Hooks(puback=fail, connected=fail, delivered=fail, command=fail)
    north = publisher(broker.port, hooks=hooks)
    until(lambda: north.status().connected)
    heard.client.publish(f"garita/v1/{SITE}/cmd/ack", b"{}", 1)
    until(lambda: any(getattr(each[0], "topic", "").endswith("cmd/ack") for each in calls))
    outbox.commit(make_rows(30))
    north.wake()
    until(lambda: outbox.depth("north") == 0)
    assert north.status().alive
    assert north.status().connected
    assert north.status().last_error == ""


@pytest.mark.parametrize(
    "garbage",
    [b"", b"\xff\xfe", b"[1]", b"{" * 5000, b'{"seq": -1}', cursor(10**15, "nobody's"),
     cursor(3, "x", side="south")],
)  # fmt: skip
def test_garbage_in_the_place_of_a_cursor_costs_nothing(
    outbox, publisher, mosquitto, listen, make_rows, until, garbage
):
    broker = mosquitto()
    heard = listen(broker.port)
    heard.client.publish(CURSOR, garbage, 1, retain=True)
    north = publisher(broker.port, cursor=True)
    until(lambda: north.status().connected)
    outbox.commit(make_rows(30))
    north.wake()
    until(lambda: len(heard.numbers()) == 30)
    heard.client.publish(CURSOR, garbage, 1, retain=True)
    heard.client.publish(CURSOR, cursor(30, outbox.epoch), 1, retain=True)
    until(lambda: outbox.depth("north") == 0)
    assert north.status().last_error == ""


def test_commits_and_acknowledgements_from_all_sides_never_lock_each_other(
    outbox, publisher, mosquitto, make_rows, until
):
    """Paho: on_publish runs under paho's lock; taking ours there deadlocked."""
    broker = mosquitto()
    both = [publisher(broker.port, side=side) for side in ("north", "south")]
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            for each in both:
                each.status()
                each.publish_state(STATE, b"{}")
                each.publish_live(f"garita/v1/{SITE}/nb-01/live/x", b"{}")

    askers = [threading.Thread(target=ask, daemon=True) for _ in range(2)]
    for asker in askers:
        asker.start()
    for _ in range(100):
        outbox.commit(make_rows(5))
        for each in both:
            each.wake()
    stop.set()
    for asker in askers:
        asker.join(10)
        assert not asker.is_alive()
    until(lambda: outbox.depth("north") == outbox.depth("south") == 0, within_s=60)
    assert all(each.status().alive for each in both)


def test_a_frozen_broker_is_noticed_by_the_age_of_an_acknowledgement(
    outbox, publisher, mosquitto, listen, make_rows, until
):
    """Paho: with a keepalive of 5 s it takes 10 s."""
    broker = mosquitto()
    heard = listen(broker.port)
    north = publisher(broker.port, ack_timeout_s=0.5, keepalive_s=60)
    until(lambda: north.status().connected)
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        with capture_logs() as logs:
            outbox.commit(make_rows(40))
            north.wake()
            until(lambda: not north.status().connected)
        (lost,) = [entry for entry in logs if entry["event"] == "side not connected"]
        assert "frozen" in lost["error"]
        until(lambda: "no answer to CONNECT" in north.status().last_error)
        assert outbox.depth("north") == 40
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    until(lambda: outbox.depth("north") == 0)
    until(lambda: set(heard.numbers()) == set(range(1, 41)))


def test_a_broker_that_freezes_while_nothing_is_sent_is_noticed_by_keepalive(
    publisher, mosquitto, until
):
    broker = mosquitto()
    north = publisher(broker.port, keepalive_s=1)
    until(lambda: north.status().connected)
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        until(lambda: not north.status().connected)
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    until(lambda: north.status().connected)


def test_a_long_backlog_never_fills_a_queue_of_paho(
    outbox, publisher, mosquitto, listen, make_rows, until
):
    """Paho: past its queue limit, publish fails with rc 15."""
    broker = mosquitto()
    port = broker.port
    broker.stop()
    north = publisher(port)
    for _ in range(4):
        outbox.commit(make_rows(500))
        north.wake()
    assert north.status().in_flight == 0
    mosquitto(port)
    heard = listen(port)
    until(lambda: outbox.depth("north") == 0, within_s=60)
    until(lambda: len(heard.numbers()) == 2000)
    assert heard.numbers() == list(range(1, 2001))


def test_a_dead_port_at_the_start_is_waited_out(
    outbox, publisher, mosquitto, listen, make_rows, until, free_port
):
    """Paho: connect() to a dead port raises."""
    port = free_port()
    outbox.commit(make_rows(3))
    north = publisher(port)
    until(lambda: north.status().last_error)
    assert f"no connection to 127.0.0.1:{port}" in north.status().last_error
    assert "refused" in north.status().last_error.lower()
    mosquitto(port)
    until(lambda: north.status().connected)
    until(lambda: outbox.depth("north") == 0)


def test_what_was_not_acknowledged_is_sent_after_a_restart_of_the_edge(
    outbox, publisher, fake_broker, mosquitto, make_rows, until, listen, tmp_path
):
    """Paho: keeps nothing; a killed process loses its queue."""
    silent = fake_broker(answering=False)
    outbox.commit(make_rows(30))
    first = publisher(silent.port)
    until(lambda: first.status().in_flight == 20)
    first.stop()
    outbox.close()
    again = Outbox(tmp_path / "outbox.db", ["north", "south"])
    again.commit(make_rows(1, box=again))
    broker = mosquitto()
    heard = listen(broker.port)
    north = publisher(broker.port, box=again)
    until(lambda: again.depth("north") == 0)
    until(lambda: len(heard.numbers()) == 31)
    assert heard.numbers() == list(range(1, 32))
    north.stop()
    again.close()


# --- what a subscriber sees ------------------------------------------------------------


def test_an_alert_is_a_stream_message_and_a_retained_topic(
    outbox, publisher, mosquitto, listen, make_rows, until
):
    broker = mosquitto()
    heard = listen(broker.port)
    outbox.commit(make_rows(2))
    publisher(broker.port)
    until(lambda: len(heard.got) >= 4)
    retained = listen(broker.port, "garita/v1/+/+/active/+", client_id="later")
    until(lambda: len(retained.got) == 2)
    assert {m.topic.rpartition("/")[2]: m.payload for m in retained.got} == {
        "A1": b'{"seq": 1}', "A2": b'{"seq": 2}',
    }  # fmt: skip
    assert all(m.retain for m in retained.got)
    stream = next(m for m in heard.got if m.topic.endswith("/alert"))
    assert stream.qos == 1
    assert stream.properties.ContentType == "application/json"
    assert dict(stream.properties.UserProperty) == {
        "schema": "garita.alert/1", "epoch": outbox.epoch, "seq": "1", "after": "/0",
        "trigger": "rpm-nb-01",
    }  # fmt: skip
    assert not hasattr(stream.properties, "MessageExpiryInterval")  # alarms never expire
    second = [m for m in heard.got if m.topic.endswith("/alert")][1]
    assert dict(second.properties.UserProperty)["after"] == f"{outbox.epoch}/1"


def test_clearing_reaches_a_broker_that_was_away_even_when_the_cursor_is_past_it(
    outbox, publisher, mosquitto, listen, make_rows, until
):
    broker = mosquitto()
    outbox.commit(make_rows(1))
    north = publisher(broker.port)
    until(lambda: outbox.depth("north") == 0 and north.status().in_flight == 0)
    north.stop()
    (row,) = make_rows(1, clear=True)
    clearing = type(row)(**{
        **{name: getattr(row, name) for name in row.__dataclass_fields__},
        "active_topic": topics.active_topic(topics.ROOT, SITE, "nb-01", "A1"),
    })  # fmt: skip
    outbox.commit([clearing])
    outbox.mark_acked("north", 2)  # as if the stream had arrived and the retained topic had not
    again = publisher(broker.port)
    until(lambda: again.status().connected)
    until(lambda: again.status().in_flight == 0 and again.status().pubacks)
    late = listen(broker.port, "garita/v1/#", client_id="late")
    marker = f"garita/v1/{SITE}/marker"
    late.client.publish(marker, b"here", 1)
    until(lambda: [m for m in late.got if m.topic == marker])
    assert [m.topic for m in late.got if "/active/" in m.topic] == []


def test_state_and_birth_are_said_again_at_every_connection_and_the_will_in_between(
    outbox, publisher, mosquitto, listen, until
):
    broker = mosquitto()
    heard = listen(broker.port, STATE)
    birth = topics.birth_topic(topics.ROOT, SITE)
    will = Document(topic=STATE, payload=b'{"state":"lost"}')
    north = publisher(broker.port, will=will)
    north.publish_birth(birth, b'{"born":1}')
    north.publish_state(STATE, b'{"state":"ready"}')
    until(lambda: [m.payload for m in heard.got] == [b'{"state":"ready"}'])
    # The broker itself ends the connection when another client takes our name.
    thief = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2, f"garita-{SITE}-north", protocol=mqtt.MQTTv5
    )
    thief.connect("127.0.0.1", broker.port)
    thief.loop(0.2)
    until(lambda: b'{"state":"lost"}' in [m.payload for m in heard.got])
    thief.disconnect()
    until(lambda: heard.got[-1].payload == b'{"state":"ready"}' and len(heard.got) >= 3)
    north.stop(Document(topic=STATE, payload=b'{"state":"disconnected"}'))
    until(lambda: heard.got[-1].payload == b'{"state":"disconnected"}')
    late = listen(broker.port, f"garita/v1/{SITE}/+", client_id="late")
    until(lambda: len(late.got) == 2)
    assert {m.topic: m.payload for m in late.got} == {
        STATE: b'{"state":"disconnected"}',
        birth: b'{"born":1}',
    }
    assert all(m.retain for m in late.got)


def test_live_data_is_sent_at_once_or_not_at_all(publisher, mosquitto, listen, until, free_port):
    port = free_port()
    north = publisher(port)
    topic = topics.live_topic(topics.ROOT, SITE, "nb-01", "counts")
    north.publish_live(topic, b"too early")
    assert north.status().dropped_live == 1
    mosquitto(port)
    heard = listen(port)
    until(lambda: north.status().connected)
    north.publish_live(topic, b"now", expiry_s=3)
    message = until(lambda: heard.got)[0]
    assert (message.payload, message.qos, message.retain) == (b"now", 0, False)
    assert 1 <= message.properties.MessageExpiryInterval <= 3


def test_commands_are_handed_over_with_what_is_needed_to_answer(
    publisher, mosquitto, listen, until
):
    broker = mosquitto()
    commands = []
    north = publisher(broker.port, hooks=Hooks(command=commands.append))
    until(lambda: north.status().connected)
    heard = listen(broker.port, "nothing")
    properties = mqtt.Properties(mqtt.PacketTypes.PUBLISH)
    properties.ResponseTopic = "answers/1"
    properties.CorrelationData = b"42"
    for root in (topics.ROOT, topics.EXERCISE_ROOT):
        heard.client.publish(f"{root}/{SITE}/cmd/ack", b"{}", 1, properties=properties)
    until(lambda: len(commands) == 2)
    assert {c.topic for c in commands} == {
        f"garita/v1/{SITE}/cmd/ack", f"garita-exercise/v1/{SITE}/cmd/ack",
    }  # fmt: skip
    assert all((c.response_topic, c.correlation) == ("answers/1", b"42") for c in commands)


def test_an_alert_too_large_for_the_broker_is_a_dead_letter_at_once(
    outbox, publisher, fake_broker, make_rows, until
):
    broker = fake_broker(maximum_packet=400)
    (big,) = make_rows(1)
    big = type(big)(**{
        **{name: getattr(big, name) for name in big.__dataclass_fields__}, "payload": b"x" * 500,
    })  # fmt: skip
    outbox.commit([big])
    outbox.commit(make_rows(2))
    publisher(broker.port)
    until(lambda: outbox.depth("north") == 0)
    (letter,) = outbox.dead_letters()
    assert (letter.seq, letter.part) == (1, "alert")
    assert "the broker takes 400" in letter.reason
    assert len(broker.connections) == 1


# --- sides -----------------------------------------------------------------------------


def test_a_dead_side_never_delays_the_other(outbox, publisher, mosquitto, make_rows, until):
    broker = mosquitto()
    hole = socket.create_server(("127.0.0.1", 0))  # takes connections and never answers
    try:
        south = publisher(hole.getsockname()[1], side="south", ack_timeout_s=4.0)
        north = publisher(broker.port, side="north")
        until(lambda: north.status().connected)
        longest_s = 0.0
        for _ in range(50):
            began_s = time.monotonic()
            outbox.commit(make_rows(1))
            north.wake()
            south.wake()
            until(lambda: outbox.depth("north") == 0)
            longest_s = max(longest_s, time.monotonic() - began_s)
        assert outbox.depth("south") == 50
        assert longest_s < 4.0  # less than one time-out of the other side
        until(lambda: "no answer to CONNECT" in south.status().last_error)
    finally:
        hole.close()


def test_a_cursor_side_is_done_only_when_its_centre_says_so(
    outbox, publisher, mosquitto, listen, make_rows, until
):
    broker = mosquitto()
    heard = listen(broker.port)
    north = publisher(broker.port, cursor=True)
    outbox.commit(make_rows(10))
    north.wake()
    until(lambda: len(heard.numbers()) == 10 and north.status().in_flight == 0)
    assert outbox.depth("north") == 10
    heard.client.publish(CURSOR, cursor(4, outbox.epoch), 1, retain=True)
    until(lambda: outbox.depth("north") == 6 and north.status().stored_seq == 4)
    # A centre that has spoken and stands still is sent the rest again, naming its own cursor.
    until(lambda: len(heard.numbers()) >= 16)
    assert heard.numbers()[10:16] == [5, 6, 7, 8, 9, 10]
    fifth = [m for m in heard.got if m.topic.endswith("/alert")][10]
    assert dict(fifth.properties.UserProperty)["after"] == f"{outbox.epoch}/4"
    heard.client.publish(CURSOR, cursor(10, outbox.epoch), 1, retain=True)
    until(lambda: outbox.depth("north") == 0)


def test_nobody_listening_is_counted(outbox, publisher, mosquitto, make_rows, until):
    broker = mosquitto()
    outbox.commit(make_rows(1))
    north = publisher(broker.port)
    until(lambda: outbox.depth("north") == 0)
    until(lambda: north.status().pubacks == {0x10: 2})  # the stream and the retained topic


def test_the_status_of_a_side_that_is_away_says_why(outbox, publisher, free_port, make_rows, until):
    north = publisher(free_port())
    outbox.commit(make_rows(2))
    status = until(lambda: north.status().last_error and north.status())
    assert (status.connected, status.alive, status.depth, status.in_flight) == (False, True, 2, 0)
    assert (status.stored_seq, status.rate_per_s, status.pubacks) == (0, 0.0, {})


def test_stopping_twice_and_waking_after_it_are_harmless(publisher, free_port):
    north = publisher(free_port())
    north.stop()
    north.wake()
    north.stop()
    assert not north.status().alive


def test_an_answer_carries_the_correlation_of_what_it_answers(publisher, mosquitto, listen, until):
    broker = mosquitto()
    heard = listen(broker.port, "answers/#")
    north = publisher(broker.port)
    until(lambda: north.status().connected)
    north.publish_live("answers/1", b"{}", expiry_s=60, correlation=b"42")
    message = until(lambda: heard.got)[0]
    assert message.properties.CorrelationData == b"42"


def test_an_answer_goes_out_while_live_values_are_dropped_on_a_full_line(
    publisher, mosquitto, listen, until, monkeypatch
):
    broker = mosquitto()
    heard = listen(broker.port, "#")
    north = publisher(broker.port)
    until(lambda: north.status().connected)
    monkeypatch.setattr(Link, "clogged", True)
    topic = topics.live_topic(topics.ROOT, SITE, "nb-01", "counts")
    for _ in range(300):
        north.publish_live(topic, b"{}")
    north.publish_live("answers/2", b"{}", expiry_s=60, waited_for=True)
    until(lambda: "answers/2" in [m.topic for m in heard.got])
    until(lambda: north.status().dropped_live == 300)
    assert topic not in [m.topic for m in heard.got]
