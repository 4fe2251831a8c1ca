"""A C-STORE receiver under attack: whether honest scans get through, and what is told."""

import asyncio
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from drivers.dicos_config import XrayDicosConfig
from drivers.dicos_receiver import DicosTransport
from drivers.dicos_server import SUCCESS
from drivers.transports import open_transport
from drivers.wire.malformed import Malformed
from drivers.xray_dicos import XrayDicosDriver
from edge.study.figures import Figure, at_most, plain
from edge.study.ports import free_ports
from edge.study.xray_hostile_peers import Peer, Peers
from edge.study.xray_hostile_scans import Plane
from fusion.types import Origin

SLOWEST_S = 1.0
MOST_HELD_MB = 256.0
RECEIVED_UTC_NS = 1_800_000_100_000_000_000


class _Station:
    """The receiver with its driver, and what both told."""

    def __init__(
        self, transport: DicosTransport, told: list[Malformed], where: tuple[str, int]
    ) -> None:
        self.transport = transport
        self.told = told
        self.where = where
        self.held_bytes = 0
        config = XrayDicosConfig(id="xray", lane="lane-1", url="folder:.")
        self._driver = XrayDicosDriver(config, Origin.SIMULATOR)

    async def run(self) -> None:
        """Read until the receiver is closed."""
        while data := await self.transport.read():
            found = self._driver.feed(data, RECEIVED_UTC_NS)
            bad = [one for one in found if isinstance(one, Malformed)]
            self.told += bad
            await self.transport.settle(bad[0].reason if len(bad) == len(found) else "")

    async def watch(self) -> None:
        """How much of the senders' messages lies in memory, until cancelled."""
        while True:
            self.held_bytes = max(self.held_bytes, self.transport.server.held_bytes)
            await asyncio.sleep(0.005)


class _Tally:
    def __init__(self) -> None:
        self.honest_s: list[float] = []
        self.refused = 0
        self.untold: list[str] = []
        self.reasons: Counter[str] = Counter()
        self.mutated_s: list[float] = []
        self.left = 0


async def attacked(high: Plane, seed: int, mutations: int) -> list[Figure]:
    """Figures of one receiver under every attack, and of so many mutated senders."""
    peers, tally = Peers(high, seed), _Tally()
    (port,) = free_ports(1)
    told: list[Malformed] = []
    config = XrayDicosConfig(id="xray", lane="lane-1", url=f"dicos://127.0.0.1:{port}")
    threads = threading.active_count()
    with tempfile.TemporaryDirectory() as place:
        transport = await open_transport(config, refuse=told.append, spool=Path(place))
        assert isinstance(transport, DicosTransport)
        station = _Station(transport, told, ("127.0.0.1", port))
        tasks = [asyncio.create_task(station.run()), asyncio.create_task(station.watch())]
        try:
            await _honest(station, peers, _Tally())  # libraries loaded
            for name, peer in peers.all.items():
                await _one(name, peer, station, peers, tally)
            await _mutations(mutations, station, peers, tally)
            tally.left = await _left(transport)
        finally:
            await transport.close()
            tasks[1].cancel()
            await asyncio.wait(tasks)
    tally.reasons.update(one.reason for one in told)
    # The loop's own pool stays.
    own = sum("asyncio" in one.name for one in threading.enumerate())
    threads = threading.active_count() - own - threads
    return _figures(tally, len(peers.all), mutations, station.held_bytes, threads)


async def _one(name: str, peer: Peer, station: _Station, peers: Peers, tally: _Tally) -> None:
    before = len(station.told)

    def is_told() -> bool:
        return any(one.reason in peer.reasons for one in station.told[before:])

    with ExitStack() as stack:
        await asyncio.to_thread(peer.attack, station.where, stack)
        await _honest(station, peers, tally)
        if tally.honest_s[-1] > SLOWEST_S:
            # What an attacker causes happens again; what another program causes does not.
            await _honest(station, peers, tally)
            tally.honest_s.append(min(tally.honest_s.pop(), tally.honest_s.pop()))
    ends_s = time.monotonic() + peer.after_s
    while not is_told() and time.monotonic() < ends_s:
        await asyncio.sleep(0.005)
    if not is_told():
        tally.untold.append(name)


async def _honest(station: _Station, peers: Peers, tally: _Tally) -> None:
    began = time.monotonic()
    answers = await asyncio.to_thread(peers.honest, station.where)
    tally.honest_s.append(time.monotonic() - began)
    tally.refused += answers != [SUCCESS]


async def _mutations(number: int, station: _Station, peers: Peers, tally: _Tally) -> None:
    for _ in range(number):
        tally.mutated_s.append(await asyncio.to_thread(peers.mutated, station.where))
    await _honest(station, peers, tally)


async def _left(transport: DicosTransport) -> int:
    """Connections that are still there though everybody has gone."""
    ends_s = time.monotonic() + SLOWEST_S
    while transport.server.links and time.monotonic() < ends_s:
        await asyncio.sleep(0.01)
    return transport.server.links


def _figures(
    tally: _Tally, attacks: int, mutations: int, held_bytes: int, threads: int
) -> list[Figure]:
    how = f"{attacks} forms of attack on the receiver, an honest scan sent beside each"
    slowest_ms, longest_ms = (
        1e3 * max(values, default=0.0) for values in (tally.honest_s, tally.mutated_s)
    )
    name = "xray.receiver"
    return [
        at_most(f"{name}.refused", tally.refused, 0, "", f"honest scans; {how}"),
        at_most(f"{name}.honest", slowest_ms, 1e3 * SLOWEST_S, "ms", "the slowest of them"),
        at_most(f"{name}.untold", len(tally.untold), 0, "", " ".join(tally.untold) or how),
        at_most(
            f"{name}.hang", longest_ms, 1e3 * SLOWEST_S, "ms",
            f"longest until a mutated sender of {mutations:,} was hung up on",
        ),
        at_most(f"{name}.left", tally.left + threads, 0, "", "connections and threads afterwards"),
        at_most(f"{name}.held", held_bytes / 2**20, MOST_HELD_MB, "MB", "of messages, in memory"),
        *(plain(f"{name}.{reason}", count, "", "told")
          for reason, count in sorted(tally.reasons.items())),
    ]  # fmt: skip
