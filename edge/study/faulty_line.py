"""A line between two processes that fails as lines do: cut, half-open, slow, frozen, truncated.

It listens on the loopback and passes bytes on to another port; what it does to them is changed
while they flow. Everything runs on one thread with a loop of its own.
"""

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal

CHUNK_BYTES = 16_384
SLOW_BYTES_PER_S = 20_000
"""A poor radio link: 20 alerts a second with a file each quarter of them are 200,000 bytes."""
SLOW_DELAY_S = 0.1
LOOK_S = 0.05

How = Literal["open", "half-open", "slow", "frozen"]


@dataclass(eq=False)
class _Connection:
    """One connection, from both its ends."""

    writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    dead: bool = False
    """Half-open: it takes what it is given, and nothing comes out any more, ever."""
    truncate: bool = False
    """The next bytes are passed on in part, then it is cut."""

    def reset(self) -> None:
        """Cut both ends without a goodbye."""
        for writer in self.writers:
            raw: socket.socket | None = writer.get_extra_info("socket")
            if raw is not None and raw.fileno() >= 0:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


@dataclass
class FaultyLine:
    """From a port of its own, `port`, to another."""

    to_port: int
    seed: int = 0
    port: int = 0
    how: How = "open"
    _open: set[_Connection] = field(default_factory=set)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Listen; it passes bytes on from now on."""
        self._chance = random.Random(self.seed)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="faulty-line", daemon=True)
        self._thread.start()
        self._ready.wait()

    # --- any thread ----------------------------------------------------------------------

    def become(self, how: How) -> None:
        """Change what it does to everything from now on.

        What was open while it was half-open stays dead when that is over: only a new connection
        comes through.
        """
        self._call(lambda: self._become(how))

    def cut(self, *, politely: bool) -> None:
        """End every connection, with a goodbye or with a reset."""
        self._call(lambda: self._cut(politely=politely))

    def truncate(self) -> None:
        """Pass on a part of the next bytes of every connection, then cut it."""
        self._call(self._truncate)

    def close(self) -> None:
        """End everything."""
        self._call(lambda: self._cut(politely=False))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _call(self, work: Callable[[], None]) -> None:
        async def run() -> None:
            work()

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    # --- the line's thread -----------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._accept, "127.0.0.1", self.port)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.close()

    def _become(self, how: How) -> None:
        self.how = how
        if how == "half-open":
            for each in self._open:
                each.dead = True

    def _cut(self, *, politely: bool) -> None:
        for each in list(self._open):
            if politely:
                for writer in each.writers:
                    writer.close()
            else:
                each.reset()
        self._open.clear()

    def _truncate(self) -> None:
        for each in self._open:
            each.truncate = True

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to_port)
        except OSError:  # nobody there: who came is told so
            writer.transport.abort()
            return
        connection = _Connection((writer, far_writer), dead=self.how == "half-open")
        self._open.add(connection)
        self._start(self._pump(connection, reader, far_writer))
        self._start(self._pump(connection, far_reader, writer))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pump(
        self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while data := await reader.read(CHUNK_BYTES):
                while self.how == "frozen":
                    await asyncio.sleep(LOOK_S)
                if connection.dead:
                    continue
                if connection.truncate:
                    writer.write(data[: self._chance.randrange(len(data))])
                    await asyncio.sleep(LOOK_S)  # so that the part does get there
                    connection.reset()
                    return
                if self.how == "slow":
                    await asyncio.sleep(SLOW_DELAY_S + len(data) / SLOW_BYTES_PER_S)
                writer.write(data)
                await writer.drain()
            if not connection.dead:
                writer.close()
        except OSError:
            connection.reset()
        finally:
            if not connection.dead:
                self._open.discard(connection)
