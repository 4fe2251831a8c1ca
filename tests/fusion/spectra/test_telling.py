"""What is told of a verdict beside gross counts, each by itself."""

from dataclasses import replace

import pytest

from fusion.spectra.assess import Assessment, spectral_facts
from fusion.spectra.place import place_facts
from fusion.spectra.policy import SpectraPolicy
from fusion.spectra.telling import pass_facts
from fusion.spectra.verdict import CATEGORIES, IdentifyPolicy, Verdict

POLICY = SpectraPolicy()
SCATTER = Verdict(
    sigma=9.0,
    category="industrial",
    likeliest="industrial",
    confidence=0.9,
    nuclides=(("Sr-90", 0.9),),
    candidates=(("Sr-90", 0.9),),
    nats=dict.fromkeys(CATEGORIES, 3.0) | {"industrial": 12.0},
    suppression=0.0,
    net_counts=900.0,
    misfit=1.0,
)


def found_with(verdict, identify=None, column=0):
    return Assessment(
        verdict=verdict,
        window=(0, 9),
        score_sigma=5.0,
        over_range=False,
        detectors=(0,),
        identify=identify or IdentifyPolicy(),
        column=column,
    )


def test_sigma_of_what_is_background_is_told_in_the_portal_s_own_units():
    quiet = replace(SCATTER, sigma=8.0, category="background", nuclides=())
    own = replace(IdentifyPolicy(), unmeasured_norm_sigma=20.0)
    for identify, sigma in ((IdentifyPolicy(), 8.0 / 3.0), (own, 8.0 / 5.0)):
        facts = spectral_facts(found_with(quiet, identify), POLICY.significant_sigma)
        assert facts["gamma_sigma"] == pytest.approx(sigma, abs=1e-3)


@pytest.mark.parametrize(("extent", "category"), [("extended", "norm"), ("point", "industrial")])
def test_category_odds_and_place_are_of_one_judgement(extent, category):
    profile = {"extent": extent, "gamma_sigma": 30.0, "position_m": 8.0, "cab": False}
    found = found_with(SCATTER)
    facts = pass_facts(profile, found, "background", POLICY)
    assert facts["category"] == category
    named = category == "industrial"
    assert bool(facts["category_nats"]) is named
    assert ("confidence" in facts) is ("nuclide" in facts) is named
    if not named:
        # The place stays that of the gross counts.
        assert place_facts(found, facts, [], None, distance_m=2.5, cab_m=3.0) == {}
