import contextlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path

import pytest

from edge.cli import main
from edge.config import load_config
from edge.errors import EXIT_BROKER, BrokerUnavailable
from edge.kernel_cache import COMPILES
from edge.terminal.children import Child
from edge.terminal.demo import Day, Demo, _tell_service
from edge.terminal.demo_setup import check_ports, effective_config, free
from edge.terminal.stream import open_screen
from edge.terminal.viewer import Viewer
from edge.text import say
from edge.text.catalogue import LANGUAGES
from simulators.scripts import SCENARIOS
from tests.ports import free_port

ROOT = Path(__file__).parents[3]


PATIENT = (
    "import sys; from edge.cli import main; from edge.terminal import board\n"
    "board.BOTH_SIDES_WAIT_S = 30.0; sys.exit(main(sys.argv[1:]))"
)
"""Garita on a machine where the two copies of an alert may be seconds apart."""


@pytest.fixture
def ports():
    return {name: free_port() for name in ("north_port", "south_port", "http_port")}


def starting(ports, *words, tmp_path):
    options = [f"--{name.replace('_', '-')}={port}" for name, port in ports.items()]
    return subprocess.Popen(
        [sys.executable, "-c", PATIENT, "demo", *options, *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"PYTHONUTF8": "1", "TMPDIR": str(tmp_path)},
    )


def read_until(process, wanted):
    told = ""
    for line in process.stdout:
        told += line.decode()
        if wanted in told:
            return told
    pytest.fail(f"{wanted!r} was never shown:\n{told}")


def naming(directory):
    """Command lines of processes that name a file in the directory."""
    told = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            told.append(path.read_bytes())
    return [line for line in told if str(directory).encode() in line]


def all_free(ports, timeout_s=15.0):
    deadline = time.monotonic() + timeout_s
    while not all(free(port, socket.SOCK_STREAM) for port in ports.values()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.timeout(300)  # a first run compiles every kernel
def test_alerts_reach_both_brokers_and_everything_ends(ports, tmp_path):
    process = starting(ports, "--language", "es-MX", tmp_path=tmp_path)
    told = read_until(process, "Primera alerta en ambos")
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=60)[0].decode()
    assert process.returncode == 0
    assert f"mosquitto_sub -p {ports['south_port']} -V mqttv5" in told
    assert re.search(r"▲ ADVERTENCIA +\[SIMULACRO\]  sb-02  Manipulación de rpm-sb-02  N\+S", told)
    assert "\x1b" not in told + rest
    assert "Resumen después de" in rest
    assert re.search(r"1 .+ SENSOR_TAMPER", rest)
    assert all_free(ports)
    assert naming(tmp_path) == []
    assert list(tmp_path.glob("garita-demo-*")) == []


@pytest.mark.timeout(300)
def test_a_demo_that_is_killed_leaves_nothing_behind(ports, tmp_path):
    process = starting(ports, tmp_path=tmp_path)
    read_until(process, "(")  # the intro: children and brokers have been started
    read_until(process, "connected")
    process.kill()
    process.communicate(timeout=60)
    deadline = time.monotonic() + 20
    while left := naming(tmp_path):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
    assert all_free(ports)


def test_ports_in_use_are_named_with_the_options_that_move_them(ports, capsys):
    options = [f"--{name.replace('_', '-')}={port}" for name, port in ports.items()]
    taken = [("127.0.0.1", ports[name]) for name in ("south_port", "http_port")]
    with socket.create_server(taken[0]), socket.create_server(taken[1]):
        assert main(["demo", *options, "--for", "1s"]) == EXIT_BROKER
    said = capsys.readouterr().err
    assert f"port {ports['south_port']} is in use" in said
    assert "--south-port" in said
    assert "--http-port" in said
    assert "--north-port" not in said


@pytest.fixture
def demo(tmp_path):
    """A demo whose service says what a test writes into its log, and whose screen is a text."""
    log = tmp_path / "service.log"
    out = io.StringIO()
    screen = open_screen("en-US", out)
    service = Child("service", ["watch", "mqtt://127.0.0.1:1", "--for", "60s"], log)
    made = Demo(
        arguments=Namespace(language="en-US"),
        config=tmp_path / "demo.yaml",
        broker="mosquitto",
        screen=screen,
        viewer=Viewer([], screen),
        running=[service],
        day=Day(scenario=SCENARIOS["demo"](1, 0), simulators=service),
        started_s=0.0,
    )
    yield made, log, out
    service.kill()


def writes(log, *lines):
    with log.open("a") as service:
        service.write("".join(f"{line}\n" for line in lines))


def test_how_far_the_kernels_are_is_told_until_the_service_is_ready(demo):
    demo, log, out = demo
    told = f'{{"event": "{COMPILES}", "done": 7, "about": 35, "now": "xray", "after_s": 12}}'
    writes(log, f"not of ours: {COMPILES}", '{"event": "compiling kernels", "about": 35}', told)
    _tell_service(demo)
    assert out.getvalue() == "Compiling kernels, this once: 7 of about 35 after 12 s.\n"
    demo.begun_s = 1.0
    writes(log, told)
    _tell_service(demo)
    assert out.getvalue().count("\n") == 1
    for language in LANGUAGES:
        assert "7" in say("demo", "compiling", language, done=7, about=35, seconds=12)


@pytest.mark.parametrize(
    "line",
    [
        f"{{half a line of {COMPILES}",
        f'{{"event": "{COMPILES}", "done": 7}}',
        f'{{"event": "{COMPILES}", "done": null, "about": 35, "after_s": 12}}',
        f'{{"event": "{COMPILES}", "done": "some", "about": 35, "after_s": 12}}',
        f'{{"event": "{COMPILES}", "done": 7, "about": 35, "after_s": Infinity}}',
        f'{{"of": "{COMPILES}"}}',
    ],
)
def test_no_line_of_the_service_ends_the_demo(demo, line):
    demo, log, out = demo
    writes(log, line)
    _tell_service(demo)
    assert out.getvalue() == ""


def test_one_port_for_two_things_is_refused(ports):
    with pytest.raises(BrokerUnavailable, match="different"):
        check_ports(Namespace(**ports | {"south_port": ports["north_port"]}))


def test_its_configuration_is_a_right_one_with_all_files_in_its_own_folder(ports, tmp_path):
    config = tmp_path / "demo.yaml"
    config.write_text(json.dumps(effective_config(Namespace(**ports), tmp_path)))
    loaded = load_config(config)
    assert loaded.sides["north"].broker == f"mqtt://127.0.0.1:{ports['north_port']}"
    assert loaded.state_dir.is_relative_to(tmp_path)
    urls = [sensor.url for sensor in loaded.sensors]
    assert len(set(urls)) == len(urls)
    assert all("folder:" not in url or str(tmp_path) in url for url in urls)
    assert all(sensor.origin == "simulator" for sensor in loaded.sensors)


def test_a_sensor_port_that_is_taken_is_moved(ports, tmp_path):
    before = effective_config(Namespace(**ports), tmp_path)
    taken = next(sensor["url"] for sensor in before["sensors"] if sensor["url"].startswith("tcp"))
    with socket.create_server(("127.0.0.1", int(taken.rpartition(":")[2]))):
        after = effective_config(Namespace(**ports), tmp_path)
    assert taken not in {sensor["url"] for sensor in after["sensors"]}
