"""Slow, obvious NumPy twins of the identification kernels."""

import numpy as np
import pytest

from fusion.kernels.identify import (
    Parts,
    Spectrum,
    expected_counts,
    fit_columns,
    fit_each,
    fit_parts,
    log_likelihood,
    rebin,
    scoring_step,
    smooth,
    spread,
)
from fusion.kernels.identify_steps import (
    add_information,
    bounded_step,
    columns_of,
    gain_of,
    room_for,
    sweep,
)

BINS = 40


@pytest.fixture
def case():
    rng = np.random.default_rng(5)
    place = np.arange(BINS)
    falling = 60.0 * np.exp(-place / 15.0)
    peak = 80.0 * np.exp(-0.5 * ((place - 22) / 2.0) ** 2)
    tilt = falling * (place / BINS - 0.5)
    shapes = np.array([falling, tilt, peak])
    counts = rng.poisson(falling + 0.7 * peak).astype(float)
    weights = np.where(place < 2, 0.0, 1.0 / (1.0 + 0.01 * counts))
    parts = Parts(
        shapes,
        np.array([1.0, 0.0, 0.0]),
        np.array([4.0, 100.0, 0.0]),
        np.array([0.0, -0.3, 0.0]),
        np.array([2.0, 0.3, 1e6]),
    )
    return Spectrum(counts, weights, smooth(counts, 2)), parts


def naive_mean(spectrum, parts, values):
    return np.maximum(values @ parts.shapes, np.maximum(1e-3, 0.02 * spectrum.level))


def naive_likelihood(spectrum, parts, values):
    mean, counts = naive_mean(spectrum, parts, values), spectrum.counts
    logs = np.where(counts > 0, counts * np.log(mean / np.where(counts > 0, counts, 1.0)), 0.0)
    penalty = 0.5 * (parts.prior_precision * (values - parts.prior_mean) ** 2).sum()
    return (spectrum.weights * (counts - mean + logs)).sum() - penalty


def naive_fit(spectrum, parts, values):
    """Steps along the gradient, scaled by the curvature, within bounds, until they stand still."""
    for _ in range(20_000):
        before = values
        mean = naive_mean(spectrum, parts, values)
        slope = parts.shapes @ (spectrum.weights * (spectrum.counts / mean - 1.0))
        slope += parts.prior_precision * (parts.prior_mean - values)
        size = (parts.shapes**2) @ (spectrum.weights / mean) + parts.prior_precision
        values = np.clip(values + 0.2 * slope / size, parts.lower, parts.upper)
        if np.array_equal(values, before):
            break
    return values


def naive_rebin(counts, channel_edges, edges):
    total = np.concatenate(([0.0], np.cumsum(counts)))
    return np.diff(np.interp(edges, channel_edges, total))


def test_counts_in_other_bins():
    rng = np.random.default_rng(1)
    counts = rng.poisson(30, 200).astype(float)
    channel_edges = np.cumsum(rng.uniform(1, 5, 201)) - 30
    edges = np.linspace(-10, 400, 77)
    assert np.allclose(
        rebin(counts, channel_edges, edges), naive_rebin(counts, channel_edges, edges)
    )


def test_the_mean_of_what_is_around():
    values = np.arange(10.0) ** 2
    expected = [values[max(0, i - 2) : i + 3].mean() for i in range(10)]
    assert np.allclose(smooth(values, 2), expected)


def test_the_likelihood(case):
    spectrum, parts = case
    values, mean = np.array([0.9, 0.1, 0.4]), np.empty(BINS)
    assert log_likelihood(spectrum, parts, values, mean) == pytest.approx(
        naive_likelihood(spectrum, parts, values)
    )
    assert np.allclose(mean, naive_mean(spectrum, parts, values))
    expected_counts(parts.shapes, values, spectrum.level, mean)
    assert np.allclose(mean, naive_mean(spectrum, parts, values))


def columns(parts):
    size, bins = parts.shapes.shape
    out = np.full((room_for(bins), size), 9.0)
    columns_of(parts.shapes, out)
    return out


def test_columns_have_the_parts_of_a_bin_together_and_zeros_beyond(case):
    _, parts = case
    parts = parts._replace(shapes=np.ascontiguousarray(parts.shapes[:, :37]))
    out = columns(parts)
    assert out.shape == (40, 3)
    assert np.array_equal(out[:37], parts.shapes.T)
    assert not out[37:].any()


def test_spreading_never_makes_an_unpenalised_fit_worse(case):
    spectrum, parts = case
    parts = parts._replace(prior_precision=np.zeros(3))
    values, mean = np.array([0.2, 0.0, 0.2]), np.empty(BINS)
    nats = [log_likelihood(spectrum, parts, values, mean)]
    for _ in range(5):
        before = values.copy()
        spread(spectrum, parts, columns(parts), (values, mean), 1)
        ratio = spectrum.weights * spectrum.counts / naive_mean(spectrum, parts, before)
        moved = before * (parts.shapes @ ratio) / (parts.shapes @ spectrum.weights)
        assert values[[0, 2]] == pytest.approx(np.clip(moved, parts.lower, parts.upper)[[0, 2]])
        assert values[1] == 0.0  # it may be negative
        nats.append(log_likelihood(spectrum, parts, values, mean))
    assert np.all(np.diff(nats) > -1e-9)


def test_slope_and_information_of_all_bins(case):
    _, parts = case
    rng = np.random.default_rng(3)
    weights, excess = rng.uniform(0, 2, (2, BINS))
    sharp = np.where(rng.uniform(size=parts.shapes.shape) < 0.7, 0.0, parts.shapes)
    for shapes in (parts.shapes, sharp):
        information, slope = np.zeros((3, 3)), np.zeros(3)
        some = columns(parts._replace(shapes=shapes))
        add_information(some, 3, weights, excess, (information, slope))
        assert np.tril(information) == pytest.approx(np.tril((shapes * weights) @ shapes.T))
        assert slope == pytest.approx(shapes @ excess)


def naive_step(information, slope, down, up):
    """The best step of a parabola within bounds, part after part, until it stands still."""
    step = np.zeros(len(slope))
    for _ in range(3000):
        before = step.copy()
        for p in range(len(slope)):
            left = slope[p] - information[p] @ step + information[p, p] * step[p]
            step[p] = min(max(left / information[p, p], down[p]), up[p])
        if np.array_equal(step, before):
            break
    return step


def naive_gain(information, slope, step):
    return slope @ step - 0.5 * step @ information @ step


def test_a_bounded_step_never_loses_and_gains_nearly_what_the_best_one_does():
    rng = np.random.default_rng(8)
    shares, lost = [], 0
    for draw in range(200):
        root = rng.normal(size=(6, 9))
        information, slope = root @ root.T, 3.0 * rng.normal(size=6)
        down, up = -rng.uniform(0, 0.5, 6), rng.uniform(0, 0.5, 6)
        down[0], up[1] = 0.0, 0.0
        if draw % 4 == 0:
            down[:], up[:] = -1e6, 1e6
        step, none = np.empty(6), np.empty(6)
        sums = np.tril(information), slope
        bounded_step((sums[0], slope.copy()), (down, up), step)
        assert np.all((step >= down) & (step <= up))
        gain = naive_gain(information, slope, step)
        assert gain_of(sums, step) == pytest.approx(gain)
        assert gain >= 0.0
        if draw % 4 == 0:
            assert step == pytest.approx(np.linalg.solve(information, slope), rel=1e-5, abs=1e-7)
            continue
        most = naive_gain(information, slope, naive_step(information, slope, down, up))
        assert gain <= most + 1e-9
        shares.append(gain / most)
        sweep(sums, (down, up), none)
        lost += np.array_equal(none, step)
    assert lost >= 3  # of steps that met bounds too soon
    assert np.mean(shares) > 0.8
    assert np.quantile(shares, 0.25) > 0.8


def test_sweeps_find_the_best_step_within_bounds():
    rng = np.random.default_rng(9)
    root = rng.normal(size=(5, 40))
    information, slope = root @ root.T, 20.0 * rng.normal(size=5)
    down, up, step = np.full(5, -0.3), np.full(5, 0.3), np.empty(5)
    sweep((np.tril(information), slope), (down, up), step)
    best = naive_step(information, slope, down, up)
    assert step == pytest.approx(best, abs=1e-3)
    assert gain_of((np.tril(information), slope), step) > 0.0


def test_a_step_ends_within_the_bounds(case):
    spectrum, parts = case
    parts = parts._replace(upper=np.array([2.0, 0.3, 0.1]))
    values, mean = np.array([0.5, 0.0, 0.05]), np.empty(BINS)
    expected_counts(parts.shapes, values, spectrum.level, mean)
    step = np.empty(3)
    scoring_step(spectrum, parts, columns(parts), (values, mean), (np.empty((3, 3)), step))
    assert np.all(values + step >= parts.lower - 1e-12)
    assert np.all(values + step <= parts.upper + 1e-12)
    assert step[2] == pytest.approx(0.05)


@pytest.mark.parametrize("most", [1e6, 0.3])
def test_the_fit(case, most):
    spectrum, parts = case
    parts = parts._replace(upper=np.array([2.0, 0.3, most]))
    values, mean = np.array([1.0, 0.0, 0.1]), np.empty(BINS)
    nats = fit_parts(spectrum, parts, values, mean, (3, 50))
    naive = naive_fit(spectrum, parts, np.array([1.0, 0.0, 0.1]))
    assert values == pytest.approx(naive, abs=2e-3)
    assert nats == pytest.approx(naive_likelihood(spectrum, parts, naive), abs=2e-3)
    again = np.array([1.0, 0.0, 0.1])
    assert fit_columns(spectrum, parts, columns(parts), (again, mean), (3, 50)) == nats


def test_a_fit_for_each_source(case):
    spectrum, parts = case
    sources = np.array([np.roll(parts.shapes[2], shift) for shift in (0, 5, -8)])
    start = np.array([[1.0, 0.0, 0.1], [0.9, 0.0, 0.2], [1.1, 0.0, 0.0]])
    nats, values = fit_each(
        spectrum, parts._replace(shapes=parts.shapes.copy()), sources, start, (3, 50)
    )
    for k, source in enumerate(sources):
        one = parts._replace(shapes=np.vstack((parts.shapes[:2], source)))
        alone, mean = start[k].copy(), np.empty(BINS)
        assert nats[k] == pytest.approx(fit_parts(spectrum, one, alone, mean, (3, 50)))
        assert values[k] == pytest.approx(alone)
    assert nats.argmax() == 0
