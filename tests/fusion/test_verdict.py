"""Probabilities to the one event that is told."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.policy import AlarmPolicy
from fusion.questions import EVENTS, KINDRED, QUESTIONS, TRANSIT_QUESTIONS
from fusion.score import Score
from fusion.types import Event, Level
from fusion.verdict import verdict

POLICY = AlarmPolicy()


def answer(**shares):
    """A score with these probabilities; `nothing` has the rest."""
    named = {name.replace("_", "-"): share for name, share in shares.items()}
    whole = named | {"nothing": 1.0 - math.fsum(named.values())}
    ranked = tuple(sorted(whole.items(), key=lambda pair: (-pair[1], pair[0])))
    return Score(explanations=ranked, nats={}, contributions=())


def test_what_asks_more_of_the_operator_is_told_though_something_else_is_likelier():
    found = verdict(answer(norm=0.8, threat_source=0.07), POLICY)
    assert (found.event, found.level) == (Event.RAD_THREAT, Level.ADVISORY)


def test_among_equals_the_most_probable_is_told():
    found = verdict(answer(norm=0.6, medical=0.3, threat_source=0.01), POLICY)
    assert found.event is Event.RAD_INNOCENT
    assert found.probability == pytest.approx(0.9)
    assert found.level is Level.LOG


def test_a_source_is_a_source_however_it_is_hidden():
    found = verdict(answer(threat_source=0.45, shielded_source=0.48), POLICY)
    assert (found.event, found.level) == (Event.SHIELDED_SOURCE, Level.CRITICAL)
    assert found.probability == pytest.approx(0.93)


@pytest.mark.parametrize(
    ("person", "group", "said", "told"),
    [
        (0.50, 0.40, Event.GROUP, Event.GROUP),
        (0.70, 0.20, Event.GROUP, Event.PERSON),
        (0.40, 0.50, None, Event.GROUP),
        (0.40, 0.50, Event.ANIMAL, Event.GROUP),
    ],
    ids=["within a deadband", "beyond it", "nothing was said", "something else was said"],
)
def test_a_name_that_was_told_stands_unless_by_a_deadband_less_likely(person, group, said, told):
    assert verdict(answer(person=person, group=group), POLICY, said=said).event is told


def test_what_is_forced_is_told_with_all_that_is_not_nothing():
    found = verdict(answer(norm=0.3, threat_source=0.3), POLICY, forced=Event.RAD_OVERRANGE)
    assert (found.event, found.level) == (Event.RAD_OVERRANGE, Level.CRITICAL)
    assert found.probability == pytest.approx(0.6)


def test_what_is_no_event_takes_probability_and_is_never_told():
    found = verdict(answer(weather=0.9, person=0.05), POLICY)
    assert found.event is Event.PERSON
    assert found.level is None


@given(st.lists(st.floats(0.0, 1.0), min_size=5, max_size=5), st.floats(0.0, 1.0))
def test_no_probability_is_more_than_all_that_is_not_nothing(shares, nothing):
    total = math.fsum(shares) + nothing or 1.0
    named = dict(zip(QUESTIONS["radiation"], (share / total for share in shares), strict=True))
    result = answer(**{name.replace("-", "_"): share for name, share in named.items()})
    found = verdict(result, POLICY)
    assert 0.0 <= found.probability <= 1.0 - dict(result.explanations)["nothing"] + 1e-9
    assert found.level == POLICY.level_above(found.event, found.probability)


def test_every_question_has_explanations_of_its_own_and_kin_are_events():
    names = [name for question in QUESTIONS.values() for name in question]
    assert len(set(names)) == len(names)
    assert set(TRANSIT_QUESTIONS) < set(QUESTIONS)
    assert {event for kin in KINDRED for event in kin} <= set(EVENTS.values())
