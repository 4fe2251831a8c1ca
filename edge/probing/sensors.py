"""Does something answer at a sensor's address?"""

import asyncio
import os
import socket
import stat
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from drivers.address import parse_address, plain
from drivers.base import SensorConfig, SensorUnavailable
from drivers.transports import open_transport
from edge.probing.run import Probe
from edge.probing.verdict import FAIL, OK, WARN, Verdict, cause
from edge.settings.addresses import network_address

TURN_S = 0.05  # between two attempts at a port that another probe listens on
LISTEN_S = 2.0  # a seismometer sends several datagrams a second


def sensor_probes(sensors: Iterable[SensorConfig]) -> list[Probe]:
    """One for each sensor."""
    return [
        Probe(group="sensor", name=sensor.id, ask=partial(ask, sensor), timeout_s=sensor.timeout_s)
        for sensor in sensors
    ]


def ask(sensor: SensorConfig) -> Verdict:
    """Whether it is there. With a simulator to fall back on, absence is only a warning."""
    verdict = _ask_address(sensor)
    if verdict.status == FAIL and sensor.fallback == "simulator":
        return Verdict(WARN, f"{verdict.text}; its simulator would run instead")
    return verdict


def _ask_address(sensor: SensorConfig) -> Verdict:
    address = parse_address(sensor.url)
    if sensor.poller() is not None or sensor.session or address.form == "dicos":
        return _ask_polled(sensor)
    match address.form:
        case "tcp":
            return _ask_tcp(sensor.url, address.host, address.port, sensor.timeout_s)
        case "udp":
            sender = getattr(sensor, "sender", "")
            return _ask_udp(sensor.url, address.host, address.port, sensor.timeout_s, sender)
        case "folder":
            return _ask_folder(Path(address.path))
        case _:
            return _ask_serial(address.path, sensor.timeout_s)


def _ask_tcp(url: str, host: str, port: int, timeout_s: float) -> Verdict:
    began = time.monotonic()
    try:
        socket.create_connection((host, port), timeout_s).close()
    except OSError as error:
        return Verdict(FAIL, f"{url}: {cause(error)}; check address, power and cable")
    return Verdict(OK, f"{url}: connected in {1000 * (time.monotonic() - began):.0f} ms")


def _ask_polled(sensor: SensorConfig) -> Verdict:
    """What only an opened link can tell: whether a device answers, and not only its port."""

    async def ask_once() -> None:
        transport = await open_transport(sensor, patient=True)
        await transport.close()

    began = time.monotonic()
    try:
        asyncio.run(ask_once())
    except SensorUnavailable as error:
        # Who reads the table knows which sensor it is of, and of the simulator `ask` tells.
        said = str(error).removeprefix(f"{sensor.id}: ").partition(", or set")[0]
        return Verdict(FAIL, said)
    if parse_address(sensor.url).form == "dicos":  # who sends there comes when he likes
        return Verdict(OK, f"{sensor.url}: can be listened on")
    return Verdict(OK, f"{sensor.url}: answered in {1000 * (time.monotonic() - began):.0f} ms")


def _ask_udp(url: str, host: str, port: int, timeout_s: float, wanted: str) -> Verdict:
    ends_s = time.monotonic() + timeout_s
    try:
        (family, *_, local), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        with socket.socket(family, socket.SOCK_DGRAM) as listener:
            # Sensors that share the port are asked side by side: each has its turn.
            while not _binds(listener, local, last=not wanted or time.monotonic() > ends_s):
                time.sleep(TURN_S)
            sender = _sender(listener, wanted, min(timeout_s, LISTEN_S))
    except OSError as error:
        return Verdict(FAIL, f"{url}: cannot listen there ({cause(error)})")
    if not sender:
        whose = f" from {wanted}" if wanted else ""
        said = f"the port is free, but nothing arrived{whose}; check that the sensor sends here"
        return Verdict(WARN, f"{url}: {said}")
    return Verdict(OK, f"{url}: data from {sender}")


def _binds(listener: socket.socket, local: object, *, last: bool) -> bool:
    """Whether the port could be had. OSError where it could not, at the `last` attempt."""
    try:
        listener.bind(local)  # type: ignore[arg-type]  # typeshed has no name for getaddrinfo's
    except OSError:
        if last:
            raise
        return False
    return True


def _sender(listener: socket.socket, wanted: str, listen_s: float) -> str:
    """Where the first datagram comes from, or the first of the one that is wanted; `""`: none."""
    ends_s = time.monotonic() + listen_s
    try:
        while (left_s := ends_s - time.monotonic()) > 0.0:
            listener.settimeout(left_s)
            sender = str(listener.recvfrom(65_536)[1][0])
            if not wanted or plain(sender) == plain(wanted):
                return sender
    except TimeoutError:
        pass
    return ""


def _ask_folder(folder: Path) -> Verdict:
    try:
        count = sum(1 for _ in folder.iterdir())
    except OSError as error:
        return Verdict(FAIL, f"{folder}: {cause(error)}; create it, or mount the share")
    # Scans that were read are moved into a folder beside them.
    if not os.access(folder, os.W_OK | os.X_OK):
        return Verdict(FAIL, f"{folder}: not writable; let Garita's user write there")
    return Verdict(OK, f"{folder}: readable and writable, {count} entries")


def _ask_serial(path: str, timeout_s: float) -> Verdict:
    scheme = path.partition(":")[0].lower()
    if scheme in ("socket", "rfc2217"):
        return _ask_tcp(path, *network_address(path), timeout_s)
    if not path.startswith("/"):
        return Verdict(WARN, f"{path}: cannot be asked without opening it")
    # Looked at, not opened: opening a port pulls DTR, which restarts some devices.
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - a device is no file to read
    except OSError as error:
        return Verdict(FAIL, f"{path}: {cause(error)}; check the port's name and the cable")
    if not stat.S_ISCHR(mode):
        return Verdict(FAIL, f"{path}: this is no serial port")
    if not os.access(path, os.R_OK | os.W_OK):
        return Verdict(FAIL, f"{path}: no permission; add Garita's user to the group dialout")
    return Verdict(OK, f"{path}: the port is there")
