"""AnyShake frames as samples: dated by each version's rules, with every loss told."""

import random

import numpy as np
import pytest

from drivers.seismic_anyshake import AnyShakeDriver
from drivers.seismic_anyshake_config import AnyShakeConfig
from drivers.seismic_anyshake_files import AnyShakeCapture
from drivers.wire.anyshake import AnyShakePacket, Layout, encode
from drivers.wire.malformed import Malformed
from fusion.types import Origin, SetupSample, StatusSample, WaveformSample

UTC_MS = 1_795_338_000_000
MS = 1_000_000
USUAL = Layout(100, 100, False, (4, 4, 4, 0, 0, 0, 0, 0))
GNSS = USUAL._replace(gnss=True)
TRANSFER_NS = 141 * 10 * 10**9 // 115_200


def driver_for(**keys):
    config = AnyShakeConfig(id="geo-1", zone="fence", url="/dev/ttyUSB0", **keys)
    return AnyShakeDriver(config, Origin.SENSOR)


def frame(number, layout=GNSS, from_ms=UTC_MS, skip_ms=0):
    shape = (sum(map(bool, layout.sample_bytes)), layout.samples)
    counts = np.full(shape, number, np.int32)
    time_ms = from_ms + skip_ms + number * layout.interval_ms
    return encode(AnyShakePacket(version=3, counts=counts, time_ms=time_ms, config=layout.word))


def old(version, number, rate_hz=100, from_ms=5_000, flag=0):
    counts = np.full((3, 5), number, np.int32)
    time_ms = 0 if version == 1 else from_ms + number * 5000 // rate_hz
    variable = flag.to_bytes(4, "little")
    return encode(
        AnyShakePacket(version=version, counts=counts, time_ms=time_ms, variable=variable)
    )


def told(driver, frames, *, every_ms=100, delay=lambda number: 0.0):
    """Feed (number, frame) as each would arrive; everything that came back."""
    out = []
    for number, data in frames:
        arrived_ms = UTC_MS + (number + 1) * every_ms + delay(number)
        out += driver.feed(data, round(arrived_ms * MS) + TRANSFER_NS)
    return out


def waves(out, channel="EHZ"):
    return [one for one in out if isinstance(one, WaveformSample) and one.channel == channel]


def words(out):
    """Numbers of the samples, with what was missing before them, and words for the rest."""
    story = []
    for one in out:
        if isinstance(one, WaveformSample):
            number = int(one.counts[0])
            story += [(number, one.missing) if one.missing else number] * (one.channel == "EHZ")
        elif isinstance(one, StatusSample):
            story.append(f"{one.code} {'on' if one.active else 'off'}")
        elif isinstance(one, Malformed):
            story.append(one.reason)
    return story


def test_gnss_time_is_the_time_of_the_samples_whatever_the_arrival():
    chance = random.Random(1)
    frames = [(number, frame(number)) for number in range(30)]
    samples = waves(told(driver_for(), frames, delay=lambda number: chance.uniform(0, 300)))
    assert [one.start_utc_ns for one in samples] == [
        (UTC_MS + 100 * number) * MS for number in range(30)
    ]
    assert {(one.rate_hz, len(one.counts), one.missing) for one in samples} == {(100.0, 10, 0)}
    assert samples[0].counts.dtype == np.int32


def test_a_clock_that_counts_from_its_start_is_dated_by_the_earliest_arrivals():
    chance = random.Random(2)
    frames = [(number, frame(number, USUAL, from_ms=77_000)) for number in range(600)]
    delays = [chance.uniform(0, 40) for _ in frames]
    samples = waves(told(driver_for(), frames, delay=lambda number: delays[number]))
    off_ms = [one.start_utc_ns / MS - UTC_MS - 100 * n for n, one in enumerate(samples)]
    assert max(map(abs, off_ms)) < 10
    assert [one for one in samples if one.missing] == []


def test_a_clock_that_runs_slow_is_followed():
    frames = [(number, frame(number, USUAL, from_ms=77_000)) for number in range(3000)]
    samples = waves(told(driver_for(), frames, every_ms=100.02))  # 200 ppm
    assert abs(samples[-1].start_utc_ns / MS - UTC_MS - 100.02 * 2999) < 10
    assert [one for one in samples if one.missing] == []


@pytest.mark.parametrize("layout", [GNSS, USUAL])
def test_every_loss_is_counted_where_it_happened(layout):
    from_ms = UTC_MS if layout is GNSS else 77_000
    gone = {3, 20, 21, 40} | set(range(60, 160))
    frames = [(n, frame(n, layout, from_ms=from_ms)) for n in range(200) if n not in gone]
    story = words(told(driver_for(), frames))
    lost = {one[0]: one[1] for one in story if isinstance(one, tuple)}
    assert lost == {4: 10, 22: 20, 41: 10, 160: 1000}
    assert len(story) == 200 - len(gone)


def test_a_time_that_jumps_is_told_and_dated_anew():
    frames = [
        (n, frame(n, USUAL, from_ms=77_000, skip_ms=-60_000 if n >= 30 else 0)) for n in range(60)
    ]
    story = words(told(driver_for(), frames))
    assert story == [*range(30), "clock on", *range(30, 60), "clock off"] or story == [
        *range(30),
        "clock on",
        *range(30, 40),
        "clock off",
        *range(40, 60),
    ]
    samples = waves(told(driver_for(), frames))
    off_ms = [one.start_utc_ns / MS - UTC_MS - 100 * n for n, one in enumerate(samples)]
    assert max(map(abs, off_ms)) < 1


def test_gnss_that_is_found_later_takes_over():
    frames = [
        (n, frame(n, GNSS) if n >= 30 else frame(n, USUAL, from_ms=77_000)) for n in range(60)
    ]
    out = told(driver_for(), frames)
    assert words(out) == list(range(60))
    times = [dict(one.settings)["time"] for one in out if isinstance(one, SetupSample)]
    assert times == ["arrival", "utc"]
    assert waves(out)[-1].start_utc_ns == (UTC_MS + 5900) * MS


def test_a_gnss_time_far_from_the_arrival_is_not_believed():
    frames = [(n, frame(n, GNSS, from_ms=UTC_MS + 86_400_000)) for n in range(30)]
    samples = waves(told(driver_for(), frames))
    assert [one.start_utc_ns for one in samples] == [(UTC_MS + 100 * n) * MS for n in range(30)]


@pytest.mark.parametrize("wild_ms", [-1, 777, 4_321, -50_000, 10**9])
def test_one_frame_with_a_damaged_time_makes_no_sample_and_no_jump(wild_ms):
    frames = [(n, frame(n)) for n in range(40)]
    frames[25] = (25, frame(25, from_ms=UTC_MS + wild_ms * (1 if abs(wild_ms) > 50 else 60)))
    assert words(told(driver_for(), frames)) == [*range(25), "time", (26, 10), *range(27, 40)]


def test_one_frame_with_a_damaged_layout_makes_no_sample():
    frames = [(n, frame(n)) for n in range(40)]
    frames[25] = (25, frame(25, USUAL._replace(gnss=True, sample_bytes=(4, 4, 2, 2, 0, 0, 0, 0))))
    assert words(told(driver_for(), frames)) == [*range(25), "time", (26, 10), *range(27, 40)]


def test_a_device_that_is_set_anew_is_followed():
    fast = GNSS._replace(rate_hz=250, sample_bytes=(4, 4, 4, 2, 2, 2, 0, 0))
    frames = [(n, frame(n, fast if n >= 20 else GNSS)) for n in range(40)]
    out = told(driver_for(), frames)
    assert words(out) == list(range(40))
    assert {one.rate_hz for one in waves(out)} == {100.0, 250.0}
    assert len(waves(out, "ENZ")) == 20
    assert [len(one.settings) for one in out if isinstance(one, SetupSample)] == [5, 5]


def test_only_geophones_have_a_sensitivity_and_only_wanted_channels_are_told():
    six = GNSS._replace(sample_bytes=(4, 4, 4, 2, 2, 2, 4, 4))
    frames = [(n, frame(n, six)) for n in range(20)]
    scale = {one.channel: one.counts_per_m_s for one in told(driver_for(), frames)[1:]}
    assert list(scale) == ["EHZ", "EHE", "EHN", "ENZ", "ENE", "ENN", "EX7", "EX8"]
    assert list(scale.values()) == [8.589934588e10] * 3 + [0.0] * 5
    some = driver_for(channels=("EHZ", "EH4"), names=("EHZ", "EHE", "EHN", "EH4"), counts_per_m_s=5)
    out = told(some, frames)[1:]
    assert {(one.channel, one.counts_per_m_s) for one in out} == {("EHZ", 5), ("EH4", 5)}


@pytest.mark.parametrize("rate_hz", [50, 100, 200, 250])
@pytest.mark.parametrize("version", [1, 2])
def test_the_rate_of_old_versions_is_told_by_their_pace(version, rate_hz):
    every_ms = 5000 // rate_hz
    chance = random.Random(rate_hz)
    frames = [(n, old(version, n, rate_hz)) for n in range(8000 // every_ms)]
    # Bursts, as a serial server makes of them.
    out = told(
        driver_for(),
        frames,
        every_ms=every_ms,
        delay=lambda n: -((n + 1) * every_ms) % 60 + chance.uniform(0, 3) * (n % 7 == 0),
    )
    samples = waves(out)
    assert {one.rate_hz for one in samples} == {rate_hz}
    assert words(out) == list(range(len(frames)))
    off_ms = [one.start_utc_ns / MS - UTC_MS - every_ms * n for n, one in enumerate(samples)]
    assert max(map(abs, off_ms)) < 15


def test_a_rate_that_was_configured_wrongly_is_told():
    frames = [(n, old(2, n, 200)) for n in range(100)]
    out = told(driver_for(rate_hz=100.0), frames, every_ms=25)
    assert words(out)[0] == "rate on"
    assert waves(out)[0].rate_hz == 200.0
    assert words(told(driver_for(rate_hz=200.0), frames, every_ms=25))[0] == 0


def test_frames_that_version_1_lost_show_in_its_delay():
    frames = [(n, old(1, n)) for n in range(400) if not 150 <= n < 160]
    story = words(told(driver_for(), frames, every_ms=50))
    lost = [one for one in story if isinstance(one, tuple)]
    assert [missing for _, missing in lost] == [50]
    assert 160 <= lost[0][0] < 160 + 100  # within some four seconds
    last = waves(told(driver_for(), frames, every_ms=50))[-1]
    assert abs(last.start_utc_ns / MS - UTC_MS - 50 * 399) < 10


def test_a_busy_machine_is_no_loss_of_version_1():
    held = {n: max(0, 1800 - 50 * (n - 200)) for n in range(200, 236)}
    frames = [(n, old(1, n)) for n in range(500)]
    out = told(driver_for(), frames, every_ms=50, delay=lambda n: held.get(n, 0))
    assert words(out) == list(range(500))


def test_version_2_takes_its_gnss_flag_from_beside_the_device_id():
    flag = 1 << 31
    frames = [(n, old(2, n, from_ms=UTC_MS, flag=flag)) for n in range(100)]
    samples = waves(told(driver_for(), frames, every_ms=50, delay=lambda n: 20))
    assert [one.start_utc_ns for one in samples] == [(UTC_MS + 50 * n) * MS for n in range(100)]


@pytest.mark.parametrize("version", [1, 3])
def test_after_a_cut_the_gap_is_counted_and_times_go_on(version):
    def data(number):
        return old(1, number) if version == 1 else frame(number, USUAL, from_ms=77_000)

    every_ms = 50 if version == 1 else 100
    driver = driver_for()
    before = told(driver, [(n, data(n)) for n in range(100)], every_ms=every_ms)
    before += driver.feed(b"", 0)
    after = told(driver, [(n, data(n)) for n in range(300, 400)], every_ms=every_ms)
    assert words(before) == list(range(100))
    assert words(after) == [(300, 200 * (5 if version == 1 else 10)), *range(301, 400)]
    assert abs(waves(after)[0].start_utc_ns / MS - UTC_MS - 300 * every_ms) < 10


def test_times_never_run_backwards_however_the_arrival_jumps():
    driver = driver_for()
    chance = random.Random(3)
    last_ns = 0
    for number in range(3000):
        if number % 500 == 250:
            driver.feed(b"", 0)
        data = chance.choice((frame(number, USUAL, from_ms=chance.choice((0, 77_000))),) * 9)
        arrived_ns = (UTC_MS + 100 * number + chance.choice((0, 0, 0, 9000))) * MS
        for one in driver.feed(data, arrived_ns):
            if isinstance(one, WaveformSample) and one.channel == "EHZ":
                assert one.start_utc_ns >= last_ns
                last_ns = one.start_utc_ns


@pytest.mark.parametrize("gnss", [True, False])
@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_recorded_stream_is_recognised_and_replayed_in_its_own_time(version, gnss):
    from_ms = UTC_MS if gnss else 77_000
    flag = gnss << 31
    frames = [
        frame(n, GNSS if gnss else USUAL, from_ms=from_ms)
        if version == 3
        else old(version, n, from_ms=from_ms, flag=flag)
        for n in range(100)
    ]
    data = b"".join(frames)
    form = AnyShakeCapture()
    assert form.recognise("geo-1.raw", data[:4096])
    assert form.recognise("geo-1.raw", data[7:4096])
    assert not form.recognise("geo-1.raw", b"time,counts\n0,17\n" * 200 + data[:4096:2])
    driver = driver_for(baud=921_600)
    out = [one for at_ns, piece in form.chunks(data) for one in driver.feed(piece, at_ns)]
    assert words(out) == list(range(100))
    utc = gnss and version > 1
    start_ns = UTC_MS * MS if utc else 946_684_800 * 10**9
    times = [one.start_utc_ns for one in waves(out)]
    assert abs(times[0] - start_ns) < 3 * MS
    step_ms = 100 if version == 3 else 50
    assert abs(times[-1] - start_ns - 99 * step_ms * MS) < 3 * MS
