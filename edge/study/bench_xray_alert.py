"""From the last file of a scan complete in the watched folder to the alert on both brokers.

Scans of 1200 x 4000 pixels in two planes, whose papers say that the box is empty and which is not,
one every two seconds; the service, two brokers with mutual TLS 1.3 and a subscriber on each. The
alert waits for its files: picture, planes, report. `--times` sets the number of scans.
"""

import datetime
import json
import random
import tempfile
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import cv2
import numpy as np
import paho.mqtt.client as mqtt
from numpy.typing import NDArray
from ruamel.yaml import YAML

from drivers.wire.sidecar import Sidecar, encode_json
from edge.delivery.certificates import Authority, Pair
from edge.study.bench_load_site import READY_S, SIDES, listen, spawn, start_tls_broker
from edge.study.figures import Figure, Options, at_most, percentile, plain
from edge.study.ports import free_ports
from fusion.types import SECOND_NS
from simulators import loads
from simulators.scenario import Vehicle
from simulators.xray import planes

SCANS, WARM = 40, 4
EACH_S = 2.0
LATE_S = 10.0
P95_MS = 150.0
ROWS, COLUMNS, PITCH_MM = 1200, 4000, 4.6
SENSOR, LANE = "xray-nb-01", "nb-01"
STAGES = ("decode", "engine", "evidence", "commit", "deliver")
UNCOMPRESSED = [cv2.IMWRITE_TIFF_COMPRESSION, 1]

Picture = NDArray[np.uint16]


@dataclass(slots=True)
class Told:
    """When a side had each alert first, in monotonic ns."""

    at_ns: list[int] = field(default_factory=list)
    files: list[tuple[str, int]] = field(default_factory=list)
    """Of the last one: name and bytes."""
    _known: set[str] = field(default_factory=set)

    def take(self, message: mqtt.MQTTMessage) -> None:
        """Called on paho's thread."""
        at_ns = time.monotonic_ns()
        alert = json.loads(message.payload)
        if alert["msg_type"] == "Cancel" or alert["id"] in self._known:
            return
        self._known.add(alert["id"])
        self.files = [(file["name"], file["bytes"]) for file in alert["evidence"]]
        self.at_ns.append(at_ns)


def run(options: Options) -> list[Figure]:
    """Figures of one run."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="garita-scans-")))
        inbox = folder / "inbox"
        inbox.mkdir()
        ports = free_ports(3)
        authority = Authority(folder / "tls", valid_for=datetime.timedelta(days=1))
        for side, port in zip(SIDES, ports, strict=False):
            start_tls_broker(stack, authority, folder / side, port)
        config = _config(folder, inbox, ports, authority.issue("edge"), authority.ca)
        viewer = authority.issue("viewer")
        told = {side: Told() for side in SIDES}
        for side, port in zip(SIDES, ports, strict=False):
            listen(stack, port, viewer, authority.ca, told[side].take)
        service = spawn(stack, folder / "service.log", "edge", "run", "--config", str(config))
        options.say("xray-alert: drawing scans, waiting for the service")
        made = _planes(options.seed)
        port = ports[2]
        _wait(lambda: service.poll() is not None or _is_ready(port), READY_S)
        if not _is_ready(port):
            raise RuntimeError((folder / "service.log").read_text()[-2000:])
        for number in range(WARM):
            _one(inbox, number, made, told.values())
        before = _stages(port)
        taken = [
            _one(inbox, WARM + number, made, told.values())
            for number in range(options.times or SCANS)
        ]
        return figures(taken, told[SIDES[0]], before, _stages(port))


def _one(
    inbox: Path, number: int, made: list[tuple[Picture, Picture]], told: Collection[Told]
) -> float:
    """Leave a scan; ms until both sides had its alert."""
    high, low = (plane.copy() for plane in made[number % len(made)])
    high[0, :8] = number  # no two scans are one
    began = time.monotonic()
    first = max(len(one.at_ns) for one in told)
    complete_ns = _leave(inbox, number, high, low)
    arrived = _wait(lambda: all(len(one.at_ns) > first for one in told), LATE_S)
    late_ns = max(one.at_ns[first] for one in told) if arrived else 0
    time.sleep(max(0.0, EACH_S - (time.monotonic() - began)))
    return (late_ns - complete_ns) / 1e6 if arrived else LATE_S * 1e3


Stages = dict[str, tuple[float, float]]
"""Seconds in a stage, and how often."""


def figures(taken: list[float], told: Told, before: Stages, after: Stages) -> list[Figure]:
    """Delays in ms, and where they went."""
    sizes = ", ".join(f"{name} {size // 1000} kB" for name, size in told.files)
    how = (
        f"n = {len(taken)} scans of {ROWS} x {COLUMNS}, both planes; mutual TLS 1.3, all on this "
        f"machine; with {sizes}"
    )
    parts = []
    for stage, (seconds, times) in after.items():
        earlier_s, earlier = before.get(stage, (0.0, 0.0))
        if times > earlier:
            mean_ms = 1e3 * (seconds - earlier_s) / (times - earlier)
            parts.append(f"{stage} {mean_ms:.1f} ms x {times - earlier:.0f}")
    told_ms = sum(each < LATE_S * 1e3 for each in taken)
    return [
        plain("xray-alert.both.least", min(taken, default=0.0), "ms", "as on a machine at rest"),
        plain("xray-alert.both.p50", percentile(taken, 0.5), "ms", how),
        at_most("xray-alert.both.p95", percentile(taken, 0.95), P95_MS, "ms", how),
        plain("xray-alert.both.longest", max(taken, default=0.0), "ms", "; ".join(parts)),
        plain("xray-alert.told", told_ms / max(len(taken), 1), "", f"{told_ms} of {len(taken)}"),
    ]


def _planes(seed: int) -> list[tuple[Picture, Picture]]:
    """A few loads, in both energies."""
    vehicle = Vehicle(vehicle_id="v", lane=LANE, at_portal_s=0.0)
    made = []
    for number, kind in enumerate((loads.pallets, loads.produce, loads.machinery)):
        load = kind(random.Random(f"{seed}/{number}"))
        high, low = planes(
            load.onto(vehicle),
            rows=ROWS,
            pitch_mm=PITCH_MM,
            random=np.random.default_rng((seed, number)),
            striped=False,
        )
        made.append((_sized(high), _sized(low)))
    return made


def _sized(plane: Picture) -> Picture:
    """Of `COLUMNS`: the air behind the vehicle goes on."""
    more = COLUMNS - plane.shape[1]
    return np.ascontiguousarray(
        plane[:, :COLUMNS] if more <= 0 else np.hstack([plane, plane[:, -more:]])
    )


def _leave(inbox: Path, number: int, high: Picture, low: Picture) -> int:
    """Write a scan as a scanner does, one file after the other; when the last was complete."""
    name = f"scan-{number:04d}"
    now_ns = time.time_ns()
    sidecar = Sidecar(
        scan_id=name,
        start_utc_ns=now_ns - 9 * SECOND_NS,
        end_utc_ns=now_ns - SECOND_NS,
        pitch_x_mm=PITCH_MM,
        pitch_y_mm=PITCH_MM,
        energies_mev=(6.0, 4.0),
        declared="empty",
    )
    contents = {
        f"{name}_high.tiff": cv2.imencode(".tiff", high, UNCOMPRESSED)[1].tobytes(),
        f"{name}_low.tiff": cv2.imencode(".tiff", low, UNCOMPRESSED)[1].tobytes(),
        f"{name}.json": encode_json(sidecar),
    }
    for file, data in contents.items():
        (inbox / file).write_bytes(data)
    return time.monotonic_ns()


def _asked(port: int, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def _is_ready(port: int) -> bool:
    try:
        return _asked(port, "/readyz")[0] == 200
    except OSError:
        return False


def _stages(port: int) -> Stages:
    """From the service's own metrics."""
    lines = _asked(port, "/metrics")[1].splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))

    def of(name: str, label: str = "") -> tuple[float, float]:
        seconds, times = (values.get(f"{name}_{end}{label}", "0") for end in ("sum", "count"))
        return float(seconds), float(times)

    found = {"scan": of("garita_scan_seconds"), "alert": of("garita_alert_delay_seconds")}
    for stage in STAGES:
        found[stage] = of("garita_stage_seconds", f'{{stage="{stage}"}}')
    return found


def _wait(done: Callable[[], bool], timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while not done() and time.monotonic() < deadline:
        time.sleep(0.005)
    return done()


def _config(folder: Path, inbox: Path, ports: list[int], pair: Pair, ca: Path) -> Path:
    tls = {"ca": str(ca), "cert": str(pair.cert), "key": str(pair.key)}
    config = {
        "site": {"id": "scans", "names": {"en-US": "Scans", "es-MX": "Escaneos"}},
        "sides": {
            side: {"broker": f"mqtts://127.0.0.1:{port}", "tls": dict(tls)}
            for side, port in zip(SIDES, ports, strict=False)
        },
        "http": {"port": ports[2]},
        "state_dir": str(folder / "state"),
        "lanes": [{"id": LANE, "direction": "northbound"}],
        "sensors": [
            {
                "id": SENSOR,
                "kind": "xray-planes",
                "lane": LANE,
                "url": f"folder:{inbox}",
                "origin": "simulator",
                "timeout_s": 60,
            }
        ],
    }
    path = folder / "scans.yaml"
    with path.open("w", encoding="utf-8") as stream:
        YAML().dump(config, stream)
    return path
