"""What a portal learns of its own clean spectra."""

import numpy as np
import pytest

from fusion.spectra.shape_mode import ShapeMode

BINS = 120
EXPECTED = 4000.0 * np.exp(-np.arange(BINS) / 40.0) / 38.0


def shadow():
    """A change that sums to nothing, per count: fewer at low and at high energies."""
    wave = np.sin(np.pi * np.arange(BINS) / BINS)
    return EXPECTED * (wave - (EXPECTED * wave).sum() / EXPECTED.sum()) / EXPECTED.sum()


def learned(passes, *, seed=1, sd=0.2):
    rng = np.random.default_rng(seed)
    mode = ShapeMode()
    for _ in range(passes):
        mean = EXPECTED + rng.normal(0.0, sd) * shadow() * EXPECTED.sum()
        counts = rng.poisson(np.maximum(mean, 0.0) * rng.uniform(0.75, 1.0))
        mode.update(counts.astype(float), EXPECTED)
    return mode.mode


def test_the_way_that_spectra_differ_is_learned():
    found = learned(300)
    assert found is not None
    weight = 1.0 / np.sqrt(EXPECTED)
    cosine = (found * weight) @ (shadow() * weight)
    cosine /= np.linalg.norm(found * weight) * np.linalg.norm(shadow() * weight)
    assert abs(cosine) > 0.95
    size = np.linalg.norm(found * weight) / np.linalg.norm(shadow() * weight)
    assert size == pytest.approx(0.2, rel=0.25)
    assert found.sum() == pytest.approx(0.0, abs=1e-9)


def test_chance_alone_teaches_nothing():
    assert learned(300, sd=0.0) is None


def test_a_few_spectra_teach_nothing():
    assert learned(10) is None


def test_the_same_spectra_teach_the_same():
    assert np.array_equal(learned(60), learned(60))


def test_one_strong_line_that_went_unseen_turns_it_little():
    rng = np.random.default_rng(2)
    mode = ShapeMode()
    for turn in range(200):
        mean = EXPECTED + rng.normal(0.0, 0.2) * shadow() * EXPECTED.sum()
        mean[60:64] += 3000.0 if turn == 150 else 0.0
        mode.update(rng.poisson(np.maximum(mean, 0.0)).astype(float), EXPECTED)
    weight = 1.0 / np.sqrt(EXPECTED)
    found = mode.mode
    cosine = (found * weight) @ (shadow() * weight)
    cosine /= np.linalg.norm(found * weight) * np.linalg.norm(shadow() * weight)
    assert abs(cosine) > 0.9
