"""Kill -9 until it hurts: does every alert reach both centres, once and in order?

A service (outbox and both publishers, fed by a producer) runs as a process of its own, with
two brokers and two centres. While alerts flow, service or brokers are killed at seeded
random moments and started again. At the end what both centres hold is compared with what
was committed, by (site, epoch, seq) and content, and with a ledger that the producer keeps
beside the outbox, so that the outbox does not testify for itself.

The seed fixes who is killed when; the machine's own timing is part of the test.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from edge import topics
from edge.delivery.broker import BrokerProcess, ending_with_parent, start_broker
from edge.delivery.centre_store import CentreStore, Wire
from edge.delivery.happenings import Document
from edge.delivery.outbox import Mark, Outbox, Row
from edge.delivery.publisher import Publisher
from edge.delivery.sides import SideSettings

SIDES = ("north", "south")
SITE = "mariposa"
FLOW_S = 20.0  # alerts must flow again so long after a kill
DRAIN_S = 60.0  # and all be stored so long after the last one
ALERT_BYTES = 1500
EXPLANATION = {True: "nothing lost, order kept", False: "the promise was broken"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SideResult:
    """What one centre holds, compared with what was committed."""

    stored: int
    lost: int
    in_order: bool
    gaps: int
    duplicates_on_the_wire: int
    ahead_on_the_wire: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The outcome of a run."""

    seed: int
    kills: dict[str, int]
    alerts: int
    epochs: int
    seconds: float
    sequence_has_gaps: bool
    missing_from_outbox: int
    """Alerts that the producer was told were committed and that are not in the outbox."""
    sides: dict[str, SideResult]

    @property
    def kept(self) -> bool:
        """Whether the promise was kept."""
        return (
            self.alerts > 0
            and not self.sequence_has_gaps
            and self.missing_from_outbox == 0
            and all(s.lost == 0 and s.in_order and s.gaps == 0 for s in self.sides.values())
        )


def main(args: Sequence[str] | None = None) -> int:
    """Run the harness: progress on stderr, the result as JSON on stdout. 1 where it failed."""
    parser = argparse.ArgumentParser(prog="garita bench kills", description=__doc__)
    parser.add_argument("--times", type=int, default=200, help="kills in all (default: 200)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=100.0, help="alerts a second")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--ports", type=int, nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args(args)
    if chosen.serve is not None:
        return serve(chosen.serve, chosen.ports, chosen.rate)
    result = run(times=chosen.times, seed=chosen.seed, rate_per_s=chosen.rate, say=_say)
    _say(EXPLANATION[result.kept])
    json.dump({**asdict(result), "kept": result.kept}, sys.stdout, indent=2)
    sys.stdout.write("\n")
    return 0 if result.kept else 1


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress, not data


# --- the service that is killed --------------------------------------------------------


def serve(folder: Path, ports: Sequence[int], rate_per_s: float) -> int:
    """Produce and deliver until SIGTERM; stop producing where the file `enough` appears."""
    stopped = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGTERM, stop)
    outbox = Outbox(folder / "outbox.db", SIDES)
    publishers = [
        Publisher(_settings(side, port), outbox, site=SITE, will=_will(outbox.epoch))
        for side, port in zip(SIDES, ports, strict=True)
    ]
    for publisher in publishers:
        publisher.start()
    ledger = os.open(folder / "ledger", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while not stopped:
        if not (folder / "enough").exists():
            rows = [_row(outbox, outbox.last_seq + n) for n in (1, 2)]
            outbox.commit(rows)
            os.write(ledger, b"".join(_ledger_line(row) for row in rows))
            for publisher in publishers:
                publisher.wake()
        time.sleep(2 / rate_per_s)
    for publisher in publishers:
        publisher.stop()
    outbox.close()
    os.close(ledger)
    return 0


def _settings(side: str, port: int) -> SideSettings:
    return SideSettings(
        name=side, host="127.0.0.1", port=port, keeps_cursor=True, ack_timeout_s=2.0
    )


def _will(epoch: str) -> Document:
    payload = json.dumps({"site": SITE, "epoch": epoch, "state": "lost"}).encode()
    return Document(topic=topics.state_topic(topics.ROOT, SITE), payload=payload)


def _row(outbox: Outbox, seq: int) -> Row:
    root = topics.root(seq % 3 == 0)  # both roots share one sequence
    place = f"nb-{seq % 10:02d}"
    payload = json.dumps({"seq": seq, "epoch": outbox.epoch}).encode().ljust(ALERT_BYTES)
    return Row(
        seq=seq,
        epoch=outbox.epoch,
        exercise=seq % 3 == 0,
        topic=topics.alert_topic(root, SITE, place),
        payload=payload,
        active_topic=topics.active_topic(root, SITE, place, f"A{seq % 20}"),
        active_payload=b"" if seq % 2 else payload,
        level=3,
        created_utc_ns=time.time_ns(),
    )


def _ledger_line(row: Row) -> bytes:
    return f"{row.epoch} {row.seq} {_digest(row.payload)}\n".encode()


def _digest(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()[:16]


# --- the harness -----------------------------------------------------------------------


class Bench:
    """Everything that runs, and how to kill it."""

    def __init__(self, folder: Path, ports: Sequence[int], rate_per_s: float) -> None:
        self.folder = folder
        self.ports = dict(zip(SIDES, ports, strict=True))
        self._rate_per_s = rate_per_s
        self._brokers: dict[str, BrokerProcess] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start brokers, centres and the service."""
        for side in SIDES:
            self._start_broker(side)
        for side in SIDES:
            url = f"mqtt://127.0.0.1:{self.ports[side]}"
            self._spawn(
                f"centre-{side}", "edge.delivery.centre",
                "--side", side, "--url", url, "--store", str(self.centre_path(side)),
            )  # fmt: skip
        self.start_service()

    def strike(self, victim: str) -> None:
        """Kill -9 the service or a side's broker."""
        if victim == "service":
            self._processes["service"].kill()
            self._processes["service"].wait()
        else:
            self._brokers[victim].kill()

    def revive(self, victim: str) -> None:
        """Start what was killed again."""
        if victim == "service":
            self.start_service()
        else:
            self._start_broker(victim)

    def stop(self) -> None:
        """End every process, service first, and wait for it."""
        for process in reversed(self._processes.values()):
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for broker in self._brokers.values():
            broker.stop()

    def centre_path(self, side: str) -> Path:
        """Where a side's centre stores."""
        return self.folder / f"centre-{side}.db"

    def produced(self) -> int:
        """Bytes that the producer has put down so far."""
        ledger = self.folder / "ledger"
        return ledger.stat().st_size if ledger.exists() else 0

    def _start_broker(self, side: str) -> None:
        self._brokers[side] = start_broker(self.ports[side], self.folder / side, kind="mosquitto")

    def start_service(self) -> None:
        """Start the service, on whatever its predecessor left behind."""
        north, south = (str(self.ports[side]) for side in SIDES)
        self._spawn(
            "service", "edge.study.kills",
            "--serve", str(self.folder), "--ports", north, south, "--rate", str(self._rate_per_s),
        )  # fmt: skip

    def _spawn(self, name: str, module: str, *args: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(  # noqa: S603 - our own module, no shell
                [*ending_with_parent(), sys.executable, "-m", module, *args],
                cwd=Path(__file__).parents[2],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


def run(
    *,
    times: int,
    seed: int,
    rate_per_s: float = 100.0,
    ports: Sequence[int] | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Result:
    """Kill `times` times and compare; every process has ended on return."""
    chance = random.Random(seed)
    began_s = time.monotonic()
    kills: Counter[str] = Counter()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="garita-kills-")))
        bench = Bench(folder, ports or _free_ports(), rate_per_s)
        stack.callback(bench.stop)
        bench.start()
        for number in range(1, times + 1):
            _wait_for_flow(bench)
            time.sleep(chance.uniform(0.02, 0.5))
            victim = chance.choice(["service", "service", *SIDES])
            bench.strike(victim)
            kills[victim] += 1
            time.sleep(chance.uniform(0.0, 0.3))
            bench.revive(victim)
            if number % 10 == 0 or number == times:
                say(f"kill {number} of {times}, {time.monotonic() - began_s:.0f} s")
        _wait_for_flow(bench)
        (folder / "enough").touch()
        say("waiting until both centres have everything")
        _wait(lambda: _drained(bench), DRAIN_S, "both centres to have everything", late=say)
        bench.stop()
        return _compare(bench, seed, dict(kills), time.monotonic() - began_s)


def _wait_for_flow(bench: Bench) -> None:
    before = bench.produced()
    _wait(lambda: bench.produced() > before, FLOW_S, "alerts to flow")


def _wait(
    reached: Callable[[], bool],
    within_s: float,
    what: str,
    *,
    late: Callable[[str], None] | None = None,
) -> None:
    """Wait for a condition. TimeoutError, or a word to `late`, where it does not come about."""
    deadline_s = time.monotonic() + within_s
    while not reached():
        if time.monotonic() > deadline_s:
            text = f"waited {within_s:.0f} s for {what} in vain"
            if late is None:
                raise TimeoutError(text)
            late(text)
            return
        time.sleep(0.02)


def _drained(bench: Bench) -> bool:
    before = bench.produced()
    last = max((mark.seq for mark, _ in committed(bench.folder)), default=0)
    for side in SIDES:
        with _store(bench.centre_path(side)) as store:
            mark = store.cursors().get(SITE)
        if mark is None or mark.seq < last:
            return False
    return bench.produced() == before


def _compare(bench: Bench, seed: int, kills: dict[str, int], seconds: float) -> Result:
    rows = committed(bench.folder)
    truth = {(mark.epoch, mark.seq, _digest(payload)) for mark, payload in rows}
    ledger = {
        (epoch, int(seq), digest)
        for epoch, seq, digest in (
            line.split() for line in (bench.folder / "ledger").read_text().splitlines()
        )
    }
    return Result(
        seed=seed,
        kills=kills,
        alerts=len(rows),
        epochs=len({mark.epoch for mark, _ in rows}),
        seconds=round(seconds, 1),
        sequence_has_gaps=[mark.seq for mark, _ in rows] != list(range(1, len(rows) + 1)),
        missing_from_outbox=len(ledger - truth),
        sides={side: compare_side(bench.centre_path(side), rows) for side in SIDES},
    )


def compare_side(path: Path, rows: list[tuple[Mark, bytes]]) -> SideResult:
    """What a centre holds beside what was committed, both in order."""
    with _store(path) as store:
        held, gaps = store.stored(SITE), store.gaps(SITE)
        wire: Wire = store.wire(SITE)
    found = set(held)
    return SideResult(
        stored=len(held),
        lost=sum(row not in found for row in rows),
        in_order=held == [row for row in rows if row in found],
        gaps=len(gaps),
        duplicates_on_the_wire=wire.duplicates,
        ahead_on_the_wire=wire.ahead,
    )


def committed(folder: Path) -> list[tuple[Mark, bytes]]:
    """What is in the outbox, in order, read without the outbox's own code."""
    connection = sqlite3.connect(folder / "outbox.db")
    try:
        found = connection.execute("SELECT epoch, seq, payload FROM row ORDER BY seq").fetchall()
    finally:
        connection.close()
    return [(Mark(epoch=epoch, seq=seq), payload) for epoch, seq, payload in found]


@contextmanager
def _store(path: Path) -> Iterator[CentreStore]:
    store = CentreStore(path)
    try:
        yield store
    finally:
        store.close()


def _free_ports() -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in SIDES]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


if __name__ == "__main__":
    raise SystemExit(main())
