"""Records of one station to samples: order, gaps, scale, and channels that wait."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.seismic_miniseed import (
    FROM_FILE,
    PIECE_NS,
    MiniSeedDriver,
    is_velocity,
    pieces,
    plain_rate,
    scale_of,
    scale_up_to,
)
from drivers.seismic_seedlink import SeedLinkConfig
from drivers.wire.malformed import Malformed
from drivers.wire.miniseed import encode, frame
from fusion.types import SECOND_NS, Origin, WaveformSample

START_NS = 1_580_372_810 * SECOND_NS
RATE_HZ = 100.0


def driver_for(**keys):
    return MiniSeedDriver(SeedLinkConfig(id="st-1", url="tcp://a:1", **keys), Origin.SENSOR)


def record(first, count, *, channel="EHZ", network="XX", rate_hz=RATE_HZ, number=1, values=None):
    """Samples `first` and on; each is its own number."""
    if values is None:
        values = np.arange(first, first + count, dtype=np.int32)
    start_ns = START_NS + round(first * SECOND_NS / rate_hz)
    (one,) = encode((network, "STA", "00", channel), start_ns, rate_hz, values, record_bytes=65_536)
    return frame(number, network, "STA", one)


def heard(driver, *records, received_utc_ns=START_NS + 3600 * SECOND_NS):
    out = []
    for one in records:
        out += driver.feed(one, received_utc_ns)
    return out


def story(out):
    """Runs of samples by number, what is missing before them, and what was not read."""
    told = []
    for one in out:
        if isinstance(one, Malformed):
            told.append(one.reason)
            continue
        if one.missing:
            told.append(f"-{one.missing}")
        first, last = int(one.counts[0]), int(one.counts[-1]) + 1
        if told and isinstance(told[-1], tuple) and told[-1][1] == first and not one.missing:
            told[-1] = (told[-1][0], last)
        else:
            told.append((first, last))
    return told


@pytest.mark.parametrize(
    ("spans", "told"),
    [
        ([(0, 130), (130, 100)], [(0, 230)]),
        ([(0, 100), (150, 100)], [(0, 100), "-50", (150, 250)]),
        ([(0, 100), (0, 100), (100, 50)], [(0, 100), "duplicate", (100, 150)]),
        ([(0, 100), (20, 30), (100, 50)], [(0, 100), "late", (100, 150)]),
        ([(0, 100), (80, 50)], [(0, 100), "overlap", (100, 130)]),
        ([(0, 1), (1, 1), (2, 1)], [(0, 3)]),
    ],
)
def test_each_sample_comes_once_and_gaps_are_told(spans, told):
    assert story(heard(driver_for(), *(record(*span) for span in spans))) == told


def test_samples_are_cut_on_one_grid_for_all_channels():
    out = heard(driver_for(), record(30, 200, number=FROM_FILE))
    assert [one.start_utc_ns % PIECE_NS for one in out] == [300_000_000, 0, 0, 0, 0]
    assert [len(one.counts) for one in out] == [20, 50, 50, 50, 30]


@given(
    rate_hz=st.floats(50, 5000),
    count=st.integers(1, 6000),
    start=st.integers(0, 10**18),
    skipped=st.integers(0, 50),
)
def test_pieces_are_whole_and_in_order(rate_hz, count, start, skipped):
    cut = list(pieces(start, rate_hz, count, skipped))
    assert [at for first, last, _ in cut for at in range(first, last)] == list(
        range(skipped, count)
    )
    times = [utc_ns for _, _, utc_ns in cut]
    assert times == sorted(set(times))
    assert all(last - first <= rate_hz / 2 + 1 for first, last, _ in cut)


def test_channels_of_a_link_wait_for_each_other():
    driver = driver_for()
    assert story(heard(driver, record(0, 100))) == [(0, 100)]
    # A second channel is there from now on: neither runs ahead of the other.
    assert story(heard(driver, record(0, 100, channel="EHN"))) == [(0, 100)]
    assert heard(driver, record(100, 200)) == []
    both = heard(driver, record(100, 100, channel="EHN"))
    assert [(one.channel, int(one.counts[0])) for one in both] == [
        ("EHN", 100),
        ("EHZ", 100),
        ("EHN", 150),
        ("EHZ", 150),
    ]


def test_a_channel_that_has_stopped_delays_nobody_for_long():
    driver = driver_for()
    heard(driver, record(0, 100), record(0, 100, channel="EHN"))
    assert heard(driver, *(record(100 * number, 100) for number in range(1, 3))) == []
    assert story(heard(driver, record(300, 100))) == [(100, 400)]
    assert story(heard(driver, record(400, 100))) == [(400, 500)]


def test_a_cut_link_hands_out_what_waits():
    driver = driver_for()
    heard(driver, record(0, 100), record(0, 100, channel="EHN"), record(100, 100))
    assert story(driver.feed(b"", START_NS)) == [(100, 200)]


def test_files_are_in_order_and_nothing_waits():
    out = heard(
        driver_for(),
        record(0, 100, number=FROM_FILE),
        record(0, 50, channel="EHN", number=FROM_FILE),
        record(100, 100, number=FROM_FILE),
    )
    assert sum(len(one.counts) for one in out) == 250


def test_a_record_from_the_future_is_not_believed():
    out = heard(driver_for(), record(0, 100), received_utc_ns=START_NS - 3600 * SECOND_NS)
    assert story(out) == ["clock"]


@pytest.mark.parametrize(
    ("keys", "network", "channel", "scale", "calibrated"),
    [
        ({}, "XX", "EHZ", 1.0, False),
        ({}, "XX", "", 1.0, False),
        ({}, "XX", "ENZ", 0.0, False),
        ({"velocity_channels": ("ENZ",)}, "XX", "ENZ", 1.0, False),
        ({"counts_per_m_s": 5e8}, "XX", "DPZ", 5e8, True),
        ({"counts_per_m_s": 5e8}, "XX", "BDF", 0.0, True),
        ({}, "AM", "EHZ", 3.9965e8, True),
        ({}, "AM", "HDF", 0.0, False),
    ],
)
def test_sensitivity_is_told_where_it_is_known(keys, network, channel, scale, calibrated):
    one = heard(driver_for(**keys), record(0, 100, network=network, channel=channel))[0]
    assert (one.counts_per_m_s, one.calibrated) == (scale, calibrated)


@pytest.mark.parametrize(
    ("channel", "velocity"),
    [
        *((code, True) for code in ("EHZ", "BH1", "SLZ", "DPN", "GP1", "001", "", "cp", "ADC")),
        *((code, False) for code in ("ENZ", "HNN", "BDF")),
    ],
)
def test_velocity_is_told_by_the_instrument_code(channel, velocity):
    assert is_velocity(channel) is velocity


def test_whole_floats_keep_their_counts_and_others_are_scaled_by_a_power_of_two():
    whole = np.arange(100, dtype=np.float32) - 7
    (one, *_) = heard(driver_for(), record(0, 100, values=whole))
    assert one.counts.tolist() == whole[:50].astype(int).tolist()
    volts = np.sin(np.arange(100)) * 1e-6 + 0.5
    out = heard(driver_for(), record(0, 100, values=volts))
    counts = np.concatenate([one.counts for one in out])
    scale = scale_of(volts)
    assert np.log2(scale) == round(np.log2(scale))
    assert counts.tolist() == np.rint(volts * scale).astype(int).tolist()
    assert 2**26 < np.abs(counts).max() < 2**29
    known = heard(driver_for(counts_per_m_s=2.0), record(0, 100, values=volts))[0]
    assert known.counts_per_m_s == 2.0 * scale


def test_a_given_scale_is_used_and_values_that_are_no_numbers_are_held():
    values = np.array([np.nan, 1.0, np.inf, 2.5, np.nan, 0.0])
    bad, *out = heard(driver_for(counts_per_unit=2.0), record(0, 6, values=values))
    assert bad.reason == "not-finite"
    assert out[0].counts.tolist() == [2, 2, 2, 5, 5, 0]
    _, only = heard(driver_for(), record(0, 2, values=np.array([np.nan, np.nan])))
    assert only.counts.tolist() == [0, 0]


@given(top=st.floats(1e-300, 1e300))
def test_the_largest_value_of_a_file_fits(top):
    scaled = top * scale_up_to(top)
    assert scaled < 2**28 + 1
    assert scaled >= 2**26 or top * 2.0**1000 < 2**27


def test_a_rate_that_is_written_in_two_ways_is_one_rate():
    assert plain_rate(99.99999) == 100.0
    assert plain_rate(249.5) == 249.5
    out = heard(driver_for(), record(0, 100), record(100, 100, rate_hz=99.9999))
    assert {one.rate_hz for one in out} == {100.0}


def test_two_instruments_of_one_station_keep_their_channels_apart():
    (one,) = encode(("XX", "STA", "10", "EHZ"), START_NS, 100.0, np.arange(50, dtype=np.int32))
    out = heard(driver_for(), record(0, 50), frame(2, "XX", "STA", one))
    assert [sample.channel for sample in out] == ["EHZ", "10.EHZ"]


def test_noise_adds_no_more_channels_than_a_station_can_have():
    out = heard(driver_for(), *(record(0, 50, channel=f"E{n:02d}") for n in range(40)))
    assert sum(isinstance(one, Malformed) and one.reason == "channels" for one in out) == 8
    assert len({one.channel for one in out if isinstance(one, WaveformSample)}) <= 32
