"""What nobody answered is told again, a few times; what is active for a day is stale."""

from dataclasses import replace

import pytest

from fusion.handling_policy import HandlingPolicy
from fusion.ledger import MAX_REMEMBERED, Ledger
from fusion.types import AckSample, Alert, Level, Origin, Phase
from tests.fusion.desks import Desk, walker
from tests.fusion.test_alarms import ns

POLICY = HandlingPolicy()
WAITS_S = {
    Level.WARNING: POLICY.realarm_warning_s,
    Level.CRITICAL: POLICY.realarm_critical_s,
}


def ack(desk: Desk, at_s: float) -> None:
    alert_id = desk.alerts[0].alert_id
    desk.desk.acknowledge(
        AckSample(
            sensor_id="",
            origin=Origin.SENSOR,
            start_utc_ns=ns(at_s),
            alert_id=alert_id,
            by="north",
        ),
        ns(at_s),
    )


@pytest.mark.parametrize("level", WAITS_S)
def test_what_nobody_answers_is_told_again_after_its_time_and_no_more_than_six_times(level):
    desk = Desk()
    desk.believe(0.0, walker(1, 0.0, level=level, nats=3.0))
    assert desk.tick(WAITS_S[level] - 1.0) == []
    (first,) = desk.tick(WAITS_S[level])
    assert (first.phase, first.level, first.facts["realarm"]) == (Phase.UPDATE, level, 1)
    for turn in range(2, 20):
        desk.tick(turn * WAITS_S[level])
    assert [a.facts.get("realarm", 0) for a in desk.alerts] == [0, 1, 2, 3, 4, 5, 6]
    assert [a.revision for a in desk.alerts] == [1, 2, 3, 4, 5, 6, 7]


def test_an_advisory_is_not_told_again():
    desk = Desk()
    desk.believe(0.0, walker(1, 0.0))
    assert desk.tick(4 * POLICY.realarm_warning_s) == []


def test_what_was_answered_is_told_again_only_once_it_has_changed():
    desk = Desk()
    desk.believe(0.0, walker(1, 0.0, level=Level.CRITICAL, nats=3.0))
    ack(desk, 60.0)
    assert desk.tick(2 * POLICY.realarm_critical_s) == []
    at_s = 2 * POLICY.realarm_critical_s + 1.0
    desk.believe(at_s, walker(1, at_s, level=Level.CRITICAL, nats=6.0))
    assert len(desk.tick(at_s + POLICY.realarm_critical_s)) == 1


def test_what_changes_starts_the_time_anew():
    desk = Desk()
    desk.believe(0.0, walker(1, 0.0, level=Level.CRITICAL, nats=3.0))
    desk.believe(500.0, walker(1, 500.0, level=Level.CRITICAL, nats=6.0))
    assert desk.tick(600.0) == []
    assert len(desk.tick(500.0 + POLICY.realarm_critical_s)) == 1


def test_what_is_active_for_more_than_a_day_is_stale():
    desk = Desk()
    (alert,) = desk.believe(0.0, walker(1, 0.0))
    assert desk.desk.state(ns(24 * 3600.0)).stale == ()
    (stale,) = desk.desk.state(ns(24 * 3600.0 + 1.0)).stale
    assert stale.alert_id == alert.alert_id


def test_an_answer_to_nothing_is_passed_over():
    assert not Ledger(POLICY).acknowledge("01JD")


def test_cleared_alerts_are_remembered_within_bounds():
    desk = Desk()
    for number in range(MAX_REMEMBERED + 20):
        desk.believe(0.0, walker(number, 0.0, level=Level.LOG))
        desk.desk.take_back(f"track/{number}", ns(0.0))
    assert len(desk.desk._ledger._revisions) == MAX_REMEMBERED


def judge(desk: Desk, at_s: float, *, confirmed: bool) -> list[Alert]:
    sample = AckSample(
        sensor_id="", origin=Origin.SENSOR, start_utc_ns=ns(at_s),
        alert_id=desk.alerts[0].alert_id, by="north", confirmed=confirmed,
    )  # fmt: skip
    return desk.desk.acknowledge(sample, ns(at_s))


def test_what_a_person_confirmed_is_told_so_once_and_to_its_end():
    desk = Desk()
    desk.believe(0.0, walker(1, 0.0, level=Level.CRITICAL, nats=3.0))
    (told,) = judge(desk, 60.0, confirmed=True)
    assert (told.phase, told.revision, told.facts["confirmed"]) == (Phase.UPDATE, 2, True)
    assert judge(desk, 61.0, confirmed=True) == []
    assert desk.tick(2 * POLICY.realarm_critical_s) == []  # who confirms has answered
    at_s = 2 * POLICY.realarm_critical_s + 1.0
    desk.believe(at_s, walker(1, at_s, level=Level.CRITICAL, nats=6.0))
    assert desk.alerts[-1].revision == 3
    assert "confirmed" in desk.alerts[-1].facts


def test_what_is_over_can_be_confirmed_and_stays_over():
    ledger, desk = Ledger(POLICY), Desk()
    desk.believe(0.0, walker(1, 0.0))
    own = desk.alerts[0]
    ledger.tell(own, ns(0.0))
    ledger.tell(replace(own, phase=Phase.CLEAR), ns(10.0))
    (told,) = ledger.confirm(own.alert_id, True, ns(900.0))
    assert (told.phase, told.revision, told.updated_utc_ns) == (Phase.CLEAR, 3, ns(900.0))
    assert told.facts["confirmed"] is True
    assert ledger.active == []
    (back,) = ledger.confirm(own.alert_id, False, ns(910.0))
    assert (back.revision, "confirmed" in back.facts) == (4, False)
    assert ledger.tell(own, ns(920.0)).revision == 5  # when it comes again


def test_what_nobody_has_confirmed_or_knows_is_told_no_more():
    ledger, desk = Ledger(POLICY), Desk()
    desk.believe(0.0, walker(1, 0.0))
    own = ledger.tell(desk.alerts[0], ns(0.0))
    assert ledger.confirm(own.alert_id, False, ns(1.0)) == []
    assert ledger.confirm("another", True, ns(1.0)) == []
    for n in range(MAX_REMEMBERED + 1):
        name = f"A{n}"
        ledger.tell(replace(own, alert_id=name, phase=Phase.CLEAR), ns(2.0))
    assert ledger.confirm("A0", True, ns(3.0)) == []
    assert len(ledger.confirm("A1", True, ns(3.0))) == 1
