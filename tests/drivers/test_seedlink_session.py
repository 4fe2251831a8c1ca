"""Sessions with the simulated server: both versions, resume, silence, and what cannot be."""

import asyncio
import contextlib

import pytest

from drivers.base import SensorUnavailable
from drivers.seismic_seedlink import SeedLinkConfig, station_and_selectors
from drivers.transports import open_transport
from drivers.wire.miniseed import MiniSeedDecoder, frames
from edge.sensors.bookmarks import FileBookmark, Note
from simulators.answering import AnsweringOutlet
from simulators.scenario import Scenario, SensorPlace
from simulators.seismic_seedlink import HISTORY_BYTES, SeedLinkResponder, SeedLinkSimulator
from tests.ports import free_port

BOTH = pytest.mark.parametrize("protocol", ["3", "4"])


def sent_in(seconds, channels="EHZ,EHN"):
    place = SensorPlace(
        sensor_id="geo-1", kind="seedlink", zone="fence", options=(("channels", channels),)
    )
    scenario = Scenario(
        name="links",
        seed=5,
        start_utc_ns=1_800_000_000_000_000_000,
        duration_s=60.0,
        sensors=(place,),
    )
    return list(frames(SeedLinkSimulator(scenario, "geo-1").step(1000 * seconds)))


def config(url, **keys):
    return SeedLinkConfig(id="geo-1", url=url, **{"streams": "XX_GEO1", "idle_s": 5.0, **keys})


async def server(url="tcp://127.0.0.1:0", history=()):
    outlet = await AnsweringOutlet.open(url, SeedLinkResponder, HISTORY_BYTES)
    for data in history:
        await outlet.send(data)
    return outlet


async def opened(outlet, bookmark, **keys):
    """A transport whose server has taken its request in."""
    transport = await open_transport(config(outlet.address, **keys), bookmark=bookmark)
    await asyncio.sleep(0.05)  # v3 and v4 say nothing to END
    return transport


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 30.0))


async def take(transport, count):
    """So many records, dealt with."""
    taken = []
    while len(taken) < count:
        data = await transport.read()
        if not data:
            break
        taken.append(data)
        await transport.settle("")
    return taken


@BOTH
def test_records_come_in_frames_of_version_4_whatever_is_spoken(protocol):
    async def check():
        records = sent_in(3)
        outlet = await server()
        transport = await opened(outlet, Note(), protocol=protocol)
        await outlet.send(b"".join(records))
        assert await take(transport, len(records)) == records
        await transport.close()
        await outlet.close()

    run(check())


@BOTH
def test_after_cuts_and_a_restart_nothing_is_lost_and_nothing_comes_twice(protocol, tmp_path):
    async def check():
        records = sent_in(10)
        note = tmp_path / "state" / "geo-1.txt"
        outlet = await server()
        transport = await opened(outlet, FileBookmark(note), protocol=protocol)
        got = []
        for part in range(4):
            await outlet.send(b"".join(records[part * 8 : part * 8 + 8]))
            got += await take(transport, 5)
            # Another is read, and the service ends before it has dealt with it.
            assert await transport.read() == records[len(got)]
            if part == 2:  # the server is started anew
                await outlet.close()
                sent = records[: part * 8 + 8]
                outlet = await server(outlet.address, sent)
            else:
                outlet.cut()
            await transport.close()
            transport = await opened(outlet, FileBookmark(note), protocol=protocol)
        await outlet.send(b"".join(records[32:]))
        got += await take(transport, len(records) - len(got))
        assert got == records
        await transport.close()
        await outlet.close()

    run(check())


@BOTH
def test_selectors_choose_the_channels(protocol):
    async def check():
        outlet = await server()
        transport = await opened(outlet, Note(), protocol=protocol, streams="XX_GEO1:EHZ")
        records = sent_in(3)
        await outlet.send(b"".join(records))
        got = await take(transport, len(records) // 2)
        heard = MiniSeedDecoder(framed=True).feed(b"".join(got))
        assert [record.channel for record in heard] == ["EHZ"] * (len(records) // 2)
        await transport.close()
        await outlet.close()

    run(check())


@BOTH
def test_a_server_that_answers_while_its_station_is_silent_is_cut(protocol):
    async def check():
        outlet = await server()
        transport = await opened(outlet, Note(), protocol=protocol, idle_s=2.0, keepalive_s=1.0)
        began = asyncio.get_running_loop().time()
        assert await transport.read() == b""
        assert 1.5 < asyncio.get_running_loop().time() - began < 8.0
        assert await transport.read() == b""
        await transport.close()
        await outlet.close()

    run(check())


def test_a_bookmark_of_other_streams_or_another_version_is_not_used():
    async def check():
        records = sent_in(2)
        outlet = await server(history=records)
        for note in ("XX_GEO1:EHZ 4 1", "XX_GEO1 3 1", "XX_GEO1 4 x", "noise"):
            bookmark = Note()
            bookmark.put(note)
            transport = await opened(outlet, bookmark, protocol="4")
            reading = asyncio.create_task(transport.read())
            await asyncio.wait([reading], timeout=0.05)
            assert not reading.done()
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
            await transport.close()
        await outlet.close()

    run(check())


def test_a_packet_that_cannot_be_read_is_asked_for_once_more_and_then_left():
    async def check():
        records = sent_in(4, "EHZ")
        broken = records[2][:24] + b"#" * (len(records[2]) - 24)
        outlet, bookmark = await server(), Note()
        transport = await opened(outlet, bookmark, protocol="3")
        await outlet.send(records[0] + records[1] + broken + records[3])
        assert await take(transport, 4) == records[:2]
        await transport.close()
        transport = await opened(outlet, bookmark, protocol="3")
        assert await take(transport, 4) == []
        await transport.close()
        transport = await opened(outlet, bookmark, protocol="3")
        await outlet.send(records[4])
        assert await take(transport, 1) == records[4:5]
        await transport.close()
        await outlet.close()

    run(check())


def test_version_3_counts_on_from_nought_after_24_bits():
    async def check():
        records = sent_in(2, "EHZ")
        last = (2**24 - 1).to_bytes(8, "little")
        first = records[0][:8] + last + records[0][16:]
        second = records[1][:8] + (2**24).to_bytes(8, "little") + records[1][16:]
        outlet = await server()
        bookmark = Note()
        transport = await opened(outlet, bookmark, protocol="3")
        await outlet.send(first)
        assert await take(transport, 1) == [first]
        assert bookmark.get() == f"XX_GEO1 3 {2**24 - 1}"
        await transport.close()
        transport = await opened(outlet, bookmark, protocol="3")
        await outlet.send(second)
        (got,) = await take(transport, 1)
        assert got[25:] == second[25:]
        await transport.close()
        await outlet.close()

    run(check())


def test_a_server_that_speaks_something_else_is_unavailable():
    async def check():
        async def greet(reader, writer):
            await reader.readline()
            writer.write(b"220 mail.example ESMTP\r\n\xff\r\n")
            with contextlib.suppress(OSError):
                await reader.read()
            writer.close()

        port = free_port()
        async with await asyncio.start_server(greet, "127.0.0.1", port):
            with pytest.raises(SensorUnavailable, match="geo-1"):
                await open_transport(config(f"tcp://127.0.0.1:{port}", timeout_s=0.5))

    run(check())


def test_a_bookmark_outlives_the_process_and_a_broken_disk(tmp_path):
    path = tmp_path / "deep" / "geo-1.txt"
    FileBookmark(path).put("XX_GEO1 4 17")
    assert FileBookmark(path).get() == "XX_GEO1 4 17"
    assert FileBookmark(tmp_path / "none.txt").get() == ""
    blocked = FileBookmark(path / "below-a-file.txt")
    blocked.put("XX_GEO1 4 18")
    assert blocked.get() == "XX_GEO1 4 18"


@pytest.mark.parametrize(
    ("streams", "read"),
    [
        ("AM_R24FA", ("AM_R24FA", [])),
        ("AM_R24FA:EHZ", ("AM_R24FA", ["EHZ"])),
        ("BW_UH1:EH? 00HDF", ("BW_UH1", ["EH?", "00HDF"])),
        ("BW_UH1:*_E_H_?", ("BW_UH1", ["*_E_H_?"])),
    ],
)
def test_streams_are_a_station_and_its_channels(streams, read):
    assert station_and_selectors(streams) == read


@pytest.mark.parametrize("streams", ["EHZ", "AM_*", "AM.R24FA", "AM_R24FA:", ""])
def test_anything_else_names_no_station(streams):
    with pytest.raises(ValueError, match="NET_STATION"):
        station_and_selectors(streams)
