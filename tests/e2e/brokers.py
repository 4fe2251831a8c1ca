"""A side's broker as a person makes it: `garita broker init`, then Mosquitto on its files."""

import contextlib
import datetime
import itertools
import os
import socket
import ssl
import subprocess
import threading

from paho.mqtt import client as mqtt

from edge.cli import main
from edge.delivery.broker import ending_with_parent, find_mosquitto
from edge.delivery.broker_files import CERTIFICATES

DAY = datetime.timedelta(days=1)
SITES = ("mariposa", "otay")


def context(folder, name):
    files = folder / CERTIFICATES
    made = ssl.create_default_context(cafile=files / "ca.pem")
    if name:
        made.load_cert_chain(files / f"{name}.pem", files / f"{name}.key")
    return made


def init(folder, side, port, *options, sites=SITES):
    """What a person would type."""
    user = ["--user", "root"] if os.geteuid() == 0 else []
    named = [word for site in sites for word in ("--site", site)]
    words = ["broker", "init", "--side", side, *named, "--out", str(folder), "--port", str(port)]
    assert main([*words, *user, *options]) == 0


@contextlib.contextmanager
def running(folder, port):
    """The broker of a folder, started as its README.txt says."""
    command = [find_mosquitto(), "-c", str(folder / "mosquitto.conf")]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([*ending_with_parent(), *command], stderr=log, stdout=log)
    try:
        while process.poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
        assert process.poll() is None, (folder / "log").read_text()
        yield process
    finally:
        process.terminate()
        process.wait(10)


class Client:
    """Somebody with a certificate; keeps what it hears."""

    _numbers = itertools.count()

    def __init__(self, folder, port, name, *, will=None):
        self.heard = []
        self._acks = {}
        self._granted = threading.Event()
        self._up = threading.Event()
        self._client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, f"t{next(self._numbers)}", protocol=mqtt.MQTTv5
        )
        self._client.tls_set_context(context(folder, name))
        self._client.max_inflight_messages_set(100)
        if will is not None:
            self._client.will_set(will, b"will", qos=1)
        self._client.on_connect = lambda *_: self._up.set()
        self._client.on_publish = lambda _c, _u, mid, reason, _p: self._acks.update(
            {mid: reason.value}
        )
        self._client.on_subscribe = lambda *_: self._granted.set()
        self._client.on_message = lambda _c, _u, message: self.heard.append(message)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._up.wait(10), name

    def say(self, topics, payload, *, retain=False):
        """Publish with QoS 1; the broker's reason codes by topic, once it has given them all."""
        sent = {
            topic: self._client.publish(topic, payload, qos=1, retain=retain) for topic in topics
        }
        for info in sent.values():
            info.wait_for_publish(10)
        return {topic: self._acks[info.mid] for topic, info in sent.items()}

    def listen(self, *filters):
        for start in range(0, len(filters), 50):
            self._granted.clear()
            self._client.subscribe([(each, 1) for each in filters[start : start + 50]])
            assert self._granted.wait(10)

    def topics(self, payload):
        return {each.topic for each in self.heard if each.payload == payload}

    def vanish(self):
        """As if the cable were cut: the broker says its will."""
        self._client.socket().shutdown(socket.SHUT_RDWR)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()
