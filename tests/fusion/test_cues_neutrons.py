"""Neutrons and what the scanner shows of the load."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.association_policy import AssociationPolicy
from fusion.cues_neutrons import background_share, corrected, hydrogenous
from fusion.evidence_cues import HYDROGENOUS_NATS, fusion_hydrogenous
from tests.fusion.makers import dense, detection
from tests.fusion.test_cues import transit

POLICY = AssociationPolicy()
WATER = {"materials": {"organic": 0.95, "steel": 0.05}, "mass_kg": 14_000.0}
SCRAP = {"materials": {"steel": 0.9, "dense": 0.1}, "mass_kg": 14_000.0}


def neutrons(sigma: float, position_m: float = 11.0, **facts):
    more = {"neutron_sigma": sigma, "position_m": position_m, "expected": 24.0, "counts": 40}
    return detection("neutron.counts", "rpm-1", more | facts)


def scan(facts, **more):
    return detection("xray.scan", "xray-1", {"homogeneity": 0.5, **facts, **more})


def said(*detections) -> float:
    found = hydrogenous(transit(*detections), POLICY)
    return 0.0 if found is None else found.nats.get("threat-source", 0.0)


def test_a_weak_excess_behind_water_counts_for_more():
    found = hydrogenous(transit(neutrons(3.6), scan(WATER)), POLICY)
    assert found is not None
    assert found.nats["threat-source"] > 0.5
    assert found.nats["shielded-source"] == found.nats["threat-source"]
    assert found.facts["metal"] is False


def test_an_excess_over_scrap_counts_for_less():
    found = hydrogenous(transit(neutrons(4.0), scan(SCRAP)), POLICY)
    assert found is not None
    assert found.nats["threat-source"] < -0.5
    assert found.facts["metal"] is True
    assert found.facts["mass_t"] == pytest.approx(14.0)


@pytest.mark.parametrize(
    "detections",
    [
        (neutrons(1.5), scan(WATER)),
        (neutrons(4.0),),
        (scan(WATER),),
        (neutrons(4.0), scan({"materials": {}, "mass_kg": None})),
        (neutrons(4.0), scan(WATER, partial=True)),
        (neutrons(4.0), scan(WATER), scan(SCRAP)),
    ],
    ids=["no excess", "no scan", "no portal", "mass not known", "broken off", "two vehicles"],
)
def test_without_an_excess_and_a_load_that_is_known_nothing_is_said(detections):
    assert said(*detections) == 0.0


def test_a_hydrogenous_block_where_the_neutrons_are_counts_beyond_the_load():
    block, elsewhere = dense(11.4, material="organic"), dense(15.0, material="organic")
    load = scan({"materials": {"organic": 0.5}, "mass_kg": 3_000.0})
    assert said(neutrons(3.6), load, block) > said(neutrons(3.6), load, elsewhere) + 1.0
    assert said(neutrons(3.6), load, elsewhere) == said(neutrons(3.6), load)
    behind = dense(3.4, material="organic", behind_m=8.0)
    assert said(neutrons(3.6), load, behind) == said(neutrons(3.6), load, block)


def test_fourteen_tonnes_of_water_take_a_fifth_of_the_background():
    assert background_share(WATER) == pytest.approx(0.82, abs=0.02)
    assert background_share(SCRAP) == pytest.approx(1.075, abs=0.01)
    assert background_share({}) == 1.0


@given(
    sigma=st.floats(0.0, 8.0),
    expected=st.floats(1.0, 200.0),
    share=st.floats(0.7, 1.1),
    more=st.floats(0.0, 0.2),
)
def test_the_more_of_the_background_a_load_leaves_the_less_an_excess_is(
    sigma, expected, share, more
):
    less = corrected(sigma, expected, share + more)
    assert less <= corrected(sigma, expected, share) + 1e-9
    assert corrected(sigma, expected, 1.0) == pytest.approx(sigma)


@given(sigma=st.floats(0.0, 20.0), now=st.floats(-5.0, 20.0), at_block=st.booleans())
def test_it_never_says_more_than_its_cap_either_way(sigma, now, at_block):
    facts = {"neutron_sigma": sigma, "corrected_sigma": now, "at_block": at_block}
    nats = fusion_hydrogenous(facts).get("threat-source", 0.0)
    assert -HYDROGENOUS_NATS <= nats <= HYDROGENOUS_NATS
