"""Slow, obvious NumPy twins of the kernels of a template's errors."""

import numpy as np
import pytest

from fusion.kernels.identify_errors import (
    ERRORS,
    Axis,
    all_template_errors,
    moved_template,
    piled_up,
    shifted,
    slope_of,
    template_errors,
)

BINS = 60


@pytest.fixture
def axis():
    edges = np.geomspace(30.0, 3000.0, BINS + 1)
    middle = 0.5 * (edges[1:] + edges[:-1])
    place = np.linspace(0.0, 1.0, BINS)
    waves = np.array([np.cos(np.pi * k * place) for k in (1, 2)])
    return Axis(edges, middle, np.diff(edges), 0.05 * middle, waves)


@pytest.fixture
def shapes(axis):
    peak = np.exp(-0.5 * ((axis.middle_kev - 600.0) / 40.0) ** 2)
    falling = np.exp(-axis.middle_kev / 300.0)
    sharp = np.where(peak > 0.1, peak, 0.0)
    return np.array([peak + 0.1 * falling, 700.0 * falling, sharp])


def naive_errors(shape, axis):
    middle, width = axis.middle_kev, axis.width_kev
    density = shape / width
    slope = np.gradient(density, middle)
    below = np.cumsum((shape / middle)[::-1])[::-1] * width
    if shape.sum() <= 0.0:
        return np.zeros((ERRORS + len(axis.waves), len(shape)))
    return np.array(
        [
            -np.gradient(density * middle, middle) * width,
            -slope * width,
            axis.sigma_kev**2 * np.gradient(slope, middle) * width,
            below * shape.sum() / below.sum() - shape,
            *(shape * (wave - (shape * wave).sum() / shape.sum()) for wave in axis.waves),
        ]
    )


def naive_shifted(shape, axis, gain, zero_kev):
    total = np.concatenate(([0.0], np.cumsum(shape)))
    return np.diff(np.interp((axis.edges_kev - zero_kev) / (1.0 + gain), axis.edges_kev, total))


def test_the_derivative(axis, shapes):
    out = np.empty(BINS)
    slope_of(shapes[0], axis.middle_kev, out)
    assert out == pytest.approx(np.gradient(shapes[0], axis.middle_kev))


def test_the_errors_of_templates(axis, shapes):
    every = all_template_errors(shapes, axis)
    assert every.shape == (3, ERRORS + 2, BINS)
    for shape, errors in zip(shapes, every, strict=True):
        assert errors == pytest.approx(naive_errors(shape, axis), abs=1e-9 * shape.sum())
        one = np.empty((ERRORS + 2, BINS))
        template_errors(shape, axis, one)
        assert np.array_equal(one, errors)
        assert errors[3:].sum(axis=1) == pytest.approx(0.0, abs=1e-9 * shape.sum())


@pytest.mark.parametrize(("gain", "zero_kev"), [(0.0, 0.0), (0.02, -3.0), (-0.01, 4.0)])
def test_a_moved_scale(axis, shapes, gain, zero_kev):
    for shape in shapes:
        out = shifted(shape, axis, gain, zero_kev)
        naive = naive_shifted(shape, axis, gain, zero_kev)
        assert out == pytest.approx(naive, abs=1e-9 * shape.sum())


def test_errors_in_full(axis, shapes):
    errors = np.array([0.01, -2.0, 0.1, 0.2, -0.1, 0.05])
    for shape in shapes:
        there = naive_shifted(shape, axis, errors[0], errors[1])
        modes = naive_errors(there, axis)
        with np.errstate(invalid="ignore", divide="ignore"):
            change = np.clip(errors[2:] @ modes[2:] / there, -1.0, 1.0)
        naive = np.where(there > 1e-12 * shape.sum(), there * np.exp(change), 0.0)
        naive *= shape.sum() / naive.sum()
        out = moved_template(shape, axis, errors)
        assert np.all(out >= 0.0)
        assert out.sum() == pytest.approx(shape.sum())
        assert out == pytest.approx(naive, abs=1e-6 * shape.sum())


def test_nothing_has_no_errors_and_what_left_the_scale_is_gone(axis, shapes):
    nothing, errors = np.zeros(BINS), np.array([0.01, -2.0, 0.1, 0.2, -0.1, 0.05])
    out = np.full((ERRORS + 2, BINS), 9.0)
    template_errors(nothing, axis, out)
    assert np.array_equal(out, naive_errors(nothing, axis))
    assert not moved_template(nothing, axis, errors).any()
    away = np.array([0.0, 1e5, 0.0, 0.0, 0.0, 0.0])
    assert not naive_shifted(shapes[2], axis, 0.0, 1e5).any()
    assert not moved_template(shapes[2], axis, away).any()


def test_two_photons_counted_as_one(axis, shapes):
    energies = axis.middle_kev[:, None] + axis.middle_kev
    naive = np.histogram(energies, axis.edges_kev, weights=np.outer(shapes[1], shapes[1]))[0]
    assert piled_up(shapes[1], axis) == pytest.approx(naive)
