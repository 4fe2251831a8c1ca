"""A side's publisher: one thread, one connection at a time, alerts from the outbox.

The thread is the side's only way out, so whatever goes wrong in it costs a connection and
never the thread; the other side has a thread, a connection and readers of its own and does
not notice. Other threads only leave things here and wake it.
"""

import threading
import time
from collections import deque

import structlog

from edge.delivery.again import Again, Wanted
from edge.delivery.happenings import Document, LinkLost, Waker
from edge.delivery.hooks import Command, Hooks, Live, Tally, safely
from edge.delivery.link import Link
from edge.delivery.outbox import Outbox
from edge.delivery.seals import Seals
from edge.delivery.session import Session
from edge.delivery.sides import SideSettings, SideStatus
from edge.trust.keys import Signer

__all__ = ["Command", "Hooks", "Publisher"]

log = structlog.get_logger()

FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 5.0  # a broker that comes back is found within five seconds
STEP_S = 0.25  # looks around so often while nothing happens: keepalive, stalls, ages
MAX_LIVE = 256  # a second of live data of a busy checkpoint; older is worth nothing
MAX_WANTED = 8  # a centre that asks for more at once is answered so
ALIVE_S = 15.0  # connecting, the longest thing the thread waits for, takes some 3 s
RATE_S = 10.0
GOODBYE_S = 1.0


class Publisher:
    """Delivers to one side until it is stopped."""

    def __init__(
        self,
        settings: SideSettings,
        outbox: Outbox,
        *,
        site: str,
        will: Document | None = None,
        hooks: Hooks | None = None,
        signer: Signer | None = None,
    ) -> None:
        """Nothing is opened before `start`.

        signer  signs every alert, file and retained document
        will    what the broker retains when this edge is lost, normally on `.../state`
        """
        self.side = settings.name
        self._settings = settings
        self._outbox = outbox
        self._site = site
        self._will = will
        self._hooks = hooks or Hooks()
        self._seals = Seals(settings.name, signer)
        self._waker = Waker()
        self._stopping = threading.Event()
        self._goodbye: Document | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()  # guards the documents; never held while calling out
        self._documents: dict[str, bytes] = {}
        self._changed: deque[str] = deque()
        self._live: deque[Live] = deque(maxlen=MAX_LIVE)
        self._answers: deque[Live] = deque(maxlen=MAX_LIVE)
        self._wanted: deque[Wanted] = deque()
        self._again = Again(settings.name, outbox, self._seals)
        self._tally = Tally(stored_seq=outbox.done_seq(settings.name))
        self._connected = False
        self._since_utc_ns = time.time_ns()
        self._last_error = ""
        self._beat_s = time.monotonic()

    # --- called by others --------------------------------------------------------------

    def start(self) -> None:
        """Start the side's thread; it connects by itself, now or whenever that is possible."""
        self._beat_s = time.monotonic()
        self._thread = threading.Thread(
            target=self._run, name=f"publisher-{self.side}", daemon=True
        )
        self._thread.start()

    def wake(self) -> None:
        """Alerts have been committed."""
        self._waker.wake()

    def publish_state(self, topic: str, payload: bytes) -> None:
        """Retain a document from now on; said again at every connection."""
        with self._lock:
            self._documents[topic] = payload
            self._changed.append(topic)
        self._waker.wake()

    publish_birth = publish_state
    publish_health = publish_state

    def publish_live(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        expiry_s: int = 5,
        correlation: bytes = b"",
        waited_for: bool = False,
    ) -> None:
        """Send now with QoS 0, or not at all.

        correlation  of the command that it answers
        waited_for   an answer, which gives way to no live value
        """
        if not self._connected:
            self._tally.dropped_live += 1
            return
        queue = self._answers if waited_for else self._live
        if len(queue) == MAX_LIVE:
            self._tally.dropped_live += 1  # the oldest gives way
        queue.append(
            Live(
                topic=topic,
                payload=payload,
                retain=retain,
                expiry_s=expiry_s,
                correlation=correlation,
                waited_for=waited_for,
            )
        )
        self._waker.wake()

    def send_again(self, wanted: Wanted) -> bool:
        """Send alerts once more, as soon as connected. False where too much waits already."""
        if len(self._wanted) >= MAX_WANTED:
            return False
        self._wanted.append(wanted)
        self._waker.wake()
        return True

    def stop(self, goodbye: Document | None = None, *, timeout_s: float = 4.0) -> None:
        """Say goodbye (retained, in place of the will) and end the thread.

        What is not delivered stays in the outbox.
        """
        self._goodbye = goodbye
        self._stopping.set()
        self._waker.wake()
        if self._thread is not None:
            self._thread.join(timeout_s)
            if self._thread.is_alive():
                log.warning("publisher did not end in time", side=self.side)
                return  # it still uses the waker
        self._waker.close()

    def status(self) -> SideStatus:
        """How delivery stands; any thread may ask."""
        now_s = time.monotonic()
        thread = self._thread
        acked = [at_s for at_s in tuple(self._tally.acked_s) if now_s - at_s < RATE_S]
        return SideStatus(
            side=self.side,
            connected=self._connected,
            since_utc_ns=self._since_utc_ns,
            last_error=self._last_error,
            refusal=self._tally.refusal,
            in_flight=self._tally.in_flight,
            depth=self._outbox.depth(self.side),
            rate_per_s=len(acked) / RATE_S,
            pubacks=dict(self._tally.pubacks),
            stored_seq=self._tally.stored_seq,
            dropped_live=self._tally.dropped_live,
            alive=thread is not None and thread.is_alive() and now_s - self._beat_s < ALIVE_S,
        )

    # --- the side's thread -------------------------------------------------------------

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        while not self._stopping.is_set():
            self._beat_s = time.monotonic()
            was_connected = False
            try:
                self._serve()
            except LinkLost as error:
                was_connected = self._lost(str(error))
            except Exception as error:  # the side's only way out must not end
                self._lost(f"{type(error).__name__}: {error}")
                log.exception("publisher failed and begins again", side=self.side)
            wait_s = FIRST_WAIT_S if was_connected else min(wait_s * 2, LONGEST_WAIT_S)
            self._stopping.wait(wait_s)

    def _serve(self) -> None:
        link = Link(
            self._settings,
            self._waker,
            client_id=f"garita-{self._site}-{self.side}",
            will=self._will,
        )
        try:
            session = self._session(link)
            while not self._stopping.is_set():
                self._beat_s = time.monotonic()
                self._hand_over(session)
                session.step(STEP_S)
                if session.connected and not self._connected:
                    self._note(connected=True, error="")
            self._part(session)
            link.close(politely=True)
        finally:
            link.close()

    def _session(self, link: Link) -> Session:
        with self._lock:
            documents = dict(self._documents)
            self._changed.clear()
        return Session(
            link,
            settings=self._settings,
            site=self._site,
            outbox=self._outbox,
            documents=documents,
            hooks=self._hooks,
            tally=self._tally,
            seals=self._seals,
            again=self._again,
        )

    def _hand_over(self, session: Session) -> None:
        with self._lock:
            changed = [
                Document(topic=topic, payload=self._documents[topic])
                for topic in dict.fromkeys(self._changed)
            ]
            self._changed.clear()
        for document in changed:
            session.state(document)
        for queue in (self._answers, self._live):
            while queue:
                session.live(queue.popleft())
        while session.connected and self._wanted:
            session.send_again(self._wanted.popleft())

    def _part(self, session: Session) -> None:
        if self._goodbye is None or not session.connected:
            return
        session.state(self._goodbye)
        deadline_s = time.monotonic() + GOODBYE_S
        while not session.idle and time.monotonic() < deadline_s:
            session.step(0.05)

    def _lost(self, why: str) -> bool:
        was_connected = self._connected
        self._tally.in_flight = 0
        self._live.clear()  # what was live then is old now
        if was_connected or not self._last_error:
            log.warning("side not connected", side=self.side, error=why)
        self._note(connected=False, error=why)
        return was_connected

    def _note(self, *, connected: bool, error: str) -> None:
        if connected != self._connected:
            self._since_utc_ns = time.time_ns()
            if connected:
                log.info("side connected", side=self.side)
            else:
                safely(self._hooks.connected, self.side, False)
        self._last_error = error or self._last_error  # first: who sees the loss sees its cause
        self._connected = connected
