"""Metrics of scanners."""

import pytest

from edge import metrics, scan_metrics
from fusion.scans.quality import ORDER
from fusion.types import SECOND_NS, Detection, Family, Origin

PIECE = {
    "penetration_mm": 300.0,
    "wire_air_mm": 1.4,
    "wire_steel_mm": 3.0,
    "contrast_percent": 1.0,
    "resolution_mm": 6.0,
    "material_sigma": 4.0,
}


def value(name, **labels):
    return metrics.REGISTRY.get_sample_value(f"garita_xray_{name}", labels)


def detection(sensor_id, kind, **facts) -> Detection:
    return Detection(
        sensor_id=sensor_id,
        family=Family.XRAY,
        origin=Origin.SENSOR,
        kind=kind,
        start_utc_ns=30 * SECOND_NS,
        end_utc_ns=39 * SECOND_NS,
        facts=facts,
    )


def test_every_value_of_the_self_check_has_a_gauge_of_its_name():
    assert set(scan_metrics.QUALITY) == {*ORDER, "gain_drift", "dark_drift_counts"}
    assert set(scan_metrics.PIECE) == set(PIECE)


def test_a_scan_sets_its_scanners_gauges_and_what_it_does_not_show_stays():
    scan_metrics.take(detection("s-1", "xray.scan", quality={"air_noise": 0.01, "edge_mm": 14.0}))
    scan_metrics.take(detection("s-1", "xray.scan", quality={"air_noise": 0.02}))
    assert value("air_noise_ratio", sensor="s-1") == 0.02
    assert value("edge_millimeters", sensor="s-1") == 14.0
    assert value("dead_rows", sensor="s-1") is None


@pytest.mark.parametrize(
    ("facts", "result"),
    [
        ({"notes": ()}, "measured"),
        ({"notes": ("no-picture",)}, "no-picture"),
        ({"notes": ("no-air-band", "no-vehicle")}, "no-vehicle"),
        ({"notes": ("composite-only",)}, "composite"),
        ({"notes": (), "partial": True}, "partial"),
    ],
)
def test_scans_are_counted_by_what_came_of_them(facts, result):
    scan_metrics.take(detection(f"s-{result}", "xray.scan", **facts))
    assert value("scans_total", sensor=f"s-{result}", result=result) == 1


def test_a_test_piece_has_its_own_gauges():
    scan_metrics.take(
        detection("s-2", "xray.test-piece", scores=PIECE, quality={"dead_rows": 3.0}, passed=True)
    )
    assert value("test_piece_wire_air_millimeters", sensor="s-2") == 1.4
    assert value("test_piece_passed", sensor="s-2") == 1
    assert value("test_piece_timestamp_seconds", sensor="s-2") == 30
    assert value("dead_rows", sensor="s-2") == 3
    assert value("scans_total", sensor="s-2", result="test-piece") == 1


def test_other_detections_and_odd_facts_are_passed_over():
    scan_metrics.take(detection("s-3", "xray.dense", quality={"air_noise": 0.5}))
    scan_metrics.take(detection("s-3", "xray.scan", quality="none"))
    assert value("air_noise_ratio", sensor="s-3") is None


def test_two_scanners_have_less_than_a_hundred_series():
    every = dict.fromkeys(scan_metrics.QUALITY, 1.0)
    for name in ("ref-x1", "ref-x2"):
        scan_metrics.take(detection(name, "xray.scan", quality=every, notes=()))
        scan_metrics.take(detection(name, "xray.test-piece", scores=PIECE, passed=True))
        for note in ("no-picture", "no-vehicle", "composite-only"):
            scan_metrics.take(detection(name, "xray.scan", notes=(note,)))
    mine = [
        sample
        for family in metrics.REGISTRY.collect()
        for sample in family.samples
        if sample.labels.get("sensor", "").startswith("ref-x")
    ]
    assert len(mine) <= 100
