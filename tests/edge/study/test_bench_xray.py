"""The bench of whole scans, on two small ones."""

import importlib.util

import pytest

from edge.study import bench_xray
from edge.study.figures import Options


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(bench_xray, "ROWS", 160)
    monkeypatch.setattr(bench_xray, "COLUMNS", 520)
    monkeypatch.setattr(bench_xray, "PITCH_Y_MM", 30.0)
    monkeypatch.setattr(bench_xray, "LOADS", bench_xray.LOADS[1::2])
    monkeypatch.setattr(bench_xray, "ROUNDS", 3)
    return [bench_xray.scan_of(2 + i, load) for i, load in enumerate(bench_xray.LOADS)]


def test_the_reference_and_the_analysis_agree_on_what_is_measured(small):
    pytest.importorskip("scipy")
    pytest.importorskip("skimage")
    speed = bench_xray._speed(small)
    assert [one.name for one in speed] == ["xray.ratio", "xray.ratio.pixels", "xray.scan"]
    agreement = bench_xray._agreement(small)
    assert len(agreement) == 5
    assert [one.name for one in agreement if one.value < 0.9] == ["xray.log-error"]
    assert agreement[-1].value < 0.1  # so small a picture shows no air to calibrate rows in


def test_the_scans_of_child_programs_are_those_that_were_kept(small, tmp_path):
    bench_xray._keep(small, tmp_path)
    assert bench_xray.digest(str(tmp_path)) == bench_xray._joined(
        [bench_xray.analyse(scan, bench_xray.POLICY) for scan in small], small
    )
    assert "growth" in bench_xray.memory(str(tmp_path), 3)


def test_without_its_libraries_the_bench_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    said = []
    assert bench_xray.run(Options(seed=1, times=1, say=said.append)) == []
    assert "pip install -r requirements-test.txt" in said[0]
