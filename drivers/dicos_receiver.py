"""A station to which scanners send their scans: a C-STORE receiver as a transport.

pynetdicom speaks the protocol, in threads of its own. A scan is handed over as a bundle, as from
a folder, and the sender hears of success only once it has been dealt with. Of a scan in two files
the first is answered when it is held: its sender would not send the second before.
"""

import asyncio
import contextlib
import logging
import re
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drivers.address import Address, cause_of, unavailable
from drivers.base import SensorUnavailable
from drivers.dicos_header import NEEDED
from drivers.dicos_instance import Key
from drivers.dicos_reading import begun
from drivers.wire import bundle, dicos
from drivers.wire.dicos_write import begin
from drivers.wire.malformed import Malformed, malformed
from drivers.xray_dicos import XrayDicosConfig

if TYPE_CHECKING:
    from pynetdicom.events import Event

MAX_ASSOCIATIONS = 4  # a scanner has one or two
MAX_LINKS = 8  # with those that have not said yet what they want
MAX_HELD_BYTES = 256 << 20  # of all senders together: two of the largest files and what is begun
MAX_HALVES = 4  # planes that wait for the other one
CHUNK_BYTES = 1 << 20
STALLED_S = 15.0  # a sender that has stopped within a message
GREETING_S = 5.0  # from the connection to what the sender wants
PARTING_S = 0.5  # for answers on their way, and for senders to hang up, when the receiver closes
IDLE_S = 300.0  # scans come every few minutes; who has been silent for longer connects anew
ANSWER_S = 60.0  # for a scan to be dealt with, those before it included
BUSY_PAUSE_S = 0.25  # between two attempts at a port that somebody has

SUCCESS, REFUSED, NO_RESOURCES = 0x0000, 0x0110, 0xA700
WRONG_CLASS, NOT_UNDERSTOOD = 0xA900, 0xC000
"""PS3.4 table B.2-1; 0x0110 is PS3.7's processing failure."""
_STATUS = {
    "": SUCCESS,
    "duplicate": SUCCESS,  # it was taken, and the answer was lost
    "unsupported": WRONG_CLASS,
    "too-large": NO_RESOURCES,
    **dict.fromkeys(("driver-error", "analysis-error", "needs-library", "reader-ended"), REFUSED),
}


@dataclass(slots=True)
class _Scan:
    """Files that wait to be read, and who waits for the answer."""

    files: dict[str, bytes]
    answer: Future[str] | None = None


@dataclass(slots=True)
class _Link:
    """One connection: what of it lies in memory."""

    wire: Any
    """Its socket, which pynetdicom leaves open where the other end was faster."""
    held: int = 0
    storing: bool = False


@dataclass(slots=True)
class _Half:
    """A plane that waits for the other."""

    instance: str
    files: dict[str, bytes]
    expiry: asyncio.TimerHandle | None = None

    def stop(self) -> None:
        """It waits no more. On the loop."""
        if self.expiry is not None:
            self.expiry.cancel()


class DicosTransport:
    """Scans as they come, one at a time."""

    def __init__(self, config: XrayDicosConfig, refuse: Callable[[Malformed], None]) -> None:
        self._config = config
        self._refuse = refuse
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()  # guards the next three
        self._links: dict[Any, _Link] = {}
        self._halves: OrderedDict[Key, _Half] = OrderedDict()
        self._closed = False
        self._waiting: deque[_Scan] = deque()
        self._arrived = asyncio.Event()
        self._taken: _Scan | None = None
        self._server: Any = None

    async def read(self) -> bytes:
        """The next scan's bundle; `b""` when the receiver was closed."""
        while not self._waiting:
            self._arrived.clear()
            if self._closed:
                return b""
            await self._arrived.wait()
        self._taken = self._waiting.popleft()
        return bundle.encode(self._taken.files)

    async def settle(self, reason: str) -> None:
        """Answer the sender of the scan that was read last."""
        taken, self._taken = self._taken, None
        if taken is not None and taken.answer is not None:
            taken.answer.set_result(reason)

    async def close(self) -> None:
        """Refuse what is waiting, and end every connection."""
        with self._lock:
            self._closed = True
            halves = list(self._halves.values())
            self._halves.clear()
        for half in halves:
            half.stop()
        for scan in (*self._waiting, *([self._taken] if self._taken else [])):
            if scan.answer is not None:
                scan.answer.set_result("closed")
        self._waiting.clear()
        self._taken = None
        self._arrived.set()
        server, self._server = self._server, None
        if server is not None:
            # A cancelled wait does not end the threads: they are waited for all the same.
            await asyncio.shield(asyncio.to_thread(self._end, server))

    # --- in threads of pynetdicom's ------------------------------------------------------

    def listen(self, address: Address) -> None:
        """Begin. OSError where the address cannot be had."""
        from pynetdicom import AE, evt  # noqa: PLC0415 - 290 ms for those who need it
        from pynetdicom.sop_class import Verification  # type: ignore[attr-defined] # noqa: PLC0415

        _register()
        entity = AE(ae_title=self._config.ae_title or "GARITA")
        entity.require_called_aet = bool(self._config.ae_title)
        entity.require_calling_aet = list(self._config.callers)
        entity.maximum_pdu_size = 0  # in as few pieces as the sender likes
        entity.maximum_associations = MAX_ASSOCIATIONS
        entity.network_timeout = IDLE_S
        entity.acse_timeout, entity.dimse_timeout = GREETING_S, STALLED_S
        entity.add_supported_context(Verification)
        for uid in (*dicos.SOP_CLASSES, *dicos.PARTS):
            entity.add_supported_context(uid, [*dicos.PLAIN, *dicos.PACKED])
        handlers: list[Any] = [
            (evt.EVT_CONN_OPEN, self._on_open),
            (evt.EVT_CONN_CLOSE, self._on_close),
            (evt.EVT_C_ECHO, self._on_echo),
            (evt.EVT_C_STORE, self._on_store),
        ]
        where = (address.host, address.port)
        self._server = entity.start_server(where, block=False, evt_handlers=handlers)

    def _end(self, server: Any) -> None:  # noqa: ANN401
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

    def _is_storing(self) -> bool:
        with self._lock:
            return any(link.storing for link in self._links.values())

    def _on_open(self, event: "Event") -> None:
        association = event.assoc
        wire: Any = association.dul.socket
        link = _Link(wire.socket)
        with self._lock:
            self._forget_dead()
            crowded = self._closed or len(self._links) >= MAX_LINKS
            self._links[association] = link
        link.wire.settimeout(STALLED_S)
        if crowded:
            wire.close()
            return
        wire.recv = lambda size: self._receive(link, size)

    def _forget_dead(self) -> None:
        """Links of which pynetdicom's thread ended without a word, as a defect of it would."""
        for association, link in list(self._links.items()):
            if association.ident is not None and not association.is_alive():
                link.wire.close()
                del self._links[association]

    def _receive(self, link: _Link, size: int) -> bytearray:
        """`size` bytes, fewer where the link was cut. OSError: too many, or too slowly."""
        with self._lock:
            link.held += size
            held = sum(one.held for one in self._links.values())
        if link.held > dicos.MAX_FILE_BYTES + CHUNK_BYTES or held > MAX_HELD_BYTES:
            self._tell("too-large", "a sender that does not wait, or a file beyond all scans")
            raise OSError("more than is taken")
        data = bytearray(size) if size <= CHUNK_BYTES else bytearray()
        if size <= CHUNK_BYTES:
            got = _fill(link.wire, memoryview(data))
            return data if got == size else data[:got]
        # What a length claims is not set aside before it has come.
        ends_s = time.monotonic() + ANSWER_S
        while len(data) < size and time.monotonic() < ends_s:
            piece = link.wire.recv(min(CHUNK_BYTES, size - len(data)))
            if not piece:
                return data
            data += piece
        if len(data) < size:
            raise OSError("too slow")
        return data

    def _on_close(self, event: "Event") -> None:
        with self._lock:
            link = self._links.pop(event.assoc, None)
        if link is not None:
            link.wire.close()
            _wake(event.assoc)
        if link is not None and link.held > CHUNK_BYTES // 16 and not link.storing:
            self._tell("truncated", "a sender hung up within a scan")

    def _on_echo(self, event: "Event") -> int:
        self._mark(event.assoc, storing=False)
        return SUCCESS

    def _on_store(self, event: "Event") -> int:
        self._mark(event.assoc, storing=True)
        try:
            return self._store(event)
        finally:
            self._mark(event.assoc, storing=False)

    def _mark(self, association: Any, *, storing: bool) -> None:  # noqa: ANN401
        """Note that a message is being dealt with, or no longer lies in memory."""
        with self._lock:
            if link := self._links.get(association):
                link.storing = storing
                link.held = link.held if storing else 0

    def _store(self, event: "Event") -> int:
        request: Any = event.request
        instance = str(request.AffectedSOPInstanceUID)
        head = begin(str(request.AffectedSOPClassUID), instance, str(event.context.transfer_syntax))
        with request.DataSet as data:
            file = head + data.getvalue()
        if len(file) > dicos.MAX_FILE_BYTES:
            self._tell("too-large", instance)
            return NO_RESOURCES
        files = {f"{re.sub('[^0-9.]', '_', instance)[:64]}.dcs": file}
        read = begun(file)
        keys = None if isinstance(read, Malformed) else read[0].pair(self._config.planes)
        if keys is not None:
            other = self._other(keys, instance, files)
            if other is None:
                return SUCCESS
            files = {**other, **files}
        return self._hand_over(files)

    def _other(
        self, keys: tuple[Key, Key], instance: str, files: dict[str, bytes]
    ) -> dict[str, bytes] | None:
        """The plane that goes with this one; None: this one waits for it."""
        mine, others = keys
        with self._lock:
            half = self._halves.get(others)
            if half is not None and half.instance != instance:
                del self._halves[others]
                self._on_loop(half.stop)
                return half.files
            before = self._halves.pop(mine, None)
            self._halves[mine] = waits = _Half(instance, files)
            alone = []
            if before is not None:
                self._on_loop(before.stop)  # sent once more, or a scan that nobody completed
                alone = [before] if before.instance != instance else []
            if len(self._halves) > MAX_HALVES:
                alone.append(self._halves.popitem(last=False)[1])
            self._on_loop(lambda: self._wait(mine, waits, alone))
        return None

    def _hand_over(self, files: dict[str, bytes]) -> int:
        answer: Future[str] = Future()
        with self._lock:
            if self._closed:
                return NO_RESOURCES
            self._on_loop(lambda: self._put(_Scan(files, answer)))
        try:
            reason = answer.result(ANSWER_S)
        except TimeoutError:
            return NO_RESOURCES
        if reason == "closed":
            return NO_RESOURCES
        return _STATUS.get(reason, NOT_UNDERSTOOD)

    def _tell(self, reason: str, text: str) -> None:
        one = malformed(reason, text.encode("ascii", "replace"))
        self._on_loop(lambda: self._refuse(one))

    def _on_loop(self, work: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop may have ended before its senders
            self._loop.call_soon_threadsafe(work)

    # --- on the loop -----------------------------------------------------------------------

    def _put(self, scan: _Scan) -> None:
        if self._closed:
            if scan.answer is not None:
                scan.answer.set_result("closed")
            return
        self._waiting.append(scan)
        self._arrived.set()

    def _wait(self, key: Key, half: _Half, alone: list[_Half]) -> None:
        for one in alone:
            one.stop()
            self._put(_Scan(one.files))
        half.expiry = self._loop.call_later(
            self._config.pair_wait_s, lambda: self._expire(key, half)
        )

    def _expire(self, key: Key, half: _Half) -> None:
        with self._lock:
            if self._halves.get(key) is not half:
                return
            del self._halves[key]
        self._put(_Scan(half.files))


def _wake(association: Any) -> None:  # noqa: ANN401
    """End one that waits for its first request, which is not to come."""
    if association.requestor.primitive is None:
        association.dul.to_user_queue.put(None)


def _join(association: Any, ends_s: float) -> None:  # noqa: ANN401
    for thread in (association, association.dul):
        if thread.is_alive():
            thread.join(max(ends_s - time.monotonic(), 0.0))


def _fill(wire: Any, view: memoryview) -> int:  # noqa: ANN401
    at = 0
    while at < len(view):
        got = wire.recv_into(view[at:])
        if not got:
            break
        at += got
    return at


def _register() -> None:
    """Tell pynetdicom of DICOS's storage classes, without which an association is aborted."""
    from pynetdicom.service_class import StorageServiceClass  # noqa: PLC0415 - as above
    from pynetdicom.sop_class import register_uid  # noqa: PLC0415

    # What they would say is said by us, once and with the sensor's name.
    for name in ("pynetdicom", "pydicom"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for uid, keyword in {**dicos.SOP_CLASSES, **dicos.PARTS}.items():
        register_uid(uid, keyword, StorageServiceClass)


async def open_receiver(
    config: XrayDicosConfig,
    address: Address,
    *,
    patient: bool,
    refuse: Callable[[Malformed], None],
) -> DicosTransport:
    """Listen for scanners. SensorUnavailable where the address is not to be had within
    `config.timeout_s`, or pynetdicom is not installed; `patient`: at the first attempt."""
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + config.timeout_s
    while True:
        transport = DicosTransport(config, refuse)
        listening = asyncio.ensure_future(asyncio.to_thread(transport.listen, address))
        try:
            await asyncio.shield(listening)
        except ImportError as error:
            text = f"{config.id}: {NEEDED.replace('pydicom', 'pynetdicom')}"
            raise SensorUnavailable(text) from error
        except OSError as error:
            if patient or loop.time() + BUSY_PAUSE_S >= ends_s:
                raise unavailable(config, cause_of(error)) from error
        except BaseException:  # a cancel: what the thread opens must not stay
            await asyncio.wait([listening])
            await transport.close()
            raise
        else:
            return transport
        await asyncio.sleep(BUSY_PAUSE_S)
