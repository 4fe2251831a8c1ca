import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.evidence import RADIATION
from fusion.policy import Policy
from fusion.questions import QUESTIONS
from fusion.radiation_calibration import RadiationCalibration
from fusion.radiation_evidence import gamma_profile, gamma_spectrum, neutron_counts, place
from fusion.types import Event

FITTED = RadiationCalibration()
POLICY = Policy()
nats = st.floats(0.0, 2000.0)


def profile(point, extended, position_m=9.0):
    return {"point_nats": point, "extended_nats": extended, "position_m": position_m}


def spectrum(category, nuclides, **more):
    other = dict.fromkeys(("norm", "medical", "industrial", "snm", "unknown"), 30.0)
    facts = profile(60.0, 40.0) | {"category": category, "category_nats": {**other, category: 60.0}}
    return facts | {"nuclides": tuple((name, 0.9) for name in nuclides)} | more


def test_the_numbers_say_what_they_were_fitted_on():
    assert set(FITTED.provenance) == {"rpm-tsa", "rpm-n42"}
    for kind, told in FITTED.provenance.items():
        assert "seeds" in told and "portal/" in told, kind


@given(extended=nats, less=nats, more=st.floats(0.0, 100.0))
def test_more_of_a_point_never_speaks_for_a_load(extended, less, more):
    def apart(point):
        found = gamma_profile(profile(point, max(point, extended)), FITTED)
        return found["threat-source"] - found["norm"]

    assert apart(less + more) >= apart(less) - 1e-9 or less + more > extended


@given(point=nats, extended=nats, sigma=st.floats(-5.0, 100.0), at=st.floats(-1.5, 30.0))
def test_no_detection_says_more_than_it_may(point, extended, sigma, at):
    facts = profile(point, extended, at) | {"neutron_sigma": sigma, "dip_sigma": 5.0}
    for says in RADIATION.values():
        assert all(-13.0 <= value <= 40.0 for value in says(facts, FITTED).values())


def test_a_quiet_pass_speaks_against_sources_that_show_but_not_against_hidden_ones():
    found = gamma_profile(profile(1.0, 0.5), FITTED)
    assert found["shielded-source"] == 0.0
    assert all(found[name] < -1.0 for name in ("norm", "medical", "threat-source"))


def test_a_point_in_the_cab_is_a_patient_and_a_wide_one_a_load():
    cab = gamma_profile(profile(200.0, 180.0, 2.0), FITTED)
    assert max(cab, key=cab.__getitem__) == "medical"
    load = gamma_profile(profile(300.0, 400.0), FITTED)
    assert max(load, key=load.__getitem__) == "norm"
    point = gamma_profile(profile(200.0, 170.0), FITTED)
    assert point["threat-source"] > max(point["norm"], point["medical"])


def probability_of_a_source(facts):
    """By a portal alone, with the policy's priors."""
    sums = {
        name: POLICY.scoring.priors_nats[name] + gamma_profile(facts, FITTED).get(name, -99.0)
        for name in QUESTIONS["radiation"]
    }
    weights = {name: math.exp(nats) for name, nats in sums.items()}
    sources = weights["threat-source"] + weights["shielded-source"]
    return sources / (1.0 + sum(weights.values()))


@pytest.mark.parametrize("nats", [30.0, 100.0, 1000.0, 1e6])
def test_a_clear_point_stands_far_from_the_advisory_line_on_either_side(nats):
    line = POLICY.alarms.level_lines[Event.RAD_THREAT][0]
    for shape in (0.5, 1.0, 3.0):
        apart = shape * (FITTED.shape_floor_nats + FITTED.shape_share * nats)
        cab = probability_of_a_source(profile(nats, max(0.0, nats - apart), 2.0))
        box = probability_of_a_source(profile(nats, max(0.0, nats - apart), 9.0))
        assert 3.0 * cab < line < box / 3.0


def test_a_point_upon_a_load_is_a_source_behind_and_a_patient_beside_the_driver():
    line = POLICY.alarms.level_lines[Event.RAD_THREAT][0]
    load = profile(3_000.0, 3_100.0)
    told = [
        probability_of_a_source(load | {"point_on_load_nats": nats, "point_on_load_m": at_m})
        for nats, at_m in ((0.0, 9.0), (5.0, 9.0), (10.0, 9.0), (200.0, 9.0), (200.0, 2.0))
    ]
    assert max(told[:2]) < line < min(told[2:4])
    assert told[4] < line
    assert told[0] == pytest.approx(probability_of_a_source(load))


def test_neutrons_in_the_cab_are_no_patients():
    told = {"significant": True, "beside_sigma": 4.5, "joint_sigma": 20.0, "neutron_sigma": 4.5}
    nats = neutron_counts(told, FITTED)
    assert nats["threat-source"] == pytest.approx(0.5 * 4.5**2 - FITTED.neutron_beside_offset)
    assert neutron_counts(told | {"significant": False, "neutron_sigma": 2.0}, FITTED) == {}


def test_without_a_place_the_place_says_nothing():
    assert set(place({"position_m": None}, FITTED).values()) == {0.0}


def test_an_industrial_nuclide_by_name_may_be_a_lawful_source():
    found = gamma_spectrum(spectrum("industrial", ["Co-60"]), FITTED)
    assert found["legal-source"] == found["threat-source"] > found["norm"]
    assert "legal-source" in gamma_spectrum(spectrum("snm", ["U-238"]), FITTED)
    assert "legal-source" not in gamma_spectrum(spectrum("snm", ["Pu-239"]), FITTED)
    assert "legal-source" not in gamma_spectrum(spectrum("unknown", []), FITTED)


def test_neutrons_below_what_clean_traffic_shows_say_nothing():
    assert neutron_counts({"neutron_sigma": 2.5}, FITTED) == {}
    assert neutron_counts({"neutron_sigma": 6.0}, FITTED)["threat-source"] > 5.0
