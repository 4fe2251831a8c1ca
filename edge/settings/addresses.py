"""The forms an address may have, of a sensor and of a broker."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from drivers.address import Address, parse_address

MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883}  # IANA service names mqtt and secure-mqtt

FORMS = {
    "tcp": "tcp://10.20.0.14:1600",
    "udp": "udp://0.0.0.0:8888",
    "dicos": "dicos://0.0.0.0:11112",
    "serial": "/dev/ttyUSB0",
    "folder": "folder:/srv/scans",
}
"""Each form of a sensor's address, with an example."""

_SERIAL_SCHEMES = frozenset({"socket", "rfc2217", "loop", "spy", "hwgrep", "alt", "cp2110"})
"""pyserial 3.5, "URL Handlers"."""
_WITH_PORT = frozenset({"tcp", "udp", "dicos", "socket", "rfc2217"})
_WINDOWS_PORT = re.compile(r"COM\d{1,3}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where a broker answers."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' if self.tls else ''}://{host}:{self.port}"


def sensor_address(url: str) -> Address:
    """Take a sensor's URL apart. ValueError says what is wrong with it.

    Stricter than what opens it: there, whatever is not known is left to pyserial, and a
    misspelt scheme would only be noticed once nothing answers.
    """
    scheme = url.partition(":")[0].lower()
    if scheme in _WITH_PORT:
        network_address(url)
    address = parse_address(url)
    is_device = url.startswith("/") or _WINDOWS_PORT.fullmatch(url)
    if address.form == "serial" and not is_device and scheme not in _SERIAL_SCHEMES:
        raise ValueError("no form of address that a sensor can have")
    return address


def network_address(url: str) -> tuple[str, int]:
    """Host and port of a URL that has both. ValueError says what is wrong with it."""
    return _host_and_port(_split(url), None)


def broker_address(url: str) -> BrokerAddress:
    """Take a broker's URL apart. ValueError says what is wrong with it."""
    parts = _split(url)
    if parts.scheme not in MQTT_PORTS:
        raise ValueError("a broker is auto, or an mqtt:// or mqtts:// URL")
    host, port = _host_and_port(parts, MQTT_PORTS[parts.scheme])
    return BrokerAddress(host=host, port=port, tls=parts.scheme == "mqtts")


def without_secrets(text: str) -> str:
    """The text with whatever stands between `//` and `@` made unreadable."""
    return re.sub(r"//[^/@\s]*@", "//***@", text)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket of an IPv6 address is left open
        raise ValueError("the host cannot be read") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("user names and passwords have no place in a URL")
    return parts


def _host_and_port(parts: SplitResult, default: int | None) -> tuple[str, int]:
    if not parts.hostname:
        raise ValueError("no host is named")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("nothing may follow the port")
    try:
        port = parts.port
    except ValueError:
        raise ValueError("the port must be a number from 1 to 65535") from None
    if port is None:
        port = default
    if not port:
        raise ValueError("no port is named" if port is None else "port 0 is no address")
    return parts.hostname, port
