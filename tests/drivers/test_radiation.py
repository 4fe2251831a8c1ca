from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.catalog import KINDS
from drivers.radiation import TsaConfig, TsaDriver
from drivers.wire.malformed import Malformed
from fusion.types import (
    MILLISECOND_NS,
    SECOND_NS,
    BackgroundSample,
    CountSample,
    OccupancySample,
    Origin,
    Radiation,
    SetupSample,
    SpeedSample,
    StatusSample,
)

NOW = int(datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()) * SECOND_NS
SCAN_NS = 200 * MILLISECOND_NS
BACKGROUND = b"NB,000004,000002,000004,000004\r\nGB,000257,000257,000251,000250\r\n"
NS = b"NS,000000,000001,000000,000002\r\n"
GS = b"GS,000052,000053,000054,000055\r\n"
GX = b"GX,001760,017600,000000,000000\r\n"


def new_driver(**keys):
    return TsaDriver(TsaConfig(id="rpm-1", lane="nb-01", url="tcp://x:1", **keys), Origin.SENSOR)


def starts(samples, kind=CountSample):
    return [sample.start_utc_ns for sample in samples if isinstance(sample, kind)]


def gamma(samples):
    return [one for one in samples if getattr(one, "radiation", None) is Radiation.GAMMA]


def opened_driver(received_utc_ns=NOW):
    driver = new_driver()
    return driver, driver.feed(NS + GS * 6, received_utc_ns)


def test_the_catalog_has_the_portal_with_its_silence_and_its_daily_files():
    row = KINDS["rpm-tsa"]
    assert row.config.default_silent_after_s == 10.0
    assert [form.name for form in row.recordings] == ["tsa-daily"]
    assert row.build(row.config(id="a", url="b"), Origin.REPLAY).feed(GS, NOW)


def test_a_vacant_lane_gives_backgrounds_of_the_second_that_has_passed():
    neutron, gamma_sample = new_driver().feed(BACKGROUND, NOW)
    assert neutron.radiation is Radiation.NEUTRON
    assert gamma_sample == BackgroundSample(
        sensor_id="rpm-1",
        origin=Origin.SENSOR,
        start_utc_ns=NOW - SECOND_NS,
        duration_ms=1000,
        radiation=Radiation.GAMMA,
        rate_cps=(257.0, 257.0, 251.0, 250.0),
        device_fault="",
    )


def test_an_occupancy_begins_with_the_buffered_second_before_the_live_scan():
    _, samples = opened_driver()
    opened, neutron, *scans = samples
    assert (opened.opened, opened.counter) == (True, None)
    assert opened.start_utc_ns == neutron.start_utc_ns == NOW - 6 * SCAN_NS
    assert starts(scans) == [NOW - (6 - i) * SCAN_NS for i in range(6)]
    assert {scan.duration_ms for scan in scans} == {200}


def test_scans_follow_at_their_interval_although_arrivals_jitter():
    driver, _ = opened_driver()
    jitter_ms = [30, -40, 90, -90, 10]
    samples = [
        one
        for i, off_ms in enumerate(jitter_ms)
        for one in driver.feed(GS, NOW + (i + 1) * SCAN_NS + off_ms * MILLISECOND_NS)
    ]
    assert starts(samples) == [NOW + i * SCAN_NS for i in range(5)]


def test_an_arrival_off_by_more_than_an_interval_is_taken_as_the_time():
    driver, _ = opened_driver()
    assert starts(driver.feed(GS, NOW + 3 * SECOND_NS)) == [NOW + 3 * SECOND_NS - SCAN_NS]


def test_a_device_that_buffers_nothing_is_on_time_with_its_second_scan():
    driver = new_driver()
    driver.feed(GS, NOW)
    assert starts(driver.feed(GS, NOW + SCAN_NS)) == [NOW]


def test_a_neutron_second_is_told_at_the_scan_it_ended_with():
    driver, _ = opened_driver()
    for i in range(1, 5):
        driver.feed(GS, NOW + i * SCAN_NS)
    neutron, scan = driver.feed(NS + GS, NOW + 5 * SCAN_NS)
    assert neutron.start_utc_ns == scan.start_utc_ns - SCAN_NS


def test_an_occupancy_ends_with_gx_and_any_scan_after_it_opens_another():
    driver, _ = opened_driver()
    ended, opened, scan = driver.feed(GX + GS, NOW + SCAN_NS)
    assert ended == OccupancySample(
        sensor_id="rpm-1",
        origin=Origin.SENSOR,
        start_utc_ns=NOW,
        opened=False,
        counter=1760,
        neutron_background_cps=17.6,
    )
    assert opened.opened
    assert isinstance(scan, CountSample)


def test_a_lost_gx_is_made_up_for_by_the_next_background():
    driver, _ = opened_driver()
    ended, *backgrounds = driver.feed(BACKGROUND, NOW + 5 * SECOND_NS)
    assert (ended.opened, ended.counter) == (False, None)
    assert len(backgrounds) == 2


def test_a_gx_without_an_occupancy_says_nothing():
    assert new_driver().feed(GX, NOW) == []


def test_a_long_cut_within_an_occupancy_ends_it_and_a_short_one_does_not():
    for gap_s, kinds in ((10, [OccupancySample, OccupancySample, CountSample]), (1, [CountSample])):
        driver, _ = opened_driver()
        assert driver.feed(b"", NOW) == []
        samples = driver.feed(GS, NOW + gap_s * SECOND_NS)
        assert [type(one) for one in samples] == kinds


def test_the_devices_own_alarm_is_carried():
    driver, _ = opened_driver()
    alarm, neutron_alarm = driver.feed(GS.replace(b"GS", b"GA") + NS.replace(b"NS", b"NA"), NOW)
    assert alarm.device_alarm
    assert neutron_alarm.device_alarm


@pytest.mark.parametrize(
    ("tag", "code", "vacant"),
    [
        (b"GH", "gamma-high", b"GB"),
        (b"GL", "gamma-low", b"GB"),
        (b"NH", "neutron-high", b"NB"),
        (b"NL", "neutron-low", b"NB"),
    ],
)
def test_a_background_fault_is_told_once_when_it_begins_and_once_when_it_ends(tag, code, vacant):
    driver = new_driver()
    line = tag + b",000500,000500,000500,000500\r\n"
    samples = driver.feed(line + line + vacant + line[2:], NOW)
    told = [(one.code, one.active) for one in samples if isinstance(one, StatusSample)]
    assert told == [(code, True), (code, False)]
    faults = [one.device_fault for one in samples if isinstance(one, BackgroundSample)]
    assert faults == [code.partition("-")[2]] * 2 + [""]


def test_one_fault_that_follows_another_ends_it():
    driver = new_driver()
    samples = driver.feed(
        b"GH,000500,000500,000500,000500\r\nGL,000001,000001,000001,000001\r\n", NOW
    )
    told = [(one.code, one.active) for one in samples if isinstance(one, StatusSample)]
    assert told == [("gamma-high", True), ("gamma-high", False), ("gamma-low", True)]


def test_tamper_is_told_when_set_and_when_cleared():
    lines = b"TT,000000,000000,000000,000000\r\nTC,111111,111111,111111,111111\r\n"
    samples = new_driver().feed(lines, NOW)
    assert [(one.code, one.active) for one in samples] == [("tamper", True), ("tamper", False)]


def test_speed_comes_from_seconds_per_foot_and_zero_is_no_speed():
    driver = new_driver()
    lines = b"SP,0.2249,03.032,004.88,000000\r\nSP,0.0000,00.000,000.00,000000\r\n"
    (speed,) = driver.feed(lines, NOW)
    assert isinstance(speed, SpeedSample)
    assert speed.speed_m_s * 3.6 == pytest.approx(4.88, abs=0.005)


def test_the_setup_lines_become_one_record_for_gamma_and_one_for_neutrons():
    setup = (
        b"SG1,000450,000068,05,10,07.0,P\r\nSG2,1111,0.069,0.455,01,1010,A\r\n"
        b"SG3,0.069,0.455,020,000,1.10.1\r\nSN1,000050,05,0047,1200,02,120\r\n"
        b"SN2,0.504,5.040,0.504,5.040,PP\r\n"
    )
    gamma_setup, neutron_setup = new_driver().feed(setup, NOW)
    assert isinstance(gamma_setup, SetupSample)
    assert (gamma_setup.record, neutron_setup.record) == ("gamma-setup", "neutron-setup")
    settings = dict(gamma_setup.settings)
    assert settings["occupancy_hold_in"] == "10"
    assert settings["gamma_n_sigma"] == "07.0"
    assert settings["firmware"] == "1.10.1"
    assert dict(neutron_setup.settings)["neutron_background_s"] == "120"


def test_an_incomplete_setup_record_is_kept_back():
    assert new_driver().feed(b"SG3,0.069,0.455,020,000,1.10.1\r\n", NOW) == []


def test_the_panel_order_of_the_configuration_is_applied():
    driver = new_driver(panel_order=(2, 1, 4, 3))
    (_, scan) = driver.feed(GS, NOW)
    assert scan.counts == (53, 52, 55, 54)


def test_an_unknown_tag_is_counted_and_harms_nothing():
    driver, _ = opened_driver()
    unknown, scan = driver.feed(b"XZ,1,2\r\n" + GS, NOW + SCAN_NS)
    assert unknown == Malformed("unknown-tag", "XZ,1,2")
    assert isinstance(scan, CountSample)


@given(
    pieces=st.lists(
        st.tuples(
            st.sampled_from(
                [BACKGROUND, NS, GS, GX, GS[:11], b"", b"TT,0,0,0,0\r\n", b"noise\r\n"]
            ),
            st.integers(-20 * SECOND_NS, 20 * SECOND_NS),
        ),
        max_size=40,
    )
)
def test_times_never_run_backwards_whatever_the_arrivals_do(pieces):
    driver, at_ns, seen = new_driver(), NOW, []
    for data, later_ns in pieces:
        at_ns += later_ns
        seen += [one for one in driver.feed(data, at_ns) if not isinstance(one, Malformed)]
    times = [one.start_utc_ns for one in seen]
    assert times == sorted(times)
