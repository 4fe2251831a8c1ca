"""Ports for processes that a benchmark starts."""

import socket


def free_ports(count: int) -> list[int]:
    """So many TCP ports of the loopback that were free just now."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
