"""What loads look like from the side: how thick they are at each place, as a share of the box.

A pattern fills an area that stands on the load floor; 1 is the whole width of the box at the
load's own density. Two rows of pallets side by side are drawn as two halves, one over the other.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from simulators.xray_scene import SUBPIXEL_BITS, SUBPIXELS, Floats, Random


@dataclass(frozen=True, slots=True)
class Area:
    """The part of a box that a load fills, seen from the side."""

    height: int
    """Pixels."""
    length: int
    pitch_m: float

    def px(self, metres: float) -> int:
        """At least one pixel."""
        return max(1, round(metres / self.pitch_m))

    def blank(self) -> Floats:
        """Nothing yet."""
        return np.zeros((self.height, self.length), np.float32)


@dataclass(frozen=True, slots=True)
class Stowed:
    """What a pattern yields."""

    thick: Floats
    """(height, length) share of the box's width that is load."""
    metal: Floats | None = None
    """Of what is there, the share by mass of the family's second material."""


Pattern = Callable[[Area, Random], Stowed]


def clouds(area: Area, size_m: float, spread: float, random: Random) -> Floats:
    """Smooth variation about 1 with structures of about `size_m`."""
    size_px = size_m / area.pitch_m
    grid = (max(2, round(area.height / size_px) + 1), max(2, round(area.length / size_px) + 1))
    coarse = random.standard_normal(grid, np.float32)
    fine = cv2.resize(coarse, (area.length, area.height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(1.0 + np.float32(spread) * fine, np.float32)


def mound(evenness: float = 0.015) -> Pattern:
    """Grain, ore: one density under a surface that is never flat, at rest at its ends."""

    def pattern(area: Area, random: Random) -> Stowed:
        thick = clouds(area, 1.2, evenness, random)
        wave = clouds(Area(2, area.length, area.pitch_m), 1.3, 0.06, random)[0] - 1.0
        along_m = np.arange(area.length) * area.pitch_m
        repose = math.tan(math.radians(float(random.uniform(24, 34))))
        start_m = float(random.uniform(0.2, 1.0)) * area.height * area.pitch_m
        end_m = float(random.uniform(0.2, 1.0)) * area.height * area.pitch_m
        whole_m = area.height * area.pitch_m
        top_m = np.minimum(start_m + repose * along_m, end_m + repose * along_m[::-1])
        top_m = np.minimum(top_m, whole_m - 0.12) + wave
        up_m = (area.height - np.arange(area.height) - 0.5) * area.pitch_m
        # Across the box the surface is uneven as well: its edge is soft.
        return Stowed(thick * np.clip((top_m[None, :] - up_m[:, None]) / 0.06 + 0.5, 0, 1))

    return pattern


def sacks(length_m: float, thick_m: float, spread: float = 0.05) -> Pattern:
    """Bags, four or five deep, that settle into each other."""

    def pattern(area: Area, random: Random) -> Stowed:
        thick = area.blank()
        deep = 4
        for _ in range(deep):
            # Each layer is shifted by half a bag against the one below it.
            step_y = thick_m / area.pitch_m * float(random.uniform(0.97, 1.03))
            step_x = length_m / area.pitch_m * float(random.uniform(0.97, 1.03))
            down = (area.height - np.arange(area.height) - 0.5) / step_y
            across = np.arange(area.length) / step_x + float(random.random())
            layer = np.floor(down).astype(np.int64)
            shifted = across[None, :] + 0.5 * (layer % 2)[:, None]
            bag = np.floor(shifted).astype(np.int64)
            each = random.normal(1.0, spread, (layer.max() + 1, bag.max() + 1)).astype(np.float32)
            seam_y = np.abs(down - layer - 0.5)[:, None] * 2
            seam_x = np.abs(shifted - bag - 0.5) * 2
            pillow = 1.0 - 0.18 * seam_x**8 - 0.12 * seam_y**6
            thick += each[layer[:, None], bag] * pillow.astype(np.float32)
        thick *= np.float32(1.0 / deep)
        _uneven_top(thick, area, thick_m, length_m, random)
        return Stowed(thick * clouds(area, 0.5, 0.01, random))

    return pattern


def cartons(
    length_m: float, height_m: float, *, spread: float, deep: int = 5, aligned: bool = True
) -> Pattern:
    """Rows of equal cartons, so many deep: each its own fill, seams between them."""

    def pattern(area: Area, random: Random) -> Stowed:
        thick = area.blank()
        for _ in range(deep):
            thick += _grid(area, (length_m, height_m), spread, random, aligned=aligned)
        thick *= np.float32(1.0 / deep)
        _uneven_top(thick, area, height_m, 4 * length_m, random)
        return Stowed(thick * clouds(area, 0.08, 0.012, random))

    return pattern


def _grid(
    area: Area, size_m: tuple[float, float], spread: float, random: Random, *, aligned: bool = True
) -> Floats:
    step_x, step_y = size_m[0] / area.pitch_m, size_m[1] / area.pitch_m
    offset = 0.0 if aligned else float(random.random())
    down = (area.height - np.arange(area.height) - 0.5) / step_y
    across = np.arange(area.length) / step_x + offset
    row, column = np.floor(down).astype(np.int64), np.floor(across).astype(np.int64)
    each = random.normal(1.0, spread, (row.max() + 1, column.max() + 1)).astype(np.float32)
    seam_y = np.where(down - row < 1.2 / step_y, 0.9, 1.0)
    seam_x = np.where(across - column < 1.2 / step_x, 0.88, 1.0)
    return np.asarray(each[row[:, None], column] * seam_y[:, None] * seam_x, np.float32)


def _uneven_top(thick: Floats, area: Area, step_m: float, each_m: float, random: Random) -> None:
    """The uppermost layer is not everywhere complete."""
    step, each = area.px(step_m), area.px(each_m)
    for start in range(0, area.length, each):
        missing = int(random.choice([0, 0, 0, 1, 1, 2]))
        if missing and area.height > 3 * step:
            thick[: missing * step, start : start + each] *= float(random.choice([0.0, 0.0, 0.5]))


def pallets(
    *,
    pallet_m: float = 1.2,
    fill: tuple[float, float] = (0.6, 1.0),
    spread: float = 0.12,
    carton_m: tuple[float, float] = (0.4, 0.3),
    density_spread: float = 0.15,
    liquid: bool = False,
) -> Pattern:
    """Two rows of pallets, each with its own height and goods: wood below, film around."""

    def pattern(area: Area, random: Random) -> Stowed:
        thick = area.blank()
        wood_px = area.px(0.144)
        for _ in range(2):
            step = min(area.px(pallet_m), area.length)
            at = int(random.integers(0, min(area.px(0.15), area.length - step + 1)))
            while at + step <= area.length:
                tall = int(area.height * float(random.uniform(*fill)))
                here = Area(max(tall - wood_px, 2), step - 1, area.pitch_m)
                size = [s * float(random.uniform(0.8, 1.25)) for s in carton_m]
                goods = sum(
                    _grid(here, (size[0], size[1]), spread, random) for _ in range(3)
                ) * np.float32(0.5 / 3 * max(random.normal(1.0, density_spread), 0.3))
                if liquid:  # bottles: air in the necks
                    down = (np.arange(here.height)[::-1] * area.pitch_m) % size[1]
                    goods = goods * np.where(down > 0.75 * size[1], 0.45, 1.15)[:, None]
                bottom = area.height - wood_px
                part = (slice(bottom - here.height, bottom), slice(at, at + here.length))
                thick[part] += goods.astype(np.float32)
                _pallet_wood(thick, area, at, step, random)
                at += step + int(random.integers(1, area.px(0.09) + 1))
        return Stowed(thick)

    return pattern


def _pallet_wood(thick: Floats, area: Area, at: int, step: int, random: Random) -> None:
    """Deck boards above and below, three blocks between them."""
    bottom, board = area.height, area.px(0.022)
    light = np.float32(random.uniform(0.3, 0.5))
    columns = slice(at, at + step)
    thick[bottom - board :, columns] += 0.35 * light
    thick[bottom - area.px(0.144) : bottom - area.px(0.144) + board, columns] += light
    for block_m in (0.0, 0.45, 0.9):
        start = at + round(block_m / 1.05 * (step - area.px(0.14)))
        thick[bottom - area.px(0.122) : bottom - board, start : start + area.px(0.14)] += light


def cylinders(
    diameter_m: float, height_m: float, *, rows: int, spread: float = 0.05, hollow: float = 0.0
) -> Pattern:
    """Drums or rolls standing upright, so many rows across, layer on layer."""

    def pattern(area: Area, random: Random) -> Stowed:
        thick = area.blank()
        step_x, step_y = diameter_m / area.pitch_m, height_m / area.pitch_m
        down = (area.height - np.arange(area.height) - 0.5) / step_y
        layer = np.floor(down).astype(np.int64)
        rim = np.where((down - layer) * height_m < 0.025, 0.75, 1.0)
        top = (layer + 1) * step_y <= area.height + 1  # no half drums
        for row in range(rows):
            across = np.arange(area.length) / step_x + (0.5 if row % 2 else 0.02)
            number = np.floor(across).astype(np.int64)
            offset = (across - number) * 2.04 - 1.02
            chord = np.sqrt(np.clip(1.0 - offset**2, 0, 1))
            if hollow:
                chord -= np.sqrt(np.clip(hollow**2 - offset**2, 0, 1))
            fill = random.normal(1.0, spread, (layer.max() + 1, number.max() + 2))
            fill *= random.random(fill.shape) > 0.03  # one is missing now and then
            whole = (number + 1) * step_x <= area.length + 0.5 * step_x
            thick += (
                fill[layer[:, None], number] * (chord * whole) * (rim * top)[:, None] * 4 / math.pi
            ).astype(np.float32)
        return Stowed(thick * np.float32(1.0 / rows))

    return pattern


def tyres(radius_m: tuple[float, float] = (0.3, 0.36)) -> Pattern:
    """Tyres on their treads, laced into each other, three across."""

    def pattern(area: Area, random: Random) -> Stowed:
        thick = area.blank()
        radius = float(random.uniform(*radius_m)) / area.pitch_m
        for _ in range(3):
            y = area.height - radius
            odd = False
            while y > radius:
                x = radius * (1.0 + odd) + float(random.uniform(0, 0.3)) * radius
                while x < area.length - radius:
                    ring(thick, (x, y), radius, radius * 0.55, 0.5 * float(random.normal(1, 0.05)))
                    x += radius * float(random.uniform(1.25, 1.4))
                y -= radius * 1.3
                odd = not odd
        return Stowed(thick * np.float32(0.8))

    return pattern


def packs(
    pack_m: tuple[float, float], board_m: float, *, spread: float = 0.04, metal: float = 0.0
) -> Pattern:
    """Long goods in strapped packs: boards, profiles; fine stripes along, spacers between."""

    def pattern(area: Area, random: Random) -> Stowed:
        thick = area.blank()
        for _ in range(2):
            y = area.height
            while y - area.px(pack_m[1]) > 0:
                tall = area.px(pack_m[1])
                x = int(random.integers(0, area.px(0.2)))
                while x < area.length - area.px(1.0):
                    long = area.px(pack_m[0] * float(random.uniform(0.75, 1.1)))
                    end = min(x + long, area.length)
                    stripes = np.repeat(
                        random.normal(1, spread, tall // area.px(board_m) + 1), area.px(board_m)
                    )[:tall]
                    each = 0.5 * float(random.normal(1.0, 0.05))
                    ragged = int(random.integers(0, area.px(0.08)))
                    thick[y - tall : y, x : end - ragged] += (each * stripes)[:, None].astype(
                        np.float32
                    )
                    for part in (0.15, 0.5, 0.85):  # spacers
                        at = x + int(part * (end - x))
                        thick[y - tall - area.px(0.08) : y - tall, at : at + area.px(0.09)] += 0.4
                    x = end + area.px(0.05)
                y -= tall + area.px(0.08)
        return Stowed(thick, np.full_like(thick, metal) if metal else None)

    return pattern


def ring(
    thick: Floats, middle: tuple[float, float], radius: float, hole: float, areal: float
) -> None:
    """A disc with a hole, soft at its edges."""
    x, y = middle
    rows = slice(max(int(y - radius - 1), 0), min(int(y + radius + 2), thick.shape[0]))
    columns = slice(max(int(x - radius - 1), 0), min(int(x + radius + 2), thick.shape[1]))
    if rows.stop <= rows.start or columns.stop <= columns.start:
        return
    away = np.sqrt(
        (np.arange(rows.start, rows.stop) + 0.5 - y)[:, None] ** 2
        + (np.arange(columns.start, columns.stop) + 0.5 - x)[None, :] ** 2
    )
    inside = np.clip(radius - away + 0.5, 0, 1)
    if hole:
        inside -= np.clip(hole - away + 0.5, 0, 1)
    thick[rows, columns] += (areal * inside).astype(np.float32)


def patch(thick: Floats, corners_px: Floats, areal: float) -> None:
    """A polygon, soft at its edges; corners as (x, y) in pixels."""
    low = np.floor(corners_px.min(axis=0)).astype(int) - 1
    high = np.ceil(corners_px.max(axis=0)).astype(int) + 2
    rows = slice(max(low[1], 0), min(high[1], thick.shape[0]))
    columns = slice(max(low[0], 0), min(high[0], thick.shape[1]))
    if rows.stop <= rows.start or columns.stop <= columns.start:
        return
    share = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
    local = corners_px - np.array([columns.start + 0.5, rows.start + 0.5])
    fixed = np.round(local * SUBPIXELS).astype(np.int32)
    cv2.fillPoly(share, [fixed], 255, cv2.LINE_AA, SUBPIXEL_BITS)
    thick[rows, columns] += share * np.float32(areal / 255.0)


def bar(
    thick: Floats, ends_px: tuple[float, float, float, float], width_px: float, areal: float
) -> None:
    """A straight bar from (x, y) to (x, y)."""
    x0, y0, x1, y1 = ends_px
    long = max(math.hypot(x1 - x0, y1 - y0), 1e-6)
    nx, ny = -(y1 - y0) / long * width_px / 2, (x1 - x0) / long * width_px / 2
    corners = np.array(
        [(x0 + nx, y0 + ny), (x1 + nx, y1 + ny), (x1 - nx, y1 - ny), (x0 - nx, y0 - ny)], np.float32
    )
    patch(thick, corners, areal)
