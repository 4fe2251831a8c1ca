"""Loopback ports for tests that must know a port before somebody listens there, or never does."""

import itertools
import os
import socket

FIRST, LAST = 12_000, 32_000
"""Below what Linux gives to sockets that ask for no port (32768 and up): between choosing one of
these and using it no connection of another test can come to sit on it."""
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
MINE = (LAST - FIRST) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
"""Each of the processes that share the tests has ports of its own."""

_next = itertools.count(os.getpid() * 211 % MINE)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that nobody uses, each given only once."""
    return free_base_port(1, kind)


def free_base_port(count: int, *kinds: socket.SocketKind) -> int:
    """The first of so many free ports in a row; of streams and of datagrams, where not said."""
    while True:
        base = FIRST + MINE * WORKER + next(_next) % MINE
        for _ in range(count - 1):
            next(_next)
        if all(
            _free(port, kind)
            for port in range(base, base + count)
            for kind in kinds or (socket.SOCK_STREAM, socket.SOCK_DGRAM)
        ):
            return base


def _free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(type=kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
