"""A TCP wire whose device speaks only when it is asked."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from urllib.parse import urlsplit

from simulators.base import Responder

STALL_S = 1.0  # who has stopped reading is waited for so long


class AnsweringOutlet:
    """A server; every client asks for itself, and hears what is measured from when it joined, or
    what was before, as far as the device keeps that."""

    def __init__(self, responder: Callable[[], Responder], history_bytes: int = 0) -> None:
        self.address = ""
        self._responder = responder
        self._history: deque[bytes] = deque()
        self._history_bytes = history_bytes
        self._server: asyncio.Server | None = None
        self._clients: dict[asyncio.StreamWriter, Responder] = {}

    @classmethod
    async def open(
        cls, url: str, responder: Callable[[], Responder], history_bytes: int = 0
    ) -> "AnsweringOutlet":
        """Listen at tcp://host:port, 0: any port. OSError where it is in use."""
        parts = urlsplit(url)
        outlet = cls(responder, history_bytes)
        outlet._server = await asyncio.start_server(outlet._join, parts.hostname, parts.port)
        port = outlet._server.sockets[0].getsockname()[1]
        outlet.address = f"tcp://{parts.netloc.rpartition(':')[0]}:{port}"
        return outlet

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        responder = self._clients[writer] = self._responder()
        for data in self._history:
            responder.play(data, asyncio.get_running_loop().time())
        try:
            while (data := await reader.read(4096)) and responder.feed(data):
                writer.write(responder.answers())
                await writer.drain()  # who asks and does not read is asked to wait
        except OSError:
            pass
        finally:
            del self._clients[writer]
            writer.close()

    async def send(self, data: bytes) -> None:
        """What the simulator has measured goes to those who have asked, or will."""
        self._remember(data)
        now_s = asyncio.get_running_loop().time()
        for writer, responder in tuple(self._clients.items()):
            responder.play(data, now_s)
            writer.write(responder.answers())

    def cut(self) -> None:
        """Hang up on all clients, without a word."""
        for writer in tuple(self._clients):
            writer.transport.abort()

    def _remember(self, data: bytes) -> None:
        self._history.append(data)
        while sum(map(len, self._history)) > self._history_bytes:
            self._history.popleft()

    async def close(self) -> None:
        """Leave no task or socket."""
        assert self._server is not None
        self._server.close()
        for writer in tuple(self._clients):
            writer.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STALL_S):
                while self._clients:  # each leaves in its own `_join`
                    await asyncio.sleep(0.005)
        for writer in tuple(self._clients):
            writer.transport.abort()
        while self._clients:
            await asyncio.sleep(0.005)
        await self._server.wait_closed()
