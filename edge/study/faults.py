"""Every way in which processes and lines fail, until it hurts, and an independent look at the end.

A producer (outbox and both publishers), two Mosquitto brokers and two centres run as processes of
their own; between each of them and its broker lies a line that can fail. While 20 alerts a second
are committed, seeded faults strike: kill -9, freeze (SIGSTOP), cut with and without a goodbye,
half-open, slow, truncated in the middle of a frame; some while others last. Now and then everything
is left alone until both centres have all, which is how long recovery takes. What they hold at the
end is compared with the producer's ledger by `edge.study.fault_check`.
"""

import contextlib
import os
import random
import signal
import sqlite3
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge.protocol import topics
from edge.study.fault_check import Bystander, Found, check, files_of, truth_of
from edge.study.faulty_line import FaultyLine, How
from edge.study.ports import free_ports
from edge.study.producer import SIDES
from edge.study.victims import Bench, stored_seq

RATE_PER_S = 20.0
PROCESSES = ("service", *SIDES, *(f"centre-{side}" for side in SIDES))
LINES = tuple(f"{who}-{side}" for who in ("service", "centre") for side in SIDES)
KINDS = ("kill", "freeze", "cut", "goodbye", "half-open", "slow", "stop", "truncate")
ON_PROCESSES = ("kill", "freeze")
LASTING: dict[str, How] = {"half-open": "half-open", "slow": "slow", "stop": "frozen"}
"""What a line is while such a fault lasts."""
TOGETHER = 0.25
"""Share of faults that do not wait for the one before to be over."""
LASTS_S = (0.1, 3.0)
PAUSE_S = (0.05, 0.6)
CALM_EACH = 25  # faults between two waits until both centres have everything
RECOVERY_S = 90.0
"""A centre notices a half-open line after twice its keepalive; what takes longer is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One of them."""

    kind: str
    victim: str
    lasts_s: float
    together: bool
    """The next one does not wait for its end."""
    pause_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run found."""

    seed: int
    faults: dict[str, int]
    """By kind and victim."""
    alerts: int
    seconds: float
    recovery_s: list[float]
    """From the end of the last fault until both centres had everything, each time."""
    not_recovered: int
    sides: dict[str, Found]

    @property
    def kept(self) -> bool:
        """Whether the promise was kept."""
        return not self.not_recovered and all(each.kept for each in self.sides.values())

    @property
    def recovery_p95_s(self) -> float:
        """Of nineteen in twenty."""
        if len(self.recovery_s) < 2:
            return max(self.recovery_s, default=0.0)
        return statistics.quantiles(self.recovery_s, n=20, method="inclusive")[-1]


def plan(times: int, seed: int) -> Iterator[Fault]:
    """So many faults; every kind strikes every victim before one does so again."""
    chance = random.Random(seed)
    pairs = [(kind, victim) for kind in ON_PROCESSES for victim in PROCESSES]
    pairs += [(kind, line) for kind in KINDS if kind not in ON_PROCESSES for line in LINES]
    left: list[tuple[str, str]] = []
    for _ in range(times):
        if not left:
            left = chance.sample(pairs, len(pairs))
        kind, victim = left.pop()
        yield Fault(
            kind=kind,
            victim=victim,
            lasts_s=chance.uniform(*LASTS_S),
            together=chance.random() < TOGETHER,
            pause_s=chance.uniform(*PAUSE_S),
        )


class FaultBench(Bench):
    """Everything that runs, with a line that can fail before each broker."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, free_ports(2), RATE_PER_S)
        self.lines = {
            name: FaultyLine(self.ports[name.partition("-")[2]], seed=seed + n)
            for n, name in enumerate(LINES)
        }
        self.bystanders = {side: Bystander() for side in SIDES}
        self._taps: list[mqtt.Client] = []
        self._locks = {name: threading.Lock() for name in PROCESSES}
        # What is started ends with the thread that started it, and a fault's own thread is short.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="starter")

    def reach(self, who: str, side: str) -> int:
        """Through a line."""
        return self.lines[f"{who}-{side}"].port

    def start(self) -> None:
        """Start everything, and a bystander at each broker."""
        super().start()
        for side in SIDES:
            self._taps.append(tap(self.ports[side], self.bystanders[side]))

    def suffer(self, fault: Fault) -> None:
        """One fault from its beginning to its end."""
        if fault.kind in ON_PROCESSES:
            with self._locks[fault.victim]:
                self._suffer(fault)
            return
        line = self.lines[fault.victim]
        match fault.kind:
            case "cut" | "goodbye":
                line.cut(politely=fault.kind == "goodbye")
            case "truncate":
                line.truncate()
            case kind:
                line.become(LASTING[kind])
                time.sleep(fault.lasts_s)
                line.become("open")

    def _suffer(self, fault: Fault) -> None:
        if fault.kind == "kill":
            self.strike(fault.victim)
            time.sleep(fault.lasts_s / 4)
            self._starter.submit(self.revive, fault.victim).result()
            return
        os.kill(self.pid(fault.victim), signal.SIGSTOP)
        try:
            time.sleep(fault.lasts_s)
        finally:
            os.kill(self.pid(fault.victim), signal.SIGCONT)

    def has_all(self) -> bool:
        """Whether both centres have what is committed."""
        last = self.last_seq()
        return all(stored_seq(self.centre_path(side)) >= last for side in SIDES)

    def stop(self) -> None:
        """End everything."""
        for client in self._taps:
            client.loop_stop()
        super().stop()
        self._starter.shutdown()
        for line in self.lines.values():
            line.close()
        self.lines.clear()


def tap(port: int, bystander: Bystander) -> mqtt.Client:
    """Listens at a broker itself, beside the line and the centre."""

    def connected(client: mqtt.Client, *_: object) -> None:
        client.subscribe([(topics.alert_filter(topics.root(x)), 1) for x in (False, True)])

    def came(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        properties: Any = message.properties
        said = dict(getattr(properties, "UserProperty", ()))
        with contextlib.suppress(KeyError, ValueError):
            bystander.note(said["epoch"], int(said["seq"]), bytes(message.payload))

    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.on_connect = connected
    client.on_message = came
    client.reconnect_delay_set(1, 1)
    client.connect("127.0.0.1", port, keepalive=5)
    client.loop_start()
    return client


def run(*, times: int, seed: int, say: Callable[[str], None] = lambda text: None) -> Outcome:
    """Strike so often, then compare; every process has ended on return."""
    began_s = time.monotonic()
    struck: Counter[str] = Counter()
    recovery_s: list[float] = []
    late = 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="garita-faults-")))
        bench = FaultBench(folder, seed)
        stack.callback(bench.stop)
        bench.start()
        _wait(lambda: bench.last_seq() > 0, RECOVERY_S)
        under_way: list[threading.Thread] = []
        for number, fault in enumerate(plan(times, seed), 1):
            struck[f"{fault.kind} {fault.victim}"] += 1
            thread = threading.Thread(target=partial(bench.suffer, fault), name="fault")
            thread.start()
            under_way.append(thread)
            if not fault.together:
                _join(under_way)
            time.sleep(fault.pause_s)
            if number % CALM_EACH == 0 or number == times:
                _join(under_way)
                took_s = _wait(bench.has_all, RECOVERY_S)
                late += took_s is None
                recovery_s.append(RECOVERY_S if took_s is None else took_s)
                seconds = time.monotonic() - began_s
                last = "not within a minute and a half" if took_s is None else f"{took_s:.1f} s"
                say(f"fault {number} of {times}, {seconds:.0f} s; all there after {last}")
        bench.enough()
        time.sleep(0.5)
        late += _wait(bench.has_all, RECOVERY_S) is None
        last_seq = bench.last_seq()
        time.sleep(0.5)  # for the bystanders
        sides = _compare(bench)
    return Outcome(
        seed=seed,
        faults=dict(struck),
        alerts=last_seq,
        seconds=round(time.monotonic() - began_s, 1),
        recovery_s=[round(one, 2) for one in recovery_s],
        not_recovered=late,
        sides=sides,
    )


def _compare(bench: FaultBench) -> dict[str, Found]:
    truth = truth_of(bench.folder / "ledger", bench.outbox_path)
    files = files_of(bench.outbox_path)
    return {
        side: check(bench.centre_path(side), truth, files, bench.bystanders[side]) for side in SIDES
    }


def _join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join()
    threads.clear()


def _wait(reached: Callable[[], bool], within_s: float) -> float | None:
    """How long it took; None where it did not come about."""
    began_s = time.monotonic()
    while time.monotonic() - began_s < within_s:
        with contextlib.suppress(sqlite3.OperationalError):
            if reached():
                return time.monotonic() - began_s
        time.sleep(0.05)
    return None


def by_kind(faults: dict[str, int]) -> dict[str, int]:
    """How many of each kind."""
    counted: Counter[str] = Counter()
    for name, count in faults.items():
        counted[name.partition(" ")[0]] += count
    return {kind: counted[kind] for kind in KINDS if counted[kind]}
