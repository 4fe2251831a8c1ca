"""Files of any make: stations, channels, order, damage; and that little of them is kept."""

import io
import random

import numpy as np
import pytest

from drivers.seismic_miniseed import MiniSeedDriver
from drivers.seismic_miniseed_files import MiniSeedFiles
from drivers.seismic_seedlink import SeedLinkConfig
from drivers.wire.malformed import Malformed
from drivers.wire.miniseed import encode
from edge.study.day import ReplayError
from edge.study.device_files import find
from edge.study.devices import day
from fusion.types import SECOND_NS, Origin

START_NS = 1_580_372_810 * SECOND_NS
FORM = MiniSeedFiles()


def records(source, seconds, *, rate_hz=100.0, start_ns=START_NS, kind=np.int32, **how):
    values = np.arange(round(seconds * rate_hz)).astype(kind)
    return encode(source, start_ns, rate_hz, values, **{"record_bytes": 512, **how})


def channel(code, station="STA", network="XX", location="00"):
    return (network, station, location, code)


def played(data, name="file.mseed"):
    """Sensor to its channels' samples, missing ones included, and the words for what was bad."""
    heard = {}
    for station in FORM.stations(io.BytesIO(data), name):
        config = SeedLinkConfig(id=station.sensor_id, url="tcp://a:1", **station.settings)
        driver = MiniSeedDriver(config, Origin.REPLAY)
        found = heard.setdefault(station.sensor_id, {})
        times = []
        for utc_ns, chunk in station.chunks(io.BytesIO(data)):
            times.append(utc_ns)
            for one in driver.feed(chunk, utc_ns):
                if isinstance(one, Malformed):
                    found.setdefault("bad", []).append(one.reason)
                    continue
                samples = found.setdefault(one.channel, [])
                samples += [None] * one.missing + one.counts.tolist()
        assert times == sorted(times)
    return heard


@pytest.mark.parametrize("how", [{"version": 2, "steim": True}, {"version": 3}, {"steim": True}])
@pytest.mark.parametrize("rate_hz", [50.0, 100.0, 249.5, 495.0, 4300.25, 5000.0])
def test_any_rate_and_encoding(rate_hz, how):
    data = b"".join(records(channel("EHZ"), 3.0, rate_hz=rate_hz, **how))
    assert played(data) == {"XX-STA": {"EHZ": list(range(round(3.0 * rate_hz)))}}


def test_time_may_begin_with_the_epoch():
    data = b"".join(records(channel("EHZ"), 2.0, start_ns=0))
    assert played(data) == {"XX-STA": {"EHZ": list(range(200))}}


def test_records_in_any_order_and_twice_come_once_in_order():
    found = records(channel("EHZ"), 20.0) + records(channel("EHN"), 20.0)
    shuffled = found + found[3:9]
    random.Random(2).shuffle(shuffled)
    heard = played(b"".join(shuffled))["XX-STA"]
    assert heard["EHZ"] == heard["EHN"] == list(range(2000))
    assert set(heard["bad"]) <= {"duplicate", "late", "overlap"}


def test_channels_advance_together_however_long_their_records_are():
    data = b"".join(
        records(channel("EHZ"), 60.0, record_bytes=65_536) + records(channel("EHN"), 60.0)
    )
    (station,) = FORM.stations(io.BytesIO(data), "f")
    driver = MiniSeedDriver(SeedLinkConfig(id="a", url="tcp://a:1"), Origin.REPLAY)
    newest = {"EHZ": 0, "EHN": 0}
    for utc_ns, chunk in station.chunks(io.BytesIO(data)):
        for one in driver.feed(chunk, utc_ns):
            newest[one.channel] = one.start_utc_ns
            if all(newest.values()):
                assert abs(newest["EHZ"] - newest["EHN"]) < SECOND_NS


def test_gaps_and_damaged_records_are_missing_samples():
    found = records(channel("EHZ"), 20.0, version=2)
    heard = played(b"".join(found[:2] + found[3:5] + [bytes(512)] + found[6:]))["XX-STA"]["EHZ"]
    per_record = heard.index(None) // 2
    expected = list(range(2000))
    for lost in (2, 5):
        expected[lost * per_record : (lost + 1) * per_record] = [None] * per_record
    assert heard == expected


def test_each_station_is_a_sensor_and_each_place_of_instruments():
    data = b"".join(
        records(channel("EHZ", "UH1", "BW", ""), 2.0)
        + records(channel("EHZ", "UH2", "BW", ""), 2.0)
        + records(channel("HHZ", "ANMO", "IU", "00"), 2.0)
        + records(channel("HHZ", "ANMO", "IU", "10"), 2.0)
    )
    assert sorted(played(data)) == ["BW-UH1", "BW-UH2", "IU-ANMO-00", "IU-ANMO-10"]


@pytest.mark.parametrize(
    ("codes", "used"),
    [
        (["EHZ", "ENZ", "HDF"], ["EHZ"]),
        (["ENZ", "ENN", "HDF"], ["ENN", "ENZ"]),
        (["HDF"], ["HDF"]),
        (["001", "EN1"], ["001"]),
        ([""], ["raw"]),
    ],
)
def test_what_measures_no_velocity_is_used_where_there_is_nothing_else(codes, used):
    data = b"".join(one for code in codes for one in records(channel(code), 2.0))
    assert sorted(played(data)["XX-STA"]) == used


def test_of_one_axis_the_fastest_channel_is_used_and_slow_ones_never():
    data = b"".join(
        records(channel("BHZ"), 4.0, rate_hz=40.0)
        + records(channel("HHZ"), 4.0, rate_hz=200.0)
        + records(channel("BHN"), 4.0, rate_hz=40.0)
        + records(channel("LHZ"), 40.0, rate_hz=1.0)
    )
    assert sorted(played(data)["XX-STA"]) == ["BHN", "HHZ"]
    slow = b"".join(records(channel("LHZ"), 40.0, rate_hz=1.0))
    assert FORM.stations(io.BytesIO(slow), "f") == []


def test_floats_of_a_file_share_one_scale_that_its_loudest_fits():
    quiet = np.sin(np.arange(200)) * 1e-9
    loud = np.sin(np.arange(200)) * 1e-3
    data = b"".join(
        encode(channel("EHZ"), START_NS, 100.0, quiet)
        + encode(channel("EHZ"), START_NS + 2 * SECOND_NS, 100.0, loud)
    )
    heard = np.array(played(data)["XX-STA"]["EHZ"])
    assert 2**26 < np.abs(heard).max() <= 2**28
    assert np.abs(heard[:200]).max() > 100


def test_floats_that_are_whole_stay_what_they_are():
    data = b"".join(records(channel("EHZ"), 2.0, kind=np.float32))
    assert played(data)["XX-STA"]["EHZ"] == list(range(200))


def test_a_replay_gives_every_station_a_sensor_in_a_zone(tmp_path):
    path = tmp_path / "network.bin"
    path.write_bytes(
        b"".join(
            one
            for station in ("UH1", "UH2", "RJOB")
            for one in records(channel("EHZ", station, "BW"), 2.0)
        )
    )
    made = day(find([path]), None, [("preset", "earthquake")])
    specs = {spec.sensor_id: (spec.place, spec.preset) for spec in made.checkpoint.sensors}
    assert specs == {
        "bw-uh1": ("uh", "earthquake"),
        "bw-uh2": ("uh", "earthquake"),
        "bw-rjob": ("rjob", "earthquake"),
    }


def test_files_of_one_station_are_one_sensor_in_order_of_time(tmp_path):
    for number, code in enumerate(("EHZ", "EHZ", "EHN")):
        start_ns = START_NS + (1 - number % 2) * 10 * SECOND_NS
        path = tmp_path / f"{number}.mseed"
        path.write_bytes(b"".join(records(channel(code), 10.0, start_ns=start_ns)))
    (files,) = find([tmp_path])
    config = SeedLinkConfig(id="a", url="tcp://a:1")
    times = [utc_ns for utc_ns, _ in files.chunks(config)]
    assert times == sorted(times)
    assert files.sensor_id == "xx-sta"
    assert len(files.paths) == 3


def test_a_file_without_a_name_for_its_station_is_named_after_itself(tmp_path):
    path = tmp_path / "Gate 4 (north).mseed"
    path.write_bytes(b"".join(records(("", "", "", ""), 2.0)))
    assert [files.sensor_id for files in find([path])] == ["gate-4-north"]


def test_a_file_in_which_nothing_can_be_read_is_refused(tmp_path):
    path = tmp_path / "log.mseed"
    path.write_bytes(b"".join(records(channel("LHZ"), 40.0, rate_hz=1.0)))
    with pytest.raises(ReplayError, match="no channel"):
        find([path])
