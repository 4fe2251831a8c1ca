import socket

import pytest


@pytest.fixture
def free_port():
    """Gives loopback ports that nobody listens on, each only once."""
    given = set()

    def find():
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            if port not in given:
                given.add(port)
                return port

    return find
