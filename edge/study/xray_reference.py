"""The analysis of X-ray scans as one would write it in NumPy, SciPy and scikit-image.

The same maths in float64, vectorised: every pixel is normalised, then the light of a cell is
averaged, then comes the logarithm. What the pipeline itself does in NumPy on few numbers or samples
(the self-check, the places of posts and deck) is the same code; repairs for pictures without air
beside the vehicle are left out. What `garita bench xray` holds the kernels against, for speed and
for agreement; `edge.study.xray_reference_pixels` is the usual way, which takes no cells' light.
"""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.study import xray_reference_cells as steps
from fusion import xray
from fusion.scans import calibrate, cells, stripes
from fusion.scans.calibrate import Calibration
from fusion.scans.cells import Cells, cell_side
from fusion.scans.policy import XrayPolicy
from fusion.types import ScanFinding, ScanSample

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Plane = NDArray[np.uint16]

ndimage: Any = importlib.import_module("scipy.ndimage")
measure: Any = importlib.import_module("skimage.measure")


def analyse(scan: ScanSample, policy: XrayPolicy) -> ScanFinding:
    """As `fusion.xray.analyse`, with the array libraries in the place of every kernel."""
    with in_place_of_kernels(TWINS):
        return xray.analyse(scan, policy)


@contextmanager
def in_place_of_kernels(twins: dict[str, Callable[..., Any]]) -> Iterator[None]:
    """While it lasts, the analysis calls these, by name, and not what is compiled."""
    rooms = [
        module
        for name, module in sorted(sys.modules.items())
        if name == "fusion.xray" or name.startswith("fusion.scans.")
    ]
    kept = [
        (module, name, getattr(module, name))
        for module in rooms
        for name in twins
        if hasattr(module, name)
    ]
    try:
        for module, name, _ in kept:
            setattr(module, name, twins[name])
        yield
    finally:
        for module, name, kernel in kept:
            setattr(module, name, kernel)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainCalibration(Calibration):
    """With transmission in plain NumPy."""

    def transmission(self, plane: Plane, rows: slice, columns: NDArray[np.int64]) -> Floats:
        """(rows, columns) of a part of the plane."""
        signal = plane[rows][:, columns].astype(np.float64) - self.dark[rows, None]
        due = self.air_counts * self.gain[rows, None] * self.pulse[None, columns]
        return np.divide(signal, due, out=np.zeros_like(signal), where=due > 0)


def cells_of(
    high: Plane,
    low: Plane | None,
    policy: XrayPolicy,
    lost: tuple[tuple[int, int], ...] = (),
    memory: object = None,
) -> Cells | None:
    """Every pixel's transmission, then the mean of each cell's good pixels, then the logarithm."""
    assert memory is None
    if min(high.shape) < cells.MIN_SIDE:
        return None
    side = cell_side(high.shape, policy)
    calibration = calibrated(high, policy, lost)
    values, usable = attenuation(high, calibration, side)
    low_values, low_calibration = None, None
    if low is not None and low.shape == high.shape:
        low_calibration = calibrated(low, policy, lost)
        low_values, low_usable = attenuation(low, low_calibration, side)
        usable &= low_usable
    return Cells(
        high=values,
        low=low_values,
        usable=usable,
        cell_px=side,
        calibration=calibration,
        low_calibration=low_calibration,
        notes=calibration.notes,
    )


def calibrated(plane: Plane, policy: XrayPolicy, lost: tuple[tuple[int, int], ...]) -> Calibration:
    """Dark from the lines without beam, gain from the air at the ends, pulses from that above."""
    rows, columns = plane.shape
    hanging = _hanging(plane)
    brightness = plane.mean(axis=0)
    top = np.quantile(plane[::8, ::4], 0.98)
    lit = np.flatnonzero(brightness > 0.03 * top)
    first, last = int(lit[0]), int(lit[-1]) + 1
    ends = np.r_[0 : max(first - 2, 0), min(last + 2, columns) : columns]
    notes = []
    if ends.size >= policy.min_reference_px:
        dark = plane[:, ends].mean(axis=1)
    else:
        dark = np.zeros(rows)
        notes.append("no-dark-reference")
    air_columns = _air_columns(plane, (first, last), float(top), policy)
    if air_columns.size >= policy.min_air_px:
        level = plane[:, air_columns].mean(axis=1) - dark
        air = float(np.median(level))
        gain = level / air
        gain[(gain < policy.dropped_share) | (gain > calibrate.MOST_GAIN)] = 0.0
        gain[_unreliable(plane, air_columns, dark, (first + last) // 2)] = 0.0
    else:
        gain, air = np.ones(rows), float(top - dark.mean())
        notes.append("no-air-columns")
    gain[hanging] = 0.0
    pulse = np.zeros(columns)
    upper = plane[: rows // 3, first:last]
    due = gain[: rows // 3] * air
    dimmest = np.quantile(upper[:, :: max(1, upper.shape[1] // 512)], 0.05, axis=1)
    blocked = (dimmest - dark[: rows // 3] <= policy.air_transmission * due) & (due > 0)
    air_rows = int(np.argmax(blocked)) - 2 if blocked.any() else rows // 3
    alive = np.flatnonzero(due[: max(air_rows, 0)] > 0)
    if alive.size >= policy.min_air_px:
        clear = upper[alive] - dark[alive, None]
        group = np.arange(alive.size) * 5 // alive.size
        groups = [np.flatnonzero(group == number) for number in range(5)]
        means = [clear[g].sum(axis=0) / due[alive[g]].sum() for g in groups]
        strength = np.median(means, axis=0)
        strength[(strength < policy.dropped_share) | (strength > 2.0)] = 0.0
        pulse[first:last] = strength
    else:
        air_rows = 0
        pulse[first:last] = 1.0
        notes.append("no-air-band")
    for begin, end in lost:
        pulse[begin:end] = 0.0
    steps = np.abs(np.diff(upper[: max(air_rows, 0)].astype(np.float64), axis=0))
    noise = 1.4826 * float(np.median(steps)) / air / np.sqrt(2.0) if steps.size else 0.0
    return PlainCalibration(
        air_counts=air,
        dark=dark,
        gain=gain,
        pulse=pulse,
        air_rows=air_rows,
        first_column=first,
        last_column=last,
        notes=tuple(notes),
        air_noise=noise,
    )


def _hanging(plane: Plane) -> NDArray[np.int64]:
    """Rows that tell one number all along, between rows in which a vehicle is seen."""
    most, least = plane.max(axis=1), plane.min(axis=1)
    shaded = (plane < stripes.SEEN_SHARE * most[:, None]).mean(axis=1) >= stripes.SEEN_LENGTH
    between = np.logical_or.accumulate(shaded) & np.logical_or.accumulate(shaded[::-1])[::-1]
    return np.flatnonzero(between & (most - least <= stripes.STUCK_SHARE * most))


def _unreliable(plane: Plane, air: NDArray[np.int64], dark: Floats, middle: int) -> Flags:
    """(rows,) that flicker, or are another behind the vehicle than before it."""
    counts = plane[:, air].astype(np.float64)
    rough = np.abs(np.diff(counts, axis=1)).mean(axis=1)
    bad = rough > stripes.NOISY_TIMES * np.median(rough)
    front, rear = counts[:, air < middle], counts[:, air >= middle]
    if min(front.shape[1], rear.shape[1]) < 2:
        return np.asarray(bad, np.bool_)
    level = front.mean(axis=1) - dark
    ratio = np.divide(rear.mean(axis=1) - dark, level, out=np.zeros_like(level), where=level > 0)
    distance = np.abs(ratio - np.median(ratio))
    limit = stripes.STRIPE_SIGMA * 1.4826 * np.median(distance)
    return np.asarray(bad | (distance > max(limit, stripes.BROKEN_SHARE)), np.bool_)


def _air_columns(
    plane: Plane, lit: tuple[int, int], top: float, policy: XrayPolicy
) -> NDArray[np.int64]:
    first, last = lit
    step = max(1, plane.shape[0] // calibrate.PROBE_ROWS)
    reach = (last - first) // calibrate.EDGE_SHARE
    found = []
    for at in (np.arange(first, first + reach), np.arange(last - 1, last - 1 - reach, -1)):
        probe = plane[::step, at]
        dropped = probe.max(axis=0) < policy.dropped_share * top
        clear = np.quantile(probe, 0.05, axis=0) > policy.air_transmission * top
        run = np.argmin(np.append(clear | dropped, False))
        found.append(at[: max(run - 2, 0)][~dropped[: max(run - 2, 0)]])
    return np.sort(np.concatenate(found))


def attenuation(plane: Plane, calibration: Calibration, side: int) -> tuple[Floats, Flags]:
    """(cells) -ln of the mean transmission, and where at least half of the pixels are good."""
    gain, pulse = calibration.gain[:, None], calibration.pulse[None, :]
    good = (gain > 0) & (pulse > 0)
    due = calibration.air_counts * gain * pulse
    signal = plane.astype(np.float64) - calibration.dark[:, None]
    clear = np.divide(signal, due, out=np.zeros_like(signal), where=good)
    rows, columns = (length // side * side for length in plane.shape)
    total = measure.block_reduce(clear[:rows, :columns], (side, side), np.sum)
    count = measure.block_reduce(good[:rows, :columns], (side, side), np.sum)
    mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    values = -np.log(np.clip(mean, np.exp(-cells.MAX_ATTENUATION), None))
    holes = count == 0
    if holes.any() and not holes.all():
        nearest = ndimage.distance_transform_edt(holes, return_indices=True)[1]
        values = values[tuple(nearest)]
    return values, 2 * count >= side * side


TWINS: dict[str, Callable[..., Any]] = {
    "cells_of": cells_of,
    "square_means": steps.square_means,
    "between_curves": steps.between_curves,
    "components": steps.components,
    "box_sums": steps.box_sums,
    "side_differences": steps.side_differences,
    "side_ranks": steps.side_ranks,
    "place_terms": steps.place_terms,
    "strongest_wave": steps.strongest_wave,
    "fitted_waves": steps.fitted_waves,
    "local_texture": steps.local_texture,
    "near_medians": steps.near_medians,
    "told_materials": steps.told_materials,
    "column_marks": steps.column_marks,
    "row_marks": steps.row_marks,
    "come_again": steps.come_again,
    "wide_runs": steps.wide_runs,
    "flat_cells": steps.flat_cells,
}
"""What stands in for the function of that name, wherever the analysis calls it."""
