"""Which row goes to a side next: go-back-N over a window, without socket, clock or disk.

Rows go out in order. Each names its predecessor on this side in the user property `after`
(`epoch/seq`), and a centre stores a row only when it holds that predecessor; so what a
centre holds is always a prefix, and its cursor says all. Where a row can never arrive (the
broker refused it, or a full outbox gave it up), its follower names the one before the gap,
or the cursor itself: the gap is passed, and both ends can see it.

A centre that misses something says so by publishing its cursor again. When it has spoken
and then stands still, everything after its cursor is sent once more, each time after a
longer wait; a centre that says nothing is away, and is not flooded.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from edge.delivery.rows import ORIGIN, Attachment, Mark, Row
from edge.protocol.messages import rfc3339

ALERT_SCHEMA = "garita.alert/1"
LIVE = "live"
"""The user property `lane` of a copy that is sent ahead of a backlog."""
WINDOW = 20
"""Unacknowledged messages at most: Mosquitto's own default, and a round trip of 10 ms still
carries 2,000 messages a second."""
STALL_S = 2.0  # storing a burst on a slow card takes 0.5 s; less would send it twice
MAX_STALL_S = 30.0
LEAD = 40
"""Rows sent beyond the cursor of a centre that is storing: what waits in its broker is what a fresh
alert waits behind, so it is no more than keeps a centre busy. With 500 one waited 0.2 s. A centre
that is far away drains 40 in each round trip."""
LEAD_S = 5.0
"""A centre that has stored nothing for so long no longer holds new alerts back from the other
readers of its broker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """A message that the broker has yet to acknowledge."""

    part: str
    """`"alert"`, `"active"`, `"document"`, or `"evidence/2"` for the second file of an alert."""
    seq: int
    topic: str
    sent_s: float
    bytes: int = 0
    """Of a file; other messages are small."""


class Flow:
    """The state of one connection to one side. Times are seconds of any steady clock."""

    def __init__(
        self, *, keeps_cursor: bool, done: int, base: Mark, window: int, now_s: float
    ) -> None:
        """Begin after row `done`; `base` is what the side's centre has, as far as is known."""
        self.keeps_cursor = keeps_cursor
        self.window = max(1, min(WINDOW, window))
        self.done = done
        self.base = base
        self.position = done
        """The last row that was sent in this pass."""
        self.previous = base
        """What the next row follows."""
        self.flights: dict[int, Flight] = {}
        self._order: deque[tuple[int, Mark]] = deque()
        self._held: int | None = None
        """The first row that was passed over and will be sent again."""
        self._rewind_to: int | None = None
        self._heard = False
        self._progress_s = now_s
        self._stored_s = -LEAD_S
        self._stall_s = STALL_S

    # --- sending -----------------------------------------------------------------------

    @property
    def room(self) -> int:
        """Messages that may be sent now."""
        return self.window - len(self.flights)

    def may_send_rows(self, now_s: float) -> bool:
        """Whether the next row may go out, as far as it is not a matter of room."""
        if self._rewind_to is not None:
            return False
        ahead = self.keeps_cursor and self.position - self.done >= LEAD
        return not (ahead and now_s - self._stored_s < LEAD_S)

    def behind(self, last_seq: int, now_s: float) -> int:
        """Rows that one committed now would wait for: those not sent yet, and, while its centre
        is storing, those that it has yet to store. A centre that is away keeps nobody waiting."""
        storing = self.keeps_cursor and now_s - self._stored_s < LEAD_S
        return last_seq - (self.done if storing else max(self.position, self.done))

    def sent(self, mid: int, flight: Flight, mark: Mark | None = None) -> None:
        """A message is on its way; `mark` names it where it is a row."""
        self.flights[mid] = flight
        if mark is None and flight.bytes and not self.keeps_cursor:
            self._order.append((mid, self.previous))  # its row is not done before the file is
        if mark is not None:
            if self.position == self.done:
                self._progress_s = flight.sent_s  # waiting for the centre begins now
            self.position, self.previous = mark.seq, mark
            if not self.keeps_cursor:
                self._order.append((mid, mark))

    def pass_over(self, mark: Mark) -> None:
        """Send a row later, or again; what follows it still names it, so no centre passes it."""
        self._held = mark.seq if self._held is None else min(self._held, mark.seq)
        self.skip(mark)

    def skip(self, mark: Mark) -> None:
        """Send no row up to here in this pass."""
        if mark.seq > self.position:
            self.position, self.previous = mark.seq, mark

    # --- what the broker says ----------------------------------------------------------

    def acked(self, mid: int) -> Flight | None:
        """What was acknowledged; None where it is none of ours."""
        return self.flights.pop(mid, None)

    def settle(self) -> None:
        """Without a cursor, the acknowledged rows before the first open one are done."""
        while self._order and self._order[0][0] not in self.flights:
            _, mark = self._order.popleft()
            if mark.seq > self.done and (self._held is None or mark.seq < self._held):
                self.done, self.base = mark.seq, mark

    def refused(self, seq: int) -> None:
        """A row will never arrive; what followed it must be sent again, naming the gap.

        Without a cursor nobody waits for the row, and its followers are on their way.
        """
        if self.keeps_cursor:
            self._go_back(seq - 1)

    def under_way(self, *parts: str) -> bool:
        """Whether a message of these parts waits for its acknowledgement."""
        return any(flight.part in parts for flight in self.flights.values())

    @property
    def bytes_under_way(self) -> int:
        """Of files that the broker has yet to acknowledge."""
        return sum(flight.bytes for flight in self.flights.values())

    def oldest_flight_s(self) -> float | None:
        """When the longest-waiting message was sent."""
        return next(iter(self.flights.values())).sent_s if self.flights else None

    # --- what the centre says ----------------------------------------------------------

    def alive(self, now_s: float) -> None:
        """The centre is there: from now on it is expected to get on."""
        if not self._heard:
            self._heard = True
            self._progress_s = max(self._progress_s, now_s)

    def heard(self, mark: Mark, *, known: bool, retained: bool, now_s: float) -> bool:
        """The centre says what it has stored. True where `done` changed.

        known     the mark is one of our rows; a stranger's is what it has of another outbox
        retained  it may be old: such a cursor never takes anything back
        """
        if not retained:  # the broker keeps a retained one for a centre that is away
            self.alive(now_s)
        if not known:
            self.base = mark  # should this pass not be taken, the next says: it follows from there
            return False
        if mark.seq == self.done or (mark.seq < self.done and retained):
            if mark.seq == self.done:
                self.base = mark
            return False
        if mark.seq > self.done:
            self._progress_s = self._stored_s = now_s
            self._stall_s = STALL_S
        self.done, self.base = mark.seq, mark
        if self._rewind_to is not None:
            self._rewind_to = max(self._rewind_to, self.done)
        if self.position < self.done:
            self.position, self.previous = self.done, mark
        return True

    def ask_again(self, mark: Mark, now_s: float) -> bool:
        """The side asks for everything after a mark. True where `done` went back."""
        went_back = mark.seq < self.done
        if went_back:
            self.done, self.base = mark.seq, mark
        self.alive(now_s)
        self._go_back(self.done)
        return went_back

    # --- going back --------------------------------------------------------------------

    def due_to_go_back(self, now_s: float) -> int | None:
        """The row after which to begin again, once nothing of the old pass is under way."""
        if self._rewind_to is None and self._stalled(now_s):
            self._stall_s = min(self._stall_s * 2, MAX_STALL_S)
            self._go_back(self.done)
        if self._rewind_to is None or self.under_way("alert"):
            return None
        return self._rewind_to

    def try_again(self) -> None:
        """Go back to the first row that was passed over."""
        if self._held is not None:
            self._go_back(self._held - 1)

    def begin_again(self, predecessor: Mark | None, now_s: float) -> None:
        """Go back; `predecessor` is the last row before there that the side can have, or None."""
        self._rewind_to = None
        self._heard = False
        self._progress_s = now_s
        if predecessor is None or predecessor.seq <= self.done:
            self.position, self.previous = self.done, self.base
        else:
            self.position, self.previous = predecessor.seq, predecessor
        if self._held is not None and self.position < self._held:
            self._held = None

    def _go_back(self, seq: int) -> None:
        self._rewind_to = seq if self._rewind_to is None else min(self._rewind_to, seq)

    def _stalled(self, now_s: float) -> bool:
        return (
            self.keeps_cursor
            and self._heard
            and self.position > self.done
            and now_s - self._progress_s > self._stall_s
        )


def after_property(mark: Mark) -> str:
    """A mark as the user property `after` carries it."""
    return f"{mark.epoch}/{mark.seq}"


def user_properties(
    row: Row, previous: Mark, files: Sequence[Attachment] = ()
) -> list[tuple[str, str]]:
    """What a reader can tell without opening the payload; a centre needs no more.

    files  those that went to this side before the row
    """
    told = {
        "schema": ALERT_SCHEMA,
        **dict(row.properties),
        "epoch": row.epoch,
        "seq": str(row.seq),
        "after": after_property(previous),
    }
    if files:
        told["evidence"] = " ".join(each.sha256 for each in files)
    return list(told.items())


def file_properties(row: Row, file: Attachment) -> list[tuple[str, str]]:
    """What a file says of itself, and the row that it belongs to."""
    return [
        ("name", file.name),
        ("media_type", file.media_type),
        ("sha256", file.sha256),
        ("epoch", row.epoch),
        ("seq", str(row.seq)),
        ("time", rfc3339(row.created_utc_ns)),
    ]


def read_after(text: str) -> Mark | None:
    """The mark in a user property `after`, or None where it is none."""
    epoch, slash, seq = text.rpartition("/")
    if not slash or not (seq.isascii() and seq.isdigit()) or len(seq) > 18:
        return None
    mark = Mark(epoch=epoch, seq=int(seq))
    return mark if mark.seq or mark == ORIGIN else None
