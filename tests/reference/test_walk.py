"""A slow twin of the fit of a way to all sensors, and ways that are known."""

import math

import numpy as np
import pytest

from fusion.kernels import walk as kernel

SLOT_S = 1.6
PLACES_M = np.array([-20.0, 0.0, 20.0])


def curves(speed_m_s, at_s, *, slots=36, offset_m=6.0, gain=40.0, rest=1.0, seed=1):
    """Logarithms of what three sensors hear of somebody who passes place 0 then."""
    random = np.random.default_rng(seed)
    times = (np.arange(slots) + 0.5) * SLOT_S
    steps = []
    for place in PLACES_M:
        way_m = speed_m_s * (times - at_s) - place
        x = np.sqrt(1.0 + (way_m / offset_m) ** 2)
        mean = gain * np.exp(-0.7 * (x - 1.0)) / x + rest
        steps.append(np.log(mean * random.gamma(8.0, 1.0 / 8.0, slots)))
    return np.array(steps), np.full((3, slots), math.log(rest))


def misfits_slowly(steps, rest, usual, row, width):
    """The least over gains of the bounded squares of what a passage at that row leaves."""
    ratio = (kernel.WIDEST_S / kernel.NARROWEST_S) ** (1.0 / (kernel.WIDTHS - 1))
    wide = kernel.NARROWEST_S * ratio**width / SLOT_S
    at = 0.5 * row - kernel.BEYOND_SLOTS
    known = ~np.isnan(rest)
    x = np.sqrt(1.0 + ((np.arange(len(steps)) + 0.5 - at) / wide) ** 2)[known]
    least = math.inf
    for gain in range(kernel.GAINS):
        top = usual + kernel.LEAST_GAIN + kernel.GAIN_STEP * gain
        level = np.logaddexp(rest[known], top - kernel.STEEP * (x - 1.0) - np.log(x))
        squares = (steps[known] - level) ** 2
        least = min(least, float(np.sum(squares / (1.0 + squares / kernel.ODD_NATS_2))))
    return least / (2.0 * kernel.VARIANCE)


def line_slowly(left):
    """Sums over all lines of the grid, one by one."""
    rows = left.shape[1]
    least = left.min(axis=(1, 2))
    ratio = math.log(kernel.WIDEST_S / kernel.NARROWEST_S) / (kernel.WIDTHS - 1)
    lines = []
    for way in (1.0, -1.0):
        for v in np.geomspace(kernel.SLOWEST_M_S, kernel.FASTEST_M_S, kernel.SPEEDS):
            for offset in range(kernel.OFFSETS):
                wide_s = kernel.NEAREST_M * kernel.NEXT**offset / v
                width = round(math.log(wide_s / kernel.NARROWEST_S) / ratio)
                width = min(max(width, 0), kernel.WIDTHS - 1)
                shifts = PLACES_M * (way / v) * 2.0 / SLOT_S
                for row in range(rows):
                    nats = 0.0
                    for i, shift in enumerate(shifts):
                        at = min(max(row + math.floor(shift), 0), rows - 2)
                        part = shift - math.floor(shift)
                        here = left[i, at, width] * (1 - part) + left[i, at + 1, width] * part
                        nats += min(here - least[i], kernel.MOST_NATS)
                    lines.append((way, way / v, row, -nats))
    way, slowness, row, nats = np.array(lines).T
    up, down = (np.logaddexp.reduce(nats[way == sign]) for sign in (1.0, -1.0))
    mine = way == (1.0 if up >= down else -1.0)
    weights = np.exp(nats[mine] - nats[mine].max())
    mean = np.average(slowness[mine], weights=weights)
    sd = math.sqrt(np.average((slowness[mine] - mean) ** 2, weights=weights))
    at_s = (0.5 * np.average(row[mine], weights=weights) - kernel.BEYOND_SLOTS) * SLOT_S
    return up, down, mean, sd, at_s


def fitted(steps, rest):
    left = np.zeros((3, 2 * (steps.shape[1] + 2 * kernel.BEYOND_SLOTS), kernel.WIDTHS))
    for i in range(3):
        kernel.misfits(steps[i], rest[i], float(np.nanmedian(rest[i])), SLOT_S, left[i])
    found = np.zeros(kernel.FIELDS)
    kernel.line(left, PLACES_M, SLOT_S, found)
    return left, found


def test_the_fit_agrees_with_its_slow_twin():
    steps, rest = curves(2.2, 8.0, slots=10)
    rest[1, 3:5] = np.nan
    left, found = fitted(steps, rest)
    for sensor, row, width in [(0, 0, 0), (1, 9, 3), (1, 20, 5), (2, 31, 2)]:
        usual = float(np.nanmedian(rest[sensor]))
        slow = misfits_slowly(steps[sensor], rest[sensor], usual, row, width)
        assert left[sensor, row, width] == pytest.approx(slow, rel=2e-3, abs=1e-3)
    up, down, slowness, sd, at_s = line_slowly(left)
    assert found[kernel.UP] - found[kernel.DOWN] == pytest.approx(up - down, rel=1e-6)
    assert found[kernel.SLOWNESS] == pytest.approx(slowness, rel=1e-6)
    assert found[kernel.DEVIATION] == pytest.approx(sd, rel=1e-4)
    assert found[kernel.AT] == pytest.approx(at_s, rel=1e-6)


@pytest.mark.parametrize(("speed_m_s", "gain"), [(1.4, 40.0), (-1.4, 3.0), (-3.0, 6.0)])
def test_a_way_is_found_by_steps_that_hardly_stand_out(speed_m_s, gain):
    _, found = fitted(*curves(speed_m_s, 28.0, gain=gain))
    nats = found[kernel.UP] - found[kernel.DOWN]
    assert math.copysign(1.0, speed_m_s) * nats > 6.0
    assert 1.0 / found[kernel.SLOWNESS] == pytest.approx(speed_m_s, rel=0.25)
    assert found[kernel.AT] == pytest.approx(28.0, abs=3.0)


def test_where_nobody_is_heard_no_way_is_likelier():
    _, found = fitted(*curves(1.4, 28.0, gain=1e-6))
    assert abs(found[kernel.UP] - found[kernel.DOWN]) < 4.0
