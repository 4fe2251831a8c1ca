"""Metrics of the operator's load."""

from dataclasses import replace

import pytest

from edge import alarm_metrics, metrics
from fusion.budget import Budget
from fusion.handling_policy import HandlingPolicy
from fusion.types import Level
from tests.fusion.desks import Desk, asked, walker
from tests.fusion.test_alarms import ns

POLICY = HandlingPolicy()
DAY_S = 24 * 3600.0


def value(name, **labels):
    return metrics.REGISTRY.get_sample_value(f"garita_{name}", labels)


def taken(desk: Desk, at_s: float) -> None:
    budget = Budget(POLICY)
    for told_s, alert in desk.told:
        budget.told(alert, ns(told_s))
    budget.advance(ns(at_s))
    alarm_metrics.take(desk.desk.state(ns(at_s)), budget, POLICY.alerts_per_h, ns(at_s))


def test_a_flood_shows_its_groups_and_what_they_hold():
    desk = Desk()
    for number in range(30):
        desk.believe(float(number), walker(number, number, zone=f"zone-{number % 3}"))
        desk.tick(number + 0.1)
    taken(desk, 40.0)
    assert (value("alert_groups"), value("folded_alerts")) == (3, 24)
    assert value("operator_alerts_last_10_minutes") == 9
    assert value("operator_load_ratio") == pytest.approx(9 / 6)
    assert value("flood") == 0, "of which nobody needs to know: nine have rung"


def test_a_stale_alert_is_named_until_it_is_over_and_no_more_than_ten_are():
    desk = Desk()
    for number in range(12):
        desk.believe(0.0, replace(walker(number, 0.0), level=Level.LOG))
    taken(desk, DAY_S + 60.0)
    first = desk.alerts[0]
    known = {"alert": first.alert_id, "event": "PERSON", "place": "east"}
    assert value("stale_alerts") == 12
    assert value("stale_alert_age_seconds", **known) == pytest.approx(DAY_S + 60.0)
    ages = [
        one for one in metrics.REGISTRY.collect() if one.name == "garita_stale_alert_age_seconds"
    ]
    assert len(ages[0].samples) == alarm_metrics.MOST_NAMED
    taken(Desk(), DAY_S + 60.0)
    assert (value("stale_alerts"), value("stale_alert_age_seconds", **known)) == (0, None)


def test_what_is_shelved_and_what_chatters_is_counted():
    desk = Desk()
    desk.shelve(0.0, asked(0.0, 60.0, place="east"))
    taken(desk, 1.0)
    assert (value("shelved_entries"), value("chattering_alerts")) == (1, 0)


def test_the_mix_of_priorities_adds_to_one():
    desk = Desk()
    desk.believe(0.0, walker(1, 0.0), walker(2, 0.0, level=Level.CRITICAL, nats=5.0))
    taken(desk, 1.0)
    shares = [value("alert_priority_ratio", priority=name) for name in ("low", "medium", "high")]
    assert shares == [0.5, 0.0, 0.5]
    assert value("top_sources_ratio") == 1.0
