import contextlib
import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from paho.mqtt import publish

from edge.cli import main, parser
from edge.delivery.broker import start_broker
from edge.errors import EXIT_BROKER, EXIT_OK, EXIT_USAGE
from edge.terminal.watch import targets_of
from tests.ports import free_port

ROOT = Path(__file__).parents[3]
ALERT = (ROOT / "tests" / "golden" / "messages" / "exercise.json").read_bytes()
TOPIC = "garita-exercise/v1/mariposa/nb-01"


PATIENT = (
    "import sys; from edge.cli import main; from edge.terminal import board\n"
    "board.BOTH_SIDES_WAIT_S = 30.0; sys.exit(main(sys.argv[1:]))"
)
"""Garita on a machine where the two copies of an alert may be seconds apart."""


@pytest.fixture
def brokers(tmp_path):
    started = [start_broker(free_port(), tmp_path / side) for side in ("north", "south")]
    yield started
    for broker in started:
        broker.stop()


def put(broker, topic, payload, *, retain=False):
    publish.single(topic, payload, qos=1, retain=retain, hostname="127.0.0.1", port=broker.port)


def watching(*words):
    return subprocess.Popen(
        [sys.executable, "-c", PATIENT, "watch", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "TZ": "UTC", "PYTHONUTF8": "1"},
    )


def read_until(process, wanted):
    told = b""
    for line in process.stdout:
        told += line
        if wanted in line:
            return told
    pytest.fail(f"{wanted!r} was never shown: {told!r} {process.stderr.read()!r}")


def test_alerts_of_two_brokers_are_one_plain_stream(brokers):
    urls = [
        f"{side}={broker.url}" for side, broker in zip(("north", "south"), brokers, strict=True)
    ]
    process = watching(*urls, "--language", "es-MX", "--for", "30s")
    # Both are heard before either speaks: how long a busy machine takes to connect is not told.
    told = read_until(process, "conectado al bróker".encode()).decode()
    told += read_until(process, "conectado al bróker".encode()).decode()
    for broker in brokers:
        put(broker, f"{TOPIC}/active/01JD", ALERT, retain=True)
    told += read_until(process, "Acción".encode()).decode()
    assert "[SIMULACRO]  nb-01  Fuente radiactiva en el tercio central  N+S" in told
    assert "81 % gamma 11" in told
    assert "\x1b" not in told
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == EXIT_OK


def test_on_a_terminal_the_status_stays_below_and_the_cursor_comes_back(brokers):
    near, far = pty.openpty()
    put(brokers[0], f"{TOPIC}/active/01JD", ALERT, retain=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "edge", "watch", brokers[0].url, "--language", "en-US"],
        cwd=ROOT,
        stdin=far,
        stdout=far,
        stderr=far,
        env=os.environ | {"TERM": "xterm", "PYTHONUTF8": "1", "COLUMNS": "100"},
    )
    os.close(far)
    told = b""
    while b"no service heard yet" not in told or b"Radioactive source" not in told:
        told += os.read(near, 4096)
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(OSError):  # Linux: the other end is closed
        while data := os.read(near, 4096):
            told += data
    os.close(near)
    assert process.wait(30) == EXIT_OK
    assert told.count(b"\x1b[?25l") == told.count(b"\x1b[?25h") == 1
    assert b"Traceback" not in told


def test_json_has_one_object_per_alert_and_the_bytes_of_the_alert(brokers):
    put(brokers[0], f"{TOPIC}/active/01JD", ALERT, retain=True)
    process = watching(brokers[0].url, "--json", "--for", "60s")
    line = process.stdout.readline()
    assert json.loads(line) == {"sides": ["north"], "alert": json.loads(ALERT)}
    assert ALERT.strip() in line
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30)[0] == b""
    assert process.returncode == EXIT_OK


def test_another_site_is_not_shown(brokers):
    put(brokers[0], f"{TOPIC}/active/01JD", ALERT, retain=True)
    process = watching(brokers[0].url, "--json", "--site", "otay", "--for", "60s")
    other = ALERT.replace(b"mariposa", b"otay")
    put(brokers[0], f"{TOPIC}/active/01JD".replace("mariposa", "otay"), other, retain=True)
    assert json.loads(process.stdout.readline())["alert"] == json.loads(other)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=30)[0] == b""
    assert process.returncode == EXIT_OK


def test_one_broker_that_is_down_does_not_end_the_view_of_the_other(brokers):
    process = watching(brokers[0].url, f"south=mqtt://127.0.0.1:{free_port()}", "--for", "30s")
    try:
        deadline = time.monotonic() + 20
        told = b""
        wanted = (b"connected to the north broker", b"south NOT CONNECTED")
        while not all(words in told for words in wanted) and time.monotonic() < deadline:
            told += process.stdout.readline()
        assert all(words in told for words in wanted), told
    finally:
        process.terminate()
        process.wait(30)


def test_no_broker_at_all_is_said_with_its_address(capsys, monkeypatch):
    monkeypatch.setattr("edge.terminal.watch.FIRST_CONNECT_S", 0.3)
    port = free_port()
    assert main(["watch", f"mqtt://127.0.0.1:{port}", "--language", "en-US"]) == EXIT_BROKER
    said = capsys.readouterr().err
    assert f"127.0.0.1:{port}" in said
    assert "garita demo" in said


def test_a_broker_that_never_answers_within_the_time_is_exit_code_4_with_the_cause(capsys):
    port = free_port()
    words = ["watch", f"mqtt://127.0.0.1:{port}", "--language", "en-US", "--for", "3s"]
    assert main(words) == EXIT_BROKER
    shown = capsys.readouterr()
    assert shown.out.count(f"north mqtt://127.0.0.1:{port}: Connection refused") == 1
    assert "within 3.0 s" in shown.err
    assert "Connection refused" in shown.err


def test_a_host_that_does_not_exist_is_said(capsys):
    assert main(["watch", "mqtt://garita.invalid", "--json", "--for", "3s"]) == EXIT_BROKER
    shown = capsys.readouterr()
    assert "garita.invalid:1883: unknown host" in shown.err
    assert shown.out == ""


def test_what_is_there_and_no_broker_is_said(capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            with contextlib.suppress(OSError):  # the test is over
                while True:
                    server.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        url = f"mqtt://127.0.0.1:{server.getsockname()[1]}"
        assert main(["watch", url, "--json", "--for", "3s"]) == EXIT_BROKER
    assert "it closed the connection" in capsys.readouterr().err


def test_a_broker_that_goes_away_is_said_with_the_cause(brokers):
    north, south = brokers
    process = watching(north.url, f"south={south.url}", "--language", "en-US", "--for", "30s")
    try:
        read_until(process, b"connected to the south broker")
        south.kill()
        assert b"no connection to the south broker" in read_until(process, b"Connection refused")
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.parametrize("url", ["http://x", "mqtt://", "mqtt://a:b@c", "mqtt://h:99999"])
def test_a_wrong_address_is_a_mistake_of_usage(url, capsys):
    assert main(["watch", url]) == EXIT_USAGE
    assert capsys.readouterr().err.startswith("garita watch: ")


def test_sides_come_from_names_ports_and_order():
    def sides(*urls):
        return [target.side for target in targets_of(urls)]

    assert sides("mqtt://127.0.0.1:18832", "mqtt://127.0.0.1:18831") == ["south", "north"]
    assert sides("mqtts://a.example", "mqtts://b.example", "mqtts://c.example") == [
        "north",
        "south",
        "side-3",
    ]
    assert sides("mx=mqtts://a.example", "us=mqtts://b.example") == ["mx", "us"]
    with pytest.raises(ValueError, match="two brokers of one side"):
        sides("mqtt://a.example:18831", "north=mqtt://b.example")


@pytest.mark.skipif(
    shutil.which("mosquitto_sub") is None, reason="needs mosquitto_sub (apt: mosquitto-clients)"
)
def test_it_never_publishes(brokers):
    log = subprocess.Popen(
        ["mosquitto_sub", "-p", str(brokers[0].port), "-t", "#", "-W", "5", "-v"],
        stdout=subprocess.PIPE,
    )
    assert main(["watch", brokers[0].url, "--json", "--for", "3s"]) == EXIT_OK
    assert log.communicate(timeout=60)[0] == b""


def test_the_arguments_are_those_of_the_help():
    arguments = parser().parse_args(["watch", "mqtt://a", "mqtt://b", "--json", "--for", "60s"])
    assert (arguments.urls, arguments.json, arguments.for_s) == (
        ["mqtt://a", "mqtt://b"],
        True,
        60.0,
    )
