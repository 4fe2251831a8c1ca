"""A side that was away: the other side meanwhile, its backlog, and fresh alerts beside it."""

import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from edge.study.figures import Figure, Options, at_least, at_most, percentile, plain
from edge.study.two_sides import (
    PATIENCE_S,
    PAYLOAD_BYTES,
    RATE_PER_S,
    SIDES,
    SWITCH_S,
    TwoSides,
)

BACKLOG = 20_000
PHASE_S = 15.0
PIECE = 500  # alerts committed at once while the backlog is made


def run(options: Options) -> list[Figure]:
    """A backlog of `--times` alerts; 20,000 without."""
    count = options.times or BACKLOG
    sys.setswitchinterval(SWITCH_S)
    with tempfile.TemporaryDirectory(prefix="garita-backlog-") as folder, ExitStack() as stack:
        return _Backlog(Path(folder), stack).measure(count, options)


class _Backlog(TwoSides):
    def measure(self, count: int, options: Options) -> list[Figure]:
        """The three phases."""
        self.commit(1)
        self.wait_for(SIDES, 1)
        options.say(f"backlog: both sides up, {RATE_PER_S:g} alerts/s for {PHASE_S:g} s")
        together = self.delays("north", self.flow(PHASE_S))
        self.brokers["south"].kill()
        options.say(f"backlog: south is away, {count:,} alerts")
        for first in range(0, count, PIECE):
            self.commit(min(PIECE, count - first))
        self.wait_for(["north"], self.outbox.last_seq)
        alone = self.delays("north", self.flow(PHASE_S))
        options.say("backlog: south is back")
        behind = self.outbox.last_seq
        before = len(self.heard["south"].stored_s)
        self.brokers["south"] = self.start_broker_of("south")
        fresh, drained_s = self._drain(behind)
        owed = behind - before
        how = f"{owed:,} alerts of {PAYLOAD_BYTES} bytes, signed, verified, stored"
        delays = self.delays("south", fresh)
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
                f"{self.outbox.last_seq:,} alerts, south's centre",
            ),
        ]

    def _drain(self, behind: int) -> tuple[dict[int, float], float]:
        """Fresh alerts until the backlog is stored; and how long that took from its first."""
        south = self.heard["south"].stored_s
        known = len(south)
        deadline_s = time.monotonic() + PATIENCE_S
        while len(south) == known and time.monotonic() < deadline_s:
            time.sleep(0.001)
        began_s = time.perf_counter()
        fresh: dict[int, float] = {}
        while behind not in south and time.monotonic() < deadline_s:
            fresh |= self.flow(1 / RATE_PER_S)
        drained_s = south.get(behind, time.perf_counter()) - began_s
        self.wait_for(["south"], self.outbox.last_seq)
        return fresh, drained_s

    def _disorder(self) -> int:
        stored = list(self.heard["south"].stored_s)
        return sum(seq != at for at, seq in enumerate(stored, 1)) + abs(
            self.outbox.last_seq - len(stored)
        )
