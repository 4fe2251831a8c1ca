"""A scan in cells: attenuation of both planes, and where it could be measured."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.xray import pooled_counts
from fusion.scans.calibrate import (
    DARK_SCALE,
    Calibration,
    Flags,
    Floats,
    Reference,
    ScanMemory,
    calibrate,
)
from fusion.scans.policy import XrayPolicy
from fusion.scans.stripes import MAX_INTERPOLATED_PX, gaps

MAX_ATTENUATION = 10.0  # T = 5e-5, half a quantum a pixel: below it there is only noise
MIN_SIDE = 12  # a picture of fewer pixels a side shows no vehicle


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Row 0 is the top, column 0 the vehicle's front; all arrays have the same shape."""

    high: Floats
    """(rows, columns) -ln of the mean transmission in the high (or only) plane."""
    low: Floats | None
    """(rows, columns) in the low-energy plane; None where there is none that fits."""
    usable: Flags
    """False where too little was measured in either plane; the values there are the
    neighbours'."""
    cell_px: int
    """Pixels along a cell's side."""
    calibration: Calibration
    """Of the high plane."""
    low_calibration: Calibration | None
    notes: tuple[str, ...]
    """Fallbacks that were used; `low-...` those of the low plane alone."""


def plain(plane: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """The plane as the kernels are compiled for: rows in order, native, and not read-only."""
    return np.require(plane, np.uint16, ("C", "W"))


def cells_of(
    high: NDArray[np.uint16],
    low: NDArray[np.uint16] | None,
    policy: XrayPolicy,
    lost: tuple[tuple[int, int], ...] = (),
    memory: ScanMemory | None = None,
) -> Cells | None:
    """Calibrate and pool both planes; None where the picture is too small for a vehicle.

    high  (rows, columns) raw counts
    low   (rows, columns); left aside where its shape is another
    lost  (first, one beyond the last) of runs of columns that never came
    memory  of the scanner; what this scan shows is kept there for the next
    """
    if min(high.shape) < MIN_SIDE:
        return None
    cell = cell_side(high.shape, policy)
    calibration = _calibrated(high, policy, lost, memory, "high")
    values, usable = attenuation(high, calibration, cell)
    low_values, low_calibration, notes = None, None, calibration.notes
    if low is not None and low.shape == high.shape:
        low_calibration = _calibrated(low, policy, lost, memory, "low")
        low_values, low_usable = attenuation(low, low_calibration, cell)
        usable &= low_usable
        notes += tuple(f"low-{note}" for note in low_calibration.notes if note not in notes)
    return Cells(
        high=values,
        low=low_values,
        usable=usable,
        cell_px=cell,
        calibration=calibration,
        low_calibration=low_calibration,
        notes=notes,
    )


def _calibrated(
    plane: NDArray[np.uint16],
    policy: XrayPolicy,
    lost: tuple[tuple[int, int], ...],
    memory: ScanMemory | None,
    name: str,
) -> Calibration:
    known = memory.reference(name, plane.shape[0]) if memory is not None else None
    found = calibrate(plane, policy, lost, known)
    if memory is not None and not {"no-dark-reference", "no-air-columns"} & set(found.notes):
        memory.references[name] = Reference(
            air_counts=found.air_counts, dark=found.dark, gain=found.gain
        )
    return found


def cell_side(shape: tuple[int, ...], policy: XrayPolicy) -> int:
    """Pixels along a cell's side: `policy.cell_px`, or halved until a small picture has enough."""
    side = policy.cell_px
    while side > 1 and (
        shape[0] < side * policy.min_cells_down or shape[1] < side * policy.min_cells_along
    ):
        side //= 2
    return side


def attenuation(
    plane: NDArray[np.uint16], calibration: Calibration, cell: int
) -> tuple[Floats, Flags]:
    """(cells) -ln of the mean transmission in each cell, and where that was measured.

    Dead rows and dropped columns are left out of their cell. A cell that is left with less than
    half of its pixels by a gap of more than three in a row is not usable; without any, it gets
    its value from the nearest that have some.
    """
    gain_q12 = _inverse_q12(calibration.gain).astype(np.uint32)
    pulse_q12 = _inverse_q12(calibration.pulse)
    dark_q8 = np.round(calibration.dark * DARK_SCALE).astype(np.uint32)
    values = pooled_counts(plane, dark_q8, gain_q12, pulse_q12, cell)
    rows, rows_usable = _live(gain_q12 > 0, cell)
    columns, columns_usable = _live(pulse_q12 > 0, cell)
    # In place, step by step: a megabyte anew costs as much as the arithmetic.
    values *= _over(2.0**24 * calibration.air_counts * rows)[:, None]
    values *= _over(columns)[None, :]
    np.maximum(values, math.exp(-MAX_ATTENUATION), out=values)
    np.log(values, out=values)
    # Rounded so that a last bit of another machine's logarithm changes nothing.
    values *= -(10.0**6)
    np.rint(values, out=values)
    values /= 10.0**6
    _fill(values, rows > 0)
    _fill(values.T, columns > 0)
    return values, rows_usable[:, None] & columns_usable[None, :]


def from_composite(picture: NDArray[np.uint8], policy: XrayPolicy) -> NDArray[np.uint16]:
    """An 8-bit display picture as if it were a plane: its gamma undone."""
    grey = np.arange(256) / 255.0
    table = np.round(58_000.0 * grey**policy.composite_gamma).astype(np.uint16)
    return table[picture]


def _live(live: Flags, cell: int) -> tuple[NDArray[np.int64], Flags]:
    """(live lines in each cell, whether it is usable) along one axis."""
    cells = live.size // cell
    count = live[: cells * cell].reshape(cells, cell).sum(axis=1)
    usable = 2 * count >= cell
    for first, beyond in gaps(~live).tolist():
        if beyond - first <= MAX_INTERPOLATED_PX:
            usable[first // cell : (beyond - 1) // cell + 1] = True
    return count, usable


def _fill(values: Floats, measured: Flags) -> None:
    """Give rows without any measurement what lies between the nearest that have one."""
    known = np.flatnonzero(measured)
    if known.size == 0:
        return
    for row in np.flatnonzero(~measured).tolist():
        place = int(np.searchsorted(known, row))
        before, after = known[max(place - 1, 0)], known[min(place, known.size - 1)]
        share = (row - before) / (after - before) if after > before else 0.0
        share = min(max(share, 0.0), 1.0)
        values[row] = np.round((1.0 - share) * values[before] + share * values[after], 6)


def _over(values: NDArray[Any]) -> Floats:
    """One over each, or 0 for nothing."""
    return np.asarray(np.divide(1.0, values, out=np.zeros(values.shape), where=values > 0))


def _inverse_q12(values: Floats) -> NDArray[np.int64]:
    safe = np.where(values > 0, values, 1.0)
    return np.where(values > 0, np.round(4096.0 / safe), 0.0).astype(np.int64)
