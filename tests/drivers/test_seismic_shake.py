from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.seismic_captures import DatacastCapture
from drivers.seismic_shake import ShakeDriver
from drivers.seismic_shake_config import ShakeConfig
from drivers.wire.datacast import DatacastDecoder, ShakePacket, encode
from drivers.wire.malformed import Malformed
from edge.study.bench_datacast import storm
from fusion.types import Origin, StatusSample, WaveformSample

CAPTURE = Path(__file__).parents[3] / "shared/data/shake/R24FA-datacast.txt"
needs_capture = pytest.mark.skipif(
    not CAPTURE.exists(), reason="the capture R24FA-datacast.txt is not beside this checkout"
)
START_NS = 1_580_372_810_003_000_000
QUARTER_NS = 250_000_000


def driver_for(**keys):
    return ShakeDriver(ShakeConfig(id="geo-1", url="udp://0.0.0.0:8888", **keys), Origin.SENSOR)


def packet(number, channel="EHZ", count=25, shift_ns=0):
    start = START_NS + number * QUARTER_NS + shift_ns
    return ShakePacket(channel, start, tuple(range(number, number + count)))


def told(driver, packets, *, late_ns=20_000_000, shift_ns=0):
    """Feed each packet as it would arrive; numbers of what came back, words of what did not."""
    story = []
    newest = 0
    for each in packets:
        newest = max(newest, each.start_utc_ns - shift_ns + QUARTER_NS + late_ns)
        for sample in driver.feed(encode(each), newest):
            if isinstance(sample, WaveformSample):
                number = int(sample.counts[0])
                story.append((number, sample.missing) if sample.missing else number)
            else:
                story.append(sample.reason if isinstance(sample, Malformed) else sample.code)
    return story


def test_a_packet_becomes_a_sample_with_everything_it_said():
    sample = driver_for().feed(encode(packet(7)), START_NS + 8 * QUARTER_NS)[0]
    assert (sample.sensor_id, sample.origin, sample.channel) == ("geo-1", Origin.SENSOR, "EHZ")
    assert sample.start_utc_ns == START_NS + 7 * QUARTER_NS
    assert sample.rate_hz == 100.0
    assert sample.counts.dtype == np.int32
    assert sample.counts.tolist() == list(range(7, 32))
    assert sample.missing == 0


@pytest.mark.parametrize(
    ("channel", "scale"),
    [("EHZ", 3.9965e8), ("SHZ", 3.9965e8), ("EHN", 3.9965e8), ("ENZ", 0.0), ("HDF", 0.0)],
)
def test_only_geophone_channels_have_a_velocity_scale(channel, scale):
    sample = driver_for().feed(encode(packet(0, channel)), START_NS + QUARTER_NS)[0]
    assert sample.counts_per_m_s == scale


def test_channels_that_are_not_wanted_are_left_out():
    driver = driver_for(channels=("EHZ",))
    assert driver.feed(encode(packet(0, "ENZ")), START_NS + QUARTER_NS) == []
    assert len(driver.feed(encode(packet(0)), START_NS + QUARTER_NS)) == 1


@pytest.mark.parametrize(
    ("order", "story"),
    [
        ([0, 1, 2, 3], [0, 1, 2, 3]),
        ([0, 1, 1, 2], [0, 1, "duplicate", 2]),
        ([0, 2, 1, 3], [0, 1, 2, 3]),
        ([0, 2, 3, 1, 4], [0, 1, 2, 3, 4]),
        ([0, 2, 2, 1], [0, "duplicate", 1, 2]),
        ([0, 2, 3, 4, 5], [0, (2, 25), 3, 4, 5]),
        ([0, 2, 3, 4, 1, 5], [0, (2, 25), 3, 4, "late", 5]),
        ([0, 3, 2, 5, 6, 7, 8], [0, (2, 25), 3, (5, 25), 6, 7, 8]),
        ([0, 100, 101, 102], [0, (100, 2475), 101, 102]),
    ],
)
def test_loss_duplicates_and_reorder_are_recognised_by_time(order, story):
    assert told(driver_for(), [packet(number) for number in order]) == story


def test_channels_are_put_in_order_each_for_itself():
    driver = driver_for()
    order = [packet(0), packet(0, "EHN"), packet(2), packet(1, "EHN"), packet(1)]
    assert told(driver, order) == [0, 0, 1, 1, 2]


def test_one_odd_time_among_good_packets_costs_only_itself():
    order = [packet(0), packet(60), *(packet(number) for number in range(1, 9))]
    assert told(driver_for(), order) == list(range(9))


def test_a_clock_that_is_off_is_told_and_the_samples_are_stamped_by_arrival():
    driver = driver_for()
    arrival_ns = START_NS + 10**15
    out = []
    for number in range(12):
        out += driver.feed(encode(packet(number)), arrival_ns + number * QUARTER_NS)
    assert [sample.reason for sample in out if isinstance(sample, Malformed)] == ["clock"] * 2
    status = next(sample for sample in out if isinstance(sample, StatusSample))
    assert (status.code, status.active) == ("clock", True)
    times = [sample.start_utc_ns for sample in out if isinstance(sample, WaveformSample)]
    assert times == [arrival_ns + number * QUARTER_NS for number in range(1, 11)]


def test_a_clock_that_is_set_right_is_believed_again():
    driver = driver_for()
    out = []
    for number in range(12):
        wrong = 0 if number >= 6 else -(10**15)
        arrival_ns = START_NS + (number + 1) * QUARTER_NS
        out += driver.feed(encode(packet(number, shift_ns=wrong)), arrival_ns)
    assert [sample.active for sample in out if isinstance(sample, StatusSample)] == [True, False]
    times = [sample.start_utc_ns for sample in out if isinstance(sample, WaveformSample)]
    assert times[-1] == START_NS + 11 * QUARTER_NS
    assert times == sorted(times)


def test_one_packet_with_a_wild_time_does_not_move_the_clock():
    order = [packet(0), packet(1), packet(2, shift_ns=-(10**16)), packet(2), packet(3)]
    assert told(driver_for(), order) == [0, 1, "clock", 2, 3]


@pytest.mark.parametrize("rate_hz", [50, 100, 200])
def test_a_station_at_another_rate_than_configured_is_heard_and_told(rate_hz):
    driver = driver_for(rate_hz=400.0)
    step_ns = 25 * 1_000_000_000 // rate_hz
    out = []
    for number in range(40):
        each = ShakePacket("EHZ", START_NS + number * step_ns, tuple(range(25)))
        out += driver.feed(encode(each), each.start_utc_ns + step_ns)
    status = [sample for sample in out if isinstance(sample, StatusSample)]
    assert [sample.code for sample in status] == ["rate"]
    last = out[-1]
    assert (last.rate_hz, last.missing, last.start_utc_ns) == (
        rate_hz,
        0,
        START_NS + 39 * step_ns,
    )


def test_more_channels_than_a_station_has_are_refused():
    driver = driver_for()
    for number in range(30):
        out = driver.feed(encode(packet(0, f"C{number}")), START_NS + QUARTER_NS)
    assert out == [Malformed("channels", "C29")]


def test_a_cut_link_drops_the_half_packet_and_the_next_is_read():
    driver = driver_for()
    driver.feed(encode(packet(0))[:60], START_NS)
    assert driver.feed(b"", START_NS) == []
    assert len(driver.feed(encode(packet(1)), START_NS + 2 * QUARTER_NS)) == 1


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(-(10**12), 10**12))
def test_times_of_a_channel_never_run_backwards(order, off_ns):
    driver = driver_for()
    last = 0
    for position, number in enumerate(order):
        for sample in driver.feed(
            encode(packet(number)), START_NS + off_ns + position * QUARTER_NS
        ):
            if isinstance(sample, WaveformSample):
                assert sample.start_utc_ns > last
                last = sample.start_utc_ns


@given(st.lists(st.binary(max_size=80), max_size=20), st.integers(0, 2**62))
def test_garbage_never_raises(pieces, received_utc_ns):
    driver = driver_for()
    for piece in pieces:
        assert all(isinstance(record, Malformed) for record in driver.feed(piece, received_utc_ns))


@needs_capture
def test_the_real_capture_replays_bit_exact():
    raw = CAPTURE.read_bytes()
    capture = DatacastCapture()
    assert capture.recognise(CAPTURE.name, raw[:4096])
    driver = driver_for()
    samples = [
        sample
        for received_utc_ns, data in capture.chunks(raw)
        for sample in driver.feed(data, received_utc_ns)
    ]
    assert all(isinstance(sample, WaveformSample) for sample in samples)
    assert sum(sample.missing for sample in samples) == 0
    read = DatacastDecoder().feed(raw)
    for channel in ("EHZ", "ENE", "ENN", "ENZ"):
        sent = [count for each in read if each.channel == channel for count in each.counts]
        got = np.concatenate([sample.counts for sample in samples if sample.channel == channel])
        assert len(got) == 11_000
        assert got.tolist() == sent


def test_a_file_of_another_form_is_not_taken_for_a_capture():
    assert not DatacastCapture().recognise("day.txt", b"GB,000123,000124,000125,000126\r\n")


class LongWayDriver(ShakeDriver):
    """Without the shortcut for packets that are exactly the next."""

    def _take_next(self, packet, received_utc_ns, samples):
        return False


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["EHZ", "EHN"]),
            st.sampled_from([0, 1, 1, 1, 1, 1, 2]),  # quarters since the last: repeats and losses
            st.sampled_from([0, 0, 0, 0, 3_000_000]),  # jitter of the stamp
            st.sampled_from([25, 25, 25, 25, 10, 50]),
            st.sampled_from([0, 0, 0, 60 * 10**9]),  # arrival off by more than the limit
        ),
        max_size=60,
    ),
    rate_hz=st.sampled_from([100.0, 50.0]),
)
def test_the_short_way_of_a_packet_does_what_the_long_way_does(steps, rate_hz):
    short = driver_for(rate_hz=rate_hz)
    long = LongWayDriver(ShakeConfig(id="geo-1", url="udp://0.0.0.0:1", rate_hz=rate_hz), "sensor")
    number = {"EHZ": 0, "EHN": 0}
    for channel, quarters, jitter_ns, count, off_ns in steps:
        number[channel] += quarters
        data = encode(packet(number[channel], channel, count, jitter_ns))
        arrival_ns = START_NS + (number[channel] + 1) * QUARTER_NS + off_ns
        assert [plain(each) for each in short.feed(data, arrival_ns)] == [
            plain(each) for each in long.feed(data, arrival_ns)
        ]


def plain(sample):
    if isinstance(sample, WaveformSample):
        start, counts = sample.start_utc_ns, sample.counts.tolist()
        return (start, sample.channel, sample.rate_hz, counts, sample.missing)
    return repr(sample) if isinstance(sample, Malformed) else (sample.code, sample.start_utc_ns)


def test_a_clock_that_is_set_back_a_little_costs_no_packet():
    back_ns = -8 * QUARTER_NS - 3_000_000
    order = [packet(number) for number in range(10)]
    order += [packet(number, shift_ns=back_ns) for number in range(10, 40)]
    arrivals = [(START_NS + (number + 1) * QUARTER_NS, each) for number, each in enumerate(order)]
    driver, out = driver_for(), []
    for received_utc_ns, each in arrivals:
        out += driver.feed(encode(each), received_utc_ns)
    samples = [one for one in out if isinstance(one, WaveformSample)]
    assert [int(sample.counts[0]) for sample in samples] == list(range(40))
    assert all(sample.missing == 0 for sample in samples)
    assert [one.code for one in out if isinstance(one, StatusSample)] == ["clock"]
    starts = [sample.start_utc_ns for sample in samples]
    assert starts == sorted(set(starts))
    # What it was set back by is made up for, a little with each packet.
    pairs = zip(samples, order, strict=True)
    off_ns = [sample.start_utc_ns - each.start_utc_ns for sample, each in pairs]
    assert off_ns[10] > off_ns[20] > off_ns[39] > 0


def test_a_clock_that_is_set_ahead_is_no_loss():
    order = [packet(number) for number in range(10)]
    order += [packet(number, shift_ns=3_000_000_000) for number in range(10, 20)]
    driver, out = driver_for(), []
    for number, each in enumerate(order):
        out += driver.feed(encode(each), START_NS + (number + 1) * QUARTER_NS)
    samples = [one for one in out if isinstance(one, WaveformSample)]
    assert [int(sample.counts[0]) for sample in samples] == list(range(20))
    assert all(sample.missing == 0 for sample in samples)
    assert [one.code for one in out if isinstance(one, StatusSample)] == ["clock"]


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), back_s=st.sampled_from([0, 3, 7]))
def test_every_loss_on_a_bad_network_is_told_where_it_was_and_nothing_comes_twice(seed, back_s):
    steps = [(150, back_s * 1_000_000_000)] if back_s else []
    tally = storm(seed, 300, steps)
    assert (tally.untold, tally.false, tally.twice, tally.unread, tally.back) == (0, 0, 0, 0, 0)
