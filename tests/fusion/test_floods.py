"""In a flood the operator hears of groups; every member is still an alert, and can be found."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.floods import MAX_MEMBERS, family_of
from fusion.handling_policy import HandlingPolicy
from fusion.types import Alert, Event, Level, Phase
from tests.fusion.desks import Desk, walker

POLICY = HandlingPolicy()
MANY = 30


def flooded(**also: object) -> Desk:
    """Thirty tracks within half a minute, in three zones."""
    desk = Desk()
    for number in range(MANY):
        desk.believe(float(number), walker(number, number, zone=f"zone-{number % 3}", **also))
        desk.tick(number + 0.1)
    desk.until(MANY, MANY + 60)
    return desk


def groups(desk: Desk) -> list[Alert]:
    return [a for a in desk.desk.active if "members" in a.facts]


def reachable(desk: Desk) -> set[str]:
    """Ids that the operator can come to from what was rung."""
    rung = set(desk.rings())
    members = {
        name
        for alert in desk.alerts
        if alert.alert_id in rung
        for name in alert.facts.get("members", ())
    }
    return rung | members


def test_of_thirty_simultaneous_tracks_an_operator_sees_ten_at_most_and_none_is_lost():
    desk = flooded()
    assert len(desk.rings()) <= 10
    tracks = {
        a.alert_id for a in desk.alerts if a.event is Event.PERSON and "members" not in a.facts
    }
    assert len(tracks) == MANY
    assert tracks <= reachable(desk)
    assert {a.alert_id for a in desk.desk.active} >= tracks


def test_a_member_is_told_in_the_log_with_its_own_level_and_its_group():
    desk = flooded()
    known = {group.alert_id: group for group in groups(desk)}
    members = [a for a in desk.desk.active if "group" in a.facts]
    assert len(members) == MANY - POLICY.flood_singles
    for member in members:
        assert (member.level, member.facts["own_level"]) == (Level.LOG, Level.ADVISORY)
        assert member.alert_id in known[member.facts["group"]].facts["members"]


def test_a_group_says_how_many_where_how_bad_and_which():
    desk = flooded()
    (group,) = [one for one in groups(desk) if one.zone == "zone-0"]
    assert group.event is Event.PERSON
    assert group.facts["group_size"] == len(group.facts["members"]) == group.facts["group_active"]
    assert group.facts["places"] == ("zone-0",)
    assert group.facts["strongest"] in group.facts["members"]
    assert group.revision == sum(a.alert_id == group.alert_id for a in desk.alerts)


def test_the_table_of_a_group_is_that_of_its_strongest_member_and_adds_up():
    desk = flooded()
    by_id = {alert.alert_id: alert for alert in desk.desk.active}
    for group in groups(desk):
        strongest = by_id[group.facts["strongest"]]
        assert group.contributions == strongest.contributions
        total = math.fsum(row.nats for row in group.contributions)
        assert abs(total - group.score_nats) < 1e-9


def test_a_group_whose_worst_level_rises_is_told_at_once_and_else_every_ten_seconds():
    desk = flooded()
    (before,) = [one for one in groups(desk) if one.zone == "zone-0"]
    desk.believe(90.5, walker(27, 90.5, level=Level.WARNING, zone="zone-0", nats=2.0))
    (worse,) = [one for one in desk.tick(90.6) if one.alert_id == before.alert_id]
    assert (before.level, worse.level) == (Level.ADVISORY, Level.WARNING)
    times = [at_s for at_s, a in desk.told if a.alert_id == before.alert_id and at_s < 90.0]
    assert all(b - a >= POLICY.group_update_s for a, b in pairwise(times))


def test_when_there_is_no_room_for_one_more_group_the_site_has_one():
    desk = Desk()
    for number in range(40):
        desk.believe(float(number), walker(number, number, zone=f"zone-{number}"))
        desk.tick(number + 0.1)
    assert len(desk.rings()) == 10
    (site,) = [one for one in groups(desk) if one.zone is None]
    desk.until(40, 60)
    (site,) = [one for one in groups(desk) if one.zone is None]
    assert len(site.facts["places"]) == 40 - 9


def test_a_place_that_a_group_has_not_named_yet_is_told_at_once():
    desk = Desk()
    for number in range(12):
        desk.believe(float(number), walker(number, number, zone=f"zone-{number}"))
        desk.tick(number + 0.1)
    desk.until(12, 60)
    desk.believe(60.5, walker(99, 60.5, zone="far"))
    (site,) = [one for one in desk.tick(60.6) if "members" in one.facts]
    assert "far" in site.facts["places"]


def test_in_a_flood_the_first_of_another_kind_or_place_is_no_group_of_one():
    desk = Desk()
    for number in range(MANY):
        desk.believe(float(number), walker(number, number))
        desk.tick(number + 0.1)
    told = [
        *desk.believe(91.0, walker(98, 91.0, event=Event.SENSOR_TAMPER)),
        *desk.believe(92.0, walker(99, 92.0, zone="zone-9")),
        *desk.believe(93.0, walker(100, 93.0, zone="zone-8")),
    ]
    assert [alert.level for alert in told] == [Level.ADVISORY, Level.ADVISORY, Level.LOG]
    desk.tick(93.1)
    assert len(desk.rings()) == 10, "six, their group, two firsts, and one for the whole site"


def test_a_group_is_over_when_its_members_are_and_its_ten_minutes_too():
    desk = flooded()
    opened = groups(desk)
    assert opened
    desk.close(95.0, *range(MANY))
    desk.until(95, 599)
    assert {a.alert_id for a in desk.desk.active} == {a.alert_id for a in opened}
    desk.until(600, 640)
    assert desk.desk.active == []
    for group in opened:
        phases = [a.phase for a in desk.alerts if a.alert_id == group.alert_id]
        assert (phases[0], phases[-1], phases.count(Phase.CLEAR)) == (Phase.NEW, Phase.CLEAR, 1)


def test_what_comes_after_the_ten_minutes_rings_for_itself_again():
    desk = flooded()
    desk.close(95.0, *range(MANY))
    desk.until(95, 700)
    (alert,) = desk.believe(700.0, walker(99, 700.0))
    assert (alert.level, "group" in alert.facts) == (Level.ADVISORY, False)


@pytest.mark.parametrize("event", [Event.RAD_THREAT, Event.SHIELDED_SOURCE, Event.RAD_OVERRANGE])
@pytest.mark.parametrize("level", [Level.ADVISORY, Level.CRITICAL])
def test_a_source_is_never_one_of_many(event, level):
    desk = flooded()
    (alert,) = desk.believe(50.0, walker(99, 50.0, event=event, level=level))
    assert (alert.level, "group" in alert.facts) == (level, False)


def test_a_truck_that_has_to_be_stopped_rings_for_itself_in_a_flood():
    desk = flooded()
    (alert,) = desk.believe(50.0, walker(99, 50.0, event=Event.CARGO_ANOMALY, level=Level.WARNING))
    assert alert.level is Level.WARNING


def test_a_sensor_that_is_opened_in_a_flood_rings_for_itself():
    desk = flooded()
    (alert,) = desk.believe(50.0, walker(99, 50.0, event=Event.SENSOR_TAMPER, level=Level.WARNING))
    assert alert.level is Level.WARNING


def test_a_member_that_becomes_critical_rings_for_itself_from_then_on():
    desk = flooded()
    (alert,) = desk.believe(91.0, walker(29, 91.0, level=Level.CRITICAL, zone="zone-2", nats=9.0))
    assert (alert.level, "group" in alert.facts) == (Level.CRITICAL, False)
    desk.tick(101.0)
    (group,) = [one for one in groups(desk) if one.zone == "zone-2"]
    assert group.facts["group_active"] == group.facts["group_size"] - 1


def test_a_drill_in_a_flood_folds_nothing_real():
    desk = Desk()
    for number in range(MANY):
        one = walker(number, number)
        desk.believe(
            float(number),
            type(one)(**{n: getattr(one, n) for n in one.__slots__} | {"exercise": True}),
        )
        desk.tick(number + 0.1)
    (alert,) = desk.believe(50.0, walker(99, 50.0))
    assert (alert.exercise, alert.level) == (False, Level.ADVISORY)
    assert all(group.exercise for group in groups(desk))


def test_two_operators_are_given_twice_as_many():
    desk = Desk(HandlingPolicy(operators=2))
    for number in range(60):
        desk.believe(float(number), walker(number, number, zone=f"zone-{number}"))
        desk.tick(number + 0.1)
    assert len(desk.rings()) == 20


def test_every_event_belongs_to_one_family():
    assert {family_of(event) for event in Event} == {"device", "radiation", "transit", "ground"}
    assert family_of(Event.DIGGING) == "ground"


def test_a_storm_of_hours_is_named_in_turn_and_kept_within_bounds():
    desk = Desk()
    for number in range(3 * MAX_MEMBERS):
        at_s = 4.0 * number
        desk.believe(at_s, walker(number, at_s))
        desk.tick(at_s + 0.1)
        desk.close(at_s + 1.0, number)
        desk.tick(at_s + 2.0)
    assert max(len(a.facts.get("members", ())) for a in desk.alerts) <= MAX_MEMBERS + 16
    tracks = {a.alert_id for a in desk.alerts if "members" not in a.facts}
    assert len(tracks) == 3 * MAX_MEMBERS
    desk.until(4.0 * 3 * MAX_MEMBERS, 4.0 * 3 * MAX_MEMBERS + 20.0)
    assert tracks <= reachable(desk)


levels = st.sampled_from([None, Level.LOG, Level.ADVISORY, Level.WARNING, Level.CRITICAL])
turns = st.lists(
    st.tuples(
        st.integers(0, 24),  # who
        levels,
        st.sampled_from([Event.PERSON, Event.VEHICLE_OFF_LANE, Event.RAD_THREAT]),
        st.sampled_from(["east", "west"]),
        st.sampled_from([0.1, 1.0, 20.0, 100.0]),  # how much later
        st.booleans(),  # whether it ends
    ),
    max_size=80,
)


def lived(steps: list[tuple[int, Level | None, Event, str, float, bool]]) -> Desk:
    desk, at_s = Desk(), 0.0
    for who, level, event, zone, later_s, ends in steps:
        at_s += later_s
        if ends:
            desk.close(at_s, who)
        else:
            one = walker(who, at_s, level=level, event=event, zone=f"{zone}-{who % 2}")
            desk.believe(at_s, one)
        desk.tick(at_s + 0.05)
    return desk


@given(turns)
def test_revisions_count_by_one_and_every_new_alert_is_cleared_or_active(steps):
    desk = lived(steps)
    active = {alert.alert_id: alert for alert in desk.desk.active}
    for name in {alert.alert_id for alert in desk.alerts}:
        said = [alert for alert in desk.alerts if alert.alert_id == name]
        assert [alert.revision for alert in said] == list(range(1, len(said) + 1))
        assert said[0].phase is Phase.NEW
        assert (said[-1].phase is Phase.CLEAR) != (name in active)
        assert active.get(name, said[-1]) == said[-1]


@given(turns)
def test_nothing_that_is_believed_is_lost_and_every_member_can_be_found(steps):
    desk = lived(steps)
    end_s = max((at_s for at_s, _ in desk.told), default=0.0)
    desk.tick(end_s + 15.0)
    believed = {who for who, level, _, _, _, ends in steps if level is not None and not ends}
    told = {a.facts["source"] for a in desk.alerts if "members" not in a.facts}
    assert told == {f"geo-{who}" for who in believed}
    found = reachable(desk)
    for alert in desk.alerts:
        if "group" in alert.facts:
            assert alert.alert_id in found
        if alert.event is Event.RAD_THREAT:
            assert "group" not in alert.facts


@given(turns)
def test_the_same_beliefs_give_the_same_alerts(steps):
    assert lived(steps).told == lived(steps).told


@given(turns)
def test_in_any_ten_minutes_ten_ring_at_most_besides_those_that_must(steps):
    desk = lived(steps)
    must = {
        a.alert_id
        for a in desk.alerts
        if a.event is Event.RAD_THREAT or a.level is Level.CRITICAL or "own_level" in a.facts
    }
    groups_told = {a.alert_id for a in desk.alerts if "members" in a.facts}
    times = sorted(at_s for name, at_s in desk.rings().items() if name not in must - groups_told)
    window_s = POLICY.flood_window_s - 1.0
    for first in times:
        assert sum(first <= at_s <= first + window_s for at_s in times) <= 10
