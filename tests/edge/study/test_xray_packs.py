import pytest

from edge.study.packs import PACKS, Settings
from edge.study.packs import xray_dense as dense
from edge.study.packs import xray_empty as empty
from edge.study.packs import xray_manifest as manifest
from edge.study.packs import xray_mass as mass
from edge.study.packs import xray_previous as previous
from fusion.types import ScanRegion
from simulators.xray_cases import REPORT_FAMILIES, TUNING_FAMILIES


def settings(said, **more):
    return Settings(
        **{"seed": 4_200, "number": 3, "data": None, "pictures": None, "say": said.append} | more
    )


def test_every_pack_of_the_scanner_can_be_named():
    assert {"xray-empty", "xray-dense", "xray-mass", "xray-material", "xray-manifest"} <= set(PACKS)


def test_families_for_reports_are_not_those_for_tuning():
    assert not set(REPORT_FAMILIES) & set(TUNING_FAMILIES)
    assert mass.runs.__globals__["families"](999_999) == TUNING_FAMILIES
    assert mass.runs.__globals__["families"](1_000_000) == REPORT_FAMILIES


def test_boxes_are_counted_by_what_is_in_them(tmp_path):
    said = []
    figures = {one.name: one for one in empty.measure(settings(said, number=10, pictures=tmp_path))}
    assert figures["loads of 50 kg and more found"].how.endswith("2 of 2")
    assert "of 3" in figures["loads of 1.5 kg found"].how
    assert figures["empties told loaded"].how.endswith("of 5")
    assert (tmp_path / "xray-empty.png").read_bytes().startswith(b"\x89PNG")
    assert "simulator" in figures["empties told loaded"].how


def test_a_dense_thing_is_found_at_its_place_only(tmp_path):
    (trial,) = dense.trials([4_202])  # a lead pig
    extent = trial.threat.extent

    def at(from_m, bottom_m, sigma=9.0):
        return ScanRegion(
            from_m=from_m,
            to_m=from_m + extent.to_m - extent.from_m,
            bottom_m=bottom_m,
            top_m=bottom_m + 0.3,
            excess_g_cm2=50.0,
            sigma=sigma,
            material="dense",
        )

    assert trial.dense
    assert dense.hits(at(extent.from_m + 0.3, extent.bottom_m), trial.threat)
    assert not dense.hits(at(extent.from_m + 1.0, extent.bottom_m), trial.threat)
    assert not dense.hits(at(extent.from_m, extent.top_m + 0.1), trial.threat)
    assert dense.alarms([trial], 99.0) == 0


@pytest.mark.parametrize("pack", [mass, manifest])
def test_loads_are_weighed_and_held_against_their_papers(pack):
    figures = pack.measure(settings([]))
    assert all(one.interval is None or one.interval[0] <= one.interval[1] for one in figures)
    assert all("seeds 4,200" in one.how for one in figures[:1])


def test_a_container_is_scanned_again_with_something_put_in_taken_out_and_moved():
    figures = {one.name: one for one in previous.measure(settings([], number=1))}
    assert figures["unchanged, same scanner: told"].value == 0.0
    assert figures["50 kg of steel put in: found"].how.endswith("of 1")
    assert {"50 kg moved: told", "20 kg taken out: found"} <= set(figures)
