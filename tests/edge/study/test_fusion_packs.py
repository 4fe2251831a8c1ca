"""The packs of the crossing, in brief: minutes instead of hours, and the sums by hand."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge.study.fusion_beside import against_rules, against_sensors, all_curves, fewer
from edge.study.fusion_chart import Panel, Point, det_chart
from edge.study.fusion_curves import curve, odds, of_beliefs, of_sensors
from edge.study.fusion_holds import calibration
from edge.study.fusion_hours import Hour, Order, Way, orders, play, seeds_of
from edge.study.fusion_measures import tally
from edge.study.fusion_spoil import SPOILS
from edge.study.fusion_systems import GARITA, NAIVE, naive, systems
from edge.study.fusion_tables import Goals, operator, precision
from edge.study.fusion_told import Asked, Heard, Rung, log_odds
from edge.study.fusion_truth import Kind
from edge.study.packs import PACKS, Settings
from edge.study.packs import fusion_correlation as correlation
from edge.study.packs import fusion_days as days
from edge.study.packs import fusion_flood as flood
from edge.study.packs import fusion_trouble as trouble
from fusion.policy import Policy
from fusion.types import BackgroundSample, Event, Family, Origin, Radiation
from simulators.crossing_days import Options
from tests.edge.study.test_fusion_truth import AFTER, CLEAN, SOURCE

MINUTES = Options(duration_s=300.0, threats_per_hour=60.0)


def rung(alert_id, told_s, event, level, first_s, last_s, *, place="nb-01", **more):  # noqa: PLR0917
    told = {"own_level": level, "probability": 0.9, "is_group": False, "why": "gamma.profile"}
    return Rung(
        alert_id=alert_id,
        told_s=told_s,
        place=place,
        event=event,
        level=level,
        first_s=first_s,
        last_s=last_s,
        **(told | more),
    )


def asked(key, odds_nats, first_s, last_s):
    share = 1.0 / (1.0 + math.exp(-odds_nats))
    rows = (("threat-source", share), ("nothing", 1.0 - share))
    return Asked(key, "radiation", "nb-01", last_s, Event.RAD_THREAT, first_s, last_s, rows)


def heard(sensor, odds_nats, first_s, last_s, family=Family.RADIATION):
    return Heard(sensor, family, "nb-01", last_s, first_s, last_s, odds_nats, 5.0 + odds_nats)


@pytest.fixture
def hour():
    beliefs = (asked("a", -6.0, 9.0, 18.0), asked("b", 3.0, 39.0, 48.0), asked("c", -4.0, 49, 58))
    told = (
        rung("x", 48.5, Event.RAD_THREAT, 2, 39.0, 48.0),
        rung("x", 50.5, Event.SHIELDED_SOURCE, 4, 39.0, 48.0),
        rung("y", 19.0, Event.CARGO_ANOMALY, 3, 9.0, 18.0),
    )
    way = Way(rungs=told, asked=beliefs, last=beliefs)
    return Hour(
        order=Order(day="by hand", seed=1, number=0, options=Options(), ways=()),
        duration_s=3600.0,
        passages=3,
        found=(CLEAN, SOURCE, AFTER),
        directions={"nb-01": "northbound"},
        first_evidence_s={1: 46.0},
        heard=(
            heard("rpm", -5.0, 9.0, 18.0),
            heard("rpm", 2.0, 39.0, 48.0),
            heard("rpm", -1.0, 49.0, 58.0),
            heard("xray", 1.0, 55.0, 63.0, Family.XRAY),
        ),
        ways={GARITA: way, NAIVE: way},
        took_s=1.0,
    )


# --- sums by hand ------------------------------------------------------------------------


def test_a_threat_is_found_where_an_alert_tells_what_it_is(hour):
    mine = tally([hour], GARITA)
    assert mine.found(3) == mine.found(2) == (1, 1)
    (source,) = mine.outcomes
    assert source.level == 4
    assert (source.since_evidence_s, source.since_start_s) == (4.5, 10.5)
    assert mine.going("southbound").outcomes == ()


def test_an_alert_of_a_lawful_vehicle_is_a_nuisance_with_its_cause(hour):
    mine = tally([hour], GARITA)
    assert mine.rings(2) == 2
    assert mine.precise(3) == (1, 2)
    assert dict(mine.nuisances(3)) == {"clean told as CARGO_ANOMALY": 1}


def test_what_an_alert_goes_on_with_does_not_excuse_its_ring(hour):
    again = rung("y", 60.0, Event.RAD_THREAT, 3, 39.0, 48.0)
    way = replace(hour.ways[GARITA], rungs=(*hour.ways[GARITA].rungs, again))
    mine = tally([replace(hour, ways={GARITA: way})], GARITA)
    assert sum(mine.nuisances(3).values()) == 1


def test_what_a_flood_folds_counts_by_itself_for_what_is_found_and_for_what_rings(hour):
    group = rung("g", 70.0, Event.PERSON, 2, 70.0, 70.0, is_group=True)
    folded = rung("m", 71.0, Event.RAD_THREAT, 1, 39.0, 48.0, own_level=3)
    way = replace(hour.ways[GARITA], rungs=(group, folded))
    mine = tally([replace(hour, ways={GARITA: way})], GARITA)
    assert mine.rings(2) == 1
    assert mine.found(3) == (1, 1)
    assert sum(mine.nuisances(2).values()) == 0


def test_more_nuisances_never_make_the_budget_smaller(hour):
    values = []
    for folded in (1, 40):
        more = [
            rung(f"n{i}", 90.0 + i, Event.PERSON, 1, 90.0 + i, 91.0 + i, own_level=2, place=f"z{i}")
            for i in range(folded)
        ]
        way = replace(hour.ways[GARITA], rungs=(*hour.ways[GARITA].rungs, *more))
        mine = tally([replace(hour, ways={GARITA: way})], GARITA)
        figures = {one.name: one for one in operator(mine, Goals(budget_at=4.0), "")}
        values.append(figures["alerts of level >= 2 an hour, with 4 threats in it"].value)
    assert values == [pytest.approx(6.0), pytest.approx(45.0)]


def test_what_is_called_something_that_it_is_not_is_no_right_alert(hour):
    wrong = rung("x", 50.5, Event.PERSON, 3, 39.0, 48.0)
    mine = tally([replace(hour, ways={GARITA: replace(hour.ways[GARITA], rungs=(wrong,))})], GARITA)
    assert mine.precise(3) == (0, 1)
    assert mine.found(3) == (0, 1)


def test_the_budget_counts_threats_as_often_as_the_day_has_them(hour):
    figures = {one.name: one for one in operator(tally([hour], GARITA), Goals(budget_at=4.0), "")}
    budget = figures["alerts of level >= 2 an hour, with 4 threats in it"]
    assert budget.value == pytest.approx(1.0 + 4.0)
    assert budget.reached


def test_what_is_right_but_no_threat_counts_in_the_budget_as_it_came(hour):
    beside = replace(AFTER, kind=Kind.RIGHT, events=frozenset((Event.AIRCRAFT_LOW,)))
    told = rung("h", 52.0, Event.AIRCRAFT_LOW, 2, 49.0, 58.0)
    way = replace(hour.ways[GARITA], rungs=(*hour.ways[GARITA].rungs, told))
    mine = tally([replace(hour, found=(CLEAN, SOURCE, beside), ways={GARITA: way})], GARITA)
    figures = {one.name: one for one in operator(mine, Goals(budget_at=4.0), "")}
    assert sum(mine.nuisances(2).values()) == 1
    budget = figures["alerts of level >= 2 an hour, with 4 threats in it"]
    assert budget.value == pytest.approx(2.0 + 4.0)


def test_precision_says_on_how_many_threats_it_rests(hour):
    loud, usual, *_ = precision(tally([hour], GARITA), Goals(precise=True, budget_at=4.0))
    assert loud.value == 0.5
    assert "with 1 threats an hour; 0.091 at 0.1, 0.5 at 1, 0.8 at 4" in loud.how
    assert usual.value == pytest.approx(0.8)
    assert usual.reached


def test_a_curve_falls_from_all_to_none(hour):
    garita = curve(GARITA, [hour], of_beliefs(GARITA))
    assert garita.threats == pytest.approx((3.0,))
    assert garita.nuisances == pytest.approx((-6.0, -4.0))
    assert garita.detection(2.9) == garita.most == 1.0
    assert garita.detection(3.1) == 0.0
    assert garita.line_for(1.0) == pytest.approx(3.0)
    assert garita.rung_for(-4.5) == 1
    assert garita.lawful == 2


def test_two_of_three_needs_a_second_sensor(hour):
    every = of_sensors(tuple(Family), odds)
    assert curve("any", [hour], every).threats == (2.0,)
    assert curve("2 of 3", [hour], every, voices=2).threats == (1.0,)
    portals = of_sensors((Family.RADIATION,), odds)
    assert curve("2 of 3", [hour], portals, voices=2).threats == (-math.inf,)
    assert curve("2 of 3", [hour], portals, voices=2).most == 0.0
    assert curve("portals", [hour], of_sensors((Family.RADIATION,), odds)).nuisances == (-5.0, -1.0)


def test_nuisances_are_compared_where_both_find_as_many(hour):
    rules = {one.name: one for one in against_rules([hour], all_curves([hour]))}
    assert rules["fewer nuisances than any sensor"].how.startswith("0 against 0; both find 1.00")
    assert fewer("", 1, 10, "").value == pytest.approx(0.9)
    low, high = fewer("", 1, 10, "").interval
    assert low < 0.9 < high
    assert against_sensors([hour], Goals(fewer=True))[-1].goal == ">= 0.9"


def test_odds_of_any_threat_are_against_all_else():
    rows = (("threat-source", 0.5), ("shielded-source", 0.25), ("norm", 0.2), ("nothing", 0.05))
    assert log_odds(rows) == pytest.approx(math.log(3.0))
    assert log_odds((("nothing", 1.0),)) < -50.0


def test_too_few_incidents_say_nothing_of_calibration(hour):
    drawn = Goals(drawn={"radiation": 1.0 / 3.0})
    assert calibration([hour], drawn, Policy().scoring) == []
    many = replace(
        hour, ways={GARITA: replace(hour.ways[GARITA], last=hour.ways[GARITA].last * 20)}
    )
    (one,) = calibration([many], drawn, Policy().scoring)
    assert one.name == "ECE of radiation, told or not"
    assert "60 incidents, 20 threats" in one.how
    assert "threats of 0.333 as the pack draws them" in one.how


def test_predictions_are_moved_to_the_share_that_a_pack_draws(hour):
    many = replace(
        hour, ways={GARITA: replace(hour.ways[GARITA], last=hour.ways[GARITA].last * 20)}
    )
    (own,) = calibration([many], Goals(), Policy().scoring)
    priors = Policy().scoring.priors_nats
    threat = sum(math.exp(priors[name]) for name in ("threat-source", "shielded-source"))
    other = 1.0 + sum(math.exp(priors[name]) for name in ("medical", "norm", "legal-source"))
    (same,) = calibration(
        [many], Goals(drawn={"radiation": threat / (threat + other)}), Policy().scoring
    )
    (always,) = calibration([many], Goals(drawn={"radiation": 1.0 - 1e-9}), Policy().scoring)
    assert same.value == pytest.approx(own.value)
    assert own.goal == ""
    assert always.value == pytest.approx(2.0 / 3.0, abs=1e-3)


def test_the_chart_shows_every_way(hour, tmp_path):
    curves = all_curves([hour])
    points = [Point("level 2", 0.02, 0.1), Point("level 3", 0.01, 0.2)]
    picture = det_chart("By hand", "three vehicles", [Panel("northbound", curves, points)])
    (tmp_path / "det.png").write_bytes(picture)
    assert cv2.imread(str(tmp_path / "det.png")).shape[0] > 400


def test_what_is_left_out_is_left_out_of_the_checkpoint():
    names = [system.name for system in systems()]
    assert names[0] == GARITA
    assert {"without portals", "scanners alone", "rho = 0.5 everywhere", NAIVE} <= set(names)
    changed = naive(Policy()).scoring
    assert set(changed.group_rho.values()) == {0.0}
    assert changed.caps_nats["fusion.shielding"] == 0.0


def test_seeds_below_a_million_are_said_to_be_for_tuning():
    asked_for = orders("quiet-day", 999_999, 2, Options())
    assert [one.seed for one in asked_for] == [999_999, 1_000_000]
    assert "for tuning" in seeds_of(asked_for)
    assert "tuning" not in seeds_of(orders("quiet-day", 9_000_000, 2, Options()))


# --- correlation -------------------------------------------------------------------------


def test_the_naive_sum_of_correlated_sensors_rings_too_often():
    said = correlation.drawn(np.random.default_rng(4), 60_000, 0.5)
    right = correlation.false_alarms(said, correlation.Rule(name="", assumed=0.5))
    wrong = correlation.false_alarms(said, correlation.Rule(name="", assumed=0.0))
    assert 30 < right < 95  # 60 at the nominal rate
    assert wrong > 8 * right


def test_sensors_with_known_places_ring_as_often_as_is_nominal():
    said = correlation.drawn(np.random.default_rng(4), 200_000, 0.5)
    rule = correlation.Rule(name="", assumed=0.5, by_pairs=True)
    assert 150 < correlation.false_alarms(said, rule) < 300  # 200 at the nominal rate


# --- spoilt sensors ----------------------------------------------------------------------


def test_a_spoilt_sensor_is_dead_stuck_or_late_and_others_are_well():
    def rates(at_s, rate, sensor="rpm"):
        return BackgroundSample(
            sensor_id=sensor,
            origin=Origin.SIMULATOR,
            start_utc_ns=at_s * 10**9,
            duration_ms=5000,
            radiation=Radiation.GAMMA,
            rate_cps=(rate,),
            device_fault="",
        )

    before, after, other = rates(1, 5.0), rates(6, 7.0), rates(6, 7.0, "else")
    gave = {}
    for manner, made in SPOILS.items():
        spoil = made("rpm", 5 * 10**9)
        assert list(spoil(10**9, before)) == [before]
        assert list(spoil(6 * 10**9, other)) == [other]
        gave[manner] = list(spoil(6 * 10**9, after))
    assert gave["dead"] == []
    assert gave["stuck"] == [replace(after, rate_cps=(5.0,))]
    assert gave["0.5 s off"] == [replace(after, start_utc_ns=6_500_000_000)]


def test_a_fault_is_told_by_its_own_sensor_after_it_began():
    told = [
        rung("a", 12.0, Event.SENSOR_SILENT, 2, 12.0, 12.0, place="geo"),
        rung("b", 25.0, Event.SENSOR_SILENT, 2, 25.0, 25.0, place="rpm"),
    ]
    assert trouble.fault_told_s(told, "rpm", (20.0, 60.0)) == 5.0
    assert trouble.fault_told_s(told, "geo", (20.0, 60.0)) == math.inf
    # A sample of 25.1 s is taken up before the tick of that time.
    assert trouble.fault_told_s(told, "rpm", (25.1, 60.0)) == pytest.approx(0.0, abs=0.11)


def test_faults_are_listed_by_kind_with_how_many_were_told_and_how_soon():
    (one,) = [trouble._fault("scanner silent", [4.0, math.inf, math.inf])]
    assert one.name == "fault told within 10 s: scanner silent"
    assert one.how == "1 of 3; 1 told at all"
    assert (
        trouble._fault("portal stuck", [3.0, 6.0]).how == "2 of 2; 2 told at all, half within 3 s"
    )


# --- in brief ----------------------------------------------------------------------------


def test_every_pack_of_the_crossing_can_be_named():
    assert {*days.PACKS, "fusion-correlation", "fusion-flood"} <= set(PACKS)


def test_minutes_of_a_busy_crossing_give_the_whole_table(tmp_path):
    said = []
    settings = Settings(seed=1, number=1, data=None, pictures=tmp_path, say=said.append)
    ways = tuple(system.name for system in systems()[1:])
    one = play(Order(day="busy-day", seed=1_000_001, number=0, options=MINUTES, ways=ways))
    assert set(one.ways) == {GARITA, *ways}
    assert one.heard
    figures = days.figures(days.PACKS["busy-day"], [one], settings)
    names = [figure.name for figure in figures]
    assert "all threats at level >= 3" in names
    assert "naive sum: threats at level >= 3" in names
    assert any(name.startswith("fewer nuisances") for name in names)
    assert (tmp_path / "busy-day-det.png").exists()
    assert "simulators rpm-tsa" in said[0]


def test_a_flood_is_heard_by_tens_and_none_of_it_is_lost():
    sounds, told, found, _ = flood.measure(
        Settings(seed=1, crossing_seed=3, number=None, data=None, pictures=None, say=print)
    )
    assert sounds.reached
    assert told.reached
    assert found.reached
    assert flood.most_within([0.0, 5.0, 9.0, 30.0], 10.0) == 3
