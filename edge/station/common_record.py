"""Keeps the common record of a running checkpoint: entries in, signed checkpoints out.

On a thread of its own, behind the outbox: an alert never waits for the record, and what the record
has missed of alerts (a crash between the two) it takes from the outbox at the next start.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import structlog

from edge import record_metrics
from edge.delivery.outbox import Outbox
from edge.delivery.rows import Row
from edge.record.alerts import Unplaced, draft_of, last_alert
from edge.record.entries import Draft
from edge.record.note import NoteKey
from edge.record.record import Record, RecordError
from edge.record.witness import side_key, site_key, take_cosignature, unwitnessed_age_s
from edge.trust.keys import Keyring, Signer

MAX_WAITING = 20_000  # entries of 400 bytes: a disk that takes nothing for long ends here
EVERY_S = 10.0
EVERY_ENTRIES = 100
SOON_S = 1.0  # after a centre has asked for something: both see it within a second or so
RETRY_S = (0.05, 2.0)  # first and longest pause while the disk refuses
BACKLOG = 256  # rows read from the outbox at a time
LONG_UNWITNESSED_S = 300.0  # facts: delivery 8.1
MAX_NOTE_BYTES = 16_384

log = structlog.get_logger()


class CommonRecord:
    """Takes drafts from any thread, in order; enters them and says how far it is."""

    def __init__(
        self,
        record: Record,
        *,
        sides: Collection[str],
        signer: Signer | None = None,
        keyring: Keyring | None = None,
        publish: Callable[[bytes], object] = lambda note: None,
        unplaced: Unplaced | None = None,
    ) -> None:
        """`publish` retains a checkpoint, a signed note, on both sides; without signer: none.

        unplaced  of the alerts that are in the record already
        """
        self._record = record
        self._unplaced = unplaced or Unplaced()
        self._sides = tuple(sides)
        self._signer = signer
        self._witnesses = {side: _witness_keys(keyring, side) for side in self._sides}
        self._site_keys = (
            () if signer is None else (site_key(record.site, signer.public.raw),)
        ) + _site_keys(keyring, record.site)
        self._publish = publish
        self._waiting: list[Draft] = []
        self._changed = threading.Condition()
        self._entering = threading.Lock()  # who enters: the thread, or who cannot wait for it
        self._ending = False
        self._soon = False
        self._said_size, self._said_s = -1, -EVERY_S
        self.trouble = ""
        """Why nothing can be entered; `""` while it can."""
        self._thread = threading.Thread(target=self._run, name="common-record", daemon=True)

    def start(self) -> None:
        """Enter from now on."""
        self._thread.start()

    def catch_up(self, outbox: Outbox) -> int:
        """Enter the alerts that are in the outbox and not here; how many. RecordError.

        Call it before alerts of this boot are numbered.
        """
        mark = last_alert(self._record)
        after_seq, entered = mark.seq if outbox.knows(mark) else 0, 0
        while rows := outbox.whole(after_seq, BACKLOG):
            drafts = list(self._drafts(rows))
            self._record.append(drafts)
            after_seq, entered = rows[-1].seq, entered + len(drafts)
        if entered:
            log.info("alerts of before the restart entered", alerts=entered)
        return entered

    def alerts(self, rows: Sequence[Row]) -> None:
        """Rows have been committed to the outbox."""
        self.put(self._drafts(rows))

    def put(self, drafts: Iterable[Draft]) -> None:
        """Enter these soon. Any thread."""
        with self._changed:
            self._waiting += map(self._unplaced.less, drafts)
            if len(self._waiting) > MAX_WAITING:
                lost = len(self._waiting) - MAX_WAITING
                del self._waiting[-lost:]
                record_metrics.LOST.inc(lost)
            self._changed.notify()

    def enter(self, draft: Draft) -> None:
        """Enter it now, behind what waits. RecordError where the record takes nothing."""
        self._enter_waiting()
        with self._entering:
            self._record.append([self._unplaced.less(draft)])
        with self._changed:
            self._soon = True
            self._changed.notify()

    def entries(self, first: int, end: int) -> Iterator[bytes]:
        """Bytes of the entries from one place to before another."""
        yield from self._record.entries(first, max(0, end - first))

    def cosigned(self, side: str, payload: bytes) -> None:
        """A side's centre vouches for a checkpoint; what does not verify is told and forgotten."""
        try:
            take_cosignature(
                self._record,
                _text(payload),
                side=side,
                site_keys=self._site_keys,
                side_keys=self._witnesses.get(side, ()),
            )
        except (ValueError, RecordError) as error:
            log.warning("cosignature refused", side=side, error=str(error)[:200])

    def unwitnessed_s(self, now_utc_ns: int) -> dict[str, float]:
        """By side the age of the oldest entry that it has not vouched for."""
        return {side: unwitnessed_age_s(self._record, side, now_utc_ns) for side in self._sides}

    def take_metrics(self, now_utc_ns: int) -> None:
        """Set the gauges; called at scrape time."""
        record_metrics.ENTRIES.set(self._record.size)
        record_metrics.WAITING.set(len(self._waiting) if self.trouble else 0)
        for side, age_s in self.unwitnessed_s(now_utc_ns).items():
            record_metrics.UNWITNESSED.labels(side).set(age_s)

    def close(self, timeout_s: float) -> int:
        """Enter what waits and say a last checkpoint; how many entries did not make it."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        if self._thread.ident is None:  # it never came to that
            with contextlib.suppress(RecordError):
                self._enter_waiting()
        else:
            self._thread.join(timeout_s)
        left = len(self._waiting)
        if not self._thread.is_alive():
            self._record.close()
        return left

    # --- the record's thread -------------------------------------------------------------

    def _run(self) -> None:
        pause_s = RETRY_S[0]
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ending, SOON_S / 4)
                ending = self._ending
            try:
                self._enter_waiting()
                self._say(ending)
                pause_s = RETRY_S[0]
            except Exception as error:
                if not isinstance(error, RecordError):  # whatever it is, the record goes on
                    log.exception("common record not told")
                if ending:
                    return
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, RETRY_S[1])
            if ending and not self._waiting:
                return

    def _enter_waiting(self) -> None:
        with self._entering:
            with self._changed:
                batch = list(self._waiting)
            if not batch:
                return
            began = time.perf_counter()
            try:
                self._record.append(batch)
            except RecordError as error:
                if not self.trouble:
                    log.error("common record cannot be kept, trying again", error=str(error))
                self.trouble = str(error)
                raise
            record_metrics.APPEND.observe((time.perf_counter() - began) / len(batch))
            with self._changed:
                del self._waiting[: len(batch)]
        if self.trouble:
            log.warning("common record is kept again")
            self.trouble = ""

    def _say(self, ending: bool) -> None:
        if self._signer is None:
            return
        new, waited_s = self._record.size - self._said_size, time.monotonic() - self._said_s
        due = waited_s >= EVERY_S or new >= EVERY_ENTRIES or (self._soon and waited_s >= SOON_S)
        if new and (due or ending):
            self._soon = False
            self._said_size, self._said_s = self._record.size, time.monotonic()
            self._publish(str(self._record.signed_checkpoint(self._signer)).encode())

    def _drafts(self, rows: Sequence[Row]) -> Iterator[Draft]:
        for row in rows:
            try:
                draft = draft_of(row, self._sides)
            except ValueError:
                log.exception("alert cannot be entered", seq=row.seq)
                continue
            self._unplaced.look(draft)
            yield draft


def _witness_keys(keyring: Keyring | None, side: str) -> tuple[NoteKey, ...]:
    keys = keyring.keys if keyring is not None else ()
    return tuple(
        side_key(side, key.raw) for key in keys if (key.owner, key.role) == (side, "centre")
    )


def _site_keys(keyring: Keyring | None, site: str) -> tuple[NoteKey, ...]:
    """Those that have signed before as well: an older word may come late."""
    keys = keyring.keys if keyring is not None else ()
    return tuple(
        site_key(site, key.raw) for key in keys if (key.owner, key.role) == (f"edge/{site}", "edge")
    )


def _text(payload: bytes) -> str:
    if len(payload) > MAX_NOTE_BYTES:
        raise ValueError(f"a note of {len(payload)} bytes")
    return payload.decode()
