import json

from hypothesis import given
from hypothesis import strategies as st

from edge.study.figures import as_json, at_least, at_most, percentile, plain, table


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1.0))
def test_a_percentile_is_a_value_that_the_share_does_not_pass(values, share):
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-6


def test_of_nothing_the_percentile_is_nothing():
    assert percentile([], 0.99) == 0.0


def test_a_goal_is_reached_or_missed_in_words():
    figures = [
        at_most("latency", 9.0, 10.0, "ms", "n = 3"),
        at_least("ratio", 80.0, 100.0, "x", "one core"),
        plain("alerts", 7.0, "", "seen"),
    ]
    lines = table(figures).splitlines()
    assert lines[0].split()[:2] == ["ok", "latency"]
    assert lines[1].split()[:2] == ["MISSED", "ratio"]
    assert lines[2].split()[0] == "alerts"
    assert [one["reached"] for one in json.loads(as_json(figures))] == [True, False, None]
