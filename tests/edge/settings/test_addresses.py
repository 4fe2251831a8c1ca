"""The forms an address may have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.settings.addresses import FORMS, broker_address, sensor_address, without_secrets


@pytest.mark.parametrize(
    ("url", "form"),
    [
        *((example, form) for form, example in FORMS.items()),
        ("tcp://[::1]:1600", "tcp"),
        ("folder:scans", "folder"),
        ("folder:///srv/scans", "folder"),
        ("/dev/serial/by-id/usb-FTDI", "serial"),
        ("COM3", "serial"),
        ("socket://10.0.0.1:4001", "serial"),
        ("rfc2217://10.0.0.1:4001", "serial"),
        ("loop://", "serial"),
    ],
)
def test_every_form_of_sensor_address_is_known(url, form):
    assert sensor_address(url).form == form


@pytest.mark.parametrize(
    "url",
    [
        "",
        "tcp:10.0.0.1:1600",
        "tcp://10.0.0.1",
        "tcp://10.0.0.1:0",
        "tcp://10.0.0.1:70000",
        "tcp://10.0.0.1:abc",
        "tcp://:1600",
        "tcp://10.0.0.1:1600/path",
        "tcp://[::1:1600",
        "tcp://user:secret@10.0.0.1:1600",
        "tpc://10.0.0.1:1600",
        "http://10.0.0.1:80",
        "ttyUSB0",
        "socket://10.0.0.1",
        "folder:",
    ],
)
def test_what_is_no_sensor_address_is_refused_with_a_reason(url):
    with pytest.raises(ValueError, match=r"\w"):
        sensor_address(url)


def test_a_broker_has_a_port_by_default():
    assert (broker_address("mqtt://a").port, broker_address("mqtts://a").port) == (1883, 8883)
    assert broker_address("mqtts://a").tls
    assert str(broker_address("mqtts://[::1]:9")) == "mqtts://[::1]:9"


@pytest.mark.parametrize("url", ["", "auto", "a:1883", "tcp://a:1883", "mqtt://", "mqtt://u:p@a"])
def test_what_is_no_broker_is_refused(url):
    with pytest.raises(ValueError, match=r"\w"):
        broker_address(url)


def test_a_password_in_a_url_is_not_shown():
    assert without_secrets("mqtt://me:hunter2@a:1883") == "mqtt://***@a:1883"


@given(st.text() | st.sampled_from(["tcp://", "udp://", "socket://", "mqtt://"]).map(str))
def test_any_text_is_an_address_or_a_value_error(text):
    for read in (sensor_address, broker_address):
        try:
            read(text)
        except ValueError as error:
            assert str(error)
