import json

from edge.study.bench_load import delay
from edge.study.figures import as_json, table


def test_a_delay_is_told_with_how_many_were_measured():
    figure = delay("load.north.p50", [1.0, 2.0, 30.0], 0.5, 10, "here")
    assert (figure.value, figure.reached, figure.how) == (2.0, True, "n = 3, here")


def test_where_nothing_was_received_no_goal_is_reached():
    figure = delay("load.north.p50", [], 0.5, 10, "here")
    assert figure.reached is False
    assert "MISSED" in table([figure])
    assert json.loads(as_json([figure]))[0]["value"] is None
