"""A scanner of lines, live and replayed: the same bytes tell the same."""

import msgspec
import pytest

from edge.study.player import Player
from edge.study.replay import days
from simulators.scenario import Fault
from tests.edge.rehearsed import live_day
from tests.edge.sensors.test_scans import arrivals, scenario

SENSOR = {"id": "x", "kind": "xray-lines", "lane": "nb-01", "url": "tcp://127.0.0.1:1"}


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    stall = Fault(sensor_id="x", kind="stall", start_s=9.0, end_s=60.0)
    return live_day(
        tmp_path_factory.mktemp("live"), duration_s=30.0, scenario=scenario(stall), sensors=[SENSOR]
    )


def replayed(inputs, **options):
    (one,) = days(list(inputs), None, kind=None, settings=[])
    return list(Player(one, **options).lines())


def test_a_replay_tells_what_the_service_told(day):
    assert day.rows
    told = replayed([day.recording], as_recorded=True)
    assert told == [row.payload + b"\n" for row in day.rows]


def test_the_bytes_of_a_link_replay_as_they_are(tmp_path):
    file = tmp_path / "xray-1.gxl"
    file.write_bytes(b"".join(data for _, data in arrivals(scenario())))
    found = [msgspec.json.decode(line) for line in replayed([file], show="detections")]
    kinds = [one["kind"] for one in found]
    assert kinds.count("xray.emptiness") == 1
    assert kinds.count("xray.scan") >= 2  # told while it went on, too
    samples = [msgspec.json.decode(line) for line in replayed([file], show="samples")]
    assert [one["sample"] for one in samples].count("scan") == 1
