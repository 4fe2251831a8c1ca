"""How a connection ends, and what is said of it."""

import select
import socket
import struct
from contextlib import closing

import pytest

from edge.delivery.happenings import Connected, LinkLost, Waker
from edge.delivery.link import Link
from edge.delivery.sides import SideSettings

CONNACK = b"\x20\x03\x00\x00\x00"


def test_a_connection_that_is_gone_when_we_write_is_told_with_its_cause(until):
    with socket.create_server(("127.0.0.1", 0)) as server, closing(Waker()) as waker:
        settings = SideSettings(name="north", host="127.0.0.1", port=server.getsockname()[1])
        with closing(Link(settings, waker, client_id="edge")) as link:
            broker, _ = server.accept()
            assert link.step(0.0) == []  # which says CONNECT
            assert broker.recv(4096)
            broker.sendall(CONNACK)
            until(lambda: any(isinstance(each, Connected) for each in link.step(0.05)))
            # Linger 0: closing sends a reset in place of an orderly end.
            broker.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            broker.close()
            watched = select.poll()
            watched.register(link._socket(), select.POLLHUP)
            assert watched.poll(10_000)
            link.publish("a/b", b"never arrives")
            with pytest.raises(LinkLost, match="connection lost") as lost:
                link.step(0.0)
            assert "descriptor" not in str(lost.value)
