"""A slow twin of the fit of a passage, and walks whose times are known."""

import math

import numpy as np
import pytest

from fusion.kernels import passage as kernel
from fusion.passages import passages

BIN_S = 0.2


def heard(at_s, width_s, *, seconds=60.0, steep=0.4, top=1000.0, floor=1.0, seed=1, from_s=0.0):
    """Energies of somebody who passes then, from gamma-distributed bins."""
    times = from_s + (np.arange(round(seconds / BIN_S)) + 0.5) * BIN_S
    x = np.sqrt(1.0 + ((times - at_s) / width_s) ** 2)
    mean = floor + top * np.exp(-steep * (x - 1.0)) / x
    return mean * np.random.default_rng(seed).gamma(8.0, 1.0 / 8.0, len(times))


def smoothed_slowly(energy, reach):
    kernel_of = [1.0 + math.cos(math.pi * k / (reach + 1)) for k in range(-reach, reach + 1)]
    out = []
    for i in range(len(energy)):
        pairs = [
            (weight, energy[i + k])
            for k, weight in zip(range(-reach, reach + 1), kernel_of, strict=True)
            if 0 <= i + k < len(energy)
        ]
        out.append(sum(w * e for w, e in pairs) / sum(w for w, _ in pairs))
    return np.array(out)


def misfit_slowly(places, heights, weights, at, width):
    """Weighted least squares of height + ln x on c - a x with a >= 0."""
    x = np.sqrt(1.0 + ((places - at) / width) ** 2)
    y = heights + np.log(x)
    root = np.sqrt(weights)
    design = np.stack([np.ones_like(x), -x], axis=1) * root[:, None]
    (_, a), *_ = np.linalg.lstsq(design, y * root, rcond=None)
    a = max(a, 0.0)
    c = np.average(y + a * x, weights=weights)
    return float(np.sum(weights * (y - c + a * x) ** 2)), float(a)


def fitted_slowly(smoothed, floor, bin_s, apart):
    bins = len(smoothed)
    stride = max(1, bins // kernel.POINTS)
    points = math.ceil(bins / stride)
    kept = [i for i in range(0, bins, stride) if smoothed[i] - floor > kernel.OVER_FLOOR * floor]
    over = smoothed[kept] - floor
    far = np.log((smoothed.max() - floor) / over) / kernel.NEAR_NATS
    weights = (over / smoothed[kept]) ** 2 / (1.0 + far**4)
    places, heights = np.array(kept) / stride, np.log(over)
    widths = [kernel.NARROWEST_S / bin_s / stride * kernel.WIDER**k for k in range(kernel.WIDTHS)]
    best, width = min(
        (misfit_slowly(places, heights, weights, at, width)[0], width)
        for width in widths
        for at in range(0, points, kernel.COARSE)
    )
    share = max(apart / stride, 1.0)
    variance = max(best / share / max(weights.sum() / share - 4.0, 1.0), 1e-4)
    at = np.arange(points + 2 * (points // 4)) - points // 4
    left = np.array(
        [
            min(
                misfit_slowly(places, heights, weights, one, width * scale)[0]
                for scale in (1.0 / kernel.WIDER, 1.0, kernel.WIDER)
            )
            for one in at
        ]
    )
    chance = np.exp(-(left - left.min()) / (2.0 * variance * share))
    mean = np.average(at, weights=chance)
    spread = np.average((at - mean) ** 2, weights=chance) + 1.0 / 12.0
    return 0.5 + mean * stride, math.sqrt(spread) * stride, width * stride * bin_s


@pytest.mark.parametrize(("at_s", "width_s"), [(12.0, 4.0), (3.0, 1.0), (19.5, 6.0)])
def test_the_fit_agrees_with_its_slow_twin(at_s, width_s):
    energy = heard(at_s, width_s, seconds=20.0)
    smoothed = kernel.smooth(energy, 4)
    assert smoothed == pytest.approx(smoothed_slowly(energy, 4), rel=1e-12)
    found = np.zeros(kernel.FIELDS)
    kernel.fit(smoothed, np.ones(len(smoothed)), 0, len(smoothed), BIN_S, 4.0, found)
    mean, spread, width = fitted_slowly(smoothed, 1.0, BIN_S, 4.0)
    assert found[kernel.AT] == pytest.approx(mean, rel=1e-6)
    assert found[kernel.DEVIATION] == pytest.approx(spread, rel=1e-5)
    assert found[kernel.WIDTH] == pytest.approx(width)


def test_knocks_stand_out_of_what_lies_between_them():
    energy = np.random.default_rng(7).gamma(7.0, 1.0, 60)
    energy[::3] += 40.0
    over, between = np.zeros((2, 60))
    kernel.knocks(energy, 7, 0.2, over, between)
    for i in range(60):
        around = sorted(energy[max(0, i - 7) : i + 8])
        assert between[i] == around[int(0.2 * (len(around) - 1))]
        assert over[i] == max(energy[i] - between[i], 0.0)


def test_steps_are_found_in_a_rumble_that_swells_and_fades():
    times = (np.arange(300) + 0.5) * BIN_S
    x = np.sqrt(1.0 + ((times - 31.0) / 5.0) ** 2)
    steps = 300.0 * np.exp(-0.4 * (x - 1.0)) / x * (np.arange(300) % 3 == 0)
    rumble = 1.0 + 25.0 * np.exp(-(((times - 15.0) / 8.0) ** 2))
    energy = steps + rumble * np.random.default_rng(3).gamma(8.0, 1.0 / 8.0, 300)
    (by_steps,) = passages(energy, BIN_S, on_foot=True)
    (by_all,) = passages(energy, BIN_S, 1.0)
    assert by_steps.at_s == pytest.approx(31.0, abs=2.0)
    assert abs(by_all.at_s - 31.0) > 2.0 * abs(by_steps.at_s - 31.0)


def test_pieces_end_in_the_valleys_between_the_summits():
    curve = np.concatenate([np.linspace(1, 9, 9), np.linspace(8, 2, 7), np.linspace(3, 20, 18)])
    edges = np.zeros(5, dtype=np.int64)
    assert kernel.summits(curve, 4.0, 2.5, edges) == 2
    assert list(edges[:3]) == [0, int(np.argmin(curve[9:])) + 9, len(curve)]
    assert kernel.summits(curve, 4.0, 5.0, edges) == 1, "nine is not five times two"
    assert kernel.summits(curve, 4.0, 2.5, edges[:2]) == 1, "no more than there is room for"


@pytest.mark.parametrize("gain", [1e-18, 1.0, 1e9])
def test_the_time_of_a_passage_needs_no_gain(gain):
    (found,) = passages(heard(31.0, 5.0) * gain, BIN_S)
    assert found.at_s == pytest.approx(31.0, abs=0.5)
    assert found.sd_s < 0.5
    assert found.over


def test_a_walk_that_began_beside_the_sensor_leans_by_less_than_a_second():
    energy = heard(31.0, 5.0, floor=1e-3)
    energy[: round(25.0 / BIN_S)] = 1e-3
    (found,) = passages(energy, BIN_S)
    assert found.at_s == pytest.approx(31.0, abs=1.0)


def test_what_still_comes_nearer_has_not_passed():
    approaching = heard(50.0, 5.0)[: round(40.0 / BIN_S)]
    (found,) = passages(approaching, BIN_S)
    assert not found.over
    assert found.at_s > 39.0


def test_two_who_follow_at_a_distance_are_two_passages():
    energy = heard(20.0, 3.0, seed=2) + heard(42.0, 3.0, seed=3)
    found = passages(energy, BIN_S)
    assert [round(one.at_s) for one in found] == [20, 42]


@pytest.mark.parametrize("energy", [np.zeros(300), np.ones(300), np.ones(3), np.full(300, 1e-30)])
def test_where_nothing_rises_and_falls_nobody_passes(energy):
    assert passages(energy, BIN_S) == []
