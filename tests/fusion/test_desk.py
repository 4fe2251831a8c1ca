"""Between what is believed and what is told nothing is lost, and the same days tell the same."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.alarm_policy import RADIATION, AlarmPolicy
from fusion.desk import AlarmDesk
from fusion.engine import Engine
from fusion.policy import Policy
from fusion.types import SECOND_NS, AckSample, Alert, Event, Level, Origin, Phase
from tests.fusion.desks import Desk, asked, walker
from tests.fusion.makers import CHECKPOINT
from tests.fusion.test_alarms import claim, ns

ON_DELAY_S = 2.0
TURN_S = 0.5
WAITING = replace(AlarmPolicy(), on_delay_s=AlarmPolicy().on_delay_s | {"track": ON_DELAY_S})

beliefs = st.lists(st.lists(st.booleans(), min_size=1, max_size=40), min_size=1, max_size=12)
"""Of each of some walkers, whether somebody is believed to be there, every half second."""


def lived(walkers: list[list[bool]]) -> list[Alert]:
    """Everything that is told of them; afterwards all are gone, and everything has cleared."""
    desk, alerts = AlarmDesk(Policy(alarms=WAITING), "test"), []
    turns = max(map(len, walkers))
    for turn in range(turns):
        now_utc_ns = ns(turn * TURN_S)
        for number, there in enumerate(walkers):
            level = Level.ADVISORY if turn < len(there) and there[turn] else None
            one = walker(number, turn * TURN_S, level=level, nats=1.0 if level else -5.0)
            alerts += desk.consider(one, now_utc_ns)
        alerts += desk.tick(now_utc_ns)
    for later_s in range(0, 1400, 10):
        for number in range(len(walkers)):
            alerts += desk.close(f"track/{number}", ns(turns * TURN_S + later_s))
        alerts += desk.tick(ns(turns * TURN_S + later_s))
    assert desk.active == []
    return alerts


def longest_s(there: list[bool]) -> float:
    """How long at a stretch somebody was believed to be there."""
    runs, last = [0], 0
    for now in there:
        last = last + 1 if now else 0
        runs.append(last)
    return (max(runs) - 1) * TURN_S


@given(beliefs)
def test_whatever_outlives_its_on_delay_is_told_and_nothing_else_is(walkers):
    told = {a.facts["source"] for a in lived(walkers) if "members" not in a.facts}
    lasting = {f"geo-{n}" for n, there in enumerate(walkers) if longest_s(there) >= ON_DELAY_S}
    assert told == lasting


@given(beliefs)
def test_whatever_was_told_is_cleared_once_it_is_over(walkers):
    alerts = lived(walkers)
    last = {alert.alert_id: alert.phase for alert in alerts}
    assert set(last.values()) <= {Phase.CLEAR}
    for name in last:
        phases = [alert.phase for alert in alerts if alert.alert_id == name]
        assert phases[0] is Phase.NEW


@given(beliefs)
def test_the_same_beliefs_tell_the_same(walkers):
    assert lived(walkers) == lived(walkers)


def test_what_was_cleared_rang_and_comes_again_makes_no_second_sound_in_a_flood():
    desk = Desk()
    desk.believe(0.0, walker(1, 0.0))
    desk.close(1.0, 1)
    desk.tick(32.0)
    for number in range(2, 12):
        desk.believe(33.0, walker(number, 33.0))
    (again,) = desk.believe(40.0, walker(1, 40.0))
    assert (again.phase, again.level, again.facts["reopened"]) == (Phase.UPDATE, Level.ADVISORY, 1)


def test_what_is_told_anew_long_after_it_was_cleared_is_one_more_in_a_flood():
    desk = Desk()
    desk.believe(0.0, walker(1, 0.0))
    desk.close(1.0, 1)
    desk.tick(32.0)
    for number in range(2, 12):
        desk.believe(200.0, walker(number, 200.0))
    (again,) = desk.believe(210.0, walker(1, 210.0))
    assert (again.phase, again.level, "group" in again.facts) == (Phase.NEW, Level.LOG, True)


@pytest.mark.parametrize("event", sorted(RADIATION))
def test_radiation_is_never_kept_waiting(event):
    policy = AlarmPolicy()
    assert policy.delay_ns(policy.on_delay_s, "transit", event) == 0
    with pytest.raises(ValueError, match="pass is over"):
        replace(policy, on_delay_s=policy.on_delay_s | {event.value: 1.5})


def test_an_events_own_delay_goes_before_that_of_its_family():
    policy = AlarmPolicy()
    off_s = {
        event: policy.delay_ns(policy.off_delay_s, "track", event) / SECOND_NS
        for event in (Event.PERSON, Event.DIGGING, Event.AIRCRAFT_LOW)
    }
    assert off_s == {Event.PERSON: 30.0, Event.DIGGING: 120.0, Event.AIRCRAFT_LOW: 60.0}
    assert policy.delay_ns({"track": 7.0}, "track", Event.PERSON) == 7 * SECOND_NS


def test_who_digs_and_rests_for_a_minute_is_one_alert():
    desk = Desk()
    desk.believe(0.0, walker(1, 0.0, event=Event.DIGGING))
    desk.believe(20.0, walker(1, 20.0, event=Event.DIGGING, level=None, nats=-5.0))
    assert desk.until(21, 110) == []
    assert desk.believe(110.0, walker(1, 110.0, event=Event.DIGGING)) == []
    assert len(desk.desk.active) == 1


def test_the_engine_takes_what_is_asked_of_it_by_the_samples_way():
    engine = Engine(CHECKPOINT)
    engine.tick(ns(0.0))
    assert engine.feed(asked(0.0, 60.0, place="fence")) == []
    alerts = [a for tenth in range(1, 700) for a in engine.tick(ns(tenth / 10))]
    silent = [a for a in alerts if a.zone == "fence"]
    assert [a.level for a in silent if a.facts["source"] == "geo-1"] == [Level.LOG, Level.ADVISORY]
    assert [entry.what for entry in engine.take_entries()] == ["shelved", "expired"]
    answer = AckSample(
        sensor_id="",
        origin=Origin.SENSOR,
        start_utc_ns=ns(70.0),
        alert_id=silent[0].alert_id,
        by="north",
    )
    assert engine.feed(answer) == []
    assert engine.desk.shelved == ()


def test_a_claim_that_waits_is_known_and_one_that_was_told_is_said():
    desk = AlarmDesk(Policy(alarms=WAITING), "test")
    one = walker(1, 0.0)
    desk.consider(one, ns(0.0))
    assert (desk.knows(one.key), desk.said(one.key)) == (True, None)
    desk.tick(ns(ON_DELAY_S))
    assert desk.said(one.key) is Event.PERSON
    assert not desk.knows(claim(1.0, 0.0, key="transit/y").key)
