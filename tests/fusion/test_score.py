import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.evidence import CALIBRATIONS, RADIATION
from fusion.groups import CHOICE_NATS, CHOICE_SHARE
from fusion.policy import AssociationPolicy, ScoringPolicy
from fusion.questions import EVENTS, QUESTIONS
from fusion.score import score
from fusion.types import SECOND_NS
from tests.fusion.makers import START_UTC_NS, dense, gamma, steps

POLICY = ScoringPolicy()
NOW = START_UTC_NS + 20 * SECOND_NS

evidence = st.lists(
    st.one_of(
        st.builds(
            lambda s, p, e: gamma(s, point=p, extended=e),
            st.floats(-5, 200),
            st.floats(0, 1e4),
            st.floats(0, 1e4),
        ),
        st.builds(dense, st.floats(0, 18), st.floats(0, 50)),
    ),
    max_size=6,
)


@given(evidence, st.floats(0.1, 1.0))
def test_prior_and_contributions_add_to_the_score(detections, weight):
    result = score([(d, weight) for d in detections], QUESTIONS["radiation"], NOW, POLICY)
    for name, nats in result.nats.items():
        rows = [c.nats for c in result.contributions if c.explanation == name]
        assert abs(sum(rows) - nats) < 1e-9


@given(evidence)
def test_probabilities_are_the_softmax_of_the_scores(detections):
    result = score([(d, 1.0) for d in detections], QUESTIONS["radiation"], NOW, POLICY)
    shares = dict(result.explanations)
    assert math.isclose(sum(shares.values()), 1.0, abs_tol=1e-12)
    for name, nats in result.nats.items():
        if shares[name] > 1e-300 and shares["nothing"] > 1e-300:
            assert math.isclose(math.log(shares[name] / shares["nothing"]), nats, abs_tol=1e-6)


@given(st.permutations([gamma(9.0, point=40, extended=30), dense(11.0), dense(5.0, 7.0)]))
def test_the_order_of_arrival_does_not_matter(detections):
    result = score([(d, 1.0) for d in detections], QUESTIONS["radiation"], NOW, POLICY)
    same = [gamma(9.0, point=40, extended=30), dense(11.0), dense(5.0, 7.0)]
    assert result == score([(d, 1.0) for d in same], QUESTIONS["radiation"], NOW, POLICY)


def test_of_two_dense_blocks_of_one_scan_only_the_stronger_speaks():
    one = score([(dense(11.0), 1.0)], QUESTIONS["cargo"], NOW, POLICY)
    two = score([(dense(11.0), 1.0), (dense(5.0, 7.0), 1.0)], QUESTIONS["cargo"], NOW, POLICY)
    assert one.nats == two.nats


def test_three_geophones_on_one_trigger_weigh_as_their_correlation_allows():
    alone = score([(steps("geo-1", 20.0), 1.0)], QUESTIONS["motion"], NOW, POLICY)
    rows = [(steps(f"geo-{i}", 20.0), 1.0) for i in (1, 2, 3)]
    together = score(rows, QUESTIONS["motion"], NOW, POLICY)
    prior = POLICY.priors_nats["person"]
    rho = POLICY.group_rho["seismic"]
    gain = (together.nats["person"] - prior) / (alone.nats["person"] - prior)
    assert gain == pytest.approx(3 / (1 + 2 * rho))


def test_steps_grow_old_and_measured_cargo_does_not():
    later = NOW + 120 * SECOND_NS
    fresh = score([(steps("geo-1", 20.0), 1.0)], QUESTIONS["motion"], NOW, POLICY)
    old = score([(steps("geo-1", 20.0), 1.0)], QUESTIONS["motion"], later, POLICY)
    prior = POLICY.priors_nats["person"]
    ratio = (old.nats["person"] - prior) / (fresh.nats["person"] - prior)
    assert ratio == pytest.approx(math.exp(-1.0))
    cargo = score([(dense(11.0), 1.0)], QUESTIONS["cargo"], NOW, POLICY)
    assert score([(dense(11.0), 1.0)], QUESTIONS["cargo"], later, POLICY).nats == cargo.nats


def test_no_source_says_more_than_its_cap():
    strong = dense(11.0, 60.0, homogeneity=1.0)
    result = score([(strong, 1.0)], QUESTIONS["cargo"], NOW, POLICY)
    row = next(c for c in result.contributions if c.explanation == "contraband-anomaly" and c.facts)
    assert strong.nats["contraband-anomaly"] > POLICY.caps_nats["xray.dense"]
    assert row.capped
    assert row.nats == POLICY.caps_nats["xray.dense"]


def test_every_explanation_has_a_prior_and_every_kind_that_speaks_a_cap():
    names = {name for question in QUESTIONS.values() for name in question} | set(EVENTS)
    assert names <= set(POLICY.priors_nats)
    assert {*CALIBRATIONS, *RADIATION} <= set(POLICY.caps_nats)


def test_sensors_far_apart_weigh_more_than_sensors_side_by_side():
    told = [(steps(f"geo-{i}", 10.0), 1.0) for i in (1, 2, 3)]
    at = told[0][0].end_utc_ns

    def weighed(correlation):
        found = score(told, ("person",), at, ScoringPolicy(), correlation)
        assert math.fsum(c.nats for c in found.contributions) == pytest.approx(found.nats["person"])
        return found.nats["person"]

    equal = weighed(None)
    assert weighed(lambda one, other: 0.5) == pytest.approx(equal)
    assert weighed(lambda one, other: None) == equal
    assert weighed(lambda one, other: 0.3) > equal > weighed(lambda one, other: 0.8)
    pair = weighed(lambda one, other: 0.8 if {one, other} == {"geo-1", "geo-2"} else 0.3)
    assert weighed(lambda one, other: 0.8) < pair < weighed(lambda one, other: 0.3)


def told(*nats):
    return [
        (replace(steps(f"geo-{i}", 10.0), nats={"person": each}), 1.0)
        for i, each in enumerate(nats)
    ]


def summed(rows):
    found = score(rows, ("person",), rows[0][0].end_utc_ns, POLICY, lambda one, other: 0.5)
    return found.nats["person"] - POLICY.priors_nats["person"]


@given(st.floats(0.1, 3.5), st.floats(0.0, 3.5))
def test_who_hears_a_walker_less_takes_little_from_who_hears_him_well(one, other):
    loud, faint = max(one, other), min(one, other)
    most = min(CHOICE_NATS, CHOICE_SHARE * faint)
    assert summed(told(loud, faint)) >= loud - most - 1e-9
    assert summed(told(loud, 0.0)) == pytest.approx(loud)


def test_what_speaks_for_and_what_speaks_against_are_weighed_apart():
    assert summed(told(3.0, -1.0)) == pytest.approx(2.0)
    assert summed(told(3.0, 3.0, -1.0)) == pytest.approx(3.0)


@given(
    st.lists(st.tuples(st.floats(0.2, 3.0), st.floats(0.0, 80.0)), min_size=2, max_size=6),
)
def test_weights_are_those_of_gaussian_sensors_where_they_stand(heard):
    """Twin: all sets of the loudest voices, each solved by itself, at what leaving out costs."""
    places = {f"geo-{i}": place_m for i, (_, place_m) in enumerate(heard)}

    def rho(one, other):
        return 0.3 + 0.5 * math.exp(-abs(places[one] - places[other]) / 15.0)

    rows = told(*(nats for nats, _ in heard))
    found = score(rows, ("person",), rows[0][0].end_utc_ns, POLICY, rho)
    names = sorted(places, key=lambda name: -heard[int(name[4:])][0])
    best = 0.0
    for count in range(1, len(names) + 1):
        mine = names[:count]
        matrix = [[1.0 if one == other else rho(one, other) for other in mine] for one in mine]
        weights = np.linalg.solve(np.array(matrix), np.ones(count))
        said = [heard[int(name[4:])][0] for name in mine]
        quieter = sum(heard[int(name[4:])][0] for name in names[count:])
        cost = min(CHOICE_NATS, CHOICE_SHARE * quieter)
        best = max(best, float(np.clip(weights, 0.0, None) @ said) - cost)
    assert found.nats["person"] - POLICY.priors_nats["person"] == pytest.approx(best)


def believed(nats):
    return 1.0 / (1.0 + math.exp(-nats))


def error_of_additive_decay(name, nats, age):
    """Additive decay against the exact two-state chain, p <- pi + (p - pi) exp(-(a + b) dt).

    age  in constants of the decay, so that the chain forgets as fast
    """
    prior, left = POLICY.priors_nats[name], math.exp(-age)
    exact = believed(prior) + (believed(prior + nats) - believed(prior)) * left
    return believed(prior + nats * left) - exact


@pytest.mark.parametrize("kind", sorted(POLICY.decay_s))
@given(st.floats(-1.0, 1.0), st.floats(0.0, 20.0), st.sampled_from(QUESTIONS["motion"]))
def test_one_voice_decays_nearly_as_what_comes_and_goes_by_chance(kind, share, age, name):
    error = error_of_additive_decay(name, share * POLICY.caps_nats[kind], age)
    assert abs(error) <= 0.12


@pytest.mark.parametrize("kind", sorted(POLICY.decay_s))
@given(st.floats(-60.0, 60.0), st.floats(0.0, 1.0), st.sampled_from(QUESTIONS["motion"]))
def test_many_voices_decay_within_a_bound_until_their_track_is_forgotten(kind, nats, part, name):
    """Whatever they add up to: a track of which nothing more is heard is closed after its gap."""
    age = part * AssociationPolicy().track_gap_s / POLICY.decay_s[kind]
    assert abs(error_of_additive_decay(name, nats, age)) <= 0.32


def test_the_decay_whose_error_is_bounded_is_the_scores():
    one = replace(steps("geo-1", 20.0), nats={"person": 3.0})
    later = one.end_utc_ns + round(POLICY.decay_s[one.kind]) * SECOND_NS
    found = score([(one, 1.0)], ("person",), later, POLICY)
    prior = POLICY.priors_nats["person"]
    exact = believed(prior) + (believed(prior + 3.0) - believed(prior)) * math.exp(-1.0)
    error = dict(found.explanations)["person"] - exact
    assert error == pytest.approx(error_of_additive_decay("person", 3.0, 1.0), abs=1e-12)
