import math
from dataclasses import replace

import numpy as np
import pytest

from fusion.alarms import AlarmBook, Claim
from fusion.policy import AlarmPolicy
from fusion.types import SECOND_NS, Alert, Contribution, Event, Level, Phase
from tests.fusion.makers import START_UTC_NS

POLICY = AlarmPolicy()


EXPLAINED = {
    Event.RAD_THREAT: "threat-source",
    Event.RAD_OVERRANGE: "threat-source",
    Event.SHIELDED_SOURCE: "shielded-source",
    Event.CARGO_ANOMALY: "contraband-anomaly",
    Event.PERSON: "person",
    Event.ANIMAL: "animal",
    Event.VEHICLE_OFF_LANE: "vehicle",
    Event.DIGGING: "digging",
    Event.SENSOR_TAMPER: "tamper",
}
PRIOR_NATS = -3.0


def claim(
    nats: float,
    at_s: float,
    *,
    kind: str = "transit",
    key: str = "transit/x",
    event: Event = Event.RAD_THREAT,
    source: str = "rpm-1",
) -> Claim:
    """What is believed after one sensor has spoken, at the level of its probability."""
    probability = 1 / (1 + math.exp(-nats))
    lines = POLICY.level_lines[event]
    levels = [lvl for lvl, line in zip(list(Level)[1:], lines, strict=True) if probability >= line]
    explanation = EXPLAINED[event]
    now = START_UTC_NS + int(at_s * SECOND_NS)
    rows = (("prior", "prior", PRIOR_NATS), (source, "gamma.profile", nats - PRIOR_NATS))
    return Claim(
        key=key,
        kind=kind,
        event=event,
        level=levels[-1] if levels else None,
        probability=probability,
        score_nats=nats,
        site="test",
        lane="nb-01",
        zone=None,
        direction="northbound",
        exercise=False,
        onset_utc_ns=START_UTC_NS,
        updated_utc_ns=now,
        explanations=((explanation, probability), ("nothing", 1 - probability)),
        contributions=tuple(
            Contribution(
                source=speaker,
                kind=test,
                explanation=explanation,
                nats=said,
                age_s=0.0,
                capped=False,
                facts={},
            )
            for speaker, test, said in rows
        ),
        facts={"explanation": explanation, "source": source},
    )


def ns(seconds: float) -> int:
    return START_UTC_NS + int(seconds * SECOND_NS)


def test_an_alert_is_new_then_updated_then_cleared_under_one_id():
    book = AlarmBook(POLICY)
    (new,) = book.consider(claim(1.0, 0.0), ns(0.0))
    (update,) = book.consider(claim(4.0, 2.0), ns(2.0))
    assert book.close("transit/x", ns(10.0)) == []
    assert book.tick(ns(10.0 + POLICY.off_delay_s["transit"] - 1)) == []
    (clear,) = book.tick(ns(10.0 + POLICY.off_delay_s["transit"]))
    assert [a.phase for a in (new, update, clear)] == [Phase.NEW, Phase.UPDATE, Phase.CLEAR]
    assert [a.revision for a in (new, update, clear)] == [1, 2, 3]
    assert len({a.alert_id for a in (new, update, clear)}) == 1
    assert book.active == []


def test_a_change_within_the_deadband_is_not_told_again():
    book = AlarmBook(POLICY)
    book.consider(claim(3.0, 0.0), ns(0.0))
    assert book.consider(claim(3.9, 5.0), ns(5.0)) == []
    assert len(book.consider(claim(4.1, 6.0), ns(6.0))) == 1


def test_a_level_that_changes_is_told_at_once():
    book = AlarmBook(POLICY)
    book.consider(claim(2.0, 0.0), ns(0.0))
    (update,) = book.consider(claim(2.3, 0.1), ns(0.1))
    assert update.level is Level.CRITICAL


def test_what_is_not_worth_a_word_says_nothing():
    book = AlarmBook(POLICY)
    assert book.consider(claim(-9.0, 0.0), ns(0.0)) == []
    assert book.close("transit/x", ns(1.0)) == []
    assert book.tick(ns(1000.0)) == []


def test_a_track_waits_for_its_on_delay():
    book = AlarmBook(replace(POLICY, on_delay_s=POLICY.on_delay_s | {"track": 0.5}))
    assert book.consider(claim(3.0, 0.0, kind="track"), ns(0.0)) == []
    assert len(book.tick(ns(0.5))) == 1


def walk(nats: float, at_s: float, event: Event = Event.PERSON) -> Claim:
    one = claim(nats, at_s, kind="track", key="track/x", event=event, source="geo-1")
    return replace(one, level=one.level or Level.LOG, lane=None, zone="east", direction=None)


def fast(speed_m_s: float, nats: float, at_s: float) -> Claim:
    """A walker who goes north at that speed."""
    one = walk(nats, at_s)
    return replace(one, direction="north", facts={**one.facts, "speed_m_s": speed_m_s})


def test_one_walk_between_two_sensors_rings_once_at_one_level():
    book, hold_s = AlarmBook(POLICY), POLICY.hold_s["track"]
    (new,) = book.consider(walk(0.5, 0.0), ns(0.0))
    (louder,) = book.consider(walk(2.0, 1.0), ns(1.0))
    assert (new.level, louder.level) == (Level.ADVISORY, Level.WARNING)
    for at_s in range(2, 120):
        nats = 2.0 if at_s % 20 == 0 else 0.2
        assert book.consider(walk(nats, at_s), ns(at_s)) == []
        assert book.tick(ns(at_s)) == []
    (fainter,) = book.tick(ns(101 + hold_s))
    assert fainter.level is Level.ADVISORY


def test_what_is_told_meanwhile_is_told_at_the_level_that_holds():
    book = AlarmBook(POLICY)
    book.consider(walk(2.0, 0.0), ns(0.0))
    (north,) = book.consider(replace(walk(0.2, 5.0), direction="north"), ns(5.0))
    assert (north.level, north.direction) == (Level.WARNING, "north")


def test_where_it_goes_is_news_of_an_alert_that_stands():
    book = AlarmBook(POLICY)
    (told,) = book.consider(walk(2.5, 0.0), ns(0.0))
    facts = {**walk(-3.0, 9.0).facts, "speed_m_s": 1.4}
    faded = replace(walk(-3.0, 9.0), level=None, direction="north", facts=facts)
    (north,) = book.consider(faded, ns(9.0))
    assert (north.phase, north.direction) == (Phase.UPDATE, "north")
    assert (north.level, north.probability) == (told.level, told.probability)
    assert north.facts["speed_m_s"] == 1.4
    assert book.consider(faded, ns(10.0)) == []


def test_a_speed_that_was_told_wrong_is_told_again():
    book = AlarmBook(POLICY)
    book.consider(fast(2.8, 2.5, 0.0), ns(0.0))
    for at_s, speed_m_s, said in [(9.0, 2.5, 0), (18.0, 1.4, 1), (27.0, 1.5, 0)]:
        assert len(book.consider(fast(speed_m_s, 2.5, at_s), ns(at_s))) == said


def test_a_walker_who_turns_out_to_be_a_horse_is_told_at_once():
    book = AlarmBook(POLICY)
    book.consider(walk(2.0, 0.0), ns(0.0))
    (horse,) = book.consider(walk(1.0, 5.0, Event.ANIMAL), ns(5.0))
    assert (horse.event, horse.level) == (Event.ANIMAL, Level.LOG)


def test_the_end_ends_a_level_that_holds():
    book, off_s = AlarmBook(POLICY), POLICY.off_delay_s["track"]
    book.consider(walk(2.0, 0.0), ns(0.0))
    assert book.consider(walk(0.2, 1.0), ns(1.0)) == []
    assert book.close("track/x", ns(2.0)) == []
    assert [alert.phase for alert in book.tick(ns(2.0 + off_s))] == [Phase.CLEAR]


def test_a_truck_that_is_cleared_falls_at_once():
    book = AlarmBook(POLICY)
    book.consider(claim(4.0, 0.0), ns(0.0))
    (less,) = book.consider(claim(-2.6, 1.0), ns(1.0))
    assert less.level is Level.ADVISORY


def test_the_id_comes_from_content_and_sorts_by_time():
    def first_id(key: str, onset_s: float) -> str:
        at = replace(claim(3.0, 0.0, key=key), onset_utc_ns=ns(onset_s))
        return AlarmBook(POLICY).consider(at, ns(0.0))[0].alert_id

    assert first_id("a", 0.0) == first_id("a", 0.0)
    assert first_id("a", 0.0) != first_id("b", 0.0)
    assert first_id("b", 0.0) < first_id("a", 5.0)
    assert len(first_id("a", 0.0)) == 26


STILL = replace(
    POLICY,
    deadband_nats=0.0,
    off_delay_s=POLICY.off_delay_s | {"track": 0.0},
    hold_s=POLICY.hold_s | {"track": 0.0},
    reopen_s=0.0,
    chatter_alarms=1_000_000,
)
"""Neither deadband nor delays, and each alarm is one by itself."""
HOVERING = {
    "none": (STILL, 397),
    "deadband 1 nat": (replace(STILL, deadband_nats=1.0), 247),
    "on-delay 3 s": (replace(STILL, on_delay_s=POLICY.on_delay_s | {"track": 3.0}), 109),
    "all three": (
        replace(
            STILL,
            deadband_nats=1.0,
            on_delay_s=POLICY.on_delay_s | {"track": 3.0},
            off_delay_s=POLICY.off_delay_s | {"track": 60.0},
        ),
        78,
    ),
}
"""Alarms in 24 h of a score that hovers 2.2 sigma under the line, at 1 Hz (facts: fusion 2.3)."""
STEP_CORRELATION = 0.945
"""The facts do not name the process. Of Gaussian ones with one step of memory, sigma 1 nat, this
one gives all four figures and the triplets; white noise would cross the line three times as often.
"""
DAY_S = 24 * 3600


def hovering(seed: int) -> np.ndarray:
    """A day of scores in nats, one a second, 2.2 sigma under the line on average."""
    shocks = np.random.default_rng(seed).normal(size=DAY_S) * math.sqrt(1 - STEP_CORRELATION**2)
    scores, last = np.empty(DAY_S), 0.0
    for second, shock in enumerate(shocks):
        last = STEP_CORRELATION * last + shock
        scores[second] = last
    return scores + LINE_NATS - 2.2


LINE_NATS = math.log(POLICY.level_lines[Event.RAD_THREAT][0] / 0.95)


def told_of(scores: np.ndarray, policy: AlarmPolicy) -> list[tuple[int, Alert]]:
    """(second, alert) of everything that a book tells of these scores."""
    book, told = AlarmBook(policy), []
    for second, nats in enumerate(scores):
        if nats < LINE_NATS and not book.active:
            book.close("track/x", ns(second))  # what waits for its on-delay is dropped
            continue
        alerts = book.consider(claim(float(nats), second, kind="track", key="track/x"), ns(second))
        told += [(second, alert) for alert in alerts + book.tick(ns(second))]
    return told


def rings(told: list[tuple[int, Alert]]) -> list[int]:
    return [second for second, alert in told if alert.phase is Phase.NEW]


def triplets(seconds: list[int]) -> int:
    return sum(last - first <= 60 for first, last in zip(seconds, seconds[2:], strict=False))


@pytest.mark.parametrize("name", HOVERING)
def test_a_score_that_hovers_under_the_line_rings_as_often_as_the_known_answer_says(name):
    policy, known = HOVERING[name]
    days = [rings(told_of(hovering(seed), policy)) for seed in range(8)]
    counts = [len(day) for day in days]
    # The known answer is one day: it lies where single days lie, within two of their deviations.
    assert abs(known - np.mean(counts)) < 2.0 * np.std(counts, ddof=1)
    chatter = [triplets(day) for day in days]
    if name == "none":
        assert abs(95 - np.mean(chatter)) < 2.0 * np.std(chatter, ddof=1)
    if name == "all three":
        assert chatter == [0] * 8


def test_what_comes_again_is_the_same_alert_going_on_so_that_a_day_has_fewer_sounds():
    policy, known = HOVERING["all three"]
    told = told_of(hovering(2), replace(policy, reopen_s=POLICY.reopen_s))
    phases = [alert.phase for _, alert in told]
    assert len(rings(told)) < known
    raised = sum("reopened" in a.facts and a.phase is Phase.UPDATE for _, a in told)
    assert raised > 0
    assert phases.count(Phase.CLEAR) >= phases.count(Phase.NEW) - 1
    revisions = [alert.revision for _, alert in told]
    assert revisions == list(range(1, len(told) + 1))


@pytest.mark.parametrize("event", list(Event))
def test_lines_rise_with_the_level(event):
    low, middle, high = POLICY.level_lines[event]
    assert low <= middle <= high


def test_a_speed_that_still_wanders_is_told_once_it_has_been_walked():
    book = AlarmBook(POLICY)
    book.consider(fast(2.9, 2.0, 0.0), ns(0.0))
    assert book.consider(fast(1.9, 2.0, 2.0), ns(2.0)) == []
    (settled,) = book.consider(fast(1.5, 2.0, 12.0), ns(12.0))
    assert settled.facts["speed_m_s"] == 1.5


def test_a_way_that_shows_after_the_last_event_is_told():
    book = AlarmBook(POLICY)
    book.consider(walk(2.0, 0.0), ns(0.3))
    (north,) = book.consider(replace(walk(2.0, 0.0), direction="north"), ns(6.0))
    assert (north.phase, north.direction) == (Phase.UPDATE, "north")


def test_a_way_that_wavers_is_told_no_more_than_once_a_second():
    book = AlarmBook(POLICY)
    book.consider(walk(2.5, 0.0), ns(0.0))
    told = []
    for tenth in range(1, 41):
        at_s = tenth / 10
        way = ("north", "south")[tenth % 2]
        told += book.consider(replace(walk(-3.0, at_s), level=None, direction=way), ns(at_s))
    assert 2 <= len(told) <= 4


def on_ground(nats: float, at_s: float, key: str, event: Event, **at: float) -> Claim:
    """What is believed of somebody at a fence, who began at `onset_s`, `east_m` along it."""
    began = ns(at.get("onset_s", 0.0))
    believed = claim(nats, at_s, kind="track", key=key, event=event)
    place_m = (at.get("east_m", 0.0), 0.0)
    return replace(believed, lane=None, zone="fence", onset_utc_ns=began, place_m=place_m)


def test_what_two_sensors_hear_from_the_same_moment_on_is_one_alert():
    book = AlarmBook(POLICY)
    (new,) = book.consider(on_ground(1.0, 5.0, "track/a", Event.PERSON), ns(5.0))
    beside = on_ground(3.0, 6.0, "track/b", Event.PERSON, onset_s=0.2, east_m=15.0)
    (more,) = book.consider(beside, ns(6.0))
    assert (new.phase, more.phase) == (Phase.NEW, Phase.UPDATE)
    assert (more.alert_id, more.revision) == (new.alert_id, 2)
    assert more.contributions == beside.contributions, "its own table of reasons"
    assert book.active == [more]


@pytest.mark.parametrize(
    ("event", "onset_s", "east_m"),
    [
        pytest.param(Event.PERSON, 20.0, 15.0, id="who walks there a moment later is another"),
        pytest.param(Event.PERSON, 0.0, 90.0, id="who begins out of earshot is another"),
        pytest.param(Event.VEHICLE_OFF_LANE, 90.0, 0.0, id="a car that comes later"),
        pytest.param(Event.ANIMAL, 0.0, 0.0, id="an animal"),
    ],
)
def test_two_that_the_ground_keeps_apart_ring_each_for_itself(event, onset_s, east_m):
    book = AlarmBook(POLICY)
    (first,) = book.consider(on_ground(3.0, 5.0, "track/a", Event.PERSON), ns(5.0))
    other = on_ground(3.0, 95.0, "track/b", event, onset_s=onset_s, east_m=east_m)
    told = book.consider(replace(other, level=Level.WARNING), ns(95.0))
    assert [one.phase for one in told] == [Phase.NEW]
    assert told[0].alert_id != first.alert_id
    assert len(book.active) == 2


def test_who_gets_out_of_a_car_is_told_in_its_alert():
    book = AlarmBook(POLICY)
    (car,) = book.consider(on_ground(3.0, 5.0, "track/a", Event.VEHICLE_OFF_LANE), ns(5.0))
    (walker,) = book.consider(on_ground(3.0, 40.0, "track/b", Event.PERSON, onset_s=30.0), ns(40.0))
    assert (walker.phase, walker.event) == (Phase.UPDATE, Event.PERSON)
    assert walker.alert_id == car.alert_id


def test_what_is_told_beside_something_louder_is_told_once_and_not_as_the_last_word():
    book = AlarmBook(POLICY)
    (loud,) = book.consider(on_ground(3.0, 5.0, "track/a", Event.DIGGING), ns(5.0))
    faint = on_ground(0.2, 9.0, "track/b", Event.DIGGING, onset_s=5.0, east_m=15.0)
    less, again = book.consider(faint, ns(9.0))
    assert [one.level for one in (loud, less, again)] == [3, 2, 3]
    assert [one.revision for one in (loud, less, again)] == [1, 2, 3]
    assert less.contributions == faint.contributions
    assert again.contributions == loud.contributions
    fainter = on_ground(0.1, 50.0, "track/b", Event.PERSON, onset_s=5.0, east_m=15.0)
    assert book.consider(fainter, ns(50.0)) == []


def test_one_alert_of_two_ends_with_the_last_of_them_and_never_repeats_a_revision():
    book = AlarmBook(POLICY)
    told = book.consider(on_ground(3.0, 5.0, "track/a", Event.PERSON), ns(5.0))
    told += book.consider(on_ground(3.0, 6.0, "track/b", Event.PERSON, onset_s=1.0), ns(6.0))
    told += book.close("track/b", ns(10.0))
    told += book.tick(ns(45.0))
    assert [one.phase for one in told] == [Phase.NEW, Phase.UPDATE, Phase.UPDATE]
    told += book.close("track/a", ns(46.0))
    told += book.tick(ns(80.0))
    assert told[-1].phase is Phase.CLEAR and book.active == []
    for key in ("track/b", "track/a"):  # both are heard again
        told += book.consider(on_ground(3.0, 90.0, key, Event.PERSON), ns(90.0))
    assert len({one.alert_id for one in told}) == 1
    assert [one.revision for one in told] == list(range(1, len(told) + 1))
