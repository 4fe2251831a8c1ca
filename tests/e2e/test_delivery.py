# ruff: noqa: PLR0917 - fixtures come by position
"""Both countries at once, over mutual TLS with access rules, and under kill -9."""

import contextlib
import socket
import ssl
import threading

import pytest
from paho.mqtt import client as mqtt

from edge.delivery.centre import Centre
from edge.delivery.centre_store import Arrival, CentreStore
from edge.delivery.outbox import Outbox, Row
from edge.delivery.publisher import Publisher
from edge.delivery.rows import ORIGIN
from edge.delivery.sides import SideSettings, TlsFiles
from edge.protocol import topics
from edge.study import kills
from edge.study.victims import Bench, committed

SITE = "mariposa"
SIDES = ("north", "south")


@pytest.fixture
def outbox(tmp_path):
    box = Outbox(tmp_path / "outbox.db", SIDES)
    yield box
    box.close()


@pytest.fixture
def running():
    """Starts publishers and centres; every one is stopped."""
    with contextlib.ExitStack() as stack:

        def start(what):
            what.start()
            stack.callback(what.stop)
            return what

        yield start


def settings(side, port, tls, **options):
    return SideSettings(name=side, host="127.0.0.1", port=port, tls=tls, **options)


def rows(box, count, site=SITE):
    first = box.last_seq + 1
    return [
        Row(
            seq=seq, epoch=box.epoch, exercise=seq % 2 == 0,
            topic=topics.alert_topic(topics.root(seq % 2 == 0), site, "nb-01"),
            payload=b"%d" % seq,
            active_topic=topics.active_topic(topics.root(seq % 2 == 0), site, "nb-01", f"A{seq}"),
            active_payload=b"%d" % seq, level=3, created_utc_ns=seq,
        )
        for seq in range(first, first + count)
    ]  # fmt: skip


def held(path):
    store = CentreStore(path)
    try:
        return [int(payload) for _, payload in store.stored(SITE)]
    finally:
        store.close()


def test_two_countries_hold_every_alert_over_mutual_tls_with_access_rules(
    outbox, secure_mosquitto, files_for, running, until, tmp_path
):
    publishers = []
    for side in SIDES:
        broker = secure_mosquitto(side)
        edge = settings(side, broker.port, files_for(side, SITE), keeps_cursor=True)
        centre = settings(side, broker.port, files_for(side, "centre"))
        running(Centre(centre, tmp_path / f"{side}.db"))
        publishers.append(running(Publisher(edge, outbox, site=SITE)))
    until(lambda: all(each.status().connected for each in publishers))
    for _ in range(10):
        outbox.commit(rows(outbox, 10))
        for each in publishers:
            each.wake()
    until(lambda: outbox.depth("north") == outbox.depth("south") == 0)
    assert held(tmp_path / "north.db") == held(tmp_path / "south.db") == list(range(1, 101))
    assert outbox.dead_letters() == []
    assert [each.status().last_error for each in publishers] == ["", ""]


def test_a_connection_older_than_tls_1_3_is_refused(secure_mosquitto, files_for):
    broker = secure_mosquitto("north")
    files = files_for("north", SITE)
    context = ssl.create_default_context(cafile=str(files.ca))
    context.load_cert_chain(files.cert, files.key)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "old", protocol=mqtt.MQTTv5)
    client.tls_set_context(context)
    with pytest.raises(ssl.SSLError):
        client.connect("127.0.0.1", broker.port)


def test_a_certificate_passes_the_strict_check_of_newer_pythons(secure_mosquitto, files_for):
    broker = secure_mosquitto("north")
    files = files_for("north", SITE)
    context = ssl.create_default_context(cafile=str(files.ca))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_cert_chain(files.cert, files.key)
    with (
        socket.create_connection(("127.0.0.1", broker.port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        assert secured.version() == "TLSv1.3"


def test_a_broker_of_another_authority_is_not_believed(
    outbox, secure_mosquitto, files_for, running, until
):
    broker = secure_mosquitto("north")
    files = files_for("south", SITE)
    outbox.commit(rows(outbox, 1))
    north = running(Publisher(settings("north", broker.port, files), outbox, site=SITE))
    until(lambda: "certificate verify failed" in north.status().last_error)
    assert not north.status().connected
    assert outbox.depth("north") == 1


def test_an_edge_without_a_certificate_is_not_let_in_and_loses_nothing(
    outbox, secure_mosquitto, authority, running, until
):
    broker = secure_mosquitto("north")
    bare = TlsFiles(ca=authority("north").ca)
    outbox.commit(rows(outbox, 1))
    north = running(Publisher(settings("north", broker.port, bare), outbox, site=SITE))
    until(lambda: north.status().last_error)
    assert not north.status().connected
    assert outbox.depth("north") == 1


def test_a_missing_key_file_is_said_and_waited_out(
    outbox, secure_mosquitto, files_for, running, until, tmp_path
):
    broker = secure_mosquitto("north")
    files = files_for("north", SITE)
    missing = TlsFiles(ca=files.ca, cert=files.cert, key=tmp_path / "not-yet.key")
    north = running(Publisher(settings("north", broker.port, missing), outbox, site=SITE))
    until(lambda: "No such file" in north.status().last_error)
    (tmp_path / "not-yet.key").write_bytes(files.key.read_bytes())
    until(lambda: north.status().connected)


def test_an_edge_may_not_speak_for_another_site(
    outbox, secure_mosquitto, files_for, running, until, tmp_path
):
    broker = secure_mosquitto("north")
    running(Centre(settings("north", broker.port, files_for("north", "centre")),
                   tmp_path / "north.db"))  # fmt: skip
    outbox.commit(rows(outbox, 2, site="deconcini"))
    outbox.commit(rows(outbox, 2))
    edge = settings("north", broker.port, files_for("north", SITE), keeps_cursor=True)
    running(Publisher(edge, outbox, site=SITE))
    until(lambda: outbox.depth("north") == 0)
    letters = outbox.dead_letters("north")
    assert {(each.seq, each.part) for each in letters} == {
        (seq, part) for seq in (1, 2) for part in ("alert", "active")
    }
    assert all("0x87" in each.reason for each in letters)
    assert held(tmp_path / "north.db") == [3, 4]


def test_a_centre_may_not_speak_for_the_other_side(
    outbox, secure_mosquitto, files_for, running, until
):
    """The south's cursor on the north's broker would let the edge forget what the south lacks."""
    broker = secure_mosquitto("north")
    edge = settings("north", broker.port, files_for("north", SITE), keeps_cursor=True)
    north = running(Publisher(edge, outbox, site=SITE))
    until(lambda: north.status().connected)
    files = files_for("north", "centre")
    context = ssl.create_default_context(cafile=str(files.ca))
    context.load_cert_chain(files.cert, files.key)
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "other", protocol=mqtt.MQTTv5)
    client.tls_set_context(context)
    codes = []
    done = threading.Event()
    client.on_publish = lambda c, u, mid, reason, p: (codes.append(reason.value), done.set())
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    client.publish(topics.cursor_topic(topics.ROOT, "south", SITE), b"{}", 1)
    assert done.wait(10)
    client.disconnect()
    client.loop_stop()
    assert codes == [0x87]


def test_the_will_tells_the_centres_that_the_edge_is_lost(mosquitto, until, tmp_path):
    broker = mosquitto()
    seen = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "watcher", protocol=mqtt.MQTTv5)
    client.on_message = lambda c, u, message: seen.append((message.topic, message.payload))
    client.connect("127.0.0.1", broker.port)
    client.subscribe("garita/v1/#", 1)
    client.loop_start()
    bench = Bench(tmp_path, [broker.port, broker.port + 1], 50.0)
    try:
        bench.start_service()
        until(lambda: any(topic.endswith("/alert") for topic, _ in seen))
        bench.strike("service")
        state = topics.state_topic(topics.ROOT, SITE)
        until(lambda: any(topic == state and b'"lost"' in payload for topic, payload in seen))
    finally:
        bench.stop()
        client.disconnect()
        client.loop_stop()


def test_kill_9_of_service_and_brokers_loses_nothing(mosquitto, free_port):
    result = kills.run(times=6, seed=11, ports=[free_port(), free_port()])
    assert sum(result.kills.values()) == 6
    assert result.kept, result
    assert result.files > 10
    assert {side.stored for side in result.sides.values()} == {result.alerts}


def test_the_comparison_of_the_harness_notices_loss_disorder_and_gaps(tmp_path, outbox):
    """A harness that cannot fail proves nothing."""
    outbox.commit(rows(outbox, 5))
    written = committed(tmp_path / "outbox.db")
    assert [mark.seq for mark, _ in written] == [1, 2, 3, 4, 5]
    store = CentreStore(tmp_path / "centre.db")
    for seq in (3, 1, 4):  # as a centre without the rule of the predecessor would
        mark, payload = written[seq - 1]
        store.store([Arrival(site=SITE, mark=mark, after=ORIGIN, topic="t", payload=payload)])
    store.close()
    result = kills.compare_side(tmp_path / "centre.db", written)
    assert (result.stored, result.lost, result.in_order) == (3, 2, False)
    assert result.gaps > 0
    assert kills.compare_side(tmp_path / "centre.db", written, SITE, ["ab"]).files_lost == 1
