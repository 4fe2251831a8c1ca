"""`garita simulate` as a person starts it: recordings, live wires, and what it says."""

import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.wire.aspect_poll import AspectPoller
from edge.cli import main
from edge.config import load_config
from edge.terminal.simulate import _with_simulated
from simulators.scripts import SCENARIOS
from simulators.traffic import hour
from tests.ports import free_base_port

ROOT = Path(__file__).parents[3]
LIMIT_S = 30
DEMO_SENSORS = len(SCENARIOS["demo"](1, 0).sensors)
PORTS = 150  # those of streams begin at the first, those of datagrams at the hundredth


class Simulate:
    """A `garita simulate` in a process of its own."""

    def __init__(self, directory, *words, scenario="demo"):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge", "simulate", "--scenario", scenario, *words],
            cwd=directory,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self._unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stderr.close()

    def line(self):
        """The next line of what it says."""
        while b"\n" not in self._unread:
            ready, _, _ = select.select([self.process.stderr], [], [], LIMIT_S)
            assert ready, f"nothing said in {LIMIT_S} s after {self._unread!r}"
            data = os.read(self.process.stderr.fileno(), 4096)
            assert data, f"it ended with {self.process.wait()} after {self._unread!r}"
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()

    def addresses(self, count=DEMO_SENSORS):
        """The table: sensor id to url."""
        assert self.line().split() == ["sensor", "kind", "url"]
        rows = [self.line().split() for _ in range(count)]
        return {name: url for name, _, url in rows}


def test_the_same_seed_gives_the_same_files_whenever_they_are_made(tmp_path, capsys):
    contents = []
    for name in ("one", "two"):
        words = ["--scenario", "demo", "--seed", "5", "--out", str(tmp_path / name), "--for", "8s"]
        assert main(["simulate", *words]) == 0
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        contents.append([(path.name, path.read_bytes()) for path in files])
    assert contents[0] == contents[1]
    assert len(contents[0]) > len(SCENARIOS["demo"](5, 0).sensors) - 3
    assert json.loads((tmp_path / "one/scenario.json").read_text())["seed"] == 5
    said = capsys.readouterr()
    assert said.out == ""
    assert "rpm-nb-01 written" in said.err


def test_an_unknown_scenario_is_answered_with_those_that_exist(capsys):
    assert main(["simulate", "--scenario", "nonsense", "--serve"]) == 2
    told = capsys.readouterr().err.split("there are ")[1]
    assert told.strip().split(", ") == sorted(SCENARIOS)


def test_neither_out_nor_serve_is_a_usage_error(capsys):
    assert main(["simulate", "--scenario", "demo"]) == 2
    assert "--out DIR" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_said(tmp_path, capsys):
    (tmp_path / "file").write_bytes(b"")
    assert main(["simulate", "--scenario", "demo", "--out", str(tmp_path / "file")]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_it_serves_what_it_prints_and_sigterm_ends_it(tmp_path):
    base = free_base_port(PORTS)
    with Simulate(tmp_path, "--serve", "--base-port", str(base)) as simulate:
        addresses = simulate.addresses()
        assert addresses["rpm-nb-01"] == f"tcp://127.0.0.1:{base}"
        assert addresses["geo-ef-01"] == f"udp://127.0.0.1:{base + 100}"
        assert addresses["xray-nb-01"] == "folder:run/scans/xray-nb-01"
        with socket.create_connection(("127.0.0.1", base), timeout=LIMIT_S) as client:
            assert client.recv(4096)
        simulate.process.send_signal(signal.SIGTERM)
        assert simulate.process.wait(LIMIT_S) == 0


def test_portals_can_be_served_on_pseudo_terminals(tmp_path):
    base = str(free_base_port(PORTS))
    with Simulate(tmp_path, "--serve", "--pty", "--base-port", base, "--for", "2s") as simulate:
        assert Path(simulate.addresses()["rpm-nb-01"]).is_char_device()
        assert "for 2 s" in simulate.line()
        assert simulate.line() == "the scenario has ended"
        assert simulate.process.wait(LIMIT_S) == 0


def test_held_devices_send_background_and_begin_at_a_line(tmp_path):
    base = free_base_port(PORTS)
    with socket.socket(type=socket.SOCK_DGRAM) as geophone:
        geophone.bind(("127.0.0.1", base + 100))
        geophone.settimeout(LIMIT_S)
        words = ("--serve", "--hold", "--base-port", str(base), "--for", "2s")
        with Simulate(tmp_path, *words) as simulate:
            simulate.addresses()
            assert geophone.recv(65_536).startswith(b"{'")
            simulate.process.stdin.write(b"go\n")
            assert simulate.line() == "playing 'demo' for 2 s"
            assert simulate.line() == "the scenario has ended"
            assert simulate.process.wait(LIMIT_S) == 0


def test_a_closed_stdin_ends_the_holding(tmp_path):
    with Simulate(
        tmp_path, "--serve", "--hold", "--base-port", str(free_base_port(PORTS))
    ) as simulate:
        simulate.addresses()
        simulate.process.stdin.close()
        assert simulate.process.wait(LIMIT_S) == 0


def test_a_port_in_use_is_said_with_the_sensor(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code = main(["simulate", "--scenario", "demo", "--serve", "--base-port", str(port)])
    assert code == 5
    said = capsys.readouterr().err
    assert f"rpm-nb-01: cannot serve on tcp://127.0.0.1:{port}" in said
    assert "choose --base-port" in said


@pytest.mark.skipif(not (ROOT / "configs/demo.yaml").exists(), reason="no demo configuration")
def test_the_urls_of_a_configuration_are_served(tmp_path):
    config = tmp_path / "demo.yaml"
    base = free_base_port(PORTS)
    text = (ROOT / "configs/demo.yaml").read_text().replace("../run/", f"{tmp_path}/run/")
    for number in range(18841, 18860):
        text = text.replace(f":{number}", f":{base + number - 18841}")
    config.write_text(text)
    with Simulate(tmp_path, "--serve", "--config", str(config), "--for", "1s") as simulate:
        addresses = simulate.addresses()
        assert addresses["rpm-nb-02"] == f"tcp://127.0.0.1:{base + 1}"
        assert addresses["xray-sb-01"].startswith("folder:")
        assert addresses["xray-sb-01"].endswith("/scans/sb-01")


def aspect_in(lane, port, *, name="aspect-1", origin="simulator"):
    return {
        "id": name,
        "kind": "rpm-aspect",
        "lane": lane,
        "url": f"tcp://127.0.0.1:{port}",
        "origin": origin,
    }


def test_simulated_sensors_that_the_script_lacks_are_served_too(tmp_path, free_port):
    """The devices of the script send what they always send."""
    port = free_port()
    path = tmp_path / "site.yaml"
    site = {
        "site": {"id": "mariposa"},
        "sides": {"north": {}, "south": {}},
        "lanes": [{"id": "nb-01", "direction": "northbound"}],
        "state_dir": str(tmp_path),
        "sensors": [
            {**aspect_in("nb-01", free_port()), "id": "rpm-nb-01", "kind": "rpm-tsa"},
            aspect_in("nb-01", port),
            aspect_in("nb-01", free_port(), name="aspect-2", origin="sensor"),
        ],
    }
    path.write_text(json.dumps(site))
    with Simulate(tmp_path, "--serve", "--config", str(path)) as simulate:
        assert "geo-ef-01" in simulate.line()
        assert simulate.line().endswith("so not served: aspect-2")
        assert set(simulate.addresses(2)) == {"rpm-nb-01", "aspect-1"}
        with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as client:
            client.sendall(AspectPoller(1, 0.2, 0.2, 1.0).ask())
            assert client.recv(4096)
    day = SCENARIOS["demo"](1, 0)
    more = _with_simulated(day, load_config(path).sensors)
    assert [place.sensor_id for place in more.sensors[len(day.sensors) :]] == ["aspect-1"]
    assert more.vehicles == day.vehicles


def test_an_hour_of_the_month_of_traffic_has_a_portal_of_each_kind(tmp_path):
    words = ["--seed", "5", "--out", str(tmp_path), "--for", "4s"]
    assert main(["simulate", "--scenario", "traffic", *words]) == 0
    made = json.loads((tmp_path / "scenario.json").read_text())
    kinds = {place["kind"] for place in made["sensors"]}
    assert kinds == {"rpm-tsa", "rpm-n42", "rpm-aspect"}
    day = SCENARIOS["traffic"](5, 7)
    assert day.start_utc_ns == 7
    assert day.vehicles == hour(5, 8).vehicles
    assert len(day.vehicles) > 20
