"""A sensor that repeats itself is told; one that is coarse, averages or is quiet is not."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.engine import Engine
from fusion.stuck import StuckWatch, poisson_nats
from fusion.types import (
    SECOND_NS,
    BackgroundSample,
    Checkpoint,
    CountSample,
    Event,
    Family,
    LaneSpec,
    Origin,
    Phase,
    Radiation,
    ScanFinding,
    SensorSpec,
    SpectrumSample,
    WaveformSample,
)
from tests.fusion.makers import START_UTC_NS


def background(at_s, rates):
    return BackgroundSample(
        sensor_id="rpm-1",
        origin=Origin.SENSOR,
        start_utc_ns=START_UTC_NS + round(at_s * SECOND_NS),
        duration_ms=1000,
        radiation=Radiation.GAMMA,
        rate_cps=tuple(rates),
        device_fault="",
    )


def packet(number, counts, channel="EHZ"):
    return WaveformSample(
        sensor_id="geo-1",
        origin=Origin.SENSOR,
        start_utc_ns=START_UTC_NS + number * SECOND_NS // 4,
        rate_hz=100.0,
        channel=channel,
        counts=np.asarray(counts, np.int32),
        counts_per_m_s=4e8,
    )


def told(samples):
    watch = StuckWatch()
    return [said for said in map(watch.feed, samples) if said is not None]


def test_background_that_stands_still_is_told_within_ten_seconds_and_its_end():
    random = np.random.default_rng(5)
    rows = [random.poisson(260, 4).tolist() for _ in range(40)]
    rows += [rows[-1]] * 4 + [random.poisson(260, 4).tolist()]
    begin, end = told(background(5.0 * i, row) for i, row in enumerate(rows))
    assert (begin.code, begin.active) == ("stuck", True)
    # The first of the four is the first that is no measurement.
    assert begin.start_utc_ns - START_UTC_NS <= (5.0 * 40 + 10.0) * SECOND_NS
    assert (end.active, end.start_utc_ns - START_UTC_NS) == (False, 5 * 44 * SECOND_NS)


def test_of_four_panels_half_a_minute_tells_how_often_they_repeat_themselves():
    random = np.random.default_rng(31)
    rows = [random.poisson(260, 4).tolist() for _ in range(8)]
    (begin,) = told(background(5.0 * i, row) for i, row in enumerate(rows + [rows[-1]] * 4))
    assert begin.active
    assert begin.start_utc_ns - START_UTC_NS <= (5.0 * 8 + 10.0) * SECOND_NS


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_a_coarse_or_slow_portal_is_well_from_the_start(seed, hold):
    random = np.random.default_rng(seed)
    coarse = (random.poisson(260, (60, 4)) // 50 * 50).tolist()
    slow = np.repeat(random.poisson(260, (20, 4)), hold, axis=0)[:60].tolist()
    for rows in (coarse, slow):
        assert told(background(5.0 * i, row) for i, row in enumerate(rows)) == []


@given(st.integers(0, 2**32 - 1), st.sampled_from([20, 60, 260, 900]))
def test_healthy_counts_never_are(seed, mean):
    random = np.random.default_rng(seed)
    rows = random.poisson(mean, (300, 4)).tolist()
    assert told(background(5.0 * i, row) for i, row in enumerate(rows)) == []


@pytest.mark.parametrize("minutes", [1, 2])
def test_a_portal_that_averages_its_background_repeats_itself_and_is_well(minutes):
    random = np.random.default_rng(7)
    seconds = random.poisson(260, (4, 3600 + 60 * minutes))
    means = [
        seconds[:, i : i + 60 * minutes].mean(axis=1).round().tolist() for i in range(0, 3600, 5)
    ]
    same = sum(one == other for one, other in itertools.pairwise(means))
    assert same > 1
    assert told(background(5.0 * i, row) for i, row in enumerate(means)) == []


def test_a_coarse_geophone_on_quiet_ground_is_well():
    random = np.random.default_rng(9)
    flat = [packet(i, np.full(25, random.choice([0, 0, 0, 1]))) for i in range(2000)]
    assert told(flat) == []


def test_a_packet_that_comes_again_and_again_is_told_within_a_second():
    random = np.random.default_rng(11)
    good = [packet(i, random.normal(0, 300, 25)) for i in range(100)]
    again = [packet(100 + i, good[-1].counts) for i in range(12)]
    begin, end = told([*good, *again, packet(112, random.normal(0, 300, 25))])
    assert begin.start_utc_ns - again[0].start_utc_ns <= SECOND_NS
    assert not end.active


def test_of_three_channels_one_that_stands_still_is_enough():
    random = np.random.default_rng(13)
    frozen = random.normal(0, 300, 25)
    samples = []
    for i in range(60):
        samples.append(packet(i, random.normal(0, 300, 25), "EHN"))
        samples.append(packet(i, frozen if i > 30 else random.normal(0, 300, 25), "EHZ"))
    (begin,) = told(samples)
    assert begin.active


def test_what_has_no_counts_says_nothing_by_repeating_itself():
    nothing = [
        CountSample(
            sensor_id="rpm-1",
            origin=Origin.SENSOR,
            start_utc_ns=START_UTC_NS + i * SECOND_NS // 5,
            duration_ms=200,
            radiation=Radiation.GAMMA,
            counts=(0, 0, 0, 0),
            device_alarm=False,
        )
        for i in range(200)
    ]
    assert poisson_nats((0, 0, 0, 0)) == 0.0
    assert told(nothing) == []
    assert (
        told([replace(one, radiation=Radiation.NEUTRON, counts=(2,) * 4) for one in nothing]) == []
    )


def test_the_chance_of_a_repeat_is_that_of_poisson_counts():
    random = np.random.default_rng(17)
    one, other = random.poisson(50.0, (2, 400_000))
    assert np.exp(-poisson_nats((50,))) == pytest.approx(float((one == other).mean()), rel=0.03)


def test_spectra_that_are_the_same_are_told():
    random = np.random.default_rng(19)
    shape = {
        "sensor_id": "srpm-1",
        "origin": Origin.SENSOR,
        "duration_ms": 100,
        "detectors": ("a",),
        "edges_kev": np.zeros((1, 0), np.float32),
        "live_s": (0.1,),
        "neutron_counts": None,
        "role": "",
        "occupied": None,
    }
    rows = [random.poisson(2.0, (1, 128)).astype(np.uint32) for _ in range(30)]
    rows += [rows[-1]]
    samples = [
        SpectrumSample(start_utc_ns=START_UTC_NS + i * SECOND_NS // 10, counts=row, **shape)
        for i, row in enumerate(rows)
    ]
    (begin,) = told(samples)
    assert begin.start_utc_ns == samples[-1].start_utc_ns


def scan(number, signature):
    return ScanFinding(
        sensor_id="xray-1",
        origin=Origin.SENSOR,
        start_utc_ns=START_UTC_NS + 60 * number * SECOND_NS,
        duration_ms=8000,
        scan_id=str(number),
        length_m=16.0,
        declared="",
        container="",
        empty=False,
        empty_nats=-15.0,
        fill=0.5,
        homogeneity=0.5,
        unpenetrated=0.0,
        regions=(),
        quality=(),
        notes=(),
        signature=signature,
    )


def test_a_scan_that_comes_again_is_told_at_once_though_most_of_its_numbers_are_usual():
    scans = [scan(i, (float(min(i, 12)), 1.0)) for i in range(15)]
    (begin,) = told(scans)
    assert begin.active
    assert begin.start_utc_ns == scans[13].start_utc_ns


def test_a_stuck_portal_is_alerted_and_its_silence_means_nothing():
    site = Checkpoint(
        site="s",
        sensors=(SensorSpec(sensor_id="rpm-1", family=Family.RADIATION, place="l"),),
        lanes=(LaneSpec(lane_id="l", direction="northbound"),),
    )
    random, engine, alerts = np.random.default_rng(23), Engine(site), []
    rows = [random.poisson(260, 4).tolist() for _ in range(40)]
    rows += [rows[-1]] * 6 + [random.poisson(260, 4).tolist() for _ in range(3)]
    for i, row in enumerate(rows):
        alerts += engine.feed(background(5.0 * i, row))
        alerts += engine.tick(START_UTC_NS + 5 * i * SECOND_NS)
        assert engine._senses.up("rpm-1") is not (41 <= i <= 46)
    assert [alert.event for alert in alerts] == [Event.SENSOR_FAULT] * 2
    assert [alert.phase for alert in alerts] == [Phase.NEW, Phase.CLEAR]


def test_a_channel_that_is_sent_no_more_keeps_nobody_stuck():
    random = np.random.default_rng(29)
    good = [packet(i, random.normal(0, 300, 25)) for i in range(40)]
    frozen = [packet(40 + i, good[-1].counts) for i in range(8)]
    others = [packet(48 + i, random.normal(0, 300, 25), "SHZ") for i in range(400)]
    begin, end = told([*good, *frozen, *others])
    assert begin.active
    assert not end.active
    assert 60 <= (end.start_utc_ns - frozen[-1].start_utc_ns) / SECOND_NS <= 62


def test_channels_without_end_take_no_memory_without_end():
    watch = StuckWatch()
    for i in range(1000):
        watch.feed(packet(i, [1, 2, 3, i], f"C{i}"))
    assert len(watch._runs) <= 64
