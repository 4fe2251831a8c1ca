"""Slow twins of the seismic kernels, and obspy where it is installed."""

import math
from pathlib import Path

import numpy as np
import pytest

from drivers.wire.datacast import DatacastDecoder
from fusion.kernels import seismic as kernel
from fusion.kernels import seismic_window as window
from fusion.seismic_channel import BANDS_HZ, Channel, butterworth_band

CAPTURE = Path(__file__).parents[3] / "shared/data/shake/R24FA-datacast.txt"
needs_capture = pytest.mark.skipif(
    not CAPTURE.exists(), reason="the capture R24FA-datacast.txt is not beside this checkout"
)
SCALE = 3.9965e8


def filtered(sections, values):
    """Direct form I, section after section."""
    values = [float(value) for value in values]
    for b0, b1, b2, a1, a2 in sections.tolist():
        x1 = x2 = y1 = y2 = 0.0
        out = []
        for x in values:
            y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
            x1, x2, y1, y2 = x, x1, y, y1
            out.append(y)
        values = out
    return np.array(values)


def sta_lta(values, sta, lta):
    """Recursive STA/LTA, as in the book."""
    ratio, short, long = np.zeros(len(values)), 0.0, 0.0
    for i, value in enumerate(values):
        if i > 0:
            short = value**2 / sta + (1.0 - 1.0 / sta) * short
            long = value**2 / lta + (1.0 - 1.0 / lta) * long
        if i >= lta and long > 0.0:
            ratio[i] = short / long
    return ratio


def triggers(ratio, on, off):
    """(first, last) indices of every trigger."""
    spans, since = [], None
    for i, value in enumerate(ratio):
        if since is None and value > on:
            since = i
        elif since is not None and value < off:
            spans.append((since, i - 1))
            since = None
    return spans if since is None else [*spans, (since, len(ratio) - 1)]


def noisy_counts(seconds=30, rate=100, seed=5):
    random = np.random.default_rng(seed)
    values = random.normal(16_000.0, 50.0, seconds * rate)
    for at in range(15 * rate, seconds * rate - 20, rate // 2):
        values[at : at + 12] += 4000.0 * random.normal(size=12)
    return np.rint(values).astype(np.int32)


def streamed(channel, counts):
    """Ratio, trigger and rings, sample by sample."""
    ratio, tripped = np.zeros(len(counts)), np.zeros(len(counts), bool)
    for i in range(len(counts)):
        channel.feed(counts[i : i + 1])
        ratio[i] = channel.state[kernel.RATIO]
        tripped[i] = channel.state[kernel.TRIGGERED] > 0.0
    return ratio, tripped


@pytest.mark.parametrize("rate", [50, 100, 125, 200])
def test_the_stream_equals_its_twin(rate):
    counts = noisy_counts(rate=rate)
    channel = Channel(rate_hz=rate, counts_per_m_s=SCALE)
    ratio, tripped = streamed(channel, counts)

    high = min(40.0, 0.45 * rate)
    sections = butterworth_band(4, 5.0, high, rate)
    motion = filtered(sections, counts.astype(float) - counts[0])
    expected = sta_lta(motion, round(0.5 * rate), round(10.0 * rate))
    np.testing.assert_allclose(ratio, expected, rtol=1e-9, atol=1e-12)
    on = np.zeros(len(counts), bool)
    for first, last in triggers(expected, 4.0, 1.5):
        on[first : last + 1] = True
    assert on.any()
    np.testing.assert_array_equal(tripped, on)

    per_frame = max(1, round(rate / 50.0))
    velocity = motion / SCALE
    whole = len(counts) // per_frame
    frames = np.abs(velocity[: whole * per_frame]).reshape(whole, per_frame).mean(axis=1)
    recent = channel.motion.frames[np.arange(whole - 500, whole) % kernel.FRAME_RING]
    np.testing.assert_allclose(recent, frames[-500:], rtol=1e-9)

    per_bin = 25 * per_frame
    done = len(counts) // per_bin
    binned = velocity[: done * per_bin].reshape(done, per_bin)
    rows = channel.motion.bins[np.arange(done - 20, done) % kernel.BIN_RING]
    np.testing.assert_allclose(rows[:, kernel.SUM_2], (binned**2).sum(axis=1)[-20:], rtol=1e-9)
    np.testing.assert_allclose(rows[:, kernel.SUM_4], (binned**4).sum(axis=1)[-20:], rtol=1e-9)
    np.testing.assert_allclose(rows[:, kernel.PEAK], np.abs(binned).max(axis=1)[-20:], rtol=1e-9)
    assert channel.state[kernel.FLOOR] == pytest.approx(floor_of((binned**2).mean(axis=1)))
    assert channel.level(4) == pytest.approx(
        math.sqrt((binned[-4:] ** 2).mean() / math.exp(channel.state[kernel.FLOOR]))
    )


def floor_of(powers):
    floor = 0.0
    for i, level in enumerate(np.log(powers)):
        step = level - floor
        if i < 20:
            floor += step / (i + 1)
        else:
            floor += min(step, 1.0) / 240.0 if step > 0.0 else step / 40.0
    return floor


def test_the_bands_equal_their_twin():
    counts = noisy_counts(seconds=12)
    channel = Channel(rate_hz=100, counts_per_m_s=SCALE)
    channel.feed(counts)
    raw = counts.astype(float) - counts[0]
    for band, (low, high) in enumerate(BANDS_HZ):
        energy = (filtered(butterworth_band(2, low, high, 100), raw) / SCALE) ** 2
        binned = energy.reshape(-1, 50).sum(axis=1)
        np.testing.assert_allclose(
            channel.motion.bins[: len(binned), kernel.BAND_0 + band], binned, rtol=1e-9
        )


@pytest.mark.parametrize("seed", range(4))
def test_the_description_of_a_window_equals_its_twin(seed):
    counts = noisy_counts(seconds=24, rate=200, seed=seed)
    channel = Channel(rate_hz=200, counts_per_m_s=SCALE)
    channel.feed(counts)
    got = channel.describe(6.0, 1.3, 3.3)

    velocity = filtered(butterworth_band(4, 5.0, 40.0, 200), counts.astype(float) - counts[0])
    velocity = velocity[-1200:] / SCALE
    binned = velocity.reshape(12, 100)
    rms = np.sqrt((binned**2).mean(axis=1))
    assert got[window.RMS] == pytest.approx(math.sqrt((velocity**2).mean()))
    assert got[window.KURTOSIS] == pytest.approx((velocity**4).mean() / (velocity**2).mean() ** 2)
    assert got[window.IMPULSE] == pytest.approx(
        (binned**4).mean() / ((binned**2).mean(axis=1) ** 2).mean()
    )
    assert got[window.ROUGHNESS] == pytest.approx(rms.std() / rms.mean())
    assert got[window.SLOPE] == pytest.approx(
        0.5 * math.log((rms[6:] ** 2).sum() / (rms[:6] ** 2).sum())
    )
    assert sum(got[window.SHARE_0 :]) == pytest.approx(1.0)

    envelope = np.abs(velocity).reshape(150, 8).mean(axis=1)
    lag, strength = strongest_rhythm(envelope)
    assert got[window.CADENCE] == pytest.approx(strength)
    assert got[window.CADENCE_HZ] == pytest.approx(25.0 / lag, rel=0.05)
    least = max(2.5 * math.exp(0.5 * channel.state[kernel.FLOOR]), 1.2 * envelope.mean())
    peaks = steps_of(envelope, least)
    assert got[window.STEPS] == len(peaks)
    assert got[window.NEW_STEPS] == sum(place >= 124 for place in peaks)
    between = np.diff(peaks)
    assert got[window.STEP_SPREAD] == pytest.approx(between.std() / between.mean())
    heights = envelope[peaks]
    assert got[window.STEP_HEIGHTS] == pytest.approx(heights.std() / heights.mean())


def strongest_rhythm(envelope):
    root = np.sqrt(envelope) - np.sqrt(envelope).mean()
    size = len(root)
    power = [(root[lag:] * root[: size - lag]).mean() / (root**2).mean() for lag in range(22)]
    best = None
    for lag in range(8, 21):
        peak = power[lag] >= power[lag - 1] and power[lag] >= power[lag + 1]
        if peak and (best is None or power[lag] > 1.15 * power[best]):
            best = lag
    return best, min(power[best], 1.0)


def steps_of(envelope, least):
    peaks = []
    for i in range(1, len(envelope) - 1):
        here = envelope[i]
        if here >= least and here >= envelope[i - 1] and here > envelope[i + 1]:
            if peaks and i - peaks[-1] < 4:
                if here > envelope[peaks[-1]]:
                    peaks[-1] = i
            else:
                peaks.append(i)
    return peaks


def capture_counts():
    read = DatacastDecoder().feed(CAPTURE.read_bytes())
    return np.array([c for each in read if each.channel == "EHZ" for c in each.counts], np.int32)


GOLDEN = [
    # band, STA and LTA, on and off, triggers in s, peak: facts/seismic.md 3.1, within their
    # design of the filter, which is not stated; obspy 1.5.1 gives 4.98 and 19.24
    ((0.8, 9.0), (6.0, 30.0), (4.5, 0.5), [(48.7, 85.6)], 4.80),
    ((5.0, 40.0), (0.5, 10.0), (4.0, 1.5), [(48.5, 52.8), (61.2, 64.6)], 19.0),
]


@needs_capture
@pytest.mark.parametrize(("band", "windows", "lines", "spans", "peak"), GOLDEN)
def test_the_real_capture_triggers_as_published(band, windows, lines, spans, peak):
    channel = Channel(
        rate_hz=100,
        counts_per_m_s=SCALE,
        band_hz=band,
        sta_s=windows[0],
        lta_s=windows[1],
        on=lines[0],
        off=lines[1],
    )
    ratio, tripped = streamed(channel, capture_counts())
    edges = np.flatnonzero(np.diff(tripped.astype(int))) / 100.0
    assert len(edges) == 2 * len(spans)
    np.testing.assert_allclose(edges, np.ravel(spans), atol=0.15)
    assert ratio.max() == pytest.approx(peak, rel=0.04)


@needs_capture
@pytest.mark.parametrize(("band", "windows", "lines", "spans", "peak"), GOLDEN)
def test_the_stream_equals_obspy(band, windows, lines, spans, peak):
    trigger = pytest.importorskip("obspy.signal.trigger", reason="obspy is a test extra")
    bandpass = pytest.importorskip("obspy.signal.filter").bandpass
    counts = capture_counts()
    channel = Channel(
        rate_hz=100, counts_per_m_s=SCALE, band_hz=band, sta_s=windows[0], lta_s=windows[1]
    )
    ratio, _ = streamed(channel, counts)
    motion = bandpass(counts - counts[0], *band, 100.0, corners=4)
    expected = trigger.recursive_sta_lta(motion, *(round(100 * s) for s in windows))
    after = round(100 * windows[1]) + 1
    np.testing.assert_allclose(ratio[after:], expected[after:], rtol=1e-9)
    found = trigger.trigger_onset(expected, *lines)
    np.testing.assert_allclose(np.ravel(found) / 100.0, np.ravel(spans), atol=0.15)


@pytest.mark.parametrize(("low", "high", "rate"), [(5.0, 40.0, 100.0), (1.5, 5.0, 200.0)])
def test_the_filter_is_butterworth(low, high, rate):
    sections = butterworth_band(4, low, high, rate)
    f = np.array([low, math.sqrt(low * high), high, 0.2 * low])
    z = np.exp(2j * math.pi * f / rate)
    gain = np.ones(len(f))
    for b0, b1, b2, a1, a2 in sections:
        gain *= np.abs((b0 + b1 / z + b2 / z**2) / (1.0 + a1 / z + a2 / z**2))
    assert gain[0] == pytest.approx(math.sqrt(0.5), rel=1e-6)
    assert gain[1] == pytest.approx(1.0, abs=0.01)
    assert gain[2] == pytest.approx(math.sqrt(0.5), rel=1e-6)
    assert gain[3] < 0.01


def test_a_gap_is_bridged_at_the_level_there_was():
    counts = noisy_counts(seconds=14)
    channel = Channel(rate_hz=100, counts_per_m_s=SCALE)
    channel.feed(counts[:1300])
    held = channel.state[kernel.HELD]
    before = channel.state[[kernel.STA, kernel.LTA]].copy()
    channel.skip(50, 90_000)
    assert channel.state[kernel.SAMPLES] == 1350
    np.testing.assert_array_equal(channel.state[[kernel.STA, kernel.LTA]], before)
    frames = int(channel.state[kernel.FRAMES])
    np.testing.assert_allclose(
        channel.motion.frames[np.arange(frames - 25, frames) % kernel.FRAME_RING], held
    )
    channel.take_peaks()
    channel.feed((counts[1300:] + 90_000 - counts[1300]).astype(np.int32))
    peak_m_s, ratio, tripped = channel.take_peaks()
    assert ratio < 2.5
    assert not tripped
    assert peak_m_s < 1e-6
