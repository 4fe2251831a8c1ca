from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.radiation import TsaConfig, TsaDriver
from drivers.radiation_daily import TsaDailyFile
from drivers.wire.malformed import Malformed
from fusion.types import CountSample, OccupancySample, Origin

GOLDEN = Path(__file__).parents[1] / "golden/tsa"
CONFIG = TsaConfig(id="rpm-1", lane="nb-01", url="tcp://x:1", utc_offset_min=-420)
FORMS = ["local_2026-11-21.csv", "both_2026-11-21.csv", "iso.csv"]
LINES = (GOLDEN / "bare_2026-11-21.csv").read_bytes().splitlines(keepends=True)


def at(text):
    seconds = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    return round(seconds * 1000) * 1_000_000


def read(name, config=CONFIG, file_name=None):
    data = (GOLDEN / name).read_bytes()
    return list(TsaDailyFile().chunks(data, file_name or name, config))


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_lines_of_the_wire_and_the_same_times(name):
    chunks = read(name)
    assert [line for _, line in chunks] == LINES
    assert chunks[0][0] == at("2026-11-22 06:59:55.100")
    assert chunks[2][0] == at("2026-11-22 06:59:57.300")


@pytest.mark.parametrize("name", FORMS)
def test_a_line_after_local_midnight_is_on_the_next_day(name):
    assert read(name)[-1][0] == at("2026-11-22 07:00:00.400")


def test_two_times_say_the_offset_without_a_configuration():
    assert read("both_2026-11-21.csv", config=None)[0][0] == at("2026-11-22 06:59:55.100")


def test_local_times_without_an_offset_are_taken_as_utc():
    assert read("local_2026-11-21.csv", config=None)[0][0] == at("2026-11-21 23:59:55.100")


def test_a_name_without_a_date_is_the_first_of_1970():
    first, _ = read("local_2026-11-21.csv", config=None, file_name="lane.csv")[0]
    assert first == at("1970-01-01 23:59:55.100")


def test_bare_lines_get_the_devices_own_cadence_from_midnight():
    seconds = [(ns - at("2026-11-21 07:00:00")) / 1e9 for ns, _ in read("bare_2026-11-21.csv")]
    assert seconds[:3] == [0.0, 5.0, 5.0]
    # Six gamma scans at one instant open an occupancy, then one each 200 ms.
    assert seconds[3:10] == pytest.approx([5.0] * 6 + [5.2])
    assert seconds[-1] == pytest.approx(10.2)


@pytest.mark.parametrize("name", [*FORMS, "bare_2026-11-21.csv", "table.txt"])
def test_every_form_is_recognised(name):
    assert TsaDailyFile().recognise(name, (GOLDEN / name).read_bytes()[:4096])


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\n\n",
        b"PK\x03\x04",
        b"\x89MCAP0\r\n",
        b'<?xml version="1.0"?>\n<RadInstrumentData/>',
        b"{'EHZ', 1582315130.292, 14168, 14927}\n",
        b"time,counts\n1,2\n3,4\n",
    ],
)
def test_other_files_are_not_taken_for_daily_files(head):
    assert not TsaDailyFile().recognise("lane_2026-11-21.csv", head)


def test_a_line_that_cannot_be_read_is_malformed_and_the_next_is_read():
    data = b"GS,1,2\r\n" + b"\xff" * 500 + b"\r\n" + LINES[1]
    driver = TsaDriver(CONFIG, Origin.REPLAY)
    driver.feed(b"\r\n", 0)
    found = [one for ns, line in TsaDailyFile().chunks(data) for one in driver.feed(line, ns)]
    assert [one.reason for one in found[:2]] == ["bad-fields", "line-too-long"]
    assert not isinstance(found[2], Malformed)


def test_the_driver_finds_the_occupancy_of_the_file():
    driver = TsaDriver(CONFIG, Origin.REPLAY)
    samples = [one for ns, line in read("both_2026-11-21.csv") for one in driver.feed(line, ns)]
    assert [one.opened for one in samples if isinstance(one, OccupancySample)] == [True, False]
    assert sum(isinstance(one, CountSample) for one in samples) == 8


@given(
    data=st.binary(max_size=400) | st.text('0123456789-.,:TZ"GBS\n+', max_size=200).map(str.encode)
)
def test_no_file_raises_and_times_never_run_backwards(data):
    times = [ns for ns, _ in TsaDailyFile().chunks(data, "a_2026-11-21.csv", CONFIG)]
    assert times == sorted(times)
