"""The live lane: what is committed while a side has a backlog is shown to it at once.

Rows go to a side in order, so a fresh alert would wait for everything before it. Behind a backlog
it is sent ahead as a copy: the same bytes on the same topic, with the user property `lane: live`
and without `after`. It takes no part in the cursor's protocol: a centre shows it and stores it when
it comes in its turn, and to any other reader it is a duplicate by (site, epoch, seq). A copy goes
before all that we have yet to send, of which little is ever with the broker (`LEAD` in
`edge.delivery.flow`); it has QoS 0 and an expiry, so nobody is sent an old one.
"""

from collections.abc import Sequence

from edge.delivery.flow import ALERT_SCHEMA, LIVE
from edge.delivery.link import Link
from edge.delivery.outbox import Outbox
from edge.delivery.rows import Row
from edge.delivery.seals import Seals

BEHIND = 32
"""Rows that a side may lack before fresh ones are sent ahead; a few hundredths of a second."""
MOST = 256
"""Rows sent ahead at once: what came in a burst beyond it waits for its turn."""
EXPIRY_S = 60  # an alert that is a minute late is no longer fresh


class Fresh:
    """Of one session."""

    def __init__(self, side: str, outbox: Outbox, seals: Seals) -> None:
        self._side = side
        self._outbox = outbox
        self._seals = seals
        self._seen_seq = outbox.last_seq

    def begin(self, last_seq: int) -> None:
        """What is committed up to here is the backlog, or nothing."""
        self._seen_seq = last_seq

    def due(self, behind: int) -> bool:
        """Whether rows were committed that would have to wait; `behind` says for how many."""
        last_seq = self._outbox.last_seq
        if behind <= BEHIND:
            self._seen_seq = last_seq
        return last_seq > self._seen_seq

    def take(self) -> list[Row]:
        """Those rows, each once. OutboxError where they cannot be read now."""
        last_seq = self._outbox.last_seq
        after = max(self._seen_seq, last_seq - MOST)
        rows = self._outbox.pending(self._side, after, MOST)
        self._seen_seq = last_seq
        return rows

    def send(self, link: Link, rows: Sequence[Row], limit_bytes: int | None) -> None:
        """Send them ahead; one that the broker would not take is left to its turn."""
        for row in rows:
            told = {"schema": ALERT_SCHEMA, **dict(row.properties), "epoch": row.epoch}
            told |= {"seq": str(row.seq), "lane": LIVE}
            try:
                link.publish(
                    row.topic,
                    row.payload,
                    qos=0,
                    user_properties=self._seals.message(row.topic, row.payload, [*told.items()]),
                    content_type="application/json",
                    expiry_s=EXPIRY_S,
                    limit_bytes=limit_bytes,
                )
            except ValueError:
                continue
