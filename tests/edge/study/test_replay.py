import gc
import json
import os
import subprocess
import sys
from pathlib import Path
from time import monotonic

import msgspec
import pytest
from structlog.testing import capture_logs

from drivers.wire import bundle
from drivers.xray_files import DEFAULT_PATTERNS, bundles_of
from edge.cli import main as garita
from edge.errors import EXIT_USAGE
from edge.study.device_files import accepted
from edge.study.player import Player
from edge.study.replay import days
from fusion.types import SECOND_NS, Origin
from simulators.record import record
from tests.edge.rehearsed import START_NS, live_day, small_config, small_scenario

ROOT = Path(__file__).parents[3]
SHAKE = ROOT.parent / "shared" / "data" / "shake" / "R24FA-datacast.txt"


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    return live_day(tmp_path_factory.mktemp("live"))


@pytest.fixture(scope="module")
def device_files(tmp_path_factory):
    """The same scenario as the files that the devices themselves would leave."""
    directory = tmp_path_factory.mktemp("devices")
    record(small_scenario(), directory, duration_s=40.0)
    return directory


def lines(inputs, config=None, *, kind=None, settings=(), **options):
    return [
        line
        for each in days(list(inputs), config, kind=kind, settings=list(settings))
        for line in Player(each, **options).lines()
    ]


def objects(*arguments, **options):
    return [msgspec.json.decode(line) for line in lines(*arguments, **options)]


def garita_replay(*arguments, hash_seed="0"):
    return subprocess.run(
        [sys.executable, "-m", "edge", "replay", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        check=False,
        timeout=100,
    )


def test_a_live_day_replays_to_the_very_bytes_that_were_committed(day):
    live = [row.payload + b"\n" for row in day.rows]
    assert len(live) > 3
    assert lines([day.recording], as_recorded=True) == live
    assert lines([day.recording], as_recorded=True) == live


def test_on_one_core_the_bytes_are_the_same_without_a_worker(day, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    usual = gc.get_threshold()
    live = [row.payload + b"\n" for row in day.rows]
    assert lines([day.recording], as_recorded=True) == live
    assert gc.get_threshold() == usual


def test_another_hash_seed_and_another_process_change_no_byte(day):
    live = b"".join(row.payload + b"\n" for row in day.rows)
    ran = garita_replay(day.recording, "--as-recorded", hash_seed="77")
    assert ran.returncode == 0, ran.stderr.decode()
    assert ran.stdout == live
    assert b"times_real_time" in ran.stderr


def test_a_replay_is_an_exercise_unless_it_is_compared(day):
    replayed = objects([day.recording])
    assert {alert["status"] for alert in replayed} == {"Exercise"}
    live = [json.loads(row.payload) for row in day.rows]
    assert {alert["status"] for alert in live} == {"Actual"}
    assert [alert["event"] for alert in replayed] == [alert["event"] for alert in live]


def test_the_files_of_one_boot_are_played_in_order_however_they_are_named(day, tmp_path):
    (path,) = day.recording.glob("*.mcap")
    twin = tmp_path / "renamed.bin"
    twin.write_bytes(path.read_bytes())
    assert lines([twin], as_recorded=True) == [row.payload + b"\n" for row in day.rows]


def test_a_recording_that_was_cut_replays_up_to_the_cut(day, tmp_path):
    (path,) = day.recording.glob("*.mcap")
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    live = [row.payload + b"\n" for row in day.rows]
    replayed = lines([cut], as_recorded=True)
    assert replayed == live[: len(replayed)]


def test_detections_carry_nats_and_facts(day):
    detections = objects([day.recording], show="detections")
    kinds = {detection["kind"] for detection in detections}
    assert {"portal.occupancy", "gamma.profile", "seismic.event", "xray.scan"} <= kinds
    assert all({"sensor", "nats", "facts", "start"} <= detection.keys() for detection in detections)


def test_samples_of_every_family_are_shown_with_their_arrays_as_lists(day):
    samples = objects([day.recording], show="samples")
    names = {sample["sample"] for sample in samples}
    assert {"count", "background", "occupancy", "waveform", "scan"} <= names
    waveform = next(sample for sample in samples if sample["sample"] == "waveform")
    assert all(isinstance(count, int) for count in waveform["counts"])
    scan = next(sample for sample in samples if sample["sample"] == "scan")
    assert len(scan["high"]) > 100
    assert {sample["origin"] for sample in samples} == {"replay"}


def test_a_configuration_replaces_the_recorded_one(day, tmp_path):
    config = small_config(tmp_path, zones=[{"id": "fence", "side": "west"}])
    replayed = objects([day.recording], config, as_recorded=True)
    assert {alert["config_digest"] for alert in replayed} != {
        json.loads(row.payload)["config_digest"] for row in day.rows
    }


def test_device_files_of_a_folder_become_one_day(device_files):
    (found,) = days([device_files])
    assert {sensor.config.id for sensor in found.sensors} == {"rpm-1", "geo-1", "geo-2", "xray-1"}
    alerts = objects([device_files])
    assert {alert["status"] for alert in alerts} <= {"Exercise"}
    samples = objects([device_files], show="samples")
    assert {"count", "waveform", "scan"} <= {sample["sample"] for sample in samples}
    starts = [sample["start_utc_ns"] for sample in samples if sample["sample"] == "waveform"]
    assert min(starts) >= START_NS - SECOND_NS


def test_device_files_find_their_sensors_in_a_configuration(device_files, tmp_path):
    config = small_config(tmp_path)
    (found,) = days([device_files], config)
    assert {sensor.config.lane or sensor.config.zone for sensor in found.sensors} == {
        "nb-01",
        "fence",
    }
    assert found.checkpoint.site == "mariposa"


def test_a_portal_daily_file_is_recognised_by_its_content(device_files, tmp_path):
    (path,) = device_files.glob("rpm-1_*.csv")
    plain = tmp_path / "monday.txt"
    plain.write_bytes(path.read_bytes())
    kinds = {sample["sample"] for sample in objects([plain], show="samples")}
    assert {"count", "background", "occupancy"} <= kinds


def test_a_datacast_capture_is_recognised_by_its_content(device_files):
    samples = objects([device_files / "geo-1.txt"], show="samples")
    assert {sample["sample"] for sample in samples} <= {"waveform", "status"}
    assert sum(len(s["counts"]) for s in samples if s["sample"] == "waveform") >= 39 * 100


@pytest.mark.skipif(not SHAKE.exists(), reason="the shared recordings are not on this machine")
def test_the_real_capture_replays_every_sample():
    samples = objects([SHAKE], show="samples")
    counts = [len(s["counts"]) for s in samples if s["sample"] == "waveform"]
    assert sum(counts) == 44_000


def test_planes_with_their_sidecar_and_a_bundle_of_them_are_the_same_scan(device_files, tmp_path):
    folder = device_files / "xray-1"
    files = sorted(path for path in folder.iterdir() if path.is_file())
    by_folder = objects([folder], show="samples")
    by_name = objects(files, show="samples")
    contents = {path.name: path.read_bytes() for path in files}
    packed = tmp_path / "scan.gxb"
    packed.write_bytes(b"".join(bundles_of(contents, DEFAULT_PATTERNS, "auto")))
    by_bundle = objects([packed], show="samples")
    assert len(by_folder) == len(by_name) == len(by_bundle) == 1
    assert by_folder[0]["high"] == by_name[0]["high"] == by_bundle[0]["high"]
    assert by_folder[0]["start_utc_ns"] == by_bundle[0]["start_utc_ns"]
    assert packed.read_bytes()[: len(bundle.MAGIC)] == bundle.MAGIC


def test_a_picture_alone_is_a_scan(device_files):
    (plane,) = (device_files / "xray-1").glob("*high*")
    (sample,) = objects([plane], show="samples")
    assert sample["sample"] == "scan"


def test_device_files_give_the_same_bytes_twice(device_files):
    assert lines([device_files]) == lines([device_files])


def test_a_setting_changes_the_sensors_that_have_the_key(device_files):
    (found,) = days([device_files], settings=[("panel_distance_m", "3.5")])
    portal = next(sensor for sensor in found.sensors if sensor.config.id == "rpm-1")
    assert portal.config.panel_distance_m == 3.5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{unknown}"], "not recognised; accepted are Garita recordings"),
        (["{missing}"], "no such file or folder"),
        (["{pipe}"], "a pipe, a socket or a device"),
        (["/dev/null"], "a pipe, a socket or a device"),
        (["/dev/zero"], "a pipe, a socket or a device"),
        (["{piped}"], "no recording in this folder"),
        (["{empty}"], "no recording in this folder"),
        (["{portal}", "--kind", "x"], "--kind x: unknown; there are"),
        (["{portal}", "--set", "panel_distance_m=near"], "--set panel_distance_m"),
        (["{portal}", "--set", "panel_distance_cm=250"], "no sensor has that key"),
        (["{foreign}"], "not a Garita recording"),
    ],
)
def test_what_cannot_be_replayed_is_a_usage_error_with_a_way_out(
    arguments, said, device_files, tmp_path, capsys
):
    (tmp_path / "noise.bin").write_bytes(b"\x00\x01" * 500)
    (tmp_path / "foreign.mcap").write_bytes(b"\x89MCAP0\r\n" + b"\x01")
    (tmp_path / "empty").mkdir()
    (tmp_path / "piped").mkdir()
    os.mkfifo(tmp_path / "piped" / "a.mcap")
    places = {
        "pipe": tmp_path / "piped" / "a.mcap",
        "piped": tmp_path / "piped",
        "unknown": tmp_path / "noise.bin",
        "missing": tmp_path / "nothing",
        "empty": tmp_path / "empty",
        "foreign": tmp_path / "foreign.mcap",
        "portal": next(device_files.glob("rpm-1_*.csv")),
    }
    code = garita(["replay", *(argument.format(**places) for argument in arguments)])
    assert code == EXIT_USAGE
    assert said in capsys.readouterr().err


def test_a_forced_kind_reads_a_file_that_says_nothing_of_itself(tmp_path):
    path = tmp_path / "one-line"
    path.write_bytes(b"hello\r\nGB,000300,000300,000300,000300\r\n")
    samples = objects([path], kind="rpm-tsa", show="samples")
    assert [sample["sample"] for sample in samples] == ["background"]
    assert "rpm-tsa" in accepted()


def test_what_cannot_be_read_is_said_once(tmp_path):
    path = tmp_path / "words.csv"
    path.write_text("one,two\n" + "1,abc\n" * 100)
    with capture_logs() as logs:
        assert lines([path], kind="ascii-serial", settings=[("columns", "time,counts")]) == []
    told = [entry for entry in logs if entry["event"] == "input malformed"]
    assert [(entry["sensor"], entry["first"]) for entry in told] == [("words", "number")]


def test_a_reader_that_has_seen_enough_ends_it_quietly(day):
    command = f"{sys.executable} -m edge replay {day.recording} --show samples | head -n 1"
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert b"Traceback" not in ran.stderr
    assert b"BrokenPipe" not in ran.stderr
    assert ran.returncode == 0
    assert len(ran.stdout.splitlines()) == 1


def test_a_paced_replay_takes_its_time(device_files):
    (found,) = days([device_files / "geo-1.txt"])
    began = monotonic()
    player = Player(found, show="samples", speed=4000.0)
    count = sum(1 for _ in player.lines())
    assert count
    assert monotonic() - began >= player.recorded_s / 4000.0


def test_recorded_time_is_that_of_the_devices_and_not_of_the_ticks_after_it(device_files):
    (found,) = days([device_files / "geo-1.txt"])
    player = Player(found)
    for _ in player.lines():
        pass
    assert 35.0 < player.recorded_s <= 41.0


def test_origins_are_replay_unless_as_recorded(day):
    assert Origin.REPLAY.value == "replay"
    samples = objects([day.recording], show="samples", as_recorded=True)
    assert {sample["origin"] for sample in samples} == {"sensor"}
