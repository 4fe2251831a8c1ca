"""A transport that asks, against real sockets, kind and hostile."""

import asyncio
from dataclasses import replace

import pytest

from drivers.base import SensorUnavailable
from drivers.radiation_aspect_config import AspectConfig
from drivers.transports import open_transport
from drivers.wire import modbus
from drivers.wire.aspect import AspectDecoder, Channel, Description, Monitor, encode
from drivers.wire.malformed import Malformed

DEVICE = Description(signature=1, registers=121, monitor_id=1)
QUIET = Monitor(gamma=Channel(count=950), neutron=Channel(count=3))


def run(coroutine):
    """Run with a limit: a test that hangs says so within seconds."""
    return asyncio.run(asyncio.wait_for(coroutine, 20))


def portal(url, **keys):
    keys = {"poll_s": 0.02, "busy_poll_s": 0.02, "timeout_s": 15.0, "answer_s": 3.0} | keys
    return AspectConfig(id="portal-north", lane="nb-01", url=url, **keys)


async def device_that(answers, asked=None):
    """A TCP server; `answers(read, number)` is what it says to each request, None: nothing."""

    async def serve(reader, writer):
        number = 0
        try:
            while data := await reader.readexactly(12):
                read = modbus.parse_read(data)[1]
                if asked is not None:
                    asked.append(read)
                said = answers(read, number)
                number += 1
                if said is None:
                    continue
                if said == b"":
                    break
                writer.write(said)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def as_it_should(read, number=0):
    record = DEVICE if read.address == 0 else QUIET
    return encode(replace(record, unit=read.unit, transaction=read.transaction))


def test_it_asks_and_yields_what_comes_back_the_description_first():
    async def check():
        asked = []
        server, url = await device_that(as_it_should, asked)
        async with server:
            transport = await open_transport(portal(url))
            decoder = AspectDecoder()
            records = [one for _ in range(4) for one in decoder.feed(await transport.read())]
            assert isinstance(records[0], Description)
            assert [type(one) for one in records[1:]] == [Monitor] * 3
            await transport.close()
            await transport.close()
        numbers = [read.transaction for read in asked]
        first = modbus.FIRST_TRANSACTION
        assert numbers == list(range(first, first + len(numbers)))

    run(check())


def test_the_unit_is_found_among_silent_and_refusing_ones():
    def answers(read, number):
        if read.unit < 4:
            return None
        return modbus.encode_refusal(read, 11) if read.unit < 9 else as_it_should(read)

    async def check():
        asked = []
        server, url = await device_that(answers, asked)
        async with server:
            transport = await open_transport(portal(url, answer_s=0.5))
            (one,) = AspectDecoder().feed(await transport.read())
            assert one.unit == 9
            await transport.read()
            assert asked[-1].unit == 9
            await transport.close()

    run(check())


@pytest.mark.parametrize(
    ("answers", "cause"),
    [
        (lambda read, number: None, "no answer to any request"),
        (lambda read, number: b"", "the link was cut"),
        (lambda read, number: b"220 mail ready\r\n", "no answer that makes sense"),
        (lambda read, number: modbus.encode_refusal(read, 2), "no answer that makes sense"),
    ],
)
def test_a_port_behind_which_is_no_portal_is_said_in_time(answers, cause):
    async def check():
        server, url = await device_that(answers)
        async with server:
            began = asyncio.get_running_loop().time()
            with pytest.raises(SensorUnavailable) as raised:
                await open_transport(portal(url, timeout_s=0.6, answer_s=0.3))
            assert asyncio.get_running_loop().time() - began < 5
        assert "portal-north" in str(raised.value)
        assert url in str(raised.value)
        assert cause in str(raised.value)

    run(check())


def test_a_device_that_falls_silent_is_a_cut_link():
    async def check():
        server, url = await device_that(lambda read, n: as_it_should(read) if n < 3 else None)
        async with server:
            transport = await open_transport(portal(url))
            assert len([data for _ in range(3) if (data := await transport.read())]) == 3
            assert await transport.read() == b""
            assert await transport.read() == b""
            await transport.close()

    run(check())


def test_garbage_without_end_and_without_an_answer_is_a_cut_link_too():
    async def check():
        async def serve(reader, writer):
            read = modbus.parse_read(await reader.readexactly(12))[1]
            writer.write(as_it_should(read))
            try:
                while True:
                    writer.write(b"\xff" * 100)
                    await asyncio.sleep(0.02)
            except OSError:
                pass

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        transport = await open_transport(portal(url))
        decoder, read = AspectDecoder(), []
        while data := await transport.read():
            read += decoder.feed(data)
        assert any(isinstance(one, Malformed) for one in read)
        await transport.close()
        server.close()

    run(check())


def test_an_answer_in_pieces_is_one():
    async def check():
        async def serve(reader, writer):
            try:
                while True:
                    data = as_it_should(modbus.parse_read(await reader.readexactly(12))[1])
                    for at in range(0, len(data), 7):
                        writer.write(data[at : at + 7])
                        await writer.drain()
                        await asyncio.sleep(0.002)
            except (asyncio.IncompleteReadError, OSError):
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        transport = await open_transport(portal(url))
        decoder, read = AspectDecoder(), []
        while len(read) < 4:
            read += decoder.feed(await transport.read())
        assert [type(one) for one in read] == [Description, Monitor, Monitor, Monitor]
        await transport.close()
        server.close()

    run(check())


def test_it_keeps_its_rate_and_does_not_make_up_for_lost_time():
    async def check():
        asked = []
        server, url = await device_that(as_it_should, asked)
        async with server:
            transport = await open_transport(portal(url, poll_s=0.05))
            await transport.read()
            began = asyncio.get_running_loop().time()
            for _ in range(10):
                await transport.read()
            assert 0.4 < asyncio.get_running_loop().time() - began < 5
            await asyncio.sleep(0.5)  # nobody reads for a while
            before = len(asked)
            await transport.read()
            await transport.read()
            assert len(asked) - before == 2
            await transport.close()

    run(check())
