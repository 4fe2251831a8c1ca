"""Each value of the scanner's self-check against what was built into the scan."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from fusion.scans.edges import TEN_TO_NINETY, edge_width
from fusion.scans.quality import MODULE_ROWS, ORDER
from fusion.types import Origin, ScanFinding, ScanSample
from fusion.xray import XrayPolicy, analyse
from simulators.xray import composite
from simulators.xray_cases import USUAL, CaseOptions, XrayCase, case
from simulators.xray_scanner import Scanner

POLICY = XrayPolicy()
PLAIN = replace(USUAL, rows=480, device=4)
"""A scanner with a detector line of its own, exactly as it says."""


@cache
def drawn(scanner: Scanner = PLAIN, load: str = "loaded") -> XrayCase:
    return case(91, CaseOptions(load=load, box="40", scanner=scanner, varied=False))


def sample(one: XrayCase, **changes) -> ScanSample:
    scan = ScanSample(
        sensor_id="xray-1",
        origin=Origin.SIMULATOR,
        start_utc_ns=5,
        duration_ms=9000,
        scan_id="s",
        high=one.high,
        low=None,
        composite=None,
        pitch_x_mm=one.pitch_mm[0],
        pitch_y_mm=one.pitch_mm[1],
        declared="",
        container="",
        digests=(),
        energies_mev=one.energies_mev,
    )
    return replace(scan, **changes)


@cache
def found(scanner: Scanner = PLAIN, load: str = "loaded") -> ScanFinding:
    one = drawn(scanner, load)
    return analyse(sample(one, low=one.low), POLICY)


def values(load: str = "loaded", **knobs) -> dict[str, float]:
    return dict(found(replace(PLAIN, **knobs), load).quality)


def test_every_value_is_told_of_an_ordinary_scan_in_the_order_of_the_docs():
    assert [name for name, _ in found().quality] == list(ORDER)


BUILT_IN = {
    # value: (knob of the simulated scanner, its size, expected, within)
    "air_counts": ("air_counts", 52_000.0, 52_000.0, 600.0),
    "dark_counts": ("dark_counts", 260.0, 260.0, 2.0),
    "dark_noise_counts": ("electronic_counts", 6.0, 6.0, 0.2),
    "air_noise": ("quanta", 2_500.0, 0.02, 0.001),
    "quanta": ("quanta", 40_000.0, 40_000.0, 4_000.0),
    "pulse_sigma": ("pulse_spread", 0.02, 0.02, 0.0015),
    "missed_lines": ("missed_pulses", 7, 7.0, 0.5),
    "dead_rows": ("dead_rows", 5, 5.0, 0.1),
    "hot_rows": ("hot_rows", 3, 3.0, 0.1),
    "duplicated_lines": ("repeated_lines", 4, 4.0, 0.1),
    "speed_error": ("speed_error", 0.03, 0.03, 0.004),
    "length_error_m": ("speed_error", 0.03, 0.37, 0.05),
}


@pytest.mark.parametrize("load", ["loaded", "empty"])
@pytest.mark.parametrize("name", BUILT_IN)
def test_what_was_built_in_is_measured(load, name):
    knob, size, expected, within = BUILT_IN[name]
    told = values(load, **{knob: size})
    assert told[name] == pytest.approx(expected, abs=within)
    if f"low_{name}" in ORDER:  # the simulated scanner is the same at both energies
        assert told[f"low_{name}"] == pytest.approx(expected, abs=within)


def test_what_ails_the_low_energy_alone_is_told_of_it_alone():
    one = drawn()
    low = (one.low * 0.9).astype(np.uint16)
    low[300] = 0
    told, healthy = dict(analyse(sample(one, low=low), POLICY).quality), values()
    assert told["low_air_counts"] == pytest.approx(0.9 * healthy["low_air_counts"], rel=0.01)
    assert told["low_dead_rows"] == healthy["low_dead_rows"] + 1
    ours = [name for name in ORDER if not name.startswith("low_") and name != "unusable"]
    assert [told[name] for name in ours] == [healthy[name] for name in ours]
    assert not any(name.startswith("low_") for name, _ in analyse(sample(one), POLICY).quality)


def test_the_blur_of_the_posts_follows_the_scanners():
    widths = [values("empty", psf_px=psf)["edge_px"] for psf in (0.6, 0.9, 1.3, 1.8)]
    assert np.all(np.diff(widths) > 0.5)
    # Half a pixel of the drawing's own sampling is in it too.
    assert widths[1] == pytest.approx(TEN_TO_NINETY * np.hypot(0.9, 0.35), rel=0.15)


@pytest.mark.parametrize("sigma", [0.6, 1.0, 1.5])
@pytest.mark.parametrize("second_px", [0.0, 2.5, 4.0])
@pytest.mark.parametrize("shift", [0.0, 0.3, 0.5])
def test_an_edge_is_measured_wherever_it_lies_and_whatever_stands_behind_it(
    sigma, second_px, shift
):
    at = np.arange(48.0)
    erf = np.vectorize(math.erf)
    profile = 1.0 - 0.25 * (1 + erf((at - 20 - shift) / sigma / np.sqrt(2)))
    if second_px:
        profile -= 0.2 * (1 + erf((at - 20 - shift - second_px) / sigma / np.sqrt(2)))
    # Between two pixels the step is the edge's mean over a pixel.
    expected = TEN_TO_NINETY * np.hypot(sigma, np.sqrt(1 / 12))
    assert edge_width(profile) == pytest.approx(expected, rel=0.12)


def test_where_there_is_no_edge_no_width_is_told():
    assert edge_width(np.ones(48)) is None
    assert edge_width(np.linspace(1.0, 0.2, 48)) is None
    dark_before = np.concatenate([np.full(24, 0.5), np.full(24, 0.1)])
    assert edge_width(dark_before) is None


def test_the_gain_of_a_block_and_the_steps_between_blocks():
    even = found(replace(PLAIN, row_gain_spread=0.0, module_spread=0.0))
    uneven = found(replace(PLAIN, row_gain_spread=0.0, module_spread=0.02))
    assert len(even.row_gain) == 480 // MODULE_ROWS
    assert np.ptp(even.row_gain) < 0.004
    assert dict(even.quality)["module_step"] < 0.002
    # Neighbours of spread s differ by s times the root of 2.
    assert dict(uneven.quality)["module_step"] == pytest.approx(0.02 * np.sqrt(2), rel=0.35)
    turned = found(replace(PLAIN, gain_drift=0.03)).row_gain
    change = np.array(turned) / np.array(found().row_gain)
    assert np.median(change[1::2] / change[::2]) == pytest.approx(1.03, abs=0.003)


def test_noise_and_dark_decide_how_much_steel_is_seen_through():
    thick = values()["penetration_mm"]
    assert 310.0 < thick < 350.0  # facts 2.2: T = 2.5e-5 to 1e-4 behind 309 to 370 mm
    assert values(quanta=2_500.0)["penetration_mm"] < thick - 25.0
    assert values(electronic_counts=30.0)["penetration_mm"] < thick - 25.0


def test_saturated_and_lost_pixels_are_counted():
    one = drawn()
    bright = one.high.copy()
    bright[:, 200:240] = 65_535
    told = dict(analyse(sample(one, high=bright), POLICY).quality)
    assert told["saturated"] == pytest.approx(40 / one.high.shape[1], rel=0.05)
    gone = one.high.copy()
    gone[:, 300:312] = 0
    told = dict(analyse(sample(one, high=gone, lost_columns=((300, 312),)), POLICY).quality)
    assert told["lost_lines"] == 12
    assert told["missed_lines"] == values()["missed_lines"]


def test_what_a_scan_does_not_show_is_left_out():
    one = drawn()
    without_dark = analyse(sample(one, high=one.high[:, 16:].copy()), POLICY)
    assert "dark_counts" not in dict(without_dark.quality)
    picture = composite(one.high)
    told = dict(analyse(sample(one, high=None, composite=picture), POLICY).quality)
    assert not {"quanta", "penetration_mm", "dark_counts", "air_noise"} & set(told)


def test_the_same_scan_gives_the_same_values():
    assert analyse(sample(drawn(), low=drawn().low), POLICY).quality == found().quality
