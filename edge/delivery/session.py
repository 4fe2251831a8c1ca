"""One connection of one side's publisher: what goes out, and what comes back.

In this order: the retained documents (birth, state, health), the last word on every active
alert, then the rows; live data whenever the socket takes it. A row is two messages, its
stream and its retained topic. The retained topics are restated at every connection, so that
a broker that lost them, or missed a clearing, is put right whatever the cursor says.
"""

import time
from collections import deque
from collections.abc import Mapping

import msgspec
import structlog

from edge.delivery.flow import Flight, Flow, after_property
from edge.delivery.happenings import (
    Acked,
    Connected,
    Document,
    Happening,
    LinkLost,
    Received,
    Subscribed,
)
from edge.delivery.hooks import Command, Hooks, Live, Tally, safely
from edge.delivery.link import Link
from edge.delivery.outbox import ORIGIN, Mark, Outbox, Row
from edge.delivery.sides import SideSettings
from edge.protocol import topics
from edge.protocol.contract import CursorMessage, OpsStateMessage

log = structlog.get_logger()

REFUSED = 0x80  # from here on a reason code is a refusal, MQTT 5 section 2.4
FETCH = 64  # rows read from disk at a time
JSON = "application/json"
ALERT_SCHEMA = "garita.alert/1"
_cursor_decoder = msgspec.json.Decoder(CursorMessage)
_ops_decoder = msgspec.json.Decoder(OpsStateMessage)


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
        self._restated_seq = 0
        self._active_told = 0
        self._cursor_garbled = False

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

    def live(self, message: Live) -> None:
        """Send at once, or count it as dropped."""
        if self._flow is None or self._link.clogged:
            self._tally.dropped_live += 1
            return
        self._link.publish(
            message.topic,
            message.payload,
            qos=0,
            retain=message.retain,
            expiry_s=message.expiry_s,
            content_type=JSON,
        )

    def step(self, timeout_s: float) -> None:
        """Send what may be sent, wait for news, take it in. LinkLost ends the session."""
        if self._flow is not None:
            self._send(self._flow)
        for happening in self._link.step(timeout_s):
            self._take(happening)
        if self._flow is not None:
            self._watch(self._flow)

    # --- out ---------------------------------------------------------------------------

    def _send(self, flow: Flow) -> None:
        now_s = time.monotonic()
        target = flow.due_to_go_back(now_s)
        if target is not None:
            predecessor = self._outbox.predecessor(self._side, target + 1, flow.done)
            flow.begin_again(predecessor, now_s)
            self._rows.clear()
            log.info("alerts sent again", side=self._side, after_seq=flow.position)
        while flow.room > 0:
            if self._statements:
                self._say(flow, *self._statements.popleft())
            elif flow.may_send_rows(now_s) and self._next_row(flow):
                self._send_row(flow, self._rows.popleft())
            else:
                break
        self._tally.in_flight = len(flow.flights)

    def _next_row(self, flow: Flow) -> bool:
        while self._rows and self._rows[0].seq <= flow.position:
            self._rows.popleft()
        if not self._rows and flow.position < self._outbox.last_seq:
            self._rows.extend(self._outbox.pending(self._side, flow.position, FETCH))
        return bool(self._rows)

    def _send_row(self, flow: Flow, row: Row) -> None:
        try:
            mid = self._link.publish(
                row.topic,
                row.payload,
                user_properties=_user_properties(row, flow.previous),
                content_type=JSON,
                limit_bytes=self._limit_bytes,
            )
        except ValueError as error:
            self._bury(flow, row.seq, f"cannot be sent: {error}", "alert")
            return
        flight = Flight(part="alert", seq=row.seq, topic=row.topic, sent_s=time.monotonic())
        flow.sent(mid, flight, Mark(epoch=row.epoch, seq=row.seq))
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
                self._begin(happening)
            case Acked():
                self._acked(happening)
            case Received() if happening.topic == self._cursor_topic:
                self._cursor(happening)
            case Received() if happening.topic == self._ops_topic:
                self._centre_state(happening)
            case Received():
                self._command(happening)
            case Subscribed() if max(happening.reasons) >= REFUSED:
                log.error("subscription refused", side=self._side, reasons=happening.reasons)
            case _:
                pass

    def _begin(self, connected: Connected) -> None:
        outbox, side = self._outbox, self._side
        keeps_cursor = self._settings.keeps_cursor
        cursor, done = outbox.cursor(side), outbox.done_seq(side)
        self._limit_bytes = connected.maximum_packet_bytes
        self._flow = Flow(
            keeps_cursor=keeps_cursor,
            done=cursor.seq if keeps_cursor else done,
            base=cursor if keeps_cursor else Mark(epoch=outbox.epoch_of(done), seq=done),
            window=connected.receive_maximum,
            now_s=time.monotonic(),
        )
        self._restated_seq = outbox.last_seq  # read first: what comes later is said with its row
        self._statements.extend(
            ("active", each.seq, Document(topic=each.topic, payload=each.payload))
            for each in outbox.active_topics()
        )
        self._tally.stored_seq = self._flow.done
        commands = [topics.command_filter(topics.root(each), self._site) for each in (False, True)]
        from_centre = [self._cursor_topic, self._ops_topic] if keeps_cursor else []
        self._link.subscribe([*from_centre, *commands])
        safely(self._hooks.connected, side, True)

    def _acked(self, acked: Acked) -> None:
        flow = self._flow
        flight = flow.acked(acked.mid) if flow is not None else None
        if flow is None or flight is None:
            return
        self._tally.pubacks[acked.reason] = self._tally.pubacks.get(acked.reason, 0) + 1
        safely(self._hooks.puback, self._side, acked.reason)
        if acked.reason >= REFUSED:
            reason = f"refused by the broker: 0x{acked.reason:02x} {acked.text}"
            self._bury(flow, flight.seq, reason, flight.part, flight.topic)
        elif flight.part == "alert":
            now_s = time.monotonic()
            self._tally.acked_s.append(now_s)
            safely(self._hooks.delivered, self._side, now_s - flight.sent_s)

    def _bury(self, flow: Flow, seq: int, reason: str, part: str, topic: str = "") -> None:
        if part == "document":
            log.error("document not deliverable", side=self._side, topic=topic, reason=reason)
        elif part == "alert" and flow.keeps_cursor and seq <= flow.done:
            pass  # sent once too often: the centre has it
        elif self._outbox.dead_letter(self._side, seq, reason, part=part) and part == "alert":
            flow.refused(seq)

    def _cursor(self, message: Received) -> None:
        flow = self._flow
        try:
            cursor = _cursor_decoder.decode(message.payload)
        except ValueError as error:  # msgspec.DecodeError; anybody may write there
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
            self._outbox.store_cursor(self._side, mark.seq, mark.epoch)

    def _centre_state(self, message: Received) -> None:
        # It may have come too late for what was sent so far, and have no cursor to say so.
        try:
            online = _ops_decoder.decode(message.payload).online
        except ValueError:
            online = False
        if self._flow is not None and online and not message.retained:
            self._flow.alive(time.monotonic())

    def _command(self, message: Received) -> None:
        command = Command(
            side=self._side,
            topic=message.topic,
            payload=message.payload,
            response_topic=message.response_topic,
            correlation=message.correlation,
            user_properties=message.user_properties,
        )
        safely(self._hooks.command, command)

    # --- watching ----------------------------------------------------------------------

    def _watch(self, flow: Flow) -> None:
        if not self._settings.keeps_cursor and flow.done > self._tally.stored_seq:
            self._outbox.mark_acked(self._side, flow.done)
        self._tally.stored_seq = flow.done
        self._tally.in_flight = len(flow.flights)
        settled = not self._statements and all(f.part != "active" for f in flow.flights.values())
        if settled and self._restated_seq > self._active_told:
            self._outbox.mark_active(self._side, self._restated_seq)
            self._active_told = self._restated_seq
        oldest_s = flow.oldest_flight_s()
        waited_s = 0.0 if oldest_s is None else time.monotonic() - oldest_s
        if waited_s > self._settings.ack_timeout_s:
            raise LinkLost(
                f"{self._link.address}: no acknowledgement within {waited_s:.1f} s; "
                "the broker is frozen or the line is dead"
            )


def _user_properties(row: Row, previous: Mark) -> list[tuple[str, str]]:
    """What a reader can tell without opening the payload; a centre needs no more."""
    told = {
        "schema": ALERT_SCHEMA,
        **dict(row.properties),
        "epoch": row.epoch,
        "seq": str(row.seq),
        "after": after_property(previous),
    }
    return list(told.items())
