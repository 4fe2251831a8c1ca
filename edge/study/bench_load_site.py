"""The site of the load benchmark: brokers with mutual TLS 1.3, the reference checkpoint on this
run's ports and folders, a subscriber for each side, and the processes."""

import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from ruamel.yaml import YAML

from drivers.address import parse_address
from edge.config import load_config
from edge.delivery.broker import ending_with_parent, start_broker
from edge.delivery.certificates import Authority, Pair
from edge.protocol import topics

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs" / "reference.yaml"
READY_S = 300.0  # a first start compiles every kernel before it listens
SIDES = ("north", "south")


@dataclass(slots=True)
class Received:
    """Alerts at one side's subscriber: the trigger that the service named, and when they came."""

    rows: list[tuple[str, int]] = field(default_factory=list)

    def take(self, message: mqtt.MQTTMessage) -> None:
        """Called on paho's thread; appending is all it does."""
        at_ns = time.monotonic_ns()
        properties = dict(getattr(message.properties, "UserProperty", []))
        self.rows.append((properties.get("trigger", ""), at_ns))


def start_tls_broker(stack: ExitStack, authority: Authority, folder: Path, port: int) -> None:
    """A broker that lets in, over TLS 1.3, whoever has a certificate of `authority`."""
    pair = authority.issue(f"broker-{folder.name}", server=True)
    options = {
        "cafile": str(authority.ca),
        "certfile": str(pair.cert),
        "keyfile": str(pair.key),
        "require_certificate": "true",
        "tls_version": "tlsv1.3",
    }
    broker = start_broker(port, folder, kind="mosquitto", options=options)
    stack.callback(broker.stop)


def write_config(
    folder: Path, ports: list[int], pair: Pair, ca: Path, console: dict[str, Any] | None = None
) -> Path:
    """The reference checkpoint with this run's brokers, folders and ports.

    console  its section, where there is to be one
    """
    yaml = YAML()
    config: dict[str, Any] = yaml.load(CONFIG.read_text(encoding="utf-8"))
    tls = {"ca": str(ca), "cert": str(pair.cert), "key": str(pair.key)}
    for side, port in zip(SIDES, ports, strict=False):
        config["sides"][side] = {"broker": f"mqtts://127.0.0.1:{port}", "tls": dict(tls)}
    config["http"] = {"port": ports[2]}
    config["state_dir"] = str(folder / "state")
    if console is not None:
        config["console"] = console
    for sensor in config["sensors"]:
        # Every byte that is sent must be read, or the trigger's count would not fit the notes.
        sensor["timeout_s"] = 60
        if sensor["url"].startswith("folder:"):
            sensor["url"] = f"folder:{folder / 'scans' / sensor['id']}"
    path = folder / "reference.yaml"
    with path.open("w", encoding="utf-8") as stream:
        yaml.dump(config, stream)
    return path


def subscribe(stack: ExitStack, port: int, pair: Pair, ca: Path) -> Received:
    """Take every exercise's alerts from the broker on that port until the stack closes."""
    received = Received()
    listen(stack, port, pair, ca, received.take)
    return received


def listen(
    stack: ExitStack, port: int, pair: Pair, ca: Path, take: Callable[[mqtt.MQTTMessage], None]
) -> None:
    """Hand every exercise's alerts to `take`, on paho's thread, until the stack closes."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.tls_set(
        ca_certs=str(ca),
        certfile=str(pair.cert),
        keyfile=str(pair.key),
        tls_version=ssl.PROTOCOL_TLS_CLIENT,
    )
    client.on_message = lambda client, data, message: take(message)
    client.on_connect = lambda client, *_: client.subscribe(
        f"{topics.EXERCISE_ROOT}/+/+/alert", qos=1
    )
    client.on_socket_open = _no_delay
    client.connect("127.0.0.1", port)
    client.loop_start()
    stack.callback(client.loop_stop)
    stack.callback(client.disconnect)


def _no_delay(client: mqtt.Client, data: object, link: Any) -> None:  # noqa: ANN401 - a socket, or what wraps one
    del client, data
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def spawn(stack: ExitStack, log: Path, module: str, *args: str) -> subprocess.Popen[bytes]:
    """`python -m module args`, what it says in `log`; it ends when the stack closes."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    stream = stack.enter_context(log.open("wb"))
    process = subprocess.Popen(  # noqa: S603 - our own modules, no shell
        [*ending_with_parent(), sys.executable, "-P", "-m", module, *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stream,
        env=environment,
    )
    stack.callback(_end, process)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def wait_listening(service: subprocess.Popen[bytes], config: Path, log: Path) -> None:
    """Until the service listens for every station's datagrams; it says ready when they come."""
    wanted = {
        parse_address(sensor.url).port
        for sensor in load_config(config).sensors
        if sensor.url.startswith("udp:")
    }
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and service.poll() is None:
        table = Path("/proc/net/udp").read_text().splitlines()[1:]
        if wanted <= {int(line.split()[1].partition(":")[2], 16) for line in table}:
            return
        time.sleep(0.1)
    raise RuntimeError(f"the service did not start: {log.read_text()[-2000:]}")


def play(feeders: list[subprocess.Popen[bytes]]) -> None:
    """Let all begin the same day at the same time, once all their wires are open."""
    for feeder in feeders:
        assert feeder.stdout is not None
        feeder.stdout.readline()
    start = f"{time.time_ns()}\n".encode()
    for feeder in feeders:
        assert feeder.stdin is not None
        feeder.stdin.write(start)
        feeder.stdin.flush()
