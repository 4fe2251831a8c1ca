import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, chi2

from edge.study.intervals import events, proportion


@given(data=st.data(), of=st.integers(1, 3000))
def test_the_interval_is_that_of_the_beta_distribution(data, of):
    hits = data.draw(st.integers(0, of))
    low, high = proportion(hits, of)
    assert low == pytest.approx(beta.ppf(0.025, hits, of - hits + 1) if hits else 0.0, abs=1e-9)
    assert high == pytest.approx(
        beta.ppf(0.975, hits + 1, of - hits) if hits < of else 1.0, abs=1e-9
    )


def test_more_hits_than_trials_are_refused():
    with pytest.raises(ValueError, match="3 hits of 2"):
        proportion(3, 2)


@given(count=st.integers(0, 300))
def test_the_interval_of_a_count_is_that_of_chi_squared(count):
    low, high = events(count)
    assert low == pytest.approx(chi2.ppf(0.025, 2 * count) / 2 if count else 0.0, rel=1e-9)
    assert high == pytest.approx(chi2.ppf(0.975, 2 * count + 2) / 2, rel=1e-9)


def test_fewer_events_than_none_are_refused():
    with pytest.raises(ValueError, match="-1 events"):
        events(-1)
