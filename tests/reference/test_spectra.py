"""Slow, obvious NumPy twins of the spectroscopic stream's kernels."""

from itertools import pairwise

import numpy as np
import pytest

from fusion.kernels.spectra import (
    add_channels,
    add_detectors,
    bin_grid,
    project,
    stream_tick,
    window_sigmas,
)
from fusion.kernels.spectra_state import (
    Background,
    Found,
    Layout,
    Pace,
    Ring,
    ScoreTest,
    State,
    learn,
    refresh_test,
    runs_onto,
    solve_shapes,
)

LANES, DETECTORS, CHANNELS, BINS, TEMPLATES, SLOTS = 3, 4, 64, 12, 5, 9
PACE = Pace(np.array([0.4, 1.0, 1.6]), 20.0, 1.0, 0.05, 0.01)
SEGMENTS = [(0, 30, 0), (30, 60, 2), (60, 61, 3)]


def naive_add(counts, segments, used, channels):
    grid = np.zeros(channels)
    for detector, row in enumerate(counts):
        for first, stop, shift in segments[detector][: used[detector]]:
            for channel in range(first, stop):
                grid[channel + shift] += row[channel]
    return grid


def naive_bins(grid, bin_from):
    return np.array([grid[a:b].sum() for a, b in pairwise(bin_from)])


def naive_test(rate_cps, seconds, columns, tilt):
    """Lift, unit, the rates, and the weights."""
    bound = max(PACE.floor * rate_cps.mean(), 6 / seconds, PACE.least_cps)
    inverse = 1 / np.maximum(rate_cps, bound)
    shapes = np.column_stack([rate_cps, rate_cps * tilt, columns[:, TEMPLATES:]])
    templates = columns[:, :TEMPLATES]
    gram = shapes.T @ np.diag(inverse) @ shapes
    gram += np.diag(np.diag(gram) * 1e-6 + 1e-12)
    lift = np.linalg.solve(gram, shapes.T @ np.diag(inverse) @ templates)
    rest = templates - shapes @ lift
    variance = np.einsum("bt,b,bt->t", rest, inverse, templates)
    return lift, 1 / np.sqrt(variance), rate_cps.copy(), inverse


def naive_scores(binned, test, columns, tilt):
    lift, unit, rate, inverse = test[:4]
    shapes = np.column_stack([rate, rate * tilt, columns[:, TEMPLATES:]])
    rest = columns[:, :TEMPLATES] - shapes @ lift
    return rest.T @ (binned * inverse) * unit


def naive_windows(slices, total_cps, seconds, windows_s):
    """Slices are (scores, counts, live_s, real_s), the latest last."""
    found = []
    for window_s in windows_s:
        scores, counts, live_s, real_s = np.zeros(TEMPLATES), 0.0, 0.0, 0.0
        best = 0.0
        for one in reversed(slices):
            scores, counts = scores + one[0], counts + one[1]
            live_s, real_s = live_s + one[2], real_s + one[3]
            if real_s + one[3] / 2 > window_s:
                if total_cps * live_s == 0.0:
                    break
                scale = max(1.0, counts / (total_cps * live_s)) * (1 + live_s / seconds)
                best = max(0.0, scores.max()) / np.sqrt(live_s * scale)
                break
        found.append(best)
    return found


def naive_learn(rate_cps, seconds, binned, live_s):
    weight = max(1 - np.exp(-live_s / PACE.average_s), live_s / (seconds + live_s))
    variance = weight**2 / live_s + ((1 - weight) ** 2 / seconds if seconds else 0.0)
    return rate_cps + weight * (binned / live_s - rate_cps), 1 / variance


def made_state(random, counts_type=np.uint32):
    columns = random.uniform(0.0, 1.0, (BINS, TEMPLATES + 3)).astype(np.float32)
    segments = np.zeros((LANES, DETECTORS, 3, 3), np.int64)
    segments[:, 0, 0] = (0, CHANNELS, 0)
    segments[:, 1:] = SEGMENTS
    used = np.full((LANES, DETECTORS), 3)
    used[:, 0] = 1
    bin_from = np.tile(np.array([1, 3, 6, 6, 12, 20, 28, 35, 40, 46, 50, 58, 64]), (LANES, 1))
    return State(
        np.zeros(CHANNELS, np.float32 if counts_type is np.float32 else np.uint32),
        Layout(segments, used, bin_from),
        Background(
            np.zeros((LANES, BINS)),
            np.zeros(LANES),
            np.zeros(LANES),
            np.zeros((LANES, DETECTORS, CHANNELS), np.uint32),
            np.zeros((LANES, DETECTORS)),
        ),
        ScoreTest(
            columns,
            np.linspace(-1, 1, BINS).astype(np.float32),
            np.zeros((LANES, BINS), np.float32),
            np.zeros((LANES, BINS), np.float32),
            np.zeros((LANES, 5, TEMPLATES), np.float32),
            np.zeros((LANES, TEMPLATES), np.float32),
            np.zeros(LANES),
            np.zeros(LANES),
        ),
        Ring(
            np.zeros((LANES, SLOTS, TEMPLATES + 3), np.float32),
            np.zeros((LANES, SLOTS)),
            np.zeros((LANES, SLOTS)),
            np.zeros((LANES, SLOTS)),
            np.zeros(LANES, np.int64),
        ),
        Found(
            np.zeros((LANES, 3)),
            np.zeros((LANES, 3), np.int64),
            np.zeros((LANES, BINS), np.float32),
        ),
        PACE,
    )


@pytest.fixture
def random():
    return np.random.default_rng(7)


@pytest.mark.parametrize("counts_type", [np.uint16, np.uint32, np.float32])
def test_detectors_add_up_on_one_grid(random, counts_type):
    state = made_state(random, counts_type)
    counts = random.poisson(5.0, (DETECTORS, CHANNELS)).astype(counts_type)
    layout = state.layout
    add_detectors(counts, layout.segments[0], layout.used[0], state.grid)
    naive = naive_add(counts, layout.segments[0], layout.used[0], CHANNELS)
    np.testing.assert_array_equal(state.grid, naive)

    binned = np.zeros(BINS, np.float32)
    bin_grid(state.grid, layout.bin_from[0], binned)
    np.testing.assert_array_equal(binned, naive_bins(naive, layout.bin_from[0]))


def test_the_solution_is_the_linear_algebra_s(random):
    half = random.normal(size=(5, 9))
    matrix, right = half @ half.T, random.normal(size=(5, 4))
    solution = right.copy()
    solve_shapes(matrix.copy(), solution)
    np.testing.assert_allclose(solution, np.linalg.solve(matrix, right), rtol=1e-9)


def test_a_background_is_averaged(random):
    state = made_state(random)
    rate, seconds = np.zeros(BINS), 0.0
    for _ in range(40):
        binned = random.poisson(6.0, BINS).astype(np.float32)
        learn(1, binned, 0.3, state.background, PACE)
        rate, seconds = naive_learn(rate, seconds, binned, 0.3)
    np.testing.assert_allclose(state.background.rate_cps[1], rate, rtol=1e-6)
    assert state.background.seconds[1] == pytest.approx(seconds, rel=1e-6)
    assert not state.background.rate_cps[0].any(), "another lane's"


def test_what_is_natural_has_no_score(random):
    state = made_state(random)
    state.background.rate_cps[0] = random.uniform(20.0, 60.0, BINS)
    state.background.seconds[0] = 50.0
    refresh_test(0, state.background, state.test, PACE)
    columns, tilt = state.test.columns.astype(float), state.test.tilt.astype(float)
    test = naive_test(state.background.rate_cps[0], 50.0, columns, tilt)
    lift, unit, rate, _ = test
    np.testing.assert_allclose(state.test.lift[0], lift, rtol=2e-4, atol=1e-6)
    np.testing.assert_allclose(state.test.unit[0], unit, rtol=2e-4)

    scores = np.zeros(TEMPLATES + 3, np.float32)
    binned = random.poisson(30.0, BINS).astype(np.float32)
    counts = project(0, binned, state.test, scores)
    assert counts == binned.sum()
    wanted = naive_scores(binned, test, columns, tilt)
    np.testing.assert_allclose(scores[:TEMPLATES], wanted, atol=2e-3)

    for shape in (rate, rate * tilt, columns[:, -1], columns[:, -2], columns[:, -3]):
        project(0, np.asarray(100.0 * shape, np.float32), state.test, scores)
        assert np.abs(scores).max() < 0.05


def test_ticks_are_their_twins_one_after_the_other(random):
    state = made_state(random)
    vacant = np.array([True, False, True])
    naive = [{"rate": np.zeros(BINS), "seconds": 0.0, "test": None, "slices": []} for _ in vacant]
    blocks = np.zeros((LANES, DETECTORS, CHANNELS))
    unused_s = np.zeros(LANES)
    columns, tilt = state.test.columns.astype(float), state.test.tilt.astype(float)
    for tick in range(30):
        if tick == 20:
            vacant = np.array([False, False, True])
        if tick == 10:
            vacant = np.ones(LANES, bool)
        counts = random.poisson(3.0, (LANES, DETECTORS, CHANNELS)).astype(np.uint32)
        live_s = np.full((LANES, DETECTORS), 0.19)
        stream_tick(counts, live_s, 0.2, vacant, state)
        for lane, mine in enumerate(naive):
            layout = state.layout
            grid = naive_add(counts[lane], layout.segments[lane], layout.used[lane], CHANNELS)
            binned = naive_bins(grid, layout.bin_from[lane])
            sigmas = [0.0] * 3
            if mine["test"]:
                rate, seconds = mine["test"][2], mine["test"][4]
                scores = naive_scores(binned, mine["test"], columns, tilt)
                mine["slices"] = [*mine["slices"], (scores, binned.sum(), 0.19, 0.2)][-SLOTS:]
                sigmas = naive_windows(mine["slices"], rate.sum(), seconds, PACE.windows_s)
            np.testing.assert_allclose(state.found.sigma[lane], sigmas, rtol=2e-3, atol=2e-3)
            if vacant[lane]:
                mine["rate"], mine["seconds"] = naive_learn(
                    mine["rate"], mine["seconds"], binned, 0.19
                )
                unused_s[lane] += 0.19
                if mine["test"] is None or unused_s[lane] >= PACE.refresh_s - 1e-9:
                    unused_s[lane] = 0.0
                    test = naive_test(mine["rate"], mine["seconds"], columns, tilt)
                    mine["test"] = (*test, mine["seconds"])
                blocks[lane] += counts[lane]
    np.testing.assert_array_equal(state.background.block, blocks)


def test_a_window_that_is_not_full_yet_is_not_tested(random):
    state = made_state(random)
    state.background.rate_cps[0] = 40.0
    state.background.seconds[0] = 50.0
    refresh_test(0, state.background, state.test, PACE)
    state.ring.real_s[0, 0] = state.ring.live_s[0, 0] = 0.2
    state.ring.counts[0, 0] = 90.0
    state.ring.scores[0, 0, :TEMPLATES] = 5.0
    window_sigmas(0, state.ring, state.test, PACE.windows_s, state.found)
    assert not state.found.sigma[0].any()
    state.ring.real_s[0, -1] = state.ring.live_s[0, -1] = 0.2
    window_sigmas(0, state.ring, state.test, PACE.windows_s, state.found)
    assert state.found.sigma[0][0] > 0.0
    assert not state.found.sigma[0][1:].any()


@pytest.mark.parametrize(("detectors", "channels"), [(1, 1), (2, 2), (3, 3), (8, 64)])
def test_counts_of_each_detector_are_the_twin(detectors, channels):
    counts = np.random.default_rng(4).integers(0, 2**32, (detectors, channels)).astype(np.uint32)
    sums = np.empty((2, detectors), np.int64)
    add_channels(counts, sums)
    inner = counts[:, 1:-1] if channels > 2 else counts
    assert sums.tolist() == [
        [sum(map(int, row)) for row in counts],
        [sum(map(int, row)) for row in inner],
    ]


def naive_runs(grid, row):
    """Runs of one detector's channels (channels + 1 edges) with their shift."""
    channels = len(grid) - 1
    middle = 0.5 * (row[1:] + row[:-1])
    target = np.searchsorted(grid, middle) - 1
    shift = target - np.arange(channels)
    inside = (middle > grid[0]) & (target >= 0) & (target < channels)
    bounds = [0, *(np.flatnonzero(np.diff(shift)) + 1).tolist(), channels]
    runs = []
    for first, stop in pairwise(bounds):
        held = np.flatnonzero(inside[first:stop])
        if len(held):
            low, high = first + int(held[0]), first + int(held[-1]) + 1
            runs.append([low, high, int(shift[low])])
    return runs


def test_runs_of_channels_onto_a_grid():
    rng = np.random.default_rng(7)
    grid = np.linspace(0.0, 3000.0, CHANNELS + 1)
    for _ in range(100):
        gains, zeros = rng.uniform(0.7, 1.4, 3), rng.uniform(-200.0, 200.0, 3)
        rows = grid * gains[:, None] * (1.0 + 1e-5 * rng.uniform(0, 9) * grid) + zeros[:, None]
        rows[2] = grid if rng.uniform() < 0.5 else rows[2] + 4000.0
        runs, used = runs_onto(grid, rows)
        assert runs.shape[1] == max(1, used.max())
        for detector, row in enumerate(rows):
            expected = naive_runs(grid, row)
            assert runs[detector, : used[detector]].tolist() == expected
            assert not runs[detector, used[detector] :].any()
