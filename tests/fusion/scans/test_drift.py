"""A scanner over many scans: what drifts is told, what is healthy is silent, what is over ends."""

from dataclasses import replace

import numpy as np
import pytest

from edge.text.render import render
from fusion.engine import Engine
from fusion.policy import Policy
from fusion.scans.drift import WATCHED, DriftWatch
from fusion.scans.scanner_policy import ScannerPolicy
from fusion.types import (
    SECOND_NS,
    Checkpoint,
    Event,
    Family,
    LaneSpec,
    Origin,
    Phase,
    ScanFinding,
    SensorSpec,
)

POLICY = ScannerPolicy()
SPEC = SensorSpec(sensor_id="xray-1", family=Family.XRAY, place="nb-01", silent_after_ms=0)
HEALTHY = {  # as simulated scanners are
    "air_counts": 58_000.0,
    "dark_counts": 180.0,
    "dark_noise_counts": 3.0,
    "air_noise": 0.0101,
    "snr": 98.0,
    "module_step": 0.006,
    "dead_rows": 2.0,
    "hot_rows": 0.0,
    "pulse_sigma": 0.01,
    "missed_lines": 1.0,
    "penetration_mm": 332.0,
    "unusable": 0.0073,
    "lost_lines": 0.0,
    "duplicated_lines": 0.0,
    "saturated": 0.0,
    "edge_px": 2.0,
    "speed_error": 0.0,
    "low_air_counts": 52_000.0,
    "low_air_noise": 0.0104,
    "low_pulse_sigma": 0.01,
    "low_missed_lines": 1.0,
    "low_dark_counts": 180.0,
    "low_dead_rows": 2.0,
}
GAINS = tuple(1.0 + 0.005 * (i % 3) for i in range(30))


def finding(number: int, gains: tuple[float, ...] = GAINS, **changes: float | None) -> ScanFinding:
    """A healthy scan that wanders as scans do, with some values set."""
    random = np.random.default_rng([7, number])
    values = {
        name: value * float(random.normal(1.0, 0.004)) + name.endswith("missed_lines") * number % 3
        for name, value in HEALTHY.items()
    }
    values |= {name: value for name, value in changes.items() if value is not None}
    return ScanFinding(
        sensor_id="xray-1",
        origin=Origin.SENSOR,
        start_utc_ns=(1 + 180 * number) * SECOND_NS,
        duration_ms=9000,
        scan_id=f"s{number}",
        length_m=17.0,
        declared="",
        container="",
        empty=True,
        empty_nats=9.0,
        fill=0.0,
        homogeneity=0.0,
        unpenetrated=0.0,
        regions=(),
        quality=tuple((n, v) for n, v in values.items() if changes.get(n, 0.0) is not None),
        notes=(),
        row_gain=tuple(float(f"{g + random.normal(0.0, 3e-4):.5g}") for g in gains),
    )


def told(findings, policy: ScannerPolicy = POLICY):
    watch = DriftWatch(SPEC, policy)
    return [(i, d) for i, one in enumerate(findings) for d in watch.feed(one)[1]]


def test_a_healthy_scanner_says_nothing_in_a_thousand_scans():
    assert told(finding(i) for i in range(1000)) == []


WORSE = {
    "air_counts": 53_000.0,
    "air_noise": 0.0120,
    "snr": 70.0,
    "pulse_sigma": 0.03,
    "missed_lines": 9.0,
    "penetration_mm": 322.0,
    "unusable": 0.02,
    "dark_counts": 220.0,
    "dark_noise_counts": 5.0,
    "dead_rows": 5.0,
    "hot_rows": 1.0,
    "module_step": 0.013,
    "saturated": 0.002,
    "lost_lines": 4.0,
    "duplicated_lines": 3.0,
    "edge_px": 2.9,
    "speed_error": -0.07,
    "low_air_counts": 47_000.0,
    "low_air_noise": 0.0125,
    "low_pulse_sigma": 0.03,
    "low_missed_lines": 9.0,
    "low_dark_counts": 220.0,
    "low_dead_rows": 5.0,
}


@pytest.mark.parametrize("name", WORSE)
def test_a_step_is_noticed_with_the_third_scan_and_ends_when_it_is_over(name):
    scans = [finding(i) for i in range(20)]
    scans += [finding(i, **{name: WORSE[name]}) for i in range(20, 40)]
    scans += [finding(i) for i in range(40, 60)]
    (noticed, begins), (cleared, ends) = told(scans)
    assert noticed == 22
    assert begins.kind == "health.drift"
    assert begins.facts["active"] is True
    assert begins.facts["value"] == name
    assert begins.facts["code"] == f"drift-{WATCHED[name].cause}"
    assert begins.start_utc_ns == scans[20].start_utc_ns
    assert 40 <= cleared <= 44
    assert ends.facts["active"] is False
    assert ends.start_utc_ns == begins.start_utc_ns


def test_every_value_that_is_watched_was_tried():
    assert set(WORSE) | {"gain_drift"} == set(WATCHED) == set(POLICY.drift_limits)


def test_the_reference_is_not_dragged_along_by_a_slow_drift():
    scans = [finding(i, dark_counts=180.0 + 0.1 * i) for i in range(500)]
    ((noticed, one),) = told(scans)
    assert 240 <= noticed <= 265  # 25 counts at a tenth a scan
    assert one.facts["was"] == pytest.approx(180.4, abs=1.0)


def test_one_odd_scan_or_two_are_no_drift():
    odd = {"air_noise": 0.05, "dark_counts": 900.0, "dead_rows": 40.0}
    scans = [finding(i, **(odd if i in {30, 32} else {})) for i in range(80)]
    assert told(scans) == []


def test_odd_scans_in_the_warm_up_do_not_spoil_the_reference():
    scans = [finding(i, **({"dark_counts": 900.0} if i in {2, 5} else {})) for i in range(80)]
    assert told(scans) == []


def test_the_gain_of_one_block_is_held_against_the_reference():
    turned = tuple(g * (1.02 if i == 12 else 1.0) for i, g in enumerate(GAINS))
    scans = [finding(i) for i in range(20)] + [finding(i, gains=turned) for i in range(20, 30)]
    ((noticed, one),) = told(scans)
    assert noticed == 22
    assert one.facts["value"] == "gain_drift"
    assert one.facts["now"] == pytest.approx(2.0, abs=0.2)


def test_a_detector_read_out_in_another_way_is_learned_anew():
    scans = [finding(i) for i in range(20)] + [finding(i, gains=GAINS[:15]) for i in range(20, 60)]
    assert told(scans) == []


def test_values_of_one_cause_are_one_alert_that_names_the_worst():
    worse = {"air_noise": 0.02, "air_counts": 50_000.0}
    scans = [finding(i) for i in range(20)] + [finding(i, **worse) for i in range(20, 30)]
    ((_, one),) = told(scans)
    assert one.facts["value"] == "air_noise"
    assert one.facts["also"] == ("air_counts",)


def test_noisy_electronics_and_not_the_source_are_told_for_the_steel_that_they_hide():
    worse = {"dark_noise_counts": 12.0, "penetration_mm": 295.0}
    scans = [finding(i) for i in range(20)] + [finding(i, **worse) for i in range(20, 30)]
    ((_, one),) = told(scans)
    assert one.facts["code"] == "drift-detector"
    assert set(one.facts["also"]) | {one.facts["value"]} == set(worse)


def test_a_value_that_cannot_be_measured_is_left_alone():
    scans = [finding(i, air_noise=None if i % 2 else 0.0101) for i in range(60)]
    assert told(scans) == []


def test_what_has_been_told_for_days_is_how_the_scanner_is_now():
    policy = replace(POLICY, relearn_scans=30)
    scans = [finding(i, dark_counts=180.0 if i < 20 else 260.0) for i in range(200)]
    (_, begins), (over, ends) = told(scans, policy)
    assert begins.facts["active"] is True
    assert ends.facts["active"] is False
    assert over == 52


def test_interim_findings_and_display_pictures_do_not_count():
    bad = {"dark_counts": 900.0}
    scans = [finding(i) for i in range(20)]
    scans += [replace(finding(i, **bad), interim=True) for i in range(20, 30)]
    scans += [replace(finding(i, **bad), notes=("composite-only",)) for i in range(30, 40)]
    assert told(scans) == []


# --- through the engine --------------------------------------------------------------------


def played(findings):
    lane = LaneSpec(lane_id="nb-01", direction="northbound")
    engine = Engine(Checkpoint(site="s", sensors=(SPEC,), lanes=(lane,)), Policy())
    alerts, detections = [], []
    for one in findings:
        alerts += engine.tick(one.start_utc_ns)
        alerts += engine.feed(one)
        detections += engine.take_detections()
    return alerts, detections


def test_drift_is_a_sensor_fault_in_both_languages_and_clears():
    scans = [finding(i, **({"air_noise": 0.014} if 20 <= i < 30 else {})) for i in range(50)]
    alerts, detections = played(scans)
    faults = [one for one in alerts if one.event is Event.SENSOR_FAULT]
    assert [one.phase for one in faults] == [Phase.NEW, Phase.CLEAR]
    english, spanish = (render(faults[0], language) for language in ("en-US", "es-MX"))
    assert english.headline == "Scanner drifting: xray-1"
    assert "noise in air, from 1.0" in english.description
    assert "to 1.4 (%)" in english.description
    assert "accelerator" in english.description
    assert spanish.headline == "Deriva del escáner: xray-1"
    assert "ruido en aire, de 1.0" in spanish.description
    assert "acelerador" in spanish.description
    scanned = [one for one in detections if one.kind == "xray.scan"]
    assert {"gain_drift", "dark_drift_counts"} <= set(scanned[-1].facts["quality"])


def test_the_same_findings_give_the_same_alerts():
    scans = [finding(i, **({"air_noise": 0.014} if 20 <= i < 30 else {})) for i in range(50)]
    assert played(scans) == played(scans)
