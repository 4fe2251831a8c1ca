"""The newest part of a scan whose lines are still coming, in cells: each line is pooled once.

The references come from the scan's own beginning, dark lines and then air, or from the scanner's
last scan. With them every later piece is made into cells by itself and kept until it is out of the
window; a look at the window goes over cells that are there already.
"""

from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.xray_references import band_sums, clear_rows
from fusion.scans.calibrate import Calibration, Flags, Floats, Plane, Reference, calibrate
from fusion.scans.cells import Cells, attenuation, cell_side, plain
from fusion.scans.policy import XrayPolicy
from fusion.types import ScanLines

BLOCK_PX = 64  # lines come in blocks of so many
STEP_M = 1.8  # from one look to the next
MOST_STEP_BLOCKS = 6
WINDOW_STEPS = 6  # what a look goes over: the new step and what was seen around it
HEAD_STEPS = 8  # so much of a scan is kept raw in the hope that it shows its references
LIT = 0.03  # of air, as the mean of a column: less is no beam
MOST_PULSE = 2.0
PROBE_ROWS = 128
BAND_SHARE = 3  # air above the vehicle is in the upper third
BLUR_PX = 2  # above the vehicle


@dataclass(frozen=True, slots=True)
class _Piece:
    """One step of columns, pooled."""

    plane: Plane
    high: Floats
    low: Floats | None
    usable: Flags
    pulse: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The newest pieces side by side."""

    first: int
    """Column of the scan, counted in the order of coming, that it begins with."""
    cells: Cells
    plane: Plane
    """(rows, columns) raw counts of the high plane."""
    pitch_mm: tuple[float, float]
    """Of a pixel, along and across."""
    energies_mev: tuple[float, float]

    @property
    def from_m(self) -> float:
        """Where it begins, from the scan's first line."""
        return self.first * self.pitch_mm[0] / 1000.0

    @property
    def to_m(self) -> float:
        """Where it ends."""
        columns = self.first + int(self.plane.shape[1])
        return columns * self.pitch_mm[0] / 1000.0


@dataclass(slots=True)
class Stretch:
    """One scan in the making, as far as a look needs it."""

    policy: XrayPolicy
    known: dict[str, Reference]
    """Of the scanner's last scan."""
    columns: int = 0
    """Done with so far."""
    _waiting: list[ScanLines] = field(default_factory=list)
    """Blocks of a step that is not complete, or whose references are not known."""
    _head: Calibration | None = None
    _references: dict[str, Reference] = field(default_factory=dict)
    _pieces: deque[_Piece] = field(default_factory=lambda: deque(maxlen=WINDOW_STEPS))
    _side: int = 0
    _last: ScanLines | None = None

    def take(self, block: ScanLines) -> bool:
        """Take a block of lines; whether a step is complete, so that a look shows more."""
        self._waiting.append(block)
        self._last = block
        step = step_blocks(block.pitch_x_mm)
        if len(self._waiting) % step:
            return False
        if not self._references and not self._find_references(len(self._waiting) // step):
            return False
        for at in range(0, len(self._waiting), step):
            self._pool(self._waiting[at : at + step])
        self._waiting.clear()
        return True

    def window(self) -> Window:
        """What a look goes over."""
        pieces, head, last_block = self._pieces, self._head, self._last
        assert head is not None
        assert last_block is not None
        plane = np.concatenate([one.plane for one in pieces], axis=1)
        pulse = np.concatenate([one.pulse for one in pieces])
        lows = [one.low for one in pieces if one.low is not None]
        lit = np.flatnonzero(pulse > 0)
        first, last = (int(lit[0]), int(lit[-1]) + 1) if lit.size else (0, pulse.size)
        calibration = replace(head, pulse=pulse, first_column=first, last_column=last)
        cells = Cells(
            high=np.concatenate([one.high for one in pieces], axis=1),
            low=np.concatenate(lows, axis=1) if len(lows) == len(pieces) else None,
            usable=np.concatenate([one.usable for one in pieces], axis=1),
            cell_px=self._side,
            calibration=calibration,
            low_calibration=None,
            notes=(),
        )
        return Window(
            first=self.columns - plane.shape[1],
            cells=cells,
            plane=plane,
            pitch_mm=(last_block.pitch_x_mm, last_block.pitch_y_mm),
            energies_mev=last_block.energies_mev,
        )

    def _find_references(self, steps: int) -> bool:
        """Dark and air of the scan's own beginning; else the scanner's last, once that is past."""
        if steps & (steps - 1):  # looked for with 1, 2, 4, 8 steps
            return False
        high, low = _planes(self._waiting)
        found = {name: calibrate(plane, self.policy) for name, plane in _named(high, low)}
        self._side = cell_side((high.shape[0], 1 << 20), self.policy)
        own = not any(
            {"no-dark-reference", "no-air-columns"} & set(x.notes) for x in found.values()
        )
        if own:
            self._references = {name: _reference(one) for name, one in found.items()}
            self._head = found["high"]
            return True
        usable = [
            name
            for name, plane in _named(high, low)
            if name in self.known and self.known[name].gain.size == plane.shape[0]
        ]
        if len(usable) == len(found):
            self._references = dict(self.known)
            last = self.known["high"]
            self._head = replace(
                found["high"], air_counts=last.air_counts, dark=last.dark, gain=last.gain
            )
            return True
        if steps >= HEAD_STEPS:  # nothing says what clear air gives: the end will tell
            half = len(self._waiting) // 2
            self.columns += sum(block.high.shape[1] for block in self._waiting[:half])
            del self._waiting[:half]
        return False

    def _pool(self, blocks: list[ScanLines]) -> None:
        high, low = _planes(blocks)
        values, usable, pulse = self._pooled(high, "high")
        low_values = None
        if low is not None:
            low_values, low_usable, _ = self._pooled(low, "low")
            usable &= low_usable
        self._pieces.append(_Piece(high, values, low_values, usable, pulse))
        self.columns += high.shape[1]

    def _pooled(self, plane: Plane, name: str) -> tuple[Floats, Flags, Floats]:
        """(attenuation, where it was measured, pulses) of a piece."""
        known = self._references[name]
        pulse = _pulses(plane, known, self.policy)
        assert self._head is not None
        steady = replace(
            self._head, air_counts=known.air_counts, dark=known.dark, gain=known.gain, pulse=pulse
        )
        values, usable = attenuation(plane, steady, self._side)
        if not pulse.any():
            values[:] = 0.0
        return values, usable, pulse


def _pulses(plane: Plane, known: Reference, policy: XrayPolicy) -> Floats:
    """(columns,) strength of each pulse as the air above the vehicle shows it, or 1; 0: no beam."""
    rows, columns = plane.shape
    upper, step = rows // BAND_SHARE, max(rows // PROBE_ROWS, 1)
    due = known.air_counts * known.gain
    clear = np.floor(known.dark + policy.air_transmission * due).astype(np.int64)[:upper]
    clear[due[:upper] == 0.0] = -1  # a dead row ends no air
    air = clear_rows(plane, (0, columns, 1), clear)
    air = max(air - BLUR_PX if air < upper else upper, 0)
    used = np.where(due[:air] > 0.0, 0, -1)
    strength = np.ones(columns)
    if np.count_nonzero(used == 0) >= policy.min_air_px:
        light = band_sums(plane, used, 1)[0] - float(np.sum(known.dark[:air][used == 0]))
        strength = light / float(np.sum(due[:air]))
        strength[(strength < policy.dropped_share) | (strength > MOST_PULSE)] = 0.0
    probe = plane[::step].sum(axis=0, dtype=np.int64) / len(plane[::step])
    strength[probe - float(np.sum(known.dark)) / rows < LIT * known.air_counts] = 0.0
    return strength


def step_blocks(pitch_x_mm: float) -> int:
    """Blocks from one look to the next."""
    return min(max(round(STEP_M * 1000.0 / (pitch_x_mm * BLOCK_PX)), 1), MOST_STEP_BLOCKS)


def _planes(blocks: list[ScanLines]) -> tuple[Plane, Plane | None]:
    high = plain(np.concatenate([block.high for block in blocks], axis=1))
    lows = [block.low for block in blocks if block.low is not None]
    return high, plain(np.concatenate(lows, axis=1)) if len(lows) == len(blocks) else None


def _named(high: Plane, low: NDArray[np.uint16] | None) -> list[tuple[str, Plane]]:
    return [("high", high)] if low is None else [("high", high), ("low", low)]


def _reference(found: Calibration) -> Reference:
    return Reference(air_counts=found.air_counts, dark=found.dark, gain=found.gain)
