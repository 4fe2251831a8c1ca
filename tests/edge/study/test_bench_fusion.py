"""The bench of fusion, in a short form: that it measures what it says."""

import numpy as np
import pytest

from edge.study import bench_fusion, bench_fusion_day
from edge.study.bench_fusion_day import CELLS, at_each_place, checkpoint, traffic
from edge.study.figures import Options
from fusion.types import Family


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(bench_fusion, "REPORTS", 384)
    monkeypatch.setattr(bench_fusion, "TWIN_REPORTS", 192)
    monkeypatch.setattr(bench_fusion, "ROUNDS", 2)
    monkeypatch.setattr(bench_fusion, "KALMAN_STEPS", 4)
    monkeypatch.setattr(bench_fusion, "IDLE_TICKS", 20)
    monkeypatch.setattr(bench_fusion, "SCORES", 20)
    monkeypatch.setattr(bench_fusion_day, "CYCLES", 1)


def test_every_place_has_a_sensor_of_each_family():
    reports = list(at_each_place(np.random.default_rng(1), 3 * CELLS))
    told = {(cell, detection.family) for cell, detection in reports}
    assert len(told) == 3 * CELLS
    assert {family for _, family in told} == set(Family)


def test_all_that_is_told_is_of_sensors_that_are_there():
    known = {spec.sensor_id for spec in checkpoint(CELLS, CELLS).sensors}
    found = [d for _, some in traffic(np.random.default_rng(1)) for d in some]
    assert {d.sensor_id for d in found} <= known
    assert {d.family for d in found} == set(Family)


def test_the_figures_are_those_that_goals_are_set_for(short):
    said = []
    figures = bench_fusion.run(Options(seed=1, times=None, say=said.append))
    named = {one.name: one for one in figures}
    assert named["fusion.batch"].goal == ">= 200000"
    assert named["fusion.feed"].goal == "<= 20"
    assert all(one.value > 0.0 for one in figures)
    assert "(0 alerts besides)" in named["fusion.feed"].how
    assert named["fusion.feed.p95"].value > named["fusion.feed"].value
    assert "(0 were too faint" in named["fusion.weighing"].how
    assert not named["fusion.weighing"].goal  # it is a part of a feed, and no feed
    assert said
