import asyncio
import json
import os
import selectors
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import msgspec
import paho.mqtt.client as mqtt
import pytest

from edge.cli import main as garita
from edge.delivery.broker import find_mosquitto
from edge.delivery.outbox import Outbox
from edge.errors import EXIT_BROKER, EXIT_CONFIG, EXIT_SENSOR, EXIT_USAGE
from edge.protocol.messages import rfc3339
from edge.recordings.format import RecordingDamaged, What, read, read_session
from edge.service import with_recording
from edge.study.player import Player
from edge.study.replay import days
from fusion.types import SECOND_NS
from simulators.serve import open_stage
from tests.edge.rehearsed import SENSORS, brief_scenario, small_config
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
START_S = 100.0  # a first run compiles every kernel

pytestmark = pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")


@pytest.fixture
def site(tmp_path):
    """A configuration whose sensors all fall back to their simulators."""
    ports = {name: free_port() for name in ("north", "south", "http", "nobody")}
    sensors = [
        sensor
        | {"fallback": "simulator", "timeout_s": 0.3}
        | ({"url": f"tcp://127.0.0.1:{ports['nobody']}"} if sensor["id"] == "rpm-1" else {})
        | ({"url": f"udp://127.0.0.1:{free_port()}"} if "geo" in sensor["id"] else {})
        | ({"url": f"folder:{tmp_path / 'scans'}"} if "xray" in sensor["id"] else {})
        for sensor in SENSORS
    ]
    written = {
        "site": {"id": "mariposa", "names": {"en-US": "Mariposa", "es-MX": "Mariposa"}},
        "sides": {"north": {"port": ports["north"]}, "south": {"port": ports["south"]}},
        "lanes": [{"id": "nb-01", "direction": "northbound"}],
        "zones": [{"id": "fence", "side": "east"}],
        "sensors": sensors,
        "http": {"port": ports["http"]},
        "recording": {"dir": str(tmp_path / "recordings"), "keep_free_gb": 0},
        "state_dir": str(tmp_path / "state"),
    }
    path = tmp_path / "site.yaml"
    path.write_text(json.dumps(written))  # JSON is YAML
    return Site(path, written, ports)


class Site:
    def __init__(self, path, written, ports):
        self.path, self.written, self.ports = path, written, ports

    def change(self, **keys):
        self.written |= keys
        self.path.write_text(json.dumps(self.written))

    def get(self, page):
        url = f"http://127.0.0.1:{self.ports['http']}/{page}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()


class Running:
    """`python -m edge ...` and what it says."""

    def __init__(self, *words):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge", *map(str, words)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.said = []
        self._rest = b""
        os.set_blocking(self.process.stderr.fileno(), False)
        self._watch = selectors.DefaultSelector()
        self._watch.register(self.process.stderr, selectors.EVENT_READ)

    def wait_for(self, event, timeout_s=START_S):
        ends = time.monotonic() + timeout_s
        while time.monotonic() < ends:
            for entry in self.said:
                if entry.get("event") == event:
                    return entry
            if self._watch.select(0.2):
                data = self.process.stderr.read() or b""
                if not data and self.process.poll() is not None:
                    break
                *lines, self._rest = (self._rest + data).split(b"\n")
                self.said += [json.loads(one) for one in lines if one.startswith(b"{")]
        raise AssertionError(f"never said {event!r}: {self.said}")

    def end(self, number=signal.SIGTERM, timeout_s=30.0):
        """Signal it; returns its exit code and how long it took to end."""
        began = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(timeout_s)
        return code, time.monotonic() - began


@contextmanager
def running(*words):
    service = Running(*words)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            os.killpg(service.process.pid, signal.SIGKILL)
            service.process.wait()
        service.process.stderr.close()
        service._watch.close()


class Centre:
    """What a centre sees on its broker."""

    def __init__(self, port):
        self.messages, self.asked = [], 0
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.on_message = lambda client, data, message: self.messages.append(
            (message.topic, message.payload, bool(message.retain))
        )
        self.client.on_connect = lambda client, *rest: client.subscribe("#", qos=1)
        listening = threading.Event()
        self.client.on_subscribe = lambda *_: listening.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert listening.wait(20)

    def wait_for(self, topic, condition=lambda payload: True, timeout_s=20.0):
        ends = time.monotonic() + timeout_s
        while time.monotonic() < ends:
            for name, payload, _ in list(self.messages):
                if name == topic and condition(payload):
                    return msgspec.json.decode(payload) if payload else None
            time.sleep(0.05)
        raise AssertionError(f"nothing on {topic}: {sorted({name for name, *_ in self.messages})}")

    def ask(self, verb, **what):
        """A command to the site, and its answer."""
        self.asked += 1
        answers = f"garita/v1/mariposa/answer/{self.asked}"
        properties = mqtt.Properties(mqtt.PacketTypes.PUBLISH)
        properties.ResponseTopic = answers
        payload = msgspec.json.encode(what)
        self.client.publish(f"garita/v1/mariposa/cmd/{verb}", payload, 1, properties=properties)
        return self.wait_for(answers)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def later(seconds):
    """RFC 3339."""
    return rfc3339(time.time_ns() + seconds * SECOND_NS)


def nobody_listens(port):
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_the_service_runs_from_ready_to_sigterm_and_leaves_nothing(site, tmp_path):
    with running("run", "--config", site.path) as service:
        ready = service.wait_for("ready")
        assert ready["sensors"] == ready["simulated"] == 4
        centre = Centre(site.ports["south"])
        root = "garita-exercise/v1/mariposa"
        birth = centre.wait_for(f"{root}/birth")
        assert {sensor["origin"] for sensor in birth["sensors"]} == {"simulator"}
        assert centre.wait_for(f"{root}/state")["state"] == "ready"
        health = centre.wait_for(
            f"{root}/fence/health", lambda said: b'"connected":true' in said.replace(b" ", b"")
        )
        assert {sensor["id"] for sensor in health["sensors"]} == {"geo-1", "geo-2"}
        live = centre.wait_for(f"{root}/fence/live/ground")
        assert live["values"]["rms_um_s"] > 0
        assert site.get("healthz")[0] == 200
        assert site.get("readyz")[0] == 200
        metrics_page(site, 'garita_sensor_up{origin="simulator",sensor="rpm-1"} 1.0')
        metrics_page(site, 'garita_broker_connected{side="north"} 1.0')
        code, took_s = service.end()
        assert (code, took_s < 5.0) == (0, True)
        assert centre.wait_for(f"{root}/state", lambda said: b"disconnected" in said)
        centre.close()
        # A drill shows nothing among the real sites.
        assert not [name for name, *_ in centre.messages if name.startswith("garita/v1/")]
    assert all(nobody_listens(port) for port in site.ports.values())
    (path,) = (tmp_path / "recordings").glob("*.mcap")
    assert {What.RAW, What.TICK} <= {event.what for event in read(path)}
    assert {sensor.origin for sensor in read_session(path)[0].sensors} == {"simulator"}


def recorded_until(folder, utc_ns, sensor_id=""):
    """Wait until something of after this time, and of this sensor, can be read in a recording."""
    ends = time.monotonic() + 30.0
    while True:
        with suppress(RecordingDamaged):  # made, and not a byte of it on the disk yet
            events = [event for path in folder.glob("*.mcap") for event in read(path)]
            if any(event.utc_ns > utc_ns and sensor_id in event.sensor_id for event in events):
                return
        assert time.monotonic() < ends
        time.sleep(0.1)


class Field:
    """The sensors of a site, simulated on their real wires, beside the test."""

    def __init__(self, written):
        self._urls = {sensor["id"]: sensor["url"] for sensor in written["sensors"]}
        self._go = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._play()))
        self._thread.start()

    async def _play(self):
        async with await open_stage(brief_scenario(time.time_ns()), self._urls) as stage:
            while not self._go.is_set():  # a quiet beginning, until somebody listens
                await stage.run(brief_scenario(time.time_ns()), duration_s=0.5)
            await stage.run(brief_scenario(time.time_ns()))

    def play(self):
        self._go.set()
        self._thread.join()


def test_what_ran_live_on_every_wire_replays_to_the_same_bytes_after_a_kill(site, tmp_path):
    sensors = [sensor | {"fallback": "none", "timeout_s": 60} for sensor in site.written["sensors"]]
    (tmp_path / "scans").mkdir()
    site.change(sensors=sensors)
    with running("run", "--config", site.path) as service:
        service.wait_for("broker started")
        field = Field(site.written)
        ready = service.wait_for("ready")
        assert ready["simulated"] == 0
        centre = Centre(site.ports["north"])
        field.play()
        alert = centre.wait_for("garita/v1/mariposa/nb-01/alert", lambda said: b"TAMPER" in said)
        assert {info["language"] for info in alert["info"]} == {"en-US", "es-MX"}
        quiet = centre.ask("shelve", until=later(60), reason="grazing", event="ANIMAL")
        source = centre.ask("shelve", until=later(60), reason="too loud", event="RAD_THREAT")
        assert (quiet["accepted"], source["refusal"]) == (True, "source")
        centre.close()
        recorded_until(tmp_path / "recordings", time.time_ns())  # so that all of it is on disk
        os.killpg(service.process.pid, signal.SIGKILL)
        service.process.wait()
    outbox = Outbox(tmp_path / "state" / "outbox.db", ["north", "south"])
    live = [row.payload + b"\n" for row in outbox.pending("north", 0, 1000)]
    outbox.close()
    (path,) = (tmp_path / "recordings").glob("*.mcap")
    assert {What.RAW, What.TICK, What.FED} <= {event.what for event in read(path)}
    (day,) = days([tmp_path / "recordings"])
    replayed = list(Player(day, as_recorded=True).lines())
    assert len(replayed) >= 3
    assert replayed == live[: len(replayed)]


def test_a_signal_while_it_starts_ends_it_too(site):
    # Nothing answers for a minute, so the service is still waiting when the signal comes.
    sensors = [
        sensor | {"fallback": "none", "timeout_s": 60}
        for sensor in site.written["sensors"]
        if "geo" in sensor["id"]
    ]
    site.change(sensors=sensors)
    with running("run", "--config", site.path) as service:
        service.wait_for("http listening")
        service.wait_for("broker started")
        code, took_s = service.end()
        assert (code, took_s < 5.0) == (0, True)
    assert all(nobody_listens(port) for port in site.ports.values())


def test_record_keeps_bytes_that_replay_turns_into_samples(site, tmp_path):
    out = tmp_path / "monday"
    with running("record", "--config", site.path, "--out", out) as recording:
        recording.wait_for("ready")
        for sensor_id in ("geo-1", "geo-2"):
            recorded_until(out, time.time_ns(), sensor_id)
        code, took_s = recording.end(signal.SIGINT)  # as Ctrl+C does
        assert (code, took_s < 5.0) == (0, True)
    (day,) = days([out])
    lines = list(Player(day, show="samples").lines())
    assert {json.loads(line)["sensor_id"] for line in lines} >= {"geo-1", "geo-2"}


def refusal(capsys, *words):
    code = garita([*map(str, words)])
    return code, capsys.readouterr().err


def test_a_taken_http_port_is_said_with_a_way_out(site, capsys):
    with socket.create_server(("127.0.0.1", site.ports["http"])):
        code, said = refusal(capsys, "run", "--config", site.path)
    assert code == EXIT_CONFIG
    assert f"127.0.0.1:{site.ports['http']}" in said
    assert "another port" in said


def test_a_taken_broker_port_is_said_with_its_side(site, capsys):
    with socket.create_server(("127.0.0.1", site.ports["south"])):
        code, said = refusal(capsys, "run", "--config", site.path)
    assert code == EXIT_BROKER
    assert "side south" in said
    assert nobody_listens(site.ports["north"])  # the one that had started was ended


def test_where_no_sensor_answers_it_says_which_and_where(site, capsys):
    sensors = [sensor | {"fallback": "none"} for sensor in site.written["sensors"]]
    site.change(sensors=[sensor for sensor in sensors if sensor["id"] == "rpm-1"])
    code, said = refusal(capsys, "run", "--config", site.path)
    assert code == EXIT_SENSOR
    assert "rpm-1" in said
    assert str(site.ports["nobody"]) in said


def test_a_state_folder_that_cannot_be_made_is_a_config_error(site, capsys, tmp_path):
    (tmp_path / "file").write_text("")
    site.change(state_dir=str(tmp_path / "file" / "state"))
    code, said = refusal(capsys, "run", "--config", site.path)
    assert code == EXIT_CONFIG
    assert "state_dir" in said


def test_a_second_service_on_the_same_state_folder_is_refused_and_harms_nothing(
    site, capsys, tmp_path
):
    with running("run", "--config", site.path) as service:
        service.wait_for("broker started")
        outbox = tmp_path / "state" / "outbox.db"
        service.wait_for("ready")
        before = sorted(path.name for path in outbox.parent.iterdir())
        second = Site(tmp_path / "second.yaml", dict(site.written), site.ports)
        second.change(
            sides={side: {"port": free_port()} for side in ("north", "south")},
            http={"port": free_port()},
            recording=None,
        )
        code, said = refusal(capsys, "run", "--config", second.path)
        assert code == EXIT_CONFIG
        assert f"state_dir = {outbox.parent}: is in use by pid {service.process.pid}" in said
        assert sorted(path.name for path in outbox.parent.iterdir()) == before
        assert service.end()[0] == 0


def test_alerts_that_cannot_be_stored_end_the_service_loudly(site, tmp_path):
    rpm, *others = site.written["sensors"]
    site.change(sensors=[rpm | {"fallback": "none"}, *others], recording=None)
    with running("run", "--config", site.path) as service:
        service.wait_for("broker started")
        service.wait_for("ready")
        # What nothing can do any more but by hand: the next number is taken.
        with closing(sqlite3.connect(tmp_path / "state" / "outbox.db", timeout=20)) as file, file:
            file.execute(
                "INSERT INTO row SELECT coalesce(max(seq), 0) + 1,"
                " 'E', 0, 't', 'p', '', '', 1, 1, '[]' FROM row"
            )
        # Nobody answers for the portal, so there is an alert after some seconds.
        service.wait_for("alerts cannot be stored, the service ends", timeout_s=30)
        assert service.process.wait(30) == 1


def ready_page(site, condition, timeout_s=20.0):
    """What `/readyz` says once it says what is waited for."""
    ends = time.monotonic() + timeout_s
    while not condition(page := json.loads(site.get("readyz")[1])):
        assert time.monotonic() < ends, page
        time.sleep(0.05)
    return page


def metrics_page(site, line, timeout_s=20.0):
    """Wait until the metrics have a line."""
    ends = time.monotonic() + timeout_s
    while line not in (page := site.get("metrics")[1].decode()):
        assert time.monotonic() < ends, page
        time.sleep(0.05)


@contextmanager
def watching_ready_page(site):
    """All that `/readyz` says is degraded, from now on."""
    seen, over = set(), threading.Event()

    def watch():
        while not over.wait(0.02):
            seen.update(json.loads(site.get("readyz")[1])["degraded"])

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def test_a_broker_of_our_own_that_is_killed_is_named_and_started_again(site):
    with running("run", "--config", site.path) as service:
        service.wait_for("ready")
        ready_page(site, lambda page: page["degraded"] == [])
        (pid,) = [
            int(path.parent.name)
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if f"{site.written['state_dir']}/broker-south/" in path.read_text()
        ]
        with watching_ready_page(site) as degraded:
            os.kill(pid, signal.SIGKILL)
            ended = service.wait_for("broker ended")
            assert (ended["side"], ended["ending"]) == ("south", "killed by SIGKILL")
            service.wait_for("broker started again", timeout_s=20)
        assert any("killed by SIGKILL" in one for one in degraded)
        ready_page(site, lambda page: page["degraded"] == [])
        metrics_page(site, 'garita_broker_restarts_total{side="south"} 1.0')
        code, took_s = service.end()
        assert (code, took_s < 5.0) == (0, True)


def test_a_broker_whose_rules_refuse_every_alert_is_named(site, mosquitto, tmp_path):
    rules = tmp_path / "acl"
    rules.write_text("topic read #\ntopic write +/v1/mariposa/state\n")
    broker = mosquitto(acl_file=rules)
    rpm, *others = site.written["sensors"]
    sides = {"north": {"broker": broker.url}, "south": site.written["sides"]["south"]}
    # Nobody answers for the portal, so there is an alert after some seconds.
    site.change(sensors=[rpm | {"fallback": "none"}, *others], sides=sides)
    with running("run", "--config", site.path) as service:
        service.wait_for("ready")
        said = "north: refuses our alerts: not authorized (135)"
        page = ready_page(site, lambda page: said in page["degraded"], timeout_s=30)
        assert page["ready"]
        metrics = site.get("metrics")[1].decode()
        assert 'garita_puback_total{reason="135",side="north"}' in metrics
        assert 'garita_outbox_depth{side="north"} 0.0' not in metrics
        centre = Centre(site.ports["south"])
        root = "garita-exercise/v1/mariposa"
        centre.wait_for(f"{root}/fence/health", lambda told: b"refuses our alerts" in told)
        centre.close()
        assert service.end()[0] == 0


def test_a_full_disk_is_named_and_costs_no_connection(site, mosquitto, small_disk):
    rpm, *others = site.written["sensors"]
    sides = {side: {"broker": mosquitto().url} for side in ("north", "south")}
    # Nobody answers for the portal, so there is an alert after some seconds.
    sensors = [rpm | {"fallback": "none"}, *others]
    site.change(sensors=sensors, sides=sides, state_dir=str(small_disk), recording=None)
    with running("run", "--config", site.path) as service:
        service.wait_for("ready")
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as taken, suppress(OSError):
            while True:
                taken.write(bytes(4096))
        page = ready_page(
            site,
            lambda page: any(why.startswith("outbox: disk full") for why in page["reasons"]),
            timeout_s=30,
        )
        assert not page["ready"]
        filler.unlink()
        ready_page(site, lambda page: page["ready"])
        ready_page(site, lambda page: 'depth{side="north"} 0' in site.get("metrics")[1].decode())
        assert service.end()[0] == 0
    said = [entry["event"] for entry in service.said]
    assert "side not connected" not in said
    assert said.count("side connected") <= 2


def test_a_password_that_cannot_be_read_is_a_config_error(site, capsys, tmp_path):
    sides = {"north": {"broker": "mqtt://127.0.0.1:1", "username": "edge"}}
    sides["north"]["password_env"] = "GARITA_TEST_NO_SUCH_VARIABLE"
    site.change(sides=sides)
    code, said = refusal(capsys, "run", "--config", site.path)
    assert code == EXIT_CONFIG
    assert "GARITA_TEST_NO_SUCH_VARIABLE" in said


def test_record_without_a_place_is_a_usage_error(site, capsys):
    site.change(recording=None)
    code, said = refusal(capsys, "record", "--config", site.path)
    assert code == EXIT_USAGE
    assert "--out DIR" in said


def test_the_command_line_may_say_where_to_record(tmp_path):
    config = small_config(tmp_path)
    moved = with_recording(config, tmp_path / "elsewhere")
    assert moved.recording.dir == tmp_path / "elsewhere"
    assert moved.recording.keep_free_gb == config.recording.keep_free_gb
    assert with_recording(config.model_copy(update={"recording": None}), tmp_path).recording
