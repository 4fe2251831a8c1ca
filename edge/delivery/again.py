"""What a side is sent once more, beside what comes in its turn: ranges that its centre asks for,
and dead letters that somebody wants to be tried again (`garita outbox retry`).

A centre that keeps a cursor and wants everything from a number on has its cursor put back instead
(`Flow.ask_again`), so that a loss on the way is mended like any other. A range is for who wants
just these. It gives way to every row that has yet to be sent, fills at most half of the window, and
its rows are the same bytes as before: known by (site, epoch, seq) wherever they are held already.
A dead letter stays one until the broker has taken it.
"""

import time
from collections import deque
from dataclasses import dataclass

import structlog

from edge.delivery.files import Files
from edge.delivery.flow import Flight, Flow, user_properties
from edge.delivery.link import Link
from edge.delivery.outbox import ORIGIN, Mark, Outbox, Row
from edge.delivery.seals import Seals

AGAIN = "again"
"""What its messages are called among a flow's flights."""
FETCH = 64  # rows read from disk at a time
LOOK_S = 1.0  # `garita outbox retry` is another process: it only leaves a note in the file

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be sent once more."""

    first: int
    last: int | None = None
    """None: everything from the first on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """A row that goes out next."""

    row: Row
    after: Mark
    """What it follows."""
    tried: bool
    """It was a dead letter, and is of no range."""


class Again:
    """The ranges of one side; what a lost connection interrupts goes on at the next."""

    def __init__(self, side: str, outbox: Outbox, seals: Seals) -> None:
        self._side = side
        self._outbox = outbox
        self._files = Files(side, outbox, seals)
        self._seals = seals
        self._wanted: deque[Wanted] = deque()
        self._rows: deque[_Turn] = deque()
        self._position: int | None = None
        """Everything of the first range up to here was sent; None before it has begun."""
        self._acked = 0
        self._previous = ORIGIN
        self._trying: set[int] = set()
        """Rows that are tried again and were not answered yet."""
        self._tries: deque[int] = deque()
        self._settled: deque[tuple[int, str]] = deque()
        self._looked_s = -LOOK_S

    def ask(self, wanted: Wanted) -> None:
        """Send it after what was asked for before."""
        self._wanted.append(wanted)

    def begin(self) -> None:
        """A new connection: what no broker has acknowledged goes out once more."""
        self._rows.clear()
        self._files.unload()
        self._tries.clear()
        self._trying = {seq for seq, _ in self._settled}
        if self._wanted and self._position is not None:
            last = self._wanted.popleft().last
            self._wanted.appendleft(Wanted(first=self._acked + 1, last=last))
        self._position = None

    def acked(self, seq: int) -> None:
        """The broker has taken a row."""
        if seq in self._trying:
            self._settled.append((seq, ""))
            return
        self._acked = max(self._acked, seq)

    def refused(self, seq: int, reason: str) -> None:
        """The broker does not take a row, so none of its range: who asked sees that it is less."""
        if seq in self._trying:
            self._settled.append((seq, reason))
            return
        if self._wanted:
            log.error("alerts asked for again refused", side=self._side, reason=reason)
        self._wanted.clear()
        self._rows = deque(each for each in self._rows if each.tried)
        self._position = None

    def send(self, flow: Flow, link: Link, limit_bytes: int | None) -> None:
        """Send what there is room for. OutboxError where it cannot be read or noted now."""
        self._look()
        while flow.room > flow.window // 2 and self._next():
            row = self._rows[0].row
            if not self._files.loaded(row):
                self._files.load(row)
            if self._files.next is None:
                self._send(flow, link, self._rows.popleft(), limit_bytes)
            elif self._files.may_send(flow):
                self._files.send(flow, link, row, limit_bytes)
                for part, reason in self._files.take_undeliverable():
                    self._outbox.dead_letter(self._side, row.seq, reason, part=part)
            else:
                return

    def _look(self) -> None:
        while self._settled:
            seq, refusal = self._settled[0]
            self._outbox.retried(self._side, seq, refusal)
            self._settled.popleft()
            self._trying.discard(seq)
            log.info("dead letter tried again", side=self._side, seq=seq, refusal=refusal)
        now_s = time.monotonic()
        if now_s - self._looked_s >= LOOK_S and not self._trying:
            self._looked_s = now_s
            self._tries.extend(self._outbox.retries(self._side))
            self._trying = set(self._tries)

    def _next(self) -> bool:
        while self._tries and not self._rows:
            row = self._outbox.take_retry(self._side, self._tries[0])
            seq = self._tries.popleft()
            if row is None:
                self._settled.append((seq, "no longer kept"))
            else:
                self._rows.append(_Turn(row=row, after=self._before(seq), tried=True))
        while self._wanted and not self._rows:
            first, last = self._wanted[0].first, self._wanted[0].last or self._outbox.last_seq
            if self._position is None:
                self._previous = self._before(first)
                self._position = self._acked = first - 1
            if left := last - self._position:
                found = self._outbox.pending(self._side, self._position, min(FETCH, left))
                for row in (one for one in found if one.seq <= last):
                    self._rows.append(_Turn(row=row, after=self._previous, tried=False))
                    self._previous = Mark(epoch=row.epoch, seq=row.seq)
            if not self._rows:
                self._wanted.popleft()
                self._position = None
                log.info("range sent again", side=self._side, first=first, last=last)
        return bool(self._rows)

    def _before(self, first: int) -> Mark:
        """What the first row follows, kept or not."""
        kept = self._outbox.predecessor(self._side, first, 0)
        return kept or before(self._outbox, first)

    def _send(self, flow: Flow, link: Link, turn: _Turn, limit_bytes: int | None) -> None:
        row = turn.row
        told = user_properties(row, turn.after, self._files.sent)
        self._files.unload()  # it may come once more, with other files
        if not turn.tried:
            self._position = row.seq
        try:
            mid = link.publish(
                row.topic,
                row.payload,
                user_properties=self._seals.message(row.topic, row.payload, told),
                content_type="application/json",
                limit_bytes=limit_bytes,
            )
        except ValueError as error:  # a dead letter since it was first sent
            if turn.tried:
                self._settled.append((row.seq, f"cannot be sent: {error}"))
            return
        flow.sent(mid, Flight(part=AGAIN, seq=row.seq, topic=row.topic, sent_s=time.monotonic()))


def before(outbox: Outbox, first: int) -> Mark:
    """The mark of the number before `first`."""
    return Mark(epoch=outbox.epoch_of(first - 1), seq=first - 1) if first > 1 else ORIGIN
