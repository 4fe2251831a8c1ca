"""A session with a SeedLink server, version 3 or 4, as a transport.

seedlink-client speaks the protocol. Every packet is handed on as a frame of version 4, so
that a recording reads the same whichever version it came by. What has been dealt with is
noted in a bookmark, from which the next session goes on: nothing is lost, nothing comes twice.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from drivers.address import Address, cause_of, unavailable
from drivers.base import Bookmark
from drivers.seismic_seedlink import SeedLinkConfig, station_and_selectors
from drivers.wire.miniseed import frame

if TYPE_CHECKING:
    from seedlink_client import AsyncSeedLink, SeedLinkPacket

REFUSED_PAUSE_S = 0.25  # as for every other connection
V3_SEQUENCES = 2**24
UNREADABLE = ("Payload", "Could not determine", "Unexpected data", "Invalid", "Unrecognized")
"""How seedlink-client's errors begin where a packet, and not the link, is at fault."""
SKIPPED = "skipped"
"""Ends a bookmark behind which an unreadable packet stands: go on with what is new."""
STALLED_S = 10.0  # the rest of a packet of which a part has come


class SeedLinkTransport:
    """Packets of one station; a cut link or a station that falls silent ends it."""

    def __init__(self, client: "AsyncSeedLink", config: SeedLinkConfig, bookmark: Bookmark) -> None:
        self._client = client
        self._config = config
        self._bookmark = bookmark
        self._packets: AsyncGenerator[SeedLinkPacket, None] = client.collect(reconnect=False)
        self._read: SeedLinkPacket | None = None
        self._ended = False
        self._got_any = False

    async def read(self) -> bytes:
        """One record in its frame; `b""` when the link was cut or has been idle for too long."""
        from seedlink_client import SeedLinkError  # noqa: PLC0415 - as below

        self._read = None
        while not self._ended:
            try:
                async with asyncio.timeout(self._config.idle_s + STALLED_S):
                    packet = await anext(self._packets)
            except (StopAsyncIteration, SeedLinkError, OSError, ValueError) as error:
                self._ended = True
                if not self._got_any and str(error).startswith(UNREADABLE):
                    # The next session would ask for the same packet, and so on for ever.
                    self._bookmark.put(f"{self._bookmark.get()} {SKIPPED}")
                break
            self._got_any = True
            network, _, station = packet.station_id.partition("_")
            if packet.seqnum is not None and packet.payload:
                self._read = packet
                return frame(packet.seqnum, network, station, packet.payload)
        return b""

    async def settle(self, reason: str) -> None:
        """Note that the last packet has been dealt with."""
        if self._read is not None and self._client.protocol is not None:
            note = f"{self._config.streams} {self._client.protocol.value} {self._read.seqnum}"
            self._bookmark.put(note)
            self._read = None

    async def close(self) -> None:
        """Leave no task or socket."""
        self._ended = True
        await self._packets.aclose()
        await self._client.close()


async def open_seedlink(
    config: SeedLinkConfig, address: Address, bookmark: Bookmark, *, patient: bool
) -> SeedLinkTransport:
    """Connect, agree on the version, ask for the station. SensorUnavailable where that fails
    within `config.timeout_s`; `patient`: at the first attempt."""
    from seedlink_client import SeedLinkError  # noqa: PLC0415 - 70 ms for those who need it

    # What it would say is said by who opens the link, once and with the sensor's name.
    logging.getLogger("seedlink_client").setLevel(logging.CRITICAL)
    cause: BaseException | None = None
    try:
        async with asyncio.timeout(config.timeout_s):
            while True:
                client = _client(config, address)
                try:
                    await client.connect()
                    _ask_for(client, config, bookmark)
                    await client.negotiate()
                    return SeedLinkTransport(client, config, bookmark)
                except (SeedLinkError, OSError) as error:
                    await client.close()
                    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
                    if patient:
                        raise unavailable(config, cause_of(cause)) from error
                except BaseException:  # whatever ends the wait, a cancel above all
                    await client.close()
                    raise
                await asyncio.sleep(REFUSED_PAUSE_S)
    except TimeoutError as error:
        raise unavailable(config, cause_of(cause or error)) from error


def _client(config: SeedLinkConfig, address: Address) -> "AsyncSeedLink":
    from seedlink_client import AsyncSeedLink, Protocol  # noqa: PLC0415 - as above

    wanted = {"auto": None, "3": Protocol.V3, "4": Protocol.V4}[config.protocol]
    return AsyncSeedLink(
        address.host,
        address.port,
        protocol=wanted,
        keepalive=config.keepalive_s,
        idle_timeout=config.idle_s,
        clientname="garita",
    )


def _ask_for(client: "AsyncSeedLink", config: SeedLinkConfig, bookmark: Bookmark) -> None:
    station, selectors = station_and_selectors(config.streams)
    client.add_stream(station, selectors, seqnum=_noted(client, config, bookmark.get()))


def _noted(client: "AsyncSeedLink", config: SeedLinkConfig, note: str) -> int | None:
    """The last sequence that was dealt with, where it is of the same streams and version."""
    streams, _, rest = note.rpartition(" ")[0].rpartition(" ")
    sequence = note.rpartition(" ")[2]
    if client.protocol is None or streams != config.streams or rest != client.protocol.value:
        return None
    if not sequence.isdecimal():
        return None
    # The client asks for the next; version 3 counts in 24 bits.
    last = int(sequence)
    return (last + 1) % V3_SEQUENCES - 1 if rest == "3" else last
