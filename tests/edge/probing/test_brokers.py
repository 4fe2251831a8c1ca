"""Asking brokers: a real Mosquitto with mutual TLS and passwords."""

import datetime
import shutil
import signal
import socket
import subprocess
import threading
import time
from ipaddress import ip_address

import paho.mqtt.client as mqtt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from edge.config import Side, Tls
from edge.probing import brokers
from edge.probing.brokers import broker_probes
from edge.probing.run import run
from tests import ports

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")
DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture
def short_steps(monkeypatch):
    """Where nothing will ever answer."""
    monkeypatch.setattr(brokers, "STEP_S", 1.0)


@pytest.fixture
def free_port():
    return ports.free_port()


def ask(side):
    (found,) = run(broker_probes([("north", side)], site="mariposa"))
    return found.status, found.text


def key_and_certificate(directory, name, signer=None, days=365):
    """Write `{name}.key` and `{name}.pem`; returns both for signing others."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    signer_key, issuer = (key, subject) if signer is None else (signer[0], signer[1].subject)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + days * DAY)
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(signer_key, hashes.SHA256())
    )
    (directory / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / f"{name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return key, certificate


@pytest.fixture
def start(tmp_path, free_port):
    """Start a Mosquitto with these lines of configuration; returns its port."""
    processes = []

    def start_with(*lines):
        config = tmp_path / "mosquitto.conf"
        config.write_text("\n".join([f"listener {free_port} 127.0.0.1", "user root", *lines]))
        process = subprocess.Popen(
            [MOSQUITTO, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        processes.append(process)
        patience = 200
        while patience:
            with socket.socket() as link:
                if link.connect_ex(("127.0.0.1", free_port)) == 0:
                    return free_port
            patience -= 1
            threading.Event().wait(0.02)
        raise AssertionError("mosquitto does not listen")

    yield start_with
    for process in processes:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_auto_needs_its_port(free_port):
    with socket.create_server(("127.0.0.1", free_port)):
        status, text = ask(Side(port=free_port))
    assert status == "fail"
    assert "in use" in text


def test_auto_names_the_broker_that_would_be_started(free_port):
    status, text = ask(Side(port=free_port))
    if MOSQUITTO:
        assert (status, "mosquitto" in text) == ("ok", True)
    else:
        assert status in ("warn", "fail")


def test_nothing_there_is_told_with_the_cause(free_port):
    status, text = ask(Side(broker=f"mqtt://127.0.0.1:{free_port}"))
    assert status == "fail"
    assert "Connection refused" in text


@pytest.mark.usefixtures("short_steps")
def test_something_else_there_is_told():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        status, text = ask(Side(broker=f"mqtt://127.0.0.1:{port}"))
    assert status == "fail"
    assert "MQTT" in text


@pytest.mark.usefixtures("short_steps")
def test_a_frozen_tls_broker_hangs_nobody(free_port):
    with socket.create_server(("127.0.0.1", free_port)):
        status, text = ask(Side(broker=f"mqtts://127.0.0.1:{free_port}"))
    assert status == "fail"
    assert "in time" in text


def test_a_secret_that_cannot_be_read_is_named(tmp_path):
    side = Side(broker="mqtt://127.0.0.1:1", username="me", password_file=tmp_path / "secret")
    status, text = ask(side)
    assert (status, str(tmp_path / "secret") in text) == ("fail", True)
    side = Side(broker="mqtt://127.0.0.1:1", username="me", password_env="GARITA_NO_SUCH")
    assert "GARITA_NO_SUCH" in ask(side)[1]


def test_a_tls_file_that_is_missing_or_wrong_is_named(tmp_path):
    side = Side(broker="mqtts://127.0.0.1:1", tls=Tls(ca=tmp_path / "ca.pem"))
    assert str(tmp_path / "ca.pem") in ask(side)[1]
    (tmp_path / "ca.pem").write_text("no certificate")
    status, text = ask(side)
    assert (status, "tls files" in text) == ("fail", True)


@needs_mosquitto
def test_a_plain_broker_lets_us_in(start):
    port = start("allow_anonymous true")
    assert ask(Side(broker=f"mqtt://127.0.0.1:{port}"))[0] == "ok"


@needs_mosquitto
def test_a_broker_that_wants_a_password_refuses_in_words(start):
    port = start("allow_anonymous false")
    status, text = ask(Side(broker=f"mqtt://127.0.0.1:{port}"))
    assert status == "fail"
    assert "Not authorized" in text


@needs_mosquitto
def test_a_broker_that_lets_us_in_and_takes_nothing_is_told(start, tmp_path):
    rules = tmp_path / "acl"
    rules.write_text("topic read #\n")
    port = start("allow_anonymous true", f"acl_file {rules}")
    status, text = ask(Side(broker=f"mqtt://127.0.0.1:{port}"))
    assert status == "fail"
    assert "refuses our publishes (Not authorized)" in text
    assert "garita/v1/mariposa/#" in text


@needs_mosquitto
def test_a_broker_that_takes_alerts_without_their_files_is_worth_a_warning(start, tmp_path):
    rules = tmp_path / "acl"
    rules.write_text("topic read #\ntopic write garita/v1/mariposa/+/live/+\n")
    port = start("allow_anonymous true", f"acl_file {rules}")
    status, text = ask(Side(broker=f"mqtt://127.0.0.1:{port}"))
    assert status == "warn"
    assert "it refuses the alerts' files (Not authorized)" in text
    assert "garita/v1/mariposa/evidence/#" in text


@needs_mosquitto
def test_asking_leaves_nothing_behind(start):
    port = start("allow_anonymous true")
    heard = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    listening = threading.Event()
    client.on_message = lambda client, data, message: heard.append(message)
    client.on_subscribe = lambda *_: listening.set()
    client.connect("127.0.0.1", port)
    client.subscribe("#", 1)
    client.loop_start()
    assert listening.wait(10)
    assert ask(Side(broker=f"mqtt://127.0.0.1:{port}"))[0] == "ok"
    ends = time.monotonic() + 10.0
    while len(heard) < 2 and time.monotonic() < ends:
        time.sleep(0.01)
    client.disconnect()
    client.loop_stop()
    assert [message.topic for message in heard] == [
        "garita/v1/mariposa/probe/live/check",
        "garita/v1/mariposa/evidence/probe/check/rights",  # deeper than any file
    ]
    for message in heard:
        assert message.payload == b""
        assert not message.retain
        assert message.properties.MessageExpiryInterval <= 1


@needs_mosquitto
@pytest.mark.parametrize(("days", "expected"), [(365, "ok"), (5, "warn")])
def test_mutual_tls_is_tried_to_the_end(start, tmp_path, days, expected):
    ca = key_and_certificate(tmp_path, "ca")
    key_and_certificate(tmp_path, "server", ca, days)
    key_and_certificate(tmp_path, "edge", ca)
    port = start(
        f"cafile {tmp_path}/ca.pem",
        f"certfile {tmp_path}/server.pem",
        f"keyfile {tmp_path}/server.key",
        "require_certificate true",
        "use_identity_as_username true",
        "allow_anonymous false",
    )
    url = f"mqtts://127.0.0.1:{port}"
    known = Tls(ca=tmp_path / "ca.pem", cert=tmp_path / "edge.pem", key=tmp_path / "edge.key")
    status, text = ask(Side(broker=url, tls=known))
    assert status == expected
    assert ("ends in 4 days" in text) == (expected == "warn")
    status, text = ask(Side(broker=url, tls=Tls(ca=tmp_path / "ca.pem")))
    assert (status, "certificate" in text) == ("fail", True)
    status, text = ask(Side(broker=url))
    assert (status, "TLS handshake failed" in text) == ("fail", True)
