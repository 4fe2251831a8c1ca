"""Steps of the analysis of X-ray scans on cells, in NumPy, SciPy and scikit-image.

Each stands in for the kernel of its name in `edge.study.xray_reference`.
"""

import importlib
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

ndimage: Any = importlib.import_module("scipy.ndimage")
measure: Any = importlib.import_module("skimage.measure")


def square_means(values: Floats, half: int) -> Floats:
    """Mean over the square about each cell, of what of it is in the picture."""
    size = 2 * half + 1
    inside = ndimage.uniform_filter(np.ones_like(values), size, mode="constant")
    return np.asarray(ndimage.uniform_filter(values, size, mode="constant") / inside, np.float64)


def components(mask: Flags) -> tuple[NDArray[np.int32], int]:
    """Connected parts, up, down, left and right."""
    labels, count = measure.label(mask, connectivity=1, return_num=True)
    return labels.astype(np.int32), int(count)


def local_texture(values: Floats, mask: Flags, half: int) -> tuple[Floats, Floats]:
    """How far each inner cell is from the mean about it, and these means."""
    size = 2 * half + 1
    inner = ndimage.binary_erosion(mask, np.ones((size, size)), border_value=0)
    mean = ndimage.uniform_filter(values, size, mode="constant")[inner]
    return np.abs(values[inner] - mean) / mean, mean


def near_medians(
    values: Floats, spread: float, least: int, down: bool
) -> tuple[Floats, NDArray[np.int64]]:
    """Lower median of what is within `spread` of 0, in each row, or in each column."""
    lines = values.T if down else values
    near = np.abs(lines) < spread
    counts = np.count_nonzero(near, axis=1)
    ordered = np.sort(np.where(near, lines, np.nan), axis=1)
    middle = np.maximum(counts - 1, 0) // 2
    medians = np.take_along_axis(ordered, middle[:, None], axis=1)[:, 0]
    return np.where(counts >= max(least, 1), medians, 0.0), counts


def told_materials(  # noqa: PLR0917 - the kernel's
    high: Floats,
    low: Floats,
    load: Flags,
    opaque: Flags,
    curves: Floats,
    noise: Floats,
    limits: tuple[float, float, float, float, float],
) -> tuple[Floats, NDArray[np.uint8]]:
    """Material group of every cell, from means over the 3 x 3 cells of load about it."""
    step, least, most, calibration_sd, sure_sigma = limits
    at = step * np.arange(curves.shape[1])
    weight = (load & ~opaque).astype(np.float64)
    square = np.ones((3, 3))
    of = np.maximum(ndimage.convolve(weight, square, mode="constant"), 1.0)
    mean = ndimage.convolve(high * weight, square, mode="constant") / of
    below = ndimage.convolve(low * weight, square, mode="constant") / of
    sd = np.sqrt(np.interp(mean, at, noise) ** 2 / of + (calibration_sd * mean) ** 2)
    due = np.minimum.accumulate([np.interp(mean, at, curve) for curve in curves])
    raw = [np.interp(mean, at, curve) for curve in curves]
    lines = (due[:-1] + due[1:]) / 2
    apart = np.maximum(due[:-1] - raw[1:], 1e-4)
    place = np.clip((due[:-1] - below) / apart, 0.0, 1.0).sum(axis=0)
    best = np.where(below < lines, np.arange(1, len(due))[:, None, None], 0).max(axis=0)
    sure = np.abs(below - lines).min(axis=0) >= sure_sigma * sd
    told = (weight > 0) & (mean >= least) & (mean < most)
    group = np.where(told & sure, best + 1, 0)
    group[opaque] = len(curves) + 1
    return np.where(told, place, -1.0), group.astype(np.uint8)


def strongest_wave(values: Floats, known: Flags, step: float, periods: Floats) -> int:
    """Index of the period with the most power in what is known of a line."""
    turns = 2.0 * np.pi * step * np.flatnonzero(known)[None, :] / periods[:, None]
    power = (np.cos(turns) @ values[known]) ** 2 + (np.sin(turns) @ values[known]) ** 2
    return int(np.argmax(power))


def fitted_waves(values: Floats, known: Flags, turn: float, harmonics: int, held: float) -> Floats:
    """Level and waves that fit best what is known of a line, carried on over all of it."""
    along = turn * np.arange(values.size)
    waves = [np.ones(values.size)]
    for number in range(1, harmonics + 1):
        waves += [np.cos(number * along), np.sin(number * along)]
    basis = np.stack(waves)
    seen = basis[:, known]
    fitted = np.linalg.solve(seen @ seen.T + held * np.eye(len(waves)), seen @ values[known])
    return np.asarray(fitted @ basis, np.float64)


def side_differences(
    sums: Floats, size: tuple[int, int, int, int], gap: int, stride: int, min_load: float
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """What a box of load has over the strips of load beside, above and below it."""
    half_y, half_x, strip_y, strip_x = size
    rows, columns = sums.shape[1] - 1, sums.shape[2] - 1
    i, j = (
        grid.reshape(-1)
        for grid in np.meshgrid(
            np.arange(half_y, rows - half_y, stride),
            np.arange(half_x, columns - half_x, stride),
            indexing="ij",
        )
    )
    box, full = _box_means(sums, (i, j), (half_y, half_x), min_load)
    i, j, box = i[full], j[full], box[:, full]
    found = np.full((i.size, 3, 4), np.nan)
    away_y, away_x = half_y + strip_y + 1 + gap, half_x + strip_x + 1 + gap
    for side, (down, along) in enumerate(((0, -away_x), (0, away_x), (-away_y, 0), (away_y, 0))):
        halves = (half_y, strip_x) if side < 2 else (strip_y, half_x)
        strip, there = _box_means(sums, (i + down, j + along), halves, min_load)
        found[there, 0, side] = (box[1] - strip[1])[there]
        found[there, 1, side] = (box[3] - strip[3])[there]
        found[there, 2, side] = (1.0 / box[2] + 1.0 / strip[2])[there]
    return np.stack((i, j), axis=1), found, np.stack((box[1], box[3], 1.0 / box[2]), axis=1)


def _box_means(
    sums: Floats,
    middles: tuple[NDArray[np.int64], NDArray[np.int64]],
    halves: tuple[int, int],
    min_load: float,
) -> tuple[Floats, Flags]:
    """(4, n) load, mean attenuation, weight and mean signal of boxes; which have enough load."""
    top, bottom = middles[0] - halves[0], middles[0] + halves[0] + 1
    left, right = middles[1] - halves[1], middles[1] + halves[1] + 1
    inside = (top >= 0) & (left >= 0) & (bottom < sums.shape[1]) & (right < sums.shape[2])
    top, bottom = (np.clip(edge, 0, sums.shape[1] - 1) for edge in (top, bottom))
    left, right = (np.clip(edge, 0, sums.shape[2] - 1) for edge in (left, right))
    total = sums[:, bottom, right] - sums[:, top, right] - sums[:, bottom, left]
    total += sums[:, top, left]
    area = (2 * halves[0] + 1) * (2 * halves[1] + 1)
    weight = np.maximum(total[2], 1e-9)
    mean = total[1] / np.maximum(total[0], 1e-9)
    means = np.stack((total[0], mean, weight, total[3] / weight))
    return means, np.asarray(inside & (total[0] >= min_load * area), np.bool_)


def side_ranks(
    found: Floats,
    levels: Floats,
    textures: tuple[float, float, float],
    floors: tuple[float, float, float],
) -> Floats:
    """How far each box stands out from the two sides that it stands out from least."""
    more, metal, variance = found[:, 0], found[:, 1], found[:, 2]
    texture = np.array([textures[0], textures[0], textures[1], textures[1]])
    floor = (floors[0] + floors[1] * levels[:, None]) ** 2
    dense = more / np.sqrt(texture**2 + floor + variance)
    heavy = metal / np.sqrt(textures[2] ** 2 + floors[2] ** 2 + variance)
    both = np.hypot(np.maximum(dense, 0.0), np.maximum(heavy, 0.0))
    # NaN comes last.
    least = [np.sort(each, axis=1)[:, :2] for each in (both, dense, heavy)]
    sides = np.count_nonzero(~np.isnan(more), axis=1)
    mean = np.nansum(more, axis=1) / np.maximum(sides, 1)
    ranks = np.concatenate([*least, sides[:, None], mean[:, None]], axis=1)
    return np.asarray(np.where(sides[:, None] >= 2, ranks, 0.0), np.float64)


def place_terms(
    ranks: Floats,
    inside: Floats,
    usual: tuple[float, float, float, float, float],
    floors: tuple[float, float, float],
) -> Floats:
    """What speaks for each box being a thing that does not belong."""
    texture, dense, metal, metal_spread, ordinary = usual
    level, signal, variance = inside.T
    spread = np.sqrt(texture**2 + (floors[0] + floors[1] * level) ** 2 + variance)
    metal_spreads = np.sqrt(metal_spread**2 + floors[2] ** 2 + variance)
    logs = np.log1p(np.clip(ranks[:, :6], 0.0, 60.0))
    terms = [
        *logs.T,
        np.clip(-ranks[:, 2], 0.0, 5.0),
        np.clip(-ranks[:, 4], 0.0, 5.0),
        np.clip((level - dense) / spread, -5.0, 8.0),
        np.clip((signal - metal) / metal_spreads, -5.0, 8.0),
        np.full(len(level), np.log(max(ordinary, 0.2))),
        np.full(len(level), np.log(texture / floors[0] + 0.3)),
        level,
    ]
    bends = ((0, 1.3), (1, 1.6), (3, 1.2), (5, 1.2), (8, 0.0), (9, 1.5), (12, 5.0))
    terms += [np.maximum(terms[which] - bend, 0.0) for which, bend in bends]
    return np.stack(terms, axis=1)


def box_sums(values: Floats) -> Floats:
    """Integral image with a leading row and column of zeros."""
    return np.pad(values.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))


def between_curves(values: Floats, place: Floats, curves: Floats, step: float) -> Floats:
    """Values read off a sheaf of curves."""
    at = step * np.arange(curves.shape[1])
    layers = [np.interp(values, at, curve) for curve in curves]
    found = layers[0].copy()
    for first, (low, high) in enumerate(pairwise(layers)):
        found += np.clip(place - first, 0.0, 1.0) * (high - low)
    below = values / step * (curves[0, 1] - curves[0, 0])
    return np.asarray(np.where(values < 0.0, below, found), np.float64)


def column_marks(
    plane: NDArray[np.uint16], rows: NDArray[np.int64], first: int, beyond: int
) -> NDArray[np.int64]:
    """A number for each column, the same where all counts looked at are the same."""
    return _marks(plane[rows, first:beyond].T)


def row_marks(
    plane: NDArray[np.uint16], rows: tuple[int, int], columns: NDArray[np.int64]
) -> NDArray[np.int64]:
    """A number for each row, the same where all counts looked at are the same."""
    return _marks(plane[rows[0] : rows[1]][:, columns])


def _marks(lines: NDArray[np.uint16]) -> NDArray[np.int64]:
    found = np.unique(lines, axis=0, return_inverse=True)[1]
    return np.asarray(found.reshape(-1), np.int64)


def come_again(marks: NDArray[np.int64]) -> Flags:
    """Which have been there before."""
    again = np.ones(marks.size, np.bool_)
    again[np.unique(marks, return_index=True)[1]] = False
    return again


def wide_runs(lines: Flags, side: int, bridged: int) -> Flags:
    """Cells that a run of more than `bridged` lines reaches into."""
    labels = ndimage.label(lines)[0]
    wide = lines & (np.bincount(labels) > bridged)[labels]
    cells = wide[: lines.size // side * side].reshape(-1, side)
    return np.asarray(cells.any(axis=1), np.bool_)


def flat_cells(plane: NDArray[np.uint16], cell: int, first: tuple[int, int], found: Flags) -> None:
    """Set which cells do not change along the vehicle, in any of four rows."""
    if cell < 4:
        return
    tall, wide = found.shape
    rows = plane[first[0] * cell : (first[0] + tall) * cell : cell // 4]
    middle, *others = (
        rows[:, first[1] * cell + times * (3 * cell // 8) :: cell][:, :wide] for times in range(3)
    )
    same = (others[0] == middle) & (others[1] == middle)
    found |= same.reshape(tall, -1, wide).all(axis=1)
