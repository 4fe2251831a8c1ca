"""Raw counts of a scanner to attenuation: dark, air, pulses, dead rows, dropped columns."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.scans.policy import XrayPolicy

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

EDGE_SHARE = 4  # references are looked for in the outer quarter of the columns
PROBE_ROWS = 128  # enough for a percentile, few enough for a thousandth of the scan's time


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What turns a plane's counts into transmission."""

    air_counts: float
    """Of a clear pixel, over the dark level."""
    dark: Floats
    """(rows,) counts."""
    gain: Floats
    """(rows,) of the row over the median; 0 where it is dead."""
    pulse: Floats
    """(columns,) of the pulse over its mean; 0 where it was missed or the beam was off."""
    air_rows: int
    """Rows of clear air above the vehicle."""
    first_column: int
    """Where the beam is on."""
    last_column: int
    """One beyond the last where it is."""
    notes: tuple[str, ...]
    quality: tuple[tuple[str, float], ...]

    def transmission(
        self, plane: NDArray[np.uint16], rows: slice, columns: NDArray[np.int64]
    ) -> Floats:
        """(rows, columns) of a part of the plane, pixel by pixel; dead ones are 0."""
        signal = plane[rows][:, columns].astype(np.float64) - self.dark[rows, None]
        due = self.air_counts * self.gain[rows, None] * self.pulse[None, columns]
        return np.divide(signal, due, out=np.zeros_like(signal), where=due > 0)


def calibrate(
    plane: NDArray[np.uint16], policy: XrayPolicy, lost: tuple[tuple[int, int], ...] = ()
) -> Calibration:
    """Find the scan's own references: dark lines, air before and behind, air above.

    lost  (first, one beyond the last) of runs of columns that never came
    """
    notes: list[str] = []
    step = max(1, plane.shape[0] // PROBE_ROWS)
    probe = plane[::step]
    brightness = probe.sum(axis=0, dtype=np.int64) / probe.shape[0]
    top = _air_guess(probe)
    off_first, off_last = _dark_ends(brightness, 0.03 * top)
    dark = _dark_level(plane, off_first, off_last, policy, notes)
    lit = slice(off_first, max(plane.shape[1] - off_last, off_first))
    air_columns = _air_columns(probe, lit, top, policy)
    gain, air = _row_gain(plane, air_columns, dark, top=top, policy=policy, notes=notes)
    pulse, air_rows = _pulses(plane, lit, dark, gain * air, policy=policy, notes=notes)
    if not air_rows:
        pulse = _dropped_only(brightness, lit, top)
    for first, last in lost:
        pulse[first:last] = 0.0
    live = gain > 0
    quality = (
        ("air_counts", air),
        ("dark_counts", float(np.sum(dark)) / dark.size),
        ("row_gain_sigma", _spread(gain[live])),
        ("dead_rows", float(np.count_nonzero(~live))),
        ("pulse_sigma", _spread(pulse[pulse > 0]) if air_rows else 0.0),
        ("dropped_columns", float(np.count_nonzero(pulse[lit] == 0))),
        ("air_noise", _air_noise(plane, lit, air_rows, air)),
        ("saturated", float(np.count_nonzero(probe == 65_535)) / probe.size),
    )
    return Calibration(
        air_counts=air,
        dark=dark,
        gain=gain,
        pulse=pulse,
        air_rows=air_rows,
        first_column=lit.start,
        last_column=lit.stop,
        notes=tuple(notes),
        quality=quality,
    )


def _air_guess(probe: NDArray[np.uint16]) -> float:
    """The counts of air, near enough to tell it from everything else."""
    sample = probe[:, ::4].reshape(-1)
    place = sample.size - 1 - sample.size // 50
    return max(float(np.partition(sample, place)[place]), 1.0)


def _dark_ends(brightness: Floats, limit: float) -> tuple[int, int]:
    """How many columns without beam the picture begins and ends with."""
    lit = np.nonzero(brightness > limit)[0]
    if lit.size == 0:
        return 0, 0
    return int(lit[0]), int(brightness.size - 1 - lit[-1])


def _dark_level(
    plane: NDArray[np.uint16], first: int, last: int, policy: XrayPolicy, notes: list[str]
) -> Floats:
    # The column beside the first pulse already has some of its light: it is left out.
    parts = [plane[:, : max(first - 2, 0)], plane[:, plane.shape[1] - max(last - 2, 0) :]]
    dark_columns = np.concatenate(parts, axis=1)
    if dark_columns.shape[1] < policy.min_reference_px:
        notes.append("no-dark-reference")
        return np.zeros(plane.shape[0])
    level: Floats = dark_columns.sum(axis=1, dtype=np.int64) / dark_columns.shape[1]
    return level


def _air_columns(
    probe: NDArray[np.uint16], lit: slice, top: float, policy: XrayPolicy
) -> NDArray[np.int64]:
    """Columns of clear air at either end, all the way from top to bottom."""
    reach = max((lit.stop - lit.start) // EDGE_SHARE, 1)
    found: list[int] = []
    for columns in (
        range(lit.start, lit.start + reach),
        range(lit.stop - 1, lit.stop - 1 - reach, -1),
    ):
        part = probe[:, list(columns)]
        # A twentieth of the rows may be dead, in the road, or behind a mast.
        low = np.partition(part, probe.shape[0] // 20, axis=0)[probe.shape[0] // 20]
        dropped = part.max(axis=0) < policy.dropped_share * top
        clear = (low > policy.air_transmission * top) | dropped
        ends = np.nonzero(~clear)[0]
        run = int(ends[0]) if ends.size else clear.size
        # The last columns of the run already see the blur of the bumper.
        found += [
            c for c, gone in zip(columns[: max(run - 2, 0)], dropped, strict=False) if not gone
        ]
    return np.array(sorted(set(found)), np.int64)


def _row_gain(
    plane: NDArray[np.uint16],
    columns: NDArray[np.int64],
    dark: Floats,
    *,
    top: float,
    policy: XrayPolicy,
    notes: list[str],
) -> tuple[Floats, float]:
    """(gain of every row, counts of air)."""
    if columns.size < policy.min_air_px:
        notes.append("no-air-columns")
        return np.ones(plane.shape[0]), max(top - float(np.sum(dark)) / dark.size, 1.0)
    level = plane[:, columns].sum(axis=1, dtype=np.int64) / columns.size - dark
    air = max(_median(level), 1.0)
    gain = level / air
    # Twice as bright as its neighbours is as useless as dead, and would not fit 32 bits.
    gain[(gain < policy.dropped_share) | (gain > 1.9)] = 0.0
    return gain, air


def _pulses(
    plane: NDArray[np.uint16],
    lit: slice,
    dark: Floats,
    due: Floats,
    *,
    policy: XrayPolicy,
    notes: list[str],
) -> tuple[Floats, int]:
    """(strength of every pulse, rows of air above the vehicle that it was measured in)."""
    columns = plane[: plane.shape[0] // 3, lit]
    step = max(1, columns.shape[1] // 512)
    part = columns[:, ::step]
    low = np.partition(part, part.shape[1] // 20, axis=1)[:, part.shape[1] // 20]
    rows = low.shape[0]
    clear = (low - dark[:rows] > policy.air_transmission * due[:rows]) | (due[:rows] == 0)
    ends = np.nonzero(~clear)[0]
    air_rows = max(int(ends[0]) - 2 if ends.size else rows, 0)
    used = np.nonzero(due[:air_rows] > 0)[0]
    pulse = np.zeros(plane.shape[1])
    if used.size < policy.min_air_px:
        notes.append("no-air-band")
        return pulse, 0
    light = columns[used].sum(axis=0, dtype=np.int64) - float(np.sum(dark[used]))
    strength = light / float(np.sum(due[used]))
    strength[(strength < policy.dropped_share) | (strength > 2.0)] = 0.0
    pulse[lit] = strength
    return pulse, air_rows


def _dropped_only(brightness: Floats, lit: slice, top: float) -> Floats:
    """Without air above, a pulse cannot be measured; a missed one is still seen."""
    pulse = np.zeros(brightness.size)
    pulse[lit] = 1.0
    before, after = np.roll(brightness, 1), np.roll(brightness, -1)
    pulse[(brightness < 0.1 * np.minimum(before, after)) & (before > 0.05 * top)] = 0.0
    return pulse


def _air_noise(plane: NDArray[np.uint16], lit: slice, air_rows: int, air: float) -> float:
    """Relative noise of one pixel in air, from differences of neighbours along a row."""
    if air_rows < 2:
        return 0.0
    # Down a column, so that pulses cancel; facts 3 calls it difference noise.
    part = plane[:air_rows, lit].astype(np.int64)
    steps = np.abs(part[1:, ::4] - part[:-1, ::4]).reshape(-1)
    return 1.4826 * _median(steps.astype(np.float64)) / air / math.sqrt(2.0)


def _spread(values: Floats) -> float:
    """Standard deviation as the median distance gives it."""
    if values.size == 0:
        return 0.0
    return 1.4826 * _median(np.abs(values - _median(values)))


def _median(values: Floats) -> float:
    """The lower median: a value that occurs, whatever the order of summing."""
    middle = (values.size - 1) // 2
    return float(np.partition(values, middle)[middle])
