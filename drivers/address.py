"""Where a sensor answers: the forms of `url` and the words for one that does not answer."""

import os
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from drivers.base import SensorConfig, SensorUnavailable

FORMS = ("tcp", "udp", "dicos", "folder", "serial")

_ADVICE = {
    "tcp": "check address, power and cable",
    "udp": "check that the sensor sends to this machine and port",
    "dicos": "check that the address is this machine's and the port free",
    "serial": "check the port's name, its permissions and the cable",
    "folder": "create it, or mount the share",
}


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed `url`."""

    form: str
    """One of `FORMS`."""
    host: str
    """tcp, udp and dicos only."""
    port: int
    """tcp, udp and dicos only; 0 where it has none."""
    path: str
    """The folder, or the whole pyserial URL."""


def parse_address(url: str) -> Address:
    """Read a sensor's `url`. ValueError, saying what is expected, where it is none."""
    scheme, colon, rest = url.partition(":")
    if colon and scheme in {"tcp", "udp", "dicos"}:
        return _internet(url, scheme)
    if colon and scheme == "folder":
        path = rest.removeprefix("//")
        if not path:
            raise ValueError(f"{url!r} names no folder; write folder:/path/to/scans")
        return Address("folder", "", 0, path)
    # Everything else is pyserial's: a device path or one of its own URL schemes.
    if not url or url.isspace():
        raise ValueError("an empty address; write tcp://host:port, udp://host:port, folder:/path")
    return Address("serial", "", 0, url)


def _internet(url: str, scheme: str) -> Address:
    expected = f"write {scheme}://host:port"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{url!r} is no address ({error}); {expected}") from None
    if not host or port is None or parts.path.strip("/"):
        raise ValueError(f"{url!r} is no address; {expected}")
    return Address(scheme, host, port, "")


def plain(address: str) -> str:
    """An address as it is compared: IPv4 in its own form, IPv6 without zone."""
    found = ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


def is_sender(address: str) -> bool:
    """Whether it is an address that datagrams can come from; `""`: from anywhere."""
    try:
        return not address or bool(plain(address))
    except ValueError:
        return False


def cause_of(error: BaseException) -> str:
    """Why it failed, in the system's words."""
    if isinstance(error, TimeoutError) and not error.errno:
        return "no answer"
    number = getattr(error, "errno", None) or 0
    if number > 0:
        return os.strerror(number)
    # The resolver's numbers are below zero and not the system's; its words are its own.
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def unavailable(config: SensorConfig, cause: str) -> SensorUnavailable:
    """The error for a sensor that does not answer: who, where, why, and what to do."""
    form = parse_address(config.url).form
    return SensorUnavailable(
        f"{config.id}: nothing from {config.url} within {config.timeout_s} s ({cause}); "
        f'{_ADVICE[form]}, or set "fallback: simulator" to run this sensor without hardware'
    )
