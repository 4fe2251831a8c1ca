"""The reference load, live: simulators on their wires, the service, two brokers with mutual TLS 1.3
and a subscriber on each side. How long from bytes sent to alert received, and at what cost?

Every truck carries something that gives an alert, so that there is something to measure. `--times`
sets the seconds. All on this machine: what the simulators and brokers cost is not free either.
"""

import bisect
import datetime
import math
import os
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from edge.delivery.certificates import Authority
from edge.study.bench_load_site import (
    SIDES,
    Received,
    play,
    spawn,
    start_tls_broker,
    subscribe,
    wait_listening,
    write_config,
)
from edge.study.figures import Figure, Options, at_most, percentile, plain
from edge.study.ports import free_ports

DURATION_S = 300
SCAN_AFTER_S = 10.0  # a scan's alert comes before the next scan is complete


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
            start_tls_broker(stack, authority, folder / side, port)
        config = write_config(folder, ports, authority.issue("edge"), authority.ca)
        viewer = authority.issue("viewer")
        received = {
            side: subscribe(stack, port, viewer, authority.ca)
            for side, port in zip(SIDES, ports, strict=False)
        }
        notes = {which: folder / f"{which}.txt" for which in ("lines", "scans")}
        feeders = [
            spawn(
                stack,
                folder / f"{which}.log",
                "edge.study.bench_feed",
                *map(str, (which, config, options.seed, duration_s, path)),
            )
            for which, path in notes.items()
        ]
        service = spawn(stack, folder / "service.log", "edge", "run", "--config", str(config))
        options.say("load: waiting for the service")
        wait_listening(service, config, folder / "service.log")
        play(feeders)
        cost = watch(service, feeders[0], duration_s, options.say)
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
        figures += [
            delay(f"load.{side}.p50", lines, 0.50, 10, how),
            delay(f"load.{side}.p99", lines, 0.99, 50, how),
            delay(f"load.{side}.scan_p95", scans, 0.95, 500, how),
        ]
    return [
        *figures,
        at_most("load.cpu", cost.cores, 1.0, "cores", f"the service alone, {how}"),
        at_most("load.resident", max(cost.resident_mb), 600, "MB", "the service alone, highest"),
        plain("load.alerts", len(received["north"].rows), "", "received in the north"),
    ]


def delay(name: str, waits_ms: Sequence[float], share: float, limit_ms: float, how: str) -> Figure:
    """The percentile of the waits. Where nothing was received, no goal is reached."""
    value_ms = percentile(waits_ms, share) if waits_ms else math.nan
    return at_most(name, value_ms, limit_ms, "ms", f"n = {len(waits_ms)}, {how}")


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


def watch(
    service: subprocess.Popen[bytes],
    feeder: subprocess.Popen[bytes],
    duration_s: float,
    say: Callable[[str], None],
) -> Cost:
    """What the service takes, second by second, until the feeder ends."""
    cost = Cost()
    began = time.monotonic()
    waiting = threading.Event()
    while feeder.poll() is None and time.monotonic() - began < duration_s + 60:
        cost.look(service.pid)
        waiting.wait(1.0)
        if len(cost.at_s) % 60 == 0:
            say(f"{time.monotonic() - began:.0f} of {duration_s:g} s")
    waiting.wait(2.0)  # what was sent last is still on its way
    return cost
