"""Silence as evidence: who was up, could have spoken, and has not."""

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.associate import Transit
from fusion.policy import ScoringPolicy
from fusion.priors import Onset
from fusion.questions import QUESTIONS
from fusion.score import score
from fusion.silence import (
    HIDDEN,
    SCAN,
    SPOKE_BEFORE_NS,
    STEPS,
    Silence,
    clear_scan,
    silent_nats,
    unheard_steps,
)
from fusion.tracks import Track
from fusion.types import SECOND_NS, Checkpoint, Family, Origin, SensorSpec, ZoneSpec
from fusion.witnesses import WARM_NS, Witnesses
from tests.fusion.makers import CHECKPOINT, START_UTC_NS, dense, detection, gamma, steps

POLICY = ScoringPolicy()
LANE = CHECKPOINT.lanes[0]
FENCE = Checkpoint(
    site="test",
    zones=(ZoneSpec(zone_id="fence"),),
    sensors=tuple(
        SensorSpec(
            sensor_id=f"geo-{i + 1}",
            family=Family.SEISMIC,
            place="fence",
            position_m=(400.0, 15.0 * i),
        )
        for i in range(5)
    ),
)
LONG_AGO_UTC_NS = START_UTC_NS - WARM_NS - 60 * SECOND_NS


class Senses:
    """All up, but for those that are down."""

    def __init__(self):
        self.down = set()

    def up(self, sensor_id):
        return sensor_id not in self.down


class Site:
    """Witnesses that have been up for long, and what their silence says."""

    def __init__(self, checkpoint):
        self.senses = Senses()
        self.witnesses = Witnesses(checkpoint.sensors, self.senses)
        self.silence = Silence(checkpoint, POLICY, self.witnesses)
        self.until(START_UTC_NS + 30 * SECOND_NS)

    def until(self, utc_ns, since_utc_ns=LONG_AGO_UTC_NS):
        for at_utc_ns in range(since_utc_ns, utc_ns + 1, SECOND_NS):
            self.witnesses.tick(at_utc_ns)


@pytest.fixture
def fence():
    return Site(FENCE)


@pytest.fixture
def lane():
    return Site(CHECKPOINT)


def scan(*, final=True, **facts):
    told = {
        "regions": (),
        "homogeneity": 0.7,
        "unpenetrated": 0.0,
        "length_m": 18.0,
        "partial": False,
        "notes": (),
        "scan_id": "scan-1",
    }
    return detection("xray.scan", "xray-1", told | facts, start_s=10.0, end_s=18.0, final=final)


def transit_of(*detections):
    transit = Transit(LANE, START_UTC_NS, START_UTC_NS)
    for index, one in enumerate(detections):
        transit.add(one, index)
    return transit


def track_of(*heard):
    """A track of events that have lasted for as long as each says."""
    track = Track("fence", START_UTC_NS, max(one.end_utc_ns for one in heard))
    track.detections = {one.sensor_id: one for one in heard}
    track.latest = dict(track.detections)
    return track


def walker(sensor_id, lasted_s=25.0, ratio=8.0, **changes):
    one = steps(sensor_id, 20.0)
    start_utc_ns = one.end_utc_ns - round(lasted_s * SECOND_NS)
    facts = {**one.facts, "ratio": ratio}
    return replace(one, start_utc_ns=start_utc_ns, facts=facts, **changes)


def silent_of(site, track):
    return {row.sensor_id: row for row, _ in site.silence.of_track(track, track.weighed())}


def apart(_one, _other):
    """What speaks for somebody and what speaks against are weighed apart, as for any track."""


def person(track, site=None):
    rows = track.weighed()
    if site is not None:
        rows += site.silence.of_track(track, rows)
    return score(rows, QUESTIONS["motion"], track.end_utc_ns, POLICY, apart).nats["person"]


# --- the scanner --------------------------------------------------------------------------


def test_a_clear_scan_speaks_against_what_is_hidden_as_much_as_it_finds_such_things():
    nats = clear_scan(scan(homogeneity=0.7), POLICY)
    _, quiet, missed, missed_shield = POLICY.clear_scan_shares[-1]
    assert nats == pytest.approx(
        {
            "contraband-anomaly": math.log(missed / quiet),
            "shielded-source": math.log(missed_shield / quiet),
        }
    )


def test_a_load_of_many_goods_hides_more():
    even, mixed = (clear_scan(scan(homogeneity=h), POLICY) for h in (0.7, 0.01))
    assert all(even[name] < mixed[name] < 0.0 for name in HIDDEN)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_the_less_is_seen_through_the_less_a_clear_scan_says(one, other):
    less, more = sorted((one, other))
    said = [clear_scan(scan(unpenetrated=share), POLICY) for share in (less, more)]
    assert all(said[0].get(name, 0.0) <= said[1].get(name, 0.0) <= 0.0 for name in HIDDEN)


@pytest.mark.parametrize(
    "changes",
    [
        {"final": False},
        {"partial": True},
        {"notes": ("composite-only",)},
        {"regions": ({"sigma": 6.0},)},
        {"length_m": 0.0},
        {"unpenetrated": 1.0},
    ],
    ids=["interim", "partial", "noted", "dense", "no-vehicle", "black"],
)
def test_a_scan_that_could_not_show_it_or_does_says_nothing(changes):
    assert clear_scan(scan(**changes), POLICY) == {}


def test_a_clear_scan_makes_a_weak_peak_less_of_a_shielded_source(lane):
    transit = transit_of(gamma(3.5, point=6.0, extended=2.0), scan())
    rows = transit.weighed()
    silent = lane.silence.of_transit(transit, rows)
    ((row, weight),) = silent
    assert (row.sensor_id, row.kind, weight) == ("xray-1", SCAN, 1.0)
    at = Onset(LANE.lane_id, START_UTC_NS)
    alone, beside = (
        score(each, QUESTIONS["radiation"], transit.end_utc_ns, POLICY, at=at)
        for each in (rows, [*rows, *silent])
    )
    assert beside.nats["shielded-source"] < alone.nats["shielded-source"] - 1.0
    assert beside.nats["norm"] == alone.nats["norm"]


def test_an_uncertain_pairing_makes_the_silence_of_its_scan_as_uncertain(lane):
    transit = transit_of(scan())
    transit.scans[("xray-1", 0)] = 0.5
    ((_, weight),) = lane.silence.of_transit(transit, [(scan(), 0.5)])
    assert weight == 0.5


def test_a_scanner_that_is_down_or_out_of_order_is_no_witness(lane):
    transit = transit_of(scan())
    lane.senses.down.add("xray-1")
    assert lane.silence.of_transit(transit, transit.weighed()) == []
    lane.senses.down.clear()
    broken = detection("health.drift", "xray-1", {"active": True, "code": "drift-air"})
    lane.witnesses.note(broken)
    assert lane.silence.of_transit(transit, transit.weighed()) == []
    lane.witnesses.note(replace(broken, facts={"active": False, "code": "drift-air"}))
    assert lane.silence.of_transit(transit, transit.weighed())


def test_a_dense_place_is_told_by_itself_and_not_as_silence(lane):
    transit = transit_of(scan(regions=({"sigma": 12.0},)), dense(11.0))
    assert lane.silence.of_transit(transit, transit.weighed()) == []


# --- ground sensors -----------------------------------------------------------------------


def test_one_claim_among_four_silent_neighbours_is_less_likely_true(fence):
    track = track_of(walker("geo-3"))
    silent = silent_of(fence, track)
    assert sorted(silent) == ["geo-1", "geo-2", "geo-4", "geo-5"]
    assert all(row.kind == STEPS for row in silent.values())
    assert silent["geo-2"].facts["of"] == "geo-3"
    assert silent["geo-2"].facts["away_m"] == 15.0
    assert silent["geo-2"].nats["person"] < silent["geo-1"].nats["person"] < 0.0
    assert person(track, fence) < person(track) - 1.0


def test_the_more_neighbours_hear_it_the_less_silence_is_left(fence):
    tracks = [track_of(*(walker(f"geo-{i}") for i in heard)) for heard in ((3,), (2, 3), (2, 3, 4))]
    assert len(silent_of(fence, tracks[2])) == 2
    believed = [person(track, fence) for track in tracks]
    assert believed == sorted(set(believed))


def test_who_has_only_just_been_heard_need_not_have_been_heard_elsewhere(fence):
    assert silent_of(fence, track_of(walker("geo-3", lasted_s=5.0))) == {}


def test_faint_steps_need_not_be_heard_far_away(fence):
    faint, loud = (
        silent_of(fence, track_of(walker("geo-1", lasted_s=15.0, ratio=ratio)))
        for ratio in (2.0, 12.0)
    )
    assert loud["geo-3"].nats["person"] < faint["geo-3"].nats["person"]


def test_a_sensor_that_was_down_while_it_could_have_heard_is_no_witness(fence):
    fence.senses.down.add("geo-2")
    fence.until(START_UTC_NS + 31 * SECOND_NS, START_UTC_NS + 31 * SECOND_NS)
    fence.senses.down.clear()
    fence.until(START_UTC_NS + 50 * SECOND_NS, START_UTC_NS + 32 * SECOND_NS)
    assert "geo-2" not in silent_of(fence, track_of(walker("geo-3")))


def test_a_sensor_that_hears_something_else_is_no_witness(fence):
    wind = replace(steps("geo-2", 15.0), nats={"weather": 2.0})
    fence.witnesses.note(wind)
    assert "geo-2" not in silent_of(fence, track_of(walker("geo-3")))


def test_what_was_over_long_before_does_not_count_as_hearing(fence):
    track = track_of(walker("geo-3"))
    before = track.detections["geo-3"].start_utc_ns - SPOKE_BEFORE_NS - 1
    fence.witnesses.note(replace(steps("geo-2", 15.0), start_utc_ns=0, end_utc_ns=before))
    assert "geo-2" in silent_of(fence, track)


def test_nobody_is_a_witness_of_what_was_before_the_engine_listened():
    late = Site(FENCE)
    late.witnesses = Witnesses(FENCE.sensors, late.senses)
    late.silence = Silence(FENCE, POLICY, late.witnesses)
    late.until(START_UTC_NS + 30 * SECOND_NS, START_UTC_NS)
    assert silent_of(late, track_of(walker("geo-3"))) == {}
    late.until(START_UTC_NS + 90 * SECOND_NS, START_UTC_NS + 60 * SECOND_NS)  # it stood still
    assert silent_of(late, track_of(walker("geo-3"))) == {}


def test_a_simulated_sensor_is_no_witness_against_the_real_thing():
    spec = replace(FENCE.sensors[1], origin=Origin.SIMULATOR)
    mixed = Site(replace(FENCE, sensors=(FENCE.sensors[0], spec, *FENCE.sensors[2:])))
    assert "geo-2" not in silent_of(mixed, track_of(walker("geo-3")))
    drill = track_of(walker("geo-3", origin=Origin.SIMULATOR))
    assert "geo-2" in silent_of(mixed, drill)


def test_digging_is_not_heard_by_others_and_nobody_is_asked_about_weather(fence):
    track = track_of(walker("geo-3", nats={"digging": 2.0, "weather": 1.0}))
    assert silent_of(fence, track) == {}


def test_silence_does_not_depend_on_who_was_heard_first(fence):
    heard = [walker("geo-1"), walker("geo-3", lasted_s=22.0), walker("geo-4", lasted_s=12.0)]
    told = set()
    for order in itertools.permutations(heard):
        site = Site(FENCE)
        for one in order:
            site.witnesses.note(one)
        rows = silent_of(site, track_of(*order))
        told.add(tuple((name, tuple(row.nats.items())) for name, row in sorted(rows.items())))
    assert len(told) == 1


def test_rows_are_the_very_same_while_nothing_changes(fence):
    track = track_of(walker("geo-3"))
    first, again = silent_of(fence, track), silent_of(fence, track)
    assert all(again[name] is row for name, row in first.items())
    longer = track_of(walker("geo-3", lasted_s=26.0))
    assert all(silent_of(fence, longer)[name] is not row for name, row in first.items())


def test_no_silence_says_more_than_its_cap(fence):
    track = track_of(walker("geo-3"))
    rows = [*track.weighed(), *fence.silence.of_track(track, track.weighed())]
    result = score(rows, ("person",), track.end_utc_ns, POLICY)
    said = [row.nats for row in result.contributions if row.kind == STEPS]
    assert said
    assert min(said) >= -POLICY.caps_nats[STEPS]


# --- what silence is worth ------------------------------------------------------------------


@given(st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_silence_is_worth_what_chair_and_varshney_say_and_never_speaks_for_a_thing(missed, quiet):
    assert silent_nats(missed, quiet) == min(0.0, math.log(missed / quiet))


@given(st.floats(0.0, 60.0), st.floats(0.0, 60.0), st.floats(1.0, 30.0))
def test_longer_and_louder_never_says_less(away_m, heard_s, ratio):
    nats, share = unheard_steps(away_m, heard_s, ratio, POLICY)
    assert nats <= 0.0
    assert 0.0 <= share < 1.0
    assert unheard_steps(away_m, heard_s + 10.0, ratio, POLICY)[0] <= nats
    assert unheard_steps(away_m, heard_s, ratio + 5.0, POLICY)[0] <= nats
    assert unheard_steps(away_m + 15.0, heard_s, ratio, POLICY)[0] >= nats
