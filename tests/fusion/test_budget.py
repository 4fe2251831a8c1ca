"""What an operator is asked to do, counted from the times of alerts."""

from dataclasses import replace

import pytest

from fusion.budget import MAX_KNOWN, Budget
from fusion.handling_policy import HandlingPolicy
from fusion.types import Alert, Level, Phase
from tests.fusion.desks import Desk, walker
from tests.fusion.test_alarms import ns

POLICY = HandlingPolicy()


def alert(number: int, level: Level = Level.ADVISORY, phase: Phase = Phase.NEW) -> Alert:
    (made,) = Desk().believe(0.0, walker(number, 0.0))
    return replace(made, level=level, phase=phase)


def rung(times_s: list[float], policy: HandlingPolicy = POLICY) -> Budget:
    budget = Budget(policy)
    budget.advance(ns(0.0))
    for number, at_s in enumerate(times_s):
        budget.told(alert(number), ns(at_s))
    return budget


def test_what_rang_is_counted_for_the_last_hour_and_the_last_ten_minutes():
    budget = rung([0.0, 100.0, 3500.0, 3550.0])
    assert (budget.per_hour, budget.per_window) == (4, 2)
    budget.advance(ns(3650.0))
    assert (budget.per_hour, budget.per_window) == (3, 2)
    assert budget.mean_per_hour == pytest.approx(4 * 3600 / 3650)


def test_two_operators_share_what_rings():
    assert rung([0.0, 1.0], replace(POLICY, operators=2)).per_hour == 1.0


def test_an_alert_rings_once_however_often_it_is_told():
    budget = Budget(POLICY)
    for at_s, level, phase in (
        (0.0, Level.LOG, Phase.NEW),
        (1.0, Level.ADVISORY, Phase.UPDATE),
        (2.0, Level.WARNING, Phase.UPDATE),
        (3.0, Level.WARNING, Phase.CLEAR),
        (4.0, Level.WARNING, Phase.UPDATE),
    ):
        budget.told(alert(1, level, phase), ns(at_s))
    assert budget.rung == 1
    budget.told(alert(1, Level.WARNING, Phase.NEW), ns(900.0))
    assert budget.rung == 2


def test_a_flood_begins_with_the_tenth_and_ends_below_five_in_ten_minutes():
    budget = rung([float(n) for n in range(9)])
    assert not budget.in_flood
    budget.told(alert(99), ns(10.0))
    assert budget.in_flood
    budget.advance(ns(604.9))
    assert budget.in_flood
    budget.advance(ns(1200.0))
    assert (budget.in_flood, budget.floods) == (False, 1)
    assert budget.flood_share == pytest.approx((605.0 - 10.0) / 1200.0)


def test_priorities_are_those_that_alerts_have_reached():
    budget = Budget(POLICY)
    budget.told(alert(1), ns(0.0))
    budget.told(alert(2), ns(0.0))
    budget.told(alert(2, Level.CRITICAL, Phase.UPDATE), ns(1.0))
    budget.told(alert(3, Level.LOG), ns(1.0))
    assert budget.mix == {"low": 0.5, "medium": 0.0, "high": 0.5}


def test_before_anything_has_rung_all_is_nought():
    budget = Budget(POLICY)
    assert (budget.per_hour, budget.flood_share, budget.top_share()) == (0.0, 0.0, 0.0)
    assert (budget.mean_per_hour, set(budget.mix.values())) == (0.0, {0.0})


def test_the_loudest_sources_are_told_by_their_share():
    budget = Budget(POLICY)
    for number in range(10):
        one = alert(number)
        facts = {**one.facts, "source": "geo-1" if number < 6 else f"geo-{number}"}
        budget.told(replace(one, facts=facts), ns(float(number)))
    assert budget.top_share(1) == pytest.approx(0.6)
    assert budget.top_share(10) == 1.0


def test_what_is_told_again_unanswered_is_counted_apart():
    desk, budget = Desk(), Budget(POLICY)
    desk.believe(0.0, walker(1, 0.0, level=Level.CRITICAL, nats=3.0))
    desk.tick(POLICY.realarm_critical_s)
    for at_s, told in desk.told:
        budget.told(told, ns(at_s))
    assert (budget.rung, budget.realarms) == (1, 1)


def test_a_flood_of_thirty_tracks_keeps_to_ten_rings_in_ten_minutes():
    desk, budget = Desk(), Budget(POLICY)
    for number in range(30):
        desk.believe(number / 10, walker(number, number / 10, zone=f"zone-{number % 5}"))
        desk.tick(number / 10 + 0.05)
    desk.until(4, 300)
    for at_s, told in desk.told:
        budget.told(told, ns(at_s))
    assert budget.rung <= 10


def test_what_is_remembered_is_bounded():
    budget = Budget(POLICY)
    one = alert(1)
    for number in range(MAX_KNOWN + 10):
        budget.told(replace(one, alert_id=str(number)), ns(0.0))
    assert len(budget._known) == MAX_KNOWN
