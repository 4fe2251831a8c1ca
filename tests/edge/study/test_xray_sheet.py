from dataclasses import replace

import numpy as np

from edge.study import xray_sheet
from simulators.xray_cases import FAMILIES, LOADS, THREATS, USUAL, CaseOptions, case


def test_the_sheets_show_every_family_threat_and_kind_of_empty_box():
    asked = [options for cases in xray_sheet.sheets().values() for _, options in cases]
    assert {options.families for options in asked} >= {(name,) for name in FAMILIES}
    assert {options.threat for options in asked} >= set(THREATS)
    assert {options.load for options in asked} == set(LOADS)


def test_a_tile_shows_the_vehicle_dark_on_bright_with_its_truth():
    coarse = replace(USUAL, pitch_x_mm=16.0, pitch_y_mm=16.0)
    scan = case(1, CaseOptions(scanner=coarse, threat="block", box="20"))
    tile = xray_sheet.tile(scan, "block")
    assert tile.shape == xray_sheet.TILE_PX
    assert np.median(tile) > 230
    assert (tile < 60).sum() > 500
    assert "block" in xray_sheet.told(scan.truth)
    assert "kg" in xray_sheet.told(scan.truth)
