"""8-bit display pictures, the second class: emptiness, fill, geometry, opaque areas, no more.

Nobody knows a display's curve, so nothing here is in g/cm2: the walls are the measure of what is
little, the darkest of what is much. Frames, rulers and burnt-in text are left out; dark air is
turned bright. Mass and material are not told.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fusion.scan_record import ScanRecord
from fusion.scans.calibrate import Floats
from fusion.scans.composite_box import Box, find_box
from fusion.scans.composite_clean import Clean, Grey, clean
from fusion.scans.composite_fitted import empty_logit, sure_of
from fusion.scans.composite_size import by_ribs
from fusion.scans.composite_terms import inner, inside_of, terms
from fusion.scans.policy import XrayPolicy
from fusion.scans.sizes import Size, size_of
from fusion.types import ScanFinding, ScanSample

DECK_PART = 0.06  # of a box's height its deck stands above its underside
BLACK_PART = 0.03  # of the picture's range
PILE = 0.004  # of the picture: so many pixels in the darkest values, or it was not cut off there
DISPLAY_GAMMA = 2.2
MAX_SURE = 0.97  # no tuning picture came from a real customs system
LEAST_BOX, LEAST_BOX_CUT = 0.45, 0.65
"""How sure of its box, with air above it and without: below, nothing is claimed of its load."""
LEAST_ALIKE = 0.1  # of neighbouring pixels: noise has 0.01, of drawn pictures 2 % less than 0.3
TOLD = 0.65  # how sure of emptiness: below, it is not known
MOST_LENGTH_M = 45.0  # two lorries one behind the other; a longer one has no such box
AT_ODDS_FILL = 0.3  # of an empty box: then one of the two is wrong
AT_ODDS = (("empty", 0.85), ("fill", 0.3))
"""How sure these then are at most: of the drawn ones seven in eight were empty."""
CLIPPED_SURE, OPAQUE_SURE = 0.4, 0.6
"""That an area lets nothing through: where the picture's own black ends, and where it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a display picture shows."""

    finding: ScanFinding
    pitch_mm: tuple[float, float]
    """Along and across, of the picture's own pixels."""
    front_column: int
    bottom_row: int

    def placed(self, record: ScanRecord) -> ScanRecord:
        """The record with its metres where this reading has them."""
        return replace(
            record,
            pitch_x_mm=self.pitch_mm[0],
            pitch_y_mm=self.pitch_mm[1],
            front_column=self.front_column,
            bottom_row=self.bottom_row,
        )


def display_of(plane: NDArray[np.uint16]) -> Grey:
    """A plane of which nobody knows what air gives, as a workstation would show it."""
    probe = np.sort(plane[:: max(1, plane.shape[0] // 128), ::4].reshape(-1))
    top = max(int(probe[int(0.998 * (probe.size - 1))]), 1)
    shares = np.minimum(np.arange(65_536) / top, 1.0)
    table = np.round(255.0 * shares ** (1.0 / DISPLAY_GAMMA)).astype(np.uint8)
    return table[plane]


def read_composite(
    nothing: ScanFinding, scan: ScanSample, picture: Grey, policy: XrayPolicy
) -> Read:
    """Measure a display picture, grey values of 8 bits.

    nothing  the finding of this scan before anything is known
    """
    cleaned = clean(picture)
    box = find_box(cleaned.dark, cleaned.noise)
    notes = [*nothing.notes, "gamma-assumed"]
    notes += ["inverted"] if cleaned.inverted else []
    notes += ["frame-cut"] if cleaned.framed > 0.0 else []
    notes += ["text-left-out"] if cleaned.marks.any() else []
    nothing = replace(nothing, quality=quality(picture, cleaned), notes=tuple(notes))
    if _shows_something(cleaned) and box is not None and _is_sure(box):
        return _with_box(nothing, scan, cleaned, box, policy)
    pitch_mm = (scan.pitch_x_mm, scan.pitch_y_mm)
    front, rear, rows = _outline(cleaned.dark, cleaned.noise)
    if rear <= front or not _shows_something(cleaned):
        nowhere = _sure(empty=0.5, fill=0.0, geometry=0.0, unpenetrated=0.0)
        finding = replace(nothing, notes=(*notes, "no-vehicle"), sure=nowhere)
        return Read(finding=finding, pitch_mm=pitch_mm, front_column=0, bottom_row=len(picture))
    bottom = cleaned.top + cleaned.scale * rows[1]
    length_m = (rear - front) * cleaned.scale * pitch_mm[0] / 1000.0
    assumed = () if scan.pitch_known else ("pitch-assumed",)
    finding = replace(
        nothing,
        length_m=round(length_m, 2),
        notes=(*notes, *assumed, "no-box", "emptiness-unknown"),
        geometry=_named(
            box_from_m=0.0,
            box_to_m=0.0,
            deck_m=0.0,
            roof_m=(rows[1] - rows[0]) * cleaned.scale * pitch_mm[1] / 1000.0,
            opaque_m=length_m / 2,
            pitch_x_mm=pitch_mm[0],
        ),
        # Whether something without a box is empty, its outline does not tell.
        sure=_sure(empty=0.5, fill=0.0, geometry=_no_box(box), unpenetrated=0.3, pitch=0.2),
    )
    return Read(
        finding=finding,
        pitch_mm=pitch_mm,
        front_column=cleaned.left + cleaned.scale * front,
        bottom_row=bottom,
    )


def _with_box(
    nothing: ScanFinding, scan: ScanSample, cleaned: Clean, box: Box, policy: XrayPolicy
) -> Read:
    scale = cleaned.scale
    length_px, height_px = (box.right - box.left) * scale, (box.bottom - box.top) * scale
    size = size_of(length_px, height_px, (scan.pitch_x_mm, scan.pitch_y_mm), known=scan.pitch_known)
    if not scan.pitch_known:
        size = by_ribs(size, box, length_px, height_px)
    front, rear, rows = _outline(box.straight, cleaned.noise)
    front, rear = min(front, box.left), max(rear, box.right)
    inside = inside_of(box, cleaned.noise)
    logit = empty_logit(terms(box, inside, cleaned.noise))
    opaque, middle = _opaque(cleaned, box)
    # What the box stands on counts where it is in the picture; else heights are over its beams.
    bottom = max(rows[1], box.bottom)
    notes = list(nothing.notes)
    if not scan.pitch_known:
        notes.append("pitch-from-box" if size.feet else "pitch-assumed")
    notes += [] if box.air_above else ["no-air-above"]
    if not _is_all_there(scan, policy):
        logit = min(logit, 0.0)  # what has not been seen is not known to be clear
    fill = float(np.count_nonzero(inside.excess > inside.step)) / inside.excess.size
    length_m = (rear - front) * scale * size.pitch_mm[0] / 1000.0
    outline = box.sure if length_m <= MOST_LENGTH_M else min(box.sure, LEAST_BOX)
    sure = _sures(logit, outline, size, scan, walls=inside.wall > 2.0 * cleaned.noise)
    if logit > 0.0 and fill > AT_ODDS_FILL:
        sure |= {name: min(sure[name], most) for name, most in AT_ODDS}
    if opaque > 0.0:
        notes.append("black-may-be-display")
        sure["unpenetrated"] = CLIPPED_SURE
    if sure["empty"] < TOLD:
        notes.append("emptiness-unknown")
        logit = 0.0 if length_m > MOST_LENGTH_M else logit
    told = replace(
        nothing,
        length_m=round(length_m, 2),
        empty=logit > 0.0,
        empty_nats=round(policy.composite_nats_share * logit, 3),
        fill=round(fill, 4),
        unpenetrated=round(opaque, 4),
        notes=tuple(notes),
        geometry=_geometry(box, size, scale, front=front, bottom=bottom, opaque=middle),
        sure=_sure(**sure),
    )
    return Read(
        finding=told,
        pitch_mm=size.pitch_mm,
        front_column=cleaned.left + scale * front,
        bottom_row=cleaned.top + scale * bottom,
    )


def _geometry(
    box: Box, size: Size, scale: int, *, front: int, bottom: int, opaque: float
) -> tuple[tuple[str, float], ...]:
    """Where everything is, in metres behind the front column and over the bottom row.

    scale   pixels of the picture to a working pixel
    opaque  working pixels from the box's left end to the middle of what is opaque
    """
    pitch_x_m, pitch_y_m = (scale * pitch / 1000.0 for pitch in size.pitch_mm)
    deck_px = DECK_PART * (box.bottom - box.top)
    return _named(
        box_from_m=(box.left - front) * pitch_x_m,
        box_to_m=(box.right - front) * pitch_x_m,
        deck_m=(bottom - box.bottom + deck_px) * pitch_y_m,
        roof_m=(bottom - box.top) * pitch_y_m,
        opaque_m=(box.left - front + opaque) * pitch_x_m,
        container_ft=float(size.feet),
        pitch_x_mm=size.pitch_mm[0],
        pitch_y_mm=size.pitch_mm[1],
        speed_error=size.speed_error,
    )


def _is_all_there(scan: ScanSample, policy: XrayPolicy) -> bool:
    plane = scan.composite if scan.high is None else scan.high
    lost = sum(beyond - first for first, beyond in scan.lost_columns)
    columns = 0 if plane is None else plane.shape[1]
    return not scan.partial and lost <= policy.most_blind_share * columns


def _sures(
    logit: float, outline: float, size: Size, scan: ScanSample, *, walls: bool
) -> dict[str, float]:
    """How sure each result is. `walls`: they stand out of the noise."""
    return {
        "empty": min(sure_of(logit, outline), MAX_SURE) if logit else 0.5,
        "fill": (0.75 if walls else 0.6) * (0.4 + 0.6 * outline),
        "geometry": outline,
        "unpenetrated": OPAQUE_SURE * outline,
        "container": size.sure * outline,
        "pitch": 0.9 if scan.pitch_known else size.sure * outline * 0.8,
    }


def _sure(**values: float) -> tuple[tuple[str, float], ...]:
    return tuple((name, min(round(value, 3), MAX_SURE)) for name, value in values.items())


def _named(**places: float) -> tuple[tuple[str, float], ...]:
    return tuple((name, round(value, 3)) for name, value in places.items())


def _shows_something(cleaned: Clean) -> bool:
    """Whether pixels a little apart are alike, along or across: there is more than noise."""
    away = cleaned.dark - float(cleaned.dark.sum()) / cleaned.dark.size
    least = LEAST_ALIKE * max(float(np.square(away).sum()), 1e-9)
    both = float((away[:, 4:] * away[:, :-4]).sum()), float((away[4:] * away[:-4]).sum())
    return max(both) >= least


def _is_sure(box: Box) -> bool:
    return box.sure >= (LEAST_BOX if box.air_above else LEAST_BOX_CUT)


def _no_box(box: Box | None) -> float:
    """How sure the outline of something without a box is: least where it may yet be one."""
    return 0.3 if box is None else round(0.3 * (1.0 - box.sure), 3)


def _outline(dark: Floats, noise: float) -> tuple[int, int, tuple[int, int]]:
    """(first column, one beyond the last, (first row, one beyond the last)) of all that is dark."""
    taken = dark > max(0.08, 4.0 * noise)
    columns = np.nonzero(4 * taken.sum(axis=0) > 0.1 * taken.shape[0])[0]
    rows = np.nonzero(taken.sum(axis=1) > 0.02 * taken.shape[1])[0]
    if columns.size < 8 or rows.size < 8:
        return 0, 0, (0, 0)
    return int(columns[0]), int(columns[-1]) + 1, (int(rows[0]), int(rows[-1]) + 1)


def _opaque(cleaned: Clean, box: Box) -> tuple[float, float]:
    """(share of the box's inside as dark as the picture can be, its middle column in the box)."""
    rows, columns = inner(box)
    middle = (box.right - box.left) / 2
    counts = np.bincount(cleaned.grey.reshape(-1), minlength=256)
    lowest = int(np.searchsorted(np.cumsum(counts), 0.0005 * cleaned.grey.size))
    near = int(counts[: lowest + 4].sum())
    if near < PILE * cleaned.grey.size and lowest > 8:
        return 0.0, middle
    limit = (cleaned.air - lowest) * (1.0 - BLACK_PART) / max(cleaned.air - cleaned.black, 1.0)
    dark = box.straight[rows, columns] >= min(limit, 1.0)
    share = float(np.count_nonzero(dark)) / max(dark.size, 1)
    if share == 0.0:
        return 0.0, middle
    along = np.nonzero(dark)[1]
    return share, float(int(along.sum()) / along.size) + columns.start - box.left


def quality(picture: Grey, cleaned: Clean) -> tuple[tuple[str, float], ...]:
    """How good the picture itself is; of the scanner it says little."""
    probe = picture[:: max(1, picture.shape[0] // 256)].astype(np.int16)
    steps = np.abs(np.diff(probe, axis=1))
    values = {
        "picture_columns": float(picture.shape[1]),
        "picture_rows": float(picture.shape[0]),
        "frame": cleaned.framed,
        "text": float(np.count_nonzero(cleaned.marks)) / cleaned.marks.size,
        "contrast": (cleaned.air - cleaned.black) / 255.0,
        "noise": cleaned.noise,
        "blockiness": _blockiness(steps),
        "sharpness": _sharpness(steps),
        "clipped": float(np.count_nonzero((probe <= 1) | (probe >= 254))) / probe.size,
    }
    return tuple((name, float(f"{value:.4g}")) for name, value in values.items())


def _blockiness(steps: NDArray[np.int16]) -> float:
    """Steps at the borders of JPEG's blocks over those elsewhere; 1 where there are no blocks."""
    sums = np.minimum(steps, 16).sum(axis=0, dtype=np.int64)
    whole = sums.size // 8 * 8
    phases = sums[:whole].reshape(-1, 8).sum(axis=0) if whole else np.ones(8)
    usual = (int(phases.sum()) - int(phases.max())) / 7
    return float(phases.max()) / max(usual, 1.0)


def _sharpness(steps: NDArray[np.int16]) -> float:
    """The steepest hundredth of all steps over the next steepest, in grey values."""
    counts = np.cumsum(np.bincount(steps.reshape(-1), minlength=256))
    return float(np.searchsorted(counts, 0.995 * steps.size)) / 255.0
