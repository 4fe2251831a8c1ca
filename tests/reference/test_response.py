"""Slow, obvious twins of the response kernels; where chance is in them, twins with other dice."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import config

from fusion.kernels.response import (
    ELECTRON_KEV,
    LOSS_BINS,
    MULTIPLE_BINS,
    SINGLE_BINS,
    Beam,
    coefficients,
    compton,
    deposits,
    escapes,
    free_run,
    leaving,
    loss_bin,
    meet,
    peak_of,
    reflections,
    turn,
    turn_anywhere,
    uniform,
    way_out,
)
from fusion.kernels.response_bins import Boxes, add_boxes, below, smeared, weighted_rows
from fusion.spectra.matter import matter

MASK = 2**64 - 1
NAI = matter("NaI")
LOG = np.array([5.08, 10.16, 40.64])
PHOTONS = 10_000 if config.DISABLE_JIT else 40_000


def dice(seed=1):
    return np.array([seed], dtype=np.uint64)


def naive_splitmix(seed, count):
    state, numbers = seed, []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        z ^= z >> 31
        numbers.append((z >> 11) / 2**53)
    return numbers


def naive_coefficients(energy_kev):
    columns = NAI.weak.shape[1]
    grid = NAI.log_first + NAI.log_step * np.arange(columns)
    return [float(np.interp(math.log(energy_kev), grid, NAI.weak[kind])) for kind in range(3)]


def klein_nishina(energy_kev, cosine):
    ratio = 1 / (1 + energy_kev / ELECTRON_KEV * (1 - cosine))
    return ratio**2 * (ratio + 1 / ratio - 1 + cosine**2)


def naive_deposit(chance, energy_kev):
    """One photon into the NaI log, by rejection from the formulas and NumPy vectors."""

    def anywhere():
        way = np.array([chance.gauss(0, 1) for _ in range(3)])
        return way / np.linalg.norm(way)

    inside = 0.0
    todo = [(energy_kev, np.array([0.0, *(chance.random() * LOG[1:])]), np.array([1.0, 0, 0]))]
    while todo:
        energy, place, way = todo.pop()
        photo, scatter, pair = naive_coefficients(energy)
        total = photo + scatter + pair
        place = place + way * chance.expovariate(total)
        if (place < 0).any() or (place > LOG).any():
            continue
        kind = chance.random() * total
        if kind < photo:
            made = NAI.xray_kev if energy > NAI.edge_kev and chance.random() < NAI.xray_share else 0
            inside += energy - made
            if made:
                todo.append((made, place, anywhere()))
        elif kind < photo + scatter:
            while True:
                new = anywhere()
                cosine = float(new @ way)
                if chance.random() * 2 < klein_nishina(energy, cosine):
                    break
            after = energy / (1 + energy / ELECTRON_KEV * (1 - cosine))
            inside += energy - after if after > 10 else energy
            if after > 10:
                todo.append((after, place, new))
        else:
            inside += energy - 2 * ELECTRON_KEV
            new = anywhere()
            todo += [(ELECTRON_KEV, place, new), (ELECTRON_KEV, place, -new)]
    return inside


@pytest.mark.parametrize("seed", [0, 1, 20_260_101, MASK])
def test_the_dice_are_splitmix64(seed):
    state = dice(seed)
    assert [uniform(state) for _ in range(50)] == naive_splitmix(seed, 50)


@given(st.floats(10.0, 9000.0))
def test_coefficients_are_linear_between_columns(energy_kev):
    photo, scatter, pair = naive_coefficients(energy_kev)
    found = coefficients(NAI, energy_kev)
    assert found.photo == pytest.approx(photo, rel=1e-6)
    assert found.scatter == pytest.approx(scatter, rel=1e-6)
    assert found.total == pytest.approx(photo + scatter + pair, rel=1e-6)


@pytest.mark.parametrize("energy_kev", [60.0, 661.7, 2614.5])
def test_compton_scatters_as_klein_and_nishina_say(energy_kev):
    state = dice()
    drawn = np.array([compton(state, energy_kev) for _ in range(20_000)])
    assert drawn[:, 0] == pytest.approx(
        energy_kev / (1 + energy_kev / ELECTRON_KEV * (1 - drawn[:, 1]))
    )
    cosines = np.linspace(-1, 1, 4001)
    weights = np.array([klein_nishina(energy_kev, cosine) for cosine in cosines])
    mean = (cosines * weights).sum() / weights.sum()
    assert drawn[:, 1].mean() == pytest.approx(mean, abs=4 * drawn[:, 1].std() / 20_000**0.5)


def test_turning_keeps_the_length_and_takes_the_angle():
    state, way = dice(), np.array([0.0, 0.0, -1.0])
    for cosine in (-1.0, -0.3, 0.0, 0.99, 1.0):
        before = way.copy()
        turn(state, way, cosine)
        assert np.linalg.norm(way) == pytest.approx(1.0)
        assert before @ way == pytest.approx(cosine, abs=1e-9)
    ways = []
    for _ in range(4000):
        turn_anywhere(state, way)
        ways.append(way.copy())
    assert np.abs(np.mean(ways, axis=0)).max() < 0.04


@given(st.floats(20.0, 5000.0), st.floats(0.0, 0.9999))
def test_loss_bins_lie_in_order(energy_kev, part):
    edge = energy_kev * (1 - 1 / (1 + 2 * energy_kev / ELECTRON_KEV))
    edges = np.concatenate(
        [
            np.linspace(0, edge, SINGLE_BINS + 1),
            np.linspace(edge, energy_kev, MULTIPLE_BINS + 1)[1:],
        ]
    )
    found = loss_bin(energy_kev, part * energy_kev)
    assert edges[found] - 1e-6 <= part * energy_kev <= edges[found + 1] + 1e-6


def test_the_way_out_of_a_box_is_the_nearest_wall():
    size = np.array([2.0, 4.0, 6.0])
    assert way_out(np.array([0.5, 1, 1]), np.array([1.0, 0, 0]), size) == 1.5
    assert way_out(np.array([0.5, 1, 1]), np.array([-1.0, 0, 0]), size) == 0.5
    assert way_out(np.array([0.5, 1, 1]), np.array([0.0, 0.6, 0.8]), size) == 5.0


def test_a_photon_that_meets_something_stays_scatters_or_makes_a_pair():
    way = np.array([1.0, 0, 0])
    state, weak = dice(), coefficients(NAI, 2614.5)
    met = [meet(state, NAI, weak, 2614.5, way) for _ in range(20_000)]
    share = np.mean([what == 1 for _, what in met])
    pair = 1 - (weak.photo + weak.scatter) / weak.total
    assert share == pytest.approx(pair, abs=0.01)
    assert all(energy == ELECTRON_KEV for energy, what in met if what == 1)
    assert all(energy < 2614.5 for energy, _ in met)
    runs = [free_run(state, weak) for _ in range(20_000)]
    assert np.mean(runs) == pytest.approx(1 / weak.total, rel=0.03)


def test_peaks_are_told_by_what_left():
    assert [peak_of(NAI, 2614.5, out) for out in (0.0, ELECTRON_KEV, 2 * ELECTRON_KEV)] == [0, 1, 2]
    assert peak_of(NAI, 100.0, NAI.xray_kev) == 3
    assert peak_of(NAI, 661.7, ELECTRON_KEV) == peak_of(NAI, 661.7, 100.0) == -1


@pytest.mark.parametrize("energy_kev", [59.5, 661.7, 2614.5])
def test_deposits_agree_with_other_dice(energy_kev):
    found = deposits(dice(), NAI, LOG, Beam(energy_kev, PHOTONS))
    chance = random.Random(7)
    kept = np.array([naive_deposit(chance, energy_kev) for _ in range(2500)])
    full = np.mean(kept > energy_kev - 1e-6)
    seen = np.mean(kept > 1e-6)
    error = 4 * 0.5 / 2500**0.5
    assert found.peaks[0] == pytest.approx(full, abs=error)
    assert found.peaks.sum() + found.spread.sum() == pytest.approx(seen, abs=error)


def test_a_photon_leaves_with_no_more_than_it_brought():
    state, waiting = dice(), np.zeros((8, 7))
    for _ in range(2000):
        waiting[0] = [3000.0, 0.0, 5.0, 20.0, 1.0, 0.0, 0.0]
        out = leaving(state, NAI, LOG, waiting)
        assert 0.0 <= out <= 3000.0


def test_escapes_follow_the_exponential_and_the_other_way_round_is_the_same():
    lead, radii = matter("lead"), np.array([0.2, 0.5, 1.0])
    spread, peaks = escapes(dice(), lead, radii, False, Beam(661.7, PHOTONS))
    total = coefficients(lead, 661.7).total
    assert peaks[:, 0] == pytest.approx(np.exp(-total * radii), abs=0.01)
    alone, _ = escapes(dice(5), lead, radii[1:2], False, Beam(661.7, PHOTONS))
    assert alone.sum() == pytest.approx(spread[1].sum(), abs=0.01)
    assert spread.shape == (3, LOSS_BINS)
    _, bulk = escapes(dice(), lead, radii[2:], True, Beam(661.7, PHOTONS))
    # Mean of exp(-total * way out) over a sphere (Case, de Hoffmann & Placzek 1953, section 10).
    x = total * 1.0
    exact = 3 / (8 * x**3) * (2 * x**2 - 1 + (1 + 2 * x) * math.exp(-2 * x))
    assert bulk[0, 0] == pytest.approx(exact, abs=0.01)


def test_ground_returns_softer_photons_and_fewer_than_came():
    concrete, photons = matter("concrete"), 2000 if config.DISABLE_JIT else 20_000
    spread, peaks = reflections(dice(), concrete, Beam(661.7, photons))
    assert 0.1 < spread.sum() < 0.6
    assert peaks.sum() == 0.0
    _, hard = reflections(dice(), concrete, Beam(2614.5, photons))
    assert hard[1] > 0.0


def test_boxes_are_put_into_bins_as_sampling_says():
    edges = np.linspace(0.0, 200.0, 41)
    rng = np.random.default_rng(3)
    low, high = np.array([[50.0, 90.0, 20.0]]), np.array([[50.0, 130.0, 20.5]])
    mass, sigma = np.array([[1.0, 2.0, 0.5]]), np.array([[6.0, 4.0, 0.0]])
    out = np.zeros((1, 40))
    add_boxes(Boxes(low, high, mass, sigma), edges, out)
    twin = np.zeros(40)
    for a, b, m, s in zip(low[0], high[0], mass[0], sigma[0], strict=True):
        drawn = rng.uniform(a, b, 400_000) + rng.normal(0, 1, 400_000) * s
        twin += m * np.histogram(drawn, edges)[0] / 400_000
    assert out[0] == pytest.approx(twin, abs=0.004)
    assert out.sum() == pytest.approx(mass.sum(), abs=1e-5)


@given(st.floats(-60.0, 60.0), st.floats(0.0, 20.0))
def test_the_blurred_step_is_the_integral_of_the_normal(from_left, sigma):
    steps = np.linspace(-300.0, from_left, 40_001)
    normal = [0.5 * math.erfc(-z / max(sigma, 1e-9) / math.sqrt(2)) for z in steps[::40]]
    twin = np.trapezoid(normal, steps[::40])
    assert smeared(from_left, sigma) == pytest.approx(twin, abs=0.2)
    assert 0.0 <= below(from_left, -3.0, 3.0, sigma) <= 1.0 + 1e-9


def test_rows_added_up_by_weight():
    dice = np.random.default_rng(4)
    rows, weights = dice.normal(size=(9, 5)), np.array([0.5, 0.0, 2.0, -1.0])
    which = np.array([8, 1, 3, 3])
    assert weighted_rows(weights, rows, which) == pytest.approx(weights @ rows[which])
