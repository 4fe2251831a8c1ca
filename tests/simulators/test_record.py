"""Recordings of simulators: read back by the drivers, with the truth beside."""

import json
from dataclasses import replace

import pytest

from drivers.catalog import KINDS as DRIVERS
from drivers.wire import bundle
from simulators.catalog import KINDS
from simulators.record import record
from simulators.scenario import SensorPlace, Truth
from tests.contract.pairs import pair_of
from tests.contract.scenarios import DEVICE, START_UTC_NS, small_day


def recorded(kind, directory, **changes):
    scenario = replace(small_day(kind), **changes)
    return scenario, record(scenario, directory / "out")


def test_the_same_scenario_gives_the_same_files(tmp_path):
    contents = []
    for name in ("one", "two"):
        paths = record(small_day("rpm-tsa"), tmp_path / name)
        contents.append([(path.name, path.read_bytes()) for path in paths])
    assert contents[0] == contents[1]


@pytest.mark.parametrize("kind", ["rpm-tsa", "shake-udp"])
def test_the_device_file_is_recognised_and_gives_the_samples_of_the_wire(kind, tmp_path):
    _, paths = recorded(kind, tmp_path)
    data = paths[-1].read_bytes()
    pair = pair_of(kind)
    form = next(
        form for form in DRIVERS[kind].recordings if form.recognise(paths[-1].name, data[:4096])
    )
    read = pair.samples(list(form.chunks(data, paths[-1].name)))
    # The file has each line's time to 1 ms; the day's arrivals are multiples of 100 ms.
    assert read == pair.samples(pair.records)


def test_a_portals_file_is_named_by_its_day_and_rolled_at_midnight(tmp_path):
    midnight_utc_ns = -(-START_UTC_NS // (86_400 * 10**9)) * 86_400 * 10**9
    _, paths = recorded("rpm-tsa", tmp_path, start_utc_ns=midnight_utc_ns - 20 * 10**9)
    days = [path for path in paths if path.suffix == ".csv"]
    assert [path.name for path in days] == [
        f"{DEVICE}_2027-01-15.csv",
        f"{DEVICE}_2027-01-16.csv",
    ]
    last = days[0].read_bytes().splitlines()[-1].decode()
    first = days[1].read_bytes().splitlines()[0].decode()
    assert last.split(",")[-1] >= "23-59-5" > first.split(",")[-1]
    assert first.split(",")[-2] == first.split(",")[-1]


def test_scans_are_written_as_files(tmp_path):
    _, paths = recorded("xray-planes", tmp_path)
    files = sorted(paths[-1].iterdir())
    bundled = [
        name
        for _, data in pair_of("xray-planes").records
        for name, _ in bundle.BundleDecoder().feed(data)[0].files
    ]
    assert [path.name for path in files] == sorted(bundled)
    assert files


def test_the_truth_is_written_beside_with_times_in_utc(tmp_path):
    source = Truth(
        name="bare-source",
        subject="truck-1",
        place="nb-01",
        start_s=12.0,
        end_s=18.5,
        events=("RAD_THREAT",),
    )
    after_the_end = replace(source, name="clean", start_s=900.0, end_s=910.0, events=())
    recorded("rpm-tsa", tmp_path, truth=(source, after_the_end))
    (label,) = [
        json.loads(line) for line in (tmp_path / "out/truth.jsonl").read_text().splitlines()
    ]
    assert label["name"] == "bare-source"
    assert label["events"] == ["RAD_THREAT"]
    assert label["start_utc_ns"] == START_UTC_NS + 12 * 10**9
    assert label["end_utc_ns"] == START_UTC_NS + 18_500_000_000


def test_what_made_it_is_written_beside(tmp_path):
    scenario, _ = recorded("rpm-tsa", tmp_path)
    about = json.loads((tmp_path / "out/scenario.json").read_text())
    assert about["seed"] == scenario.seed
    assert about["sensors"] == [
        {"id": DEVICE, "kind": "rpm-tsa", "simulator": KINDS["rpm-tsa"].version}
    ]


def test_a_shorter_recording_is_the_start_of_the_whole(tmp_path):
    whole = record(small_day("shake-udp"), tmp_path / "whole")[-1].read_bytes()
    part = record(small_day("shake-udp"), tmp_path / "part", duration_s=5.0)[-1].read_bytes()
    assert whole.startswith(part)
    assert 0 < len(part) < len(whole) / 2


def test_progress_is_told_for_each_sensor(tmp_path):
    told = []
    place = SensorPlace(sensor_id="second", kind="shake-udp", zone="fence")
    scenario = replace(small_day("rpm-tsa"), sensors=(small_day("rpm-tsa").sensors[0], place))
    record(scenario, tmp_path, progress=lambda sensor_id, share: told.append((sensor_id, share)))
    assert [sensor_id for sensor_id, share in told if share == 1.0] == [DEVICE, "second"]
    assert all(0 < share <= 1 for _, share in told)
    assert len(told) > 4
