"""Where the vehicle and its box are in a scan: by the level top edge and the dark deck."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.scans.calibrate import Calibration, Flags
from fusion.scans.cells import Cells
from fusion.scans.policy import XrayPolicy

TOP_TOLERANCE_CELLS = 1  # a roof that sags or a picture a little askew
GAP_CELLS = 3  # a mast or a dropped column does not end a box
MIN_CELLS_IN_COLUMN = 3  # an aerial is not the vehicle's front


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """What was found, in cells of the pooled picture; row 0 is the top."""

    front: int
    """First column of the vehicle."""
    rear: int
    """One beyond its last."""
    zone_rows: slice
    """Where load can be: inside the box, off its rails and deck."""
    zone_columns: slice
    cell_x_m: float
    cell_y_m: float
    rows: int
    box_m: tuple[float, float]
    """Front and rear wall from the vehicle's front; both 0 where there is no box."""
    deck_m: float
    """Load floor above the lowest row."""
    roof_m: float
    notes: tuple[str, ...]

    @property
    def length_m(self) -> float:
        """Of the vehicle."""
        return (self.rear - self.front) * self.cell_x_m

    def along_m(self, column: float) -> float:
        """Metres from the vehicle's front to the left edge of a column of the zone."""
        return float(self.zone_columns.start + column - self.front) * self.cell_x_m

    def height_m(self, row: float) -> float:
        """Metres from the lowest row up to the upper edge of a row of the zone."""
        return float(self.rows - self.zone_rows.start - row) * self.cell_y_m

    @property
    def cell_m2(self) -> float:
        """Area of a cell."""
        return self.cell_x_m * self.cell_y_m


def find_geometry(
    cells: Cells,
    plane: NDArray[np.uint16],
    pitch_mm: tuple[float, float],
    policy: XrayPolicy,
) -> Geometry | None:
    """Vehicle, box and deck, or None where the picture shows no vehicle.

    plane     (rows, columns) counts of the high-energy plane that the cells are of
    pitch_mm  of a pixel along and across
    """
    values, cell_px, calibration = cells.high, cells.cell_px, cells.calibration
    cell_x_m, cell_y_m = (pitch * cell_px / 1000.0 for pitch in pitch_mm)
    first = -(-calibration.first_column // cell_px)
    last = calibration.last_column // cell_px
    taken = values > policy.vehicle_attenuation
    seen = np.nonzero(taken[:, first:last].sum(axis=0) >= MIN_CELLS_IN_COLUMN)[0]
    if seen.size == 0:
        return None
    front, rear = first + int(seen[0]), first + int(seen[-1]) + 1
    tops = _tops(taken[:, front:rear])
    start, stop, top = _longest_level_run(tops)
    notes = []
    min_cells = policy.min_box_m / cell_x_m
    if stop - start < min_cells:
        notes.append("no-box")
        start, stop = 0, rear - front
        top = int(np.min(tops))
        deck = max(values.shape[0] - int(policy.open_floor_m / cell_y_m), top + 2)
        box_m = (0.0, 0.0)
    else:
        box_m = (round(start * cell_x_m, 3), round(stop * cell_x_m, 3))
        columns = slice((front + start) * cell_px, (front + stop) * cell_px)
        deck = _deck_row(
            plane,
            calibration,
            columns,
            top=top,
            cell=cell_px,
            pitch_y_mm=pitch_mm[1],
            policy=policy,
            notes=notes,
        )
    margin = max(round(policy.end_margin_m / cell_x_m), 1)
    roof = top + 1 + int(policy.roof_margin_m / cell_y_m)
    deck = min(max(deck, roof + 1), values.shape[0])
    left = min(front + start + margin, rear - 1)
    return Geometry(
        front=front,
        rear=rear,
        zone_rows=slice(roof, deck),
        zone_columns=slice(left, max(front + stop - margin, left + 1)),
        cell_x_m=cell_x_m,
        cell_y_m=cell_y_m,
        rows=values.shape[0],
        box_m=box_m,
        deck_m=(values.shape[0] - deck) * cell_y_m,
        roof_m=(values.shape[0] - top) * cell_y_m,
        notes=tuple(notes),
    )


def _tops(taken: Flags) -> NDArray[np.int64]:
    """(columns,) the highest row with two taken cells in a row; the lowest where none."""
    both = taken[:-1] & taken[1:]
    tops = np.asarray(np.argmax(both, axis=0), np.int64)
    tops[~both.any(axis=0)] = taken.shape[0] - 1
    return tops


def _longest_level_run(tops: NDArray[np.int64]) -> tuple[int, int, int]:
    """(start, stop, row) of the longest stretch whose top stays level; the highest of equals."""
    best = (0, 0, 0)
    for level in np.unique(tops):
        start = end = -1
        for column in np.nonzero(np.abs(tops - level) <= TOP_TOLERANCE_CELLS)[0]:
            if start < 0 or column - end > GAP_CELLS:
                start = int(column)
            end = int(column) + 1
            if end - start > best[1] - best[0]:
                best = (start, end, int(level))
    start, end, _ = best
    if end == start:
        return best
    # The level that most columns have: the tolerance lets its neighbours win ties.
    rows, counts = np.unique(tops[start:end], return_counts=True)
    return start, end, int(rows[np.argmax(counts)])


def _deck_row(
    plane: NDArray[np.uint16],
    calibration: Calibration,
    columns: slice,
    *,
    top: int,
    cell: int,
    pitch_y_mm: float,
    policy: XrayPolicy,
    notes: list[str],
) -> int:
    """The first row of cells that the deck reaches into.

    The deck is the lowest line in its window that lets hardly anything through anywhere
    along the box: cargo may be as dark, but stands on it.
    """
    near, far = (top * cell + int(d * 1000.0 / pitch_y_mm) for d in policy.deck_window_m)
    rows = slice(min(near, plane.shape[0]), min(far, plane.shape[0]))
    thinned = np.arange(columns.start, min(columns.stop, plane.shape[1]), max(cell // 2, 1))
    clear = calibration.transmission(plane, rows, thinned)
    place = (9 * thinned.size) // 10
    lightest = np.partition(clear, place, axis=1)[:, place] if clear.size else np.ones(0)
    dark = np.nonzero((lightest < np.exp(-policy.deck_attenuation)) & (lightest > 0))[0]
    if dark.size == 0:
        notes.append("deck-assumed")
        return top + int(policy.standard_deck_m * 1000.0 / pitch_y_mm / cell)
    lowest = rows.start + int(dark[-1]) + 1
    return int((lowest - policy.deck_margin_m * 1000.0 / pitch_y_mm) // cell)
