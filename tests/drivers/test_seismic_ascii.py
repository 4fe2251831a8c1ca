"""Printed samples as waveforms: what the columns mean, when each sample was taken."""

import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from drivers.seismic_ascii import AsciiDriver
from drivers.seismic_ascii_config import AsciiConfig
from drivers.seismic_ascii_files import START_UTC_NS, AsciiCapture
from drivers.wire.malformed import Malformed
from fusion.types import SECOND_NS, Origin, StatusSample, WaveformSample

T0_S = 1_772_366_400
T0_NS = T0_S * SECOND_NS
COUNTS = np.random.default_rng(1).integers(1900, 2200, 15_000).tolist()
COLUMNS = ("time", "counts")


def config(**keys):
    return AsciiConfig(id="geo-1", zone="fence", url="/dev/ttyUSB0", **keys)


def replayed(text, **keys):
    """What comes out of a file."""
    settings = config(**keys)
    driver = AsciiDriver(settings, Origin.REPLAY)
    chunks = AsciiCapture().chunks(text.encode(), "FILE.csv", settings)
    return [one for at_ns, data in chunks for one in driver.feed(data, at_ns)]


def waves(out, channel="EHZ"):
    return [one for one in out if isinstance(one, WaveformSample) and one.channel == channel]


def all_counts(samples):
    return np.concatenate([one.counts for one in samples]).tolist()


def clock(number, rate_hz=250):
    return (datetime.fromtimestamp(T0_S, UTC) + timedelta(seconds=number / rate_hz)).isoformat()


FORMS = {
    "seconds": lambda n: f"{n / 250:.3f},",
    "milliseconds": lambda n: f"{4 * n};",
    "microseconds": lambda n: f"{4000 * n} ",
    "index": lambda n: f"{n}\t",
    "epoch seconds": lambda n: f"{T0_S + n / 250:.4f},",
    "epoch milliseconds": lambda n: f"{T0_S * 1000 + 4 * n},",
    "epoch microseconds": lambda n: f"{T0_S * 1_000_000 + 4000 * n},",
    "ISO 8601": lambda n: f"{clock(n)},",
    "ISO 8601, jittery": lambda n: f"{clock(n + (n * 7919 % 13 - 6) * 0.4)},",
    "whole seconds": lambda n: f"{T0_S + n // 250},",
    "packets' times": lambda n: f"{T0_S * 1000 + n // 125 * 500},",
}


@pytest.mark.parametrize("rate_hz", [250.0, None])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_time_column_is_understood(form, rate_hz):
    if form == "index" and rate_hz is None:
        pytest.skip("a number says nothing of the rate")
    text = "".join(f"{FORMS[form](n)}{count}\n" for n, count in enumerate(COUNTS))
    samples = waves(replayed(text, columns=COLUMNS, rate_hz=rate_hz))
    assert all_counts(samples) == COUNTS
    assert {(one.rate_hz, one.missing, one.calibrated) for one in samples} == {(250.0, 0, False)}
    absolute = form.startswith(("epoch", "ISO", "whole", "packets"))
    start_ns = samples[0].start_utc_ns - (T0_NS if absolute else START_UTC_NS)
    assert abs(start_ns) <= (30_000_000 if "jittery" in form else 1_000_000)
    assert abs(samples[-1].start_utc_ns - samples[0].start_utc_ns - 59.9e9) <= 2e6


@pytest.mark.parametrize("columns", [("counts",), ()])
def test_a_column_of_counts_needs_only_its_rate(columns):
    text = "".join(f"{count}\n" for count in COUNTS)
    samples = waves(replayed(text, columns=columns, rate_hz=495))
    assert all_counts(samples) == COUNTS[: len(COUNTS) // 50 * 50]
    assert samples[0].start_utc_ns == START_UTC_NS
    assert abs(samples[-1].start_utc_ns - START_UTC_NS - 14_950 / 495 * 1e9) < 1e6


@pytest.mark.parametrize("rate_hz", [50, 128, 495, 500, 860, 1000, 4300])
def test_odd_rates_are_found_by_a_time_column(rate_hz):
    text = "".join(f"{n * 1e6 / rate_hz:.0f},{count}\n" for n, count in enumerate(COUNTS))
    samples = waves(replayed(text, columns=COLUMNS))
    assert {one.rate_hz for one in samples} == {rate_hz}
    assert {one.missing for one in samples} == {0}


def test_fractions_are_made_whole_without_loss():
    values = [(count - 2048) * 8.05664e-4 for count in COUNTS[:1000]]
    text = "".join(f"{n / 250:.3f},{value:.9e}\n" for n, value in enumerate(values))
    samples = waves(replayed(text, columns=COLUMNS, rate_hz=250, counts_per_m_s=28.8))
    scale = samples[0].counts_per_m_s / 28.8
    assert np.allclose(np.array(all_counts(samples)) / scale, values, atol=1e-6)
    assert samples[0].calibrated


def test_several_channels_and_columns_that_are_not_read():
    text = "".join(f"{n},{n % 7},{-(n % 5)},99\n" for n in range(1000))
    out = replayed(text, columns=("index", "ehz", "EHN", "-"), rate_hz=200)
    assert all_counts(waves(out)) == [n % 7 for n in range(1000)]
    assert all_counts(waves(out, "EHN")) == [-(n % 5) for n in range(1000)]
    assert {one.channel for one in out} == {"EHZ", "EHN"}


@pytest.mark.parametrize("rate_hz", [250.0, None])
def test_gaps_of_a_time_column_are_counted_where_they_are(rate_hz):
    def time_ms(n):
        return T0_S * 1000 + 4 * n + (3_600_000 if n >= 7000 else 0)

    rows = [f"{time_ms(n)},{n}\n" for n in range(9000) if not 3000 <= n < 3101]
    samples = waves(replayed("".join(rows), columns=COLUMNS, rate_hz=rate_hz))
    gaps = {int(one.counts[0]): one.missing for one in samples if one.missing}
    assert gaps == {3101: 101, 7000: 900_000}
    assert all(one.start_utc_ns == time_ms(int(one.counts[0])) * 1_000_000 for one in samples)


@pytest.mark.parametrize("scatter", [0.1, 0.2, 0.25, 0.4, 2.0])
def test_times_that_scatter_cost_no_sample(scatter):
    off = np.random.default_rng(2).normal(0.0, scatter, 12_000)
    rows = [f"{1 + (n + off[n]) / 495:.6f},{n}\n" for n in range(12_000)]
    out = replayed("".join(rows), columns=COLUMNS, rate_hz=495)
    assert all_counts(out)[:11_900] == list(range(11_900))
    assert sum(one.missing for one in out) == 0
    assert abs(out[-1].start_utc_ns - START_UTC_NS - out[-1].counts[0] / 495 * 1e9) < 20e6


def test_a_row_that_comes_twice_is_one_too_many():
    rows = [f"{4 * n},{n}\n" for n in range(2000)]
    rows.insert(1000, rows[999])
    out = replayed("".join(rows), columns=COLUMNS, rate_hz=250)
    assert [one.reason for one in out if not isinstance(one, WaveformSample)] == ["time"]
    assert all_counts(waves(out)) == list(range(2000))


def test_a_row_with_a_damaged_time_makes_no_sample():
    rows = [f"{4 * n},{n}\n" for n in range(2000)]
    rows[1000] = "47,31\n"
    out = replayed("".join(rows), columns=COLUMNS, rate_hz=250)
    assert 31 not in all_counts(waves(out))[100:]
    assert [one.reason for one in out if isinstance(one, Malformed)] == ["time"]
    assert sum(one.missing for one in waves(out)) == 1


def test_a_counter_of_32_bits_that_begins_again_is_no_jump():
    rows = [f"{(2**32 - 4_000_000 + 4000 * n) % 2**32},{n}\n" for n in range(4000)]
    out = replayed("".join(rows), columns=COLUMNS, rate_hz=250)
    assert [one for one in out if not isinstance(one, WaveformSample)] == []
    assert len(all_counts(waves(out))) > 3950


def live(lines, *, every_ms, burst_ms=0, driver=None, from_ms=0):
    """Feed lines as they would arrive; what came back."""
    driver = driver or AsciiDriver(config(columns=("counts",)), Origin.SENSOR)
    out = []
    for number, line in enumerate(lines):
        at_ms = from_ms + (number + 1) * every_ms
        if burst_ms:
            at_ms += -at_ms % burst_ms
        out += driver.feed(line, T0_NS + round(at_ms * 1e6))
    return out


@pytest.mark.parametrize("rate_hz", [100, 250, 495])
@pytest.mark.parametrize("burst_ms", [0, 16, 100])
def test_without_rate_and_time_the_arrival_tells(rate_hz, burst_ms):
    lines = [b"%d\r\n" % (n % 100) for n in range(25 * rate_hz)]
    samples = waves(live(lines, every_ms=1000 / rate_hz, burst_ms=burst_ms))
    assert abs(samples[0].rate_hz / rate_hz - 1) < 0.004
    assert {one.missing for one in samples} == {0}
    before = 0
    for one in samples:
        assert abs(one.start_utc_ns - T0_NS - before / rate_hz * 1e9) < 60e6
        before += len(one.counts)


def test_a_pause_of_a_link_without_times_is_counted():
    driver = AsciiDriver(config(columns=("counts",), rate_hz=250.0), Origin.SENSOR)
    lines = [b"%d\n" % (n % 100) for n in range(2500)]
    first = live(lines, every_ms=4, driver=driver)
    second = live(lines, every_ms=4, driver=driver, from_ms=20_000)
    assert sum(one.missing for one in waves(first)) == 0
    missing = [one.missing for one in waves(second) if one.missing]
    assert missing == [2500]


def test_a_clock_that_jumps_is_told_and_dated_anew():
    driver = AsciiDriver(config(columns=COLUMNS, rate_hz=250.0), Origin.SENSOR)
    lines = [b"%d,%d\n" % (4 * n if n < 1000 else 4 * n - 3900, n) for n in range(2000)]
    out = live(lines, every_ms=4, driver=driver)
    told = [(one.code, one.active) for one in out if isinstance(one, StatusSample)]
    assert told == [("clock", True), ("clock", False)]
    assert all_counts(waves(out)) == list(range(2000))
    assert sum(one.missing for one in waves(out)) == 0


def test_times_never_run_backwards_however_the_arrival_jumps():
    driver = AsciiDriver(config(columns=("counts",), rate_hz=100.0), Origin.SENSOR)
    chance = random.Random(4)
    last_ns = 0
    for number in range(5000):
        at_ns = T0_NS + number * 10_000_000 + chance.choice((0, 0, 0, 3 * SECOND_NS))
        for one in driver.feed(b"%d\n" % number, at_ns):
            if isinstance(one, WaveformSample):
                assert one.start_utc_ns >= last_ns
                last_ns = one.start_utc_ns


def test_a_heading_that_names_the_time_is_recognised_and_bare_numbers_are_not():
    form = AsciiCapture()
    assert form.recognise("a.csv", b"time,counts\r\n0,5\r\n4,6\r\n8,7\r\n12,")
    assert form.recognise("a.csv", b"# Time;ehz\n0;5\n4;6\n")
    assert not form.recognise("a.csv", b"0,5\n4,6\n")
    assert not form.recognise("a.csv", b"time,what\nnow,5\n")


def test_a_rate_that_the_times_contradict_is_said():
    rows = [f"{n / 495:.6f},{n}\n" for n in range(2000)]
    out = replayed("".join(rows), columns=COLUMNS, rate_hz=250)
    assert [one.code for one in out if isinstance(one, StatusSample)] == ["rate"]
    assert all_counts(waves(out)) == list(range(2000))


def test_a_recorded_counter_that_begins_again_does_not_stop_the_time():
    rows = [f"{(2**32 - 4_000_000 + 4000 * n) % 2**32},{n}\n" for n in range(4000)]
    chunks = list(AsciiCapture().chunks("".join(rows).encode(), "FILE.csv", config(rate_hz=250)))
    assert chunks[-1][0] == START_UTC_NS + 16 * SECOND_NS


def test_columns_may_be_written_as_one_text():
    assert config(columns="time, counts,-").columns == ("time", "counts", "-")


@pytest.mark.parametrize(
    "columns", [("time",), ("time", "time", "x"), ("time", "index", "x"), ("a b",), ("-", "-")]
)
def test_columns_that_make_no_sense_are_refused(columns):
    with pytest.raises(ValueError, match=r"column|index"):
        config(columns=columns)
