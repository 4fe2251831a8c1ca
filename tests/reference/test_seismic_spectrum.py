"""Slow twins of the seismic kernels of the spectrum and of the table that weighs terms."""

import math

import numpy as np
import pytest

from fusion.kernels import seismic_spectrum as spectrum
from fusion.kernels.seismic_weigh import gather, weigh

RATE_HZ = 100.0
SIZE = 256


def power_of(samples, size):
    """As the book has it, with NumPy's transform."""
    hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * (np.arange(size) + 0.5) / size)
    starts = range(0, len(samples) - size + 1, size // 2)
    pieces = [samples[at : at + size] for at in starts]
    spectra = [np.abs(np.fft.fft(hann * (piece - piece.mean()))) ** 2 for piece in pieces]
    return np.mean(spectra, axis=0)[: size // 2]


def lines_of(samples, background=None, top_hz=45.0):
    power = spectrum.power_of(samples, SIZE)
    out = np.zeros(spectrum.FEATURES)
    quiet = np.zeros(SIZE // 2) if background is None else background
    spectrum.lines(power, quiet, RATE_HZ / SIZE, top_hz, out)
    return out


@pytest.mark.parametrize("windows", [1, 2])
def test_the_power_is_that_of_a_plain_transform(windows):
    samples = np.random.default_rng(1).standard_normal(windows * SIZE) + 7.0
    np.testing.assert_allclose(
        spectrum.power_of(samples, SIZE), power_of(samples, SIZE), rtol=1e-9, atol=1e-9
    )


def noise(seed=2, size=2 * SIZE):
    return np.random.default_rng(seed).standard_normal(size)


def tone(hz, amplitude=3.0, size=2 * SIZE):
    return amplitude * np.sin(2.0 * np.pi * hz * np.arange(size) / RATE_HZ)


def test_a_tone_is_a_line_where_it_is():
    out = lines_of(noise() + tone(17.3))
    assert out[spectrum.TONE] > 0.6
    assert out[spectrum.TONE_HZ] == pytest.approx(17.3, abs=0.1)
    assert out[spectrum.CENTROID_HZ] == pytest.approx(18.0, abs=2.0)
    assert out[spectrum.LINE_COUNT] >= 1.0
    assert out[spectrum.HIGH] == -1.0  # 100 samples a second carry nothing from 60 Hz up


def test_noise_has_hardly_a_line_and_is_flat():
    counts = [lines_of(noise(seed))[spectrum.TONE] for seed in range(10)]
    assert np.mean(counts) < 0.03
    assert lines_of(noise())[spectrum.FLATNESS] > -1.2
    assert lines_of(noise() + tone(17.3, 30.0))[spectrum.FLATNESS] < -4.0


def test_lines_at_multiples_are_a_comb():
    out = lines_of(noise() + tone(8.0) + tone(16.0, 2.0) + tone(24.0, 2.0))
    assert out[spectrum.COMB] > 0.6
    assert out[spectrum.COMB_HZ] == pytest.approx(8.0, abs=0.4)
    assert lines_of(noise() + tone(17.3))[spectrum.COMB] < 0.1


def test_what_is_always_there_did_not_happen():
    hum = noise() + tone(20.0, 5.0)
    background = power_of(hum, SIZE)
    out = lines_of(noise(3) + tone(20.0, 5.0) + tone(31.0, 3.0), background)
    assert out[spectrum.TONE_HZ] == pytest.approx(31.0, abs=0.2)
    assert out[spectrum.EXCESS] == pytest.approx(math.log((1 + 12.5 + 4.5) / (1 + 12.5)), abs=0.2)
    silent = lines_of(hum, 2.0 * background)
    assert silent[spectrum.TONE] == silent[spectrum.CENTROID_HZ] == 0.0


def test_the_moments_are_those_of_the_excess():
    samples = noise() + tone(12.0)
    power, hz = power_of(samples, SIZE), RATE_HZ / SIZE
    bins = np.arange(math.ceil(spectrum.LOWEST_HZ / hz), int(45.0 / hz) + 1)
    share = power[bins] / power[bins].sum()
    middle = (share * bins * hz).sum()
    width = math.sqrt((share * (bins * hz) ** 2).sum() - middle**2)
    flatness = np.log(share * len(bins) + 1e-4).mean()
    out = lines_of(samples)
    expected = [middle, width / middle, flatness]
    places = [spectrum.CENTROID_HZ, spectrum.BANDWIDTH, spectrum.FLATNESS]
    np.testing.assert_allclose(out[places], expected, rtol=1e-9)


def test_a_spectrum_that_is_too_short_or_silent_says_nothing():
    out = np.ones(spectrum.FEATURES)
    spectrum.lines(np.ones(16), np.zeros(16), 6.25, 45.0, out)
    assert out[spectrum.CENTROID_HZ] == 0.0
    assert not lines_of(np.zeros(SIZE))[:-2].any()


def test_terms_are_weighed_along_straight_pieces_and_no_further_than_the_knots():
    random = np.random.default_rng(4)
    knots = np.sort(random.normal(size=(5, 4)), axis=1)
    nats = random.normal(size=(5, 4, 3))
    for _ in range(50):
        values = random.normal(scale=2.0, size=5)
        values[int(random.integers(5))] = math.nan
        out = np.ones((5, 3))
        weigh(values, knots, nats, out)
        expected = [
            [0.0 if math.isnan(v) else np.interp(v, knots[t], nats[t, :, c]) for c in range(3)]
            for t, v in enumerate(values)
        ]
        np.testing.assert_allclose(out, expected, atol=1e-12)


def test_what_was_said_follows_what_is_said_and_is_summed():
    random = np.random.default_rng(3)
    mean, totals = np.zeros((54, 9)), np.zeros(9)
    twin = mean.copy()
    for look in range(1, 30):
        fresh = random.normal(0.0, 3.0, mean.shape)
        keep = max(1.0 / look, 0.15)
        gather(fresh, keep, mean, totals)
        twin += keep * (fresh - twin)
        assert mean.tobytes() == twin.tobytes()
        assert totals.tobytes() == twin.sum(axis=0).tobytes()
