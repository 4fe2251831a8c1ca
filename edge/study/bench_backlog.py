"""A side that was away: what the other side notices, how its backlog drains, how fresh alerts pass.

Two real brokers, and `garita centre` as a process of its own for each side; every alert is
committed, signed, published, delivered and verified. A delay is from just before the commit to
the line that the centre prints, the first of the two where an alert went ahead of a backlog.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from edge.delivery.broker import BrokerProcess, start_broker
from edge.delivery.outbox import Outbox, Row
from edge.delivery.publisher import Publisher
from edge.delivery.sides import SideSettings
from edge.protocol import topics
from edge.protocol.messages import rfc3339
from edge.study.figures import Figure, Options, at_least, at_most, percentile, plain
from edge.study.ports import free_ports
from edge.trust.keys import Signer, make_signer, write_keyring

SIDES = ("north", "south")
SITE = "mariposa"
BACKLOG = 20_000
RATE_PER_S = 20.0
PHASE_S = 15.0
PIECE = 500  # alerts committed at once while the backlog is made
PAYLOAD_BYTES = 1500
DAY_NS = 86_400 * 10**9
PATIENCE_S = 300.0
SWITCH_S = 0.0005  # as the service sets it


class Heard:
    """What a side's centre has printed."""

    def __init__(self, stream: Iterator[bytes]) -> None:
        self.first_s: dict[int, float] = {}
        self.stored_s: dict[int, float] = {}
        self._stream = stream
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._stream:
            now_s = time.perf_counter()
            head = line[: line.index(b',"key"')].decode()
            seq = int(head.partition('"seq":')[2].partition(",")[0])
            self.first_s.setdefault(seq, now_s)
            if head.endswith('"ahead":false'):
                self.stored_s[seq] = now_s


def run(options: Options) -> list[Figure]:
    """A backlog of `--times` alerts; 20,000 without."""
    count = options.times or BACKLOG
    sys.setswitchinterval(SWITCH_S)
    with tempfile.TemporaryDirectory(prefix="garita-backlog-") as folder, ExitStack() as stack:
        return _Site(Path(folder), stack).measure(count, options)


class _Site:
    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        now_utc_ns = time.time_ns()
        self._signer = make_signer(
            folder / "edge.pem",
            owner=f"edge/{SITE}",
            role="edge",
            not_before_utc_ns=now_utc_ns - DAY_NS,
            not_after_utc_ns=now_utc_ns + DAY_NS,
        )
        write_keyring(folder / "keyring.json", [self._signer.public])
        self._ports = dict(zip(SIDES, free_ports(2), strict=True))
        self._brokers = {side: self._start_broker(side) for side in SIDES}
        stack.callback(self._end_brokers)
        self._heard = {side: stack.enter_context(self._centre(side)) for side in SIDES}
        self._outbox = Outbox(folder / "outbox.db", SIDES)
        stack.callback(self._outbox.close)
        self._publishers = [self._publisher(side, self._signer) for side in SIDES]
        for publisher in self._publishers:
            publisher.start()
            stack.callback(publisher.stop)

    def _end_brokers(self) -> None:
        for broker in self._brokers.values():
            broker.kill()

    def _start_broker(self, side: str) -> BrokerProcess:
        return start_broker(self._ports[side], self._folder / side, kind="mosquitto")

    @contextmanager
    def _centre(self, side: str) -> Iterator[Heard]:
        command = [
            sys.executable, "-m", "edge", "centre", "--json", "--side", side,
            "--url", f"mqtt://127.0.0.1:{self._ports[side]}",
            "--store", str(self._folder / f"{side}.db"),
            "--keyring", str(self._folder / "keyring.json"),
        ]  # fmt: skip
        root = Path(__file__).parents[2]
        process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
            command,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout is not None
        try:
            yield Heard(process.stdout)
        finally:
            process.kill()
            process.wait()

    def _publisher(self, side: str, signer: Signer) -> Publisher:
        settings = SideSettings(
            name=side, host="127.0.0.1", port=self._ports[side], keeps_cursor=True
        )
        return Publisher(settings, self._outbox, site=SITE, signer=signer)

    def measure(self, count: int, options: Options) -> list[Figure]:
        """The three phases."""
        self._commit(1)
        self._wait_for(SIDES, 1)
        options.say(f"backlog: both sides up, {RATE_PER_S:g} alerts/s for {PHASE_S:g} s")
        together = self._delays("north", self._flow(PHASE_S))
        self._brokers["south"].kill()
        options.say(f"backlog: south is away, {count:,} alerts")
        for first in range(0, count, PIECE):
            self._commit(min(PIECE, count - first))
        self._wait_for(["north"], self._outbox.last_seq)
        alone = self._delays("north", self._flow(PHASE_S))
        options.say("backlog: south is back")
        behind = self._outbox.last_seq
        before = len(self._heard["south"].stored_s)
        self._brokers["south"] = self._start_broker("south")
        fresh, drained_s = self._drain(behind)
        owed = behind - before
        how = f"{owed:,} alerts of {PAYLOAD_BYTES} bytes, signed, verified, stored"
        delays = self._delays("south", fresh)
        return [
            plain("both up: north p50", percentile(together, 0.5) * 1e3, "ms", "20/s"),
            plain("both up: north p99", percentile(together, 0.99) * 1e3, "ms", "20/s"),
            plain("south away: north p99", percentile(alone, 0.99) * 1e3, "ms", "20/s"),
            at_most(
                "north p99, south away against up",
                percentile(alone, 0.99) / max(percentile(together, 0.99), 1e-9),
                1.1,
                "",
                f"{len(together)} and {len(alone)} alerts",
            ),
            at_least("backlog drained", owed / drained_s, 1000.0, "alerts/s", how),
            plain("fresh behind the backlog: p50", percentile(delays, 0.5) * 1e3, "ms", "20/s"),
            at_most(
                "fresh behind the backlog: p99",
                percentile(delays, 0.99) * 1e3,
                50.0,
                "ms",
                f"{len(delays)} alerts at 20/s, from commit to the centre's line",
            ),
            at_most(
                "not stored once, or out of order",
                float(self._disorder()),
                0.0,
                "alerts",
                f"{self._outbox.last_seq:,} alerts, south's centre",
            ),
        ]

    def _drain(self, behind: int) -> tuple[dict[int, float], float]:
        """Fresh alerts until the backlog is stored; and how long that took from its first."""
        south = self._heard["south"].stored_s
        known = len(south)
        deadline_s = time.monotonic() + PATIENCE_S
        while len(south) == known and time.monotonic() < deadline_s:
            time.sleep(0.001)
        began_s = time.perf_counter()
        fresh: dict[int, float] = {}
        while behind not in south and time.monotonic() < deadline_s:
            fresh |= self._flow(1 / RATE_PER_S)
        drained_s = south.get(behind, time.perf_counter()) - began_s
        self._wait_for(["south"], self._outbox.last_seq)
        return fresh, drained_s

    def _flow(self, seconds: float) -> dict[int, float]:
        """One alert every twentieth of a second; when each was about to be committed."""
        began: dict[int, float] = {}
        end_s = time.perf_counter() + seconds
        while time.perf_counter() < end_s:
            at_s = time.perf_counter()
            began[self._commit(1)] = at_s
            time.sleep(max(0.0, 1 / RATE_PER_S - (time.perf_counter() - at_s)))
        return began

    def _commit(self, count: int) -> int:
        first = self._outbox.last_seq + 1
        self._outbox.commit([self._row(seq) for seq in range(first, first + count)])
        for publisher in self._publishers:
            publisher.wake()
        return self._outbox.last_seq

    def _row(self, seq: int) -> Row:
        place = f"nb-{seq % 10:02d}"
        now_utc_ns = time.time_ns()
        told = {
            "schema": "garita.alert/1", "id": f"A{seq}", "revision": 1, "seq": seq,
            "epoch": self._outbox.epoch, "site": SITE, "lane": place, "zone": None,
            "status": "Actual", "level": 3, "updated": rfc3339(now_utc_ns),
        }  # fmt: skip
        payload = msgspec.json.encode(told).ljust(PAYLOAD_BYTES)
        return Row(
            seq=seq,
            epoch=self._outbox.epoch,
            exercise=False,
            topic=topics.alert_topic(topics.ROOT, SITE, place),
            payload=payload,
            active_topic=topics.active_topic(topics.ROOT, SITE, place, f"A{seq % 20}"),
            active_payload=b"" if seq % 2 else payload,
            level=3,
            created_utc_ns=now_utc_ns,
        )

    def _wait_for(self, sides: Sequence[str], seq: int) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while any(seq not in self._heard[side].stored_s for side in sides):
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"number {seq} not stored within {PATIENCE_S:g} s")
            time.sleep(0.002)

    def _delays(self, side: str, began: dict[int, float]) -> list[float]:
        if began:
            self._wait_for([side], max(began))
        heard = self._heard[side].first_s
        return [heard[seq] - at_s for seq, at_s in began.items()]

    def _disorder(self) -> int:
        stored = list(self._heard["south"].stored_s)
        return sum(seq != at for at, seq in enumerate(stored, 1)) + abs(
            self._outbox.last_seq - len(stored)
        )
