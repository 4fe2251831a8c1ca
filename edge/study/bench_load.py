"""The reference load, live: simulators on their wires, the service, two brokers with mutual TLS 1.3
and a subscriber on each side. How long from bytes sent to alert received, and at what cost?

Every truck carries something that gives an alert, so that there is something to measure. `--times`
sets the seconds. All on this machine: what the simulators and brokers cost is not free either.
"""

import bisect
import datetime
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from drivers.address import parse_address
from edge.config import load_config
from edge.delivery.broker import ending_with_parent, start_broker
from edge.delivery.certificates import Authority, Pair
from edge.protocol import topics
from edge.study.figures import Figure, Options, at_most, percentile, plain
from edge.study.ports import free_ports

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs" / "reference.yaml"
DURATION_S = 300
READY_S = 120.0  # a first start compiles every kernel
SIDES = ("north", "south")
SCAN_AFTER_S = 10.0  # a scan's alert comes before the next scan is complete


@dataclass(slots=True)
class Received:
    """Alerts at one side's subscriber: the trigger that the service named, and when they came."""

    rows: list[tuple[str, int]] = field(default_factory=list)

    def take(self, message: mqtt.MQTTMessage) -> None:
        """Called on paho's thread; appending is all it does."""
        at_ns = time.monotonic_ns()
        properties = dict(getattr(message.properties, "UserProperty", []))
        self.rows.append((properties.get("trigger", ""), at_ns))


@dataclass(slots=True)
class Cost:
    """What the service took while it was measured."""

    cpu_s: list[float] = field(default_factory=list)
    """Processor seconds used, at each look."""
    at_s: list[float] = field(default_factory=list)
    resident_mb: list[float] = field(default_factory=list)

    def look(self, pid: int) -> None:
        """One sample from /proc."""
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        self.cpu_s.append(ticks / os.sysconf("SC_CLK_TCK"))
        self.at_s.append(time.monotonic())
        self.resident_mb.append(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)

    @property
    def cores(self) -> float:
        """Mean use between the first and the last look."""
        if len(self.at_s) < 2:
            return 0.0
        return (self.cpu_s[-1] - self.cpu_s[0]) / (self.at_s[-1] - self.at_s[0])


def run(options: Options) -> list[Figure]:
    """Figures of one run of the reference load."""
    duration_s = options.times or DURATION_S
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="garita-load-")))
        ports = free_ports(3)
        authority = Authority(folder / "tls", valid_for=datetime.timedelta(days=1))
        for side, port in zip(SIDES, ports, strict=False):
            _start_broker(stack, authority, folder / side, port)
        config = _config(folder, ports, authority.issue("edge"), authority.ca)
        viewer = authority.issue("viewer")
        received = {
            side: _subscribe(stack, port, viewer, authority.ca)
            for side, port in zip(SIDES, ports, strict=False)
        }
        notes = {which: folder / f"{which}.txt" for which in ("lines", "scans")}
        feeders = [
            _spawn(
                stack,
                folder / f"{which}.log",
                "edge.study.bench_feed",
                *map(str, (which, config, options.seed, duration_s, path)),
            )
            for which, path in notes.items()
        ]
        service = _spawn(stack, folder / "service.log", "edge", "run", "--config", str(config))
        options.say("load: waiting for the service")
        _wait_listening(service, config, folder / "service.log")
        _play(feeders)
        cost = _watch(service, feeders[0], duration_s, options.say)
        stages = _stages(ports[2])
        return [*_figures(_sent(notes.values()), received, cost, duration_s), *stages]


def _figures(
    sent: dict[str, list[tuple[int, int]]],
    received: dict[str, Received],
    cost: Cost,
    duration_s: float,
) -> list[Figure]:
    figures = []
    how = f"reference load, {duration_s} s, mutual TLS 1.3, all on this machine"
    for side, got in received.items():
        waits = [wait for row in got.rows if (wait := latency_ms(sent, *row)) is not None]
        lines = [ms for sensor, ms in waits if not sensor.startswith("xray")]
        scans = [ms for sensor, ms in waits if sensor.startswith("xray")]
        n = f"n = {len(lines)}, {how}"
        figures += [
            at_most(f"load.{side}.p50", percentile(lines, 0.50), 10, "ms", n),
            at_most(f"load.{side}.p99", percentile(lines, 0.99), 50, "ms", n),
            at_most(
                f"load.{side}.scan_p95", percentile(scans, 0.95), 500, "ms", f"n = {len(scans)}"
            ),
        ]
    return [
        *figures,
        at_most("load.cpu", cost.cores, 1.0, "cores", f"the service alone, {how}"),
        at_most("load.resident", max(cost.resident_mb), 600, "MB", "the service alone, highest"),
        plain("load.alerts", len(received["north"].rows), "", "received in the north"),
    ]


def latency_ms(
    sent: dict[str, list[tuple[int, int]]], trigger: str, at_ns: int
) -> tuple[str, float] | None:
    """Sensor and milliseconds from the send that completed the trigger's bytes.

    None for an alert that time itself brought (silence, a delay that ran out).
    """
    sensor, at, count = trigger.partition("@")
    sends = sent.get(sensor)
    if not at or not sends:
        return None
    if sensor.startswith("xray"):
        # A folder's bytes are counted with their wrapping; scans are minutes apart.
        before = [send_ns for _, send_ns in sends if send_ns <= at_ns]
        if not before or at_ns - before[-1] > SCAN_AFTER_S * 1e9:
            return None
        return sensor, (at_ns - before[-1]) / 1e6
    index = bisect.bisect_left([total for total, _ in sends], int(count))
    if index == len(sends):
        return None
    return sensor, (at_ns - sends[index][1]) / 1e6


def _stages(port: int) -> list[Figure]:
    """Means of the service's own histograms, stage by stage."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    sums: dict[tuple[str, str], float] = {}
    for family in families:
        for sample in family.samples:
            if family.type == "histogram" and not sample.name.endswith("_bucket"):
                stage = sample.labels.get("stage", "")
                sums[sample.name, stage] = sample.value
    figures = []
    for (name, stage), total in sorted(sums.items()):
        count = sums.get((name.removesuffix("_sum") + "_count", stage), 0.0)
        if name.endswith("_sum") and count:
            short = name.removeprefix("garita_").removesuffix("_seconds_sum")
            label = f"load.{short}{'.' + stage if stage else ''}"
            figures.append(plain(label, total / count * 1e3, "ms", f"mean of {count:,.0f}"))
    return figures


def _sent(notes: Iterable[Path]) -> dict[str, list[tuple[int, int]]]:
    sent: dict[str, list[tuple[int, int]]] = {}
    for path in notes:
        for line in path.read_text().splitlines():
            sensor, total, at_ns = line.split()
            sent.setdefault(sensor, []).append((int(total), int(at_ns)))
    return sent


def _play(feeders: list[subprocess.Popen[bytes]]) -> None:
    """Let all begin the same day at the same time, once all their wires are open."""
    for feeder in feeders:
        assert feeder.stdout is not None
        feeder.stdout.readline()
    start = f"{time.time_ns()}\n".encode()
    for feeder in feeders:
        assert feeder.stdin is not None
        feeder.stdin.write(start)
        feeder.stdin.flush()


def _start_broker(stack: ExitStack, authority: Authority, folder: Path, port: int) -> None:
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


def _config(folder: Path, ports: list[int], pair: Pair, ca: Path) -> Path:
    """The reference checkpoint with this run's brokers, folders and ports."""
    yaml = YAML()
    config: dict[str, Any] = yaml.load(CONFIG.read_text(encoding="utf-8"))
    tls = {"ca": str(ca), "cert": str(pair.cert), "key": str(pair.key)}
    for side, port in zip(SIDES, ports, strict=False):
        config["sides"][side] = {"broker": f"mqtts://127.0.0.1:{port}", "tls": dict(tls)}
    config["http"] = {"port": ports[2]}
    config["state_dir"] = str(folder / "state")
    for sensor in config["sensors"]:
        # Every byte that is sent must be read, or the trigger's count would not fit the notes.
        sensor["timeout_s"] = 60
        if sensor["url"].startswith("folder:"):
            sensor["url"] = f"folder:{folder / 'scans' / sensor['id']}"
    path = folder / "reference.yaml"
    with path.open("w", encoding="utf-8") as stream:
        yaml.dump(config, stream)
    return path


def _subscribe(stack: ExitStack, port: int, pair: Pair, ca: Path) -> Received:
    received = Received()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.tls_set(
        ca_certs=str(ca),
        certfile=str(pair.cert),
        keyfile=str(pair.key),
        tls_version=ssl.PROTOCOL_TLS_CLIENT,
    )
    client.on_message = lambda client, data, message: received.take(message)
    client.on_connect = lambda client, *_: client.subscribe(
        f"{topics.EXERCISE_ROOT}/+/+/alert", qos=1
    )
    client.on_socket_open = _no_delay
    client.connect("127.0.0.1", port)
    client.loop_start()
    stack.callback(client.loop_stop)
    stack.callback(client.disconnect)
    return received


def _no_delay(client: mqtt.Client, data: object, link: Any) -> None:  # noqa: ANN401 - a socket, or what wraps one
    del client, data
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _spawn(stack: ExitStack, log: Path, module: str, *args: str) -> subprocess.Popen[bytes]:
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


def _wait_listening(service: subprocess.Popen[bytes], config: Path, log: Path) -> None:
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


def _watch(
    service: subprocess.Popen[bytes],
    feeder: subprocess.Popen[bytes],
    duration_s: float,
    say: Callable[[str], None],
) -> Cost:
    cost = Cost()
    began = time.monotonic()
    waiting = threading.Event()
    while feeder.poll() is None and time.monotonic() - began < duration_s + 60:
        cost.look(service.pid)
        waiting.wait(1.0)
        if len(cost.at_s) % 60 == 0:
            say(f"load: {time.monotonic() - began:.0f} of {duration_s} s")
    waiting.wait(2.0)  # what was sent last is still on its way
    return cost
