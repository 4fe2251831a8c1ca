"""The forms an address may have, of a sensor and of a broker."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883}  # IANA service names mqtt and secure-mqtt

FORMS = {
    "tcp": "tcp://10.20.0.14:1600",
    "udp": "udp://0.0.0.0:8888",
    "serial": "/dev/ttyUSB0",
    "folder": "folder:/srv/scans",
}
"""Each form of a sensor's address, with an example."""

_SERIAL_SCHEMES = frozenset({"socket", "rfc2217", "loop", "spy", "hwgrep", "alt", "cp2110"})
"""pyserial 3.5, "URL Handlers"."""
_SERIAL_WITH_PORT = frozenset({"socket", "rfc2217"})
_WINDOWS_PORT = re.compile(r"COM\d{1,3}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorAddress:
    """Where a sensor answers, taken apart."""

    form: str
    """A key of `FORMS`."""
    host: str = ""
    port: int = 0
    """0 where the form has none."""
    path: str = ""
    """Device or folder; a pyserial URL whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where a broker answers."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' if self.tls else ''}://{host}:{self.port}"


def sensor_address(url: str) -> SensorAddress:
    """Take a sensor's URL apart. ValueError says what is wrong with it."""
    if url.startswith("folder:"):
        path = url.removeprefix("folder:").removeprefix("//")
        if not path:
            raise ValueError("no folder is named")
        return SensorAddress(form="folder", path=path)
    if url.startswith("/") or _WINDOWS_PORT.fullmatch(url):
        return SensorAddress(form="serial", path=url)
    parts = _split(url)
    if parts.scheme in _SERIAL_SCHEMES:
        if parts.scheme in _SERIAL_WITH_PORT:
            host, port = _host_and_port(parts, None)
            return SensorAddress(form="serial", host=host, port=port, path=url)
        return SensorAddress(form="serial", path=url)
    if parts.scheme not in ("tcp", "udp"):
        scheme = f"{parts.scheme}:" if parts.scheme else "an address without a scheme"
        raise ValueError(f"{scheme} is no form of address that a sensor can have")
    host, port = _host_and_port(parts, None)
    return SensorAddress(form=parts.scheme, host=host, port=port)


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
    parts = urlsplit(url)
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
