"""The analysis of X-ray scans as one would write it in NumPy, SciPy and scikit-image.

All in float64 and vectorised, pixel by pixel where that is the natural way; repairs for pictures
without air beside the vehicle are left out. What
`garita bench xray` holds the kernels against: for speed, and for agreement.
"""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.study import xray_reference_cells as twins
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
morphology: Any = importlib.import_module("skimage.morphology")

LOCAL_PX, LOCAL_SIGMA = (31, 63, 127), 2.5  # of local means and spreads (facts 2.3)


def analyse(scan: ScanSample, policy: XrayPolicy) -> ScanFinding:
    """As `fusion.xray.analyse`, with the array libraries in the place of every kernel."""
    with in_place_of_kernels():
        return xray.analyse(scan, policy)


@contextmanager
def in_place_of_kernels() -> Iterator[None]:
    """While it lasts, the analysis calls what is here and not what is compiled."""
    rooms = [
        module
        for name, module in sorted(sys.modules.items())
        if name == "fusion.xray" or name.startswith("fusion.scans.")
    ]
    kept = [
        (module, name, getattr(module, name))
        for module in rooms
        for name in TWINS
        if hasattr(module, name)
    ]
    try:
        for module, name, _ in kept:
            setattr(module, name, TWINS[name])
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
        quality=(("air_noise", noise),),
    )


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


def pixel_by_pixel(scan: ScanSample, policy: XrayPolicy) -> int:
    """The usual way, every step on all pixels (facts 6.1); returns how many parts stand out.

    Not the maths of the analysis, which averages counts over cells before anything else: the
    pipeline that its figures were first set against.
    """
    assert scan.high is not None
    assert scan.low is not None
    loss = []
    for plane in (scan.high, scan.low):
        known = calibrated(plane, policy, ())
        due = known.air_counts * known.gain[:, None] * known.pulse[None, :]
        signal = plane.astype(np.float64) - known.dark[:, None]
        clear = np.divide(signal, due, out=np.ones_like(signal), where=due > 0)
        loss.append(-np.log(np.clip(clear, np.exp(-cells.MAX_ATTENUATION), None)))
    high = loss[0]
    side = policy.cell_px
    pooled_high, pooled_low = (measure.block_reduce(one, (side, side), np.mean) for one in loss)
    ratio = pooled_low / np.maximum(pooled_high, 1e-6)
    groups = np.digitize(ratio, (1.09, 1.152, 1.18)) * (pooled_high > 0.25)
    mask = np.zeros(high.shape, np.bool_)
    for around in LOCAL_PX:
        mean = ndimage.uniform_filter(high, around)
        spread = np.sqrt(np.maximum(ndimage.uniform_filter(high**2, around) - mean**2, 1e-12))
        mask |= (high - mean) / spread > LOCAL_SIGMA
    square = np.ones((5, 5), np.bool_)
    mask = morphology.closing(morphology.opening(mask, square), square)
    labels = measure.label(mask, connectivity=2)
    parts = measure.regionprops_table(labels, high, properties=("area", "bbox", "intensity_mean"))
    return len(parts["area"]) + 0 * int(groups.max())


TWINS: dict[str, Callable[..., Any]] = {
    "cells_of": cells_of,
    "square_means": twins.square_means,
    "between_curves": twins.between_curves,
    "components": twins.components,
    "box_sums": twins.box_sums,
    "side_differences": twins.side_differences,
    "side_ranks": twins.side_ranks,
    "place_terms": twins.place_terms,
    "strongest_wave": twins.strongest_wave,
    "fitted_waves": twins.fitted_waves,
    "local_texture": twins.local_texture,
    "near_medians": twins.near_medians,
    "told_materials": twins.told_materials,
}
"""What stands in for the function of that name, wherever the analysis calls it."""
