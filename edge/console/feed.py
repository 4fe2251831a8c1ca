"""What there is to be seen now, and whoever watches being told what changes.

The last revision of each alert, how both sides stand to it, and what each side has stored, followed
from the disk twenty times a second: asking whether anything changed costs microseconds, and an
alert is painted where it was committed whatever the brokers do.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
import structlog

from edge.console.books import BooksError, OutboxBook, RecordBook
from edge.console.summary import CaseChange, Stored, Summary, summary_of
from edge.delivery.rows import Row
from edge.protocol.messages import decode_alert
from edge.together.cases import KINDS, Handling, take

LOOK_S = 0.05
MAX_ALERTS = 20_000
"""In the list; older ones are asked for by their id while they are kept."""
MAX_RECENT = 5_000
"""Events that a browser which was away is sent again; beyond that it reads the list anew."""
MAX_WAITING = 2_000
"""Events that one browser has yet to take; a slower one is cut off, and comes back by itself."""

EventKind = Literal["alert", "case", "stored", "site", "live", "beat", "again"]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something to tell every browser."""

    kind: EventKind
    data: bytes
    seq: int | None = None
    """Of an alert: what a browser that comes back asks from."""
    topic: str = ""
    """Of live data: only for who asked for it."""


@dataclass(slots=True, kw_only=True, eq=False)
class Watcher:
    """One browser that is connected."""

    topics: frozenset[str] = frozenset()
    """Live data that it wants."""
    waiting: deque[Event] = field(default_factory=deque)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    cut_off: bool = False

    def tell(self, event: Event) -> None:
        """Let it have an event, unless it is too slow for any more."""
        if event.kind == "live":
            if event.topic not in self.topics:
                return
            if len(self.waiting) > MAX_WAITING // 10:  # a glimpse that comes late is worth nothing
                return
        if len(self.waiting) >= MAX_WAITING:
            self.cut_off = True
        else:
            self.waiting.append(event)
        self.came.set()


class Feed:
    """The list, and its watchers. On the loop's thread."""

    def __init__(self, state_dir: Path, side: str) -> None:
        """Nothing is read before `look`."""
        self._outbox = OutboxBook(state_dir / "outbox.db", side)
        self._record = RecordBook(state_dir / "record.db")
        self._alerts: OrderedDict[str, Summary] = OrderedDict()
        """By id, in the order in which they were first told."""
        self._revisions: dict[str, list[int]] = {}
        self._handling = Handling()
        self._cases: dict[str, int] = {}
        """By alert, the entry that changed its case last."""
        self._stored: dict[str, Stored] = {}
        self._recent: deque[Event] = deque(maxlen=MAX_RECENT)
        self._watchers: set[Watcher] = set()
        self.seq = 0
        """Of the last alert that was read."""
        self.index = 0
        """Of the next entry of the record."""
        self.trouble = ""
        """Why nothing can be read."""

    @property
    def outbox(self) -> OutboxBook:
        """What files and whole alerts are read from."""
        return self._outbox

    # --- reading -----------------------------------------------------------------------

    def alerts(
        self, *, before_first_seq: int | None = None, limit: int = 200
    ) -> tuple[list[Summary], bool]:
        """A page of the list, newest first, and whether there are older ones."""
        page: list[Summary] = []
        for one in reversed(self._alerts.values()):
            if before_first_seq is not None and one.first_seq >= before_first_seq:
                continue
            if len(page) == limit:
                return page, True
            page.append(one)
        return page, False

    def revisions(self, alert_id: str) -> list[int]:
        """Sequence numbers of an alert's revisions, as far as they were read."""
        return self._revisions.get(alert_id, [])

    def alert(self, alert_id: str) -> Summary | None:
        """One row of the list."""
        return self._alerts.get(alert_id)

    def cases(self, after_index: int = -1) -> list[CaseChange]:
        """How the alerts stand that were handled since an entry of the record."""
        return [
            CaseChange(index=self._cases[alert], case=case.told())
            for alert, case in self._handling.cases.items()
            if self._cases[alert] > after_index
        ]

    def stored(self) -> list[Stored]:
        """What each side has stored."""
        return list(self._stored.values())

    # --- watching ----------------------------------------------------------------------

    def watch(self, last_seq: int | None, topics: frozenset[str]) -> Watcher:
        """A browser that is told from now on; first of what it missed since `last_seq`."""
        watcher = Watcher(topics=topics)
        self._watchers.add(watcher)
        if last_seq is not None:
            for event in self._missed(last_seq):
                watcher.tell(event)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """It is gone."""
        self._watchers.discard(watcher)

    @property
    def watching(self) -> int:
        """How many browsers there are."""
        return len(self._watchers)

    def tell(self, event: Event) -> None:
        """Everybody who watches."""
        if event.seq is not None:
            self._recent.append(event)
        for watcher in self._watchers:
            watcher.tell(event)

    def _missed(self, last_seq: int) -> Iterator[Event]:
        if last_seq > self.seq:  # of another day's outbox
            yield Event(kind="again", data=b"{}")
            return
        first = self._recent[0].seq if self._recent else self.seq + 1
        assert first is not None
        if last_seq + 1 < first and last_seq < self.seq:
            yield Event(kind="again", data=b"{}")  # too long away: the list is read anew
            return
        yield from (one for one in self._recent if one.seq is not None and one.seq > last_seq)

    # --- following the disk --------------------------------------------------------------

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        """Take over whatever was committed since the last time."""
        try:
            if self._outbox.changed():
                self._take_rows()
                self._take_stored()
            if self._record.changed():
                self._take_entries()
        except BooksError as error:
            if not self.trouble:
                log.warning("the console cannot read", error=str(error))
            self.trouble = str(error)
        else:
            self.trouble = ""

    def _take_rows(self) -> None:
        while rows := self._outbox.rows(self.seq):
            for row in rows:
                self.seq = row.seq
                summary = self._summary(row)
                if summary is not None:
                    self._put(summary)

    def _summary(self, row: Row) -> Summary | None:
        try:
            message = decode_alert(row.payload)
        except msgspec.DecodeError as error:
            log.error("alert not shown", seq=row.seq, error=str(error))
            return None
        known = self._alerts.get(message.id)
        return summary_of(
            message,
            first_seq=row.seq if known is None else known.first_seq,
            place=row.topic.split("/")[-2],
            committed_utc_ns=row.created_utc_ns,
        )

    def _put(self, summary: Summary) -> None:
        self._alerts[summary.id] = summary
        self._revisions.setdefault(summary.id, []).append(summary.seq)
        if len(self._alerts) > MAX_ALERTS:
            oldest, _ = self._alerts.popitem(last=False)
            del self._revisions[oldest]
        self.tell(Event(kind="alert", data=msgspec.json.encode(summary), seq=summary.seq))

    def _take_stored(self) -> None:
        for side, (seq, waiting) in self._outbox.stored().items():
            told = Stored(side=side, seq=seq, waiting=waiting)
            if self._stored.get(side) != told:
                self._stored[side] = told
                self.tell(Event(kind="stored", data=msgspec.json.encode(told)))

    def _take_entries(self) -> None:
        for entry in self._record.entries(self.index):
            self.index = entry.index + 1
            alert = entry.facts.get("alert")
            if entry.kind not in KINDS or not isinstance(alert, str) or not alert:
                continue
            self._handling = take(self._handling, entry)
            self._cases[alert] = entry.index
            change = CaseChange(index=entry.index, case=self._handling.of(alert).told())
            self.tell(Event(kind="case", data=msgspec.json.encode(change)))
        self._cases = {alert: self._cases[alert] for alert in self._handling.cases}

    def close(self) -> None:
        """Close what is read from."""
        self._outbox.close()
        self._record.close()
