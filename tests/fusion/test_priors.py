"""Priors per place and hour."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.policy import ScoringPolicy
from fusion.priors import LAWFUL, MOST_OFFSET_NATS, Onset, hour_of, prior, rate_offset_nats
from fusion.questions import EVENTS, QUESTIONS
from fusion.score import score
from fusion.types import SECOND_NS, Event
from tests.fusion.makers import START_UTC_NS, gamma

HOUR_NS = 3600 * SECOND_NS
DUSK = tuple(0.7 if hour == 18 else 0.0 for hour in range(24))
POLICY = replace(
    ScoringPolicy(),
    place_priors_nats={"nb-02": {"norm": 1.25, "medical": -0.5}},
    hour_priors_nats={"norm": DUSK},
    site_utc_offset_h=-7.0,
)
MIDNIGHT_UTC_NS = START_UTC_NS // (24 * HOUR_NS) * 24 * HOUR_NS
AT_DUSK = Onset("nb-02", MIDNIGHT_UTC_NS + (18 + 7) * HOUR_NS)


def test_without_tables_of_places_and_hours_the_prior_is_the_base():
    row = prior("norm", AT_DUSK, ScoringPolicy())
    assert row.nats == ScoringPolicy().priors_nats["norm"]
    assert not row.facts


def test_place_and_hour_are_added_and_named():
    row = prior("norm", AT_DUSK, POLICY)
    assert row.nats == pytest.approx(-3.5 + 1.25 + 0.7)
    assert row.facts == {
        "base_nats": -3.5,
        "place": "nb-02",
        "place_nats": 1.25,
        "hour": 18,
        "hour_nats": 0.7,
    }


def test_another_place_and_another_hour_add_nothing():
    elsewhere = Onset("nb-01", AT_DUSK.utc_ns - HOUR_NS)
    row = prior("norm", elsewhere, POLICY)
    assert (row.nats, row.facts) == (-3.5, {})


@pytest.mark.parametrize(
    ("utc_h", "offset_h", "hour"),
    [(0.0, -7.0, 17), (23.5, 0.5, 0), (5.99, 0.0, 5), (12.0, 5.5, 17)],
)
def test_the_hour_is_that_of_the_sites_day(utc_h, offset_h, hour):
    assert hour_of(MIDNIGHT_UTC_NS + round(utc_h * HOUR_NS), offset_h) == hour


def test_the_onset_counts_and_not_the_time_of_weighing():
    found = gamma(9.0, point=40, extended=30)
    early = score([(found, 1.0)], QUESTIONS["radiation"], AT_DUSK.utc_ns, POLICY, at=AT_DUSK)
    late = AT_DUSK.utc_ns + 3 * HOUR_NS
    assert (
        score([(found, 1.0)], QUESTIONS["radiation"], late, POLICY, at=AT_DUSK).nats == early.nats
    )


@given(st.floats(0, 200), st.floats(0, 200), st.floats(-3, 3), st.integers(0, 23))
def test_prior_and_contributions_still_add_to_the_score(point, extended, offset_nats, hour):
    policy = replace(
        POLICY, hour_priors_nats=dict.fromkeys(QUESTIONS["radiation"], (offset_nats,) * 24)
    )
    found = gamma(9.0, point=point, extended=extended)
    at = Onset("nb-02", MIDNIGHT_UTC_NS + hour * HOUR_NS)
    result = score([(found, 1.0)], QUESTIONS["radiation"], found.end_utc_ns, policy, at=at)
    for name, nats in result.nats.items():
        rows = [c.nats for c in result.contributions if c.explanation == name]
        assert abs(sum(rows) - nats) < 1e-9


@given(st.integers(0, 500), st.floats(0.0, 500.0))
def test_a_learned_rate_moves_a_prior_towards_what_was_counted_and_never_far(count, expected):
    offset = rate_offset_nats(count, expected)
    assert abs(offset) <= MOST_OFFSET_NATS
    assert math.copysign(1.0, offset) == math.copysign(1.0, count - expected) or offset == 0.0


def test_where_little_was_seen_little_is_learned():
    assert rate_offset_nats(0, 0.0) == 0.0
    assert 0.0 < rate_offset_nats(1, 0.1) < rate_offset_nats(10, 1.0) < rate_offset_nats(100, 10.0)
    with pytest.raises(ValueError, match="-1"):
        rate_offset_nats(-1, 1.0)


def test_only_lawful_explanations_are_learned_from_what_came_by():
    threats = {Event.RAD_THREAT, Event.SHIELDED_SOURCE, Event.CARGO_ANOMALY, Event.PORTAL_BYPASS}
    threats |= {Event.PERSON, Event.GROUP, Event.DIGGING, Event.DROP_OFF, Event.CARGO_MISMATCH}
    assert set(LAWFUL) <= set(ScoringPolicy().priors_nats)
    assert not threats & {EVENTS[name] for name in LAWFUL if name in EVENTS}
