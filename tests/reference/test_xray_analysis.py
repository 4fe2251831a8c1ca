"""The whole analysis of a scan beside the one in NumPy, SciPy and scikit-image."""

import importlib

import numpy as np
import pytest

from edge.station.warmup import example_scan
from fusion import xray
from fusion.scans.cells import cells_of
from fusion.scans.policy import XrayPolicy

POLICY = XrayPolicy()
SCAN = example_scan(200, 600)  # in cells of 8 and of 4


def reference():
    pytest.importorskip("scipy")
    pytest.importorskip("skimage")
    return importlib.import_module("edge.study.xray_reference")


def test_the_reference_comes_to_the_same():
    twin = reference()
    ours, theirs = xray.analyse(SCAN, POLICY), twin.analyse(SCAN, POLICY)
    assert ours.fill == pytest.approx(theirs.fill, abs=0.002)
    assert ours.mass_kg == pytest.approx(theirs.mass_kg, rel=0.01)
    assert ours.empty_nats == pytest.approx(theirs.empty_nats, abs=0.05)
    assert ours.homogeneity == pytest.approx(theirs.homogeneity, abs=0.01)
    assert ours.periodicity_m == theirs.periodicity_m
    best, other = ours.regions[0], theirs.regions[0]
    assert best.material == other.material
    assert min(best.to_m, other.to_m) > max(best.from_m, other.from_m)
    for (name, share), (_, expected) in zip(ours.materials, theirs.materials, strict=True):
        assert share == pytest.approx(expected, abs=0.01), name


def test_the_kernels_are_back_once_the_reference_is_done():
    twin = reference()
    twin.analyse(SCAN, POLICY)
    assert xray.cells_of is cells_of


def test_gains_pulses_and_darkness_go_the_same_way():
    twin = reference()
    random = np.random.default_rng(1)
    pulse = random.normal(1.0, 0.01, SCAN.high.shape[1])
    pulse[:16] = pulse[300] = 0.0
    gain = random.normal(1.0, 0.01, (SCAN.high.shape[0], 1))
    gain[90] = 0.0
    plane = (SCAN.high * gain * pulse + 180).clip(0, 65_535).astype(np.uint16)
    ours, theirs = cells_of(plane, None, POLICY), twin.cells_of(plane, None, POLICY)
    seen = ours.usable & theirs.usable
    assert np.abs(ours.high - theirs.high)[seen].max() < 2e-3
    assert np.array_equal(ours.usable[:, 5:], theirs.usable[:, 5:])


def test_the_usual_way_on_all_pixels_tells_the_same_of_the_load():
    reference()
    usual = importlib.import_module("edge.study.xray_reference_pixels")
    ours, theirs = xray.analyse(SCAN, POLICY), usual.analyse(SCAN, POLICY)
    assert ours.empty == theirs.empty
    assert ours.fill == pytest.approx(theirs.fill, abs=0.01)
    assert ours.mass_kg == pytest.approx(theirs.mass_kg, rel=0.05)
    assert [name for name, _ in ours.quality] == [name for name, _ in theirs.quality]
    assert [name for name, _ in ours.geometry] == [name for name, _ in theirs.geometry]
