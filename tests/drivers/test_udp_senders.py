"""Several stations send to one port; loopback has many addresses to send from."""

import asyncio
import socket

import pytest

from drivers.address import is_sender, plain
from drivers.base import SensorUnavailable
from drivers.seismic_shake import ShakeConfig
from drivers.transports import open_transport
from tests.ports import free_port

ONE, TWO, STRANGER = "127.0.0.2", "127.0.0.3", "127.0.0.4"


def config(port, sender, **keys):
    return ShakeConfig(id=sender, url=f"udp://127.0.0.1:{port}", sender=sender, **keys)


def send(port, sender, data):
    with socket.socket(type=socket.SOCK_DGRAM) as link:
        link.bind((sender, 0))
        link.sendto(data, ("127.0.0.1", port))


async def both(port, refuse=lambda one: None):
    """Two transports on one port, opened at once and patient."""
    opening = [
        asyncio.create_task(open_transport(config(port, sender), patient=True, refuse=refuse))
        for sender in (ONE, TWO)
    ]
    while not all(one.done() for one in opening):
        for sender in (ONE, TWO):
            send(port, sender, b"first")
        await asyncio.sleep(0.002)
    return [one.result() for one in opening]


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 20.0))


async def read_all(transport, ending):
    data = b""
    while not data.endswith(ending):
        data += await transport.read()
    return data.removeprefix(b"first" * (data.count(b"first")))


def test_each_sensor_hears_its_own_station():
    async def check():
        port = free_port(socket.SOCK_DGRAM)
        one, two = await both(port)
        for number in range(50):
            send(port, ONE, b"a%d," % number)
            send(port, TWO, b"b%d," % number)
        assert await read_all(one, b"a49,") == b"".join(b"a%d," % n for n in range(50))
        assert await read_all(two, b"b49,") == b"".join(b"b%d," % n for n in range(50))
        await one.close()
        send(port, TWO, b"still")
        assert (await read_all(two, b"still")).endswith(b"still")
        await two.close()
        await two.close()
        with socket.socket(type=socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", port))  # the last one has closed it

    run(check())


def test_strangers_are_counted_and_not_read():
    async def check():
        refused = []
        port = free_port(socket.SOCK_DGRAM)
        one, two = await both(port, refused.append)
        refused.clear()  # until both were open, one of them was a stranger
        for _ in range(3):
            send(port, STRANGER, b"strange")
        send(port, ONE, b"known")
        assert b"strange" not in await read_all(one, b"known")
        assert [(bad.reason, bad.text) for bad in refused] == [("unknown-sender", STRANGER)] * 3
        await one.close()
        await two.close()

    run(check())


def test_a_station_that_does_not_send_is_unavailable_though_its_neighbour_does():
    async def check():
        port = free_port(socket.SOCK_DGRAM)
        opening = asyncio.create_task(open_transport(config(port, TWO, timeout_s=0.2)))
        for _ in range(40):
            send(port, ONE, b"x")
            await asyncio.sleep(0.01)
        with pytest.raises(SensorUnavailable, match=f"no datagram from {TWO}"):
            await opening

    run(check())


def test_what_nobody_reads_is_bounded_and_told():
    async def check():
        refused = []
        port = free_port(socket.SOCK_DGRAM)
        one, two = await both(port, refused.append)
        refused.clear()
        for number in range(600):
            one.put(b"%04d" % number + bytes(4000))
        assert {bad.reason for bad in refused} == {"overflow"}
        assert b"0599" in await read_all(one, b"0599" + bytes(4000))
        await one.close()
        await two.close()

    run(check())


@pytest.mark.parametrize(
    ("address", "compared"),
    [
        ("10.20.0.21", "10.20.0.21"),
        ("::ffff:10.20.0.21", "10.20.0.21"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_an_address_is_compared_in_its_own_form(address, compared):
    assert plain(address) == compared
    assert is_sender(address)


def test_a_name_is_no_sender():
    assert not is_sender("shake.local")
    assert is_sender("")
