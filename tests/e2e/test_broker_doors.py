"""Who gets in at a broker that runs on what `garita broker init` wrote, and what ends in time."""

import asyncio
import contextlib
import datetime
import os
import signal
import socket
import ssl
import time

import pytest

from edge import metrics
from edge.cli import main
from edge.delivery.broker import find_mosquitto
from edge.delivery.broker_files import CERTIFICATES
from edge.delivery.certificates import Authority, certificate_expires_utc_ns
from edge.delivery.expiry import expiries
from edge.delivery.happenings import Document
from edge.delivery.outbox import Outbox
from edge.delivery.publisher import Publisher
from edge.delivery.sides import SideSettings, TlsFiles
from edge.station.outlets import Outlets
from tests.e2e.brokers import DAY, context, init, running
from tests.e2e.test_delivery import rows
from tests.edge.rehearsed import small_config
from tests.ports import free_port

CONNECT = bytes.fromhex("100d00044d5154540502003c000000")
"""MQTT 5, clean start, an empty client id."""
CONNACK = 0x20
PAST = datetime.timedelta(seconds=-1)


@pytest.fixture(scope="module")
def north(tmp_path_factory):
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    folder, port = tmp_path_factory.mktemp("north"), free_port()
    init(folder, "north", port, sites=["mariposa"])
    with running(folder, port):
        yield folder, port


def answered(port, with_context):
    """Whether the broker takes a connection; it may refuse one only after the handshake."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        try:
            with with_context.wrap_socket(plain, server_hostname="localhost") as secured:
                secured.sendall(CONNECT)
                return secured.recv(1)[:1] == bytes([CONNACK])
        except (ssl.SSLError, ConnectionError):
            return False


def test_a_certificate_of_the_authority_over_tls_1_3_opens_the_door(north):
    folder, port = north
    assert all(answered(port, context(folder, who)) for who in ("mariposa", "centre", "console"))


def test_none_gets_in_without_a_certificate(north):
    folder, port = north
    assert not answered(port, context(folder, None))


def test_none_gets_in_in_the_clear(north):
    with socket.create_connection(("127.0.0.1", north[1]), timeout=10) as plain:
        plain.sendall(CONNECT)
        with contextlib.suppress(ConnectionError):
            assert plain.recv(1) == b""


def test_none_gets_in_with_the_same_name_from_another_authority(north, tmp_path):
    folder, port = north
    pair = Authority(tmp_path / "forged", valid_for=DAY).issue("mariposa")
    forged = context(folder, None)
    forged.load_cert_chain(pair.cert, pair.key)
    assert not answered(port, forged)


def test_none_gets_in_with_a_certificate_that_has_ended(north):
    folder, port = north
    Authority(folder / CERTIFICATES, valid_for=DAY).issue("late", valid_for=PAST)
    assert not answered(port, context(folder, "late"))


def test_the_brokers_own_certificate_is_no_clients(north):
    folder, port = north
    assert not answered(port, context(folder, "broker"))


def test_none_gets_in_with_tls_1_2(north):
    folder, port = north
    old = context(folder, "mariposa")
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert not answered(port, old)


def test_the_broker_takes_its_new_certificate_without_a_restart(tmp_path, until):
    folder, port = tmp_path / "north", free_port()
    init(folder, "north", port, "--host", "mqtt.north.example", "--days", "5", sites=["mariposa"])

    def ends():
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
            context(folder, "mariposa").wrap_socket(
                plain, server_hostname="mqtt.north.example"
            ) as secured,
        ):
            return ssl.cert_time_to_seconds(secured.getpeercert()["notAfter"]) * 1_000_000_000

    with running(folder, port) as process:
        before = ends()
        assert main(["broker", "renew", str(folder)]) == 0
        os.kill(process.pid, signal.SIGHUP)
        after = certificate_expires_utc_ns(folder / CERTIFICATES / "broker.pem")
        assert after > before
        until(lambda: ends() == after)
        assert answered(port, context(folder, "mariposa"))


def test_a_certificate_that_has_ended_says_so_and_its_successor_is_taken_without_a_restart(
    north, tmp_path, until
):
    folder, port = north
    authority = Authority(folder / CERTIFICATES, valid_for=DAY)
    own = authority.issue("mariposa", valid_for=PAST)
    tls = TlsFiles(ca=authority.ca, cert=own.cert, key=own.key)
    box = Outbox(tmp_path / "outbox.db", ["north"])
    settings = SideSettings(name="north", host="127.0.0.1", port=port, tls=tls)
    publisher = Publisher(settings, box, site="mariposa")
    try:
        publisher.start()
        box.commit(rows(box, 10))
        publisher.wake()
        until(lambda: publisher.status().last_error)  # which does not tell why: the file does
        now_utc_ns = certificate_expires_utc_ns(own.cert) + 1_000_000_000
        told = [each.trouble(now_utc_ns) for each in expiries(tls, now_utc_ns)]
        assert "has ended" in told[0]
        assert str(own.cert) in told[0]
        assert told[1] == ""
        assert (box.depth("north"), box.dead_letters()) == (10, [])
        authority.issue("mariposa")
        until(lambda: box.depth("north") == 0)
        assert box.dead_letters() == []
        assert "ends in two days or less" in expiries(tls, now_utc_ns)[0].trouble(now_utc_ns)
    finally:
        publisher.stop()
        box.close()


def test_the_service_says_by_metric_and_words_what_ends_and_that_it_is_mended(
    north, tmp_path, until
):
    folder, port = north
    authority = Authority(folder / CERTIFICATES, valid_for=DAY)
    own = authority.issue("mariposa", valid_for=PAST)
    tls = {"ca": str(authority.ca), "cert": str(own.cert), "key": str(own.key)}
    sides = {"north": {"broker": f"mqtts://127.0.0.1:{port}", "tls": tls}}
    outlets = Outlets(small_config(tmp_path, sides=sides))
    outlets.open()
    try:
        bye = Document(topic="garita/v1/mariposa/state", payload=b"{}")
        outlets.connect(bye, lambda: bye)
        outlets.outbox.commit(rows(outlets.outbox, 10))
        outlets.wake()
        now_utc_ns = time.time_ns()
        (health,) = outlets.health(now_utc_ns)
        assert health.text.startswith(f"broker not connected; our certificate {own.cert} has ended")
        assert outlets.troubles() == (False, [f"north: {each}" for each in health.text.split("; ")])
        outlets.take_metrics(now_utc_ns)
        assert left_s("own") < 0 < left_s("ca")

        authority.issue("mariposa", valid_for=20 * DAY)
        until(lambda: outlets.outbox.depth("north") == 0)
        assert outlets.health(now_utc_ns)[0].text == ""
        assert outlets.troubles() == (True, [])
        outlets.take_metrics(now_utc_ns)
        assert left_s("own") > 19 * 86_400
    finally:
        asyncio.run(outlets.close())


def left_s(what):
    labels = {"side": "north", "what": what}
    return metrics.REGISTRY.get_sample_value("garita_certificate_expires_seconds", labels)
