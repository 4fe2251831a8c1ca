"""What a scanner makes of a scene: source, detectors and motion, each effect with its own switch.

The recipe is facts 4's. Everything happens in the order of the field: what the beam meets, light
scattered into the detectors, the vehicle's motion while the lines are taken, the detectors' blur,
pulses, quanta, electronics, gain, dark, clipping.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.xray_physics import Floats, with_scatter
from simulators.xray_scene import Flags, Random, Scene
from simulators.xray_setting import SETTINGS, USUAL, Scanner, healthy

__all__ = ["SETTINGS", "USUAL", "Counts", "Exposure", "Scanner", "expose", "healthy"]

Counts = NDArray[np.uint16]

LINE_HZ = 250.0  # lines a second: 8 mm at 2 m/s
STOP_LINES = (40, 200)  # how many lines a stop-and-go lasts
DARK_GUARD = 2  # lines at the beam's start that no missed pulse is put into


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """One scan, and what happened to it."""

    high: Counts
    """(rows, columns), column 0 is the first line, dark."""
    low: Counts
    lost_columns: tuple[int, ...]
    """Lines whose pulse was missed."""
    dead_rows: tuple[int, ...]
    hot_rows: tuple[int, ...]
    speed_error: float
    """Length of the vehicle in the picture over its true one, less 1."""
    lines: Floats
    """(columns,) where along the scene, in its columns, each line of the high plane was taken."""
    end_mev: float
    """Of the high plane."""
    map_x: Floats
    """(rows, columns) the scene's column that each pixel of the high plane shows."""
    map_y: Floats
    """(rows, columns) the scene's row."""

    def column_of(self, scene_column: float) -> int:
        """The first line that shows this column of the scene."""
        return int(np.searchsorted(self.lines[self._lit :], scene_column)) + self._lit

    @property
    def _lit(self) -> int:
        """The first line with beam."""
        return int(np.argmax(self.lines > 0.0)) - 1

    def seen(self, mask: Flags) -> Flags:
        """A mask of the scene as the scanner draws it."""
        drawn = cv2.remap(mask.astype(np.uint8), self.map_x, self.map_y, cv2.INTER_NEAREST)
        return np.asarray(drawn > 0)


def expose(scene: Scene, scanner: Scanner, random: Random) -> Exposure:
    """Take a scan of the scene. Everything random comes from `random` and the device."""
    lines = _lines(scene, scanner, random)
    columns = lines.size
    rows = scanner.rows or round(scene.rows * scene.pitch_m * 1000.0 / scanner.pitch_y_mm)
    gain, dark, dead, hot = _detectors(scanner, rows, random)
    swing = _swing(scanner, columns, random) / scene.pitch_m
    pulses = _pulses(scanner, columns, random)
    kept = _kept(scanner, columns, random)
    lost = np.nonzero(pulses[kept][scanner.dark_columns :, 0] == 0.0)[0] + scanner.dark_columns
    step = float(np.median(np.diff(lines[scanner.dark_columns :])))
    planes, maps = [], []
    for plane, end_mev in enumerate(scanner.energies_mev):
        clear = scene.transmission(end_mev)
        clear = with_scatter(clear, scanner.scatter_share, scene.pitch_m * 1000.0)
        map_x, map_y = _maps(scene, scanner, lines + plane * scanner.interleave * step, swing, rows)
        maps.append((map_x, map_y))
        signal = cv2.remap(clear, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        planes.append(
            _counts(
                np.asarray(signal, np.float32),
                pulses[:, plane],
                gain,
                dark,
                scanner=scanner,
                random=random,
            )
        )
    for plane_counts in planes:
        plane_counts[list(hot)] = np.minimum(plane_counts[list(hot)].astype(np.uint32) * 3, 65_535)
    drawn = float(lines[-1] - lines[scanner.dark_columns]) / (columns - 1 - scanner.dark_columns)
    return Exposure(
        high=np.ascontiguousarray(planes[0][:, kept]),
        low=np.ascontiguousarray(planes[1][:, kept]),
        lost_columns=tuple(lost.tolist()),
        dead_rows=dead,
        hot_rows=hot,
        speed_error=scanner.pitch_x_mm / 1000.0 / (drawn * scene.pitch_m) - 1.0,
        lines=lines[kept],
        end_mev=scanner.energies_mev[0],
        map_x=maps[0][0][:, kept],
        map_y=maps[0][1][:, kept],
    )


def _lines(scene: Scene, scanner: Scanner, random: Random) -> Floats:
    """(columns,) the place of every line along the scene, in the scene's columns.

    The dark lines come first, at the scene's left edge; there is no beam yet.
    """
    step = scanner.pitch_x_mm / 1000.0 / scene.pitch_m / (1.0 + scanner.speed_error)
    longest = int(scene.columns / step * (1.0 + scanner.speed_drift)) + 2
    longest += scanner.stops * STOP_LINES[1]
    speeds = np.full(longest, step)
    if scanner.speed_drift:
        # Some three changes of speed over the vehicle.
        knots = random.uniform(-1.0, 1.0, 8)
        knots[0] = 0.0
        places = np.linspace(0.0, longest, knots.size)
        speeds *= 1.0 + scanner.speed_drift * np.interp(np.arange(longest), places, knots)
    for _ in range(scanner.stops):
        start = int(random.integers(longest // 5, longest * 4 // 5))
        lasts = int(random.integers(*STOP_LINES))
        dip = np.hanning(lasts + 2)[1:-1]
        stop = speeds[start : start + lasts]
        stop *= 1.0 - 0.97 * np.minimum(dip[: stop.size] * 1.5, 1.0)
    places = np.concatenate([[0.0], np.cumsum(speeds)])
    places = places[places <= scene.columns - 1.0]
    return np.concatenate([np.zeros(scanner.dark_columns), places]).astype(np.float32)


def _swing(scanner: Scanner, columns: int, random: Random) -> NDArray[np.float64]:
    """(columns,) metres by which each line shows what is higher up: a sine and a random walk."""
    phase = float(random.uniform(0.0, 2.0 * math.pi))
    noise = random.standard_normal(columns)
    if scanner.wobble_m == 0.0:
        return np.zeros(columns)
    seconds = np.arange(columns) / LINE_HZ
    walk = cv2.GaussianBlur(noise[None, :], (0, 0), LINE_HZ / 40.0)[0]
    walk *= 0.3 / max(float(np.std(walk)), 1e-9)
    sine = np.sin(2.0 * math.pi * scanner.wobble_hz * seconds + phase)
    return np.asarray(scanner.wobble_m * (sine + walk))


def _maps(
    scene: Scene, scanner: Scanner, lines: Floats, swing: NDArray[np.float64], rows: int
) -> tuple[Floats, Floats]:
    """(rows, columns) each: the scene's column and row that a pixel shows."""
    row_step = scanner.pitch_y_mm / 1000.0 / scene.pitch_m
    from_middle = (np.arange(rows) + 0.5) / rows * 2.0 - 1.0
    # The lowest row stays where it is, so that heights above the road keep their zero.
    stretched = from_middle + scanner.fan_stretch * (from_middle**3 - from_middle)
    down = (stretched - 1.0) / 2.0 * rows * row_step + scene.rows - 0.5
    map_y = (down[:, None] - swing[None, :]).astype(np.float32)
    lean = math.tan(math.radians(scanner.skew_deg))
    across = ((scene.rows - 1.0 - down) * lean)[:, None]
    map_x = (lines[None, :] + across).astype(np.float32)
    return map_x, map_y


def _pulses(scanner: Scanner, columns: int, random: Random) -> NDArray[np.float32]:
    """(columns, planes) strength of every pulse; 0 where there is no beam."""
    pulses = random.normal(1.0, scanner.pulse_spread, (columns, 2)).astype(np.float32)
    first = scanner.dark_columns + DARK_GUARD
    missed = random.choice(max(columns - first, 1), scanner.missed_pulses, replace=False)
    pulses[missed + first] = 0.0
    pulses[: scanner.dark_columns] = 0.0
    return pulses


def _kept(scanner: Scanner, columns: int, random: Random) -> NDArray[np.int64] | slice:
    """Which lines the picture is made of, in order."""
    first = scanner.dark_columns + DARK_GUARD
    at = random.choice(
        columns - first, scanner.dropped_lines + scanner.repeated_lines, replace=False
    )
    if at.size == 0:
        return slice(None)
    times = np.ones(columns, np.int64)
    times[at[: scanner.dropped_lines] + first] = 0
    times[at[scanner.dropped_lines :] + first] = 2
    return np.repeat(np.arange(columns), times)


def _detectors(
    scanner: Scanner, rows: int, random: Random
) -> tuple[Floats, Floats, tuple[int, ...], tuple[int, ...]]:
    """(gain, dark, dead rows, hot rows) of the instrument."""
    own = np.random.default_rng([scanner.device, 77]) if scanner.device else random
    gain = own.normal(1.0, scanner.row_gain_spread, rows)
    modules = rows // scanner.module_rows + 1
    steps = np.repeat(own.normal(1.0, scanner.module_spread, modules), scanner.module_rows)
    gain *= steps[:rows]
    gain[(np.arange(rows) // scanner.module_rows) % 2 == 1] *= 1.0 + scanner.gain_drift
    dark = scanner.dark_counts + own.normal(0.0, scanner.dark_spread, rows)
    ailing = own.permutation(rows)
    dead = np.sort(ailing[: scanner.dead_rows])
    hot = np.sort(ailing[scanner.dead_rows : scanner.dead_rows + scanner.hot_rows])
    uneven = ailing[ailing.size - scanner.uneven_rows :]
    gain[uneven] *= own.choice([0.8, 0.88, 1.12], uneven.size)
    gain[dead] = 0.0
    return (
        gain.astype(np.float32),
        dark.astype(np.float32),
        tuple(dead.tolist()),
        tuple(hot.tolist()),
    )


def _counts(
    signal: Floats,
    pulses: NDArray[np.float32],
    gain: Floats,
    dark: Floats,
    *,
    scanner: Scanner,
    random: Random,
) -> Counts:
    """Light on the detectors to counts."""
    if scanner.psf_px:
        signal = np.asarray(cv2.GaussianBlur(signal, (0, 0), scanner.psf_px), np.float32)
    signal *= pulses
    if scanner.lag:
        signal[:, 1:] += np.float32(scanner.lag) * signal[:, :-1]
    # Gaussian for Poisson: the difference is lost in the electronics below 10 quanta.
    noise = random.standard_normal(signal.shape, np.float32)
    air = np.float32(scanner.air_counts)
    noise *= cv2.sqrt(
        signal * np.float32(scanner.air_counts**2 / scanner.quanta)
        + np.float32(scanner.electronic_counts**2)
    )
    signal *= air
    signal += noise
    if scanner.smoothing_px:
        signal = np.asarray(cv2.GaussianBlur(signal, (0, 0), scanner.smoothing_px), np.float32)
    signal *= gain[:, None]
    signal += dark[:, None] + np.float32(0.5)
    if scanner.dark_drift:
        signal += np.linspace(0.0, scanner.dark_drift, signal.shape[1], dtype=np.float32)
    return np.asarray(np.clip(signal, 0.0, 65_535.0), np.uint16)
