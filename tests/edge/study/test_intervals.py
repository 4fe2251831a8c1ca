import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from edge.study.intervals import proportion


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
