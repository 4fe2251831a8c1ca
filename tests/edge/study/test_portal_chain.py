from dataclasses import replace

import numpy as np
import pytest

from edge import cli
from edge.study import calibrate, portal_fit
from edge.study.calibration_files import as_module, as_section, values_of
from edge.study.month_chart import Bar, month_chart, reliability_chart
from edge.study.portal_cases import cases, scenario_of
from edge.study.portal_chain import KSigma
from edge.study.portal_month import Month, Outcome, referred
from fusion.types import (
    BackgroundSample,
    CountSample,
    OccupancySample,
    Origin,
    Radiation,
)

COMMON = {"sensor_id": "rpm", "origin": Origin.SIMULATOR, "start_utc_ns": 0}


def test_the_fields_test_is_the_best_second_over_the_frozen_background():
    test = KSigma()
    report = BackgroundSample(
        **COMMON,
        duration_ms=5000,
        radiation=Radiation.GAMMA,
        rate_cps=(250.0,) * 4,
        device_fault="",
    )
    for _ in range(4):
        test.feed(report)
    test.feed(replace(report, rate_cps=(500.0,) * 4, device_fault="high"))
    test.feed(OccupancySample(**COMMON, opened=True, counter=None))
    for counts in (50, 50, 50, 50, 50, 100, 100):
        scan = CountSample(
            **COMMON,
            duration_ms=200,
            radiation=Radiation.GAMMA,
            counts=(counts, counts, 50, 50),
            device_alarm=False,
        )
        test.feed(scan)
    assert test.sigma == pytest.approx(200.0 / np.sqrt(1000.0))


def test_a_threat_is_referred_by_the_whole_chain_and_a_clean_vehicle_is_not():
    assert all(one.judged.referred for one in cases("threat", "rpm-tsa", 900, 2))
    for one in cases("clean", "rpm-tsa", 900, 2):
        assert one.explanation == "nothing"
        assert not one.judged.referred
        assert one.judged.k_sigma < 5.0


def test_a_hidden_threat_lies_within_the_load():
    for vehicle in scenario_of("threat in norm", "rpm-tsa", 901, 4).vehicles:
        load, *_, threat = vehicle.sources
        assert load.from_m <= threat.from_m <= load.to_m


def outcome(*, ours, sigma, cause="x"):
    return Outcome(cause=cause, referred=ours, k_sigma=sigma, neutrons=False)


def test_a_month_weighs_causes_and_compares_at_equal_detection():
    month = Month(
        strata={
            "threat": [outcome(ours=True, sigma=s) for s in (6.0, 8.0, 10.0)]
            + [outcome(ours=False, sigma=4.0)],
            "threat in norm": [outcome(ours=False, sigma=20.0)],
            "norm": [outcome(ours=i < 1, sigma=20.0) for i in range(10)],
            "patient": [outcome(ours=False, sigma=20.0)] * 10,
            "clean": [outcome(ours=False, sigma=1.0)] * 1000,
        }
    )
    assert month.equal_line(0.0, month.detection(0.0, referred)) == 6.0
    value, (low, high), _ = month.reduction(0.0)
    assert value == pytest.approx(1.0 - 7.367 / 92.36, abs=1e-3)
    assert low < value < high <= 1.0


def test_too_little_is_refused_and_so_are_the_reports_seeds(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(portal_fit, "cases", lambda *_: iter(()))
    assert cli.main(["calibrate", "portals", "--number", "1", "--out", str(tmp_path / "x")]) == 2
    assert "0 clean passes" in capsys.readouterr().err
    assert cli.main(["calibrate", "portals", "--seed", "999999"]) == 2
    assert not (tmp_path / "x").exists()


def test_what_was_fitted_is_written_as_a_policy_section_and_as_defaults():
    known = calibrate.RadiationCalibration()
    values: dict[str, object] = {}
    exec(as_module(values_of(known), "portals"), values)
    assert values["PROFILE_SHAPE"] == known.profile_shape
    section = as_section("radiation_evidence", values_of(known), lambda name: name)
    assert section.startswith("radiation_evidence:\n  provenance:\n")


def test_the_pictures_are_pictures():
    bars = [Bar("granite", 12.0, 0.5), Bar("Tc-99m", 3.0, 0.0)]
    assert month_chart("a month", bars, 7.0).startswith(b"\x89PNG")
    assert reliability_chart([("x", [(0.1, 0.2, 5, 0.05, 0.4)])]).startswith(b"\x89PNG")
