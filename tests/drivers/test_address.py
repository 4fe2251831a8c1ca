"""Addresses of sensors, and the words for one that does not answer."""

import errno
import socket

import pytest

from drivers.address import Address, cause_of, parse_address, unavailable
from drivers.radiation import TsaConfig


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("tcp://10.20.0.14:1600", Address("tcp", "10.20.0.14", 1600, "")),
        ("tcp://[::1]:1600/", Address("tcp", "::1", 1600, "")),
        ("udp://0.0.0.0:8888", Address("udp", "0.0.0.0", 8888, "")),
        ("folder:/srv/scans", Address("folder", "", 0, "/srv/scans")),
        ("folder://srv/scans", Address("folder", "", 0, "srv/scans")),
        ("/dev/ttyUSB0", Address("serial", "", 0, "/dev/ttyUSB0")),
        ("rfc2217://host:4001", Address("serial", "", 0, "rfc2217://host:4001")),
    ],
)
def test_each_form_is_taken_apart(url, address):
    assert parse_address(url) == address


@pytest.mark.parametrize(
    "url",
    ["", " ", "tcp://host", "tcp://:1", "tcp://host:99999", "tcp://[::1", "udp://h:1/x", "folder:"],
)
def test_what_is_none_says_how_to_write_one(url):
    with pytest.raises(ValueError, match="write"):
        parse_address(url)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "Connection refused"),
        (TimeoutError(), "no answer"),
        (TimeoutError(errno.ETIMEDOUT, "x"), "Connection timed out"),
        (OSError("Multiple exceptions: one, two"), "Multiple exceptions: one, two"),
        (ValueError(), "ValueError"),
        (socket.gaierror(socket.EAI_NONAME, "Name not known"), "Name not known"),
    ],
)
def test_the_cause_is_in_the_systems_words(error, cause):
    assert cause_of(error) == cause


@pytest.mark.parametrize("url", ["tcp://h:1", "udp://h:1", "folder:/x", "/dev/ttyUSB0"])
def test_the_message_says_who_where_why_and_what_to_do(url):
    message = str(unavailable(TsaConfig(id="portal-north", lane="l", url=url), "no answer"))
    assert message.startswith(f"portal-north: nothing from {url} within 5.0 s (no answer); ")
    assert message.endswith('set "fallback: simulator" to run this sensor without hardware')
