import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.evidence import (
    seismic_event,
    xray_dense,
    xray_emptiness,
    xray_mismatch,
    xray_unpenetrated,
)
from fusion.evidence_calibration import EvidenceCalibration
from fusion.policy import ScoringPolicy

PRIORS = ScoringPolicy().priors_nats


def event(name, *, sure=True, clear=0.0, **shares):
    rest = 1.0 - sum(shares.values())
    return {
        "class": name,
        "classes": shares | {"weather": rest / 2, "unknown": rest / 2},
        "sure": sure,
        "clear": clear,
    }


def somebody(facts):
    """Odds that anybody walks, alone or not, by one sensor."""
    told = seismic_event(facts)
    return math.log(sum(math.exp(PRIORS[name] + told[name]) for name in ("person", "group")))


@given(st.floats(0.05, 0.95), st.floats(0.7, 0.98))
def test_how_many_walk_takes_little_from_that_somebody_does(part, both):
    mixed = event("person", person=part * both, group=(1 - part) * both)
    alone = event("person", person=both, group=0.0)
    assert somebody(mixed) > somebody(alone) - 0.5


def test_a_sensor_that_hears_wind_does_not_say_that_nobody_walks():
    windy = seismic_event(event("weather", sure=False, person=0.02, group=0.01, vehicle=0.2))
    assert not {"person", "group"} & set(windy)


@pytest.mark.parametrize("name", ["animal", "vehicle", "digging"])
def test_a_sensor_that_is_sure_of_something_else_on_the_ground_does(name):
    told = seismic_event(event(name, person=0.02, group=0.01, **{name: 0.9}))
    assert told["person"] < -2.0


@given(st.floats(0.0, 1.0), st.floats(0.0, 4.0))
def test_clearer_steps_say_more_and_no_sensor_says_everything(share, clear):
    faint = seismic_event(event("person", person=share, group=0.0))
    plain = seismic_event(event("person", person=share, group=0.0, clear=clear))
    if "person" in faint:
        assert faint["person"] <= plain["person"] <= EvidenceCalibration().foot_most_nats


def test_without_steps_that_were_sure_nobody_rings():
    told = seismic_event(event("person", sure=False, person=0.98, group=0.0, clear=3.0))
    assert PRIORS["person"] + told["person"] < -1.5


def block(sigma, *, homogeneity=0.5, material="steel"):
    return {"sigma": sigma, "homogeneity": homogeneity, "material": material}


@given(st.floats(0.0, 30.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_dense_place_says_as_much_in_any_load(sigma, even, uneven):
    # Its sigmas are against that very load: its evenness must not count a second time.
    told = xray_dense(block(sigma, homogeneity=even))
    assert told == xray_dense(block(sigma, homogeneity=uneven))


@given(st.floats(5.0, 29.0), st.floats(0.1, 1.0))
def test_a_denser_place_says_more(sigma, more):
    less, greater = xray_dense(block(sigma)), xray_dense(block(sigma + more))
    assert greater["contraband-anomaly"] > less["contraband-anomaly"]
    assert greater["shielded-source"] >= less["shielded-source"]


def test_a_strong_place_among_two_kinds_of_goods_is_told():
    told = xray_dense(block(23.0, homogeneity=0.04))
    assert PRIORS["contraband-anomaly"] + told["contraband-anomaly"] > 3.0
    # One in two or three of the weakest ones is a thing: not enough by itself.
    weak = xray_dense(block(6.0, homogeneity=0.04))
    assert PRIORS["contraband-anomaly"] + weak["contraband-anomaly"] < -3.0


calibrations = st.builds(
    EvidenceCalibration,
    foot_slope=st.floats(0.0, 3.0),
    foot_offset=st.floats(-3.0, 3.0),
    foot_clear_nats=st.floats(0.0, 4.0),
    ground_slope=st.floats(0.0, 3.0),
    ground_offset=st.floats(-3.0, 3.0),
    emptiness_slope=st.floats(0.0, 1.0),
    emptiness_offset=st.floats(-3.0, 3.0),
    dense_slope=st.floats(0.0, 3.0),
    dense_offset=st.floats(0.0, 20.0),
    dense_least_nats=st.floats(-4.0, 0.0),
)


@given(calibrations, st.floats(-30.0, 30.0), st.floats(0.0, 10.0))
def test_whatever_was_fitted_more_never_says_less_of_a_scan(known, measured, more):
    for test, facts, name in (
        (xray_dense, lambda x: {"sigma": x, "material": "steel"}, "contraband-anomaly"),
        (xray_dense, lambda x: {"sigma": x, "material": "organic"}, "contraband-anomaly"),
        (xray_dense, lambda x: {"sigma": x, "material": "steel"}, "shielded-source"),
        (xray_emptiness, lambda x: {"declared": "empty", "empty_nats": -x}, "not-empty"),
        (xray_mismatch, lambda x: {"papers_nats": x}, "not-as-declared"),
        (xray_unpenetrated, lambda x: {"share": x}, "unpenetrated"),
    ):
        less, greater = (
            test(facts(measured), known)[name],
            test(facts(measured + more), known)[name],
        )
        assert greater >= less - 1e-12


@given(calibrations, st.floats(0.0, 0.9), st.floats(0.0, 0.1), st.floats(0.0, 4.0))
def test_whatever_was_fitted_more_never_says_less_of_a_ground_sensor(known, share, more, clear):
    def told(share):
        return seismic_event(event("person", person=share, group=0.0, clear=clear), known)

    less, greater = told(share), told(share + more)
    if "person" in less:
        assert greater["person"] >= less["person"] - 1e-12
    vehicle = [
        seismic_event(event("vehicle", person=0.0, vehicle=x), known)["vehicle"]
        for x in (share, share + more)
    ]
    assert vehicle[1] >= vehicle[0] - 1e-12


def test_a_faint_place_is_less_than_nothing_where_a_fit_says_so():
    known = EvidenceCalibration(dense_slope=1.0, dense_offset=6.0, dense_least_nats=-0.8)
    assert xray_dense(block(5.1), known)["contraband-anomaly"] == -0.8
    assert xray_dense(block(9.0), known)["contraband-anomaly"] == 3.0
