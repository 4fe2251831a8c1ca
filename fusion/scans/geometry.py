"""Where the vehicle and its box are in a scan: by the level top edge and the dark deck."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fusion.scans.box_edges import (
    deck_row,
    is_parted,
    longest_level_run,
    post_columns,
    top_rows,
)
from fusion.scans.calibrate import Calibration, Flags, Floats
from fusion.scans.cells import Cells
from fusion.scans.composite_box import find_box
from fusion.scans.composite_size import by_ribs
from fusion.scans.policy import XrayPolicy
from fusion.scans.sizes import size_of

DISPLAY_GAMMA = 2.2
SURE_OUTLINE = 0.1  # of a box, before it says how large a pixel is: a plane is no photograph
POST_ATTENUATION = 0.15
ENDS_CELLS = 6  # on either side of what is well inside the box
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
    posts: tuple[float, float] = (0.0, 0.0)
    """Columns of the plane, to a part of a pixel: the box's front and rear edge; both 0 where
    there is no box."""
    container_ft: int = 0
    """20, 40 or 45; 0: no ISO box, or none at all."""
    boxes: int = 0
    """2: two boxes of 20 ft one behind the other, of which `box_m` is the whole."""
    speed_error: float | None = None
    """Length of the box in the picture over the ISO length, less 1; None where that says nothing
    of the speed."""
    pitch_mm: tuple[float, float] = (0.0, 0.0)
    """Of a pixel, along and across."""
    pitch_from: str = "told"
    """`"told"`, `"box"` (nobody has said how large a pixel is, but an ISO box has) or
    `"assumed"`."""
    sure: float = 0.0
    """0 to 1: that box, deck and roof are where this says."""
    sure_ft: float = 0.0
    """0 to 1: of `container_ft`."""

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
    *,
    pitch_known: bool = True,
) -> Geometry | None:
    """Vehicle, box and deck, or None where the picture shows no vehicle.

    plane        (rows, columns) counts of the high-energy plane that the cells are of
    pitch_mm     of a pixel along and across
    pitch_known  False: it stands for what nobody has said, and a box in the picture says better
    """
    if pitch_known:
        return _found(cells, plane, pitch_mm, policy, "told")
    outline = find_box(_display(cells), cells_noise(cells))
    if outline is None or outline.sure < SURE_OUTLINE:
        return _found(cells, plane, pitch_mm, policy, "assumed")
    length, height = outline.right - outline.left, outline.bottom - outline.top
    length_px, height_px = length * cells.cell_px, height * cells.cell_px
    size = size_of(length_px, height_px, pitch_mm, known=False)
    size = by_ribs(size, outline, length_px, height_px)
    found = _found(cells, plane, size.pitch_mm, policy, "box")
    if found is None or found.box_m[1] <= 0.0:
        return _found(cells, plane, pitch_mm, policy, "assumed")
    # Its own length says nothing of the speed where that length is the measure of a pixel.
    return replace(
        found,
        container_ft=size.feet,
        speed_error=None,
        pitch_from="box" if size.feet else "assumed",
        sure_ft=round(size.sure * outline.sure, 3),
        notes=(*found.notes, "pitch-from-box" if size.feet else "pitch-assumed"),
    )


def _found(
    cells: Cells,
    plane: NDArray[np.uint16],
    pitch_mm: tuple[float, float],
    policy: XrayPolicy,
    pitch_from: str,
) -> Geometry | None:
    """As `find_geometry`, with a pitch that is settled."""
    values, cell_px, calibration = cells.high, cells.cell_px, cells.calibration
    cell_x_m, cell_y_m = (pitch * cell_px / 1000.0 for pitch in pitch_mm)
    taken = values > policy.vehicle_attenuation
    front, rear = _vehicle(taken, calibration, cell_px)
    if rear <= front:
        return None
    tops = top_rows(taken[:, front:rear])
    start, stop, top = longest_level_run(tops)
    notes = ["pitch-assumed"] if pitch_from == "assumed" else []
    there = (stop - start) * cell_x_m >= policy.min_box_m
    posts, box_m = (0.0, 0.0), (0.0, 0.0)
    if there:
        pixels = slice((front + start) * cell_px, (front + stop) * cell_px)
        deck = deck_row(
            plane,
            calibration,
            pixels,
            top=top,
            cell=cell_px,
            pitch_y_mm=pitch_mm[1],
            policy=policy,
            notes=notes,
        )
        middle = slice((top + 2) * cell_px, max(deck, top + 3) * cell_px)
        posts = post_columns(plane, calibration, (pixels.start, pixels.stop), middle, cell_px)
        box_m = _along_m(posts, front * cell_px, pitch_mm[0])
    else:
        notes.append("no-box")
        start, stop = 0, rear - front
        top = int(np.min(tops))
        deck = max(values.shape[0] - int(policy.open_floor_m / cell_y_m), top + 2)
    margin = max(round(policy.end_margin_m / cell_x_m), 1)
    roof = top + 1 + int(policy.roof_margin_m / cell_y_m)
    deck = min(max(deck, roof + 1), values.shape[0])
    if deck <= roof:
        return None  # what is level is the picture's lower edge
    left = min(front + start + margin, rear - 1)
    zone_columns = slice(left, max(front + stop - margin, left + 1))
    geometry = Geometry(
        front=front,
        rear=rear,
        zone_rows=slice(roof, deck),
        zone_columns=zone_columns,
        cell_x_m=cell_x_m,
        cell_y_m=cell_y_m,
        rows=values.shape[0],
        box_m=box_m,
        deck_m=(values.shape[0] - deck) * cell_y_m,
        roof_m=(values.shape[0] - top) * cell_y_m,
        notes=tuple(notes),
        posts=posts,
        pitch_mm=pitch_mm,
        pitch_from=pitch_from,
        sure=_sure(values, slice(roof, deck), zone_columns, notes, pitch_from),
    )
    return _sized(geometry, values) if there else geometry


def _vehicle(taken: Flags, calibration: Calibration, cell_px: int) -> tuple[int, int]:
    """Columns of cells that the vehicle takes, the last exclusive; (0, 0) where there is none."""
    first = -(-calibration.first_column // cell_px)
    last = calibration.last_column // cell_px
    seen = np.nonzero(taken[:, first:last].sum(axis=0) >= MIN_CELLS_IN_COLUMN)[0]
    return (first + int(seen[0]), first + int(seen[-1]) + 1) if seen.size else (0, 0)


def _along_m(
    columns: tuple[float, float], front_column: int, pitch_mm: float
) -> tuple[float, float]:
    """Metres from the vehicle's front to either column, the first not before it."""
    first, last = (round((one - front_column) * pitch_mm / 1000.0, 3) for one in columns)
    return max(first, 0.0), last


def _sized(geometry: Geometry, values: Floats) -> Geometry:
    """The same with the size of its box, and what its length says of the scan's speed."""
    posts, pitch_mm = geometry.posts, geometry.pitch_mm
    size = size_of(posts[1] - posts[0], 0.0, pitch_mm, known=True)
    zone = values[geometry.zone_rows, geometry.zone_columns]
    boxes = 1 + is_parted(zone, geometry.cell_x_m)
    feet = 20 if boxes == 2 and size.feet == 40 else size.feet
    return replace(
        geometry,
        boxes=boxes if feet == 20 else 1,
        container_ft=feet,
        speed_error=size.speed_error if feet else None,
        sure_ft=round(size.sure * geometry.sure, 3),
    )


def _display(cells: Cells) -> Floats:
    """(rows, columns) 0 in air to 1, as a picture on a screen would have it."""
    return np.round(1.0 - np.exp(-np.clip(cells.high, 0.0, None) / DISPLAY_GAMMA), 5)


def cells_noise(cells: Cells) -> float:
    """Of a cell of `_display` in air."""
    steps = np.abs(np.diff(cells.high[:, ::4], axis=0)).reshape(-1)
    middle = float(np.partition(steps, steps.size // 4)[steps.size // 4]) if steps.size else 0.0
    return middle / DISPLAY_GAMMA


def _sure(values: Floats, rows: slice, columns: slice, notes: list[str], pitch_from: str) -> float:
    """From what was seen of a box: its deck, its end walls, a pitch that somebody knows."""
    sure = {"told": 0.97, "box": 0.9, "assumed": 0.6}[pitch_from]
    if "no-box" in notes:
        return round(0.6 * sure, 3)
    sure *= 0.6 if "deck-assumed" in notes else 1.0
    first, last = columns.start - ENDS_CELLS, columns.stop + ENDS_CELLS
    part = values[rows][::2, max(first, 0) : last]
    step = max(part.shape[1] // 64, 1)
    place = part.shape[0] // 3
    inside = np.partition(part[:, ENDS_CELLS:-ENDS_CELLS:step], place, axis=0)[place]
    usual = float(np.partition(inside, inside.size // 2)[inside.size // 2]) if inside.size else 0.0
    for end in (part[:, : ENDS_CELLS + 1], part[:, -ENDS_CELLS - 1 :]):
        through = np.partition(end, place, axis=0)[place]
        if float(through.max()) < usual + POST_ATTENUATION:
            sure *= 0.85  # a load as dark as its end walls, or no end walls
    return round(sure, 3)
