"""A sensor's clock that jumps is told at once or within ten seconds; a slow link is not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.lag import LagWatch
from fusion.types import MILLISECOND_NS, SECOND_NS, Origin, ScanFinding, WaveformSample
from tests.fusion.makers import START_UTC_NS

COUNTS = np.arange(25, dtype=np.int32)


def packet(start_utc_ns, counts=COUNTS):
    return WaveformSample(
        sensor_id="geo-1",
        origin=Origin.SENSOR,
        start_utc_ns=start_utc_ns,
        rate_hz=100.0,
        channel="EHZ",
        counts=counts,
        counts_per_m_s=4e8,
    )


def heard(seconds, clock_s=lambda at_s: 0.0, delay_s=lambda at_s: 0.05, tick_s=0.1):
    """(seconds, status) of a station that sends four packets a second."""
    watch, told = LagWatch(), []
    arrivals = sorted(
        (0.25 * (i + 1) + delay_s(0.25 * i), 0.25 * i) for i in range(round(4 * seconds))
    )
    for arrives_s, begins_s in arrivals:
        now = START_UTC_NS + round(np.floor(arrives_s / tick_s) * tick_s * SECOND_NS)
        starts = START_UTC_NS + round((begins_s + clock_s(begins_s)) * SECOND_NS)
        said = watch.feed(packet(starts), now)
        if said is not None:
            told.append((begins_s, said))
    return told


@pytest.mark.parametrize("step_s", [-2.0, -0.5, 0.5, 2.0])
def test_half_a_second_is_told_within_ten_seconds_and_its_end_too(step_s):
    (at_s, begin), (end_s, end) = heard(
        200, clock_s=lambda at_s: step_s if 100 <= at_s < 150 else 0.0
    )
    assert (begin.code, begin.active) == ("clock-step", True)
    assert float(begin.text.removesuffix(" s")) == pytest.approx(step_s, abs=0.1)
    assert 100 < at_s <= 110
    assert not end.active
    assert 150 < end_s <= 160


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 3.0))
def test_a_link_with_a_scattered_delay_is_no_clock(seed, scatter_s):
    random = np.random.default_rng(seed)
    delays = {}

    def delay_s(at_s):
        return delays.setdefault(at_s, 0.02 + float(random.exponential(0.1 + 0.05 * scatter_s)))

    assert heard(400, delay_s=delay_s) == []


def test_who_catches_up_on_a_backlog_has_no_new_clock():
    def delay_s(at_s):  # cut for a minute, then sent at five times the pace
        return 0.05 + max(0.0, 60.0 - 0.8 * (at_s - 100.0)) if at_s >= 100.0 else 0.05

    assert heard(300, delay_s=delay_s) == []


def test_a_clock_that_drifts_within_its_bounds_is_followed():
    assert heard(1200, clock_s=lambda at_s: 1e-4 * at_s) == []


def test_a_step_that_stays_is_told_once_and_then_is_how_it_is():
    told = heard(1500, clock_s=lambda at_s: 0.6 if at_s >= 100 else 0.0)
    assert [said.active for _, said in told] == [True, False]
    assert 600 < told[1][0] - told[0][0] < 700


def test_packets_of_five_seconds_make_longer_windows():
    watch, told = LagWatch(), []
    for i in range(60):
        step_s = 0.5 if i >= 40 else 0.0
        starts = START_UTC_NS + round((5.12 * i + step_s) * SECOND_NS)
        now = START_UTC_NS + round(5.12 * (i + 1) * SECOND_NS) + 40 * MILLISECOND_NS
        told.append(watch.feed(packet(starts, np.zeros(512, np.int32)), now))
    (begin,) = [said for said in told if said is not None]
    assert begin.active


@pytest.mark.parametrize("rate_hz", [0.0, -1.0, 1e-308, float("nan"), float("inf")])
def test_a_rate_that_is_none_says_nothing(rate_hz):
    watch = LagWatch()
    odd = replace(packet(START_UTC_NS), rate_hz=rate_hz)
    assert [watch.feed(odd, START_UTC_NS + i * SECOND_NS) for i in range(20)] == [None] * 20


def scan(number, clock_s=0.0):
    return ScanFinding(
        sensor_id="xray-1",
        origin=Origin.SENSOR,
        start_utc_ns=START_UTC_NS + round((60 * number + clock_s) * SECOND_NS),
        duration_ms=8000,
        scan_id=str(number),
        length_m=16.0,
        declared="",
        container="",
        empty=False,
        empty_nats=0.0,
        fill=0.5,
        homogeneity=0.5,
        unpenetrated=0.0,
        regions=(),
        quality=(),
        notes=(),
    )


def scanned(lags_s, clock_s=lambda number: 0.0):
    """(number, status) of a scanner whose scans come so long after their ends."""
    watch, told = LagWatch(), []
    for number, lag_s in enumerate(lags_s):
        now = START_UTC_NS + round((60 * number + 8 + lag_s) * SECOND_NS)
        said = watch.feed(scan(number, clock_s(number)), now)
        if said is not None:
            told.append((number, said))
    return told


def test_a_scan_that_is_there_sooner_than_it_can_be_is_told_at_once():
    begin, end = scanned([1.0, 1.1] * 20, clock_s=lambda i: 0.5 if 9 <= i < 15 else 0.0)
    assert begin[0] == 9
    assert (begin[1].code, begin[1].active) == ("clock-step", True)
    assert float(begin[1].text.removesuffix(" s")) == pytest.approx(0.5, abs=0.1)
    assert end[0] == 15
    assert not end[1].active


def test_scans_that_are_later_are_told_with_the_third():
    begin, _ = scanned([1.0, 1.1] * 20, clock_s=lambda i: -0.5 if 9 <= i < 15 else 0.0)
    assert begin[0] == 11
    assert float(begin[1].text.removesuffix(" s")) == pytest.approx(-0.5, abs=0.11)


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 3.0))
def test_a_folder_that_is_looked_into_now_and_then_is_no_clock(seed, every_s):
    random = np.random.default_rng(seed)
    assert scanned((1.0 + every_s * random.random(200)).tolist()) == []


def test_scans_of_before_are_no_clock_and_a_step_that_stays_is_taken():
    assert scanned([3600.0 - 60 * i for i in range(60)] + [1.0] * 40) == []
    told = scanned([1.0] * 40, clock_s=lambda i: 0.5 if i >= 9 else 0.0)
    assert [said.active for _, said in told] == [True, False]
