"""The transports against real sockets and pseudo-terminals, kind and hostile."""

import asyncio
import os
import socket
import tty

import pytest

from drivers.base import SensorUnavailable
from drivers.radiation import TsaConfig
from drivers.seismic_shake_config import ShakeConfig
from drivers.transports import CHUNK_BYTES, SERIAL_BUFFER_BYTES, chunks, open_transport
from edge.sensors.intake import Intake
from fusion.types import Origin
from tests.ports import free_port

LINES = b"GB,000257,000257,000251,000267\r\nGB,000258,000257,000251,000267\r\n"


def run(coroutine):
    """Run with a limit: a test that hangs says so within seconds."""
    return asyncio.run(asyncio.wait_for(coroutine, 20))


def portal(url, **keys):
    return TsaConfig(id="portal-north", lane="nb-01", url=url, **keys)


def shake(url, **keys):
    return ShakeConfig(id="geo-01", zone="fence", url=url, **keys)


async def bound(url):
    """Wait until somebody listens at a UDP address."""
    while True:
        try:
            with socket.socket(type=socket.SOCK_DGRAM) as probe:
                probe.bind(("127.0.0.1", int(url.rpartition(":")[2])))
        except OSError:
            return
        await asyncio.sleep(0.001)


async def server_that(behaves):
    """A TCP server; `behaves(writer)` is what it does to each client."""

    async def serve(_, writer):
        try:
            await behaves(writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def read_all(transport):
    return b"".join([data async for data in chunks(transport)])


# --- tcp -------------------------------------------------------------------------------


def test_tcp_yields_what_was_sent_and_then_says_for_good_that_the_link_was_cut():
    async def check():
        async def send(writer):
            writer.write(LINES)
            await writer.drain()

        server, url = await server_that(send)
        async with server:
            transport = await open_transport(portal(url))
            assert await read_all(transport) == LINES
            assert await transport.read() == b""
            await transport.close()
            await transport.close()

    run(check())


def test_tcp_does_not_wait_to_send_small_packets_and_notices_a_pulled_cable():
    async def check():
        server, url = await server_that(lambda writer: asyncio.sleep(0.2))
        async with server:
            transport = await open_transport(portal(url))
            link = transport._writer.get_extra_info("socket")
            assert link.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert link.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            await transport.close()

    run(check())


def test_a_link_that_its_device_never_leaves_silent_counts_as_cut_when_it_hangs(monkeypatch):
    monkeypatch.setattr(TsaConfig, "hung_s", 0.05)

    async def check():
        async def hang(writer):
            writer.write(LINES)
            await asyncio.sleep(10)

        server, url = await server_that(hang)
        async with server:
            transport = await open_transport(portal(url))
            assert await transport.read() == LINES
            assert await transport.read() == b""
            await transport.close()

    run(check())


def test_a_reset_connection_is_a_cut_link_and_no_exception():
    async def check():
        async def reset(writer):
            link = writer.get_extra_info("socket")
            # Linger 0: closing sends a reset in place of an orderly end.
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            writer.transport.abort()

        server, url = await server_that(reset)
        async with server:
            transport = await open_transport(portal(url))
            assert await transport.read() == b""
            await transport.close()

    run(check())


def test_half_a_line_and_then_a_close_leaves_nothing_behind_in_the_driver():
    async def check():
        async def half(writer):
            writer.write(LINES + b"GS,000357,0003")
            await writer.drain()

        server, url = await server_that(half)
        intake = Intake(portal(url), Origin.SENSOR)
        async with server:
            for _ in range(2):
                transport = await open_transport(portal(url))
                samples, bad = [], []
                while data := await transport.read():
                    taken = intake.feed(data, 10**18)
                    samples += taken.samples
                    bad += taken.malformed
                intake.feed(b"", 10**18)
                await transport.close()
                # The line that was cut is told neither here nor with the next link's first.
                assert [one.rate_cps[0] for one in samples if hasattr(one, "rate_cps")] == [
                    257.0,
                    258.0,
                ]
                assert bad == []

    run(check())


def test_a_flood_without_a_line_end_waits_in_the_kernel_and_not_in_memory():
    flood = 8 * 2**20

    async def check():
        sent = 0

        async def endless(writer):
            nonlocal sent
            for _ in range(flood // CHUNK_BYTES):
                writer.write(b"G" * CHUNK_BYTES)
                await writer.drain()
                sent += CHUNK_BYTES

        server, url = await server_that(endless)
        intake = Intake(portal(url), Origin.SENSOR)
        async with server:
            transport = await open_transport(portal(url))
            for _ in range(200):  # nobody reads: the sender comes to a halt
                await asyncio.sleep(0)
            halted_at = sent
            assert halted_at < flood
            received, reasons = 0, []
            while data := await transport.read():
                assert len(data) <= CHUNK_BYTES
                received += len(data)
                reasons += [one.reason for one in intake.feed(data, 10**18).malformed]
            assert received == flood
            assert len(reasons) <= 1
            await transport.close()

    run(check())


@pytest.mark.parametrize("patient", [False, True])
def test_nothing_listening_is_said_with_sensor_address_cause_and_advice(patient):
    url = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(SensorUnavailable) as raised:
        run(open_transport(portal(url, timeout_s=0.5), patient=patient))
    assert str(raised.value) == (
        f"portal-north: nothing from {url} within 0.5 s (Connection refused); check address, "
        'power and cable, or set "fallback: simulator" to run this sensor without hardware'
    )


def test_a_host_that_swallows_the_attempt_is_given_up_in_time():
    async def check():
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            url = f"tcp://127.0.0.1:{full.getsockname()[1]}"
            others = [socket.socket() for _ in range(3)]
            for other in others:  # the backlog is full: the next attempt gets no answer
                other.setblocking(False)
                other.connect_ex(full.getsockname())
            began = asyncio.get_running_loop().time()
            with pytest.raises(SensorUnavailable, match="no answer"):
                await open_transport(portal(url, timeout_s=0.3))
            assert asyncio.get_running_loop().time() - began < 10  # the system tries for minutes
            for other in others:
                other.close()

    run(check())


@pytest.mark.parametrize(
    "url", ["tcp://127.0.0.1", "tcp://:1600", "udp://127.0.0.1:x", "folder:", ""]
)
def test_what_is_no_address_is_said_to_be_none(url):
    with pytest.raises(ValueError, match="write"):
        run(open_transport(portal(url)))


# --- udp -------------------------------------------------------------------------------


def packet(number):
    return b"{'EHZ', %d.000, 1, 2, 3}" % (1_500_000_000 + number)


def test_waiting_datagrams_come_as_one_chunk_with_nothing_between():
    async def check():
        url = f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            opening = asyncio.create_task(open_transport(shake(url)))
            await bound(url)  # else the datagram would be lost
            where = ("127.0.0.1", int(url.rpartition(":")[2]))
            for number in range(20):
                sender.sendto(packet(number), where)
            sender.sendto(b"", where)  # says nothing, and is no cut link
            transport = await opening
            data = b""
            while len(data) < 20 * len(packet(0)):
                data += await transport.read()
            assert data == b"".join(packet(number) for number in range(20))
            reading = asyncio.create_task(transport.read())
            sender.sendto(b"", where)
            sender.sendto(packet(20), where)
            assert await reading == packet(20)
            await transport.close()

    run(check())


def test_udp_that_nobody_sends_to_is_unavailable():
    url = f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
    with pytest.raises(SensorUnavailable, match=r"geo-01: nothing from udp://.*no datagram"):
        run(open_transport(shake(url, timeout_s=0.2)))


def test_a_patient_udp_port_listens_for_longer_than_the_timeout():
    async def check():
        url = f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
        opening = asyncio.create_task(open_transport(shake(url, timeout_s=0.05), patient=True))
        await asyncio.sleep(0.3)
        assert not opening.done()
        await bound(url)
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            sender.sendto(packet(0), ("127.0.0.1", int(url.rpartition(":")[2])))
            transport = await opening
        assert await transport.read() == packet(0)
        await transport.close()

    run(check())


def test_a_udp_port_in_use_is_said_so():
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        url = f"udp://127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(SensorUnavailable, match="Address already in use"):
            run(open_transport(shake(url, timeout_s=0.5)))


def test_an_opening_that_is_cancelled_gives_the_port_back():
    async def check():
        port = free_port(socket.SOCK_DGRAM)
        url = f"udp://127.0.0.1:{port}"
        opening = asyncio.create_task(open_transport(shake(url)))
        await bound(url)
        opening.cancel()
        await asyncio.wait([opening])
        with socket.socket(type=socket.SOCK_DGRAM) as next_user:
            next_user.bind(("127.0.0.1", port))

    run(check())


# --- serial ----------------------------------------------------------------------------


@pytest.fixture
def line():
    """A serial line: our end as a file descriptor, the device's end as a path."""
    near, far = os.openpty()
    tty.setraw(far)
    yield near, os.ttyname(far)
    for descriptor in (near, far):
        os.close(descriptor)


def test_a_serial_line_is_read_as_it_comes(line):
    near, path = line

    async def check():
        transport = await open_transport(portal(path))
        os.write(near, LINES[:10])
        first = await transport.read()
        os.write(near, LINES[10:])
        while len(first) < len(LINES):
            first += await transport.read()
        assert first == LINES
        await transport.close()

    run(check())


def test_a_pyserial_url_reaches_a_terminal_server():
    async def check():
        opened = asyncio.Event()

        async def send(writer):
            await opened.wait()  # pyserial empties the line when it opens it
            writer.write(LINES)
            await writer.drain()

        server, url = await server_that(send)
        async with server:
            transport = await open_transport(portal(url.replace("tcp:", "socket:")))
            opened.set()
            assert await read_all(transport) == LINES  # and then it has hung up
            await transport.close()

    run(check())


def test_a_line_that_nobody_reads_stops_filling_memory(line):
    near, path = line
    os.set_blocking(near, False)

    async def check():
        transport = await open_transport(portal(path))
        sent = 0
        deadline = asyncio.get_running_loop().time() + 10
        while sent < 4 * SERIAL_BUFFER_BYTES:
            try:
                sent += os.write(near, b"G" * 4096)
            except BlockingIOError:
                if transport._size >= SERIAL_BUFFER_BYTES:
                    break  # the line itself pushes back
                await asyncio.sleep(0.001)
                assert asyncio.get_running_loop().time() < deadline
        assert transport._size < 2 * SERIAL_BUFFER_BYTES
        received = 0
        while received < sent:
            received += len(await transport.read())
        await transport.close()

    run(check())


@pytest.mark.parametrize("url", ["/dev/no-such-port", "nonsense://x"])
def test_a_port_that_is_not_there_is_unavailable(url):
    with pytest.raises(SensorUnavailable, match="portal-north: nothing from") as raised:
        run(open_transport(portal(url, timeout_s=2.0)))
    assert url in str(raised.value)
    assert "cable" in str(raised.value)


def test_closing_while_a_read_waits_ends_at_once(line):
    _, path = line

    async def check():
        transport = await open_transport(portal(path))
        reading = asyncio.create_task(transport.read())
        await asyncio.sleep(0)
        await transport.close()
        assert await reading == b""

    run(check())
