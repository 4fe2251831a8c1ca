"""A slow twin of the kernel that finds blows and follows a walker's chain of them."""

import itertools
import math

import numpy as np
import pytest

from fusion.kernels import seismic_steps as steps

FRAME_HZ = 50.0
EVENNESS = [
    steps.CHAIN_HZ,
    steps.CHAIN_JITTER,
    steps.CHAIN_LOADS,
    steps.CHAIN_LIMP,
    steps.CHAIN_VALLEY,
]


def find(values, floor):
    """Peaks with their heights and the valleys around them, as lists."""
    lowest = steps.LOWEST_FLOORS * floor
    turn = math.exp(steps.TURN)
    found, valleys = [], []
    low, peak = max(values[0], lowest), None
    for i, value in enumerate(values):
        here = max(value, lowest)
        if peak is None:
            low = min(low, here)
            if here > turn * low and here > steps.LEAST_FLOORS * floor:
                peak = (i, here)
        elif here > peak[1]:
            peak = (i, here)
        elif here * turn < peak[1]:
            add(found, valleys, peak, low)
            low, peak = here, None
    if peak is not None and values[-1] < peak[1]:
        add(found, valleys, peak, low)
        low = max(values[-1], lowest)
    return found, [*valleys, low]


def add(found, valleys, peak, low):
    if found and peak[0] - found[-1][0] < int(steps.APART_S * FRAME_HZ):
        found[-1] = max(found[-1], peak, key=lambda one: one[1])
    else:
        found.append(peak)
        valleys.append(low)


def strong(found, valleys):
    if not found:
        return [], valleys[-1:]
    heights = sorted(height for _, height in found)
    least = steps.STRONG_SHARE * heights[3 * len(heights) // 4]
    keep = [k for k, (_, height) in enumerate(found) if height >= least]
    between = [min(valleys[: keep[0] + 1])]
    between += [min(valleys[a + 1 : b + 1]) for a, b in itertools.pairwise(keep)]
    between.append(min(valleys[keep[-1] + 1 :]))
    return [found[k] for k in keep], between


def chain(found, valleys, floor):
    """(steps, nats, Hz) of the best chain that ends with the last blow."""
    best = (1, 0.0, 0.0)
    nats, before = 0.0, 0.0
    for back in range(1, min(len(found), steps.LONGEST_CHAIN)):
        (early, low), (late, high) = found[-back - 1], found[-back]
        gap = (late - early) / FRAME_HZ
        if not steps.STEP_S[0] <= gap <= steps.STEP_S[1]:
            break
        valley = max(valleys[-back - 1], steps.LOWEST_FLOORS * floor)
        nats += min(math.log(max(min(low, high) / valley, 1.0)), steps.CLEAR_MOST)
        nats -= steps.CLEAR_MIDDLE
        other = math.log(high / low) / steps.HEIGHT_SIGMA
        nats -= min(other**2 / 2.0, steps.WORST_HEIGHT_NATS)
        if back > 1:
            pace = math.log(gap / before) / steps.PACE_SIGMA
            nats += steps.PACE_NATS - min(pace**2 / 2.0, steps.WORST_PACE_NATS)
        before = gap if back == 1 else (gap + before) / 2.0
        if nats < best[1] - steps.GIVE_UP_NATS:
            break
        if nats > best[1]:
            best = (back + 1, nats, back * FRAME_HZ / (found[-1][0] - early))
    return best


def top(values, place):
    """Where the parabola through a peak and its neighbours is highest."""
    if not 0 < place < len(values) - 1:
        return place
    square, slope, _ = np.polyfit([-1.0, 0.0, 1.0], values[place - 1 : place + 2], 2)
    return place + np.clip(-slope / (2.0 * square), -0.5, 0.5) if square < 0.0 else place


def evenness(values, found, valleys, floor):
    """(Hz, jitter, loads, limp, valley) of the chain, of which `found` are the blows."""
    at_s = np.array([top(values, place) for place, _ in found]) / FRAME_HZ
    gaps, heights = np.diff(at_s), np.log([height for _, height in found])
    deep = [math.log(max(valley, steps.LOWEST_FLOORS * floor) / floor) for valley in valleys]
    loads = math.sqrt(0.5 * np.mean((heights[2:] - heights[:-2]) ** 2))
    if len(gaps) < 3:
        return 1.0 / gaps.mean(), 0.0, loads, 0.0, np.mean(deep)
    jitter = math.sqrt(0.5 * np.mean((gaps[2:] - gaps[:-2]) ** 2)) / gaps.mean()
    limp = abs(gaps[::2].mean() - gaps[1::2].mean()) / gaps.mean()
    return 1.0 / gaps.mean(), jitter, loads, limp, np.mean(deep)


def walk(random, size=300, pace_s=0.53, noise=0.3, height=6.0):
    values = np.abs(random.normal(1.0, noise, size))
    at = 10.0
    while at < size - 4:
        values[int(at) - 2 : int(at) + 3] += height * random.uniform(0.7, 1.4)
        at += FRAME_HZ * pace_s * random.normal(1.0, 0.04)
    return values


@pytest.mark.parametrize("seed", range(40))
def test_the_blows_and_their_chain_are_those_of_the_twin(seed):
    random = np.random.default_rng(seed)
    values = walk(
        random, int(random.integers(40, 320)), random.uniform(0.2, 1.4), height=seed / 6.0
    )
    out, marks = np.zeros(steps.FEATURES), np.zeros(steps.MOST)
    count = steps.describe(steps.Envelope(values, FRAME_HZ, 0.6), out, marks)
    found, valleys = strong(*find(values, 0.6))
    assert marks[:count].tolist() == [place for place, _ in found]
    assert out[steps.RATE] == pytest.approx(len(found) * FRAME_HZ / len(values))
    if not found:
        assert not out.any()
        return
    heights = [height for _, height in found]
    lowest = steps.LOWEST_FLOORS * 0.6
    depths = [
        math.log(max(height / max(a, b, lowest), 1.0))
        for height, a, b in zip(heights, valleys, valleys[1:], strict=False)
    ]
    assert out[steps.DEPTH] == pytest.approx(np.mean(depths))
    assert out[steps.HEIGHTS] == pytest.approx(np.log(heights).std())
    assert out[steps.CHAIN_AGE_S] == pytest.approx((len(values) - 1 - found[-1][0]) / FRAME_HZ)
    if len(found) >= 3:
        between = np.diff([place for place, _ in found])
        assert out[steps.SPREAD] == pytest.approx(between.std() / between.mean())
    number, nats, hz = chain(found, valleys, 0.6)
    assert out[[steps.CHAIN, steps.CHAIN_NATS]] == pytest.approx([number, nats])
    even = (hz, 0.0, 0.0, 0.0, 0.0)
    if number >= 3:
        even = evenness(values, found[-number:], valleys[-number:-1], 0.6)
    assert out[EVENNESS] == pytest.approx(even, abs=1e-9)


@pytest.mark.parametrize(
    ("jitter", "loads", "limps"), [(0.0, 0.0, 0.0), (0.03, 0.0, 0.0), (0.0, 0.2, 0.0), (0, 0, 0.1)]
)
def test_blows_are_as_even_as_they_were_made(jitter, loads, limps):
    random = np.random.default_rng(3)
    at_s = 0.3 + np.cumsum(0.5 * (1.0 + random.normal(0.0, jitter, 10)))
    at_s[::2] += limps * 0.25
    heights = 9.0 * np.exp(random.normal(0.0, loads, 10))
    values, times_s = np.ones(300), np.arange(300) / FRAME_HZ
    for place_s, height in zip(at_s, heights, strict=True):
        values = values + height * np.exp(-0.5 * ((times_s - place_s) / 0.04) ** 2)
    out, marks = np.zeros(steps.FEATURES), np.zeros(steps.MOST)
    steps.describe(steps.Envelope(values, FRAME_HZ, 1.0), out, marks)
    gaps, logs = np.diff(at_s), np.log(heights)
    made = math.sqrt(0.5 * np.mean((gaps[2:] - gaps[:-2]) ** 2)) / gaps.mean()
    assert out[steps.CHAIN] == 10.0
    assert out[steps.CHAIN_JITTER] == pytest.approx(made, abs=0.005)
    made = math.sqrt(0.5 * np.mean((logs[2:] - logs[:-2]) ** 2))
    assert out[steps.CHAIN_LOADS] == pytest.approx(made, abs=0.03)
    assert out[steps.CHAIN_LIMP] == pytest.approx(
        abs(gaps[::2].mean() - gaps[1::2].mean()) * 2, abs=0.01
    )


def test_four_clear_steps_say_more_than_noise_ever_does():
    random = np.random.default_rng(7)
    out, marks = np.zeros(steps.FEATURES), np.zeros(steps.MOST)
    quiet = np.abs(random.normal(1.0, 0.3, 100))
    steps.describe(steps.Envelope(quiet, FRAME_HZ, 1.0), out, marks)
    assert out[steps.CHAIN_NATS] < 3.0
    quiet[[10, 37, 63, 90]] += 8.0
    steps.describe(steps.Envelope(quiet, FRAME_HZ, 1.0), out, marks)
    assert out[steps.CHAIN] == 4.0
    assert out[steps.CHAIN_NATS] > 5.0
    assert out[steps.CHAIN_HZ] == pytest.approx(1.88, abs=0.05)


def test_silence_has_no_blows_and_no_more_are_kept_than_there_is_room_for():
    out, marks = np.ones(steps.FEATURES), np.zeros(steps.MOST)
    assert steps.describe(steps.Envelope(np.zeros(50), FRAME_HZ, 1.0), out, marks) == 0
    assert not out.any()
    many = np.tile([9.0, 9.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], 100)
    assert steps.describe(steps.Envelope(many, FRAME_HZ, 1.0), out, marks) == steps.MOST
