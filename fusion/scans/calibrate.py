"""Raw counts of a scanner to transmission: dark, air, pulses, dead rows, missed columns."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.xray_cells import clear_share
from fusion.kernels.xray_references import (
    air_run,
    band_sums,
    clear_rows,
    median_step,
    row_levels,
    survey,
)
from fusion.scans import stripes
from fusion.scans.policy import XrayPolicy

Plane = NDArray[np.uint16]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]
Ends = tuple[tuple[int, NDArray[np.uint8]], ...]

EDGE_SHARE = 4  # references are looked for in the outer quarter of the columns
PROBE_ROWS = 128  # enough for a percentile, few enough for a thousandth of the scan's time
PROBE_COLUMNS = 4  # every fourth
BRIGHT_BLOCKS = 256  # along a row; the shortest air beside a vehicle fills a few of them
BAND_COLUMNS = 512  # looked at for air above the vehicle
BAND_SHARE = 3  # and that is in the upper third
BAND_GROUPS = 5  # of rows; the pulse is the median of their means: an aerial is in two
NOISE_ROWS = 48  # of the air above: their 48,000 steps give the median to a hundredth
BLUR_PX = 2  # beside a vehicle, and beside the first and last pulse
DARK_SCALE = 256  # dark levels are kept in so many parts of a count
MOST_GAIN = 1.9  # twice as bright as the others is as useless as dead, and leaves 32 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Dark and gain of one plane's rows, from a scan that had both."""

    air_counts: float
    dark: Floats
    gain: Floats


@dataclass(slots=True)
class ScanMemory:
    """The last good references of one scanner, handed from each of its scans to the next."""

    references: dict[str, Reference] = field(default_factory=dict)
    """By plane: `"high"` or `"low"`."""

    def reference(self, name: str, rows: int) -> Reference | None:
        """The plane's last good one, where the detector has as many rows as it had then."""
        known = self.references.get(name)
        return known if known is not None and known.gain.size == rows else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What turns a plane's counts into transmission."""

    air_counts: float
    """Of a clear pixel, over the dark level."""
    dark: Floats
    """(rows,) counts, rounded to 1 / `DARK_SCALE`."""
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
    air_noise: float
    """Of a clear pixel, relative; 0 where no air is above the vehicle."""

    def transmission(self, plane: Plane, rows: slice, columns: Counts) -> Floats:
        """(rows, columns) of a part of the plane, pixel by pixel; dead ones are 0."""
        levels = np.stack((self.dark[rows], self.air_counts * self.gain[rows]))
        chosen = np.ascontiguousarray(columns)  # a reversed view would be compiled for anew
        return clear_share(plane, rows.start or 0, levels, chosen, self.pulse)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Light:
    """Where in a picture the beam is on, and where nothing is in it."""

    first: int
    last: int
    """One beyond the last column with beam."""
    top: int
    """Counts of air, near enough to tell it from everything else."""
    brightness: Floats
    """(columns,) mean counts."""
    ends: Ends
    """(first column, 1 where it is air and has a pulse) of the clear air at either end."""


def calibrate(
    plane: Plane,
    policy: XrayPolicy,
    lost: tuple[tuple[int, int], ...] = (),
    known: Reference | None = None,
) -> Calibration:
    """Find the scan's own references: dark lines, air before and behind, air above.

    lost   (first, one beyond the last) of runs of columns that never came
    known  of an earlier scan, for what this one does not show
    """
    notes: list[str] = []
    hanging = stripes.stuck(plane)
    if hanging.size:
        plane = plane.copy()
        plane[hanging] = 0  # as good as dead
    light = _light(plane, policy)
    dark = _dark_level(plane, light, policy)
    if dark is None:
        notes += ["no-dark-reference", *(["last-dark-reference"] if known else [])]
        dark = known.dark if known else np.zeros(plane.shape[0])
    gain, air = _row_gain(plane, light, dark, policy)
    if not air:
        notes += ["no-air-columns", *(["last-air-reference"] if known else [])]
        air = max(light.top - float(np.sum(dark)) / dark.size, 1.0)
        gain = known.gain if known else stripes.even(plane, dark, light.first, light.last)
        gain = gain.copy()  # the memory's stays as it is
        gain[hanging] = 0.0
    pulse, air_rows = _pulses(plane, light, dark, gain * air, policy)
    if not air_rows:
        notes.append("no-air-band")
    for first, last in lost:
        pulse[first:last] = 0.0
    return Calibration(
        air_counts=air,
        dark=dark,
        gain=gain,
        pulse=pulse,
        air_rows=air_rows,
        first_column=light.first,
        last_column=light.last,
        notes=tuple(notes),
        air_noise=_air_noise(plane, light, air_rows) / air,
    )


def _light(plane: Plane, policy: XrayPolicy) -> _Light:
    rows, columns = plane.shape
    step = max(1, rows // PROBE_ROWS)
    sums, top = survey(plane, step, PROBE_COLUMNS)
    looked_at = -(-rows // step)
    brightness = sums / looked_at
    top = max(top, 1)
    lit = np.flatnonzero(brightness > 0.03 * top)
    first, last = (int(lit[0]), int(lit[-1]) + 1) if lit.size else (0, columns)
    clear = np.full(looked_at, int(policy.air_transmission * top))
    ends = _air_ends(plane, (first, last), clear, top, policy)
    if sum(int(use.sum()) for _, use in ends) < policy.min_air_px:
        ends = _uneven_ends(plane, (first, last), top, policy)
    return _Light(
        first=first,
        last=last,
        top=top,
        brightness=brightness,
        ends=ends,
    )


def _air_ends(
    plane: Plane, lit: tuple[int, int], clear: Counts, top: int, policy: XrayPolicy
) -> Ends:
    first, last = lit
    step = max(1, plane.shape[0] // PROBE_ROWS)
    most = max((last - first) // EDGE_SHARE, 1)
    missed = math.ceil(policy.dropped_share * top)
    front = air_run(plane, (first, most, 1), step, clear, missed)[:-BLUR_PX]
    rear = air_run(plane, (last - 1, most, -1), step, clear, missed)[:-BLUR_PX][::-1]
    return (first, front), (last - rear.size, np.ascontiguousarray(rear))


def _uneven_ends(plane: Plane, lit: tuple[int, int], top: int, policy: XrayPolicy) -> Ends:
    """As `_air_ends`, of a detector whose rows differ by tenths: no maker has calibrated it.

    Each row is held against its own brightest part. A wall all along the picture would look
    like that as well, but makes many rows side by side darker, not every other one.
    """
    step = max(1, plane.shape[0] // PROBE_ROWS)
    probe = plane[::step]
    block = max(plane.shape[1] // BRIGHT_BLOCKS, 1)
    blocks = probe[:, : probe.shape[1] // block * block].reshape(len(probe), -1, block)
    brightest = (blocks.sum(axis=2, dtype=np.int64) // block).max(axis=1)
    clear = np.floor(policy.air_transmission * brightest).astype(np.int64)
    missed = math.ceil(policy.dropped_share * top)
    ends = _air_ends(plane, lit, np.maximum(clear, missed), top, policy)
    count = sum(int(use.sum()) for _, use in ends)
    if count < policy.min_air_px:
        return ends
    sums = sum(row_levels(plane, first, use)[0] for first, use in ends)
    if stripes.is_smooth(np.asarray(sums, np.float64) / count):
        return ends
    return tuple((first, np.zeros_like(use)) for first, use in ends)


def _dark_level(plane: Plane, light: _Light, policy: XrayPolicy) -> Floats | None:
    """(rows,) counts without beam; None where the picture begins and ends with it."""
    # The column beside the first pulse already has some of its light: it is left out.
    front, rear = max(light.first - BLUR_PX, 0), min(light.last + BLUR_PX, plane.shape[1])
    count = front + plane.shape[1] - rear
    if count < policy.min_reference_px:
        return None
    sums = plane[:, :front].sum(axis=1, dtype=np.int64)
    sums += plane[:, rear:].sum(axis=1, dtype=np.int64)
    level: Floats = np.round(sums * (DARK_SCALE / count)) / DARK_SCALE
    return level


def _row_gain(
    plane: Plane, light: _Light, dark: Floats, policy: XrayPolicy
) -> tuple[Floats, float]:
    """(gain of every row, counts of air); the latter 0 where too little air is seen."""
    counts = [int(use.sum()) for _, use in light.ends]
    if sum(counts) < policy.min_air_px:
        return np.ones(plane.shape[0]), 0.0
    measured = [row_levels(plane, first, use) for first, use in light.ends]
    level = (measured[0][0] + measured[1][0]) / sum(counts) - dark
    air = max(lower_median(level), 1.0)
    gain: Floats = level / air
    gain[(gain < policy.dropped_share) | (gain > MOST_GAIN)] = 0.0
    gain[stripes.noisy((measured[0][1] + measured[1][1]) / sum(counts), air)] = 0.0
    if min(counts) >= policy.min_air_px:
        front, rear = (sums / n - dark for (sums, _), n in zip(measured, counts, strict=True))
        gain[stripes.broken(front, rear)] = 0.0
    return gain, air


def _pulses(
    plane: Plane, light: _Light, dark: Floats, due: Floats, policy: XrayPolicy
) -> tuple[Floats, int]:
    """(strength of every pulse, rows of air above the vehicle that it was measured in)."""
    pulse = np.zeros(plane.shape[1])
    lit = slice(light.first, light.last)
    upper = plane.shape[0] // BAND_SHARE
    clear = np.floor(dark[:upper] + policy.air_transmission * due[:upper]).astype(np.int64)
    clear[due[:upper] == 0] = -1  # a dead row ends no air
    step = max(1, (light.last - light.first) // BAND_COLUMNS)
    air_rows = clear_rows(plane, (light.first, light.last, step), clear)
    air_rows = max(air_rows - BLUR_PX if air_rows < upper else upper, 0)
    used = np.flatnonzero(due[:air_rows] > 0)
    if used.size < policy.min_air_px:
        pulse[lit] = stripes.pulses(light.brightness, 0.05 * light.top)[lit]
        return pulse, 0
    group = np.full(air_rows, -1)
    group[used] = np.arange(used.size) * BAND_GROUPS // used.size
    sums = band_sums(plane, group, BAND_GROUPS)
    means = np.empty(sums.shape)
    for number in range(BAND_GROUPS):
        rows = used[group[used] == number]
        means[number] = (sums[number] - float(dark[rows].sum())) / float(due[rows].sum())
    strength = _median_of_five(means)
    strength[(strength < policy.dropped_share) | (strength > 2.0)] = 0.0
    pulse[lit] = strength[lit]
    return pulse, air_rows


def _median_of_five(values: Floats) -> Floats:
    """(5, columns) -> (columns,): four comparisons to a pair, and those of the middle ones."""
    first, second = np.minimum(values[0], values[1]), np.maximum(values[0], values[1])
    third, fourth = np.minimum(values[2], values[3]), np.maximum(values[2], values[3])
    low, high = np.maximum(first, third), np.minimum(second, fourth)
    least, most = np.minimum(low, high), np.maximum(low, high)
    return np.asarray(np.maximum(least, np.minimum(most, values[4])), np.float64)


def _air_noise(plane: Plane, light: _Light, air_rows: int) -> float:
    """Standard deviation of one pixel in air, in counts.

    From differences down the columns, so that pulses cancel (facts 3: difference noise).
    """
    if air_rows < 2:
        return 0.0
    step = median_step(plane, min(air_rows, NOISE_ROWS), (light.first, light.last, PROBE_COLUMNS))
    return 1.4826 * step / math.sqrt(2.0)


def lower_median(values: Floats) -> float:
    """The lower median: a value that occurs, whatever the order of summing."""
    middle = (values.size - 1) // 2
    return float(np.partition(values, middle)[middle])
