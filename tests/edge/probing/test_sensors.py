"""Asking sensors, over real sockets, devices and folders."""

import os
import socket
import threading
from dataclasses import replace

import pytest

from drivers.dicos_config import XrayDicosConfig
from drivers.radiation import TsaConfig
from drivers.seismic_shake_config import ShakeConfig
from drivers.xray import XrayPlanesConfig
from edge.probing.run import run
from edge.probing.sensors import ask, sensor_probes
from tests.ports import free_port

RPM = TsaConfig(id="rpm-1", lane="nb-01", url="", timeout_s=5.0)


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port():
    return free_port()


@pytest.mark.parametrize("scheme", ["tcp", "socket", "rfc2217"])
def test_a_sensor_on_the_network_answers(listening, scheme):
    url = f"{scheme}://127.0.0.1:{listening}"
    status, text = ask(replace(RPM, url=url))
    assert status == "ok"
    assert url in text


@pytest.mark.parametrize("scheme", ["tcp", "socket"])
def test_nothing_listening_fails_with_address_and_cause(closed_port, scheme):
    status, text = ask(replace(RPM, url=f"{scheme}://127.0.0.1:{closed_port}"))
    assert status == "fail"
    assert f"127.0.0.1:{closed_port}" in text
    assert "Connection refused" in text


def test_a_simulator_to_fall_back_on_makes_absence_a_warning(closed_port):
    sensor = replace(RPM, url=f"tcp://127.0.0.1:{closed_port}", fallback="simulator")
    status, text = ask(sensor)
    assert status == "warn"
    assert "simulator" in text


def test_datagrams_are_listened_for():
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        sensor = ShakeConfig(id="geo", zone="z", url=f"udp://127.0.0.1:{port}", timeout_s=0.2)
        status, text = ask(sensor)
        assert status == "fail"
        assert "in use" in text
    status, text = ask(sensor)
    assert status == "warn"
    assert "nothing arrived" in text


def test_a_sender_of_datagrams_is_named():
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sensor = ShakeConfig(id="geo", zone="z", url=f"udp://127.0.0.1:{port}", timeout_s=10)
    stop = False

    def send():
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            while not stop:
                sender.sendto(b"{}", ("127.0.0.1", port))
                os.sched_yield()

    sending = threading.Thread(target=send)
    sending.start()
    try:
        assert ask(sensor) == ("ok", f"udp://127.0.0.1:{port}: data from 127.0.0.1")
    finally:
        stop = True
        sending.join()


def test_a_receiver_of_scans_must_get_its_port():
    pytest.importorskip("pynetdicom")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        url = f"dicos://127.0.0.1:{taken.getsockname()[1]}"
        sensor = XrayDicosConfig(id="x", lane="l", url=url, timeout_s=0.3)
        status, text = ask(sensor)
        assert status == "fail"
        assert "in use" in text
    assert ask(sensor) == ("ok", f"{url}: can be listened on")


def test_a_folder_must_be_there(tmp_path):
    sensor = XrayPlanesConfig(id="x", lane="l", url=f"folder:{tmp_path}")
    assert ask(sensor) == ("ok", f"{tmp_path}: readable and writable, 0 entries")
    status, text = ask(replace(sensor, url=f"folder:{tmp_path}/missing"))
    assert status == "fail"
    assert "No such file" in text
    (tmp_path / "file").touch()
    assert ask(replace(sensor, url=f"folder:{tmp_path}/file")).status == "fail"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_must_be_writable(tmp_path):
    tmp_path.chmod(0o500)
    sensor = XrayPlanesConfig(id="x", lane="l", url=f"folder:{tmp_path}")
    status, text = ask(sensor)
    assert status == "fail"
    assert "not writable" in text


def test_a_serial_port_is_a_character_device(tmp_path):
    controller, port = os.openpty()
    try:
        assert ask(replace(RPM, url=os.ttyname(port))).status == "ok"
    finally:
        os.close(controller)
        os.close(port)
    (tmp_path / "ttyUSB0").touch()
    status, text = ask(replace(RPM, url=f"{tmp_path}/ttyUSB0"))
    assert (status, "no serial port" in text) == ("fail", True)
    status, text = ask(replace(RPM, url=f"{tmp_path}/ttyUSB1"))
    assert (status, "No such file" in text) == ("fail", True)
    assert ask(replace(RPM, url="loop://")).status == "warn"


def test_every_sensor_is_asked(listening, closed_port):
    sensors = [
        replace(RPM, id="a", url=f"tcp://127.0.0.1:{listening}"),
        replace(RPM, id="b", url=f"tcp://127.0.0.1:{closed_port}"),
    ]
    found = run(sensor_probes(sensors))
    assert [(one.name, one.status) for one in found] == [("a", "ok"), ("b", "fail")]
