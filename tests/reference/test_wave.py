import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.kernels import wave
from fusion.seismic_filters import butterworth_band, low_pass


def noise(size, seed=1, scale=1000):
    return np.random.default_rng(seed).normal(0, scale, size)


def naive_decimated(counts, taps, factor, base):
    half = len(taps) // 2
    longer = np.pad(counts.astype(np.int64) - base, half, mode="edge").astype(np.float64)
    return np.array([taps @ longer[at : at + len(taps)] for at in range(0, len(counts), factor)])


def naive_band_passed(samples, sections, gain):
    out = samples - samples[0]
    for a1, a2 in sections:
        x = np.concatenate([[0.0, 0.0], out])
        y = np.zeros(len(x))
        for i in range(2, len(x)):
            y[i] = x[i] - x[i - 2] - a1 * y[i - 1] - a2 * y[i - 2]
        out = y[2:]
    return gain * out


def naive_power(samples, first, size):
    window = samples[first : first + size]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(size) + 0.5) / size)
    return np.abs(np.fft.fft(hann * (window - window.mean()))[: size // 2]) ** 2


@pytest.mark.parametrize(("size", "factor"), [(1, 1), (57, 1), (400, 2), (301, 17), (5, 17)])
def test_decimation_is_the_naive_one(size, factor):
    counts = (noise(size) + 2**30).astype(np.int32)
    taps = low_pass(factor)
    kept = wave.decimated(counts, taps, factor, int(counts[0]))
    assert kept == pytest.approx(naive_decimated(counts, taps, factor, int(counts[0])), abs=1e-6)


def test_the_largest_counts_are_not_too_large():
    counts = np.array([-(2**31), 2**31 - 1], np.int32)
    assert wave.decimated(counts, np.ones(1), 1, -(2**31)).tolist() == [0.0, 2.0**32 - 1]


@pytest.mark.parametrize("size", [1, 2, 3, 200])
def test_the_band_pass_is_the_naive_one(size):
    samples = noise(size) + 5e6
    sections, gain = butterworth_band(2, 5.0, 40.0, 200.0)
    passed = wave.band_passed(samples, np.array(sections), gain)
    assert passed == pytest.approx(naive_band_passed(samples, sections, gain), abs=1e-6)


@settings(max_examples=25)
@given(st.integers(1, 60), st.lists(st.integers(0, 60), min_size=2, max_size=12), st.integers(0, 9))
def test_columns_are_the_naive_ones(size, places, seed):
    samples = noise(size, seed)
    edges = np.minimum(np.sort(np.array(places, np.int64)), size)
    first, last = edges[:-1], edges[1:]
    low, high, mean = (np.full(len(first), np.nan) for _ in range(3))
    wave.extremes(samples, first, last, low, high)
    wave.mean_sizes(samples, first, last, mean)
    for c, (begin, end) in enumerate(zip(first, last, strict=True)):
        if begin == end:
            assert np.isnan([low[c], high[c], mean[c]]).all()
            continue
        joined = samples[max(begin - 1, 0) : end]
        assert (low[c], high[c]) == (joined.min(), joined.max())
        assert mean[c] == pytest.approx(np.abs(samples[begin:end]).mean())


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_the_spectrogram_is_the_naive_one(columns):
    size = 32
    samples = noise(120) + np.linspace(0, 300, 120)
    first = np.linspace(0, 120 - size, columns).astype(np.int64)
    power = np.full((columns, size // 2), np.nan)
    wave.powers(samples, first, power)
    for c in range(columns):
        assert power[c] == pytest.approx(naive_power(samples, first[c], size), rel=1e-9, abs=1e-3)


def test_a_window_that_is_not_whole_is_left():
    samples = noise(40)
    first = np.array([-1, 0, 9, 24, 25, 8], np.int64)
    power = np.full((6, 8), -1.0)
    wave.powers(samples, first, power)
    assert (power[[0, 4]] == -1.0).all()
    for c in (1, 2, 3, 5):
        assert power[c] == pytest.approx(naive_power(samples, first[c], 16), rel=1e-9, abs=1e-3)
