"""pynetdicom as a server: who may connect, how much and how slowly he may send.

pynetdicom has two threads for each connection; `store` is called in one of them.
"""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from drivers.address import Address
from drivers.dicos_config import XrayDicosConfig
from drivers.dicos_entity import MAX_ASSOCIATIONS, STALLED_S, entity_of
from drivers.wire import dicos
from drivers.wire.dicos_write import begin

if TYPE_CHECKING:
    from pynetdicom.events import Event

MAX_LINKS = 16  # with those that have not said yet what they want
MAX_HELD_BYTES = 256 << 20  # of all senders together: two of the largest files and what is begun
CHUNK_BYTES = 1 << 20
PARTING_BYTES = 64  # of who asks to leave, or looks whether somebody is there
LEAST_BYTES_S = 50_000  # of a message, after that: a quarter of a scan in a minute
QUIET_S = 10.0  # after so long without a word a sender gives way to another one, if it must
PARTING_S = 0.5  # for answers on their way, and for senders to hang up, when the receiver closes
BACKLOG = 64  # connections that the kernel holds until they are looked at

SUCCESS, REFUSED, NO_RESOURCES = 0x0000, 0x0110, 0xA700
WRONG_CLASS, NOT_UNDERSTOOD = 0xA900, 0xC000
"""PS3.4 table B.2-1; 0x0110 is PS3.7's processing failure."""

Store = Callable[[str, bytes], int]
"""Takes the UID of an instance and its file; returns the status that its sender hears."""
Tell = Callable[[str, str], object]
"""Takes a reason and a text."""


@dataclass(slots=True)
class _Link:
    """One connection: what of it lies in memory."""

    wire: Any
    """Its socket, which pynetdicom leaves open where the other end was faster."""
    held: int = 0
    storing: bool = False
    greeted: bool = False
    """It asked for an association, whether it got one or not."""
    told: bool = False
    """Why it was cut has been said."""
    leaving: bool = False
    """It was hung up on, and counts no more."""
    began_s: float = 0.0
    """When the message that is held began to come."""
    heard_s: float = field(default_factory=time.monotonic)


class DicosServer:
    """`listen` once, `end` once."""

    def __init__(self, config: XrayDicosConfig, store: Store, tell: Tell) -> None:
        self._config = config
        self._store = store
        self._tell = tell
        self._lock = threading.Lock()  # guards the next two
        self._links: dict[Any, _Link] = {}
        self._closed = False
        self._server: Any = None

    @property
    def links(self) -> int:
        """How many connections there are."""
        return len(self._links)

    @property
    def held_bytes(self) -> int:
        """What of all messages lies in memory."""
        with self._lock:
            return sum(one.held for one in self._links.values())

    def listen(self, address: Address) -> None:
        """Begin. OSError where the address cannot be had, ImportError without pynetdicom."""
        from pynetdicom import evt  # noqa: PLC0415 - 290 ms for those who need it

        entity = entity_of(self._config, self._taken)
        handlers: list[Any] = [
            (evt.EVT_CONN_OPEN, self._on_open),
            (evt.EVT_CONN_CLOSE, self._on_close),
            (evt.EVT_ACCEPTED, self._on_accepted),
            (evt.EVT_REJECTED, self._on_rejected),
            (evt.EVT_C_ECHO, self._on_echo),
            (evt.EVT_C_STORE, self._on_store),
        ]
        where = (address.host, address.port)
        self._server = entity.start_server(where, block=False, evt_handlers=handlers)
        self._server.socket.listen(BACKLOG)

    def end(self) -> None:
        """End every connection. Blocks for some `PARTING_S`."""
        with self._lock:
            self._closed = True
        server, self._server = self._server, None
        if server is None:
            return
        server.shutdown()
        ends_s = time.monotonic() + PARTING_S
        while self._is_storing() and time.monotonic() < ends_s:
            time.sleep(PARTING_S / 50)  # who waits for an answer still gets it
        with self._lock:
            links = dict(self._links)
        associations = {*links, *server.active_associations}
        for association in associations:
            if association.is_established:
                association.abort(block=False)
            else:
                _wake(association)
        ends_s = time.monotonic() + PARTING_S
        for association in associations:
            _join(association, ends_s)
        for link in links.values():
            link.wire.close()
        for association in associations:  # whose other end does not hang up
            association.dul.kill_dul()
            association.kill()
            _join(association, time.monotonic() + STALLED_S)

    # --- in threads of pynetdicom's --------------------------------------------------------

    def _taken(self) -> list[Any]:
        with self._lock:
            links = self._links.items()
            return [one for one, link in links if link.greeted and not link.leaving]

    def _is_storing(self) -> bool:
        with self._lock:
            return any(link.storing for link in self._links.values())

    def _on_open(self, event: "Event") -> None:
        association = event.assoc
        wire: Any = association.dul.socket
        link = _Link(wire.socket)
        with self._lock:
            self._forget_dead()
            crowded = not self._make_room()
            closed = self._closed
            self._links[association] = link
        link.wire.settimeout(STALLED_S)
        if closed or crowded:
            wire.close()
            if crowded:
                self._tell("too-many", f"senders at once; {MAX_LINKS} are listened to")
            return
        wire.recv = lambda size: self._receive(link, size)
        machine: Any = association.dul.state_machine
        act = machine.do_action
        machine.do_action = lambda event: self._act(link, act, event)

    def _act(self, link: _Link, act: Callable[[str], object], event: str) -> None:
        """What pynetdicom does at an event; a command that lacks an element ends its thread."""
        try:
            act(event)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            link.told = True
            self._tell("bad-header", f"a message that is none: {error!r}")
            _hang_up(link.wire)

    def _forget_dead(self) -> None:
        """Links of which pynetdicom's thread ended without a word, as a defect of it would."""
        for association, link in list(self._links.items()):
            if association.ident is not None and not association.is_alive():
                link.wire.close()
                del self._links[association]

    def _make_room(self) -> bool:
        """Hang up on who keeps others out for nothing; whether there is a place."""
        here = [link for link in self._links.values() if not link.leaving]
        silent_s = time.monotonic() - QUIET_S
        taken = [link for link in here if link.greeted]
        idle = [link for link in taken if not link.storing and link.heard_s < silent_s]
        if len(taken) >= MAX_ASSOCIATIONS and idle:
            self._hang_up(min(idle, key=lambda link: link.heard_s))
        waiting = [link for link in here if not link.greeted]
        if len(here) >= MAX_LINKS and waiting:  # a scanner says at once what it wants
            self._hang_up(waiting[0])
        return sum(not link.leaving for link in self._links.values()) < MAX_LINKS

    def _hang_up(self, link: _Link) -> None:
        """Whoever reads there sees the end."""
        link.leaving = link.told = True
        self._tell("too-many", f"senders at once; {MAX_LINKS} are listened to")
        _hang_up(link.wire)

    def _receive(self, link: _Link, size: int) -> bytearray:
        """`size` bytes, fewer where the link was cut. OSError: too many, or too slowly."""
        now_s = time.monotonic()
        with self._lock:
            if not link.held:
                link.began_s = now_s
            link.heard_s = now_s
            held = sum(one.held for one in self._links.values())
            # What is refused must not count: a claim of 4 GB would keep the others out.
            most = min(dicos.MAX_FILE_BYTES + CHUNK_BYTES - link.held, MAX_HELD_BYTES - held)
            link.held += size if size <= most else 0
        if size > most:
            link.told = True
            self._tell("too-large", "a sender that does not wait, or a file beyond all scans")
            raise OSError("more than is taken")
        ends_s = link.began_s + STALLED_S + link.held / LEAST_BYTES_S
        data = bytearray()
        while len(data) < size:
            # What a length claims is not set aside before it has come.
            piece = link.wire.recv(min(CHUNK_BYTES, size - len(data)))
            if not piece:
                return data
            data += piece
            if time.monotonic() > ends_s:
                link.told = True
                self._tell("too-slow", f"{len(data)} of {size} bytes, and then no more in time")
                raise OSError("too slow")
        return data

    def _on_close(self, event: "Event") -> None:
        with self._lock:
            link = self._links.pop(event.assoc, None)
        if link is None:
            return
        link.wire.close()
        _wake(event.assoc)
        if link.told or link.storing or link.held <= PARTING_BYTES:
            return
        if link.greeted:
            self._tell("truncated", "a sender hung up within a message, or sent what is none")
        else:
            self._tell("not-dicom", "a caller that asked for no association")

    def _on_accepted(self, event: "Event") -> None:
        self._mark(event.assoc, storing=False, greeted=True)
        if not event.assoc.accepted_contexts:
            asked = event.assoc.rejected_contexts
            wanted = " ".join(str(one.abstract_syntax) for one in asked[:4])
            self._tell("unsupported", f"a sender of nothing that is taken: {wanted}")

    def _on_rejected(self, event: "Event") -> None:
        self._mark(event.assoc, storing=False, greeted=True)
        caller = str(event.assoc.requestor.ae_title).strip()
        self._tell("not-taken", f"{caller}: unknown, or it called somebody else, or too many")

    def _on_echo(self, event: "Event") -> int:
        self._mark(event.assoc, storing=False)
        return SUCCESS

    def _on_store(self, event: "Event") -> int:
        self._mark(event.assoc, storing=True)
        try:
            return self._stored(event)
        finally:
            self._mark(event.assoc, storing=False)

    def _mark(self, association: Any, *, storing: bool, greeted: bool = False) -> None:  # noqa: ANN401
        """Note that a message is being dealt with, or no longer lies in memory."""
        with self._lock:
            if link := self._links.get(association):
                link.greeted |= greeted
                link.storing = storing
                link.heard_s = time.monotonic()
                link.held = link.held if storing else 0

    def _stored(self, event: "Event") -> int:
        request: Any = event.request
        instance = str(request.AffectedSOPInstanceUID)
        if request.DataSet is None:
            self._tell("missing-pixels", instance)
            return NOT_UNDERSTOOD
        head = begin(str(request.AffectedSOPClassUID), instance, str(event.context.transfer_syntax))
        with request.DataSet as data:
            file = head + data.getvalue()
        if len(file) > dicos.MAX_FILE_BYTES:
            self._tell("too-large", instance)
            return NO_RESOURCES
        return self._store(instance, file)


def _wake(association: Any) -> None:  # noqa: ANN401
    """End one that waits for its first request, which is not to come."""
    if association.requestor.primitive is None:
        association.dul.to_user_queue.put(None)


def _hang_up(wire: Any) -> None:  # noqa: ANN401
    """Whoever reads there sees the end."""
    try:
        wire.shutdown(socket.SHUT_RDWR)
    except OSError:
        wire.close()


def _join(association: Any, ends_s: float) -> None:  # noqa: ANN401
    for thread in (association, association.dul):
        if thread.is_alive():
            thread.join(max(ends_s - time.monotonic(), 0.0))
