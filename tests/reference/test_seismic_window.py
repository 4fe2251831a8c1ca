"""A slow twin of the kernels that read the rings of a channel."""

import math

import numpy as np
import pytest

from fusion.kernels import seismic_layout as kernel
from fusion.kernels import seismic_steps as steps
from fusion.kernels import seismic_window as window
from fusion.kernels.seismic_feed import FRAMES_PER_BIN

SAMPLES, FRAME_HZ = 20, 50.0


def ring_of(seed=1, *, bins=120, period=26, height=6.0):
    """Noise with a knock every so many frames, in a ring that has gone round."""
    random = np.random.default_rng(seed)
    frames = np.abs(random.normal(1.0, 0.3, bins * FRAMES_PER_BIN))
    frames[::period] += height
    table = random.uniform(0.5, 2.0, (bins, kernel.FIELDS))
    table[:, kernel.SUM_4] *= 60.0
    table[:, kernel.FLOOR] = 1.1
    return window.Ring(
        frames.astype(np.float32), table.astype(np.float32), float(SAMPLES), FRAME_HZ
    )


def taken(ring, end, size):
    """The `size` rows before number `end` of a ring, oldest first."""
    return np.array([ring[(end - size + i) % len(ring)] for i in range(size)], np.float64)


def described(ring, last, size):
    out, marks = np.zeros(window.FEATURES), np.zeros(steps.MOST)
    count = window.describe(ring, last, size, out, marks)
    return out, marks[:count]


@pytest.mark.parametrize(("last", "size"), [(30, 30), (117, 30), (125, 12), (700, 21)])
def test_moments_are_those_of_the_bins(last, size):
    ring = ring_of()
    out, _ = described(ring, last, size)
    rows = taken(ring.bins, last, size)
    square, fourth = rows[:, kernel.SUM_2], rows[:, kernel.SUM_4]
    total = size * SAMPLES
    assert out[window.RMS] == pytest.approx(math.sqrt(square.sum() / total))
    assert out[window.KURTOSIS] == pytest.approx(fourth.sum() / total / (square.sum() / total) ** 2)
    whole = size // window.IMPULSE_BINS * window.IMPULSE_BINS
    parts = [one[-whole:].reshape(-1, window.IMPULSE_BINS).sum(axis=1) for one in (square, fourth)]
    head = [one[: size - whole].sum() for one in (square, fourth)]
    if size - whole:  # what is left over at the beginning is with the first part
        parts = [np.concatenate([[h], part]) for h, part in zip(head, parts, strict=True)]
    per_part = SAMPLES * window.IMPULSE_BINS
    impulse = parts[1].sum() * per_part / (parts[0] ** 2).sum()
    assert out[window.IMPULSE] == pytest.approx(impulse)
    rms = np.sqrt(square / SAMPLES)
    assert out[window.ROUGHNESS] == pytest.approx(rms.std() / rms.mean())
    early = square[: size - size // 2].sum()
    assert out[window.SLOPE] == pytest.approx(0.5 * math.log((square.sum() - early) / early))


def smooth(frames):
    padded = np.pad(frames, 2, mode="edge")
    return np.convolve(padded, np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9.0, mode="valid")


@pytest.mark.parametrize("period", [20, 26, 45])
def test_the_rhythm_is_that_of_the_autocorrelation(period):
    ring = ring_of(period=period)
    out, _ = described(ring, 60, 30)
    envelope = smooth(taken(ring.frames, 600, 300))
    root = np.sqrt(envelope) - np.sqrt(envelope).mean()
    power = np.array([(root[lag:] * root[: 300 - lag]).mean() for lag in range(150)])
    power /= power[0]
    assert out[window.CADENCE_HZ] == pytest.approx(FRAME_HZ / period, rel=0.02)
    assert out[window.CADENCE] == pytest.approx(power[period], abs=0.02)
    halves = power[period // 2], power[(period + 1) // 2]
    assert out[window.HALF] == pytest.approx(max(halves), abs=0.02)
    assert out[window.DOUBLE] == pytest.approx(power[2 * period], abs=0.05)


def beat(ring, last):
    """(share, Hz) of the strongest rhythm of all bands together, by sums of cosines."""
    rows = taken(ring.bins, last, min(window.BEAT_BINS, last))
    of = rows[:, kernel.BAND_0 + window.BEAT_FROM_BAND : kernel.BAND_0 + kernel.BANDS]
    together = np.log(of / of.mean(axis=0) + window.BEAT_OFFSET).sum(axis=1)
    reach, places = window.BEAT_TREND, np.arange(len(together))
    trend = [together[max(0, i - reach) : i + reach + 1].mean() for i in places]
    rhythm = together - trend
    best = (0.0, 0.0)
    for half in range(2 * window.BEAT_TURNS[0], 2 * window.BEAT_TURNS[1] + 1):
        turns = half / (2.0 * window.BEAT_BINS)
        weight = abs((rhythm * np.exp(2j * np.pi * turns * places)).sum()) ** 2
        share = (1.0 if turns == 0.5 else 2.0) * weight / len(rhythm) / (rhythm**2).sum()
        best = max(best, (share, turns * FRAME_HZ / FRAMES_PER_BIN))
    return best


@pytest.mark.parametrize(("last", "period"), [(60, 3.1), (300, 2.4), (25, 2.9)])
def test_the_beat_is_that_of_all_bands_together(last, period):
    ring = ring_of()
    share, hz = beat(ring, last)
    out, _ = described(ring, last, 20)
    assert out[window.BEAT] == pytest.approx(share)
    assert out[window.BEAT_HZ] == pytest.approx(hz)
    assert share < 0.4
    # Steps in bands of very different levels, and rumble in the loudest.
    random = np.random.default_rng(4)
    struck = (np.arange(len(ring.bins)) % period < 1.0)[:, None]
    ring.bins[:, kernel.BAND_0 :] *= np.where(struck, 5.0, 1.0) * 10.0 ** np.arange(kernel.BANDS)
    ring.bins[:, kernel.BAND_0 + 4] = 1e9 * random.uniform(0.5, 2.0, len(ring.bins))
    share, hz = beat(ring, last)
    out, _ = described(ring, last, 20)
    assert out[window.BEAT] == pytest.approx(share)
    assert out[window.BEAT_HZ] == pytest.approx(hz)
    assert share > 0.4
    assert hz == pytest.approx(FRAME_HZ / FRAMES_PER_BIN / period, rel=0.06)


def test_the_blows_are_those_of_the_smoothed_frames():
    ring = ring_of()
    out, marks = described(ring, 60, 30)
    envelope = smooth(taken(ring.frames, 600, 300))
    floor = window.FLOOR_MEAN * math.sqrt(1.1)
    expected, places = np.zeros(steps.FEATURES), np.zeros(steps.MOST)
    count = steps.describe(steps.Envelope(envelope, FRAME_HZ, floor), expected, places)
    np.testing.assert_allclose(out[window.STEPS_0 :], expected, rtol=1e-6)
    assert marks.tolist() == places[:count].tolist()
    assert out[window.QUIET] == pytest.approx((envelope < window.QUIET_FLOORS * floor).mean())


def test_silence_has_no_features():
    ring = ring_of()
    still = window.Ring(ring.frames * 0, ring.bins * 0, float(SAMPLES), FRAME_HZ)
    out, marks = described(still, 60, 30)
    assert not out.any()
    assert not marks.size


def test_a_glance_tells_the_newest_bin_and_how_loud_the_last_seconds_are():
    ring, out = ring_of(), np.zeros(window.GLANCE)
    for floor in (0.0, 4.0):
        window.glance(ring, 125, floor, out)
        rows = taken(ring.bins, 125, 10)
        quiet = max(1.1, floor)
        levels = [
            math.sqrt(rows[-back:, kernel.SUM_2].mean() / SAMPLES / quiet) for back in (1, 5, 10)
        ]
        newest = rows[-1]
        expected = [
            newest[kernel.RATIO],
            newest[kernel.ABOVE],
            newest[kernel.PEAK],
            newest[kernel.SUM_2] / SAMPLES,
            quiet,
            *levels,
        ]
        np.testing.assert_allclose(out, expected, rtol=1e-6)


def test_bands_are_sums_over_the_window_beyond_the_quiet():
    ring, quiet, out = ring_of(), np.zeros(kernel.BANDS), np.zeros(kernel.BANDS)
    rows = taken(ring.bins, 125, 30)[:, kernel.BAND_0 :]
    window.bands(ring, 125, 30, quiet, out)
    np.testing.assert_allclose(out, rows.sum(axis=0), rtol=1e-6)
    quiet[:] = 1.0
    window.bands(ring, 125, 30, quiet, out)
    expected = np.maximum(rows.sum(axis=0) - 30.0, window.BAND_REST * rows.sum(axis=0))
    np.testing.assert_allclose(out, expected, rtol=1e-6)
