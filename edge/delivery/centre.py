"""A small reference centre: the receiving end of the delivery promise.

It stores an alert only when it holds the alert's predecessor and its files, says "stored up to
seq N" in a retained cursor, and asks for nothing else: saying the cursor again is all it takes
to be sent what is missing. Real centres need no more than this.

    garita centre --side north --url mqtt://127.0.0.1:18831 --store centre.db
"""

import argparse
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from edge.delivery.centre_record import CentreRecord, Saying
from edge.delivery.centre_store import Arrival, CentreStore, Verdict
from edge.delivery.happenings import Connected, Document, LinkLost, Received, Waker
from edge.delivery.link import Link
from edge.delivery.reading import Reading, read_arrival, read_file
from edge.delivery.rows import ORIGIN, Mark
from edge.delivery.seals import Gate
from edge.delivery.sides import SideSettings
from edge.protocol import topics
from edge.protocol.contract import CursorMessage, OpsStateMessage
from edge.protocol.messages import encode, rfc3339
from edge.trust.keys import Keyring

__all__ = ["Centre", "read_arrival", "read_file"]

log = structlog.get_logger()

SESSION_EXPIRY_S = 7 * 24 * 3600  # a centre may be away for a week's repair
AT_ONCE = 32
"""Messages that the broker sends before we have stored one."""
WAIT_S = 0.5
STEP_S = 0.25
AGAIN_S = 0.5  # how often a cursor is said again while what arrives does not fit


class Centre:
    """Receives for one side, on a thread of its own, until it is stopped."""

    def __init__(
        self,
        settings: SideSettings,
        store: Path,
        *,
        keyring: Keyring | None = None,
        record: CentreRecord | None = None,
        stored: Callable[[Arrival], None] = lambda arrival: None,
        fresh: Callable[[Arrival], None] = lambda arrival: None,
    ) -> None:
        """Nothing is opened before it runs.

        keyring  whose signatures are believed; without it nothing is verified
        record   copies of the sites' common records; without it none are kept
        stored   told of each alert once it is on disk, in order
        fresh    told of each alert that came ahead of a backlog, and is stored later
        """
        self._settings = settings
        self._stored, self._fresh = stored, fresh
        self.reading = Reading(None if keyring is None else Gate(settings.name, keyring))
        self._path = store
        self._record = record
        self._waker = Waker()
        self._stopping = threading.Event()
        self._said_s: dict[str, float] = {}
        self._unsaid: set[str] = set()
        """Sites that sent what does not fit, and have yet to be told so."""
        self._thread = threading.Thread(
            target=self.run, name=f"centre-{settings.name}", daemon=True
        )

    def start(self) -> None:
        """Receive from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Go offline and end the thread."""
        self.ask_to_stop()
        self._thread.join()
        self._waker.close()

    def ask_to_stop(self) -> None:
        """End soon; may be called from a signal handler."""
        self._stopping.set()
        self._waker.wake()

    def run(self) -> None:
        """Receive until asked to stop."""
        store = CentreStore(self._path)
        try:
            while not self._stopping.is_set():
                try:
                    self._receive(store)
                except LinkLost as error:
                    log.info("centre not connected", side=self._settings.name, error=str(error))
                    self._stopping.wait(WAIT_S)
        finally:
            store.close()

    def _receive(self, store: CentreStore) -> None:
        # clean_start=False from the first connection on: a Mosquitto before 2.0.15 forgets a
        # session that began clean at its next restart, whatever expiry was asked for.
        link = Link(
            self._settings,
            self._waker,
            client_id=f"garita-centre-{self._settings.name}",
            clean_start=False,
            session_expiry_s=SESSION_EXPIRY_S,
            will=self._state(online=False),
            manual_ack=True,
            receive_maximum=AT_ONCE,
        )
        try:
            while not self._stopping.is_set():
                happened = link.step(STEP_S)
                if any(isinstance(each, Connected) for each in happened):
                    self._greet(link, store)
                self._take(link, store, [each for each in happened if isinstance(each, Received)])
                self._say_again(link, store)
                if self._record is not None:
                    self._send(link, self._record.tick())
            self._say(link, self._state(online=False))
            link.step(0.0)
            link.close(politely=True)
        finally:
            link.close()

    def _greet(self, link: Link, store: CentreStore) -> None:
        roots = [topics.root(each) for each in (False, True)]
        link.subscribe(
            [*map(topics.alert_filter, roots), *map(topics.evidence_filter, roots)],
        )
        if self._record is not None:
            link.subscribe(self._record.filters())
        self._say(link, self._state(online=True))
        for site, mark in store.cursors().items():
            self._say_cursor(link, site, mark)

    def _take(self, link: Link, store: CentreStore, messages: list[Received]) -> None:
        record = self._record
        others = [each for each in messages if record is None or not record.is_for(each.topic)]
        arrived = self.reading.read(others)
        for copy in arrived.fresh:
            if not store.holds(copy.site, copy.mark):
                self._fresh(copy)
        arrivals, files = arrived.alerts, arrived.files
        verdicts = store.store(arrivals, files) if arrivals or files else []
        for message in messages:  # only now: what was not stored yet comes again after a crash
            link.acknowledge(message)
        if record is not None:
            for message in messages:
                self._send(link, record.take(message))
        if not arrivals:
            return
        cursors = store.cursors()
        fresh = {a.site for a, v in zip(arrivals, verdicts, strict=True) if v is Verdict.STORED}
        for arrival, verdict in zip(arrivals, verdicts, strict=True):
            if verdict is Verdict.STORED:
                self._stored(arrival)
        for site in sorted(fresh):
            self._say_cursor(link, site, cursors[site])
        self._unsaid |= {arrival.site for arrival in arrivals} - fresh

    def _say_again(self, link: Link, store: CentreStore) -> None:
        """Not for each message; but the last one is never left without an answer."""
        now_s = time.monotonic()
        for site in sorted(self._unsaid):
            if now_s - self._said_s.get(site, -AGAIN_S) >= AGAIN_S:
                self._say_cursor(link, site, store.cursors().get(site, ORIGIN))

    def _say_cursor(self, link: Link, site: str, mark: Mark) -> None:
        self._said_s[site] = time.monotonic()
        self._unsaid.discard(site)
        cursor = CursorMessage(
            side=self._settings.name,
            site=site,
            seq=mark.seq,
            epoch=mark.epoch,
            updated=rfc3339(time.time_ns()),
        )
        topic = topics.cursor_topic(topics.ROOT, self._settings.name, site)
        self._say(link, Document(topic=topic, payload=encode(cursor)))

    def _send(self, link: Link, sayings: Iterable[Saying]) -> None:
        for saying in sayings:
            link.publish(
                saying.topic,
                saying.payload,
                retain=saying.retain,
                user_properties=saying.user_properties,
                response_topic=saying.response_topic,
                content_type=saying.content_type,
            )

    def _say(self, link: Link, document: Document) -> None:
        link.publish(document.topic, document.payload, retain=True, content_type="application/json")

    def _state(self, *, online: bool) -> Document:
        state = OpsStateMessage(
            side=self._settings.name, online=online, updated=rfc3339(time.time_ns())
        )
        topic = topics.ops_state_topic(topics.ROOT, self._settings.name)
        return Document(topic=topic, payload=encode(state))


if __name__ == "__main__":
    from edge import arguments
    from edge.delivery import centre_command

    parser = argparse.ArgumentParser(prog="python -m edge.delivery.centre", description=__doc__)
    arguments.centre_arguments(parser)
    raise SystemExit(centre_command.main(parser.parse_args([*sys.argv[1:], "--quiet"])))
