"""A station to which scanners send their scans: a C-STORE receiver as a transport.

A scan is handed over as a bundle, as from a folder, and the sender hears of success only once it
has been dealt with. Of a scan in two files the first is answered when it lies safely on disk: its
sender would not send the second before. It waits there for the other one, over a restart as well,
and is a scan by itself when that has not come after `pair_wait_s`.
"""

import asyncio
import contextlib
import hashlib
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from drivers.address import Address, cause_of, unavailable
from drivers.base import SensorUnavailable
from drivers.dicos_config import XrayDicosConfig
from drivers.dicos_header import NEEDED
from drivers.dicos_instance import Instance, Key
from drivers.dicos_pairs import Pairs
from drivers.dicos_reading import begun
from drivers.dicos_server import (
    NO_RESOURCES,
    NOT_UNDERSTOOD,
    REFUSED,
    SUCCESS,
    WRONG_CLASS,
    DicosServer,
)
from drivers.dicos_spool import Held, Spool, safe_name
from drivers.wire import bundle
from drivers.wire.malformed import Malformed, malformed

ANSWER_S = 60.0  # for a scan to be dealt with, those before it included
BUSY_PAUSE_S = 0.25  # between two attempts at a port that somebody has

_STATUS = {
    "": SUCCESS,
    "duplicate": SUCCESS,  # it was taken, and the answer was lost
    "unsupported": WRONG_CLASS,
    "too-large": NO_RESOURCES,
    **dict.fromkeys(("driver-error", "analysis-error", "needs-library", "reader-ended"), REFUSED),
}


@dataclass(slots=True)
class _Scan:
    """What waits to be read, and who waits for the answer."""

    held: tuple[Held, ...] = ()
    """Planes whose senders have heard of success."""
    name: str = ""
    file: bytes = b""
    """What has just come; empty where nothing has."""
    answer: Future[str] | None = None
    digests: tuple[str, ...] = ()
    """Of the files of a whole scan, by which it is known again; of half a one there are none."""

    def files(self) -> dict[str, bytes]:
        """By name. OSError: a plane is not to be read any more."""
        made = {self.name: self.file} if self.file else {}
        for number, held in enumerate(self.held):
            name = f"{held.name}.dcs"
            made[f"{number}-{name}" if name in made else name] = held.read()
        return made


class DicosTransport:
    """Scans as they come, one at a time.

    spool  where planes wait; as of `Spool`
    """

    def __init__(
        self,
        config: XrayDicosConfig,
        refuse: Callable[[Malformed], None],
        spool: Path | None = None,
    ) -> None:
        self._config = config
        self._refuse = refuse
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()  # so that nothing is queued once this is closed
        self._closed = False
        self._waiting: deque[_Scan] = deque()
        self._arrived = asyncio.Event()
        self._taken: _Scan | None = None
        self._spool = Spool(spool)
        self._pairs = Pairs(
            config.pair_wait_s,
            scan=lambda planes: self._queue(_Scan(planes)),
            again=lambda held: self._spool.drop(held, ""),
        )
        self.server = DicosServer(config, self._store, self._tell)

    async def read(self) -> bytes:
        """The next scan's bundle; `b""` when the receiver was closed."""
        while True:
            while not self._waiting:
                self._arrived.clear()
                if self._closed:
                    return b""
                await self._arrived.wait()
            self._taken = taken = self._waiting.popleft()
            try:
                files = await asyncio.to_thread(taken.files)
                if len(files) > 1 or not taken.held:
                    digests = (hashlib.sha256(file).hexdigest() for file in files.values())
                    taken.digests = tuple(digests)
                return bundle.encode(files)
            except OSError as error:  # the disk
                self._refuse(malformed("unreadable", cause_of(error).encode("ascii", "replace")))
                await self.settle("unreadable")

    async def settle(self, reason: str) -> None:
        """Answer the sender of the scan that was read last."""
        taken, self._taken = self._taken, None
        if taken is None:
            return
        if not reason:
            await asyncio.to_thread(self._remember, taken.digests)
        for held in taken.held:
            await asyncio.to_thread(self._spool.drop, held, reason)
        if taken.answer is not None and not taken.answer.done():
            taken.answer.set_result(reason)

    def _remember(self, digests: tuple[str, ...]) -> None:
        for digest in digests:
            with contextlib.suppress(OSError):  # sent again it is scored again, no worse
                self._spool.remember(digest)

    async def close(self) -> None:
        """Refuse what is waiting, and end every connection. Planes on disk stay there."""
        with self._lock:
            self._closed = True
        self._pairs.close()
        for scan in (*self._waiting, *([self._taken] if self._taken else [])):
            if scan.answer is not None and not scan.answer.done():
                scan.answer.set_result("closed")
        self._waiting.clear()
        self._taken = None
        self._arrived.set()
        # A cancelled wait does not end the threads: they are waited for all the same.
        await asyncio.shield(asyncio.to_thread(self._end))

    def _end(self) -> None:
        self.server.end()
        self._spool.end()

    # --- in other threads --------------------------------------------------------------------

    def listen(self, address: Address) -> None:
        """Begin, with what was left when the process ended last. OSError where the address cannot
        be had, or nothing be kept."""
        for held in self._spool.begin():
            with contextlib.suppress(OSError):
                self._take_up(held, begun(held.read()))
        self.server.listen(address)

    def _take_up(self, held: Held, read: tuple[Instance, int] | Malformed) -> None:
        keys = None if isinstance(read, Malformed) else read[0].pair(self._config.planes)
        if keys is None:  # it says why when it is read
            self._queue(_Scan((held,)))
        else:
            self._pairs.hold(keys, held)

    def _store(self, instance: str, file: bytes) -> int:
        """In a thread of the server's."""
        if self._spool.knows(hashlib.sha256(file).hexdigest()):
            self._tell("duplicate", instance)
            return SUCCESS
        read = begun(file)
        keys = None if isinstance(read, Malformed) else read[0].pair(self._config.planes)
        held = None
        if keys is not None:
            held = self._pairs.take(keys, safe_name(instance))
            if held is None:
                return self._keep(keys, instance, file)
        waits = () if held is None else (held,)
        return self._hand_over(_Scan(waits, f"{safe_name(instance)}.dcs", file, Future()))

    def _keep(self, keys: tuple[Key, Key], instance: str, file: bytes) -> int:
        try:
            held = self._spool.put(instance, file)
        except OSError as error:
            self._tell("not-stored", f"{instance}: {cause_of(error)}")
            return NO_RESOURCES
        # Where the receiver is being closed it is there after the next start: sent again, it is
        # the same plane.
        return SUCCESS if self._pairs.hold(keys, held) else NO_RESOURCES

    def _queue(self, scan: _Scan) -> None:
        self._on_loop(lambda: self._put(scan))

    def _hand_over(self, scan: _Scan) -> int:
        assert scan.answer is not None
        with self._lock:
            if self._closed:
                return NO_RESOURCES
            self._queue(scan)
        try:
            reason = scan.answer.result(ANSWER_S)
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


async def open_receiver(
    config: XrayDicosConfig,
    address: Address,
    *,
    patient: bool,
    refuse: Callable[[Malformed], None],
    spool: Path | None = None,
) -> DicosTransport:
    """Listen for scanners. SensorUnavailable where the address is not to be had within
    `config.timeout_s`, or pynetdicom is not installed; `patient`: at the first attempt."""
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + config.timeout_s
    while True:
        transport = DicosTransport(config, refuse, spool)
        listening = asyncio.ensure_future(asyncio.to_thread(transport.listen, address))
        try:
            await asyncio.shield(listening)
        except ImportError as error:
            await transport.close()
            text = f"{config.id}: {NEEDED.replace('pydicom', 'pynetdicom')}"
            raise SensorUnavailable(text) from error
        except OSError as error:
            await transport.close()
            if patient or loop.time() + BUSY_PAUSE_S >= ends_s:
                raise unavailable(config, cause_of(error)) from error
        except BaseException:  # a cancel: what the thread opens must not stay
            await asyncio.wait([listening])
            await transport.close()
            raise
        else:
            return transport
        await asyncio.sleep(BUSY_PAUSE_S)
