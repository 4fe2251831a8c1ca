"""Slow, obvious NumPy twins of the kernels over the slices of one vehicle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.kernels.radiation import source_profile
from fusion.kernels.spectra_pass import highest_window, profiles


def naive_window(scores, variances, usable, lengths):
    best = (0, 0, 0, 0.0)
    for length in lengths:
        for first in range(len(variances) - length + 1):
            part = slice(first, first + length)
            if not usable[part].all() or variances[part].sum() <= 0.0:
                continue
            heights = scores[part].sum(axis=0) / np.sqrt(variances[part].sum())
            if heights.max() > best[3] + 1e-9:
                best = first, length, int(heights.argmax()), heights.max()
    return best


@given(st.integers(0, 200))
def test_the_highest_window(seed):
    rng = np.random.default_rng(seed)
    slices, columns = rng.integers(1, 25), rng.integers(1, 4)
    scores = rng.normal(size=(slices, columns))
    variances, usable = rng.uniform(0.2, 2.0, slices), rng.uniform(size=slices) < 0.8
    lengths = np.arange(1, slices + 1)
    found = highest_window(scores, variances, usable, lengths)
    expected = naive_window(scores, variances, usable, lengths)
    assert found[:3] == expected[:3]
    assert found[3] == pytest.approx(expected[3])


def test_of_windows_as_high_as_each_other_the_first_and_shortest_is_taken():
    scores = np.full((4, 2), -1.0)
    scores[1:3] = 4.0
    found = highest_window(scores, np.ones(4), np.ones(4, bool), np.array([1]))
    assert found == (1, 1, 0, 4.0)
    none = highest_window(-scores[:1], np.ones(1), np.ones(1, bool), np.array([1, 2]))
    assert none == (0, 1, 0, 1.0)
    assert highest_window(scores, np.ones(4), np.zeros(4, bool), np.array([1]))[3] == 0.0


def test_the_profile_at_each_place():
    passed_m, places_m = np.linspace(-2.0, 14.0, 30), np.array([0.0, 3.25, 9.0])
    found, expected = profiles(passed_m, places_m, 2.5), np.empty(30)
    for k, place_m in enumerate(places_m):
        source_profile(passed_m, place_m, 0.0, 2.5, expected)
        assert np.array_equal(found[k], expected)
