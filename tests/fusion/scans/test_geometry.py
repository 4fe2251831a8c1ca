"""The box in planes: ends, size and the scan's speed, with and without a known pitch."""

import math
from dataclasses import replace

import numpy as np
import pytest

from fusion.types import Origin, ScanSample
from fusion.xray import XrayPolicy, analyse
from simulators.xray_cases import USUAL, CaseOptions, case

POLICY = XrayPolicy()
STILL = replace(USUAL, speed_drift=0.0, wobble_m=0.0)


def measured(scan, **changes):
    told = {
        "sensor_id": "xray-1",
        "origin": Origin.SIMULATOR,
        "start_utc_ns": 0,
        "duration_ms": 0,
        "scan_id": "s",
        "high": scan.high,
        "low": scan.low,
        "composite": None,
        "pitch_x_mm": scan.pitch_mm[0],
        "pitch_y_mm": scan.pitch_mm[1],
        "declared": "",
        "container": "",
        "digests": (),
    }
    return analyse(ScanSample(**{**told, **changes}), POLICY)


@pytest.mark.parametrize(("box", "feet"), [("20", 20), ("40", 40), ("45hc", 45)])
def test_the_ends_of_a_box_are_found_to_centimetres(box, feet):
    scan = case(11, CaseOptions(load="loaded", box=box, scanner=STILL, varied=False))
    places = dict(measured(scan).geometry)
    (outer,) = scan.truth.boxes
    assert places["box_from_m"] == pytest.approx(outer.from_m, abs=0.1)
    assert places["box_to_m"] == pytest.approx(outer.to_m, abs=0.1)
    assert places["container_ft"] == feet
    assert abs(places["speed_error"]) < 0.01


@pytest.mark.parametrize("error", [-0.04, 0.03])
def test_a_wrong_speed_shows_in_the_length_of_the_box(error):
    scanner = replace(STILL, speed_error=error)
    scan = case(12, CaseOptions(load="empty", box="40", scanner=scanner, varied=False))
    assert dict(measured(scan).geometry)["speed_error"] == pytest.approx(error, abs=0.01)


def test_two_short_boxes_are_not_one_long_one():
    scan = case(13, CaseOptions(load="empty", box="20+20", scanner=STILL, varied=False))
    places = dict(measured(scan).geometry)
    assert (places["container_ft"], places["boxes"]) == (20, 2)


def test_a_pitch_that_nobody_told_comes_from_the_box():
    scan = case(14, CaseOptions(load="loaded", box="40", varied=False))
    finding = measured(scan, pitch_x_mm=20.0, pitch_y_mm=20.0, pitch_known=False)
    assert "pitch-from-box" in finding.notes
    places = dict(finding.geometry)
    assert places["pitch_x_mm"] == pytest.approx(scan.pitch_mm[0], rel=0.03)
    known = measured(scan)
    assert finding.empty == known.empty
    # A quarter of an area, whose square goes to that of everything else.
    by_pitch_kg = math.sqrt(finding.mass_sd_kg**2 - known.mass_sd_kg**2)
    assert by_pitch_kg == pytest.approx(0.25 * finding.mass_kg, rel=0.2)
    assert dict(finding.sure)["pitch"] < dict(known.sure)["pitch"]


@pytest.mark.parametrize("box", ["20", "40", "45hc"])
def test_how_large_a_pixel_is_comes_from_a_box_whose_ribs_show_whatever_its_length(box):
    for seed in (100, 101, 102):
        scan = case(seed, CaseOptions(load="light", box=box))
        places = dict(measured(scan, pitch_x_mm=20.0, pitch_y_mm=20.0, pitch_known=False).geometry)
        assert places["pitch_x_mm"] == pytest.approx(scan.pitch_mm[0], rel=0.04)


def test_a_picture_without_a_box_says_so():
    plane = np.full((400, 700), 58_000, np.uint16)
    plane[330:380, 200:380] = 30_000
    finding = measured(case(0), high=plane, low=None, pitch_known=False)
    assert {"no-box", "pitch-assumed"} <= set(finding.notes)
    assert dict(finding.geometry)["container_ft"] == 0
