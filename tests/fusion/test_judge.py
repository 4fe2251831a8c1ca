"""The judge with hand-made incidents: which claims, with which reasons, and who saw nothing."""

import math
from dataclasses import replace

import pytest

from fusion.associate import Transit
from fusion.judge import Judge
from fusion.policy import Policy
from fusion.tracks import Track
from fusion.types import SECOND_NS, Event, Level, Origin
from fusion.witnesses import WARM_NS
from tests.adding_up import mistakes
from tests.fusion.makers import (
    CHECKPOINT,
    START_UTC_NS,
    dense,
    detection,
    gamma,
    heard,
    occupancy,
    steps,
)

LANE = CHECKPOINT.lanes[0]


class Senses:
    """All up, but for those that are down."""

    def __init__(self, *down):
        self.down = set(down)

    def up(self, sensor_id):
        return sensor_id not in self.down


def judge(policy=None, down=()):
    """One that has watched its sensors for long enough to know their silence."""
    made = Judge(CHECKPOINT, policy or Policy(), Senses(*down))
    first_utc_ns = START_UTC_NS - WARM_NS - 60 * SECOND_NS
    for at_utc_ns in range(first_utc_ns, START_UTC_NS, SECOND_NS):
        made.tick(at_utc_ns)
    return made


def transit(*detections):
    made = Transit(LANE, START_UTC_NS, START_UTC_NS, portal_id="rpm-1")
    for index, one in enumerate(detections):
        made.add(one, index)
    return made


def track(*events):
    made = Track("fence", START_UTC_NS, max(one.end_utc_ns for one in events))
    made.detections = {one.sensor_id: one for one in events}
    made.latest = dict(made.detections)
    return made


def clear_scan():
    facts = {"regions": (), "homogeneity": 0.7, "unpenetrated": 0.0, "length_m": 18.0}
    facts |= {"partial": False, "notes": (), "scan_id": "scan-1"}
    return detection("xray.scan", "xray-1", facts, start_s=10.0, end_s=18.0)


def of(claims, event):
    (found,) = [claim for claim in claims if claim.event is event]
    return found


def kinds(claim):
    return {(row.source, row.kind) for row in claim.contributions}


def test_each_question_with_evidence_is_one_claim():
    claims = judge().transit(transit(gamma(12.0, point=90.0, extended=20.0), dense(11.0)))
    assert [claim.key.rpartition("/")[2] for claim in claims] == ["radiation", "cargo"]
    assert all(not list(mistakes_of(claim)) for claim in claims)


def mistakes_of(claim):
    """Of the alert that the claim would be."""
    shares = math.fsum(share for _, share in claim.explanations)
    assert shares == pytest.approx(1.0)
    return mistakes(claim)


def test_what_was_silent_alone_opens_no_question():
    assert judge().transit(transit(occupancy(0.0, 8.0), clear_scan())) == []


def test_what_cannot_be_counted_is_over_range_whatever_explains_it():
    claims = judge().transit(transit(gamma(40.0, point=500.0, extended=20.0, over_range=True)))
    told = of(claims, Event.RAD_OVERRANGE)
    assert told.level is Level.CRITICAL
    assert told.probability == pytest.approx(1.0 - dict(told.explanations)["nothing"])


def test_a_clear_scan_is_a_row_against_a_shielded_source_and_its_scanner_is_silent():
    peak = gamma(9.0, point=38.0, extended=12.0)
    alone, scanned = (
        judge().transit(transit(*seen))[0] for seen in ((peak,), (peak, clear_scan()))
    )
    shares = [dict(claim.explanations)["shielded-source"] for claim in (alone, scanned)]
    assert shares[1] < shares[0]
    assert ("xray-1", "silence.scan") in kinds(scanned)
    assert "xray-1" in scanned.silent
    assert list(mistakes_of(scanned)) == []


def test_a_scanner_that_is_down_says_nothing_and_is_named():
    peak = gamma(9.0, point=38.0, extended=12.0)
    (claim,) = judge(down=("xray-1",)).transit(transit(peak, clear_scan()))
    assert ("xray-1", "silence.scan") not in kinds(claim)
    assert claim.down == ("xray-1",)


def test_a_claim_that_nothing_new_is_known_of_is_weighed_without_its_table_and_told_with_it():
    known = transit(gamma(12.0, point=90.0, extended=20.0), clear_scan())
    (full,) = judge().transit(known)
    (light,) = judge().transit(known, known=lambda _key: True)
    assert light.contributions == ()
    assert light.in_full is not None
    assert light.in_full().contributions == full.contributions
    assert light.score_nats == pytest.approx(full.score_nats, abs=1e-9)


def test_neighbours_that_heard_nobody_make_a_walker_less_likely():
    policy = Policy()
    walker = heard("geo-2", 0.0, 25.0, ratio=8.0)
    unheard = replace(
        policy, scoring=replace(policy.scoring, unheard_shares=((1.0, 0.0, 0.0, 0.5),))
    )
    asked, not_asked = (judge(each).track(track(walker)) for each in (policy, unheard))
    assert asked.probability < not_asked.probability
    assert {("geo-1", "silence.steps"), ("geo-3", "silence.steps")} <= kinds(asked)
    assert asked.silent == ("geo-1", "geo-3")
    assert list(mistakes_of(asked)) == []


def test_a_neighbour_that_has_told_of_something_is_asked_no_more():
    told = judge()
    told.note(steps("geo-1", 10.0))
    claim = told.track(track(heard("geo-2", 0.0, 25.0, ratio=8.0)))
    assert ("geo-1", "silence.steps") not in kinds(claim)
    assert ("geo-3", "silence.steps") in kinds(claim)


def test_a_lanes_prior_reaches_its_claims_and_no_others():
    policy = Policy()
    more = replace(policy.scoring, place_priors_nats={"nb-01": {"norm": 1.5}})
    load = gamma(9.0, point=40.0, extended=60.0)
    base, here = (
        judge(each).transit(transit(load))[0] for each in (policy, replace(policy, scoring=more))
    )
    prior = next(row for row in here.contributions if row.kind == "prior" and row.facts)
    assert prior.facts == {"base_nats": -3.5, "place": "nb-01", "place_nats": 1.5}
    assert dict(here.explanations)["norm"] > dict(base.explanations)["norm"]
    assert here.facts == base.facts  # what was measured is what is told
    other = Transit(CHECKPOINT.lanes[1], START_UTC_NS, START_UTC_NS)
    other.add(load)
    claims = [judge(each).transit(other) for each in (policy, replace(policy, scoring=more))]
    assert claims[0][0].explanations == claims[1][0].explanations


def test_one_simulated_sensor_makes_all_of_it_an_exercise():
    real, drill = gamma(12.0, point=90.0, extended=20.0), dense(11.0)
    assert not judge().transit(transit(real, drill))[0].exercise
    drill = replace(drill, origin=Origin.SIMULATOR)
    assert judge().transit(transit(real, drill))[0].exercise


def test_the_facts_told_are_those_of_what_says_most_and_never_of_silence():
    claim = judge().track(track(heard("geo-2", 0.0, 25.0, ratio=8.0)))
    assert claim.facts["source"] == "geo-2"
    assert "away_m" not in claim.facts
