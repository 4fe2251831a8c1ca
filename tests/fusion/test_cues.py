import pytest

from fusion import cues
from fusion.associate import Lane, Transit
from fusion.policy import AssociationPolicy
from fusion.tracks import Zone
from tests.fusion.makers import CHECKPOINT, dense, detection, gamma, occupancy

POLICY = AssociationPolicy()


def transit(*detections) -> Transit:
    made = Lane(CHECKPOINT.lanes[0], POLICY).occupancy(occupancy(0.0))
    for index, one in enumerate(detections):
        made.add(one, index)
    return made


def zone(*detections) -> Zone:
    made = Zone("fence", [s for s in CHECKPOINT.sensors if s.place == "fence"], POLICY)
    for one in detections:
        made.add(one)
    return made


def test_a_weak_peak_at_the_place_of_a_dense_block_is_shielding():
    cue = cues.shielding(transit(gamma(3.7, point=6.8, extended=1.0), dense(11.6)), POLICY)
    assert cue is not None
    assert cue.facts["apart_m"] == pytest.approx(0.6)
    assert cue.nats["shielded-source"] > 2.0
    assert cue.nats["contraband-anomaly"] < 0.0, "one block is not told twice"


@pytest.mark.parametrize(
    "detections",
    [
        (gamma(3.0, point=4.5, extended=1.0), dense(14.0)),
        (gamma(3.0, point=4.5, extended=1.0), dense(11.0, material="organic")),
        (gamma(1.0, point=0.5, extended=0.2), dense(11.0)),
        (gamma(9.0, point=40.0, extended=9.0, cab=True), dense(11.0)),
        (dense(11.0),),
    ],
    ids=["elsewhere", "not dense", "no peak", "the driver", "no portal"],
)
def test_without_both_halves_at_one_place_there_is_no_shielding(detections):
    assert cues.shielding(transit(*detections), POLICY) is None


def test_a_dip_counts_for_a_shield_but_explains_no_block_away():
    dip = detection("gamma.dip", "rpm-1", {"dip_sigma": 5.0, "position_m": 10.5})
    cue = cues.shielding(transit(dip, dense(11.0)), POLICY)
    assert cue is not None
    assert "contraband-anomaly" not in cue.nats, "a dip does not make a safe a source"


def test_a_wide_profile_over_one_bulk_material_is_released():
    scan = detection("xray.scan", "xray-1", {"homogeneity": 0.9})
    cue = cues.bulk_norm(transit(gamma(20.0, point=50, extended=190, width_m=10.0), scan))
    assert cue is not None
    assert cue.nats["norm"] > 0.0 > cue.nats["threat-source"]


def test_a_dense_block_in_the_bulk_forbids_the_release():
    scan = detection("xray.scan", "xray-1", {"homogeneity": 0.9})
    wide = gamma(20.0, point=50, extended=190, width_m=10.0)
    assert cues.bulk_norm(transit(wide, scan, dense(9.0))) is None


def test_a_cue_made_of_simulated_evidence_is_an_exercise():
    simulated = detection(
        "gamma.dip", "rpm-1", {"dip_sigma": 5.0, "position_m": 10.5}, origin="simulator"
    )
    assert cues.shielding(transit(simulated, dense(11.0)), POLICY).origin == "simulator"
