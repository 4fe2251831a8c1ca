"""Opens what a sensor's `url` names and yields its bytes; with `folder`, `seedlink_session`,
`dicos_receiver` and `udp_senders` the only one that does.

A transport knows nothing of records: a read may end anywhere. Link cuts are values (`b""`),
not exceptions, so that the reader has one path; only opening raises.
"""

import asyncio
import contextlib
import socket
import termios
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

import serial

from drivers.address import Address, cause_of, parse_address, unavailable
from drivers.base import Bookmark, SensorConfig
from drivers.dicos_config import XrayDicosConfig
from drivers.dicos_receiver import open_receiver
from drivers.folder import open_folder
from drivers.polling import open_polling
from drivers.seedlink_session import open_seedlink
from drivers.seismic_seedlink import SeedLinkConfig
from drivers.udp_senders import open_sender
from drivers.wire.malformed import Malformed

CHUNK_BYTES = 64 * 1024  # above what any sensor sends in a tick, below what would stall the loop
UDP_BUFFER_BYTES = 4 * 2**20  # 64 channels of datacast for minutes; the kernel may grant less
DATAGRAM_BYTES = 65_536  # the largest that UDP can carry, so none is ever cut short
# A serial line at 460,800 baud brings 46 kB/s: more than 20 s of it means the loop has stopped.
SERIAL_BUFFER_BYTES = 2**20
SERIAL_POLL_S = 0.2  # how long a closing port may keep its reader waiting
REFUSED_PAUSE_S = 0.25  # a device that is just starting refuses for a second or two
KEEPALIVE_S = (10, 5, 3)  # idle, interval, probes: a pulled cable is noticed within 25 s


class Transport(Protocol):
    """An open link to one sensor. Used from the event loop's thread only."""

    async def read(self) -> bytes:
        """What arrived, at least one byte; `b""` when the link was cut, and ever after.

        At most `CHUNK_BYTES`, but for a folder: there it is one whole bundle.
        """
        ...

    async def settle(self, reason: str) -> None:
        """What was read last has been dealt with; `reason` says why it was of no use, or `""`.

        A folder files the scan accordingly; the others have nothing to keep.
        """
        ...

    async def close(self) -> None:
        """Leave no task, thread, socket or file. May be called twice."""
        ...


class _NoBookmark:
    """For one link only."""

    def __init__(self) -> None:
        self._note = ""

    def get(self) -> str:
        return self._note

    def put(self, note: str) -> None:
        self._note = note


async def open_transport(
    config: SensorConfig,
    *,
    patient: bool = False,
    refuse: Callable[[Malformed], None] = lambda malformed: None,
    bookmark: Bookmark | None = None,
    spool: Path | None = None,
) -> Transport:
    """Connect to where the sensor answers.

    Raises SensorUnavailable when nothing answers within `config.timeout_s`. An address that
    only listens (udp, folder) has answered when the first datagram, or the folder, is there.
    `patient` is for those who pause by themselves: listen for ever, try to connect once.
    `refuse` is told of input that is not worth a read, such as a scan that is too large.
    `bookmark` is where a server that keeps its data is asked to go on. `spool` is a folder for
    what a sender was told is safe and waits to be dealt with; None: for the process's life only.
    ValueError when `config.url` is no address.
    """
    address = parse_address(config.url)
    match address.form:
        case "tcp" if isinstance(config, SeedLinkConfig):
            return await open_seedlink(config, address, bookmark or _NoBookmark(), patient=patient)
        case "tcp":
            ends_s = asyncio.get_running_loop().time() + config.timeout_s
            link = await _open_tcp(config, address, patient=patient)
            poller = config.poller()
            return link if poller is None else await open_polling(config, link, poller, ends_s)
        case "udp" if sender := getattr(config, "sender", ""):
            return await open_sender(
                config, address, sender, refuse, resolve=_resolved, bind=_bound, patient=patient
            )
        case "udp":
            return await _open_udp(config, address, patient=patient)
        case "dicos" | "folder":
            return await _open_inbox(config, address, spool, patient=patient, refuse=refuse)
        case _:
            return await _open_serial(config, address.path)


async def _open_inbox(
    config: SensorConfig,
    address: Address,
    spool: Path | None,
    *,
    patient: bool,
    refuse: Callable[[Malformed], None],
) -> Transport:
    """Where whole scans or documents are put."""
    if address.form == "folder":
        return await open_folder(config, address.path, patient=patient, refuse=refuse)
    if not isinstance(config, XrayDicosConfig):
        raise ValueError(f"{config.id}: a sensor of this kind does not speak DICOS")
    return await open_receiver(config, address, patient=patient, refuse=refuse, spool=spool)


async def chunks(transport: Transport) -> AsyncIterator[bytes]:
    """Every read until the link is cut."""
    while data := await transport.read():
        yield data


class _Stream:
    async def settle(self, reason: str) -> None:
        """Nothing is kept."""


class _TcpTransport(_Stream):
    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hung_s: float
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._hung_s = hung_s or None

    async def read(self) -> bytes:
        # The reader stops the socket at twice its limit, so a flood waits in the kernel.
        try:
            if self._hung_s is None:
                return await self._reader.read(CHUNK_BYTES)
            async with asyncio.timeout(self._hung_s):
                return await self._reader.read(CHUNK_BYTES)
        except OSError:  # a timeout is one
            return b""

    async def write(self, data: bytes) -> None:
        """For those who ask. OSError when the link was cut."""
        self._writer.write(data)
        await self._writer.drain()

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


async def _open_tcp(config: SensorConfig, address: Address, *, patient: bool) -> _TcpTransport:
    refused: OSError | None = None
    try:
        async with asyncio.timeout(config.timeout_s):
            while True:
                try:
                    reader, writer = await asyncio.open_connection(
                        address.host, address.port, limit=CHUNK_BYTES
                    )
                    break
                except OSError as error:  # the resolver's errors are OSErrors too
                    refused = error
                    if patient:
                        raise
                await asyncio.sleep(REFUSED_PAUSE_S)
    except OSError as error:
        cause = refused or error
        raise unavailable(config, cause_of(cause)) from cause
    link: socket.socket = writer.get_extra_info("socket")
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
    for option, value in zip(options, KEEPALIVE_S, strict=True):
        link.setsockopt(socket.IPPROTO_TCP, option, value)
    return _TcpTransport(reader, writer, config.hung_s)


class _UdpTransport(_Stream):
    """Datagrams wait in the kernel, which bounds and counts them; here is no queue."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._waiting = b""

    async def wait(self) -> None:
        """Return when the first datagram is there."""
        self._waiting = await self.read()

    async def read(self) -> bytes:
        if waiting := self._waiting:
            self._waiting = b""
            return waiting
        loop = asyncio.get_running_loop()
        data = bytearray()
        # One wake-up may find many datagrams. They are joined with nothing between: a wire
        # over UDP tells its records apart by itself. An empty one says nothing.
        try:
            while not data:
                data += await loop.sock_recv(self._link, DATAGRAM_BYTES)
            while len(data) < CHUNK_BYTES:
                data += self._link.recv(DATAGRAM_BYTES)
        except BlockingIOError:
            pass
        except OSError:
            return bytes(data)
        return bytes(data)

    async def close(self) -> None:
        self._link.close()


async def _open_udp(config: SensorConfig, address: Address, *, patient: bool) -> _UdpTransport:
    try:
        async with asyncio.timeout(config.timeout_s):
            link = _bound(*await _resolved(address))
    except OSError as error:
        raise unavailable(config, cause_of(error)) from error
    transport = _UdpTransport(link)
    try:
        async with asyncio.timeout(None if patient else config.timeout_s):
            await transport.wait()
    except TimeoutError:
        await transport.close()
        raise unavailable(config, "no datagram") from None
    except BaseException:  # whatever ends the wait, a cancel above all: the socket must not stay
        await transport.close()
        raise
    return transport


async def _resolved(address: Address) -> tuple[int, object]:
    found = await asyncio.get_running_loop().getaddrinfo(
        address.host, address.port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
    )
    return found[0][0], found[0][4]


def _bound(family: int, where: object) -> socket.socket:
    link = socket.socket(family, socket.SOCK_DGRAM)
    try:
        link.setblocking(False)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_BUFFER_BYTES)
        link.bind(where)  # type: ignore[arg-type]  # typeshed has no name for getaddrinfo's
    except BaseException:  # as above
        link.close()
        raise
    return link


class _SerialTransport(_Stream):
    """A thread reads the port, because pyserial's URLs have no file to select on."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()  # guards the two below
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._arrived = asyncio.Event()
        self._room = threading.Event()
        self._room.set()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="serial", daemon=True)
        self._thread.start()

    async def read(self) -> bytes:
        data = bytearray()
        while not self._pieces:  # a wake-up may be for pieces that were taken already
            self._arrived.clear()
            if not self._pieces:
                await self._arrived.wait()
        with self._lock:
            # An empty piece is the end: it stays where it is, so every later read finds it.
            while self._pieces and self._pieces[0] and len(data) < CHUNK_BYTES:
                data += self._pieces.popleft()
            self._size -= len(data)
        self._room.set()
        return bytes(data)

    async def close(self) -> None:
        self._closing = True
        self._room.set()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        try:
            while not self._closing:
                # What is there, or wait for one byte. A read that also waited for more would
                # lose what it has when the line hangs up.
                size = max(1, min(self._port.in_waiting, CHUNK_BYTES // 2))
                if data := self._port.read(size):
                    self._hand_over(data)
        except OSError:  # pyserial's errors are OSErrors: the cable was pulled
            pass
        finally:
            self._hand_over(b"")
            with contextlib.suppress(OSError):
                self._port.close()

    def _hand_over(self, data: bytes) -> None:
        with self._lock:
            self._pieces.append(data)
            self._size += len(data)
            if self._size >= SERIAL_BUFFER_BYTES:
                self._room.clear()
        with contextlib.suppress(RuntimeError):  # the loop may have ended before its sensor
            self._loop.call_soon_threadsafe(self._arrived.set)
        while data and not self._closing and not self._room.wait(SERIAL_POLL_S):
            pass  # nobody reads: the bytes wait in the port


async def _open_serial(config: SensorConfig, url: str) -> _SerialTransport:
    loop = asyncio.get_running_loop()
    opened: asyncio.Future[serial.Serial] = loop.create_future()

    def deliver(port: serial.Serial | None, error: Exception | None) -> None:
        if opened.cancelled():  # nobody waits any more
            if port is not None:
                port.close()
        elif port is not None:
            opened.set_result(port)
        elif error is not None:
            opened.set_exception(error)

    def run() -> None:
        port, failed = None, None
        try:
            port = serial.serial_for_url(url, baudrate=config.baud, timeout=SERIAL_POLL_S)
        except (OSError, ValueError, termios.error) as error:
            failed = error
        try:
            loop.call_soon_threadsafe(deliver, port, failed)
        except RuntimeError:  # the loop has ended
            if port is not None:
                port.close()

    # A thread of its own: rfc2217 can hang for longer than the timeout, and a pool's thread
    # would then keep the process from ending.
    threading.Thread(target=run, name="serial-open", daemon=True).start()
    try:
        async with asyncio.timeout(config.timeout_s):
            port = await opened
    except (OSError, ValueError, termios.error) as error:
        raise unavailable(config, cause_of(error)) from error
    return _SerialTransport(port)
