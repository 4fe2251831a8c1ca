"""Portal and scanner at one place: what rings, and what drives past."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.association_policy import AssociationPolicy
from fusion.cues_shielding import expected_dip_sigma, likeness, shielding, sigma_at
from fusion.evidence_cues import fusion_shielding
from tests.fusion.makers import dense, detection, gamma
from tests.fusion.test_cues import transit

POLICY = AssociationPolicy()


def along(peak_m: float, sigma: float) -> tuple[float, ...]:
    """What a point of so many standard deviations at a place looks like from every metre."""
    return tuple(round(sigma * likeness(m - 1.5 - peak_m), 2) for m in range(21))


def leak(sigma: float, at_m: float = 11.0, *, extended: float | None = None):
    nats = 0.5 * sigma**2
    rest = nats - 1.0 if extended is None else extended
    return gamma(sigma, point=nats, extended=rest, position_m=at_m, along_sigma=along(at_m, sigma))


def nats(*detections) -> float:
    found = shielding(transit(*detections), POLICY)
    return 0.0 if found is None else found.nats["shielded-source"]


def test_a_leak_counts_at_the_block_and_nowhere_else():
    assert nats(leak(3.5), dense(11.0)) > 4.0
    assert nats(leak(3.5), dense(5.0)) == 0.0


def test_a_leak_too_weak_to_be_the_best_of_all_places_counts_at_the_block():
    seen = list(along(11.0, 3.2))
    seen[6] = 3.4
    noise = gamma(3.4, point=5.8, extended=4.0, position_m=4.5, along_sigma=tuple(seen))
    found = shielding(transit(noise, dense(11.0)), POLICY)
    assert found is not None
    assert found.nats["shielded-source"] > 2.0
    assert "apart_m" not in found.facts, "the portal's own best place is another"


@pytest.mark.parametrize(
    "detections",
    [
        (leak(9.0, extended=200.0), dense(11.0)),
        (leak(12.0, at_m=4.5), dense(14.0)),
        (leak(3.5), dense(11.0, material="organic")),
        (leak(3.5), dense(11.0, material="light-metal")),
        (gamma(9.0, point=40.5, extended=9.0, cab=True, position_m=2.0), dense(2.0)),
        (leak(1.5), dense(11.0, sigma=20.0)),
        (leak(-3.0), dense(11.0, sigma=20.0)),
        (leak(3.5), detection("xray.dense", "xray-1", {"from_rear_m": 7.0, "material": "dense"})),
    ],
    ids=[
        "a load of minerals beside machines",
        "a source elsewhere",
        "water",
        "aluminium",
        "the driver upon the engine",
        "an engine in a crate",
        "a machine's shadow",
        "a place that is not known yet",
    ],
)
def test_lawful_loads_and_other_places_are_no_shield(detections):
    assert shielding(transit(*detections), POLICY) is None


def test_of_several_blocks_the_best_pair_speaks_and_pays_for_the_choice():
    one = nats(leak(3.5), dense(11.0))
    many = nats(leak(3.5), dense(6.0), dense(11.0), dense(15.0))
    assert 0.0 < many < one
    found = shielding(transit(leak(3.5), dense(6.0), dense(11.2)), POLICY)
    assert found is not None
    assert found.facts["position_m"] == 11.2


def test_a_stronger_block_says_more_but_never_without_a_leak():
    assert nats(leak(3.0), dense(11.0, sigma=14.0)) > nats(leak(3.0), dense(11.0, sigma=7.0))
    assert nats(leak(1.0), dense(11.0, sigma=30.0)) == 0.0


def test_what_nothing_gets_through_can_be_the_shield():
    black = detection("xray.unpenetrated", "xray-1", {"share": 0.1, "position_m": 11.0})
    assert nats(leak(4.0), black) > 2.0


def test_a_dip_as_deep_as_the_block_predicts_says_more_than_one_that_it_cannot_explain():
    block = {"from_m": 10.0, "to_m": 12.0, "bottom_m": 1.2, "top_m": 2.9, "excess_g_cm2": 60.0}
    dip = detection(
        "gamma.dip",
        "rpm-1",
        {"dip_sigma": 3.6, "position_m": 11.0, "background_cps": 1000.0},
    )
    of_block = shielding(transit(dip, dense(11.0, **block)), POLICY)
    of_crumb = shielding(
        transit(dip, dense(11.0, **block | {"excess_g_cm2": 0.0, "to_m": 10.1})), POLICY
    )
    assert of_block is not None
    assert of_crumb is not None
    assert of_block.nats["shielded-source"] >= of_crumb.nats["shielded-source"]
    assert set(of_block.nats) == {"shielded-source"}, "a dip does not make a safe a source"


def test_a_dip_that_is_missing_has_been_filled_by_a_leak():
    facts = {"trace": "gamma.profile", "at_sigma": 2.5, "best_nats": 3.2, "behind_nats": 0.1}
    filled = fusion_shielding(facts | {"expected_dip_sigma": 2.0})
    assert filled["shielded-source"] > fusion_shielding(facts)["shielded-source"]


def test_neutrons_at_a_dense_block_count_without_any_gammas():
    facts = {"neutron_sigma": 4.0, "position_m": 10.5, "significant": False}
    found = shielding(transit(detection("neutron.counts", "rpm-1", facts), dense(11.0)), POLICY)
    assert found is not None
    assert found.facts["trace"] == "neutron.counts"


def test_a_point_upon_minerals_at_a_block_is_no_mere_load():
    load = gamma(30.0, point=300.0, extended=450.0, along_sigma=along(11.0, 20.0))
    hidden = gamma(
        30.0,
        point=300.0,
        extended=450.0,
        along_sigma=along(11.0, 20.0),
        point_on_load_nats=7.0,
        point_on_load_m=11.3,
    )
    assert nats(load, dense(11.0)) == 0.0
    assert nats(hidden, dense(11.0)) > 2.0
    assert nats(hidden, dense(16.0)) == 0.0


@given(
    sigma=st.floats(2.0, 8.0),
    place_m=st.floats(4.0, 14.0),
    nearer_m=st.floats(0.0, 5.0),
    further_m=st.floats(0.0, 5.0),
)
def test_moving_the_block_away_from_the_leak_never_says_more(sigma, place_m, nearer_m, further_m):
    seen = gamma(sigma, point=0.5 * sigma**2, extended=0.0, position_m=place_m)
    near, far = dense(place_m + nearer_m), dense(place_m + nearer_m + further_m)
    assert nats(seen, far) <= nats(seen, near) + 1e-9


@given(
    sigma=st.floats(-4.0, 10.0),
    more=st.floats(0.0, 3.0),
    behind=st.floats(0.0, 20.0),
    worse=st.floats(0.0, 20.0),
    dip=st.floats(0.0, 4.0),
)
def test_a_stronger_leak_and_a_better_explained_one_never_say_less(sigma, more, behind, worse, dip):
    def say(sigma: float, behind: float) -> float:
        facts = {
            "trace": "gamma.profile",
            "at_sigma": sigma,
            "behind_nats": behind,
            "expected_dip_sigma": dip,
            "block_nats": 6.0,
        }
        return fusion_shielding(facts).get("shielded-source", 0.0)

    assert say(sigma + more, behind) >= say(sigma, behind) - 1e-9
    assert say(sigma, behind + worse) <= say(sigma, behind) + 1e-9


def test_between_the_portals_places_the_sigma_is_a_straight_line():
    facts = {"along_sigma": (0.0, 2.0, 4.0)}
    assert sigma_at(facts, -1.0) == pytest.approx(1.0)
    assert sigma_at(facts, 0.0) == pytest.approx(3.0)
    assert sigma_at(facts, 9.0) is None


def test_a_pig_of_half_a_metre_makes_a_dip_of_half_a_sigma():
    pig = {"from_m": 0.0, "to_m": 0.5, "bottom_m": 1.0, "top_m": 1.5, "excess_g_cm2": 150.0}
    cps = {"background_cps": 1000.0}
    assert 0.2 < expected_dip_sigma(pig, cps, 2.2) < 0.8
    longer = expected_dip_sigma(pig | {"to_m": 1.0}, cps, 2.2)
    assert longer > expected_dip_sigma(pig, cps, 2.2)
    assert expected_dip_sigma(pig, {}, 2.2) == 0.0


def test_neutrons_that_chance_makes_somewhere_in_every_tenth_vehicle_say_nothing_at_a_block():
    facts = {"neutron_sigma": 2.3, "position_m": 11.0, "significant": False}
    found = detection("neutron.counts", "rpm-1", facts)
    assert nats(found, dense(11.0, sigma=20.0)) == 0.0
