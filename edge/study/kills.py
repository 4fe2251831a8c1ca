"""Kill -9 until it hurts: does every alert reach both centres, once and in order?

A service runs as a process of its own, with two brokers and two centres: outbox and both
publishers, fed by a producer; or, with `--whole`, all of `garita run` on simulated portals.
While alerts flow, service or brokers are killed at seeded random moments and started again.
At the end what both centres hold is compared with what was committed, by (site, epoch, seq)
and content, and with a ledger that the producer keeps beside the outbox, so that the outbox
does not testify for itself.

The seed fixes who is killed when; the machine's own timing is part of the test.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from edge.delivery.centre_store import CentreStore, Wire
from edge.delivery.rows import Mark
from edge.study.ports import free_ports
from edge.study.producer import COMMITTED, SIDES, SITE, digest
from edge.study.victims import Bench, attached, committed

FLOW_S = 60.0  # alerts must flow again so long after a kill; a whole service takes seconds
DRAIN_S = 60.0  # and all be stored so long after the last one
EXPLANATION = {True: "nothing lost, order kept", False: "the promise was broken"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SideResult:
    """What one centre holds, compared with what was committed."""

    stored: int
    lost: int
    in_order: bool
    gaps: int
    files_lost: int
    """Files of evidence that were committed and are not here."""
    duplicates_on_the_wire: int
    ahead_on_the_wire: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The outcome of a run."""

    seed: int
    kills: dict[str, int]
    alerts: int
    files: int
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
            and all(
                s.lost == 0 and s.in_order and s.gaps == 0 and s.files_lost == 0
                for s in self.sides.values()
            )
        )


def main(args: Sequence[str] | None = None) -> int:
    """Run the harness: progress on stderr, the result as JSON on stdout. 1 where it failed."""
    parser = argparse.ArgumentParser(prog="garita bench kills", description=__doc__)
    parser.add_argument("--times", type=int, default=200, help="kills in all (default: 200)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=100.0, help="alerts a second")
    parser.add_argument("--whole", action="store_true", help="kill all of `garita run`")
    chosen = parser.parse_args(args)
    result = run(
        times=chosen.times,
        seed=chosen.seed,
        rate_per_s=chosen.rate,
        whole=chosen.whole,
        say=_say,
    )
    _say(EXPLANATION[result.kept])
    json.dump({**asdict(result), "kept": result.kept}, sys.stdout, indent=2)
    sys.stdout.write("\n")
    return 0 if result.kept else 1


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress, not data


def run(
    *,
    times: int,
    seed: int,
    rate_per_s: float = 100.0,
    ports: Sequence[int] | None = None,
    whole: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> Result:
    """Kill `times` times and compare; every process has ended on return."""
    chance = random.Random(seed)
    began_s = time.monotonic()
    kills: Counter[str] = Counter()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="garita-kills-")))
        bench = Bench(folder, ports or free_ports(2), rate_per_s, whole=whole)
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
        bench.enough()
        say("waiting until both centres have everything")
        _wait(lambda: _drained(bench), DRAIN_S, "both centres to have everything", late=say)
        last = bench.last_seq()
        bench.stop()
        return _compare(bench, last, seed, dict(kills), time.monotonic() - began_s)


def _wait_for_flow(bench: Bench) -> None:
    before = bench.last_seq()
    _wait(lambda: bench.last_seq() > before, FLOW_S, "alerts to flow")


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
    last = bench.last_seq()
    for side in SIDES:
        with _store(bench.centre_path(side)) as store:
            mark = store.cursors().get(bench.site)
        if mark is None or mark.seq < last:
            return False
    return True


def _compare(bench: Bench, last: int, seed: int, kills: dict[str, int], seconds: float) -> Result:
    # A whole service may have made one more in its last moment; that one is in its outbox.
    rows = [row for row in committed(bench.outbox_path) if row[0].seq <= last]
    files = attached(bench.outbox_path, last)
    truth = {(mark.epoch, mark.seq, digest(payload)) for mark, payload in rows}
    ledger = bench.folder / "ledger"
    noted = [line.split() for line in ledger.read_text().splitlines()] if ledger.exists() else []
    told = {(epoch, int(seq), hashed) for what, epoch, seq, hashed in noted if what == COMMITTED}
    return Result(
        seed=seed,
        kills=kills,
        alerts=len(rows),
        files=len(files),
        epochs=len({mark.epoch for mark, _ in rows}),
        seconds=round(seconds, 1),
        sequence_has_gaps=[mark.seq for mark, _ in rows] != list(range(1, len(rows) + 1)),
        missing_from_outbox=len(told - truth),
        sides={
            side: compare_side(bench.centre_path(side), rows, bench.site, files) for side in SIDES
        },
    )


def compare_side(
    path: Path, rows: list[tuple[Mark, bytes]], site: str = SITE, files: Sequence[str] = ()
) -> SideResult:
    """What a centre holds beside what was committed, both in order."""
    with _store(path) as store:
        held, gaps = store.stored(site), store.gaps(site)
        wire: Wire = store.wire(site)
        files_lost = sum(not store.has_evidence(site, sha256) for sha256 in files)
    found = set(held)
    return SideResult(
        stored=len(held),
        lost=sum(row not in found for row in rows),
        in_order=held[: len(rows)] == [row for row in rows if row in found],
        gaps=len(gaps),
        files_lost=files_lost,
        duplicates_on_the_wire=wire.duplicates,
        ahead_on_the_wire=wire.ahead,
    )


@contextmanager
def _store(path: Path) -> Iterator[CentreStore]:
    store = CentreStore(path)
    try:
        yield store
    finally:
        store.close()


if __name__ == "__main__":
    raise SystemExit(main())
