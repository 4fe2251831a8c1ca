"""What operators asked not to be rung for: kept, told in the log for a while, never a source."""

from dataclasses import replace

import pytest

from fusion.handling_policy import HandlingPolicy
from fusion.shelving import Shelf
from fusion.types import Event, Level, Origin, Phase, ShelveSample
from tests.fusion.desks import Desk, asked, walker
from tests.fusion.test_alarms import ns

POLICY = HandlingPolicy()
HOUR_S = 3600.0


def test_what_is_shelved_is_told_in_the_log_and_says_by_whom_why_and_until_when():
    desk = Desk()
    assert desk.shelve(0.0, asked(0.0, HOUR_S, place="east")) == []
    (alert,) = desk.believe(5.0, walker(1, 5.0, level=Level.WARNING))
    assert (alert.phase, alert.level, alert.facts["own_level"]) == (Phase.NEW, Level.LOG, 3)
    assert alert.facts["shelved"] == {
        "by": "north",
        "reason": "fence works",
        "until_utc_ns": ns(HOUR_S),
    }


def test_what_is_active_is_told_at_once_when_it_is_shelved_and_again_when_that_has_expired():
    desk = Desk()
    (new,) = desk.believe(0.0, walker(1, 0.0))
    (quiet,) = desk.shelve(10.0, asked(10.0, 60.0, event="PERSON"))
    assert (quiet.alert_id, quiet.level, quiet.phase) == (new.alert_id, Level.LOG, Phase.UPDATE)
    assert desk.until(11, 59) == []
    (again,) = desk.tick(60.0)
    assert (again.level, "shelved" in again.facts) == (Level.ADVISORY, False)
    assert [a.revision for a in desk.alerts] == [1, 2, 3]


def test_shelving_can_be_ended_before_its_time():
    desk = Desk()
    desk.shelve(0.0, asked(0.0, HOUR_S, place="east"))
    desk.believe(5.0, walker(1, 5.0))
    (again,) = desk.shelve(9.0, asked(9.0, 9.0, place="east"))
    assert again.level is Level.ADVISORY
    assert [entry.what for entry in desk.desk.take_entries()] == ["shelved", "ended"]
    assert desk.desk.take_entries() == []


def test_every_expiry_is_in_the_log():
    desk = Desk()
    desk.shelve(0.0, asked(0.0, 30.0, place="east"))
    desk.tick(30.0)
    assert [entry.what for entry in desk.desk.take_entries()] == ["shelved", "expired"]
    assert desk.desk.state(ns(31.0)).shelved == ()


@pytest.mark.parametrize("event", POLICY.never_shelved)
def test_a_source_cannot_be_shelved_neither_by_name_nor_with_its_lane(event):
    desk = Desk()
    assert desk.shelve(0.0, asked(0.0, HOUR_S, event=event.value)) == []
    desk.shelve(0.0, asked(0.0, HOUR_S, place="east"))
    assert [entry.refusal for entry in desk.desk.take_entries()] == ["source", ""]
    (alert,) = desk.believe(5.0, walker(1, 5.0, event=event, level=Level.WARNING))
    assert (alert.level, "shelved" in alert.facts) == (Level.WARNING, False)


def test_what_becomes_critical_is_told_whatever_is_shelved():
    desk = Desk()
    desk.shelve(0.0, asked(0.0, HOUR_S, place="east"))
    desk.believe(5.0, walker(1, 5.0))
    (alert,) = desk.believe(9.0, walker(1, 9.0, level=Level.CRITICAL, nats=5.0))
    assert (alert.level, "shelved" in alert.facts) == (Level.CRITICAL, False)


def test_of_a_shelved_sensor_only_what_it_says_alone_is_quiet():
    desk = Desk()
    desk.shelve(0.0, asked(0.0, HOUR_S, sensor_id="geo-1"))
    (alone,) = desk.believe(5.0, walker(1, 5.0))
    two = walker(2, 6.0)
    prior, row = two.contributions
    halves = [replace(row, source=name, nats=row.nats / 2) for name in ("geo-1", "geo-2")]
    (both,) = desk.believe(6.0, replace(two, contributions=(prior, *halves)))
    assert (alone.level, both.level) == (Level.LOG, Level.ADVISORY)


@pytest.mark.parametrize(
    ("sample", "refusal"),
    [
        (replace(asked(0.0, 60.0, place="east"), reason="  "), "no-reason"),
        (asked(0.0, 60.0), "no-scope"),
        (asked(60.0, 0.0, place="east"), "over"),
        (asked(0.0, POLICY.shelve_max_h * HOUR_S + 1.0, place="east"), "too-long"),
        (asked(0.0, 0.0, place="east"), "unknown"),
    ],
)
def test_what_cannot_be_shelved_is_refused_with_why_and_logged(sample: ShelveSample, refusal: str):
    entry = Shelf(POLICY).take(sample)
    assert (entry.what, entry.refusal) == ("refused", refusal)


def test_fewer_than_thirty_are_shelved_at_a_time():
    shelf = Shelf(POLICY)
    taken = [shelf.take(asked(0.0, 60.0, place=f"zone-{n}")).what for n in range(40)]
    assert taken.count("shelved") == POLICY.shelve_max_entries < 30
    assert shelf.take(asked(1.0, 90.0, place="zone-3")).what == "shelved", "known ones may go on"


def test_what_the_configuration_inhibits_may_stand_for_weeks():
    week_s = 7 * 24 * HOUR_S
    assert Shelf(POLICY).take(asked(0.0, week_s, place="east")).refusal == "too-long"
    standing = replace(asked(0.0, week_s, place="east"), standing=True)
    assert Shelf(POLICY).take(standing).what == "shelved"


def test_a_member_of_a_group_that_is_shelved_leaves_it():
    desk = Desk()
    for number in range(10):
        desk.believe(float(number), walker(number, number))
    desk.tick(10.0)
    desk.shelve(11.0, asked(11.0, HOUR_S, sensor_id="geo-9"))
    told = [a for a in desk.desk.active if a.facts.get("source") == "geo-9"]
    (member,) = [a for a in told if "members" not in a.facts]
    assert ("group" in member.facts, "shelved" in member.facts) == (False, True)


def test_who_shelves_in_a_drill_shelves_nothing_real_and_the_configuration_both():
    drill = replace(asked(0.0, HOUR_S, place="east"), origin=Origin.SIMULATOR)
    for sample, levels in (
        (drill, [Level.LOG, Level.ADVISORY]),
        (replace(drill, origin=Origin.SENSOR), [Level.ADVISORY, Level.LOG]),
        (replace(drill, origin=Origin.SENSOR, standing=True), [Level.LOG, Level.LOG]),
    ):
        desk = Desk()
        desk.shelve(0.0, sample)
        told = desk.believe(5.0, replace(walker(1, 5.0), exercise=True), walker(2, 5.0))
        assert [alert.level for alert in told] == levels


def test_an_event_that_nobody_shelved_rings():
    desk = Desk()
    desk.shelve(0.0, asked(0.0, HOUR_S, event="ANIMAL"))
    (alert,) = desk.believe(5.0, walker(1, 5.0, event=Event.DIGGING))
    assert alert.level is Level.ADVISORY
