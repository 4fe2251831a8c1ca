"""Puts simulators on their wires, in time: a TCP server, datagrams, a pseudo-terminal, a folder.

All simulators of one `Stage` start at the same instant, so a truck that leaves the portal
reaches the scanner when it should. Time is the event loop's; a late step is made up for.
"""

import asyncio
import contextlib
import os
import socket
import tty
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from simulators.answering import AnsweringOutlet
from simulators.base import Simulator, SimulatorKind, bundled_files
from simulators.catalog import KINDS
from simulators.dicos_sending import DicosOutlet
from simulators.scenario import Scenario

STEP_S = 0.02  # ten times finer than the fastest report, so arrival times are honest
# What a client that does not read may leave unread: hours of a portal's lines. Then it is cut.
CLIENT_BUFFER_BYTES = 2**20
# A serial line loses what nobody reads, and a client that has stopped reading loses the end of
# what was sent. One that is only late is waited for so long.
STALL_S = 1.0


class Outlet(Protocol):
    """The sending end of a wire."""

    address: str
    """The `url` under which a driver finds it."""

    async def send(self, data: bytes) -> None:
        """Send what a step of the simulator returned."""
        ...

    async def close(self) -> None:
        """Leave no task, socket or file."""
        ...


async def open_outlet(url: str, kind: SimulatorKind) -> Outlet:
    """The wire that `url` names: tcp://host:port (0: any), udp://host:port, dicos://host:port
    (sends there), pty:, folder:/path.

    OSError where the port is in use or the folder cannot be made; ValueError for another url.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "tcp" and kind.responder is not None:
        return await AnsweringOutlet.open(url, kind.responder, kind.history_bytes)
    if scheme == "tcp":
        return await _TcpOutlet.open(url)
    if scheme == "udp":
        return _UdpOutlet(url, kind)
    if scheme == "pty":
        return _PtyOutlet()
    if scheme == "dicos":
        return DicosOutlet(url, kind)
    if scheme == "folder":
        return _FolderOutlet(Path(rest.removeprefix("//")), kind)
    raise ValueError(f"{url!r} is no wire of a simulator; write tcp: udp: dicos: pty: or folder:")


class _TcpOutlet:
    """A server; every client hears the same from when it joined."""

    def __init__(self) -> None:
        self.address = ""
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.StreamWriter] = set()

    @classmethod
    async def open(cls, url: str) -> "_TcpOutlet":
        parts = urlsplit(url)
        outlet = cls()
        outlet._server = await asyncio.start_server(outlet._join, parts.hostname, parts.port)
        port = outlet._server.sockets[0].getsockname()[1]
        outlet.address = f"tcp://{parts.netloc.rpartition(':')[0]}:{port}"
        return outlet

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        try:
            while await reader.read(4096):
                pass  # clients have nothing to say; this is how we learn that one has left
        except OSError:
            pass
        finally:
            self._clients.discard(writer)
            writer.close()

    async def send(self, data: bytes) -> None:
        for writer in tuple(self._clients):
            if writer.transport.get_write_buffer_size() > CLIENT_BUFFER_BYTES:
                writer.transport.abort()
                continue
            writer.write(data)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in tuple(self._clients):
            writer.close()  # what was sent is still delivered, to those who read
        ends_s = asyncio.get_running_loop().time() + STALL_S
        while self._clients:  # each leaves in its own `_join`
            if asyncio.get_running_loop().time() > ends_s:
                for writer in tuple(self._clients):
                    writer.transport.abort()
            await asyncio.sleep(0.005)
        await self._server.wait_closed()


class _UdpOutlet:
    def __init__(self, url: str, kind: SimulatorKind) -> None:
        parts = urlsplit(url)
        found = socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_DGRAM)
        self.address = url
        self._packets = kind.packets
        self._where = found[0][4]
        self._socket = socket.socket(found[0][0], socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    async def send(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        for packet in self._packets(data):
            await loop.sock_sendto(self._socket, packet, self._where)

    async def close(self) -> None:
        self._socket.close()


class _PtyOutlet:
    """A serial line whose other end is a device path."""

    def __init__(self) -> None:
        # The far end stays open here too: else the line would hang up with each reader.
        self._near, self._far = os.openpty()
        tty.setraw(self._far)
        os.set_blocking(self._near, False)
        self.address = os.ttyname(self._far)
        self._unread = False

    async def send(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._near, data) :]
                self._unread = False
            except BlockingIOError:
                if self._unread or not await self._room():
                    self._unread = True
                    return

    async def _room(self) -> bool:
        loop = asyncio.get_running_loop()
        room = asyncio.Event()
        loop.add_writer(self._near, room.set)
        try:
            async with asyncio.timeout(STALL_S):
                await room.wait()
        except TimeoutError:
            return False
        finally:
            loop.remove_writer(self._near)
        return True

    async def close(self) -> None:
        os.close(self._near)
        os.close(self._far)


class _FolderOutlet:
    """File sets, each file under another name until it is whole, the sidecar last."""

    def __init__(self, folder: Path, kind: SimulatorKind) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.address = f"folder:{folder}"
        self._folder = folder
        self._kind = kind

    async def send(self, data: bytes) -> None:
        if packets := self._kind.packets(data):
            await asyncio.to_thread(write_bundles, self._folder, packets, self._kind.files)

    async def close(self) -> None:
        pass


def write_bundles(
    folder: Path,
    packets: list[bytes],
    files: Callable[[bytes], list[tuple[str, bytes]]] = bundled_files,
) -> None:
    """Write the files of each packet as a device would."""
    for packet in packets:
        for name, content in files(packet):
            unfinished = folder / f".{name}.tmp"
            unfinished.write_bytes(content)
            unfinished.rename(folder / name)


@dataclass(slots=True)
class _Player:
    """One simulator and its wire."""

    simulator: Simulator
    outlet: Outlet
    stepped_ms: int = 0

    async def play_to(self, elapsed_ms: int) -> None:
        dt_ms = elapsed_ms - self.stepped_ms
        if dt_ms <= 0:
            return
        self.stepped_ms = elapsed_ms
        if self.outlet.address.startswith(
            ("folder:", "dicos:")
        ):  # drawing a scan takes long: off the loop
            data = await asyncio.to_thread(self.simulator.step, dt_ms)
        else:
            data = self.simulator.step(dt_ms)
        if data:
            await self.outlet.send(data)


class Stage:
    """The wires of a scenario's sensors: `async with await open_stage(...) as stage`."""

    def __init__(self, scenario: Scenario, outlets: Mapping[str, Outlet], speed: float) -> None:
        self._scenario = scenario
        self._outlets = outlets
        self._speed = speed

    @property
    def addresses(self) -> dict[str, str]:
        """Where to find each sensor, by its id."""
        return {sensor_id: outlet.address for sensor_id, outlet in self._outlets.items()}

    def wrap(self, around: Callable[[str, Outlet], Outlet]) -> None:
        """Put something around every wire, by sensor id: a measurement, or a fault."""
        self._outlets = {name: around(name, outlet) for name, outlet in self._outlets.items()}

    async def run(
        self, scenario: Scenario | None = None, *, duration_s: float | None = None
    ) -> None:
        """Play from the start; returns at the scenario's end, or after `duration_s` of it.

        Another scenario needs the same sensors: to their listeners they are the same devices.
        """
        scenario = scenario or self._scenario
        end_s = min(scenario.duration_s, duration_s or scenario.duration_s)
        players = [
            _Player(KINDS[scenario.sensor(sensor_id).kind].build(scenario, sensor_id), outlet)
            for sensor_id, outlet in self._outlets.items()
        ]
        started_s = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            for player in players:
                group.create_task(self._play(player, started_s, end_s))

    async def _play(self, player: _Player, started_s: float, end_s: float) -> None:
        loop = asyncio.get_running_loop()
        end_ms = round(end_s * 1000)
        while player.stepped_ms < end_ms:
            elapsed_ms = int((loop.time() - started_s) * self._speed * 1000)
            await player.play_to(min(elapsed_ms, end_ms))
            await asyncio.sleep(STEP_S)

    async def close(self) -> None:
        """Close every wire."""
        for outlet in self._outlets.values():
            await outlet.close()

    async def __aenter__(self) -> "Stage":
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.close()


async def open_stage(scenario: Scenario, urls: Mapping[str, str], *, speed: float = 1.0) -> Stage:
    """Put the scenario's sensors with these ids on these urls. Nothing plays before `run`.

    Errors as in `open_outlet`, naming the sensor; KeyError for an id the scenario has not.
    """
    outlets: dict[str, Outlet] = {}
    async with contextlib.AsyncExitStack() as opened:
        for sensor_id, url in urls.items():
            kind = KINDS[scenario.sensor(sensor_id).kind]
            try:
                outlets[sensor_id] = outlet = await open_outlet(url, kind)
            except OSError as error:
                why = error.strerror or str(error)
                raise OSError(error.errno, f"{sensor_id}: cannot serve on {url} ({why})") from error
            opened.push_async_callback(outlet.close)
            # Spectra are computed once and kept: now, and not when the show has begun.
            kind.build(scenario, sensor_id)
        opened.pop_all()
    return Stage(scenario, outlets, speed)


async def serve(scenario: Scenario, sensor_id: str, url: str, *, speed: float = 1.0) -> None:
    """One simulator on one wire, until the scenario ends."""
    async with await open_stage(scenario, {sensor_id: url}, speed=speed) as stage:
        await stage.run()
