"""Slow, obvious NumPy twins of the fits in rounds."""

import numpy as np
import pytest

from fusion.kernels.identify import Parts, Spectrum, fit_parts, smooth
from fusion.kernels.identify_errors import Axis, all_template_errors, moved_template
from fusion.kernels.identify_rounds import (
    FREE,
    Frame,
    Held,
    Wrong,
    apply_errors,
    bind,
    first_rounds,
    fit_without_modes,
    follow_background,
    go_on,
    is_settled,
    one_round,
    put_source,
)

BINS, MODES = 60, 7
STEPS = (1, 12)
SD = np.array([0.005, 1.5, 0.1, 0.25, 0.25, 0.125, 0.08])


@pytest.fixture
def wrong():
    edges = np.linspace(50.0, 1500.0, BINS + 1)
    middle = 0.5 * (edges[1:] + edges[:-1])
    waves = np.array([np.cos(np.pi * k * np.linspace(0.0, 1.0, BINS)) for k in (1, 2, 3)])
    axis = Axis(edges, middle, np.diff(edges), 0.03 * middle**0.5 * 25.0, waves)
    return Wrong(axis, SD, False)


def peak(place, width=2.0):
    shape = np.exp(-0.5 * ((np.arange(BINS) - place) / width) ** 2) + 1e-3
    return shape / shape.sum()


def frame_of(*, modelled, measured):
    rng = np.random.default_rng(5)
    place = np.arange(BINS)
    falling = 60.0 * np.exp(-place / 15.0) + 2.0
    tilt = falling * (place / BINS - 0.5)
    counts = rng.poisson(falling + 900.0 * peak(22.7) + 300.0 * peak(41)).astype(float)
    weights = np.where(place < 2, 0.0, 1.0 / (1.0 + 0.02 * counts))
    parts = Parts(
        np.array([falling, tilt, falling**1.2 / 3.0]),
        np.array([1.0, 0.0, 0.0]),
        np.array([4.0, 100.0, 400.0]),
        np.array([0.0, -0.3, -0.1]),
        np.array([FREE, 0.3, FREE]),
    )
    return Frame(
        spectrum=Spectrum(counts, weights, smooth(counts, 2)),
        parts=parts,
        modes=(1, 2),
        with_background=(0, 0) if measured else (2, 3),
        amount=1.0,
        total=float(counts.sum()),
        modelled=modelled,
    )


@pytest.fixture(params=[(0.1, True), (0.6, True), (0.6, False)])
def frame(request):
    return frame_of(modelled=request.param[0], measured=request.param[1])


START = np.array([[0.9, 0.0, 0.01], [1.1, 0.05, 0.0]])
TEMPLATES = np.array([peak(22), peak(41)])
GUESSES = np.array([0.3, 0.002])


def nothing():
    return Held(np.empty((0, BINS)), np.empty(0), np.empty((0, MODES)))


def begun(frame, wrong, held=None, guesses=GUESSES):
    begin = START, STEPS
    return first_rounds(frame, wrong, held or nothing(), (TEMPLATES, guesses), begin)


def naive_limits(amplitude, applied):
    sd = SD * max(amplitude, 1e-6)
    middle = -applied * max(amplitude, 1e-6)
    lower, upper = np.minimum(middle - 2.5 * sd, 0.0), np.maximum(middle + 2.5 * sd, 0.0)
    own = np.array([[0.0], [0.0], [0.0], [FREE]])
    return np.hstack((own, np.array([middle, 1.0 / sd**2, lower, upper])))


class NaiveFit:
    """One fit; sources are (shapes, amplitude, applied)."""

    def __init__(self, frame, wrong, sources, start):
        self.frame, self.wrong, self.sources = frame, wrong, sources
        own = [np.concatenate(([max(one[1], 0.01)], np.zeros(MODES))) for one in sources]
        self.values = np.concatenate((start, *own))
        self.round(frame.parts)

    def round(self, parts):
        limits = [naive_limits(amplitude, applied) for _, amplitude, applied in self.sources]
        rows = np.hstack((np.array(parts[1:]), *limits))
        grown = Parts(np.vstack((parts.shapes, *(one[0] for one in self.sources))), *rows)
        clipped = np.clip(self.values, grown.lower, grown.upper)
        self.values = np.where(grown.lower < 0.0, 0.0, clipped)
        self.mean = np.empty(BINS)
        self.nats = fit_parts(self.frame.spectrum, grown, self.values, self.mean, STEPS)
        self.sources = [
            (shapes, self.values[len(parts.shapes) + 8 * k], applied)
            for k, (shapes, _, applied) in enumerate(self.sources)
        ]

    def next_round(self):
        parts, frame = self.frame.parts, self.frame
        amount = self.values[0] + self.values[slice(*frame.with_background)].sum()
        ratio = max(amount, 1e-3) / frame.amount
        scales = np.ones(len(parts.lower))
        scales[slice(*frame.modes)] = ratio
        followed = parts._replace(
            prior_precision=parts.prior_precision / scales**2,
            lower=parts.lower * scales,
            upper=parts.upper * scales,
        )
        for k, (shapes, amplitude, applied) in enumerate(self.sources):
            first = len(parts.shapes) + 8 * k + 1
            state = shapes, amplitude, applied
            self.sources[k] = self.moved(*state, self.values[first : first + MODES])
        self.round(followed)

    def moved(self, shapes, amplitude, applied, values):
        if self.frame.modelled < 0.35 or amplitude < 1e-3:
            return shapes, amplitude, applied
        errors = np.clip(values / amplitude, -2.5 * SD - applied, 2.5 * SD - applied)
        if np.all(np.abs(errors) < 0.5 * SD):
            return shapes, amplitude, applied
        shape = moved_template(shapes[0], self.wrong.axis, errors)
        return with_errors(shape, self.wrong), amplitude, applied + errors

    def settled(self, before):
        if self.frame.modelled < 0.35:
            return True
        now = np.array([amplitude for _, amplitude, _ in self.sources])
        if np.any(np.abs(now - before) > 0.02 * np.maximum(now, 0.02)):
            return False
        errors = self.values[len(self.frame.parts.shapes) :].reshape(-1, 8)[:, 1:]
        return not np.any(np.abs(errors) > 0.5 * SD * np.maximum(now, 1e-6)[:, None])

    def go_on(self):
        for turn in range(2):
            before = np.array([amplitude for _, amplitude, _ in self.sources])
            self.next_round()
            if turn == 0 and self.settled(before):
                return


def with_errors(shape, wrong):
    return np.vstack((shape[None], all_template_errors(shape[None], wrong.axis)[0]))


def naive(frame, wrong, at, held=()):
    own = with_errors(TEMPLATES[at], wrong) * frame.total, GUESSES[at], np.zeros(MODES)
    return NaiveFit(frame, wrong, [*held, own], START[at])


def assert_like(rounds, at, twin):
    assert np.array_equal(rounds.values[at], twin.values)
    assert np.array_equal(rounds.mean[at], twin.mean)
    assert rounds.nats[at] == twin.nats
    for k, (shapes, amplitude, applied) in enumerate(twin.sources):
        first = rounds.shapes.shape[1] - 8 * (len(twin.sources) - k)
        assert np.array_equal(rounds.shapes[at, first : first + 8], shapes)
        assert rounds.amplitudes[at, k] == amplitude
        assert np.array_equal(rounds.applied[at, k], applied)


def test_the_limits_of_a_source():
    limits, applied = np.full((4, 10), 9.0), np.linspace(-0.01, 0.1, MODES)
    for amplitude in (0.4, 1e-9):
        bind(SD, amplitude, applied, limits, 2)
        assert limits[:, 2:] == pytest.approx(naive_limits(amplitude, applied))
        assert np.all(limits[:, :2] == 9.0)


@pytest.mark.parametrize("sharp", [False, True])
def test_a_source_with_its_errors(wrong, sharp):
    shapes = np.empty((1 + MODES, BINS))
    put_source(wrong._replace(sharp=sharp), TEMPLATES[0], shapes)
    expected = with_errors(TEMPLATES[0], wrong)
    if sharp:
        expected[4] = 0.0
    assert np.array_equal(shapes, expected)


def test_the_first_round_of_each_source(frame, wrong):
    rounds = begun(frame, wrong)
    for at in range(2):
        assert_like(rounds, at, naive(frame, wrong, at))


def test_a_round_begins_where_no_bin_is_negative(frame, wrong):
    rounds = begun(frame, wrong)
    rounds.values[1, :3] = -1.0, 0.2, 0.5
    expected = rounds.values[1].copy()
    expected[0] = 0.0
    limits = rounds.limits[1]
    expected[limits[2] < 0.0] = 0.0
    mean = np.empty(BINS)
    fit_parts(frame.spectrum, Parts(rounds.shapes[1], *limits), expected, mean, (0, 1))
    one_round(frame, rounds, 1, (0, 1))
    assert np.array_equal(rounds.values[1], expected)
    assert rounds.amplitudes[1, 0] == expected[3]


def test_further_rounds(frame, wrong):
    rounds = begun(frame, wrong)
    before = rounds.values[0].copy()
    go_on(frame, wrong, rounds, np.array([1]), (3, STEPS))
    assert np.array_equal(rounds.values[0], before)
    go_on(frame, wrong, rounds, np.array([0]), (3, STEPS))
    for at in range(2):
        twin = naive(frame, wrong, at)
        twin.go_on()
        assert_like(rounds, at, twin)


def test_a_second_source_beside_one_that_is_held(frame, wrong):
    alone = begun(frame, wrong)
    go_on(frame, wrong, alone, np.array([0]), (3, STEPS))
    held = Held(alone.shapes[0, 3:], alone.amplitudes[0], alone.applied[0])
    rounds = begun(frame, wrong, held)
    go_on(frame, wrong, rounds, np.arange(2), (3, STEPS))
    for at in range(2):
        kept = held.shapes, held.amplitudes[0], held.applied[0]
        twin = naive(frame, wrong, at, [kept])
        twin.go_on()
        assert_like(rounds, at, twin)


def test_a_scene_without_a_source(frame, wrong):
    none = nothing()
    sources = none.shapes, none.amplitudes
    rounds = first_rounds(frame, wrong, none, sources, (START[:1], STEPS))
    twin = NaiveFit(frame, wrong, [], START[0])
    assert_like(rounds, 0, twin)
    still = frame._replace(modes=(0, 0))
    go_on(still, wrong, rounds, np.array([0]), (3, STEPS))
    assert_like(rounds, 0, twin)
    go_on(frame, wrong, rounds, np.array([0]), (3, STEPS))
    twin.next_round()
    assert_like(rounds, 0, twin)


def test_large_errors_are_applied_and_small_ones_are_not(wrong):
    frame = frame_of(modelled=0.6, measured=True)
    twin = naive(frame, wrong, 0)
    shapes, _, applied = twin.sources[0]
    for amplitude, values in (
        (0.3, 0.3 * np.linspace(-3.0, 0.4, MODES) * SD),
        (0.3, 0.3 * 0.4 * SD),
        (1e-4, SD),
    ):
        ours, so_far = shapes.copy(), applied.copy()
        apply_errors(wrong, 0.6, amplitude, (values, so_far, ours))
        theirs = twin.moved(shapes, amplitude, applied, values)
        assert np.array_equal(ours, theirs[0])
        assert np.array_equal(so_far, theirs[2])


def test_a_background_s_modes_follow_its_amount(frame):
    limits = np.array(frame.parts[1:])
    follow_background(frame, np.array([0.1, 0.2, 0.3]), limits)
    share = 0.4 if frame.with_background[1] else 0.1
    assert limits[1] == pytest.approx([4.0, 100.0 / share**2, 400.0])
    assert limits[2] == pytest.approx([0.0, -0.3 * share, -0.1])
    assert limits[3] == pytest.approx([FREE, 0.3 * share, FREE])


def test_a_fit_is_settled_when_neither_amplitude_nor_errors_have_moved(frame, wrong):
    rounds, twin = begun(frame, wrong), naive(frame, wrong, 0)
    rounds.values[0, 4:] = twin.values[4:] = 0.0
    now = rounds.amplitudes[0]
    for before in (now, now * 1.01, now * 1.1):
        assert is_settled(frame, wrong, rounds, 0, before) == twin.settled(before)
    rounds.values[0, 4] = twin.values[4] = 0.6 * SD[0] * now[0]
    assert is_settled(frame, wrong, rounds, 0, now) == twin.settled(now)


def test_fits_without_modes(frame):
    start = np.column_stack((START, [300.0, -5.0]))
    nats, values = fit_without_modes(frame, TEMPLATES, start.copy(), (1, 4))
    for at, template in enumerate(TEMPLATES):
        more = (0.0, 0.0, 0.0, FREE)
        rows = [np.append(item, end) for item, end in zip(frame.parts[1:], more, strict=True)]
        parts = Parts(np.vstack((frame.parts.shapes, template * frame.total)), *rows)
        alone, mean = start[at], np.empty(BINS)
        alone[-1] /= frame.total
        alone = np.clip(alone, np.append(frame.parts.lower, 1e-3), parts.upper)
        assert nats[at] == fit_parts(frame.spectrum, parts, alone, mean, (1, 4))
        assert np.array_equal(values[at], alone)
