"""Kernels of fits in rounds: a scene with sources, each with the ways in which it may be wrong.

Errors are bound to the amplitudes that the round before has found, and large ones are applied to
the source's shape: in the first order a peak that moves leaves less than nothing behind, and the
fit sticks there. Callers check arguments; kernels trust them.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fusion.kernels.identify import Parts, Spectrum, fit_each, fit_parts
from fusion.kernels.identify_errors import ERRORS, Axis, moved_template, template_errors

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Cube = NDArray[np.float64]
Places = NDArray[np.int64]

FREE = 1e6
LARGE = 0.5  # standard deviations: errors of a source that are worth more than the first order
SETTLED = 0.02  # relative change of an amplitude, under which another round changes nothing
MODELLED = 0.35  # of the variance from errors of templates: counts are many, and errors show
LEAST_AMPLITUDE = 1e-3  # of a source whose errors mean anything
LEAST_SHARE = 1e-3  # a background's errors go by its amount: never to nothing, for a fit's sake
LEAST_START = 1e-3  # of a source's amplitude: nothing does not grow by expectation maximisation
MODE_REACH = 2.5  # standard deviations: what is further off is another source


class Frame(NamedTuple):
    """What is there without a source, the same in every fit of one spectrum."""

    spectrum: Spectrum
    parts: Parts
    modes: tuple[int, int]
    """First, and one past the last, of the parts that are errors of the background's shape."""
    with_background: tuple[int, int]
    """Parts that are background beside the first one."""
    amount: float
    """Of background, for which `parts` have the bounds of the modes."""
    total: float
    """Counts, of which a source's amplitude is a share."""
    modelled: float
    """Share of the spectrum's variance that errors of templates make, and not counts."""
    square: float = 2.0
    """The exponent. As a constant it would be a product, and the last bit of one in a thousand
    another than that of the power that all figures were measured with."""


class Wrong(NamedTuple):
    """How templates may be wrong."""

    axis: Axis
    mode_sd: Vector
    """(modes,) standard deviations per unit of a source."""
    sharp: bool
    """Whether scatter is none of them."""


class Held(NamedTuple):
    """Sources that every fit has, as an earlier one left them."""

    shapes: Matrix
    """(sources * (1 + modes), bins)"""
    amplitudes: Vector
    applied: Matrix
    """(sources, modes)"""


class Rounds(NamedTuple):
    """Fits with as many sources each, as the latest round of each has left them.

    The parts are those of the frame, then each source and its modes.
    """

    shapes: Cube
    """(fits, parts, bins)"""
    limits: Cube
    """(fits, 4, parts) prior mean and precision, lower and upper bound."""
    values: Matrix
    """(fits, parts)"""
    mean: Matrix
    """(fits, bins)"""
    nats: Vector
    """(fits,)"""
    amplitudes: Matrix
    """(fits, sources)"""
    applied: Cube
    """(fits, sources, modes) errors that the shapes have in them already, per unit."""


@njit(cache=True, nogil=True)
def bind(mode_sd: Vector, amplitude: float, applied: Vector, limits: Matrix, first: int) -> None:
    """Write a source's limits (4, parts), the source being the part `first`."""
    size = max(amplitude, 1e-6)
    limits[:3, first] = 0.0
    limits[3, first] = FREE
    for k in range(mode_sd.shape[0]):
        part = first + 1 + k
        sd = mode_sd[k] * size
        middle = -applied[k] * size
        limits[0, part] = middle
        limits[1, part] = 1.0 / (sd * sd)
        limits[2, part] = min(middle - MODE_REACH * sd, 0.0)
        limits[3, part] = max(middle + MODE_REACH * sd, 0.0)


@njit(cache=True, nogil=True)
def one_round(frame: Frame, rounds: Rounds, at: int, steps: tuple[int, int]) -> None:
    """Fit one of them as it stands."""
    values, limits = rounds.values[at], rounds.limits[at]
    for p in range(values.shape[0]):
        # From where no bin is negative, so that every step can be judged.
        values[p] = 0.0 if limits[2, p] < 0.0 else min(max(values[p], limits[2, p]), limits[3, p])
    parts = Parts(rounds.shapes[at], limits[0], limits[1], limits[2], limits[3])
    rounds.nats[at] = fit_parts(frame.spectrum, parts, values, rounds.mean[at], steps)
    rows = 1 + rounds.applied.shape[2]
    for s in range(rounds.amplitudes.shape[1]):
        rounds.amplitudes[at, s] = values[frame.parts.shapes.shape[0] + s * rows]


@njit(cache=True, nogil=True)
def first_rounds(
    frame: Frame,
    wrong: Wrong,
    held: Held,
    sources: tuple[Matrix, Vector],
    begin: tuple[Matrix, tuple[int, int]],
) -> Rounds:
    """A fit for each of the sources, beside those that are held, and its first round.

    sources  templates (sources, bins) and amplitudes to begin with; none of them: one fit of what
             there is
    begin    values (fits, parts of the frame) where each begins, and steps
    """
    templates, guesses = sources
    start, steps = begin
    parts, bins = frame.parts.shapes.shape
    modes = wrong.mode_sd.shape[0]
    earlier, fits = held.amplitudes.shape[0], start.shape[0]
    more = 1 if templates.shape[0] > 0 else 0
    number, before = earlier + more, parts + held.shapes.shape[0]
    size = parts + number * (1 + modes)
    rounds = Rounds(
        np.empty((fits, size, bins)),
        np.empty((fits, 4, size)),
        np.zeros((fits, size)),
        np.empty((fits, bins)),
        np.empty(fits),
        np.empty((fits, number)),
        np.zeros((fits, number, modes)),
    )
    for at in range(fits):
        shapes, limits = rounds.shapes[at], rounds.limits[at]
        shapes[:parts] = frame.parts.shapes
        shapes[parts:before] = held.shapes
        limits[0, :parts] = frame.parts.prior_mean
        limits[1, :parts] = frame.parts.prior_precision
        limits[2, :parts] = frame.parts.lower
        limits[3, :parts] = frame.parts.upper
        rounds.values[at, :parts] = start[at]
        rounds.applied[at, :earlier] = held.applied
        rounds.amplitudes[at, :earlier] = held.amplitudes
        if more:
            put_source(wrong, templates[at], shapes[before:])
            shapes[before:] *= frame.total
            rounds.amplitudes[at, earlier] = guesses[at]
        for s in range(number):
            first = parts + s * (1 + modes)
            amplitude = rounds.amplitudes[at, s]
            bind(wrong.mode_sd, amplitude, rounds.applied[at, s], limits, first)
            rounds.values[at, first] = max(amplitude, 0.01)
        one_round(frame, rounds, at, steps)
    return rounds


@njit(cache=True, nogil=True)
def put_source(wrong: Wrong, template: Vector, shapes: Matrix) -> None:
    """A template (bins,) and its errors, written to the first of `shapes` (1 + modes, bins)."""
    shapes[0] = template
    template_errors(template, wrong.axis, shapes[1:])
    if wrong.sharp:
        shapes[ERRORS] = 0.0


@njit(cache=True, nogil=True)
def apply_errors(
    wrong: Wrong, modelled: float, amplitude: float, state: tuple[Vector, Vector, Matrix]
) -> None:
    """Apply a source's errors to its shape where they are large and known.

    state  (modes,) of the fit; (modes,) applied so far and (1 + modes, bins), both changed
    """
    values, applied, shapes = state
    if modelled < MODELLED or amplitude < LEAST_AMPLITUDE:
        return
    modes = values.shape[0]
    errors = np.empty(modes)
    large = False
    for k in range(modes):
        reach = MODE_REACH * wrong.mode_sd[k]
        error = values[k] / amplitude
        errors[k] = min(max(error, -reach - applied[k]), reach - applied[k])
        large = large or abs(errors[k]) >= LARGE * wrong.mode_sd[k]
    if large:
        put_source(wrong, moved_template(shapes[0], wrong.axis, errors), shapes)
        for k in range(modes):
            applied[k] += errors[k]


@njit(cache=True, nogil=True)
def follow_background(frame: Frame, values: Vector, limits: Matrix) -> None:
    """Bind the modes of the background to its amount in a fit (parts,); limits (4, parts)."""
    amount = 0.0
    for p in range(frame.with_background[0], frame.with_background[1]):
        amount += values[p]
    ratio = max(values[0] + amount, LEAST_SHARE) / frame.amount
    squared = math.pow(ratio, frame.square)
    for p in range(frame.modes[0], frame.modes[1]):
        limits[1, p] = frame.parts.prior_precision[p] / squared
        limits[2, p] = frame.parts.lower[p] * ratio
        limits[3, p] = frame.parts.upper[p] * ratio


@njit(cache=True, nogil=True)
def is_settled(frame: Frame, wrong: Wrong, rounds: Rounds, at: int, before: Vector) -> bool:
    """Whether another round would change anything; (sources,) amplitudes before the latest."""
    if frame.modelled < MODELLED:
        return True
    modes = wrong.mode_sd.shape[0]
    for s in range(before.shape[0]):
        amplitude = rounds.amplitudes[at, s]
        if abs(amplitude - before[s]) > SETTLED * max(amplitude, SETTLED):
            return False
        first = frame.parts.shapes.shape[0] + s * (1 + modes) + 1
        for k in range(modes):
            line = LARGE * wrong.mode_sd[k] * max(amplitude, 1e-6)
            if abs(rounds.values[at, first + k]) > line:
                return False
    return True


@njit(cache=True, nogil=True)
def go_on(
    frame: Frame, wrong: Wrong, rounds: Rounds, which: Places, how: tuple[int, tuple[int, int]]
) -> None:
    """Further rounds of some fits, until nothing changes any more.

    how  most rounds, the first among them, and the steps of each
    """
    most, steps = how
    parts, number = frame.parts.shapes.shape[0], rounds.amplitudes.shape[1]
    rows = 1 + wrong.mode_sd.shape[0]
    if number == 0 and frame.modes[0] == frame.modes[1]:
        return
    for at in which:
        values, limits = rounds.values[at], rounds.limits[at]
        for turn in range(1, most):
            before = rounds.amplitudes[at].copy()
            follow_background(frame, values, limits)
            for s in range(number):
                first = parts + s * rows
                applied, shapes = rounds.applied[at, s], rounds.shapes[at, first : first + rows]
                state = values[first + 1 : first + rows], applied, shapes
                apply_errors(wrong, frame.modelled, before[s], state)
                bind(wrong.mode_sd, before[s], applied, limits, first)
            one_round(frame, rounds, at, steps)
            if turn + 1 < most and is_settled(frame, wrong, rounds, at, before):
                break


@njit(cache=True, nogil=True)
def fit_without_modes(
    frame: Frame, templates: Matrix, start: Matrix, steps: tuple[int, int]
) -> tuple[Vector, Matrix]:
    """Log-likelihood and values of each template (sources, bins) alone, as if it were exact.

    start  (sources, parts + 1) values, per count of the source; the last is changed
    """
    parts = frame.parts
    size, bins = parts.shapes.shape
    grown = Parts(
        np.zeros((size + 1, bins)),
        np.append(parts.prior_mean, 0.0),
        np.append(parts.prior_precision, 0.0),
        np.append(parts.lower, 0.0),
        np.append(parts.upper, FREE),
    )
    grown.shapes[:size] = parts.shapes
    for s in range(start.shape[0]):
        start[s, size] /= frame.total
        for p in range(size + 1):
            least = grown.lower[p] if p < size else LEAST_START
            start[s, p] = min(max(start[s, p], least), grown.upper[p])
    return fit_each(frame.spectrum, grown, templates * frame.total, start, steps)
