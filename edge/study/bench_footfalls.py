"""From the fourth footfall to the alert on both brokers: walkers along a fence, live.

Simulated stations on UDP, the service, two brokers with mutual TLS 1.3 and a subscriber on each.
The time runs from the moment at which the fourth clear footfall peaks at a sensor (as
`footfall_fence` defines it) until both sides have the PUBLISH of the walker's alert, when it first
rings as a person or a group: the station's own packet of 250 ms is part of it. `--times` sets the
seconds.
"""

import datetime
import json
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as mqtt
from ruamel.yaml import YAML

from edge.delivery.certificates import Authority, Pair
from edge.study.bench_load import Cost, watch
from edge.study.bench_load_site import (
    SIDES,
    listen,
    play,
    spawn,
    start_tls_broker,
    wait_listening,
)
from edge.study.figures import Figure, Options, at_most, percentile, plain
from edge.study.footfall_fence import PLAIN, Walk, fence, walks
from edge.study.ground_chain import PERSON, RINGS
from edge.study.intervals import proportion
from edge.study.ports import free_ports
from simulators.scenario import Scenario

DURATION_S = 420
LATE_S = 10.0  # after a walk's end an alert is still of it
P95_S = 1.5


@dataclass(slots=True)
class Rings:
    """When alerts first rang for a person at one side: (stretch, monotonic ns)."""

    rows: list[tuple[str, int]] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)

    def take(self, message: mqtt.MQTTMessage) -> None:
        """Called on paho's thread."""
        at_ns = time.monotonic_ns()
        alert = json.loads(message.payload)
        rings = alert["event"] in PERSON and alert["level"] >= RINGS
        if rings and alert["msg_type"] != "Cancel" and alert["id"] not in self._known:
            self._known.add(alert["id"])
            self.rows.append((alert["zone"], at_ns))


def run(options: Options) -> list[Figure]:
    """Figures of one run."""
    duration_s = options.times or DURATION_S
    scenario = fence(options.seed, 0, duration_s)
    options.say(f"footfalls: {len(scenario.movers)} walkers, {len(scenario.sensors)} sensors")
    expected = walks(scenario)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="garita-fence-")))
        ports = free_ports(3 + len(scenario.sensors))
        authority = Authority(folder / "tls", valid_for=datetime.timedelta(days=1))
        for side, port in zip(SIDES, ports, strict=False):
            start_tls_broker(stack, authority, folder / side, port)
        config = _config(folder, scenario, ports, authority.issue("edge"), authority.ca)
        viewer = authority.issue("viewer")
        rings = {side: Rings() for side in SIDES}
        for side, port in zip(SIDES, ports, strict=False):
            listen(stack, port, viewer, authority.ca, rings[side].take)
        feeder = spawn(
            stack,
            folder / "feeder.log",
            "edge.study.bench_footfalls_feed",
            *map(str, (config, options.seed, duration_s)),
        )
        service = spawn(stack, folder / "service.log", "edge", "run", "--config", str(config))
        options.say("footfalls: waiting for the service")
        wait_listening(service, config, folder / "service.log")
        play([feeder])
        cost = watch(service, feeder, duration_s, options.say)
        assert feeder.stdout is not None
        began_ns = int(feeder.stdout.readline())
    return figures(expected, {side: one.rows for side, one in rings.items()}, began_ns, cost)


def figures(
    expected: list[Walk], rows: dict[str, list[tuple[str, int]]], began_ns: int, cost: Cost
) -> list[Figure]:
    """Delays and how many were told, from when alerts rang at each side."""
    heard = [walk for walk in expected if walk.fourth_s is not None]
    told = [(walk, both_s) for walk in heard if (both_s := rang_s(walk, rows, began_ns))]
    delays = [both_s - walk.fourth_s for walk, both_s in told if walk.fourth_s is not None]
    how = (
        f"n = {len(delays)} of {len(heard)} walkers with four clear footfalls in a row, "
        "mutual TLS 1.3, all on this machine"
    )
    # Where nothing rang, no delay is short enough.
    p50, p95 = (percentile(delays, share) if delays else 99.0 for share in (0.5, 0.95))
    plainly = [both_s - walk.plain_s for walk, both_s in told if walk.plain_s is not None]
    twice = f"n = {len(plainly)}, from the fourth of footfalls {PLAIN:g} times the noise"
    return [
        plain("footfalls.both.p50", p50, "s", how),
        at_most("footfalls.both.p95", p95, P95_S, "s", how),
        plain("footfalls.both.longest", max(delays, default=99.0), "s", how),
        plain("footfalls.both.plain_p50", percentile(plainly, 0.5), "s", twice),
        plain("footfalls.both.plain_p95", percentile(plainly, 0.95), "s", twice),
        Figure(
            name="footfalls.told",
            value=len(told) / max(len(heard), 1),
            unit="",
            goal="",
            reached=None,
            how=f"{len(told)} of {len(heard)}; {len(expected) - len(heard)} were never so clear",
            interval=proportion(len(told), len(heard)) if heard else (0.0, 1.0),
        ),
        plain("footfalls.cpu", cost.cores, "cores", "the service alone"),
    ]


def rang_s(walk: Walk, rows: dict[str, list[tuple[str, int]]], began_ns: int) -> float | None:
    """When the last side had heard of the walk, since the day began; None: not every side has."""
    first = []
    for side in rows.values():
        times = [(at_ns - began_ns) / 1e9 for stretch, at_ns in side if stretch == walk.stretch]
        mine = [at_s for at_s in times if walk.start_s <= at_s <= walk.end_s + LATE_S]
        if not mine:
            return None
        first.append(min(mine))
    return max(first)


def _config(folder: Path, scenario: Scenario, ports: list[int], pair: Pair, ca: Path) -> Path:
    tls = {"ca": str(ca), "cert": str(pair.cert), "key": str(pair.key)}
    sensors = [
        {
            "id": place.sensor_id,
            "kind": place.kind,
            "zone": place.zone,
            "url": f"udp://127.0.0.1:{port}",
            "position_m": list(place.place_m),
            "origin": "simulator",
            "timeout_s": 60,
        }
        for place, port in zip(scenario.sensors, ports[3:], strict=True)
    ]
    config = {
        "site": {"id": "fence", "names": {"en-US": "Fence", "es-MX": "Cerca"}},
        "sides": {
            side: {"broker": f"mqtts://127.0.0.1:{port}", "tls": dict(tls)}
            for side, port in zip(SIDES, ports, strict=False)
        },
        "http": {"port": ports[2]},
        "state_dir": str(folder / "state"),
        "zones": [{"id": zone} for zone in sorted({place.zone for place in scenario.sensors})],
        "sensors": sensors,
    }
    path = folder / "fence.yaml"
    with path.open("w", encoding="utf-8") as stream:
        YAML().dump(config, stream)
    return path
