"""One UDP port for several sensors, told apart by the address that a datagram comes from.

Datagrams of a Raspberry Shake name no station. Sensors whose configurations name a `sender` at
the same address share its socket: the first opens it, the last closes it.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

from drivers.address import Address, cause_of, plain, unavailable
from drivers.base import SensorConfig
from drivers.wire.malformed import Malformed

DATAGRAM_BYTES = 65_536  # the largest that UDP can carry
WAITING_BYTES = 2**20  # minutes of a station whose reader has stopped
AT_ONCE = 256  # datagrams before the loop has its turn again

Refuse = Callable[[Malformed], object]

_ports: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, int], "_Port"]]
_ports = WeakKeyDictionary()
"""What is open in this process, by host and port."""


class SenderTransport:
    """The datagrams of one sender."""

    def __init__(self, port: "_Port", sender: str, refuse: Refuse) -> None:
        self.sender = sender
        self.refuse = refuse
        self._port = port
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._arrived = asyncio.Event()
        self._ended = False

    def put(self, data: bytes) -> None:
        """Take a datagram in; the oldest go where nobody reads."""
        self._waiting.append(data)
        self._size += len(data)
        while self._size > WAITING_BYTES:
            self._size -= len(self._waiting.popleft())
            self.refuse(Malformed("overflow", f"datagrams of {self.sender} are not read"))
        self._arrived.set()

    def end(self) -> None:
        """The socket broke."""
        self._ended = True
        self._arrived.set()

    async def wait(self) -> None:
        """Return when a datagram is there."""
        while not self._waiting and not self._ended:
            self._arrived.clear()
            await self._arrived.wait()

    async def read(self, limit: int = DATAGRAM_BYTES) -> bytes:
        """What has come, joined; `b""` when the socket broke."""
        await self.wait()
        data = bytearray()
        while self._waiting and len(data) < limit:
            data += self._waiting.popleft()
        self._size -= len(data)
        return bytes(data)

    async def settle(self, reason: str) -> None:
        """Nothing is kept."""

    async def close(self) -> None:
        """Leave the port; the last one closes it."""
        self._port.leave(self)


class _Port:
    """A bound socket and those who share it."""

    def __init__(self, link: socket.socket) -> None:
        self.closed = False
        self._link = link
        self._members: list[SenderTransport] = []
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(link, self._read)

    def join(self, sender: str, refuse: Refuse) -> SenderTransport:
        member = SenderTransport(self, sender, refuse)
        self._members.append(member)
        return member

    def leave(self, member: SenderTransport) -> None:
        if member not in self._members:
            return
        self._members.remove(member)
        if not self._members:
            self._loop.remove_reader(self._link)
            self._link.close()
            self.closed = True

    def _read(self) -> None:
        for _ in range(AT_ONCE):
            try:
                data, source = self._link.recvfrom(DATAGRAM_BYTES)
            except BlockingIOError:
                return
            except OSError:
                for member in self._members:
                    member.end()
                return
            if data:
                self._give(data, plain(source[0]))

    def _give(self, data: bytes, sender: str) -> None:
        for member in self._members:
            if member.sender == sender:
                member.put(data)
                return
        # Told to one of them: it counts each, and its burst is said once.
        self._members[0].refuse(Malformed("unknown-sender", sender))


async def open_sender(
    config: SensorConfig,
    address: Address,
    sender: str,
    refuse: Refuse,
    *,
    resolve: Callable[[Address], Awaitable[tuple[int, object]]],
    bind: Callable[[int, object], socket.socket],
    patient: bool,
) -> SenderTransport:
    """Listen for one sender's datagrams; SensorUnavailable where none comes within
    `config.timeout_s`, if not `patient`."""
    try:
        async with asyncio.timeout(config.timeout_s):
            where = await resolve(address)
        # Nothing is awaited from the look to the entry: two that open at once share.
        ports = _ports.setdefault(asyncio.get_running_loop(), {})
        key = (address.host, address.port)
        if key not in ports or ports[key].closed:
            ports[key] = _Port(bind(*where))
    except OSError as error:
        raise unavailable(config, cause_of(error)) from error
    transport = ports[key].join(plain(sender), refuse)
    try:
        async with asyncio.timeout(None if patient else config.timeout_s):
            await transport.wait()
    except TimeoutError:
        await transport.close()
        raise unavailable(config, f"no datagram from {sender}") from None
    except BaseException:  # whatever ends the wait, a cancel above all: the socket must not stay
        await transport.close()
        raise
    return transport
