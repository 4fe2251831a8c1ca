"""Scores a scan of the test piece against IEC 62523's five tests, without anybody looking.

What an operator calls visible is here what stands out by 5 standard deviations (Rose), and bars
are resolved where a fifth of their contrast is left. Scores lie between the piece's steps.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fusion.scans import test_piece_layout as layout
from fusion.scans.calibrate import Calibration, Floats
from fusion.scans.test_piece_measures import (
    LEAST,
    filled,
    finest,
    mean_of,
    noise_of,
    sigmas,
    spread_of,
    to_edge,
)

DECLARED = "test-piece"
"""What a scan's papers say of the load where it is this piece."""

SEEN_SIGMA = 5.0
RESOLVED = 0.2
RAIL_TRANSMISSION = 0.45  # of the frame less comes through, of the trolley more
SIZE_TOLERANCE = 0.2  # of the frame's length and height: a speed error is more likely than 20 %
EDGE_PX = 1.6  # off every edge, for the blur
DEEP_MM = 20.0  # and so much more off those of thick blocks
CELL_PX = 64.0  # materials are told at 8 x 8 pixels (facts 2.2)
CUBE_MM = (layout.TARGET_MM, layout.TARGET_MM)


@dataclass(frozen=True, slots=True)
class Piece:
    """The piece as it lies in the picture."""

    high: Floats
    """(rows, columns) transmission; row 0 is the top, column 0 the frame's front side."""
    low: Floats | None
    left: float
    """Column of the frame's outer front edge."""
    bottom: float
    """Row of its outer lower edge."""
    px_mm: tuple[float, float]
    """Pixels in a millimetre, along and up."""

    def inside(
        self, along_mm: float, up_mm: float, length_mm: float, height_mm: float
    ) -> tuple[slice, slice]:
        """Pixels that are well within a rectangle of the piece."""
        left, right = (self.left + mm * self.px_mm[0] for mm in (along_mm, along_mm + length_mm))
        low, top = (self.bottom - mm * self.px_mm[1] for mm in (up_mm, up_mm + height_mm))
        return (
            slice(math.ceil(top + EDGE_PX), max(math.floor(low - EDGE_PX), 0)),
            slice(math.ceil(left + EDGE_PX), max(math.floor(right - EDGE_PX), 0)),
        )

    def within(
        self, along_mm: float, up_mm: float, length_mm: float, height_mm: float
    ) -> tuple[slice, slice]:
        """The same, further off the edges: where a little stray light from beside matters."""
        off = DEEP_MM
        return self.inside(along_mm + off, up_mm + off, length_mm - 2 * off, height_mm - 2 * off)


def scores_of(
    high: NDArray[np.uint16],
    low: NDArray[np.uint16] | None,
    calibrations: tuple[Calibration, Calibration | None],
    pitch_mm: tuple[float, float],
) -> tuple[tuple[str, float], ...]:
    """Scores of the tests by name; empty where the piece is not in the picture.

    high, low     (rows, columns) raw counts
    calibrations  of either plane
    """
    piece = find_piece(high, low, calibrations, pitch_mm)
    if piece is None:
        return ()
    scores = {
        "penetration_mm": penetration_mm(piece),
        "wire_air_mm": wire_mm(piece, layout.WIRES_AIR_MM, layout.WIRES_AIR_AT_MM),
        "wire_steel_mm": wire_mm(piece, layout.WIRES_STEEL_MM, layout.WIRES_STEEL_AT_MM),
        "contrast_percent": contrast_percent(piece),
        "resolution_mm": resolution_mm(piece),
    }
    if piece.low is not None:
        scores["material_sigma"] = material_sigma(piece)
    return tuple((name, float(f"{value:.4g}")) for name, value in scores.items())


def find_piece(
    high: NDArray[np.uint16],
    low: NDArray[np.uint16] | None,
    calibrations: tuple[Calibration, Calibration | None],
    pitch_mm: tuple[float, float],
) -> Piece | None:
    """The largest connected thing with as much steel as the frame, if it has the frame's size."""
    known = calibrations[0]
    columns = np.arange(known.first_column, known.last_column)
    clear = filled(known.transmission(high, slice(0, high.shape[0]), columns), known, columns)
    thick = (clear < RAIL_TRANSMISSION).astype(np.uint8)
    _, _, found, _ = cv2.connectedComponentsWithStats(thick, connectivity=8)
    boxes = found[1:, [cv2.CC_STAT_LEFT, cv2.CC_STAT_TOP, cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    if len(boxes) == 0:
        return None
    left, top, width, height = (int(n) for n in boxes[int(np.argmax(boxes[:, 2] * boxes[:, 3]))])
    for size, pitch, mm in zip((width, height), pitch_mm, layout.FRAME_MM, strict=True):
        if abs(size * pitch / mm - 1.0) > SIZE_TOLERANCE:
            return None
    low_clear = None
    if low is not None and calibrations[1] is not None:
        low_clear = filled(
            calibrations[1].transmission(low, slice(0, high.shape[0]), columns),
            calibrations[1],
            columns,
        )
    rows = clear[top + height // 3 : top + height * 2 // 3]
    across = clear[:, left + width // 3 : left + width * 2 // 3]
    begin = left - to_edge(rows.mean(axis=0)[max(left - 4, 0) : left + 3][::-1])
    end = left + width + to_edge(rows.mean(axis=0)[left + width - 3 : left + width + 4])
    upper = top - to_edge(across.mean(axis=1)[max(top - 4, 0) : top + 3][::-1])
    lower = top + height + to_edge(across.mean(axis=1)[top + height - 3 : top + height + 4])
    px_mm = ((end - begin) / layout.FRAME_MM[0], (lower - upper) / layout.FRAME_MM[1])
    piece = Piece(clear, low_clear, begin, lower, px_mm)
    if mean_of(piece.high, piece.inside(*layout.CLEAR_MM)) < mean_of(
        piece.high,
        piece.inside(layout.FRAME_MM[0] - layout.CLEAR_MM[0] - 800.0, *layout.CLEAR_MM[1:]),
    ):
        turned = low_clear[:, ::-1] if low_clear is not None else None
        piece = Piece(clear[:, ::-1], turned, clear.shape[1] - end, lower, px_mm)
    return piece


def penetration_mm(piece: Piece) -> float:
    """7.1: the thickest steel behind which it is seen in which of four corners the cube is."""
    seen = []
    for i in range(len(layout.STEPS_MM)):
        along = layout.STEPS_AT_MM[0] + layout.STEP_EVERY_MM * i
        corners = [
            piece.high[piece.inside(along + x, layout.STEPS_AT_MM[1] + y, *CUBE_MM)]
            for x, y in layout.TARGETS_AT_MM
        ]
        cube = corners.pop(i % len(corners))
        # Light that is blurred in from beside the block is the same in all four corners.
        bare = np.concatenate([one.reshape(-1) for one in corners])
        face = piece.within(along, layout.STEPS_AT_MM[1], *layout.STEP_FACE_MM)
        seen.append(sigmas(bare, cube, noise_of(piece.high[face])))
    needed = [max(one / SEEN_SIGMA, LEAST) for one in seen]
    steps = layout.STEPS_MM
    if needed[0] < 1.0:
        return steps[0] * needed[0]
    for i in range(1, len(steps)):
        if needed[i] < 1.0:
            share = math.log(needed[i - 1]) / math.log(needed[i - 1] / needed[i])
            return steps[i - 1] + share * (steps[i] - steps[i - 1])
    return steps[-1]


def wire_mm(piece: Piece, sizes_mm: tuple[float, ...], at_mm: tuple[float, float]) -> float:
    """7.2: the finest wire that is seen along its whole length."""
    seen = []
    for i in range(len(sizes_mm)):
        along, up = at_mm[0] + layout.WIRE_EVERY_MM * i, at_mm[1]
        seen.append(_wire_sigma(piece, along, up, sizes_mm[i]) / SEEN_SIGMA)
    return finest(sizes_mm, seen)


def _wire_sigma(piece: Piece, along_mm: float, up_mm: float, wire_mm: float) -> float:
    """By how many standard deviations the wire takes more than what is beside it."""
    low, top = (piece.bottom - (up_mm + mm) * piece.px_mm[1] for mm in (0, layout.WIRE_HEIGHT_MM))
    rows = np.arange(math.ceil(top + EDGE_PX), math.floor(low - EDGE_PX))
    share = (low - rows - 0.5) / (low - top)
    middle = piece.left + (along_mm + layout.WIRE_LEAN_MM * share) * piece.px_mm[0] - 0.5
    reach = 36.0 * piece.px_mm[0]
    columns = np.arange(math.floor(middle.min() - reach), math.ceil(middle.max() + reach) + 1)
    away = np.abs(columns[None, :] - middle[:, None])
    part = piece.high[rows][:, columns]
    wire = away <= max(0.5 * wire_mm * piece.px_mm[0] + 1.0, 1.5)
    beside = (away > 20.0 * piece.px_mm[0]) & (away <= reach)
    level = (part * beside).sum(axis=1) / np.maximum(beside.sum(axis=1), 1)
    less = ((level[:, None] - part) * wire).sum(axis=1)
    # From row to row, so that what a neighbouring wire or a slope adds is no noise.
    noise = spread_of(np.diff(less)) / math.sqrt(2.0) / math.sqrt(less.size)
    return float(np.mean(less)) / max(noise, 1e-12)


def contrast_percent(piece: Piece) -> float:
    """7.3: the thinnest sheet on the plate that is seen, of the plate's thickness."""
    side, a_row = layout.CONTRAST_SIDE_MM, layout.CONTRASTS_A_ROW
    seen = []
    for i in range(len(layout.CONTRASTS_PERCENT)):
        along = layout.CONTRAST_AT_MM[0] + layout.CONTRAST_EVERY_MM[0] * (i % a_row)
        up = layout.CONTRAST_AT_MM[1] + layout.CONTRAST_EVERY_MM[1] * (i // a_row)
        sheet = piece.high[piece.inside(along, up, side, side)]
        behind, before = (along + layout.CONTRAST_BARE_MM, along - layout.CONTRAST_BARE_MM)
        places = [behind] * (i % a_row < a_row - 1) + [before] * (i % a_row > 0)
        bare = [piece.high[piece.inside(x, up, side, side)].reshape(-1) for x in places]
        seen.append(sigmas(np.concatenate(bare), sheet, noise_of(sheet)) / SEEN_SIGMA)
    return finest(layout.CONTRASTS_PERCENT, seen)


def resolution_mm(piece: Piece) -> float:
    """7.4: the narrowest bars of which a fifth of the contrast is left, in the worse direction."""
    contrast = 1.0 - mean_of(piece.high, piece.inside(*layout.SOLID_MM))
    if contrast <= 0.0:
        return layout.BARS_MM[-1]
    along, up = [], []
    for i, width in enumerate(layout.BARS_MM):
        long_mm = 2 * layout.BARS_A_GROUP * width
        start = layout.bars_along(i)
        rows, _ = piece.inside(start, layout.BARS_ALONG_AT_MM[1], long_mm, layout.BARS_LENGTH_MM[0])
        profile = piece.high[rows].mean(axis=0)
        begin = piece.left + start * piece.px_mm[0]
        along.append(_modulation(profile, begin, width * piece.px_mm[0]) / contrast)
        beside = layout.BARS_UP_AT_MM[0] + (layout.BARS_LENGTH_MM[1] + layout.BARS_GAP_MM) * i
        _, columns = piece.inside(beside, 0.0, layout.BARS_LENGTH_MM[1], 100.0)
        profile = piece.high[:, columns].mean(axis=1)[::-1]
        begin = profile.size - (piece.bottom - layout.BARS_UP_AT_MM[1] * piece.px_mm[1])
        up.append(_modulation(profile, begin, width * piece.px_mm[1]) / contrast)
    left = ([one / RESOLVED for one in modulation] for modulation in (along, up))
    return max(finest(layout.BARS_MM, one) for one in left)


def _modulation(profile: Floats, begin: float, width: float) -> float:
    """Amplitude of the bars' own frequency, over that of bars with full contrast."""
    end = begin + 2 * layout.BARS_A_GROUP * width
    first, last = max(math.floor(begin), 0), min(math.ceil(end), profile.size)
    at = np.arange(first, last)
    # Pixels at the group's ends count as far as they are within it.
    weight = np.clip(np.minimum(at + 1.0, end) - np.maximum(at, begin), 0.0, 1.0)
    if weight.sum() <= 0.0:
        return 0.0
    level = float((profile[first:last] * weight).sum() / weight.sum())
    turn = math.pi * (at + 0.5 - begin) / width
    waves = [
        float(((profile[first:last] - level) * weight * wave(turn)).sum())
        for wave in (np.cos, np.sin)
    ]
    amplitude = 2.0 * math.hypot(*waves) / float(weight.sum())
    return amplitude * math.pi / 2.0


def material_sigma(piece: Piece) -> float:
    """7.5: how far apart the two most alike neighbours are among plastic to lead, in a cell."""
    assert piece.low is not None
    ratios, noises = [], []
    for i in range(len(layout.MATERIALS)):
        along = layout.MATERIALS_AT_MM[0] + layout.MATERIAL_EVERY_MM * i
        side = layout.MATERIAL_SIDE_MM
        at = piece.within(along, layout.MATERIALS_AT_MM[1], side, side)
        attenuation, noise = [], []
        for plane in (piece.low, piece.high):
            mean = max(mean_of(plane, at), 1e-6)
            attenuation.append(max(-math.log(min(mean, 0.999)), 1e-3))
            noise.append(noise_of(plane[at]) / mean / math.sqrt(CELL_PX) / attenuation[-1])
        ratios.append(attenuation[0] / attenuation[1])
        noises.append(ratios[-1] * math.hypot(*noise))
    apart = [
        (ratios[i] - ratios[i + 1])
        / max(math.sqrt((noises[i] ** 2 + noises[i + 1] ** 2) / 2), 1e-9)
        for i in range(len(ratios) - 1)
    ]
    return max(min(apart), 0.0)
