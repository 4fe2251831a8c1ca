"""One connection of one side's publisher: what goes out, and what comes back.

In this order: the retained documents (birth, state, health), the last word on every active
alert, then the rows, of which fresh ones also go ahead of a backlog (`edge.delivery.fresh`);
live data whenever the socket takes it. A row is its files, then two messages, its stream and its
retained topic. The retained topics are restated at every
connection, so that a broker that lost them, or missed a clearing, is put right whatever the
cursor says.
"""

import time
from collections import deque
from collections.abc import Mapping

import structlog

from edge.delivery import inbound
from edge.delivery.again import AGAIN, Again, Wanted, before
from edge.delivery.books import Books, Pause
from edge.delivery.files import Files
from edge.delivery.flow import Flight, Flow, user_properties
from edge.delivery.fresh import Fresh
from edge.delivery.happenings import (
    Acked,
    Connected,
    Document,
    Happening,
    LinkLost,
    Received,
    Subscribed,
)
from edge.delivery.hold import Hold, Refused
from edge.delivery.hooks import Hooks, Live, Tally, safely
from edge.delivery.link import Link
from edge.delivery.outbox import ORIGIN, Mark, Outbox, Row
from edge.delivery.seals import Seals
from edge.delivery.sides import SideSettings
from edge.protocol import topics

log = structlog.get_logger()

REFUSED = 0x80  # from here on a reason code is a refusal, MQTT 5 section 2.4
FETCH = 64  # rows read from disk at a time
JSON = "application/json"
SLOWEST_BYTES_S = 16_000  # a link of 128 kbit/s is slow, and not dead, while a file is under way


class Session:
    """Drives a link that was just opened until it is lost."""

    def __init__(
        self,
        link: Link,
        *,
        settings: SideSettings,
        site: str,
        outbox: Outbox,
        documents: Mapping[str, bytes],
        hooks: Hooks,
        tally: Tally,
        seals: Seals | None = None,
        again: Again | None = None,
    ) -> None:
        self._link = link
        self._settings = settings
        self._side = settings.name
        self._site = site
        self._outbox = outbox
        self._hooks = hooks
        self._tally = tally
        self._ops_topic = topics.ops_state_topic(topics.ROOT, self._side)
        self._cursor_topic = topics.cursor_topic(topics.ROOT, self._side, site)
        self._flow: Flow | None = None
        self._limit_bytes: int | None = None
        self._statements: deque[tuple[str, int, Document]] = deque(
            ("document", 0, Document(topic=topic, payload=payload))
            for topic, payload in documents.items()
        )
        self._rows: deque[Row] = deque()
        self._seals = seals or Seals(settings.name)
        self._files = Files(settings.name, outbox, self._seals)
        self._fresh = Fresh(settings.name, outbox, self._seals)
        self._again = again or Again(settings.name, outbox, self._seals)
        self._again.begin()
        self._restated_seq = 0
        self._cursor_garbled = False
        self._greeting: Connected | None = None
        self._hold = Hold()
        self._books = Books(outbox, self._side)
        self._reading = Pause(self._side, "alerts cannot be read")
        self._undeliverable: dict[str, str] = {}

    @property
    def connected(self) -> bool:
        """Whether the broker has taken us."""
        return self._flow is not None

    @property
    def idle(self) -> bool:
        """Nothing waits to be said or acknowledged but rows."""
        return self._flow is not None and not self._statements and not self._flow.flights

    def state(self, document: Document) -> None:
        """Say a retained document in its turn."""
        self._statements.append(("document", 0, document))

    def send_again(self, wanted: Wanted) -> None:
        """The side asks for alerts once more; only while connected."""
        if self._flow is None or not self._flow.keeps_cursor or wanted.last is not None:
            self._again.ask(wanted)
            return
        mark = before(self._outbox, wanted.first)
        if self._flow.ask_again(mark, time.monotonic()):
            self._books.cursor(mark)

    def live(self, message: Live) -> None:
        """Send at once, or count it as dropped."""
        if self._flow is None or (self._link.clogged and not message.waited_for):
            self._tally.dropped_live += 1
            return
        self._link.publish(
            message.topic,
            message.payload,
            qos=0,
            retain=message.retain,
            expiry_s=message.expiry_s,
            correlation=message.correlation,
            content_type=JSON,
        )

    def step(self, timeout_s: float) -> None:
        """Send what may be sent, wait for news, take it in. LinkLost ends the session."""
        if self._greeting is not None and self._flow is None and self._reading.over:
            with self._reading.attempt():
                self._begin(self._greeting)
        if self._flow is not None:
            self._send(self._flow)
        for happening in self._link.step(timeout_s):
            self._take(happening)
        if self._flow is not None:
            self._watch(self._flow)

    # --- out ---------------------------------------------------------------------------

    def _send(self, flow: Flow) -> None:
        now_s = time.monotonic()
        held_due = self._hold.due(now_s)
        if held_due and self._reading.over and not flow.under_way("alert", "active"):
            self._begin_held_again(flow)
            held_due = False
        self._go_back(flow, now_s)
        self._send_fresh(flow, now_s)
        while flow.room > 0:
            if self._statements:
                self._say(flow, *self._statements.popleft())
            elif held_due or not flow.may_send_rows(now_s) or not self._next_row(flow):
                break
            elif not self._hold.all and not self._hold.keeps(self._rows[0].topic):
                if not self._send_next(flow):
                    break
            else:
                row = self._rows.popleft()
                flow.pass_over(Mark(epoch=row.epoch, seq=row.seq))
        # What waits for its turn goes first.
        if not self._statements and flow.position >= self._outbox.last_seq and self._reading.over:
            with self._reading.attempt():
                self._again.send(flow, self._link, self._limit_bytes)
        self._tally.in_flight = len(flow.flights)

    def _send_fresh(self, flow: Flow, now_s: float) -> None:
        due = self._fresh.due(flow.behind(self._outbox.last_seq, now_s))
        if not due or self._hold.all or not self._reading.over:
            return
        self._link.flush()  # an acknowledgement that waits to be written is no full socket
        if self._link.clogged:
            return
        with self._reading.attempt():
            rows = self._fresh.take()
            self._fresh.send(self._link, rows, self._limit_bytes)
            self._link.flush()
            if rows and rows[0].seq <= self._restated_seq + 1:  # else a change would be left out
                for row in rows:
                    self._state_active(row)

    def _begin_held_again(self, flow: Flow) -> None:
        with self._reading.attempt():
            last_words = self._outbox.active_topics(self._side)
            held = self._hold.begin_again()
            flow.try_again()
            self._statements.extend(
                ("active", each.seq, Document(topic=each.topic, payload=each.payload))
                for each in last_words
                if each.topic in held
            )

    def _go_back(self, flow: Flow, now_s: float) -> None:
        target = flow.due_to_go_back(now_s)
        if target is None or not self._reading.over:
            return
        with self._reading.attempt():
            predecessor = self._outbox.predecessor(self._side, target + 1, flow.done)
            flow.begin_again(predecessor, now_s)
            self._rows.clear()
            self._files.unload()
            log.info("alerts sent again", side=self._side, after_seq=flow.position)

    def _next_row(self, flow: Flow) -> bool:
        while self._rows and self._rows[0].seq <= flow.position:
            self._rows.popleft()
        if not self._rows and flow.position < self._outbox.last_seq and self._reading.over:
            with self._reading.attempt():
                self._rows.extend(self._outbox.pending(self._side, flow.position, FETCH))
        return bool(self._rows)

    def _send_next(self, flow: Flow) -> bool:
        """The next file of the next row, or the row; False where it has to wait."""
        row = self._rows[0]
        if not self._files.loaded(row):
            if not self._reading.over:
                return False
            with self._reading.attempt():
                self._files.load(row)
            if not self._files.loaded(row):
                return False
        file = self._files.next
        if file is None:
            self._send_row(flow, self._rows.popleft())
        elif self._files.may_send(flow):
            self._files.send(flow, self._link, row, self._limit_bytes)
            for part, reason in self._files.take_undeliverable():
                self._books.bury(row.seq, reason, part, again=False)
        else:
            return False
        return True

    def _send_row(self, flow: Flow, row: Row) -> None:
        try:
            mid = self._link.publish(
                row.topic,
                row.payload,
                user_properties=self._seals.message(
                    row.topic,
                    row.payload,
                    user_properties(row, flow.previous, self._files.sent),
                ),
                content_type=JSON,
                limit_bytes=self._limit_bytes,
            )
        except ValueError as error:
            self._bury(flow, row.seq, f"cannot be sent: {error}", "alert")
            flow.skip(Mark(epoch=row.epoch, seq=row.seq))
            return
        flight = Flight(part="alert", seq=row.seq, topic=row.topic, sent_s=time.monotonic())
        flow.sent(mid, flight, Mark(epoch=row.epoch, seq=row.seq))
        if row.seq == self._outbox.last_seq:
            self._link.flush()  # its retained topic is still to be signed and said
        self._state_active(row)

    def _state_active(self, row: Row) -> None:
        if row.active_topic and row.seq > self._restated_seq:
            document = Document(topic=row.active_topic, payload=row.active_payload)
            self._statements.append(("active", row.seq, document))
        self._restated_seq = max(self._restated_seq, row.seq)

    def _say(self, flow: Flow, part: str, seq: int, document: Document) -> None:
        try:
            mid = self._link.publish(
                document.topic,
                document.payload,
                retain=True,
                user_properties=self._seals.document(document.payload),
                content_type=JSON if document.payload else "",
                limit_bytes=self._limit_bytes,
            )
        except ValueError as error:
            self._bury(flow, seq, f"cannot be sent: {error}", part, document.topic)
            return
        flight = Flight(part=part, seq=seq, topic=document.topic, sent_s=time.monotonic())
        flow.sent(mid, flight)

    # --- in ----------------------------------------------------------------------------

    def _take(self, happening: Happening) -> None:
        match happening:
            case Connected():
                self._greeting = happening
            case Acked():
                self._acked(happening)
            case Received() if happening.topic == self._cursor_topic:
                self._cursor(happening)
            case Received() if happening.topic == self._ops_topic:
                # It may have come too late for what was sent so far, and have no cursor to say so.
                if self._flow is not None and inbound.says_online(happening):
                    self._flow.alive(time.monotonic())
            case Received():
                safely(self._hooks.command, inbound.command(self._side, happening))
            case Subscribed() if max(happening.reasons) >= REFUSED:
                log.error("subscription refused", side=self._side, reasons=happening.reasons)
            case _:
                pass

    def _begin(self, connected: Connected) -> None:
        outbox, side = self._outbox, self._side
        keeps_cursor = self._settings.keeps_cursor
        self._restated_seq = outbox.last_seq  # read first: what comes later is said with its row
        self._fresh.begin(self._restated_seq)
        last_words = outbox.active_topics(side)
        cursor, done = outbox.cursor(side), outbox.done_seq(side)
        self._limit_bytes = connected.maximum_packet_bytes
        self._flow = Flow(
            keeps_cursor=keeps_cursor,
            done=cursor.seq if keeps_cursor else done,
            base=cursor if keeps_cursor else Mark(epoch=outbox.epoch_of(done), seq=done),
            window=connected.receive_maximum,
            now_s=time.monotonic(),
        )
        self._statements.extend(
            ("active", each.seq, Document(topic=each.topic, payload=each.payload))
            for each in last_words
        )
        self._tally.stored_seq = self._flow.done
        commands = [topics.command_filter(topics.root(each), self._site) for each in (False, True)]
        from_centre = [self._cursor_topic, self._ops_topic] if keeps_cursor else []
        vouched = topics.cosignature_topic(side, self._site)
        self._link.subscribe([*from_centre, vouched, *commands])
        safely(self._hooks.connected, side, True)

    def _acked(self, acked: Acked) -> None:
        flow = self._flow
        flight = flow.acked(acked.mid) if flow is not None else None
        if flow is None or flight is None:
            return
        self._tally.pubacks[acked.reason] = self._tally.pubacks.get(acked.reason, 0) + 1
        safely(self._hooks.puback, self._side, acked.reason)
        now_s = time.monotonic()
        if acked.reason >= REFUSED:
            self._refused(flow, flight, acked, now_s)
            return
        if flight.bytes:
            return
        if flight.part == AGAIN:
            self._settle_files(flight.seq)
            self._again.acked(flight.seq)
            return
        self._hold.accepted(flight.part, flight.seq, flight.topic, now_s)
        if flight.part == "alert":
            self._settle_files(flight.seq)
            if self._tally.accepted():
                log.info("side takes our alerts again", side=self._side)
            self._tally.acked_s.append(now_s)
            safely(self._hooks.delivered, self._side, now_s - flight.sent_s)

    def _settle_files(self, seq: int) -> None:
        """A row was answered for good, so the files of it that were refused are dead letters.

        Only now: a broker that refuses the row as well may take both in an hour.
        """
        for part, reason in self._files.refused_of(seq):
            self._books.bury(seq, reason, part)

    def _refused(self, flow: Flow, flight: Flight, acked: Acked, now_s: float) -> None:
        if flight.bytes:
            reason = f"refused by the broker: 0x{acked.reason:02x} {acked.text}"
            self._files.refused(flight, reason)
            return
        if flight.part == AGAIN:
            self._settle_files(flight.seq)
            self._again.refused(flight.seq, f"0x{acked.reason:02x} {acked.text}")
            return
        held = flight.part != "document" and self._hold.refused(
            Refused(
                part=flight.part,
                seq=flight.seq,
                topic=flight.topic,
                reason=acked.reason,
                sent_s=flight.sent_s,
            ),
            now_s,
        )
        if flight.part == "alert" and self._tally.refused(acked.reason, acked.text, held=held):
            log.error("side refuses our alerts", side=self._side, reason=self._tally.refusal)
        if flight.part == "alert" and not held:
            self._settle_files(flight.seq)
        elif flight.part == "alert":
            self._files.forget(flight.seq)
        if held and flight.part == "alert":
            flow.pass_over(Mark(epoch=self._outbox.epoch_of(flight.seq), seq=flight.seq))
        elif not held:
            reason = f"refused by the broker: 0x{acked.reason:02x} {acked.text}"
            self._bury(flow, flight.seq, reason, flight.part, flight.topic)

    def _bury(self, flow: Flow, seq: int, reason: str, part: str, topic: str = "") -> None:
        if part == "document":
            if self._undeliverable.get(topic) != reason:
                log.error("document not deliverable", side=self._side, topic=topic, reason=reason)
            self._undeliverable[topic] = reason
        elif part == "alert" and flow.keeps_cursor and seq <= flow.done:
            pass  # sent once too often: the centre has it
        else:
            self._books.bury(seq, reason, part)

    def _cursor(self, message: Received) -> None:
        flow = self._flow
        try:
            cursor = inbound.read_cursor(message)
        except ValueError as error:
            if not self._cursor_garbled:
                log.warning("cursor not readable", side=self._side, error=str(error))
            self._cursor_garbled = True
            return
        if flow is None or (cursor.side, cursor.site) != (self._side, self._site):
            return
        epoch = cursor.epoch or self._outbox.epoch_of(cursor.seq)
        mark = Mark(epoch=epoch, seq=cursor.seq) if cursor.seq else ORIGIN
        known = self._outbox.knows(mark)
        if flow.heard(mark, known=known, retained=message.retained, now_s=time.monotonic()):
            self._books.cursor(mark)

    # --- watching ----------------------------------------------------------------------

    def _watch(self, flow: Flow) -> None:
        flow.settle()
        if not self._settings.keeps_cursor:
            self._books.acked(flow.done)
        settled = not self._statements and not flow.under_way("active")
        if settled and not self._hold.any_active:
            self._books.active(self._restated_seq)
        for seq in self._books.write():
            flow.refused(seq)
        self._tally.stored_seq = flow.done
        self._tally.in_flight = len(flow.flights)
        oldest_s = flow.oldest_flight_s()
        waited_s = 0.0 if oldest_s is None else time.monotonic() - oldest_s
        if waited_s > self._settings.ack_timeout_s + flow.bytes_under_way / SLOWEST_BYTES_S:
            raise LinkLost(
                f"{self._link.address}: no acknowledgement within {waited_s:.1f} s; "
                "the broker is frozen or the line is dead"
            )
