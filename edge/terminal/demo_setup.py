"""What a demo needs before it starts: free ports, and a configuration of its own."""

import argparse
import socket
from pathlib import Path
from typing import Any

from edge.errors import BrokerUnavailable
from edge.settings.lines import read_yaml
from edge.settings.model import CONSOLE_PORT

CONFIG = Path(__file__).parents[2] / "configs" / "demo.yaml"
SIDES = ("north", "south")
LOOPBACK = "127.0.0.1"
SENSOR_TIMEOUT_S = 20.0
"""The simulators start at the same time as the service; a loaded machine gets time for it."""


def check_ports(arguments: argparse.Namespace) -> None:
    """BrokerUnavailable names every port that is taken, and the option that moves it."""
    wanted = {
        "--north-port": arguments.north_port,
        "--south-port": arguments.south_port,
        "--http-port": arguments.http_port,
    }
    if len(set(wanted.values())) < len(wanted):
        raise BrokerUnavailable(f"{', '.join(wanted)} must be different")
    taken = [
        f"port {port} is in use; end what uses it, or choose another with {option}"
        for option, port in wanted.items()
        if not free(port, socket.SOCK_STREAM)
    ]
    if taken:
        raise BrokerUnavailable("\n".join(taken))


def free(port: int, kind: socket.SocketKind) -> bool:
    """Whether a port of the loopback can be listened on."""
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            # As servers do: a port that only waits out old connections is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def effective_config(arguments: argparse.Namespace, directory: Path) -> dict[str, Any]:
    """The demo's configuration with the ports asked for, and all its files in `directory`."""
    config = read_yaml(CONFIG).data
    assert isinstance(config, dict)  # our own file; `garita check` is for those of others
    for side, port in zip(SIDES, (arguments.north_port, arguments.south_port), strict=True):
        # The demo starts the brokers itself, so that it can watch them from the first moment.
        config["sides"][side].pop("port", None)
        config["sides"][side]["broker"] = f"mqtt://{LOOPBACK}:{port}"
    config["http"] = {"host": LOOPBACK, "port": arguments.http_port}
    # Whoever started the demo may look and act, without a password and in nobody's name.
    console_port = CONSOLE_PORT if free(CONSOLE_PORT, socket.SOCK_STREAM) else 0
    config["console"] = {"host": LOOPBACK, "port": console_port, "guest": "supervisor"}
    config["state_dir"] = str(directory / "state")
    if "policy" in config:
        config["policy"] = str((CONFIG.parent / config["policy"]).resolve())
    taken: set[int] = {arguments.north_port, arguments.south_port, arguments.http_port}
    for sensor in config["sensors"]:
        sensor["url"] = _own_url(sensor["url"], sensor["id"], directory, taken)
        # In this process tree a stand-in would only hide that a simulator did not start.
        sensor |= {"fallback": "none", "timeout_s": SENSOR_TIMEOUT_S}
    return config


def _own_url(url: str, sensor_id: str, directory: Path, taken: set[int]) -> str:
    scheme, _, rest = url.partition(":")
    if scheme == "folder":
        return f"folder:{directory / 'scans' / sensor_id}"
    kind = socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM
    port = int(rest.rpartition(":")[2])
    # Sensors' ports are nobody's contract: where one is taken, any other does.
    while port in taken or not free(port, kind):
        port = _any_port(kind)
    taken.add(port)
    return f"{scheme}://{LOOPBACK}:{port}"


def _any_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
