import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.delivery.broker import find_mosquitto, start_broker
from edge.errors import BrokerUnavailable

ROOT = Path(__file__).parents[3]

KINDS = [
    pytest.param(
        "mosquitto",
        marks=pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed"),
    ),
    "iotcore",
]


@pytest.fixture
def started(tmp_path, free_port):
    """Starts brokers in a folder of their own and ends every one of them."""
    brokers = []

    def start(port=None, **options):
        brokers.append(start_broker(port or free_port(), tmp_path / "broker", **options))
        return brokers[-1]

    yield start
    for broker in brokers:
        broker.kill()


def round_trip(port, *, clean_start=True, publish=True):
    """One message to ourselves over MQTT 5, or what waited for us."""
    got = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "probe", protocol=mqtt.MQTTv5)
    client.on_message = lambda client, userdata, message: got.append(message.payload)
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 3600
    client.connect("127.0.0.1", port, clean_start=clean_start, properties=properties)
    client.subscribe("a/b", 1)
    if publish:
        client.publish("a/b", b"hello", 1)
    deadline = time.monotonic() + 10
    while not got and time.monotonic() < deadline:
        client.loop(0.05)
    client.disconnect()
    return got


@pytest.mark.parametrize("kind", KINDS)
def test_a_broker_answers_as_soon_as_it_is_started_and_is_gone_when_stopped(started, kind):
    if kind == "iotcore":
        pytest.importorskip("iotcore", reason="the iotcore wheel is an optional extra")
    broker = started(kind=kind)
    assert broker.kind == kind
    assert broker.url == f"mqtt://127.0.0.1:{broker.port}"
    assert round_trip(broker.port) == [b"hello"]
    broker.stop()
    assert not broker.running
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", broker.port), timeout=1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_port_in_use_is_said_before_anything_is_started(started, kind):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(
            BrokerUnavailable, match=rf"127\.0\.0\.1:{port}.*in use.*choose another"
        ):
            started(port, kind=kind)


@pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")
def test_a_broker_that_ends_at_once_says_why(started):
    with pytest.raises(BrokerUnavailable, match=r"ended at once \(.*nonsense"):
        started(kind="mosquitto", options={"nonsense_option": "1"})


@pytest.mark.parametrize("kind", KINDS)
def test_a_broker_ends_with_the_process_that_started_it(tmp_path, free_port, kind):
    script = (
        "import sys, time; from pathlib import Path\n"
        "from edge.delivery.broker import start_broker\n"
        "broker = start_broker(int(sys.argv[1]), Path(sys.argv[2]), kind=sys.argv[3])\n"
        "print(broker.pid, flush=True); time.sleep(60)\n"
    )
    port = free_port()
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(port), str(tmp_path), kind],
        stdout=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    broker_pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and _alive(broker_pid):
        time.sleep(0.02)
    assert not _alive(broker_pid)


@pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")
def test_what_it_acknowledged_survives_an_orderly_end(started):
    broker = started(kind="mosquitto")
    round_trip(broker.port, clean_start=False)
    sender = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "sender", protocol=mqtt.MQTTv5)
    sender.connect("127.0.0.1", broker.port)
    sent = sender.publish("a/b", b"while away", 1)
    deadline = time.monotonic() + 10
    while not sent.is_published() and time.monotonic() < deadline:
        sender.loop(0.05)
    sender.disconnect()
    broker.stop()
    again = started(broker.port, kind="mosquitto")
    assert round_trip(again.port, clean_start=False, publish=False) == [b"while away"]


def _alive(pid):
    try:
        # A zombie that nobody has waited for yet is not alive.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def test_this_file_watches_real_processes():
    assert _alive(os.getpid())
