"""The files of the row that is sent next, and those that the broker has refused.

A refused file never holds up its alert. It becomes a dead letter once the alert itself was
answered for good: a side whose access rules are wrong for an hour refuses both, and gets both
when they are put right.
"""

from collections import deque
from collections.abc import Sequence
from time import monotonic

from edge.delivery.flow import Flight, Flow, file_properties
from edge.delivery.link import Link
from edge.delivery.outbox import Outbox
from edge.delivery.rows import Attachment, Row
from edge.delivery.seals import Seals

MAX_BYTES_UNDER_WAY = 256 * 1024
"""Further files wait for acknowledgements: more would only fill the socket, and delay what the
broker has to say."""


class Files:
    """Of one session."""

    def __init__(self, side: str, outbox: Outbox, seals: Seals | None = None) -> None:
        self._side = side
        self._seals = seals or Seals(side)
        self._outbox = outbox
        self._seq = 0
        self._waiting: deque[Attachment] = deque()
        self._sent: list[Attachment] = []
        self._undeliverable: list[tuple[str, str]] = []
        self._refused: dict[int, list[tuple[str, str]]] = {}

    def loaded(self, row: Row) -> bool:
        """Whether the row is the one whose files are at hand."""
        return self._seq == row.seq

    def load(self, row: Row) -> None:
        """Read the files of the row. OutboxError where that cannot be done now."""
        self._waiting = deque(self._outbox.attachments(self._side, row.seq))
        self._sent = []
        self._seq = row.seq

    def unload(self) -> None:
        """Begin again: the row and its files will be sent once more."""
        self._seq = 0

    @property
    def next(self) -> Attachment | None:
        """The next file to send; None: it is the row's turn."""
        return self._waiting[0] if self._waiting else None

    @property
    def sent(self) -> Sequence[Attachment]:
        """The files of the row that are on their way."""
        return self._sent

    def may_send(self, flow: Flow) -> bool:
        """Whether another file may go out now; one always may."""
        under_way = flow.bytes_under_way
        return not under_way or under_way + len(self._waiting[0].payload) <= MAX_BYTES_UNDER_WAY

    def send(self, flow: Flow, link: Link, row: Row, limit_bytes: int | None) -> None:
        """Put the next file on its way, or find that this broker cannot take it."""
        file = self._waiting.popleft()
        try:
            mid = link.publish(
                file.topic,
                file.payload,
                user_properties=self._seals.message(
                    file.topic, file.payload, file_properties(row, file)
                ),
                content_type=file.media_type,
                limit_bytes=limit_bytes,
            )
        except ValueError as error:
            self._undeliverable.append((file.part, f"cannot be sent: {error}"))
            return
        self._sent.append(file)
        flight = Flight(
            part=file.part,
            seq=row.seq,
            topic=file.topic,
            sent_s=monotonic(),
            bytes=max(1, len(file.payload)),
        )
        flow.sent(mid, flight)

    def take_undeliverable(self) -> list[tuple[str, str]]:
        """(part, reason) of files that could not be sent, each told once."""
        taken, self._undeliverable = self._undeliverable, []
        return taken

    # --- refusals ----------------------------------------------------------------------

    def refused(self, flight: Flight, reason: str) -> None:
        """The broker does not take a file; what becomes of it is told by the row's own answer."""
        self._refused.setdefault(flight.seq, []).append((flight.part, reason))

    def refused_of(self, seq: int) -> list[tuple[str, str]]:
        """(part, reason) of the row's files that were refused, each told once."""
        return self._refused.pop(seq, [])

    def forget(self, seq: int) -> None:
        """The row is held, and its files will go out with it again."""
        self._refused.pop(seq, None)
