"""A broker of our own on this machine: Mosquitto where there is one, else the `iotcore` wheel.

For the demo and for small sites. It listens on the loopback only, anybody on this machine
may connect, and it ends with the process that started it. `iotcore` is for the demo alone:
it has no access rules, keeps nothing on disk and hands a new subscriber at most 100
retained messages.
"""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from edge.errors import BrokerUnavailable

READY_S = 10.0  # Mosquitto takes 50 ms, iotcore 300 ms; a loaded machine gets time
STOP_S = 3.0  # Mosquitto writes its snapshot on SIGTERM; the service itself has 5 s to end
POLL_S = 0.02

_MOSQUITTO_OPTIONS = {
    "allow_anonymous": "true",
    # Without it a message may wait 40 ms for Nagle's algorithm and a delayed acknowledgement.
    "set_tcp_nodelay": "true",
    "persistence": "true",
    # The snapshot is what survives a crash; Mosquitto's default of 1,800 s keeps nothing.
    "autosave_interval": "1",
    # A centre that is away for a night must find everything: 1,000 is the default.
    "max_queued_messages": "100000",
    "connection_messages": "false",
    "log_dest": "stderr",
    "log_type": "error",
}

_IOTCORE_CONFIG = """\
id = 0
[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 1000
max_segment_size = 1048576
max_segment_count = 10
[v5.1]
name = "v5-1"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 1048576
max_inflight_count = 100
dynamic_filters = true
"""
# Segments are small because the wheel holds all of them in memory, for every filter.


class BrokerProcess:
    """A broker that this process started."""

    def __init__(self, kind: str, port: int, process: subprocess.Popen[bytes]) -> None:
        self.kind = kind
        """`"mosquitto"` or `"iotcore"`."""
        self.port = port
        self._process = process

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    @property
    def ending(self) -> str:
        """How the process ended, such as `killed by SIGKILL` or `exit code 1`; `""` before."""
        code = self._process.poll()
        if code is None:
            return ""
        if code >= 0:
            return f"exit code {code}"
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:  # a real-time signal has no name
            return f"killed by signal {-code}"

    def wait(self, timeout_s: float) -> bool:
        """Wait for its end; False where it still runs."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """End it and wait; it keeps what it would keep on any orderly end."""
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()
        self._process.wait()


def start_broker(
    port: int, directory: Path, *, kind: str = "auto", options: Mapping[str, str] | None = None
) -> BrokerProcess:
    """Start a broker on the loopback and wait until it answers.

    directory  private to this broker: its config, its state, its log
    kind       `"auto"`, `"mosquitto"` or `"iotcore"`
    options    lines of mosquitto.conf that add to or replace Garita's own

    Call it from a thread that lives as long as the broker is wanted: the broker ends with
    that thread. BrokerUnavailable says what is in the way.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_free(port)
    mosquitto = find_mosquitto() if kind in {"auto", "mosquitto"} else None
    if mosquitto is not None:
        kind, command = "mosquitto", _mosquitto(mosquitto, port, directory, options or {})
    elif kind != "mosquitto" and importlib.util.find_spec("iotcore") is not None:
        kind, command = "iotcore", _iotcore(port, directory)
    else:
        raise BrokerUnavailable(
            "no broker found on this machine; install one (apt-get install mosquitto, or "
            "pip install iotcore for the demo), or name one in the config: broker: mqtt://HOST:1883"
        )
    log = directory / "broker.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
            [*ending_with_parent(), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            cwd=directory,
            # Ctrl+C in the terminal is for the service, which then stops its brokers itself.
            start_new_session=True,
        )
    broker = BrokerProcess(kind, port, process)
    _wait_until_ready(broker, log)
    return broker


def find_mosquitto() -> str | None:
    """Path of Mosquitto; Debian keeps it where only root's PATH looks."""
    places = [os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"]
    return shutil.which("mosquitto", path=os.pathsep.join(places))


def _mosquitto(
    executable: str, port: int, directory: Path, options: Mapping[str, str]
) -> list[str]:
    lines = {
        **_MOSQUITTO_OPTIONS,
        "persistence_location": f"{directory.resolve()}/",
        # Started by root it would become a user who cannot read this private folder.
        **({"user": "root"} if os.geteuid() == 0 else {}),
        **options,
    }
    config = directory / "mosquitto.conf"
    # The listener comes first: options of a listener apply to the one above them.
    body = [f"listener {port} 127.0.0.1", *(f"{key} {value}" for key, value in lines.items())]
    config.write_text("\n".join(body) + "\n", encoding="utf-8")
    return [executable, "-c", str(config.resolve())]


def _iotcore(port: int, directory: Path) -> list[str]:
    config = directory / "iotcore.toml"
    config.write_text(_IOTCORE_CONFIG.format(port=port), encoding="utf-8")
    return [sys.executable, "-m", "iotcore", "--config", str(config.resolve())]


def ending_with_parent() -> list[str]:
    """What goes before a command line so that its process ends with the one that starts it."""
    # setpriv is in util-linux, which every Debian has; it becomes the broker, so the pid stays.
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        # As the brokers do: a port that only waits out old connections is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise BrokerUnavailable(
                f"broker: cannot listen on 127.0.0.1:{port} ({error.strerror}); "
                "end what uses that port, or choose another one for this side"
            ) from error


def _wait_until_ready(broker: BrokerProcess, log: Path) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and broker.running:
        try:
            socket.create_connection(("127.0.0.1", broker.port), timeout=1).close()
        except OSError:
            time.sleep(POLL_S)
        else:
            if broker.running:  # else it was somebody else who answered
                return
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    ended = not broker.running
    if not ended:
        broker.kill()
    raise BrokerUnavailable(
        f"broker: {broker.kind} on 127.0.0.1:{broker.port} "
        f"{'ended at once' if ended else f'did not answer within {READY_S:.0f} s'}"
        f" ({' '.join(said[-2:]) or 'it said nothing'}); see {log}"
    )
