"""Brings alerts to disk in order, on a thread of its own, so a slow disk never stops the loop."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from edge import metrics
from edge.delivery.outbox_file import OutboxError
from edge.delivery.rows import Row
from fusion.types import SECOND_NS

# At 5 kB an alert this is 100 MB, and at the budget of six an hour it never comes to that: a
# disk that takes nothing during a flood of alerts ends here.
MAX_WAITING = 20_000
MAX_WAITING_BYTES = 128 * 1024 * 1024  # the same with files of evidence, some 90 kB an alert
STORED_POLL_S = 0.005  # a commit takes some 5 ms, and who waits for it is in no hurry
RETRY_S = (0.05, 2.0)  # first and longest pause while the disk refuses

log = structlog.get_logger()


class AlertsLost(Exception):  # noqa: N818 - says what happened
    """Alerts did not reach the disk before the service ended."""


class Store(Protocol):
    """The outbox, as the committer sees it."""

    def commit(self, rows: Sequence[Row]) -> object:
        """Bring the rows to disk, all or none.

        OutboxError where another attempt may succeed; anything else ends the service.
        """
        ...


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row on its way to the disk."""

    row: Row
    received_utc_ns: int
    """When the bytes that triggered it arrived."""


class Committer:
    """Takes rows from the loop's thread; what waits together is committed together."""

    def __init__(
        self, store: Store, *, wake: Callable[[], object], now_utc_ns: Callable[[], int]
    ) -> None:
        self._store = store
        self._wake = wake
        self._now_utc_ns = now_utc_ns
        self._waiting: list[Waiting] = []
        self._bytes = 0
        self._taken = self._stored = 0
        self._changed = threading.Condition()
        self._ends_at: float | None = None
        self.failed = ""
        """Why the thread has ended, where trying again does not help; `""` while it works."""
        self._stuck_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    @property
    def full(self) -> bool:
        """No further alert can be taken: the disk has refused for long."""
        return len(self._waiting) >= MAX_WAITING or self._bytes >= MAX_WAITING_BYTES

    @property
    def stuck_s(self) -> float:
        """How long the disk has refused, 0 while it works."""
        since = self._stuck_since
        return 0.0 if since is None else time.monotonic() - since

    def put(self, rows: Sequence[Waiting]) -> None:
        """Commit these next, in this order."""
        with self._changed:
            self._waiting += rows
            self._taken += len(rows)
            self._bytes += sum(waiting.row.size for waiting in rows)
            self._changed.notify()

    async def stored(self) -> None:
        """Return when what was put so far is on disk; not at all where it never will be."""
        taken = self._taken
        while self._stored < taken:
            await asyncio.sleep(STORED_POLL_S)

    def close(self, timeout_s: float) -> int:
        """Commit what waits; returns how many rows did not reach the disk in time."""
        with self._changed:
            self._ends_at = time.monotonic() + timeout_s
            self._changed.notify()
        self._thread.join(timeout_s)
        return len(self._waiting)

    def _run(self) -> None:
        try:
            self._commit_waiting()
        # Without this thread nothing is stored any more; the pipeline asks and ends the service.
        except Exception as error:
            self.failed = repr(error)
            log.exception("alerts cannot be stored, the service ends", waiting=len(self._waiting))

    def _commit_waiting(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ends_at)
                batch = list(self._waiting)
            if not batch:
                return
            if self._commit(batch):
                with self._changed:
                    del self._waiting[: len(batch)]
                    self._stored += len(batch)
                    self._bytes -= sum(waiting.row.size for waiting in batch)
                self._wake()
            else:
                return

    def _commit(self, batch: list[Waiting]) -> bool:
        rows = [waiting.row for waiting in batch]
        pause_s = RETRY_S[0]
        while True:
            began = time.perf_counter()
            try:
                self._store.commit(rows)
            except OutboxError as error:
                self._refused(error, len(rows))
                if self._ends_at is not None and time.monotonic() + pause_s > self._ends_at:
                    return False
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, RETRY_S[1])
                continue
            self._done(batch, time.perf_counter() - began)
            return True

    def _refused(self, error: Exception, rows: int) -> None:
        if self._stuck_since is None:
            self._stuck_since = time.monotonic()
            log.error("alerts cannot be stored, trying again", error=str(error), waiting=rows)

    def _done(self, batch: list[Waiting], took_s: float) -> None:
        if self._stuck_since is not None:
            log.warning("alerts are stored again", after_s=round(self.stuck_s, 1))
            self._stuck_since = None
        metrics.STAGE_COMMIT.observe(took_s)
        now_utc_ns = self._now_utc_ns()
        for waiting in batch:
            metrics.ALERT_DELAY.observe((now_utc_ns - waiting.received_utc_ns) / SECOND_NS)
