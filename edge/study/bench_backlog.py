"""A side that was away for a week: the other side meanwhile, its backlog, fresh alerts beside it.

The other side is measured against a second checkpoint that has both, in turn with it on the same
machine in the same run.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from edge.delivery.outbox import Limits, Row
from edge.study.figures import Figure, Options, at_least, at_most, percentile, plain
from edge.study.two_sides import (
    PATIENCE_S,
    PAYLOAD_BYTES,
    RATE_PER_S,
    SIDES,
    SWITCH_S,
    TwoSides,
    machine,
)

BACKLOG = 20_000
WEEK_S = 7 * 86_400
ROUNDS, ROUND_S = 12, 5.0  # long enough in all for a p99, short enough that both see the same noise
PIECE = 500  # alerts committed at once while the backlog is made


def run(options: Options) -> list[Figure]:
    """A week of `--times` alerts; 20,000 without."""
    count = options.times or BACKLOG
    sys.setswitchinterval(SWITCH_S)
    with tempfile.TemporaryDirectory(prefix="garita-backlog-") as name, ExitStack() as stack:
        folder = Path(name)
        whole = TwoSides(folder / "whole", stack, tls=True)
        whole.commit(1)
        whole.wait_for(SIDES, 1)
        return _Backlog(folder / "away", stack, tls=True).measure(count, whole, options)


class _Backlog(TwoSides):
    def measure(self, count: int, whole: TwoSides, options: Options) -> list[Figure]:
        """The week, the other side beside one where nobody is away, and the return."""
        self.commit(1)
        self.wait_for(SIDES, 1)
        before = len(self.heard["south"].stored_s)
        self.brokers["south"].kill()
        options.say(f"backlog: south is away for a week of {count:,} alerts")
        self._week(count)
        self.wait_for(["north"], self.outbox.last_seq)
        options.say(f"backlog: {2 * ROUNDS} times {ROUND_S:g} s, both up and south away in turn")
        together, alone = self._in_turn(whole)
        bytes_owed = sum(len(row.payload) + len(row.active_payload) for row in self._owed())
        options.say("backlog: south is back")
        behind = self.outbox.last_seq
        self.brokers["south"] = self.start_broker_of("south")
        fresh, drained_s = self._drain(behind)
        owed = behind - before
        how = f"{owed:,} alerts of {PAYLOAD_BYTES} bytes, TLS 1.3, signed, verified, stored"
        delays = self.delays("south", fresh)
        stamped = f"{count:,} over 7 days, {count / 168:.0f} an hour; {machine()}"
        return [
            plain("owed to south", bytes_owed / 1e6, "MB", f"of {Limits().max_bytes / 1e6:.0f}"),
            at_most("given up", float(self.outbox.count_dead("south")), 0.0, "alerts", stamped),
            plain("both up: north p50", percentile(together, 0.5) * 1e3, "ms", "20/s"),
            plain("south away: north p50", percentile(alone, 0.5) * 1e3, "ms", "20/s"),
            plain("both up: north p99", percentile(together, 0.99) * 1e3, "ms", "20/s"),
            plain("south away: north p99", percentile(alone, 0.99) * 1e3, "ms", "20/s"),
            at_most(
                "north p99, south away against up",
                percentile(alone, 0.99) / max(percentile(together, 0.99), 1e-9),
                1.1,
                "",
                f"{len(together)} and {len(alone)} alerts in turn",
            ),
            at_least("backlog drained", owed / drained_s, 1000.0, "alerts/s", how),
            plain("fresh behind the backlog: p50", percentile(delays, 0.5) * 1e3, "ms", "20/s"),
            at_most(
                "fresh behind the backlog: p99",
                percentile(delays, 0.99) * 1e3,
                50.0,
                "ms",
                f"{len(delays)} alerts at 20/s, from before the commit until verified",
            ),
            at_most(
                "not stored once, or out of order",
                float(self._disorder()),
                0.0,
                "alerts",
                f"{self.outbox.last_seq:,} alerts, south's centre",
            ),
        ]

    def _week(self, count: int) -> None:
        """Its alerts, dated evenly over the seven days before now."""
        for first in range(0, count, PIECE):
            age_s = WEEK_S * (1 - first / count)
            self.commit(min(PIECE, count - first), age_s=age_s, apart_s=WEEK_S / count)

    def _in_turn(self, whole: TwoSides) -> tuple[list[float], list[float]]:
        together: list[float] = []
        alone: list[float] = []
        for turn in range(ROUNDS):
            for site, found in ((whole, together), (self, alone))[:: 1 if turn % 2 else -1]:
                found.extend(site.delays("north", site.flow(ROUND_S)))
        return together, alone

    def _owed(self) -> Iterator[Row]:
        after_seq = self.outbox.cursor("south").seq
        while rows := self.outbox.pending("south", after_seq, PIECE):
            yield from rows
            after_seq = rows[-1].seq

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
